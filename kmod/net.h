/* SPDX-License-Identifier: GPL-2.0 */
/* What is kept for a network namespace. */

#ifndef _DUALSTACK_NET_H
#define _DUALSTACK_NET_H

#include <linux/compiler.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "ledger.h"
#include "port_sums.h"
#include "queue.h"
#include "rules.h"
#include "sock.h"
#include "stats.h"
#include "window.h"

/**
 * struct ds_net - what is kept for a network namespace
 * @net:	the namespace
 * @totals:	the sums, but for records that are busy
 * @records:	the records of its sockets
 * @ledger:	who uses IPv4
 * @ports:	the sums by port
 * @windows:	ports where IPV6_V6ONLY is being switched off
 * @rules:	what IPV6_V6ONLY is to be on sockets to come
 * @queue:	the events that wait to be sent to who listens
 */
struct ds_net {
	struct net *net;
	struct ds_totals totals;
	struct ds_records records;
	struct ds_ledger ledger;
	struct ds_ports ports;
	struct ds_windows windows;
	struct ds_rules rules;
	struct ds_queue queue;
};

extern unsigned int ds_net_id;

/**
 * ds_net() - the state of a namespace
 * @net:	the namespace
 *
 * Context: under RCU, with check_net(@net) true inside the same section; or
 * while something keeps @net alive. The memory goes with the namespace.
 */
struct ds_net *ds_net(const struct net *net);

/**
 * ds_net_rcu() - ds_net() for callers in an RCU section
 * @net:	the namespace
 *
 * It costs less: net_generic() has an RCU section of its own.
 *
 * Context: as ds_net(), under RCU of any kind, preemption disabled included.
 *
 * Return: as ds_net().
 */
static __always_inline struct ds_net *ds_net_rcu(const struct net *net)
{
	return rcu_dereference_check(net->gen, rcu_read_lock_any_held())->ptr[ds_net_id];
}

/**
 * ds_net_visit() - look at all namespaces
 * @visit:	what is called for each, which stays meanwhile. May sleep
 * @arg:	its second argument
 *
 * Those that are going are left out.
 *
 * Context: process, may sleep.
 */
void ds_net_visit(void (*visit)(struct net *net, void *arg), void *arg);

#endif /* _DUALSTACK_NET_H */
