// SPDX-License-Identifier: GPL-2.0
/* Events for the multicast group: as many as may be, the rest is told as lost.
 *
 * They are taken from our own tracepoints, where probes are while somebody
 * listens, so that they cost nothing otherwise. A probe numbers an event and
 * leaves it in the ring of its processor, which no other writes to, without a
 * lock; a work item sends what is in the rings, in the order of the numbers. An
 * event that finds no room, or exceeds the rate, uses up its number all the same,
 * and that is how a listener knows.
 *
 * To start takes the kernel's text to be patched, and the last time that it was to
 * have settled. That is done by a work item, too: whoever asks for it holds the
 * lock of generic netlink, for which others wait, and does not wait himself.
 *
 * A listener asks for it by a request, events-start. That it joins the group would
 * be enough if the group told: generic netlink has a callback for that, bind of
 * struct genl_family, since Linux 6.9 only, and it is not told which namespace it
 * is in. It would have no way to say that the start failed, nor from which event on
 * all are numbered, either.
 */

#include <linux/atomic.h>
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/genetlink.h>
#include <net/netns/generic.h>
#include <uapi/linux/dualstack.h>

#include "event_list.h"
#include "events.h"
#include "flow.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "sock.h"
#include "stats.h"
#include "trace.h"

#define DS_RING_SIZE	1024	/* a power of two */

/* How long a loss may go unnoticed where no event follows. */
#define DS_EVENTS_SILENCE	(HZ / 2)

/* How long probes stay after the last listener: who comes and goes does not have
 * the kernel patched more often than that.
 */
#define DS_EVENTS_LINGER	HZ

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
 * struct ds_events - what a namespace has for its events
 * @net:	the namespace
 * @mutex:	held while sending; @rings and @sent stay under it
 * @rings:	there while somebody may listen. They come and go under
 *		ds_events_mutex and @mutex
 * @fresh:	rings that a listener has asked for, until @start has seen to them
 * @start:	puts them in place
 * @error:	why it could not, until the next listener is told
 * @rate:	events a second
 * @seq:	number of the latest event
 * @next:	when the rate would be exhausted, if it were 1 s ahead, in
 *		nanoseconds; for refusals 1.5 s
 * @kicked:	@work is about to look at the rings
 * @sent:	number of the last event that was sent, or told as lost
 * @sent_when:	its time in jiffies
 * @work:	sends; under @mutex
 * @active:	link in ds_events_active, while there are @rings
 */
struct ds_events {
	struct net *net;
	struct mutex mutex;	/* while sending */
	struct ds_rings __rcu *rings;
	struct ds_rings *fresh;
	struct work_struct start;
	int error;
	u32 rate;
	atomic64_t seq;
	atomic64_t next;
	bool kicked;
	u64 sent;
	unsigned long sent_when;
	struct delayed_work work;
	struct list_head active;
};

static unsigned int ds_events_id __read_mostly;
static struct workqueue_struct *ds_events_wq;

/* Serialises the coming and going of rings and probes; comes before the mutex of
 * a namespace.
 */
static DEFINE_MUTEX(ds_events_mutex);
static LIST_HEAD(ds_events_active);
static bool ds_events_closed;

static void ds_events_idle(struct work_struct *work);
static DECLARE_DELAYED_WORK(ds_events_idle_work, ds_events_idle);

/* By counter. */
static const u8 ds_event_types[] = {
	DS_EVENT_TYPE_ROWS
};

static struct ds_events *ds_events(const struct net *net)
{
	return net_generic(net, ds_events_id);
}

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
static bool ds_events_allowed(struct ds_events *ev, unsigned int event)
{
	bool reject = BIT(event) & DS_EVENTS_REJECT;
	s64 ahead = reject ? NSEC_PER_SEC * 3 / 2 : NSEC_PER_SEC;
	u32 rate = READ_ONCE(ev->rate);
	s64 now = ktime_get_ns();
	s64 last, next;

	if (!rate)
		return false;

	last = atomic64_read(&ev->next);
	do {
		next = max(last, now) + NSEC_PER_SEC / rate;
		if (next > now + ahead)
			return false;
	} while (!atomic64_try_cmpxchg(&ev->next, &last, next));
	return true;
}

static struct ds_report *ds_ring_at(struct ds_ring *ring, unsigned int n)
{
	return &ring->report[n % DS_RING_SIZE];
}

static bool ds_ring_full(const struct ds_ring *ring)
{
	/* pairs with ds_events_next(): what is overwritten has been read */
	return ring->head - smp_load_acquire(&ring->tail) >= DS_RING_SIZE;
}

/* Number an event and leave it in the ring of this processor, if it may be sent.
 * Between the two a greater number of another processor can get into a ring, so
 * that whoever sends must know that there is one on its way: see
 * ds_events_settled().
 */
static bool ds_events_push(struct ds_events *ev, struct ds_rings *rings,
			   struct sock *sk, const struct ds_flow *flow,
			   const struct ds_what *what)
{
	struct ds_report *report;
	struct ds_ring *ring;
	bool fits;
	u64 seq;

	/* Softirqs have events, too. */
	local_bh_disable();
	ring = &rings->cpu[smp_processor_id()];
	write_seqcount_begin(&ring->writing);
	seq = atomic64_inc_return(&ev->seq);
	fits = !ds_ring_full(ring) && ds_events_allowed(ev, what->event);
	if (fits) {
		report = ds_ring_at(ring, ring->head);
		report->seq = seq;
		report->time = ktime_get_real_ns();
		report->cookie = ds_sk_cookie(sk);
		report->flow = *flow;
		report->type = ds_what_type(what, sk, flow);
		report->v6only = what->v6only;
		/* pairs with ds_events_next() */
		smp_store_release(&ring->head, ring->head + 1);
	}
	write_seqcount_end(&ring->writing);
	local_bh_enable();
	return fits;
}

static void ds_events_kick(struct ds_events *ev)
{
	/* Pairs with ds_events_work(): either it finds the event, or we find
	 * that it has begun to look.
	 */
	smp_mb();
	if (READ_ONCE(ev->kicked))
		return;
	WRITE_ONCE(ev->kicked, true);
	mod_delayed_work(ds_events_wq, &ev->work, 0);
}

static void ds_events_tell(struct sock *sk, const struct ds_flow *flow,
			   const struct ds_what *what)
{
	struct ds_rings *rings;
	struct ds_events *ev;

	/* A namespace whose count is not 0 waits for this RCU section before it
	 * goes.
	 */
	rcu_read_lock();
	if (!check_net(flow->net))
		goto out;
	ev = ds_events(flow->net);
	rings = rcu_dereference(ev->rings);
	if (!rings)
		goto out;

	/* A loss is told of by the next event; the work is for when there is
	 * none.
	 */
	if (ds_events_push(ev, rings, sk, flow, what))
		ds_events_kick(ev);
	else if (!delayed_work_pending(&ev->work))
		queue_delayed_work(ds_events_wq, &ev->work, DS_EVENTS_SILENCE);
out:
	rcu_read_unlock();
}

static void ds_events_probe(void *data, struct sock *sk, enum ds_event event,
			    const struct ds_flow *flow)
{
	ds_events_tell(sk, flow, &(struct ds_what) { .event = event });
}

static void ds_events_probe_rule(void *data, struct sock *sk, bool v6only,
				 bool passed_over, const struct ds_flow *flow)
{
	ds_events_tell(sk, flow, &(struct ds_what) {
		.event	= passed_over ? DS_RULE_PASSED_OVER : DS_RULE_APPLIED,
		.v6only	= v6only,
	});
}

/* The listener's side */

static int ds_put_end(struct sk_buff *skb, int attr, u8 family,
		      const struct in6_addr *addr, __be16 port)
{
	struct nlattr *nest;
	bool v4;

	/* A socket that is refused an IPv4 peer may have an IPv6 address. */
	v4 = family == AF_INET &&
	     (ipv6_addr_v4mapped(addr) || ipv6_addr_any(addr));

	nest = nla_nest_start(skb, attr);
	if (!nest ||
	    nla_put(skb, DUALSTACK_A_PEER_ADDR, v4 ? 4 : 16,
		    v4 ? &addr->s6_addr32[3] : addr->s6_addr32) ||
	    nla_put_be16(skb, DUALSTACK_A_PEER_PORT, port))
		return -EMSGSIZE;

	nla_nest_end(skb, nest);
	return 0;
}

static int ds_put_flow(struct sk_buff *skb, const struct ds_flow *flow)
{
	if (nla_put_u8(skb, DUALSTACK_A_EVENT_FAMILY, flow->family) ||
	    nla_put_u8(skb, DUALSTACK_A_EVENT_PROTOCOL,
		       ds_ipproto(flow->proto)) ||
	    ds_put_end(skb, DUALSTACK_A_EVENT_LOCAL, flow->family,
		       &flow->local, flow->local_port))
		return -EMSGSIZE;
	return 0;
}

static int ds_put_remote(struct sk_buff *skb, const struct ds_flow *flow)
{
	if (ds_put_end(skb, DUALSTACK_A_EVENT_PEER, flow->family,
		       &flow->peer, flow->peer_port))
		return -EMSGSIZE;

	if (flow->family == AF_INET6)
		return nla_put_u32(skb, DUALSTACK_A_EVENT_FLOWLABEL,
				   ntohl(flow->flowlabel));
	return 0;
}

/* A port that no holder has is that of one who had gone. */
static int ds_put_ruling(struct sk_buff *skb, const struct ds_report *report)
{
	const struct ds_flow *flow = &report->flow;

	if (nla_put_u8(skb, DUALSTACK_A_EVENT_V6ONLY, report->v6only))
		return -EMSGSIZE;
	return flow->peer_port ? ds_put_end(skb, DUALSTACK_A_EVENT_HOLDER, AF_INET,
					    &flow->peer, flow->peer_port) : 0;
}

static bool ds_is_ruling(const struct ds_report *report)
{
	return report->type == DUALSTACK_EVENT_TYPE_RULE_APPLIED ||
	       report->type == DUALSTACK_EVENT_TYPE_RULE_PASSED_OVER;
}

static int ds_put_report(struct sk_buff *skb, const struct ds_report *report)
{
	void *hdr;

	hdr = ds_put_header(skb, 0, 0, 0, DUALSTACK_CMD_EVENT);
	if (!hdr)
		return -EMSGSIZE;

	if (ds_put_u64(skb, DUALSTACK_A_EVENT_SEQ, report->seq) ||
	    ds_put_u64(skb, DUALSTACK_A_EVENT_TIME, report->time) ||
	    nla_put_u32(skb, DUALSTACK_A_EVENT_TYPE, report->type) ||
	    ds_put_u64(skb, DUALSTACK_A_EVENT_COOKIE, report->cookie) ||
	    ds_put_flow(skb, &report->flow) ||
	    (ds_is_ruling(report) ? ds_put_ruling(skb, report) :
				    ds_put_remote(skb, &report->flow))) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static int ds_put_loss(struct sk_buff *skb, u64 seq)
{
	void *hdr;

	hdr = ds_put_header(skb, 0, 0, 0, DUALSTACK_CMD_EVENT);
	if (!hdr || ds_put_u64(skb, DUALSTACK_A_EVENT_SEQ, seq) ||
	    ds_put_u64(skb, DUALSTACK_A_EVENT_TIME, ktime_get_real_ns()))
		return -EMSGSIZE;

	genlmsg_end(skb, hdr);
	return 0;
}

/* That nobody gets it is no failure: whose buffer is full, knows by the number of
 * the next one that arrives.
 */
static void ds_events_multicast(struct ds_events *ev, struct sk_buff *skb,
				u64 seq)
{
	ev->sent = seq;
	ev->sent_when = jiffies;
	ds_multicast(ev->net, skb);
}

/* The number up to which each event is in a ring by now, or lost. */
static u64 ds_events_settled(const struct ds_events *ev,
			     const struct ds_rings *rings)
{
	u64 seq = atomic64_read(&ev->seq);
	int cpu;

	/* Pairs with atomic64_inc_return() in ds_events_push(): whoever has taken a
	 * number up to this one is seen to be writing, and done soon.
	 */
	smp_rmb();
	for_each_possible_cpu(cpu)
		(void)read_seqcount_begin(&rings->cpu[cpu].writing);
	return seq;
}

/* The ring whose next event is the first of all up to @settled, or NULL. */
static struct ds_ring *ds_events_next(struct ds_rings *rings, u64 settled)
{
	struct ds_ring *ring, *next = NULL;
	u64 seq, first = settled;
	int cpu;

	for_each_possible_cpu(cpu) {
		ring = &rings->cpu[cpu];
		/* pairs with ds_events_push() */
		if (smp_load_acquire(&ring->head) == ring->tail)
			continue;
		seq = ds_ring_at(ring, ring->tail)->seq;
		if (seq <= first) {
			first = seq;
			next = ring;
		}
	}
	return next;
}

/* One message's worth. Returns how many, or a negative errno. */
static int ds_events_send_some(struct ds_events *ev, struct ds_rings *rings,
			       u64 settled)
{
	const struct ds_report *report;
	struct ds_ring *ring;
	struct sk_buff *skb;
	u64 seq = 0;
	int n = 0;

	ring = ds_events_next(rings, settled);
	if (!ring)
		return 0;
	skb = nlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;

	for (; ring; ring = ds_events_next(rings, settled)) {
		report = ds_ring_at(ring, ring->tail);
		if (ds_put_report(skb, report))
			break;
		seq = report->seq;
		n++;
		/* pairs with ds_ring_full() */
		smp_store_release(&ring->tail, ring->tail + 1);
	}
	ds_events_multicast(ev, skb, seq);
	return n;
}

static struct sk_buff *ds_loss_msg(u64 seq)
{
	struct sk_buff *skb = nlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (skb && ds_put_loss(skb, seq)) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

/* Events that nothing was heard of, with none after them. */
static int ds_events_send_loss(struct ds_events *ev, u64 settled)
{
	struct sk_buff *skb;

	if (settled == ev->sent)
		return 0;
	if (time_before(jiffies, ev->sent_when + DS_EVENTS_SILENCE))
		return -EBUSY;
	skb = ds_loss_msg(settled);
	if (!skb)
		return -ENOMEM;
	ds_events_multicast(ev, skb, settled);
	return 0;
}

/* Returns 0, -EAGAIN where there is more, or why to come back later. */
static int ds_events_send(struct ds_events *ev, struct ds_rings *rings)
{
	u64 settled = ds_events_settled(ev, rings);
	int n, left = DS_RING_SIZE;

	do {
		n = ds_events_send_some(ev, rings, settled);
		left -= n;
	} while (n > 0 && left > 0);

	if (n < 0)
		return n;
	return n ? -EAGAIN : ds_events_send_loss(ev, settled);
}

/* Probes and rings */

static int ds_probes_register(void)
{
	int err;

	err = register_trace_dualstack_mapped(ds_events_probe, NULL);
	if (err)
		return err;
	err = register_trace_dualstack_v4(ds_events_probe, NULL);
	if (err)
		goto err_mapped;
	err = register_trace_dualstack_reject(ds_events_probe, NULL);
	if (err)
		goto err_v4;
	err = register_trace_dualstack_rule(ds_events_probe_rule, NULL);
	if (err)
		goto err_reject;
	return 0;

err_reject:
	unregister_trace_dualstack_reject(ds_events_probe, NULL);
err_v4:
	unregister_trace_dualstack_v4(ds_events_probe, NULL);
err_mapped:
	unregister_trace_dualstack_mapped(ds_events_probe, NULL);
	tracepoint_synchronize_unregister();
	return err;
}

static void ds_probes_unregister(void)
{
	unregister_trace_dualstack_rule(ds_events_probe_rule, NULL);
	unregister_trace_dualstack_reject(ds_events_probe, NULL);
	unregister_trace_dualstack_v4(ds_events_probe, NULL);
	unregister_trace_dualstack_mapped(ds_events_probe, NULL);
	tracepoint_synchronize_unregister();
}

static struct ds_rings *ds_rings_alloc(void)
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

/* Returns 0 if somebody listens in this very namespace, or -ESRCH: to find out, a
 * message is sent that tells of no loss, as there is no event with this number.
 */
static int ds_events_greet(struct net *net)
{
	struct sk_buff *skb = ds_loss_msg(0);
	int err = skb ? ds_multicast(net, skb) : -ENOMEM;

	/* Somebody has no room for it, who listens then. */
	return err == -ENOBUFS ? 0 : err;
}

static int ds_events_start(struct ds_events *ev, struct ds_rings *rings)
{
	int err;

	lockdep_assert_held(&ds_events_mutex);

	if (list_empty(&ds_events_active)) {
		err = ds_probes_register();
		if (err)
			return err;
	}
	list_add(&ev->active, &ds_events_active);

	mutex_lock(&ev->mutex);
	ev->sent = atomic64_read(&ev->seq);
	rcu_assign_pointer(ev->rings, rings);
	mutex_unlock(&ev->mutex);
	return 0;
}

static struct ds_rings *ds_events_rings(const struct ds_events *ev)
{
	return rcu_dereference_protected(ev->rings,
					 lockdep_is_held(&ds_events_mutex) ||
					 lockdep_is_held(&ev->mutex));
}

static void ds_events_look(void)
{
	queue_delayed_work(ds_events_wq, &ds_events_idle_work,
			   DS_EVENTS_LINGER);
}

static void ds_events_start_work(struct work_struct *work)
{
	struct ds_events *ev = container_of(work, struct ds_events, start);
	struct ds_rings *rings = ev->fresh;
	int err = 0;

	mutex_lock(&ds_events_mutex);
	if (!ds_events_rings(ev) && !ds_events_closed) {
		err = ds_events_start(ev, rings);
		if (!err)
			rings = NULL;
		/* The listener may have gone before there was anything to stop. */
		ds_events_look();
	}
	mutex_unlock(&ds_events_mutex);

	kvfree(rings);
	if (err)
		WRITE_ONCE(ev->error, err);
	/* Last: whoever finds none finds what became of them. */
	smp_store_release(&ev->fresh, NULL);
}

/* Nothing is sent any more when this returns. */
static void ds_events_stop(struct ds_events *ev)
{
	struct ds_rings *rings = ds_events_rings(ev);

	lockdep_assert_held(&ds_events_mutex);

	if (!rings)
		return;
	mutex_lock(&ev->mutex);
	RCU_INIT_POINTER(ev->rings, NULL);
	mutex_unlock(&ev->mutex);

	list_del(&ev->active);
	if (list_empty(&ds_events_active))
		ds_probes_unregister();
	kvfree_rcu(rings, rcu);
}

/* Whether anybody listens is known for all namespaces together only. */
static void ds_events_idle(struct work_struct *work)
{
	struct ds_events *ev, *next;

	mutex_lock(&ds_events_mutex);
	list_for_each_entry_safe(ev, next, &ds_events_active, active)
		if (!ds_has_listeners(ev->net))
			ds_events_stop(ev);
	mutex_unlock(&ds_events_mutex);
}

static void ds_events_work(struct work_struct *work)
{
	struct ds_events *ev = container_of(to_delayed_work(work),
					    struct ds_events, work);
	struct ds_rings *rings;
	int err;

	mutex_lock(&ev->mutex);
	rings = ds_events_rings(ev);
	WRITE_ONCE(ev->kicked, false);
	smp_mb();	/* pairs with ds_events_kick() */
	if (!rings)
		goto out;

	err = ds_events_send(ev, rings);
	if (err == -EAGAIN)
		mod_delayed_work(ds_events_wq, &ev->work, 0);
	else if (err)
		queue_delayed_work(ds_events_wq, &ev->work, DS_EVENTS_SILENCE);
	/* One that left the group without a word. */
	if (!ds_has_listeners(ev->net))
		ds_events_look();
out:
	mutex_unlock(&ev->mutex);
}

/* A listener may have gone. */
static int ds_events_notify(struct notifier_block *nb, unsigned long event,
			    void *data)
{
	const struct netlink_notify *n = data;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC &&
	    READ_ONCE(ds_events_active.next) != &ds_events_active)
		ds_events_look();
	return NOTIFY_DONE;
}

static struct notifier_block ds_events_notifier = {
	.notifier_call = ds_events_notify,
};

bool ds_events_seq(const struct net *net, u64 *seq)
{
	struct ds_events *ev = ds_events(net);
	bool there;

	/* Whoever holds it may be about to take the rings away, as the listener
	 * had not joined when he looked. Nobody waits for that here.
	 */
	if (!mutex_trylock(&ds_events_mutex))
		return false;
	there = ds_events_rings(ev);
	if (there)
		*seq = atomic64_read(&ev->seq);
	mutex_unlock(&ds_events_mutex);
	return there;
}

/* Have events numbered and sent. Allocates memory, and waits for nothing else. */
static int ds_events_listen(struct net *net, struct netlink_ext_ack *extack)
{
	struct ds_events *ev = ds_events(net);
	struct ds_rings *rings;
	int err;

	/* The order is that of ds_events_start_work(). */
	if (smp_load_acquire(&ev->fresh) || rcu_access_pointer(ev->rings))
		return 0;
	err = xchg(&ev->error, 0);
	if (err) {
		NL_SET_ERR_MSG(extack,
			       "Cannot put probes on the tracepoints of events");
		return err;
	}
	err = ds_events_greet(net);
	if (err == -ESRCH)
		NL_SET_ERR_MSG(extack,
			       "Nobody listens in this network namespace: join the multicast group first");
	if (err)
		return err;

	/* Here, for the memory is the listener's. */
	rings = ds_rings_alloc();
	if (!rings)
		return -ENOMEM;
	if (cmpxchg(&ev->fresh, NULL, rings))
		kvfree(rings);	/* another one was faster */
	else
		queue_work(ds_events_wq, &ev->start);
	return 0;
}

int dualstack_nl_events_start_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct net *net = genl_info_net(info);
	struct sk_buff *msg;
	u64 seq;
	int err;

	err = ds_events_listen(net, info->extack);
	if (err)
		return err;

	msg = ds_reply_new(info);
	if (!msg)
		return -ENOMEM;
	if (ds_events_seq(net, &seq))
		err = ds_put_u64(msg, DUALSTACK_A_CONFIG_EVENT_SEQ, seq);
	return ds_reply(msg, info, err);
}

u32 ds_events_rate(const struct net *net)
{
	return READ_ONCE(ds_events(net)->rate);
}

void ds_events_set_rate(const struct net *net, u32 rate)
{
	WRITE_ONCE(ds_events(net)->rate, rate);
}

static int __net_init ds_events_net_init(struct net *net)
{
	struct ds_events *ev = ds_events(net);

	ev->net = net;
	ev->rate = DS_EVENT_RATE;
	mutex_init(&ev->mutex);
	INIT_WORK(&ev->start, ds_events_start_work);
	INIT_DELAYED_WORK(&ev->work, ds_events_work);
	return 0;
}

static void __net_exit ds_events_net_exit(struct net *net)
{
	struct ds_events *ev = ds_events(net);

	flush_work(&ev->start);
	mutex_lock(&ds_events_mutex);
	ds_events_stop(ev);
	mutex_unlock(&ds_events_mutex);
	cancel_delayed_work_sync(&ev->work);
}

static struct pernet_operations ds_events_net_ops = {
	.init	= ds_events_net_init,
	.exit	= ds_events_net_exit,
	.id	= &ds_events_id,
	.size	= sizeof(struct ds_events),
};

int __init ds_events_init(void)
{
	int err;

	ds_events_wq = alloc_workqueue("dualstack", WQ_UNBOUND, 0);
	if (!ds_events_wq)
		return -ENOMEM;

	err = register_pernet_subsys(&ds_events_net_ops);
	if (err)
		goto err_wq;

	err = netlink_register_notifier(&ds_events_notifier);
	if (err)
		goto err_pernet;
	return 0;

err_pernet:
	unregister_pernet_subsys(&ds_events_net_ops);
err_wq:
	destroy_workqueue(ds_events_wq);
	return err;
}

void ds_events_close(void)
{
	struct ds_events *ev, *next;

	mutex_lock(&ds_events_mutex);
	ds_events_closed = true;
	list_for_each_entry_safe(ev, next, &ds_events_active, active)
		ds_events_stop(ev);
	mutex_unlock(&ds_events_mutex);
}

void ds_events_exit(void)
{
	netlink_unregister_notifier(&ds_events_notifier);
	cancel_delayed_work_sync(&ds_events_idle_work);
	unregister_pernet_subsys(&ds_events_net_ops);
	destroy_workqueue(ds_events_wq);
}
