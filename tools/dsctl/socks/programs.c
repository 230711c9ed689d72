// SPDX-License-Identifier: GPL-2.0
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "out/err.h"
#include "socks/programs.h"
#include "socks/role.h"

static int compare(const void *pa, const void *pb)
{
	const struct program *a = pa, *b = pb;
	int diff = strcmp(a->comm, b->comm);

	return diff ? diff : (a->uid > b->uid) - (a->uid < b->uid);
}

static uint64_t dest_key(uint8_t protocol, const struct endpoint *ep)
{
	return (uint64_t)protocol << 48 | (uint64_t)ep->port << 32 |
	       role_v4_addr(ep);
}

/* What is of a name is of a program's user, too: it is that of a socket which it has. */
static void add_tasks(struct programs *programs)
{
	const struct procs *procs = &programs->view->procs;
	const struct sock_list *list = &programs->view->socks;
	uint32_t i, n, fd;

	for (i = 0; procs->known && i < list->n; i++) {
		const struct sock *sk = &list->v[i];

		for (fd = sk->procs.first; fd != PROC_NONE;
		     fd = procs->fds[fd].next) {
			uint32_t task = procs->fds[fd].task;
			uint32_t service = programs->services->of_task[task];

			if (service == SERVICE_NONE)
				continue;
			programs->v[programs->n++] = (struct program) {
				.comm = procs->tasks[task].comm,
				.uid = sk->uid,
				.service = service,
			};
		}
	}
	if (!programs->n)
		return;
	qsort(programs->v, programs->n, sizeof(*programs->v), compare);
	/* A program can have many sockets. */
	for (n = 0, i = 1; i < programs->n; i++)
		if (compare(&programs->v[n], &programs->v[i]) ||
		    programs->v[n].service != programs->v[i].service)
			programs->v[++n] = programs->v[i];
	programs->n = n + 1;
}

/* A socket that a server has for its client goes nowhere. */
static void add_dests(struct programs *programs, const struct findings *findings)
{
	const struct sock_list *list = &programs->view->socks;
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct sock *sk = &list->v[i];
		const struct endpoint *dest = &sk->peer;

		if (!dest->family && !role_is_server(sk))
			dest = &sk->rec->mapped.peer;
		if (!dest->family || findings->taker[i] != MAP_NONE ||
		    (dest->family == AF_INET6 && !role_is_v4(sk)))
			continue;
		map_set(&programs->by_dest, dest_key(sk->protocol, dest), i);
	}
}

int programs_make(struct programs *programs, const struct view *view,
		  const struct findings *findings,
		  const struct services *services, const struct tally *tally)
{
	programs->view = view;
	programs->services = services;
	programs->tally = tally;
	programs->v = calloc(view->procs.num_fds + 1, sizeof(*programs->v));
	if (!programs->v || map_init(&programs->by_dest, view->socks.n))
		return err_no_memory();
	add_tasks(programs);
	add_dests(programs, findings);
	return 0;
}

/* The first program of that name and user, or the place behind all. */
static size_t find_first(const struct programs *programs,
			 const struct program *key)
{
	size_t low = 0, high = programs->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (compare(&programs->v[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static uint32_t find_by_name(const struct programs *programs,
			     const struct peer_entry *entry)
{
	const struct program key = { .comm = entry->comm, .uid = entry->uid };
	uint32_t service = SERVICE_NONE;
	size_t i;

	for (i = find_first(programs, &key);
	     i < programs->n && !compare(&programs->v[i], &key); i++) {
		if (service != SERVICE_NONE && service != programs->v[i].service)
			return SERVICE_NONE;
		service = programs->v[i].service;
	}
	return service;
}

/*
 * Whether another program of the same user was at the same place, that is of no service by
 * its name.
 */
static bool is_shared(const struct programs *programs, uint32_t i)
{
	const struct tally *tally = programs->tally;
	const struct peer_entry *entries = tally->entries.v;
	uint32_t j;

	j = tally_dest(tally, entries[i].direction, entries[i].protocol,
		       &entries[i].peer);
	for (; j != MAP_NONE; j = tally->next[j])
		if (j != i && entries[j].uid == entries[i].uid &&
		    find_by_name(programs, &entries[j]) == SERVICE_NONE)
			return true;
	return false;
}

uint32_t programs_find(const struct programs *programs, uint32_t i)
{
	const struct peer_entry *entry = &programs->tally->entries.v[i];
	uint32_t service, sk;

	service = find_by_name(programs, entry);
	if (service != SERVICE_NONE)
		return service;
	sk = map_get(&programs->by_dest, dest_key(entry->protocol, &entry->peer));
	if (sk == MAP_NONE ||
	    programs->view->socks.v[sk].uid != entry->uid ||
	    is_shared(programs, i))
		return SERVICE_NONE;
	return programs->services->of[sk];
}

void programs_free(struct programs *programs)
{
	free(programs->v);
	map_free(&programs->by_dest);
}
