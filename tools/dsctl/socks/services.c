// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "nl/diag.h"
#include "out/err.h"
#include "out/text.h"
#include "socks/services.h"
#include "util/map.h"

#define INIT_PID	1
#define MAX_PIDS	3	/* process IDs behind a name in a table */

/* The keys of sockets without a process; others are of user and port. */
#define KEY_UNLISTED	((uint64_t)1 << 62)
#define KEY_CLOSED	((uint64_t)1 << 63)

/* The first socket of a group stands for it. */
static uint32_t group_of(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i) {
		parent[i] = parent[parent[i]];
		i = parent[i];
	}
	return i;
}

static void unite(uint32_t *parent, uint32_t a, uint32_t b)
{
	a = group_of(parent, a);
	b = group_of(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

static const struct proc_task *task_of(const struct procs *procs, uint32_t fd)
{
	return &procs->tasks[procs->fds[fd].task];
}

static bool has_other_than_init(const struct procs *procs,
				const struct sock *sk)
{
	uint32_t i;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next)
		if (task_of(procs, i)->pid != INIT_PID)
			return true;
	return false;
}

/* Unite a socket with the first one of each of its processes. */
static void unite_by_task(const struct view *view, uint32_t sock,
			  uint32_t *parent, uint32_t *first_of_task)
{
	const struct procs *procs = &view->procs;
	const struct sock *sk = &view->socks.v[sock];
	bool skip_init = has_other_than_init(procs, sk);
	uint32_t i, task;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next) {
		task = procs->fds[i].task;
		if (skip_init && procs->tasks[task].pid == INIT_PID)
			continue;
		if (first_of_task[task] == SERVICE_NONE)
			first_of_task[task] = sock;
		else
			unite(parent, sock, first_of_task[task]);
	}
}

/* A connection goes by the port that it was made to, as its own says nothing. */
static const struct endpoint *owned_end(const struct sock *sk)
{
	return sk->peer.family ? &sk->peer : &sk->local;
}

static uint64_t owner_key(const struct sock *sk)
{
	if (!sk->cookie)
		return KEY_CLOSED;
	if (sk->unlisted)
		return KEY_UNLISTED;
	return (uint64_t)sk->uid << 25 | (uint64_t)sk->protocol << 17 |
	       (uint64_t)!!sk->peer.family << 16 | owned_end(sk)->port;
}

static void unite_all(const struct view *view, const bool *member,
		      const uint32_t *taker, uint32_t *parent, uint32_t *first_of_task,
		      struct map *by_owner)
{
	uint32_t i;

	for (i = 0; i < view->socks.n; i++) {
		const struct sock *sk = &view->socks.v[i];

		if (!member[i])
			continue;
		if (taker[i] != SERVICE_NONE && member[taker[i]])
			unite(parent, i, taker[i]);
		if (sk->procs.first == PROC_NONE)
			unite(parent, i, map_set(by_owner, owner_key(sk), i));
		else
			unite_by_task(view, i, parent, first_of_task);
	}
}

static void add_sock(struct services *services, uint32_t sock, uint32_t group)
{
	struct service *service;

	/* The first of a group comes before the others. */
	if (sock == group) {
		service = &services->v[services->n];
		services->of[sock] = services->n++;
		service->first = sock;
	} else {
		services->of[sock] = services->of[group];
		service = &services->v[services->of[sock]];
		services->next[service->last] = sock;
	}
	service->last = sock;
	service->num_socks++;
}

static uint32_t *new_array(size_t n)
{
	uint32_t *v = malloc((n + 1) * sizeof(*v));

	/* Every byte set makes SERVICE_NONE of every element. */
	if (v)
		memset(v, 0xff, n * sizeof(*v));
	return v;
}

int services_group(struct services *services, const struct view *view,
		   const bool *member, const uint32_t *taker)
{
	size_t i, n = view->socks.n, num_tasks = view->procs.num_tasks;
	struct map by_owner = { };
	uint32_t *parent;
	int ret = -1;

	parent = new_array(n);
	services->of = new_array(n);
	services->next = new_array(n);
	services->of_task = new_array(num_tasks);
	services->v = calloc(n + 1, sizeof(*services->v));
	if (!parent || !services->of || !services->next ||
	    !services->of_task || !services->v || map_init(&by_owner, n)) {
		err_no_memory();
		goto out;
	}

	for (i = 0; i < n; i++)
		parent[i] = i;
	unite_all(view, member, taker, parent, services->of_task, &by_owner);
	for (i = 0; i < n; i++)
		if (member[i])
			add_sock(services, i, group_of(parent, i));
	/* Of each process the first socket is known, hence the service. */
	for (i = 0; i < num_tasks; i++)
		if (services->of_task[i] != SERVICE_NONE)
			services->of_task[i] =
				services->of[services->of_task[i]];
	ret = 0;
out:
	map_free(&by_owner);
	free(parent);
	return ret;
}

/* The name of sockets whose processes, if any, are not seen. */
static void owner_name(const struct procs *procs, const struct sock *sk,
		       struct text *text)
{
	if (!sk->cookie) {
		text_puts(text, "closed or reset");
		return;
	}
	if (sk->unlisted) {
		text_puts(text, "unknown");
		return;
	}
	/* The kernel's own sockets are root's, and of no process. */
	if (!sk->uid && procs->complete)
		text_puts(text, "kernel");
	else
		text_printf(text, "uid %u", sk->uid);
	text_printf(text, ", %s%s %u", proto_name(sk->protocol),
		    sk->peer.family ? " to" : "", owned_end(sk)->port);
}

void service_name(const struct services *services, const struct view *view,
		  size_t i, struct text *text)
{
	size_t t;

	for (t = 0; t < view->procs.num_tasks; t++) {
		if (services->of_task[t] == i) {
			text_puts(text, view->procs.tasks[t].comm);
			return;
		}
	}
	owner_name(&view->procs, &view->socks.v[services->v[i].first], text);
}

void service_text(const struct services *services, const struct view *view,
		  size_t i, struct text *text)
{
	const struct proc_task *task, *prev = NULL;
	unsigned int n = 0;
	size_t t;

	for (t = 0; t < view->procs.num_tasks; t++) {
		if (services->of_task[t] != i || n++ >= MAX_PIDS)
			continue;
		task = &view->procs.tasks[t];
		if (prev && !strcmp(task->comm, prev->comm))
			text_printf(text, ",%d", task->pid);
		else
			text_printf(text, "%s%s(%d", prev ? ") " : "",
				    task->comm, task->pid);
		prev = task;
	}
	if (n > MAX_PIDS)
		text_printf(text, ",+%u", n - MAX_PIDS);
	if (prev)
		text_puts(text, ")");
	else
		service_name(services, view, i, text);
}

json_t *service_processes(const struct services *services,
			  const struct view *view, size_t i)
{
	json_t *array = json_array();
	size_t t;

	for (t = 0; t < view->procs.num_tasks; t++) {
		const struct proc_task *task = &view->procs.tasks[t];

		if (services->of_task[t] == i)
			json_add(array, json_pack("{s:i, s:o}",
						  "pid", task->pid, "comm",
						  json_text(task->comm)));
	}
	return array;
}

void services_free(struct services *services)
{
	free(services->v);
	free(services->of);
	free(services->next);
	free(services->of_task);
}
