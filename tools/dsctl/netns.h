/* SPDX-License-Identifier: GPL-2.0 */
/* -n NETNS, -N: other network namespaces, and every one. */
#ifndef DSCTL_NETNS_H
#define DSCTL_NETNS_H

#include <stdbool.h>

/**
 * typedef netns_run_t - What to do in a network namespace.
 * @name: as -n takes it, NULL for the caller's own if that has none.
 * @arg: from the caller.
 *
 * Return: an enum exit_code.
 */
typedef int (*netns_run_t)(const char *name, void *arg);

/**
 * netns_enter() - Enter a network namespace, for good.
 * @name: a name of `ip netns`, a path, or a process ID.
 *
 * Return: 0, or -1 after a message.
 */
int netns_enter(const char *name);

/**
 * netns_each() - Do something in every network namespace, the caller's own first.
 * @tell: tell of those that are passed over, as the caller may not enter them.
 * @run: what to do.
 * @arg: for it.
 *
 * Return: an enum exit_code, the worst of all.
 */
int netns_each(bool tell, netns_run_t run, void *arg);

#endif /* DSCTL_NETNS_H */
