// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that need nobody else: to an address that nobody reads at.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../lib/net_util.h"
#include "torture.h"

static int own_socket(int type, int v6only)
{
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	int i, value;

	/* Only the last word counts. */
	for (i = rnd(3); i >= 0; i--) {
		value = i ? rnd(2) : v6only;
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value,
			   sizeof(value));
	}
	return fd;
}

static void call_once(const union net_addr *to, const union net_addr *sink)
{
	int type = rnd(2) ? SOCK_STREAM : SOCK_DGRAM;
	int v6only = rnd(3) > 0;
	struct fam_counters *c = sums(type);
	int fd = own_socket(type, v6only);
	bool ok;

	switch (rnd(3)) {
	case 0:
		ok = !bind(fd, &to->sa, sizeof(to->in6));
		if (ok == v6only)
			fail("bind: %s", ok ? "no error" : strerror(errno));
		if (v6only)
			see(c, C(REJECT_BIND));
		break;
	case 1:
		ok = !connect(fd, &sink->sa, sizeof(sink->in6)) ||
		     (type == SOCK_STREAM && errno == ECONNREFUSED);
		if (ok == v6only)
			fail("connect: %s", ok ? "no error" : strerror(errno));
		see(c, v6only ? C(REJECT_CONNECT) : C(MAPPED_CONNECT));
		break;
	default:
		if (type == SOCK_STREAM)
			break;
		ok = sendto(fd, "x", 1, 0, &sink->sa, sizeof(sink->in6)) == 1;
		if (ok == v6only)
			fail("sendto: %s", ok ? "no error" : strerror(errno));
		see(c, v6only ? C(REJECT_SEND) : C(MAPPED_SEND));
	}
	close(fd);
}

/* Where datagrams go that nobody reads; and nobody listens to TCP there. */
static int open_sink(union net_addr *sink)
{
	int fd = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);

	net_addr_set(sink, "::ffff:127.0.0.1", net_port(fd));
	return fd;
}

void torture_caller(int unused)
{
	union net_addr any, sink;
	int fd = open_sink(&sink);

	(void)unused;
	net_addr_set(&any, "::ffff:127.0.0.1", 0);
	while (!load(&shared->stop)) {
		call_once(&any, &sink);
		if (!rnd(4))
			nap_us(rnd(10000));
	}
	close(fd);
}

/*
 * sendmsg() and connect() on a socket whose IPV6_V6ONLY others set at this moment:
 * what counts is what the call answered.
 */
void torture_racer(int unused)
{
	union net_addr none = { .sa.sa_family = AF_UNSPEC }, sink;
	struct slot *s = &shared->slots[SLOTS];
	int fd, drain, i;

	(void)unused;
	drain = open_sink(&sink);
	/* A port that was asked for outlasts the end of a connection. */
	fd = net_server(SOCK_DGRAM, "::", SLOT_PORT - 1, NET_DUAL);
	s->kind = RACER;
	s->type = SOCK_DGRAM;
	s->toggled = true;
	s->port = net_port(fd);
	s->n = 1;
	s->cookie[0] = net_cookie(fd);
	add(&s->gate, OPEN);
	while (!load(&shared->close)) {
		for (i = rnd(50); i; i--) {
			if (sendto(fd, "x", 1, 0, &sink.sa,
				   sizeof(sink.in6)) == 1)
				see(&s->seen, C(MAPPED_SEND));
			else if (errno == ENETUNREACH)
				see(&s->seen, C(REJECT_SEND));
			else
				fail("racing sendto: %s", strerror(errno));
		}
		if (!connect(fd, &sink.sa, sizeof(sink.in6)))
			see(&s->seen, C(MAPPED_CONNECT));
		else if (errno == ENETUNREACH)
			see(&s->seen, C(REJECT_CONNECT));
		else
			fail("racing connect: %s", strerror(errno));
		if (rnd(2)) {
			nap_us(rnd(3000));
		} else {
			while (recv(drain, &none, 1, MSG_DONTWAIT) >= 0)
				see(sums(SOCK_DGRAM), C(V4_RECV));
			none.sa.sa_family = AF_UNSPEC;
		}
		connect(fd, &none.sa, sizeof(none));
	}
	add(&s->gate, -OPEN);
	while (load(&s->gate))
		nap_us(1000);
	close(fd);
	close(drain);
	for (i = 0; i < FAM_COUNTERS; i++)
		see_n(sums(SOCK_DGRAM), i, s->seen.v[i]);
}
