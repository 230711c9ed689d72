// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <string.h>

#include "grammar.h"
#include "options.h"
#include "util/args.h"
#include "words.h"

static void print(const char *word, size_t len, void *arg)
{
	(void)arg;
	printf("%.*s\n", (int)len, word);
}

static void print_described(const char *word, const char *help)
{
	printf("%s\t%s\n", word, help);
}

/**
 * struct choice - An option whose value is in the same word, as -color=auto.
 * @name: of the option, or its letter.
 * @len: length of that.
 */
struct choice {
	const char *name;
	size_t len;
};

static void print_choice(const char *word, size_t len, void *arg)
{
	const struct choice *choice = arg;

	printf("-%.*s=%.*s\n", (int)choice->len, choice->name, (int)len, word);
}

/* -color=auto and -c=auto are one word. */
static void print_choices(const struct option_info *info)
{
	const char letter = info->value;
	struct choice choice = { info->name, strlen(info->name) };

	grammar_next(info->argument + 1, NULL, NULL, 0, print_choice, &choice);
	choice.name = &letter;
	choice.len = 1;
	grammar_next(info->argument + 1, NULL, NULL, 0, print_choice, &choice);
}

static void print_options(void)
{
	const struct option_info *info;

	for (info = option_infos; info->name; info++) {
		if (!info->help)
			continue;
		printf("-%s\t%s\n", info->name, info->help);
		if (info->argument && *info->argument == '=')
			print_choices(info);
	}
}

/*
 * Find an option as it was typed; of several letters, the last one. NULL if
 * unknown.
 */
static const struct option_info *find_option(const char *word)
{
	const char *name = word + strspn(word, "-");
	const struct option_info *info, *found = NULL;
	size_t len = strlen(name);

	for (info = option_infos; info->name; info++) {
		if (!strcmp(info->name, name))
			return info;
		if (len > 1 && word_abbreviates(name, info->name))
			found = info;
	}
	for (info = option_infos; !found && info->name; info++)
		if (len && info->value == name[len - 1])
			found = info;
	return found;
}

/*
 * Pass over the options and their values. Return: how many words these are, -1 if
 * the value of the last one comes next and its kind was printed.
 */
static int skip_options(int n, char *const *words)
{
	const struct option_info *info;
	int i;

	for (i = 0; i < n && *words[i] == '-'; i++) {
		info = strchr(words[i], '=') ? NULL : find_option(words[i]);
		if (!info || !info->argument || *info->argument == '=')
			continue;
		if (++i < n)
			continue;
		puts(info->argument);
		return -1;
	}
	return i;
}

/* Find a command as cmd_run() does, but without a message if there is none. */
static const struct cmd *find_sub(const struct cmd *cmd, const char *word)
{
	const struct cmd *found = NULL;
	const struct cmd *const *sub;

	for (sub = cmd->sub; *sub; sub++) {
		if (!strcmp((*sub)->name, word))
			return *sub;
		if (!word_abbreviates(word, (*sub)->name))
			continue;
		if (found)
			return NULL;
		found = *sub;
	}
	return found;
}

void words_print(const struct cmd *cmd, bool options, int n, char *const *words)
{
	const struct cmd *const *sub;
	int i = 0;

	if (options)
		i = skip_options(n, words);
	if (i < 0)
		return;
	options &= i == n;
	for (; cmd->sub && i < n; i++) {
		const struct cmd *usual = cmd->usual;

		cmd = find_sub(cmd, words[i]);
		if (!cmd && usual) {
			cmd = usual;
			break;
		}
		if (!cmd)
			return;
	}
	for (sub = cmd->sub; sub && *sub; sub++)
		print_described((*sub)->name, (*sub)->help);
	if (cmd->usual)
		grammar_next(cmd->usual->args, cmd->usual->rules, NULL, 0,
			     print, NULL);
	if (cmd->args)
		grammar_next(cmd->args, cmd->rules, words + i, n - i, print,
			     NULL);
	if (i == n)
		print_described("help", "Explain this");
	if (options)
		print_options();
}
