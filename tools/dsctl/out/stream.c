// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "out/stream.h"
#include "util/array.h"

/*
 * Why stdout failed, kept for the end, when errno is long gone. Global, as stdout
 * is.
 */
static int out_errno;
static bool closed;

/*
 * The next file or socket that is opened gets the lowest number that is free. If
 * stdout was closed, what is printed would go there. So each of the three that is
 * closed is opened here, for the other direction: then each use of it is an error.
 */
int out_init(void)
{
	static const int modes[] = {
		[STDIN_FILENO] = O_WRONLY,
		[STDOUT_FILENO] = O_RDONLY,
		[STDERR_FILENO] = O_RDONLY,
	};
	int fd;

	for (fd = 0; fd < (int)ARRAY_SIZE(modes); fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			return -EBADF;
	return 0;
}

bool out_is_open(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY)
		return true;
	out_errno = EBADF;
	return false;
}

void out_hung_up(void)
{
	out_errno = EPIPE;
}

void out_no_memory(void)
{
	out_errno = ENOMEM;
}

bool out_failed(void)
{
	if (closed || !ferror(stdout))
		return false;
	if (!out_errno)
		out_errno = errno ? errno : EIO;
	return true;
}

bool out_flush(void)
{
	if (!closed)
		fflush(stdout);
	return !out_failed();
}

/* Whoever sets COLUMNS wants another width than the terminal has, as of ps(1). */
size_t out_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int n;

	if (!isatty(STDOUT_FILENO))
		return 0;
	n = columns ? atoi(columns) : 0;
	if (n > 0)
		return n;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

int out_close(void)
{
	bool failed = out_failed() || out_errno;

	/* A full disk can show itself as late as here. */
	if (fclose(stdout) && !failed) {
		out_errno = errno;
		failed = true;
	}
	closed = true;
	return failed ? -out_errno : 0;
}
