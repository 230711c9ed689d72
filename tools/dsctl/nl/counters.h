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
 * enum counter_show - When a counter has a column beside the sockets.
 * @SHOW_ALWAYS: in every table.
 * @SHOW_NONZERO: where a socket of the table has some, and with -s.
 * @SHOW_STATS: with -s.
 */
enum counter_show {
	SHOW_ALWAYS,
	SHOW_NONZERO,
	SHOW_STATS,
};

/**
 * struct counter - What there is to know about a counter.
 * @attr: netlink attribute that carries it.
 * @key: name, in JSON and where counters are listed.
 * @heading: its column beside a socket.
 * @label: what tells it from the others of that column, where it is not 0; NULL
 *	   if the column is their sum, as of the same event in two protocols.
 * @show: when there is such a column.
 * @help: the event that it counts.
 */
struct counter {
	uint16_t attr;
	const char *key;
	const char *heading;
	const char *label;
	enum counter_show show;
	const char *help;
};

/* One of each attribute but the padding. */
#define NUM_COUNTERS (DUALSTACK_A_COUNTER_MAX - DUALSTACK_A_COUNTER_PAD)

/* Where a counter is in counters[] and in arrays of values. */
#define COUNTER_INDEX(attr) \
	(DUALSTACK_A_COUNTER_##attr - DUALSTACK_A_COUNTER_PAD - 1)

extern const struct counter counters[];

/**
 * counters_parse() - Read the nest of counters of a socket or a namespace.
 * @values: NUM_COUNTERS results, in the order of counters[]; 0 if absent.
 * @nest: the attribute, may be NULL.
 */
void counters_parse(uint64_t *values, struct nlattr *nest);

/**
 * counters_any() - Whether something was counted.
 * @values: NUM_COUNTERS values.
 *
 * Return: true if one of them is not 0.
 */
bool counters_any(const uint64_t *values);

/**
 * counter_is_bad() - Whether a counter tells of something refused or forged.
 * @counter: index in counters[].
 *
 * Return: true if it does.
 */
bool counter_is_bad(size_t counter);

#endif /* DSCTL_COUNTERS_H */
