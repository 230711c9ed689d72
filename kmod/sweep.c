// SPDX-License-Identifier: GPL-2.0
/* Records whose sockets ended while nobody looked. */

#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/rculist_nulls.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <net/inet_hashtables.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/udp.h>

#include "net.h"
#include "sock.h"
#include "sweep.h"

/* Returns what it was. */
static bool ds_sweep_set_alive(struct ds_sock *rec, bool alive)
{
	struct ds_net *dn = ds_net(rec->net);
	bool old;

	spin_lock_bh(&dn->records.lock);
	old = rec->alive;
	rec->alive = alive;
	spin_unlock_bh(&dn->records.lock);
	return old;
}

/* A socket that came to the address of a former one has another cookie. */
static void ds_sweep_mark(const struct sock *sk)
{
	struct ds_sock *rec;

	rcu_read_lock();
	rec = ds_sock_by_cookie(atomic64_read(&sk->sk_cookie));
	if (rec)
		ds_sweep_set_alive(rec, true);
	rcu_read_unlock();
}

static void ds_sweep_listeners(const struct inet_hashinfo *hinfo)
{
	struct inet_listen_hashbucket *head;
	struct hlist_nulls_node *node;
	struct sock *sk;
	unsigned int i;

	for (i = 0; i <= hinfo->lhash2_mask; i++) {
		head = &hinfo->lhash2[i];
		if (!hlist_nulls_empty(&head->nulls_head)) {
			/* The kernel has bottom halves on here, too. */
			spin_lock(&head->lock);
			sk_nulls_for_each(sk, node, &head->nulls_head)
				ds_sweep_mark(sk);
			spin_unlock(&head->lock);
		}
		cond_resched();
	}
}

static void ds_sweep_connections(struct inet_hashinfo *hinfo)
{
	struct hlist_nulls_head *chain;
	struct hlist_nulls_node *node;
	struct sock *sk;
	unsigned int i;

	for (i = 0; i <= hinfo->ehash_mask; i++) {
		chain = &hinfo->ehash[i].chain;
		if (!hlist_nulls_empty(chain)) {
			spin_lock_bh(inet_ehash_lockp(hinfo, i));
			/* A socket in TIME_WAIT has the cookie of the one before,
			 * whose record has ended.
			 */
			sk_nulls_for_each(sk, node, chain)
				if (sk_fullsock(sk))
					ds_sweep_mark(sk);
			spin_unlock_bh(inet_ehash_lockp(hinfo, i));
		}
		cond_resched();
	}
}

static void ds_sweep_udp(const struct udp_table *table)
{
	struct udp_hslot *slot;
	struct sock *sk;
	unsigned int i;

	for (i = 0; i <= table->mask; i++) {
		slot = &table->hash[i];
		if (!hlist_empty(&slot->head)) {
			spin_lock_bh(&slot->lock);
			sk_for_each(sk, &slot->head)
				ds_sweep_mark(sk);
			spin_unlock_bh(&slot->lock);
		}
		cond_resched();
	}
}

/* Most namespaces share the tables of the first one. */
static void ds_sweep_net(struct net *net, void *unused)
{
	const struct inet_hashinfo *first = init_net.ipv4.tcp_death_row.hashinfo;
	struct inet_hashinfo *hinfo = net->ipv4.tcp_death_row.hashinfo;
	bool is_first = net == &init_net;

	if (is_first || hinfo->lhash2 != first->lhash2)
		ds_sweep_listeners(hinfo);
	if (is_first || hinfo->ehash != first->ehash)
		ds_sweep_connections(hinfo);
	if (is_first || ds_udp_table(net) != ds_udp_table(&init_net))
		ds_sweep_udp(ds_udp_table(net));
}

static bool ds_sweep_needed(void)
{
	unsigned int i;

	for (i = 0; i < DS_SOCK_BUCKETS; i++)
		if (rcu_access_pointer(ds_sock_table[i]) != &ds_sock_none)
			return true;
	return false;
}

void ds_sweep(void)
{
	struct ds_sock *rec;
	unsigned int i;

	if (!ds_sweep_needed())
		return;

	/* The records of a namespace that is going are left to the end. */
	ds_net_visit(ds_sweep_net, NULL);

	for (i = 0; i < DS_SOCK_BUCKETS; i++) {
		rcu_read_lock();
		rec = ds_sock_first(&ds_sock_table[i]);
		for (; rec; rec = ds_sock_next(rec)) {
			if (!ds_sweep_set_alive(rec, false))
				ds_sock_end_rec(rec);
		}
		rcu_read_unlock();
		cond_resched();
	}
}
