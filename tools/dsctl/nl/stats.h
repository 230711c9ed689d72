/* SPDX-License-Identifier: GPL-2.0 */
/* The module's sums of a namespace. */
#ifndef DSCTL_STATS_H
#define DSCTL_STATS_H

#include <stdint.h>

#include "nl/counters.h"
#include "nl/dsnl.h"

/**
 * struct stats - The sums of a namespace, and some figures about them.
 * @counters: sums, in the order of counters[].
 * @untracked: events in them whose socket could not be recorded.
 * @tracked: sockets that have a record now.
 * @evicted: records that gave way to that of another socket.
 */
struct stats {
	uint64_t counters[NUM_COUNTERS];
	uint64_t untracked;
	uint64_t tracked;
	uint64_t evicted;
};

/**
 * stats_get() - Get the sums of the namespace.
 * @nl: from dsnl_open_dualstack().
 * @proto: IPPROTO_TCP or IPPROTO_UDP, 0 for both.
 * @stats: filled in.
 *
 * Return: 0, or -1 after a message.
 */
int stats_get(struct dsnl *nl, uint8_t proto, struct stats *stats);

#endif /* DSCTL_STATS_H */
