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

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/netlink.h>
#include <linux/sched/signal.h>
#include <net/genetlink.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/ipv6.h>
#include <net/mptcp.h>
#include <net/sock.h>
#include <net/sock_reuseport.h>
#include <net/tcp_states.h>

#include "flow.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "port.h"
#include "sock.h"
#include "stats.h"
#include "v6only.h"

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

/* How long a socket may be busy. */
#define DS_V6ONLY_PATIENCE	HZ

/* Packets on their way. */

#define DS_V6ONLY_KEY(proto, num)	(((proto) + 1) << 16 | (num))

bool ds_v6only_going(const struct ds_flow *flow)
{
	/* The bit was read before; pairs with ds_v6only_begin(). */
	smp_rmb();
	return READ_ONCE(ds_net(flow->net)->v6only_off) ==
	       DS_V6ONLY_KEY(flow->proto, ntohs(flow->local_port));
}

static void ds_v6only_begin(const struct ds_port *port)
{
	WRITE_ONCE(ds_net(port->net)->v6only_off,
		   DS_V6ONLY_KEY(port->proto, port->num));
	/* Before the bit is cleared; pairs with ds_v6only_going(). */
	smp_wmb();
}

static void ds_v6only_end(const struct ds_port *port, bool changed)
{
	/* Who saw the bit set is done after this. */
	if (changed)
		synchronize_rcu();
	WRITE_ONCE(ds_net(port->net)->v6only_off, 0);
}

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

static void ds_group_init(struct ds_group *group, struct sock *sk, bool v6only)
{
	group->sk = sk;
	group->grouped = ds_group_id(sk, &group->id);
	group->uid = ds_sk_uid(sk);
	group->v6only = v6only;
	group->reuse = true;
	group->foreign = false;
	group->n = 0;
	group->changed = 0;
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

static bool ds_group_count(struct sock *sk, void *arg)
{
	struct ds_group *group = arg;

	if (ds_group_has(group, sk)) {
		group->reuse &= !!sk->sk_reuse;
		group->foreign |= ds_is_mptcp(sk) || sk->sk_kern_sock;
		group->n += ipv6_only_sock(sk) != group->v6only;
	}
	return false;
}

static bool ds_group_left(struct sock *sk, void *arg)
{
	return ds_group_has(arg, sk) &&
	       ipv6_only_sock(sk) != ((struct ds_group *)arg)->v6only;
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
	 * remembers a socket that passed it: that was in another world.
	 */
	if (sk->sk_protocol == IPPROTO_TCP)
		inet_csk(sk)->icsk_bind_hash->fastreuseport = 0;
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
	int err;

	err = ds_v6only_suits(req, sk);
	if (err)
		return err;

	spin_lock(lock);
	ds_group_init(group, sk, req->v6only);
	ds_port_find_wild(&req->port, ds_group_count, group);
	err = ds_v6only_check(req, group);
	if (err > 0 && !req->dry_run)
		ds_v6only_write(group, sk);
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

	spin_lock(lock);
	if (inet_sk(sk)->inet_num == req->port.num && ds_group_left(sk, group))
		ds_v6only_write(group, sk);
	spin_unlock(lock);
	return 0;
}

typedef int (*ds_v6only_change)(const struct ds_v6only *req,
				struct ds_group *group, struct sock *sk);

/* Returns whether no process is busy with the socket: then it was done. */
static bool ds_try_idle(const struct ds_v6only *req, struct ds_group *group,
			struct sock *sk, ds_v6only_change change, int *ret)
{
	bool idle;

	spin_lock_bh(&sk->sk_lock.slock);
	idle = !sock_owned_by_user(sk);
	if (idle)
		*ret = change(req, group, sk);
	spin_unlock_bh(&sk->sk_lock.slock);
	return idle;
}

static bool ds_try(const struct ds_v6only *req, struct ds_group *group,
		   struct sock *sk, ds_v6only_change change, int *ret)
{
	spinlock_t *lock = ds_port_listen_lock(&req->port);
	bool idle;

	if (req->port.proto == DS_UDP)
		return ds_try_idle(req, group, sk, change, ret);

	spin_lock(lock);
	idle = ds_try_idle(req, group, sk, change, ret);
	spin_unlock(lock);
	return idle;
}

/* Do that when no process is busy with the socket. Unlike lock_sock() this gives
 * up: a process may sleep for ever with a socket locked, and generic netlink is not
 * to wait for that.
 */
static int ds_when_idle(const struct ds_v6only *req, struct ds_group *group,
			struct sock *sk, ds_v6only_change change)
{
	unsigned long end = jiffies + DS_V6ONLY_PATIENCE;
	int ret;

	while (!ds_try(req, group, sk, change, &ret)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, end))
			return -EBUSY;
		usleep_range(500, 1000);
	}
	return ret;
}

/* One at a time. Who joins meanwhile, by the likeness with one that is yet to
 * change, is one of them.
 */
static int ds_v6only_others(const struct ds_v6only *req, struct ds_group *group)
{
	struct sock *sk;
	int err = 0;

	while (!err && group->grouped &&
	       (sk = ds_port_get_wild(&req->port, ds_group_left, group))) {
		err = ds_when_idle(req, group, sk, ds_v6only_other);
		sock_put(sk);
		cond_resched();
	}
	if (err == -EBUSY)
		NL_SET_ERR_MSG(req->extack,
			       "A process keeps a socket of the SO_REUSEPORT group busy: not all have changed");
	return err;
}

static bool ds_has_cookie(struct sock *sk, void *arg)
{
	return atomic64_read(&sk->sk_cookie) == *(const u64 *)arg;
}

/* Where it is none that can be set, it is still to be told why. */
static struct sock *ds_v6only_find(const struct ds_v6only *req)
{
	u64 cookie = req->cookie;

	if (!cookie)
		return NULL;
	return ds_port_get_wild(&req->port, ds_has_cookie, &cookie) ?:
	       ds_port_get(&req->port, ds_has_cookie, &cookie);
}

static int ds_v6only_set(const struct ds_v6only *req)
{
	bool off = !req->v6only && !req->dry_run;
	struct ds_group group;
	bool changed = false;
	struct sock *sk;
	int n;

	sk = ds_v6only_find(req);
	if (!sk) {
		NL_SET_ERR_MSG(req->extack,
			       "No socket at this port has this cookie");
		return -ENOENT;
	}

	if (off)
		ds_v6only_begin(&req->port);
	n = ds_when_idle(req, &group, sk, ds_v6only_first);
	if (n == -EBUSY)
		NL_SET_ERR_MSG(req->extack, "A process keeps the socket busy");
	if (n > 0 && !req->dry_run) {
		n = ds_v6only_others(req, &group) ?: group.changed;
		changed = group.changed;
	}
	if (off)
		ds_v6only_end(&req->port, changed);

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

	attr = info->attrs[DUALSTACK_A_V6ONLY_PROTOCOL];
	proto = ds_proto(nla_get_u8(attr));
	if (proto < 0) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "Protocol is neither TCP nor UDP");
		return -EINVAL;
	}

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
	void *hdr;
	int n;

	n = ds_v6only_parse(&req, info);
	if (n)
		return n;

	/* No failure once something has changed. */
	msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	hdr = ds_put_header(msg, info->snd_portid, info->snd_seq, 0,
			    DUALSTACK_CMD_V6ONLY_SET);

	dn = ds_net(req.port.net);
	n = mutex_lock_killable(&dn->v6only_lock);
	if (!n) {
		n = ds_v6only_set(&req);
		mutex_unlock(&dn->v6only_lock);
	}
	if (n < 0 || !hdr || nla_put_u32(msg, DUALSTACK_A_V6ONLY_CHANGED, n)) {
		nlmsg_free(msg);
		return n < 0 ? n : -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}
