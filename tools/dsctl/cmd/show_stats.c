// SPDX-License-Identifier: GPL-2.0
/* dsctl show stats */
#include "dsctl.h"
#include "nl/counters.h"
#include "nl/dsnl.h"
#include "nl/stats.h"
#include "out/output.h"
#include "out/table.h"
#include "socks/filter.h"

static int print_json(const struct stats *stats)
{
	json_t *obj = json_object();
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++)
		json_set(obj, counters[i].key,
			 json_integer(stats->counters[i]));
	json_set(obj, "untracked", json_integer(stats->untracked));
	json_set(obj, "tracked", json_integer(stats->tracked));
	json_set(obj, "evicted", json_integer(stats->evicted));
	return json_out(obj);
}

static void print_line(struct table *table, const char *name, uint64_t value,
		       const char *meaning)
{
	table_line(table);
	table_text(table, name);
	table_number(table, value);
	table_text(table, meaning);
}

static int print_table(const struct stats *stats)
{
	struct table table;
	size_t i;

	table_init(&table);
	table_column(&table, "Name", ALIGN_LEFT);
	table_column(&table, "Value", ALIGN_RIGHT);
	table_column(&table, "Meaning", ALIGN_LEFT);
	for (i = 0; i < NUM_COUNTERS; i++)
		print_line(&table, counters[i].key, stats->counters[i],
			   counters[i].help);
	print_line(&table, "untracked", stats->untracked,
		   "events above whose socket could not be recorded");
	print_line(&table, "tracked", stats->tracked,
		   "sockets that have a record now");
	print_line(&table, "evicted", stats->evicted,
		   "records given up to make room, counted above");
	return table_out(&table);
}

static int show_stats(int argc, char **argv)
{
	struct stats stats = { };
	struct filter filter;
	struct dsnl nl;
	int error;

	if (filter_parse(&filter, FILTER_PROTO, argc, argv))
		return EXIT_USAGE;
	if (dsnl_open_dualstack(&nl))
		return EXIT_KERNEL;
	error = stats_get(&nl, filter.proto, &stats);
	dsnl_close(&nl);
	if (error)
		return EXIT_KERNEL;
	return opts.json ? print_json(&stats) : print_table(&stats);
}

const struct cmd cmd_show_stats = {
	.name = "stats",
	.args = "[ " FILTER_PROTO_ARGS " ]",
	.help = "The sums of the counters, closed sockets included",
	.run = show_stats,
	.every_netns = true,
};
