/* SPDX-License-Identifier: GPL-2.0 */
/* The records: one for each socket that had an event. */

#ifndef _DUALSTACK_SOCK_H
#define _DUALSTACK_SOCK_H

#include <linux/bits.h>
#include <linux/ftrace.h>
#include <linux/hash.h>
#include <linux/in6.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <net/sock.h>

#include "stats.h"

struct net;

/**
 * struct ds_peer - the remote end of an event
 * @addr:	address; an IPv4 address is mapped
 * @port:	port, network byte order
 * @when:	jiffies
 */
struct ds_peer {
	struct in6_addr addr;
	__be16 port;
	unsigned long when;
};

/**
 * struct ds_sock - the record of a socket
 * @node:	link in ds_sock_table
 * @sk:		the socket, the key. Only compared: a record found under RCU
 *		does not keep its socket
 * @mapped_peer: the last IPv4 peer served or sent to, address and port in one
 *		word so that they are always of the same peer; 0 before the
 *		first
 * @mapped_when: its time in jiffies
 * @count:	events by enum ds_event
 * @reject_addr: the last peer refused, by either side; IPv4 is mapped
 * @rcu:	for the end. Takes the place of @reject_addr, which readers
 *		leave alone once @reject_seq is 0
 * @reject_when: its time in jiffies
 * @reject_seq:	says whether there is one, whether somebody writes these, and
 *		moves when they change; 0 at the beginning and at the end
 * @reject_port: its port, network byte order
 * @family:	AF_INET6 or AF_INET
 * @proto:	enum ds_proto
 * @alive:	its socket was found, during ds_sweep()
 * @net_node:	link in &struct ds_net.records
 * @net:	namespace of the socket. A record is gone before its namespace
 * @cookie:	the socket's cookie, its name in user space
 *
 * What a datagram touches comes first and is one cache line.
 */
struct ds_sock {
	struct hlist_node node;
	const struct sock *sk;
	u64 mapped_peer;
	unsigned long mapped_when;
	atomic64_t count[DS_N_EVENTS];

	union {
		struct in6_addr reject_addr;
		struct rcu_head rcu;
	};
	unsigned long reject_when;
	atomic_t reject_seq;
	__be16 reject_port;
	u8 family : 6;
	u8 proto : 2;
	bool alive;
	struct hlist_node net_node;
	const struct net *net;
	u64 cookie;
};

#define DS_SOCK_HASH_BITS	16
#define DS_SOCK_BUCKETS		BIT(DS_SOCK_HASH_BITS)

/* For one namespace, unless it is set otherwise; the memory is charged like that
 * of the sockets. Enough for a busy server: 24 MiB of records, chains of two on
 * average. What may be set at most are chains of sixteen, and 192 MiB.
 */
#define DS_MAX_SOCKETS		131072
#define DS_MAX_SOCKETS_LIMIT	1048576

/* Read under RCU. */
extern struct hlist_head ds_sock_table[DS_SOCK_BUCKETS];

static inline struct hlist_head *ds_sock_bucket(const struct sock *sk)
{
	/* hash_ptr() takes a larger multiplier, and an instruction to load it. */
	return &ds_sock_table[hash_32((unsigned long)sk, DS_SOCK_HASH_BITS)];
}

/**
 * ds_sk_proto() - the protocol of a socket
 * @sk:		the socket
 *
 * Return: an enum ds_proto, or -1 for a socket that is not accounted: UDP-Lite,
 * raw and so on.
 */
static inline int ds_sk_proto(const struct sock *sk)
{
	if (sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM)
		return DS_TCP;
	if (sk->sk_protocol == IPPROTO_UDP && sk->sk_type == SOCK_DGRAM)
		return DS_UDP;
	return -1;
}

/**
 * ds_sk_cookie() - the cookie of a socket
 * @sk:		the socket
 *
 * Context: any.
 *
 * Return: the cookie, made where it had none.
 */
u64 ds_sk_cookie(struct sock *sk);

/**
 * ds_sock_find() - find the record of a socket
 * @sk:		the socket
 *
 * Context: under RCU of any kind, preemption disabled included: the data path
 * takes the latter, which is one instruction where rcu_read_lock() is a call.
 *
 * Return: the record, or NULL. It stays valid for as long as @sk cannot be
 * destroyed or the RCU section lasts.
 */
static inline struct ds_sock *ds_sock_find(const struct sock *sk)
{
	struct ds_sock *rec;

	hlist_for_each_entry_rcu_notrace(rec, ds_sock_bucket(sk), node)
		if (likely(rec->sk == sk))
			return rec;
	return NULL;
}

/* What ds_sock_get() does for a socket without a record. */
struct ds_sock *ds_sock_make(struct sock *sk);

/**
 * ds_sock_get() - find the record of a socket, or make one
 * @sk:		the socket. It may be closing, but its destructor must not have
 *		run: the caller holds a reference, or found it under RCU
 *
 * Context: under RCU. Process or softirq context. Does not sleep.
 *
 * Return: the record, valid like that of ds_sock_find(). NULL where none can
 * be had: no memory, as many records in the namespace as allowed, a namespace
 * that is going, or a socket that is not accounted.
 */
static inline struct ds_sock *ds_sock_get(struct sock *sk)
{
	return ds_sock_find(sk) ?: ds_sock_make(sk);
}

/**
 * ds_sock_end() - end the record of a socket that is being destroyed
 * @sk:		the socket
 *
 * Its counts move to the sums of the namespace.
 *
 * Context: process or softirq.
 */
ds_direct void ds_sock_end(const struct sock *sk);

/**
 * ds_sock_end_rec() - end a record
 * @rec:	the record. Nothing happens where it has ended by now
 *
 * Its counts move to the sums of the namespace.
 *
 * Context: process or softirq, under RCU.
 */
void ds_sock_end_rec(struct ds_sock *rec);

/**
 * ds_sock_reset() - set a socket's counts to 0 and forget its last peers
 * @net:	the namespace
 * @cookie:	cookie of the socket
 *
 * The counts move to the sums of the namespace.
 *
 * Context: process.
 *
 * Return: whether there is such a record.
 */
bool ds_sock_reset(const struct net *net, u64 cookie);

/**
 * ds_sock_reset_net() - reset all records of a namespace
 * @net:	the namespace, held by the caller
 *
 * The counts are gone.
 *
 * Context: process, may sleep.
 */
void ds_sock_reset_net(const struct net *net);

/**
 * ds_sock_end_net() - end the records of a namespace that is going
 * @net:	the namespace, for which no new record can be made any more
 *
 * Sockets of the kernel's own may outlive it; they are not accounted further.
 *
 * Context: process.
 *
 * Return: whether any has ended, now or before. Somebody may be about to lock
 * the namespace for one of them, and is through after a grace period of RCU.
 */
bool ds_sock_end_net(const struct net *net);

/**
 * ds_sock_set_rejected() - remember a refused peer
 * @rec:	the record
 * @addr:	address of the peer; an IPv4 address is mapped
 * @port:	its port, network byte order
 *
 * Context: process or softirq, under RCU; on any number of CPUs: of two at one
 * moment one is the last.
 */
void ds_sock_set_rejected(struct ds_sock *rec, const struct in6_addr *addr,
			  __be16 port);

/**
 * ds_sock_get_rejected() - the last refused peer
 * @rec:	the record
 * @peer:	filled in
 *
 * Context: under RCU.
 *
 * Return: true, or false where none was refused.
 */
bool ds_sock_get_rejected(const struct ds_sock *rec, struct ds_peer *peer);

/**
 * ds_sock_get_mapped() - the last IPv4 peer served or sent to
 * @rec:	the record
 * @peer:	filled in
 *
 * Context: under RCU.
 *
 * Return: true, or false where there was none.
 */
bool ds_sock_get_mapped(const struct ds_sock *rec, struct ds_peer *peer);

/**
 * ds_sock_set_mapped() - remember an IPv4 peer served or sent to
 * @rec:	the record
 * @addr:	its address, network byte order
 * @port:	its port, network byte order
 *
 * Context: any, on any number of CPUs.
 */
static __always_inline void ds_sock_set_mapped(struct ds_sock *rec,
					       __be32 addr, __be16 port)
{
	u64 peer = (u64)(__force u32)addr << 16 | (__force u16)port;

	WRITE_ONCE(rec->mapped_when, jiffies);
	/* pairs with ds_sock_get_mapped() */
	smp_store_release(&rec->mapped_peer, peer);
}

/**
 * ds_sock_by_cookie() - find the record of the socket with a cookie
 * @net:	the namespace
 * @cookie:	the cookie
 *
 * Context: under RCU.
 *
 * Return: the record, or NULL.
 */
struct ds_sock *ds_sock_by_cookie(const struct net *net, u64 cookie);

/* Create and destroy the cache of records. The exit waits for RCU. */
int __init ds_sock_init(void);
void ds_sock_exit(void);

#endif /* _DUALSTACK_SOCK_H */
