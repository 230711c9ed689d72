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
 * @since: of each record NUM_COUNTERS values: what was counted since the report before;
 *	   NULL where it is not known.
 * @rules: the rules that decide about them, if the filter asks for these.
 * @procs: their users.
 */
struct view {
	struct sock_list socks;
	struct record_list records;
	uint64_t *since;
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
 * view_since() - What a socket counted since the report before.
 * @view: all that is shown, with @since.
 * @sk: the socket.
 *
 * Return: NUM_COUNTERS values, in the order of counters[].
 */
const uint64_t *view_since(const struct view *view, const struct sock *sk);

/**
 * view_free() - Free what a view holds.
 * @view: the view.
 */
void view_free(struct view *view);

/**
 * sock_compare() - Put sockets in order: by port and so on.
 * @a: a struct sock.
 * @b: another one.
 *
 * Return: less than 0, 0 if it is the same socket, or more, as strcmp().
 */
int sock_compare(const void *a, const void *b);

/**
 * sock_list_sort() - Sort as sock_compare() does, and drop what is there twice.
 * @list: the sockets.
 */
void sock_list_sort(struct sock_list *list);

#endif /* DSCTL_VIEW_H */
