// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client that comes back from the port it had, while the server's end of the
 * old connection is in TIME_WAIT and the listener takes other clients by now.
 *
 * The SYN finds the TIME_WAIT socket, which would make way for a listener. There
 * is none, so that answers with an ACK of the old connection. The client resets
 * that, which ends the TIME_WAIT, and sends its SYN again: this one is refused.
 * So one connect() is one refusal, as any other.
 */
#include "lib/test.h"

FIXTURE(time_wait)
{
	struct fam ds;
	struct fam_counters seen;
	int fd;
};

FIXTURE_SETUP(time_wait)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	/* Another listener may have the port while one of it is in TIME_WAIT. */
	self->fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL | NET_REUSEPORT);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(time_wait)
{
	close(self->fd);
	fam_close(&self->ds);
}

/* How many connections of this namespace are in TIME_WAIT. */
static int time_waits(void)
{
	char line[256];
	int n = -1;
	FILE *f;

	f = fopen("/proc/thread-self/net/sockstat", "re");
	if (!f)
		return -errno;
	while (n < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "TCP: inuse %*d orphan %*d tw %d", &n) != 1)
			n = -1;
	fclose(f);
	return n;
}

/* A connection that the server closes first. Returns the client's end. */
static union net_addr leave_time_wait(struct __test_metadata *_metadata,
				      const char *addr, int fd,
				      struct fam_counters *seen)
{
	union net_addr self, peer;
	int client, conn;
	char c;

	client = net_client(SOCK_STREAM, addr, net_port(fd), &self);
	EXPECT_LE(0, client);
	conn = net_accept(fd, &peer);
	EXPECT_LE(0, conn);
	test_saw_accept(seen, &peer);
	close(conn);
	EXPECT_EQ(0, recv(client, &c, 1, 0));
	close(client);
	EXPECT_TRUE(net_wait_for(time_waits() == 1, NET_TIMEOUT_MS));
	return self;
}

/* A socket at the end of a connection that is gone, to connect once more. */
static int come_back(struct __test_metadata *_metadata,
		     const union net_addr *self, int flags)
{
	int fd;

	fd = socket(self->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	EXPECT_LE(0, fd);
	EXPECT_TRUE(net_wait_for(!bind(fd, &self->sa, net_addr_len(self)),
				 NET_TIMEOUT_MS));
	return fd;
}

static void expect_counted(struct __test_metadata *_metadata, struct fam *ds,
			   int fd, const struct fam_counters *seen)
{
	test_expect_socket(_metadata, ds, fd, seen);
	test_expect_sums(_metadata, ds, seen);
}

/* As long as somebody listens to it, the port goes to the next connection. */
TEST_F_TIMEOUT(time_wait, served, TEST_TIMEOUT)
{
	static const char *const addrs[] = { "127.0.0.1", "::1" };
	union net_addr to, from, peer;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		from = leave_time_wait(_metadata, addrs[i], self->fd,
				       &self->seen);
		net_addr_set(&to, addrs[i], net_port(self->fd));
		fd = come_back(_metadata, &from, 0);
		ASSERT_EQ(0, connect(fd, &to.sa, net_addr_len(&to)));
		EXPECT_EQ(0, time_waits());
		ASSERT_LE(0, net_accept(self->fd, &peer));
		test_saw_accept(&self->seen, &peer);
		net_close_reset(fd);
	}
	expect_counted(_metadata, &self->ds, self->fd, &self->seen);
}

TEST_F_TIMEOUT(time_wait, v6only, TEST_TIMEOUT)
{
	union net_addr to, from;
	struct fam_socket s;
	int fd;

	from = leave_time_wait(_metadata, "127.0.0.1", self->fd, &self->seen);
	ASSERT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, false));

	net_addr_set(&to, "127.0.0.1", net_port(self->fd));
	fd = come_back(_metadata, &from, 0);
	ASSERT_EQ(1, net_refused_on(fd, SOCK_STREAM, &to));
	self->seen.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
	EXPECT_EQ(0, time_waits());
	expect_counted(_metadata, &self->ds, self->fd, &self->seen);
	ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(self->fd), &s));
	test_expect_peer(_metadata, &from, &s.last_rejected);
}

/* The same the other way round: an AF_INET listener has the port by now. */
TEST_F_TIMEOUT(time_wait, v4only, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	in_port_t port = net_port(self->fd);
	union net_addr to, from;
	int fd;

	from = leave_time_wait(_metadata, "::1", self->fd, &self->seen);
	close(self->fd);
	self->fd = net_server(SOCK_STREAM, "0.0.0.0", port, NET_REUSEPORT);
	ASSERT_LE(0, self->fd);

	net_addr_set(&to, "::1", port);
	fd = come_back(_metadata, &from, 0);
	ASSERT_EQ(1, net_refused_on(fd, SOCK_STREAM, &to));
	seen.v[DUALSTACK_A_COUNTER_REJECT_V4ONLY]++;
	EXPECT_EQ(0, time_waits());
	test_expect_socket(_metadata, &self->ds, self->fd, &seen);
	fam_counters_add(&self->seen, &seen);
	test_expect_sums(_metadata, &self->ds, &self->seen);
}

/*
 * Where resets do not end a TIME_WAIT, it answers each SYN: as long as it lasts
 * the client is neither served nor refused, and nothing counts.
 */
TEST_F_TIMEOUT(time_wait, rfc1337, TEST_TIMEOUT)
{
	union net_addr to, from;
	__s64 resent;
	int fd, err;
	socklen_t len = sizeof(err);

	ASSERT_EQ(0, net_sysctl("ipv4/tcp_rfc1337", 1));
	from = leave_time_wait(_metadata, "127.0.0.1", self->fd, &self->seen);
	ASSERT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, false));

	net_addr_set(&to, "127.0.0.1", net_port(self->fd));
	fd = come_back(_metadata, &from, SOCK_NONBLOCK);
	resent = net_tcpext("TCPSynRetrans");
	ASSERT_EQ(-1, connect(fd, &to.sa, net_addr_len(&to)));
	ASSERT_EQ(EINPROGRESS, errno);
	ASSERT_TRUE(net_wait_for(net_tcpext("TCPSynRetrans") - resent >= 2,
				 NET_TIMEOUT_MS));
	EXPECT_EQ(1, time_waits());
	expect_counted(_metadata, &self->ds, self->fd, &self->seen);

	/* The next reset does, and the SYN after that is refused. */
	ASSERT_EQ(0, net_sysctl("ipv4/tcp_rfc1337", 0));
	ASSERT_EQ(0, net_wait_in(fd, 2 * NET_TIMEOUT_MS));
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len));
	EXPECT_EQ(ECONNREFUSED, err);
	self->seen.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
	EXPECT_EQ(0, time_waits());
	expect_counted(_metadata, &self->ds, self->fd, &self->seen);
	close(fd);
}

TEST_HARNESS_MAIN
