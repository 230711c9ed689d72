// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "options.h"
#include "out/err.h"
#include "util/args.h"
#include "util/array.h"

/* More than any letter. */
#define OPTION_FORCE	256

#define NEXT_LINE	"\n             "

const struct option_info option_infos[] = {
	{ "json", 'j', NULL, "-j[son] | ",
	  "Print JSON" },
	{ "pretty", 'p', NULL, "-p[retty] | ",
	  "Indent the JSON" },
	{ "statistics", 's', NULL, "-s[tatistics] | ",
	  "Show more" },
	{ "all", 'a', NULL, "-a[ll] |" NEXT_LINE,
	  "Show all sockets" },
	{ "4", '4', NULL, "-4 | ",
	  "Show AF_INET sockets alone" },
	{ "6", '6', NULL, "-6 |" NEXT_LINE,
	  "Show AF_INET6 sockets alone" },
	{ "no-processes", 'P', NULL, "-P | -no-processes | ",
	  "Show sockets without their processes" },
	{ "resolve", 'r', NULL, "-r[esolve] |" NEXT_LINE,
	  "Show peers by their names" },
	{ "no-header", 'H', NULL, "-H | -no-header | ",
	  "Print tables without headings" },
	{ "output", 'o', "COLUMNS", "-o | -output COLUMNS |" NEXT_LINE,
	  "Choose the columns of tables" },
	{ "color", 'c', "={ always | auto | never }",
	  "-c[olor][={ always | auto | never }] |" NEXT_LINE,
	  "Colour tables" },
	{ "netns", 'n', "NETNS", "-n[etns] NETNS | ",
	  "In another network namespace" },
	{ "every-netns", 'N', NULL, "-N | ",
	  "In every network namespace" },
	{ "batch", 'b', "FILE", "-b[atch] FILE | ",
	  "Run the commands of a file" },
	{ "force", OPTION_FORCE, NULL, "-force |" NEXT_LINE,
	  "Go on with a batch after a failure" },
	{ "Version", 'V', NULL, "-V[ersion] | ",
	  "Print the version" },
	{ "version", 'V', NULL, "", NULL },
	{ "help", 'h', NULL, "-h[elp] ",
	  "Print a summary" },
	{ }
};

#define NUM_OPTIONS (ARRAY_SIZE(option_infos) - 1)

/* NO_COLOR is about the default (no-color.org), not about what was asked for. */
static int parse_color(struct options *opts, const char *when)
{
	static const char *const names[] = { "always", "auto", "never" };
	const char *no_color = getenv("NO_COLOR");

	switch (when ? word_match("-color", when, names, ARRAY_SIZE(names)) : 0) {
	case 0:
		opts->color = true;
		return 0;
	case 1:
		opts->color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
		return 0;
	case 2:
		opts->color = false;
		return 0;
	default:
		return -1;
	}
}

static int parse_family(struct options *opts, int letter)
{
	int family = letter == '4' ? AF_INET : AF_INET6;

	if (opts->family && opts->family != family) {
		err("-4 and -6 exclude each other: without them both are shown");
		return -1;
	}
	opts->family = family;
	return 0;
}

static int has_arg(const struct option_info *info)
{
	if (!info->argument)
		return no_argument;
	return *info->argument == '=' ? optional_argument : required_argument;
}

/*
 * For getopt: each letter with its colons. "+" ends options at the first other
 * word.
 */
static void fill(struct option *longopts, char *letters)
{
	size_t i;
	int n;

	*letters++ = '+';
	for (i = 0; i < NUM_OPTIONS; i++) {
		const struct option_info *info = &option_infos[i];

		longopts[i].name = info->name;
		longopts[i].has_arg = has_arg(info);
		longopts[i].val = info->value;
		if (!info->help || info->value >= OPTION_FORCE)
			continue;
		*letters++ = info->value;
		for (n = has_arg(info); n; n--)
			*letters++ = ':';
	}
	*letters = '\0';
}

void options_help(FILE *f)
{
	size_t i;

	fputs("OPTIONS := { ", f);
	for (i = 0; i < NUM_OPTIONS; i++)
		fputs(option_infos[i].summary, f);
	fputs("}\n", f);
}

int options_parse(struct options *opts, int argc, char **argv)
{
	struct option longopts[NUM_OPTIONS + 1] = { };
	char letters[3 * NUM_OPTIONS + 2];
	int c;

	fill(longopts, letters);
	while ((c = getopt_long_only(argc, argv, letters, longopts, NULL)) !=
	       -1) {
		switch (c) {
		case 'j':
			opts->json = true;
			break;
		case 'p':
			opts->pretty = true;
			break;
		case 's':
			opts->stats = true;
			break;
		case 'a':
			opts->all = true;
			break;
		case '4':
		case '6':
			if (parse_family(opts, c))
				return -1;
			break;
		case 'P':
			opts->no_processes = true;
			break;
		case 'r':
			opts->resolve = true;
			break;
		case 'H':
			opts->no_header = true;
			break;
		case 'o':
			opts->columns = optarg;
			break;
		case 'c':
			if (parse_color(opts, optarg))
				return -1;
			break;
		case 'n':
			opts->netns = optarg;
			break;
		case 'N':
			opts->every_netns = true;
			break;
		case 'b':
			opts->batch = optarg;
			break;
		case OPTION_FORCE:
			opts->force = true;
			break;
		case 'V':
			opts->version = true;
			return optind;
		case 'h':
			opts->help = true;
			return optind;
		default:
			fputs("Try \"dsctl help\".\n", stderr);
			return -1;
		}
	}
	return optind;
}
