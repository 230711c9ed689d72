// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each operation of the netlink spec, by the client that the kernel's ynl makes of
 * it, against what the application saw. The other programs speak by lib/family.c,
 * which can also say what no client would.
 */
#include <net/if.h>

#include "lib/test.h"

#include "dualstack-user.h"
#include "ynl.h"

/* A server, and what became of its clients: what its record is to say. */
struct server {
	int fd;
	struct fam_counters seen;
	union net_addr mapped;
	union net_addr rejected;
};

FIXTURE(ynl_ops)
{
	struct ynl_sock *ys;
	struct server dual;
	struct server v6only;
};

FIXTURE_VARIANT(ynl_ops)
{
	int type;
	int protocol;
};

FIXTURE_VARIANT_ADD(ynl_ops, tcp)
{
	.type = SOCK_STREAM, .protocol = IPPROTO_TCP,
};

FIXTURE_VARIANT_ADD(ynl_ops, udp)
{
	.type = SOCK_DGRAM, .protocol = IPPROTO_UDP,
};

FIXTURE_SETUP(ynl_ops)
{
	struct ynl_error err = { };
	struct fam ds;

	if (!test_setup(_metadata, &ds))
		return;
	fam_close(&ds);
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, net_sysctl("ipv6/auto_flowlabels", 0));
	self->dual.fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->dual.fd);
	self->v6only.fd = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, self->v6only.fd);
	self->ys = ynl_sock_create(&ynl_dualstack_family, &err);
	ASSERT_NE(NULL, self->ys)
		TH_LOG("%s", err.msg);
}

FIXTURE_TEARDOWN(ynl_ops)
{
	if (!self->ys)
		return;
	ynl_sock_destroy(self->ys);
	close(self->dual.fd);
	close(self->v6only.fd);
}

/* A client that is served. Returns what it is called itself. */
static union net_addr serve(struct __test_metadata *_metadata, int type,
			    struct server *s, const char *addr)
{
	union net_addr peer = { }, self = { };
	socklen_t len = sizeof(peer);
	int client, conn;
	char c;

	if (type == SOCK_DGRAM) {
		ASSERT_EQ(0, net_send_to(addr, net_port(s->fd), "x", 1));
		ASSERT_EQ(0, net_wait_in(s->fd, NET_TIMEOUT_MS));
		ASSERT_EQ(1, recvfrom(s->fd, &c, 1, 0, &peer.sa, &len));
		test_saw_recv(&s->seen, &peer);
		net_addr_set(&self, addr, ntohs(peer.in.sin_port));
	} else {
		client = net_client(type, addr, net_port(s->fd), &self);
		ASSERT_LE(0, client);
		conn = net_accept(s->fd, &peer);
		ASSERT_LE(0, conn);
		test_saw_accept(&s->seen, &peer);
		net_close_reset(client);
		close(conn);
	}
	if (self.sa.sa_family == AF_INET)
		s->mapped = self;
	return self;
}

/* One that is refused for IPV6_V6ONLY */
static void refuse(struct __test_metadata *_metadata, int type, struct server *s)
{
	ASSERT_EQ(1, net_refused(type, "127.0.0.1", net_port(s->fd),
				 &s->rejected));
	s->seen.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
}

static const void *addr_bytes(const union net_addr *addr, size_t *len)
{
	if (addr->sa.sa_family == AF_INET) {
		*len = sizeof(addr->in.sin_addr);
		return &addr->in.sin_addr;
	}
	*len = sizeof(addr->in6.sin6_addr);
	return &addr->in6.sin6_addr;
}

static struct fam_counters taken(const struct dualstack_counter counter)
{
	const __u64 value[FAM_COUNTERS] = {
#define FAM_COUNTER(attr, name)	\
	[DUALSTACK_A_COUNTER_##attr] = counter.name,
#include "lib/counter_spec.h"
#undef FAM_COUNTER
	};
	const bool present[FAM_COUNTERS] = {
#define FAM_COUNTER(attr, name)	\
	[DUALSTACK_A_COUNTER_##attr] = counter._present.name,
#include "lib/counter_spec.h"
#undef FAM_COUNTER
	};
	struct fam_counters c = { };
	int i;

	for (i = 0; i < FAM_COUNTERS; i++) {
		if (!present[i])
			continue;
		c.v[i] = value[i];
		c.present |= 1ULL << i;
	}
	return c;
}

/*
 * An address of IPv4 has 4 bytes, and one with the prefix would begin with zeros.
 * What tells how many there are has one name in ynl of 6.12, another in later ones.
 */
static void expect_end(struct __test_metadata *_metadata,
		       const union net_addr *want,
		       const struct dualstack_peer *got)
{
	const void *bytes;
	size_t len;

	bytes = addr_bytes(want, &len);
	ASSERT_NE(NULL, got->addr);
	EXPECT_EQ(0, memcmp(bytes, got->addr, len));
	EXPECT_TRUE(!!got->_present.port);
	EXPECT_EQ(ntohs(want->in.sin_port), ntohs(got->port));
}

static void expect_peer(struct __test_metadata *_metadata,
			const union net_addr *want, bool present,
			const struct dualstack_peer *got)
{
	EXPECT_EQ(want->sa.sa_family != AF_UNSPEC, present);
	if (!present || want->sa.sa_family == AF_UNSPEC)
		return;
	expect_end(_metadata, want, got);
	EXPECT_TRUE(!!got->_present.age);
}

static void expect_record(struct __test_metadata *_metadata,
			  const struct server *want,
			  const struct dualstack_socket_get_rsp *got)
{
	struct fam_counters c = taken(got->counters);

	EXPECT_EQ(net_cookie(want->fd), got->cookie);
	EXPECT_EQ(AF_INET6, got->family);
	EXPECT_EQ(net_protocol(want->fd), got->protocol);
	test_expect_counters(_metadata, "socket", &want->seen, &c,
			     AF_INET6, net_protocol(want->fd));
	expect_peer(_metadata, &want->mapped, got->_present.last_mapped_peer,
		    &got->last_mapped_peer);
	expect_peer(_metadata, &want->rejected,
		    got->_present.last_rejected_peer, &got->last_rejected_peer);
}

static struct dualstack_socket_get_rsp *get_socket(struct ynl_sock *ys, int fd)
{
	struct dualstack_socket_get_req req = { };

	dualstack_socket_get_req_set_cookie(&req, net_cookie(fd));
	return dualstack_socket_get(ys, &req);
}

static void expect_socket(struct __test_metadata *_metadata,
			  struct ynl_sock *ys, const struct server *want)
{
	struct dualstack_socket_get_rsp *rsp = get_socket(ys, want->fd);

	ASSERT_NE(NULL, rsp)
		TH_LOG("%s", ys->err.msg);
	expect_record(_metadata, want, rsp);
	dualstack_socket_get_rsp_free(rsp);
}

static struct dualstack_stats_get_rsp *get_stats(struct ynl_sock *ys,
						 int protocol)
{
	struct dualstack_stats_get_req req = { };

	if (protocol)
		dualstack_stats_get_req_set_protocol(&req, protocol);
	return dualstack_stats_get(ys, &req);
}

/* The record of a client that is closed goes soon. */
static bool are_tracked(struct ynl_sock *ys, int protocol, __u64 tracked)
{
	struct dualstack_stats_get_rsp *rsp = get_stats(ys, protocol);
	bool are = rsp && rsp->tracked == tracked;

	if (rsp)
		dualstack_stats_get_rsp_free(rsp);
	return are;
}

/* The sums of all, or of one protocol. */
static void expect_stats(struct __test_metadata *_metadata,
			 struct ynl_sock *ys, int protocol,
			 const struct fam_counters *want, __u64 tracked,
			 __u64 untracked)
{
	struct fam_counters c, with_clients;
	struct dualstack_stats_get_rsp *rsp;

	EXPECT_TRUE(net_wait_for(are_tracked(ys, protocol, tracked),
				 NET_TIMEOUT_MS));
	rsp = get_stats(ys, protocol);
	ASSERT_NE(NULL, rsp)
		TH_LOG("%s", ys->err.msg);
	c = taken(rsp->counters);
	with_clients = test_with_clients(want, &c);
	test_expect_counters(_metadata, "sums", &with_clients, &c, 0, protocol);
	EXPECT_EQ(tracked, rsp->tracked);
	EXPECT_EQ(untracked, rsp->untracked);
	EXPECT_TRUE(!!rsp->_present.evicted);
	EXPECT_EQ(0, rsp->evicted);
	dualstack_stats_get_rsp_free(rsp);
}

/* What the client makes of an error: its number, and words. */
static void expect_said(struct __test_metadata *_metadata,
			const struct ynl_sock *ys, int code, const char *words)
{
	EXPECT_EQ(code, ys->err.code);
	EXPECT_NE(NULL, strstr(ys->err.msg, words))
		TH_LOG("\"%s\" lacks \"%s\"", ys->err.msg, words);
}

TEST_F_TIMEOUT(ynl_ops, socket_get, TEST_TIMEOUT)
{
	int found[2] = { }, others = 0;
	struct dualstack_socket_get_list *list;

	/* None has had an event. */
	EXPECT_EQ(NULL, get_socket(self->ys, self->dual.fd));
	expect_said(_metadata, self->ys, ENOENT, "No socket with this cookie");
	expect_said(_metadata, self->ys, ENOENT, ".cookie");
	list = dualstack_socket_get_dump(self->ys);
	ASSERT_NE(NULL, list);
	EXPECT_TRUE(ynl_dump_empty(list));

	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	serve(_metadata, variant->type, &self->dual, "::1");
	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	serve(_metadata, variant->type, &self->v6only, "::1");
	refuse(_metadata, variant->type, &self->v6only);
	expect_socket(_metadata, self->ys, &self->dual);
	expect_socket(_metadata, self->ys, &self->v6only);

	EXPECT_TRUE(net_wait_for(are_tracked(self->ys, 0, 2), NET_TIMEOUT_MS));
	list = dualstack_socket_get_dump(self->ys);
	ASSERT_NE(NULL, list)
		TH_LOG("%s", self->ys->err.msg);
	ynl_dump_foreach(list, rsp) {
		if (rsp->cookie == net_cookie(self->dual.fd)) {
			expect_record(_metadata, &self->dual, rsp);
			found[0]++;
		} else if (rsp->cookie == net_cookie(self->v6only.fd)) {
			expect_record(_metadata, &self->v6only, rsp);
			found[1]++;
		} else {
			others++;
		}
	}
	EXPECT_EQ(1, found[0]);
	EXPECT_EQ(1, found[1]);
	EXPECT_EQ(0, others);
	dualstack_socket_get_list_free(list);
}

TEST_F_TIMEOUT(ynl_ops, stats_get, TEST_TIMEOUT)
{
	int other = variant->protocol == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP;
	struct fam_counters sums = { }, none = { };

	expect_stats(_metadata, self->ys, 0, &none, 0, 0);
	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	serve(_metadata, variant->type, &self->dual, "::1");
	refuse(_metadata, variant->type, &self->v6only);
	fam_counters_add(&sums, &self->dual.seen);
	fam_counters_add(&sums, &self->v6only.seen);
	expect_stats(_metadata, self->ys, 0, &sums, 2, 0);
	expect_stats(_metadata, self->ys, variant->protocol, &sums, 2, 0);
	expect_stats(_metadata, self->ys, other, &none, 0, 0);
	EXPECT_EQ(NULL, get_stats(self->ys, IPPROTO_SCTP));
	EXPECT_EQ(EINVAL, self->ys->err.code);
}

/* Of a server whose port is asked for by number. */
#define RULED_PORT	7100
#define PORT	7000

static struct dualstack_port_get_rsp *get_port(struct ynl_sock *ys, int protocol)
{
	struct dualstack_port_get_req req = { };

	dualstack_port_get_req_set_protocol(&req, protocol);
	dualstack_port_get_req_set_port(&req, htons(PORT));
	return dualstack_port_get(ys, &req);
}

static void expect_port(struct __test_metadata *_metadata,
			const struct server *want,
			const struct dualstack_port_get_rsp *got)
{
	struct fam_counters c = taken(got->counters);
	int i;

	EXPECT_EQ(net_protocol(want->fd), got->protocol);
	EXPECT_EQ(PORT, ntohs(got->port));
	for (i = 0; i < FAM_COUNTERS; i++)
		EXPECT_EQ(want->seen.v[i], c.v[i]);
}

TEST_F_TIMEOUT(ynl_ops, port_get, TEST_TIMEOUT)
{
	struct dualstack_port_get_list *list;
	struct dualstack_port_get_rsp *rsp;
	struct server s = { };
	int found = 0;

	s.fd = net_server(variant->type, "::", PORT, NET_DUAL);
	ASSERT_LE(0, s.fd);
	EXPECT_EQ(NULL, get_port(self->ys, variant->protocol));
	expect_said(_metadata, self->ys, ENOENT, "no counters of its own");
	expect_said(_metadata, self->ys, ENOENT, ".port");

	serve(_metadata, variant->type, &s, "127.0.0.1");
	serve(_metadata, variant->type, &s, "::1");
	rsp = get_port(self->ys, variant->protocol);
	ASSERT_NE(NULL, rsp)
		TH_LOG("%s", self->ys->err.msg);
	expect_port(_metadata, &s, rsp);
	dualstack_port_get_rsp_free(rsp);

	list = dualstack_port_get_dump(self->ys);
	ASSERT_NE(NULL, list)
		TH_LOG("%s", self->ys->err.msg);
	ynl_dump_foreach(list, port) {
		if (!port->port)
			continue;
		expect_port(_metadata, &s, port);
		found++;
	}
	EXPECT_EQ(1, found);
	dualstack_port_get_list_free(list);
	close(s.fd);
}

static struct dualstack_hook_get_rsp *get_hook(struct ynl_sock *ys,
					       const char *name)
{
	struct dualstack_hook_get_req *req = dualstack_hook_get_req_alloc();
	struct dualstack_hook_get_rsp *rsp;

	dualstack_hook_get_req_set_name(req, name);
	rsp = dualstack_hook_get(ys, req);
	dualstack_hook_get_req_free(req);
	return rsp;
}

static __u64 hits(struct __test_metadata *_metadata, struct ynl_sock *ys,
		  const char *name)
{
	struct dualstack_hook_get_rsp *rsp = get_hook(ys, name);
	__u64 n;

	ASSERT_NE(NULL, rsp)
		TH_LOG("%s: %s", name, ys->err.msg);
	EXPECT_TRUE(rsp->attached);
	n = rsp->hits;
	dualstack_hook_get_rsp_free(rsp);
	return n;
}

TEST_F_TIMEOUT(ynl_ops, hook_get, TEST_TIMEOUT)
{
	const char *served_by = variant->type == SOCK_STREAM ?
				"tcp_child_process" : "skb_consume_udp";
	struct dualstack_hook_get_list *list;
	struct dualstack_hook_get_rsp *one;
	int n = 0;

	list = dualstack_hook_get_dump(self->ys);
	ASSERT_NE(NULL, list)
		TH_LOG("%s", self->ys->err.msg);
	ynl_dump_foreach(list, hook) {
		n++;
		ASSERT_NE(NULL, hook->name);
		ASSERT_NE(NULL, hook->purpose);
		EXPECT_NE('\0', hook->purpose[0]);
		EXPECT_NE(NULL, dualstack_hook_kind_str(hook->kind));
		EXPECT_TRUE(hook->attached);
		EXPECT_EQ(0, hook->hits);

		one = get_hook(self->ys, hook->name);
		ASSERT_NE(NULL, one)
			TH_LOG("%s: %s", hook->name, self->ys->err.msg);
		EXPECT_STREQ(hook->name, one->name);
		EXPECT_STREQ(hook->purpose, one->purpose);
		EXPECT_EQ(hook->kind, one->kind);
		dualstack_hook_get_rsp_free(one);
	}
	EXPECT_LE(4, n);
	dualstack_hook_get_list_free(list);
	EXPECT_EQ(NULL, get_hook(self->ys, "no_such_hook"));
	expect_said(_metadata, self->ys, ENOENT, ".name");

	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	serve(_metadata, variant->type, &self->dual, "::1");
	refuse(_metadata, variant->type, &self->v6only);
	EXPECT_EQ(2, hits(_metadata, self->ys, served_by));
	EXPECT_EQ(1, hits(_metadata, self->ys, "kfree_skb"));
}

static struct dualstack_config_get_rsp *get_config(struct ynl_sock *ys,
						   bool defaults)
{
	struct dualstack_config_get_req req = { };

	if (defaults)
		dualstack_config_get_req_set_defaults(&req);
	return dualstack_config_get(ys, &req);
}

static void expect_config(struct __test_metadata *_metadata,
			  struct ynl_sock *ys, bool defaults,
			  const struct fam_config *want)
{
	struct dualstack_config_get_rsp *rsp = get_config(ys, defaults);

	ASSERT_NE(NULL, rsp)
		TH_LOG("%s", ys->err.msg);
	EXPECT_EQ(want->tracking, rsp->tracking);
	EXPECT_EQ(want->max_sockets, rsp->max_sockets);
	EXPECT_EQ(want->event_rate, rsp->event_rate);
	EXPECT_EQ(want->bindv6only, rsp->bindv6only);
	EXPECT_EQ(want->peers, rsp->peers);
	EXPECT_EQ(want->max_peers, rsp->max_peers);
	EXPECT_FALSE(!!rsp->_present.event_seq);
	if (!defaults)
		EXPECT_EQ(want->tracking, !!rsp->_present.since);
	dualstack_config_get_rsp_free(rsp);
}

/* All at once, as the spec promises. */
static void set_config(struct __test_metadata *_metadata, struct ynl_sock *ys,
		       const struct fam_config *config)
{
	struct dualstack_config_set_req req = { };

	dualstack_config_set_req_set_tracking(&req, config->tracking);
	dualstack_config_set_req_set_max_sockets(&req, config->max_sockets);
	dualstack_config_set_req_set_event_rate(&req, config->event_rate);
	dualstack_config_set_req_set_bindv6only(&req, config->bindv6only);
	dualstack_config_set_req_set_peers(&req, config->peers);
	dualstack_config_set_req_set_max_peers(&req, config->max_peers);
	EXPECT_EQ(0, dualstack_config_set(ys, &req))
		TH_LOG("%s", ys->err.msg);
	expect_config(_metadata, ys, false, config);
}

TEST_F_TIMEOUT(ynl_ops, config, TEST_TIMEOUT)
{
	struct fam_config config = {
		.tracking = true, .max_sockets = 131072, .event_rate = 1000,
		.peers = true, .max_peers = 16384,
	};
	struct dualstack_config_set_req bad = { };
	struct server unseen;
	int fd;

	expect_config(_metadata, self->ys, true, &config);
	expect_config(_metadata, self->ys, false, &config);
	dualstack_config_set_req_set_max_sockets(&bad, 1);
	dualstack_config_set_req_set_tracking(&bad, 2);
	EXPECT_EQ(-1, dualstack_config_set(self->ys, &bad));
	expect_said(_metadata, self->ys, ERANGE, ".tracking");
	expect_config(_metadata, self->ys, false, &config);

	config.max_sockets = 0;
	config.event_rate = 7;
	config.bindv6only = true;
	config.peers = false;
	config.max_peers = 77;
	set_config(_metadata, self->ys, &config);
	fd = net_server(variant->type, "::", 0, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, net_v6only(fd));
	close(fd);
	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	EXPECT_EQ(NULL, get_socket(self->ys, self->dual.fd));
	expect_stats(_metadata, self->ys, 0, &self->dual.seen, 0, 1);

	/* There is room, and the socket starts at its next event. */
	config.max_sockets = 1;
	set_config(_metadata, self->ys, &config);
	memset(&self->dual.seen, 0, sizeof(self->dual.seen));
	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	expect_socket(_metadata, self->ys, &self->dual);

	/* Without tracking nothing is counted, and nothing forgotten. */
	config.tracking = false;
	set_config(_metadata, self->ys, &config);
	unseen = self->dual;
	serve(_metadata, variant->type, &unseen, "127.0.0.1");
	expect_socket(_metadata, self->ys, &self->dual);
	config.tracking = true;
	set_config(_metadata, self->ys, &config);
	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	expect_socket(_metadata, self->ys, &self->dual);
}

/* How many sockets changed, or would, or -errno. */
static int set_v6only(struct ynl_sock *ys, int fd, bool v6only, bool dry_run)
{
	__u64 end = net_now_ms() + NET_TIMEOUT_MS;
	struct dualstack_v6only_set_req req = { };
	struct dualstack_v6only_set_rsp *rsp;
	int changed;

	dualstack_v6only_set_req_set_cookie(&req, net_cookie(fd));
	dualstack_v6only_set_req_set_protocol(&req, net_protocol(fd));
	dualstack_v6only_set_req_set_port(&req, htons(net_port(fd)));
	dualstack_v6only_set_req_set_v6only(&req, v6only);
	if (dry_run)
		dualstack_v6only_set_req_set_dry_run(&req);
	do
		rsp = dualstack_v6only_set(ys, &req);
	while (!rsp && ys->err.code == EBUSY && net_now_ms() < end);
	if (!rsp)
		return -ys->err.code;
	changed = rsp->_present.changed ? rsp->changed : -EBADMSG;
	dualstack_v6only_set_rsp_free(rsp);
	return changed;
}

TEST_F_TIMEOUT(ynl_ops, v6only_set, TEST_TIMEOUT)
{
	int fd = self->dual.fd, v4;

	EXPECT_EQ(1, set_v6only(self->ys, fd, true, true));
	EXPECT_EQ(0, net_v6only(fd));
	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	EXPECT_EQ(1, set_v6only(self->ys, fd, true, false));
	EXPECT_EQ(1, net_v6only(fd));
	EXPECT_EQ(0, set_v6only(self->ys, fd, true, false));
	refuse(_metadata, variant->type, &self->dual);
	serve(_metadata, variant->type, &self->dual, "::1");
	EXPECT_EQ(1, set_v6only(self->ys, fd, false, false));
	EXPECT_EQ(0, net_v6only(fd));
	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	expect_socket(_metadata, self->ys, &self->dual);

	v4 = net_server(variant->type, "0.0.0.0", 0, 0);
	ASSERT_LE(0, v4);
	EXPECT_EQ(-EAFNOSUPPORT, set_v6only(self->ys, v4, true, false));
	expect_said(_metadata, self->ys, EAFNOSUPPORT, "AF_INET:");
	close(v4);
}

TEST_F_TIMEOUT(ynl_ops, reset, TEST_TIMEOUT)
{
	struct server fresh_dual = { .fd = self->dual.fd };
	struct server fresh_v6only = { .fd = self->v6only.fd };
	struct fam_counters sums = { }, none = { };
	struct dualstack_reset_req req = { };

	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	refuse(_metadata, variant->type, &self->v6only);
	fam_counters_add(&sums, &self->dual.seen);
	fam_counters_add(&sums, &self->v6only.seen);

	/* One socket, whose counts stay in the sums */
	dualstack_reset_req_set_cookie(&req, net_cookie(self->dual.fd));
	EXPECT_EQ(0, dualstack_reset(self->ys, &req))
		TH_LOG("%s", self->ys->err.msg);
	expect_socket(_metadata, self->ys, &fresh_dual);
	expect_socket(_metadata, self->ys, &self->v6only);
	expect_stats(_metadata, self->ys, 0, &sums, 2, 0);

	/* And all */
	memset(&req, 0, sizeof(req));
	EXPECT_EQ(0, dualstack_reset(self->ys, &req))
		TH_LOG("%s", self->ys->err.msg);
	expect_socket(_metadata, self->ys, &fresh_v6only);
	expect_stats(_metadata, self->ys, 0, &none, 2, 0);
	serve(_metadata, variant->type, &fresh_dual, "::1");
	expect_socket(_metadata, self->ys, &fresh_dual);

	dualstack_reset_req_set_cookie(&req, 0);
	EXPECT_EQ(-1, dualstack_reset(self->ys, &req));
	expect_said(_metadata, self->ys, ENOENT, ".cookie");
}

/* What is to be said of a packet to this host */
struct verdict {
	const char *addr;
	unsigned int server_flags;
	enum dualstack_verdict verdict;
};

static struct dualstack_explain_rsp *explain(struct ynl_sock *ys, int protocol,
					     const union net_addr *to,
					     const union net_addr *from,
					     unsigned int ifindex)
{
	struct dualstack_explain_req *req = dualstack_explain_req_alloc();
	struct dualstack_explain_rsp *rsp;
	const void *bytes;
	size_t len;

	dualstack_explain_req_set_protocol(req, protocol);
	bytes = addr_bytes(to, &len);
	dualstack_explain_req_set_addr(req, bytes, len);
	dualstack_explain_req_set_port(req, to->in.sin_port);
	if (from) {
		bytes = addr_bytes(from, &len);
		dualstack_explain_req_set_from_addr(req, bytes, len);
		dualstack_explain_req_set_from_port(req, from->in.sin_port);
	}
	if (ifindex)
		dualstack_explain_req_set_ifindex(req, ifindex);
	rsp = dualstack_explain(ys, req);
	dualstack_explain_req_free(req);
	return rsp;
}

static void expect_explained(struct __test_metadata *_metadata,
			     struct ynl_sock *ys, int fd,
			     const struct verdict *want,
			     const union net_addr *from, unsigned int ifindex)
{
	struct dualstack_explain_rsp *rsp;
	union net_addr to;

	net_addr_set(&to, want->addr, net_port(fd));
	rsp = explain(ys, net_protocol(fd), &to, from, ifindex);
	ASSERT_NE(NULL, rsp)
		TH_LOG("%s: %s", want->addr, ys->err.msg);
	EXPECT_EQ(want->verdict, rsp->verdict)
		TH_LOG("%s: %s instead of %s", want->addr,
		       dualstack_verdict_str(rsp->verdict),
		       dualstack_verdict_str(want->verdict));
	EXPECT_TRUE(rsp->local);
	EXPECT_EQ(if_nametoindex("lo"), rsp->ifindex);
	EXPECT_EQ(net_cookie(fd), rsp->cookie);
	EXPECT_TRUE(!!rsp->_present.reuseport);
	EXPECT_FALSE(rsp->reuseport);
	dualstack_explain_rsp_free(rsp);
}

TEST_F_TIMEOUT(ynl_ops, explain, TEST_TIMEOUT)
{
	static const struct verdict verdicts[] = {
		{ "::1", NET_DUAL, DUALSTACK_VERDICT_NATIVE },
		{ "127.0.0.1", NET_DUAL, DUALSTACK_VERDICT_MAPPED },
		{ "::1", NET_V6ONLY, DUALSTACK_VERDICT_NATIVE },
		{ "127.0.0.1", NET_V6ONLY, DUALSTACK_VERDICT_V6ONLY },
	};
	struct dualstack_explain_rsp *rsp;
	struct server s = { };
	union net_addr addr;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verdicts); i++) {
		s.fd = net_server(variant->type, "::", 0,
				  verdicts[i].server_flags);
		ASSERT_LE(0, s.fd);
		expect_explained(_metadata, self->ys, s.fd, &verdicts[i], NULL,
				 0);
		/* It is as it was said. */
		if (verdicts[i].verdict == DUALSTACK_VERDICT_V6ONLY) {
			refuse(_metadata, variant->type, &s);
			addr = s.rejected;
		} else {
			addr = serve(_metadata, variant->type, &s,
				     verdicts[i].addr);
		}
		expect_explained(_metadata, self->ys, s.fd, &verdicts[i], &addr,
				 if_nametoindex("lo"));
		net_addr_set(&addr, verdicts[i].addr, net_port(s.fd));
		close(s.fd);
	}

	/* Where nobody is, nobody is named. */
	rsp = explain(self->ys, variant->protocol, &addr, NULL, 0);
	ASSERT_NE(NULL, rsp)
		TH_LOG("%s", self->ys->err.msg);
	EXPECT_EQ(DUALSTACK_VERDICT_NONE, rsp->verdict);
	EXPECT_FALSE(!!rsp->_present.cookie);
	EXPECT_FALSE(!!rsp->_present.reuseport);
	dualstack_explain_rsp_free(rsp);
}

/* Any of a group may get the packet: it is said of the one that is named. */
TEST_F_TIMEOUT(ynl_ops, explain_group, TEST_TIMEOUT)
{
	struct dualstack_explain_rsp *rsp;
	union net_addr to;
	in_port_t port;
	int fd[2];

	fd[0] = net_server(variant->type, "::", 0, NET_DUAL | NET_REUSEPORT);
	ASSERT_LE(0, fd[0]);
	port = net_port(fd[0]);
	fd[1] = net_server(variant->type, "::", port, NET_DUAL | NET_REUSEPORT);
	ASSERT_LE(0, fd[1]);
	net_addr_set(&to, "127.0.0.1", port);
	rsp = explain(self->ys, variant->protocol, &to, NULL, 0);
	ASSERT_NE(NULL, rsp)
		TH_LOG("%s", self->ys->err.msg);
	EXPECT_EQ(DUALSTACK_VERDICT_MAPPED, rsp->verdict);
	EXPECT_TRUE(rsp->reuseport);
	EXPECT_TRUE(rsp->cookie == net_cookie(fd[0]) ||
		    rsp->cookie == net_cookie(fd[1]));
	dualstack_explain_rsp_free(rsp);
	close(fd[0]);
	close(fd[1]);
}

static bool events_started(struct ynl_sock *ys, __u64 *seq)
{
	struct dualstack_events_start_req req = { };
	struct dualstack_events_start_rsp *rsp;
	bool started;

	rsp = dualstack_events_start(ys, &req);
	if (!rsp)
		return false;
	started = rsp->_present.event_seq;
	*seq = rsp->event_seq;
	dualstack_events_start_rsp_free(rsp);
	return started;
}

/* The next event after @seq, to be freed with ynl_ntf_free(), or NULL. */
static struct dualstack_event *next_event(struct ynl_sock *ys, __u64 seq)
{
	struct ynl_ntf_base_type *ntf;
	struct dualstack_event *event;

	for (;;) {
		ntf = ynl_ntf_dequeue(ys);
		event = (struct dualstack_event *)ntf;
		if (ntf && event->obj.seq > seq)
			return event;
		if (ntf)
			ynl_ntf_free(ntf);
		else if (net_wait_in(ynl_socket_get_fd(ys), NET_TIMEOUT_MS) ||
			 ynl_ntf_check(ys))
			return NULL;
	}
}

static void expect_event(struct __test_metadata *_metadata,
			 struct ynl_sock *ys, __u64 seq,
			 enum dualstack_event_type type, int fd,
			 const union net_addr *peer)
{
	struct dualstack_event *event = next_event(ys, seq - 1);
	int family = peer->sa.sa_family;
	union net_addr local;
	__u64 now;

	ASSERT_NE(NULL, event)
		TH_LOG("no event: %s", ys->err.msg);
	now = net_real_ns();
	EXPECT_EQ(DUALSTACK_CMD_EVENT, event->cmd);
	EXPECT_EQ(seq, event->obj.seq);
	EXPECT_TRUE(!!event->obj._present.type);
	EXPECT_STREQ(dualstack_event_type_str(type),
		     dualstack_event_type_str(event->obj.type));
	EXPECT_GE(now, event->obj.time);
	EXPECT_LE(now - 300 * 1000000000ULL, event->obj.time);
	EXPECT_EQ(family, event->obj.family);
	EXPECT_EQ(net_protocol(fd), event->obj.protocol);
	EXPECT_EQ(net_cookie(fd), event->obj.cookie);
	net_addr_set(&local, family == AF_INET ? "127.0.0.1" : "::1",
		     net_port(fd));
	EXPECT_TRUE(!!event->obj._present.local);
	expect_end(_metadata, &local, &event->obj.local);
	EXPECT_TRUE(!!event->obj._present.peer);
	expect_end(_metadata, peer, &event->obj.peer);
	EXPECT_EQ(family == AF_INET6, !!event->obj._present.flowlabel);
	EXPECT_EQ(0, event->obj.flowlabel);
	ynl_ntf_free((struct ynl_ntf_base_type *)event);
}

/* By the socket that asks, too: an event that comes before an answer is kept. */
TEST_F_TIMEOUT(ynl_ops, events, TEST_TIMEOUT)
{
	/* What clients do comes first: one that is served connects by TCP, one that
	 * is refused does it by UDP, too, and sends.
	 */
	const int served = variant->type == SOCK_STREAM ? 2 : 1;
	const int refused = variant->type == SOCK_STREAM ? 2 : 3;
	struct dualstack_config_get_rsp *config;
	struct server v4only = { };
	union net_addr peer;
	__u64 seq;

	EXPECT_FALSE(events_started(self->ys, &seq));
	EXPECT_EQ(ESRCH, self->ys->err.code);
	ASSERT_EQ(0, ynl_subscribe(self->ys, DUALSTACK_MCGRP_EVENTS))
		TH_LOG("%s", self->ys->err.msg);
	ASSERT_TRUE(net_wait_for(events_started(self->ys, &seq),
				 NET_TIMEOUT_MS))
		TH_LOG("%s", self->ys->err.msg);

	peer = serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	ASSERT_EQ(0, net_wait_in(ynl_socket_get_fd(self->ys), NET_TIMEOUT_MS));
	expect_socket(_metadata, self->ys, &self->dual);
	config = get_config(self->ys, false);
	ASSERT_NE(NULL, config)
		TH_LOG("%s", self->ys->err.msg);
	EXPECT_TRUE(!!config->_present.event_seq);
	EXPECT_EQ(seq + served, config->event_seq);
	dualstack_config_get_rsp_free(config);
	expect_event(_metadata, self->ys, seq + served,
		     variant->type == SOCK_STREAM ?
		     DUALSTACK_EVENT_TYPE_MAPPED_ACCEPT :
		     DUALSTACK_EVENT_TYPE_MAPPED_RECV, self->dual.fd, &peer);

	refuse(_metadata, variant->type, &self->v6only);
	expect_event(_metadata, self->ys, seq + served + refused,
		     DUALSTACK_EVENT_TYPE_REJECT_V6ONLY, self->v6only.fd,
		     &self->v6only.rejected);

	/* Closed, for the two could have the same port. */
	close(self->v6only.fd);
	self->v6only.fd = -1;
	v4only.fd = net_server(variant->type, "0.0.0.0", 0, 0);
	ASSERT_LE(0, v4only.fd);
	ASSERT_EQ(1, net_refused(variant->type, "::1", net_port(v4only.fd),
				 &peer));
	expect_event(_metadata, self->ys, seq + served + refused + 1,
		     DUALSTACK_EVENT_TYPE_REJECT_V4ONLY, v4only.fd, &peer);
	close(v4only.fd);
}

/* What the kernel has of the clients that a port refused, and who they are. */
static void expect_refused(struct __test_metadata *_metadata,
			   struct ynl_sock *ys, const struct server *s, __u64 count)
{
	struct dualstack_peer_get_req req = { };
	struct dualstack_peer_get_rsp *sum;
	struct dualstack_peer_get_rsp_list *list;
	int n = 0;

	dualstack_peer_get_req_set_direction(&req, DUALSTACK_PEER_DIRECTION_REFUSED);
	dualstack_peer_get_req_set_protocol(&req, net_protocol(s->fd));
	dualstack_peer_get_req_set_local_port(&req, htons(net_port(s->fd)));
	sum = dualstack_peer_get(ys, &req);
	ASSERT_NE(NULL, sum)
		TH_LOG("%s", ys->err.msg);
	EXPECT_EQ(!!count, sum->entries);
	EXPECT_EQ(count, sum->count);
	dualstack_peer_get_rsp_free(sum);

	list = dualstack_peer_get_dump(ys);
	ASSERT_NE(NULL, list)
		TH_LOG("%s", ys->err.msg);
	ynl_dump_foreach(list, e) {
		if (e->direction != DUALSTACK_PEER_DIRECTION_REFUSED)
			continue;
		n++;
		EXPECT_EQ(net_protocol(s->fd), e->protocol);
		EXPECT_EQ(net_port(s->fd), ntohs(e->local_port));
		EXPECT_EQ(count, e->count);
		ASSERT_NE(NULL, e->addr);
		EXPECT_EQ(0, memcmp(e->addr, &s->rejected.in.sin_addr, 4));
		EXPECT_TRUE(!!e->_present.first_age && !!e->_present.last_age);
		EXPECT_EQ(NULL, e->comm);
		EXPECT_FALSE(e->_present.uid || e->_present.port);
	}
	EXPECT_EQ(!!count, n);
	dualstack_peer_get_rsp_list_free(list);
}

TEST_F_TIMEOUT(ynl_ops, peer_get, TEST_TIMEOUT)
{
	struct dualstack_reset_req reset = { };

	expect_refused(_metadata, self->ys, &self->v6only, 0);
	refuse(_metadata, variant->type, &self->v6only);
	refuse(_metadata, variant->type, &self->v6only);
	expect_refused(_metadata, self->ys, &self->v6only, 2);
	dualstack_reset_req_set_peers(&reset);
	EXPECT_EQ(0, dualstack_reset(self->ys, &reset));
	expect_refused(_metadata, self->ys, &self->v6only, 0);
	expect_stats(_metadata, self->ys, 0, &self->v6only.seen, 1, 0);
}

TEST_F_TIMEOUT(ynl_ops, rules, TEST_TIMEOUT)
{
	struct dualstack_rule_set_req set_req = { };
	struct dualstack_rule_get_req get_req = { };
	struct dualstack_rule_del_req del_req = { };
	struct dualstack_rule_set_rsp *set;
	struct dualstack_rule_get_rsp *rule;
	struct dualstack_rule_get_list *list;
	int fd;

	dualstack_rule_set_req_set_protocol(&set_req, variant->protocol);
	dualstack_rule_set_req_set_port(&set_req, htons(RULED_PORT));
	dualstack_rule_set_req_set_v6only(&set_req, 1);
	set = dualstack_rule_set(self->ys, &set_req);
	ASSERT_NE(NULL, set);
	EXPECT_FALSE(!!set->_present.was);
	dualstack_rule_set_rsp_free(set);
	set = dualstack_rule_set(self->ys, &set_req);
	ASSERT_NE(NULL, set);
	EXPECT_TRUE(!!set->_present.was);
	EXPECT_EQ(1, set->was);
	dualstack_rule_set_rsp_free(set);

	fd = net_server(variant->type, "::", RULED_PORT, NET_DUAL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, net_v6only(fd));
	close(fd);

	dualstack_rule_get_req_set_protocol(&get_req, variant->protocol);
	dualstack_rule_get_req_set_port(&get_req, htons(RULED_PORT));
	rule = dualstack_rule_get(self->ys, &get_req);
	ASSERT_NE(NULL, rule);
	EXPECT_EQ(variant->protocol, rule->protocol);
	EXPECT_EQ(htons(RULED_PORT), rule->port);
	EXPECT_EQ(1, rule->v6only);
	EXPECT_EQ(1, rule->applied);
	EXPECT_EQ(0, rule->passed_over);
	EXPECT_FALSE(!!rule->_present.holder_cookie);
	dualstack_rule_get_rsp_free(rule);

	list = dualstack_rule_get_dump(self->ys);
	ASSERT_NE(NULL, list);
	ASSERT_FALSE(ynl_dump_empty(list));
	EXPECT_EQ(htons(RULED_PORT), list->obj.port);
	dualstack_rule_get_list_free(list);

	dualstack_rule_del_req_set_protocol(&del_req, variant->protocol);
	dualstack_rule_del_req_set_port(&del_req, htons(RULED_PORT));
	EXPECT_EQ(0, dualstack_rule_del(self->ys, &del_req));
	EXPECT_EQ(-1, dualstack_rule_del(self->ys, &del_req));
	EXPECT_EQ(ENOENT, self->ys->err.code);
}

/* What misses in a request is named as in the spec. */
TEST_F_TIMEOUT(ynl_ops, incomplete, TEST_TIMEOUT)
{
	struct dualstack_socket_get_req socket_req = { };
	struct dualstack_v6only_set_req v6only_req = { };
	struct dualstack_explain_req explain_req = { };
	struct dualstack_hook_get_req hook_req = { };
	struct dualstack_port_get_req port_req = { };

	EXPECT_EQ(NULL, dualstack_socket_get(self->ys, &socket_req));
	expect_said(_metadata, self->ys, EINVAL, "missing attribute: .cookie");
	EXPECT_EQ(NULL, dualstack_hook_get(self->ys, &hook_req));
	expect_said(_metadata, self->ys, EINVAL, "missing attribute: .name");
	EXPECT_EQ(NULL, dualstack_v6only_set(self->ys, &v6only_req));
	expect_said(_metadata, self->ys, EINVAL, "missing attribute: .");
	EXPECT_EQ(NULL, dualstack_explain(self->ys, &explain_req));
	expect_said(_metadata, self->ys, EINVAL, "missing attribute: .");
	EXPECT_EQ(NULL, dualstack_port_get(self->ys, &port_req));
	expect_said(_metadata, self->ys, EINVAL, "missing attribute: .protocol");
	dualstack_port_get_req_set_protocol(&port_req, variant->protocol);
	EXPECT_EQ(NULL, dualstack_port_get(self->ys, &port_req));
	expect_said(_metadata, self->ys, EINVAL, "missing attribute: .port");
}

/* Anybody may read all but peers, which is said, and change nothing. */
TEST_F_TIMEOUT(ynl_ops, unprivileged, TEST_TIMEOUT)
{
	struct dualstack_config_set_req config_req = { };
	struct dualstack_reset_req reset_req = { };
	struct ynl_error err = { };
	struct ynl_sock *ys;

	serve(_metadata, variant->type, &self->dual, "127.0.0.1");
	ASSERT_EQ(0, net_become_nobody());
	ys = ynl_sock_create(&ynl_dualstack_family, &err);
	ASSERT_NE(NULL, ys)
		TH_LOG("%s", err.msg);
	self->dual.mapped.sa.sa_family = AF_UNSPEC;
	expect_socket(_metadata, ys, &self->dual);
	expect_said(_metadata, ys, 0, "needs CAP_NET_ADMIN");
	expect_stats(_metadata, ys, 0, &self->dual.seen, 1, 0);

	dualstack_config_set_req_set_max_sockets(&config_req, 1);
	EXPECT_EQ(-1, dualstack_config_set(ys, &config_req));
	EXPECT_EQ(EPERM, ys->err.code);
	EXPECT_EQ(-1, dualstack_reset(ys, &reset_req));
	EXPECT_EQ(EPERM, ys->err.code);
	EXPECT_EQ(NULL, dualstack_peer_get_dump(ys));
	EXPECT_EQ(EPERM, ys->err.code);
	EXPECT_EQ(-EPERM, set_v6only(ys, self->dual.fd, true, false));
	EXPECT_EQ(0, net_v6only(self->dual.fd));
	EXPECT_EQ(-1, ynl_subscribe(ys, DUALSTACK_MCGRP_EVENTS));
	EXPECT_EQ(EPERM, ys->err.code);
	ynl_sock_destroy(ys);
}

TEST_HARNESS_MAIN
