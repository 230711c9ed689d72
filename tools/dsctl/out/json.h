/* SPDX-License-Identifier: GPL-2.0 */
/* JSON, by jansson: values that hold anything, and what is printed of them. */
#ifndef DSCTL_JSON_H
#define DSCTL_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct out;

/* How far each object and array stands in, with -p. */
#define JSON_STEP 4

/**
 * json_text() - A JSON string of a text that can hold anything.
 * @str: the text, made UTF-8 as text_utf8() does.
 *
 * Return: the string, NULL if there is no memory.
 */
json_t *json_text(const char *str);

/**
 * json_netns() - The network namespace that is spoken of.
 * @out: how to print.
 *
 * Return: its name, null where it has none; NULL if there is no memory.
 */
json_t *json_netns(const struct out *out);

/**
 * json_set() - Set a member of an object.
 * @obj: the object.
 * @key: name of the member.
 * @value: its value, released here.
 *
 * What there was no memory for, NULL included, is remembered until the next
 * json_out() or json_array_put(), which fails then.
 */
void json_set(json_t *obj, const char *key, json_t *value);

/**
 * json_add() - Append to an array, and remember failure as json_set() does.
 * @array: the array.
 * @value: the element, released here.
 */
void json_add(json_t *array, json_t *value);

/**
 * json_out() - Print a JSON value on a line, or indented with -p.
 * @out: how to print.
 * @value: the value, released here; NULL means that there was no memory.
 *
 * Return: an enum exit_code.
 */
int json_out(struct out *out, json_t *value);

/**
 * struct json_array - An array that is printed as its elements come.
 * @n: elements so far.
 * @inner: it is the last member of an object.
 * @buf: one element as text.
 * @size: size of @buf.
 *
 * So its size in memory is that of one element.
 */
struct json_array {
	size_t n;
	bool inner;
	char *buf;
	size_t size;
};

/**
 * json_array_in() - Print the beginning of an object, of which the array is a member.
 * @out: how to print; not with json_join().
 * @array: the array, zeroed.
 * @obj: the members before it, of which there are some, released here.
 * @key: the name of the array.
 *
 * Return: 0, or -1 after a message.
 */
int json_array_in(struct out *out, struct json_array *array, json_t *obj,
		  const char *key);

/**
 * json_array_put() - Print the next element.
 * @out: how to print.
 * @array: the array, zeroed at first.
 * @value: the element, not released; NULL means that there was no memory.
 *
 * Return: 0, or -1 after a message.
 */
int json_array_put(struct out *out, struct json_array *array,
		   const json_t *value);

/**
 * json_array_put_text() - Print the next element, which is there as text.
 * @out: how to print.
 * @array: the array, zeroed at first.
 * @text: the element, as json_array_put() would print it.
 * @len: its length; 0 means that there was no memory.
 *
 * Return: 0, or -1 after a message.
 */
int json_array_put_text(struct out *out, struct json_array *array,
			const char *text, size_t len);

/**
 * json_array_end() - Print the end of the array.
 * @out: how to print.
 * @array: the array.
 */
void json_array_end(struct out *out, struct json_array *array);

/**
 * json_join() - Make one array of all JSON from here on, for -N.
 * @out: how to print.
 *
 * The elements of an array become elements of this one, an object becomes one
 * of them. Each gets a member "netns", unless it has one.
 */
void json_join(struct out *out);

/**
 * json_join_end() - Print the end of the array of json_join().
 * @out: how to print.
 */
void json_join_end(struct out *out);

#endif /* DSCTL_JSON_H */
