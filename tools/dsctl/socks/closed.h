/* SPDX-License-Identifier: GPL-2.0 */
/* What was counted at sockets that are closed by now, or were reset. */
#ifndef DSCTL_CLOSED_H
#define DSCTL_CLOSED_H

#include <stdbool.h>
#include <stdint.h>

#include "nl/counters.h"
#include "nl/stats.h"
#include "socks/findings.h"
#include "socks/tally.h"
#include "socks/view.h"

/**
 * struct closed - What no open socket accounts for.
 * @gone: by counter; of connect() that of TCP alone, as that of UDP sends nothing.
 * @left: what of it can be judged, and the ledger does not tell.
 * @connects: connect() of TCP over IPv4, with whom is not known.
 * @sent: datagrams that AF_INET sockets, and with a ledger all, sent, likewise.
 * @received: datagrams that they received, likewise.
 * @answers: datagrams that closed sockets received and no client in the ledger explains: it
 *	     cannot be told from those before it was kept that they were answers.
 */
struct closed {
	uint64_t gone[NUM_COUNTERS];
	struct sock_left left;
	uint64_t connects;
	uint64_t sent;
	uint64_t received;
	uint64_t answers;
};

/**
 * closed_make() - Find what no open socket accounts for.
 * @closed: filled in.
 * @all: the sums. They were asked for before the sockets, so that an event in between is
 *	 not taken for one of these.
 * @tcp: those of TCP, likewise.
 * @view: the sockets, all of them.
 * @findings: what was found about them.
 * @tally: the ledger, asked for after them; NULL if there is none.
 */
void closed_make(struct closed *closed, const struct stats *all,
		 const struct stats *tcp, const struct view *view,
		 const struct findings *findings, const struct tally *tally);

/**
 * closed_count() - The events behind a finding about closed sockets.
 * @closed: what they have counted.
 * @finding: which.
 *
 * Return: how many.
 */
uint64_t closed_count(const struct closed *closed, enum finding finding);

#endif /* DSCTL_CLOSED_H */
