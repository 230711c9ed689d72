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
 */
enum exit_code {
	EXIT_OK,
	EXIT_USAGE,
	EXIT_KERNEL,
};

/**
 * struct options - The options before the command.
 * @netns: network namespace of -n, NULL for the caller's own.
 * @json: print JSON.
 * @pretty: indent the JSON.
 * @stats: show more.
 * @all: AF_INET sockets and connections too.
 */
struct options {
	const char *netns;
	bool json;
	bool pretty;
	bool stats;
	bool all;
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
 */
struct cmd {
	const char *name;
	const char *args;
	const char *help;
	const char *details;
	const struct cmd *const *sub;
	int (*run)(int argc, char **argv);
};

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

#endif /* DSCTL_H */
