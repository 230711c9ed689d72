/* SPDX-License-Identifier: GPL-2.0 */
/* Which process serves a port. */
#ifndef DSCTL_SERVERS_H
#define DSCTL_SERVERS_H

#include <stdint.h>

#include "nl/diag.h"
#include "nl/dsnl.h"
#include "socks/procs.h"
#include "util/map.h"

/**
 * struct servers - The servers of a namespace, as they are now.
 * @socks: their sockets.
 * @procs: users of these.
 * @by_port: by protocol and port, an index of @procs.
 */
struct servers {
	struct sock_list socks;
	struct procs procs;
	struct map by_port;
};

/**
 * servers_get() - Look who serves which port.
 * @nl: from dsnl_open_sock_diag().
 * @servers: zeroed; to be freed in any case.
 *
 * Return: 0, or -1 after a message.
 */
int servers_get(struct dsnl *nl, struct servers *servers);

/**
 * servers_name() - The name of the process that serves a port.
 * @servers: the servers; zeroed memory is fine.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @port: the port.
 *
 * Of several the one that has it at all IPv4 addresses, then at all of IPv6, and init
 * only where it is alone: it hands sockets out.
 *
 * Return: any bytes, or NULL if nobody is seen to have the port.
 */
const char *servers_name(const struct servers *servers, uint8_t protocol,
			 uint16_t port);

/**
 * servers_free() - Free what servers_get() found.
 * @servers: the servers; zeroed memory is fine.
 */
void servers_free(struct servers *servers);

#endif /* DSCTL_SERVERS_H */
