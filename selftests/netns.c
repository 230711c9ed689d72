// SPDX-License-Identifier: GPL-2.0-only
/*
 * Namespaces: each sees its own sockets and sums, and leaves nothing behind.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "lib/test.h"

#define ROUNDS	6

FIXTURE(netns)
{
	struct fam ds;
};

FIXTURE_SETUP(netns)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
}

FIXTURE_TEARDOWN(netns)
{
	fam_close(&self->ds);
}

/* A dual TCP and UDP socket and a V6ONLY one, and what they saw. */
struct servers {
	int tcp, udp, v6only;
	struct fam_counters seen_tcp, seen_udp, seen_v6only, sums;
};

static int open_servers(struct servers *s, in_port_t port)
{
	memset(s, 0, sizeof(*s));
	s->tcp = net_server(SOCK_STREAM, "::", port, NET_DUAL);
	s->udp = net_server(SOCK_DGRAM, "::", port, NET_DUAL);
	s->v6only = net_server(SOCK_STREAM, "::", port ? port + 1 : 0,
			       NET_V6ONLY);
	return s->tcp < 0 || s->udp < 0 || s->v6only < 0 ? -1 : 0;
}

static void close_servers(struct servers *s)
{
	close(s->tcp);
	close(s->udp);
	close(s->v6only);
}

/* Returns 0 when all clients fared as they should. */
static int use_servers(struct servers *s, int rounds)
{
	union net_addr src;
	socklen_t len;
	int i, client, conn;
	char c;

	for (i = 0; i < rounds; i++) {
		const char *addr = i % 3 ? "127.0.0.1" : "::1";

		client = net_client(SOCK_STREAM, addr, net_port(s->tcp), NULL);
		conn = net_accept(s->tcp, &src);
		if (client < 0 || conn < 0)
			return -1;
		test_saw_accept(&s->seen_tcp, &src);
		net_close_reset(client);
		close(conn);

		len = sizeof(src);
		if (net_send_to(addr, net_port(s->udp), "x", 1) ||
		    net_wait_in(s->udp, NET_TIMEOUT_MS) ||
		    recvfrom(s->udp, &c, 1, 0, &src.sa, &len) != 1)
			return -1;
		test_saw_recv(&s->seen_udp, &src);

		if (net_refused(SOCK_STREAM, "127.0.0.1", net_port(s->v6only),
				NULL) != 1)
			return -1;
		s->seen_v6only.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
	}
	memset(&s->sums, 0, sizeof(s->sums));
	fam_counters_add(&s->sums, &s->seen_tcp);
	fam_counters_add(&s->sums, &s->seen_udp);
	fam_counters_add(&s->sums, &s->seen_v6only);
	return 0;
}

static void expect_servers(struct __test_metadata *_metadata, struct fam *ds,
			   const struct servers *s)
{
	test_expect_socket(_metadata, ds, s->tcp, &s->seen_tcp);
	test_expect_socket(_metadata, ds, s->udp, &s->seen_udp);
	test_expect_socket(_metadata, ds, s->v6only, &s->seen_v6only);
	test_expect_sums(_metadata, ds, &s->sums);
	EXPECT_EQ(3, fam_socket_count(ds));
}

static void expect_no_servers(struct __test_metadata *_metadata,
			      struct fam *ds, const struct servers *s)
{
	test_expect_none(_metadata, ds, s->tcp);
	test_expect_none(_metadata, ds, s->udp);
	test_expect_none(_metadata, ds, s->v6only);
}

static __u64 all_hits(struct fam *ds)
{
	static const char *const names[] = {
		"tcp_child_process", "skb_consume_udp", "kfree_skb",
		"inet_sock_destruct",
	};
	struct fam_hook h;
	__u64 sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!fam_hook_get(ds, names[i], &h))
			sum += h.hits;
	return sum;
}

/* The same ports in two namespaces, with different traffic. */
TEST_F_TIMEOUT(netns, separate, TEST_TIMEOUT)
{
	struct servers first, second;
	struct fam ds;
	__u64 hits;

	ASSERT_EQ(0, open_servers(&first, 0));
	ASSERT_EQ(0, use_servers(&first, ROUNDS));
	expect_servers(_metadata, &self->ds, &first);
	hits = all_hits(&self->ds);
	EXPECT_LT(0, hits);

	/* Open sockets stay in the namespace that they were made in. */
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, fam_open(&ds));
	EXPECT_EQ(0, fam_socket_count(&ds));
	EXPECT_EQ(0, all_hits(&ds));

	/* The ports of the first namespace are closed ones here. */
	EXPECT_EQ(1, net_refused(SOCK_STREAM, "127.0.0.1",
				 net_port(first.v6only), NULL));
	EXPECT_EQ(1, net_refused(SOCK_STREAM, "127.0.0.1",
				 net_port(first.tcp), NULL));
	EXPECT_EQ(0, fam_socket_count(&ds));
	expect_servers(_metadata, &self->ds, &first);

	ASSERT_EQ(0, open_servers(&second, net_port(first.tcp)));
	ASSERT_EQ(0, use_servers(&second, 2 * ROUNDS));
	expect_servers(_metadata, &ds, &second);
	expect_no_servers(_metadata, &ds, &first);
	expect_servers(_metadata, &self->ds, &first);
	expect_no_servers(_metadata, &self->ds, &second);
	EXPECT_EQ(hits, all_hits(&self->ds));

	/* The end of one's sockets is no matter for the other. */
	close_servers(&second);
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&ds), NET_TIMEOUT_MS));
	test_expect_sums(_metadata, &ds, &second.sums);
	expect_servers(_metadata, &self->ds, &first);
	EXPECT_EQ(hits, all_hits(&self->ds));

	close_servers(&first);
	fam_close(&ds);
}

/*
 * A process in a namespace of its own, with sockets in use, that says when it
 * is ready and then waits to be killed.
 */
static pid_t spawn_namespace(struct servers *shared)
{
	int ready[2];
	pid_t pid;
	char c;

	if (pipe2(ready, O_CLOEXEC))
		return -1;
	pid = net_fork();
	if (!pid) {
		close(ready[0]);
		if (net_ns_new() || open_servers(shared, 0) ||
		    use_servers(shared, ROUNDS) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (pid > 0 && read(ready[0], &c, 1) != 1) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(ready[0]);
	return pid;
}

static void kill_namespace(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct servers *share_servers(void)
{
	void *p = mmap(NULL, sizeof(struct servers), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The sockets go with their process; the namespace stays, and its sums. */
TEST_F_TIMEOUT(netns, outlives_sockets, TEST_TIMEOUT)
{
	struct servers *other = share_servers();
	struct fam_stats stats;
	struct fam ds;
	char path[64];
	pid_t pid;
	int ns;

	ASSERT_NE(NULL, other);
	pid = spawn_namespace(other);
	ASSERT_LT(0, pid);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, ns);
	ASSERT_EQ(0, setns(ns, CLONE_NEWNET));
	ASSERT_EQ(0, fam_open(&ds));
	EXPECT_EQ(3, fam_socket_count(&ds));
	test_expect_sums(_metadata, &ds, &other->sums);

	kill_namespace(pid);
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&ds), NET_TIMEOUT_MS));
	test_expect_sums(_metadata, &ds, &other->sums);
	ASSERT_EQ(0, fam_stats_get(&ds, 0, &stats));
	EXPECT_EQ(0, stats.tracked);
	fam_close(&ds);
	close(ns);
}

/* Namespaces that end with records in them, while another is in use. */
TEST_F_TIMEOUT(netns, deleted, TEST_TIMEOUT)
{
	struct servers *other = share_servers();
	struct servers mine;
	pid_t pid;
	int i;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, open_servers(&mine, 0));
	for (i = 0; i < 5; i++) {
		pid = spawn_namespace(other);
		ASSERT_LT(0, pid);
		ASSERT_EQ(0, use_servers(&mine, 2));
		kill_namespace(pid);
		expect_servers(_metadata, &self->ds, &mine);
	}
	ASSERT_EQ(0, use_servers(&mine, 2));
	expect_servers(_metadata, &self->ds, &mine);
	close_servers(&mine);
}

/* Several at once, that end in another order than they began. */
TEST_F_TIMEOUT(netns, deleted_together, TEST_TIMEOUT)
{
	struct servers *other = share_servers();
	struct fam_counters none = { };
	pid_t pid[4];
	size_t i;

	ASSERT_NE(NULL, other);
	for (i = 0; i < ARRAY_SIZE(pid); i++) {
		pid[i] = spawn_namespace(other);
		ASSERT_LT(0, pid[i]);
	}
	for (i = 0; i < ARRAY_SIZE(pid); i++)
		kill(pid[ARRAY_SIZE(pid) - 1 - i], SIGKILL);
	for (i = 0; i < ARRAY_SIZE(pid); i++)
		waitpid(pid[i], NULL, 0);
	test_expect_sums(_metadata, &self->ds, &none);
	EXPECT_EQ(0, fam_socket_count(&self->ds));
}

TEST_HARNESS_MAIN
