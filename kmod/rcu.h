/* SPDX-License-Identifier: GPL-2.0 */
/* The RCU sections that hooks run in. */

#ifndef _DUALSTACK_RCU_H
#define _DUALSTACK_RCU_H

#include <linux/compiler.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>

/* fast.c disables preemption, which is a section of RCU, too: two instructions where
 * rcu_read_lock() is a call. What it leaves to others takes spinlocks and memory: nothing
 * that sleeps, unless it is with CONFIG_PREEMPT_RT. There these sections are those of
 * rcu_read_lock(), in which a task may wait for a spinlock; elsewhere preemption is
 * disabled as well.
 */

/**
 * ds_rcu_lock() - begin a section in which spinlocks may be taken
 *
 * Context: process or softirq, preemptible with CONFIG_PREEMPT_RT.
 */
static __always_inline void ds_rcu_lock(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_lock();
	else
		preempt_disable_notrace();
}

/* Its end, or that of ds_rcu_take_over(). */
static __always_inline void ds_rcu_unlock(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_unlock();
	else
		preempt_enable_notrace();
}

/**
 * ds_rcu_take_over() - go on in such a section where preemption has been disabled
 *
 * What was found before stays.
 *
 * Context: as for ds_rcu_lock(), but for the preemption.
 */
static __always_inline void ds_rcu_take_over(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		rcu_read_lock();
		preempt_enable_notrace();
	}
}

/**
 * ds_call_begin() - begin what the module may wait for a spinlock in
 *
 * To unload the module ftrace waits until each task has left it. A task that waits for a
 * spinlock with CONFIG_PREEMPT_RT looks to it as if it had (it counts as a voluntary
 * context switch, see rcu_tasks_is_holdout() and struct task_struct.nvcsw): so all of
 * that is in one RCU section for each call of a hook, which ds_hooks_detach() waits for.
 *
 * Context: as for ds_rcu_lock(). Sections of RCU may be inside.
 */
static __always_inline void ds_call_begin(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_lock();
}

static __always_inline void ds_call_end(void)
{
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		rcu_read_unlock();
}

#endif /* _DUALSTACK_RCU_H */
