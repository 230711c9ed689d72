// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <string.h>

#include "socks/closed.h"
#include "socks/role.h"

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

/**
 * struct open - What there is of open sockets.
 * @left: what only counters tell of them, the first two of TCP.
 * @served: of UDP, clients that the ledger tells by address.
 * @used: of UDP, what programs did.
 */
struct open {
	struct sock_left left;
	uint64_t served;
	uint64_t used;
};

static struct open add_up(const struct view *view,
			  const struct findings *findings)
{
	struct open sum = { };
	size_t i;

	for (i = 0; i < view->socks.n; i++) {
		const struct sock_left *left = &findings->left[i];
		const struct sock *sk = &view->socks.v[i];

		if (sk->protocol == IPPROTO_TCP) {
			sum.left.served += left->served;
			sum.left.used += left->used;
		} else {
			if (!sk->peer.family || findings->taker[i] != MAP_NONE)
				sum.served += role_served(sk) - left->served;
			sum.used += role_used(sk);
		}
		sum.left.refused += left->refused;
		sum.left.refused6 += left->refused6;
		sum.left.refused_calls += left->refused_calls;
		sum.left.refused_binds += left->refused_binds;
	}
	return sum;
}

/*
 * Answers have no entries, so how many datagrams of closed sockets were some can only be
 * guessed: what came in is taken for answers as far as something was sent, and the other
 * way round. More than that is from before the ledger was kept, or was not in it.
 */
static void judge_datagrams(struct closed *closed, const struct open *open,
			    const struct tally *tally)
{
	const uint64_t *gone = closed->gone;
	uint64_t in, out, sent, received;

	in = less(tally_sum(tally, DUALSTACK_PEER_DIRECTION_IN, IPPROTO_UDP),
		  tally->told.udp + open->served);
	out = less(tally_sum(tally, DUALSTACK_PEER_DIRECTION_OUT, IPPROTO_UDP),
		   open->used);
	received = less(gone[COUNTER_INDEX(MAPPED_RECV)] +
			gone[COUNTER_INDEX(V4_RECV)], in);
	sent = less(gone[COUNTER_INDEX(MAPPED_SEND)] +
		    gone[COUNTER_INDEX(V4_SEND)], out);
	closed->received = less(received, out);
	closed->sent = less(sent, in + received);
	closed->answers = received - closed->received;
}

/*
 * What a program did, of which a rest can be the same that open sockets tell: it says of
 * neither port nor program.
 */
static uint64_t calls_told(const struct tally *tally, uint8_t direction,
			   uint8_t protocol, uint64_t left)
{
	uint64_t known = 0, rest = 0;
	size_t i;

	for (i = 0; i < tally->entries.n; i++) {
		const struct peer_entry *entry = &tally->entries.v[i];

		if (entry->direction == direction &&
		    (!protocol || entry->protocol == protocol))
			*(entry->peer.family ? &known : &rest) += entry->count;
	}
	return known + (rest > left ? rest : left);
}

/* What neither open sockets nor the ledger tell is from before the ledger was kept. */
static void judge_rest(struct closed *closed, const struct stats *all,
		       const struct stats *tcp, const struct open *sum,
		       const struct tally *tally)
{
	const struct sock_left *open = &sum->left;
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
		  refused6 - tally->told.refused +
		  calls_told(tally, DUALSTACK_PEER_DIRECTION_REFUSED_OUT, 0,
			     open->refused_calls);

	closed->left.served =
		less(tcp->counters[COUNTER_INDEX(MAPPED_ACCEPT)] +
			     tcp->counters[COUNTER_INDEX(V4_ACCEPT)],
		     open->served - tally->told.tcp +
		     tally_sum(tally, DUALSTACK_PEER_DIRECTION_IN, IPPROTO_TCP));
	closed->connects =
		less(tcp->counters[COUNTER_INDEX(MAPPED_CONNECT)] +
			     tcp->counters[COUNTER_INDEX(V4_CONNECT)],
		     calls_told(tally, DUALSTACK_PEER_DIRECTION_OUT,
				IPPROTO_TCP, open->used));
	closed->left.refused = less(sums[COUNTER_INDEX(REJECT_V6ONLY)] +
					    sums[COUNTER_INDEX(REJECT_ADDR)] +
					    sums[COUNTER_INDEX(REJECT_CONNECT)] +
					    sums[COUNTER_INDEX(REJECT_SEND)] +
					    sums[COUNTER_INDEX(REJECT_BIND)],
				    open->refused + open->refused_binds +
					    refused);
	closed->left.refused6 = less(sums[COUNTER_INDEX(REJECT_V4ONLY)],
				     open->refused6 + refused6);
}

void closed_make(struct closed *closed, const struct stats *all,
		 const struct stats *tcp, const struct view *view,
		 const struct findings *findings, const struct tally *tally)
{
	struct open open;

	memset(closed, 0, sizeof(*closed));
	find_gone(closed, all, tcp, &view->socks);
	if (!tally) {
		judge_counters(closed);
		return;
	}
	open = add_up(view, findings);
	judge_rest(closed, all, tcp, &open, tally);
	judge_datagrams(closed, &open, tally);
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
