// SPDX-License-Identifier: GPL-2.0
/* Requests that read the ledger of the netlink socket's namespace. */

#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>
#include <net/genetlink.h>
#include <net/ipv6.h>
#include <net/sock.h>

#include "ledger.h"
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "stats.h"

/**
 * struct ds_peer_filter - which entries are asked for
 * @direction:	an enum dualstack_peer_direction, or DS_N_DIRECTIONS for all
 * @proto:	an enum ds_proto, or DS_N_PROTOS for all
 * @by_port:	whether @port restricts them
 * @port:	port of this host, network byte order
 */
struct ds_peer_filter {
	u8 direction;
	u8 proto;
	bool by_port;
	__be16 port;
};

static int ds_filter_parse(struct ds_peer_filter *filter, struct nlattr **attrs,
			   struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int proto;

	filter->direction = DS_N_DIRECTIONS;
	attr = attrs[DUALSTACK_A_PEER_ENTRY_DIRECTION];
	if (attr)
		filter->direction = nla_get_u32(attr);

	filter->proto = DS_N_PROTOS;
	attr = attrs[DUALSTACK_A_PEER_ENTRY_PROTOCOL];
	if (attr) {
		proto = ds_parse_proto(attr, extack);
		if (proto < 0)
			return proto;
		filter->proto = proto;
	}

	attr = attrs[DUALSTACK_A_PEER_ENTRY_LOCAL_PORT];
	filter->by_port = attr;
	filter->port = attr ? nla_get_be16(attr) : 0;
	return 0;
}

static bool ds_filter_takes_side(const struct ds_peer_filter *filter,
				 unsigned int direction)
{
	return (filter->direction == DS_N_DIRECTIONS ||
		filter->direction == direction) &&
	       (!filter->by_port || ds_direction_has_port(direction));
}

static bool ds_filter_takes(const struct ds_peer_filter *filter,
			    const struct ds_entry_key *key)
{
	return (filter->proto == DS_N_PROTOS || filter->proto == ds_key_proto(key)) &&
	       (!filter->by_port || filter->port == ds_key_port(key));
}

/* A rest without a port is of none that is asked for. */
static bool ds_filter_takes_rest(const struct ds_peer_filter *filter,
				 unsigned int proto)
{
	return (filter->proto == DS_N_PROTOS || filter->proto == proto) &&
	       !filter->by_port;
}

/* Copy what an entry has. Returns false where it is dead, or all that it had counted was
 * taken back. Under RCU.
 */
static bool ds_entry_read(struct ds_entry_key *key, const struct ds_entry *entry)
{
	*key = entry->key;
	smp_rmb();	/* pairs with ds_ledger_evict() */
	return !(READ_ONCE(entry->key.head) & ds_entry_head(0, 0, 0, DS_ENTRY_DEAD)) &&
	       atomic64_read(&entry->count);
}

static int ds_put_ages(struct sk_buff *skb, u64 count, unsigned long first,
		       unsigned long last)
{
	/* Read in this order, none is of the future. */
	unsigned long now = jiffies;

	if (ds_put_u64(skb, DUALSTACK_A_PEER_ENTRY_COUNT, count) ||
	    ds_put_u64(skb, DUALSTACK_A_PEER_ENTRY_FIRST_AGE,
		       jiffies64_to_msecs(now - first)) ||
	    ds_put_u64(skb, DUALSTACK_A_PEER_ENTRY_LAST_AGE,
		       jiffies64_to_msecs(now - last)))
		return -EMSGSIZE;
	return 0;
}

static int ds_put_who(struct sk_buff *skb, const struct ds_entry_key *key,
		      struct user_namespace *user_ns)
{
	char comm[TASK_COMM_LEN];

	strscpy(comm, key->comm, sizeof(comm));
	if (nla_put_be16(skb, DUALSTACK_A_PEER_ENTRY_PORT, ds_key_port(key)) ||
	    nla_put_u32(skb, DUALSTACK_A_PEER_ENTRY_UID,
			from_kuid_munged(user_ns, KUIDT_INIT(key->uid))) ||
	    nla_put_string(skb, DUALSTACK_A_PEER_ENTRY_COMM, comm))
		return -EMSGSIZE;
	return 0;
}

static int ds_put_addr(struct sk_buff *skb, const struct ds_entry_key *key,
		       unsigned int direction)
{
	const int attr = DUALSTACK_A_PEER_ENTRY_ADDR;

	if (direction != DUALSTACK_PEER_DIRECTION_REFUSED)
		return nla_put_in_addr(skb, attr, ds_key_addr(key));
	if (ipv6_addr_v4mapped(&key->addr6))
		return nla_put_in_addr(skb, attr, key->addr6.s6_addr32[3]);
	return nla_put_in6_addr(skb, attr, &key->addr6);
}

static int ds_put_entry(struct sk_buff *skb, const struct ds_entry *entry,
			const struct ds_entry_key *key,
			struct user_namespace *user_ns)
{
	unsigned int direction = ds_key_direction(key);
	bool rest = ds_key_kind(key) & DS_ENTRY_REST;

	if (nla_put_u32(skb, DUALSTACK_A_PEER_ENTRY_DIRECTION, direction) ||
	    nla_put_u8(skb, DUALSTACK_A_PEER_ENTRY_PROTOCOL,
		       ds_ipproto(ds_key_proto(key))) ||
	    (ds_direction_has_port(direction) &&
	     nla_put_be16(skb, DUALSTACK_A_PEER_ENTRY_LOCAL_PORT, ds_key_port(key))) ||
	    (!rest && ds_put_addr(skb, key, direction)) ||
	    (!rest && !ds_direction_has_port(direction) &&
	     ds_put_who(skb, key, user_ns)))
		return -EMSGSIZE;
	return ds_put_ages(skb, atomic64_read(&entry->count),
			   READ_ONCE(entry->first), READ_ONCE(entry->last));
}

/* peer-get as a dump
 *
 * An entry keeps its index for as long as it is there. cb->args[0] is the direction,
 * cb->args[1] the index that comes next; after the last, one for each rest that is of
 * no port.
 */

#define DS_DUMP_RESTS	BIT(24)

/* How many entries are looked at before other tasks may run. */
#define DS_DUMP_STEP	1024

struct ds_peer_dump {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	struct ds_peer_filter filter;
	struct ds_ledger *ledger;
	struct user_namespace *user_ns;
};

static void *ds_peer_header(struct ds_peer_dump *dump)
{
	void *hdr;

	hdr = ds_dump_header(dump->skb, dump->cb, DUALSTACK_CMD_PEER_GET);
	if (hdr)
		genl_dump_check_consistent(dump->cb, hdr);
	return hdr;
}

/* Returns whether the message is full. Under RCU. */
static bool ds_dump_entry(struct ds_peer_dump *dump, const struct ds_entry *entry)
{
	struct ds_entry_key key;
	void *hdr;

	if (!ds_entry_read(&key, entry) || !ds_filter_takes(&dump->filter, &key))
		return false;
	hdr = ds_peer_header(dump);
	return !hdr || ds_dump_end(dump->skb, hdr,
				   ds_put_entry(dump->skb, entry, &key,
						dump->user_ns));
}

static int ds_put_rest(struct sk_buff *skb, const struct ds_rest *rest,
		       unsigned int direction, unsigned int proto)
{
	if (nla_put_u32(skb, DUALSTACK_A_PEER_ENTRY_DIRECTION, direction) ||
	    nla_put_u8(skb, DUALSTACK_A_PEER_ENTRY_PROTOCOL, ds_ipproto(proto)))
		return -EMSGSIZE;
	return ds_put_ages(skb, READ_ONCE(rest->count), READ_ONCE(rest->first),
			   READ_ONCE(rest->last));
}

static bool ds_dump_rest(struct ds_peer_dump *dump, unsigned int direction,
			 unsigned int proto)
{
	const struct ds_rest *rest = &dump->ledger->side[direction].rest[proto];
	void *hdr;

	if (!READ_ONCE(rest->count) || !ds_filter_takes_rest(&dump->filter, proto))
		return false;
	hdr = ds_peer_header(dump);
	return !hdr || ds_dump_end(dump->skb, hdr,
				   ds_put_rest(dump->skb, rest, direction, proto));
}

static bool ds_dump_some(struct ds_peer_dump *dump, unsigned int direction)
{
	struct xarray *entries = &dump->ledger->side[direction].entries;
	unsigned long index = dump->cb->args[1];
	unsigned int left = DS_DUMP_STEP;
	struct ds_entry *entry;
	bool full = false;

	rcu_read_lock();
	xa_for_each_start(entries, index, entry, index) {
		if (!left--)
			break;
		full = ds_dump_entry(dump, entry);
		if (full)
			break;
	}
	rcu_read_unlock();
	dump->cb->args[1] = entry ? index : DS_DUMP_RESTS;
	return full;
}

/* Returns whether the message is full, or -EINTR. */
static int ds_dump_side(struct ds_peer_dump *dump, unsigned int direction)
{
	struct netlink_callback *cb = dump->cb;

	while (cb->args[1] < DS_DUMP_RESTS) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (ds_dump_some(dump, direction))
			return true;
		cond_resched();
	}
	for (; cb->args[1] < DS_DUMP_RESTS + DS_N_PROTOS; cb->args[1]++)
		if (ds_dump_rest(dump, direction, cb->args[1] - DS_DUMP_RESTS))
			return true;
	return false;
}

int dualstack_nl_peer_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct ds_peer_dump dump = {
		.skb		= skb,
		.cb		= cb,
		.ledger		= &ds_net(sock_net(skb->sk))->ledger,
		.user_ns	= sk_user_ns(NETLINK_CB(cb->skb).sk),
	};
	int err;

	err = ds_filter_parse(&dump.filter, ds_dump_attrs(cb), cb->extack);
	if (err)
		return err;

	if (!cb->args[0] && !cb->args[1])
		ds_ledger_settle(dump.ledger);
	cb->seq = READ_ONCE(dump.ledger->emptied) + 1;
	for (; cb->args[0] < DS_N_DIRECTIONS; cb->args[0]++, cb->args[1] = 0) {
		if (!ds_filter_takes_side(&dump.filter, cb->args[0]))
			continue;
		err = ds_dump_side(&dump, cb->args[0]);
		if (err < 0)
			return err;
		if (err)
			break;
	}
	return skb->len;
}

/* peer-get of how many there are */

struct ds_peer_sum {
	u64 count;
	u32 entries;
};

static int ds_sum_side(struct ds_peer_sum *sum, struct ds_side *side,
		       const struct ds_peer_filter *filter)
{
	unsigned int i, n = 0;
	struct ds_entry_key key;
	struct ds_entry *entry;
	unsigned long index;
	int err = 0;

	rcu_read_lock();
	xa_for_each(&side->entries, index, entry) {
		if (ds_entry_read(&key, entry) && ds_filter_takes(filter, &key)) {
			sum->entries += !(ds_key_kind(&key) & DS_ENTRY_REST);
			sum->count += atomic64_read(&entry->count);
		}
		if (++n % DS_DUMP_STEP)
			continue;
		rcu_read_unlock();
		cond_resched();
		if (fatal_signal_pending(current))
			err = -EINTR;
		rcu_read_lock();
		if (err)
			break;
	}
	rcu_read_unlock();

	for (i = 0; i < DS_N_PROTOS; i++)
		if (ds_filter_takes_rest(filter, i))
			sum->count += READ_ONCE(side->rest[i].count);
	return err;
}

static int ds_sum_peers(struct ds_peer_sum *sum, struct ds_ledger *ledger,
			const struct ds_peer_filter *filter)
{
	unsigned int i;
	int err = 0;

	ds_ledger_settle(ledger);
	for (i = 0; i < DS_N_DIRECTIONS && !err; i++)
		if (ds_filter_takes_side(filter, i))
			err = ds_sum_side(sum, &ledger->side[i], filter);
	return err;
}

int dualstack_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ds_ledger *ledger = &ds_net(genl_info_net(info))->ledger;
	struct ds_peer_filter filter;
	struct ds_peer_sum sum = { };
	struct sk_buff *msg;
	int err;

	err = ds_filter_parse(&filter, info->attrs, info->extack) ?:
	      ds_check_last(skb, info);
	if (err)
		return err;

	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;
	err = ds_sum_peers(&sum, ledger, &filter);
	if (!err && (nla_put_u32(msg, DUALSTACK_A_PEER_ENTRY_ENTRIES,
				 sum.entries) ||
		     ds_put_u64(msg, DUALSTACK_A_PEER_ENTRY_COUNT, sum.count)))
		err = -EMSGSIZE;
	return ds_reply(msg, info, err);
}
