// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <stdlib.h>

#include "nl/counters.h"
#include "out/err.h"
#include "socks/holders.h"
#include "socks/role.h"

/**
 * enum fit - How well an entry fits a socket.
 * @FIT_NONE: not at all.
 * @FIT_PAST: it would fit if the socket were what it may have been.
 * @FIT_LOCAL: a rest fits a socket of this host alone, if no other one can be meant.
 * @FIT_SECOND: if no other socket fits better: these come before it.
 * @FIT_BEST: as the socket is now, such peers come to it.
 */
enum fit {
	FIT_NONE,
	FIT_PAST,
	FIT_LOCAL,
	FIT_SECOND,
	FIT_BEST,
};

static uint64_t port_key(uint8_t protocol, uint16_t port)
{
	return (uint64_t)protocol << 16 | port;
}

int holders_make(struct holders *holders, const struct view *view,
		 const struct findings *findings)
{
	size_t n = view->socks.n;
	uint32_t i, first;

	holders->socks = view->socks.v;
	holders->next = malloc((n + 1) * sizeof(*holders->next));
	holders->chosen = malloc((n + 1) * sizeof(*holders->chosen));
	if (!holders->next || !holders->chosen || map_init(&holders->first, n))
		return err_no_memory();
	for (i = 0; i < n; i++) {
		const struct sock *sk = &holders->socks[i];

		holders->next[i] = MAP_NONE;
		if (!findings->set[i] ||
		    (!role_is_server(sk) && findings->taker[i] != i))
			continue;
		first = map_set(&holders->first,
				port_key(sk->protocol, sk->local.port), i);
		if (first == i)
			continue;
		holders->next[i] = holders->next[first];
		holders->next[first] = i;
	}
	return 0;
}

static enum fit fit_served(const struct sock *sk, const struct endpoint *peer)
{
	bool local = peer->family && role_is_loopback(peer, true);

	if (role_is_v4(sk)) {
		if (role_is_loopback(&sk->local, true))
			return local ? FIT_BEST :
			       peer->family ? FIT_NONE : FIT_LOCAL;
		return !local || endpoint_is_wildcard(&sk->local) ? FIT_BEST
								 : FIT_SECOND;
	}
	return sk->mode == MODE_DUAL ? FIT_SECOND : FIT_PAST;
}

static enum fit fit_refused(const struct sock *sk, const struct endpoint *peer)
{
	if (role_is_v4(sk))
		return peer->family == AF_INET6 ? FIT_BEST : FIT_PAST;
	if (role_takes_mapped(sk))
		return FIT_PAST;
	return peer->family == AF_INET6 ? FIT_SECOND : FIT_BEST;
}

static uint64_t counted_refused(const struct sock *sk,
				const struct endpoint *peer)
{
	if (peer->family == AF_INET6)
		return role_count(sk, COUNTER_INDEX(REJECT_V4ONLY));
	return role_count(sk, COUNTER_INDEX(REJECT_V6ONLY)) +
	       role_count(sk, COUNTER_INDEX(REJECT_ADDR));
}

size_t holders_choose(struct holders *holders, const struct peer_entry *entry)
{
	bool in = entry->direction == DUALSTACK_PEER_DIRECTION_IN;
	enum fit best = FIT_NONE;
	uint32_t i, found = MAP_NONE;
	size_t n = 0;

	i = map_get(&holders->first,
		    port_key(entry->protocol, entry->local_port));
	for (; i != MAP_NONE; i = holders->next[i]) {
		const struct sock *sk = &holders->socks[i];
		uint64_t counted = in ? role_served(sk)
				      : counted_refused(sk, &entry->peer);
		enum fit fit = in ? fit_served(sk, &entry->peer)
				  : fit_refused(sk, &entry->peer);

		/* What has counted clients serves none where it cannot any more. */
		if (counted && fit != FIT_NONE && !(in && fit == FIT_PAST))
			holders->chosen[n++] = i;
		if (fit > best) {
			best = fit;
			found = i;
		}
	}
	if (!n && found != MAP_NONE)
		holders->chosen[n++] = found;
	return n;
}

/*
 * A wildcard socket of no device takes all. That of UDP is one where it does not connect to
 * its clients.
 */
bool holders_take(const struct holders *holders, const struct sock *sk, bool v4)
{
	uint32_t i = map_get(&holders->first,
			     port_key(sk->protocol, sk->local.port));

	for (; i != MAP_NONE; i = holders->next[i]) {
		const struct sock *other = &holders->socks[i];

		if (!role_is_server(other) || other->ifindex ||
		    !endpoint_is_wildcard(&other->local))
			continue;
		if (v4 ? role_is_v4(other) || other->mode == MODE_DUAL :
			 !role_is_v4(other))
			return true;
	}
	return false;
}

void holders_free(struct holders *holders)
{
	map_free(&holders->first);
	free(holders->next);
	free(holders->chosen);
}
