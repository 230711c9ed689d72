/* SPDX-License-Identifier: GPL-2.0 */
/* What is behind a finding, in a few words. */
#ifndef DSCTL_DETAIL_H
#define DSCTL_DETAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "nl/diag.h"
#include "out/text.h"
#include "socks/claims.h"
#include "socks/findings.h"
#include "socks/report.h"

/**
 * detail_put() - Say what was seen.
 * @report: the report.
 * @service: about which service.
 * @finding: which finding.
 * @sum: what is behind it.
 * @peers: name the first peers.
 * @text: gets "20 from IPv4: 192.0.2.2 19, 192.0.2.3 1, last 5s" appended.
 */
void detail_put(const struct report *report, uint32_t service,
		enum finding finding, const struct summary *sum, bool peers,
		struct text *text);

/**
 * detail_put_peer() - Say how often a peer was there.
 * @claim: the peer, or those that have no address.
 * @text: gets "192.0.2.2 19" appended.
 */
void detail_put_peer(const struct claim *claim, struct text *text);

/**
 * detail_peer_str() - Print a peer: a client has no port in the ledger, a destination has.
 * @ep: the peer.
 * @buf: room for ENDPOINT_STRLEN bytes.
 *
 * Return: @buf.
 */
const char *detail_peer_str(const struct endpoint *ep, char *buf);

#endif /* DSCTL_DETAIL_H */
