/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_NET_INET_HASHTABLES_H
#define _DUALSTACK_COMPAT_NET_INET_HASHTABLES_H

#include_next <net/inet_hashtables.h>
#include <net/ipv6.h>

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

/* The first of some owners that matches; connections in TIME_WAIT are passed over.
 * *left is how many more sockets may be looked at.
 */
static inline struct sock *
ds_bind_owners_find(struct hlist_head *owners, unsigned int *left,
		    bool (*match)(struct sock *sk, void *arg), void *arg)
{
	struct sock *sk;

	sk_for_each_bound(sk, owners) {
		if (!*left)
			return NULL;
		--*left;
		if (sk_fullsock(sk) && match(sk, arg))
			return sk;
	}
	return NULL;
}

/* The first owner of a bind bucket that matches. With v4, owners at IPv6 addresses
 * are passed over if the bucket keeps them apart; if not, match() is shown all. The
 * caller holds the lock of the bucket's chain.
 */
static inline struct sock *
ds_bind_bucket_find(struct inet_bind_bucket *tb, bool v4, unsigned int *left,
		    bool (*match)(struct sock *sk, void *arg), void *arg)
{
#ifdef DS_BIND_BUCKET_BHASH2
	struct inet_bind2_bucket *tb2;
	struct sock *sk;

	hlist_for_each_entry(tb2, &tb->bhash2, bhash_node) {
		if (v4 && !(tb2->addr_type & IPV6_ADDR_MAPPED))
			continue;
		sk = ds_bind_owners_find(&tb2->owners, left, match, arg);
		if (sk || !*left)
			return sk;
	}
	return NULL;
#else
	return ds_bind_owners_find(&tb->owners, left, match, arg);
#endif
}

#endif /* _DUALSTACK_COMPAT_NET_INET_HASHTABLES_H */
