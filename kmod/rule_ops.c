// SPDX-License-Identifier: GPL-2.0
/* Requests about the rules of the netlink socket's namespace. */

#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <linux/stringify.h>
#include <linux/xarray.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "rules.h"

/* Neither protocol nor port is the rule of all ports. */
static int ds_rule_parse(struct nlattr **attrs, struct netlink_ext_ack *extack,
			 u32 *key)
{
	const struct nlattr *protocol = attrs[DUALSTACK_A_RULE_PROTOCOL];
	const struct nlattr *attr = attrs[DUALSTACK_A_RULE_PORT];
	int proto;

	*key = DS_RULE_ALL;
	if (!protocol && !attr)
		return 0;
	if (!protocol) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "Port without protocol");
		return -EINVAL;
	}
	if (!attr) {
		NL_SET_ERR_MSG_ATTR(extack, protocol, "Protocol without port");
		return -EINVAL;
	}
	proto = ds_parse_proto(protocol, extack);
	if (proto < 0)
		return proto;
	if (!nla_get_be16(attr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "A rule for port 0 would never apply: the kernel chooses another one");
		return -EINVAL;
	}
	*key = ds_rule_key(proto, ntohs(nla_get_be16(attr)));
	return 0;
}

int dualstack_nl_rule_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ds_rules *rules = &ds_net(genl_info_net(info))->rules;
	struct sk_buff *msg;
	bool v6only;
	int err, was;
	u32 key;

	if (GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_RULE_V6ONLY))
		return -EINVAL;
	v6only = nla_get_u8(info->attrs[DUALSTACK_A_RULE_V6ONLY]);
	err = ds_rule_parse(info->attrs, info->extack, &key);
	if (err)
		return err;

	/* Allocated first, as nothing may fail once there is a rule. */
	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;
	err = ds_rules_set(rules, key, v6only, &was);
	if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack,
			       "As many rules as a namespace can have: " __stringify(DS_MAX_RULES));
	if (!err && was >= 0)
		err = nla_put_u8(msg, DUALSTACK_A_RULE_WAS, was);
	return ds_reply(msg, info, err);
}

int dualstack_nl_rule_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	u32 key;
	int err;

	err = ds_rule_parse(info->attrs, info->extack, &key);
	if (err)
		return err;
	err = ds_rules_del(&ds_net(genl_info_net(info))->rules, key);
	if (err && key == DS_RULE_ALL)
		NL_SET_ERR_MSG(info->extack, "No rule for all ports");
	else if (err)
		NL_SET_ERR_MSG(info->extack, "No rule for this port");
	return err;
}

static int ds_put_rule(struct sk_buff *skb, struct ds_rules *rules,
		       const struct ds_rule *rule)
{
	__be32 addr;
	u64 cookie;

	if (rule->key != DS_RULE_ALL &&
	    (nla_put_u8(skb, DUALSTACK_A_RULE_PROTOCOL,
			ds_ipproto((rule->key >> 16) - 1)) ||
	     nla_put_be16(skb, DUALSTACK_A_RULE_PORT, htons((u16)rule->key))))
		return -EMSGSIZE;
	if (nla_put_u8(skb, DUALSTACK_A_RULE_V6ONLY, rule->v6only) ||
	    ds_put_u64(skb, DUALSTACK_A_RULE_APPLIED,
		       atomic64_read(&rule->applied)) ||
	    ds_put_u64(skb, DUALSTACK_A_RULE_PASSED_OVER,
		       atomic64_read(&rule->passed_over)))
		return -EMSGSIZE;

	cookie = ds_rule_holder(rules, rule, &addr);
	if (cookie &&
	    (nla_put_in_addr(skb, DUALSTACK_A_RULE_HOLDER_ADDR, addr) ||
	     ds_put_u64(skb, DUALSTACK_A_RULE_HOLDER_COOKIE, cookie)))
		return -EMSGSIZE;
	return 0;
}

int dualstack_nl_rule_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ds_rules *rules = &ds_net(genl_info_net(info))->rules;
	const struct ds_rule *rule;
	struct sk_buff *msg;
	u32 key;
	int err;

	err = ds_rule_parse(info->attrs, info->extack, &key);
	if (err)
		return err;
	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;

	rcu_read_lock();
	rule = xa_load(&rules->by_key, key);
	err = rule ? ds_put_rule(msg, rules, rule) : -ENOENT;
	rcu_read_unlock();
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "No such rule");
	return ds_reply(msg, info, err);
}

int dualstack_nl_rule_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct ds_rules *rules = &ds_net(sock_net(skb->sk))->rules;
	struct nlattr **attrs = ds_dump_attrs(cb);
	const struct ds_rule *rule;
	unsigned long key;
	void *hdr;

	if (attrs[DUALSTACK_A_RULE_PROTOCOL] || attrs[DUALSTACK_A_RULE_PORT]) {
		NL_SET_ERR_MSG(cb->extack, "A dump is of all rules: no port");
		return -EINVAL;
	}

	/* The first of its arguments is where to go on. */
	rcu_read_lock();
	cb->seq = READ_ONCE(rules->generation);
	xa_for_each_start(&rules->by_key, key, rule, cb->args[0]) {
		hdr = ds_dump_header(skb, cb, DUALSTACK_CMD_RULE_GET);
		if (hdr)
			genl_dump_check_consistent(cb, hdr);
		if (!hdr || ds_dump_end(skb, hdr, ds_put_rule(skb, rules, rule)))
			break;
		cb->args[0] = key + 1;
	}
	rcu_read_unlock();
	return skb->len;
}
