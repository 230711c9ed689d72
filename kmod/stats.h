/* SPDX-License-Identifier: GPL-2.0 */
/* What is counted, and the sums of a network namespace. */

#ifndef _DUALSTACK_STATS_H
#define _DUALSTACK_STATS_H

#include <linux/atomic.h>
#include <linux/init.h>
#include <linux/in.h>
#include <linux/mutex.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct net;

/**
 * enum ds_proto - the transport protocols that are accounted
 * @DS_TCP:		TCP
 * @DS_UDP:		UDP
 * @DS_N_PROTOS:	how many there are
 */
enum ds_proto {
	DS_TCP,
	DS_UDP,
	DS_N_PROTOS,
};

/**
 * enum ds_event - what can happen to a socket
 * @DS_IN_MAPPED:	IPv4 was served: a handshake completed (TCP), a
 *			datagram was handed to recvmsg() (UDP)
 * @DS_IN_NATIVE:	the same with IPv6
 * @DS_SEND:		sendmsg() to a mapped address went ahead
 * @DS_CONNECT:		connect() to a mapped address went ahead
 * @DS_WIRE_MAPPED:	an IPv6 packet had a mapped source
 * @DS_REJECT_V6ONLY:	IPv4 found no socket; this one refused because of
 *			IPV6_V6ONLY
 * @DS_REJECT_ADDR:	IPv4 found no socket; this one is bound to an IPv6
 *			address
 * @DS_REJECT_V4ONLY:	IPv6 found no socket; this one is AF_INET
 * @DS_REJECT_CONNECT:	connect() to a mapped address failed because of
 *			IPV6_V6ONLY
 * @DS_REJECT_SEND:	sendmsg() did
 * @DS_REJECT_BIND:	bind() did
 * @DS_N_EVENTS:	how many there are
 *
 * With the protocol of the socket an event makes a counter of the netlink
 * interface, see ds_counters[].
 */
enum ds_event {
	DS_IN_MAPPED,
	DS_IN_NATIVE,
	DS_SEND,
	DS_CONNECT,
	DS_WIRE_MAPPED,
	DS_REJECT_V6ONLY,
	DS_REJECT_ADDR,
	DS_REJECT_V4ONLY,
	DS_REJECT_CONNECT,
	DS_REJECT_SEND,
	DS_REJECT_BIND,
	DS_N_EVENTS,
};

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

#define DS_N_COUNTERS	13

extern const struct ds_counter ds_counters[DS_N_COUNTERS];

/**
 * struct ds_sums - the sums of a namespace at one moment
 * @count:	events by protocol, on live and on closed sockets
 * @untracked:	events counted in @count whose socket has no record
 * @tracked:	live records
 * @fastopen:	how many of the accepts in @count were by Fast Open
 * @looked_up:	packets without a socket for which one was looked up
 * @ended:	records that ended with their socket
 */
struct ds_sums {
	u64 count[DS_N_PROTOS][DS_N_EVENTS];
	u64 untracked[DS_N_PROTOS];
	u32 tracked[DS_N_PROTOS];
	u64 fastopen;
	u64 looked_up;
	u64 ended;
};

/**
 * struct ds_net - what is kept for a network namespace
 * @count:	events of sockets that have closed, and of untracked ones
 * @untracked:	see &struct ds_sums
 * @tracked:	see &struct ds_sums; under @lock
 * @fastopen:	see &struct ds_sums
 * @looked_up:	see &struct ds_sums; one for each CPU, as a packet to a closed port
 *		writes nothing else of ours
 * @looked_up_before: what it was at the last ds_net_reset(); under @lock
 * @ended:	see &struct ds_sums; under @lock
 * @since:	when it began to count, or the last ds_net_reset() was done:
 *		nanoseconds of CLOCK_BOOTTIME
 * @max_sockets: how many records it can have
 * @records:	its records; written under @lock, read under RCU
 * @lock:	serialises the coming and going of records; never taken for a
 *		hit
 * @seq:	moves while a record's counts move into @count, so that a reader
 *		sees them on one side only
 * @v6only_lock: lets one request at a time set IPV6_V6ONLY
 * @v6only_off:	the port where it is being switched off, 0 for none; see
 *		ds_v6only_going()
 */
struct ds_net {
	atomic64_t count[DS_N_PROTOS][DS_N_EVENTS];
	atomic64_t untracked[DS_N_PROTOS];
	u32 tracked[DS_N_PROTOS];
	atomic64_t fastopen;
	u64 __percpu *looked_up;
	u64 looked_up_before;
	u64 ended;
	u64 since;
	u32 max_sockets;
	struct hlist_head records;
	spinlock_t lock;	/* for ended, tracked, records, looked_up_before */
	seqcount_spinlock_t seq;
	struct mutex v6only_lock;	/* for v6only_off */
	u32 v6only_off;
};

/**
 * ds_net() - the state of a namespace
 * @net:	the namespace
 *
 * Context: under RCU, with check_net(@net) true inside the same section; or
 * while something keeps @net alive. The memory goes with the namespace.
 */
struct ds_net *ds_net(const struct net *net);

/**
 * ds_net_nopreempt() - ds_net() for who has disabled preemption, which costs less
 * @net:	the namespace
 *
 * Context: as ds_net(), with preemption disabled.
 */
struct ds_net *ds_net_nopreempt(const struct net *net);

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
 * ds_net_untracked() - count an event whose socket has no record
 * @net:	the namespace of the event
 * @proto:	its protocol
 * @event:	what happened
 *
 * Context: any, under RCU.
 */
void ds_net_untracked(const struct net *net, enum ds_proto proto,
		      enum ds_event event);

/**
 * ds_net_sums() - add up a namespace
 * @net:	the namespace, held by the caller
 * @sums:	filled in
 *
 * Each event that happened before the call is in the sums exactly once; one
 * that happens during the call, once or not yet.
 *
 * Context: process.
 */
void ds_net_sums(const struct net *net, struct ds_sums *sums);

/**
 * ds_net_reset() - set the sums of a namespace, and all its records, to 0
 * @net:	the namespace, held by the caller
 *
 * Each event that happened before the call is forgotten; one that happens
 * during the call is, or counts from there on. Sockets keep their records but
 * forget their last peers.
 *
 * Context: process, may sleep.
 */
void ds_net_reset(const struct net *net);

/* Register and unregister the state that each namespace gets. */
int __init ds_stats_init(void);
void ds_stats_exit(void);

#endif /* _DUALSTACK_STATS_H */
