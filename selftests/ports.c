// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sums by port: what the sockets counted that asked for a port by its number stays
 * with the port, whatever becomes of them; all the rest is of port 0.
 */
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <pthread.h>
#include <sys/resource.h>

#include "lib/test.h"

#define MAPPED	DUALSTACK_A_COUNTER_MAPPED_RECV

/* What no server of a test asks for by chance, outside of what the kernel chooses. */
#define PORT	7000

FIXTURE(ports)
{
	struct fam ds;
};

FIXTURE_SETUP(ports)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
}

FIXTURE_TEARDOWN(ports)
{
	fam_close(&self->ds);
}

/* The counters that the sockets of a port may have, of both families. */
static void expect_port(struct __test_metadata *_metadata, struct fam *ds,
			int protocol, in_port_t port,
			const struct fam_counters *want)
{
	struct fam_port p;
	size_t i;

	ASSERT_EQ(0, fam_port_get(ds, protocol, port, &p))
		TH_LOG("port %d: %s", port, ds->extack);
	EXPECT_EQ(protocol, p.protocol);
	EXPECT_EQ(port, p.port);
	for (i = 0; i < fam_counter_table_len; i++) {
		const struct fam_counter_info *c = &fam_counter_table[i];
		bool has = fam_counter_has(c, AF_INET, protocol) ||
			   fam_counter_has(c, AF_INET6, protocol);

		EXPECT_EQ(want->v[c->attr], p.counters.v[c->attr])
			TH_LOG("port %d: %s", port, c->name);
		EXPECT_EQ(has, !!(p.counters.present & 1ULL << c->attr))
			TH_LOG("port %d: %s", port, c->name);
	}
}

static bool is_closed(struct fam *ds)
{
	return fam_socket_count(ds) == 0;
}

struct added {
	struct fam_counters sum;
	int protocol;
	int ports;
	__u32 last;
};

/* Each port once, in order, and with something to tell. */
static int add(const struct fam_port *p, void *arg)
{
	__u32 index = (p->protocol == IPPROTO_UDP) << 16 | p->port;
	struct added *a = arg;

	if (fam_counters_zero(&p->counters) || (a->last && index < a->last))
		return -EBADMSG;
	a->last = index + 1;
	a->ports += p->port != 0;
	if (p->protocol == a->protocol)
		fam_counters_add(&a->sum, &p->counters);
	return 0;
}

/* All ports together are the sums of the namespace. Returns how many there are. */
static int expect_adds_up(struct __test_metadata *_metadata, struct fam *ds)
{
	static const int protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	struct fam_stats stats;
	struct added a = { };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		memset(&a, 0, sizeof(a));
		a.protocol = protocols[i];
		EXPECT_EQ(0, fam_stats_get(ds, protocols[i], &stats));
		EXPECT_EQ(0, fam_port_dump(ds, add, &a));
		for (j = 0; j < FAM_COUNTERS; j++)
			EXPECT_EQ(stats.counters.v[j], a.sum.v[j])
				TH_LOG("counter %zu of protocol %d", j,
				       protocols[i]);
	}
	return a.ports;
}

FIXTURE(ports_server)
{
	struct fam ds;
};

FIXTURE_VARIANT(ports_server)
{
	int type;
	int protocol;
};

FIXTURE_VARIANT_ADD(ports_server, tcp)
{
	.type = SOCK_STREAM, .protocol = IPPROTO_TCP,
};

FIXTURE_VARIANT_ADD(ports_server, udp)
{
	.type = SOCK_DGRAM, .protocol = IPPROTO_UDP,
};

FIXTURE_SETUP(ports_server)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
}

FIXTURE_TEARDOWN(ports_server)
{
	fam_close(&self->ds);
}

/* One server after the other has the port, of each family and mode. */
TEST_F_TIMEOUT(ports_server, outlive_sockets, TEST_TIMEOUT)
{
	static const struct {
		const char *addr;
		unsigned int flags;
		bool serves_ipv4;
		bool serves_ipv6;
	} servers[] = {
		{ "::", NET_DUAL, true, true },
		{ "0.0.0.0", 0, true, false },
		{ "::", NET_V6ONLY, false, true },
		{ "::", NET_DUAL, true, true },
		{ "::1", 0, false, true },
		{ "127.0.0.1", 0, true, false },
		{ "::ffff:127.0.0.1", NET_DUAL, true, false },
	};
	struct fam_counters seen = { };
	struct fam_port p;
	size_t i;
	int fd;

	EXPECT_EQ(-ENOENT, fam_port_get(&self->ds, variant->protocol, PORT, &p));
	for (i = 0; i < ARRAY_SIZE(servers); i++) {
		fd = net_server(variant->type, servers[i].addr, PORT,
				servers[i].flags | NET_REUSEADDR);
		ASSERT_LE(0, fd)
			TH_LOG("%s: %s", servers[i].addr, strerror(-fd));
		if (servers[i].serves_ipv4)
			test_serve(_metadata, variant->type, fd, "127.0.0.1",
				   &seen);
		expect_port(_metadata, &self->ds, variant->protocol, PORT,
			    &seen);
		if (servers[i].serves_ipv6)
			test_serve(_metadata, variant->type, fd, "::1", &seen);
		if (servers[i].flags == NET_V6ONLY) {
			ASSERT_EQ(1, net_refused(variant->type, "127.0.0.1",
						 PORT, NULL));
			seen.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
		}
		if (i % 2)
			expect_adds_up(_metadata, &self->ds);
		close(fd);
		expect_port(_metadata, &self->ds, variant->protocol, PORT,
			    &seen);
		EXPECT_TRUE(net_wait_for(is_closed(&self->ds), NET_TIMEOUT_MS));
		expect_port(_metadata, &self->ds, variant->protocol, PORT,
			    &seen);
	}
	EXPECT_EQ(1, expect_adds_up(_metadata, &self->ds));
}

/* Of workers that share a port, one ends, and another comes: a service is reloaded. */
TEST_F_TIMEOUT(ports_server, workers, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	struct fam_port p;
	int fd[3], i;

	for (i = 0; i < 3; i++) {
		fd[i] = net_server(variant->type, "::", PORT,
				   NET_DUAL | NET_REUSEPORT);
		ASSERT_LE(0, fd[i]);
		if (i)
			close(fd[i - 1]);
		test_serve(_metadata, variant->type, fd[i], "127.0.0.1", &seen);
		test_serve(_metadata, variant->type, fd[i], "::1", &seen);
		expect_port(_metadata, &self->ds, variant->protocol, PORT,
			    &seen);
	}
	close(fd[2]);
	EXPECT_TRUE(net_wait_for(is_closed(&self->ds), NET_TIMEOUT_MS));
	expect_port(_metadata, &self->ds, variant->protocol, PORT, &seen);
	EXPECT_EQ(-ENOENT, fam_port_get(&self->ds, variant->protocol, PORT + 1,
					&p));
	EXPECT_EQ(1, expect_adds_up(_metadata, &self->ds));
}

/* A port that the kernel chose is nobody's. */
TEST_F_TIMEOUT(ports_server, chosen, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	struct fam_port p;
	int i, fd;

	for (i = 0; i < 2; i++) {
		fd = net_server(variant->type, i ? "0.0.0.0" : "::", 0,
				i ? 0 : NET_DUAL);
		ASSERT_LE(0, fd);
		test_serve(_metadata, variant->type, fd, "127.0.0.1", &seen);
		EXPECT_EQ(-ENOENT, fam_port_get(&self->ds, variant->protocol,
						net_port(fd), &p));
		close(fd);
	}
	EXPECT_TRUE(net_wait_for(is_closed(&self->ds), NET_TIMEOUT_MS));
	EXPECT_EQ(0, expect_adds_up(_metadata, &self->ds));
	ASSERT_EQ(0, fam_port_get(&self->ds, variant->protocol, 0, &p));
	for (i = 0; i < FAM_COUNTERS; i++)
		if (seen.v[i])
			EXPECT_EQ(seen.v[i], p.counters.v[i]);
}

/* A reset forgets what was, and no socket that lives is lost to its port. */
TEST_F_TIMEOUT(ports_server, reset, TEST_TIMEOUT)
{
	struct fam_counters seen[2] = { };
	struct fam_counters none = { };
	struct fam_port p;
	int fd[2], i, n;

	for (i = 0; i < 2; i++) {
		fd[i] = net_server(variant->type, "::", PORT + i, NET_DUAL);
		ASSERT_LE(0, fd[i]);
		test_serve(_metadata, variant->type, fd[i], "127.0.0.1",
			   &seen[i]);
	}
	/* Of one socket, whose counts stay with the port */
	ASSERT_EQ(0, fam_reset(&self->ds, net_cookie(fd[0])));
	expect_port(_metadata, &self->ds, variant->protocol, PORT, &seen[0]);
	test_serve(_metadata, variant->type, fd[0], "::1", &seen[0]);
	expect_port(_metadata, &self->ds, variant->protocol, PORT, &seen[0]);
	EXPECT_EQ(2, expect_adds_up(_metadata, &self->ds));

	close(fd[1]);
	EXPECT_TRUE(net_wait_for(fam_socket_count(&self->ds) == 1,
				 NET_TIMEOUT_MS));
	for (n = 0; n < 3; n++) {
		memset(seen, 0, sizeof(seen));
		ASSERT_EQ(0, fam_reset(&self->ds, 0));
		EXPECT_EQ(0, expect_adds_up(_metadata, &self->ds));
		expect_port(_metadata, &self->ds, variant->protocol, PORT,
			    &none);
		EXPECT_EQ(-ENOENT, fam_port_get(&self->ds, variant->protocol,
						PORT + 1, &p));
		test_serve(_metadata, variant->type, fd[0], "127.0.0.1",
			   &seen[0]);
		expect_port(_metadata, &self->ds, variant->protocol, PORT,
			    &seen[0]);
	}
	close(fd[0]);
	expect_port(_metadata, &self->ds, variant->protocol, PORT, &seen[0]);
	EXPECT_EQ(1, expect_adds_up(_metadata, &self->ds));
}

/* Anybody may ask, for one port at a time or for all. */
TEST_F_TIMEOUT(ports_server, requests, TEST_TIMEOUT)
{
	int fd = net_server(variant->type, "::", PORT, NET_DUAL);
	struct fam_counters seen = { };
	struct fam_port p;
	struct nl_msg *msg;
	struct fam ds;

	ASSERT_LE(0, fd);
	test_serve(_metadata, variant->type, fd, "127.0.0.1", &seen);
	EXPECT_EQ(-EINVAL, fam_port_get(&self->ds, IPPROTO_SCTP, PORT, &p));
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds,
				    fam_msg(&self->ds, DUALSTACK_CMD_PORT_GET, 0),
				    NULL, NULL));
	msg = fam_msg(&self->ds, DUALSTACK_CMD_PORT_GET, NLM_F_DUMP);
	ASSERT_NE(NULL, msg);
	nla_put_u8(msg, DUALSTACK_A_PORT_PROTOCOL, variant->protocol);
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));

	ASSERT_EQ(0, net_become_nobody());
	ASSERT_EQ(0, fam_open(&ds));
	expect_port(_metadata, &ds, variant->protocol, PORT, &seen);
	EXPECT_EQ(1, expect_adds_up(_metadata, &ds));
	fam_close(&ds);
	close(fd);
}

/* Another namespace knows nothing of it, and takes what it knows with it. */
TEST_F_TIMEOUT(ports_server, namespaces, TEST_TIMEOUT)
{
	int fd = net_server(variant->type, "::", PORT, NET_DUAL);
	struct fam_counters seen = { }, other_seen = { };
	struct fam other;
	struct fam_port p;
	int other_fd;

	ASSERT_LE(0, fd);
	test_serve(_metadata, variant->type, fd, "127.0.0.1", &seen);

	/* Its sockets are all that holds it, once this goes on to a third one. */
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&other));
	EXPECT_EQ(-ENOENT, fam_port_get(&other, variant->protocol, PORT, &p));
	other_fd = net_server(variant->type, "::", PORT, NET_DUAL);
	ASSERT_LE(0, other_fd);
	test_serve(_metadata, variant->type, other_fd, "::1", &other_seen);
	expect_port(_metadata, &other, variant->protocol, PORT, &other_seen);
	ASSERT_EQ(0, net_ns_new());
	close(other_fd);
	fam_close(&other);

	expect_port(_metadata, &self->ds, variant->protocol, PORT, &seen);
	EXPECT_EQ(1, expect_adds_up(_metadata, &self->ds));
	close(fd);
}

/* A datagram to a socket of this process; returns whether it came. */
static bool datagram(int client, int fd, in_port_t port)
{
	union net_addr to;
	char byte;

	net_addr_set(&to, "127.0.0.1", port);
	return sendto(client, "x", 1, 0, &to.sa, net_addr_len(&to)) == 1 &&
	       !net_wait_in(fd, NET_TIMEOUT_MS) && recv(fd, &byte, 1, 0) == 1;
}

/* What the record of a socket counted that gave way to another one, and later came back. */
TEST_F_TIMEOUT(ports, evicted, TEST_TIMEOUT)
{
	struct fam_counters seen[3] = { };
	struct fam_port p, before = { };
	struct fam_stats stats;
	int fd[3], i, tries = 0;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    2));
	for (i = 0; i < 3; i++) {
		fd[i] = net_server(SOCK_DGRAM, "::", PORT + i, NET_DUAL);
		ASSERT_LE(0, fd[i]);
	}
	for (i = 0; i < 2; i++)
		test_serve(_metadata, SOCK_DGRAM, fd[i], "127.0.0.1", &seen[i]);
	/* Until there is room the third is of no port, and then it is of its own. */
	do {
		test_serve(_metadata, SOCK_DGRAM, fd[2], "127.0.0.1", &seen[2]);
		ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
		for (i = 0; i < 2; i++)
			expect_port(_metadata, &self->ds, IPPROTO_UDP, PORT + i,
				    &seen[i]);
		usleep(100000);
	} while (!stats.evicted && ++tries < 1000);
	ASSERT_EQ(1, stats.evicted);
	ASSERT_EQ(0, fam_port_get(&self->ds, IPPROTO_UDP, PORT + 2, &p));
	EXPECT_EQ(1, p.counters.v[MAPPED]);
	ASSERT_EQ(0, fam_port_get(&self->ds, IPPROTO_UDP, 0, &before));
	EXPECT_EQ(seen[2].v[MAPPED] - 1, before.counters.v[MAPPED]);
	EXPECT_EQ(3, expect_adds_up(_metadata, &self->ds));

	/* The first one was idle for longest: it comes back, where it can. */
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    3));
	test_serve(_metadata, SOCK_DGRAM, fd[0], "::1", &seen[0]);
	for (i = 0; i < 2; i++) {
		expect_port(_metadata, &self->ds, IPPROTO_UDP, PORT + i,
			    &seen[i]);
		close(fd[i]);
	}
	close(fd[2]);
	EXPECT_TRUE(net_wait_for(is_closed(&self->ds), NET_TIMEOUT_MS));
	for (i = 0; i < 2; i++)
		expect_port(_metadata, &self->ds, IPPROTO_UDP, PORT + i,
			    &seen[i]);
	EXPECT_EQ(3, expect_adds_up(_metadata, &self->ds));
}

/* Whoever asks first is a client, which has a port of its own choice for each question. */
FIXTURE(ports_client)
{
	struct fam ds;
};

FIXTURE_VARIANT(ports_client)
{
	const char *addr;
	unsigned int flags;
	bool connects;
	int err;
};

FIXTURE_VARIANT_ADD(ports_client, sends)
{
	.addr = "::", .flags = NET_DUAL,
};

FIXTURE_VARIANT_ADD(ports_client, sends_v4)
{
	.addr = "0.0.0.0",
};

FIXTURE_VARIANT_ADD(ports_client, connects)
{
	.addr = "::", .flags = NET_DUAL, .connects = true,
};

FIXTURE_VARIANT_ADD(ports_client, connects_v4)
{
	.addr = "0.0.0.0", .connects = true,
};

FIXTURE_VARIANT_ADD(ports_client, send_refused)
{
	.addr = "::", .flags = NET_V6ONLY, .err = ENETUNREACH,
};

FIXTURE_VARIANT_ADD(ports_client, connect_refused)
{
	.addr = "::", .flags = NET_V6ONLY, .connects = true, .err = ENETUNREACH,
};

FIXTURE_SETUP(ports_client)
{
	if (!test_setup(_metadata, &self->ds))
		return;
}

FIXTURE_TEARDOWN(ports_client)
{
	fam_close(&self->ds);
}

/* Returns 0 or an errno. */
static int ask(int fd, const char *addr, bool connects)
{
	union net_addr to;

	net_addr_set(&to, strcmp(addr, "0.0.0.0") ? "::ffff:127.0.0.1" :
		     "127.0.0.1", PORT);
	if (connects)
		return connect(fd, &to.sa, net_addr_len(&to)) ||
		       send(fd, "x", 1, 0) != 1 ? errno : 0;
	return sendto(fd, "x", 1, 0, &to.sa, net_addr_len(&to)) != 1 ? errno : 0;
}

TEST_F_TIMEOUT(ports_client, has_no_port, TEST_TIMEOUT)
{
	int fd, server = net_server(SOCK_DGRAM, "::", PORT, NET_DUAL);
	union net_addr from;
	struct fam_port p;
	socklen_t len;
	char byte;
	int i;

	ASSERT_LE(0, server);
	for (i = 1; i <= 3; i++) {
		fd = net_server(SOCK_DGRAM, variant->addr, PORT + i,
				variant->flags);
		ASSERT_LE(0, fd);
		ASSERT_EQ(variant->err, ask(fd, variant->addr,
					    variant->connects));
		if (!variant->err) {
			len = sizeof(from);
			ASSERT_EQ(0, net_wait_in(server, NET_TIMEOUT_MS));
			ASSERT_EQ(1, recvfrom(server, &byte, 1, 0, &from.sa,
					      &len));
			ASSERT_EQ(1, sendto(server, "y", 1, 0, &from.sa, len));
			ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
			ASSERT_EQ(1, recv(fd, &byte, 1, 0));
		}
		EXPECT_EQ(-ENOENT, fam_port_get(&self->ds, IPPROTO_UDP, PORT + i,
						&p));
		close(fd);
	}
	EXPECT_EQ(!variant->err, expect_adds_up(_metadata, &self->ds));
	ASSERT_EQ(0, fam_port_get(&self->ds, IPPROTO_UDP, 0, &p));
	EXPECT_FALSE(fam_counters_zero(&p.counters));
	close(server);
}

/* A server connects a socket to its client: it is part of what the port counts. */
TEST_F_TIMEOUT(ports, connected_by_server, TEST_TIMEOUT)
{
	int client = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	struct fam_counters seen = { };
	union net_addr to;
	int fd, connected;

	ASSERT_LE(0, client);
	fd = net_server(SOCK_DGRAM, "::", PORT, NET_DUAL | NET_REUSEPORT);
	ASSERT_LE(0, fd);
	test_serve(_metadata, SOCK_DGRAM, fd, "127.0.0.1", &seen);
	connected = net_server(SOCK_DGRAM, "::", PORT, NET_DUAL | NET_REUSEPORT);
	ASSERT_LE(0, connected);
	net_addr_set(&to, "::ffff:127.0.0.1", net_port(client));
	ASSERT_EQ(0, connect(connected, &to.sa, net_addr_len(&to)));
	seen.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
	expect_port(_metadata, &self->ds, IPPROTO_UDP, PORT, &seen);
	EXPECT_EQ(1, expect_adds_up(_metadata, &self->ds));
	close(connected);
	close(fd);
	close(client);
}

/* As many as have sums of their own, PORTS_WITH_SUMS of the module */
#define MAX_PORTS	4096
#define SURPLUS		3

/* What is beyond that is of port 0 while all have sockets. Then one that has none, with
 * the least counts of some, gives way; and a reset makes room again.
 */
TEST_F_TIMEOUT(ports, too_many, TEST_TIMEOUT)
{
	const struct rlimit files = { MAX_PORTS + 64, MAX_PORTS + 64 };
	int client = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	struct fam_counters one = { .v[MAPPED] = 1 };
	in_port_t last = PORT + MAX_PORTS + SURPLUS;
	static int fds[MAX_PORTS + SURPLUS];
	struct fam_port p;
	int fd, i, gone;

	ASSERT_LE(0, client);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	for (i = 0; i < MAX_PORTS + SURPLUS; i++) {
		fds[i] = net_server(SOCK_DGRAM, "::", PORT + i, NET_DUAL);
		ASSERT_LE(0, fds[i]);
		ASSERT_TRUE(datagram(client, fds[i], PORT + i));
		/* The first one is a service that does much. */
		if (i < 64)
			ASSERT_TRUE(datagram(client, fds[0], PORT));
		if (i && i < MAX_PORTS && i % 512 == 0)
			expect_port(_metadata, &self->ds, IPPROTO_UDP, PORT + i,
				    &one);
	}
	EXPECT_EQ(MAX_PORTS, expect_adds_up(_metadata, &self->ds));
	EXPECT_EQ(-ENOENT, fam_port_get(&self->ds, IPPROTO_UDP, last - 1, &p));
	ASSERT_EQ(0, fam_port_get(&self->ds, IPPROTO_UDP, 0, &p));
	EXPECT_EQ(SURPLUS, p.counters.v[MAPPED]);

	for (i = 0; i < MAX_PORTS + SURPLUS; i++)
		close(fds[i]);
	EXPECT_TRUE(net_wait_for(is_closed(&self->ds), NET_TIMEOUT_MS));
	for (i = 0; i < SURPLUS; i++) {
		fd = net_server(SOCK_DGRAM, "::", last + i, NET_DUAL);
		ASSERT_LE(0, fd);
		ASSERT_TRUE(datagram(client, fd, last + i));
		expect_port(_metadata, &self->ds, IPPROTO_UDP, last + i, &one);
		EXPECT_EQ(MAX_PORTS, expect_adds_up(_metadata, &self->ds));
		ASSERT_EQ(0, fam_port_get(&self->ds, IPPROTO_UDP, 0, &p));
		EXPECT_EQ(SURPLUS + i + 1, p.counters.v[MAPPED]);
		close(fd);
	}
	for (i = 0, gone = 0; i < MAX_PORTS; i++)
		gone += fam_port_get(&self->ds, IPPROTO_UDP, PORT + i, &p) ==
			-ENOENT;
	EXPECT_EQ(SURPLUS, gone);
	one.v[MAPPED] += 64;
	expect_port(_metadata, &self->ds, IPPROTO_UDP, PORT, &one);
	one.v[MAPPED] = 1;

	EXPECT_TRUE(net_wait_for(is_closed(&self->ds), NET_TIMEOUT_MS));
	ASSERT_EQ(0, fam_reset(&self->ds, 0));
	EXPECT_EQ(0, expect_adds_up(_metadata, &self->ds));
	fd = net_server(SOCK_DGRAM, "::", last, NET_DUAL);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(datagram(client, fd, last));
	expect_port(_metadata, &self->ds, IPPROTO_UDP, last, &one);
	EXPECT_EQ(1, expect_adds_up(_metadata, &self->ds));
	close(fd);
	close(client);
}

/* A thread that has datagrams on a port, by one socket after the other. */
struct churn {
	pthread_t thread;
	in_port_t port;
	bool stop;
	bool failed;
	__u64 begun;	/* datagrams that it was about to take */
	__u64 done;	/* datagrams that it took */
};

#define get(field)		__atomic_load_n(&(field), __ATOMIC_SEQ_CST)
#define set(field, value)	__atomic_store_n(&(field), value, __ATOMIC_SEQ_CST)
#define inc(field)		__atomic_add_fetch(&(field), 1, __ATOMIC_SEQ_CST)

static void *churn(void *arg)
{
	int i, fd, client = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	struct churn *c = arg;

	while (!get(c->stop) && !c->failed) {
		fd = net_server(SOCK_DGRAM, "::", c->port, NET_DUAL);
		c->failed = fd < 0;
		for (i = 0; i < 5 && !c->failed; i++) {
			inc(c->begun);
			c->failed = !datagram(client, fd, c->port);
			inc(c->done);
		}
		close(fd);
	}
	close(client);
	return NULL;
}

#define CHURNS	3

struct range {
	__u64 least[CHURNS];
	__u64 got[CHURNS];
};

static int note(const struct fam_port *p, void *arg)
{
	struct range *r = arg;

	if (p->port >= PORT && p->port < PORT + CHURNS)
		r->got[p->port - PORT] = p->counters.v[MAPPED];
	return 0;
}

/* However slow the machine is: no round begins when as much has passed, in milliseconds. */
#define ROUNDS_MS	60000

/* Each datagram that is over is there, and none that has not begun: so it never falls. */
TEST_F_TIMEOUT(ports, while_sockets_close, TEST_TIMEOUT)
{
	struct churn c[CHURNS] = { };
	int i, n, rounds = test_rounds(3000);
	__u64 end = net_now_ms() + ROUNDS_MS;
	struct range r, last = { };

	for (i = 0; i < CHURNS; i++) {
		c[i].port = PORT + i;
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, churn, &c[i]));
	}
	for (n = 0; n < rounds && net_now_ms() < end; n++) {
		memset(&r, 0, sizeof(r));
		for (i = 0; i < CHURNS; i++)
			r.least[i] = get(c[i].done);
		EXPECT_EQ(0, fam_port_dump(&self->ds, note, &r));
		for (i = 0; i < CHURNS; i++) {
			EXPECT_LE(r.least[i], r.got[i]);
			EXPECT_GE(get(c[i].begun), r.got[i]);
			EXPECT_LE(last.got[i], r.got[i]);
		}
		last = r;
	}
	for (i = 0; i < CHURNS; i++)
		set(c[i].stop, true);
	for (i = 0; i < CHURNS; i++) {
		pthread_join(c[i].thread, NULL);
		EXPECT_FALSE(c[i].failed);
	}
	EXPECT_TRUE(net_wait_for(is_closed(&self->ds), NET_TIMEOUT_MS));
	ASSERT_EQ(0, fam_port_dump(&self->ds, note, &r));
	for (i = 0; i < CHURNS; i++)
		EXPECT_EQ(get(c[i].done), r.got[i]);
	TH_LOG("%llu datagrams", c[0].done + c[1].done + c[2].done);
	EXPECT_EQ(CHURNS, expect_adds_up(_metadata, &self->ds));
}

/* The same while all is set to 0 again and again. */
TEST_F_TIMEOUT(ports, while_reset, TEST_TIMEOUT)
{
	__u64 least[CHURNS], most[CHURNS], over[CHURNS];
	__u64 end = net_now_ms() + ROUNDS_MS;
	int i, j, n = test_rounds(500);
	struct churn c[CHURNS] = { };
	struct range r;

	for (i = 0; i < CHURNS; i++) {
		c[i].port = PORT + i;
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, churn, &c[i]));
	}
	while (n-- && net_now_ms() < end) {
		for (i = 0; i < CHURNS; i++)
			most[i] = get(c[i].done);
		ASSERT_EQ(0, fam_reset(&self->ds, 0));
		for (i = 0; i < CHURNS; i++)
			least[i] = get(c[i].begun);
		for (j = 0; j < 3; j++) {
			memset(&r, 0, sizeof(r));
			for (i = 0; i < CHURNS; i++)
				over[i] = get(c[i].done);
			ASSERT_EQ(0, fam_port_dump(&self->ds, note, &r));
			for (i = 0; i < CHURNS; i++) {
				if (over[i] > least[i])
					EXPECT_LE(over[i] - least[i], r.got[i]);
				EXPECT_GE(get(c[i].begun) - most[i], r.got[i]);
			}
		}
	}
	for (i = 0; i < CHURNS; i++)
		set(c[i].stop, true);
	for (i = 0; i < CHURNS; i++) {
		pthread_join(c[i].thread, NULL);
		EXPECT_FALSE(c[i].failed);
	}
	EXPECT_TRUE(net_wait_for(is_closed(&self->ds), NET_TIMEOUT_MS));
	expect_adds_up(_metadata, &self->ds);
	ASSERT_EQ(0, fam_reset(&self->ds, 0));
	EXPECT_EQ(0, expect_adds_up(_metadata, &self->ds));
}

TEST_HARNESS_MAIN
