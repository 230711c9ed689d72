/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the ledger of peers says, in structures that a test can compare.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <linux/types.h>

#include <linux/dualstack.h>

#include "family.h"
#include "net_util.h"

#define LEDGER_DIRECTIONS	(DUALSTACK_PEER_DIRECTION_REFUSED_OUT + 1)

/**
 * struct ledger_entry - an entry of the ledger
 * @direction: enum dualstack_peer_direction
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @local_port: port here, host byte order; 0 where there is none
 * @peer: address of the peer, and its port in the directions out and refused-out;
 *	AF_UNSPEC in a rest
 * @has_uid: whether @uid and @comm are there
 * @uid: who it was
 * @comm: name of the task
 * @count: how often
 * @first_age: milliseconds since the first time
 * @last_age: milliseconds since the last time
 */
struct ledger_entry {
	unsigned int direction;
	int protocol;
	in_port_t local_port;
	union net_addr peer;
	bool has_uid;
	__u32 uid;
	char comm[16];
	__u64 count;
	__u64 first_age;
	__u64 last_age;
};

/**
 * struct ledger_query - what is asked for
 * @direction: enum dualstack_peer_direction, or -1 for all
 * @protocol: IPPROTO_TCP or IPPROTO_UDP, or 0 for both
 * @port: port here, or 0 for any
 */
struct ledger_query {
	int direction;
	int protocol;
	in_port_t port;
};

/**
 * struct ledger_sum - what some entries add up to
 * @entries: how many there are, without rests
 * @count: how often all were there, rests included
 * @rest: how much of @count is that of rests; 0 where the kernel did the sum
 */
struct ledger_sum {
	__u32 entries;
	__u64 count;
	__u64 rest;
};

typedef int (*ledger_cb)(const struct ledger_entry *e, void *arg);

/* Call @cb for each entry; 0, -errno, or what @cb returned if that was not 0. */
int ledger_dump(struct fam *ds, const struct ledger_query *query, ledger_cb cb,
		void *arg);

/* What a dump adds up to, and what the kernel says that the same adds up to. */
int ledger_sum(struct fam *ds, const struct ledger_query *query,
	       struct ledger_sum *sum);
int ledger_get(struct fam *ds, const struct ledger_query *query,
	       struct ledger_sum *sum);

/**
 * ledger_find() - the entry of a peer
 * @ds: the family
 * @query: of which direction, protocol and port here
 * @peer: the peer, an IPv4 one mapped or not; NULL for the rest. Its port is compared
 *	in the directions out and refused-out
 * @comm: name of the task, or NULL for any
 * @e: filled in; count is 0 if there is none
 *
 * Return: how many there are, or -errno.
 */
int ledger_find(struct fam *ds, const struct ledger_query *query,
		const union net_addr *peer, const char *comm,
		struct ledger_entry *e);

/* Empty the ledger alone. */
int ledger_reset(struct fam *ds);

#endif /* LEDGER_H */
