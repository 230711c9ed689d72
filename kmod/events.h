/* SPDX-License-Identifier: GPL-2.0 */
/* Events for the multicast group: as many as may be, the rest is told as lost. */

#ifndef _DUALSTACK_EVENTS_H
#define _DUALSTACK_EVENTS_H

#include <linux/init.h>
#include <linux/types.h>

struct net;

/* How many events a second a namespace sends, unless it is set otherwise, and
 * how many may be set.
 */
#define DS_EVENT_RATE		1000
#define DS_EVENT_RATE_LIMIT	1000000

/**
 * ds_events_seq() - number of the latest event
 * @net:	the namespace, held by the caller
 * @seq:	that number, whether or not that event was or will be sent
 *
 * Context: any.
 *
 * Return: true if each event from now on has a number; false, and nothing in @seq,
 * where nobody listens or it is not that far yet.
 */
bool ds_events_seq(const struct net *net, u64 *seq);

/**
 * ds_events_rate() - how many events may be sent
 * @net:	the namespace, held by the caller
 *
 * Return: events a second, and at once.
 */
u32 ds_events_rate(const struct net *net);

/**
 * ds_events_set_rate() - say how many events may be sent
 * @net:	the namespace, held by the caller
 * @rate:	events a second, and at once: DS_EVENT_RATE_LIMIT at most, or 0
 *		for none
 *
 * Context: any.
 */
void ds_events_set_rate(const struct net *net, u32 rate);

/* Set up what each namespace has for its events. */
int __init ds_events_init(void);

/**
 * ds_events_close() - stop sending, for good
 *
 * No event is sent any more when this returns, and none will be: the family may go.
 *
 * Context: process, may sleep.
 */
void ds_events_close(void);

/* Undo ds_events_init(), after ds_events_close() or before any listener. */
void ds_events_exit(void);

#endif /* _DUALSTACK_EVENTS_H */
