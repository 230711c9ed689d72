// SPDX-License-Identifier: GPL-2.0-only
/*
 * What connect(), sendmsg() and bind() have in common: what is counted is what the
 * caller was told, whoever sets IPV6_V6ONLY meanwhile; and it is counted for TCP and
 * UDP alone.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include "lib/outbound.h"

/* A thread that calls, again and again, and what it was told. */
struct caller {
	pthread_t thread;
	int (*call)(const struct caller *c);
	int fd;
	union net_addr to;
	bool stop;
	__u64 allowed;
	__u64 refused;
	int err;
};

static int call_send(const struct caller *c)
{
	return sendto(c->fd, "x", 1, 0, &c->to.sa, net_addr_len(&c->to)) == 1 ?
	       0 : -errno;
}

static int call_connect(const struct caller *c)
{
	static const struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (connect(c->fd, &c->to.sa, net_addr_len(&c->to)))
		return -errno;
	/* IPV6_V6ONLY cannot be set while it is connected. */
	return connect(c->fd, &none, sizeof(none)) ? -ECONNABORTED : 0;
}

static void count(__u64 *n)
{
	__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static void *call_forever(void *arg)
{
	struct caller *c = arg;

	while (!c->err && !__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		int err = c->call(c);

		if (!err)
			count(&c->allowed);
		else if (err == -ENETUNREACH || err == -EAFNOSUPPORT)
			count(&c->refused);
		else
			c->err = err;
	}
	return NULL;
}

#define PREEMPT	"/sys/kernel/debug/sched/preempt"

FIXTURE(toggled)
{
	struct fam ds;
	char preempt[16];	/* what it was, if it was changed */
};

FIXTURE_VARIANT(toggled)
{
	int (*call)(const struct caller *c);
	const char *to;
	int rounds;
	__u16 allowed;
	__u16 refused;
};

FIXTURE_VARIANT_ADD(toggled, send_mapped) {
	.call = call_send, .to = "::ffff:127.0.0.1", .rounds = 6000,
	.allowed = DUALSTACK_A_COUNTER_MAPPED_SEND,
	.refused = DUALSTACK_A_COUNTER_REJECT_SEND,
};

FIXTURE_VARIANT_ADD(toggled, send_sockaddr_in) {
	.call = call_send, .to = "127.0.0.1", .rounds = 4000,
	.allowed = DUALSTACK_A_COUNTER_MAPPED_SEND,
	.refused = DUALSTACK_A_COUNTER_REJECT_SEND,
};

FIXTURE_VARIANT_ADD(toggled, connect_mapped) {
	.call = call_connect, .to = "::ffff:127.0.0.1", .rounds = 2000,
	.allowed = DUALSTACK_A_COUNTER_MAPPED_CONNECT,
	.refused = DUALSTACK_A_COUNTER_REJECT_CONNECT,
};

/* EAFNOSUPPORT is not counted. */
FIXTURE_VARIANT_ADD(toggled, connect_sockaddr_in) {
	.call = call_connect, .to = "127.0.0.1", .rounds = 2000,
	.allowed = DUALSTACK_A_COUNTER_MAPPED_CONNECT,
};

/* A call inside the kernel is to be interrupted, where that can be chosen: returns
 * what it was, which the file has in parentheses, or "".
 */
static void preempt_full(char *was, size_t size)
{
	char text[64] = "", *begin, *end;
	int fd;

	was[0] = '\0';
	fd = open(PREEMPT, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0) {
		begin = strchr(text, '(');
		end = begin ? strchr(begin, ')') : NULL;
		if (end && !net_write_file(PREEMPT, "full"))
			snprintf(was, size, "%.*s", (int)(end - begin - 1),
				 begin + 1);
	}
	close(fd);
}

FIXTURE_SETUP(toggled)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	preempt_full(self->preempt, sizeof(self->preempt));
}

FIXTURE_TEARDOWN(toggled)
{
	if (self->preempt[0])
		net_write_file(PREEMPT, self->preempt);
	fam_close(&self->ds);
}

/* Have this thread, and those that it makes, run on one processor only. */
static int one_processor(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* Have this thread run as soon as it can. */
static int run_first(void)
{
	struct sched_param param = { .sched_priority = 1 };

	return sched_setscheduler(0, SCHED_FIFO, &param) ? -errno : 0;
}

/* Let the others run for a while, which is another one each time, and longer where
 * it takes more than the rounds that were meant.
 */
static void pause_for(int i, int rounds)
{
	struct timespec ts = {
		.tv_nsec = 20000 + i * 7919 % 50000 + i / rounds * 1000000,
	};

	nanosleep(&ts, NULL);
}

static bool has_called(const struct caller *c)
{
	return __atomic_load_n(&c->allowed, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&c->refused, __ATOMIC_RELAXED);
}

/* Whoever sets IPV6_V6ONLY while a call is on its way: what the caller was told is
 * what is counted. He interrupts the caller, on the same processor, at whatever
 * instruction that is: one in some hundreds is between where the module looks and
 * where the kernel does.
 */
TEST_F_TIMEOUT(toggled, told, TEST_TIMEOUT)
{
	struct caller c = { .call = variant->call };
	int i, n, fd, sink, toggled = 0, busy = 0;
	int rounds = test_rounds(variant->rounds);
	struct fam_counters seen = { };

	sink = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, sink);
	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	c.fd = fd;
	net_addr_set(&c.to, variant->to, net_port(sink));
	ASSERT_EQ(0, one_processor());
	ASSERT_EQ(0, pthread_create(&c.thread, NULL, call_forever, &c));
	ASSERT_EQ(0, run_first());

	/* What it is already is no change; where a caller is in between it is busy,
	 * and where it is connected it cannot be set.
	 */
	for (i = 0; i < rounds || (i < 100 * rounds && !has_called(&c)); i++) {
		n = fam_v6only_set(&self->ds, fd, i % 2, false);
		toggled += n > 0;
		busy += n == -EBUSY;
		pause_for(i, rounds);
	}
	__atomic_store_n(&c.stop, true, __ATOMIC_RELAXED);
	pthread_join(c.thread, NULL);
	EXPECT_EQ(0, c.err);
	EXPECT_LT(0, c.allowed);
	EXPECT_LT(0, c.refused);
	seen.v[variant->allowed] = c.allowed;
	if (variant->refused)
		seen.v[variant->refused] = c.refused;
	TH_LOG("set %d times, busy %d times", toggled, busy);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
	close(sink);
}

/* Sockets that are neither TCP nor UDP. */
FIXTURE(other)
{
	struct outbound o;
};

FIXTURE_VARIANT(other)
{
	int type;
	int protocol;
	const char *optional;	/* its name, if there are kernels without */
};

FIXTURE_VARIANT_ADD(other, raw)
{
	.type = SOCK_RAW, .protocol = IPPROTO_UDP,
};

FIXTURE_VARIANT_ADD(other, raw_tcp)
{
	.type = SOCK_RAW, .protocol = IPPROTO_TCP,
};

FIXTURE_VARIANT_ADD(other, ping)
{
	.type = SOCK_DGRAM, .protocol = IPPROTO_ICMPV6,
};

FIXTURE_VARIANT_ADD(other, udplite)
{
	.type = SOCK_DGRAM, .protocol = IPPROTO_UDPLITE,
	.optional = "UDP-Lite",
};

FIXTURE_SETUP(other)
{
	if (!outbound_setup(_metadata, &self->o, AF_INET6, SOCK_DGRAM))
		return;
	ASSERT_EQ(0, net_write_file("/proc/sys/net/ipv4/ping_group_range",
				    "0 0"));

	close(self->o.fd);
	self->o.fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC,
			    variant->protocol);
	if (self->o.fd < 0 && errno == EPROTONOSUPPORT && variant->optional)
		SKIP(return, "the kernel lacks %s", variant->optional);
	ASSERT_LE(0, self->o.fd);
}

FIXTURE_TEARDOWN(other)
{
	outbound_teardown(&self->o);
}

/* Whether they take a mapped address is their affair. */
TEST_F_TIMEOUT(other, counts_nothing, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int i;

	for (i = 0; i < 2; i++) {
		net_sendto(o->fd, "::ffff:127.0.0.1", 9, 0);
		net_connect(o->fd, "::ffff:127.0.0.1", 9);
		send(o->fd, "x", 1, 0);
		outbound_expect(_metadata, o);

		/* And once more with V6ONLY. */
		close(o->fd);
		o->fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC,
			       variant->protocol);
		ASSERT_LE(0, o->fd);
		/* A raw socket is bound from birth, which is too late. */
		if (variant->type != SOCK_RAW)
			outbound_v6only(_metadata, o);
		net_bind(o->fd, "::ffff:127.0.0.1", 0);
		outbound_expect(_metadata, o);
	}
}

TEST_HARNESS_MAIN
