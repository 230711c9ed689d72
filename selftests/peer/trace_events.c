// SPDX-License-Identifier: GPL-2.0-only
/*
 * One event of each kind for trace.sh, in a namespace of its own.
 *
 * Prints each event as the tracepoints have to, from what the sockets here
 * saw; then "counter NAME VALUE" for all counters of the namespace.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest.h"

#include "../lib/family.h"
#include "../lib/net_link.h"
#include "../lib/net_util.h"
#include "../lib/net_wire.h"

#define FLOWLABEL	0x12345

static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "trace_events: %s: %m\n", what);
	exit(KSFT_FAIL);
}

static __u64 netns(void)
{
	struct stat st;

	must(!stat("/proc/thread-self/ns/net", &st), "stat");
	return st.st_ino;
}

static union net_addr addr(const char *text, in_port_t port)
{
	union net_addr a;

	must(!net_addr_set(&a, text, port), text);
	return a;
}

/* An end as %pISpc prints it, an IPv4 address without the prefix. */
static const char *show(const union net_addr *a, char *buf, size_t len)
{
	char text[INET6_ADDRSTRLEN];

	if (a->sa.sa_family == AF_INET || net_addr_mapped(a)) {
		inet_ntop(AF_INET, a->sa.sa_family == AF_INET ?
			  (const void *)&a->in.sin_addr :
			  &a->in6.sin6_addr.s6_addr32[3], text, sizeof(text));
		snprintf(buf, len, "%s:%d", text, ntohs(a->in.sin_port));
	} else {
		inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof(text));
		snprintf(buf, len, "[%s]:%d", text, ntohs(a->in6.sin6_port));
	}
	return buf;
}

struct event {
	const char *name;	/* of the event, and of the field that tells */
	const char *what;	/* which site or reason it was */
	int family;		/* of the packet */
	int type;
	union net_addr local, peer;
	unsigned int flowlabel;
	__u64 cookie;
};

static void show_event(const struct event *e, const char *local,
		       const char *peer)
{
	printf("dualstack_%s: %s=%s family=%s protocol=%s ", e->name,
	       strcmp(e->name, "reject") ? "site" : "reason", e->what,
	       e->family == AF_INET ? "AF_INET" : "AF_INET6",
	       e->type == SOCK_STREAM ? "IPPROTO_TCP" : "IPPROTO_UDP");
	printf("local=%s peer=%s flowlabel=0x%05x cookie=%llu netns=%llu\n",
	       local, peer, e->flowlabel, e->cookie, netns());
}

static void saw(const struct event *e)
{
	char local[64], peer[64];

	show_event(e, show(&e->local, local, sizeof(local)),
		   show(&e->peer, peer, sizeof(peer)));
}

/* A connection or a datagram of an IPv4 client, served by a dual socket. */
static void serve(int type)
{
	struct event e = { "mapped", NULL, AF_INET, type };
	socklen_t len = sizeof(e.peer);
	int fd, client, conn;
	char c;

	fd = net_server(type, "::", 0, NET_DUAL);
	must(fd >= 0, "server");
	client = net_client(type, "127.0.0.1", net_port(fd), NULL);
	must(client >= 0, "client");
	e.local = addr("127.0.0.1", net_port(fd));
	e.cookie = net_cookie(fd);
	if (type == SOCK_STREAM) {
		conn = net_accept(fd, &e.peer);
		must(conn >= 0, "accept");
		close(conn);
		e.what = "accept";
	} else {
		must(send(client, "x", 1, 0) == 1, "send");
		must(!net_wait_in(fd, NET_TIMEOUT_MS), "poll");
		must(recvfrom(fd, &c, 1, 0, &e.peer.sa, &len) == 1, "recvfrom");
		e.what = "recv";
	}
	saw(&e);
	close(client);
	close(fd);
}

/* The same between AF_INET sockets, of which both ends have events. */
static void serve_v4(int type)
{
	struct event e = { "v4", "connect", AF_INET, type };
	int fd, client, conn;
	char c;

	fd = net_server(type, "127.0.0.1", 0, 0);
	must(fd >= 0, "server");
	client = net_client(type, "127.0.0.1", net_port(fd), &e.local);
	must(client >= 0, "client");
	e.peer = net_local(fd);
	e.cookie = net_cookie(client);
	saw(&e);
	if (type == SOCK_STREAM) {
		conn = net_accept(fd, NULL);
		must(conn >= 0, "accept");
		close(conn);
		e.what = "accept";
	} else {
		must(send(client, "x", 1, 0) == 1, "send");
		e.what = "send";
		saw(&e);
		must(!net_wait_in(fd, NET_TIMEOUT_MS), "poll");
		must(recv(fd, &c, 1, 0) == 1, "recv");
		e.what = "recv";
	}
	e.local = net_local(fd);
	e.peer = net_local(client);
	e.cookie = net_cookie(fd);
	saw(&e);
	close(client);
	close(fd);
}

/* IPv6 is no event. */
static void serve_native(int type)
{
	int fd, client, conn;
	char c;

	fd = net_server(type, "::", 0, NET_DUAL);
	must(fd >= 0, "server");
	client = net_client(type, "::1", net_port(fd), NULL);
	must(client >= 0, "client");
	if (type == SOCK_STREAM) {
		conn = net_accept(fd, NULL);
		must(conn >= 0, "accept");
		close(conn);
	} else {
		must(send(client, "x", 1, 0) == 1, "send");
		must(!net_wait_in(fd, NET_TIMEOUT_MS), "poll");
		must(recv(fd, &c, 1, 0) == 1, "recv");
	}
	close(client);
	close(fd);
}

/* A client that a socket of the other kind refuses. */
static void refuse(int type, const char *reason, const char *server,
		   unsigned int flags, const char *client)
{
	struct event e = { "reject", reason, AF_INET, type };
	int fd;

	fd = net_server(type, server, 0, flags);
	must(fd >= 0, "server");
	must(net_refused(type, client, net_port(fd), &e.peer) == 1, "refusal");
	e.family = e.peer.sa.sa_family;
	e.local = addr(client, net_port(fd));
	e.cookie = net_cookie(fd);
	saw(&e);
	close(fd);
}

/* An AF_INET6 client of an AF_INET server, from an address it has bound. */
static void go_out(int type)
{
	struct event e = { "mapped", "connect", AF_INET, type };
	int fd, server;

	server = net_server(type, "127.0.0.1", 0, 0);
	must(server >= 0, "server");
	fd = net_client(type, "::ffff:127.0.0.1", net_port(server), &e.local);
	must(fd >= 0, "connect");
	e.peer = addr("127.0.0.1", net_port(server));
	e.cookie = net_cookie(fd);
	saw(&e);
	must(send(fd, "x", 1, 0) == 1, "send");
	if (type == SOCK_DGRAM) {
		e.what = "send";
		saw(&e);
	}
	close(fd);
	close(server);
}

/* Calls that V6ONLY forbids, on a socket of the IPv6 address @from. */
static void fail_out(int type, const char *from)
{
	struct event e = { "reject", "bind", AF_INET, type };
	union net_addr to = addr("::ffff:127.0.0.1", 9);
	int fd, one = 1;

	fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	must(fd >= 0, "socket");
	must(!setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)),
	     "V6ONLY");
	e.cookie = net_cookie(fd);

	must(bind(fd, &to.sa, sizeof(to.in6)) < 0, "bind refused");
	e.local = to;
	e.peer = addr("0.0.0.0", 0);
	saw(&e);

	if (from) {
		e.local = addr(from, 0);
		must(!bind(fd, &e.local.sa, sizeof(e.local.in6)), "bind");
	}
	e.peer = to;

	must(connect(fd, &to.sa, sizeof(to.in6)) < 0, "connect refused");
	/* UDP has bound it to a port by now, in all of IPv4 as well. */
	e.local = from ? net_local(fd) : addr("0.0.0.0", net_port(fd));
	e.what = "connect";
	saw(&e);

	if (type == SOCK_DGRAM) {
		must(sendto(fd, "x", 1, 0, &to.sa, sizeof(to.in6)) < 0,
		     "sendto refused");
		e.what = "send";
		saw(&e);
	}
	close(fd);
}

/* A mapped source on the wire is an IPv6 address, and shown as one. */
static void spoof(int type)
{
	struct event e = { "mapped", "wire", AF_INET6, type };
	struct net_packet p;
	char local[64];
	int fd;
	char c;

	fd = net_server(type, "::", 0, NET_DUAL);
	must(fd >= 0, "server");
	e.local = addr("::1", net_port(fd));
	e.peer = addr("::ffff:192.0.2.9", 9);
	net_packet_set(&p, type, &e.peer, &e.local);
	p.ip6.ip6_flow |= htonl(FLOWLABEL);
	must(!net_packet_send(&p), "raw packet");
	if (type == SOCK_DGRAM) {
		must(!net_wait_in(fd, NET_TIMEOUT_MS), "poll");
		must(recv(fd, &c, 1, 0) == 1, "recv");
	}
	e.flowlabel = FLOWLABEL;
	e.cookie = net_cookie(fd);
	show_event(&e, show(&e.local, local, sizeof(local)),
		   "[::ffff:192.0.2.9]:9");
	close(fd);
}

static void show_counters(void)
{
	struct fam_stats stats;
	struct fam ds;
	size_t i;

	must(!fam_open(&ds), "family dualstack");
	must(!fam_stats_get(&ds, 0, &stats), "sums");
	for (i = 0; i < fam_counter_table_len; i++)
		printf("counter %s %llu\n", fam_counter_table[i].name,
		       stats.counters.v[fam_counter_table[i].attr]);
	fam_close(&ds);
}

int main(void)
{
	int i;

	must(!net_ns_new(), "new namespace");
	must(!net_sysctl("ipv4/icmp_ratemask", 0), "icmp_ratemask");
	/* Labels are made up otherwise. */
	must(!net_sysctl("ipv6/auto_flowlabels", 0), "auto_flowlabels");

	for (i = 0; i < 2; i++) {
		serve(types[i]);
		serve_v4(types[i]);
		serve_native(types[i]);
		refuse(types[i], "v6only", "::", NET_V6ONLY, "127.0.0.1");
		refuse(types[i], "addr", "::1", 0, NET_ADDR4);
		refuse(types[i], "v4only", "0.0.0.0", 0, NET_ADDR6);
		go_out(types[i]);
		fail_out(types[i], NULL);
		fail_out(types[i], NET_ADDR6);
		spoof(types[i]);
	}
	show_counters();
	return 0;
}
