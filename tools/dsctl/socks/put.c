// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nl/counters.h"
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

json_t *json_addr(const struct endpoint *ep)
{
	char buf[ENDPOINT_STRLEN];

	return ep->family ? json_string(endpoint_addr(ep, buf)) : json_null();
}

json_t *json_port(const struct endpoint *ep)
{
	return ep->family ? json_integer(ep->port) : json_null();
}

static json_t *json_last_peer(const struct last_peer *last)
{
	char buf[ENDPOINT_STRLEN];

	if (!last->peer.family)
		return json_null();
	return json_string(endpoint_str(&last->peer, NULL, buf));
}

static json_t *json_last_age(const struct last_peer *last)
{
	return last->peer.family ? json_integer(last->age) : json_null();
}

static json_t *json_mode(const struct sock *sk)
{
	if (sk->mode == NUM_MODES)
		return json_null();
	return json_string(mode_names[sk->mode]);
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

int json_socket(const struct out *out, json_t *obj, const struct procs *procs,
		const struct sock *sk, struct dev_name *dev)
{
	const struct record *rec = sk->rec;
	const char *name = dev_name(dev, sk);
	int failed = 0;
	size_t i;

#define SET(key, value) (failed |= json_object_set_new_nocheck(obj, key, value))
	SET("netns", json_netns(out));
	SET("proto", json_string(proto_name(sk->protocol)));
	SET("state", json_string(state_name(sk)));
	SET("mode", json_mode(sk));
	SET("local_addr", json_addr(&sk->local));
	SET("local_port", json_port(&sk->local));
	SET("peer_addr", json_addr(&sk->peer));
	SET("peer_port", json_port(&sk->peer));
	SET("dev", name ? json_text(name) : json_null());
	SET("explicit_port", rec->explicit_port < 0 ?
		json_null() : json_boolean(rec->explicit_port));
	SET("v6only", sk->v6only < 0 ? json_null() : json_boolean(sk->v6only));
	SET("rule", json_rule(sk->rule));
	SET("cookie", json_integer(sk->cookie));
	SET("uid", sk->unlisted ? json_null() : json_integer(sk->uid));
	SET("inode", sk->unlisted ? json_null() : json_integer(sk->inode));
	SET("shadowed", json_boolean(sk->shadowed));
	SET("processes", procs->known ? json_processes(procs, sk)
				      : json_null());
	SET("last_mapped_peer", json_last_peer(&rec->mapped));
	SET("last_mapped_age_ms", json_last_age(&rec->mapped));
	SET("last_rejected_peer", json_last_peer(&rec->rejected));
	SET("last_rejected_age_ms", json_last_age(&rec->rejected));
	for (i = 0; i < NUM_COUNTERS; i++)
		SET(counters[i].key, counter_is_recorded(i, sk->protocol) ?
			json_integer(rec->counters[i]) : json_null());
#undef SET
	return failed ? -ENOMEM : 0;
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
