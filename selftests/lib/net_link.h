/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network namespaces, devices and their addresses for the dualstack tests, by
 * rtnetlink.
 *
 * All work in the namespace of the caller and return 0 or -errno. -EOPNOTSUPP
 * is what the kernel says where it has no device of that kind. A device with
 * an IPv6 address has to be up.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include <netinet/in.h>

/* Addresses that net_ns_new() puts on lo, besides 127.0.0.1 and ::1. */
#define NET_ADDR4	"192.0.2.1"
#define NET_ADDR6	"2001:db8::1"

struct ifreq;

/* Move to a new namespace with lo up. */
int net_ns_new(void);

/* Open the namespace that the caller is in, for setns(). */
int net_ns_open(void);

/* A veth pair: one end here, the other in the namespace @peer_ns. */
int net_link_veth(const char *name, const char *peer, int peer_ns);

/**
 * net_link_neighbour() - another host: a namespace of its own, beyond veth0
 * @here: an IPv4 address and an IPv6 address of this end
 * @there: the same of the other one
 *
 * Return: that namespace, for setns(), or -errno.
 */
int net_link_neighbour(const char *const here[2], const char *const there[2]);

/* A device that is up, and takes what is sent by it to nowhere. */
int net_link_dummy(const char *name);

/* A VRF on its own routing table, and its way in. */
int net_link_vrf(const char *name, unsigned int table);
int net_link_enslave(const char *name, const char *master);

/*
 * Have the tables of VRFs looked at before the one of local addresses, without
 * which an address that is outside, too, is never found in a VRF (vrf.rst).
 */
int net_link_vrf_first(void);

/* A VXLAN over IPv6, from the address @local, with its UDP socket on @port. */
int net_link_vxlan6(const char *name, unsigned int id, const char *local,
		    in_port_t port);

int net_link_del(const char *name);
int net_link_up(const char *name);
int net_link_down(const char *name);
/* That of lo is so large that nothing is fragmented. */
int net_link_mtu(const char *name, unsigned int mtu);

/* What is not asked by rtnetlink: a request about the device in @ifr. */
int net_ioctl(unsigned long request, struct ifreq *ifr);

/* An address, usable on return: there is no duplicate address detection. */
int net_link_addr(const char *name, const char *text, int prefixlen);

/* Until an anycast address is there, which the kernel adds by itself. */
int net_link_wait_anycast(const char *name, const char *text);

#endif /* NET_LINK_H */
