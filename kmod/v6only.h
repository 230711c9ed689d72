/* SPDX-License-Identifier: GPL-2.0 */
/* IPV6_V6ONLY of live sockets. */

#ifndef _DUALSTACK_V6ONLY_H
#define _DUALSTACK_V6ONLY_H

#include <linux/mutex.h>
#include <linux/types.h>

struct ds_flow;

/* At how many ports at a time IPV6_V6ONLY can be on its way off, in a namespace. */
#define DS_V6ONLY_WINDOWS	16

/**
 * struct ds_window - a port where IPV6_V6ONLY is being switched off
 * @key:	which port, 0 for none so far
 * @gp:		grace period of RCU at whose end that is over; see
 *		start_poll_synchronize_rcu()
 */
struct ds_window {
	u32 key;
	unsigned long gp;
};

/**
 * struct ds_v6only_net - what a namespace has for setting IPV6_V6ONLY
 * @lock:	lets one request at a time; only tried, as nobody may wait for it
 *		under the lock of generic netlink
 * @window:	written under @lock, read under RCU
 *
 * There is nothing to be done for it when the namespace goes.
 */
struct ds_v6only_net {
	struct mutex lock;	/* for window */
	struct ds_window window[DS_V6ONLY_WINDOWS];
};

/* Set it up. */
void ds_v6only_init(struct ds_v6only_net *v6only);

/**
 * ds_v6only_going() - is IPV6_V6ONLY being switched off at this port?
 * @flow:	a packet that found no socket
 *
 * A packet may find that a socket refuses it, and the search for that socket
 * that it has changed its mind since. It was the one all the same: an answer is
 * given from before the change until all packets that saw the old state are
 * gone.
 *
 * Context: in the RCU section in which the packet found no socket.
 *
 * Return: true while that is so.
 */
bool ds_v6only_going(const struct ds_flow *flow);

#endif /* _DUALSTACK_V6ONLY_H */
