// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/dualstack.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/dualstack.h>

/* DUALSTACK_CMD_SOCKET_GET - do */
const struct nla_policy dualstack_socket_get_nl_policy[DUALSTACK_A_SOCKET_COOKIE + 1] = {
	[DUALSTACK_A_SOCKET_COOKIE] = { .type = NLA_U64, },
};

/* DUALSTACK_CMD_STATS_GET - do */
const struct nla_policy dualstack_stats_get_nl_policy[DUALSTACK_A_STATS_PROTOCOL + 1] = {
	[DUALSTACK_A_STATS_PROTOCOL] = { .type = NLA_U8, },
};

/* DUALSTACK_CMD_HOOK_GET - do */
const struct nla_policy dualstack_hook_get_nl_policy[DUALSTACK_A_HOOK_NAME + 1] = {
	[DUALSTACK_A_HOOK_NAME] = { .type = NLA_NUL_STRING, .len = 63, },
};

/* Ops table for dualstack */
const struct genl_ops dualstack_nl_ops[3] = {
	{
		.cmd		= DUALSTACK_CMD_SOCKET_GET,
		.doit		= dualstack_nl_socket_get_doit,
		.dumpit		= dualstack_nl_socket_get_dumpit,
		.policy		= dualstack_socket_get_nl_policy,
		.maxattr	= DUALSTACK_A_SOCKET_COOKIE,
	},
	{
		.cmd		= DUALSTACK_CMD_STATS_GET,
		.doit		= dualstack_nl_stats_get_doit,
		.policy		= dualstack_stats_get_nl_policy,
		.maxattr	= DUALSTACK_A_STATS_PROTOCOL,
	},
	{
		.cmd		= DUALSTACK_CMD_HOOK_GET,
		.doit		= dualstack_nl_hook_get_doit,
		.dumpit		= dualstack_nl_hook_get_dumpit,
		.policy		= dualstack_hook_get_nl_policy,
		.maxattr	= DUALSTACK_A_HOOK_NAME,
	},
};
