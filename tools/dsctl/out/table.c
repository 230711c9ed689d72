// SPDX-License-Identifier: GPL-2.0
/*
 * Not by libsmartcols: it holds a whole table in memory, or forgets between its
 * parts how wide the columns were (2.38), and decodes each cell twice, character by
 * character. With 100,000 sockets that was over half of what their list took. It
 * would cut what does not fit on a terminal without a mark, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/err.h"
#include "out/stream.h"
#include "out/table.h"
#include "util/array.h"
#include "util/number.h"

/* Lines that a table holds at once. */
#define TABLE_LINES 4096

/* Between the columns of a table. */
#define SEPARATOR "  "

/* What is narrower says too little. */
#define MIN_CUT 12

/* Select Graphic Rendition of ECMA-48, as terminals know it. */
static const char *const color_codes[] = {
	[COLOR_BAD] = "\033[31m",
	[COLOR_NOTE] = "\033[33m",
	[COLOR_GOOD] = "\033[32m",
};

#define COLOR_RESET "\033[0m"

void table_init(struct table *table, struct out *out)
{
	memset(table, 0, sizeof(*table));
	table->print = out;
	table->headed = out->no_header;
}

void table_column(struct table *table, const char *heading,
		  enum column_align align)
{
	struct table_column *column;

	if (table->failed)
		return;
	if (array_grow((void **)&table->columns, table->num_columns,
		       &table->size_columns, sizeof(*table->columns))) {
		table->failed = true;
		return;
	}
	column = &table->columns[table->num_columns++];
	column->heading = heading;
	column->align = align;
	column->width = table->headed ? 0 : strlen(heading);
}

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* How narrow a column can be made. */
static size_t least_width(const struct table_column *column)
{
	size_t least = max(strlen(column->heading), MIN_CUT);

	if (column->align != ALIGN_TEXT || column->width < least)
		return column->width;
	return least;
}

/* The column that loses least if it is cut by one more. */
static struct table_column *widest(const struct table *table)
{
	struct table_column *found = NULL;
	size_t i;

	for (i = 0; i < table->num_columns; i++) {
		struct table_column *column = &table->columns[i];

		if (column->shown > least_width(column) &&
		    (!found || column->shown > found->shown))
			found = column;
	}
	return found;
}

/*
 * Make a table fit on the terminal, where there is one. If it cannot be made to, it
 * stays as it is: lines are broken in any case then.
 */
static void fit(struct table *table)
{
	size_t i, sum = 0, least = 0, limit = out_width();

	for (i = 0; i < table->num_columns; i++) {
		struct table_column *column = &table->columns[i];

		column->shown = column->width;
		sum += column->width + (i ? strlen(SEPARATOR) : 0);
		least += least_width(column) + (i ? strlen(SEPARATOR) : 0);
	}
	if (!limit || sum <= limit || least > limit)
		return;
	for (; sum > limit; sum--)
		widest(table)->shown--;
	table->print->cut = true;
}

/* Text at the end of a line is not padded. */
static void put_cell(struct table *table, size_t i, const char *str,
		     const struct table_cell *cell)
{
	const struct table_column *column = &table->columns[i];
	bool last = i == table->num_columns - 1;
	struct text *out = &table->out;
	size_t width = cell->width;

	if (column->align == ALIGN_RIGHT)
		text_pad(out, column->shown - width);
	if (cell->color)
		text_puts(out, color_codes[cell->color]);
	if (width <= column->shown)
		text_add(out, str, cell->len);
	else
		width = text_cut(out, str, column->shown);
	if (cell->color)
		text_puts(out, COLOR_RESET);
	if (column->align != ALIGN_RIGHT && !last)
		text_pad(out, column->shown - width);
	text_puts(out, last ? "\n" : SEPARATOR);
}

static void put_heading(struct table *table, size_t i)
{
	const char *heading = table->columns[i].heading;
	struct table_cell cell = { .len = strlen(heading) };

	cell.width = cell.len;
	put_cell(table, i, heading, &cell);
}

/* Print the lines there are. */
static void table_flush(struct table *table)
{
	const char *str = table->text.buf;
	size_t i;

	table->failed |= table->text.failed;
	if (table->failed)
		return;
	out_begin(table->print);
	/* A table without lines has no headings either. */
	if (!table->num_cells)
		return;

	fit(table);
	text_clear(&table->out);
	for (i = 0; !table->headed && i < table->num_columns; i++)
		put_heading(table, i);
	for (i = 0; i < table->num_cells; i++) {
		const struct table_cell *cell = &table->cells[i];

		put_cell(table, i % table->num_columns, str, cell);
		str += cell->len;
	}
	table->failed = table->out.failed;
	if (table->failed)
		return;
	fwrite(table->out.buf, 1, table->out.len, stdout);
	out_failed();

	table->headed = true;
	table->num_cells = 0;
	text_clear(&table->text);
}

void table_line(struct table *table)
{
	if (table->num_cells == TABLE_LINES * table->num_columns)
		table_flush(table);
}

void table_text(struct table *table, const char *text)
{
	struct table_column *column;
	struct table_cell *cell;
	size_t begin = table->text.len;

	if (table->failed)
		return;
	if (array_grow((void **)&table->cells, table->num_cells,
		       &table->size_cells, sizeof(*table->cells))) {
		table->failed = true;
		return;
	}
	column = &table->columns[table->num_cells % table->num_columns];
	cell = &table->cells[table->num_cells++];
	cell->width = text_escape(&table->text, text);
	cell->len = table->text.len - begin;
	cell->color = COLOR_NONE;
	if (cell->width > column->width)
		column->width = cell->width;
}

void table_put(struct table *table, const struct text *text)
{
	table_text(table, text->len ? text->buf : "-");
	table->failed |= text->failed;
}

void table_number(struct table *table, uint64_t number)
{
	char buf[NUMBER_STRLEN];

	table_text(table, number_str(number, buf));
}

void table_color(struct table *table, enum color color)
{
	if (!table->failed && table->print->color)
		table->cells[table->num_cells - 1].color = color;
}

int table_out(struct table *table)
{
	table_flush(table);
	out_failed();
	free(table->columns);
	free(table->cells);
	free(table->text.buf);
	free(table->out.buf);
	if (!table->failed)
		return EXIT_OK;
	err_no_memory();
	return EXIT_KERNEL;
}
