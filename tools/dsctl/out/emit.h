/* SPDX-License-Identifier: GPL-2.0 */
/* JSON written as it comes, for what there is much of: sockets, peers, events. */
#ifndef DSCTL_EMIT_H
#define DSCTL_EMIT_H

#include <jansson.h>
#include <stdbool.h>

#include "out/json.h"
#include "out/text.h"

struct out;

/**
 * struct emit - A JSON object on its way out.
 * @text: what there is of it.
 * @pretty: with a line for each member, as jansson does it.
 * @depth: how many objects and arrays are open.
 * @empty: nothing is yet in the one opened last.
 *
 * To make a value by jansson, and to print it then, takes several times as long. The text
 * is the same. The struct starts zeroed, and is for one object after another; what is in
 * @text is the user's to free. That there was no memory is found where the object is used.
 */
struct emit {
	struct text text;
	bool pretty;
	unsigned int depth;
	bool empty;
};

/**
 * emit_begin() - Begin an object that is in nothing.
 * @emit: where to.
 * @out: how to print.
 */
void emit_begin(struct emit *emit, const struct out *out);

/**
 * emit_end() - End the object, or the array, that was opened last.
 * @emit: where to.
 * @c: '}' or ']'.
 */
void emit_end(struct emit *emit, char c);

/**
 * emit_open() - Open an object or an array.
 * @emit: where to.
 * @key: its name in the object that it is in, ASCII without what has to be escaped; NULL
 *	 in an array.
 * @c: '{' or '['.
 */
void emit_open(struct emit *emit, const char *key, char c);

/**
 * emit_text() - Add a string.
 * @emit: where to.
 * @key: as for emit_open().
 * @str: the string, which can hold anything, see json_text(); NULL for null.
 */
void emit_text(struct emit *emit, const char *key, const char *str);

/**
 * emit_number() - Add a number.
 * @emit: where to.
 * @key: as for emit_open().
 * @number: the number.
 */
void emit_number(struct emit *emit, const char *key, json_int_t number);

/**
 * emit_real() - Add a number that need not be whole.
 * @emit: where to.
 * @key: as for emit_open().
 * @number: the number.
 */
void emit_real(struct emit *emit, const char *key, double number);

/**
 * emit_bool() - Add true or false.
 * @emit: where to.
 * @key: as for emit_open().
 * @value: which; -1 for null.
 */
void emit_bool(struct emit *emit, const char *key, int value);

/**
 * emit_null() - Add null.
 * @emit: where to.
 * @key: as for emit_open().
 */
void emit_null(struct emit *emit, const char *key);

/**
 * emit_put() - Print the object as the next element of an array.
 * @emit: with the object, ended.
 * @out: how to print.
 * @array: the array, see json_array_put().
 *
 * Return: 0, or -1 after a message.
 */
int emit_put(const struct emit *emit, struct out *out, struct json_array *array);

/**
 * emit_line() - Print the object by itself, or a message that there is no memory.
 * @emit: with the object, ended.
 */
void emit_line(const struct emit *emit);

/**
 * emit_value() - Make a value of the object, to be put into another.
 * @emit: with the object, ended.
 *
 * Return: the value, or NULL if there is no memory.
 */
json_t *emit_value(const struct emit *emit);

#endif /* DSCTL_EMIT_H */
