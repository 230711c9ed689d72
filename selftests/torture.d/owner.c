// SPDX-License-Identifier: GPL-2.0-only
/*
 * Those who open sockets, serve and close them, and compare the record of each with
 * what was seen of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/net_util.h"
#include "torture.h"

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
		see(&o->slot->seen, fam_accept_counter(&peer));
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
		see(&o->slot->seen, fam_send_counter(peer));
	else if (errno == ENETUNREACH)
		see(&o->slot->seen, C(REJECT_SEND));
	else
		fail("reply: %s", strerror(errno));
}

static void got(struct owner *o, int fd, const union net_addr *peer, int n)
{
	/* It came over IPv6, whatever its source looks like. */
	if (tell(peer, n) == WIRE) {
		see_n(&o->slot->seen, C(WIRE_MAPPED), n);
		see_n(&o->slot->seen, C(NATIVE_RECV), n);
		return;
	}
	see_n(&o->slot->seen, fam_recv_counter(peer), n);
	if (fam_send_counter(peer) && o->reply)
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

		/* A record does not have it. */
		if (s->type == SOCK_STREAM && fam_is_summed(c))
			continue;
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

void torture_owner(int i)
{
	struct fam ds;
	int port = 0;

	if (!open_family(&ds))
		return;
	while (!load(&shared->close))
		own_once(&ds, &shared->slots[i], &port);
	fam_close(&ds);
}
