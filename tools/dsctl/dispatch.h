/* SPDX-License-Identifier: GPL-2.0 */
/* The words after the options: find the command they name, and run or explain it. */
#ifndef DSCTL_DISPATCH_H
#define DSCTL_DISPATCH_H

#include "cmd.h"

/**
 * cmd_run() - Run the command that the arguments name.
 * @ctx: with the options; its netlink sockets are opened and closed here.
 * @root: the command that they start from.
 * @argc: number of arguments.
 * @argv: the arguments.
 *
 * Return: an enum exit_code.
 */
int cmd_run(struct ctx *ctx, const struct cmd *root, int argc, char **argv);

/**
 * cmd_help() - Explain a command, and those below it, on stdout.
 * @cmd: the command.
 */
void cmd_help(const struct cmd *cmd);

#endif /* DSCTL_DISPATCH_H */
