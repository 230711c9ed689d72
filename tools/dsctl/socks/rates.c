// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "nl/dsnl.h"
#include "nl/stats.h"
#include "out/err.h"
#include "socks/ledger.h"
#include "socks/rates.h"
#include "socks/view.h"
#include "util/array.h"

static size_t sample_size(const struct rates *rates)
{
	return rates->key_size + rates->num_counts * sizeof(uint64_t);
}

static int compare_keys(const void *a, const void *b, void *arg)
{
	const struct rates *rates = arg;

	return memcmp(a, b, rates->key_size);
}

/* The sample of a key at the report before, or NULL. */
static const char *find(const struct rates *rates, const void *key)
{
	size_t size = sample_size(rates), from = 0, to = rates->before.n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		const char *sample = rates->before.v + middle * size;
		int diff = memcmp(key, sample, rates->key_size);

		if (!diff)
			return sample;
		if (diff < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

static int keep(struct rates *rates, const void *key, const uint64_t *counts)
{
	struct samples *now = &rates->now;
	char *sample;

	if (array_grow((void **)&now->v, now->n, &now->size,
		       sample_size(rates)))
		return -ENOMEM;
	sample = now->v + now->n++ * sample_size(rates);
	memcpy(sample, key, rates->key_size);
	memcpy(sample + rates->key_size, counts,
	       rates->num_counts * sizeof(*counts));
	return 0;
}

/* Keep the counts of a key, and leave of them what is new. */
static int take(struct rates *rates, const void *key, uint64_t *counts)
{
	const char *sample = find(rates, key);
	uint64_t before;
	size_t i;

	if (keep(rates, key, counts))
		return -ENOMEM;
	for (i = 0; sample && i < rates->num_counts; i++) {
		memcpy(&before, sample + rates->key_size + i * sizeof(before),
		       sizeof(before));
		if (counts[i] >= before)
			counts[i] -= before;
		else if (before - counts[i] == 1)
			counts[i] = 0;	/* a refusal that the module took back */
	}
	return 0;
}

void rates_next(struct rates *rates)
{
	struct samples before = rates->before;

	rates->before = rates->now;
	rates->now = before;
	rates->now.n = 0;
	if (rates->before.n)
		qsort_r(rates->before.v, rates->before.n, sample_size(rates),
			compare_keys, rates);
}

void rates_again(struct rates *rates)
{
	rates->now.n = 0;
}

int rates_sockets(struct rates *rates, const struct dsnl *nl, struct view *view)
{
	const struct record_list *records = &view->records;
	struct {
		uint64_t netns;
		uint64_t cookie;
	} key = { .netns = dsnl_netns(nl) };
	uint64_t *since;
	size_t i;

	rates->key_size = sizeof(key);
	rates->num_counts = NUM_COUNTERS;
	view->since = reallocarray(NULL, records->n,
				   NUM_COUNTERS * sizeof(*since));
	if (records->n && !view->since)
		return err_no_memory();
	for (i = 0; i < records->n; i++) {
		since = &view->since[i * NUM_COUNTERS];
		memcpy(since, records->v[i].counters,
		       sizeof(records->v[i].counters));
		key.cookie = records->v[i].cookie;
		if (take(rates, &key, since))
			return err_no_memory();
	}
	return 0;
}

/* What tells a line from all others. There are no gaps in it, which could differ. */
struct peer_key {
	uint64_t netns;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} addr;
	uint32_t uid;
	uint16_t local_port;
	uint16_t peer_port;
	uint8_t direction;
	uint8_t protocol;
	uint8_t family;
	uint8_t has_task;
	char comm[PEER_COMM_SIZE];
	uint32_t zero;
};

static void fill_key(struct peer_key *key, const struct ledger_line *line)
{
	const struct peer_entry *entry = &line->entry;

	memset(&key->addr, 0, sizeof(key->addr));
	if (entry->peer.family == AF_INET)
		key->addr.v4 = entry->peer.addr.v4;
	else if (entry->peer.family == AF_INET6)
		key->addr.v6 = entry->peer.addr.v6;
	key->uid = entry->uid;
	key->local_port = entry->local_port;
	key->peer_port = entry->peer.port;
	key->direction = entry->direction;
	key->protocol = entry->protocol;
	key->family = entry->peer.family;
	key->has_task = line->has_task;
	memcpy(key->comm, entry->comm, sizeof(key->comm));
}

int rates_peers(struct rates *rates, const struct dsnl *nl, struct ledger *ledger)
{
	struct peer_key key = { .netns = dsnl_netns(nl) };
	struct ledger_line *line;
	size_t i;

	rates->key_size = sizeof(key);
	rates->num_counts = 1;
	for (i = 0; i < ledger->n; i++) {
		line = &ledger->v[i];
		line->since = line->entry.count;
		fill_key(&key, line);
		if (take(rates, &key, &line->since))
			return err_no_memory();
	}
	return 0;
}

int rates_stats(struct rates *rates, const struct dsnl *nl, struct stats *stats)
{
	uint64_t counts[NUM_COUNTERS + 2], netns = dsnl_netns(nl);

	rates->key_size = sizeof(netns);
	rates->num_counts = ARRAY_SIZE(counts);
	memcpy(counts, stats->counters, sizeof(stats->counters));
	counts[NUM_COUNTERS] = stats->untracked;
	counts[NUM_COUNTERS + 1] = stats->evicted;
	if (take(rates, &netns, counts))
		return err_no_memory();
	memcpy(stats->counters, counts, sizeof(stats->counters));
	stats->untracked = counts[NUM_COUNTERS];
	stats->evicted = counts[NUM_COUNTERS + 1];
	return 0;
}

void rates_free(struct rates *rates)
{
	free(rates->before.v);
	free(rates->now.v);
	memset(rates, 0, sizeof(*rates));
}
