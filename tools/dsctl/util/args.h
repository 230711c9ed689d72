/* SPDX-License-Identifier: GPL-2.0 */
/* Words of the command line that several commands understand. */
#ifndef DSCTL_ARGS_H
#define DSCTL_ARGS_H

#include <stdint.h>

#define ARG_ON_OFF "{ on | off }"

/**
 * arg_number() - Read a number.
 * @what: what it is for, the start of an error message.
 * @word: the word.
 * @min: the smallest one allowed.
 * @max: the largest one allowed.
 * @number: result.
 *
 * Return: 0, or -1 after a message.
 */
int arg_number(const char *what, const char *word, uint64_t min, uint64_t max,
	       uint64_t *number);

/**
 * arg_on_off() - Read "on" or "off".
 * @what: what it is for, the start of an error message.
 * @word: the word.
 *
 * Return: 1 or 0, or -1 after a message.
 */
int arg_on_off(const char *what, const char *word);

/**
 * arg_single() - See to it that there is one argument.
 * @what: what it is for, the start of an error message.
 * @argc: number of arguments.
 * @argv: the arguments.
 *
 * Return: 0, or -1 after a message.
 */
int arg_single(const char *what, int argc, char **argv);

#endif /* DSCTL_ARGS_H */
