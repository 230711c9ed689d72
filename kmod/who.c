// SPDX-License-Identifier: GPL-2.0
/* Whose an event is: the peer that it counts for in the ledger, if any. */

#include <linux/cred.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "event_list.h"
#include "flow.h"
#include "ledger.h"
#include "net.h"
#include "rcu.h"
#include "who.h"

static_assert(sizeof(current->comm) == sizeof_field(struct ds_entry_key, comm));
static_assert(sizeof(struct in6_addr) == 2 * sizeof(u64));

static __always_inline
struct ds_entry *ds_who_comes_in(struct ds_ledger *ledger, struct sock *sk,
				 enum ds_proto proto, __be32 saddr, unsigned int n)
{
	const struct ds_entry_key key = {
		.ledger	= ledger,
		.head	= ds_entry_head(saddr, inet_sk(sk)->inet_sport, proto,
					DUALSTACK_PEER_DIRECTION_IN),
	};

	return ds_ledger_note(ledger, &key, sk, n);
}

static __always_inline bool ds_port_is_given(const struct sock *sk)
{
	return sk->sk_userlocks & SOCK_BINDPORT_LOCK;
}

/* Who a UDP socket is whose connect() was not seen, if there was one. */
static __always_inline bool ds_serves(const struct sock *sk)
{
	return ds_port_is_given(sk) && sk->sk_state != TCP_ESTABLISHED;
}

/* Whether somebody has come over IPv4 to the port that a socket is bound to. */
static bool ds_was_served(const struct ds_ledger *ledger, const struct sock *sk,
			  __be32 addr)
{
	const struct ds_entry_key key = {
		.ledger	= ledger,
		.head	= ds_entry_head(addr, inet_sk(sk)->inet_sport, DS_UDP,
					DUALSTACK_PEER_DIRECTION_IN),
	};

	return ds_entry_find(&key);
}

/* The socket that a server connects to its client, one for each, has what made the
 * server do so in its queue; or it is a new one, at a port where that client was served
 * by another.
 */
static bool ds_connects_as_client(const struct ds_ledger *ledger,
				  const struct sock *sk, const struct ds_sock *rec,
				  const struct ds_flow *flow)
{
	if (!ds_port_is_given(sk))
		return true;
	return !atomic64_read(&rec->count[DS_IN_V6]) &&
	       skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	       skb_queue_empty_lockless(&udp_sk(sk)->reader_queue) &&
	       !(flow->family == AF_INET &&
		 ds_was_served(ledger, sk, flow->peer.s6_addr32[3]));
}

static void ds_who_decide_connect(const struct ds_ledger *ledger,
				  const struct sock *sk, struct ds_sock *rec,
				  const struct ds_flow *flow)
{
	unsigned long undecided = (unsigned long)&ds_entry_undecided;
	unsigned long old = READ_ONCE(rec->entry), decided;

	if ((old & ~DS_ENTRY_OFF) != undecided)
		return;
	decided = ds_connects_as_client(ledger, sk, rec, flow) ?
		  undecided | DS_ENTRY_CLIENT : (unsigned long)&ds_entry_server;
	cmpxchg(&rec->entry, old, decided | (old & DS_ENTRY_OFF));
}

/* Returns what @rec->entry is afterwards, or would be. */
static __always_inline
unsigned long ds_who_decide(const struct sock *sk, enum ds_proto proto,
			    struct ds_sock *rec)
{
	unsigned long undecided = (unsigned long)&ds_entry_undecided;
	unsigned long tagged = READ_ONCE(rec->entry);
	unsigned long decided, old;

	if (likely(tagged != undecided))
		return tagged;
	if (proto == DS_TCP || ds_serves(sk))
		decided = (unsigned long)&ds_entry_server;
	else
		decided = undecided | DS_ENTRY_CLIENT;
	old = cmpxchg(&rec->entry, undecided, decided);
	return old == undecided ? decided : old;
}

/* While there is no ledger, events are not to come this far. ds_who_resume() takes it
 * back: it sees the tag, or is seen to have begun.
 */
static noinline ds_direct
void ds_who_switch_off(const struct ds_ledger *ledger, struct ds_sock *rec)
{
	unsigned long old = READ_ONCE(rec->entry);

	if (cmpxchg(&rec->entry, old, old | DS_ENTRY_OFF) != old)
		return;
	smp_mb();	/* pairs with ds_who_resume() */
	if (READ_ONCE(ledger->on))
		cmpxchg(&rec->entry, old | DS_ENTRY_OFF, old);
}

/* From a peer that the record does not remember. */
static __always_inline void ds_who_receives(struct sock *sk, struct ds_sock *rec,
					    enum ds_proto proto, __be32 saddr,
					    unsigned int n)
{
	struct ds_ledger *ledger = &ds_net_rcu(sock_net(sk))->ledger;
	struct ds_entry *entry;

	if (unlikely(!READ_ONCE(ledger->on))) {
		ds_who_switch_off(ledger, rec);
		return;
	}
	if (ds_who_decide(sk, proto, rec) & DS_ENTRY_TAGS)
		return;
	entry = ds_who_comes_in(ledger, sk, proto, saddr, n);
	/* A listener whose port the kernel has chosen may have another one later. */
	if (entry && ds_port_is_given(sk))
		ds_entry_set(rec, entry, 0);
}

static void ds_who_receives_untracked(struct sock *sk, enum ds_proto proto,
				      __be32 saddr, unsigned int n)
{
	struct ds_ledger *ledger = &ds_net_rcu(sock_net(sk))->ledger;

	if (READ_ONCE(ledger->on) && (proto == DS_TCP || ds_serves(sk)))
		ds_who_comes_in(ledger, sk, proto, saddr, n);
}

static __always_inline void ds_who_received_from(struct sock *sk,
						 struct ds_sock *rec,
						 __be32 saddr)
{
	if (check_net(sock_net(sk)))
		ds_who_receives(sk, rec, rec->proto, saddr, 1);
}

void ds_who_received_slow(struct sock *sk, struct ds_sock *rec, __be32 saddr)
{
	ds_who_received_from(sk, rec, saddr);
}

void ds_who_accepted(struct sock *listener, const struct sock *child,
		     const struct sk_buff *skb, struct ds_sock *rec)
{
	ds_rcu_take_over();
	ds_who_received_from(listener, rec, ip_hdr(skb)->saddr);
	ds_rcu_unlock();
}

void ds_who_read(struct sock *sk, const struct sk_buff *skb, int len,
		 struct ds_sock *rec)
{
	ds_rcu_take_over();
	ds_who_received_from(sk, rec, ip_hdr(skb)->saddr);
	ds_rcu_unlock();
}

void ds_who_received_untracked(struct sock *sk, __be32 saddr)
{
	int proto = ds_sk_proto(sk);

	if (proto >= 0 && check_net(sock_net(sk)))
		ds_who_receives_untracked(sk, proto, saddr, 1);
}

/* To somebody that the record does not remember. Without a record it is a client that
 * the kernel has chosen a port for, or has yet to.
 */
static __always_inline void ds_who_sends_to(struct sock *sk, struct ds_sock *rec,
					    __be32 daddr, __be16 dport,
					    unsigned int n)
{
	struct ds_ledger *ledger = &ds_net_rcu(sock_net(sk))->ledger;
	struct ds_entry *entry;

	if (unlikely(!READ_ONCE(ledger->on))) {
		if (rec)
			ds_who_switch_off(ledger, rec);
		return;
	}
	if (rec ? !(ds_who_decide(sk, DS_UDP, rec) & DS_ENTRY_CLIENT) :
		  ds_serves(sk))
		return;
	if (!daddr || !dport)
		return;

	entry = ds_who_goes_out(ledger, sk, DS_UDP, DUALSTACK_PEER_DIRECTION_OUT,
				daddr, dport, n);
	if (rec && entry)
		ds_entry_set(rec, entry, DS_ENTRY_CLIENT);
}

void ds_who_sent(struct sock *sk, struct msghdr *msg, size_t len,
		 struct ds_sock *rec)
{
	const struct sockaddr_in *sin = msg->msg_name;
	const struct inet_sock *inet = inet_sk(sk);

	ds_rcu_take_over();
	/* If another thread connects it anew meanwhile, this one may be for either. */
	if (check_net(sock_net(sk)))
		ds_who_sends_to(sk, rec,
				sin ? sin->sin_addr.s_addr : inet->inet_daddr,
				sin ? sin->sin_port : inet->inet_dport, 1);
	ds_rcu_unlock();
}

void ds_who_refused(struct sock *sk, const struct ds_flow *flow)
{
	struct ds_ledger *ledger = &ds_net_rcu(flow->net)->ledger;
	const struct ds_entry_key key = {
		.ledger	= ledger,
		.head	= ds_entry_head(0, flow->local_port, flow->proto,
					DUALSTACK_PEER_DIRECTION_REFUSED),
		.addr6	= flow->peer,
	};

	if (READ_ONCE(ledger->on))
		ds_ledger_note(ledger, &key, sk, 1);
}

void ds_who_note(struct sock *sk, struct ds_sock *rec, enum ds_event event,
		 const struct ds_flow *flow, unsigned int n)
{
	struct ds_ledger *ledger = &ds_net_rcu(flow->net)->ledger;
	__be32 peer4 = flow->peer.s6_addr32[3];

	switch (event) {
	case DS_IN_V4:
		if (rec)
			ds_who_receives(sk, rec, flow->proto, peer4, n);
		else
			ds_who_receives_untracked(sk, flow->proto, peer4, n);
		break;
	case DS_SEND_V4:
		ds_who_sends_to(sk, rec, peer4, flow->peer_port, n);
		break;
	case DS_CONNECT_V4:
		/* That of UDP sends nothing. */
		if (flow->proto == DS_TCP)
			ds_who_calls(ledger, sk, DS_TCP,
				     DUALSTACK_PEER_DIRECTION_OUT, peer4,
				     flow->peer_port);
		else if (rec)
			ds_who_decide_connect(ledger, sk, rec, flow);
		break;
	case DS_CONNECT_V6:
		if (flow->proto == DS_UDP && rec)
			ds_who_decide_connect(ledger, sk, rec, flow);
		break;
	case DS_REJECT_CONNECT:
	case DS_REJECT_SEND:
		ds_who_calls(ledger, sk, flow->proto,
			     DUALSTACK_PEER_DIRECTION_REFUSED_OUT, peer4,
			     flow->peer_port);
		break;
	default:
		break;
	}
}

void ds_who_not_refused(const struct sock *sk, __be32 daddr, __be16 dport)
{
	struct net *net = sock_net(sk);
	struct ds_entry_key key __uninitialized;

	ds_rcu_lock();
	if (check_net(net)) {
		ds_key_out(&key, &ds_net_rcu(net)->ledger, DS_UDP,
			   DUALSTACK_PEER_DIRECTION_REFUSED_OUT, daddr, dport);
		ds_ledger_take_back(&key);
	}
	ds_rcu_unlock();
}

static void ds_who_resume_rec(struct ds_sock *rec, void *net)
{
	unsigned long old;

	if (rec->net != net)
		return;
	do {
		old = READ_ONCE(rec->entry);
	} while (old & DS_ENTRY_OFF &&
		 cmpxchg(&rec->entry, old, old & ~DS_ENTRY_OFF) != old);
}

void ds_who_resume(struct net *net)
{
	smp_mb();	/* pairs with ds_who_switch_off() */
	ds_sock_for_each(ds_who_resume_rec, net);
}
