// SPDX-License-Identifier: GPL-2.0

#include <net/genetlink.h>

#include "netlink_gen.h"

int dualstack_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}

int dualstack_nl_config_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}

int dualstack_nl_reset_doit(struct sk_buff *skb, struct genl_info *info)
{
	return -EOPNOTSUPP;
}
