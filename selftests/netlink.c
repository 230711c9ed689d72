// SPDX-License-Identifier: GPL-2.0-only
/*
 * The netlink family: what it refuses and in which words, who may read, and
 * dumps of many sockets.
 */
#include <grp.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "lib/test.h"

#define MANY_SOCKETS	2000
#define STEADY_SOCKETS	300
#define NOBODY		65534

FIXTURE(netlink)
{
	struct fam ds;
};

FIXTURE_SETUP(netlink)
{
	struct rlimit limit = { MANY_SOCKETS + 100, MANY_SOCKETS + 100 };

	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
}

FIXTURE_TEARDOWN(netlink)
{
	fam_close(&self->ds);
}

/* A dual UDP socket that has read one IPv4 datagram, or -1. */
static int used_socket(int sender)
{
	union net_addr to;
	int fd;
	char c;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	if (fd < 0)
		return -1;
	net_addr_set(&to, "127.0.0.1", net_port(fd));
	if (sendto(sender, "x", 1, 0, &to.sa, net_addr_len(&to)) != 1 ||
	    net_wait_in(fd, NET_TIMEOUT_MS) || recv(fd, &c, 1, 0) != 1) {
		close(fd);
		return -1;
	}
	return fd;
}

TEST_F_TIMEOUT(netlink, unknown_attribute, TEST_TIMEOUT)
{
	static const struct {
		int cmd, flags;
	} request[] = {
		{ DUALSTACK_CMD_SOCKET_GET, 0 },
		{ DUALSTACK_CMD_SOCKET_GET, NLM_F_DUMP },
		{ DUALSTACK_CMD_STATS_GET, 0 },
		{ DUALSTACK_CMD_HOOK_GET, 0 },
		{ DUALSTACK_CMD_HOOK_GET, NLM_F_DUMP },
		{ DUALSTACK_CMD_CONFIG_GET, 0 },
		{ DUALSTACK_CMD_CONFIG_SET, 0 },
		{ DUALSTACK_CMD_RESET, 0 },
		{ DUALSTACK_CMD_EVENTS_START, 0 },
	};
	struct nl_msg *msg;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(request); i++) {
		msg = fam_msg(&self->ds, request[i].cmd, request[i].flags);
		ASSERT_NE(NULL, msg);
		ASSERT_EQ(0, nla_put_u32(msg, 100, 0));
		EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL))
			TH_LOG("command %d", request[i].cmd);
		EXPECT_STRNE("", self->ds.extack)
			TH_LOG("command %d", request[i].cmd);
	}
}

/* Attributes that only answers carry are unknown in a request. */
TEST_F_TIMEOUT(netlink, reply_attribute, TEST_TIMEOUT)
{
	struct nl_msg *msg;

	msg = fam_msg(&self->ds, DUALSTACK_CMD_SOCKET_GET, 0);
	ASSERT_NE(NULL, msg);
	ASSERT_EQ(0, nla_put_u8(msg, DUALSTACK_A_SOCKET_PROTOCOL, 6));
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));
	EXPECT_STRNE("", self->ds.extack);
}

/* A dump is of all there are. */
TEST_F_TIMEOUT(netlink, dump_of_one, TEST_TIMEOUT)
{
	struct nl_msg *msg;

	msg = fam_msg(&self->ds, DUALSTACK_CMD_SOCKET_GET, NLM_F_DUMP);
	ASSERT_NE(NULL, msg);
	ASSERT_EQ(0, nla_put_u64(msg, DUALSTACK_A_SOCKET_COOKIE, 1));
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));
	EXPECT_STREQ("A dump is of all sockets: no cookie", self->ds.extack);

	msg = fam_msg(&self->ds, DUALSTACK_CMD_HOOK_GET, NLM_F_DUMP);
	ASSERT_NE(NULL, msg);
	ASSERT_EQ(0, nla_put_string(msg, DUALSTACK_A_HOOK_NAME, "kfree_skb"));
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));
	EXPECT_STREQ("A dump is of all hooks: no name", self->ds.extack);
}

TEST_F_TIMEOUT(netlink, wrong_length, TEST_TIMEOUT)
{
	struct nl_msg *msg;

	msg = fam_msg(&self->ds, DUALSTACK_CMD_SOCKET_GET, 0);
	ASSERT_NE(NULL, msg);
	ASSERT_EQ(0, nla_put_u32(msg, DUALSTACK_A_SOCKET_COOKIE, 1));
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));
	EXPECT_STRNE("", self->ds.extack);

	msg = fam_msg(&self->ds, DUALSTACK_CMD_HOOK_GET, 0);
	ASSERT_NE(NULL, msg);
	ASSERT_EQ(0, nla_put(msg, DUALSTACK_A_HOOK_NAME, 4, "abcd"));
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));
	EXPECT_STRNE("", self->ds.extack);
}

TEST_F_TIMEOUT(netlink, missing_attribute, TEST_TIMEOUT)
{
	struct nl_msg *msg;

	msg = fam_msg(&self->ds, DUALSTACK_CMD_SOCKET_GET, 0);
	ASSERT_NE(NULL, msg);
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));

	msg = fam_msg(&self->ds, DUALSTACK_CMD_HOOK_GET, 0);
	ASSERT_NE(NULL, msg);
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));
}

/* A cookie without a record: never given, or of a socket without events. */
TEST_F_TIMEOUT(netlink, unknown_cookie, TEST_TIMEOUT)
{
	static const __u64 cookies[] = { 0, ~0ULL };
	struct fam_socket s;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(cookies); i++) {
		EXPECT_EQ(-ENOENT, fam_socket_get(&self->ds, cookies[i], &s));
		EXPECT_STRNE("", self->ds.extack);
	}
	fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOENT, fam_socket_get(&self->ds, net_cookie(fd), &s));
	EXPECT_STRNE("", self->ds.extack);
	close(fd);
}

TEST_F_TIMEOUT(netlink, unknown_protocol, TEST_TIMEOUT)
{
	struct fam_stats stats;

	EXPECT_EQ(-EINVAL, fam_stats_get(&self->ds, IPPROTO_ICMP, &stats));
	EXPECT_STRNE("", self->ds.extack);
	EXPECT_EQ(0, fam_stats_get(&self->ds, IPPROTO_TCP, &stats));
	EXPECT_EQ(0, fam_stats_get(&self->ds, IPPROTO_UDP, &stats));
}

TEST_F_TIMEOUT(netlink, unknown_command, TEST_TIMEOUT)
{
	static const int cmds[] = { 0, DUALSTACK_CMD_MAX + 1, 255 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-EOPNOTSUPP,
			  fam_talk(&self->ds, fam_msg(&self->ds, cmds[i], 0),
				   NULL, NULL))
			TH_LOG("command %d", cmds[i]);
	}
	/* There is one set of sums: nothing to dump. */
	EXPECT_EQ(-EOPNOTSUPP,
		  fam_talk(&self->ds, fam_msg(&self->ds, DUALSTACK_CMD_STATS_GET,
					      NLM_F_DUMP), NULL, NULL));
}

/* Reserved bits must be zero, so that they can get a meaning one day. */
TEST_F_TIMEOUT(netlink, reserved_bits, TEST_TIMEOUT)
{
	struct genlmsghdr *ghdr;
	struct nl_msg *msg;

	msg = fam_msg(&self->ds, DUALSTACK_CMD_STATS_GET, 0);
	ASSERT_NE(NULL, msg);
	ghdr = nlmsg_data(nlmsg_hdr(msg));
	ghdr->reserved = 1;
	EXPECT_EQ(-EINVAL, fam_talk(&self->ds, msg, NULL, NULL));
}

static int any_hook(const struct fam_hook *h, void *arg)
{
	++*(int *)arg;
	return 0;
}

/* What anybody may do: read, in the namespace that he is in. */
static void expect_readable(struct __test_metadata *_metadata, int fd,
			    const struct fam_counters *seen)
{
	struct fam ds;
	int hooks = 0;

	ASSERT_EQ(0, fam_open(&ds));
	test_expect_socket(_metadata, &ds, fd, seen);
	test_expect_sums(_metadata, &ds, seen);
	EXPECT_EQ(1, fam_socket_count(&ds));
	EXPECT_EQ(0, fam_hook_dump(&ds, any_hook, &hooks));
	EXPECT_LT(0, hooks);
	fam_close(&ds);
}

TEST_F_TIMEOUT(netlink, unprivileged, TEST_TIMEOUT)
{
	struct fam_counters seen = { }, none = { };
	int sender, fd;
	struct fam ds;

	sender = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, sender);
	fd = used_socket(sender);
	ASSERT_LE(0, fd);
	seen.v[DUALSTACK_A_COUNTER_MAPPED_RECV]++;

	ASSERT_EQ(0, net_become_nobody());
	expect_readable(_metadata, fd, &seen);

	/* In a namespace of his own he sees that, and only that. */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		TH_LOG("no user namespaces for users: %s", strerror(errno));
		return;
	}
	ASSERT_EQ(0, fam_open(&ds));
	test_expect_none(_metadata, &ds, fd);
	test_expect_sums(_metadata, &ds, &none);
	EXPECT_EQ(0, fam_socket_count(&ds));
	fam_close(&ds);
}

/* Who the peers of this socket were, by its record alone and in the dump. */

static int copy_peers(const struct fam_socket *s, void *arg)
{
	struct fam_socket *want = arg;

	if (s->cookie == want->cookie)
		*want = *s;
	return 0;
}

static void get_peers(struct __test_metadata *_metadata, struct fam *ds,
		      int fd, struct fam_socket *got, struct fam_socket *dumped)
{
	ASSERT_EQ(0, fam_socket_get(ds, net_cookie(fd), got));
	memset(dumped, 0, sizeof(*dumped));
	dumped->cookie = net_cookie(fd);
	ASSERT_EQ(0, fam_socket_dump(ds, copy_peers, dumped));
	/* Nothing else depends on who asks. */
	EXPECT_EQ(IPPROTO_UDP, got->protocol);
	EXPECT_EQ(IPPROTO_UDP, dumped->protocol);
	EXPECT_EQ(1, got->counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV]);
	EXPECT_EQ(1, dumped->counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV]);
	EXPECT_EQ(1, got->counters.v[DUALSTACK_A_COUNTER_REJECT_SEND]);
	EXPECT_EQ(1, dumped->counters.v[DUALSTACK_A_COUNTER_REJECT_SEND]);
}

static void expect_peers(struct __test_metadata *_metadata, struct fam *ds,
			 int fd, const union net_addr *mapped,
			 const union net_addr *rejected)
{
	struct fam_socket got, dumped;

	get_peers(_metadata, ds, fd, &got, &dumped);
	EXPECT_STREQ("", ds->extack);
	test_expect_peer(_metadata, mapped, &got.last_mapped);
	test_expect_peer(_metadata, mapped, &dumped.last_mapped);
	test_expect_peer(_metadata, rejected, &got.last_rejected);
	test_expect_peer(_metadata, rejected, &dumped.last_rejected);
}

static void expect_no_peers(struct __test_metadata *_metadata,
			    struct fam *ds, int fd)
{
	struct fam_socket got, dumped;

	get_peers(_metadata, ds, fd, &got, &dumped);
	/* It is said that there are some, and what they need. */
	EXPECT_NE(NULL, strstr(ds->extack, "CAP_NET_ADMIN"))
		TH_LOG("said: \"%s\"", ds->extack);
	EXPECT_EQ(AF_UNSPEC, got.last_mapped.addr.sa.sa_family);
	EXPECT_EQ(AF_UNSPEC, got.last_rejected.addr.sa.sa_family);
	EXPECT_EQ(AF_UNSPEC, dumped.last_mapped.addr.sa.sa_family);
	EXPECT_EQ(AF_UNSPEC, dumped.last_rejected.addr.sa.sa_family);
}

/* A socket that had a mapped peer, and one that it was kept from. */
static int peered_socket(struct __test_metadata *_metadata,
			 union net_addr *mapped, union net_addr *rejected)
{
	union net_addr to;
	int sender, fd;
	struct fam ds;

	sender = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	EXPECT_LE(0, sender);
	*mapped = net_local(sender);
	fd = used_socket(sender);
	EXPECT_LE(0, fd);
	close(sender);

	/* V6ONLY after bind() is what the module is for. */
	EXPECT_EQ(0, fam_open(&ds));
	EXPECT_EQ(1, fam_v6only_set(&ds, fd, true, false));
	fam_close(&ds);
	net_addr_set(&to, "::ffff:127.0.0.1", 9);
	EXPECT_EQ(-1, sendto(fd, "x", 1, 0, &to.sa, sizeof(to.in6)));
	net_addr_set(rejected, "127.0.0.1", 9);
	return fd;
}

/* As write() does: without the kernel's address. */
static int send_as_write(struct nl_sock *sk, struct nl_msg *msg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	return send(nl_socket_get_fd(sk), nlh, nlh->nlmsg_len, 0);
}

/* Peers are for who administers the network. */
TEST_F_TIMEOUT(netlink, peers, TEST_TIMEOUT)
{
	union net_addr mapped, rejected;
	struct fam opened_by_nobody, ds;
	struct nl_cb *cb;
	int fd;

	fd = peered_socket(_metadata, &mapped, &rejected);
	expect_peers(_metadata, &self->ds, fd, &mapped, &rejected);

	/* A setuid program is given a socket as its standard output. */
	ASSERT_EQ(0, seteuid(NOBODY));
	ASSERT_EQ(0, fam_open(&opened_by_nobody));
	expect_no_peers(_metadata, &opened_by_nobody, fd);
	ASSERT_EQ(0, seteuid(0));
	cb = nl_socket_get_cb(opened_by_nobody.sk);
	nl_cb_overwrite_send(cb, send_as_write);
	nl_cb_put(cb);
	expect_no_peers(_metadata, &opened_by_nobody, fd);
	fam_close(&opened_by_nobody);
	expect_peers(_metadata, &self->ds, fd, &mapped, &rejected);

	ASSERT_EQ(0, net_become_nobody());
	expect_no_peers(_metadata, &self->ds, fd);
	ASSERT_EQ(0, fam_open(&ds));
	expect_no_peers(_metadata, &ds, fd);
	fam_close(&ds);

	/* Root of a user namespace that does not own this network. */
	if (unshare(CLONE_NEWUSER)) {
		TH_LOG("no user namespaces for users: %s", strerror(errno));
		return;
	}
	ASSERT_EQ(0, fam_open(&ds));
	expect_no_peers(_metadata, &ds, fd);
	fam_close(&ds);

	/* He sees who the peers in his own are, and not of those in the other. */
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&ds));
	test_expect_none(_metadata, &ds, fd);
	close(fd);
	fd = peered_socket(_metadata, &mapped, &rejected);
	expect_peers(_metadata, &ds, fd, &mapped, &rejected);
	fam_close(&ds);
}

struct cookie_set {
	__u64 cookie[MANY_SOCKETS];
	unsigned int times[MANY_SOCKETS];
	size_t n;
	unsigned int others;
	bool wrong;
};

static int cmp_u64(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return (x > y) - (x < y);
}

static int tick_off(const struct fam_socket *s, void *arg)
{
	struct cookie_set *set = arg;
	__u64 *hit;

	hit = bsearch(&s->cookie, set->cookie, set->n, sizeof(*set->cookie),
		      cmp_u64);
	if (!hit) {
		set->others++;
		return 0;
	}
	set->times[hit - set->cookie]++;
	if (s->counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV] != 1)
		set->wrong = true;
	return 0;
}

/* Open sockets that have a record, remember their cookies. */
static void fill(struct __test_metadata *_metadata, struct fam *ds,
		 struct cookie_set *set, int *fd, size_t n)
{
	struct fam_stats stats;
	int sender;

	sender = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, sender);
	memset(set, 0, sizeof(*set));
	for (; set->n < n; set->n++) {
		fd[set->n] = used_socket(sender);
		ASSERT_LE(0, fd[set->n]);
		set->cookie[set->n] = net_cookie(fd[set->n]);
	}
	close(sender);
	/* Its record goes soon. */
	EXPECT_TRUE(net_wait_for(!fam_stats_get(ds, 0, &stats) &&
				 stats.tracked == n, NET_TIMEOUT_MS));
	qsort(set->cookie, set->n, sizeof(*set->cookie), cmp_u64);
}

static void expect_once(struct __test_metadata *_metadata,
			struct cookie_set *set)
{
	size_t i, missing = 0, repeated = 0;

	for (i = 0; i < set->n; i++) {
		missing += !set->times[i];
		repeated += set->times[i] > 1;
	}
	EXPECT_EQ(0, missing);
	EXPECT_EQ(0, repeated);
	EXPECT_FALSE(set->wrong);
	memset(set->times, 0, sizeof(set->times));
}

/* Far more records than fit into one message. */
TEST_F_TIMEOUT(netlink, dump_many, TEST_TIMEOUT)
{
	static struct cookie_set set;
	static int fd[MANY_SOCKETS];
	struct fam_stats stats;
	struct fam other;
	size_t i;

	fill(_metadata, &self->ds, &set, fd, MANY_SOCKETS);
	ASSERT_EQ(0, fam_socket_dump(&self->ds, tick_off, &set));
	EXPECT_FALSE(self->ds.intr);
	EXPECT_EQ(0, set.others);
	expect_once(_metadata, &set);
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	EXPECT_EQ(MANY_SOCKETS, stats.tracked);
	EXPECT_EQ(MANY_SOCKETS,
		  stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV]);

	/* A reader that goes away in the middle does no harm. */
	ASSERT_EQ(0, fam_open(&other));
	ASSERT_LT(0, nl_send_auto(other.sk, fam_msg(&other,
						    DUALSTACK_CMD_SOCKET_GET,
						    NLM_F_DUMP)));
	fam_close(&other);

	for (i = 0; i < MANY_SOCKETS; i++)
		close(fd[i]);
	EXPECT_TRUE(net_wait_for(!fam_socket_count(&self->ds), NET_TIMEOUT_MS));
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	EXPECT_EQ(0, stats.tracked);
	EXPECT_EQ(MANY_SOCKETS,
		  stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV]);
}

#define KINDS		4
#define FIRST_BUFFER	16384	/* libnl's own, which it has used by now */
#define BUFFERS		120

/* Records of several sizes: with no peer, with a mapped one, and with a rejected one. */
static int kind_of_socket(struct __test_metadata *_metadata, int kind)
{
	union net_addr mapped, rejected, to;
	int fd;
	char c;

	if (kind == 3)
		return peered_socket(_metadata, &mapped, &rejected);
	if (kind == 2) {
		fd = net_server(SOCK_DGRAM, "::", 0, NET_V6ONLY);
		EXPECT_LE(0, fd);
		net_addr_set(&to, "::ffff:127.0.0.1", 9);
		EXPECT_EQ(-1, sendto(fd, "x", 1, 0, &to.sa, sizeof(to.in6)));
		return fd;
	}
	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	EXPECT_LE(0, fd);
	EXPECT_EQ(0, net_send_to(kind ? "127.0.0.1" : "::1", net_port(fd), "x",
				 1));
	EXPECT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
	EXPECT_EQ(1, recv(fd, &c, 1, 0));
	return fd;
}

static int tick_off_any(const struct fam_socket *s, void *arg)
{
	struct cookie_set *set = arg;
	__u64 *hit;

	hit = bsearch(&s->cookie, set->cookie, set->n, sizeof(*set->cookie),
		      cmp_u64);
	if (hit)
		set->times[hit - set->cookie]++;
	return 0;
}

/*
 * The kernel fills messages as large as the reader's buffer: wherever in a record
 * one ends, the record is in the next, and whole.
 */
TEST_F_TIMEOUT(netlink, dump_any_buffer, TEST_TIMEOUT)
{
	static struct cookie_set set;
	int fd[32 * KINDS], size, i;
	size_t n = ARRAY_SIZE(fd);

	memset(&set, 0, sizeof(set));
	for (; set.n < n; set.n++) {
		fd[set.n] = kind_of_socket(_metadata, set.n % KINDS);
		set.cookie[set.n] = net_cookie(fd[set.n]);
	}
	qsort(set.cookie, set.n, sizeof(*set.cookie), cmp_u64);

	nl_socket_disable_msg_peek(self->ds.sk);
	for (i = 0; i < BUFFERS; i++) {
		size = FIRST_BUFFER + 4 * i;
		ASSERT_EQ(0, nl_socket_set_msg_buf_size(self->ds.sk, size));
		ASSERT_EQ(0, fam_socket_dump(&self->ds, tick_off_any, &set));
		expect_once(_metadata, &set);
	}
	for (i = 0; i < (int)n; i++)
		close(fd[i]);
}

struct reader {
	int sockets;
	int peers;
	bool last_has;
};

static int drop_rights(const struct fam_socket *s, void *arg)
{
	struct reader *r = arg;

	if (!r->sockets++ && seteuid(NOBODY))
		return -errno;
	r->last_has = s->last_mapped.addr.sa.sa_family != AF_UNSPEC;
	r->peers += r->last_has;
	return 0;
}

/* One who has the right begins a dump, one who has not reads the rest. */
TEST_F_TIMEOUT(netlink, dump_read_by_another, TEST_TIMEOUT)
{
	static struct cookie_set set;
	static int fd[MANY_SOCKETS];
	struct reader r = { };

	fill(_metadata, &self->ds, &set, fd, MANY_SOCKETS);
	ASSERT_EQ(0, fam_socket_dump(&self->ds, drop_rights, &r));
	TH_LOG("%d of %d sockets with a peer", r.peers, r.sockets);
	EXPECT_EQ(MANY_SOCKETS, r.sockets);
	EXPECT_LT(0, r.peers);
	EXPECT_GT(MANY_SOCKETS, r.peers);
	EXPECT_FALSE(r.last_has);
	EXPECT_NE(NULL, strstr(self->ds.extack, "CAP_NET_ADMIN"));
	ASSERT_EQ(0, seteuid(0));
}

/*
 * Sockets that are there all the time are in each dump exactly once, whatever
 * comes and goes beside them, unless the dump says that it was interrupted.
 */
TEST_F_TIMEOUT(netlink, dump_under_churn, TEST_TIMEOUT)
{
	static struct cookie_set set;
	static int fd[MANY_SOCKETS];
	int i, sender, consistent = 0;
	pid_t pid;

	fill(_metadata, &self->ds, &set, fd, STEADY_SOCKETS);

	pid = net_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		sender = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);
		for (;;)
			close(used_socket(sender));
	}
	for (i = 0; i < 50; i++) {
		EXPECT_EQ(0, fam_socket_dump(&self->ds, tick_off, &set));
		if (self->ds.intr) {
			memset(set.times, 0, sizeof(set.times));
			continue;
		}
		expect_once(_metadata, &set);
		consistent++;
	}
	TH_LOG("%d of 50 dumps were not interrupted", consistent);
	EXPECT_LT(0, set.others);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);

	EXPECT_TRUE(net_wait_for(fam_socket_count(&self->ds) == STEADY_SOCKETS,
				 NET_TIMEOUT_MS));
	ASSERT_EQ(0, fam_socket_dump(&self->ds, tick_off, &set));
	EXPECT_FALSE(self->ds.intr);
	expect_once(_metadata, &set);
	for (i = 0; i < STEADY_SOCKETS; i++)
		close(fd[i]);
}

TEST_HARNESS_MAIN
