// SPDX-License-Identifier: GPL-2.0
/* dsctl audit */
#include <stdlib.h>
#include <sys/socket.h>

#include "cmd/list.h"
#include "out/json.h"
#include "out/table.h"
#include "out/text.h"
#include "out/time.h"
#include "socks/advice.h"
#include "socks/detail.h"
#include "socks/put.h"
#include "socks/report.h"

#define MAX_SOCKS 2	/* sockets that a line of the table names */

static bool is_closed(const struct report *report, uint32_t service)
{
	return report->services.v[service].kind == SERVICE_CLOSED;
}

static json_t *json_peer(const struct endpoint *ep)
{
	char buf[ENDPOINT_STRLEN];

	return ep->family ? json_string(detail_peer_str(ep, buf)) : json_null();
}

static json_t *json_peers(const struct report *report,
			  const struct summary *sum)
{
	json_t *array;
	size_t i;

	if (report->ledger != LEDGER_READ)
		return json_null();
	array = json_array();
	for (i = 0; i < sum->num_peers; i++) {
		const struct claim *claim = &sum->peers[i];

		json_add(array, json_pack("{s:o, s:I, s:I}",
					  "peer", json_peer(&claim->peer),
					  "count", (json_int_t)claim->count,
					  "last_age_ms", (json_int_t)claim->age));
	}
	return array;
}

static json_t *json_cookies(const struct report *report, uint32_t service,
			    enum finding finding)
{
	uint32_t i = report->services.v[service].first;
	json_t *cookies = json_array();

	for (; i != SERVICE_NONE; i = report->services.next[i])
		if (report->findings.set[i] & BIT(finding))
			json_add(cookies,
				 json_integer(report->view.socks.v[i].cookie));
	return cookies;
}

static json_t *json_finding(const struct report *report, uint32_t service,
			    enum finding finding, struct text *text)
{
	const struct finding_info *info = &finding_infos[finding];
	struct summary sum = report_summary(report, service, finding);
	const struct last_peer *last = &sum.last;
	struct text advice = { };
	json_t *obj;

	text_clear(text);
	detail_put(report, service, finding, &sum, true, text);
	advice_put(report, service, finding, &advice);
	obj = json_pack("{s:s, s:b, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:o}",
			"finding", info->name, "blocks", info->blocks,
			"count", (json_int_t)sum.count,
			"connections", (json_int_t)sum.conns,
			"last_peer", json_peer(&last->peer),
			"last_age_ms", last->peer.family ?
				json_integer(last->age) : json_null(),
			"peers", json_peers(report, &sum),
			"share_ipv6", sum.share < 0 ? json_null()
						    : json_real(sum.share),
			"rule", json_rule(advice_rule(report, service, finding)),
			"detail", text->buf,
			"advice", advice.buf,
			"cookies", json_cookies(report, service, finding));
	free(advice.buf);
	return obj;
}

static json_t *json_sockets(const struct out *out, const struct report *report,
			    uint32_t service)
{
	uint32_t i = report->services.v[service].first;
	struct dev_name dev = { };
	json_t *array = json_array();

	for (; i != SERVICE_NONE; i = report->services.next[i])
		json_add(array, json_socket(out, &report->view.procs,
					    &report->view.socks.v[i], &dev));
	return array;
}

static json_t *json_service(const struct out *out, const struct report *report,
			    uint32_t service, struct text *text)
{
	const struct services *services = &report->services;
	bool is_program = services->v[service].kind == SERVICE_PROGRAM;
	json_t *findings = json_array(), *name, *obj;
	unsigned int i;

	for (i = 0; i < NUM_FINDINGS; i++)
		if (report->set[service] & BIT(i))
			json_add(findings,
				 json_finding(report, service, i, text));
	text_clear(text);
	service_name(services, &report->view, service, text);
	name = text->failed ? NULL : json_text(text->buf);
	obj = json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:o}",
			"netns", json_netns(out), "service", name,
			"uid", is_program ? json_integer(services->v[service].uid)
					  : json_null(),
			"processes",
			service_processes(services, &report->view, service),
			"verdict",
			finding_infos[report_verdict(report, service)].name,
			"findings", findings,
			"sockets", json_sockets(out, report, service));
	if (obj && is_closed(report, service))
		json_set(obj, "counters", json_counters(report->closed.gone));
	return obj;
}

/* What a report without the ledger cannot tell, or NULL. */
static const char *ledger_words(const struct report *report)
{
	static const char *const words[] = {
		[LEDGER_OFF] = "off (see dsctl set peers)",
		[LEDGER_DENIED] =
			"not to be seen: that takes CAP_NET_ADMIN in the network namespace",
		[LEDGER_MISSING] = "not kept by this version of the module",
	};

	return report->ledger == LEDGER_READ ? NULL : words[report->ledger];
}

static int print_json(struct out *out, const struct report *report)
{
	const char *missing = ledger_words(report);
	struct json_array array = { };
	struct text text = { };
	int ret = 0;
	size_t i;

	if (missing)
		err("warning: the ledger of peers is %s", missing);
	for (i = 0; !ret && i < report->n; i++) {
		json_t *obj = json_service(out, report, report->order[i], &text);

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

	text_puts(text, proto_name(sk->protocol));
	if (sk->peer.family) {
		text_puts(text, " to");
		ep = &sk->peer;
	}
	text_printf(text, " %s",
		    ep->family ? endpoint_str(ep, NULL, buf) : "no port");
}

static void put_sockets(const struct report *report, uint32_t service,
			enum finding finding, struct text *text)
{
	uint32_t i = report->services.v[service].first;
	size_t n = 0;

	for (; i != SERVICE_NONE; i = report->services.next[i]) {
		if (!(report->findings.set[i] & BIT(finding)))
			continue;
		if (n++ >= MAX_SOCKS)
			continue;
		text_puts(text, n > 1 ? ", " : "");
		put_socket(&report->view.socks.v[i], text);
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

/* With -s each peer has a line below that of the finding. */
static void fill_peers(const struct summary *sum, struct table *table,
		       struct text *text)
{
	size_t i;

	for (i = 0; i < sum->num_peers; i++) {
		table_line(table);
		table_text(table, "");
		table_text(table, "");
		table_text(table, "");
		text_clear(text);
		text_puts(text, "  ");
		detail_put_peer(&sum->peers[i], text);
		text_puts(text, ", last ");
		text_age(text, sum->peers[i].age);
		table_put(table, text);
		table_text(table, "");
	}
}

static void fill_finding(const struct report *report, uint32_t service,
			 enum finding finding, bool all_peers,
			 struct table *table, struct text *text)
{
	struct summary sum = report_summary(report, service, finding);

	table_text(table, finding_infos[finding].name);
	table_color(table, finding_color(finding));
	text_clear(text);
	put_sockets(report, service, finding, text);
	table_put(table, text);
	text_clear(text);
	detail_put(report, service, finding, &sum, !all_peers, text);
	table_put(table, text);
	text_clear(text);
	advice_put(report, service, finding, text);
	table_put(table, text);
	if (all_peers && finding != UNNAMED_IPV4)
		fill_peers(&sum, table, text);
}

/* A line for each finding: the first has the service's name and verdict. */
static void fill_lines(const struct report *report, uint32_t service,
		       bool all_peers, struct table *table, struct text *text)
{
	bool first = true;
	unsigned int i;

	for (i = 0; i < NUM_FINDINGS; i++) {
		if (!(report->set[service] & BIT(i)))
			continue;
		table_line(table);
		text_clear(text);
		if (first) {
			service_text(&report->services, &report->view, service,
				     text);
			table_put(table, text);
		} else {
			table_text(table, "");
		}
		first = false;
		fill_finding(report, service, i, all_peers, table, text);
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

/* Events of peers that gave way to others. */
static uint64_t count_rests(const struct report *report)
{
	const struct peer_list *entries = &report->tally.entries;
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < entries->n; i++)
		if (!entries->v[i].peer.family)
			n += entries->v[i].count;
	return n;
}

/* What was looked at and what was not. */
static void print_scope(const struct ctx *ctx, const struct report *report)
{
	const char *missing = ledger_words(report);
	uint64_t rests;

	if (missing) {
		printf("The ledger of peers is %s.\n", missing);
		puts("With whom sockets dealt that are closed is not known.");
		puts("Looked at: counters of TCP and UDP.");
	} else {
		rests = count_rests(report);
		puts("Looked at: counters of TCP and UDP, and the ledger of peers.");
		if (rests)
			printf("Of %llu events the peers are not in it any more (max-peers %u).\n",
			       (unsigned long long)rests,
			       report->config.max_peers);
		if (report->closed.answers)
			printf("Taken for answers, or from before it: %llu of closed sockets.\n",
			       (unsigned long long)report->closed.answers);
	}
	if (!report->view.procs.complete)
		puts("Not seen: processes of others, so that their sockets go by owner and port.");
	printf("Not looked at: raw sockets, other protocols%s.\n",
	       ctx->opts.every_netns ? "" : ", other network namespaces");
}

/* Whether something can have been that is in no finding which blocks. */
static bool has_unknown(const struct report *report)
{
	size_t i;

	if (report->closed.answers)
		return true;
	for (i = 0; i < report->n; i++)
		if (report->set[report->order[i]] & BIT(UNNAMED_IPV4))
			return true;
	return false;
}

static void print_words(const struct ctx *ctx, const struct report *report)
{
	char since[TIME_STRLEN];

	if (report->blocking)
		printf("%zu of %zu services would miss IPv4.\n",
		       report->blocking, report->n);
	else
		printf("None of %zu services would miss IPv4%s.\n", report->n,
		       has_unknown(report) ? ", as far as is known" : "");
	if (report->config.since)
		printf("Watched since %s.\n",
		       time_str(report->config.since, TIME_ZONE, since));
	else if (!report->config.tracking)
		puts("Not watched: what was seen is from before.");
	print_scope(ctx, report);
	if (report->ipv6_off)
		printf("IPv6 is off here (%s): nothing can move to it.\n",
		       report->ipv6_off);
}

static int print_table(struct ctx *ctx, const struct report *report)
{
	struct text text = { };
	struct table table;
	size_t i;
	int ret;

	table_init(&table, &ctx->out);
	columns(&table);
	for (i = 0; i < report->n; i++)
		fill_lines(report, report->order[i], ctx->opts.stats, &table,
			   &text);
	free(text.buf);
	ret = table_out(&table);
	if (ret)
		return ret;
	if (report->n)
		putchar('\n');
	print_words(ctx, report);
	return EXIT_OK;
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
	struct report report = { };
	int ret = EXIT_KERNEL;

	(void)job;
	if (report_make(ctx, &report))
		goto out;
	ret = ctx->out.json ? print_json(&ctx->out, &report)
			    : print_table(ctx, &report);
	if (!ret && report.blocking)
		ret = EXIT_FOUND;
out:
	report_free(&report);
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
