// SPDX-License-Identifier: GPL-2.0
/* Which processes hold a socket: one walk over /proc, as `ss -p` does it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out/err.h"
#include "socks/procs.h"
#include "util/array.h"
#include "util/map.h"
#include "util/number.h"

/* The inode number of the initial PID namespace: PROC_PID_INIT_INO of the kernel. */
#define INIT_PID_NS	0xeffffffcU

/* Of a process: TASK_COMM_LEN of the kernel, without the end. */
#define COMM_LEN	15

/*
 * Whether all processes are to be seen: /proc is that of the initial PID namespace,
 * and the caller may look into its init, so that hidepid= hides none from it.
 */
static bool sees_all(void)
{
	struct stat st;

	return !stat("/proc/1/ns/pid", &st) && st.st_ino == INIT_PID_NS;
}

static int add_task(struct procs *procs, int pid)
{
	struct proc_task *task;
	char path[64];
	ssize_t len = 0;
	int fd;

	if (array_grow((void **)&procs->tasks, procs->num_tasks,
		       &procs->size_tasks, sizeof(*procs->tasks)))
		return -ENOMEM;
	task = &procs->tasks[procs->num_tasks++];
	task->pid = pid;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, task->comm, sizeof(task->comm));
		close(fd);
	}
	/* The name ends in a newline, and can hold others. */
	task->comm[len > 0 ? len - 1 : 0] = '\0';
	return 0;
}

static int add_fd(struct procs *procs, struct sock *sk, int fd)
{
	struct proc_fd *entry;
	uint32_t i = procs->num_fds;

	if (array_grow((void **)&procs->fds, procs->num_fds, &procs->size_fds,
		       sizeof(*procs->fds)))
		return -ENOMEM;
	entry = &procs->fds[procs->num_fds++];
	entry->task = procs->num_tasks - 1;
	entry->fd = fd;
	entry->next = PROC_NONE;

	if (sk->procs.first == PROC_NONE)
		sk->procs.first = i;
	else
		procs->fds[sk->procs.last].next = i;
	sk->procs.last = i;
	return 0;
}

/* The inode of a descriptor that is a socket, else 0. */
static uint32_t socket_inode(int dirfd, const char *name)
{
	static const char prefix[] = "socket:[";
	char link[64];
	ssize_t len;

	len = readlinkat(dirfd, name, link, sizeof(link) - 1);
	if (len < 0)
		return 0;
	link[len] = '\0';
	if (strncmp(link, prefix, sizeof(prefix) - 1))
		return 0;
	return strtoul(link + sizeof(prefix) - 1, NULL, 10);
}

/* Look for sockets among the descriptors of one process. */
static int scan_task(struct procs *procs, struct sock_list *list,
		     const struct map *by_inode, int pid)
{
	bool known = false;
	struct dirent *d;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir) {
		/* Not ours to see, or gone. */
		if (errno != ENOENT && errno != ESRCH)
			procs->complete = false;
		return errno == ENOMEM ? -ENOMEM : 0;
	}

	while (!ret && (d = readdir(dir))) {
		uint32_t inode, i = MAP_NONE;

		/* "." and ".." are no links either. */
		inode = socket_inode(dirfd(dir), d->d_name);
		if (inode)
			i = map_get(by_inode, inode);
		if (i == MAP_NONE)
			continue;
		if (!known)
			ret = add_task(procs, pid);
		known = true;
		if (!ret)
			ret = add_fd(procs, &list->v[i], atoi(d->d_name));
	}
	closedir(dir);
	return ret;
}

int procs_find(struct procs *procs, struct sock_list *list)
{
	struct map by_inode;
	struct dirent *d;
	int ret = 0;
	DIR *dir;
	size_t i;

	memset(procs, 0, sizeof(*procs));
	procs->known = true;
	procs->complete = sees_all();
	if (map_init(&by_inode, list->n))
		return err_no_memory();
	for (i = 0; i < list->n; i++) {
		list->v[i].procs.first = PROC_NONE;
		if (list->v[i].inode)
			map_set(&by_inode, list->v[i].inode, i);
	}

	dir = list->n ? opendir("/proc") : NULL;
	if (!dir && list->n && errno == ENOMEM)
		ret = -ENOMEM;
	while (dir && !ret && (d = readdir(dir)))
		if (isdigit((unsigned char)*d->d_name))
			ret = scan_task(procs, list, &by_inode,
					atoi(d->d_name));
	if (dir)
		closedir(dir);
	map_free(&by_inode);
	return ret ? err_no_memory() : 0;
}

/* The kernel cuts names off: what is as long as one can be may go on. */
bool comm_is(const char *comm, const char *name)
{
	size_t len = strlen(comm);

	return len == COMM_LEN ? !strncmp(comm, name, len) :
				 !strcmp(comm, name);
}

static bool is_process(const struct proc_task *task, const char *process)
{
	char pid[NUMBER_STRLEN];

	return comm_is(task->comm, process) ||
	       !strcmp(number_str(task->pid, pid), process);
}

bool procs_has(const struct procs *procs, const struct sock *sk,
	       const char *process)
{
	uint32_t i;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next)
		if (is_process(&procs->tasks[procs->fds[i].task], process))
			return true;
	return false;
}

void procs_free(struct procs *procs)
{
	free(procs->fds);
	free(procs->tasks);
	memset(procs, 0, sizeof(*procs));
}
