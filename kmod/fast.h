/* SPDX-License-Identifier: GPL-2.0 */
/* What fast.c leaves to account.c, and the tests of packets and sockets that both make. */

#ifndef _DUALSTACK_FAST_H
#define _DUALSTACK_FAST_H

#include <linux/compiler.h>
#include <linux/ftrace.h>
#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <linux/preempt.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/udp.h>
#include <net/sock.h>

#include "event_list.h"
#include "last_peer.h"
#include "net.h"
#include "queue.h"
#include "sock.h"
#include "trace.h"
#include "who.h"

/* Whether an event of the data path may be traced, which it is for all namespaces. */
static __always_inline bool ds_is_served_traced(void)
{
	return trace_dualstack_mapped_enabled() || trace_dualstack_v4_enabled();
}

/* Whether somebody listens to events in the namespace of a socket. In the RCU section where
 * a record of it was found, or check_net() was true.
 */
static __always_inline bool ds_is_heard(const struct sock *sk)
{
	const struct ds_net *dn;

	if (!ds_somebody_listens())
		return false;
	dn = ds_net_rcu(sock_net(sk));
	return rcu_access_pointer(dn->queue.rings);
}

static __always_inline bool ds_is_v6(const struct sock *sk)
{
	return sk->sk_family == AF_INET6;
}

/* The first half of an IPv4-mapped address is zero. That of a global or link-local
 * one is not.
 */
static __always_inline bool ds_starts_native(const struct in6_addr *addr)
{
	return *(const __be64 *)addr;
}

static __always_inline bool ds_source_mapped(const struct sk_buff *skb)
{
	const struct in6_addr *saddr = &ipv6_hdr(skb)->saddr;

	return unlikely(!ds_starts_native(saddr)) &&
	       saddr->s6_addr32[2] == htonl(0x0000ffff);
}

/* A quick check that most destinations end with: the kernel takes for IPv4 only
 * what is mapped, and perhaps the unspecified address. If the application gave
 * fewer bytes than are read here, its call fails anyway.
 */
static __always_inline bool ds_is_never_mapped(const struct in6_addr *daddr)
{
	return ds_starts_native(daddr) ||
	       (daddr->s6_addr32[2] != htonl(0x0000ffff) &&
		daddr->s6_addr32[2] | daddr->s6_addr32[3]);
}

/* connect() of TCP, unless it is to a mapped address: most sockets do it once, and a
 * record for each would cost more than ten times what an accepted connection does.
 * These are in the sums alone.
 */
static __always_inline void ds_count_connect6(const struct sock *sk)
{
	const struct net *net = sock_net(sk);
	struct ds_totals *totals;

	preempt_disable_notrace();
	if (likely(check_net(net))) {
		totals = &ds_net_rcu(net)->totals;
		atomic64_inc(&totals->count[DS_INET6][DS_TCP][DS_CONNECT_V6]);
	}
	preempt_enable_notrace();
}

/* Count an IPv4 packet in the record of the socket that it is for. Returns false where
 * that leaves it to be noted in the ledger, see ds_who_received(). Under RCU.
 */
static __always_inline bool ds_count_in_v4(struct ds_sock *rec,
					   const struct sk_buff *skb)
{
	__be32 saddr = ip_hdr(skb)->saddr;
	unsigned long now = jiffies;

	/* The ports are the first two fields of the TCP header, too. */
	ds_sock_set_mapped(rec, ds_peer_word(saddr, udp_hdr(skb)->source), now);
	atomic64_inc(&rec->count[DS_IN_V4]);
	return ds_who_received(rec, saddr, now);
}

/* All that ds_account_accept() does not do itself. */
ds_direct
void ds_account_accept_slow(struct sock *listener, const struct sock *child,
			    const struct sk_buff *skb);

/* All that ds_account_recv() does not. */
ds_direct
void ds_account_recv_slow(struct sock *sk, const struct sk_buff *skb, int len);

/* All that ds_account_connect() and ds_account_connect4() do not; what the latter does in
 * most cases takes more registers than there are for nothing.
 */
ds_direct
void ds_account_connect4_tcp(struct sock *sk, const struct sockaddr *addr,
			     int len);
ds_direct
void ds_account_connect_slow(struct sock *sk, const struct sockaddr *addr,
			     int len);
ds_direct
void ds_account_connect4_slow(struct sock *sk, const struct sockaddr *addr,
			      int len);

/* All that ds_account_send() does not. */
ds_direct
void ds_account_send_slow(struct sock *sk, struct msghdr *msg, size_t len);

/* All that ds_account_sent() does not. */
ds_direct
void ds_account_sent_slow(struct sock *sk, struct msghdr *msg, size_t len);

#endif /* _DUALSTACK_FAST_H */
