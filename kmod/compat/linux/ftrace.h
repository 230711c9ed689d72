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

#ifdef DS_FTRACE_DIRECT_MULTI
/* These names were of functions that take an address, not a struct ftrace_ops.
 */
#define register_ftrace_direct(ops, addr)				\
	register_ftrace_direct_multi(ops, addr)
#define unregister_ftrace_direct(ops, addr, free_filters)		\
	((void)(free_filters), unregister_ftrace_direct_multi(ops, addr))
#endif

#ifdef DS_FTRACE_OPS_FUNC_IP
#define DS_FTRACE_OPS_FUNC_PROTO					\
	struct ftrace_ops *ops, unsigned long ip, enum ftrace_ops_cmd cmd
#else
#define DS_FTRACE_OPS_FUNC_PROTO					\
	struct ftrace_ops *ops, enum ftrace_ops_cmd cmd
#endif

/* A function that another one can be made to call first, by ftrace's direct
 * calls: it gets the arguments of that one, and leaves all registers as they
 * were. The compiler saves those that it uses, where a trampoline would have to
 * save all that any function could. clang does not save them in front of a tail
 * call. Elsewhere ds_direct_call() is 0: none.
 */
#if defined(DS_FTRACE_DIRECT_CALLS) && !defined(__clang__) && \
	defined(__no_caller_saved_registers) && \
	__has_attribute(__no_caller_saved_registers__)
#define ds_direct		__no_caller_saved_registers
#define ds_direct_call(func)	((unsigned long)(func))
#else
#define ds_direct
#define ds_direct_call(func)	(0 ? (unsigned long)(func) : 0UL)
#endif

#endif /* _DUALSTACK_COMPAT_LINUX_FTRACE_H */
