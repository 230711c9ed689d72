/* SPDX-License-Identifier: GPL-2.0 */
/* How the module enters the kernel, and leaves it. */

#ifndef _DUALSTACK_HOOKS_H
#define _DUALSTACK_HOOKS_H

#include <linux/init.h>
#include <linux/types.h>

/**
 * ds_hooks_init() - find the targets
 *
 * A target that is missing, or that cannot be traced, is named in the kernel
 * log.
 *
 * Context: process, may sleep.
 *
 * Return: 0, -EINVAL for such a target, -ENOMEM, -ENODEV where ftrace has disabled
 * itself, or why no AF_INET6 socket can be had.
 */
int __init ds_hooks_init(void);

/* Forget the targets. Every hook is detached; where ds_hooks_detach() has failed, this
 * never returns, as the caller would go on to free the module.
 */
void ds_hooks_exit(void);

/**
 * ds_hooks_attach() - put every hook in place
 *
 * All or none. What fails is named in the kernel log. Records that are there
 * from a time before are kept where ds_sweep() finds their socket.
 *
 * Context: process, may sleep.
 *
 * Return: 0, -EBUSY where ftrace is disabled (sysctl kernel.ftrace_enabled),
 * -ENODEV where it has disabled itself, -ENOMEM.
 */
int ds_hooks_attach(void);

/**
 * ds_hooks_detach() - take every hook out
 *
 * No callback runs any more when this returns 0. Nothing to do where they are out
 * already.
 *
 * Context: process, may sleep.
 *
 * Return: 0, or -ENODEV where ftrace has disabled itself: those that were in place
 * still are, or may be, and for good. The module is held, if it is not going.
 */
int ds_hooks_detach(void);

/**
 * ds_hooks_since() - how long all hooks are in place
 *
 * Context: any.
 *
 * Return: since when, in nanoseconds of CLOCK_BOOTTIME; 0 while they are not.
 */
u64 ds_hooks_since(void);

/* Whether all hooks are in place. */
static inline bool ds_hooks_attached(void)
{
	return ds_hooks_since();
}

#endif /* _DUALSTACK_HOOKS_H */
