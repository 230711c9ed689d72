/* SPDX-License-Identifier: GPL-2.0 */
/* The records: one for each socket that had an event. */

#ifndef _DUALSTACK_SOCK_H
#define _DUALSTACK_SOCK_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/ftrace.h>
#include <linux/in6.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "event_list.h"
#include "walk.h"

struct ds_net;
struct ds_sums;
struct net;

/**
 * enum ds_sock_state - what is known of the activity of a record
 * @DS_SOCK_BUSY:	it may have an event at any time; its counts are in no sum
 * @DS_SOCK_COLD:	the next event will be noticed, as the hit path does not find
 *			it; one that has found it before may not be through
 * @DS_SOCK_IDLE:	nobody has found it before any more: its counts are in the
 *			sums of the namespace and of its port, and do not change
 * @DS_SOCK_GONE:	it has ended, and is in neither the table nor a list
 *
 * The state changes under &struct ds_records.lock.
 */
enum ds_sock_state {
	DS_SOCK_BUSY,
	DS_SOCK_COLD,
	DS_SOCK_IDLE,
	DS_SOCK_GONE,
};

/**
 * struct ds_sock - the record of a socket
 * @next:	the next one in its bucket of ds_sock_table, ds_sock_none at the end
 * @key:	the socket's cookie, its name in user space, with DS_SOCK_HIDDEN
 *		flipped unless the record is busy. A cookie is never given twice, so a record
 *		is not taken for that of a later socket
 * @mapped_peer: the last IPv4 peer served or sent to, address and port in one
 *		word so that they are always of the same peer; 0 before the
 *		first
 * @mapped_when: its time in jiffies
 * @entry:	the entry in the ledger of the last peer that counted, and more: see
 *		ledger.h
 * @count:	events by enum ds_event; @family and @proto say which counters these are
 * @reject_addr: the last peer refused, by either side; IPv4 is mapped
 * @rcu:	for the end. Takes the place of @reject_addr, which readers
 *		leave alone once @reject_seq says that there is none
 * @reject_when: its time in jiffies
 * @reject_seq:	says whether there is one, whether somebody writes these, and
 *		moves when they change; 0 at the beginning, busy for ever at the end
 * @reject_port: its port, network byte order
 * @family:	AF_INET6 or AF_INET
 * @port_chosen: the socket had a port at its first event, and the kernel had chosen it
 * @port_given:	the same, but bind() had asked for it by its number
 * @proto:	enum ds_proto
 * @state:	enum ds_sock_state
 * @alive:	its socket was found, during ds_sweep()
 * @walk:	the last walk that has, or need not have, come by; see
 *		&struct ds_walk.number
 * @idle_since:	when it was found idle: what ds_sock_seconds() was
 * @port:	its port in host byte order, if it has sums of its own, see &struct
 *		ds_port_sums; or 0
 * @list:	link in one of the lists of &struct ds_records
 * @net:	namespace of the socket. A record is gone before its namespace
 *
 * What a datagram touches comes first and is one cache line. From @state on, all
 * but @net is under &struct ds_records.lock.
 */
struct ds_sock {
	struct ds_sock __rcu *next;
	u64 key;
	u64 mapped_peer;
	unsigned long mapped_when;
	unsigned long entry;
	atomic64_t count[DS_N_EVENTS];

	union {
		struct in6_addr reject_addr;
		struct rcu_head rcu;
	};
	unsigned long reject_when;
	atomic_t reject_seq;
	__be16 reject_port;
	u8 family : 4;
	u8 port_chosen : 1;
	u8 port_given : 1;
	u8 proto : 2;
	u8 state : 7;
	u8 alive : 1;
	u32 walk;
	u16 idle_since;
	u16 port;
	struct list_head list;
	const struct net *net;
};

/**
 * struct ds_records - the records of a namespace
 * @lock:	serialises the coming and going of records, and their changes of
 *		state; never taken for a hit, and never held for more than some
 *		dozens of records
 * @busy:	those that are busy or cold, the latest last; under @lock
 * @idle:	those that are idle, the first to become so first; written under
 *		@lock, the first is read under RCU
 * @idle_zero:	those of them that had no event since the last ds_net_reset()
 * @tracked:	how many there are, see &struct ds_sums; under @lock
 * @ended:	see &struct ds_sums; under @lock
 * @evicted:	see &struct ds_sums; under @lock
 * @max_sockets: how many there can be
 * @no_room:	there was no room for another one when it was wanted. May be wrong
 *		for as long as @age is pending, which clears it
 * @age:	finds out which are idle, where nobody asks for the sums meanwhile
 * @cooling:	there are cold ones; under &struct ds_walk.lock
 * @cold_since:	a state of RCU, after they became cold; under &struct ds_walk.lock
 * @walk:	the walk through them
 */
struct ds_records {
	spinlock_t lock;	/* see above */
	struct list_head busy;
	struct list_head idle;
	struct list_head idle_zero;
	u32 tracked[DS_N_PROTOS];
	u64 ended;
	u64 evicted[DS_N_PROTOS];
	u32 max_sockets;
	bool no_room;
	struct delayed_work age;
	bool cooling;
	unsigned long cold_since;
	struct ds_walk walk;
};

/* Cookies are counted up from 1, and down from -1 where one is wanted while another
 * is made (gen_cookie_next()): neither gets so far that the two highest bits differ.
 */
#define DS_SOCK_HIDDEN		BIT_ULL(62)
#define DS_SOCK_NO_KEY		BIT_ULL(63)

#define DS_SOCK_HASH_BITS	16
#define DS_SOCK_BUCKETS		BIT(DS_SOCK_HASH_BITS)

/* For one namespace, unless it is set otherwise; the memory is charged like that
 * of the sockets. Enough for a busy server: 24 MiB of records, chains of two on
 * average. What may be set at most are chains of sixteen, and 192 MiB.
 */
#define DS_MAX_SOCKETS		131072
#define DS_MAX_SOCKETS_LIMIT	1048576

/* Read under RCU. */
extern struct ds_sock __rcu *ds_sock_table[DS_SOCK_BUCKETS];

/* Ends a bucket. Its key is no cookie, so that the data path looks at the key of
 * what it finds at once, and need not know whether there is anything.
 */
extern struct ds_sock ds_sock_none;

/* An odd number that differs from boot to boot: cookies are easy to guess, and it
 * shall take some effort to find those that share a bucket.
 */
extern u64 ds_sock_hash_key;

static inline struct ds_sock __rcu **ds_sock_bucket(u64 cookie)
{
	return &ds_sock_table[cookie * ds_sock_hash_key >>
			      (64 - DS_SOCK_HASH_BITS)];
}

static inline u64 ds_sock_cookie(const struct ds_sock *rec)
{
	u64 key = READ_ONCE(rec->key);

	return (key & ~DS_SOCK_HIDDEN) | (key >> 1 & DS_SOCK_HIDDEN);
}

static inline struct ds_sock *ds_sock_or_null(struct ds_sock *rec)
{
	return rec == &ds_sock_none ? NULL : rec;
}

/**
 * ds_sock_first() - the first record of a bucket
 * @bucket:	one of ds_sock_table
 *
 * Context: under RCU of any kind.
 *
 * Return: the record, or NULL.
 */
static inline struct ds_sock *ds_sock_first(struct ds_sock __rcu **bucket)
{
	return ds_sock_or_null(rcu_dereference_check(*bucket,
						     rcu_read_lock_any_held()));
}

/**
 * ds_sock_next() - the record after another one in its bucket
 * @rec:	that one
 *
 * Context: in the RCU section where @rec was found.
 *
 * Return: the record, or NULL.
 */
static inline struct ds_sock *ds_sock_next(const struct ds_sock *rec)
{
	return ds_sock_or_null(rcu_dereference_check(rec->next,
						     rcu_read_lock_any_held()));
}

/**
 * ds_peer_word() - an IPv4 address and a port in one word
 * @addr:	the address, network byte order
 * @port:	the port, network byte order
 *
 * Return: &struct ds_sock.mapped_peer, for one; the upper 16 bits are 0.
 */
static __always_inline u64 ds_peer_word(__be32 addr, __be16 port)
{
	return (__force u32)addr | (u64)(__force u16)port << 32;
}

static __always_inline __be32 ds_peer_word_addr(u64 word)
{
	return (__force __be32)(u32)word;
}

static __always_inline __be16 ds_peer_word_port(u64 word)
{
	return (__force __be16)(u16)(word >> 32);
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
 * ds_family() - the family of a socket
 * @family:	AF_INET6 or AF_INET
 *
 * Return: an enum ds_family.
 */
static inline enum ds_family ds_family(int family)
{
	return family == AF_INET6 ? DS_INET6 : DS_INET;
}

/**
 * ds_is_at_ipv4() - is a socket bound to an IPv4 address, mapped or not?
 * @sk:		the socket
 *
 * Return: true where it is: then sk_rcv_saddr is that address.
 */
static inline bool ds_is_at_ipv4(const struct sock *sk)
{
	return sk->sk_family == AF_INET ||
	       ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr);
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
 * ds_sock_find() - find the record of a socket, if it is busy
 * @sk:		the socket
 * @found:	set to the record
 *
 * Context: under RCU of any kind, preemption disabled included: the data path
 * takes the latter, which is one instruction where rcu_read_lock() is a call.
 *
 * Return: true where there is one. It takes events for as long as the RCU section
 * lasts, and stays for as long.
 */
static __always_inline bool ds_sock_find(const struct sock *sk,
					 struct ds_sock **found)
{
	u64 cookie = atomic64_read(&sk->sk_cookie);
	struct ds_sock *rec;

	rec = rcu_dereference_raw(*ds_sock_bucket(cookie));
	/* It may become hidden at any time; READ_ONCE() is an instruction more. */
	while (unlikely(data_race(rec->key) != cookie)) {
		if (rec == &ds_sock_none)
			return false;
		rec = rcu_dereference_raw(rec->next);
	}
	*found = rec;
	return true;
}

/**
 * ds_sock_is_recorded() - does a socket have a record, busy or not?
 * @sk:		the socket
 *
 * Context: under RCU of any kind.
 *
 * Return: true or false.
 */
static __always_inline bool ds_sock_is_recorded(const struct sock *sk)
{
	u64 cookie = atomic64_read(&sk->sk_cookie);
	struct ds_sock *rec;

	rec = rcu_dereference_raw(*ds_sock_bucket(cookie));
	for (; rec != &ds_sock_none; rec = rcu_dereference_raw(rec->next))
		if (!((READ_ONCE(rec->key) ^ cookie) & ~DS_SOCK_HIDDEN))
			return true;
	return false;
}

/**
 * ds_sock_by_cookie() - find the record of the socket with a cookie
 * @cookie:	the cookie
 *
 * Context: under RCU.
 *
 * Return: the record, busy or not, in whatever namespace; or NULL.
 */
struct ds_sock *ds_sock_by_cookie(u64 cookie);

/* What ds_sock_get() does for a socket without a busy record. */
struct ds_sock *ds_sock_make(struct sock *sk, enum ds_event event);

/**
 * ds_sock_get() - find the record of a socket, or make one
 * @sk:		the socket. It may be closing, but its destructor must not have
 *		run: the caller holds a reference, or found it under RCU
 * @event:	what happened to it: the first event tells a client from a server
 *
 * Where the namespace has as many records as it may have, the one that is idle
 * for the longest time gives way, if that is long enough.
 *
 * Context: under RCU. Process or softirq context. Does not sleep.
 *
 * Return: the record, valid like that of ds_sock_find(). NULL where none can
 * be had: no memory, as many records in the namespace as allowed, a namespace
 * that is going, or a socket that is not accounted.
 */
static inline struct ds_sock *ds_sock_get(struct sock *sk, enum ds_event event)
{
	struct ds_sock *rec;

	return ds_sock_find(sk, &rec) ? rec : ds_sock_make(sk, event);
}

/**
 * ds_sock_end() - end the record of a socket that is being destroyed
 * @sk:		the socket
 *
 * Its counts move to the sums of the namespace and of its port.
 *
 * Context: process or softirq.
 */
ds_direct void ds_sock_end(const struct sock *sk);

/**
 * ds_sock_end_rec() - end a record
 * @rec:	the record. Nothing happens where it has ended by now
 *
 * Its counts move to the sums of the namespace and of its port.
 *
 * Context: process or softirq, under RCU.
 */
void ds_sock_end_rec(struct ds_sock *rec);

/**
 * ds_sock_add() - add the counts of a record to sums
 * @dn:		its namespace
 * @rec:	the record
 * @sums:	the sums, and those of ports that are looked at
 *
 * Context: under &struct ds_records.lock, lest somebody takes them meanwhile.
 */
void ds_sock_add(struct ds_net *dn, const struct ds_sock *rec,
		 struct ds_sums *sums);

/**
 * ds_sock_cool() - have the next event of a busy record noticed
 * @rec:	the record
 *
 * Context: under &struct ds_records.lock.
 */
void ds_sock_cool(struct ds_sock *rec);

/**
 * ds_sock_settle() - declare a cold record idle
 * @dn:		its namespace
 * @rec:	the record, cold for a grace period of RCU or longer
 *
 * Its counts are added to the sums of the namespace and of its port.
 *
 * Context: under &struct ds_records.lock.
 */
void ds_sock_settle(struct ds_net *dn, struct ds_sock *rec);

/**
 * ds_sock_take() - set the counts of a record to 0
 * @rec:	the record
 * @to:		its namespace, to whose sums they are added; or NULL
 *
 * An event of this moment is in what is taken, or in what stays.
 *
 * Context: under &struct ds_records.lock.
 */
void ds_sock_take(struct ds_sock *rec, struct ds_net *to);

/**
 * ds_sock_for_each() - look at all records
 * @visit:	what is called for each, under RCU
 * @arg:	its second argument
 *
 * Records that come or go meanwhile may be among them.
 *
 * Context: process, may sleep.
 */
void ds_sock_for_each(void (*visit)(struct ds_sock *rec, void *arg), void *arg);

/**
 * ds_records_init() - begin with no records
 * @records:	those of a namespace
 * @age:	what looks for idle ones, for &struct ds_records.age
 */
void ds_records_init(struct ds_records *records, work_func_t age);

/**
 * ds_records_end() - end the records of a namespace that is going
 * @dn:		the namespace, for which no new record can be made any more
 *
 * Sockets of the kernel's own may outlive it; they are not accounted further.
 *
 * Context: process, may sleep.
 *
 * Return: whether any has ended, now or before. Somebody may be about to lock
 * the namespace for one of them, and is through after a grace period of RCU.
 */
bool ds_records_end(struct ds_net *dn);

/**
 * ds_records_set_max() - say how many records there can be
 * @records:	those of a namespace
 * @max:	how many, DS_MAX_SOCKETS_LIMIT at most
 *
 * Context: any.
 */
void ds_records_set_max(struct ds_records *records, u32 max);

/**
 * ds_records_exist() - is anything recorded in a namespace?
 * @records:	those of the namespace
 *
 * Context: any, under RCU or while the namespace stays. The answer may change at any
 * time.
 *
 * Return: true or false.
 */
static inline bool ds_records_exist(const struct ds_records *records)
{
	return READ_ONCE(records->tracked[DS_TCP]) ||
	       READ_ONCE(records->tracked[DS_UDP]);
}

/* Create and destroy the cache of records. The exit waits for RCU. */
int __init ds_sock_init(void);
void ds_sock_exit(void);

#endif /* _DUALSTACK_SOCK_H */
