// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting IPV6_V6ONLY of live sockets: the next client obeys, nothing that the
 * state allowed is lost, and bind() never sees anything that it would not have
 * let happen itself.
 */
#include <grp.h>
#include <netlink/attr.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mman.h>

#include "lib/test.h"

#define NOBODY		65534
#define TOGGLES		1000
#define GROUP		4
#define CLIENTS		64
#define CLOSES		100
#define JOINS		200

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/* A client at @addr of the server @fd; true if the server served it. */
static bool served(struct __test_metadata *_metadata, int type,
		   const char *addr, int fd, struct fam_counters *seen)
{
	union net_addr src = { };
	socklen_t len = sizeof(src);
	int client, conn;
	char c;

	client = net_client(type, addr, net_port(fd), NULL);
	if (client == -ECONNREFUSED)
		return false;
	EXPECT_LE(0, client);
	if (type == SOCK_STREAM) {
		conn = net_accept(fd, &src);
		EXPECT_LE(0, conn);
		test_saw_accept(seen, &src);
		net_close_reset(client);
		close(conn);
		return true;
	}
	EXPECT_EQ(1, send(client, "x", 1, 0));
	EXPECT_TRUE(net_wait_for(!net_wait_in(fd, 0) || !net_wait_in(client, 0),
				 NET_TIMEOUT_MS));
	if (net_wait_in(fd, 0)) {
		close(client);
		return false;
	}
	EXPECT_EQ(1, recvfrom(fd, &c, 1, 0, &src.sa, &len));
	test_saw_recv(seen, &src);
	close(client);
	return true;
}

FIXTURE(v6only)
{
	struct fam ds;
	struct fam_counters seen;
	int fd;
};

FIXTURE_VARIANT(v6only)
{
	int type;
};

FIXTURE_VARIANT_ADD(v6only, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(v6only, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(v6only)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	/* Every refused datagram is to be answered. */
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratelimit", 0));
	self->fd = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->fd);
	/*
	 * While it is V6ONLY, IPv4 clients may have just this port given to
	 * them, and are in its way then.
	 */
	ASSERT_EQ(0, net_sysctl("ipv4/ip_local_reserved_ports",
				net_port(self->fd)));
}

FIXTURE_TEARDOWN(v6only)
{
	close(self->fd);
	fam_close(&self->ds);
}

static void expect_dual(struct __test_metadata *_metadata, int type, int fd,
			struct fam_counters *seen)
{
	EXPECT_EQ(0, net_v6only(fd));
	EXPECT_TRUE(served(_metadata, type, "127.0.0.1", fd, seen));
	EXPECT_TRUE(served(_metadata, type, "::1", fd, seen));
}

static void expect_v6only(struct __test_metadata *_metadata, int type, int fd,
			  struct fam_counters *seen)
{
	EXPECT_EQ(1, net_v6only(fd));
	EXPECT_FALSE(served(_metadata, type, "127.0.0.1", fd, seen));
	seen->v[DUALSTACK_A_COUNTER_REJECT_V6ONLY]++;
	EXPECT_TRUE(served(_metadata, type, "::1", fd, seen));
}

TEST_F_TIMEOUT(v6only, obeyed, TEST_TIMEOUT)
{
	expect_dual(_metadata, variant->type, self->fd, &self->seen);
	EXPECT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, false));
	expect_v6only(_metadata, variant->type, self->fd, &self->seen);
	EXPECT_EQ(0, fam_v6only_set(&self->ds, self->fd, true, false));
	expect_v6only(_metadata, variant->type, self->fd, &self->seen);
	EXPECT_EQ(1, fam_v6only_set(&self->ds, self->fd, false, false));
	expect_dual(_metadata, variant->type, self->fd, &self->seen);
	EXPECT_EQ(0, fam_v6only_set(&self->ds, self->fd, false, false));
	expect_dual(_metadata, variant->type, self->fd, &self->seen);
	test_expect_socket(_metadata, &self->ds, self->fd, &self->seen);
	test_expect_sums(_metadata, &self->ds, &self->seen);
}

TEST_F_TIMEOUT(v6only, dry_run, TEST_TIMEOUT)
{
	EXPECT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, true));
	expect_dual(_metadata, variant->type, self->fd, &self->seen);
	EXPECT_EQ(0, fam_v6only_set(&self->ds, self->fd, false, true));
	ASSERT_EQ(1, fam_v6only_set(&self->ds, self->fd, true, false));
	EXPECT_EQ(1, fam_v6only_set(&self->ds, self->fd, false, true));
	expect_v6only(_metadata, variant->type, self->fd, &self->seen);
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
	bool tcp = variant->type == SOCK_STREAM;
	char full[80], address[] = "127.0.0.1";
	in_port_t port;
	struct nl_msg *msg;
	int fd[2], i, k, n = 0;

	fd[0] = net_server(variant->type, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd[0]);
	port = net_port(fd[0]);
	fd[1] = net_server(variant->type, address, port, 0);
	ASSERT_LE(0, fd[1]);
	snprintf(full, sizeof(full),
		 "It would collide with an AF_INET socket: %s %s:%u",
		 tcp ? "TCP" : "UDP", address, port);
	for (i = 0; i < REPEATED; i++) {
		msg = fam_v6only_msg(&self->ds, net_cookie(fd[0]),
				     tcp ? IPPROTO_TCP : IPPROTO_UDP, port,
				     false, true);
		ASSERT_NE(NULL, msg);
		for (k = 0; k < i; k++)
			nla_put_u8(msg, DUALSTACK_A_V6ONLY_V6ONLY, false);
		EXPECT_EQ(-EADDRINUSE, fam_talk(&self->ds, msg, NULL, NULL));
		if (!strcmp(self->ds.extack, full)) {
			n++;
			continue;
		}
		EXPECT_STREQ("It would collide with an AF_INET socket at this port",
			     self->ds.extack);
	}
	TH_LOG("%d of %d answers said where", n, REPEATED);
	EXPECT_LT(0, n);
	close(fd[0]);
	close(fd[1]);
}

TEST_F_TIMEOUT(v6only, nobody, TEST_TIMEOUT)
{
	int proto = variant->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
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

TEST_F_TIMEOUT(v6only, closing, TEST_TIMEOUT)
{
	__u64 end = net_now_ms() + 6 * NET_TIMEOUT_MS;
	int i, fd, proto, changed = 0, gone = 0, n;
	struct { __u64 cookie; in_port_t port; } *now;
	pid_t pid;

	proto = variant->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	now = mmap(NULL, sizeof(*now), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, now);
	pid = net_fork();
	ASSERT_LE(0, pid);
	if (!pid)
		for (;;) {
			fd = net_server(variant->type, "::", 0, NET_REUSEPORT);
			now->port = net_port(fd);
			now->cookie = net_cookie(fd);
			i = net_server(variant->type, "::", now->port,
				       NET_REUSEPORT);
			usleep(rand() % 2000);
			close(fd);
			close(i);
		}

	while ((gone < test_rounds(CLOSES) || changed < test_rounds(CLOSES)) &&
	       net_now_ms() < end) {
		n = fam_v6only_set_by(&self->ds, now->cookie, proto,
				      now->port ?: 1, rand() & 1, false);
		if (n >= 0)
			changed += n;
		else if (n == -ENOENT || n == -EINVAL)
			gone++;
		else if (n != -EBUSY)	/* it has them locked: a slow machine */
			/* the second one has come too late for the group */
			ASSERT_EQ(-EADDRINUSE, n) TH_LOG("%s", self->ds.extack);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	TH_LOG("%d changed, %d were gone", changed, gone);
	EXPECT_LE(test_rounds(CLOSES), changed);
	EXPECT_LE(test_rounds(CLOSES), gone);
}

/* SO_REUSEPORT groups. */

static void open_group(struct __test_metadata *_metadata, int type, int *fd,
		       unsigned int flags)
{
	int i;

	for (i = 0; i < GROUP; i++) {
		fd[i] = net_server(type, "::", i ? net_port(fd[0]) : 0,
				   flags | NET_REUSEPORT);
		ASSERT_LE(0, fd[i]);
	}
}

/* Clients until all members have served one: then they are one group. */
static void expect_shared(struct __test_metadata *_metadata, int type,
			  const char *addr, const int *fd, int n)
{
	unsigned int hits[GROUP + 1] = { };
	int i, k, client, idle = n;
	char c;

	for (i = 0; i < 4 * CLIENTS && idle; i++) {
		client = net_client(type, addr, net_port(fd[0]), NULL);
		ASSERT_LE(0, client);
		if (type == SOCK_DGRAM)
			ASSERT_EQ(1, send(client, "x", 1, 0));
		ASSERT_TRUE(net_wait_for(({
			for (k = 0; k < n && net_wait_in(fd[k], 0); k++)
				;
			k < n;
		}), NET_TIMEOUT_MS));
		if (type == SOCK_STREAM)
			close(net_accept(fd[k], NULL));
		else
			EXPECT_EQ(1, recv(fd[k], &c, 1, 0));
		net_close_reset(client);
		idle -= !hits[k]++;
	}
	EXPECT_EQ(0, idle);
}

TEST_F_TIMEOUT(v6only, group, TEST_TIMEOUT)
{
	struct fam_counters seen = { };
	int fd[GROUP + 1], i, type = variant->type;

	open_group(_metadata, type, fd, NET_DUAL);
	EXPECT_EQ(GROUP, fam_v6only_set(&self->ds, fd[1], true, true));
	EXPECT_EQ(GROUP, fam_v6only_set(&self->ds, fd[1], true, false));
	for (i = 0; i < GROUP; i++) {
		EXPECT_EQ(1, net_v6only(fd[i]));
		EXPECT_EQ(0, fam_v6only_set(&self->ds, fd[i], true, false));
	}
	EXPECT_FALSE(served(_metadata, type, "127.0.0.1", fd[0], &seen));
	expect_shared(_metadata, type, "::1", fd, GROUP);

	/* A newcomer joins those who are like it now. */
	fd[GROUP] = net_server(type, "::", net_port(fd[0]),
			       NET_V6ONLY | NET_REUSEPORT);
	ASSERT_LE(0, fd[GROUP]);
	expect_shared(_metadata, type, "::1", fd, GROUP + 1);
	EXPECT_EQ(GROUP + 1, fam_v6only_set(&self->ds, fd[0], false, false));
	expect_shared(_metadata, type, "127.0.0.1", fd, GROUP + 1);
	close(fd[GROUP]);
	fd[GROUP] = net_server(type, "::", net_port(fd[0]),
			       NET_DUAL | NET_REUSEPORT);
	ASSERT_LE(0, fd[GROUP]);
	expect_shared(_metadata, type, "127.0.0.1", fd, GROUP + 1);

	for (i = 0; i <= GROUP; i++)
		close(fd[i]);
}

/* Two groups do not become one. */
TEST_F_TIMEOUT(v6only, two_groups, TEST_TIMEOUT)
{
	int fd[GROUP], other, i, type = variant->type;

	open_group(_metadata, type, fd, NET_DUAL);
	other = net_server(type, "::", net_port(fd[0]),
			   NET_V6ONLY | NET_REUSEPORT);
	ASSERT_LE(0, other);
	EXPECT_EQ(-EADDRINUSE, fam_v6only_set(&self->ds, fd[0], true, false));
	EXPECT_NE(NULL, strstr(self->ds.extack, "group"));
	EXPECT_EQ(-EADDRINUSE, fam_v6only_set(&self->ds, other, false, false));
	EXPECT_NE(NULL, strstr(self->ds.extack, "group"));
	EXPECT_EQ(1, net_v6only(other));
	for (i = 0; i < GROUP; i++)
		EXPECT_EQ(0, net_v6only(fd[i]));
	close(other);
	EXPECT_EQ(GROUP, fam_v6only_set(&self->ds, fd[0], true, false));
	for (i = 0; i < GROUP; i++)
		close(fd[i]);
}

/*
 * Who starts to listen while the group changes is of the group and changes with
 * it, or comes too late and is on its own.
 */
struct newcomer {
	unsigned int asked, there, gone, failed;
};

static void be_newcomer(int type, in_port_t port, struct newcomer *nc)
{
	unsigned int i;
	int fd;

	for (i = 1;; i++) {
		while (__atomic_load_n(&nc->asked, __ATOMIC_ACQUIRE) != 2 * i)
			sched_yield();
		fd = net_server(type, "::", port, NET_DUAL | NET_REUSEPORT);
		nc->failed += fd < 0;
		__atomic_store_n(&nc->there, i, __ATOMIC_RELEASE);
		while (__atomic_load_n(&nc->asked, __ATOMIC_ACQUIRE) == 2 * i)
			sched_yield();
		close(fd);
		__atomic_store_n(&nc->gone, i, __ATOMIC_RELEASE);
	}
}

TEST_F_TIMEOUT(v6only, races_join, TEST_TIMEOUT)
{
	unsigned int i, spins, rounds = test_rounds(JOINS), joined = 0;
	int fd, n, type = variant->type;
	struct newcomer *nc;
	pid_t pid;

	nc = mmap(NULL, sizeof(*nc), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, nc);
	fd = net_server(type, "::", 0, NET_DUAL | NET_REUSEPORT);
	ASSERT_LE(0, fd);
	pid = net_fork();
	ASSERT_LE(0, pid);
	if (!pid)
		be_newcomer(type, net_port(fd), nc);

	for (i = 1; i <= rounds; i++) {
		__atomic_store_n(&nc->asked, 2 * i, __ATOMIC_RELEASE);
		for (spins = rand() % 64; spins; spins--)
			sched_yield();
		n = fam_v6only_set_idle(&self->ds, fd, true);
		ASSERT_LE(1, n) TH_LOG("%s", self->ds.extack);
		joined += n > 1;
		ASSERT_TRUE(net_wait_for(__atomic_load_n(&nc->there,
							 __ATOMIC_ACQUIRE) == i,
					 NET_TIMEOUT_MS));
		EXPECT_EQ(0, fam_v6only_set(&self->ds, fd, true, true))
			TH_LOG("one of the group is dual still");
		__atomic_store_n(&nc->asked, 2 * i + 1, __ATOMIC_RELEASE);
		ASSERT_TRUE(net_wait_for(__atomic_load_n(&nc->gone,
							 __ATOMIC_ACQUIRE) == i,
					 NET_TIMEOUT_MS));
		ASSERT_EQ(1, fam_v6only_set_idle(&self->ds, fd, false))
			TH_LOG("%s", self->ds.extack);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	EXPECT_EQ(0, nc->failed);
	TH_LOG("%u of %u were in time to be of the group", joined, rounds);
	close(fd);
}

/* Who may: design of the permissions of every request that changes a socket. */

TEST_F_TIMEOUT(v6only, unprivileged, TEST_TIMEOUT)
{
	struct fam ds;
	int fd;

	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(NOBODY, NOBODY, NOBODY));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
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

/*
 * Toggled all the time, while clients of both families come as fast as they
 * can: what each of them saw is what was counted.
 */

struct tally {
	unsigned int tries, served, refused, other;
};

/* Indexed by whether it is IPv6. */
struct traffic {
	struct tally client[2];
	unsigned int server[2];
	unsigned int last[2];
	bool stop;
};

/* Served is who was accepted: the server closes what it has accepted. */
static int connect_once(const char *addr, in_port_t port)
{
	int fd = net_client(SOCK_STREAM, addr, port, NULL), err;
	char c;

	if (fd < 0)
		return fd;
	err = net_wait_in(fd, NET_TIMEOUT_MS);
	if (!err)
		err = recv(fd, &c, 1, 0) ? -EPROTO : 0;
	net_close_reset(fd);
	return err;
}

/*
 * The server tells by way of memory that it got the datagram: an answer to a
 * mapped address would need V6ONLY to be off.
 */
static int send_once(const char *addr, in_port_t port, unsigned int seq,
		     const unsigned int *last)
{
	__u64 end = net_now_ms() + NET_TIMEOUT_MS;
	int fd, err = -ETIMEDOUT;

	fd = net_client(SOCK_DGRAM, addr, port, NULL);
	if (fd < 0)
		return fd;
	if (send(fd, &seq, sizeof(seq), 0) != sizeof(seq))
		err = -errno;
	while (err == -ETIMEDOUT && net_now_ms() < end) {
		if (__atomic_load_n(last, __ATOMIC_ACQUIRE) == seq)
			err = 0;
		else if (!net_wait_in(fd, 0) && recv(fd, &seq, 1, 0) < 0)
			err = -errno;
		else
			sched_yield();
	}
	close(fd);
	return err;
}

static void be_client(int type, bool v6, in_port_t port, struct traffic *t)
{
	const char *addr = v6 ? "::1" : "127.0.0.1";
	struct tally *mine = &t->client[v6];
	int err;

	while (!__atomic_load_n(&t->stop, __ATOMIC_ACQUIRE)) {
		mine->tries++;
		err = type == SOCK_STREAM ? connect_once(addr, port) :
		      send_once(addr, port, mine->tries, &t->last[v6]);
		mine->served += !err;
		mine->refused += err == -ECONNREFUSED;
		mine->other += err && err != -ECONNREFUSED;
	}
	exit(0);
}

/* Serves until it is killed. */
static void be_server(int type, int fd, struct traffic *t)
{
	union net_addr src;
	unsigned int seq;
	socklen_t len;
	int n;

	for (;;) {
		len = sizeof(src);
		n = type == SOCK_STREAM ? accept(fd, &src.sa, &len) :
		    recvfrom(fd, &seq, sizeof(seq), 0, &src.sa, &len);
		if (n < 0)
			continue;
		__atomic_add_fetch(&t->server[!net_addr_mapped(&src)], 1,
				   __ATOMIC_RELEASE);
		if (type == SOCK_STREAM)
			close(n);
		else
			__atomic_store_n(&t->last[!net_addr_mapped(&src)], seq,
					 __ATOMIC_RELEASE);
	}
}

TEST_F_TIMEOUT(v6only, toggled_under_traffic, 5 * TEST_TIMEOUT)
{
	in_port_t port = net_port(self->fd);
	int i, type = variant->type;
	const struct tally *v4, *v6;
	struct fam_socket s;
	struct traffic *t;
	pid_t pid[3];
	__u64 *c;

	t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, t);
	v4 = &t->client[0];
	v6 = &t->client[1];
	for (i = 0; i < 3; i++) {
		pid[i] = net_fork();
		ASSERT_LE(0, pid[i]);
		if (!pid[i] && i == 2)
			be_server(type, self->fd, t);
		else if (!pid[i])
			be_client(type, i, port, t);
	}
	for (i = 0; i < test_rounds(TOGGLES); i++) {
		ASSERT_EQ(1, fam_v6only_set_idle(&self->ds, self->fd, !(i & 1)))
			TH_LOG("%s", self->ds.extack);
		/* Now as fast as can be, now for as long as clients need. */
		if (i & 6)
			net_nap();
	}
	__atomic_store_n(&t->stop, true, __ATOMIC_RELEASE);
	waitpid(pid[0], NULL, 0);
	waitpid(pid[1], NULL, 0);
	for (i = 0; i < 2; i++)
		EXPECT_TRUE(net_wait_for(__atomic_load_n(&t->server[i],
							 __ATOMIC_ACQUIRE) >=
					 t->client[i].served, NET_TIMEOUT_MS));
	kill(pid[2], SIGKILL);
	waitpid(pid[2], NULL, 0);

	TH_LOG("IPv4: %u tries, %u served, %u refused; IPv6: %u tries",
	       v4->tries, v4->served, v4->refused, v6->tries);
	EXPECT_EQ(0, v4->other);
	EXPECT_EQ(v4->tries, v4->served + v4->refused);
	EXPECT_EQ(v6->tries, v6->served);
	EXPECT_LT(0, v4->served);
	EXPECT_LT(0, v4->refused);
	EXPECT_EQ(v4->served, t->server[0]);
	EXPECT_EQ(v6->served, t->server[1]);

	ASSERT_EQ(0, fam_socket_get(&self->ds, net_cookie(self->fd), &s));
	c = s.counters.v;
	EXPECT_EQ(v4->refused, c[DUALSTACK_A_COUNTER_REJECT_V6ONLY]);
	EXPECT_EQ(0, c[DUALSTACK_A_COUNTER_REJECT_ADDR]);
	EXPECT_EQ(t->server[0], c[type == SOCK_STREAM ?
			       DUALSTACK_A_COUNTER_MAPPED_ACCEPT :
			       DUALSTACK_A_COUNTER_MAPPED_RECV]);
	EXPECT_EQ(t->server[1], c[type == SOCK_STREAM ?
			       DUALSTACK_A_COUNTER_NATIVE_ACCEPT :
			       DUALSTACK_A_COUNTER_NATIVE_RECV]);
}

/*
 * The rules of bind(), taken from bind() itself: whatever it says of a socket
 * that was dual, or V6ONLY, from the start has to be true of one that is now.
 */

enum {
	REUSEADDR	= 1 << 0,
	REUSEPORT	= 1 << 1,
	LISTEN		= 1 << 2,
	OTHER_UID	= 1 << 3,
	ON_LO		= 1 << 4,
	ON_DUMMY	= 1 << 5,
};

struct party {
	const char *addr;
	unsigned int opts;
};

/* The socket of a party, or -errno. */
static int enter(int type, const struct party *p, in_port_t port, int v6only)
{
	union net_addr addr;
	const char *dev;
	int fd;

	net_addr_set(&addr, p->addr, port);
	setfsuid(p->opts & OTHER_UID ? NOBODY : 0);
	fd = socket(addr.sa.sa_family, type | SOCK_CLOEXEC, 0);
	setfsuid(0);
	if (fd < 0)
		return -errno;
	if (p->opts & REUSEADDR)
		set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (p->opts & REUSEPORT)
		set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	dev = p->opts & ON_LO ? "lo" : p->opts & ON_DUMMY ? "dummy0" : "";
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev) + 1);
	if (addr.sa.sa_family == AF_INET6)
		set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only);
	if (bind(fd, &addr.sa, net_addr_len(&addr)) ||
	    (type == SOCK_STREAM && p->opts & LISTEN && listen(fd, 8))) {
		port = errno;
		close(fd);
		return -port;
	}
	return fd;
}

static int err_of(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* The other one first, then ours as @v6only from the start. */
static int other_first(int type, const struct party *ours,
		       const struct party *other, in_port_t port, int v6only)
{
	int fd = enter(type, other, port, 0), err;

	err = fd < 0 ? 1 : err_of(enter(type, ours, port, v6only));
	close(fd);
	return err;
}

static int ours_first(int type, const struct party *ours,
		      const struct party *other, in_port_t port, int v6only)
{
	int fd = enter(type, ours, port, v6only), err;

	err = fd < 0 ? 1 : err_of(enter(type, other, port, 0));
	close(fd);
	return err;
}

static const char *const other_addrs[] = {
	"0.0.0.0", "127.0.0.1", "::ffff:0.0.0.0", "::ffff:127.0.0.1", "::1",
};

static void compare(struct __test_metadata *_metadata, struct fam *ds,
		    int type, const struct party *ours,
		    const struct party *other, in_port_t port,
		    unsigned int *collided, unsigned int *agreed)
{
	int fd, fd2, want, got;

	/* Switched off while the other one is there. */
	fd2 = enter(type, other, port, 0);
	ASSERT_LE(0, fd2);
	fd = enter(type, ours, port, 1);
	if (fd >= 0) {
		got = fam_v6only_set(ds, fd, false, true);
		EXPECT_EQ(got, fam_v6only_set(ds, fd, false, false));
		EXPECT_EQ(got < 0, net_v6only(fd));
		if (got < 0) {
			EXPECT_NE(NULL, strstr(ds->extack, "collide"))
				TH_LOG("%s", ds->extack);
		}
		close(fd);
		close(fd2);
		want = other_first(type, ours, other, port, 0);
		EXPECT_EQ(want ? want : 1, got)
			TH_LOG("off: ours %#x, other %s %#x: %s", ours->opts,
			       other->addr, other->opts, ds->extack);
		*collided += got < 0;
		*agreed += got >= 0;
	} else {
		close(fd2);
	}

	/* Switched off, and then the other one comes. */
	fd = enter(type, ours, port, 1);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, fam_v6only_set(ds, fd, false, false));
	got = err_of(enter(type, other, port, 0));
	close(fd);
	want = ours_first(type, ours, other, port, 0);
	EXPECT_EQ(want, got)
		TH_LOG("off, then: ours %#x, other %s %#x", ours->opts,
		       other->addr, other->opts);

	/* Switched on, and then the other one comes. */
	fd = enter(type, ours, port, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, fam_v6only_set(ds, fd, true, false));
	got = err_of(enter(type, other, port, 0));
	close(fd);
	want = ours_first(type, ours, other, port, 1);
	EXPECT_EQ(want, got)
		TH_LOG("on, then: ours %#x, other %s %#x", ours->opts,
		       other->addr, other->opts);
}

TEST_F_TIMEOUT(v6only, rules_of_bind, 5 * TEST_TIMEOUT)
{
	static const unsigned int devs[][2] = {
		{ 0, 0 }, { ON_LO, 0 }, { 0, ON_LO }, { ON_LO, ON_LO },
		{ ON_LO, ON_DUMMY },
	};
	unsigned int a, i, k, d, collided = 0, agreed = 0;
	in_port_t port = net_port(self->fd);

	close(self->fd);
	ASSERT_EQ(0, net_link_dummy("dummy0"));
	for (a = 0; a < ARRAY_SIZE(other_addrs); a++) {
		for (d = 0; d < ARRAY_SIZE(devs); d++) {
			for (i = 0; i < 4; i++) {
				for (k = 0; k < 16; k++) {
					struct party other = {
						other_addrs[a], k | devs[d][1],
					}, ours = {
						"::", i | LISTEN | devs[d][0],
					};

					/* All devices for one address. */
					if (d && a)
						continue;
					if (variant->type == SOCK_DGRAM &&
					    k & LISTEN)
						continue;
					compare(_metadata, &self->ds,
						variant->type, &ours, &other,
						port, &collided, &agreed);
				}
			}
		}
	}
	TH_LOG("%u collided, %u did not", collided, agreed);
	EXPECT_LT(0, collided);
	EXPECT_LT(0, agreed);
	self->fd = -1;
}

/* While an IPv4 socket has the port, ours is V6ONLY: no moment lies between. */
TEST_F_TIMEOUT(v6only, races_bind, TEST_TIMEOUT)
{
	struct { unsigned int bound, wrong; bool stop; } *peer;
	const struct party other = { "127.0.0.1", 0 };
	int fd, n, off = 0, refused = 0;
	__u64 end;
	pid_t pid;

	peer = mmap(NULL, sizeof(*peer), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, peer);
	pid = net_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		while (!__atomic_load_n(&peer->stop, __ATOMIC_ACQUIRE)) {
			fd = enter(variant->type, &other, net_port(self->fd),
				   0);
			if (fd < 0)
				continue;
			peer->wrong += !net_v6only(self->fd);
			/* Often long enough to be in the way. */
			if (peer->bound++ % 2)
				usleep(500);
			peer->wrong += !net_v6only(self->fd);
			close(fd);
		}
		exit(0);
	}

	end = net_now_ms() + NET_TIMEOUT_MS;
	while ((off < test_rounds(CLOSES) || refused < test_rounds(CLOSES)) &&
	       net_now_ms() < end) {
		ASSERT_LE(0, fam_v6only_set_idle(&self->ds, self->fd, true));
		/* At once, or as bind() is or has been under way. */
		if (rand() % 2)
			usleep(rand() % 500);
		n = fam_v6only_set_idle(&self->ds, self->fd, false);
		if (n < 0)
			ASSERT_EQ(-EADDRINUSE, n);
		off += n == 1;
		refused += n < 0;
	}
	__atomic_store_n(&peer->stop, true, __ATOMIC_RELEASE);
	waitpid(pid, NULL, 0);
	TH_LOG("%d times off, %d times refused; bind() went well %u times",
	       off, refused, peer->bound);
	EXPECT_LT(0, off);
	EXPECT_LT(0, refused);
	EXPECT_LT(0, peer->bound);
	EXPECT_EQ(0, peer->wrong);
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

/* What TCP alone has. */
FIXTURE(listener)
{
	struct fam ds;
	struct fam_counters seen;
	int fd;
};

FIXTURE_SETUP(listener)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	self->fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(listener)
{
	close(self->fd);
	fam_close(&self->ds);
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

/*
 * A bucket of TCP ports remembers a SO_REUSEPORT socket that passed the check,
 * also when that is gone: the next like it is not checked.
 */
TEST_F_TIMEOUT(listener, stale_bucket, TEST_TIMEOUT)
{
	static const struct party ours = { "::", LISTEN },
		other = { "0.0.0.0", REUSEPORT | LISTEN };
	in_port_t port = net_port(self->fd);
	int fd;

	close(self->fd);
	self->fd = enter(SOCK_STREAM, &ours, port, 1);
	ASSERT_LE(0, self->fd);
	fd = enter(SOCK_STREAM, &other, port, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EADDRINUSE, fam_v6only_set(&self->ds, self->fd, false,
					      false));
	close(fd);
	ASSERT_EQ(1, fam_v6only_set(&self->ds, self->fd, false, false));
	EXPECT_EQ(-EADDRINUSE, err_of(enter(SOCK_STREAM, &other, port, 0)));
	expect_dual(_metadata, SOCK_STREAM, self->fd, &self->seen);
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

/* Where one of a group is such a subflow, none of it changes. */
TEST_F_TIMEOUT(listener, mptcp_in_group, TEST_TIMEOUT)
{
	int fd[2], one = 1;
	union net_addr any;

	fd[0] = net_server(SOCK_STREAM, "::", 0, NET_DUAL | NET_REUSEPORT);
	ASSERT_LE(0, fd[0]);
	fd[1] = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	if (fd[1] < 0)
		SKIP(return, "this kernel has no MPTCP");
	ASSERT_EQ(0, setsockopt(fd[1], SOL_SOCKET, SO_REUSEPORT, &one,
				sizeof(one)));
	net_addr_set(&any, "::", net_port(fd[0]));
	ASSERT_EQ(0, bind(fd[1], &any.sa, sizeof(any.in6)));
	ASSERT_EQ(0, listen(fd[1], 8));
	EXPECT_EQ(-EOPNOTSUPP, fam_v6only_set(&self->ds, fd[0], true, false));
	EXPECT_STREQ("A socket of the SO_REUSEPORT group is MPTCP's, or the kernel's own",
		     self->ds.extack);
	EXPECT_EQ(0, net_v6only(fd[0]));
	EXPECT_EQ(0, net_v6only(fd[1]));
	close(fd[0]);
	close(fd[1]);
}

TEST_HARNESS_MAIN
