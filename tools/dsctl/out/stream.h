/* SPDX-License-Identifier: GPL-2.0 */
/* stdout: whether it is there, and whether what was printed has been written. */
#ifndef DSCTL_STREAM_H
#define DSCTL_STREAM_H

#include <stdbool.h>
#include <stddef.h>

/**
 * out_init() - Keep the numbers of stdin, stdout and stderr from other files.
 *
 * Using one that was closed is an error from then on.
 *
 * Return: 0 or a negative errno; there may be no place to print a message.
 */
int out_init(void);

/**
 * out_is_open() - Whether stdout is there to be written to.
 *
 * This is for commands that wait before the first write.
 *
 * Return: false if not; out_close() will say so.
 */
bool out_is_open(void);

/**
 * out_hung_up() - Take note that the reader of stdout has gone.
 */
void out_hung_up(void);

/**
 * out_flush() - Have what was printed written.
 *
 * Return: true, or false if that failed; out_close() will say why.
 */
bool out_flush(void);

/**
 * out_no_memory() - Take note that there was no memory for what is to be printed.
 */
void out_no_memory(void);

/**
 * out_failed() - Whether a write to stdout has failed.
 *
 * Return: true if so; out_close() will say why.
 */
bool out_failed(void);

/**
 * out_width() - How wide the terminal is that stdout is.
 *
 * Return: in columns, as COLUMNS of the environment says or else the terminal; 0 if
 *	   it is not known, or stdout is none.
 */
size_t out_width(void);

/**
 * out_close() - Write out and close stdout.
 *
 * Return: 0, or a negative errno of the first write that failed.
 */
int out_close(void);

#endif /* DSCTL_STREAM_H */
