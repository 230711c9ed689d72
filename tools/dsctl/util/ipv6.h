/* SPDX-License-Identifier: GPL-2.0 */
/* Whether the network namespace has IPv6 at all. */
#ifndef DSCTL_IPV6_H
#define DSCTL_IPV6_H

#include <stdbool.h>

/**
 * ipv6_exists() - Whether the kernel has IPv6, on whatever device.
 *
 * Return: false where it was started with ipv6.disable=1; true also if that cannot be told.
 */
bool ipv6_exists(void);

/**
 * ipv6_off() - What has IPv6 disabled on every device but loopback, if it is.
 *
 * It is asked of the network namespace that the caller is in: whether there is IPv6 at
 * all, and by disable_ipv6 of its devices, or that of "all" where there are none.
 *
 * Return: the name of the setting, "ipv6.disable" for that of the kernel's command
 *	   line; NULL if IPv6 is on, also if that cannot be told.
 */
const char *ipv6_off(void);

#endif /* DSCTL_IPV6_H */
