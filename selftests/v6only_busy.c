// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting IPV6_V6ONLY where much is going on: it waits for nobody, as everybody
 * who speaks generic netlink would wait with it; a group costs by its size; and
 * nothing is lost by that.
 */
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <netlink/socket.h>

#include "lib/test.h"
#include "lib/net_link.h"

#define NOBODY		65534

/* How many requests, and how many of them in one send(). */
#define REQUESTS	2000
#define AT_ONCE		500
/* A second each, as once, or a grace period each, makes minutes of them. */
#define REQUESTS_MS	30000

#define MEMBERS		8000
#define MULTIPLE	20
#define GROUP		4
#define PORTS		40
#define SETS		200
#define NAMESPACES	40

FIXTURE(busy)
{
	struct fam ds;
};

FIXTURE_SETUP(busy)
{
	test_setup(_metadata, &self->ds);
}

FIXTURE_TEARDOWN(busy)
{
	fam_close(&self->ds);
}

/*
 * A process asleep in sendmsg() with the socket locked: it adds to a datagram, and
 * the buffer is full of what waits for a neighbour that does not answer. Each time
 * that the kernel gives up, for a moment only.
 */
static void be_asleep(int fd)
{
	int size = 1;	/* the least there is */
	char data[4000] = { };
	union net_addr to;

	net_addr_set(&to, "2001:db8:1::2", 9);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (;;) {
		sendto(fd, data, sizeof(data), 0, &to.sa, sizeof(to.in6));
		sendto(fd, data, 1, MSG_MORE, &to.sa, sizeof(to.in6));
	}
}

/* Have a process keep a UDP socket busy; its pid, or -errno. */
static pid_t keep_busy(int fd)
{
	int here = net_ns_open(), err;
	pid_t pid;

	if (!if_nametoindex("busy0")) {
		err = net_link_veth("busy0", "busy1", here) ?:
		      net_link_up("busy1") ?: net_link_up("busy0") ?:
		      net_link_addr("busy0", "2001:db8:1::1", 64);
		if (err)
			return err;
	}
	close(here);
	pid = net_fork();
	if (!pid)
		be_asleep(fd);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void put(struct __test_metadata *_metadata, struct fam_batch *batch,
		struct fam *ds, int fd, in_port_t port, bool v6only)
{
	ASSERT_TRUE(fam_batch_put(batch,
				  fam_v6only_msg(ds, net_cookie(fd),
						 net_protocol(fd), port, v6only,
						 false), 0));
}

/* What the answers say is of no matter, nor if they are too many. */
static void post(struct __test_metadata *_metadata, struct fam_batch *batch,
		 struct fam *ds)
{
	int sk = nl_socket_get_fd(ds->sk);
	char answer[4096];

	ASSERT_EQ(batch->len, send(sk, batch->buf, batch->len, 0));
	batch->len = 0;
	while (recv(sk, answer, sizeof(answer), MSG_DONTWAIT) > 0 ||
	       errno == ENOBUFS)
		;
}

/* Ask that often, turn by turn for on and off, that many times in one send(). */
static void ask(struct __test_metadata *_metadata, struct fam *ds, int fd,
		in_port_t port, int requests, int at_once)
{
	struct fam_batch batch = { };
	int i;

	for (i = 1; i <= requests; i++) {
		put(_metadata, &batch, ds, fd, port, i & 1);
		if (i % at_once == 0 || i == requests)
			post(_metadata, &batch, ds);
	}
}

/*
 * By a user without rights, who has namespaces of his own: what he asks for is
 * answered while he holds the lock of generic netlink, all of a send() at once.
 */
TEST_F_TIMEOUT(busy, holds_nobody_up, TEST_TIMEOUT)
{
	int n = test_rounds(REQUESTS), fd, idle;
	struct fam ds;
	in_port_t port;
	__u64 start, ms;
	pid_t pid;

	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(NOBODY, NOBODY, NOBODY));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	ASSERT_EQ(0, unshare(CLONE_NEWUSER)) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&ds));
	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	idle = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, idle);
	port = net_port(fd);	/* which would wait for the socket later */
	pid = keep_busy(fd);
	ASSERT_LT(0, pid) TH_LOG("%s", strerror(-pid));
	ASSERT_TRUE(net_wait_for(fam_v6only_set_by(&ds, net_cookie(fd),
						   IPPROTO_UDP, port, true,
						   false) == -EBUSY,
				 NET_TIMEOUT_MS));
	EXPECT_STREQ("A process keeps the socket busy", ds.extack);

	start = net_now_ms();
	ask(_metadata, &ds, fd, port, n, AT_ONCE);
	ask(_metadata, &ds, fd, port, n, 1);
	ask(_metadata, &ds, idle, net_port(idle), n, AT_ONCE);
	ask(_metadata, &ds, idle, net_port(idle), n, 1);
	ms = net_now_ms() - start;
	TH_LOG("%d requests in %llu ms", 4 * n, (unsigned long long)ms);
	EXPECT_GT(REQUESTS_MS, ms);
	stop(pid);
	EXPECT_EQ(0, net_v6only(idle));
	fam_close(&ds);
}

/* Of several in one send(), the last is done. */
TEST_F_TIMEOUT(busy, last_of_send, TEST_TIMEOUT)
{
	struct fam_batch batch = { };
	int fd[3], i;

	for (i = 0; i < 3; i++) {
		fd[i] = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
		ASSERT_LE(0, fd[i]);
		put(_metadata, &batch, &self->ds, fd[i], net_port(fd[i]), true);
	}
	post(_metadata, &batch, &self->ds);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i == 2, net_v6only(fd[i]));
		close(fd[i]);
	}
}

/* A group of which one is busy: the others change, and it does when asked again. */
TEST_F_TIMEOUT(busy, one_of_group, TEST_TIMEOUT)
{
	int fd[GROUP], i;
	bool want;
	pid_t pid;

	for (i = 0; i < GROUP; i++) {
		fd[i] = net_server(SOCK_DGRAM, "::", i ? net_port(fd[0]) : 0,
				   NET_DUAL | NET_REUSEPORT);
		ASSERT_LE(0, fd[i]);
	}
	pid = keep_busy(fd[1]);
	ASSERT_LT(0, pid) TH_LOG("%s", strerror(-pid));
	/* It may be idle for the moment that this takes: then the other way. */
	ASSERT_TRUE(net_wait_for(({
		want = !net_v6only(fd[1]);
		fam_v6only_set(&self->ds, fd[0], want, false) == -EBUSY;
	}), NET_TIMEOUT_MS));
	EXPECT_NE(NULL, strstr(self->ds.extack, "not all have changed"));
	for (i = 0; i < GROUP; i++)
		EXPECT_EQ(i != 1 ? want : !want, net_v6only(fd[i]));
	stop(pid);
	EXPECT_EQ(1, fam_v6only_set_idle(&self->ds, fd[0], want));
	for (i = 0; i < GROUP; i++) {
		EXPECT_EQ(want, net_v6only(fd[i]));
		close(fd[i]);
	}
}

/* Other processes of the machine do not count: time of this one, nanoseconds. */
static __u64 cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

FIXTURE(group)
{
	struct fam ds;
};

FIXTURE_VARIANT(group)
{
	int type;
};

FIXTURE_VARIANT_ADD(group, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(group, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(group)
{
	test_setup(_metadata, &self->ds);
}

FIXTURE_TEARDOWN(group)
{
	fam_close(&self->ds);
}

/*
 * To set a large group costs by its size, and not by the square of that: there and
 * back it takes a multiple of what it takes to ask each of its sockets something.
 */
TEST_F_TIMEOUT(group, linear, TEST_TIMEOUT)
{
	struct rlimit limit = { 2 * MEMBERS, 2 * MEMBERS };
	int i, k, n = test_rounds(MEMBERS), *fd;
	__u64 start, set, each;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	fd = calloc(n, sizeof(*fd));
	ASSERT_NE(NULL, fd);
	for (i = 0; i < n; i++) {
		fd[i] = net_server(variant->type, "::", i ? net_port(fd[0]) : 0,
				   NET_DUAL | NET_REUSEPORT);
		ASSERT_LE(0, fd[i]) TH_LOG("%d: %s", i, strerror(-fd[i]));
	}
	/* Where the machine was busy meanwhile, it may have been unfair. */
	for (k = 0; k < 5; k++) {
		start = cpu_ns();
		ASSERT_EQ(n, fam_v6only_set(&self->ds, fd[n / 2], true, false))
			TH_LOG("%s", self->ds.extack);
		ASSERT_EQ(n, fam_v6only_set(&self->ds, fd[n / 3], false, false))
			TH_LOG("%s", self->ds.extack);
		set = cpu_ns() - start;
		start = cpu_ns();
		for (i = 0; i < n; i++)
			EXPECT_EQ(0, net_v6only(fd[i]));
		each = cpu_ns() - start;
		TH_LOG("%d sockets: set in %llu us, asked in %llu us", n,
		       (unsigned long long)set / 1000,
		       (unsigned long long)each / 1000);
		if (set < MULTIPLE * each)
			break;
	}
	EXPECT_GT(MULTIPLE * each, set);
	for (i = 0; i < n; i++)
		close(fd[i]);
	free(fd);
}

/*
 * Members come and go, and processes with them, while it is set: at rest all are
 * as was asked for last.
 */
TEST_F_TIMEOUT(group, restless, TEST_TIMEOUT)
{
	int i, fd[3], n, type = variant->type;
	pid_t pid[3];

	fd[0] = net_server(type, "::", 0, NET_DUAL | NET_REUSEPORT);
	for (i = 1; i < 3; i++)
		fd[i] = net_server(type, "::", net_port(fd[0]),
				   NET_DUAL | NET_REUSEPORT);
	for (i = 0; i < 3; i++) {
		ASSERT_LE(0, fd[i]);
		pid[i] = net_fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i])
			for (;;) {
				n = net_server(type, "::", net_port(fd[0]),
					       NET_DUAL | NET_REUSEPORT);
				usleep(rand() % 500);
				if (n >= 0)
					close(n);
				usleep(rand() % 5000);
			}
	}
	for (i = 0; i < test_rounds(SETS) / 2; i++) {
		/*
		 * One that comes when all have changed makes another group, which
		 * is there for the moment.
		 */
		ASSERT_TRUE(net_wait_for(({
			n = fam_v6only_set_idle(&self->ds, fd[0], !(i & 1));
			n != -EADDRINUSE;
		}), NET_TIMEOUT_MS));
		ASSERT_LE(0, n) TH_LOG("%s", self->ds.extack);
		for (n = 0; n < 3; n++)
			EXPECT_EQ(!(i & 1), net_v6only(fd[n]));
	}
	for (i = 0; i < 3; i++) {
		stop(pid[i]);
		close(fd[i]);
	}
}

/* Who asks while another one does, in the same namespace, asks again. */
TEST_F_TIMEOUT(group, two_at_a_time, TEST_TIMEOUT)
{
	int i, fd, status, rounds = test_rounds(SETS);
	struct fam ds;
	pid_t pid;

	pid = net_fork();
	ASSERT_LE(0, pid);
	fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fam_open(&ds));
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(1, fam_v6only_set_idle(&ds, fd, !(i & 1)))
			TH_LOG("%s", ds.extack);
		ASSERT_EQ(!(i & 1), net_v6only(fd));
	}
	fam_close(&ds);
	close(fd);
	if (!pid)
		_exit(0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/*
 * Many ports, one after the other: each is remembered until packets that were on
 * their way are through. Where that are too many, it is for a moment.
 */
TEST_F_TIMEOUT(group, many_ports, TEST_TIMEOUT)
{
	int fd[PORTS], i, type = variant->type;
	struct fam_counters want = { };

	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratelimit", 0));
	for (i = 0; i < PORTS; i++) {
		fd[i] = net_server(type, "::", 0, NET_V6ONLY);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(1, net_refused(type, "127.0.0.1", net_port(fd[i]),
					 NULL));
	}
	for (i = 0; i < PORTS; i++)
		EXPECT_EQ(1, fam_v6only_set_idle(&self->ds, fd[i], false))
			TH_LOG("%s", self->ds.extack);
	want.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY] = 1;
	for (i = 0; i < PORTS; i++) {
		EXPECT_EQ(0, net_v6only(fd[i]));
		test_expect_socket(_metadata, &self->ds, fd[i], &want);
		close(fd[i]);
	}
}

/* A namespace goes while it remembers one, and is asked for one. */
TEST_F_TIMEOUT(group, namespace_goes, TEST_TIMEOUT)
{
	int i, fd, n, status;
	pid_t pid;

	for (i = 0; i < test_rounds(NAMESPACES); i++) {
		pid = net_fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			struct fam ds;

			if (net_ns_new() || fam_open(&ds))
				_exit(1);
			fd = net_server(variant->type, "::", 0, NET_V6ONLY);
			n = net_refused(variant->type, "127.0.0.1",
					net_port(fd), NULL);
			_exit(n != 1 ||
			      fam_v6only_set(&ds, fd, false, false) != 1);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
}

TEST_HARNESS_MAIN
