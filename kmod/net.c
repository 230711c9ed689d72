// SPDX-License-Identifier: GPL-2.0
/* What is kept for a network namespace. */

#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "net.h"

unsigned int ds_net_id __read_mostly;

struct ds_net *ds_net(const struct net *net)
{
	return net_generic(net, ds_net_id);
}

void ds_net_visit(void (*visit)(struct net *net, void *arg), void *arg)
{
	struct net *net;

	rcu_read_lock();
	for_each_net_rcu(net) {
		if (!maybe_get_net(net))
			continue;
		/* Held, it stays in the list that goes on from here. */
		rcu_read_unlock();
		visit(net, arg);
		rcu_read_lock();
		put_net(net);
	}
	rcu_read_unlock();
}
