/* SPDX-License-Identifier: GPL-2.0 */
/* The hooks, one by one: what each one enters, what it calls, and what it did. */

#ifndef _DUALSTACK_HOOK_LIST_H
#define _DUALSTACK_HOOK_LIST_H

#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/types.h>
#include <uapi/linux/dualstack.h>

struct ds_sums;

/**
 * struct ds_hook - a place where the module enters the kernel
 * @name:	the function or tracepoint. For a target taken from a pointer, its
 *		symbol, known since ds_hooks_find_targets()
 * @addr:	the target, or 0: then @name tells
 * @purpose:	what it is there for
 * @attached:	whether it is in place
 * @callback:	what ftrace calls; a hook without is a tracepoint
 * @direct:	what the target can call directly instead, which costs less;
 *		or 0
 * @is_direct:	whether it does, since it was last attached
 * @ops:	either of them
 * @attach:	put a tracepoint's probe in place. Returns 0 or a negative errno
 * @detach:	take it out again
 * @hits:	what it did in a namespace, derived from the sums: the data
 *		path counts an event once
 */
struct ds_hook {
	char name[40];
	unsigned long addr;
	const char *purpose;
	bool attached;
	ftrace_func_t callback;
	unsigned long direct;
	bool is_direct;
	struct ftrace_ops ops;
	int (*attach)(void);
	void (*detach)(void);
	u64 (*hits)(const struct ds_sums *sums);
};

/* In the order of attaching: the end of a socket first, so that no record is
 * made that nothing would end; and udp_sendmsg() before who calls it, so that each
 * call that the latter has seen is seen to go on. A hook that this kernel has no
 * use for is not in the list, once ds_hooks_find_targets() has been there.
 */
extern struct ds_hook *ds_hooks[];
extern unsigned int ds_n_hooks;

/* The end of a socket. */
extern struct ds_hook ds_hook_destruct;

/**
 * ds_hook_kind() - how a hook is in place, or will be
 * @hook:	the hook
 *
 * Return: an enum dualstack_hook_kind.
 */
static inline enum dualstack_hook_kind ds_hook_kind(const struct ds_hook *hook)
{
	if (!hook->callback)
		return DUALSTACK_HOOK_KIND_TRACEPOINT;
	return READ_ONCE(hook->is_direct) ? DUALSTACK_HOOK_KIND_DIRECT :
					    DUALSTACK_HOOK_KIND_FTRACE;
}

/**
 * ds_hooks_find_targets() - find the targets that only pointers lead to
 *
 * Context: process, may sleep.
 *
 * Return: 0, or why no AF_INET6 socket can be had, which is told to the kernel log.
 */
int __init ds_hooks_find_targets(void);

#endif /* _DUALSTACK_HOOK_LIST_H */
