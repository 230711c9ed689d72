// SPDX-License-Identifier: GPL-2.0
/* dsctl show rules */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/list.h"
#include "nl/rules.h"
#include "out/json.h"
#include "out/table.h"
#include "out/text.h"
#include "socks/procs.h"
#include "socks/put.h"
#include "socks/rulearg.h"
#include "socks/ruled.h"
#include "util/args.h"
#include "util/array.h"
#include "util/map.h"

/**
 * struct wanted - What was asked for.
 * @save: commands that set the rules anew, and no table.
 * @processes: the processes are looked for that the rules were passed over for.
 */
struct wanted {
	bool save;
	bool processes;
};

/**
 * struct holding - The sockets that rules were passed over for, as far as they live.
 * @socks: the sockets.
 * @procs: their users.
 */
struct holding {
	struct sock_list socks;
	struct procs procs;
};

static bool has_holders(const struct rule_list *rules)
{
	size_t i;

	for (i = 0; i < rules->n; i++)
		if (rules->v[i].holder.family)
			return true;
	return false;
}

/* Drop the sockets that are the holder of no rule. */
static int keep_holders(struct sock_list *list, const struct rule_list *rules)
{
	struct map cookies;
	size_t i, n = 0;

	if (map_init(&cookies, rules->n))
		return err_no_memory();
	for (i = 0; i < rules->n; i++)
		if (rules->v[i].holder.family)
			map_set(&cookies, rules->v[i].holder_cookie, i);
	for (i = 0; i < list->n; i++)
		if (map_get(&cookies, list->v[i].cookie) != MAP_NONE)
			list->v[n++] = list->v[i];
	list->n = n;
	map_free(&cookies);
	return 0;
}

static int find_holding(struct dsnl *nl, const struct rule_list *rules,
			struct holding *holding)
{
	/* Sockets of AF_INET6 that are bound to a mapped address are of IPv4, too. */
	static const struct diag_request requests[] = {
		{ AF_INET, IPPROTO_TCP, ~DIAG_MINI_STATES, 0 },
		{ AF_INET, IPPROTO_UDP, ~DIAG_MINI_STATES, 0 },
		{ AF_INET6, IPPROTO_TCP, ~DIAG_MINI_STATES, 0 },
		{ AF_INET6, IPPROTO_UDP, ~DIAG_MINI_STATES, 0 },
	};
	size_t i;

	if (!has_holders(rules))
		return 0;
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		if (diag_dump(nl, &requests[i], &holding->socks))
			return -1;
	if (keep_holders(&holding->socks, rules))
		return -1;
	return procs_find(&holding->procs, &holding->socks);
}

static json_t *json_holder(const struct rule *rule)
{
	char buf[ENDPOINT_STRLEN];

	if (!rule->holder.family)
		return json_null();
	return json_pack("{s:s, s:I}",
			 "addr", endpoint_addr(&rule->holder, buf),
			 "cookie", (json_int_t)rule->holder_cookie);
}

static int print_json(struct out *out, const struct rule_list *rules)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < rules->n; i++) {
		const struct rule *rule = &rules->v[i];

		json_add(array, json_pack("{s:o, s:o, s:o, s:b, s:I, s:I, s:o}",
					  "netns", json_netns(out),
					  "proto", rule->port ?
						json_string(proto_name(rule->protocol)) :
						json_null(),
					  "port", rule->port ?
						json_integer(rule->port) :
						json_null(),
					  "v6only", rule->v6only,
					  "applied", (json_int_t)rule->applied,
					  "passed_over",
						(json_int_t)rule->passed_over,
					  "holder", json_holder(rule)));
	}
	return json_out(out, array);
}

static void columns(struct table *table)
{
	table_column(table, "Proto", ALIGN_LEFT);
	table_column(table, "Port", ALIGN_RIGHT);
	table_column(table, "V6only", ALIGN_LEFT);
	table_column(table, "Applied", ALIGN_RIGHT);
	table_column(table, "Passed-over", ALIGN_RIGHT);
	table_column(table, "For", ALIGN_TEXT);
}

static const struct sock *find_sock(const struct holding *holding,
				    uint64_t cookie)
{
	size_t i;

	for (i = 0; i < holding->socks.n; i++)
		if (holding->socks.v[i].cookie == cookie)
			return &holding->socks.v[i];
	return NULL;
}

/* "192.0.2.1 nginx(812)", or with the cookie where no process is to be seen. */
static void cell_for(struct table *table, struct text *text,
		     const struct rule *rule, const struct holding *holding)
{
	char buf[ENDPOINT_STRLEN];
	const struct sock *sk;

	text_clear(text);
	if (rule->holder.family) {
		text_puts(text, endpoint_addr(&rule->holder, buf));
		text_puts(text, " ");
		sk = find_sock(holding, rule->holder_cookie);
		if (sk && sk->procs.first != PROC_NONE)
			text_processes(text, &holding->procs, sk);
		else
			text_printf(text, "cookie %llu",
				    (unsigned long long)rule->holder_cookie);
	}
	table_put(table, text);
}

static int print_table(struct out *out, const struct rule_list *rules,
		       const struct holding *holding)
{
	struct text text = { };
	struct table table;
	size_t i;

	table_init(&table, out);
	columns(&table);
	for (i = 0; i < rules->n; i++) {
		const struct rule *rule = &rules->v[i];

		table_line(&table);
		table_text(&table, rule->port ? proto_name(rule->protocol) : "*");
		if (rule->port)
			table_number(&table, rule->port);
		else
			table_text(&table, "all");
		table_text(&table, rule->v6only ? "on" : "off");
		table_number(&table, rule->applied);
		table_number(&table, rule->passed_over);
		cell_for(&table, &text, rule, holding);
	}
	free(text.buf);
	return table_out(&table);
}

static void print_command(const struct rule *rule)
{
	char buf[RULEARG_STRLEN];

	printf("set v6only %s %s keep\n", rule->v6only ? "on" : "off",
	       rulearg_args(rule, buf));
}

/* The rule of all ports is the last: it leaves alone those that have one by then. */
static int print_commands(const struct rule_list *rules)
{
	size_t i;

	for (i = 0; i < rules->n; i++)
		if (rules->v[i].port)
			print_command(&rules->v[i]);
	for (i = 0; i < rules->n; i++)
		if (!rules->v[i].port)
			print_command(&rules->v[i]);
	return EXIT_OK;
}

/* What is printed is for dsctl -b, which knows one namespace and no JSON. */
static int check_save(const struct ctx *ctx)
{
	const char *option = ctx->out.json ? "-j" :
			     ctx->out.columns ? "-o" :
			     ctx->opts.every_netns ? "-N" : NULL;

	if (!option)
		return 0;
	err("save prints commands for dsctl -b: it does not go with %s",
	    option);
	return -1;
}

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	static const char *const names[] = { "save" };
	struct wanted *wanted = job;

	wanted->processes = !ctx->out.json && !ctx->opts.no_processes &&
			    (!ctx->out.columns ||
			     table_chooses(&ctx->out, "For"));
	if (!argc)
		return 0;
	if (word_match("argument", argv[0], names, ARRAY_SIZE(names)) < 0)
		return -1;
	if (argc > 1) {
		err("save takes no argument: \"%s\"", argv[1]);
		return -1;
	}
	wanted->save = true;
	return check_save(ctx);
}

static int print(struct ctx *ctx, const struct wanted *wanted,
		 const struct rule_list *rules)
{
	struct holding holding = { };
	int ret = EXIT_KERNEL;

	if (wanted->save)
		return print_commands(rules);
	if (ctx->out.json)
		return print_json(&ctx->out, rules);
	if (!wanted->processes ||
	    !find_holding(&ctx->sock_diag, rules, &holding))
		ret = print_table(&ctx->out, rules, &holding);
	procs_free(&holding.procs);
	sock_list_free(&holding.socks);
	return ret;
}

static int run(struct ctx *ctx, void *job)
{
	struct dsnl *nl = &ctx->dualstack;
	struct rule_list rules = { };
	int error, ret = EXIT_KERNEL;
	bool idle;

	error = rules_get(nl, &rules);
	if (error)
		dsnl_err(nl, "cannot get the rules", error);
	else if (!ruled_warn_idle(ctx, &idle))
		ret = print(ctx, job, &rules);
	rules_free(&rules);
	return ret;
}

const struct cmd cmd_show_rules = {
	.name = "rules",
	.args = "[ save ]",
	.help = "The rules about IPV6_V6ONLY that set v6only keeps",
	.details =
		"Applied is how many sockets were bound as the rule says, Passed-over how many\n"
		"were not, as a socket of IPv4 has the port: For is where that of the last one\n"
		"is bound, with its processes, or its cookie where these are not to be seen or\n"
		"with -P. With save each rule is printed as a command that sets it: a file for\n"
		"dsctl -b.",
	.needs = NEED_DUALSTACK | NEED_SOCK_DIAG,
	.every_netns = true,
	.columns = columns,
	.job_size = sizeof(struct wanted),
	.parse = parse,
	.run = run,
};
