// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "nl/config.h"

static int config_each(const struct nlmsghdr *hdr, void *arg)
{
	static struct nla_policy policy[DUALSTACK_A_CONFIG_MAX + 1] = {
		[DUALSTACK_A_CONFIG_TRACKING] = { .type = NLA_U8 },
		[DUALSTACK_A_CONFIG_MAX_SOCKETS] = { .type = NLA_U32 },
		[DUALSTACK_A_CONFIG_EVENT_RATE] = { .type = NLA_U32 },
		[DUALSTACK_A_CONFIG_BINDV6ONLY] = { .type = NLA_U8 },
		[DUALSTACK_A_CONFIG_EVENT_SEQ] = { .type = NLA_U64 },
		[DUALSTACK_A_CONFIG_SINCE] = { .type = NLA_U64 },
		[DUALSTACK_A_CONFIG_PEERS] = { .type = NLA_U8 },
		[DUALSTACK_A_CONFIG_MAX_PEERS] = { .type = NLA_U32 },
	};
	struct nlattr *tb[DUALSTACK_A_CONFIG_MAX + 1];
	struct config *config = arg;

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb,
			  DUALSTACK_A_CONFIG_MAX, policy) < 0 ||
	    !tb[DUALSTACK_A_CONFIG_TRACKING] ||
	    !tb[DUALSTACK_A_CONFIG_MAX_SOCKETS] ||
	    !tb[DUALSTACK_A_CONFIG_EVENT_RATE] ||
	    !tb[DUALSTACK_A_CONFIG_BINDV6ONLY])
		return -EBADMSG;

	config->tracking = nla_get_u8(tb[DUALSTACK_A_CONFIG_TRACKING]);
	config->bindv6only = nla_get_u8(tb[DUALSTACK_A_CONFIG_BINDV6ONLY]);
	config->max_sockets = nla_get_u32(tb[DUALSTACK_A_CONFIG_MAX_SOCKETS]);
	config->event_rate = nla_get_u32(tb[DUALSTACK_A_CONFIG_EVENT_RATE]);
	/* The module of before 0.2.0 has none. */
	config->peers = tb[DUALSTACK_A_CONFIG_PEERS] &&
			nla_get_u8(tb[DUALSTACK_A_CONFIG_PEERS]);
	config->max_peers = tb[DUALSTACK_A_CONFIG_MAX_PEERS] ?
			    nla_get_u32(tb[DUALSTACK_A_CONFIG_MAX_PEERS]) : 0;
	/* These are missing if the defaults were asked for. */
	config->numbered = tb[DUALSTACK_A_CONFIG_EVENT_SEQ];
	config->event_seq = nla_get_u64(tb[DUALSTACK_A_CONFIG_EVENT_SEQ]);
	config->since = nla_get_u64(tb[DUALSTACK_A_CONFIG_SINCE]);
	return 0;
}

int config_get(struct dsnl *nl, bool defaults, struct config *config)
{
	struct nl_msg *msg;

	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_CONFIG_GET, 0);
	if (!msg)
		return -ENOMEM;
	if (defaults && nla_put_flag(msg, DUALSTACK_A_CONFIG_DEFAULTS)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return dsnl_request(nl, msg, NULL, config_each, config);
}
