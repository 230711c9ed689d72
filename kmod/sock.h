/* SPDX-License-Identifier: GPL-2.0 */
/* The records: one for each socket that had an event. */

#ifndef _DUALSTACK_SOCK_H
#define _DUALSTACK_SOCK_H

#include <linux/bits.h>
#include <linux/hash.h>
#include <linux/in6.h>
#include <linux/init.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "stats.h"

struct net;
struct sock;

/**
 * struct ds_peer - the remote end of a refusal
 * @addr:	address; an IPv4 address is stored mapped
 * @port:	port, network byte order
 * @seq:	odd while somebody writes, 0 before the first time
 * @when:	jiffies
 */
struct ds_peer {
	struct in6_addr addr;
	__be16 port;
	atomic_t seq;
	unsigned long when;
};

/**
 * struct ds_sock - the record of a socket
 * @sk:		the socket, the key. Only compared: a record found under RCU
 *		does not keep its socket
 * @node:	link in ds_sock_table
 * @mapped_peer: the last IPv4 peer served, address and port in one word so
 *		that they are always of the same peer (ds_mapped_peer())
 * @mapped_when: its time in jiffies
 * @count:	events by enum ds_event
 * @rejected:	the last peer refused
 * @net:	namespace of the socket. A record is gone before its namespace
 * @cookie:	the socket's cookie, its name in user space
 * @family:	AF_INET6
 * @proto:	enum ds_proto
 * @rcu:	for the end
 *
 * What a datagram touches comes first and is one cache line.
 */
struct ds_sock {
	const struct sock *sk;
	struct hlist_node node;
	u64 mapped_peer;
	unsigned long mapped_when;
	atomic64_t count[DS_N_EVENTS];

	struct ds_peer rejected;
	const struct net *net;
	u64 cookie;
	u8 family;
	u8 proto;
	struct rcu_head rcu;
};

#define DS_SOCK_HASH_BITS	16
#define DS_SOCK_BUCKETS		BIT(DS_SOCK_HASH_BITS)

/* Serialises the coming and going of records; never taken for a hit. */
extern spinlock_t ds_sock_table_lock;

/* Written under ds_sock_table_lock, read under RCU. */
extern struct hlist_head ds_sock_table[DS_SOCK_BUCKETS];

static inline struct hlist_head *ds_sock_bucket(const struct sock *sk)
{
	return &ds_sock_table[hash_ptr((void *)sk, DS_SOCK_HASH_BITS)];
}

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

/**
 * ds_sock_get() - find the record of a socket, or make one
 * @sk:		the socket. It may be closing, but its destructor must not have
 *		run: the caller holds a reference, or found it under RCU
 *
 * Context: under RCU. Process or softirq context. Does not sleep.
 *
 * Return: the record, valid like that of ds_sock_find(). NULL where none can
 * be had: no memory, as many records as allowed, a namespace that is going, or
 * a socket that is not accounted.
 */
struct ds_sock *ds_sock_get(struct sock *sk);

/**
 * ds_sock_end() - end the record of a socket that is being destroyed
 * @sk:		the socket
 *
 * Its counts move to the sums of the namespace.
 *
 * Context: process or softirq.
 */
void ds_sock_end(const struct sock *sk);

/**
 * ds_sock_end_net() - end the records of a namespace that is going
 * @net:	the namespace, for which no new record can be made any more
 *
 * Sockets of the kernel's own may outlive it; they are not accounted further.
 *
 * Context: process.
 */
void ds_sock_end_net(const struct net *net);

/**
 * ds_peer_set() - remember a refused peer
 * @peer:	where
 * @addr:	its address
 * @port:	its port, network byte order
 *
 * Context: any, on any number of CPUs: of two at one moment one is the last.
 */
void ds_peer_set(struct ds_peer *peer, const struct in6_addr *addr,
		 __be16 port);

/**
 * ds_peer_get() - read a refused peer
 * @peer:	where
 * @copy:	filled in; only @addr, @port and @when count
 *
 * Context: under RCU.
 *
 * Return: true, or false before the first peer.
 */
bool ds_peer_get(const struct ds_peer *peer, struct ds_peer *copy);

/**
 * ds_mapped_peer() - an IPv4 address and port as one word
 * @addr:	address, network byte order
 * @port:	port, network byte order
 *
 * Return: what ds_mapped_peer_addr() and ds_mapped_peer_port() take apart.
 */
static inline u64 ds_mapped_peer(__be32 addr, __be16 port)
{
	return (u64)(__force u32)addr << 16 | (__force u16)port;
}

static inline __be32 ds_mapped_peer_addr(u64 peer)
{
	return (__force __be32)(u32)(peer >> 16);
}

static inline __be16 ds_mapped_peer_port(u64 peer)
{
	return (__force __be16)(u16)peer;
}

/* Create and destroy the cache of records. The exit waits for RCU. */
int __init ds_sock_init(void);
void ds_sock_exit(void);

#endif /* _DUALSTACK_SOCK_H */
