/* SPDX-License-Identifier: GPL-2.0 */
/* The options before the command. */
#ifndef DSCTL_OPTIONS_H
#define DSCTL_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

/**
 * struct options - The options as they were given; nothing changes them later.
 * @netns: network namespace of -n, or NULL.
 * @batch: file of commands, "-" for stdin, NULL if there is none.
 * @every_netns: run the command in every network namespace.
 * @force: go on with a batch after a failure.
 * @json: print JSON.
 * @pretty: indent the JSON.
 * @stats: show more.
 * @all: connections too.
 * @family: sockets of this family alone, 0 for both.
 * @no_processes: list sockets without the processes that have them.
 * @resolve: show names of addresses.
 * @no_header: print tables without headings.
 * @columns: names of the columns that tables are to have, NULL for those that they
 *	     have anyway.
 * @color: colour the tables.
 * @version: print the version and no more.
 * @help: print a summary and no more.
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
	int family;
	bool no_processes;
	bool resolve;
	bool no_header;
	const char *columns;
	bool color;
	bool version;
	bool help;
};

/**
 * struct option_info - What there is to know about an option.
 * @name: its name.
 * @value: its letter, or a number above those.
 * @argument: the kind of its argument, as a grammar has it, behind "=" if it may be
 *	      missing, or NULL.
 * @summary: how the help puts it, with what separates it from the next one.
 * @help: what it does, NULL for another name of the one before.
 *
 * What getopt knows, the summary in the help and the words of `dsctl help --words`
 * follow from it.
 */
struct option_info {
	const char *name;
	int value;
	const char *argument;
	const char *summary;
	const char *help;
};

/* Ended by one without a name. */
extern const struct option_info option_infos[];

/**
 * options_help() - Print the rule of OPTIONS, for the help.
 * @f: where to.
 */
void options_help(FILE *f);

/**
 * options_parse() - Read the options.
 * @opts: filled in, zeroed before.
 * @argc: number of arguments of main().
 * @argv: these.
 *
 * -V and -h are the last that is looked at.
 *
 * Return: the index of the first argument that is none, or -1 after a message.
 */
int options_parse(struct options *opts, int argc, char **argv);

#endif /* DSCTL_OPTIONS_H */
