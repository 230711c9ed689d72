// SPDX-License-Identifier: GPL-2.0
/*
 * dsctl show sockets
 *
 * Records come from the module and sockets from sock_diag, in this order: a
 * socket that closes in between is then left out, and none is listed without
 * the counts that it had.
 */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "diag.h"
#include "dsctl.h"
#include "filter.h"
#include "dsnl.h"
#include "output.h"
#include "procs.h"
#include "records.h"

/* All that is shown. */
struct view {
	struct sock_list socks;
	struct record_list records;
	struct procs procs;
};

/* What is listed: sockets that can be somebody's server. */
static const struct diag_request listed[] = {
	{ AF_INET6, IPPROTO_TCP, DIAG_STATE(TCP_LISTEN), 0 },
	{ AF_INET6, IPPROTO_UDP, DIAG_ALL_STATES, 0 },
};

static int compare(const void *pa, const void *pb)
{
	const struct sock *a = pa, *b = pb;
	int diff;

	diff = a->local.port - b->local.port;
	if (!diff)
		diff = a->protocol - b->protocol;
	if (!diff)
		diff = a->family - b->family;
	if (!diff)
		diff = memcmp(&a->local.addr, &b->local.addr,
			      sizeof(a->local.addr));
	if (!diff)
		diff = (a->cookie > b->cookie) - (a->cookie < b->cookie);
	return diff;
}

/*
 * A dump in several reads can meet a socket twice while its hash chain changes;
 * sorted, the two are neighbours.
 */
static void sort_unique(struct sock_list *list)
{
	size_t i, n = 0;

	if (!list->n)
		return;
	qsort(list->v, list->n, sizeof(*list->v), compare);
	for (i = 1; i < list->n; i++)
		if (list->v[i].cookie != list->v[n].cookie)
			list->v[++n] = list->v[i];
	list->n = n + 1;
}

static void keep_mode(struct sock_list *list, uint8_t mode)
{
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		if (list->v[i].mode == mode)
			list->v[n++] = list->v[i];
	list->n = n;
}

static int get_sockets(struct sock_list *list, const struct filter *filter)
{
	struct diag_request req;
	struct dsnl nl;
	int ret = 0;
	size_t i;

	if (dsnl_open(&nl, NETLINK_SOCK_DIAG))
		return -1;
	for (i = 0; !ret && i < ARRAY_SIZE(listed); i++) {
		req = listed[i];
		if (filter->proto && filter->proto != req.protocol)
			continue;
		req.port = filter->port;
		ret = diag_dump(&nl, &req, list);
	}
	if (!ret && filter->given & FILTER_MODE)
		keep_mode(list, filter->mode);
	if (!ret)
		ret = diag_shadow(&nl, list, filter->port);
	dsnl_close(&nl);
	sort_unique(list);
	return ret;
}

static int get_records(struct record_list *list)
{
	struct dsnl nl;
	int ret;

	if (dsnl_open_dualstack(&nl))
		return -1;
	ret = records_dump(&nl, list);
	dsnl_close(&nl);
	return ret;
}

/* The name of a socket's device, NULL if it is bound to none. */
static const char *dev_name(uint32_t ifindex)
{
	static char name[IF_NAMESIZE];
	static uint32_t last;

	if (!ifindex)
		return NULL;
	/* Many sockets, few devices: ask once in a row. */
	if (ifindex != last && !if_indextoname(ifindex, name))
		snprintf(name, sizeof(name), "if%u", ifindex);
	last = ifindex;
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

static json_t *json_processes(const struct procs *procs, const struct sock *sk)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next) {
		const struct proc_task *task;

		task = &procs->tasks[procs->fds[i].task];
		json_array_append_new(array,
				      json_pack("{s:i, s:o, s:i}",
						"pid", task->pid,
						"comm", json_text(task->comm),
						"fd", procs->fds[i].fd));
	}
	return array;
}

static json_t *json_socket(const struct view *view, const struct sock *sk)
{
	const struct record *rec = records_find(&view->records, sk->cookie);
	const char *dev = dev_name(sk->ifindex);
	json_t *obj = json_object();
	int failed = 0;
	size_t i;

#define SET(key, value) (failed |= json_object_set_new_nocheck(obj, key, value))
	SET("netns", opts.netns ? json_text(opts.netns) : json_null());
	SET("proto", json_string(proto_name(sk->protocol)));
	SET("state", json_string(state_name(sk)));
	SET("mode", json_string(mode_names[sk->mode]));
	SET("local_addr", json_addr(&sk->local));
	SET("local_port", json_port(&sk->local));
	SET("peer_addr", json_addr(&sk->peer));
	SET("peer_port", json_port(&sk->peer));
	SET("dev", dev ? json_text(dev) : json_null());
	SET("v6only", sk->v6only < 0 ? json_null() : json_boolean(sk->v6only));
	SET("cookie", json_integer(sk->cookie));
	SET("uid", json_integer(sk->uid));
	SET("inode", json_integer(sk->inode));
	SET("shadowed", json_boolean(sk->shadowed));
	SET("processes", json_processes(&view->procs, sk));
	SET("last_mapped_peer", json_last_peer(&rec->mapped));
	SET("last_mapped_age_ms", json_last_age(&rec->mapped));
	SET("last_rejected_peer", json_last_peer(&rec->rejected));
	SET("last_rejected_age_ms", json_last_age(&rec->rejected));
	for (i = 0; i < NUM_COUNTERS; i++)
		SET(counters[i].key, json_integer(rec->counters[i]));
#undef SET
	if (failed) {
		json_decref(obj);
		return NULL;
	}
	return obj;
}

static int print_json(const struct view *view)
{
	struct json_array array = { };
	json_t *obj;
	size_t i;
	int ret;

	for (i = 0; i < view->socks.n; i++) {
		obj = json_socket(view, &view->socks.v[i]);
		ret = json_array_put(&array, obj);
		json_decref(obj);
		if (ret)
			return EXIT_KERNEL;
	}
	json_array_end(&array);
	return EXIT_OK;
}

/* A line of the table, being filled. */
struct row {
	const struct sock *sk;
	const struct record *rec;
	const struct procs *procs;
};

static void cell_proto(const struct row *row, FILE *f)
{
	fputs(proto_name(row->sk->protocol), f);
}

static void cell_state(const struct row *row, FILE *f)
{
	fputs(state_name(row->sk), f);
}

static void cell_mode(const struct row *row, FILE *f)
{
	fputs(mode_names[row->sk->mode], f);
	if (row->sk->shadowed)
		fputs(" (shadowed)", f);
}

static void put_endpoint(const struct endpoint *ep, const char *dev, FILE *f)
{
	char buf[ENDPOINT_STRLEN];

	if (ep->family)
		fputs(endpoint_str(ep, dev, buf), f);
}

static void cell_local(const struct row *row, FILE *f)
{
	put_endpoint(&row->sk->local, dev_name(row->sk->ifindex), f);
}

static void cell_peer(const struct row *row, FILE *f)
{
	put_endpoint(&row->sk->peer, NULL, f);
}

/* Whole units, the largest that fits. */
static void put_age(const struct last_peer *last, FILE *f)
{
	unsigned long long s = last->age / 1000;

	if (!last->peer.family)
		return;
	if (s < 60)
		fprintf(f, "%llus", s);
	else if (s < 3600)
		fprintf(f, "%llumin", s / 60);
	else if (s < 86400)
		fprintf(f, "%lluh", s / 3600);
	else
		fprintf(f, "%llud", s / 86400);
}

static void cell_mapped(const struct row *row, FILE *f)
{
	put_endpoint(&row->rec->mapped.peer, NULL, f);
}

static void cell_mapped_age(const struct row *row, FILE *f)
{
	put_age(&row->rec->mapped, f);
}

static void cell_rejected(const struct row *row, FILE *f)
{
	put_endpoint(&row->rec->rejected.peer, NULL, f);
}

static void cell_rejected_age(const struct row *row, FILE *f)
{
	put_age(&row->rec->rejected, f);
}

static void cell_uid(const struct row *row, FILE *f)
{
	fprintf(f, "%u", row->sk->uid);
}

static void cell_inode(const struct row *row, FILE *f)
{
	fprintf(f, "%u", row->sk->inode);
}

static void cell_cookie(const struct row *row, FILE *f)
{
	fprintf(f, "%llu", (unsigned long long)row->sk->cookie);
}

/* "systemd(1) nginx(812,813)": a process once, however many descriptors. */
static void cell_process(const struct row *row, FILE *f)
{
	const struct proc_task *task, *prev = NULL;
	const struct procs *procs = row->procs;
	uint32_t i;

	for (i = row->sk->procs.first; i != PROC_NONE; i = procs->fds[i].next) {
		task = &procs->tasks[procs->fds[i].task];
		if (task == prev)
			continue;
		if (prev && !strcmp(task->comm, prev->comm))
			fprintf(f, ",%d", task->pid);
		else
			fprintf(f, "%s%s(%d", prev ? ") " : "", task->comm,
				task->pid);
		prev = task;
	}
	if (prev)
		fputc(')', f);
}

static bool has_peer(const struct view *view)
{
	size_t i;

	for (i = 0; i < view->socks.n; i++)
		if (view->socks.v[i].peer.family)
			return true;
	return false;
}

/*
 * The columns from left to right; an entry without a cell stands for the
 * counters. @stats: only with -s. @wanted: only where it is true.
 */
static const struct column {
	const char *heading;
	enum column_align align;
	bool stats;
	void (*cell)(const struct row *row, FILE *f);
	bool (*wanted)(const struct view *view);
} columns[] = {
	{ "Proto", ALIGN_LEFT, false, cell_proto, NULL },
	{ "State", ALIGN_LEFT, false, cell_state, NULL },
	{ "Mode", ALIGN_LEFT, false, cell_mode, NULL },
	{ "Local", ALIGN_LEFT, false, cell_local, NULL },
	{ "Peer", ALIGN_LEFT, false, cell_peer, has_peer },
	{ },
	{ "Last mapped", ALIGN_LEFT, false, cell_mapped, NULL },
	{ "Ago", ALIGN_RIGHT, true, cell_mapped_age, NULL },
	{ "Last rejected", ALIGN_LEFT, false, cell_rejected, NULL },
	{ "Ago", ALIGN_RIGHT, true, cell_rejected_age, NULL },
	{ "UID", ALIGN_RIGHT, true, cell_uid, NULL },
	{ "Inode", ALIGN_RIGHT, true, cell_inode, NULL },
	{ "Cookie", ALIGN_RIGHT, true, cell_cookie, NULL },
	{ "Process", ALIGN_LEFT, false, cell_process, NULL },
};

/* Counters that share a heading share the column of the first. */
static bool counter_has_column(size_t i)
{
	size_t j;

	if (counters[i].stats && !opts.stats)
		return false;
	for (j = 0; j < i; j++)
		if (!strcmp(counters[j].heading, counters[i].heading))
			return false;
	return true;
}

static void counter_columns(struct table *table)
{
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++)
		if (counter_has_column(i))
			table_column(table, counters[i].heading, ALIGN_RIGHT);
}

static void counter_cells(struct table *table, const struct record *rec)
{
	uint64_t sum;
	size_t i, j;

	for (i = 0; i < NUM_COUNTERS; i++) {
		if (!counter_has_column(i))
			continue;
		for (sum = 0, j = i; j < NUM_COUNTERS; j++)
			if (!strcmp(counters[j].heading, counters[i].heading))
				sum += rec->counters[j];
		table_number(table, sum);
	}
}

/* A stream into memory, for one cell at a time. */
struct cell {
	FILE *f;
	char *text;
	size_t len;
};

static void fill_line(struct table *table, const struct row *row,
		      const bool *shown, struct cell *cell)
{
	size_t i;

	table_line(table);
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		if (!shown[i])
			continue;
		if (!columns[i].cell) {
			counter_cells(table, row->rec);
			continue;
		}
		rewind(cell->f);
		columns[i].cell(row, cell->f);
		fputc('\0', cell->f);
		if (fflush(cell->f))
			table->failed = true;
		else
			table_text(table, *cell->text ? cell->text : "-");
	}
}

static int print_table(const struct view *view)
{
	bool shown[ARRAY_SIZE(columns)];
	struct cell cell = { };
	struct table table;
	struct row row;
	size_t i;

	cell.f = open_memstream(&cell.text, &cell.len);
	if (!cell.f) {
		err("out of memory");
		return EXIT_KERNEL;
	}

	table_init(&table);
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		const struct column *col = &columns[i];

		shown[i] = (opts.stats || !col->stats) &&
			   (!col->wanted || col->wanted(view));
		if (!shown[i])
			continue;
		if (col->cell)
			table_column(&table, col->heading, col->align);
		else
			counter_columns(&table);
	}

	row.procs = &view->procs;
	for (i = 0; i < view->socks.n; i++) {
		row.sk = &view->socks.v[i];
		row.rec = records_find(&view->records, row.sk->cookie);
		fill_line(&table, &row, shown, &cell);
	}
	fclose(cell.f);
	free(cell.text);
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

	if (!get_records(&view.records) &&
	    !get_sockets(&view.socks, &filter) &&
	    !procs_find(&view.procs, &view.socks))
		ret = opts.json ? print_json(&view) : print_table(&view);

	procs_free(&view.procs);
	sock_list_free(&view.socks);
	records_free(&view.records);
	return ret;
}

const struct cmd cmd_show_sockets = {
	.name = "sockets",
	.args = "[ FILTER ]",
	.help = "AF_INET6 TCP listeners and UDP sockets, with their counters",
	.details =
		"FILTER := [ port PORT ] [ " FILTER_PROTO_ARGS " ] [ mode MODE ]\n"
		"MODE   := { dual | v6only | v6 | mapped | v4 }",
	.run = show_sockets,
};
