// SPDX-License-Identifier: GPL-2.0
/* dsctl set tracking, bindv6only, max-sockets, event-rate */
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <stdint.h>
#include <string.h>

#include "dsctl.h"
#include "nl/dsnl.h"
#include "util/args.h"

/* Send one setting, 8 or 32 bits wide. */
static int config_set(const char *name, int attr, const void *value,
		      size_t size)
{
	struct nl_msg *msg;
	int error = -ENOMEM;
	struct dsnl nl;
	char what[32];

	if (dsnl_open_dualstack(&nl))
		return EXIT_KERNEL;
	msg = dsnl_genl_msg(&nl, DUALSTACK_CMD_CONFIG_SET, 0);
	if (msg && !nla_put(msg, attr, size, value))
		error = dsnl_request(&nl, msg, NULL, NULL, NULL);
	else
		nlmsg_free(msg);
	snprintf(what, sizeof(what), "cannot set %s", name);
	/* To generic netlink it is one right more, and the first that lacks. */
	if (error == -EPERM && !*nl.extack &&
	    attr == DUALSTACK_A_CONFIG_TRACKING)
		err("%s: this needs CAP_NET_ADMIN in the initial user namespace",
		    what);
	else if (error)
		dsnl_err(&nl, what, error);
	dsnl_close(&nl);
	return error ? EXIT_KERNEL : EXIT_OK;
}

static int set_switch(const char *name, int attr, int argc, char **argv)
{
	uint8_t value;
	int on;

	if (arg_single(name, argc, argv))
		return EXIT_USAGE;
	on = arg_on_off(name, argv[0]);
	if (on < 0)
		return EXIT_USAGE;
	value = on;
	return config_set(name, attr, &value, sizeof(value));
}

static int set_number(const char *name, int attr, int argc, char **argv)
{
	uint64_t number;
	uint32_t value;

	/* What makes sense is for the kernel to say. */
	if (arg_single(name, argc, argv) ||
	    arg_number(name, argv[0], 0, UINT32_MAX, &number))
		return EXIT_USAGE;
	value = number;
	return config_set(name, attr, &value, sizeof(value));
}

static int set_tracking(int argc, char **argv)
{
	return set_switch("tracking", DUALSTACK_A_CONFIG_TRACKING, argc, argv);
}

static int set_bindv6only(int argc, char **argv)
{
	return set_switch("bindv6only", DUALSTACK_A_CONFIG_BINDV6ONLY, argc,
			  argv);
}

static int set_max_sockets(int argc, char **argv)
{
	return set_number("max-sockets", DUALSTACK_A_CONFIG_MAX_SOCKETS, argc,
			  argv);
}

static int set_event_rate(int argc, char **argv)
{
	return set_number("event-rate", DUALSTACK_A_CONFIG_EVENT_RATE, argc,
			  argv);
}

const struct cmd cmd_set_tracking = {
	.name = "tracking",
	.args = ARG_ON_OFF,
	.help = "Put the hooks into the kernel, or take them out",
	.details =
		"They are the same for all namespaces: this needs CAP_NET_ADMIN in the\n"
		"initial user namespace. Records outlast a time without; what happens then is not\n"
		"counted.",
	.run = set_tracking,
};

const struct cmd cmd_set_bindv6only = {
	.name = "bindv6only",
	.args = ARG_ON_OFF,
	.help = "What IPV6_V6ONLY is on sockets to come",
	.details = "This is sysctl net.ipv6.bindv6only of the namespace.",
	.run = set_bindv6only,
	.every_netns = true,
};

const struct cmd cmd_set_max_sockets = {
	.name = "max-sockets",
	.args = "NUMBER",
	.help = "How many sockets can have a record",
	.details =
		"At the limit a socket without events for long loses its record to another one.\n"
		"Events of a socket that has none count in the sums only, and as untracked.",
	.run = set_max_sockets,
	.every_netns = true,
};

const struct cmd cmd_set_event_rate = {
	.name = "event-rate",
	.args = "NUMBER",
	.help = "How many events a second monitors are sent",
	.details = "0 is for none.",
	.run = set_event_rate,
	.every_netns = true,
};
