// SPDX-License-Identifier: GPL-2.0
/* Where the module enters the kernel.
 *
 * Targets are functions that are called from another file or through a
 * pointer: a call inside the same file may have been inlined, and a hook there
 * would be silent. The prototype of each is checked against the header that
 * declares it, or against the type of the pointer, so that a kernel which
 * changes one fails the build.
 *
 * Every ftrace_ops has one target and its callback calls nothing that leads
 * back there, so none needs ftrace's recursion protection. Those with callbacks
 * are permanent: sysctl kernel.ftrace_enabled=0 is refused, instead of freezing
 * the counters.
 *
 * What a packet passes is hooked by a direct call: the target then calls us as
 * if that were its first statement, where ftrace's trampoline takes some 40
 * instructions to call a callback and to return. A function can have one direct
 * call only, and a BPF program of type fentry takes it, too. Where that is
 * taken, and where the architecture has none, the callback serves. Whoever comes
 * after us gets EBUSY: parameter direct_calls is for those who would rather pay.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/build_bug.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/socket.h>
#include <linux/sockptr.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/workqueue.h>
#include <net/inet_common.h>
#include <net/inet_connection_sock.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/udp.h>
#include <trace/events/skb.h>

#include "account.h"
#include "hooks.h"
#include "sock.h"
#include "stats.h"
#include "sweep.h"

/* A parameter, as it is to be known before the first hook is in place. */
static bool ds_direct_calls = true;
module_param_named(direct_calls, ds_direct_calls, bool, 0444);
MODULE_PARM_DESC(direct_calls, "Hook by ftrace's direct calls where it can be done; no: leave them to BPF programs (default: yes)");

#define DS_CHECK_TARGET(target, proto)					\
	static_assert(__same_type(&(target), (proto)NULL),		\
		      #target "() has changed: adapt its hook")

/* A target whose address is taken from a pointer, by the type of that. */
#define DS_CHECK_POINTER(pointer, proto)				\
	static_assert(__same_type(pointer, (proto)NULL),		\
		      #pointer "() has changed: adapt its hook")

#define ds_arg(fregs, n, type)						\
	((type)ftrace_regs_get_argument(fregs, n))

/* How many of some events were not seen in another way, where they are known as
 * such before they count.
 */
static u64 ds_hits_but(u64 n, u64 others)
{
	return n - min(n, others);
}

/* Not tcp_create_openreq_child(): two segments of one handshake, on two CPUs,
 * make two children, of which one is thrown away. This one is called when the
 * child is in the listener's queue.
 */
DS_CHECK_TARGET(tcp_child_process, DS_TCP_CHILD_PROCESS_PROTO);

static void notrace ds_hook_accept(unsigned long ip, unsigned long parent_ip,
				   struct ftrace_ops *ops,
				   struct ftrace_regs *fregs)
{
	ds_account_accept(ds_arg(fregs, 0, struct sock *),
			  ds_arg(fregs, 1, struct sock *),
			  ds_arg(fregs, 2, struct sk_buff *));
}

static u64 ds_hits_accept(const struct ds_sums *sums)
{
	return ds_hits_but(sums->count[DS_TCP][DS_IN_MAPPED] +
			   sums->count[DS_TCP][DS_IN_NATIVE],
			   sums->way[DS_WAY_FASTOPEN]);
}

/* A child made by Fast Open is queued at once and gets there another way. All
 * others are passed over, which may or may not come through here: that is up to
 * the compiler.
 */
DS_CHECK_TARGET(inet_csk_reqsk_queue_add,
		struct sock *(*)(struct sock *, struct request_sock *,
				 struct sock *));

static void notrace ds_hook_fastopen(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops,
				     struct ftrace_regs *fregs)
{
	ds_account_fastopen(ds_arg(fregs, 0, struct sock *),
			    ds_arg(fregs, 1, struct request_sock *),
			    ds_arg(fregs, 2, struct sock *));
}

static u64 ds_hits_fastopen(const struct ds_sums *sums)
{
	return sums->way[DS_WAY_FASTOPEN];
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

DS_CHECK_POINTER(((struct inet_connection_sock_af_ops *)NULL)->conn_request,
		 int (*)(struct sock *, struct sk_buff *));

static void notrace ds_hook_syn(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops,
				struct ftrace_regs *fregs)
{
	ds_account_syn(ds_arg(fregs, 0, struct sock *),
		       ds_arg(fregs, 1, struct sk_buff *));
}

static u64 ds_hits_syn(const struct ds_sums *sums)
{
	return ds_hits_but(sums->count[DS_TCP][DS_WIRE_MAPPED],
			   sums->way[DS_WAY_MPTCP_SYN]);
}

#ifdef DS_MPTCP_V6
static u64 ds_hits_mptcp_syn(const struct ds_sums *sums)
{
	return sums->way[DS_WAY_MPTCP_SYN];
}
#endif

DS_CHECK_POINTER(((struct proto *)NULL)->connect,
		 int (*)(struct sock *, struct ds_sockaddr *, int));

static void notrace ds_hook_connect(unsigned long ip, unsigned long parent_ip,
				    struct ftrace_ops *ops,
				    struct ftrace_regs *fregs)
{
	ds_account_connect(ds_arg(fregs, 0, struct sock *),
			   ds_arg(fregs, 1, struct sockaddr *),
			   ds_arg(fregs, 2, int));
}

/* Under the lock of the socket, as is who sets IPV6_V6ONLY. Earlier kernels call it
 * from the same file: it is much too large to be inlined, and has other callers.
 */
DS_CHECK_TARGET(__ip6_datagram_connect,
		int (*)(struct sock *, struct ds_sockaddr *, int));

static u64 ds_hits_connect_tcp(const struct ds_sums *sums)
{
	return sums->count[DS_TCP][DS_CONNECT] +
	       sums->count[DS_TCP][DS_REJECT_CONNECT];
}

static u64 ds_hits_connect_udp(const struct ds_sums *sums)
{
	return sums->count[DS_UDP][DS_CONNECT] +
	       sums->count[DS_UDP][DS_REJECT_CONNECT];
}

DS_CHECK_POINTER(((struct proto *)NULL)->sendmsg,
		 int (*)(struct sock *, struct msghdr *, size_t));

static void notrace ds_hook_send(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops,
				 struct ftrace_regs *fregs)
{
	ds_account_send(ds_arg(fregs, 0, struct sock *),
			ds_arg(fregs, 1, struct msghdr *));
}

static u64 ds_hits_send(const struct ds_sums *sums)
{
	return sums->count[DS_UDP][DS_SEND] +
	       sums->count[DS_UDP][DS_REJECT_SEND];
}

/* By udpv6_sendmsg(), from another file, for IPv4 on an AF_INET6 socket. */
DS_CHECK_TARGET(udp_sendmsg, int (*)(struct sock *, struct msghdr *, size_t));

static void notrace ds_hook_sent(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops,
				 struct ftrace_regs *fregs)
{
	ds_account_sent(ds_arg(fregs, 0, struct sock *),
			ds_arg(fregs, 1, struct msghdr *));
}

static u64 ds_hits_sent(const struct ds_sums *sums)
{
	return sums->count[DS_UDP][DS_SEND];
}

DS_CHECK_POINTER(((const struct proto_ops *)NULL)->bind,
		 int (*)(struct socket *, struct ds_sockaddr *, int));

static void notrace ds_hook_bind(unsigned long ip, unsigned long parent_ip,
				 struct ftrace_ops *ops,
				 struct ftrace_regs *fregs)
{
	ds_account_bind(ds_arg(fregs, 0, struct socket *),
			ds_arg(fregs, 1, struct sockaddr *),
			ds_arg(fregs, 2, int));
}

static u64 ds_hits_bind(const struct ds_sums *sums)
{
	return ds_hits_but(sums->count[DS_TCP][DS_REJECT_BIND] +
			   sums->count[DS_UDP][DS_REJECT_BIND],
			   sums->way[DS_WAY_MPTCP_BIND]);
}

#ifdef DS_MPTCP_BIND_SK
/* By MPTCP, from another file. */
DS_CHECK_TARGET(inet6_bind_sk, int (*)(struct sock *, struct ds_sockaddr *, int));

static void notrace ds_hook_mptcp_bind(unsigned long ip,
				       unsigned long parent_ip,
				       struct ftrace_ops *ops,
				       struct ftrace_regs *fregs)
{
	ds_account_bind_sk(ds_arg(fregs, 0, struct sock *),
			   ds_arg(fregs, 1, struct sockaddr *),
			   ds_arg(fregs, 2, int));
}

static u64 ds_hits_mptcp_bind(const struct ds_sums *sums)
{
	return sums->way[DS_WAY_MPTCP_BIND];
}
#endif

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

/* A live patch and a direct call go together: ours returns to where ftrace says,
 * which is the patched function then.
 */
static int ds_hook_direct_cmd(DS_FTRACE_OPS_FUNC_PROTO)
{
	return 0;
}

/* Where a target is, for those that the kernel exports. */
#define DS_ADDR(target)							\
	(IS_ENABLED(DS_EXPORTED_##target) ? (unsigned long)(target) : 0)

struct ds_hook ds_hooks[DS_N_HOOKS] = {
	[DS_HOOK_DESTRUCT] = {
		.name	 = "inet_sock_destruct",
		.addr	 = DS_ADDR(inet_sock_destruct),
		.purpose = "the end of a socket, and of its record",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_destruct,
		.direct	 = ds_direct_call(ds_sock_end),
		.hits	 = ds_hits_destruct,
	},
	[DS_HOOK_ACCEPT] = {
		.name	 = "tcp_child_process",
		.addr	 = DS_ADDR(tcp_child_process),
		.purpose = "TCP handshakes completed",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_accept,
		.direct	 = ds_direct_call(ds_account_accept),
		.hits	 = ds_hits_accept,
	},
	[DS_HOOK_FASTOPEN] = {
		.name	 = "inet_csk_reqsk_queue_add",
		.addr	 = DS_ADDR(inet_csk_reqsk_queue_add),
		.purpose = "TCP connections accepted by Fast Open",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_fastopen,
		.direct	 = ds_direct_call(ds_account_fastopen),
		.hits	 = ds_hits_fastopen,
	},
	[DS_HOOK_SYN] = {
		.purpose = "SYNs over IPv6 with a mapped source",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_syn,
		.direct	 = ds_direct_call(ds_account_syn),
		.hits	 = ds_hits_syn,
	},
#ifdef DS_MPTCP_V6
	[DS_HOOK_MPTCP_SYN] = {
		.purpose = "SYNs over IPv6 with a mapped source, to MPTCP",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_syn,
		.direct	 = ds_direct_call(ds_account_syn),
		.hits	 = ds_hits_mptcp_syn,
	},
#endif
	[DS_HOOK_RECV] = {
		.name	 = "skb_consume_udp",
		.addr	 = DS_ADDR(skb_consume_udp),
		.purpose = "datagrams handed to recvmsg()",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_recv,
		.direct	 = ds_direct_call(ds_account_recv),
		.hits	 = ds_hits_recv,
	},
	[DS_HOOK_CONNECT_TCP] = {
		.purpose = "TCP connect() to mapped addresses",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_connect,
		.direct	 = ds_direct_call(ds_account_connect),
		.hits	 = ds_hits_connect_tcp,
	},
	/* Never a direct call: ftrace refuses a callback where sysctl
	 * kernel.ftrace_enabled is 0, and that to become 0 where there is one,
	 * which speaks for all hooks. No packet and no connection passes here.
	 */
	[DS_HOOK_CONNECT_UDP] = {
		.name	 = "__ip6_datagram_connect",
		.addr	 = DS_ADDR(__ip6_datagram_connect),
		.purpose = "UDP connect() to mapped addresses",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_connect,
		.hits	 = ds_hits_connect_udp,
	},
	[DS_HOOK_SEND] = {
		.purpose = "UDP sendmsg() to mapped addresses, tried",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_send,
		.direct	 = ds_direct_call(ds_account_send),
		.hits	 = ds_hits_send,
	},
	[DS_HOOK_BIND] = {
		.purpose = "bind() to mapped addresses that IPV6_V6ONLY forbids",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_bind,
		.direct	 = ds_direct_call(ds_account_bind),
		.hits	 = ds_hits_bind,
	},
#ifdef DS_MPTCP_BIND_SK
	[DS_HOOK_MPTCP_BIND] = {
		.name	 = "inet6_bind_sk",
		.addr	 = DS_ADDR(inet6_bind_sk),
		.purpose = "MPTCP bind() to mapped addresses, likewise forbidden",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_mptcp_bind,
		.direct	 = ds_direct_call(ds_account_bind_sk),
		.hits	 = ds_hits_mptcp_bind,
	},
#endif
	[DS_HOOK_NO_SOCKET] = {
		.name	 = "kfree_skb",
		.purpose = "packets dropped because no socket took them",
		.kind	 = DUALSTACK_HOOK_KIND_TRACEPOINT,
		.attach	 = ds_attach_kfree_skb,
		.detach	 = ds_detach_kfree_skb,
		.hits	 = ds_hits_kfree_skb,
	},
	[DS_HOOK_SENT] = {
		.name	 = "udp_sendmsg",
		.addr	 = DS_ADDR(udp_sendmsg),
		.purpose = "UDP sendmsg() to mapped addresses, allowed",
		.kind	 = DUALSTACK_HOOK_KIND_FTRACE,
		.callback = ds_hook_sent,
		.direct	 = ds_direct_call(ds_account_sent),
		.hits	 = ds_hits_sent,
	},
};

static void ds_hook_set_target(struct ds_hook *hook, void *target)
{
	hook->addr = (unsigned long)target;
	snprintf(hook->name, sizeof(hook->name), "%ps", target);
}

/* A kernel socket becomes a subflow of MPTCP by the name of its upper layer protocol,
 * whatever sysctl net.mptcp.enabled says.
 */
static int ds_hooks_find_mptcp(struct socket *tcp)
{
#ifdef DS_MPTCP_V6
	char ulp[] = "mptcp";
	int err;

	err = tcp->ops->setsockopt(tcp, SOL_TCP, TCP_ULP, KERNEL_SOCKPTR(ulp),
				   strlen(ulp));
	if (err) {
		pr_err("cannot make a subflow of MPTCP: %pe\n", ERR_PTR(err));
		return err;
	}
	ds_hook_set_target(&ds_hooks[DS_HOOK_MPTCP_SYN],
			   inet_csk(tcp->sk)->icsk_af_ops->conn_request);
#endif
	return 0;
}

/* Static functions of the kernel, and ones that it does not export: a socket
 * of our own shows where they are.
 */
static int ds_hooks_find_targets(void)
{
	struct socket *tcp, *udp;
	int err;

	err = sock_create_kern(&init_net, AF_INET6, SOCK_STREAM, IPPROTO_TCP,
			       &tcp);
	if (err)
		goto err_log;
	err = sock_create_kern(&init_net, AF_INET6, SOCK_DGRAM, IPPROTO_UDP,
			       &udp);
	if (err)
		goto err_tcp;

	ds_hook_set_target(&ds_hooks[DS_HOOK_SYN],
			   inet_csk(tcp->sk)->icsk_af_ops->conn_request);
	ds_hook_set_target(&ds_hooks[DS_HOOK_CONNECT_TCP],
			   tcp->sk->sk_prot->connect);
	ds_hook_set_target(&ds_hooks[DS_HOOK_SEND], udp->sk->sk_prot->sendmsg);
	ds_hook_set_target(&ds_hooks[DS_HOOK_BIND], udp->ops->bind);
	err = ds_hooks_find_mptcp(tcp);

	sock_release(udp);
	sock_release(tcp);
	return err;

err_tcp:
	sock_release(tcp);
err_log:
	pr_err("cannot make an AF_INET6 socket: %pe\n", ERR_PTR(err));
	return err;
}

static bool ds_hook_is_ftrace(const struct ds_hook *hook)
{
	return hook->kind == DUALSTACK_HOOK_KIND_FTRACE;
}

static int ds_hook_find(struct ds_hook *hook)
{
	hook->ops.ops_func = ds_hook_direct_cmd;
	if (hook->addr)
		return ftrace_set_filter_ip(&hook->ops, hook->addr, 0, 1);
	return ftrace_set_filter(&hook->ops, (unsigned char *)hook->name,
				 strlen(hook->name), 1);
}

/* ftrace disables itself for good when it has met a bug of its own or of others
 * (ftrace_kill()). What calls us cannot be taken out any more then. It tells nobody,
 * but any request fails: here one that changes nothing, to clear the filter of an ops
 * that is never registered.
 */
static int ds_ftrace_check(void)
{
	static struct ftrace_ops ops;

	return ftrace_set_filter(&ops, NULL, 0, 1) == -ENODEV ? -ENODEV : 0;
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
	struct ds_hook *hook;

	if (ds_hooks_stuck)
		ds_hooks_stay();

	for (hook = ds_hooks; hook < ds_hooks + DS_N_HOOKS; hook++)
		if (ds_hook_is_ftrace(hook))
			ftrace_free_filter(&hook->ops);
}

int ds_hooks_init(void)
{
	struct ds_hook *hook;
	int err;

	err = ds_hooks_find_targets();
	if (err)
		return err;

	for (hook = ds_hooks; hook < ds_hooks + DS_N_HOOKS; hook++) {
		if (!ds_hook_is_ftrace(hook))
			continue;
		err = ds_hook_find(hook);
		if (err) {
			pr_err("cannot trace %s: %pe\n", hook->name,
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
static int ds_hooks_detach_some(int n)
{
	int err = ds_ftrace_check();

	while (!err && n--)
		err = ds_hook_detach(&ds_hooks[n]);
	if (err)
		ds_hooks_keep();
	return err;
}

/* Of ds_hooks_since(). */
static u64 ds_hooks_when;

int ds_hooks_attach(void)
{
	int i, err;

	err = ds_ftrace_check();
	if (err)
		return err;

	for (i = 0; i < DS_N_HOOKS; i++) {
		err = ds_hook_attach(&ds_hooks[i]);
		if (err)
			return ds_hooks_detach_some(i) ?: err;
		/* The end of a socket is seen from here on; the ones before,
		 * nobody saw.
		 */
		if (i == DS_HOOK_DESTRUCT)
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
	return ds_hooks_detach_some(DS_N_HOOKS);
}

u64 ds_hooks_since(void)
{
	return READ_ONCE(ds_hooks_when);
}
