// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events by the multicast group: all of them in order, or a number that tells
 * how many were lost.
 */
#include <netlink/netlink.h>
#include <netlink/genl/ctrl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "lib/test.h"
#include "lib/net_wire.h"

#define FLOOD		5000
#define FLOWLABEL	0x12345
/* In which something that is about to come has come. */
#define QUIET_MS	2000

FIXTURE(events)
{
	struct fam ds;
	struct fam_listener l;
};

FIXTURE_SETUP(events)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, net_sysctl("ipv6/auto_flowlabels", 0));
	ASSERT_EQ(0, fam_listen(&self->l));
}

FIXTURE_TEARDOWN(events)
{
	if (self->l.ds.sk)
		fam_listen_end(&self->l);
	fam_close(&self->ds);
}

static union net_addr addr(const char *text, in_port_t port)
{
	union net_addr a;

	net_addr_set(&a, text, port);
	return a;
}

/* What the AF_INET client of a server does, which most tests are not about. */
static bool is_of_client(int type)
{
	return type == DUALSTACK_EVENT_TYPE_V4_CONNECT ||
	       type == DUALSTACK_EVENT_TYPE_V4_SEND;
}

/*
 * The next one of those that are for this listener, which older ones are not; and
 * none of a client that comes in its turn, unless @type is such a one.
 */
static int next_event(struct fam_listener *l, int timeout_ms, int type,
		      struct fam_event *ev)
{
	int err;

	for (;;) {
		err = fam_listen_next(l, timeout_ms, ev);
		if (err)
			return err;
		if (ev->seq <= l->seq)
			continue;
		if (is_of_client(type) || !is_of_client(ev->type) ||
		    ev->seq != l->seq + 1)
			return 0;
		l->seq++;
	}
}

/* The next message is this event, with the next number. */
static void expect_event(struct __test_metadata *_metadata,
			 struct fam_listener *l, const struct fam_event *want)
{
	struct fam_event got;
	__u64 ns;

	ASSERT_EQ(0, next_event(l, NET_TIMEOUT_MS, want->type, &got))
		TH_LOG("event type %d did not come", want->type);
	ns = net_real_ns();
	EXPECT_EQ(++l->seq, got.seq);
	EXPECT_EQ(want->type, got.type);
	EXPECT_EQ(want->family, got.family);
	EXPECT_EQ(want->protocol, got.protocol);
	EXPECT_EQ(want->cookie, got.cookie);
	EXPECT_EQ(want->flowlabel, got.flowlabel);
	EXPECT_TRUE(net_addr_eq(&want->local, &got.local))
		TH_LOG("type %d: local family %d port %d", got.type,
		       got.local.sa.sa_family, ntohs(got.local.in.sin_port));
	EXPECT_TRUE(net_addr_eq(&want->peer, &got.peer))
		TH_LOG("type %d: peer family %d port %d", got.type,
		       got.peer.sa.sa_family, ntohs(got.peer.in.sin_port));
	EXPECT_GE(ns, got.time);
	EXPECT_LE(ns - 300 * 1000000000ULL, got.time);
}

static void expect_silence(struct __test_metadata *_metadata,
			   struct fam_listener *l)
{
	struct fam_event got;

	EXPECT_EQ(-ETIMEDOUT, next_event(l, QUIET_MS, -1, &got))
		TH_LOG("event %llu of type %d", got.seq, got.type);
}

static void serve(struct __test_metadata *_metadata, struct fam_listener *l,
		  int type, const char *server)
{
	struct fam_event e = {
		.family = AF_INET,
		.protocol = net_protocol_of(type),
	};
	struct fam_counters ignored = { };
	bool v4 = !strchr(server, ':');
	int fd, client, conn;
	char c;

	if (type == SOCK_STREAM)
		e.type = v4 ? DUALSTACK_EVENT_TYPE_V4_ACCEPT :
			      DUALSTACK_EVENT_TYPE_MAPPED_ACCEPT;
	else
		e.type = v4 ? DUALSTACK_EVENT_TYPE_V4_RECV :
			      DUALSTACK_EVENT_TYPE_MAPPED_RECV;
	fd = net_server(type, server, 0, v4 ? 0 : NET_DUAL);
	ASSERT_LE(0, fd);
	/* IPv6 is no event. */
	if (!v4)
		test_serve(_metadata, type, fd, "::1", &ignored);
	client = net_client(type, "127.0.0.1", net_port(fd), NULL);
	ASSERT_LE(0, client);
	if (type == SOCK_STREAM) {
		conn = net_accept(fd, NULL);
		ASSERT_LE(0, conn);
		close(conn);
	} else {
		ASSERT_EQ(1, send(client, "x", 1, 0));
		ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
		ASSERT_EQ(1, recv(fd, &c, 1, 0));
	}
	e.cookie = net_cookie(fd);
	e.local = addr("127.0.0.1", net_port(fd));
	e.peer = net_local(client);
	expect_event(_metadata, l, &e);
	close(client);
	close(fd);
}

static void refuse(struct __test_metadata *_metadata, struct fam_listener *l,
		   int type, int event, const char *server, unsigned int flags,
		   const char *client)
{
	struct fam_event e = { .type = event, .protocol = net_protocol_of(type) };
	int fd;

	fd = net_server(type, server, 0, flags);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, net_refused(type, client, net_port(fd), &e.peer));
	e.family = e.peer.sa.sa_family;
	e.local = addr(client, net_port(fd));
	e.cookie = net_cookie(fd);
	expect_event(_metadata, l, &e);
	close(fd);
}

/* From an AF_INET6 socket or an AF_INET one, as the address is. */
static void go_out(struct __test_metadata *_metadata, struct fam_listener *l,
		   int type, const char *to)
{
	bool v4 = !strchr(to, ':');
	struct fam_event e = {
		.type = v4 ? DUALSTACK_EVENT_TYPE_V4_CONNECT :
			     DUALSTACK_EVENT_TYPE_MAPPED_CONNECT,
		.family = AF_INET,
		.protocol = net_protocol_of(type),
	};
	int fd, conn, server;

	server = net_server(type, "127.0.0.1", 0, 0);
	ASSERT_LE(0, server);
	fd = net_client(type, to, net_port(server), NULL);
	ASSERT_LE(0, fd);
	e.cookie = net_cookie(fd);
	e.local = addr("127.0.0.1", net_port(fd));
	e.peer = addr("127.0.0.1", net_port(server));
	expect_event(_metadata, l, &e);
	if (type == SOCK_DGRAM) {
		ASSERT_EQ(1, send(fd, "x", 1, 0));
		e.type = v4 ? DUALSTACK_EVENT_TYPE_V4_SEND :
			      DUALSTACK_EVENT_TYPE_MAPPED_SEND;
		expect_event(_metadata, l, &e);
	} else {
		conn = net_accept(server, NULL);
		ASSERT_LE(0, conn);
		close(conn);
		e.type = DUALSTACK_EVENT_TYPE_V4_ACCEPT;
		e.cookie = net_cookie(server);
		e.local = addr("127.0.0.1", net_port(server));
		e.peer = addr("127.0.0.1", net_port(fd));
		expect_event(_metadata, l, &e);
	}
	close(fd);
	close(server);
}

static void fail_out(struct __test_metadata *_metadata, struct fam_listener *l,
		     int type)
{
	struct fam_event e = {
		.type = DUALSTACK_EVENT_TYPE_REJECT_BIND,
		.family = AF_INET,
		.protocol = net_protocol_of(type),
		.local = addr("127.0.0.1", 9),
		.peer = addr("0.0.0.0", 0),
	};
	union net_addr to = addr("::ffff:127.0.0.1", 9);
	int fd, one = 1;

	fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				sizeof(one)));
	e.cookie = net_cookie(fd);
	ASSERT_EQ(-1, bind(fd, &to.sa, sizeof(to.in6)));
	expect_event(_metadata, l, &e);

	/* Bound to an IPv6 address, which is shown as what it is. */
	e.local = addr(NET_ADDR6, 0);
	ASSERT_EQ(0, bind(fd, &e.local.sa, sizeof(e.local.in6)));
	e.local = net_local(fd);
	e.peer = addr("127.0.0.1", 9);
	e.type = DUALSTACK_EVENT_TYPE_REJECT_CONNECT;
	ASSERT_EQ(-1, connect(fd, &to.sa, sizeof(to.in6)));
	expect_event(_metadata, l, &e);
	if (type == SOCK_DGRAM) {
		e.type = DUALSTACK_EVENT_TYPE_REJECT_SEND;
		ASSERT_EQ(-1, sendto(fd, "x", 1, 0, &to.sa, sizeof(to.in6)));
		expect_event(_metadata, l, &e);
	}
	close(fd);
}

static void spoof(struct __test_metadata *_metadata, struct fam_listener *l,
		  int type)
{
	struct fam_event e = {
		.type = DUALSTACK_EVENT_TYPE_WIRE_MAPPED,
		.family = AF_INET6,
		.protocol = net_protocol_of(type),
		.flowlabel = FLOWLABEL,
	};
	struct net_packet p;
	int fd;
	char c;

	fd = net_server(type, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	e.cookie = net_cookie(fd);
	e.local = addr("::1", net_port(fd));
	e.peer = addr("::ffff:192.0.2.9", 9);
	net_packet_set(&p, type, &e.peer, &e.local);
	p.ip6.ip6_flow |= htonl(FLOWLABEL);
	ASSERT_EQ(0, net_packet_send(&p));
	if (type == SOCK_DGRAM) {
		ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
		ASSERT_EQ(1, recv(fd, &c, 1, 0));
	}
	expect_event(_metadata, l, &e);
	close(fd);
}

/* The number of the latest, which is not told while events start or end anywhere. */
static __u64 event_seq(struct __test_metadata *_metadata, struct fam *ds)
{
	struct fam_config config;

	EXPECT_TRUE(net_wait_for(!fam_config_get(ds, &config) &&
				 config.numbered, NET_TIMEOUT_MS));
	return config.event_seq;
}

/* One of each kind, compared with what the application saw of it. */
static void every_kind(struct __test_metadata *_metadata,
		       struct fam_listener *l)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		serve(_metadata, l, types[i], "::");
		serve(_metadata, l, types[i], "0.0.0.0");
		refuse(_metadata, l, types[i],
		       DUALSTACK_EVENT_TYPE_REJECT_V6ONLY, "::", NET_V6ONLY,
		       "127.0.0.1");
		refuse(_metadata, l, types[i],
		       DUALSTACK_EVENT_TYPE_REJECT_ADDR, "::1", 0, NET_ADDR4);
		refuse(_metadata, l, types[i],
		       DUALSTACK_EVENT_TYPE_REJECT_V4ONLY, "0.0.0.0", 0,
		       NET_ADDR6);
		go_out(_metadata, l, types[i], "::ffff:127.0.0.1");
		go_out(_metadata, l, types[i], "127.0.0.1");
		fail_out(_metadata, l, types[i]);
		spoof(_metadata, l, types[i]);
	}
}

/* A socket that has become an AF_INET one reads what came over IPv6 before. */
TEST_F_TIMEOUT(events, addrform, TEST_TIMEOUT)
{
	union net_addr from, local, to = addr("::ffff:127.0.0.1", 9);
	struct fam_event ev = { };
	struct net_packet p;
	char c;
	int fd;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	from = addr("::ffff:192.0.2.9", 9);
	local = addr("::1", net_port(fd));
	net_packet_set(&p, SOCK_DGRAM, &from, &local);
	ASSERT_EQ(0, net_packet_send(&p));
	ASSERT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
	ASSERT_EQ(0, connect(fd, &to.sa, sizeof(to.in6)));
	ASSERT_EQ(0, net_setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, AF_INET));
	ASSERT_EQ(1, recv(fd, &c, 1, 0));

	ASSERT_EQ(0, next_event(&self->l, NET_TIMEOUT_MS, -1, &ev));
	EXPECT_EQ(DUALSTACK_EVENT_TYPE_MAPPED_CONNECT, ev.type);
	ASSERT_EQ(0, next_event(&self->l, NET_TIMEOUT_MS, -1, &ev));
	EXPECT_EQ(DUALSTACK_EVENT_TYPE_WIRE_MAPPED, ev.type);
	EXPECT_EQ(IPPROTO_UDP, ev.protocol);
	EXPECT_EQ(net_cookie(fd), ev.cookie);
	EXPECT_TRUE(net_addr_eq(&from, &ev.peer));
	close(fd);
}

TEST_F_TIMEOUT(events, every_kind, TEST_TIMEOUT)
{
	EXPECT_EQ(0, self->l.seq);
	every_kind(_metadata, &self->l);
	expect_silence(_metadata, &self->l);
	EXPECT_EQ(self->l.seq, event_seq(_metadata, &self->ds));
}

/* Whoever listens is told once, though the same is traced. */
TEST_F_TIMEOUT(events, traced, TEST_TIMEOUT)
{
	static const char enable[] = "/sys/kernel/tracing/events/dualstack/enable";

	/* It may be there already. */
	mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
	ASSERT_EQ(0, net_write_file(enable, "1"));
	every_kind(_metadata, &self->l);
	EXPECT_EQ(0, net_write_file(enable, "0"));
	expect_silence(_metadata, &self->l);
	EXPECT_EQ(self->l.seq, event_seq(_metadata, &self->ds));
}

/* Sockets that have no record have events. */
TEST_F_TIMEOUT(events, untracked, TEST_TIMEOUT)
{
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    0));
	every_kind(_metadata, &self->l);
	EXPECT_EQ(0, fam_socket_count(&self->ds));
}

/* Datagrams over IPv4 that a dual socket takes: so many, or until stopped. */
static int exchange_datagrams(int n, const bool *stop)
{
	int i, fd, client;
	in_port_t port;
	char c;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	port = net_port(fd);
	client = net_raw_udp("127.0.0.1");
	for (i = 0; i < n && !__atomic_load_n(stop, __ATOMIC_RELAXED); i++)
		if (net_raw_udp_send(client, port, "x", 1) ||
		    recv(fd, &c, 1, 0) != 1)
			break;
	close(client);
	close(fd);
	return i;
}

static void flood(struct __test_metadata *_metadata, int n)
{
	static const bool stop;

	ASSERT_EQ(n, exchange_datagrams(n, &stop));
}

/* What a listener knows at the end: events that came, and that did not. */
struct tally {
	__u64 received;
	__u64 lost;
	__u64 last;
	unsigned int overruns;
	unsigned int notices;
	bool disorder;
};

/* Until nothing more comes for a time in which a loss must have been told of. */
static void drain(struct fam_listener *l, struct tally *t)
{
	struct fam_event ev;
	int err;

	if (!t->last)
		t->last = l->seq;
	for (;;) {
		err = fam_listen_next(l, QUIET_MS, &ev);
		if (err == -ENOBUFS) {
			t->overruns++;
			continue;
		}
		if (err)
			break;
		if (ev.seq <= l->seq)
			continue;
		if (ev.seq <= t->last)
			t->disorder = true;
		t->lost += ev.seq - t->last - 1;
		t->last = ev.seq;
		if (ev.type < 0) {
			t->notices++;
			t->lost++;
		} else {
			t->received++;
		}
	}
}

static void expect_tally(struct __test_metadata *_metadata, struct fam *ds,
			 const struct tally *t)
{
	struct fam_stats stats;

	TH_LOG("%llu received, %llu lost, %u overruns, %u notices",
	       t->received, t->lost, t->overruns, t->notices);
	EXPECT_FALSE(t->disorder);
	ASSERT_EQ(0, fam_stats_get(ds, 0, &stats));
	EXPECT_EQ(stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV],
		  t->received + t->lost);
	EXPECT_EQ(event_seq(_metadata, ds), t->last);
}

TEST_F_TIMEOUT(events, flood, TEST_TIMEOUT)
{
	struct tally t = { };

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    100));
	flood(_metadata, FLOOD);
	drain(&self->l, &t);
	expect_tally(_metadata, &self->ds, &t);
	EXPECT_LE(100, t.received);
	EXPECT_LT(0, t.lost);
}

/* With no limit to speak of, and a listener that keeps up, little is lost. */
TEST_F_TIMEOUT(events, full_rate, TEST_TIMEOUT)
{
	struct tally t = { };
	int status;
	pid_t pid;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    1000000));
	pid = net_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		flood(_metadata, FLOOD);
		_exit(0);
	}
	drain(&self->l, &t);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	drain(&self->l, &t);
	expect_tally(_metadata, &self->ds, &t);
	EXPECT_LE(FLOOD / 2, t.received);
}

/* As many as the rate allows at once; the loss of the rest is told of. */
TEST_F_TIMEOUT(events, rate, TEST_TIMEOUT)
{
	struct tally t = { };
	__u64 began, ms;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    10));
	began = net_now_ms();
	flood(_metadata, 100);
	ms = net_now_ms() - began;
	drain(&self->l, &t);
	expect_tally(_metadata, &self->ds, &t);
	EXPECT_LE(10, t.received);
	EXPECT_GE(11 + ms / 100, t.received);
	EXPECT_LE(1, t.notices);

	/* None at all. */
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    0));
	t.received = 0;
	t.notices = 0;
	t.lost = 0;
	flood(_metadata, 20);
	drain(&self->l, &t);
	EXPECT_EQ(0, t.received);
	EXPECT_EQ(20, t.lost);
	EXPECT_LE(1, t.notices);
}

/* What is served does not crowd out what is refused. */
TEST_F_TIMEOUT(events, refused_too, TEST_TIMEOUT)
{
	struct fam_event ev = { .type = -1 };
	int i, fd, n = 0;

	/* Far less than once while this runs: what there is at once is all there is. */
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE, 6));
	fd = net_server(SOCK_DGRAM, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	flood(_metadata, 100);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(1, net_refused(SOCK_DGRAM, "127.0.0.1", net_port(fd),
					 NULL));
	while (!next_event(&self->l, QUIET_MS, -1, &ev))
		n += ev.type == DUALSTACK_EVENT_TYPE_REJECT_V6ONLY;
	EXPECT_EQ(3, n);
	close(fd);
}

/* A loss is told of soon, though nothing follows. */
TEST_F_TIMEOUT(events, notice, TEST_TIMEOUT)
{
	struct fam_event ev;
	__u64 began;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    0));
	flood(_metadata, 1);
	began = net_now_ms();
	ASSERT_EQ(0, next_event(&self->l, NET_TIMEOUT_MS, -1, &ev));
	TH_LOG("after %llu ms", net_now_ms() - began);
	EXPECT_EQ(-1, ev.type);
	EXPECT_EQ(self->l.seq + 1, ev.seq);
	EXPECT_GE(QUIET_MS, net_now_ms() - began);
	expect_silence(_metadata, &self->l);
}

/* One that does not read loses events, and nobody else does. */
TEST_F_TIMEOUT(events, slow_listener, TEST_TIMEOUT)
{
	struct tally slow = { }, quick = { };
	static struct fam_listener lazy;
	int small = 1;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    1000000));
	ASSERT_EQ(0, fam_listen(&lazy));
	ASSERT_EQ(0, setsockopt(nl_socket_get_fd(lazy.ds.sk), SOL_SOCKET,
				SO_RCVBUF, &small, sizeof(small)));
	flood(_metadata, 500);
	drain(&self->l, &quick);
	expect_tally(_metadata, &self->ds, &quick);
	EXPECT_EQ(500, quick.received);
	EXPECT_EQ(0, quick.overruns);

	/* It learns of it by the error, and how many by the next event. */
	lazy.seq = 0;
	drain(&lazy, &slow);
	EXPECT_LT(0, slow.overruns);
	flood(_metadata, 1);
	drain(&lazy, &slow);
	expect_tally(_metadata, &self->ds, &slow);
	EXPECT_LT(0, slow.lost);
	fam_listen_end(&lazy);
}

/* A second one joins later and sees the same from there on. */
TEST_F_TIMEOUT(events, two_listeners, TEST_TIMEOUT)
{
	static struct fam_listener second;
	struct tally t = { }, u = { };

	flood(_metadata, 30);
	ASSERT_EQ(0, fam_listen(&second));
	EXPECT_EQ(30, second.seq);
	flood(_metadata, 50);
	drain(&self->l, &t);
	drain(&second, &u);
	EXPECT_EQ(80, t.received);
	EXPECT_EQ(50, u.received);
	EXPECT_EQ(t.last, u.last);

	/* The end of one is not that of the other. */
	fam_listen_end(&self->l);
	usleep(2000 * 1000);
	flood(_metadata, 5);
	drain(&second, &u);
	EXPECT_EQ(55, u.received);
	EXPECT_EQ(0, u.lost);
	fam_listen_end(&second);
	self->l.ds.sk = NULL;
}

/* Nobody hears of other namespaces, listened to or not. */
TEST_F_TIMEOUT(events, separate, TEST_TIMEOUT)
{
	static struct fam_listener other;
	struct fam_stats stats;
	struct tally t = { };
	struct fam ds;

	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&ds));
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, net_sysctl("ipv6/auto_flowlabels", 0));
	flood(_metadata, 10);
	expect_silence(_metadata, &self->l);
	ASSERT_EQ(0, fam_listen(&other));
	/* They count all the same. */
	ASSERT_EQ(0, fam_stats_get(&ds, 0, &stats));
	EXPECT_EQ(10, stats.counters.v[DUALSTACK_A_COUNTER_MAPPED_RECV]);
	fam_close(&ds);
	EXPECT_EQ(0, other.seq);
	every_kind(_metadata, &other);
	expect_silence(_metadata, &self->l);
	flood(_metadata, 10);
	drain(&other, &t);
	EXPECT_EQ(10, t.received);
	fam_listen_end(&other);
}

static bool is_numbered(struct __test_metadata *_metadata, struct fam *ds)
{
	struct fam_config config;

	EXPECT_EQ(0, fam_config_get(ds, &config));
	return config.numbered;
}

/*
 * There is no listener. It takes a second after the last one, and some for a slow
 * machine, until there is nothing to start for either.
 */
static bool is_off(struct __test_metadata *_metadata, struct fam *ds)
{
	__u64 seq;

	return net_wait_for(fam_events_start(ds, &seq) == -ESRCH,
			    NET_TIMEOUT_MS) &&
	       !is_numbered(_metadata, ds);
}

/* Without listeners nothing is numbered, so nothing is in the packet's way. */
TEST_F_TIMEOUT(events, off_again, TEST_TIMEOUT)
{
	static struct fam_listener l;
	struct tally t = { };
	int group;
	__u64 seq;

	flood(_metadata, 5);
	EXPECT_EQ(5, event_seq(_metadata, &self->ds));
	fam_listen_end(&self->l);
	EXPECT_TRUE(is_off(_metadata, &self->ds));
	flood(_metadata, 5);

	/* One that leaves the group without closing its socket. */
	ASSERT_EQ(0, fam_listen(&self->l));
	EXPECT_EQ(5, self->l.seq);
	flood(_metadata, 5);
	drain(&self->l, &t);
	EXPECT_EQ(5, t.received);
	group = genl_ctrl_resolve_grp(self->ds.sk, DUALSTACK_GENL_NAME,
				      DUALSTACK_MCGRP_EVENTS);
	ASSERT_EQ(0, nl_socket_drop_membership(self->l.ds.sk, group));
	/* It is noticed at the next event. */
	seq = event_seq(_metadata, &self->ds);
	flood(_metadata, 1);
	EXPECT_TRUE(is_off(_metadata, &self->ds));
	flood(_metadata, 5);

	ASSERT_EQ(0, fam_listen(&l));
	EXPECT_EQ(seq + 1, l.seq);
	flood(_metadata, 5);
	EXPECT_EQ(seq + 6, event_seq(_metadata, &self->ds));
	fam_listen_end(&l);
}

/* A listener of the namespace, who asks for it, is what a namespace starts for. */
TEST_F_TIMEOUT(events, for_listeners, TEST_TIMEOUT)
{
	static struct fam_listener idle, l;
	struct fam ds;
	int status;
	pid_t pid;
	__u64 seq;

	/* Another namespace has a listener: that one starts nothing here. */
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&ds));
	EXPECT_EQ(-ESRCH, fam_events_start(&ds, &seq));
	EXPECT_STREQ("Nobody listens in this network namespace: join the multicast group first",
		     ds.extack);

	/* There is one. Who has not the right does not ask for it. */
	ASSERT_EQ(0, fam_join(&idle));
	pid = net_fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		struct fam nobodys;

		if (net_become_nobody() || fam_open(&nobodys))
			_exit(1);
		_exit(fam_events_start(&nobodys, &seq) == -EPERM ? 0 : 2);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_FALSE(is_numbered(_metadata, &ds));

	ASSERT_EQ(0, fam_listen(&l));
	flood(_metadata, 3);
	EXPECT_EQ(3, event_seq(_metadata, &ds));
	fam_listen_end(&l);
	fam_listen_end(&idle);
	fam_close(&ds);
}

/* Whoever reads starts nothing, though there is a listener, and by all rights. */
TEST_F_TIMEOUT(events, not_by_reading, TEST_TIMEOUT)
{
	static struct fam_listener idle;
	struct fam_event ev;
	struct fam ds;
	int i;

	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&ds));
	ASSERT_EQ(0, fam_join(&idle));
	for (i = 0; i < QUIET_MS / 100; i++) {
		EXPECT_FALSE(is_numbered(_metadata, &ds));
		usleep(100 * 1000);
	}
	flood(_metadata, 3);
	EXPECT_EQ(-ETIMEDOUT, fam_listen_next(&idle, QUIET_MS, &ev))
		TH_LOG("event %llu of type %d", ev.seq, ev.type);
	EXPECT_FALSE(is_numbered(_metadata, &ds));
	fam_listen_end(&idle);
	fam_close(&ds);
}

/* By bind() as well as by setsockopt(), which fam_join() uses. */
static int bind_group(struct __test_metadata *_metadata)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK };
	struct fam ds;
	int fd, group, err = 0;

	EXPECT_EQ(0, fam_open(&ds));
	group = genl_ctrl_resolve_grp(ds.sk, DUALSTACK_GENL_NAME,
				      DUALSTACK_MCGRP_EVENTS);
	fam_close(&ds);
	/* bind() knows so many. */
	EXPECT_LT(0, group);
	EXPECT_GE(32, group);
	sa.nl_groups = 1U << (group - 1);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	EXPECT_LE(0, fd);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		err = -errno;
	close(fd);
	return err;
}

/* Events are for who administers the network. */
TEST_F_TIMEOUT(events, rights, TEST_TIMEOUT)
{
	static struct fam_listener l;

	EXPECT_EQ(0, bind_group(_metadata));
	serve(_metadata, &self->l, SOCK_DGRAM, "::");

	ASSERT_EQ(0, net_become_nobody());
	EXPECT_EQ(-EPERM, fam_join(&l));
	EXPECT_EQ(-EPERM, bind_group(_metadata));

	/* Root of a user namespace that does not own this network */
	if (unshare(CLONE_NEWUSER)) {
		TH_LOG("no user namespaces for users: %s", strerror(errno));
		return;
	}
	EXPECT_EQ(-EPERM, fam_join(&l));
	EXPECT_EQ(-EPERM, bind_group(_metadata));

	/* hears of his own, and nobody else does. */
	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
	ASSERT_EQ(0, net_sysctl("ipv6/auto_flowlabels", 0));
	ASSERT_EQ(0, fam_listen(&l));
	EXPECT_EQ(0, l.seq);
	serve(_metadata, &l, SOCK_DGRAM, "::");
	expect_silence(_metadata, &self->l);
	fam_listen_end(&l);
}

static void *flood_some(void *arg)
{
	static const bool stop;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(*(int *)arg, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	return (void *)(long)exchange_datagrams(FLOOD / 2, &stop);
}

/* Processors that number events at the same time: in order, and none twice. */
TEST_F_TIMEOUT(events, parallel, TEST_TIMEOUT)
{
	int cpu[] = { 0, 1, 0, 1 };
	pthread_t thread[ARRAY_SIZE(cpu)];
	struct tally t = { };
	void *sent;
	size_t i;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    1000000));
	for (i = 0; i < ARRAY_SIZE(cpu); i++)
		ASSERT_EQ(0, pthread_create(&thread[i], NULL, flood_some,
					    &cpu[i]));
	drain(&self->l, &t);
	for (i = 0; i < ARRAY_SIZE(cpu); i++) {
		pthread_join(thread[i], &sent);
		EXPECT_EQ(FLOOD / 2, (long)sent);
	}
	drain(&self->l, &t);
	expect_tally(_metadata, &self->ds, &t);
	EXPECT_LT(0, t.received);
}

static void *flood_forever(void *arg)
{
	exchange_datagrams(INT_MAX, arg);
	return NULL;
}

/* Listeners that come and go, tracking too, in the middle of events. */
TEST_F_TIMEOUT(events, churn, TEST_TIMEOUT)
{
	static struct fam_listener other;
	bool stop = false;
	struct tally t = { };
	pthread_t thread;
	struct fam_event ev;
	int i;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    1000000));
	fam_listen_end(&self->l);
	ASSERT_EQ(0, pthread_create(&thread, NULL, flood_forever, &stop));
	for (i = 0; i < 20 / test_stride(3); i++) {
		ASSERT_EQ(0, fam_listen(&other));
		/* Older ones may be on their way when it joins. */
		do {
			ASSERT_EQ(0, fam_listen_next(&other, NET_TIMEOUT_MS,
						     &ev));
		} while (ev.seq <= other.seq);
		if (i % 5 == 0) {
			EXPECT_EQ(0, fam_config_set(&self->ds,
						    DUALSTACK_A_CONFIG_TRACKING,
						    0));
			EXPECT_EQ(0, fam_config_set(&self->ds,
						    DUALSTACK_A_CONFIG_TRACKING,
						    1));
		}
		fam_listen_end(&other);
		if (i % 2)
			usleep(100 * 1000);
	}
	ASSERT_EQ(0, fam_listen(&self->l));
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	drain(&self->l, &t);
	EXPECT_EQ(event_seq(_metadata, &self->ds), t.last);
	EXPECT_FALSE(t.disorder);
}

/* A namespace that ends with events on their way. */
TEST_F_TIMEOUT(events, namespace_ends, TEST_TIMEOUT)
{
	static struct fam_listener l;
	int i, status;
	pid_t pid;

	for (i = 0; i < 5; i++) {
		pid = net_fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			if (net_ns_new() || fam_listen(&l))
				_exit(1);
			flood(_metadata, 500);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(0, status);
	}
	every_kind(_metadata, &self->l);
}

TEST_HARNESS_MAIN
