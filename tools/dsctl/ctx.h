/* SPDX-License-Identifier: GPL-2.0 */
/* What a command is handed. */
#ifndef DSCTL_CTX_H
#define DSCTL_CTX_H

#include "options.h"
#include "nl/dsnl.h"
#include "out/out.h"
#include "repeat.h"

/**
 * struct ctx - What a command is handed, and hands down.
 * @opts: the options.
 * @out: how to print, and which network namespace it is about.
 * @repeat: how often it is to report.
 * @dualstack: netlink socket to the module.
 * @events: another one, for the events that it sends.
 * @sock_diag: netlink socket to sock_diag.
 * @entered: the network namespace of -n has been entered.
 * @told_idle: the command has said that rules do nothing.
 *
 * Only those of the netlink sockets are open that struct cmd says are needed.
 */
struct ctx {
	struct options opts;
	struct out out;
	struct repeat repeat;
	struct dsnl dualstack;
	struct dsnl events;
	struct dsnl sock_diag;
	bool entered;
	bool told_idle;
};

#endif /* DSCTL_CTX_H */
