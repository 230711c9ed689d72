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
#include <linux/refcount.h>
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
#include "fast.h"
#include "flow.h"
#include "last_peer.h"
#include "lookup.h"
#include "net.h"
#include "queue.h"
#include "rcu.h"
#include "sending.h"
#include "sock.h"
#include "stats.h"
#include "trace.h"
#include "who.h"

/* The ports are the first two fields of both headers. */
static_assert(offsetof(struct tcphdr, source) ==
	      offsetof(struct udphdr, source));

/* Any event. The data path has a shorter way, in fast.c. */

static bool ds_is_reject(enum ds_event event)
{
	return BIT(event) & DS_EVENTS_REJECT;
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

/* Tell whoever traces, and who listens in the namespace. */
static void ds_tell(struct sock *sk, enum ds_event event,
		    const struct ds_flow *flow)
{
	if (ds_is_traced(sk, event))
		ds_trace(sk, event, flow);
	if (ds_somebody_listens())
		ds_queue_add(sk, event, flow);
}

/* Whether somebody traces or listens, to whatever and wherever it is. */
static __always_inline bool ds_is_watched(void)
{
	return ds_is_served_traced() || trace_dualstack_reject_enabled() ||
	       ds_somebody_listens();
}

/* Whether somebody may have to be told. Under RCU. */
static bool ds_is_told(const struct sock *sk, enum ds_event event)
{
	if (ds_is_traced(sk, event))
		return true;
	return ds_somebody_listens() &&
	       BIT(event) & (DS_EVENTS_SERVED | DS_EVENTS_REJECT) &&
	       check_net(sock_net(sk)) && ds_is_heard(sk);
}

/* Tell of @n equal events. Apart, as few watch. */
static noinline void ds_tell_n(struct sock *sk, enum ds_event event,
			       const struct ds_flow *flow, unsigned int n)
{
	while (n--)
		ds_tell(sk, event, flow);
}

static void ds_set_peer(struct ds_sock *rec, enum ds_event event,
			const struct ds_flow *flow)
{
	if (BIT(event) & DS_EVENTS_PEER_V4)
		ds_sock_set_mapped(rec, ds_peer_word(flow->peer.s6_addr32[3],
						     flow->peer_port),
				   jiffies);
	else if (BIT(event) & DS_EVENTS_PEER_REJECTED)
		ds_sock_set_rejected(rec, &flow->peer, flow->peer_port);
}

/* Count @n equal events of a socket. Returns its record, or NULL. Under RCU. */
static __always_inline struct ds_sock *
ds_count(struct sock *sk, enum ds_event event, const struct ds_flow *flow,
	 unsigned int n)
{
	struct ds_sock *rec;

	rec = ds_sock_get(sk, event);
	if (likely(rec)) {
		ds_set_peer(rec, event, flow);
		atomic64_add(n, &rec->count[event]);
	} else {
		ds_net_untracked(flow->net, ds_family(sk->sk_family),
				 flow->proto, event, n);
	}
	return rec;
}

/* Count @n equal events, and tell of them. Under RCU. */
static void ds_account_rcu(struct sock *sk, enum ds_event event,
			   const struct ds_flow *flow, unsigned int n)
{
	struct ds_sock *rec = ds_count(sk, event, flow, n);

	if (likely(check_net(flow->net)))
		ds_who_note(sk, rec, event, flow, n);
	if (ds_is_watched() && ds_is_told(sk, event))
		ds_tell_n(sk, event, flow, n);
}

static void ds_account_n(struct sock *sk, enum ds_event event,
			 const struct ds_flow *flow, unsigned int n)
{
	ds_rcu_lock();
	ds_account_rcu(sk, event, flow, n);
	ds_rcu_unlock();
}

static void ds_account(struct sock *sk, enum ds_event event,
		       const struct ds_flow *flow)
{
	ds_account_n(sk, event, flow, 1);
}

/* What came in: handshakes and datagrams. */

static bool ds_wire_mapped(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IPV6) && ds_source_mapped(skb);
}

/* @n datagrams, or one handshake. */
static void ds_account_received(struct sock *sk, const struct sk_buff *skb,
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

/* Count for a socket that has no record because its namespace has no room for one:
 * this saves each of its packets the way by ds_account_received(). Returns whether that
 * is so.
 */
static bool ds_count_untracked(struct sock *sk, const struct sk_buff *skb,
			       enum ds_event event)
{
	struct net *net = sock_net(sk);
	int proto = ds_sk_proto(sk);
	struct ds_net *dn;

	if (!check_net(net) || proto < 0)
		return false;
	dn = ds_net_rcu(net);
	if (!READ_ONCE(dn->records.no_room) || ds_sock_is_recorded(sk) ||
	    (event == DS_IN_V4 && ds_is_heard(sk)))
		return false;
	atomic64_inc(&dn->totals.count[ds_family(sk->sk_family)][proto][event]);
	atomic64_inc(&dn->totals.untracked[proto]);
	if (event == DS_IN_V4)
		ds_who_received_untracked(sk, ip_hdr(skb)->saddr);
	return true;
}

static bool ds_account_untracked(struct sock *sk, const struct sk_buff *skb,
				 enum ds_event event)
{
	bool done;

	ds_rcu_lock();
	done = ds_count_untracked(sk, skb, event);
	ds_rcu_unlock();
	return done;
}

/* An IPv4 packet while one of the tracepoints is enabled, which may be that of the other
 * family, or somebody listens, which may be elsewhere. Returns whether the socket has a
 * record.
 */
static bool ds_account_watched(struct sock *sk, const struct sk_buff *skb)
{
	struct ds_flow flow;
	struct ds_sock *rec;
	bool found;

	ds_rcu_lock();
	found = ds_sock_find(sk, &rec);
	if (found && !ds_count_in_v4(rec, skb))
		ds_who_received_slow(sk, rec, ip_hdr(skb)->saddr);
	if (found && ds_is_told(sk, DS_IN_V4)) {
		ds_flow_from_skb(&flow, sock_net(sk), skb, ds_sk_proto(sk));
		ds_tell(sk, DS_IN_V4, &flow);
	}
	ds_rcu_unlock();
	return found;
}

/* One that fast.c did not count: somebody is told of it, its source is mapped, it is merged,
 * or the socket has no record.
 */
static void ds_account_reception(struct sock *sk, const struct sk_buff *skb)
{
	bool v4 = skb->protocol == htons(ETH_P_IP);
	bool traced = v4 && ds_is_served_traced();

	if ((traced || (v4 && ds_somebody_listens())) &&
	    ds_account_watched(sk, skb))
		return;
	if (!traced && !ds_wire_mapped(skb) &&
	    ds_account_untracked(sk, skb, v4 ? DS_IN_V4 : DS_IN_V6))
		return;
	ds_account_received(sk, skb, 1);
}

void ds_account_accept_slow(struct sock *listener, const struct sock *child,
			    const struct sk_buff *skb)
{
	ds_call_begin();
	ds_account_reception(listener, skb);
	ds_call_end();
}

/* With UDP_GRO one recvmsg() may hand over several datagrams of a sender, and tells
 * the application how long each is; the last may be shorter. Each is counted. The
 * fragments of one large datagram, as the host of a virtual machine may pass them
 * on (SKB_GSO_UDP), count once.
 */
void ds_account_recv_slow(struct sock *sk, const struct sk_buff *skb, int len)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int n = 1;

	if (ds_udp_gro(sk) && skb_is_gso(skb) &&
	    shinfo->gso_type & SKB_GSO_UDP_L4)
		n = DIV_ROUND_UP(skb->len, shinfo->gso_size);
	ds_call_begin();
	if (n > 1)
		ds_account_received(sk, skb, n);
	else
		ds_account_reception(sk, skb);
	ds_call_end();
}

static noinline ds_direct
void ds_account_fastopen_child(struct sock *listener, const struct sock *child)
{
	struct ds_flow flow;

	ds_flow_from_sk(&flow, child);
	ds_call_begin();
	ds_net_way(flow.net, DS_WAY_FASTOPEN);
	ds_account(listener, flow.family == AF_INET ? DS_IN_V4 :
						      DS_IN_V6, &flow);
	ds_call_end();
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
	ds_call_begin();
	if (sk_is_mptcp(sk))
		ds_net_way(flow.net, DS_WAY_MPTCP_SYN);
	ds_account(sk, DS_WIRE_MAPPED, &flow);
	ds_call_end();
}

void ds_account_syn(struct sock *listener, const struct sk_buff *skb)
{
	if (unlikely(ds_wire_mapped(skb)) && ipv6_unicast_destination(skb))
		ds_account_wire(listener, skb);
}

/* A packet for a port that some socket has. Apart, for it takes room on the stack that is
 * guarded. What does not become part of an answer need not be cleared.
 */
static noinline void ds_account_refused(struct sk_buff *skb, enum ds_proto proto)
{
	struct ds_query query __uninitialized;
	enum ds_event event;
	struct sock *sk;

	if (!ds_query_from_skb(&query, skb, proto))
		return;
	sk = ds_lookup_refuser(&query, &event);
	if (!sk)
		return;
	ds_count(sk, event, &query.flow, 1);
	ds_who_refused(sk, &query.flow);
	if (ds_is_watched() && ds_is_told(sk, event))
		ds_tell(sk, event, &query.flow);
}

void ds_account_no_socket(struct sk_buff *skb)
{
	int proto = ds_query_proto(skb);
	struct net *net;

	if (proto < 0)
		return;

	net = ds_query_net(skb);
	ds_rcu_lock();
	if (check_net(net)) {
		this_cpu_inc(*ds_net_rcu(net)->totals.looked_up);
		/* The ports are the first two fields of both headers. */
		if (!ds_port_is_unused(net, proto, udp_hdr(skb)->dest))
			ds_account_refused(skb, proto);
	}
	ds_rcu_unlock();
}

#ifdef CONFIG_PREEMPT_RT
static noinline ds_direct
void ds_account_drop_unwanted(struct sk_buff *skb)
{
	ds_account_no_socket(skb);
}

void ds_account_drop(DS_DROP_PROTO)
{
	/* One that others hold is not dropped yet, see skb_unref(). */
	if (unlikely(reason == SKB_DROP_REASON_NO_SOCKET) && skb &&
	    refcount_read(&skb->users) == 1)
		ds_account_drop_unwanted(skb);
}
#endif

/* What an application sent, connected or bound to, or tried to. */

static void ds_account_connect_any(struct sock *sk, const struct sockaddr *addr,
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

void ds_account_connect_slow(struct sock *sk, const struct sockaddr *addr,
			     int len)
{
	ds_call_begin();
	ds_account_connect_any(sk, addr, len);
	ds_call_end();
}

/* Returns whether somebody listens. */
static __always_inline bool ds_count_connect4(struct sock *sk, __be32 daddr,
					      __be16 dport)
{
	struct net *net = sock_net(sk);
	bool heard = false;
	struct ds_net *dn;

	ds_rcu_lock();
	if (likely(check_net(net))) {
		dn = ds_net_rcu(net);
		atomic64_inc(&dn->totals.count[DS_INET][DS_TCP][DS_CONNECT_V4]);
		ds_who_calls(&dn->ledger, sk, DS_TCP,
			     DUALSTACK_PEER_DIRECTION_OUT, daddr, dport);
		heard = ds_is_heard(sk);
	}
	ds_rcu_unlock();
	return heard;
}

static noinline ds_direct
void ds_tell_connect4(struct sock *sk, const struct sockaddr *addr, int len)
{
	struct ds_flow flow;

	if (ds_flow_connect4(&flow, sk, addr, len))
		ds_tell(sk, DS_CONNECT_V4, &flow);
}

void ds_account_connect4_tcp(struct sock *sk, const struct sockaddr *addr,
			     int len)
{
	const struct sockaddr_in *sin = (const void *)addr;

	ds_call_begin();
	if (unlikely(ds_count_connect4(sk, sin->sin_addr.s_addr, sin->sin_port)))
		ds_tell_connect4(sk, addr, len);
	ds_call_end();
}

static void ds_account_connect4_any(struct sock *sk, const struct sockaddr *addr,
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
	ds_tell(sk, DS_CONNECT_V4, &flow);
}

void ds_account_connect4_slow(struct sock *sk, const struct sockaddr *addr,
			      int len)
{
	ds_call_begin();
	ds_account_connect4_any(sk, addr, len);
	ds_call_end();
}

/* A destination that comes with the message does not change before the kernel reads
 * IPV6_V6ONLY. That of a connected socket may, but the option of a connected socket
 * is never set.
 */
void ds_account_send_slow(struct sock *sk, struct msghdr *msg, size_t len)
{
	bool refused, given = msg->msg_name;
	struct ds_flow flow;

	if (ds_sk_proto(sk) != DS_UDP)
		return;
	msg->msg_inq = DS_CALL_FREE;
	if (!ds_flow_send(&flow, sk, msg))
		return;

	ds_sending_begin();
	refused = ipv6_only_sock(sk);
	if (given && !refused) {
		msg->msg_inq = DS_CALL_BETWEEN;
		return;
	}
	ds_sending_end();
	if (refused) {
		msg->msg_inq = DS_CALL_REFUSED;
		ds_call_begin();
		ds_account(sk, DS_REJECT_SEND, &flow);
		ds_call_end();
	}
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

/* What the hook of udpv6_sendmsg() has told. More of a corked datagram has no destination
 * here, or one that udpv6_sendmsg() has not looked at.
 */
static void ds_account_told(struct sock *sk, struct msghdr *msg)
{
	const struct sockaddr_in *sin = msg->msg_name;

	if (!sin || sin->sin_family != AF_INET)
		return;
	if (msg->msg_inq == DS_CALL_BETWEEN)
		ds_sending_end();
	else if (msg->msg_inq == DS_CALL_REFUSED)
		ds_account_not_refused(sk, sin);
	msg->msg_inq = 0;
}

void ds_account_sent_slow(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct ds_flow flow;

	if (ds_sk_proto(sk) != DS_UDP)
		return;
	ds_call_begin();
	if (ds_is_v6(sk))
		ds_account_told(sk, msg);
	if (ds_flow_sent(&flow, sk, msg))
		ds_account(sk, DS_SEND_V4, &flow);
	ds_call_end();
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

	ds_call_begin();
	if (ds_bind_refused(&flow, sk, addr, len))
		ds_account(sk, DS_REJECT_BIND, &flow);
	ds_call_end();
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

	ds_call_begin();
	if (sock && sock->sk != sk && ds_bind_refused(&flow, sk, addr, len)) {
		ds_net_way(flow.net, DS_WAY_MPTCP_BIND);
		ds_account(sk, DS_REJECT_BIND, &flow);
	}
	ds_call_end();
}

void ds_account_bind_sk(struct sock *sk, const struct sockaddr *addr, int len)
{
	if (ds_binds_mapped(addr))
		ds_account_bind_subflow(sk, addr, len);
}
#endif
