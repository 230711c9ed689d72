/* SPDX-License-Identifier: GPL-2.0 */
/* Events from before a suspend are older than jiffies say. */

#ifndef _DUALSTACK_SUSPEND_H
#define _DUALSTACK_SUSPEND_H

#include <linux/init.h>

/**
 * ds_suspend_init() - begin to set times back after each suspend
 *
 * Context: process. The records exist until ds_suspend_exit().
 *
 * Return: 0 or a negative errno.
 */
int __init ds_suspend_init(void);

/* Undo ds_suspend_init(). */
void ds_suspend_exit(void);

#endif /* _DUALSTACK_SUSPEND_H */
