// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapped_recv, native_recv and v4_recv: one per datagram that a read of the socket
 * handed over, against the sources that the application got.
 */
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <time.h>

#include <linux/errqueue.h>
#include <linux/ethtool.h>
#include <linux/io_uring.h>
#include <linux/sockios.h>
#include <linux/udp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "lib/test.h"
#include "lib/net_link.h"

#define DATAGRAMS	200
#define BATCH		20	/* unread at a time: fits any receive buffer */

static const char *const addrs[] = { "127.0.0.1", "::1", NET_ADDR4, NET_ADDR6 };

/* One of these for a client of a server, which is IPv4 if the server is. */
static const char *client_addr(const char *server, size_t i)
{
	i %= ARRAY_SIZE(addrs);
	return addrs[strchr(server, ':') ? i : i / 2 * 2];
}

/* The sender says in the datagram how it came. */
struct payload {
	char family;
	char number;
};

static int send_to_server(const char *server, in_port_t port, int i)
{
	const char *addr = client_addr(server, i);
	struct payload p = {
		.family = strchr(addr, ':') ? '6' : '4',
		.number = i,
	};

	return net_send_to(addr, port, &p, sizeof(p));
}

static int send_numbered(in_port_t port, int i)
{
	return send_to_server("::", port, i);
}

static int send_several(in_port_t port, int n)
{
	int i, err = 0;

	for (i = 0; i < n && !err; i++)
		err = send_numbered(port, i);
	return err;
}

/* The source of a datagram, where the call that read it does not tell. */
static union net_addr source_of(int fd, const struct payload *p)
{
	union net_addr local = net_local(fd), addr;

	if (local.sa.sa_family == AF_INET)
		net_addr_set(&addr, "127.0.0.1", 0);
	else
		net_addr_set(&addr, p->family == '4' ? "::ffff:127.0.0.1" :
						       "::1", 0);
	return addr;
}

static int read_recvfrom(int fd, struct fam_counters *seen)
{
	union net_addr src = { };
	socklen_t len = sizeof(src);
	struct payload p;
	ssize_t n;

	n = recvfrom(fd, &p, sizeof(p), 0, &src.sa, &len);
	if (n != sizeof(p))
		return -1;
	if ((src.sa.sa_family == AF_INET || net_addr_mapped(&src)) !=
	    (p.family == '4'))
		return -1;
	test_saw_recv(seen, &src);
	return 1;
}

static int read_recv(int fd, struct fam_counters *seen)
{
	union net_addr src;
	struct payload p;

	if (recv(fd, &p, sizeof(p), 0) != sizeof(p))
		return -1;
	src = source_of(fd, &p);
	test_saw_recv(seen, &src);
	return 1;
}

static int read_read(int fd, struct fam_counters *seen)
{
	union net_addr src;
	struct payload p;

	if (read(fd, &p, sizeof(p)) != sizeof(p))
		return -1;
	src = source_of(fd, &p);
	test_saw_recv(seen, &src);
	return 1;
}

static int read_recvmsg(int fd, struct fam_counters *seen)
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
	test_saw_recv(seen, &src);
	return 1;
}

static int read_recvmmsg(int fd, struct fam_counters *seen)
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
		test_saw_recv(seen, &src[i]);
	return n;
}

FIXTURE(udp_read)
{
	struct fam ds;
};

FIXTURE_VARIANT(udp_read)
{
	/* Read at least one datagram; how many, or -1 */
	int (*read)(int fd, struct fam_counters *seen);
};

FIXTURE_VARIANT_ADD(udp_read, recvfrom) { .read = read_recvfrom, };
FIXTURE_VARIANT_ADD(udp_read, recv) { .read = read_recv, };
FIXTURE_VARIANT_ADD(udp_read, read) { .read = read_read, };
FIXTURE_VARIANT_ADD(udp_read, recvmsg) { .read = read_recvmsg, };
FIXTURE_VARIANT_ADD(udp_read, recvmmsg) { .read = read_recvmmsg, };

FIXTURE_SETUP(udp_read)
{
	if (!test_setup(_metadata, &self->ds))
		return;
}

FIXTURE_TEARDOWN(udp_read)
{
	fam_close(&self->ds);
}

static void read_all(struct __test_metadata *_metadata, struct fam *ds,
		     const char *server,
		     int (*read)(int fd, struct fam_counters *seen))
{
	struct fam_counters seen = { };
	int fd, i, n, left;

	fd = net_server(SOCK_DGRAM, server, 0, 0);
	ASSERT_LE(0, fd);

	for (i = 0; i < DATAGRAMS; i++) {
		ASSERT_EQ(0, send_to_server(server, net_port(fd), i));
		if ((i + 1) % BATCH)
			continue;
		for (left = BATCH; left; left -= n) {
			ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
			n = read(fd, &seen);
			ASSERT_LT(0, n);
		}
	}
	EXPECT_EQ(DATAGRAMS, seen.v[DUALSTACK_A_COUNTER_MAPPED_RECV] +
			     seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV] +
			     seen.v[DUALSTACK_A_COUNTER_V4_RECV]);
	test_expect_socket(_metadata, ds, fd, &seen);
	test_expect_all_sums(_metadata, ds, &seen);
	close(fd);
}

TEST_F_TIMEOUT(udp_read, alternating, TEST_TIMEOUT)
{
	read_all(_metadata, &self->ds, "::", variant->read);
}

TEST_F_TIMEOUT(udp_read, ipv4_socket, TEST_TIMEOUT)
{
	read_all(_metadata, &self->ds, "0.0.0.0", variant->read);
}

FIXTURE(udp_recv)
{
	struct fam ds;
	struct fam_counters seen;
	int fd;
	in_port_t port;
};

FIXTURE_SETUP(udp_recv)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	self->fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->fd);
	self->port = net_port(self->fd);
}

FIXTURE_TEARDOWN(udp_recv)
{
	close(self->fd);
	fam_close(&self->ds);
}

/* Read one datagram with flags; its length as recvfrom() returns it. */
static ssize_t recv_one(int fd, struct fam_counters *seen, void *buf,
			size_t len, int flags)
{
	union net_addr src = { };
	socklen_t alen = sizeof(src);
	ssize_t n;

	if (net_wait_in(fd, NET_TIMEOUT_MS))
		return -1;
	n = recvfrom(fd, buf, len, flags, &src.sa, &alen);
	if (n >= 0 && !(flags & MSG_PEEK))
		test_saw_recv(seen, &src);
	return n;
}

/* All that the namespace saw, one socket saw. */
static void expect(struct __test_metadata *_metadata, struct fam *ds, int fd,
		   const struct fam_counters *seen)
{
	test_expect_socket(_metadata, ds, fd, seen);
	test_expect_sums(_metadata, ds, seen);
}

TEST_F_TIMEOUT(udp_recv, unread, TEST_TIMEOUT)
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
	test_expect_sums(_metadata, &self->ds, &self->seen);
}

TEST_F_TIMEOUT(udp_recv, peek, TEST_TIMEOUT)
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
TEST_F_TIMEOUT(udp_recv, peek_offset, TEST_TIMEOUT)
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

TEST_F_TIMEOUT(udp_recv, zero_length, TEST_TIMEOUT)
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

TEST_F_TIMEOUT(udp_recv, truncated, TEST_TIMEOUT)
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
TEST_F_TIMEOUT(udp_recv, fragmented, TEST_TIMEOUT)
{
	static char data[8000];
	int i;

	ASSERT_EQ(0, net_link_mtu("lo", 1500));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, net_send_to(addrs[i], self->port, data,
					 sizeof(data)));
		ASSERT_EQ((ssize_t)sizeof(data),
			  recv_one(self->fd, &self->seen, data, sizeof(data), 0));
		expect(_metadata, &self->ds, self->fd, &self->seen);
	}
}

TEST_F_TIMEOUT(udp_recv, empty_queue, TEST_TIMEOUT)
{
	char c;

	EXPECT_EQ(-1, recv(self->fd, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	expect(_metadata, &self->ds, self->fd, &self->seen);
}

/* What could not be copied out was not handed over, though it is gone. */
TEST_F_TIMEOUT(udp_recv, bad_buffer, TEST_TIMEOUT)
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
TEST_F_TIMEOUT(udp_recv, segmented, TEST_TIMEOUT)
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
TEST_F_TIMEOUT(udp_recv, connected, TEST_TIMEOUT)
{
	static const char *const peers[] = { "::ffff:127.0.0.1", "::1" };
	struct fam_counters seen;
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
		} else {
			seen.v[DUALSTACK_A_COUNTER_NATIVE_CONNECT]++;
			self->seen.v[DUALSTACK_A_COUNTER_NATIVE_CONNECT]++;
		}
		for (k = 0; k < 5; k++) {
			ASSERT_LT(0, sendto(peer, &p, sizeof(p), 0, &to.sa,
					    net_addr_len(&to)));
			ASSERT_EQ((ssize_t)sizeof(p),
				  recv(fd, &p, sizeof(p), 0));
			test_saw_recv(&seen, &src);
			test_saw_recv(&self->seen, &src);
		}
		test_expect_socket(_metadata, &self->ds, fd, &seen);
		test_expect_sums(_metadata, &self->ds, &self->seen);
		close(fd);
		close(peer);
	}
}

TEST_F_TIMEOUT(udp_recv, mapped_socket, TEST_TIMEOUT)
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

TEST_F_TIMEOUT(udp_recv, ipv4_socket, TEST_TIMEOUT)
{
	struct payload p = { };
	int i;

	close(self->fd);
	self->fd = net_server(SOCK_DGRAM, "0.0.0.0", 0, 0);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, net_send_to("127.0.0.1", net_port(self->fd), &p,
					 sizeof(p)));
		ASSERT_EQ((ssize_t)sizeof(p),
			  recv_one(self->fd, &self->seen, &p, sizeof(p), 0));
	}
	EXPECT_EQ(5, self->seen.v[DUALSTACK_A_COUNTER_V4_RECV]);
	expect(_metadata, &self->ds, self->fd, &self->seen);
}

/* An ICMP error read from the error queue is no datagram. */
TEST_F_TIMEOUT(udp_recv, error_queue, TEST_TIMEOUT)
{
	char control[CMSG_SPACE(sizeof(struct sock_extended_err)) +
		     CMSG_SPACE(sizeof(struct sockaddr_in6)) + 256];
	struct fam_counters seen = { };
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
	test_expect_socket(_metadata, &self->ds, fd, &seen);
	test_expect_none(_metadata, &self->ds, self->fd);
	test_expect_sums(_metadata, &self->ds, &seen);
	close(fd);
}

TEST_F_TIMEOUT(udp_recv, several_sockets, TEST_TIMEOUT)
{
	struct fam_counters seen[3] = { };
	int fd[3], i, k;

	for (i = 0; i < 3; i++) {
		fd[i] = net_server(SOCK_DGRAM, "::", 0, 0);
		ASSERT_LE(0, fd[i]);
		for (k = 0; k < 3 * i; k++) {
			ASSERT_EQ(0, send_numbered(net_port(fd[i]), k));
			ASSERT_EQ(1, read_recvfrom(fd[i], &seen[i]));
		}
		fam_counters_add(&self->seen, &seen[i]);
	}
	for (i = 0; i < 3; i++)
		test_expect_socket(_metadata, &self->ds, fd[i], &seen[i]);
	test_expect_sums(_metadata, &self->ds, &self->seen);
	for (i = 0; i < 3; i++)
		close(fd[i]);
}

#define SEGMENT		100
#define SEGMENTS	10
#define MERGED		(SEGMENTS * SEGMENT)

/* One send that is several datagrams, the last of them perhaps a short one. */
static int send_segments(const char *addr, in_port_t port, size_t len)
{
	static const char data[MERGED];
	int fd, segment = SEGMENT, err = 0;

	fd = net_client(SOCK_DGRAM, addr, port, NULL);
	if (fd < 0)
		return fd;
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment,
		       sizeof(segment)) ||
	    send(fd, data, len, 0) != (ssize_t)len)
		err = -errno;
	close(fd);
	return err;
}

/* Several datagrams, which come from one source, count one by one. */
static void saw_several(struct fam_counters *seen, const union net_addr *src,
			int n)
{
	while (n--)
		test_saw_recv(seen, src);
}

/* How many datagrams a message was, as the application is told: by the length of
 * all but the last.
 */
static int read_merged(int fd, int flags, struct fam_counters *seen)
{
	char data[MERGED], control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
	union net_addr src = { };
	struct msghdr msg = {
		.msg_name = &src,
		.msg_namelen = sizeof(src),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int size = 0, n = 1;
	ssize_t len;

	if (net_wait_in(fd, NET_TIMEOUT_MS))
		return -1;
	len = recvmsg(fd, &msg, flags);
	if (len < 0)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == IPPROTO_UDP &&
	    cmsg->cmsg_type == UDP_GRO)
		memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
	if (size && len)
		n = (len + size - 1) / size;
	if (!(flags & MSG_PEEK))
		saw_several(seen, &src, n);
	return n;
}

FIXTURE(udp_gro)
{
	struct fam ds;
	struct fam_counters seen;
	int fd;
	in_port_t port;
};

FIXTURE_VARIANT(udp_gro)
{
	const char *server;
};

FIXTURE_VARIANT_ADD(udp_gro, dual) { .server = "::", };
FIXTURE_VARIANT_ADD(udp_gro, v4) { .server = "0.0.0.0", };

/* With UDP_GRO a message may be several datagrams: each of them counts. */
FIXTURE_SETUP(udp_gro)
{
	int one = 1;

	if (!test_setup(_metadata, &self->ds))
		return;
	self->fd = net_server(SOCK_DGRAM, variant->server, 0, 0);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, setsockopt(self->fd, IPPROTO_UDP, UDP_GRO, &one,
				sizeof(one)));
	self->port = net_port(self->fd);
}

FIXTURE_TEARDOWN(udp_gro)
{
	close(self->fd);
	fam_close(&self->ds);
}

TEST_F_TIMEOUT(udp_gro, recvmsg, TEST_TIMEOUT)
{
	static const size_t lens[] = {
		MERGED, MERGED - SEGMENT / 2,
		SEGMENT + 1, SEGMENT, 1
	};
	const char *addr;
	size_t i, k;

	/* The first event of a socket goes another way than all others. */
	for (k = 0; k < ARRAY_SIZE(lens); k++) {
		for (i = 0; i < ARRAY_SIZE(addrs); i++) {
			addr = client_addr(variant->server, i);
			ASSERT_EQ(0, send_segments(addr, self->port, lens[k]));
			EXPECT_EQ((lens[k] + SEGMENT - 1) / SEGMENT,
				  read_merged(self->fd, 0, &self->seen));
			expect(_metadata, &self->ds, self->fd, &self->seen);
		}
	}
}

/* Each is an event of its own. */
TEST_F_TIMEOUT(udp_gro, events, TEST_TIMEOUT)
{
	static struct fam_listener l;
	struct fam_event ev;
	int i, n;

	ASSERT_EQ(0, fam_listen(&l));
	ASSERT_EQ(0, send_segments("127.0.0.1", self->port, MERGED));
	n = read_merged(self->fd, 0, &self->seen);
	EXPECT_EQ(MERGED / SEGMENT, n);
	expect(_metadata, &self->ds, self->fd, &self->seen);
	for (i = 0; i < n; ) {
		ASSERT_EQ(0, fam_listen_next(&l, NET_TIMEOUT_MS, &ev));
		/* Older ones, and those of the client */
		if (ev.seq <= l.seq || ev.cookie != net_cookie(self->fd))
			continue;
		EXPECT_EQ(strcmp(variant->server, "::") ?
			  DUALSTACK_EVENT_TYPE_V4_RECV :
			  DUALSTACK_EVENT_TYPE_MAPPED_RECV, ev.type);
		i++;
	}
	EXPECT_EQ(-ETIMEDOUT, fam_listen_next(&l, 100, &ev))
		TH_LOG("event %llu of type %d", ev.seq, ev.type);
	fam_listen_end(&l);
}

/* One datagram alone, as the first event of a socket and as the second */
TEST_F_TIMEOUT(udp_gro, single, TEST_TIMEOUT)
{
	struct fam_counters sums = { };
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		struct fam_counters seen = { };
		int fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, net_setsockopt(fd, IPPROTO_UDP, UDP_GRO, 1));
		for (k = 0; k < 2; k++) {
			ASSERT_EQ(0, send_segments(addrs[i], net_port(fd), 1));
			EXPECT_EQ(1, read_merged(fd, 0, &seen));
			test_expect_socket(_metadata, &self->ds, fd, &seen);
		}
		fam_counters_add(&sums, &seen);
		close(fd);
	}
	test_expect_sums(_metadata, &self->ds, &sums);
}

TEST_F_TIMEOUT(udp_gro, peek, TEST_TIMEOUT)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		ASSERT_EQ(0, send_segments(client_addr(variant->server, i),
					   self->port, MERGED));
		EXPECT_EQ(SEGMENTS, read_merged(self->fd, MSG_PEEK,
						&self->seen));
		expect(_metadata, &self->ds, self->fd, &self->seen);
		EXPECT_EQ(SEGMENTS, read_merged(self->fd, 0, &self->seen));
		expect(_metadata, &self->ds, self->fd, &self->seen);
	}
}

/* Who asks for less than is there loses the rest of it, all datagrams. */
TEST_F_TIMEOUT(udp_gro, truncated, TEST_TIMEOUT)
{
	union net_addr src = { };
	socklen_t len = sizeof(src);
	char c;

	ASSERT_EQ(0, send_segments("127.0.0.1", self->port,
				   MERGED));
	ASSERT_EQ(0, net_wait_in(self->fd, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recvfrom(self->fd, &c, 1, 0, &src.sa, &len));
	saw_several(&self->seen, &src, SEGMENTS);
	EXPECT_EQ(-1, recv(self->fd, &c, 1, MSG_DONTWAIT));
	expect(_metadata, &self->ds, self->fd, &self->seen);
}

/* What was merged stays so when UDP_GRO goes; the application is not told. */
TEST_F_TIMEOUT(udp_gro, switched_off, TEST_TIMEOUT)
{
	int zero = 0;

	ASSERT_EQ(0, send_segments("127.0.0.1", self->port,
				   MERGED));
	ASSERT_EQ(0, net_wait_in(self->fd, NET_TIMEOUT_MS));
	ASSERT_EQ(0, setsockopt(self->fd, IPPROTO_UDP, UDP_GRO, &zero,
				sizeof(zero)));
	EXPECT_EQ(1, read_merged(self->fd, 0, &self->seen));
	expect(_metadata, &self->ds, self->fd, &self->seen);
}

TEST_F_TIMEOUT(udp_gro, splice, TEST_TIMEOUT)
{
	char data[MERGED];
	union net_addr src;
	const char *addr;
	int pipes[2];
	size_t i;

	ASSERT_EQ(0, pipe(pipes));
	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		addr = client_addr(variant->server, i);
		src = source_of(self->fd, &(struct payload) {
			.family = strchr(addr, ':') ? '6' : '4',
		});
		ASSERT_EQ(0, send_segments(addr, self->port, sizeof(data)));
		ASSERT_EQ(0, net_wait_in(self->fd, NET_TIMEOUT_MS));
		ASSERT_EQ((ssize_t)sizeof(data),
			  splice(self->fd, NULL, pipes[1], NULL, sizeof(data),
				 0));
		ASSERT_EQ((ssize_t)sizeof(data),
			  read(pipes[0], data, sizeof(data)));
		saw_several(&self->seen, &src, SEGMENTS);
		expect(_metadata, &self->ds, self->fd, &self->seen);
	}
	close(pipes[0]);
	close(pipes[1]);
}

/* One read of a file descriptor by io_uring: its result, or -ENOSYS. */
static int uring_read(int fd, void *buf, unsigned int len)
{
	struct io_uring_params p = { };
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *ring;
	int uring;

	uring = syscall(__NR_io_uring_setup, 1, &p);
	if (uring < 0 || !(p.features & IORING_FEAT_SINGLE_MMAP))
		return -EOPNOTSUPP;
	/* It goes with the process. */
	ring = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, uring,
		    IORING_OFF_SQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED,
		   uring, IORING_OFF_SQES);
	if (ring == MAP_FAILED || sqe == MAP_FAILED)
		return -errno;

	*sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = fd,
		.addr = (uintptr_t)buf,
		.len = len,
	};
	*(unsigned int *)(ring + p.sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(ring + p.sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	if (syscall(__NR_io_uring_enter, uring, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) != 1)
		return -errno;
	cqe = (void *)(ring + p.cq_off.cqes);
	close(uring);
	return cqe->res;
}

TEST_F_TIMEOUT(udp_gro, io_uring, TEST_TIMEOUT)
{
	char data[MERGED];
	union net_addr src;
	int n;

	ASSERT_EQ(0, send_segments("127.0.0.1", self->port, sizeof(data)));
	ASSERT_EQ(0, net_wait_in(self->fd, NET_TIMEOUT_MS));
	n = uring_read(self->fd, data, sizeof(data));
	if (n == -EOPNOTSUPP) {
		TH_LOG("this kernel has no io_uring");
		n = recv(self->fd, data, sizeof(data), 0);
	}
	ASSERT_EQ((int)sizeof(data), n);
	src = source_of(self->fd, &(struct payload) { .family = '4' });
	saw_several(&self->seen, &src, SEGMENTS);
	expect(_metadata, &self->ds, self->fd, &self->seen);
}

#define VETH4		"198.51.100.1"
#define VETH6		"2001:db8:2::1"
#define VETH_PEER4	"198.51.100.2"
#define VETH_PEER6	"2001:db8:2::2"

/* A feature of a device, by ETHTOOL_S*. */
static int set_feature(const char *device, __u32 cmd, __u32 on)
{
	struct ethtool_value value = { .cmd = cmd, .data = on };
	struct ifreq ifr = { .ifr_data = (void *)&value };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	return net_ioctl(SIOCETHTOOL, &ifr);
}

/* By a device that merges what comes, if it comes fast enough: how much that is
 * differs from one time to the next, and is told with each message.
 */
TEST_F_TIMEOUT(udp_gro, device, TEST_TIMEOUT)
{
	static const char *const here[] = { VETH4, VETH6 };
	static const char *const there[] = { VETH_PEER4, VETH_PEER6 };
	int away, i, n, left, merged = 0;

	away = net_link_neighbour(here, there);
	ASSERT_LE(0, away);
	ASSERT_EQ(0, set_feature("veth0", ETHTOOL_SGRO, 1));
	ASSERT_EQ(0, setns(away, CLONE_NEWNET));
	/* The sender's end is to cut them, so that there is something to merge. */
	ASSERT_EQ(0, set_feature("veth1", ETHTOOL_SGSO, 0));

	for (i = 0; i < 20; i++) {
		int k = strchr(variant->server, ':') ? i % 2 : 0;
		int fd = socket(k ? AF_INET6 : AF_INET,
				SOCK_DGRAM | SOCK_CLOEXEC, 0);
		char data[MERGED] = { };
		int segment = SEGMENT;
		union net_addr to;

		net_addr_set(&to, here[k], self->port);
		ASSERT_EQ(0, setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment,
					sizeof(segment)));
		ASSERT_EQ((ssize_t)sizeof(data),
			  sendto(fd, data, sizeof(data), 0, &to.sa,
				 net_addr_len(&to)))
			TH_LOG("to %s: %s", here[k], strerror(errno));
		close(fd);
		for (left = SEGMENTS; left > 0; left -= n) {
			n = read_merged(self->fd, 0, &self->seen);
			ASSERT_LT(0, n);
			merged += n - 1;
		}
		EXPECT_EQ(0, left);
	}
	TH_LOG("%d of %d were merged", merged, 20 * SEGMENTS);
	expect(_metadata, &self->ds, self->fd, &self->seen);
}

TEST_HARNESS_MAIN
