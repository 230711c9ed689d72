// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <stdlib.h>

#include "out/err.h"
#include "socks/findings.h"
#include "socks/role.h"
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

static uint64_t refused(const struct sock *sk)
{
	return role_count(sk, COUNTER_INDEX(REJECT_V6ONLY)) +
	       role_count(sk, COUNTER_INDEX(REJECT_ADDR)) +
	       role_count(sk, COUNTER_INDEX(REJECT_CONNECT)) +
	       role_count(sk, COUNTER_INDEX(REJECT_SEND)) +
	       role_count(sk, COUNTER_INDEX(REJECT_BIND));
}

static uint64_t port_key(const struct sock *sk, uint32_t addr)
{
	return (uint64_t)sk->protocol << 48 |
	       (uint64_t)sk->local.port << 32 | addr;
}

static void ports_add(struct ports *ports, const struct sock *sk, uint32_t i)
{
	if (role_is_v4(sk)) {
		map_set(&ports->takers, port_key(sk, role_v4_addr(&sk->local)), i);
		return;
	}
	if (sk->mode == MODE_DUAL)
		map_set(&ports->duals, port_key(sk, 0), i);
	else if (role_is_v6only(sk))
		map_set(&ports->v6onlys, port_key(sk, 0), i);
	if (!role_is_loopback(&sk->local, false))
		map_set(&ports->v6, port_key(sk, 0), i);
}

static int ports_init(struct ports *ports, const struct view *view)
{
	size_t i, n = 0;

	for (i = 0; i < view->socks.n; i++)
		n += role_is_server(&view->socks.v[i]);
	if (map_init(&ports->takers, n) || map_init(&ports->duals, n) ||
	    map_init(&ports->v6onlys, n) || map_init(&ports->v6, n))
		return err_no_memory();
	for (i = 0; i < view->socks.n; i++)
		if (role_is_server(&view->socks.v[i]))
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
	    role_count(sk, COUNTER_INDEX(MAPPED_CONNECT)))
		return MAP_NONE;
	i = map_get(&ports->takers, port_key(sk, role_v4_addr(&sk->local)));
	if (i == MAP_NONE)
		i = map_get(&ports->takers, port_key(sk, INADDR_ANY));
	if (i == MAP_NONE)
		i = map_get(&ports->duals, port_key(sk, 0));
	if (i == MAP_NONE && sk->mode == MODE_MAPPED)
		i = map_get(&ports->v6onlys, port_key(sk, 0));
	return i;
}

/*
 * IPv4 on the loopback device works on when all the rest is gone, and the ends
 * of connections that no process has (TIME-WAIT, say) go by themselves.
 */
static void look_at_connection(struct findings *findings,
			       const struct sock *sk, uint32_t i)
{
	uint32_t taker;

	if (!sk->inode || !role_is_v4(sk) || role_is_loopback(&sk->peer, true) ||
	    role_is_unused(sk))
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
	return role_is_v4(sk) && !role_is_loopback(&sk->local, true) &&
	       map_get(&ports->v6, port_key(sk, 0)) == MAP_NONE;
}

/* Whether this host is its only IPv4 peer: 127.0.0.0/8 is nowhere else. */
static bool is_local(const struct sock *sk)
{
	return role_is_v4(sk) && (role_is_loopback(&sk->local, true) ||
			     (sk->peer.family && role_is_loopback(&sk->peer, true)));
}

/* Whether the last one was, as far as can be seen. */
static bool was_local(const struct sock *sk)
{
	const struct endpoint *last = &sk->rec->mapped.peer;

	return last->family == AF_INET && role_is_loopback(last, true);
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
	else if (sk->mode == MODE_DUAL && !role_served(sk) &&
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
		if (socks[i].peer.family && role_is_v4(&socks[i]))
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
		if (role_is_server(&socks[i]))
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
	switch (finding) {
	case SERVES_IPV4:
		return role_is_v6only(sk) ? 0 : role_served(sk);
	case USES_IPV4:
		return role_is_v6only(sk) ? 0 : role_used(sk);
	case LOCAL_IPV4:
		return role_is_v6only(sk) ? 0 : role_served(sk) + role_used(sk);
	case SPOOFED:
		return role_count(sk, COUNTER_INDEX(WIRE_MAPPED));
	case REFUSES_IPV6:
		return role_count(sk, COUNTER_INDEX(REJECT_V4ONLY));
	case REFUSES_IPV4:
		return role_takes_mapped(sk) ? 0 : refused(sk);
	case PAST_IPV4:
		if (role_is_v6only(sk))
			return role_served(sk) + role_used(sk);
		return role_takes_mapped(sk) ? refused(sk) : 0;
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
		return role_is_v6only(sk) ? &sk->rec->mapped : &sk->rec->rejected;
	default:
		return NULL;
	}
}
