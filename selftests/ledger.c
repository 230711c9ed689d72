// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ledger of peers: each client, each destination and each that is refused has an
 * entry with what the applications saw, and what has none is in a rest.
 */
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "lib/test.h"

#define IN		DUALSTACK_PEER_DIRECTION_IN
#define OUT		DUALSTACK_PEER_DIRECTION_OUT
#define REFUSED		DUALSTACK_PEER_DIRECTION_REFUSED
#define REFUSED_OUT	DUALSTACK_PEER_DIRECTION_REFUSED_OUT

#define CLIENTS		300
#define PORT		7100

FIXTURE(ledger)
{
	struct fam ds;
};

FIXTURE_VARIANT(ledger)
{
	int type;
	const char *server;
};

FIXTURE_VARIANT_ADD(ledger, tcp)
{
	.type = SOCK_STREAM, .server = "::",
};

FIXTURE_VARIANT_ADD(ledger, tcp_v4)
{
	.type = SOCK_STREAM, .server = "0.0.0.0",
};

FIXTURE_VARIANT_ADD(ledger, udp)
{
	.type = SOCK_DGRAM, .server = "::",
};

FIXTURE_VARIANT_ADD(ledger, udp_v4)
{
	.type = SOCK_DGRAM, .server = "0.0.0.0",
};

FIXTURE_SETUP(ledger)
{
	test_setup(_metadata, &self->ds);
}

FIXTURE_TEARDOWN(ledger)
{
	fam_close(&self->ds);
}

static int serve_on(const char *addr, int type, in_port_t port)
{
	return net_server(type, addr, port, NET_REUSEADDR |
			  (strchr(addr, ':') ? NET_DUAL : 0));
}

/* Addresses of this host, each a client. */
static const char *client_addr(int i)
{
	static char text[INET_ADDRSTRLEN];

	snprintf(text, sizeof(text), "127.%d.%d.9", 1 + i / 200, 1 + i % 200);
	return text;
}

static union net_addr client_net_addr(int i)
{
	union net_addr addr = { };

	net_addr_set(&addr, client_addr(i), 0);
	return addr;
}

/* One client comes, and the application sees that it is that one. */
static void come_from(struct __test_metadata *_metadata, int type, int fd,
		      const char *addr)
{
	struct fam_counters unused = { };
	union net_addr peer, want;

	peer = test_serve(_metadata, type, fd, addr, &unused);
	ASSERT_EQ(0, net_addr_set(&want, addr, ntohs(peer.in.sin_port)));
	if (net_addr_mapped(&peer)) {
		EXPECT_EQ(0, memcmp(&peer.in6.sin6_addr.s6_addr[12],
				    &want.in.sin_addr, 4));
	} else {
		EXPECT_TRUE(net_addr_eq(&want, &peer));
	}
}

static void come(struct __test_metadata *_metadata, int type, int fd, int i)
{
	come_from(_metadata, type, fd, client_addr(i));
}

/* The entry of a client of a server has this count; none, 0. */
static void expect_in(struct __test_metadata *_metadata, struct fam *ds, int type,
		      in_port_t port, const union net_addr *peer, __u64 count)
{
	const struct ledger_query query = {
		.direction = IN, .protocol = net_protocol_of(type), .port = port,
	};
	struct ledger_entry e;

	EXPECT_EQ(!!count, ledger_find(ds, &query, peer, NULL, &e));
	EXPECT_EQ(count, e.count);
	EXPECT_FALSE(e.has_uid);
	EXPECT_EQ(count ? port : 0, e.local_port);
}

static void expect_client(struct __test_metadata *_metadata, struct fam *ds,
			  int type, in_port_t port, const char *addr, __u64 count)
{
	union net_addr peer = { };

	ASSERT_EQ(0, net_addr_set(&peer, addr, 0));
	expect_in(_metadata, ds, type, port, &peer, count);
}

/* What all entries of a direction add up to, asked in both ways. */
static struct ledger_sum sum_of(struct __test_metadata *_metadata, struct fam *ds,
				int direction, int type, in_port_t port)
{
	const struct ledger_query query = {
		.direction = direction, .protocol = net_protocol_of(type),
		.port = port,
	};
	struct ledger_sum sum, got;

	EXPECT_EQ(0, ledger_sum(ds, &query, &sum));
	EXPECT_EQ(0, ledger_get(ds, &query, &got));
	EXPECT_EQ(sum.entries, got.entries);
	EXPECT_EQ(sum.count, got.count);
	return sum;
}

/* Whatever happened, the ledger has as much as the counters. */
static void expect_whole(struct __test_metadata *_metadata, struct fam *ds)
{
	struct fam_stats tcp, udp;

	ASSERT_EQ(0, fam_stats_get(ds, IPPROTO_TCP, &tcp));
	ASSERT_EQ(0, fam_stats_get(ds, IPPROTO_UDP, &udp));
	test_expect_ledger(_metadata, ds, IPPROTO_TCP, &tcp.counters);
	test_expect_ledger(_metadata, ds, IPPROTO_UDP, &udp.counters);
}

struct tally {
	struct __test_metadata *_metadata;
	const int *saw;
	int n;
};

static int check_client(const struct ledger_entry *e, void *arg)
{
	const __u8 *b = (const __u8 *)&e->peer.in.sin_addr;
	struct tally *t = arg;
	struct __test_metadata *_metadata = t->_metadata;
	int i = (b[1] - 1) * 200 + b[2] - 1;

	EXPECT_EQ(AF_INET, e->peer.sa.sa_family);
	EXPECT_EQ(127, b[0]);
	EXPECT_EQ(9, b[3]);
	ASSERT_TRUE(i >= 0 && i < CLIENTS);
	EXPECT_EQ(t->saw[i], e->count)
		TH_LOG("client %d", i);
	t->n++;
	return 0;
}

TEST_F_TIMEOUT(ledger, clients, TEST_TIMEOUT)
{
	const struct ledger_query query = {
		.direction = IN, .protocol = net_protocol_of(variant->type),
		.port = PORT,
	};
	int saw[CLIENTS] = { }, i, k, fd, clients = test_rounds(CLIENTS);
	struct tally tally = { ._metadata = _metadata, .saw = saw };

	fd = serve_on(variant->server, variant->type, PORT);
	ASSERT_LE(0, fd);
	srandom(getpid());
	for (k = 0; k < 4 * clients; k++) {
		i = random() % clients;
		come(_metadata, variant->type, fd, i);
		saw[i]++;
	}
	/* Each is there, and nobody else. */
	for (i = 0, k = 0; i < clients; i++)
		k += !!saw[i];
	ASSERT_EQ(0, ledger_dump(&self->ds, &query, check_client, &tally));
	EXPECT_EQ(k, tally.n);
	EXPECT_EQ(4 * clients, sum_of(_metadata, &self->ds, IN, variant->type,
				      PORT).count);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

/* It outlives the server, whose next one goes on with it; it is of the port. */
TEST_F_TIMEOUT(ledger, restart, TEST_TIMEOUT)
{
	union net_addr peer = client_net_addr(1);
	int i, fd;

	for (i = 0; i < 3; i++) {
		fd = serve_on(variant->server, variant->type, PORT);
		ASSERT_LE(0, fd);
		come(_metadata, variant->type, fd, 1);
		come(_metadata, variant->type, fd, 1);
		close(fd);
		expect_in(_metadata, &self->ds, variant->type, PORT, &peer,
			  2 * (i + 1));
	}
	fd = serve_on(variant->server, variant->type, PORT + 1);
	ASSERT_LE(0, fd);
	come(_metadata, variant->type, fd, 1);
	close(fd);
	expect_in(_metadata, &self->ds, variant->type, PORT, &peer, 6);
	expect_in(_metadata, &self->ds, variant->type, PORT + 1, &peer, 1);
	expect_whole(_metadata, &self->ds);
}

#define ROOM		64
#define REGULARS	48
#define STRANGERS	2000

/* Those that come now and then stay, whoever else comes once: what strangers counted is
 * in the rest of the port.
 */
TEST_F_TIMEOUT(ledger, strangers, TEST_TIMEOUT)
{
	int saw[REGULARS] = { }, i, k, fd, strangers = test_rounds(STRANGERS);
	struct ledger_entry rest;
	struct ledger_query query = {
		.direction = IN, .protocol = net_protocol_of(variant->type),
		.port = PORT,
	};
	struct ledger_sum sum;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_PEERS,
				    ROOM));
	fd = serve_on(variant->server, variant->type, PORT);
	ASSERT_LE(0, fd);
	for (k = 0; k < 8; k++)
		for (i = 0; i < REGULARS; i++, saw[i - 1]++)
			come(_metadata, variant->type, fd, i);
	for (k = 0; k < strangers; k++) {
		come(_metadata, variant->type, fd, 1000 + k);
		if (k % 100)
			continue;
		i = k / 100 % REGULARS;
		come(_metadata, variant->type, fd, i);
		saw[i]++;
	}
	for (i = 0, k = 0; i < REGULARS; i++) {
		union net_addr peer = client_net_addr(i);

		expect_in(_metadata, &self->ds, variant->type, PORT, &peer,
			  saw[i]);
		k += saw[i];
	}
	sum = sum_of(_metadata, &self->ds, IN, variant->type, PORT);
	EXPECT_EQ(ROOM, sum.entries);
	EXPECT_EQ(strangers + k, sum.count);
	EXPECT_EQ(strangers - (ROOM - REGULARS), sum.rest);
	EXPECT_EQ(1, ledger_find(&self->ds, &query, NULL, NULL, &rest));
	EXPECT_EQ(PORT, rest.local_port);
	EXPECT_EQ(sum.rest, rest.count);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

/* No room at all: all that is known is the port. */
TEST_F_TIMEOUT(ledger, no_room, TEST_TIMEOUT)
{
	struct ledger_sum sum;
	int i, fd;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_PEERS, 0));
	fd = serve_on(variant->server, variant->type, PORT);
	ASSERT_LE(0, fd);
	for (i = 0; i < 20; i++)
		come(_metadata, variant->type, fd, i);
	sum = sum_of(_metadata, &self->ds, IN, variant->type, PORT);
	EXPECT_EQ(0, sum.entries);
	EXPECT_EQ(20, sum.count);
	EXPECT_EQ(20, sum.rest);
	EXPECT_EQ(0, sum_of(_metadata, &self->ds, IN, variant->type,
			    PORT + 1).count);

	/* From here on there is, and then there is not again. */
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_PEERS,
				    ROOM));
	come(_metadata, variant->type, fd, 1);
	sum = sum_of(_metadata, &self->ds, IN, variant->type, PORT);
	EXPECT_EQ(1, sum.entries);
	EXPECT_EQ(21, sum.count);
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_PEERS, 0));
	come(_metadata, variant->type, fd, 2);
	sum = sum_of(_metadata, &self->ds, IN, variant->type, PORT);
	EXPECT_EQ(0, sum.entries);
	EXPECT_EQ(22, sum.rest);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

/* Sockets without a record have their peers in the ledger all the same. */
TEST_F_TIMEOUT(ledger, untracked, TEST_TIMEOUT)
{
	union net_addr peer = client_net_addr(1);
	int i, fd;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    0));
	fd = serve_on(variant->server, variant->type, PORT);
	ASSERT_LE(0, fd);
	for (i = 0; i < 5; i++)
		come(_metadata, variant->type, fd, 1);
	expect_in(_metadata, &self->ds, variant->type, PORT, &peer, 5);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

TEST_F_TIMEOUT(ledger, emptied, TEST_TIMEOUT)
{
	union net_addr peer = client_net_addr(1);
	struct fam_stats stats;
	int fd, i;

	fd = serve_on(variant->server, variant->type, PORT);
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++)
		come(_metadata, variant->type, fd, 1);
	ASSERT_EQ(0, ledger_reset(&self->ds));
	expect_in(_metadata, &self->ds, variant->type, PORT, &peer, 0);
	/* Nothing else is reset. */
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	EXPECT_EQ(3, stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_ACCEPT] +
		     stats.counters.v[DUALSTACK_A_COUNTER_V4_ACCEPT] +
		     stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV] +
		     stats.counters.v[DUALSTACK_A_COUNTER_V4_RECV]);
	/* The same socket, the same peer. */
	for (i = 0; i < 2; i++)
		come(_metadata, variant->type, fd, 1);
	expect_in(_metadata, &self->ds, variant->type, PORT, &peer, 2);

	ASSERT_EQ(0, fam_reset(&self->ds, 0));
	expect_in(_metadata, &self->ds, variant->type, PORT, &peer, 0);
	come(_metadata, variant->type, fd, 1);
	expect_in(_metadata, &self->ds, variant->type, PORT, &peer, 1);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

TEST_F_TIMEOUT(ledger, off, TEST_TIMEOUT)
{
	union net_addr peer = client_net_addr(1);
	struct fam_config config;
	int fd, i;

	ASSERT_EQ(0, fam_config_get(&self->ds, &config));
	EXPECT_TRUE(config.peers);
	EXPECT_EQ(16384, config.max_peers);
	fd = serve_on(variant->server, variant->type, PORT);
	ASSERT_LE(0, fd);
	for (i = 0; i < 3; i++)
		come(_metadata, variant->type, fd, 1);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, fam_config_set(&self->ds,
					    DUALSTACK_A_CONFIG_PEERS, 0));
		come(_metadata, variant->type, fd, 1);
		come(_metadata, variant->type, fd, 2);
		EXPECT_EQ(0, sum_of(_metadata, &self->ds, IN, variant->type,
				    0).count);
		ASSERT_EQ(0, fam_config_get(&self->ds, &config));
		EXPECT_FALSE(config.peers);

		ASSERT_EQ(0, fam_config_set(&self->ds,
					    DUALSTACK_A_CONFIG_PEERS, 1));
		come(_metadata, variant->type, fd, 1);
		come(_metadata, variant->type, fd, 1);
		expect_in(_metadata, &self->ds, variant->type, PORT, &peer, 2);
		EXPECT_EQ(2, sum_of(_metadata, &self->ds, IN, variant->type,
				    0).count);
	}
	close(fd);
}

/* A namespace knows its own, and forgets it when it ends. */
TEST_F_TIMEOUT(ledger, namespaces, TEST_TIMEOUT)
{
	int i, fd, home = net_ns_open();
	struct fam other;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, net_ns_new());
		ASSERT_EQ(0, fam_open(&other));
		fd = serve_on(variant->server, variant->type, PORT);
		ASSERT_LE(0, fd);
		come(_metadata, variant->type, fd, 1);
		close(fd);
		EXPECT_EQ(1, sum_of(_metadata, &other, IN, variant->type,
				    PORT).count);
		fam_close(&other);
		ASSERT_EQ(0, setns(home, CLONE_NEWNET));
	}
	EXPECT_EQ(0, sum_of(_metadata, &self->ds, IN, variant->type, 0).count);
	close(home);
}

/* Whoever accepts: the port has the peer. */
TEST_F_TIMEOUT(ledger, inherited, TEST_TIMEOUT)
{
	union net_addr peer = client_net_addr(1);
	int fd, status;
	pid_t child;

	fd = serve_on(variant->server, variant->type, PORT);
	ASSERT_LE(0, fd);
	child = net_fork();
	ASSERT_LE(0, child);
	if (!child) {
		come(_metadata, variant->type, fd, 1);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	come(_metadata, variant->type, fd, 1);
	expect_in(_metadata, &self->ds, variant->type, PORT, &peer, 2);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

TEST_F_TIMEOUT(ledger, bound_to_device, TEST_TIMEOUT)
{
	union net_addr peer = client_net_addr(1);
	int fd;

	fd = net_server(variant->type, variant->server, PORT, NET_ON_LO |
			(strchr(variant->server, ':') ? NET_DUAL : 0));
	ASSERT_LE(0, fd);
	come(_metadata, variant->type, fd, 1);
	come(_metadata, variant->type, fd, 1);
	expect_in(_metadata, &self->ds, variant->type, PORT, &peer, 2);
	close(fd);
}

/* A group of two is one port. */
TEST_F_TIMEOUT(ledger, reuseport, TEST_TIMEOUT)
{
	unsigned int flags = NET_REUSEPORT |
			     (strchr(variant->server, ':') ? NET_DUAL : 0);
	int i, k, fd[2], saw = 0;

	for (i = 0; i < 2; i++) {
		fd[i] = net_server(variant->type, variant->server, PORT, flags);
		ASSERT_LE(0, fd[i]);
	}
	for (i = 0; i < 20; i++) {
		union net_addr from;
		int client, conn;
		char c;

		if (variant->type == SOCK_DGRAM) {
			ASSERT_EQ(0, net_send_to(client_addr(1), PORT, "x", 1));
			while (recv(fd[0], &c, 1, MSG_DONTWAIT) != 1 &&
			       recv(fd[1], &c, 1, MSG_DONTWAIT) != 1)
				;
			saw++;
			continue;
		}
		client = net_client(SOCK_STREAM, client_addr(1), PORT, NULL);
		ASSERT_LE(0, client);
		for (k = 0; net_wait_in(fd[k], 10); k = !k)
			;
		conn = net_accept(fd[k], &from);
		ASSERT_LE(0, conn);
		saw++;
		net_close_reset(client);
		close(conn);
	}
	close(fd[0]);
	expect_client(_metadata, &self->ds, variant->type, PORT, client_addr(1),
		      saw);
	close(fd[1]);
}

/* How far jiffies may be behind, on a machine that stood still for a moment. */
#define SLACK_MS	1000

/* Ages are those of the first and of the last time. */
TEST_F_TIMEOUT(ledger, ages, TEST_TIMEOUT)
{
	const struct ledger_query query = {
		.direction = IN, .protocol = net_protocol_of(variant->type),
		.port = PORT,
	};
	union net_addr peer = client_net_addr(1);
	__u64 first, last, now;
	struct ledger_entry e;
	int fd;

	fd = serve_on(variant->server, variant->type, PORT);
	ASSERT_LE(0, fd);
	first = net_now_ms();
	come(_metadata, variant->type, fd, 1);
	now = net_now_ms();
	ASSERT_EQ(1, ledger_find(&self->ds, &query, &peer, NULL, &e));
	EXPECT_LE(e.first_age, net_now_ms() - first + SLACK_MS);
	EXPECT_EQ(e.first_age, e.last_age);
	while (net_now_ms() < now + 3 * SLACK_MS)
		net_nap();
	last = net_now_ms();
	come(_metadata, variant->type, fd, 1);
	ASSERT_EQ(1, ledger_find(&self->ds, &query, &peer, NULL, &e));
	EXPECT_GE(e.first_age + SLACK_MS, last - now);
	EXPECT_LE(e.last_age, net_now_ms() - last + SLACK_MS);
	EXPECT_GE(e.first_age, e.last_age + SLACK_MS);
	close(fd);
}

/* What goes out, and what is refused */

FIXTURE(who)
{
	struct fam ds;
};

FIXTURE_SETUP(who)
{
	test_setup(_metadata, &self->ds);
}

FIXTURE_TEARDOWN(who)
{
	fam_close(&self->ds);
}

static void expect_out(struct __test_metadata *_metadata, struct fam *ds,
		       int direction, int type, const char *addr, in_port_t port,
		       const char *comm, uid_t uid, __u64 count)
{
	const struct ledger_query query = {
		.direction = direction, .protocol = net_protocol_of(type),
	};
	struct ledger_entry e;
	union net_addr to;

	ASSERT_EQ(0, net_addr_set(&to, addr, port));
	EXPECT_EQ(!!count, ledger_find(ds, &query, &to, comm, &e))
		TH_LOG("%s to %s port %d", comm, addr, port);
	EXPECT_EQ(count, e.count)
		TH_LOG("%s to %s port %d", comm, addr, port);
	if (!count)
		return;
	EXPECT_TRUE(e.has_uid);
	EXPECT_EQ(uid, e.uid);
	EXPECT_EQ(0, e.local_port);
}

/* Run a program by another name, and perhaps as another user. */
static void run_as(struct __test_metadata *_metadata, const char *comm, uid_t uid,
		   void (*run)(void *arg), void *arg)
{
	pid_t child = net_fork();
	int status;

	ASSERT_LE(0, child);
	if (!child) {
		if (prctl(PR_SET_NAME, comm) || setuid(uid))
			_exit(1);
		run(arg);
		_exit(0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

static void connect_to(void *port)
{
	int fd = net_client(SOCK_STREAM, "127.0.0.1", *(in_port_t *)port, NULL);

	if (fd < 0)
		_exit(1);
	net_close_reset(fd);
}

/* Named though it is gone, by name and user, of either family. */
TEST_F_TIMEOUT(who, connects, TEST_TIMEOUT)
{
	in_port_t port;
	int i, fd, client;

	fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	port = net_port(fd);
	for (i = 0; i < 3; i++)
		run_as(_metadata, "curl", 0, connect_to, &port);
	run_as(_metadata, "wget", 0, connect_to, &port);
	run_as(_metadata, "wget", 1000, connect_to, &port);
	run_as(_metadata, "wget", 1000, connect_to, &port);
	prctl(PR_SET_NAME, "a name too long f");
	client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, net_connect(client, "::ffff:127.0.0.1", port));
	close(client);

	expect_out(_metadata, &self->ds, OUT, SOCK_STREAM, "127.0.0.1", port,
		   "curl", 0, 3);
	expect_out(_metadata, &self->ds, OUT, SOCK_STREAM, "127.0.0.1", port,
		   "a name too long", 0, 1);
	EXPECT_EQ(7, sum_of(_metadata, &self->ds, OUT, SOCK_STREAM, 0).count);
	EXPECT_EQ(4, sum_of(_metadata, &self->ds, OUT, SOCK_STREAM, 0).entries);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

/* One that is refused by nobody there went out all the same; one that goes nowhere did
 * not.
 */
TEST_F_TIMEOUT(who, connects_in_vain, TEST_TIMEOUT)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	prctl(PR_SET_NAME, "vain");
	EXPECT_EQ(-ECONNREFUSED, net_connect(fd, "127.0.0.1", 1));
	expect_out(_metadata, &self->ds, OUT, SOCK_STREAM, "127.0.0.1", 1,
		   "vain", 0, 1);
	net_connect(fd, "0.0.0.0", 1);
	net_connect(fd, "127.0.0.1", 0);
	EXPECT_EQ(1, sum_of(_metadata, &self->ds, OUT, SOCK_STREAM, 0).count);
	close(fd);
}

static int udp_pair(int *server, const char *addr)
{
	*server = net_server(SOCK_DGRAM, addr, PORT, 0);
	return *server < 0 ? *server : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static void get(struct __test_metadata *_metadata, int fd, union net_addr *from)
{
	socklen_t len = sizeof(*from);
	char c;

	ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recvfrom(fd, &c, 1, 0, &from->sa, &len));
}

/* A question and its answer are one thing: of the client out, of the server in. */
TEST_F_TIMEOUT(who, questions, TEST_TIMEOUT)
{
	int i, server, client = udp_pair(&server, "::");
	union net_addr from;

	ASSERT_LE(0, client);
	prctl(PR_SET_NAME, "asks");
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, net_sendto(client, "127.0.0.1", PORT, 0));
		get(_metadata, server, &from);
		ASSERT_EQ(1, sendto(server, "x", 1, 0, &from.sa,
				    net_addr_len(&from)));
		get(_metadata, client, &from);
	}
	expect_out(_metadata, &self->ds, OUT, SOCK_DGRAM, "127.0.0.1", PORT,
		   "asks", 0, 4);
	EXPECT_EQ(4, sum_of(_metadata, &self->ds, OUT, SOCK_DGRAM, 0).count);
	expect_client(_metadata, &self->ds, SOCK_DGRAM, PORT, "127.0.0.1", 4);
	EXPECT_EQ(4, sum_of(_metadata, &self->ds, IN, SOCK_DGRAM, 0).count);
	close(client);
	close(server);
}

/* What the resolver does to sort addresses. */
TEST_F_TIMEOUT(who, connect_sends_nothing, TEST_TIMEOUT)
{
	struct fam_stats stats;
	int server, client = udp_pair(&server, "0.0.0.0");

	ASSERT_LE(0, client);
	prctl(PR_SET_NAME, "sorts");
	ASSERT_EQ(0, net_connect(client, "127.0.0.1", PORT));
	ASSERT_EQ(0, fam_stats_get(&self->ds, IPPROTO_UDP, &stats));
	EXPECT_EQ(1, stats.counters.v[DUALSTACK_A_COUNTER_V4_CONNECT]);
	EXPECT_EQ(0, sum_of(_metadata, &self->ds, OUT, SOCK_DGRAM, 0).count);
	ASSERT_EQ(1, send(client, "x", 1, 0));
	expect_out(_metadata, &self->ds, OUT, SOCK_DGRAM, "127.0.0.1", PORT,
		   "sorts", 0, 1);
	close(client);
	close(server);
}

/* A QUIC or DNS client of the other family. */
TEST_F_TIMEOUT(who, mapped_client, TEST_TIMEOUT)
{
	int i, server, client;
	union net_addr from;

	server = net_server(SOCK_DGRAM, "0.0.0.0", PORT, 0);
	client = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, server);
	ASSERT_LE(0, client);
	prctl(PR_SET_NAME, "quic");
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, net_sendto(client, "::ffff:127.0.0.1", PORT, 0));
		get(_metadata, server, &from);
		ASSERT_EQ(1, sendto(server, "x", 1, 0, &from.sa,
				    net_addr_len(&from)));
		get(_metadata, client, &from);
	}
	expect_out(_metadata, &self->ds, OUT, SOCK_DGRAM, "127.0.0.1", PORT,
		   "quic", 0, 3);
	EXPECT_EQ(3, sum_of(_metadata, &self->ds, IN, SOCK_DGRAM, 0).count);
	expect_client(_metadata, &self->ds, SOCK_DGRAM, PORT, "127.0.0.1", 3);
	close(client);
	close(server);
}

/* A server that connects a socket to each client, as inetd and socat do. */
TEST_F_TIMEOUT(who, forking_server, TEST_TIMEOUT)
{
	int i, server, client;
	union net_addr from = { };
	socklen_t len = sizeof(from);
	char c;

	server = net_server(SOCK_DGRAM, "::", PORT, NET_DUAL);
	ASSERT_LE(0, server);
	client = net_client(SOCK_DGRAM, "127.0.0.1", PORT, NULL);
	ASSERT_LE(0, client);
	ASSERT_EQ(1, send(client, "x", 1, 0));
	ASSERT_EQ(0, net_wait_in(server, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recvfrom(server, &c, 1, MSG_PEEK, &from.sa, &len));
	ASSERT_EQ(0, connect(server, &from.sa, len));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, send(client, "x", 1, 0));
		get(_metadata, server, &from);
		ASSERT_EQ(1, send(server, "x", 1, 0));
	}
	get(_metadata, server, &from);
	expect_client(_metadata, &self->ds, SOCK_DGRAM, PORT, "127.0.0.1", 4);
	EXPECT_EQ(4, sum_of(_metadata, &self->ds, IN, SOCK_DGRAM, 0).count);
	EXPECT_EQ(4, sum_of(_metadata, &self->ds, OUT, SOCK_DGRAM, 0).count);
	close(client);
	close(server);
}

/* A server that opens another socket for each client, at the same port, as those of DTLS
 * do.
 */
TEST_F_TIMEOUT(who, server_of_a_socket_each, TEST_TIMEOUT)
{
	union net_addr from = { };
	int i, server, own, client;

	server = net_server(SOCK_DGRAM, "0.0.0.0", PORT, NET_REUSEADDR);
	ASSERT_LE(0, server);
	client = net_client(SOCK_DGRAM, "127.0.0.1", PORT, NULL);
	ASSERT_LE(0, client);
	ASSERT_EQ(1, send(client, "x", 1, 0));
	get(_metadata, server, &from);
	own = net_server(SOCK_DGRAM, "0.0.0.0", PORT, NET_REUSEADDR);
	ASSERT_LE(0, own);
	ASSERT_EQ(0, connect(own, &from.sa, net_addr_len(&from)));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, send(own, "x", 1, 0));
		get(_metadata, client, &from);
		ASSERT_EQ(1, send(client, "x", 1, 0));
		get(_metadata, own, &from);
	}
	expect_client(_metadata, &self->ds, SOCK_DGRAM, PORT, "127.0.0.1", 4);
	EXPECT_EQ(4, sum_of(_metadata, &self->ds, OUT, SOCK_DGRAM, 0).count);
	close(client);
	close(own);
	close(server);
}

/* A client whose port was asked for, as NTP and DHCP have it: connected before anything
 * came.
 */
TEST_F_TIMEOUT(who, client_with_a_port, TEST_TIMEOUT)
{
	int server, client = udp_pair(&server, "0.0.0.0");
	union net_addr from;

	ASSERT_LE(0, client);
	prctl(PR_SET_NAME, "ntp");
	ASSERT_EQ(0, net_bind(client, "127.0.0.1", PORT + 1));
	ASSERT_EQ(0, net_connect(client, "127.0.0.1", PORT));
	ASSERT_EQ(1, send(client, "x", 1, 0));
	get(_metadata, server, &from);
	ASSERT_EQ(1, sendto(server, "x", 1, 0, &from.sa, net_addr_len(&from)));
	get(_metadata, client, &from);
	expect_out(_metadata, &self->ds, OUT, SOCK_DGRAM, "127.0.0.1", PORT,
		   "ntp", 0, 1);
	EXPECT_EQ(1, sum_of(_metadata, &self->ds, OUT, SOCK_DGRAM, 0).count);
	EXPECT_EQ(1, sum_of(_metadata, &self->ds, IN, SOCK_DGRAM, 0).count);
	close(client);
	close(server);
}

/* One socket, two programs and two destinations: who sent is told of each. */
TEST_F_TIMEOUT(who, shared_socket, TEST_TIMEOUT)
{
	int i, server, client = udp_pair(&server, "0.0.0.0");

	ASSERT_LE(0, client);
	for (i = 0; i < 6; i++) {
		prctl(PR_SET_NAME, i % 2 ? "odd" : "even");
		ASSERT_EQ(0, net_sendto(client, i < 3 ? "127.0.0.1" : "127.0.0.2",
					PORT, 0));
	}
	expect_out(_metadata, &self->ds, OUT, SOCK_DGRAM, "127.0.0.1", PORT,
		   "even", 0, 2);
	expect_out(_metadata, &self->ds, OUT, SOCK_DGRAM, "127.0.0.1", PORT,
		   "odd", 0, 1);
	expect_out(_metadata, &self->ds, OUT, SOCK_DGRAM, "127.0.0.2", PORT,
		   "even", 0, 1);
	expect_out(_metadata, &self->ds, OUT, SOCK_DGRAM, "127.0.0.2", PORT,
		   "odd", 0, 2);
	close(client);
	close(server);
}

/* Of the direction out there is one rest for each protocol. */
TEST_F_TIMEOUT(who, rest_of_out, TEST_TIMEOUT)
{
	const struct ledger_query query = {
		.direction = OUT, .protocol = IPPROTO_UDP,
	};
	struct ledger_entry rest;
	struct ledger_sum sum;
	int i, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_PEERS, 10));
	for (i = 0; i < 100; i++)
		net_sendto(fd, client_addr(i), PORT, 0);
	sum = sum_of(_metadata, &self->ds, OUT, SOCK_DGRAM, 0);
	EXPECT_EQ(10, sum.entries);
	EXPECT_EQ(90, sum.rest);
	EXPECT_EQ(1, ledger_find(&self->ds, &query, NULL, NULL, &rest));
	EXPECT_EQ(90, rest.count);
	EXPECT_FALSE(rest.has_uid);
	EXPECT_EQ(0, sum_of(_metadata, &self->ds, OUT, SOCK_STREAM, 0).count);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

static void expect_refused(struct __test_metadata *_metadata, struct fam *ds,
			   int type, in_port_t port, const char *addr,
			   __u64 count)
{
	const struct ledger_query query = {
		.direction = REFUSED, .protocol = net_protocol_of(type), .port = port,
	};
	struct ledger_entry e;
	union net_addr peer;

	ASSERT_EQ(0, net_addr_set(&peer, addr, 0));
	EXPECT_EQ(!!count, ledger_find(ds, &query, &peer, NULL, &e));
	EXPECT_EQ(count, e.count);
	EXPECT_FALSE(e.has_uid);
}

/* By either family, of both protocols. */
TEST_F_TIMEOUT(who, refused, TEST_TIMEOUT)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	int i, k, v6only, v4;

	for (k = 0; k < 2; k++) {
		int saw4 = 0, saw6 = 0;

		v6only = net_server(types[k], "::", PORT, NET_V6ONLY);
		v4 = net_server(types[k], "0.0.0.0", PORT + 1, 0);
		ASSERT_LE(0, v6only);
		ASSERT_LE(0, v4);
		for (i = 0; i < 3; i++) {
			saw4 += net_refused(types[k], "127.0.0.1", PORT, NULL);
			saw6 += net_refused(types[k], NET_ADDR6, PORT + 1, NULL);
		}
		saw6 += net_refused(types[k], "::1", PORT + 1, NULL);
		EXPECT_EQ(3, saw4);
		EXPECT_EQ(4, saw6);
		expect_refused(_metadata, &self->ds, types[k], PORT, "127.0.0.1",
			       saw4);
		expect_refused(_metadata, &self->ds, types[k], PORT + 1,
			       NET_ADDR6, saw6 - 1);
		expect_refused(_metadata, &self->ds, types[k], PORT + 1, "::1",
			       1);
		expect_refused(_metadata, &self->ds, types[k], PORT, "::1", 0);
		close(v6only);
		close(v4);
	}
	expect_whole(_metadata, &self->ds);
}

/* Where ksoftirqd is to take packets but does not get to run, no more of them wait than
 * net.core.netdev_max_backlog says, 1000: so who sends many waits for those so far.
 */
#define PACE 250

static bool refused_so_far(struct fam *ds, int n)
{
	return net_wait_for(fam_counted(ds, DUALSTACK_A_COUNTER_REJECT_V6ONLY, n),
			    NET_TIMEOUT_MS);
}

/* A scan from many addresses goes to the rest of the port. */
TEST_F_TIMEOUT(who, scan, TEST_TIMEOUT)
{
	int i, fd, n = test_rounds(3000);
	struct ledger_sum sum;
	struct fam_stats stats;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_PEERS, 32));
	fd = net_server(SOCK_DGRAM, "::", PORT, NET_V6ONLY);
	ASSERT_LE(0, fd);
	for (i = 0; i < n; i++) {
		ASSERT_EQ(0, net_send_to(client_addr(i % 20000), PORT, "x", 1));
		if (!(i % PACE) || i + 1 == n)
			ASSERT_TRUE(refused_so_far(&self->ds, i + 1));
	}
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	sum = sum_of(_metadata, &self->ds, REFUSED, SOCK_DGRAM, PORT);
	EXPECT_EQ(32, sum.entries);
	EXPECT_EQ(n - 32, sum.rest);
	EXPECT_EQ(n, sum.count);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

#define SCANNERS	100000
#define KNOWN		10

/* A datagram from any address of 127.0.0.0/8. */
static int send_from(int raw, __u32 addr, in_port_t port)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
	} packet = {
		.ip = {
			.version = 4, .ihl = 5, .ttl = 64,
			.protocol = IPPROTO_UDP,
			.saddr = htonl(addr), .daddr = htonl(INADDR_LOOPBACK),
		},
		.udp = {
			.source = htons(9), .dest = htons(port),
			.len = htons(sizeof(struct udphdr)),
		},
	};
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = packet.ip.daddr,
	};

	return sendto(raw, &packet, sizeof(packet), 0, (struct sockaddr *)&to,
		      sizeof(to)) == sizeof(packet) ? 0 : -errno;
}

/* With the room that there is by default: ten clients that come again and again keep
 * their entries, the others that came last have one each.
 */
TEST_F_TIMEOUT(who, scan_beside_clients, TEST_TIMEOUT)
{
	int i, k, fd, raw, n = SCANNERS / test_stride(50), saw[KNOWN] = { }, known = 0;
	struct ledger_sum sum;

	fd = net_server(SOCK_DGRAM, "::", PORT, NET_V6ONLY);
	raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, raw);
	for (i = 0; i < n; i++) {
		/* They were there before, and come on. */
		if (i < 5 * KNOWN || !(i % 1000)) {
			k = i < 5 * KNOWN ? i % KNOWN : i / 1000 % KNOWN;
			ASSERT_EQ(0, send_from(raw, 0x7f000001 + k, PORT));
			saw[k]++;
			known++;
		}
		ASSERT_EQ(0, send_from(raw, 0x7f100000 + i, PORT));
		if (!(i % PACE) || i + 1 == n)
			ASSERT_TRUE(refused_so_far(&self->ds, i + 1 + known));
	}
	for (k = 0; k < KNOWN; k++) {
		char addr[INET_ADDRSTRLEN];

		snprintf(addr, sizeof(addr), "127.0.0.%d", 1 + k);
		expect_refused(_metadata, &self->ds, SOCK_DGRAM, PORT, addr,
			       saw[k]);
	}
	sum = sum_of(_metadata, &self->ds, REFUSED, SOCK_DGRAM, PORT);
	TH_LOG("%u entries, %llu in the rest", sum.entries,
	       (unsigned long long)sum.rest);
	EXPECT_EQ(n + KNOWN < 16384 ? n + KNOWN : 16384, sum.entries);
	EXPECT_EQ(n + known, sum.count);
	expect_whole(_metadata, &self->ds);
	close(raw);
	close(fd);
}

/* connect() and sendmsg() that IPV6_V6ONLY forbids */
TEST_F_TIMEOUT(who, refused_out, TEST_TIMEOUT)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	int i, fd;

	prctl(PR_SET_NAME, "forbidden");
	for (i = 0; i < 2; i++) {
		fd = net_server(types[i], "::", 0, NET_V6ONLY);
		ASSERT_LE(0, fd);
		if (types[i] == SOCK_STREAM) {
			close(fd);
			fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
			ASSERT_EQ(0, net_setsockopt(fd, IPPROTO_IPV6,
						    IPV6_V6ONLY, 1));
		}
		EXPECT_EQ(-ENETUNREACH,
			  net_connect(fd, "::ffff:192.0.2.9", PORT));
		EXPECT_EQ(-ENETUNREACH,
			  net_connect(fd, "::ffff:192.0.2.9", PORT));
		if (types[i] == SOCK_DGRAM) {
			EXPECT_EQ(-ENETUNREACH,
				  net_sendto(fd, "::ffff:192.0.2.9", PORT, 0));
		}
		expect_out(_metadata, &self->ds, REFUSED_OUT, types[i],
			   "192.0.2.9", PORT, "forbidden", 0,
			   types[i] == SOCK_DGRAM ? 3 : 2);
		EXPECT_EQ(0, sum_of(_metadata, &self->ds, OUT, types[i], 0).count);
		close(fd);
	}
	expect_whole(_metadata, &self->ds);
}

/* The ways of a connection that have hooks of their own. */

TEST_F_TIMEOUT(who, fastopen, TEST_TIMEOUT)
{
	int i, fd, client, conn;
	union net_addr peer;

	ASSERT_EQ(0, net_sysctl("ipv4/tcp_fastopen", 0x407));
	fd = net_server(SOCK_STREAM, "::", PORT, NET_DUAL | NET_FASTOPEN);
	ASSERT_LE(0, fd);
	prctl(PR_SET_NAME, "fast");
	for (i = 0; i < 3; i++) {
		client = net_client_fastopen("127.0.0.1", PORT, "x", 1);
		ASSERT_LE(0, client);
		conn = net_accept(fd, &peer);
		ASSERT_LE(0, conn);
		close(conn);
		net_close_reset(client);
	}
	expect_client(_metadata, &self->ds, SOCK_STREAM, PORT, "127.0.0.1", 3);
	expect_out(_metadata, &self->ds, OUT, SOCK_STREAM, "127.0.0.1", PORT,
		   "fast", 0, 3);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

TEST_F_TIMEOUT(who, cookies, TEST_TIMEOUT)
{
	__s64 before;
	int fd;

	/* For each SYN, whatever the queue has. */
	ASSERT_EQ(0, net_sysctl("ipv4/tcp_syncookies", 2));
	fd = net_server(SOCK_STREAM, "::", PORT, NET_DUAL);
	ASSERT_LE(0, fd);
	before = net_tcpext("SyncookiesRecv");
	come_from(_metadata, SOCK_STREAM, fd, "127.0.0.1");
	come_from(_metadata, SOCK_STREAM, fd, "127.0.0.1");
	EXPECT_EQ(before + 2, net_tcpext("SyncookiesRecv"));
	expect_client(_metadata, &self->ds, SOCK_STREAM, PORT, "127.0.0.1", 2);
	close(fd);
}

TEST_F_TIMEOUT(who, mptcp, TEST_TIMEOUT)
{
	int i, fd, client, conn;
	union net_addr peer;

	fd = net_server(SOCK_STREAM, "::", PORT, NET_DUAL | NET_MPTCP);
	if (fd == -EPROTONOSUPPORT)
		SKIP(return, TEST_SKIP_MPTCP);
	ASSERT_LE(0, fd);
	prctl(PR_SET_NAME, "multipath");
	for (i = 0; i < 2; i++) {
		client = net_client_mptcp("127.0.0.1", PORT);
		ASSERT_LE(0, client);
		ASSERT_EQ(1, send(client, "x", 1, 0));
		conn = net_accept(fd, &peer);
		ASSERT_LE(0, conn);
		close(conn);
		close(client);
	}
	/* The subflow connects, in the call of the application. */
	expect_client(_metadata, &self->ds, SOCK_STREAM, PORT, "127.0.0.1", 2);
	expect_out(_metadata, &self->ds, OUT, SOCK_STREAM, "127.0.0.1", PORT,
		   "multipath", 0, 2);
	expect_whole(_metadata, &self->ds);
	close(fd);
}

/* Datagrams that one recvmsg(), or one recvmmsg(), hands over */
TEST_F_TIMEOUT(who, several_at_once, TEST_TIMEOUT)
{
	char data[4 * 100] = { }, bufs[4][100];
	int server, client, segment = 100, i, n, saw = 0;
	struct mmsghdr msgs[4] = { };
	struct iovec iov[4];

	server = net_server(SOCK_DGRAM, "::", PORT, NET_DUAL);
	client = net_client(SOCK_DGRAM, "127.0.0.1", PORT, NULL);
	ASSERT_LE(0, server);
	ASSERT_LE(0, client);
	ASSERT_EQ(0, net_setsockopt(server, IPPROTO_UDP, UDP_GRO, 1));
	ASSERT_EQ(0, net_setsockopt(client, IPPROTO_UDP, UDP_SEGMENT, segment));
	ASSERT_EQ((ssize_t)sizeof(data), send(client, data, sizeof(data), 0));
	ASSERT_EQ(0, net_wait_in(server, NET_TIMEOUT_MS));
	ASSERT_EQ((ssize_t)sizeof(data), recv(server, data, sizeof(data), 0));
	saw += 4;

	ASSERT_EQ(0, net_setsockopt(server, IPPROTO_UDP, UDP_GRO, 0));
	ASSERT_EQ(0, net_setsockopt(client, IPPROTO_UDP, UDP_SEGMENT, 0));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(1, send(client, "x", 1, 0));
		iov[i] = (struct iovec){ bufs[i], sizeof(bufs[i]) };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	for (i = 0; i < 4; i += n) {
		ASSERT_EQ(0, net_wait_in(server, NET_TIMEOUT_MS));
		n = recvmmsg(server, msgs, 4 - i, MSG_DONTWAIT, NULL);
		ASSERT_LT(0, n);
		saw += n;
	}
	expect_client(_metadata, &self->ds, SOCK_DGRAM, PORT, "127.0.0.1", saw);
	EXPECT_EQ(5, sum_of(_metadata, &self->ds, OUT, SOCK_DGRAM, 0).count);
	close(client);
	close(server);
}

/* Within a VRF it is the port of a server there; the namespace has one ledger. */
TEST_F_TIMEOUT(who, vrf, TEST_TIMEOUT)
{
	int fd, client, conn, err = net_link_vrf("vrf0", 10);
	union net_addr peer, to;

	if (err == -EOPNOTSUPP)
		SKIP(return, "the kernel lacks CONFIG_NET_VRF");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, net_link_dummy("dummy0"));
	ASSERT_EQ(0, net_link_enslave("dummy0", "vrf0"));
	ASSERT_EQ(0, net_link_addr("dummy0", "198.51.100.1", 24));
	fd = net_server(SOCK_STREAM, "::", PORT, NET_DUAL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, net_sysctl("ipv4/tcp_l3mdev_accept", 1));
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, setsockopt(client, SOL_SOCKET, SO_BINDTODEVICE, "vrf0", 4));
	ASSERT_EQ(0, net_addr_set(&to, "198.51.100.1", PORT));
	ASSERT_EQ(0, connect(client, &to.sa, net_addr_len(&to)));
	conn = net_accept(fd, &peer);
	ASSERT_LE(0, conn);
	expect_client(_metadata, &self->ds, SOCK_STREAM, PORT, "198.51.100.1", 1);
	close(conn);
	close(client);
	close(fd);
}

/* Rights and bad requests */

TEST_F_TIMEOUT(who, rights, TEST_TIMEOUT)
{
	const struct ledger_query query = { .direction = IN };
	struct ledger_sum sum;

	ASSERT_EQ(0, net_become_nobody());
	EXPECT_EQ(-EPERM, ledger_sum(&self->ds, &query, &sum));
	EXPECT_EQ(-EPERM, ledger_get(&self->ds, &query, &sum));
	EXPECT_EQ(-EPERM, ledger_reset(&self->ds));
	EXPECT_EQ(-EPERM, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_PEERS, 0));
}

TEST_F_TIMEOUT(who, bad_requests, TEST_TIMEOUT)
{
	struct ledger_query query = { .direction = LEDGER_DIRECTIONS };
	struct fam_config config;
	struct ledger_sum sum;
	struct nl_msg *msg;

	EXPECT_EQ(-ERANGE, ledger_sum(&self->ds, &query, &sum));
	query.direction = -1;
	query.protocol = IPPROTO_UDPLITE;
	EXPECT_EQ(-EINVAL, ledger_sum(&self->ds, &query, &sum));
	EXPECT_STREQ("Protocol is neither TCP nor UDP", self->ds.extack);
	EXPECT_EQ(-EINVAL, ledger_get(&self->ds, &query, &sum));

	EXPECT_EQ(-EINVAL, fam_config_set(&self->ds,
					  DUALSTACK_A_CONFIG_MAX_PEERS, 1048577));
	EXPECT_STREQ("max-peers is at most 1048576", self->ds.extack);
	EXPECT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_PEERS,
				    1048576));
	EXPECT_EQ(-ERANGE, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_PEERS, 2));
	msg = fam_reset_msg(&self->ds, net_cookie(0) ?: 1);
	nla_put_flag(msg, DUALSTACK_A_SOCKET_PEERS);
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));
	EXPECT_STREQ("The ledger of peers is the namespace's: no cookie",
		     self->ds.extack);
	ASSERT_EQ(0, fam_config_get(&self->ds, &config));
	EXPECT_TRUE(config.peers);
	EXPECT_EQ(1048576, config.max_peers);
	ASSERT_EQ(0, fam_config_defaults(&self->ds, &config));
	EXPECT_TRUE(config.peers);
	EXPECT_EQ(16384, config.max_peers);
}

/* Filters of the kernel's */
TEST_F_TIMEOUT(who, filters, TEST_TIMEOUT)
{
	struct ledger_query query = { .direction = -1, .port = PORT };
	int tcp, udp, v6only;
	struct ledger_sum sum;

	tcp = net_server(SOCK_STREAM, "::", PORT, NET_DUAL);
	udp = net_server(SOCK_DGRAM, "::", PORT, NET_DUAL);
	v6only = net_server(SOCK_STREAM, "::", PORT + 1, NET_V6ONLY);
	ASSERT_LE(0, tcp);
	ASSERT_LE(0, udp);
	ASSERT_LE(0, v6only);
	come(_metadata, SOCK_STREAM, tcp, 1);
	come(_metadata, SOCK_STREAM, tcp, 2);
	come(_metadata, SOCK_DGRAM, udp, 3);
	EXPECT_EQ(1, net_refused(SOCK_STREAM, "127.0.0.1", PORT + 1, NULL));

	ASSERT_EQ(0, ledger_sum(&self->ds, &query, &sum));
	EXPECT_EQ(3, sum.entries);
	query.protocol = IPPROTO_UDP;
	ASSERT_EQ(0, ledger_sum(&self->ds, &query, &sum));
	EXPECT_EQ(1, sum.entries);
	query = (struct ledger_query){ .direction = REFUSED };
	ASSERT_EQ(0, ledger_sum(&self->ds, &query, &sum));
	EXPECT_EQ(1, sum.entries);
	query = (struct ledger_query){ .direction = OUT };
	ASSERT_EQ(0, ledger_sum(&self->ds, &query, &sum));
	EXPECT_EQ(3, sum.count);
	/* There is no port of this host there. */
	query.port = PORT;
	ASSERT_EQ(0, ledger_sum(&self->ds, &query, &sum));
	EXPECT_EQ(0, sum.count);
	query = (struct ledger_query){ .direction = -1 };
	ASSERT_EQ(0, ledger_sum(&self->ds, &query, &sum));
	EXPECT_EQ(7, sum.count);
	close(tcp);
	close(udp);
	close(v6only);
}

/* Under traffic of several threads: nothing is lost, whoever gives way to whom. */

#define THREADS	4

struct sender {
	pthread_t thread;
	int first;
	int n;
	int failed;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;
	int i, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PORT),
	};

	for (i = 0; i < s->n; i++) {
		to.sin_addr.s_addr = htonl(0x7f010000 + (s->first + i * 7) % 199);
		s->failed += sendto(fd, "x", 1, 0, (struct sockaddr *)&to,
				    sizeof(to)) != 1;
	}
	close(fd);
	return NULL;
}

TEST_F_TIMEOUT(who, threads, TEST_TIMEOUT)
{
	int i, n = test_rounds(4000), reset;
	struct sender s[THREADS];
	struct fam_stats stats;

	/* Few can be there at a time. */
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_PEERS, 16));
	for (reset = 0; reset < 2; reset++) {
		for (i = 0; i < THREADS; i++) {
			s[i] = (struct sender){ .first = 50 * i, .n = n };
			ASSERT_EQ(0, pthread_create(&s[i].thread, NULL, send_all,
						    &s[i]));
		}
		for (i = 0; reset && i < 20; i++) {
			EXPECT_EQ(0, ledger_reset(&self->ds));
			EXPECT_EQ(0, fam_config_set(&self->ds,
						    DUALSTACK_A_CONFIG_PEERS,
						    i % 2));
		}
		for (i = 0; i < THREADS; i++) {
			pthread_join(s[i].thread, NULL);
			EXPECT_EQ(0, s[i].failed);
		}
		ASSERT_EQ(0, fam_stats_get(&self->ds, IPPROTO_UDP, &stats));
		EXPECT_EQ((reset + 1) * THREADS * n,
			  stats.counters.v[DUALSTACK_A_COUNTER_V4_SEND]);
		if (!reset) {
			EXPECT_EQ(THREADS * n, sum_of(_metadata, &self->ds, OUT,
						      SOCK_DGRAM, 0).count);
		}
		expect_whole(_metadata, &self->ds);
	}
}

TEST_HARNESS_MAIN
