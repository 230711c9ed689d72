/* SPDX-License-Identifier: GPL-2.0 */
/* Rules: what IPV6_V6ONLY is to be on sockets to come. */

#ifndef _DUALSTACK_RULES_H
#define _DUALSTACK_RULES_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "event_list.h"

struct sock;

/* How many rules a namespace can have. */
#define DS_MAX_RULES	1024

/* The key of the rule of all ports that have none of their own: it comes first. */
#define DS_RULE_ALL	0

/**
 * struct ds_rule - a rule
 * @rcu:	to free it
 * @key:	which port it is about, see ds_rule_key()
 * @v6only:	what IPV6_V6ONLY is to be
 * @applied:	how many sockets were bound as it says
 * @passed_over: for how many sockets an IPv4 socket was in the way
 * @holder_addr: the address that the last of these is bound to, network byte order
 * @holder:	its cookie, 0 while there is none. With @holder_addr under
 *		&struct ds_rules.lock
 */
struct ds_rule {
	struct rcu_head rcu;
	u32 key;
	bool v6only;
	atomic64_t applied;
	atomic64_t passed_over;
	__be32 holder_addr;
	u64 holder;
};

/**
 * struct ds_rules - the rules of a namespace
 * @by_key:	the rules, struct ds_rule by key; written under @mutex, read under RCU
 * @mutex:	serialises changes; held for a few instructions and an allocation
 * @n:		how many there are; under @mutex
 * @generation:	changes with any rule, never 0; written under @mutex
 * @lock:	for @binding and the holders of rules
 * @binding:	sockets that a rule is being applied to, see bind.c
 * @made_dual:	sockets that a rule, or somebody in its name, has made dual: values by
 *		their cookie. They give IPv4 back to who binds an IPv4 socket to the
 *		port. Forgotten when they end
 */
struct ds_rules {
	struct xarray by_key;
	struct mutex mutex;	/* see above */
	unsigned int n;
	unsigned int generation;
	spinlock_t lock;	/* see above */
	struct list_head binding;
	struct xarray made_dual;
};

/* How many rules, and sockets that were made dual, there are in all namespaces: else
 * bind() looks at nothing, nor does the end of a socket.
 */
extern atomic_t ds_rules_total;
extern atomic_t ds_rules_total_dual;

/* Whether there may be anything to do in bind(). */
static __always_inline bool ds_rules_exist(void)
{
	return unlikely(atomic_read(&ds_rules_total) ||
			atomic_read(&ds_rules_total_dual));
}

/**
 * ds_rule_key() - the key of the rule of one port
 * @proto:	protocol of the port
 * @port:	the port, not 0, host byte order
 *
 * Return: the key, in the order of protocol and port.
 */
static inline u32 ds_rule_key(enum ds_proto proto, u16 port)
{
	return (proto + 1) << 16 | port;
}

/**
 * ds_rules_find() - the rule that decides about a port
 * @rules:	those of the namespace
 * @proto:	protocol of the port
 * @port:	the port, host byte order
 *
 * Context: under RCU.
 *
 * Return: its own, or that of all ports; or NULL.
 */
struct ds_rule *ds_rules_find(struct ds_rules *rules, enum ds_proto proto,
			      u16 port);

/**
 * ds_rules_set() - add or replace a rule
 * @rules:	those of the namespace
 * @key:	which port it is about
 * @v6only:	what IPV6_V6ONLY is to be
 * @was:	set to what it was to be by the rule that was there, or to -1. A rule
 *		that is there the same way stays as it is
 *
 * Context: process, may sleep.
 *
 * Return: 0, -ENOSPC where there are DS_MAX_RULES, -ENOMEM.
 */
int ds_rules_set(struct ds_rules *rules, u32 key, bool v6only, int *was);

/**
 * ds_rules_del() - remove a rule
 * @rules:	those of the namespace
 * @key:	which port it is about
 *
 * Context: process, may sleep.
 *
 * Return: 0, or -ENOENT where there is none.
 */
int ds_rules_del(struct ds_rules *rules, u32 key);

/**
 * ds_rule_pass_over() - count a socket that a rule was passed over for
 * @rules:	those of the namespace
 * @rule:	the rule
 * @addr:	address of the IPv4 socket that was in the way, network byte order
 * @cookie:	its cookie, 0 where it had gone when it was looked for
 *
 * Context: process or softirq, under RCU.
 */
void ds_rule_pass_over(struct ds_rules *rules, struct ds_rule *rule, __be32 addr,
		       u64 cookie);

/**
 * ds_rule_holder() - who was in the way of a rule last
 * @rules:	those of the namespace
 * @rule:	the rule
 * @addr:	set to the address of that socket
 *
 * Context: under RCU.
 *
 * Return: its cookie, or 0.
 */
u64 ds_rule_holder(struct ds_rules *rules, const struct ds_rule *rule,
		   __be32 *addr);

/**
 * ds_rules_note() - note that a rule, or somebody in its name, has made a socket dual
 * @sk:		the socket
 * @cookie:	its cookie
 *
 * Where there is no memory to note it, that socket does not give IPv4 back.
 *
 * Context: process or softirq; does not sleep.
 */
void ds_rules_note(const struct sock *sk, u64 cookie);

/**
 * ds_rules_forget() - forget how a socket has come to its IPV6_V6ONLY
 * @sk:		the socket, which may be ending
 *
 * Context: process or softirq.
 */
void ds_rules_forget(const struct sock *sk);

/**
 * ds_rules_made() - was a socket made dual by a rule?
 * @sk:		the socket
 *
 * Context: under RCU, or while the socket stays.
 *
 * Return: true or false.
 */
bool ds_rules_made(const struct sock *sk);

/* Forget all sockets: those that end while no hook is there would stay for ever. May
 * sleep.
 */
void ds_rules_forget_all(void);

/* Begin with no rules. */
void ds_rules_init(struct ds_rules *rules);

/* Nobody looks for a rule of this namespace any more. */
void ds_rules_end(struct ds_rules *rules);

#endif /* _DUALSTACK_RULES_H */
