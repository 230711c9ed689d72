// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "out/err.h"
#include "out/stream.h"
#include "socks/owners.h"
#include "util/array.h"
#include "util/clock.h"

/* How long what was seen holds. */
#define MAX_AGE		NSEC_PER_SEC

/*
 * Among very many sockets a look takes as long as `ss -p` does: it is to take no more
 * than a tenth of the time, and never more often than ten times a second.
 */
#define LOOK_SHARE	10
#define MIN_GAP		(100 * NSEC_PER_MSEC)

/* Nobody has to wait for longer. */
#define MAX_WAIT	(500 * NSEC_PER_MSEC)

static const struct diag_request requests[] = {
	{ AF_INET6, IPPROTO_TCP, ~DIAG_MINI_STATES, 0 },
	{ AF_INET6, IPPROTO_UDP, DIAG_ALL_STATES, 0 },
	{ AF_INET, IPPROTO_TCP, ~DIAG_MINI_STATES, 0 },
	{ AF_INET, IPPROTO_UDP, DIAG_ALL_STATES, 0 },
};

uint64_t owners_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* The room for sockets is used again. */
static void forget(struct owners *own)
{
	own->socks.n = 0;
	map_free(&own->by_cookie);
	procs_free(&own->procs);
}

static int find_all(struct owners *own)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(requests); i++)
		if (diag_dump(own->nl, &requests[i], &own->socks))
			return -1;
	if (!own->no_processes && procs_find(&own->procs, &own->socks))
		return -1;
	if (map_init(&own->by_cookie, own->socks.n))
		return err_no_memory();
	for (i = 0; i < own->socks.n; i++)
		map_set(&own->by_cookie, own->socks.v[i].cookie, i);
	return 0;
}

static void look(struct owners *own)
{
	uint64_t begin = owners_now(), gap;

	/* What is known is not to wait for this. */
	out_flush();
	own->looked = clock_ns(CLOCK_REALTIME);
	forget(own);
	if (find_all(own)) {
		err("who has the sockets cannot be told from here on");
		forget(own);
		own->failed = true;
	}
	gap = LOOK_SHARE * (owners_now() - begin);
	own->next = owners_now() + (gap > MIN_GAP ? gap : MIN_GAP);
	own->stale = begin + MAX_AGE;
}

int owners_wait(struct owners *own, uint64_t now, uint64_t cookie,
		uint64_t when)
{
	bool known = owners_find(own, cookie);

	/* What was not seen after it was there is gone. */
	if (own->failed || (known ? now < own->stale : when < own->looked))
		return 0;
	if (now >= own->next) {
		look(own);
		return 0;
	}
	/* Who had it a moment ago is better than to wait for it. */
	if (known || own->next - now > MAX_WAIT)
		return 0;
	return (own->next - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
}

const struct sock *owners_find(const struct owners *own, uint64_t cookie)
{
	uint32_t i;

	if (!own->by_cookie.slots)
		return NULL;
	i = map_get(&own->by_cookie, cookie);
	return i == MAP_NONE ? NULL : &own->socks.v[i];
}

void owners_free(struct owners *own)
{
	forget(own);
	sock_list_free(&own->socks);
}
