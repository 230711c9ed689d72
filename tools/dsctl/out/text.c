// SPDX-License-Identifier: GPL-2.0
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "out/text.h"
#include "util/number.h"
#include "util/utf8.h"

/* A terminal that has UTF-8 takes names as they are. */
static bool locale_is_utf8;

void text_init(void)
{
	setlocale(LC_CTYPE, "");
	locale_is_utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
}

void text_clear(struct text *text)
{
	text->len = 0;
}

static bool text_reserve(struct text *text, size_t len)
{
	size_t size = 2 * (text->len + len + 1);
	char *buf;

	if (text->len + len < text->size)
		return true;
	buf = realloc(text->buf, size);
	if (!buf) {
		text->failed = true;
		return false;
	}
	text->buf = buf;
	text->size = size;
	return true;
}

void text_add(struct text *text, const char *str, size_t len)
{
	if (!text_reserve(text, len))
		return;
	memcpy(text->buf + text->len, str, len);
	text->len += len;
	text->buf[text->len] = '\0';
}

void text_puts(struct text *text, const char *str)
{
	text_add(text, str, strlen(str));
}

/* \xNN */
#define ESCAPED_LEN 4

static void put_byte(struct text *text, unsigned char byte)
{
	text_printf(text, "\\x%02x", byte);
}

/* Characters that need no second look: nearly all of a table are. */
static size_t plain_len(const char *str)
{
	const char *c = str;

	while (*c >= ' ' && *c <= '~' && *c != '\\')
		c++;
	return c - str;
}

/*
 * The length of a character that is not plain, and how many columns of a terminal
 * it takes; 0 if it has to be escaped. A backslash that would read as an escape has
 * to be, and so has a character without a column of its own: like a mark for the
 * direction of writing, it changes how others look.
 */
static size_t other_len(const char *str, size_t *columns)
{
	uint32_t code;
	size_t len;
	int width;

	*columns = 1;
	if (*str == '\\')
		return str[1] != 'x';
	if (!locale_is_utf8)
		return 0;
	len = utf8_char(str, &code);
	if (len < 2 || !iswprint(code))
		return 0;
	width = wcwidth(code);
	if (width < 1)
		return 0;
	*columns = width;
	return len;
}

size_t text_escape(struct text *text, const char *str)
{
	size_t len, width, columns = plain_len(str);
	const char *c = str + columns;

	while (*c) {
		len = other_len(c, &width);
		if (!len) {
			text_add(text, str, c - str);
			put_byte(text, *c);
			str = c + 1;
			len = 1;
			width = ESCAPED_LEN;
		}
		c += len;
		columns += width;

		len = plain_len(c);
		c += len;
		columns += len;
	}
	text_add(text, str, c - str);
	return columns;
}

/* A character of what text_escape() made, or all of an escape. */
static size_t shown_len(const char *str, size_t *columns)
{
	size_t len;

	if (*str == '\\' && str[1] == 'x') {
		*columns = ESCAPED_LEN;
		return ESCAPED_LEN;
	}
	len = other_len(str, columns);
	return len ? len : 1;
}

size_t text_cut(struct text *text, const char *str, size_t columns)
{
	size_t len, width, used = 1;	/* the mark */
	const char *c = str;

	for (;;) {
		len = shown_len(c, &width);
		if (used + width > columns)
			break;
		used += width;
		c += len;
	}
	text_add(text, str, c - str);
	text_puts(text, locale_is_utf8 ? "\u2026" : "~");
	return used;
}

void text_utf8(struct text *text, const char *str)
{
	const char *c = str;
	uint32_t code;
	size_t len;

	while (*c) {
		len = utf8_char(c, &code);
		if (len) {
			c += len;
			continue;
		}
		text_add(text, str, c - str);
		put_byte(text, *c);
		str = ++c;
	}
	text_add(text, str, c - str);
}

void text_pad(struct text *text, size_t n)
{
	if (!text_reserve(text, n))
		return;
	memset(text->buf + text->len, ' ', n);
	text->len += n;
	text->buf[text->len] = '\0';
}

void text_number(struct text *text, uint64_t number)
{
	char buf[NUMBER_STRLEN];

	text_puts(text, number_str(number, buf));
}

void text_printf(struct text *text, const char *fmt, ...)
{
	char str[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(str, sizeof(str), fmt, ap);
	va_end(ap);
	text_puts(text, str);
}
