/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The grammar of arguments, in the notation that the help prints: this reads it, so
 * that what the help says and what a shell completes cannot differ.
 *
 * A grammar is a sequence of these, with blanks between them:
 *
 *   word         the word itself
 *   NAME         what the rule of that name says, or else any value of that kind
 *   { a | b }    one of these
 *   [ a ]        this or nothing; those that stand side by side come in any order
 *
 * and rules are lines "NAME := grammar".
 */
#ifndef DSCTL_GRAMMAR_H
#define DSCTL_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

/**
 * typedef grammar_next_t - What to do with a word that can come next.
 * @word: the word, or the name of a kind of value, in capitals.
 * @len: its length, as no NUL ends it.
 * @arg: from the caller.
 */
typedef void (*grammar_next_t)(const char *word, size_t len, void *arg);

/**
 * grammar_is_kind() - Whether a word of a grammar is the name of a rule or kind.
 * @word: the word.
 *
 * Return: false if it stands for itself.
 */
bool grammar_is_kind(const char *word);

/**
 * grammar_next() - Find the words that can come next.
 * @args: the grammar.
 * @rules: its rules, or NULL.
 * @words: the words that are there; they may be abbreviated.
 * @n: how many. If they do not fit the grammar, no word comes next.
 * @next: called once for each.
 * @arg: for it.
 */
void grammar_next(const char *args, const char *rules, char *const *words,
		  int n, grammar_next_t next, void *arg);

#endif /* DSCTL_GRAMMAR_H */
