// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <string.h>

#include "socks/closed.h"

/* Where that of UDP is not to be counted: it sends nothing. */
static bool is_connect(size_t counter)
{
	return counter == COUNTER_INDEX(MAPPED_CONNECT) ||
	       counter == COUNTER_INDEX(V4_CONNECT) ||
	       counter == COUNTER_INDEX(NATIVE_CONNECT);
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static void find_gone(struct closed *closed, const struct stats *all,
		      const struct stats *tcp, const struct sock_list *list)
{
	uint64_t open[NUM_COUNTERS] = { };
	size_t i, j;

	for (i = 0; i < list->n; i++)
		for (j = 0; j < NUM_COUNTERS; j++)
			if (!is_connect(j) || list->v[i].protocol == IPPROTO_TCP)
				open[j] += list->v[i].rec->counters[j];
	for (j = 0; j < NUM_COUNTERS; j++)
		closed->gone[j] = less((is_connect(j) ? tcp : all)->counters[j],
				       open[j]);
}

/*
 * From whom datagrams of AF_INET sockets came or where they went, and whether it was
 * further than this host, nobody has kept, nor whether one was an answer: that they were
 * there is all that can be said.
 */
static void judge_counters(struct closed *closed)
{
	const uint64_t *gone = closed->gone;
	struct sock_left *left = &closed->left;

	left->served = gone[COUNTER_INDEX(MAPPED_ACCEPT)] +
		       gone[COUNTER_INDEX(V4_ACCEPT)] +
		       gone[COUNTER_INDEX(MAPPED_RECV)];
	left->used = gone[COUNTER_INDEX(MAPPED_CONNECT)];
	if (!gone[COUNTER_INDEX(MAPPED_RECV)])
		left->used += gone[COUNTER_INDEX(MAPPED_SEND)];
	left->refused = gone[COUNTER_INDEX(REJECT_V6ONLY)] +
			gone[COUNTER_INDEX(REJECT_ADDR)] +
			gone[COUNTER_INDEX(REJECT_CONNECT)] +
			gone[COUNTER_INDEX(REJECT_SEND)] +
			gone[COUNTER_INDEX(REJECT_BIND)];
	left->refused6 = gone[COUNTER_INDEX(REJECT_V4ONLY)];
	closed->connects = gone[COUNTER_INDEX(V4_CONNECT)];
	closed->sent = gone[COUNTER_INDEX(V4_SEND)];
	closed->received = gone[COUNTER_INDEX(V4_RECV)];
}

/* What only counters tell of open sockets, the first two of TCP. */
static struct sock_left add_up(const struct view *view,
			       const struct findings *findings)
{
	struct sock_left sum = { };
	size_t i;

	for (i = 0; i < view->socks.n; i++) {
		const struct sock_left *left = &findings->left[i];

		if (view->socks.v[i].protocol == IPPROTO_TCP) {
			sum.served += left->served;
			sum.used += left->used;
		}
		sum.refused += left_refused(left);
		sum.refused6 += left->refused6;
	}
	return sum;
}

/*
 * What neither open sockets nor the ledger tell is from before the ledger was kept. Of
 * datagrams it cannot be said how many of them were answers, of which there are no entries:
 * what the ledger does not tell of these is not told.
 */
static void judge_rest(struct closed *closed, const struct stats *all,
		       const struct stats *tcp, const struct sock_left *open,
		       const struct tally *tally)
{
	const uint64_t *sums = all->counters;
	uint64_t refused, refused6 = 0;
	size_t i;

	for (i = 0; i < tally->entries.n; i++) {
		const struct peer_entry *entry = &tally->entries.v[i];

		if (entry->direction == DUALSTACK_PEER_DIRECTION_REFUSED &&
		    entry->peer.family == AF_INET6)
			refused6 += entry->count;
	}
	refused = tally_sum(tally, DUALSTACK_PEER_DIRECTION_REFUSED, 0) -
		  refused6 +
		  tally_sum(tally, DUALSTACK_PEER_DIRECTION_REFUSED_OUT, 0);

	closed->left.served =
		less(tcp->counters[COUNTER_INDEX(MAPPED_ACCEPT)] +
			     tcp->counters[COUNTER_INDEX(V4_ACCEPT)],
		     open->served + tally_sum(tally, DUALSTACK_PEER_DIRECTION_IN,
					      IPPROTO_TCP));
	closed->connects =
		less(tcp->counters[COUNTER_INDEX(MAPPED_CONNECT)] +
			     tcp->counters[COUNTER_INDEX(V4_CONNECT)],
		     open->used + tally_sum(tally, DUALSTACK_PEER_DIRECTION_OUT,
					    IPPROTO_TCP));
	closed->left.refused = less(sums[COUNTER_INDEX(REJECT_V6ONLY)] +
					    sums[COUNTER_INDEX(REJECT_ADDR)] +
					    sums[COUNTER_INDEX(REJECT_CONNECT)] +
					    sums[COUNTER_INDEX(REJECT_SEND)] +
					    sums[COUNTER_INDEX(REJECT_BIND)],
				    open->refused + refused);
	closed->left.refused6 = less(sums[COUNTER_INDEX(REJECT_V4ONLY)],
				     open->refused6 + refused6);
}

void closed_make(struct closed *closed, const struct stats *all,
		 const struct stats *tcp, const struct view *view,
		 const struct findings *findings, const struct tally *tally)
{
	struct sock_left open;

	memset(closed, 0, sizeof(*closed));
	find_gone(closed, all, tcp, &view->socks);
	if (!tally) {
		judge_counters(closed);
		return;
	}
	open = add_up(view, findings);
	judge_rest(closed, all, tcp, &open, tally);
}

uint64_t closed_count(const struct closed *closed, enum finding finding)
{
	switch (finding) {
	case SERVES_IPV4:
		return closed->left.served;
	case USES_IPV4:
		return closed->left.used;
	case SPOOFED:
		return closed->gone[COUNTER_INDEX(WIRE_MAPPED)];
	case REFUSES_IPV6:
		return closed->left.refused6;
	case REFUSES_IPV4:
		return closed->left.refused;
	case UNNAMED_IPV4:
		return closed->connects + closed->sent + closed->received;
	default:
		return 0;
	}
}
