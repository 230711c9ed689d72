// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last mapped and the last rejected peer of a socket, against
 * getsockname() of the client, and their age.
 */
#include <time.h>

#include "lib/test.h"

#define ROUNDS	5

/* Ages are told in jiffies, of 10 ms at most, rounded either way. */
#define AGE_SLACK_MS	20

FIXTURE(last_peer)
{
	struct fam ds;
};

FIXTURE_VARIANT(last_peer)
{
	int type;
};

FIXTURE_VARIANT_ADD(last_peer, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(last_peer, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(last_peer)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
}

FIXTURE_TEARDOWN(last_peer)
{
	fam_close(&self->ds);
}

/* One client, served; its address goes to @client. */
static void serve(struct __test_metadata *_metadata, int type, int server,
		  const char *addr, union net_addr *client)
{
	int fd, conn;
	char c = 'x';

	fd = net_client(type, addr, net_port(server), client);
	ASSERT_LE(0, fd);
	if (type == SOCK_STREAM) {
		conn = net_accept(server, NULL);
		ASSERT_LE(0, conn);
		net_close_reset(fd);
		close(conn);
	} else {
		ASSERT_EQ(1, send(fd, &c, 1, 0));
		ASSERT_EQ(0, net_wait_in(server, NET_TIMEOUT_MS));
		ASSERT_EQ(1, recv(server, &c, 1, 0));
		close(fd);
	}
}

TEST_F_TIMEOUT(last_peer, mapped, TEST_TIMEOUT)
{
	static const char *const addrs[] = { "127.0.0.1", NET_ADDR4 };
	union net_addr client, other;
	struct fam_socket s;
	int fd, i;

	fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);

	/* An IPv6 client is not a mapped peer. */
	serve(_metadata, variant->type, fd, "::1", &other);
	ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd), &s));
	EXPECT_EQ(AF_UNSPEC, s.last_mapped.addr.sa.sa_family);

	for (i = 0; i < ROUNDS; i++) {
		serve(_metadata, variant->type, fd, addrs[i % 2], &client);
		ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd), &s));
		test_expect_peer(_metadata, &client, &s.last_mapped);
		EXPECT_EQ(AF_UNSPEC, s.last_rejected.addr.sa.sa_family);

		/* Nor does it replace one. */
		serve(_metadata, variant->type, fd, NET_ADDR6, &other);
		ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd), &s));
		test_expect_peer(_metadata, &client, &s.last_mapped);
	}
	close(fd);
}

TEST_F_TIMEOUT(last_peer, rejected, TEST_TIMEOUT)
{
	static const char *const addrs[] = { "127.0.0.1", NET_ADDR4 };
	union net_addr client, other;
	struct fam_socket s;
	int fd, i;

	fd = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);

	serve(_metadata, variant->type, fd, "::1", &other);
	ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd), &s));
	EXPECT_EQ(AF_UNSPEC, s.last_rejected.addr.sa.sa_family);

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(1, net_refused(variant->type, addrs[i % 2],
					 net_port(fd), &client));
		ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd), &s));
		test_expect_peer(_metadata, &client, &s.last_rejected);
		EXPECT_EQ(AF_UNSPEC, s.last_mapped.addr.sa.sa_family);

		serve(_metadata, variant->type, fd, "::1", &other);
		ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd), &s));
		test_expect_peer(_metadata, &client, &s.last_rejected);
	}
	close(fd);
}

/* Two sockets do not see each other's peers. */
TEST_F_TIMEOUT(last_peer, several_sockets, TEST_TIMEOUT)
{
	union net_addr client[ROUNDS];
	struct fam_socket s;
	int fd[ROUNDS], i;

	for (i = 0; i < ROUNDS; i++) {
		fd[i] = net_server(variant->type, "::", 0, NET_DUAL);
		ASSERT_LE(0, fd[i]);
		serve(_metadata, variant->type, fd[i], "127.0.0.1",
		      &client[i]);
	}
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd[i]), &s));
		test_expect_peer(_metadata, &client[i], &s.last_mapped);
		close(fd[i]);
	}
}

/* By the clock that moves with jiffies, which is late where the processor is. */
static __u64 now_ms(void)
{
	return net_clock_ms(CLOCK_MONOTONIC_COARSE);
}

static bool mapped_older_than(struct fam *ds, int fd, __u64 ms,
			      struct fam_socket *s)
{
	return !fam_socket_get(ds, net_cookie(fd), s) && s->last_mapped.age > ms;
}

/* The age is the time since the event, and begins anew with the next. */
TEST_F_TIMEOUT(last_peer, age, TEST_TIMEOUT)
{
	__u64 before, after, now;
	union net_addr client;
	struct fam_socket s;
	int fd, i;

	fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);

	for (i = 0; i < 2; i++) {
		before = now_ms();
		serve(_metadata, variant->type, fd, "127.0.0.1", &client);
		after = now_ms();

		ASSERT_TRUE(net_wait_for(mapped_older_than(&self->ds, fd, 100, &s),
					 NET_TIMEOUT_MS));
		now = now_ms();
		EXPECT_LE(100, now - before + AGE_SLACK_MS);
		EXPECT_LE(s.last_mapped.age,
			  now - before + AGE_SLACK_MS);

		/* Asked for between two readings of our clock. */
		after = now_ms() - after;
		ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd), &s));
		EXPECT_LE(after, s.last_mapped.age + AGE_SLACK_MS);
	}
	close(fd);
}

TEST_HARNESS_MAIN
