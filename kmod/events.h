/* SPDX-License-Identifier: GPL-2.0 */
/* Events for the multicast group: as many as may be, the rest is told as lost. */

#ifndef _DUALSTACK_EVENTS_H
#define _DUALSTACK_EVENTS_H

#include <linux/init.h>
#include <linux/types.h>

struct net;
struct work_struct;

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

/* Send what is in the queue of a namespace: the work of &struct ds_queue.work. */
void ds_events_work(struct work_struct *work);

/* Set up what each namespace has for those who listen; after &struct ds_net. */
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
