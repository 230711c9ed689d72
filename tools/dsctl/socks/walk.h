/* SPDX-License-Identifier: GPL-2.0 */
/* Which processes have which sockets: one walk over /proc, as `ss -p` does it. */
#ifndef DSCTL_WALK_H
#define DSCTL_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/map.h"

/**
 * struct walk_fd - A file descriptor that is a socket, of whatever kind.
 * @inode: the socket's.
 * @next: the next one of the same socket, or MAP_NONE.
 * @pid: whose it is.
 * @fd: its number.
 */
struct walk_fd {
	uint32_t inode;
	uint32_t next;
	int pid;
	int fd;
};

/**
 * struct walk - The sockets of all processes, whatever their network namespace.
 * @fds: descriptors, in the order of /proc.
 * @num_fds: how many.
 * @size_fds: for how many there is room.
 * @by_inode: the first one of each socket.
 * @complete: no process was passed over: what is not here is of none.
 * @done: it was done.
 */
struct walk {
	struct walk_fd *fds;
	size_t num_fds;
	size_t size_fds;
	struct map by_inode;
	bool complete;
	bool done;
};

/**
 * walk_sees_all() - Whether all processes are to be seen.
 *
 * /proc is that of the initial PID namespace, and the caller may look into its init, so
 * that hidepid= hides none from it.
 *
 * Return: true if so. A walk may find out more.
 */
bool walk_sees_all(void);

/**
 * walk_do() - Look at all processes that the caller may look into.
 * @walk: filled in.
 *
 * Return: 0, or -ENOMEM, with nothing to free.
 */
int walk_do(struct walk *walk);

/**
 * walk_free() - Free what walk_do() found.
 * @walk: the walk; zeroed memory is fine.
 */
void walk_free(struct walk *walk);

#endif /* DSCTL_WALK_H */
