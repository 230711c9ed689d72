// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is counted for sockets of MPTCP. Such a socket has TCP sockets inside, its
 * subflows, of which the first one does the listening and the connecting. These are
 * counted and have the records: the application's own has none, and another cookie.
 *
 * SYNs with a mapped source are in wire_mapped.
 */
#include <linux/mptcp.h>
#include <net/ethernet.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>

#include "lib/test.h"
#include "lib/net_link.h"
#include "lib/net_wire.h"

#ifndef SOL_MPTCP
#define SOL_MPTCP	284
#endif

#define HOST		"2001:db8:1::1"		/* this end of dummy0 */
#define STRANGER	"2001:db8:1::9"		/* beyond it */
#define PORT		7777			/* of the stranger */

FIXTURE(mptcp)
{
	struct fam ds;
	struct fam_counters seen;
	int fd;
};

FIXTURE_SETUP(mptcp)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	self->fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL | NET_MPTCP);
	if (self->fd == -EPROTONOSUPPORT)
		SKIP(return, TEST_SKIP_MPTCP);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(mptcp)
{
	if (self->fd >= 0)
		close(self->fd);
	fam_close(&self->ds);
}

/* The record of what is inside, and the sums. */
static void expect_seen(struct __test_metadata *_metadata, struct fam *ds,
			const struct fam_counters *seen)
{
	test_expect_only(_metadata, ds, IPPROTO_TCP, seen);
	test_expect_sums(_metadata, ds, seen);
}

/* The server's end of a connection over which something was said. */
static int accept_one(struct __test_metadata *_metadata, int fd, int client,
		      struct fam_counters *seen)
{
	union net_addr peer;
	int conn;
	char c;

	EXPECT_LE(0, client);
	EXPECT_EQ(1, send(client, "x", 1, 0));
	conn = net_accept(fd, &peer);
	EXPECT_LE(0, conn);
	test_saw_accept(seen, &peer);
	EXPECT_EQ(0, net_wait_in(conn, NET_TIMEOUT_MS));
	EXPECT_EQ(1, recv(conn, &c, 1, 0));
	return conn;
}

static void serve(struct __test_metadata *_metadata, int fd, int client,
		  struct fam_counters *seen)
{
	close(accept_one(_metadata, fd, client, seen));
	close(client);
}

TEST_F_TIMEOUT(mptcp, listener, TEST_TIMEOUT)
{
	static const char *const addrs[] = { "127.0.0.1", "::1" };
	in_port_t port = net_port(self->fd);
	int i;

	for (i = 0; i < 2; i++) {
		serve(_metadata, self->fd,
		      net_client(SOCK_STREAM, addrs[i], port, NULL),
		      &self->seen);
		serve(_metadata, self->fd, net_client_mptcp(addrs[i], port),
		      &self->seen);
	}
	EXPECT_EQ(2, self->seen.v[DUALSTACK_A_COUNTER_MAPPED_ACCEPT]);
	EXPECT_EQ(2, self->seen.v[DUALSTACK_A_COUNTER_NATIVE_ACCEPT]);
	test_expect_none(_metadata, &self->ds, self->fd);
	expect_seen(_metadata, &self->ds, &self->seen);
}

TEST_F_TIMEOUT(mptcp, listener_v6only, TEST_TIMEOUT)
{
	int fd;

	fd = net_server(SOCK_STREAM, "::", 0, NET_V6ONLY | NET_MPTCP);
	ASSERT_LE(0, fd);
	self->seen.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY] +=
		net_refused(SOCK_STREAM, "127.0.0.1", net_port(fd), NULL);
	EXPECT_EQ(-ECONNREFUSED, net_client_mptcp("127.0.0.1", net_port(fd)));
	self->seen.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
	expect_seen(_metadata, &self->ds, &self->seen);
	close(fd);
}

/* Both ends are AF_INET; so are the subflows that do the work. */
TEST_F_TIMEOUT(mptcp, ipv4, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int fd, client, n;

	fd = net_server(SOCK_STREAM, "0.0.0.0", 0, NET_MPTCP);
	ASSERT_LE(0, fd);
	for (n = 0; n < 3; n++) {
		client = net_client_mptcp("127.0.0.1", net_port(fd));
		serve(_metadata, fd, client, &seen);
		seen.v[DUALSTACK_A_COUNTER_V4_CONNECT]++;
	}
	EXPECT_EQ(n, seen.v[DUALSTACK_A_COUNTER_V4_ACCEPT]);
	test_expect_none(_metadata, &self->ds, fd);
	test_expect_all_sums(_metadata, &self->ds, &seen);
	close(fd);
}

TEST_F_TIMEOUT(mptcp, client, TEST_TIMEOUT)
{
	struct fam_counters served = { };
	int server, client;
	union net_addr to;

	server = net_server(SOCK_STREAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, server);
	net_addr_set(&to, "::ffff:127.0.0.1", net_port(server));
	client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	ASSERT_LE(0, client);
	ASSERT_EQ(0, connect(client, &to.sa, sizeof(to.in6)));
	self->seen.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
	close(accept_one(_metadata, server, client, &served));
	test_expect_socket(_metadata, &self->ds, server, &served);
	test_expect_none(_metadata, &self->ds, client);
	fam_counters_add(&self->seen, &served);
	test_expect_all_sums(_metadata, &self->ds, &self->seen);
	close(client);
	close(server);
}

static int bind_to(int fd, const char *text)
{
	union net_addr addr;

	net_addr_set(&addr, text, 0);
	return bind(fd, &addr.sa, sizeof(addr.in6)) ? -errno : 0;
}

/* bind() is that of the subflow, and there is one before that succeeds. */
TEST_F_TIMEOUT(mptcp, bind, TEST_TIMEOUT)
{
	int i, fd, one = 1;

	/* As it shall be, and without a count. */
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bind_to(fd, "::ffff:127.0.0.1"));
	close(fd);
	EXPECT_EQ(0, fam_socket_count(&self->ds));

	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				sizeof(one)));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(-EINVAL, bind_to(fd, "::ffff:127.0.0.1"));
		self->seen.v[DUALSTACK_A_COUNTER_REJECT_BIND]++;
		expect_seen(_metadata, &self->ds, &self->seen);
	}
	test_expect_none(_metadata, &self->ds, fd);
	ASSERT_EQ(0, bind_to(fd, "::1"));
	/* This is EINVAL because it has an address already. */
	EXPECT_EQ(-EINVAL, bind_to(fd, "::ffff:127.0.0.1"));
	expect_seen(_metadata, &self->ds, &self->seen);
	close(fd);
}

/* The same where nobody asked for the option but the sysctl. */
TEST_F_TIMEOUT(mptcp, bind_by_sysctl, TEST_TIMEOUT)
{
	int fd;

	ASSERT_EQ(0, net_sysctl("ipv6/bindv6only", 1));
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	ASSERT_LE(0, fd);
	ASSERT_EQ(-EINVAL, bind_to(fd, "::ffff:127.0.0.1"));
	self->seen.v[DUALSTACK_A_COUNTER_REJECT_BIND]++;
	expect_seen(_metadata, &self->ds, &self->seen);
	close(fd);
}

/* Have clients make another subflow, from that address. */
static int add_endpoint(const struct fam *ds, const char *text)
{
	struct fam pm = *ds;
	struct in_addr addr;
	struct nl_msg *msg;
	struct nlattr *nest;

	inet_pton(AF_INET, text, &addr);
	pm.family = genl_ctrl_resolve(pm.sk, MPTCP_PM_NAME);
	if (pm.family < 0)
		return -ENOENT;
	msg = fam_msg(&pm, MPTCP_PM_CMD_ADD_ADDR, 0);
	if (!msg)
		return -ENOMEM;
	nest = nla_nest_start(msg, MPTCP_PM_ATTR_ADDR | NLA_F_NESTED);
	nla_put_u16(msg, MPTCP_PM_ADDR_ATTR_FAMILY, AF_INET);
	nla_put(msg, MPTCP_PM_ADDR_ATTR_ADDR4, sizeof(addr), &addr);
	nla_put_u32(msg, MPTCP_PM_ADDR_ATTR_FLAGS,
		    MPTCP_PM_ADDR_FLAG_SUBFLOW);
	nla_nest_end(msg, nest);
	return fam_talk(&pm, msg, NULL, NULL);
}

static __u64 accepted(struct fam *ds)
{
	struct fam_stats stats = { };

	fam_stats_get(ds, IPPROTO_TCP, &stats);
	return stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_ACCEPT];
}

/* A subflow that joins a connection is a TCP connection to the listener, too. */
TEST_F_TIMEOUT(mptcp, join, TEST_TIMEOUT)
{
	int client, conn;

	ASSERT_EQ(0, add_endpoint(&self->ds, NET_ADDR4));
	client = net_client_mptcp("127.0.0.1", net_port(self->fd));
	ASSERT_LE(0, client);
	conn = accept_one(_metadata, self->fd, client, &self->seen);
	/* It is the kernel that tells of the other one. */
	ASSERT_TRUE(net_wait_for(net_netstat("MPTcpExt", "MPJoinAckRx") == 1,
				 NET_TIMEOUT_MS));
	self->seen.v[DUALSTACK_A_COUNTER_MAPPED_ACCEPT]++;
	EXPECT_TRUE(net_wait_for(accepted(&self->ds) == 2, NET_TIMEOUT_MS));
	expect_seen(_metadata, &self->ds, &self->seen);
	close(client);
	close(conn);
}

/* A connection, and somebody elsewhere who knows of it. */
FIXTURE(stranger)
{
	struct fam ds;
	struct fam_counters seen;
	struct net_packet p;
	int fd;
	int client;
	int conn;
	int link;
};

FIXTURE_VARIANT(stranger)
{
	int cookies;
};

FIXTURE_VARIANT_ADD(stranger, request) { .cookies = 1, };
FIXTURE_VARIANT_ADD(stranger, cookie) { .cookies = 2, };

FIXTURE_SETUP(stranger)
{
	union net_addr src, dst;

	if (!test_setup(_metadata, &self->ds))
		return;
	self->fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL | NET_MPTCP);
	if (self->fd == -EPROTONOSUPPORT)
		SKIP(return, TEST_SKIP_MPTCP);
	ASSERT_LE(0, self->fd);
	self->client = net_client_mptcp("::1", net_port(self->fd));
	self->conn = accept_one(_metadata, self->fd, self->client, &self->seen);

	ASSERT_EQ(0, net_sysctl("ipv4/tcp_syncookies", variant->cookies));
	ASSERT_EQ(0, net_link_dummy("dummy0"));
	ASSERT_EQ(0, net_link_addr("dummy0", HOST, 64));
	self->link = net_packet_open("dummy0");
	ASSERT_LE(0, self->link);
	net_addr_set(&src, STRANGER, PORT);
	net_addr_set(&dst, HOST, net_port(self->fd));
	net_packet_set(&self->p, SOCK_STREAM, &src, &dst);
}

FIXTURE_TEARDOWN(stranger)
{
	if (self->fd >= 0) {
		close(self->link);
		close(self->conn);
		close(self->client);
		close(self->fd);
	}
	fam_close(&self->ds);
}

/* The next segment that the stranger is sent. */
static int receive(int link, struct tcphdr *tcp)
{
	struct {
		struct ether_header eth;
		struct ip6_hdr ip6;
		struct tcphdr tcp;
	} __attribute__((packed)) f;
	int err;

	do {
		err = net_wait_in(link, NET_TIMEOUT_MS);
		if (err)
			return err;
	} while (recv(link, &f, sizeof(f), 0) < (ssize_t)sizeof(f) ||
		 f.ip6.ip6_nxt != IPPROTO_TCP ||
		 f.tcp.dest != htons(PORT));
	*tcp = f.tcp;
	return 0;
}

/* What a peer has to say to join this connection. */
static __u32 token(int conn)
{
	struct mptcp_info info = { };
	socklen_t len = sizeof(info);

	getsockopt(conn, SOL_MPTCP, MPTCP_INFO, &info, &len);
	return info.mptcpi_token;
}

/*
 * Who knows the token but not the keys gets as far as the last segment of the
 * handshake. The kernel makes a connection for that, and resets it.
 */
TEST_F_TIMEOUT(stranger, join_refused, TEST_TIMEOUT)
{
	unsigned char syn[12] = { 30, sizeof(syn), 1 << 4, 7 };
	unsigned char ack[24] = { 30, sizeof(ack), 1 << 4 };
	__u32 be_token = htonl(token(self->conn));
	const __u32 seq = 1000;
	struct tcphdr answer;

	memcpy(syn + 4, &be_token, sizeof(be_token));
	net_packet_segment(&self->p, TH_SYN, seq, 0, syn, sizeof(syn));
	ASSERT_EQ(0, net_packet_send(&self->p));
	ASSERT_EQ(0, receive(self->link, &answer));
	ASSERT_EQ(TH_SYN | TH_ACK, answer.th_flags);
	EXPECT_EQ(seq + 1, ntohl(answer.ack_seq));

	net_packet_segment(&self->p, TH_ACK, seq + 1, ntohl(answer.seq) + 1,
			   ack, sizeof(ack));
	ASSERT_EQ(0, net_packet_send(&self->p));
	ASSERT_EQ(0, receive(self->link, &answer));
	EXPECT_TRUE(answer.th_flags & TH_RST);
	EXPECT_EQ(1, net_netstat("MPTcpExt", "MPJoinAckHMacFailure"));
	if (variant->cookies == 2)
		EXPECT_EQ(1, net_tcpext("SyncookiesRecv"));

	/* The application has seen nothing of it. */
	EXPECT_EQ(-ETIMEDOUT, net_wait_in(self->fd, 100));
	expect_seen(_metadata, &self->ds, &self->seen);

	serve(_metadata, self->fd,
	      net_client_mptcp("::1", net_port(self->fd)), &self->seen);
	EXPECT_EQ(2, self->seen.v[DUALSTACK_A_COUNTER_NATIVE_ACCEPT]);
	expect_seen(_metadata, &self->ds, &self->seen);
}

TEST_HARNESS_MAIN
