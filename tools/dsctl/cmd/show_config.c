// SPDX-License-Identifier: GPL-2.0
/* dsctl show config */
#include "dsctl.h"
#include "nl/config.h"
#include "out/output.h"
#include "out/table.h"

static json_t *json_config(const struct config *config)
{
	return json_pack("{s:b, s:I, s:I, s:b}", "tracking", config->tracking,
			 "max_sockets", (json_int_t)config->max_sockets,
			 "event_rate", (json_int_t)config->event_rate,
			 "bindv6only", config->bindv6only);
}

static int print_json(const struct config *config,
		      const struct config *defaults)
{
	json_t *obj = json_config(config);
	char buf[TIME_STRLEN];

	json_set(obj, "since", !config->since ? json_null() :
		 json_string(time_str(config->since, TIME_USEC | TIME_ZONE,
				      buf)));
	if (opts.stats)
		json_set(obj, "defaults", json_config(defaults));
	return json_out(obj);
}

static void line_switch(struct table *table, const char *name, bool value,
			bool def, const char *meaning)
{
	table_line(table);
	table_text(table, name);
	table_text(table, value ? "on" : "off");
	if (opts.stats)
		table_text(table, def ? "on" : "off");
	table_text(table, meaning);
}

static void line_number(struct table *table, const char *name, uint32_t value,
			uint32_t def, const char *meaning)
{
	table_line(table);
	table_text(table, name);
	table_number(table, value);
	if (opts.stats)
		table_number(table, def);
	table_text(table, meaning);
}

/* No setting, but what follows from one. */
static void line_since(struct table *table, uint64_t since)
{
	char buf[TIME_STRLEN];

	table_line(table);
	table_text(table, "since");
	table_text(table, since ? time_str(since, TIME_ZONE, buf) : "-");
	if (opts.stats)
		table_text(table, "");
	table_text(table, since ?
		   "from then on nothing was missed, or reset as a whole" :
		   "nothing is counted now");
}

static int print_table(const struct config *config,
		       const struct config *defaults)
{
	struct table table;

	table_init(&table);
	table_column(&table, "Setting", ALIGN_LEFT);
	table_column(&table, "Value", ALIGN_LEFT);
	if (opts.stats)
		table_column(&table, "Default", ALIGN_LEFT);
	table_column(&table, "Meaning", ALIGN_LEFT);
	line_switch(&table, "tracking", config->tracking, defaults->tracking,
		    config->tracking ?
		    "the hooks are in the kernel, for all namespaces" :
		    "no hook is in the kernel, for any namespace");
	line_since(&table, config->since);
	line_number(&table, "max-sockets", config->max_sockets,
		    defaults->max_sockets, "sockets that can have a record");
	line_number(&table, "event-rate", config->event_rate,
		    defaults->event_rate,
		    "events a second that monitors are sent at most");
	line_switch(&table, "bindv6only", config->bindv6only,
		    defaults->bindv6only, "IPV6_V6ONLY of sockets to come");
	return table_out(&table);
}

static int show_config(int argc, char **argv)
{
	struct config config = { }, defaults = { };
	struct dsnl nl;
	int error;

	(void)argc;
	(void)argv;

	if (dsnl_open_dualstack(&nl))
		return EXIT_KERNEL;
	error = config_get(&nl, false, &config);
	if (!error && opts.stats)
		error = config_get(&nl, true, &defaults);
	if (error)
		dsnl_err(&nl, "cannot get the settings", error);
	dsnl_close(&nl);
	if (error)
		return EXIT_KERNEL;
	return opts.json ? print_json(&config, &defaults)
			 : print_table(&config, &defaults);
}

const struct cmd cmd_show_config = {
	.name = "config",
	.help = "The settings, with -s the defaults as well",
	.run = show_config,
	.every_netns = true,
};
