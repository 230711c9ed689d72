/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages on stderr, and who prints them.
 *
 * Each failure is told once, by the lowest function that knows what was wanted in
 * the words of the user. What a function returns says whether that has been done:
 *
 * - A negative errno, or NULL, false and a mark such as struct text's @failed:
 *   nothing was said. The caller says it, or hands it on. These are the functions
 *   that do not know what they are used for: util/, what fills a text, a table or a
 *   JSON value, and the transport, dsnl_request().
 * - -1: a message was printed. The caller frees what it has and returns -1 or
 *   EXIT_KERNEL, without another word. These are the functions that get something
 *   from the kernel or from the command line.
 * - An enum exit_code: a message was printed unless it is EXIT_OK or EXIT_FOUND.
 *   These are the functions that print, and those of a command.
 *
 * "Return:" of each function names the one of these that it is. These are different:
 *
 * - That stdout cannot be written to is reported once, at the very end, by main(),
 *   as some errors only show then. Functions that find out before return a failure
 *   without a message.
 * - A warning is about something that succeeded, and begins so; it is printed where
 *   it is found.
 * - A batch says which line failed, besides what the command says.
 * - In a file of its own around system calls, as save.c is, static functions return
 *   -1 and leave errno, as those do.
 */
#ifndef DSCTL_ERR_H
#define DSCTL_ERR_H

#include "util/compiler.h"

/**
 * enum exit_code - The exit statuses of dsctl.
 * @EXIT_OK: done.
 * @EXIT_USAGE: the command line is wrong, the kernel was not asked.
 * @EXIT_KERNEL: the kernel said no, or the answer could not be had or written.
 * @EXIT_FOUND: done, and an audit found what it looks for.
 */
enum exit_code {
	EXIT_OK,
	EXIT_USAGE,
	EXIT_KERNEL,
	EXIT_FOUND,
};

/**
 * exit_worse() - The status of two things done.
 * @a: of the one.
 * @b: of the other.
 *
 * Return: the one that matters more: success matters least, and of the others
 *	   each more than the next.
 */
int exit_worse(int a, int b);

/**
 * err() - Print a message on stderr, with the name of the program before it.
 * @fmt: as in printf(), without a newline.
 */
__printf(1, 2) void err(const char *fmt, ...);

/**
 * err_no_memory() - Say that there is no memory.
 *
 * Return: -1, for the caller to return.
 */
int err_no_memory(void);

#endif /* DSCTL_ERR_H */
