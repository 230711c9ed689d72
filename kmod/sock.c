// SPDX-License-Identifier: GPL-2.0
/* The records: one for each socket that had an event. */

#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/sock_diag.h>
#include <linux/spinlock.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "sock.h"

struct hlist_head ds_sock_table[DS_SOCK_BUCKETS];

/* Serialises changes of the table; nests inside the lock of a namespace. Like
 * that one it is never taken for a hit.
 */
static DEFINE_SPINLOCK(ds_sock_table_lock);
static struct kmem_cache *ds_sock_cache;

static_assert(offsetofend(struct ds_sock, count[DS_SEND]) <= 64,
	      "a datagram must touch one cache line only");
static_assert(sizeof(struct ds_sock) <= 192);
static_assert(sizeof(struct rcu_head) <= sizeof(struct in6_addr));
static_assert(BITS_PER_LONG == 64, "mapped_peer is written in one go");

u64 ds_sk_cookie(struct sock *sk)
{
	u32 cookie[2];

	sock_diag_save_cookie(sk, cookie);
	return (u64)cookie[1] << 32 | cookie[0];
}

static void ds_sock_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ds_sock_cache, container_of(rcu, struct ds_sock, rcu));
}

static struct ds_sock *ds_sock_alloc(struct sock *sk, enum ds_proto proto)
{
	struct ds_sock *rec;

	rec = kmem_cache_zalloc(ds_sock_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!rec)
		return NULL;

	rec->sk = sk;
	rec->net = sock_net(sk);
	rec->cookie = ds_sk_cookie(sk);
	rec->family = sk->sk_family;
	rec->proto = proto;
	return rec;
}

/* Adds @new unless somebody was faster. */
static struct ds_sock *ds_sock_insert(struct ds_net *dn, struct ds_sock *new)
{
	struct ds_sock *rec;

	spin_lock_bh(&dn->lock);
	spin_lock(&ds_sock_table_lock);
	rec = ds_sock_find(new->sk);
	if (!rec && dn->tracked[DS_TCP] + dn->tracked[DS_UDP] <
		    READ_ONCE(dn->max_sockets)) {
		hlist_add_head_rcu(&new->node, ds_sock_bucket(new->sk));
		hlist_add_head_rcu(&new->net_node, &dn->records);
		dn->tracked[new->proto]++;
		rec = new;
	}
	spin_unlock(&ds_sock_table_lock);
	spin_unlock_bh(&dn->lock);
	return rec;
}

static void ds_sock_take(struct ds_sock *rec, atomic64_t *to)
{
	u64 n;
	int i;

	/* An event of this moment is in what is taken, or in what stays. */
	for (i = 0; i < DS_N_EVENTS; i++) {
		if (!atomic64_read(&rec->count[i]))
			continue;
		n = atomic64_xchg(&rec->count[i], 0);
		if (to)
			atomic64_add(n, &to[i]);
	}
}

static void ds_sock_remove(struct ds_net *dn, struct ds_sock *rec)
{
	lockdep_assert_held(&dn->lock);

	write_seqcount_begin(&dn->seq);
	spin_lock(&ds_sock_table_lock);
	hlist_del_rcu(&rec->node);
	spin_unlock(&ds_sock_table_lock);
	hlist_del_rcu(&rec->net_node);
	ds_sock_take(rec, dn->count[rec->proto]);
	dn->tracked[rec->proto]--;
	dn->ended++;
	write_seqcount_end(&dn->seq);

	/* Readers look at reject_seq before and after the peer. */
	atomic_set(&rec->reject_seq, 0);
	smp_wmb();	/* pairs with ds_sock_get_rejected() */
	call_rcu(&rec->rcu, ds_sock_free_rcu);
}

struct ds_sock *ds_sock_make(struct sock *sk)
{
	struct net *net = sock_net(sk);
	int proto = ds_sk_proto(sk);
	struct ds_sock *rec, *new;

	/* A namespace whose count is 0 may have been swept already; where it
	 * is not, the sweep waits for this RCU section.
	 */
	if (proto < 0 || !check_net(net))
		return NULL;

	new = ds_sock_alloc(sk, proto);
	if (!new)
		return NULL;

	rec = ds_sock_insert(ds_net(net), new);
	if (rec != new)
		kmem_cache_free(ds_sock_cache, new);
	return rec;
}

void ds_sock_end_rec(struct ds_sock *rec)
{
	struct ds_net *dn = ds_net(rec->net);

	spin_lock_bh(&dn->lock);
	/* Unless somebody was faster. */
	if (ds_sock_find(rec->sk) == rec)
		ds_sock_remove(dn, rec);
	spin_unlock_bh(&dn->lock);
}

static noinline ds_direct
void ds_sock_end_record(const struct sock *sk)
{
	struct ds_sock *rec;

	/* A socket of the kernel's own may have lost its namespace by now, but
	 * then it has lost its record, too.
	 */
	rcu_read_lock();
	rec = ds_sock_find(sk);
	if (rec)
		ds_sock_end_rec(rec);
	rcu_read_unlock();
}

void ds_sock_end(const struct sock *sk)
{
	bool found;

	/* Most sockets that close have no record. */
	preempt_disable_notrace();
	found = ds_sock_find(sk);
	preempt_enable_notrace();
	if (unlikely(found))
		ds_sock_end_record(sk);
}

bool ds_sock_end_net(const struct net *net)
{
	struct ds_net *dn = ds_net(net);
	struct hlist_node *next;
	struct ds_sock *rec;
	bool ended;

	spin_lock_bh(&dn->lock);
	ended = dn->ended || !hlist_empty(&dn->records);
	hlist_for_each_entry_safe(rec, next, &dn->records, net_node)
		ds_sock_remove(dn, rec);
	spin_unlock_bh(&dn->lock);
	return ended;
}

struct ds_sock *ds_sock_by_cookie(const struct net *net, u64 cookie)
{
	struct ds_sock *rec;

	hlist_for_each_entry_rcu(rec, &ds_net(net)->records, net_node)
		if (rec->cookie == cookie)
			return rec;
	return NULL;
}

/* The two low bits of reject_seq; the rest of it counts changes, so that a
 * reader sees that there was one.
 */
#define DS_REJECT_BUSY	BIT(0)	/* somebody writes */
#define DS_REJECT_PEER	BIT(1)	/* there is a peer */
#define DS_REJECT_STEP	BIT(2)

void ds_sock_set_rejected(struct ds_sock *rec, const struct in6_addr *addr,
			  __be16 port)
{
	int seq;

	preempt_disable();	/* readers wait while somebody writes */
	seq = atomic_read(&rec->reject_seq);
	/* A trylock: the one who writes at this moment is as much the last. */
	if (!(seq & DS_REJECT_BUSY) &&
	    atomic_cmpxchg_acquire(&rec->reject_seq, seq,
				   seq | DS_REJECT_BUSY) == seq) {
		/* It is busy before the peer changes. */
		smp_wmb();
		rec->reject_addr = *addr;
		rec->reject_port = port;
		rec->reject_when = jiffies;
		atomic_set_release(&rec->reject_seq,
				   (seq + DS_REJECT_STEP) | DS_REJECT_PEER);
	}
	preempt_enable();
}

static void ds_sock_forget(struct ds_sock *rec)
{
	int seq = atomic_read(&rec->reject_seq);

	WRITE_ONCE(rec->mapped_peer, 0);
	/* Who writes at this moment, or comes first, has a newer peer. */
	if (!(seq & DS_REJECT_BUSY))
		atomic_cmpxchg(&rec->reject_seq, seq,
			       (seq + DS_REJECT_STEP) & ~DS_REJECT_PEER);
}

bool ds_sock_get_rejected(const struct ds_sock *rec, struct ds_peer *peer)
{
	int seq;

	for (;;) {
		seq = atomic_read_acquire(&rec->reject_seq);
		if (!(seq & DS_REJECT_PEER))
			return false;
		if (!(seq & DS_REJECT_BUSY)) {
			peer->addr = rec->reject_addr;
			peer->port = rec->reject_port;
			peer->when = rec->reject_when;
			smp_rmb();	/* copied before reject_seq is read */
			if (atomic_read(&rec->reject_seq) == seq)
				return true;
		}
		cpu_relax();
	}
}

bool ds_sock_get_mapped(const struct ds_sock *rec, struct ds_peer *peer)
{
	/* The time is at least that of this peer: it is stored first. */
	u64 mapped = smp_load_acquire(&rec->mapped_peer);

	peer->when = READ_ONCE(rec->mapped_when);
	peer->port = (__force __be16)(u16)mapped;
	ipv6_addr_set_v4mapped((__force __be32)(u32)(mapped >> 16),
			       &peer->addr);
	return mapped;
}

/* Returns whether the record was there still. */
static bool ds_sock_reset_rec(struct ds_sock *rec, bool keep_counts)
{
	struct ds_net *dn = ds_net(rec->net);
	bool found;

	spin_lock_bh(&dn->lock);
	found = ds_sock_find(rec->sk) == rec;
	if (found) {
		write_seqcount_begin(&dn->seq);
		ds_sock_take(rec, keep_counts ? dn->count[rec->proto] : NULL);
		write_seqcount_end(&dn->seq);
		ds_sock_forget(rec);
	}
	spin_unlock_bh(&dn->lock);
	return found;
}

bool ds_sock_reset(const struct net *net, u64 cookie)
{
	struct ds_sock *rec;
	bool found;

	rcu_read_lock();
	rec = ds_sock_by_cookie(net, cookie);
	found = rec && ds_sock_reset_rec(rec, true);
	rcu_read_unlock();
	return found;
}

void ds_sock_reset_net(const struct net *net)
{
	struct ds_sock *rec;
	unsigned int i;

	for (i = 0; i < DS_SOCK_BUCKETS; i++) {
		rcu_read_lock();
		hlist_for_each_entry_rcu(rec, &ds_sock_table[i], node)
			if (rec->net == net)
				ds_sock_reset_rec(rec, false);
		rcu_read_unlock();
		cond_resched();
	}
}

int __init ds_sock_init(void)
{
	ds_sock_cache = KMEM_CACHE(ds_sock, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	return ds_sock_cache ? 0 : -ENOMEM;
}

void ds_sock_exit(void)
{
	/* The records ended with their namespaces, see ds_stats_exit(). */
	rcu_barrier();	/* for ds_sock_free_rcu() */
	kmem_cache_destroy(ds_sock_cache);
}
