/* SPDX-License-Identifier: GPL-2.0 */
/* The rules of a namespace: what IPV6_V6ONLY is to be on sockets to come. */
#ifndef DSCTL_RULES_H
#define DSCTL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nl/diag.h"
#include "nl/dsnl.h"
#include "util/map.h"

/* What a rule was where there was none before. */
#define RULE_NEW (-1)

/**
 * struct rule - A rule.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP; 0 for all ports that have no rule of their own.
 * @port: in host byte order; 0 likewise.
 * @v6only: what IPV6_V6ONLY is to be.
 * @applied: how many sockets were bound as it says.
 * @passed_over: how many were not, for the sake of a socket of IPv4.
 * @holder: where the last one of these is bound, without a port; AF_UNSPEC if it was
 *	    never passed over.
 * @holder_cookie: of that socket.
 */
struct rule {
	uint8_t protocol;
	uint16_t port;
	bool v6only;
	uint64_t applied;
	uint64_t passed_over;
	struct endpoint holder;
	uint64_t holder_cookie;
};

/**
 * struct rule_list - All rules of a namespace.
 * @v: the rules; that of all ports is the first, the others are sorted by protocol and
 *     port.
 * @n: how many.
 * @size: for how many there is room.
 * @by_port: indices.
 */
struct rule_list {
	struct rule *v;
	size_t n;
	size_t size;
	struct map by_port;
};

/**
 * rules_get() - Get the rules of the namespace.
 * @nl: from dsnl_open_dualstack().
 * @list: filled in.
 *
 * Return: 0 or a negative errno; dsnl_err() explains it.
 */
int rules_get(struct dsnl *nl, struct rule_list *list);

/**
 * rules_dump() - The same, and a module that knows no rules has none.
 * @nl: from dsnl_open_dualstack().
 * @list: filled in.
 *
 * Return: 0, or -1 after a message.
 */
int rules_dump(struct dsnl *nl, struct rule_list *list);

/**
 * rules_find() - The rule that decides about a port.
 * @list: the rules.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @port: the port.
 *
 * Return: its own, else that of all ports; NULL if there is neither.
 */
const struct rule *rules_find(const struct rule_list *list, uint8_t protocol,
			      uint16_t port);

/**
 * rules_free() - Free what a list of rules holds.
 * @list: the list; zeroed memory is fine.
 */
void rules_free(struct rule_list *list);

/**
 * rule_set() - Set a rule, in place of the one that is there.
 * @nl: from dsnl_open_dualstack().
 * @rule: of which the counts and the holder do not matter.
 * @was: set to what the one before had for IPV6_V6ONLY, 1 or 0; RULE_NEW if there was
 *	 none.
 *
 * Return: 0 or a negative errno; dsnl_err() explains it.
 */
int rule_set(struct dsnl *nl, const struct rule *rule, int *was);

/**
 * rule_del() - Remove a rule.
 * @nl: from dsnl_open_dualstack().
 * @rule: of which protocol and port matter.
 *
 * Return: 0 or a negative errno; dsnl_err() explains it.
 */
int rule_del(struct dsnl *nl, const struct rule *rule);

#endif /* DSCTL_RULES_H */
