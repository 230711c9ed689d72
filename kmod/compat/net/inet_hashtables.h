/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_NET_INET_HASHTABLES_H
#define _DUALSTACK_COMPAT_NET_INET_HASHTABLES_H

#include_next <net/inet_hashtables.h>

#ifdef DS_INET_LOOKUP_LISTENER_HASHINFO
static inline struct sock *
ds_inet_lookup_listener(struct net *net, struct sk_buff *skb, int doff,
			__be32 saddr, __be16 sport,
			__be32 daddr, unsigned short hnum, int dif, int sdif)
{
	return __inet_lookup_listener(net, net->ipv4.tcp_death_row.hashinfo,
				      skb, doff, saddr, sport, daddr, hnum,
				      dif, sdif);
}

#define __inet_lookup_listener ds_inet_lookup_listener
#endif

#endif /* _DUALSTACK_COMPAT_NET_INET_HASHTABLES_H */
