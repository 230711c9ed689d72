// SPDX-License-Identifier: GPL-2.0
/* Events of a namespace on their way to who listens there: numbers, the rate, rings.
 *
 * An event is numbered and left in the ring of its processor, which no other writes to,
 * without a lock; a work item sends what is in the rings, in the order of the numbers. An
 * event that finds no room, or exceeds the rate, uses up its number all the same, and
 * that is how a listener knows.
 */

#include <linux/bits.h>
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/errno.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <uapi/linux/dualstack.h>

#include "net.h"
#include "queue.h"
#include "sock.h"
#include "stats.h"

DEFINE_STATIC_KEY_FALSE(ds_queue_key);
struct workqueue_struct *ds_queue_wq;

/* By counter. */
static const u8 ds_event_types[] = {
	DS_EVENT_TYPE_ROWS
};

/* The packet's side */

/* What becomes of a rule, behind enum ds_event. */
enum {
	DS_RULE_APPLIED = DS_N_EVENTS,
	DS_RULE_PASSED_OVER,
};

/**
 * struct ds_what - what happened
 * @event:	enum ds_event, or one of the above
 * @v6only:	of the rule
 */
struct ds_what {
	u8 event;
	bool v6only;
};

static u8 ds_what_type(const struct ds_what *what, const struct sock *sk,
		       const struct ds_flow *flow)
{
	switch (what->event) {
	case DS_RULE_APPLIED:
		return DUALSTACK_EVENT_TYPE_RULE_APPLIED;
	case DS_RULE_PASSED_OVER:
		return DUALSTACK_EVENT_TYPE_RULE_PASSED_OVER;
	default:
		return ds_event_types[ds_counter_attr(what->event,
						      ds_family(sk->sk_family),
						      flow->proto)];
	}
}

/* As many as the rate says at once, and then one each time that it allows. Refusals
 * get half as many more at once, lest a busy server, whose each datagram is an event,
 * leaves no room for what is seldom. Only an event that is allowed writes.
 */
static bool ds_queue_allows(struct ds_queue *queue, unsigned int event)
{
	bool reject = BIT(event) & DS_EVENTS_REJECT;
	s64 ahead = reject ? NSEC_PER_SEC * 3 / 2 : NSEC_PER_SEC;
	u32 rate = READ_ONCE(queue->rate);
	s64 now = ktime_get_ns();
	s64 last, next;

	if (!rate)
		return false;

	last = atomic64_read(&queue->next);
	do {
		next = max(last, now) + NSEC_PER_SEC / rate;
		if (next > now + ahead)
			return false;
	} while (!atomic64_try_cmpxchg(&queue->next, &last, next));
	return true;
}

/* Keep others from the rings of this processor: softirqs are tasks with CONFIG_PREEMPT_RT. */
static void ds_queue_enter(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
	else
		local_bh_disable();
}

static void ds_queue_leave(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
	else
		local_bh_enable();
}

static bool ds_ring_is_full(const struct ds_ring *ring)
{
	/* pairs with ds_ring_pop(): what is overwritten has been read */
	return ring->head - smp_load_acquire(&ring->tail) >= DS_RING_SIZE;
}

/* Number an event and leave it in the ring of this processor, if it may be sent.
 * Between the two a greater number of another processor can get into a ring, so
 * that whoever sends must know that there is one on its way: see
 * ds_queue_settled(). After ds_queue_enter(): others have events, too.
 */
static bool ds_queue_push(struct ds_queue *queue, struct ds_rings *rings,
			  struct sock *sk, const struct ds_flow *flow,
			  const struct ds_what *what)
{
	struct ds_report *report;
	struct ds_ring *ring;
	bool fits;
	u64 seq;

	ring = &rings->cpu[smp_processor_id()];
	write_seqcount_begin(&ring->writing);
	seq = atomic64_inc_return(&queue->seq);
	fits = !ds_ring_is_full(ring) && ds_queue_allows(queue, what->event);
	if (fits) {
		report = &ring->report[ring->head % DS_RING_SIZE];
		report->seq = seq;
		report->time = ktime_get_real_ns();
		report->cookie = ds_sk_cookie(sk);
		report->flow = *flow;
		report->type = ds_what_type(what, sk, flow);
		report->v6only = what->v6only;
		/* pairs with ds_rings_next() */
		smp_store_release(&ring->head, ring->head + 1);
	}
	write_seqcount_end(&ring->writing);
	return fits;
}

static void ds_queue_kick(struct ds_queue *queue)
{
	/* Pairs with ds_events_work(): either it finds the event, or we find
	 * that it has begun to look.
	 */
	smp_mb();
	if (READ_ONCE(queue->kicked))
		return;
	WRITE_ONCE(queue->kicked, true);
	mod_delayed_work(ds_queue_wq, &queue->work, 0);
}

static void ds_queue_tell(struct sock *sk, const struct ds_flow *flow,
			  const struct ds_what *what)
{
	struct ds_queue *queue;
	struct ds_rings *rings;

	/* A namespace whose count is not 0 waits for this RCU section before it
	 * goes.
	 */
	rcu_read_lock();
	if (!check_net(flow->net))
		goto out;
	queue = &ds_net(flow->net)->queue;
	rings = rcu_dereference(queue->rings);
	if (!rings)
		goto out;

	/* A task that says that it kicks does so at once, whatever its priority: no
	 * other does meanwhile.
	 *
	 * A loss is told of by the next event; the work is for when there is
	 * none.
	 */
	ds_queue_enter();
	if (ds_queue_push(queue, rings, sk, flow, what))
		ds_queue_kick(queue);
	else if (!delayed_work_pending(&queue->work))
		queue_delayed_work(ds_queue_wq, &queue->work, DS_EVENTS_SILENCE);
	ds_queue_leave();
out:
	rcu_read_unlock();
}

void ds_queue_add(struct sock *sk, enum ds_event event, const struct ds_flow *flow)
{
	ds_queue_tell(sk, flow, &(struct ds_what) { .event = event });
}

void ds_queue_add_rule(struct sock *sk, bool v6only, bool passed_over,
		       const struct ds_flow *flow)
{
	ds_queue_tell(sk, flow, &(struct ds_what) {
		.event	= passed_over ? DS_RULE_PASSED_OVER : DS_RULE_APPLIED,
		.v6only	= v6only,
	});
}

/* The sender's side */

u64 ds_queue_settled(const struct ds_queue *queue, const struct ds_rings *rings)
{
	u64 seq = atomic64_read(&queue->seq);
	int cpu;

	/* Pairs with atomic64_inc_return() in ds_queue_push(): whoever has taken a
	 * number up to this one is seen to be writing, and done soon.
	 */
	smp_rmb();
	for_each_possible_cpu(cpu)
		(void)read_seqcount_begin(&rings->cpu[cpu].writing);
	return seq;
}

struct ds_ring *ds_rings_next(struct ds_rings *rings, u64 settled)
{
	struct ds_ring *ring, *next = NULL;
	u64 seq, first = settled;
	int cpu;

	for_each_possible_cpu(cpu) {
		ring = &rings->cpu[cpu];
		/* pairs with ds_queue_push() */
		if (smp_load_acquire(&ring->head) == ring->tail)
			continue;
		seq = ds_ring_first(ring)->seq;
		if (seq <= first) {
			first = seq;
			next = ring;
		}
	}
	return next;
}

struct ds_rings *ds_rings_alloc(void)
{
	struct ds_rings *rings;
	int cpu;

	rings = kvzalloc(struct_size(rings, cpu, nr_cpu_ids),
			 GFP_KERNEL_ACCOUNT);
	if (!rings)
		return NULL;
	for_each_possible_cpu(cpu)
		seqcount_init(&rings->cpu[cpu].writing);
	return rings;
}

void ds_queue_init(struct ds_queue *queue, work_func_t send)
{
	queue->rate = DS_EVENT_RATE;
	INIT_DELAYED_WORK(&queue->work, send);
}

int __init ds_queue_module_init(void)
{
	ds_queue_wq = alloc_workqueue("dualstack", WQ_UNBOUND, 0);
	return ds_queue_wq ? 0 : -ENOMEM;
}

void ds_queue_module_exit(void)
{
	destroy_workqueue(ds_queue_wq);
}
