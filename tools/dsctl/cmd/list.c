// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "cmd/list.h"

static const struct cmd *const commands[] = {
#define COMMAND(name)		(&cmd_##name)
#include "cmd/list.def"
#undef COMMAND
	NULL
};

static const struct cmd *const show[] = {
#define SHOW_OBJECT(name)	(&cmd_##name)
#include "cmd/list.def"
#undef SHOW_OBJECT
	NULL
};

static const struct cmd *const top[] = {
#define TOP_OBJECT(name)	(&cmd_##name)
#include "cmd/list.def"
#undef TOP_OBJECT
	NULL
};

static const struct cmd *const set[] = {
#define SET_OBJECT(name)	(&cmd_##name)
#include "cmd/list.def"
#undef SET_OBJECT
	NULL
};

static const struct cmd *const unset[] = {
#define UNSET_OBJECT(name)	(&cmd_##name)
#include "cmd/list.def"
#undef UNSET_OBJECT
	NULL
};

const struct cmd cmd_show = {
	.name = "show",
	.help = "What there is, and what was counted",
	.sub = show,
};

const struct cmd cmd_top = {
	.name = "top",
	.help = "What is counted now, on the screen again and again",
	.details = "Without a word that names one, it is sockets.",
	.sub = top,
	.usual = &cmd_top_sockets,
};

const struct cmd cmd_set = {
	.name = "set",
	.help = "Settings, and IPV6_V6ONLY of sockets",
	.sub = set,
};

const struct cmd cmd_unset = {
	.name = "unset",
	.help = "Rules about IPV6_V6ONLY that were set to be kept",
	.sub = unset,
};

const struct cmd cmd_root = {
	.name = "dsctl",
	.rules =
		"NETNS   := a name of `ip netns`, a path, or a process ID\n"
		"-N      := in every network namespace that may be entered\n"
		"COLUMNS := headings, with commas between them\n"
		"FILE    := commands, one on a line; - for stdin",
	.sub = commands,
};
