/* SPDX-License-Identifier: GPL-2.0 */
/* The module's sums by local port. */
#ifndef DSCTL_PORTS_H
#define DSCTL_PORTS_H

#include <stddef.h>
#include <stdint.h>

#include "nl/counters.h"
#include "nl/dsnl.h"

/**
 * struct port - What the sockets of a port have counted, closed ones included.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @port: in host byte order; 0 for all that bind() did not ask for by number.
 * @counters: values, in the order of counters[].
 */
struct port {
	uint8_t protocol;
	uint16_t port;
	uint64_t counters[NUM_COUNTERS];
};

/**
 * struct port_list - All ports of a namespace where something was counted.
 * @v: the ports.
 * @n: how many.
 * @size: for how many there is room.
 */
struct port_list {
	struct port *v;
	size_t n;
	size_t size;
};

/**
 * ports_dump() - Get the sums of all ports of the namespace.
 * @nl: from dsnl_open_dualstack().
 * @list: filled in.
 *
 * Return: 0, or -1 after a message.
 */
int ports_dump(struct dsnl *nl, struct port_list *list);

/**
 * ports_free() - Free what a list of ports holds.
 * @list: the list; zeroed memory is fine.
 */
void ports_free(struct port_list *list);

#endif /* DSCTL_PORTS_H */
