// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapped addresses on the wire: no socket ever sends one, and what becomes of
 * one that arrives all the same (wire_mapped).
 *
 * Two namespaces on one link. What the tests are about happens on the host;
 * the peer is somebody else, who sends what it likes.
 */
#include <fcntl.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "lib/test.h"
#include "lib/net_link.h"
#include "lib/net_wire.h"

#define HOST4		"203.0.113.1"
#define HOST6		"2001:db8:1::1"
#define PEER4		"203.0.113.2"
#define PEER6		"2001:db8:1::2"
#define SPOOFED4	"198.51.100.7"
#define ANYCAST6	"2001:db8:1::"
#define PORT		7777

/* What the frames on the host's end of the link were. */
struct captured {
	int v4_out, v4_in;
	int v6_mapped_out, v6_mapped_in;
	int v6_tcp_out;
};

/**
 * struct wire - two hosts and the link between them
 * @ds: family, on the host
 * @seen: what the sockets of the host saw
 * @mac: Ethernet address of the host
 * @host: its namespace
 * @peer: the other one
 * @link: the peer's end of the link, for packets
 * @capture: the host's end
 * @captured: what went by there
 */
struct wire {
	struct fam ds;
	struct fam_counters seen;
	unsigned char mac[ETH_ALEN];
	int host;
	int peer;
	int link;
	int capture;
	struct captured captured;
};

static int get_mac(const char *name, unsigned char *mac)
{
	struct ifreq ifr = { };
	int err;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	err = net_ioctl(SIOCGIFHWADDR, &ifr);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	return err;
}

static void enter(struct __test_metadata *_metadata, int ns)
{
	ASSERT_EQ(0, setns(ns, CLONE_NEWNET));
}

static bool link_ready(const char *name)
{
	struct ifreq ifr = { };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	return !net_ioctl(SIOCGIFFLAGS, &ifr) && ifr.ifr_flags & IFF_RUNNING;
}

static bool wire_open(struct __test_metadata *_metadata, struct wire *w)
{
	static const char *const here[] = { HOST4, HOST6 };
	static const char *const there[] = { PEER4, PEER6 };

	if (!test_setup(_metadata, &w->ds))
		return false;
	w->host = net_ns_open();
	ASSERT_LE(0, w->host);
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));

	w->peer = net_link_neighbour(here, there);
	if (w->peer == -EOPNOTSUPP)
		SKIP(return false, "this kernel has no veth");
	ASSERT_LE(0, w->peer);
	ASSERT_EQ(0, get_mac("veth0", w->mac));

	enter(_metadata, w->peer);
	ASSERT_TRUE(net_wait_for(link_ready("veth1"), NET_TIMEOUT_MS));
	w->link = net_packet_open("veth1");
	ASSERT_LE(0, w->link);

	enter(_metadata, w->host);
	ASSERT_TRUE(net_wait_for(link_ready("veth0"), NET_TIMEOUT_MS));
	w->capture = net_packet_open("veth0");
	ASSERT_LE(0, w->capture);
	return true;
}

static void wire_close(struct wire *w)
{
	close(w->capture);
	close(w->link);
	close(w->peer);
	close(w->host);
	fam_close(&w->ds);
}

/* A packet of the peer's to the host, from a source that need not be its own. */
static void spoof_to(struct __test_metadata *_metadata, struct wire *w, int type,
		     const char *from, const char *to, in_port_t port)
{
	union net_addr src, dst;
	struct net_packet p;

	net_addr_set(&src, from, PORT);
	net_addr_set(&dst, to, port);
	net_packet_set(&p, type, &src, &dst);
	ASSERT_EQ(0, net_packet_inject(w->link, w->mac, &p));
}

static void spoof(struct __test_metadata *_metadata, struct wire *w, int type,
		  const char *from, in_port_t port)
{
	spoof_to(_metadata, w, type, from, HOST6, port);
}

static int peer_socket(struct __test_metadata *_metadata, struct wire *w,
		       int type, const char *addr, in_port_t port)
{
	int fd;

	enter(_metadata, w->peer);
	fd = net_server(type, addr, port, 0);
	enter(_metadata, w->host);
	ASSERT_LE(0, fd);
	return fd;
}

static ssize_t receive(int fd, union net_addr *src, int flags)
{
	socklen_t len = sizeof(*src);
	char buf[64];

	memset(src, 0, sizeof(*src));
	if (net_wait_in(fd, NET_TIMEOUT_MS))
		return -ETIMEDOUT;
	return recvfrom(fd, buf, sizeof(buf), flags, &src->sa, &len);
}

static bool is_mapped(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

/* All that went by until now. */
static struct captured capture(struct wire *w)
{
	struct {
		struct ether_header eth;
		union {
			struct ip6_hdr ip6;
			struct iphdr ip4;
			char data[2048];
		};
	} __attribute__((packed)) f;
	struct captured *c = &w->captured;
	struct ip6_hdr ip6;

	while (recv(w->capture, &f, sizeof(f), MSG_DONTWAIT) > 0) {
		bool out = !memcmp(f.eth.ether_shost, w->mac, ETH_ALEN);

		if (f.eth.ether_type == htons(ETHERTYPE_IP)) {
			c->v4_out += out;
			c->v4_in += !out;
		} else if (f.eth.ether_type == htons(ETHERTYPE_IPV6)) {
			ip6 = f.ip6;
			if (is_mapped(&ip6.ip6_src) ||
			    is_mapped(&ip6.ip6_dst)) {
				c->v6_mapped_out += out;
				c->v6_mapped_in += !out;
			}
			if (out && ip6.ip6_nxt == IPPROTO_TCP)
				c->v6_tcp_out++;
		}
	}
	return *c;
}

/* A counter of the kernel's, of IPv6. */
static long ip6_counter(const char *name)
{
	char line[128], what[64];
	long n = -1, value;
	FILE *f;

	f = fopen("/proc/thread-self/net/snmp6", "re");
	if (!f)
		return -1;
	while (n < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %ld", what, &value) == 2 &&
		    !strcmp(what, name))
			n = value;
	fclose(f);
	return n;
}

static void expect_seen(struct __test_metadata *_metadata, struct wire *w,
			int fd)
{
	test_expect_socket(_metadata, &w->ds, fd, &w->seen);
	test_expect_sums(_metadata, &w->ds, &w->seen);
}

/* A datagram of the peer's, with that source, which the application reads. */
static void take_spoofed(struct __test_metadata *_metadata, struct wire *w,
			 int fd, const char *from, union net_addr *src)
{
	spoof(_metadata, w, SOCK_DGRAM, from, net_port(fd));
	ASSERT_EQ(1, receive(fd, src, 0));
	test_expect_addr(_metadata, "spoofed peer", from, PORT, src);
	w->seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]++;
	if (net_addr_mapped(src))
		w->seen.v[DUALSTACK_A_COUNTER_WIRE_MAPPED]++;
	expect_seen(_metadata, w, fd);
}

FIXTURE(wire)
{
	struct wire w;
};

FIXTURE_SETUP(wire)
{
	wire_open(_metadata, &self->w);
}

FIXTURE_TEARDOWN(wire)
{
	wire_close(&self->w);
}

/* The application cannot tell: the kernel can. */
TEST_F_TIMEOUT(wire, udp_spoofed, TEST_TIMEOUT)
{
	struct wire *w = &self->w;
	union net_addr to, real, spoofed;
	struct fam_socket s;
	int fd, peer;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	peer = peer_socket(_metadata, w, SOCK_DGRAM, PEER4, PORT);
	ASSERT_EQ(0, net_sendto(peer, HOST4, net_port(fd), 0));
	ASSERT_EQ(1, receive(fd, &real, 0));
	test_expect_addr(_metadata, "real peer", "::ffff:" PEER4, PORT, &real);
	w->seen.v[DUALSTACK_A_COUNTER_MAPPED_RECV]++;
	test_expect_socket(_metadata, &w->ds, fd, &w->seen);

	take_spoofed(_metadata, w, fd, "::ffff:" PEER4, &spoofed);
	EXPECT_EQ(0, memcmp(&real, &spoofed, sizeof(real)));
	/* Somebody else yet, who is no peer of this socket. */
	take_spoofed(_metadata, w, fd, "::ffff:" SPOOFED4, &spoofed);

	ASSERT_EQ(0, fam_socket_get(&w->ds, net_cookie(fd), &s));
	net_addr_set(&to, PEER4, PORT);
	test_expect_peer(_metadata, &to, &s.last_mapped);
	close(peer);
	close(fd);
}

/* Who answers a spoof, answers the IPv4 host of that address, by IPv4. */
TEST_F_TIMEOUT(wire, udp_answer, TEST_TIMEOUT)
{
	struct wire *w = &self->w;
	struct captured c;
	union net_addr src;
	int fd, peer;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	peer = peer_socket(_metadata, w, SOCK_DGRAM, PEER4, PORT);
	take_spoofed(_metadata, w, fd, "::ffff:" PEER4, &src);
	ASSERT_EQ(1, sendto(fd, "x", 1, 0, &src.sa, sizeof(src.in6)));
	w->seen.v[DUALSTACK_A_COUNTER_MAPPED_SEND]++;

	ASSERT_EQ(1, receive(peer, &src, 0));
	test_expect_addr(_metadata, "answer", HOST4, net_port(fd), &src);
	c = capture(w);
	EXPECT_EQ(1, c.v6_mapped_in);
	EXPECT_EQ(0, c.v6_mapped_out);
	EXPECT_EQ(1, c.v4_out);
	expect_seen(_metadata, w, fd);
	close(peer);
	close(fd);
}

/* On a port that nobody has, it is a stray packet like others. */
TEST_F_TIMEOUT(wire, closed_port, TEST_TIMEOUT)
{
	struct wire *w = &self->w;
	in_port_t port;
	int fd;

	fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	port = net_port(fd);
	close(fd);
	spoof(_metadata, w, SOCK_STREAM, "::ffff:" PEER4, port);
	spoof(_metadata, w, SOCK_DGRAM, "::ffff:" PEER4, port);
	EXPECT_TRUE(net_wait_for(capture(w).v6_mapped_in == 2, NET_TIMEOUT_MS));
	/* There is no way to answer: with a default route of IPv6 the kernel
	 * would, and send a reset and an ICMPv6 error to a mapped address.
	 */
	EXPECT_EQ(0, w->captured.v6_mapped_out);
	test_expect_sums(_metadata, &w->ds, &w->seen);
}

/*
 * TCP answers no SYN to an anycast address, whatever it comes from and whoever
 * listens: neither is it dropped for its source, nor refused for want of IPv6.
 */
TEST_F_TIMEOUT(wire, anycast, TEST_TIMEOUT)
{
	static const struct {
		const char *server, *client;
		int counter;
	} sides[] = {
		{ "::", "::ffff:" PEER4, DUALSTACK_A_COUNTER_WIRE_MAPPED },
		{ "0.0.0.0", PEER6, DUALSTACK_A_COUNTER_REJECT_V4ONLY },
	};
	struct wire *w = &self->w;
	long delivered;
	size_t i;
	int fd;

	ASSERT_EQ(0, net_sysctl("ipv6/conf/all/forwarding", 1));
	ASSERT_EQ(0, net_link_wait_anycast("veth0", ANYCAST6));
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		fd = net_server(SOCK_STREAM, sides[i].server, 0, 0);
		ASSERT_LE(0, fd);
		delivered = ip6_counter("Ip6InDelivers");
		ASSERT_LE(0, delivered);
		spoof_to(_metadata, w, SOCK_STREAM, sides[i].client, ANYCAST6,
			 net_port(fd));
		EXPECT_TRUE(net_wait_for(ip6_counter("Ip6InDelivers") > delivered,
					 NET_TIMEOUT_MS));
		test_expect_none(_metadata, &w->ds, fd);

		/* To an address of the host alone it is. */
		spoof(_metadata, w, SOCK_STREAM, sides[i].client, net_port(fd));
		EXPECT_TRUE(net_wait_for(fam_counted(&w->ds, sides[i].counter,
						     1), NET_TIMEOUT_MS));
		w->seen.v[sides[i].counter]++;
		expect_seen(_metadata, w, fd);
		close(fd);
		memset(&w->seen, 0, sizeof(w->seen));
		ASSERT_EQ(0, fam_reset(&w->ds, 0));
	}
}

/* V6ONLY keeps IPv4 away, not those who pretend to be. */
FIXTURE(wire_dgram)
{
	struct wire w;
	int fd;
};

FIXTURE_VARIANT(wire_dgram)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(wire_dgram, dual) { .flags = NET_DUAL, };
FIXTURE_VARIANT_ADD(wire_dgram, v6only) { .flags = NET_V6ONLY, };

FIXTURE_SETUP(wire_dgram)
{
	if (!wire_open(_metadata, &self->w))
		return;
	self->fd = net_server(SOCK_DGRAM, "::", 0, variant->flags);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(wire_dgram)
{
	close(self->fd);
	wire_close(&self->w);
}

TEST_F_TIMEOUT(wire_dgram, spoofed, TEST_TIMEOUT)
{
	union net_addr src;

	take_spoofed(_metadata, &self->w, self->fd, "::ffff:127.0.0.1", &src);
	take_spoofed(_metadata, &self->w, self->fd, "::ffff:" SPOOFED4, &src);
}

/* IPv4-compatible and NAT64 addresses are IPv6 addresses. */
TEST_F_TIMEOUT(wire_dgram, native, TEST_TIMEOUT)
{
	union net_addr src;

	take_spoofed(_metadata, &self->w, self->fd, PEER6, &src);
	take_spoofed(_metadata, &self->w, self->fd, "::" PEER4, &src);
	take_spoofed(_metadata, &self->w, self->fd, "64:ff9b::" PEER4, &src);
	EXPECT_EQ(0, self->w.seen.v[DUALSTACK_A_COUNTER_WIRE_MAPPED]);
}

/* As with any datagram, it is the reading that counts. */
TEST_F_TIMEOUT(wire_dgram, peek, TEST_TIMEOUT)
{
	struct wire *w = &self->w;
	union net_addr src;

	spoof(_metadata, w, SOCK_DGRAM, "::ffff:" SPOOFED4, net_port(self->fd));
	ASSERT_EQ(1, receive(self->fd, &src, MSG_PEEK));
	test_expect_none(_metadata, &w->ds, self->fd);
	ASSERT_EQ(1, receive(self->fd, &src, 0));
	w->seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]++;
	w->seen.v[DUALSTACK_A_COUNTER_WIRE_MAPPED]++;
	expect_seen(_metadata, w, self->fd);
}

static long in_header_errors(void)
{
	return ip6_counter("Ip6InHdrErrors");
}

FIXTURE(wire_tcp)
{
	struct wire w;
};

FIXTURE_VARIANT(wire_tcp)
{
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(wire_tcp, dual) { .flags = NET_DUAL, };
FIXTURE_VARIANT_ADD(wire_tcp, v6only) { .flags = NET_V6ONLY, };
FIXTURE_VARIANT_ADD(wire_tcp, fastopen) { .flags = NET_DUAL | NET_FASTOPEN, };
FIXTURE_VARIANT_ADD(wire_tcp, mptcp) { .flags = NET_DUAL | NET_MPTCP, };

FIXTURE_SETUP(wire_tcp)
{
	wire_open(_metadata, &self->w);
}

FIXTURE_TEARDOWN(wire_tcp)
{
	wire_close(&self->w);
}

/* MPTCP listens on a socket of its own. */
static void expect_listener(struct __test_metadata *_metadata, struct wire *w,
			    int fd, unsigned int flags)
{
	if (flags & NET_MPTCP)
		test_expect_only(_metadata, &w->ds, IPPROTO_TCP, &w->seen);
	else
		test_expect_socket(_metadata, &w->ds, fd, &w->seen);
}

/* So many were dropped by the kernel's own word, and counted. */
static bool dropped(struct wire *w, long errors)
{
	const int counter = DUALSTACK_A_COUNTER_WIRE_MAPPED;

	return in_header_errors() >= errors &&
	       fam_counted(&w->ds, counter, w->seen.v[counter]);
}

/* A listener does not answer a SYN with a mapped source. */
TEST_F_TIMEOUT(wire_tcp, dropped, TEST_TIMEOUT)
{
	struct wire *w = &self->w;
	struct captured c;
	long errors;
	int fd, i;

	fd = net_server(SOCK_STREAM, "::", 0, variant->flags);
	if (fd == -EPROTONOSUPPORT)
		SKIP(return, TEST_SKIP_MPTCP);
	ASSERT_LE(0, fd);
	errors = in_header_errors();
	ASSERT_LE(0, errors);
	for (i = 0; i < 3; i++) {
		spoof(_metadata, w, SOCK_STREAM, "::ffff:" PEER4,
		      net_port(fd));
		w->seen.v[DUALSTACK_A_COUNTER_WIRE_MAPPED]++;
		EXPECT_TRUE(net_wait_for(dropped(w, errors + i + 1),
					 NET_TIMEOUT_MS));
		EXPECT_EQ(errors + i + 1, in_header_errors());
		expect_listener(_metadata, w, fd, variant->flags);
	}
	EXPECT_EQ(-ETIMEDOUT, net_wait_in(fd, 100));
	c = capture(w);
	EXPECT_EQ(3, c.v6_mapped_in);
	EXPECT_EQ(0, c.v6_mapped_out);
	EXPECT_EQ(0, c.v6_tcp_out);
	EXPECT_EQ(0, c.v4_out);

	/* The same from an IPv6 address: this is how an answer looks. */
	spoof(_metadata, w, SOCK_STREAM, PEER6, net_port(fd));
	EXPECT_TRUE(net_wait_for(capture(w).v6_tcp_out == 1, NET_TIMEOUT_MS));
	expect_listener(_metadata, w, fd, variant->flags);
	test_expect_sums(_metadata, &w->ds, &w->seen);
	close(fd);
}

/* A real IPv4 peer, who calls and is called. */
FIXTURE(wire_peer)
{
	struct wire w;
	int server;
	int service;
};

FIXTURE_VARIANT(wire_peer)
{
	int type;
};

FIXTURE_VARIANT_ADD(wire_peer, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(wire_peer, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(wire_peer)
{
	if (!wire_open(_metadata, &self->w))
		return;
	self->server = net_server(variant->type, "::", 0, NET_DUAL);
	ASSERT_LE(0, self->server);
	self->service = peer_socket(_metadata, &self->w, variant->type, PEER4,
				    0);
}

FIXTURE_TEARDOWN(wire_peer)
{
	close(self->service);
	close(self->server);
	wire_close(&self->w);
}

/* A byte of a connected client to a server, who sees it come from @src, and back. */
static void exchange(struct __test_metadata *_metadata, int type, int client,
		     int server, union net_addr *src)
{
	int conn = -1;
	char c = 'x';

	ASSERT_EQ(1, send(client, &c, 1, 0));
	if (type == SOCK_STREAM) {
		conn = net_accept(server, src);
		ASSERT_LE(0, conn);
		ASSERT_EQ(1, send(conn, &c, 1, 0));
	} else {
		ASSERT_EQ(1, receive(server, src, 0));
		ASSERT_EQ(1, sendto(server, &c, 1, 0, &src->sa,
				    net_addr_len(src)));
	}
	ASSERT_EQ(0, net_wait_in(client, NET_TIMEOUT_MS));
	ASSERT_EQ(1, recv(client, &c, 1, 0));
	if (conn >= 0)
		close(conn);
}

/* All that mapped sockets say to him is IPv4, and so is what they are told. */
TEST_F_TIMEOUT(wire_peer, none_sent, TEST_TIMEOUT)
{
	struct fam_counters server_seen = { }, client_seen = { };
	bool udp = variant->type == SOCK_DGRAM;
	struct wire *w = &self->w;
	int client, caller;
	union net_addr src;
	struct captured c;

	/* Out: to the service of the peer, and back. */
	client = socket(AF_INET6, variant->type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, client);
	ASSERT_EQ(0, net_connect(client, "::ffff:" PEER4,
				 net_port(self->service)));
	client_seen.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
	exchange(_metadata, variant->type, client, self->service, &src);
	client_seen.v[DUALSTACK_A_COUNTER_MAPPED_SEND] += udp;
	client_seen.v[DUALSTACK_A_COUNTER_MAPPED_RECV] += udp;
	test_expect_addr(_metadata, "peer's peer", HOST4, net_port(client),
			 &src);
	test_expect_socket(_metadata, &w->ds, client, &client_seen);

	/* In: the peer calls the dual server. */
	enter(_metadata, w->peer);
	caller = socket(AF_INET, variant->type | SOCK_CLOEXEC, 0);
	enter(_metadata, w->host);
	ASSERT_LE(0, caller);
	ASSERT_EQ(0, net_connect(caller, HOST4, net_port(self->server)));
	exchange(_metadata, variant->type, caller, self->server, &src);
	server_seen.v[DUALSTACK_A_COUNTER_MAPPED_ACCEPT] += !udp;
	server_seen.v[DUALSTACK_A_COUNTER_MAPPED_RECV] += udp;
	server_seen.v[DUALSTACK_A_COUNTER_MAPPED_SEND] += udp;
	test_expect_addr(_metadata, "peer", "::ffff:" PEER4, net_port(caller),
			 &src);
	test_expect_socket(_metadata, &w->ds, self->server, &server_seen);

	fam_counters_add(&w->seen, &client_seen);
	fam_counters_add(&w->seen, &server_seen);
	close(caller);
	close(client);

	c = capture(w);
	EXPECT_EQ(0, c.v6_mapped_out);
	EXPECT_EQ(0, c.v6_mapped_in);
	EXPECT_EQ(0, c.v6_tcp_out);
	/* Two datagrams, or two handshakes, at the very least. */
	EXPECT_LE(2, c.v4_out);
	EXPECT_LE(2, c.v4_in);
	test_expect_sums(_metadata, &w->ds, &w->seen);
}

TEST_HARNESS_MAIN
