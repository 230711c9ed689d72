// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "dsctl.h"
#include "nl/event.h"
#include "nl/records.h"
#include "out/output.h"

/**
 * struct event_type - What there is to know about a type of event.
 * @name: that of its counter.
 * @reject: somebody was turned away.
 * @outbound: this host is where it came from.
 */
static const struct event_type {
	const char *name;
	bool reject;
	bool outbound;
} types[] = {
	[DUALSTACK_EVENT_TYPE_MAPPED_ACCEPT] = { "mapped_accept", false, false },
	[DUALSTACK_EVENT_TYPE_MAPPED_RECV] = { "mapped_recv", false, false },
	[DUALSTACK_EVENT_TYPE_MAPPED_CONNECT] = { "mapped_connect", false, true },
	[DUALSTACK_EVENT_TYPE_MAPPED_SEND] = { "mapped_send", false, true },
	[DUALSTACK_EVENT_TYPE_REJECT_V6ONLY] = { "reject_v6only", true, false },
	[DUALSTACK_EVENT_TYPE_REJECT_ADDR] = { "reject_addr", true, false },
	[DUALSTACK_EVENT_TYPE_REJECT_V4ONLY] = { "reject_v4only", true, false },
	[DUALSTACK_EVENT_TYPE_REJECT_CONNECT] = { "reject_connect", true, true },
	[DUALSTACK_EVENT_TYPE_REJECT_SEND] = { "reject_send", true, true },
	[DUALSTACK_EVENT_TYPE_REJECT_BIND] = { "reject_bind", true, true },
	[DUALSTACK_EVENT_TYPE_WIRE_MAPPED] = { "wire_mapped", false, false },
};

/* A module newer than this has others. */
static const struct event_type *type_of(const struct event *event)
{
	static const struct event_type unknown = { .name = "unknown" };

	return event->type < ARRAY_SIZE(types) ? &types[event->type] : &unknown;
}

bool event_is_reject(const struct event *event)
{
	return type_of(event)->reject;
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
	return 0;
}

static json_t *json_addr(const struct endpoint *ep)
{
	char buf[ENDPOINT_STRLEN];

	return ep->family ? json_string(endpoint_addr(ep, buf)) : json_null();
}

static json_t *json_port(const struct endpoint *ep)
{
	return ep->family ? json_integer(ep->port) : json_null();
}

static json_t *json_event(const struct event *event)
{
	char buf[TIME_STRLEN];

	time_str(event->time, TIME_USEC | TIME_ZONE, buf);
	if (event->type == EVENT_LOST)
		return json_pack("{s:s, s:I}", "timestamp", buf,
				 "lost", (json_int_t)event->lost);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I}",
			 "timestamp", buf,
			 "event", type_of(event)->name,
			 "family", event->family == AF_INET6 ? "inet6" : "inet",
			 "proto", proto_name(event->protocol),
			 "local_addr", json_addr(&event->local),
			 "local_port", json_port(&event->local),
			 "peer_addr", json_addr(&event->peer),
			 "peer_port", json_port(&event->peer),
			 "flowlabel", event->family == AF_INET6 ?
				      json_integer(event->flowlabel) :
				      json_null(),
			 "cookie", (json_int_t)event->cookie);
}

static void print_text(const struct event *event)
{
	const struct event_type *type = type_of(event);
	char buf[ENDPOINT_STRLEN];

	time_str(event->time, TIME_USEC, buf);
	printf("[%s] ", buf);
	if (event->type == EVENT_LOST) {
		printf("lost %llu event%s\n", (unsigned long long)event->lost,
		       event->lost == 1 ? "" : "s");
		return;
	}
	printf("%s %s", type->name, proto_name(event->protocol));
	if (event->local.family)
		printf(" %s", endpoint_str(&event->local, NULL, buf));
	if (event->peer.family)
		printf(" %s %s", type->outbound ? "to" : "from",
		       endpoint_str(&event->peer, NULL, buf));
	if (event->flowlabel)
		printf(" flowlabel 0x%05x", event->flowlabel);
	printf(" cookie %llu\n", (unsigned long long)event->cookie);
}

int event_print(const struct event *event)
{
	static_assert(TIME_STRLEN <= ENDPOINT_STRLEN, "a time fits as well");

	if (opts.json)
		return json_out(json_event(event));
	print_text(event);
	return out_failed() ? EXIT_KERNEL : EXIT_OK;
}
