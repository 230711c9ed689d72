// SPDX-License-Identifier: GPL-2.0
/* Whose memory is taken for what a socket did. */

#include <linux/bottom_half.h>
#include <linux/memcontrol.h>
#include <linux/preempt.h>
#include <linux/sched/mm.h>
#include <net/sock.h>

#include "charge.h"

/* In softirq whose memory it is stands in a variable of the processor. Where softirqs may
 * preempt one another, one would put back what is another's: there nobody is charged for
 * what is made in one, which max-sockets and max-peers bound.
 */
static bool ds_charge_is_safe(void)
{
	return !DS_SOFTIRQS_NEST || in_task();
}

struct mem_cgroup *ds_charge_begin(struct sock *sk)
{
	if (!ds_charge_is_safe())
		return NULL;
	/* Without one, it is that of the task, if there is one. */
	return set_active_memcg(mem_cgroup_from_sk(sk));
}

void ds_charge_end(struct mem_cgroup *old)
{
	if (ds_charge_is_safe())
		set_active_memcg(old);
}
