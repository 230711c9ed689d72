// SPDX-License-Identifier: GPL-2.0
/* What is kept for a network namespace. */

#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "net.h"

unsigned int ds_net_id __read_mostly;

struct ds_net *ds_net(const struct net *net)
{
	return net_generic(net, ds_net_id);
}
