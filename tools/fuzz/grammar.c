// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar.h"

#define MAX_RULES	64
#define MAX_VALUES	256
#define MAX_TOKENS	64
#define LONG_WORD	100000

/* "explain { tcp | udp } ADDRESS ...", or what follows ":=" for a NAME. */
static struct rule {
	const char *name;	/* NULL: a command */
	char *text;
} rules[MAX_RULES];
static size_t num_rules;

static struct value {
	const char *kind;
	const char *word;
} values[MAX_VALUES];
static size_t num_values;

static void add_rule(const char *name, const char *text, size_t len)
{
	if (num_rules == MAX_RULES)
		errx(1, "too many rules");
	rules[num_rules].name = name;
	rules[num_rules++].text = strndup(text, len);
}

void grammar_value(const char *kind, const char *word)
{
	if (num_values == MAX_VALUES)
		errx(1, "too many values");
	values[num_values].kind = kind;
	values[num_values++].word = word;
}

/* The definitions in the help of a command: "NAME := ..." */
static void load_definitions(const char *command,
			     char *(*help)(const char *const *words))
{
	const char *words[MAX_TOKENS + 1];
	char *copy = strdup(command), *text, *line, *save, *assign;
	size_t n = 0;

	/* The words of the command come first, its grammar then. */
	for (line = strtok_r(copy, " ", &save); line && islower(*line) &&
	     n < MAX_TOKENS - 1; line = strtok_r(NULL, " ", &save))
		words[n++] = line;
	words[n++] = "help";
	words[n] = NULL;
	text = help(words);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		assign = strstr(line, ":= ");
		if (!assign || !isupper(*line))
			continue;
		add_rule(strndup(line, strcspn(line, " ")), assign + 3,
			 strlen(assign + 3));
	}
	free(text);
	free(copy);
}

size_t grammar_load(char *(*help)(const char *const *words))
{
	static const char *const words[] = { "help", NULL };
	char *text = help(words), *line, *save, *end;
	size_t i, commands;

	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "  ", 2) || !islower(line[2]))
			continue;
		line += 2;
		end = strstr(line, "  ");
		add_rule(NULL, line, end ? (size_t)(end - line) : strlen(line));
	}
	free(text);
	commands = num_rules;
	for (i = 0; i < commands; i++)
		load_definitions(rules[i].text, help);
	return commands;
}

static void add(struct line *line, const char *word)
{
	if (line->argc < MAX_ARGS)
		line->argv[line->argc++] = strdup(word);
}

static char *garbage(struct rnd *rnd)
{
	static const char *const words[] = {
		"", " ", "-", "--", "%", "%s%n", "\n", "\t", "\x1b[31m", "\xff",
		"\xc3\xa4", "\xed\xa0\x80", "\\x41", "\"", "'", "#", "=", ":=",
		"::ffff:", "0x10", "1e3", "+1", "-1", "00080", "help", "he",
	};
	size_t i, len;
	char *word;

	switch (rnd_below(rnd, 4)) {
	case 0:
		len = rnd_once_in(rnd, 8) ? LONG_WORD : rnd_below(rnd, 600);
		word = malloc(len + 1);
		memset(word, "a1:/%"[rnd_below(rnd, 5)], len);
		word[len] = '\0';
		return word;
	case 1:
		len = rnd_below(rnd, 24);
		word = malloc(len + 1);
		for (i = 0; i < len; i++)
			word[i] = 1 + rnd_below(rnd, 255);
		word[len] = '\0';
		return word;
	case 2:
		if (asprintf(&word, "%llu",
			     (unsigned long long)rnd_limit(rnd)) < 0)
			errx(1, "out of memory");
		return word;
	default:
		return strdup(words[rnd_below(rnd, sizeof(words) /
						   sizeof(*words))]);
	}
}

static void add_garbage(struct rnd *rnd, struct line *line)
{
	char *word = garbage(rnd);

	/* A path of its own kind could be anywhere. */
	if (*word == '/')
		*word = '.';
	add(line, word);
	free(word);
}

static void add_value(struct rnd *rnd, struct line *line, const char *kind)
{
	size_t i, n = 0, found = num_values;

	if (rnd_once_in(rnd, 8)) {
		add_garbage(rnd, line);
		return;
	}
	for (i = 0; i < num_values; i++)
		if (!strcmp(values[i].kind, kind) && rnd_once_in(rnd, ++n))
			found = i;
	if (found == num_values)
		found = rnd_below(rnd, num_values);
	add(line, values[found].word);
}

static void expand(struct rnd *rnd, struct line *line, const char *text);

static void add_name(struct rnd *rnd, struct line *line, const char *name)
{
	size_t i;

	for (i = 0; i < num_rules; i++) {
		if (rules[i].name && !strcmp(rules[i].name, name)) {
			expand(rnd, line, rules[i].text);
			return;
		}
	}
	add_value(rnd, line, name);
}

static bool opens(const char *tok)
{
	return !strcmp(tok, "{") || !strcmp(tok, "[");
}

/* Where the bracket that opens at @i closes. */
static size_t closing(char **tok, size_t i, size_t n)
{
	int depth = 0;

	for (; i < n; i++) {
		depth += opens(tok[i]);
		depth -= !strcmp(tok[i], "}") || !strcmp(tok[i], "]");
		if (!depth)
			break;
	}
	return i;
}

/* Take one of what "|" separates, and all of that. */
static void take(struct rnd *rnd, struct line *line, char **tok, size_t n)
{
	size_t i, end, from = 0, to = n, begin = 0, ways = 0;

	for (i = 0; i <= n; i++) {
		if (i < n && opens(tok[i])) {
			i = closing(tok, i, n);
			continue;
		}
		if (i < n && strcmp(tok[i], "|"))
			continue;
		if (rnd_once_in(rnd, ++ways)) {
			from = begin;
			to = i;
		}
		begin = i + 1;
	}
	for (i = from; i < to && i < n; i++) {
		if (opens(tok[i])) {
			end = closing(tok, i, to);
			if (*tok[i] == '{' || rnd_once_in(rnd, 2))
				take(rnd, line, tok + i + 1, end - i - 1);
			i = end;
		} else if (isupper(*tok[i])) {
			add_name(rnd, line, tok[i]);
		} else if (strcmp(tok[i], "...")) {
			add(line, tok[i]);
		}
	}
}

static void expand(struct rnd *rnd, struct line *line, const char *text)
{
	char *copy = strdup(text), *tok[MAX_TOKENS], *word, *save;
	size_t n = 0;

	for (word = strtok_r(copy, " ", &save); word && n < MAX_TOKENS;
	     word = strtok_r(NULL, " ", &save))
		tok[n++] = word;
	take(rnd, line, tok, n);
	free(copy);
}

static void add_options(struct rnd *rnd, struct line *line)
{
	static const char *const options[] = {
		"-j", "-json", "-p", "-pretty", "-s", "-statistics", "-a", "-all",
		"-P", "-no-processes", "-c", "-color", "-c=always",
		"-color=always", "-color=never", "-color=auto", "-color=x", "-N",
		"-j", "-s", "-a", "-N", "-j", "-force", "-V", "-h", "-z", "--",
		"-jsaP", "-every-netns", "-co", "-ne", "-H", "-no-header",
	};
	size_t n = rnd_below(rnd, 4);

	while (n--) {
		if (rnd_once_in(rnd, 16)) {
			add(line, rnd_once_in(rnd, 2) ? "-o" : "-output");
			add_value(rnd, line, "COLUMNS");
		} else if (rnd_once_in(rnd, 8)) {
			add(line, rnd_once_in(rnd, 2) ? "-n" : "-netns");
			add_value(rnd, line, "NETNS");
		} else {
			add(line, options[rnd_below(rnd, sizeof(options) /
							 sizeof(*options))]);
		}
	}
}

/* Any word of any rule. */
static void add_any(struct rnd *rnd, struct line *line)
{
	struct line other = { };

	expand(rnd, &other, rules[rnd_below(rnd, num_rules)].text);
	if (other.argc)
		add(line, other.argv[rnd_below(rnd, other.argc)]);
	grammar_free(&other);
}

static void swap(struct line *line, int a, int b)
{
	char *word = line->argv[a];

	line->argv[a] = line->argv[b];
	line->argv[b] = word;
}

static void breakage(struct rnd *rnd, struct line *line)
{
	int i = rnd_below(rnd, line->argc), last = line->argc;

	switch (rnd_below(rnd, 6)) {
	case 0:
		free(line->argv[i]);
		line->argv[i] = line->argv[--line->argc];
		break;
	case 1:
		add(line, line->argv[i]);
		break;
	case 2:
		add_garbage(rnd, line);
		swap(line, i, line->argc - 1);
		break;
	case 3:
		add_any(rnd, line);
		if (line->argc > last)
			swap(line, i, last);
		break;
	case 4:
		swap(line, i, rnd_below(rnd, line->argc));
		break;
	default:
		if (*line->argv[i])
			line->argv[i][rnd_below(rnd, strlen(line->argv[i]))] = 0;
	}
}

void grammar_line(struct rnd *rnd, struct line *line, bool options)
{
	size_t i = 0, n = 0, found = 0;

	memset(line, 0, sizeof(*line));
	if (options)
		add_options(rnd, line);
	for (i = 0; i < num_rules; i++)
		if (!rules[i].name && rnd_once_in(rnd, ++n))
			found = i;
	/* What could come behind that. */
	if (rnd_once_in(rnd, 32)) {
		add(line, "help");
		add(line, "--words");
	}
	expand(rnd, line, rules[found].text);
	if (rnd_below(rnd, 3))
		return;
	for (n = 1 + rnd_below(rnd, 3); n && line->argc; n--)
		breakage(rnd, line);
	line->argv[line->argc] = NULL;
}

void grammar_free(struct line *line)
{
	while (line->argc)
		free(line->argv[--line->argc]);
}

bool grammar_has(const struct line *line, const char *begin)
{
	int i;

	for (i = 0; i < line->argc; i++)
		if (!strncmp(line->argv[i], begin, strlen(begin)))
			return true;
	return false;
}
