/* SPDX-License-Identifier: GPL-2.0 */
/* Command lines of dsctl, from the grammar that its help prints. */
#ifndef GRAMMAR_H
#define GRAMMAR_H

#include "rnd.h"

#define MAX_ARGS	96

/**
 * struct line - A command line.
 * @argc: number of words.
 * @argv: the words, NULL behind the last.
 */
struct line {
	int argc;
	char *argv[MAX_ARGS + 1];
};

/**
 * grammar_load() - Learn the commands.
 * @help: runs dsctl with some words, and returns what it printed, to be freed.
 *
 * Return: how many commands there are.
 */
size_t grammar_load(char *(*help)(const char *const *words));

/**
 * grammar_value() - Have a word among those that stand for a kind of value.
 * @kind: as the grammar calls it, PORT or the like.
 * @word: the word, is kept.
 */
void grammar_value(const char *kind, const char *word);

/**
 * grammar_line() - Make a command line: a right one, or one that is broken.
 * @rnd: where the choices come from.
 * @line: the command line; grammar_free() it.
 * @options: with options before the command.
 */
void grammar_line(struct rnd *rnd, struct line *line, bool options);

void grammar_free(struct line *line);

/* Whether a word of the line begins so. */
bool grammar_has(const struct line *line, const char *begin);

#endif /* GRAMMAR_H */
