// SPDX-License-Identifier: GPL-2.0
/* dsctl: show where IPv4 meets AF_INET6 sockets, by the dualstack module. */
#include <getopt.h>
#include <stdarg.h>

#include "dsctl.h"
#include "output.h"

struct options opts;

static const struct cmd *const commands[] = {
	&cmd_show,
	&cmd_explain,
	&cmd_monitor,
	&cmd_set,
	&cmd_reset,
	NULL
};

static const struct cmd root = {
	.name = "dsctl",
	.details =
		"OPTIONS := { -j[son] | -p[retty] | -s[tatistics] | -a[ll] |\n"
		"             -n[etns] NETNS | -V[ersion] | -h[elp] }\n"
		"NETNS   := a name of `ip netns`, a path, or a process ID",
	.sub = commands,
};

void err(const char *fmt, ...)
{
	va_list ap;

	/* What was printed before comes first where both go to one place. */
	fflush(stdout);
	fputs("dsctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int main(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "json",	no_argument,		NULL, 'j' },
		{ "pretty",	no_argument,		NULL, 'p' },
		{ "statistics",	no_argument,		NULL, 's' },
		{ "all",	no_argument,		NULL, 'a' },
		{ "netns",	required_argument,	NULL, 'n' },
		{ "Version",	no_argument,		NULL, 'V' },
		{ "version",	no_argument,		NULL, 'V' },
		{ "help",	no_argument,		NULL, 'h' },
		{ }
	};
	int c, ret, end;

	/* getopt's messages shall read as ours do. */
	if (argc)
		argv[0] = (char *)root.name;

	while ((c = getopt_long_only(argc, argv, "+jpsan:Vh", longopts,
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
		case 'n':
			opts.netns = optarg;
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

	ret = cmd_run(&root, argc - optind, argv + optind);
	end = out_close();
	return ret ? ret : end;
}
