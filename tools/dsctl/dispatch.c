// SPDX-License-Identifier: GPL-2.0
/* The words after the options: find the command they name, or explain it. */
#include <string.h>

#include "dsctl.h"

#define MAX_NAMES	16	/* on one level, "help" included */
#define MAX_PATH	64	/* "show sockets" */
#define HELP		"help"
#define HELP_COLUMN	38	/* where the meanings of commands stand */

static bool abbreviates(const char *word, const char *name)
{
	return *word && !strncmp(word, name, strlen(word));
}

static void err_names(const char *what, const char *word, const char *problem,
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
	const char *found[MAX_NAMES];
	size_t i, hits = 0, last = 0;

	for (i = 0; i < n; i++) {
		if (!strcmp(word, names[i]))
			return i;
		if (abbreviates(word, names[i]) && hits < MAX_NAMES) {
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

static void append(char *path, const char *word)
{
	strncat(path, word, MAX_PATH - 1 - strlen(path));
	strncat(path, " ", MAX_PATH - 1 - strlen(path));
}

/* A line for every command that can be run below this one. */
static void list(FILE *f, char *path, const struct cmd *cmd)
{
	const struct cmd *const *sub;
	size_t len = strlen(path);
	int width;

	for (sub = cmd->sub; *sub; sub++) {
		append(path, (*sub)->name);
		if ((*sub)->sub) {
			list(f, path, *sub);
		} else {
			width = fprintf(f, "  %s%s", path,
					(*sub)->args ? (*sub)->args : "");
			if (width >= HELP_COLUMN) {
				fputc('\n', f);
				width = 0;
			}
			fprintf(f, "%*s%s\n", HELP_COLUMN - width, "",
				(*sub)->help);
		}
		path[len] = '\0';
	}
}

static void usage(FILE *f, char *path, const struct cmd *cmd)
{
	fprintf(f, "Usage: dsctl [ OPTIONS ] %s%s\n\n", path,
		cmd->sub ? "COMMAND" : cmd->args ? cmd->args : "");
	if (cmd->sub)
		list(f, path, cmd);
	else
		fprintf(f, "%s.\n", cmd->help);
	if (cmd->details)
		fprintf(f, "\n%s\n", cmd->details);
}

void cmd_help(const struct cmd *cmd)
{
	char path[MAX_PATH] = "";

	usage(stdout, path, cmd);
}

int exit_worse(int a, int b)
{
	if (!a || !b)
		return a + b;
	return a < b ? a : b;
}

static int run(const struct cmd *cmd, const char *path, int argc, char **argv)
{
	int ret;

	if (!opts.every_netns) {
		ret = cmd->run(argc, argv);
	} else if (cmd->every_netns) {
		ret = netns_each(cmd, argc, argv);
	} else {
		err("%sdoes not go with -N", path);
		return EXIT_USAGE;
	}
	return cmd->end ? cmd->end(ret) : ret;
}

int cmd_run(const struct cmd *cmd, int argc, char **argv)
{
	char path[MAX_PATH] = "";
	int i;

	while (cmd->sub) {
		const char *names[MAX_NAMES];
		int n = 0;

		if (!argc) {
			usage(stderr, path, cmd);
			return EXIT_USAGE;
		}
		while (n < MAX_NAMES - 1 && cmd->sub[n]) {
			names[n] = cmd->sub[n]->name;
			n++;
		}
		names[n] = HELP;

		i = word_match(*path ? "object" : "command", argv[0], names,
			       n + 1);
		if (i < 0)
			return EXIT_USAGE;
		if (i == n) {
			usage(stdout, path, cmd);
			return EXIT_OK;
		}
		cmd = cmd->sub[i];
		append(path, cmd->name);
		argc--;
		argv++;
	}

	if (argc && abbreviates(argv[0], HELP)) {
		usage(stdout, path, cmd);
		return EXIT_OK;
	}
	if (argc && !cmd->args) {
		err("%stakes no argument: \"%s\"", path, argv[0]);
		return EXIT_USAGE;
	}
	return run(cmd, path, argc, argv);
}
