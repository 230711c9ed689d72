// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netns.h"
#include "out/err.h"
#include "util/array.h"

#define NETNS_RUN_DIR "/run/netns"	/* where `ip netns` keeps its names */

static int open_in(const char *dir, const char *name, const char *file)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s%s", dir, name, file) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int netns_open(const char *name)
{
	int fd;

	if (strchr(name, '/'))
		return open(name, O_RDONLY | O_CLOEXEC);

	/* A number can be a name, too: that comes first, since somebody chose it. */
	fd = open_in(NETNS_RUN_DIR, name, "");
	if (fd < 0 && errno == ENOENT && *name &&
	    strspn(name, "0123456789") == strlen(name))
		fd = open_in("/proc", name, "/ns/net");
	return fd;
}

int netns_enter(const char *name)
{
	int fd, ret;

	fd = netns_open(name);
	if (fd < 0) {
		err("cannot open network namespace \"%s\": %s", name,
		    strerror(errno));
		return -1;
	}
	ret = setns(fd, CLONE_NEWNET);
	if (ret)
		err("cannot enter network namespace \"%s\": %s", name,
		    strerror(errno));
	close(fd);
	return ret;
}

/**
 * struct netns - A network namespace.
 * @name: as -n takes it, empty for the caller's own if that has none.
 * @dev: device number of its file.
 * @ino: inode number of its file: together they tell it from all others.
 */
struct netns {
	char name[NAME_MAX + 1];
	dev_t dev;
	ino_t ino;
};

/**
 * struct netns_list - The network namespaces that were found.
 * @v: the namespaces, the caller's own first.
 * @n: how many.
 * @size: for how many there is room.
 * @hidden: processes whose namespace the caller may not see.
 */
struct netns_list {
	struct netns *v;
	size_t n;
	size_t size;
	unsigned int hidden;
};

static bool is_same(int fd, const struct netns *ns)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_dev == ns->dev && st.st_ino == ns->ino;
}

/*
 * Each namespace is in the list once. The caller's own comes first and without a
 * name, and gets one if it is found by a name later. Of several names the first is
 * kept.
 */
static int add(struct netns_list *list, const char *name, const struct stat *st)
{
	struct netns *ns;
	size_t i;

	for (i = 0; i < list->n; i++) {
		ns = &list->v[i];
		if (ns->dev != st->st_dev || ns->ino != st->st_ino)
			continue;
		if (!*ns->name)
			snprintf(ns->name, sizeof(ns->name), "%s", name);
		return 0;
	}

	if (array_grow((void **)&list->v, list->n, &list->size,
		       sizeof(*list->v)))
		return err_no_memory();
	ns = &list->v[list->n++];
	ns->dev = st->st_dev;
	ns->ino = st->st_ino;
	snprintf(ns->name, sizeof(ns->name), "%s", name);
	return 0;
}

/* A directory that cannot be read counts as empty, unless memory is what is missing. */
static int no_dir(void)
{
	if (errno != ENOMEM)
		return 0;
	return err_no_memory();
}

static int add_named(struct netns_list *list)
{
	DIR *dir = opendir(NETNS_RUN_DIR);
	struct dirent *d;
	struct stat st;
	int ret = 0;

	if (!dir)
		ret = no_dir();
	while (dir && !ret && (d = readdir(dir)))
		if (*d->d_name != '.' &&
		    !fstatat(dirfd(dir), d->d_name, &st, 0))
			ret = add(list, d->d_name, &st);
	if (dir)
		closedir(dir);
	return ret;
}

static int add_processes(struct netns_list *list)
{
	struct stat st, own = { };
	struct dirent *d;
	char path[64];
	int ret = 0;
	DIR *dir;

	stat("/proc/self/ns/net", &own);
	dir = opendir("/proc");
	if (!dir)
		ret = no_dir();
	while (dir && !ret && (d = readdir(dir))) {
		if (!isdigit((unsigned char)*d->d_name))
			continue;
		snprintf(path, sizeof(path), "%.20s/ns/net", d->d_name);
		if (fstatat(dirfd(dir), path, &st, 0))
			list->hidden += errno == EACCES || errno == EPERM;
		else if (st.st_dev != own.st_dev || st.st_ino != own.st_ino)
			ret = add(list, d->d_name, &st);
	}
	if (dir)
		closedir(dir);
	return ret;
}

static int find_all(struct netns_list *list, int own, bool tell)
{
	struct stat st;

	if (fstat(own, &st)) {
		err("cannot tell the own network namespace: %s",
		    strerror(errno));
		return -1;
	}
	if (add(list, "", &st) || add_named(list) || add_processes(list))
		return -1;
	if (tell && list->hidden)
		err("passed over %u processes: their network namespaces cannot be seen",
		    list->hidden);
	return 0;
}

/* A name, and even more a PID, may stand for another namespace by now. */
static int enter(const struct netns *ns)
{
	int fd = netns_open(ns->name), ret = -1;

	if (fd < 0)
		return -1;
	if (is_same(fd, ns))
		ret = setns(fd, CLONE_NEWNET);
	else
		errno = ENOENT;
	close(fd);
	return ret;
}

/* The caller's own comes first and is not entered, which would take rights. */
static int run_in(const struct netns_list *list, bool tell, netns_run_t run,
		  void *arg)
{
	int ret = EXIT_OK;
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct netns *ns = &list->v[i];

		if (i && enter(ns)) {
			if (tell)
				err("passed over network namespace \"%s\": %s",
				    ns->name, strerror(errno));
			continue;
		}
		ret = exit_worse(ret, run(*ns->name ? ns->name : NULL, arg));
	}
	return ret;
}

int netns_each(bool tell, netns_run_t run, void *arg)
{
	struct netns_list list = { };
	int own, ret = EXIT_KERNEL;

	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0) {
		err("cannot open the own network namespace: %s",
		    strerror(errno));
		return EXIT_KERNEL;
	}
	if (find_all(&list, own, tell))
		goto out;

	ret = run_in(&list, tell, run, arg);

	/* EPERM: a caller that may enter no namespace has not left its own. */
	if (setns(own, CLONE_NEWNET) && errno != EPERM) {
		err("cannot return to the own network namespace: %s",
		    strerror(errno));
		ret = EXIT_KERNEL;
	}
out:
	close(own);
	free(list.v);
	return ret;
}
