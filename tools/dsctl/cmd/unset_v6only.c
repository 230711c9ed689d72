// SPDX-License-Identifier: GPL-2.0
/* dsctl unset v6only */
#include <stdio.h>

#include "cmd/list.h"
#include "nl/rules.h"
#include "socks/rulearg.h"

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	(void)ctx;
	return rulearg_parse(job, argc, argv);
}

static int run(struct ctx *ctx, void *job)
{
	char what[64], buf[RULEARG_STRLEN];
	const struct rule *rule = job;
	int error;

	error = rule_del(&ctx->dualstack, rule);
	if (!error)
		return EXIT_OK;
	snprintf(what, sizeof(what), "cannot remove the rule of %s",
		 rulearg_str(rule, buf));
	dsnl_err(&ctx->dualstack, what, error);
	return EXIT_KERNEL;
}

const struct cmd cmd_unset_v6only = {
	.name = "v6only",
	.args = "PORTS",
	.rules = RULEARG_RULES,
	.help = "Remove a rule that was set with keep",
	.details =
		"Sockets that are bound stay as they are. all is the rule of all ports: those\n"
		"that have one of their own keep it.",
	.needs = NEED_DUALSTACK,
	.right = RIGHT_NETNS,
	.every_netns = true,
	.job_size = sizeof(struct rule),
	.parse = parse,
	.run = run,
};
