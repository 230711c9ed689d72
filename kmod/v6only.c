// SPDX-License-Identifier: GPL-2.0
/* IPV6_V6ONLY of live sockets. setsockopt() does not change it once a socket is
 * bound, as another one may have the port for IPv4 by then.
 *
 * The option is one bit. The kernel reads it without a lock wherever a packet looks
 * for a socket; under the lock of the port wherever bind() looks for a conflict; and
 * under that of the listeners where listen() looks for a SO_REUSEPORT group. It is
 * written under all of these and the socket's own, so that neither call can come
 * between check and change.
 */

#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <net/genetlink.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/ipv6.h>
#include <net/mptcp.h>
#include <net/sock.h>
#include <net/sock_reuseport.h>
#include <net/tcp_states.h>

#include "account.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "port.h"
#include "rules.h"
#include "sending.h"
#include "sock.h"
#include "stats.h"
#include "v6only.h"
#include "window.h"

/**
 * struct ds_v6only - a request
 * @port:	where the socket is bound
 * @cookie:	which one it is
 * @v6only:	what IPV6_V6ONLY is to be
 * @dry_run:	whether to check only, and change nothing
 * @in_bind:	whether it is in bind() of another socket, which IPv4 is given back to:
 *		this one need not listen yet, and others have to wait
 * @skb:	the request as it came
 * @extack:	says why not
 */
struct ds_v6only {
	struct ds_port port;
	u64 cookie;
	bool v6only;
	bool dry_run;
	bool in_bind;
	struct sk_buff *skb;
	struct netlink_ext_ack *extack;
};

/* Which sockets may be set. */

static bool ds_is_connected(const struct sock *sk)
{
	if (sk->sk_protocol == IPPROTO_TCP)
		return sk->sk_state != TCP_LISTEN && sk->sk_state != TCP_CLOSE;
	return sk->sk_state == TCP_ESTABLISHED;
}

static bool ds_is_mptcp(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && sk_is_mptcp(sk);
}

static int ds_v6only_suits(const struct ds_v6only *req, const struct sock *sk)
{
	if (ds_sk_proto(sk) != req->port.proto ||
	    inet_sk(sk)->inet_num != req->port.num) {
		NL_SET_ERR_MSG(req->extack, "The socket has been closed");
		return -ENOENT;
	}
	if (sk->sk_family != AF_INET6) {
		NL_SET_ERR_MSG(req->extack,
			       "The socket is AF_INET: IPV6_V6ONLY is an option of AF_INET6");
		return -EAFNOSUPPORT;
	}
	if (ds_is_mptcp(sk)) {
		NL_SET_ERR_MSG(req->extack,
			       "The socket is a subflow of MPTCP: the option belongs to another");
		return -EOPNOTSUPP;
	}
	if (sk->sk_kern_sock) {
		NL_SET_ERR_MSG(req->extack,
			       "The socket is the kernel's own: no application has it");
		return -EOPNOTSUPP;
	}
	if (ds_is_connected(sk)) {
		NL_SET_ERR_MSG(req->extack, "The socket is connected");
		return -EISCONN;
	}
	if (ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr)) {
		NL_SET_ERR_MSG(req->extack,
			       "The socket is bound to an IPv4-mapped address: it takes IPv4 only");
		return -EINVAL;
	}
	if (!ipv6_addr_any(&sk->sk_v6_rcv_saddr)) {
		NL_SET_ERR_MSG(req->extack,
			       "The socket is bound to one IPv6 address: it takes IPv6 only");
		return -EINVAL;
	}
	if (req->port.proto == DS_TCP && sk->sk_state != TCP_LISTEN &&
	    !req->in_bind) {
		NL_SET_ERR_MSG(req->extack, "The socket does not listen");
		return -EINVAL;
	}
	return 0;
}

/* SO_REUSEPORT groups: members have address, device, owner and IPV6_V6ONLY in
 * common.
 */

/**
 * struct ds_group - a socket, or the group that it is of
 * @sk:		the socket
 * @grouped:	whether there is a group
 * @id:		its id, which does not change
 * @uid:	owner
 * @v6only:	what IPV6_V6ONLY is to be
 * @reuse:	whether all have SO_REUSEADDR
 * @foreign:	whether one is MPTCP's, or the kernel's own
 * @willing:	whether all that are dual were made so by a rule, or it does not matter
 * @n:		how many have IPV6_V6ONLY the other way
 * @changed:	how many of these have changed
 * @busy:	whether a process was busy with one
 * @stop:	whether to go no further
 */
struct ds_group {
	const struct sock *sk;
	bool grouped;
	unsigned int id;
	kuid_t uid;
	bool v6only;
	bool reuse;
	bool foreign;
	bool willing;
	int n;
	int changed;
	bool busy;
	bool stop;
};

static bool ds_group_id(const struct sock *sk, unsigned int *id)
{
	const struct sock_reuseport *reuse;

	rcu_read_lock();
	reuse = rcu_dereference(sk->sk_reuseport_cb);
	if (reuse)
		*id = reuse->reuseport_id;
	rcu_read_unlock();
	return reuse;
}

/* Whether a socket takes packets for any address; a listener that was shut down
 * does not.
 */
static bool ds_is_wildcard(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 &&
	       ipv6_addr_any(&sk->sk_v6_rcv_saddr) && !ds_is_connected(sk) &&
	       (sk->sk_protocol != IPPROTO_TCP || sk->sk_state == TCP_LISTEN);
}

static bool ds_group_has(const struct ds_group *group, const struct sock *sk)
{
	unsigned int id;

	if (sk == group->sk)
		return true;
	return group->grouped && ds_is_wildcard(sk) && ds_group_id(sk, &id) &&
	       id == group->id;
}

bool ds_v6only_is_foreign(const struct sock *sk)
{
	return ds_is_mptcp(sk) || sk->sk_kern_sock;
}

/* Whether a socket is of the group and yet to change. */
static bool ds_group_left(struct sock *sk, void *arg)
{
	const struct ds_group *group = arg;

	return ipv6_only_sock(sk) != group->v6only &&
	       ds_group_has(group, sk) && !ds_v6only_is_foreign(sk);
}

/* How many members of a group are held at a time. */
#define DS_GROUP_STEP	32

/* Hold the next members below @place. The group is reached through its member @via:
 * when that has left it, there are no more.
 */
static unsigned int ds_group_hold(const struct ds_group *group,
				  const struct sock *via, unsigned int *place,
				  struct sock **held)
{
	const struct sock_reuseport *reuse;
	unsigned int i = 0, n = 0;
	struct sock *sk;

	rcu_read_lock();
	reuse = rcu_dereference(via->sk_reuseport_cb);
	if (reuse && reuse->reuseport_id == group->id)
		i = min_t(unsigned int, *place, READ_ONCE(reuse->num_socks));
	smp_rmb();	/* pairs with __reuseport_add_sock() */
	while (i && n < DS_GROUP_STEP) {
		sk = READ_ONCE(reuse->socks[--i]);
		if (refcount_inc_not_zero(&sk->sk_refcnt))
			held[n++] = sk;
	}
	rcu_read_unlock();
	*place = i;
	return n;
}

typedef void (*ds_group_visit)(const struct ds_v6only *req,
			       struct ds_group *group, struct sock *sk);

/* Go through the group that @via is a member of, from the last member to the first.
 * When one leaves, the last one takes its place, so that in this order none is
 * passed over. One that joins becomes the last, and is not visited.
 */
static int ds_group_walk(const struct ds_v6only *req, struct ds_group *group,
			 const struct sock *via, ds_group_visit visit)
{
	struct sock *held[DS_GROUP_STEP];
	unsigned int place = UINT_MAX;
	unsigned int i, n;

	do {
		if (fatal_signal_pending(current))
			return -EINTR;
		n = ds_group_hold(group, via, &place, held);
		for (i = 0; i < n; i++) {
			visit(req, group, held[i]);
			sock_put(held[i]);
		}
		/* Not under an RCU lock, nor where unloading would not wait. */
		if (!req->in_bind)
			cond_resched();
	} while (place && !group->stop);
	return 0;
}

static void ds_group_count(const struct ds_v6only *req, struct ds_group *group,
			   struct sock *sk)
{
	if (!ds_group_has(group, sk))
		return;
	group->reuse &= !!sk->sk_reuse;
	group->foreign |= ds_v6only_is_foreign(sk);
	group->willing &= !req->in_bind || ipv6_only_sock(sk) ||
			  ds_rules_made(sk);
	group->n += ipv6_only_sock(sk) != group->v6only;
}

static int ds_group_init(const struct ds_v6only *req, struct ds_group *group,
			 struct sock *sk)
{
	memset(group, 0, sizeof(*group));
	group->sk = sk;
	group->grouped = ds_group_id(sk, &group->id);
	group->uid = ds_sk_uid(sk);
	group->v6only = req->v6only;
	group->reuse = true;
	group->willing = true;

	if (group->grouped)
		return ds_group_walk(req, group, sk, ds_group_count);
	ds_group_count(req, group, sk);
	return 0;
}

/* Collisions. */

static bool ds_same_bucket(const struct sock *a, const struct sock *b)
{
	return a->sk_protocol != IPPROTO_TCP ||
	       inet_csk(a)->icsk_bind_hash == inet_csk(b)->icsk_bind_hash;
}

/* Whether a socket is of another group that would be equal to this one. bind()
 * would have made one of both; as two, one of them would get nothing.
 */
static bool ds_group_twin(struct sock *sk, void *arg)
{
	const struct ds_group *group = arg;
	unsigned int id;

	return sk != group->sk && group->grouped && ds_is_wildcard(sk) &&
	       ipv6_only_sock(sk) == group->v6only &&
	       sk->sk_bound_dev_if == group->sk->sk_bound_dev_if &&
	       ds_same_bucket(sk, group->sk) && ds_group_id(sk, &id) &&
	       id != group->id;
}

/* Whether an IPv4 socket would keep a dual one from binding here, by the rules of
 * inet_csk_bind_conflict() and udp_lib_lport_inuse(). A TCP connection counts only
 * if it was bound to the port: those that the listener itself has accepted are no
 * obstacles.
 */
static bool ds_group_obstacle(struct sock *sk, void *arg)
{
	const struct ds_group *group = arg;
	const struct sock *mine = group->sk;

	if (!ds_is_at_ipv4(sk))
		return false;
	if (sk->sk_bound_dev_if && mine->sk_bound_dev_if &&
	    sk->sk_bound_dev_if != mine->sk_bound_dev_if)
		return false;
	if (!ds_same_bucket(sk, mine))
		return false;

	if (sk->sk_protocol == IPPROTO_TCP && ds_is_connected(sk) &&
	    !(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		return false;
	if (group->reuse && sk->sk_reuse && sk->sk_state != TCP_LISTEN)
		return false;
	return !sk->sk_reuseport || !mine->sk_reuseport ||
	       !uid_eq(group->uid, ds_sk_uid(sk));
}

static int ds_v6only_collides(const struct ds_v6only *req,
			      struct ds_group *group)
{
	const char *proto = req->port.proto == DS_TCP ? "TCP" : "UDP";
	const struct sock *sk;
	__be32 addr;

	if (ds_port_find_wild(&req->port, ds_group_twin, group)) {
		NL_SET_ERR_MSG(req->extack,
			       "Another SO_REUSEPORT group at this port is like that: two do not become one");
		return -EADDRINUSE;
	}

	sk = req->v6only ? NULL :
	     ds_port_find4(&req->port, ds_group_obstacle, group);
	if (!sk)
		return 0;

	/* In bind() there is nobody to tell. */
	if (req->in_bind)
		return -EADDRINUSE;
	if (sk->sk_family == AF_INET) {
		addr = sk->sk_rcv_saddr;
		ds_extack_fmt(req->skb, req->extack,
			      "It would collide with an AF_INET socket at this port",
			      "It would collide with an AF_INET socket: %s %pI4:%u",
			      proto, &addr, req->port.num);
	} else {
		addr = sk->sk_v6_rcv_saddr.s6_addr32[3];
		ds_extack_fmt(req->skb, req->extack,
			      "It would collide with a mapped AF_INET6 socket at this port",
			      "It would collide with an AF_INET6 socket: %s [::ffff:%pI4]:%u",
			      proto, &addr, req->port.num);
	}
	return -EADDRINUSE;
}

/* The change. */

/* Whether a rule has sockets at the port of this one dual. */
static bool ds_v6only_is_ruled_off(const struct sock *sk)
{
	struct ds_rules *rules = &ds_net(sock_net(sk))->rules;
	const struct ds_rule *rule;
	bool off;

	rcu_read_lock();
	rule = ds_rules_find(rules, ds_sk_proto(sk), inet_sk(sk)->inet_num);
	off = rule && !rule->v6only;
	rcu_read_unlock();
	return off;
}

void ds_v6only_store(struct sock *sk, bool v6only)
{
	sk->sk_ipv6only = v6only;

	/* bind() with SO_REUSEPORT skips the check for conflicts if the bucket
	 * remembers a like socket that passed it. That was with the old value of
	 * the option.
	 */
	if (sk->sk_protocol == IPPROTO_TCP)
		inet_csk(sk)->icsk_bind_hash->fastreuseport = 0;
}

static void ds_v6only_written(struct ds_group *group, struct sock *sk)
{
	group->changed++;
	if (group->v6only)
		ds_rules_forget(sk);
	else if (ds_rules_exist() && ds_v6only_is_ruled_off(sk))
		ds_rules_note(sk, ds_sk_cookie(sk));
}

/* UDP's sendmsg() reads the option without the lock of the socket. So it is not set
 * while a sender that our hook has seen as allowed is yet to read it: see
 * ds_sending_hold(). When it is cleared, a sender that was seen as refused is
 * put right later.
 */
static bool ds_v6only_store_held(struct sock *sk, bool v6only)
{
	bool held;

	if (sk->sk_protocol != IPPROTO_UDP || !v6only) {
		ds_v6only_store(sk, v6only);
		return true;
	}
	held = ds_sending_hold();
	if (held)
		ds_v6only_store(sk, v6only);
	ds_sending_release();
	return held;
}

static int ds_v6only_write(struct ds_group *group, struct sock *sk)
{
	if (ipv6_only_sock(sk) == group->v6only)
		return 0;
	/* No other socket could be set either, as long as a sender is about to
	 * read.
	 */
	group->stop = !ds_v6only_store_held(sk, group->v6only);
	if (group->stop)
		return -EBUSY;
	ds_v6only_written(group, sk);
	return 0;
}

/* Whether a group may change. Returns how many members are to: others may have
 * changed already, by a request that then met a busy one.
 */
static int ds_v6only_check(const struct ds_v6only *req, struct ds_group *group)
{
	if (!group->n)
		return 0;
	if (group->foreign) {
		NL_SET_ERR_MSG(req->extack,
			       "A socket of the SO_REUSEPORT group is MPTCP's, or the kernel's own");
		return -EOPNOTSUPP;
	}
	/* Who is dual of his own will keeps IPv4 from others, as without a rule. */
	if (!group->willing)
		return -EADDRINUSE;
	return ds_v6only_collides(req, group) ?: group->n;
}

/* Do the checks for the whole group, and change the socket that was asked for,
 * under its lock. Returns how many members are to change.
 */
static int ds_v6only_first(const struct ds_v6only *req, struct ds_group *group,
			   struct sock *sk)
{
	spinlock_t *lock = ds_port_lock(&req->port);
	unsigned int id = group->id;
	int err;

	err = ds_v6only_suits(req, sk);
	if (err)
		return err;
	/* It has left the group that was counted. */
	if (ds_group_id(sk, &id) != group->grouped || id != group->id)
		return -EBUSY;

	spin_lock(lock);
	err = ds_v6only_check(req, group);
	if (err > 0 && !req->dry_run)
		err = ds_v6only_write(group, sk) ?: err;
	spin_unlock(lock);
	return err;
}

/* Change another member. If it has left, it may be in another group by now, at
 * another port.
 */
static int ds_v6only_other(const struct ds_v6only *req, struct ds_group *group,
			   struct sock *sk)
{
	spinlock_t *lock = ds_port_lock(&req->port);
	int err = 0;

	spin_lock(lock);
	if (inet_sk(sk)->inet_num == req->port.num && ds_group_left(sk, group))
		err = ds_v6only_write(group, sk);
	spin_unlock(lock);
	return err;
}

typedef int (*ds_v6only_change)(const struct ds_v6only *req,
				struct ds_group *group, struct sock *sk);

/* Make a change unless a process has locked the socket. That may sleep with the
 * lock for as long as it likes, and generic netlink, which has one lock for all
 * families, must not wait for it: so the request is refused.
 */
static int ds_try_idle(const struct ds_v6only *req, struct ds_group *group,
		       struct sock *sk, ds_v6only_change change)
{
	int ret = -EBUSY;

	spin_lock_bh(&sk->sk_lock.slock);
	if (!sock_owned_by_user(sk))
		ret = change(req, group, sk);
	spin_unlock_bh(&sk->sk_lock.slock);
	return ret;
}

static int ds_try(const struct ds_v6only *req, struct ds_group *group,
		  struct sock *sk, ds_v6only_change change)
{
	spinlock_t *lock = ds_port_listen_lock(&req->port);
	int ret;

	if (req->port.proto == DS_UDP)
		return ds_try_idle(req, group, sk, change);

	spin_lock(lock);
	ret = ds_try_idle(req, group, sk, change);
	spin_unlock(lock);
	return ret;
}

static void ds_v6only_visit(const struct ds_v6only *req, struct ds_group *group,
			    struct sock *sk)
{
	if (ds_group_left(sk, group) &&
	    ds_try(req, group, sk, ds_v6only_other) == -EBUSY)
		group->busy = true;
}

/* How often to go through a group at most. A socket that joins meanwhile, because
 * it is like a member that is yet to change, has to change as well. Others may join
 * because they are like that one, and so on: without a limit there might be no end.
 */
#define DS_V6ONLY_PASSES	8

static int ds_v6only_others(const struct ds_v6only *req, struct ds_group *group)
{
	unsigned int pass;
	struct sock *sk;
	int err;

	if (!group->grouped)
		return 0;

	for (pass = 0; pass < DS_V6ONLY_PASSES && !group->busy; pass++) {
		sk = ds_port_get_wild(&req->port, ds_group_left, group);
		if (!sk)
			return 0;
		err = ds_group_walk(req, group, sk, ds_v6only_visit);
		sock_put(sk);
		if (err)
			return err;
	}
	if (group->busy)
		NL_SET_ERR_MSG(req->extack,
			       "A process keeps a socket of the SO_REUSEPORT group busy: not all have changed");
	else
		NL_SET_ERR_MSG(req->extack,
			       "Sockets keep joining the SO_REUSEPORT group: not all have changed");
	return -EBUSY;
}

static bool ds_has_cookie(struct sock *sk, void *arg)
{
	return atomic64_read(&sk->sk_cookie) == *(const u64 *)arg;
}

/* How many sockets at a port are looked at to explain why one cannot be set. */
#define DS_V6ONLY_SOCKS	1024

/* Find the socket. One that cannot be set is found as well, so that the answer says
 * why.
 */
static struct sock *ds_v6only_find(const struct ds_v6only *req)
{
	u64 cookie = req->cookie;
	struct sock *sk;

	if (!cookie)
		return NULL;
	sk = ds_port_get_wild(&req->port, ds_has_cookie, &cookie);
	if (!sk && req->port.proto == DS_TCP)
		sk = ds_port_get_tcp(&req->port, DS_V6ONLY_SOCKS, ds_has_cookie,
				     &cookie);
	return sk;
}

/* Returns how many sockets have changed, or would. */
static int ds_v6only_change_group(const struct ds_v6only *req,
				  struct ds_group *group, struct sock *sk)
{
	int n;

	n = ds_group_init(req, group, sk) ?:
	    ds_try(req, group, sk, ds_v6only_first);
	if (n == -EBUSY)
		NL_SET_ERR_MSG(req->extack, "A process keeps the socket busy");
	if (n > 0 && !req->dry_run)
		n = ds_v6only_others(req, group) ?: group->changed;
	return n;
}

static int ds_v6only_set_socket(const struct ds_v6only *req, struct sock *sk)
{
	struct ds_window *window;
	struct ds_group group;
	int n;

	if (req->v6only || req->dry_run)
		return ds_v6only_change_group(req, &group, sk);

	window = ds_window_begin(&ds_net(req->port.net)->windows,
				 req->port.proto, req->port.num);
	if (!window) {
		NL_SET_ERR_MSG(req->extack,
			       "Packets are on their way to many ports where it has just been cleared");
		return -EBUSY;
	}
	n = ds_v6only_change_group(req, &group, sk);
	ds_window_end(window, group.changed);
	return n;
}

static int ds_v6only_set(const struct ds_v6only *req)
{
	struct sock *sk;
	int n;

	sk = ds_v6only_find(req);
	if (!sk) {
		NL_SET_ERR_MSG(req->extack,
			       "No socket that can be set has this cookie at this port");
		return -ENOENT;
	}
	n = ds_v6only_set_socket(req, sk);
	sock_put(sk);
	return n;
}

static int ds_v6only_in_bind(const struct ds_port *port, struct sock *sk,
			     bool v6only)
{
	struct ds_net *dn = ds_net(port->net);
	const struct ds_v6only req = {
		.port = *port,
		.v6only = v6only,
		.in_bind = true,
	};
	int n;

	/* A group is not gone through where it is known to be in vain. */
	if (sock_owned_by_user_nocheck(sk) || !mutex_trylock(&dn->windows.mutex))
		return -EBUSY;
	n = ds_v6only_set_socket(&req, sk);
	mutex_unlock(&dn->windows.mutex);
	return n ? min(n, 0) : -ENOENT;
}

int ds_v6only_give_back(const struct ds_port *port, struct sock *sk)
{
	return ds_v6only_in_bind(port, sk, true);
}

void ds_v6only_take_again(const struct ds_port *port, struct sock *sk)
{
	ds_v6only_in_bind(port, sk, false);
}

static int ds_v6only_parse(struct ds_v6only *req, struct genl_info *info)
{
	struct nlattr *attr;
	int proto;

	if (GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_V6ONLY_COOKIE) ||
	    GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_V6ONLY_PROTOCOL) ||
	    GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_V6ONLY_PORT) ||
	    GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_V6ONLY_V6ONLY))
		return -EINVAL;

	proto = ds_parse_proto(info->attrs[DUALSTACK_A_V6ONLY_PROTOCOL],
			       info->extack);
	if (proto < 0)
		return proto;

	attr = info->attrs[DUALSTACK_A_V6ONLY_PORT];
	req->port.net = genl_info_net(info);
	req->port.proto = proto;
	req->port.num = ntohs(nla_get_be16(attr));
	if (!req->port.num) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "Nothing is bound to port 0");
		return -EINVAL;
	}

	req->cookie = nla_get_u64(info->attrs[DUALSTACK_A_V6ONLY_COOKIE]);
	req->v6only = nla_get_u8(info->attrs[DUALSTACK_A_V6ONLY_V6ONLY]);
	req->dry_run = nla_get_flag(info->attrs[DUALSTACK_A_V6ONLY_DRY_RUN]);
	req->extack = info->extack;
	return 0;
}

int dualstack_nl_v6only_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ds_v6only req = { .skb = skb };
	struct sk_buff *msg;
	struct ds_net *dn;
	int n;

	n = ds_v6only_parse(&req, info) ?: ds_check_last(skb, info);
	if (n)
		return n;

	/* Allocated first, as nothing may fail once an option has changed. */
	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;

	dn = ds_net(req.port.net);
	if (mutex_trylock(&dn->windows.mutex)) {
		n = ds_v6only_set(&req);
		mutex_unlock(&dn->windows.mutex);
	} else {
		NL_SET_ERR_MSG(info->extack,
			       "IPV6_V6ONLY of another socket of this namespace is being set");
		n = -EBUSY;
	}
	if (n >= 0)
		n = nla_put_u32(msg, DUALSTACK_A_V6ONLY_CHANGED, n);
	return ds_reply(msg, info, n);
}
