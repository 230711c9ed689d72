// SPDX-License-Identifier: GPL-2.0
/* dsctl: show where IPv4 meets AF_INET6 sockets, by the dualstack module. */
#include <getopt.h>
#include <limits.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "dsctl.h"
#include "out/output.h"
#include "out/text.h"

/* Bytes of what gets a mapping of its own. */
#define LARGE_ALLOC	(128 * 1024)

/* A path, and what is wrong with it. */
#define MAX_MESSAGE	(PATH_MAX + 1024)

struct options opts;

static const struct cmd *const commands[] = {
	&cmd_show,
	&cmd_explain,
	&cmd_monitor,
	&cmd_set,
	&cmd_reset,
	&cmd_audit,
	&cmd_export,
	NULL
};

static const struct cmd root = {
	.name = "dsctl",
	.details =
		"OPTIONS := { -j[son] | -p[retty] | -s[tatistics] | -a[ll] |\n"
		"             -P | -no-processes |\n"
		"             -c[olor][={ always | auto | never }] |\n"
		"             -n[etns] NETNS | -N | -b[atch] FILE | -force |\n"
		"             -V[ersion] | -h[elp] }\n"
		"NETNS   := a name of `ip netns`, a path, or a process ID\n"
		"-N      := in every network namespace that may be entered\n"
		"FILE    := commands, one on a line; - for stdin",
	.sub = commands,
};

/* Names in it can hold anything. Where there is no memory, half of it may do. */
void err(const char *fmt, ...)
{
	struct text text = { };
	char str[MAX_MESSAGE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(str, sizeof(str), fmt, ap);
	va_end(ap);
	text_escape(&text, str);

	/* What was printed before comes first where both go to one place. */
	out_flush();
	fprintf(stderr, "dsctl: %s\n", text.buf ? text.buf : fmt);
	free(text.buf);
}

/* NO_COLOR is for defaults (no-color.org); "always" was asked for. */
static int parse_color(const char *when)
{
	static const char *const names[] = { "always", "auto", "never" };
	const char *no_color = getenv("NO_COLOR");

	switch (when ? word_match("-color", when, names, ARRAY_SIZE(names)) : 0) {
	case 0:
		opts.color = true;
		return 0;
	case 1:
		opts.color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
		return 0;
	case 2:
		opts.color = false;
		return 0;
	default:
		return -1;
	}
}

static int run(int argc, char **argv)
{
	if (opts.every_netns && opts.netns) {
		err("-N and -n: one or the other");
		return EXIT_USAGE;
	}
	if (!opts.batch)
		return cmd_run(&root, argc, argv);
	if (opts.every_netns) {
		err("-N does not go with -b");
		return EXIT_USAGE;
	}
	if (argc) {
		err("-b takes its commands from the file: \"%s\"", argv[0]);
		return EXIT_USAGE;
	}
	return batch_run(&root, opts.batch);
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "json",	no_argument,		NULL, 'j' },
		{ "pretty",	no_argument,		NULL, 'p' },
		{ "statistics",	no_argument,		NULL, 's' },
		{ "all",	no_argument,		NULL, 'a' },
		{ "no-processes", no_argument,		NULL, 'P' },
		{ "color",	optional_argument,	NULL, 'c' },
		{ "netns",	required_argument,	NULL, 'n' },
		{ "every-netns", no_argument,		NULL, 'N' },
		{ "batch",	required_argument,	NULL, 'b' },
		{ "force",	no_argument,		NULL, 'f' },
		{ "Version",	no_argument,		NULL, 'V' },
		{ "version",	no_argument,		NULL, 'V' },
		{ "help",	no_argument,		NULL, 'h' },
		{ }
	};
	int c, ret, end;

	/*
	 * Long lists have mappings of their own, which glibc's malloc() stops to give
	 * once one is freed: in the heap they leave holes where they grew.
	 */
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, LARGE_ALLOC);
#endif

	out_init();
	text_init();

	/* getopt's messages shall read as ours do. */
	if (argc)
		argv[0] = (char *)root.name;

	while ((c = getopt_long_only(argc, argv, "+jpsaPc::n:Nb:Vh", longopts,
				     NULL)) != -1) {
		switch (c) {
		case 'j':
			opts.json = true;
			break;
		case 'p':
			opts.pretty = true;
			break;
		case 's':
			opts.stats = true;
			break;
		case 'a':
			opts.all = true;
			break;
		case 'P':
			opts.no_processes = true;
			break;
		case 'c':
			if (parse_color(optarg))
				return EXIT_USAGE;
			break;
		case 'n':
			opts.netns = optarg;
			break;
		case 'N':
			opts.every_netns = true;
			break;
		case 'b':
			opts.batch = optarg;
			break;
		case 'f':
			opts.force = true;
			break;
		case 'V':
			puts("dsctl utility, dualstack-" DUALSTACK_VERSION);
			return out_close();
		case 'h':
			cmd_help(&root);
			return out_close();
		default:
			fputs("Try \"dsctl help\".\n", stderr);
			return EXIT_USAGE;
		}
	}

	ret = run(argc - optind, argv + optind);
	end = out_close();
	return exit_worse(ret, end);
}
