/* SPDX-License-Identifier: GPL-2.0 */
/* PORTS of the command line: what a rule is for. */
#ifndef DSCTL_RULEARG_H
#define DSCTL_RULEARG_H

#include "nl/rules.h"
#include "socks/filter.h"

#define RULEARG_RULES	"PORTS := { " FILTER_PROTO_ARGS " port PORT | all }"

/* Room for rulearg_str(). */
#define RULEARG_STRLEN	sizeof("proto tcp port 65535")

/**
 * rulearg_parse() - Read the arguments.
 * @rule: its protocol and port are set, 0 for all.
 * @argc: number of arguments.
 * @argv: the arguments.
 *
 * Return: 0, or -1 after a message.
 */
int rulearg_parse(struct rule *rule, int argc, char **argv);

/**
 * rulearg_args() - The arguments, as they are typed.
 * @rule: the rule.
 * @buf: result, RULEARG_STRLEN bytes.
 *
 * Return: @buf.
 */
const char *rulearg_args(const struct rule *rule, char *buf);

/**
 * rulearg_str() - The same for a message.
 * @rule: the rule.
 * @buf: result, RULEARG_STRLEN bytes.
 *
 * Return: @buf.
 */
const char *rulearg_str(const struct rule *rule, char *buf);

#endif /* DSCTL_RULEARG_H */
