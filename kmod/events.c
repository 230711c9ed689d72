// SPDX-License-Identifier: GPL-2.0
/* Events for the multicast group: as many as may be, the rest is told as lost.
 *
 * They are taken from our own tracepoints, where probes are while somebody
 * listens, so that they cost nothing otherwise. A probe numbers an event and
 * leaves it in a ring; a work item sends what is there. An event that finds no
 * room, or exceeds the rate, uses up its number all the same, and that is how a
 * listener knows.
 */

#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include <net/genetlink.h>
#include <net/netns/generic.h>
#include <uapi/linux/dualstack.h>

#include "events.h"
#include "flow.h"
#include "netlink.h"
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
 */
struct ds_report {
	u64 seq;
	u64 time;
	u64 cookie;
	struct ds_flow flow;
	u8 type;
};

/**
 * struct ds_ring - events that wait to be sent
 * @head:	how many came
 * @tail:	how many were sent
 * @report:	the events, by these numbers modulo DS_RING_SIZE
 */
struct ds_ring {
	unsigned int head;
	unsigned int tail;
	struct ds_report report[DS_RING_SIZE];
};

/**
 * struct ds_events - what a namespace has for its events
 * @net:	the namespace
 * @mutex:	held while sending; @ring stays under it
 * @lock:	for what the probes write: @seq, @next, and the ring. Never held
 *		while sending
 * @ring:	there while somebody may listen; comes under ds_events_mutex,
 *		goes under that and @mutex, both under @lock
 * @seq:	number of the latest event
 * @next:	when the rate would be exhausted, if it were 1 s ahead, in
 *		nanoseconds
 * @rate:	events a second
 * @sent:	number of the last event that was sent, or told as lost
 * @sent_when:	its time in jiffies
 * @work:	sends; under @mutex
 * @active:	link in ds_events_active, while there is a ring
 */
struct ds_events {
	struct net *net;
	struct mutex mutex;	/* while sending */
	spinlock_t lock;	/* for seq, next, ring */
	struct ds_ring *ring;
	u64 seq;
	u64 next;
	u32 rate;
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

/* By what ds_trace_site() says. */
static const u8 ds_event_types[] = {
	[DS_SITE_ACCEPT]	= DUALSTACK_EVENT_TYPE_MAPPED_ACCEPT,
	[DS_IN_MAPPED]		= DUALSTACK_EVENT_TYPE_MAPPED_RECV,
	[DS_CONNECT]		= DUALSTACK_EVENT_TYPE_MAPPED_CONNECT,
	[DS_SEND]		= DUALSTACK_EVENT_TYPE_MAPPED_SEND,
	[DS_REJECT_V6ONLY]	= DUALSTACK_EVENT_TYPE_REJECT_V6ONLY,
	[DS_REJECT_ADDR]	= DUALSTACK_EVENT_TYPE_REJECT_ADDR,
	[DS_REJECT_V4ONLY]	= DUALSTACK_EVENT_TYPE_REJECT_V4ONLY,
	[DS_REJECT_CONNECT]	= DUALSTACK_EVENT_TYPE_REJECT_CONNECT,
	[DS_REJECT_SEND]	= DUALSTACK_EVENT_TYPE_REJECT_SEND,
	[DS_REJECT_BIND]	= DUALSTACK_EVENT_TYPE_REJECT_BIND,
	[DS_WIRE_MAPPED]	= DUALSTACK_EVENT_TYPE_WIRE_MAPPED,
};

static struct ds_events *ds_events(const struct net *net)
{
	return net_generic(net, ds_events_id);
}

/* The packet's side */

/* As many as the rate says at once, and then one each time that it allows. */
static bool ds_events_allowed(struct ds_events *ev)
{
	u32 rate = READ_ONCE(ev->rate);
	u64 now = ktime_get_ns();
	u64 step, next;

	if (!rate)
		return false;

	step = NSEC_PER_SEC / rate;
	next = max(ev->next, now) + step;
	if (next > now + NSEC_PER_SEC)
		return false;
	ev->next = next;
	return true;
}

static bool ds_ring_empty(const struct ds_ring *ring)
{
	return ring->head == ring->tail;
}

static struct ds_report *ds_ring_at(struct ds_ring *ring, unsigned int n)
{
	return &ring->report[n % DS_RING_SIZE];
}

static void ds_events_push(struct ds_events *ev, struct ds_report *report)
{
	struct ds_ring *ring;
	bool fits = false;
	bool first = false;

	spin_lock_bh(&ev->lock);
	ring = ev->ring;
	if (ring) {
		report->seq = ++ev->seq;
		fits = ring->head - ring->tail < DS_RING_SIZE &&
		       ds_events_allowed(ev);
		if (fits) {
			first = ds_ring_empty(ring);
			*ds_ring_at(ring, ring->head++) = *report;
		}
	}
	spin_unlock_bh(&ev->lock);

	/* With the first at once. A loss is told of by the next event; the work
	 * is for when there is none.
	 */
	if (first)
		mod_delayed_work(ds_events_wq, &ev->work, 0);
	else if (!fits)
		queue_delayed_work(ds_events_wq, &ev->work, DS_EVENTS_SILENCE);
}

static void ds_events_probe(void *data, struct sock *sk, enum ds_event event,
			    const struct ds_flow *flow)
{
	struct ds_report report;
	struct ds_events *ev;

	/* A namespace whose count is not 0 waits for this RCU section before it
	 * goes.
	 */
	rcu_read_lock();
	if (!check_net(flow->net))
		goto out;
	ev = ds_events(flow->net);
	if (!READ_ONCE(ev->ring))
		goto out;

	report.time = ktime_get_real_ns();
	report.cookie = ds_sk_cookie(sk);
	report.flow = *flow;
	report.type = ds_event_types[ds_trace_site(event, flow)];
	ds_events_push(ev, &report);
out:
	rcu_read_unlock();
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
		       &flow->local, flow->local_port) ||
	    ds_put_end(skb, DUALSTACK_A_EVENT_PEER, flow->family,
		       &flow->peer, flow->peer_port))
		return -EMSGSIZE;

	if (flow->family == AF_INET6)
		return nla_put_u32(skb, DUALSTACK_A_EVENT_FLOWLABEL,
				   ntohl(flow->flowlabel));
	return 0;
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
	    ds_put_flow(skb, &report->flow)) {
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

/* The next event to send, after @done ones that have been taken. It stays where
 * it is until it is done: nobody else moves the tail.
 */
static const struct ds_report *ds_events_next(struct ds_events *ev,
					      unsigned int done)
{
	const struct ds_report *report = NULL;
	struct ds_ring *ring = ev->ring;

	spin_lock_bh(&ev->lock);
	ring->tail += done;
	if (!ds_ring_empty(ring))
		report = ds_ring_at(ring, ring->tail);
	spin_unlock_bh(&ev->lock);
	return report;
}

/* One message's worth. Returns how many, or a negative errno. */
static int ds_events_send_some(struct ds_events *ev)
{
	const struct ds_report *report;
	struct sk_buff *skb;
	u64 seq = 0;
	int n;

	report = ds_events_next(ev, 0);
	if (!report)
		return 0;
	skb = nlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;

	for (n = 0; report && !ds_put_report(skb, report); n++) {
		seq = report->seq;
		report = ds_events_next(ev, 1);
	}
	ds_events_multicast(ev, skb, seq);
	return n;
}

/* Events that nothing was heard of, with none after them. */
static int ds_events_send_loss(struct ds_events *ev)
{
	struct sk_buff *skb;
	bool loss;
	u64 seq;
	int err;

	spin_lock_bh(&ev->lock);
	seq = ev->seq;
	loss = seq != ev->sent && ds_ring_empty(ev->ring);
	spin_unlock_bh(&ev->lock);
	if (!loss)
		return 0;

	if (time_before(jiffies, ev->sent_when + DS_EVENTS_SILENCE))
		return -EBUSY;
	skb = nlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;
	err = ds_put_loss(skb, seq);
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	ds_events_multicast(ev, skb, seq);
	return 0;
}

/* Returns 0, -EAGAIN where there is more, or why to come back later. */
static int ds_events_send(struct ds_events *ev)
{
	int n, left = DS_RING_SIZE;

	do {
		n = ds_events_send_some(ev);
		left -= n;
	} while (n > 0 && left > 0);

	if (n < 0)
		return n;
	return n ? -EAGAIN : ds_events_send_loss(ev);
}

/* Probes and rings */

static int ds_probes_register(void)
{
	int err;

	err = register_trace_dualstack_mapped(ds_events_probe, NULL);
	if (err)
		return err;
	err = register_trace_dualstack_reject(ds_events_probe, NULL);
	if (err) {
		unregister_trace_dualstack_mapped(ds_events_probe, NULL);
		tracepoint_synchronize_unregister();
	}
	return err;
}

static void ds_probes_unregister(void)
{
	unregister_trace_dualstack_reject(ds_events_probe, NULL);
	unregister_trace_dualstack_mapped(ds_events_probe, NULL);
	tracepoint_synchronize_unregister();
}

static int ds_events_start(struct ds_events *ev)
{
	struct ds_ring *ring;
	int err;

	lockdep_assert_held(&ds_events_mutex);

	ring = kvzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);
	if (!ring)
		return -ENOMEM;
	if (list_empty(&ds_events_active)) {
		err = ds_probes_register();
		if (err) {
			kvfree(ring);
			return err;
		}
	}
	list_add(&ev->active, &ds_events_active);

	spin_lock_bh(&ev->lock);
	ev->sent = ev->seq;
	WRITE_ONCE(ev->ring, ring);
	spin_unlock_bh(&ev->lock);
	return 0;
}

/* Nothing is sent any more when this returns. */
static void ds_events_stop(struct ds_events *ev)
{
	struct ds_ring *ring;

	lockdep_assert_held(&ds_events_mutex);

	mutex_lock(&ev->mutex);
	ring = ev->ring;
	spin_lock_bh(&ev->lock);
	WRITE_ONCE(ev->ring, NULL);
	spin_unlock_bh(&ev->lock);
	mutex_unlock(&ev->mutex);

	if (!ring)
		return;
	kvfree(ring);
	list_del(&ev->active);
	if (list_empty(&ds_events_active))
		ds_probes_unregister();
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

static void ds_events_look(void)
{
	queue_delayed_work(ds_events_wq, &ds_events_idle_work,
			   DS_EVENTS_LINGER);
}

static void ds_events_work(struct work_struct *work)
{
	struct ds_events *ev = container_of(to_delayed_work(work),
					    struct ds_events, work);
	int err;

	mutex_lock(&ev->mutex);
	if (!ev->ring)
		goto out;

	err = ds_events_send(ev);
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

int ds_events_listen(struct net *net)
{
	struct ds_events *ev = ds_events(net);
	int err = 0;

	if (!ds_has_listeners(net))
		return 0;
	mutex_lock(&ds_events_mutex);
	if (!ev->ring && !ds_events_closed)
		err = ds_events_start(ev);
	mutex_unlock(&ds_events_mutex);
	return err;
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

u64 ds_events_seq(const struct net *net)
{
	struct ds_events *ev = ds_events(net);
	u64 seq;

	spin_lock_bh(&ev->lock);
	seq = ev->seq;
	spin_unlock_bh(&ev->lock);
	return seq;
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
	spin_lock_init(&ev->lock);
	INIT_DELAYED_WORK(&ev->work, ds_events_work);
	return 0;
}

static void __net_exit ds_events_net_exit(struct net *net)
{
	struct ds_events *ev = ds_events(net);

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
