// SPDX-License-Identifier: GPL-2.0
/* What runs for each packet and each message, as far as it is nothing out of the
 * ordinary: the rest is left to account.c.
 *
 * Where the compiler can do that, these functions save no register: see ds_direct_fast,
 * which says what is asked of them.
 */

#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/preempt.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp_states.h>
#include <net/udp.h>

#include "account.h"
#include "event_list.h"
#include "fast.h"
#include "last_peer.h"
#include "sending.h"
#include "sock.h"
#include "who.h"

/* What became of an event. */
enum ds_counted {
	DS_COUNTED,
	DS_COUNTED_OTHER,	/* but for the ledger; preemption is still disabled */
	DS_NOT_COUNTED,
};

/* Find the record of a socket, and disable preemption, which is enough for RCU. */
static __always_inline bool ds_find_nopreempt(const struct sock *sk,
					      struct ds_sock **rec)
{
	preempt_disable_notrace();
	if (likely(ds_sock_find(sk, rec)))
		return true;
	preempt_enable_notrace();
	return false;
}

/* The same of one whose events nobody listens to. */
static __always_inline bool ds_find_unheard(const struct sock *sk,
					    struct ds_sock **rec)
{
	if (!ds_find_nopreempt(sk, rec))
		return false;
	if (likely(!ds_is_heard(sk)))
		return true;
	preempt_enable_notrace();
	return false;
}

static __always_inline enum ds_counted ds_count_v4(const struct sock *sk,
						   const struct sk_buff *skb,
						   struct ds_sock **found)
{
	struct ds_sock *rec;

	if (ds_is_served_traced() || !ds_find_unheard(sk, &rec))
		return DS_NOT_COUNTED;
	*found = rec;

	if (unlikely(!ds_count_in_v4(rec, skb)))
		return DS_COUNTED_OTHER;
	preempt_enable_notrace();
	return DS_COUNTED;
}

static __always_inline enum ds_counted ds_count_v6(const struct sock *sk,
						   const struct sk_buff *skb)
{
	struct ds_sock *rec;

	if (unlikely(ds_source_mapped(skb)) || !ds_find_nopreempt(sk, &rec))
		return DS_NOT_COUNTED;

	atomic64_inc(&rec->count[DS_IN_V6]);
	preempt_enable_notrace();
	return DS_COUNTED;
}

static __always_inline enum ds_counted ds_count(const struct sock *sk,
						const struct sk_buff *skb,
						struct ds_sock **rec)
{
	if (likely(skb->protocol == htons(ETH_P_IP)))
		return ds_count_v4(sk, skb, rec);
	return ds_count_v6(sk, skb);
}

/* A child that is closed by now was not accepted: MPTCP makes one to find out
 * whether it may join a connection, and resets it if not.
 */
void ds_account_accept(struct sock *listener, const struct sock *child,
		       const struct sk_buff *skb)
{
	enum ds_counted counted = DS_COUNTED;
	struct ds_sock *rec;

	if (likely(child->sk_state != TCP_CLOSE))
		counted = ds_count(listener, skb, &rec);

	if (likely(counted == DS_COUNTED))
		ds_keep_arguments(listener, child, skb);
	else if (counted == DS_COUNTED_OTHER)
		ds_who_accepted(listener, child, skb, rec);
	else
		ds_account_accept_slow(listener, child, skb);
}

/* MSG_PEEK leaves the datagram to another recvmsg(), which counts it. The length is
 * negative then; that of an empty datagram is not, but it is still queued. (Unless
 * another thread has just taken it: then it is counted twice.)
 */
static __always_inline bool ds_is_peeked(const struct sk_buff *skb, int len)
{
	return unlikely(len <= 0) && (len < 0 || skb->next);
}

void ds_account_recv(struct sock *sk, const struct sk_buff *skb, int len)
{
	enum ds_counted counted = DS_COUNTED;
	struct ds_sock *rec;

	/* A merged one is several datagrams. */
	if (!ds_is_peeked(skb, len))
		counted = unlikely(ds_udp_gro(sk)) && skb_is_gso(skb) ?
			  DS_NOT_COUNTED : ds_count(sk, skb, &rec);

	if (likely(counted == DS_COUNTED))
		ds_keep_arguments(sk, skb, len);
	else if (counted == DS_COUNTED_OTHER)
		ds_who_read(sk, skb, len, rec);
	else
		ds_account_recv_slow(sk, skb, len);
}

/* To an address without a scope, of which there is nothing to check; and not to the
 * loopback address, which begins as mapped ones do.
 */
static bool ds_connects_native(const struct sockaddr_in6 *sin6, int len)
{
	return len >= SIN6_LEN_RFC2133 && sin6->sin6_family == AF_INET6 &&
	       ds_starts_native(&sin6->sin6_addr) &&
	       sin6->sin6_addr.s6_addr[0] < 0xfe;
}

void ds_account_connect(struct sock *sk, const struct sockaddr *addr, int len)
{
	/* Of send() with MSG_FASTOPEN and no address there is none: NULL and 0. */
	if (unlikely(len < (int)sizeof(struct sockaddr_in))) {
		ds_keep_arguments(sk, addr, len);
	} else if (likely(ds_connects_native((const void *)addr, len) &&
			  ds_is_v6(sk) && ds_sk_proto(sk) == DS_TCP)) {
		ds_count_connect6(sk);
		ds_keep_arguments(sk, addr, len);
	} else {
		ds_account_connect_slow(sk, addr, len);
	}
}

void ds_account_connect4(struct sock *sk, const struct sockaddr *addr, int len)
{
	const struct sockaddr_in *sin = (const void *)addr;

	if (unlikely(ds_is_v6(sk) || len < (int)sizeof(*sin))) {
		ds_keep_arguments(sk, addr, len);
	} else if (likely(sin->sin_family == AF_INET &&
			  ds_sk_proto(sk) == DS_TCP &&
			  !trace_dualstack_v4_enabled())) {
		ds_account_connect4_tcp(sk, addr, len);
	} else {
		ds_account_connect4_slow(sk, addr, len);
	}
}

/* A message to a mapped address that comes with it, which IPV6_V6ONLY does not forbid.
 * Returns whether it is such a one.
 */
static __always_inline bool ds_send_allowed(const struct sock *sk,
					    struct msghdr *msg)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;

	if (!sin6 || sin6->sin6_family != AF_INET6 ||
	    msg->msg_namelen < SIN6_LEN_RFC2133 ||
	    !sin6->sin6_addr.s6_addr32[2] || sk->sk_protocol != IPPROTO_UDP ||
	    !ds_sending_try())
		return false;

	if (ipv6_only_sock(sk)) {
		ds_sending_end();
		return false;
	}
	msg->msg_inq = DS_CALL_BETWEEN;
	return true;
}

/* Whether udpv6_sendmsg() will look at IPV6_V6ONLY. */
static __always_inline bool ds_sends_mapped(const struct sock *sk,
					    const struct msghdr *msg)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;

	if (!sin6)
		return !ds_is_never_mapped(&sk->sk_v6_daddr);
	return unlikely(sin6->sin6_family != AF_INET6) ||
	       !ds_is_never_mapped(&sin6->sin6_addr);
}

void ds_account_send(struct sock *sk, struct msghdr *msg, size_t len)
{
	if (!ds_sends_mapped(sk, msg)) {
		/* connect() may change it before the kernel looks. */
		if (!msg->msg_name)
			msg->msg_inq = DS_CALL_FREE;
	} else if (!ds_send_allowed(sk, msg)) {
		ds_account_send_slow(sk, msg, len);
		return;
	}
	ds_keep_arguments(sk, msg, len);
}

/* Where udp_sendmsg() is to send a message, where one can see that at once; or 0. An
 * address and a port in one word, see ds_peer_word().
 */
static __always_inline u64 ds_sends_to(const struct sock *sk,
				       const struct msghdr *msg, bool v6)
{
	const struct sockaddr_in *sin = msg->msg_name;
	const struct inet_sock *inet = inet_sk(sk);

	/* What the hook of udpv6_sendmsg() saw, if that was called. */
	if (v6 && msg->msg_inq != DS_CALL_BETWEEN)
		return 0;
	/* More of a corked datagram may have another destination. Read without a lock:
	 * the kernel looks again, and so does the slow path.
	 */
	if (data_race(udp_sk(sk)->pending))
		return 0;
	if (!sin)
		return !v6 && sk->sk_state == TCP_ESTABLISHED ?
		       ds_peer_word(inet->inet_daddr, inet->inet_dport) : 0;
	if (msg->msg_namelen < (int)sizeof(*sin) ||
	    sin->sin_family != AF_INET || !sin->sin_port)
		return 0;
	return ds_peer_word(sin->sin_addr.s_addr, sin->sin_port);
}

static __always_inline enum ds_counted ds_count_sent(const struct sock *sk,
						     struct msghdr *msg, bool v6,
						     struct ds_sock **found)
{
	struct ds_sock *rec;
	unsigned long now;
	u64 to;

	if (ds_is_served_traced())
		return DS_NOT_COUNTED;
	to = ds_sends_to(sk, msg, v6);
	if (unlikely(!to) || !ds_find_unheard(sk, &rec))
		return DS_NOT_COUNTED;
	*found = rec;

	now = jiffies;
	ds_sock_set_mapped(rec, to, now);
	atomic64_inc(&rec->count[DS_SEND_V4]);
	if (v6) {
		msg->msg_inq = 0;
		ds_sending_end();
	}
	if (unlikely(!ds_who_sends(rec, to, now)))
		return DS_COUNTED_OTHER;
	preempt_enable_notrace();
	return DS_COUNTED;
}

void ds_account_sent(struct sock *sk, struct msghdr *msg, size_t len)
{
	enum ds_counted counted;
	struct ds_sock *rec;

	if (unlikely(ds_is_v6(sk)))
		counted = ds_count_sent(sk, msg, true, &rec);
	else
		counted = ds_count_sent(sk, msg, false, &rec);

	if (likely(counted == DS_COUNTED))
		ds_keep_arguments(sk, msg, len);
	else if (counted == DS_COUNTED_OTHER)
		ds_who_sent(sk, msg, len, rec);
	else
		ds_account_sent_slow(sk, msg, len);
}
