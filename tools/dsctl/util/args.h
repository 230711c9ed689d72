/* SPDX-License-Identifier: GPL-2.0 */
/* Words of the command line that several commands understand. */
#ifndef DSCTL_ARGS_H
#define DSCTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARG_ON_OFF "{ on | off }"

/**
 * word_abbreviates() - Whether a word is the beginning of a name, or all of it.
 * @word: the word; an empty one abbreviates nothing.
 * @name: the name.
 *
 * Return: true if so.
 */
bool word_abbreviates(const char *word, const char *name);

/**
 * word_match() - Find the one name that a word is, or abbreviates.
 * @what: what the word is for, the start of an error message.
 * @word: the word.
 * @names: the choices.
 * @n: how many.
 *
 * Return: an index, or -1 after a message.
 */
int word_match(const char *what, const char *word, const char *const *names,
	       size_t n);

/**
 * err_names() - Say that a word is none of some names.
 * @what: what the word is for, the start of the message.
 * @word: the word.
 * @problem: what is wrong with it.
 * @names: the choices.
 * @n: how many.
 */
void err_names(const char *what, const char *word, const char *problem,
	       const char *const *names, size_t n);

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
 * arg_seconds() - Read a time, in seconds with or without a decimal fraction.
 * @what: what it is for, the start of an error message.
 * @word: the word.
 * @min: the shortest one allowed, in seconds.
 * @max: the longest one allowed, in seconds.
 * @ms: result, in milliseconds.
 *
 * Return: 0, or -1 after a message.
 */
int arg_seconds(const char *what, const char *word, double min, double max,
		uint64_t *ms);

/**
 * arg_port() - Read a port, or the name of a service.
 * @word: the word.
 * @proto: "tcp" or "udp", NULL if the service may be of either.
 * @port: result.
 *
 * Return: 0, or -1 after a message.
 */
int arg_port(const char *word, const char *proto, uint16_t *port);

/**
 * arg_on_off() - Read "on" or "off".
 * @what: what it is for, the start of an error message.
 * @word: the word.
 *
 * Return: 1 or 0, or -1 after a message.
 */
int arg_on_off(const char *what, const char *word);

/**
 * arg_single() - Check that there is one argument.
 * @what: what it is for, the start of an error message.
 * @argc: number of arguments.
 * @argv: the arguments.
 *
 * Return: 0, or -1 after a message.
 */
int arg_single(const char *what, int argc, char **argv);

#endif /* DSCTL_ARGS_H */
