// SPDX-License-Identifier: GPL-2.0
/*
 * dsctl export: the text format of Prometheus, for the textfile collector of
 * its node_exporter.
 *
 * All samples of a metric stand together, whatever namespace they are from, so
 * they are collected first. What has the same labels is added up to one sample, as
 * no two may have the same.
 *
 * What is counted is counted by port, as the module keeps it: it does not fall when a
 * socket closes. Labels tell what sockets have the port now.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/list.h"
#include "nl/config.h"
#include "nl/counters.h"
#include "nl/diag.h"
#include "nl/peers.h"
#include "nl/ports.h"
#include "nl/stats.h"
#include "out/prom.h"
#include "out/save.h"
#include "out/text.h"
#include "socks/filter.h"
#include "socks/view.h"
#include "util/array.h"
#include "util/file.h"
#include "util/number.h"

#define NSEC_PER_SEC 1000000000

/* The metrics, in the order in which they are printed. */
enum metric {
	METRIC_TIMESTAMP,
	METRIC_INFO,
	METRIC_TRACKING,
	METRIC_SINCE,
	METRIC_SUM,	/* and one for each counter */
	METRIC_UNTRACKED = METRIC_SUM + NUM_COUNTERS,
	METRIC_TRACKED,
	METRIC_EVICTED,
	METRIC_SOCKETS,
	METRIC_COUNT,	/* and one for each counter */
	METRIC_PEERS = METRIC_COUNT + NUM_COUNTERS,
	METRIC_LEDGER_ENTRIES,
	METRIC_MAX_SOCKETS,
	METRIC_MAX_PEERS,
};

static const struct prom_metric metrics[] = {
	/*
	 * If the file cannot be replaced, the old one stays: this tells how old it
	 * is.
	 */
	[METRIC_TIMESTAMP] = { "export_timestamp_seconds", "gauge",
		"When this was written, since the epoch" },
	[METRIC_INFO] = { "info", "gauge", "Version of the module" },
	[METRIC_TRACKING] = { "tracking", "gauge", "Whether anything is counted" },
	[METRIC_SINCE] = { "since_seconds", "gauge",
		"From when on no event was missed or forgotten, since the epoch" },
	[METRIC_UNTRACKED] = { "untracked_total", "counter",
		"Events whose socket could not be recorded" },
	[METRIC_TRACKED] = { "tracked_sockets", "gauge",
		"Sockets that have a record now" },
	[METRIC_EVICTED] = { "evicted_total", "counter",
		"Records given up for that of another socket" },
	[METRIC_SOCKETS] = { "sockets", "gauge", "Sockets that dsctl shows" },
	[METRIC_PEERS] = { "peers", "gauge",
		"Addresses in the ledger of peers, by direction and port of this host" },
	[METRIC_LEDGER_ENTRIES] = { "ledger_entries", "gauge",
		"Entries in the ledger of peers, which has at most max_peers in a direction" },
	[METRIC_MAX_SOCKETS] = { "max_sockets", "gauge",
		"How many sockets can have a record" },
	[METRIC_MAX_PEERS] = { "max_peers", "gauge",
		"How many entries the ledger can have in each direction" },
};

/**
 * struct exported - All that was collected, until the end prints it.
 * @file: where to, NULL for stdout.
 * @prom: the samples.
 * @peers_withheld: there was no right to see the ledger of a namespace.
 * @tracking: whether anything is counted: 1, 0, or -1 if that is not known.
 */
struct exported {
	const char *file;
	struct prom prom;
	bool peers_withheld;
	int tracking;
};

/**
 * struct port_range - The ports that the kernel chooses from.
 * @first: the lowest.
 * @last: the highest.
 */
struct port_range {
	unsigned int first;
	unsigned int last;
};

static void put_netns(struct text *text, const struct ctx *ctx)
{
	prom_label(text, "netns", ctx->out.netns ? ctx->out.netns : "");
}

static const char *comm_of(const struct procs *procs, const struct sock *sk)
{
	if (sk->procs.first == PROC_NONE)
		return "";
	return procs->tasks[procs->fds[sk->procs.first].task].comm;
}

static void get_port_range(struct port_range *range)
{
	char buf[64];

	if (file_start("/proc/sys/net/ipv4/ip_local_port_range", buf,
		       sizeof(buf)) <= 0 ||
	    sscanf(buf, "%u %u", &range->first, &range->last) != 2) {
		range->first = 0;
		range->last = UINT16_MAX;
	}
}

/*
 * Prometheus keeps a time series for each value of a label. Connections have a new
 * port again and again, clients that wait for answers one that the kernel chose, and
 * sockets a new cookie: no port for these, and the cookie with -s only. Of a socket
 * without a record it is not known who chose its port, but the kernel chooses from a
 * range.
 */
static bool has_lasting_port(const struct sock *sk,
			     const struct port_range *range)
{
	if (!sk->local.family || sk->peer.family)
		return false;
	if (sk->state == TCP_LISTEN)
		return true;
	if (sk->rec->explicit_port >= 0)
		return sk->rec->explicit_port;
	return sk->local.port < range->first || sk->local.port > range->last;
}

/**
 * struct place - What the labels of a sample say.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @port: in host byte order, 0 for none.
 * @mode: enum sock_mode, NUM_MODES for none.
 * @addr: local address, or "".
 * @comm: name of a process, or "".
 */
struct place {
	uint8_t protocol;
	uint16_t port;
	uint8_t mode;
	char addr[ENDPOINT_STRLEN];
	const char *comm;
};

static void put_port(struct text *text, const char *name, uint16_t port)
{
	char buf[sizeof("65535")] = "";

	if (port)
		snprintf(buf, sizeof(buf), "%u", port);
	prom_label(text, name, buf);
}

static void put_place(struct text *text, const struct ctx *ctx,
		      const struct place *place)
{
	text_clear(text);
	put_netns(text, ctx);
	prom_label(text, "proto", proto_name(place->protocol));
	prom_label(text, "mode",
		   place->mode == NUM_MODES ? "" : mode_names[place->mode]);
	prom_label(text, "local_addr", place->addr);
	put_port(text, "local_port", place->port);
	prom_label(text, "comm", place->comm);
}

static void put_cookie(struct text *text, uint64_t cookie)
{
	char buf[NUMBER_STRLEN];

	prom_label(text, "cookie", number_str(cookie, buf));
}

static void place_of_sock(struct place *place, const struct procs *procs,
			  const struct sock *sk, bool lasting)
{
	char buf[ENDPOINT_STRLEN];

	place->protocol = sk->protocol;
	place->port = lasting ? sk->local.port : 0;
	place->mode = sk->mode;
	snprintf(place->addr, sizeof(place->addr), "%s",
		 lasting ? endpoint_addr(&sk->local, buf) : "");
	place->comm = comm_of(procs, sk);
}

static int add_counts(struct prom *prom, const struct text *labels,
		      const uint64_t *values)
{
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++)
		if (values[i] &&
		    prom_add(prom, METRIC_COUNT + i, labels, values[i]))
			return -ENOMEM;
	return 0;
}

/*
 * The sums are there from the beginning, though they are 0: what appears with 1 would
 * have grown by nothing. Of ports there may be thousands, each of which sees a few
 * kinds of events.
 */
static int add_sums(struct prom *prom, const struct ctx *ctx, struct text *text,
		    const struct stats *stats)
{
	size_t i;

	text_clear(text);
	put_netns(text, ctx);
	for (i = 0; i < NUM_COUNTERS; i++)
		if (prom_add(prom, METRIC_SUM + i, text, stats->counters[i]))
			return -ENOMEM;
	if (prom_add(prom, METRIC_UNTRACKED, text, stats->untracked) ||
	    prom_add(prom, METRIC_TRACKED, text, stats->tracked) ||
	    prom_add(prom, METRIC_EVICTED, text, stats->evicted))
		return -ENOMEM;
	return 0;
}

static int add_config(struct prom *prom, const struct ctx *ctx,
		      struct text *text, const struct config *config)
{
	text_clear(text);
	put_netns(text, ctx);
	if (prom_add(prom, METRIC_MAX_SOCKETS, text, config->max_sockets) ||
	    prom_add(prom, METRIC_MAX_PEERS, text, config->max_peers))
		return -ENOMEM;
	return config->since ? prom_add(prom, METRIC_SINCE, text,
					config->since / NSEC_PER_SEC) : 0;
}

/* With -s each has its counts, which go with it. */
static int add_sockets(struct prom *prom, const struct ctx *ctx,
		       struct text *text, const struct view *view,
		       const struct port_range *range)
{
	struct place place;
	size_t i;

	for (i = 0; i < view->socks.n; i++) {
		const struct sock *sk = &view->socks.v[i];

		place_of_sock(&place, &view->procs, sk,
			      has_lasting_port(sk, range));
		put_place(text, ctx, &place);
		if (ctx->opts.stats)
			put_cookie(text, sk->cookie);
		if (prom_add(prom, METRIC_SOCKETS, text, 1) ||
		    (ctx->opts.stats &&
		     add_counts(prom, text, sk->rec->counters)))
			return -ENOMEM;
	}
	return 0;
}

/* The first socket, as they are sorted, that does not come before a port. */
static size_t first_sock(const struct sock_list *list, uint16_t port)
{
	size_t low = 0, high = list->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (list->v[mid].local.port < port)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* What the sockets of a port have in common, if there are any. */
static void place_of_port(struct place *place, const struct view *view,
			  const struct port *port, uint8_t family)
{
	struct place other;
	bool found = false;
	size_t i;

	memset(place, 0, sizeof(*place));
	place->mode = NUM_MODES;
	place->comm = "";
	for (i = first_sock(&view->socks, port->port);
	     port->port && i < view->socks.n; i++) {
		const struct sock *sk = &view->socks.v[i];

		if (sk->local.port != port->port)
			break;
		if (sk->protocol != port->protocol || sk->family != family ||
		    !sk->local.family || sk->peer.family)
			continue;
		place_of_sock(&other, &view->procs, sk, true);
		if (!found)
			*place = other;
		found = true;
		if (place->mode != other.mode)
			place->mode = NUM_MODES;
		if (strcmp(place->addr, other.addr))
			place->addr[0] = '\0';
		if (strcmp(place->comm, other.comm))
			place->comm = "";
	}
	place->protocol = port->protocol;
	place->port = port->port;
}

/* Each counter is one of sockets of one family. */
static int add_port(struct prom *prom, const struct ctx *ctx,
		    struct text *text, const struct view *view,
		    const struct port *port, uint8_t family)
{
	uint64_t values[NUM_COUNTERS] = { };
	struct place place;
	size_t i;

	if (ctx->opts.family && ctx->opts.family != family)
		return 0;
	for (i = 0; i < NUM_COUNTERS; i++)
		if (counter_family(i) == family)
			values[i] = port->counters[i];
	place_of_port(&place, view, port, family);
	put_place(text, ctx, &place);
	return add_counts(prom, text, values);
}

static int add_ports(struct prom *prom, const struct ctx *ctx,
		     struct text *text, const struct view *view,
		     const struct port_list *ports)
{
	size_t i;

	for (i = 0; i < ports->n; i++)
		if (add_port(prom, ctx, text, view, &ports->v[i], AF_INET6) ||
		    add_port(prom, ctx, text, view, &ports->v[i], AF_INET))
			return -ENOMEM;
	return 0;
}

/* Where a peer is one of many, and then who it is. */
static int compare_places(const struct peer_entry *a, const struct peer_entry *b)
{
	int diff = a->direction - b->direction;

	if (!diff)
		diff = a->protocol - b->protocol;
	return diff ? diff : a->local_port - b->local_port;
}

static int compare_peers(const void *pa, const void *pb)
{
	const struct peer_entry *a = pa, *b = pb;
	int diff = compare_places(a, b);

	if (!diff)
		diff = a->peer.family - b->peer.family;
	return diff ? diff : memcmp(&a->peer.addr, &b->peer.addr,
				    sizeof(a->peer.addr));
}

/*
 * An address is one peer, however many ports, users and programs have to do with it:
 * no label of it, lest a scan becomes a thousand time series.
 */
static int add_peers(struct prom *prom, const struct ctx *ctx,
		     struct text *text, const struct peer_list *peers)
{
	const struct peer_entry *peer = peers->v, *end = peers->v + peers->n;

	for (; peer < end; peer++) {
		/* The rest: how many it stands for is not known. */
		if (!peer->peer.family ||
		    (peer > peers->v && !compare_peers(peer - 1, peer)))
			continue;
		text_clear(text);
		put_netns(text, ctx);
		prom_label(text, "direction",
			   peer_direction_names[peer->direction]);
		prom_label(text, "proto", proto_name(peer->protocol));
		put_port(text, "port", peer->local_port);
		if (prom_add(prom, METRIC_PEERS, text, 1))
			return -ENOMEM;
	}
	return 0;
}

/* As it counts against max_peers: an entry for each port, user and program. */
static int add_entries(struct prom *prom, const struct ctx *ctx,
		       struct text *text, const struct peer_list *peers)
{
	uint64_t entries[NUM_PEER_DIRECTIONS] = { };
	size_t i;

	for (i = 0; i < peers->n; i++)
		if (peers->v[i].peer.family)
			entries[peers->v[i].direction]++;
	for (i = 0; i < NUM_PEER_DIRECTIONS; i++) {
		text_clear(text);
		put_netns(text, ctx);
		prom_label(text, "direction", peer_direction_names[i]);
		if (prom_add(prom, METRIC_LEDGER_ENTRIES, text, entries[i]))
			return -ENOMEM;
	}
	return 0;
}

/* Sets *known if there is a ledger, and a right to see it. */
static int get_peers(struct exported *exported, struct dsnl *nl,
		     struct peer_list *peers, bool *known)
{
	const struct peer_request all = { .direction = PEER_ANY_DIRECTION };
	int error = peers_get(nl, &all, peers);

	*known = !error;
	switch (error) {
	case 0:
		if (peers->n)
			qsort(peers->v, peers->n, sizeof(*peers->v),
			      compare_peers);
		return 0;
	case -EPERM:
		exported->peers_withheld = true;
		return 0;
	case -EOPNOTSUPP:
		return 0;
	default:
		dsnl_err(nl, "cannot get the ledger of peers", error);
		return -1;
	}
}

static int get_stats(struct exported *exported, struct dsnl *nl,
		     struct stats *stats, struct config *config)
{
	int error;

	error = config_get(nl, false, config);
	exported->tracking = error ? -1 : config->tracking;
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
	struct dsnl *nl = &ctx->dualstack;
	struct exported *exported = job;
	struct port_list ports = { };
	struct peer_list peers = { };
	struct config config = { };
	struct port_range range;
	struct stats stats = { };
	struct view view = { };
	struct text text = { };
	bool peers_known;
	int ret = EXIT_KERNEL;

	get_port_range(&range);
	if (get_stats(exported, nl, &stats, &config) ||
	    view_get(ctx, &view, &filter) ||
	    (!ctx->opts.stats && ports_dump(nl, &ports)) ||
	    get_peers(exported, nl, &peers, &peers_known))
		goto out;
	if (add_sums(&exported->prom, ctx, &text, &stats) ||
	    (exported->tracking >= 0 &&
	     add_config(&exported->prom, ctx, &text, &config)) ||
	    add_sockets(&exported->prom, ctx, &text, &view, &range) ||
	    add_ports(&exported->prom, ctx, &text, &view, &ports) ||
	    (peers_known &&
	     (add_peers(&exported->prom, ctx, &text, &peers) ||
	      add_entries(&exported->prom, ctx, &text, &peers)))) {
		err_no_memory();
		goto out;
	}
	ret = EXIT_OK;
out:
	free(text.buf);
	peer_list_free(&peers);
	ports_free(&ports);
	view_free(&view);
	return ret;
}

static void describe_counter(struct prom_metric *to, const char *prefix,
			     const struct counter *counter, const char *where)
{
	snprintf(to->name, sizeof(to->name), "dualstack_%s%s_total", prefix,
		 counter->key);
	to->type = "counter";
	snprintf(to->help, sizeof(to->help), "%s, %s", counter->help, where);
}

static void describe(unsigned int metric, struct prom_metric *to,
		     const void *arg)
{
	const struct ctx *ctx = arg;

	if (metric >= METRIC_SUM && metric < METRIC_UNTRACKED) {
		describe_counter(to, "", &counters[metric - METRIC_SUM],
				 "in the namespace");
	} else if (metric >= METRIC_COUNT && metric < METRIC_PEERS) {
		describe_counter(to, "socket_", &counters[metric - METRIC_COUNT],
				 ctx->opts.stats ? "by socket" : "by local port");
	} else {
		*to = metrics[metric];
		snprintf(to->name, sizeof(to->name), "dualstack_%s",
			 metrics[metric].name);
	}
}

static int add_info(struct prom *prom)
{
	struct text text = { };
	char version[64];
	int ret;

	if (file_start("/sys/module/dualstack/version", version,
		       sizeof(version)) <= 0)
		return 0;
	version[strcspn(version, "\n")] = '\0';
	prom_label(&text, "version", version);
	ret = prom_add(prom, METRIC_INFO, &text, 1);
	free(text.buf);
	return ret;
}

/* What is there once, whatever the namespaces. */
static int add_common(struct exported *exported)
{
	struct prom *prom = &exported->prom;
	struct timespec now;

	/* time() may be behind by a tick, and so of the second before. */
	clock_gettime(CLOCK_REALTIME, &now);
	if (prom_add(prom, METRIC_TIMESTAMP, NULL, now.tv_sec) ||
	    add_info(prom))
		return -ENOMEM;
	return exported->tracking < 0 ? 0 :
	       prom_add(prom, METRIC_TRACKING, NULL, exported->tracking);
}

static void print_all(struct exported *exported, const struct ctx *ctx, FILE *f)
{
	prom_print(&exported->prom, f, describe, ctx);
	if (exported->peers_withheld)
		fputs("# dualstack_peers needs CAP_NET_ADMIN in the network namespace.\n",
		      f);
}

static int write_file(struct exported *exported, const struct ctx *ctx)
{
	struct save save;
	int ret;

	ret = save_begin(&save, exported->file);
	if (ret)
		return ret;
	print_all(exported, ctx, save.f);
	return save_end(&save);
}

static int write_all(struct exported *exported, const struct ctx *ctx)
{
	if (add_common(exported)) {
		err_no_memory();
		return EXIT_KERNEL;
	}
	if (exported->file)
		return write_file(exported, ctx);
	print_all(exported, ctx, stdout);
	return EXIT_OK;
}

static int end(struct ctx *ctx, void *job, int status)
{
	struct exported *exported = job;

	if (status == EXIT_OK)
		status = write_all(exported, ctx);
	prom_free(&exported->prom);
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
