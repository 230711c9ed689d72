// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "out/emit.h"
#include "out/err.h"
#include "out/out.h"
#include "util/number.h"
#include "util/utf8.h"

static void add(struct emit *emit, const char *str, size_t len)
{
	text_add(&emit->text, str, len);
}

#define ADD(emit, literal) add(emit, literal, sizeof(literal) - 1)

static void new_line(struct emit *emit)
{
	if (!emit->pretty)
		return;
	ADD(emit, "\n");
	text_pad(&emit->text, (size_t)JSON_STEP * emit->depth);
}

/* What comes before a value. */
static void begin(struct emit *emit, const char *key)
{
	if (!emit->empty)
		ADD(emit, ",");
	emit->empty = false;
	if (!emit->depth)
		return;
	new_line(emit);
	if (!key)
		return;
	ADD(emit, "\"");
	text_puts(&emit->text, key);
	if (emit->pretty)
		ADD(emit, "\": ");
	else
		ADD(emit, "\":");
}

void emit_open(struct emit *emit, const char *key, char c)
{
	begin(emit, key);
	add(emit, &c, 1);
	emit->depth++;
	emit->empty = true;
}

void emit_end(struct emit *emit, char c)
{
	emit->depth--;
	if (!emit->empty)
		new_line(emit);
	add(emit, &c, 1);
	emit->empty = false;
}

void emit_begin(struct emit *emit, const struct out *out)
{
	text_clear(&emit->text);
	emit->text.failed = false;
	emit->pretty = out->pretty;
	emit->depth = 0;
	emit->empty = true;
	emit_open(emit, NULL, '{');
}

/* As jansson does it: what is not ASCII in UTF-16, by its two halves if need be. */
static void add_code(struct emit *emit, uint32_t code)
{
	if (code < 0x10000) {
		text_printf(&emit->text, "\\u%04X", code);
		return;
	}
	code -= 0x10000;
	text_printf(&emit->text, "\\u%04X\\u%04X", 0xd800 | code >> 10,
		    0xdc00 | (code & 0x3ff));
}

/* Return: how many bytes of the string that is. */
static size_t add_escaped(struct emit *emit, const char *str)
{
	static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	const char *e;
	uint32_t code;
	size_t len;

	for (e = escapes; *e; e += 2) {
		if (*e == *str) {
			ADD(emit, "\\");
			add(emit, e + 1, 1);
			return 1;
		}
	}
	len = utf8_char(str, &code);
	if (len)
		add_code(emit, code);
	else	/* see text_utf8(); the backslash is escaped in turn */
		text_printf(&emit->text, "\\\\x%02x", (unsigned char)*str);
	return len ? len : 1;
}

static size_t plain_len(const char *str)
{
	const unsigned char *c = (const unsigned char *)str;

	while (*c >= ' ' && *c <= 0x7f && *c != '"' && *c != '\\')
		c++;
	return c - (const unsigned char *)str;
}

static void add_text(struct emit *emit, const char *str)
{
	size_t len;

	ADD(emit, "\"");
	for (;;) {
		len = plain_len(str);
		add(emit, str, len);
		str += len;
		if (!*str)
			break;
		str += add_escaped(emit, str);
	}
	ADD(emit, "\"");
}

void emit_null(struct emit *emit, const char *key)
{
	begin(emit, key);
	ADD(emit, "null");
}

void emit_text(struct emit *emit, const char *key, const char *str)
{
	if (!str) {
		emit_null(emit, key);
		return;
	}
	begin(emit, key);
	add_text(emit, str);
}

void emit_number(struct emit *emit, const char *key, json_int_t number)
{
	uint64_t value = number < 0 ? -(uint64_t)number : (uint64_t)number;
	char buf[NUMBER_STRLEN], *str = number_str(value, buf);

	begin(emit, key);
	if (number < 0)
		ADD(emit, "-");
	add(emit, str, buf + sizeof(buf) - 1 - str);
}

/* As many digits as jansson gives it. */
void emit_real(struct emit *emit, const char *key, double number)
{
	json_t *value = json_real(number);
	char buf[64];
	size_t len;

	len = json_dumpb(value, buf, sizeof(buf), JSON_ENCODE_ANY);
	json_decref(value);
	emit->text.failed |= !len;
	begin(emit, key);
	add(emit, buf, len);
}

void emit_bool(struct emit *emit, const char *key, int value)
{
	if (value < 0) {
		emit_null(emit, key);
		return;
	}
	begin(emit, key);
	if (value)
		ADD(emit, "true");
	else
		ADD(emit, "false");
}

int emit_put(const struct emit *emit, struct out *out, struct json_array *array)
{
	return json_array_put_text(out, array, emit->text.buf,
				   emit->text.failed ? 0 : emit->text.len);
}

void emit_line(const struct emit *emit)
{
	if (emit->text.failed) {
		err_no_memory();
		return;
	}
	fwrite(emit->text.buf, 1, emit->text.len, stdout);
	putchar('\n');
}

json_t *emit_value(const struct emit *emit)
{
	if (emit->text.failed)
		return NULL;
	return json_loadb(emit->text.buf, emit->text.len, 0, NULL);
}
