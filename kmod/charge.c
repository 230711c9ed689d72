// SPDX-License-Identifier: GPL-2.0
/* Whose memory is taken for what a socket did. */

#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <net/sock.h>

#include "charge.h"

struct mem_cgroup *ds_charge_begin(struct sock *sk)
{
	/* Without one, it is that of the task, if there is one. */
	return set_active_memcg(mem_cgroup_from_sk(sk));
}

void ds_charge_end(struct mem_cgroup *old)
{
	set_active_memcg(old);
}
