/* SPDX-License-Identifier: GPL-2.0 */
/* Which socket takes a packet, or would have, were it of the other family. */

#ifndef _DUALSTACK_LOOKUP_H
#define _DUALSTACK_LOOKUP_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <net/dst.h>

#include "flow.h"

struct net;
struct sock;

/**
 * struct ds_query - a question to the lookup: a packet that found no socket, or that is
 * yet to look for one
 * @flow:	its two ends
 * @skb:	the packet, which BPF of a SO_REUSEPORT group may want to see; NULL
 *		where there is none
 * @doff:	length of its transport header
 * @dif:	interface index as for inet_iif()
 * @sdif:	index of the enslaved device where @dif is its VRF, or 0
 */
struct ds_query {
	struct ds_flow flow;
	struct sk_buff *skb;
	int doff;
	int dif;
	int sdif;
};

/**
 * ds_query_proto() - whether a packet that found no socket is to be asked about
 * @skb:	the packet as tcp_v4_rcv(), udpv6_rcv() and so on drop it for
 *		want of a socket; IPsec policy may forbid it as well
 *
 * Context: softirq.
 *
 * Return: the protocol of a datagram, or of a SYN (a listener would not have answered
 * anything else), of which the destination is known; -1 otherwise.
 */
int ds_query_proto(const struct sk_buff *skb);

/**
 * ds_query_net() - the namespace of a packet
 * @skb:	the packet, for which ds_query_proto() has told a protocol
 *
 * Return: the namespace.
 */
static inline struct net *ds_query_net(const struct sk_buff *skb)
{
	return dev_net(skb_dst(skb)->dev);
}

/**
 * ds_port_is_unused() - does no socket have a port?
 * @net:	the namespace
 * @proto:	the protocol
 * @port:	the port, network byte order
 *
 * One look at the table of ports. Most packets without a socket are for a port that no
 * socket has: this saves all the rest.
 *
 * Context: any.
 *
 * Return: true where none has; false where one may have.
 */
bool ds_port_is_unused(struct net *net, enum ds_proto proto, __be16 port);

/**
 * ds_query_from_skb() - take a packet that found no socket apart
 * @query:	filled in
 * @skb:	the packet
 * @proto:	what ds_query_proto() has told
 *
 * Context: softirq.
 *
 * Return: true for a packet that a socket could have taken: a SYN only if it is for one
 * host, a datagram over IPv6 only if its checksum is right.
 */
bool ds_query_from_skb(struct ds_query *query, struct sk_buff *skb,
		       enum ds_proto proto);

/**
 * ds_lookup_taker() - find the socket that a packet is for
 * @query:	the packet
 *
 * The lookup of the input path, for a SYN or a datagram to one host.
 *
 * Context: under RCU. No reference is taken.
 *
 * Return: the socket, or NULL.
 */
struct sock *ds_lookup_taker(const struct ds_query *query);

/**
 * ds_lookup_refuser() - find the socket that refused a packet
 * @query:	the packet
 * @event:	set to the kind of refusal
 *
 * A wildcard socket of the other family that has the port refuses, whatever else
 * is bound there. Without one, a socket of the other family that is bound to one
 * address refuses, unless a socket that takes the packet's family has the port at
 * another address. If that is the loopback address, it only counts if the packet,
 * or the socket that would refuse it, is at the loopback address, too.
 *
 * Context: under RCU, in the section where it found no socket. No reference is
 * taken.
 *
 * Return: the socket that has the port but takes the other family only
 * (because of IPV6_V6ONLY, RFC 3493 section 5.3; because of the address that
 * it is bound to; because it is an AF_INET socket), or NULL: nobody has the
 * port, or what is refused is the address and not the family, or to find out would
 * take too long.
 */
struct sock *ds_lookup_refuser(const struct ds_query *query,
			       enum ds_event *event);

/**
 * ds_lookup_elsewhere() - find who has the port at another address
 * @query:	a packet that nobody takes and nobody refuses
 *
 * Context: under RCU. No reference is taken.
 *
 * Return: a socket of the packet's own family that is bound to one address, or
 * NULL.
 */
struct sock *ds_lookup_elsewhere(const struct ds_query *query);

/* How much is looked at for one packet to find a socket that is bound to one
 * address, lest packets keep a host busy that has thousands of them. A device or a
 * socket takes one step, an address DS_LOOKUP_MORE_STEPS, and a socket that has the
 * port as many more.
 */
#define DS_LOOKUP_STEPS		512
#define DS_LOOKUP_MORE_STEPS	3

#endif /* _DUALSTACK_LOOKUP_H */
