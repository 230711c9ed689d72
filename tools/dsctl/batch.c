// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "dispatch.h"
#include "out/stream.h"
#include "out/text.h"

#define MAX_WORDS	64
#define BLANK		" \t\r\n"

/**
 * struct batch - A file of commands.
 * @f: the file.
 * @name: its name.
 * @line: number of the line that was read last.
 * @cmd: the current command.
 */
struct batch {
	FILE *f;
	const char *name;
	unsigned int line;
	struct text cmd;
};

/* A backslash at the end of a line joins it to the next. */
static bool read_command(struct batch *batch, unsigned int *first)
{
	char *line = NULL;
	size_t size = 0;
	bool more = true;
	ssize_t n;

	text_clear(&batch->cmd);
	*first = batch->line + 1;
	while (more && (n = getline(&line, &size, batch->f)) >= 0) {
		batch->line++;
		more = n >= 2 && !strcmp(line + n - 2, "\\\n");
		if (more)
			line[n - 2] = '\0';
		text_puts(&batch->cmd, line);
	}
	free(line);
	return batch->line >= *first;
}

/*
 * Cut a command into words. Quotes of either kind hold a word together, a word
 * that begins with # starts a comment.
 *
 * Return: the number of words, -1 after a message.
 */
static int split(char *p, char **words)
{
	int n = 0;

	for (p += strspn(p, BLANK); *p && *p != '#'; p += strspn(p, BLANK)) {
		char *out = p;

		if (n == MAX_WORDS) {
			err("more than %d words", MAX_WORDS);
			return -1;
		}
		words[n++] = p;
		while (*p && !strchr(BLANK, *p)) {
			char quote = *p == '"' || *p == '\'' ? *p : 0;

			if (!quote) {
				*out++ = *p++;
				continue;
			}
			for (p++; *p && *p != quote;)
				*out++ = *p++;
			if (!*p++) {
				err("a quote is not closed");
				return -1;
			}
		}
		/* A quoted word has become shorter than it was. */
		if (*p)
			p++;
		*out = '\0';
	}
	return n;
}

static int run_all(struct batch *batch, struct ctx *ctx, const struct cmd *root)
{
	char *words[MAX_WORDS + 1];
	int n, one, ret = EXIT_OK;
	unsigned int first;

	while (read_command(batch, &first)) {
		if (batch->cmd.failed) {
			err_no_memory();
			return EXIT_KERNEL;
		}
		n = split(batch->cmd.buf, words);
		if (!n)
			continue;
		one = EXIT_USAGE;
		if (n > 0) {
			words[n] = NULL;
			one = cmd_run(ctx, root, n, words);
		}
		/* Whoever reads from a pipe may wait for this answer. */
		if (!out_flush()) {
			/*
			 * main() says why at the end, unless the reader of a pipe
			 * has gone.
			 */
			ret = exit_worse(ret, exit_worse(one, EXIT_KERNEL));
			if (!ctx->opts.force)
				return ret;
			continue;
		}
		ret = exit_worse(ret, one);
		if (!one || one == EXIT_FOUND)
			continue;
		err("%s:%u: the command failed", batch->name, first);
		if (!ctx->opts.force)
			return ret;
	}
	if (ferror(batch->f)) {
		err("cannot read \"%s\": %s", batch->name, strerror(errno));
		ret = exit_worse(ret, EXIT_USAGE);
	}
	return ret;
}

int batch_run(struct ctx *ctx, const struct cmd *root)
{
	const char *name = ctx->opts.batch;
	struct batch batch = { .f = stdin, .name = name };
	int ret;

	if (strcmp(name, "-"))
		batch.f = fopen(name, "re");
	if (!batch.f) {
		err("cannot open \"%s\": %s", name, strerror(errno));
		return EXIT_USAGE;
	}
	ret = run_all(&batch, ctx, root);
	free(batch.cmd.buf);
	if (batch.f != stdin)
		fclose(batch.f);
	return ret;
}
