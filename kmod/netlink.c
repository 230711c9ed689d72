// SPDX-License-Identifier: GPL-2.0
/* The generic-netlink family: see Documentation/netlink/specs/dualstack.yaml,
 * from which policies and ops are generated.
 */

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <net/genetlink.h>

#include "netlink.h"
#include "netlink_gen.h"
#include "stats.h"

static struct genl_family ds_family;

#define DS_A_PAD	1	/* the same in every set */

static_assert((int)DUALSTACK_A_SOCKET_PAD == DS_A_PAD);
static_assert((int)DUALSTACK_A_COUNTER_PAD == DS_A_PAD);
static_assert((int)DUALSTACK_A_PEER_PAD == DS_A_PAD);
static_assert((int)DUALSTACK_A_STATS_PAD == DS_A_PAD);
static_assert((int)DUALSTACK_A_HOOK_PAD == DS_A_PAD);
static_assert((int)DUALSTACK_A_CONFIG_PAD == DS_A_PAD);
static_assert((int)DUALSTACK_A_EVENT_PAD == DS_A_PAD);
static_assert((int)DUALSTACK_A_PEER_ENTRY_PAD == DS_A_PAD);
static_assert((int)DUALSTACK_A_PORT_PAD == DS_A_PAD);
static_assert((int)DUALSTACK_A_RULE_PAD == DS_A_PAD);

int ds_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put_u64_64bit(skb, attr, value, DS_A_PAD);
}

void *ds_put_header(struct sk_buff *skb, u32 portid, u32 seq, int flags,
		    u8 cmd)
{
	return genlmsg_put(skb, portid, seq, &ds_family, flags, cmd);
}

void *ds_dump_header(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd)
{
	return ds_put_header(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, NLM_F_MULTI, cmd);
}

int ds_dump_end(struct sk_buff *skb, void *hdr, int err)
{
	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return err;
}

struct sk_buff *ds_reply_new(struct genl_info *info)
{
	struct sk_buff *msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!msg)
		return NULL;
	/* There is room: it is the first that goes in. */
	ds_put_header(msg, info->snd_portid, info->snd_seq, 0,
		      info->genlhdr->cmd);
	return msg;
}

int ds_reply(struct sk_buff *msg, struct genl_info *info, int err)
{
	if (err < 0) {
		nlmsg_free(msg);
		return err;
	}
	nlmsg_end(msg, nlmsg_hdr(msg));
	return genlmsg_reply(msg, info);
}

int ds_parse_proto(const struct nlattr *attr, struct netlink_ext_ack *extack)
{
	int proto = ds_proto(nla_get_u8(attr));

	if (proto >= 0)
		return proto;
	NL_SET_ERR_MSG_ATTR(extack, attr, "Protocol is neither TCP nor UDP");
	return -EINVAL;
}

int ds_check_last(const struct sk_buff *skb, struct genl_info *info)
{
	if (skb->len < nlmsg_total_size(0) + NLMSG_ALIGN(info->nlhdr->nlmsg_len))
		return 0;

	NL_SET_ERR_MSG(info->extack,
		       "Other requests follow in the same send(): this one takes its time, and has to be the last");
	return -EBUSY;
}

/* The generator has such a table, but keeps it to itself. */
static const struct genl_multicast_group ds_mcgrps[] = {
	[DUALSTACK_NLGRP_EVENTS] = {
		.name	= DUALSTACK_MCGRP_EVENTS,
		.flags	= GENL_MCAST_CAP_NET_ADMIN,
	},
};

/* The first of its arguments is memory that a dump of ports is told from. */
static int ds_dump_ports_done(struct netlink_callback *cb)
{
	kvfree((void *)cb->args[0]);
	return 0;
}

/* The generated ones and, which the generator cannot say, the end of a dump. */
static struct genl_ops ds_ops[ARRAY_SIZE(dualstack_nl_ops)] __ro_after_init;

static struct genl_family ds_family __ro_after_init = {
	.name		= DUALSTACK_GENL_NAME,
	.version	= DUALSTACK_GENL_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.ops		= ds_ops,
	.n_ops		= ARRAY_SIZE(ds_ops),
	.mcgrps		= ds_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(ds_mcgrps),
};

bool ds_has_listeners(struct net *net)
{
	return genl_has_listeners(&ds_family, net, DUALSTACK_NLGRP_EVENTS);
}

int ds_multicast(struct net *net, struct sk_buff *skb)
{
	return genlmsg_multicast_netns(&ds_family, net, skb, 0,
				       DUALSTACK_NLGRP_EVENTS, GFP_KERNEL);
}

int __init ds_netlink_init(void)
{
	unsigned int i;

	memcpy(ds_ops, dualstack_nl_ops, sizeof(ds_ops));
	for (i = 0; i < ARRAY_SIZE(ds_ops); i++)
		if (ds_ops[i].cmd == DUALSTACK_CMD_PORT_GET)
			ds_ops[i].done = ds_dump_ports_done;
	return genl_register_family(&ds_family);
}

void ds_netlink_exit(void)
{
	genl_unregister_family(&ds_family);
}
