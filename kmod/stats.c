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
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <uapi/linux/dualstack.h>

#include "last_peer.h"
#include "net.h"
#include "port_sums.h"
#include "sock.h"
#include "stats.h"
#include "walk.h"

const struct ds_counter ds_counters[] = {
	DS_COUNTER_ROWS
};

u8 ds_counter_attr(enum ds_event event, enum ds_family family,
		   enum ds_proto proto)
{
	const struct ds_counter *c, *other = NULL;

	for (c = ds_counters; c < ds_counters + DS_N_COUNTERS; c++) {
		if (c->event != event || !(c->protos & BIT(proto)))
			continue;
		if (c->family == family)
			return c->attr;
		other = c;
	}
	/* IPV6_ADDRFORM made it an AF_INET socket, what it reads came before that. */
	return WARN_ON_ONCE(!other) ? 0 : other->attr;
}

void ds_net_untracked(const struct net *net, enum ds_family family,
		      enum ds_proto proto, enum ds_event event, unsigned int n)
{
	struct ds_totals *totals;

	if (!check_net(net))
		return;
	totals = &ds_net(net)->totals;
	atomic64_add(n, &totals->count[family][proto][event]);
	atomic64_add(n, &totals->untracked[proto]);
}

void ds_net_way(const struct net *net, enum ds_way way)
{
	rcu_read_lock();
	if (check_net(net))
		atomic64_inc(&ds_net(net)->totals.way[way]);
	rcu_read_unlock();
}

static u64 ds_totals_looked_up(const struct ds_totals *totals)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(totals->looked_up, cpu));
	return sum;
}

/* Whether the cold records have been so for a grace period. */
static bool ds_records_have_settled(const struct ds_records *records)
{
	return !records->cooling ||
	       poll_state_synchronize_rcu(records->cold_since);
}

static void ds_visit_sum(struct ds_net *dn, struct ds_sock *rec)
{
	ds_sock_add(dn, rec, dn->records.walk.sums);
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
	const struct ds_records *records = &dn->records;
	const struct ds_totals *totals = &dn->totals;
	unsigned int i, j, k;

	for (i = 0; i < DS_N_PROTOS; i++) {
		for (k = 0; k < DS_N_FAMILIES; k++)
			for (j = 0; j < DS_N_EVENTS; j++)
				sums->count[k][i][j] =
					atomic64_read(&totals->count[k][i][j]);
		sums->untracked[i] = atomic64_read(&totals->untracked[i]);
		sums->tracked[i] = records->tracked[i];
		sums->evicted[i] = records->evicted[i];
	}
	sums->looked_up = ds_totals_looked_up(totals) - totals->looked_up_before;
	sums->ended = records->ended;
}

/* After the counts, as what was seen in a way of its own is known before it counts. */
static void ds_net_read_ways(const struct ds_net *dn, struct ds_sums *sums)
{
	unsigned int i;

	for (i = 0; i < DS_N_WAYS; i++)
		sums->way[i] = atomic64_read(&dn->totals.way[i]);
}

/* Add up, and let records that have no events become idle. */
static int ds_net_add_up(struct ds_net *dn, struct ds_sums *sums)
{
	struct ds_records *records = &dn->records;
	bool aged, complete;

	lockdep_assert_held(&records->walk.lock);

	aged = ds_records_have_settled(records);
	spin_lock_bh(&records->lock);
	ds_net_read(dn, sums);
	if (sums->ports)
		ds_ports_open(&dn->ports, &dn->totals, sums->ports);
	ds_walk_begin(dn, DS_WALK_SUM, sums);
	complete = ds_walk_list(dn, &records->busy,
				aged ? ds_visit_sum_age : ds_visit_sum, true);
	ds_net_read_ways(dn, sums);
	ds_walk_end(dn);
	if (sums->ports)
		ds_ports_close(&dn->ports, sums->ports);
	records->cooling = !list_empty(&records->busy);
	spin_unlock_bh(&records->lock);

	if (aged && records->cooling)
		records->cold_since = start_poll_synchronize_rcu();
	return complete ? 0 : -EINTR;
}

static int ds_net_sums_locked(struct ds_net *dn, struct ds_sums *sums)
{
	int err;

	err = mutex_lock_killable(&dn->records.walk.lock);
	if (err)
		return err;
	err = ds_net_add_up(dn, sums);
	mutex_unlock(&dn->records.walk.lock);
	return err;
}

int ds_net_sums(const struct net *net, struct ds_sums *sums)
{
	sums->ports = NULL;
	return ds_net_sums_locked(ds_net(net), sums);
}

int ds_net_port_sums(const struct net *net, struct ds_port_views *views)
{
	struct ds_sums sums = { .ports = views };	/* the rest is not wanted */

	return ds_net_sums_locked(ds_net(net), &sums);
}

void ds_net_age(struct work_struct *work)
{
	struct ds_net *dn = container_of(to_delayed_work(work), struct ds_net,
					 records.age);
	struct ds_sums sums = { };	/* nobody asks for them */

	mutex_lock(&dn->records.walk.lock);
	/* Whoever finds no room from here on has this work done again. */
	WRITE_ONCE(dn->records.no_room, false);
	ds_net_add_up(dn, &sums);
	mutex_unlock(&dn->records.walk.lock);
}

static void ds_visit_reset(struct ds_net *dn, struct ds_sock *rec)
{
	ds_sock_take(rec, NULL);
	ds_sock_forget(rec);
	if (rec->state == DS_SOCK_IDLE)
		list_move_tail(&rec->list, &dn->records.idle_zero);
}

static void ds_totals_reset(struct ds_totals *totals)
{
	unsigned int i, j, k;

	for (i = 0; i < DS_N_PROTOS; i++) {
		for (k = 0; k < DS_N_FAMILIES; k++)
			for (j = 0; j < DS_N_EVENTS; j++)
				atomic64_set(&totals->count[k][i][j], 0);
		atomic64_set(&totals->untracked[i], 0);
	}
	for (i = 0; i < DS_N_WAYS; i++)
		atomic64_set(&totals->way[i], 0);
	/* The counters are those of their processors to write. */
	totals->looked_up_before = ds_totals_looked_up(totals);
}

/* Ports that are history: without their counts there is nothing to tell of them. */
static void ds_net_trim_ports(struct ds_net *dn)
{
	unsigned long from = 0;
	bool more;

	lockdep_assert_held(&dn->records.walk.lock);

	do {
		spin_lock_bh(&dn->records.lock);
		more = ds_ports_trim(&dn->ports, &from);
		spin_unlock_bh(&dn->records.lock);
		cond_resched();
	} while (more);
}

int ds_net_reset(const struct net *net)
{
	struct ds_net *dn = ds_net(net);
	struct ds_records *records = &dn->records;
	int err;

	err = mutex_lock_killable(&records->walk.lock);
	if (err)
		return err;

	spin_lock_bh(&records->lock);
	ds_walk_begin(dn, DS_WALK_RESET, NULL);
	ds_totals_reset(&dn->totals);
	ds_ports_reset(&dn->ports);
	memset(records->evicted, 0, sizeof(records->evicted));
	records->ended = 0;
	ds_walk_list(dn, &records->busy, ds_visit_reset, false);
	ds_walk_list(dn, &records->idle, ds_visit_reset, false);
	ds_walk_end(dn);
	WRITE_ONCE(dn->totals.since, ktime_get_boottime_ns());
	spin_unlock_bh(&records->lock);
	ds_net_trim_ports(dn);
	mutex_unlock(&records->walk.lock);
	return 0;
}

/* Under RCU. */
static bool ds_net_reset_rec(struct ds_net *dn, struct ds_sock *rec)
{
	bool there;

	spin_lock_bh(&dn->records.lock);
	there = rec->state != DS_SOCK_GONE;
	if (there) {
		/* Those of an idle one are there. */
		ds_sock_take(rec, rec->state == DS_SOCK_IDLE ? NULL : dn);
		ds_sock_forget(rec);
	}
	spin_unlock_bh(&dn->records.lock);
	return there;
}

int ds_net_reset_sock(const struct net *net, u64 cookie)
{
	struct ds_net *dn = ds_net(net);
	struct ds_sock *rec;
	int err;

	/* Whoever adds up sees the counts on one side only. */
	err = mutex_lock_killable(&dn->records.walk.lock);
	if (err)
		return err;
	rcu_read_lock();
	rec = ds_sock_by_cookie(cookie);
	if (!rec || rec->net != net || !ds_net_reset_rec(dn, rec))
		err = -ENOENT;
	rcu_read_unlock();
	mutex_unlock(&dn->records.walk.lock);
	return err;
}

int ds_totals_init(struct ds_totals *totals)
{
	totals->looked_up = alloc_percpu(u64);
	if (!totals->looked_up)
		return -ENOMEM;
	totals->since = ktime_get_boottime_ns();
	return 0;
}

void ds_totals_exit(struct ds_totals *totals)
{
	free_percpu(totals->looked_up);
}
