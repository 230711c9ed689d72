// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "out/err.h"
#include "out/screen.h"
#include "out/stream.h"
#include "out/text.h"

/* A path, and what is wrong with it. */
#define MAX_MESSAGE	(PATH_MAX + 1024)

int exit_worse(int a, int b)
{
	if (!a || !b)
		return a + b;
	return a < b ? a : b;
}

/*
 * Names in it can hold anything, so it is escaped. Where there is no memory for that,
 * the format alone has to do.
 */
void err(const char *fmt, ...)
{
	struct text text = { };
	char str[MAX_MESSAGE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(str, sizeof(str), fmt, ap);
	va_end(ap);
	text_escape(&text, str);

	if (!screen_message(text.buf ? text.buf : fmt)) {
		/* If both go to one place, what was printed before comes first. */
		out_flush();
		fprintf(stderr, "dsctl: %s\n", text.buf ? text.buf : fmt);
	}
	free(text.buf);
}

int err_no_memory(void)
{
	err("out of memory");
	return -1;
}
