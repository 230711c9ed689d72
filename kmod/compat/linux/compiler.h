/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_LINUX_COMPILER_H
#define _DUALSTACK_COMPAT_LINUX_COMPILER_H

#include_next <linux/compiler.h>

/* Since 6.9, and where that was backported (6.1.100) */
#ifndef __uninitialized
#if __has_attribute(__uninitialized__)
#define __uninitialized	__attribute__((__uninitialized__))
#else
#define __uninitialized
#endif
#endif

#endif /* _DUALSTACK_COMPAT_LINUX_COMPILER_H */
