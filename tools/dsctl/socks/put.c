// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nl/counters.h"
#include "out/emit.h"
#include "out/out.h"
#include "socks/put.h"
#include "socks/ruled.h"
#include "util/array.h"

const char *dev_name(struct dev_name *dev, const struct sock *sk)
{
	if (!sk->ifindex)
		return NULL;
	if (sk->ifindex != dev->ifindex &&
	    !if_indextoname(sk->ifindex, dev->name))
		snprintf(dev->name, sizeof(dev->name), "if%u", sk->ifindex);
	dev->ifindex = sk->ifindex;
	return dev->name;
}

void emit_addr(struct emit *emit, const char *key, const struct endpoint *ep)
{
	char buf[ENDPOINT_STRLEN];

	emit_text(emit, key, ep->family ? endpoint_addr(ep, buf) : NULL);
}

void emit_port(struct emit *emit, const char *key, const struct endpoint *ep)
{
	if (ep->family)
		emit_number(emit, key, ep->port);
	else
		emit_null(emit, key);
}

static void emit_last(struct emit *emit, const char *peer_key,
		      const char *age_key, const struct last_peer *last)
{
	char buf[ENDPOINT_STRLEN];

	if (last->peer.family) {
		emit_text(emit, peer_key, endpoint_str(&last->peer, NULL, buf));
		emit_number(emit, age_key, last->age);
	} else {
		emit_null(emit, peer_key);
		emit_null(emit, age_key);
	}
}

json_t *json_rule(unsigned int rule)
{
	const char *name = sock_rule_names[rule];

	return name ? json_string(name) : json_null();
}

json_t *json_processes(const struct procs *procs, const struct sock *sk)
{
	json_t *array = json_array();
	uint32_t i;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next) {
		const struct proc_task *task;

		task = &procs->tasks[procs->fds[i].task];
		json_add(array, json_pack("{s:i, s:o, s:i}", "pid", task->pid,
					  "comm", json_text(task->comm),
					  "fd", procs->fds[i].fd));
	}
	return array;
}

void emit_processes(struct emit *emit, const char *key, const struct procs *procs,
		    const struct sock *sk)
{
	uint32_t i;

	emit_open(emit, key, '[');
	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next) {
		const struct proc_task *task;

		task = &procs->tasks[procs->fds[i].task];
		emit_open(emit, NULL, '{');
		emit_number(emit, "pid", task->pid);
		emit_text(emit, "comm", task->comm);
		emit_number(emit, "fd", procs->fds[i].fd);
		emit_end(emit, '}');
	}
	emit_end(emit, ']');
}

/* What sock_diag does not tell of a socket that it does not list */
static void emit_listed(struct emit *emit, const char *key, const struct sock *sk,
			uint32_t number)
{
	if (sk->unlisted)
		emit_null(emit, key);
	else
		emit_number(emit, key, number);
}

void emit_counters(struct emit *emit, const uint64_t *values, int protocol)
{
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++) {
		if (counter_is_recorded(i, protocol))
			emit_number(emit, counters[i].key, values[i]);
		else
			emit_null(emit, counters[i].key);
	}
}

void emit_socket(struct emit *emit, const struct out *out,
		 const struct procs *procs, const struct sock *sk,
		 struct dev_name *dev)
{
	const struct record *rec = sk->rec;

	emit_text(emit, "netns", out->netns);
	emit_text(emit, "proto", proto_name(sk->protocol));
	emit_text(emit, "state", state_name(sk));
	emit_text(emit, "mode",
		  sk->mode == NUM_MODES ? NULL : mode_names[sk->mode]);
	emit_addr(emit, "local_addr", &sk->local);
	emit_port(emit, "local_port", &sk->local);
	emit_addr(emit, "peer_addr", &sk->peer);
	emit_port(emit, "peer_port", &sk->peer);
	emit_text(emit, "dev", dev_name(dev, sk));
	emit_bool(emit, "explicit_port", rec->explicit_port);
	emit_bool(emit, "v6only", sk->v6only);
	emit_text(emit, "rule", sock_rule_names[sk->rule]);
	emit_number(emit, "cookie", sk->cookie);
	emit_listed(emit, "uid", sk, sk->uid);
	emit_listed(emit, "inode", sk, sk->inode);
	emit_bool(emit, "shadowed", sk->shadowed);
	if (procs->known)
		emit_processes(emit, "processes", procs, sk);
	else
		emit_null(emit, "processes");
	emit_last(emit, "last_mapped_peer", "last_mapped_age_ms", &rec->mapped);
	emit_last(emit, "last_rejected_peer", "last_rejected_age_ms",
		  &rec->rejected);
	emit_counters(emit, rec->counters, sk->protocol);
}

json_t *json_socket(const struct out *out, const struct procs *procs,
		    const struct sock *sk, struct dev_name *dev)
{
	struct emit emit = { };
	json_t *value;

	emit_begin(&emit, out);
	emit_socket(&emit, out, procs, sk, dev);
	emit_end(&emit, '}');
	value = emit_value(&emit);
	free(emit.text.buf);
	return value;
}

json_t *json_counters(const uint64_t *values)
{
	json_t *obj = json_object();
	size_t i;

	for (i = 0; i < NUM_COUNTERS; i++)
		json_set(obj, counters[i].key, json_integer(values[i]));
	return obj;
}

void text_processes(struct text *text, const struct procs *procs,
		    const struct sock *sk)
{
	const struct proc_task *task, *prev = NULL;
	uint32_t i;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next) {
		task = &procs->tasks[procs->fds[i].task];
		if (task == prev)
			continue;
		if (prev && !strcmp(task->comm, prev->comm)) {
			text_puts(text, ",");
		} else {
			text_puts(text, prev ? ") " : "");
			text_puts(text, task->comm);
			text_puts(text, "(");
		}
		text_number(text, task->pid);
		prev = task;
	}
	if (prev)
		text_puts(text, ")");
}

void text_endpoint(struct text *text, const struct endpoint *ep,
		   const char *dev)
{
	char buf[ENDPOINT_STRLEN];

	if (ep->family)
		text_puts(text, endpoint_str(ep, dev, buf));
}

void text_age(struct text *text, uint64_t age)
{
	static const struct {
		unsigned int seconds;
		const char *name;
	} units[] = {
		{ 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" },
	};
	uint64_t s = age / 1000;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(units) - 1 && s < units[i].seconds;)
		i++;
	text_number(text, s / units[i].seconds);
	text_puts(text, units[i].name);
}

void text_last(struct text *text, const struct last_peer *last)
{
	if (!last->peer.family)
		return;
	text_endpoint(text, &last->peer, NULL);
	text_puts(text, " ");
	text_age(text, last->age);
}
