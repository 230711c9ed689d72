/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packets that no socket would send, and a look at those on a link.
 */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stddef.h>

#include "net_util.h"

#define NET_TCP_OPTS	40
#define NET_UDP_DATA	100

/**
 * struct net_packet - an IPv6 packet as it is on the wire
 * @len: its length
 * @ip6: network header
 * @udp: of a datagram
 * @data: and its data, of which there is one byte
 * @tcp: of a segment
 * @opts: and its options
 */
struct net_packet {
	size_t len;
	struct ip6_hdr ip6;
	union {
		struct {
			struct udphdr udp;
			char data[NET_UDP_DATA];
		};
		struct {
			struct tcphdr tcp;
			unsigned char opts[NET_TCP_OPTS];
		};
	};
};

/**
 * net_packet_set() - a datagram or a SYN with the source of one's choice
 * @p: filled in, checksum included
 * @type: SOCK_DGRAM for a datagram, SOCK_STREAM for a SYN
 * @src: source
 * @dst: destination
 */
void net_packet_set(struct net_packet *p, int type, const union net_addr *src,
		    const union net_addr *dst);

/**
 * net_packet_segment() - make another segment of a SYN
 * @p: as net_packet_set() left it, or this function
 * @flags: TH_*
 * @seq: sequence number
 * @ack: acknowledgment number
 * @opts: options
 * @len: their length, a multiple of 4
 */
void net_packet_segment(struct net_packet *p, unsigned char flags, __u32 seq,
			__u32 ack, const void *opts, size_t len);

/* Make a datagram longer, by zeroes: @len is that of its data. */
void net_packet_pad(struct net_packet *p, size_t len);

/* Of a TCP segment over IPv4, which has 0 where its checksum goes. */
__u16 net_tcp4_checksum(in_addr_t src, in_addr_t dst, const void *segment,
			size_t len);

/* Send it the way its destination is routed, by a raw socket; 0 or -errno. */
int net_packet_send(const struct net_packet *p);

/**
 * net_packet_open() - a socket that sees all frames of a device, both ways
 * @name: device
 *
 * Return: the socket, for net_packet_inject() and for recv() of frames with
 * their Ethernet header, or -errno.
 */
int net_packet_open(const char *name);

/* Put it on the link, to the Ethernet address @mac; 0 or -errno. */
int net_packet_inject(int fd, const unsigned char *mac,
		      const struct net_packet *p);

#endif /* NET_WIRE_H */
