/* SPDX-License-Identifier: GPL-2.0 */
/* What an audit finds about sockets. */
#ifndef DSCTL_FINDINGS_H
#define DSCTL_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "socks/tally.h"
#include "socks/view.h"
#include "util/map.h"

/* A finding as a bit of a set of findings. */
#define BIT(finding) (1U << (finding))

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
 * @LOCAL_IPV4: there was IPv4 with this host alone; without the ledger, the last peer of
 *	each socket was this host, and the others are not known.
 * @UNUSED_IPV4: it would serve IPv4 clients, and there was none.
 * @PAST_IPV4: what was counted is from before IPV6_V6ONLY was changed, or before there was
 *	a socket that takes who was refused.
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
 * @with_ledger: else the same where the ledger tells the peers, likewise.
 */
struct finding_info {
	const char *name;
	bool blocks;
	const char *advice;
	const char *without_ipv6;
	const char *with_ledger;
};

extern const struct finding_info finding_infos[NUM_FINDINGS];

/**
 * struct sock_left - What was counted at a socket and the ledger does not tell.
 * @served: of IPv4 clients.
 * @used: that the program itself did over IPv4.
 * @refused: of IPv4 clients, refused.
 * @refused6: of IPv6 clients, likewise.
 * @refused_calls: connect() and sendmsg() of the program itself to IPv4, likewise.
 * @refused_binds: its bind() to IPv4, likewise, of which the ledger has nothing.
 * @told_used: it used IPv4, and the ledger tells all of that.
 */
struct sock_left {
	uint64_t served;
	uint64_t used;
	uint64_t refused;
	uint64_t refused6;
	uint64_t refused_calls;
	uint64_t refused_binds;
	bool told_used;
};

/**
 * struct findings - What was found about the sockets of a view.
 * @set: of each socket, a bit for each enum finding.
 * @conns: of each socket, the open connections over IPv4 that it took, or is.
 * @taker: of each connection over IPv4, the server that took it, or itself where that is
 *	   closed; MAP_NONE of all others.
 * @left: of each socket, what only its counters tell.
 */
struct findings {
	uint16_t *set;
	uint32_t *conns;
	uint32_t *taker;
	struct sock_left *left;
};

/**
 * findings_make() - Look at all sockets.
 * @findings: zeroed; to be freed in any case.
 * @view: the sockets, those of AF_INET and connections included.
 * @tally: the ledger, which then knows what is left of it; NULL if there is none.
 *
 * Return: 0, or -1 after a message.
 */
int findings_make(struct findings *findings, const struct view *view,
		  struct tally *tally);

/**
 * findings_add() - Add what the ledger says about a socket.
 * @findings: the findings.
 * @i: the socket.
 * @finding: what it says; what does not go with it is taken out.
 */
void findings_add(struct findings *findings, uint32_t i, enum finding finding);

/**
 * findings_free() - Free what findings_make() made.
 * @findings: the findings.
 */
void findings_free(struct findings *findings);

/**
 * left_refused() - Add up what was refused of IPv4.
 * @left: what is left of a socket.
 *
 * Return: packets and calls.
 */
uint64_t left_refused(const struct sock_left *left);

/**
 * finding_count() - The events behind a finding about a socket, but for those in the ledger.
 * @findings: the findings.
 * @sk: the socket.
 * @i: its place in the view.
 * @finding: which.
 *
 * Return: how many, 0 for a finding that needs none.
 */
uint64_t finding_count(const struct findings *findings, const struct sock *sk,
		       uint32_t i, enum finding finding);

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
