/* SPDX-License-Identifier: GPL-2.0 */
/* What hooks need besides where the kernel has CONFIG_PREEMPT_RT: elsewhere nothing. */

#ifndef _DUALSTACK_RT_H
#define _DUALSTACK_RT_H

#include <linux/init.h>
#include <linux/types.h>

#ifdef CONFIG_PREEMPT_RT
/**
 * ds_rt_init() - find out whether the hooks will do
 * @direct_calls:	whether they may be direct calls
 *
 * Context: process, may sleep.
 *
 * Return: 0, or a negative errno, which is told to the kernel log.
 */
int __init ds_rt_init(bool direct_calls);
void ds_rt_exit(void);

/**
 * ds_rt_attach() - before the hooks are put in place
 *
 * Context: process, may sleep.
 *
 * Return: 0, -EBUSY where ftrace is disabled, -ENODEV, -ENOMEM.
 */
int ds_rt_attach(void);

/**
 * ds_rt_detach() - after they have been taken out
 *
 * Nobody is in our code any more when it returns.
 *
 * Context: process, may sleep.
 *
 * Return: 0, or -ENODEV where ftrace has disabled itself.
 */
int ds_rt_detach(void);
#else
static inline int ds_rt_init(bool direct_calls)
{
	return 0;
}

static inline void ds_rt_exit(void)
{
}

static inline int ds_rt_attach(void)
{
	return 0;
}

static inline int ds_rt_detach(void)
{
	return 0;
}
#endif

#endif /* _DUALSTACK_RT_H */
