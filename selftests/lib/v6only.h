/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests that set IPV6_V6ONLY of live sockets: a server of either protocol,
 * and whom it serves.
 */
#ifndef V6ONLY_H
#define V6ONLY_H

#include "test.h"

/* A client at @addr of the server @fd; true if the server served it. */
static inline bool v6only_served(struct __test_metadata *_metadata, int type,
				 const char *addr, int fd,
				 struct fam_counters *seen)
{
	union net_addr src = { };
	socklen_t len = sizeof(src);
	int client, conn;
	char c;

	client = net_client(type, addr, net_port(fd), NULL);
	if (client == -ECONNREFUSED)
		return false;
	EXPECT_LE(0, client);
	if (type == SOCK_STREAM) {
		conn = net_accept(fd, &src);
		EXPECT_LE(0, conn);
		test_saw_accept(seen, &src);
		net_close_reset(client);
		close(conn);
		return true;
	}
	EXPECT_EQ(1, send(client, "x", 1, 0));
	EXPECT_TRUE(net_wait_for(!net_wait_in(fd, 0) || !net_wait_in(client, 0),
				 NET_TIMEOUT_MS));
	if (net_wait_in(fd, 0)) {
		close(client);
		return false;
	}
	EXPECT_EQ(1, recvfrom(fd, &c, 1, 0, &src.sa, &len));
	test_saw_recv(seen, &src);
	close(client);
	return true;
}

FIXTURE(v6only)
{
	struct fam ds;
	struct fam_counters seen;
	int fd;
};

FIXTURE_VARIANT(v6only)
{
	int type;
};

FIXTURE_VARIANT_ADD(v6only, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(v6only, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(v6only)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	/* Every refused datagram is to be answered. */
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratelimit", 0));
	self->fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->fd);
	/*
	 * While it is V6ONLY, IPv4 clients may have just this port given to
	 * them, and are in its way then.
	 */
	ASSERT_EQ(0, net_sysctl("ipv4/ip_local_reserved_ports",
				net_port(self->fd)));
}

FIXTURE_TEARDOWN(v6only)
{
	close(self->fd);
	fam_close(&self->ds);
}

static inline void v6only_expect_dual(struct __test_metadata *_metadata,
				      int type, int fd,
				      struct fam_counters *seen)
{
	EXPECT_EQ(0, net_v6only(fd));
	EXPECT_TRUE(v6only_served(_metadata, type, "127.0.0.1", fd, seen));
	EXPECT_TRUE(v6only_served(_metadata, type, "::1", fd, seen));
}

static inline void v6only_expect_v6only(struct __test_metadata *_metadata,
					int type, int fd,
					struct fam_counters *seen)
{
	EXPECT_EQ(1, net_v6only(fd));
	EXPECT_FALSE(v6only_served(_metadata, type, "127.0.0.1", fd, seen));
	seen->v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
	EXPECT_TRUE(v6only_served(_metadata, type, "::1", fd, seen));
}

/* What TCP alone has. */
FIXTURE(listener)
{
	struct fam ds;
	struct fam_counters seen;
	int fd;
};

FIXTURE_SETUP(listener)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	self->fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(listener)
{
	close(self->fd);
	fam_close(&self->ds);
}

#endif /* V6ONLY_H */
