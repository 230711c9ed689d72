// SPDX-License-Identifier: GPL-2.0-only
/*
 * Setting IPV6_V6ONLY of live sockets: bind() never sees anything that it would not
 * have let happen itself.
 */
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mman.h>

#include "lib/v6only.h"

#define NOBODY		65534
#define ROUNDS		100
/* Where one of two outcomes is rare, fewer rounds will do. */
#define RACE_MS		10000

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
	ON_VRF		= 1 << 6,
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
		net_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (p->opts & REUSEPORT)
		net_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	dev = p->opts & ON_LO ? "lo" : p->opts & ON_DUMMY ? "dummy0" :
	      p->opts & ON_VRF ? "vrf0" : "";
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev) + 1);
	if (addr.sa.sa_family == AF_INET6)
		net_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only);
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
		{ ON_LO, ON_DUMMY }, { 0, ON_VRF },
	};
	unsigned int a, i, k, d, collided = 0, agreed = 0, asked = 0;
	in_port_t port = net_port(self->fd);
	int vrf;

	close(self->fd);
	ASSERT_EQ(0, net_link_dummy("dummy0"));
	vrf = net_link_vrf("vrf0", 10);
	if (vrf == -EOPNOTSUPP)
		TH_LOG("this kernel has no VRF");
	else
		ASSERT_EQ(0, vrf);
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
					if (vrf && other.opts & ON_VRF)
						continue;
					if (variant->type == SOCK_DGRAM &&
					    k & LISTEN)
						continue;
					/* 7 and the numbers of each have no
					 * divisor in common.
					 */
					if (asked++ % test_stride(7))
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
	__u64 end, late;
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

	end = net_now_ms() + RACE_MS;
	late = end + NET_TIMEOUT_MS;
	while ((off < test_rounds(ROUNDS) || refused < test_rounds(ROUNDS)) &&
	       net_now_ms() < (off && refused ? end : late)) {
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

/* A connection has the port, too, where bind() gave it that. */
TEST_F_TIMEOUT(listener, bound_connection, TEST_TIMEOUT)
{
	static const struct party ours = { "::", LISTEN },
		other = { "127.0.0.1", 0 };
	in_port_t port = net_port(self->fd);
	int server, fd;

	/* While ours is dual, it gets another port. */
	server = net_server(SOCK_STREAM, "127.0.0.1", 0, 0);
	ASSERT_LE(0, server);
	close(self->fd);
	self->fd = enter(SOCK_STREAM, &ours, port, 1);
	ASSERT_LE(0, self->fd);
	fd = enter(SOCK_STREAM, &other, port, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, net_connect(fd, "127.0.0.1", net_port(server)));

	EXPECT_EQ(-EADDRINUSE, fam_v6only_set(&self->ds, self->fd, false,
					      false));
	EXPECT_NE(NULL, strstr(self->ds.extack, "127.0.0.1"))
		TH_LOG("%s", self->ds.extack);
	/* So says bind(). */
	close(self->fd);
	EXPECT_EQ(-EADDRINUSE, err_of(enter(SOCK_STREAM, &ours, port, 0)));
	self->fd = enter(SOCK_STREAM, &ours, port, 1);
	ASSERT_LE(0, self->fd);

	net_close_reset(fd);
	close(server);
	EXPECT_EQ(1, fam_v6only_set_idle(&self->ds, self->fd, false));
	v6only_expect_dual(_metadata, SOCK_STREAM, self->fd, &self->seen);
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
	v6only_expect_dual(_metadata, SOCK_STREAM, self->fd, &self->seen);
}

TEST_HARNESS_MAIN
