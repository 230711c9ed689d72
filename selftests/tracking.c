// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracking off takes every hook out of the kernel, tracking on puts them back;
 * records survive, unless their socket did not.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "lib/test.h"

#define TOGGLES	8
#define MANY	200

static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

FIXTURE(tracking)
{
	struct fam ds;
	struct fam_counters sums;
};

static int tracking(struct fam *ds, bool on)
{
	return fam_config_set(ds, DUALSTACK_A_CONFIG_TRACKING, on);
}

/*
 * It is one for all namespaces: what a test leaves behind, the next one has;
 * and one that was cut short had no teardown.
 */
FIXTURE_SETUP(tracking)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, tracking(&self->ds, true));
}

FIXTURE_TEARDOWN(tracking)
{
	if (!self->ds.sk)
		return;
	EXPECT_EQ(0, tracking(&self->ds, true));
	fam_close(&self->ds);
}

struct attached {
	int yes, no;
	char names[32][64];
};

static int count_attached(const struct fam_hook *h, void *arg)
{
	struct attached *a = arg;

	if (a->yes + a->no < 32)
		snprintf(a->names[a->yes + a->no], sizeof(a->names[0]), "%s",
			 h->name);
	if (h->attached)
		a->yes++;
	else
		a->no++;
	return 0;
}

static void expect_tracking(struct __test_metadata *_metadata,
			    struct fam *ds, bool on)
{
	struct attached a = { };
	struct fam_config config;

	ASSERT_EQ(0, fam_config_get(ds, &config));
	EXPECT_EQ(on, config.tracking);
	EXPECT_EQ(on, !!config.since);
	ASSERT_EQ(0, fam_hook_dump(ds, count_attached, &a));
	EXPECT_EQ(0, on ? a.no : a.yes);
	EXPECT_LT(0, on ? a.yes : a.no);
}

/* ftrace's own list: whether it has a function of @a. */
static int traced(const struct attached *a)
{
	static const char path[] = "/sys/kernel/tracing";
	char line[512], name[64];
	int i, n = 0;
	FILE *f;

	mount("tracefs", path, "tracefs", 0, NULL);
	f = fopen("/sys/kernel/tracing/enabled_functions", "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s", name) != 1)
			continue;
		for (i = 0; i < a->yes + a->no; i++)
			n += !strcmp(name, a->names[i]);
	}
	fclose(f);
	return n;
}

TEST_F_TIMEOUT(tracking, hooks, TEST_TIMEOUT)
{
	struct attached a = { };
	int i, on;

	ASSERT_EQ(0, fam_hook_dump(&self->ds, count_attached, &a));
	on = traced(&a);
	EXPECT_LT(0, on);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, tracking(&self->ds, false));
		expect_tracking(_metadata, &self->ds, false);
		EXPECT_EQ(0, traced(&a));
		/* Again, which is no change. */
		ASSERT_EQ(0, tracking(&self->ds, false));
		expect_tracking(_metadata, &self->ds, false);

		ASSERT_EQ(0, tracking(&self->ds, true));
		expect_tracking(_metadata, &self->ds, true);
		EXPECT_EQ(on, traced(&a));
		ASSERT_EQ(0, tracking(&self->ds, true));
		expect_tracking(_metadata, &self->ds, true);
	}
}

/*
 * From when on none was missed, in between the times before and after what it
 * depends on; nothing else moves it, but for what clocks are adjusted.
 */
TEST_F_TIMEOUT(tracking, since, TEST_TIMEOUT)
{
	const __u64 slack = 100 * 1000 * 1000;
	struct fam_config config;
	struct fam other;
	__u64 before, since;

	/* The namespace is young, the hooks are older. */
	ASSERT_EQ(0, fam_config_get(&self->ds, &config));
	since = config.since;
	EXPECT_LT(0, since);
	EXPECT_GT(net_real_ns() + slack, since);
	net_nap();
	ASSERT_EQ(0, tracking(&self->ds, true));
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    7));
	ASSERT_EQ(0, fam_config_get(&self->ds, &config));
	EXPECT_LT(since - slack, config.since);
	EXPECT_GT(since + slack, config.since);

	/* A gap, which is everybody's. */
	ASSERT_EQ(0, tracking(&self->ds, false));
	ASSERT_EQ(0, fam_config_get(&self->ds, &config));
	EXPECT_EQ(0, config.since);
	ASSERT_EQ(0, fam_reset(&self->ds, 0));
	ASSERT_EQ(0, fam_config_get(&self->ds, &config));
	EXPECT_EQ(0, config.since);
	usleep(300000);
	before = net_real_ns();
	ASSERT_EQ(0, tracking(&self->ds, true));
	ASSERT_EQ(0, fam_config_get(&self->ds, &config));
	since = config.since;
	EXPECT_LT(before - slack, since);
	EXPECT_GT(net_real_ns() + slack, since);

	/* A reset, which is one's own; and a new namespace. */
	usleep(300000);
	before = net_real_ns();
	ASSERT_EQ(0, fam_reset(&self->ds, 0));
	ASSERT_EQ(0, fam_config_get(&self->ds, &config));
	EXPECT_LT(before - slack, config.since);
	EXPECT_GT(net_real_ns() + slack, config.since);
	since = config.since;
	usleep(300000);
	before = net_real_ns();
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&other));
	ASSERT_EQ(0, fam_config_get(&other, &config));
	EXPECT_LT(before - slack, config.since);
	fam_close(&other);
	ASSERT_EQ(0, fam_config_get(&self->ds, &config));
	EXPECT_GT(since + slack, config.since);
}

static int set_ftrace(int value)
{
	return net_write_file("/proc/sys/kernel/ftrace_enabled",
			      value ? "1" : "0");
}

/* All or none: where ftrace is switched off, nothing stays attached. */
TEST_F_TIMEOUT(tracking, ftrace_disabled, TEST_TIMEOUT)
{
	int err;

	EXPECT_NE(0, set_ftrace(0));
	ASSERT_EQ(0, tracking(&self->ds, false));
	err = set_ftrace(0);
	if (err == -EOPNOTSUPP) {
		TH_LOG("this kernel's ftrace cannot be switched off");
		return;
	}
	ASSERT_EQ(0, err);
	EXPECT_EQ(-EBUSY, tracking(&self->ds, true));
	EXPECT_STRNE("", self->ds.extack);
	expect_tracking(_metadata, &self->ds, false);
	ASSERT_EQ(0, set_ftrace(1));
	EXPECT_EQ(0, tracking(&self->ds, true));
	expect_tracking(_metadata, &self->ds, true);
}

/* Nothing counts meanwhile, and then counting goes on where it was. */
TEST_F_TIMEOUT(tracking, traffic, TEST_TIMEOUT)
{
	struct fam_counters seen[2] = { }, ignored = { };
	int fd[2], round, i;

	for (i = 0; i < 2; i++) {
		fd[i] = net_server(types[i], "::", 0, NET_DUAL);
		ASSERT_LE(0, fd[i]);
	}
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 2; i++) {
			test_serve(_metadata, types[i], fd[i], "127.0.0.1",
				   &seen[i]);
			test_serve(_metadata, types[i], fd[i], "::1", &seen[i]);
		}
		memset(&self->sums, 0, sizeof(self->sums));
		for (i = 0; i < 2; i++) {
			test_expect_socket(_metadata, &self->ds, fd[i],
					   &seen[i]);
			fam_counters_add(&self->sums, &seen[i]);
		}
		test_expect_sums(_metadata, &self->ds, &self->sums);

		ASSERT_EQ(0, tracking(&self->ds, false));
		for (i = 0; i < 2; i++) {
			test_serve(_metadata, types[i], fd[i], "127.0.0.1",
				   &ignored);
			test_serve(_metadata, types[i], fd[i], "::1", &ignored);
			test_expect_socket(_metadata, &self->ds, fd[i],
					   &seen[i]);
		}
		test_expect_sums(_metadata, &self->ds, &self->sums);

		ASSERT_EQ(0, tracking(&self->ds, true));
		for (i = 0; i < 2; i++)
			test_expect_socket(_metadata, &self->ds, fd[i],
					   &seen[i]);
		test_expect_sums(_metadata, &self->ds, &self->sums);
	}
	close(fd[1]);
	close(fd[0]);
}

struct survivor {
	int fd;
	struct fam_counters seen;
};

static struct survivor refuser(struct __test_metadata *_metadata, int type,
			       const char *server, unsigned int flags,
			       const char *client, int counter)
{
	struct survivor s = { };

	s.fd = net_server(type, server, 0, flags);
	EXPECT_LE(0, s.fd);
	EXPECT_EQ(1, net_refused(type, client, net_port(s.fd), NULL));
	s.seen.v[counter]++;
	return s;
}

/* An AF_INET6 client of an IPv4 server. */
static struct survivor connected(struct __test_metadata *_metadata, int type,
				 int server)
{
	struct survivor s = { };

	s.fd = net_client(type, "::ffff:127.0.0.1", net_port(server), NULL);
	EXPECT_LE(0, s.fd);
	s.seen.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
	return s;
}

static void expect_survivors(struct __test_metadata *_metadata,
			     struct fam *ds)
{
	struct survivor s[11];
	int server[2], t, n = 0;

	for (t = 0; t < 2; t++) {
		server[t] = net_server(types[t], "0.0.0.0", 0, 0);
		ASSERT_LE(0, server[t]);
		s[n++] = refuser(_metadata, types[t], "::", NET_V6ONLY,
				 "127.0.0.1",
				 DUALSTACK_A_COUNTER_REJECT_V6ONLY);
		s[n++] = refuser(_metadata, types[t], "::1", 0, NET_ADDR4,
				 DUALSTACK_A_COUNTER_REJECT_ADDR);
		s[n++] = refuser(_metadata, types[t], "127.0.0.1", 0, "::1",
				 DUALSTACK_A_COUNTER_REJECT_V4ONLY);
		s[n++] = connected(_metadata, types[t], server[t]);
		s[n].fd = net_server(types[t], "::", 0, NET_DUAL);
		ASSERT_LE(0, s[n].fd);
		memset(&s[n].seen, 0, sizeof(s[n].seen));
		test_serve(_metadata, types[t], s[n].fd, "127.0.0.1", &s[n].seen);
		n++;
	}
	/* A handshake is an event of the listener, a datagram not before it is read. */
	s[n] = (struct survivor){ .fd = server[0] };
	s[n++].seen.v[DUALSTACK_A_COUNTER_V4_ACCEPT]++;
	ASSERT_EQ(0, tracking(ds, false));
	ASSERT_EQ(0, tracking(ds, true));
	for (t = 0; t < n; t++)
		test_expect_socket(_metadata, ds, s[t].fd, &s[t].seen);
	EXPECT_EQ(n, fam_socket_count(ds));
	for (t = 0; t < n; t++)
		close(s[t].fd);
	close(server[1]);
}

/* Sockets in every table of the kernel's. */
TEST_F_TIMEOUT(tracking, survivors, TEST_TIMEOUT)
{
	expect_survivors(_metadata, &self->ds);
}

/* Tables of the namespace's own, for what of them this kernel can do. */
TEST_F_TIMEOUT(tracking, own_tables, TEST_TIMEOUT)
{
	struct fam ds;

	ASSERT_EQ(0, net_sysctl("ipv4/tcp_child_ehash_entries", 512));
	/* Since 6.2 */
	if (net_sysctl("ipv4/udp_child_hash_entries", 256))
		TH_LOG("UDP has one table for all");
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, fam_open(&ds));
	expect_survivors(_metadata, &ds);
	fam_close(&ds);
}

/* A socket without a port is in no table: its counts are for the sums only. */
TEST_F_TIMEOUT(tracking, unbound, TEST_TIMEOUT)
{
	struct fam_counters seen[2] = { };
	union net_addr to;
	int fd[2], one = 1, i;

	net_addr_set(&to, "::ffff:127.0.0.1", 9);
	for (i = 0; i < 2; i++) {
		fd[i] = socket(AF_INET6, types[i] | SOCK_CLOEXEC, 0);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(0, setsockopt(fd[i], IPPROTO_IPV6, IPV6_V6ONLY, &one,
					sizeof(one)));
		ASSERT_EQ(-1, bind(fd[i], &to.sa, sizeof(to.in6)));
		seen[i].v[DUALSTACK_A_COUNTER_REJECT_BIND]++;
		test_expect_socket(_metadata, &self->ds, fd[i], &seen[i]);
		fam_counters_add(&self->sums, &seen[i]);
	}
	ASSERT_EQ(0, tracking(&self->ds, false));
	for (i = 0; i < 2; i++)
		test_expect_socket(_metadata, &self->ds, fd[i], &seen[i]);
	ASSERT_EQ(0, tracking(&self->ds, true));
	for (i = 0; i < 2; i++)
		test_expect_none(_metadata, &self->ds, fd[i]);
	test_expect_sums(_metadata, &self->ds, &self->sums);

	/* The next event makes a new record. */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(-1, bind(fd[i], &to.sa, sizeof(to.in6)));
		test_expect_socket(_metadata, &self->ds, fd[i], &seen[i]);
		fam_counters_add(&self->sums, &seen[i]);
		close(fd[i]);
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/*
 * Sockets that close meanwhile, and others that get their memory: no record is
 * inherited, and nothing is lost of the sums.
 */
TEST_F_TIMEOUT(tracking, successors, TEST_TIMEOUT)
{
	static struct fam_counters seen[MANY];
	int fd[MANY], i, type;

	for (i = 0; i < MANY; i++) {
		type = types[i % 2];
		fd[i] = net_server(type, "::", 0, NET_DUAL);
		ASSERT_LE(0, fd[i]);
		test_serve(_metadata, type, fd[i], "127.0.0.1", &self->sums);
	}
	EXPECT_EQ(MANY, fam_socket_count(&self->ds));
	ASSERT_EQ(0, tracking(&self->ds, false));
	/* RCU holds on to the memory for a while. */
	for (i = 0; i < MANY; i++)
		close(fd[i]);
	usleep(500 * 1000);
	for (i = 0; i < MANY; i++) {
		fd[i] = net_server(types[i % 2], "::", 0, NET_DUAL);
		ASSERT_LE(0, fd[i]);
	}
	/* Nobody has seen them go. */
	EXPECT_EQ(MANY, fam_socket_count(&self->ds));
	test_expect_sums(_metadata, &self->ds, &self->sums);

	ASSERT_EQ(0, tracking(&self->ds, true));
	EXPECT_EQ(0, fam_socket_count(&self->ds));
	test_expect_sums(_metadata, &self->ds, &self->sums);
	for (i = 0; i < MANY; i++) {
		test_serve(_metadata, types[i % 2], fd[i], "::1", &seen[i]);
		test_expect_socket(_metadata, &self->ds, fd[i], &seen[i]);
		fam_counters_add(&self->sums, &seen[i]);
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);
	EXPECT_EQ(MANY, fam_socket_count(&self->ds));
	for (i = 0; i < MANY; i++)
		close(fd[i]);
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&self->ds), NET_TIMEOUT_MS));
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* A namespace that ends while tracking is off takes its records with it. */
TEST_F_TIMEOUT(tracking, namespace_ends, TEST_TIMEOUT)
{
	struct fam_counters ignored = { };
	int fd, status;
	pid_t pid;

	pid = net_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (net_ns_new())
			_exit(1);
		fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
		test_serve(_metadata, SOCK_DGRAM, fd, "127.0.0.1", &ignored);
		_exit(tracking(&self->ds, false) ? 1 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	usleep(500 * 1000);
	ASSERT_EQ(0, tracking(&self->ds, true));
	EXPECT_EQ(0, fam_socket_count(&self->ds));
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* Sockets of both kinds that come, see something and go, for ever. */
static void churn(int seed)
{
	static const char *const addrs[] = { "127.0.0.1", "::1" };
	int i, fd, client, conn;
	char c;

	for (i = seed;; i++) {
		fd = net_server(types[i % 2], "::", 0,
				i % 3 ? NET_DUAL : NET_V6ONLY);
		if (fd < 0)
			continue;
		client = net_client(types[i % 2], addrs[i / 2 % 2],
				    net_port(fd), NULL);
		if (client >= 0 && types[i % 2] == SOCK_STREAM) {
			conn = net_accept(fd, NULL);
			close(conn);
		} else if (client >= 0 && send(client, "x", 1, 0) == 1 &&
			   (i % 3 || i / 2 % 2)) {
			net_wait_in(fd, NET_TIMEOUT_MS);
			recv(fd, &c, 1, 0);
		}
		net_close_reset(client);
		close(fd);
	}
}

/* What a steady socket counts is never more than what it saw. */
TEST_F_TIMEOUT(tracking, churn, 3 * TEST_TIMEOUT)
{
	struct fam_counters seen = { }, one = { };
	struct fam_stats before, after;
	struct fam_socket s;
	pid_t pid[2];
	int i, k, fd;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	for (i = 0; i < 2; i++) {
		pid[i] = net_fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i])
			churn(i);
	}

	for (i = 0; i < test_rounds(TOGGLES); i++) {
		test_serve(_metadata, SOCK_DGRAM, fd, "127.0.0.1", &seen);
		test_expect_socket(_metadata, &self->ds, fd, &seen);
		ASSERT_EQ(0, tracking(&self->ds, false));
		ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &before));
		for (k = 0; k < 5; k++)
			test_serve(_metadata, SOCK_DGRAM, fd, "127.0.0.1", &one);
		test_expect_socket(_metadata, &self->ds, fd, &seen);
		ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &after));
		test_expect_counters(_metadata, "meanwhile", &before.counters,
				     &after.counters, 0, 0);
		EXPECT_EQ(before.tracked, after.tracked);
		ASSERT_EQ(0, tracking(&self->ds, true));
		test_expect_socket(_metadata, &self->ds, fd, &seen);
	}

	for (i = 0; i < 2; i++) {
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
	}
	/* All that remains is what lives. */
	EXPECT_TRUE(net_wait_for(fam_socket_count(&self->ds) == 1,
				 NET_TIMEOUT_MS));
	ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd), &s));
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	close(fd);
}

TEST_HARNESS_MAIN
