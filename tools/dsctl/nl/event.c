// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "nl/counters.h"
#include "nl/event.h"
#include "nl/records.h"

int events_start(struct dsnl *nl)
{
	struct nl_msg *msg = dsnl_genl_msg(nl, DUALSTACK_CMD_EVENTS_START, 0);

	if (!msg)
		return -ENOMEM;
	return dsnl_request(nl, msg, NULL, NULL, NULL);
}

bool event_is_of_rule(const struct event *event)
{
	return event->type == DUALSTACK_EVENT_TYPE_RULE_APPLIED ||
	       event->type == DUALSTACK_EVENT_TYPE_RULE_PASSED_OVER;
}

const char *event_name(const struct event *event)
{
	const struct counter *counter = counter_of_event(event->type);

	switch (event->type) {
	case DUALSTACK_EVENT_TYPE_RULE_APPLIED:
		return "rule_applied";
	case DUALSTACK_EVENT_TYPE_RULE_PASSED_OVER:
		return "rule_passed_over";
	default:
		return counter ? counter->key : "unknown";
	}
}

static void parse_end(struct endpoint *ep, struct nlattr *nest)
{
	struct last_peer end = { };

	peer_parse(&end, nest);
	*ep = end.peer;
}

int event_parse(const struct nlmsghdr *hdr, struct event *event)
{
	static struct nla_policy policy[DUALSTACK_A_EVENT_MAX + 1] = {
		[DUALSTACK_A_EVENT_SEQ] = { .type = NLA_U64 },
		[DUALSTACK_A_EVENT_TIME] = { .type = NLA_U64 },
		[DUALSTACK_A_EVENT_TYPE] = { .type = NLA_U32 },
		[DUALSTACK_A_EVENT_FAMILY] = { .type = NLA_U8 },
		[DUALSTACK_A_EVENT_PROTOCOL] = { .type = NLA_U8 },
		[DUALSTACK_A_EVENT_COOKIE] = { .type = NLA_U64 },
		[DUALSTACK_A_EVENT_LOCAL] = { .type = NLA_NESTED },
		[DUALSTACK_A_EVENT_PEER] = { .type = NLA_NESTED },
		[DUALSTACK_A_EVENT_FLOWLABEL] = { .type = NLA_U32 },
		[DUALSTACK_A_EVENT_V6ONLY] = { .type = NLA_U8 },
		[DUALSTACK_A_EVENT_HOLDER] = { .type = NLA_NESTED },
	};
	struct nlattr *tb[DUALSTACK_A_EVENT_MAX + 1];

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb, DUALSTACK_A_EVENT_MAX,
			  policy) < 0 || !tb[DUALSTACK_A_EVENT_SEQ])
		return -EBADMSG;

	memset(event, 0, sizeof(*event));
	event->seq = nla_get_u64(tb[DUALSTACK_A_EVENT_SEQ]);
	event->time = nla_get_u64(tb[DUALSTACK_A_EVENT_TIME]);
	event->type = EVENT_LOST;
	if (!tb[DUALSTACK_A_EVENT_TYPE])
		return 0;

	if (!tb[DUALSTACK_A_EVENT_FAMILY] || !tb[DUALSTACK_A_EVENT_PROTOCOL])
		return -EBADMSG;
	event->type = nla_get_u32(tb[DUALSTACK_A_EVENT_TYPE]);
	event->family = nla_get_u8(tb[DUALSTACK_A_EVENT_FAMILY]);
	event->protocol = nla_get_u8(tb[DUALSTACK_A_EVENT_PROTOCOL]);
	event->cookie = nla_get_u64(tb[DUALSTACK_A_EVENT_COOKIE]);
	parse_end(&event->local, tb[DUALSTACK_A_EVENT_LOCAL]);
	parse_end(&event->peer, tb[DUALSTACK_A_EVENT_PEER]);
	if (tb[DUALSTACK_A_EVENT_FLOWLABEL])
		event->flowlabel =
			nla_get_u32(tb[DUALSTACK_A_EVENT_FLOWLABEL]);
	event->v6only = -1;
	if (tb[DUALSTACK_A_EVENT_V6ONLY])
		event->v6only = !!nla_get_u8(tb[DUALSTACK_A_EVENT_V6ONLY]);
	parse_end(&event->holder, tb[DUALSTACK_A_EVENT_HOLDER]);
	return 0;
}
