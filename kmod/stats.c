// SPDX-License-Identifier: GPL-2.0
/* The sums of a network namespace: its live records, plus what closed sockets
 * left behind. They are added up when somebody asks, so that a packet pays for
 * one counter only.
 */

#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/rculist.h>
#include <linux/string.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include <uapi/linux/dualstack.h>

#include "sock.h"
#include "stats.h"

#define TCP	BIT(DS_TCP)
#define UDP	BIT(DS_UDP)

const struct ds_counter ds_counters[DS_N_COUNTERS] = {
	{ DUALSTACK_A_COUNTER_MAPPED_ACCEPT, DS_IN_MAPPED, TCP },
	{ DUALSTACK_A_COUNTER_NATIVE_ACCEPT, DS_IN_NATIVE, TCP },
	{ DUALSTACK_A_COUNTER_MAPPED_RECV, DS_IN_MAPPED, UDP },
	{ DUALSTACK_A_COUNTER_NATIVE_RECV, DS_IN_NATIVE, UDP },
	{ DUALSTACK_A_COUNTER_MAPPED_CONNECT, DS_CONNECT, TCP | UDP },
	{ DUALSTACK_A_COUNTER_MAPPED_SEND, DS_SEND, UDP },
	{ DUALSTACK_A_COUNTER_REJECT_V6ONLY, DS_REJECT_V6ONLY, TCP | UDP },
	{ DUALSTACK_A_COUNTER_REJECT_ADDR, DS_REJECT_ADDR, TCP | UDP },
	{ DUALSTACK_A_COUNTER_REJECT_V4ONLY, DS_REJECT_V4ONLY, TCP | UDP },
	{ DUALSTACK_A_COUNTER_REJECT_CONNECT, DS_REJECT_CONNECT, TCP | UDP },
	{ DUALSTACK_A_COUNTER_REJECT_SEND, DS_REJECT_SEND, UDP },
	{ DUALSTACK_A_COUNTER_REJECT_BIND, DS_REJECT_BIND, TCP | UDP },
	{ DUALSTACK_A_COUNTER_WIRE_MAPPED, DS_WIRE_MAPPED, TCP | UDP },
};

static unsigned int ds_net_id __read_mostly;

struct ds_net *ds_net(const struct net *net)
{
	return net_generic(net, ds_net_id);
}

/* What net_generic() does within an RCU section of its own. */
struct ds_net *ds_net_nopreempt(const struct net *net)
{
	return rcu_dereference_sched(net->gen)->ptr[ds_net_id];
}

void ds_net_untracked(const struct net *net, enum ds_proto proto,
		      enum ds_event event)
{
	struct ds_net *dn;

	if (!check_net(net))
		return;
	dn = ds_net(net);
	atomic64_inc(&dn->count[proto][event]);
	atomic64_inc(&dn->untracked[proto]);
}

static u64 ds_net_looked_up(const struct ds_net *dn)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(dn->looked_up, cpu));
	return sum;
}

static void ds_net_add(const struct ds_net *dn, struct ds_sums *sums)
{
	struct ds_sock *rec;
	unsigned int i, j;

	for (i = 0; i < DS_N_PROTOS; i++) {
		for (j = 0; j < DS_N_EVENTS; j++)
			sums->count[i][j] = atomic64_read(&dn->count[i][j]);
		sums->untracked[i] = atomic64_read(&dn->untracked[i]);
		sums->tracked[i] = dn->tracked[i];
	}
	sums->fastopen = atomic64_read(&dn->fastopen);
	sums->looked_up = ds_net_looked_up(dn) - dn->looked_up_before;
	sums->ended = dn->ended;

	rcu_read_lock();
	hlist_for_each_entry_rcu(rec, &dn->records, net_node)
		for (j = 0; j < DS_N_EVENTS; j++)
			sums->count[rec->proto][j] +=
				atomic64_read(&rec->count[j]);
	rcu_read_unlock();
}

void ds_net_sums(const struct net *net, struct ds_sums *sums)
{
	struct ds_net *dn = ds_net(net);
	unsigned int seq, tries;

	for (tries = 0; tries < 4; tries++) {
		seq = read_seqcount_begin(&dn->seq);
		ds_net_add(dn, sums);
		if (!read_seqcount_retry(&dn->seq, seq))
			return;
	}

	/* Sockets close faster than we add: make those of this namespace wait,
	 * this once.
	 */
	spin_lock_bh(&dn->lock);
	ds_net_add(dn, sums);
	spin_unlock_bh(&dn->lock);
}

void ds_net_reset(const struct net *net)
{
	struct ds_net *dn = ds_net(net);
	unsigned int i, j;

	/* Records first: what one that ends meanwhile leaves behind goes, too. */
	ds_sock_reset_net(net);

	spin_lock_bh(&dn->lock);
	write_seqcount_begin(&dn->seq);
	for (i = 0; i < DS_N_PROTOS; i++) {
		for (j = 0; j < DS_N_EVENTS; j++)
			atomic64_set(&dn->count[i][j], 0);
		atomic64_set(&dn->untracked[i], 0);
	}
	atomic64_set(&dn->fastopen, 0);
	/* The counters are those of their processors to write. */
	dn->looked_up_before = ds_net_looked_up(dn);
	dn->ended = 0;
	WRITE_ONCE(dn->since, ktime_get_boottime_ns());
	write_seqcount_end(&dn->seq);
	spin_unlock_bh(&dn->lock);
}

static int __net_init ds_net_init(struct net *net)
{
	struct ds_net *dn = ds_net(net);

	dn->looked_up = alloc_percpu(u64);
	if (!dn->looked_up)
		return -ENOMEM;

	spin_lock_init(&dn->lock);
	seqcount_spinlock_init(&dn->seq, &dn->lock);
	dn->since = ktime_get_boottime_ns();
	dn->max_sockets = DS_MAX_SOCKETS;
	mutex_init(&dn->v6only_lock);
	return 0;
}

static void __net_exit ds_net_exit(struct list_head *nets)
{
	bool ended = false;
	struct net *net;

	list_for_each_entry(net, nets, exit_list)
		ended |= ds_sock_end_net(net);
	/* Who found one of these records is about to look at its namespace. */
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
