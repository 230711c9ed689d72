/* SPDX-License-Identifier: GPL-2.0 */
/* What a hook saw becomes a count. */

#ifndef _DUALSTACK_ACCOUNT_H
#define _DUALSTACK_ACCOUNT_H

struct sk_buff;
struct sock;

/**
 * ds_account_accept() - a TCP handshake completed
 * @listener:	the listening socket
 * @skb:	the segment that completed it; with Fast Open, the SYN
 *
 * Context: softirq, as tcp_create_openreq_child().
 */
void ds_account_accept(struct sock *listener, const struct sk_buff *skb);

/**
 * ds_account_recv() - recvmsg() has done with a datagram
 * @sk:		the UDP socket
 * @skb:	the datagram
 * @len:	what skb_consume_udp() is told: the negative of it for MSG_PEEK
 *
 * Context: process, as skb_consume_udp().
 */
void ds_account_recv(struct sock *sk, const struct sk_buff *skb, int len);

/**
 * ds_account_no_socket() - a packet was dropped because no socket took it
 * @skb:	the packet, its headers still in place
 *
 * Context: softirq, at the end of tcp_v4_rcv() and its like.
 */
void ds_account_no_socket(struct sk_buff *skb);

#endif /* _DUALSTACK_ACCOUNT_H */
