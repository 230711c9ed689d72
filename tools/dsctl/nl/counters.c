// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "nl/counters.h"
#include "util/array.h"

#define ROW(attr, type, key, origin, kind, heading, label, show, help)	\
	[COUNTER_INDEX(attr)] = {					\
		DUALSTACK_A_COUNTER_##attr, type, key, COUNTER_##kind,	\
		ORIGIN_##origin, heading, label, SHOW_##show, help	\
	}

/* The module sends an event of the same name for each, */
#define COUNTER(attr, ...) \
	ROW(attr, DUALSTACK_EVENT_TYPE_##attr, __VA_ARGS__)
/* or none. */
#define QUIET(attr, ...) \
	ROW(attr, NO_EVENT, __VA_ARGS__)

const struct counter counters[] = {
	COUNTER(MAPPED_ACCEPT, "mapped_accept", PEER, SERVED, "IPv4", NULL,
		ALWAYS, "IPv4 handshakes completed on AF_INET6 listeners"),
	QUIET(NATIVE_ACCEPT, "native_accept", PEER, SERVED, "IPv6", NULL,
	      ALWAYS, "IPv6 handshakes completed on AF_INET6 listeners"),
	COUNTER(MAPPED_RECV, "mapped_recv", PEER, SERVED, "IPv4", NULL,
		ALWAYS, "IPv4 datagrams received on AF_INET6 sockets"),
	QUIET(NATIVE_RECV, "native_recv", PEER, SERVED, "IPv6", NULL,
	      ALWAYS, "IPv6 datagrams received on AF_INET6 sockets"),
	COUNTER(MAPPED_CONNECT, "mapped_connect", HOST, SERVED, "Outbound",
		"connect", STATS,
		"connect() calls to mapped addresses that went ahead"),
	COUNTER(MAPPED_SEND, "mapped_send", HOST, SERVED, "Outbound", "send",
		STATS, "sendmsg() calls to mapped addresses that went ahead"),
	COUNTER(REJECT_V6ONLY, "reject_v6only", PEER, REFUSED, "Rejected",
		"v6only", ALWAYS,
		"IPv4 SYNs and datagrams refused because of IPV6_V6ONLY"),
	COUNTER(REJECT_ADDR, "reject_addr", PEER, REFUSED, "Rejected", "addr",
		ALWAYS,
		"IPv4 SYNs and datagrams refused: bound to one IPv6 address"),
	COUNTER(REJECT_V4ONLY, "reject_v4only", PEER, REFUSED, "Rejected",
		"v4only", ALWAYS,
		"IPv6 SYNs and datagrams refused: only AF_INET has the port"),
	COUNTER(REJECT_CONNECT, "reject_connect", HOST, REFUSED,
		"Rej-outbound", "connect", STATS,
		"connect() calls to mapped addresses that IPV6_V6ONLY forbade"),
	COUNTER(REJECT_SEND, "reject_send", HOST, REFUSED, "Rej-outbound",
		"send", STATS,
		"sendmsg() calls to mapped addresses that IPV6_V6ONLY forbade"),
	COUNTER(REJECT_BIND, "reject_bind", HOST, REFUSED, "Rej-outbound",
		"bind", STATS,
		"bind() calls to mapped addresses that IPV6_V6ONLY forbade"),
	COUNTER(WIRE_MAPPED, "wire_mapped", PEER, FORGED, "Wire-mapped", NULL,
		NONZERO,
		"IPv6 packets with a mapped source on the wire: a spoof"),
	COUNTER(V4_ACCEPT, "v4_accept", PEER, SERVED, "IPv4", NULL, ALWAYS,
		"IPv4 handshakes completed on AF_INET listeners"),
	COUNTER(V4_RECV, "v4_recv", PEER, SERVED, "IPv4", NULL, ALWAYS,
		"datagrams received on AF_INET sockets"),
	COUNTER(V4_CONNECT, "v4_connect", HOST, SERVED, "Outbound", "connect",
		STATS, "connect() calls on AF_INET sockets that went ahead"),
	COUNTER(V4_SEND, "v4_send", HOST, SERVED, "Outbound", "send", STATS,
		"sendmsg() calls on AF_INET sockets that went ahead"),
	QUIET(NATIVE_CONNECT, "native_connect", HOST, SERVED, "Outbound-IPv6",
	      NULL, STATS, "connect() calls to IPv6 addresses that went ahead"),
};

static_assert(ARRAY_SIZE(counters) == NUM_COUNTERS,
	      "a counter of linux/dualstack.h is missing here");

void counters_parse(uint64_t *values, struct nlattr *nest)
{
	struct nlattr *tb[DUALSTACK_A_COUNTER_MAX + 1];
	size_t i;

	memset(values, 0, NUM_COUNTERS * sizeof(*values));
	if (!nest ||
	    nla_parse_nested(tb, DUALSTACK_A_COUNTER_MAX, nest, NULL) < 0)
		return;
	for (i = 0; i < NUM_COUNTERS; i++)
		values[i] = nla_get_u64(tb[counters[i].attr]);
}

bool counter_is_recorded(size_t i, uint8_t protocol)
{
	return protocol != IPPROTO_TCP ||
	       (i != COUNTER_INDEX(V4_CONNECT) &&
		i != COUNTER_INDEX(NATIVE_CONNECT));
}

uint8_t counter_family(size_t i)
{
	switch (counters[i].attr) {
	case DUALSTACK_A_COUNTER_V4_ACCEPT:
	case DUALSTACK_A_COUNTER_V4_RECV:
	case DUALSTACK_A_COUNTER_V4_CONNECT:
	case DUALSTACK_A_COUNTER_V4_SEND:
	case DUALSTACK_A_COUNTER_REJECT_V4ONLY:
		return AF_INET;
	default:
		return AF_INET6;
	}
}

bool counters_any(const uint64_t *values)
{
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++)
		if (values[i])
			return true;
	return false;
}

const struct counter *counter_of_event(uint32_t type)
{
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++)
		if (counters[i].event_type == type && type != NO_EVENT)
			return &counters[i];
	return NULL;
}
