// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dsctl.h"
#include "util/args.h"

int arg_number(const char *what, const char *word, uint64_t min, uint64_t max,
	       uint64_t *number)
{
	/* Nothing but digits: strtoull() would take signs and spaces too. */
	if (*word && strspn(word, "0123456789") == strlen(word)) {
		errno = 0;
		*number = strtoull(word, NULL, 10);
		if (!errno && *number >= min && *number <= max)
			return 0;
	}
	err("%s \"%s\": not a number from %llu to %llu", what, word,
	    (unsigned long long)min, (unsigned long long)max);
	return -1;
}

int arg_on_off(const char *what, const char *word)
{
	static const char *const names[] = { "off", "on" };

	return word_match(what, word, names, ARRAY_SIZE(names));
}

int arg_single(const char *what, int argc, char **argv)
{
	if (argc == 1)
		return 0;
	if (argc)
		err("%s: one argument too many: \"%s\"", what, argv[1]);
	else
		err("%s: a value is missing", what);
	return -1;
}
