/* SPDX-License-Identifier: GPL-2.0 */
/* What every part of dsctl shares: options, commands, messages. */
#ifndef DSCTL_H
#define DSCTL_H

#include <stdbool.h>
#include <stdio.h>

#define __printf(fmt, args) \
	__attribute__((__format__ \
		       (__printf__, fmt, args)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/**
 * enum exit_code - The exit statuses of dsctl.
 * @EXIT_OK: done.
 * @EXIT_USAGE: the command line is wrong, the kernel was not asked.
 * @EXIT_KERNEL: the kernel said no, or the answer could not be had or written.
 * @EXIT_FOUND: done, and an audit found what it looks for.
 */
enum exit_code {
	EXIT_OK,
	EXIT_USAGE,
	EXIT_KERNEL,
	EXIT_FOUND,
};

/**
 * exit_worse() - The status of two things done.
 * @a: of the one.
 * @b: of the other.
 *
 * Return: the one that matters more: success matters least, and of the others
 *	   each more than the next.
 */
int exit_worse(int a, int b);

/**
 * struct options - The options before the command.
 * @netns: network namespace of -n, or the current one of -N; NULL for the
 *	   caller's own.
 * @batch: file of commands, "-" for stdin, NULL if there is none.
 * @every_netns: run the command in every network namespace.
 * @force: go on with a batch after a failure.
 * @json: print JSON.
 * @pretty: indent the JSON.
 * @stats: show more.
 * @all: AF_INET sockets and connections too.
 * @no_processes: list sockets without the processes that have them.
 * @color: colour the tables.
 */
struct options {
	const char *netns;
	const char *batch;
	bool every_netns;
	bool force;
	bool json;
	bool pretty;
	bool stats;
	bool all;
	bool no_processes;
	bool color;
};

extern struct options opts;

/**
 * struct cmd - A word of the command line, and what follows it.
 * @name: the word.
 * @args: grammar of the arguments, NULL if there are none.
 * @help: what the command does, in one line.
 * @details: what the arguments mean, lines for the help of this command.
 * @sub: the commands below this one, ended by NULL; or
 * @run: what to do with the arguments; returns an enum exit_code.
 * @end: if not NULL, what to do once after @run, which with -N is called for
 *	 each namespace; is given an enum exit_code and returns one.
 * @every_netns: goes with -N.
 */
struct cmd {
	const char *name;
	const char *args;
	const char *help;
	const char *details;
	const struct cmd *const *sub;
	int (*run)(int argc, char **argv);
	int (*end)(int status);
	bool every_netns;
};

extern const struct cmd cmd_audit;
extern const struct cmd cmd_export;
extern const struct cmd cmd_show;
extern const struct cmd cmd_show_sockets;
extern const struct cmd cmd_show_stats;
extern const struct cmd cmd_show_hooks;
extern const struct cmd cmd_show_config;
extern const struct cmd cmd_set;
extern const struct cmd cmd_set_tracking;
extern const struct cmd cmd_set_v6only;
extern const struct cmd cmd_set_bindv6only;
extern const struct cmd cmd_set_max_sockets;
extern const struct cmd cmd_set_event_rate;
extern const struct cmd cmd_reset;
extern const struct cmd cmd_monitor;
extern const struct cmd cmd_explain;

/**
 * cmd_run() - Run the command that the arguments name.
 * @root: the command that they start from.
 * @argc: number of arguments.
 * @argv: the arguments.
 *
 * Return: an enum exit_code.
 */
int cmd_run(const struct cmd *root, int argc, char **argv);

/**
 * cmd_help() - Explain a command, and those below it, on stdout.
 * @cmd: the command.
 */
void cmd_help(const struct cmd *cmd);

/**
 * word_match() - Find the one name that a word is, or abbreviates.
 * @what: what the word is for, the start of an error message.
 * @word: the word.
 * @names: the choices.
 * @n: how many.
 *
 * Return: an index, or -1 after a message.
 */
int word_match(const char *what, const char *word, const char *const *names,
	       size_t n);

/**
 * err() - Print a message on stderr, with the name of the program before it.
 * @fmt: as in printf(), without a newline.
 */
__printf(1, 2) void err(const char *fmt, ...);

/**
 * netns_enter() - Enter the network namespace of -n.
 *
 * Return: 0, or -1 after a message.
 */
int netns_enter(void);

/**
 * netns_each() - Run a command in every network namespace, for -N.
 * @cmd: the command.
 * @argc: number of its arguments.
 * @argv: the arguments.
 *
 * Namespaces that the caller may not enter are passed over.
 *
 * Return: an enum exit_code, the worst of all.
 */
int netns_each(const struct cmd *cmd, int argc, char **argv);

/**
 * batch_run() - Run the commands of a file.
 * @root: the command that they start from.
 * @name: of the file, "-" for stdin.
 *
 * Return: an enum exit_code.
 */
int batch_run(const struct cmd *root, const char *name);

#endif /* DSCTL_H */
