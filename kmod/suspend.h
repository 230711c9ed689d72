/* SPDX-License-Identifier: GPL-2.0 */
/* What happened before the machine was suspended is older than jiffies say. */

#ifndef _DUALSTACK_SUSPEND_H
#define _DUALSTACK_SUSPEND_H

#include <linux/init.h>

/* Begin and end to mind suspends. The records are there meanwhile. */
int __init ds_suspend_init(void);
void ds_suspend_exit(void);

#endif /* _DUALSTACK_SUSPEND_H */
