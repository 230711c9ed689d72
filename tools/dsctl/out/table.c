// SPDX-License-Identifier: GPL-2.0
/*
 * Not by libsmartcols: it holds a whole table in memory, or forgets between its
 * parts how wide the columns were (2.38), and decodes each cell twice, character by
 * character. With 100,000 sockets that was over half of what their list took.
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

/* Text at the end of a line is not padded. */
static void put_cell(struct table *table, size_t i, const char *str,
		     const struct table_cell *cell)
{
	const struct table_column *column = &table->columns[i];
	bool last = i == table->num_columns - 1;
	struct text *out = &table->out;

	if (column->align == ALIGN_RIGHT)
		text_pad(out, column->width - cell->width);
	if (cell->color)
		text_puts(out, color_codes[cell->color]);
	text_add(out, str, cell->len);
	if (cell->color)
		text_puts(out, COLOR_RESET);
	if (column->align == ALIGN_LEFT && !last)
		text_pad(out, column->width - cell->width);
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
