/* SPDX-License-Identifier: GPL-2.0 */
/* Which service each entry of the ledger is about, and what it says of it. */
#ifndef DSCTL_CLAIMS_H
#define DSCTL_CLAIMS_H

#include <stddef.h>
#include <stdint.h>

#include "nl/diag.h"
#include "socks/findings.h"
#include "socks/services.h"
#include "socks/tally.h"
#include "socks/view.h"

/**
 * struct claim - A peer behind a finding about a service.
 * @service: the service, as an index.
 * @finding: enum finding.
 * @peer: a client, without a port; or where a program went. AF_UNSPEC for all peers that
 *	  have no entry of their own.
 * @count: how often.
 * @refused: of PAST_IPV4, how often of these it was refused.
 * @taken: of these, how often there was no socket for it, and is one now.
 * @age: milliseconds since the last time.
 */
struct claim {
	uint32_t service;
	uint32_t finding;
	struct endpoint peer;
	uint64_t count;
	uint64_t refused;
	uint64_t taken;
	uint64_t age;
};

/**
 * struct closed_port - A port that clients were at, and that nobody has any more.
 * @finding: what became of them, enum finding.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @port: the port.
 */
struct closed_port {
	uint32_t finding;
	uint8_t protocol;
	uint16_t port;
};

/**
 * struct claims - The peers of all services.
 * @v: the peers, by service and finding; those of the highest counts first, then what has
 *     no address.
 * @n: how many.
 * @size: for how many there is room.
 * @ports: the ports that nobody has.
 * @num_ports: how many.
 * @size_ports: for how many there is room.
 * @shared: of each service, what @v has of its IPv4 clients that were counted at sockets of
 *	    other services, which have the same port at other addresses.
 * @num_shared: how many services @shared has.
 */
struct claims {
	struct claim *v;
	size_t n;
	size_t size;
	struct closed_port *ports;
	size_t num_ports;
	size_t size_ports;
	uint64_t *shared;
	size_t num_shared;
};

/**
 * claims_make() - Find the service of each entry.
 * @claims: zeroed; to be freed in any case.
 * @tally: the ledger.
 * @view: the sockets.
 * @findings: about them, to which those of the ledger are added.
 * @services: the services, of which the last one is that of what is closed. Programs that
 *	      are none of them are added.
 *
 * Return: 0, or -1 after a message.
 */
int claims_make(struct claims *claims, const struct tally *tally,
		const struct view *view, struct findings *findings,
		struct services *services);

/**
 * claims_find() - The peers behind a finding about a service.
 * @claims: all peers.
 * @service: the service.
 * @finding: the finding.
 * @n: set to how many there are.
 *
 * Return: the first one.
 */
const struct claim *claims_find(const struct claims *claims, uint32_t service,
				enum finding finding, size_t *n);

/**
 * claims_free() - Free what claims_make() made.
 * @claims: the peers.
 */
void claims_free(struct claims *claims);

#endif /* DSCTL_CLAIMS_H */
