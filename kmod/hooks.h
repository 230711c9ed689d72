/* SPDX-License-Identifier: GPL-2.0 */
/* Where the module enters the kernel. */

#ifndef _DUALSTACK_HOOKS_H
#define _DUALSTACK_HOOKS_H

#include <linux/ftrace.h>
#include <linux/types.h>
#include <net/mptcp.h>
#include <uapi/linux/dualstack.h>

struct ds_sums;

/**
 * struct ds_hook - a place where the module enters the kernel
 * @name:	the function or tracepoint. For a target taken from a pointer, its
 *		symbol, known since ds_hooks_init()
 * @addr:	the target, or 0: then @name tells
 * @purpose:	what it is there for
 * @kind:	how it is hooked, where not by a direct call
 * @attached:	whether it is in place
 * @callback:	what ftrace calls, for DUALSTACK_HOOK_KIND_FTRACE
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
	enum dualstack_hook_kind kind;
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
 * made that nothing would end; and DS_HOOK_SENT before DS_HOOK_SEND, so that each
 * call that the latter has seen is seen to go on. A hook that this kernel has no
 * use for is not in the list.
 */
enum {
	DS_HOOK_DESTRUCT,
	DS_HOOK_ACCEPT,
	DS_HOOK_FASTOPEN,
	DS_HOOK_SYN,
#ifdef DS_MPTCP_V6
	DS_HOOK_MPTCP_SYN,
#endif
	DS_HOOK_RECV,
	DS_HOOK_CONNECT_TCP,
	DS_HOOK_CONNECT_UDP,
	DS_HOOK_SENT,
	DS_HOOK_SEND,
	DS_HOOK_BIND,
#ifdef DS_MPTCP_BIND_SK
	DS_HOOK_MPTCP_BIND,
#endif
	DS_HOOK_NO_SOCKET,
	DS_N_HOOKS,
};

extern struct ds_hook ds_hooks[DS_N_HOOKS];

/**
 * ds_hook_kind() - how a hook is in place, or will be
 * @hook:	the hook
 *
 * Return: an enum dualstack_hook_kind.
 */
static inline enum dualstack_hook_kind ds_hook_kind(const struct ds_hook *hook)
{
	return READ_ONCE(hook->is_direct) ? DUALSTACK_HOOK_KIND_DIRECT :
					    hook->kind;
}

/**
 * ds_hooks_init() - find the targets
 *
 * A target that is missing, or that cannot be traced, is named in the kernel
 * log.
 *
 * Context: process, may sleep.
 *
 * Return: 0, -EINVAL for such a target, -ENOMEM, or why no AF_INET6 socket can
 * be had.
 */
int ds_hooks_init(void);

/* Forget the targets. Every hook is detached; where ds_hooks_detach() has failed, this
 * never returns, as the caller would go on to free the module.
 */
void ds_hooks_exit(void);

/**
 * ds_hooks_attach() - put every hook in place
 *
 * All or none. What fails is named in the kernel log. Records that are there
 * from a time before are kept where ds_sweep() finds their socket.
 *
 * Context: process, may sleep.
 *
 * Return: 0, -EBUSY where ftrace is disabled (sysctl kernel.ftrace_enabled),
 * -ENODEV where it has disabled itself, -ENOMEM.
 */
int ds_hooks_attach(void);

/**
 * ds_hooks_detach() - take every hook out
 *
 * No callback runs any more when this returns 0. Nothing to do where they are out
 * already.
 *
 * Context: process, may sleep.
 *
 * Return: 0, or -ENODEV where ftrace has disabled itself: those that were in place
 * still are, or may be, and for good. The module is held, if it is not going.
 */
int ds_hooks_detach(void);

/**
 * ds_hooks_since() - how long all hooks are in place
 *
 * Context: any.
 *
 * Return: since when, in nanoseconds of CLOCK_BOOTTIME; 0 while they are not.
 */
u64 ds_hooks_since(void);

/* Whether all hooks are in place. */
static inline bool ds_hooks_attached(void)
{
	return ds_hooks_since();
}

#endif /* _DUALSTACK_HOOKS_H */
