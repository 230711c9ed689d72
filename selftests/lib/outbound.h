/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of what an application asks for: what it was answered is what has to be
 * counted.
 */
#ifndef OUTBOUND_H
#define OUTBOUND_H

#include "test.h"

/* How often to do the same, which is to count each time. */
#define OUTBOUND_ROUNDS		5
#define OUTBOUND_UNROUTED	"198.51.100.1"
/* Too short for an IPv6 address. */
#define OUTBOUND_SHORT_LEN	(offsetof(struct sockaddr_in6, sin6_scope_id) - 1)

/**
 * struct outbound - a socket that asks, and a server that takes all of IPv4
 * @ds: the family
 * @seen: what the socket was answered
 * @seen4: what the server saw
 * @others: what sockets that are closed by now saw
 * @server4: the server
 * @fd: the socket
 * @family: its family
 */
struct outbound {
	struct fam ds;
	struct fam_counters seen;
	struct fam_counters seen4;
	struct fam_counters others;
	int server4;
	int fd;
	int family;
};

static inline bool outbound_setup(struct __test_metadata *_metadata,
				  struct outbound *o, int family, int type)
{
	if (!test_setup(_metadata, &o->ds))
		return false;
	ASSERT_EQ(0, net_sysctl("ipv4/tcp_fastopen", 3));
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	o->server4 = net_server(type, "0.0.0.0", 0, NET_FASTOPEN);
	ASSERT_LE(0, o->server4);
	o->family = family;
	o->fd = socket(family, type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, o->fd);
	return true;
}

static inline void outbound_teardown(struct outbound *o)
{
	close(o->fd);
	close(o->server4);
	fam_close(&o->ds);
}

static inline void outbound_expect(struct __test_metadata *_metadata,
				   struct outbound *o)
{
	struct fam_counters sums = o->seen;

	fam_counters_add(&sums, &o->seen4);
	fam_counters_add(&sums, &o->others);
	test_expect_socket(_metadata, &o->ds, o->fd, &o->seen);
	test_expect_socket(_metadata, &o->ds, o->server4, &o->seen4);
	test_expect_all_sums(_metadata, &o->ds, &sums);
}

/* Another socket that asks. */
static inline void outbound_again(struct __test_metadata *_metadata,
				  struct outbound *o, int type)
{
	close(o->fd);
	fam_counters_add(&o->others, &o->seen);
	memset(&o->seen, 0, sizeof(o->seen));
	o->fd = socket(o->family, type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, o->fd);
}

/* A mapped address as the socket takes it: an AF_INET one without the prefix. */
static inline const char *outbound_to(const struct outbound *o,
				      const char *mapped)
{
	return o->family == AF_INET ? strrchr(mapped, ':') + 1 : mapped;
}

/* The server got a connection, or a datagram of a length. */
static inline int outbound_accept(struct __test_metadata *_metadata,
				  struct outbound *o, union net_addr *peer)
{
	int conn = net_accept(o->server4, peer);

	EXPECT_LE(0, conn);
	o->seen4.v[DUALSTACK_A_COUNTER_V4_ACCEPT] += conn >= 0;
	return conn;
}

static inline void outbound_expect_datagram(struct __test_metadata *_metadata,
					    struct outbound *o, ssize_t len)
{
	char buf[256];

	ASSERT_EQ(0, net_wait_in(o->server4, NET_TIMEOUT_MS));
	EXPECT_EQ(len, recv(o->server4, buf, sizeof(buf), 0));
	o->seen4.v[DUALSTACK_A_COUNTER_V4_RECV]++;
}

/* The peer of the record is the IPv4 one that the application named. */
static inline void outbound_expect_last(struct __test_metadata *_metadata,
					struct outbound *o, const char *mapped,
					const char *rejected, in_port_t port)
{
	union net_addr addr = { };
	struct fam_socket s;

	ASSERT_EQ(0, fam_socket_get(&o->ds, net_cookie(o->fd), &s));
	if (mapped)
		net_addr_set(&addr, mapped, port);
	test_expect_peer(_metadata, &addr, &s.last_mapped);
	memset(&addr, 0, sizeof(addr));
	if (rejected)
		net_addr_set(&addr, rejected, port);
	test_expect_peer(_metadata, &addr, &s.last_rejected);
}

static inline void outbound_v6only(struct __test_metadata *_metadata,
				   struct outbound *o)
{
	ASSERT_EQ(0, net_setsockopt(o->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
}

/* A native server of the same kind, which the test may not be about. */
static inline void outbound_serve_native(struct __test_metadata *_metadata,
					 struct outbound *o, int type,
					 int server)
{
	struct fam_counters seen = { };
	union net_addr src = { };
	socklen_t len = sizeof(src);
	char buf[8];
	int conn;

	if (type == SOCK_STREAM) {
		conn = net_accept(server, &src);
		ASSERT_LE(0, conn);
		test_saw_accept(&seen, &src);
		close(conn);
	} else {
		ASSERT_EQ(0, net_wait_in(server, NET_TIMEOUT_MS));
		ASSERT_LE(0, recvfrom(server, buf, sizeof(buf), 0, &src.sa, &len));
		test_saw_recv(&seen, &src);
	}
	test_expect_socket(_metadata, &o->ds, server, &seen);
	test_expect_socket(_metadata, &o->ds, o->fd, &o->seen);
	fam_counters_add(&seen, &o->seen);
	test_expect_all_sums(_metadata, &o->ds, &seen);
	EXPECT_FALSE(net_addr_mapped(&src));
}

/* Keep what a call did, if it went ahead. */
#define OUTBOUND_SAW(o, counter) ((o)->seen.v[DUALSTACK_A_COUNTER_ ## counter]++)
/* That is counted by another name on an AF_INET socket. */
#define OUTBOUND_SAW_V4(o, call)					\
	outbound_saw_v4(o, DUALSTACK_A_COUNTER_V4_ ## call,		\
			DUALSTACK_A_COUNTER_MAPPED_ ## call)

static inline void outbound_saw_v4(struct outbound *o, int v4, int mapped)
{
	o->seen.v[o->family == AF_INET ? v4 : mapped]++;
}

#endif /* OUTBOUND_H */
