// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapped_accept, native_accept and v4_accept: every way in which a handshake
 * completes, against the peers that accept() returned.
 */
#include <fcntl.h>
#include <linux/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "lib/test.h"

#define CONNS		50
#define LISTENERS	4
#define RACES		200
#define BACKLOG		2
#define BACKLOG_CLIENTS	8

static const char *const addrs[] = { "127.0.0.1", "::1", NET_ADDR4, NET_ADDR6 };

FIXTURE(tcp_accept)
{
	struct fam ds;
	unsigned int server_flags;
};

FIXTURE_VARIANT(tcp_accept)
{
	int syncookies;
	bool fastopen;
};

FIXTURE_VARIANT_ADD(tcp_accept, ordinary) {
	.syncookies = 1,
};

/* 2: a cookie for every SYN, not only when the queue is full */
FIXTURE_VARIANT_ADD(tcp_accept, syncookies) {
	.syncookies = 2,
};

FIXTURE_VARIANT_ADD(tcp_accept, fastopen) {
	.syncookies = 1,
	.fastopen = true,
};

FIXTURE_SETUP(tcp_accept)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/tcp_syncookies", variant->syncookies));
	ASSERT_EQ(0, net_sysctl("ipv4/tcp_fastopen", 3));
	self->server_flags = variant->fastopen ? NET_FASTOPEN : 0;
}

FIXTURE_TEARDOWN(tcp_accept)
{
	fam_close(&self->ds);
}

/* Whether the connection began with data in its SYN. */
static bool had_syn_data(int fd)
{
	struct tcp_info info = { };
	socklen_t len = sizeof(info);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	return info.tcpi_options & TCPI_OPT_SYN_DATA;
}

/*
 * The connection of a client. The one before may be accepted once more: if its SYN was
 * sent again for want of an answer, the client acknowledges the second answer, too, and by
 * the time that this arrives the cookie in it may be all that the host knows.
 */
static int accept_from(struct __test_metadata *_metadata, int listener,
		       in_port_t client, struct fam_counters *seen)
{
	union net_addr peer;
	int conn;

	for (;;) {
		conn = net_accept(listener, &peer);
		ASSERT_LE(0, conn);
		test_saw_accept(seen, &peer);
		if (peer.in.sin_port == client)
			return conn;
		close(conn);
	}
}

/*
 * One connection from begin to end, with a byte carried over it. Tells whether
 * that byte came with the SYN.
 */
static bool serve(struct __test_metadata *_metadata, struct fam *ds,
		  bool fastopen, int listener, const char *addr,
		  struct fam_counters *seen)
{
	in_port_t port = net_port(listener);
	union net_addr client_addr;
	int client, conn;
	bool syn_data;
	char c = 'x';

	if (fastopen) {
		client = net_client_fastopen(addr, port, &c, 1);
		ASSERT_LE(0, client);
		client_addr = net_local(client);
	} else {
		client = net_client(SOCK_STREAM, addr, port, &client_addr);
		ASSERT_LE(0, client);
		ASSERT_EQ(1, send(client, &c, 1, 0));
	}

	conn = accept_from(_metadata, listener, client_addr.in.sin_port, seen);
	syn_data = had_syn_data(conn);

	ASSERT_EQ(0, net_wait_in(conn, NET_TIMEOUT_MS));
	EXPECT_EQ(1, recv(conn, &c, 1, 0));

	/* Only the listener is recorded, not what it accepted. */
	test_expect_none(_metadata, ds, conn);
	net_close_reset(client);
	close(conn);
	return syn_data;
}

TEST_F_TIMEOUT(tcp_accept, mixed, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int i, fd, syn_data = 0;

	fd = net_server(SOCK_STREAM, "::", 0, self->server_flags);
	ASSERT_LE(0, fd);
	test_expect_none(_metadata, &self->ds, fd);

	for (i = 0; i < CONNS; i++)
		syn_data += serve(_metadata, &self->ds, variant->fastopen, fd,
				  addrs[i % 4], &seen);

	EXPECT_LT(0, seen.v[DUALSTACK_A_COUNTER_MAPPED_ACCEPT]);
	EXPECT_LT(0, seen.v[DUALSTACK_A_COUNTER_NATIVE_ACCEPT]);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);

	/* The variant is what it says. */
	EXPECT_EQ(variant->syncookies == 2 ?
		  seen.v[DUALSTACK_A_COUNTER_MAPPED_ACCEPT] +
		  seen.v[DUALSTACK_A_COUNTER_NATIVE_ACCEPT] : 0,
		  net_tcpext("SyncookiesRecv"));
	if (variant->fastopen) {
		/* Each address asked for its cookie once, without data. */
		EXPECT_EQ(CONNS - (int)ARRAY_SIZE(addrs), syn_data);
		EXPECT_EQ(syn_data, net_tcpext("TCPFastOpenPassive"));
	} else {
		EXPECT_EQ(0, syn_data);
	}
	close(fd);
}

TEST_F_TIMEOUT(tcp_accept, ipv4_only, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int i, fd;

	fd = net_server(SOCK_STREAM, "::", 0, self->server_flags);
	ASSERT_LE(0, fd);
	for (i = 0; i < 5; i++)
		serve(_metadata, &self->ds, variant->fastopen, fd, "127.0.0.1",
		      &seen);
	EXPECT_EQ(0, seen.v[DUALSTACK_A_COUNTER_NATIVE_ACCEPT]);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

TEST_F_TIMEOUT(tcp_accept, ipv6_only, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int i, fd;

	/* V6ONLY on, too: no IPv4 client tries. */
	fd = net_server(SOCK_STREAM, "::", 0,
			self->server_flags | NET_V6ONLY);
	ASSERT_LE(0, fd);
	for (i = 0; i < 5; i++)
		serve(_metadata, &self->ds, variant->fastopen, fd, "::1",
		      &seen);
	EXPECT_EQ(0, seen.v[DUALSTACK_A_COUNTER_MAPPED_ACCEPT]);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

/* An AF_INET6 listener bound to a mapped address serves IPv4 alone. */
TEST_F_TIMEOUT(tcp_accept, mapped_listener, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int i, fd;

	fd = net_server(SOCK_STREAM, "::ffff:127.0.0.1", 0,
			self->server_flags);
	ASSERT_LE(0, fd);
	for (i = 0; i < 5; i++)
		serve(_metadata, &self->ds, variant->fastopen, fd, "127.0.0.1",
		      &seen);
	EXPECT_EQ(0, seen.v[DUALSTACK_A_COUNTER_NATIVE_ACCEPT]);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

/* An AF_INET6 client of a mapped address is an IPv4 client to the listener. */
TEST_F_TIMEOUT(tcp_accept, mapped_client, TEST_TIMEOUT)
{
	struct fam_counters seen = { }, sums = { };
	int i, fd;

	fd = net_server(SOCK_STREAM, "::", 0, self->server_flags);
	ASSERT_LE(0, fd);
	for (i = 0; i < 5; i++) {
		serve(_metadata, &self->ds, variant->fastopen, fd, "::ffff:127.0.0.1",
		      &seen);
		sums.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
	}
	EXPECT_EQ(0, seen.v[DUALSTACK_A_COUNTER_NATIVE_ACCEPT]);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	fam_counters_add(&sums, &seen);
	test_expect_sums(_metadata, &self->ds, &sums);
	close(fd);
}

TEST_F_TIMEOUT(tcp_accept, several_listeners, TEST_TIMEOUT)
{
	struct fam_counters seen[LISTENERS] = { }, sums = { };
	int fd[LISTENERS], i, k;

	for (i = 0; i < LISTENERS; i++) {
		fd[i] = net_server(SOCK_STREAM, "::", 0,
				   self->server_flags);
		ASSERT_LE(0, fd[i]);
	}
	/* Listener i gets i rounds, so that no two agree by accident. */
	for (i = 0; i < LISTENERS; i++)
		for (k = 0; k < 3 * i; k++)
			serve(_metadata, &self->ds, variant->fastopen, fd[i],
			      addrs[k % 3], &seen[i]);
	for (i = 0; i < LISTENERS; i++) {
		test_expect_socket(_metadata, &self->ds, fd[i], &seen[i]);
		fam_counters_add(&sums, &seen[i]);
	}
	test_expect_sums(_metadata, &self->ds, &sums);
	for (i = 0; i < LISTENERS; i++)
		close(fd[i]);
}

/* Members of a SO_REUSEPORT group are counted each by what it accepted. */
TEST_F_TIMEOUT(tcp_accept, reuseport, TEST_TIMEOUT)
{
	struct fam_counters seen[LISTENERS] = { }, sums = { };
	struct pollfd pfd[LISTENERS] = { };
	union net_addr peer;
	in_port_t port = 0;
	int i, k, client, conn;

	for (i = 0; i < LISTENERS; i++) {
		pfd[i].fd = net_server(SOCK_STREAM, "::", port,
				       self->server_flags | NET_REUSEPORT);
		pfd[i].events = POLLIN;
		ASSERT_LE(0, pfd[i].fd);
		port = net_port(pfd[i].fd);
	}
	for (k = 0; k < CONNS; k++) {
		client = net_client(SOCK_STREAM, addrs[k % 4], port, NULL);
		ASSERT_LE(0, client);
		ASSERT_LT(0, poll(pfd, LISTENERS, NET_TIMEOUT_MS));
		for (i = 0; i < LISTENERS; i++)
			if (pfd[i].revents)
				break;
		ASSERT_GT(LISTENERS, i);
		conn = net_accept(pfd[i].fd, &peer);
		ASSERT_LE(0, conn);
		test_saw_accept(&seen[i], &peer);
		test_saw_accept(&sums, &peer);
		net_close_reset(client);
		close(conn);
	}
	for (i = 0; i < LISTENERS; i++)
		test_expect_socket(_metadata, &self->ds, pfd[i].fd, &seen[i]);
	test_expect_sums(_metadata, &self->ds, &sums);
	for (i = 0; i < LISTENERS; i++)
		close(pfd[i].fd);
}

/* An AF_INET listener has a counter of its own, also for the client that has an
 * AF_INET6 socket.
 */
TEST_F_TIMEOUT(tcp_accept, ipv4_listener, TEST_TIMEOUT)
{
	static const char *const clients[] = {
		"127.0.0.1", NET_ADDR4, "::ffff:127.0.0.1",
	};
	struct fam_counters seen = { };
	const int n = 5;
	int i, fd;

	fd = net_server(SOCK_STREAM, "0.0.0.0", 0, self->server_flags);
	ASSERT_LE(0, fd);
	for (i = 0; i < n * (int)ARRAY_SIZE(clients); i++)
		serve(_metadata, &self->ds, variant->fastopen, fd,
		      clients[i % ARRAY_SIZE(clients)], &seen);
	EXPECT_EQ(i, seen.v[DUALSTACK_A_COUNTER_V4_ACCEPT]);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	seen.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT] += n;
	seen.v[DUALSTACK_A_COUNTER_V4_CONNECT] += i - n;
	test_expect_all_sums(_metadata, &self->ds, &seen);
	close(fd);
}

/* A client that goes away before accept() has been accepted all the same. */
TEST_F_TIMEOUT(tcp_accept, reset_before_accept, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	union net_addr peer;
	int i, fd, client, conn;

	fd = net_server(SOCK_STREAM, "::", 0, self->server_flags);
	ASSERT_LE(0, fd);
	for (i = 0; i < 8; i++) {
		client = net_client(SOCK_STREAM, addrs[i % 4], net_port(fd),
				    NULL);
		ASSERT_LE(0, client);
		/* accept() returns it, so the handshake was complete. */
		ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
		net_close_reset(client);
		conn = net_accept(fd, &peer);
		ASSERT_LE(0, conn);
		test_saw_accept(&seen, &peer);
		close(conn);
	}
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

/* Connections that the listener never fetched count when they are complete. */
TEST_F_TIMEOUT(tcp_accept, never_accepted, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	union net_addr peer;
	int client[8], i, fd;

	fd = net_server(SOCK_STREAM, "::", 0, self->server_flags);
	ASSERT_LE(0, fd);
	for (i = 0; i < 8; i++) {
		/* The client's end tells which family it took. */
		net_addr_set(&peer, i % 2 ? "::1" : "::ffff:127.0.0.1", 0);
		client[i] = net_client(SOCK_STREAM, addrs[i % 2],
				       net_port(fd), NULL);
		ASSERT_LE(0, client[i]);
		test_saw_accept(&seen, &peer);
	}
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	for (i = 0; i < 8; i++)
		net_close_reset(client[i]);
	close(fd);
	test_expect_sums(_metadata, &self->ds, &seen);
}

/*
 * A full backlog delays handshakes, and a client may deem itself connected
 * before the server does: what counts is what accept() returns in the end.
 */
TEST_F_TIMEOUT(tcp_accept, full_backlog, TEST_TIMEOUT)
{
	int client[BACKLOG_CLIENTS], i, n, fd, conn;
	bool sent[BACKLOG_CLIENTS] = { };
	struct fam_counters seen = { };
	union net_addr peer, to;

	fd = net_server(SOCK_STREAM, "::", 0, self->server_flags);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, listen(fd, BACKLOG));

	for (i = 0; i < BACKLOG_CLIENTS; i++) {
		net_addr_set(&to, addrs[i % 2], net_port(fd));
		client[i] = socket(to.sa.sa_family,
				   SOCK_STREAM | SOCK_NONBLOCK, 0);
		ASSERT_LE(0, client[i]);
		EXPECT_EQ(-1, connect(client[i], &to.sa, net_addr_len(&to)));
		EXPECT_EQ(EINPROGRESS, errno);
	}
	/* Nobody has left the queue yet: the rest wait outside. */
	EXPECT_TRUE(net_wait_for(net_tcpext("ListenOverflows") > 0,
				 NET_TIMEOUT_MS));

	/*
	 * An overflow brings out SYN cookies, with which a segment that comes
	 * again makes a connection again: the last ones may be strangers.
	 */
	for (n = 0; n < BACKLOG_CLIENTS || !net_wait_in(fd, 200); n++) {
		/* A forgotten client comes back to mind by sending data. */
		while (n < BACKLOG_CLIENTS && net_wait_in(fd, 50))
			for (i = 0; i < BACKLOG_CLIENTS; i++)
				if (!sent[i])
					sent[i] = send(client[i], "x", 1,
						       MSG_NOSIGNAL) == 1;
		conn = net_accept(fd, &peer);
		ASSERT_LE(0, conn);
		test_saw_accept(&seen, &peer);
		close(conn);
	}
	for (i = 0; i < BACKLOG_CLIENTS; i++)
		net_close_reset(client[i]);
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

/* What send_early() finds instead of a socket */
#define EARLY_IDLE	-1
#define EARLY_END	-2

/*
 * Send a byte as soon as the socket that *arg names is connected: on another
 * CPU than the one that is about to handle the last ACK of its handshake.
 */
static void *send_early(void *arg)
{
	struct pollfd pfd = { .events = POLLOUT };
	atomic_int *client = arg;

	while ((pfd.fd = atomic_load(client)) != EARLY_END) {
		/* A socket before connect() has hung up, as poll() puts it. */
		if (pfd.fd == EARLY_IDLE || poll(&pfd, 1, 0) < 1 ||
		    pfd.revents != POLLOUT)
			sched_yield();
		else if (send(pfd.fd, "x", 1, MSG_NOSIGNAL) == 1)
			atomic_store(client, EARLY_IDLE);
	}
	return NULL;
}

/*
 * The last ACK of a handshake and the first data, handled on two CPUs at once,
 * may each make a socket, of which one is thrown away: that is one connection.
 */
TEST_F_TIMEOUT(tcp_accept, racing_data, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int i, fd, client, conn;
	atomic_int early = EARLY_IDLE;
	union net_addr peer, to;
	pthread_t thread;

	fd = net_server(SOCK_STREAM, "::", 0, self->server_flags);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_early, &early));
	for (i = 0; i < RACES; i++) {
		net_addr_set(&to, addrs[i % 4], net_port(fd));
		client = socket(to.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK,
				0);
		ASSERT_LE(0, client);
		atomic_store(&early, client);
		EXPECT_EQ(-1, connect(client, &to.sa, net_addr_len(&to)));
		EXPECT_EQ(EINPROGRESS, errno);
		conn = net_accept(fd, &peer);
		ASSERT_LE(0, conn);
		test_saw_accept(&seen, &peer);
		ASSERT_EQ(0, net_wait_in(conn, NET_TIMEOUT_MS));

		/* The thread is done with it once it has sent. */
		EXPECT_TRUE(net_wait_for(atomic_load(&early) == EARLY_IDLE,
					 NET_TIMEOUT_MS));
		net_close_reset(client);
		close(conn);
	}
	atomic_store(&early, EARLY_END);
	pthread_join(thread, NULL);

	/*
	 * What was handed to the listener has been accepted; but a cookie is good for
	 * a second connection, where one of the two came late, after the first was
	 * closed.
	 */
	while (variant->syncookies == 2 && !net_wait_in(fd, 0)) {
		conn = net_accept(fd, &peer);
		ASSERT_LE(0, conn);
		test_saw_accept(&seen, &peer);
		net_close_reset(conn);
	}
	EXPECT_EQ(-ETIMEDOUT, net_wait_in(fd, 0));
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

TEST_HARNESS_MAIN
