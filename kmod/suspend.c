// SPDX-License-Identifier: GPL-2.0
/* Events from before a suspend are older than jiffies say.
 *
 * The time of an event is in jiffies, which the data path can read at no cost, but
 * which stand still in suspend. So after a suspend all times from before it are set
 * back.
 */

#include <linux/jiffies.h>
#include <linux/notifier.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/suspend.h>
#include <linux/timekeeping.h>

#include "last_peer.h"
#include "ledger.h"
#include "net.h"
#include "sock.h"
#include "suspend.h"

/* When the last suspend began, and how long the machine had slept until then, in
 * ns.
 */
static unsigned long ds_suspend_when;
static u64 ds_suspend_slept;

static u64 ds_suspend_total(void)
{
	return ktime_to_ns(ktime_mono_to_any(0, TK_OFFS_BOOT));
}

/* How much older what is from when, both in jiffies. */
struct ds_suspend_step {
	unsigned long until;
	unsigned long by;
};

static void ds_suspend_set_back_rec(struct ds_sock *rec, void *arg)
{
	const struct ds_suspend_step *step = arg;

	ds_sock_set_back(rec, step->until, step->by);
}

static void ds_suspend_set_back_net(struct net *net, void *arg)
{
	const struct ds_suspend_step *step = arg;

	ds_ledger_set_back(&ds_net(net)->ledger, step->until, step->by);
}

static void ds_suspend_set_back(unsigned long until, unsigned long by)
{
	struct ds_suspend_step step = { .until = until, .by = by };

	ds_sock_for_each(ds_suspend_set_back_rec, &step);
	ds_net_visit(ds_suspend_set_back_net, &step);
}

static int ds_suspend_notify(struct notifier_block *nb, unsigned long action,
			     void *unused)
{
	u64 slept;

	switch (action) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		ds_suspend_when = jiffies;
		ds_suspend_slept = ds_suspend_total();
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
		slept = ds_suspend_total() - ds_suspend_slept;
		if (slept)
			ds_suspend_set_back(ds_suspend_when,
					    nsecs_to_jiffies(slept));
		break;
	}
	return NOTIFY_OK;
}

static struct notifier_block ds_suspend_nb = {
	.notifier_call = ds_suspend_notify,
};

int __init ds_suspend_init(void)
{
	return register_pm_notifier(&ds_suspend_nb);
}

void ds_suspend_exit(void)
{
	unregister_pm_notifier(&ds_suspend_nb);
}
