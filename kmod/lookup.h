/* SPDX-License-Identifier: GPL-2.0 */
/* Which socket would have taken a packet: the kernel's own lookup tells. */

#ifndef _DUALSTACK_LOOKUP_H
#define _DUALSTACK_LOOKUP_H

#include <linux/in6.h>
#include <linux/types.h>

#include "stats.h"

struct net;
struct sk_buff;
struct sock;

/**
 * struct ds_flow - what a socket is looked up by
 * @net:	namespace of the device that received the packet
 * @proto:	transport protocol
 * @saddr:	source; an IPv4 address is mapped
 * @daddr:	destination; an IPv4 address is mapped
 * @sport:	source port, network byte order
 * @dport:	destination port, network byte order
 * @dif:	interface index as for inet_iif()
 * @sdif:	index of the enslaved device where @dif is its VRF, or 0
 * @doff:	length of the transport header, for BPF of SO_REUSEPORT groups
 */
struct ds_flow {
	struct net *net;
	enum ds_proto proto;
	struct in6_addr saddr;
	struct in6_addr daddr;
	__be16 sport;
	__be16 dport;
	int dif;
	int sdif;
	int doff;
};

/**
 * ds_flow_from_skb() - take an IPv4 packet that found no socket apart
 * @flow:	filled in
 * @skb:	the packet as tcp_v4_rcv() or __udp4_lib_rcv() drops it
 *
 * Context: softirq.
 *
 * Return: true for a packet that a socket could have taken: a datagram, or a
 * SYN for one host (a listener would not have answered anything else).
 */
bool ds_flow_from_skb(struct ds_flow *flow, const struct sk_buff *skb);

/**
 * ds_lookup_v6only() - find the socket that refuses IPv4
 * @flow:	an IPv4 packet that found no socket
 * @skb:	the packet, which BPF of a SO_REUSEPORT group may want to see
 *
 * Looks up the IPv4-mapped addresses as if the packet were IPv6.
 *
 * Context: softirq, under RCU. No reference is taken.
 *
 * Return: the wildcard AF_INET6 socket that would have taken the packet but
 * for IPV6_V6ONLY (RFC 3493, section 5.3), or NULL.
 */
struct sock *ds_lookup_v6only(const struct ds_flow *flow, struct sk_buff *skb);

#endif /* _DUALSTACK_LOOKUP_H */
