// SPDX-License-Identifier: GPL-2.0
/* dsctl show config */
#include <stddef.h>

#include "cmd/list.h"
#include "nl/config.h"
#include "out/json.h"
#include "out/table.h"
#include "out/time.h"

static json_t *json_config(const struct config *config)
{
	return json_pack("{s:b, s:I, s:I, s:b, s:b, s:I}",
			 "tracking", config->tracking,
			 "max_sockets", (json_int_t)config->max_sockets,
			 "event_rate", (json_int_t)config->event_rate,
			 "bindv6only", config->bindv6only,
			 "peers", config->peers,
			 "max_peers", (json_int_t)config->max_peers);
}

static int print_json(struct out *out, const struct config *config,
		      const struct config *defaults)
{
	json_t *obj = json_config(config);
	char buf[TIME_STRLEN];

	json_set(obj, "since", !config->since ? json_null() :
		 json_string(time_str(config->since, TIME_USEC | TIME_ZONE,
				      buf)));
	if (defaults)
		json_set(obj, "defaults", json_config(defaults));
	return json_out(out, obj);
}

static void columns(struct table *table)
{
	table_column(table, "Setting", ALIGN_LEFT);
	table_column(table, "Value", ALIGN_LEFT);
	table_column(table, "Default", ALIGN_LEFT);
	table_column(table, "Meaning", ALIGN_TEXT);
}

static void line_switch(struct table *table, const char *name, bool value,
			const bool *def, const char *meaning)
{
	table_line(table);
	table_text(table, name);
	table_text(table, value ? "on" : "off");
	table_text(table, !def ? "" : *def ? "on" : "off");
	table_text(table, meaning);
}

static void line_number(struct table *table, const char *name, uint32_t value,
			const uint32_t *def, const char *meaning)
{
	table_line(table);
	table_text(table, name);
	table_number(table, value);
	if (def)
		table_number(table, *def);
	else
		table_text(table, "");
	table_text(table, meaning);
}

/* Not a setting, but it follows from one. */
static void line_since(struct table *table, uint64_t since)
{
	char buf[TIME_STRLEN];

	table_line(table);
	table_text(table, "since");
	table_text(table, since ? time_str(since, TIME_ZONE, buf) : "-");
	table_text(table, "");
	table_text(table, since ?
		   "from then on nothing was missed, or reset as a whole" :
		   "nothing is counted now");
}

static int print_table(struct out *out, const struct config *config,
		       const struct config *defaults)
{
	struct table table;

	table_init(&table, out);
	columns(&table);
	if (!defaults)
		table_hide(&table, "Default");
	line_switch(&table, "tracking", config->tracking,
		    defaults ? &defaults->tracking : NULL, config->tracking ?
		    "the hooks are in the kernel, for all namespaces" :
		    "no hook is in the kernel, for any namespace");
	line_since(&table, config->since);
	line_number(&table, "max-sockets", config->max_sockets,
		    defaults ? &defaults->max_sockets : NULL,
		    "sockets that can have a record");
	line_number(&table, "event-rate", config->event_rate,
		    defaults ? &defaults->event_rate : NULL,
		    "events a second that monitors are sent at most");
	line_switch(&table, "bindv6only", config->bindv6only,
		    defaults ? &defaults->bindv6only : NULL,
		    "IPV6_V6ONLY of sockets to come");
	line_switch(&table, "peers", config->peers,
		    defaults ? &defaults->peers : NULL,
		    "the ledger of peers is kept");
	line_number(&table, "max-peers", config->max_peers,
		    defaults ? &defaults->max_peers : NULL,
		    "peers that it has in each direction at most");
	return table_out(&table);
}

static int run(struct ctx *ctx, void *job)
{
	struct config config = { }, values = { }, *defaults = NULL;
	struct dsnl *nl = &ctx->dualstack;
	int error;

	(void)job;
	error = config_get(nl, false, &config);
	if (!error && (ctx->opts.stats || table_chooses(&ctx->out, "Default"))) {
		defaults = &values;
		error = config_get(nl, true, defaults);
	}
	if (error) {
		dsnl_err(nl, "cannot get the settings", error);
		return EXIT_KERNEL;
	}
	return ctx->out.json ? print_json(&ctx->out, &config, defaults)
			     : print_table(&ctx->out, &config, defaults);
}

const struct cmd cmd_show_config = {
	.name = "config",
	.help = "The settings, with -s the defaults as well",
	.needs = NEED_DUALSTACK,
	.every_netns = true,
	.columns = columns,
	.run = run,
};
