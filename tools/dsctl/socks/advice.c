// SPDX-License-Identifier: GPL-2.0
#include "socks/advice.h"
#include "socks/rulearg.h"
#include "socks/ruled.h"

/*
 * What to say where a rule is behind it: the command that has the port the other way, now
 * and from now on, follows. @rule: what such a rule says; @without_ipv6: the same where IPv6
 * is off, or NULL if that is all there is to say.
 */
static const struct {
	enum sock_rule rule;
	const char *words;
	const char *without_ipv6;
} by_rule[NUM_FINDINGS] = {
	[SERVES_IPV4] = {
		SOCK_RULE_OFF,
		"A rule says so: move these clients to IPv6, then ", NULL
	},
	[REFUSES_IPV4] = {
		SOCK_RULE_ON,
		"A rule says so: send these clients to IPv6, or ",
		"A rule says so: turn IPv6 on, or "
	},
	[UNUSED_IPV4] = {
		SOCK_RULE_OFF, "A rule says so: wait longer, or ", NULL
	},
};

/* The same where nobody but the application can set the option: its socket is of MPTCP. */
static const struct {
	const char *words;
	const char *without_ipv6;
} by_mptcp[NUM_FINDINGS] = {
	[REFUSES_IPV4] = {
		NULL, "Turn IPv6 on, or have the application clear IPV6_V6ONLY."
	},
	[UNUSED_IPV4] = {
		"Wait longer, or have the application set IPV6_V6ONLY.", NULL
	},
};

/* The first socket with this finding that is as a rule says which leads to it, or NULL. */
static const struct sock *find_ruled(const struct report *report,
				     uint32_t service, enum finding finding)
{
	uint32_t i = report->services.v[service].first;

	for (; i != SERVICE_NONE; i = report->services.next[i]) {
		const struct sock *sk = &report->view.socks.v[i];

		if (report->findings.set[i] & BIT(finding) &&
		    ruled_obeys(sk) && sk->rule == by_rule[finding].rule)
			return sk;
	}
	return NULL;
}

enum sock_rule advice_rule(const struct report *report, uint32_t service,
			   enum finding finding)
{
	return find_ruled(report, service, finding) ? by_rule[finding].rule
						    : SOCK_RULE_NONE;
}

/* All sockets with this finding are of MPTCP. */
static bool is_of_mptcp(const struct report *report, uint32_t service,
			enum finding finding)
{
	uint32_t i = report->services.v[service].first;

	for (; i != SERVICE_NONE; i = report->services.next[i])
		if (report->findings.set[i] & BIT(finding) &&
		    !report->view.socks.v[i].mptcp)
			return false;
	return true;
}

static const char *words_of(const struct report *report, uint32_t service,
			    enum finding finding)
{
	const struct finding_info *info = &finding_infos[finding];
	const char *words = report->ipv6_off ? by_mptcp[finding].without_ipv6
					     : by_mptcp[finding].words;

	if (words && is_of_mptcp(report, service, finding))
		return words;
	if (report->ipv6_off && info->without_ipv6)
		return info->without_ipv6;
	if (report->ledger == LEDGER_READ && info->with_ledger)
		return info->with_ledger;
	return info->advice;
}

void advice_put(const struct report *report, uint32_t service,
		enum finding finding, struct text *text)
{
	const struct sock *sk = find_ruled(report, service, finding);
	const char *words = report->ipv6_off ? by_rule[finding].without_ipv6
					     : by_rule[finding].words;
	struct rule rule = { };
	char buf[RULEARG_STRLEN];

	if (!sk || !words) {
		text_puts(text, words_of(report, service, finding));
		return;
	}
	rule.protocol = sk->protocol;
	rule.port = sk->local.port;
	text_puts(text, words);
	text_printf(text, "dsctl set v6only %s %s keep.",
		    sk->rule == SOCK_RULE_ON ? "off" : "on",
		    rulearg_args(&rule, buf));
}
