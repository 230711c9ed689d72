/* SPDX-License-Identifier: GPL-2.0 */
/* Tables for people. */
#ifndef DSCTL_TABLE_H
#define DSCTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "out/out.h"
#include "out/text.h"

/**
 * enum column_align - Where a column's text stands.
 * @ALIGN_LEFT: names and addresses at the left.
 * @ALIGN_TEXT: text at the left, of which the end may be cut off where a terminal is
 *		too narrow.
 * @ALIGN_RIGHT: numbers.
 */
enum column_align {
	ALIGN_LEFT,
	ALIGN_TEXT,
	ALIGN_RIGHT,
};

/**
 * enum color - What a cell's colour says.
 * @COLOR_NONE: nothing.
 * @COLOR_BAD: something is refused, or has to be done.
 * @COLOR_NOTE: something is worth a look.
 * @COLOR_GOOD: all is well.
 */
enum color {
	COLOR_NONE,
	COLOR_BAD,
	COLOR_NOTE,
	COLOR_GOOD,
};

/**
 * struct table_column - A column of a table.
 * @heading: its heading.
 * @align: where its text stands.
 * @width: of its heading, unless there are none, and of all its text so far, in
 *	   columns of a terminal.
 * @shown: how wide it is made.
 * @cell: which of the cells of a line that are kept.
 * @hidden: it is not printed, and its cells are not kept.
 */
struct table_column {
	const char *heading;
	enum column_align align;
	size_t width;
	size_t shown;
	size_t cell;
	bool hidden;
};

/**
 * struct table_cell - A cell of a table.
 * @start: where its text is in that of all.
 * @len: length of its text.
 * @width: columns of a terminal that it takes.
 * @color: what its colour says.
 */
struct table_cell {
	uint32_t start;
	uint32_t len;
	uint32_t width;
	enum color color;
};

/**
 * struct table - A table for people, printed some thousand lines at a time.
 * @print: how to print.
 * @columns: its columns.
 * @num_columns: how many.
 * @size_columns: for how many there is room.
 * @order: those that are printed, as indices, from left to right.
 * @num_shown: how many.
 * @next: the one that the next cell is of.
 * @cells: those to be printed, line by line.
 * @num_cells: how many.
 * @size_cells: for how many there is room.
 * @text: their text, one after the other.
 * @out: the lines as they are printed.
 * @headed: the headings are printed, or not wanted.
 * @dropped: the cell that was filled last is not printed.
 * @failed: there was no memory.
 *
 * So its size in memory is that of these lines. What was printed cannot be moved: a
 * column that has to become wider is wider from the next thousands on.
 */
struct table {
	struct out *print;
	struct table_column *columns;
	size_t num_columns;
	size_t size_columns;
	size_t *order;
	size_t num_shown;
	size_t next;
	struct table_cell *cells;
	size_t num_cells;
	size_t size_cells;
	struct text text;
	struct text out;
	bool headed;
	bool dropped;
	bool failed;
};

/**
 * table_init() - Make an empty table.
 * @table: filled in.
 * @out: how to print.
 */
void table_init(struct table *table, struct out *out);

/**
 * table_column() - Add a column.
 * @table: the table, without cells so far.
 * @heading: its heading, printable ASCII, not copied.
 * @align: where its text stands.
 */
void table_column(struct table *table, const char *heading,
		  enum column_align align);

/**
 * table_hide() - Leave a column out, unless it is asked for by name.
 * @table: the table, without cells so far.
 * @heading: its heading.
 */
void table_hide(struct table *table, const char *heading);

/**
 * table_check() - Whether the table has the columns that are asked for.
 * @table: the table, with all its columns.
 *
 * Return: 0, or -1 after a message.
 */
int table_check(const struct table *table);

/**
 * table_chooses() - Whether a column is asked for by name.
 * @out: how to print.
 * @heading: its heading.
 *
 * Return: true if so.
 */
bool table_chooses(const struct out *out, const char *heading);

/**
 * table_lines() - How many lines there is room for.
 * @table: the table, without lines so far.
 *
 * Return: that, below what is on the screen; SIZE_MAX where it is not for a screen.
 */
size_t table_lines(const struct table *table);

/**
 * table_line() - Begin a line, once each column of the one before has its cell.
 * @table: the table.
 */
void table_line(struct table *table);

/**
 * table_hides() - Whether the next cell is not printed, so that anything will do.
 * @table: the table, in a line.
 *
 * Return: true if so.
 */
bool table_hides(const struct table *table);

/**
 * table_text() - Fill the next cell.
 * @table: the table.
 * @text: the text, copied; as text_escape() has it.
 */
void table_text(struct table *table, const char *text);

/**
 * table_put() - Fill the next cell with a text that may be empty.
 * @table: the table.
 * @text: the text; "-" stands for none.
 */
void table_put(struct table *table, const struct text *text);

/**
 * table_number() - Fill the next cell with a number.
 * @table: the table.
 * @number: the number.
 */
void table_number(struct table *table, uint64_t number);

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

/**
 * table_free() - Free a table without printing it.
 * @table: the table.
 */
void table_free(struct table *table);

#endif /* DSCTL_TABLE_H */
