// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "socks/walk.h"
#include "util/array.h"

/* The inode number of the initial PID namespace: PROC_PID_INIT_INO of the kernel. */
#define INIT_PID_NS	0xeffffffcU

bool walk_sees_all(void)
{
	struct stat st;

	return !stat("/proc/1/ns/pid", &st) && st.st_ino == INIT_PID_NS;
}

/* What is not ours to see, in contrast to what has just gone. */
static void passed_over(struct walk *walk)
{
	if (errno != ENOENT && errno != ESRCH)
		walk->complete = false;
}

static int add_fd(struct walk *walk, uint32_t inode, int pid, int fd)
{
	if (array_grow((void **)&walk->fds, walk->num_fds, &walk->size_fds,
		       sizeof(*walk->fds)))
		return -ENOMEM;
	walk->fds[walk->num_fds++] = (struct walk_fd) {
		.inode = inode,
		.next = MAP_NONE,
		.pid = pid,
		.fd = fd,
	};
	return 0;
}

/* The inode of a descriptor that is a socket, else 0. */
static uint32_t socket_inode(struct walk *walk, int dirfd, const char *name)
{
	static const char prefix[] = "socket:[";
	char link[64];
	ssize_t len;

	len = readlinkat(dirfd, name, link, sizeof(link) - 1);
	if (len < 0) {
		passed_over(walk);
		return 0;
	}
	link[len] = '\0';
	if (strncmp(link, prefix, sizeof(prefix) - 1))
		return 0;
	return strtoul(link + sizeof(prefix) - 1, NULL, 10);
}

/* Look for sockets among the descriptors of one process. */
static int look_into(struct walk *walk, int pid)
{
	struct dirent *d;
	char path[64];
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir) {
		passed_over(walk);
		return errno == ENOMEM ? -ENOMEM : 0;
	}

	while (!ret && (d = readdir(dir))) {
		uint32_t inode;

		if (!isdigit((unsigned char)*d->d_name))
			continue;
		inode = socket_inode(walk, dirfd(dir), d->d_name);
		if (inode)
			ret = add_fd(walk, inode, pid, atoi(d->d_name));
	}
	closedir(dir);
	return ret;
}

static int look_at_all(struct walk *walk)
{
	struct dirent *d;
	int ret = 0;
	DIR *dir;

	dir = opendir("/proc");
	if (!dir) {
		walk->complete = false;
		return errno == ENOMEM ? -ENOMEM : 0;
	}
	while (!ret && (d = readdir(dir)))
		if (isdigit((unsigned char)*d->d_name))
			ret = look_into(walk, atoi(d->d_name));
	closedir(dir);
	return ret;
}

/* From the last to the first, so that the first of a socket heads its chain. */
static int chain(struct walk *walk)
{
	size_t i = walk->num_fds;

	if (map_init(&walk->by_inode, i))
		return -ENOMEM;
	while (i--)
		walk->fds[i].next = map_swap(&walk->by_inode, walk->fds[i].inode,
					     i);
	return 0;
}

int walk_do(struct walk *walk)
{
	memset(walk, 0, sizeof(*walk));
	walk->complete = walk_sees_all();
	if (look_at_all(walk) || chain(walk)) {
		walk_free(walk);
		return -ENOMEM;
	}
	walk->done = true;
	return 0;
}

void walk_free(struct walk *walk)
{
	map_free(&walk->by_inode);
	free(walk->fds);
	memset(walk, 0, sizeof(*walk));
}
