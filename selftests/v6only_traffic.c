// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting IPV6_V6ONLY of sockets that have much to do, or are on their way out.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "lib/v6only.h"

#define TOGGLES		1000
#define CLOSES		100

TEST_F_TIMEOUT(v6only, closing, TEST_TIMEOUT)
{
	__u64 end = net_now_ms() + NET_TIMEOUT_MS;
	int i, fd, proto, changed = 0, gone = 0, n;
	struct { __u64 cookie; in_port_t port; } *now;
	pid_t pid;

	proto = net_protocol_of(variant->type);
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

TEST_HARNESS_MAIN
