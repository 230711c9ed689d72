// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records of sockets that have no events for a while, and of more sockets than
 * there is room for: nothing is lost, nothing counts twice, and asking costs what
 * has happened since and not what there is.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/test.h"

#define MAPPED	DUALSTACK_A_COUNTER_MAPPED_RECV

FIXTURE(records)
{
	struct fam ds;
	struct fam_counters sums;
};

FIXTURE_SETUP(records)
{
	test_setup(_metadata, &self->ds);
}

FIXTURE_TEARDOWN(records)
{
	fam_close(&self->ds);
}

/* A socket and what it has told its application since it was reset. */
struct member {
	int fd;
	bool recorded;
	struct fam_counters seen;
};

static void serve(struct __test_metadata *_metadata, struct member *m,
		  struct fam_counters *sums, const char *addr)
{
	struct fam_counters one = { };

	test_serve(_metadata, SOCK_DGRAM, m->fd, addr, &one);
	fam_counters_add(&m->seen, &one);
	fam_counters_add(sums, &one);
	m->recorded = true;
}

static void open_member(struct __test_metadata *_metadata, struct member *m)
{
	memset(m, 0, sizeof(*m));
	m->fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, m->fd);
}

static void expect_member(struct __test_metadata *_metadata, struct fam *ds,
			  struct member *m)
{
	struct fam_socket s;

	if (!m->recorded) {
		test_expect_none(_metadata, ds, m->fd);
		return;
	}
	ASSERT_EQ(0, fam_socket_get(ds, net_cookie(m->fd), &s));
	test_expect_counters(_metadata, "socket", &m->seen, &s.counters,
			     AF_INET6, IPPROTO_UDP);
}

static int explicit_port(struct __test_metadata *_metadata, struct fam *ds,
			 int fd)
{
	struct fam_socket s;

	ASSERT_EQ(0, fam_socket_get(ds, net_cookie(fd), &s));
	return s.explicit_port;
}

/* The port of a server is asked for by number, or is what the kernel chose. */
TEST_F_TIMEOUT(records, explicit_port_server, TEST_TIMEOUT)
{
	static const char *const addr[] = { "::", "0.0.0.0" };
	static const unsigned int flags[] = {
		NET_DUAL | NET_REUSEADDR, NET_REUSEADDR,
	};
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };
	struct fam_counters seen = { };
	in_port_t port;
	int fd, i;

	for (i = 0; i < 4; i++) {
		fd = net_server(types[i / 2], addr[i % 2], 0, flags[i % 2]);
		ASSERT_LE(0, fd);
		test_serve(_metadata, types[i / 2], fd, "127.0.0.1", &seen);
		EXPECT_EQ(0, explicit_port(_metadata, &self->ds, fd));
		port = net_port(fd);
		close(fd);

		fd = net_server(types[i / 2], addr[i % 2], port,
				flags[i % 2]);
		ASSERT_LE(0, fd);
		test_serve(_metadata, types[i / 2], fd, "127.0.0.1", &seen);
		EXPECT_EQ(1, explicit_port(_metadata, &self->ds, fd));
		close(fd);
	}
}

/* A socket that sends gets a port if it has none. */
TEST_F_TIMEOUT(records, explicit_port_client, TEST_TIMEOUT)
{
	static const char *const addr[] = { "::ffff:127.0.0.1", "127.0.0.1" };
	static const char *const any[] = { "::", "0.0.0.0" };
	static const int family[] = { AF_INET6, AF_INET };
	in_port_t port;
	int fd, i;

	for (i = 0; i < 2; i++) {
		fd = socket(family[i], SOCK_DGRAM, 0);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, net_sendto(fd, addr[i], 9, 0));
		EXPECT_EQ(0, explicit_port(_metadata, &self->ds, fd));
		port = net_port(fd);
		close(fd);

		fd = socket(family[i], SOCK_DGRAM, 0);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, net_bind(fd, any[i], port));
		ASSERT_EQ(0, net_sendto(fd, addr[i], 9, 0));
		EXPECT_EQ(1, explicit_port(_metadata, &self->ds, fd));
		close(fd);
	}
}

/* Nothing is said of the port of a socket that had none at its first event. */
TEST_F_TIMEOUT(records, explicit_port_later, TEST_TIMEOUT)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, net_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	ASSERT_EQ(-EINVAL, net_bind(fd, "::ffff:127.0.0.1", 9));
	EXPECT_EQ(-1, explicit_port(_metadata, &self->ds, fd));
	ASSERT_EQ(0, net_bind(fd, "::", 9));
	EXPECT_EQ(-1, explicit_port(_metadata, &self->ds, fd));
	close(fd);
}

#define MEMBERS	24

/*
 * Sockets that come, go, have events, are reset, and are asked for, in an order
 * that is random and always the same. Between them some time passes, in which
 * those without events may become idle.
 */
TEST_F_TIMEOUT(records, random_walk, TEST_TIMEOUT)
{
	static const char *const addr[] = { "127.0.0.1", "::1" };
	struct member m[MEMBERS];
	int i, op, n;

	srandom(20260);
	for (i = 0; i < MEMBERS; i++)
		open_member(_metadata, &m[i]);
	for (n = test_rounds(2000); n; n--) {
		i = random() % MEMBERS;
		op = random() % 32;
		if (op < 16) {
			serve(_metadata, &m[i], &self->sums, addr[op % 2]);
		} else if (op < 20) {
			close(m[i].fd);
			open_member(_metadata, &m[i]);
		} else if (op < 22 && m[i].recorded) {
			ASSERT_EQ(0, fam_reset(&self->ds, net_cookie(m[i].fd)));
			memset(&m[i].seen, 0, sizeof(m[i].seen));
		} else if (op == 22) {
			ASSERT_EQ(0, fam_reset(&self->ds, 0));
			memset(&self->sums, 0, sizeof(self->sums));
			for (i = 0; i < MEMBERS; i++)
				memset(&m[i].seen, 0, sizeof(m[i].seen));
		} else if (op < 26) {
			usleep(20000);
		} else {
			test_expect_sums(_metadata, &self->ds, &self->sums);
			expect_member(_metadata, &self->ds, &m[i]);
		}
	}
	test_expect_sums(_metadata, &self->ds, &self->sums);
	for (i = 0; i < MEMBERS; i++) {
		expect_member(_metadata, &self->ds, &m[i]);
		close(m[i].fd);
	}
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&self->ds), NET_TIMEOUT_MS));
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* A thread that opens so many sockets, has datagrams on them, and closes them. */
struct churn {
	pthread_t thread;
	int sockets;
	unsigned int seed;
	bool started;
	bool stop;
	bool failed;
	__u64 begun;	/* datagrams that it was about to take */
	__u64 done;	/* datagrams that it took */
};

#define get(field)		__atomic_load_n(&(field), __ATOMIC_SEQ_CST)
#define set(field, value)	__atomic_store_n(&(field), value, __ATOMIC_SEQ_CST)
#define inc(field)		__atomic_add_fetch(&(field), 1, __ATOMIC_SEQ_CST)

static bool churn_datagram(struct churn *c, int fd, int client)
{
	union net_addr to;
	char byte;

	net_addr_set(&to, "127.0.0.1", net_port(fd));
	if (sendto(client, "x", 1, 0, &to.sa, net_addr_len(&to)) != 1)
		return false;
	inc(c->begun);
	if (net_wait_in(fd, NET_TIMEOUT_MS) || recv(fd, &byte, 1, 0) != 1)
		return false;
	inc(c->done);
	return true;
}

static void *churn(void *arg)
{
	int i, client = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	struct churn *c = arg;
	int fd[c->sockets];

	for (i = 0; i < c->sockets; i++) {
		fd[i] = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
		c->failed |= !churn_datagram(c, fd[i], client);
	}
	set(c->started, true);
	while (!get(c->stop) && !c->failed) {
		i = rand_r(&c->seed) % c->sockets;
		if (rand_r(&c->seed) % 8 == 0) {
			close(fd[i]);
			fd[i] = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
		}
		c->failed = !churn_datagram(c, fd[i], client);
	}
	for (i = 0; i < c->sockets; i++)
		close(fd[i]);
	close(client);
	return NULL;
}

#define CHURNS	3

static void start_churns(struct __test_metadata *_metadata, struct churn *c,
			 int sockets)
{
	int i;

	memset(c, 0, CHURNS * sizeof(*c));
	for (i = 0; i < CHURNS; i++) {
		c[i].seed = i;
		c[i].sockets = sockets;
		ASSERT_EQ(0, pthread_create(&c[i].thread, NULL, churn, &c[i]));
	}
}

static void stop_churns(struct __test_metadata *_metadata, struct churn *c)
{
	int i;

	for (i = 0; i < CHURNS; i++)
		set(c[i].stop, true);
	for (i = 0; i < CHURNS; i++) {
		pthread_join(c[i].thread, NULL);
		EXPECT_FALSE(c[i].failed);
	}
}

static __u64 total(struct churn *c, bool begun)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < CHURNS; i++)
		sum += begun ? get(c[i].begun) : get(c[i].done);
	return sum;
}

/*
 * Among many that are idle: at any time the sums hold each event that is over once,
 * and none that has not begun.
 */
TEST_F_TIMEOUT(records, sums_under_churn, TEST_TIMEOUT)
{
	struct churn c[CHURNS];
	struct member idle[MEMBERS];
	__u64 least, most, sum;
	struct fam_stats stats;
	int i, n = test_rounds(2000);

	for (i = 0; i < MEMBERS; i++) {
		open_member(_metadata, &idle[i]);
		serve(_metadata, &idle[i], &self->sums, "127.0.0.1");
	}
	start_churns(_metadata, c, 4);
	while (n--) {
		least = self->sums.v[MAPPED] + total(c, false);
		ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
		most = self->sums.v[MAPPED] + total(c, true);
		sum = stats.counters.v[MAPPED];
		ASSERT_LE(least, sum);
		ASSERT_GE(most, sum);
		i = n % MEMBERS;
		if (n % 4 == 0)
			serve(_metadata, &idle[i], &self->sums, "127.0.0.1");
		if (n % 16 == 1) {
			ASSERT_EQ(0, fam_reset(&self->ds,
					       net_cookie(idle[i].fd)));
			memset(&idle[i].seen, 0, sizeof(idle[i].seen));
		}
	}
	stop_churns(_metadata, c);
	TH_LOG("%llu datagrams", total(c, false));
	self->sums.v[MAPPED] += total(c, false);
	test_expect_sums(_metadata, &self->ds, &self->sums);
	for (i = 0; i < MEMBERS; i++) {
		expect_member(_metadata, &self->ds, &idle[i]);
		close(idle[i].fd);
	}
}

/* So many that to add them up, or to set them to 0, takes several steps. */
#define WALKED	200

/*
 * Sockets come and go, and have events, while their records are walked through: what
 * was over before a reset is forgotten, what begins after it counts.
 */
TEST_F_TIMEOUT(records, walks_under_churn, TEST_TIMEOUT)
{
	struct rlimit limit = { 4 * CHURNS * WALKED, 4 * CHURNS * WALKED };
	int i, n = test_rounds(500);
	__u64 least, most, sum;
	struct fam_stats stats;
	struct churn c[CHURNS];

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	start_churns(_metadata, c, WALKED);
	for (i = 0; i < CHURNS; i++)
		ASSERT_TRUE(net_wait_for(get(c[i].started), NET_TIMEOUT_MS));
	while (n--) {
		most = -total(c, false);
		ASSERT_EQ(0, fam_reset(&self->ds, 0));
		least = -total(c, true);
		/* Records that nobody needs are found idle by the second. */
		for (i = 0; i < 3; i++) {
			sum = total(c, false);
			ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
			/* None where more had begun than are over by now. */
			if ((__s64)(least + sum) > 0) {
				ASSERT_LE(least + sum,
					  stats.counters.v[MAPPED]);
			}
			ASSERT_GE(most + total(c, true),
				  stats.counters.v[MAPPED]);
		}
	}
	stop_churns(_metadata, c);
	TH_LOG("%llu datagrams", total(c, false));
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&self->ds), NET_TIMEOUT_MS));
	ASSERT_EQ(0, fam_reset(&self->ds, 0));
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* Processor time that the kernel takes for us, in microseconds. */
static long system_time(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec;
}

static long time_to_ask(struct __test_metadata *_metadata, struct fam *ds,
			__u64 cookie)
{
	struct fam_stats stats;
	struct fam_socket s;
	struct fam_hook h;
	long begin = system_time();
	int i;

	for (i = 0; i < test_rounds(1000); i++) {
		ASSERT_EQ(0, fam_stats_get(ds, 0, &stats));
		ASSERT_EQ(0, fam_hook_get(ds, "kfree_skb", &h));
		ASSERT_EQ(0, fam_socket_get(ds, cookie, &s));
	}
	return system_time() - begin;
}

/*
 * Not the number of records: among many, so many questions take what they take
 * among a few, plus what it takes to find out that most are idle.
 */
TEST_F_TIMEOUT(records, asking_is_cheap, TEST_TIMEOUT)
{
	struct rlimit limit = { 32768, 32768 };
	int i, fd, first, n = test_rounds(10000);
	struct fam_stats stats;
	long few = 0, many;
	char c;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	first = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	for (i = 0; i < n; i++) {
		fd = i ? net_server(SOCK_DGRAM, "::", 0, NET_DUAL) : first;
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, net_send_to("127.0.0.1", net_port(fd), "x", 1));
		ASSERT_EQ(1, recv(fd, &c, 1, 0));
		if (i == 10)
			few = time_to_ask(_metadata, &self->ds,
					  net_cookie(first));
	}
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	EXPECT_EQ(n, stats.tracked);
	EXPECT_EQ(n, stats.counters.v[MAPPED]);

	many = time_to_ask(_metadata, &self->ds, net_cookie(first));
	TH_LOG("%ld us among 11 records, %ld us among %d", few, many, n);
	EXPECT_GT(10 * few + test_rounds(100000), many);
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	EXPECT_EQ(n, stats.counters.v[MAPPED]);
}

/* Sockets that cannot be recorded, until those that are idle for long give way. */
TEST_F_TIMEOUT(records, idle_ones_give_way, TEST_TIMEOUT)
{
	struct member old[4], busy, new[2];
	struct fam_stats stats;
	int i, tries = 0;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    5));
	for (i = 0; i < 4; i++) {
		open_member(_metadata, &old[i]);
		serve(_metadata, &old[i], &self->sums, "127.0.0.1");
	}
	open_member(_metadata, &busy);
	open_member(_metadata, &new[0]);
	open_member(_metadata, &new[1]);
	do {
		serve(_metadata, &busy, &self->sums, "127.0.0.1");
		serve(_metadata, &new[0], &self->sums, "::1");
		serve(_metadata, &new[1], &self->sums, "127.0.0.1");
		ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
		test_expect_counters(_metadata, "sums", &self->sums,
				     &stats.counters, 0, 0);
		EXPECT_EQ(5, stats.tracked);
		usleep(200000);
	} while (stats.evicted < 2 && ++tries < 1000);
	EXPECT_EQ(2, stats.evicted);
	EXPECT_LT(0, stats.untracked);

	/* The oldest went, and counted until then. The new ones count from there. */
	test_expect_none(_metadata, &self->ds, old[0].fd);
	test_expect_none(_metadata, &self->ds, old[1].fd);
	expect_member(_metadata, &self->ds, &old[2]);
	expect_member(_metadata, &self->ds, &old[3]);
	expect_member(_metadata, &self->ds, &busy);
	for (i = 0; i < 2; i++) {
		memset(&new[i].seen, 0, sizeof(new[i].seen));
		ASSERT_EQ(0, fam_reset(&self->ds, net_cookie(new[i].fd)));
		serve(_metadata, &new[i], &self->sums, "127.0.0.1");
		expect_member(_metadata, &self->ds, &new[i]);
	}

	/* One that went comes back when there is room. */
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    6));
	memset(&old[0].seen, 0, sizeof(old[0].seen));
	serve(_metadata, &old[0], &self->sums, "127.0.0.1");
	expect_member(_metadata, &self->ds, &old[0]);
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	EXPECT_EQ(2, stats.evicted);
	test_expect_counters(_metadata, "sums", &self->sums, &stats.counters, 0, 0);
}

/* So many that some share a bucket of the module's table, some thirty on average. */
#define MANY	2000

/* The rest of them are there, and each has its own record. */
static void expect_others(struct __test_metadata *_metadata, struct fam *ds,
			  struct member *m, int n)
{
	int i, left = 0;

	for (i = 0; i < n; i++)
		left += m[i].fd >= 0;
	EXPECT_TRUE(net_wait_for(fam_socket_count(ds) == left, NET_TIMEOUT_MS));
	for (i = 0; i < n; i++)
		if (m[i].fd >= 0)
			expect_member(_metadata, ds, &m[i]);
}

/* Every third of them, the first of the others first */
static void close_third(struct member *m, int n, int which)
{
	int i;

	for (i = which; i < n; i += 3) {
		close(m[i].fd);
		m[i].fd = -1;
	}
}

/*
 * A record is that of one socket among many, whether others beside it come or go, as
 * it happens or while nobody looks.
 */
TEST_F_TIMEOUT(records, many, TEST_TIMEOUT)
{
	static const char *const addr[] = { "127.0.0.1", "::1" };
	struct rlimit limit = { 2 * MANY, 2 * MANY };
	int i, n = test_rounds(MANY);
	struct member *m;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	m = calloc(n, sizeof(*m));
	ASSERT_NE(NULL, m);
	for (i = 0; i < n; i++) {
		open_member(_metadata, &m[i]);
		serve(_metadata, &m[i], &self->sums, addr[i % 2]);
	}
	expect_others(_metadata, &self->ds, m, n);

	close_third(m, n, 0);
	expect_others(_metadata, &self->ds, m, n);

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_TRACKING, 0));
	close_third(m, n, 1);
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_TRACKING, 1));
	expect_others(_metadata, &self->ds, m, n);

	for (i = 2; i < n; i += 3)
		serve(_metadata, &m[i], &self->sums, addr[i % 2]);
	expect_others(_metadata, &self->ds, m, n);
	test_expect_sums(_metadata, &self->ds, &self->sums);
	close_third(m, n, 2);
	free(m);
}

#define IDLE	100	/* more than give way at a time */
#define BUSY	8
#define LIMIT	5	/* fewer than the busy ones */

/*
 * The limit is lowered below what there is: idle ones give way, those that were reset
 * before all others, and the busy ones stay, whatever the limit says. Where that leaves
 * no room, it is for the sums.
 */
TEST_F_TIMEOUT(records, lowered_limit, TEST_TIMEOUT)
{
	struct member zero[2], idle[IDLE], busy[BUSY], new;
	struct fam_stats stats;
	int i, tries = 0;
	bool first = true;

	for (i = 0; i < 2; i++) {
		open_member(_metadata, &zero[i]);
		serve(_metadata, &zero[i], &self->sums, "127.0.0.1");
	}
	/* Who asks finds out which are idle. */
	for (i = 0; i < 5; i++) {
		test_expect_sums(_metadata, &self->ds, &self->sums);
		usleep(20000);
	}
	ASSERT_EQ(0, fam_reset(&self->ds, 0));
	memset(&self->sums, 0, sizeof(self->sums));
	for (i = 0; i < IDLE; i++) {
		open_member(_metadata, &idle[i]);
		serve(_metadata, &idle[i], &self->sums, "127.0.0.1");
	}
	for (i = 0; i < BUSY; i++)
		open_member(_metadata, &busy[i]);
	for (i = 0; i < BUSY; i++)
		serve(_metadata, &busy[i], &self->sums, "127.0.0.1");
	open_member(_metadata, &new);
	test_expect_sums(_metadata, &self->ds, &self->sums);

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    LIMIT));
	do {
		for (i = 0; i < BUSY; i++)
			serve(_metadata, &busy[i], &self->sums, "127.0.0.1");
		serve(_metadata, &new, &self->sums, "127.0.0.1");
		ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
		test_expect_counters(_metadata, "sums", &self->sums,
				     &stats.counters, 0, 0);
		EXPECT_EQ(2 + IDLE + BUSY, stats.tracked + stats.evicted);
		EXPECT_EQ(new.seen.v[MAPPED], stats.untracked);
		if (first && stats.evicted >= 2) {
			test_expect_none(_metadata, &self->ds, zero[0].fd);
			test_expect_none(_metadata, &self->ds, zero[1].fd);
			first = false;
		}
		usleep(200000);
	} while (stats.evicted < 2 + IDLE && ++tries < 1000);
	EXPECT_EQ(2 + IDLE, stats.evicted);
	EXPECT_EQ(BUSY, stats.tracked);
	for (i = 0; i < IDLE; i++)
		test_expect_none(_metadata, &self->ds, idle[i].fd);
	for (i = 0; i < BUSY; i++)
		expect_member(_metadata, &self->ds, &busy[i]);
	test_expect_none(_metadata, &self->ds, new.fd);

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    BUSY + 1));
	memset(&new.seen, 0, sizeof(new.seen));
	serve(_metadata, &new, &self->sums, "127.0.0.1");
	expect_member(_metadata, &self->ds, &new);
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	test_expect_counters(_metadata, "sums", &self->sums, &stats.counters, 0,
			     0);
}

/* A memory cgroup, and a process in it that listens. */
struct group {
	char root[32];
	char path[48];
	pid_t listener;
	in_port_t *port;	/* shared with the listener */
};

#define LISTENERS	2000
#define RECORD_SIZE	192

static int group_write(const char *dir, const char *file, const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return net_write_file(path, text);
}

/* What the kernel's own objects take of the cgroup's memory, in bytes. */
static long group_slab(const struct group *g)
{
	char path[96], line[128];
	long bytes = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/memory.stat", g->path);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "slab_unreclaimable %ld", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return bytes;
}

static bool group_make(struct group *g)
{
	if (!mkdtemp(g->root))
		return false;
	if (!mount("none", g->root, "cgroup2", 0, NULL)) {
		snprintf(g->path, sizeof(g->path), "%s/records", g->root);
		if (!group_write(g->root, "cgroup.subtree_control", "+memory") &&
		    !mkdir(g->path, 0755))
			return true;
		umount(g->root);
	}
	rmdir(g->root);
	return false;
}

static void group_remove(struct group *g)
{
	kill(g->listener, SIGKILL);
	waitpid(g->listener, NULL, 0);
	net_wait_for(!rmdir(g->path), NET_TIMEOUT_MS);
	umount(g->root);
	rmdir(g->root);
}

static void group_listen(struct group *g, int n, int type, unsigned int flags)
{
	int i, fd;

	if (group_write(g->path, "cgroup.procs", "0"))
		_exit(1);
	for (i = 0; i < n; i++) {
		fd = net_server(type, "::", 0, flags);
		if (fd < 0)
			_exit(1);
		__atomic_store_n(&g->port[i], net_port(fd), __ATOMIC_RELEASE);
	}
	pause();
	_exit(0);
}

/*
 * Records that a packet makes, in softirq, are charged to the cgroup of whoever
 * opened the socket. Nothing else of the listeners is: their children are not.
 */
TEST_F_TIMEOUT(records, charged_to_the_owner, TEST_TIMEOUT)
{
	struct rlimit limit = { 8192, 8192 };
	int i, client[LISTENERS], n = LISTENERS;
	struct fam_stats stats;
	struct group g = { .root = "/tmp/records.XXXXXX" };
	long before;

	if (!group_make(&g))
		SKIP(return, "the kernel lacks CONFIG_MEMCG");
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	g.port = mmap(NULL, n * sizeof(*g.port), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, g.port);
	g.listener = net_fork();
	ASSERT_LE(0, g.listener);
	if (!g.listener)
		group_listen(&g, n, SOCK_STREAM, NET_DUAL);
	EXPECT_TRUE(net_wait_for(__atomic_load_n(&g.port[n - 1],
						 __ATOMIC_ACQUIRE),
				 NET_TIMEOUT_MS));

	before = group_slab(&g);
	/* A handshake is over for the client before it is for the listener: a reset at
	 * once could overtake its end.
	 */
	for (i = 0; i < n; i++) {
		client[i] = net_client(SOCK_STREAM, "127.0.0.1", g.port[i],
				       NULL);
		EXPECT_LE(0, client[i]);
	}
	EXPECT_TRUE(net_wait_for(!fam_stats_get(&self->ds, 0, &stats) &&
				 stats.tracked >= n, NET_TIMEOUT_MS));
	for (i = 0; i < n; i++)
		net_close_reset(client[i]);
	EXPECT_EQ(n, stats.tracked);
	EXPECT_EQ(n, stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_ACCEPT]);

	/* The kernel adds these up every other second. */
	EXPECT_TRUE(net_wait_for(group_slab(&g) - before >
				 n * RECORD_SIZE * 3 / 4, NET_TIMEOUT_MS));
	TH_LOG("%ld bytes for %d records", group_slab(&g) - before, n);
	group_remove(&g);
}

#define PEERS		4000
#define ENTRY_SIZE	96

/* Entries of the ledger are charged likewise, and given back when it is emptied: those
 * of clients that a socket refuses, to whoever opened it.
 */
TEST_F_TIMEOUT(records, peers_charged, TEST_TIMEOUT)
{
	struct group g = { .root = "/tmp/records.XXXXXX" };
	const struct ledger_query query = { .direction = -1 };
	struct ledger_sum sum;
	char addr[32];
	long before;
	int i;

	if (!group_make(&g))
		SKIP(return, "the kernel lacks CONFIG_MEMCG");
	g.port = mmap(NULL, sizeof(*g.port), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, g.port);
	g.listener = net_fork();
	ASSERT_LE(0, g.listener);
	if (!g.listener)
		group_listen(&g, 1, SOCK_DGRAM, NET_V6ONLY);
	EXPECT_TRUE(net_wait_for(__atomic_load_n(g.port, __ATOMIC_ACQUIRE),
				 NET_TIMEOUT_MS));

	before = group_slab(&g);
	for (i = 0; i < PEERS; i++) {
		snprintf(addr, sizeof(addr), "127.%d.%d.1", 1 + i / 200, i % 200);
		ASSERT_EQ(0, net_send_to(addr, *g.port, "x", 1));
	}
	EXPECT_TRUE(net_wait_for(!ledger_sum(&self->ds, &query, &sum) &&
				 sum.count >= PEERS, NET_TIMEOUT_MS));
	EXPECT_EQ(PEERS, sum.entries);
	EXPECT_TRUE(net_wait_for(group_slab(&g) - before >
				 PEERS / 2 * ENTRY_SIZE, NET_TIMEOUT_MS));
	TH_LOG("%ld bytes for the clients", group_slab(&g) - before);
	EXPECT_EQ(0, ledger_reset(&self->ds));
	EXPECT_TRUE(net_wait_for(group_slab(&g) - before <
				 PEERS / 4 * ENTRY_SIZE, NET_TIMEOUT_MS));
	group_remove(&g);
}

TEST_HARNESS_MAIN
