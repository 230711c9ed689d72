// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <string.h>

#include "nl/diag.h"
#include "out/err.h"
#include "socks/filter.h"
#include "util/args.h"
#include "util/array.h"

static int parse_port(struct filter *filter, const char *value)
{
	uint64_t port;

	if (arg_number("port", value, 1, UINT16_MAX, &port))
		return -1;
	filter->port = port;
	return 0;
}

static int parse_proto(struct filter *filter, const char *value)
{
	if (!strcmp(value, "tcp")) {
		filter->proto = IPPROTO_TCP;
	} else if (!strcmp(value, "udp")) {
		filter->proto = IPPROTO_UDP;
	} else {
		err("proto \"%s\": not tcp or udp", value);
		return -1;
	}
	return 0;
}

static int parse_mode(struct filter *filter, const char *value)
{
	for (filter->mode = 0; filter->mode < NUM_MODES; filter->mode++)
		if (!strcmp(value, mode_names[filter->mode]))
			return 0;
	err("mode \"%s\": not dual, v6only, v6, mapped or v4", value);
	return -1;
}

static int parse_cookie(struct filter *filter, const char *value)
{
	return arg_number("cookie", value, 1, UINT64_MAX, &filter->cookie);
}

/* In the order of the bits of FILTER_... */
static const struct {
	const char *name;
	int (*parse)(struct filter *filter, const char *value);
} words[] = {
	{ "port", parse_port },
	{ "proto", parse_proto },
	{ "mode", parse_mode },
	{ "cookie", parse_cookie },
};

int filter_parse(struct filter *filter, unsigned int allowed, int argc,
		 char **argv)
{
	const char *names[ARRAY_SIZE(words)];
	size_t i, n = 0, index[ARRAY_SIZE(words)];
	int found;

	memset(filter, 0, sizeof(*filter));
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (!(allowed & 1U << i))
			continue;
		index[n] = i;
		names[n++] = words[i].name;
	}

	for (; argc > 0; argc -= 2, argv += 2) {
		found = word_match("argument", argv[0], names, n);
		if (found < 0)
			return -1;
		i = index[found];
		if (argc < 2) {
			err("%s: a value is missing", words[i].name);
			return -1;
		}
		if (filter->given & 1U << i) {
			err("%s: given twice", words[i].name);
			return -1;
		}
		filter->given |= 1U << i;
		if (words[i].parse(filter, argv[1]))
			return -1;
	}
	return 0;
}
