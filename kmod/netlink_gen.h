/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/dualstack.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_DUALSTACK_GEN_H
#define _LINUX_DUALSTACK_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/dualstack.h>

extern const struct nla_policy dualstack_socket_get_nl_policy[DUALSTACK_A_SOCKET_COOKIE + 1];

extern const struct nla_policy dualstack_stats_get_nl_policy[DUALSTACK_A_STATS_PROTOCOL + 1];

extern const struct nla_policy dualstack_hook_get_nl_policy[DUALSTACK_A_HOOK_NAME + 1];

extern const struct nla_policy dualstack_config_get_nl_policy[DUALSTACK_A_CONFIG_DEFAULTS + 1];

extern const struct nla_policy dualstack_config_set_nl_policy[DUALSTACK_A_CONFIG_MAX_PEERS + 1];

extern const struct nla_policy dualstack_v6only_set_nl_policy[DUALSTACK_A_V6ONLY_DRY_RUN + 1];

extern const struct nla_policy dualstack_reset_nl_policy[DUALSTACK_A_SOCKET_PEERS + 1];

extern const struct nla_policy dualstack_explain_nl_policy[DUALSTACK_A_EXPLAIN_IFINDEX + 1];

extern const struct nla_policy dualstack_events_start_nl_policy[DUALSTACK_A_CONFIG_PAD + 1];

extern const struct nla_policy dualstack_peer_get_nl_policy[DUALSTACK_A_PEER_ENTRY_LOCAL_PORT + 1];

extern const struct nla_policy dualstack_port_get_nl_policy[DUALSTACK_A_PORT_PORT + 1];

extern const struct nla_policy dualstack_rule_set_nl_policy[DUALSTACK_A_RULE_V6ONLY + 1];

extern const struct nla_policy dualstack_rule_get_nl_policy[DUALSTACK_A_RULE_PORT + 1];

extern const struct nla_policy dualstack_rule_del_nl_policy[DUALSTACK_A_RULE_PORT + 1];

/* Ops table for dualstack */
extern const struct genl_ops dualstack_nl_ops[14];

int dualstack_nl_socket_get_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_socket_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb);
int dualstack_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_hook_get_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_hook_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int dualstack_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_config_set_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_v6only_set_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_reset_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_explain_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_events_start_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_peer_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int dualstack_nl_port_get_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_port_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int dualstack_nl_rule_set_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_rule_get_doit(struct sk_buff *skb, struct genl_info *info);
int dualstack_nl_rule_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int dualstack_nl_rule_del_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	DUALSTACK_NLGRP_EVENTS,
};

#endif /* _LINUX_DUALSTACK_GEN_H */
