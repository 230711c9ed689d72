// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "out/err.h"
#include "socks/rulearg.h"
#include "util/args.h"
#include "util/array.h"

#define FILTERS (FILTER_PROTO | FILTER_PORT)

static int parse_port(struct rule *rule, int argc, char **argv)
{
	struct filter filter;

	if (filter_parse(&filter, FILTERS, argc, argv))
		return -1;
	switch (filter.given) {
	case FILTERS:
		rule->protocol = filter.proto;
		rule->port = filter.port;
		return 0;
	case FILTER_PORT:
		err("port: a rule needs its proto as well, tcp or udp");
		return -1;
	default:
		err("proto: a rule needs its port as well");
		return -1;
	}
}

/* As of sockets, of which this is one way to name them. */
static bool names_cookie(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i += 2)
		if (word_abbreviates(argv[i], "cookie"))
			return true;
	return false;
}

int rulearg_parse(struct rule *rule, int argc, char **argv)
{
	static const char *const names[] = { "all", "proto", "port" };
	int found;

	if (!argc) {
		err("what the rule is for is missing: proto and port, or all");
		return -1;
	}
	if (names_cookie(argc, argv)) {
		err("cookie: a rule is for a port: proto and port, or all");
		return -1;
	}
	found = word_match("argument", argv[0], names, ARRAY_SIZE(names));
	if (found < 0)
		return -1;
	if (found)
		return parse_port(rule, argc, argv);
	/* What is this broad is not to be meant for something else. */
	if (strcmp(argv[0], "all")) {
		err("argument \"%s\": all has to be written in full", argv[0]);
		return -1;
	}
	if (argc > 1) {
		err("all takes no argument: \"%s\"", argv[1]);
		return -1;
	}
	return 0;
}

const char *rulearg_args(const struct rule *rule, char *buf)
{
	if (rule->port)
		snprintf(buf, RULEARG_STRLEN, "proto %s port %u",
			 proto_name(rule->protocol), rule->port);
	else
		snprintf(buf, RULEARG_STRLEN, "all");
	return buf;
}

const char *rulearg_str(const struct rule *rule, char *buf)
{
	if (rule->port)
		snprintf(buf, RULEARG_STRLEN, "%s port %u",
			 proto_name(rule->protocol), rule->port);
	else
		snprintf(buf, RULEARG_STRLEN, "all ports");
	return buf;
}
