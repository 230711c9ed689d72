// SPDX-License-Identifier: GPL-2.0
/* The records: one for each socket that had an event. */

#include <linux/preempt.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/sock_diag.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "sock.h"

struct ds_sock __rcu *ds_sock_table[DS_SOCK_BUCKETS];
struct ds_sock ds_sock_none = { .key = DS_SOCK_NO_KEY };
u64 ds_sock_hash_key __ro_after_init;

/* How long a record has to be idle before it gives way to another. */
#define DS_SOCK_IDLE_LONG	(10 * HZ)

/* How many records are removed before others get a chance at the locks. */
#define DS_SOCK_STEP	64

/* Serialises changes of the table; nests inside the lock of a namespace. Like
 * that one it is never taken for a hit.
 */
static DEFINE_SPINLOCK(ds_sock_table_lock);
static struct kmem_cache *ds_sock_cache;

static_assert(offsetofend(struct ds_sock, count[DS_SEND]) <= 64,
	      "a datagram must touch one cache line only");
/* Three cache lines, 24 MiB for DS_MAX_SOCKETS. They are full: one more event is 8
 * bytes, for which something else has to go.
 */
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

/* The two low bits of reject_seq; the rest of it counts changes, so that a
 * reader sees that there was one.
 */
#define DS_REJECT_BUSY	BIT(0)	/* somebody writes */
#define DS_REJECT_PEER	BIT(1)	/* there is a peer */
#define DS_REJECT_STEP	BIT(2)

struct ds_sock *ds_sock_by_cookie(u64 cookie)
{
	struct ds_sock *rec;

	rec = ds_sock_first(ds_sock_bucket(cookie));
	for (; rec; rec = ds_sock_next(rec))
		if (ds_sock_cookie(rec) == cookie)
			return rec;
	return NULL;
}

/* Memory is charged to whoever the memory of the socket is charged to: in softirq
 * whoever runs has nothing to do with it.
 */
static struct ds_sock *ds_sock_alloc(struct sock *sk, u64 cookie,
				     enum ds_proto proto)
{
	struct mem_cgroup *memcg = mem_cgroup_from_sk(sk);
	struct mem_cgroup *old = NULL;
	struct ds_sock *rec;

	if (memcg)
		old = set_active_memcg(memcg);
	rec = kmem_cache_zalloc(ds_sock_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (memcg)
		set_active_memcg(old);
	if (!rec)
		return NULL;

	rec->key = cookie;
	rec->net = sock_net(sk);
	rec->family = sk->sk_family;
	rec->proto = proto;
	return rec;
}

/* Whether a walk through the records has yet to come by this one. Until then it must
 * stay in its list, or the walk must be handed its counts.
 */
static bool ds_sock_is_awaited(const struct ds_net *dn,
			       const struct ds_sock *rec)
{
	return dn->walk_kind != DS_WALK_NONE && rec->walk != dn->walk;
}

static void ds_sock_unlink(struct ds_net *dn, struct ds_sock *rec)
{
	if (dn->walk_next == &rec->list)
		dn->walk_next = rec->list.next;
	list_del(&rec->list);
}

static void ds_sock_link(struct ds_net *dn, struct ds_sock *rec)
{
	/* A walk ends where those begin that came during it. */
	list_add_tail(&rec->list, &dn->busy);
	rec->walk = dn->walk;
}

void ds_sock_take(struct ds_sock *rec, atomic64_t *to)
{
	u64 n;
	int i;

	for (i = 0; i < DS_N_EVENTS; i++) {
		if (!atomic64_read(&rec->count[i]))
			continue;
		n = atomic64_xchg(&rec->count[i], 0);
		if (to)
			atomic64_add(n, &to[i]);
	}
}

void ds_sock_add(const struct ds_sock *rec, struct ds_sums *sums)
{
	int i;

	for (i = 0; i < DS_N_EVENTS; i++)
		sums->count[rec->proto][i] += atomic64_read(&rec->count[i]);
}

void ds_sock_cool(struct ds_sock *rec)
{
	rec->state = DS_SOCK_COLD;
	WRITE_ONCE(rec->key, ds_sock_cookie(rec) ^ DS_SOCK_HIDDEN);
}

/* The counts of an idle record are in the sums: @sign is 1 when it becomes idle, and
 * -1 when it no longer is.
 */
static void ds_sock_sum_idle(struct ds_net *dn, const struct ds_sock *rec,
			     s64 sign)
{
	int i;

	for (i = 0; i < DS_N_EVENTS; i++)
		atomic64_add(sign * atomic64_read(&rec->count[i]),
			     &dn->count[rec->proto][i]);
}

void ds_sock_settle(struct ds_net *dn, struct ds_sock *rec)
{
	ds_sock_sum_idle(dn, rec, 1);
	rec->state = DS_SOCK_IDLE;
	WRITE_ONCE(rec->idle_since, jiffies);
	ds_sock_unlink(dn, rec);
	list_add_tail(&rec->list, &dn->idle);
}

/* Undo ds_sock_settle(). */
static void ds_sock_stir(struct ds_net *dn, struct ds_sock *rec)
{
	if (ds_sock_is_awaited(dn, rec) && dn->walk_kind == DS_WALK_RESET) {
		ds_sock_take(rec, NULL);
		ds_sock_forget(rec);
	}
	ds_sock_sum_idle(dn, rec, -1);
	ds_sock_unlink(dn, rec);
	ds_sock_link(dn, rec);
}

/* Have a record ready for an event, which the caller counts under RCU: it does
 * not settle before that. Returns whether it was there still.
 */
static bool ds_sock_wake(struct ds_sock *rec)
{
	struct ds_net *dn = ds_net(rec->net);
	bool there;

	spin_lock_bh(&dn->lock);
	there = rec->state != DS_SOCK_GONE;
	if (there && rec->state != DS_SOCK_BUSY) {
		if (rec->state == DS_SOCK_IDLE)
			ds_sock_stir(dn, rec);
		rec->state = DS_SOCK_BUSY;
		WRITE_ONCE(rec->key, ds_sock_cookie(rec));
	}
	spin_unlock_bh(&dn->lock);
	return there;
}

/* The counts of an idle record are in the sums. Of others they get there, unless a
 * reset that has not come by yet would have forgotten them.
 */
static void ds_sock_leave_counts(struct ds_net *dn, struct ds_sock *rec)
{
	if (rec->state == DS_SOCK_IDLE)
		return;

	if (ds_sock_is_awaited(dn, rec)) {
		if (dn->walk_kind == DS_WALK_RESET)
			return;
		ds_sock_add(rec, dn->walk_sums);
	}
	ds_sock_take(rec, dn->count[rec->proto]);
}

/* Nobody writes after this, and there is nothing to read. */
static void ds_sock_end_rejected(struct ds_sock *rec)
{
	int seq;

	do {
		seq = atomic_read(&rec->reject_seq) & ~DS_REJECT_BUSY;
	} while (atomic_cmpxchg(&rec->reject_seq, seq, DS_REJECT_BUSY) != seq);
	smp_wmb();	/* pairs with ds_sock_get_rejected() */
}

static struct ds_sock *ds_sock_deref(struct ds_sock __rcu *p)
{
	return rcu_dereference_protected(p,
					 lockdep_is_held(&ds_sock_table_lock));
}

static void ds_sock_hash(struct ds_sock *rec)
{
	struct ds_sock __rcu **p = ds_sock_bucket(rec->key);

	spin_lock(&ds_sock_table_lock);
	RCU_INIT_POINTER(rec->next, ds_sock_deref(*p));
	rcu_assign_pointer(*p, rec);
	spin_unlock(&ds_sock_table_lock);
}

static void ds_sock_unhash(struct ds_sock *rec)
{
	struct ds_sock __rcu **p = ds_sock_bucket(ds_sock_cookie(rec));

	spin_lock(&ds_sock_table_lock);
	while (ds_sock_deref(*p) != rec)
		p = &ds_sock_deref(*p)->next;
	/* Others may be at @rec: it still leads on. */
	rcu_assign_pointer(*p, ds_sock_deref(rec->next));
	spin_unlock(&ds_sock_table_lock);
}

static void ds_sock_remove(struct ds_net *dn, struct ds_sock *rec)
{
	lockdep_assert_held(&dn->lock);

	ds_sock_unhash(rec);
	ds_sock_leave_counts(dn, rec);
	ds_sock_unlink(dn, rec);
	rec->state = DS_SOCK_GONE;
	WRITE_ONCE(dn->tracked[rec->proto], dn->tracked[rec->proto] - 1);
	WRITE_ONCE(dn->no_room, false);

	/* Before @rcu takes the place of the last rejected peer. */
	ds_sock_end_rejected(rec);
	call_rcu(&rec->rcu, ds_sock_free_rcu);
}

/* Room for one more record. */

/* A bucket gets as long as this only where somebody has chosen his cookies for it. */
#define DS_SOCK_CHAIN	64

static bool ds_sock_is_crowded(u64 cookie)
{
	unsigned int n = 0;
	struct ds_sock *rec;

	rec = ds_sock_first(ds_sock_bucket(cookie));
	for (; rec; rec = ds_sock_next(rec))
		n++;
	return n >= DS_SOCK_CHAIN;
}

static bool ds_sock_is_full(const struct ds_net *dn)
{
	return READ_ONCE(dn->tracked[DS_TCP]) + READ_ONCE(dn->tracked[DS_UDP]) >=
	       READ_ONCE(dn->max_sockets);
}

/* The first of a list if it is idle for long. Under RCU, or @dn->lock. */
static struct ds_sock *ds_sock_idle_first(const struct list_head *list)
{
	struct list_head *first = READ_ONCE(list->next);
	struct ds_sock *rec;

	if (first == list)
		return NULL;
	rec = list_entry(first, struct ds_sock, list);
	return (u32)jiffies - READ_ONCE(rec->idle_since) >= DS_SOCK_IDLE_LONG ?
	       rec : NULL;
}

/* None where there is to be none at all: those that are there just stay. */
static struct ds_sock *ds_sock_dispensable(const struct ds_net *dn)
{
	if (!READ_ONCE(dn->max_sockets))
		return NULL;
	return ds_sock_idle_first(&dn->idle_zero) ?:
	       ds_sock_idle_first(&dn->idle);
}

/* Whether one may be made, asked without a lock: at the limit each packet of a
 * socket that has none comes here.
 */
static bool ds_sock_has_room(struct ds_net *dn)
{
	if (!ds_sock_is_full(dn) || ds_sock_dispensable(dn))
		return true;
	WRITE_ONCE(dn->no_room, true);
	/* That is there before it is looked for; pairs with ds_net_age(). */
	smp_mb();
	if (!delayed_work_pending(&dn->age))
		schedule_delayed_work(&dn->age, DS_NET_AGE);
	return false;
}

/* Where somebody has to go it is one whose counts do not change any more. */
static bool ds_sock_make_room(struct ds_net *dn)
{
	unsigned int left = DS_SOCK_STEP;
	struct ds_sock *rec;

	/* More than one where the limit was lowered. */
	while (ds_sock_is_full(dn) && left--) {
		rec = ds_sock_dispensable(dn);
		if (!rec)
			return false;
		dn->evicted[rec->proto]++;
		ds_sock_remove(dn, rec);
	}
	return !ds_sock_is_full(dn);
}

/* Adds @new unless somebody was faster. */
static struct ds_sock *ds_sock_insert(struct ds_net *dn, struct ds_sock *new)
{
	struct ds_sock *rec;

	spin_lock_bh(&dn->lock);
	rec = ds_sock_by_cookie(new->key);
	if (!rec && ds_sock_make_room(dn)) {
		ds_sock_hash(new);
		ds_sock_link(dn, new);
		WRITE_ONCE(dn->tracked[new->proto],
			   dn->tracked[new->proto] + 1);
		rec = new;
	}
	spin_unlock_bh(&dn->lock);
	return rec;
}

struct ds_sock *ds_sock_make(struct sock *sk)
{
	struct net *net = sock_net(sk);
	int proto = ds_sk_proto(sk);
	struct ds_sock *rec, *new;
	u64 cookie;

	/* A namespace whose count is 0 may have been swept already; where it
	 * is not, the sweep waits for this RCU section.
	 */
	if (proto < 0 || !check_net(net))
		return NULL;

	cookie = ds_sk_cookie(sk);
	rec = ds_sock_by_cookie(cookie);
	if (rec && ds_sock_wake(rec))
		return rec;

	if (!ds_sock_has_room(ds_net(net)) || ds_sock_is_crowded(cookie))
		return NULL;
	new = ds_sock_alloc(sk, cookie, proto);
	if (!new)
		return NULL;

	rec = ds_sock_insert(ds_net(net), new);
	if (rec == new)
		return new;
	kmem_cache_free(ds_sock_cache, new);
	return rec && ds_sock_wake(rec) ? rec : NULL;
}

void ds_sock_end_rec(struct ds_sock *rec)
{
	struct ds_net *dn = ds_net(rec->net);

	spin_lock_bh(&dn->lock);
	/* Unless somebody was faster. */
	if (rec->state != DS_SOCK_GONE) {
		ds_sock_remove(dn, rec);
		dn->ended++;
	}
	spin_unlock_bh(&dn->lock);
}

static noinline ds_direct
void ds_sock_end_record(u64 cookie)
{
	struct ds_sock *rec;

	/* A socket of the kernel's own may have lost its namespace by now, but
	 * then it has lost its record, too.
	 */
	rcu_read_lock();
	rec = ds_sock_by_cookie(cookie);
	if (rec)
		ds_sock_end_rec(rec);
	rcu_read_unlock();
}

void ds_sock_end(const struct sock *sk)
{
	u64 cookie = atomic64_read(&sk->sk_cookie);

	/* Most sockets that close have no record, as nobody has asked for a
	 * cookie of theirs.
	 */
	if (unlikely(cookie))
		ds_sock_end_record(cookie);
}

static struct ds_sock *ds_sock_any(struct ds_net *dn)
{
	return list_first_entry_or_null(&dn->busy, struct ds_sock, list) ?:
	       list_first_entry_or_null(&dn->idle, struct ds_sock, list) ?:
	       list_first_entry_or_null(&dn->idle_zero, struct ds_sock, list);
}

bool ds_sock_end_net(const struct net *net)
{
	struct ds_net *dn = ds_net(net);
	struct ds_sock *rec;
	unsigned int i;
	bool ended;

	do {
		spin_lock_bh(&dn->lock);
		for (i = 0; i < DS_SOCK_STEP; i++) {
			rec = ds_sock_any(dn);
			if (!rec)
				break;
			ds_sock_remove(dn, rec);
			dn->ended++;
		}
		ended = dn->ended;
		spin_unlock_bh(&dn->lock);
		cond_resched();
	} while (rec);
	return ended;
}

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
		WRITE_ONCE(rec->reject_when, jiffies);
		atomic_set_release(&rec->reject_seq,
				   (seq + DS_REJECT_STEP) | DS_REJECT_PEER);
	}
	preempt_enable();
}

void ds_sock_forget(struct ds_sock *rec)
{
	int seq = atomic_read(&rec->reject_seq);

	WRITE_ONCE(rec->mapped_peer, 0);
	/* A writer of this moment has a newer peer: leave it alone. */
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
			peer->when = READ_ONCE(rec->reject_when);
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

static void ds_sock_set_back_time(unsigned long *when, unsigned long until,
				  unsigned long by)
{
	unsigned long old = READ_ONCE(*when);

	/* Unless there is a newer event by now. */
	if (!time_after(old, until))
		cmpxchg(when, old, old - by);
}

void ds_sock_set_back(unsigned long until, unsigned long by)
{
	struct ds_sock __rcu **p = ds_sock_table;
	struct ds_sock *rec;

	for (; p < ds_sock_table + DS_SOCK_BUCKETS; p++) {
		rcu_read_lock();
		for (rec = ds_sock_first(p); rec; rec = ds_sock_next(rec)) {
			ds_sock_set_back_time(&rec->mapped_when, until, by);
			ds_sock_set_back_time(&rec->reject_when, until, by);
		}
		rcu_read_unlock();
		cond_resched();
	}
}

int __init ds_sock_init(void)
{
	unsigned int i;

	ds_sock_hash_key = get_random_u64() | 1;
	for (i = 0; i < DS_SOCK_BUCKETS; i++)
		RCU_INIT_POINTER(ds_sock_table[i], &ds_sock_none);
	ds_sock_cache = KMEM_CACHE(ds_sock, SLAB_HWCACHE_ALIGN | SLAB_ACCOUNT);
	return ds_sock_cache ? 0 : -ENOMEM;
}

void ds_sock_exit(void)
{
	/* The records ended with their namespaces, see ds_stats_exit(). */
	rcu_barrier();	/* for ds_sock_free_rcu() */
	kmem_cache_destroy(ds_sock_cache);
}
