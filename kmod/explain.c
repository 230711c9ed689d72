// SPDX-License-Identifier: GPL-2.0
/* Which socket would get a packet: the lookups of the input path, without a packet.
 * Nothing is counted.
 */

#include <linux/inetdevice.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <net/addrconf.h>
#include <net/genetlink.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/sock_reuseport.h>
#include <net/tcp_states.h>

#include "lookup.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "sock.h"
#include "stats.h"

/**
 * struct ds_explain - a request and its answer
 * @query:	the packet that the request describes, for the lookup
 * @from:	whether the request gives its source
 * @extack:	says why there is no answer
 * @dev:	device that it comes in by, or NULL: by none
 * @own:	whether this host sends it to itself
 * @local:	whether it is for this host
 * @verdict:	what becomes of it, enum dualstack_verdict
 * @cookie:	cookie of the socket that takes or refuses it, or 0; where none does,
 *		of one that has the port at another address
 * @reuseport:	whether that socket is one of a group
 */
struct ds_explain {
	struct ds_query query;
	bool from;
	struct netlink_ext_ack *extack;
	struct net_device *dev;
	bool own;
	bool local;
	u32 verdict;
	u64 cookie;
	bool reuseport;
};

/* The device that the packet passes. To sockets, what a host sends to itself comes
 * in by the device that has the destination, but the loopback device carries it:
 * that of the VRF, or that of the namespace.
 */
static const struct net_device *ds_explain_carrier(const struct ds_explain *ex)
{
	if (!ex->own)
		return ex->dev;
	return l3mdev_master_dev_rcu(ex->dev) ?:
	       ex->query.flow.net->loopback_dev;
}

static bool ds_carries_loopback(const struct net_device *dev)
{
	return dev->flags & IFF_LOOPBACK || netif_is_l3_master(dev);
}

/* IPv4: where a packet comes in, and whether it is for this host. */

/* The device that has an address. A question that names no device is not about a
 * VRF, if the address is local outside of them as well.
 */
static struct net_device *ds_explain_dev4(struct net *net, __be32 addr)
{
	struct net_device *dev = __ip_dev_find(net, addr, false);
	struct flowi4 fl4 = { .daddr = addr };
	struct rtable *rt;

	if (!dev || !l3mdev_master_ifindex_rcu(dev))
		return dev;

	rt = ip_route_output_key(net, &fl4);
	if (IS_ERR(rt))
		return dev;
	if (rt->rt_type == RTN_LOCAL)
		dev = dev_get_by_index_rcu(net, rt->rt_iif) ?: dev;
	ip_rt_put(rt);
	return dev;
}

static int ds_explain_route4(struct ds_explain *ex)
{
	struct net *net = ex->query.flow.net;
	__be32 from = ex->query.flow.peer.s6_addr32[3];
	__be32 to = ex->query.flow.local.s6_addr32[3];
	struct flowi4 fl4 = { .daddr = from };
	struct rtable *rt;

	ex->dev = ds_explain_dev4(net, to);
	if (!ex->from || !ex->dev)
		return 0;

	ex->own = inet_addr_type_dev_table(net, ex->dev, from) == RTN_LOCAL;
	if (ex->own)
		return 0;

	fl4.flowi4_oif = l3mdev_master_ifindex_rcu(ex->dev);
	rt = ip_route_output_key(net, &fl4);
	if (IS_ERR(rt)) {
		NL_SET_ERR_MSG(ex->extack, "There is no route to the source");
		return PTR_ERR(rt);
	}
	ex->dev = rt->dst.dev;
	ip_rt_put(rt);
	return 0;
}

/* A namespace that never had an IPv4 address has no table of local ones, and the
 * kernel takes every address for a broadcast one. The loopback address never is
 * one, which tells this case.
 */
static bool ds_lacks_local4(struct net *net, const struct net_device *dev)
{
	return inet_addr_type_dev_table(net, dev, htonl(INADDR_LOOPBACK)) ==
	       RTN_BROADCAST;
}

static int ds_explain_local4(struct ds_explain *ex)
{
	__be32 to = ex->query.flow.local.s6_addr32[3];
	struct net *net = ex->query.flow.net;
	struct in_device *in_dev;

	switch (inet_addr_type_dev_table(net, ex->dev, to)) {
	case RTN_LOCAL:
		break;
	case RTN_BROADCAST:
		if (!ipv4_is_lbcast(to) && ds_lacks_local4(net, ex->dev))
			return 0;
		NL_SET_ERR_MSG(ex->extack,
			       "A broadcast address is not one host's: each socket at the port gets a copy");
		return -EINVAL;
	default:
		return 0;
	}

	ex->local = true;
	if (ex->dev && ipv4_is_loopback(to) &&
	    !ds_carries_loopback(ds_explain_carrier(ex))) {
		in_dev = __in_dev_get_rcu(ex->dev);
		ex->local = in_dev && IN_DEV_NET_ROUTE_LOCALNET(in_dev, net);
	}
	return 0;
}

/* The same for IPv6. */

/* RTF_LOCAL, RTF_ANYCAST, or 0 where a packet is not for this host. */
static u32 ds_local6(const struct dst_entry *dst)
{
	const struct rt6_info *rt = container_of(dst, struct rt6_info, dst);

	return dst->error ? 0 : rt->rt6i_flags & (RTF_LOCAL | RTF_ANYCAST);
}

/* The device that has an address, itself or, by a route, as part of a prefix that is
 * local as a whole; outside of VRFs if there is one.
 */
static struct net_device *ds_explain_dev6(struct net *net,
					  const struct in6_addr *addr)
{
	struct net_device *dev = ipv6_dev_find(net, addr, NULL);
	struct flowi6 fl6 = { .daddr = *addr };
	struct dst_entry *dst;

	if (dev)
		return dev;

	dst = ip6_route_output(net, NULL, &fl6);
	if (ds_local6(dst))
		dev = ip6_dst_idev(dst)->dev;
	dst_release(dst);
	if (dev)
		return dev;

	for_each_netdev_rcu(net, dev)
		if (ipv6_chk_addr(net, addr, dev, 1))
			return dev;
	return NULL;
}

static int ds_explain_route6(struct ds_explain *ex)
{
	struct flowi6 fl6 = { .daddr = ex->query.flow.peer };
	struct net *net = ex->query.flow.net;
	struct dst_entry *dst;
	int err;

	if (ipv6_addr_type(&ex->query.flow.local) & IPV6_ADDR_LINKLOCAL ||
	    (ex->from && ipv6_addr_type(&fl6.daddr) & IPV6_ADDR_LINKLOCAL)) {
		NL_SET_ERR_MSG(ex->extack,
			       "A link-local address is one on its device only: ifindex is missing");
		return -EINVAL;
	}

	ex->dev = ds_explain_dev6(net, &ex->query.flow.local);
	if (!ex->from || !ex->dev)
		return 0;

	/* Of the same VRF as that device, or outside as it is */
	ex->own = ipv6_chk_addr_and_flags(net, &fl6.daddr, ex->dev, true, 1,
					  IFA_F_TENTATIVE);
	if (ex->own)
		return 0;

	fl6.flowi6_oif = l3mdev_master_ifindex_rcu(ex->dev);
	dst = ip6_route_output(net, NULL, &fl6);
	err = dst->error;
	if (err)
		NL_SET_ERR_MSG(ex->extack, "There is no route to the source");
	else
		ex->dev = dst->dev;
	dst_release(dst);
	return err;
}

static int ds_explain_local6(struct ds_explain *ex)
{
	struct flowi6 fl6 = { .daddr = ex->query.flow.local };
	struct net_device *dev = ex->dev;
	struct dst_entry *dst;
	u32 local;

	if (!dev || (ipv6_addr_loopback(&fl6.daddr) &&
		     !ds_carries_loopback(ds_explain_carrier(ex))))
		return 0;

	fl6.flowi6_iif = dev->ifindex;
	dst = ip6_route_input_lookup(ex->query.flow.net, dev, &fl6, NULL, 0);
	local = ds_local6(dst);
	dst_release(dst);

	/* Where ipv6_unicast_destination() is false, tcp_v6_conn_request() drops a
	 * SYN.
	 */
	if (local && !(local & RTF_LOCAL) && ex->query.flow.proto == DS_TCP) {
		NL_SET_ERR_MSG(ex->extack,
			       "An anycast address is not one host's: TCP drops what comes for it");
		return -EINVAL;
	}
	ex->local = local;
	return 0;
}

/* The socket. */

static void ds_explain_found(struct ds_explain *ex, struct sock *sk,
			     u32 verdict)
{
	const struct sock_reuseport *reuse;

	ex->verdict = verdict;
	ex->cookie = ds_sk_cookie(sk);
	reuse = rcu_dereference(sk->sk_reuseport_cb);
	ex->reuseport = reuse && sk->sk_state != TCP_ESTABLISHED &&
			READ_ONCE(reuse->num_socks) > 1;
}

static void ds_explain_lookup(struct ds_explain *ex)
{
	struct ds_query *query = &ex->query;
	enum ds_event event;
	struct sock *sk;

	query->dif = ex->dev->ifindex;
	if (l3mdev_master_ifindex_rcu(ex->dev)) {
		query->sdif = query->dif;
		query->dif = l3mdev_master_ifindex_rcu(ex->dev);
	}

	sk = ds_lookup_taker(query);
	if (sk) {
		ds_explain_found(ex, sk, sk->sk_family == query->flow.family ?
				 DUALSTACK_VERDICT_NATIVE :
				 DUALSTACK_VERDICT_MAPPED);
		return;
	}

	sk = ds_lookup_refuser(query, &event);
	if (!sk) {
		sk = ds_lookup_elsewhere(query);
		if (sk)
			ds_explain_found(ex, sk, DUALSTACK_VERDICT_NONE);
		return;
	}
	if (event == DS_REJECT_ADDR)
		ds_explain_found(ex, sk, DUALSTACK_VERDICT_ADDR);
	else
		ds_explain_found(ex, sk, query->flow.family == AF_INET ?
				 DUALSTACK_VERDICT_V6ONLY :
				 DUALSTACK_VERDICT_V4ONLY);
}

static int ds_explain(struct ds_explain *ex, u32 ifindex)
{
	bool v4 = ex->query.flow.family == AF_INET;
	int err = 0;

	if (ifindex) {
		ex->dev = dev_get_by_index_rcu(ex->query.flow.net, ifindex);
		if (!ex->dev) {
			NL_SET_ERR_MSG(ex->extack, "No device has this index");
			return -ENODEV;
		}
	} else {
		err = v4 ? ds_explain_route4(ex) : ds_explain_route6(ex);
	}
	if (!err)
		err = v4 ? ds_explain_local4(ex) : ds_explain_local6(ex);
	if (!err && ex->dev && !(ds_explain_carrier(ex)->flags & IFF_UP)) {
		NL_SET_ERR_MSG(ex->extack,
			       "The device is down: nothing comes in by it");
		return -ENETDOWN;
	}
	if (!err && ex->local && ex->dev)
		ds_explain_lookup(ex);
	return err;
}

/* The request. */

static int ds_explain_addr(struct ds_explain *ex, const struct nlattr *attr,
			   struct in6_addr *addr, u8 *family)
{
	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		*family = AF_INET;
		ipv6_addr_set_v4mapped(nla_get_in_addr(attr), addr);
		break;
	case sizeof(struct in6_addr):
		*family = AF_INET6;
		*addr = nla_get_in6_addr(attr);
		if (ipv6_addr_v4mapped(addr)) {
			NL_SET_ERR_MSG_ATTR(ex->extack, attr,
					    "An IPv4-mapped address is not on the wire: ask for the IPv4 address");
			return -EINVAL;
		}
		/* There are no tables that routes and addresses could be looked for in. */
		if (!ipv6_mod_enabled()) {
			NL_SET_ERR_MSG_ATTR(ex->extack, attr,
					    "There is no IPv6: the kernel was started with ipv6.disable=1");
			return -EAFNOSUPPORT;
		}
		break;
	default:
		NL_SET_ERR_MSG_ATTR(ex->extack, attr,
				    "An address has 4 bytes, or 16");
		return -EINVAL;
	}

	if (ipv6_addr_any(addr) ||
	    (*family == AF_INET && !addr->s6_addr32[3])) {
		NL_SET_ERR_MSG_ATTR(ex->extack, attr,
				    "The unspecified address is no host's");
		return -EINVAL;
	}
	if (ipv6_addr_is_multicast(addr) ||
	    (*family == AF_INET && ipv4_is_multicast(addr->s6_addr32[3]))) {
		NL_SET_ERR_MSG_ATTR(ex->extack, attr,
				    "A multicast address is not one host's: each socket that joined it gets a copy");
		return -EINVAL;
	}
	return 0;
}

static int ds_explain_parse(struct ds_explain *ex, struct genl_info *info)
{
	struct ds_flow *flow = &ex->query.flow;
	struct nlattr **attrs = info->attrs;
	struct nlattr *attr;
	int proto, err;
	u8 family;

	if (GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_EXPLAIN_PROTOCOL) ||
	    GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_EXPLAIN_ADDR) ||
	    GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_EXPLAIN_PORT))
		return -EINVAL;

	proto = ds_parse_proto(attrs[DUALSTACK_A_EXPLAIN_PROTOCOL],
			       info->extack);
	if (proto < 0)
		return proto;
	flow->net = genl_info_net(info);
	flow->proto = proto;

	err = ds_explain_addr(ex, attrs[DUALSTACK_A_EXPLAIN_ADDR],
			      &flow->local, &flow->family);
	if (err)
		return err;

	attr = attrs[DUALSTACK_A_EXPLAIN_PORT];
	flow->local_port = nla_get_be16(attr);
	if (!flow->local_port) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "Nothing is bound to port 0");
		return -EINVAL;
	}

	attr = attrs[DUALSTACK_A_EXPLAIN_FROM_ADDR];
	ex->from = attr;
	if (!attr) {
		if (flow->family == AF_INET)
			ipv6_addr_set_v4mapped(0, &flow->peer);
	} else {
		err = ds_explain_addr(ex, attr, &flow->peer, &family);
		if (err)
			return err;
		if (family != flow->family) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "Source and destination are of different families");
			return -EINVAL;
		}
	}

	attr = attrs[DUALSTACK_A_EXPLAIN_FROM_PORT];
	if (attr)
		flow->peer_port = nla_get_be16(attr);
	return 0;
}

static int ds_put_explain(struct sk_buff *msg, const struct ds_explain *ex,
			  u32 ifindex)
{
	if (nla_put_u8(msg, DUALSTACK_A_EXPLAIN_LOCAL, ex->local) ||
	    (ifindex &&
	     nla_put_u32(msg, DUALSTACK_A_EXPLAIN_IFINDEX, ifindex)) ||
	    nla_put_u32(msg, DUALSTACK_A_EXPLAIN_VERDICT, ex->verdict))
		return -EMSGSIZE;
	if (ex->cookie &&
	    (ds_put_u64(msg, DUALSTACK_A_EXPLAIN_COOKIE, ex->cookie) ||
	     nla_put_u8(msg, DUALSTACK_A_EXPLAIN_REUSEPORT, ex->reuseport)))
		return -EMSGSIZE;
	return 0;
}

int dualstack_nl_explain_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ds_explain ex = { .extack = info->extack };
	struct nlattr *attr;
	struct sk_buff *msg;
	u32 ifindex = 0;
	int err;

	err = ds_explain_parse(&ex, info);
	if (err)
		return err;

	attr = info->attrs[DUALSTACK_A_EXPLAIN_IFINDEX];
	if (attr)
		ifindex = nla_get_u32(attr);
	if (attr && !ifindex) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "No device has this index");
		return -ENODEV;
	}

	rcu_read_lock();
	err = ds_explain(&ex, ifindex);
	ifindex = ex.dev ? ex.dev->ifindex : 0;
	rcu_read_unlock();
	if (err)
		return err;

	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;
	return ds_reply(msg, info, ds_put_explain(msg, &ex, ifindex));
}
