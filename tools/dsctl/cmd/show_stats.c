// SPDX-License-Identifier: GPL-2.0
/* dsctl show stats */
#include "cmd/list.h"
#include "nl/counters.h"
#include "nl/stats.h"
#include "out/json.h"
#include "out/table.h"
#include "socks/filter.h"
#include "socks/put.h"

static int print_json(struct out *out, const struct stats *stats)
{
	json_t *obj = json_counters(stats->counters);

	json_set(obj, "untracked", json_integer(stats->untracked));
	json_set(obj, "tracked", json_integer(stats->tracked));
	json_set(obj, "evicted", json_integer(stats->evicted));
	return json_out(out, obj);
}

static void columns(struct table *table)
{
	table_column(table, "Name", ALIGN_LEFT);
	table_column(table, "Value", ALIGN_RIGHT);
	table_column(table, "Meaning", ALIGN_TEXT);
}

static void print_line(struct table *table, const char *name, uint64_t value,
		       const char *meaning)
{
	table_line(table);
	table_text(table, name);
	table_number(table, value);
	table_text(table, meaning);
}

static int print_table(struct ctx *ctx, const struct stats *stats)
{
	bool all = !repeat_shows_new(&ctx->repeat);
	struct table table;
	size_t i;

	table_init(&table, &ctx->out);
	columns(&table);
	for (i = 0; i < NUM_COUNTERS; i++)
		if (all || stats->counters[i])
			print_line(&table, counters[i].key, stats->counters[i],
				   counters[i].help);
	if (all || stats->untracked)
		print_line(&table, "untracked", stats->untracked,
			   "events above whose socket could not be recorded");
	if (all)
		print_line(&table, "tracked", stats->tracked,
			   "sockets that have a record now");
	if (all || stats->evicted)
		print_line(&table, "evicted", stats->evicted,
			   "records given up to make room, counted above");
	return table_out(&table);
}

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	if (filter_parse(job, FILTER_PROTO | FILTER_REPEAT, argc, argv))
		return -1;
	return repeat_set(ctx, job);
}

static int run(struct ctx *ctx, void *job)
{
	const struct filter *filter = job;
	struct stats stats = { };

	if (stats_get(&ctx->dualstack, filter->proto, &stats) ||
	    (ctx->repeat.interval &&
	     rates_stats(&ctx->repeat.rates, &ctx->dualstack, &stats)))
		return EXIT_KERNEL;
	return ctx->out.json ? print_json(&ctx->out, &stats)
			     : print_table(ctx, &stats);
}

const struct cmd cmd_show_stats = {
	.name = "stats",
	.args = "[ " FILTER_PROTO_ARGS " ] [ REPEAT ]",
	.rules = FILTER_REPEAT_RULE,
	.help = "The sums of the counters, closed sockets included",
	.details =
		"With interval again and again: all there is first, then what was added since the\n"
		"report before.",
	.needs = NEED_DUALSTACK,
	.every_netns = true,
	.columns = columns,
	.job_size = sizeof(struct filter),
	.parse = parse,
	.run = run,
};
