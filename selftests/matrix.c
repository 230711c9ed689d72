// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scenarios of the classic dual-stack texts: who is served by whom, under
 * which address, and what is counted for it.
 *
 * Each asserts what both applications were told, and every counter of both
 * sockets and of the namespace: those that the scenario does not name stay 0.
 */
#include <net/if.h>
#include <netdb.h>

#include "lib/test.h"
#include "lib/net_link.h"

#define LINK_LOCAL	"fe80::1%dummy0"

/* A namespace with a device that has a link-local address. */
static bool scenario_net(struct __test_metadata *_metadata, struct fam *ds)
{
	if (!test_setup(_metadata, ds))
		return false;
	ASSERT_EQ(0, net_link_dummy("dummy0"));
	ASSERT_EQ(0, net_link_addr("dummy0", "fe80::1", 64));
	/* Every refused datagram is to be answered. */
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	return true;
}

/* What a client is counted for, before anybody answers. */
static void saw_outbound(struct fam_counters *c, int type, const char *to)
{
	union net_addr addr;

	net_addr_set(&addr, to, 0);
	if (addr.sa.sa_family == AF_INET) {
		c->v[DUALSTACK_A_COUNTER_V4_CONNECT]++;
		c->v[DUALSTACK_A_COUNTER_V4_SEND] += type == SOCK_DGRAM;
	} else if (net_addr_mapped(&addr)) {
		c->v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
		c->v[DUALSTACK_A_COUNTER_MAPPED_SEND] += type == SOCK_DGRAM;
	} else {
		c->v[DUALSTACK_A_COUNTER_NATIVE_CONNECT]++;
	}
}

FIXTURE(matrix)
{
	struct fam ds;
};

/**
 * struct scenario - a client and a server
 * @server: address that the server is bound to
 * @flags: NET_* of the server
 * @client: address that the client connects to, and comes from, as all is
 *	local; its form is the family of the client's socket
 * @bindv6only: net.ipv6.bindv6only
 * @peer: who the server is told its client is, and which address of its own
 *	it was reached at; NULL where the client gets ECONNREFUSED
 * @refused: the counter of the refusal, 0 where it is nobody's
 * @elsewhere: the server has the port at another address, for such a client
 */
struct scenario {
	const char *server;
	unsigned int flags;
	const char *client;
	int bindv6only;
	const char *peer;
	int refused;
	bool elsewhere;
};

FIXTURE_VARIANT(matrix)
{
	struct scenario s;
};

/* The six combinations. */
FIXTURE_VARIANT_ADD(matrix, v4_to_v4)
{
	.s = { .server = "0.0.0.0", .client = "127.0.0.1", .peer = "127.0.0.1" },
};

FIXTURE_VARIANT_ADD(matrix, v6_to_v4)
{
	.s = { .server = "0.0.0.0", .client = "::1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_V4ONLY },
};

FIXTURE_VARIANT_ADD(matrix, v4_to_dual)
{
	.s = { .server = "::", .flags = NET_DUAL, .client = "127.0.0.1",
	       .peer = "::ffff:127.0.0.1" },
};

FIXTURE_VARIANT_ADD(matrix, v6_to_dual)
{
	.s = { .server = "::", .flags = NET_DUAL, .client = "::1",
	       .peer = "::1" },
};

FIXTURE_VARIANT_ADD(matrix, v4_to_v6only)
{
	.s = { .server = "::", .flags = NET_V6ONLY, .client = "127.0.0.1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_V6ONLY },
};

FIXTURE_VARIANT_ADD(matrix, v6_to_v6only)
{
	.s = { .server = "::", .flags = NET_V6ONLY, .client = "::1",
	       .peer = "::1" },
};

/* The same by routable addresses. */
FIXTURE_VARIANT_ADD(matrix, routable_v4_to_v4)
{
	.s = { .server = "0.0.0.0", .client = NET_ADDR4, .peer = NET_ADDR4 },
};

FIXTURE_VARIANT_ADD(matrix, routable_v6_to_v4)
{
	.s = { .server = "0.0.0.0", .client = NET_ADDR6,
	       .refused = DUALSTACK_A_COUNTER_REJECT_V4ONLY },
};

FIXTURE_VARIANT_ADD(matrix, routable_v4_to_dual)
{
	.s = { .server = "::", .flags = NET_DUAL, .client = NET_ADDR4,
	       .peer = "::ffff:" NET_ADDR4 },
};

FIXTURE_VARIANT_ADD(matrix, routable_v6_to_dual)
{
	.s = { .server = "::", .flags = NET_DUAL, .client = NET_ADDR6,
	       .peer = NET_ADDR6 },
};

FIXTURE_VARIANT_ADD(matrix, routable_v4_to_v6only)
{
	.s = { .server = "::", .flags = NET_V6ONLY, .client = NET_ADDR4,
	       .refused = DUALSTACK_A_COUNTER_REJECT_V6ONLY },
};

FIXTURE_VARIANT_ADD(matrix, routable_v6_to_v6only)
{
	.s = { .server = "::", .flags = NET_V6ONLY, .client = NET_ADDR6,
	       .peer = NET_ADDR6 },
};

/* net.ipv6.bindv6only is but the default of IPV6_V6ONLY. */
FIXTURE_VARIANT_ADD(matrix, bindv6only_v4)
{
	.s = { .bindv6only = 1, .server = "::", .client = "127.0.0.1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_V6ONLY },
};

FIXTURE_VARIANT_ADD(matrix, bindv6only_v6)
{
	.s = { .bindv6only = 1, .server = "::", .client = "::1", .peer = "::1" },
};

FIXTURE_VARIANT_ADD(matrix, bindv6only_overruled_v4)
{
	.s = { .bindv6only = 1, .server = "::", .flags = NET_DUAL,
	       .client = "127.0.0.1", .peer = "::ffff:127.0.0.1" },
};

FIXTURE_VARIANT_ADD(matrix, bindv6only_overruled_v6)
{
	.s = { .bindv6only = 1, .server = "::", .flags = NET_DUAL,
	       .client = "::1", .peer = "::1" },
};

/* A server of one IPv6 address has nothing for IPv4, whatever V6ONLY says. */
FIXTURE_VARIANT_ADD(matrix, v6_to_loopback6)
{
	.s = { .server = "::1", .client = "::1", .peer = "::1" },
};

FIXTURE_VARIANT_ADD(matrix, v4_to_loopback6)
{
	.s = { .server = "::1", .client = "127.0.0.1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_ADDR },
};

FIXTURE_VARIANT_ADD(matrix, v4_to_loopback6_dual)
{
	.s = { .server = "::1", .flags = NET_DUAL, .client = "127.0.0.1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_ADDR },
};

FIXTURE_VARIANT_ADD(matrix, v4_to_loopback6_v6only)
{
	.s = { .server = "::1", .flags = NET_V6ONLY, .client = "127.0.0.1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_ADDR },
};

FIXTURE_VARIANT_ADD(matrix, routable_v4_to_loopback6)
{
	.s = { .server = "::1", .client = NET_ADDR4,
	       .refused = DUALSTACK_A_COUNTER_REJECT_ADDR },
};

FIXTURE_VARIANT_ADD(matrix, v6_to_routable6)
{
	.s = { .server = NET_ADDR6, .client = NET_ADDR6, .peer = NET_ADDR6 },
};

FIXTURE_VARIANT_ADD(matrix, v4_to_routable6)
{
	.s = { .server = NET_ADDR6, .client = "127.0.0.1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_ADDR },
};

FIXTURE_VARIANT_ADD(matrix, routable_v4_to_routable6)
{
	.s = { .server = NET_ADDR6, .client = NET_ADDR4,
	       .refused = DUALSTACK_A_COUNTER_REJECT_ADDR },
};

/* Another address of the same family is a matter of routing, not of ours. */
FIXTURE_VARIANT_ADD(matrix, other_v6_to_routable6)
{
	.s = { .server = NET_ADDR6, .client = "::1",
	       .elsewhere = true },
};

FIXTURE_VARIANT_ADD(matrix, other_v4_to_routable4)
{
	.s = { .server = NET_ADDR4, .client = "127.0.0.1",
	       .elsewhere = true },
};

/* A server of an IPv4 address has nothing for IPv6. */
FIXTURE_VARIANT_ADD(matrix, v4_to_loopback4)
{
	.s = { .server = "127.0.0.1", .client = "127.0.0.1",
	       .peer = "127.0.0.1" },
};

FIXTURE_VARIANT_ADD(matrix, v6_to_loopback4)
{
	.s = { .server = "127.0.0.1", .client = "::1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_V4ONLY },
};

FIXTURE_VARIANT_ADD(matrix, routable_v6_to_loopback4)
{
	.s = { .server = "127.0.0.1", .client = NET_ADDR6,
	       .refused = DUALSTACK_A_COUNTER_REJECT_V4ONLY },
};

FIXTURE_VARIANT_ADD(matrix, v4_to_routable4)
{
	.s = { .server = NET_ADDR4, .client = NET_ADDR4, .peer = NET_ADDR4 },
};

FIXTURE_VARIANT_ADD(matrix, v6_to_routable4)
{
	.s = { .server = NET_ADDR4, .client = "::1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_V4ONLY },
};

FIXTURE_VARIANT_ADD(matrix, routable_v6_to_routable4)
{
	.s = { .server = NET_ADDR4, .client = NET_ADDR6,
	       .refused = DUALSTACK_A_COUNTER_REJECT_V4ONLY },
};

/* Link-local addresses are IPv6 addresses that need a scope. */
FIXTURE_VARIANT_ADD(matrix, link_local_to_dual)
{
	.s = { .server = "::", .flags = NET_DUAL, .client = LINK_LOCAL,
	       .peer = LINK_LOCAL },
};

FIXTURE_VARIANT_ADD(matrix, link_local_to_v6only)
{
	.s = { .server = "::", .flags = NET_V6ONLY, .client = LINK_LOCAL,
	       .peer = LINK_LOCAL },
};

FIXTURE_VARIANT_ADD(matrix, link_local_to_link_local)
{
	.s = { .server = LINK_LOCAL, .client = LINK_LOCAL, .peer = LINK_LOCAL },
};

FIXTURE_VARIANT_ADD(matrix, link_local_to_v4)
{
	.s = { .server = "0.0.0.0", .client = LINK_LOCAL,
	       .refused = DUALSTACK_A_COUNTER_REJECT_V4ONLY },
};

FIXTURE_VARIANT_ADD(matrix, v6_to_link_local)
{
	.s = { .server = LINK_LOCAL, .client = "::1",
	       .elsewhere = true },
};

/* A server bound to a mapped address is an IPv4 server that shows IPv6. */
FIXTURE_VARIANT_ADD(matrix, v4_to_mapped)
{
	.s = { .server = "::ffff:127.0.0.1", .client = "127.0.0.1",
	       .peer = "::ffff:127.0.0.1" },
};

FIXTURE_VARIANT_ADD(matrix, v6_to_mapped)
{
	.s = { .server = "::ffff:127.0.0.1", .client = "::1" },
};

FIXTURE_VARIANT_ADD(matrix, routable_v4_to_mapped)
{
	.s = { .server = "::ffff:" NET_ADDR4, .client = NET_ADDR4,
	       .peer = "::ffff:" NET_ADDR4 },
};

FIXTURE_VARIANT_ADD(matrix, other_v4_to_mapped)
{
	.s = { .server = "::ffff:" NET_ADDR4, .client = "127.0.0.1",
	       .elsewhere = true },
};

FIXTURE_VARIANT_ADD(matrix, v4_to_mapped_any)
{
	.s = { .server = "::ffff:0.0.0.0", .client = "127.0.0.1",
	       .peer = "::ffff:127.0.0.1" },
};

FIXTURE_VARIANT_ADD(matrix, v6_to_mapped_any)
{
	.s = { .server = "::ffff:0.0.0.0", .client = "::1" },
};

/* An AF_INET6 client of a mapped address is an IPv4 client to its peer. */
FIXTURE_VARIANT_ADD(matrix, mapped_to_v4)
{
	.s = { .server = "0.0.0.0", .client = "::ffff:127.0.0.1",
	       .peer = "127.0.0.1" },
};

FIXTURE_VARIANT_ADD(matrix, mapped_to_dual)
{
	.s = { .server = "::", .flags = NET_DUAL,
	       .client = "::ffff:127.0.0.1", .peer = "::ffff:127.0.0.1" },
};

FIXTURE_VARIANT_ADD(matrix, mapped_to_v6only)
{
	.s = { .server = "::", .flags = NET_V6ONLY,
	       .client = "::ffff:127.0.0.1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_V6ONLY },
};

FIXTURE_VARIANT_ADD(matrix, mapped_to_loopback6)
{
	.s = { .server = "::1", .client = "::ffff:127.0.0.1",
	       .refused = DUALSTACK_A_COUNTER_REJECT_ADDR },
};

FIXTURE_VARIANT_ADD(matrix, mapped_to_mapped)
{
	.s = { .server = "::ffff:127.0.0.1", .client = "::ffff:127.0.0.1",
	       .peer = "::ffff:127.0.0.1" },
};

FIXTURE_VARIANT_ADD(matrix, routable_mapped_to_v4)
{
	.s = { .server = "0.0.0.0", .client = "::ffff:" NET_ADDR4,
	       .peer = NET_ADDR4 },
};

FIXTURE_VARIANT_ADD(matrix, routable_mapped_to_dual)
{
	.s = { .server = "::", .flags = NET_DUAL,
	       .client = "::ffff:" NET_ADDR4, .peer = "::ffff:" NET_ADDR4 },
};

FIXTURE_SETUP(matrix)
{
	if (!scenario_net(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv6/bindv6only", variant->s.bindv6only));
}

FIXTURE_TEARDOWN(matrix)
{
	fam_close(&self->ds);
}

/* A connection: who each end thinks it talks to, and a byte each way. */
static void serve_tcp(struct __test_metadata *_metadata, struct fam *ds,
		      const struct scenario *s, int server,
		      struct fam_counters *seen, struct fam_counters *seen_client)
{
	union net_addr peer, addr;
	int client, conn;
	char c = 'x';

	client = net_client(SOCK_STREAM, s->client, net_port(server),
			    NULL);
	ASSERT_LE(0, client);
	saw_outbound(seen_client, SOCK_STREAM, s->client);

	conn = net_accept(server, &peer);
	ASSERT_LE(0, conn);
	test_saw_accept(seen, &peer);
	test_expect_addr(_metadata, "accept", s->peer, net_port(client),
			 &peer);
	addr = net_peer(conn);
	test_expect_addr(_metadata, "getpeername of the server", s->peer,
			 net_port(client), &addr);
	addr = net_local(conn);
	test_expect_addr(_metadata, "getsockname of the server", s->peer,
			 net_port(server), &addr);
	addr = net_peer(client);
	test_expect_addr(_metadata, "getpeername of the client", s->client,
			 net_port(server), &addr);
	addr = net_local(client);
	test_expect_addr(_metadata, "getsockname of the client", s->client,
			 net_port(client), &addr);

	EXPECT_EQ(1, send(client, &c, 1, 0));
	EXPECT_EQ(1, recv(conn, &c, 1, 0));
	EXPECT_EQ(1, send(conn, &c, 1, 0));
	EXPECT_EQ(1, recv(client, &c, 1, 0));

	/* A connection says by its addresses what it is. */
	test_expect_none(_metadata, ds, conn);
	test_expect_socket(_metadata, ds, client, seen_client);
	close(conn);
	close(client);
}

/* A datagram and the answer to it. */
static void serve_udp(struct __test_metadata *_metadata, struct fam *ds,
		      const struct scenario *s, int server,
		      struct fam_counters *seen, struct fam_counters *seen_client)
{
	union net_addr peer = { }, addr;
	socklen_t len = sizeof(peer);
	char c = 'x';
	int client;

	client = net_client(SOCK_DGRAM, s->client, net_port(server),
			    NULL);
	ASSERT_LE(0, client);
	ASSERT_EQ(1, send(client, &c, 1, 0));
	saw_outbound(seen_client, SOCK_DGRAM, s->client);

	ASSERT_EQ(0, net_wait_in(server, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recvfrom(server, &c, 1, 0, &peer.sa, &len));
	test_saw_recv(seen, &peer);
	test_expect_addr(_metadata, "recvfrom", s->peer, net_port(client),
			 &peer);
	addr = net_local(server);
	test_expect_addr(_metadata, "getsockname of the server", s->server,
			 net_port(server), &addr);
	addr = net_peer(client);
	test_expect_addr(_metadata, "getpeername of the client", s->client,
			 net_port(server), &addr);
	addr = net_local(client);
	test_expect_addr(_metadata, "getsockname of the client", s->client,
			 net_port(client), &addr);

	ASSERT_EQ(1, sendto(server, &c, 1, 0, &peer.sa, len));
	if (net_addr_mapped(&peer))
		seen->v[DUALSTACK_A_COUNTER_MAPPED_SEND]++;
	else if (peer.sa.sa_family == AF_INET)
		seen->v[DUALSTACK_A_COUNTER_V4_SEND]++;

	len = sizeof(addr);
	ASSERT_EQ(0, net_wait_in(client, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recvfrom(client, &c, 1, 0, &addr.sa, &len));
	test_saw_recv(seen_client, &addr);
	test_expect_addr(_metadata, "recvfrom of the client", s->client,
			 net_port(server), &addr);

	test_expect_socket(_metadata, ds, client, seen_client);
	close(client);
}

/* explain knows before a client comes what will become of it. */
static void foretell(struct __test_metadata *_metadata, struct fam *ds,
		     const struct scenario *s, int type, int server)
{
	unsigned int verdict = test_refusal(s->refused), ifindex;
	union net_addr to, peer;
	struct fam_explained ex;

	ASSERT_EQ(0, net_addr_set(&to, s->client, net_port(server)));
	ifindex = to.sa.sa_family == AF_INET6 ? to.in6.sin6_scope_id : 0;
	if (net_addr_mapped(&to)) {
		EXPECT_EQ(-EINVAL, fam_explain(ds, IPPROTO_TCP, &to, NULL, 0,
					       &ex));
		EXPECT_NE(NULL, strstr(ds->extack, "IPv4-mapped"));
		net_addr_set(&to, strrchr(s->client, ':') + 1,
			     net_port(server));
	}
	if (s->peer) {
		net_addr_set(&peer, s->peer, 0);
		verdict = net_addr_mapped(&peer) ? DUALSTACK_VERDICT_MAPPED :
						   DUALSTACK_VERDICT_NATIVE;
	}
	if (!verdict && !s->elsewhere)
		server = -1;
	test_expect_explained(_metadata, ds, type, &to, NULL, ifindex, verdict,
			      server);
	test_expect_explained(_metadata, ds, type, &to, &to, ifindex, verdict,
			      server);
}

static void play(struct __test_metadata *_metadata, struct fam *ds,
		 const struct scenario *s, int type)
{
	struct fam_counters seen = { }, seen_client = { };
	int server;

	server = net_server(type, s->server, 0, s->flags);
	ASSERT_LE(0, server);
	foretell(_metadata, ds, s, type, server);

	if (s->peer && type == SOCK_STREAM) {
		serve_tcp(_metadata, ds, s, server, &seen, &seen_client);
	} else if (s->peer) {
		serve_udp(_metadata, ds, s, server, &seen, &seen_client);
	} else {
		EXPECT_EQ(1, net_refused(type, s->client, net_port(server),
					 NULL));
		saw_outbound(&seen_client, type, s->client);
		if (s->refused)
			seen.v[s->refused]++;
	}

	test_expect_socket(_metadata, ds, server, &seen);
	fam_counters_add(&seen, &seen_client);
	test_expect_all_sums(_metadata, ds, &seen);
	close(server);
}

TEST_F_TIMEOUT(matrix, tcp, TEST_TIMEOUT)
{
	play(_metadata, &self->ds, &variant->s, SOCK_STREAM);
}

TEST_F_TIMEOUT(matrix, udp, TEST_TIMEOUT)
{
	play(_metadata, &self->ds, &variant->s, SOCK_DGRAM);
}

/* Scenarios of more than one step. */
FIXTURE(dual)
{
	struct fam ds;
	struct fam_counters seen;
	int fd;
};

FIXTURE_VARIANT(dual)
{
	int type;
};

FIXTURE_VARIANT_ADD(dual, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(dual, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(dual)
{
	if (!scenario_net(_metadata, &self->ds))
		return;
	self->fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(dual)
{
	close(self->fd);
	fam_close(&self->ds);
}

static int v6only_socket(int type)
{
	int fd, one = 1;

	fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				  sizeof(one))) {
		close(fd);
		return -1;
	}
	return fd;
}

TEST_F_TIMEOUT(dual, link_local_without_scope, TEST_TIMEOUT)
{
	struct fam_counters none = { };

	EXPECT_EQ(-EINVAL, net_server(variant->type, "fe80::1", 0, 0));
	test_expect_sums(_metadata, &self->ds, &none);
	test_expect_none(_metadata, &self->ds, self->fd);
}

/* The client's own V6ONLY is what keeps it from the server. */
TEST_F_TIMEOUT(dual, v6only_client, TEST_TIMEOUT)
{
	union net_addr to;
	int client;

	client = v6only_socket(variant->type);
	ASSERT_LE(0, client);
	net_addr_set(&to, "::ffff:127.0.0.1", net_port(self->fd));
	EXPECT_EQ(-1, connect(client, &to.sa, net_addr_len(&to)));
	EXPECT_EQ(ENETUNREACH, errno);
	self->seen.v[DUALSTACK_A_COUNTER_REJECT_CONNECT]++;

	if (variant->type == SOCK_DGRAM) {
		EXPECT_EQ(-1, sendto(client, "x", 1, 0, &to.sa,
				     net_addr_len(&to)));
		EXPECT_EQ(ENETUNREACH, errno);
		self->seen.v[DUALSTACK_A_COUNTER_REJECT_SEND]++;
	}

	test_expect_socket(_metadata, &self->ds, client, &self->seen);
	test_expect_sums(_metadata, &self->ds, &self->seen);
	test_expect_none(_metadata, &self->ds, self->fd);
	close(client);
}

/* An address as accept() or recvfrom() gave it, to a socket that is V6ONLY. */
TEST_F_TIMEOUT(dual, mapped_peer_reused, TEST_TIMEOUT)
{
	struct fam_counters seen_back = { }, seen_v6only = { }, seen_service = { };
	int service, client, conn = -1, back, v6only;
	socklen_t len = sizeof(union net_addr);
	union net_addr peer = { }, local;
	char c = 'x';

	/* The client has a service of its own, to be called back at. */
	service = net_server(variant->type, "127.0.0.1", 0, 0);
	ASSERT_LE(0, service);
	client = net_client(variant->type, "127.0.0.1", net_port(self->fd),
			    NULL);
	ASSERT_LE(0, client);
	if (variant->type == SOCK_STREAM) {
		conn = net_accept(self->fd, NULL);
		ASSERT_LE(0, conn);
		peer = net_peer(conn);
		test_saw_accept(&self->seen, &peer);
	} else {
		ASSERT_EQ(1, send(client, &c, 1, 0));
		ASSERT_EQ(0, net_wait_in(self->fd, NET_TIMEOUT_MS));
		ASSERT_EQ(1, recvfrom(self->fd, &c, 1, 0, &peer.sa, &len));
		test_saw_recv(&self->seen, &peer);
	}
	test_expect_addr(_metadata, "peer", "::ffff:127.0.0.1",
			 net_port(client), &peer);
	peer.in6.sin6_port = htons(net_port(service));

	v6only = v6only_socket(variant->type);
	ASSERT_LE(0, v6only);
	EXPECT_EQ(-1, connect(v6only, &peer.sa, sizeof(peer.in6)));
	EXPECT_EQ(ENETUNREACH, errno);
	seen_v6only.v[DUALSTACK_A_COUNTER_REJECT_CONNECT]++;

	/* Any other AF_INET6 socket can be given it. */
	back = socket(AF_INET6, variant->type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, back);
	EXPECT_EQ(0, connect(back, &peer.sa, sizeof(peer.in6)));
	seen_back.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
	if (variant->type == SOCK_STREAM) {
		close(net_accept(service, &peer));
		test_saw_accept(&seen_service, &peer);
	}
	local = net_local(back);
	test_expect_addr(_metadata, "getsockname", "::ffff:127.0.0.1",
			 net_port(back), &local);

	test_expect_socket(_metadata, &self->ds, v6only, &seen_v6only);
	test_expect_socket(_metadata, &self->ds, back, &seen_back);
	test_expect_socket(_metadata, &self->ds, self->fd, &self->seen);
	test_expect_socket(_metadata, &self->ds, service, &seen_service);
	fam_counters_add(&self->seen, &seen_service);
	fam_counters_add(&self->seen, &seen_v6only);
	fam_counters_add(&self->seen, &seen_back);
	test_expect_sums(_metadata, &self->ds, &self->seen);
	close(v6only);
	close(back);
	close(client);
	close(service);
	if (conn >= 0)
		close(conn);
}

/* A client that knows IPv6 only, of a server that has IPv4 only. */
TEST_F_TIMEOUT(dual, getaddrinfo, TEST_TIMEOUT)
{
	struct addrinfo hints = {
		.ai_family = AF_INET6,
		.ai_socktype = variant->type,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	}, *ai;
	struct fam_counters seen = { }, seen_server = { };
	union net_addr peer = { };
	int server, client, conn;
	char port[8];

	server = net_server(variant->type, "127.0.0.1", 0, 0);
	ASSERT_LE(0, server);
	snprintf(port, sizeof(port), "%d", net_port(server));

	EXPECT_NE(0, getaddrinfo("127.0.0.1", port, &hints, &ai));
	hints.ai_flags |= AI_V4MAPPED;
	ASSERT_EQ(0, getaddrinfo("127.0.0.1", port, &hints, &ai));
	ASSERT_EQ(sizeof(peer.in6), ai->ai_addrlen);
	memcpy(&peer, ai->ai_addr, ai->ai_addrlen);
	test_expect_addr(_metadata, "getaddrinfo", "::ffff:127.0.0.1",
			 net_port(server), &peer);

	client = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC,
			ai->ai_protocol);
	ASSERT_LE(0, client);
	ASSERT_EQ(0, connect(client, ai->ai_addr, ai->ai_addrlen));
	seen.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
	freeaddrinfo(ai);

	if (variant->type == SOCK_STREAM) {
		conn = net_accept(server, &peer);
		ASSERT_LE(0, conn);
		/* Nothing tells the server what its client's socket is. */
		test_expect_addr(_metadata, "accept", "127.0.0.1",
				 net_port(client), &peer);
		test_saw_accept(&seen_server, &peer);
		close(conn);
	}
	test_expect_socket(_metadata, &self->ds, client, &seen);
	test_expect_socket(_metadata, &self->ds, server, &seen_server);
	fam_counters_add(&seen, &seen_server);
	test_expect_all_sums(_metadata, &self->ds, &seen);
	close(client);
	close(server);
}

/* Ancillary data of datagrams. */
FIXTURE(pktinfo)
{
	struct fam ds;
	struct fam_counters seen;
	union net_addr peer;
	int fd;
	int client;
};

FIXTURE_SETUP(pktinfo)
{
	if (!scenario_net(_metadata, &self->ds))
		return;
	self->fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->fd);
	self->client = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, self->client);
	net_addr_set(&self->peer, "::ffff:127.0.0.1", net_port(self->client));
}

FIXTURE_TEARDOWN(pktinfo)
{
	close(self->client);
	close(self->fd);
	fam_close(&self->ds);
}

/* The address that an IPv4 datagram was sent to is mapped as well. */
TEST_F_TIMEOUT(pktinfo, received, TEST_TIMEOUT)
{
	union {
		char buf[256];
		struct cmsghdr align;
	} control;
	union net_addr to, src = { };
	char c;
	struct iovec iov = { .iov_base = &c, .iov_len = 1 };
	struct msghdr msg = {
		.msg_name = &src,
		.msg_namelen = sizeof(src),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	union net_addr got = { .in6.sin6_family = AF_INET6 };
	struct in6_pktinfo info;
	struct cmsghdr *cmsg;
	int one = 1, n = 0;

	ASSERT_EQ(0, setsockopt(self->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one,
				sizeof(one)));
	net_addr_set(&to, NET_ADDR4, net_port(self->fd));
	ASSERT_EQ(1, sendto(self->client, "x", 1, 0, &to.sa,
			    net_addr_len(&to)));
	ASSERT_EQ(0, net_wait_in(self->fd, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recvmsg(self->fd, &msg, 0));
	test_saw_recv(&self->seen, &src);
	test_expect_addr(_metadata, "recvmsg", "::ffff:127.0.0.1",
			 net_port(self->client), &src);

	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != IPPROTO_IPV6 ||
		    cmsg->cmsg_type != IPV6_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
		got.in6.sin6_addr = info.ipi6_addr;
		test_expect_addr(_metadata, "in6_pktinfo",
				 "::ffff:" NET_ADDR4, 0, &got);
		EXPECT_EQ(if_nametoindex("lo"), info.ipi6_ifindex);
		n++;
	}
	EXPECT_EQ(1, n);
	EXPECT_EQ(1, self->seen.v[DUALSTACK_A_COUNTER_MAPPED_RECV]);
	test_expect_socket(_metadata, &self->ds, self->fd, &self->seen);
	test_expect_sums(_metadata, &self->ds, &self->seen);
}

/* An answer from an address other than the one that routing would choose. */
static int reply(int fd, const union net_addr *to, int level, int type,
		 const void *info, size_t len)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control = { };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_name = (void *)to,
		.msg_namelen = net_addr_len(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), info, len);
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 0;
}

/* The IPv4 client gets it from there. */
static void expect_reply(struct __test_metadata *_metadata, struct fam *ds,
			 int client, int fd)
{
	struct fam_counters seen = { }, seen_client = { };
	union net_addr src = { };
	socklen_t len = sizeof(src);
	char c;

	ASSERT_EQ(0, net_wait_in(client, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recvfrom(client, &c, 1, 0, &src.sa, &len));
	test_expect_addr(_metadata, "source", NET_ADDR4, net_port(fd), &src);
	seen.v[DUALSTACK_A_COUNTER_MAPPED_SEND]++;
	test_saw_recv(&seen_client, &src);
	test_expect_socket(_metadata, ds, fd, &seen);
	test_expect_socket(_metadata, ds, client, &seen_client);
	fam_counters_add(&seen, &seen_client);
	test_expect_all_sums(_metadata, ds, &seen);
}

TEST_F_TIMEOUT(pktinfo, reply_by_in_pktinfo, TEST_TIMEOUT)
{
	struct in_pktinfo info = { };

	ASSERT_EQ(1, inet_pton(AF_INET, NET_ADDR4, &info.ipi_spec_dst));
	ASSERT_EQ(0, reply(self->fd, &self->peer, IPPROTO_IP, IP_PKTINFO,
			   &info, sizeof(info)));
	expect_reply(_metadata, &self->ds, self->client, self->fd);
}

TEST_F_TIMEOUT(pktinfo, reply_by_in6_pktinfo, TEST_TIMEOUT)
{
	struct in6_pktinfo info = { };

	ASSERT_EQ(1, inet_pton(AF_INET6, "::ffff:" NET_ADDR4,
			       &info.ipi6_addr));
	ASSERT_EQ(0, reply(self->fd, &self->peer, IPPROTO_IPV6, IPV6_PKTINFO,
			   &info, sizeof(info)));
	expect_reply(_metadata, &self->ds, self->client, self->fd);
}

TEST_HARNESS_MAIN
