// SPDX-License-Identifier: GPL-2.0-only
/*
 * Without manners, in a namespace of its own: sockets are closed whoever talks to
 * them, so that what can be said of some counters is an interval.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"

#include "../lib/net_link.h"
#include "../lib/net_util.h"
#include "torture.h"

#define WILD_PORTS	8

static void wild_owner(int unused)
{
	static const char *const addrs[] = { "::", "::", "::1", "0.0.0.0" };
	struct fam_counters *c;
	union net_addr peer;
	socklen_t len;
	int fd, conn, type, a;
	__u64 end;
	char x;

	(void)unused;
	while (!load(&shared->wild.close)) {
		type = rnd(2) ? SOCK_STREAM : SOCK_DGRAM;
		c = type == SOCK_STREAM ? &shared->wild.tcp : &shared->wild.udp;
		a = rnd(ARRAY_SIZE(addrs));
		fd = net_server(type, addrs[a], SLOT_PORT + rnd(WILD_PORTS),
				(rnd(2) ? NET_REUSEPORT : 0) |
				(a > 1 ? 0 : rnd(2) ? NET_DUAL : NET_V6ONLY));
		if (fd < 0) {
			nap_us(1000);
			continue;
		}
		end = net_now_ms() + rnd(50);
		do {
			len = sizeof(peer);
			if (net_wait_in(fd, 1))
				continue;
			if (type == SOCK_STREAM) {
				conn = accept4(fd, &peer.sa, &len, 0);
				if (conn < 0)
					continue;
				net_close_reset(conn);
				see(c, fam_accept_counter(&peer));
			} else if (recvfrom(fd, &x, 1, MSG_DONTWAIT, &peer.sa,
					    &len) == 1) {
				see(c, fam_recv_counter(&peer));
			}
		} while (net_now_ms() < end);
		close(fd);
	}
}

static void wild_client(int unused)
{
	static const char *const addrs[] = {
		"127.0.0.1", "::1", "::ffff:127.0.0.1",
	};
	struct fam_counters *c;
	union net_addr to;
	int fd, i, type;

	(void)unused;
	while (!load(&shared->wild.stop)) {
		type = rnd(2) ? SOCK_STREAM : SOCK_DGRAM;
		c = type == SOCK_STREAM ? &shared->wild.tcp : &shared->wild.udp;
		net_addr_set(&to, addrs[rnd(ARRAY_SIZE(addrs))],
			     SLOT_PORT + rnd(WILD_PORTS));
		fd = socket(to.sa.sa_family, type | SOCK_CLOEXEC, 0);
		if (connect(fd, &to.sa, net_addr_len(&to)) &&
		    errno == ECONNREFUSED && type == SOCK_STREAM)
			see(c, C(REJECT_V6ONLY));
		see(c, fam_connect_counter(&to));
		for (i = rnd(4); i && type == SOCK_DGRAM; i--) {
			/* An error that waits is no answer to this call. */
			if (send(fd, "x", 1, 0) < 0 && errno == ECONNREFUSED)
				i++;
			else
				see(c, C(REJECT_V6ONLY));
			see(c, fam_send_counter(&to));
		}
		net_close_reset(fd);
	}
}

static __u64 rejects(const struct fam_counters *c)
{
	return c->v[C(REJECT_V6ONLY)] + c->v[C(REJECT_ADDR)] +
	       c->v[C(REJECT_V4ONLY)];
}

static __u64 accepted(const struct fam_counters *c)
{
	return c->v[C(MAPPED_ACCEPT)] + c->v[C(NATIVE_ACCEPT)] +
	       c->v[C(V4_ACCEPT)];
}

/* How many handshakes this namespace has completed, by the kernel. */
static __u64 passive_opens(void)
{
	char line[512];
	__u64 n = 0;
	FILE *f;

	f = fopen("/proc/thread-self/net/snmp", "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "Tcp: %*u %*u %*u %*d %*u %llu",
		       (unsigned long long *)&n);
	if (f)
		fclose(f);
	return n;
}

static bool wild_agrees(struct fam *ds)
{
	static const int exact[] = {
		C(MAPPED_RECV), C(NATIVE_RECV), C(V4_RECV), C(MAPPED_CONNECT),
		C(NATIVE_CONNECT), C(V4_CONNECT), C(MAPPED_SEND), C(V4_SEND),
	};
	struct fam_stats tcp, udp;
	__u64 accepts, seen;
	size_t i;

	if (fam_stats_get(ds, IPPROTO_TCP, &tcp) ||
	    fam_stats_get(ds, IPPROTO_UDP, &udp))
		return false;
	for (i = 0; i < ARRAY_SIZE(exact); i++)
		if (tcp.counters.v[exact[i]] != shared->wild.tcp.v[exact[i]] ||
		    udp.counters.v[exact[i]] != shared->wild.udp.v[exact[i]])
			return false;
	accepts = accepted(&tcp.counters);
	seen = accepted(&shared->wild.tcp);
	if (accepts < seen || accepts > passive_opens())
		return false;
	if (rejects(&tcp.counters) > rejects(&shared->wild.tcp) +
				     net_tcpext("TCPSynRetrans") ||
	    rejects(&udp.counters) > rejects(&shared->wild.udp))
		return false;
	return !tcp.tracked && !udp.tracked && !tcp.untracked && !udp.untracked;
}

void torture_wild(int me)
{
	void (*const roles[])(int) = {
		wild_owner, wild_owner, wild_owner, wild_client, wild_client,
	};
	pid_t pid[ARRAY_SIZE(roles)];
	struct fam_stats stats;
	struct fam ds;
	size_t i;

	if (net_ns_new() || fam_open(&ds))
		return fail("no namespace without manners");
	for (i = 0; i < ARRAY_SIZE(roles); i++) {
		rnd_state += 2;
		pid[i] = net_fork();
		if (!pid[i]) {
			roles[i](me);
			_exit(0);
		}
	}
	while (!load(&shared->stop))
		net_nap();
	/* A client may wait for an answer from a queue that is full. */
	add(&shared->wild.stop, 1);
	for (i = 3; i < ARRAY_SIZE(roles); i++)
		waitpid(pid[i], NULL, 0);
	add(&shared->wild.close, 1);
	for (i = 0; i < 3; i++)
		waitpid(pid[i], NULL, 0);
	if (net_wait_for(wild_agrees(&ds), PATIENCE_MS)) {
		add(&shared->wilds, 1);
	} else {
		fam_stats_get(&ds, 0, &stats);
		for (i = 0; i < fam_counter_table_len; i++) {
			int c = fam_counter_table[i].attr;

			printf("# without manners: %s is %llu, seen %llu\n",
			       fam_counter_table[i].name,
			       (unsigned long long)stats.counters.v[c],
			       (unsigned long long)(shared->wild.tcp.v[c] +
						    shared->wild.udp.v[c]));
		}
		fail("%llu handshakes, %llu SYNs again, tracked %llu, untracked %llu",
		     (unsigned long long)passive_opens(),
		     (unsigned long long)net_tcpext("TCPSynRetrans"),
		     (unsigned long long)stats.tracked,
		     (unsigned long long)stats.untracked);
	}
	fam_close(&ds);
}
