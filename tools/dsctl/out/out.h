/* SPDX-License-Identifier: GPL-2.0 */
/* How a command is to print, and what it prints about. */
#ifndef DSCTL_OUT_H
#define DSCTL_OUT_H

#include <stdbool.h>

#include "out/json.h"

/**
 * struct out - How to print.
 * @json: JSON, else text and tables.
 * @pretty: indent the JSON.
 * @color: colour the tables.
 * @no_header: print tables without headings.
 * @columns: names of the columns that tables are to have, with commas between them;
 *	     NULL for those that they have anyway.
 * @netns: name of the network namespace that is spoken of, as -n takes it; NULL for
 *	   the caller's own, unless that was asked for by a name or has one.
 * @title: what is to be printed before the next table, and before @heading: a line, or
 *	   NULL.
 * @heading: @netns is to be printed before the next table.
 * @headed: a heading was printed before another table.
 * @cut: columns of a table were cut, as the terminal is too narrow.
 * @joining: all JSON goes into one array, @joined: see json_join().
 * @joined: that array.
 */
struct out {
	bool json;
	bool pretty;
	bool color;
	bool no_header;
	const char *columns;
	const char *netns;
	const char *title;
	bool heading;
	bool headed;
	bool cut;
	bool joining;
	struct json_array joined;
};

/**
 * out_begin() - Print title and heading, if there are to be any, in the manner of ip(8).
 * @out: how to print.
 *
 * A table does so; what prints without one has to.
 */
void out_begin(struct out *out);

/**
 * out_text() - Print a string that can hold anything, as text_escape() has it.
 * @str: the string.
 */
void out_text(const char *str);

#endif /* DSCTL_OUT_H */
