// SPDX-License-Identifier: GPL-2.0
/* dsctl show sockets, top sockets */
#include <stdlib.h>
#include <string.h>

#include "cmd/list.h"
#include "nl/counters.h"
#include "nl/diag.h"
#include "out/emit.h"
#include "out/table.h"
#include "out/text.h"
#include "socks/filter.h"
#include "socks/put.h"
#include "socks/ruled.h"
#include "socks/view.h"
#include "util/array.h"

static uint64_t sum_since(const struct view *view, const struct sock *sk)
{
	const uint64_t *since = view_since(view, sk);
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++)
		sum += since[i];
	return sum;
}

/* What top says besides. */
static void emit_since(struct emit *emit, const struct repeat *repeat,
		       const struct view *view, const struct sock *sk)
{
	emit_open(emit, "added", '{');
	emit_counters(emit, view_since(view, sk), sk->protocol);
	emit_end(emit, '}');
	emit_rate(repeat, sk->added, emit);
}

static int print_json(struct ctx *ctx, const struct view *view)
{
	const struct repeat *repeat = &ctx->repeat;
	struct json_array array = { };
	struct dev_name dev = { };
	struct emit emit = { };
	int ret = 0;
	size_t i;

	if (repeat->top)
		ret = json_array_in(&ctx->out, &array, json_report(repeat),
				    "sockets");
	for (i = 0; !ret && i < view->socks.n; i++) {
		const struct sock *sk = &view->socks.v[i];

		emit_begin(&emit, &ctx->out);
		emit_socket(&emit, &ctx->out, &view->procs, sk, &dev);
		if (repeat->top)
			emit_since(&emit, repeat, view, sk);
		emit_end(&emit, '}');
		ret = emit_put(&emit, &ctx->out, &array);
	}
	free(emit.text.buf);
	if (ret)
		return EXIT_KERNEL;
	json_array_end(&ctx->out, &array);
	return EXIT_OK;
}

/**
 * struct row - A line of the table.
 * @sk: the socket.
 * @procs: users of it, and of others.
 * @dev: the device asked for last.
 */
struct row {
	const struct sock *sk;
	const struct procs *procs;
	struct dev_name dev;
};

static void cell_proto(struct row *row, struct text *text)
{
	text_puts(text, proto_name(row->sk->protocol));
}

static void cell_state(struct row *row, struct text *text)
{
	text_puts(text, state_name(row->sk));
}

static void cell_mode(struct row *row, struct text *text)
{
	if (row->sk->mode != NUM_MODES)
		text_puts(text, mode_names[row->sk->mode]);
	if (ruled_obeys(row->sk))
		text_puts(text, "*");
	if (row->sk->shadowed)
		text_puts(text, " (shadowed)");
}

static void cell_local(struct row *row, struct text *text)
{
	text_endpoint(text, &row->sk->local, dev_name(&row->dev, row->sk));
}

static void cell_peer(struct row *row, struct text *text)
{
	text_endpoint(text, &row->sk->peer, NULL);
}

static void cell_mapped(struct row *row, struct text *text)
{
	text_last(text, &row->sk->rec->mapped);
}

static void cell_rejected(struct row *row, struct text *text)
{
	text_last(text, &row->sk->rec->rejected);
}

/*
 * Few sockets have last peers of both kinds: showing the later one only saves a
 * column.
 */
static void cell_last(struct row *row, struct text *text)
{
	const struct last_peer *mapped = &row->sk->rec->mapped;
	const struct last_peer *rejected = &row->sk->rec->rejected;

	if (rejected->peer.family &&
	    (!mapped->peer.family || rejected->age < mapped->age)) {
		text_last(text, rejected);
		text_puts(text, " rejected");
	} else {
		text_last(text, mapped);
	}
}

static void cell_uid(struct row *row, struct text *text)
{
	if (!row->sk->unlisted)
		text_number(text, row->sk->uid);
}

static void cell_inode(struct row *row, struct text *text)
{
	if (!row->sk->unlisted)
		text_number(text, row->sk->inode);
}

static void cell_cookie(struct row *row, struct text *text)
{
	text_number(text, row->sk->cookie);
}

static void cell_process(struct row *row, struct text *text)
{
	text_processes(text, row->procs, row->sk);
}

static bool has_peer(const struct view *view, bool stats)
{
	size_t i;

	(void)stats;
	for (i = 0; i < view->socks.n; i++)
		if (view->socks.v[i].peer.family)
			return true;
	return false;
}

static bool wants_stats(const struct view *view, bool stats)
{
	(void)view;
	return stats;
}

static bool wants_no_stats(const struct view *view, bool stats)
{
	(void)view;
	return !stats;
}

static bool knows_processes(const struct view *view, bool stats)
{
	(void)stats;
	return view->procs.known;
}

/*
 * The columns from left to right; an entry without a heading stands for the
 * counters. @wanted: only where it is true; @stats: -s was given.
 */
static const struct column {
	const char *heading;
	enum column_align align;
	void (*cell)(struct row *row, struct text *text);
	bool (*wanted)(const struct view *view, bool stats);
} columns[] = {
	{ "Proto", ALIGN_LEFT, cell_proto, NULL },
	{ "State", ALIGN_LEFT, cell_state, NULL },
	{ "Mode", ALIGN_LEFT, cell_mode, NULL },
	{ "Local", ALIGN_LEFT, cell_local, NULL },
	{ "Peer", ALIGN_LEFT, cell_peer, has_peer },
	{ },
	{ "Last peer", ALIGN_LEFT, cell_last, wants_no_stats },
	{ "Last IPv4", ALIGN_LEFT, cell_mapped, wants_stats },
	{ "Last rejected", ALIGN_LEFT, cell_rejected, wants_stats },
	{ "UID", ALIGN_RIGHT, cell_uid, wants_stats },
	{ "Inode", ALIGN_RIGHT, cell_inode, wants_stats },
	{ "Cookie", ALIGN_RIGHT, cell_cookie, wants_stats },
	{ "Process", ALIGN_TEXT, cell_process, knows_processes },
};

/**
 * struct layout - The columns for counters.
 * @n: how many.
 * @first: the first counter of each.
 * @column: which of these a counter belongs to.
 *
 * Counters that share a heading share the column of the first.
 */
struct layout {
	size_t n;
	size_t first[NUM_COUNTERS];
	size_t column[NUM_COUNTERS];
};

static void lay_out(struct layout *layout)
{
	size_t i, j;

	layout->n = 0;
	for (i = 0; i < NUM_COUNTERS; i++) {
		for (j = 0; strcmp(counters[j].heading, counters[i].heading);)
			j++;
		if (j < i) {
			layout->column[i] = layout->column[j];
			continue;
		}
		layout->first[layout->n] = i;
		layout->column[i] = layout->n++;
	}
}

static void add_columns(struct table *table)
{
	struct layout layout;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		if (columns[i].cell) {
			table_column(table, columns[i].heading,
				     columns[i].align);
			continue;
		}
		lay_out(&layout);
		for (j = 0; j < layout.n; j++) {
			const struct counter *counter;

			counter = &counters[layout.first[j]];
			table_column(table, counter->heading, counter->label ?
				     ALIGN_LEFT : ALIGN_RIGHT);
		}
	}
}

static void add_top_columns(struct table *table)
{
	table_column(table, RATE_HEADING, ALIGN_RIGHT);
	add_columns(table);
}

static bool counter_is_shown(const struct view *view, bool stats,
			     size_t counter)
{
	size_t i;

	if (stats || counters[counter].show == SHOW_ALWAYS)
		return true;
	if (counters[counter].show == SHOW_STATS)
		return false;
	for (i = 0; i < view->socks.n; i++)
		if (view->socks.v[i].rec->counters[counter])
			return true;
	return false;
}

/* Whether a socket has one of the counters of a column, and not the sums alone. */
static bool is_recorded(const struct layout *layout, size_t column,
			const struct sock *sk)
{
	size_t i;

	for (i = layout->first[column]; i < NUM_COUNTERS; i++)
		if (layout->column[i] == column &&
		    counter_is_recorded(i, sk->protocol))
			return true;
	return false;
}

/* The counters of a column are shown alike. */
static void hide_columns(struct table *table, const struct layout *layout,
			 const struct view *view, bool stats)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(columns); i++)
		if (columns[i].wanted && !columns[i].wanted(view, stats))
			table_hide(table, columns[i].heading);
	for (i = 0; i < layout->n; i++)
		if (!counter_is_shown(view, stats, layout->first[i]))
			table_hide(table, counters[layout->first[i]].heading);
}

/* "3 v6only, 1 addr", mostly one of them */
static void put_labelled(const struct layout *layout, size_t column,
			 const struct record *rec, struct text *text)
{
	size_t i;

	for (i = layout->first[column]; i < NUM_COUNTERS; i++)
		if (layout->column[i] == column && rec->counters[i]) {
			text_puts(text, text->len ? ", " : "");
			text_number(text, rec->counters[i]);
			text_puts(text, " ");
			text_puts(text, counters[i].label);
		}
}

static void counter_cells(const struct layout *layout, const struct sock *sk,
			  struct table *table, struct text *text)
{
	const struct record *rec = sk->rec;
	uint64_t sums[NUM_COUNTERS] = { };
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++)
		sums[layout->column[i]] += rec->counters[i];

	for (i = 0; i < layout->n; i++) {
		if (table_hides(table)) {
			table_text(table, "");
			continue;
		}
		text_clear(text);
		if (counters[layout->first[i]].label)
			put_labelled(layout, i, rec, text);
		else if (is_recorded(layout, i, sk))
			text_number(text, sums[i]);
		table_put(table, text);
		if (sums[i] &&
		    counters[layout->first[i]].kind != COUNTER_SERVED)
			table_color(table, COLOR_BAD);
	}
}

static void fill_line(struct table *table, struct row *row,
		      const struct repeat *repeat,
		      const struct layout *layout, struct text *text)
{
	size_t i;

	table_line(table);
	if (repeat->top) {
		text_clear(text);
		text_rate(repeat, row->sk->added, text);
		table_put(table, text);
	}
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		if (!columns[i].cell) {
			counter_cells(layout, row->sk, table, text);
			continue;
		}
		if (table_hides(table)) {
			table_text(table, "");
			continue;
		}
		text_clear(text);
		columns[i].cell(row, text);
		table_put(table, text);
		if (columns[i].cell == cell_mode && row->sk->mode == MODE_DUAL)
			table_color(table, row->sk->shadowed ? COLOR_NOTE
							     : COLOR_GOOD);
	}
}

static int print_table(struct ctx *ctx, const struct view *view)
{
	const struct repeat *repeat = &ctx->repeat;
	struct row row = { .procs = &view->procs };
	struct text text = { };
	struct layout layout;
	struct table table;
	size_t i, lines;

	table_init(&table, &ctx->out);
	if (repeat->top)
		add_top_columns(&table);
	else
		add_columns(&table);
	lay_out(&layout);
	hide_columns(&table, &layout, view, ctx->opts.stats);

	lines = table_lines(&table);
	for (i = 0; i < view->socks.n && i < lines; i++) {
		row.sk = &view->socks.v[i];
		fill_line(&table, &row, repeat, &layout, &text);
	}
	free(text.buf);
	return table_out(&table);
}

/* Whoever names what sockets have wants to see all that have it, as with -a. */
#define NAMED	(FILTER_STATE | FILTER_SRC | FILTER_DST | FILTER_DEV | \
		 FILTER_UID | FILTER_PROCESS)
#define FILTERS	(NAMED | FILTER_PORT | FILTER_PROTO | FILTER_MODE)

/* What is not shown need not be known. */
static int parse_columns(struct ctx *ctx, struct filter *filter)
{
	if (!table_chooses(&ctx->out, "Process")) {
		filter->no_processes = !filter->process;
	} else if (filter->no_processes) {
		err("column \"Process\": option -P leaves the processes out");
		return -1;
	}
	filter->no_peers = !table_chooses(&ctx->out, "Last peer") &&
			   !table_chooses(&ctx->out, "Last IPv4") &&
			   !table_chooses(&ctx->out, "Last rejected");
	filter->rules = table_chooses(&ctx->out, "Mode");
	return 0;
}

static int parse_filter(struct ctx *ctx, struct filter *filter, int argc,
			char **argv)
{
	if (filter_parse(filter, FILTERS | FILTER_REPEAT, argc, argv) ||
	    filter_no_processes(filter, ctx->opts.no_processes))
		return -1;
	filter->all = ctx->opts.all || filter->given & NAMED;
	filter->family = ctx->opts.family;
	filter->rules = true;
	return ctx->out.columns ? parse_columns(ctx, filter) : 0;
}

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	if (parse_filter(ctx, job, argc, argv))
		return -1;
	return repeat_set(ctx, job);
}

static int parse_top(struct ctx *ctx, void *job, int argc, char **argv)
{
	if (parse_filter(ctx, job, argc, argv))
		return -1;
	return repeat_top(ctx, job);
}

/* Have the records say what is new; in a table, those alone of which something is. */
static void show_new(struct view *view, bool all)
{
	struct sock_list *list = &view->socks;
	size_t i, n = 0;

	for (i = 0; i < view->records.n; i++)
		memcpy(view->records.v[i].counters,
		       &view->since[i * NUM_COUNTERS],
		       sizeof(view->records.v[i].counters));
	for (i = 0; i < list->n; i++)
		if (all || counters_any(list->v[i].rec->counters))
			list->v[n++] = list->v[i];
	list->n = n;
}

static int compare_added(const void *pa, const void *pb)
{
	const struct sock *a = pa, *b = pb;

	if (a->added != b->added)
		return a->added < b->added ? 1 : -1;
	return sock_compare(pa, pb);
}

/* Those first that had most events. */
static void sort_added(struct view *view)
{
	struct sock_list *list = &view->socks;
	size_t i;

	for (i = 0; i < list->n; i++)
		list->v[i].added = sum_since(view, &list->v[i]);
	if (list->n)
		qsort(list->v, list->n, sizeof(*list->v), compare_added);
}

static int get(struct ctx *ctx, struct view *view, const struct filter *filter)
{
	struct repeat *repeat = &ctx->repeat;

	if (view_get(ctx, view, filter))
		return -1;
	if (!repeat->interval)
		return 0;
	if (rates_sockets(&repeat->rates, &ctx->dualstack, view))
		return -1;
	if (repeat_shows_new(repeat))
		show_new(view, ctx->out.json);
	else if (repeat->top)
		sort_added(view);
	return 0;
}

static int run(struct ctx *ctx, void *job)
{
	const struct filter *filter = job;
	struct view view = { };
	int ret = EXIT_KERNEL;

	if (!get(ctx, &view, filter))
		ret = ctx->out.json ? print_json(ctx, &view)
				    : print_table(ctx, &view);
	view_free(&view);
	return ret;
}

#define RULES \
	"FILTER := " FILTER_ENDS_ARGS " [ mode MODE ]\n"		\
	"          [ state STATE ] " FILTER_HOLDER_ARGS "\n"		\
	"MODE   := { dual | v6only | v6 | mapped | v4 }\n"		\
	"STATE  := { established | syn-sent | syn-recv | fin-wait-1 |\n"	\
	"            fin-wait-2 | time-wait | unconnected | closed |\n"	\
	"            close-wait | last-ack | listening | closing |\n"	\
	"            connected | synchronized }\n"

const struct cmd cmd_show_sockets = {
	.name = "sockets",
	.args = "[ FILTER ] [ REPEAT ]",
	.help = "Sockets that serve or refuse IPv4, with their counters",
	.rules = RULES FILTER_REPEAT_RULE,
	.details =
		"TCP listeners and UDP sockets, and what else has counts; with port, UDP\n"
		"sockets that are connected and TCP ones that are bound, too; with a filter\n"
		"other than port, proto and mode, or with -a, all TCP and UDP sockets that\n"
		"fit. With -4 those of AF_INET alone, with -6 those of AF_INET6; with -s\n"
		"all counters, with -P without processes. * is behind a mode that is as a rule\n"
		"says, see show rules. With interval again and again: all there is first, then\n"
		"what was counted since the report before, with -j also of sockets of which\n"
		"nothing was.",
	.needs = NEED_DUALSTACK | NEED_SOCK_DIAG,
	.every_netns = true,
	.columns = add_columns,
	.job_size = sizeof(struct filter),
	.parse = parse,
	.run = run,
};

const struct cmd cmd_top_sockets = {
	.name = "sockets",
	.args = "[ FILTER ] [ REPEAT ]",
	.help = "Sockets on the screen, those first that count most",
	.rules = RULES FILTER_TOP_RULE,
	.details =
		"As show sockets has them, with all they have counted, and Rate: how many events a\n"
		"second there were since the screen before. q ends it. With -j an object on a line\n"
		"for each screen.",
	.needs = NEED_STDOUT | NEED_DUALSTACK | NEED_SOCK_DIAG,
	.columns = add_top_columns,
	.job_size = sizeof(struct filter),
	.parse = parse_top,
	.run = run,
};
