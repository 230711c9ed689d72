// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net_wire.h"

static __u32 sum16(const void *data, size_t len, __u32 sum)
{
	const unsigned char *p = data;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 ? p[i] : p[i] << 8;
	return sum;
}

static __u16 fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* Of the transport header and its data, with the pseudo header. */
static __u16 checksum(const struct net_packet *p, size_t len)
{
	__u32 sum = p->ip6.ip6_nxt + len;

	sum = sum16(&p->ip6.ip6_src, 2 * sizeof(p->ip6.ip6_src), sum);
	return fold(sum16(&p->udp, len, sum));
}

__u16 net_tcp4_checksum(in_addr_t src, in_addr_t dst, const void *segment,
			size_t len)
{
	__u32 sum = IPPROTO_TCP + len;

	sum = sum16(&src, sizeof(src), sum);
	sum = sum16(&dst, sizeof(dst), sum);
	return fold(sum16(segment, len, sum));
}

void net_packet_set(struct net_packet *p, int type, const union net_addr *src,
		    const union net_addr *dst)
{
	bool udp = type == SOCK_DGRAM;
	size_t len;

	memset(p, 0, sizeof(*p));
	len = udp ? sizeof(p->udp) + 1 : sizeof(p->tcp);
	p->len = sizeof(p->ip6) + len;
	p->ip6.ip6_flow = htonl(6 << 28);
	p->ip6.ip6_plen = htons(len);
	p->ip6.ip6_nxt = udp ? IPPROTO_UDP : IPPROTO_TCP;
	p->ip6.ip6_hlim = 64;
	p->ip6.ip6_src = src->in6.sin6_addr;
	p->ip6.ip6_dst = dst->in6.sin6_addr;
	if (udp) {
		p->udp.source = src->in6.sin6_port;
		p->udp.dest = dst->in6.sin6_port;
		p->udp.len = htons(len);
		p->data[0] = 'x';
		p->udp.check = checksum(p, len);
	} else {
		p->tcp.source = src->in6.sin6_port;
		p->tcp.dest = dst->in6.sin6_port;
		p->tcp.doff = sizeof(p->tcp) / 4;
		p->tcp.syn = 1;
		p->tcp.window = htons(1024);
		p->tcp.check = checksum(p, len);
	}
}

void net_packet_segment(struct net_packet *p, unsigned char flags, __u32 seq,
			__u32 ack, const void *opts, size_t len)
{
	size_t tcp_len = sizeof(p->tcp) + len;

	p->len = sizeof(p->ip6) + tcp_len;
	p->ip6.ip6_plen = htons(tcp_len);
	p->tcp.th_flags = flags;
	p->tcp.seq = htonl(seq);
	p->tcp.ack_seq = htonl(ack);
	p->tcp.doff = tcp_len / 4;
	memcpy(p->opts, opts, len);
	p->tcp.check = 0;
	p->tcp.check = checksum(p, tcp_len);
}

void net_packet_pad(struct net_packet *p, size_t len)
{
	len += sizeof(p->udp);
	p->len = sizeof(p->ip6) + len;
	p->ip6.ip6_plen = htons(len);
	p->udp.len = htons(len);
	p->udp.check = 0;
	p->udp.check = checksum(p, len);
}

int net_packet_send(const struct net_packet *p)
{
	union net_addr to = {
		.in6.sin6_family = AF_INET6,
		.in6.sin6_addr = p->ip6.ip6_dst,
	};
	int fd, err = 0;

	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (fd < 0)
		return -errno;
	if (sendto(fd, &p->ip6, p->len, 0, &to.sa, sizeof(to.in6)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int net_packet_open(const char *name)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(name),
	};
	int fd, err;

	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int net_packet_inject(int fd, const unsigned char *mac,
		      const struct net_packet *p)
{
	struct ether_header eth = { .ether_type = htons(ETHERTYPE_IPV6) };
	struct iovec iov[] = {
		{ .iov_base = &eth, .iov_len = sizeof(eth) },
		{ .iov_base = (void *)&p->ip6, .iov_len = p->len },
	};

	memcpy(eth.ether_dhost, mac, ETH_ALEN);
	return writev(fd, iov, 2) < 0 ? -errno : 0;
}
