/* SPDX-License-Identifier: GPL-2.0 */
/* What goes to stdout: JSON by jansson, times, headings. */
#ifndef DSCTL_OUTPUT_H
#define DSCTL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsctl.h"

/**
 * out_init() - See to it that stdin, stdout and stderr are no other file's numbers.
 *
 * Where one is closed, using it is an error.
 */
void out_init(void);

/**
 * out_is_open() - Whether stdout is there to be written to.
 *
 * This is for who waits before the first write.
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
 * out_close() - Write out and close stdout.
 *
 * Return: an enum exit_code, after a message unless a pipe's reader has gone.
 */
int out_close(void);

/**
 * out_failed() - Whether a write to stdout has failed.
 *
 * Return: true if so; out_close() will say why.
 */
bool out_failed(void);

/**
 * out_text() - Print a string that can hold anything, as text_escape() has it.
 * @str: the string.
 */
void out_text(const char *str);

/**
 * json_text() - A JSON string of a text that can hold anything.
 * @str: the text, made UTF-8 as text_utf8() does.
 *
 * Return: the string, NULL if there is no memory.
 */
json_t *json_text(const char *str);

/**
 * json_set() - Set a member of an object.
 * @obj: the object.
 * @key: name of the member.
 * @value: its value, released here.
 *
 * What there was no memory for, NULL included, is remembered until the next
 * json_out() or json_array_put(), which fails then.
 */
void json_set(json_t *obj, const char *key, json_t *value);

/**
 * json_add() - Append to an array, and remember failure as json_set() does.
 * @array: the array.
 * @value: the element, released here.
 */
void json_add(json_t *array, json_t *value);

/**
 * json_out() - Print a JSON value on a line, or indented with -p.
 * @value: the value, released here; NULL means that there was no memory.
 *
 * Return: an enum exit_code.
 */
int json_out(json_t *value);

/**
 * struct json_array - An array that is printed as its elements come.
 * @n: elements so far.
 * @buf: one element as text.
 * @size: size of @buf.
 *
 * So its size in memory is that of one element.
 */
struct json_array {
	size_t n;
	char *buf;
	size_t size;
};

/**
 * json_array_put() - Print the next element.
 * @array: the array, zeroed at first.
 * @value: the element, not released; NULL means that there was no memory.
 *
 * Return: 0, or -1 after a message.
 */
int json_array_put(struct json_array *array, const json_t *value);

/**
 * json_array_end() - Print the end of the array.
 * @array: the array.
 */
void json_array_end(struct json_array *array);

/**
 * json_join() - Make one array of all JSON from here on, for -N.
 *
 * The elements of an array become elements of this one, an object becomes one
 * of them. Each gets a member "netns", unless it has one.
 */
void json_join(void);

/**
 * json_join_end() - Print the end of the array of json_join().
 */
void json_join_end(void);

/**
 * out_heading() - Say what the next table is about, in the manner of ip(8).
 * @netns: name of a network namespace, printed before the next table.
 */
void out_heading(const char *netns);

/**
 * out_begin() - Print the heading, if there is one and it was not.
 *
 * A table does so; what prints without one has to.
 */
void out_begin(void);

/* Room for 2026-11-21T13:00:00.123456+01:00. */
#define TIME_STRLEN	48

#define TIME_USEC	1u	/* with microseconds */
#define TIME_ZONE	2u	/* with the zone */

/**
 * time_str() - Print a time by ISO 8601, in local time.
 * @time: nanoseconds since the epoch.
 * @parts: what else than date and seconds: TIME_USEC, TIME_ZONE.
 * @buf: room for TIME_STRLEN bytes.
 *
 * Return: @buf.
 */
const char *time_str(uint64_t time, unsigned int parts, char *buf);

#endif /* DSCTL_OUTPUT_H */
