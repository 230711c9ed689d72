// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: sockets get IPV6_V6ONLY in bind() as a rule says, whatever the application
 * asked for, and no bind() fails because of one.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>

#include "lib/rules.h"
#include "lib/v6only.h"

#define ROUNDS		1000
#define MAX_RULES	1024
#define GROUP		5

/* One rule, and what it has counted. */
static void expect_rule(struct __test_metadata *_metadata, struct fam *ds,
			int type, in_port_t port, __u64 applied,
			__u64 passed_over)
{
	struct fam_rule rule;

	ASSERT_EQ(0, fam_rule_get(ds, net_protocol_of(type), port, &rule))
		TH_LOG("%s", ds->extack);
	EXPECT_EQ(applied, rule.applied);
	EXPECT_EQ(passed_over, rule.passed_over);
}

/* A server at an address, or -errno; AF_INET has no IPV6_V6ONLY. */
static int bound(int type, const char *addr, in_port_t port, int v6only,
		 unsigned int flags)
{
	if (strchr(addr, ':'))
		flags |= v6only ? NET_V6ONLY : NET_DUAL;
	return net_server(type, addr, port, flags);
}

TEST_F_TIMEOUT(v6only, rule_requests, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type);
	int other = IPPROTO_TCP + IPPROTO_UDP - proto;
	struct fam *ds = &self->ds;
	struct fam_rule r[8];

	EXPECT_EQ(0, fam_rules_dump(ds, r, 8));
	EXPECT_EQ(-ENOENT, fam_rule_del(ds, proto, 80));
	EXPECT_NE(NULL, strstr(ds->extack, "No rule for this port"));
	EXPECT_EQ(-ENOENT, fam_rule_del(ds, 0, 0));
	EXPECT_NE(NULL, strstr(ds->extack, "No rule for all ports"));
	EXPECT_EQ(-ENOENT, fam_rule_get(ds, proto, 80, r));

	/* What it was, and nothing changes where it was that. */
	EXPECT_EQ(FAM_RULE_NEW, fam_rule_set(ds, proto, 80, 1));
	EXPECT_EQ(1, fam_rule_set(ds, proto, 80, 1));
	EXPECT_EQ(1, fam_rule_set(ds, proto, 80, 0));
	EXPECT_EQ(0, fam_rule_set(ds, proto, 80, 0));
	EXPECT_EQ(FAM_RULE_NEW, fam_rule_set(ds, other, 80, 1));
	EXPECT_EQ(FAM_RULE_NEW, fam_rule_set(ds, proto, 65535, 1));
	EXPECT_EQ(FAM_RULE_NEW, fam_rule_set(ds, 0, 0, 0));

	/* In their order, the one of all ports first. */
	ASSERT_EQ(4, fam_rules_dump(ds, r, 8));
	EXPECT_FALSE(ds->intr);
	EXPECT_EQ(0, r[0].protocol);
	EXPECT_EQ(0, r[0].port);
	EXPECT_FALSE(r[0].v6only);
	EXPECT_EQ(IPPROTO_TCP, r[1].protocol);
	EXPECT_EQ(80, r[1].port);
	EXPECT_EQ(proto != IPPROTO_TCP, r[1].v6only);
	EXPECT_EQ(IPPROTO_UDP, r[3].protocol);
	EXPECT_EQ(proto == IPPROTO_UDP ? 65535 : 80, r[3].port);

	EXPECT_EQ(0, fam_rule_del(ds, 0, 0));
	EXPECT_EQ(-ENOENT, fam_rule_del(ds, 0, 0));
	EXPECT_EQ(0, fam_rule_del(ds, proto, 80));
	EXPECT_EQ(2, fam_rules_dump(ds, r, 8));
}

TEST_F_TIMEOUT(v6only, rule_bad_requests, TEST_TIMEOUT)
{
	static const struct {
		int protocol, port, v6only;
		const char *says;
	} bad[] = {
		{ -1, 80, 1, "Port without protocol" },
		{ IPPROTO_TCP, -1, 1, "Protocol without port" },
		{ IPPROTO_TCP, 0, 1, "port 0" },
		{ IPPROTO_ICMP, 80, 1, "neither TCP nor UDP" },
		{ IPPROTO_TCP, 80, -1, "" },
		{ IPPROTO_TCP, 80, 2, "" },
	};
	struct fam *ds = &self->ds;
	struct fam_rule rule;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_GT(0, fam_rule_talk(ds, DUALSTACK_CMD_RULE_SET,
					   bad[i].protocol, bad[i].port,
					   bad[i].v6only));
		EXPECT_NE(NULL, strstr(ds->extack, bad[i].says))
			TH_LOG("%zu: %s", i, ds->extack);
	}
	EXPECT_EQ(0, fam_rules_dump(ds, &rule, 1));
}

/* As many as there can be; one that is there can be replaced all the same. */
TEST_F_TIMEOUT(v6only, rule_limit, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), i;
	struct fam *ds = &self->ds;
	struct fam_rule *rules;

	for (i = 1; i <= MAX_RULES; i++)
		ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, proto, i, i % 2));
	EXPECT_EQ(-ENOSPC, fam_rule_set(ds, proto, i, 1));
	EXPECT_NE(NULL, strstr(ds->extack, "1024"));
	EXPECT_EQ(-ENOSPC, fam_rule_set(ds, 0, 0, 1));
	EXPECT_EQ(1, fam_rule_set(ds, proto, 1, 0));

	rules = calloc(MAX_RULES, sizeof(*rules));
	ASSERT_NE(NULL, rules);
	ASSERT_EQ(MAX_RULES, fam_rules_dump(ds, rules, MAX_RULES));
	for (i = 1; i <= MAX_RULES; i++) {
		EXPECT_EQ(i, rules[i - 1].port);
		EXPECT_EQ(i > 1 && i % 2, rules[i - 1].v6only);
	}
	free(rules);
	EXPECT_EQ(0, fam_rule_del(ds, proto, 7));
	EXPECT_EQ(FAM_RULE_NEW, fam_rule_set(ds, 0, 0, 1));
}

/* A port that no connection of before is in the way at, and no client is given. */
static in_port_t fresh_port(void)
{
	static in_port_t last = 7300;

	return ++last;
}

/* Whatever the application asks for, and a port's own rule before that of all. */
TEST_F_TIMEOUT(v6only, rule_decides, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), asked, rule, own;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;
	int fd;

	for (own = 0; own < 2; own++) {
		for (rule = 0; rule < 2; rule++) {
			fam_rule_del(ds, 0, 0);
			ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, 0, 0, rule ^ own));
			for (asked = 0; asked < 2; asked++) {
				port = fresh_port();
				if (own)
					ASSERT_EQ(FAM_RULE_NEW,
						  fam_rule_set(ds, proto, port, rule));
				close(self->fd);
				self->fd = bound(variant->type, "::", port, asked, 0);
				ASSERT_LE(0, self->fd);
				if (rule)
					v6only_expect_v6only(_metadata, variant->type,
							     self->fd, &self->seen);
				else
					v6only_expect_dual(_metadata, variant->type,
							   self->fd, &self->seen);
				if (own)
					expect_rule(_metadata, ds, variant->type,
						    port, 1, 0);
			}
			expect_rule(_metadata, ds, variant->type, 0, own ? 0 : 2, 0);
		}
	}

	/* Gone, it decides no more. */
	ASSERT_EQ(0, fam_rule_del(ds, proto, port));
	ASSERT_EQ(0, fam_rule_del(ds, 0, 0));
	for (asked = 0; asked < 2; asked++) {
		port = fresh_port();
		ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, proto, port, !asked));
		ASSERT_EQ(0, fam_rule_del(ds, proto, port));
		fd = bound(variant->type, "::", port, asked, 0);
		ASSERT_LE(0, fd);
		EXPECT_EQ(asked, net_v6only(fd));
		close(fd);
	}
}

/* One address, a port that the kernel chooses, and other namespaces are no business of
 * a rule; nor is MPTCP.
 */
TEST_F_TIMEOUT(v6only, rule_leaves_others_alone, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), asked, fd;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;

	close(self->fd);
	self->fd = -1;
	for (asked = 0; asked < 2; asked++) {
		ASSERT_LE(0, fam_rule_set(ds, 0, 0, !asked));
		ASSERT_LE(0, fam_rule_set(ds, proto, port, !asked));
		fd = bound(variant->type, "::1", port, asked, 0);
		ASSERT_LE(0, fd);
		close(fd);
		fd = bound(variant->type, "::", 0, asked, 0);
		ASSERT_LE(0, fd);
		EXPECT_EQ(asked, net_v6only(fd));
		close(fd);
		if (variant->type == SOCK_STREAM) {
			fd = bound(variant->type, "::", port, asked, NET_MPTCP);
			if (fd != -EPROTONOSUPPORT) {
				ASSERT_LE(0, fd);
				EXPECT_EQ(asked, net_v6only(fd));
				close(fd);
			}
		}
		expect_rule(_metadata, ds, variant->type, port, 0, 0);
		expect_rule(_metadata, ds, variant->type, 0, 0, 0);
	}
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	fd = bound(variant->type, "::", port, 0, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, net_v6only(fd));
	close(fd);
	expect_rule(_metadata, ds, variant->type, port, 0, 0);
}

/* A bind() that fails leaves the option as the application has set it. */
TEST_F_TIMEOUT(v6only, rule_undone, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), asked, fd, other;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;

	other = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, other);
	for (asked = 0; asked < 2; asked++) {
		ASSERT_LE(0, fam_rule_set(ds, proto, port, !asked));
		fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC, 0);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, net_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, asked));
		EXPECT_EQ(-EADDRINUSE, net_bind(fd, "::", port));
		EXPECT_EQ(asked, net_v6only(fd));
		/* As it can bind to another one yet. */
		EXPECT_EQ(0, net_bind(fd, "::", 0));
		EXPECT_EQ(asked, net_v6only(fd));
		close(fd);
		expect_rule(_metadata, ds, variant->type, port, 0, 0);
	}
	close(other);
}

/* An IPv4 socket that is there: rule "off" is passed over, and says for whom. */
TEST_F_TIMEOUT(v6only, rule_passed_over, TEST_TIMEOUT)
{
	static const char *const addrs[] = { "0.0.0.0", "127.0.0.1", "::ffff:127.0.0.1" };
	int proto = net_protocol_of(variant->type), other;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;
	struct fam_rule rule;
	union net_addr a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		close(self->fd);
		fam_rule_del(ds, proto, port);
		ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, proto, port, 0));
		other = bound(variant->type, addrs[i], port, 0, 0);
		ASSERT_LE(0, other);
		self->fd = bound(variant->type, "::", port, 1, 0);
		ASSERT_LE(0, self->fd);
		EXPECT_EQ(1, net_v6only(self->fd));
		ASSERT_EQ(0, fam_rule_get(ds, proto, port, &rule));
		EXPECT_EQ(0, rule.applied);
		EXPECT_EQ(1, rule.passed_over);
		EXPECT_EQ(net_cookie(other), rule.holder);
		net_addr_set(&a, i ? "127.0.0.1" : "0.0.0.0", 0);
		EXPECT_EQ(a.in.sin_addr.s_addr, rule.holder_addr);

		/* Where the option was off anyway, bind() fails as it would have. */
		EXPECT_EQ(-EADDRINUSE, bound(variant->type, "::", port, 0, 0));
		expect_rule(_metadata, ds, variant->type, port, 0, 1);
		close(other);
	}
}

/* An IPv4 socket that comes later: who was made dual by a rule gives IPv4 back. */
TEST_F_TIMEOUT(v6only, rule_given_back, TEST_TIMEOUT)
{
	static const char *const addrs[] = { "0.0.0.0", "127.0.0.1", "::ffff:127.0.0.1" };
	int proto = net_protocol_of(variant->type), other, live;
	struct fam *ds = &self->ds;
	struct fam_rule rule;
	in_port_t port;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		for (live = 0; live < 2; live++) {
			port = fresh_port();
			close(self->fd);
			if (live) {
				/* By v6only-set, with a rule that says so. */
				self->fd = bound(variant->type, "::", port, 1, 0);
				ASSERT_LE(0, self->fd);
			}
			ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, proto, port, 0));
			if (live) {
				ASSERT_EQ(1, fam_v6only_set_idle(ds, self->fd, false));
			} else {
				self->fd = bound(variant->type, "::", port, 1, 0);
				ASSERT_LE(0, self->fd);
			}
			v6only_expect_dual(_metadata, variant->type, self->fd,
					   &self->seen);

			other = bound(variant->type, addrs[i], port, 0, 0);
			ASSERT_LE(0, other);
			EXPECT_EQ(1, net_v6only(self->fd));
			EXPECT_TRUE(v6only_served(_metadata, variant->type, "127.0.0.1",
						  other, &self->seen));
			EXPECT_TRUE(v6only_served(_metadata, variant->type, "::1",
						  self->fd, &self->seen));
			ASSERT_EQ(0, fam_rule_get(ds, proto, port, &rule));
			EXPECT_EQ(!live, rule.applied);
			EXPECT_EQ(1, rule.passed_over);
			EXPECT_EQ(net_cookie(other), rule.holder);
			close(other);
		}
	}
}

/* Whoever is dual of his own will keeps IPv4, as he would without a rule; so does one
 * that was set by hand before there was one.
 */
TEST_F_TIMEOUT(v6only, rule_no_theft, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), by_hand;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;

	for (by_hand = 0; by_hand < 2; by_hand++) {
		close(self->fd);
		fam_rule_del(ds, proto, port);
		if (by_hand) {
			self->fd = bound(variant->type, "::", port, 1, 0);
			ASSERT_LE(0, self->fd);
			ASSERT_EQ(1, fam_v6only_set_idle(ds, self->fd, false));
		}
		ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, proto, port, 0));
		if (!by_hand) {
			self->fd = bound(variant->type, "::", port, 0, 0);
			ASSERT_LE(0, self->fd);
		}
		EXPECT_EQ(-EADDRINUSE,
			  net_server(variant->type, "0.0.0.0", port, 0));
		EXPECT_EQ(0, net_v6only(self->fd));
		expect_rule(_metadata, ds, variant->type, port, !by_hand, 0);
	}
}

/* Workers are one group, and give IPv4 back as one. */
TEST_F_TIMEOUT(v6only, rule_group, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), fd[GROUP], other, i;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;

	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, proto, port, 0));
	for (i = 0; i < GROUP; i++) {
		fd[i] = bound(variant->type, "::", port, i % 2, NET_REUSEPORT);
		ASSERT_LE(0, fd[i]);
		EXPECT_EQ(0, net_v6only(fd[i]));
	}
	expect_rule(_metadata, ds, variant->type, port, GROUP, 0);
	/* Some are dual of their own will, and keep IPv4 from others as without a rule. */
	EXPECT_EQ(-EADDRINUSE, bound(variant->type, "127.0.0.1", port, 0, 0));
	for (i = 0; i < GROUP; i++)
		EXPECT_EQ(0, net_v6only(fd[i]));
	expect_rule(_metadata, ds, variant->type, port, GROUP, 0);
	for (i = 0; i < GROUP; i += 2)
		close(fd[i]);
	other = bound(variant->type, "127.0.0.1", port, 0, 0);
	ASSERT_LE(0, other);
	for (i = 1; i < GROUP; i += 2) {
		EXPECT_EQ(1, net_v6only(fd[i]));
		close(fd[i]);
	}
	expect_rule(_metadata, ds, variant->type, port, GROUP, 1);
	close(other);
}

/* A worker that comes later joins those that are there, whatever the rule. */
TEST_F_TIMEOUT(v6only, rule_joins, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), fd[2], asked, i;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;

	close(self->fd);
	self->fd = -1;
	for (asked = 0; asked < 2; asked++) {
		fam_rule_del(ds, proto, port);
		for (i = 0; i < 2; i++) {
			fd[i] = bound(variant->type, "::", port, asked, NET_REUSEPORT);
			ASSERT_LE(0, fd[i]);
			EXPECT_EQ(asked, net_v6only(fd[i]));
			ASSERT_LE(0, fam_rule_set(ds, proto, port, !asked));
		}
		expect_rule(_metadata, ds, variant->type, port, 0, 1);
		close(fd[0]);
		close(fd[1]);
	}
}

/* A socket at the port that is bound and does not listen, or -errno. */
static int bound_only(const char *addr, in_port_t port, bool reuseport)
{
	bool v6 = strchr(addr, ':');
	int fd, err;

	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = net_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!err && reuseport)
		err = net_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (!err && v6)
		err = net_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (!err)
		err = net_bind(fd, addr, port);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Two that can both be bound, and then both listen: as without a rule. */
TEST_F_TIMEOUT(listener, rule_in_listen, TEST_TIMEOUT)
{
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;
	int fd[2], order, listens, i;

	close(self->fd);
	self->fd = -1;
	for (i = 0; i < 4; i++) {
		order = i % 2;
		listens = i / 2;
		fam_rule_del(ds, IPPROTO_TCP, port);
		ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, IPPROTO_TCP, port, 0));
		fd[order] = bound_only(order ? "0.0.0.0" : "::", port, false);
		fd[!order] = bound_only(order ? "::" : "0.0.0.0", port, false);
		ASSERT_LE(0, fd[0]);
		ASSERT_LE(0, fd[1]);
		EXPECT_EQ(0, listen(fd[listens], 8));
		EXPECT_EQ(0, listen(fd[!listens], 8));
		EXPECT_EQ(1, net_v6only(fd[0]));
		expect_rule(_metadata, ds, SOCK_STREAM, port, 1, 1);
		EXPECT_TRUE(v6only_served(_metadata, SOCK_STREAM, "127.0.0.1", fd[1],
					  &self->seen));
		EXPECT_TRUE(v6only_served(_metadata, SOCK_STREAM, "::1", fd[0],
					  &self->seen));
		close(fd[0]);
		close(fd[1]);
	}
}

/* IPv4 is not given to a bind() that fails for another reason as well. */
TEST_F_TIMEOUT(listener, rule_in_vain, TEST_TIMEOUT)
{
	struct fam *ds = &self->ds;
	union net_addr peer;
	in_port_t port = fresh_port();
	int fd, client, conn;

	ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, IPPROTO_TCP, port, 0));
	fd = bound(SOCK_STREAM, "::", port, 1, 0);
	ASSERT_LE(0, fd);
	client = net_client(SOCK_STREAM, "127.0.0.1", port, NULL);
	ASSERT_LE(0, client);
	conn = net_accept(fd, &peer);
	ASSERT_LE(0, conn);

	EXPECT_EQ(-EADDRINUSE, bound(SOCK_STREAM, "0.0.0.0", port, 0, 0));
	EXPECT_EQ(0, net_v6only(fd));
	expect_rule(_metadata, ds, SOCK_STREAM, port, 1, 0);
	EXPECT_TRUE(v6only_served(_metadata, SOCK_STREAM, "127.0.0.1", fd,
				  &self->seen));
	close(client);
	close(conn);
	close(fd);
}

/* A listen() that fails because of IPv6 is not for the sake of IPv4. */
TEST_F_TIMEOUT(listener, rule_listen_fails, TEST_TIMEOUT)
{
	struct fam *ds = &self->ds;
	in_port_t port = fresh_port();
	int fd[2];

	ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, IPPROTO_TCP, port, 0));
	fd[0] = bound_only("::", port, false);
	fd[1] = bound_only("::", port, false);
	ASSERT_LE(0, fd[0]);
	ASSERT_LE(0, fd[1]);
	EXPECT_EQ(0, listen(fd[0], 8));
	EXPECT_EQ(-1, listen(fd[1], 8));
	EXPECT_EQ(EADDRINUSE, errno);
	EXPECT_EQ(0, net_v6only(fd[1]));
	expect_rule(_metadata, ds, SOCK_STREAM, port, 2, 0);
	close(fd[0]);
	EXPECT_EQ(0, listen(fd[1], 8));
	EXPECT_EQ(0, net_v6only(fd[1]));
	close(fd[1]);
}

/* Workers of which some listen later stay together when IPv4 has been given back. */
TEST_F_TIMEOUT(listener, rule_late_worker, TEST_TIMEOUT)
{
	struct fam *ds = &self->ds;
	in_port_t port = fresh_port();
	int fd[2], other;

	ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, IPPROTO_TCP, port, 0));
	fd[0] = bound_only("::", port, true);
	fd[1] = bound_only("::", port, true);
	ASSERT_LE(0, fd[0]);
	ASSERT_LE(0, fd[1]);
	EXPECT_EQ(0, listen(fd[0], 8));
	other = bound_only("0.0.0.0", port, false);
	ASSERT_LE(0, other);
	EXPECT_EQ(1, net_v6only(fd[0]));
	EXPECT_EQ(0, listen(fd[1], 8));
	EXPECT_EQ(1, net_v6only(fd[1]));
	EXPECT_EQ(0, listen(other, 8));
	close(other);
	close(fd[0]);
	close(fd[1]);
}

/* One that was connected and is no more is as it was. */
TEST_F_TIMEOUT(listener, rule_after_disconnect, TEST_TIMEOUT)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;
	int fd;

	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, IPPROTO_UDP, port, 0));
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, net_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1));
	ASSERT_EQ(0, net_bind(fd, "::", port));
	EXPECT_EQ(0, net_v6only(fd));
	ASSERT_EQ(0, net_connect(fd, "::ffff:127.0.0.1", port));
	EXPECT_EQ(0, connect(fd, &none, sizeof(none)));
	EXPECT_EQ(0, net_v6only(fd));
	self->fd = bound(SOCK_DGRAM, "127.0.0.1", port, 0, 0);
	EXPECT_LE(0, self->fd);
	EXPECT_EQ(1, net_v6only(fd));
	close(fd);
}

/* No bind() fails because of a rule: what two sockets can have without one, they can
 * have with it, in either order.
 */

enum {
	REUSEADDR	= NET_REUSEADDR,
	REUSEPORT	= NET_REUSEPORT,
};

static unsigned int both(struct __test_metadata *_metadata, int type,
			 in_port_t port, const char *other,
			 const unsigned int flags[2], int asked, bool ours_first)
{
	unsigned int went = 0;
	int fd[2] = { -1, -1 };
	int i, who;

	for (i = 0; i < 2; i++) {
		who = i ^ !ours_first;
		fd[who] = who ? bound(type, other, port, 0, flags[1]) :
				bound(type, "::", port, asked, flags[0]);
		EXPECT_TRUE(fd[who] >= 0 || fd[who] == -EADDRINUSE)
			TH_LOG("%s: %d", other, fd[who]);
		went |= (fd[who] >= 0) << who;
	}
	for (i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return went;
}

TEST_F_TIMEOUT(v6only, rule_fails_nobody, 5 * TEST_TIMEOUT)
{
	static const char *const others[] = {
		"0.0.0.0", "127.0.0.1", "::ffff:0.0.0.0", "::ffff:127.0.0.1", "::1",
	};
	static const unsigned int opts[] = { 0, REUSEADDR, REUSEPORT,
					     REUSEADDR | REUSEPORT };
	int proto = net_protocol_of(variant->type), rule, asked, order, went = 0;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;
	unsigned int want, got, a, i, k;

	close(self->fd);
	self->fd = -1;
	for (a = 0; a < ARRAY_SIZE(others) * 4 * 4 * 2 * 2; a++) {
		const char *other = others[a / 64];
		unsigned int flags[2];

		i = a / 16 % 4;
		k = a / 4 % 4;
		asked = a / 2 % 2;
		order = a % 2;
		flags[0] = opts[i];
		flags[1] = opts[k];
		fam_rule_del(ds, proto, port);
		want = both(_metadata, variant->type, port, other, flags, asked, order);
		for (rule = 0; rule < 2; rule++) {
			ASSERT_LE(0, fam_rule_set(ds, proto, port, rule));
			got = both(_metadata, variant->type, port, other, flags,
				   asked, order);
			EXPECT_EQ(want, want & got)
				TH_LOG("%s, options %u and %u, V6ONLY %d, rule %d, %d: %u of %u",
				       other, i, k, asked, rule, order, got, want);
			went += want == 3;
		}
	}
	EXPECT_LT(0, went);
}

/* What is told of it as it happens. */
TEST_F_TIMEOUT(v6only, rule_events, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), other;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;
	struct fam_listener l = { };
	struct fam_event ev;
	union net_addr a;

	close(self->fd);
	ASSERT_EQ(0, fam_listen(&l));
	ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, proto, port, 0));
	self->fd = bound(variant->type, "::", port, 1, 0);
	ASSERT_LE(0, self->fd);
	other = net_server(variant->type, "127.0.0.1", port, 0);
	ASSERT_LE(0, other);

	do {
		ASSERT_EQ(0, fam_listen_next(&l, NET_TIMEOUT_MS, &ev));
	} while (ev.seq <= l.seq);
	EXPECT_EQ(DUALSTACK_EVENT_TYPE_RULE_APPLIED, ev.type);
	EXPECT_EQ(proto, ev.protocol);
	EXPECT_EQ(0, ev.v6only);
	EXPECT_EQ(net_cookie(self->fd), ev.cookie);
	net_addr_set(&a, "::", port);
	EXPECT_TRUE(net_addr_eq(&a, &ev.local));
	EXPECT_EQ(AF_UNSPEC, ev.peer.sa.sa_family);

	ASSERT_EQ(0, fam_listen_next(&l, NET_TIMEOUT_MS, &ev));
	EXPECT_EQ(DUALSTACK_EVENT_TYPE_RULE_PASSED_OVER, ev.type);
	EXPECT_EQ(net_cookie(self->fd), ev.cookie);
	net_addr_set(&a, "127.0.0.1", port);
	EXPECT_TRUE(net_addr_eq(&a, &ev.peer));
	close(other);
	fam_listen_end(&l);
}

/* Tracking off: rules stay, and do not act. */
TEST_F_TIMEOUT(v6only, rule_without_hooks, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), on, fd;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;

	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(ds, proto, port, 1));
	for (on = 0; on < 2; on++) {
		ASSERT_EQ(0, fam_config_set(ds, DUALSTACK_A_CONFIG_TRACKING, on));
		fd = bound(variant->type, "::", port, 0, 0);
		ASSERT_LE(0, fd);
		EXPECT_EQ(on, net_v6only(fd));
		close(fd);
		expect_rule(_metadata, ds, variant->type, port, on, 0);
	}
}

/* Users of no rank may look, and nothing else; and their own namespaces are theirs. */
TEST_F_TIMEOUT(v6only, rule_rights, TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), status;
	in_port_t port = net_port(self->fd);
	struct fam_rule rule;
	struct fam ds;
	pid_t pid;

	ASSERT_EQ(FAM_RULE_NEW, fam_rule_set(&self->ds, proto, port, 1));
	pid = net_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (net_become_nobody() || fam_open(&ds) ||
		    fam_rule_set(&ds, proto, port, 0) != -EPERM ||
		    fam_rule_del(&ds, proto, port) != -EPERM ||
		    fam_rule_get(&ds, proto, port, &rule) || !rule.v6only)
			_exit(1);
		fam_close(&ds);
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET) || fam_open(&ds))
			_exit(2);
		_exit(fam_rules_dump(&ds, &rule, 1) ||
		      fam_rule_set(&ds, proto, port, 0) != FAM_RULE_NEW ||
		      fam_rule_del(&ds, proto, port) ? 3 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	expect_rule(_metadata, &self->ds, variant->type, port, 0, 0);
}

/* A service that restarts, while clients of both families come. */

static void *knock(void *arg)
{
	const in_port_t *port = arg;
	static const char *const addrs[] = { "127.0.0.1", "::1" };
	int i, fd;

	for (i = 0; ; i++) {
		pthread_testcancel();
		fd = net_client(SOCK_STREAM, addrs[i % 2], *port, NULL);
		if (fd >= 0)
			net_close_reset(fd);
	}
	return NULL;
}

TEST_F_TIMEOUT(v6only, rule_restarts, 2 * TEST_TIMEOUT)
{
	int proto = net_protocol_of(variant->type), i, n = test_rounds(ROUNDS), rule;
	in_port_t port = net_port(self->fd);
	struct fam *ds = &self->ds;
	pthread_t thread;

	/* What the first one has accepted is in the way of those that follow. */
	close(self->fd);
	self->fd = bound(variant->type, "::", port, 0, NET_REUSEADDR);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, knock, &port));
	for (rule = 0; rule < 2; rule++) {
		ASSERT_LE(0, fam_rule_set(ds, proto, port, rule));
		for (i = 0; i < n; i++) {
			close(self->fd);
			self->fd = bound(variant->type, "::", port, i % 2,
					 NET_REUSEADDR);
			ASSERT_LE(0, self->fd)
				TH_LOG("rule %d, restart %d", rule, i);
			EXPECT_EQ(rule, net_v6only(self->fd));
		}
		expect_rule(_metadata, ds, variant->type, port, n, 0);
	}
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

TEST_HARNESS_MAIN
