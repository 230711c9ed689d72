/* SPDX-License-Identifier: GPL-2.0 */
/* Which service a program is of that connected somewhere, by its name. */
#ifndef DSCTL_PROGRAMS_H
#define DSCTL_PROGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "socks/findings.h"
#include "socks/services.h"
#include "socks/tally.h"
#include "socks/view.h"
#include "util/map.h"

/**
 * struct programs - The programs that have sockets now.
 * @v: by name and by owner of a socket, the services of processes that have both.
 * @n: how many.
 * @by_dest: sockets by protocol and where they are connected to, or sent last.
 * @view: the sockets.
 * @services: their services.
 * @tally: the ledger.
 */
struct programs {
	struct program {
		const char *comm;
		uint32_t uid;
		uint32_t service;
	} *v;
	size_t n;
	struct map by_dest;
	const struct view *view;
	const struct services *services;
	const struct tally *tally;
};

/**
 * programs_make() - Find what the programs that have sockets are called, and where these
 *	go.
 * @programs: zeroed; to be freed in any case.
 * @view: the sockets.
 * @findings: about them.
 * @services: their services, which have to stay, as has all else.
 * @tally: the ledger.
 *
 * Return: 0, or -1 after a message.
 */
int programs_make(struct programs *programs, const struct view *view,
		  const struct findings *findings,
		  const struct services *services, const struct tally *tally);

/**
 * programs_find() - Find the service that an entry is of.
 * @programs: the programs.
 * @i: the entry, as an index: of direction out or refused-out, and no rest.
 *
 * It is the only one that has a process of that name with a socket of that user. Else it is
 * the one that has a socket of the same owner to the same place, if no other program was
 * there: the task may be a thread, which has a name of its own.
 *
 * Return: the service, or SERVICE_NONE.
 */
uint32_t programs_find(const struct programs *programs, uint32_t i);

/**
 * programs_free() - Free what programs_make() made.
 * @programs: the programs.
 */
void programs_free(struct programs *programs);

#endif /* DSCTL_PROGRAMS_H */
