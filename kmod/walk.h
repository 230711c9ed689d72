/* SPDX-License-Identifier: GPL-2.0 */
/* Walks through the records of a namespace, in steps between which others get on. */

#ifndef _DUALSTACK_WALK_H
#define _DUALSTACK_WALK_H

#include <linux/mutex.h>
#include <linux/types.h>

struct ds_net;
struct ds_sock;
struct ds_sums;
struct list_head;

/**
 * enum ds_walk_kind - what a walk through the records of a namespace is for
 * @DS_WALK_NONE:	there is none
 * @DS_WALK_SUM:	it adds up those that are in no sum
 * @DS_WALK_RESET:	it sets all to 0
 */
enum ds_walk_kind {
	DS_WALK_NONE,
	DS_WALK_SUM,
	DS_WALK_RESET,
};

/**
 * struct ds_walk - the walk through the records of a namespace, if there is one
 * @lock:	held by whoever walks; comes before &struct ds_records.lock, under
 *		which all the rest is
 * @kind:	what it is for
 * @number:	its number, that of the last one where there is none. A record that
 *		has this number was passed, or came later. Once in some thousand
 *		million walks one that was idle throughout may have it by chance
 * @next:	where it goes on
 * @sums:	what DS_WALK_SUM adds up
 */
struct ds_walk {
	struct mutex lock;	/* see above */
	enum ds_walk_kind kind;
	u32 number;
	struct list_head *next;
	struct ds_sums *sums;
};

/**
 * typedef ds_walk_visit - what a walk does with a record
 * @dn:		the namespace
 * @rec:	the record. It may be moved to another list
 *
 * Context: under &struct ds_records.lock.
 */
typedef void ds_walk_visit(struct ds_net *dn, struct ds_sock *rec);

/* Set it up. */
void ds_walk_init(struct ds_walk *walk);

/**
 * ds_walk_begin() - begin a walk
 * @dn:		the namespace
 * @kind:	what it is for
 * @sums:	what is added up, for DS_WALK_SUM
 *
 * Context: under &struct ds_walk.lock and &struct ds_records.lock. The latter is held
 * when ds_walk_list() has returned, too, until ds_walk_end().
 */
void ds_walk_begin(struct ds_net *dn, enum ds_walk_kind kind,
		   struct ds_sums *sums);

/**
 * ds_walk_list() - visit the records of a list
 * @dn:		the namespace
 * @list:	one of the lists of &struct ds_records
 * @visit:	what is done with each of those that were there when the walk began
 * @killable:	whether a fatal signal ends it
 *
 * Context: between ds_walk_begin() and ds_walk_end(). Lets go of &struct
 * ds_records.lock now and then, and may sleep while it does.
 *
 * Return: false where a fatal signal ended it.
 */
bool ds_walk_list(struct ds_net *dn, struct list_head *list,
		  ds_walk_visit *visit, bool killable);

/**
 * ds_walk_end() - end a walk
 * @dn:		the namespace
 *
 * Context: as ds_walk_begin().
 */
void ds_walk_end(struct ds_net *dn);

/**
 * ds_walk_awaits() - has a walk yet to come by a record?
 * @walk:	the walk
 * @rec:	the record
 *
 * Until then the record has to stay in its list; if it cannot, the walk must be
 * handed its counts.
 *
 * Context: under &struct ds_records.lock.
 *
 * Return: true or false; false where there is no walk.
 */
bool ds_walk_awaits(const struct ds_walk *walk, const struct ds_sock *rec);

/**
 * ds_walk_pass() - have a walk leave a record out
 * @walk:	the walk, if there is one
 * @rec:	the record, in no list yet
 *
 * A walk ends where those begin that came during it.
 *
 * Context: under &struct ds_records.lock.
 */
void ds_walk_pass(const struct ds_walk *walk, struct ds_sock *rec);

/**
 * ds_walk_leave() - tell a walk that a record leaves its list
 * @walk:	the walk, if there is one
 * @rec:	the record, still in the list
 *
 * Context: under &struct ds_records.lock.
 */
void ds_walk_leave(struct ds_walk *walk, const struct ds_sock *rec);

#endif /* _DUALSTACK_WALK_H */
