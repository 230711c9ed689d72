/* SPDX-License-Identifier: GPL-2.0 */
/* IPV6_V6ONLY of live sockets. */

#ifndef _DUALSTACK_V6ONLY_H
#define _DUALSTACK_V6ONLY_H

#include <linux/types.h>

struct ds_port;
struct sock;

/**
 * ds_v6only_is_foreign() - is the option of a socket that of another one?
 * @sk:		the socket
 *
 * Return: true for the kernel's own, and for a subflow of MPTCP.
 */
bool ds_v6only_is_foreign(const struct sock *sk);

/**
 * ds_v6only_store() - write the option of a socket that is bound
 * @sk:		the socket
 * @v6only:	what IPV6_V6ONLY is to be
 *
 * Context: under ds_port_lock(), with the socket locked; and under
 * ds_port_listen_lock() where it listens.
 */
void ds_v6only_store(struct sock *sk, bool v6only);

/**
 * ds_v6only_give_back() - make a socket v6only, for the sake of an IPv4 one
 * @port:	where both are bound
 * @sk:		the socket, held by the caller. Its SO_REUSEPORT group changes as one
 *
 * Context: process, without spinlocks, and with no more of the socket's locks than
 * those of another one. Does not sleep.
 *
 * Return: 0, -EBUSY for now, -ENOENT where it has gone or is v6only, or another reason
 * why it is not changed.
 */
int ds_v6only_give_back(const struct ds_port *port, struct sock *sk);

/**
 * ds_v6only_take_again() - undo ds_v6only_give_back()
 * @port:	as there
 * @sk:		as there
 *
 * Where it cannot be done any more, the socket stays v6only.
 *
 * Context: as there.
 */
void ds_v6only_take_again(const struct ds_port *port, struct sock *sk);

#endif /* _DUALSTACK_V6ONLY_H */
