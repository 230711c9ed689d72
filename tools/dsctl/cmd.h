/* SPDX-License-Identifier: GPL-2.0 */
/* What a command is: all that there is to know of it before it runs, as data. */
#ifndef DSCTL_CMD_H
#define DSCTL_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "ctx.h"
#include "out/err.h"
#include "out/table.h"

/**
 * enum cmd_need - What has to be there before a command runs, as bits.
 * @NEED_STDOUT: stdout, for commands that wait before the first write.
 * @NEED_DUALSTACK: the module, for requests.
 * @NEED_EVENTS: a second socket to it, so that no answer is mixed with events.
 * @NEED_SOCK_DIAG: sock_diag.
 *
 * They are opened in this order, and what is missing is reported, before it runs;
 * they are closed after it.
 */
enum cmd_need {
	NEED_STDOUT = 1,
	NEED_DUALSTACK = 2,
	NEED_EVENTS = 4,
	NEED_SOCK_DIAG = 8,
};

/**
 * enum cmd_right - What the kernel asks for: it decides, this is to tell the user.
 * @RIGHT_NONE: nothing.
 * @RIGHT_NETNS: CAP_NET_ADMIN in the network namespace.
 * @RIGHT_INITIAL: CAP_NET_ADMIN in the initial user namespace.
 */
enum cmd_right {
	RIGHT_NONE,
	RIGHT_NETNS,
	RIGHT_INITIAL,
};

/**
 * struct cmd - A word of the command line, and what follows it.
 * @name: the word.
 * @args: grammar of the arguments, NULL if there are none.
 * @rules: what the names in @args stand for, "NAME := ..." on a line each, or on
 *	   several, of which the others begin with a blank; or NULL.
 * @help: what the command does, in one line.
 * @details: more about it, lines for the help of this command, or NULL.
 * @usual: the one of @sub that is meant where no word names one; NULL if one has to.
 * @sub: the commands below this one, ended by NULL. NULL for a command that can be
 *	 run: all that follows is about that.
 * @needs: enum cmd_need, the bits of all that apply.
 * @right: enum cmd_right.
 * @every_netns: goes with -N.
 * @columns: adds all the columns that its table can have; NULL if it prints none.
 * @job_size: bytes of the job: what was asked for, as the command knows it.
 * @parse: fills the job, which is zeroed, from the arguments; returns 0, or -1 after
 *	   a message. NULL if there is nothing to fill.
 * @run: does it; returns an enum exit_code. With -N it is called for each namespace,
 *	 with the same job.
 * @end: called once after all that, even where @parse failed; is given an enum
 *	 exit_code and returns one. NULL if nothing is left to do.
 */
struct cmd {
	const char *name;
	const char *args;
	const char *rules;
	const char *help;
	const char *details;
	const struct cmd *usual;
	const struct cmd *const *sub;
	unsigned int needs;
	enum cmd_right right;
	bool every_netns;
	void (*columns)(struct table *table);
	size_t job_size;
	int (*parse)(struct ctx *ctx, void *job, int argc, char **argv);
	int (*run)(struct ctx *ctx, void *job);
	int (*end)(struct ctx *ctx, void *job, int status);
};

#endif /* DSCTL_CMD_H */
