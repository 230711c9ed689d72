// SPDX-License-Identifier: GPL-2.0
/* dsctl reset */
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>

#include "cmd/list.h"
#include "nl/dsnl.h"
#include "nl/records.h"
#include "socks/sockarg.h"

/* Reset one socket, or all there is for the cookie 0. */
static int reset_cookie(struct dsnl *nl, uint64_t cookie)
{
	struct nl_msg *msg;

	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_RESET, 0);
	if (!msg)
		return -ENOMEM;
	if (cookie && nla_put_u64(msg, DUALSTACK_A_SOCKET_COOKIE, cookie)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return dsnl_request(nl, msg, NULL, NULL, NULL);
}

static int reset_one(struct dsnl *nl, uint64_t cookie)
{
	int error = reset_cookie(nl, cookie);

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
		error = reset_cookie(nl, list->v[i].cookie);
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

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	(void)ctx;
	return argc ? sockarg_parse(job, argc, argv) : 0;
}

static int run(struct ctx *ctx, void *job)
{
	const struct filter *filter = job;
	int ret;

	if (filter->port)
		ret = reset_listed(ctx, filter);
	else
		ret = reset_one(&ctx->dualstack, filter->cookie);
	return ret ? EXIT_KERNEL : EXIT_OK;
}

const struct cmd cmd_reset = {
	.name = "reset",
	.args = "[ SOCKET ]",
	.rules = SOCKARG_RULES,
	.help = "Set counters back to 0 and forget last peers",
	.details =
		"Without a SOCKET all counters of the namespace, and its sums. What a socket\n"
		"counted stays in the sums where that one is reset.",
	.needs = NEED_DUALSTACK | NEED_SOCK_DIAG,
	.right = RIGHT_NETNS,
	.every_netns = true,
	.job_size = sizeof(struct filter),
	.parse = parse,
	.run = run,
};
