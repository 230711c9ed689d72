/* SPDX-License-Identifier: GPL-2.0 */
/* Texts that grow. */
#ifndef DSCTL_TEXT_H
#define DSCTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"

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
 * text_add() - Append characters.
 * @text: the text.
 * @str: the characters.
 * @len: how many.
 */
void text_add(struct text *text, const char *str, size_t len);

/**
 * text_puts() - Append a string.
 * @text: the text.
 * @str: the string.
 */
void text_puts(struct text *text, const char *str);

/**
 * text_init() - Learn from the locale which characters a terminal shows.
 */
void text_init(void);

/**
 * text_escape() - Append a string that can hold anything, for people to read.
 * @text: the text.
 * @str: the string. What is not printable becomes \xNN for each byte: control
 *	 characters, what is not UTF-8, and without a locale of UTF-8 all that is not
 *	 ASCII; so does a backslash before an x.
 *
 * Return: how many columns of a terminal that takes.
 */
size_t text_escape(struct text *text, const char *str);

/**
 * text_cut() - Append the beginning of a string, and a mark that there is more.
 * @text: the text.
 * @str: as text_escape() made it, wider than @columns.
 * @columns: how many columns of a terminal there are, at least one.
 *
 * Return: how many it takes: neither a wide character nor an escape is divided.
 */
size_t text_cut(struct text *text, const char *str, size_t columns);

/**
 * text_utf8() - Append a string that can hold anything, for programs to read.
 * @text: the text.
 * @str: the string. What is not UTF-8 becomes \xNN for each byte, whatever the
 *	 locale, and all else stays as it is.
 */
void text_utf8(struct text *text, const char *str);

/**
 * text_pad() - Append blanks.
 * @text: the text.
 * @n: how many.
 */
void text_pad(struct text *text, size_t n);

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

#endif /* DSCTL_TEXT_H */
