// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sums of a namespace and the records they are made of: sums outlive
 * sockets, records do not.
 */
#include "lib/test.h"

#define SOCKETS	5
#define EVENTS	6

FIXTURE(stats)
{
	struct fam ds;
	struct fam_counters sums;
};

FIXTURE_SETUP(stats)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
}

FIXTURE_TEARDOWN(stats)
{
	fam_close(&self->ds);
}

/* Connections or datagrams of both families to a dual socket. */
static void traffic(struct __test_metadata *_metadata, int type, int fd,
		    struct fam_counters *seen, struct fam_counters *sums)
{
	union net_addr src = { };
	socklen_t len;
	int i, client, conn;
	char c;

	for (i = 0; i < EVENTS; i++) {
		const char *addr = i % 3 ? "127.0.0.1" : "::1";
		struct fam_counters one = { };

		if (type == SOCK_STREAM) {
			client = net_client(type, addr, net_port(fd), NULL);
			ASSERT_LE(0, client);
			conn = net_accept(fd, &src);
			ASSERT_LE(0, conn);
			net_close_reset(client);
			close(conn);
			test_saw_accept(&one, &src);
		} else {
			ASSERT_EQ(0, net_send_to(addr, net_port(fd), "x", 1));
			ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
			len = sizeof(src);
			ASSERT_EQ(1, recvfrom(fd, &c, 1, 0, &src.sa, &len));
			test_saw_recv(&one, &src);
		}
		fam_counters_add(seen, &one);
		fam_counters_add(sums, &one);
	}
}

static bool record_gone(struct fam *ds, __u64 cookie)
{
	struct fam_socket s;

	return fam_socket_get(ds, cookie, &s) == -ENOENT;
}

static __u64 tracked(struct fam *ds, int protocol)
{
	struct fam_stats stats;

	return fam_stats_get(ds, protocol, &stats) ? ~0ULL : stats.tracked;
}

/* A new namespace starts from nothing, with every counter there. */
TEST_F_TIMEOUT(stats, empty, TEST_TIMEOUT)
{
	test_expect_sums(_metadata, &self->ds, &self->sums);
	EXPECT_EQ(0, tracked(&self->ds, 0));
	EXPECT_EQ(0, fam_socket_count(&self->ds));
}

TEST_F_TIMEOUT(stats, outlive_sockets, TEST_TIMEOUT)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	struct fam_counters seen[SOCKETS] = { };
	__u64 cookie[SOCKETS];
	int fd[SOCKETS], i;

	for (i = 0; i < SOCKETS; i++) {
		fd[i] = net_server(types[i % 2], "::", 0, NET_DUAL);
		ASSERT_LE(0, fd[i]);
		cookie[i] = net_cookie(fd[i]);
		traffic(_metadata, types[i % 2], fd[i], &seen[i], &self->sums);
		test_expect_socket(_metadata, &self->ds, fd[i], &seen[i]);
		EXPECT_EQ(i + 1, tracked(&self->ds, 0));
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);
	EXPECT_EQ(SOCKETS, fam_socket_count(&self->ds));

	for (i = 0; i < SOCKETS; i++) {
		close(fd[i]);
		/* At no moment is an event counted twice, or not at all. */
		test_expect_sums(_metadata, &self->ds, &self->sums);
		EXPECT_TRUE(net_wait_for(record_gone(&self->ds, cookie[i]),
					 NET_TIMEOUT_MS));
		test_expect_sums(_metadata, &self->ds, &self->sums);
		EXPECT_EQ(SOCKETS - i - 1, tracked(&self->ds, 0));
	}
	EXPECT_EQ(0, fam_socket_count(&self->ds));
}

/* While sockets come and go, sums never fall. */
TEST_F_TIMEOUT(stats, never_fall, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int i, fd;

	for (i = 0; i < 10; i++) {
		fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
		ASSERT_LE(0, fd);
		traffic(_metadata, SOCK_DGRAM, fd, &seen, &self->sums);
		close(fd);
		test_expect_sums(_metadata, &self->ds, &self->sums);
	}
	EXPECT_TRUE(net_wait_for(!tracked(&self->ds, 0), NET_TIMEOUT_MS));
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* Refusals live on as well, and the record of a V6ONLY socket ends. */
TEST_F_TIMEOUT(stats, refusals, TEST_TIMEOUT)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	__u64 cookie;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fd = net_server(types[i], "::", 0, NET_V6ONLY);
		ASSERT_LE(0, fd);
		cookie = net_cookie(fd);
		ASSERT_EQ(1, net_refused(types[i], "127.0.0.1", net_port(fd),
					 NULL));
		self->sums.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
		EXPECT_FALSE(record_gone(&self->ds, cookie));
		close(fd);
		EXPECT_TRUE(net_wait_for(record_gone(&self->ds, cookie),
					 NET_TIMEOUT_MS));
		test_expect_sums(_metadata, &self->ds, &self->sums);
	}
}

/* A record stays as long as somebody holds the socket. */
TEST_F_TIMEOUT(stats, shared_socket, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	__u64 cookie;
	int fd, copy;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	cookie = net_cookie(fd);
	traffic(_metadata, SOCK_DGRAM, fd, &seen, &self->sums);
	copy = dup(fd);
	ASSERT_LE(0, copy);
	close(fd);
	test_expect_socket(_metadata, &self->ds, copy, &seen);
	traffic(_metadata, SOCK_DGRAM, copy, &seen, &self->sums);
	test_expect_socket(_metadata, &self->ds, copy, &seen);
	close(copy);
	EXPECT_TRUE(net_wait_for(record_gone(&self->ds, cookie),
				 NET_TIMEOUT_MS));
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/*
 * A new socket on the same port starts at zero. Its memory is often that of
 * the old one: nothing of the old record must show.
 */
TEST_F_TIMEOUT(stats, same_port_again, TEST_TIMEOUT)
{
	struct fam_counters seen;
	in_port_t port = 0;
	__u64 cookie;
	struct fam_socket s;
	int i, fd;

	for (i = 0; i < 5; i++) {
		fd = net_server(SOCK_DGRAM, "::", port, NET_DUAL);
		ASSERT_LE(0, fd);
		port = net_port(fd);
		cookie = net_cookie(fd);
		test_expect_none(_metadata, &self->ds, fd);

		memset(&seen, 0, sizeof(seen));
		traffic(_metadata, SOCK_DGRAM, fd, &seen, &self->sums);
		test_expect_socket(_metadata, &self->ds, fd, &seen);
		close(fd);
		/* Waiting in every other round only: reuse may come early. */
		if (i % 2) {
			EXPECT_TRUE(net_wait_for(record_gone(&self->ds, cookie),
						 NET_TIMEOUT_MS));
		}
	}
	EXPECT_TRUE(net_wait_for(fam_socket_get(&self->ds, cookie, &s) ==
				 -ENOENT, NET_TIMEOUT_MS));
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* Sums of one protocol hold nothing of the other. */
TEST_F_TIMEOUT(stats, by_protocol, TEST_TIMEOUT)
{
	struct fam_counters tcp = { }, udp = { };
	struct fam_stats stats;
	int fd_tcp, fd_udp;

	fd_tcp = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	fd_udp = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd_tcp);
	ASSERT_LE(0, fd_udp);
	traffic(_metadata, SOCK_STREAM, fd_tcp, &tcp, &self->sums);
	traffic(_metadata, SOCK_DGRAM, fd_udp, &udp, &self->sums);

	ASSERT_EQ(0, fam_stats_get(&self->ds, IPPROTO_TCP, &stats));
	tcp = test_with_clients(&tcp, &stats.counters);
	test_expect_counters(_metadata, "tcp", &tcp, &stats.counters,
			     0, IPPROTO_TCP);
	EXPECT_EQ(1, stats.tracked);
	ASSERT_EQ(0, fam_stats_get(&self->ds, IPPROTO_UDP, &stats));
	test_expect_counters(_metadata, "udp", &udp, &stats.counters,
			     0, IPPROTO_UDP);
	EXPECT_EQ(1, stats.tracked);
	EXPECT_EQ(2, tracked(&self->ds, 0));
	close(fd_udp);
	close(fd_tcp);
}

TEST_HARNESS_MAIN
