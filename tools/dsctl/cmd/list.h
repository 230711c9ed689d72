/* SPDX-License-Identifier: GPL-2.0 */
/* The commands, as cmd/list.def lists them. */
#ifndef DSCTL_LIST_H
#define DSCTL_LIST_H

#include "cmd.h"

#define COMMAND(name)		cmd_##name
#define SHOW_OBJECT(name)	cmd_##name
#define TOP_OBJECT(name)	cmd_##name
#define SET_OBJECT(name)	cmd_##name
#define UNSET_OBJECT(name)	cmd_##name

/* The root is dsctl itself, and all commands are below it. */
extern const struct cmd
#include "cmd/list.def"
	cmd_root;

#undef COMMAND
#undef SHOW_OBJECT
#undef TOP_OBJECT
#undef SET_OBJECT
#undef UNSET_OBJECT

#endif /* DSCTL_LIST_H */
