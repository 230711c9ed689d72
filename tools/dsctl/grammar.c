// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <string.h>

#include "grammar.h"

#define MAX_WORDS	64	/* longer command lines are not completed */
#define MAX_NEXT	32	/* words that can come next */

/**
 * struct walk - A walk through a grammar along some words.
 * @rules: of the grammar.
 * @words: the words.
 * @n: how many of them to follow.
 * @literal: of each, whether it is taken for itself and not for any value.
 * @next: the words that can come next.
 * @num_next: how many.
 */
struct walk {
	const char *rules;
	char *const *words;
	int n;
	bool literal[MAX_WORDS];
	struct {
		const char *word;
		size_t len;
	} next[MAX_NEXT];
	size_t num_next;
};

/**
 * struct place - A place in the grammar, where to go on after some part of it.
 * @at: the place.
 * @used: if it is at optional parts, side by side: a bit for each that was taken.
 * @up: where to go on after what is there; NULL at the end of the grammar.
 */
struct place {
	const char *at;
	unsigned int used;
	const struct place *up;
};

static void follow(struct walk *walk, const struct place *place, int i);

bool grammar_is_kind(const char *word)
{
	return isupper((unsigned char)*word);
}

/* Whether a rule ends here: it goes on in a line that begins with a blank. */
static bool is_end(const char *at)
{
	return !*at || (*at == '\n' && at[1] != ' ');
}

static const char *skip_blanks(const char *at)
{
	while (!is_end(at) && isspace((unsigned char)*at))
		at++;
	return at;
}

/* The bracket that closes the one here, or the end of the rule. */
static const char *closing(const char *at)
{
	int depth = 0;

	for (; !is_end(at); at++) {
		depth += *at == '[' || *at == '{';
		depth -= *at == ']' || *at == '}';
		if (!depth)
			break;
	}
	return at;
}

/* What separates this alternative from the next one, or ends all of them. */
static const char *end_of_alternative(const char *at)
{
	while (!is_end(at) && !strchr("|]}", *at)) {
		if (*at == '[' || *at == '{')
			at = closing(at);
		at += !!*at;
	}
	return at;
}

static const char *find_rule(const char *rules, const char *name, size_t len)
{
	const char *at, *line;

	for (line = rules; line; line = line ? line + 1 : NULL) {
		if (!strncmp(line, name, len) && line[len] == ' ') {
			at = skip_blanks(line + len);
			if (!strncmp(at, ":= ", 3))
				return at + 3;
		}
		line = strchr(line, '\n');
	}
	return NULL;
}

static void add_next(struct walk *walk, const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < walk->num_next; i++)
		if (walk->next[i].len == len &&
		    !memcmp(walk->next[i].word, word, len))
			return;
	if (walk->num_next == MAX_NEXT)
		return;
	walk->next[walk->num_next].word = word;
	walk->next[walk->num_next++].len = len;
}

static bool is_taken(const struct walk *walk, int i, const char *word,
		     size_t len)
{
	const char *given = walk->words[i];
	size_t n = strlen(given);

	if (grammar_is_kind(word))
		return !walk->literal[i];
	/* What is written in full is not the beginning of another word. */
	if (walk->literal[i] && n != len)
		return false;
	return n && n <= len && !memcmp(given, word, n);
}

/* Each of the alternatives from here to the bracket; then @behind. */
static void follow_each(struct walk *walk, const char *at,
			const struct place *behind, int i)
{
	struct place place = { .up = behind };

	for (;; at++) {
		place.at = at;
		follow(walk, &place, i);
		at = end_of_alternative(at);
		if (*at != '|')
			return;
	}
}

/* Those that stand side by side: any one that was not taken, or none of them. */
static void follow_optional(struct walk *walk, const struct place *place, int i)
{
	const char *at = place->at;
	unsigned int bit = 1;

	for (; *at == '[' && bit; bit <<= 1) {
		struct place behind = {
			.at = place->at,
			.used = place->used | bit,
			.up = place->up,
		};
		const char *end = closing(at);

		if (!(place->used & bit))
			follow_each(walk, at + 1, &behind, i);
		at = skip_blanks(end + !!*end);
	}
	follow(walk, &(struct place){ .at = at, .up = place->up }, i);
}

static void follow_word(struct walk *walk, const struct place *place, int i)
{
	size_t len = strcspn(place->at, "\n ");
	const struct place behind = { .at = place->at + len, .up = place->up };
	const char *rule = NULL;

	if (grammar_is_kind(place->at) && walk->rules)
		rule = find_rule(walk->rules, place->at, len);
	if (rule)
		follow(walk, &(struct place){ .at = rule, .up = &behind }, i);
	else if (i == walk->n)
		add_next(walk, place->at, len);
	else if (is_taken(walk, i, place->at, len))
		follow(walk, &behind, i + 1);
}

/* Go on at a place, @i words having been followed. */
static void follow(struct walk *walk, const struct place *place, int i)
{
	struct place here = *place, behind;
	const char *end;

	here.at = skip_blanks(here.at);
	switch (*here.at) {
	case '\0':
	case '\n':
	case '|':
	case ']':
	case '}':
		if (here.up)
			follow(walk, here.up, i);
		break;
	case '[':
		follow_optional(walk, &here, i);
		break;
	case '{':
		end = closing(here.at);
		behind = (struct place){ .at = end + !!*end, .up = here.up };
		follow_each(walk, here.at + 1, &behind, i);
		break;
	default:
		follow_word(walk, &here, i);
	}
}

/*
 * Whether the grammar has the word itself here: then it is not taken for a value.
 */
static bool is_literal(const struct walk *walk, const char *word)
{
	size_t i, len = strlen(word);

	for (i = 0; i < walk->num_next; i++)
		if (walk->next[i].len == len &&
		    !memcmp(walk->next[i].word, word, len))
			return !grammar_is_kind(word);
	return false;
}

void grammar_next(const char *args, const char *rules, char *const *words,
		  int n, grammar_next_t next, void *arg)
{
	struct walk walk = { .rules = rules, .words = words };
	const struct place start = { .at = args };
	size_t i;

	if (n > MAX_WORDS)
		return;
	for (;; walk.n++) {
		walk.num_next = 0;
		follow(&walk, &start, 0);
		if (walk.n == n)
			break;
		walk.literal[walk.n] = is_literal(&walk, words[walk.n]);
	}
	for (i = 0; i < walk.num_next; i++)
		next(walk.next[i].word, walk.next[i].len, arg);
}
