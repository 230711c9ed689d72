/* SPDX-License-Identifier: GPL-2.0 */
/* What was counted since the report before, of whatever is reported again and again. */
#ifndef DSCTL_RATES_H
#define DSCTL_RATES_H

#include <stddef.h>
#include <stdint.h>

struct dsnl;
struct ledger;
struct stats;
struct view;

/**
 * struct samples - Counts, by what they are of.
 * @v: for each a key, and its counts behind that.
 * @n: how many.
 * @size: for how many there is room.
 */
struct samples {
	char *v;
	size_t n;
	size_t size;
};

/**
 * struct rates - What there was at the report before, and at this one.
 * @key_size: bytes of a key, of which there are as many in each.
 * @num_counts: how many counts belong to it.
 * @before: of the report before, sorted by their keys.
 * @now: of this report, as they come.
 *
 * It starts zeroed, and is of one kind of things: sockets, peers or sums.
 */
struct rates {
	size_t key_size;
	size_t num_counts;
	struct samples before;
	struct samples now;
};

/**
 * rates_next() - Begin the next report: this one becomes the one before.
 * @rates: the counts.
 */
void rates_next(struct rates *rates);

/**
 * rates_again() - Begin this report once more: the one before stays.
 * @rates: the counts.
 */
void rates_again(struct rates *rates);

/**
 * rates_sockets() - Find what sockets counted since the report before.
 * @rates: the counts.
 * @nl: from dsnl_open_dualstack(), in the network namespace of the sockets.
 * @view: the sockets; its @since is filled in.
 *
 * A counter that is less than before was reset, and all it has was counted since.
 *
 * Return: 0, or -1 after a message.
 */
int rates_sockets(struct rates *rates, const struct dsnl *nl, struct view *view);

/**
 * rates_peers() - Find how often peers were there since the report before.
 * @rates: the counts.
 * @nl: from dsnl_open_dualstack(), in the network namespace of the ledger.
 * @ledger: the lines, one for each entry; @since of each is set.
 *
 * Return: 0, or -1 after a message.
 */
int rates_peers(struct rates *rates, const struct dsnl *nl, struct ledger *ledger);

/**
 * rates_stats() - Find what sums rose by since the report before.
 * @rates: the counts.
 * @nl: from dsnl_open_dualstack(), in the network namespace of the sums.
 * @stats: the sums, which become what was added; @tracked is no count, and stays.
 *
 * Return: 0, or -1 after a message.
 */
int rates_stats(struct rates *rates, const struct dsnl *nl, struct stats *stats);

/**
 * rates_free() - Free the counts.
 * @rates: the counts; zeroed memory is fine.
 */
void rates_free(struct rates *rates);

#endif /* DSCTL_RATES_H */
