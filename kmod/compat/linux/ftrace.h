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
/* The functions of these names take an address there, not a struct ftrace_ops. */
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

/* ds_direct is for a function that ftrace's direct calls have run at the entry of
 * another one. It is passed the arguments of that one, and has to leave all
 * registers as they were. The compiler saves those that the function uses; a
 * trampoline would have to save all that any function may use. clang does not save
 * them before a tail call, so it is left out. ds_direct_call() is the address for
 * ftrace, or 0 where there are no such calls.
 *
 * With CONFIG_ZERO_CALL_USED_REGS each function clears registers at its end, so that nobody
 * uses what was in them: here that is the arguments of whoever was called.
 */
#if defined(DS_FTRACE_DIRECT_CALLS) && !defined(__clang__) && \
	defined(__no_caller_saved_registers) && \
	__has_attribute(__no_caller_saved_registers__)
#define DS_HAVE_DIRECT_CALLS	true
#ifdef CONFIG_ZERO_CALL_USED_REGS
#define ds_skip_zeroing							\
	__attribute__((__zero_call_used_regs__("skip")))
#define ds_direct							\
	__attribute__((__no_caller_saved_registers__,			\
		       __zero_call_used_regs__("skip")))
#else
#define ds_skip_zeroing
#define ds_direct		__no_caller_saved_registers
#endif
#define ds_direct_call(func)	((unsigned long)(func))
#else
#define DS_HAVE_DIRECT_CALLS	false
#define ds_skip_zeroing
#define ds_direct
#define ds_direct_call(func)	(0 ? (unsigned long)(func) : 0UL)
#endif

/* ds_direct_fast is for such a function that saves less. At the entry of a function only
 * its arguments live, and the registers that it would have to save itself. (GCC's
 * -fipa-ra, which relies on what a callee happens to leave alone, is off where ftrace can
 * hook one; BPF's trampolines save no more either.) So it is an ordinary function whose
 * target has three arguments at most, and which has them where they came at the end: by
 * ds_keep_arguments(), the last thing that it does, or as it calls a ds_direct function
 * with the same. The compiler does not promise that nothing comes after that: where it is
 * known to add something these functions are ds_direct themselves, and tools/check-fast
 * looks at what it has made of them.
 */
#ifdef DS_KEEP_ARGUMENTS
#define ds_direct_fast		ds_skip_zeroing
#define ds_keep_arguments(a, b, c)					\
	({ asm volatile("" : : "D" (a), "S" (b), "d" (c) : "memory"); })
#else
#define ds_direct_fast		ds_direct
#define ds_keep_arguments(a, b, c)					\
	do { (void)(a); (void)(b); (void)(c); } while (0)
#endif

#endif /* _DUALSTACK_COMPAT_LINUX_FTRACE_H */
