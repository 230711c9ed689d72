/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparing what the kernel counted with what the application saw.
 *
 * A test keeps the events that its own sockets reported in a struct
 * fam_counters, one per socket, and compares all counters with it: those that
 * it never touched must have stayed zero.
 */
#ifndef TEST_H
#define TEST_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "family.h"
#include "ledger.h"
#include "net_link.h"
#include "net_util.h"

/* One test on a debug kernel without acceleration, in seconds. */
#define TEST_TIMEOUT	300

/* How often to do what is better done often: less so on a kernel that takes its
 * time with each, which is told to the tests as to those of the kernel's net/.
 */
static inline int test_rounds(int n)
{
	return getenv("KSFT_MACHINE_SLOW") ? (n + 9) / 10 : n;
}

/* Of many cases that are alike, every n-th there. */
static inline int test_stride(int n)
{
	return getenv("KSFT_MACHINE_SLOW") ? n : 1;
}

#define TEST_SKIP_TEXT	"generic netlink family \"dualstack\" not found: load the module dualstack"

/* What net_server() fails with then is -EPROTONOSUPPORT. */
#define TEST_SKIP_MPTCP	"the kernel lacks CONFIG_MPTCP_IPV6"

/* Setup of every fixture: a namespace of its own, and the family in it. */
static inline bool test_setup(struct __test_metadata *_metadata,
			      struct fam *ds)
{
	int err;

	if (geteuid())
		SKIP(return false, "needs root, for network namespaces");
	ASSERT_EQ(0, net_ns_new());
	err = fam_open(ds);
	if (err == -ENOENT)
		SKIP(return false, TEST_SKIP_TEXT);
	ASSERT_EQ(0, err);
	return true;
}

/* The application got a connection from this peer. */
static inline void test_saw_accept(struct fam_counters *c,
				   const union net_addr *peer)
{
	c->v[fam_accept_counter(peer)]++;
}

/* The application got a datagram from this source. */
static inline void test_saw_recv(struct fam_counters *c,
				 const union net_addr *source)
{
	c->v[fam_recv_counter(source)]++;
}

/* One client, IPv4 or IPv6 by its address, that a server of either type serves. A datagram
 * is from a raw socket, which is a client of nobody. Returns who it was to the server.
 */
static inline union net_addr test_serve(struct __test_metadata *_metadata,
					int type, int fd, const char *addr,
					struct fam_counters *seen)
{
	union net_addr peer = { };
	socklen_t len = sizeof(peer);
	int client, conn;
	char c;

	if (type == SOCK_DGRAM) {
		EXPECT_EQ(0, net_send_to(addr, net_port(fd), "x", 1));
		EXPECT_EQ(0, net_wait_in(fd, NET_TIMEOUT_MS));
		EXPECT_EQ(1, recvfrom(fd, &c, 1, MSG_DONTWAIT, &peer.sa, &len));
		test_saw_recv(seen, &peer);
		return peer;
	}
	client = net_client(type, addr, net_port(fd), NULL);
	EXPECT_LE(0, client);
	conn = net_accept(fd, &peer);
	EXPECT_LE(0, conn);
	test_saw_accept(seen, &peer);
	net_close_reset(client);
	close(conn);
	return peer;
}

static inline void test_expect_counters(struct __test_metadata *_metadata,
					const char *what,
					const struct fam_counters *want,
					const struct fam_counters *got,
					int family, int protocol)
{
	size_t i;

	for (i = 0; i < fam_counter_table_len; i++) {
		const struct fam_counter_info *c = &fam_counter_table[i];
		bool has = fam_counter_has(c, family, protocol);

		EXPECT_EQ(has ? want->v[c->attr] : 0, got->v[c->attr])
			TH_LOG("%s: %s", what, c->name);
		EXPECT_EQ(has, !!(got->present & 1ULL << c->attr))
			TH_LOG("%s: %s %s", what, c->name,
			       has ? "missing" : "of another protocol");
	}
}

/* A socket that saw nothing has no record. */
static inline void test_expect_none(struct __test_metadata *_metadata,
				    struct fam *ds, int fd)
{
	struct fam_socket s;

	EXPECT_EQ(-ENOENT, fam_socket_get(ds, net_cookie(fd), &s));
}

static inline void test_expect_socket(struct __test_metadata *_metadata,
				      struct fam *ds, int fd,
				      const struct fam_counters *want)
{
	int domain = 0, protocol = net_protocol(fd), i;
	struct fam_counters recorded = *want;
	socklen_t len = sizeof(int);
	struct fam_socket s;

	for (i = 0; i < FAM_COUNTERS; i++)
		if (protocol == IPPROTO_TCP && fam_is_summed(i))
			recorded.v[i] = 0;
	if (fam_counters_zero(&recorded)) {
		test_expect_none(_metadata, ds, fd);
		return;
	}
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);

	EXPECT_EQ(0, fam_socket_get(ds, net_cookie(fd), &s)) {
		TH_LOG("no record of the socket: %s", ds->extack);
		return;
	}
	EXPECT_EQ(net_cookie(fd), s.cookie);
	EXPECT_EQ(domain, s.family);
	EXPECT_EQ(protocol, s.protocol);
	test_expect_counters(_metadata, "socket", &recorded, &s.counters,
			     domain, protocol);
}

struct test_found {
	int n;
	struct fam_socket s;
};

static inline int test_find(const struct fam_socket *s, void *arg)
{
	struct test_found *f = arg;

	if (fam_is_client(&s->counters))
		return 0;
	f->n++;
	f->s = *s;
	return 0;
}

/* The only record of a server, which is a socket that the test does not have. */
static inline void test_expect_only(struct __test_metadata *_metadata,
				    struct fam *ds, int protocol,
				    const struct fam_counters *want)
{
	struct test_found f = { };

	ASSERT_EQ(0, fam_socket_dump(ds, test_find, &f));
	EXPECT_EQ(1, f.n);
	EXPECT_EQ(AF_INET6, f.s.family);
	EXPECT_EQ(protocol, f.s.protocol);
	test_expect_counters(_metadata, "hidden socket", want, &f.s.counters,
			     AF_INET6, protocol);
}

/*
 * The entries of the ledger, however many there are, add up to what was counted. What a
 * client of UDP receives, a server sends, and what goes to no address or port is in none.
 */
static inline void test_expect_ledger(struct __test_metadata *_metadata,
				      struct fam *ds, int protocol,
				      const struct fam_counters *c)
{
	const __u64 *v = c->v;
	__u64 want[LEDGER_DIRECTIONS] = {
		[DUALSTACK_PEER_DIRECTION_IN] =
			v[DUALSTACK_A_COUNTER_MAPPED_ACCEPT] +
			v[DUALSTACK_A_COUNTER_V4_ACCEPT] +
			v[DUALSTACK_A_COUNTER_MAPPED_RECV] +
			v[DUALSTACK_A_COUNTER_V4_RECV],
		[DUALSTACK_PEER_DIRECTION_OUT] =
			(protocol == IPPROTO_TCP ?
			 v[DUALSTACK_A_COUNTER_MAPPED_CONNECT] +
			 v[DUALSTACK_A_COUNTER_V4_CONNECT] : 0) +
			v[DUALSTACK_A_COUNTER_MAPPED_SEND] +
			v[DUALSTACK_A_COUNTER_V4_SEND],
		[DUALSTACK_PEER_DIRECTION_REFUSED] =
			v[DUALSTACK_A_COUNTER_REJECT_V6ONLY] +
			v[DUALSTACK_A_COUNTER_REJECT_ADDR] +
			v[DUALSTACK_A_COUNTER_REJECT_V4ONLY],
		[DUALSTACK_PEER_DIRECTION_REFUSED_OUT] =
			v[DUALSTACK_A_COUNTER_REJECT_CONNECT] +
			v[DUALSTACK_A_COUNTER_REJECT_SEND],
	};
	struct ledger_query query = { .protocol = protocol };
	struct ledger_sum sum;
	int i;

	/* Others may not see it. */
	if (geteuid())
		return;
	for (i = 0; i < LEDGER_DIRECTIONS; i++) {
		query.direction = i;
		ASSERT_EQ(0, ledger_sum(ds, &query, &sum));
		if (i == DUALSTACK_PEER_DIRECTION_REFUSED ||
		    (i == DUALSTACK_PEER_DIRECTION_IN &&
		     protocol == IPPROTO_TCP)) {
			EXPECT_EQ(want[i], sum.count)
				TH_LOG("ledger, direction %d of %d", i, protocol);
		} else {
			EXPECT_GE(want[i], sum.count)
				TH_LOG("ledger, direction %d of %d", i, protocol);
		}
	}
}

/* The sums of the namespace, of both protocols and of each alone. */
static inline void test_expect_all_sums(struct __test_metadata *_metadata,
					struct fam *ds,
					const struct fam_counters *want)
{
	struct fam_stats all, tcp, udp;
	size_t i;

	ASSERT_EQ(0, fam_stats_get(ds, 0, &all));
	ASSERT_EQ(0, fam_stats_get(ds, IPPROTO_TCP, &tcp));
	ASSERT_EQ(0, fam_stats_get(ds, IPPROTO_UDP, &udp));

	test_expect_counters(_metadata, "namespace", want, &all.counters, 0, 0);
	for (i = 0; i < FAM_COUNTERS; i++) {
		EXPECT_EQ(all.counters.v[i],
			  tcp.counters.v[i] + udp.counters.v[i]);
	}
	EXPECT_EQ(0, all.untracked);
	test_expect_ledger(_metadata, ds, IPPROTO_TCP, &tcp.counters);
	test_expect_ledger(_metadata, ds, IPPROTO_UDP, &udp.counters);
}

/* What clients count is what they count, unless @want says how much it is. */
static inline struct fam_counters
test_with_clients(const struct fam_counters *want, const struct fam_counters *got)
{
	struct fam_counters with_clients = *want;
	size_t i;

	for (i = 0; i < FAM_COUNTERS; i++)
		if (fam_is_of_client(i) && !with_clients.v[i])
			with_clients.v[i] = got->v[i];
	return with_clients;
}

/* The same where the test is not about its clients. */
static inline void test_expect_sums(struct __test_metadata *_metadata,
				    struct fam *ds,
				    const struct fam_counters *want)
{
	struct fam_counters with_clients;
	struct fam_stats stats;

	ASSERT_EQ(0, fam_stats_get(ds, 0, &stats));
	with_clients = test_with_clients(want, &stats.counters);
	test_expect_all_sums(_metadata, ds, &with_clients);
}

/* The verdict on a packet that this counter counts as refused, or on none. */
static inline unsigned int test_refusal(int counter)
{
	switch (counter) {
	case DUALSTACK_A_COUNTER_REJECT_V6ONLY:
		return DUALSTACK_VERDICT_V6ONLY;
	case DUALSTACK_A_COUNTER_REJECT_ADDR:
		return DUALSTACK_VERDICT_ADDR;
	case DUALSTACK_A_COUNTER_REJECT_V4ONLY:
		return DUALSTACK_VERDICT_V4ONLY;
	default:
		return DUALSTACK_VERDICT_NONE;
	}
}

/*
 * What explain says of a packet to @to from @from (or from anywhere, NULL): it
 * comes in by @ifindex (or any, 0) and is the business of @fd (or nobody's, -1).
 */
static inline void test_expect_explained(struct __test_metadata *_metadata,
					 struct fam *ds, int type,
					 const union net_addr *to,
					 const union net_addr *from,
					 unsigned int ifindex,
					 unsigned int verdict, int fd)
{
	int proto = net_protocol_of(type);
	struct fam_explained ex;

	ASSERT_EQ(0, fam_explain(ds, proto, to, from, ifindex, &ex))
		TH_LOG("explain: %s", ds->extack);
	EXPECT_TRUE(ex.local);
	EXPECT_EQ(verdict, ex.verdict);
	EXPECT_EQ(fd < 0 ? 0 : net_cookie(fd), ex.cookie);
	EXPECT_EQ(ifindex ? ifindex : ex.ifindex, ex.ifindex);
}

/* An address as the application was given it; @text may have a scope. */
static inline void test_expect_addr(struct __test_metadata *_metadata,
				    const char *what, const char *text,
				    in_port_t port, const union net_addr *got)
{
	char buf[INET6_ADDRSTRLEN] = "?";
	union net_addr want;

	ASSERT_EQ(0, net_addr_set(&want, text, port));
	inet_ntop(got->sa.sa_family,
		  got->sa.sa_family == AF_INET ?
		  (const void *)&got->in.sin_addr : &got->in6.sin6_addr,
		  buf, sizeof(buf));
	EXPECT_TRUE(net_addr_eq(&want, got))
		TH_LOG("%s: %s port %d instead of %s port %d", what, buf,
		       ntohs(got->in.sin_port), text, port);
	if (got->sa.sa_family != AF_INET6)
		return;
	EXPECT_EQ(want.in6.sin6_scope_id, got->in6.sin6_scope_id)
		TH_LOG("%s: scope of %s", what, buf);
	EXPECT_EQ(0, got->in6.sin6_flowinfo)
		TH_LOG("%s: flow information of %s", what, buf);
}

/* The family of the source lives on in the peer: IPv4 without the prefix. */
static inline void test_expect_peer(struct __test_metadata *_metadata,
				    const union net_addr *want,
				    const struct fam_peer *got)
{
	EXPECT_TRUE(net_addr_eq(want, &got->addr))
		TH_LOG("last peer: family %d port %d instead of %d %d",
		       got->addr.sa.sa_family, ntohs(got->addr.in.sin_port),
		       want->sa.sa_family, ntohs(want->in.sin_port));
}

#endif /* TEST_H */
