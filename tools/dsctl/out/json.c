// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/err.h"
#include "out/json.h"
#include "out/out.h"
#include "out/stream.h"
#include "out/text.h"

/*
 * Whether json_set() or json_add() had no memory for something. It is global, as
 * errno is: one value is made at a time, and this is about that one.
 */
static bool json_lost;

json_t *json_text(const char *str)
{
	struct text text = { };
	json_t *string;

	string = json_string(str);
	if (string)
		return string;
	text_utf8(&text, str);
	string = text.failed ? NULL : json_string(text.buf);
	free(text.buf);
	return string;
}

json_t *json_netns(const struct out *out)
{
	return out->netns ? json_text(out->netns) : json_null();
}

void json_set(json_t *obj, const char *key, json_t *value)
{
	json_lost |= json_object_set_new(obj, key, value);
}

void json_add(json_t *array, json_t *value)
{
	json_lost |= json_array_append_new(array, value);
}

/*
 * Whether a value is complete. To be asked once for each, as this begins the next
 * one.
 */
static bool json_whole(const json_t *value)
{
	bool whole = value && !json_lost;

	json_lost = false;
	return whole;
}

/* What is not ASCII is escaped: no byte of a name reaches a terminal raw. */
static size_t json_flags(const struct out *out)
{
	return JSON_ENSURE_ASCII | (out->pretty ? JSON_INDENT(JSON_STEP)
						: JSON_COMPACT);
}

/* An element of an array stands one step further in. No string holds a '\n'. */
static void put_indented(const char *buf, size_t len, int indent)
{
	const char *end = buf + len, *line, *eol;

	for (line = buf; line < end; line = eol + 1) {
		eol = memchr(line, '\n', end - line);
		if (!eol)
			eol = end;
		printf("\n%*s%.*s", indent, "", (int)(eol - line), line);
	}
}

static void json_array_free(struct json_array *array)
{
	free(array->buf);
	array->buf = NULL;
	array->size = 0;
}

/*
 * Into memory first: to call stdio for each token would be much of the whole cost.
 */
static size_t dump(const struct out *out, struct json_array *array,
		   const json_t *value)
{
	size_t len;
	char *buf;

	len = json_dumpb(value, array->buf, array->size, json_flags(out));
	if (len <= array->size)
		return len;

	buf = realloc(array->buf, len);
	if (!buf)
		return 0;
	array->buf = buf;
	array->size = len;
	return json_dumpb(value, buf, len, json_flags(out));
}

static int put(const struct out *out, struct json_array *array,
	       const char *text, size_t len)
{
	putchar(array->n++ ? ',' : '[');
	if (out->pretty)
		put_indented(text, len, JSON_STEP << array->inner);
	else
		fwrite(text, 1, len, stdout);
	return out_failed() ? -1 : 0;
}

/* Of length 0 is what there was no memory for. */
static int put_element(const struct out *out, struct json_array *array,
		       const char *text, size_t len)
{
	int ret = len ? put(out, array, text, len) : err_no_memory();

	if (ret)
		json_array_free(array);
	return ret;
}

static int put_value(const struct out *out, struct json_array *array,
		     const json_t *value)
{
	size_t len = json_whole(value) ? dump(out, array, value) : 0;

	return put_element(out, array, array->buf, len);
}

/* Where the elements of an array go to. */
static struct json_array *array_of(struct out *out, struct json_array *array)
{
	return out->joining ? &out->joined : array;
}

static void put_end(const struct out *out, struct json_array *array)
{
	if (!array->n)
		putchar('[');
	else if (out->pretty)
		printf("\n%*s", array->inner ? JSON_STEP : 0, "");
	putchar(']');
	if (array->inner)
		fputs(out->pretty ? "\n}" : "}", stdout);
	putchar('\n');
	json_array_free(array);
}

int json_array_in(struct out *out, struct json_array *array, json_t *obj,
		  const char *key)
{
	size_t len = json_whole(obj) ? dump(out, array, obj) : 0;

	json_decref(obj);
	if (!len) {
		err_no_memory();
		json_array_free(array);
		return -1;
	}
	/* Without the end */
	fwrite(array->buf, 1, len - strlen(out->pretty ? "\n}" : "}"), stdout);
	if (out->pretty)
		printf(",\n%*s\"%s\": ", JSON_STEP, "", key);
	else
		printf(",\"%s\":", key);
	array->inner = true;
	return 0;
}

int json_array_put(struct out *out, struct json_array *array,
		   const json_t *value)
{
	return put_value(out, array_of(out, array), value);
}

int json_array_put_text(struct out *out, struct json_array *array,
			const char *text, size_t len)
{
	return put_element(out, array_of(out, array), text, len);
}

void json_array_end(struct out *out, struct json_array *array)
{
	if (!out->joining)
		put_end(out, array);
}

/* The namespace comes first, where an object does not name it anyway. */
static json_t *with_netns(const struct out *out, json_t *value)
{
	json_t *obj;

	if (json_object_get(value, "netns"))
		return json_incref(value);
	obj = json_pack("{s:o}", "netns", json_netns(out));
	json_lost |= json_object_update(obj, value);
	return obj;
}

static int join_one(struct out *out, json_t *value)
{
	json_t *obj = with_netns(out, value);
	int ret = put_value(out, &out->joined, obj);

	json_decref(obj);
	return ret ? EXIT_KERNEL : EXIT_OK;
}

static int join(struct out *out, json_t *value)
{
	int ret = EXIT_OK;
	json_t *elem;
	size_t i;

	if (!json_is_array(value))
		return join_one(out, value);
	json_array_foreach(value, i, elem)
		ret = exit_worse(ret, join_one(out, elem));
	return ret;
}

int json_out(struct out *out, json_t *value)
{
	bool whole = json_whole(value);
	int ret = EXIT_OK;

	if (whole && out->joining) {
		ret = join(out, value);
	} else if (whole) {
		whole = !json_dumpf(value, stdout, json_flags(out));
		putchar('\n');
		whole |= out_failed();
	}
	if (!whole) {
		err_no_memory();
		ret = EXIT_KERNEL;
	}
	json_decref(value);
	return ret;
}

void json_join(struct out *out)
{
	out->joining = true;
}

void json_join_end(struct out *out)
{
	out->joining = false;
	put_end(out, &out->joined);
	out->joined.n = 0;
}
