// SPDX-License-Identifier: GPL-2.0
/* What a hook saw becomes a count. */

#include <linux/capability.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jiffies.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/net.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/mptcp.h>
#include <net/request_sock.h>
#include <net/sock.h>
#include <net/udp.h>

#include "account.h"
#include "event_list.h"
#include "flow.h"
#include "last_peer.h"
#include "lookup.h"
#include "net.h"
#include "sock.h"
#include "stats.h"
#include "trace.h"

/* The ports are the first two fields of both headers. */
static_assert(offsetof(struct tcphdr, source) ==
	      offsetof(struct udphdr, source));

/* Any event. The data path has a shorter way, ds_account_reception(). */

static bool ds_is_reject(enum ds_event event)
{
	return BIT(event) & DS_EVENTS_REJECT;
}

static bool ds_is_traced(enum ds_event event)
{
	return ds_is_reject(event) ? trace_dualstack_reject_enabled() :
				     BIT(event) & DS_EVENTS_MAPPED &&
				     trace_dualstack_mapped_enabled();
}

static void ds_trace(struct sock *sk, enum ds_event event,
		     const struct ds_flow *flow)
{
	if (ds_is_reject(event))
		trace_dualstack_reject(sk, event, flow);
	else
		trace_dualstack_mapped(sk, event, flow);
}

static void ds_set_peer(struct ds_sock *rec, enum ds_event event,
			const struct ds_flow *flow)
{
	if (BIT(event) & DS_EVENTS_PEER_MAPPED)
		ds_sock_set_mapped(rec, flow->peer.s6_addr32[3],
				   flow->peer_port);
	else if (BIT(event) & DS_EVENTS_PEER_REJECTED)
		ds_sock_set_rejected(rec, &flow->peer, flow->peer_port);
}

/* Under RCU; @n events alike. */
static void ds_account_rcu(struct sock *sk, enum ds_event event,
			   const struct ds_flow *flow, unsigned int n)
{
	struct ds_sock *rec;
	unsigned int i;

	rec = ds_sock_get(sk);
	if (rec) {
		ds_set_peer(rec, event, flow);
		atomic64_add(n, &rec->count[event]);
	} else {
		ds_net_untracked(flow->net, flow->proto, event, n);
	}

	for (i = 0; i < n && ds_is_traced(event); i++)
		ds_trace(sk, event, flow);
}

static void ds_account_n(struct sock *sk, enum ds_event event,
			 const struct ds_flow *flow, unsigned int n)
{
	rcu_read_lock();
	ds_account_rcu(sk, event, flow, n);
	rcu_read_unlock();
}

static void ds_account(struct sock *sk, enum ds_event event,
		       const struct ds_flow *flow)
{
	ds_account_n(sk, event, flow, 1);
}

/* What came in: handshakes and datagrams. What the data path does always is in
 * functions that call no others: a ds_direct function saves what it uses, and
 * around a call that would be every register. The seldom rest is ds_direct, too.
 */

/* Addresses of hosts on the Internet, and of links, are told from mapped ones by
 * their first half.
 */
static bool ds_starts_native(const struct in6_addr *addr)
{
	return *(const __be64 *)addr;
}

static bool ds_source_mapped(const struct sk_buff *skb)
{
	const struct in6_addr *saddr = &ipv6_hdr(skb)->saddr;

	return unlikely(!ds_starts_native(saddr)) &&
	       saddr->s6_addr32[2] == htonl(0x0000ffff);
}

static bool ds_wire_mapped(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IPV6) && ds_source_mapped(skb);
}

/* All that is seldom: the first event of a socket, one that cannot be recorded,
 * one with a mapped source, several at once.
 */
static noinline ds_direct
void ds_account_reception_slow(struct sock *sk, const struct sk_buff *skb,
			       unsigned int n)
{
	bool mapped = skb->protocol == htons(ETH_P_IP);
	int proto = ds_sk_proto(sk);
	struct ds_flow flow;

	if (proto < 0)
		return;

	ds_flow_from_skb(&flow, sock_net(sk), skb, proto);
	ds_account_n(sk, mapped ? DS_IN_MAPPED : DS_IN_NATIVE, &flow, n);
	if (ds_wire_mapped(skb))
		ds_account_n(sk, DS_WIRE_MAPPED, &flow, n);
}

/* Returns whether the socket has a record. */
static __always_inline bool ds_count_reception(const struct sock *sk,
					       const struct sk_buff *skb,
					       enum ds_event event)
{
	struct ds_sock *rec;
	bool found;

	preempt_disable_notrace();
	found = ds_sock_find(sk, &rec);
	if (likely(found)) {
		if (event == DS_IN_MAPPED)
			ds_sock_set_mapped(rec, ip_hdr(skb)->saddr,
					   udp_hdr(skb)->source);
		atomic64_inc(&rec->count[event]);
	}
	preempt_enable_notrace();
	return found;
}

/* A socket that has no record in a namespace that has no room for one: each of its
 * packets would go the long way. Returns whether that was it.
 */
static __always_inline bool ds_count_untracked(const struct sock *sk,
					       enum ds_event event)
{
	struct net *net = sock_net(sk);
	int proto = ds_sk_proto(sk);
	struct ds_net *dn;

	if (!check_net(net) || proto < 0)
		return false;
	dn = ds_net_nopreempt(net);
	if (!READ_ONCE(dn->records.no_room) || ds_sock_is_hidden(sk))
		return false;
	atomic64_inc(&dn->totals.count[proto][event]);
	atomic64_inc(&dn->totals.untracked[proto]);
	return true;
}

static noinline ds_direct
void ds_account_reception_missed(struct sock *sk, const struct sk_buff *skb,
				 enum ds_event event)
{
	bool done;

	preempt_disable_notrace();
	done = ds_count_untracked(sk, event);
	preempt_enable_notrace();
	if (!done)
		ds_account_reception_slow(sk, skb, 1);
}

/* IPv4, and somebody traces it, who may be in another namespace. */
static noinline ds_direct
void ds_account_reception_traced(struct sock *sk, const struct sk_buff *skb)
{
	struct ds_flow flow;

	if (!ds_count_reception(sk, skb, DS_IN_MAPPED)) {
		ds_account_reception_slow(sk, skb, 1);
		return;
	}
	ds_flow_from_skb(&flow, sock_net(sk), skb, ds_sk_proto(sk));
	trace_dualstack_mapped(sk, DS_IN_MAPPED, &flow);
}

static __always_inline void ds_account_reception(struct sock *sk,
						 const struct sk_buff *skb)
{
	if (likely(skb->protocol == htons(ETH_P_IP))) {
		if (trace_dualstack_mapped_enabled())
			ds_account_reception_traced(sk, skb);
		else if (unlikely(!ds_count_reception(sk, skb, DS_IN_MAPPED)))
			ds_account_reception_missed(sk, skb, DS_IN_MAPPED);
	} else {
		if (unlikely(ds_source_mapped(skb)))
			ds_account_reception_slow(sk, skb, 1);
		else if (unlikely(!ds_count_reception(sk, skb, DS_IN_NATIVE)))
			ds_account_reception_missed(sk, skb, DS_IN_NATIVE);
	}
}

/* A child that is closed by now was none: MPTCP makes one to find out whether it
 * may join a connection, and has answered with a reset where it may not.
 */
void ds_account_accept(struct sock *listener, const struct sock *child,
		       const struct sk_buff *skb)
{
	if (listener->sk_family == AF_INET6 &&
	    likely(child->sk_state != TCP_CLOSE))
		ds_account_reception(listener, skb);
}

static noinline ds_direct
void ds_account_fastopen_child(struct sock *listener, const struct sock *child)
{
	struct ds_flow flow;

	ds_flow_from_sk(&flow, child);
	ds_net_way(flow.net, DS_WAY_FASTOPEN);
	ds_account(listener, flow.family == AF_INET ? DS_IN_MAPPED :
						      DS_IN_NATIVE, &flow);
}

void ds_account_fastopen(struct sock *listener, struct request_sock *req,
			 const struct sock *child)
{
	if (listener->sk_family == AF_INET6 &&
	    ds_sk_proto(listener) == DS_TCP &&
	    unlikely(tcp_rsk(req)->tfo_listener))
		ds_account_fastopen_child(listener, child);
}

static noinline ds_direct
void ds_account_wire(struct sock *sk, const struct sk_buff *skb)
{
	struct ds_flow flow;

	ds_flow_from_skb(&flow, sock_net(sk), skb, ds_sk_proto(sk));
	if (sk_is_mptcp(sk))
		ds_net_way(flow.net, DS_WAY_MPTCP_SYN);
	ds_account(sk, DS_WIRE_MAPPED, &flow);
}

void ds_account_syn(struct sock *listener, const struct sk_buff *skb)
{
	if (unlikely(ds_wire_mapped(skb)) && ipv6_unicast_destination(skb))
		ds_account_wire(listener, skb);
}

/* With UDP_GRO recvmsg() takes datagrams that came one after the other as one, and
 * tells the application how long each was; the last may be shorter. Not so the
 * fragments of one large datagram, as a virtual machine's host may leave them
 * (SKB_GSO_UDP).
 */
static noinline ds_direct
void ds_account_recv_gro(struct sock *sk, const struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int n;

	if (skb_is_gso(skb) && shinfo->gso_type & SKB_GSO_UDP_L4) {
		n = DIV_ROUND_UP(skb->len, shinfo->gso_size);
		ds_account_reception_slow(sk, skb, max(n, 1U));
	} else {
		ds_account_reception(sk, skb);
	}
}

void ds_account_recv(struct sock *sk, const struct sk_buff *skb, int len)
{
	if (sk->sk_family != AF_INET6)
		return;

	/* MSG_PEEK leaves the datagram for another recvmsg(). It gives its
	 * length negated; where that is 0, it is still queued. (Unless another
	 * thread took it in this moment: then it counts for both.)
	 */
	if (unlikely(len <= 0) && (len < 0 || skb->next))
		return;

	if (unlikely(ds_udp_gro(sk)))
		ds_account_recv_gro(sk, skb);
	else
		ds_account_reception(sk, skb);
}

void ds_account_no_socket(struct sk_buff *skb)
{
	struct ds_query query;
	enum ds_event event;
	struct ds_net *dn;
	struct sock *sk;

	if (!ds_query_from_skb(&query, skb))
		return;

	preempt_disable_notrace();	/* RCU, and cheaper */
	if (check_net(query.flow.net)) {
		dn = ds_net_nopreempt(query.flow.net);
		this_cpu_inc(*dn->totals.looked_up);
		sk = ds_lookup_refuser(&query, &event);
		if (sk)
			ds_account_rcu(sk, event, &query.flow, 1);
	}
	preempt_enable_notrace();
}

/* What went out, or was to. */

/* Whether a destination leads to no IPv4 address, at the first glance: what ends
 * up as mapped is so from the start, or it is the unspecified address. Where the
 * call gave fewer bytes it will fail, whatever is said here.
 */
static bool ds_is_never_mapped(const struct in6_addr *daddr)
{
	return ds_starts_native(daddr) ||
	       (daddr->s6_addr32[2] != htonl(0x0000ffff) &&
		daddr->s6_addr32[2] | daddr->s6_addr32[3]);
}

static noinline ds_direct
void ds_account_connect_mapped(struct sock *sk, const struct sockaddr *addr,
			       int len)
{
	struct ds_flow flow;

	if (sk->sk_family == AF_INET6 && ds_sk_proto(sk) >= 0 &&
	    ds_flow_connect(&flow, sk, addr, len))
		ds_account(sk, ipv6_only_sock(sk) ? DS_REJECT_CONNECT :
						    DS_CONNECT, &flow);
}

void ds_account_connect(struct sock *sk, const struct sockaddr *addr, int len)
{
	const struct sockaddr_in6 *sin6 = (const void *)addr;

	if (sin6->sin6_family != AF_INET6 || !ds_is_never_mapped(&sin6->sin6_addr))
		ds_account_connect_mapped(sk, addr, len);
}

/* udpv6_sendmsg() asks for IPV6_V6ONLY without a lock, some instructions after it
 * has called us. ds_v6only_write() leaves the option alone while anybody is between
 * the two that has seen it off: from ds_send_begin() until udp_sendmsg() is called,
 * which is sure to come then. Whoever has seen it on may find it off all the same, and
 * is taken for refused until udp_sendmsg() is called.
 */
static DEFINE_PER_CPU(int, ds_sending);
static DEFINE_SPINLOCK(ds_send_lock);	/* for those who write it */
static bool ds_send_held;

/* How long to wait for somebody in between. That is how long a task may be off its
 * processor there, and not for ever: a process that sets the option of a socket
 * without a port just then, in another thread, is refused and leaves a count.
 */
#define DS_SEND_PATIENCE	(HZ / 4)
#define DS_SEND_LOOKS		100

static int ds_send_left;		/* such counts */
static unsigned long ds_send_since;	/* waiting, or 0 */

/* What msghdr.msg_inq, which is for recvmsg(), says of the call on the way from
 * udpv6_sendmsg() to udp_sendmsg(). Callers of either may leave there what they
 * found: the values are none that come by chance.
 */
enum {
	DS_CALL_FREE,			/* is not to ask */
	DS_CALL_REFUSED = 0x64730001,	/* is counted as reject_send */
	DS_CALL_BETWEEN = 0x64730002,	/* sees it off; counts in ds_sending */
};

static int ds_send_between(void)
{
	int cpu, n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu(ds_sending, cpu));
	return n;
}

/* Most are gone in no time, and nobody follows them. */
static int ds_send_drain(void)
{
	int i, n;

	for (i = 0; i < DS_SEND_LOOKS; i++) {
		n = ds_send_between();
		if (!n || n == ds_send_left)
			break;
		cpu_relax();
	}
	return n;
}

bool ds_account_send_hold(void)
	__acquires(&ds_send_lock)
{
	int n;

	spin_lock(&ds_send_lock);
	WRITE_ONCE(ds_send_held, true);
	smp_mb();	/* pairs with ds_send_begin() */
	n = ds_send_drain();
	if (n && n != ds_send_left) {
		/* Anew where nobody has asked again for long. */
		if (!ds_send_since ||
		    time_after(jiffies, ds_send_since + 8 * DS_SEND_PATIENCE))
			ds_send_since = jiffies | 1;
		if (time_before(jiffies, ds_send_since + DS_SEND_PATIENCE))
			return false;
	}
	ds_send_left = n;
	ds_send_since = 0;
	return true;
}

void ds_account_send_release(void)
	__releases(&ds_send_lock)
{
	/* pairs with ds_send_begin() */
	smp_store_release(&ds_send_held, false);
	spin_unlock(&ds_send_lock);
}

static __always_inline void ds_send_begin(void)
{
	for (;;) {
		/* On one processor, lest the sum misses one and counts the other. */
		preempt_disable_notrace();
		this_cpu_inc(ds_sending);
		smp_mb();	/* pairs with ds_account_send_hold() */
		if (likely(!smp_load_acquire(&ds_send_held)))
			break;
		/* Whoever holds it is done soon. */
		this_cpu_dec(ds_sending);
		preempt_enable_notrace();
		while (READ_ONCE(ds_send_held))
			cpu_relax();
	}
	preempt_enable_notrace();
}

static __always_inline void ds_send_end(void)
{
	this_cpu_dec(ds_sending);
}

/* A destination that is given stays what it is until IPV6_V6ONLY is asked; that of
 * a connected socket may not, but there the option cannot be set.
 */
static noinline ds_direct
void ds_account_send_mapped(struct sock *sk, struct msghdr *msg)
{
	bool refused, given = msg->msg_name;
	struct ds_flow flow;

	if (ds_sk_proto(sk) != DS_UDP)
		return;
	msg->msg_inq = DS_CALL_FREE;
	if (!ds_flow_send(&flow, sk, msg))
		return;

	ds_send_begin();
	refused = ipv6_only_sock(sk);
	if (given && !refused) {
		msg->msg_inq = DS_CALL_BETWEEN;
		return;
	}
	ds_send_end();
	if (refused) {
		msg->msg_inq = DS_CALL_REFUSED;
		ds_account(sk, DS_REJECT_SEND, &flow);
	}
}

/* The same for most, in short; returns whether that was all. */
static __always_inline bool ds_send_allowed(const struct sock *sk,
					    struct msghdr *msg)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;

	if (!sin6 || sin6->sin6_family != AF_INET6 ||
	    msg->msg_namelen < SIN6_LEN_RFC2133 ||
	    !sin6->sin6_addr.s6_addr32[2] || sk->sk_protocol != IPPROTO_UDP)
		return false;

	ds_send_begin();
	if (ipv6_only_sock(sk)) {
		ds_send_end();
		return false;
	}
	msg->msg_inq = DS_CALL_BETWEEN;
	return true;
}

void ds_account_send(struct sock *sk, struct msghdr *msg)
{
	const struct sockaddr_in6 *sin6 = msg->msg_name;
	const struct in6_addr *daddr = &sk->sk_v6_daddr;

	if (sin6) {
		if (unlikely(sin6->sin6_family != AF_INET6))
			goto mapped;
		daddr = &sin6->sin6_addr;
	}
	if (ds_is_never_mapped(daddr)) {
		/* connect() may change that before the kernel looks. */
		if (!sin6)
			msg->msg_inq = DS_CALL_FREE;
		return;
	}
mapped:
	if (!ds_send_allowed(sk, msg))
		ds_account_send_mapped(sk, msg);
}

/* It was taken for refused, before IPV6_V6ONLY was switched off under its feet. */
static void ds_account_not_refused(struct sock *sk)
{
	struct ds_sock *rec;

	rcu_read_lock();
	if (ds_sock_find(sk, &rec))
		atomic64_dec_if_positive(&rec->count[DS_REJECT_SEND]);
	rcu_read_unlock();
}

static noinline ds_direct
void ds_account_sent_slow(struct sock *sk, struct msghdr *msg)
{
	const struct sockaddr_in *sin = msg->msg_name;
	struct ds_flow flow;

	if (ds_sk_proto(sk) != DS_UDP)
		return;

	/* More of a corked datagram comes without, or with what was not asked. */
	if (sin && sin->sin_family == AF_INET) {
		if (msg->msg_inq == DS_CALL_BETWEEN)
			ds_send_end();
		else if (msg->msg_inq == DS_CALL_REFUSED)
			ds_account_not_refused(sk);
		msg->msg_inq = 0;
	}
	if (ds_flow_sent(&flow, sk, msg))
		ds_account(sk, DS_SEND, &flow);
}

/* The same for most, in short. */
static noinline ds_direct
void ds_account_sent_mapped(struct sock *sk, struct msghdr *msg)
{
	const struct sockaddr_in *sin = msg->msg_name;
	struct ds_sock *rec;

	if (trace_dualstack_mapped_enabled() || !sin ||
	    sin->sin_family != AF_INET || !sin->sin_port ||
	    msg->msg_namelen < (int)sizeof(*sin) ||
	    msg->msg_inq != DS_CALL_BETWEEN)
		goto slow;
	/* No lock is held: the kernel looks again, as the slow way does. */
	if (data_race(udp_sk(sk)->pending))
		goto slow;

	preempt_disable_notrace();
	if (unlikely(!ds_sock_find(sk, &rec))) {
		preempt_enable_notrace();
		goto slow;
	}
	ds_sock_set_mapped(rec, sin->sin_addr.s_addr, sin->sin_port);
	atomic64_inc(&rec->count[DS_SEND]);
	preempt_enable_notrace();
	msg->msg_inq = 0;
	ds_send_end();
	return;
slow:
	ds_account_sent_slow(sk, msg);
}

void ds_account_sent(struct sock *sk, struct msghdr *msg)
{
	if (unlikely(sk->sk_family == AF_INET6))
		ds_account_sent_mapped(sk, msg);
}

/* Whether bind() says EINVAL because of IPV6_V6ONLY. */
static bool ds_bind_refused(struct ds_flow *flow, const struct sock *sk,
			    const struct sockaddr *addr, int len)
{
	const struct sockaddr_in6 *sin6 = (const void *)addr;
	struct net *net = sock_net(sk);
	int proto = ds_sk_proto(sk);

	/* What __inet6_bind() checks before IPV6_V6ONLY. */
	if (sk->sk_family != AF_INET6 || proto < 0 || !ipv6_only_sock(sk) ||
	    len < SIN6_LEN_RFC2133 || addr->sa_family != AF_INET6 ||
	    !ipv6_addr_v4mapped(&sin6->sin6_addr) ||
	    sk->sk_state != TCP_CLOSE || inet_sk(sk)->inet_num)
		return false;
	if (sin6->sin6_port &&
	    inet_port_requires_bind_service(net, ntohs(sin6->sin6_port)) &&
	    !ns_capable_noaudit(net->user_ns, CAP_NET_BIND_SERVICE))
		return false;

	*flow = (struct ds_flow){
		.net		= net,
		.family		= AF_INET,
		.proto		= proto,
		.local		= sin6->sin6_addr,
		.local_port	= sin6->sin6_port,
	};
	return true;
}

static noinline ds_direct
void ds_account_bind_mapped(struct sock *sk, const struct sockaddr *addr,
			    int len)
{
	struct ds_flow flow;

	if (ds_bind_refused(&flow, sk, addr, len))
		ds_account(sk, DS_REJECT_BIND, &flow);
}

static bool ds_binds_mapped(const struct sockaddr *addr)
{
	const struct sockaddr_in6 *sin6 = (const void *)addr;

	return sin6->sin6_family == AF_INET6 &&
	       !ds_is_never_mapped(&sin6->sin6_addr);
}

void ds_account_bind(struct socket *sock, const struct sockaddr *addr, int len)
{
	if (ds_binds_mapped(addr))
		ds_account_bind_mapped(sock->sk, addr, len);
}

/* inet6_bind() leads here, too, unless the compiler has made one function of both:
 * that is counted there, and is about the sock of a struct socket. A subflow that
 * MPTCP has bound has the struct socket of the application, whose sock is another.
 */
static noinline ds_direct
void ds_account_bind_subflow(struct sock *sk, const struct sockaddr *addr,
			     int len)
{
	const struct socket *sock = sk->sk_socket;
	struct ds_flow flow;

	if (sock && sock->sk != sk && ds_bind_refused(&flow, sk, addr, len)) {
		ds_net_way(flow.net, DS_WAY_MPTCP_BIND);
		ds_account(sk, DS_REJECT_BIND, &flow);
	}
}

void ds_account_bind_sk(struct sock *sk, const struct sockaddr *addr, int len)
{
	if (ds_binds_mapped(addr))
		ds_account_bind_subflow(sk, addr, len);
}
