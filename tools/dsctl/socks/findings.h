/* SPDX-License-Identifier: GPL-2.0 */
/* What an audit finds about sockets. */
#ifndef DSCTL_FINDINGS_H
#define DSCTL_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "socks/view.h"
#include "util/map.h"

/**
 * enum finding - What there is to say about a socket or a service.
 * @IPV4_ONLY: it serves, or would, IPv4 clients alone.
 * @SERVES_IPV4: it dealt with IPv4 clients, or has connections of theirs.
 * @USES_IPV4: it sent or connected to IPv4 by itself, or is connected to it.
 * @SPOOFED: IPv6 packets with an IPv4-mapped source reached it.
 * @REFUSES_IPV6: IPv6 clients were refused, as only AF_INET has the port.
 * @REFUSES_IPV4: IPv4 was refused, as it takes IPv6 alone.
 * @SHADOWED: its IPv4 clients reach an AF_INET socket instead.
 * @UNNAMED_IPV4: there was IPv4 at AF_INET sockets that are closed: with whom is not kept.
 * @LOCAL_IPV4: there was IPv4, and the last peer of each socket was this host: the others
 *	are not known.
 * @UNUSED_IPV4: it would serve IPv4 clients, and there was none.
 * @PAST_IPV4: what was counted of IPv4 is from before IPV6_V6ONLY was changed.
 * @READY: nothing of that.
 * @NUM_FINDINGS: how many there are.
 *
 * The more there is to do before IPv4 goes, the further up: the first one is
 * the verdict about a service.
 */
enum finding {
	IPV4_ONLY,
	SERVES_IPV4,
	USES_IPV4,
	SPOOFED,
	REFUSES_IPV6,
	REFUSES_IPV4,
	SHADOWED,
	UNNAMED_IPV4,
	LOCAL_IPV4,
	UNUSED_IPV4,
	PAST_IPV4,
	READY,
	NUM_FINDINGS,
};

/**
 * struct finding_info - What there is to know about a kind of finding.
 * @name: of the verdict.
 * @blocks: something would break without IPv4.
 * @advice: what to do, a sentence.
 * @without_ipv6: the same where IPv6 is off, or NULL if that does not matter.
 */
struct finding_info {
	const char *name;
	bool blocks;
	const char *advice;
	const char *without_ipv6;
};

extern const struct finding_info finding_infos[NUM_FINDINGS];

/**
 * struct findings - What was found about the sockets of a view.
 * @set: of each socket, a bit for each enum finding.
 * @conns: of each socket, the open connections over IPv4 that it took, or is.
 * @taker: of each connection over IPv4, the server that took it; MAP_NONE of all others.
 */
struct findings {
	uint16_t *set;
	uint32_t *conns;
	uint32_t *taker;
};

/**
 * findings_make() - Look at all sockets.
 * @findings: zeroed; to be freed in any case.
 * @view: the sockets, those of AF_INET and connections included.
 *
 * Return: 0, or -1 after a message.
 */
int findings_make(struct findings *findings, const struct view *view);

/**
 * findings_free() - Free what findings_make() made.
 * @findings: the findings.
 */
void findings_free(struct findings *findings);

/**
 * finding_count() - The events behind a finding about a socket.
 * @sk: the socket.
 * @finding: which.
 *
 * Return: how many, 0 for a finding that needs none.
 */
uint64_t finding_count(const struct sock *sk, enum finding finding);

/**
 * finding_last() - The last peer behind a finding about a socket.
 * @sk: the socket.
 * @finding: which.
 *
 * Return: the peer; it can be empty. NULL for a finding that has none.
 */
const struct last_peer *finding_last(const struct sock *sk,
				     enum finding finding);

#endif /* DSCTL_FINDINGS_H */
