// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out/err.h"
#include "socks/procs.h"
#include "socks/walk.h"
#include "util/array.h"
#include "util/number.h"

/* Of a process: TASK_COMM_LEN of the kernel, without the end. */
#define COMM_LEN	15

/* procs_keep(): the walk, once it was done. */
static struct walk kept;
static bool keeping;

static void read_comm(struct proc_task *task)
{
	ssize_t len = 0;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", task->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, task->comm, sizeof(task->comm));
		close(fd);
	}
	/* The name ends in a newline, and can hold others. */
	task->comm[len > 0 ? len - 1 : 0] = '\0';
}

static int add_task(struct procs *procs, int pid)
{
	struct proc_task *task;

	if (array_grow((void **)&procs->tasks, procs->num_tasks,
		       &procs->size_tasks, sizeof(*procs->tasks)))
		return -ENOMEM;
	task = &procs->tasks[procs->num_tasks++];
	task->pid = pid;
	read_comm(task);
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

/**
 * struct use - A descriptor of one of the sockets.
 * @fd: index in the walk.
 * @sk: index in the list.
 */
struct use {
	uint32_t fd;
	uint32_t sk;
};

static int compare_uses(const void *pa, const void *pb)
{
	const struct use *a = pa, *b = pb;

	return (a->fd > b->fd) - (a->fd < b->fd);
}

/**
 * struct uses - The descriptors of the sockets of a list.
 * @v: these, in the order of the walk.
 * @n: how many.
 * @size: for how many there is room.
 * @lonely: there are sockets without any.
 */
struct uses {
	struct use *v;
	size_t n;
	size_t size;
	bool lonely;
};

static int add_use(struct uses *uses, uint32_t fd, uint32_t sk)
{
	if (array_grow((void **)&uses->v, uses->n, &uses->size,
		       sizeof(*uses->v)))
		return -ENOMEM;
	uses->v[uses->n++] = (struct use) { fd, sk };
	return 0;
}

/* Only the sockets of the list are looked at, however many others there are. */
static int find_uses(struct uses *uses, const struct sock_list *list,
		     const struct walk *walk)
{
	uint32_t fd;
	size_t i;

	uses->n = 0;
	uses->lonely = false;
	for (i = 0; i < list->n; i++) {
		if (!list->v[i].inode)
			continue;
		fd = map_get(&walk->by_inode, list->v[i].inode);
		uses->lonely |= fd == MAP_NONE;
		for (; fd != MAP_NONE; fd = walk->fds[fd].next)
			if (add_use(uses, fd, i))
				return -ENOMEM;
	}
	if (uses->n)
		qsort(uses->v, uses->n, sizeof(*uses->v), compare_uses);
	return 0;
}

/*
 * A socket that no process had when they were looked at is the kernel's own, or came
 * later: a walk that was kept is done anew for these.
 */
static int find(struct uses *uses, const struct sock_list *list,
		struct walk *walk)
{
	bool was_kept = walk->done;

	if (!was_kept && walk_do(walk))
		return -ENOMEM;
	if (find_uses(uses, list, walk))
		return -ENOMEM;
	if (!was_kept || !uses->lonely)
		return 0;
	walk_free(walk);
	return walk_do(walk) ? -ENOMEM : find_uses(uses, list, walk);
}

/* By the walk, those of a process are side by side. */
static int add_uses(struct procs *procs, struct sock_list *list,
		    const struct walk *walk, const struct uses *uses)
{
	size_t i;
	int pid = 0;

	for (i = 0; i < uses->n; i++) {
		const struct walk_fd *fd = &walk->fds[uses->v[i].fd];

		if (fd->pid != pid && add_task(procs, fd->pid))
			return -ENOMEM;
		pid = fd->pid;
		if (add_fd(procs, &list->v[uses->v[i].sk], fd->fd))
			return -ENOMEM;
	}
	return 0;
}

int procs_find(struct procs *procs, struct sock_list *list)
{
	struct walk own = { }, *walk = keeping ? &kept : &own;
	struct uses uses = { };
	size_t i;
	int ret;

	memset(procs, 0, sizeof(*procs));
	procs->known = true;
	for (i = 0; i < list->n; i++)
		list->v[i].procs.first = PROC_NONE;
	if (!list->n) {
		procs->complete = walk_sees_all();
		return 0;
	}
	ret = find(&uses, list, walk);
	if (!ret) {
		procs->complete = walk->complete;
		ret = add_uses(procs, list, walk, &uses);
	}
	free(uses.v);
	walk_free(&own);
	return ret ? err_no_memory() : 0;
}

void procs_keep(void)
{
	keeping = true;
}

void procs_forget(void)
{
	keeping = false;
	walk_free(&kept);
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
