// SPDX-License-Identifier: GPL-2.0
/* Which socket takes a packet, or would have taken it, were it of the other
 * family: the kernel's own lookup tells.
 */

#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/minmax.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/dst.h>
#include <net/if_inet6.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "lookup.h"
#include "v6only.h"

/* The transport protocol of an IPv6 packet, past its extension headers. */
static int ds_ipv6_protocol(const struct sk_buff *skb)
{
	u8 nexthdr = ipv6_hdr(skb)->nexthdr;
	__be16 frag_off;

	if (nexthdr == IPPROTO_TCP || nexthdr == IPPROTO_UDP)
		return nexthdr;

	if (ipv6_skip_exthdr(skb, skb_network_offset(skb) +
			     sizeof(struct ipv6hdr), &nexthdr, &frag_off) < 0)
		return -1;
	return nexthdr;
}

static bool ds_drop_unicast(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return !(skb_rtable(skb)->rt_flags &
			 (RTCF_BROADCAST | RTCF_MULTICAST));
	return ipv6_unicast_destination(skb);
}

static bool ds_drop_init_tcp(struct ds_drop *drop, struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);

	/* What tcp_rcv_state_process() and tcp_v4_conn_request() want to see
	 * before a listener answers.
	 */
	if (!th->syn || th->ack || th->rst || th->fin || !ds_drop_unicast(skb))
		return false;

	/* TCP has moved the control block of IP by now; not so where IPsec
	 * policy forbids the packet, which then may be looked up on the wrong
	 * device.
	 */
	drop->doff = __tcp_hdrlen(th);
	if (skb->protocol == htons(ETH_P_IP)) {
		drop->dif = inet_iif(skb);
		drop->sdif = tcp_v4_sdif(skb);
	} else {
		drop->dif = tcp_v6_iif_l3_slave(skb);
		drop->sdif = tcp_v6_sdif(skb);
	}
	return true;
}

static bool ds_drop_init_udp(struct ds_drop *drop, struct sk_buff *skb)
{
	drop->doff = sizeof(struct udphdr);
	if (skb->protocol == htons(ETH_P_IP)) {
		drop->dif = inet_iif(skb);
		drop->sdif = inet_sdif(skb);
		return true;
	}

	/* Unlike UDP over IPv4, __udp6_lib_rcv() says NO_SOCKET before it has
	 * looked at the checksum, which is not optional (RFC 8200, section
	 * 8.1).
	 */
	if (!udp_hdr(skb)->check || udp_lib_checksum_complete(skb))
		return false;
	drop->dif = inet6_iif(skb);
	drop->sdif = inet6_sdif(skb);
	return true;
}

bool ds_drop_init(struct ds_drop *drop, struct sk_buff *skb)
{
	int proto;

	if (!skb_dst(skb))
		return false;

	if (skb->protocol == htons(ETH_P_IP))
		proto = ds_proto(ip_hdr(skb)->protocol);
	else if (skb->protocol == htons(ETH_P_IPV6) &&
		 !ipv6_addr_v4mapped(&ipv6_hdr(skb)->saddr))
		proto = ds_proto(ds_ipv6_protocol(skb));
	else
		return false;	/* with a mapped source it is no IPv6 peer */

	if (proto < 0)
		return false;
	if (proto == DS_TCP ? !ds_drop_init_tcp(drop, skb) :
			      !ds_drop_init_udp(drop, skb))
		return false;

	drop->skb = skb;
	ds_flow_from_skb(&drop->flow, dev_net(skb_dst(skb)->dev), skb, proto);
	return true;
}

struct sock *ds_lookup_taker(const struct ds_drop *drop)
{
	const struct ds_flow *flow = &drop->flow;

	if (flow->family == AF_INET6 && flow->proto == DS_TCP)
		return inet6_lookup_listener(flow->net, drop->skb, drop->doff,
					     &flow->peer, flow->peer_port,
					     &flow->local,
					     ntohs(flow->local_port),
					     drop->dif, drop->sdif);
	if (flow->family == AF_INET6)
		return __udp6_lib_lookup(flow->net, &flow->peer,
					 flow->peer_port, &flow->local,
					 flow->local_port, drop->dif,
					 drop->sdif, drop->skb);
	if (flow->proto == DS_TCP)
		return __inet_lookup_listener(flow->net, drop->skb, drop->doff,
					      flow->peer.s6_addr32[3],
					      flow->peer_port,
					      flow->local.s6_addr32[3],
					      ntohs(flow->local_port),
					      drop->dif, drop->sdif);
	return __udp4_lib_lookup(flow->net, flow->peer.s6_addr32[3],
				 flow->peer_port, flow->local.s6_addr32[3],
				 flow->local_port, drop->dif, drop->sdif,
				 drop->skb);
}

/* A BPF program for socket lookup may answer with anything: look at the port. */
static bool ds_has_port(const struct sock *sk, const struct ds_drop *drop)
{
	return sk && inet_sk(sk)->inet_num == ntohs(drop->flow.local_port);
}

static struct sock *ds_lookup6(const struct ds_drop *drop,
			       const struct in6_addr *daddr, int dif)
{
	const struct ds_flow *flow = &drop->flow;
	struct sock *sk;

	if (flow->proto == DS_TCP)
		sk = inet6_lookup_listener(flow->net, drop->skb, drop->doff,
					   &flow->peer, flow->peer_port, daddr,
					   ntohs(flow->local_port),
					   dif, drop->sdif);
	else
		sk = __udp6_lib_lookup(flow->net, &flow->peer, flow->peer_port,
				       daddr, flow->local_port,
				       dif, drop->sdif, drop->skb);

	return ds_has_port(sk, drop) && sk->sk_family == AF_INET6 ? sk : NULL;
}

/* Whether a socket of the family may be at an address, by the hash of that and the
 * port: the kernel's lookup asks for the unspecified address as well, and much more
 * of each socket. At most @left of them are passed over.
 */
static bool ds_may_listen(const struct ds_flow *flow, int family, u32 hash,
			  unsigned int *left)
{
	unsigned short port = ntohs(flow->local_port);
	const struct hlist_nulls_node *node;
	struct inet_listen_hashbucket *ilb;
	const struct sock *sk;

	ilb = inet_lhash2_bucket(flow->net->ipv4.tcp_death_row.hashinfo, hash);
	sk_nulls_for_each_rcu(sk, node, &ilb->nulls_head) {
		if (sk->sk_family == family && inet_sk(sk)->inet_num == port)
			return true;
		if (!*left)
			break;
		--*left;
	}
	return false;
}

/* The lookup goes through all sockets of a slot. The last slot may hold any number:
 * so it does for each packet that comes to the address itself.
 */
static bool ds_may_be_bound(const struct ds_flow *flow, int family, u32 hash,
			    unsigned int *left)
{
	struct udp_hslot *slot = udp_hashslot2(ds_udp_table(flow->net), hash);
	unsigned int n = READ_ONCE(slot->count);
	const struct sock *sk;

	if (!n || !*left)
		return false;
	*left -= min(n, *left);
	udp_portaddr_for_each_entry_rcu(sk, &slot->head)
		if (sk->sk_family == family &&
		    udp_sk(sk)->udp_port_hash == ntohs(flow->local_port))
			return true;
	return false;
}

static bool ds_may_be_at6(const struct ds_flow *flow,
			  const struct in6_addr *addr, unsigned int *left)
{
	u32 hash = ipv6_portaddr_hash(flow->net, addr, ntohs(flow->local_port));

	return flow->proto == DS_TCP ?
	       ds_may_listen(flow, AF_INET6, hash, left) :
	       ds_may_be_bound(flow, AF_INET6, hash, left);
}

static bool ds_may_be_at4(const struct ds_flow *flow, __be32 addr,
			  unsigned int *left)
{
	u32 hash = ipv4_portaddr_hash(flow->net, addr, ntohs(flow->local_port));

	return flow->proto == DS_TCP ?
	       ds_may_listen(flow, AF_INET, hash, left) :
	       ds_may_be_bound(flow, AF_INET, hash, left);
}

/* The peer has no IPv4 address; it only matters for connected sockets, and for
 * the choice within a SO_REUSEPORT group.
 */
static struct sock *ds_lookup4(const struct ds_drop *drop, __be32 daddr)
{
	const struct ds_flow *flow = &drop->flow;
	struct sock *sk;

	if (flow->proto == DS_TCP)
		sk = __inet_lookup_listener(flow->net, drop->skb, drop->doff,
					    0, flow->peer_port, daddr,
					    ntohs(flow->local_port),
					    drop->dif, drop->sdif);
	else
		sk = __udp4_lib_lookup(flow->net, 0, flow->peer_port,
				       daddr, flow->local_port,
				       drop->dif, drop->sdif, drop->skb);

	return ds_has_port(sk, drop) && sk->sk_family == AF_INET ? sk : NULL;
}

static struct sock *ds_lookup6_bound(const struct ds_drop *drop,
				     unsigned int *socks)
{
	unsigned int left = DS_LOOKUP_STEPS;
	struct inet6_ifaddr *ifa;
	struct net_device *dev;
	struct inet6_dev *idev;
	struct sock *sk;

	for_each_netdev_rcu(drop->flow.net, dev) {
		if (!left--)
			return NULL;
		idev = __in6_dev_get(dev);
		if (!idev)
			continue;
		list_for_each_entry_rcu(ifa, &idev->addr_list, if_list) {
			/* A link-local address is one on its link only. */
			bool scoped = ipv6_addr_type(&ifa->addr) &
				      IPV6_ADDR_LINKLOCAL;

			if (!left--)
				return NULL;
			if (!ds_may_be_at6(&drop->flow, &ifa->addr, socks))
				continue;
			sk = ds_lookup6(drop, &ifa->addr,
					scoped ? dev->ifindex : drop->dif);
			if (sk && !ipv6_addr_any(&sk->sk_v6_rcv_saddr))
				return sk;
		}
	}
	return NULL;
}

/* What an IPv4 packet asked for, it did not find: no need to look there again,
 * which is at its address and at the unspecified one.
 */
static bool ds_was_asked(const struct ds_drop *drop, __be32 addr)
{
	return drop->flow.family == AF_INET &&
	       drop->flow.local.s6_addr32[3] == addr;
}

static struct sock *ds_lookup4_bound(const struct ds_drop *drop,
				     unsigned int *socks)
{
	unsigned int left = DS_LOOKUP_STEPS;
	const struct in_ifaddr *ifa;
	struct in_device *in_dev;
	struct net_device *dev;
	struct sock *sk;

	for_each_netdev_rcu(drop->flow.net, dev) {
		if (!left--)
			return NULL;
		in_dev = __in_dev_get_rcu(dev);
		if (!in_dev)
			continue;
		in_dev_for_each_ifa_rcu(ifa, in_dev) {
			if (!left--)
				return NULL;
			if (ds_was_asked(drop, ifa->ifa_local) ||
			    !ds_may_be_at4(&drop->flow, ifa->ifa_local, socks))
				continue;
			sk = ds_lookup4(drop, ifa->ifa_local);
			if (sk)
				return sk;
		}
	}
	return NULL;
}

/* How many sockets may have a UDP port. */
static int ds_udp_users(const struct ds_flow *flow)
{
	return READ_ONCE(udp_hashslot(ds_udp_table(flow->net), flow->net,
				      ntohs(flow->local_port))->count);
}

/* Most packets without a socket are for a port that nobody has, and then a look
 * at the table of ports saves all further ones.
 */
static bool ds_port_unused(const struct ds_flow *flow)
{
	const struct inet_hashinfo *hinfo;
	unsigned int slot;

	if (flow->proto == DS_UDP)
		return !ds_udp_users(flow);

	hinfo = flow->net->ipv4.tcp_death_row.hashinfo;
	slot = inet_bhashfn(flow->net, ntohs(flow->local_port),
			    hinfo->bhash_size);
	return hlist_empty(&hinfo->bhash[slot].chain);
}

struct sock *ds_lookup_refuser(const struct ds_drop *drop, enum ds_event *event)
{
	const struct ds_flow *flow = &drop->flow;
	unsigned int socks = DS_LOOKUP_SOCKS;
	struct sock *sk;

	if (ds_port_unused(flow))
		return NULL;

	/* A port that both families hold refuses for the sake of an address. */
	if (flow->family == AF_INET6) {
		*event = DS_REJECT_V4ONLY;
		sk = ds_lookup4(drop, htonl(INADDR_ANY)) ?:
		     ds_lookup4_bound(drop, &socks);
		return sk && !ds_lookup6_bound(drop, &socks) ? sk : NULL;
	}

	/* A socket at a mapped address would have taken the packet. What is left
	 * is at the unspecified one; the address decides who of a group it is.
	 */
	*event = DS_REJECT_V6ONLY;
	sk = ds_lookup6(drop, &in6addr_any, drop->dif);
	if (sk && sk->sk_reuseport)
		sk = ds_lookup6(drop, &flow->local, drop->dif);
	if (!sk || !ipv6_addr_any(&sk->sk_v6_rcv_saddr) ||
	    (!ipv6_only_sock(sk) && !ds_v6only_going(flow))) {
		*event = DS_REJECT_ADDR;
		sk = ds_lookup6_bound(drop, &socks);
	}
	/* Where it is alone on the port, that was all. */
	if (sk && flow->proto == DS_UDP && ds_udp_users(flow) == 1)
		return sk;
	return sk && !ds_lookup4_bound(drop, &socks) ? sk : NULL;
}
