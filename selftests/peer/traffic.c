// SPDX-License-Identifier: GPL-2.0-only
/*
 * IPv4 and IPv6 traffic over TCP and UDP for the scripts, in the namespace
 * that it is started in.
 *
 *   traffic                  until it is killed
 *   traffic -n N             N rounds, then compare all counters
 *   traffic -n N -c COMMAND  run COMMAND after the sockets were opened
 *   traffic -l               no traffic: listen to events, again and again,
 *                            whether or not the module is there; until SIGTERM
 *   traffic -b               likewise no traffic: set rules and bind, which goes well
 *                            whether or not a rule decides
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest.h"

#include "../lib/family.h"
#include "../lib/net_util.h"
#include "../lib/rules.h"

static const char *const addrs[] = { "127.0.0.1", "::1" };

struct server {
	const char *name;
	int type;
	unsigned int flags;
	int fd;
	struct fam_counters seen;
};

static struct server servers[] = {
	{ "dual tcp", SOCK_STREAM, NET_DUAL, -1, { } },
	{ "dual udp", SOCK_DGRAM, NET_DUAL, -1, { } },
	{ "v6only tcp", SOCK_STREAM, NET_V6ONLY, -1, { } },
	{ "v6only udp", SOCK_DGRAM, NET_V6ONLY, -1, { } },
};

static int see(struct server *s, int counter)
{
	s->seen.v[counter]++;
	return 0;
}

static int serve_tcp(struct server *s, const char *addr)
{
	union net_addr peer;
	int client, conn;

	client = net_client(s->type, addr, net_port(s->fd), NULL);
	if (client < 0)
		return client;
	conn = net_accept(s->fd, &peer);
	net_close_reset(client);
	if (conn < 0)
		return conn;
	close(conn);
	return see(s, net_addr_mapped(&peer) ?
		      DUALSTACK_A_COUNTER_MAPPED_ACCEPT :
		      DUALSTACK_A_COUNTER_NATIVE_ACCEPT);
}

static int serve_udp(struct server *s, const char *addr)
{
	union net_addr src = { };
	socklen_t len = sizeof(src);
	int err;
	char c;

	err = net_send_to(addr, net_port(s->fd), "x", 1);
	if (!err)
		err = net_wait_in(s->fd, NET_TIMEOUT_MS);
	if (err)
		return err;
	if (recvfrom(s->fd, &c, 1, 0, &src.sa, &len) != 1)
		return -errno;
	return see(s, net_addr_mapped(&src) ? DUALSTACK_A_COUNTER_MAPPED_RECV :
					      DUALSTACK_A_COUNTER_NATIVE_RECV);
}

static int refuse(struct server *s, const char *addr)
{
	int refused = net_refused(s->type, addr, net_port(s->fd), NULL);

	if (refused == 1)
		return see(s, DUALSTACK_A_COUNTER_REJECT_V6ONLY);
	return refused ? refused : -EISCONN;
}

static int round_trip(struct server *s, const char *addr)
{
	if (s->flags & NET_V6ONLY && !strchr(addr, ':'))
		return refuse(s, addr);
	return s->type == SOCK_STREAM ? serve_tcp(s, addr) : serve_udp(s, addr);
}

static bool agrees(struct fam *ds, const struct server *s)
{
	struct fam_socket rec;
	bool ok = true;
	size_t i;
	int err;

	err = fam_socket_get(ds, net_cookie(s->fd), &rec);
	if (err) {
		fprintf(stderr, "%s: no record: %s\n", s->name, strerror(-err));
		return false;
	}
	for (i = 0; i < fam_counter_table_len; i++) {
		const struct fam_counter_info *c = &fam_counter_table[i];

		if (rec.counters.v[c->attr] == s->seen.v[c->attr])
			continue;
		fprintf(stderr, "%s: %s is %llu instead of %llu\n", s->name,
			c->name, (unsigned long long)rec.counters.v[c->attr],
			(unsigned long long)s->seen.v[c->attr]);
		ok = false;
	}
	return ok;
}

static int compare(void)
{
	struct fam ds;
	int ret = 0;
	size_t i;

	if (fam_open(&ds)) {
		fprintf(stderr, "generic netlink family \"dualstack\" not found\n");
		return 1;
	}
	for (i = 0; i < ARRAY_SIZE(servers); i++)
		if (!agrees(&ds, &servers[i]))
			ret = 1;
	fam_close(&ds);
	return ret;
}

static sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	__atomic_store_n(&stopped, 1, __ATOMIC_RELAXED);
}

/* The group goes with the module: join it anew all the time. */
static int listen_events(void)
{
	static struct fam_listener l;
	unsigned long events = 0, joins = 0;
	struct fam_event ev;
	int i;

	signal(SIGTERM, stop);
	while (!__atomic_load_n(&stopped, __ATOMIC_RELAXED)) {
		if (fam_listen(&l)) {
			net_nap();
			continue;
		}
		joins++;
		for (i = 0; i < 100 && !fam_listen_next(&l, 100, &ev); i++)
			events += ev.type >= 0;
		fam_listen_end(&l);
	}
	printf("%lu events, joined %lu times\n", events, joins);
	return !events;
}

/* Rules go with the module, too. Rounds end by the clock, as unloading finds a moment. */
static int bind_ruled(void)
{
	static const in_port_t port = 7200;
	unsigned long ruled = 0, binds = 0;
	int i, type, fd, fd4;
	struct fam ds;

	signal(SIGTERM, stop);
	while (!__atomic_load_n(&stopped, __ATOMIC_RELAXED)) {
		type = binds % 2 ? SOCK_STREAM : SOCK_DGRAM;
		if (!fam_open(&ds)) {
			fam_rule_set(&ds, net_protocol_of(type), port, 0);
			fam_close(&ds);
		}
		for (i = 0; i < 20; i++) {
			fd4 = i % 2 ? net_server(type, "127.0.0.1", port, 0) : -1;
			fd = net_server(type, "::", port, NET_V6ONLY);
			if (fd < 0 || (i % 2 && fd4 < 0)) {
				fprintf(stderr, "bind: %s, %s\n", strerror(-fd),
					strerror(-fd4));
				return 1;
			}
			ruled += !net_v6only(fd);
			/* If the module has gone by now, nobody gives IPv4 back. */
			if (fd4 < 0)
				fd4 = net_server(type, "127.0.0.1", port, 0);
			close(fd4);
			close(fd);
		}
		binds++;
		usleep(5000);
	}
	printf("%lu times 20 binds, a rule decided about %lu\n", binds, ruled);
	return !ruled;
}

int main(int argc, char **argv)
{
	const char *command = NULL;
	long rounds = 0, n;
	size_t i, k;
	int err, opt;

	while ((opt = getopt(argc, argv, "bc:ln:")) != -1) {
		switch (opt) {
		case 'b':
			return bind_ruled();
		case 'c':
			command = optarg;
			break;
		case 'l':
			return listen_events();
		case 'n':
			rounds = strtol(optarg, NULL, 10);
			break;
		default:
			fprintf(stderr, "Usage: %s [-n ROUNDS [-c COMMAND] | -l | -b]\n",
				argv[0]);
			return 2;
		}
	}

	for (i = 0; i < ARRAY_SIZE(servers); i++) {
		servers[i].fd = net_server(servers[i].type, "::", 0,
					   servers[i].flags);
		if (servers[i].fd < 0) {
			fprintf(stderr, "%s: %s\n", servers[i].name,
				strerror(-servers[i].fd));
			return 1;
		}
	}
	if (command && system(command)) {
		fprintf(stderr, "%s: failed\n", command);
		return 1;
	}

	for (n = 0; !rounds || n < rounds; n++) {
		for (i = 0; i < ARRAY_SIZE(servers); i++) {
			for (k = 0; k < ARRAY_SIZE(addrs); k++) {
				err = round_trip(&servers[i], addrs[k]);
				if (!err)
					continue;
				fprintf(stderr, "%s from %s: %s\n",
					servers[i].name, addrs[k],
					strerror(-err));
				return 1;
			}
		}
		/* In the background, leave the processor to others. */
		if (!rounds)
			usleep(5000);
	}
	printf("%ld rounds\n", n);
	return compare();
}
