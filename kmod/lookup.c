// SPDX-License-Identifier: GPL-2.0
/* Which socket would have taken a packet: the kernel's own lookup tells. */

#include <linux/ip.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/inet6_hashtables.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "lookup.h"

static bool ds_flow_tcp(struct ds_flow *flow, const struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);

	/* What tcp_rcv_state_process() and tcp_v4_conn_request() want to see
	 * before a listener answers.
	 */
	if (!th->syn || th->ack || th->rst || th->fin ||
	    skb_rtable(skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST))
		return false;

	flow->proto = DS_TCP;
	flow->sport = th->source;
	flow->dport = th->dest;
	flow->doff = __tcp_hdrlen(th);
	/* tcp_v4_fill_cb() has moved the control block of IP */
	flow->sdif = tcp_v4_sdif((struct sk_buff *)skb);
	return true;
}

static bool ds_flow_udp(struct ds_flow *flow, const struct sk_buff *skb)
{
	const struct udphdr *uh = udp_hdr(skb);

	flow->proto = DS_UDP;
	flow->sport = uh->source;
	flow->dport = uh->dest;
	flow->doff = sizeof(*uh);
	flow->sdif = inet_sdif(skb);
	return true;
}

bool ds_flow_from_skb(struct ds_flow *flow, const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (skb->protocol != htons(ETH_P_IP) || !skb_dst(skb))
		return false;

	flow->net = dev_net(skb_dst(skb)->dev);
	flow->dif = inet_iif(skb);
	ipv6_addr_set_v4mapped(iph->saddr, &flow->saddr);
	ipv6_addr_set_v4mapped(iph->daddr, &flow->daddr);

	switch (iph->protocol) {
	case IPPROTO_TCP:
		return ds_flow_tcp(flow, skb);
	case IPPROTO_UDP:
		return ds_flow_udp(flow, skb);
	default:
		return false;
	}
}

struct sock *ds_lookup_v6only(const struct ds_flow *flow, struct sk_buff *skb)
{
	struct sock *sk;

	if (flow->proto == DS_TCP)
		sk = inet6_lookup_listener(flow->net, skb, flow->doff,
					   &flow->saddr, flow->sport,
					   &flow->daddr, ntohs(flow->dport),
					   flow->dif, flow->sdif);
	else
		sk = __udp6_lib_lookup(flow->net, &flow->saddr, flow->sport,
				       &flow->daddr, flow->dport,
				       flow->dif, flow->sdif, skb);

	/* A BPF program for socket lookup may have answered, with anything. */
	if (!sk || sk->sk_family != AF_INET6 || !ipv6_only_sock(sk) ||
	    !ipv6_addr_any(&sk->sk_v6_rcv_saddr) ||
	    inet_sk(sk)->inet_num != ntohs(flow->dport))
		return NULL;
	return sk;
}
