// SPDX-License-Identifier: GPL-2.0
/* IPV6_V6ONLY of live sockets, which setsockopt() leaves alone once they are
 * bound: their port may be somebody else's for IPv4 by then.
 *
 * It is one bit. The kernel reads it without a lock wherever a packet looks for
 * a socket; under the lock of the port wherever bind() looks for a conflict; and
 * under that of the listeners where listen() looks for a SO_REUSEPORT group. It
 * is written under all of these and the socket's own, so that the check and the
 * change are one to either call.
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
#include "sock.h"
#include "stats.h"
#include "window.h"

/**
 * struct ds_v6only - a request
 * @port:	where the socket is bound
 * @cookie:	which one it is
 * @v6only:	what IPV6_V6ONLY is to be
 * @dry_run:	whether that is a question only
 * @skb:	the request as it came
 * @extack:	says why not
 */
struct ds_v6only {
	struct ds_port port;
	u64 cookie;
	bool v6only;
	bool dry_run;
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
	if (req->port.proto == DS_TCP && sk->sk_state != TCP_LISTEN) {
		NL_SET_ERR_MSG(req->extack, "The socket does not listen");
		return -EINVAL;
	}
	return 0;
}

/* SO_REUSEPORT groups: one wildcard address, device, owner and IPV6_V6ONLY. */

/**
 * struct ds_group - a socket, or the group that it is of
 * @sk:		the socket
 * @grouped:	whether there is a group
 * @id:		its id, which it keeps for life
 * @uid:	owner
 * @v6only:	what IPV6_V6ONLY is to be
 * @reuse:	whether all have SO_REUSEADDR
 * @foreign:	whether one is MPTCP's, or the kernel's own
 * @n:		how many have IPV6_V6ONLY the other way
 * @changed:	how many of these have changed
 * @busy:	whether a process was busy with one
 * @stop:	whether there is no use in going on
 */
struct ds_group {
	const struct sock *sk;
	bool grouped;
	unsigned int id;
	kuid_t uid;
	bool v6only;
	bool reuse;
	bool foreign;
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

/* One that takes what comes for any address; shut down ones do not. */
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

static bool ds_is_foreign(const struct sock *sk)
{
	return ds_is_mptcp(sk) || sk->sk_kern_sock;
}

/* Whether it is yet to change. */
static bool ds_group_left(struct sock *sk, void *arg)
{
	const struct ds_group *group = arg;

	return ipv6_only_sock(sk) != group->v6only &&
	       ds_group_has(group, sk) && !ds_is_foreign(sk);
}

/* How many members of a group are held at a time. */
#define DS_GROUP_STEP	32

/* Hold the members at the next places below @place. They are members by way of
 * @via; once that has left the group there are no more.
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

/* Go through a group, of which @via is one. One that leaves meanwhile has the last
 * member put into its place, so from the last to the first none is passed over;
 * one that joins becomes the last.
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
	group->foreign |= ds_is_foreign(sk);
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

/* Two groups alike, which bind() would have made one: the kernel would send
 * everything to either of them.
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

/* An IPv4 socket that would not let a dual one bind here: the rules of
 * inet_csk_bind_conflict() and udp_lib_lport_inuse(). A TCP connection only
 * counts if somebody bound it to the port: those that the socket itself has
 * accepted are none of its obstacles.
 */
static bool ds_group_obstacle(struct sock *sk, void *arg)
{
	const struct ds_group *group = arg;
	const struct sock *mine = group->sk;

	if (sk->sk_family == AF_INET6 &&
	    !ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
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

static void ds_v6only_write(struct ds_group *group, struct sock *sk)
{
	if (ipv6_only_sock(sk) == group->v6only)
		return;
	sk->sk_ipv6only = group->v6only;
	group->changed++;

	/* bind() with SO_REUSEPORT spares itself the check where the bucket
	 * remembers a socket that passed it: with the option as it was.
	 */
	if (sk->sk_protocol == IPPROTO_TCP)
		inet_csk(sk)->icsk_bind_hash->fastreuseport = 0;
}

/* sendmsg() of UDP asks without the lock of the socket: nobody may be about to, who
 * has seen that it is off. Whoever has seen it on is put right afterwards.
 */
static int ds_v6only_write_held(struct ds_group *group, struct sock *sk)
{
	int err = -EBUSY;

	if (sk->sk_protocol != IPPROTO_UDP || !group->v6only) {
		ds_v6only_write(group, sk);
		return 0;
	}
	if (ds_account_send_hold()) {
		ds_v6only_write(group, sk);
		err = 0;
	}
	ds_account_send_release();
	/* No other would be set, as long as somebody is about to ask. */
	group->stop = err;
	return err;
}

/* Whether a group may change, of which some may have before one was busy. Returns
 * how many are to.
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
	return ds_v6only_collides(req, group) ?: group->n;
}

/* Under the lock of the socket that was asked for: the checks for its whole group.
 * Returns how many are to change.
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
		err = ds_v6only_write_held(group, sk) ?: err;
	spin_unlock(lock);
	return err;
}

/* The same for another of its group. One that has left may be in another by now,
 * at another port.
 */
static int ds_v6only_other(const struct ds_v6only *req, struct ds_group *group,
			   struct sock *sk)
{
	spinlock_t *lock = ds_port_lock(&req->port);
	int err = 0;

	spin_lock(lock);
	if (inet_sk(sk)->inet_num == req->port.num && ds_group_left(sk, group))
		err = ds_v6only_write_held(group, sk);
	spin_unlock(lock);
	return err;
}

typedef int (*ds_v6only_change)(const struct ds_v6only *req,
				struct ds_group *group, struct sock *sk);

/* Do that unless a process is busy with the socket: then it is refused, as a
 * process may sleep for ever with a socket locked, and generic netlink, which has
 * one lock for all families, is not to wait for that.
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

/* How often a group is gone through. One that joins meanwhile, by the likeness with
 * one that is yet to change, is one of them, and so is another that joins by
 * likeness with that: there must be an end.
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

/* How many sockets at a port may be in the way of an explanation. */
#define DS_V6ONLY_SOCKS	1024

/* Where it is none that can be set, it is still to be told why. */
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

/* Returns how many have changed, or would. */
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

	/* No failure once something has changed. */
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
