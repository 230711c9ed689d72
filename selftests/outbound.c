// SPDX-License-Identifier: GPL-2.0-only
/*
 * Applications that ask for IPv4 on an AF_INET6 socket: mapped_connect,
 * mapped_send, and what IPV6_V6ONLY refuses them, reject_connect, reject_send
 * and reject_bind; each against the result that the call had.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "lib/test.h"

#define ROUNDS		5
#define UNROUTED	"::ffff:198.51.100.1"
#define SHORT_LEN	(offsetof(struct sockaddr_in6, sin6_scope_id) - 1)

static const int on = 1;

/* What the sockets of a test saw, and a server that takes all of IPv4. */
struct outbound {
	struct fam ds;
	struct fam_counters seen;
	int server4;
	int fd;
};

static bool outbound_setup(struct __test_metadata *_metadata,
			   struct outbound *o, int type)
{
	if (!test_setup(_metadata, &o->ds))
		return false;
	ASSERT_EQ(0, net_sysctl("ipv4/tcp_fastopen", 3));
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	o->server4 = net_server(type, "0.0.0.0", 0, NET_FASTOPEN);
	ASSERT_LE(0, o->server4);
	o->fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, o->fd);
	return true;
}

static void outbound_teardown(struct outbound *o)
{
	close(o->fd);
	close(o->server4);
	fam_close(&o->ds);
}

static void expect(struct __test_metadata *_metadata, struct outbound *o)
{
	test_expect_socket(_metadata, &o->ds, o->fd, &o->seen);
	test_expect_none(_metadata, &o->ds, o->server4);
	test_expect_sums(_metadata, &o->ds, &o->seen);
}

/* The peer of the record is the IPv4 one that the application named. */
static void expect_last(struct __test_metadata *_metadata, struct outbound *o,
			const char *mapped, const char *rejected,
			in_port_t port)
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

static void v6only(struct __test_metadata *_metadata, struct outbound *o)
{
	ASSERT_EQ(0, setsockopt(o->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				sizeof(on)));
}

static int do_bind(int fd, const char *text, in_port_t port)
{
	union net_addr addr;

	if (net_addr_set(&addr, text, port))
		return -EINVAL;
	return bind(fd, &addr.sa, net_addr_len(&addr)) ? -errno : 0;
}

static int do_connect(int fd, const char *text, in_port_t port)
{
	union net_addr addr;

	if (net_addr_set(&addr, text, port))
		return -EINVAL;
	return connect(fd, &addr.sa, net_addr_len(&addr)) ? -errno : 0;
}

static int do_send(int fd, const char *text, in_port_t port, int flags)
{
	union net_addr addr;

	if (net_addr_set(&addr, text, port))
		return -EINVAL;
	return sendto(fd, "x", 1, flags, &addr.sa, net_addr_len(&addr)) < 0 ?
	       -errno : 0;
}

/* A native server of the same kind, which the test may not be about. */
static void serve_native(struct __test_metadata *_metadata, struct outbound *o,
			 int type, int server)
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
		ASSERT_LE(0, recvfrom(server, buf, sizeof(buf), 0, &src.sa,
				      &len));
		test_saw_recv(&seen, &src);
	}
	test_expect_socket(_metadata, &o->ds, server, &seen);
	test_expect_none(_metadata, &o->ds, o->fd);
	test_expect_sums(_metadata, &o->ds, &seen);
	EXPECT_FALSE(net_addr_mapped(&src));
}

/* Keep what a call did, if it went ahead. */
#define SAW(o, counter) ((o)->seen.v[DUALSTACK_A_COUNTER_ ## counter]++)

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

	ASSERT_EQ(0, do_connect(o->fd, "::ffff:" NET_ADDR4, port));
	SAW(o, MAPPED_CONNECT);
	peer = net_peer(o->fd);
	test_expect_addr(_metadata, "getpeername", "::ffff:" NET_ADDR4, port,
			 &peer);
	expect(_metadata, o);
	expect_last(_metadata, o, NET_ADDR4, NULL, port);
}

TEST_F_TIMEOUT(connect, native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, do_connect(o->fd, "::1", net_port(server)));
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	serve_native(_metadata, o, variant->type, server);
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
		  do_connect(o->fd, "::ffff:127.0.0.1", port));
	SAW(o, MAPPED_CONNECT);
	expect(_metadata, o);
	expect_last(_metadata, o, "127.0.0.1", NULL, port);
}

/* This ENETUNREACH is the routing table's, not V6ONLY's. */
TEST_F_TIMEOUT(connect, unrouted, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-ENETUNREACH, do_connect(o->fd, UNROUTED, 9));
	SAW(o, MAPPED_CONNECT);
	expect(_metadata, o);
}

TEST_F_TIMEOUT(connect, port_zero, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(variant->type == SOCK_STREAM ? -ECONNREFUSED : 0,
		  do_connect(o->fd, "::ffff:127.0.0.1", 0));
	SAW(o, MAPPED_CONNECT);
	expect(_metadata, o);
}

/* "Any" is this host, by the family of the local address. */
TEST_F_TIMEOUT(connect, any_from_mapped, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	union net_addr peer;

	ASSERT_EQ(0, do_bind(o->fd, "::ffff:" NET_ADDR4, 0));
	ASSERT_EQ(0, do_connect(o->fd, "::", port));
	SAW(o, MAPPED_CONNECT);
	peer = net_peer(o->fd);
	test_expect_addr(_metadata, "getpeername", "::ffff:127.0.0.1", port,
			 &peer);
	expect(_metadata, o);
	expect_last(_metadata, o, "127.0.0.1", NULL, port);
}

TEST_F_TIMEOUT(connect, any_from_any, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr peer;
	int server;

	server = net_server(variant->type, "::1", 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, do_connect(o->fd, "::", net_port(server)));
	peer = net_peer(o->fd);
	test_expect_addr(_metadata, "getpeername", "::1", net_port(server),
			 &peer);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	serve_native(_metadata, o, variant->type, server);
	close(server);
}

TEST_F_TIMEOUT(connect, v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	int i;

	v6only(_metadata, o);
	for (i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(-ENETUNREACH,
			  do_connect(o->fd, "::ffff:127.0.0.1", port));
		SAW(o, REJECT_CONNECT);
	}
	expect(_metadata, o);
	expect_last(_metadata, o, NULL, "127.0.0.1", port);
}

/* A socket bound to an IPv6 address is V6ONLY without having asked for it. */
TEST_F_TIMEOUT(connect, from_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, do_bind(o->fd, "::1", 0));
	EXPECT_EQ(-ENETUNREACH, do_connect(o->fd, "::ffff:127.0.0.1",
					   net_port(o->server4)));
	SAW(o, REJECT_CONNECT);
	expect(_metadata, o);
}

TEST_F_TIMEOUT(connect, bindv6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_sysctl("ipv6/bindv6only", 1));
	close(o->fd);
	o->fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, o->fd);
	EXPECT_EQ(-ENETUNREACH, do_connect(o->fd, "::ffff:127.0.0.1",
					   net_port(o->server4)));
	SAW(o, REJECT_CONNECT);
	expect(_metadata, o);
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
		EXPECT_EQ(0, do_connect(o->fd, "127.0.0.1", port));
		SAW(o, MAPPED_CONNECT);
		expect_last(_metadata, o, "127.0.0.1", NULL, port);
	}
	expect(_metadata, o);
}

/* EAFNOSUPPORT is about the structure: no mapped address was turned away. */
TEST_F_TIMEOUT(connect, sockaddr_in_v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	v6only(_metadata, o);
	expect_no_sockaddr_in(_metadata, o->fd, net_port(o->server4));
	expect(_metadata, o);
}

TEST_F_TIMEOUT(connect, invalid, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr to;

	net_addr_set(&to, "::ffff:127.0.0.1", net_port(o->server4));
	EXPECT_EQ(-1, connect(o->fd, &to.sa, SHORT_LEN));
	EXPECT_EQ(EINVAL, errno);
	to.sa.sa_family = AF_UNIX;
	EXPECT_EQ(-1, connect(o->fd, &to.sa, sizeof(to.in6)));
	EXPECT_EQ(EAFNOSUPPORT, errno);
	/* An IPv4 address, of which the end is missing; TCP takes none of these. */
	net_addr_set(&to, "127.0.0.1", net_port(o->server4));
	EXPECT_EQ(-1, connect(o->fd, &to.sa, sizeof(to.in) / 2));
	EXPECT_EQ(EINVAL, errno);
	expect(_metadata, o);
}

/* TCP connects once; a UDP socket may do it again, also to IPv6. */
TEST_F_TIMEOUT(connect, again, TEST_TIMEOUT)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	int i, err;

	for (i = 0; i < ROUNDS; i++) {
		err = do_connect(o->fd, "::ffff:127.0.0.1", port);
		EXPECT_EQ(i && variant->type == SOCK_STREAM ? -EISCONN : 0,
			  err);
		if (!err)
			SAW(o, MAPPED_CONNECT);
	}
	EXPECT_EQ(0, connect(o->fd, &unspec, sizeof(unspec)));
	expect(_metadata, o);
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
	err = do_connect(o->fd, "::ffff:127.0.0.1", port);
	EXPECT_EQ(variant->type == SOCK_STREAM ? -EINPROGRESS : 0, err);
	SAW(o, MAPPED_CONNECT);
	/* Asking how it went is no second attempt. */
	if (err) {
		EXPECT_TRUE(net_wait_for(do_connect(o->fd, "::ffff:127.0.0.1",
						    port) == -EISCONN,
					 NET_TIMEOUT_MS));
	}
	expect(_metadata, o);
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
		EXPECT_EQ(0, do_send(o->fd, "::ffff:127.0.0.1", port,
				     MSG_FASTOPEN));
		SAW(o, MAPPED_CONNECT);
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

	v6only(_metadata, o);
	EXPECT_EQ(-ENETUNREACH, do_send(o->fd, "::ffff:127.0.0.1",
					net_port(o->server4), MSG_FASTOPEN));
	SAW(o, REJECT_CONNECT);
	expect(_metadata, o);
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

	ASSERT_EQ(0, setsockopt(o->fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on,
				sizeof(on)));
	EXPECT_EQ(0, do_connect(o->fd, "::ffff:127.0.0.1", port));
	SAW(o, MAPPED_CONNECT);
	expect(_metadata, o);
	EXPECT_EQ(1, send(o->fd, "x", 1, 0));
	expect(_metadata, o);
}

/* What goes through a connection is not counted. */
TEST_F_TIMEOUT(tcp, send, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	in_port_t port = net_port(o->server4);
	int i;

	ASSERT_EQ(0, do_connect(o->fd, "::ffff:127.0.0.1", port));
	SAW(o, MAPPED_CONNECT);
	for (i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(1, send(o->fd, "x", 1, 0));
		/* Streams ignore the address. */
		EXPECT_EQ(0, do_send(o->fd, "::ffff:127.0.0.1", port, 0));
	}
	expect(_metadata, o);
}

/* Datagrams. */
FIXTURE(udp)
{
	struct outbound o;
	in_port_t port;
};

FIXTURE_SETUP(udp)
{
	if (outbound_setup(_metadata, &self->o, SOCK_DGRAM))
		self->port = net_port(self->o.server4);
}

FIXTURE_TEARDOWN(udp)
{
	outbound_teardown(&self->o);
}

/* One datagram of a length is what the IPv4 peer gets. */
static void expect_datagram(struct __test_metadata *_metadata,
			    struct outbound *o, ssize_t len)
{
	char buf[256];

	ASSERT_EQ(0, net_wait_in(o->server4, NET_TIMEOUT_MS));
	EXPECT_EQ(len, recv(o->server4, buf, sizeof(buf), 0));
}

TEST_F_TIMEOUT(udp, mapped, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, do_send(o->fd, "::ffff:" NET_ADDR4, self->port,
				     0));
		SAW(o, MAPPED_SEND);
		expect_datagram(_metadata, o, 1);
	}
	expect(_metadata, o);
	expect_last(_metadata, o, NET_ADDR4, NULL, self->port);
}

TEST_F_TIMEOUT(udp, sockaddr_in, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, do_send(o->fd, NET_ADDR4, self->port, 0));
	SAW(o, MAPPED_SEND);
	expect_datagram(_metadata, o, 1);
	expect(_metadata, o);
	expect_last(_metadata, o, NET_ADDR4, NULL, self->port);
}

TEST_F_TIMEOUT(udp, native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(SOCK_DGRAM, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, server);
	EXPECT_EQ(0, do_send(o->fd, "::1", net_port(server), 0));
	EXPECT_EQ(0, do_send(o->fd, NET_ADDR6, net_port(server), 0));
	/* From no address in particular, "any" is ::1. */
	EXPECT_EQ(0, do_send(o->fd, "::", net_port(server), 0));
	/* None of these is read: it is the sender that this is about. */
	/* No mapped address, however much it looks like one. */
	EXPECT_EQ(-ENETUNREACH, do_send(o->fd, "64:ff9b::127.0.0.1", 9, 0));
	EXPECT_EQ(-ENETUNREACH, do_send(o->fd, "::127.0.0.1", 9, 0));
	expect(_metadata, o);
	close(server);
}

TEST_F_TIMEOUT(udp, v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int i;

	v6only(_metadata, o);
	for (i = 0; i < ROUNDS; i++) {
		EXPECT_EQ(-ENETUNREACH, do_send(o->fd, "::ffff:127.0.0.1",
						self->port, 0));
		SAW(o, REJECT_SEND);
	}
	expect(_metadata, o);
	expect_last(_metadata, o, NULL, "127.0.0.1", self->port);
}

/* Unlike connect(), sendto() says the same of both kinds of address. */
TEST_F_TIMEOUT(udp, sockaddr_in_v6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	v6only(_metadata, o);
	EXPECT_EQ(-ENETUNREACH, do_send(o->fd, "127.0.0.1", self->port, 0));
	SAW(o, REJECT_SEND);
	expect(_metadata, o);
}

TEST_F_TIMEOUT(udp, from_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, do_bind(o->fd, NET_ADDR6, 0));
	EXPECT_EQ(-ENETUNREACH, do_send(o->fd, "::ffff:127.0.0.1", self->port,
					0));
	SAW(o, REJECT_SEND);
	expect(_metadata, o);
}

TEST_F_TIMEOUT(udp, any_from_mapped, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, do_bind(o->fd, "::ffff:" NET_ADDR4, 0));
	ASSERT_EQ(0, do_send(o->fd, "::", self->port, 0));
	SAW(o, MAPPED_SEND);
	expect_datagram(_metadata, o, 1);
	expect(_metadata, o);
	expect_last(_metadata, o, "127.0.0.1", NULL, self->port);
}

TEST_F_TIMEOUT(udp, connected, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int i;

	ASSERT_EQ(0, do_connect(o->fd, "::ffff:127.0.0.1", self->port));
	SAW(o, MAPPED_CONNECT);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(1, send(o->fd, "x", 1, 0));
		SAW(o, MAPPED_SEND);
		expect_datagram(_metadata, o, 1);
		ASSERT_EQ(1, write(o->fd, "x", 1));
		SAW(o, MAPPED_SEND);
		expect_datagram(_metadata, o, 1);
	}
	expect(_metadata, o);
	expect_last(_metadata, o, "127.0.0.1", NULL, self->port);

	/* An address goes before the one connected to. */
	ASSERT_EQ(0, do_send(o->fd, "::ffff:" NET_ADDR4, self->port, 0));
	SAW(o, MAPPED_SEND);
	expect_datagram(_metadata, o, 1);
	expect(_metadata, o);
	expect_last(_metadata, o, NET_ADDR4, NULL, self->port);
}

TEST_F_TIMEOUT(udp, connected_sockaddr_in, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, do_connect(o->fd, "127.0.0.1", self->port));
	SAW(o, MAPPED_CONNECT);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	SAW(o, MAPPED_SEND);
	expect_datagram(_metadata, o, 1);
	expect(_metadata, o);
}

TEST_F_TIMEOUT(udp, connected_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(SOCK_DGRAM, "::1", 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, do_connect(o->fd, "::1", net_port(server)));
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	serve_native(_metadata, o, SOCK_DGRAM, server);
	close(server);
}

/* What is sent after a refused connection still goes nowhere. */
TEST_F_TIMEOUT(udp, not_connected, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	v6only(_metadata, o);
	EXPECT_EQ(-ENETUNREACH, do_connect(o->fd, "::ffff:127.0.0.1",
					   self->port));
	SAW(o, REJECT_CONNECT);
	EXPECT_EQ(-1, send(o->fd, "x", 1, 0));
	EXPECT_EQ(EDESTADDRREQ, errno);
	expect(_metadata, o);
}

/* After AF_UNSPEC the socket is nobody's, and IPv4 no longer its family. */
TEST_F_TIMEOUT(udp, disconnected, TEST_TIMEOUT)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct outbound *o = &self->o;

	ASSERT_EQ(0, do_connect(o->fd, "::ffff:127.0.0.1", self->port));
	SAW(o, MAPPED_CONNECT);
	ASSERT_EQ(0, connect(o->fd, &unspec, sizeof(unspec)));
	EXPECT_EQ(-1, send(o->fd, "x", 1, 0));
	EXPECT_EQ(EDESTADDRREQ, errno);
	expect(_metadata, o);
}

/* An address of the family AF_UNSPEC is no address: IPv6 is tried. */
TEST_F_TIMEOUT(udp, unspec, TEST_TIMEOUT)
{
	struct sockaddr_in6 unspec = { .sin6_family = AF_UNSPEC };
	struct outbound *o = &self->o;

	ASSERT_EQ(0, do_connect(o->fd, "::ffff:127.0.0.1", self->port));
	SAW(o, MAPPED_CONNECT);
	EXPECT_EQ(-1, sendto(o->fd, "x", 1, 0, (struct sockaddr *)&unspec,
			     sizeof(unspec)));
	EXPECT_EQ(ENETUNREACH, errno);
	expect(_metadata, o);
}

TEST_F_TIMEOUT(udp, invalid, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr to;

	net_addr_set(&to, "::ffff:127.0.0.1", self->port);
	EXPECT_EQ(-1, sendto(o->fd, "x", 1, 0, &to.sa, SHORT_LEN));
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
	expect(_metadata, o);
}

/* No datagram goes to port 0; with V6ONLY nobody looks that far. */
TEST_F_TIMEOUT(udp, port_zero, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-EINVAL, do_send(o->fd, "::ffff:127.0.0.1", 0, 0));
	expect(_metadata, o);

	/* The attempt has bound it. */
	close(o->fd);
	o->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, o->fd);
	v6only(_metadata, o);
	EXPECT_EQ(-ENETUNREACH, do_send(o->fd, "::ffff:127.0.0.1", 0, 0));
	SAW(o, REJECT_SEND);
	expect(_metadata, o);
}

TEST_F_TIMEOUT(udp, unrouted, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-ENETUNREACH, do_send(o->fd, UNROUTED, self->port, 0));
	SAW(o, MAPPED_SEND);
	expect(_metadata, o);
}

TEST_F_TIMEOUT(udp, empty, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr to;

	net_addr_set(&to, "::ffff:127.0.0.1", self->port);
	ASSERT_EQ(0, sendto(o->fd, NULL, 0, 0, &to.sa, sizeof(to.in6)));
	SAW(o, MAPPED_SEND);
	expect_datagram(_metadata, o, 0);
	expect(_metadata, o);
}

/* Each message of sendmmsg() counts for itself. */
TEST_F_TIMEOUT(udp, sendmmsg, TEST_TIMEOUT)
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
			SAW(o, MAPPED_SEND);
			expect_datagram(_metadata, o, 1);
		}
	}
	EXPECT_EQ(3, o->seen.v[DUALSTACK_A_COUNTER_MAPPED_SEND]);
	expect(_metadata, o);
	close(native);
}

/* Calls are counted, of which several may make one datagram. */
TEST_F_TIMEOUT(udp, cork, TEST_TIMEOUT)
{
	static const int off;
	struct outbound *o = &self->o;
	int i;

	ASSERT_EQ(0, setsockopt(o->fd, IPPROTO_UDP, UDP_CORK, &on,
				sizeof(on)));
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, do_send(o->fd, "::ffff:127.0.0.1", self->port,
				     0));
		SAW(o, MAPPED_SEND);
	}
	ASSERT_EQ(0, setsockopt(o->fd, IPPROTO_UDP, UDP_CORK, &off,
				sizeof(off)));
	expect_datagram(_metadata, o, ROUNDS);
	expect(_metadata, o);
}

/* What is added to a datagram under way need not repeat the address. */
TEST_F_TIMEOUT(udp, more, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, do_send(o->fd, "::ffff:127.0.0.1", self->port, MSG_MORE));
	SAW(o, MAPPED_SEND);
	ASSERT_EQ(1, send(o->fd, "x", 1, MSG_MORE));
	SAW(o, MAPPED_SEND);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	SAW(o, MAPPED_SEND);
	expect_datagram(_metadata, o, 3);
	expect(_metadata, o);
	expect_last(_metadata, o, "127.0.0.1", NULL, self->port);
}

TEST_F_TIMEOUT(udp, more_connected, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, do_connect(o->fd, "::ffff:127.0.0.1", self->port));
	SAW(o, MAPPED_CONNECT);
	ASSERT_EQ(1, send(o->fd, "x", 1, MSG_MORE));
	SAW(o, MAPPED_SEND);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	SAW(o, MAPPED_SEND);
	expect_datagram(_metadata, o, 2);
	expect(_metadata, o);
}

/* The datagram under way decides, not whom the socket is connected to. */
TEST_F_TIMEOUT(udp, more_connected_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(SOCK_DGRAM, NET_ADDR6, 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, do_connect(o->fd, NET_ADDR6, net_port(server)));
	ASSERT_EQ(0, do_send(o->fd, "::ffff:127.0.0.1", self->port, MSG_MORE));
	SAW(o, MAPPED_SEND);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	SAW(o, MAPPED_SEND);
	expect_datagram(_metadata, o, 2);
	expect(_metadata, o);
	close(server);
}

/* The other way round: a native datagram under way takes what follows. */
TEST_F_TIMEOUT(udp, more_native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(SOCK_DGRAM, "::1", 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, do_send(o->fd, "::1", net_port(server), MSG_MORE));
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	serve_native(_metadata, o, SOCK_DGRAM, server);
	close(server);
}

/* A thread that calls, again and again, and what it was told. */
struct caller {
	pthread_t thread;
	int (*call)(const struct caller *c);
	int fd;
	union net_addr to;
	bool stop;
	__u64 allowed;
	__u64 refused;
	int err;
};

static int call_send(const struct caller *c)
{
	return sendto(c->fd, "x", 1, 0, &c->to.sa, net_addr_len(&c->to)) == 1 ?
	       0 : -errno;
}

static int call_connect(const struct caller *c)
{
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (connect(c->fd, &c->to.sa, net_addr_len(&c->to)))
		return -errno;
	/* IPV6_V6ONLY cannot be set while it is connected. */
	return connect(c->fd, &none, sizeof(none)) ? -ECONNABORTED : 0;
}

static void count(__u64 *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static void *call_forever(void *arg)
{
	struct caller *c = arg;

	while (!c->err && !__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		int err = c->call(c);

		if (!err)
			count(&c->allowed);
		else if (err == -ENETUNREACH || err == -EAFNOSUPPORT)
			count(&c->refused);
		else
			c->err = err;
	}
	return NULL;
}

#define PREEMPT	"/sys/kernel/debug/sched/preempt"

FIXTURE(toggled)
{
	struct fam ds;
	char preempt[16];	/* what it was, if it was changed */
};

FIXTURE_VARIANT(toggled)
{
	int (*call)(const struct caller *c);
	const char *to;
	int rounds;
	__u16 allowed;
	__u16 refused;
};

FIXTURE_VARIANT_ADD(toggled, send_mapped) {
	.call = call_send, .to = "::ffff:127.0.0.1", .rounds = 6000,
	.allowed = DUALSTACK_A_COUNTER_MAPPED_SEND,
	.refused = DUALSTACK_A_COUNTER_REJECT_SEND,
};

FIXTURE_VARIANT_ADD(toggled, send_sockaddr_in) {
	.call = call_send, .to = "127.0.0.1", .rounds = 4000,
	.allowed = DUALSTACK_A_COUNTER_MAPPED_SEND,
	.refused = DUALSTACK_A_COUNTER_REJECT_SEND,
};

FIXTURE_VARIANT_ADD(toggled, connect_mapped) {
	.call = call_connect, .to = "::ffff:127.0.0.1", .rounds = 2000,
	.allowed = DUALSTACK_A_COUNTER_MAPPED_CONNECT,
	.refused = DUALSTACK_A_COUNTER_REJECT_CONNECT,
};

/* EAFNOSUPPORT is not counted. */
FIXTURE_VARIANT_ADD(toggled, connect_sockaddr_in) {
	.call = call_connect, .to = "127.0.0.1", .rounds = 2000,
	.allowed = DUALSTACK_A_COUNTER_MAPPED_CONNECT,
};

/* A call inside the kernel is to be interrupted, where that can be chosen: returns
 * what it was, which the file has in parentheses, or "".
 */
static void preempt_full(char *was, size_t size)
{
	char text[64] = "", *begin, *end;
	int fd;

	was[0] = '\0';
	fd = open(PREEMPT, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0) {
		begin = strchr(text, '(');
		end = begin ? strchr(begin, ')') : NULL;
		if (end && !net_write_file(PREEMPT, "full"))
			snprintf(was, size, "%.*s", (int)(end - begin - 1),
				 begin + 1);
	}
	close(fd);
}

FIXTURE_SETUP(toggled)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	preempt_full(self->preempt, sizeof(self->preempt));
}

FIXTURE_TEARDOWN(toggled)
{
	if (self->preempt[0])
		net_write_file(PREEMPT, self->preempt);
	fam_close(&self->ds);
}

/* Have this thread, and those that it makes, run on one processor only. */
static int one_processor(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* Have this thread run as soon as it can. */
static int run_first(void)
{
	struct sched_param param = { .sched_priority = 1 };

	return sched_setscheduler(0, SCHED_FIFO, &param) ? -errno : 0;
}

/* Let the others run for a while, which is another one each time, and longer where
 * it takes more than the rounds that were meant.
 */
static void pause_for(int i, int rounds)
{
	struct timespec ts = {
		.tv_nsec = 20000 + i * 7919 % 50000 + i / rounds * 1000000,
	};

	nanosleep(&ts, NULL);
}

static bool has_called(const struct caller *c)
{
	return __atomic_load_n(&c->allowed, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&c->refused, __ATOMIC_RELAXED);
}

/* Whoever sets IPV6_V6ONLY while a call is on its way: what the caller was told is
 * what is counted. He interrupts the caller, on the same processor, at whatever
 * instruction that is: one in some hundreds is between where the module looks and
 * where the kernel does.
 */
TEST_F_TIMEOUT(toggled, told, TEST_TIMEOUT)
{
	struct caller c = { .call = variant->call };
	int i, n, fd, sink, toggled = 0, busy = 0;
	int rounds = test_rounds(variant->rounds);
	struct fam_counters seen = { };

	sink = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, sink);
	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	c.fd = fd;
	net_addr_set(&c.to, variant->to, net_port(sink));
	ASSERT_EQ(0, one_processor());
	ASSERT_EQ(0, pthread_create(&c.thread, NULL, call_forever, &c));
	ASSERT_EQ(0, run_first());

	/* What it is already is no change; where a caller is in between it is busy,
	 * and where it is connected it cannot be set.
	 */
	for (i = 0; i < rounds || (i < 100 * rounds && !has_called(&c)); i++) {
		n = fam_v6only_set(&self->ds, fd, i % 2, false);
		toggled += n > 0;
		busy += n == -EBUSY;
		pause_for(i, rounds);
	}
	__atomic_store_n(&c.stop, true, __ATOMIC_RELAXED);
	pthread_join(c.thread, NULL);
	EXPECT_EQ(0, c.err);
	EXPECT_LT(0, c.allowed);
	EXPECT_LT(0, c.refused);
	seen.v[variant->allowed] = c.allowed;
	if (variant->refused)
		seen.v[variant->refused] = c.refused;
	TH_LOG("set %d times, busy %d times", toggled, busy);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
	close(sink);
}

/* Sockets that are neither TCP nor UDP. */
FIXTURE(other)
{
	struct outbound o;
};

FIXTURE_VARIANT(other)
{
	int type;
	int protocol;
	const char *optional;	/* its name, if there are kernels without */
};

FIXTURE_VARIANT_ADD(other, raw)
{
	.type = SOCK_RAW, .protocol = IPPROTO_UDP,
};

FIXTURE_VARIANT_ADD(other, raw_tcp)
{
	.type = SOCK_RAW, .protocol = IPPROTO_TCP,
};

FIXTURE_VARIANT_ADD(other, ping)
{
	.type = SOCK_DGRAM, .protocol = IPPROTO_ICMPV6,
};

FIXTURE_VARIANT_ADD(other, udplite)
{
	.type = SOCK_DGRAM, .protocol = IPPROTO_UDPLITE,
	.optional = "UDP-Lite",
};

FIXTURE_SETUP(other)
{
	if (!outbound_setup(_metadata, &self->o, SOCK_DGRAM))
		return;
	ASSERT_EQ(0, net_write_file("/proc/sys/net/ipv4/ping_group_range",
				    "0 0"));

	close(self->o.fd);
	self->o.fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC,
			    variant->protocol);
	if (self->o.fd < 0 && errno == EPROTONOSUPPORT && variant->optional)
		SKIP(return, "the kernel lacks %s", variant->optional);
	ASSERT_LE(0, self->o.fd);
}

FIXTURE_TEARDOWN(other)
{
	outbound_teardown(&self->o);
}

/* Whether they take a mapped address is their affair. */
TEST_F_TIMEOUT(other, counts_nothing, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int i;

	for (i = 0; i < 2; i++) {
		do_send(o->fd, "::ffff:127.0.0.1", 9, 0);
		do_connect(o->fd, "::ffff:127.0.0.1", 9);
		send(o->fd, "x", 1, 0);
		expect(_metadata, o);

		/* And once more with V6ONLY. */
		close(o->fd);
		o->fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC,
			       variant->protocol);
		ASSERT_LE(0, o->fd);
		/* A raw socket is bound from birth, which is too late. */
		if (variant->type != SOCK_RAW)
			v6only(_metadata, o);
		do_bind(o->fd, "::ffff:127.0.0.1", 0);
		expect(_metadata, o);
	}
}

FIXTURE(bind)
{
	struct outbound o;
};

FIXTURE_VARIANT(bind)
{
	int type;
};

FIXTURE_VARIANT_ADD(bind, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(bind, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(bind)
{
	if (outbound_setup(_metadata, &self->o, variant->type))
		v6only(_metadata, &self->o);
}

FIXTURE_TEARDOWN(bind)
{
	outbound_teardown(&self->o);
}

TEST_F_TIMEOUT(bind, mapped, TEST_TIMEOUT)
{
	static const char *const addrs[] = {
		"::ffff:127.0.0.1", "::ffff:" NET_ADDR4, "::ffff:0.0.0.0",
		UNROUTED,
	};
	struct outbound *o = &self->o;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		EXPECT_EQ(-EINVAL, do_bind(o->fd, addrs[i], 0));
		SAW(o, REJECT_BIND);
	}
	expect(_metadata, o);
	/* There is no peer yet. */
	expect_last(_metadata, o, NULL, NULL, 0);

	/* It can still be bound; then EINVAL means that it is. */
	ASSERT_EQ(0, do_bind(o->fd, "::", 0));
	EXPECT_EQ(-EINVAL, do_bind(o->fd, "::ffff:127.0.0.1", 0));
	expect(_metadata, o);
}

TEST_F_TIMEOUT(bind, connected, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(variant->type, "::1", 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, do_connect(o->fd, "::1", net_port(server)));
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	EXPECT_EQ(-EINVAL, do_bind(o->fd, "::ffff:127.0.0.1", 0));
	serve_native(_metadata, o, variant->type, server);
	close(server);
}

TEST_F_TIMEOUT(bind, native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-EADDRNOTAVAIL, do_bind(o->fd, "2001:db8::2", 0));
	EXPECT_EQ(0, do_bind(o->fd, NET_ADDR6, 0));
	expect(_metadata, o);
}

/* Without V6ONLY it is an address like any other. */
TEST_F_TIMEOUT(bind, dual, TEST_TIMEOUT)
{
	static const int off;
	struct outbound *o = &self->o;

	EXPECT_EQ(-EINVAL, do_bind(o->fd, "::ffff:127.0.0.1", 0));
	SAW(o, REJECT_BIND);
	ASSERT_EQ(0, setsockopt(o->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
				sizeof(off)));
	EXPECT_EQ(-EADDRNOTAVAIL, do_bind(o->fd, UNROUTED, 0));
	EXPECT_EQ(0, do_bind(o->fd, "::ffff:127.0.0.1", 0));
	expect(_metadata, o);
}

TEST_F_TIMEOUT(bind, bindv6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_sysctl("ipv6/bindv6only", 1));
	close(o->fd);
	o->fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, o->fd);
	EXPECT_EQ(-EINVAL, do_bind(o->fd, "::ffff:127.0.0.1", 0));
	SAW(o, REJECT_BIND);
	expect(_metadata, o);
}

TEST_F_TIMEOUT(bind, invalid, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr addr;

	net_addr_set(&addr, "::ffff:127.0.0.1", 0);
	EXPECT_EQ(-1, bind(o->fd, &addr.sa, SHORT_LEN));
	EXPECT_EQ(EINVAL, errno);
	addr.sa.sa_family = AF_INET;
	EXPECT_EQ(-1, bind(o->fd, &addr.sa, sizeof(addr.in6)));
	EXPECT_EQ(EAFNOSUPPORT, errno);
	expect(_metadata, o);
}

static int drop_bind_service(void)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &hdr, data))
		return -errno;
	data[0].effective &= ~(1U << CAP_NET_BIND_SERVICE);
	return syscall(SYS_capset, &hdr, data) ? -errno : 0;
}

/* The first error is the one that the application sees. */
TEST_F_TIMEOUT(bind, privileged_port, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-EINVAL, do_bind(o->fd, "::ffff:127.0.0.1", 80));
	SAW(o, REJECT_BIND);
	expect(_metadata, o);

	ASSERT_EQ(0, drop_bind_service());
	EXPECT_EQ(-EACCES, do_bind(o->fd, "::ffff:127.0.0.1", 80));
	expect(_metadata, o);

	EXPECT_EQ(-EINVAL, do_bind(o->fd, "::ffff:127.0.0.1", 8080));
	SAW(o, REJECT_BIND);
	ASSERT_EQ(0, net_sysctl("ipv4/ip_unprivileged_port_start", 80));
	EXPECT_EQ(-EINVAL, do_bind(o->fd, "::ffff:127.0.0.1", 80));
	SAW(o, REJECT_BIND);
	expect(_metadata, o);
}

TEST_HARNESS_MAIN
