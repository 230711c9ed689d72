/* SPDX-License-Identifier: GPL-2.0 */
/* Which processes hold a socket. */
#ifndef DSCTL_PROCS_H
#define DSCTL_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nl/diag.h"

#define PROC_NONE UINT32_MAX

/**
 * struct proc_task - A process.
 * @pid: its ID.
 * @comm: its name, any bytes; empty if it has just gone.
 */
struct proc_task {
	int pid;
	char comm[64];
};

/**
 * struct proc_fd - A file descriptor that is one of the sockets.
 * @next: the next one of the same socket, or PROC_NONE.
 * @task: whose it is, an index.
 * @fd: its number.
 */
struct proc_fd {
	uint32_t next;
	uint32_t task;
	int fd;
};

/**
 * struct procs - The users of a list of sockets.
 * @fds: descriptors; chained for each socket in the order of pid and fd.
 * @num_fds: how many.
 * @size_fds: for how many there is room.
 * @tasks: processes that have one of them.
 * @num_tasks: how many.
 * @size_tasks: for how many there is room.
 * @known: they have been looked for; else the sockets have no chains.
 * @complete: none was passed over: what has no chain is of no process.
 */
struct procs {
	struct proc_fd *fds;
	size_t num_fds;
	size_t size_fds;
	struct proc_task *tasks;
	size_t num_tasks;
	size_t size_tasks;
	bool known;
	bool complete;
};

/**
 * procs_find() - Find the users of sockets.
 * @procs: filled in.
 * @list: the sockets; their chains of users are set.
 *
 * Processes that the caller may not look into are passed over.
 *
 * Return: 0, or -1 after a message.
 */
int procs_find(struct procs *procs, struct sock_list *list);

/**
 * procs_keep() - Look at the processes once for all lists from here on, for -N.
 *
 * They are looked at for the first list, and anew for one with a socket that is of none.
 */
void procs_keep(void);

/**
 * procs_forget() - Look at them for each list again.
 */
void procs_forget(void);

/**
 * procs_has() - Whether a process has a socket.
 * @procs: the users of it, and of others.
 * @sk: the socket.
 * @process: name of the process, or its ID.
 *
 * Return: true if so.
 */
bool procs_has(const struct procs *procs, const struct sock *sk,
	       const char *process);

/**
 * comm_is() - Whether a task has a name.
 * @comm: its name, which the kernel may have cut off.
 * @name: the name that is looked for.
 *
 * Return: true if so.
 */
bool comm_is(const char *comm, const char *name);

/**
 * procs_free() - Free what procs_find() found.
 * @procs: the users; zeroed memory is fine.
 */
void procs_free(struct procs *procs);

#endif /* DSCTL_PROCS_H */
