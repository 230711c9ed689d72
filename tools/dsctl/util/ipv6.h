/* SPDX-License-Identifier: GPL-2.0 */
/* Whether the network namespace has IPv6 at all. */
#ifndef DSCTL_IPV6_H
#define DSCTL_IPV6_H

#include <stdbool.h>

/**
 * ipv6_is_off() - Whether IPv6 is disabled on every device but loopback.
 *
 * It is asked of the network namespace that the caller is in: by disable_ipv6 of its
 * devices, or that of "all" where there are none.
 *
 * Return: true if it is; false also if that cannot be told.
 */
bool ipv6_is_off(void);

#endif /* DSCTL_IPV6_H */
