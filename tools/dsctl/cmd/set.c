// SPDX-License-Identifier: GPL-2.0
/* dsctl set */
#include <stddef.h>

#include "dsctl.h"

static const struct cmd *const objects[] = {
	&cmd_set_tracking,
	&cmd_set_v6only,
	&cmd_set_bindv6only,
	&cmd_set_max_sockets,
	&cmd_set_event_rate,
	NULL
};

const struct cmd cmd_set = {
	.name = "set",
	.sub = objects,
};
