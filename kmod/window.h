/* SPDX-License-Identifier: GPL-2.0 */
/* Ports where IPV6_V6ONLY is being switched off while packets are on their way. */

#ifndef _DUALSTACK_WINDOW_H
#define _DUALSTACK_WINDOW_H

#include <linux/mutex.h>
#include <linux/types.h>

#include "event_list.h"

/* At how many ports of a namespace IPV6_V6ONLY can be switched off at a time. */
#define DS_N_WINDOWS	16

/**
 * struct ds_window - a port where IPV6_V6ONLY is being switched off
 * @key:	which port, 0 for none so far
 * @gp:		grace period of RCU at whose end the window closes, as from
 *		start_poll_synchronize_rcu()
 */
struct ds_window {
	u32 key;
	unsigned long gp;
};

/**
 * struct ds_windows - the windows of a namespace
 * @mutex:	lets one request to set IPV6_V6ONLY at a time; only tried, as nobody may
 *		wait for it under the lock of generic netlink
 * @window:	written under @mutex, read under RCU
 *
 * A socket may refuse a packet because of IPV6_V6ONLY, and have the option cleared
 * before we search for the socket that refused. To find it all the same, the window
 * of a port is open from before the change until all packets that saw the old state
 * are gone.
 *
 * They need no cleanup when the namespace goes.
 */
struct ds_windows {
	struct mutex mutex;	/* see above */
	struct ds_window window[DS_N_WINDOWS];
};

/**
 * ds_windows_init() - set the windows of a namespace up
 * @windows:	the windows, all closed afterwards
 *
 * Context: any, before they are used.
 */
void ds_windows_init(struct ds_windows *windows);

/**
 * ds_window_is_open() - is IPV6_V6ONLY being switched off at a port?
 * @windows:	those of the namespace
 * @proto:	protocol of the port
 * @port:	the port
 *
 * Context: in the RCU read-side section in which a packet found no socket.
 *
 * Return: true while that is so.
 */
bool ds_window_is_open(const struct ds_windows *windows, enum ds_proto proto,
		       u16 port);

/**
 * ds_window_begin() - open the window of a port
 * @windows:	those of the namespace
 * @proto:	protocol of the port
 * @port:	the port
 *
 * Context: under &struct ds_windows.mutex, before the change.
 *
 * Return: the window, for ds_window_end(); NULL where all are open, of other ports.
 */
struct ds_window *ds_window_begin(struct ds_windows *windows,
				  enum ds_proto proto, u16 port);

/**
 * ds_window_end() - have a window close by itself
 * @window:	the window
 * @changed:	whether the option was changed. If so, the window closes after a
 *		grace period; if not, when it would have closed anyway
 *
 * Context: the caller of ds_window_begin(), after the change.
 */
void ds_window_end(struct ds_window *window, bool changed);

#endif /* _DUALSTACK_WINDOW_H */
