// SPDX-License-Identifier: GPL-2.0
/* dsctl reset */
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>

#include "dsctl.h"
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

	if (error)
		dsnl_err(nl, "cannot reset", error);
	return error;
}

/* Sockets that have no record have nothing to reset. */
static int reset_listed(struct dsnl *nl, const struct sock_list *list)
{
	struct record_list records = { };
	int error = 0;
	size_t i;

	nl->no_warnings = true;	/* of peers that it is not to show */
	if (records_dump(nl, &records)) {
		records_free(&records);
		return -1;
	}
	for (i = 0; !error && i < list->n; i++) {
		if (!records_find(&records, list->v[i].cookie))
			continue;
		error = reset_cookie(nl, list->v[i].cookie);
		if (error == -ENOENT)
			error = 0;	/* closed meanwhile */
		if (error)
			dsnl_err(nl, "cannot reset", error);
	}
	records_free(&records);
	return error;
}

static int reset(int argc, char **argv)
{
	struct sock_list list = { };
	struct filter filter = { };
	int ret = EXIT_KERNEL;
	struct dsnl nl;

	if (argc && sockarg_parse(&filter, argc, argv))
		return EXIT_USAGE;
	if (dsnl_open_dualstack(&nl))
		return EXIT_KERNEL;
	if (!filter.port)
		ret = reset_one(&nl, filter.cookie);
	else if (!sockarg_find(&filter, &list))
		ret = reset_listed(&nl, &list);
	sock_list_free(&list);
	dsnl_close(&nl);
	return ret ? EXIT_KERNEL : EXIT_OK;
}

const struct cmd cmd_reset = {
	.name = "reset",
	.args = "[ SOCKET ]",
	.help = "Set counters back to 0 and forget last peers",
	.details =
		SOCKARG_HELP "\n"
		"\n"
		"Without a SOCKET all counters of the namespace, and its sums. What a socket\n"
		"counted stays in the sums where that one is reset.",
	.run = reset,
	.every_netns = true,
};
