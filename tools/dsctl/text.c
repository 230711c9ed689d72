// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "text.h"

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

/* A backslash that would read as an escape is one itself. */
static bool is_printable(const char *c)
{
	return *c >= ' ' && *c <= '~' && (c[0] != '\\' || c[1] != 'x');
}

void text_escape(struct text *text, const char *str)
{
	const char *c = str;

	for (; *c; c++) {
		if (is_printable(c))
			continue;
		text_add(text, str, c - str);
		text_printf(text, "\\x%02x", (unsigned char)*c);
		str = c + 1;
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
