// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <string.h>

#include "counters.h"
#include "dsctl.h"

#define COUNTER(attr, key, heading, stats, help) \
	{ DUALSTACK_A_COUNTER_##attr, key, heading, stats, help }

const struct counter counters[] = {
	COUNTER(MAPPED_ACCEPT, "mapped_accept", "Mapped", false,
		"IPv4 handshakes completed on AF_INET6 listeners"),
	COUNTER(NATIVE_ACCEPT, "native_accept", "Native", false,
		"IPv6 handshakes completed on AF_INET6 listeners"),
	COUNTER(MAPPED_RECV, "mapped_recv", "Mapped", false,
		"IPv4 datagrams received on AF_INET6 sockets"),
	COUNTER(NATIVE_RECV, "native_recv", "Native", false,
		"IPv6 datagrams received on AF_INET6 sockets"),
	COUNTER(REJECT_V6ONLY, "reject_v6only", "V6only-Rej", false,
		"IPv4 SYNs and datagrams refused because of IPV6_V6ONLY"),
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
