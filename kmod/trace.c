// SPDX-License-Identifier: GPL-2.0
/* The tracepoints: every event, as it happens, on whatever socket. */

#include <linux/in.h>
#include <linux/string.h>
#include <net/ipv6.h>
#include <net/sock.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

static_assert(sizeof(struct sockaddr_in6) == DS_SOCKADDR_LEN);
static_assert(sizeof(struct in6_addr) == DS_ADDR_LEN);
DS_COUNTERS_TOLD(DS_TRACE_SITE_FITS)

const char *ds_trace_site(enum ds_event event, enum ds_family family,
			  enum ds_proto proto)
{
	static const char sites[][DS_SITE_LEN] = { DS_TRACE_SITES };

	return sites[ds_counter_attr(event, family, proto)];
}

static void ds_trace_sockaddr(void *dst, int family,
			      const struct in6_addr *addr, __be16 port)
{
	struct sockaddr_in6 *sin6 = dst;
	struct sockaddr_in *sin = dst;

	memset(dst, 0, DS_SOCKADDR_LEN);
	/* A socket that refuses an IPv4 peer may be bound to an IPv6 address. */
	if (family == AF_INET &&
	    (ipv6_addr_v4mapped(addr) || ipv6_addr_any(addr))) {
		sin->sin_family = AF_INET;
		sin->sin_port = port;
		sin->sin_addr.s_addr = addr->s6_addr32[3];
	} else {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = port;
		sin6->sin6_addr = *addr;
	}
}

void ds_trace_local(void *dst, const struct ds_flow *flow)
{
	ds_trace_sockaddr(dst, flow->family, &flow->local, flow->local_port);
}

void ds_trace_peer(void *dst, const struct ds_flow *flow)
{
	ds_trace_sockaddr(dst, flow->family, &flow->peer, flow->peer_port);
}

void ds_trace_holder(void *dst, const struct ds_flow *flow)
{
	ds_trace_sockaddr(dst, flow->peer_port ? AF_INET : AF_INET6, &flow->peer,
			  flow->peer_port);
}
