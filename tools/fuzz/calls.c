// SPDX-License-Identifier: GPL-2.0
/* Calls of dsctl's, and of its libraries, that may be made to fail. */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault.h"

/* The next below: the sanitizer's, or libc's. */
#define NEXT(name)	((typeof(name) *)dlsym(RTLD_NEXT, #name))

int open(const char *path, int flags, ...)
{
	mode_t mode;
	va_list ap;

	/* It is not looked at where nothing is made. */
	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return fault_call_fails() ? -1 : NEXT(open)(path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
	return fault_call_fails() ? NULL : NEXT(fopen)(path, mode);
}

FILE *fdopen(int fd, const char *mode)
{
	return fault_call_fails() ? NULL : NEXT(fdopen)(fd, mode);
}

DIR *opendir(const char *path)
{
	return fault_call_fails() ? NULL : NEXT(opendir)(path);
}

int lstat(const char *path, struct stat *st)
{
	return fault_call_fails() ? -1 : NEXT(lstat)(path, st);
}

int fstat(int fd, struct stat *st)
{
	return fault_call_fails() ? -1 : NEXT(fstat)(fd, st);
}

int fstatat(int dir, const char *path, struct stat *st, int flags)
{
	return fault_call_fails() ? -1 : NEXT(fstatat)(dir, path, st, flags);
}

ssize_t readlink(const char *path, char *buf, size_t size)
{
	return fault_call_fails() ? -1 : NEXT(readlink)(path, buf, size);
}

int mkostemp(char *path, int flags)
{
	return fault_call_fails() ? -1 : NEXT(mkostemp)(path, flags);
}

int fchown(int fd, uid_t uid, gid_t gid)
{
	return fault_call_fails() ? -1 : NEXT(fchown)(fd, uid, gid);
}

int fchmod(int fd, mode_t mode)
{
	return fault_call_fails() ? -1 : NEXT(fchmod)(fd, mode);
}

int fsync(int fd)
{
	return fault_call_fails() ? -1 : NEXT(fsync)(fd);
}

int rename(const char *from, const char *to)
{
	return fault_call_fails() ? -1 : NEXT(rename)(from, to);
}

int setns(int fd, int type)
{
	return fault_call_fails() ? -1 : NEXT(setns)(fd, type);
}

int socket(int family, int type, int protocol)
{
	return fault_call_fails() ? -1 : NEXT(socket)(family, type, protocol);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	return fault_call_fails() ? -1 : NEXT(sendmsg)(fd, msg, flags);
}

unsigned int if_nametoindex(const char *name)
{
	return fault_call_fails() ? 0 : NEXT(if_nametoindex)(name);
}

char *if_indextoname(unsigned int index, char name[IF_NAMESIZE])
{
	return fault_call_fails() ? NULL : NEXT(if_indextoname)(index, name);
}
