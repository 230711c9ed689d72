/* SPDX-License-Identifier: GPL-2.0 */
/* The ledger of peers: who used IPv4, or was refused. */
#ifndef DSCTL_PEERS_H
#define DSCTL_PEERS_H

#include <linux/dualstack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nl/diag.h"
#include "nl/dsnl.h"

#define NUM_PEER_DIRECTIONS (DUALSTACK_PEER_DIRECTION_REFUSED_OUT + 1)

/* A direction that stands for each of them. */
#define PEER_ANY_DIRECTION NUM_PEER_DIRECTIONS

/* Room for the name of a task: TASK_COMM_LEN of the kernel. */
#define PEER_COMM_SIZE 16

/* By enum dualstack_peer_direction, as the spec has them. */
extern const char *const peer_direction_names[NUM_PEER_DIRECTIONS];

/**
 * struct peer_entry - An entry of the ledger.
 * @direction: enum dualstack_peer_direction.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @local_port: of the directions in and refused, in host byte order; 0 if there is none.
 * @peer: the other end, with a port in the directions out and refused-out. AF_UNSPEC in
 *	  a rest: what was counted of peers that have no entry of their own.
 * @uid: user that connected or sent, where peer_has_task().
 * @comm: name of the task that did, any bytes, likewise; else empty.
 * @count: connections, datagrams, packets or calls.
 * @first_age: milliseconds since the first of them.
 * @last_age: milliseconds since the last of them.
 */
struct peer_entry {
	uint8_t direction;
	uint8_t protocol;
	uint16_t local_port;
	uint32_t uid;
	char comm[PEER_COMM_SIZE];
	struct endpoint peer;
	uint64_t count;
	uint64_t first_age;
	uint64_t last_age;
};

/**
 * struct peer_list - An array of entries.
 * @v: the entries.
 * @n: how many.
 * @size: for how many there is room.
 */
struct peer_list {
	struct peer_entry *v;
	size_t n;
	size_t size;
};

/**
 * struct peer_request - Which entries are wanted: the kernel looks.
 * @direction: enum dualstack_peer_direction, or PEER_ANY_DIRECTION.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP, 0 for both.
 * @local_port: in host byte order, 0 for any; entries that have none do not fit.
 */
struct peer_request {
	uint8_t direction;
	uint8_t protocol;
	uint16_t local_port;
};

/**
 * struct peer_sums - What there is in the ledger.
 * @entries: peers, the rests not counted.
 * @count: what they and the rests add up to.
 */
struct peer_sums {
	uint32_t entries;
	uint64_t count;
};

/**
 * typedef peer_each_t - What to do with an entry.
 * @entry: the entry, valid until it returns.
 * @arg: from the caller.
 *
 * Return: 0, or a negative errno that peers_walk() returns at the end.
 */
typedef int (*peer_each_t)(const struct peer_entry *entry, void *arg);

/**
 * peer_is_outbound() - Whether a program here began it.
 * @direction: enum dualstack_peer_direction.
 *
 * Return: true for out and refused-out, of which entries have a user, a name and the
 *	   port of the peer, but no local port.
 */
bool peer_is_outbound(uint8_t direction);

/**
 * peer_has_task() - Whether an entry says which user and task it was.
 * @entry: the entry.
 *
 * Return: true if so.
 */
bool peer_has_task(const struct peer_entry *entry);

/**
 * peers_walk() - Ask for entries, and take each as it comes.
 * @nl: from dsnl_open_dualstack().
 * @req: which.
 * @start: called before the first one, and again if the ledger was emptied meanwhile:
 *	   what there was so far is to be forgotten. Or NULL.
 * @each: called for each.
 * @arg: for both.
 *
 * Return: 0 or a negative errno; dsnl_err() explains it. -EPERM if the right is missing,
 *	   which is CAP_NET_ADMIN in the network namespace; -EOPNOTSUPP by a module that
 *	   keeps no ledger yet.
 */
int peers_walk(struct dsnl *nl, const struct peer_request *req,
	       dsnl_start_t start, peer_each_t each, void *arg);

/**
 * peers_get() - Get entries, for a caller that can do without.
 * @nl: from dsnl_open_dualstack().
 * @req: which.
 * @list: filled in, in no order; to be freed in any case.
 *
 * Return: as peers_walk().
 */
int peers_get(struct dsnl *nl, const struct peer_request *req,
	      struct peer_list *list);

/**
 * peers_dump() - Get entries.
 * @nl: from dsnl_open_dualstack().
 * @req: which.
 * @list: filled in, in no order; to be freed in any case.
 *
 * Return: 0, or -1 after a message.
 */
int peers_dump(struct dsnl *nl, const struct peer_request *req,
	       struct peer_list *list);

/**
 * peers_sum() - Ask how many entries there are, and what they add up to.
 * @nl: from dsnl_open_dualstack().
 * @req: which.
 * @sums: filled in.
 *
 * Return: as peers_walk().
 */
int peers_sum(struct dsnl *nl, const struct peer_request *req,
	      struct peer_sums *sums);

/**
 * peer_list_add() - Append a copy of an entry.
 * @list: the list.
 * @entry: the entry.
 *
 * Return: 0, or -ENOMEM.
 */
int peer_list_add(struct peer_list *list, const struct peer_entry *entry);

/**
 * peer_list_free() - Free the entries of a list.
 * @list: the list; zeroed memory is fine.
 */
void peer_list_free(struct peer_list *list);

#endif /* DSCTL_PEERS_H */
