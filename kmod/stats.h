/* SPDX-License-Identifier: GPL-2.0 */
/* What is counted, and the sums of a network namespace. */

#ifndef _DUALSTACK_STATS_H
#define _DUALSTACK_STATS_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/in.h>
#include <linux/percpu.h>
#include <linux/types.h>

#include "event_list.h"

struct ds_port_views;
struct net;
struct work_struct;

/**
 * struct ds_counter - a counter of the netlink interface
 * @attr:	its attribute, DUALSTACK_A_COUNTER_*
 * @event:	the event it counts
 * @family:	of the sockets (enum ds_family) it counts it for
 * @protos:	bit mask of their protocols (enum ds_proto)
 * @recorded:	those of them whose records have it
 */
struct ds_counter {
	u8 attr;
	u8 event;
	u8 family;
	u8 protos;
	u8 recorded;
};

/* In the order of their attributes. */
extern const struct ds_counter ds_counters[DS_N_COUNTERS];

/**
 * ds_counter_attr() - the counter of an event
 * @event:	the event
 * @family:	the family of its socket
 * @proto:	the protocol of its socket
 *
 * Context: any.
 *
 * Return: DUALSTACK_A_COUNTER_*.
 */
u8 ds_counter_attr(enum ds_event event, enum ds_family family,
		   enum ds_proto proto);

/**
 * enum ds_way - how an event was seen, where others of its kind have another hook
 * @DS_WAY_FASTOPEN:	an accept, by Fast Open
 * @DS_WAY_MPTCP_SYN:	a SYN with a mapped source, by MPTCP
 * @DS_WAY_MPTCP_BIND:	a bind() that was refused, by MPTCP
 * @DS_WAY_BIND_TCP:	a rule, or what one had done, looked at for a TCP socket that
 *			was being bound; likewise the next two, which are no events
 * @DS_WAY_BIND_UDP:	for an AF_INET6 UDP socket
 * @DS_WAY_BIND_UDP4:	for an AF_INET UDP socket
 * @DS_N_WAYS:		how many there are
 */
enum ds_way {
	DS_WAY_FASTOPEN,
	DS_WAY_MPTCP_SYN,
	DS_WAY_MPTCP_BIND,
	DS_WAY_BIND_TCP,
	DS_WAY_BIND_UDP,
	DS_WAY_BIND_UDP4,
	DS_N_WAYS,
};

/**
 * struct ds_sums - the sums of a namespace at one moment
 * @count:	events by family and protocol, on live and on closed sockets
 * @untracked:	events counted in @count whose socket has no record
 * @tracked:	live records
 * @way:	how many of those in @count were seen in each of these ways
 * @looked_up:	packets without a socket whose port was looked up
 * @ended:	records that ended with their socket
 * @evicted:	records that gave way to that of another socket
 * @ports:	the same of some ports, where somebody looks at them; or NULL
 */
struct ds_sums {
	u64 count[DS_N_FAMILIES][DS_N_PROTOS][DS_N_EVENTS];
	u64 untracked[DS_N_PROTOS];
	u32 tracked[DS_N_PROTOS];
	u64 way[DS_N_WAYS];
	u64 looked_up;
	u64 ended;
	u64 evicted[DS_N_PROTOS];
	struct ds_port_views *ports;
};

/**
 * struct ds_totals - what a namespace has counted, but for records that are busy
 * @count:	events of sockets that have closed, of those whose record is idle, and
 *		of untracked ones
 * @untracked:	see &struct ds_sums
 * @way:	see &struct ds_sums
 * @looked_up:	see &struct ds_sums; one for each CPU, as a packet to a closed port
 *		writes nothing else of ours
 * @looked_up_before: what it was at the last ds_net_reset(); under
 *		&struct ds_records.lock
 * @since:	when it began to count, or the last ds_net_reset() was done:
 *		nanoseconds of CLOCK_BOOTTIME; under &struct ds_records.lock
 *
 * Records that are idle are in the sums already, so that to ask for these takes a look
 * at those alone that had an event since somebody asked.
 */
struct ds_totals {
	atomic64_t count[DS_N_FAMILIES][DS_N_PROTOS][DS_N_EVENTS];
	atomic64_t untracked[DS_N_PROTOS];
	atomic64_t way[DS_N_WAYS];
	u64 __percpu *looked_up;
	u64 looked_up_before;
	u64 since;
};

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
 * @family:	of its socket
 * @proto:	its protocol
 * @event:	what happened
 * @n:		how often
 *
 * Context: any, under RCU.
 */
void ds_net_untracked(const struct net *net, enum ds_family family,
		      enum ds_proto proto, enum ds_event event, unsigned int n);

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
 * ds_net_port_sums() - add up some ports of a namespace
 * @net:	the namespace, held by the caller
 * @views:	filled in, from &struct ds_port_views.next on
 *
 * Each event that happened before the call is in the sums of one port, 0 included, and
 * exactly once; one that happens during the call, once or not yet.
 *
 * Context: process, may sleep.
 *
 * Return: 0, or -EINTR for a fatal signal.
 */
int ds_net_port_sums(const struct net *net, struct ds_port_views *views);

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
 * The counts stay in the sums of the namespace and of the port.
 *
 * Context: process, may sleep.
 *
 * Return: 0, -ENOENT where there is no such record, -EINTR for a fatal signal.
 */
int ds_net_reset_sock(const struct net *net, u64 cookie);

/* Look for records that are idle, as adding up does: the work of
 * &struct ds_records.age.
 */
void ds_net_age(struct work_struct *work);

/* Set them up. Returns 0 or -ENOMEM. */
int ds_totals_init(struct ds_totals *totals);

/* No packet counts here any more. */
void ds_totals_exit(struct ds_totals *totals);

#endif /* _DUALSTACK_STATS_H */
