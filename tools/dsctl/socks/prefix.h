/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses that have their first bits in common. */
#ifndef DSCTL_PREFIX_H
#define DSCTL_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#include "nl/diag.h"

/**
 * struct prefix - Addresses that have their first bits in common.
 * @ep: with one of the addresses; its port has no meaning.
 * @len: how many bits.
 */
struct prefix {
	struct endpoint ep;
	uint8_t len;
};

/**
 * prefix_parse() - Read ADDRESS or ADDRESS/LENGTH.
 * @what: what it is for, the start of an error message.
 * @word: the word.
 * @prefix: filled in.
 *
 * Return: 0, or -1 after a message.
 */
int prefix_parse(const char *what, const char *word, struct prefix *prefix);

/**
 * prefix_mask() - Leave of an address what a prefix has of it.
 * @prefix: the prefix; all bits behind its length become 0.
 */
void prefix_mask(struct prefix *prefix);

/**
 * prefix_check() - Refuse a prefix that has more bits set than its length says.
 * @what: what it is for, the start of an error message.
 * @word: the word that it was read from.
 * @prefix: the prefix.
 *
 * Return: 0, or -1 after a message.
 */
int prefix_check(const char *what, const char *word,
		 const struct prefix *prefix);

/**
 * prefix_unmap() - Make IPv4-mapped addresses the IPv4 addresses in them.
 * @prefix: the addresses; others stay.
 */
void prefix_unmap(struct prefix *prefix);

/**
 * prefix_has() - Whether the address of an endpoint is one of them.
 * @prefix: the addresses.
 * @ep: the endpoint; one that is not there has no address.
 *
 * An IPv4-mapped address is the IPv4 address in it as well.
 *
 * Return: true if so.
 */
bool prefix_has(const struct prefix *prefix, const struct endpoint *ep);

#endif /* DSCTL_PREFIX_H */
