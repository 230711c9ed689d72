// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "ledger.h"

#define A(name)	DUALSTACK_A_PEER_ENTRY_##name

static struct nl_msg *query_msg(struct fam *ds, const struct ledger_query *query,
				int flags)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_PEER_GET, flags);

	if (!msg)
		return NULL;
	if (query->direction >= 0)
		nla_put_u32(msg, A(DIRECTION), query->direction);
	if (query->protocol)
		nla_put_u8(msg, A(PROTOCOL), query->protocol);
	if (query->port)
		nla_put_u16(msg, A(LOCAL_PORT), htons(query->port));
	return msg;
}

static int parse_addr(struct nlattr *attr, in_port_t port, union net_addr *addr)
{
	if (nla_len(attr) == sizeof(struct in_addr)) {
		addr->in.sin_family = AF_INET;
		memcpy(&addr->in.sin_addr, nla_data(attr), nla_len(attr));
	} else if (nla_len(attr) == sizeof(struct in6_addr)) {
		addr->in6.sin6_family = AF_INET6;
		memcpy(&addr->in6.sin6_addr, nla_data(attr), nla_len(attr));
	} else {
		return -EBADMSG;
	}
	addr->in.sin_port = port;
	return 0;
}

struct dump_out {
	ledger_cb cb;
	void *arg;
};

static int parse_entry(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[A(MAX) + 1];
	struct ledger_entry e = { };
	struct dump_out *out = arg;
	in_port_t port = 0;

	if (nla_parse(tb, A(MAX), attrs, len, NULL) || !tb[A(DIRECTION)] ||
	    !tb[A(PROTOCOL)] || !tb[A(COUNT)] || !tb[A(FIRST_AGE)] ||
	    !tb[A(LAST_AGE)])
		return -EBADMSG;

	e.direction = nla_get_u32(tb[A(DIRECTION)]);
	e.protocol = nla_get_u8(tb[A(PROTOCOL)]);
	e.count = nla_get_u64(tb[A(COUNT)]);
	e.first_age = nla_get_u64(tb[A(FIRST_AGE)]);
	e.last_age = nla_get_u64(tb[A(LAST_AGE)]);
	if (tb[A(LOCAL_PORT)])
		e.local_port = ntohs(nla_get_u16(tb[A(LOCAL_PORT)]));
	if (tb[A(PORT)])
		port = nla_get_u16(tb[A(PORT)]);
	if (tb[A(ADDR)] && parse_addr(tb[A(ADDR)], port, &e.peer))
		return -EBADMSG;
	if (tb[A(UID)] && tb[A(COMM)]) {
		e.has_uid = true;
		e.uid = nla_get_u32(tb[A(UID)]);
		nla_strlcpy(e.comm, tb[A(COMM)], sizeof(e.comm));
	}
	return out->cb(&e, out->arg);
}

int ledger_dump(struct fam *ds, const struct ledger_query *query, ledger_cb cb,
		void *arg)
{
	struct dump_out out = { .cb = cb, .arg = arg };

	return fam_talk(ds, query_msg(ds, query, NLM_F_DUMP), parse_entry, &out);
}

static int add_entry(const struct ledger_entry *e, void *arg)
{
	struct ledger_sum *sum = arg;

	sum->count += e->count;
	if (e->peer.sa.sa_family == AF_UNSPEC)
		sum->rest += e->count;
	else
		sum->entries++;
	return 0;
}

int ledger_sum(struct fam *ds, const struct ledger_query *query,
	       struct ledger_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	return ledger_dump(ds, query, add_entry, sum);
}

static int parse_sum(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[A(MAX) + 1];
	struct ledger_sum *sum = arg;

	if (nla_parse(tb, A(MAX), attrs, len, NULL) || !tb[A(ENTRIES)] ||
	    !tb[A(COUNT)])
		return -EBADMSG;
	sum->entries = nla_get_u32(tb[A(ENTRIES)]);
	sum->count = nla_get_u64(tb[A(COUNT)]);
	return 0;
}

int ledger_get(struct fam *ds, const struct ledger_query *query,
	       struct ledger_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	return fam_talk(ds, query_msg(ds, query, 0), parse_sum, sum);
}

struct search {
	const union net_addr *peer;
	const char *comm;
	struct ledger_entry *e;
	int n;
};

static bool is_peer(const struct ledger_entry *e, const union net_addr *peer)
{
	const void *addr = &peer->in.sin_addr;

	if (!peer || e->peer.sa.sa_family == AF_UNSPEC)
		return !peer && e->peer.sa.sa_family == AF_UNSPEC;
	if (e->peer.in.sin_port && e->peer.in.sin_port != peer->in.sin_port)
		return false;
	if (e->peer.sa.sa_family == AF_INET6)
		return peer->sa.sa_family == AF_INET6 &&
		       IN6_ARE_ADDR_EQUAL(&e->peer.in6.sin6_addr,
					  &peer->in6.sin6_addr);
	if (net_addr_mapped(peer))
		addr = &peer->in6.sin6_addr.s6_addr[12];
	else if (peer->sa.sa_family != AF_INET)
		return false;
	return !memcmp(&e->peer.in.sin_addr, addr, sizeof(struct in_addr));
}

static int search_entry(const struct ledger_entry *e, void *arg)
{
	struct search *s = arg;

	if (!is_peer(e, s->peer) || (s->comm && strcmp(s->comm, e->comm)))
		return 0;
	*s->e = *e;
	s->n++;
	return 0;
}

int ledger_find(struct fam *ds, const struct ledger_query *query,
		const union net_addr *peer, const char *comm,
		struct ledger_entry *e)
{
	struct search s = { .peer = peer, .comm = comm, .e = e };
	int err;

	memset(e, 0, sizeof(*e));
	err = ledger_dump(ds, query, search_entry, &s);
	return err ? err : s.n;
}

int ledger_reset(struct fam *ds)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_RESET, 0);

	if (msg)
		nla_put_flag(msg, DUALSTACK_A_SOCKET_PEERS);
	return fam_talk(ds, msg, NULL, NULL);
}
