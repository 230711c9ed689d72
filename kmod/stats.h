/* SPDX-License-Identifier: GPL-2.0 */
/* What is counted, and the sums of a network namespace. */

#ifndef _DUALSTACK_STATS_H
#define _DUALSTACK_STATS_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/init.h>
#include <linux/in.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "event_list.h"
#include "window.h"

struct net;

/**
 * struct ds_counter - a counter of the netlink interface
 * @attr:	its attribute, DUALSTACK_A_COUNTER_*
 * @event:	the event it counts
 * @protos:	bit mask of the protocols (enum ds_proto) it counts it for
 */
struct ds_counter {
	u8 attr;
	u8 event;
	u8 protos;
};

/* In the order of their attributes. */
extern const struct ds_counter ds_counters[DS_N_COUNTERS];

/**
 * ds_counter_attr() - the counter of an event
 * @event:	the event
 * @proto:	the protocol of its socket
 *
 * Context: any.
 *
 * Return: DUALSTACK_A_COUNTER_*.
 */
u8 ds_counter_attr(enum ds_event event, enum ds_proto proto);

/**
 * enum ds_way - how an event was seen, where others of its kind have another hook
 * @DS_WAY_FASTOPEN:	an accept, by Fast Open
 * @DS_WAY_MPTCP_SYN:	a SYN with a mapped source, by MPTCP
 * @DS_WAY_MPTCP_BIND:	a bind() that was refused, by MPTCP
 * @DS_N_WAYS:		how many there are
 */
enum ds_way {
	DS_WAY_FASTOPEN,
	DS_WAY_MPTCP_SYN,
	DS_WAY_MPTCP_BIND,
	DS_N_WAYS,
};

/**
 * struct ds_sums - the sums of a namespace at one moment
 * @count:	events by protocol, on live and on closed sockets
 * @untracked:	events counted in @count whose socket has no record
 * @tracked:	live records
 * @way:	how many of those in @count were seen in each of these ways
 * @looked_up:	packets without a socket for which one was looked up
 * @ended:	records that ended with their socket
 * @evicted:	records that gave way to that of another socket
 */
struct ds_sums {
	u64 count[DS_N_PROTOS][DS_N_EVENTS];
	u64 untracked[DS_N_PROTOS];
	u32 tracked[DS_N_PROTOS];
	u64 way[DS_N_WAYS];
	u64 looked_up;
	u64 ended;
	u64 evicted[DS_N_PROTOS];
};

/**
 * enum ds_walk_kind - what a walk through the records of a namespace is for
 * @DS_WALK_NONE:	there is none
 * @DS_WALK_SUM:	it adds up those in &struct ds_net.busy
 * @DS_WALK_RESET:	it sets all to 0
 */
enum ds_walk_kind {
	DS_WALK_NONE,
	DS_WALK_SUM,
	DS_WALK_RESET,
};

/**
 * struct ds_net - what is kept for a network namespace
 * @count:	events of sockets that have closed, of those in @idle, and of
 *		untracked ones
 * @untracked:	see &struct ds_sums
 * @tracked:	see &struct ds_sums; under @lock
 * @way:	see &struct ds_sums
 * @looked_up:	see &struct ds_sums; one for each CPU, as a packet to a closed port
 *		writes nothing else of ours
 * @looked_up_before: what it was at the last ds_net_reset(); under @lock
 * @ended:	see &struct ds_sums; under @lock
 * @evicted:	see &struct ds_sums; under @lock
 * @since:	when it began to count, or the last ds_net_reset() was done:
 *		nanoseconds of CLOCK_BOOTTIME
 * @max_sockets: how many records it can have
 * @lock:	serialises the coming and going of records, and their changes of
 *		state; never taken for a hit, and never held for more than some
 *		dozens of records
 * @busy:	records that are busy or cold, the latest last; under @lock
 * @idle:	records that are idle, the first to become so first; written under
 *		@lock, the first is read under RCU
 * @idle_zero:	those of them that had no event since the last ds_net_reset()
 * @walk_lock:	held by whoever walks through the records; comes before @lock
 * @walk:	number of the walk, the last one where there is none. A record that
 *		has this number was passed; under @lock
 * @walk_kind:	what it is for; under @lock
 * @walk_next:	where it goes on; under @lock
 * @walk_sums:	what DS_WALK_SUM adds up; under @lock
 * @cooling:	there are cold records; under @walk_lock
 * @cold_since:	a state of RCU, after they became cold; under @walk_lock
 * @age:	a walk that finds out which records are idle
 * @no_room:	there was no room for another record when one was wanted. May be
 *		wrong for as long as @age is pending, which clears it
 * @windows:	for packets on their way; written under @v6only_mutex
 * @v6only_mutex: lets one request to set IPV6_V6ONLY at a time; only tried, as
 *		nobody may wait for it under the lock of generic netlink
 *
 * Idle records are in the sums already, so that to ask for these takes a look at
 * those alone that had an event since somebody asked.
 */
struct ds_net {
	atomic64_t count[DS_N_PROTOS][DS_N_EVENTS];
	atomic64_t untracked[DS_N_PROTOS];
	u32 tracked[DS_N_PROTOS];
	atomic64_t way[DS_N_WAYS];
	u64 __percpu *looked_up;
	u64 looked_up_before;
	u64 ended;
	u64 evicted[DS_N_PROTOS];
	u64 since;
	u32 max_sockets;
	spinlock_t lock;	/* see above */
	struct list_head busy;
	struct list_head idle;
	struct list_head idle_zero;
	struct mutex walk_lock;	/* see above */
	u64 walk;
	enum ds_walk_kind walk_kind;
	struct list_head *walk_next;
	struct ds_sums *walk_sums;
	bool cooling;
	unsigned long cold_since;
	struct delayed_work age;
	bool no_room;
	struct ds_windows windows;
	struct mutex v6only_mutex;	/* see above */
};

/* How long it takes until somebody looks for idle records, where there is no room
 * for another one.
 */
#define DS_NET_AGE	HZ

extern unsigned int ds_net_id;

/**
 * ds_net() - the state of a namespace
 * @net:	the namespace
 *
 * Context: under RCU, with check_net(@net) true inside the same section; or
 * while something keeps @net alive. The memory goes with the namespace.
 */
struct ds_net *ds_net(const struct net *net);

/**
 * ds_net_nopreempt() - ds_net() for callers that have disabled preemption
 * @net:	the namespace
 *
 * It costs less: net_generic() has an RCU section of its own.
 *
 * Context: as ds_net(), with preemption disabled.
 *
 * Return: as ds_net().
 */
static __always_inline struct ds_net *ds_net_nopreempt(const struct net *net)
{
	return rcu_dereference_sched(net->gen)->ptr[ds_net_id];
}

/**
 * ds_net_has_records() - is anything recorded in a namespace?
 * @dn:		its state
 *
 * Context: any, as ds_net(). The answer may change at any time.
 *
 * Return: true or false.
 */
static inline bool ds_net_has_records(const struct ds_net *dn)
{
	return READ_ONCE(dn->tracked[DS_TCP]) || READ_ONCE(dn->tracked[DS_UDP]);
}

/**
 * ds_proto() - map an IP protocol number to the protocols accounted
 * @ipproto:	IPPROTO_*
 *
 * Return: an enum ds_proto, or -1 where the protocol is not accounted.
 */
static inline int ds_proto(int ipproto)
{
	switch (ipproto) {
	case IPPROTO_TCP:
		return DS_TCP;
	case IPPROTO_UDP:
		return DS_UDP;
	default:
		return -1;
	}
}

/**
 * ds_ipproto() - the IP protocol number of a protocol
 * @proto:	the protocol
 *
 * Return: IPPROTO_TCP or IPPROTO_UDP.
 */
static inline u8 ds_ipproto(enum ds_proto proto)
{
	return proto == DS_TCP ? IPPROTO_TCP : IPPROTO_UDP;
}

/**
 * ds_net_untracked() - count events whose socket has no record
 * @net:	the namespace of the event
 * @proto:	its protocol
 * @event:	what happened
 * @n:		how often
 *
 * Context: any, under RCU.
 */
void ds_net_untracked(const struct net *net, enum ds_proto proto,
		      enum ds_event event, unsigned int n);

/**
 * ds_net_way() - note the way in which an event was seen
 * @net:	the namespace of the event
 * @way:	the way
 *
 * Called before the event counts, lest the other hook seems to have had it.
 *
 * Context: any.
 */
void ds_net_way(const struct net *net, enum ds_way way);

/**
 * ds_net_set_max_sockets() - say how many records there can be
 * @net:	the namespace, held by the caller
 * @max:	how many, DS_MAX_SOCKETS_LIMIT at most
 *
 * Context: any.
 */
void ds_net_set_max_sockets(const struct net *net, u32 max);

/**
 * ds_net_sums() - add up a namespace
 * @net:	the namespace, held by the caller
 * @sums:	filled in
 *
 * Each event that happened before the call is in the sums exactly once; one
 * that happens during the call, once or not yet.
 *
 * Context: process, may sleep.
 *
 * Return: 0, or -EINTR for a fatal signal.
 */
int ds_net_sums(const struct net *net, struct ds_sums *sums);

/**
 * ds_net_reset() - set the sums of a namespace, and all its records, to 0
 * @net:	the namespace, held by the caller
 *
 * Each event that happened before the call is forgotten; one that happens
 * during the call is, or counts from there on. Sockets keep their records but
 * forget their last peers.
 *
 * Context: process, may sleep.
 *
 * Return: 0, or -EINTR for a fatal signal, where nothing was done.
 */
int ds_net_reset(const struct net *net);

/**
 * ds_net_reset_sock() - set a socket's counts to 0 and forget its last peers
 * @net:	the namespace, held by the caller
 * @cookie:	cookie of the socket
 *
 * The counts stay in the sums of the namespace.
 *
 * Context: process, may sleep.
 *
 * Return: 0, -ENOENT where there is no such record, -EINTR for a fatal signal.
 */
int ds_net_reset_sock(const struct net *net, u64 cookie);

/* Register and unregister the state that each namespace gets. */
int __init ds_stats_init(void);
void ds_stats_exit(void);

#endif /* _DUALSTACK_STATS_H */
