// SPDX-License-Identifier: GPL-2.0
/* Events for the multicast group: as many as may be, the rest is told as lost.
 *
 * They are taken from the queue of the namespace, which has rings for as long as
 * somebody listens. Where nobody does anywhere that costs nothing: it is asked for by
 * a branch that is patched.
 *
 * To start takes the kernel's text to be patched, which waits for all processors. That
 * is done by a work item: whoever asks for it holds the lock of generic netlink, for
 * which others wait, and does not wait himself.
 *
 * A listener asks for it by a request, events-start. That it joins the group would
 * be enough if the group told: generic netlink has a callback for that, bind of
 * struct genl_family, since Linux 6.9 only, and it is not told which namespace it
 * is in. It would have no way to say from which event on all are numbered, either.
 */

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
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
#include "net.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "queue.h"
#include "stats.h"

/* How long rings stay after the last listener: who comes and goes does not have
 * the kernel patched more often than that.
 */
#define DS_EVENTS_LINGER	HZ

/**
 * struct ds_events - what a namespace has for those who listen
 * @net:	the namespace
 * @queue:	its events
 * @mutex:	held while sending; the rings of @queue, and @sent, stay under it
 * @fresh:	rings that a listener has asked for, until @start has seen to them
 * @start:	puts them in place
 * @sent:	number of the last event that was sent, or told as lost
 * @sent_when:	its time in jiffies
 * @active:	link in ds_events_active, while there are rings
 */
struct ds_events {
	struct net *net;
	struct ds_queue *queue;
	struct mutex mutex;	/* while sending */
	struct ds_rings *fresh;
	struct work_struct start;
	u64 sent;
	unsigned long sent_when;
	struct list_head active;
};

static unsigned int ds_events_id __read_mostly;

/* Serialises the coming and going of rings; comes before the mutex of a namespace. */
static DEFINE_MUTEX(ds_events_mutex);
static LIST_HEAD(ds_events_active);
static bool ds_events_closed;

static void ds_events_idle(struct work_struct *work);
static DECLARE_DELAYED_WORK(ds_events_idle_work, ds_events_idle);

static struct ds_events *ds_events(const struct net *net)
{
	return net_generic(net, ds_events_id);
}

static struct ds_rings *ds_events_rings(const struct ds_events *ev)
{
	return rcu_dereference_protected(ev->queue->rings,
					 lockdep_is_held(&ds_events_mutex) ||
					 lockdep_is_held(&ev->mutex));
}

/* What a listener is told */

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

/* Sending */

/* One message's worth. Returns how many, or a negative errno. */
static int ds_events_send_some(struct ds_events *ev, struct ds_rings *rings,
			       u64 settled)
{
	const struct ds_report *report;
	struct ds_ring *ring;
	struct sk_buff *skb;
	u64 seq = 0;
	int n = 0;

	ring = ds_rings_next(rings, settled);
	if (!ring)
		return 0;
	skb = nlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		return -ENOMEM;

	for (; ring; ring = ds_rings_next(rings, settled)) {
		report = ds_ring_first(ring);
		if (ds_put_report(skb, report))
			break;
		seq = report->seq;
		n++;
		ds_ring_pop(ring);
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
	u64 settled = ds_queue_settled(ev->queue, rings);
	int n, left = DS_RING_SIZE;

	do {
		n = ds_events_send_some(ev, rings, settled);
		left -= n;
	} while (n > 0 && left > 0);

	if (n < 0)
		return n;
	return n ? -EAGAIN : ds_events_send_loss(ev, settled);
}

/* The coming and going of listeners */

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

static void ds_events_start(struct ds_events *ev, struct ds_rings *rings)
{
	lockdep_assert_held(&ds_events_mutex);

	static_branch_inc(&ds_queue_key);
	list_add(&ev->active, &ds_events_active);

	mutex_lock(&ev->mutex);
	ev->sent = atomic64_read(&ev->queue->seq);
	rcu_assign_pointer(ev->queue->rings, rings);
	mutex_unlock(&ev->mutex);
}

static void ds_events_look(void)
{
	queue_delayed_work(ds_queue_wq, &ds_events_idle_work,
			   DS_EVENTS_LINGER);
}

static void ds_events_start_work(struct work_struct *work)
{
	struct ds_events *ev = container_of(work, struct ds_events, start);
	struct ds_rings *rings = ev->fresh;

	mutex_lock(&ds_events_mutex);
	if (!ds_events_rings(ev) && !ds_events_closed) {
		ds_events_start(ev, rings);
		rings = NULL;
		/* The listener may have gone before there was anything to stop. */
		ds_events_look();
	}
	mutex_unlock(&ds_events_mutex);

	kvfree(rings);
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
	RCU_INIT_POINTER(ev->queue->rings, NULL);
	mutex_unlock(&ev->mutex);

	list_del(&ev->active);
	static_branch_dec(&ds_queue_key);
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

void ds_events_work(struct work_struct *work)
{
	struct ds_net *dn = container_of(to_delayed_work(work), struct ds_net,
					 queue.work);
	struct ds_events *ev = ds_events(dn->net);
	struct ds_rings *rings;
	int err;

	mutex_lock(&ev->mutex);
	rings = ds_events_rings(ev);
	WRITE_ONCE(ev->queue->kicked, false);
	smp_mb();	/* pairs with ds_queue_kick() */
	if (!rings)
		goto out;

	err = ds_events_send(ev, rings);
	if (err == -EAGAIN)
		mod_delayed_work(ds_queue_wq, &ev->queue->work, 0);
	else if (err)
		queue_delayed_work(ds_queue_wq, &ev->queue->work, DS_EVENTS_SILENCE);
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
		*seq = atomic64_read(&ev->queue->seq);
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
	if (smp_load_acquire(&ev->fresh) || rcu_access_pointer(ev->queue->rings))
		return 0;
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
		queue_work(ds_queue_wq, &ev->start);
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

static int __net_init ds_events_net_init(struct net *net)
{
	struct ds_events *ev = ds_events(net);

	ev->net = net;
	ev->queue = &ds_net(net)->queue;
	mutex_init(&ev->mutex);
	INIT_WORK(&ev->start, ds_events_start_work);
	return 0;
}

static void __net_exit ds_events_net_exit(struct net *net)
{
	struct ds_events *ev = ds_events(net);

	flush_work(&ev->start);
	mutex_lock(&ds_events_mutex);
	ds_events_stop(ev);
	mutex_unlock(&ds_events_mutex);
	cancel_delayed_work_sync(&ev->queue->work);
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

	err = register_pernet_subsys(&ds_events_net_ops);
	if (err)
		return err;

	err = netlink_register_notifier(&ds_events_notifier);
	if (err)
		unregister_pernet_subsys(&ds_events_net_ops);
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
}
