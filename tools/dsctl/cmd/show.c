// SPDX-License-Identifier: GPL-2.0
/* dsctl show */
#include <stddef.h>

#include "dsctl.h"

static const struct cmd *const objects[] = {
	&cmd_show_sockets,
	&cmd_show_stats,
	&cmd_show_hooks,
	&cmd_show_config,
	NULL
};

const struct cmd cmd_show = {
	.name = "show",
	.sub = objects,
};
