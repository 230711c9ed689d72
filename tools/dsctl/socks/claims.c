// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "out/err.h"
#include "socks/claims.h"
#include "socks/holders.h"
#include "socks/programs.h"
#include "socks/role.h"
#include "util/array.h"

#define FTP_PORT	21

/**
 * struct maker - All that claims are made of.
 * @claims: what is made.
 * @tally: the ledger.
 * @socks: the sockets.
 * @findings: about them.
 * @services: their services, and those of programs.
 * @holders: who has which port.
 * @closed: the service of what is closed.
 */
struct maker {
	struct claims *claims;
	const struct tally *tally;
	const struct sock *socks;
	struct findings *findings;
	struct services *services;
	struct holders holders;
	uint32_t closed;
};

static int add(struct maker *maker, uint32_t service, enum finding finding,
	       const struct peer_entry *entry, uint64_t count)
{
	struct claims *claims = maker->claims;
	struct claim *claim;

	if (array_grow((void **)&claims->v, claims->n, &claims->size,
		       sizeof(*claims->v)))
		return err_no_memory();
	claim = &claims->v[claims->n++];
	memset(claim, 0, sizeof(*claim));
	claim->service = service;
	claim->finding = finding;
	claim->peer = entry->peer;
	claim->count = count;
	if (entry->direction != DUALSTACK_PEER_DIRECTION_IN)
		claim->refused = count;
	claim->age = entry->last_age;
	return 0;
}

static bool is_local(const struct endpoint *peer)
{
	return peer->family == AF_INET && role_is_loopback(peer, true);
}

/* What an entry says about a socket, as that is now. */
static enum finding finding_of(const struct maker *maker,
			       const struct peer_entry *entry,
			       const struct sock *sk)
{
	bool is_v4 = role_is_v4(sk);

	if (entry->direction == DUALSTACK_PEER_DIRECTION_IN) {
		if (!is_v4 && !role_takes_mapped(sk))
			return PAST_IPV4;
		if (is_local(&entry->peer) ||
		    (!entry->peer.family && is_v4 &&
		     role_is_loopback(&sk->local, true)))
			return LOCAL_IPV4;
		return SERVES_IPV4;
	}
	if (entry->peer.family == AF_INET6 || (!entry->peer.family && is_v4))
		return is_v4 && !holders_take(&maker->holders, sk, false) ?
		       REFUSES_IPV6 : PAST_IPV4;
	return role_takes_mapped(sk) || holders_take(&maker->holders, sk, true) ?
	       PAST_IPV4 : REFUSES_IPV4;
}

/* Whether it is past as there is a socket now that takes those who were refused. */
static bool is_taken(const struct peer_entry *entry, const struct sock *sk)
{
	return entry->direction != DUALSTACK_PEER_DIRECTION_IN &&
	       (entry->peer.family == AF_INET6 || !role_takes_mapped(sk));
}

static enum finding finding_of_closed(const struct peer_entry *entry)
{
	if (entry->direction == DUALSTACK_PEER_DIRECTION_IN)
		return is_local(&entry->peer) ? LOCAL_IPV4 : SERVES_IPV4;
	return entry->peer.family == AF_INET6 ? REFUSES_IPV6 : REFUSES_IPV4;
}

/*
 * How much of an entry is to be told. Of what has no address the sockets tell what they have
 * counted themselves.
 */
static uint64_t count_of(const struct maker *maker,
			 const struct peer_entry *entry, size_t num_chosen)
{
	uint64_t told = 0;
	size_t i;

	if (entry->peer.family)
		return entry->count;
	for (i = 0; i < num_chosen; i++) {
		const struct sock_left *left =
			&maker->findings->left[maker->holders.chosen[i]];

		told += entry->direction == DUALSTACK_PEER_DIRECTION_IN ?
				left->served :
				left->refused + left->refused6;
	}
	return entry->count > told ? entry->count - told : 0;
}

static int add_closed_port(struct claims *claims, enum finding finding,
			   const struct peer_entry *entry)
{
	struct closed_port *port;
	size_t i;

	/* Entries come by port, with few findings each. */
	for (i = claims->num_ports; i-- > 0;) {
		port = &claims->ports[i];
		if (port->protocol != entry->protocol ||
		    port->port != entry->local_port)
			break;
		if (port->finding == finding)
			return 0;
	}
	if (array_grow((void **)&claims->ports, claims->num_ports,
		       &claims->size_ports, sizeof(*claims->ports)))
		return err_no_memory();
	port = &claims->ports[claims->num_ports++];
	port->finding = finding;
	port->protocol = entry->protocol;
	port->port = entry->local_port;
	return 0;
}

/*
 * A server of FTP listens at a port of the moment for each of its clients that asks for
 * it: such a client is known at the server's own port.
 */
static size_t choose_ftp(struct maker *maker, const struct peer_entry *entry)
{
	struct peer_entry control = *entry;

	if (entry->direction != DUALSTACK_PEER_DIRECTION_IN ||
	    entry->protocol != IPPROTO_TCP || !entry->peer.family ||
	    entry->local_port < IPPORT_RESERVED ||
	    !tally_has_client(maker->tally, IPPROTO_TCP, FTP_PORT, &entry->peer))
		return 0;
	control.local_port = FTP_PORT;
	return holders_choose(&maker->holders, &control);
}

static int add_closed(struct maker *maker, const struct peer_entry *entry)
{
	enum finding finding = finding_of_closed(entry);

	if (entry->local_port &&
	    add_closed_port(maker->claims, finding, entry))
		return -1;
	return add(maker, maker->closed, finding, entry, entry->count);
}

/* Of a client or of what was refused: to each service whose sockets it is about. */
static int claim_port(struct maker *maker, const struct peer_entry *entry)
{
	const struct holders *holders = &maker->holders;
	size_t i, j, n = 0, begin = maker->claims->n;
	uint64_t count;

	if (entry->local_port)
		n = holders_choose(&maker->holders, entry);
	if (!n)
		n = choose_ftp(maker, entry);
	if (!n)
		return add_closed(maker, entry);
	count = count_of(maker, entry, n);
	for (i = 0; count && i < n; i++) {
		uint32_t sk = holders->chosen[i];
		uint32_t service = maker->services->of[sk];
		enum finding finding = finding_of(maker, entry,
						  &maker->socks[sk]);

		findings_add(maker->findings, sk, finding);
		for (j = begin; j < maker->claims->n; j++)
			if (maker->claims->v[j].service == service)
				break;
		if (j < maker->claims->n)
			continue;
		if (add(maker, service, finding, entry, count))
			return -1;
		if (finding == PAST_IPV4 && is_taken(entry, &maker->socks[sk]))
			maker->claims->v[j].taken = count;
	}
	return 0;
}

/*
 * Where several services have a port at addresses of their own, the ledger does not say
 * whose client it was, but sockets have counted how many were theirs.
 */
static void find_shared(struct maker *maker, const struct peer_entry *entry)
{
	const struct holders *holders = &maker->holders;
	const uint32_t *of = maker->services->of;
	size_t i, j, n;

	n = holders_choose(&maker->holders, entry);
	for (i = 0; i < n; i++) {
		uint32_t service = of[holders->chosen[i]];

		for (j = 0; j < i; j++)
			if (of[holders->chosen[j]] == service)
				break;
		if (j < i)
			continue;
		for (j = 0; j < n; j++) {
			uint32_t sk = holders->chosen[j];

			/* What is left of it is of peers that have no entry. */
			if (of[sk] != service)
				maker->claims->shared[service] +=
					role_served(&maker->socks[sk]) -
					maker->findings->left[sk].served;
		}
	}
}

static int claim_ports(struct maker *maker)
{
	const struct peer_list *entries = &maker->tally->entries;
	uint32_t last_port = 0, last_proto = 0;
	size_t i;

	for (i = 0; i < entries->n; i++) {
		const struct peer_entry *entry = &entries->v[i];

		if (peer_is_outbound(entry->direction))
			continue;
		if (claim_port(maker, entry))
			return -1;
		if (entry->direction != DUALSTACK_PEER_DIRECTION_IN ||
		    !entry->peer.family || is_local(&entry->peer) ||
		    (entry->local_port == last_port &&
		     entry->protocol == last_proto))
			continue;
		last_port = entry->local_port;
		last_proto = entry->protocol;
		find_shared(maker, entry);
	}
	return 0;
}

static int compare_programs(const void *pa, const void *pb, void *arg)
{
	const struct peer_entry *entries = arg;
	const struct peer_entry *a = &entries[*(const uint32_t *)pa];
	const struct peer_entry *b = &entries[*(const uint32_t *)pb];
	int diff = strcmp(a->comm, b->comm);

	return diff ? diff : (a->uid > b->uid) - (a->uid < b->uid);
}

static int claim_program(struct maker *maker, const struct peer_entry *entry,
			 uint32_t service)
{
	struct services *services = maker->services;
	const struct service *last = &services->v[services->n - 1];
	enum finding finding = USES_IPV4;

	if (entry->direction == DUALSTACK_PEER_DIRECTION_REFUSED_OUT)
		finding = REFUSES_IPV4;
	else if (is_local(&entry->peer))
		finding = LOCAL_IPV4;
	if (service == SERVICE_NONE) {
		/* What stays on this host is no reason to name a program. */
		if (finding == LOCAL_IPV4)
			return 0;
		if ((last->kind != SERVICE_PROGRAM || last->uid != entry->uid ||
		     strcmp(last->comm, entry->comm)) &&
		    services_add_program(services, entry->comm, entry->uid))
			return -1;
		service = services->n - 1;
	}
	return add(maker, service, finding, entry, entry->count);
}

/* Those of one name and user come one after the other. */
static int claim_each_program(struct maker *maker,
			      const struct programs *programs)
{
	const struct peer_list *entries = &maker->tally->entries;
	uint32_t *order;
	size_t i, n = 0;
	int ret = 0;

	order = calloc(entries->n + 1, sizeof(*order));
	if (!order)
		return err_no_memory();
	for (i = 0; i < entries->n; i++)
		if (peer_has_task(&entries->v[i]))
			order[n++] = i;
	qsort_r(order, n, sizeof(*order), compare_programs, entries->v);
	for (i = 0; !ret && i < n; i++)
		ret = claim_program(maker, &entries->v[order[i]],
				    programs_find(programs, order[i]));
	free(order);
	return ret;
}

static int claim_programs(struct maker *maker, const struct view *view)
{
	const struct peer_list *entries = &maker->tally->entries;
	struct programs programs = { };
	size_t i;
	int ret;

	for (i = 0; i < entries->n; i++) {
		const struct peer_entry *entry = &entries->v[i];

		enum finding finding = UNNAMED_IPV4;

		if (!peer_is_outbound(entry->direction) || entry->peer.family)
			continue;
		if (entry->direction == DUALSTACK_PEER_DIRECTION_REFUSED_OUT)
			finding = REFUSES_IPV4;
		if (add(maker, maker->closed, finding, entry, entry->count))
			return -1;
	}
	ret = programs_make(&programs, view, maker->findings, maker->services,
			    maker->tally);
	if (!ret)
		ret = claim_each_program(maker, &programs);
	programs_free(&programs);
	return ret;
}

static int compare_findings(const struct claim *a, const struct claim *b)
{
	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	return (int)a->finding - (int)b->finding;
}

static int compare_peers(const struct claim *a, const struct claim *b)
{
	int diff = endpoint_compare(&a->peer, &b->peer);

	return diff ? diff : a->peer.port - b->peer.port;
}

static int by_peer(const void *pa, const void *pb)
{
	int diff = compare_findings(pa, pb);

	return diff ? diff : compare_peers(pa, pb);
}

static int by_count(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;
	int diff = compare_findings(a, b);

	if (!diff)
		diff = !a->peer.family - !b->peer.family;
	if (!diff)
		diff = (a->count < b->count) - (a->count > b->count);
	return diff ? diff : compare_peers(a, b);
}

/* A peer that several entries are about is one. */
static void merge(struct claims *claims)
{
	struct claim *v = claims->v;
	size_t i, n = 0;

	if (!claims->n)
		return;
	qsort(v, claims->n, sizeof(*v), by_peer);
	for (i = 1; i < claims->n; i++) {
		if (by_peer(&v[n], &v[i])) {
			v[++n] = v[i];
			continue;
		}
		v[n].count += v[i].count;
		v[n].refused += v[i].refused;
		v[n].taken += v[i].taken;
		if (v[i].age < v[n].age)
			v[n].age = v[i].age;
	}
	claims->n = n + 1;
	qsort(v, claims->n, sizeof(*v), by_count);
}

int claims_make(struct claims *claims, const struct tally *tally,
		const struct view *view, struct findings *findings,
		struct services *services)
{
	struct maker maker = {
		.claims = claims, .tally = tally, .socks = view->socks.v,
		.findings = findings, .services = services,
		.closed = services->n - 1,
	};
	int ret;

	claims->num_shared = services->n;
	claims->shared = calloc(services->n, sizeof(*claims->shared));
	if (!claims->shared)
		return err_no_memory();
	ret = holders_make(&maker.holders, view, findings);
	if (!ret)
		ret = claim_ports(&maker);
	if (!ret)
		ret = claim_programs(&maker, view);
	if (!ret)
		merge(claims);
	holders_free(&maker.holders);
	return ret;
}

const struct claim *claims_find(const struct claims *claims, uint32_t service,
				enum finding finding, size_t *n)
{
	const struct claim key = { .service = service, .finding = finding };
	size_t low = 0, high = claims->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (compare_findings(&claims->v[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (*n = 0; low + *n < claims->n; ++*n)
		if (compare_findings(&claims->v[low + *n], &key))
			break;
	return claims->v + low;
}

void claims_free(struct claims *claims)
{
	free(claims->v);
	free(claims->ports);
	free(claims->shared);
}
