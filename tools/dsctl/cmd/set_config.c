// SPDX-License-Identifier: GPL-2.0
/* dsctl set tracking, bindv6only, max-sockets, event-rate, peers, max-peers */
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cmd/list.h"
#include "nl/dsnl.h"
#include "util/args.h"

/**
 * struct setting - A setting, and what it is to be.
 * @name: its name.
 * @attr: netlink attribute that carries it.
 * @size: of that, in bytes: 1 or 4.
 * @u8: the value if it has 1 byte.
 * @u32: the value if it has 4.
 */
struct setting {
	const char *name;
	int attr;
	int size;
	union {
		uint8_t u8;
		uint32_t u32;
	};
};

static int run(struct ctx *ctx, void *job)
{
	struct dsnl *nl = &ctx->dualstack;
	const struct setting *set = job;
	struct nl_msg *msg;
	int error = -ENOMEM;
	char what[32];

	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_CONFIG_SET, 0);
	if (msg && !nla_put(msg, set->attr, set->size, &set->u8))
		error = dsnl_request(nl, msg, NULL, NULL, NULL);
	else
		nlmsg_free(msg);
	if (!error)
		return EXIT_OK;
	snprintf(what, sizeof(what), "cannot set %s", set->name);
	dsnl_err(nl, what, error);
	return EXIT_KERNEL;
}

static int parse_switch(struct setting *set, const char *name, int attr,
			int argc, char **argv)
{
	int on;

	if (arg_single(name, argc, argv))
		return -1;
	on = arg_on_off(name, argv[0]);
	if (on < 0)
		return -1;
	set->name = name;
	set->attr = attr;
	set->size = sizeof(set->u8);
	set->u8 = on;
	return 0;
}

static int parse_number(struct setting *set, const char *name, int attr,
			int argc, char **argv)
{
	uint64_t number;

	/* The kernel knows the limits, and refuses what is beyond them. */
	if (arg_single(name, argc, argv) ||
	    arg_number(name, argv[0], 0, UINT32_MAX, &number))
		return -1;
	set->name = name;
	set->attr = attr;
	set->size = sizeof(set->u32);
	set->u32 = number;
	return 0;
}

static int parse_tracking(struct ctx *ctx, void *job, int argc, char **argv)
{
	(void)ctx;
	return parse_switch(job, "tracking", DUALSTACK_A_CONFIG_TRACKING, argc,
			    argv);
}

static int parse_bindv6only(struct ctx *ctx, void *job, int argc, char **argv)
{
	(void)ctx;
	return parse_switch(job, "bindv6only", DUALSTACK_A_CONFIG_BINDV6ONLY,
			    argc, argv);
}

static int parse_max_sockets(struct ctx *ctx, void *job, int argc, char **argv)
{
	(void)ctx;
	return parse_number(job, "max-sockets", DUALSTACK_A_CONFIG_MAX_SOCKETS,
			    argc, argv);
}

static int parse_event_rate(struct ctx *ctx, void *job, int argc, char **argv)
{
	(void)ctx;
	return parse_number(job, "event-rate", DUALSTACK_A_CONFIG_EVENT_RATE,
			    argc, argv);
}

static int parse_peers(struct ctx *ctx, void *job, int argc, char **argv)
{
	(void)ctx;
	return parse_switch(job, "peers", DUALSTACK_A_CONFIG_PEERS, argc, argv);
}

static int parse_max_peers(struct ctx *ctx, void *job, int argc, char **argv)
{
	(void)ctx;
	return parse_number(job, "max-peers", DUALSTACK_A_CONFIG_MAX_PEERS,
			    argc, argv);
}

const struct cmd cmd_set_tracking = {
	.name = "tracking",
	.args = ARG_ON_OFF,
	.help = "Put the hooks into the kernel, or take them out",
	.details =
		"They are the same for all namespaces: this needs CAP_NET_ADMIN in the\n"
		"initial user namespace. Records outlast a time without; what happens then is not\n"
		"counted.",
	.needs = NEED_DUALSTACK,
	.right = RIGHT_INITIAL,
	.job_size = sizeof(struct setting),
	.parse = parse_tracking,
	.run = run,
};

const struct cmd cmd_set_bindv6only = {
	.name = "bindv6only",
	.args = ARG_ON_OFF,
	.help = "What IPV6_V6ONLY is on sockets to come",
	.details = "This is sysctl net.ipv6.bindv6only of the namespace.",
	.needs = NEED_DUALSTACK,
	.right = RIGHT_NETNS,
	.every_netns = true,
	.job_size = sizeof(struct setting),
	.parse = parse_bindv6only,
	.run = run,
};

const struct cmd cmd_set_max_sockets = {
	.name = "max-sockets",
	.args = "NUMBER",
	.help = "How many sockets can have a record",
	.details =
		"At the limit a socket without events for long loses its record to another one.\n"
		"Events of a socket that has none count in the sums only, and as untracked.",
	.needs = NEED_DUALSTACK,
	.right = RIGHT_NETNS,
	.every_netns = true,
	.job_size = sizeof(struct setting),
	.parse = parse_max_sockets,
	.run = run,
};

const struct cmd cmd_set_event_rate = {
	.name = "event-rate",
	.args = "NUMBER",
	.help = "How many events a second monitors are sent",
	.details = "0 is for none.",
	.needs = NEED_DUALSTACK,
	.right = RIGHT_NETNS,
	.every_netns = true,
	.job_size = sizeof(struct setting),
	.parse = parse_event_rate,
	.run = run,
};

const struct cmd cmd_set_peers = {
	.name = "peers",
	.args = ARG_ON_OFF,
	.help = "Keep the ledger of peers, or empty it and keep none",
	.needs = NEED_DUALSTACK,
	.right = RIGHT_NETNS,
	.every_netns = true,
	.job_size = sizeof(struct setting),
	.parse = parse_peers,
	.run = run,
};

const struct cmd cmd_set_max_peers = {
	.name = "max-peers",
	.args = "NUMBER",
	.help = "How many peers the ledger has, in each direction",
	.details =
		"At the limit one that was seldom there gives way to a new one, and what it\n"
		"counted goes to the rest. 0 is for none: all is counted in rests.",
	.needs = NEED_DUALSTACK,
	.right = RIGHT_NETNS,
	.every_netns = true,
	.job_size = sizeof(struct setting),
	.parse = parse_max_peers,
	.run = run,
};
