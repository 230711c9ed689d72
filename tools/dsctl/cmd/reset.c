// SPDX-License-Identifier: GPL-2.0
/* dsctl reset */
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>

#include "cmd/list.h"
#include "nl/dsnl.h"
#include "nl/records.h"
#include "out/err.h"
#include "socks/sockarg.h"
#include "util/args.h"

/* Reset one socket, or the ledger of peers, or all there is for neither. */
static int reset(struct dsnl *nl, uint64_t cookie, bool peers)
{
	struct nl_msg *msg;

	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_RESET, 0);
	if (!msg)
		return -ENOMEM;
	if ((cookie && nla_put_u64(msg, DUALSTACK_A_SOCKET_COOKIE, cookie)) ||
	    (peers && nla_put_flag(msg, DUALSTACK_A_SOCKET_PEERS))) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return dsnl_request(nl, msg, NULL, NULL, NULL);
}

static int reset_one(struct dsnl *nl, uint64_t cookie, bool peers)
{
	int error = reset(nl, cookie, peers);

	if (!error)
		return 0;
	dsnl_err(nl, "cannot reset", error);
	return -1;
}

/* Sockets that have no record have nothing to reset. */
static int reset_recorded(struct dsnl *nl, const struct sock_list *list,
			  const struct record_list *records)
{
	int error;
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (!records_find(records, list->v[i].cookie))
			continue;
		error = reset(nl, list->v[i].cookie, false);
		if (!error || error == -ENOENT)
			continue;	/* done, or closed meanwhile */
		dsnl_err(nl, "cannot reset", error);
		return -1;
	}
	return 0;
}

static int reset_listed(struct ctx *ctx, const struct filter *filter)
{
	struct dsnl *nl = &ctx->dualstack;
	struct record_list records = { };
	struct sock_list list = { };
	int ret;

	nl->no_warnings = true;	/* last peers are not shown anyway */
	ret = sockarg_find(&ctx->sock_diag, filter, &list);
	if (!ret)
		ret = records_dump(nl, &records);
	if (!ret)
		ret = reset_recorded(nl, &list, &records);
	records_free(&records);
	sock_list_free(&list);
	return ret;
}

/**
 * struct target - What is to be reset.
 * @peers: the ledger of peers alone.
 * @filter: else the socket, all there is if nothing is given.
 */
struct target {
	bool peers;
	struct filter filter;
};

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	const char *names[FILTER_WORDS + 1];
	struct target *target = job;
	int n, found;

	(void)ctx;
	if (!argc)
		return 0;
	n = filter_words(SOCKARG_FILTERS, names);
	names[n] = "peers";
	found = word_match("argument", argv[0], names, n + 1);
	if (found < 0)
		return -1;
	if (found < n)
		return sockarg_parse(&target->filter, argc, argv);
	if (argc > 1) {
		err("peers takes no argument: \"%s\"", argv[1]);
		return -1;
	}
	target->peers = true;
	return 0;
}

static int run(struct ctx *ctx, void *job)
{
	const struct target *target = job;
	int ret;

	if (target->filter.port)
		ret = reset_listed(ctx, &target->filter);
	else
		ret = reset_one(&ctx->dualstack, target->filter.cookie,
				target->peers);
	return ret ? EXIT_KERNEL : EXIT_OK;
}

const struct cmd cmd_reset = {
	.name = "reset",
	.args = "[ SOCKET | peers ]",
	.rules = SOCKARG_RULES,
	.help = "Set counters back to 0 and forget last peers",
	.details =
		"Without a SOCKET all counters of the namespace, its sums, and its ledger of\n"
		"peers; peers is for that alone. What a socket counted stays in the sums, and in\n"
		"the ledger, where that one is reset.",
	.needs = NEED_DUALSTACK | NEED_SOCK_DIAG,
	.right = RIGHT_NETNS,
	.every_netns = true,
	.job_size = sizeof(struct target),
	.parse = parse,
	.run = run,
};
