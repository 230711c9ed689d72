// SPDX-License-Identifier: GPL-2.0
#include <stdbool.h>

#include "util/array.h"
#include "util/utf8.h"

#define LAST_CODE		0x10ffff
#define FIRST_SURROGATE		0xd800
#define LAST_SURROGATE		0xdfff

/*
 * By the number of bytes: the first bits of the first one, and the lowest
 * character.
 */
static const struct {
	uint8_t mask;
	uint8_t mark;
	uint32_t least;
} forms[] = {
	[1] = { 0x80, 0x00, 0 },
	[2] = { 0xe0, 0xc0, 0x80 },
	[3] = { 0xf0, 0xe0, 0x800 },
	[4] = { 0xf8, 0xf0, 0x10000 },
};

/*
 * Surrogates (halves of UTF-16) are no characters, and only the shortest form is
 * valid.
 */
static bool is_valid(uint32_t code, size_t len)
{
	return code >= forms[len].least && code <= LAST_CODE &&
	       (code < FIRST_SURROGATE || code > LAST_SURROGATE);
}

size_t utf8_char(const char *str, uint32_t *code)
{
	const unsigned char *c = (const unsigned char *)str;
	size_t i, len = 1;

	while (len < ARRAY_SIZE(forms) &&
	       (*c & forms[len].mask) != forms[len].mark)
		len++;
	if (len == ARRAY_SIZE(forms))
		return 0;

	*code = *c & ~forms[len].mask;
	for (i = 1; i < len; i++) {
		/* The NUL at the end of the string does not pass either. */
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (c[i] & 0x3f);
	}
	return is_valid(*code, len) ? len : 0;
}
