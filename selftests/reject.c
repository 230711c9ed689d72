// SPDX-License-Identifier: GPL-2.0-only
/*
 * reject_v6only: IPv4 packets that a V6ONLY socket would have taken, against
 * the ECONNREFUSED that clients saw; and what must not be taken for one.
 */
#include <linux/bpf.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "lib/test.h"
#include "lib/net_link.h"
#include "lib/net_wire.h"

#define REFUSALS	20
#define SOCKETS		3
/* More than the module looks at before the last address. */
#define CROWD		1100

#define HERE4		"198.51.100.1"
#define THERE4		"198.51.100.2"
#define HERE6		"2001:db8:1::1"
#define THERE6		"2001:db8:1::2"

FIXTURE(reject)
{
	struct fam ds;
	struct fam_counters sums;
};

FIXTURE_VARIANT(reject)
{
	int type;
};

FIXTURE_VARIANT_ADD(reject, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(reject, udp) { .type = SOCK_DGRAM, };

static void setup(struct __test_metadata *_metadata, struct fam *ds)
{
	if (!test_setup(_metadata, ds))
		return;
	/* Every refused datagram is to be answered, however slow we are. */
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratelimit", 0));
}

FIXTURE_SETUP(reject)
{
	setup(_metadata, &self->ds);
}

FIXTURE_TEARDOWN(reject)
{
	fam_close(&self->ds);
}

/* An IPv4 client that is refused, and counted as such. */
static void refuse(struct __test_metadata *_metadata, int type,
		   const char *addr, in_port_t port, union net_addr *client,
		   struct fam_counters *seen, struct fam_counters *sums)
{
	int refused = net_refused(type, addr, port, client);

	ASSERT_EQ(1, refused);
	seen->v[DUALSTACK_A_COUNTER_REJECT_V6ONLY] += refused;
	sums->v[DUALSTACK_A_COUNTER_REJECT_V6ONLY] += refused;
}

/* A client that is served, by a socket that is counted for it. */
static void serve(struct __test_metadata *_metadata, int type,
		  const char *addr, int server,
		  struct fam_counters *seen, struct fam_counters *sums)
{
	union net_addr src = { };
	socklen_t len = sizeof(src);
	int client, conn;
	char c = 'x';

	client = net_client(type, addr, net_port(server), NULL);
	ASSERT_LE(0, client);
	if (type == SOCK_STREAM) {
		conn = net_accept(server, &src);
		ASSERT_LE(0, conn);
		net_close_reset(client);
		close(conn);
		test_saw_accept(seen, &src);
		test_saw_accept(sums, &src);
	} else {
		ASSERT_EQ(1, send(client, &c, 1, 0));
		ASSERT_EQ(0, net_wait_in(server, NET_TIMEOUT_MS));
		ASSERT_EQ(1, recvfrom(server, &c, 1, 0, &src.sa, &len));
		close(client);
		test_saw_recv(seen, &src);
		test_saw_recv(sums, &src);
	}
}

/* A port that nobody holds, in either family. */
static in_port_t unused_port(int type)
{
	in_port_t port;
	int fd;

	fd = net_server(type, "::", 0, NET_DUAL);
	port = net_port(fd);
	close(fd);
	return port;
}

/* IPv4 is refused and counted, IPv6 is served, in turns. */
TEST_F_TIMEOUT(reject, v6only, TEST_TIMEOUT)
{
	static const char *const addrs[] = { "127.0.0.1", NET_ADDR4 };
	struct fam_counters seen = { };
	union net_addr client;
	struct fam_socket s;
	int fd, i;

	fd = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	test_expect_none(_metadata, &self->ds, fd);

	for (i = 0; i < REFUSALS; i++) {
		refuse(_metadata, variant->type, addrs[i % 2], net_port(fd),
		       &client, &seen, &self->sums);
		test_expect_socket(_metadata, &self->ds, fd, &seen);
		if (i % 4 == 0)
			serve(_metadata, variant->type, "::1", fd, &seen,
			      &self->sums);

		ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd), &s));
		test_expect_peer(_metadata, &client, &s.last_rejected);
		EXPECT_EQ(AF_UNSPEC, s.last_mapped.addr.sa.sa_family);
	}
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &self->sums);
	close(fd);
}

/* net.ipv6.bindv6only makes a socket V6ONLY that never asked for it. */
TEST_F_TIMEOUT(reject, bindv6only, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int fd;

	ASSERT_EQ(0, net_sysctl("ipv6/bindv6only", 1));
	fd = net_server(variant->type, "::", 0, 0);
	ASSERT_LE(0, fd);
	refuse(_metadata, variant->type, "127.0.0.1", net_port(fd), NULL, &seen,
	       &self->sums);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &self->sums);
	close(fd);
}

/* An AF_INET6 client of a mapped address sends IPv4. */
TEST_F_TIMEOUT(reject, mapped_client, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int fd;

	fd = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	refuse(_metadata, variant->type, "::ffff:127.0.0.1", net_port(fd), NULL,
	       &seen, &self->sums);
	/* The client's own part, before it was refused. */
	self->sums.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
	if (variant->type == SOCK_DGRAM)
		self->sums.v[DUALSTACK_A_COUNTER_MAPPED_SEND]++;
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &self->sums);
	close(fd);
}

/* A dual socket refuses nobody. */
TEST_F_TIMEOUT(reject, dual, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int fd, i;

	fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	for (i = 0; i < 4; i++)
		serve(_metadata, variant->type, i % 2 ? "::1" : "127.0.0.1", fd,
		      &seen, &self->sums);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &self->sums);
	close(fd);
}

/* The way of sshd: two sockets on one port. IPv4 clients are served. */
TEST_F_TIMEOUT(reject, ipv4_pair, TEST_TIMEOUT)
{
	struct fam_counters seen = { }, seen4 = { };
	int fd, fd4, i;

	fd = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	fd4 = net_server(variant->type, "0.0.0.0", net_port(fd), 0);
	ASSERT_LE(0, fd4);

	/* What the AF_INET socket takes counts for it alone. */
	for (i = 0; i < 4; i++) {
		serve(_metadata, variant->type, "127.0.0.1", fd4, &seen4,
		      &self->sums);
	}
	test_expect_none(_metadata, &self->ds, fd);
	test_expect_socket(_metadata, &self->ds, fd4, &seen4);

	serve(_metadata, variant->type, "::1", fd, &seen, &self->sums);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &self->sums);

	/* Without its partner the V6ONLY socket is the one that refuses. */
	close(fd4);
	refuse(_metadata, variant->type, "127.0.0.1", net_port(fd), NULL, &seen,
	       &self->sums);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &self->sums);
	close(fd);
}

TEST_F_TIMEOUT(reject, closed_port, TEST_TIMEOUT)
{
	static const char *const addrs[] = {
		"127.0.0.1", "::1", NET_ADDR4, NET_ADDR6
	};
	in_port_t port = unused_port(variant->type);
	struct fam_counters none = { };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		EXPECT_EQ(1, net_refused(variant->type, addrs[i], port, NULL))
			TH_LOG("%s", addrs[i]);
	}
	test_expect_sums(_metadata, &self->ds, &none);
	EXPECT_EQ(0, fam_socket_count(&self->ds));
}

/* A port whose V6ONLY socket is gone is a closed port. */
TEST_F_TIMEOUT(reject, closed_again, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	in_port_t port;
	int fd;

	fd = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	port = net_port(fd);
	refuse(_metadata, variant->type, "127.0.0.1", port, NULL, &seen,
	       &self->sums);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	close(fd);

	EXPECT_EQ(1, net_refused(variant->type, "127.0.0.1", port, NULL));
	EXPECT_EQ(1, net_refused(variant->type, "::1", port, NULL));
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* An IPv6 packet that finds no socket has nothing to do with V6ONLY. */
TEST_F_TIMEOUT(reject, ipv6_client, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int fd, fd4;

	fd = net_server(variant->type, NET_ADDR6, 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, net_refused(variant->type, "::1", net_port(fd), NULL));

	fd4 = net_server(variant->type, "0.0.0.0", 0, 0);
	ASSERT_LE(0, fd4);
	EXPECT_EQ(1, net_refused(variant->type, "::1", net_port(fd4), NULL));
	seen.v[DUALSTACK_A_COUNTER_REJECT_V4ONLY]++;
	test_expect_none(_metadata, &self->ds, fd);
	test_expect_socket(_metadata, &self->ds, fd4, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd4);
	close(fd);
}

/* A socket of one IPv6 address refuses IPv4 for its address, not V6ONLY. */
TEST_F_TIMEOUT(reject, bound_to_address, TEST_TIMEOUT)
{
	struct fam_counters seen;
	int fd[2], i;

	for (i = 0; i < 2; i++) {
		fd[i] = net_server(variant->type, "::1", 0,
				   i ? NET_V6ONLY : NET_DUAL);
		ASSERT_LE(0, fd[i]);
		EXPECT_EQ(1, net_refused(variant->type, "127.0.0.1",
					 net_port(fd[i]), NULL));
		memset(&seen, 0, sizeof(seen));
		seen.v[DUALSTACK_A_COUNTER_REJECT_ADDR]++;
		test_expect_socket(_metadata, &self->ds, fd[i], &seen);
		fam_counters_add(&self->sums, &seen);
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);
	for (i = 0; i < 2; i++)
		close(fd[i]);
}

/* A socket bound to a device would not have taken what came by another. */
TEST_F_TIMEOUT(reject, bound_to_device, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int fd;

	ASSERT_EQ(0, net_link_dummy("dummy0"));
	fd = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "dummy0", 7));
	EXPECT_EQ(1, net_refused(variant->type, "127.0.0.1", net_port(fd),
				 NULL));
	test_expect_none(_metadata, &self->ds, fd);
	test_expect_sums(_metadata, &self->ds, &self->sums);

	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	refuse(_metadata, variant->type, "127.0.0.1", net_port(fd), NULL, &seen,
	       &self->sums);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &self->sums);
	close(fd);
}

TEST_F_TIMEOUT(reject, several_sockets, TEST_TIMEOUT)
{
	struct fam_counters seen[SOCKETS] = { };
	int fd[SOCKETS], i, k;

	for (i = 0; i < SOCKETS; i++) {
		fd[i] = net_server(variant->type, "::", 0, NET_V6ONLY);
		ASSERT_LE(0, fd[i]);
	}
	for (i = 0; i < SOCKETS; i++)
		for (k = 0; k < 2 * i; k++)
			refuse(_metadata, variant->type, "127.0.0.1",
			       net_port(fd[i]), NULL, &seen[i], &self->sums);
	for (i = 0; i < SOCKETS; i++)
		test_expect_socket(_metadata, &self->ds, fd[i], &seen[i]);
	test_expect_sums(_metadata, &self->ds, &self->sums);
	for (i = 0; i < SOCKETS; i++)
		close(fd[i]);
}

static int add_record(const struct fam_socket *s, void *arg)
{
	if (!fam_is_client(&s->counters))
		fam_counters_add(arg, &s->counters);
	return 0;
}

/* In a SO_REUSEPORT group one member takes each refusal, and one only. */
TEST_F_TIMEOUT(reject, reuseport, TEST_TIMEOUT)
{
	struct fam_counters seen = { }, records = { };
	int fd[SOCKETS], i;
	in_port_t port = 0;

	for (i = 0; i < SOCKETS; i++) {
		fd[i] = net_server(variant->type, "::", port,
				   NET_V6ONLY | NET_REUSEPORT);
		ASSERT_LE(0, fd[i]);
		port = net_port(fd[i]);
	}
	for (i = 0; i < REFUSALS; i++)
		refuse(_metadata, variant->type, "127.0.0.1", port, NULL, &seen,
		       &self->sums);
	ASSERT_EQ(0, fam_socket_dump(&self->ds, add_record, &records));
	for (i = 0; i < (int)FAM_COUNTERS; i++) {
		EXPECT_EQ(seen.v[i], records.v[i])
			TH_LOG("counter %d", i);
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);
	for (i = 0; i < SOCKETS; i++)
		close(fd[i]);
}

/* Two sockets have the port: who of them refuses a client, if any does. */
FIXTURE(holders)
{
	struct fam ds;
	int home;
	int away;
};

/**
 * struct holders - a port, and a client
 * @bound: addresses of the two sockets, "::" being IPv6 only
 * @client: address that the client goes to
 * @counter: of the refusal, 0 where it is nobody's
 * @refuser: which of the two has it, or else has the port at another address
 */
struct holders {
	const char *bound[2];
	const char *client;
	int counter;
	int refuser;
};

FIXTURE_VARIANT(holders)
{
	struct holders h;
};

#define V6ONLY	DUALSTACK_A_COUNTER_REJECT_V6ONLY
#define ADDR	DUALSTACK_A_COUNTER_REJECT_ADDR
#define V4ONLY	DUALSTACK_A_COUNTER_REJECT_V4ONLY

/* A wildcard of the other family refuses, whatever else is bound there. */
FIXTURE_VARIANT_ADD(holders, wildcard6_loopback)
{
	.h = { { "::", "127.0.0.1" }, HERE4, V6ONLY, 0 },
};

FIXTURE_VARIANT_ADD(holders, wildcard6_address)
{
	.h = { { "::", NET_ADDR4 }, HERE4, V6ONLY, 0 },
};

FIXTURE_VARIANT_ADD(holders, wildcard6_here)
{
	.h = { { "::", NET_ADDR4 }, "127.0.0.1", V6ONLY, 0 },
};

FIXTURE_VARIANT_ADD(holders, wildcard4_loopback)
{
	.h = { { "0.0.0.0", "::1" }, HERE6, V4ONLY, 0 },
};

FIXTURE_VARIANT_ADD(holders, wildcard4_address)
{
	.h = { { "0.0.0.0", NET_ADDR6 }, HERE6, V4ONLY, 0 },
};

FIXTURE_VARIANT_ADD(holders, wildcard4_here)
{
	.h = { { "0.0.0.0", NET_ADDR6 }, "::1", V4ONLY, 0 },
};

/* One at an address does where nobody has the port for such a client. */
FIXTURE_VARIANT_ADD(holders, address6_loopback)
{
	.h = { { HERE6, "127.0.0.1" }, HERE4, ADDR, 0 },
};

FIXTURE_VARIANT_ADD(holders, address4_loopback)
{
	.h = { { HERE4, "::1" }, HERE6, V4ONLY, 0 },
};

FIXTURE_VARIANT_ADD(holders, address6_likelier)
{
	.h = { { "::1", HERE6 }, HERE4, ADDR, 1 },
};

FIXTURE_VARIANT_ADD(holders, address4_likelier)
{
	.h = { { "127.0.0.1", HERE4 }, HERE6, V4ONLY, 1 },
};

FIXTURE_VARIANT_ADD(holders, loopback6_likelier)
{
	.h = { { HERE6, "::1" }, "127.0.0.1", ADDR, 1 },
};

FIXTURE_VARIANT_ADD(holders, address6_address)
{
	.h = { { HERE6, NET_ADDR4 }, HERE4, 0, 1 },
};

FIXTURE_VARIANT_ADD(holders, address4_address)
{
	.h = { { HERE4, NET_ADDR6 }, HERE6, 0, 1 },
};

FIXTURE_VARIANT_ADD(holders, address6_mapped)
{
	.h = { { HERE6, "::ffff:" NET_ADDR4 }, HERE4, 0, 1 },
};

/* On the loopback address as well, a packet for that counts. */
FIXTURE_VARIANT_ADD(holders, for_loopback4)
{
	.h = { { HERE6, "127.0.0.1" }, "127.0.0.2", 0, 1 },
};

FIXTURE_VARIANT_ADD(holders, for_loopback6)
{
	.h = { { NET_ADDR4, HERE6 }, "::1", 0, 1 },
};

/* What both have for the host itself refuses nobody from outside. */
FIXTURE_VARIANT_ADD(holders, loopback_both4)
{
	.h = { { "::1", "127.0.0.1" }, HERE4, 0, 1 },
};

FIXTURE_VARIANT_ADD(holders, loopback_both6)
{
	.h = { { "127.0.0.1", "::1" }, HERE6, 0, 1 },
};

FIXTURE_SETUP(holders)
{
	static const char *const here[] = { HERE4, HERE6 };
	static const char *const there[] = { THERE4, THERE6 };

	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratelimit", 0));
	ASSERT_EQ(0, net_sysctl("ipv6/icmp/ratelimit", 0));
	self->home = net_ns_open();
	ASSERT_LE(0, self->home);
	self->away = net_link_neighbour(here, there);
	ASSERT_LE(0, self->away);
}

FIXTURE_TEARDOWN(holders)
{
	close(self->away);
	close(self->home);
	fam_close(&self->ds);
}

/* A client at the address itself, or on the other host. */
static int refused_at(const struct holders *h, int home, int away, int type,
		      in_port_t port)
{
	bool outside = !strcmp(h->client, HERE4) || !strcmp(h->client, HERE6);
	union net_addr to;
	int fd;

	if (!outside)
		return net_refused(type, h->client, port, NULL);

	net_addr_set(&to, h->client, port);
	if (setns(away, CLONE_NEWNET))
		return -errno;
	fd = socket(to.sa.sa_family, type | SOCK_CLOEXEC, 0);
	if (setns(home, CLONE_NEWNET))
		return -errno;
	return fd < 0 ? -errno : net_refused_on(fd, type, &to);
}

/* explain says who, and the counter agrees with what the clients saw. */
static void hold(struct __test_metadata *_metadata, struct fam *ds,
		 const struct holders *h, int home, int away, int type)
{
	struct fam_counters seen[2] = { };
	int fd[2], i, refused;
	union net_addr to;

	fd[0] = net_server(type, h->bound[0], 0, strcmp(h->bound[0], "::") ?
			   0 : NET_V6ONLY);
	ASSERT_LE(0, fd[0]);
	fd[1] = net_server(type, h->bound[1], net_port(fd[0]), 0);
	ASSERT_LE(0, fd[1]);

	net_addr_set(&to, h->client, net_port(fd[0]));
	test_expect_explained(_metadata, ds, type, &to, NULL, 0,
			      test_refusal(h->counter),
			      fd[h->refuser]);
	for (i = 0; i < 5; i++) {
		refused = refused_at(h, home, away, type, net_port(fd[0]));
		ASSERT_EQ(1, refused);
		if (h->counter)
			seen[h->refuser].v[h->counter] += refused;
	}
	for (i = 0; i < 2; i++) {
		test_expect_socket(_metadata, ds, fd[i], &seen[i]);
		close(fd[i]);
	}
	test_expect_sums(_metadata, ds, &seen[h->refuser]);
}

TEST_F_TIMEOUT(holders, tcp, TEST_TIMEOUT)
{
	hold(_metadata, &self->ds, &variant->h, self->home, self->away,
	     SOCK_STREAM);
}

TEST_F_TIMEOUT(holders, udp, TEST_TIMEOUT)
{
	hold(_metadata, &self->ds, &variant->h, self->home, self->away,
	     SOCK_DGRAM);
}

FIXTURE(reject_udp)
{
	struct fam ds;
};

FIXTURE_SETUP(reject_udp)
{
	if (!test_setup(_metadata, &self->ds))
		return;
}

FIXTURE_TEARDOWN(reject_udp)
{
	fam_close(&self->ds);
}

/* A client that does not wait for the answer is refused as often. */
TEST_F_TIMEOUT(reject_udp, burst, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int fd, i;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	for (i = 0; i < REFUSALS; i++) {
		ASSERT_EQ(0, net_send_to("127.0.0.1", net_port(fd), "x", 1));
		seen.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
	}
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

FIXTURE(reject_tcp)
{
	struct fam ds;
};

FIXTURE_SETUP(reject_tcp)
{
	if (!test_setup(_metadata, &self->ds))
		return;
}

FIXTURE_TEARDOWN(reject_tcp)
{
	fam_close(&self->ds);
}

/* A bare TCP segment from one loopback port to another. */
static int send_segment(in_port_t port, const struct tcphdr *flags)
{
	in_addr_t lo = htonl(INADDR_LOOPBACK);
	struct tcphdr th = *flags;
	union net_addr to;
	int fd, err = 0;

	th.source = htons(9);
	th.dest = htons(port);
	th.doff = sizeof(th) / 4;
	th.check = net_tcp4_checksum(lo, lo, &th, sizeof(th));

	net_addr_set(&to, "127.0.0.1", 0);
	fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	if (sendto(fd, &th, sizeof(th), 0, &to.sa, net_addr_len(&to)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Only a SYN asks for a connection; stray segments are refused nothing. */
TEST_F_TIMEOUT(reject_tcp, segments, TEST_TIMEOUT)
{
	static const struct tcphdr syn = { .syn = 1 };
	static const struct tcphdr stray[] = {
		{ .ack = 1 }, { .rst = 1 }, { .fin = 1, .ack = 1 },
		{ .syn = 1, .ack = 1 }, { .psh = 1, .ack = 1 }, { },
	};
	struct fam_counters seen = { };
	size_t i;
	int fd;

	fd = net_server(SOCK_STREAM, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	for (i = 0; i < ARRAY_SIZE(stray); i++) {
		ASSERT_EQ(0, send_segment(net_port(fd), &stray[i]));
		test_expect_none(_metadata, &self->ds, fd);
	}
	test_expect_sums(_metadata, &self->ds, &seen);

	/* The same by hand, to show that such a segment does arrive. */
	ASSERT_EQ(0, send_segment(net_port(fd), &syn));
	seen.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

/* shutdown() ends a listener without closing it. */
TEST_F_TIMEOUT(reject_tcp, shut_down, TEST_TIMEOUT)
{
	struct fam_counters none = { };
	int fd;

	fd = net_server(SOCK_STREAM, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, shutdown(fd, SHUT_RDWR));
	EXPECT_EQ(1, net_refused(SOCK_STREAM, "127.0.0.1", net_port(fd),
				 NULL));
	test_expect_sums(_metadata, &self->ds, &none);
	close(fd);
}

/* Have a BPF program look for the sockets of this namespace, which finds none. */
static int find_none(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = SK_DROP },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_SK_LOOKUP,
		.expected_attach_type = BPF_SK_LOOKUP,
		.insns = (uintptr_t)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (uintptr_t)"GPL",
	}, link = {
		.link_create.attach_type = BPF_SK_LOOKUP,
	};
	int prog, ns, fd;

	/* There where there is eBPF. */
	if (access("/proc/sys/kernel/unprivileged_bpf_disabled", F_OK))
		return -EOPNOTSUPP;
	prog = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (prog < 0)
		return -errno;
	ns = net_ns_open();
	link.link_create.prog_fd = prog;
	link.link_create.target_fd = ns;
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link));
	if (fd < 0)
		fd = -errno;
	close(ns);
	close(prog);
	return fd;
}

static __u64 rejected_v6only(struct __test_metadata *_metadata, struct fam *ds)
{
	struct fam_stats stats;

	ASSERT_EQ(0, fam_stats_get(ds, 0, &stats));
	return stats.counters.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY];
}

/* What a dual socket would take, and does not get, it has not refused. */
TEST_F_TIMEOUT(reject, dropped_by_program, TEST_TIMEOUT)
{
	in_port_t port;
	union net_addr to;
	__u64 before;
	int fd, link;

	fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	port = net_port(fd);
	link = find_none();
	if (link == -EOPNOTSUPP)
		SKIP(return, "the kernel lacks CONFIG_BPF_SYSCALL");
	ASSERT_LE(0, link) TH_LOG("%s", strerror(-link));
	EXPECT_EQ(1, net_refused(variant->type, "127.0.0.1", port, NULL));
	net_addr_set(&to, "127.0.0.1", port);
	test_expect_explained(_metadata, &self->ds, variant->type, &to, NULL, 0,
			      DUALSTACK_VERDICT_NONE, -1);
	test_expect_none(_metadata, &self->ds, fd);
	test_expect_sums(_metadata, &self->ds, &self->sums);

	/* Nor has one that was V6ONLY, once the packets of that time are through. */
	ASSERT_EQ(1, fam_v6only_set_idle(&self->ds, fd, true));
	ASSERT_EQ(1, fam_v6only_set_idle(&self->ds, fd, false));
	EXPECT_TRUE(net_wait_for(({
		before = rejected_v6only(_metadata, &self->ds);
		ASSERT_EQ(1, net_refused(variant->type, "127.0.0.1", port,
					 NULL));
		rejected_v6only(_metadata, &self->ds) == before;
	}), NET_TIMEOUT_MS));

	close(link);
	test_serve(_metadata, variant->type, fd, "127.0.0.1", &self->sums);
	close(fd);
}

/* Two packets to the port of many, one while a socket has it at another address of IPv6,
 * and one after: @sums is what was counted of them, the second one or none.
 */
static void crowd(struct __test_metadata *_metadata, struct fam *ds, int type,
		  struct fam_counters *sums)
{
	int fd[CROWD], first, i;
	in_port_t port;

	/* The first is the last that is found by the port, or not found. */
	first = net_server(type, NET_ADDR6, 0, NET_REUSEPORT);
	ASSERT_LE(0, first);
	port = net_port(first);
	for (i = 0; i < CROWD; i++) {
		fd[i] = net_server(type, "127.0.0.1", port, NET_REUSEPORT);
		ASSERT_LE(0, fd[i]);
	}
	/* IPv6 has the port, at another address: nobody refuses. */
	ASSERT_EQ(1, net_refused(type, "::1", port, NULL));
	test_expect_sums(_metadata, ds, sums);
	close(first);

	ASSERT_EQ(1, net_refused(type, "::1", port, NULL));
	sums->v[DUALSTACK_A_COUNTER_REJECT_V4ONLY] =
		fam_counted(ds, DUALSTACK_A_COUNTER_REJECT_V4ONLY, 1);
	test_expect_sums(_metadata, ds, sums);
	for (i = 0; i < CROWD; i++)
		close(fd[i]);
}

/* Namespaces to try: so many in a row do not fall out badly by chance. */
#define CROWDS		4

/* Many at one address, where IPv6 finds none: it is there that they are found. The
 * kernel's hash of addresses differs from namespace to namespace. In one of some
 * hundred an IPv6 address that is looked at shares the slot with the crowd, which
 * are too many to pass over; then nobody is found.
 */
TEST_F_TIMEOUT(reject, crowd, TEST_TIMEOUT)
{
	struct rlimit limit = { 2 * CROWD, 2 * CROWD };
	struct fam_counters sums = { };
	int i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	crowd(_metadata, &self->ds, variant->type, &sums);
	for (i = 1; i < CROWDS && !sums.v[DUALSTACK_A_COUNTER_REJECT_V4ONLY]; i++) {
		fam_close(&self->ds);
		setup(_metadata, &self->ds);
		crowd(_metadata, &self->ds, variant->type, &sums);
	}
	EXPECT_EQ(1, sums.v[DUALSTACK_A_COUNTER_REJECT_V4ONLY]);
}

/* What stands between the header of IPv6 and that of the protocol is skipped. */
TEST_F_TIMEOUT(reject, extension_header, TEST_TIMEOUT)
{
	static const struct {
		struct ip6_dest header;
		unsigned char pad[6];
	} options = { .pad = { IP6OPT_PADN, 4 } };
	struct fam_counters seen = { };
	union net_addr to;
	int fd, client;

	fd = net_server(variant->type, "0.0.0.0", 0, 0);
	ASSERT_LE(0, fd);
	net_addr_set(&to, "::1", net_port(fd));
	client = socket(AF_INET6, variant->type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, client);
	ASSERT_EQ(0, setsockopt(client, IPPROTO_IPV6, IPV6_DSTOPTS, &options,
				sizeof(options)));
	ASSERT_EQ(1, net_refused_on(client, variant->type, &to));
	seen.v[DUALSTACK_A_COUNTER_REJECT_V4ONLY]++;
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

/* A device without addresses, and without room for a packet of either family. */
static int add_narrow(const char *name)
{
	return net_link_dummy(name) ?: net_link_mtu(name, 60);
}

/* A socket at an address of each family refuses the other: @found is how many are
 * counted for each.
 */
static void expect_at_address(struct __test_metadata *_metadata,
			      struct fam *ds, int type, int found)
{
	struct fam_counters sums = { };
	int fd[2];

	fd[0] = net_server(type, HERE6, 0, 0);
	ASSERT_LE(0, fd[0]);
	fd[1] = net_server(type, HERE4, 0, 0);
	ASSERT_LE(0, fd[1]);
	ASSERT_EQ(1, net_refused(type, HERE4, net_port(fd[0]), NULL));
	sums.v[DUALSTACK_A_COUNTER_REJECT_ADDR] += found;
	test_expect_sums(_metadata, ds, &sums);
	ASSERT_EQ(1, net_refused(type, HERE6, net_port(fd[1]), NULL));
	sums.v[DUALSTACK_A_COUNTER_REJECT_V4ONLY] += found;
	test_expect_sums(_metadata, ds, &sums);
	close(fd[0]);
	close(fd[1]);
}

/* Sockets at an address are looked for at all of them, device by device. */
TEST_F_TIMEOUT(reject, device_without_family, TEST_TIMEOUT)
{
	ASSERT_EQ(0, add_narrow("dummy0"));
	ASSERT_EQ(0, net_link_dummy("dummy1"));
	ASSERT_EQ(0, net_link_addr("dummy1", HERE4, 24));
	ASSERT_EQ(0, net_link_addr("dummy1", HERE6, 64));
	expect_at_address(_metadata, &self->ds, variant->type, 1);
}

/* More than the module looks at; those before it are no matter. */
#define ADDRESSES	200

/*
 * Of a host with so many addresses not all are looked at for a listener: a packet to
 * a closed port must not cost more the more there are. A datagram's socket is found
 * by its port.
 */
TEST_F_TIMEOUT(reject, many_addresses, TEST_TIMEOUT)
{
	bool found = variant->type == SOCK_DGRAM;
	char addr[INET6_ADDRSTRLEN];
	int i;

	ASSERT_EQ(0, net_link_dummy("dummy0"));
	ASSERT_EQ(0, net_link_dummy("dummy1"));
	ASSERT_EQ(0, net_link_addr("dummy1", HERE4, 24));
	ASSERT_EQ(0, net_link_addr("dummy1", HERE6, 64));
	for (i = 0; i < ADDRESSES; i++) {
		snprintf(addr, sizeof(addr), "2001:db8:2::%x", i + 1);
		ASSERT_EQ(0, net_link_addr("dummy0", addr, 64));
		snprintf(addr, sizeof(addr), "203.0.113.%d", i + 1);
		ASSERT_EQ(0, net_link_addr("dummy0", addr, 24));
	}
	expect_at_address(_metadata, &self->ds, variant->type, found);
}

/* A datagram over IPv6 whose checksum is wrong, or left out, reached nobody. The
 * kernel looks at that of a short one at once, and at that of a long one later.
 */
TEST_F_TIMEOUT(reject_udp, bad_checksum, TEST_TIMEOUT)
{
	static const size_t lens[] = { 1, NET_UDP_DATA };
	struct fam_counters seen = { };
	struct net_packet good, bad;
	union net_addr src, dst;
	size_t i;
	int fd;

	fd = net_server(SOCK_DGRAM, "0.0.0.0", 0, 0);
	ASSERT_LE(0, fd);
	net_addr_set(&src, NET_ADDR6, 9);
	net_addr_set(&dst, "::1", net_port(fd));
	net_packet_set(&good, SOCK_DGRAM, &src, &dst);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		net_packet_pad(&good, lens[i]);
		bad = good;
		bad.udp.check = 0;
		ASSERT_EQ(0, net_packet_send(&bad));
		bad.udp.check = ~good.udp.check ?: 1;
		ASSERT_EQ(0, net_packet_send(&bad));
		test_expect_socket(_metadata, &self->ds, fd, &seen);

		/* The same as it should be, to show that such a one does arrive. */
		ASSERT_EQ(0, net_packet_send(&good));
		seen.v[DUALSTACK_A_COUNTER_REJECT_V4ONLY]++;
		EXPECT_TRUE(net_wait_for(fam_counted(&self->ds,
						     DUALSTACK_A_COUNTER_REJECT_V4ONLY,
						     i + 1), NET_TIMEOUT_MS));
		test_expect_socket(_metadata, &self->ds, fd, &seen);
		test_expect_sums(_metadata, &self->ds, &seen);
	}
	close(fd);
}

/* Sockets that share a port by SO_REUSEADDR, none of them for a part of the packets:
 * refused is who would be served.
 */
TEST_F_TIMEOUT(reject_udp, shared_port, TEST_TIMEOUT)
{
	static const unsigned int on[][SOCKETS] = {
		{ 0, 0, 0 }, { NET_ON_LO, 0, 0 }, { 0, NET_ON_LO, 0 },
		{ 0, 0, NET_ON_LO },
	};
	struct fam_counters sums = { };
	int fd[SOCKETS], taker, i;
	size_t k;

	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	for (k = 0; k < ARRAY_SIZE(on); k++) {
		struct fam_counters seen[SOCKETS] = { };
		char c;

		for (i = 0; i < SOCKETS; i++) {
			fd[i] = net_server(SOCK_DGRAM, "::",
					   i ? net_port(fd[0]) : 0,
					   NET_V6ONLY | NET_REUSEADDR | on[k][i]);
			ASSERT_LE(0, fd[i]);
		}
		/* Who that is, a client of IPv6 shows. */
		ASSERT_EQ(0, net_send_to("::1", net_port(fd[0]), "x", 1));
		ASSERT_TRUE(net_wait_for(({
			taker = 0;
			while (taker < SOCKETS && net_wait_in(fd[taker], 0))
				taker++;
			taker < SOCKETS;
		}), NET_TIMEOUT_MS));
		ASSERT_EQ(1, recv(fd[taker], &c, 1, 0));
		seen[taker].v[DUALSTACK_A_COUNTER_NATIVE_RECV]++;

		ASSERT_EQ(1, net_refused(SOCK_DGRAM, "127.0.0.1",
					 net_port(fd[0]), NULL));
		seen[taker].v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
		for (i = 0; i < SOCKETS; i++) {
			test_expect_socket(_metadata, &self->ds, fd[i],
					   &seen[i]);
			close(fd[i]);
		}
		fam_counters_add(&sums, &seen[taker]);
	}
	test_expect_sums(_metadata, &self->ds, &sums);
}

TEST_HARNESS_MAIN
