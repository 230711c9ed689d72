/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_LINUX_BOTTOM_HALF_H
#define _DUALSTACK_COMPAT_LINUX_BOTTOM_HALF_H

#include_next <linux/bottom_half.h>

/* Whether one softirq may preempt another one on the same processor. */
#if defined(CONFIG_PREEMPT_RT) && defined(DS_RT_BH_LOCK_OPTION) && \
	!defined(CONFIG_PREEMPT_RT_NEEDS_BH_LOCK)
#define DS_SOFTIRQS_NEST	true
#else
#define DS_SOFTIRQS_NEST	false
#endif

#endif /* _DUALSTACK_COMPAT_LINUX_BOTTOM_HALF_H */
