// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect() to IPv4: v4_connect on an AF_INET socket; on an AF_INET6 one
 * mapped_connect, and reject_connect where IPV6_V6ONLY refuses it. To IPv6:
 * native_connect. Each against the result that the call had.
 */
#include <netinet/tcp.h>

#include "lib/outbound.h"

/* What takes the IPv4 addresses that are connected to. */
FIXTURE(connect)
{
	struct outbound o;
};

FIXTURE_VARIANT(connect)
{
	int family;
	int type;
};

FIXTURE_VARIANT_ADD(connect, mapped_tcp)
{
	.family = AF_INET6, .type = SOCK_STREAM,
};

FIXTURE_VARIANT_ADD(connect, mapped_udp)
{
	.family = AF_INET6, .type = SOCK_DGRAM,
};

FIXTURE_VARIANT_ADD(connect, v4_tcp)
{
	.family = AF_INET, .type = SOCK_STREAM,
};

FIXTURE_VARIANT_ADD(connect, v4_udp)
{
	.family = AF_INET, .type = SOCK_DGRAM,
};

FIXTURE_SETUP(connect)
{
	outbound_setup(_metadata, &self->o, variant->family, variant->type);
}

FIXTURE_TEARDOWN(connect)
{
	outbound_teardown(&self->o);
}

/* It went ahead, and the server got a connection, if there are such. */
static void saw_connect(struct __test_metadata *_metadata, struct outbound *o,
			int type)
{
	int conn;

	OUTBOUND_SAW_V4(o, CONNECT);
	if (type != SOCK_STREAM)
		return;
	conn = outbound_accept(_metadata, o, NULL);
	ASSERT_LE(0, conn);
	close(conn);
}

/* It is in the sums alone where TCP does without a mapped address. */
static bool has_record(int family, int type)
{
	return family == AF_INET6 || type == SOCK_DGRAM;
}

TEST_F_TIMEOUT(connect, ipv4, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	union net_addr peer;

	ASSERT_EQ(0, net_connect(o->fd, outbound_to(o, "::ffff:" NET_ADDR4), port));
	saw_connect(_metadata, o, variant->type);
	peer = net_peer(o->fd);
	test_expect_addr(_metadata, "getpeername", outbound_to(o, "::ffff:" NET_ADDR4), port,
			 &peer);
	outbound_expect(_metadata, o);
	if (has_record(variant->family, variant->type))
		outbound_expect_last(_metadata, o, NET_ADDR4, NULL, port);
}

/* What an AF_INET6 socket alone can be asked. */
FIXTURE(connect6)
{
	struct outbound o;
};

FIXTURE_VARIANT(connect6)
{
	int type;
};

FIXTURE_VARIANT_ADD(connect6, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(connect6, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(connect6)
{
	outbound_setup(_metadata, &self->o, AF_INET6, variant->type);
}

FIXTURE_TEARDOWN(connect6)
{
	outbound_teardown(&self->o);
}

TEST_F_TIMEOUT(connect6, native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_connect(o->fd, "::1", net_port(server)));
	OUTBOUND_SAW(o, NATIVE_CONNECT);
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
		  net_connect(o->fd, outbound_to(o, "::ffff:127.0.0.1"), port));
	OUTBOUND_SAW_V4(o, CONNECT);
	outbound_expect(_metadata, o);
	if (has_record(variant->family, variant->type))
		outbound_expect_last(_metadata, o, "127.0.0.1", NULL, port);
}

/* This ENETUNREACH is the routing table's, not V6ONLY's. */
TEST_F_TIMEOUT(connect, unrouted, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-ENETUNREACH,
		  net_connect(o->fd, outbound_to(o, "::ffff:" OUTBOUND_UNROUTED), 9));
	OUTBOUND_SAW_V4(o, CONNECT);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(connect, port_zero, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(variant->type == SOCK_STREAM ? -ECONNREFUSED : 0,
		  net_connect(o->fd, outbound_to(o, "::ffff:127.0.0.1"), 0));
	OUTBOUND_SAW_V4(o, CONNECT);
	outbound_expect(_metadata, o);
}

/* "Any" is this host, by the family of the local address. */
TEST_F_TIMEOUT(connect6, any_from_mapped, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	union net_addr peer;

	ASSERT_EQ(0, net_bind(o->fd, "::ffff:" NET_ADDR4, 0));
	ASSERT_EQ(0, net_connect(o->fd, "::", port));
	saw_connect(_metadata, o, variant->type);
	peer = net_peer(o->fd);
	test_expect_addr(_metadata, "getpeername", "::ffff:127.0.0.1", port,
			 &peer);
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, "127.0.0.1", NULL, port);
}

TEST_F_TIMEOUT(connect6, any_from_any, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr peer;
	int server;

	server = net_server(variant->type, "::1", 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_connect(o->fd, "::", net_port(server)));
	OUTBOUND_SAW(o, NATIVE_CONNECT);
	peer = net_peer(o->fd);
	test_expect_addr(_metadata, "getpeername", "::1", net_port(server),
			 &peer);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	outbound_serve_native(_metadata, o, variant->type, server);
	close(server);
}

TEST_F_TIMEOUT(connect6, v6only, TEST_TIMEOUT)
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

/* A link-local address needs a device, a TCP connection one peer. */
TEST_F_TIMEOUT(connect6, native_invalid, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int err;

	EXPECT_EQ(-EINVAL, net_connect(o->fd, "fe80::1", 9));
	outbound_expect(_metadata, o);
	err = net_connect(o->fd, "ff02::1%lo", 9);
	if (variant->type == SOCK_DGRAM)
		OUTBOUND_SAW(o, NATIVE_CONNECT);
	else
		EXPECT_EQ(-ENETUNREACH, err);
	outbound_expect(_metadata, o);
}

/* A socket bound to an IPv6 address is V6ONLY without having asked for it. */
TEST_F_TIMEOUT(connect6, from_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_bind(o->fd, "::1", 0));
	EXPECT_EQ(-ENETUNREACH, net_connect(o->fd, "::ffff:127.0.0.1",
					    net_port(o->server4)));
	OUTBOUND_SAW(o, REJECT_CONNECT);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(connect6, bindv6only, TEST_TIMEOUT)
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
TEST_F_TIMEOUT(connect6, sockaddr_in, TEST_TIMEOUT)
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
TEST_F_TIMEOUT(connect6, sockaddr_in_v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	outbound_v6only(_metadata, o);
	expect_no_sockaddr_in(_metadata, o->fd, net_port(o->server4));
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(connect6, invalid, TEST_TIMEOUT)
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

/* Whoever was told that the address is none did not connect. */
TEST_F_TIMEOUT(connect, invalid, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr to;

	net_addr_set(&to, outbound_to(o, "::ffff:127.0.0.1"), net_port(o->server4));
	EXPECT_EQ(-1, connect(o->fd, &to.sa, net_addr_len(&to) / 2));
	EXPECT_EQ(EINVAL, errno);
	to.sa.sa_family = AF_UNIX;
	EXPECT_EQ(-1, connect(o->fd, &to.sa, sizeof(to.in6)));
	EXPECT_EQ(EAFNOSUPPORT, errno);
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
		err = net_connect(o->fd, outbound_to(o, "::ffff:127.0.0.1"), port);
		EXPECT_EQ(i && variant->type == SOCK_STREAM ? -EISCONN : 0,
			  err);
		if (!err)
			saw_connect(_metadata, o, variant->type);
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
	o->fd = socket(o->family, variant->type | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0);
	ASSERT_LE(0, o->fd);
	err = net_connect(o->fd, outbound_to(o, "::ffff:127.0.0.1"), port);
	EXPECT_EQ(variant->type == SOCK_STREAM ? -EINPROGRESS : 0, err);
	saw_connect(_metadata, o, variant->type);
	/* Asking how it went is no second attempt. */
	if (err) {
		EXPECT_TRUE(net_wait_for(net_connect(o->fd, outbound_to(o, "::ffff:127.0.0.1"),
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

FIXTURE_VARIANT(tcp)
{
	int family;
};

FIXTURE_VARIANT_ADD(tcp, mapped) { .family = AF_INET6, };
FIXTURE_VARIANT_ADD(tcp, v4) { .family = AF_INET, };

FIXTURE_SETUP(tcp)
{
	outbound_setup(_metadata, &self->o, variant->family, SOCK_STREAM);
}

FIXTURE_TEARDOWN(tcp)
{
	outbound_teardown(&self->o);
}

/* What an AF_INET6 socket alone can be asked. */
FIXTURE(tcp6)
{
	struct outbound o;
};

FIXTURE_SETUP(tcp6)
{
	outbound_setup(_metadata, &self->o, AF_INET6, SOCK_STREAM);
}

FIXTURE_TEARDOWN(tcp6)
{
	outbound_teardown(&self->o);
}

TEST_F_TIMEOUT(tcp6, fastopen_v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	outbound_v6only(_metadata, o);
	EXPECT_EQ(-ENETUNREACH, net_sendto(o->fd, "::ffff:127.0.0.1",
					   net_port(o->server4), MSG_FASTOPEN));
	OUTBOUND_SAW(o, REJECT_CONNECT);
	outbound_expect(_metadata, o);
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
		EXPECT_EQ(0, net_sendto(o->fd, outbound_to(o, "::ffff:127.0.0.1"), port,
					MSG_FASTOPEN));
		OUTBOUND_SAW_V4(o, CONNECT);
		conn = outbound_accept(_metadata, o, &peer);
		ASSERT_LE(0, conn);
		test_expect_addr(_metadata, "accept", "127.0.0.1",
				 net_port(o->fd), &peer);
		EXPECT_EQ(1, recv(conn, &c, 1, 0));
		net_close_reset(conn);

		outbound_expect(_metadata, o);
		outbound_again(_metadata, o, SOCK_STREAM);
	}
}

/* There is no address at all: the kernel looks at its length first. */
TEST_F_TIMEOUT(tcp, fastopen_nowhere, TEST_TIMEOUT)
{
	EXPECT_EQ(-1, send(self->o.fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL));
	EXPECT_EQ(EINVAL, errno);
	outbound_expect(_metadata, &self->o);
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
	o->others.v[DUALSTACK_A_COUNTER_V4_CONNECT]++;
	conn = outbound_accept(_metadata, o, NULL);
	ASSERT_LE(0, conn);
	close(conn);

	ASSERT_EQ(0, net_setsockopt(o->fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1));
	EXPECT_EQ(0, net_connect(o->fd, outbound_to(o, "::ffff:127.0.0.1"), port));
	OUTBOUND_SAW_V4(o, CONNECT);
	outbound_expect(_metadata, o);
	EXPECT_EQ(1, send(o->fd, "x", 1, 0));
	conn = outbound_accept(_metadata, o, NULL);
	ASSERT_LE(0, conn);
	close(conn);
	outbound_expect(_metadata, o);
}

/* What goes through a connection is not counted. */
TEST_F_TIMEOUT(tcp, send, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	int i, conn;

	ASSERT_EQ(0, net_connect(o->fd, outbound_to(o, "::ffff:127.0.0.1"), port));
	OUTBOUND_SAW_V4(o, CONNECT);
	conn = outbound_accept(_metadata, o, NULL);
	ASSERT_LE(0, conn);
	for (i = 0; i < OUTBOUND_ROUNDS; i++) {
		EXPECT_EQ(1, send(o->fd, "x", 1, 0));
		/* Streams ignore the address. */
		EXPECT_EQ(0, net_sendto(o->fd, outbound_to(o, "::ffff:127.0.0.1"), port, 0));
	}
	outbound_expect(_metadata, o);
	close(conn);
}

TEST_HARNESS_MAIN
