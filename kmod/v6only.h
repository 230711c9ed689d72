/* SPDX-License-Identifier: GPL-2.0 */
/* IPV6_V6ONLY of live sockets. */

#ifndef _DUALSTACK_V6ONLY_H
#define _DUALSTACK_V6ONLY_H

#include <linux/types.h>

struct ds_flow;

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
