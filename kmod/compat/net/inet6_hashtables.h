/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_NET_INET6_HASHTABLES_H
#define _DUALSTACK_COMPAT_NET_INET6_HASHTABLES_H

#include_next <net/inet6_hashtables.h>

#ifdef DS_INET_LOOKUP_LISTENER_HASHINFO
static inline struct sock *
ds_inet6_lookup_listener(struct net *net, struct sk_buff *skb, int doff,
			 const struct in6_addr *saddr, __be16 sport,
			 const struct in6_addr *daddr, unsigned short hnum,
			 int dif, int sdif)
{
	return inet6_lookup_listener(net, net->ipv4.tcp_death_row.hashinfo,
				     skb, doff, saddr, sport, daddr, hnum,
				     dif, sdif);
}

#define inet6_lookup_listener ds_inet6_lookup_listener
#endif

#endif /* _DUALSTACK_COMPAT_NET_INET6_HASHTABLES_H */
