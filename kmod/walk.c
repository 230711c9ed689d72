// SPDX-License-Identifier: GPL-2.0
/* Walks through the records of a namespace, in steps between which others get on. */

#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "net.h"
#include "sock.h"
#include "walk.h"

/* Others find the locks free after so many records. */
#define DS_WALK_STEP	64

void ds_walk_init(struct ds_walk *walk)
{
	mutex_init(&walk->lock);
}

void ds_walk_begin(struct ds_net *dn, enum ds_walk_kind kind,
		   struct ds_sums *sums)
{
	struct ds_walk *walk = &dn->records.walk;

	lockdep_assert_held(&walk->lock);
	lockdep_assert_held(&dn->records.lock);

	walk->kind = kind;
	walk->number++;
	walk->sums = sums;
}

/* Records leave the list meanwhile, see ds_walk_leave(); others come to its end, see
 * ds_walk_pass().
 */
bool ds_walk_list(struct ds_net *dn, struct list_head *list,
		  ds_walk_visit *visit, bool killable)
{
	struct ds_walk *walk = &dn->records.walk;
	unsigned int left = DS_WALK_STEP;
	struct ds_sock *rec;

	for (walk->next = list->next; walk->next != list;) {
		rec = list_entry(walk->next, struct ds_sock, list);
		if (!ds_walk_awaits(walk, rec))
			break;
		walk->next = rec->list.next;
		ds_walk_pass(walk, rec);
		visit(dn, rec);
		if (--left)
			continue;
		left = DS_WALK_STEP;
		spin_unlock_bh(&dn->records.lock);
		cond_resched();
		spin_lock_bh(&dn->records.lock);
		if (killable && fatal_signal_pending(current))
			return false;
	}
	return true;
}

void ds_walk_end(struct ds_net *dn)
{
	struct ds_walk *walk = &dn->records.walk;

	lockdep_assert_held(&dn->records.lock);

	walk->kind = DS_WALK_NONE;
	walk->next = NULL;
	walk->sums = NULL;
}

bool ds_walk_awaits(const struct ds_walk *walk, const struct ds_sock *rec)
{
	return walk->kind != DS_WALK_NONE && rec->walk != walk->number;
}

void ds_walk_pass(const struct ds_walk *walk, struct ds_sock *rec)
{
	rec->walk = walk->number;
}

void ds_walk_leave(struct ds_walk *walk, const struct ds_sock *rec)
{
	if (walk->next == &rec->list)
		walk->next = rec->list.next;
}
