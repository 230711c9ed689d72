// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "out/err.h"
#include "socks/ledger.h"
#include "socks/prefix.h"
#include "socks/procs.h"
#include "socks/rates.h"
#include "util/array.h"

uint16_t ledger_port(const struct peer_entry *entry)
{
	return peer_is_outbound(entry->direction) ? entry->peer.port
						  : entry->local_port;
}

static bool is_wanted(const struct peer_entry *entry,
		      const struct filter *filter)
{
	if (filter->port && filter->port != ledger_port(entry))
		return false;
	if (filter->family && filter->family != entry->peer.family)
		return false;
	if (filter->given & FILTER_PEER &&
	    !prefix_has(&filter->peer, &entry->peer))
		return false;
	return !filter->process || (peer_has_task(entry) &&
				    comm_is(entry->comm, filter->process));
}

/* As entries come, for what is not wanted is not to take memory. */
struct gathering {
	const struct filter *filter;
	struct ledger *ledger;
};

static void gather_start(void *arg)
{
	const struct gathering *gathering = arg;

	gathering->ledger->n = 0;
}

static int gather_each(const struct peer_entry *entry, void *arg)
{
	const struct gathering *gathering = arg;
	struct ledger *ledger = gathering->ledger;
	struct ledger_line *line;

	if (!is_wanted(entry, gathering->filter))
		return 0;
	if (array_grow((void **)&ledger->v, ledger->n, &ledger->size,
		       sizeof(*ledger->v)))
		return -ENOMEM;
	line = &ledger->v[ledger->n++];
	line->entry = *entry;
	line->since = 0;
	line->num_peers = !!entry->peer.family;
	line->has_task = peer_has_task(entry);
	return 0;
}

static int compare_ports(const struct peer_entry *a, const struct peer_entry *b)
{
	int diff = a->protocol - b->protocol;

	return diff ? diff : ledger_port(a) - ledger_port(b);
}

static int compare_tasks(const struct ledger_line *a,
			 const struct ledger_line *b)
{
	int diff = a->has_task - b->has_task;

	if (!diff)
		diff = strcmp(a->entry.comm, b->entry.comm);
	if (!diff)
		diff = (a->entry.uid > b->entry.uid) -
		       (a->entry.uid < b->entry.uid);
	return diff;
}

/*
 * Whether lines are of one group, by 0; else their order. The prefixes of two addresses
 * are not looked at here: in the order of addresses those of one are side by side.
 */
static int compare_groups(const struct ledger_line *a,
			  const struct ledger_line *b, enum ledger_group group)
{
	int diff = a->entry.direction - b->entry.direction;

	if (!diff && group == GROUP_PORT)
		diff = compare_ports(&a->entry, &b->entry);
	if (!diff && group == GROUP_PROCESS)
		diff = compare_tasks(a, b);
	return diff;
}

static int compare_members(const void *pa, const void *pb, void *arg)
{
	const struct ledger_line *a = pa, *b = pb;
	const enum ledger_group *group = arg;
	int diff = compare_groups(a, b, *group);

	return diff ? diff : endpoint_compare(&a->entry.peer, &b->entry.peer);
}

/* Those that are there most often come first; what else there is makes an order of it. */
static int compare_counts(const void *pa, const void *pb)
{
	const struct ledger_line *a = pa, *b = pb;
	int diff;

	diff = (a->entry.count < b->entry.count) -
	       (a->entry.count > b->entry.count);
	if (!diff)
		diff = a->entry.direction - b->entry.direction;
	if (!diff)
		diff = compare_ports(&a->entry, &b->entry);
	if (!diff)
		diff = endpoint_compare(&a->entry.peer, &b->entry.peer);
	return diff ? diff : compare_tasks(a, b);
}

static int compare_since(const void *pa, const void *pb)
{
	const struct ledger_line *a = pa, *b = pb;

	if (a->since != b->since)
		return a->since < b->since ? 1 : -1;
	return compare_counts(a, b);
}

/* The addresses that count as one with that of an entry, none where all do. */
static struct prefix prefix_of(const struct peer_entry *entry,
			       const struct ledger_request *req)
{
	struct prefix prefix = { .ep = entry->peer };
	uint8_t max = entry->peer.family == AF_INET6 ? 128 : 32;

	prefix.len = max;
	if (req->group == GROUP_PREFIX && req->prefix_len < max)
		prefix.len = req->prefix_len;
	return prefix;
}

static bool is_member(const struct ledger_line *sum,
		      const struct ledger_line *line,
		      const struct ledger_request *req)
{
	struct prefix prefix;

	if (compare_groups(sum, line, req->group))
		return false;
	if (req->group != GROUP_PEER && req->group != GROUP_PREFIX)
		return true;
	if (sum->entry.peer.family != line->entry.peer.family)
		return false;
	prefix = prefix_of(&sum->entry, req);
	return !prefix.ep.family || prefix_has(&prefix, &line->entry.peer);
}

/* Leave of the first line of a group what all of them have in common. */
static void keep_common(struct ledger_line *line,
			const struct ledger_request *req)
{
	struct peer_entry *entry = &line->entry;
	struct prefix prefix = prefix_of(entry, req);
	uint16_t peer_port = entry->peer.port;

	if (req->group != GROUP_PORT) {
		entry->protocol = 0;
		entry->local_port = 0;
	}
	if (req->group != GROUP_PROCESS) {
		line->has_task = false;
		entry->uid = 0;
		memset(entry->comm, 0, sizeof(entry->comm));
	}
	prefix_mask(&prefix);
	entry->peer = prefix.ep;
	entry->peer.port = 0;
	if (req->group == GROUP_PORT || req->group == GROUP_PROCESS)
		memset(&entry->peer, 0, sizeof(entry->peer));
	if (req->group == GROUP_PORT)
		entry->peer.port = peer_port;
}

static void add_up(struct ledger_line *sum, const struct ledger_line *line)
{
	sum->entry.count += line->entry.count;
	sum->since += line->since;
	if (line->entry.first_age > sum->entry.first_age)
		sum->entry.first_age = line->entry.first_age;
	if (line->entry.last_age < sum->entry.last_age)
		sum->entry.last_age = line->entry.last_age;
}

/* Make the members of each group, which are side by side, one line. */
static void merge(struct ledger *ledger, const struct ledger_request *req)
{
	struct ledger_line *sum = NULL, *line;
	struct endpoint last = { };

	for (line = ledger->v; line < ledger->v + ledger->n; line++) {
		if (!sum || !is_member(sum, line, req)) {
			if (sum)
				keep_common(sum, req);
			sum = sum ? sum + 1 : ledger->v;
			last = line->entry.peer;
			*sum = *line;
			continue;
		}
		sum->num_peers += line->num_peers &&
				  endpoint_compare(&last, &line->entry.peer);
		last = line->entry.peer;
		add_up(sum, line);
	}
	if (!sum)
		return;
	keep_common(sum, req);
	ledger->n = sum - ledger->v + 1;
}

int ledger_get(struct dsnl *nl, const struct ledger_request *req,
	       struct rates *rates, struct ledger *ledger)
{
	struct gathering gathering = { &req->filter, ledger };
	enum ledger_group group = req->group;
	struct peer_request ask = {
		.direction = req->direction,
		.protocol = req->filter.proto,
	};
	int error;

	/* Where it is the local port that is meant, the kernel can look for it. */
	if (ask.direction != PEER_ANY_DIRECTION &&
	    !peer_is_outbound(ask.direction))
		ask.local_port = req->filter.port;
	error = peers_walk(nl, &ask, gather_start, gather_each, &gathering);
	if (error) {
		dsnl_err(nl, "cannot get the ledger of peers", error);
		return -1;
	}

	/* Of entries and not of sums, which fall where one of theirs gives way. */
	if (rates && rates_peers(rates, nl, ledger))
		return -1;
	if (group != GROUP_NONE && ledger->n) {
		qsort_r(ledger->v, ledger->n, sizeof(*ledger->v),
			compare_members, &group);
		merge(ledger, req);
	}
	if (ledger->n)
		qsort(ledger->v, ledger->n, sizeof(*ledger->v), compare_counts);
	return 0;
}

void ledger_sort(struct ledger *ledger)
{
	if (ledger->n)
		qsort(ledger->v, ledger->n, sizeof(*ledger->v), compare_since);
}

void ledger_free(struct ledger *ledger)
{
	free(ledger->v);
	memset(ledger, 0, sizeof(*ledger));
}
