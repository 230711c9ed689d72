/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_LINUX_FTRACE_H
#define _DUALSTACK_COMPAT_LINUX_FTRACE_H

#include_next <linux/ftrace.h>

#ifdef DS_NO_FTRACE_REGS_GET_ARGUMENT
/* Not ftrace_get_regs(): it gives nothing without FTRACE_OPS_FL_SAVE_REGS,
 * which costs the data path more; the arguments are there all the same.
 */
#define ftrace_regs_get_argument(fregs, n)				\
	regs_get_kernel_argument(&(fregs)->regs, n)
#endif

#endif /* _DUALSTACK_COMPAT_LINUX_FTRACE_H */
