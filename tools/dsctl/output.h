/* SPDX-License-Identifier: GPL-2.0 */
/* JSON by jansson, tables by libsmartcols. */
#ifndef DSCTL_OUTPUT_H
#define DSCTL_OUTPUT_H

#include <jansson.h>
#include <libsmartcols/libsmartcols.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dsctl.h"

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
 * json_text() - A JSON string of a text that can hold anything.
 * @text: the text. Where it is not UTF-8, "?" replaces what is not ASCII.
 *
 * Return: the string, NULL if there is no memory.
 */
json_t *json_text(const char *text);

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
 * @netns: name of a network namespace, printed once there is a table.
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

/**
 * struct text - A text that grows, to be used again and again.
 * @buf: the text, ended by NUL once something was put into it.
 * @len: its length.
 * @size: size of @buf.
 * @failed: there was no memory.
 *
 * It starts zeroed; @buf is the user's to free.
 */
struct text {
	char *buf;
	size_t len;
	size_t size;
	bool failed;
};

/**
 * text_clear() - Begin a new text.
 * @text: the text.
 */
void text_clear(struct text *text);

/**
 * text_puts() - Append a string.
 * @text: the text.
 * @str: the string.
 */
void text_puts(struct text *text, const char *str);

/**
 * text_number() - Append a number.
 * @text: the text.
 * @number: the number.
 */
void text_number(struct text *text, uint64_t number);

/**
 * text_printf() - Append formatted text, at most 127 bytes.
 * @text: the text.
 * @fmt: as in printf().
 */
__printf(2, 3) void text_printf(struct text *text, const char *fmt, ...);

/**
 * enum column_align - Where a column's text stands.
 * @ALIGN_LEFT: text.
 * @ALIGN_RIGHT: numbers.
 */
enum column_align {
	ALIGN_LEFT,
	ALIGN_RIGHT,
};

/**
 * struct table - A table for people, printed some thousand lines at a time.
 * @tb: libsmartcols' table.
 * @line: the current line.
 * @lines: how many it holds.
 * @column: the next column of that line.
 * @encode: some of their text is not printable ASCII.
 * @failed: there was no memory.
 */
struct table {
	struct libscols_table *tb;
	struct libscols_line *line;
	size_t lines;
	size_t column;
	bool encode;
	bool failed;
};

/**
 * table_init() - Make an empty table.
 * @table: filled in.
 */
void table_init(struct table *table);

/**
 * table_column() - Add a column.
 * @table: the table.
 * @heading: its heading.
 * @align: where its text stands.
 */
void table_column(struct table *table, const char *heading,
		  enum column_align align);

/**
 * table_line() - Begin a new line.
 * @table: the table.
 */
void table_line(struct table *table);

/**
 * table_text() - Fill the next cell of the line.
 * @table: the table.
 * @text: the text, copied; what is not printable ASCII is shown as \xNN.
 */
void table_text(struct table *table, const char *text);

/**
 * table_number() - Fill the next cell of the line with a number.
 * @table: the table.
 * @number: the number.
 */
void table_number(struct table *table, uint64_t number);

/**
 * enum color - What a cell's colour says.
 * @COLOR_BAD: something is refused, or has to be done.
 * @COLOR_NOTE: something is worth a look.
 * @COLOR_GOOD: all is well.
 */
enum color {
	COLOR_BAD,
	COLOR_NOTE,
	COLOR_GOOD,
};

/**
 * table_color() - Colour the cell that was filled last, if -c asks for colour.
 * @table: the table.
 * @color: what the colour is to say.
 */
void table_color(struct table *table, enum color color);

/**
 * table_out() - Print what is left of a table and free it.
 * @table: the table.
 *
 * Return: an enum exit_code.
 */
int table_out(struct table *table);

#endif /* DSCTL_OUTPUT_H */
