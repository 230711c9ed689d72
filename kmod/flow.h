/* SPDX-License-Identifier: GPL-2.0 */
/* The two ends of an event. */

#ifndef _DUALSTACK_FLOW_H
#define _DUALSTACK_FLOW_H

#include <linux/in6.h>
#include <linux/types.h>

#include "stats.h"

struct msghdr;
struct net;
struct sk_buff;
struct sock;
struct sockaddr;

/**
 * struct ds_flow - the two ends of an event
 * @net:	namespace
 * @family:	AF_INET or AF_INET6: what the packet is, or would be
 * @proto:	transport protocol
 * @peer:	remote address; an IPv4 address is mapped
 * @local:	address of this host; an IPv4 address is mapped
 * @peer_port:	remote port, network byte order
 * @local_port:	port of this host, network byte order
 * @flowlabel:	flow label of an IPv6 packet, network byte order
 */
struct ds_flow {
	struct net *net;
	u8 family;
	u8 proto;
	struct in6_addr peer;
	struct in6_addr local;
	__be16 peer_port;
	__be16 local_port;
	__be32 flowlabel;
};

/**
 * ds_flow_from_skb() - take a received packet apart
 * @flow:	filled in
 * @net:	namespace
 * @skb:	the packet, its headers in place
 * @proto:	its transport protocol
 *
 * Context: any.
 */
void ds_flow_from_skb(struct ds_flow *flow, struct net *net,
		      const struct sk_buff *skb, enum ds_proto proto);

/**
 * ds_flow_from_sk() - the two ends of a connection
 * @flow:	filled in
 * @sk:		connected socket
 *
 * Context: any.
 */
void ds_flow_from_sk(struct ds_flow *flow, const struct sock *sk);

/**
 * ds_flow_connect() - does connect() go to an IPv4 address?
 * @flow:	filled in where it does
 * @sk:		AF_INET6 socket
 * @addr:	address as connect() was given it
 * @len:	its length
 *
 * Follows tcp_v6_connect() and __ip6_datagram_connect() up to the point where
 * they read IPV6_V6ONLY; only that an unknown flow label makes them fail is not
 * noticed.
 *
 * Context: process.
 *
 * Return: true for an IPv4-mapped destination, also where the unspecified
 * address stands for one; and for a sockaddr_in, which UDP takes.
 */
bool ds_flow_connect(struct ds_flow *flow, struct sock *sk,
		     const struct sockaddr *addr, int len);

/**
 * ds_flow_connect_native() - does connect() go to an IPv6 address?
 * @flow:	filled in where it does
 * @sk:		AF_INET6 socket
 * @addr:	address as connect() was given it, for which ds_flow_connect() is false
 * @len:	its length
 *
 * Follows tcp_v6_connect() and __ip6_datagram_connect() up to the point where they
 * look for a route; only that an unknown flow label makes them fail is not noticed.
 *
 * Context: process.
 *
 * Return: true if it does.
 */
bool ds_flow_connect_native(struct ds_flow *flow, const struct sock *sk,
			    const struct sockaddr *addr, int len);

/**
 * ds_flow_connect4() - does connect() of an AF_INET socket go anywhere?
 * @flow:	filled in where it does
 * @sk:		AF_INET socket
 * @addr:	address as connect() was given it
 * @len:	its length
 *
 * Follows tcp_v4_connect() and __ip4_datagram_connect() up to the point where they
 * look for a route.
 *
 * Context: process.
 *
 * Return: true if it does.
 */
bool ds_flow_connect4(struct ds_flow *flow, const struct sock *sk,
		      const struct sockaddr *addr, int len);

/**
 * ds_flow_send() - will sendmsg() read IPV6_V6ONLY?
 * @flow:	filled in where it does
 * @sk:		AF_INET6 UDP socket
 * @msg:	as udpv6_sendmsg() was given it
 *
 * Follows udpv6_sendmsg() up to that point.
 *
 * Context: process.
 *
 * Return: true for an IPv4-mapped destination or a sockaddr_in, also where the
 * destination is that of a connected socket.
 */
bool ds_flow_send(struct ds_flow *flow, struct sock *sk,
		  const struct msghdr *msg);

/**
 * ds_flow_sent() - where will udp_sendmsg() send a message?
 * @flow:	filled in where it will
 * @sk:		UDP socket
 * @msg:	as udp_sendmsg() is given it, perhaps by udpv6_sendmsg()
 *
 * Context: process.
 *
 * Return: true if it will, to the destination of the message or of the corked
 * datagram that it continues; false if it will fail with EINVAL.
 */
bool ds_flow_sent(struct ds_flow *flow, struct sock *sk,
		  const struct msghdr *msg);

#endif /* _DUALSTACK_FLOW_H */
