// SPDX-License-Identifier: GPL-2.0
/* Which socket takes a packet, by the kernel's own lookup; or which one refuses it.
 */

#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
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
#include <net/sock_reuseport.h>
#include <net/tcp.h>
#include <net/tcp_states.h>
#include <net/udp.h>

#include "lookup.h"
#include "net.h"
#include "window.h"

/* Apart, for it takes room on the stack that is guarded. */
static noinline_for_stack int ds_ipv6_skip_headers(const struct sk_buff *skb)
{
	u8 nexthdr = ipv6_hdr(skb)->nexthdr;
	__be16 frag_off;

	if (ipv6_skip_exthdr(skb, skb_network_offset(skb) +
			     sizeof(struct ipv6hdr), &nexthdr, &frag_off) < 0)
		return -1;
	return nexthdr;
}

/* The transport protocol of an IPv6 packet, past its extension headers. */
static int ds_ipv6_protocol(const struct sk_buff *skb)
{
	u8 nexthdr = ipv6_hdr(skb)->nexthdr;

	if (nexthdr == IPPROTO_TCP || nexthdr == IPPROTO_UDP)
		return nexthdr;
	return ds_ipv6_skip_headers(skb);
}

static bool ds_is_unicast(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return !(skb_rtable(skb)->rt_flags &
			 (RTCF_BROADCAST | RTCF_MULTICAST));
	return ipv6_unicast_destination(skb);
}

static bool ds_query_from_tcp(struct ds_query *query, struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);

	/* What tcp_v4_conn_request() wants to see before a listener answers. */
	if (!ds_is_unicast(skb))
		return false;

	/* TCP has moved the control block of IP by now, unless IPsec policy forbids
	 * the packet; that may then be looked up on the wrong device.
	 */
	query->doff = __tcp_hdrlen(th);
	if (skb->protocol == htons(ETH_P_IP)) {
		query->dif = inet_iif(skb);
		query->sdif = tcp_v4_sdif(skb);
	} else {
		query->dif = tcp_v6_iif_l3_slave(skb);
		query->sdif = tcp_v6_sdif(skb);
	}
	return true;
}

static bool ds_query_from_udp(struct ds_query *query, struct sk_buff *skb)
{
	query->doff = sizeof(struct udphdr);
	if (skb->protocol == htons(ETH_P_IP)) {
		query->dif = inet_iif(skb);
		query->sdif = inet_sdif(skb);
		return true;
	}

	/* Unlike UDP over IPv4, __udp6_lib_rcv() drops for want of a socket before
	 * it has looked at the checksum, which is not optional (RFC 8200, section
	 * 8.1).
	 */
	if (!udp_hdr(skb)->check || udp_lib_checksum_complete(skb))
		return false;
	query->dif = inet6_iif(skb);
	query->sdif = inet6_sdif(skb);
	return true;
}

int ds_query_proto(const struct sk_buff *skb)
{
	const struct tcphdr *th = tcp_hdr(skb);
	int proto;

	if (!skb_dst(skb))
		return -1;

	if (skb->protocol == htons(ETH_P_IP))
		proto = ds_proto(ip_hdr(skb)->protocol);
	else if (skb->protocol == htons(ETH_P_IPV6) &&
		 !ipv6_addr_v4mapped(&ipv6_hdr(skb)->saddr))
		proto = ds_proto(ds_ipv6_protocol(skb));
	else
		return -1;	/* a mapped source is no IPv6 client */

	/* What tcp_rcv_state_process() wants to see before a listener answers. */
	if (proto == DS_TCP && (!th->syn || th->ack || th->rst || th->fin))
		return -1;
	return proto;
}

bool ds_query_from_skb(struct ds_query *query, struct sk_buff *skb,
		       enum ds_proto proto)
{
	if (proto == DS_TCP ? !ds_query_from_tcp(query, skb) :
			      !ds_query_from_udp(query, skb))
		return false;

	query->skb = skb;
	ds_flow_from_skb(&query->flow, ds_query_net(skb), skb, proto);
	return true;
}

struct sock *ds_lookup_taker(const struct ds_query *query)
{
	const struct ds_flow *flow = &query->flow;

	if (flow->family == AF_INET6 && flow->proto == DS_TCP)
		return inet6_lookup_listener(flow->net, query->skb, query->doff,
					     &flow->peer, flow->peer_port,
					     &flow->local,
					     ntohs(flow->local_port),
					     query->dif, query->sdif);
	if (flow->family == AF_INET6)
		return __udp6_lib_lookup(flow->net, &flow->peer,
					 flow->peer_port, &flow->local,
					 flow->local_port, query->dif,
					 query->sdif, query->skb);
	if (flow->proto == DS_TCP)
		return __inet_lookup_listener(flow->net, query->skb, query->doff,
					      flow->peer.s6_addr32[3],
					      flow->peer_port,
					      flow->local.s6_addr32[3],
					      ntohs(flow->local_port),
					      query->dif, query->sdif);
	return __udp4_lib_lookup(flow->net, flow->peer.s6_addr32[3],
				 flow->peer_port, flow->local.s6_addr32[3],
				 flow->local_port, query->dif, query->sdif,
				 query->skb);
}

/* Which socket refuses a packet that found none. The kernel has searched two slots
 * of its tables, that of the packet's destination and that of the unspecified
 * address. The second is searched again below, and then a limited number of others,
 * so that the cost is in proportion to the kernel's, whatever is bound where. None
 * of this calls the kernel's lookup, which may run BPF programs.
 */

/* A quick check, as most sockets of a slot have nothing to do with the packet. */
static bool ds_is_aside(const struct ds_query *query, const struct sock *sk)
{
	int bound = READ_ONCE(sk->sk_bound_dev_if);

	return sk->sk_num != ntohs(query->flow.local_port) ||
	       (bound && bound != query->dif && bound != query->sdif) ||
	       !net_eq(sock_net(sk), query->flow.net);
}

/* Whether the socket receives what comes in by the packet's device. */
static bool ds_has_device(const struct ds_query *query, const struct sock *sk)
{
	int bound = READ_ONCE(sk->sk_bound_dev_if);
	struct net *net = query->flow.net;

	/* Most sockets are bound to none, and most packets come by no VRF. */
	if (likely(!bound && !query->sdif))
		return true;
	return query->flow.proto == DS_TCP ?
	       inet_sk_bound_dev_eq(net, bound, query->dif, query->sdif) :
	       udp_sk_bound_dev_eq(net, bound, query->dif, query->sdif);
}

static bool ds_is_wildcard(const struct sock *sk)
{
	return sk->sk_family == AF_INET ? !sk->sk_rcv_saddr :
					  ipv6_addr_any(&sk->sk_v6_rcv_saddr);
}

/* The slot of the unspecified address, which both families share. */
static u32 ds_wildcard_hash(const struct ds_flow *flow)
{
	return ipv4_portaddr_hash(flow->net, htonl(INADDR_ANY),
				  ntohs(flow->local_port));
}

/* Whether the socket takes packets of new peers. A listener may be shut down and
 * connect while we look at it: we are then led on to another table, with sockets of
 * all kinds, and pass over them.
 */
static bool ds_may_take(const struct ds_query *query, const struct sock *sk)
{
	return query->flow.proto == DS_TCP ? sk->sk_state == TCP_LISTEN :
					    sk->sk_state != TCP_ESTABLISHED;
}

static __always_inline bool ds_refuses_family(const struct ds_query *query,
					      const struct sock *sk)
{
	if (sk->sk_family == query->flow.family || !ds_is_wildcard(sk) ||
	    !ds_may_take(query, sk) || !ds_has_device(query, sk))
		return false;
	return sk->sk_family == AF_INET || ipv6_only_sock(sk) ||
	       ds_window_is_open(&ds_net(query->flow.net)->windows,
				 query->flow.proto,
				 ntohs(query->flow.local_port));
}

/* Choose among several as the kernel does: the first one, unless one follows that
 * is bound to the device. Such a one, or the first one if it has SO_REUSEPORT, ends
 * the search: then this returns true.
 */
static __always_inline bool ds_try_wildcard(const struct ds_query *query,
					    struct sock *sk, struct sock **found)
{
	if (!ds_refuses_family(query, sk))
		return false;
	*found = sk;
	return READ_ONCE(sk->sk_bound_dev_if) ||
	       rcu_access_pointer(sk->sk_reuseport_cb);
}

/* Once there is one, another is only of interest if it is bound to a device. */
static bool ds_is_second(const struct sock *sk, const struct sock *found)
{
	return found && !READ_ONCE(sk->sk_bound_dev_if);
}

static struct inet_listen_hashbucket *ds_listeners(const struct ds_flow *flow,
						   u32 hash)
{
	return inet_lhash2_bucket(flow->net->ipv4.tcp_death_row.hashinfo, hash);
}

static struct sock *ds_lookup_wildcard(const struct ds_query *query)
{
	const struct ds_flow *flow = &query->flow;
	u32 hash = ds_wildcard_hash(flow);
	const struct hlist_nulls_node *node;
	struct inet_listen_hashbucket *ilb;
	struct sock *sk, *found = NULL;
	struct udp_hslot *slot;

	if (flow->proto == DS_TCP) {
		ilb = ds_listeners(flow, hash);
		sk_nulls_for_each_rcu(sk, node, &ilb->nulls_head)
			if (!ds_is_aside(query, sk) &&
			    !ds_is_second(sk, found) &&
			    ds_try_wildcard(query, sk, &found))
				break;
	} else {
		slot = udp_hashslot2(ds_udp_table(flow->net), hash);
		udp_portaddr_for_each_entry_rcu(sk, &slot->head)
			if (!ds_is_aside(query, sk) &&
			    !ds_is_second(sk, found) &&
			    ds_try_wildcard(query, sk, &found))
				break;
	}
	return found;
}

static bool ds_is_at_multicast(const struct sock *sk)
{
	return ds_is_at_ipv4(sk) ? ipv4_is_multicast(sk->sk_rcv_saddr) :
				   ipv6_addr_is_multicast(&sk->sk_v6_rcv_saddr);
}

static bool ds_is_at_loopback(const struct sock *sk)
{
	return ds_is_at_ipv4(sk) ? ipv4_is_loopback(sk->sk_rcv_saddr) :
				   ipv6_addr_loopback(&sk->sk_v6_rcv_saddr);
}

static bool ds_is_for_loopback(const struct ds_flow *flow)
{
	return flow->family == AF_INET ?
	       ipv4_is_loopback(flow->local.s6_addr32[3]) :
	       ipv6_addr_loopback(&flow->local);
}

/**
 * struct ds_search - a search for sockets that are bound to one address
 * @query:	the packet
 * @left:	how many steps are left, of DS_LOOKUP_STEPS
 * @loopback:	whether the packet is for the loopback address
 * @own:	the first socket that takes the packet's family: [0] at any other
 *		address, [1] at the loopback address
 * @other:	the same for those that take the other family only, and so refuse
 */
struct ds_search {
	const struct ds_query *query;
	unsigned int left;
	bool loopback;
	struct sock *own[2];
	struct sock *other[2];
};

static void ds_search_init(struct ds_search *search,
			   const struct ds_query *query)
{
	*search = (struct ds_search){
		.query		= query,
		.left		= DS_LOOKUP_STEPS,
		.loopback	= ds_is_for_loopback(&query->flow),
	};
}

static bool ds_search_spend(struct ds_search *search, unsigned int steps)
{
	if (search->left < steps)
		return false;
	search->left -= steps;
	return true;
}

/* Whether the socket has the port at a link-local address. Such a socket is always
 * bound to a device, and refuses what comes by others, too.
 */
static bool ds_is_at_link(const struct ds_query *query, const struct sock *sk)
{
	return sk->sk_family == AF_INET6 &&
	       sk->sk_num == ntohs(query->flow.local_port) &&
	       net_eq(sock_net(sk), query->flow.net) &&
	       ipv6_addr_type(&sk->sk_v6_rcv_saddr) & IPV6_ADDR_LINKLOCAL;
}

/* Note a socket that has the port. Returns false when no steps are left. */
static noinline bool ds_search_take(struct ds_search *search, struct sock *sk)
{
	const struct ds_query *query = search->query;
	bool ipv4 = query->flow.family == AF_INET;
	struct sock **found;

	if (!ds_search_spend(search, DS_LOOKUP_MORE_STEPS))
		return false;
	if (ds_is_wildcard(sk) || ds_is_at_multicast(sk) ||
	    (!ds_has_device(query, sk) && !ds_is_at_link(query, sk)))
		return true;

	if (ds_is_at_ipv4(sk) == ipv4)
		found = search->own;
	else if (sk->sk_family != query->flow.family)
		found = search->other;
	else
		return true;	/* AF_INET6, but takes IPv4 only */
	found += ds_is_at_loopback(sk);
	if (!*found)
		*found = sk;
	return true;
}

static bool ds_search_see(struct ds_search *search, struct sock *sk)
{
	const struct ds_query *query = search->query;

	if (!ds_search_spend(search, 1))
		return false;
	if (!ds_may_take(query, sk) ||
	    (ds_is_aside(query, sk) && !ds_is_at_link(query, sk)))
		return true;
	return ds_search_take(search, sk);
}

/* The socket at the loopback address if the packet is for that, else one at another
 * address; in want of that, whichever there is.
 */
static struct sock *ds_search_best(const struct ds_search *search,
				   struct sock *const found[2])
{
	return found[search->loopback] ?: found[!search->loopback];
}

/* A socket that takes the packet's family at another address: if there is one, it
 * is not for its family that the packet is refused. One at the loopback address
 * counts only if the packet, or the socket that would refuse it, is at the loopback
 * address, too.
 */
static struct sock *ds_search_own(const struct ds_search *search,
				  const struct sock *refuser)
{
	if (search->own[0])
		return search->own[0];
	return search->loopback || refuser == search->other[1] ?
	       search->own[1] : NULL;
}

/* Search by address, the only way to find listeners. Returns false when no steps
 * are left.
 */

static bool ds_search_listeners(struct ds_search *search, u32 hash,
				struct sock **until)
{
	const struct hlist_nulls_node *node;
	struct inet_listen_hashbucket *ilb;
	struct sock *sk;

	ilb = ds_listeners(&search->query->flow, hash);
	sk_nulls_for_each_rcu(sk, node, &ilb->nulls_head) {
		if (!ds_search_see(search, sk))
			return false;
		if (*until)
			break;
	}
	return true;
}

static bool ds_search_udp(struct ds_search *search, u32 hash,
			  struct sock **until)
{
	const struct net *net = search->query->flow.net;
	struct udp_hslot *slot;
	struct sock *sk;

	slot = udp_hashslot2(ds_udp_table(net), hash);
	udp_portaddr_for_each_entry_rcu(sk, &slot->head) {
		if (!ds_search_see(search, sk))
			return false;
		if (*until)
			break;
	}
	return true;
}

static bool ds_search_at(struct ds_search *search, u32 hash,
			 struct sock **until)
{
	if (!ds_search_spend(search, DS_LOOKUP_MORE_STEPS))
		return false;
	return search->query->flow.proto == DS_TCP ?
	       ds_search_listeners(search, hash, until) :
	       ds_search_udp(search, hash, until);
}

static bool ds_search_ipv6(struct ds_search *search, struct sock **until)
{
	const struct ds_flow *flow = &search->query->flow;
	unsigned short port = ntohs(flow->local_port);
	const struct inet6_ifaddr *ifa;
	struct net_device *dev;
	struct inet6_dev *idev;
	u32 hash;

	for_each_netdev_rcu(flow->net, dev) {
		if (!ds_search_spend(search, 1))
			return false;
		idev = __in6_dev_get(dev);
		if (!idev)
			continue;
		list_for_each_entry_rcu(ifa, &idev->addr_list, if_list) {
			hash = ipv6_portaddr_hash(flow->net, &ifa->addr, port);
			if (!ds_search_at(search, hash, until))
				return false;
			if (*until)
				return true;
		}
	}
	return true;
}

static bool ds_search_ipv4(struct ds_search *search, struct sock **until)
{
	const struct ds_flow *flow = &search->query->flow;
	unsigned short port = ntohs(flow->local_port);
	const struct in_ifaddr *ifa;
	struct in_device *in_dev;
	struct net_device *dev;
	u32 hash;

	for_each_netdev_rcu(flow->net, dev) {
		if (!ds_search_spend(search, 1))
			return false;
		in_dev = __in_dev_get_rcu(dev);
		if (!in_dev)
			continue;
		in_dev_for_each_ifa_rcu(ifa, in_dev) {
			hash = ipv4_portaddr_hash(flow->net, ifa->ifa_local,
						  port);
			if (!ds_search_at(search, hash, until))
				return false;
			if (*until)
				return true;
		}
	}
	return true;
}

static bool ds_search_other(struct ds_search *search)
{
	struct sock **until = &search->other[search->loopback];

	return search->query->flow.family == AF_INET ?
	       ds_search_ipv6(search, until) : ds_search_ipv4(search, until);
}

static bool ds_search_same(struct ds_search *search)
{
	return search->query->flow.family == AF_INET ?
	       ds_search_ipv4(search, &search->own[0]) :
	       ds_search_ipv6(search, &search->own[0]);
}

static struct udp_hslot *ds_udp_slot(struct net *net, __be16 port)
{
	return udp_hashslot(ds_udp_table(net), net, ntohs(port));
}

/* Search by port, which finds UDP sockets wherever they are bound. If there are too
 * many, but one that refuses was among those seen, a socket that takes the packet's
 * family is searched for by address.
 */
static bool ds_search_port(struct ds_search *search)
{
	const struct ds_flow *flow = &search->query->flow;
	struct udp_hslot *slot = ds_udp_slot(flow->net, flow->local_port);
	struct sock *sk;

	sk_for_each_rcu(sk, &slot->head) {
		if (search->own[0])
			break;
		if (ds_search_see(search, sk))
			continue;
		if (!search->other[search->loopback])
			return false;
		search->left = DS_LOOKUP_STEPS;
		return ds_search_same(search);
	}
	return true;
}

static noinline_for_stack
struct sock *ds_lookup_bound(const struct ds_query *query)
{
	struct ds_search search;
	struct sock *sk;

	ds_search_init(&search, query);
	if (query->flow.proto == DS_UDP ?
	    !ds_search_port(&search) :
	    !ds_search_other(&search) ||
	    !ds_search_best(&search, search.other) ||
	    !ds_search_same(&search))
		return NULL;
	sk = ds_search_best(&search, search.other);
	return ds_search_own(&search, sk) ? NULL : sk;
}

struct sock *ds_lookup_elsewhere(const struct ds_query *query)
{
	struct ds_search search;

	ds_search_init(&search, query);
	if (query->flow.proto == DS_UDP)
		ds_search_port(&search);
	else
		ds_search_same(&search);
	return ds_search_best(&search, search.own);
}

bool ds_port_is_unused(struct net *net, enum ds_proto proto, __be16 port)
{
	const struct inet_hashinfo *hinfo;
	unsigned int slot;

	if (proto == DS_UDP)
		return !READ_ONCE(ds_udp_slot(net, port)->count);

	hinfo = net->ipv4.tcp_death_row.hashinfo;
	slot = inet_bhashfn(net, ntohs(port), hinfo->bhash_size);
	return hlist_empty(&hinfo->bhash[slot].chain);
}

/* The member of a SO_REUSEPORT group that is counted for the refusals of this
 * client. The kernel has not chosen any, so neither its hash is needed nor a BPF
 * program of the group, which only knows packets of the group's family.
 */
static struct sock *ds_group_member(const struct ds_flow *flow,
				    struct sock *sk)
{
	const struct sock_reuseport *reuse;
	struct sock *member;
	unsigned int n;
	u32 hash;

	reuse = rcu_dereference(sk->sk_reuseport_cb);
	n = reuse ? READ_ONCE(reuse->num_socks) : 0;
	if (n < 2)
		return sk;
	smp_rmb();	/* pairs with that of __reuseport_add_sock() */
	hash = __ipv6_addr_jhash(&flow->peer, (__force u32)flow->peer_port);
	member = READ_ONCE(reuse->socks[reciprocal_scale(hash, n)]);

	/* Not a member that has been connected, or bound to a device, since it
	 * joined.
	 */
	return member->sk_state == sk->sk_state &&
	       READ_ONCE(member->sk_bound_dev_if) ==
	       READ_ONCE(sk->sk_bound_dev_if) ? member : sk;
}

struct sock *ds_lookup_refuser(const struct ds_query *query, enum ds_event *event)
{
	const struct ds_flow *flow = &query->flow;
	struct sock *sk;

	*event = DS_REJECT_FAMILY;
	sk = ds_lookup_wildcard(query);
	if (!sk) {
		if (flow->family == AF_INET)
			*event = DS_REJECT_ADDR;
		sk = ds_lookup_bound(query);
	}
	return sk ? ds_group_member(flow, sk) : NULL;
}
