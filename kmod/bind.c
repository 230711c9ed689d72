// SPDX-License-Identifier: GPL-2.0
/* What rules do in bind(), and in listen().
 *
 * bind() looks for a conflict and takes the port by get_port() of struct proto, under the
 * lock of the socket, after it has noted the address and what IPV6_V6ONLY is: if that
 * fails, it sets both back. We are called at the entry of get_port(), set the option, and
 * have get_port() itself tell whether the socket can have the port that way. Where it
 * cannot, the option is what the application made of it before that call. So a rule makes
 * no bind() fail, whatever the kernel takes for a conflict; but for an IPv4 socket that
 * is bound in the moment between our call and the one that follows, which nobody sees
 * to. Nothing stays bound meanwhile: if the latter failed, the socket would be left with a
 * port that bind() has said it does not have.
 *
 * The other way round, an IPv4 socket may want a port that a rule has made an AF_INET6
 * socket take: that gives it back. With SO_REUSEADDR both can be bound, and it is listen()
 * of the second that fails: it calls get_port(), too.
 */

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "bind.h"
#include "flow.h"
#include "net.h"
#include "port.h"
#include "queue.h"
#include "rules.h"
#include "sock.h"
#include "stats.h"
#include "trace.h"
#include "v6only.h"

/* For how long a socket is asked to give IPv4 back that a process is busy with: that is
 * for moments, and nobody can sleep here.
 */
#define DS_BIND_PATIENCE	NSEC_PER_MSEC

/* How many sockets, or groups of them, give IPv4 back to one. */
#define DS_BIND_GIVERS	8

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
 * @listens:	it is bound by now, and about to listen
 */
struct ds_binding {
	struct list_head list;
	struct sock *sk;
	bool listens;
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
	const struct proto *prot = READ_ONCE(b->sk->sk_prot);
	int err = ds_get_port(b->sk, b->port.num);

	if (err || b->listens)
		return err;
	if (b->port.proto == DS_UDP)
		prot->unhash(b->sk);
	else
		prot->put_port(b->sk);
	return 0;
}

/* UDP would lose the BPF program that was given to a socket for its SO_REUSEPORT group
 * before it is bound.
 */
static bool ds_binding_can_try(const struct ds_binding *b)
{
	return b->port.proto != DS_UDP ||
	       !rcu_access_pointer(b->sk->sk_reuseport_cb);
}

static bool ds_binding_is_told(void)
{
	return trace_dualstack_rule_enabled() || ds_somebody_listens();
}

/* Tell whoever traces, and who listens in the namespace. @holder is the address of the IPv4
 * socket in the way, or NULL.
 */
static void ds_binding_tell(const struct ds_binding *b, struct sock *sk,
			    bool passed_over, const __be32 *holder)
{
	struct ds_flow flow = {
		.net		= b->port.net,
		.family		= AF_INET6,
		.proto		= b->port.proto,
		.local_port	= htons(b->port.num),
	};

	if (holder) {
		ipv6_addr_set_v4mapped(*holder, &flow.peer);
		flow.peer_port = flow.local_port;
	}
	trace_dualstack_rule(sk, b->rule->v6only, passed_over, &flow);
	if (ds_somebody_listens())
		ds_queue_add_rule(sk, b->rule->v6only, passed_over, &flow);
}

/* Who is in the way of a dual socket */

/* Connections that a listener has accepted are not. */
static bool ds_is_holder(struct sock *sk, void *arg)
{
	return sk != arg && ds_is_at_ipv4(sk) &&
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
		*addr = sk->sk_rcv_saddr;
		cookie = ds_sk_cookie(sk);
	}
	spin_unlock_bh(lock);
	return cookie;
}

/* The rule is passed over for @sk, for the sake of the socket @holder. */
static void ds_binding_pass_over(const struct ds_binding *b, struct sock *sk,
				 __be32 addr, u64 holder)
{
	ds_rule_pass_over(b->rules, b->rule, addr, holder);
	if (ds_binding_is_told())
		ds_binding_tell(b, sk, true, holder ? &addr : NULL);
}

/* An AF_INET6 socket at the unspecified address */

static bool ds_is_wild6(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 && ipv6_addr_any(&sk->sk_v6_rcv_saddr);
}

static void ds_binding_applied(const struct ds_binding *b)
{
	atomic64_inc(&b->rule->applied);
	if (ds_binding_is_told())
		ds_binding_tell(b, b->sk, false, NULL);
}

static void ds_binding_passed_over(const struct ds_binding *b)
{
	__be32 addr = 0;
	u64 holder;

	holder = ds_binding_holder(b, &addr);
	ds_binding_pass_over(b, b->sk, addr, holder);
}

/**
 * struct ds_fellow - a SO_REUSEPORT group that is looked for
 * @sk:		the socket that would be of it
 * @v6only:	if its IPV6_V6ONLY were this
 */
struct ds_fellow {
	struct sock *sk;
	bool v6only;
};

static bool ds_is_fellow(struct sock *sk, void *arg)
{
	const struct ds_fellow *fellow = arg;
	struct sock *mine = fellow->sk;

	return sk != mine && ds_is_wild6(sk) && sk->sk_reuseport &&
	       ipv6_only_sock(sk) == fellow->v6only &&
	       sk->sk_bound_dev_if == mine->sk_bound_dev_if &&
	       uid_eq(ds_sk_uid(sk), ds_sk_uid(mine));
}

/* Whether there is such a group: where a socket does not join it, one of both would get
 * nothing.
 */
static bool ds_binding_has_fellow(const struct ds_binding *b, bool v6only)
{
	struct ds_fellow fellow = { .sk = b->sk, .v6only = v6only };
	struct sock *sk;

	if (!b->sk->sk_reuseport)
		return false;
	sk = ds_port_get_wild(&b->port, ds_is_fellow, &fellow);
	if (sk)
		sock_put(sk);
	return sk;
}

static bool ds_binding_can_change(const struct ds_binding *b)
{
	return (b->rule->v6only || ds_binding_can_try(b)) &&
	       !ds_binding_has_fellow(b, !b->rule->v6only);
}

/* The bit is under the lock of the socket, which has no port yet: nobody else reads it. */
static void ds_binding_apply(const struct ds_binding *b)
{
	bool was = ipv6_only_sock(b->sk);
	bool v6only = b->rule->v6only;
	int err;

	if (was != v6only && !ds_binding_can_change(b)) {
		ds_binding_pass_over(b, b->sk, 0, 0);
		return;
	}
	if (was && !v6only)
		ds_rules_note(b->sk, ds_sk_cookie(b->sk));
	b->sk->sk_ipv6only = v6only;
	err = ds_binding_can_try(b) ? ds_binding_try(b) : 0;
	if (!err) {
		ds_binding_applied(b);
		return;
	}

	b->sk->sk_ipv6only = was;
	ds_rules_forget(b->sk);
	/* Otherwise the port is taken for whoever asks. */
	if (err == -EADDRINUSE && was != v6only && !ds_binding_try(b))
		ds_binding_passed_over(b);
}

/* The socket is bound, but no packet finds it yet. */
static void ds_binding_write(const struct ds_binding *b, bool v6only)
{
	spinlock_t *lock = ds_port_lock(&b->port);

	spin_lock_bh(lock);
	ds_v6only_store(b->sk, v6only);
	spin_unlock_bh(lock);
}

/* In listen() of one that a rule has made dual. Where others of its SO_REUSEPORT group have
 * given IPv4 back by now, it does, too.
 */
static void ds_binding_listen(const struct ds_binding *b)
{
	if (!ds_binding_has_fellow(b, true) &&
	    ds_binding_try(b) != -EADDRINUSE)
		return;
	ds_binding_write(b, true);
	if (ds_binding_try(b) == -EADDRINUSE) {
		/* It is not for the sake of IPv4. */
		ds_binding_write(b, false);
		return;
	}
	ds_rules_forget(b->sk);
	if (b->rule && !b->rule->v6only)
		ds_binding_passed_over(b);
}

/* An IPv4 socket */

static bool ds_gives_back(struct sock *sk, void *arg)
{
	return sk != arg && ds_is_wild6(sk) && !ipv6_only_sock(sk) &&
	       ds_rules_made(sk);
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

/* Returns the one that did, held; or NULL. */
static struct sock *ds_binding_take_back(const struct ds_binding *b)
{
	struct sock *sk = ds_binding_dual(b);
	u64 end = ktime_get_ns() + DS_BIND_PATIENCE;
	int err;

	if (!sk)
		return NULL;
	do {
		err = ds_v6only_give_back(&b->port, sk);
		cpu_relax();
	} while (err == -EBUSY && ktime_get_ns() < end);
	if (!err)
		return sk;
	sock_put(sk);
	return NULL;
}

static void ds_binding_given(const struct ds_binding *b, struct sock *sk,
			     bool in_vain)
{
	if (in_vain)
		ds_v6only_take_again(&b->port, sk);
	else if (b->rule && !b->rule->v6only)
		ds_binding_pass_over(b, sk, b->sk->sk_rcv_saddr,
				     ds_sk_cookie(b->sk));
	sock_put(sk);
}

/* Each one that gives it back is no longer one that could. Where somebody else is in the
 * way as well, they have it again.
 */
static void ds_binding_take(const struct ds_binding *b)
{
	struct sock *sk, *given[DS_BIND_GIVERS];
	bool refused;
	int n = 0;

	if (!ds_binding_can_try(b))
		return;
	while ((refused = ds_binding_try(b) == -EADDRINUSE) &&
	       n < DS_BIND_GIVERS) {
		sk = ds_binding_take_back(b);
		if (!sk)
			break;
		given[n++] = sk;
	}
	while (n)
		ds_binding_given(b, given[--n], refused);
}

typedef void (*ds_binding_step)(const struct ds_binding *b);

/* What there is to do for a socket, or NULL. */
static ds_binding_step ds_binding_what(const struct ds_binding *b)
{
	if (ds_is_at_ipv4(b->sk))
		return xa_empty(&b->rules->made_dual) ? NULL : ds_binding_take;
	if (!ds_is_wild6(b->sk) || ds_v6only_is_foreign(b->sk))
		return NULL;
	if (b->listens)
		return ds_rules_made(b->sk) ? ds_binding_listen : NULL;
	return b->rule ? ds_binding_apply : NULL;
}

/* @way is what the hook is known by that brought us here. */
static void ds_binding_look(const struct ds_binding *b, enum ds_way way)
{
	ds_binding_step step;

	/* What it was made at another port is of no account any more. */
	if (!b->listens)
		ds_rules_forget(b->sk);
	step = b->port.num ? ds_binding_what(b) : NULL;
	if (step) {
		ds_net_way(b->port.net, way);
		step(b);
	}
}

static noinline ds_direct
void ds_bind_look(struct sock *sk, unsigned short port, enum ds_way way)
{
	struct net *net = sock_net(sk);
	int proto = ds_sk_proto(sk);
	struct ds_binding b = {
		.sk	= sk,
		.port	= { .net = net, .proto = proto, .num = port },
		.listens = sk->sk_state == TCP_LISTEN,
	};

	if (proto < 0 || (!b.listens && (inet_sk(sk)->inet_num ||
					 sk->sk_state != TCP_CLOSE)))
		return;

	/* Nothing sleeps until the end, as unloading the module relies on; and the rule
	 * stays as long.
	 */
	rcu_read_lock();
	if (check_net(net)) {
		b.rules = &ds_net(net)->rules;
		b.rule = ds_rules_find(b.rules, proto, port);
		if (ds_binding_begin(&b)) {
			ds_binding_look(&b, way);
			ds_binding_end(&b);
		}
	}
	rcu_read_unlock();
}

void ds_bind_port(struct sock *sk, unsigned short port)
{
	if (ds_rules_exist())
		ds_bind_look(sk, port, sk->sk_protocol == IPPROTO_TCP ?
				       DS_WAY_BIND_TCP : DS_WAY_BIND_UDP);
}

void ds_bind_port4(struct sock *sk, unsigned short port)
{
	if (ds_rules_exist())
		ds_bind_look(sk, port, DS_WAY_BIND_UDP4);
}
