// SPDX-License-Identifier: GPL-2.0
/*
 * dsctl: show where IPv4 meets AF_INET6 sockets, by the dualstack module.
 *
 * The way of a command line: options.c reads the options, dispatch.c finds the command
 * in cmd/list.def, has it read its arguments, opens the netlink sockets that it needs
 * and runs it, by netns.c in other namespaces. The command gets from nl/ and socks/
 * what there is to know, and prints it by out/. batch.c is a file of such lines;
 * words.c, by grammar.c, is what shells complete them with. Which function reports a
 * failure is in out/err.h.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "ctx.h"
#include "dispatch.h"
#include "options.h"
#include "cmd/list.h"
#include "out/err.h"
#include "out/stream.h"
#include "out/text.h"

/* Allocations of so many bytes get a mapping of their own. */
#define LARGE_ALLOC	(128 * 1024)

static int run_command(struct ctx *ctx, int argc, char **argv)
{
	const struct options *opts = &ctx->opts;

	if (opts->every_netns && opts->netns) {
		err("-N and -n: one or the other");
		return EXIT_USAGE;
	}
	if (!opts->batch)
		return cmd_run(ctx, &cmd_root, argc, argv);
	if (opts->every_netns) {
		err("-N does not go with -b");
		return EXIT_USAGE;
	}
	if (argc) {
		err("-b takes its commands from the file: \"%s\"", argv[0]);
		return EXIT_USAGE;
	}
	return batch_run(ctx, &cmd_root);
}

static int run(struct ctx *ctx, int argc, char **argv)
{
	struct options *opts = &ctx->opts;
	int first;

	first = options_parse(opts, argc, argv);
	if (first < 0)
		return EXIT_USAGE;
	if (opts->version) {
		puts("dsctl utility, dualstack-" DUALSTACK_VERSION);
		return EXIT_OK;
	}
	if (opts->help) {
		cmd_help(&cmd_root);
		return EXIT_OK;
	}
	ctx->out.json = opts->json;
	ctx->out.pretty = opts->pretty;
	ctx->out.color = opts->color;
	ctx->out.no_header = opts->no_header;
	ctx->out.columns = opts->columns;
	ctx->out.netns = opts->netns;
	return run_command(ctx, argc - first, argv + first);
}

int main(int argc, char **argv)
{
	struct ctx ctx = { };
	int ret, error;

	/*
	 * Have malloc() give long lists mappings of their own. glibc's stops doing
	 * so once one has been freed; in the heap, lists that grow leave holes
	 * behind.
	 */
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, LARGE_ALLOC);
#endif

	if (out_init())
		_exit(EXIT_KERNEL);
	text_init();

	/* getopt_long_only() begins its messages with it, as err() does with "dsctl". */
	if (argc)
		argv[0] = (char *)cmd_root.name;

	ret = run(&ctx, argc, argv);
	error = out_close();
	if (!error)
		return ret;
	/* If the reader of a pipe has gone, there is nobody to tell. */
	if (error != -EPIPE)
		err("write error: %s", strerror(-error));
	return exit_worse(ret, EXIT_KERNEL);
}
