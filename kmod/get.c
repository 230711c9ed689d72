// SPDX-License-Identifier: GPL-2.0
/* Requests that read: records, sums, ports, hooks. They are open to all, and show the
 * namespace of the netlink socket, as sock_diag does. Last peers are left out for
 * callers without CAP_NET_ADMIN.
 */

#include <linux/capability.h>
#include <linux/jiffies.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "hook_list.h"
#include "last_peer.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "port_sums.h"
#include "sock.h"
#include "stats.h"

/* socket-get */

/**
 * struct ds_reader - who reads records
 * @admin:	whether it has the right to see last peers
 * @withheld:	whether some were left out because it has not
 */
struct ds_reader {
	bool admin;
	bool withheld;
};

/* As elsewhere in netlink, two have to have the right: whoever sends the request,
 * or reads on in a dump, and whoever opened the socket. Otherwise a user could pass
 * a socket to a program that has rights, as its output, and have that write the
 * request.
 */
static void ds_reader_init(struct ds_reader *reader, const struct sk_buff *req)
{
	reader->admin = netlink_net_capable(req, CAP_NET_ADMIN);
	reader->withheld = false;
}

/* The answer is complete otherwise: this is no error, only a text in the
 * acknowledgment.
 */
static void ds_tell_withheld(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack,
		       "Last peers are left out: to see them needs CAP_NET_ADMIN in the network namespace");
}

static int ds_put_peer(struct sk_buff *skb, int attr,
		       const struct ds_peer *peer)
{
	bool mapped = ipv6_addr_v4mapped(&peer->addr);
	struct nlattr *nest;

	nest = nla_nest_start(skb, attr);
	if (!nest ||
	    nla_put(skb, DUALSTACK_A_PEER_ADDR, mapped ? 4 : 16,
		    mapped ? &peer->addr.s6_addr32[3] : peer->addr.s6_addr32) ||
	    nla_put_be16(skb, DUALSTACK_A_PEER_PORT, peer->port) ||
	    ds_put_u64(skb, DUALSTACK_A_PEER_AGE,
		       jiffies64_to_msecs(jiffies - peer->when)))
		return -EMSGSIZE;

	nla_nest_end(skb, nest);
	return 0;
}

static int ds_put_peers(struct sk_buff *skb, const struct ds_sock *rec,
			struct ds_reader *reader)
{
	struct ds_peer mapped, rejected;
	bool has_mapped, has_rejected;

	has_mapped = ds_sock_get_mapped(rec, &mapped);
	has_rejected = ds_sock_get_rejected(rec, &rejected);
	if (!reader->admin) {
		reader->withheld |= has_mapped || has_rejected;
		return 0;
	}

	if (has_mapped &&
	    ds_put_peer(skb, DUALSTACK_A_SOCKET_LAST_MAPPED_PEER, &mapped))
		return -EMSGSIZE;
	if (has_rejected &&
	    ds_put_peer(skb, DUALSTACK_A_SOCKET_LAST_REJECTED_PEER, &rejected))
		return -EMSGSIZE;
	return 0;
}

static int ds_put_sock_counters(struct sk_buff *skb, const struct ds_sock *rec)
{
	const struct ds_counter *c = ds_counters;
	struct nlattr *nest;

	nest = nla_nest_start(skb, DUALSTACK_A_SOCKET_COUNTERS);
	if (!nest)
		return -EMSGSIZE;

	for (; c < ds_counters + DS_N_COUNTERS; c++)
		if (c->family == ds_family(rec->family) &&
		    c->recorded & BIT(rec->proto) &&
		    ds_put_u64(skb, c->attr,
			       atomic64_read(&rec->count[c->event])))
			return -EMSGSIZE;

	nla_nest_end(skb, nest);
	return 0;
}

static int ds_put_port(struct sk_buff *skb, const struct ds_sock *rec)
{
	if (!rec->port_given && !rec->port_chosen)
		return 0;
	return nla_put_u8(skb, DUALSTACK_A_SOCKET_EXPLICIT_PORT,
			  rec->port_given);
}

static int ds_put_sock(struct sk_buff *skb, const struct ds_sock *rec,
		       struct ds_reader *reader)
{
	if (ds_put_u64(skb, DUALSTACK_A_SOCKET_COOKIE,
		       ds_sock_cookie(rec)) ||
	    nla_put_u8(skb, DUALSTACK_A_SOCKET_FAMILY, rec->family) ||
	    nla_put_u8(skb, DUALSTACK_A_SOCKET_PROTOCOL,
		       ds_ipproto(rec->proto)) ||
	    ds_put_sock_counters(skb, rec) ||
	    ds_put_peers(skb, rec, reader) ||
	    ds_put_port(skb, rec))
		return -EMSGSIZE;
	return 0;
}

/* How many buckets are looked at before other tasks may run. */
#define DS_DUMP_STEP	1024

/* Records do not move between buckets. So a dump that takes each bucket in one go
 * shows each record that exists throughout, and shows it once. A bucket that does
 * not fit into the rest of a message is left to the next one. Only a bucket that is
 * larger than a message is split: cb->args[1] is how many of its records have been
 * shown. If one of these is removed before the next message, another one is missed.
 */
static int ds_dump_bucket(struct sk_buff *skb, struct netlink_callback *cb,
			  const struct net *net,
			  struct ds_sock __rcu **head, struct ds_reader *reader)
{
	unsigned int start = skb->len;
	struct ds_sock *rec;
	void *hdr;
	long n = 0;

	for (rec = ds_sock_first(head); rec; rec = ds_sock_next(rec)) {
		if (rec->net != net || n++ < cb->args[1])
			continue;
		hdr = ds_dump_header(skb, cb, DUALSTACK_CMD_SOCKET_GET);
		if (hdr && !ds_dump_end(skb, hdr, ds_put_sock(skb, rec, reader)))
			continue;

		if (start)
			nlmsg_trim(skb, skb->data + start);
		else
			cb->args[1] = n - 1;
		return -EMSGSIZE;
	}
	cb->args[1] = 0;
	return 0;
}

/* Look at some buckets of the table, which is one for all namespaces: most records
 * may be of others. Returns whether the message is full.
 */
static bool ds_dump_step(struct sk_buff *skb, struct netlink_callback *cb,
			 const struct net *net, struct ds_reader *reader)
{
	unsigned int left = DS_DUMP_STEP;
	bool full = false;

	rcu_read_lock();
	for (; left-- && cb->args[0] < DS_SOCK_BUCKETS; cb->args[0]++) {
		full = ds_dump_bucket(skb, cb, net, &ds_sock_table[cb->args[0]],
				      reader);
		if (full)
			break;
	}
	rcu_read_unlock();
	return full;
}

int dualstack_nl_socket_get_dumpit(struct sk_buff *skb,
				   struct netlink_callback *cb)
{
	struct nlattr *cookie = ds_dump_attrs(cb)[DUALSTACK_A_SOCKET_COOKIE];
	const struct net *net = sock_net(skb->sk);
	struct ds_reader reader;

	if (cookie) {
		NL_SET_ERR_MSG_ATTR(cb->extack, cookie,
				    "A dump is of all sockets: no cookie");
		return -EINVAL;
	}

	ds_reader_init(&reader, cb->skb);
	while (cb->args[0] < DS_SOCK_BUCKETS &&
	       ds_records_exist(&ds_net(net)->records)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ds_dump_step(skb, cb, net, &reader))
			break;
		cond_resched();
	}

	/* The end of the dump carries the text, and this may be it. */
	cb->args[2] |= reader.withheld;
	if (cb->args[2])
		ds_tell_withheld(cb->extack);
	return skb->len;
}

int dualstack_nl_socket_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ds_reader reader;
	struct ds_sock *rec;
	struct sk_buff *msg;
	u64 cookie;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_SOCKET_COOKIE))
		return -EINVAL;
	cookie = nla_get_u64(info->attrs[DUALSTACK_A_SOCKET_COOKIE]);

	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;

	ds_reader_init(&reader, skb);
	rcu_read_lock();
	rec = ds_sock_by_cookie(cookie);
	err = rec && rec->net == genl_info_net(info) ?
	      ds_put_sock(msg, rec, &reader) : -ENOENT;
	rcu_read_unlock();

	if (err == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[DUALSTACK_A_SOCKET_COOKIE],
				    "No socket with this cookie has had an event in this namespace");
	else if (!err && reader.withheld)
		ds_tell_withheld(info->extack);
	return ds_reply(msg, info, err);
}

/* stats-get */

static int ds_put_sums(struct sk_buff *skb, const struct ds_sums *sums,
		       unsigned long protos)
{
	const struct ds_counter *c = ds_counters;
	u64 untracked = 0, tracked = 0, evicted = 0, value;
	struct nlattr *nest;
	unsigned long i;

	nest = nla_nest_start(skb, DUALSTACK_A_STATS_COUNTERS);
	if (!nest)
		return -EMSGSIZE;

	for (; c < ds_counters + DS_N_COUNTERS; c++) {
		if (!(c->protos & protos))
			continue;
		value = 0;
		for_each_set_bit(i, &protos, DS_N_PROTOS)
			if (c->protos & BIT(i))
				value += sums->count[c->family][i][c->event];
		if (ds_put_u64(skb, c->attr, value))
			return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);

	for_each_set_bit(i, &protos, DS_N_PROTOS) {
		untracked += sums->untracked[i];
		tracked += sums->tracked[i];
		evicted += sums->evicted[i];
	}
	if (ds_put_u64(skb, DUALSTACK_A_STATS_UNTRACKED, untracked) ||
	    ds_put_u64(skb, DUALSTACK_A_STATS_TRACKED, tracked) ||
	    ds_put_u64(skb, DUALSTACK_A_STATS_EVICTED, evicted))
		return -EMSGSIZE;
	return 0;
}

int dualstack_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[DUALSTACK_A_STATS_PROTOCOL];
	unsigned long protos = DS_ALL_PROTOS;
	struct sk_buff *msg;
	struct ds_sums sums;
	int err;

	if (attr) {
		int proto = ds_parse_proto(attr, info->extack);

		if (proto < 0)
			return proto;
		protos = BIT(proto);
	}

	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;

	err = ds_net_sums(genl_info_net(info), &sums) ?:
	      ds_put_sums(msg, &sums, protos);
	return ds_reply(msg, info, err);
}

/* port-get */

/* What a record has, and sockets without one. */
static int ds_put_port_counters(struct sk_buff *skb,
				const struct ds_port_view *view)
{
	const struct ds_counter *c = ds_counters;
	struct nlattr *nest;
	u8 protos;

	nest = nla_nest_start(skb, DUALSTACK_A_PORT_COUNTERS);
	if (!nest)
		return -EMSGSIZE;

	for (; c < ds_counters + DS_N_COUNTERS; c++) {
		protos = view->num ? c->recorded : c->protos;
		if (protos & BIT(view->proto) &&
		    ds_put_u64(skb, c->attr, view->count[c->family][c->event]))
			return -EMSGSIZE;
	}

	nla_nest_end(skb, nest);
	return 0;
}

static int ds_put_port_sums(struct sk_buff *skb, const struct ds_port_view *view)
{
	if (nla_put_u8(skb, DUALSTACK_A_PORT_PROTOCOL,
		       ds_ipproto(view->proto)) ||
	    nla_put_be16(skb, DUALSTACK_A_PORT_PORT, htons(view->num)) ||
	    ds_put_port_counters(skb, view))
		return -EMSGSIZE;
	return 0;
}

static bool ds_port_counted(const struct ds_port_view *view)
{
	return memchr_inv(view->count, 0, sizeof(view->count));
}

/* Returns whether there was room for all. */
static bool ds_dump_ports(struct sk_buff *skb, struct netlink_callback *cb,
			  struct ds_port_views *views)
{
	const struct ds_port_view *view;
	void *hdr;

	/* 0 is where it is not known whether anything has changed. */
	cb->seq = views->round | BIT(31);
	for (; views->told < views->n; views->told++) {
		view = &views->view[views->told];
		if (!ds_port_counted(view))
			continue;
		hdr = ds_dump_header(skb, cb, DUALSTACK_CMD_PORT_GET);
		if (hdr)
			genl_dump_check_consistent(cb, hdr);
		if (!hdr || ds_dump_end(skb, hdr, ds_put_port_sums(skb, view)))
			return false;
	}
	return true;
}

static struct ds_port_views *ds_port_views_new(unsigned long next, u32 max)
{
	struct ds_port_views *views;

	/* Anybody may ask, and need not read the answer. */
	views = kvzalloc(struct_size(views, view, max), GFP_KERNEL_ACCOUNT);
	if (!views)
		return NULL;
	views->next = next;
	views->max = max;
	return views;
}

/* One walk through the records is for all that are there, another one only if more have
 * come since they were counted.
 */
static int ds_dump_all_ports(struct sk_buff *skb, struct netlink_callback *cb,
			     struct ds_port_views *views)
{
	int err;

	while (ds_dump_ports(skb, cb, views)) {
		if (views->next >= DS_PORT_END)
			break;
		err = ds_net_port_sums(sock_net(skb->sk), views);
		if (err)
			return err;
	}
	return skb->len;
}

int dualstack_nl_port_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	const struct ds_net *dn = ds_net(sock_net(skb->sk));
	struct nlattr **attrs = ds_dump_attrs(cb);
	struct ds_port_views *views;

	if (attrs[DUALSTACK_A_PORT_PROTOCOL] || attrs[DUALSTACK_A_PORT_PORT]) {
		NL_SET_ERR_MSG(cb->extack,
			       "A dump is of all ports: no protocol, no port");
		return -EINVAL;
	}

	views = (struct ds_port_views *)cb->args[0];
	if (!views) {
		views = ds_port_views_new(0, READ_ONCE(dn->ports.n) + DS_N_PROTOS);
		if (!views)
			return -ENOMEM;
		/* Freed by the family, wherever the dump ends. */
		cb->args[0] = (long)views;
	}
	return ds_dump_all_ports(skb, cb, views);
}

static int ds_put_port_of(struct sk_buff *msg, const struct net *net,
			  enum ds_proto proto, u16 num)
{
	struct ds_port_views *views;
	int err;

	views = ds_port_views_new(ds_port_index(proto, num), 1);
	if (!views)
		return -ENOMEM;
	err = ds_net_port_sums(net, views);
	if (!err)
		err = views->n && views->view->proto == proto &&
		      views->view->num == num ?
		      ds_put_port_sums(msg, views->view) : -ENOENT;
	kvfree(views);
	return err;
}

int dualstack_nl_port_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *msg;
	int proto, err;

	if (GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_PORT_PROTOCOL) ||
	    GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_PORT_PORT))
		return -EINVAL;
	proto = ds_parse_proto(info->attrs[DUALSTACK_A_PORT_PROTOCOL],
			       info->extack);
	if (proto < 0)
		return proto;

	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;
	err = ds_put_port_of(msg, genl_info_net(info), proto,
			     ntohs(nla_get_be16(info->attrs[DUALSTACK_A_PORT_PORT])));
	if (err == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[DUALSTACK_A_PORT_PORT],
				    "This port has no counters of its own: if it has counted, that is of port 0");
	return ds_reply(msg, info, err);
}

/* hook-get */

static int ds_put_hook(struct sk_buff *skb, const struct ds_hook *hook,
		       const struct ds_sums *sums)
{
	if (nla_put_string(skb, DUALSTACK_A_HOOK_NAME, hook->name) ||
	    nla_put_u32(skb, DUALSTACK_A_HOOK_KIND, ds_hook_kind(hook)) ||
	    nla_put_u8(skb, DUALSTACK_A_HOOK_ATTACHED,
		       READ_ONCE(hook->attached)) ||
	    ds_put_u64(skb, DUALSTACK_A_HOOK_HITS, hook->hits(sums)) ||
	    nla_put_string(skb, DUALSTACK_A_HOOK_PURPOSE, hook->purpose))
		return -EMSGSIZE;
	return 0;
}

int dualstack_nl_hook_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct nlattr *name = ds_dump_attrs(cb)[DUALSTACK_A_HOOK_NAME];
	struct ds_sums sums;
	void *hdr;
	int err;

	if (name) {
		NL_SET_ERR_MSG_ATTR(cb->extack, name,
				    "A dump is of all hooks: no name");
		return -EINVAL;
	}

	err = ds_net_sums(sock_net(skb->sk), &sums);
	if (err)
		return err;

	for (; cb->args[0] < ds_n_hooks; cb->args[0]++) {
		hdr = ds_dump_header(skb, cb, DUALSTACK_CMD_HOOK_GET);
		if (!hdr ||
		    ds_dump_end(skb, hdr,
				ds_put_hook(skb, ds_hooks[cb->args[0]],
					    &sums)))
			break;
	}
	return skb->len;
}

static const struct ds_hook *ds_hook_by_name(const struct nlattr *name)
{
	unsigned int i;

	for (i = 0; i < ds_n_hooks; i++)
		if (!nla_strcmp(name, ds_hooks[i]->name))
			return ds_hooks[i];
	return NULL;
}

int dualstack_nl_hook_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct ds_hook *hook;
	struct sk_buff *msg;
	struct ds_sums sums;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, DUALSTACK_A_HOOK_NAME))
		return -EINVAL;

	hook = ds_hook_by_name(info->attrs[DUALSTACK_A_HOOK_NAME]);
	if (!hook) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[DUALSTACK_A_HOOK_NAME],
				    "No hook has this name");
		return -ENOENT;
	}

	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;

	err = ds_net_sums(genl_info_net(info), &sums) ?:
	      ds_put_hook(msg, hook, &sums);
	return ds_reply(msg, info, err);
}
