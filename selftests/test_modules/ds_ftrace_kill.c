// SPDX-License-Identifier: GPL-2.0-only
/* Have ftrace disable itself, as it does when it meets a bug. */

#include <linux/module.h>
#include <linux/moduleparam.h>

static unsigned long ftrace_kill_addr;
module_param_named(ftrace_kill, ftrace_kill_addr, ulong, 0);
MODULE_PARM_DESC(ftrace_kill, "where ftrace_kill() is, which is not exported");

static int __init ds_ftrace_kill_init(void)
{
	if (!ftrace_kill_addr)
		return -EINVAL;
	((void (*)(void))ftrace_kill_addr)();
	return 0;
}

static void __exit ds_ftrace_kill_exit(void)
{
}

module_init(ds_ftrace_kill_init);
module_exit(ds_ftrace_kill_exit);

MODULE_DESCRIPTION("Test module: ftrace disables itself");
MODULE_AUTHOR("The dualstack maintainers");
MODULE_LICENSE("GPL");
