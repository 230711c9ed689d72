// SPDX-License-Identifier: GPL-2.0
/*
 * dsctl export: the text format of Prometheus, for the textfile collector of
 * its node_exporter.
 *
 * All samples of a metric stand together, whatever namespace they are from, so
 * they are collected first. Sockets with the same labels are added up to one
 * sample, as no two may have the same labels.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/list.h"
#include "nl/config.h"
#include "nl/counters.h"
#include "nl/diag.h"
#include "nl/stats.h"
#include "out/save.h"
#include "out/text.h"
#include "socks/filter.h"
#include "socks/view.h"
#include "util/array.h"
#include "util/utf8.h"

/**
 * struct sample - What is known under a set of labels.
 * @labels: the labels as they are printed, without braces.
 * @protocol: of the sockets, 0 for the sums of a namespace.
 * @sockets: how many these are.
 * @stats: their counters, or all the sums.
 */
struct sample {
	char *labels;
	uint8_t protocol;
	uint64_t sockets;
	struct stats stats;
};

/**
 * struct exported - All that was collected, until the end prints it.
 * @file: where to, NULL for stdout.
 * @v: the samples.
 * @n: how many.
 * @size: for how many there is room.
 * @tracking: whether anything is counted: 1, 0, or -1 if that is not known.
 */
struct exported {
	const char *file;
	struct sample *v;
	size_t n;
	size_t size;
	int tracking;
};

static void put_bytes(struct text *text, const char *str, size_t len)
{
	while (len--)
		text_printf(text, "\\\\x%02x", (unsigned char)*str++);
}

/*
 * Control characters: a terminal would obey them when somebody looks at the file.
 */
static bool is_control(uint32_t code)
{
	return code < ' ' || (code >= 0x7f && code <= 0x9f);
}

/*
 * Labels name a time series, so they must not depend on the locale: whatever is UTF-8
 * stays as it is.
 */
static void put_label(struct text *text, const char *name, const char *value)
{
	uint32_t code;
	size_t len;

	text_printf(text, "%s%s=\"", text->len ? "," : "", name);
	for (; *value; value += len) {
		len = utf8_char(value, &code);
		if (*value == '\n') {
			text_puts(text, "\\n");
		} else if (!len || is_control(code)) {
			len = len ? len : 1;
			put_bytes(text, value, len);
		} else {
			if (strchr("\\\"", *value))
				text_puts(text, "\\");
			text_add(text, value, len);
		}
	}
	text_puts(text, "\"");
}

static void put_netns(struct text *text, const struct ctx *ctx)
{
	put_label(text, "netns", ctx->out.netns ? ctx->out.netns : "");
}

static const char *comm_of(const struct procs *procs, const struct sock *sk)
{
	if (sk->procs.first == PROC_NONE)
		return "";
	return procs->tasks[procs->fds[sk->procs.first].task].comm;
}

/*
 * Prometheus keeps a time series for each value of a label. Connections have a new
 * port again and again, and sockets a new cookie: no port for the former, and the
 * cookie with -s only.
 */
static void put_labels(struct text *text, const struct ctx *ctx,
		       const struct procs *procs, const struct sock *sk)
{
	bool lasting = sk->local.family && !sk->peer.family;
	char buf[ENDPOINT_STRLEN] = "";

	put_netns(text, ctx);
	put_label(text, "proto", proto_name(sk->protocol));
	put_label(text, "mode",
		  sk->mode == NUM_MODES ? "" : mode_names[sk->mode]);
	put_label(text, "local_addr",
		  lasting ? endpoint_addr(&sk->local, buf) : "");
	snprintf(buf, sizeof(buf), "%u", sk->local.port);
	put_label(text, "local_port", lasting ? buf : "");
	put_label(text, "comm", comm_of(procs, sk));
	if (!ctx->opts.stats)
		return;
	snprintf(buf, sizeof(buf), "%llu", (unsigned long long)sk->cookie);
	put_label(text, "cookie", buf);
}

static struct sample *add_sample(struct exported *exported, struct text *text,
				 uint8_t protocol)
{
	struct sample *sample;

	if (text->failed ||
	    array_grow((void **)&exported->v, exported->n, &exported->size,
		       sizeof(*exported->v)))
		return NULL;
	sample = &exported->v[exported->n];
	memset(sample, 0, sizeof(*sample));
	sample->labels = strdup(text->buf);
	sample->protocol = protocol;
	if (!sample->labels)
		return NULL;
	exported->n++;
	return sample;
}

static int add_sums(struct exported *exported, const struct ctx *ctx,
		    struct text *text, const struct stats *stats)
{
	struct sample *sample;

	text_clear(text);
	put_netns(text, ctx);
	sample = add_sample(exported, text, 0);
	if (!sample)
		return -ENOMEM;
	sample->stats = *stats;
	return 0;
}

static int add_sockets(struct exported *exported, const struct ctx *ctx,
		       struct text *text, const struct view *view)
{
	struct sample *sample;
	size_t i;

	for (i = 0; i < view->socks.n; i++) {
		const struct sock *sk = &view->socks.v[i];

		text_clear(text);
		put_labels(text, ctx, &view->procs, sk);
		sample = add_sample(exported, text, sk->protocol);
		if (!sample)
			return -ENOMEM;
		sample->sockets = 1;
		memcpy(sample->stats.counters, sk->rec->counters,
		       sizeof(sample->stats.counters));
	}
	return 0;
}

static int get_stats(struct exported *exported, struct dsnl *nl,
		     struct stats *stats)
{
	struct config config;
	int error;

	error = config_get(nl, false, &config);
	exported->tracking = error ? -1 : config.tracking;
	if (error && error != -EOPNOTSUPP) {
		dsnl_err(nl, "cannot get the settings", error);
		return -1;
	}
	return stats_get(nl, 0, stats);
}

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	struct exported *exported = job;

	if (argc > 1) {
		err("export takes one file: \"%s\"", argv[1]);
		return -1;
	}
	if (ctx->opts.json) {
		err("export prints the text format of Prometheus, not JSON");
		return -1;
	}
	exported->file = argc && strcmp(argv[0], "-") ? argv[0] : NULL;
	return 0;
}

static int run(struct ctx *ctx, void *job)
{
	const struct filter filter = {
		.all = ctx->opts.all,
		.family = ctx->opts.family,
		.no_peers = true,
	};
	struct exported *exported = job;
	struct stats stats = { };
	struct view view = { };
	struct text text = { };
	int ret = EXIT_KERNEL;

	if (get_stats(exported, &ctx->dualstack, &stats) ||
	    view_get(ctx, &view, &filter))
		goto out;
	if (add_sums(exported, ctx, &text, &stats) ||
	    add_sockets(exported, ctx, &text, &view)) {
		err_no_memory();
		goto out;
	}
	ret = EXIT_OK;
out:
	free(text.buf);
	view_free(&view);
	return ret;
}

static int compare(const void *pa, const void *pb)
{
	const struct sample *a = pa, *b = pb;
	int diff = a->protocol - b->protocol;

	return diff ? diff : strcmp(a->labels, b->labels);
}

static void sort_merge(struct exported *exported)
{
	struct sample *to = exported->v, *from;
	size_t i;

	if (!exported->n)
		return;
	qsort(exported->v, exported->n, sizeof(*exported->v), compare);
	for (from = to + 1; from < exported->v + exported->n; from++) {
		if (compare(to, from)) {
			*++to = *from;
			continue;
		}
		for (i = 0; i < NUM_COUNTERS; i++)
			to->stats.counters[i] += from->stats.counters[i];
		to->sockets += from->sockets;
		free(from->labels);
	}
	exported->n = to - exported->v + 1;
}

static bool counts(uint8_t protocol, size_t counter)
{
	switch (counters[counter].attr) {
	case DUALSTACK_A_COUNTER_MAPPED_ACCEPT:
	case DUALSTACK_A_COUNTER_NATIVE_ACCEPT:
	case DUALSTACK_A_COUNTER_V4_ACCEPT:
		return protocol == IPPROTO_TCP;
	case DUALSTACK_A_COUNTER_MAPPED_RECV:
	case DUALSTACK_A_COUNTER_NATIVE_RECV:
	case DUALSTACK_A_COUNTER_V4_RECV:
	case DUALSTACK_A_COUNTER_MAPPED_SEND:
	case DUALSTACK_A_COUNTER_V4_SEND:
	case DUALSTACK_A_COUNTER_REJECT_SEND:
		return protocol == IPPROTO_UDP;
	default:
		return counter_is_recorded(counter, protocol);
	}
}

static void put_head(FILE *f, const char *name, const char *type,
		     const char *help)
{
	fprintf(f, "# HELP dualstack_%s %s.\n# TYPE dualstack_%s %s\n", name,
		help, name, type);
}

static void put_sample(FILE *f, const char *name, const struct sample *sample,
		       uint64_t value)
{
	fprintf(f, "dualstack_%s{%s} %llu\n", name, sample->labels,
		(unsigned long long)value);
}

static void put_counter(FILE *f, const struct exported *exported,
			size_t counter, bool sums)
{
	char name[64], help[128];
	size_t i;

	snprintf(name, sizeof(name), "%s%s_total", sums ? "" : "socket_",
		 counters[counter].key);
	snprintf(help, sizeof(help), "%s%s", counters[counter].help,
		 sums ? ", in the namespace" : ", by socket");
	put_head(f, name, "counter", help);
	for (i = 0; i < exported->n; i++) {
		const struct sample *sample = &exported->v[i];

		if (sums ? !sample->protocol
			 : sample->protocol && counts(sample->protocol, counter))
			put_sample(f, name, sample,
				   sample->stats.counters[counter]);
	}
}

static void put_all(FILE *f, const struct exported *exported)
{
	size_t i;

	/*
	 * If the file cannot be replaced, the old one stays: this tells how old it
	 * is.
	 */
	put_head(f, "export_timestamp_seconds", "gauge",
		 "When this was written, since the epoch");
	fprintf(f, "dualstack_export_timestamp_seconds %lld\n",
		(long long)time(NULL));

	if (exported->tracking >= 0) {
		put_head(f, "tracking", "gauge", "Whether anything is counted");
		fprintf(f, "dualstack_tracking %d\n", exported->tracking);
	}
	for (i = 0; i < NUM_COUNTERS; i++)
		put_counter(f, exported, i, true);

	put_head(f, "untracked_total", "counter",
		 "Events whose socket could not be recorded");
	for (i = 0; i < exported->n && !exported->v[i].protocol; i++)
		put_sample(f, "untracked_total", &exported->v[i],
			   exported->v[i].stats.untracked);
	put_head(f, "tracked_sockets", "gauge",
		 "Sockets that have a record now");
	for (i = 0; i < exported->n && !exported->v[i].protocol; i++)
		put_sample(f, "tracked_sockets", &exported->v[i],
			   exported->v[i].stats.tracked);

	put_head(f, "evicted_total", "counter",
		 "Records given up for that of another socket");
	for (i = 0; i < exported->n && !exported->v[i].protocol; i++)
		put_sample(f, "evicted_total", &exported->v[i],
			   exported->v[i].stats.evicted);

	put_head(f, "sockets", "gauge", "Sockets that dsctl shows");
	for (i = 0; i < exported->n; i++)
		if (exported->v[i].protocol)
			put_sample(f, "sockets", &exported->v[i],
				   exported->v[i].sockets);
	for (i = 0; i < NUM_COUNTERS; i++)
		put_counter(f, exported, i, false);
}

static int write_file(const struct exported *exported)
{
	struct save save;
	int ret;

	ret = save_begin(&save, exported->file);
	if (ret)
		return ret;
	put_all(save.f, exported);
	return save_end(&save);
}

static int end(struct ctx *ctx, void *job, int status)
{
	struct exported *exported = job;
	size_t i;

	(void)ctx;
	if (status == EXIT_OK) {
		sort_merge(exported);
		if (exported->file)
			status = write_file(exported);
		else
			put_all(stdout, exported);
	}
	for (i = 0; i < exported->n; i++)
		free(exported->v[i].labels);
	free(exported->v);
	return status;
}

const struct cmd cmd_export = {
	.name = "export",
	.args = "[ FILE ]",
	.help = "The counters as Prometheus reads them",
	.details =
		"FILE is for node_exporter's textfile collector, which reads those that end in\n"
		".prom, and is replaced as a whole; a device or FIFO is written to. - is stdout.\n"
		"Where there is nothing to export the old FILE stays: its\n"
		"dualstack_export_timestamp_seconds tells how old it is.",
	.needs = NEED_DUALSTACK | NEED_SOCK_DIAG,
	.every_netns = true,
	.job_size = sizeof(struct exported),
	.parse = parse,
	.run = run,
	.end = end,
};
