// SPDX-License-Identifier: GPL-2.0-only
/*
 * explain: who would get a packet, against who then gets it. The scenarios of
 * one server and one client are in matrix.c, VRFs in special.c.
 */
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <netlink/genl/genl.h>

#include "lib/test.h"
#include "lib/net_link.h"

#define NOBODY		65534
#define GROUP		4
#define CLIENTS		16

#define HERE4		"198.51.100.1"
#define THERE4		"198.51.100.2"
#define HERE6		"2001:db8:1::1"
#define THERE6		"2001:db8:1::2"
#define ANYCAST6	"2001:db8:1::"

FIXTURE(explain)
{
	struct fam ds;
	int fd;
};

FIXTURE_VARIANT(explain)
{
	int type;
	int proto;
};

FIXTURE_VARIANT_ADD(explain, tcp)
{
	.type = SOCK_STREAM, .proto = IPPROTO_TCP,
};

FIXTURE_VARIANT_ADD(explain, udp)
{
	.type = SOCK_DGRAM, .proto = IPPROTO_UDP,
};

FIXTURE_SETUP(explain)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	self->fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(explain)
{
	close(self->fd);
	fam_close(&self->ds);
}

/* A question that has no answer, and the words for that. */
TEST_F_TIMEOUT(explain, refused, TEST_TIMEOUT)
{
	static const struct {
		const char *to, *from;
		unsigned int ifindex;
		int err;
		const char *why;
	} q[] = {
		{ "::ffff:127.0.0.1", NULL, 0, -EINVAL, "IPv4-mapped" },
		{ "::1", "::ffff:127.0.0.1", 0, -EINVAL, "IPv4-mapped" },
		{ "::1", "127.0.0.1", 0, -EINVAL, "different families" },
		{ "127.0.0.1", "::1", 0, -EINVAL, "different families" },
		{ "127.0.0.1", NULL, 1234, -ENODEV, "index" },
		{ "::1", NULL, 1234, -ENODEV, "index" },
		{ "0.0.0.0", NULL, 0, -EINVAL, "unspecified" },
		{ "::", NULL, 0, -EINVAL, "unspecified" },
		{ "224.0.0.1", NULL, 0, -EINVAL, "multicast" },
		{ "ff02::1", NULL, 0, -EINVAL, "multicast" },
		{ "255.255.255.255", NULL, 0, -EINVAL, "broadcast" },
		{ "fe80::1", NULL, 0, -EINVAL, "link-local" },
		{ "::1", "fe80::1", 0, -EINVAL, "link-local" },
		{ "127.0.0.1", "203.0.113.1", 0, -ENETUNREACH, "no route" },
		{ "::1", "2001:db8:9::9", 0, -ENETUNREACH, "no route" },
	};
	union net_addr to, from;
	struct fam_explained ex;
	struct nl_msg *msg;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(q); i++) {
		net_addr_set(&to, q[i].to, net_port(self->fd));
		net_addr_set(&from, q[i].from ?: "::1", 0);
		EXPECT_EQ(q[i].err, fam_explain(&self->ds, variant->proto, &to,
						q[i].from ? &from : NULL,
						q[i].ifindex, &ex))
			TH_LOG("%s from %s", q[i].to, q[i].from);
		EXPECT_NE(NULL, strstr(self->ds.extack, q[i].why))
			TH_LOG("%s: \"%s\"", q[i].to, self->ds.extack);
	}

	net_addr_set(&to, "127.0.0.1", 0);
	EXPECT_EQ(-EINVAL, fam_explain(&self->ds, variant->proto, &to, NULL, 0,
				       &ex));
	EXPECT_NE(NULL, strstr(self->ds.extack, "port 0"));
	to.in.sin_port = htons(80);
	EXPECT_EQ(-EINVAL, fam_explain(&self->ds, IPPROTO_SCTP, &to, NULL, 0,
				       &ex));
	EXPECT_NE(NULL, strstr(self->ds.extack, "TCP nor UDP"));

	msg = fam_msg(&self->ds, DUALSTACK_CMD_EXPLAIN, 0);
	ASSERT_NE(NULL, msg);
	nla_put_u8(msg, DUALSTACK_A_EXPLAIN_PROTOCOL, variant->proto);
	nla_put(msg, DUALSTACK_A_EXPLAIN_ADDR, 4, &to.in.sin_addr);
	nla_put_u16(msg, DUALSTACK_A_EXPLAIN_PORT, htons(80));
	nla_put_u32(msg, DUALSTACK_A_EXPLAIN_IFINDEX, 0);
	EXPECT_EQ(-ENODEV, fam_talk(&self->ds, msg, NULL, NULL));
	EXPECT_STREQ("No device has this index", self->ds.extack);

	for (i = 0; i <= 15; i += 5) {
		msg = fam_msg(&self->ds, DUALSTACK_CMD_EXPLAIN, 0);
		ASSERT_NE(NULL, msg);
		nla_put_u8(msg, DUALSTACK_A_EXPLAIN_PROTOCOL, variant->proto);
		nla_put(msg, DUALSTACK_A_EXPLAIN_ADDR, i, "a wrong address...");
		nla_put_u16(msg, DUALSTACK_A_EXPLAIN_PORT, htons(80));
		EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));
		EXPECT_NE(NULL, strstr(self->ds.extack, "4 bytes"));
	}
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds,
				    fam_msg(&self->ds, DUALSTACK_CMD_EXPLAIN, 0),
				    NULL, NULL));
}

/* Nor has half a question one. */
TEST_F_TIMEOUT(explain, incomplete, TEST_TIMEOUT)
{
	struct nl_msg *msg;
	int left_out;

	for (left_out = 0; left_out < 3; left_out++) {
		msg = fam_msg(&self->ds, DUALSTACK_CMD_EXPLAIN, 0);
		ASSERT_NE(NULL, msg);
		if (left_out != 0)
			nla_put_u8(msg, DUALSTACK_A_EXPLAIN_PROTOCOL,
				   variant->proto);
		if (left_out != 1)
			nla_put(msg, DUALSTACK_A_EXPLAIN_ADDR, 4, "\x7f\0\0\1");
		if (left_out != 2)
			nla_put_u16(msg, DUALSTACK_A_EXPLAIN_PORT, htons(80));
		EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));
	}
}

/* The loopback address is one of lo, unless a device is told otherwise, or all are. */
TEST_F_TIMEOUT(explain, route_localnet, TEST_TIMEOUT)
{
	struct fam_explained ex;
	union net_addr to;
	unsigned int dummy;
	int i;

	ASSERT_EQ(0, net_link_dummy("dummy0"));
	dummy = if_nametoindex("dummy0");
	net_addr_set(&to, "127.0.0.1", net_port(self->fd));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, net_sysctl("ipv4/conf/dummy0/route_localnet",
					i == 1));
		ASSERT_EQ(0, net_sysctl("ipv4/conf/all/route_localnet",
					i == 3));
		ASSERT_EQ(0, fam_explain(&self->ds, variant->proto, &to, NULL,
					 dummy, &ex));
		EXPECT_EQ(i % 2 == 1, ex.local);
		EXPECT_EQ(i % 2 == 1 ? DUALSTACK_VERDICT_MAPPED :
				       DUALSTACK_VERDICT_NONE, ex.verdict);
	}
	/* Too narrow for IPv4 it has no settings of that. */
	ASSERT_EQ(0, net_link_mtu("dummy0", 60));
	ASSERT_EQ(0, fam_explain(&self->ds, variant->proto, &to, NULL, dummy,
				 &ex));
	EXPECT_FALSE(ex.local);
}

/* Where there never was an address, none is local, and none is a broadcast. */
TEST_F_TIMEOUT(explain, no_addresses, TEST_TIMEOUT)
{
	static const char *const addrs[] = { "127.0.0.1", "255.255.255.255" };
	static const int err[] = { 0, -EINVAL };
	struct fam_explained ex;
	union net_addr to;
	struct fam ds;
	size_t i;

	/* lo is down there: nobody has ever had an address. */
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, fam_open(&ds));
	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		net_addr_set(&to, addrs[i], 80);
		EXPECT_EQ(err[i], fam_explain(&ds, variant->proto, &to, NULL, 0,
					      &ex)) TH_LOG("%s", ds.extack);
		EXPECT_FALSE(!err[i] && ex.local);
	}
	fam_close(&ds);
}

/* Anybody may ask. */
TEST_F_TIMEOUT(explain, unprivileged, TEST_TIMEOUT)
{
	union net_addr to;
	struct fam ds;

	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(NOBODY, NOBODY, NOBODY));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	ASSERT_EQ(0, fam_open(&ds));
	net_addr_set(&to, "127.0.0.1", net_port(self->fd));
	test_expect_explained(_metadata, &ds, variant->type, &to, NULL, 0,
			      DUALSTACK_VERDICT_MAPPED, self->fd);
	fam_close(&ds);
}

/* An address of somebody else. */
TEST_F_TIMEOUT(explain, not_local, TEST_TIMEOUT)
{
	static const char *const addrs[] = { THERE4, THERE6, HERE4, HERE6 };
	struct fam_explained ex;
	union net_addr to, from;
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(addrs); i++) {
		net_addr_set(&to, addrs[i / 2], net_port(self->fd));
		net_addr_set(&from, to.sa.sa_family == AF_INET ? "127.0.0.1" :
			     "::1", 0);
		EXPECT_EQ(0, fam_explain(&self->ds, variant->proto, &to,
					 i % 2 ? &from : NULL, 0, &ex))
			TH_LOG("%s", self->ds.extack);
		EXPECT_FALSE(ex.local);
		EXPECT_EQ(DUALSTACK_VERDICT_NONE, ex.verdict);
		EXPECT_EQ(0, ex.cookie);
	}
}

/* Which of these sockets has something to read. */
static int who(const int *fd, int n)
{
	int k = 0;

	net_wait_for(({
		for (k = 0; k < n && net_wait_in(fd[k], 0); k++)
			;
		k < n;
	}), NET_TIMEOUT_MS);
	return k;
}

/*
 * A client asks, then goes there, and meets the one of these sockets that it
 * was told.
 */
static void expect_met(struct __test_metadata *_metadata, struct fam *ds,
		       int type, const char *addr, const int *fd, int n,
		       bool reuseport)
{
	int proto = net_protocol_of(type);
	union net_addr to, from;
	struct fam_explained ex;
	int client, k;
	char c;

	net_addr_set(&from, addr, 0);
	net_addr_set(&to, addr, net_port(fd[0]));
	client = socket(to.sa.sa_family, type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, client);
	ASSERT_EQ(0, bind(client, &from.sa, net_addr_len(&from)));
	from = net_local(client);
	ASSERT_EQ(0, fam_explain(ds, proto, &to, &from, 0, &ex))
		TH_LOG("%s", ds->extack);
	EXPECT_EQ(reuseport, ex.reuseport);

	ASSERT_EQ(0, connect(client, &to.sa, net_addr_len(&to)));
	if (type == SOCK_DGRAM)
		ASSERT_EQ(1, send(client, "x", 1, 0));
	k = who(fd, n);
	ASSERT_LT(k, n);
	EXPECT_EQ(net_cookie(fd[k]), ex.cookie);
	if (type == SOCK_STREAM)
		close(net_accept(fd[k], NULL));
	else
		EXPECT_EQ(1, recv(fd[k], &c, 1, 0));
	net_close_reset(client);
}

/* In a group it is the source that decides. */
TEST_F_TIMEOUT(explain, group, TEST_TIMEOUT)
{
	int fd[GROUP], i;

	for (i = 0; i < GROUP; i++) {
		fd[i] = net_server(variant->type, "::", i ? net_port(fd[0]) : 0,
				   NET_DUAL | NET_REUSEPORT);
		ASSERT_LE(0, fd[i]);
	}
	for (i = 0; i < CLIENTS; i++) {
		expect_met(_metadata, &self->ds, variant->type, "127.0.0.1", fd,
			   GROUP, true);
		expect_met(_metadata, &self->ds, variant->type, "::1", fd,
			   GROUP, true);
	}
	for (i = 1; i < GROUP; i++)
		close(fd[i]);
	/* On its own it is none. */
	expect_met(_metadata, &self->ds, variant->type, "::1", fd, 1, false);
	close(fd[0]);
}

/* A group that refuses does so by the member that is counted. */
TEST_F_TIMEOUT(explain, group_refuses, TEST_TIMEOUT)
{
	union net_addr to, from;
	struct fam_explained ex;
	struct fam_socket s;
	int fd[GROUP], i;

	for (i = 0; i < GROUP; i++) {
		fd[i] = net_server(variant->type, "::", i ? net_port(fd[0]) : 0,
				   NET_V6ONLY | NET_REUSEPORT);
		ASSERT_LE(0, fd[i]);
	}
	ASSERT_EQ(1, net_refused(variant->type, "127.0.0.1", net_port(fd[0]),
				 &from));
	net_addr_set(&to, "127.0.0.1", net_port(fd[0]));
	ASSERT_EQ(0, fam_explain(&self->ds, variant->proto, &to, &from, 0, &ex));
	EXPECT_EQ(DUALSTACK_VERDICT_V6ONLY, ex.verdict);
	EXPECT_TRUE(ex.reuseport);
	ASSERT_EQ(0, fam_socket_get(&self->ds, ex.cookie, &s));
	EXPECT_EQ(1, s.counters.v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]);
	for (i = 0; i < GROUP; i++)
		close(fd[i]);
}

/* Two sockets on one port, the sshd way and the other ones. */
TEST_F_TIMEOUT(explain, pair, TEST_TIMEOUT)
{
	static const char *const addrs[] = { "127.0.0.1", "::1", NET_ADDR4,
					     NET_ADDR6 };
	int fd[2];
	size_t i;

	fd[0] = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd[0]);
	fd[1] = net_server(variant->type, "0.0.0.0", net_port(fd[0]), 0);
	ASSERT_LE(0, fd[1]);
	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		expect_met(_metadata, &self->ds, variant->type, addrs[i], fd, 2,
			   false);
	close(fd[1]);

	/* A dual one that is shadowed, at all addresses or at one. */
	close(fd[0]);
	fd[0] = net_server(variant->type, "::", 0, NET_DUAL | NET_REUSEPORT);
	ASSERT_LE(0, fd[0]);
	fd[1] = net_server(variant->type, "0.0.0.0", net_port(fd[0]),
			   NET_REUSEPORT);
	ASSERT_LE(0, fd[1]);
	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		expect_met(_metadata, &self->ds, variant->type, addrs[i], fd, 2,
			   false);
	close(fd[1]);
	fd[1] = net_server(variant->type, NET_ADDR4, net_port(fd[0]),
			   NET_REUSEPORT);
	ASSERT_LE(0, fd[1]);
	for (i = 0; i < ARRAY_SIZE(addrs); i++)
		expect_met(_metadata, &self->ds, variant->type, addrs[i], fd, 2,
			   false);
	close(fd[1]);
	close(fd[0]);
}

/* A device that a socket is bound to. */
TEST_F_TIMEOUT(explain, device, TEST_TIMEOUT)
{
	static const char *const here[] = { HERE4, HERE6 };
	union net_addr to;
	in_port_t port;
	int fd, i;

	ASSERT_EQ(0, net_link_dummy("dummy0"));
	ASSERT_EQ(0, net_link_addr("dummy0", HERE4, 24));
	ASSERT_EQ(0, net_link_addr("dummy0", HERE6, 64));
	port = net_port(self->fd);
	close(self->fd);
	fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC, 0);
	self->fd = fd;
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "dummy0", 7));
	net_addr_set(&to, "::", port);
	ASSERT_EQ(0, bind(fd, &to.sa, net_addr_len(&to)));
	if (variant->type == SOCK_STREAM)
		ASSERT_EQ(0, listen(fd, 8));

	for (i = 0; i < 2; i++) {
		net_addr_set(&to, i ? NET_ADDR6 : NET_ADDR4, port);
		test_expect_explained(_metadata, &self->ds, variant->type, &to,
				      NULL, if_nametoindex("dummy0"),
				      i ? DUALSTACK_VERDICT_NATIVE :
					DUALSTACK_VERDICT_MAPPED, fd);
		/* Its addresses are on lo. */
		test_expect_explained(_metadata, &self->ds, variant->type, &to,
				      NULL, 0, DUALSTACK_VERDICT_NONE, -1);
		EXPECT_EQ(1, net_refused(variant->type, i ? NET_ADDR6 :
					 NET_ADDR4, port, NULL));
	}
	/* A local client comes in by the device of the address. */
	for (i = 0; i < 2; i++) {
		net_addr_set(&to, here[i], port);
		test_expect_explained(_metadata, &self->ds, variant->type, &to,
				      &to, 0, i ? DUALSTACK_VERDICT_NATIVE :
						DUALSTACK_VERDICT_MAPPED, fd);
		expect_met(_metadata, &self->ds, variant->type, here[i], &fd, 1,
			   false);
	}
}

/* By a device that is down nothing comes in. */
TEST_F_TIMEOUT(explain, down, TEST_TIMEOUT)
{
	struct fam_explained ex;
	union net_addr to;
	unsigned int i;

	ASSERT_EQ(0, net_link_dummy("dummy0"));
	ASSERT_EQ(0, net_link_addr("dummy0", HERE4, 24));
	net_addr_set(&to, HERE4, net_port(self->fd));
	test_expect_explained(_metadata, &self->ds, variant->type, &to, NULL, 0,
			      DUALSTACK_VERDICT_MAPPED, self->fd);

	ASSERT_EQ(0, net_link_down("dummy0"));
	for (i = 0; i < 3; i++) {
		net_addr_set(&to, i < 2 ? HERE4 : NET_ADDR6,
			     net_port(self->fd));
		EXPECT_EQ(-ENETDOWN, fam_explain(&self->ds, variant->proto, &to,
						 NULL, i ?
						 if_nametoindex("dummy0") : 0,
						 &ex));
		EXPECT_NE(NULL, strstr(self->ds.extack, "down"))
			TH_LOG("%s", self->ds.extack);
	}
	/* The address is there, for who comes another way. */
	expect_met(_metadata, &self->ds, variant->type, HERE4, &self->fd, 1,
		   false);
}

/* The address of whatever router a subnet has: UDP serves it, TCP does not. */
TEST_F_TIMEOUT(explain, anycast, TEST_TIMEOUT)
{
	struct fam_explained ex;
	union net_addr to;
	int fd, err;

	ASSERT_EQ(0, net_sysctl("ipv6/conf/all/forwarding", 1));
	ASSERT_EQ(0, net_link_dummy("dummy0"));
	ASSERT_EQ(0, net_link_addr("dummy0", HERE6, 64));
	ASSERT_EQ(0, net_link_wait_anycast("dummy0", ANYCAST6));
	net_addr_set(&to, ANYCAST6, net_port(self->fd));
	fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ASSERT_LE(0, fd);
	err = connect(fd, &to.sa, net_addr_len(&to)) ? -errno : 0;
	if (variant->type == SOCK_DGRAM) {
		ASSERT_EQ(0, err);
		ASSERT_EQ(1, send(fd, "x", 1, 0));
		EXPECT_EQ(0, net_wait_in(self->fd, NET_TIMEOUT_MS));
		test_expect_explained(_metadata, &self->ds, variant->type, &to,
				      NULL, 0, DUALSTACK_VERDICT_NATIVE,
				      self->fd);
	} else {
		ASSERT_EQ(-EINPROGRESS, err);
		EXPECT_EQ(-ETIMEDOUT, net_wait_in(self->fd, 500));
		EXPECT_EQ(-EINVAL, fam_explain(&self->ds, variant->proto, &to,
					       NULL, 0, &ex));
		EXPECT_NE(NULL, strstr(self->ds.extack, "anycast"))
			TH_LOG("%s", self->ds.extack);
	}
	close(fd);
}

/* Clients beyond a device, and those who only say so. */
TEST_F_TIMEOUT(explain, remote, TEST_TIMEOUT)
{
	static const struct {
		const char *here, *there, *loopback;
	} sides[] = {
		{ HERE4, THERE4, "127.0.0.1" },
		{ HERE6, THERE6, "::1" },
	};
	static const char *const here[] = { HERE4, HERE6 };
	static const char *const there[] = { THERE4, THERE6 };
	int home = net_ns_open(), away, client, conn, i;
	in_port_t port = net_port(self->fd);
	union net_addr to, from, peer;
	unsigned int veth;
	struct fam_explained ex;
	socklen_t len;
	char c;

	ASSERT_LE(0, home);
	away = net_link_neighbour(here, there);
	ASSERT_LE(0, away);
	veth = if_nametoindex("veth0");

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, setns(home, CLONE_NEWNET));
		net_addr_set(&to, sides[i].here, port);
		net_addr_set(&from, sides[i].there, 0);
		ASSERT_EQ(0, fam_explain(&self->ds, variant->proto, &to, &from,
					 0, &ex)) TH_LOG("%s", self->ds.extack);
		EXPECT_EQ(veth, ex.ifindex);
		ASSERT_EQ(0, fam_explain(&self->ds, variant->proto, &to, NULL,
					 0, &ex));
		EXPECT_EQ(veth, ex.ifindex);
		EXPECT_TRUE(ex.local);
		EXPECT_EQ(i ? DUALSTACK_VERDICT_NATIVE :
			  DUALSTACK_VERDICT_MAPPED, ex.verdict);
		EXPECT_EQ(net_cookie(self->fd), ex.cookie);

		/* The loopback address is not for others. */
		net_addr_set(&to, sides[i].loopback, port);
		ASSERT_EQ(0, fam_explain(&self->ds, variant->proto, &to, NULL,
					 veth, &ex));
		EXPECT_FALSE(ex.local);
		EXPECT_EQ(DUALSTACK_VERDICT_NONE, ex.verdict);

		ASSERT_EQ(0, setns(away, CLONE_NEWNET));
		net_addr_set(&to, sides[i].here, port);
		client = socket(to.sa.sa_family, variant->type | SOCK_CLOEXEC,
				0);
		ASSERT_LE(0, client);
		ASSERT_EQ(0, connect(client, &to.sa, net_addr_len(&to)));
		if (variant->type == SOCK_STREAM) {
			conn = net_accept(self->fd, &peer);
			ASSERT_LE(0, conn);
			close(conn);
		} else {
			len = sizeof(peer);
			ASSERT_EQ(1, send(client, "x", 1, 0));
			ASSERT_EQ(0, net_wait_in(self->fd, NET_TIMEOUT_MS));
			ASSERT_EQ(1, recvfrom(self->fd, &c, 1, 0, &peer.sa,
					      &len));
		}
		EXPECT_EQ(!i, net_addr_mapped(&peer));
		close(client);
	}
	close(home);
	close(away);
}

/* Connected sockets, which only UDP looks up. */
FIXTURE(datagram)
{
	struct fam ds;
	int fd;
};

FIXTURE_SETUP(datagram)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	self->fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(datagram)
{
	close(self->fd);
	fam_close(&self->ds);
}

TEST_F_TIMEOUT(datagram, connected, TEST_TIMEOUT)
{
	int friend, stranger, one = 1, fd[2] = { self->fd };
	union net_addr to, from;
	socklen_t len;
	int i;

	friend = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, friend);
	stranger = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, stranger);

	/* Ours, and one beside it that is the friend's alone. */
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_REUSEADDR, &one,
				sizeof(one)));
	fd[1] = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, fd[1]);
	ASSERT_EQ(0, setsockopt(fd[1], SOL_SOCKET, SO_REUSEADDR, &one,
				sizeof(one)));
	to = net_local(self->fd);
	ASSERT_EQ(0, bind(fd[1], &to.sa, sizeof(to.in6)));
	net_addr_set(&to, "::ffff:127.0.0.1", net_port(friend));
	ASSERT_EQ(0, connect(fd[1], &to.sa, sizeof(to.in6)));

	net_addr_set(&to, "127.0.0.1", net_port(self->fd));
	for (i = 0; i < 2; i++) {
		from = net_local(i ? friend : stranger);
		test_expect_explained(_metadata, &self->ds, SOCK_DGRAM, &to,
				      &from, 0, DUALSTACK_VERDICT_MAPPED, fd[i]);
		len = net_addr_len(&to);
		ASSERT_EQ(1, sendto(i ? friend : stranger, "x", 1, 0, &to.sa,
				    len));
		EXPECT_EQ(0, net_wait_in(fd[i], NET_TIMEOUT_MS));
		EXPECT_NE(0, net_wait_in(fd[!i], 0));
		EXPECT_EQ(1, recv(fd[i], &one, 1, 0));
	}
	test_expect_explained(_metadata, &self->ds, SOCK_DGRAM, &to, NULL, 0,
			      DUALSTACK_VERDICT_MAPPED, self->fd);
	close(fd[1]);
	close(friend);
	close(stranger);
}

/* One of a group that is connected: what its peer sends is not shared out. Since Linux
 * 6.13 it leaves the group: what is left is still one.
 */
TEST_F_TIMEOUT(datagram, connected_of_group, TEST_TIMEOUT)
{
	int friend, stranger, fd[3], i;
	struct fam_explained ex;
	union net_addr to, from;
	char c;

	friend = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, friend);
	stranger = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, stranger);
	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		/* One that has no address leaves the group as it connects. */
		fd[i] = net_server(SOCK_DGRAM, "::ffff:127.0.0.1",
				   i ? net_port(fd[0]) : 0, NET_REUSEPORT);
		ASSERT_LE(0, fd[i]);
	}
	ASSERT_EQ(0, net_connect(fd[1], "::ffff:127.0.0.1", net_port(friend)));

	net_addr_set(&to, "127.0.0.1", net_port(fd[0]));
	from = net_local(friend);
	ASSERT_EQ(0, fam_explain(&self->ds, IPPROTO_UDP, &to, &from, 0, &ex));
	EXPECT_EQ(DUALSTACK_VERDICT_MAPPED, ex.verdict);
	EXPECT_EQ(net_cookie(fd[1]), ex.cookie);
	EXPECT_FALSE(ex.reuseport);
	ASSERT_EQ(0, net_sendto(friend, "127.0.0.1", net_port(fd[0]), 0));
	ASSERT_EQ(0, net_wait_in(fd[1], NET_TIMEOUT_MS));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));

	from = net_local(stranger);
	ASSERT_EQ(0, fam_explain(&self->ds, IPPROTO_UDP, &to, &from, 0, &ex));
	EXPECT_EQ(DUALSTACK_VERDICT_MAPPED, ex.verdict);
	EXPECT_TRUE(ex.reuseport);
	i = ex.cookie == net_cookie(fd[0]) ? 0 : 2;
	EXPECT_EQ(net_cookie(fd[i]), ex.cookie);
	ASSERT_EQ(0, net_sendto(stranger, "127.0.0.1", net_port(fd[0]), 0));
	ASSERT_EQ(0, net_wait_in(fd[i], NET_TIMEOUT_MS));
	EXPECT_EQ(1, recv(fd[i], &c, 1, 0));

	for (i = 0; i < ARRAY_SIZE(fd); i++)
		close(fd[i]);
	close(friend);
	close(stranger);
}

TEST_HARNESS_MAIN
