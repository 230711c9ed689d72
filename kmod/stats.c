// SPDX-License-Identifier: GPL-2.0
/* The sums of a network namespace: what closed and idle sockets have counted, plus
 * the records that are busy. These are added up when somebody asks, so that a packet
 * pays for one counter only; and asking makes those idle that have no event after it,
 * so that to ask again costs no more than what happened meanwhile.
 */

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <uapi/linux/dualstack.h>

#include "sock.h"
#include "stats.h"

const struct ds_counter ds_counters[] = {
	DS_COUNTER_ROWS
};

u8 ds_counter_attr(enum ds_event event, enum ds_proto proto)
{
	const struct ds_counter *c = ds_counters;

	while (c->event != event || !(c->protos & BIT(proto)))
		if (WARN_ON_ONCE(++c == ds_counters + DS_N_COUNTERS))
			return 0;
	return c->attr;
}

unsigned int ds_net_id __read_mostly;

struct ds_net *ds_net(const struct net *net)
{
	return net_generic(net, ds_net_id);
}

void ds_net_untracked(const struct net *net, enum ds_proto proto,
		      enum ds_event event, unsigned int n)
{
	struct ds_net *dn;

	if (!check_net(net))
		return;
	dn = ds_net(net);
	atomic64_add(n, &dn->count[proto][event]);
	atomic64_add(n, &dn->untracked[proto]);
}

void ds_net_way(const struct net *net, enum ds_way way)
{
	rcu_read_lock();
	if (check_net(net))
		atomic64_inc(&ds_net(net)->way[way]);
	rcu_read_unlock();
}

void ds_net_set_max_sockets(const struct net *net, u32 max)
{
	struct ds_net *dn = ds_net(net);

	WRITE_ONCE(dn->max_sockets, max);
	WRITE_ONCE(dn->no_room, false);
}

static u64 ds_net_looked_up(const struct ds_net *dn)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(dn->looked_up, cpu));
	return sum;
}

/* Walks. Others find the locks free after each of these steps. */

#define DS_WALK_STEP	64

typedef void (*ds_walk_visit)(struct ds_net *dn, struct ds_sock *rec);

static void ds_walk_begin(struct ds_net *dn, enum ds_walk_kind kind)
{
	lockdep_assert_held(&dn->walk_lock);
	lockdep_assert_held(&dn->lock);

	dn->walk++;
	dn->walk_kind = kind;
}

static void ds_walk_end(struct ds_net *dn)
{
	dn->walk_kind = DS_WALK_NONE;
	dn->walk_next = NULL;
	dn->walk_sums = NULL;
}

/* Records leave the list meanwhile, and then move @walk_next on; others come to its
 * end, with the number of this walk. Returns false where a fatal signal ended it.
 */
static bool ds_walk_list(struct ds_net *dn, struct list_head *list,
			 ds_walk_visit visit, bool killable)
{
	unsigned int left = DS_WALK_STEP;
	struct ds_sock *rec;

	for (dn->walk_next = list->next; dn->walk_next != list;) {
		rec = list_entry(dn->walk_next, struct ds_sock, list);
		if (rec->walk == dn->walk)
			break;
		dn->walk_next = rec->list.next;
		rec->walk = dn->walk;
		visit(dn, rec);
		if (--left)
			continue;
		left = DS_WALK_STEP;
		spin_unlock_bh(&dn->lock);
		cond_resched();
		spin_lock_bh(&dn->lock);
		if (killable && fatal_signal_pending(current))
			return false;
	}
	return true;
}

/* Whether the cold records have been so for a grace period. */
static bool ds_net_is_settled(const struct ds_net *dn)
{
	return !dn->cooling || poll_state_synchronize_rcu(dn->cold_since);
}

static void ds_visit_sum(struct ds_net *dn, struct ds_sock *rec)
{
	ds_sock_add(rec, dn->walk_sums);
}

static void ds_visit_age(struct ds_net *dn, struct ds_sock *rec)
{
	if (rec->state == DS_SOCK_COLD)
		ds_sock_settle(dn, rec);
	else
		ds_sock_cool(rec);
}

static void ds_visit_sum_age(struct ds_net *dn, struct ds_sock *rec)
{
	/* First: what settles is in @count from then on, and that was read. */
	ds_visit_sum(dn, rec);
	ds_visit_age(dn, rec);
}

static void ds_net_read(const struct ds_net *dn, struct ds_sums *sums)
{
	unsigned int i, j;

	for (i = 0; i < DS_N_PROTOS; i++) {
		for (j = 0; j < DS_N_EVENTS; j++)
			sums->count[i][j] = atomic64_read(&dn->count[i][j]);
		sums->untracked[i] = atomic64_read(&dn->untracked[i]);
		sums->tracked[i] = dn->tracked[i];
		sums->evicted[i] = dn->evicted[i];
	}
	sums->looked_up = ds_net_looked_up(dn) - dn->looked_up_before;
	sums->ended = dn->ended;
}

/* After the counts, as what was seen in a way of its own is known before it counts. */
static void ds_net_read_ways(const struct ds_net *dn, struct ds_sums *sums)
{
	unsigned int i;

	for (i = 0; i < DS_N_WAYS; i++)
		sums->way[i] = atomic64_read(&dn->way[i]);
}

/* Add up, and let records that have no events become idle. */
static int ds_net_walk(struct ds_net *dn, struct ds_sums *sums)
{
	bool aged, complete;

	lockdep_assert_held(&dn->walk_lock);

	aged = ds_net_is_settled(dn);
	spin_lock_bh(&dn->lock);
	ds_net_read(dn, sums);
	ds_walk_begin(dn, DS_WALK_SUM);
	dn->walk_sums = sums;
	complete = ds_walk_list(dn, &dn->busy,
				aged ? ds_visit_sum_age : ds_visit_sum, true);
	ds_net_read_ways(dn, sums);
	ds_walk_end(dn);
	dn->cooling = !list_empty(&dn->busy);
	spin_unlock_bh(&dn->lock);

	if (aged && dn->cooling)
		dn->cold_since = start_poll_synchronize_rcu();
	return complete ? 0 : -EINTR;
}

int ds_net_sums(const struct net *net, struct ds_sums *sums)
{
	struct ds_net *dn = ds_net(net);
	int err;

	err = mutex_lock_killable(&dn->walk_lock);
	if (err)
		return err;
	err = ds_net_walk(dn, sums);
	mutex_unlock(&dn->walk_lock);
	return err;
}

/* The sums are not asked for. */
static void ds_net_age(struct work_struct *work)
{
	struct ds_net *dn = container_of(to_delayed_work(work), struct ds_net,
					 age);
	struct ds_sums sums;

	mutex_lock(&dn->walk_lock);
	/* Whoever finds no room from here on has this work done again. */
	WRITE_ONCE(dn->no_room, false);
	ds_net_walk(dn, &sums);
	mutex_unlock(&dn->walk_lock);
}

static void ds_visit_reset(struct ds_net *dn, struct ds_sock *rec)
{
	ds_sock_take(rec, NULL);
	ds_sock_forget(rec);
	if (rec->state == DS_SOCK_IDLE)
		list_move_tail(&rec->list, &dn->idle_zero);
}

int ds_net_reset(const struct net *net)
{
	struct ds_net *dn = ds_net(net);
	unsigned int i, j;
	int err;

	err = mutex_lock_killable(&dn->walk_lock);
	if (err)
		return err;

	spin_lock_bh(&dn->lock);
	ds_walk_begin(dn, DS_WALK_RESET);
	for (i = 0; i < DS_N_PROTOS; i++) {
		for (j = 0; j < DS_N_EVENTS; j++)
			atomic64_set(&dn->count[i][j], 0);
		atomic64_set(&dn->untracked[i], 0);
		dn->evicted[i] = 0;
	}
	for (i = 0; i < DS_N_WAYS; i++)
		atomic64_set(&dn->way[i], 0);
	/* The counters are those of their processors to write. */
	dn->looked_up_before = ds_net_looked_up(dn);
	dn->ended = 0;
	ds_walk_list(dn, &dn->busy, ds_visit_reset, false);
	ds_walk_list(dn, &dn->idle, ds_visit_reset, false);
	ds_walk_end(dn);
	WRITE_ONCE(dn->since, ktime_get_boottime_ns());
	spin_unlock_bh(&dn->lock);
	mutex_unlock(&dn->walk_lock);
	return 0;
}

/* Under RCU. */
static bool ds_net_reset_rec(struct ds_net *dn, struct ds_sock *rec)
{
	bool there;

	spin_lock_bh(&dn->lock);
	there = rec->state != DS_SOCK_GONE;
	if (there) {
		/* Those of an idle one are there. */
		ds_sock_take(rec, rec->state == DS_SOCK_IDLE ?
				  NULL : dn->count[rec->proto]);
		ds_sock_forget(rec);
	}
	spin_unlock_bh(&dn->lock);
	return there;
}

int ds_net_reset_sock(const struct net *net, u64 cookie)
{
	struct ds_net *dn = ds_net(net);
	struct ds_sock *rec;
	int err;

	/* Whoever adds up sees the counts on one side only. */
	err = mutex_lock_killable(&dn->walk_lock);
	if (err)
		return err;
	rcu_read_lock();
	rec = ds_sock_by_cookie(cookie);
	if (!rec || rec->net != net || !ds_net_reset_rec(dn, rec))
		err = -ENOENT;
	rcu_read_unlock();
	mutex_unlock(&dn->walk_lock);
	return err;
}

static int __net_init ds_net_init(struct net *net)
{
	struct ds_net *dn = ds_net(net);

	dn->looked_up = alloc_percpu(u64);
	if (!dn->looked_up)
		return -ENOMEM;

	spin_lock_init(&dn->lock);
	INIT_LIST_HEAD(&dn->busy);
	INIT_LIST_HEAD(&dn->idle);
	INIT_LIST_HEAD(&dn->idle_zero);
	mutex_init(&dn->walk_lock);
	INIT_DELAYED_WORK(&dn->age, ds_net_age);
	dn->since = ktime_get_boottime_ns();
	dn->max_sockets = DS_MAX_SOCKETS;
	ds_windows_init(&dn->windows);
	mutex_init(&dn->v6only_mutex);
	return 0;
}

static void __net_exit ds_net_exit(struct list_head *nets)
{
	bool ended = false;
	struct net *net;

	list_for_each_entry(net, nets, exit_list) {
		cancel_delayed_work_sync(&ds_net(net)->age);
		ended |= ds_sock_end_net(net);
	}
	/* Readers that found one of these records are about to look at its namespace. */
	if (ended)
		synchronize_rcu();
	/* No packet counts here any more: cleanup_net() has waited for those that
	 * found check_net() true, and ds_hooks_detach() if the module goes.
	 */
	list_for_each_entry(net, nets, exit_list)
		free_percpu(ds_net(net)->looked_up);
}

static struct pernet_operations ds_net_ops = {
	.init	= ds_net_init,
	.exit_batch = ds_net_exit,
	.id	= &ds_net_id,
	.size	= sizeof(struct ds_net),
};

int __init ds_stats_init(void)
{
	return register_pernet_subsys(&ds_net_ops);
}

void ds_stats_exit(void)
{
	unregister_pernet_subsys(&ds_net_ops);
}
