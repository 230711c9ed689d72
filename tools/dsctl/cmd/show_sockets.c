// SPDX-License-Identifier: GPL-2.0
/* dsctl show sockets */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "dsctl.h"
#include "cmd/show_sockets.h"
#include "nl/counters.h"
#include "nl/diag.h"
#include "out/output.h"
#include "out/table.h"
#include "out/text.h"
#include "socks/filter.h"
#include "socks/view.h"

static uint32_t last_ifindex;

void dev_forget(void)
{
	last_ifindex = 0;
}

/* The name of a socket's device, NULL if it is bound to none. */
static const char *dev_name(uint32_t ifindex)
{
	static char name[IF_NAMESIZE];

	if (!ifindex)
		return NULL;
	/* Many sockets, few devices: ask once in a row. */
	if (ifindex != last_ifindex && !if_indextoname(ifindex, name))
		snprintf(name, sizeof(name), "if%u", ifindex);
	last_ifindex = ifindex;
	return name;
}

static json_t *json_addr(const struct endpoint *ep)
{
	char buf[ENDPOINT_STRLEN];

	return ep->family ? json_string(endpoint_addr(ep, buf)) : json_null();
}

static json_t *json_port(const struct endpoint *ep)
{
	return ep->family ? json_integer(ep->port) : json_null();
}

static json_t *json_last_peer(const struct last_peer *last)
{
	char buf[ENDPOINT_STRLEN];

	if (!last->peer.family)
		return json_null();
	return json_string(endpoint_str(&last->peer, NULL, buf));
}

static json_t *json_last_age(const struct last_peer *last)
{
	return last->peer.family ? json_integer(last->age) : json_null();
}

static json_t *json_mode(const struct sock *sk)
{
	if (sk->mode == NUM_MODES)
		return json_null();
	return json_string(mode_names[sk->mode]);
}

json_t *json_processes(const struct procs *procs, const struct sock *sk)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next) {
		const struct proc_task *task;

		task = &procs->tasks[procs->fds[i].task];
		json_add(array, json_pack("{s:i, s:o, s:i}", "pid", task->pid,
					  "comm", json_text(task->comm),
					  "fd", procs->fds[i].fd));
	}
	return array;
}

int json_socket(json_t *obj, const struct procs *procs, const struct sock *sk)
{
	const struct record *rec = sk->rec;
	const char *dev = dev_name(sk->ifindex);
	int failed = 0;
	size_t i;

#define SET(key, value) (failed |= json_object_set_new_nocheck(obj, key, value))
	SET("netns", opts.netns ? json_text(opts.netns) : json_null());
	SET("proto", json_string(proto_name(sk->protocol)));
	SET("state", json_string(state_name(sk)));
	SET("mode", json_mode(sk));
	SET("local_addr", json_addr(&sk->local));
	SET("local_port", json_port(&sk->local));
	SET("peer_addr", json_addr(&sk->peer));
	SET("peer_port", json_port(&sk->peer));
	SET("dev", dev ? json_text(dev) : json_null());
	SET("v6only", sk->v6only < 0 ? json_null() : json_boolean(sk->v6only));
	SET("cookie", json_integer(sk->cookie));
	SET("uid", sk->unlisted ? json_null() : json_integer(sk->uid));
	SET("inode", sk->unlisted ? json_null() : json_integer(sk->inode));
	SET("shadowed", json_boolean(sk->shadowed));
	SET("processes", procs->known ? json_processes(procs, sk)
				      : json_null());
	SET("last_mapped_peer", json_last_peer(&rec->mapped));
	SET("last_mapped_age_ms", json_last_age(&rec->mapped));
	SET("last_rejected_peer", json_last_peer(&rec->rejected));
	SET("last_rejected_age_ms", json_last_age(&rec->rejected));
	for (i = 0; i < NUM_COUNTERS; i++)
		SET(counters[i].key, json_integer(rec->counters[i]));
#undef SET
	return failed;
}

static int print_json(const struct view *view)
{
	struct json_array array = { };
	json_t *obj = json_object();
	size_t i;
	int ret;

	for (i = 0; i < view->socks.n; i++) {
		ret = json_socket(obj, &view->procs, &view->socks.v[i]);
		if (json_array_put(&array, ret ? NULL : obj)) {
			json_decref(obj);
			return EXIT_KERNEL;
		}
	}
	json_decref(obj);
	json_array_end(&array);
	return EXIT_OK;
}

/* A line of the table. */
struct row {
	const struct sock *sk;
	const struct procs *procs;
};

static void cell_proto(const struct row *row, struct text *text)
{
	text_puts(text, proto_name(row->sk->protocol));
}

static void cell_state(const struct row *row, struct text *text)
{
	text_puts(text, state_name(row->sk));
}

static void cell_mode(const struct row *row, struct text *text)
{
	if (row->sk->mode != NUM_MODES)
		text_puts(text, mode_names[row->sk->mode]);
	if (row->sk->shadowed)
		text_puts(text, " (shadowed)");
}

static void put_endpoint(const struct endpoint *ep, const char *dev,
			 struct text *text)
{
	char buf[ENDPOINT_STRLEN];

	if (ep->family)
		text_puts(text, endpoint_str(ep, dev, buf));
}

static void cell_local(const struct row *row, struct text *text)
{
	put_endpoint(&row->sk->local, dev_name(row->sk->ifindex), text);
}

static void cell_peer(const struct row *row, struct text *text)
{
	put_endpoint(&row->sk->peer, NULL, text);
}

/* The age in whole units, the largest that fits. */
void text_last(struct text *text, const struct last_peer *last)
{
	static const struct {
		unsigned int seconds;
		const char *name;
	} units[] = {
		{ 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" },
	};
	uint64_t s = last->age / 1000;
	size_t i;

	if (!last->peer.family)
		return;
	put_endpoint(&last->peer, NULL, text);
	for (i = 0; i < ARRAY_SIZE(units) - 1 && s < units[i].seconds;)
		i++;
	text_puts(text, " ");
	text_number(text, s / units[i].seconds);
	text_puts(text, units[i].name);
}

static void cell_mapped(const struct row *row, struct text *text)
{
	text_last(text, &row->sk->rec->mapped);
}

static void cell_rejected(const struct row *row, struct text *text)
{
	text_last(text, &row->sk->rec->rejected);
}

/* Few sockets have both: the later of the two saves a column. */
static void cell_last(const struct row *row, struct text *text)
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

static void cell_uid(const struct row *row, struct text *text)
{
	if (!row->sk->unlisted)
		text_number(text, row->sk->uid);
}

static void cell_inode(const struct row *row, struct text *text)
{
	if (!row->sk->unlisted)
		text_number(text, row->sk->inode);
}

static void cell_cookie(const struct row *row, struct text *text)
{
	text_number(text, row->sk->cookie);
}

void text_processes(struct text *text, const struct procs *procs,
		    const struct sock *sk)
{
	const struct proc_task *task, *prev = NULL;
	uint32_t i;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next) {
		task = &procs->tasks[procs->fds[i].task];
		if (task == prev)
			continue;
		if (prev && !strcmp(task->comm, prev->comm)) {
			text_puts(text, ",");
		} else {
			text_puts(text, prev ? ") " : "");
			text_puts(text, task->comm);
			text_puts(text, "(");
		}
		text_number(text, task->pid);
		prev = task;
	}
	if (prev)
		text_puts(text, ")");
}

static void cell_process(const struct row *row, struct text *text)
{
	text_processes(text, row->procs, row->sk);
}

static bool has_peer(const struct view *view)
{
	size_t i;

	for (i = 0; i < view->socks.n; i++)
		if (view->socks.v[i].peer.family)
			return true;
	return false;
}

static bool wants_stats(const struct view *view)
{
	(void)view;
	return opts.stats;
}

static bool wants_no_stats(const struct view *view)
{
	(void)view;
	return !opts.stats;
}

static bool knows_processes(const struct view *view)
{
	return view->procs.known;
}

/*
 * The columns from left to right; an entry without a heading stands for the
 * counters. @wanted: only where it is true.
 */
static const struct column {
	const char *heading;
	enum column_align align;
	void (*cell)(const struct row *row, struct text *text);
	bool (*wanted)(const struct view *view);
} columns[] = {
	{ "Proto", ALIGN_LEFT, cell_proto, NULL },
	{ "State", ALIGN_LEFT, cell_state, NULL },
	{ "Mode", ALIGN_LEFT, cell_mode, NULL },
	{ "Local", ALIGN_LEFT, cell_local, NULL },
	{ "Peer", ALIGN_LEFT, cell_peer, has_peer },
	{ },
	{ "Last peer", ALIGN_LEFT, cell_last, wants_no_stats },
	{ "Last mapped", ALIGN_LEFT, cell_mapped, wants_stats },
	{ "Last rejected", ALIGN_LEFT, cell_rejected, wants_stats },
	{ "UID", ALIGN_RIGHT, cell_uid, wants_stats },
	{ "Inode", ALIGN_RIGHT, cell_inode, wants_stats },
	{ "Cookie", ALIGN_RIGHT, cell_cookie, wants_stats },
	{ "Process", ALIGN_LEFT, cell_process, knows_processes },
};

/**
 * struct layout - The columns that this table has.
 * @shown: which of columns[].
 * @n: columns for counters.
 * @first: the first counter of each of these.
 * @column: which of these a counter belongs to, @n or more for none.
 */
struct layout {
	bool shown[ARRAY_SIZE(columns)];
	size_t n;
	size_t first[NUM_COUNTERS];
	size_t column[NUM_COUNTERS];
};

static bool counter_is_shown(const struct view *view, size_t counter)
{
	size_t i;

	if (opts.stats || counters[counter].show == SHOW_ALWAYS)
		return true;
	if (counters[counter].show == SHOW_STATS)
		return false;
	for (i = 0; i < view->socks.n; i++)
		if (view->socks.v[i].rec->counters[counter])
			return true;
	return false;
}

/* Counters that share a heading share the column of the first. */
static void counter_columns(struct layout *layout, const struct view *view,
			    struct table *table)
{
	size_t i, j;

	for (i = 0; i < NUM_COUNTERS; i++) {
		layout->column[i] = NUM_COUNTERS;
		if (!counter_is_shown(view, i))
			continue;
		for (j = 0; strcmp(counters[j].heading, counters[i].heading);)
			j++;
		if (j < i) {
			layout->column[i] = layout->column[j];
			continue;
		}
		layout->first[layout->n] = i;
		layout->column[i] = layout->n++;
		table_column(table, counters[i].heading,
			     counters[i].label ? ALIGN_LEFT : ALIGN_RIGHT);
	}
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

static void counter_cells(const struct layout *layout, const struct record *rec,
			  struct table *table, struct text *text)
{
	uint64_t sums[NUM_COUNTERS] = { };
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++)
		if (layout->column[i] < layout->n)
			sums[layout->column[i]] += rec->counters[i];

	for (i = 0; i < layout->n; i++) {
		text_clear(text);
		if (!counters[layout->first[i]].label)
			text_number(text, sums[i]);
		else if (sums[i])
			put_labelled(layout, i, rec, text);
		table_put(table, text);
		if (sums[i] && counter_is_bad(layout->first[i]))
			table_color(table, COLOR_BAD);
	}
}

static void fill_line(struct table *table, const struct row *row,
		      const struct layout *layout, struct text *text)
{
	size_t i;

	table_line(table);
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		if (!layout->shown[i])
			continue;
		if (!columns[i].cell) {
			counter_cells(layout, row->sk->rec, table, text);
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

static int print_table(const struct view *view)
{
	struct row row = { .procs = &view->procs };
	struct layout layout = { };
	struct text text = { };
	struct table table;
	size_t i;

	table_init(&table);
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		const struct column *col = &columns[i];

		layout.shown[i] = !col->wanted || col->wanted(view);
		if (!layout.shown[i])
			continue;
		if (col->cell)
			table_column(&table, col->heading, col->align);
		else
			counter_columns(&layout, view, &table);
	}

	for (i = 0; i < view->socks.n; i++) {
		row.sk = &view->socks.v[i];
		fill_line(&table, &row, &layout, &text);
	}
	free(text.buf);
	return table_out(&table);
}

static int show_sockets(int argc, char **argv)
{
	struct view view = { };
	int ret = EXIT_KERNEL;
	struct filter filter;

	if (filter_parse(&filter, FILTER_PORT | FILTER_PROTO | FILTER_MODE,
			 argc, argv))
		return EXIT_USAGE;
	filter.no_processes = opts.no_processes;
	dev_forget();
	if (!view_get(&view, &filter))
		ret = opts.json ? print_json(&view) : print_table(&view);
	view_free(&view);
	return ret;
}

const struct cmd cmd_show_sockets = {
	.name = "sockets",
	.args = "[ FILTER ]",
	.help = "Sockets that serve or refuse IPv4, with their counters",
	.details =
		"FILTER := [ port PORT ] [ " FILTER_PROTO_ARGS " ] [ mode MODE ]\n"
		"MODE   := { dual | v6only | v6 | mapped | v4 }\n"
		"\n"
		"AF_INET6 TCP listeners and UDP sockets, and what else has counts;\n"
		"with -a all TCP and UDP sockets, with -s all counters, with -P\n"
		"without processes.",
	.run = show_sockets,
	.every_netns = true,
};
