// SPDX-License-Identifier: GPL-2.0
/* What rules do in bind().
 *
 * bind() looks for a conflict and takes the port by get_port() of struct proto, under the
 * lock of the socket, after it has noted the address and what IPV6_V6ONLY is: if that
 * fails, it sets both back. We are called at the entry of get_port(), set the option, and
 * have get_port() itself tell whether the socket can have the port that way: for who has
 * it then, the call that goes on after us is no other than the one that listen() makes.
 * Where it cannot, the option is what the application made of it before that call. So a
 * rule never makes a bind() fail, whatever sockets come and go meanwhile, and whatever
 * the kernel takes for a conflict. (A socket of a SO_REUSEPORT group of UDP cannot have its
 * port twice: it is without for the moment in between.)
 *
 * The other way round, an IPv4 socket may want a port that a rule has made an AF_INET6
 * socket take: that gives it back.
 */

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/mptcp.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "bind.h"
#include "flow.h"
#include "net.h"
#include "port.h"
#include "rules.h"
#include "sock.h"
#include "stats.h"
#include "trace.h"
#include "v6only.h"

/* How often a socket is asked to give IPv4 back that a process is busy with: that is
 * for moments, but nothing can be waited for here.
 */
#define DS_BIND_TRIES	1000

/* How many sockets of a port are looked at for one that has been bound to it and does
 * not listen yet: connections may be any number.
 */
#define DS_BIND_SOCKS	1024

/**
 * struct ds_binding - a socket that is being bound
 * @list:	link in &struct ds_rules.binding
 * @sk:		the socket
 * @port:	where to
 * @rules:	those of its namespace
 * @rule:	the one that decides about the port, or NULL
 */
struct ds_binding {
	struct list_head list;
	struct sock *sk;
	struct ds_port port;
	struct ds_rules *rules;
	struct ds_rule *rule;
};

/* Returns false where that is so already: get_port() was called from here. */
static bool ds_binding_begin(struct ds_binding *b)
{
	const struct ds_binding *other;
	bool nested = false;

	spin_lock_bh(&b->rules->lock);
	list_for_each_entry(other, &b->rules->binding, list)
		nested |= other->sk == b->sk;
	if (!nested)
		list_add(&b->list, &b->rules->binding);
	spin_unlock_bh(&b->rules->lock);
	return !nested;
}

static void ds_binding_end(struct ds_binding *b)
{
	spin_lock_bh(&b->rules->lock);
	list_del(&b->list);
	spin_unlock_bh(&b->rules->lock);
}

/* For a port that is given by its number this does not sleep: only the search for a free
 * one does.
 */
static int ds_binding_try(const struct ds_binding *b)
{
	struct sock *sk = b->sk;
	int err = ds_get_port(sk, b->port.num);

	/* UDP takes a socket that is in a SO_REUSEPORT group for one that was bound to
	 * another port before, and fails.
	 */
	if (!err && b->port.proto == DS_UDP && sk->sk_reuseport)
		READ_ONCE(sk->sk_prot)->unhash(sk);
	return err;
}

static void ds_binding_flow(const struct ds_binding *b, struct ds_flow *flow)
{
	*flow = (struct ds_flow){
		.net		= b->port.net,
		.family		= AF_INET6,
		.proto		= b->port.proto,
		.local_port	= htons(b->port.num),
	};
}

/* Who is in the way of a dual socket */

static bool ds_takes_v4(const struct sock *sk)
{
	return sk->sk_family == AF_INET ||
	       ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr);
}

static __be32 ds_addr4(const struct sock *sk)
{
	return sk->sk_family == AF_INET ? sk->sk_rcv_saddr :
					  sk->sk_v6_rcv_saddr.s6_addr32[3];
}

/* Connections that a listener has accepted are not. */
static bool ds_is_holder(struct sock *sk, void *arg)
{
	return sk != arg && ds_takes_v4(sk) &&
	       (sk->sk_state == TCP_LISTEN ||
		sk->sk_userlocks & SOCK_BINDPORT_LOCK);
}

static u64 ds_binding_holder(const struct ds_binding *b, __be32 *addr)
{
	spinlock_t *lock = ds_port_lock(&b->port);
	u64 cookie = 0;
	struct sock *sk;

	spin_lock_bh(lock);
	sk = ds_port_find4(&b->port, ds_is_holder, b->sk);
	if (sk) {
		*addr = ds_addr4(sk);
		cookie = ds_sk_cookie(sk);
	}
	spin_unlock_bh(lock);
	return cookie;
}

/* The rule is passed over for @sk, for the sake of the socket @holder. */
static void ds_binding_pass_over(const struct ds_binding *b, struct sock *sk,
				 __be32 addr, u64 holder)
{
	struct ds_flow flow;

	if (!b->rule)
		return;
	ds_rule_pass_over(b->rules, b->rule, addr, holder);
	if (!trace_dualstack_rule_enabled())
		return;
	ds_binding_flow(b, &flow);
	if (holder) {
		ipv6_addr_set_v4mapped(addr, &flow.peer);
		flow.peer_port = flow.local_port;
	}
	trace_dualstack_rule(sk, b->rule->v6only, true, &flow);
}

/* An AF_INET6 socket at the unspecified address */

static void ds_binding_applied(const struct ds_binding *b)
{
	struct ds_flow flow;

	atomic64_inc(&b->rule->applied);
	if (!trace_dualstack_rule_enabled())
		return;
	ds_binding_flow(b, &flow);
	trace_dualstack_rule(b->sk, b->rule->v6only, false, &flow);
}

/* The bit is under the lock of the socket, which has no port yet: nobody else reads it. */
static void ds_binding_apply(const struct ds_binding *b)
{
	bool was = ipv6_only_sock(b->sk);
	bool v6only = b->rule->v6only;
	__be32 addr = 0;
	u64 holder;
	int err;

	ds_rules_note(b->sk, was && !v6only);
	b->sk->sk_ipv6only = v6only;
	err = ds_binding_try(b);
	if (!err) {
		ds_binding_applied(b);
		return;
	}

	b->sk->sk_ipv6only = was;
	ds_rules_note(b->sk, false);
	/* Otherwise the port is taken for whoever asks. */
	if (err != -EADDRINUSE || was == v6only || ds_binding_try(b))
		return;
	holder = ds_binding_holder(b, &addr);
	ds_binding_pass_over(b, b->sk, addr, holder);
}

/* An IPv4 socket */

static bool ds_gives_back(struct sock *sk, void *arg)
{
	return sk != arg && sk->sk_family == AF_INET6 && !ipv6_only_sock(sk) &&
	       ipv6_addr_any(&sk->sk_v6_rcv_saddr) && ds_rules_made(sk);
}

/* A listener is found where it listens, one that has been bound and does not listen yet
 * by its port alone, among others that have it.
 */
static struct sock *ds_binding_dual(const struct ds_binding *b)
{
	struct sock *sk;

	sk = ds_port_get_wild(&b->port, ds_gives_back, b->sk);
	if (!sk && b->port.proto == DS_TCP)
		sk = ds_port_get_tcp(&b->port, DS_BIND_SOCKS, ds_gives_back,
				     b->sk);
	return sk;
}

/* Returns whether one did. */
static bool ds_binding_take_back(const struct ds_binding *b)
{
	struct sock *sk = ds_binding_dual(b);
	int i, err = -EBUSY;

	if (!sk)
		return false;
	for (i = 0; i < DS_BIND_TRIES && err == -EBUSY; i++) {
		err = ds_v6only_give_back(&b->port, sk);
		cpu_relax();
	}
	if (!err)
		ds_binding_pass_over(b, sk, ds_addr4(b->sk),
				     ds_sk_cookie(b->sk));
	sock_put(sk);
	return !err;
}

/* Each one that gives it back is no longer one that could. */
static void ds_binding_take(const struct ds_binding *b)
{
	while (ds_binding_try(b) == -EADDRINUSE && ds_binding_take_back(b))
		;
}

static bool ds_is_ours(const struct sock *sk)
{
	return !sk->sk_kern_sock &&
	       (sk->sk_protocol != IPPROTO_TCP || !sk_is_mptcp(sk));
}

/* @way is what the hook is known by that brought us here. */
static void ds_binding_look(struct ds_binding *b, enum ds_way way)
{
	bool wildcard = b->sk->sk_family == AF_INET6 &&
			ipv6_addr_any(&b->sk->sk_v6_rcv_saddr);
	bool applies = wildcard && b->rule && ds_is_ours(b->sk);
	bool takes = !wildcard && ds_takes_v4(b->sk) &&
		     !xa_empty(&ds_rules_made_dual);

	if ((!applies && !takes) || !ds_binding_begin(b))
		return;
	ds_net_way(b->port.net, way);
	if (applies)
		ds_binding_apply(b);
	else
		ds_binding_take(b);
	ds_binding_end(b);
}

/* listen() calls get_port() as well, of a socket that has a port. */
static noinline ds_direct
void ds_bind_look(struct sock *sk, unsigned short port, enum ds_way way)
{
	struct net *net = sock_net(sk);
	int proto = ds_sk_proto(sk);
	struct ds_binding b = {
		.sk	= sk,
		.port	= { .net = net, .proto = proto, .num = port },
	};

	if (proto < 0 || inet_sk(sk)->inet_num || sk->sk_state != TCP_CLOSE)
		return;

	/* Nothing sleeps until the end, as unloading the module relies on; and the rule
	 * stays as long.
	 */
	rcu_read_lock();
	if (check_net(net)) {
		b.rules = &ds_net(net)->rules;
		b.rule = ds_rules_find(b.rules, proto, port);
		ds_binding_look(&b, way);
	}
	rcu_read_unlock();
}

void ds_bind_port(struct sock *sk, unsigned short port)
{
	if (ds_rules_exist() && port)
		ds_bind_look(sk, port, sk->sk_protocol == IPPROTO_TCP ?
				       DS_WAY_BIND_TCP : DS_WAY_BIND_UDP);
}

void ds_bind_port4(struct sock *sk, unsigned short port)
{
	if (ds_rules_exist() && port)
		ds_bind_look(sk, port, DS_WAY_BIND_UDP4);
}
