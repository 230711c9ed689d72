// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out/err.h"
#include "out/save.h"

#define NEW_MODE	0666	/* less the umask */
#define MODE_BITS	0777

static int fail(const struct save *save, const char *what)
{
	err("cannot %s \"%s\": %s", what, save->name, strerror(errno));
	return EXIT_KERNEL;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/*
 * The kernel follows a link, and says where that led: then it is the kernel that
 * refuses another user's link in /tmp (fs.protected_symlinks). A file that is not
 * there yet is made, as by the redirection of a shell.
 */
static int follow(struct save *save, struct stat *st)
{
	char proc[64];
	ssize_t len;
	int fd;

	fd = open(save->name, O_PATH | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		fd = open(save->name, O_WRONLY | O_CREAT | O_CLOEXEC, NEW_MODE);
		save->made = fd >= 0;
	}
	if (fd < 0)
		return -1;
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	len = readlink(proc, save->path, sizeof(save->path) - 1);
	if (len < 0 || fstat(fd, st)) {
		close(fd);
		return -1;
	}
	save->nameless = !st->st_nlink;
	save->path[len] = '\0';
	close(fd);
	return 0;
}

/*
 * Look at the file that is there now; its mode is set to 0 if there is none. One that
 * somebody is about to replace has no link any more, for as long as he does not run:
 * what is replaced is the name all the same.
 */
static int look(struct save *save, struct stat *st)
{
	if (snprintf(save->path, sizeof(save->path), "%s", save->name) >=
	    (int)sizeof(save->path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!lstat(save->name, st))
		return S_ISLNK(st->st_mode) ? follow(save, st) : 0;
	st->st_mode = 0;
	return errno == ENOENT ? 0 : -1;
}

/*
 * Whether to replace the file: a regular one, unless stdout goes to it (as
 * /dev/stdout), as it has what was printed before.
 */
static bool is_replaceable(const struct save *save, const struct stat *st)
{
	struct stat out;

	if (!st->st_mode)
		return true;
	return S_ISREG(st->st_mode) && !save->nameless &&
	       (fstat(STDOUT_FILENO, &out) || !is_same(st, &out));
}

static int open_directly(struct save *save, const struct stat *st)
{
	struct stat now;
	int fd;

	if (S_ISREG(st->st_mode))
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	else
		fd = open(save->name, O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/*
	 * If another file has taken its place since, that is not to be overwritten.
	 */
	if (!fstat(fd, &now) && is_same(st, &now))
		return fd;
	close(fd);
	errno = ESTALE;
	return -1;
}

/*
 * Give the new file mode and owner of the old one, as far as rights and the file
 * system allow; without an old one, those that any new file has. mkostemp() lets
 * nobody else read it.
 */
static int take_over(int fd, const struct stat *st)
{
	mode_t mode = st->st_mode & MODE_BITS;

	if (!st->st_mode) {
		mode = umask(0);
		umask(mode);
		mode = NEW_MODE & ~mode;
	} else if (fchown(fd, st->st_uid, st->st_gid) &&
		   fchown(fd, -1, st->st_gid) && errno != EPERM) {
		return -1;
	}
	return fchmod(fd, mode) && errno != EPERM ? -1 : 0;
}

/* In the same directory, for a file cannot be renamed into another file system. */
static int open_temporary(struct save *save, const struct stat *st)
{
	const char *slash = strrchr(save->path, '/');
	int fd;

	snprintf(save->tmp, sizeof(save->tmp), "%.*s" SAVE_TEMPLATE,
		 slash ? (int)(slash + 1 - save->path) : 0, save->path);
	fd = mkostemp(save->tmp, O_CLOEXEC);
	if (fd < 0) {
		*save->tmp = '\0';
		return -1;
	}
	if (!take_over(fd, st))
		return fd;
	close(fd);
	return -1;
}

/*
 * Remove what there is of a file that could not be written. Signals are blocked
 * meanwhile, so that only SIGKILL leaves it there.
 */
static void discard(const struct save *save)
{
	if (*save->tmp)
		unlink(save->tmp);
	if (save->made)
		unlink(save->path);
}

int save_begin(struct save *save, const char *name)
{
	const char *what = "write";
	struct stat st = { };
	sigset_t all;
	int fd, ret;

	memset(save, 0, sizeof(*save));
	save->name = name;
	sigprocmask(SIG_SETMASK, NULL, &save->signals);
	/* A file that becomes too large is an error like others. */
	signal(SIGXFSZ, SIG_IGN);

	fd = look(save, &st);
	if (!fd && is_replaceable(save, &st)) {
		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		what = "write a temporary file beside";
		fd = open_temporary(save, &st);
	} else if (!fd) {
		fd = open_directly(save, &st);
	}
	if (fd >= 0)
		save->f = fdopen(fd, "w");
	if (save->f)
		return EXIT_OK;

	ret = fail(save, what);
	if (fd >= 0)
		close(fd);
	discard(save);
	sigprocmask(SIG_SETMASK, &save->signals, NULL);
	return ret;
}

/* So that the new name outlasts a power failure; not every file system can. */
static int sync_directory(const struct save *save)
{
	char dir[PATH_MAX] = ".";
	const char *slash;
	int fd, ret;

	slash = strrchr(save->path, '/');
	if (slash)
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash + 1 - save->path),
			 save->path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ret = fsync(fd);
	if (ret && errno == EINVAL)
		ret = 0;
	close(fd);
	return ret;
}

int save_end(struct save *save)
{
	int ret = EXIT_OK;

	if (fflush(save->f) || ferror(save->f) ||
	    (*save->tmp && fsync(fileno(save->f)))) {
		ret = fail(save, "write");
		fclose(save->f);
	} else if (fclose(save->f) ||
		   (*save->tmp && rename(save->tmp, save->path))) {
		ret = fail(save, "write");
	} else if (*save->tmp && sync_directory(save)) {
		/* The new file is in its place all the same. */
		ret = fail(save, "write");
		*save->tmp = '\0';
		save->made = false;
	}
	if (ret)
		discard(save);
	sigprocmask(SIG_SETMASK, &save->signals, NULL);
	return ret;
}
