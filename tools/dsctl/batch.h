/* SPDX-License-Identifier: GPL-2.0 */
/* -b FILE: a command on each line. */
#ifndef DSCTL_BATCH_H
#define DSCTL_BATCH_H

#include "cmd.h"

/**
 * batch_run() - Run the commands of the file that -b names.
 * @ctx: with the options.
 * @root: the command that they start from.
 *
 * Return: an enum exit_code.
 */
int batch_run(struct ctx *ctx, const struct cmd *root);

#endif /* DSCTL_BATCH_H */
