// SPDX-License-Identifier: GPL-2.0
/* -n NETNS: run the command in another network namespace. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "dsctl.h"

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

	/* A name goes before a process: somebody chose it. */
	fd = open_in(NETNS_RUN_DIR, name, "");
	if (fd < 0 && errno == ENOENT && *name &&
	    strspn(name, "0123456789") == strlen(name))
		fd = open_in("/proc", name, "/ns/net");
	return fd;
}

int netns_enter(void)
{
	static bool entered;
	int fd, ret;

	if (!opts.netns || entered)
		return 0;

	fd = netns_open(opts.netns);
	if (fd < 0) {
		err("cannot open network namespace \"%s\": %s", opts.netns,
		    strerror(errno));
		return -1;
	}
	ret = setns(fd, CLONE_NEWNET);
	if (ret)
		err("cannot enter network namespace \"%s\": %s", opts.netns,
		    strerror(errno));
	close(fd);
	entered = !ret;
	return ret;
}
