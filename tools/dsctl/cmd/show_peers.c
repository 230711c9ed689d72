// SPDX-License-Identifier: GPL-2.0
/* dsctl show peers, top peers */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/list.h"
#include "nl/config.h"
#include "nl/diag.h"
#include "nl/peers.h"
#include "out/emit.h"
#include "out/table.h"
#include "out/text.h"
#include "socks/filter.h"
#include "socks/hosts.h"
#include "socks/ledger.h"
#include "socks/prefix.h"
#include "socks/put.h"
#include "socks/servers.h"
#include "util/args.h"
#include "util/array.h"

#define FILTERS	(FILTER_PORT | FILTER_PROTO | FILTER_PROCESS | FILTER_PEER | \
		 FILTER_REPEAT)

/* What an entry has that a group may have not, as bits. */
enum part {
	PART_PORT = 1,	/* and protocol */
	PART_ADDR = 2,
	PART_TASK = 4,
	PART_SUM = 8,	/* of several addresses */
};

static const struct {
	const char *name;
	unsigned int parts;
} groups[] = {
	[GROUP_NONE] = { NULL, PART_PORT | PART_ADDR | PART_TASK },
	[GROUP_PEER] = { "peer", PART_ADDR },
	[GROUP_PREFIX] = { "prefix", PART_ADDR | PART_SUM },
	[GROUP_PORT] = { "port", PART_PORT | PART_SUM },
	[GROUP_PROCESS] = { "process", PART_TASK | PART_SUM },
};

/**
 * struct wanted - What was asked for.
 * @req: which lines.
 * @services: who serves the ports is to be looked for.
 * @hosts: names of addresses, kept from one report to the next.
 */
struct wanted {
	struct ledger_request req;
	bool services;
	struct hosts hosts;
};

/**
 * struct row - A line, and what it takes to show it.
 * @line: the line.
 * @req: what was asked for.
 * @servers: who serves the ports.
 * @hosts: names of addresses so far, NULL if they are not to be shown.
 * @repeat: which report it is.
 */
struct row {
	const struct ledger_line *line;
	const struct ledger_request *req;
	const struct servers *servers;
	struct hosts *hosts;
	const struct repeat *repeat;
};

static bool has_part(const struct row *row, enum part part)
{
	return groups[row->req->group].parts & part;
}

static const char *service_of(const struct row *row)
{
	const struct peer_entry *entry = &row->line->entry;

	if (!entry->local_port)
		return NULL;
	return servers_name(row->servers, entry->protocol, entry->local_port);
}

/* Not of a prefix. */
static const char *name_of(const struct row *row)
{
	if (!row->hosts || !row->line->entry.peer.family ||
	    row->req->group == GROUP_PREFIX)
		return NULL;
	return hosts_name(row->hosts, &row->line->entry.peer);
}

/* Room for an address and the length of a prefix. */
#define ADDR_STRLEN (INET6_ADDRSTRLEN + sizeof("/128"))

static const char *addr_str(const struct row *row, char *buf)
{
	const struct endpoint *peer = &row->line->entry.peer;
	uint8_t len = row->req->prefix_len;
	size_t n;

	endpoint_addr(peer, buf);
	if (row->req->group == GROUP_PREFIX) {
		if (peer->family == AF_INET && len > 32)
			len = 32;
		n = strlen(buf);
		snprintf(buf + n, ADDR_STRLEN - n, "/%u", len);
	}
	return buf;
}

/* 0 is the number of no port. */
static void emit_port_number(struct emit *emit, const char *key, uint16_t port)
{
	if (port)
		emit_number(emit, key, port);
	else
		emit_null(emit, key);
}

static void emit_entry(struct emit *emit, const struct out *out,
		       const struct row *row)
{
	const struct peer_entry *entry = &row->line->entry;
	bool task = row->line->has_task;
	char buf[ADDR_STRLEN];

	emit_begin(emit, out);
	emit_text(emit, "netns", out->netns);
	emit_text(emit, "direction", peer_direction_names[entry->direction]);
	emit_text(emit, "proto", has_part(row, PART_PORT) ?
		  proto_name(entry->protocol) : NULL);
	emit_port_number(emit, "local_port", entry->local_port);
	emit_text(emit, "peer_addr",
		  entry->peer.family ? addr_str(row, buf) : NULL);
	if (row->hosts)
		emit_text(emit, "peer_name", name_of(row));
	emit_port_number(emit, "peer_port", entry->peer.port);
	emit_text(emit, "comm", task ? entry->comm : NULL);
	if (task)
		emit_number(emit, "uid", entry->uid);
	else
		emit_null(emit, "uid");
	emit_number(emit, "count", entry->count);
	emit_number(emit, "first_age_ms", entry->first_age);
	emit_number(emit, "last_age_ms", entry->last_age);
	emit_text(emit, "service", service_of(row));
	if (row->req->group != GROUP_NONE)
		emit_number(emit, "peers", row->line->num_peers);
	if (row->repeat->top) {
		emit_number(emit, "added", row->line->since);
		emit_rate(row->repeat, row->line->since, emit);
	}
	emit_end(emit, '}');
}

static int print_json(struct out *out, struct row *row,
		      const struct ledger *ledger)
{
	struct json_array array = { };
	struct emit emit = { };
	int ret = 0;
	size_t i;

	if (row->repeat->top)
		ret = json_array_in(out, &array, json_report(row->repeat),
				    "peers");
	for (i = 0; !ret && i < ledger->n; i++) {
		row->line = &ledger->v[i];
		emit_entry(&emit, out, row);
		ret = emit_put(&emit, out, &array);
	}
	free(emit.text.buf);
	if (ret)
		return EXIT_KERNEL;
	json_array_end(out, &array);
	return EXIT_OK;
}

static void cell_direction(struct row *row, struct text *text)
{
	text_puts(text, peer_direction_names[row->line->entry.direction]);
}

static void cell_proto(struct row *row, struct text *text)
{
	if (has_part(row, PART_PORT))
		text_puts(text, proto_name(row->line->entry.protocol));
}

static void cell_port(struct row *row, struct text *text)
{
	uint16_t port = ledger_port(&row->line->entry);

	if (port)
		text_number(text, port);
}

static void cell_peer(struct row *row, struct text *text)
{
	const char *name = name_of(row);
	char buf[ADDR_STRLEN];

	if (!has_part(row, PART_ADDR))
		return;
	if (!row->line->entry.peer.family)
		text_puts(text, "*");
	else
		text_puts(text, name ? name : addr_str(row, buf));
}

static void cell_process(struct row *row, struct text *text)
{
	if (row->line->has_task)
		text_puts(text, row->line->entry.comm);
}

static void cell_uid(struct row *row, struct text *text)
{
	if (row->line->has_task)
		text_number(text, row->line->entry.uid);
}

static void cell_peers(struct row *row, struct text *text)
{
	text_number(text, row->line->num_peers);
}

static void cell_count(struct row *row, struct text *text)
{
	text_number(text, row->line->entry.count);
}

static void cell_first(struct row *row, struct text *text)
{
	text_age(text, row->line->entry.first_age);
}

static void cell_last(struct row *row, struct text *text)
{
	text_age(text, row->line->entry.last_age);
}

static void cell_service(struct row *row, struct text *text)
{
	const char *service = service_of(row);

	if (service)
		text_puts(text, service);
}

#define SERVICE "Service"

/* The columns from left to right. @part: what a group has where they are shown, or 0. */
static const struct column {
	const char *heading;
	enum column_align align;
	void (*cell)(struct row *row, struct text *text);
	enum part part;
} columns[] = {
	{ "Direction", ALIGN_LEFT, cell_direction, 0 },
	{ "Proto", ALIGN_LEFT, cell_proto, PART_PORT },
	{ "Port", ALIGN_RIGHT, cell_port, PART_PORT },
	{ "Peer", ALIGN_LEFT, cell_peer, PART_ADDR },
	{ "Process", ALIGN_TEXT, cell_process, PART_TASK },
	{ "UID", ALIGN_RIGHT, cell_uid, PART_TASK },
	{ "Peers", ALIGN_RIGHT, cell_peers, PART_SUM },
	{ "Count", ALIGN_RIGHT, cell_count, 0 },
	{ "First", ALIGN_RIGHT, cell_first, 0 },
	{ "Last", ALIGN_RIGHT, cell_last, 0 },
	{ SERVICE, ALIGN_TEXT, cell_service, PART_PORT },
};

static void add_columns(struct table *table)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(columns); i++)
		table_column(table, columns[i].heading, columns[i].align);
}

static void add_top_columns(struct table *table)
{
	table_column(table, RATE_HEADING, ALIGN_RIGHT);
	add_columns(table);
}

static void fill_line(struct table *table, struct row *row, struct text *text)
{
	size_t i;

	table_line(table);
	if (row->repeat->top) {
		text_clear(text);
		text_rate(row->repeat, row->line->since, text);
		table_put(table, text);
	}
	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		text_clear(text);
		/* What is not shown need not be asked for. */
		if (!table_hides(table))
			columns[i].cell(row, text);
		table_put(table, text);
	}
}

static int print_table(struct out *out, struct row *row,
		       const struct ledger *ledger, bool services)
{
	struct text text = { };
	struct table table;
	size_t i, lines;

	table_init(&table, out);
	if (row->repeat->top)
		add_top_columns(&table);
	else
		add_columns(&table);
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		if (columns[i].part && !has_part(row, columns[i].part))
			table_hide(&table, columns[i].heading);
	if (!services)
		table_hide(&table, SERVICE);

	lines = table_lines(&table);
	for (i = 0; i < ledger->n && i < lines; i++) {
		row->line = &ledger->v[i];
		fill_line(&table, row, &text);
	}
	free(text.buf);
	return table_out(&table);
}

static int parse_direction(struct ledger_request *req, int direction)
{
	if (req->direction != PEER_ANY_DIRECTION) {
		err("argument \"%s\": %s is given already",
		    peer_direction_names[direction],
		    peer_direction_names[req->direction]);
		return -1;
	}
	req->direction = direction;
	return 0;
}

/* Return: how many words it takes, -1 after a message. */
static int parse_group(struct ledger_request *req, int argc, char **argv)
{
	const char *names[ARRAY_SIZE(groups) - 1];
	uint64_t len;
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(names); i++)
		names[i] = groups[i + 1].name;
	if (req->group != GROUP_NONE) {
		err("by: given twice");
		return -1;
	}
	if (!argc) {
		err("by: a value is missing");
		return -1;
	}
	i = word_match("by", argv[0], names, ARRAY_SIZE(names));
	if (i < 0)
		return -1;
	req->group = i + 1;
	if (req->group != GROUP_PREFIX)
		return 1;
	if (argc < 2) {
		err("by prefix: a length is missing");
		return -1;
	}
	if (arg_number("prefix length", argv[1], 0, 128, &len))
		return -1;
	req->prefix_len = len;
	return 2;
}

/* Return: how many words of the filter are left, in @argv; -1 after a message. */
static int parse_own(struct ledger_request *req, int argc, char **argv)
{
	const char *names[NUM_PEER_DIRECTIONS + 1 + FILTER_WORDS];
	const int by = NUM_PEER_DIRECTIONS;
	int found, used, num_names, i, n = 0;

	memcpy(names, peer_direction_names, sizeof(peer_direction_names));
	names[by] = "by";
	num_names = by + 1 + filter_words(FILTERS, names + by + 1);

	req->direction = PEER_ANY_DIRECTION;
	for (i = 0; i < argc; i++) {
		found = word_match("argument", argv[i], names, num_names);
		if (found < 0)
			return -1;
		if (found > by) {
			argv[n++] = argv[i++];
			if (i < argc)
				argv[n++] = argv[i];
			continue;
		}
		used = 0;
		if (found == by)
			used = parse_group(req, argc - i - 1, argv + i + 1);
		else if (parse_direction(req, found))
			used = -1;
		if (used < 0)
			return -1;
		i += used;
	}
	return n;
}

/* To find who serves a port takes a look at all processes. */
static int parse_services(struct ctx *ctx, struct wanted *wanted)
{
	bool chosen = table_chooses(&ctx->out, SERVICE);

	if (chosen && ctx->opts.no_processes) {
		err("column \"" SERVICE "\": option -P leaves the processes out");
		return -1;
	}
	if (ctx->out.columns)
		wanted->services = chosen;
	else
		wanted->services = (ctx->out.json || ctx->opts.stats) &&
				   !ctx->opts.no_processes &&
				   groups[wanted->req.group].parts & PART_PORT;
	return 0;
}

static int parse_wanted(struct ctx *ctx, struct wanted *wanted, int argc,
			char **argv)
{
	struct filter *filter = &wanted->req.filter;
	int n;

	n = parse_own(&wanted->req, argc, argv);
	if (n < 0 || filter_parse(filter, FILTERS, n, argv))
		return -1;
	/* Of IPv4 peers the ledger has the IPv4 address. */
	prefix_unmap(&filter->peer);
	filter->family = ctx->opts.family;
	return parse_services(ctx, wanted);
}

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	struct wanted *wanted = job;

	if (parse_wanted(ctx, wanted, argc, argv))
		return -1;
	return repeat_set(ctx, &wanted->req.filter);
}

static int parse_top(struct ctx *ctx, void *job, int argc, char **argv)
{
	struct wanted *wanted = job;

	if (parse_wanted(ctx, wanted, argc, argv))
		return -1;
	return repeat_top(ctx, &wanted->req.filter);
}

/* Where nobody is listed, that may be for a reason that the user can remove. */
static int check_config(struct dsnl *nl)
{
	struct config config = { };
	int error;

	error = config_get(nl, false, &config);
	if (error) {
		dsnl_err(nl, "cannot get the settings", error);
		return -1;
	}
	if (!config.peers)
		err("warning: the ledger is off, no peer is kept: dsctl set peers on");
	else if (!config.tracking)
		err("warning: tracking is off, nothing is counted");
	return 0;
}

/* Have the lines say what is new; in a table, those alone of which something is. */
static void show_new(struct ledger *ledger, bool all)
{
	size_t i, n = 0;

	for (i = 0; i < ledger->n; i++) {
		struct ledger_line *line = &ledger->v[i];

		line->entry.count = line->since;
		if (all || line->since)
			ledger->v[n++] = *line;
	}
	ledger->n = n;
}

static int get(struct ctx *ctx, const struct wanted *wanted,
	       struct ledger *ledger)
{
	struct repeat *repeat = &ctx->repeat;

	if (ledger_get(&ctx->dualstack, &wanted->req,
		       repeat->interval ? &repeat->rates : NULL, ledger) ||
	    (!ledger->n && check_config(&ctx->dualstack)))
		return -1;
	if (!repeat->interval)
		return 0;
	ledger_sort(ledger);
	if (repeat_shows_new(repeat))
		show_new(ledger, ctx->out.json);
	return 0;
}

static int run(struct ctx *ctx, void *job)
{
	struct wanted *wanted = job;
	struct servers servers = { };
	struct ledger ledger = { };
	struct row row = {
		.req = &wanted->req,
		.servers = &servers,
		.hosts = ctx->opts.resolve ? &wanted->hosts : NULL,
		.repeat = &ctx->repeat,
	};
	int ret = EXIT_KERNEL;

	if (get(ctx, wanted, &ledger) ||
	    (wanted->services && servers_get(&ctx->sock_diag, &servers)))
		goto out;
	hosts_begin(&wanted->hosts, dsnl_netns(&ctx->dualstack));
	ret = ctx->out.json ? print_json(&ctx->out, &row, &ledger)
			    : print_table(&ctx->out, &row, &ledger,
					  wanted->services);
out:
	servers_free(&servers);
	ledger_free(&ledger);
	return ret;
}

static int end(struct ctx *ctx, void *job, int status)
{
	struct wanted *wanted = job;

	(void)ctx;
	hosts_free(&wanted->hosts);
	return status;
}

#define ARGS \
	"[ in | out | refused | refused-out ] [ FILTER ] [ by GROUP ] [ REPEAT ]"
#define RULES \
	"FILTER := [ port PORT ] [ " FILTER_PROTO_ARGS " ] [ peer PREFIX ]\n" \
	"          [ process PROCESS ]\n"				\
	"GROUP  := { peer | prefix LENGTH | port | process }\n"

const struct cmd cmd_show_peers = {
	.name = "peers",
	.args = ARGS,
	.help = "The ledger: who used IPv4 or was refused, and how often",
	.rules = RULES FILTER_REPEAT_RULE,
	.details =
		"in are clients of servers here, out programs here with their peers. port is of\n"
		"the server, be it here or there. Of the directions out and refused-out process is\n"
		"the one that connected or sent. * is the rest: peers that there was no room for,\n"
		"by max-peers. With by each line is a sum, and Peers is of how many addresses.\n"
		"With -r names of peers; with -s or -j the process that has the port now, of in\n"
		"and refused, but not with -P; with -4 or -6 peers of that family alone.\n"
		"With interval again and again: all there is first, then how often each was there\n"
		"since the report before, with -j also those that were not.\n"
		"To read the ledger takes CAP_NET_ADMIN in the network namespace.",
	.needs = NEED_DUALSTACK | NEED_SOCK_DIAG,
	.right = RIGHT_NETNS,
	.every_netns = true,
	.columns = add_columns,
	.job_size = sizeof(struct wanted),
	.parse = parse,
	.run = run,
	.end = end,
};

const struct cmd cmd_top_peers = {
	.name = "peers",
	.args = ARGS,
	.help = "Peers on the screen, those first that are there most",
	.rules = RULES FILTER_TOP_RULE,
	.details =
		"As show peers has them, with all they have counted, and Rate: how often a second\n"
		"each was there since the screen before. q ends it. With -j an object on a line for\n"
		"each screen. To read the ledger takes CAP_NET_ADMIN in the network namespace.",
	.needs = NEED_STDOUT | NEED_DUALSTACK | NEED_SOCK_DIAG,
	.right = RIGHT_NETNS,
	.columns = add_top_columns,
	.job_size = sizeof(struct wanted),
	.parse = parse_top,
	.run = run,
	.end = end,
};
