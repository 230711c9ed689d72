// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams to IPv4: v4_send of an AF_INET socket; of an AF_INET6 one mapped_send,
 * and reject_send where IPV6_V6ONLY refuses it. Each against the result that the
 * call had.
 */
#include <netinet/udp.h>

#include "lib/outbound.h"

/* What takes the IPv4 addresses that are sent to. */
FIXTURE(udp)
{
	struct outbound o;
	in_port_t port;
};

FIXTURE_VARIANT(udp)
{
	int family;
};

FIXTURE_VARIANT_ADD(udp, mapped) { .family = AF_INET6, };
FIXTURE_VARIANT_ADD(udp, v4) { .family = AF_INET, };

FIXTURE_SETUP(udp)
{
	if (outbound_setup(_metadata, &self->o, variant->family, SOCK_DGRAM))
		self->port = net_port(self->o.server4);
}

FIXTURE_TEARDOWN(udp)
{
	outbound_teardown(&self->o);
}

/* What an AF_INET6 socket alone can be asked. */
FIXTURE(udp6)
{
	struct outbound o;
	in_port_t port;
};

FIXTURE_SETUP(udp6)
{
	if (outbound_setup(_metadata, &self->o, AF_INET6, SOCK_DGRAM))
		self->port = net_port(self->o.server4);
}

FIXTURE_TEARDOWN(udp6)
{
	outbound_teardown(&self->o);
}

TEST_F_TIMEOUT(udp, ipv4, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int i;

	for (i = 0; i < OUTBOUND_ROUNDS; i++) {
		ASSERT_EQ(0, net_sendto(o->fd, outbound_to(o, "::ffff:" NET_ADDR4), self->port,
					0));
		OUTBOUND_SAW_V4(o, SEND);
		outbound_expect_datagram(_metadata, o, 1);
	}
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, NET_ADDR4, NULL, self->port);
}

TEST_F_TIMEOUT(udp6, sockaddr_in, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_sendto(o->fd, NET_ADDR4, self->port, 0));
	OUTBOUND_SAW(o, MAPPED_SEND);
	outbound_expect_datagram(_metadata, o, 1);
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, NET_ADDR4, NULL, self->port);
}

TEST_F_TIMEOUT(udp6, native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(SOCK_DGRAM, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, server);
	EXPECT_EQ(0, net_sendto(o->fd, "::1", net_port(server), 0));
	EXPECT_EQ(0, net_sendto(o->fd, NET_ADDR6, net_port(server), 0));
	/* From no address in particular, "any" is ::1. */
	EXPECT_EQ(0, net_sendto(o->fd, "::", net_port(server), 0));
	/* None of these is read: it is the sender that this is about. */
	/* No mapped address, however much it looks like one. */
	EXPECT_EQ(-ENETUNREACH, net_sendto(o->fd, "64:ff9b::127.0.0.1", 9, 0));
	EXPECT_EQ(-ENETUNREACH, net_sendto(o->fd, "::127.0.0.1", 9, 0));
	outbound_expect(_metadata, o);
	close(server);
}

TEST_F_TIMEOUT(udp6, v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int i;

	outbound_v6only(_metadata, o);
	for (i = 0; i < OUTBOUND_ROUNDS; i++) {
		EXPECT_EQ(-ENETUNREACH, net_sendto(o->fd, "::ffff:127.0.0.1",
						   self->port, 0));
		OUTBOUND_SAW(o, REJECT_SEND);
	}
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, NULL, "127.0.0.1", self->port);
}

/* Unlike connect(), sendto() says the same of both kinds of address. */
TEST_F_TIMEOUT(udp6, sockaddr_in_v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	outbound_v6only(_metadata, o);
	EXPECT_EQ(-ENETUNREACH, net_sendto(o->fd, "127.0.0.1", self->port, 0));
	OUTBOUND_SAW(o, REJECT_SEND);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(udp6, from_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_bind(o->fd, NET_ADDR6, 0));
	EXPECT_EQ(-ENETUNREACH, net_sendto(o->fd, "::ffff:127.0.0.1", self->port,
					   0));
	OUTBOUND_SAW(o, REJECT_SEND);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(udp6, any_from_mapped, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_bind(o->fd, "::ffff:" NET_ADDR4, 0));
	ASSERT_EQ(0, net_sendto(o->fd, "::", self->port, 0));
	OUTBOUND_SAW(o, MAPPED_SEND);
	outbound_expect_datagram(_metadata, o, 1);
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, "127.0.0.1", NULL, self->port);
}

TEST_F_TIMEOUT(udp, connected, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int i;

	ASSERT_EQ(0, net_connect(o->fd, outbound_to(o, "::ffff:127.0.0.1"), self->port));
	OUTBOUND_SAW_V4(o, CONNECT);
	for (i = 0; i < OUTBOUND_ROUNDS; i++) {
		ASSERT_EQ(1, send(o->fd, "x", 1, 0));
		OUTBOUND_SAW_V4(o, SEND);
		outbound_expect_datagram(_metadata, o, 1);
		ASSERT_EQ(1, write(o->fd, "x", 1));
		OUTBOUND_SAW_V4(o, SEND);
		outbound_expect_datagram(_metadata, o, 1);
	}
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, "127.0.0.1", NULL, self->port);

	/* An address goes before the one connected to. */
	ASSERT_EQ(0, net_sendto(o->fd, outbound_to(o, "::ffff:" NET_ADDR4), self->port, 0));
	OUTBOUND_SAW_V4(o, SEND);
	outbound_expect_datagram(_metadata, o, 1);
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, NET_ADDR4, NULL, self->port);
}

TEST_F_TIMEOUT(udp6, connected_sockaddr_in, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_connect(o->fd, "127.0.0.1", self->port));
	OUTBOUND_SAW(o, MAPPED_CONNECT);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	OUTBOUND_SAW(o, MAPPED_SEND);
	outbound_expect_datagram(_metadata, o, 1);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(udp6, connected_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(SOCK_DGRAM, "::1", 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_connect(o->fd, "::1", net_port(server)));
	OUTBOUND_SAW(o, NATIVE_CONNECT);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	outbound_serve_native(_metadata, o, SOCK_DGRAM, server);
	close(server);
}

/* What is sent after a refused connection still goes nowhere. */
TEST_F_TIMEOUT(udp6, not_connected, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	outbound_v6only(_metadata, o);
	EXPECT_EQ(-ENETUNREACH, net_connect(o->fd, "::ffff:127.0.0.1",
					    self->port));
	OUTBOUND_SAW(o, REJECT_CONNECT);
	EXPECT_EQ(-1, send(o->fd, "x", 1, 0));
	EXPECT_EQ(EDESTADDRREQ, errno);
	outbound_expect(_metadata, o);
}

/* After AF_UNSPEC the socket is nobody's, and IPv4 no longer its family. */
TEST_F_TIMEOUT(udp, disconnected, TEST_TIMEOUT)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_connect(o->fd, outbound_to(o, "::ffff:127.0.0.1"), self->port));
	OUTBOUND_SAW_V4(o, CONNECT);
	ASSERT_EQ(0, connect(o->fd, &unspec, sizeof(unspec)));
	EXPECT_EQ(-1, send(o->fd, "x", 1, 0));
	EXPECT_EQ(EDESTADDRREQ, errno);
	outbound_expect(_metadata, o);
}

/* An address of the family AF_UNSPEC is no address: IPv6 is tried. */
TEST_F_TIMEOUT(udp6, unspec, TEST_TIMEOUT)
{
	struct sockaddr_in6 unspec = { .sin6_family = AF_UNSPEC };
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_connect(o->fd, "::ffff:127.0.0.1", self->port));
	OUTBOUND_SAW(o, MAPPED_CONNECT);
	EXPECT_EQ(-1, sendto(o->fd, "x", 1, 0, (struct sockaddr *)&unspec,
			     sizeof(unspec)));
	EXPECT_EQ(ENETUNREACH, errno);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(udp6, invalid, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr to;

	net_addr_set(&to, "::ffff:127.0.0.1", self->port);
	EXPECT_EQ(-1, sendto(o->fd, "x", 1, 0, &to.sa, OUTBOUND_SHORT_LEN));
	EXPECT_EQ(EINVAL, errno);
	to.sa.sa_family = AF_UNIX;
	EXPECT_EQ(-1, sendto(o->fd, "x", 1, 0, &to.sa, sizeof(to.in6)));
	EXPECT_EQ(EINVAL, errno);
	/* Not even a family. */
	EXPECT_EQ(-1, sendto(o->fd, "x", 1, 0, &to.sa, 1));
	EXPECT_EQ(EINVAL, errno);
	/* An IPv4 address, of which the end is missing. */
	net_addr_set(&to, "127.0.0.1", self->port);
	EXPECT_EQ(-1, sendto(o->fd, "x", 1, 0, &to.sa, sizeof(to.in) / 2));
	EXPECT_EQ(EINVAL, errno);
	to.in.sin_port = 0;
	EXPECT_EQ(-1, sendto(o->fd, "x", 1, 0, &to.sa, sizeof(to.in)));
	EXPECT_EQ(EINVAL, errno);
	outbound_expect(_metadata, o);
}

/* AF_UNSPEC is IPv4 to an AF_INET socket, and no address to an AF_INET6 one. */
TEST_F_TIMEOUT(udp, unspec, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr to;

	net_addr_set(&to, "127.0.0.1", self->port);
	to.sa.sa_family = AF_UNSPEC;
	if (variant->family == AF_INET6) {
		EXPECT_EQ(-1, sendto(o->fd, "x", 1, 0, &to.sa, sizeof(to.in)));
		EXPECT_EQ(EDESTADDRREQ, errno);
		outbound_expect(_metadata, o);
		return;
	}
	ASSERT_EQ(1, sendto(o->fd, "x", 1, 0, &to.sa, sizeof(to.in)));
	OUTBOUND_SAW_V4(o, SEND);
	outbound_expect_datagram(_metadata, o, 1);
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, "127.0.0.1", NULL, self->port);
}

/* Whoever was told that the address is none did not send. */
TEST_F_TIMEOUT(udp, invalid, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr to;

	EXPECT_EQ(-EINVAL, net_sendto(o->fd, outbound_to(o, "::ffff:127.0.0.1"), 0, 0));
	net_addr_set(&to, outbound_to(o, "::ffff:127.0.0.1"), self->port);
	EXPECT_EQ(-1, sendto(o->fd, "x", 1, 0, &to.sa, net_addr_len(&to) / 2));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, send(o->fd, "x", 1, 0));
	EXPECT_EQ(EDESTADDRREQ, errno);
	outbound_expect(_metadata, o);
}

/* No datagram goes to port 0; with V6ONLY nobody looks that far. */
TEST_F_TIMEOUT(udp6, port_zero, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-EINVAL, net_sendto(o->fd, "::ffff:127.0.0.1", 0, 0));
	outbound_expect(_metadata, o);

	/* The attempt has bound it. */
	close(o->fd);
	o->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, o->fd);
	outbound_v6only(_metadata, o);
	EXPECT_EQ(-ENETUNREACH, net_sendto(o->fd, "::ffff:127.0.0.1", 0, 0));
	OUTBOUND_SAW(o, REJECT_SEND);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(udp, unrouted, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-ENETUNREACH, net_sendto(o->fd,
					   outbound_to(o, "::ffff:" OUTBOUND_UNROUTED),
					   self->port, 0));
	OUTBOUND_SAW_V4(o, SEND);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(udp, empty, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr to;

	net_addr_set(&to, outbound_to(o, "::ffff:127.0.0.1"), self->port);
	ASSERT_EQ(0, sendto(o->fd, NULL, 0, 0, &to.sa, sizeof(to.in6)));
	OUTBOUND_SAW_V4(o, SEND);
	outbound_expect_datagram(_metadata, o, 0);
	outbound_expect(_metadata, o);
}

/* Each message of sendmmsg() counts for itself. */
TEST_F_TIMEOUT(udp6, sendmmsg, TEST_TIMEOUT)
{
	static const char *const dest[] = {
		"::ffff:127.0.0.1", "::1", "127.0.0.1", "::ffff:" NET_ADDR4,
	};
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	union net_addr to[ARRAY_SIZE(dest)];
	struct mmsghdr msgs[ARRAY_SIZE(dest)] = { };
	struct outbound *o = &self->o;
	int i, n, native;

	native = net_server(SOCK_DGRAM, "::1", self->port, 0);
	ASSERT_LE(0, native);
	for (i = 0; i < (int)ARRAY_SIZE(dest); i++) {
		net_addr_set(&to[i], dest[i], self->port);
		msgs[i].msg_hdr.msg_name = &to[i];
		msgs[i].msg_hdr.msg_namelen = net_addr_len(&to[i]);
		msgs[i].msg_hdr.msg_iov = &iov;
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	n = sendmmsg(o->fd, msgs, ARRAY_SIZE(msgs), 0);
	ASSERT_EQ((int)ARRAY_SIZE(dest), n);
	for (i = 0; i < n; i++) {
		if (to[i].sa.sa_family == AF_INET || net_addr_mapped(&to[i])) {
			OUTBOUND_SAW(o, MAPPED_SEND);
			outbound_expect_datagram(_metadata, o, 1);
		}
	}
	EXPECT_EQ(3, o->seen.v[DUALSTACK_A_COUNTER_MAPPED_SEND]);
	outbound_expect(_metadata, o);
	close(native);
}

/* Calls are counted, of which several may make one datagram. */
TEST_F_TIMEOUT(udp, cork, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int i;

	ASSERT_EQ(0, net_setsockopt(o->fd, IPPROTO_UDP, UDP_CORK, 1));
	for (i = 0; i < OUTBOUND_ROUNDS; i++) {
		ASSERT_EQ(0, net_sendto(o->fd, outbound_to(o, "::ffff:127.0.0.1"), self->port,
					0));
		OUTBOUND_SAW_V4(o, SEND);
	}
	ASSERT_EQ(0, net_setsockopt(o->fd, IPPROTO_UDP, UDP_CORK, 0));
	outbound_expect_datagram(_metadata, o, OUTBOUND_ROUNDS);
	outbound_expect(_metadata, o);
}

/* What is added to a datagram under way need not repeat the address. */
TEST_F_TIMEOUT(udp, more, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_sendto(o->fd, outbound_to(o, "::ffff:127.0.0.1"), self->port,
				MSG_MORE));
	OUTBOUND_SAW_V4(o, SEND);
	ASSERT_EQ(1, send(o->fd, "x", 1, MSG_MORE));
	OUTBOUND_SAW_V4(o, SEND);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	OUTBOUND_SAW_V4(o, SEND);
	outbound_expect_datagram(_metadata, o, 3);
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, "127.0.0.1", NULL, self->port);
}

TEST_F_TIMEOUT(udp, more_connected, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_connect(o->fd, outbound_to(o, "::ffff:127.0.0.1"), self->port));
	OUTBOUND_SAW_V4(o, CONNECT);
	ASSERT_EQ(1, send(o->fd, "x", 1, MSG_MORE));
	OUTBOUND_SAW_V4(o, SEND);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	OUTBOUND_SAW_V4(o, SEND);
	outbound_expect_datagram(_metadata, o, 2);
	outbound_expect(_metadata, o);
}

/* The datagram under way decides, not whom the socket is connected to. */
TEST_F_TIMEOUT(udp6, more_connected_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(SOCK_DGRAM, NET_ADDR6, 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_connect(o->fd, NET_ADDR6, net_port(server)));
	OUTBOUND_SAW(o, NATIVE_CONNECT);
	ASSERT_EQ(0, net_sendto(o->fd, "::ffff:127.0.0.1", self->port, MSG_MORE));
	OUTBOUND_SAW(o, MAPPED_SEND);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	OUTBOUND_SAW(o, MAPPED_SEND);
	outbound_expect_datagram(_metadata, o, 2);
	outbound_expect(_metadata, o);
	close(server);
}

/* Nor whom an address names that comes with what is added. */
TEST_F_TIMEOUT(udp6, more_to_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_sendto(o->fd, "::ffff:127.0.0.1", self->port, MSG_MORE));
	OUTBOUND_SAW(o, MAPPED_SEND);
	ASSERT_EQ(0, net_sendto(o->fd, "::1", 9, 0));
	OUTBOUND_SAW(o, MAPPED_SEND);
	outbound_expect_datagram(_metadata, o, 2);
	outbound_expect(_metadata, o);
	outbound_expect_last(_metadata, o, "127.0.0.1", NULL, self->port);
}

/* The other way round: a native datagram under way takes what follows. */
TEST_F_TIMEOUT(udp6, more_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(SOCK_DGRAM, "::1", 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_sendto(o->fd, "::1", net_port(server), MSG_MORE));
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	outbound_serve_native(_metadata, o, SOCK_DGRAM, server);
	close(server);
}

/* But nothing with an IPv4 address. */
TEST_F_TIMEOUT(udp6, more_to_mapped, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(SOCK_DGRAM, "::1", 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_sendto(o->fd, "::1", net_port(server), MSG_MORE));
	EXPECT_EQ(-EINVAL, net_sendto(o->fd, "::ffff:127.0.0.1", self->port, 0));
	EXPECT_EQ(-EINVAL, net_sendto(o->fd, "127.0.0.1", self->port, 0));
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	outbound_serve_native(_metadata, o, SOCK_DGRAM, server);
	close(server);
}

TEST_HARNESS_MAIN
