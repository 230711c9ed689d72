// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/netlink.h>
#include <string.h>

#include "rules.h"

static struct nl_msg *rule_msg(struct fam *ds, int cmd, int protocol, int port,
			       int v6only)
{
	struct nl_msg *msg = fam_msg(ds, cmd, 0);

	if (msg && protocol >= 0)
		nla_put_u8(msg, DUALSTACK_A_RULE_PROTOCOL, protocol);
	if (msg && port >= 0)
		nla_put_u16(msg, DUALSTACK_A_RULE_PORT, htons(port));
	if (msg && v6only >= 0)
		nla_put_u8(msg, DUALSTACK_A_RULE_V6ONLY, v6only);
	return msg;
}

static int parse_was(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_RULE_MAX + 1];
	int *was = arg;

	if (nla_parse(tb, DUALSTACK_A_RULE_MAX, attrs, len, NULL))
		return -EBADMSG;
	*was = tb[DUALSTACK_A_RULE_WAS] ? nla_get_u8(tb[DUALSTACK_A_RULE_WAS]) :
					  FAM_RULE_NEW;
	return 0;
}

int fam_rule_talk(struct fam *ds, int cmd, int protocol, int port, int v6only)
{
	struct nl_msg *msg = rule_msg(ds, cmd, protocol, port, v6only);
	int was = 0, err;

	err = fam_talk(ds, msg, cmd == DUALSTACK_CMD_RULE_SET ? parse_was : NULL,
		       &was);
	return err ? err : was;
}

int fam_rule_set(struct fam *ds, int protocol, in_port_t port, int v6only)
{
	return fam_rule_talk(ds, DUALSTACK_CMD_RULE_SET, port ? protocol : -1,
			     port ? port : -1, v6only);
}

int fam_rule_del(struct fam *ds, int protocol, in_port_t port)
{
	return fam_rule_talk(ds, DUALSTACK_CMD_RULE_DEL, port ? protocol : -1,
			     port ? port : -1, -1);
}

struct rules_out {
	struct fam_rule *rules;
	int max;
	int n;
};

static int parse_rule(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_RULE_MAX + 1];
	struct rules_out *out = arg;
	struct fam_rule rule = { };

	if (nla_parse(tb, DUALSTACK_A_RULE_MAX, attrs, len, NULL) ||
	    !tb[DUALSTACK_A_RULE_V6ONLY] || !tb[DUALSTACK_A_RULE_APPLIED] ||
	    !tb[DUALSTACK_A_RULE_PASSED_OVER] ||
	    !tb[DUALSTACK_A_RULE_PROTOCOL] != !tb[DUALSTACK_A_RULE_PORT] ||
	    !tb[DUALSTACK_A_RULE_HOLDER_ADDR] !=
	    !tb[DUALSTACK_A_RULE_HOLDER_COOKIE])
		return -EBADMSG;
	if (tb[DUALSTACK_A_RULE_PORT]) {
		rule.protocol = nla_get_u8(tb[DUALSTACK_A_RULE_PROTOCOL]);
		rule.port = ntohs(nla_get_u16(tb[DUALSTACK_A_RULE_PORT]));
	}
	rule.v6only = nla_get_u8(tb[DUALSTACK_A_RULE_V6ONLY]);
	rule.applied = nla_get_u64(tb[DUALSTACK_A_RULE_APPLIED]);
	rule.passed_over = nla_get_u64(tb[DUALSTACK_A_RULE_PASSED_OVER]);
	if (tb[DUALSTACK_A_RULE_HOLDER_ADDR]) {
		rule.holder_addr = nla_get_u32(tb[DUALSTACK_A_RULE_HOLDER_ADDR]);
		rule.holder = nla_get_u64(tb[DUALSTACK_A_RULE_HOLDER_COOKIE]);
	}
	if (out->n < out->max)
		out->rules[out->n] = rule;
	out->n++;
	return 0;
}

int fam_rule_get(struct fam *ds, int protocol, in_port_t port,
		 struct fam_rule *rule)
{
	struct rules_out out = { .rules = rule, .max = 1 };
	struct nl_msg *msg;
	int err;

	memset(rule, 0, sizeof(*rule));
	msg = rule_msg(ds, DUALSTACK_CMD_RULE_GET, port ? protocol : -1,
		       port ? port : -1, -1);
	err = fam_talk(ds, msg, parse_rule, &out);
	return err ? err : out.n == 1 ? 0 : -EBADMSG;
}

int fam_rules_dump(struct fam *ds, struct fam_rule *rules, int max)
{
	struct rules_out out = { .rules = rules, .max = max };
	int err;

	err = fam_talk(ds, fam_msg(ds, DUALSTACK_CMD_RULE_GET, NLM_F_DUMP),
		       parse_rule, &out);
	return err ? err : out.n;
}
