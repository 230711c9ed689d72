/* SPDX-License-Identifier: GPL-2.0 */
/* Who has a socket of which the cookie is known, again and again. */
#ifndef DSCTL_OWNERS_H
#define DSCTL_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "nl/diag.h"
#include "socks/procs.h"
#include "util/map.h"

/**
 * struct owners - The users of all sockets of a namespace, as they were a moment ago.
 * @nl: a socket of NETLINK_SOCK_DIAG.
 * @no_processes: of the users the owner alone is wanted.
 * @socks: all sockets.
 * @procs: their users.
 * @by_cookie: where the socket of a cookie is in @socks.
 * @looked: when the last look began, in nanoseconds since the epoch.
 * @stale: from when on what was seen is too old, as owners_now() has it.
 * @next: from when on the next look may be, likewise.
 * @failed: sockets cannot be listed, so that nothing is known; there was a message.
 *
 * It starts zeroed but for @nl and @no_processes. A look sees all sockets and all
 * processes: so there is one for many cookies, and it is not taken too often.
 */
struct owners {
	struct dsnl *nl;
	bool no_processes;
	struct sock_list socks;
	struct procs procs;
	struct map by_cookie;
	uint64_t looked;
	uint64_t stale;
	uint64_t next;
	bool failed;
};

/**
 * owners_now() - The time for owners_wait().
 *
 * Return: nanoseconds of a clock that is never set.
 */
uint64_t owners_now(void);

/**
 * owners_wait() - Look who has a socket, unless it is known or cannot be any more.
 * @own: the owners.
 * @now: from owners_now().
 * @cookie: of the socket.
 * @when: when it was there for sure, in nanoseconds since the epoch.
 *
 * Return: 0 if owners_find() says all there is to say; else after how many
 *	   milliseconds to ask again.
 */
int owners_wait(struct owners *own, uint64_t now, uint64_t cookie,
		uint64_t when);

/**
 * owners_find() - Find a socket among those that were seen.
 * @own: the owners.
 * @cookie: of the socket.
 *
 * Return: the socket, with its users in @own->procs; NULL if it was not there.
 */
const struct sock *owners_find(const struct owners *own, uint64_t cookie);

/**
 * owners_free() - Free what was seen.
 * @own: the owners.
 */
void owners_free(struct owners *own);

#endif /* DSCTL_OWNERS_H */
