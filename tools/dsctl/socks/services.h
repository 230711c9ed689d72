/* SPDX-License-Identifier: GPL-2.0 */
/* Which sockets make up one service: those that processes have in common. */
#ifndef DSCTL_SERVICES_H
#define DSCTL_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "nl/peers.h"
#include "out/json.h"
#include "out/text.h"
#include "socks/view.h"
#include "util/map.h"

#define SERVICE_NONE MAP_NONE

/**
 * enum service_kind - What a service is known by.
 * @SERVICE_SOCKETS: sockets.
 * @SERVICE_CLOSED: it stands for all sockets that are closed, or were reset.
 * @SERVICE_PROGRAM: the name of a program that was none of a socket's processes.
 */
enum service_kind {
	SERVICE_SOCKETS,
	SERVICE_CLOSED,
	SERVICE_PROGRAM,
};

/**
 * struct service - A service.
 * @kind: what it is known by.
 * @first: its first socket, SERVICE_NONE where it has none.
 * @last: its last one.
 * @num_socks: how many.
 * @uid: of SERVICE_PROGRAM, whose it was.
 * @comm: likewise, its name.
 */
struct service {
	enum service_kind kind;
	uint32_t first;
	uint32_t last;
	uint32_t num_socks;
	uint32_t uid;
	char comm[PEER_COMM_SIZE];
};

/**
 * struct services - The services that have the sockets of a view, and others.
 * @v: the services.
 * @n: how many.
 * @size: for how many there is room.
 * @of: of each socket, or SERVICE_NONE.
 * @next: the next socket of the same service, or SERVICE_NONE.
 * @of_task: of each process of the view, or SERVICE_NONE.
 */
struct services {
	struct service *v;
	size_t n;
	size_t size;
	uint32_t *of;
	uint32_t *next;
	uint32_t *of_task;
};

/**
 * services_group() - Group sockets into services.
 * @services: zeroed; to be freed in any case.
 * @view: the sockets.
 * @member: of each socket, whether it belongs to any.
 * @taker: of each socket, the server that took it as a connection, or SERVICE_NONE.
 *
 * Two sockets that one process has open belong to one service. Init is no such
 * process where another one has the socket too: it hands out many. What a server
 * took is of the server's service, whichever process has it now; and so are sockets of one
 * owner and name at one address and port, by SO_REUSEPORT. Sockets without a process that
 * the caller can see go by their owner and port.
 *
 * Return: 0, or -1 after a message.
 */
int services_group(struct services *services, const struct view *view,
		   const bool *member, const uint32_t *taker);

/**
 * services_add_closed() - Add the service that stands for sockets that are closed.
 * @services: made by services_group(); the new one is the last.
 *
 * Return: 0, or -1 after a message.
 */
int services_add_closed(struct services *services);

/**
 * services_add_program() - Add a service that is but a name.
 * @services: made by services_group(); the new one is the last.
 * @comm: the name.
 * @uid: whose it was.
 *
 * Return: 0, or -1 after a message.
 */
int services_add_program(struct services *services, const char *comm,
			 uint32_t uid);

/**
 * service_name() - The name of a service: of its first process, or else owner and port.
 * @services: the services.
 * @view: what they were made from.
 * @i: which.
 * @text: appended to.
 */
void service_name(const struct services *services, const struct view *view,
		  size_t i, struct text *text);

/**
 * service_text() - A service with its processes, as "nginx(272,274)".
 * @services: the services.
 * @view: what they were made from.
 * @i: which.
 * @text: appended to.
 */
void service_text(const struct services *services, const struct view *view,
		  size_t i, struct text *text);

/**
 * service_processes() - The processes of a service as a JSON array.
 * @services: the services.
 * @view: what they were made from.
 * @i: which.
 *
 * Return: the array, NULL if there is no memory.
 */
json_t *service_processes(const struct services *services,
			  const struct view *view, size_t i);

/**
 * services_free() - Free what services_group() made.
 * @services: the services.
 */
void services_free(struct services *services);

#endif /* DSCTL_SERVICES_H */
