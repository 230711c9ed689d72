// SPDX-License-Identifier: GPL-2.0
/* The calls of sendmsg() that have come past our look at IPV6_V6ONLY, and not yet past
 * the kernel's.
 */

#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/processor.h>
#include <linux/spinlock.h>

#include "sending.h"

DEFINE_PER_CPU(int, ds_sending);
bool ds_sending_held;
/* Taken by those who set the option. Senders spin meanwhile, whatever their priority: so
 * who has it is not to be preempted.
 */
static DEFINE_RAW_SPINLOCK(ds_sending_lock);

/* How long to wait for senders that are counted in ds_sending: one may be preempted
 * there. It is not waited for without end, as a count can stay: if another thread
 * sets the option at that moment by setsockopt(), as it may as long as the socket
 * has no port, udp_sendmsg() is not called.
 */
#define DS_SENDING_PATIENCE	(HZ / 4)
#define DS_SENDING_LOOKS	100

static int ds_sending_left;		/* counts that stayed */
static unsigned long ds_sending_since;	/* when waiting began, or 0 */

static int ds_sending_now(void)
{
	int cpu, n = 0;

	for_each_possible_cpu(cpu)
		n += READ_ONCE(per_cpu(ds_sending, cpu));
	return n;
}

/* Most senders are through in no time, and no more come while this is held. */
static int ds_sending_drain(void)
{
	int i, n;

	for (i = 0; i < DS_SENDING_LOOKS; i++) {
		n = ds_sending_now();
		if (!n || n == ds_sending_left)
			break;
		cpu_relax();
	}
	return n;
}

bool ds_sending_hold(void)
	__acquires(&ds_sending_lock)
{
	int n;

	raw_spin_lock(&ds_sending_lock);
	WRITE_ONCE(ds_sending_held, true);
	smp_mb();	/* pairs with ds_sending_try() */
	n = ds_sending_drain();
	if (n && n != ds_sending_left) {
		/* If the last try was long ago, waiting begins anew. */
		if (!ds_sending_since ||
		    time_after(jiffies,
			       ds_sending_since + 8 * DS_SENDING_PATIENCE))
			ds_sending_since = jiffies | 1;
		if (time_before(jiffies, ds_sending_since + DS_SENDING_PATIENCE))
			return false;
	}
	ds_sending_left = n;
	ds_sending_since = 0;
	return true;
}

void ds_sending_release(void)
	__releases(&ds_sending_lock)
{
	/* pairs with ds_sending_try() */
	smp_store_release(&ds_sending_held, false);
	raw_spin_unlock(&ds_sending_lock);
}
