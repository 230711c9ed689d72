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
#include "who.h"

/* The ports are the first two fields of both headers. */
static_assert(offsetof(struct tcphdr, source) ==
	      offsetof(struct udphdr, source));

/* Any event. The data path has a shorter way, ds_account_reception(). */

static bool ds_is_reject(enum ds_event event)
{
	return BIT(event) & DS_EVENTS_REJECT;
}

static bool ds_is_v6(const struct sock *sk)
{
	return sk->sk_family == AF_INET6;
}

static bool ds_is_traced(const struct sock *sk, enum ds_event event)
{
	if (ds_is_reject(event))
		return trace_dualstack_reject_enabled();
	if (!(BIT(event) & DS_EVENTS_SERVED))
		return false;
	return ds_is_v6(sk) ? trace_dualstack_mapped_enabled() :
			      trace_dualstack_v4_enabled();
}

static void ds_trace(struct sock *sk, enum ds_event event,
		     const struct ds_flow *flow)
{
	if (ds_is_reject(event))
		trace_dualstack_reject(sk, event, flow);
	else if (ds_is_v6(sk))
		trace_dualstack_mapped(sk, event, flow);
	else
		trace_dualstack_v4(sk, event, flow);
}

/* Whether an event of the data path may be traced, which it is for all namespaces. */
static __always_inline bool ds_is_served_traced(void)
{
	return trace_dualstack_mapped_enabled() || trace_dualstack_v4_enabled();
}

static void ds_set_peer(struct ds_sock *rec, enum ds_event event,
			const struct ds_flow *flow)
{
	if (BIT(event) & DS_EVENTS_PEER_V4)
		ds_sock_set_mapped(rec, flow->peer.s6_addr32[3],
				   flow->peer_port);
	else if (BIT(event) & DS_EVENTS_PEER_REJECTED)
		ds_sock_set_rejected(rec, &flow->peer, flow->peer_port);
}

/* Count @n equal events. With preemption disabled, which is enough for RCU. */
static void ds_account_nopreempt(struct sock *sk, enum ds_event event,
				 const struct ds_flow *flow, unsigned int n)
{
	struct ds_sock *rec;
	unsigned int i;

	rec = ds_sock_get(sk, event);
	if (rec) {
		ds_set_peer(rec, event, flow);
		atomic64_add(n, &rec->count[event]);
	} else {
		ds_net_untracked(flow->net, ds_family(sk->sk_family),
				 flow->proto, event, n);
	}
	if (likely(check_net(flow->net)))
		ds_who_note(sk, rec, event, flow, n);

	for (i = 0; i < n && ds_is_traced(sk, event); i++)
		ds_trace(sk, event, flow);
}

static void ds_account_n(struct sock *sk, enum ds_event event,
			 const struct ds_flow *flow, unsigned int n)
{
	preempt_disable_notrace();
	ds_account_nopreempt(sk, event, flow, n);
	preempt_enable_notrace();
}

static void ds_account(struct sock *sk, enum ds_event event,
		       const struct ds_flow *flow)
{
	ds_account_n(sk, event, flow, 1);
}

/* What came in: handshakes and datagrams. What runs for each of them is in
 * functions that call no ordinary ones: a ds_direct function saves the registers
 * that it uses, and around such a call that would be all of them. So the slow paths
 * are ds_direct, too.
 */

/* The first half of an IPv4-mapped address is zero. That of a global or link-local
 * one is not.
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

/* The slow path: the first event of a socket, one that cannot be recorded, one with
 * a mapped source, several at once.
 */
static noinline ds_direct
void ds_account_reception_slow(struct sock *sk, const struct sk_buff *skb,
			       unsigned int n)
{
	bool v4 = skb->protocol == htons(ETH_P_IP);
	int proto = ds_sk_proto(sk);
	struct ds_flow flow;

	if (proto < 0)
		return;

	ds_flow_from_skb(&flow, sock_net(sk), skb, proto);
	ds_account_n(sk, v4 ? DS_IN_V4 : DS_IN_V6, &flow, n);
	if (ds_wire_mapped(skb))
		ds_account_n(sk, DS_WIRE_MAPPED, &flow, n);
}

/* Count in the record of the socket. Returns whether it has one. */
static __always_inline bool ds_count_reception(struct sock *sk,
					       const struct sk_buff *skb,
					       enum ds_event event)
{
	struct ds_sock *rec;
	__be32 saddr;
	bool found;

	preempt_disable_notrace();
	found = ds_sock_find(sk, &rec);
	if (likely(found)) {
		if (event == DS_IN_V4) {
			saddr = ip_hdr(skb)->saddr;
			ds_sock_set_mapped(rec, saddr, udp_hdr(skb)->source);
			ds_who_received(sk, rec, saddr);
		}
		atomic64_inc(&rec->count[event]);
	}
	preempt_enable_notrace();
	return found;
}

/* Count for a socket that has no record because its namespace has no room for one:
 * this saves each of its packets the slow path. Returns whether that is so.
 */
static __always_inline bool ds_count_untracked(struct sock *sk,
					       const struct sk_buff *skb,
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
	atomic64_inc(&dn->totals.count[ds_family(sk->sk_family)][proto][event]);
	atomic64_inc(&dn->totals.untracked[proto]);
	if (event == DS_IN_V4)
		ds_who_received_untracked(sk, ip_hdr(skb)->saddr);
	return true;
}

static noinline ds_direct
void ds_account_reception_missed(struct sock *sk, const struct sk_buff *skb,
				 enum ds_event event)
{
	bool done;

	preempt_disable_notrace();
	done = ds_count_untracked(sk, skb, event);
	preempt_enable_notrace();
	if (!done)
		ds_account_reception_slow(sk, skb, 1);
}

/* An IPv4 packet while one of the tracepoints is enabled. */
static noinline ds_direct
void ds_account_reception_traced(struct sock *sk, const struct sk_buff *skb)
{
	struct ds_flow flow;

	if (!ds_count_reception(sk, skb, DS_IN_V4)) {
		ds_account_reception_slow(sk, skb, 1);
		return;
	}
	if (ds_is_traced(sk, DS_IN_V4)) {
		ds_flow_from_skb(&flow, sock_net(sk), skb, ds_sk_proto(sk));
		ds_trace(sk, DS_IN_V4, &flow);
	}
}

static __always_inline void ds_account_reception(struct sock *sk,
						 const struct sk_buff *skb)
{
	if (likely(skb->protocol == htons(ETH_P_IP))) {
		if (ds_is_served_traced())
			ds_account_reception_traced(sk, skb);
		else if (unlikely(!ds_count_reception(sk, skb, DS_IN_V4)))
			ds_account_reception_missed(sk, skb, DS_IN_V4);
	} else {
		if (unlikely(ds_source_mapped(skb)))
			ds_account_reception_slow(sk, skb, 1);
		else if (unlikely(!ds_count_reception(sk, skb, DS_IN_V6)))
			ds_account_reception_missed(sk, skb, DS_IN_V6);
	}
}

/* A child that is closed by now was not accepted: MPTCP makes one to find out
 * whether it may join a connection, and resets it if not.
 */
void ds_account_accept(struct sock *listener, const struct sock *child,
		       const struct sk_buff *skb)
{
	if (likely(child->sk_state != TCP_CLOSE))
		ds_account_reception(listener, skb);
}

static noinline ds_direct
void ds_account_fastopen_child(struct sock *listener, const struct sock *child)
{
	struct ds_flow flow;

	ds_flow_from_sk(&flow, child);
	ds_net_way(flow.net, DS_WAY_FASTOPEN);
	ds_account(listener, flow.family == AF_INET ? DS_IN_V4 :
						      DS_IN_V6, &flow);
}

void ds_account_fastopen(struct sock *listener, struct request_sock *req,
			 const struct sock *child)
{
	if (ds_sk_proto(listener) == DS_TCP &&
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

/* With UDP_GRO one recvmsg() may hand over several datagrams of a sender, and tells
 * the application how long each is; the last may be shorter. Each is counted. The
 * fragments of one large datagram, as the host of a virtual machine may pass them
 * on (SKB_GSO_UDP), count once.
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
	/* MSG_PEEK leaves the datagram to another recvmsg(), which counts it. The
	 * length is negative then; that of an empty datagram is not, but it is
	 * still queued. (Unless another thread has just taken it: then it is
	 * counted twice.)
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

	preempt_disable_notrace();	/* enough for RCU, and cheaper */
	if (check_net(query.flow.net)) {
		dn = ds_net_nopreempt(query.flow.net);
		this_cpu_inc(*dn->totals.looked_up);
		sk = ds_lookup_refuser(&query, &event);
		if (sk)
			ds_account_nopreempt(sk, event, &query.flow, 1);
	}
	preempt_enable_notrace();
}

/* What an application sent, connected or bound to, or tried to. */

/* A quick check that most destinations end with: the kernel takes for IPv4 only
 * what is mapped, and perhaps the unspecified address. If the application gave
 * fewer bytes than are read here, its call fails anyway.
 */
static bool ds_is_never_mapped(const struct in6_addr *daddr)
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
		totals = &ds_net_nopreempt(net)->totals;
		atomic64_inc(&totals->count[DS_INET6][DS_TCP][DS_CONNECT_V6]);
	}
	preempt_enable_notrace();
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

static noinline ds_direct
void ds_account_connect_slow(struct sock *sk, const struct sockaddr *addr,
			     int len)
{
	int proto = ds_sk_proto(sk);
	struct ds_flow flow;

	if (!ds_is_v6(sk) || proto < 0)
		return;
	if (ds_flow_connect(&flow, sk, addr, len))
		ds_account(sk, ipv6_only_sock(sk) ? DS_REJECT_CONNECT :
						    DS_CONNECT_V4, &flow);
	else if (!ds_flow_connect_native(&flow, sk, addr, len))
		return;
	else if (proto == DS_TCP)
		ds_count_connect6(sk);
	else
		ds_account(sk, DS_CONNECT_V6, &flow);
}

void ds_account_connect(struct sock *sk, const struct sockaddr *addr, int len)
{
	/* Of send() with MSG_FASTOPEN and no address there is none: NULL and 0. */
	if (unlikely(len < (int)sizeof(struct sockaddr_in)))
		return;
	if (likely(ds_connects_native((const void *)addr, len) &&
		   ds_is_v6(sk) && ds_sk_proto(sk) == DS_TCP))
		ds_count_connect6(sk);
	else
		ds_account_connect_slow(sk, addr, len);
}

static __always_inline void ds_count_connect4(struct sock *sk, __be32 daddr,
					      __be16 dport)
{
	struct net *net = sock_net(sk);
	struct ds_net *dn;

	preempt_disable_notrace();
	if (likely(check_net(net))) {
		dn = ds_net_nopreempt(net);
		atomic64_inc(&dn->totals.count[DS_INET][DS_TCP][DS_CONNECT_V4]);
		ds_who_calls(&dn->ledger, sk, DS_TCP,
			     DUALSTACK_PEER_DIRECTION_OUT, daddr, dport);
	}
	preempt_enable_notrace();
}

static noinline ds_direct
void ds_account_connect4_slow(struct sock *sk, const struct sockaddr *addr,
			      int len)
{
	int proto = ds_sk_proto(sk);
	struct ds_flow flow;

	if (proto < 0 || !ds_flow_connect4(&flow, sk, addr, len))
		return;
	if (proto == DS_UDP) {
		ds_account(sk, DS_CONNECT_V4, &flow);
		return;
	}
	ds_count_connect4(sk, flow.peer.s6_addr32[3], flow.peer_port);
	if (ds_is_traced(sk, DS_CONNECT_V4))
		ds_trace(sk, DS_CONNECT_V4, &flow);
}

static noinline ds_direct
void ds_account_connect4_tcp(struct sock *sk, const struct sockaddr_in *sin)
{
	ds_count_connect4(sk, sin->sin_addr.s_addr, sin->sin_port);
}

void ds_account_connect4(struct sock *sk, const struct sockaddr *addr, int len)
{
	if (unlikely(ds_is_v6(sk) || len < (int)sizeof(struct sockaddr_in)))
		return;
	if (likely(addr->sa_family == AF_INET &&
		   ds_sk_proto(sk) == DS_TCP && !trace_dualstack_v4_enabled()))
		ds_account_connect4_tcp(sk, (const void *)addr);
	else
		ds_account_connect4_slow(sk, addr, len);
}

/* udpv6_sendmsg() reads IPV6_V6ONLY without a lock, and so does our hook at its
 * entry, some instructions earlier: what they see must not differ. A sender whose
 * hook has seen the option off is counted in ds_sending, from ds_send_begin() until
 * udp_sendmsg() is called, which is sure to follow; ds_v6only_write_held() does not
 * set the option meanwhile. A sender whose hook has seen it on may still find it
 * off: it is counted as refused until udp_sendmsg() is called, and then no more.
 */
static DEFINE_PER_CPU(int, ds_sending);
static DEFINE_SPINLOCK(ds_send_lock);	/* taken by those who set the option */
static bool ds_send_held;

/* How long to wait for senders that are counted in ds_sending: one may be preempted
 * there. It is not waited for without end, as a count can stay: if another thread
 * sets the option at that moment by setsockopt(), as it may as long as the socket
 * has no port, udp_sendmsg() is not called.
 */
#define DS_SEND_PATIENCE	(HZ / 4)
#define DS_SEND_LOOKS		100

static int ds_send_left;		/* counts that stayed */
static unsigned long ds_send_since;	/* when waiting began, or 0 */

/* What the hook of udpv6_sendmsg() tells that of udp_sendmsg() about a call, in
 * msghdr.msg_inq, which only recvmsg() uses. Others who call these functions may
 * leave it uninitialised, so the values are unlikely ones.
 */
enum {
	DS_CALL_FREE,			/* does not read the option */
	DS_CALL_REFUSED = 0x64730001,	/* was counted as reject_send */
	DS_CALL_BETWEEN = 0x64730002,	/* saw it off; is in ds_sending */
};

static int ds_send_between(void)
{
	int cpu, n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu(ds_sending, cpu));
	return n;
}

/* Most senders are through in no time, and no more come while this is held. */
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
		/* If the last try was long ago, waiting begins anew. */
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
		/* Up and down on one processor: otherwise a sum of all might see
		 * one of the two and miss the other.
		 */
		preempt_disable_notrace();
		this_cpu_inc(ds_sending);
		smp_mb();	/* pairs with ds_account_send_hold() */
		if (likely(!smp_load_acquire(&ds_send_held)))
			break;
		/* It is not held for long. */
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

/* A destination that comes with the message does not change before the kernel reads
 * IPV6_V6ONLY. That of a connected socket may, but the option of a connected socket
 * is never set.
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

/* The most common case of ds_account_send_mapped(). Returns whether it is that. */
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
		/* connect() may change it before the kernel looks. */
		if (!sin6)
			msg->msg_inq = DS_CALL_FREE;
		return;
	}
mapped:
	if (!ds_send_allowed(sk, msg))
		ds_account_send_mapped(sk, msg);
}

/* Take a refusal back: IPV6_V6ONLY was switched off just after it was counted, and
 * the kernel let the message pass.
 */
static void ds_account_not_refused(struct sock *sk,
				   const struct sockaddr_in *sin)
{
	struct ds_sock *rec;

	rcu_read_lock();
	if (ds_sock_find(sk, &rec))
		atomic64_dec_if_positive(&rec->count[DS_REJECT_SEND]);
	ds_who_not_refused(sk, sin->sin_addr.s_addr, sin->sin_port);
	rcu_read_unlock();
}

static noinline ds_direct
void ds_account_sent_slow(struct sock *sk, struct msghdr *msg)
{
	const struct sockaddr_in *sin = msg->msg_name;
	struct ds_flow flow;

	if (ds_sk_proto(sk) != DS_UDP)
		return;

	/* More of a corked datagram has no destination here, or one that
	 * udpv6_sendmsg() has not looked at.
	 */
	if (sin && sin->sin_family == AF_INET) {
		if (msg->msg_inq == DS_CALL_BETWEEN)
			ds_send_end();
		else if (msg->msg_inq == DS_CALL_REFUSED)
			ds_account_not_refused(sk, sin);
		msg->msg_inq = 0;
	}
	if (ds_flow_sent(&flow, sk, msg))
		ds_account(sk, DS_SEND_V4, &flow);
}

/* The most common case of ds_account_sent_slow(). */
static noinline ds_direct
void ds_account_sent_mapped(struct sock *sk, struct msghdr *msg)
{
	const struct sockaddr_in *sin = msg->msg_name;
	struct ds_sock *rec;

	if (ds_is_served_traced() || !sin ||
	    sin->sin_family != AF_INET || !sin->sin_port ||
	    msg->msg_namelen < (int)sizeof(*sin) ||
	    msg->msg_inq != DS_CALL_BETWEEN)
		goto slow;
	/* Read without a lock: the kernel looks again, and so does the slow path.
	 */
	if (data_race(udp_sk(sk)->pending))
		goto slow;

	preempt_disable_notrace();
	if (unlikely(!ds_sock_find(sk, &rec))) {
		preempt_enable_notrace();
		goto slow;
	}
	atomic64_inc(&rec->count[DS_SEND_V4]);
	ds_sock_set_mapped(rec, sin->sin_addr.s_addr, sin->sin_port);
	ds_who_sends(sk, rec, sin->sin_addr.s_addr, sin->sin_port);
	preempt_enable_notrace();
	msg->msg_inq = 0;
	ds_send_end();
	return;
slow:
	ds_account_sent_slow(sk, msg);
}

/* The same on an AF_INET socket, which nobody is to tell what the hook of
 * udpv6_sendmsg() saw.
 */
static noinline ds_direct
void ds_account_sent4_slow(struct sock *sk, struct msghdr *msg)
{
	struct ds_flow flow;

	if (ds_sk_proto(sk) == DS_UDP && ds_flow_sent(&flow, sk, msg))
		ds_account(sk, DS_SEND_V4, &flow);
}

static __always_inline bool ds_count_sent4(struct sock *sk,
					   const struct msghdr *msg)
{
	const struct sockaddr_in *sin = msg->msg_name;
	const struct inet_sock *inet = inet_sk(sk);
	__be32 daddr = inet->inet_daddr;
	__be16 dport = inet->inet_dport;
	struct ds_sock *rec;
	bool found;

	if (sin) {
		if (msg->msg_namelen < (int)sizeof(*sin) ||
		    sin->sin_family != AF_INET || !sin->sin_port)
			return false;
		daddr = sin->sin_addr.s_addr;
		dport = sin->sin_port;
	} else if (sk->sk_state != TCP_ESTABLISHED) {
		return false;
	}
	/* Without a lock: the slow path looks again. */
	if (data_race(udp_sk(sk)->pending))
		return false;

	preempt_disable_notrace();
	found = ds_sock_find(sk, &rec);
	if (likely(found)) {
		atomic64_inc(&rec->count[DS_SEND_V4]);
		ds_sock_set_mapped(rec, daddr, dport);
		ds_who_sends(sk, rec, daddr, dport);
	}
	preempt_enable_notrace();
	return found;
}

void ds_account_sent(struct sock *sk, struct msghdr *msg)
{
	if (unlikely(ds_is_v6(sk)))
		ds_account_sent_mapped(sk, msg);
	else if (ds_is_served_traced() || unlikely(!ds_count_sent4(sk, msg)))
		ds_account_sent4_slow(sk, msg);
}

/* Whether bind() fails with EINVAL because of IPV6_V6ONLY. The address is one of
 * ds_binds_mapped().
 */
static bool ds_bind_refused(struct ds_flow *flow, const struct sock *sk,
			    const struct sockaddr *addr, int len)
{
	const struct sockaddr_in6 *sin6 = (const void *)addr;
	struct net *net = sock_net(sk);
	int proto = ds_sk_proto(sk);

	/* What __inet6_bind() checks before IPV6_V6ONLY. */
	if (sk->sk_family != AF_INET6 || proto < 0 || !ipv6_only_sock(sk) ||
	    len < SIN6_LEN_RFC2133 || !ipv6_addr_v4mapped(&sin6->sin6_addr) ||
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

#ifdef DS_MPTCP_BIND_SK
/* inet6_bind() calls inet6_bind_sk(), too, unless the compiler has inlined it; that
 * is left to ds_account_bind(). There the sock is that of its struct socket. A
 * subflow that MPTCP binds has the struct socket of the application, whose sock is
 * another one.
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
#endif
