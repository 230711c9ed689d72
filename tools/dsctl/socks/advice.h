/* SPDX-License-Identifier: GPL-2.0 */
/* What to do about a finding, and which rule it comes from. */
#ifndef DSCTL_ADVICE_H
#define DSCTL_ADVICE_H

#include <stdint.h>

#include "nl/diag.h"
#include "out/text.h"
#include "socks/findings.h"
#include "socks/report.h"

/**
 * advice_rule() - What the rule says that a finding comes from.
 * @report: the report.
 * @service: about which service.
 * @finding: which finding.
 *
 * Return: SOCK_RULE_NONE where it comes from none.
 */
enum sock_rule advice_rule(const struct report *report, uint32_t service,
			   enum finding finding);

/**
 * advice_put() - Say what to do.
 * @report: the report.
 * @service: about which service.
 * @finding: which finding.
 * @text: gets a sentence appended.
 */
void advice_put(const struct report *report, uint32_t service,
		enum finding finding, struct text *text);

#endif /* DSCTL_ADVICE_H */
