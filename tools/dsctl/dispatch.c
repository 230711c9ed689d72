// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"
#include "netns.h"
#include "nl/dsnl.h"
#include "out/err.h"
#include "out/stream.h"
#include "out/table.h"
#include "socks/procs.h"
#include "util/args.h"
#include "words.h"

#define MAX_NAMES	16	/* commands on one level, "help" included */
#define MAX_PATH	64	/* all words of a command, as "show sockets" */
#define HELP		"help"
#define HELP_COLUMN	38	/* where the help says what a command does */

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
	if (cmd->rules) {
		fputc('\n', f);
		if (!*path)
			options_help(f);
		fprintf(f, "%s\n", cmd->rules);
	}
	if (cmd->details)
		fprintf(f, "\n%s\n", cmd->details);
}

void cmd_help(const struct cmd *cmd)
{
	char path[MAX_PATH] = "";

	usage(stdout, path, cmd);
}

/* The right that was missing, if the kernel refuses without saying so. */
static const char *const rights[] = {
	[RIGHT_NONE] = "CAP_NET_ADMIN in the network namespace",
	[RIGHT_NETNS] = "CAP_NET_ADMIN in the network namespace",
	[RIGHT_INITIAL] = "CAP_NET_ADMIN in the initial user namespace",
};

static void close_needs(struct ctx *ctx)
{
	dsnl_close(&ctx->sock_diag);
	dsnl_close(&ctx->events);
	dsnl_close(&ctx->dualstack);
}

static int open_needs(struct ctx *ctx, const struct cmd *cmd)
{
	if ((cmd->needs & NEED_STDOUT && !out_is_open()) ||
	    (cmd->needs & NEED_DUALSTACK &&
	     dsnl_open_dualstack(&ctx->dualstack)) ||
	    (cmd->needs & NEED_EVENTS && dsnl_open_dualstack(&ctx->events)) ||
	    (cmd->needs & NEED_SOCK_DIAG &&
	     dsnl_open_sock_diag(&ctx->sock_diag))) {
		close_needs(ctx);
		return -1;
	}
	ctx->dualstack.right = rights[cmd->right];
	return 0;
}

/**
 * struct run - A command that is run, once or in many network namespaces.
 * @ctx: what it is handed.
 * @cmd: the command.
 * @job: what was asked for.
 * @n: how often it has been run.
 */
struct run {
	struct ctx *ctx;
	const struct cmd *cmd;
	void *job;
	size_t n;
};

static int run_once(struct run *run)
{
	int ret;

	run->n++;
	if (open_needs(run->ctx, run->cmd))
		return EXIT_KERNEL;
	ret = run->cmd->run(run->ctx, run->job);
	close_needs(run->ctx);
	return ret;
}

static int run_in(const char *netns, void *arg)
{
	struct run *run = arg;

	run->ctx->out.netns = netns;
	run->ctx->out.heading = !run->ctx->out.json;
	return run_once(run);
}

/* The namespace of -n is entered when there is something to do in it. */
static int run_here(struct run *run)
{
	struct ctx *ctx = run->ctx;

	if (ctx->opts.netns && !ctx->entered && netns_enter(ctx->opts.netns))
		return EXIT_KERNEL;
	ctx->entered = true;
	return run_once(run);
}

static int run_everywhere(struct run *run)
{
	struct ctx *ctx = run->ctx;
	struct dsnl nl = { };
	int ret;

	/* Without the module, say so once. */
	if (dsnl_open_dualstack(&nl))
		return EXIT_KERNEL;
	dsnl_close(&nl);

	if (ctx->out.json)
		json_join(&ctx->out);
	run->n = 0;
	procs_keep();
	ret = netns_each(ctx->opts.stats, run_in, run);
	procs_forget();
	if (ctx->out.json && run->n)
		json_join_end(&ctx->out);
	return ret;
}

static int report(void *arg)
{
	struct run *run = arg;

	return run->ctx->opts.every_netns ? run_everywhere(run) : run_here(run);
}

/* That a column is not there is said before anything is asked for, or done. */
static int check_columns(struct ctx *ctx, const struct cmd *cmd)
{
	struct table table;
	int ret;

	if (!ctx->out.columns)
		return 0;
	if (ctx->out.json) {
		err("-o chooses columns of tables: it does not go with -j");
		return -1;
	}
	if (!cmd->columns) {
		err("%s prints no table: it does not go with -o", cmd->name);
		return -1;
	}
	table_init(&table, &ctx->out);
	cmd->columns(&table);
	ret = table_check(&table);
	table_free(&table);
	return ret;
}

static int run(struct ctx *ctx, const struct cmd *cmd, int argc, char **argv)
{
	struct run run = { .ctx = ctx, .cmd = cmd };
	int ret = EXIT_USAGE;

	ctx->told_idle = false;
	memset(&ctx->repeat, 0, sizeof(ctx->repeat));
	if (check_columns(ctx, cmd))
		return EXIT_USAGE;
	if (cmd->job_size) {
		run.job = calloc(1, cmd->job_size);
		if (!run.job) {
			err_no_memory();
			return EXIT_KERNEL;
		}
	}
	if (!cmd->parse || !cmd->parse(ctx, run.job, argc, argv))
		ret = repeat_run(ctx, report, &run);
	if (cmd->end)
		ret = cmd->end(ctx, run.job, ret);
	if (ctx->out.cut && out_flush())
		err("columns were cut to fit the terminal: a pipe or a file gets them whole");
	ctx->out.cut = false;
	free(run.job);
	return ret;
}

/* What comes behind "help". */
static int help(const struct cmd *cmd, char *path, int argc, char **argv)
{
	if (argc && !strcmp(argv[0], WORDS_WORD))
		words_print(cmd, !*path, argc - 1, argv + 1);
	else
		usage(stdout, path, cmd);
	return EXIT_OK;
}

/* Whether a word may be one that comes below a command. */
static bool names_sub(const struct cmd *cmd, const char *word)
{
	const struct cmd *const *sub;

	for (sub = cmd->sub; *sub; sub++)
		if (word_abbreviates(word, (*sub)->name))
			return true;
	return word_abbreviates(word, HELP);
}

int cmd_run(struct ctx *ctx, const struct cmd *cmd, int argc, char **argv)
{
	char path[MAX_PATH] = "";
	int i;

	while (cmd->sub) {
		const char *names[MAX_NAMES];
		int n = 0;

		if (cmd->usual && !(argc && names_sub(cmd, argv[0]))) {
			append(path, cmd->usual->name);
			cmd = cmd->usual;
			break;
		}
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
		if (i == n)
			return help(cmd, path, argc - 1, argv + 1);
		cmd = cmd->sub[i];
		append(path, cmd->name);
		argc--;
		argv++;
	}

	if (argc && word_abbreviates(argv[0], HELP))
		return help(cmd, path, argc - 1, argv + 1);
	if (argc && !cmd->args) {
		err("%stakes no argument: \"%s\"", path, argv[0]);
		return EXIT_USAGE;
	}
	if (ctx->opts.every_netns && !cmd->every_netns) {
		err("%sdoes not go with -N", path);
		return EXIT_USAGE;
	}
	return run(ctx, cmd, argc, argv);
}
