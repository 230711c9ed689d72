// SPDX-License-Identifier: GPL-2.0
/*
 * Not by libsmartcols: it holds a whole table in memory, or forgets between its
 * parts how wide the columns were (2.38), and decodes each cell twice, character by
 * character. With 100,000 sockets that was over half of what their list took. It
 * would cut what does not fit on a terminal without a mark, too.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/err.h"
#include "out/screen.h"
#include "out/stream.h"
#include "out/table.h"
#include "util/args.h"
#include "util/array.h"
#include "util/number.h"

/* Lines that a table holds at once. */
#define TABLE_LINES 4096

/* Between the columns of a table. */
#define SEPARATOR "  "

/* What is narrower says too little. */
#define MIN_CUT 12

/* No table has more. */
#define MAX_COLUMNS 32

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
	memset(column, 0, sizeof(*column));
	column->heading = heading;
	column->align = align;
	column->width = table->headed ? 0 : strlen(heading);
}

/*
 * Whether a word of -o is a heading: in any case, and with "-" for a blank, which
 * saves the quotes.
 */
static bool is_heading(const char *word, size_t len, const char *heading)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = heading[i];

		if (tolower((unsigned char)word[i]) != tolower(c) &&
		    (word[i] != '-' || c != ' '))
			return false;
	}
	return !heading[len];
}

/* The column that a word of -o names, num_columns if there is none. */
static size_t find_column(const struct table *table, const char *word,
			  size_t len)
{
	size_t i = 0;

	while (i < table->num_columns &&
	       !is_heading(word, len, table->columns[i].heading))
		i++;
	return i;
}

/* The next word of a list: sets its length. NULL behind the last one. */
static const char *next_word(const char *word, size_t *len)
{
	if (!word[*len])
		return NULL;
	word += *len + 1;
	*len = strcspn(word, ",");
	return word;
}

static const char *first_word(const char *list, size_t *len)
{
	*len = strcspn(list, ",");
	return list;
}

bool table_chooses(const struct out *out, const char *heading)
{
	const char *word;
	size_t len;

	if (!out->columns)
		return false;
	for (word = first_word(out->columns, &len); word;
	     word = next_word(word, &len))
		if (is_heading(word, len, heading))
			return true;
	return false;
}

static int err_column(const struct table *table, const char *word, size_t len,
		      const char *problem)
{
	const char *names[MAX_COLUMNS] = { };
	char name[64];
	size_t i;

	for (i = 0; i < table->num_columns && i < MAX_COLUMNS; i++)
		names[i] = table->columns[i].heading;
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	err_names("column", name, problem, names, i);
	return -1;
}

int table_check(const struct table *table)
{
	const char *list = table->print->columns, *word, *before;
	size_t i, len, n;

	if (table->failed)
		return err_no_memory();
	for (word = first_word(list, &len); word; word = next_word(word, &len)) {
		i = find_column(table, word, len);
		if (i == table->num_columns)
			return err_column(table, word, len, "unknown");
		for (before = first_word(list, &n); before != word;
		     before = next_word(before, &n))
			if (find_column(table, before, n) == i)
				return err_column(table, word, len,
						  "given twice");
	}
	return 0;
}

void table_hide(struct table *table, const char *heading)
{
	size_t i = find_column(table, heading, strlen(heading));

	if (i < table->num_columns)
		table->columns[i].hidden = true;
}

/* What is asked for, in that order, though it would be hidden. */
static void choose(struct table *table)
{
	const char *word;
	size_t i, len;

	for (i = 0; i < table->num_columns; i++)
		table->columns[i].hidden = true;
	for (word = first_word(table->print->columns, &len); word;
	     word = next_word(word, &len)) {
		i = find_column(table, word, len);
		table->columns[i].hidden = false;
		table->order[table->num_shown++] = i;
	}
}

/* Before the first line: which columns there are, and where. */
static void arrange(struct table *table)
{
	size_t i, n = 0;

	if (table->failed || table->order)
		return;
	table->order = calloc(table->num_columns, sizeof(*table->order));
	if (!table->order) {
		table->failed = true;
		return;
	}
	if (table->print->columns)
		choose(table);
	for (i = 0; i < table->num_columns; i++) {
		if (table->columns[i].hidden)
			continue;
		if (!table->print->columns)
			table->order[table->num_shown++] = i;
		table->columns[i].cell = n++;
	}
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

	for (i = 0; i < table->num_shown; i++) {
		struct table_column *column = &table->columns[table->order[i]];

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

	for (i = 0; i < table->num_shown; i++) {
		struct table_column *column = &table->columns[table->order[i]];

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
	const struct table_column *column = &table->columns[table->order[i]];
	bool last = i == table->num_shown - 1;
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
	const char *heading = table->columns[table->order[i]].heading;
	struct table_cell cell = { .len = strlen(heading) };

	cell.width = cell.len;
	put_cell(table, i, heading, &cell);
}

/* Print the lines there are. */
static void table_flush(struct table *table)
{
	const struct table_cell *line, *cell;
	size_t i, n;

	table->failed |= table->text.failed;
	if (table->failed)
		return;
	out_begin(table->print);
	/* A table without lines has no headings either. */
	if (!table->num_cells)
		return;

	fit(table);
	text_clear(&table->out);
	for (i = 0; !table->headed && i < table->num_shown; i++)
		put_heading(table, i);
	for (n = 0; n < table->num_cells; n += table->num_shown) {
		line = &table->cells[n];
		for (i = 0; i < table->num_shown; i++) {
			cell = &line[table->columns[table->order[i]].cell];
			put_cell(table, i, table->text.buf + cell->start, cell);
		}
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

size_t table_lines(const struct table *table)
{
	size_t lines = screen_lines();

	if (lines == SIZE_MAX || table->headed)
		return lines;
	return lines ? lines - 1 : 0;
}

void table_line(struct table *table)
{
	arrange(table);
	if (table->num_cells == TABLE_LINES * table->num_shown)
		table_flush(table);
}

bool table_hides(const struct table *table)
{
	return table->failed || table->columns[table->next].hidden;
}

void table_text(struct table *table, const char *text)
{
	struct table_column *column;
	struct table_cell *cell;
	size_t begin = table->text.len;

	if (table->failed)
		return;
	column = &table->columns[table->next];
	table->next = (table->next + 1) % table->num_columns;
	table->dropped = column->hidden;
	if (table->dropped)
		return;
	if (array_grow((void **)&table->cells, table->num_cells,
		       &table->size_cells, sizeof(*table->cells))) {
		table->failed = true;
		return;
	}
	cell = &table->cells[table->num_cells++];
	cell->start = begin;
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
	if (!table->failed && !table->dropped && table->print->color)
		table->cells[table->num_cells - 1].color = color;
}

int table_out(struct table *table)
{
	table_flush(table);
	out_failed();
	table_free(table);
	if (!table->failed)
		return EXIT_OK;
	err_no_memory();
	return EXIT_KERNEL;
}

void table_free(struct table *table)
{
	free(table->columns);
	free(table->order);
	free(table->cells);
	free(table->text.buf);
	free(table->out.buf);
}
