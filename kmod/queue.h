/* SPDX-License-Identifier: GPL-2.0 */
/* Events of a namespace on their way to who listens there: numbers, the rate, rings. */

#ifndef _DUALSTACK_QUEUE_H
#define _DUALSTACK_QUEUE_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/jump_label.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "event_list.h"
#include "flow.h"

struct net;
struct sock;

#define DS_RING_SIZE	1024	/* a power of two */

/* How long a loss may go unnoticed where no event follows. */
#define DS_EVENTS_SILENCE	(HZ / 2)

/* How many events a second a namespace sends, unless it is set otherwise, and
 * how many may be set.
 */
#define DS_EVENT_RATE		1000
#define DS_EVENT_RATE_LIMIT	1000000

/**
 * struct ds_report - an event in the ring
 * @seq:	its number
 * @time:	CLOCK_REALTIME in nanoseconds
 * @cookie:	of the socket
 * @flow:	its two ends
 * @type:	enum dualstack_event_type
 * @v6only:	of the rule, for the two types that are about one
 */
struct ds_report {
	u64 seq;
	u64 time;
	u64 cookie;
	struct ds_flow flow;
	u8 type;
	bool v6only;
};

/**
 * struct ds_ring - events of one processor that wait to be sent
 * @writing:	odd while the processor takes a number and writes the event to it
 * @head:	how many came; written by the processor
 * @tail:	how many were sent; written by who sends
 * @report:	the events, by these numbers modulo DS_RING_SIZE
 */
struct ds_ring {
	seqcount_t writing;
	unsigned int head;
	unsigned int tail;
	struct ds_report report[DS_RING_SIZE];
} ____cacheline_aligned_in_smp;

/**
 * struct ds_rings - the rings of a namespace
 * @rcu:	to free them
 * @cpu:	by processor
 */
struct ds_rings {
	struct rcu_head rcu;
	struct ds_ring cpu[];
};

/**
 * struct ds_queue - the events of a namespace that wait to be sent
 * @rings:	there while somebody may listen; they come and go as events.c says
 * @rate:	events a second, and at once: DS_EVENT_RATE_LIMIT at most, or 0 for none
 * @seq:	number of the latest event, whether or not it was or will be sent
 * @next:	when the rate would be exhausted, if it were 1 s ahead, in
 *		nanoseconds; for refusals 1.5 s
 * @kicked:	@work is about to look at the rings
 * @work:	sends what is in them
 */
struct ds_queue {
	struct ds_rings __rcu *rings;
	u32 rate;
	atomic64_t seq;
	atomic64_t next;
	bool kicked;
	struct delayed_work work;
};

/* Where the work is done. */
extern struct workqueue_struct *ds_queue_wq;

/* Enabled while there are rings anywhere. */
DECLARE_STATIC_KEY_FALSE(ds_queue_key);

/**
 * ds_somebody_listens() - is there a listener, in whatever namespace?
 *
 * Context: any.
 *
 * Return: true or false.
 */
static __always_inline bool ds_somebody_listens(void)
{
	return static_branch_unlikely(&ds_queue_key);
}

/**
 * ds_queue_add() - leave an event to those who listen in its namespace, if there are any
 * @sk:		the socket
 * @event:	what happened to it: one of DS_EVENTS_SERVED or DS_EVENTS_REJECT
 * @flow:	between whom
 *
 * It is numbered and, if there is room and the rate allows, put into the ring of this
 * processor, without a lock.
 *
 * Context: process or softirq, with interrupts enabled. Does not sleep.
 */
void ds_queue_add(struct sock *sk, enum ds_event event, const struct ds_flow *flow);

/**
 * ds_queue_add_rule() - the same of what became of a rule
 * @sk:		the socket that is being bound
 * @v6only:	of the rule
 * @passed_over: it was not applied
 * @flow:	its local end, and who was in the way as the peer
 *
 * Context: as for ds_queue_add().
 */
void ds_queue_add_rule(struct sock *sk, bool v6only, bool passed_over,
		       const struct ds_flow *flow);

/**
 * ds_rings_alloc() - make rings for a namespace
 *
 * Context: process, may sleep. Charged to the caller's memory cgroup.
 *
 * Return: the rings, or NULL.
 */
struct ds_rings *ds_rings_alloc(void);

/**
 * ds_queue_settled() - how far the events have come
 * @queue:	the queue
 * @rings:	its rings
 *
 * Context: process. Waits for processors that are writing an event, which is soon done.
 *
 * Return: the number up to which each event is in a ring by now, or lost.
 */
u64 ds_queue_settled(const struct ds_queue *queue, const struct ds_rings *rings);

/**
 * ds_rings_next() - where the next event to be sent is
 * @rings:	the rings
 * @settled:	what ds_queue_settled() was
 *
 * Context: process; one at a time.
 *
 * Return: the ring whose first event is the first of all up to @settled, or NULL.
 */
struct ds_ring *ds_rings_next(struct ds_rings *rings, u64 settled);

/**
 * ds_ring_first() - the first event of a ring
 * @ring:	one of ds_rings_next()
 *
 * Context: as for that.
 *
 * Return: the event.
 */
static inline struct ds_report *ds_ring_first(struct ds_ring *ring)
{
	return &ring->report[ring->tail % DS_RING_SIZE];
}

/* Give the place of the first event back. */
static inline void ds_ring_pop(struct ds_ring *ring)
{
	/* pairs with ds_ring_is_full() */
	smp_store_release(&ring->tail, ring->tail + 1);
}

/* Set up the queue of a namespace, without rings. */
void ds_queue_init(struct ds_queue *queue, work_func_t send);

/* Set up what all queues share. Returns 0 or -ENOMEM. */
int __init ds_queue_module_init(void);

/* Undo that. No work is queued any more. */
void ds_queue_module_exit(void);

#endif /* _DUALSTACK_QUEUE_H */
