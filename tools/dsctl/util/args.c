// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/err.h"
#include "util/args.h"
#include "util/array.h"

#define MAX_FOUND	16	/* names in the message about an ambiguous word */

bool word_abbreviates(const char *word, const char *name)
{
	return *word && !strncmp(word, name, strlen(word));
}

void err_names(const char *what, const char *word, const char *problem,
	       const char *const *names, size_t n)
{
	char list[256] = "";
	size_t i, len = 0;

	for (i = 0; i < n && len < sizeof(list); i++)
		len += snprintf(list + len, sizeof(list) - len, "%s%s",
				i ? ", " : "", names[i]);
	err("%s \"%s\" is %s: %s", what, word, problem, list);
}

int word_match(const char *what, const char *word, const char *const *names,
	       size_t n)
{
	const char *found[MAX_FOUND];
	size_t i, hits = 0, last = 0;

	for (i = 0; i < n; i++) {
		if (!strcmp(word, names[i]))
			return i;
		if (word_abbreviates(word, names[i]) && hits < MAX_FOUND) {
			found[hits++] = names[i];
			last = i;
		}
	}
	if (hits == 1)
		return last;
	if (hits)
		err_names(what, word, "ambiguous", found, hits);
	else
		err_names(what, word, "unknown, expected one of", names, n);
	return -1;
}

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

int arg_seconds(const char *what, const char *word, double min, double max,
		uint64_t *ms)
{
	double seconds;
	char *end;

	/* strtod() would take signs, exponents and words as well. */
	if (*word && strspn(word, "0123456789.") == strlen(word)) {
		seconds = strtod(word, &end);
		if (!*end && seconds >= min && seconds <= max) {
			*ms = 1000 * seconds + 0.5;
			return 0;
		}
	}
	err("%s \"%s\": not a number of seconds from %g to %g", what, word, min,
	    max);
	return -1;
}

int arg_port(const char *word, const char *proto, uint16_t *port)
{
	const struct servent *service = getservbyname(word, proto);
	uint64_t number;

	if (service) {
		*port = ntohs(service->s_port);
		return 0;
	}
	if (!isdigit((unsigned char)*word)) {
		err("port \"%s\": no such service, and not a number from 1 to %u",
		    word, UINT16_MAX);
		return -1;
	}
	if (arg_number("port", word, 1, UINT16_MAX, &number))
		return -1;
	*port = number;
	return 0;
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
