// SPDX-License-Identifier: GPL-2.0
/* Settings, and counters back to 0. */

#include <linux/capability.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/stringify.h>
#include <linux/timekeeping.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <uapi/linux/dualstack.h>

#include "events.h"
#include "hooks.h"
#include "ledger.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "queue.h"
#include "sock.h"
#include "stats.h"
#include "who.h"

/* Serialises changes of the kernel text. */
static DEFINE_MUTEX(ds_tracking_mutex);

/* Kept by a clock that nobody sets, told by the one that people read. How far they are
 * apart does not change meanwhile, unless somebody sets the latter.
 */
static int ds_put_since(struct sk_buff *skb, u64 since)
{
	u64 mono = since - ktime_to_ns(ktime_mono_to_any(0, TK_OFFS_BOOT));

	return ds_put_u64(skb, DUALSTACK_A_CONFIG_SINCE,
			  ktime_to_ns(ktime_mono_to_any(mono, TK_OFFS_REAL)));
}

static int ds_put_config(struct sk_buff *skb, const struct net *net)
{
	u64 since = ds_hooks_since();
	u64 seq;

	if (nla_put_u8(skb, DUALSTACK_A_CONFIG_TRACKING, !!since) ||
	    nla_put_u32(skb, DUALSTACK_A_CONFIG_MAX_SOCKETS,
			READ_ONCE(ds_net(net)->records.max_sockets)) ||
	    nla_put_u32(skb, DUALSTACK_A_CONFIG_EVENT_RATE,
			READ_ONCE(ds_net(net)->queue.rate)) ||
	    nla_put_u8(skb, DUALSTACK_A_CONFIG_BINDV6ONLY,
		       !!READ_ONCE(net->ipv6.sysctl.bindv6only)) ||
	    nla_put_u8(skb, DUALSTACK_A_CONFIG_PEERS,
		       READ_ONCE(ds_net(net)->ledger.on)) ||
	    nla_put_u32(skb, DUALSTACK_A_CONFIG_MAX_PEERS,
			READ_ONCE(ds_net(net)->ledger.max)) ||
	    (ds_events_seq(net, &seq) &&
	     ds_put_u64(skb, DUALSTACK_A_CONFIG_EVENT_SEQ, seq)) ||
	    (since && ds_put_since(skb, max(since,
					    READ_ONCE(ds_net(net)->totals.since)))))
		return -EMSGSIZE;
	return 0;
}

static int ds_put_defaults(struct sk_buff *skb)
{
	if (nla_put_u8(skb, DUALSTACK_A_CONFIG_TRACKING, 1) ||
	    nla_put_u32(skb, DUALSTACK_A_CONFIG_MAX_SOCKETS, DS_MAX_SOCKETS) ||
	    nla_put_u32(skb, DUALSTACK_A_CONFIG_EVENT_RATE, DS_EVENT_RATE) ||
	    nla_put_u8(skb, DUALSTACK_A_CONFIG_BINDV6ONLY, 0) ||
	    nla_put_u8(skb, DUALSTACK_A_CONFIG_PEERS, 1) ||
	    nla_put_u32(skb, DUALSTACK_A_CONFIG_MAX_PEERS, DS_MAX_PEERS))
		return -EMSGSIZE;
	return 0;
}

int dualstack_nl_config_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	bool defaults = info->attrs[DUALSTACK_A_CONFIG_DEFAULTS];
	struct net *net = genl_info_net(info);
	struct sk_buff *msg;
	int err;

	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;
	err = defaults ? ds_put_defaults(msg) : ds_put_config(msg, net);
	return ds_reply(msg, info, err);
}

static int ds_set_tracking(bool on, struct netlink_ext_ack *extack)
{
	int err = 0;

	mutex_lock(&ds_tracking_mutex);
	if (!on)
		err = ds_hooks_detach();
	else if (!ds_hooks_attached())
		err = ds_hooks_attach();
	mutex_unlock(&ds_tracking_mutex);

	if (err == -EBUSY)
		NL_SET_ERR_MSG(extack,
			       "ftrace is disabled: set sysctl kernel.ftrace_enabled to 1");
	else if (err == -ENODEV)
		NL_SET_ERR_MSG(extack,
			       "ftrace has disabled itself after a bug: no hook can be attached or taken out before a reboot");
	else if (err)
		NL_SET_ERR_MSG(extack,
			       "A hook cannot be attached, so none is: the kernel log names it");
	return err;
}

/* The table of records and the time to send events are shared by all: a
 * container may have less than what it starts with, not more.
 */
static int ds_check_share(const struct sk_buff *skb, struct genl_info *info,
			  const struct nlattr *attr, u32 share)
{
	if (!attr || nla_get_u32(attr) <= share ||
	    netlink_capable(skb, CAP_NET_ADMIN))
		return 0;

	NL_SET_ERR_MSG_ATTR(info->extack, attr,
			    "More than the default needs CAP_NET_ADMIN in the initial user namespace");
	return -EPERM;
}

static int ds_check_config(const struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *attr;
	int err;

	attr = info->attrs[DUALSTACK_A_CONFIG_TRACKING];
	if (attr && !netlink_capable(skb, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "Tracking is for the whole system: it needs CAP_NET_ADMIN in the initial user namespace");
		return -EPERM;
	}

	attr = info->attrs[DUALSTACK_A_CONFIG_MAX_SOCKETS];
	if (attr && nla_get_u32(attr) > DS_MAX_SOCKETS_LIMIT) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "max-sockets is at most " __stringify(DS_MAX_SOCKETS_LIMIT));
		return -EINVAL;
	}
	err = ds_check_share(skb, info, attr, DS_MAX_SOCKETS);
	if (err)
		return err;

	attr = info->attrs[DUALSTACK_A_CONFIG_EVENT_RATE];
	if (attr && nla_get_u32(attr) > DS_EVENT_RATE_LIMIT) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "event-rate is at most " __stringify(DS_EVENT_RATE_LIMIT));
		return -EINVAL;
	}
	err = ds_check_share(skb, info, attr, DS_EVENT_RATE);
	if (err)
		return err;

	attr = info->attrs[DUALSTACK_A_CONFIG_MAX_PEERS];
	if (attr && nla_get_u32(attr) > DS_MAX_PEERS_LIMIT) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "max-peers is at most " __stringify(DS_MAX_PEERS_LIMIT));
		return -EINVAL;
	}
	err = ds_check_share(skb, info, attr, DS_MAX_PEERS);
	if (err)
		return err;

	/* To empty it takes its time. */
	attr = info->attrs[DUALSTACK_A_CONFIG_PEERS];
	return attr && !nla_get_u8(attr) ? ds_check_last(skb, info) : 0;
}

static void ds_set_peers(struct net *net, bool on)
{
	struct ds_ledger *ledger = &ds_net(net)->ledger;

	if (on == READ_ONCE(ledger->on))
		return;
	ds_ledger_set_on(ledger, on);
	if (on)
		ds_who_resume(net);
}

int dualstack_nl_config_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	const struct nlattr *attr;
	int err;

	err = ds_check_config(skb, info);
	if (err)
		return err;

	/* What can fail comes first, so that all is set or nothing. */
	attr = info->attrs[DUALSTACK_A_CONFIG_TRACKING];
	if (attr)
		err = ds_set_tracking(nla_get_u8(attr), info->extack);
	if (err)
		return err;

	attr = info->attrs[DUALSTACK_A_CONFIG_MAX_SOCKETS];
	if (attr)
		ds_records_set_max(&ds_net(net)->records,
				   nla_get_u32(attr));

	attr = info->attrs[DUALSTACK_A_CONFIG_EVENT_RATE];
	if (attr)
		WRITE_ONCE(ds_net(net)->queue.rate, nla_get_u32(attr));

	attr = info->attrs[DUALSTACK_A_CONFIG_BINDV6ONLY];
	if (attr)
		WRITE_ONCE(net->ipv6.sysctl.bindv6only, nla_get_u8(attr));

	attr = info->attrs[DUALSTACK_A_CONFIG_MAX_PEERS];
	if (attr)
		ds_ledger_set_max(&ds_net(net)->ledger, nla_get_u32(attr));

	attr = info->attrs[DUALSTACK_A_CONFIG_PEERS];
	if (attr)
		ds_set_peers(net, nla_get_u8(attr));
	return 0;
}

static int ds_reset_all(const struct sk_buff *skb, struct genl_info *info)
{
	const struct net *net = genl_info_net(info);
	int err = ds_check_last(skb, info);

	if (!err && !info->attrs[DUALSTACK_A_SOCKET_PEERS])
		err = ds_net_reset(net);
	if (!err)
		ds_ledger_empty(&ds_net(net)->ledger);
	return err;
}

int dualstack_nl_reset_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *cookie = info->attrs[DUALSTACK_A_SOCKET_COOKIE];
	struct nlattr *peers = info->attrs[DUALSTACK_A_SOCKET_PEERS];
	const struct net *net = genl_info_net(info);
	int err;

	if (!cookie)
		return ds_reset_all(skb, info);
	if (peers) {
		NL_SET_ERR_MSG_ATTR(info->extack, peers,
				    "The ledger of peers is the namespace's: no cookie");
		return -EINVAL;
	}

	err = ds_net_reset_sock(net, nla_get_u64(cookie));
	if (err == -ENOENT)
		NL_SET_ERR_MSG_ATTR(info->extack, cookie,
				    "No socket with this cookie has had an event in this namespace");
	return err;
}
