/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_NET_UDP_H
#define _DUALSTACK_COMPAT_NET_UDP_H

#include_next <net/udp.h>

static inline struct udp_table *ds_udp_table(const struct net *net)
{
#ifdef DS_NETNS_UDP_TABLE
	return net->ipv4.udp_table;
#else
	return &udp_table;
#endif
}

/* Whether the socket has UDP_GRO on: merged datagrams are then handed over as such.
 * It is one bit of many, all of which udp_test_bit() would load.
 */
static inline bool ds_udp_gro(const struct sock *sk)
{
#ifdef DS_UDP_FLAGS
	/* setsockopt() may set others of these bits meanwhile. */
	return data_race(udp_sk(sk)->udp_flags) & BIT(UDP_FLAGS_GRO_ENABLED);
#else
	/* setsockopt() may set others of these bits meanwhile. */
	return data_race(udp_sk(sk)->gro_enabled);
#endif
}

#ifdef DS_UDP_LIB_LOOKUP_TABLE
static inline struct sock *
ds_udp6_lib_lookup(struct net *net, const struct in6_addr *saddr, __be16 sport,
		   const struct in6_addr *daddr, __be16 dport,
		   int dif, int sdif, struct sk_buff *skb)
{
	return __udp6_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif,
				 ds_udp_table(net), skb);
}

static inline struct sock *
ds_udp4_lib_lookup(struct net *net, __be32 saddr, __be16 sport,
		   __be32 daddr, __be16 dport, int dif, int sdif,
		   struct sk_buff *skb)
{
	return __udp4_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif,
				 ds_udp_table(net), skb);
}

#define __udp6_lib_lookup ds_udp6_lib_lookup
#define __udp4_lib_lookup ds_udp4_lib_lookup
#endif

#endif /* _DUALSTACK_COMPAT_NET_UDP_H */
