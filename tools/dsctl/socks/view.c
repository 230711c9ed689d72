// SPDX-License-Identifier: GPL-2.0
/*
 * Records come from the module and sockets from sock_diag, in this order: a
 * socket that closes in between is then left out, and none is listed without
 * the counts that it had.
 *
 * Only where a port is given, and sock_diag finds few sockets that have it, it is
 * the other way round: then the kernel need not tell about all the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "nl/counters.h"
#include "nl/dsnl.h"
#include "out/err.h"
#include "socks/ruled.h"
#include "socks/view.h"
#include "util/array.h"

/**
 * enum pass_reason - When sock_diag is asked for some kind of sockets.
 * @SERVERS: always, they are all listed.
 * @OTHERS: if one of them has counts.
 *
 * With -a all are asked for.
 */
enum pass_reason {
	SERVERS,
	OTHERS,
};

/* AF_INET ones are asked for in any case: they may shadow dual ones. */
static const struct pass {
	enum pass_reason reason;
	struct diag_request req;
} passes[] = {
	{ SERVERS, { AF_INET6, IPPROTO_TCP, DIAG_STATE(TCP_LISTEN), 0 } },
	{ SERVERS, { AF_INET6, IPPROTO_UDP, DIAG_ALL_STATES, 0 } },
	{ OTHERS, { AF_INET6, IPPROTO_TCP, ~DIAG_STATE(TCP_LISTEN), 0 } },
	{ SERVERS, { AF_INET, IPPROTO_TCP, DIAG_STATE(TCP_LISTEN), 0 } },
	{ SERVERS, { AF_INET, IPPROTO_UDP, DIAG_STATE(TCP_CLOSE), 0 } },
	{ OTHERS, { AF_INET, IPPROTO_TCP, ~DIAG_STATE(TCP_LISTEN), 0 } },
	{ OTHERS, { AF_INET, IPPROTO_UDP, ~DIAG_STATE(TCP_CLOSE), 0 } },
};

static bool is_missing(const struct record *rec)
{
	return !rec->found && counters_any(rec->counters);
}

/*
 * Whether a pass can find the socket of a record. AF_INET6 sockets come first;
 * IPV6_ADDRFORM turns one into an AF_INET socket.
 */
static bool finds_missing(const struct record_list *records,
			  const struct diag_request *req)
{
	size_t i;

	for (i = 0; i < records->n; i++) {
		const struct record *rec = &records->v[i];

		if (rec->protocol == req->protocol &&
		    (rec->family == req->family || req->family == AF_INET) &&
		    is_missing(rec))
			return true;
	}
	return false;
}

static bool is_needed(const struct view *view, const struct filter *filter,
		      const struct pass *pass)
{
	return filter->all || filter->port || pass->reason == SERVERS ||
	       finds_missing(&view->records, &pass->req);
}

static const struct record none = { .explicit_port = -1 };

/* Give the sockets from one on their records. */
static void join(struct view *view, size_t from)
{
	struct record *rec;
	size_t i;

	for (i = from; i < view->socks.n; i++) {
		rec = records_find(&view->records, view->socks.v[i].cookie);
		if (rec)
			rec->found = true;
		view->socks.v[i].rec = rec ? rec : &none;
	}
}

/*
 * Sockets that are not listed have no port, and are not connected. Which they are is
 * known where sock_diag has listed all others.
 */
static bool wants_unlisted(const struct filter *filter)
{
	return !filter->port && (!(filter->given & FILTER_STATE) ||
				 filter->states & DIAG_STATE(TCP_CLOSE));
}

static int get_sockets(struct view *view, const struct filter *filter,
		       struct dsnl *nl)
{
	struct diag_request req;
	int ret = 0;
	size_t i, n;

	for (i = 0; !ret && i < ARRAY_SIZE(passes); i++) {
		req = passes[i].req;
		if (filter->proto && filter->proto != req.protocol)
			continue;
		if (!is_needed(view, filter, &passes[i]))
			continue;
		req.port = filter->port;
		if (!filter->all)
			req.states &= ~DIAG_MINI_STATES;
		if (filter->given & FILTER_STATE && !wants_unlisted(filter))
			req.states &= filter->states;
		if (!req.states)
			continue;
		n = view->socks.n;
		ret = diag_dump(nl, &req, &view->socks);
		if (!ret)
			join(view, n);
	}
	return ret ? ret : sock_list_shadow(&view->socks);
}

/*
 * List the sockets of records for which none was found. Either the socket has been
 * closed since, and has no record any more, or sock_diag does not list it, as it is
 * in none of the hash tables that it goes through: it was never bound (connect() or
 * bind() was refused) or, before Linux 6.8, is a TCP socket that is bound and no
 * more.
 */
static int get_unlisted(struct view *view, const struct filter *filter,
			struct dsnl *nl)
{
	struct record_list now = { };
	int ret = 0;
	size_t i;

	for (i = 0; i < view->records.n; i++)
		if (is_missing(&view->records.v[i]))
			break;
	if (i == view->records.n)
		return 0;
	if (records_dump(nl, &now)) {
		ret = -1;
		goto out;
	}

	for (; i < view->records.n; i++) {
		const struct record *rec = &view->records.v[i];
		struct sock *sk;

		if (!is_missing(rec) || !records_find(&now, rec->cookie))
			continue;
		if (filter->proto && filter->proto != rec->protocol)
			continue;
		sk = sock_list_add(&view->socks);
		if (!sk) {
			ret = err_no_memory();
			goto out;
		}
		sk->cookie = rec->cookie;
		sk->family = rec->family;
		sk->protocol = rec->protocol;
		sk->state = TCP_CLOSE;
		sk->mode = rec->family == AF_INET ? MODE_V4 : NUM_MODES;
		sk->v6only = -1;
		sk->unlisted = true;
		sk->rec = rec;
	}
out:
	records_free(&now);
	return ret;
}

/* An AF_INET socket that is connected is a client's, or else has counts. */
static bool is_server(const struct sock *sk)
{
	if (sk->protocol == IPPROTO_UDP)
		return sk->family == AF_INET6 || sk->state == TCP_CLOSE;
	return sk->state == TCP_LISTEN;
}

/*
 * Whether a socket was given its port by bind(), or as if by that: it is what another
 * bind() meets. The connections of TCP would be thousands where a listener is looked
 * for.
 */
static bool is_bound(const struct sock *sk)
{
	return sk->protocol == IPPROTO_UDP || sk->state == TCP_CLOSE;
}

static bool is_shown(const struct sock *sk, const struct filter *filter,
		     uint32_t ifindex)
{
	if (filter->given & FILTER_MODE && sk->mode != filter->mode)
		return false;
	if (filter->family && sk->family != filter->family)
		return false;
	if (filter->given & FILTER_STATE &&
	    !(filter->states & DIAG_STATE(sk->state)))
		return false;
	if (filter->given & FILTER_UID &&
	    (!sock_has_owner(sk) || sk->uid != filter->uid))
		return false;
	if (ifindex && sk->ifindex != ifindex)
		return false;
	if (!filter_ends(filter, sk->protocol, &sk->local, &sk->peer))
		return false;
	return filter->all || is_server(sk) || (filter->port && is_bound(sk)) ||
	       counters_any(sk->rec->counters);
}

static void keep_shown(struct sock_list *list, const struct filter *filter,
		       uint32_t ifindex)
{
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		if (is_shown(&list->v[i], filter, ifindex))
			list->v[n++] = list->v[i];
	list->n = n;
}

static void keep_process(struct view *view, const char *process)
{
	struct sock_list *list = &view->socks;
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		if (procs_has(&view->procs, &list->v[i], process))
			list->v[n++] = list->v[i];
	list->n = n;
}

int sock_compare(const void *pa, const void *pb)
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
void sock_list_sort(struct sock_list *list)
{
	size_t i, n = 0;

	if (!list->n)
		return;
	qsort(list->v, list->n, sizeof(*list->v), sock_compare);
	for (i = 1; i < list->n; i++)
		if (list->v[i].cookie != list->v[n].cookie)
			list->v[++n] = list->v[i];
	list->n = n + 1;
}

/* Up to so many records are asked for one by one. */
#define FEW_SOCKETS 64

static int get_all(struct ctx *ctx, struct view *view,
		   const struct filter *filter)
{
	struct dsnl *nl = &ctx->dualstack;
	int ret;

	if (filter->port) {
		ret = get_sockets(view, filter, &ctx->sock_diag);
		if (ret)
			return ret;
		/* The others have said whether it is shadowed. */
		if (filter->cookie)
			sock_list_keep(&view->socks, filter->cookie);
		if (view->socks.n <= FEW_SOCKETS)
			ret = records_get(nl, &view->records, &view->socks);
		else
			ret = records_dump(nl, &view->records);
		if (!ret)
			join(view, 0);
		return ret;
	}

	ret = records_dump(nl, &view->records);
	return ret ? ret : get_sockets(view, filter, &ctx->sock_diag);
}

/* Rules that do nothing decide about no socket. */
static int get_rules(struct ctx *ctx, struct view *view)
{
	bool idle = false;

	if (rules_dump(&ctx->dualstack, &view->rules) ||
	    (view->rules.n && ruled_warn_idle(ctx, &idle)))
		return -1;
	if (!idle)
		ruled_join(&view->socks, &view->rules);
	return 0;
}

int view_get(struct ctx *ctx, struct view *view, const struct filter *filter)
{
	struct dsnl *nl = &ctx->dualstack;
	uint32_t ifindex = 0;
	int ret;

	if (filter_dev(filter, ctx->opts.every_netns, &ifindex))
		return -1;
	nl->no_warnings = filter->no_peers;
	ret = get_all(ctx, view, filter);
	/* They are no servers. */
	if (!ret && wants_unlisted(filter) && (ctx->out.json || filter->all))
		ret = get_unlisted(view, filter, nl);
	nl->no_warnings = false;
	if (ret)
		return ret;

	keep_shown(&view->socks, filter, ifindex);
	sock_list_sort(&view->socks);
	if (filter->rules && get_rules(ctx, view))
		return -1;
	if (filter->no_processes)
		return 0;
	ret = procs_find(&view->procs, &view->socks);
	if (!ret && filter->process)
		keep_process(view, filter->process);
	return ret;
}

const uint64_t *view_since(const struct view *view, const struct sock *sk)
{
	if (sk->rec == &none)
		return none.counters;
	return &view->since[(sk->rec - view->records.v) * NUM_COUNTERS];
}

void view_free(struct view *view)
{
	free(view->since);
	procs_free(&view->procs);
	sock_list_free(&view->socks);
	records_free(&view->records);
	rules_free(&view->rules);
}
