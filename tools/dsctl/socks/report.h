/* SPDX-License-Identifier: GPL-2.0 */
/* All that an audit has to say, of each service. */
#ifndef DSCTL_REPORT_H
#define DSCTL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctx.h"
#include "nl/config.h"
#include "nl/records.h"
#include "socks/claims.h"
#include "socks/closed.h"
#include "socks/findings.h"
#include "socks/services.h"
#include "socks/tally.h"
#include "socks/view.h"

/**
 * enum report_ledger - What became of the ledger.
 * @LEDGER_READ: it was read.
 * @LEDGER_OFF: it is off.
 * @LEDGER_DENIED: the caller may not read it.
 * @LEDGER_MISSING: the module is of a version that has none.
 */
enum report_ledger {
	LEDGER_READ,
	LEDGER_OFF,
	LEDGER_DENIED,
	LEDGER_MISSING,
};

/**
 * struct report - What was found, and about what.
 * @view: the sockets.
 * @closed: what no open one of them accounts for.
 * @findings: what is to say about each socket.
 * @services: the services: those of sockets, that of what is closed, and programs.
 * @ledger: enum report_ledger.
 * @tally: the ledger of peers.
 * @claims: the peers in it, by service.
 * @set: of each service, a bit for each enum finding.
 * @order: those about which there is something to say, as indices; those with the worst
 *	   verdict first.
 * @n: how many.
 * @blocking: how many of them would miss IPv4.
 * @config: the settings, and from when on nothing was missed.
 * @ipv6_off: what IPv6 is off by in this namespace; NULL if it is on.
 */
struct report {
	struct view view;
	struct closed closed;
	struct findings findings;
	struct services services;
	enum report_ledger ledger;
	struct tally tally;
	struct claims claims;
	uint16_t *set;
	uint32_t *order;
	size_t n;
	size_t blocking;
	struct config config;
	const char *ipv6_off;
};

/**
 * struct summary - What is behind a finding about a service.
 * @count: events.
 * @refused: of past ones, those that were refused.
 * @taken: of these, those that had no socket, and have one now.
 * @conns: open connections.
 * @peers: the peers, those of the highest counts first; then, without an address, what all
 *	   others had to do with it.
 * @num_peers: how many.
 * @last: the last peer, AF_UNSPEC where that is not known.
 * @share: native clients among all that open sockets have counted, from 0 to 1; negative
 *	   where there are none.
 */
struct summary {
	uint64_t count;
	uint64_t refused;
	uint64_t taken;
	uint64_t conns;
	const struct claim *peers;
	size_t num_peers;
	struct last_peer last;
	double share;
};

/**
 * report_make() - Ask the kernel, and find what there is to say.
 * @ctx: with sockets to the module and to sock_diag.
 * @report: zeroed; to be freed in any case.
 *
 * Return: 0, or -1 after a message.
 */
int report_make(struct ctx *ctx, struct report *report);

/**
 * report_verdict() - The worst that was found about a service.
 * @report: the report.
 * @service: which.
 *
 * Return: the finding.
 */
enum finding report_verdict(const struct report *report, uint32_t service);

/**
 * report_summary() - Add up what is behind a finding.
 * @report: the report.
 * @service: about which service.
 * @finding: which.
 *
 * Return: what it is.
 */
struct summary report_summary(const struct report *report, uint32_t service,
			      enum finding finding);

/**
 * report_free() - Free a report.
 * @report: the report.
 */
void report_free(struct report *report);

#endif /* DSCTL_REPORT_H */
