// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapped_recv and native_recv: one per datagram that a read of the socket
 * handed over, against the sources that the application got.
 */
#include <time.h>

#include <linux/errqueue.h>
#include <linux/udp.h>
#include <sys/uio.h>

#include "ds_test.h"

#define DATAGRAMS	200
#define BATCH		20	/* unread at a time: fits any receive buffer */

static const char *const addrs[] = { "127.0.0.1", "::1", NET_ADDR4, NET_ADDR6 };

/* The sender says in the datagram how it came. */
struct payload {
	char family;
	char number;
};

static int send_numbered(in_port_t port, int i)
{
	const char *addr = addrs[i % ARRAY_SIZE(addrs)];
	struct payload p = {
		.family = strchr(addr, ':') ? '6' : '4',
		.number = i,
	};

	return net_send_to(addr, port, &p, sizeof(p));
}

static int send_several(in_port_t port, int n)
{
	int i, err = 0;

	for (i = 0; i < n && !err; i++)
		err = send_numbered(port, i);
	return err;
}

/* The source of a datagram, where the call that read it does not tell. */
static union net_addr source_of(const struct payload *p)
{
	union net_addr addr;

	net_addr_set(&addr, p->family == '4' ? "::ffff:127.0.0.1" : "::1", 0);
	return addr;
}

static int read_recvfrom(int fd, struct ds_counters *seen)
{
	union net_addr src = { };
	socklen_t len = sizeof(src);
	struct payload p;
	ssize_t n;

	n = recvfrom(fd, &p, sizeof(p), 0, &src.sa, &len);
	if (n != sizeof(p))
		return -1;
	if (net_addr_mapped(&src) != (p.family == '4'))
		return -1;
	ds_saw_recv(seen, &src);
	return 1;
}

static int read_recv(int fd, struct ds_counters *seen)
{
	union net_addr src;
	struct payload p;

	if (recv(fd, &p, sizeof(p), 0) != sizeof(p))
		return -1;
	src = source_of(&p);
	ds_saw_recv(seen, &src);
	return 1;
}

static int read_read(int fd, struct ds_counters *seen)
{
	union net_addr src;
	struct payload p;

	if (read(fd, &p, sizeof(p)) != sizeof(p))
		return -1;
	src = source_of(&p);
	ds_saw_recv(seen, &src);
	return 1;
}

static int read_recvmsg(int fd, struct ds_counters *seen)
{
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	union net_addr src = { };
	struct payload p;
	struct iovec iov = { .iov_base = &p, .iov_len = sizeof(p) };
	struct msghdr msg = {
		.msg_name = &src,
		.msg_namelen = sizeof(src),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (recvmsg(fd, &msg, 0) != sizeof(p))
		return -1;
	ds_saw_recv(seen, &src);
	return 1;
}

static int read_recvmmsg(int fd, struct ds_counters *seen)
{
	union net_addr src[BATCH] = { };
	struct mmsghdr msgs[BATCH] = { };
	struct iovec iov[BATCH];
	struct payload p[BATCH];
	int i, n;

	for (i = 0; i < BATCH; i++) {
		iov[i].iov_base = &p[i];
		iov[i].iov_len = sizeof(p[i]);
		msgs[i].msg_hdr.msg_name = &src[i];
		msgs[i].msg_hdr.msg_namelen = sizeof(src[i]);
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(fd, msgs, BATCH, MSG_WAITFORONE, NULL);
	for (i = 0; i < n; i++)
		ds_saw_recv(seen, &src[i]);
	return n;
}

FIXTURE(udp_read)
{
	struct ds_nl ds;
};

FIXTURE_VARIANT(udp_read)
{
	/* Read at least one datagram; how many, or -1 */
	int (*read)(int fd, struct ds_counters *seen);
};

FIXTURE_VARIANT_ADD(udp_read, recvfrom) { .read = read_recvfrom, };
FIXTURE_VARIANT_ADD(udp_read, recv) { .read = read_recv, };
FIXTURE_VARIANT_ADD(udp_read, read) { .read = read_read, };
FIXTURE_VARIANT_ADD(udp_read, recvmsg) { .read = read_recvmsg, };
FIXTURE_VARIANT_ADD(udp_read, recvmmsg) { .read = read_recvmmsg, };

FIXTURE_SETUP(udp_read)
{
	if (!ds_setup(_metadata, &self->ds))
		return;
}

FIXTURE_TEARDOWN(udp_read)
{
	ds_close(&self->ds);
}

TEST_F_TIMEOUT(udp_read, alternating, DS_TIMEOUT)
{
	struct ds_counters seen = { };
	int fd, i, n, left;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);

	for (i = 0; i < DATAGRAMS; i++) {
		ASSERT_EQ(0, send_numbered(net_port(fd), i));
		if ((i + 1) % BATCH)
			continue;
		for (left = BATCH; left; left -= n) {
			ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
			n = variant->read(fd, &seen);
			ASSERT_LT(0, n);
		}
	}
	EXPECT_EQ(DATAGRAMS, seen.v[DUALSTACK_A_COUNTER_MAPPED_RECV] +
			     seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]);
	ds_expect_socket(_metadata, &self->ds, fd, &seen);
	ds_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

FIXTURE(udp_recv)
{
	struct ds_nl ds;
	struct ds_counters seen;
	int fd;
	in_port_t port;
};

FIXTURE_SETUP(udp_recv)
{
	if (!ds_setup(_metadata, &self->ds))
		return;
	self->fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->fd);
	self->port = net_port(self->fd);
}

FIXTURE_TEARDOWN(udp_recv)
{
	close(self->fd);
	ds_close(&self->ds);
}

/* Read one datagram with flags; its length as recvfrom() returns it. */
static ssize_t recv_one(int fd, struct ds_counters *seen, void *buf,
			size_t len, int flags)
{
	union net_addr src = { };
	socklen_t alen = sizeof(src);
	ssize_t n;

	if (net_wait_in(fd, NET_TIMEOUT_MS))
		return -1;
	n = recvfrom(fd, buf, len, flags, &src.sa, &alen);
	if (n >= 0 && !(flags & MSG_PEEK))
		ds_saw_recv(seen, &src);
	return n;
}

/* All that the namespace saw, one socket saw. */
static void expect(struct __test_metadata *_metadata, struct ds_nl *ds, int fd,
		   const struct ds_counters *seen)
{
	ds_expect_socket(_metadata, ds, fd, seen);
	ds_expect_sums(_metadata, ds, seen);
}

TEST_F_TIMEOUT(udp_recv, unread, DS_TIMEOUT)
{
	struct payload p;
	int i;

	ASSERT_EQ(0, send_several(self->port, 10));
	/* Waiting in the queue, they are nobody's yet. */
	expect(_metadata, &self->ds, self->fd, &self->seen);

	for (i = 0; i < 4; i++) {
		ASSERT_EQ((ssize_t)sizeof(p),
			  recv_one(self->fd, &self->seen, &p, sizeof(p), 0));
	}
	expect(_metadata, &self->ds, self->fd, &self->seen);

	/* close() throws the rest away. */
	close(self->fd);
	self->fd = -1;
	ds_expect_sums(_metadata, &self->ds, &self->seen);
}

TEST_F_TIMEOUT(udp_recv, peek, DS_TIMEOUT)
{
	struct payload p;
	int i, k;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, send_numbered(self->port, i));
		for (k = 0; k < 3; k++) {
			ASSERT_EQ((ssize_t)sizeof(p),
				  recv_one(self->fd, &self->seen, &p, sizeof(p), MSG_PEEK));
			expect(_metadata, &self->ds, self->fd, &self->seen);
		}
		ASSERT_EQ((ssize_t)sizeof(p),
			  recv_one(self->fd, &self->seen, &p, sizeof(p), 0));
		expect(_metadata, &self->ds, self->fd, &self->seen);
	}
}

/* SO_PEEK_OFF moves an offset on each peek: another path in the kernel. */
TEST_F_TIMEOUT(udp_recv, peek_offset, DS_TIMEOUT)
{
	struct payload p;
	int zero = 0, i;

	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_PEEK_OFF, &zero,
				sizeof(zero)));
	ASSERT_EQ(0, send_several(self->port, 2));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, recv_one(self->fd, &self->seen, &p, 1, MSG_PEEK));
		expect(_metadata, &self->ds, self->fd, &self->seen);
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ((ssize_t)sizeof(p),
			  recv_one(self->fd, &self->seen, &p, sizeof(p), 0));
	}
	expect(_metadata, &self->ds, self->fd, &self->seen);
}

TEST_F_TIMEOUT(udp_recv, zero_length, DS_TIMEOUT)
{
	char c;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, net_send_to(addrs[i], self->port, "", 0));
		/* A peek at nothing is a peek. */
		ASSERT_EQ(0, recv_one(self->fd, &self->seen, &c, 1, MSG_PEEK));
		expect(_metadata, &self->ds, self->fd, &self->seen);
		ASSERT_EQ(0, recv_one(self->fd, &self->seen, &c, 1, 0));
		expect(_metadata, &self->ds, self->fd, &self->seen);
	}
}

TEST_F_TIMEOUT(udp_recv, truncated, DS_TIMEOUT)
{
	static const char data[1000];
	char c;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, net_send_to(addrs[i], self->port, data,
					 sizeof(data)));
		ASSERT_EQ(1, recv_one(self->fd, &self->seen, &c, 1, 0));
		expect(_metadata, &self->ds, self->fd, &self->seen);

		/* MSG_TRUNC returns the datagram's real length. */
		ASSERT_EQ(0, net_send_to(addrs[i], self->port, data,
					 sizeof(data)));
		ASSERT_EQ((ssize_t)sizeof(data),
			  recv_one(self->fd, &self->seen, &c, 1, MSG_TRUNC));
		expect(_metadata, &self->ds, self->fd, &self->seen);

		/* No room at all is still a read. */
		ASSERT_EQ(0, net_send_to(addrs[i], self->port, data,
					 sizeof(data)));
		ASSERT_EQ(0, recv_one(self->fd, &self->seen, NULL, 0, 0));
		expect(_metadata, &self->ds, self->fd, &self->seen);
	}
}

/* A datagram larger than the MTU arrives in fragments, and counts once. */
TEST_F_TIMEOUT(udp_recv, fragmented, DS_TIMEOUT)
{
	static char data[8000];
	int i;

	ASSERT_EQ(0, net_lo_mtu(1500));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, net_send_to(addrs[i], self->port, data,
					 sizeof(data)));
		ASSERT_EQ((ssize_t)sizeof(data),
			  recv_one(self->fd, &self->seen, data, sizeof(data), 0));
		expect(_metadata, &self->ds, self->fd, &self->seen);
	}
}

TEST_F_TIMEOUT(udp_recv, empty_queue, DS_TIMEOUT)
{
	char c;

	EXPECT_EQ(-1, recv(self->fd, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	expect(_metadata, &self->ds, self->fd, &self->seen);
}

/* What could not be copied out was not handed over, though it is gone. */
TEST_F_TIMEOUT(udp_recv, bad_buffer, DS_TIMEOUT)
{
	struct payload p;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, send_numbered(self->port, i));
		EXPECT_EQ(-1, recv_one(self->fd, &self->seen, (void *)1,
				       sizeof(p), 0));
		EXPECT_EQ(EFAULT, errno);
	}
	expect(_metadata, &self->ds, self->fd, &self->seen);
	ASSERT_EQ(0, send_numbered(self->port, 0));
	ASSERT_EQ((ssize_t)sizeof(p),
		  recv_one(self->fd, &self->seen, &p, sizeof(p), 0));
	expect(_metadata, &self->ds, self->fd, &self->seen);
}

/* One send with UDP_SEGMENT is cut for a receiver without UDP_GRO. */
TEST_F_TIMEOUT(udp_recv, segmented, DS_TIMEOUT)
{
	int i, k, fd, segment = 100;
	char data[1000] = { };

	for (i = 0; i < 4; i++) {
		fd = net_client(SOCK_DGRAM, addrs[i], self->port, NULL);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment,
					sizeof(segment)));
		ASSERT_EQ((ssize_t)sizeof(data),
			  send(fd, data, sizeof(data), 0));
		close(fd);
		for (k = 0; k < 10; k++) {
			ASSERT_EQ(segment,
				  recv_one(self->fd, &self->seen, data, sizeof(data), 0));
		}
		expect(_metadata, &self->ds, self->fd, &self->seen);
	}
}

/* A socket connected to one peer, by a mapped address or by an IPv6 one. */
TEST_F_TIMEOUT(udp_recv, connected, DS_TIMEOUT)
{
	static const char *const peers[] = { "::ffff:127.0.0.1", "::1" };
	struct ds_counters seen;
	struct payload p = { };
	union net_addr to, src;
	size_t i, k;
	int fd, peer;

	for (i = 0; i < ARRAY_SIZE(peers); i++) {
		memset(&seen, 0, sizeof(seen));
		peer = net_server(SOCK_DGRAM, i ? "::1" : "127.0.0.1", 0, 0);
		ASSERT_LE(0, peer);
		fd = net_client(SOCK_DGRAM, peers[i], net_port(peer), NULL);
		ASSERT_LE(0, fd);
		net_addr_set(&to, i ? "::1" : "127.0.0.1", net_port(fd));
		src = net_peer(fd);
		if (net_addr_mapped(&src)) {
			seen.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
			self->seen.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
		}
		for (k = 0; k < 5; k++) {
			ASSERT_LT(0, sendto(peer, &p, sizeof(p), 0, &to.sa,
					    net_addr_len(&to)));
			ASSERT_EQ((ssize_t)sizeof(p),
				  recv(fd, &p, sizeof(p), 0));
			ds_saw_recv(&seen, &src);
			ds_saw_recv(&self->seen, &src);
		}
		ds_expect_socket(_metadata, &self->ds, fd, &seen);
		ds_expect_sums(_metadata, &self->ds, &self->seen);
		close(fd);
		close(peer);
	}
}

TEST_F_TIMEOUT(udp_recv, mapped_socket, DS_TIMEOUT)
{
	struct payload p;
	int i;

	close(self->fd);
	self->fd = net_server(SOCK_DGRAM, "::ffff:127.0.0.1", 0, 0);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, net_send_to("127.0.0.1", net_port(self->fd), &p,
					 sizeof(p)));
		ASSERT_EQ((ssize_t)sizeof(p),
			  recv_one(self->fd, &self->seen, &p, sizeof(p), 0));
	}
	EXPECT_EQ(0, self->seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]);
	expect(_metadata, &self->ds, self->fd, &self->seen);
}

TEST_F_TIMEOUT(udp_recv, ipv4_socket, DS_TIMEOUT)
{
	struct payload p = { };
	int i, fd;

	fd = net_server(SOCK_DGRAM, "0.0.0.0", 0, 0);
	ASSERT_LE(0, fd);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, net_send_to("127.0.0.1", net_port(fd), &p,
					 sizeof(p)));
		ASSERT_EQ((ssize_t)sizeof(p), recv(fd, &p, sizeof(p), 0));
	}
	ds_expect_none(_metadata, &self->ds, fd);
	expect(_metadata, &self->ds, self->fd, &self->seen);
	close(fd);
}

/* An ICMP error read from the error queue is no datagram. */
TEST_F_TIMEOUT(udp_recv, error_queue, DS_TIMEOUT)
{
	char control[CMSG_SPACE(sizeof(struct sock_extended_err)) +
		     CMSG_SPACE(sizeof(struct sockaddr_in6)) + 256];
	struct ds_counters seen = { };
	struct payload p = { };
	struct iovec iov = { .iov_base = &p, .iov_len = sizeof(p) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd, closed, one = 1;
	in_port_t port;

	closed = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, closed);
	port = net_port(closed);
	close(closed);

	fd = net_client(SOCK_DGRAM, "::ffff:127.0.0.1", port, NULL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one,
				sizeof(one)));
	ASSERT_EQ(0, setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one,
				sizeof(one)));
	ASSERT_LT(0, send(fd, &p, sizeof(p), 0));
	ASSERT_LE(0, recvmsg(fd, &msg, MSG_ERRQUEUE));
	EXPECT_TRUE(msg.msg_flags & MSG_ERRQUEUE);
	seen.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
	seen.v[DUALSTACK_A_COUNTER_MAPPED_SEND]++;
	ds_expect_socket(_metadata, &self->ds, fd, &seen);
	ds_expect_none(_metadata, &self->ds, self->fd);
	ds_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

TEST_F_TIMEOUT(udp_recv, several_sockets, DS_TIMEOUT)
{
	struct ds_counters seen[3] = { };
	int fd[3], i, k;

	for (i = 0; i < 3; i++) {
		fd[i] = net_server(SOCK_DGRAM, "::", 0, 0);
		ASSERT_LE(0, fd[i]);
		for (k = 0; k < 3 * i; k++) {
			ASSERT_EQ(0, send_numbered(net_port(fd[i]), k));
			ASSERT_EQ(1, read_recvfrom(fd[i], &seen[i]));
		}
		ds_add(&self->seen, &seen[i]);
	}
	for (i = 0; i < 3; i++)
		ds_expect_socket(_metadata, &self->ds, fd[i], &seen[i]);
	ds_expect_sums(_metadata, &self->ds, &self->seen);
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

TEST_HARNESS_MAIN
