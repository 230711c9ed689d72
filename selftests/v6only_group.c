// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting IPV6_V6ONLY of SO_REUSEPORT groups: all of a group or none.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "lib/v6only.h"

#define GROUP		4
#define CLIENTS		64
#define JOINS		200

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
	EXPECT_FALSE(v6only_served(_metadata, type, "127.0.0.1", fd[0], &seen));
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

/* One that is bound to a device is another group at the same port. */
TEST_F_TIMEOUT(v6only, other_device, TEST_TIMEOUT)
{
	int fd[GROUP], other, i, type = variant->type;
	struct fam_counters seen = { };

	open_group(_metadata, type, fd, NET_DUAL);
	other = net_server(type, "::", net_port(fd[0]),
			   NET_DUAL | NET_REUSEPORT | NET_ON_LO);
	ASSERT_LE(0, other);
	EXPECT_EQ(GROUP, fam_v6only_set(&self->ds, fd[0], true, false));
	for (i = 0; i < GROUP; i++)
		EXPECT_EQ(1, net_v6only(fd[i]));
	EXPECT_EQ(0, net_v6only(other));
	EXPECT_TRUE(v6only_served(_metadata, type, "127.0.0.1", other, &seen));

	EXPECT_EQ(1, fam_v6only_set(&self->ds, other, true, false));
	EXPECT_EQ(1, net_v6only(other));
	EXPECT_FALSE(v6only_served(_metadata, type, "127.0.0.1", other, &seen));
	EXPECT_EQ(1, fam_v6only_set(&self->ds, other, false, false));
	EXPECT_EQ(0, net_v6only(other));
	for (i = 0; i < GROUP; i++)
		EXPECT_EQ(1, net_v6only(fd[i]));
	EXPECT_TRUE(v6only_served(_metadata, type, "127.0.0.1", other, &seen));
	EXPECT_EQ(GROUP, fam_v6only_set(&self->ds, fd[0], false, false));
	close(other);
	for (i = 0; i < GROUP; i++)
		close(fd[i]);
}

/* Sockets of UDP that share the port by SO_REUSEADDR are of no group. */
TEST_F_TIMEOUT(v6only, port_shared, TEST_TIMEOUT)
{
	int fd[GROUP], alone[2], at_address, i;
	in_port_t port;

	if (variant->type != SOCK_DGRAM)
		return;
	open_group(_metadata, variant->type, fd, NET_DUAL | NET_REUSEADDR);
	port = net_port(fd[0]);
	for (i = 0; i < 2; i++) {
		alone[i] = net_server(variant->type, "::", port, NET_REUSEADDR |
				      (i ? NET_V6ONLY : NET_DUAL));
		ASSERT_LE(0, alone[i]);
	}
	/* Which bind() makes V6ONLY. */
	at_address = net_server(variant->type, "::1", port, NET_REUSEADDR);
	ASSERT_LE(0, at_address);

	EXPECT_EQ(GROUP, fam_v6only_set(&self->ds, fd[0], true, false));
	for (i = 0; i < GROUP; i++)
		EXPECT_EQ(1, net_v6only(fd[i]));
	EXPECT_EQ(0, net_v6only(alone[0]));
	EXPECT_EQ(GROUP, fam_v6only_set(&self->ds, fd[0], false, false));
	for (i = 0; i < GROUP; i++)
		EXPECT_EQ(0, net_v6only(fd[i]));
	EXPECT_EQ(1, net_v6only(alone[1]));
	EXPECT_EQ(1, net_v6only(at_address));

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(1, fam_v6only_set(&self->ds, alone[i], !i, false));
		EXPECT_EQ(!i, net_v6only(alone[i]));
		EXPECT_EQ(0, net_v6only(fd[0]));
		close(alone[i]);
	}
	close(at_address);
	for (i = 0; i < GROUP; i++)
		close(fd[i]);
}

/* The kernel's tables have as many slots as a power of two, of which these share one. */
TEST_F_TIMEOUT(v6only, same_slot, TEST_TIMEOUT)
{
	in_port_t first = 10000;
	int fd[GROUP], i, type = variant->type;

	/* It could have one of these ports. */
	close(self->fd);
	self->fd = -1;
	for (i = 0; i < GROUP; i++) {
		fd[i] = net_server(type, "::", first + (i << 14), NET_V6ONLY);
		ASSERT_LE(0, fd[i]) TH_LOG("port %d", first + (i << 14));
	}
	for (i = 0; i < GROUP; i++) {
		EXPECT_EQ(1, fam_v6only_set(&self->ds, fd[i], false, false));
		EXPECT_EQ(0, net_v6only(fd[i]));
		EXPECT_EQ(i + 1 < GROUP, net_v6only(fd[GROUP - 1]));
	}
	for (i = 0; i < GROUP; i++) {
		EXPECT_EQ(1, fam_v6only_set(&self->ds, fd[i], true, false));
		EXPECT_EQ(1, net_v6only(fd[i]));
		EXPECT_EQ(i + 1 == GROUP, net_v6only(fd[GROUP - 1]));
	}
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
