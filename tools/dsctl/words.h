/* SPDX-License-Identifier: GPL-2.0 */
/* dsctl help --words: what can come next on a command line, for programs. */
#ifndef DSCTL_WORDS_H
#define DSCTL_WORDS_H

#include "cmd.h"

/* The word behind "help" that asks for it. */
#define WORDS_WORD	"--words"

/**
 * words_print() - Print the words that can come next, each on a line.
 * @cmd: the command that the words start from.
 * @options: they start with options.
 * @n: how many words there are.
 * @words: these, complete or abbreviated; the one that is sought is not among them.
 *
 * A word is what can be typed, or in capitals the kind of a value. Commands and
 * options have a tab and what they do behind them.
 */
void words_print(const struct cmd *cmd, bool options, int n,
		 char *const *words);

#endif /* DSCTL_WORDS_H */
