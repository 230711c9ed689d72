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

/**
 * typedef ds_port_match - tells whether a socket is the one that is looked for
 * @sk:		the socket
 * @arg:	as it was given to the search
 *
 * Context: under the lock of the search; must not sleep.
 *
 * Return: true ends the search.
 */
typedef bool (*ds_port_match)(struct sock *sk, void *arg);

/**
 * ds_port_lock() - the lock under which bind() looks for a conflict
 * @port:	the port
 *
 * While it is held, with softirqs disabled, no socket is bound to the port, and
 * none leaves it.
 *
 * Context: any.
 *
 * Return: the lock, to be taken by the caller.
 */
spinlock_t *ds_port_lock(const struct ds_port *port);

/**
 * ds_port_listen_lock() - the lock under which TCP sockets join a SO_REUSEPORT group
 * @port:	the port, of TCP
 *
 * While it is held, no socket starts to listen at the unspecified address and
 * this port, and none ceases to. The kernel takes it with softirqs enabled, so
 * it nests outside of what softirqs take: the spinlock of a socket, and
 * ds_port_lock().
 *
 * UDP sockets join under ds_port_lock().
 *
 * Context: any.
 *
 * Return: the lock, to be taken by the caller.
 */
spinlock_t *ds_port_listen_lock(const struct ds_port *port);

/**
 * ds_port_find4() - go through the sockets that are bound to a port for IPv4
 * @port:	the port
 * @match:	tells whether a socket is the one; it may be shown others, too
 * @arg:	for @match
 *
 * Listening, connected and unconnected ones, AF_INET or at mapped addresses, on
 * all devices; connections in TIME_WAIT are left out. The connections that a
 * listener has accepted are looked at one by one, as bind() does for the
 * unspecified address: before Linux 6.8 all of them, since then those over IPv4.
 *
 * Context: under ds_port_lock(). No reference is taken.
 *
 * Return: the first socket that matches, or NULL.
 */
struct sock *ds_port_find4(const struct ds_port *port, ds_port_match match,
			   void *arg);

/**
 * ds_port_find_wild() - go through the sockets at the unspecified address
 * @port:	the port
 * @match:	tells whether a socket is the one; it may be shown others, too
 * @arg:	for @match
 *
 * However many connections TCP has at the port, only listeners are looked at.
 *
 * Context: under ds_port_listen_lock() for TCP, ds_port_lock() for UDP. No
 * reference is taken.
 *
 * Return: the first socket that matches, or NULL.
 */
struct sock *ds_port_find_wild(const struct ds_port *port, ds_port_match match,
			       void *arg);

/**
 * ds_port_get_wild() - ds_port_find_wild(), and hold the socket
 * @port:	the port
 * @match:	tells whether a socket is the one; it may be shown others, too
 * @arg:	for @match
 *
 * Context: process, without a spinlock.
 *
 * Return: the first socket that matches, for sock_put(), or NULL.
 */
struct sock *ds_port_get_wild(const struct ds_port *port, ds_port_match match,
			      void *arg);

/**
 * ds_port_get_tcp() - find and hold a socket that is bound to a port of TCP
 * @port:	the port
 * @max:	how many sockets to look at: connections may be any number
 * @match:	tells whether a socket is the one
 * @arg:	for @match
 *
 * Looks at all of them, connections included. For UDP ds_port_get_wild() does so.
 *
 * Context: process, without a spinlock.
 *
 * Return: the first socket that matches, for sock_put(), or NULL.
 */
struct sock *ds_port_get_tcp(const struct ds_port *port, unsigned int max,
			     ds_port_match match, void *arg);

#endif /* _DUALSTACK_PORT_H */
