// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters back to 0, of one socket and of a namespace, also while they move.
 */
#include <netlink/msg.h>
#include <netlink/socket.h>
#include <pthread.h>
#include <sched.h>

#include "lib/test.h"

#define ROUNDS	200

FIXTURE(reset)
{
	struct fam ds;
	struct fam_counters sums;
};

FIXTURE_SETUP(reset)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
}

FIXTURE_TEARDOWN(reset)
{
	fam_close(&self->ds);
}

/* A record that starts from nothing, without peers. */
static void expect_zero(struct __test_metadata *_metadata, struct fam *ds,
			int fd)
{
	struct fam_socket s;

	ASSERT_EQ(0, fam_socket_get(ds, net_cookie(fd), &s));
	EXPECT_TRUE(fam_counters_zero(&s.counters));
	EXPECT_EQ(AF_UNSPEC, s.last_mapped.addr.sa.sa_family);
	EXPECT_EQ(AF_UNSPEC, s.last_rejected.addr.sa.sa_family);
}

/* A dual socket that served, and a V6ONLY one that refused. */
static void open_pair(struct __test_metadata *_metadata, int type, int fd[2],
		      struct fam_counters seen[2])
{
	memset(seen, 0, 2 * sizeof(*seen));
	fd[0] = net_server(type, "::", 0, NET_DUAL);
	fd[1] = net_server(type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd[0]);
	ASSERT_LE(0, fd[1]);
	test_serve(_metadata, type, fd[0], "127.0.0.1", &seen[0]);
	test_serve(_metadata, type, fd[0], "::1", &seen[0]);
	ASSERT_EQ(1, net_refused(type, "127.0.0.1", net_port(fd[1]), NULL));
	seen[1].v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
}

/* The counts of one socket move to the sums; the other keeps its own. */
TEST_F_TIMEOUT(reset, socket, TEST_TIMEOUT)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	struct fam_counters seen[2];
	union net_addr self_addr;
	struct fam_socket s;
	int fd[2], i, k;

	for (i = 0; i < 2; i++) {
		open_pair(_metadata, types[i], fd, seen);
		fam_counters_add(&self->sums, &seen[0]);
		fam_counters_add(&self->sums, &seen[1]);
		for (k = 0; k < 2; k++) {
			test_expect_socket(_metadata, &self->ds, fd[k], &seen[k]);
			ASSERT_EQ(0, fam_reset(&self->ds, net_cookie(fd[k])));
			expect_zero(_metadata, &self->ds, fd[k]);
			test_expect_sums(_metadata, &self->ds, &self->sums);
		}

		/* From there on as ever, the peers included. */
		memset(seen, 0, sizeof(seen));
		test_serve(_metadata, types[i], fd[0], "127.0.0.1", &seen[0]);
		ASSERT_EQ(1, net_refused(types[i], "127.0.0.1",
					 net_port(fd[1]), &self_addr));
		seen[1].v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
		for (k = 0; k < 2; k++) {
			test_expect_socket(_metadata, &self->ds, fd[k], &seen[k]);
			fam_counters_add(&self->sums, &seen[k]);
		}
		test_expect_sums(_metadata, &self->ds, &self->sums);
		ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd[0]), &s));
		EXPECT_EQ(AF_INET, s.last_mapped.addr.sa.sa_family);
		ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(fd[1]), &s));
		test_expect_peer(_metadata, &self_addr, &s.last_rejected);
		close(fd[0]);
		close(fd[1]);
	}
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&self->ds), NET_TIMEOUT_MS));
	test_expect_sums(_metadata, &self->ds, &self->sums);
}

/* All of the namespace, closed and untracked sockets included; no other. */
TEST_F_TIMEOUT(reset, namespace, TEST_TIMEOUT)
{
	struct fam_counters seen[2], other_seen = { }, none = { };
	struct fam other;
	struct fam_stats stats;
	struct fam_hook h;
	int fd[2], closed, extra, other_fd;

	closed = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	test_serve(_metadata, SOCK_DGRAM, closed, "127.0.0.1", &none);
	close(closed);
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&self->ds), NET_TIMEOUT_MS));
	open_pair(_metadata, SOCK_DGRAM, fd, seen);
	/* The client that was refused is closed, and its record goes soon. */
	EXPECT_TRUE(net_wait_for(!fam_stats_get(&self->ds, 0, &stats) &&
				 stats.tracked == 2, NET_TIMEOUT_MS));
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    2));
	extra = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	test_serve(_metadata, SOCK_DGRAM, extra, "127.0.0.1", &none);
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	EXPECT_EQ(3, stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV]);
	EXPECT_EQ(1, stats.untracked);
	EXPECT_EQ(2, stats.tracked);

	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&other));
	other_fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	test_serve(_metadata, SOCK_DGRAM, other_fd, "127.0.0.1", &other_seen);

	ASSERT_EQ(0, fam_reset(&self->ds, 0));
	memset(&none, 0, sizeof(none));
	test_expect_sums(_metadata, &self->ds, &none);
	expect_zero(_metadata, &self->ds, fd[0]);
	expect_zero(_metadata, &self->ds, fd[1]);
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	EXPECT_EQ(0, stats.untracked);
	EXPECT_EQ(2, stats.tracked);
	ASSERT_EQ(0, fam_hook_get(&self->ds, "inet_sock_destruct", &h));
	EXPECT_EQ(0, h.hits);
	ASSERT_EQ(0, fam_hook_get(&self->ds, "kfree_skb", &h));
	EXPECT_EQ(0, h.hits);

	test_expect_socket(_metadata, &other, other_fd, &other_seen);
	test_expect_sums(_metadata, &other, &other_seen);
	fam_close(&other);
	close(other_fd);
	close(extra);
	close(fd[0]);
	close(fd[1]);
}

/* Of several in one send(), the last is done: all are answered while others wait. */
TEST_F_TIMEOUT(reset, last_of_send, TEST_TIMEOUT)
{
	int fd, i, sk = nl_socket_get_fd(self->ds.sk);
	char buf[512] __attribute__((aligned(4)));
	struct fam_counters seen = { };
	struct fam_batch batch = { };
	struct nlmsghdr *nlh;
	ssize_t len;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	test_serve(_metadata, SOCK_DGRAM, fd, "127.0.0.1", &seen);
	for (i = 0; i < 2; i++)
		ASSERT_TRUE(fam_batch_put(&batch, fam_reset_msg(&self->ds, 0),
					  NLM_F_ACK));
	ASSERT_EQ(batch.len, send(sk, batch.buf, batch.len, 0));
	for (i = 0; i < 2; i++) {
		len = recv(sk, buf, sizeof(buf), 0);
		nlh = (struct nlmsghdr *)buf;
		ASSERT_TRUE(len > 0 && NLMSG_OK(nlh, (size_t)len));
		ASSERT_EQ(NLMSG_ERROR, nlh->nlmsg_type);
		EXPECT_EQ(i ? 0 : -EBUSY,
			  ((struct nlmsgerr *)NLMSG_DATA(nlh))->error);
	}
	expect_zero(_metadata, &self->ds, fd);
	close(fd);
}

TEST_F_TIMEOUT(reset, unknown, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	struct fam other;
	int fd, idle;

	EXPECT_EQ(-ENOENT, fam_reset(&self->ds, ~0ULL));
	EXPECT_STRNE("", self->ds.extack);
	idle = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	EXPECT_EQ(-ENOENT, fam_reset(&self->ds, net_cookie(idle)));
	EXPECT_STRNE("", self->ds.extack);

	/* Nor one of another namespace. */
	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	test_serve(_metadata, SOCK_DGRAM, fd, "127.0.0.1", &seen);
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&other));
	EXPECT_EQ(-ENOENT, fam_reset(&other, net_cookie(fd)));
	EXPECT_STRNE("", other.extack);
	fam_close(&other);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	close(fd);
	close(idle);
}

/* A thread that talks to a socket; both ends of what it did so far. */
struct talker {
	int fd;
	bool stop;
	__u64 begun;	/* datagrams that it was about to take */
	__u64 done;	/* datagrams that it took */
};

#define get(field)		__atomic_load_n(&(field), __ATOMIC_SEQ_CST)
#define set(field, value)	__atomic_store_n(&(field), value, __ATOMIC_SEQ_CST)
#define inc(field)		__atomic_add_fetch(&(field), 1, __ATOMIC_SEQ_CST)

static void *talk(void *arg)
{
	struct talker *t = arg;
	union net_addr to;
	int client;
	char c;

	net_addr_set(&to, "127.0.0.1", net_port(t->fd));
	client = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	while (!get(t->stop)) {
		if (sendto(client, "x", 1, 0, &to.sa, net_addr_len(&to)) != 1)
			continue;
		inc(t->begun);
		if (recv(t->fd, &c, 1, 0) != 1)
			break;
		inc(t->done);
	}
	close(client);
	return NULL;
}

static pthread_t start(struct __test_metadata *_metadata, struct talker *t,
		       struct fam *ds)
{
	pthread_t thread;

	t->fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, t->fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, talk, t));
	EXPECT_TRUE(net_wait_for(fam_socket_count(ds) == 1, NET_TIMEOUT_MS));
	return thread;
}

/* However often it is reset, the sums hold every event once, at any time. */
TEST_F_TIMEOUT(reset, socket_under_traffic, TEST_TIMEOUT)
{
	struct talker t = { };
	struct fam_stats stats;
	struct fam_socket s;
	__u64 least, most, sum, cookie;
	pthread_t thread;
	int i;

	thread = start(_metadata, &t, &self->ds);
	cookie = net_cookie(t.fd);
	for (i = 0; i < ROUNDS; i++) {
		ASSERT_EQ(0, fam_reset(&self->ds, cookie));
		least = get(t.done);
		ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
		most = get(t.begun);
		sum = stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV];
		EXPECT_LE(least, sum);
		EXPECT_GE(most, sum);
	}
	set(t.stop, true);
	pthread_join(thread, NULL);
	TH_LOG("%d resets during %llu datagrams", ROUNDS, t.done);
	EXPECT_LT(ROUNDS, t.done);
	self->sums.v[DUALSTACK_A_COUNTER_MAPPED_RECV] = t.done;
	test_expect_sums(_metadata, &self->ds, &self->sums);

	ASSERT_EQ(0, fam_reset(&self->ds, cookie));
	test_expect_sums(_metadata, &self->ds, &self->sums);
	ASSERT_EQ(0, fam_socket_get(&self->ds, cookie, &s));
	EXPECT_TRUE(fam_counters_zero(&s.counters));
	close(t.fd);
}

/* What counts afterwards is what came after the reset, or while it ran. */
TEST_F_TIMEOUT(reset, namespace_under_traffic, TEST_TIMEOUT)
{
	__u64 done_before, begun_after, least, most, sum;
	struct talker t = { };
	struct fam_stats stats;
	pthread_t thread;
	int i;

	thread = start(_metadata, &t, &self->ds);
	for (i = 0; i < ROUNDS; i++) {
		done_before = get(t.done);
		ASSERT_EQ(0, fam_reset(&self->ds, 0));
		begun_after = get(t.begun);
		least = get(t.done);
		ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
		most = get(t.begun);
		sum = stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV];
		if (least > begun_after)
			EXPECT_LE(least - begun_after, sum);
		EXPECT_GE(most - done_before, sum);
	}
	done_before = get(t.done);
	ASSERT_EQ(0, fam_reset(&self->ds, 0));
	begun_after = get(t.begun);
	EXPECT_TRUE(net_wait_for(get(t.done) > begun_after + ROUNDS,
				 NET_TIMEOUT_MS));
	set(t.stop, true);
	pthread_join(thread, NULL);

	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	sum = stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV];
	EXPECT_LE(t.done - begun_after, sum);
	EXPECT_GE(t.done - done_before, sum);
	close(t.fd);
}

TEST_HARNESS_MAIN
