// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "nl/counters.h"
#include "nl/peers.h"
#include "nl/stats.h"
#include "out/err.h"
#include "socks/report.h"
#include "socks/role.h"
#include "util/ipv6.h"

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

/* Who may not read it has an answer all the same. */
static int get_ledger(struct dsnl *nl, struct report *report)
{
	const struct peer_request all = { .direction = PEER_ANY_DIRECTION };
	int error;

	error = peers_get(nl, &all, &report->tally.entries);
	switch (error) {
	case 0:
		if (report->config.peers)
			return tally_make(&report->tally);
		report->ledger = LEDGER_OFF;
		return 0;
	case -EPERM:
		report->ledger = LEDGER_DENIED;
		return 0;
	case -EOPNOTSUPP:
		report->ledger = LEDGER_MISSING;
		return 0;
	default:
		dsnl_err(nl, "cannot get the ledger of peers", error);
		return -1;
	}
}

static struct tally *ledger_of(struct report *report)
{
	return report->ledger == LEDGER_READ ? &report->tally : NULL;
}

static int group(struct report *report)
{
	size_t i, n = report->view.socks.n;
	bool *member;
	int ret;

	member = calloc(n + 1, sizeof(*member));
	if (!member)
		return err_no_memory();
	for (i = 0; i < n; i++)
		member[i] = report->findings.set[i];
	ret = services_group(&report->services, &report->view, member,
			     report->findings.taker);
	free(member);
	return ret ? ret : services_add_closed(&report->services);
}

/* The bits of all that was found about the sockets of a service. */
static unsigned int set_of_sockets(const struct report *report, size_t service)
{
	uint32_t i = report->services.v[service].first;
	unsigned int set = 0;

	for (; i != SERVICE_NONE; i = report->services.next[i])
		set |= report->findings.set[i];
	return set;
}

static void find_sets(struct report *report)
{
	size_t i;

	for (i = 0; i < report->services.n; i++) {
		unsigned int finding, set = set_of_sockets(report, i);

		if (report->services.v[i].kind == SERVICE_CLOSED)
			for (finding = 0; finding < NUM_FINDINGS; finding++)
				if (closed_count(&report->closed, finding))
					set |= BIT(finding);
		report->set[i] = set;
	}
	for (i = 0; i < report->claims.n; i++) {
		const struct claim *claim = &report->claims.v[i];

		report->set[claim->service] |= BIT(claim->finding);
	}
	for (i = 0; i < report->services.n; i++) {
		uint16_t *set = &report->set[i];

		/* A service is ready if all of its sockets are. */
		if (*set != BIT(READY))
			*set &= ~BIT(READY);
		if (report->ledger == LEDGER_READ &&
		    *set & (BIT(SERVES_IPV4) | BIT(USES_IPV4)))
			*set &= ~BIT(LOCAL_IPV4);
	}
}

enum finding report_verdict(const struct report *report, uint32_t service)
{
	enum finding finding = 0;

	while (!(report->set[service] & BIT(finding)))
		finding++;
	return finding;
}

static int compare_services(const void *pa, const void *pb, void *arg)
{
	const uint32_t *a = pa, *b = pb;
	int diff;

	diff = (int)report_verdict(arg, *a) - (int)report_verdict(arg, *b);
	return diff ? diff : (*a > *b) - (*a < *b);
}

static int put_in_order(struct report *report)
{
	size_t i, n = report->services.n;

	report->set = calloc(n, sizeof(*report->set));
	report->order = calloc(n, sizeof(*report->order));
	if (!report->set || !report->order)
		return err_no_memory();
	find_sets(report);
	for (i = 0; i < n; i++) {
		if (!report->set[i])
			continue;
		report->order[report->n++] = i;
		report->blocking +=
			finding_infos[report_verdict(report, i)].blocks;
	}
	qsort_r(report->order, report->n, sizeof(*report->order),
		compare_services, report);
	return 0;
}

int report_make(struct ctx *ctx, struct report *report)
{
	/* AF_INET sockets and connections are needed, with and without -a. */
	const struct filter filter = { .all = true, .rules = true };
	struct stats stats = { }, tcp = { };

	report->ipv6_off = ipv6_off();
	if (check_tracking(&ctx->dualstack, &report->config) ||
	    stats_get(&ctx->dualstack, IPPROTO_TCP, &tcp) ||
	    stats_get(&ctx->dualstack, 0, &stats) ||
	    view_get(ctx, &report->view, &filter) ||
	    get_ledger(&ctx->dualstack, report) ||
	    findings_make(&report->findings, &report->view, ledger_of(report)))
		return -1;
	closed_make(&report->closed, &stats, &tcp, &report->view,
		    &report->findings, ledger_of(report));
	if (group(report))
		return -1;
	if (report->ledger == LEDGER_READ &&
	    claims_make(&report->claims, &report->tally, &report->view,
			&report->findings, &report->services))
		return -1;
	return put_in_order(report);
}

static void take_last(struct summary *sum, const struct last_peer *last)
{
	if (last->peer.family &&
	    (!sum->last.peer.family || last->age < sum->last.age))
		sum->last = *last;
}

/* What counters alone tell. */
static void add_sockets(const struct report *report, uint32_t service,
			enum finding finding, struct summary *sum)
{
	uint32_t i = report->services.v[service].first;

	for (; i != SERVICE_NONE; i = report->services.next[i]) {
		const struct sock *sk = &report->view.socks.v[i];
		const struct last_peer *last = finding_last(sk, finding);
		uint64_t n;

		if (!(report->findings.set[i] & BIT(finding)))
			continue;
		n = finding_count(&report->findings, sk, i, finding);
		sum->count += n;
		if (finding == PAST_IPV4 && !role_is_v6only(sk))
			sum->refused += n;
		if (finding == SERVES_IPV4 || finding == USES_IPV4)
			sum->conns += report->findings.conns[i];
		if (n && last)
			take_last(sum, last);
	}
}

/*
 * What the ledger tells. The sum of a server's clients is not more than what its sockets,
 * and those that are closed, can have had.
 */
static void add_peers(const struct report *report, uint32_t service,
		      enum finding finding, struct summary *sum)
{
	const struct claims *claims = &report->claims;
	uint64_t n = 0;
	size_t i;

	sum->peers = claims_find(claims, service, finding, &sum->num_peers);
	for (i = 0; i < sum->num_peers; i++) {
		const struct claim *claim = &sum->peers[i];
		const struct last_peer last = { claim->peer, claim->age };

		n += claim->count;
		if (finding == PAST_IPV4)
			sum->refused += claim->refused;
		sum->taken += claim->taken;
		take_last(sum, &last);
	}
	if (finding == SERVES_IPV4 && service < claims->num_shared)
		n = n > claims->shared[service] ? n - claims->shared[service] : 0;
	sum->count += n;
}

/* Whether a socket's last peer is one that the finding is about. */
static bool is_of(const struct last_peer *last, enum finding finding)
{
	const struct endpoint *peer = &last->peer;

	switch (finding) {
	case SERVES_IPV4:
		return !role_is_loopback(peer, true);
	case REFUSES_IPV6:
		return peer->family == AF_INET6;
	case REFUSES_IPV4:
		return peer->family == AF_INET;
	default:
		return true;
	}
}

/* Of a client the ledger has no port, but a socket has that of its last one. */
static void find_port(const struct report *report, uint32_t service,
		      enum finding finding, struct summary *sum)
{
	uint32_t i = report->services.v[service].first;
	struct summary socks = { };

	for (; i != SERVICE_NONE; i = report->services.next[i]) {
		const struct last_peer *last =
			finding_last(&report->view.socks.v[i], finding);

		if (report->findings.set[i] & BIT(finding) && last &&
		    is_of(last, finding))
			take_last(&socks, last);
	}
	if (!sum->last.peer.port && socks.last.peer.family)
		sum->last = socks.last;
}

static bool is_of_clients(enum finding finding)
{
	return finding == IPV4_ONLY || finding == SERVES_IPV4 ||
	       finding == SHADOWED || finding == LOCAL_IPV4 ||
	       finding == UNUSED_IPV4 || finding == READY;
}

/* By counters alone: there is no ledger of native clients. */
static double share_of(const struct report *report, uint32_t service,
		       enum finding finding)
{
	uint32_t i = report->services.v[service].first;
	uint64_t native = 0, all = 0;

	if (!is_of_clients(finding))
		return -1;
	for (; i != SERVICE_NONE; i = report->services.next[i]) {
		const struct sock *sk = &report->view.socks.v[i];

		if (!role_is_server(sk))
			continue;
		native += role_count(sk, COUNTER_INDEX(NATIVE_ACCEPT)) +
			  role_count(sk, COUNTER_INDEX(NATIVE_RECV));
		all += role_served(sk);
	}
	all += native;
	return all ? (double)native / all : -1;
}

struct summary report_summary(const struct report *report, uint32_t service,
			      enum finding finding)
{
	struct summary sum = { };

	if (report->services.v[service].kind == SERVICE_CLOSED)
		sum.count = closed_count(&report->closed, finding);
	add_sockets(report, service, finding, &sum);
	add_peers(report, service, finding, &sum);
	if (sum.num_peers && sum.last.peer.family)
		find_port(report, service, finding, &sum);
	sum.share = share_of(report, service, finding);
	return sum;
}

void report_free(struct report *report)
{
	free(report->order);
	free(report->set);
	claims_free(&report->claims);
	tally_free(&report->tally);
	findings_free(&report->findings);
	services_free(&report->services);
	view_free(&report->view);
}
