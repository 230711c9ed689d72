// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <string.h>

#include "nl/counters.h"
#include "socks/role.h"

uint64_t role_count(const struct sock *sk, size_t index)
{
	return sk->rec->counters[index];
}

uint64_t role_received(const struct sock *sk)
{
	return role_count(sk, COUNTER_INDEX(MAPPED_RECV)) +
	       role_count(sk, COUNTER_INDEX(V4_RECV));
}

static uint64_t sent(const struct sock *sk)
{
	return role_count(sk, COUNTER_INDEX(MAPPED_SEND)) +
	       role_count(sk, COUNTER_INDEX(V4_SEND));
}

/*
 * Whether a UDP socket that is not connected is a client's, so that what it receives
 * are answers: it sends, from a port that the kernel chose. Some programs choose one
 * by chance themselves: those are clients until something comes in.
 */
static bool is_client(const struct sock *sk)
{
	if (sk->protocol != IPPROTO_UDP || sk->peer.family || !sent(sk))
		return false;
	return !sk->rec->explicit_port ||
	       (!role_received(sk) && !role_count(sk, COUNTER_INDEX(NATIVE_RECV)));
}

uint64_t role_served(const struct sock *sk)
{
	if (is_client(sk))
		return 0;
	return role_count(sk, COUNTER_INDEX(MAPPED_ACCEPT)) +
	       role_count(sk, COUNTER_INDEX(V4_ACCEPT)) + role_received(sk);
}

uint64_t role_used(const struct sock *sk)
{
	uint64_t n = 0;

	if (sk->protocol != IPPROTO_UDP)
		n = role_count(sk, COUNTER_INDEX(MAPPED_CONNECT));
	if (!role_received(sk) || sk->peer.family || is_client(sk))
		n += sent(sk);
	return n;
}

bool role_is_v6only(const struct sock *sk)
{
	return sk->mode == MODE_V6ONLY;
}

bool role_takes_mapped(const struct sock *sk)
{
	return sk->mode == MODE_DUAL || sk->mode == MODE_MAPPED;
}

bool role_is_server(const struct sock *sk)
{
	return !sk->unlisted && !sk->peer.family && !is_client(sk) &&
	       (sk->protocol == IPPROTO_UDP || sk->state == TCP_LISTEN);
}

bool role_is_v4(const struct sock *sk)
{
	return sk->family == AF_INET || sk->mode == MODE_MAPPED;
}

uint32_t role_v4_addr(const struct endpoint *ep)
{
	struct in_addr addr = ep->addr.v4;

	if (ep->family == AF_INET6)
		memcpy(&addr, &ep->addr.v6.s6_addr[12], sizeof(addr));
	return ntohl(addr.s_addr);
}

bool role_is_loopback(const struct endpoint *ep, bool v4)
{
	if (v4)
		return role_v4_addr(ep) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&ep->addr.v6);
}

bool role_is_unused(const struct sock *sk)
{
	return sk->protocol == IPPROTO_UDP && !role_received(sk) && !sent(sk) &&
	       (role_count(sk, COUNTER_INDEX(MAPPED_CONNECT)) ||
		role_count(sk, COUNTER_INDEX(V4_CONNECT)));
}
