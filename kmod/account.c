// SPDX-License-Identifier: GPL-2.0
/* What a hook saw becomes a count. */

#include <linux/ip.h>
#include <linux/preempt.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/sock.h>

#include "account.h"
#include "lookup.h"
#include "sock.h"
#include "stats.h"

/* The ports are the first two fields of both headers. */
static_assert(offsetof(struct tcphdr, source) ==
	      offsetof(struct udphdr, source));

static __always_inline void ds_count_in(struct ds_sock *rec,
					const struct sk_buff *skb)
{
	if (skb->protocol != htons(ETH_P_IP)) {
		atomic64_inc(&rec->count[DS_IN_NATIVE]);
		return;
	}

	/* A count other than 0 tells readers that there is a peer. */
	WRITE_ONCE(rec->mapped_peer,
		   ds_mapped_peer(ip_hdr(skb)->saddr, udp_hdr(skb)->source));
	WRITE_ONCE(rec->mapped_when, jiffies);
	atomic64_inc(&rec->count[DS_IN_MAPPED]);
}

/* The first event of a socket, or one that cannot be recorded. */
static noinline void ds_account_in_slow(struct sock *sk,
					const struct sk_buff *skb)
{
	int proto = ds_proto(sk->sk_protocol);
	struct ds_sock *rec;

	if (proto < 0)
		return;

	rcu_read_lock();
	rec = ds_sock_get(sk);
	if (rec)
		ds_count_in(rec, skb);
	else
		ds_net_untracked(sock_net(sk), proto,
				 skb->protocol == htons(ETH_P_IP) ?
				 DS_IN_MAPPED : DS_IN_NATIVE);
	rcu_read_unlock();
}

static __always_inline void ds_account_in(struct sock *sk,
					  const struct sk_buff *skb)
{
	struct ds_sock *rec;

	preempt_disable_notrace();
	rec = ds_sock_find(sk);
	if (likely(rec))
		ds_count_in(rec, skb);
	preempt_enable_notrace();

	if (unlikely(!rec))
		ds_account_in_slow(sk, skb);
}

void ds_account_accept(struct sock *listener, const struct sk_buff *skb)
{
	if (listener->sk_family == AF_INET6)
		ds_account_in(listener, skb);
}

void ds_account_recv(struct sock *sk, const struct sk_buff *skb, int len)
{
	if (sk->sk_family != AF_INET6)
		return;

	/* MSG_PEEK leaves the datagram for another recvmsg(). It gives its
	 * length negated; where that is 0, it is still queued.
	 */
	if (unlikely(len <= 0) && (len < 0 || skb->next))
		return;

	ds_account_in(sk, skb);
}

static void ds_account_reject(struct sock *sk, enum ds_event event,
			      const struct ds_flow *flow)
{
	struct ds_sock *rec = ds_sock_get(sk);

	if (!rec) {
		ds_net_untracked(flow->net, flow->proto, event);
		return;
	}
	atomic64_inc(&rec->count[event]);
	ds_peer_set(&rec->rejected, &flow->saddr, flow->sport);
}

void ds_account_no_socket(struct sk_buff *skb)
{
	struct ds_flow flow;
	struct sock *sk;

	if (!ds_flow_from_skb(&flow, skb))
		return;

	rcu_read_lock();
	if (check_net(flow.net)) {
		atomic64_inc(&ds_net(flow.net)->looked_up);
		sk = ds_lookup_v6only(&flow, skb);
		if (sk)
			ds_account_reject(sk, DS_REJECT_V6ONLY, &flow);
	}
	rcu_read_unlock();
}
