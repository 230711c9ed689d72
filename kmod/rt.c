// SPDX-License-Identifier: GPL-2.0
/* What hooks need besides where the kernel has CONFIG_PREEMPT_RT.
 *
 * There a spinlock may have to be waited for, which nothing may do that has preemption
 * disabled. ftrace disables it around callbacks where somebody else has the function
 * traced as well, and so do tracepoints. A direct call comes after that: so all hooks
 * are direct calls, or there are none.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compiler.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <net/protocol.h>

#include "rt.h"

/* Where there are direct calls only, sysctl kernel.ftrace_enabled may become 0: this is
 * a callback, for a function that nobody calls.
 */
static void notrace ds_rt_nothing(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops,
				  struct ftrace_regs *fregs)
{
}

static struct ftrace_ops ds_rt_ops = {
	.func	= ds_rt_nothing,
	.flags	= FTRACE_OPS_FL_PERMANENT,
};

int __init ds_rt_init(bool direct_calls)
{
	int err;

	if (!direct_calls) {
		pr_err("parameter direct_calls=no: this kernel has CONFIG_PREEMPT_RT, for which there has to be one for each hook\n");
		return -EINVAL;
	}
	err = ftrace_set_filter_ip(&ds_rt_ops,
				   (unsigned long)inet_register_protosw, 0, 1);
	if (err)
		pr_err("cannot trace inet_register_protosw: %pe\n", ERR_PTR(err));
	return err;
}

void ds_rt_exit(void)
{
	ftrace_free_filter(&ds_rt_ops);
}

int ds_rt_attach(void)
{
	int err = register_ftrace_function(&ds_rt_ops);

	if (err)
		pr_err("cannot hook inet_register_protosw: %pe\n", ERR_PTR(err));
	return err;
}

/* Where a task waits for a spinlock in our code, ftrace has not waited for it: see
 * ds_call_begin(). After the first of the two it is on its way out, and waits no more.
 */
int ds_rt_detach(void)
{
	int err = unregister_ftrace_function(&ds_rt_ops);

	if (err)
		return err;
	synchronize_rcu();
	synchronize_rcu_tasks();
	return 0;
}
