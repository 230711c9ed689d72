/* SPDX-License-Identifier: GPL-2.0 */
/* The ledger of peers by what it is about: a port here, or a destination. */
#ifndef DSCTL_TALLY_H
#define DSCTL_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nl/diag.h"
#include "nl/peers.h"
#include "util/map.h"

/**
 * enum tally_kind - What is counted of a port, or of a destination.
 * @TALLY_IN: IPv4 clients that were served.
 * @TALLY_REFUSED: IPv4 clients that were refused.
 * @TALLY_REFUSED6: IPv6 clients that were refused.
 * @TALLY_OUT: what programs here did to reach a destination.
 * @TALLY_IN_REST: of TALLY_IN, those that have no entry.
 * @TALLY_REFUSED_REST: of the other two of a port, likewise.
 * @NUM_TALLIES: how many there are.
 */
enum tally_kind {
	TALLY_IN,
	TALLY_REFUSED,
	TALLY_REFUSED6,
	TALLY_OUT,
	TALLY_IN_REST,
	TALLY_REFUSED_REST,
	NUM_TALLIES,
};

/**
 * struct tally - All entries of the ledger, and where each is found.
 * @entries: the entries, sorted by direction, protocol and local port.
 * @ports: by protocol and port, indices of @left.
 * @clients: those of direction in by protocol, local port and address.
 * @dests: those of direction out by protocol, address and port; with those of
 *	   refused-out beside them.
 * @next: the next entry of the same destination, or MAP_NONE.
 * @left: of each port and destination, what of it was not taken yet.
 * @told: what was taken of rests, as the sockets tell it: of TALLY_IN_REST by TCP and by UDP,
 *	  of TALLY_REFUSED_REST by both.
 */
struct tally {
	struct peer_list entries;
	struct map ports;
	struct map clients;
	struct map dests;
	uint32_t *next;
	uint64_t (*left)[NUM_TALLIES];
	struct {
		uint64_t tcp;
		uint64_t udp;
		uint64_t refused;
	} told;
};

/**
 * tally_make() - Find one's way about the ledger.
 * @tally: its entries are filled in, all else zeroed; to be freed in any case.
 *
 * Return: 0, or -1 after a message.
 */
int tally_make(struct tally *tally);

/**
 * tally_take() - Find what was counted at a socket in what the ledger has of its port.
 * @tally: the ledger; what was taken is not found again.
 * @kind: what was counted.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @port: of this host.
 * @n: how much was counted.
 *
 * Return: how much of it the ledger does not tell by address.
 */
uint64_t tally_take(struct tally *tally, enum tally_kind kind, uint8_t protocol,
		    uint16_t port, uint64_t n);

/**
 * tally_take_rest() - Find what is left of a socket in the rest of its port, so that it is
 *	not counted twice.
 * @tally: the ledger; what was taken is in @tally->told.
 * @kind: TALLY_IN_REST or TALLY_REFUSED_REST.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @port: of this host.
 * @n: how much is left.
 */
void tally_take_rest(struct tally *tally, enum tally_kind kind,
		     uint8_t protocol, uint16_t port, uint64_t n);

/**
 * tally_has_client() - Whether a server here had a client.
 * @tally: the ledger.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @port: of the server.
 * @client: its address, IPv4 or mapped.
 *
 * Return: true if so.
 */
bool tally_has_client(const struct tally *tally, uint8_t protocol,
		      uint16_t port, const struct endpoint *client);

/**
 * tally_dest() - Look up who went somewhere.
 * @tally: the ledger.
 * @direction: out or refused-out, of enum dualstack_peer_direction.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @dest: where to, IPv4 or mapped.
 *
 * Return: the first such entry, MAP_NONE if there is none; @tally->next has the others.
 */
uint32_t tally_dest(const struct tally *tally, uint8_t direction,
		    uint8_t protocol, const struct endpoint *dest);

/**
 * struct tally_task - Who may have gone somewhere.
 * @comm: name of a task, or NULL for any.
 * @uid: its user.
 */
struct tally_task {
	const char *comm;
	uint32_t uid;
};

/**
 * tally_take_dest() - Find what was counted at a socket in what the ledger has of where
 *	it went last.
 * @tally: the ledger; what was taken is not found again.
 * @direction: out or refused-out, of enum dualstack_peer_direction.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @dest: where to, IPv4 or mapped.
 * @task: who.
 * @n: how much was counted: it may have gone elsewhere before.
 *
 * Return: true if the ledger tells of it.
 */
bool tally_take_dest(struct tally *tally, uint8_t direction, uint8_t protocol,
		     const struct endpoint *dest, const struct tally_task *task,
		     uint64_t n);

/**
 * tally_sum() - What the ledger has counted, rests included.
 * @tally: the ledger.
 * @direction: enum dualstack_peer_direction.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP, 0 for both.
 *
 * Return: how much.
 */
uint64_t tally_sum(const struct tally *tally, uint8_t direction,
		   uint8_t protocol);

/**
 * tally_free() - Free all of it, the entries included.
 * @tally: the ledger; zeroed memory is fine.
 */
void tally_free(struct tally *tally);

#endif /* DSCTL_TALLY_H */
