/* SPDX-License-Identifier: GPL-2.0 */
/* The ledger: who uses IPv4, by address, and longer than a socket lives. */

#ifndef _DUALSTACK_LEDGER_H
#define _DUALSTACK_LEDGER_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rhashtable.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>
#include <uapi/linux/dualstack.h>

#include "event_list.h"
#include "sock.h"

struct ds_ledger;

enum {
	DS_N_DIRECTIONS = DUALSTACK_PEER_DIRECTION_REFUSED_OUT + 1,
};

/* The kind of an entry: an enum dualstack_peer_direction, and more. */
#define DS_ENTRY_DIRECTION	0x03
#define DS_ENTRY_REST		0x04	/* of peers that have no entry of their own */
#define DS_ENTRY_DEAD		0x08	/* out of the ledger, whoever has found it */

/* No packet comes from there, and none is sent there but by mistake. */
#define DS_ENTRY_NO_ADDR	htonl(INADDR_BROADCAST)

/**
 * struct ds_entry_key - whose an entry is
 * @ledger:	the ledger that it is in, of one namespace
 * @head:	address, port, protocol and kind, see ds_entry_head()
 * @addr6:	address of the peer in the direction refused, an IPv4 one mapped
 * @no_more:	0 there
 * @uid:	who it was in the directions out and refused-out: a kuid_t
 * @comm:	and the name of the task
 * @tail:	the same, to be compared; 0 where there is nothing
 * @gone_at:	of a dead entry: a state of RCU, of after its death
 */
struct ds_entry_key {
	const struct ds_ledger *ledger;
	u64 head;
	union {
		struct {
			struct in6_addr addr6;
			u64 no_more;
		};
		struct {
			u64 uid;
			char comm[TASK_COMM_LEN];
		};
		u64 tail[3];
		unsigned long gone_at;
	};
};

/* The same of a ds_peer_word(). */
static __always_inline u64 ds_entry_head_of(u64 peer, enum ds_proto proto,
					    u8 kind)
{
	return peer | (u64)proto << 48 | (u64)kind << 56;
}

/**
 * ds_entry_head() - the first part of a key, in one word to be compared in one go
 * @addr:	IPv4 address of the peer; 0 in the direction refused,
 *		DS_ENTRY_NO_ADDR where there is no peer
 * @port:	of this host in the directions in and refused, of the peer in the others
 * @proto:	the protocol
 * @kind:	see above
 *
 * Return: &struct ds_entry_key.head.
 */
static __always_inline u64 ds_entry_head(__be32 addr, __be16 port,
					 enum ds_proto proto, u8 kind)
{
	return ds_entry_head_of(ds_peer_word(addr, port), proto, kind);
}

static __always_inline __be32 ds_key_addr(const struct ds_entry_key *key)
{
	return ds_peer_word_addr(key->head);
}

static inline __be16 ds_key_port(const struct ds_entry_key *key)
{
	return ds_peer_word_port(key->head);
}

static inline enum ds_proto ds_key_proto(const struct ds_entry_key *key)
{
	return key->head >> 48 & 0xff;
}

static inline u8 ds_key_kind(const struct ds_entry_key *key)
{
	return key->head >> 56;
}

static inline unsigned int ds_key_direction(const struct ds_entry_key *key)
{
	return ds_key_kind(key) & DS_ENTRY_DIRECTION;
}

/**
 * struct ds_entry - what is known of a peer
 * @node:	in the table of all entries, unless it is dead
 * @key:	whose it is. Written once, and again when it dies
 * @count:	how often
 * @last:	when it was the last time, in jiffies
 * @first:	when it was the first time, in jiffies
 * @refs:	the ledger, and the records whose &struct ds_sock.entry it is
 * @index:	in &struct ds_side.entries
 * @regular:	in which list it is
 * @list:	in one of the lists of &struct ds_side, or of &struct ds_ledger; under
 *		&struct ds_ledger.lock
 * @rcu:	for the end
 *
 * Found under RCU. What counting touches is 64 bytes.
 */
struct ds_entry {
	struct rhash_head node;
	struct ds_entry_key key;
	atomic64_t count;
	unsigned long last;

	unsigned long first;
	atomic_t refs;
	u32 index : 24;
	u32 regular : 1;
	union {
		struct list_head list;
		struct rcu_head rcu;
	};
};

/**
 * struct ds_rest - what has no entry, and no port either
 * @count:	how often
 * @first:	when it was the first time, in jiffies
 * @last:	when it was the last time, in jiffies
 */
struct ds_rest {
	u64 count;
	unsigned long first;
	unsigned long last;
};

/**
 * struct ds_side - the entries of a direction
 * @entries:	all of them; read under RCU
 * @newcomers:	those that were seldom there, the first to come first
 * @regulars:	the others
 * @n:		how many both have
 * @n_newcomers: how many of these are newcomers
 * @rest:	of peers without an entry, where it is of no port; by protocol
 */
struct ds_side {
	struct xarray entries;
	struct list_head newcomers;
	struct list_head regulars;
	u32 n;
	u32 n_newcomers;
	struct ds_rest rest[DS_N_PROTOS];
};

/**
 * struct ds_ledger - the ledger of a namespace
 * @lock:	serialises the coming and going of entries; never taken for one that is
 *		known. All the rest is under it
 * @emptying:	held by whoever empties it; comes before @lock
 * @on:		whether it is kept; read without the lock
 * @max:	how many entries each direction can have; read without the lock
 * @n_rests:	how many entries stand for the rest of a port
 * @n_gone:	how many are in @gone
 * @emptied:	how often it was emptied; read without the lock
 * @rests:	these entries
 * @gone:	entries that gave way, and that somebody may still be counting in; the
 *		first to go first
 * @side:	by direction
 */
struct ds_ledger {
	spinlock_t lock;	/* see above */
	struct mutex emptying;	/* see above */
	bool on;
	u32 max;
	u32 n_rests;
	u32 n_gone;
	u32 emptied;
	struct list_head rests;
	struct list_head gone;
	struct ds_side side[DS_N_DIRECTIONS];
};

/* For each namespace and direction, unless it is set otherwise: 1.5 MiB. What may be
 * set at most are 96 MiB.
 */
#define DS_MAX_PEERS		16384
#define DS_MAX_PEERS_LIMIT	1048576

/* Ports with a rest of their own, in a namespace; more share that of the direction. */
#define DS_MAX_RESTS		16384

/* What &struct ds_sock.entry is beside a pointer: bits of it, and entries that are
 * nobody's. It says of a socket which peers of it count at all.
 */
#define DS_ENTRY_CLIENT		1UL	/* those that it sends to */
#define DS_ENTRY_OFF		2UL	/* none, as there is no ledger */
#define DS_ENTRY_TAGS		3UL

extern struct ds_entry ds_entry_undecided;	/* is not known yet */
extern struct ds_entry ds_entry_server;		/* those that it receives from */

static inline struct ds_entry *ds_entry_of(unsigned long tagged)
{
	return (struct ds_entry *)(tagged & ~DS_ENTRY_TAGS);
}

/**
 * ds_entry_add() - count in an entry
 * @entry:	the entry
 * @n:		how often
 * @now:	when, in jiffies
 *
 * Context: under RCU of any kind.
 */
static __always_inline void ds_entry_add(struct ds_entry *entry, unsigned int n,
					 unsigned long now)
{
	WRITE_ONCE(entry->last, now);
	if (__builtin_constant_p(n) && n == 1)
		atomic64_inc(&entry->count);
	else
		atomic64_add(n, &entry->count);
}

/**
 * ds_direction_has_port() - is an entry of a port of this host?
 * @direction:	of the entry
 *
 * Return: true; false where it is of a program's that goes out.
 */
static inline bool ds_direction_has_port(unsigned int direction)
{
	return direction == DUALSTACK_PEER_DIRECTION_IN ||
	       direction == DUALSTACK_PEER_DIRECTION_REFUSED;
}

/* All entries of all ledgers, by key. */
extern struct rhashtable ds_entry_table;
extern u64 ds_entry_hash_key[6];

/* Keyed, lest somebody chooses addresses for a bucket. What is different in two keys may
 * be so in high bits alone, which a multiplication moves higher: so it is done twice, and
 * the high half is brought down in between.
 */
static __always_inline u32 ds_entry_hash(const void *data, u32 len, u32 seed)
{
	const struct ds_entry_key *key = data;
	const u64 *k = ds_entry_hash_key;
	u64 hash;

	hash = (unsigned long)key->ledger * k[4];
	hash += (key->head + k[0]) * (key->tail[0] + k[1]);
	hash += (key->tail[1] + k[2]) * (key->tail[2] + k[3] + 2ULL * seed);
	hash ^= hash >> 32;
	return hash * k[5] >> 32;
}

static __always_inline bool ds_entry_is(const struct ds_entry_key *a,
					const struct ds_entry_key *b)
{
	return a->head == b->head && a->ledger == b->ledger &&
	       a->tail[0] == b->tail[0] && a->tail[1] == b->tail[1] &&
	       a->tail[2] == b->tail[2];
}

/**
 * ds_entry_find() - find the entry of a peer
 * @key:	the peer
 *
 * What rhashtable_lookup() does, up to the first miss: it takes no call, which would
 * have a ds_direct function save all registers.
 *
 * Context: under RCU of any kind. rhashtable has lockdep ask for rcu_read_lock(), though
 * disabled preemption, which costs less, will do.
 *
 * Return: the entry. NULL where there is none, and perhaps while the table grows.
 */
static __always_inline struct ds_entry *
ds_entry_find(const struct ds_entry_key *key)
{
	struct ds_entry *entry = NULL;
	struct bucket_table *table;
	struct rhash_head *node;
	unsigned int hash;

	if (IS_ENABLED(CONFIG_PROVE_RCU))
		rcu_read_lock();
	table = rht_dereference_rcu(ds_entry_table.tbl, &ds_entry_table);
	if (unlikely(table->nest))
		goto out;
	hash = rht_bucket_index(table, ds_entry_hash(key, sizeof(*key),
						     table->hash_rnd));
	rht_for_each_rcu_from(node, rht_ptr_rcu(&table->buckets[hash]), table,
			      hash) {
		entry = container_of(node, struct ds_entry, node);
		if (likely(ds_entry_is(key, &entry->key)))
			goto out;
	}
	entry = NULL;
out:
	if (IS_ENABLED(CONFIG_PROVE_RCU))
		rcu_read_unlock();
	return entry;
}

/* What ds_ledger_note() does for a peer without an entry. */
ds_direct
struct ds_entry *ds_ledger_newcomer(struct ds_ledger *ledger,
				    const struct ds_entry_key *key,
				    struct sock *sk, unsigned int n);

/**
 * ds_ledger_note() - count for a peer
 * @ledger:	the ledger of a namespace that check_net() is true for
 * @key:	the peer
 * @sk:		whose memory this is
 * @n:		how often
 *
 * Makes an entry where there is none, perhaps in place of another one. If none can be
 * had, the peer is of the rest of its port or direction.
 *
 * Context: under RCU of any kind. Takes a lock only for a peer without an entry.
 *
 * Return: the entry, which can be remembered in the same RCU section; NULL where there
 * is none.
 */
static __always_inline
struct ds_entry *ds_ledger_note(struct ds_ledger *ledger,
				const struct ds_entry_key *key, struct sock *sk,
				unsigned int n)
{
	struct ds_entry *entry = ds_entry_find(key);

	if (unlikely(!entry))
		return ds_ledger_newcomer(ledger, key, sk, n);
	ds_entry_add(entry, n, jiffies);
	return entry;
}

/**
 * ds_ledger_take_back() - count once less for a peer
 * @key:	the peer
 *
 * Context: under RCU of any kind.
 */
void ds_ledger_take_back(const struct ds_entry_key *key);

/* Free an entry that nobody refers to. */
ds_direct void ds_entry_free(struct ds_entry *entry);

static __always_inline bool ds_entry_is_nobody(const struct ds_entry *entry)
{
	return entry == &ds_entry_undecided || entry == &ds_entry_server;
}

/**
 * ds_entry_put() - forget an entry
 * @entry:	the entry, to which the caller refers
 *
 * Context: any.
 */
static __always_inline void ds_entry_put(struct ds_entry *entry)
{
	if (!ds_entry_is_nobody(entry) && atomic_dec_and_test(&entry->refs))
		ds_entry_free(entry);
}

/**
 * ds_entry_set() - have a record remember an entry
 * @rec:	the record
 * @entry:	the entry, somebody's, found in the same RCU section: the reference of the
 *		ledger is held for a grace period after it can be found for the last time
 * @tags:	DS_ENTRY_CLIENT or 0
 *
 * Context: under RCU of any kind.
 */
static __always_inline void ds_entry_set(struct ds_sock *rec,
					 struct ds_entry *entry,
					 unsigned long tags)
{
	unsigned long old;

	atomic_inc(&entry->refs);
	old = xchg(&rec->entry, (unsigned long)entry | tags);
	ds_entry_put(ds_entry_of(old));
}

/**
 * ds_ledger_init() - begin with an empty ledger
 * @ledger:	that of a namespace
 */
void ds_ledger_init(struct ds_ledger *ledger);

/**
 * ds_ledger_end() - end the ledger of a namespace that is going
 * @ledger:	the ledger, where nobody can make an entry any more
 *
 * Context: process, may sleep.
 */
void ds_ledger_end(struct ds_ledger *ledger);

/**
 * ds_ledger_empty() - forget all peers
 * @ledger:	the ledger
 *
 * What was counted before the call is forgotten; what counts during the call is, or
 * counts from there on.
 *
 * Context: process, may sleep.
 */
void ds_ledger_empty(struct ds_ledger *ledger);

/**
 * ds_ledger_set_on() - say whether a ledger is kept
 * @ledger:	the ledger
 * @on:		whether it is; if not, it is emptied
 *
 * Context: process, may sleep.
 */
void ds_ledger_set_on(struct ds_ledger *ledger, bool on);

/**
 * ds_ledger_set_max() - say how many entries there can be
 * @ledger:	the ledger
 * @max:	how many in each direction, DS_MAX_PEERS_LIMIT at most
 *
 * If there are more, they give way as others come.
 *
 * Context: any.
 */
void ds_ledger_set_max(struct ds_ledger *ledger, u32 max);

/**
 * ds_ledger_settle() - bring what was counted in entries that gave way to the rest
 * @ledger:	the ledger
 *
 * Context: process.
 */
void ds_ledger_settle(struct ds_ledger *ledger);

/**
 * ds_ledger_set_back() - make all times older
 * @ledger:	the ledger
 * @until:	those of this time, in jiffies, and of before
 * @by:		by how much, in jiffies
 *
 * Context: process, may sleep.
 */
void ds_ledger_set_back(struct ds_ledger *ledger, unsigned long until,
			unsigned long by);

/* Create and destroy the table of entries. The exit waits for RCU. */
int __init ds_ledger_module_init(void);
void ds_ledger_module_exit(void);

#endif /* _DUALSTACK_LEDGER_H */
