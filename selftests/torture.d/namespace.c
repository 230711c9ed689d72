// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces that come, see something, and go with their sockets open.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/net_link.h"
#include "../lib/net_util.h"
#include "torture.h"

static int one_namespace(void)
{
	struct fam_counters seen[2] = { };
	int fd[2], conn, client, i, c;
	union net_addr peer = { }, to;
	struct fam_stats stats[2];
	struct fam ds;
	socklen_t len;

	if (net_ns_new() || fam_open(&ds))
		return 1;
	fd[0] = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	fd[1] = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	for (i = 1 + rnd(10); i; i--) {
		const char *addr = rnd(2) ? "127.0.0.1" : "::1";

		client = net_client(SOCK_STREAM, addr, net_port(fd[0]), NULL);
		conn = net_accept(fd[0], &peer);
		if (client < 0 || conn < 0)
			return 2;
		see(&seen[0], fam_accept_counter(&peer));
		net_addr_set(&to, addr, 0);
		see(&seen[0], fam_connect_counter(&to));
		net_close_reset(client);
		close(conn);

		len = sizeof(peer);
		if (net_send_to(addr, net_port(fd[1]), "x", 1) ||
		    net_wait_in(fd[1], PATIENCE_MS) ||
		    recvfrom(fd[1], &c, 1, 0, &peer.sa, &len) != 1)
			return 3;
		see(&seen[1], fam_recv_counter(&peer));
	}
	/* 0 is no counter's. */
	for (c = 1; c < FAM_COUNTERS; c++) {
		if (!net_wait_for(!fam_stats_get(&ds, IPPROTO_TCP, &stats[0]) &&
				  !fam_stats_get(&ds, IPPROTO_UDP, &stats[1]) &&
				  stats[0].counters.v[c] == seen[0].v[c] &&
				  stats[1].counters.v[c] == seen[1].v[c],
				  PATIENCE_MS))
			return 4;
	}
	return 0;
}

void torture_namespaces(int unused)
{
	int status;
	pid_t pid;

	(void)unused;
	while (!load(&shared->stop)) {
		pid = net_fork();
		if (!pid) {
			rnd_state += net_now_ms() << 1;
			_exit(one_namespace());
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			fail("a namespace failed: status %#x", status);
		else
			add(&shared->namespaces, 1);
		nap_us(rnd(50000));
	}
}
