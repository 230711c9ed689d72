// SPDX-License-Identifier: GPL-2.0
/* How the module enters the kernel, and leaves it. Where: see hook_list.c.
 *
 * Every ftrace_ops has one target and its callback calls nothing that leads
 * back there, so none needs ftrace's recursion protection; but for what bind.c does,
 * which sees to that itself. Those with callbacks
 * are permanent: sysctl kernel.ftrace_enabled=0 is refused, instead of freezing
 * the counters. With CONFIG_PREEMPT_RT there are none: see rt.c.
 *
 * What a packet passes is hooked by a direct call: the target then calls us as
 * if that were its first statement, where ftrace's trampoline takes some 40
 * instructions to call a callback and to return. A function can have one direct
 * call only, and a BPF program of type fentry takes it, too. Where that is
 * taken, and where the architecture has none, the callback serves. Whoever comes
 * after us gets EBUSY: parameter direct_calls is for those who would rather pay.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "hook_list.h"
#include "hooks.h"
#include "rt.h"
#include "rules.h"
#include "sweep.h"

/* A parameter, as it is to be known before the first hook is in place. */
static bool ds_direct_calls = true;
module_param_named(direct_calls, ds_direct_calls, bool, 0444);
MODULE_PARM_DESC(direct_calls, "Hook by ftrace's direct calls where it can be done; no: leave them to BPF programs (default: yes)");

/* A live patch and a direct call go together: ours returns to where ftrace says,
 * which is the patched function then.
 */
static int ds_hook_direct_cmd(DS_FTRACE_OPS_FUNC_PROTO)
{
	return 0;
}

static bool ds_hook_is_ftrace(const struct ds_hook *hook)
{
	return hook->callback;
}

/* What no filter at all looks like: an ops that has it traces every function. */
static struct ftrace_ops ds_ops_of_all;

/* Where there is no memory for the one function that it has found, ftrace_set_filter()
 * reports no error, and leaves no filter.
 */
static int ds_hook_find_name(struct ds_hook *hook)
{
	int err;

	err = ftrace_set_filter(&ds_ops_of_all, NULL, 0, 1) ?:
	      ftrace_set_filter(&hook->ops, (unsigned char *)hook->name,
				strlen(hook->name), 1);
	if (err)
		return err;
	return rcu_access_pointer(hook->ops.func_hash->filter_hash) ==
	       rcu_access_pointer(ds_ops_of_all.func_hash->filter_hash) ?
	       -ENOMEM : 0;
}

static int ds_hook_find(struct ds_hook *hook)
{
	hook->ops.ops_func = ds_hook_direct_cmd;
	return hook->addr ?
	       ftrace_set_filter_ip(&hook->ops, hook->addr, 0, 1) :
	       ds_hook_find_name(hook);
}

/* ftrace disables itself for good when it has met a bug of its own or of others
 * (ftrace_kill()). What calls us cannot be taken out any more then. It tells nobody,
 * but any request fails: here one that changes nothing, to clear the filter of an ops
 * that is never registered.
 */
static int ds_ftrace_check(void)
{
	return ftrace_set_filter(&ds_ops_of_all, NULL, 0, 1) == -ENODEV ?
	       -ENODEV : 0;
}

/* The kernel's text may call us for ever: it is not ours to free any more. */
static bool ds_hooks_stuck;

static void ds_hooks_keep(void)
{
	ds_hooks_stuck = true;
	/* Once the module is on its way out, it is up to ds_hooks_exit(). */
	if (try_module_get(THIS_MODULE))
		pr_err("ftrace has disabled itself: hooks stay in place, and the module cannot be removed before a reboot\n");
}

/* The exit of a module cannot refuse: whoever wants to remove it is to find it in
 * use before that. So it is asked for now and then while hooks are in place, at a
 * moment at which a processor wakes up anyway.
 */
static void ds_hooks_watch(struct work_struct *work);
static DECLARE_DELAYED_WORK(ds_hooks_watcher, ds_hooks_watch);

static void ds_hooks_watch_on(void)
{
	queue_delayed_work(system_power_efficient_wq, &ds_hooks_watcher,
			   round_jiffies_relative(10 * HZ));
}

static void ds_hooks_watch(struct work_struct *work)
{
	if (ds_ftrace_check())
		ds_hooks_keep();
	else
		ds_hooks_watch_on();
}

/* Better than to free what is called: nobody waits for this task, which does not
 * keep the machine from going to sleep either.
 */
static void __noreturn ds_hooks_stay(void)
{
	pr_crit("ftrace has disabled itself and calls this module for ever: %s sleeps until a reboot\n",
		current->comm);
	for (;;) {
		set_current_state(TASK_IDLE | TASK_FREEZABLE);
		schedule();
	}
}

/* The hash of a filter is ours to free, and to free once. */
void ds_hooks_exit(void)
{
	unsigned int i;

	if (ds_hooks_stuck)
		ds_hooks_stay();

	for (i = 0; i < ds_n_hooks; i++)
		if (ds_hook_is_ftrace(ds_hooks[i]))
			ftrace_free_filter(&ds_hooks[i]->ops);
	ds_rt_exit();
}

int __init ds_hooks_init(void)
{
	unsigned int i;
	int err;

	err = ds_rt_init(ds_direct_calls);
	if (err)
		return err;
	err = ds_hooks_find_targets();
	if (err) {
		ds_rt_exit();
		return err;
	}

	for (i = 0; i < ds_n_hooks; i++) {
		if (!ds_hook_is_ftrace(ds_hooks[i]))
			continue;
		err = ds_hook_find(ds_hooks[i]);
		if (err) {
			pr_err("cannot trace %s: %pe\n", ds_hooks[i]->name,
			       ERR_PTR(err));
			ds_hooks_exit();
			return err;
		}
	}
	return 0;
}

/* What a failed attempt, or another one before, left in @ops is set anew; but
 * for the filter.
 */
static int ds_hook_attach_ftrace(struct ds_hook *hook)
{
	struct ftrace_ops *ops = &hook->ops;
	int err;

	if (hook->direct && ds_direct_calls) {
		ops->func = NULL;
		ops->trampoline = 0;
		err = register_ftrace_direct(ops, hook->direct);
		WRITE_ONCE(hook->is_direct, !err);
		if (!err)
			return 0;
		/* There callbacks will not do, see hook_list.c. */
		if (IS_ENABLED(CONFIG_PREEMPT_RT))
			return err;
		pr_debug("no direct call for %s: %pe\n", hook->name,
			 ERR_PTR(err));
	}

	ops->func = hook->callback;
	ops->trampoline = 0;
	ops->flags = FTRACE_OPS_FL_PERMANENT;
	return register_ftrace_function(ops);
}

/* Either way nobody is in our code any more when this returns 0: ftrace waits
 * until each task was seen outside of the kernel, or scheduled, after it has
 * patched the target (synchronize_rcu_tasks() and its rude sibling). That it could
 * not patch it shows by its being disabled alone.
 */
static int ds_hook_detach_ftrace(struct ds_hook *hook)
{
	int err;

	if (hook->is_direct)
		err = unregister_ftrace_direct(&hook->ops, hook->direct, false);
	else
		err = unregister_ftrace_function(&hook->ops);
	return err ?: ds_ftrace_check();
}

static int ds_hook_attach(struct ds_hook *hook)
{
	int err;

	if (ds_hook_is_ftrace(hook))
		err = ds_hook_attach_ftrace(hook);
	else
		err = hook->attach();

	if (err)
		pr_err("cannot hook %s: %pe\n", hook->name, ERR_PTR(err));
	else
		WRITE_ONCE(hook->attached, true);
	return err;
}

static int ds_hook_detach(struct ds_hook *hook)
{
	int err = 0;

	if (ds_hook_is_ftrace(hook))
		err = ds_hook_detach_ftrace(hook);
	else
		hook->detach();
	if (!err)
		WRITE_ONCE(hook->attached, false);
	return err;
}

/* The first @n, the last one first. */
static int ds_hooks_detach_some(unsigned int n)
{
	int err = ds_ftrace_check();

	while (!err && n--)
		err = ds_hook_detach(ds_hooks[n]);
	if (!err)
		err = ds_rt_detach();
	if (err)
		ds_hooks_keep();
	return err;
}

/* Of ds_hooks_since(). */
static u64 ds_hooks_when;

int ds_hooks_attach(void)
{
	unsigned int i;
	int err;

	err = ds_ftrace_check() ?: ds_rt_attach();
	if (err)
		return err;

	/* Nobody has seen which of them have ended. */
	ds_rules_forget_all();
	for (i = 0; i < ds_n_hooks; i++) {
		err = ds_hook_attach(ds_hooks[i]);
		if (err)
			return ds_hooks_detach_some(i) ?: err;
		/* The end of a socket is seen from here on; the ones before,
		 * nobody saw.
		 */
		if (ds_hooks[i] == &ds_hook_destruct)
			ds_sweep();
	}
	WRITE_ONCE(ds_hooks_when, ktime_get_boottime_ns());
	ds_hooks_watch_on();
	return 0;
}

int ds_hooks_detach(void)
{
	cancel_delayed_work_sync(&ds_hooks_watcher);
	if (ds_hooks_stuck)
		return -ENODEV;
	if (!ds_hooks_attached())
		return 0;

	/* Else all stay where they are. */
	if (!ds_ftrace_check())
		WRITE_ONCE(ds_hooks_when, 0);
	return ds_hooks_detach_some(ds_n_hooks);
}

u64 ds_hooks_since(void)
{
	return READ_ONCE(ds_hooks_when);
}
