// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that are not like others, and what is counted for them. Of those
 * whose tests lie elsewhere: Fast Open is in tcp_accept and outbound; connected
 * UDP, recvmmsg(), MSG_PEEK and empty datagrams are in udp_recv; raw and ping
 * sockets are in outbound; MPTCP is in mptcp.
 */
#include <net/if.h>
#include <netinet/in.h>

#include "lib/test.h"
#include "lib/net_link.h"

#define MEMBERS		3
#define CLIENTS		12

/* One byte of a client that has its own way to the server, and its source. */
static int serve(int type, int server, int client, const union net_addr *to,
		 union net_addr *peer)
{
	socklen_t len = sizeof(*peer);
	int conn, err;
	char c = 'x';

	if (connect(client, &to->sa, net_addr_len(to)) ||
	    send(client, &c, 1, 0) != 1)
		return -errno;
	if (type == SOCK_STREAM) {
		conn = net_accept(server, peer);
		if (conn < 0)
			return conn;
		err = recv(conn, &c, 1, 0) == 1 ? 0 : -errno;
		close(conn);
		return err;
	}
	if (!net_wait_for(!net_wait_in(server, 0) || !net_wait_in(client, 0),
			  NET_TIMEOUT_MS))
		return -ETIMEDOUT;
	if (net_wait_in(server, 0))
		return recv(client, &c, 1, MSG_DONTWAIT) < 0 ? -errno : -EPROTO;
	memset(peer, 0, sizeof(*peer));
	return recvfrom(server, &c, 1, 0, &peer->sa, &len) == 1 ? 0 : -errno;
}

static void saw(struct fam_counters *seen, int type, const union net_addr *peer)
{
	if (type == SOCK_STREAM)
		test_saw_accept(seen, peer);
	else
		test_saw_recv(seen, peer);
}

FIXTURE(socket)
{
	struct fam ds;
	struct fam_counters sums;
};

FIXTURE_VARIANT(socket)
{
	int type;
};

FIXTURE_VARIANT_ADD(socket, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(socket, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(socket)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
}

FIXTURE_TEARDOWN(socket)
{
	fam_close(&self->ds);
}

static int client_on(int type, const union net_addr *to, const char *device)
{
	int fd = socket(to->sa.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && device &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
		       strlen(device))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Each member of a SO_REUSEPORT group is counted for what it was given. */
TEST_F_TIMEOUT(socket, reuseport, TEST_TIMEOUT)
{
	struct fam_counters seen[MEMBERS] = { };
	int i, k, fd[MEMBERS], client, given = 0;
	union net_addr to, peer = { };
	socklen_t len;
	char c;

	for (k = 0; k < MEMBERS; k++) {
		fd[k] = net_server(variant->type, "::",
				   k ? net_port(fd[0]) : 0,
				   NET_DUAL | NET_REUSEPORT);
		ASSERT_LE(0, fd[k]);
	}
	for (i = 0; i < CLIENTS; i++) {
		net_addr_set(&to, i % 2 ? "::1" : "127.0.0.1",
			     net_port(fd[0]));
		client = client_on(variant->type, &to, NULL);
		ASSERT_LE(0, client);
		ASSERT_EQ(0, connect(client, &to.sa, net_addr_len(&to)));
		ASSERT_EQ(1, send(client, "x", 1, 0));
		/* The group is asked, as it does not say whose turn it is. */
		given = net_wait_for(!net_wait_in(fd[0], 0) ||
				     !net_wait_in(fd[1], 0) ||
				     !net_wait_in(fd[2], 0), NET_TIMEOUT_MS);
		ASSERT_TRUE(given);
		for (k = 0; k < MEMBERS; k++) {
			if (net_wait_in(fd[k], 0))
				continue;
			len = sizeof(peer);
			if (variant->type == SOCK_STREAM) {
				close(net_accept(fd[k], &peer));
			} else {
				ASSERT_EQ(1, recvfrom(fd[k], &c, 1, 0,
						      &peer.sa, &len));
			}
			saw(&seen[k], variant->type, &peer);
			saw(&self->sums, variant->type, &peer);
		}
		close(client);
	}
	for (k = 0; k < MEMBERS; k++) {
		test_expect_socket(_metadata, &self->ds, fd[k], &seen[k]);
		close(fd[k]);
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* A device makes no difference, as long as the packet comes by it. */
TEST_F_TIMEOUT(socket, device, TEST_TIMEOUT)
{
	static const char *const addrs[] = { "127.0.0.1", "::1" };
	struct fam_counters seen = { };
	union net_addr to, peer;
	int i, fd, client;

	fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2));
	for (i = 0; i < 2; i++) {
		net_addr_set(&to, addrs[i], net_port(fd));
		client = client_on(variant->type, &to, NULL);
		ASSERT_LE(0, client);
		ASSERT_EQ(0, serve(variant->type, fd, client, &to, &peer));
		saw(&seen, variant->type, &peer);
		close(client);
	}
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

/* Nobody is refused at a device that the packet did not come by. */
TEST_F_TIMEOUT(socket, other_device, TEST_TIMEOUT)
{
	static const struct {
		const char *server, *client;
	} pairs[] = {
		{ "::1", "127.0.0.1" }, { "127.0.0.1", "::1" },
		{ "0.0.0.0", "::1" },
	};
	int i, fd;

	ASSERT_EQ(0, net_link_dummy("dummy0"));
	for (i = 0; i < (int)ARRAY_SIZE(pairs); i++) {
		fd = net_server(variant->type, pairs[i].server, 0, 0);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
					"dummy0", 6));
		EXPECT_EQ(1, net_refused(variant->type, pairs[i].client,
					 net_port(fd), NULL));
		test_expect_none(_metadata, &self->ds, fd);
		close(fd);
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* One address on two links is two addresses; a refusal is one all the same. */
TEST_F_TIMEOUT(socket, link_local_scopes, TEST_TIMEOUT)
{
	static const char *const scoped[] = {
		"fe80::1%dummy0", "fe80::1%dummy1"
	};
	struct fam_counters seen[2] = { };
	union net_addr to, peer;
	struct fam_stats stats;
	struct fam_socket s;
	int i, fd[2], client, records = 0;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, net_link_dummy(i ? "dummy1" : "dummy0"));
		ASSERT_EQ(0, net_link_addr(i ? "dummy1" : "dummy0", "fe80::1",
					   64));
		fd[i] = net_server(variant->type, scoped[i],
				   i ? net_port(fd[0]) : 0, 0);
		ASSERT_LE(0, fd[i]);
	}
	for (i = 0; i < 2; i++) {
		net_addr_set(&to, scoped[i], net_port(fd[0]));
		client = client_on(variant->type, &to, NULL);
		ASSERT_LE(0, client);
		ASSERT_EQ(0, serve(variant->type, fd[i], client, &to, &peer));
		test_expect_addr(_metadata, "peer", scoped[i], net_port(client),
				 &peer);
		saw(&seen[i], variant->type, &peer);
		saw(&self->sums, variant->type, &peer);
		test_expect_socket(_metadata, &self->ds, fd[i], &seen[i]);
		close(client);
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);

	EXPECT_EQ(1, net_refused(variant->type, "127.0.0.1", net_port(fd[0]),
				 NULL));
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	EXPECT_EQ(1, stats.counters.v[DUALSTACK_A_COUNTER_REJECT_ADDR]);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd[i]), &s));
		records += s.counters.v[DUALSTACK_A_COUNTER_REJECT_ADDR];
		close(fd[i]);
	}
	EXPECT_EQ(1, records);
}

#define VRF4	"198.51.100.1"
#define VRF6	"2001:db8:2::1"

/* Addresses that are both in the VRF and outside. */
#define BOTH4	"198.51.100.9"
#define BOTH6	"2001:db8:2::9"

/* A VRF is a set of addresses and ports of its own. */
FIXTURE(vrf)
{
	struct fam ds;
	struct fam_counters sums;
};

FIXTURE_VARIANT(vrf)
{
	int type;
	const char *sysctl;
	int accept;	/* whether sockets outside serve VRFs, too */
};

FIXTURE_VARIANT_ADD(vrf, tcp)
{
	.type = SOCK_STREAM, .sysctl = "ipv4/tcp_l3mdev_accept", .accept = 0,
};

FIXTURE_VARIANT_ADD(vrf, tcp_accept)
{
	.type = SOCK_STREAM, .sysctl = "ipv4/tcp_l3mdev_accept", .accept = 1,
};

FIXTURE_VARIANT_ADD(vrf, udp)
{
	.type = SOCK_DGRAM, .sysctl = "ipv4/udp_l3mdev_accept", .accept = 0,
};

FIXTURE_VARIANT_ADD(vrf, udp_accept)
{
	.type = SOCK_DGRAM, .sysctl = "ipv4/udp_l3mdev_accept", .accept = 1,
};

FIXTURE_SETUP(vrf)
{
	int err;

	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, net_sysctl("ipv6/icmp/ratelimit", 0));
	/* Where a refusal goes astray, connect() shall not try for minutes. */
	ASSERT_EQ(0, net_sysctl("ipv4/tcp_syn_retries", 2));
	ASSERT_EQ(0, net_sysctl(variant->sysctl, variant->accept));
	err = net_link_vrf("vrf0", 10);
	if (err == -EOPNOTSUPP)
		SKIP(return, "this kernel has no VRF");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, net_link_dummy("dummy0"));
	ASSERT_EQ(0, net_link_enslave("dummy0", "vrf0"));
	ASSERT_EQ(0, net_link_addr("dummy0", VRF4, 24));
	ASSERT_EQ(0, net_link_addr("dummy0", VRF6, 64));
}

FIXTURE_TEARDOWN(vrf)
{
	fam_close(&self->ds);
}

static int server_in(const char *device, int type, const char *addr,
		     in_port_t port, int v6only)
{
	union net_addr local;
	int fd;

	net_addr_set(&local, addr, port);
	fd = client_on(type, &local, device);
	if (fd < 0)
		return fd;
	if ((local.sa.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only,
			sizeof(v6only))) ||
	    bind(fd, &local.sa, net_addr_len(&local)) ||
	    (type == SOCK_STREAM && listen(fd, 16))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* 1 for ECONNREFUSED, as net_refused() */
static int refused_in(const char *device, int type, const char *addr,
		      in_port_t port)
{
	union net_addr to;
	int fd;

	net_addr_set(&to, addr, port);
	fd = client_on(type, &to, device);
	return fd < 0 ? -errno : net_refused_on(fd, type, &to);
}

/* By each way into the VRF, its own included. */
static void expect_explained_in(struct __test_metadata *_metadata,
				struct fam *ds, int type,
				const union net_addr *to, unsigned int verdict,
				int fd)
{
	static const char *const devs[] = { "vrf0", "dummy0" };
	struct fam_explained ex;
	size_t i;

	test_expect_explained(_metadata, ds, type, to, NULL, 0, verdict, fd);
	test_expect_explained(_metadata, ds, type, to, to, 0, verdict, fd);
	for (i = 0; i < ARRAY_SIZE(devs); i++)
		test_expect_explained(_metadata, ds, type, to, NULL,
				      if_nametoindex(devs[i]), verdict, fd);
	ASSERT_EQ(0, fam_explain(ds, IPPROTO_TCP, to, NULL, if_nametoindex("lo"),
				 &ex));
	EXPECT_FALSE(ex.local);
	EXPECT_EQ(DUALSTACK_VERDICT_NONE, ex.verdict);
}

TEST_F_TIMEOUT(vrf, served, TEST_TIMEOUT)
{
	static const char *const addrs[] = { VRF4, VRF6 };
	struct fam_counters seen = { };
	union net_addr to, peer;
	int i, fd, client;

	fd = server_in("vrf0", variant->type, "::", 0, 0);
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++) {
		net_addr_set(&to, addrs[i], net_port(fd));
		expect_explained_in(_metadata, &self->ds, variant->type, &to,
				    i ? DUALSTACK_VERDICT_NATIVE :
					DUALSTACK_VERDICT_MAPPED, fd);
		client = client_on(variant->type, &to, "vrf0");
		ASSERT_LE(0, client);
		ASSERT_EQ(0, serve(variant->type, fd, client, &to, &peer));
		test_expect_addr(_metadata, "peer", i ? VRF6 : "::ffff:" VRF4,
				 net_port(client), &peer);
		saw(&seen, variant->type, &peer);
		close(client);
	}
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

TEST_F_TIMEOUT(vrf, refused, TEST_TIMEOUT)
{
	static const struct {
		const char *server;
		int v6only;
		const char *client;
		int counter;
	} pairs[] = {
		{ "::", 1, VRF4, DUALSTACK_A_COUNTER_REJECT_V6ONLY },
		{ VRF6, 0, VRF4, DUALSTACK_A_COUNTER_REJECT_ADDR },
		{ "0.0.0.0", 0, VRF6, DUALSTACK_A_COUNTER_REJECT_V4ONLY },
		{ VRF4, 0, VRF6, DUALSTACK_A_COUNTER_REJECT_V4ONLY },
	};
	struct fam_counters seen;
	union net_addr to;
	int i, fd;

	for (i = 0; i < (int)ARRAY_SIZE(pairs); i++) {
		memset(&seen, 0, sizeof(seen));
		fd = server_in("vrf0", variant->type, pairs[i].server, 0,
			       pairs[i].v6only);
		ASSERT_LE(0, fd);

		/* Outside of the VRF the port is nobody's. */
		EXPECT_EQ(1, refused_in(NULL, variant->type, "127.0.0.1",
					net_port(fd)));
		EXPECT_EQ(1, refused_in(NULL, variant->type, "::1",
					net_port(fd)));
		test_expect_none(_metadata, &self->ds, fd);
		net_addr_set(&to, "127.0.0.1", net_port(fd));
		test_expect_explained(_metadata, &self->ds, variant->type, &to,
				      NULL, 0, DUALSTACK_VERDICT_NONE, -1);

		net_addr_set(&to, pairs[i].client, net_port(fd));
		expect_explained_in(_metadata, &self->ds, variant->type, &to,
				    test_refusal(pairs[i].counter), fd);
		EXPECT_EQ(1, refused_in("vrf0", variant->type,
					pairs[i].client, net_port(fd)))
			TH_LOG("%s at %s", pairs[i].client, pairs[i].server);
		seen.v[pairs[i].counter]++;
		fam_counters_add(&self->sums, &seen);
		test_expect_socket(_metadata, &self->ds, fd, &seen);
		close(fd);
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* An IPv4 socket outside does not help a client inside, nor is it blamed. */
TEST_F_TIMEOUT(vrf, pair_outside, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int fd, fd4;

	fd = server_in("vrf0", variant->type, "::", 0, 1);
	ASSERT_LE(0, fd);
	fd4 = server_in("lo", variant->type, "0.0.0.0", net_port(fd), 0);
	ASSERT_LE(0, fd4);
	EXPECT_EQ(1, refused_in("vrf0", variant->type, VRF4, net_port(fd)));
	seen.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
	test_expect_socket(_metadata, &self->ds, fd, &seen);

	EXPECT_EQ(1, refused_in(NULL, variant->type, "::1", net_port(fd)));
	fam_counters_add(&self->sums, &seen);
	memset(&seen, 0, sizeof(seen));
	seen.v[DUALSTACK_A_COUNTER_REJECT_V4ONLY]++;
	test_expect_socket(_metadata, &self->ds, fd4, &seen);
	fam_counters_add(&self->sums, &seen);
	test_expect_sums(_metadata, &self->ds, &self->sums);
	close(fd4);
	close(fd);
}

/* A server, and who is served by it where its packets come to it. */
struct vrf_server {
	const char *device;
	const char *addr;
	int v6only;
};

/* A client, and what tells its packets from those to the same address elsewhere. */
static const struct vrf_client {
	const char *device;
	const char *addr;
	const char *ask;	/* the device that explain is asked about */
} vrf_clients[] = {
	{ NULL, "127.0.0.1", NULL },
	{ NULL, "::1", NULL },
	{ NULL, BOTH4, NULL },
	{ NULL, BOTH6, NULL },
	{ "vrf0", VRF4, NULL },
	{ "vrf0", VRF6, NULL },
	{ "vrf0", "127.0.0.1", "vrf0" },
	{ "vrf0", "::1", "vrf0" },
	{ "vrf0", BOTH4, "dummy0" },
	{ "vrf0", BOTH6, "dummy0" },
};

/* The counter of the refusals of such clients, 0 for those who are welcome. */
static int vrf_refusal(const struct vrf_server *server, int family)
{
	if (family == AF_INET)
		return server->v6only ? DUALSTACK_A_COUNTER_REJECT_V6ONLY : 0;
	return strchr(server->addr, ':') ? 0 :
	       DUALSTACK_A_COUNTER_REJECT_V4ONLY;
}

/*
 * All clients go to one server. With IPV6_V6ONLY off, who is served is put down in
 * @near: these are the clients whose packets come to such a socket.
 */
static void expect_clients(struct __test_metadata *_metadata, struct fam *ds,
			   int type, const struct vrf_server *server,
			   bool near[], struct fam_counters *sums)
{
	bool dual = strchr(server->addr, ':') && !server->v6only;
	struct fam_counters seen = { };
	unsigned int verdict, ask;
	int fd, client, err, counter;
	union net_addr to, peer;
	size_t i;

	fd = server_in(server->device, type, server->addr, 0, server->v6only);
	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(vrf_clients); i++) {
		const struct vrf_client *c = &vrf_clients[i];

		net_addr_set(&to, c->addr, net_port(fd));
		client = client_on(type, &to, c->device);
		ASSERT_LE(0, client);
		err = serve(type, fd, client, &to, &peer);
		close(client);
		if (dual)
			near[i] = !err;

		counter = vrf_refusal(server, to.sa.sa_family);
		EXPECT_EQ(near[i] && !counter ? 0 : -ECONNREFUSED, err)
			TH_LOG("%s by %s to %s by %s", c->addr, c->device,
			       server->addr, server->device);
		if (!err && to.sa.sa_family == AF_INET)
			verdict = dual ? DUALSTACK_VERDICT_MAPPED :
					 DUALSTACK_VERDICT_NATIVE;
		else if (!err)
			verdict = DUALSTACK_VERDICT_NATIVE;
		else
			verdict = test_refusal(near[i] ? counter : 0);
		if (!err)
			saw(&seen, type, &peer);
		if (err && near[i])
			seen.v[counter]++;

		ask = c->ask ? if_nametoindex(c->ask) : 0;
		test_expect_explained(_metadata, ds, type, &to, &to, ask, verdict,
				      verdict == DUALSTACK_VERDICT_NONE ? -1 : fd);
		test_expect_socket(_metadata, ds, fd, &seen);
	}
	fam_counters_add(sums, &seen);
	close(fd);
}

/* Who is refused where he would be served by a socket that takes his family. */
TEST_F_TIMEOUT(vrf, inside_and_outside, TEST_TIMEOUT)
{
	static const char *const devices[] = { NULL, "vrf0", "dummy0", "lo" };
	bool near[ARRAY_SIZE(vrf_clients)];
	struct vrf_server server;
	size_t i;

	ASSERT_EQ(0, net_link_vrf_first());
	ASSERT_EQ(0, net_link_dummy("dummy1"));
	for (i = 0; i < 2; i++) {
		const char *dummy = i ? "dummy1" : "dummy0";

		ASSERT_EQ(0, net_link_addr(dummy, BOTH4, 24));
		ASSERT_EQ(0, net_link_addr(dummy, BOTH6, 64));
	}
	ASSERT_EQ(0, net_link_addr("vrf0", "127.0.0.1", 8));
	ASSERT_EQ(0, net_link_addr("vrf0", "::1", 128));

	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		server = (struct vrf_server){ devices[i], "::", 0 };
		expect_clients(_metadata, &self->ds, variant->type, &server,
			       near, &self->sums);
		server.v6only = 1;
		expect_clients(_metadata, &self->ds, variant->type, &server,
			       near, &self->sums);
		server = (struct vrf_server){ devices[i], "0.0.0.0", 0 };
		expect_clients(_metadata, &self->ds, variant->type, &server,
			       near, &self->sums);
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

#define GROUP4	"239.1.2.3"
#define GROUP6	"ff15::1:2:3"

FIXTURE(multicast)
{
	struct fam ds;
	struct fam_counters seen;
	int device;
};

FIXTURE_SETUP(multicast)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_link_dummy("dummy0"));
	ASSERT_EQ(0, net_link_addr("dummy0", VRF4, 24));
	ASSERT_EQ(0, net_link_addr("dummy0", VRF6, 64));
	self->device = if_nametoindex("dummy0");
}

FIXTURE_TEARDOWN(multicast)
{
	fam_close(&self->ds);
}

static int join(int fd, int device)
{
	struct ip_mreqn mreq4 = { .imr_ifindex = device };
	struct ipv6_mreq mreq6 = { .ipv6mr_interface = device };

	inet_pton(AF_INET, GROUP4, &mreq4.imr_multiaddr);
	inet_pton(AF_INET6, GROUP6, &mreq6.ipv6mr_multiaddr);
	return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq4,
			  sizeof(mreq4)) ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq6,
			  sizeof(mreq6)) ? -errno : 0;
}

static int send_group(const char *group, in_port_t port, int device)
{
	struct ip_mreqn mreq4 = { .imr_ifindex = device };
	union net_addr to;
	int fd, err;

	net_addr_set(&to, group, port);
	fd = socket(to.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (to.sa.sa_family == AF_INET)
		err = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreq4,
				 sizeof(mreq4));
	else
		err = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &device,
				 sizeof(device));
	if (!err)
		err = sendto(fd, "x", 1, 0, &to.sa, net_addr_len(&to)) != 1;
	close(fd);
	return err ? -errno : 0;
}

/* What is received counts by its source, whatever it was sent to. */
TEST_F_TIMEOUT(multicast, dual, TEST_TIMEOUT)
{
	static const char *const groups[] = { GROUP4, GROUP6 };
	union net_addr src = { };
	socklen_t len;
	int i, fd;
	char c;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, join(fd, self->device));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, send_group(groups[i], net_port(fd),
					self->device));
		ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
		len = sizeof(src);
		ASSERT_EQ(1, recvfrom(fd, &c, 1, 0, &src.sa, &len));
		EXPECT_EQ(!i, net_addr_mapped(&src));
		test_saw_recv(&self->seen, &src);
	}
	test_expect_socket(_metadata, &self->ds, fd, &self->seen);
	test_expect_sums(_metadata, &self->ds, &self->seen);
	close(fd);
}

/* That a member gets no copy is not a refusal of anybody. */
TEST_F_TIMEOUT(multicast, v6only, TEST_TIMEOUT)
{
	union net_addr src = { };
	socklen_t len = sizeof(src);
	int fd;
	char c;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, join(fd, self->device));
	ASSERT_EQ(0, send_group(GROUP4, net_port(fd), self->device));
	ASSERT_EQ(0, send_group(GROUP6, net_port(fd), self->device));
	ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recvfrom(fd, &c, 1, 0, &src.sa, &len));
	test_saw_recv(&self->seen, &src);
	EXPECT_EQ(1, self->seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]);
	EXPECT_EQ(-1, recv(fd, &c, 1, MSG_DONTWAIT));
	test_expect_socket(_metadata, &self->ds, fd, &self->seen);
	test_expect_sums(_metadata, &self->ds, &self->seen);
	close(fd);
}

/* Who is at the address of a group has nothing to do with other addresses. */
TEST_F_TIMEOUT(multicast, bound, TEST_TIMEOUT)
{
	static const char *const groups[] = { GROUP4, GROUP6 };
	static const char *const clients[] = { "::1", "127.0.0.1" };
	int i, fd;

	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	for (i = 0; i < 2; i++) {
		fd = net_server(SOCK_DGRAM, groups[i], 0, 0);
		ASSERT_LE(0, fd);
		EXPECT_EQ(1, net_refused(SOCK_DGRAM, clients[i], net_port(fd),
					 NULL));
		test_expect_none(_metadata, &self->ds, fd);
		close(fd);
	}
	test_expect_sums(_metadata, &self->ds, &self->seen);
}

FIXTURE(kernel)
{
	struct fam ds;
	struct fam_counters seen;
};

FIXTURE_SETUP(kernel)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
}

FIXTURE_TEARDOWN(kernel)
{
	fam_close(&self->ds);
}

/* UDP-Lite shares the code of UDP; its sockets are left alone. */
TEST_F_TIMEOUT(kernel, udplite, TEST_TIMEOUT)
{
	union net_addr addr, src = { };
	socklen_t len = sizeof(src);
	int fd, client;
	char c;

	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE);
	if (fd < 0 && errno == EPROTONOSUPPORT)
		SKIP(return, "the kernel lacks UDP-Lite");
	ASSERT_LE(0, fd);
	net_addr_set(&addr, "::", 7777);
	ASSERT_EQ(0, bind(fd, &addr.sa, sizeof(addr.in6)));
	client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE);
	ASSERT_LE(0, client);
	net_addr_set(&addr, "127.0.0.1", 7777);
	ASSERT_EQ(1, sendto(client, "x", 1, 0, &addr.sa, sizeof(addr.in)));
	ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recvfrom(fd, &c, 1, 0, &src.sa, &len));
	EXPECT_TRUE(net_addr_mapped(&src));

	/* It answers; one that is V6ONLY could not. */
	ASSERT_EQ(1, sendto(fd, "x", 1, 0, &src.sa, len));
	ASSERT_EQ(0, net_wait_in(client, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recv(client, &c, 1, 0));
	test_expect_none(_metadata, &self->ds, fd);
	close(fd);
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, net_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	ASSERT_EQ(-1, sendto(fd, "x", 1, 0, &src.sa, len));
	EXPECT_EQ(ENETUNREACH, errno);
	test_expect_none(_metadata, &self->ds, fd);
	close(client);
	close(fd);

	/* A server of IPv4 alone, to a client of IPv6 */
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, net_bind(fd, "0.0.0.0", 7777));
	client = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDPLITE);
	ASSERT_LE(0, client);
	net_addr_set(&addr, "::1", 7777);
	EXPECT_EQ(1, net_refused_on(client, SOCK_DGRAM, &addr));
	test_expect_none(_metadata, &self->ds, fd);
	test_expect_sums(_metadata, &self->ds, &self->seen);
	close(fd);
}

/* The kernel's own sockets: that of VXLAN over IPv6 is V6ONLY. */
TEST_F_TIMEOUT(kernel, vxlan, TEST_TIMEOUT)
{
	in_port_t port = 4789;
	struct test_found f = { };
	int err;

	err = net_link_vxlan6("vxlan0", 1, NET_ADDR6, port);
	if (err == -EOPNOTSUPP)
		SKIP(return, "this kernel has no VXLAN");
	ASSERT_EQ(0, err);
	EXPECT_EQ(1, net_refused(SOCK_DGRAM, "127.0.0.1", port, NULL));
	self->seen.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
	test_expect_only(_metadata, &self->ds, IPPROTO_UDP, &self->seen);
	test_expect_sums(_metadata, &self->ds, &self->seen);

	/* Nobody has it to use, and nobody is to change it. */
	ASSERT_EQ(0, fam_socket_dump(&self->ds, test_find, &f));
	EXPECT_EQ(-EOPNOTSUPP, fam_v6only_set_by(&self->ds, f.s.cookie,
						 IPPROTO_UDP, port, false,
						 false));
	EXPECT_STREQ("The socket is the kernel's own: no application has it",
		     self->ds.extack);

	/* Its record goes with the device. */
	ASSERT_EQ(0, net_link_del("vxlan0"));
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&self->ds), NET_TIMEOUT_MS));
	test_expect_sums(_metadata, &self->ds, &self->seen);
}

TEST_HARNESS_MAIN
