// SPDX-License-Identifier: GPL-2.0
/* The records: one for each socket that had an event. */

#include <linux/slab.h>
#include <linux/sock_diag.h>
#include <linux/spinlock.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "sock.h"

/* Enough for a busy server, 24 MiB of records, chains of two on average. */
#define DS_MAX_SOCKETS	(2 * DS_SOCK_BUCKETS)

struct hlist_head ds_sock_table[DS_SOCK_BUCKETS];

DEFINE_SPINLOCK(ds_sock_table_lock);
static unsigned int ds_sock_records;
static struct kmem_cache *ds_sock_cache;

static_assert(offsetofend(struct ds_sock, count[DS_IN_NATIVE]) <= 64,
	      "a datagram must touch one cache line only");

static void ds_sock_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ds_sock_cache, container_of(rcu, struct ds_sock, rcu));
}

static struct ds_sock *ds_sock_alloc(struct sock *sk, enum ds_proto proto)
{
	struct ds_sock *rec;
	u32 cookie[2];

	rec = kmem_cache_zalloc(ds_sock_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!rec)
		return NULL;

	rec->sk = sk;
	rec->net = sock_net(sk);
	sock_diag_save_cookie(sk, cookie);
	rec->cookie = (u64)cookie[1] << 32 | cookie[0];
	rec->family = sk->sk_family;
	rec->proto = proto;
	return rec;
}

/* Namespaces are checked under the lock, so that none is added to one that
 * ds_sock_end_net() has swept: its reference count was 0 by then.
 */
static bool ds_sock_insert(struct ds_sock *rec)
{
	lockdep_assert_held(&ds_sock_table_lock);

	if (ds_sock_records >= DS_MAX_SOCKETS || !check_net(rec->net))
		return false;

	hlist_add_head_rcu(&rec->node, ds_sock_bucket(rec->sk));
	ds_sock_records++;
	ds_net(rec->net)->tracked[rec->proto]++;
	return true;
}

static void ds_sock_remove(struct ds_sock *rec)
{
	struct ds_net *dn = ds_net(rec->net);
	int i;

	lockdep_assert_held(&ds_sock_table_lock);

	write_seqcount_begin(&dn->seq);
	hlist_del_rcu(&rec->node);
	for (i = 0; i < DS_N_EVENTS; i++)
		atomic64_add(atomic64_read(&rec->count[i]),
			     &dn->count[rec->proto][i]);
	dn->tracked[rec->proto]--;
	dn->ended++;
	write_seqcount_end(&dn->seq);

	ds_sock_records--;
	call_rcu(&rec->rcu, ds_sock_free_rcu);
}

struct ds_sock *ds_sock_get(struct sock *sk)
{
	int proto = ds_proto(sk->sk_protocol);
	struct ds_sock *rec, *new;

	rec = ds_sock_find(sk);
	if (rec || proto < 0)
		return rec;

	new = ds_sock_alloc(sk, proto);
	if (!new)
		return NULL;

	spin_lock_bh(&ds_sock_table_lock);
	rec = ds_sock_find(sk);
	if (!rec && ds_sock_insert(new)) {
		rec = new;
		new = NULL;
	}
	spin_unlock_bh(&ds_sock_table_lock);

	if (new)
		kmem_cache_free(ds_sock_cache, new);
	return rec;
}

void ds_sock_end(const struct sock *sk)
{
	struct ds_sock *rec;

	/* Most sockets that close have no record: look before locking. */
	rcu_read_lock();
	rec = ds_sock_find(sk);
	rcu_read_unlock();
	if (!rec)
		return;

	spin_lock_bh(&ds_sock_table_lock);
	rec = ds_sock_find(sk);
	if (rec)
		ds_sock_remove(rec);
	spin_unlock_bh(&ds_sock_table_lock);
}

void ds_sock_end_net(const struct net *net)
{
	const struct ds_net *dn = ds_net(net);
	struct hlist_node *next;
	struct ds_sock *rec;
	unsigned int i;

	for (i = 0; i < DS_SOCK_BUCKETS; i++) {
		if (!READ_ONCE(dn->tracked[DS_TCP]) &&
		    !READ_ONCE(dn->tracked[DS_UDP]))
			break;
		if (hlist_empty(&ds_sock_table[i]))
			continue;

		spin_lock_bh(&ds_sock_table_lock);
		hlist_for_each_entry_safe(rec, next, &ds_sock_table[i], node)
			if (rec->net == net)
				ds_sock_remove(rec);
		spin_unlock_bh(&ds_sock_table_lock);
	}
}

void ds_peer_set(struct ds_peer *peer, const struct in6_addr *addr, __be16 port)
{
	int seq = atomic_read(&peer->seq);

	/* A trylock: the one who writes at this moment is as much the last. */
	if (seq & 1 || atomic_cmpxchg_acquire(&peer->seq, seq, seq + 1) != seq)
		return;

	smp_wmb();	/* seq is odd before the peer changes */
	peer->addr = *addr;
	peer->port = port;
	peer->when = jiffies;
	/* 0 stands for never: pass over it */
	atomic_set_release(&peer->seq, seq + 2 ?: 2);
}

bool ds_peer_get(const struct ds_peer *peer, struct ds_peer *copy)
{
	int seq;

	for (;;) {
		seq = atomic_read_acquire(&peer->seq);
		if (!seq)
			return false;
		if (!(seq & 1)) {
			copy->addr = peer->addr;
			copy->port = peer->port;
			copy->when = peer->when;
			smp_rmb();	/* the copy is made before seq is read */
			if (atomic_read(&peer->seq) == seq)
				return true;
		}
		cpu_relax();
	}
}

int __init ds_sock_init(void)
{
	ds_sock_cache = KMEM_CACHE(ds_sock, SLAB_HWCACHE_ALIGN);
	return ds_sock_cache ? 0 : -ENOMEM;
}

void ds_sock_exit(void)
{
	/* The records ended with their namespaces, see ds_stats_exit(). */
	WARN_ON_ONCE(ds_sock_records);
	rcu_barrier();	/* for ds_sock_free_rcu() */
	kmem_cache_destroy(ds_sock_cache);
}
