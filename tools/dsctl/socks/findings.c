// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <stdlib.h>

#include "out/err.h"
#include "socks/findings.h"
#include "socks/role.h"
#include "util/map.h"

/*
 * In the order of enum finding. Which counters stand for each is in finding_count();
 * what a server sends is in none, as its answers say no more than what it received.
 */
const struct finding_info finding_infos[] = {
	[IPV4_ONLY] = {
		.name = "ipv4-only", .blocks = true,
		.advice = "Have it listen on IPv6, too.",
		.without_ipv6 = "Turn IPv6 on, and have it listen there.",
	},
	[SERVES_IPV4] = {
		.name = "serves-ipv4", .blocks = true,
		.advice = "Move these clients to IPv6.",
		.without_ipv6 = "Turn IPv6 on, or keep IPv4.",
	},
	[USES_IPV4] = {
		.name = "uses-ipv4", .blocks = true,
		.advice = "Give it IPv6 destinations.",
		.without_ipv6 = "Turn IPv6 on, or keep IPv4.",
	},
	[SPOOFED] = {
		.name = "spoofed",
		.advice = "Drop IPv6 from ::ffff:0:0/96 at the border.",
	},
	[REFUSES_IPV6] = {
		.name = "refuses-ipv6",
		.advice = "Have it listen on IPv6, too.",
	},
	[REFUSES_IPV4] = {
		.name = "refuses-ipv4",
		.advice = "Send these clients to IPv6.",
		.without_ipv6 = "Turn IPv6 on, or set v6only off.",
	},
	[SHADOWED] = {
		.name = "shadowed",
		.advice = "See the AF_INET socket of this port.",
	},
	[UNNAMED_IPV4] = {
		.name = "unnamed-ipv4",
		.advice = "See dsctl monitor v4: with whom is not kept.",
	},
	[LOCAL_IPV4] = {
		.name = "local-ipv4",
		.advice = "See dsctl monitor: only the last peer is kept.",
		.with_ledger = "Nothing to do: it was this host alone.",
	},
	[UNUSED_IPV4] = {
		.name = "unused-ipv4",
		.advice = "Wait longer, or set v6only on.",
		.without_ipv6 = "Leave it: only IPv4 can reach it.",
	},
	[PAST_IPV4] = {
		.name = "past-ipv4",
		.advice = "Nothing to do; dsctl reset forgets it.",
	},
	[READY] = {
		.name = "ready",
		.advice = "Nothing to do.",
	},
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

/* Whether the last one was, as far as can be seen: of those before it that says nothing. */
static bool was_local(const struct sock *sk)
{
	const struct endpoint *last = &sk->rec->mapped.peer;

	return last->family == AF_INET && role_is_loopback(last, true);
}

static unsigned int look_at_counters(const struct findings *findings,
				     const struct sock *sk, uint32_t i,
				     bool ledger)
{
	unsigned int finding, set = 0;

	for (finding = 0; finding < NUM_FINDINGS; finding++)
		if (finding_count(findings, sk, i, finding))
			set |= BIT(finding);
	if (findings->left[i].told_used && !role_is_v6only(sk) && !was_local(sk))
		set |= BIT(USES_IPV4);
	if (is_local(sk) && sk->peer.family)
		set &= ~BIT(LOCAL_IPV4);
	/* What the ledger does not tell can have been of anyone. */
	if (is_local(sk) || (!ledger && was_local(sk)))
		return set & ~(BIT(SERVES_IPV4) | BIT(USES_IPV4));
	set &= ~BIT(LOCAL_IPV4);
	/* What a connected socket receives are answers, unless a server made it. */
	if (!sk->peer.family)
		return set;
	if (findings->taker[i] != MAP_NONE)
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

/* Where a program went, as far as can be seen. */
static const struct endpoint *dest_of(const struct sock *sk)
{
	return sk->peer.family ? &sk->peer : &sk->rec->mapped.peer;
}

static struct sock_left counted(const struct sock *sk)
{
	return (struct sock_left) {
		.served = role_served(sk),
		.used = role_used(sk),
		.refused = role_count(sk, COUNTER_INDEX(REJECT_V6ONLY)) +
			   role_count(sk, COUNTER_INDEX(REJECT_ADDR)),
		.refused6 = role_count(sk, COUNTER_INDEX(REJECT_V4ONLY)),
		.refused_calls = role_count(sk, COUNTER_INDEX(REJECT_CONNECT)) +
				 role_count(sk, COUNTER_INDEX(REJECT_SEND)),
		.refused_binds = role_count(sk, COUNTER_INDEX(REJECT_BIND)),
	};
}

/*
 * What the ledger tells of a socket need not be told by its counters. Not of the ledger are
 * events from before it was kept, and peers that are in none of its entries.
 */
static void take_packets(struct tally *tally, const struct sock *sk,
			 uint32_t taker, struct sock_left *left)
{
	if (sk->peer.family && taker == MAP_NONE)
		left->served = 0;	/* these are answers */
	left->served = tally_take(tally, TALLY_IN, sk->protocol, sk->local.port,
				  left->served);
	left->refused = tally_take(tally, TALLY_REFUSED, sk->protocol,
				   sk->local.port, left->refused);
	left->refused6 = tally_take(tally, TALLY_REFUSED6, sk->protocol,
				    sk->local.port, left->refused6);
	tally_take_rest(tally, TALLY_IN_REST, sk->protocol, sk->local.port,
			left->served);
	tally_take_rest(tally, TALLY_REFUSED_REST, sk->protocol,
			sk->local.port, left->refused + left->refused6);
}

static void take_calls_of(struct tally *tally, const struct sock *sk,
			  const struct tally_task *task, struct sock_left *left)
{
	const struct endpoint *dest = dest_of(sk);
	const struct endpoint *refused = &sk->rec->rejected.peer;

	if (left->used && dest->family &&
	    tally_take_dest(tally, DUALSTACK_PEER_DIRECTION_OUT, sk->protocol,
			    dest, task, left->used)) {
		left->used = 0;
		left->told_used = true;
	}
	if (left->refused_calls && refused->family &&
	    tally_take_dest(tally, DUALSTACK_PEER_DIRECTION_REFUSED_OUT,
			    sk->protocol, refused, task, left->refused_calls))
		left->refused_calls = 0;
}

/* Who made a call is known by name. */
static void take_calls(struct tally *tally, const struct procs *procs,
		       const struct sock *sk, struct sock_left *left)
{
	uint32_t i;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next) {
		const struct tally_task task = {
			.comm = procs->tasks[procs->fds[i].task].comm,
			.uid = sk->uid,
		};

		take_calls_of(tally, sk, &task, left);
	}
}

/*
 * A thread may have had a name of its own, and a process another one: what others do not
 * account for can be theirs.
 */
static void take_calls_of_user(struct tally *tally, const struct sock *sk,
			       struct sock_left *left)
{
	const struct tally_task task = { .uid = sk->uid };

	take_calls_of(tally, sk, &task, left);
}

/* One whose server does not listen any more is known by the client. */
static uint32_t find_taker(const struct ports *ports, const struct tally *tally,
			   const struct sock *sk, uint32_t i)
{
	uint32_t taker;

	if (!sk->peer.family || !role_is_v4(sk))
		return MAP_NONE;
	taker = taker_of(ports, sk);
	if (taker == MAP_NONE && tally &&
	    !role_count(sk, COUNTER_INDEX(MAPPED_CONNECT)) &&
	    tally_has_client(tally, sk->protocol, sk->local.port, &sk->peer))
		return i;
	return taker;
}

static int alloc(struct findings *findings, size_t n)
{
	findings->set = calloc(n + 1, sizeof(*findings->set));
	findings->conns = calloc(n + 1, sizeof(*findings->conns));
	findings->taker = calloc(n + 1, sizeof(*findings->taker));
	findings->left = calloc(n + 1, sizeof(*findings->left));
	if (!findings->set || !findings->conns || !findings->taker ||
	    !findings->left)
		return err_no_memory();
	return 0;
}

int findings_make(struct findings *findings, const struct view *view,
		  struct tally *tally)
{
	const struct sock *socks = view->socks.v;
	size_t i, n = view->socks.n;
	struct ports ports = { };
	int ret;

	ret = alloc(findings, n);
	if (!ret)
		ret = ports_init(&ports, view);
	for (i = 0; !ret && i < n; i++) {
		findings->taker[i] = find_taker(&ports, tally, &socks[i], i);
		findings->left[i] = counted(&socks[i]);
		if (!tally)
			continue;
		take_packets(tally, &socks[i], findings->taker[i],
			     &findings->left[i]);
		take_calls(tally, &view->procs, &socks[i], &findings->left[i]);
	}
	for (i = 0; !ret && i < n; i++) {
		if (tally)
			take_calls_of_user(tally, &socks[i], &findings->left[i]);
		findings->set[i] |= look_at_counters(findings, &socks[i], i,
						     tally);
		if (socks[i].peer.family)
			look_at_connection(findings, &socks[i], i);
	}
	/*
	 * In a second pass, as all connections of a server have to be seen before.
	 */
	for (i = 0; !ret && i < n; i++) {
		if (findings->set[i] & (BIT(SERVES_IPV4) | BIT(USES_IPV4)))
			findings->set[i] &= ~BIT(LOCAL_IPV4);
		if (role_is_server(&socks[i]))
			findings->set[i] = look_at_server(&ports, &socks[i],
							  findings->set[i]);
	}
	ports_free(&ports);
	return ret;
}

void findings_add(struct findings *findings, uint32_t i, enum finding finding)
{
	unsigned int set = findings->set[i] & ~BIT(READY);

	if (finding == SERVES_IPV4)
		set &= ~(BIT(UNUSED_IPV4) | BIT(LOCAL_IPV4));
	if (finding == LOCAL_IPV4)
		set &= ~BIT(UNUSED_IPV4);
	if (finding != LOCAL_IPV4 || !(set & BIT(SERVES_IPV4)))
		set |= BIT(finding);
	findings->set[i] = set;
}

void findings_free(struct findings *findings)
{
	free(findings->set);
	free(findings->conns);
	free(findings->taker);
	free(findings->left);
}

uint64_t left_refused(const struct sock_left *left)
{
	return left->refused + left->refused_calls + left->refused_binds;
}

uint64_t finding_count(const struct findings *findings, const struct sock *sk,
		       uint32_t i, enum finding finding)
{
	const struct sock_left *left = &findings->left[i];

	switch (finding) {
	case SERVES_IPV4:
		return role_is_v6only(sk) ? 0 : left->served;
	case USES_IPV4:
		return role_is_v6only(sk) ? 0 : left->used;
	case LOCAL_IPV4:
		return role_is_v6only(sk) ? 0 : left->served + left->used;
	case SPOOFED:
		return role_count(sk, COUNTER_INDEX(WIRE_MAPPED));
	case REFUSES_IPV6:
		return left->refused6;
	case REFUSES_IPV4:
		return role_takes_mapped(sk) ? 0 : left_refused(left);
	case PAST_IPV4:
		if (role_is_v6only(sk))
			return left->served + left->used;
		return role_takes_mapped(sk) ? left_refused(left) : 0;
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
