// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, and at the end the counters equal what the processes here
 * saw by their own system calls.
 *
 *   torture [-t SECONDS] [-s SEED] [-x PART]... [-w PART]...
 *
 * A slot is a port whose owner opens sockets there, serves for a moment, closes
 * them and begins anew: listeners, UDP sockets, SO_REUSEPORT groups, dual or not.
 * Clients talk to it over either family, others set IPV6_V6ONLY, reset, dump and
 * listen to events meanwhile. Whoever uses a slot holds it, so that the owner
 * closes it only when each client has seen how its conversation ended: served,
 * which the owner tells it by an eventfd, or refused, which the kernel does. Which
 * of two it is may be a race, but never that it was one of them, and so the sums
 * are exact.
 *
 * Without such manners (part "manners") there is an interval for what cannot be
 * known: a connection in the queue of a listener that is closed was counted, and
 * nobody saw it.
 *
 * -x leaves a part out, -w takes it in: see parts[]. All are in but for the race
 * of connect() and sendmsg() with IPV6_V6ONLY: a call that is taken for refused and
 * then goes through takes that back, so that a sum falls now and then.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netlink/genl/genl.h>

#include "kselftest.h"

#include "lib/family.h"
#include "lib/net_link.h"
#include "lib/net_util.h"
#include "lib/net_wire.h"

#define SECONDS		60

#define SLOTS		6
#define CLIENTS		4
#define GROUP		4
#define MAX_WORKERS	32

/* Each slot and each client has its own ports, none of them one that the kernel
 * chooses. A client is known by its.
 */
#define SLOT_PORTS	500
#define SLOT_PORT	2000
#define CLIENT_PORTS	1000
#define CLIENT_PORT	20000
#define WIRE		CLIENTS		/* whose source is mapped on the wire */

/* Far beyond what anything takes, on any machine: then it will not come. */
#define PATIENCE_MS	120000

#define GSO_SIZE	100

#define C(name)		DUALSTACK_A_COUNTER_##name

enum part {
	PART_COOKIES,
	PART_FASTOPEN,
	PART_GRO,
	PART_LIMIT,
	PART_MONITORS,
	PART_NAMESPACES,
	PART_RACE,
	PART_RESETS,
	PART_TOGGLES,
	PART_MANNERS,
	PARTS
};

static const char *const parts[] = {
	[PART_COOKIES] = "cookies",	/* SYN cookies, by turns */
	[PART_FASTOPEN] = "fastopen",
	[PART_GRO] = "gro",		/* several datagrams in one recvmsg() */
	[PART_LIMIT] = "limit",		/* too few records, for a while */
	[PART_MONITORS] = "monitors",
	[PART_NAMESPACES] = "namespaces",
	[PART_RACE] = "race",		/* calls on a socket that is being set */
	[PART_RESETS] = "resets",
	[PART_TOGGLES] = "toggles",
	[PART_MANNERS] = "manners",
};

static bool wanted[PARTS];

/* What a client of one family meets. */
enum outcome { SERVED, REFUSED, EITHER, NOT_ASKED };

enum kind { DUAL, V6ONLY, ADDR6, V4, MAPPED, BOTH, RACER, KINDS };

/**
 * struct slot - sockets at a port that come and go
 * @gate: OPEN, and how many hold it open
 * @kind: how they are bound
 * @type: SOCK_STREAM or SOCK_DGRAM
 * @port: where they are
 * @toggled: their IPV6_V6ONLY may be set meanwhile
 * @burst: they take datagrams of several segments
 * @fastopen: they take data in a SYN
 * @n: how many there are
 * @cookie: theirs
 * @resets: how often one of them was reset
 * @seen: what owner and clients saw of them
 */
struct slot {
	int gate;
	enum kind kind;
	int type;
	in_port_t port;
	bool toggled;
	bool burst;
	bool fastopen;
	int n;
	__u64 cookie[GROUP];
	int resets;
	struct fam_counters seen;
};

#define OPEN	0x40000000

/* What the processes share. */
static struct shared {
	struct slot slots[SLOTS + 1];	/* the last is the racer's */
	struct fam_counters tcp, udp;
	int stop;			/* clients and all that hold slots */
	int close;			/* owners */
	int limits;			/* odd while there are too few records */
	int failures;
	int mismatches, falls, namespaces, wilds;
	int conversations, toggles, dumps, resets, events, lost;
	struct {
		int seen[2];
		struct fam_counters tcp, udp;
		int stop, close;
	} wild;
} *shared;

static int served[CLIENTS + 1];		/* eventfd of each client */
static __u64 seed;
static __u64 state;			/* of this process */

static __u32 rnd(__u32 n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 2685821657736338717ULL >> 33) % n;
}

static int load(int *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void add(int *p, int n)
{
	__atomic_add_fetch(p, n, __ATOMIC_SEQ_CST);
}

static void see_n(struct fam_counters *c, int counter, int n)
{
	__atomic_add_fetch(&c->v[counter], n, __ATOMIC_SEQ_CST);
}

static void see(struct fam_counters *c, int counter)
{
	see_n(c, counter, 1);
}

static struct fam_counters *sums(int type)
{
	return type == SOCK_STREAM ? &shared->tcp : &shared->udp;
}

static void __attribute__((format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list ap;

	add(&shared->failures, 1);
	add(&shared->stop, 1);
	printf("# ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

static bool open_family(struct fam *ds)
{
	int err = fam_open(ds);

	if (err)
		fail("cannot open the family: %s", strerror(-err));
	return !err;
}

static void nap_us(unsigned int us)
{
	usleep(us);
}

/* Slots. */

static struct slot *hold(int i)
{
	struct slot *s = &shared->slots[i];
	int gate = load(&s->gate);

	do {
		if (!(gate & OPEN))
			return NULL;
	} while (!__atomic_compare_exchange_n(&s->gate, &gate, gate + 1, false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	return s;
}

static void let_go(struct slot *s)
{
	add(&s->gate, -1);
}

static enum outcome outcome4(const struct slot *s)
{
	switch (s->kind) {
	case DUAL:
	case V6ONLY:
		return s->toggled ? EITHER :
		       s->kind == DUAL ? SERVED : REFUSED;
	case ADDR6:
		return REFUSED;
	default:
		return SERVED;
	}
}

static enum outcome outcome6(const struct slot *s)
{
	switch (s->kind) {
	case V4:
		return REFUSED;
	case MAPPED:	/* refused, for nobody's account */
		return NOT_ASKED;
	default:
		return SERVED;
	}
}

static int refusal(const struct slot *s, bool v4)
{
	if (!v4)
		return C(REJECT_V4ONLY);
	return s->kind == ADDR6 ? C(REJECT_ADDR) : C(REJECT_V6ONLY);
}

/* Owners. */

enum reading { RECV, PEEK, RECVMMSG, GRO, THREADS, READINGS };

/**
 * struct owner - what the owner of a slot has there
 * @slot: the slot
 * @fd: its sockets
 * @n: how many
 * @reading: how it reads datagrams
 * @reply: it answers IPv4 ones
 * @stop: for a second reader
 */
struct owner {
	struct slot *slot;
	int fd[GROUP];
	int n;
	enum reading reading;
	bool reply;
	int stop;
};

static bool is_in6(int fd)
{
	socklen_t len = sizeof(int);
	int domain = 0;

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
	return domain == AF_INET6;
}

/* Tell a client that it was served. */
static int tell(const union net_addr *peer, int times)
{
	int i = (ntohs(peer->in.sin_port) - CLIENT_PORT) / CLIENT_PORTS;
	__u64 n = times;

	if (i < 0 || i > CLIENTS || write(served[i], &n, sizeof(n)) < 0) {
		fail("served a stranger, from port %d",
		     ntohs(peer->in.sin_port));
		return -1;
	}
	return i;
}

static void accept_all(struct owner *o, int fd)
{
	union net_addr peer;
	socklen_t len;
	int conn;

	for (;;) {
		len = sizeof(peer);
		conn = accept4(fd, &peer.sa, &len, SOCK_CLOEXEC);
		if (conn < 0)
			break;
		if (is_in6(fd))
			see(&o->slot->seen, net_addr_mapped(&peer) ?
			    C(MAPPED_ACCEPT) : C(NATIVE_ACCEPT));
		tell(&peer, 1);
		net_close_reset(conn);
	}
	if (errno != EAGAIN)
		fail("accept: %s", strerror(errno));
}

static void answer(struct owner *o, int fd, const union net_addr *peer)
{
	if (sendto(fd, "y", 1, MSG_DONTWAIT, &peer->sa,
		   net_addr_len(peer)) == 1)
		see(&o->slot->seen, C(MAPPED_SEND));
	else if (errno == ENETUNREACH)
		see(&o->slot->seen, C(REJECT_SEND));
	else
		fail("reply: %s", strerror(errno));
}

static void got(struct owner *o, int fd, const union net_addr *peer, int n)
{
	bool mapped = net_addr_mapped(peer);
	int from;

	from = tell(peer, n);
	if (!is_in6(fd))
		return;
	if (from == WIRE) {
		see_n(&o->slot->seen, C(WIRE_MAPPED), n);
		mapped = false;
	}
	see_n(&o->slot->seen, mapped ? C(MAPPED_RECV) : C(NATIVE_RECV), n);
	if (mapped && o->reply)
		answer(o, fd, peer);
}

static int segments(struct msghdr *msg, int len)
{
	struct cmsghdr *cmsg;
	int size = 0;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg))
		if (cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_GRO)
			memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
	return size ? (len + size - 1) / size : 1;
}

static int recv_one(struct owner *o, int fd)
{
	char buf[16], control[256];
	struct iovec iov = { .iov_base = buf, .iov_len = rnd(sizeof(buf)) + 1 };
	union net_addr peer;
	struct msghdr msg = {
		.msg_name = &peer,
		.msg_namelen = sizeof(peer),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int len;

	len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_TRUNC);
	if (len >= 0)
		got(o, fd, &peer, segments(&msg, len));
	return len;
}

static int recv_many(struct owner *o, int fd)
{
	struct mmsghdr msg[8] = { };
	union net_addr peer[8];
	struct iovec iov[8];
	char buf[8][4];
	int i, n;

	for (i = 0; i < 8; i++) {
		iov[i].iov_base = buf[i];
		iov[i].iov_len = sizeof(buf[i]);
		msg[i].msg_hdr.msg_name = &peer[i];
		msg[i].msg_hdr.msg_namelen = sizeof(peer[i]);
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(fd, msg, 8, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		got(o, fd, &peer[i], 1);
	return n;
}

static void recv_all(struct owner *o, int fd)
{
	int len;
	char c;

	do {
		if (o->reading == PEEK)
			recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT |
			     (rnd(2) ? MSG_TRUNC : 0));
		len = o->reading == RECVMMSG ? recv_many(o, fd) :
					       recv_one(o, fd);
	} while (len >= 0);
	if (errno != EAGAIN)
		fail("recv: %s", strerror(errno));
}

static void serve(struct owner *o)
{
	struct pollfd pfd[GROUP];
	int i;

	for (i = 0; i < o->n; i++) {
		pfd[i].fd = o->fd[i];
		pfd[i].events = POLLIN;
	}
	if (poll(pfd, o->n, 5) <= 0)
		return;
	for (i = 0; i < o->n; i++) {
		if (!pfd[i].revents)
			continue;
		if (o->slot->type == SOCK_STREAM)
			accept_all(o, o->fd[i]);
		else
			recv_all(o, o->fd[i]);
	}
}

static void *serve_too(void *arg)
{
	struct owner *o = arg;

	while (!load(&o->stop))
		serve(o);
	return NULL;
}

static int open_at(struct owner *o, const char *addr, unsigned int flags)
{
	struct slot *s = o->slot;
	int fd, one = 1;

	if (s->fastopen && s->type == SOCK_STREAM)
		flags |= NET_FASTOPEN;
	fd = net_server(s->type, addr, s->port, flags);
	if (fd < 0)
		return fd;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (o->reading == GRO && s->type == SOCK_DGRAM)
		setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof(one));
	s->cookie[o->n] = net_cookie(fd);
	o->fd[o->n++] = fd;
	return 0;
}

static int open_kind(struct owner *o)
{
	struct slot *s = o->slot;
	unsigned int flags = 0;
	int i, err, n = 1;

	if (!rnd(3) && s->kind != BOTH) {
		flags = NET_REUSEPORT;
		n = 2 + rnd(GROUP - 1);
	}
	switch (s->kind) {
	case DUAL:
		flags |= NET_DUAL;
		break;
	case V6ONLY:
		flags |= NET_V6ONLY;
		break;
	case BOTH:
		err = open_at(o, "0.0.0.0", 0);
		return err ? err : open_at(o, "::", NET_V6ONLY);
	case MAPPED:
		flags |= NET_DUAL;
		break;
	default:
		break;
	}
	for (i = 0, err = 0; i < n && !err; i++)
		err = open_at(o, s->kind == ADDR6 ? "::1" :
				 s->kind == V4 ? "0.0.0.0" :
				 s->kind == MAPPED ? "::ffff:127.0.0.1" : "::",
			      flags);
	return err;
}

static void close_all(struct owner *o)
{
	while (o->n)
		close(o->fd[--o->n]);
}

/* The records of a slot, added up. */
static int slot_records(struct fam *ds, const struct slot *s,
			struct fam_counters *sum)
{
	struct fam_socket rec;
	int i, k, err;

	memset(sum, 0, sizeof(*sum));
	for (i = 0; i < s->n; i++) {
		err = fam_socket_get(ds, s->cookie[i], &rec);
		if (err == -ENOENT)
			continue;
		if (err)
			return err;
		for (k = 0; k < FAM_COUNTERS; k++)
			sum->v[k] += rec.counters.v[k];
	}
	return 0;
}

static bool slot_agrees(struct fam *ds, const struct slot *s, bool exact,
			const char **what, __u64 *got)
{
	struct fam_counters sum;
	size_t i;

	*what = "netlink";
	if (slot_records(ds, s, &sum))
		return false;
	for (i = 0; i < fam_counter_table_len; i++) {
		int c = fam_counter_table[i].attr;

		*what = fam_counter_table[i].name;
		*got = sum.v[c];
		if (exact ? sum.v[c] != s->seen.v[c] :
			    sum.v[c] > s->seen.v[c])
			return false;
	}
	return true;
}

/* All who talked to it are gone. A connection is in the queue of accept() a moment
 * before it is counted.
 */
static void check_slot(struct fam *ds, struct slot *s, int limits)
{
	bool exact = !s->resets && !(limits & 1) &&
		     limits == load(&shared->limits);
	const char *what;
	__u64 got = 0;

	if (net_wait_for(slot_agrees(ds, s, exact, &what, &got),
			 NET_TIMEOUT_MS))
		return;
	/* A SYN that was sent again may have been refused twice. */
	if (s->type == SOCK_STREAM && net_tcpext("TCPSynRetrans") > 0)
		return;
	add(&shared->mismatches, 1);
	add(&shared->stop, 1);
	printf("# kind %d %s, %d sockets, %s%s: %s is %llu\n", s->kind,
	       s->type == SOCK_STREAM ? "tcp" : "udp", s->n,
	       s->toggled ? "toggled, " : "", exact ? "exact" : "at most",
	       what, (unsigned long long)got);
	fflush(stdout);
}

/* One life of a slot. */
static void own_once(struct fam *ds, struct slot *s, int *port)
{
	struct owner o = { .slot = s };
	int i, limits, life;
	pthread_t second;
	__u64 end;

	memset(&s->seen, 0, sizeof(s->seen));
	s->resets = 0;
	s->kind = rnd(RACER);
	s->type = rnd(2) ? SOCK_STREAM : SOCK_DGRAM;
	s->toggled = (s->kind == DUAL || s->kind == V6ONLY) &&
		     wanted[PART_TOGGLES] && rnd(2);
	s->fastopen = wanted[PART_FASTOPEN] && rnd(2);
	o.reading = rnd(READINGS);
	/* Datagrams of one segment come one by one, whoever reads. */
	s->burst = s->type == SOCK_DGRAM &&
		   (o.reading == GRO ? wanted[PART_GRO] : rnd(2));
	o.reply = !s->toggled || wanted[PART_RACE];
	do {
		close_all(&o);
		*port = (*port + 1) % SLOT_PORTS;
		s->port = SLOT_PORT + (s - shared->slots) * SLOT_PORTS + *port;
	} while (open_kind(&o) == -EADDRINUSE);
	s->n = o.n;
	limits = load(&shared->limits);

	if (o.reading == THREADS && s->type == SOCK_DGRAM &&
	    pthread_create(&second, NULL, serve_too, &o))
		o.reading = RECV;
	add(&s->gate, OPEN);

	life = 5 + rnd(rnd(4) ? 100 : 1000);
	end = net_now_ms() + life;
	while (net_now_ms() < end && !load(&shared->close))
		serve(&o);

	add(&s->gate, -OPEN);
	while (load(&s->gate))
		serve(&o);
	if (o.reading == THREADS && s->type == SOCK_DGRAM) {
		add(&o.stop, 1);
		pthread_join(second, NULL);
	}
	check_slot(ds, s, limits);
	close_all(&o);
	for (i = 0; i < FAM_COUNTERS; i++)
		see_n(sums(s->type), i, s->seen.v[i]);
}

static void owner(int i)
{
	struct fam ds;
	int port = 0;

	if (!open_family(&ds))
		return;
	while (!load(&shared->close))
		own_once(&ds, &shared->slots[i], &port);
	fam_close(&ds);
}

/* Clients. */

/* A socket that is bound so that the owner knows who it is. */
static int client_socket(int type, const char *addr, int me, int *n)
{
	union net_addr from;
	int fd;

	for (;;) {
		*n = (*n + 1) % CLIENT_PORTS;
		net_addr_set(&from, addr,
			     CLIENT_PORT + me * CLIENT_PORTS + *n);
		fd = socket(from.sa.sa_family, type | SOCK_CLOEXEC, 0);
		if (fd >= 0 && !bind(fd, &from.sa, net_addr_len(&from)))
			return fd;
		if (errno != EADDRINUSE)
			fail("client's bind: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
	}
}

/*
 * Wait for the end of a conversation: 1 for each time that it was served, 0 where
 * the socket has an error, which may come with being served, but not before.
 */
static int wait_end(int me, int fd, int *err)
{
	struct pollfd pfd[2] = {
		{ .fd = served[me], .events = POLLIN },
		{ .fd = fd, .events = POLLERR },
	};
	socklen_t len = sizeof(*err);
	__u64 n = 0;

	*err = 0;
	if (!poll(pfd, fd < 0 ? 1 : 2, PATIENCE_MS)) {
		fail("a conversation does not end");
		*err = ETIMEDOUT;
		return 0;
	}
	if (fd >= 0 && pfd[1].revents)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, err, &len);
	if (read(served[me], &n, sizeof(n)) < 0)
		n = 0;
	return n;
}

static int already_served(int me)
{
	__u64 n = 0;

	return read(served[me], &n, sizeof(n)) < 0 ? 0 : n;
}

static void expect(struct slot *s, bool v4, enum outcome want, bool refused)
{
	if (want == (refused ? SERVED : REFUSED))
		fail("%s to kind %d %s: %s", v4 ? "IPv4" : "IPv6", s->kind,
		     s->type == SOCK_STREAM ? "tcp" : "udp",
		     refused ? "refused" : "served");
	if (refused)
		see(&s->seen, refusal(s, v4));
}

static void talk_tcp(struct slot *s, int me, int fd, const union net_addr *to,
		     enum outcome want)
{
	bool v4 = to->sa.sa_family == AF_INET || net_addr_mapped(to);
	int err = 0, n;

	if (s->fastopen && rnd(2) ?
	    sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &to->sa,
		   net_addr_len(to)) < 0 :
	    connect(fd, &to->sa, net_addr_len(to)) < 0)
		err = errno;
	if (net_addr_mapped(to))
		see(sums(SOCK_STREAM), C(MAPPED_CONNECT));

	if (err && err != ECONNREFUSED && err != ECONNRESET && err != EPIPE)
		fail("connect: %s", strerror(err));
	/* The owner tells it before it resets the connection. */
	n = err ? already_served(me) : wait_end(me, fd, &err);
	if (n)
		return expect(s, v4, want, false);
	if (err == ECONNREFUSED)
		return expect(s, v4, want, true);
	/* A cookie came back to a port that had become V6ONLY. */
	add(&shared->lost, 1);
	if (want != EITHER || !wanted[PART_COOKIES])
		fail("a connection of kind %d was lost: %s", s->kind,
		     strerror(err));
}

/* Datagrams, one after the other; or several in one call. */
static void talk_udp(struct slot *s, int me, int fd, const union net_addr *to,
		     enum outcome want)
{
	bool v4 = to->sa.sa_family == AF_INET || net_addr_mapped(to);
	int size = GSO_SIZE, rounds = 1 + rnd(4), n, err, want_n;
	static char data[8 * GSO_SIZE];
	bool burst;

	/* A burst is refused as one. */
	burst = s->burst && want == SERVED && !rnd(2);
	if (burst && setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		return fail("UDP_SEGMENT: %s", strerror(errno));
	if (connect(fd, &to->sa, net_addr_len(to)))
		return fail("UDP connect: %s", strerror(errno));
	if (net_addr_mapped(to))
		see(sums(SOCK_DGRAM), C(MAPPED_CONNECT));

	while (rounds--) {
		want_n = burst ? 2 + rnd(7) : 1;
		if (send(fd, data, burst ? want_n * size - rnd(size - 1) :
			 1 + rnd(GSO_SIZE), 0) < 0)
			return fail("send: %s", strerror(errno));
		if (net_addr_mapped(to))
			see(sums(SOCK_DGRAM), C(MAPPED_SEND));
		n = wait_end(me, fd, &err);
		while (n && n < want_n)
			n += wait_end(me, -1, &err);
		if (n > want_n || (!n && err != ECONNREFUSED))
			fail("sent %d datagrams, %d came, %s", want_n, n,
			     strerror(err));
		expect(s, v4, want, !n);
	}
}

static void converse(struct slot *s, int me, int *port)
{
	static const char *const addrs[] = {
		"127.0.0.1", "::1", "::ffff:127.0.0.1",
	};
	const char *addr = addrs[rnd(ARRAY_SIZE(addrs))];
	enum outcome want = strcmp(addr, "::1") ? outcome4(s) : outcome6(s);
	union net_addr to;
	int fd;

	if (want == NOT_ASKED || s->kind == RACER)
		return;
	fd = client_socket(s->type, addr, me, port);
	net_addr_set(&to, addr, s->port);
	if (s->type == SOCK_STREAM)
		talk_tcp(s, me, fd, &to, want);
	else
		talk_udp(s, me, fd, &to, want);
	net_close_reset(fd);
	add(&shared->conversations, 1);
}

static void client(int me)
{
	struct slot *s;
	int port = 0;

	while (!load(&shared->stop)) {
		s = hold(rnd(SLOTS));
		if (!s) {
			nap_us(rnd(1000));
			continue;
		}
		converse(s, me, &port);
		let_go(s);
		if (!rnd(8))
			nap_us(rnd(5000));
	}
}

/* Datagrams over IPv6 that say to come from an IPv4 address. */
static void wire(int unused)
{
	union net_addr from, to;
	struct net_packet p;
	int err, port = 0;
	struct slot *s;

	(void)unused;
	while (!load(&shared->stop)) {
		nap_us(rnd(50000));
		s = hold(rnd(SLOTS));
		if (!s)
			continue;
		if (s->type == SOCK_DGRAM && outcome6(s) == SERVED &&
		    s->kind != RACER) {
			port = (port + 1) % CLIENT_PORTS;
			net_addr_set(&from, "::ffff:192.0.2.9", CLIENT_PORT +
				     WIRE * CLIENT_PORTS + port);
			net_addr_set(&to, "::1", s->port);
			net_packet_set(&p, SOCK_DGRAM, &from, &to);
			err = net_packet_send(&p);
			if (err)
				fail("raw packet: %s", strerror(-err));
			else
				wait_end(WIRE, -1, &err);
		}
		let_go(s);
	}
}

/* Calls that need nobody else. */

static int own_socket(int type, int v6only)
{
	int fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	int i, value;

	/* Only the last word counts. */
	for (i = rnd(3); i >= 0; i--) {
		value = i ? rnd(2) : v6only;
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value,
			   sizeof(value));
	}
	return fd;
}

static void call_once(const union net_addr *to, const union net_addr *sink)
{
	int type = rnd(2) ? SOCK_STREAM : SOCK_DGRAM;
	int v6only = rnd(3) > 0;
	struct fam_counters *c = sums(type);
	int fd = own_socket(type, v6only);
	bool ok;

	switch (rnd(3)) {
	case 0:
		ok = !bind(fd, &to->sa, sizeof(to->in6));
		if (ok == v6only)
			fail("bind: %s", ok ? "no error" : strerror(errno));
		if (v6only)
			see(c, C(REJECT_BIND));
		break;
	case 1:
		ok = !connect(fd, &sink->sa, sizeof(sink->in6)) ||
		     (type == SOCK_STREAM && errno == ECONNREFUSED);
		if (ok == v6only)
			fail("connect: %s", ok ? "no error" : strerror(errno));
		see(c, v6only ? C(REJECT_CONNECT) : C(MAPPED_CONNECT));
		break;
	default:
		if (type == SOCK_STREAM)
			break;
		ok = sendto(fd, "x", 1, 0, &sink->sa, sizeof(sink->in6)) == 1;
		if (ok == v6only)
			fail("sendto: %s", ok ? "no error" : strerror(errno));
		see(c, v6only ? C(REJECT_SEND) : C(MAPPED_SEND));
	}
	close(fd);
}

/* Where datagrams go that nobody reads; and nobody listens to TCP there. */
static int open_sink(union net_addr *sink)
{
	int fd = net_server(SOCK_DGRAM, "127.0.0.1", 0, 0);

	net_addr_set(sink, "::ffff:127.0.0.1", net_port(fd));
	return fd;
}

static void caller(int unused)
{
	union net_addr any, sink;
	int fd = open_sink(&sink);

	(void)unused;
	net_addr_set(&any, "::ffff:127.0.0.1", 0);
	while (!load(&shared->stop)) {
		call_once(&any, &sink);
		if (!rnd(4))
			nap_us(rnd(10000));
	}
	close(fd);
}

/*
 * sendmsg() and connect() on a socket whose IPV6_V6ONLY others set at this moment:
 * what counts is what the call answered.
 */
static void racer(int unused)
{
	union net_addr none = { .sa.sa_family = AF_UNSPEC }, sink;
	struct slot *s = &shared->slots[SLOTS];
	int fd, drain, i;

	(void)unused;
	drain = open_sink(&sink);
	/* A port that was asked for outlasts the end of a connection. */
	fd = net_server(SOCK_DGRAM, "::", SLOT_PORT - 1, NET_DUAL);
	s->kind = RACER;
	s->type = SOCK_DGRAM;
	s->toggled = true;
	s->port = net_port(fd);
	s->n = 1;
	s->cookie[0] = net_cookie(fd);
	add(&s->gate, OPEN);
	while (!load(&shared->close)) {
		for (i = rnd(50); i; i--) {
			if (sendto(fd, "x", 1, 0, &sink.sa,
				   sizeof(sink.in6)) == 1)
				see(&s->seen, C(MAPPED_SEND));
			else if (errno == ENETUNREACH)
				see(&s->seen, C(REJECT_SEND));
			else
				fail("racing sendto: %s", strerror(errno));
		}
		if (!connect(fd, &sink.sa, sizeof(sink.in6)))
			see(&s->seen, C(MAPPED_CONNECT));
		else if (errno == ENETUNREACH)
			see(&s->seen, C(REJECT_CONNECT));
		else
			fail("racing connect: %s", strerror(errno));
		if (rnd(2)) {
			nap_us(rnd(3000));
		} else {
			while (recv(drain, &none, 1, MSG_DONTWAIT) >= 0)
				;
			none.sa.sa_family = AF_UNSPEC;
		}
		connect(fd, &none.sa, sizeof(none));
	}
	add(&s->gate, -OPEN);
	while (load(&s->gate))
		nap_us(1000);
	close(fd);
	close(drain);
	for (i = 0; i < FAM_COUNTERS; i++)
		see_n(sums(SOCK_DGRAM), i, s->seen.v[i]);
}

/* Those who look and change. */

static void toggler(int unused)
{
	struct fam ds;
	struct slot *s;
	int ret;

	(void)unused;
	if (!open_family(&ds))
		return;
	while (!load(&shared->stop)) {
		s = hold(rnd(SLOTS + 1));
		if (s && s->toggled) {
			ret = fam_v6only_set_by(&ds, s->cookie[rnd(s->n)],
						s->type == SOCK_STREAM ?
						IPPROTO_TCP : IPPROTO_UDP,
						s->port, rnd(2), !rnd(8));
			if (ret > 0)
				add(&shared->toggles, 1);
			/* Somebody else is at it, or the racer is connected. */
			else if (ret && ret != -EBUSY && ret != -EISCONN &&
				 ret != -EADDRINUSE && ret != -EINVAL)
				fail("v6only-set: %s: %s", strerror(-ret),
				     ds.extack);
		}
		if (s)
			let_go(s);
		nap_us(rnd(3000));
	}
	fam_close(&ds);
}

static void resetter(int unused)
{
	struct fam ds;
	struct slot *s;
	int ret;

	(void)unused;
	if (!open_family(&ds))
		return;
	while (!load(&shared->stop)) {
		nap_us(rnd(100000));
		s = hold(rnd(SLOTS));
		if (!s)
			continue;
		add(&s->resets, 1);
		ret = fam_reset(&ds, s->cookie[rnd(s->n)]);
		if (!ret)
			add(&shared->resets, 1);
		else if (ret != -ENOENT)
			fail("reset: %s", strerror(-ret));
		let_go(s);
	}
	fam_close(&ds);
}

static int ignore_socket(const struct fam_socket *s, void *arg)
{
	(void)s;
	(void)arg;
	return 0;
}

static int ignore_hook(const struct fam_hook *h, void *arg)
{
	(void)h;
	(void)arg;
	return 0;
}

/* Ask for a dump, and read no more than its beginning. */
static void abandon(void)
{
	struct nl_msg *msg;
	struct fam ds;

	if (fam_open(&ds))
		return;
	msg = fam_msg(&ds, rnd(2) ? DUALSTACK_CMD_SOCKET_GET :
				   DUALSTACK_CMD_HOOK_GET, NLM_F_DUMP);
	if (msg) {
		nl_send_auto(ds.sk, msg);
		nlmsg_free(msg);
	}
	fam_close(&ds);
}

static void look(struct fam *ds)
{
	struct fam_explained ex;
	struct fam_config config;
	union net_addr to;
	int err = 0;

	switch (rnd(5)) {
	case 0:
		err = fam_socket_dump(ds, ignore_socket, NULL);
		break;
	case 1:
		err = fam_hook_dump(ds, ignore_hook, NULL);
		break;
	case 2:
		abandon();
		break;
	case 3:
		err = fam_config_get(ds, &config);
		break;
	default:
		net_addr_set(&to, rnd(2) ? "::1" : "127.0.0.1",
			     SLOT_PORT + rnd(SLOTS * SLOT_PORTS));
		err = fam_explain(ds, rnd(2) ? IPPROTO_TCP : IPPROTO_UDP, &to,
				  NULL, 0, &ex);
	}
	if (err)
		fail("request: %s: %s", strerror(-err), ds->extack);
}

/* The sums of a protocol never fall. */
static void watch(struct fam *ds, int protocol, struct fam_counters *before)
{
	struct fam_stats now;
	size_t i;

	if (fam_stats_get(ds, protocol, &now))
		return fail("stats-get: %s", ds->extack);
	for (i = 0; i < FAM_COUNTERS; i++) {
		if (now.counters.v[i] >= before->v[i])
			continue;
		add(&shared->falls, 1);
		printf("# counter %zu fell from %llu to %llu\n", i,
		       (unsigned long long)before->v[i],
		       (unsigned long long)now.counters.v[i]);
	}
	*before = now.counters;
}

static void reader(int unused)
{
	struct fam_counters tcp = { }, udp = { };
	struct fam ds;

	(void)unused;
	if (!open_family(&ds))
		return;
	while (!load(&shared->stop)) {
		watch(&ds, IPPROTO_TCP, &tcp);
		watch(&ds, IPPROTO_UDP, &udp);
		look(&ds);
		add(&shared->dumps, 1);
		nap_us(rnd(5000));
	}
	fam_close(&ds);
}

static void monitor(int unused)
{
	static struct fam_listener l;
	struct fam_event ev;
	int i, err;
	__u64 seq;

	(void)unused;
	while (!load(&shared->stop)) {
		err = fam_listen(&l);
		if (err)
			return fail("listening to events: %s", strerror(-err));
		seq = 0;
		for (i = rnd(200); i; i--) {
			err = fam_listen_next(&l, 20, &ev);
			if (err)
				continue;
			add(&shared->events, 1);
			/* What tells of losses up to a number comes with it. */
			if (ev.type < 0 ? ev.seq < seq : ev.seq <= seq)
				fail("event %llu after %llu",
				     (unsigned long long)ev.seq,
				     (unsigned long long)seq);
			seq = ev.seq;
		}
		fam_listen_end(&l);
		nap_us(rnd(20000));
	}
}

/* Settings that change how the kernel or the module go about it. */
static void settings(int unused)
{
	struct fam ds;
	int i, err = 0;

	(void)unused;
	if (!open_family(&ds))
		return;
	for (i = 0; !load(&shared->stop); i++) {
		nap_us(rnd(300000));
		if (wanted[PART_COOKIES])
			net_sysctl("ipv4/tcp_syncookies", 1 + rnd(2));
		err = fam_config_set(&ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				     1 + rnd(1000));
		/* They are on: this is no change. */
		if (!err)
			err = fam_config_set(&ds, DUALSTACK_A_CONFIG_TRACKING,
					     1);
		if (!err && wanted[PART_LIMIT] && !(i % 8)) {
			add(&shared->limits, 1);
			err = fam_config_set(&ds,
					     DUALSTACK_A_CONFIG_MAX_SOCKETS,
					     rnd(4));
			nap_us(rnd(300000));
			if (!err)
				err = fam_config_set(&ds,
						     DUALSTACK_A_CONFIG_MAX_SOCKETS,
						     131072);
			add(&shared->limits, 1);
		}
		if (err)
			fail("config-set: %s: %s", strerror(-err), ds.extack);
	}
	fam_close(&ds);
}

/* Namespaces that come, see something, and go with their sockets open. */

static int one_namespace(void)
{
	struct fam_counters seen[2] = { };
	int fd[2], conn, client, i, c;
	union net_addr peer = { };
	struct fam_stats stats[2];
	struct fam ds;
	socklen_t len;

	if (net_ns_new() || fam_open(&ds))
		return 1;
	fd[0] = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	fd[1] = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	for (i = 1 + rnd(10); i; i--) {
		const char *addr = rnd(2) ? "127.0.0.1" : "::1";

		client = net_client(SOCK_STREAM, addr, net_port(fd[0]), NULL);
		conn = net_accept(fd[0], &peer);
		if (client < 0 || conn < 0)
			return 2;
		see(&seen[0], net_addr_mapped(&peer) ? C(MAPPED_ACCEPT) :
						       C(NATIVE_ACCEPT));
		net_close_reset(client);
		close(conn);

		len = sizeof(peer);
		if (net_send_to(addr, net_port(fd[1]), "x", 1) ||
		    net_wait_in(fd[1], PATIENCE_MS) ||
		    recvfrom(fd[1], &c, 1, 0, &peer.sa, &len) != 1)
			return 3;
		see(&seen[1], net_addr_mapped(&peer) ? C(MAPPED_RECV) :
						       C(NATIVE_RECV));
	}
	for (c = 0; c < FAM_COUNTERS; c++) {
		if (!net_wait_for(!fam_stats_get(&ds, IPPROTO_TCP, &stats[0]) &&
				  !fam_stats_get(&ds, IPPROTO_UDP, &stats[1]) &&
				  stats[0].counters.v[c] == seen[0].v[c] &&
				  stats[1].counters.v[c] == seen[1].v[c],
				  PATIENCE_MS))
			return 4;
	}
	return 0;
}

static void namespaces(int unused)
{
	int status;
	pid_t pid;

	(void)unused;
	while (!load(&shared->stop)) {
		pid = net_fork();
		if (!pid) {
			state += net_now_ms() << 1;
			_exit(one_namespace());
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			fail("a namespace failed: status %#x", status);
		else
			add(&shared->namespaces, 1);
		nap_us(rnd(50000));
	}
}

/* Without manners, in a namespace of its own. */

#define WILD_PORTS	8

static void wild_owner(int unused)
{
	static const char *const addrs[] = { "::", "::", "::1", "0.0.0.0" };
	struct fam_counters *c;
	union net_addr peer;
	socklen_t len;
	int fd, conn, type, a;
	__u64 end;
	char x;

	(void)unused;
	while (!load(&shared->wild.close)) {
		type = rnd(2) ? SOCK_STREAM : SOCK_DGRAM;
		c = type == SOCK_STREAM ? &shared->wild.tcp : &shared->wild.udp;
		a = rnd(ARRAY_SIZE(addrs));
		fd = net_server(type, addrs[a], SLOT_PORT + rnd(WILD_PORTS),
				(rnd(2) ? NET_REUSEPORT : 0) |
				(a > 1 ? 0 : rnd(2) ? NET_DUAL : NET_V6ONLY));
		if (fd < 0) {
			nap_us(1000);
			continue;
		}
		end = net_now_ms() + rnd(50);
		do {
			len = sizeof(peer);
			if (net_wait_in(fd, 1))
				continue;
			if (type == SOCK_STREAM) {
				conn = accept4(fd, &peer.sa, &len, 0);
				if (conn < 0)
					continue;
				net_close_reset(conn);
				if (is_in6(fd))
					see(c, net_addr_mapped(&peer) ?
					    C(MAPPED_ACCEPT) :
					    C(NATIVE_ACCEPT));
			} else if (recvfrom(fd, &x, 1, MSG_DONTWAIT, &peer.sa,
					    &len) == 1 && is_in6(fd)) {
				see(c, net_addr_mapped(&peer) ?
				    C(MAPPED_RECV) : C(NATIVE_RECV));
			}
		} while (net_now_ms() < end);
		close(fd);
	}
}

static void wild_client(int unused)
{
	static const char *const addrs[] = {
		"127.0.0.1", "::1", "::ffff:127.0.0.1",
	};
	struct fam_counters *c;
	union net_addr to;
	int fd, i, type;

	(void)unused;
	while (!load(&shared->wild.stop)) {
		type = rnd(2) ? SOCK_STREAM : SOCK_DGRAM;
		c = type == SOCK_STREAM ? &shared->wild.tcp : &shared->wild.udp;
		net_addr_set(&to, addrs[rnd(ARRAY_SIZE(addrs))],
			     SLOT_PORT + rnd(WILD_PORTS));
		fd = socket(to.sa.sa_family, type | SOCK_CLOEXEC, 0);
		if (connect(fd, &to.sa, net_addr_len(&to)) &&
		    errno == ECONNREFUSED && type == SOCK_STREAM)
			see(c, C(REJECT_V6ONLY));
		if (net_addr_mapped(&to))
			see(c, C(MAPPED_CONNECT));
		for (i = rnd(4); i && type == SOCK_DGRAM; i--) {
			/* An error that waits is no answer to this call. */
			if (send(fd, "x", 1, 0) < 0 && errno == ECONNREFUSED)
				i++;
			else
				see(c, C(REJECT_V6ONLY));
			if (net_addr_mapped(&to))
				see(c, C(MAPPED_SEND));
		}
		net_close_reset(fd);
	}
}

static __u64 rejects(const struct fam_counters *c)
{
	return c->v[C(REJECT_V6ONLY)] + c->v[C(REJECT_ADDR)] +
	       c->v[C(REJECT_V4ONLY)];
}

/* How many handshakes this namespace has completed, by the kernel. */
static __u64 passive_opens(void)
{
	char line[512];
	__u64 n = 0;
	FILE *f;

	f = fopen("/proc/thread-self/net/snmp", "re");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "Tcp: %*u %*u %*u %*d %*u %llu",
		       (unsigned long long *)&n);
	if (f)
		fclose(f);
	return n;
}

static bool wild_agrees(struct fam *ds)
{
	static const int exact[] = {
		C(MAPPED_RECV), C(NATIVE_RECV), C(MAPPED_CONNECT),
		C(MAPPED_SEND),
	};
	struct fam_stats tcp, udp;
	__u64 accepts, seen;
	size_t i;

	if (fam_stats_get(ds, IPPROTO_TCP, &tcp) ||
	    fam_stats_get(ds, IPPROTO_UDP, &udp))
		return false;
	for (i = 0; i < ARRAY_SIZE(exact); i++)
		if (tcp.counters.v[exact[i]] != shared->wild.tcp.v[exact[i]] ||
		    udp.counters.v[exact[i]] != shared->wild.udp.v[exact[i]])
			return false;
	accepts = tcp.counters.v[C(MAPPED_ACCEPT)] +
		  tcp.counters.v[C(NATIVE_ACCEPT)];
	seen = shared->wild.tcp.v[C(MAPPED_ACCEPT)] +
	       shared->wild.tcp.v[C(NATIVE_ACCEPT)];
	if (accepts < seen || accepts > passive_opens())
		return false;
	if (rejects(&tcp.counters) > rejects(&shared->wild.tcp) +
				     net_tcpext("TCPSynRetrans") ||
	    rejects(&udp.counters) > rejects(&shared->wild.udp))
		return false;
	return !tcp.tracked && !udp.tracked && !tcp.untracked && !udp.untracked;
}

static void wild(int me)
{
	void (*const roles[])(int) = {
		wild_owner, wild_owner, wild_owner, wild_client, wild_client,
	};
	pid_t pid[ARRAY_SIZE(roles)];
	struct fam_stats stats;
	struct fam ds;
	size_t i;

	if (net_ns_new() || fam_open(&ds))
		return fail("no namespace without manners");
	for (i = 0; i < ARRAY_SIZE(roles); i++) {
		state += 2;
		pid[i] = net_fork();
		if (!pid[i]) {
			roles[i](me);
			_exit(0);
		}
	}
	while (!load(&shared->stop))
		net_nap();
	/* A client may wait for an answer from a queue that is full. */
	add(&shared->wild.stop, 1);
	for (i = 3; i < ARRAY_SIZE(roles); i++)
		waitpid(pid[i], NULL, 0);
	add(&shared->wild.close, 1);
	for (i = 0; i < 3; i++)
		waitpid(pid[i], NULL, 0);
	if (net_wait_for(wild_agrees(&ds), PATIENCE_MS)) {
		add(&shared->wilds, 1);
	} else {
		fam_stats_get(&ds, 0, &stats);
		for (i = 0; i < fam_counter_table_len; i++) {
			int c = fam_counter_table[i].attr;

			printf("# without manners: %s is %llu, seen %llu\n",
			       fam_counter_table[i].name,
			       (unsigned long long)stats.counters.v[c],
			       (unsigned long long)(shared->wild.tcp.v[c] +
						    shared->wild.udp.v[c]));
		}
		fail("%llu handshakes, %llu SYNs again, tracked %llu, untracked %llu",
		     (unsigned long long)passive_opens(),
		     (unsigned long long)net_tcpext("TCPSynRetrans"),
		     (unsigned long long)stats.tracked,
		     (unsigned long long)stats.untracked);
	}
	fam_close(&ds);
}

/* All together. */

static struct worker {
	const char *name;
	pid_t pid;
	bool owns;	/* goes after those that hold slots */
} workers[MAX_WORKERS];

static int n_workers;

static void start(const char *name, void (*role)(int), int arg, bool owns)
{
	struct worker *w = &workers[n_workers++];

	w->name = name;
	w->owns = owns;
	fflush(stdout);
	w->pid = net_fork();
	if (w->pid)
		return;
	state = (seed + n_workers) * 0x9e3779b97f4a7c15ULL | 1;
	role(arg);
	fflush(stdout);
	_exit(0);
}

static void start_all(void)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		start("serving", owner, i, true);
	if (wanted[PART_RACE])
		start("racing", racer, 0, true);
	for (i = 0; i < CLIENTS; i++)
		start("a client", client, i, false);
	start("raw packets", wire, 0, false);
	start("calling", caller, 0, false);
	start("reading", reader, 0, false);
	start("configuring", settings, 0, false);
	if (wanted[PART_TOGGLES])
		start("setting v6only", toggler, 0, false);
	if (wanted[PART_RESETS])
		start("resetting", resetter, 0, false);
	if (wanted[PART_MONITORS])
		start("listening", monitor, 0, false);
	if (wanted[PART_NAMESPACES])
		start("making namespaces", namespaces, 0, false);
	if (wanted[PART_MANNERS])
		start("ill-mannered", wild, 0, false);
}

/* Wait for those of one kind; they end when they are told. */
static void join(bool owns)
{
	int i, status;

	for (i = 0; i < n_workers; i++) {
		if (workers[i].owns != owns)
			continue;
		if (waitpid(workers[i].pid, &status, 0) != workers[i].pid ||
		    status)
			fail("%s: status %#x", workers[i].name, status);
	}
}

static bool agrees(struct fam *ds, struct fam_stats *tcp,
		   struct fam_stats *udp)
{
	size_t i;

	if (fam_stats_get(ds, IPPROTO_TCP, tcp) ||
	    fam_stats_get(ds, IPPROTO_UDP, udp))
		return false;
	for (i = 0; i < FAM_COUNTERS; i++)
		if (tcp->counters.v[i] != shared->tcp.v[i] ||
		    udp->counters.v[i] != shared->udp.v[i])
			return false;
	return !tcp->tracked && !udp->tracked;
}

/* A SYN that was sent again, on a machine that stood still for a second, may have
 * been refused twice while its client saw it once.
 */
static bool close_enough(const struct fam_counter_info *c, __u64 want, __u64 got)
{
	__s64 again = net_tcpext("TCPSynRetrans");

	if (got == want)
		return true;
	return got > want && again > 0 && got - want <= (__u64)again &&
	       (c->attr == C(REJECT_V6ONLY) || c->attr == C(REJECT_ADDR) ||
		c->attr == C(REJECT_V4ONLY));
}

static void compare(struct fam *ds)
{
	struct fam_stats tcp, udp;
	size_t i;

	net_wait_for(agrees(ds, &tcp, &udp), NET_TIMEOUT_MS);
	for (i = 0; i < fam_counter_table_len; i++) {
		const struct fam_counter_info *c = &fam_counter_table[i];
		__u64 t = tcp.counters.v[c->attr], u = udp.counters.v[c->attr];
		bool ok = true;

		if (t + u == 0) {
			ksft_print_msg("%s: none\n", c->name);
			ok = false;
		}
		if (!close_enough(c, shared->tcp.v[c->attr], t) ||
		    u != shared->udp.v[c->attr]) {
			ksft_print_msg("seen: tcp %llu, udp %llu; counted: tcp %llu, udp %llu\n",
				       (unsigned long long)shared->tcp.v[c->attr],
				       (unsigned long long)shared->udp.v[c->attr],
				       (unsigned long long)t,
				       (unsigned long long)u);
			ok = false;
		}
		ksft_test_result(ok, "%s: %llu, as seen\n", c->name,
				 (unsigned long long)(t + u));
	}
	ksft_test_result(!tcp.tracked && !udp.tracked,
			 "no record outlives its socket\n");
	if (!wanted[PART_LIMIT] && tcp.untracked + udp.untracked)
		fail("%llu untracked",
		     (unsigned long long)(tcp.untracked + udp.untracked));
}

static int set_port_range(void)
{
	return net_write_file("/proc/sys/net/ipv4/ip_local_port_range",
			      "50000 60999");
}

static bool want(const char *name, bool on)
{
	int i;

	for (i = 0; i < PARTS; i++) {
		if (strcmp(name, parts[i]))
			continue;
		wanted[i] = on;
		return true;
	}
	return false;
}

static int usage(const char *self)
{
	int i;

	fprintf(stderr, "Usage: %s [-t SECONDS] [-s SEED] [-x PART]... [-w PART]...\nParts:",
		self);
	for (i = 0; i < PARTS; i++)
		fprintf(stderr, " %s", parts[i]);
	fprintf(stderr, "\n");
	return 2;
}

int main(int argc, char **argv)
{
	int i, opt, err, seconds = SECONDS;
	struct fam ds;

	seed = net_real_ns();
	memset(wanted, true, sizeof(wanted));
	wanted[PART_RACE] = false;
	while ((opt = getopt(argc, argv, "s:t:w:x:")) != -1) {
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		case 'w':
		case 'x':
			if (want(optarg, opt == 'w'))
				break;
			return usage(argv[0]);
		default:
			return usage(argv[0]);
		}
	}

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("needs root, for network namespaces\n");
	if (net_ns_new() || net_sysctl("ipv4/icmp_ratemask", 0) ||
	    net_sysctl("ipv4/icmp_ratelimit", 0) ||
	    net_sysctl("ipv6/icmp/ratelimit", 0) ||
	    net_sysctl("ipv4/tcp_fastopen", 0x207) || set_port_range())
		ksft_exit_fail_msg("cannot make a namespace\n");
	err = fam_open(&ds);
	if (err == -ENOENT)
		ksft_exit_skip("the family is not there: load the module dualstack\n");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (err || shared == MAP_FAILED)
		ksft_exit_fail_msg("cannot begin: %s\n", strerror(errno));
	for (i = 0; i <= CLIENTS; i++)
		served[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	ksft_set_plan(fam_counter_table_len + 6);
	ksft_print_msg("%d seconds, seed %llu\n", seconds,
		       (unsigned long long)seed);
	start_all();
	for (i = 0; i < seconds && !load(&shared->stop); i++)
		sleep(1);
	add(&shared->stop, 1);
	join(false);
	add(&shared->close, 1);
	join(true);

	ksft_print_msg("%d conversations, %d lost; IPV6_V6ONLY set %d times\n",
		       shared->conversations, shared->lost, shared->toggles);
	ksft_print_msg("%d dumps, %d resets, %d events, %d namespaces\n",
		       shared->dumps, shared->resets, shared->events,
		       shared->namespaces);
	compare(&ds);
	ksft_test_result(!shared->failures, "nobody met what cannot be\n");
	ksft_test_result(!shared->mismatches,
			 "each socket's record is what was seen of it\n");
	ksft_test_result(!shared->falls, "no sum ever fell\n");
	ksft_test_result(shared->namespaces || !wanted[PART_NAMESPACES],
			 "each namespace counted its own\n");
	ksft_test_result(shared->wilds || !wanted[PART_MANNERS],
			 "without manners, between what is known\n");
	fam_close(&ds);
	ksft_finished();
}
