/* SPDX-License-Identifier: GPL-2.0 */
/* The sockets that are bound to a port. */

#ifndef _DUALSTACK_PORT_H
#define _DUALSTACK_PORT_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "stats.h"

struct net;
struct sock;

/**
 * struct ds_port - a port of one protocol in one namespace
 * @net:	namespace
 * @proto:	transport protocol
 * @num:	port, host byte order
 */
struct ds_port {
	struct net *net;
	enum ds_proto proto;
	u16 num;
};

typedef bool (*ds_port_match)(struct sock *sk, void *arg);

/**
 * ds_port_lock() - the lock that bind() looks for a conflict under
 * @port:	the port
 *
 * While it is held, with softirqs disabled, no socket is bound to the port, and
 * none leaves it.
 *
 * Return: the lock, to be taken by the caller.
 */
spinlock_t *ds_port_lock(const struct ds_port *port);

/**
 * ds_port_find() - go through the sockets that are bound to a port
 * @port:	the port
 * @match:	tells whether a socket is the one
 * @arg:	for @match
 *
 * Listening, connected and unconnected ones, at all addresses and devices;
 * connections in TIME_WAIT are left out.
 *
 * Context: under ds_port_lock(). No reference is taken.
 *
 * Return: the first socket that matches, or NULL.
 */
struct sock *ds_port_find(const struct ds_port *port, ds_port_match match,
			  void *arg);

/**
 * ds_port_wait_joins() - let sockets that are joining a group finish
 * @port:	the port
 *
 * A socket joins a SO_REUSEPORT group after it has compared itself with a
 * member. On return, whoever did so before the call is a member.
 *
 * Context: process, without ds_port_lock().
 */
void ds_port_wait_joins(const struct ds_port *port);

#endif /* _DUALSTACK_PORT_H */
