// SPDX-License-Identifier: GPL-2.0-only
/*
 * Those who talk to slots, and wait until they know how it ended.
 */
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"

#include "../lib/net_util.h"
#include "../lib/net_wire.h"
#include "torture.h"

#define GSO_SIZE	100

/* A socket that is bound so that the owner knows who it is. */
static int client_socket(int type, const char *addr, int me, int *n)
{
	union net_addr from;
	int fd;

	for (;;) {
		*n = (*n + 1) % CLIENT_PORTS;
		net_addr_set(&from, addr,
			     CLIENT_PORT + me * CLIENT_PORTS + *n);
		fd = socket(from.sa.sa_family, type | SOCK_CLOEXEC, 0);
		if (fd >= 0 && !bind(fd, &from.sa, net_addr_len(&from)))
			return fd;
		if (errno != EADDRINUSE)
			fail("client's bind: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
	}
}

/*
 * Wait for the end of a conversation: 1 for each time that it was served, 0 where
 * the socket has an error, which may come with being served, but not before.
 */
static int wait_end(int me, int fd, int *err)
{
	struct pollfd pfd[2] = {
		{ .fd = served[me], .events = POLLIN },
		{ .fd = fd, .events = POLLERR },
	};
	socklen_t len = sizeof(*err);
	__u64 n = 0;

	*err = 0;
	if (!poll(pfd, fd < 0 ? 1 : 2, PATIENCE_MS)) {
		fail("a conversation does not end");
		*err = ETIMEDOUT;
		return 0;
	}
	if (fd >= 0 && pfd[1].revents)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, err, &len);
	if (read(served[me], &n, sizeof(n)) < 0)
		n = 0;
	return n;
}

static int already_served(int me)
{
	__u64 n = 0;

	return read(served[me], &n, sizeof(n)) < 0 ? 0 : n;
}

static void expect(struct slot *s, bool v4, enum outcome want, bool refused)
{
	if (want == (refused ? SERVED : REFUSED))
		fail("%s to kind %d %s: %s", v4 ? "IPv4" : "IPv6", s->kind,
		     s->type == SOCK_STREAM ? "tcp" : "udp",
		     refused ? "refused" : "served");
	if (refused)
		see(&s->seen, refusal(s, v4));
}

static void talk_tcp(struct slot *s, int me, int fd, const union net_addr *to,
		     enum outcome want)
{
	bool v4 = to->sa.sa_family == AF_INET || net_addr_mapped(to);
	int err = 0, n;

	if (s->fastopen && rnd(2) ?
	    sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &to->sa,
		   net_addr_len(to)) < 0 :
	    connect(fd, &to->sa, net_addr_len(to)) < 0)
		err = errno;
	see(sums(SOCK_STREAM), fam_connect_counter(to));

	if (err && err != ECONNREFUSED && err != ECONNRESET && err != EPIPE)
		fail("connect: %s", strerror(err));
	/* The owner tells it before it resets the connection. */
	n = err ? already_served(me) : wait_end(me, fd, &err);
	if (n)
		return expect(s, v4, want, false);
	if (err == ECONNREFUSED)
		return expect(s, v4, want, true);
	/* A cookie came back to a port that had become V6ONLY. */
	add(&shared->lost, 1);
	if (want != EITHER || !wanted[PART_COOKIES])
		fail("a connection of kind %d was lost: %s", s->kind,
		     strerror(err));
}

/* Datagrams, one after the other; or several in one call. */
static void talk_udp(struct slot *s, int me, int fd, const union net_addr *to,
		     enum outcome want)
{
	bool v4 = to->sa.sa_family == AF_INET || net_addr_mapped(to);
	int size = GSO_SIZE, rounds = 1 + rnd(4), n, err, want_n;
	static char data[8 * GSO_SIZE];
	bool burst;

	/* A burst is refused as one. */
	burst = s->burst && want == SERVED && !rnd(2);
	if (burst && setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		return fail("UDP_SEGMENT: %s", strerror(errno));
	if (connect(fd, &to->sa, net_addr_len(to)))
		return fail("UDP connect: %s", strerror(errno));
	see(sums(SOCK_DGRAM), fam_connect_counter(to));

	while (rounds--) {
		want_n = burst ? 2 + rnd(7) : 1;
		if (send(fd, data, burst ? want_n * size - rnd(size - 1) :
			 1 + rnd(GSO_SIZE), 0) < 0)
			return fail("send: %s", strerror(errno));
		see(sums(SOCK_DGRAM), fam_send_counter(to));
		n = wait_end(me, fd, &err);
		while (n && n < want_n)
			n += wait_end(me, -1, &err);
		if (n > want_n || (!n && err != ECONNREFUSED))
			fail("sent %d datagrams, %d came, %s", want_n, n,
			     strerror(err));
		expect(s, v4, want, !n);
	}
}

static void converse(struct slot *s, int me, int *port)
{
	static const char *const addrs[] = {
		"127.0.0.1", "::1", "::ffff:127.0.0.1",
	};
	const char *addr = addrs[rnd(ARRAY_SIZE(addrs))];
	enum outcome want = strcmp(addr, "::1") ? outcome4(s) : outcome6(s);
	union net_addr to;
	int fd;

	if (want == NOT_ASKED || s->kind == RACER)
		return;
	fd = client_socket(s->type, addr, me, port);
	net_addr_set(&to, addr, s->port);
	if (s->type == SOCK_STREAM)
		talk_tcp(s, me, fd, &to, want);
	else
		talk_udp(s, me, fd, &to, want);
	net_close_reset(fd);
	add(&shared->conversations, 1);
}

void torture_client(int me)
{
	struct slot *s;
	int port = 0;

	while (!load(&shared->stop)) {
		s = hold(rnd(SLOTS));
		if (!s) {
			nap_us(rnd(1000));
			continue;
		}
		converse(s, me, &port);
		let_go(s);
		if (!rnd(8))
			nap_us(rnd(5000));
	}
}

/* Datagrams over IPv6 that say to come from an IPv4 address. */
void torture_wire(int unused)
{
	union net_addr from, to;
	struct net_packet p;
	int err, port = 0;
	struct slot *s;

	(void)unused;
	while (!load(&shared->stop)) {
		nap_us(rnd(50000));
		s = hold(rnd(SLOTS));
		if (!s)
			continue;
		if (s->type == SOCK_DGRAM && outcome6(s) == SERVED &&
		    s->kind != RACER) {
			port = (port + 1) % CLIENT_PORTS;
			net_addr_set(&from, "::ffff:192.0.2.9", CLIENT_PORT +
				     WIRE * CLIENT_PORTS + port);
			net_addr_set(&to, "::1", s->port);
			net_packet_set(&p, SOCK_DGRAM, &from, &to);
			err = net_packet_send(&p);
			if (err)
				fail("raw packet: %s", strerror(-err));
			else
				wait_end(WIRE, -1, &err);
		}
		let_go(s);
	}
}
