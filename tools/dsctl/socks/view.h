/* SPDX-License-Identifier: GPL-2.0 */
/* The sockets of a namespace that are to be shown, joined with their records. */
#ifndef DSCTL_VIEW_H
#define DSCTL_VIEW_H

#include "ctx.h"
#include "nl/diag.h"
#include "nl/records.h"
#include "nl/rules.h"
#include "socks/filter.h"
#include "socks/procs.h"

/**
 * struct view - All that is shown.
 * @socks: the sockets, sorted.
 * @records: the records that they point to.
 * @rules: the rules that decide about them, if the filter asks for these.
 * @procs: their users.
 */
struct view {
	struct sock_list socks;
	struct record_list records;
	struct rule_list rules;
	struct procs procs;
};

/**
 * view_get() - Ask the module and the kernel, and join the answers.
 * @ctx: with sockets to the module and to sock_diag.
 * @view: zeroed; to be freed in any case.
 * @filter: which sockets.
 *
 * Return: 0, or -1 after a message.
 */
int view_get(struct ctx *ctx, struct view *view, const struct filter *filter);

/**
 * view_free() - Free what a view holds.
 * @view: the view.
 */
void view_free(struct view *view);

/**
 * sock_list_sort() - Sort by port and so on, and drop what is there twice.
 * @list: the sockets.
 */
void sock_list_sort(struct sock_list *list);

#endif /* DSCTL_VIEW_H */
