// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>

#include "nl/rules.h"
#include "util/array.h"

static struct nla_policy policy[DUALSTACK_A_RULE_MAX + 1] = {
	[DUALSTACK_A_RULE_PROTOCOL] = { .type = NLA_U8 },
	[DUALSTACK_A_RULE_PORT] = { .type = NLA_U16 },
	[DUALSTACK_A_RULE_V6ONLY] = { .type = NLA_U8 },
	[DUALSTACK_A_RULE_WAS] = { .type = NLA_U8 },
	[DUALSTACK_A_RULE_APPLIED] = { .type = NLA_U64 },
	[DUALSTACK_A_RULE_PASSED_OVER] = { .type = NLA_U64 },
	[DUALSTACK_A_RULE_HOLDER_COOKIE] = { .type = NLA_U64 },
};

static void rules_start(void *arg)
{
	struct rule_list *list = arg;

	list->n = 0;
}

static void parse_holder(struct rule *rule, struct nlattr **tb)
{
	const struct nlattr *addr = tb[DUALSTACK_A_RULE_HOLDER_ADDR];

	if (!addr || nla_len(addr) != sizeof(rule->holder.addr.v4))
		return;
	rule->holder.family = AF_INET;
	nla_memcpy(&rule->holder.addr.v4, addr, sizeof(rule->holder.addr.v4));
	rule->holder_cookie = nla_get_u64(tb[DUALSTACK_A_RULE_HOLDER_COOKIE]);
}

static int rules_each(const struct nlmsghdr *hdr, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_RULE_MAX + 1];
	struct rule_list *list = arg;
	struct rule *rule;

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb, DUALSTACK_A_RULE_MAX,
			  policy) < 0 ||
	    !tb[DUALSTACK_A_RULE_V6ONLY] ||
	    !tb[DUALSTACK_A_RULE_PROTOCOL] != !tb[DUALSTACK_A_RULE_PORT])
		return -EBADMSG;
	if (array_grow((void **)&list->v, list->n, &list->size,
		       sizeof(*list->v)))
		return -ENOMEM;
	rule = &list->v[list->n++];
	memset(rule, 0, sizeof(*rule));
	if (tb[DUALSTACK_A_RULE_PORT]) {
		rule->protocol = nla_get_u8(tb[DUALSTACK_A_RULE_PROTOCOL]);
		rule->port = ntohs(nla_get_u16(tb[DUALSTACK_A_RULE_PORT]));
	}
	rule->v6only = nla_get_u8(tb[DUALSTACK_A_RULE_V6ONLY]);
	rule->applied = nla_get_u64(tb[DUALSTACK_A_RULE_APPLIED]);
	rule->passed_over = nla_get_u64(tb[DUALSTACK_A_RULE_PASSED_OVER]);
	parse_holder(rule, tb);
	return 0;
}

static uint64_t port_key(uint8_t protocol, uint16_t port)
{
	return (uint64_t)protocol << 16 | port;
}

static int index_rules(struct rule_list *list)
{
	size_t i;

	if (map_init(&list->by_port, list->n))
		return -ENOMEM;
	for (i = 0; i < list->n; i++)
		map_set(&list->by_port,
			port_key(list->v[i].protocol, list->v[i].port), i);
	return 0;
}

int rules_get(struct dsnl *nl, struct rule_list *list)
{
	struct nl_msg *msg;
	int error;

	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_RULE_GET, NLM_F_DUMP);
	if (!msg)
		return -ENOMEM;
	error = dsnl_request(nl, msg, rules_start, rules_each, list);
	return error ? error : index_rules(list);
}

int rules_dump(struct dsnl *nl, struct rule_list *list)
{
	int error = rules_get(nl, list);

	if (!error)
		return 0;
	list->n = 0;
	if (error == -EOPNOTSUPP)
		return 0;
	dsnl_err(nl, "cannot get the rules", error);
	return -1;
}

const struct rule *rules_find(const struct rule_list *list, uint8_t protocol,
			      uint16_t port)
{
	uint32_t i;

	/* An empty list may have no index. */
	if (!list->n)
		return NULL;
	i = map_get(&list->by_port, port_key(protocol, port));
	if (i == MAP_NONE)
		i = map_get(&list->by_port, port_key(0, 0));
	return i == MAP_NONE ? NULL : &list->v[i];
}

void rules_free(struct rule_list *list)
{
	map_free(&list->by_port);
	free(list->v);
	memset(list, 0, sizeof(*list));
}

/* A request about a rule, NULL if there is no memory. */
static struct nl_msg *new_request(struct dsnl *nl, int cmd,
				  const struct rule *rule)
{
	struct nl_msg *msg;

	msg = dsnl_genl_msg(nl, cmd, 0);
	if (!msg)
		return NULL;
	if (!rule->port ||
	    (!nla_put_u8(msg, DUALSTACK_A_RULE_PROTOCOL, rule->protocol) &&
	     !nla_put_u16(msg, DUALSTACK_A_RULE_PORT, htons(rule->port))))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

static int was_each(const struct nlmsghdr *hdr, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_RULE_MAX + 1];
	int *was = arg;

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb, DUALSTACK_A_RULE_MAX,
			  policy) < 0)
		return -EBADMSG;
	if (tb[DUALSTACK_A_RULE_WAS])
		*was = !!nla_get_u8(tb[DUALSTACK_A_RULE_WAS]);
	return 0;
}

int rule_set(struct dsnl *nl, const struct rule *rule, int *was)
{
	struct nl_msg *msg = new_request(nl, DUALSTACK_CMD_RULE_SET, rule);

	*was = RULE_NEW;
	if (!msg)
		return -ENOMEM;
	if (nla_put_u8(msg, DUALSTACK_A_RULE_V6ONLY, rule->v6only)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return dsnl_request(nl, msg, NULL, was_each, was);
}

int rule_del(struct dsnl *nl, const struct rule *rule)
{
	struct nl_msg *msg = new_request(nl, DUALSTACK_CMD_RULE_DEL, rule);

	if (!msg)
		return -ENOMEM;
	return dsnl_request(nl, msg, NULL, NULL, NULL);
}
