// SPDX-License-Identifier: GPL-2.0
/* The hooks, one by one: what each one enters, what it calls, and what it did.
 *
 * Targets are functions that are called from another file or through a
 * pointer: a call inside the same file may have been inlined, and a hook there
 * would be silent. The prototype of each is checked against the header that
 * declares it, or against the type of the pointer, so that a kernel which
 * changes one fails the build.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ipv6.h>
#include <linux/minmax.h>
#include <linux/net.h>
#include <linux/printk.h>
#include <linux/socket.h>
#include <linux/sockptr.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <net/inet_common.h>
#include <net/inet_connection_sock.h>
#include <net/ipv6.h>
#include <net/mptcp.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/udp.h>
#include <trace/events/skb.h>

#include "account.h"
#include "bind.h"
#include "hook_list.h"
#include "hook_macros.h"
#include "sock.h"
#include "stats.h"

/* How many of some events were not seen in another way, where they are known as
 * such before they count.
 */
static u64 ds_hits_but(u64 n, u64 others)
{
	return n - min(n, others);
}

/* Who else has a function traced makes ftrace disable preemption around callbacks, where
 * nothing may wait for a lock with CONFIG_PREEMPT_RT. A direct call comes after that.
 */
static_assert(DS_HAVE_DIRECT_CALLS || !IS_ENABLED(CONFIG_PREEMPT_RT),
	      "a kernel with PREEMPT_RT takes direct calls, see tools/check-kernel");
#define DS_RT_DIRECT_CALL(func)						\
	(IS_ENABLED(CONFIG_PREEMPT_RT) ? ds_direct_call(func) : 0)

DS_TARGET_FUNCTION(inet_sock_destruct, void (*)(struct sock *));
DS_CALLBACK(destruct, ds_sock_end, const struct sock *);

static u64 ds_hits_destruct(const struct ds_sums *sums)
{
	return sums->ended;
}

struct ds_hook ds_hook_destruct = {
	DS_FUNCTION(inet_sock_destruct),
	.purpose = "the end of a socket, and of its record",
	.callback = ds_callback_destruct,
	.direct = ds_direct_call(ds_sock_end),
	.hits = ds_hits_destruct,
};

static u64 ds_sum(const struct ds_sums *sums, enum ds_proto proto,
		  enum ds_event event)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < DS_N_FAMILIES; i++)
		sum += sums->count[i][proto][event];
	return sum;
}

/* Not tcp_create_openreq_child(): two segments of one handshake, on two CPUs,
 * make two children, of which one is thrown away. This one is called when the
 * child is in the listener's queue.
 */
DS_TARGET_FUNCTION(tcp_child_process, DS_TCP_CHILD_PROCESS_PROTO);
DS_CALLBACK(accept, ds_account_accept, struct sock *, const struct sock *,
	    const struct sk_buff *);

static u64 ds_hits_accept(const struct ds_sums *sums)
{
	return ds_hits_but(ds_sum(sums, DS_TCP, DS_IN_V4) +
			   ds_sum(sums, DS_TCP, DS_IN_V6),
			   sums->way[DS_WAY_FASTOPEN]);
}

static struct ds_hook ds_hook_accept = {
	DS_FUNCTION(tcp_child_process),
	.purpose = "TCP handshakes completed",
	.callback = ds_callback_accept,
	.direct = ds_direct_call(ds_account_accept),
	.hits = ds_hits_accept,
};

/* A child made by Fast Open is queued at once and gets there another way. All
 * others are passed over, which may or may not come through here: that is up to
 * the compiler.
 */
DS_TARGET_FUNCTION(inet_csk_reqsk_queue_add,
		   struct sock *(*)(struct sock *, struct request_sock *,
				    struct sock *));
DS_CALLBACK(fastopen, ds_account_fastopen, struct sock *,
	    struct request_sock *, const struct sock *);

static u64 ds_hits_fastopen(const struct ds_sums *sums)
{
	return sums->way[DS_WAY_FASTOPEN];
}

static struct ds_hook ds_hook_fastopen = {
	DS_FUNCTION(inet_csk_reqsk_queue_add),
	.purpose = "TCP connections accepted by Fast Open",
	.callback = ds_callback_fastopen,
	.direct = ds_direct_call(ds_account_fastopen),
	.hits = ds_hits_fastopen,
};

DS_TARGET_POINTER(struct inet_connection_sock_af_ops, conn_request,
		  int (*)(struct sock *, struct sk_buff *));
DS_CALLBACK(syn, ds_account_syn, struct sock *, const struct sk_buff *);

static u64 ds_hits_syn(const struct ds_sums *sums)
{
	return ds_hits_but(ds_sum(sums, DS_TCP, DS_WIRE_MAPPED),
			   sums->way[DS_WAY_MPTCP_SYN]);
}

static struct ds_hook ds_hook_syn = {
	.purpose = "SYNs over IPv6 with a mapped source",
	.callback = ds_callback_syn,
	.direct = ds_direct_call(ds_account_syn),
	.hits = ds_hits_syn,
};

#ifdef DS_MPTCP_V6
/* MPTCP has a function of its own in that place. */
static u64 ds_hits_mptcp_syn(const struct ds_sums *sums)
{
	return sums->way[DS_WAY_MPTCP_SYN];
}

static struct ds_hook ds_hook_mptcp_syn = {
	.purpose = "SYNs over IPv6 with a mapped source, to MPTCP",
	.callback = ds_callback_syn,
	.direct = ds_direct_call(ds_account_syn),
	.hits = ds_hits_mptcp_syn,
};
#endif

/* By udpv6_recvmsg() from another file. By udp_recvmsg(), for AF_INET sockets, from
 * the same one: it is exported, and too large to be inlined beside that; the selftest
 * udp_recv tells whether a kernel was built so.
 */
DS_TARGET_FUNCTION(skb_consume_udp,
		   void (*)(struct sock *, struct sk_buff *, int));
DS_CALLBACK(recv, ds_account_recv, struct sock *, const struct sk_buff *, int);

static u64 ds_hits_recv(const struct ds_sums *sums)
{
	return ds_sum(sums, DS_UDP, DS_IN_V4) + ds_sum(sums, DS_UDP, DS_IN_V6);
}

static struct ds_hook ds_hook_recv = {
	DS_FUNCTION(skb_consume_udp),
	.purpose = "datagrams handed to recvmsg()",
	.callback = ds_callback_recv,
	.direct = ds_direct_call(ds_account_recv),
	.hits = ds_hits_recv,
};

DS_TARGET_POINTER(struct proto, connect,
		  int (*)(struct sock *, struct ds_sockaddr *, int));
DS_CALLBACK(connect, ds_account_connect, struct sock *,
	    const struct sockaddr *, int);

static u64 ds_hits_connect_tcp(const struct ds_sums *sums)
{
	const u64 *count = sums->count[DS_INET6][DS_TCP];

	return count[DS_CONNECT_V4] + count[DS_CONNECT_V6] +
	       count[DS_REJECT_CONNECT];
}

static struct ds_hook ds_hook_connect_tcp = {
	.purpose = "TCP connect() on AF_INET6 sockets",
	.callback = ds_callback_connect,
	.direct = ds_direct_call(ds_account_connect),
	.hits = ds_hits_connect_tcp,
};

/* Under the lock of the socket, as is who sets IPV6_V6ONLY. Earlier kernels call it
 * from the same file: it is much too large to be inlined, and has other callers.
 */
DS_TARGET_FUNCTION(__ip6_datagram_connect,
		   int (*)(struct sock *, struct ds_sockaddr *, int));

static u64 ds_hits_connect_udp(const struct ds_sums *sums)
{
	const u64 *count = sums->count[DS_INET6][DS_UDP];

	return count[DS_CONNECT_V4] + count[DS_CONNECT_V6] +
	       count[DS_REJECT_CONNECT];
}

/* Never a direct call, but with CONFIG_PREEMPT_RT: ftrace refuses a callback where
 * sysctl kernel.ftrace_enabled is 0, and that to become 0 where there is one,
 * which speaks for all hooks. No packet and no connection passes here.
 */
static struct ds_hook ds_hook_connect_udp = {
	DS_FUNCTION(__ip6_datagram_connect),
	.purpose = "UDP connect() on AF_INET6 sockets",
	.callback = ds_callback_connect,
	.direct = DS_RT_DIRECT_CALL(ds_account_connect),
	.hits = ds_hits_connect_udp,
};

/* By tcp_v6_connect(), too, from another file: that is passed over. */
DS_TARGET_FUNCTION(tcp_v4_connect,
		   int (*)(struct sock *, struct ds_sockaddr *, int));
DS_CALLBACK(connect4, ds_account_connect4, struct sock *,
	    const struct sockaddr *, int);

static u64 ds_hits_connect4_tcp(const struct ds_sums *sums)
{
	return sums->count[DS_INET][DS_TCP][DS_CONNECT_V4];
}

static struct ds_hook ds_hook_connect4_tcp = {
	DS_FUNCTION(tcp_v4_connect),
	.purpose = "TCP connect() on AF_INET sockets",
	.callback = ds_callback_connect4,
	.direct = ds_direct_call(ds_account_connect4),
	.hits = ds_hits_connect4_tcp,
};

/* Likewise. Called from the same file, as well: see __ip6_datagram_connect(); and
 * no direct call either.
 */
DS_TARGET_FUNCTION(__ip4_datagram_connect,
		   int (*)(struct sock *, struct ds_sockaddr *, int));

static u64 ds_hits_connect4_udp(const struct ds_sums *sums)
{
	return sums->count[DS_INET][DS_UDP][DS_CONNECT_V4];
}

static struct ds_hook ds_hook_connect4_udp = {
	DS_FUNCTION(__ip4_datagram_connect),
	.purpose = "UDP connect() on AF_INET sockets",
	.callback = ds_callback_connect4,
	.direct = DS_RT_DIRECT_CALL(ds_account_connect4),
	.hits = ds_hits_connect4_udp,
};

DS_TARGET_POINTER(struct proto, sendmsg,
		  int (*)(struct sock *, struct msghdr *, size_t));
DS_CALLBACK(send, ds_account_send, struct sock *, struct msghdr *, size_t);

static u64 ds_hits_send(const struct ds_sums *sums)
{
	const u64 *count = sums->count[DS_INET6][DS_UDP];

	return count[DS_SEND_V4] + count[DS_REJECT_SEND];
}

static struct ds_hook ds_hook_send = {
	.purpose = "UDP sendmsg() to mapped addresses, tried",
	.callback = ds_callback_send,
	.direct = ds_direct_call(ds_account_send),
	.hits = ds_hits_send,
};

/* For IPv4 on AF_INET6 sockets by udpv6_sendmsg(), from another file. */
DS_TARGET_FUNCTION(udp_sendmsg,
		   int (*)(struct sock *, struct msghdr *, size_t));
DS_CALLBACK(sent, ds_account_sent, struct sock *, struct msghdr *, size_t);

static u64 ds_hits_sent(const struct ds_sums *sums)
{
	return ds_sum(sums, DS_UDP, DS_SEND_V4);
}

static struct ds_hook ds_hook_sent = {
	DS_FUNCTION(udp_sendmsg),
	.purpose = "UDP sendmsg() over IPv4, allowed",
	.callback = ds_callback_sent,
	.direct = ds_direct_call(ds_account_sent),
	.hits = ds_hits_sent,
};

DS_TARGET_POINTER(const struct proto_ops, bind,
		  int (*)(struct socket *, struct ds_sockaddr *, int));
DS_CALLBACK(bind, ds_account_bind, struct socket *, const struct sockaddr *, int);

static u64 ds_hits_bind(const struct ds_sums *sums)
{
	return ds_hits_but(ds_sum(sums, DS_TCP, DS_REJECT_BIND) +
			   ds_sum(sums, DS_UDP, DS_REJECT_BIND),
			   sums->way[DS_WAY_MPTCP_BIND]);
}

static struct ds_hook ds_hook_bind = {
	.purpose = "bind() to mapped addresses that IPV6_V6ONLY forbids",
	.callback = ds_callback_bind,
	.direct = ds_direct_call(ds_account_bind),
	.hits = ds_hits_bind,
};

#ifdef DS_MPTCP_BIND_SK
/* By MPTCP, from another file. */
DS_TARGET_FUNCTION(inet6_bind_sk,
		   int (*)(struct sock *, struct ds_sockaddr *, int));
DS_CALLBACK(mptcp_bind, ds_account_bind_sk, struct sock *,
	    const struct sockaddr *, int);

static u64 ds_hits_mptcp_bind(const struct ds_sums *sums)
{
	return sums->way[DS_WAY_MPTCP_BIND];
}

static struct ds_hook ds_hook_mptcp_bind = {
	DS_FUNCTION(inet6_bind_sk),
	.purpose = "MPTCP bind() to mapped addresses, likewise forbidden",
	.callback = ds_callback_mptcp_bind,
	.direct = ds_direct_call(ds_account_bind_sk),
	.hits = ds_hits_mptcp_bind,
};
#endif

DS_TARGET_POINTER(struct proto, get_port,
		  int (*)(struct sock *, unsigned short));
DS_CALLBACK(bind_port, ds_bind_port, struct sock *, unsigned short);
DS_CALLBACK(bind_port4, ds_bind_port4, struct sock *, unsigned short);

static u64 ds_hits_bind_tcp(const struct ds_sums *sums)
{
	return sums->way[DS_WAY_BIND_TCP];
}

static struct ds_hook ds_hook_bind_tcp = {
	.purpose = "TCP sockets getting their port, for rules",
	.callback = ds_callback_bind_port,
	.direct = ds_direct_call(ds_bind_port),
	.hits = ds_hits_bind_tcp,
};

static u64 ds_hits_bind_udp(const struct ds_sums *sums)
{
	return sums->way[DS_WAY_BIND_UDP];
}

static struct ds_hook ds_hook_bind_udp = {
	.purpose = "AF_INET6 UDP sockets getting their port, for rules",
	.callback = ds_callback_bind_port,
	.direct = ds_direct_call(ds_bind_port),
	.hits = ds_hits_bind_udp,
};

static u64 ds_hits_bind_udp4(const struct ds_sums *sums)
{
	return sums->way[DS_WAY_BIND_UDP4];
}

static struct ds_hook ds_hook_bind_udp4 = {
	.purpose = "AF_INET UDP sockets getting their port, for what rules did",
	.callback = ds_callback_bind_port4,
	.direct = ds_direct_call(ds_bind_port4),
	.hits = ds_hits_bind_udp4,
};

static u64 ds_hits_no_socket(const struct ds_sums *sums)
{
	return sums->looked_up;
}

#ifdef CONFIG_PREEMPT_RT
/* Nothing that waits for a lock can be in a tracepoint, which disables preemption: so it
 * is the function that this one is in.
 */
DS_TARGET_FUNCTION(DS_DROP_FUNCTION, void (*)(DS_DROP_TYPES));
DS_CALLBACK(no_socket, ds_account_drop, DS_DROP_TYPES);

static struct ds_hook ds_hook_no_socket = {
	.name = "kfree_skb",
	.addr = (unsigned long)DS_DROP_FUNCTION,
	.purpose = "packets dropped because no socket took them",
	.callback = ds_callback_no_socket,
	.direct = ds_direct_call(ds_account_drop),
	.hits = ds_hits_no_socket,
};
#else
static void ds_probe_no_socket(DS_KFREE_SKB_PROTO)
{
	if (unlikely(reason == SKB_DROP_REASON_NO_SOCKET))
		ds_account_no_socket(skb);
}

static int ds_attach_no_socket(void)
{
	return register_trace_kfree_skb(ds_probe_no_socket, NULL);
}

static void ds_detach_no_socket(void)
{
	unregister_trace_kfree_skb(ds_probe_no_socket, NULL);
	tracepoint_synchronize_unregister();
}

static struct ds_hook ds_hook_no_socket = {
	.name = "kfree_skb",
	.purpose = "packets dropped because no socket took them",
	.attach = ds_attach_no_socket,
	.detach = ds_detach_no_socket,
	.hits = ds_hits_no_socket,
};
#endif

struct ds_hook *ds_hooks[] __ro_after_init = {
	&ds_hook_destruct,
	&ds_hook_accept,
	&ds_hook_fastopen,
	&ds_hook_syn,
#ifdef DS_MPTCP_V6
	&ds_hook_mptcp_syn,
#endif
	&ds_hook_recv,
	&ds_hook_connect_tcp,
	&ds_hook_connect_udp,
	&ds_hook_connect4_tcp,
	&ds_hook_connect4_udp,
	&ds_hook_sent,
	&ds_hook_send,
	&ds_hook_bind,
#ifdef DS_MPTCP_BIND_SK
	&ds_hook_mptcp_bind,
#endif
	&ds_hook_bind_tcp,
	&ds_hook_bind_udp,
	&ds_hook_bind_udp4,
	&ds_hook_no_socket,
};

unsigned int ds_n_hooks __ro_after_init = ARRAY_SIZE(ds_hooks);

static void __init ds_hook_set_target(struct ds_hook *hook, void *target)
{
	hook->addr = (unsigned long)target;
	snprintf(hook->name, sizeof(hook->name), "%ps", target);
}

/* A kernel socket becomes a subflow of MPTCP by the name of its upper layer protocol,
 * whatever sysctl net.mptcp.enabled says.
 */
static int __init ds_hooks_find_mptcp(struct socket *tcp)
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
	ds_hook_set_target(&ds_hook_mptcp_syn,
			   inet_csk(tcp->sk)->icsk_af_ops->conn_request);
#endif
	return 0;
}

/* A kernel that was started with ipv6.disable=1 never calls what AF_INET6 sockets would
 * show: these have no name yet.
 */
static void __init ds_hooks_drop_unnamed(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < ds_n_hooks; i++)
		if (*ds_hooks[i]->name)
			ds_hooks[n++] = ds_hooks[i];
	ds_n_hooks = n;
}

/* Static functions of the kernel, and ones that it does not export: a socket
 * of our own shows where they are.
 */
int __init ds_hooks_find_targets(void)
{
	struct socket *tcp, *udp;
	int err;

	ds_hook_set_target(&ds_hook_bind_udp4, udp_prot.get_port);
	if (!ipv6_mod_enabled()) {
		ds_hooks_drop_unnamed();
		return 0;
	}

	err = sock_create_kern(&init_net, AF_INET6, SOCK_STREAM, IPPROTO_TCP,
			       &tcp);
	if (err)
		goto err_log;
	err = sock_create_kern(&init_net, AF_INET6, SOCK_DGRAM, IPPROTO_UDP,
			       &udp);
	if (err)
		goto err_tcp;

	ds_hook_set_target(&ds_hook_syn,
			   inet_csk(tcp->sk)->icsk_af_ops->conn_request);
	ds_hook_set_target(&ds_hook_connect_tcp,
			   tcp->sk->sk_prot->connect);
	ds_hook_set_target(&ds_hook_send, udp->sk->sk_prot->sendmsg);
	ds_hook_set_target(&ds_hook_bind, udp->ops->bind);
	ds_hook_set_target(&ds_hook_bind_tcp, tcp->sk->sk_prot->get_port);
	ds_hook_set_target(&ds_hook_bind_udp, udp->sk->sk_prot->get_port);
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
