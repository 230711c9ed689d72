// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "nl/diag.h"
#include "out/err.h"
#include "out/text.h"
#include "socks/role.h"
#include "socks/services.h"
#include "util/array.h"
#include "util/map.h"

#define INIT_PID	1
#define MAX_PIDS	3	/* process IDs behind a name in a table */

/* The keys of sockets without a process; others are of user and port. */
#define KEY_UNLISTED	((uint64_t)1 << 62)

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
	if (sk->unlisted)
		return KEY_UNLISTED;
	return (uint64_t)sk->uid << 25 | (uint64_t)sk->protocol << 17 |
	       (uint64_t)!!sk->peer.family << 16 | owned_end(sk)->port;
}

static const char *comm_of(const struct procs *procs, const struct sock *sk)
{
	return task_of(procs, sk->procs.first)->comm;
}

/* Whether one program has two sockets that only SO_REUSEPORT lets have one port. */
static bool are_workers(const struct view *view, const struct sock *a,
			const struct sock *b)
{
	return a->uid == b->uid && a->ifindex == b->ifindex &&
	       role_is_server(a) && role_is_server(b) &&
	       a->procs.first != PROC_NONE && b->procs.first != PROC_NONE &&
	       !strcmp(comm_of(&view->procs, a), comm_of(&view->procs, b));
}

static bool is_same_end(const struct sock *a, const struct sock *b)
{
	return a->protocol == b->protocol && a->family == b->family &&
	       a->local.port == b->local.port &&
	       !endpoint_compare(&a->local, &b->local);
}

/* Unite a socket with one of its own kind: these stand side by side in a view. */
static void unite_workers(const struct view *view, const bool *member,
			  uint32_t i, uint32_t *parent)
{
	const struct sock *socks = view->socks.v;
	uint32_t j;

	for (j = i; j > 0 && is_same_end(&socks[j - 1], &socks[i]); j--) {
		if (member[j - 1] && are_workers(view, &socks[j - 1], &socks[i])) {
			unite(parent, i, j - 1);
			return;
		}
	}
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
		unite_workers(view, member, i, parent);
		if (sk->procs.first == PROC_NONE)
			unite(parent, i, map_set(by_owner, owner_key(sk), i));
		else
			unite_by_task(view, i, parent, first_of_task);
	}
}

static void add_sock(struct services *services, uint32_t sock, uint32_t group)
{
	struct service *service;

	/* The first of a group comes before the others. There is room for all. */
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
	services->size = n + 1;
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

static struct service *add_without(struct services *services, enum service_kind kind)
{
	struct service *service;

	if (array_grow((void **)&services->v, services->n, &services->size,
		       sizeof(*services->v)))
		return NULL;
	service = &services->v[services->n++];
	memset(service, 0, sizeof(*service));
	service->kind = kind;
	service->first = SERVICE_NONE;
	return service;
}

int services_add_closed(struct services *services)
{
	return add_without(services, SERVICE_CLOSED) ? 0 : err_no_memory();
}

int services_add_program(struct services *services, const char *comm,
			 uint32_t uid)
{
	struct service *service = add_without(services, SERVICE_PROGRAM);

	if (!service)
		return err_no_memory();
	snprintf(service->comm, sizeof(service->comm), "%s", comm);
	service->uid = uid;
	return 0;
}

/* The name of sockets whose processes, if any, are not seen. */
static void owner_name(const struct procs *procs, const struct sock *sk,
		       struct text *text)
{
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
	const struct service *service = &services->v[i];
	size_t t;

	if (service->kind == SERVICE_CLOSED)
		text_puts(text, "closed or reset");
	if (service->kind == SERVICE_PROGRAM)
		text_puts(text, service->comm);
	if (service->kind != SERVICE_SOCKETS)
		return;
	for (t = 0; t < view->procs.num_tasks; t++) {
		if (services->of_task[t] == i) {
			text_puts(text, view->procs.tasks[t].comm);
			return;
		}
	}
	owner_name(&view->procs, &view->socks.v[service->first], text);
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
	if (services->v[i].kind == SERVICE_PROGRAM)
		text_printf(text, ", uid %u", services->v[i].uid);
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
