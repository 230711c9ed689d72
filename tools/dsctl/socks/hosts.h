/* SPDX-License-Identifier: GPL-2.0 */
/* The names of addresses. */
#ifndef DSCTL_HOSTS_H
#define DSCTL_HOSTS_H

#include "nl/diag.h"

/**
 * struct hosts - The names that were asked for.
 * @root: a tree of them.
 *
 * It starts zeroed. Each address is asked for once, as that may take seconds.
 */
struct hosts {
	void *root;
};

/**
 * hosts_name() - Ask for the name of an address: /etc/hosts, DNS and so on.
 * @hosts: the names so far.
 * @ep: with the address, AF_INET or AF_INET6.
 *
 * Return: the name, until @hosts is freed; NULL if it has none, or if there is no memory.
 */
const char *hosts_name(struct hosts *hosts, const struct endpoint *ep);

/**
 * hosts_free() - Free the names.
 * @hosts: the names; zeroed memory is fine.
 */
void hosts_free(struct hosts *hosts);

#endif /* DSCTL_HOSTS_H */
