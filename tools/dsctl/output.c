// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "dsctl.h"
#include "output.h"

#define INDENT 4

json_t *json_text(const char *text)
{
	char clean[256];
	json_t *string;
	size_t i;

	string = json_string(text);
	if (string)
		return string;
	for (i = 0; text[i] && i < sizeof(clean) - 1; i++)
		clean[i] = text[i] & 0x80 ? '?' : text[i];
	clean[i] = '\0';
	return json_string(clean);
}

/* What is not ASCII is escaped: no byte of a name reaches a terminal raw. */
static size_t json_flags(void)
{
	return JSON_ENSURE_ASCII | (opts.pretty ? JSON_INDENT(INDENT)
						: JSON_COMPACT);
}

int json_out(json_t *value)
{
	int ret = EXIT_OK;

	if (value) {
		/* A write error is found when stdout is closed. */
		json_dumpf(value, stdout, json_flags());
		putchar('\n');
	} else {
		err("out of memory");
		ret = EXIT_KERNEL;
	}
	json_decref(value);
	return ret;
}

/* An element of an array stands one step further in. No string holds a '\n'. */
static int put_indented(const char *buf, size_t len, void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < len; i++) {
		putchar(buf[i]);
		if (buf[i] == '\n')
			printf("%*s", INDENT, "");
	}
	return ferror(stdout) ? -1 : 0;
}

int json_array_put(struct json_array *array, const json_t *value)
{
	if (!value) {
		err("out of memory");
		return -1;
	}
	putchar(array->n++ ? ',' : '[');
	if (opts.pretty) {
		put_indented("\n", 1, NULL);
		json_dump_callback(value, put_indented, NULL, json_flags());
	} else {
		json_dumpf(value, stdout, json_flags());
	}
	return ferror(stdout) ? -1 : 0;
}

void json_array_end(struct json_array *array)
{
	if (!array->n)
		putchar('[');
	else if (opts.pretty)
		putchar('\n');
	puts("]");
}

void table_init(struct table *table)
{
	memset(table, 0, sizeof(*table));
	table->tb = scols_new_table();
	if (!table->tb) {
		table->failed = true;
		return;
	}
	/* Lines are never cut, and a terminal wraps them as it does for ss. */
	scols_table_set_termforce(table->tb, SCOLS_TERMFORCE_NEVER);
	scols_table_enable_colors(table->tb, 0);
	scols_table_set_column_separator(table->tb, "  ");
}

void table_column(struct table *table, const char *heading,
		  enum column_align align)
{
	int flags = align == ALIGN_RIGHT ? SCOLS_FL_RIGHT : 0;

	if (!table->failed &&
	    !scols_table_new_column(table->tb, heading, 0, flags))
		table->failed = true;
}

void table_line(struct table *table)
{
	if (table->failed)
		return;
	table->line = scols_table_new_line(table->tb, NULL);
	table->column = 0;
	if (!table->line)
		table->failed = true;
}

void table_text(struct table *table, const char *text)
{
	if (!table->failed &&
	    scols_line_set_data(table->line, table->column++, text))
		table->failed = true;
}

void table_number(struct table *table, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	table_text(table, text);
}

int table_out(struct table *table)
{
	/* libsmartcols prints nothing, not even headings, without a line. */
	if (!table->failed && scols_print_table(table->tb))
		table->failed = true;
	scols_unref_table(table->tb);
	if (!table->failed)
		return EXIT_OK;
	err("out of memory");
	return EXIT_KERNEL;
}
