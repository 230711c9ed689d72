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
 * enum counter_kind - What it means that something is counted.
 * @COUNTER_SERVED: a client or a program got what it wanted.
 * @COUNTER_REFUSED: it was turned away.
 * @COUNTER_FORGED: a packet was not from where it says.
 */
enum counter_kind {
	COUNTER_SERVED,
	COUNTER_REFUSED,
	COUNTER_FORGED,
};

/**
 * enum counter_origin - Where it began.
 * @ORIGIN_PEER: a packet came in.
 * @ORIGIN_HOST: a program here made a call.
 */
enum counter_origin {
	ORIGIN_PEER,
	ORIGIN_HOST,
};

/* The type of the event of a counter that has none. */
#define NO_EVENT UINT32_MAX

/**
 * struct counter - What there is to know about a counter, and about its event.
 * @attr: netlink attribute that carries it.
 * @event_type: enum dualstack_event_type of the event that the module sends, or
 *		NO_EVENT.
 * @key: name, in JSON and where counters and events are listed.
 * @kind: what it means.
 * @origin: where it began.
 * @heading: its column beside a socket.
 * @label: what tells it from the others of that column, where it is not 0; NULL
 *	   if the column is their sum, as of the same event in two protocols.
 * @show: when there is such a column.
 * @help: the event that it counts.
 */
struct counter {
	uint16_t attr;
	uint32_t event_type;
	const char *key;
	enum counter_kind kind;
	enum counter_origin origin;
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
 * counter_is_recorded() - Whether sockets have a counter of their own.
 * @i: its place in counters[].
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 *
 * Return: false for one that a socket of that protocol has in the sums alone.
 */
bool counter_is_recorded(size_t i, uint8_t protocol);

/**
 * counter_family() - Which sockets have a counter.
 * @i: its place in counters[].
 *
 * Return: their family, AF_INET or AF_INET6.
 */
uint8_t counter_family(size_t i);

/**
 * counters_any() - Whether something was counted.
 * @values: NUM_COUNTERS values.
 *
 * Return: true if one of them is not 0.
 */
bool counters_any(const uint64_t *values);

/**
 * counter_of_event() - The counter of an event.
 * @type: enum dualstack_event_type, as the module sent it.
 *
 * Return: the counter, or NULL for a type that was not known yet when this was
 *	   written.
 */
const struct counter *counter_of_event(uint32_t type);

#endif /* DSCTL_COUNTERS_H */
