// SPDX-License-Identifier: GPL-2.0
/* The two ends of an event. */

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "flow.h"
#include "sock.h"

void ds_flow_from_skb(struct ds_flow *flow, struct net *net,
		      const struct sk_buff *skb, enum ds_proto proto)
{
	/* The ports are the first two fields of the TCP header, too. */
	const struct udphdr *uh = udp_hdr(skb);

	flow->net = net;
	flow->proto = proto;
	flow->peer_port = uh->source;
	flow->local_port = uh->dest;

	if (skb->protocol == htons(ETH_P_IP)) {
		flow->family = AF_INET;
		flow->flowlabel = 0;
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &flow->peer);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &flow->local);
	} else {
		flow->family = AF_INET6;
		flow->flowlabel = ip6_flowlabel(ipv6_hdr(skb));
		flow->peer = ipv6_hdr(skb)->saddr;
		flow->local = ipv6_hdr(skb)->daddr;
	}
}

/* An AF_INET socket has them as IPv4 addresses, to stay on the safe side only there:
 * the others are for AF_INET6 sockets.
 */
static void ds_flow_from_sk4(struct ds_flow *flow, const struct sock *sk)
{
	*flow = (struct ds_flow){
		.net		= sock_net(sk),
		.family		= AF_INET,
		.proto		= ds_sk_proto(sk),
		.peer_port	= inet_sk(sk)->inet_dport,
		.local_port	= inet_sk(sk)->inet_sport,
	};
	ipv6_addr_set_v4mapped(sk->sk_daddr, &flow->peer);
	ipv6_addr_set_v4mapped(sk->sk_rcv_saddr, &flow->local);
}

void ds_flow_from_sk(struct ds_flow *flow, const struct sock *sk)
{
	bool mapped;

	if (sk->sk_family == AF_INET) {
		ds_flow_from_sk4(flow, sk);
		return;
	}

	mapped = ipv6_addr_v4mapped(&sk->sk_v6_daddr);
	*flow = (struct ds_flow){
		.net		= sock_net(sk),
		.family		= mapped ? AF_INET : AF_INET6,
		.proto		= ds_sk_proto(sk),
		.peer		= sk->sk_v6_daddr,
		.local		= sk->sk_v6_rcv_saddr,
		.peer_port	= inet_sk(sk)->inet_dport,
		.local_port	= inet_sk(sk)->inet_sport,
	};
	if (!mapped)
		flow->flowlabel = inet6_sk(sk)->rcv_flowinfo &
				  IPV6_FLOWLABEL_MASK;
}

static void ds_flow_out(struct ds_flow *flow, const struct sock *sk,
			__be32 daddr, __be16 dport)
{
	*flow = (struct ds_flow){
		.net		= sock_net(sk),
		.family		= AF_INET,
		.proto		= ds_sk_proto(sk),
		.peer_port	= dport,
		.local_port	= inet_sk(sk)->inet_sport,
	};
	ipv6_addr_set_v4mapped(daddr, &flow->peer);
	if (sk->sk_family == AF_INET6)
		flow->local = sk->sk_v6_rcv_saddr;
	else
		ipv6_addr_set_v4mapped(sk->sk_rcv_saddr, &flow->local);
}

/* The IPv4 address that the destination @addr stands for, if it does. As in BSD,
 * the unspecified address stands for the loopback address; that of IPv4, if the
 * local address @local is mapped.
 */
static bool ds_mapped_dest(const struct in6_addr *addr,
			   const struct in6_addr *local, __be32 *daddr)
{
	if (ipv6_addr_v4mapped(addr)) {
		*daddr = addr->s6_addr32[3];
		return true;
	}
	if (ipv6_addr_any(addr) && ipv6_addr_v4mapped(local)) {
		*daddr = htonl(INADDR_LOOPBACK);
		return true;
	}
	return false;
}

bool ds_flow_connect(struct ds_flow *flow, struct sock *sk,
		     const struct sockaddr *addr, int len)
{
	const struct sockaddr_in6 *sin6 = (const void *)addr;
	const struct sockaddr_in *sin = (const void *)addr;
	__be32 daddr;

	if (addr->sa_family == AF_INET) {
		/* With IPV6_V6ONLY this fails with EAFNOSUPPORT, for the type of
		 * the address: no refusal.
		 */
		if (ds_sk_proto(sk) != DS_UDP || len < sizeof(*sin) ||
		    ipv6_only_sock(sk))
			return false;
		ds_flow_out(flow, sk, sin->sin_addr.s_addr, sin->sin_port);
		return true;
	}

	if (addr->sa_family != AF_INET6 || len < SIN6_LEN_RFC2133 ||
	    !ds_mapped_dest(&sin6->sin6_addr, &sk->sk_v6_rcv_saddr, &daddr))
		return false;

	ds_flow_out(flow, sk, daddr, sin6->sin6_port);
	return true;
}

/* What __ip6_datagram_connect() and tcp_v6_connect() check before they look for a
 * route.
 */
static bool ds_native_dest(const struct sock *sk,
			   const struct sockaddr_in6 *sin6, int len)
{
	int type = ipv6_addr_type(&sin6->sin6_addr);

	if (ds_sk_proto(sk) == DS_TCP && type & IPV6_ADDR_MULTICAST)
		return false;
	if (!__ipv6_addr_needs_scope_id(type))
		return true;
	/* The device is the socket's, or given: then that has to be the same. */
	if (len >= (int)sizeof(*sin6) && sin6->sin6_scope_id)
		return sk_dev_equal_l3scope((struct sock *)sk, sin6->sin6_scope_id);
	return sk->sk_bound_dev_if ||
	       (type & IPV6_ADDR_MULTICAST && inet6_sk(sk)->mcast_oif);
}

bool ds_flow_connect_native(struct ds_flow *flow, const struct sock *sk,
			    const struct sockaddr *addr, int len)
{
	const struct sockaddr_in6 *sin6 = (const void *)addr;

	if (addr->sa_family != AF_INET6 || len < SIN6_LEN_RFC2133 ||
	    !ds_native_dest(sk, sin6, len))
		return false;

	*flow = (struct ds_flow){
		.net		= sock_net(sk),
		.family		= AF_INET6,
		.proto		= ds_sk_proto(sk),
		.peer		= sin6->sin6_addr,
		.local		= sk->sk_v6_rcv_saddr,
		.peer_port	= sin6->sin6_port,
		.local_port	= inet_sk(sk)->inet_sport,
	};
	return true;
}

bool ds_flow_connect4(struct ds_flow *flow, const struct sock *sk,
		      const struct sockaddr *addr, int len)
{
	const struct sockaddr_in *sin = (const void *)addr;

	if (len < (int)sizeof(*sin) || sin->sin_family != AF_INET)
		return false;
	ds_flow_out(flow, sk, sin->sin_addr.s_addr, sin->sin_port);
	return true;
}

bool ds_flow_send(struct ds_flow *flow, struct sock *sk,
		  const struct msghdr *msg)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;
	const struct sockaddr_in *sin = msg->msg_name;
	__be32 daddr;

	if (!sin6) {
		if (READ_ONCE(udp_sk(sk)->pending) ||
		    sk->sk_state != TCP_ESTABLISHED ||
		    !ipv6_addr_v4mapped(&sk->sk_v6_daddr))
			return false;
		ds_flow_out(flow, sk, sk->sk_v6_daddr.s6_addr32[3],
			    inet_sk(sk)->inet_dport);
		return true;
	}

	if (msg->msg_namelen < (int)offsetof(struct sockaddr, sa_data))
		return false;

	switch (sin6->sin6_family) {
	case AF_INET6:
		if (msg->msg_namelen < SIN6_LEN_RFC2133 ||
		    !ds_mapped_dest(&sin6->sin6_addr, &inet6_sk(sk)->saddr,
				    &daddr))
			return false;
		break;
	case AF_INET:
		/* The kernel checks the length of this one later, after
		 * IPV6_V6ONLY.
		 */
		daddr = sin->sin_addr.s_addr;
		break;
	default:
		return false;
	}

	ds_flow_out(flow, sk, daddr, sin->sin_port);
	return true;
}

bool ds_flow_sent(struct ds_flow *flow, struct sock *sk,
		  const struct msghdr *msg)
{
	const struct sockaddr_in *sin = msg->msg_name;

	/* More of a corked datagram goes where its first part does, whatever
	 * destination comes with it.
	 */
	if (READ_ONCE(udp_sk(sk)->pending) == AF_INET) {
		const struct flowi4 *fl4 = &inet_sk(sk)->cork.fl.u.ip4;

		ds_flow_out(flow, sk, READ_ONCE(fl4->daddr),
			    READ_ONCE(fl4->fl4_dport));
		return true;
	}

	/* More of an IPv6 one fails with EINVAL. */
	if (READ_ONCE(udp_sk(sk)->pending))
		return false;
	if (!sin && sk->sk_family == AF_INET) {
		if (sk->sk_state != TCP_ESTABLISHED)
			return false;
		ds_flow_out(flow, sk, inet_sk(sk)->inet_daddr,
			    inet_sk(sk)->inet_dport);
		return true;
	}
	if (!sin || msg->msg_namelen < (int)sizeof(*sin) || !sin->sin_port ||
	    (sin->sin_family != AF_INET &&
	     (sin->sin_family != AF_UNSPEC || sk->sk_family != AF_INET)))
		return false;
	ds_flow_out(flow, sk, sin->sin_addr.s_addr, sin->sin_port);
	return true;
}
