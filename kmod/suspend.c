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

static void ds_suspend_set_back(unsigned long until, unsigned long by)
{
	struct ds_sock __rcu **p = ds_sock_table;
	struct ds_sock *rec;

	for (; p < ds_sock_table + DS_SOCK_BUCKETS; p++) {
		rcu_read_lock();
		for (rec = ds_sock_first(p); rec; rec = ds_sock_next(rec))
			ds_sock_set_back(rec, until, by);
		rcu_read_unlock();
		cond_resched();
	}
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
