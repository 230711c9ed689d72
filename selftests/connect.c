// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect() to IPv4 on an AF_INET6 socket: mapped_connect, and reject_connect where
 * IPV6_V6ONLY refuses it; each against the result that the call had.
 */
#include <netinet/tcp.h>

#include "lib/outbound.h"

FIXTURE(connect)
{
	struct outbound o;
};

FIXTURE_VARIANT(connect)
{
	int type;
};

FIXTURE_VARIANT_ADD(connect, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(connect, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(connect)
{
	outbound_setup(_metadata, &self->o, variant->type);
}

FIXTURE_TEARDOWN(connect)
{
	outbound_teardown(&self->o);
}

TEST_F_TIMEOUT(connect, mapped, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	union net_addr peer;

	ASSERT_EQ(0, net_connect(o->fd, "::ffff:" NET_ADDR4, port));
	OUTBOUND_SAW(o, MAPPED_CONNECT);
	peer = net_peer(o->fd);
	test_expect_addr(_metadata, "getpeername", "::ffff:" NET_ADDR4, port,
			 &peer);
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, NET_ADDR4, NULL, port);
}

TEST_F_TIMEOUT(connect, native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_connect(o->fd, "::1", net_port(server)));
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	outbound_serve_native(_metadata, o, variant->type, server);
	close(server);
}

/* That nobody answers, or that there is no way, comes after the conversion. */
TEST_F_TIMEOUT(connect, closed_port, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port;
	int fd;

	fd = net_server(variant->type, "0.0.0.0", 0, 0);
	ASSERT_LE(0, fd);
	port = net_port(fd);
	close(fd);

	EXPECT_EQ(variant->type == SOCK_STREAM ? -ECONNREFUSED : 0,
		  net_connect(o->fd, "::ffff:127.0.0.1", port));
	OUTBOUND_SAW(o, MAPPED_CONNECT);
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, "127.0.0.1", NULL, port);
}

/* This ENETUNREACH is the routing table's, not V6ONLY's. */
TEST_F_TIMEOUT(connect, unrouted, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-ENETUNREACH, net_connect(o->fd, OUTBOUND_UNROUTED, 9));
	OUTBOUND_SAW(o, MAPPED_CONNECT);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(connect, port_zero, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(variant->type == SOCK_STREAM ? -ECONNREFUSED : 0,
		  net_connect(o->fd, "::ffff:127.0.0.1", 0));
	OUTBOUND_SAW(o, MAPPED_CONNECT);
	outbound_expect(_metadata, o);
}

/* "Any" is this host, by the family of the local address. */
TEST_F_TIMEOUT(connect, any_from_mapped, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	union net_addr peer;

	ASSERT_EQ(0, net_bind(o->fd, "::ffff:" NET_ADDR4, 0));
	ASSERT_EQ(0, net_connect(o->fd, "::", port));
	OUTBOUND_SAW(o, MAPPED_CONNECT);
	peer = net_peer(o->fd);
	test_expect_addr(_metadata, "getpeername", "::ffff:127.0.0.1", port,
			 &peer);
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, "127.0.0.1", NULL, port);
}

TEST_F_TIMEOUT(connect, any_from_any, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr peer;
	int server;

	server = net_server(variant->type, "::1", 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_connect(o->fd, "::", net_port(server)));
	peer = net_peer(o->fd);
	test_expect_addr(_metadata, "getpeername", "::1", net_port(server),
			 &peer);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	outbound_serve_native(_metadata, o, variant->type, server);
	close(server);
}

TEST_F_TIMEOUT(connect, v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	int i;

	outbound_v6only(_metadata, o);
	for (i = 0; i < OUTBOUND_ROUNDS; i++) {
		EXPECT_EQ(-ENETUNREACH,
			  net_connect(o->fd, "::ffff:127.0.0.1", port));
		OUTBOUND_SAW(o, REJECT_CONNECT);
	}
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, NULL, "127.0.0.1", port);
}

/* A socket bound to an IPv6 address is V6ONLY without having asked for it. */
TEST_F_TIMEOUT(connect, from_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_bind(o->fd, "::1", 0));
	EXPECT_EQ(-ENETUNREACH, net_connect(o->fd, "::ffff:127.0.0.1",
					    net_port(o->server4)));
	OUTBOUND_SAW(o, REJECT_CONNECT);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(connect, bindv6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_sysctl("ipv6/bindv6only", 1));
	close(o->fd);
	o->fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, o->fd);
	EXPECT_EQ(-ENETUNREACH, net_connect(o->fd, "::ffff:127.0.0.1",
					    net_port(o->server4)));
	OUTBOUND_SAW(o, REJECT_CONNECT);
	outbound_expect(_metadata, o);
}

static void expect_no_sockaddr_in(struct __test_metadata *_metadata, int fd,
				  in_port_t port)
{
	union net_addr to;

	/* As large as an IPv6 one, for otherwise its size is the error. */
	net_addr_set(&to, "127.0.0.1", port);
	EXPECT_EQ(-1, connect(fd, &to.sa, sizeof(to)));
	EXPECT_EQ(EAFNOSUPPORT, errno);
}

/* UDP takes a sockaddr_in on an AF_INET6 socket, TCP does not. */
TEST_F_TIMEOUT(connect, sockaddr_in, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);

	if (variant->type == SOCK_STREAM) {
		expect_no_sockaddr_in(_metadata, o->fd, port);
	} else {
		EXPECT_EQ(0, net_connect(o->fd, "127.0.0.1", port));
		OUTBOUND_SAW(o, MAPPED_CONNECT);
		outbound_expect_last(_metadata, o, "127.0.0.1", NULL, port);
	}
	outbound_expect(_metadata, o);
}

/* EAFNOSUPPORT is about the structure: no mapped address was turned away. */
TEST_F_TIMEOUT(connect, sockaddr_in_v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	outbound_v6only(_metadata, o);
	expect_no_sockaddr_in(_metadata, o->fd, net_port(o->server4));
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(connect, invalid, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr to;

	net_addr_set(&to, "::ffff:127.0.0.1", net_port(o->server4));
	EXPECT_EQ(-1, connect(o->fd, &to.sa, OUTBOUND_SHORT_LEN));
	EXPECT_EQ(EINVAL, errno);
	to.sa.sa_family = AF_UNIX;
	EXPECT_EQ(-1, connect(o->fd, &to.sa, sizeof(to.in6)));
	EXPECT_EQ(EAFNOSUPPORT, errno);
	/* An IPv4 address, of which the end is missing; TCP takes none of these. */
	net_addr_set(&to, "127.0.0.1", net_port(o->server4));
	EXPECT_EQ(-1, connect(o->fd, &to.sa, sizeof(to.in) / 2));
	EXPECT_EQ(EINVAL, errno);
	outbound_expect(_metadata, o);
}

/* TCP connects once; a UDP socket may do it again, also to IPv6. */
TEST_F_TIMEOUT(connect, again, TEST_TIMEOUT)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	int i, err;

	for (i = 0; i < OUTBOUND_ROUNDS; i++) {
		err = net_connect(o->fd, "::ffff:127.0.0.1", port);
		EXPECT_EQ(i && variant->type == SOCK_STREAM ? -EISCONN : 0,
			  err);
		if (!err)
			OUTBOUND_SAW(o, MAPPED_CONNECT);
	}
	EXPECT_EQ(0, connect(o->fd, &unspec, sizeof(unspec)));
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(connect, nonblocking, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	int err;

	close(o->fd);
	o->fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0);
	ASSERT_LE(0, o->fd);
	err = net_connect(o->fd, "::ffff:127.0.0.1", port);
	EXPECT_EQ(variant->type == SOCK_STREAM ? -EINPROGRESS : 0, err);
	OUTBOUND_SAW(o, MAPPED_CONNECT);
	/* Asking how it went is no second attempt. */
	if (err) {
		EXPECT_TRUE(net_wait_for(net_connect(o->fd, "::ffff:127.0.0.1",
						     port) == -EISCONN,
					 NET_TIMEOUT_MS));
	}
	outbound_expect(_metadata, o);
}

/* TCP alone: data with, or before, the connection. */
FIXTURE(tcp)
{
	struct outbound o;
};

FIXTURE_SETUP(tcp)
{
	outbound_setup(_metadata, &self->o, SOCK_STREAM);
}

FIXTURE_TEARDOWN(tcp)
{
	outbound_teardown(&self->o);
}

TEST_F_TIMEOUT(tcp, fastopen, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	union net_addr peer;
	int i, conn;
	char c;

	/* The first asks for a cookie, the others send data in the SYN. */
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, net_sendto(o->fd, "::ffff:127.0.0.1", port,
					MSG_FASTOPEN));
		OUTBOUND_SAW(o, MAPPED_CONNECT);
		conn = net_accept(o->server4, &peer);
		ASSERT_LE(0, conn);
		test_expect_addr(_metadata, "accept", "127.0.0.1",
				 net_port(o->fd), &peer);
		EXPECT_EQ(1, recv(conn, &c, 1, 0));
		net_close_reset(conn);

		test_expect_sums(_metadata, &o->ds, &o->seen);
		close(o->fd);
		o->fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		ASSERT_LE(0, o->fd);
	}
}

TEST_F_TIMEOUT(tcp, fastopen_v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	outbound_v6only(_metadata, o);
	EXPECT_EQ(-ENETUNREACH, net_sendto(o->fd, "::ffff:127.0.0.1",
					   net_port(o->server4), MSG_FASTOPEN));
	OUTBOUND_SAW(o, REJECT_CONNECT);
	outbound_expect(_metadata, o);
}

/* connect() that waits for the first write. */
TEST_F_TIMEOUT(tcp, fastopen_connect, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	int conn;

	/* A cookie is what it waits with. */
	conn = net_client_fastopen("127.0.0.1", port, "x", 1);
	ASSERT_LE(0, conn);
	close(conn);

	ASSERT_EQ(0, net_setsockopt(o->fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
	EXPECT_EQ(0, net_connect(o->fd, "::ffff:127.0.0.1", port));
	OUTBOUND_SAW(o, MAPPED_CONNECT);
	outbound_expect(_metadata, o);
	EXPECT_EQ(1, send(o->fd, "x", 1, 0));
	outbound_expect(_metadata, o);
}

/* What goes through a connection is not counted. */
TEST_F_TIMEOUT(tcp, send, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	int i;

	ASSERT_EQ(0, net_connect(o->fd, "::ffff:127.0.0.1", port));
	OUTBOUND_SAW(o, MAPPED_CONNECT);
	for (i = 0; i < OUTBOUND_ROUNDS; i++) {
		EXPECT_EQ(1, send(o->fd, "x", 1, 0));
		/* Streams ignore the address. */
		EXPECT_EQ(0, net_sendto(o->fd, "::ffff:127.0.0.1", port, 0));
	}
	outbound_expect(_metadata, o);
}

TEST_HARNESS_MAIN
