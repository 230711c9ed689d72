// SPDX-License-Identifier: GPL-2.0
/* dsctl audit */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd/list.h"
#include "nl/config.h"
#include "nl/counters.h"
#include "nl/stats.h"
#include "out/json.h"
#include "out/table.h"
#include "out/text.h"
#include "out/time.h"
#include "socks/filter.h"
#include "socks/findings.h"
#include "socks/put.h"
#include "socks/services.h"
#include "socks/view.h"
#include "util/array.h"
#include "util/ipv6.h"

#define MAX_SOCKS 2	/* sockets that a line of the table names */

/**
 * struct audit - All that the report is made of.
 * @view: the sockets; the last one stands for those that are gone.
 * @gone: what was counted on those, and connect() of TCP that is in the sums alone.
 * @closed: their record: of @gone what can be judged.
 * @services: the sockets by service.
 * @findings: what is to say about each socket.
 * @order: the services, those with the worst verdict first.
 * @config: the settings, and from when on nothing was missed.
 * @no_ipv6: IPv6 is off in this namespace.
 */
struct audit {
	struct view view;
	uint64_t gone[NUM_COUNTERS];
	struct record closed;
	struct services services;
	struct findings findings;
	uint32_t *order;
	struct config config;
	bool no_ipv6;
};

/**
 * struct summary - What was found about all sockets of a service.
 * @count: events.
 * @refused: those of them that were refused, of what is past.
 * @conns: open connections.
 * @num_socks: sockets that it was found about.
 * @last: the last peer, NULL if there was none.
 */
struct summary {
	uint64_t count;
	uint64_t refused;
	uint64_t conns;
	size_t num_socks;
	const struct last_peer *last;
};

/* With tracking off the counts say little: what happens now is not seen. */
static int check_tracking(struct dsnl *nl, struct config *config)
{
	int error;

	error = config_get(nl, false, config);
	if (error && error != -EOPNOTSUPP) {
		dsnl_err(nl, "cannot get the settings", error);
		return -1;
	}
	/* A module that has no settings yet always counts. */
	if (error)
		config->tracking = true;
	if (!config->tracking)
		err("warning: tracking is off, nothing is counted");
	return 0;
}

/*
 * From whom these came or where they went, and whether it was further than this host,
 * nobody has kept, nor whether a datagram was an answer: UNNAMED_IPV4 is all that can be
 * said.
 */
static bool is_unnamed(size_t counter)
{
	return counter == COUNTER_INDEX(V4_CONNECT) ||
	       counter == COUNTER_INDEX(V4_SEND) ||
	       counter == COUNTER_INDEX(V4_RECV);
}

static uint64_t num_unnamed(const struct audit *audit)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++)
		if (is_unnamed(i))
			n += audit->gone[i];
	return n;
}

/* Where that of UDP is not to be counted: it sends nothing. */
static bool is_connect(size_t counter)
{
	return counter == COUNTER_INDEX(MAPPED_CONNECT) ||
	       counter == COUNTER_INDEX(V4_CONNECT) ||
	       counter == COUNTER_INDEX(NATIVE_CONNECT);
}

/*
 * Events of the sums that no socket accounts for were counted on sockets that are
 * closed by now. The sums were asked for before the records, so that an event in
 * between is not taken for one of these.
 */
static int add_closed(struct audit *audit, const struct stats *stats,
		      const struct stats *tcp)
{
	struct sock_list *list = &audit->view.socks;
	uint64_t open[NUM_COUNTERS] = { };
	struct sock *sk;
	size_t i, j;

	for (i = 0; i < list->n; i++)
		for (j = 0; j < NUM_COUNTERS; j++)
			if (!is_connect(j) || list->v[i].protocol == IPPROTO_TCP)
				open[j] += list->v[i].rec->counters[j];
	for (j = 0; j < NUM_COUNTERS; j++) {
		uint64_t all = (is_connect(j) ? tcp : stats)->counters[j];

		audit->gone[j] = all > open[j] ? all - open[j] : 0;
		if (!is_unnamed(j))
			audit->closed.counters[j] = audit->gone[j];
	}

	sk = sock_list_add(list);
	if (!sk)
		return err_no_memory();
	sk->mode = NUM_MODES;
	sk->unlisted = true;
	sk->rec = &audit->closed;
	sk->procs.first = PROC_NONE;
	return 0;
}

static bool is_closed(const struct sock *sk)
{
	return !sk->cookie;
}

/* The bits of all that was found about the sockets of a service. */
static unsigned int service_set(const struct audit *audit, size_t service)
{
	uint32_t i = audit->services.v[service].first;
	unsigned int set = 0;

	for (; i != SERVICE_NONE; i = audit->services.next[i])
		set |= audit->findings.set[i];
	/* A service is ready if all of its sockets are. */
	if (set != 1U << READY)
		set &= ~(1U << READY);
	return set;
}

static enum finding verdict(const struct audit *audit, size_t service)
{
	unsigned int set = service_set(audit, service);
	enum finding finding = 0;

	while (!(set & 1U << finding))
		finding++;
	return finding;
}

static int compare_services(const void *pa, const void *pb, void *arg)
{
	const uint32_t *a = pa, *b = pb;
	int diff;

	diff = (int)verdict(arg, *a) - (int)verdict(arg, *b);
	return diff ? diff : (*a > *b) - (*a < *b);
}

static int group(struct audit *audit)
{
	size_t i, n = audit->view.socks.n;
	bool *member;
	int ret;

	member = calloc(n, sizeof(*member));
	if (!member)
		return err_no_memory();
	for (i = 0; i < n; i++)
		member[i] = audit->findings.set[i];
	ret = services_group(&audit->services, &audit->view, member,
			     audit->findings.taker);
	free(member);
	if (ret)
		return ret;

	n = audit->services.n;
	audit->order = calloc(n + 1, sizeof(*audit->order));
	if (!audit->order)
		return err_no_memory();
	for (i = 0; i < n; i++)
		audit->order[i] = i;
	qsort_r(audit->order, n, sizeof(*audit->order), compare_services,
		audit);
	return 0;
}

static int make(struct ctx *ctx, struct audit *audit)
{
	/* AF_INET sockets and connections are needed, with and without -a. */
	const struct filter filter = { .all = true };
	struct stats stats = { }, tcp = { };

	audit->no_ipv6 = ipv6_is_off();
	if (check_tracking(&ctx->dualstack, &audit->config) ||
	    stats_get(&ctx->dualstack, IPPROTO_TCP, &tcp) ||
	    stats_get(&ctx->dualstack, 0, &stats) ||
	    view_get(ctx, &audit->view, &filter) ||
	    add_closed(audit, &stats, &tcp) ||
	    findings_make(&audit->findings, &audit->view))
		return -1;
	if (num_unnamed(audit))
		audit->findings.set[audit->view.socks.n - 1] |=
			1U << UNNAMED_IPV4;
	return group(audit);
}

static struct summary summarize(const struct audit *audit, size_t service,
				enum finding finding)
{
	uint32_t i = audit->services.v[service].first;
	struct summary sum = { };

	for (; i != SERVICE_NONE; i = audit->services.next[i]) {
		const struct sock *sk = &audit->view.socks.v[i];
		const struct last_peer *last = finding_last(sk, finding);
		uint64_t n = finding == UNNAMED_IPV4 ? num_unnamed(audit) :
				      finding_count(sk, finding);

		if (!(audit->findings.set[i] & 1U << finding))
			continue;
		sum.num_socks++;
		sum.count += n;
		if (finding == PAST_IPV4 && sk->mode != MODE_V6ONLY)
			sum.refused += n;
		sum.conns += audit->findings.conns[i];
		if (n && last && last->peer.family &&
		    (!sum.last || last->age < sum.last->age))
			sum.last = last;
	}
	if (finding != SERVES_IPV4 && finding != USES_IPV4)
		sum.conns = 0;
	return sum;
}

/* Events of IPv4 that IPV6_V6ONLY as it is now does not allow. */
static const char *past_words(const struct summary *sum)
{
	if (sum->refused == sum->count)
		return "of IPv4 refused before v6only was off";
	return sum->refused ? "of IPv4 before v6only was changed"
			    : "of IPv4 before v6only was on";
}

static void put_unnamed(const struct audit *audit, struct text *text)
{
	const uint64_t *gone = audit->gone;

	text_printf(text, "%llu TCP connects, %llu sent, %llu received",
		    (unsigned long long)gone[COUNTER_INDEX(V4_CONNECT)],
		    (unsigned long long)gone[COUNTER_INDEX(V4_SEND)],
		    (unsigned long long)gone[COUNTER_INDEX(V4_RECV)]);
}

/* What was seen, in a few words. */
static void put_detail(const struct audit *audit, const struct summary *sum,
		       enum finding finding, struct text *text)
{
	static const char *const words[] = {
		[IPV4_ONLY] = "IPv6 has no socket",
		[SERVES_IPV4] = "from IPv4",
		[USES_IPV4] = "to IPv4",
		[SPOOFED] = "from a mapped source",
		[REFUSES_IPV6] = "of IPv6 refused",
		[REFUSES_IPV4] = "of IPv4 refused",
		[SHADOWED] = "IPv4 goes elsewhere",
		[LOCAL_IPV4] = "of IPv4",
		[UNUSED_IPV4] = "none from IPv4",
		[READY] = "no need of IPv4",
	};

	if (finding == UNNAMED_IPV4) {
		put_unnamed(audit, text);
		return;
	}
	if (sum->count)
		text_printf(text, "%llu ", (unsigned long long)sum->count);
	if (sum->count || !sum->conns)
		text_puts(text, finding == PAST_IPV4 ? past_words(sum)
						     : words[finding]);
	if (sum->last) {
		text_puts(text, ", last ");
		text_last(text, sum->last);
	}
	if (sum->conns)
		text_printf(text, "%s%llu connected",
			    sum->count ? ", " : "",
			    (unsigned long long)sum->conns);
}

static const char *advice(const struct audit *audit, enum finding finding)
{
	const struct finding_info *info = &finding_infos[finding];

	if (audit->no_ipv6 && info->without_ipv6)
		return info->without_ipv6;
	return info->advice;
}

static json_t *json_finding(const struct audit *audit, size_t service,
			    enum finding finding, struct text *text)
{
	const struct finding_info *info = &finding_infos[finding];
	struct summary sum = summarize(audit, service, finding);
	uint32_t i = audit->services.v[service].first;
	json_t *cookies = json_array(), *peer, *age;
	char buf[ENDPOINT_STRLEN];

	for (; i != SERVICE_NONE; i = audit->services.next[i]) {
		const struct sock *sk = &audit->view.socks.v[i];

		if (audit->findings.set[i] & 1U << finding && !is_closed(sk))
			json_add(cookies, json_integer(sk->cookie));
	}
	peer = sum.last ? json_string(endpoint_str(&sum.last->peer, NULL, buf))
			: json_null();
	age = sum.last ? json_integer(sum.last->age) : json_null();
	text_clear(text);
	put_detail(audit, &sum, finding, text);
	return json_pack("{s:s, s:b, s:I, s:I, s:o, s:o, s:s, s:s, s:o}",
			 "finding", info->name, "blocks", info->blocks,
			 "count", (json_int_t)sum.count,
			 "connections", (json_int_t)sum.conns,
			 "last_peer", peer, "last_age_ms", age,
			 "detail", text->buf, "advice", advice(audit, finding),
			 "cookies", cookies);
}

static json_t *json_sockets(const struct out *out, const struct audit *audit,
			    size_t service)
{
	uint32_t i = audit->services.v[service].first;
	struct dev_name dev = { };
	json_t *array = json_array();

	for (; i != SERVICE_NONE; i = audit->services.next[i]) {
		const struct sock *sk = &audit->view.socks.v[i];
		json_t *obj;

		if (is_closed(sk))
			continue;
		obj = json_object();
		json_add(array, obj);
		if (json_socket(out, obj, &audit->view.procs, sk, &dev)) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* The one whose only socket stands for those that are gone. */
static bool is_closed_service(const struct audit *audit, size_t service)
{
	uint32_t i = audit->services.v[service].first;

	return is_closed(&audit->view.socks.v[i]);
}

static json_t *json_service(const struct out *out, const struct audit *audit,
			    size_t service, struct text *text)
{
	unsigned int set = service_set(audit, service);
	json_t *findings = json_array(), *name, *obj;
	size_t i;

	for (i = 0; i < NUM_FINDINGS; i++)
		if (set & 1U << i)
			json_add(findings,
				 json_finding(audit, service, i, text));
	text_clear(text);
	service_name(&audit->services, &audit->view, service, text);
	name = text->failed ? NULL : json_text(text->buf);
	obj = json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}",
			"netns", json_netns(out),
			"service", name, "processes",
			service_processes(&audit->services, &audit->view,
					  service),
			"verdict", finding_infos[verdict(audit, service)].name,
			"findings", findings,
			"sockets", json_sockets(out, audit, service));
	if (obj && is_closed_service(audit, service))
		json_set(obj, "counters", json_counters(audit->gone));
	return obj;
}

static int print_json(struct out *out, const struct audit *audit)
{
	struct json_array array = { };
	struct text text = { };
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < audit->services.n; i++) {
		json_t *obj = json_service(out, audit, audit->order[i], &text);

		ret = json_array_put(out, &array, obj);
		json_decref(obj);
	}
	if (!ret)
		json_array_end(out, &array);
	free(text.buf);
	return ret ? EXIT_KERNEL : EXIT_OK;
}

/* A connection is told by its peer, any other socket by where it is bound. */
static void put_socket(const struct sock *sk, struct text *text)
{
	const struct endpoint *ep = &sk->local;
	char buf[ENDPOINT_STRLEN];

	if (is_closed(sk))
		return;
	text_puts(text, proto_name(sk->protocol));
	if (sk->peer.family) {
		text_puts(text, " to");
		ep = &sk->peer;
	}
	text_printf(text, " %s",
		    ep->family ? endpoint_str(ep, NULL, buf) : "no port");
}

static void put_sockets(const struct audit *audit, size_t service,
			enum finding finding, struct text *text)
{
	uint32_t i = audit->services.v[service].first;
	size_t n = 0;

	for (; i != SERVICE_NONE; i = audit->services.next[i]) {
		if (!(audit->findings.set[i] & 1U << finding))
			continue;
		if (n++ >= MAX_SOCKS)
			continue;
		text_puts(text, n > 1 ? ", " : "");
		put_socket(&audit->view.socks.v[i], text);
	}
	if (n > MAX_SOCKS)
		text_printf(text, ", +%zu", n - MAX_SOCKS);
}

static enum color finding_color(enum finding finding)
{
	if (finding_infos[finding].blocks || finding == SPOOFED)
		return COLOR_BAD;
	return finding == READY ? COLOR_GOOD : COLOR_NOTE;
}

/* A line for each finding: the first has the service's name and verdict. */
static void fill_lines(const struct audit *audit, size_t service,
		       struct table *table, struct text *text)
{
	unsigned int set = service_set(audit, service);
	bool first = true;
	size_t i;

	for (i = 0; i < NUM_FINDINGS; i++) {
		struct summary sum;

		if (!(set & 1U << i))
			continue;
		table_line(table);
		text_clear(text);
		if (first) {
			service_text(&audit->services, &audit->view, service,
				     text);
			table_put(table, text);
		} else {
			table_text(table, "");
		}
		first = false;
		table_text(table, finding_infos[i].name);
		table_color(table, finding_color(i));
		text_clear(text);
		put_sockets(audit, service, i, text);
		table_put(table, text);
		text_clear(text);
		sum = summarize(audit, service, i);
		put_detail(audit, &sum, i, text);
		table_put(table, text);
		table_text(table, advice(audit, i));
	}
}

static void columns(struct table *table)
{
	table_column(table, "Service", ALIGN_TEXT);
	table_column(table, "Verdict", ALIGN_LEFT);
	table_column(table, "Sockets", ALIGN_LEFT);
	table_column(table, "Seen", ALIGN_LEFT);
	table_column(table, "Advice", ALIGN_TEXT);
}

static int print_table(struct out *out, const struct audit *audit,
		       size_t blocking)
{
	char since[TIME_STRLEN];
	struct text text = { };
	struct table table;
	size_t i;
	int ret;

	table_init(&table, out);
	columns(&table);
	for (i = 0; i < audit->services.n; i++)
		fill_lines(audit, audit->order[i], &table, &text);
	free(text.buf);
	ret = table_out(&table);
	if (ret)
		return ret;

	if (audit->services.n)
		putchar('\n');
	if (blocking)
		printf("%zu of %zu services would miss IPv4.\n", blocking,
		       audit->services.n);
	else
		printf("None of %zu services would miss IPv4%s.\n",
		       audit->services.n,
		       num_unnamed(audit) ? ", as far as is known" : "");
	if (audit->config.since)
		printf("Watched since %s.\n",
		       time_str(audit->config.since, TIME_ZONE, since));
	else if (!audit->config.tracking)
		puts("Not watched: what was seen is from before.");
	if (audit->no_ipv6)
		puts("IPv6 is off here (disable_ipv6): nothing can move to it.");
	return EXIT_OK;
}

static size_t count_blocking(const struct audit *audit)
{
	size_t i, n = 0;

	for (i = 0; i < audit->services.n; i++)
		n += finding_infos[verdict(audit, i)].blocks;
	return n;
}

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	(void)job;
	(void)argc;
	(void)argv;
	if (!ctx->opts.family)
		return 0;
	err("audit looks at both families: it does not go with -%c",
	    ctx->opts.family == AF_INET ? '4' : '6');
	return -1;
}

static int run(struct ctx *ctx, void *job)
{
	struct audit audit = { };
	int ret = EXIT_KERNEL;
	size_t blocking;

	(void)job;
	if (make(ctx, &audit))
		goto out;
	blocking = count_blocking(&audit);
	ret = ctx->out.json ? print_json(&ctx->out, &audit)
			    : print_table(&ctx->out, &audit, blocking);
	if (!ret && blocking)
		ret = EXIT_FOUND;
out:
	free(audit.order);
	findings_free(&audit.findings);
	services_free(&audit.services);
	view_free(&audit.view);
	return ret;
}

const struct cmd cmd_audit = {
	.name = "audit",
	.help = "What would miss IPv4 if it went, by service",
	.details =
		"Exit status 0: nothing would, 3: something would.",
	.needs = NEED_DUALSTACK | NEED_SOCK_DIAG,
	.every_netns = true,
	.columns = columns,
	.parse = parse,
	.run = run,
};
