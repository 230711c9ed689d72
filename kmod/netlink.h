/* SPDX-License-Identifier: GPL-2.0 */
/* The generic-netlink family. */

#ifndef _DUALSTACK_NETLINK_H
#define _DUALSTACK_NETLINK_H

#include <linux/init.h>

/**
 * ds_netlink_init() - register the family
 *
 * Context: process. Everything it reports on must be ready.
 *
 * Return: 0 or a negative errno.
 */
int __init ds_netlink_init(void);

/* Unregister it; no request is being answered when this returns. */
void ds_netlink_exit(void);

#endif /* _DUALSTACK_NETLINK_H */
