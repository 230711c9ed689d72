// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "out/err.h"
#include "socks/role.h"
#include "socks/tally.h"

static uint64_t port_key(uint8_t protocol, uint16_t port)
{
	return (uint64_t)protocol << 16 | port;
}

static uint64_t peer_key(uint8_t direction, uint8_t protocol, uint16_t port,
			 const struct endpoint *ep)
{
	return (uint64_t)direction << 56 | (uint64_t)protocol << 48 |
	       (uint64_t)port << 32 | role_v4_addr(ep);
}

static int compare(const void *pa, const void *pb)
{
	const struct peer_entry *a = pa, *b = pb;
	int diff;

	diff = a->direction - b->direction;
	if (!diff)
		diff = a->protocol - b->protocol;
	if (!diff)
		diff = a->local_port - b->local_port;
	if (!diff)
		diff = endpoint_compare(&a->peer, &b->peer);
	return diff;
}

static enum tally_kind kind_of(const struct peer_entry *entry)
{
	if (entry->direction == DUALSTACK_PEER_DIRECTION_IN)
		return entry->peer.family ? TALLY_IN : TALLY_IN_REST;
	if (!entry->peer.family)
		return TALLY_REFUSED_REST;
	return entry->peer.family == AF_INET6 ? TALLY_REFUSED6 : TALLY_REFUSED;
}

static void add_port(struct tally *tally, const struct peer_entry *entry,
		     uint32_t i)
{
	uint32_t port = map_set(&tally->ports,
				port_key(entry->protocol, entry->local_port), i);

	tally->left[port][kind_of(entry)] += entry->count;
	if (entry->direction == DUALSTACK_PEER_DIRECTION_IN && entry->peer.family)
		map_set(&tally->clients,
			peer_key(entry->direction, entry->protocol,
				 entry->local_port, &entry->peer), i);
}

static void add_dest(struct tally *tally, const struct peer_entry *entry,
		     uint32_t i)
{
	uint32_t first;

	if (!entry->peer.family)
		return;
	first = map_set(&tally->dests,
			peer_key(entry->direction, entry->protocol,
				 entry->peer.port, &entry->peer), i);
	tally->left[i][TALLY_OUT] = entry->count;
	if (first == i)
		return;
	tally->next[i] = tally->next[first];
	tally->next[first] = i;
}

int tally_make(struct tally *tally)
{
	struct peer_list *entries = &tally->entries;
	size_t i, n = entries->n;

	tally->next = malloc((n + 1) * sizeof(*tally->next));
	tally->left = calloc(n + 1, sizeof(*tally->left));
	if (!tally->next || !tally->left || map_init(&tally->ports, n) ||
	    map_init(&tally->clients, n) || map_init(&tally->dests, n))
		return err_no_memory();
	if (n)
		qsort(entries->v, n, sizeof(*entries->v), compare);
	for (i = 0; i < n; i++) {
		tally->next[i] = MAP_NONE;
		if (peer_is_outbound(entries->v[i].direction))
			add_dest(tally, &entries->v[i], i);
		else
			add_port(tally, &entries->v[i], i);
	}
	return 0;
}

uint64_t tally_take(struct tally *tally, enum tally_kind kind, uint8_t protocol,
		    uint16_t port, uint64_t n)
{
	uint32_t i = map_get(&tally->ports, port_key(protocol, port));
	uint64_t taken;

	if (i == MAP_NONE)
		return n;
	taken = n < tally->left[i][kind] ? n : tally->left[i][kind];
	tally->left[i][kind] -= taken;
	return n - taken;
}

void tally_take_rest(struct tally *tally, enum tally_kind kind,
		     uint8_t protocol, uint16_t port, uint64_t n)
{
	uint64_t taken = n - tally_take(tally, kind, protocol, port, n);

	if (kind == TALLY_REFUSED_REST)
		tally->told.refused += taken;
	else if (protocol == IPPROTO_TCP)
		tally->told.tcp += taken;
	else
		tally->told.udp += taken;
}

bool tally_has_client(const struct tally *tally, uint8_t protocol,
		      uint16_t port, const struct endpoint *client)
{
	return map_get(&tally->clients,
		       peer_key(DUALSTACK_PEER_DIRECTION_IN, protocol, port,
				client)) != MAP_NONE;
}

uint32_t tally_dest(const struct tally *tally, uint8_t direction,
		    uint8_t protocol, const struct endpoint *dest)
{
	return map_get(&tally->dests,
		       peer_key(direction, protocol, dest->port, dest));
}

bool tally_take_dest(struct tally *tally, uint8_t direction, uint8_t protocol,
		     const struct endpoint *dest, const struct tally_task *task,
		     uint64_t n)
{
	uint32_t i = tally_dest(tally, direction, protocol, dest);
	bool found = false;

	for (; n && i != MAP_NONE; i = tally->next[i]) {
		const struct peer_entry *entry = &tally->entries.v[i];
		uint64_t *left = &tally->left[i][TALLY_OUT];
		uint64_t taken = n < *left ? n : *left;

		if (task->uid != entry->uid ||
		    (task->comm && strcmp(task->comm, entry->comm)))
			continue;
		*left -= taken;
		n -= taken;
		found |= taken;
	}
	return found;
}

uint64_t tally_sum(const struct tally *tally, uint8_t direction,
		   uint8_t protocol)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < tally->entries.n; i++) {
		const struct peer_entry *entry = &tally->entries.v[i];

		if (entry->direction == direction &&
		    (!protocol || entry->protocol == protocol))
			n += entry->count;
	}
	return n;
}

void tally_free(struct tally *tally)
{
	peer_list_free(&tally->entries);
	map_free(&tally->ports);
	map_free(&tally->clients);
	map_free(&tally->dests);
	free(tally->next);
	free(tally->left);
}
