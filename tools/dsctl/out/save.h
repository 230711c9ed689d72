/* SPDX-License-Identifier: GPL-2.0 */
/* Files that are replaced as a whole. */
#ifndef DSCTL_SAVE_H
#define DSCTL_SAVE_H

#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

/* What a temporary file is called: no name that anybody looks for. */
#define SAVE_TEMPLATE	".dsctl-XXXXXX"

/**
 * struct save - A file while it is written.
 * @f: where to write to.
 * @name: its name as it was given.
 * @path: its name with a symbolic link followed.
 * @tmp: name of the temporary file beside it, empty if there is none.
 * @made: an empty file was made at the end of a symbolic link.
 * @nameless: a link, as of /proc, led to a file that was removed.
 * @signals: those that were blocked before.
 */
struct save {
	FILE *f;
	const char *name;
	char path[PATH_MAX];
	char tmp[PATH_MAX + sizeof(SAVE_TEMPLATE)];
	bool made;
	bool nameless;
	sigset_t signals;
};

/**
 * save_begin() - Open a file for writing.
 * @save: filled in.
 * @name: its name; it need not be there.
 *
 * A regular file is written under another name in the same directory, with mode and
 * owner of the one that is there. Anything else, as a device or a FIFO, is written to
 * as it is.
 *
 * Return: an enum exit_code, after a message unless it is EXIT_OK.
 */
int save_begin(struct save *save, const char *name);

/**
 * save_end() - Close the file, and put it in the place of the old one.
 * @save: the file.
 *
 * Where it was not written whole, the old one stays.
 *
 * Return: an enum exit_code, after a message unless it is EXIT_OK.
 */
int save_end(struct save *save);

#endif /* DSCTL_SAVE_H */
