// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting IPV6_V6ONLY of live sockets: the next client obeys, nothing that the
 * state allowed is lost; and whose sockets, which, by whom.
 */
#include <netlink/attr.h>
#include <sched.h>

#include "lib/v6only.h"

TEST_F_TIMEOUT(v6only, obeyed, TEST_TIMEOUT)
{
	v6only_expect_dual(_metadata, variant->type, self->fd, &self->seen);
	EXPECT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, false));
	v6only_expect_v6only(_metadata, variant->type, self->fd, &self->seen);
	EXPECT_EQ(0, fam_v6only_set(&self->ds, self->fd, true, false));
	v6only_expect_v6only(_metadata, variant->type, self->fd, &self->seen);
	EXPECT_EQ(1, fam_v6only_set(&self->ds, self->fd, false, false));
	v6only_expect_dual(_metadata, variant->type, self->fd, &self->seen);
	EXPECT_EQ(0, fam_v6only_set(&self->ds, self->fd, false, false));
	v6only_expect_dual(_metadata, variant->type, self->fd, &self->seen);
	test_expect_socket(_metadata, &self->ds, self->fd, &self->seen);
	test_expect_sums(_metadata, &self->ds, &self->seen);
}

TEST_F_TIMEOUT(v6only, dry_run, TEST_TIMEOUT)
{
	EXPECT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, true));
	v6only_expect_dual(_metadata, variant->type, self->fd, &self->seen);
	EXPECT_EQ(0, fam_v6only_set(&self->ds, self->fd, false, true));
	ASSERT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, false));
	EXPECT_EQ(1, fam_v6only_set(&self->ds, self->fd, false, true));
	v6only_expect_v6only(_metadata, variant->type, self->fd, &self->seen);
	test_expect_sums(_metadata, &self->ds, &self->seen);
}

/* A socket that it is not for, and why. */
static void expect_refused(struct __test_metadata *_metadata, struct fam *ds,
			   int fd, int err, const char *why)
{
	int before = net_v6only(fd), i;

	ASSERT_LE(0, fd);
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(err, fam_v6only_set(ds, fd, i & 1, i & 2))
			TH_LOG("%s", why);
		EXPECT_NE(NULL, strstr(ds->extack, why))
			TH_LOG("\"%s\" is not about \"%s\"", ds->extack, why);
	}
	EXPECT_EQ(before, net_v6only(fd));
	close(fd);
}

TEST_F_TIMEOUT(v6only, unsuitable, TEST_TIMEOUT)
{
	int type = variant->type, fd;
	union net_addr any;

	expect_refused(_metadata, &self->ds, net_server(type, "0.0.0.0", 0, 0),
		       -EAFNOSUPPORT, "AF_INET:");
	expect_refused(_metadata, &self->ds, net_server(type, "::1", 0, 0),
		       -EINVAL, "one IPv6 address");
	expect_refused(_metadata, &self->ds,
		       net_server(type, "::ffff:127.0.0.1", 0, 0),
		       -EINVAL, "IPv4-mapped");
	expect_refused(_metadata, &self->ds,
		       net_server(type, "::ffff:0.0.0.0", 0, 0),
		       -EINVAL, "IPv4-mapped");
	expect_refused(_metadata, &self->ds,
		       net_client(type, "::1", net_port(self->fd), NULL),
		       -EISCONN, "connected");
	expect_refused(_metadata, &self->ds,
		       net_client(type, "::ffff:127.0.0.1", net_port(self->fd),
				  NULL), -EISCONN, "connected");
	if (type == SOCK_DGRAM)
		return;

	net_addr_set(&any, "::", 0);
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, bind(fd, &any.sa, sizeof(any.in6)));
	expect_refused(_metadata, &self->ds, fd, -EINVAL, "listen");
}

/* More than some sizes that the kernel has memory in. */
#define REPEATED	160

/*
 * Who is in the way is said whatever room a request leaves for the words: then with
 * address and port, or without.
 */
TEST_F_TIMEOUT(v6only, long_request, TEST_TIMEOUT)
{
	static const struct {
		const char *addr, *kind, *shown;
	} others[] = {
		{ "127.0.0.1", "an AF_INET socket", "127.0.0.1" },
		{ "::ffff:127.0.0.1", "an AF_INET6 socket", "[::ffff:127.0.0.1]" },
	};
	static const char *const plain[] = {
		"It would collide with an AF_INET socket at this port",
		"It would collide with a mapped AF_INET6 socket at this port",
	};
	bool tcp = variant->type == SOCK_STREAM;
	struct nl_msg *msg;
	int fd[2], i, k, n;
	in_port_t port;
	char full[80];
	size_t j;

	fd[0] = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd[0]);
	port = net_port(fd[0]);
	for (j = 0; j < ARRAY_SIZE(others); j++) {
		fd[1] = net_server(variant->type, others[j].addr, port, 0);
		ASSERT_LE(0, fd[1]);
		n = snprintf(full, sizeof(full),
			     "It would collide with %s: %s %s:%u", others[j].kind,
			     tcp ? "TCP" : "UDP", others[j].shown, port);
		ASSERT_GT((int)sizeof(full), n);
		n = 0;
		for (i = 0; i < REPEATED; i++) {
			msg = fam_v6only_msg(&self->ds, net_cookie(fd[0]),
					     tcp ? IPPROTO_TCP : IPPROTO_UDP,
					     port, false, true);
			ASSERT_NE(NULL, msg);
			for (k = 0; k < i; k++)
				nla_put_u8(msg, DUALSTACK_A_V6ONLY_V6ONLY,
					   false);
			EXPECT_EQ(-EADDRINUSE, fam_talk(&self->ds, msg, NULL,
							NULL));
			if (!strcmp(self->ds.extack, full)) {
				n++;
				continue;
			}
			EXPECT_STREQ(plain[j], self->ds.extack);
		}
		TH_LOG("%d of %d answers said where", n, REPEATED);
		EXPECT_LT(0, n);
		close(fd[1]);
	}
	close(fd[0]);
}

TEST_F_TIMEOUT(v6only, nobody, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type);
	int other = proto == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP;
	in_port_t port = net_port(self->fd);
	__u64 cookie = net_cookie(self->fd);
	struct fam elsewhere;

	EXPECT_EQ(-ENOENT, fam_v6only_set_by(&self->ds, cookie, other, port,
					     true, false));
	EXPECT_STRNE("", self->ds.extack);
	EXPECT_EQ(-ENOENT, fam_v6only_set_by(&self->ds, cookie, proto, port + 1,
					     true, false));
	EXPECT_EQ(-ENOENT, fam_v6only_set_by(&self->ds, cookie + 1, proto, port,
					     true, false));
	EXPECT_EQ(-ENOENT, fam_v6only_set_by(&self->ds, 0, proto, port, true,
					     false));
	EXPECT_EQ(-EINVAL, fam_v6only_set_by(&self->ds, cookie, proto, 0, true,
					     false));
	EXPECT_EQ(-EINVAL, fam_v6only_set_by(&self->ds, cookie, IPPROTO_SCTP,
					     port, true, false));
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, fam_msg(&self->ds,
						       DUALSTACK_CMD_V6ONLY_SET,
						       0), NULL, NULL));

	/* Another namespace's. */
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&elsewhere));
	EXPECT_EQ(-ENOENT, fam_v6only_set_by(&elsewhere, cookie, proto, port,
					     true, false));
	fam_close(&elsewhere);
	EXPECT_EQ(0, net_v6only(self->fd));
}

/* Who may: design of the permissions of every request that changes a socket. */

TEST_F_TIMEOUT(v6only, unprivileged, TEST_TIMEOUT)
{
	struct fam ds;
	int fd;

	ASSERT_EQ(0, net_become_nobody());
	ASSERT_EQ(0, fam_open(&ds));
	EXPECT_EQ(-EPERM, fam_v6only_set(&ds, self->fd, true, false));
	EXPECT_EQ(-EPERM, fam_v6only_set(&ds, self->fd, true, true));
	fam_close(&ds);
	EXPECT_EQ(0, net_v6only(self->fd));

	/* Root of a namespace of users, in somebody else's network. */
	ASSERT_EQ(0, unshare(CLONE_NEWUSER)) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, fam_open(&ds));
	EXPECT_EQ(-EPERM, fam_v6only_set(&ds, self->fd, true, false));
	fam_close(&ds);
	EXPECT_EQ(0, net_v6only(self->fd));

	/* And in his own. */
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&ds));
	EXPECT_EQ(-ENOENT, fam_v6only_set(&ds, self->fd, true, false));
	fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, fam_v6only_set(&ds, fd, true, false));
	EXPECT_EQ(1, net_v6only(fd));
	close(fd);
	fam_close(&ds);
}

/* The words name who is in the way. */
TEST_F_TIMEOUT(v6only, named, TEST_TIMEOUT)
{
	static const struct {
		const char *addr, *text;
	} other[] = {
		{ "127.0.0.1", "127.0.0.1:" },
		{ "0.0.0.0", "0.0.0.0:" },
		{ "::ffff:127.0.0.1", "[::ffff:127.0.0.1]:" },
	};
	const char *proto = variant->type == SOCK_STREAM ? "TCP" : "UDP";
	char text[80];
	size_t i;
	int fd;

	ASSERT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, false));
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		fd = net_server(variant->type, other[i].addr,
				net_port(self->fd), 0);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-EADDRINUSE, fam_v6only_set(&self->ds, self->fd, false,
						      true));
		snprintf(text, sizeof(text), "%s %s%d", proto, other[i].text,
			 net_port(self->fd));
		EXPECT_NE(NULL, strstr(self->ds.extack, text))
			TH_LOG("\"%s\" lacks \"%s\"", self->ds.extack, text);
		close(fd);
	}
}

/* What somebody has got already, he keeps. */
TEST_F_TIMEOUT(listener, connections_live_on, TEST_TIMEOUT)
{
	int established, pending, conn, late;
	char c;

	established = net_client(SOCK_STREAM, "127.0.0.1", net_port(self->fd),
				 NULL);
	ASSERT_LE(0, established);
	conn = net_accept(self->fd, NULL);
	ASSERT_LE(0, conn);
	pending = net_client(SOCK_STREAM, "127.0.0.1", net_port(self->fd),
			     NULL);
	ASSERT_LE(0, pending);

	/* Nor are they in the way, there and back. */
	ASSERT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, false));
	EXPECT_EQ(1, send(established, "x", 1, 0));
	EXPECT_EQ(1, recv(conn, &c, 1, 0));
	EXPECT_EQ(1, send(conn, "y", 1, 0));
	EXPECT_EQ(1, recv(established, &c, 1, 0));
	late = net_accept(self->fd, NULL);
	ASSERT_LE(0, late);
	EXPECT_EQ(1, send(pending, "x", 1, 0));
	EXPECT_EQ(1, recv(late, &c, 1, 0));
	EXPECT_EQ(1, fam_v6only_set(&self->ds, self->fd, false, false))
		TH_LOG("%s", self->ds.extack);

	/* Nor what is left of one: here the server's side is in TIME_WAIT. */
	close(late);
	EXPECT_EQ(0, recv(pending, &c, 1, 0));
	close(pending);
	ASSERT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, false));
	EXPECT_EQ(1, fam_v6only_set(&self->ds, self->fd, false, false))
		TH_LOG("%s", self->ds.extack);
	close(established);
	close(conn);
}

/* The subflow of a listener of MPTCP is not the application's socket. */
static int take_cookie(const struct fam_socket *s, void *arg)
{
	*(__u64 *)arg = s->cookie;
	return 0;
}

TEST_F_TIMEOUT(listener, mptcp, TEST_TIMEOUT)
{
	__u64 cookie = 0;
	int fd, client;

	fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL | NET_MPTCP);
	if (fd == -EPROTONOSUPPORT)
		SKIP(return, TEST_SKIP_MPTCP);
	ASSERT_LE(0, fd);
	client = net_client(SOCK_STREAM, "127.0.0.1", net_port(fd), NULL);
	ASSERT_LE(0, client);
	ASSERT_EQ(0, fam_socket_dump(&self->ds, take_cookie, &cookie));
	ASSERT_NE(0, cookie);
	EXPECT_EQ(-EOPNOTSUPP, fam_v6only_set_by(&self->ds, cookie, IPPROTO_TCP,
						 net_port(fd), true, false));
	EXPECT_NE(NULL, strstr(self->ds.extack, "MPTCP"));
	EXPECT_EQ(0, net_v6only(fd));
	close(client);
	close(fd);
}

TEST_HARNESS_MAIN
