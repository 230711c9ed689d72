// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "out/err.h"
#include "socks/findings.h"
#include "util/map.h"

#define BIT(finding) (1U << (finding))

/*
 * In the order of enum finding. Which counters stand for each is in finding_count();
 * what a server sends is in none, as its answers say no more than what it received.
 */
const struct finding_info finding_infos[] = {
	[IPV4_ONLY] = { "ipv4-only", true,
			"Have it listen on IPv6, too.",
			"Turn IPv6 on, and have it listen there." },
	[SERVES_IPV4] = { "serves-ipv4", true,
			  "Move these clients to IPv6.",
			  "Turn IPv6 on, or keep IPv4." },
	[USES_IPV4] = { "uses-ipv4", true,
			"Give it IPv6 destinations.",
			"Turn IPv6 on, or keep IPv4." },
	[SPOOFED] = { "spoofed", false,
		      "Drop IPv6 from ::ffff:0:0/96 at the border.", NULL },
	[REFUSES_IPV6] = { "refuses-ipv6", false,
			   "Have it listen on IPv6, too.", NULL },
	[REFUSES_IPV4] = { "refuses-ipv4", false,
			   "Send these clients to IPv6.",
			   "Turn IPv6 on, or set v6only off." },
	[SHADOWED] = { "shadowed", false,
		       "See the AF_INET socket of this port.", NULL },
	[UNNAMED_IPV4] = { "unnamed-ipv4", false,
			   "See dsctl monitor v4: with whom is not kept.", NULL },
	[LOCAL_IPV4] = { "local-ipv4", false,
			 "See dsctl monitor: only the last peer is kept.", NULL },
	[UNUSED_IPV4] = { "unused-ipv4", false,
			  "Wait longer, or set v6only on.",
			  "Leave it: only IPv4 can reach it." },
	[PAST_IPV4] = { "past-ipv4", false,
			"Nothing to do; dsctl reset forgets it.", NULL },
	[READY] = { "ready", false,
		    "Nothing to do.", NULL },
};

/**
 * struct ports - Who has which port.
 * @takers: sockets that take IPv4 clients, by protocol, port and address.
 * @duals: dual sockets, by protocol and port.
 * @v6onlys: sockets that take IPv6 alone, likewise: they may have been dual.
 * @v6: sockets that take IPv6 clients from elsewhere, by protocol and port.
 */
struct ports {
	struct map takers;
	struct map duals;
	struct map v6onlys;
	struct map v6;
};

static uint64_t count(const struct record *rec, size_t index)
{
	return rec->counters[index];
}

static uint64_t received(const struct record *rec)
{
	return count(rec, COUNTER_INDEX(MAPPED_RECV)) +
	       count(rec, COUNTER_INDEX(V4_RECV));
}

static uint64_t sent(const struct record *rec)
{
	return count(rec, COUNTER_INDEX(MAPPED_SEND)) +
	       count(rec, COUNTER_INDEX(V4_SEND));
}

/*
 * Whether a UDP socket that is not connected is a client's, so that what it receives
 * are answers: it sends, from a port that the kernel chose. Some programs choose one
 * by chance themselves: those are clients until something comes in.
 */
static bool is_client(const struct sock *sk)
{
	const struct record *rec = sk->rec;

	if (sk->protocol != IPPROTO_UDP || sk->peer.family || !sent(rec))
		return false;
	return !rec->explicit_port ||
	       (!received(rec) && !count(rec, COUNTER_INDEX(NATIVE_RECV)));
}

/*
 * What there was of IPv4 at an AF_INET socket, or one that takes IPv4, too. What a
 * client receives are answers.
 */
static uint64_t served(const struct sock *sk)
{
	if (is_client(sk))
		return 0;
	return count(sk->rec, COUNTER_INDEX(MAPPED_ACCEPT)) +
	       count(sk->rec, COUNTER_INDEX(V4_ACCEPT)) + received(sk->rec);
}

/*
 * What a server sends are answers: they tell nothing new. And connect() of UDP sends
 * nothing: so getaddrinfo() sorts addresses.
 */
static uint64_t used(const struct sock *sk)
{
	const struct record *rec = sk->rec;
	uint64_t n = 0;

	if (sk->protocol != IPPROTO_UDP)
		n = count(rec, COUNTER_INDEX(MAPPED_CONNECT));
	if (!received(rec) || sk->peer.family || is_client(sk))
		n += sent(rec);
	return n;
}

static uint64_t refused(const struct record *rec)
{
	return count(rec, COUNTER_INDEX(REJECT_V6ONLY)) +
	       count(rec, COUNTER_INDEX(REJECT_ADDR)) +
	       count(rec, COUNTER_INDEX(REJECT_CONNECT)) +
	       count(rec, COUNTER_INDEX(REJECT_SEND)) +
	       count(rec, COUNTER_INDEX(REJECT_BIND));
}

/*
 * Where IPV6_V6ONLY is set now, what there was of IPv4 is from before; and what was
 * refused, where it is not.
 */
static bool is_v6only(const struct sock *sk)
{
	return sk->mode == MODE_V6ONLY;
}

static bool takes_mapped(const struct sock *sk)
{
	return sk->mode == MODE_DUAL || sk->mode == MODE_MAPPED;
}

static bool is_server(const struct sock *sk)
{
	return !sk->unlisted && !sk->peer.family && !is_client(sk) &&
	       (sk->protocol == IPPROTO_UDP || sk->state == TCP_LISTEN);
}

/* Whether a socket deals with IPv4 peers alone, be it one of AF_INET or of AF_INET6. */
static bool is_v4(const struct sock *sk)
{
	return sk->family == AF_INET || sk->mode == MODE_MAPPED;
}

/* The IPv4 address of an endpoint of such a socket, in host byte order. */
static uint32_t v4_addr(const struct endpoint *ep)
{
	struct in_addr addr = ep->addr.v4;

	if (ep->family == AF_INET6)
		memcpy(&addr, &ep->addr.v6.s6_addr[12], sizeof(addr));
	return ntohl(addr.s_addr);
}

static bool is_loopback(const struct endpoint *ep, bool v4)
{
	if (v4)
		return v4_addr(ep) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&ep->addr.v6);
}

static uint64_t port_key(const struct sock *sk, uint32_t addr)
{
	return (uint64_t)sk->protocol << 48 |
	       (uint64_t)sk->local.port << 32 | addr;
}

static void ports_add(struct ports *ports, const struct sock *sk, uint32_t i)
{
	if (is_v4(sk)) {
		map_set(&ports->takers, port_key(sk, v4_addr(&sk->local)), i);
		return;
	}
	if (sk->mode == MODE_DUAL)
		map_set(&ports->duals, port_key(sk, 0), i);
	else if (is_v6only(sk))
		map_set(&ports->v6onlys, port_key(sk, 0), i);
	if (!is_loopback(&sk->local, false))
		map_set(&ports->v6, port_key(sk, 0), i);
}

static int ports_init(struct ports *ports, const struct view *view)
{
	size_t i, n = 0;

	for (i = 0; i < view->socks.n; i++)
		n += is_server(&view->socks.v[i]);
	if (map_init(&ports->takers, n) || map_init(&ports->duals, n) ||
	    map_init(&ports->v6onlys, n) || map_init(&ports->v6, n))
		return err_no_memory();
	for (i = 0; i < view->socks.n; i++)
		if (is_server(&view->socks.v[i]))
			ports_add(ports, &view->socks.v[i], i);
	return 0;
}

static void ports_free(struct ports *ports)
{
	map_free(&ports->takers);
	map_free(&ports->duals);
	map_free(&ports->v6onlys);
	map_free(&ports->v6);
}

/*
 * The server that took a connection, MAP_NONE if it was made from here. One of UDP is
 * taken by a socket that the server connects to the client, at the same port.
 */
static uint32_t taker_of(const struct ports *ports, const struct sock *sk)
{
	uint32_t i;

	if (sk->protocol == IPPROTO_TCP &&
	    count(sk->rec, COUNTER_INDEX(MAPPED_CONNECT)))
		return MAP_NONE;
	i = map_get(&ports->takers, port_key(sk, v4_addr(&sk->local)));
	if (i == MAP_NONE)
		i = map_get(&ports->takers, port_key(sk, INADDR_ANY));
	if (i == MAP_NONE)
		i = map_get(&ports->duals, port_key(sk, 0));
	if (i == MAP_NONE && sk->mode == MODE_MAPPED)
		i = map_get(&ports->v6onlys, port_key(sk, 0));
	return i;
}

/* Whether a connection of UDP was nothing but connect(). */
static bool is_unused(const struct sock *sk)
{
	return sk->protocol == IPPROTO_UDP && !received(sk->rec) &&
	       !sent(sk->rec) &&
	       (count(sk->rec, COUNTER_INDEX(MAPPED_CONNECT)) ||
		count(sk->rec, COUNTER_INDEX(V4_CONNECT)));
}

/*
 * IPv4 on the loopback device works on when all the rest is gone, and the ends
 * of connections that no process has (TIME-WAIT, say) go by themselves.
 */
static void look_at_connection(struct findings *findings,
			       const struct sock *sk, uint32_t i)
{
	uint32_t taker;

	if (!sk->inode || !is_v4(sk) || is_loopback(&sk->peer, true) ||
	    is_unused(sk))
		return;
	taker = findings->taker[i];
	if (taker == MAP_NONE) {
		findings->set[i] |= BIT(USES_IPV4);
		findings->conns[i]++;
	} else {
		findings->set[taker] |= BIT(SERVES_IPV4);
		findings->conns[taker]++;
	}
}

/* Whether IPv6 clients find nobody at the port of a socket that serves IPv4. */
static bool is_v4_only(const struct ports *ports, const struct sock *sk)
{
	return is_v4(sk) && !is_loopback(&sk->local, true) &&
	       map_get(&ports->v6, port_key(sk, 0)) == MAP_NONE;
}

/* Whether this host is its only IPv4 peer: 127.0.0.0/8 is nowhere else. */
static bool is_local(const struct sock *sk)
{
	return is_v4(sk) && (is_loopback(&sk->local, true) ||
			     (sk->peer.family && is_loopback(&sk->peer, true)));
}

/* Whether the last one was, as far as can be seen. */
static bool was_local(const struct sock *sk)
{
	const struct endpoint *last = &sk->rec->mapped.peer;

	return last->family == AF_INET && is_loopback(last, true);
}

static unsigned int look_at_counters(const struct sock *sk, uint32_t taker)
{
	unsigned int i, set = 0;

	for (i = 0; i < NUM_FINDINGS; i++)
		if (finding_count(sk, i))
			set |= BIT(i);
	if (is_local(sk))
		return set & ~(BIT(SERVES_IPV4) | BIT(USES_IPV4) |
			       BIT(LOCAL_IPV4));
	if (was_local(sk))
		return set & ~(BIT(SERVES_IPV4) | BIT(USES_IPV4));
	set &= ~BIT(LOCAL_IPV4);
	/* What a connected socket receives are answers, unless a server made it. */
	if (!sk->peer.family)
		return set;
	if (taker != MAP_NONE)
		return set & ~BIT(USES_IPV4);
	if (set & BIT(SERVES_IPV4))
		set = (set & ~BIT(SERVES_IPV4)) | BIT(USES_IPV4);
	return set;
}

static unsigned int look_at_server(const struct ports *ports,
				   const struct sock *sk, unsigned int set)
{
	if (is_v4_only(ports, sk))
		set |= BIT(IPV4_ONLY);
	if (sk->shadowed)
		set |= BIT(SHADOWED);
	else if (sk->mode == MODE_DUAL && !served(sk) &&
		 !(set & BIT(SERVES_IPV4)))
		set |= BIT(UNUSED_IPV4);
	return set ? set : BIT(READY);
}

int findings_make(struct findings *findings, const struct view *view)
{
	const struct sock *socks = view->socks.v;
	struct ports ports = { };
	size_t i;
	int ret;

	findings->set = calloc(view->socks.n + 1, sizeof(*findings->set));
	findings->conns = calloc(view->socks.n + 1, sizeof(*findings->conns));
	findings->taker = calloc(view->socks.n + 1, sizeof(*findings->taker));
	if (!findings->set || !findings->conns || !findings->taker)
		return err_no_memory();
	ret = ports_init(&ports, view);
	for (i = 0; !ret && i < view->socks.n; i++) {
		findings->taker[i] = MAP_NONE;
		if (socks[i].peer.family && is_v4(&socks[i]))
			findings->taker[i] = taker_of(&ports, &socks[i]);
		findings->set[i] |= look_at_counters(&socks[i],
						     findings->taker[i]);
		if (socks[i].peer.family)
			look_at_connection(findings, &socks[i], i);
	}
	/*
	 * In a second pass, as all connections of a server have to be seen before.
	 */
	for (i = 0; !ret && i < view->socks.n; i++) {
		if (findings->set[i] & (BIT(SERVES_IPV4) | BIT(USES_IPV4)))
			findings->set[i] &= ~BIT(LOCAL_IPV4);
		if (is_server(&socks[i]))
			findings->set[i] = look_at_server(&ports, &socks[i],
							  findings->set[i]);
	}
	ports_free(&ports);
	return ret;
}

void findings_free(struct findings *findings)
{
	free(findings->set);
	free(findings->conns);
	free(findings->taker);
}

uint64_t finding_count(const struct sock *sk, enum finding finding)
{
	const struct record *rec = sk->rec;

	switch (finding) {
	case SERVES_IPV4:
		return is_v6only(sk) ? 0 : served(sk);
	case USES_IPV4:
		return is_v6only(sk) ? 0 : used(sk);
	case LOCAL_IPV4:
		return is_v6only(sk) ? 0 : served(sk) + used(sk);
	case SPOOFED:
		return count(rec, COUNTER_INDEX(WIRE_MAPPED));
	case REFUSES_IPV6:
		return count(rec, COUNTER_INDEX(REJECT_V4ONLY));
	case REFUSES_IPV4:
		return takes_mapped(sk) ? 0 : refused(rec);
	case PAST_IPV4:
		if (is_v6only(sk))
			return served(sk) + used(sk);
		return takes_mapped(sk) ? refused(rec) : 0;
	default:
		return 0;
	}
}

const struct last_peer *finding_last(const struct sock *sk,
				     enum finding finding)
{
	switch (finding) {
	case SERVES_IPV4:
	case USES_IPV4:
	case LOCAL_IPV4:
		return &sk->rec->mapped;
	case REFUSES_IPV6:
	case REFUSES_IPV4:
		return &sk->rec->rejected;
	case PAST_IPV4:
		return is_v6only(sk) ? &sk->rec->mapped : &sk->rec->rejected;
	default:
		return NULL;
	}
}
