// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every hook is in the kernel and is really called: its hits are those of
 * the traffic made here.
 */
#include "lib/test.h"
#include "lib/net_wire.h"
#include "lib/rules.h"

#define ROUNDS		5
#define RULED_PORT	7100

FIXTURE(hooks)
{
	struct fam ds;
};

FIXTURE_SETUP(hooks)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
}

FIXTURE_TEARDOWN(hooks)
{
	fam_close(&self->ds);
}

struct hook_list {
	struct fam_hook hook[32];
	size_t n;
};

static int hook_append(const struct fam_hook *h, void *arg)
{
	struct hook_list *list = arg;

	if (list->n == ARRAY_SIZE(list->hook))
		return -E2BIG;
	list->hook[list->n++] = *h;
	return 0;
}

static __u64 hits(struct __test_metadata *_metadata, struct fam *ds,
		  const char *name)
{
	struct fam_hook h;

	EXPECT_EQ(0, fam_hook_get(ds, name, &h))
		TH_LOG("%s: %s", name, ds->extack);
	return h.hits;
}

/* What a fresh namespace shows: all hooks, attached, without hits. */
TEST_F_TIMEOUT(hooks, listed, TEST_TIMEOUT)
{
	struct hook_list list = { };
	struct fam_hook h;
	size_t i, k;

	ASSERT_EQ(0, fam_hook_dump(&self->ds, hook_append, &list));
	EXPECT_LE(4, list.n);
	for (i = 0; i < list.n; i++) {
		TH_LOG("%s: %s", list.hook[i].name, list.hook[i].purpose);
		EXPECT_NE('\0', list.hook[i].name[0]);
		EXPECT_NE('\0', list.hook[i].purpose[0]);
		EXPECT_TRUE(list.hook[i].attached);
		EXPECT_EQ(0, list.hook[i].hits);
		EXPECT_GE(DUALSTACK_HOOK_KIND_DIRECT, list.hook[i].kind);

		/* One by its name is the same as in the list. */
		EXPECT_EQ(0, fam_hook_get(&self->ds, list.hook[i].name, &h));
		EXPECT_STREQ(list.hook[i].name, h.name);
		EXPECT_STREQ(list.hook[i].purpose, h.purpose);
		EXPECT_EQ(list.hook[i].kind, h.kind);
		EXPECT_EQ(list.hook[i].attached, h.attached);

		for (k = 0; k < i; k++) {
			EXPECT_STRNE(list.hook[i].name, list.hook[k].name)
				TH_LOG("listed twice");
		}
	}
}

TEST_F_TIMEOUT(hooks, unknown_name, TEST_TIMEOUT)
{
	struct fam_hook h;

	EXPECT_EQ(-ENOENT, fam_hook_get(&self->ds, "no_such_hook", &h));
	EXPECT_STRNE("", self->ds.extack);
}

/* One kind of traffic moves the hits of one hook, by what it made. */
TEST_F_TIMEOUT(hooks, accept, TEST_TIMEOUT)
{
	int i, fd, client, conn, accepted = 0;

	fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	for (i = 0; i < ROUNDS; i++) {
		client = net_client(SOCK_STREAM, i % 2 ? "::1" : "127.0.0.1",
				    net_port(fd), NULL);
		ASSERT_LE(0, client);
		conn = net_accept(fd, NULL);
		ASSERT_LE(0, conn);
		accepted++;
		net_close_reset(client);
		close(conn);
	}
	EXPECT_EQ(accepted, hits(_metadata, &self->ds,
				 "tcp_child_process"));
	EXPECT_EQ(0, hits(_metadata, &self->ds, "skb_consume_udp"));
	EXPECT_EQ(0, hits(_metadata, &self->ds, "kfree_skb"));
	close(fd);
}

TEST_F_TIMEOUT(hooks, recv, TEST_TIMEOUT)
{
	int i, fd, received = 0;
	char c;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, net_send_to(i % 2 ? "::1" : "127.0.0.1",
					 net_port(fd), "x", 1));
		ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
		received += recv(fd, &c, 1, 0);
	}
	EXPECT_EQ(received, hits(_metadata, &self->ds, "skb_consume_udp"));
	EXPECT_EQ(0, hits(_metadata, &self->ds, "tcp_child_process"));
	EXPECT_EQ(0, hits(_metadata, &self->ds, "kfree_skb"));
	close(fd);
}

/* The tracepoint looks up every IPv4 refusal, whoever is to blame. */
TEST_F_TIMEOUT(hooks, refusal, TEST_TIMEOUT)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	int i, fd, refused = 0;
	in_port_t port;

	for (i = 0; i < 2 * ROUNDS; i++) {
		fd = net_server(types[i % 2], "::", 0, NET_V6ONLY);
		ASSERT_LE(0, fd);
		port = net_port(fd);
		refused += net_refused(types[i % 2], "127.0.0.1", port, NULL);
		close(fd);
		refused += net_refused(types[i % 2], "127.0.0.1", port, NULL);
	}
	EXPECT_EQ(4 * ROUNDS, refused);
	EXPECT_EQ(refused, hits(_metadata, &self->ds, "kfree_skb"));
	EXPECT_EQ(0, hits(_metadata, &self->ds, "skb_consume_udp"));
	EXPECT_EQ(0, hits(_metadata, &self->ds, "tcp_child_process"));
}

/* The end of a socket ends a record, if there was one. */
TEST_F_TIMEOUT(hooks, destruct, TEST_TIMEOUT)
{
	int i, fd, ended = 0;
	char c;

	for (i = 0; i < 2 * ROUNDS; i++) {
		fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
		ASSERT_LE(0, fd);
		if (i % 2) {
			ASSERT_EQ(0, net_send_to("127.0.0.1", net_port(fd),
						 "x", 1));
			ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
			ASSERT_EQ(1, recv(fd, &c, 1, 0));
			ended++;
		}
		close(fd);
	}
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&self->ds), NET_TIMEOUT_MS));
	EXPECT_EQ(ended, hits(_metadata, &self->ds, "inet_sock_destruct"));
}

/* A socket that may not have a mapped address asks for one; 0 or -errno. */
static int bind_refused(int type, int protocol)
{
	int fd, err = 0, one = 1;
	union net_addr to;

	fd = socket(AF_INET6, type | SOCK_CLOEXEC, protocol);
	if (fd < 0)
		return -errno;
	net_addr_set(&to, "::ffff:127.0.0.1", 0);
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) ||
	    bind(fd, &to.sa, sizeof(to.in6)))
		err = -errno;
	close(fd);
	return err;
}

/* An AF_INET6 client of a mapped address, and one that is refused it. */
static void go_outbound(struct __test_metadata *_metadata, int type)
{
	union net_addr to;
	int fd;

	net_addr_set(&to, "::ffff:127.0.0.1", 9);
	fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(type == SOCK_STREAM ? -1 : 0,
		  connect(fd, &to.sa, sizeof(to.in6)));
	if (type == SOCK_DGRAM)
		EXPECT_EQ(1, send(fd, "x", 1, 0));
	close(fd);
	EXPECT_EQ(-EINVAL, bind_refused(type, 0));
}

/* A SYN with a source that no IPv6 host has. */
static void spoof_syn(struct __test_metadata *_metadata, struct fam *ds,
		      int fd, const char *hook)
{
	__u64 before = hits(_metadata, ds, hook);
	union net_addr src, dst;
	struct net_packet p;

	net_addr_set(&src, "::ffff:192.0.2.9", 9);
	net_addr_set(&dst, "::1", net_port(fd));
	net_packet_set(&p, SOCK_STREAM, &src, &dst);
	ASSERT_EQ(0, net_packet_send(&p));
	/* On a busy processor it may arrive after this has returned. */
	EXPECT_TRUE(net_wait_for(hits(_metadata, ds, hook) > before,
				 NET_TIMEOUT_MS));
}

/* MPTCP has some functions of its own, where others pass by. */
TEST_F_TIMEOUT(hooks, mptcp, TEST_TIMEOUT)
{
	const char *bind_hook = "inet6_bind_sk";
	struct fam_hook h;
	int fd, i;

	fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL | NET_MPTCP);
	if (fd == -EPROTONOSUPPORT)
		SKIP(return, TEST_SKIP_MPTCP);
	ASSERT_LE(0, fd);
	/* Earlier kernels bind MPTCP's sockets as others. */
	if (fam_hook_get(&self->ds, bind_hook, &h) == -ENOENT)
		bind_hook = "inet6_bind";

	for (i = 0; i < ROUNDS; i++) {
		spoof_syn(_metadata, &self->ds, fd, "subflow_v6_conn_request");
		EXPECT_EQ(-EINVAL, bind_refused(SOCK_STREAM, IPPROTO_MPTCP));
	}
	EXPECT_EQ(ROUNDS, hits(_metadata, &self->ds,
			       "subflow_v6_conn_request"));
	EXPECT_EQ(0, hits(_metadata, &self->ds, "tcp_v6_conn_request"));
	EXPECT_EQ(ROUNDS, hits(_metadata, &self->ds, bind_hook));
	close(fd);

	fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	spoof_syn(_metadata, &self->ds, fd, "tcp_v6_conn_request");
	EXPECT_EQ(-EINVAL, bind_refused(SOCK_STREAM, 0));
	EXPECT_EQ(-EINVAL, bind_refused(SOCK_DGRAM, 0));
	EXPECT_EQ(ROUNDS, hits(_metadata, &self->ds,
			       "subflow_v6_conn_request"));
	EXPECT_EQ(1, hits(_metadata, &self->ds, "tcp_v6_conn_request"));
	if (strcmp(bind_hook, "inet6_bind")) {
		EXPECT_EQ(ROUNDS, hits(_metadata, &self->ds, bind_hook));
		EXPECT_EQ(2, hits(_metadata, &self->ds, "inet6_bind"));
	} else {
		EXPECT_EQ(ROUNDS + 2, hits(_metadata, &self->ds, bind_hook));
	}
	close(fd);
}

/* The first connection fetches the cookie, the second is made with it. */
static void go_fastopen(struct __test_metadata *_metadata)
{
	int i, fd, client, conn;
	char c;

	ASSERT_EQ(0, net_sysctl("ipv4/tcp_fastopen", 3));
	fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL | NET_FASTOPEN);
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++) {
		client = net_client_fastopen("127.0.0.1", net_port(fd), "x", 1);
		ASSERT_LE(0, client);
		conn = net_accept(fd, NULL);
		ASSERT_LE(0, conn);
		ASSERT_EQ(0, net_wait_in(conn, NET_TIMEOUT_MS));
		ASSERT_EQ(1, recv(conn, &c, 1, 0));
		close(client);
		close(conn);
	}
	close(fd);
}

/* A rule that decides, and an IPv4 socket that wants the port back. */
static void go_ruled(struct __test_metadata *_metadata, struct fam *ds, int type)
{
	int protocol = net_protocol_of(type);
	int fd, fd4;

	ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, protocol, RULED_PORT, 0));
	fd = net_server(type, "::", RULED_PORT, NET_V6ONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, net_v6only(fd));
	fd4 = net_server(type, "127.0.0.1", RULED_PORT, 0);
	ASSERT_LE(0, fd4);
	EXPECT_EQ(1, net_v6only(fd));
	close(fd4);
	close(fd);
}

/* With traffic of all kinds no hook is idle, those of tomorrow included. */
TEST_F_TIMEOUT(hooks, all_fire, TEST_TIMEOUT)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	struct hook_list list = { };
	int t, fd, client;
	char c;
	size_t i;

	for (t = 0; t < 2; t++) {
		fd = net_server(types[t], "::", 0, NET_V6ONLY);
		ASSERT_LE(0, fd);
		EXPECT_EQ(1, net_refused(types[t], "127.0.0.1", net_port(fd),
					 NULL));
		client = net_client(types[t], "::1", net_port(fd), NULL);
		ASSERT_LE(0, client);
		if (types[t] == SOCK_DGRAM) {
			ASSERT_EQ(1, send(client, "x", 1, 0));
			ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
			ASSERT_EQ(1, recv(fd, &c, 1, 0));
		} else {
			spoof_syn(_metadata, &self->ds, fd,
				  "tcp_v6_conn_request");
		}
		close(client);
		close(fd);
		go_outbound(_metadata, types[t]);
		go_ruled(_metadata, &self->ds, types[t]);
	}
	go_fastopen(_metadata);
	/* Where there is no MPTCP, it has no hooks. */
	fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL | NET_MPTCP);
	if (fd != -EPROTONOSUPPORT) {
		ASSERT_LE(0, fd);
		spoof_syn(_metadata, &self->ds, fd, "subflow_v6_conn_request");
		EXPECT_EQ(-EINVAL, bind_refused(SOCK_STREAM, IPPROTO_MPTCP));
		close(fd);
	}
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&self->ds), NET_TIMEOUT_MS));

	ASSERT_EQ(0, fam_hook_dump(&self->ds, hook_append, &list));
	for (i = 0; i < list.n; i++) {
		EXPECT_TRUE(list.hook[i].attached)
			TH_LOG("%s", list.hook[i].name);
		EXPECT_LT(0, list.hook[i].hits)
			TH_LOG("%s never fired", list.hook[i].name);
	}
}

TEST_HARNESS_MAIN
