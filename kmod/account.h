/* SPDX-License-Identifier: GPL-2.0 */
/* What a hook saw becomes a count. */

#ifndef _DUALSTACK_ACCOUNT_H
#define _DUALSTACK_ACCOUNT_H

#include <linux/ftrace.h>
#include <linux/skbuff.h>
#include <linux/types.h>

struct msghdr;
struct request_sock;
struct sock;
struct sockaddr;
struct socket;

/**
 * ds_account_accept() - a TCP handshake completed
 * @listener:	the listening socket
 * @child:	the child, locked
 * @skb:	the segment that completed it
 *
 * Context: softirq, as tcp_child_process().
 */
ds_direct_fast
void ds_account_accept(struct sock *listener, const struct sock *child,
		       const struct sk_buff *skb);

/**
 * ds_account_fastopen() - a child socket enters a listener's queue
 * @listener:	the listening socket
 * @req:	what the child was made from
 * @child:	the child
 *
 * Counts children made by Fast Open (RFC 7413): the application may accept them
 * before the handshake completes. ds_account_accept() counts all others.
 *
 * Context: softirq, or process with softirqs disabled, as
 * inet_csk_reqsk_queue_add().
 */
ds_direct
void ds_account_fastopen(struct sock *listener, struct request_sock *req,
			 const struct sock *child);

/**
 * ds_account_recv() - recvmsg() is done with a datagram
 * @sk:		the UDP socket
 * @skb:	the datagram
 * @len:	as skb_consume_udp() is given it: negated for MSG_PEEK
 *
 * Context: process, as skb_consume_udp().
 */
ds_direct_fast
void ds_account_recv(struct sock *sk, const struct sk_buff *skb, int len);

/**
 * ds_account_no_socket() - a packet was dropped because no socket took it
 * @skb:	the packet, its headers still in place
 *
 * Context: softirq, at the end of tcp_v4_rcv(), udpv6_rcv() and their like.
 */
void ds_account_no_socket(struct sk_buff *skb);

#ifdef CONFIG_PREEMPT_RT
/* ds_account_drop() - a packet is dropped, see ds_account_no_socket(): what the tracepoint
 * kfree_skb tells others of. It is passed the packet and the reason, which kernels have in
 * different places. Context: any that may drop a packet.
 */
ds_direct
void ds_account_drop(DS_DROP_PROTO);
#endif

/**
 * ds_account_syn() - a listener is about to answer a SYN
 * @listener:	the listening socket
 * @skb:	the SYN
 *
 * Counts a SYN whose source is an IPv4-mapped address. The kernel drops it, in
 * tcp_v6_conn_request(), or in subflow_v6_conn_request() for MPTCP.
 *
 * Context: softirq.
 */
ds_direct
void ds_account_syn(struct sock *listener, const struct sk_buff *skb);

/**
 * ds_account_connect() - connect() of an AF_INET6 socket is about to be tried
 * @sk:		the socket
 * @addr:	where to
 * @len:	length of @addr
 *
 * Context: process.
 */
ds_direct_fast
void ds_account_connect(struct sock *sk, const struct sockaddr *addr, int len);

/**
 * ds_account_connect4() - connect() is about to be tried, over IPv4
 * @sk:		the socket. AF_INET6 ones are left to ds_account_connect()
 * @addr:	address as connect() was given it
 * @len:	its length
 *
 * Context: entry of tcp_v4_connect() and __ip4_datagram_connect(); process, the
 * socket is locked.
 */
ds_direct_fast
void ds_account_connect4(struct sock *sk, const struct sockaddr *addr, int len);

/**
 * ds_account_send() - sendmsg() is about to be tried
 * @sk:		the UDP socket
 * @msg:	the message. What was seen is left for ds_account_sent() in msg_inq,
 *		which sendmsg() does not use
 * @len:	its length
 *
 * Counts those to a mapped address that IPV6_V6ONLY forbids.
 *
 * Context: process.
 */
ds_direct_fast
void ds_account_send(struct sock *sk, struct msghdr *msg, size_t len);

/**
 * ds_account_sent() - sendmsg() goes on over IPv4
 * @sk:		the UDP socket
 * @msg:	the message
 * @len:	its length
 *
 * If it is an AF_INET6 one, udpv6_sendmsg() has found that IPV6_V6ONLY allows it, and
 * calls udp_sendmsg().
 *
 * Context: process.
 */
ds_direct_fast
void ds_account_sent(struct sock *sk, struct msghdr *msg, size_t len);

/**
 * ds_account_bind() - bind() is about to be tried
 * @sock:	the socket, not locked
 * @addr:	where to
 * @len:	length of @addr
 *
 * Context: process.
 */
ds_direct
void ds_account_bind(struct socket *sock, const struct sockaddr *addr, int len);

/**
 * ds_account_bind_sk() - bind() is about to be tried, for MPTCP
 * @sk:		the socket, not locked
 * @addr:	where to
 * @len:	length of @addr
 *
 * To bind() one of its sockets, MPTCP binds a subflow, by inet6_bind_sk(). Other
 * callers of that are left to ds_account_bind().
 *
 * Context: process.
 */
ds_direct
void ds_account_bind_sk(struct sock *sk, const struct sockaddr *addr, int len);

#endif /* _DUALSTACK_ACCOUNT_H */
