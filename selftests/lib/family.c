// SPDX-License-Identifier: GPL-2.0-only
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>

#include "kselftest.h"

#include "family.h"

#define MAX_ERRNO	4095	/* of the kernel's */

const struct fam_counter_info fam_counter_table[] = {
#define FAM_COUNTER(attr, name)	{ DUALSTACK_A_COUNTER_##attr, #name },
#include "counter_spec.h"
#undef FAM_COUNTER
};

const size_t fam_counter_table_len = ARRAY_SIZE(fam_counter_table);

static_assert(ARRAY_SIZE(fam_counter_table) ==
	      DUALSTACK_A_COUNTER_MAX - DUALSTACK_A_COUNTER_PAD,
	      "counter_spec.h lacks a counter of the uapi header");

static bool is_of(const struct fam_counter_info *c, const char *event)
{
	size_t len = strlen(c->name), n = strlen(event);

	return len > n && !strcmp(c->name + len - n, event);
}

bool fam_is_summed(int attr)
{
	return attr == DUALSTACK_A_COUNTER_V4_CONNECT ||
	       attr == DUALSTACK_A_COUNTER_NATIVE_CONNECT;
}

bool fam_counter_has(const struct fam_counter_info *c, int family, int protocol)
{
	bool v4 = !strncmp(c->name, "v4_", 3);

	if (family == AF_INET && !v4 && strcmp(c->name, "reject_v4only"))
		return false;
	if (family == AF_INET6 && (v4 || !strcmp(c->name, "reject_v4only")))
		return false;
	if (family && protocol == IPPROTO_TCP && fam_is_summed(c->attr))
		return false;
	if (is_of(c, "_accept"))
		return protocol != IPPROTO_UDP;
	if (is_of(c, "_recv") || is_of(c, "_send"))
		return protocol != IPPROTO_TCP;
	return true;
}

static int counter_of(const union net_addr *addr, int v4, int mapped, int native)
{
	if (addr->sa.sa_family == AF_INET)
		return v4;
	return net_addr_mapped(addr) ? mapped : native;
}

int fam_accept_counter(const union net_addr *addr)
{
	return counter_of(addr, DUALSTACK_A_COUNTER_V4_ACCEPT,
			  DUALSTACK_A_COUNTER_MAPPED_ACCEPT,
			  DUALSTACK_A_COUNTER_NATIVE_ACCEPT);
}

int fam_recv_counter(const union net_addr *addr)
{
	return counter_of(addr, DUALSTACK_A_COUNTER_V4_RECV,
			  DUALSTACK_A_COUNTER_MAPPED_RECV,
			  DUALSTACK_A_COUNTER_NATIVE_RECV);
}

int fam_connect_counter(const union net_addr *addr)
{
	return counter_of(addr, DUALSTACK_A_COUNTER_V4_CONNECT,
			  DUALSTACK_A_COUNTER_MAPPED_CONNECT,
			  DUALSTACK_A_COUNTER_NATIVE_CONNECT);
}

int fam_send_counter(const union net_addr *addr)
{
	return counter_of(addr, DUALSTACK_A_COUNTER_V4_SEND,
			  DUALSTACK_A_COUNTER_MAPPED_SEND, 0);
}

bool fam_is_of_client(int attr)
{
	return fam_is_summed(attr) || attr == DUALSTACK_A_COUNTER_V4_SEND;
}

void fam_counters_add(struct fam_counters *sum, const struct fam_counters *c)
{
	size_t i;

	for (i = 0; i < FAM_COUNTERS; i++)
		sum->v[i] += c->v[i];
}

bool fam_counters_zero(const struct fam_counters *c)
{
	size_t i;

	for (i = 0; i < FAM_COUNTERS; i++)
		if (c->v[i])
			return false;
	return true;
}

int fam_open(struct fam *ds)
{
	int err, one = 1;

	memset(ds, 0, sizeof(*ds));
	ds->sk = nl_socket_alloc();
	if (!ds->sk)
		return -ENOMEM;

	err = genl_connect(ds->sk);
	if (err) {
		fam_close(ds);
		return -EPROTONOSUPPORT;
	}
	nl_socket_enable_msg_peek(ds->sk);
	nl_socket_set_buffer_size(ds->sk, 1 << 20, 1 << 16);
	setsockopt(nl_socket_get_fd(ds->sk), SOL_NETLINK, NETLINK_EXT_ACK,
		   &one, sizeof(one));

	ds->family = genl_ctrl_resolve(ds->sk, DUALSTACK_GENL_NAME);
	if (ds->family < 0) {
		fam_close(ds);
		return -ENOENT;
	}
	return 0;
}

void fam_close(struct fam *ds)
{
	nl_socket_free(ds->sk);
	ds->sk = NULL;
}

struct nl_msg *fam_msg(struct fam *ds, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg)
		return NULL;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, ds->family, 0, flags,
			 cmd, DUALSTACK_GENL_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

struct talk {
	struct fam *ds;
	fam_attr_cb cb;
	void *arg;
	int ret;
	bool done;
};

/* Anything else is no errno, and need not have a counterpart of the other sign. */
static int valid_error(int error)
{
	return error <= 0 && error >= -MAX_ERRNO ? error : -EBADMSG;
}

static int talk_valid(struct nl_msg *msg, void *arg)
{
	struct genlmsghdr *ghdr = nlmsg_data(nlmsg_hdr(msg));
	struct talk *t = arg;

	/* Once the callback has failed, the rest of a dump is only drained. */
	if (t->cb && !t->ret)
		t->ret = t->cb(genlmsg_attrdata(ghdr, 0),
			       genlmsg_attrlen(ghdr, 0), t->arg);
	return NL_OK;
}

static int talk_intr(struct nl_msg *msg, void *arg)
{
	struct talk *t = arg;

	(void)msg;
	t->ds->intr = true;
	return NL_OK;
}

/* The kernel's words, among the attributes that begin behind so many bytes. */
static void take_extack(struct talk *t, struct nlmsghdr *nlh, int skip)
{
	struct nlattr *msg;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	msg = nla_find((struct nlattr *)((char *)nlmsg_data(nlh) + skip),
		       nlmsg_datalen(nlh) - skip, NLMSGERR_ATTR_MSG);
	if (msg)
		nla_strlcpy(t->ds->extack, msg, sizeof(t->ds->extack));
}

static void take_ack_extack(struct talk *t, struct nlmsghdr *nlh)
{
	struct nlmsgerr *e = nlmsg_data(nlh);
	int skip = sizeof(*e);

	/* Without NLM_F_CAPPED the payload of the request comes back too. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(nlmsg_datalen(&e->msg));
	take_extack(t, nlh, skip);
}

static int talk_ack(struct nl_msg *msg, void *arg)
{
	struct talk *t = arg;

	take_ack_extack(t, nlmsg_hdr(msg));
	t->done = true;
	return NL_STOP;
}

static int talk_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct talk *t = arg;

	/* The end of a dump carries its error, if there was one. */
	if (nlmsg_datalen(nlh) >= (int)sizeof(int) && !t->ret)
		t->ret = valid_error(*(int *)nlmsg_data(nlh));
	take_extack(t, nlh, NLMSG_ALIGN(sizeof(int)));
	t->done = true;
	return NL_STOP;
}

static int talk_error(struct sockaddr_nl *who, struct nlmsgerr *e, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	struct talk *t = arg;

	(void)who;
	take_ack_extack(t, nlh);
	t->ret = valid_error(e->error);
	t->done = true;
	return NL_STOP;
}

bool fam_batch_put(struct fam_batch *batch, struct nl_msg *msg, int flags)
{
	struct nlmsghdr *nlh;
	bool fits;

	if (!msg)
		return false;
	nlh = nlmsg_hdr(msg);
	nlh->nlmsg_flags |= NLM_F_REQUEST | flags;
	fits = batch->len + nlh->nlmsg_len <= sizeof(batch->buf);
	if (fits) {
		memcpy(batch->buf + batch->len, nlh, nlh->nlmsg_len);
		batch->len += NLMSG_ALIGN(nlh->nlmsg_len);
	}
	nlmsg_free(msg);
	return fits;
}

int fam_talk(struct fam *ds, struct nl_msg *msg, fam_attr_cb cb, void *arg)
{
	struct talk t = { .ds = ds, .cb = cb, .arg = arg };
	struct nl_cb *ncb;
	int err;

	if (!msg)
		return -ENOMEM;
	ds->extack[0] = '\0';
	ds->intr = false;

	ncb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!ncb) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	nl_cb_set(ncb, NL_CB_VALID, NL_CB_CUSTOM, talk_valid, &t);
	nl_cb_set(ncb, NL_CB_ACK, NL_CB_CUSTOM, talk_ack, &t);
	nl_cb_set(ncb, NL_CB_FINISH, NL_CB_CUSTOM, talk_finish, &t);
	nl_cb_set(ncb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, talk_intr, &t);
	nl_cb_err(ncb, NL_CB_CUSTOM, talk_error, &t);

	err = nl_send_auto(ds->sk, msg);
	nlmsg_free(msg);
	while (err >= 0 && !t.done)
		err = nl_recvmsgs(ds->sk, ncb);
	nl_cb_put(ncb);

	return t.done ? t.ret : -EIO;
}

static void parse_counters(struct nlattr *nest, struct fam_counters *c)
{
	struct nlattr *tb[FAM_COUNTERS];
	int i;

	memset(c, 0, sizeof(*c));
	if (!nest || nla_parse_nested(tb, FAM_COUNTERS - 1, nest, NULL))
		return;
	for (i = DUALSTACK_A_COUNTER_PAD + 1; i < FAM_COUNTERS; i++) {
		if (!tb[i])
			continue;
		c->v[i] = nla_get_u64(tb[i]);
		c->present |= 1ULL << i;
	}
}

static int parse_addr(struct nlattr *tb[], union net_addr *addr)
{
	struct nlattr *bytes = tb[DUALSTACK_A_PEER_ADDR];

	if (!bytes || !tb[DUALSTACK_A_PEER_PORT])
		return -EBADMSG;

	switch (nla_len(bytes)) {
	case sizeof(struct in_addr):
		addr->in.sin_family = AF_INET;
		addr->in.sin_port = nla_get_u16(tb[DUALSTACK_A_PEER_PORT]);
		memcpy(&addr->in.sin_addr, nla_data(bytes), nla_len(bytes));
		break;
	case sizeof(struct in6_addr):
		addr->in6.sin6_family = AF_INET6;
		addr->in6.sin6_port = nla_get_u16(tb[DUALSTACK_A_PEER_PORT]);
		memcpy(&addr->in6.sin6_addr, nla_data(bytes), nla_len(bytes));
		break;
	default:
		return -EBADMSG;
	}
	return 0;
}

static int parse_peer(struct nlattr *nest, struct fam_peer *p)
{
	struct nlattr *tb[DUALSTACK_A_PEER_MAX + 1];

	memset(p, 0, sizeof(*p));
	if (!nest)
		return 0;
	if (nla_parse_nested(tb, DUALSTACK_A_PEER_MAX, nest, NULL) ||
	    !tb[DUALSTACK_A_PEER_AGE])
		return -EBADMSG;

	p->age = nla_get_u64(tb[DUALSTACK_A_PEER_AGE]);
	return parse_addr(tb, &p->addr);
}

struct socket_out {
	fam_socket_cb cb;
	void *arg;
};

static int parse_socket(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_SOCKET_MAX + 1];
	struct socket_out *out = arg;
	struct fam_socket s = { };
	int err;

	if (nla_parse(tb, DUALSTACK_A_SOCKET_MAX, attrs, len, NULL) ||
	    !tb[DUALSTACK_A_SOCKET_COOKIE] || !tb[DUALSTACK_A_SOCKET_FAMILY] ||
	    !tb[DUALSTACK_A_SOCKET_PROTOCOL] ||
	    !tb[DUALSTACK_A_SOCKET_COUNTERS])
		return -EBADMSG;

	s.cookie = nla_get_u64(tb[DUALSTACK_A_SOCKET_COOKIE]);
	s.family = nla_get_u8(tb[DUALSTACK_A_SOCKET_FAMILY]);
	s.protocol = nla_get_u8(tb[DUALSTACK_A_SOCKET_PROTOCOL]);
	parse_counters(tb[DUALSTACK_A_SOCKET_COUNTERS], &s.counters);
	s.explicit_port = -1;
	if (tb[DUALSTACK_A_SOCKET_EXPLICIT_PORT])
		s.explicit_port =
			nla_get_u8(tb[DUALSTACK_A_SOCKET_EXPLICIT_PORT]);
	err = parse_peer(tb[DUALSTACK_A_SOCKET_LAST_MAPPED_PEER],
			 &s.last_mapped);
	if (!err)
		err = parse_peer(tb[DUALSTACK_A_SOCKET_LAST_REJECTED_PEER],
				 &s.last_rejected);
	return err ? err : out->cb(&s, out->arg);
}

static int copy_socket(const struct fam_socket *s, void *arg)
{
	*(struct fam_socket *)arg = *s;
	return 0;
}

int fam_socket_get(struct fam *ds, __u64 cookie, struct fam_socket *s)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_SOCKET_GET, 0);
	struct socket_out out = { .cb = copy_socket, .arg = s };

	memset(s, 0, sizeof(*s));
	if (msg)
		nla_put_u64(msg, DUALSTACK_A_SOCKET_COOKIE, cookie);
	return fam_talk(ds, msg, parse_socket, &out);
}

int fam_socket_dump(struct fam *ds, fam_socket_cb cb, void *arg)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_SOCKET_GET, NLM_F_DUMP);
	struct socket_out out = { .cb = cb, .arg = arg };

	return fam_talk(ds, msg, parse_socket, &out);
}

bool fam_is_client(const struct fam_counters *c)
{
	bool client = false;
	size_t i;

	for (i = 0; i < FAM_COUNTERS; i++) {
		if (c->v[i] && !fam_is_of_client(i))
			return false;
		client |= c->v[i] != 0;
	}
	return client;
}

static int count_server(const struct fam_socket *s, void *arg)
{
	*(int *)arg += !fam_is_client(&s->counters);
	return 0;
}

int fam_socket_count(struct fam *ds)
{
	int n = 0, err;

	err = fam_socket_dump(ds, count_server, &n);
	return err ? err : n;
}

static int parse_stats(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_STATS_MAX + 1];
	struct fam_stats *stats = arg;

	if (nla_parse(tb, DUALSTACK_A_STATS_MAX, attrs, len, NULL) ||
	    !tb[DUALSTACK_A_STATS_COUNTERS] ||
	    !tb[DUALSTACK_A_STATS_UNTRACKED] ||
	    !tb[DUALSTACK_A_STATS_TRACKED] || !tb[DUALSTACK_A_STATS_EVICTED])
		return -EBADMSG;

	parse_counters(tb[DUALSTACK_A_STATS_COUNTERS], &stats->counters);
	stats->untracked = nla_get_u64(tb[DUALSTACK_A_STATS_UNTRACKED]);
	stats->tracked = nla_get_u64(tb[DUALSTACK_A_STATS_TRACKED]);
	stats->evicted = nla_get_u64(tb[DUALSTACK_A_STATS_EVICTED]);
	return 0;
}

int fam_stats_get(struct fam *ds, int protocol, struct fam_stats *stats)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_STATS_GET, 0);

	memset(stats, 0, sizeof(*stats));
	if (msg && protocol)
		nla_put_u8(msg, DUALSTACK_A_STATS_PROTOCOL, protocol);
	return fam_talk(ds, msg, parse_stats, stats);
}

bool fam_counted(struct fam *ds, int counter, __u64 n)
{
	struct fam_stats stats;

	return !fam_stats_get(ds, 0, &stats) && stats.counters.v[counter] >= n;
}

struct port_out {
	fam_port_cb cb;
	void *arg;
};

static int parse_port(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_PORT_MAX + 1];
	struct port_out *out = arg;
	struct fam_port p = { };

	if (nla_parse(tb, DUALSTACK_A_PORT_MAX, attrs, len, NULL) ||
	    !tb[DUALSTACK_A_PORT_PROTOCOL] || !tb[DUALSTACK_A_PORT_PORT] ||
	    !tb[DUALSTACK_A_PORT_COUNTERS])
		return -EBADMSG;

	p.protocol = nla_get_u8(tb[DUALSTACK_A_PORT_PROTOCOL]);
	p.port = ntohs(nla_get_u16(tb[DUALSTACK_A_PORT_PORT]));
	parse_counters(tb[DUALSTACK_A_PORT_COUNTERS], &p.counters);
	return out->cb(&p, out->arg);
}

static int copy_port(const struct fam_port *p, void *arg)
{
	*(struct fam_port *)arg = *p;
	return 0;
}

int fam_port_get(struct fam *ds, int protocol, in_port_t port,
		 struct fam_port *p)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_PORT_GET, 0);
	struct port_out out = { .cb = copy_port, .arg = p };

	memset(p, 0, sizeof(*p));
	if (msg) {
		nla_put_u8(msg, DUALSTACK_A_PORT_PROTOCOL, protocol);
		nla_put_u16(msg, DUALSTACK_A_PORT_PORT, htons(port));
	}
	return fam_talk(ds, msg, parse_port, &out);
}

int fam_port_dump(struct fam *ds, fam_port_cb cb, void *arg)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_PORT_GET, NLM_F_DUMP);
	struct port_out out = { .cb = cb, .arg = arg };

	return fam_talk(ds, msg, parse_port, &out);
}

struct hook_out {
	fam_hook_cb cb;
	void *arg;
};

static int parse_hook(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_HOOK_MAX + 1];
	struct hook_out *out = arg;
	struct fam_hook h = { };

	if (nla_parse(tb, DUALSTACK_A_HOOK_MAX, attrs, len, NULL) ||
	    !tb[DUALSTACK_A_HOOK_NAME] || !tb[DUALSTACK_A_HOOK_KIND] ||
	    !tb[DUALSTACK_A_HOOK_ATTACHED] || !tb[DUALSTACK_A_HOOK_HITS] ||
	    !tb[DUALSTACK_A_HOOK_PURPOSE])
		return -EBADMSG;

	nla_strlcpy(h.name, tb[DUALSTACK_A_HOOK_NAME], sizeof(h.name));
	h.kind = nla_get_u32(tb[DUALSTACK_A_HOOK_KIND]);
	h.attached = nla_get_u8(tb[DUALSTACK_A_HOOK_ATTACHED]);
	h.hits = nla_get_u64(tb[DUALSTACK_A_HOOK_HITS]);
	nla_strlcpy(h.purpose, tb[DUALSTACK_A_HOOK_PURPOSE], sizeof(h.purpose));
	return out->cb(&h, out->arg);
}

static int copy_hook(const struct fam_hook *h, void *arg)
{
	*(struct fam_hook *)arg = *h;
	return 0;
}

int fam_hook_get(struct fam *ds, const char *name, struct fam_hook *h)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_HOOK_GET, 0);
	struct hook_out out = { .cb = copy_hook, .arg = h };

	memset(h, 0, sizeof(*h));
	if (msg)
		nla_put_string(msg, DUALSTACK_A_HOOK_NAME, name);
	return fam_talk(ds, msg, parse_hook, &out);
}

int fam_hook_dump(struct fam *ds, fam_hook_cb cb, void *arg)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_HOOK_GET, NLM_F_DUMP);
	struct hook_out out = { .cb = cb, .arg = arg };

	return fam_talk(ds, msg, parse_hook, &out);
}

static int parse_config(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_CONFIG_MAX + 1];
	struct fam_config *c = arg;

	if (nla_parse(tb, DUALSTACK_A_CONFIG_MAX, attrs, len, NULL) ||
	    !tb[DUALSTACK_A_CONFIG_TRACKING] ||
	    !tb[DUALSTACK_A_CONFIG_MAX_SOCKETS] ||
	    !tb[DUALSTACK_A_CONFIG_EVENT_RATE] ||
	    !tb[DUALSTACK_A_CONFIG_BINDV6ONLY] ||
	    !tb[DUALSTACK_A_CONFIG_PEERS] || !tb[DUALSTACK_A_CONFIG_MAX_PEERS])
		return -EBADMSG;

	c->tracking = nla_get_u8(tb[DUALSTACK_A_CONFIG_TRACKING]);
	c->max_sockets = nla_get_u32(tb[DUALSTACK_A_CONFIG_MAX_SOCKETS]);
	c->event_rate = nla_get_u32(tb[DUALSTACK_A_CONFIG_EVENT_RATE]);
	c->bindv6only = nla_get_u8(tb[DUALSTACK_A_CONFIG_BINDV6ONLY]);
	c->peers = nla_get_u8(tb[DUALSTACK_A_CONFIG_PEERS]);
	c->max_peers = nla_get_u32(tb[DUALSTACK_A_CONFIG_MAX_PEERS]);
	c->numbered = tb[DUALSTACK_A_CONFIG_EVENT_SEQ];
	if (c->numbered)
		c->event_seq = nla_get_u64(tb[DUALSTACK_A_CONFIG_EVENT_SEQ]);
	if (tb[DUALSTACK_A_CONFIG_SINCE])
		c->since = nla_get_u64(tb[DUALSTACK_A_CONFIG_SINCE]);
	return 0;
}

int fam_config_get(struct fam *ds, struct fam_config *c)
{
	memset(c, 0, sizeof(*c));
	return fam_talk(ds, fam_msg(ds, DUALSTACK_CMD_CONFIG_GET, 0),
			parse_config, c);
}

int fam_config_defaults(struct fam *ds, struct fam_config *c)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_CONFIG_GET, 0);

	memset(c, 0, sizeof(*c));
	if (msg)
		nla_put_flag(msg, DUALSTACK_A_CONFIG_DEFAULTS);
	return fam_talk(ds, msg, parse_config, c);
}

int fam_put_setting(struct nl_msg *msg, int attr, __u32 value)
{
	switch (attr) {
	case DUALSTACK_A_CONFIG_TRACKING:
	case DUALSTACK_A_CONFIG_BINDV6ONLY:
	case DUALSTACK_A_CONFIG_PEERS:
		return nla_put_u8(msg, attr, value);
	default:
		return nla_put_u32(msg, attr, value);
	}
}

int fam_config_set(struct fam *ds, int attr, __u32 value)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_CONFIG_SET, 0);

	if (msg)
		fam_put_setting(msg, attr, value);
	return fam_talk(ds, msg, NULL, NULL);
}

struct nl_msg *fam_reset_msg(struct fam *ds, __u64 cookie)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_RESET, 0);

	if (msg && cookie)
		nla_put_u64(msg, DUALSTACK_A_SOCKET_COOKIE, cookie);
	return msg;
}

int fam_reset(struct fam *ds, __u64 cookie)
{
	return fam_talk(ds, fam_reset_msg(ds, cookie), NULL, NULL);
}

int fam_join(struct fam_listener *l)
{
	int err, group, room = 8 << 20;

	l->len = 0;
	err = fam_open(&l->ds);
	if (err)
		return err;
	group = genl_ctrl_resolve_grp(l->ds.sk, DUALSTACK_GENL_NAME,
				      DUALSTACK_MCGRP_EVENTS);
	if (group < 0)
		err = -ENOENT;
	else
		err = nl_socket_add_membership(l->ds.sk, group);
	if (err == -NLE_PERM)
		err = -EPERM;
	/* Root's can wait for long, on a slow machine. */
	setsockopt(nl_socket_get_fd(l->ds.sk), SOL_SOCKET, SO_RCVBUFFORCE,
		   &room, sizeof(room));
	if (err)
		fam_close(&l->ds);
	return err;
}

static int parse_started(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *seq;

	seq = nla_find(attrs, len, DUALSTACK_A_CONFIG_EVENT_SEQ);
	if (!seq)
		return 0;
	*(__u64 *)arg = nla_get_u64(seq);
	return 1;
}

int fam_events_start(struct fam *ds, __u64 *seq)
{
	return fam_talk(ds, fam_msg(ds, DUALSTACK_CMD_EVENTS_START, 0),
		       parse_started, seq);
}

/* Ask until each event has a number, or there is an answer of another kind. */
static bool events_started(struct fam *asker, struct fam_listener *l, int *err)
{
	*err = fam_events_start(asker, &l->seq);
	return *err;
}

int fam_listen(struct fam_listener *l)
{
	struct fam asker;
	int err;

	err = fam_join(l);
	if (err)
		return err;
	/* By another socket: nothing but events comes by this one. */
	err = fam_open(&asker);
	if (!err) {
		if (!net_wait_for(events_started(&asker, l, &err),
				  NET_TIMEOUT_MS))
			err = -ETIMEDOUT;
		fam_close(&asker);
	}
	if (err < 0)
		fam_close(&l->ds);
	return err < 0 ? err : 0;
}

void fam_listen_end(struct fam_listener *l)
{
	fam_close(&l->ds);
}

static int parse_end(struct nlattr *nest, union net_addr *addr)
{
	struct nlattr *tb[DUALSTACK_A_PEER_MAX + 1];

	if (!nest || nla_parse_nested(tb, DUALSTACK_A_PEER_MAX, nest, NULL))
		return -EBADMSG;
	return parse_addr(tb, addr);
}

static int parse_event(struct nlmsghdr *nlh, struct fam_event *ev)
{
	struct nlattr *tb[DUALSTACK_A_EVENT_MAX + 1];

	memset(ev, 0, sizeof(*ev));
	if (genlmsg_parse(nlh, 0, tb, DUALSTACK_A_EVENT_MAX, NULL) ||
	    !tb[DUALSTACK_A_EVENT_SEQ] || !tb[DUALSTACK_A_EVENT_TIME])
		return -EBADMSG;
	ev->seq = nla_get_u64(tb[DUALSTACK_A_EVENT_SEQ]);
	ev->time = nla_get_u64(tb[DUALSTACK_A_EVENT_TIME]);
	ev->type = -1;
	if (!tb[DUALSTACK_A_EVENT_TYPE])
		return 0;

	if (!tb[DUALSTACK_A_EVENT_FAMILY] || !tb[DUALSTACK_A_EVENT_PROTOCOL] ||
	    !tb[DUALSTACK_A_EVENT_COOKIE])
		return -EBADMSG;
	ev->type = nla_get_u32(tb[DUALSTACK_A_EVENT_TYPE]);
	ev->family = nla_get_u8(tb[DUALSTACK_A_EVENT_FAMILY]);
	ev->protocol = nla_get_u8(tb[DUALSTACK_A_EVENT_PROTOCOL]);
	ev->cookie = nla_get_u64(tb[DUALSTACK_A_EVENT_COOKIE]);
	if (tb[DUALSTACK_A_EVENT_FLOWLABEL])
		ev->flowlabel = nla_get_u32(tb[DUALSTACK_A_EVENT_FLOWLABEL]);
	if (parse_end(tb[DUALSTACK_A_EVENT_LOCAL], &ev->local))
		return -EBADMSG;
	if (!tb[DUALSTACK_A_EVENT_V6ONLY])
		return parse_end(tb[DUALSTACK_A_EVENT_PEER], &ev->peer);
	ev->v6only = nla_get_u8(tb[DUALSTACK_A_EVENT_V6ONLY]);
	return tb[DUALSTACK_A_EVENT_HOLDER] ?
	       parse_end(tb[DUALSTACK_A_EVENT_HOLDER], &ev->peer) : 0;
}

int fam_listen_next(struct fam_listener *l, int timeout_ms, struct fam_event *ev)
{
	int fd = nl_socket_get_fd(l->ds.sk);
	struct nlmsghdr *nlh;
	int err;

	/* One datagram may hold several messages. */
	if (!nlmsg_ok(l->msg, l->len)) {
		err = net_wait_in(fd, timeout_ms);
		if (err)
			return err;
		l->len = recv(fd, l->buf, sizeof(l->buf), MSG_DONTWAIT);
		if (l->len < 0) {
			l->len = 0;
			return -errno;
		}
		l->msg = (struct nlmsghdr *)l->buf;
	}
	nlh = l->msg;
	l->msg = nlmsg_next(nlh, &l->len);
	if (nlh->nlmsg_type != l->ds.family ||
	    genlmsg_hdr(nlh)->cmd != DUALSTACK_CMD_EVENT)
		return -EBADMSG;
	return parse_event(nlh, ev);
}

static int parse_v6only(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_V6ONLY_MAX + 1];

	if (nla_parse(tb, DUALSTACK_A_V6ONLY_MAX, attrs, len, NULL) ||
	    !tb[DUALSTACK_A_V6ONLY_CHANGED])
		return -EBADMSG;
	*(int *)arg = nla_get_u32(tb[DUALSTACK_A_V6ONLY_CHANGED]);
	return 0;
}

struct nl_msg *fam_v6only_msg(struct fam *ds, __u64 cookie, int protocol,
			      in_port_t port, bool v6only, bool dry_run)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_V6ONLY_SET, 0);

	if (msg) {
		nla_put_u64(msg, DUALSTACK_A_V6ONLY_COOKIE, cookie);
		nla_put_u8(msg, DUALSTACK_A_V6ONLY_PROTOCOL, protocol);
		nla_put_u16(msg, DUALSTACK_A_V6ONLY_PORT, htons(port));
		nla_put_u8(msg, DUALSTACK_A_V6ONLY_V6ONLY, v6only);
		if (dry_run)
			nla_put_flag(msg, DUALSTACK_A_V6ONLY_DRY_RUN);
	}
	return msg;
}

int fam_v6only_set_by(struct fam *ds, __u64 cookie, int protocol,
		      in_port_t port, bool v6only, bool dry_run)
{
	struct nl_msg *msg = fam_v6only_msg(ds, cookie, protocol, port, v6only,
					    dry_run);
	int err, changed = -EBADMSG;

	err = fam_talk(ds, msg, parse_v6only, &changed);
	return err ? err : changed;
}

int fam_v6only_set(struct fam *ds, int fd, bool v6only, bool dry_run)
{
	return fam_v6only_set_by(ds, net_cookie(fd), net_protocol(fd),
				 net_port(fd), v6only, dry_run);
}

int fam_v6only_set_idle(struct fam *ds, int fd, bool v6only)
{
	__u64 end = net_now_ms() + NET_TIMEOUT_MS;
	int n;

	do
		n = fam_v6only_set(ds, fd, v6only, false);
	while (n == -EBUSY && net_now_ms() < end);
	return n;
}

static int parse_explain(struct nlattr *attrs, size_t len, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_EXPLAIN_MAX + 1];
	struct fam_explained *out = arg;

	if (nla_parse(tb, DUALSTACK_A_EXPLAIN_MAX, attrs, len, NULL) ||
	    !tb[DUALSTACK_A_EXPLAIN_LOCAL] || !tb[DUALSTACK_A_EXPLAIN_VERDICT])
		return -EBADMSG;
	out->local = nla_get_u8(tb[DUALSTACK_A_EXPLAIN_LOCAL]);
	out->verdict = nla_get_u32(tb[DUALSTACK_A_EXPLAIN_VERDICT]);
	if (tb[DUALSTACK_A_EXPLAIN_IFINDEX])
		out->ifindex = nla_get_u32(tb[DUALSTACK_A_EXPLAIN_IFINDEX]);
	if (!tb[DUALSTACK_A_EXPLAIN_COOKIE])
		return 0;
	out->cookie = nla_get_u64(tb[DUALSTACK_A_EXPLAIN_COOKIE]);
	if (!tb[DUALSTACK_A_EXPLAIN_REUSEPORT])
		return -EBADMSG;
	out->reuseport = nla_get_u8(tb[DUALSTACK_A_EXPLAIN_REUSEPORT]);
	return 0;
}

static void put_addr(struct nl_msg *msg, int attr, const union net_addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		nla_put(msg, attr, sizeof(addr->in.sin_addr),
			&addr->in.sin_addr);
	else
		nla_put(msg, attr, sizeof(addr->in6.sin6_addr),
			&addr->in6.sin6_addr);
}

int fam_explain(struct fam *ds, int protocol, const union net_addr *to,
		const union net_addr *from, unsigned int ifindex,
		struct fam_explained *out)
{
	struct nl_msg *msg = fam_msg(ds, DUALSTACK_CMD_EXPLAIN, 0);

	memset(out, 0, sizeof(*out));
	if (msg) {
		nla_put_u8(msg, DUALSTACK_A_EXPLAIN_PROTOCOL, protocol);
		put_addr(msg, DUALSTACK_A_EXPLAIN_ADDR, to);
		nla_put_u16(msg, DUALSTACK_A_EXPLAIN_PORT, to->in.sin_port);
		if (from) {
			put_addr(msg, DUALSTACK_A_EXPLAIN_FROM_ADDR, from);
			nla_put_u16(msg, DUALSTACK_A_EXPLAIN_FROM_PORT,
				    from->in.sin_port);
		}
		if (ifindex)
			nla_put_u32(msg, DUALSTACK_A_EXPLAIN_IFINDEX, ifindex);
	}
	return fam_talk(ds, msg, parse_explain, out);
}
