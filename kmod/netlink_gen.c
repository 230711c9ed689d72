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

/* DUALSTACK_CMD_CONFIG_GET - do */
const struct nla_policy dualstack_config_get_nl_policy[DUALSTACK_A_CONFIG_DEFAULTS + 1] = {
	[DUALSTACK_A_CONFIG_DEFAULTS] = { .type = NLA_FLAG, },
};

/* DUALSTACK_CMD_CONFIG_SET - do */
const struct nla_policy dualstack_config_set_nl_policy[DUALSTACK_A_CONFIG_MAX_PEERS + 1] = {
	[DUALSTACK_A_CONFIG_TRACKING] = NLA_POLICY_MAX(NLA_U8, 1),
	[DUALSTACK_A_CONFIG_MAX_SOCKETS] = { .type = NLA_U32, },
	[DUALSTACK_A_CONFIG_EVENT_RATE] = { .type = NLA_U32, },
	[DUALSTACK_A_CONFIG_BINDV6ONLY] = NLA_POLICY_MAX(NLA_U8, 1),
	[DUALSTACK_A_CONFIG_PEERS] = NLA_POLICY_MAX(NLA_U8, 1),
	[DUALSTACK_A_CONFIG_MAX_PEERS] = { .type = NLA_U32, },
};

/* DUALSTACK_CMD_V6ONLY_SET - do */
const struct nla_policy dualstack_v6only_set_nl_policy[DUALSTACK_A_V6ONLY_DRY_RUN + 1] = {
	[DUALSTACK_A_V6ONLY_COOKIE] = { .type = NLA_U64, },
	[DUALSTACK_A_V6ONLY_PROTOCOL] = { .type = NLA_U8, },
	[DUALSTACK_A_V6ONLY_PORT] = { .type = NLA_U16, },
	[DUALSTACK_A_V6ONLY_V6ONLY] = NLA_POLICY_MAX(NLA_U8, 1),
	[DUALSTACK_A_V6ONLY_DRY_RUN] = { .type = NLA_FLAG, },
};

/* DUALSTACK_CMD_RESET - do */
const struct nla_policy dualstack_reset_nl_policy[DUALSTACK_A_SOCKET_PEERS + 1] = {
	[DUALSTACK_A_SOCKET_COOKIE] = { .type = NLA_U64, },
	[DUALSTACK_A_SOCKET_PEERS] = { .type = NLA_FLAG, },
};

/* DUALSTACK_CMD_EXPLAIN - do */
const struct nla_policy dualstack_explain_nl_policy[DUALSTACK_A_EXPLAIN_IFINDEX + 1] = {
	[DUALSTACK_A_EXPLAIN_PROTOCOL] = { .type = NLA_U8, },
	[DUALSTACK_A_EXPLAIN_ADDR] = { .type = NLA_BINARY, },
	[DUALSTACK_A_EXPLAIN_PORT] = { .type = NLA_U16, },
	[DUALSTACK_A_EXPLAIN_FROM_ADDR] = { .type = NLA_BINARY, },
	[DUALSTACK_A_EXPLAIN_FROM_PORT] = { .type = NLA_U16, },
	[DUALSTACK_A_EXPLAIN_IFINDEX] = { .type = NLA_U32, },
};

/* DUALSTACK_CMD_EVENTS_START - do */
const struct nla_policy dualstack_events_start_nl_policy[DUALSTACK_A_CONFIG_PAD + 1] = {
};

/* DUALSTACK_CMD_PEER_GET - do */
const struct nla_policy dualstack_peer_get_nl_policy[DUALSTACK_A_PEER_ENTRY_LOCAL_PORT + 1] = {
	[DUALSTACK_A_PEER_ENTRY_DIRECTION] = NLA_POLICY_MAX(NLA_U32, 3),
	[DUALSTACK_A_PEER_ENTRY_PROTOCOL] = { .type = NLA_U8, },
	[DUALSTACK_A_PEER_ENTRY_LOCAL_PORT] = { .type = NLA_U16, },
};

/* DUALSTACK_CMD_PORT_GET - do */
const struct nla_policy dualstack_port_get_nl_policy[DUALSTACK_A_PORT_PORT + 1] = {
	[DUALSTACK_A_PORT_PROTOCOL] = { .type = NLA_U8, },
	[DUALSTACK_A_PORT_PORT] = { .type = NLA_U16, },
};

/* DUALSTACK_CMD_RULE_SET - do */
const struct nla_policy dualstack_rule_set_nl_policy[DUALSTACK_A_RULE_V6ONLY + 1] = {
	[DUALSTACK_A_RULE_PROTOCOL] = { .type = NLA_U8, },
	[DUALSTACK_A_RULE_PORT] = { .type = NLA_U16, },
	[DUALSTACK_A_RULE_V6ONLY] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* DUALSTACK_CMD_RULE_GET - do */
const struct nla_policy dualstack_rule_get_nl_policy[DUALSTACK_A_RULE_PORT + 1] = {
	[DUALSTACK_A_RULE_PROTOCOL] = { .type = NLA_U8, },
	[DUALSTACK_A_RULE_PORT] = { .type = NLA_U16, },
};

/* DUALSTACK_CMD_RULE_DEL - do */
const struct nla_policy dualstack_rule_del_nl_policy[DUALSTACK_A_RULE_PORT + 1] = {
	[DUALSTACK_A_RULE_PROTOCOL] = { .type = NLA_U8, },
	[DUALSTACK_A_RULE_PORT] = { .type = NLA_U16, },
};

/* Ops table for dualstack */
const struct genl_ops dualstack_nl_ops[14] = {
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
	{
		.cmd		= DUALSTACK_CMD_CONFIG_GET,
		.doit		= dualstack_nl_config_get_doit,
		.policy		= dualstack_config_get_nl_policy,
		.maxattr	= DUALSTACK_A_CONFIG_DEFAULTS,
	},
	{
		.cmd		= DUALSTACK_CMD_CONFIG_SET,
		.doit		= dualstack_nl_config_set_doit,
		.policy		= dualstack_config_set_nl_policy,
		.maxattr	= DUALSTACK_A_CONFIG_MAX_PEERS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= DUALSTACK_CMD_V6ONLY_SET,
		.doit		= dualstack_nl_v6only_set_doit,
		.policy		= dualstack_v6only_set_nl_policy,
		.maxattr	= DUALSTACK_A_V6ONLY_DRY_RUN,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= DUALSTACK_CMD_RESET,
		.doit		= dualstack_nl_reset_doit,
		.policy		= dualstack_reset_nl_policy,
		.maxattr	= DUALSTACK_A_SOCKET_PEERS,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= DUALSTACK_CMD_EXPLAIN,
		.doit		= dualstack_nl_explain_doit,
		.policy		= dualstack_explain_nl_policy,
		.maxattr	= DUALSTACK_A_EXPLAIN_IFINDEX,
	},
	{
		.cmd		= DUALSTACK_CMD_EVENTS_START,
		.doit		= dualstack_nl_events_start_doit,
		.policy		= dualstack_events_start_nl_policy,
		.maxattr	= DUALSTACK_A_CONFIG_PAD,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= DUALSTACK_CMD_PEER_GET,
		.doit		= dualstack_nl_peer_get_doit,
		.dumpit		= dualstack_nl_peer_get_dumpit,
		.policy		= dualstack_peer_get_nl_policy,
		.maxattr	= DUALSTACK_A_PEER_ENTRY_LOCAL_PORT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= DUALSTACK_CMD_PORT_GET,
		.doit		= dualstack_nl_port_get_doit,
		.dumpit		= dualstack_nl_port_get_dumpit,
		.policy		= dualstack_port_get_nl_policy,
		.maxattr	= DUALSTACK_A_PORT_PORT,
	},
	{
		.cmd		= DUALSTACK_CMD_RULE_SET,
		.doit		= dualstack_nl_rule_set_doit,
		.policy		= dualstack_rule_set_nl_policy,
		.maxattr	= DUALSTACK_A_RULE_V6ONLY,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= DUALSTACK_CMD_RULE_GET,
		.doit		= dualstack_nl_rule_get_doit,
		.dumpit		= dualstack_nl_rule_get_dumpit,
		.policy		= dualstack_rule_get_nl_policy,
		.maxattr	= DUALSTACK_A_RULE_PORT,
	},
	{
		.cmd		= DUALSTACK_CMD_RULE_DEL,
		.doit		= dualstack_nl_rule_del_doit,
		.policy		= dualstack_rule_del_nl_policy,
		.maxattr	= DUALSTACK_A_RULE_PORT,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
};

static const struct genl_multicast_group dualstack_nl_mcgrps[] = {
	[DUALSTACK_NLGRP_EVENTS] = { "events", },
};
