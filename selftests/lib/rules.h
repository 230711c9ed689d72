/* SPDX-License-Identifier: GPL-2.0-only */
/* What the dualstack family says about rules. */
#ifndef RULES_H
#define RULES_H

#include "family.h"

/**
 * struct fam_rule - a rule
 * @protocol: IPPROTO_TCP or IPPROTO_UDP, 0 for the one of all ports
 * @port: its port, 0 likewise
 * @v6only: what IPV6_V6ONLY is to be
 * @applied: how many sockets were bound as it says
 * @passed_over: how many were not, for the sake of an IPv4 socket
 * @holder_addr: address of the last of these, network byte order
 * @holder: its cookie, 0 while there is none
 */
struct fam_rule {
	int protocol;
	in_port_t port;
	bool v6only;
	__u64 applied;
	__u64 passed_over;
	__be32 holder_addr;
	__u64 holder;
};

/* All of these take 0 and 0 for the rule of all ports. */

/* What fam_rule_set() returns where there was none: else what it was, or -errno. */
#define FAM_RULE_NEW	2

int fam_rule_set(struct fam *ds, int protocol, in_port_t port, int v6only);
int fam_rule_del(struct fam *ds, int protocol, in_port_t port);
int fam_rule_get(struct fam *ds, int protocol, in_port_t port,
		 struct fam_rule *rule);

/**
 * fam_rules_dump() - ask for all rules
 * @ds: connection
 * @rules: filled in, in the order in which they come
 * @max: how many there is room for
 *
 * Return: how many there are, or -errno.
 */
int fam_rules_dump(struct fam *ds, struct fam_rule *rules, int max);

/* A request, with each attribute that is not negative. */
int fam_rule_talk(struct fam *ds, int cmd, int protocol, int port, int v6only);

#endif /* RULES_H */
