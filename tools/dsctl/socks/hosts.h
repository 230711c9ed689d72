/* SPDX-License-Identifier: GPL-2.0 */
/* The names of addresses. */
#ifndef DSCTL_HOSTS_H
#define DSCTL_HOSTS_H

#include <stddef.h>
#include <stdint.h>

#include "nl/diag.h"

/**
 * struct hosts - The names that were asked for.
 * @root: a tree of them.
 * @n: how many.
 * @netns: in which network namespace is asked.
 *
 * It starts zeroed. Each address is asked for once, as that may take seconds: reports that
 * come again and again keep the names.
 */
struct hosts {
	void *root;
	size_t n;
	uint64_t netns;
};

/**
 * hosts_begin() - Begin a report.
 * @hosts: the names so far; where they have become too many to keep, none is.
 * @netns: the network namespace, which has been entered, by a number of its own.
 */
void hosts_begin(struct hosts *hosts, uint64_t netns);

/**
 * hosts_name() - Ask for the name of an address: /etc/hosts, DNS and so on.
 * @hosts: the names so far.
 * @ep: with the address, AF_INET or AF_INET6.
 *
 * Return: the name, until the next report or until @hosts is freed; NULL if it has none, or
 *	   if there is no memory.
 */
const char *hosts_name(struct hosts *hosts, const struct endpoint *ep);

/**
 * hosts_free() - Free the names.
 * @hosts: the names; zeroed memory is fine.
 */
void hosts_free(struct hosts *hosts);

#endif /* DSCTL_HOSTS_H */
