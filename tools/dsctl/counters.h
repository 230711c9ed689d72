/* SPDX-License-Identifier: GPL-2.0 */
/* The counters: one table, from which parsing, JSON, tables and help follow. */
#ifndef DSCTL_COUNTERS_H
#define DSCTL_COUNTERS_H

#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct counter - What there is to know about a counter.
 * @attr: netlink attribute that carries it.
 * @key: name, in JSON and where counters are listed.
 * @heading: its column beside a socket; counters of the two protocols may share
 *	     one, since a socket has a single protocol.
 * @stats: the column is shown with -s only.
 * @help: the event that it counts.
 */
struct counter {
	uint16_t attr;
	const char *key;
	const char *heading;
	bool stats;
	const char *help;
};

/* One of each attribute but the padding. */
#define NUM_COUNTERS (DUALSTACK_A_COUNTER_MAX - DUALSTACK_A_COUNTER_PAD)

extern const struct counter counters[];

/**
 * counters_parse() - Read the nest of counters of a socket or a namespace.
 * @values: NUM_COUNTERS results, in the order of counters[]; 0 if absent.
 * @nest: the attribute, may be NULL.
 */
void counters_parse(uint64_t *values, struct nlattr *nest);

#endif /* DSCTL_COUNTERS_H */
