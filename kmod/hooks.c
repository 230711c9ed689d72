// SPDX-License-Identifier: GPL-2.0
/* Where the module enters the kernel.
 *
 * Targets are functions that are called from another file or through a
 * pointer: a call inside the same file may have been inlined, and a hook there
 * would be silent. The prototype of each is checked against the header that
 * declares it, so that a kernel which changes one fails the build.
 *
 * Every ftrace_ops has one target and its callback calls nothing that leads
 * back there, so none needs ftrace's recursion protection. All are permanent:
 * sysctl kernel.ftrace_enabled=0 is refused, instead of freezing the counters.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/build_bug.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <net/inet_common.h>
#include <net/tcp.h>
#include <net/udp.h>
#include <trace/events/skb.h>

#include "account.h"
#include "hooks.h"
#include "sock.h"
#include "stats.h"

#define DS_CHECK_TARGET(target, proto)					\
	static_assert(__same_type(&(target), (proto)NULL),		\
		      #target "() has changed: adapt its hook")

#define ds_arg(fregs, n, type)						\
	((type)ftrace_regs_get_argument(fregs, n))

DS_CHECK_TARGET(tcp_create_openreq_child,
		struct sock *(*)(const struct sock *, struct request_sock *,
				 struct sk_buff *));

static void notrace ds_hook_accept(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops,
				   struct ftrace_regs *fregs)
{
	ds_account_accept(ds_arg(fregs, 0, struct sock *),
			  ds_arg(fregs, 2, struct sk_buff *));
}

static u64 ds_hits_accept(const struct ds_sums *sums)
{
	return sums->count[DS_TCP][DS_IN_MAPPED] +
	       sums->count[DS_TCP][DS_IN_NATIVE];
}

DS_CHECK_TARGET(skb_consume_udp,
		void (*)(struct sock *, struct sk_buff *, int));

static void notrace ds_hook_recv(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops,
				 struct ftrace_regs *fregs)
{
	ds_account_recv(ds_arg(fregs, 0, struct sock *),
			ds_arg(fregs, 1, struct sk_buff *),
			ds_arg(fregs, 2, int));
}

static u64 ds_hits_recv(const struct ds_sums *sums)
{
	return sums->count[DS_UDP][DS_IN_MAPPED] +
	       sums->count[DS_UDP][DS_IN_NATIVE];
}

DS_CHECK_TARGET(inet_sock_destruct, void (*)(struct sock *));

static void notrace ds_hook_destruct(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops,
				     struct ftrace_regs *fregs)
{
	ds_sock_end(ds_arg(fregs, 0, struct sock *));
}

static u64 ds_hits_destruct(const struct ds_sums *sums)
{
	return sums->ended;
}

static void ds_probe_kfree_skb(DS_KFREE_SKB_PROTO)
{
	if (unlikely(reason == SKB_DROP_REASON_NO_SOCKET))
		ds_account_no_socket(skb);
}

static int ds_attach_kfree_skb(void)
{
	return register_trace_kfree_skb(ds_probe_kfree_skb, NULL);
}

static void ds_detach_kfree_skb(void)
{
	unregister_trace_kfree_skb(ds_probe_kfree_skb, NULL);
	tracepoint_synchronize_unregister();
}

static u64 ds_hits_kfree_skb(const struct ds_sums *sums)
{
	return sums->looked_up;
}

/* In the order of attaching: the end of a socket first, so that no record is
 * made that nothing would end.
 */
struct ds_hook ds_hooks[DS_N_HOOKS] = {
	{
		.name	 = "inet_sock_destruct",
		.purpose = "the end of a socket, and of its record",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.ops	 = {
			.func	= ds_hook_destruct,
			.flags	= FTRACE_OPS_FL_PERMANENT,
		},
		.hits	 = ds_hits_destruct,
	}, {
		.name	 = "tcp_create_openreq_child",
		.purpose = "TCP handshakes completed, SYN cookies and Fast Open included",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.ops	 = {
			.func	= ds_hook_accept,
			.flags	= FTRACE_OPS_FL_PERMANENT,
		},
		.hits	 = ds_hits_accept,
	}, {
		.name	 = "skb_consume_udp",
		.purpose = "datagrams handed to recvmsg()",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.ops	 = {
			.func	= ds_hook_recv,
			.flags	= FTRACE_OPS_FL_PERMANENT,
		},
		.hits	 = ds_hits_recv,
	}, {
		.name	 = "kfree_skb",
		.purpose = "packets dropped because no socket took them",
		.kind	 = DUALSTACK_HOOK_KIND_TRACEPOINT,
		.attach	 = ds_attach_kfree_skb,
		.detach	 = ds_detach_kfree_skb,
		.hits	 = ds_hits_kfree_skb,
	},
};

static int ds_hook_attach_ftrace(struct ds_hook *hook)
{
	int err;

	err = ftrace_set_filter(&hook->ops, (unsigned char *)hook->name,
				strlen(hook->name), 1);
	if (!err)
		err = register_ftrace_function(&hook->ops);
	/* The filter's hash is ours to free, registered or not. */
	if (err)
		ftrace_free_filter(&hook->ops);
	return err;
}

static void ds_hook_detach_ftrace(struct ds_hook *hook)
{
	unregister_ftrace_function(&hook->ops);
	ftrace_free_filter(&hook->ops);
}

static int ds_hook_attach(struct ds_hook *hook)
{
	int err;

	if (hook->kind == DUALSTACK_HOOK_KIND_FTRACE)
		err = ds_hook_attach_ftrace(hook);
	else
		err = hook->attach();

	if (err)
		pr_err("cannot hook %s: %pe\n", hook->name, ERR_PTR(err));
	else
		WRITE_ONCE(hook->attached, true);
	return err;
}

static void ds_hook_detach(struct ds_hook *hook)
{
	WRITE_ONCE(hook->attached, false);
	if (hook->kind == DUALSTACK_HOOK_KIND_FTRACE)
		ds_hook_detach_ftrace(hook);
	else
		hook->detach();
}

int ds_hooks_attach(void)
{
	int i, err;

	for (i = 0; i < DS_N_HOOKS; i++) {
		err = ds_hook_attach(&ds_hooks[i]);
		if (err)
			goto err_detach;
	}
	return 0;

err_detach:
	while (i--)
		ds_hook_detach(&ds_hooks[i]);
	return err;
}

void ds_hooks_detach(void)
{
	int i = DS_N_HOOKS;

	while (i--)
		ds_hook_detach(&ds_hooks[i]);
}
