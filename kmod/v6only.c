// SPDX-License-Identifier: GPL-2.0

#include <net/genetlink.h>

#include "netlink_gen.h"

int dualstack_nl_v6only_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}
