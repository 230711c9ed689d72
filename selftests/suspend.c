// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long ago the last peers were, of which the machine was suspended for a while.
 *
 * It is not for long: the kernel's own test of suspend stops all devices, processors
 * and clocks, waits for some seconds, and goes on. Not all devices live through that
 * in a virtual machine, so this is not run by default.
 */
#include <time.h>

#include "lib/test.h"

#define SLACK_MS	500

static __u64 now_ms(void)
{
	return net_clock_ms(CLOCK_BOOTTIME);
}

static __u64 suspended_ms(void)
{
	return now_ms() - net_now_ms();
}

static int power_set(const char *name, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/power/%s", name);
	return net_write_file(path, value);
}

FIXTURE(suspend)
{
	struct fam ds;
};

FIXTURE_SETUP(suspend)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	if (power_set("pm_test", "core") == -ENOENT)
		SKIP(return, "the kernel lacks CONFIG_PM_SLEEP_DEBUG");
	if (power_set("mem_sleep", "deep"))
		SKIP(return, "this machine has no suspend to memory");
}

FIXTURE_TEARDOWN(suspend)
{
	power_set("pm_test", "none");
	fam_close(&self->ds);
}

/* A server that saw IPv4, and when: a TCP one refused it. */
struct server {
	int fd;
	__u64 from;
	__u64 to;
};

static void expect_age(struct __test_metadata *_metadata, struct fam *ds,
		       const struct server *server, bool rejected)
{
	struct fam_socket s;
	struct fam_peer *peer = rejected ? &s.last_rejected : &s.last_mapped;
	__u64 now = now_ms();

	ASSERT_EQ(0, fam_socket_get(ds, net_cookie(server->fd), &s));
	ASSERT_NE(AF_UNSPEC, peer->addr.sa.sa_family);
	EXPECT_LE(now - server->to, peer->age + SLACK_MS);
	EXPECT_GE(now_ms() - server->from + SLACK_MS, peer->age);
}

/* The entry of the same in the ledger. */
static void expect_entry_age(struct __test_metadata *_metadata, struct fam *ds,
			     const struct server *server, bool rejected)
{
	const struct ledger_query query = {
		.direction = rejected ? DUALSTACK_PEER_DIRECTION_REFUSED :
					DUALSTACK_PEER_DIRECTION_IN,
		.protocol = net_protocol(server->fd),
		.port = net_port(server->fd),
	};
	struct ledger_entry e;
	union net_addr peer;
	__u64 now = now_ms();

	ASSERT_EQ(0, net_addr_set(&peer, "127.0.0.1", 0));
	ASSERT_EQ(1, ledger_find(ds, &query, &peer, NULL, &e));
	EXPECT_LE(now - server->to, e.first_age + SLACK_MS);
	EXPECT_GE(now_ms() - server->from + SLACK_MS, e.first_age);
	EXPECT_EQ(e.first_age, e.last_age);
}

/* The port of UDP is asked for by its number: else whoever sends there is no client. */
static void open_servers(struct __test_metadata *_metadata,
			 struct server server[2], in_port_t port)
{
	struct fam_counters seen = { };

	server[0].fd = net_server(SOCK_DGRAM, "::", port, NET_DUAL);
	server[1].fd = net_server(SOCK_STREAM, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, server[0].fd);
	ASSERT_LE(0, server[1].fd);

	server[0].from = now_ms();
	test_serve(_metadata, SOCK_DGRAM, server[0].fd, "127.0.0.1", &seen);
	server[0].to = now_ms();
	server[1].from = now_ms();
	ASSERT_EQ(1, net_refused(SOCK_STREAM, "127.0.0.1",
				 net_port(server[1].fd), NULL));
	server[1].to = now_ms();
}

TEST_F_TIMEOUT(suspend, ages, TEST_TIMEOUT)
{
	struct server server[3][2];
	__u64 before;
	int i, k;

	for (i = 0; i < 3; i++) {
		open_servers(_metadata, server[i], 7200 + i);
		for (k = 0; k <= i; k++) {
			expect_age(_metadata, &self->ds, &server[k][0], false);
			expect_age(_metadata, &self->ds, &server[k][1], true);
			expect_entry_age(_metadata, &self->ds, &server[k][0],
					 false);
			expect_entry_age(_metadata, &self->ds, &server[k][1],
					 true);
		}
		if (i == 2)
			break;
		before = suspended_ms();
		ASSERT_EQ(0, power_set("state", "mem"));
		TH_LOG("suspended for %llu ms", suspended_ms() - before);
		/* Else what is to be seen is not. */
		ASSERT_LE(2 * SLACK_MS, suspended_ms() - before);
	}
}

TEST_HARNESS_MAIN
