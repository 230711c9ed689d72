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
#define PORT		7777

/**
 * struct wire - two hosts and the link between them
 * @ds: family, on the host
 * @seen: what the sockets of the host saw
 * @mac: Ethernet address of the host
 * @host: its namespace
 * @peer: the other one
 * @link: the peer's end of the link, for packets
 * @capture: the host's end
 */
struct wire {
	struct fam ds;
	struct fam_counters seen;
	unsigned char mac[ETH_ALEN];
	int host;
	int peer;
	int link;
	int capture;
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

static void wire_open(struct __test_metadata *_metadata, struct wire *w)
{
	static const char *const here[] = { HOST4, HOST6 };
	static const char *const there[] = { PEER4, PEER6 };

	if (!test_setup(_metadata, &w->ds))
		return;
	w->host = net_ns_open();
	ASSERT_LE(0, w->host);
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));

	w->peer = net_link_neighbour(here, there);
	if (w->peer == -EOPNOTSUPP)
		SKIP(return, "this kernel has no veth");
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
}

static void wire_close(struct wire *w)
{
	close(w->capture);
	close(w->link);
	close(w->peer);
	close(w->host);
	fam_close(&w->ds);
}

/* A packet of the peer's to the host, from a source that is not its own. */
static void spoof(struct __test_metadata *_metadata, struct wire *w, int type,
		  const char *from, in_port_t port)
{
	union net_addr src, dst;
	struct net_packet p;

	net_addr_set(&src, from, PORT);
	net_addr_set(&dst, HOST6, port);
	net_packet_set(&p, type, &src, &dst);
	ASSERT_EQ(0, net_packet_inject(w->link, w->mac, &p));
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

/* What the frames on the host's end of the link were. */
struct captured {
	int v4_out, v4_in;
	int v6_mapped_out, v6_mapped_in;
	int v6_tcp_out;
};

static bool is_mapped(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

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
	struct captured c = { };
	struct ip6_hdr ip6;

	while (recv(w->capture, &f, sizeof(f), MSG_DONTWAIT) > 0) {
		bool out = !memcmp(f.eth.ether_shost, w->mac, ETH_ALEN);

		if (f.eth.ether_type == htons(ETHERTYPE_IP)) {
			c.v4_out += out;
			c.v4_in += !out;
		} else if (f.eth.ether_type == htons(ETHERTYPE_IPV6)) {
			ip6 = f.ip6;
			if (is_mapped(&ip6.ip6_src) ||
			    is_mapped(&ip6.ip6_dst)) {
				c.v6_mapped_out += out;
				c.v6_mapped_in += !out;
			}
			if (out && ip6.ip6_nxt == IPPROTO_TCP)
				c.v6_tcp_out++;
		}
	}
	return c;
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
	net_addr_set(&to, HOST4, net_port(fd));
	ASSERT_EQ(1, sendto(peer, "x", 1, 0, &to.sa, net_addr_len(&to)));
	ASSERT_EQ(1, receive(fd, &real, 0));
	test_expect_addr(_metadata, "real peer", "::ffff:" PEER4, PORT, &real);
	w->seen.v[DUALSTACK_A_COUNTER_MAPPED_RECV]++;
	test_expect_socket(_metadata, &w->ds, fd, &w->seen);

	spoof(_metadata, w, SOCK_DGRAM, "::ffff:" PEER4, net_port(fd));
	ASSERT_EQ(1, receive(fd, &spoofed, 0));
	EXPECT_EQ(0, memcmp(&real, &spoofed, sizeof(real)));
	w->seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]++;
	w->seen.v[DUALSTACK_A_COUNTER_WIRE_MAPPED]++;
	test_expect_socket(_metadata, &w->ds, fd, &w->seen);

	/* Somebody else yet, who is no peer of this socket. */
	spoof(_metadata, w, SOCK_DGRAM, "::ffff:" SPOOFED4, net_port(fd));
	ASSERT_EQ(1, receive(fd, &spoofed, 0));
	test_expect_addr(_metadata, "spoofed peer", "::ffff:" SPOOFED4, PORT,
			 &spoofed);
	w->seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]++;
	w->seen.v[DUALSTACK_A_COUNTER_WIRE_MAPPED]++;
	test_expect_socket(_metadata, &w->ds, fd, &w->seen);
	test_expect_sums(_metadata, &w->ds, &w->seen);

	ASSERT_EQ(0, fam_socket_get(&w->ds, net_cookie(fd), &s));
	net_addr_set(&to, PEER4, PORT);
	test_expect_peer(_metadata, &to, &s.last_mapped);
	close(peer);
	close(fd);
}

/* V6ONLY keeps IPv4 away, not those who pretend to be. */
TEST_F_TIMEOUT(wire, udp_v6only, TEST_TIMEOUT)
{
	struct wire *w = &self->w;
	union net_addr src;
	int fd;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_V6ONLY);
	ASSERT_LE(0, fd);
	spoof(_metadata, w, SOCK_DGRAM, "::ffff:127.0.0.1", net_port(fd));
	ASSERT_EQ(1, receive(fd, &src, 0));
	test_expect_addr(_metadata, "spoofed peer", "::ffff:127.0.0.1", PORT,
			 &src);
	w->seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]++;
	w->seen.v[DUALSTACK_A_COUNTER_WIRE_MAPPED]++;
	test_expect_socket(_metadata, &w->ds, fd, &w->seen);
	test_expect_sums(_metadata, &w->ds, &w->seen);
	close(fd);
}

TEST_F_TIMEOUT(wire, udp_native, TEST_TIMEOUT)
{
	struct wire *w = &self->w;
	union net_addr src;
	int fd;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	spoof(_metadata, w, SOCK_DGRAM, PEER6, net_port(fd));
	ASSERT_EQ(1, receive(fd, &src, 0));
	test_saw_recv(&w->seen, &src);
	EXPECT_EQ(1, w->seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]);
	/* IPv4-compatible and NAT64 addresses are IPv6 addresses. */
	spoof(_metadata, w, SOCK_DGRAM, "::" PEER4, net_port(fd));
	ASSERT_EQ(1, receive(fd, &src, 0));
	test_saw_recv(&w->seen, &src);
	spoof(_metadata, w, SOCK_DGRAM, "64:ff9b::" PEER4, net_port(fd));
	ASSERT_EQ(1, receive(fd, &src, 0));
	test_saw_recv(&w->seen, &src);
	test_expect_socket(_metadata, &w->ds, fd, &w->seen);
	test_expect_sums(_metadata, &w->ds, &w->seen);
	close(fd);
}

/* As with any datagram, it is the reading that counts. */
TEST_F_TIMEOUT(wire, udp_peek, TEST_TIMEOUT)
{
	struct wire *w = &self->w;
	union net_addr src;
	int fd;

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	spoof(_metadata, w, SOCK_DGRAM, "::ffff:" SPOOFED4, net_port(fd));
	ASSERT_EQ(1, receive(fd, &src, MSG_PEEK));
	test_expect_none(_metadata, &w->ds, fd);
	ASSERT_EQ(1, receive(fd, &src, 0));
	w->seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]++;
	w->seen.v[DUALSTACK_A_COUNTER_WIRE_MAPPED]++;
	test_expect_socket(_metadata, &w->ds, fd, &w->seen);
	test_expect_sums(_metadata, &w->ds, &w->seen);
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
	spoof(_metadata, w, SOCK_DGRAM, "::ffff:" PEER4, net_port(fd));
	ASSERT_EQ(1, receive(fd, &src, 0));
	w->seen.v[DUALSTACK_A_COUNTER_NATIVE_RECV]++;
	w->seen.v[DUALSTACK_A_COUNTER_WIRE_MAPPED]++;
	ASSERT_EQ(1, sendto(fd, "x", 1, 0, &src.sa, sizeof(src.in6)));
	w->seen.v[DUALSTACK_A_COUNTER_MAPPED_SEND]++;

	ASSERT_EQ(1, receive(peer, &src, 0));
	test_expect_addr(_metadata, "answer", HOST4, net_port(fd), &src);
	c = capture(w);
	EXPECT_EQ(1, c.v6_mapped_in);
	EXPECT_EQ(0, c.v6_mapped_out);
	EXPECT_EQ(1, c.v4_out);
	test_expect_socket(_metadata, &w->ds, fd, &w->seen);
	test_expect_sums(_metadata, &w->ds, &w->seen);
	close(peer);
	close(fd);
}

static long in_header_errors(void)
{
	char line[128];
	long n = -1;
	FILE *f;

	f = fopen("/proc/thread-self/net/snmp6", "re");
	if (!f)
		return -1;
	while (n < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "Ip6InHdrErrors %ld", &n);
	fclose(f);
	return n;
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
		/* The kernel's own word for it. */
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
	EXPECT_TRUE(net_wait_for(capture(w).v6_tcp_out == 1,
				 NET_TIMEOUT_MS));
	expect_listener(_metadata, w, fd, variant->flags);
	test_expect_sums(_metadata, &w->ds, &w->seen);
	close(fd);
}

/* On a port that nobody has, it is a stray packet like others. */
TEST_F_TIMEOUT(wire, closed_port, TEST_TIMEOUT)
{
	struct wire *w = &self->w;
	struct captured c;
	in_port_t port;
	int fd;

	fd = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	port = net_port(fd);
	close(fd);
	spoof(_metadata, w, SOCK_STREAM, "::ffff:" PEER4, port);
	spoof(_metadata, w, SOCK_DGRAM, "::ffff:" PEER4, port);
	c = capture(w);
	EXPECT_EQ(2, c.v6_mapped_in);
	/* There is no way to answer: with a default route of IPv6 the kernel
	 * would, and send a reset and an ICMPv6 error to a mapped address.
	 */
	EXPECT_EQ(0, c.v6_mapped_out);
	test_expect_sums(_metadata, &w->ds, &w->seen);
}

/* All that mapped sockets say to a real IPv4 peer, and what they are told. */
TEST_F_TIMEOUT(wire, none_sent, TEST_TIMEOUT)
{
	struct wire *w = &self->w;
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	struct fam_counters server_seen, client_seen;
	int i, server, service, client, conn, caller;
	union net_addr to, src;
	struct captured c;
	char buf = 'x';

	for (i = 0; i < 2; i++) {
		memset(&server_seen, 0, sizeof(server_seen));
		memset(&client_seen, 0, sizeof(client_seen));
		server = net_server(types[i], "::", 0, NET_DUAL);
		ASSERT_LE(0, server);
		service = peer_socket(_metadata, w, types[i], PEER4, 0);

		/* Out: to the service of the peer, and back. */
		client = socket(AF_INET6, types[i] | SOCK_CLOEXEC, 0);
		ASSERT_LE(0, client);
		net_addr_set(&to, "::ffff:" PEER4, net_port(service));
		ASSERT_EQ(0, connect(client, &to.sa, sizeof(to.in6)));
		client_seen.v[DUALSTACK_A_COUNTER_MAPPED_CONNECT]++;
		ASSERT_EQ(1, send(client, &buf, 1, 0));
		if (types[i] == SOCK_DGRAM) {
			client_seen.v[DUALSTACK_A_COUNTER_MAPPED_SEND]++;
			ASSERT_EQ(1, receive(service, &src, 0));
			ASSERT_EQ(1, sendto(service, &buf, 1, 0, &src.sa,
					    net_addr_len(&src)));
			ASSERT_EQ(0, net_wait_in(client, NET_TIMEOUT_MS));
			ASSERT_EQ(1, recv(client, &buf, 1, 0));
			client_seen.v[DUALSTACK_A_COUNTER_MAPPED_RECV]++;
		} else {
			conn = net_accept(service, &src);
			ASSERT_LE(0, conn);
			ASSERT_EQ(1, send(conn, &buf, 1, 0));
			ASSERT_EQ(1, recv(client, &buf, 1, 0));
			close(conn);
		}
		test_expect_addr(_metadata, "peer's peer", HOST4,
				 net_port(client), &src);
		test_expect_socket(_metadata, &w->ds, client, &client_seen);

		/* In: the peer calls the dual server. */
		enter(_metadata, w->peer);
		caller = socket(AF_INET, types[i] | SOCK_CLOEXEC, 0);
		enter(_metadata, w->host);
		ASSERT_LE(0, caller);
		net_addr_set(&to, HOST4, net_port(server));
		ASSERT_EQ(0, connect(caller, &to.sa, sizeof(to.in)));
		ASSERT_EQ(1, send(caller, &buf, 1, 0));
		if (types[i] == SOCK_DGRAM) {
			ASSERT_EQ(1, receive(server, &src, 0));
			test_saw_recv(&server_seen, &src);
			ASSERT_EQ(1, sendto(server, &buf, 1, 0, &src.sa,
					    sizeof(src.in6)));
			server_seen.v[DUALSTACK_A_COUNTER_MAPPED_SEND]++;
			ASSERT_EQ(0, net_wait_in(caller, NET_TIMEOUT_MS));
		} else {
			conn = net_accept(server, &src);
			ASSERT_LE(0, conn);
			test_saw_accept(&server_seen, &src);
			ASSERT_EQ(1, send(conn, &buf, 1, 0));
			close(conn);
		}
		ASSERT_EQ(1, recv(caller, &buf, 1, 0));
		test_expect_addr(_metadata, "peer", "::ffff:" PEER4,
				 net_port(caller), &src);
		test_expect_socket(_metadata, &w->ds, server, &server_seen);

		fam_counters_add(&w->seen, &client_seen);
		fam_counters_add(&w->seen, &server_seen);
		close(caller);
		close(client);
		close(service);
		close(server);
	}

	c = capture(w);
	EXPECT_EQ(0, c.v6_mapped_out);
	EXPECT_EQ(0, c.v6_mapped_in);
	EXPECT_EQ(0, c.v6_tcp_out);
	/* Two datagrams and two handshakes each way, at the very least. */
	EXPECT_LE(6, c.v4_out);
	EXPECT_LE(6, c.v4_in);
	test_expect_sums(_metadata, &w->ds, &w->seen);
}

TEST_HARNESS_MAIN
