// SPDX-License-Identifier: GPL-2.0
/* The records: one for each socket that had an event. */

#include <linux/random.h>
#include <linux/slab.h>
#include <linux/sock_diag.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/inet_sock.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "charge.h"
#include "last_peer.h"
#include "ledger.h"
#include "net.h"
#include "port_sums.h"
#include "rules.h"
#include "sock.h"
#include "walk.h"

struct ds_sock __rcu *ds_sock_table[DS_SOCK_BUCKETS];
struct ds_sock ds_sock_none = { .key = DS_SOCK_NO_KEY };
u64 ds_sock_hash_key __ro_after_init;

/* How long a record has to be idle before it gives way to another, in seconds. */
#define DS_SOCK_IDLE_LONG	10

/* How long it takes until somebody looks for idle records, where there is no room
 * for another one.
 */
#define DS_SOCK_AGE		HZ

/* How many records are removed before others get a chance at the locks. */
#define DS_SOCK_STEP	64

/* Serialises changes of the table; nests inside the lock of a namespace. Like
 * that one it is never taken for a hit.
 */
static DEFINE_SPINLOCK(ds_sock_table_lock);
static struct kmem_cache *ds_sock_cache;

/* What a UDP socket does before anybody has sent it something, if it is a client's. */
#define DS_EVENTS_CLIENT						\
	(BIT(DS_SEND_V4) | BIT(DS_CONNECT_V4) | BIT(DS_CONNECT_V6) |	\
	 BIT(DS_REJECT_CONNECT) | BIT(DS_REJECT_SEND))

static_assert(offsetofend(struct ds_sock, count[DS_SEND_V4]) <= 64,
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

/* Nobody has the record remember another peer any more. */
static void ds_sock_free_rcu(struct rcu_head *rcu)
{
	struct ds_sock *rec = container_of(rcu, struct ds_sock, rcu);

	ds_entry_put(ds_entry_of(rec->entry));
	kmem_cache_free(ds_sock_cache, rec);
}

struct ds_sock *ds_sock_by_cookie(u64 cookie)
{
	struct ds_sock *rec;

	rec = ds_sock_first(ds_sock_bucket(cookie));
	for (; rec; rec = ds_sock_next(rec))
		if (ds_sock_cookie(rec) == cookie)
			return rec;
	return NULL;
}

/* inet_bind() and inet6_bind() note that the port was asked for. It is read here once:
 * sockets that are bound when they have had events before are rare, and most of these
 * had no port then.
 */
static void ds_sock_note_port(struct ds_sock *rec, const struct sock *sk)
{
	u16 port = READ_ONCE(inet_sk(sk)->inet_num);

	if (!port)
		return;
	rec->port_given = !!(sk->sk_userlocks & SOCK_BINDPORT_LOCK);
	rec->port_chosen = !rec->port_given;
	if (rec->port_given)
		rec->port = port;
}

static struct ds_sock *ds_sock_alloc(struct sock *sk, u64 cookie,
				     enum ds_proto proto)
{
	struct ds_sock *rec;

	rec = kmem_cache_zalloc(ds_sock_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!rec)
		return NULL;

	rec->key = cookie;
	rec->entry = (unsigned long)&ds_entry_undecided;
	rec->net = sock_net(sk);
	rec->family = sk->sk_family;
	rec->proto = proto;
	ds_sock_note_port(rec, sk);
	return rec;
}

void ds_sock_for_each(void (*visit)(struct ds_sock *rec, void *arg), void *arg)
{
	struct ds_sock __rcu **p = ds_sock_table;
	struct ds_sock *rec;

	for (; p < ds_sock_table + DS_SOCK_BUCKETS; p++) {
		rcu_read_lock();
		for (rec = ds_sock_first(p); rec; rec = ds_sock_next(rec))
			visit(rec, arg);
		rcu_read_unlock();
		cond_resched();
	}
}

static void ds_sock_link(struct ds_records *records, struct ds_sock *rec)
{
	list_add_tail(&rec->list, &records->busy);
	ds_walk_pass(&records->walk, rec);
}

static void ds_sock_unlink(struct ds_records *records, struct ds_sock *rec)
{
	ds_walk_leave(&records->walk, rec);
	list_del(&rec->list);
}

/* Add to the sums of the namespace, and to those of the port if it has some. Both under
 * the lock, so that who looks never sees more in the latter.
 */
static void ds_sock_sum(struct ds_net *dn, const struct ds_sock *rec,
			struct ds_port_sums *port, enum ds_event event, s64 n)
{
	enum ds_family family = ds_family(rec->family);

	lockdep_assert_held(&dn->records.lock);

	atomic64_add(n, &dn->totals.count[family][rec->proto][event]);
	if (port)
		ds_ports_add(&dn->ports, port, family, event, n);
}

static struct ds_port_sums *ds_sock_port(struct ds_net *dn,
					 const struct ds_sock *rec)
{
	return ds_ports_find(&dn->ports, rec->proto, rec->port);
}

void ds_sock_take(struct ds_sock *rec, struct ds_net *to)
{
	struct ds_port_sums *port = to ? ds_sock_port(to, rec) : NULL;
	u64 n;
	int i;

	for (i = 0; i < DS_N_EVENTS; i++) {
		if (!atomic64_read(&rec->count[i]))
			continue;
		n = atomic64_xchg(&rec->count[i], 0);
		if (to)
			ds_sock_sum(to, rec, port, i, n);
	}
}

void ds_sock_add(struct ds_net *dn, const struct ds_sock *rec,
		 struct ds_sums *sums)
{
	enum ds_family family = ds_family(rec->family);
	struct ds_port_view *view = NULL;
	u64 n;
	int i;

	if (sums->ports)
		view = ds_ports_view(&dn->ports, sums->ports, rec->proto,
				     rec->port);
	for (i = 0; i < DS_N_EVENTS; i++) {
		n = atomic64_read(&rec->count[i]);
		sums->count[family][rec->proto][i] += n;
		if (view)
			view->count[family][i] += n;
	}
}

/* For two bytes of a record: one that has been idle for 18 hours is taken for one that
 * just became so, for some seconds.
 */
static u16 ds_sock_seconds(void)
{
	return jiffies / HZ;
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
	struct ds_port_sums *port = ds_sock_port(dn, rec);
	int i;

	for (i = 0; i < DS_N_EVENTS; i++)
		ds_sock_sum(dn, rec, port, i,
			    sign * atomic64_read(&rec->count[i]));
}

void ds_sock_settle(struct ds_net *dn, struct ds_sock *rec)
{
	ds_sock_sum_idle(dn, rec, 1);
	rec->state = DS_SOCK_IDLE;
	WRITE_ONCE(rec->idle_since, ds_sock_seconds());
	ds_sock_unlink(&dn->records, rec);
	list_add_tail(&rec->list, &dn->records.idle);
}

/* Undo ds_sock_settle(). */
static void ds_sock_stir(struct ds_net *dn, struct ds_sock *rec)
{
	struct ds_records *records = &dn->records;

	if (ds_walk_awaits(&records->walk, rec) &&
	    records->walk.kind == DS_WALK_RESET) {
		ds_sock_take(rec, NULL);
		ds_sock_forget(rec);
	}
	ds_sock_sum_idle(dn, rec, -1);
	ds_sock_unlink(records, rec);
	ds_sock_link(records, rec);
}

/* Have a record ready for an event, which the caller counts under RCU: it does
 * not settle before that. Returns whether it was there still.
 */
static bool ds_sock_wake(struct ds_sock *rec)
{
	struct ds_net *dn = ds_net(rec->net);
	bool there;

	spin_lock_bh(&dn->records.lock);
	there = rec->state != DS_SOCK_GONE;
	if (there && rec->state != DS_SOCK_BUSY) {
		if (rec->state == DS_SOCK_IDLE)
			ds_sock_stir(dn, rec);
		rec->state = DS_SOCK_BUSY;
		WRITE_ONCE(rec->key, ds_sock_cookie(rec));
	}
	spin_unlock_bh(&dn->records.lock);
	return there;
}

/* The counts of an idle record are in the sums. Of others they get there, unless a
 * reset that has not come by yet would have forgotten them.
 */
static void ds_sock_leave_counts(struct ds_net *dn, struct ds_sock *rec)
{
	const struct ds_walk *walk = &dn->records.walk;

	if (rec->state == DS_SOCK_IDLE)
		return;

	if (ds_walk_awaits(walk, rec)) {
		if (walk->kind == DS_WALK_RESET)
			return;
		ds_sock_add(dn, rec, walk->sums);
	}
	ds_sock_take(rec, dn);
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
	struct ds_records *records = &dn->records;

	lockdep_assert_held(&records->lock);

	ds_sock_unhash(rec);
	ds_sock_leave_counts(dn, rec);
	if (rec->port)
		ds_ports_leave(&dn->ports, rec->proto, rec->port);
	ds_sock_unlink(records, rec);
	rec->state = DS_SOCK_GONE;
	WRITE_ONCE(records->tracked[rec->proto],
		   records->tracked[rec->proto] - 1);
	WRITE_ONCE(records->no_room, false);

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

static bool ds_records_are_full(const struct ds_records *records)
{
	return READ_ONCE(records->tracked[DS_TCP]) +
	       READ_ONCE(records->tracked[DS_UDP]) >=
	       READ_ONCE(records->max_sockets);
}

/* The first of a list if it is idle for long. Under RCU, or the lock. */
static struct ds_sock *ds_sock_idle_first(const struct list_head *list)
{
	struct list_head *first = READ_ONCE(list->next);
	struct ds_sock *rec;

	if (first == list)
		return NULL;
	rec = list_entry(first, struct ds_sock, list);
	return (u16)(ds_sock_seconds() - READ_ONCE(rec->idle_since)) >
	       DS_SOCK_IDLE_LONG ? rec : NULL;
}

/* None where there is to be none at all: those that are there just stay. */
static struct ds_sock *ds_sock_dispensable(const struct ds_records *records)
{
	if (!READ_ONCE(records->max_sockets))
		return NULL;
	return ds_sock_idle_first(&records->idle_zero) ?:
	       ds_sock_idle_first(&records->idle);
}

/* Whether one may be made, asked without a lock: at the limit each packet of a
 * socket that has none comes here.
 */
static bool ds_records_have_room(struct ds_records *records)
{
	if (!ds_records_are_full(records) || ds_sock_dispensable(records))
		return true;
	WRITE_ONCE(records->no_room, true);
	/* That is there before it is looked for; pairs with ds_net_age(). */
	smp_mb();
	if (!delayed_work_pending(&records->age))
		schedule_delayed_work(&records->age, DS_SOCK_AGE);
	return false;
}

/* Where somebody has to go it is one whose counts do not change any more. */
static bool ds_sock_make_room(struct ds_net *dn)
{
	unsigned int left = DS_SOCK_STEP;
	struct ds_sock *rec;

	/* More than one where the limit was lowered. */
	while (ds_records_are_full(&dn->records) && left--) {
		rec = ds_sock_dispensable(&dn->records);
		if (!rec)
			return false;
		dn->records.evicted[rec->proto]++;
		ds_sock_remove(dn, rec);
	}
	return !ds_records_are_full(&dn->records);
}

/* Adds @new unless somebody was faster. Where its port has no sums, its counts are among
 * those of no port for as long as it is there.
 */
static struct ds_sock *ds_sock_insert(struct ds_net *dn, struct ds_sock *new,
				      bool client)
{
	struct ds_records *records = &dn->records;
	struct ds_sock *rec;

	spin_lock_bh(&records->lock);
	rec = ds_sock_by_cookie(new->key);
	if (!rec && ds_sock_make_room(dn)) {
		ds_sock_hash(new);
		ds_sock_link(records, new);
		if (new->port &&
		    !ds_ports_join(&dn->ports, new->proto, new->port, !client))
			new->port = 0;
		WRITE_ONCE(records->tracked[new->proto],
			   records->tracked[new->proto] + 1);
		rec = new;
	}
	spin_unlock_bh(&records->lock);
	return rec;
}

/* Some clients have bind() choose another port for each question that they ask: what is
 * to be kept by its port is what servers counted. One that was served from a port that
 * has sums, as of the server that connected it to its client, is part of these.
 */
static bool ds_sock_is_client(const struct sock *sk, enum ds_proto proto,
			      enum ds_event event)
{
	return proto == DS_UDP && (BIT(event) & DS_EVENTS_CLIENT ||
				   sk->sk_state == TCP_ESTABLISHED);
}

static struct ds_sock *ds_sock_alloc_insert(struct sock *sk, u64 cookie,
					    enum ds_proto proto,
					    enum ds_event event)
{
	struct ds_sock *rec, *new = ds_sock_alloc(sk, cookie, proto);

	if (!new)
		return NULL;
	rec = ds_sock_insert(ds_net(new->net), new,
			     ds_sock_is_client(sk, proto, event));
	if (rec == new)
		return new;
	kmem_cache_free(ds_sock_cache, new);
	return rec && ds_sock_wake(rec) ? rec : NULL;
}

static struct ds_sock *ds_sock_new(struct sock *sk, u64 cookie,
				   enum ds_proto proto, enum ds_event event)
{
	struct mem_cgroup *old = ds_charge_begin(sk);
	struct ds_sock *rec;

	rec = ds_sock_alloc_insert(sk, cookie, proto, event);
	ds_charge_end(old);
	return rec;
}

struct ds_sock *ds_sock_make(struct sock *sk, enum ds_event event)
{
	struct net *net = sock_net(sk);
	int proto = ds_sk_proto(sk);
	struct ds_sock *rec;
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

	if (!ds_records_have_room(&ds_net(net)->records) || ds_sock_is_crowded(cookie))
		return NULL;
	return ds_sock_new(sk, cookie, proto, event);
}

void ds_sock_end_rec(struct ds_sock *rec)
{
	struct ds_net *dn = ds_net(rec->net);

	spin_lock_bh(&dn->records.lock);
	/* Unless somebody was faster. */
	if (rec->state != DS_SOCK_GONE) {
		ds_sock_remove(dn, rec);
		dn->records.ended++;
	}
	spin_unlock_bh(&dn->records.lock);
}

static noinline ds_direct
void ds_sock_end_record(const struct sock *sk, u64 cookie)
{
	struct ds_sock *rec;

	rcu_read_lock();	/* as of ds_call_begin() */
	ds_rules_forget(sk);
	/* A socket of the kernel's own may have lost its namespace by now, but
	 * then it has lost its record, too.
	 */
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
		ds_sock_end_record(sk, cookie);
}

void ds_records_init(struct ds_records *records, work_func_t age)
{
	spin_lock_init(&records->lock);
	INIT_LIST_HEAD(&records->busy);
	INIT_LIST_HEAD(&records->idle);
	INIT_LIST_HEAD(&records->idle_zero);
	records->max_sockets = DS_MAX_SOCKETS;
	INIT_DELAYED_WORK(&records->age, age);
	ds_walk_init(&records->walk);
}

static struct ds_sock *ds_records_first(struct ds_records *records)
{
	return list_first_entry_or_null(&records->busy, struct ds_sock, list) ?:
	       list_first_entry_or_null(&records->idle, struct ds_sock, list) ?:
	       list_first_entry_or_null(&records->idle_zero, struct ds_sock, list);
}

bool ds_records_end(struct ds_net *dn)
{
	struct ds_records *records = &dn->records;
	struct ds_sock *rec;
	unsigned int i;
	bool ended;

	cancel_delayed_work_sync(&records->age);
	do {
		spin_lock_bh(&records->lock);
		for (i = 0; i < DS_SOCK_STEP; i++) {
			rec = ds_records_first(records);
			if (!rec)
				break;
			ds_sock_remove(dn, rec);
			records->ended++;
		}
		ended = records->ended;
		spin_unlock_bh(&records->lock);
		cond_resched();
	} while (rec);
	return ended;
}

void ds_records_set_max(struct ds_records *records, u32 max)
{
	WRITE_ONCE(records->max_sockets, max);
	WRITE_ONCE(records->no_room, false);
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
	/* The records ended with their namespaces, see ds_net_exit(). */
	rcu_barrier();	/* for ds_sock_free_rcu() */
	kmem_cache_destroy(ds_sock_cache);
}
