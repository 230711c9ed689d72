// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>

#include "nl/config.h"
#include "nl/records.h"
#include "out/err.h"
#include "socks/ruled.h"

const char *const sock_rule_names[] = {
	[SOCK_RULE_NONE] = NULL,
	[SOCK_RULE_OFF] = "off",
	[SOCK_RULE_ON] = "on",
};

bool sock_is_switchable(const struct sock *sk)
{
	if (sk->state != (sk->protocol == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE))
		return false;
	return sk->mode == MODE_DUAL || sk->mode == MODE_V6ONLY;
}

/*
 * A rule is for ports that bind() asks for by their number; the option of MPTCP is that of
 * the application's socket.
 */
static bool may_be_ruled(const struct sock *sk)
{
	return sk->local.port && sk->rec->explicit_port && !sk->mptcp;
}

void ruled_join(struct sock_list *list, const struct rule_list *rules)
{
	size_t i;

	for (i = 0; rules->n && i < list->n; i++) {
		struct sock *sk = &list->v[i];
		const struct rule *rule;

		if (!sock_is_switchable(sk) || !may_be_ruled(sk))
			continue;
		rule = rules_find(rules, sk->protocol, sk->local.port);
		if (rule)
			sk->rule = rule->v6only ? SOCK_RULE_ON : SOCK_RULE_OFF;
	}
}

int ruled_warn_idle(struct ctx *ctx, bool *idle)
{
	struct config config = { };
	int error;

	error = config_get(&ctx->dualstack, false, &config);
	if (error) {
		dsnl_err(&ctx->dualstack, "cannot get the settings", error);
		return -1;
	}
	*idle = !config.tracking;
	if (*idle && !ctx->told_idle)
		err("warning: tracking is off: rules do not act");
	ctx->told_idle |= *idle;
	return 0;
}

bool ruled_obeys(const struct sock *sk)
{
	return sk->rule == (sk->mode == MODE_V6ONLY ? SOCK_RULE_ON
						    : SOCK_RULE_OFF);
}
