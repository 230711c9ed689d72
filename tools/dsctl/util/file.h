/* SPDX-License-Identifier: GPL-2.0 */
/* Small files, of /proc for the most part. */
#ifndef DSCTL_FILE_H
#define DSCTL_FILE_H

#include <stddef.h>
#include <sys/types.h>

/**
 * file_start() - Read the beginning of a file.
 * @path: its name.
 * @buf: filled with a string, empty where nothing was read.
 * @size: of @buf, at least one byte.
 *
 * Return: how many bytes were read, 0 also where there is no such file; -1 with errno
 *	   set if it cannot be read.
 */
ssize_t file_start(const char *path, char *buf, size_t size);

#endif /* DSCTL_FILE_H */
