// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one event costs, client and server together, in nanoseconds: in a guest
 * whose processor takes one for each instruction, in instructions.
 *
 *   load [-p N] [ROW...]               udp4-peers from N clients
 *   load -s N [-c COMMAND] [ROW...]    among N other sockets that have a record
 *
 * Each row is measured in batches, and the least is printed: ticks of the timer,
 * and what RCU and the allocator do now and then, fall into others. Where the slab
 * of dentries that a processor has at hand is all but used up, each new socket
 * takes the allocator's slow path, for as long as nobody else takes one: so each
 * batch is run with one more socket held open.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/net_link.h"
#include "../lib/net_util.h"
#include "../lib/net_wire.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define BATCHES		41
#define PAYLOAD		32

/* Not ::1, which looks more like a mapped address than others do: whoever starts
 * this gives it to lo.
 */
#define ADDR6		"fd00::1"

/* Always the same: how long the kernel looks for a free port is a matter of luck,
 * and so is who else is in a hash chain.
 */
#define CLIENT_PORT	7000
#define CLOSED_PORT	7001
#define SERVER_PORT	7002
#define SINK_PORT	7003

/* Among others: as many servers, opened at different times, by turns. */
#define SERVERS		16
#define FIRST_PORT	10000
#define NUM_PORTS	50000

/* In a crowd: so many sockets at one port, and addresses of the host. */
#define LISTENERS	2000
#define ADDRESSES	118
#define CONNECTED	5000

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* An address of this host. */
static socklen_t own_addr(int family, int port,
			  struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *sin6 = (void *)addr;
	struct sockaddr_in *sin = (void *)addr;

	memset(addr, 0, sizeof(*addr));
	addr->ss_family = family;
	if (family == AF_INET) {
		sin->sin_port = htons(port);
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*sin);
	}
	sin6->sin6_port = htons(port);
	inet_pton(AF_INET6, ADDR6, &sin6->sin6_addr);
	return sizeof(*sin6);
}

/* A socket that serves, dual or IPv6 only. */
static int server(int type, int v6only, int port)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
	};
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)) ||
	    bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)) ||
	    (type == SOCK_STREAM && listen(fd, 16)))
		die("server");
	return fd;
}

/**
 * struct state - What a row works with, ready before the clock starts.
 * @server: the socket under test, or -1.
 * @client: who sends to it, or -1.
 * @sink: who drops what comes back, or -1.
 * @family: the client's.
 * @to: where it sends to.
 * @len: length of @to.
 * @data: what it sends, or NULL for some zeroes.
 * @size: how much that is.
 */
struct state {
	int server;
	int client;
	int sink;
	int family;
	struct sockaddr_storage to;
	socklen_t len;
	const void *data;
	size_t size;
};

static void aim(struct state *s, int family, int port)
{
	s->family = family;
	s->len = own_addr(family, port, &s->to);
}

static void open_client(struct state *s)
{
	s->client = socket(s->family, SOCK_DGRAM, 0);
	if (s->client < 0)
		die("socket");
}

static void send_one(struct state *s)
{
	static const char payload[PAYLOAD];
	const void *data = s->data ? s->data : payload;
	ssize_t size = s->data ? s->size : sizeof(payload);

	if (sendto(s->client, data, size, 0, (struct sockaddr *)&s->to,
		   s->len) != size)
		die("sendto");
}

/* What a raw socket sends is an event of who gets it, and of nobody else. */

static struct {
	struct iphdr ip;
	struct udphdr udp;
	char payload[PAYLOAD];
} datagram;

static struct {
	struct iphdr ip;
	struct tcphdr tcp;
} syn;

/* @ip is the beginning of what is sent. */
static void open_raw(struct state *s, struct iphdr *ip, int proto, size_t size)
{
	s->client = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (s->client < 0)
		die("raw socket");
	*ip = (struct iphdr) {
		.version = 4,
		.ihl = sizeof(*ip) / 4,
		.ttl = 64,
		.protocol = proto,
		.saddr = htonl(INADDR_LOOPBACK),
		.daddr = htonl(INADDR_LOOPBACK),
	};
	s->data = ip;
	s->size = size;
}

static void aim_datagram(struct state *s, int port)
{
	aim(s, AF_INET, port);
	datagram.udp.source = htons(CLIENT_PORT);
	datagram.udp.dest = htons(port);
	datagram.udp.len = htons(sizeof(datagram) - sizeof(datagram.ip));
	open_raw(s, &datagram.ip, IPPROTO_UDP, sizeof(datagram));
}

/* A datagram, sent and received. */

static void setup_udp(struct state *s, int family)
{
	s->server = server(SOCK_DGRAM, 0, SERVER_PORT);
	aim(s, family, SERVER_PORT);
	open_client(s);
}

static void setup_udp4(struct state *s)
{
	s->server = server(SOCK_DGRAM, 0, SERVER_PORT);
	aim_datagram(s, SERVER_PORT);
}

static void setup_udp6(struct state *s)
{
	setup_udp(s, AF_INET6);
}

/* Both ends are AF_INET sockets. */
static void setup_udp_v4(struct state *s)
{
	aim(s, AF_INET, SERVER_PORT);
	s->server = socket(AF_INET, SOCK_DGRAM, 0);
	if (s->server < 0 ||
	    bind(s->server, (struct sockaddr *)&s->to, s->len))
		die("AF_INET server");
	open_client(s);
}

static void run_udp(struct state *s)
{
	char buf[PAYLOAD];

	send_one(s);
	if (recv(s->server, buf, sizeof(buf), 0) != sizeof(buf))
		die("recv");
}

/* Clients that the server knows, by turns: 127.0.0.1 and what follows. */
static unsigned int peers = 2;

static void from_peer(unsigned int i)
{
	datagram.ip.saddr = htonl(INADDR_LOOPBACK + i % peers);
}

static void setup_udp_peers(struct state *s)
{
	unsigned int i;

	setup_udp4(s);
	for (i = 0; i < peers; i++) {
		from_peer(i);
		run_udp(s);
	}
}

static void run_udp_peers(struct state *s)
{
	static unsigned int i;

	from_peer(i += 7919);
	run_udp(s);
}

/* A datagram from an AF_INET6 socket to an IPv4 address. */
static void setup_mapped(struct state *s)
{
	struct sockaddr_in6 *sin6 = (void *)&s->to;

	setup_udp6(s);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6->sin6_addr);
}

/* A connection, from connect() until both ends are closed. */

static void setup_tcp(struct state *s, int family)
{
	s->server = server(SOCK_STREAM, 0, SERVER_PORT);
	aim(s, family, SERVER_PORT);
}

static void setup_tcp4(struct state *s)
{
	setup_tcp(s, AF_INET);
}

static void setup_tcp6(struct state *s)
{
	setup_tcp(s, AF_INET6);
}

static int tcp_client(const struct state *s)
{
	int fd = socket(s->family, SOCK_STREAM, 0);
	struct sockaddr_storage from;
	socklen_t len;

	len = own_addr(s->family, CLIENT_PORT, &from);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, len))
		die("client");
	return fd;
}

static void run_tcp(struct state *s)
{
	static const struct linger reset = { .l_onoff = 1 };
	int client = tcp_client(s);
	int conn;

	if (connect(client, (struct sockaddr *)&s->to, s->len))
		die("connect");
	conn = accept(s->server, NULL, NULL);
	if (conn < 0)
		die("accept");
	/* Leave nothing in TIME-WAIT. */
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	close(conn);
}

/* An IPv4 connection that is refused: the port is that of an IPv6 only listener,
 * or nobody's.
 */

static void expect_refused(const struct state *s)
{
	int client = tcp_client(s);

	if (!connect(client, (struct sockaddr *)&s->to, s->len) ||
	    errno != ECONNREFUSED)
		die("connect was not refused");
	close(client);
}

/* The RST goes to a listener, which drops it: to a port of nobody's it would be an event
 * that no client makes.
 */
static void aim_syn(struct state *s, int port)
{
	aim(s, AF_INET, port);
	expect_refused(s);
	s->sink = server(SOCK_STREAM, 0, SINK_PORT);
	open_raw(s, &syn.ip, IPPROTO_TCP, sizeof(syn));
	syn.tcp = (struct tcphdr) {
		.source = htons(SINK_PORT),
		.dest = htons(port),
		.doff = sizeof(syn.tcp) / 4,
		.syn = 1,
		.window = htons(1024),
	};
	syn.tcp.check = net_tcp4_checksum(syn.ip.saddr, syn.ip.daddr, &syn.tcp,
					  sizeof(syn.tcp));
}

static void setup_syn_refused(struct state *s)
{
	s->server = server(SOCK_STREAM, 1, SERVER_PORT);
	aim_syn(s, SERVER_PORT);
}

static void setup_syn_closed(struct state *s)
{
	aim_syn(s, CLOSED_PORT);
}

/* An IPv4 datagram that is refused likewise. */

static void setup_udp_refused(struct state *s)
{
	s->server = server(SOCK_DGRAM, 1, SERVER_PORT);
	aim_datagram(s, SERVER_PORT);
}

static void setup_udp_closed(struct state *s)
{
	aim_datagram(s, CLOSED_PORT);
}

/* The same where a crowd has the port, in a namespace of its own. */

static void check(int err, const char *what)
{
	if (err < 0) {
		errno = -err;
		die(what);
	}
}

static void enter_crowd(void)
{
	struct rlimit limit = { 2 * CONNECTED, 2 * CONNECTED };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
	check(net_ns_new(), "namespace");
	check(net_link_dummy("dummy0"), "dummy0");
}

static int crowd_server(int type, const char *addr, unsigned int flags)
{
	int fd = net_server(type, addr, SERVER_PORT, flags | NET_REUSEPORT);

	check(fd, addr);
	return fd;
}

/* No packet comes by that device: who goes through these finds none of use. */
static void add_aside(const char *addr, unsigned int flags)
{
	int fd = crowd_server(SOCK_STREAM, addr, flags);

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "dummy0", 7))
		die("SO_BINDTODEVICE");
}

/* The kernel has the latest address first: the listener that refuses is at the last
 * one.
 */
static void setup_syn_crowd(struct state *s)
{
	char addr[INET6_ADDRSTRLEN];
	int i;

	enter_crowd();
	for (i = 0; i < LISTENERS; i++)
		add_aside("::", NET_V6ONLY);
	for (i = 1; i <= ADDRESSES; i++) {
		snprintf(addr, sizeof(addr), "fd00::%x", i);
		check(net_link_addr("lo", addr, 128), addr);
		if (i > 1)
			add_aside(addr, 0);
	}
	s->server = crowd_server(SOCK_STREAM, ADDR6, 0);
	aim_syn(s, SERVER_PORT);
}

/* A group that refuses, at a host of many addresses. */
static void setup_syn_group(struct state *s)
{
	char addr[INET6_ADDRSTRLEN];
	int i;

	enter_crowd();
	for (i = 0; i < LISTENERS; i++)
		s->server = crowd_server(SOCK_STREAM, "::", NET_V6ONLY);
	for (i = 1; i <= ADDRESSES; i++) {
		snprintf(addr, sizeof(addr), "10.0.0.%d", i);
		check(net_link_addr("lo", addr, 32), addr);
	}
	aim_syn(s, SERVER_PORT);
}

/* Sockets that a server has connected to its clients, each at an address of its
 * own.
 */
static void setup_udp_crowd(struct state *s)
{
	char addr[INET_ADDRSTRLEN];
	union net_addr client;
	int i, fd;

	enter_crowd();
	check(net_link_addr("lo", ADDR6, 128), ADDR6);
	net_addr_set(&client, "127.0.0.1", CLIENT_PORT);
	for (i = 0; i < CONNECTED; i++) {
		snprintf(addr, sizeof(addr), "10.0.%d.%d", i / 250, 1 + i % 250);
		check(net_link_addr("lo", addr, 32), addr);
		fd = crowd_server(SOCK_DGRAM, addr, 0);
		if (connect(fd, &client.sa, net_addr_len(&client)))
			die("connect");
	}
	aim(s, AF_INET6, SERVER_PORT);
	open_client(s);
}

/* A datagram that is dropped because the socket's buffer is full. */
static void setup_drop(struct state *s)
{
	int i, bytes = 1;

	setup_udp4(s);
	setsockopt(s->server, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	for (i = 0; i < 64; i++)
		send_one(s);
}

/* What getaddrinfo() does to sort addresses: connect() that sends nothing. */

static void setup_lookup(struct state *s)
{
	aim(s, AF_INET, SERVER_PORT);
}

static void run_lookup(struct state *s)
{
	open_client(s);
	if (connect(s->client, (struct sockaddr *)&s->to, s->len))
		die("connect");
	close(s->client);
}

/* A socket without a record, opened and closed. */

static void setup_close(struct state *s)
{
	s->family = AF_INET6;
}

static void run_close(struct state *s)
{
	close(socket(s->family, SOCK_DGRAM, 0));
}

/* Those with a family can be run among others. */
static const struct row {
	const char *name;
	void (*setup)(struct state *s);
	void (*run)(struct state *s);
	unsigned int batch;
	int family;
} rows[] = {
	{ "udp4", setup_udp4, run_udp, 64, AF_INET },
	{ "udp4-peers", setup_udp_peers, run_udp_peers, 64, 0 },
	{ "udp6", setup_udp6, run_udp, 64, AF_INET6 },
	{ "udp-v4", setup_udp_v4, run_udp, 64, 0 },
	{ "mapped-send", setup_mapped, run_udp, 64, 0 },
	{ "tcp4", setup_tcp4, run_tcp, 16, 0 },
	{ "tcp6", setup_tcp6, run_tcp, 16, 0 },
	{ "syn-refused", setup_syn_refused, send_one, 64, 0 },
	{ "syn-closed", setup_syn_closed, send_one, 64, 0 },
	{ "udp-refused", setup_udp_refused, send_one, 64, 0 },
	{ "udp-closed", setup_udp_closed, send_one, 64, 0 },
	{ "drop", setup_drop, send_one, 64, 0 },
	{ "lookup", setup_lookup, run_lookup, 64, 0 },
	{ "close", setup_close, run_close, 64, 0 },
	{ "syn-group", setup_syn_group, send_one, 64, 0 },
	{ "syn-crowd", setup_syn_crowd, send_one, 64, 0 },
	{ "udp-crowd", setup_udp_crowd, send_one, 64, 0 },
};

/* Nanoseconds of one event. */
static double measure(const struct row *row, struct state *s)
{
	uint64_t start, took, least = UINT64_MAX;
	int held[BATCHES];
	unsigned int i, j;

	for (j = 0; j < 4 * row->batch; j++)
		row->run(s);

	for (i = 0; i < BATCHES; i++) {
		held[i] = socket(AF_INET6, SOCK_STREAM, 0);
		if (held[i] < 0)
			die("socket");
		start = now();
		for (j = 0; j < row->batch; j++)
			row->run(s);
		took = now() - start;
		if (took < least)
			least = took;
	}
	for (i = 0; i < BATCHES; i++)
		close(held[i]);
	return (double)least / row->batch;
}

static void print_row(const struct row *row)
{
	struct state s = { .server = -1, .client = -1, .sink = -1 };

	row->setup(&s);
	printf("%s\t%.1f\n", row->name, measure(row, &s));
	fflush(stdout);
	if (s.server >= 0)
		close(s.server);
	if (s.client >= 0)
		close(s.client);
	if (s.sink >= 0)
		close(s.sink);
}

/* A socket that gets a record by a connect() that IPV6_V6ONLY forbids. It is
 * bound, so that it is in the kernel's tables. There are several addresses. No
 * program that COMMAND starts has it too: who looks for the users of sockets would
 * find several times as many descriptors.
 */
static void open_tracked(int i)
{
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(FIRST_PORT + i % NUM_PORTS),
	};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1;

	sin6.sin6_addr = in6addr_loopback;
	if (i >= NUM_PORTS) {
		inet_pton(AF_INET6, "fd00::", &sin6.sin6_addr);
		sin6.sin6_addr.s6_addr[15] = 1 + i / NUM_PORTS;
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	}
	if (fd < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&sin6, sizeof(sin6)))
		die("socket");

	inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6.sin6_addr);
	if (!connect(fd, (struct sockaddr *)&sin6, sizeof(sin6)) ||
	    errno != ENETUNREACH)
		die("connect was not refused");
}

static struct state among[SERVERS];

static void open_among(int n)
{
	struct rlimit limit = { n + 1024, n + 1024 };
	int i, j, opened = 0;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("setrlimit");
	for (i = 0; i < SERVERS; i++) {
		among[i].server = server(SOCK_DGRAM, 0, SERVER_PORT + i);
		for (j = 0; j < n / SERVERS; j++)
			open_tracked(opened++);
	}
	while (opened < n)
		open_tracked(opened++);
}

/* The mean of all servers. */
static void print_among(const struct row *row)
{
	double sum = 0;
	int i;

	for (i = 0; i < SERVERS; i++) {
		aim(&among[i], row->family, SERVER_PORT + i);
		open_client(&among[i]);
		sum += measure(row, &among[i]);
		close(among[i].client);
	}
	printf("%s\t%.1f\n", row->name, sum / SERVERS);
	fflush(stdout);
}

static bool is_wanted(const struct row *row, int argc, char **argv)
{
	int i;

	for (i = optind; i < argc; i++)
		if (!strcmp(argv[i], row->name))
			return true;
	return optind == argc;
}

/* As long as the kernel's random numbers are not ready, as for minutes after a boot
 * without anything random, each port that connect() chooses takes 17,000
 * instructions.
 */
static void wait_for_random(void)
{
	char c;

	if (getrandom(&c, 1, 0) != 1)
		die("getrandom");
}

int main(int argc, char **argv)
{
	const char *command = NULL;
	int opt, others = -1;
	unsigned int i;

	while ((opt = getopt(argc, argv, "c:p:s:")) != -1) {
		switch (opt) {
		case 'c':
			command = optarg;
			break;
		case 'p':
			peers = atoi(optarg);
			break;
		case 's':
			others = atoi(optarg);
			break;
		default:
			return 1;
		}
	}

	wait_for_random();
	if (others >= 0)
		open_among(others);
	if (command && system(command))
		return 1;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!is_wanted(&rows[i], argc, argv))
			continue;
		if (others < 0)
			print_row(&rows[i]);
		else if (rows[i].family)
			print_among(&rows[i]);
	}
	return 0;
}
