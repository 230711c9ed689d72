/* SPDX-License-Identifier: GPL-2.0 */
/* What a hook is declared with, for hook_list.c. */

#ifndef _DUALSTACK_HOOK_MACROS_H
#define _DUALSTACK_HOOK_MACROS_H

#include <linux/args.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/ftrace.h>

/* A function as target. Where the kernel exports it, it is linked to and has an
 * address, else that is 0, and ftrace finds the name, which takes it a long time. With
 * modversions that is the kernel of the build: another one that exports it as well
 * refuses the module, as no version was recorded.
 */
#define DS_TARGET_FUNCTION(target, proto)				\
	static_assert(__same_type(&(target), (proto)NULL),		\
		      #target "() has changed: adapt its hook");	\
	extern typeof(target) target __weak
#define DS_FUNCTION(target)						\
	.name = #target, .addr = (unsigned long)(target)

/* A function that a pointer leads to as target, see ds_hooks_find_targets(): the
 * type of the pointer.
 */
#define DS_TARGET_POINTER(type, pointer, proto)				\
	static_assert(__same_type(((type *)NULL)->pointer, (proto)NULL), \
		      #pointer "() has changed: adapt its hook")

/* What a hook calls, with the first arguments of the target: their types. */
#define DS_CALLBACK(hook, func, ...)					\
	static_assert(__same_type(func, void (__VA_ARGS__)),		\
		      #func "() takes other arguments");		\
	static void notrace						\
	ds_callback_##hook(unsigned long ip, unsigned long parent_ip,	\
			   struct ftrace_ops *ops,			\
			   struct ftrace_regs *fregs)			\
	{								\
		func(CONCATENATE(DS_ARGS_,				\
				 COUNT_ARGS(__VA_ARGS__))(__VA_ARGS__)); \
	}								\
	static_assert(true)
#define DS_ARG(n, type)		((type)ftrace_regs_get_argument(fregs, n))
#define DS_ARGS_1(a)		DS_ARG(0, a)
#define DS_ARGS_2(a, b)		DS_ARGS_1(a), DS_ARG(1, b)
#define DS_ARGS_3(a, b, c)	DS_ARGS_2(a, b), DS_ARG(2, c)

#endif /* _DUALSTACK_HOOK_MACROS_H */
