/* SPDX-License-Identifier: GPL-2.0 */
/* What rules do in bind(). */

#ifndef _DUALSTACK_BIND_H
#define _DUALSTACK_BIND_H

#include <linux/ftrace.h>

struct sock;

/**
 * ds_bind_port() - a TCP or an AF_INET6 UDP socket is about to get its port
 * @sk:		the socket, locked
 * @port:	which one, host byte order; 0 for any
 *
 * Has a rule decide about IPV6_V6ONLY, or who was made dual by one give IPv4 back.
 * Where that is so, the socket has its port when this returns, and the caller finds
 * it there.
 *
 * Context: process, may not sleep; as inet_csk_get_port() and udp_v6_get_port().
 */
ds_direct
void ds_bind_port(struct sock *sk, unsigned short port);

/**
 * ds_bind_port4() - an AF_INET UDP socket is about to get its port
 * @sk:		the socket, locked
 * @port:	which one, host byte order; 0 for any
 *
 * Context: as ds_bind_port().
 */
ds_direct
void ds_bind_port4(struct sock *sk, unsigned short port);

#endif /* _DUALSTACK_BIND_H */
