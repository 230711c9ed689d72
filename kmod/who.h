/* SPDX-License-Identifier: GPL-2.0 */
/* Whose an event is: the peer that it counts for in the ledger, if any. */

#ifndef _DUALSTACK_WHO_H
#define _DUALSTACK_WHO_H

#include <linux/compiler.h>
#include <linux/cred.h>
#include <linux/ftrace.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/types.h>

#include "ledger.h"
#include "sock.h"

struct ds_flow;
struct net;

/* A UDP socket is a server's if its port was asked for by number and it was not
 * connected before something came in. What a server receives counts for its clients;
 * what a client sends, for its servers; the answers for nobody. Which it is stands in
 * &struct ds_sock.entry from the first datagram or connect() on.
 */

/* What ds_who_received() does, unless it is the same peer again. */
ds_direct
void ds_who_received_slow(struct sock *sk, struct ds_sock *rec, __be32 saddr);

/**
 * ds_who_received() - a socket was handed over IPv4
 * @sk:		a listener, or a UDP socket
 * @rec:	its record
 * @saddr:	from whom
 *
 * Context: under RCU, with preemption disabled.
 */
static __always_inline void ds_who_received(struct sock *sk,
					    struct ds_sock *rec, __be32 saddr)
{
	unsigned long tagged = READ_ONCE(rec->entry);
	struct ds_entry *entry = (struct ds_entry *)tagged;

	if (tagged & DS_ENTRY_TAGS)
		return;
	if (likely(ds_key_addr(&entry->key) == saddr))
		ds_entry_add(entry, 1);
	else
		ds_who_received_slow(sk, rec, saddr);
}

/**
 * ds_who_received_untracked() - a socket that has no record was handed over IPv4
 * @sk:		a listener, or a UDP socket
 * @saddr:	from whom
 *
 * Context: under RCU, with preemption disabled.
 */
ds_direct
void ds_who_received_untracked(struct sock *sk, __be32 saddr);

/* The name may change meanwhile, by prctl() of the task itself or by others: what is
 * read is then of both.
 */
static __always_inline
struct ds_entry_key ds_key_out(const struct ds_ledger *ledger,
			       enum ds_proto proto, u8 direction, __be32 daddr,
			       __be16 dport)
{
	struct ds_entry_key key = {
		.ledger	= ledger,
		.head	= ds_entry_head(daddr, dport, proto, direction),
		.uid	= __kuid_val(current_uid()),
	};

	memcpy(key.comm, current->comm, sizeof(key.comm));
	return key;
}

/* Count for this task. Returns the entry, if there is one. */
static __always_inline
struct ds_entry *ds_who_goes_out(struct ds_ledger *ledger, struct sock *sk,
				 enum ds_proto proto, u8 direction,
				 __be32 daddr, __be16 dport, unsigned int n)
{
	const struct ds_entry_key key = ds_key_out(ledger, proto, direction,
						   daddr, dport);

	return ds_ledger_note(ledger, &key, sk, n);
}

/* Whether an entry is that of this task. */
static __always_inline bool ds_entry_is_out(const struct ds_entry *entry,
					    __be32 daddr, __be16 dport)
{
	const struct ds_entry_key *key = &entry->key;

	return key->head == ds_entry_head(daddr, dport, DS_UDP,
					  DUALSTACK_PEER_DIRECTION_OUT) &&
	       key->uid == __kuid_val(current_uid()) &&
	       !memcmp(key->comm, current->comm, sizeof(key->comm));
}

/* What ds_who_sends() does, unless it is the same peer again. */
ds_direct
void ds_who_sends_slow(struct sock *sk, struct ds_sock *rec, __be32 daddr,
		       __be16 dport);

/**
 * ds_who_sends() - sendmsg() of UDP goes ahead over IPv4
 * @sk:		the socket
 * @rec:	its record
 * @daddr:	where to
 * @dport:	and to which port
 *
 * Context: process, under RCU, with preemption disabled.
 */
static __always_inline void ds_who_sends(struct sock *sk, struct ds_sock *rec,
					 __be32 daddr, __be16 dport)
{
	unsigned long tagged = READ_ONCE(rec->entry);
	struct ds_entry *entry;

	if (likely((tagged & DS_ENTRY_TAGS) == DS_ENTRY_CLIENT)) {
		entry = (struct ds_entry *)(tagged - DS_ENTRY_CLIENT);
		if (likely(ds_entry_is_out(entry, daddr, dport))) {
			ds_entry_add(entry, 1);
			return;
		}
	} else if (tagged != (unsigned long)&ds_entry_undecided) {
		/* What a server sends are answers. */
		return;
	}
	ds_who_sends_slow(sk, rec, daddr, dport);
}

/**
 * ds_who_calls() - connect() or sendmsg() goes ahead over IPv4, or is refused
 * @ledger:	the ledger of its namespace, for which check_net() is true
 * @sk:		the socket
 * @proto:	its protocol
 * @direction:	an enum dualstack_peer_direction
 * @daddr:	where to
 * @dport:	and to which port
 *
 * Context: process, under RCU, with preemption disabled.
 */
static __always_inline void ds_who_calls(struct ds_ledger *ledger,
					 struct sock *sk, enum ds_proto proto,
					 u8 direction, __be32 daddr, __be16 dport)
{
	if (likely(READ_ONCE(ledger->on) && daddr && dport))
		ds_who_goes_out(ledger, sk, proto, direction, daddr, dport, 1);
}

/**
 * ds_who_note() - any event that counts for a peer
 * @sk:		the socket
 * @rec:	its record, or NULL
 * @event:	what happened
 * @flow:	between whom
 * @n:		how often
 *
 * Context: under RCU, with preemption disabled; process where it is something that @sk
 * was asked to do. check_net() is true for the namespace.
 */
void ds_who_note(struct sock *sk, struct ds_sock *rec, enum ds_event event,
		 const struct ds_flow *flow, unsigned int n);

/**
 * ds_who_not_refused() - sendmsg() was not refused after all
 * @sk:		the socket
 * @daddr:	where to
 * @dport:	and to which port
 *
 * Context: process, under RCU of any kind.
 */
void ds_who_not_refused(const struct sock *sk, __be32 daddr, __be16 dport);

/**
 * ds_who_resume() - have the records of a namespace know that there is a ledger again
 * @net:	the namespace
 *
 * Context: process, may sleep.
 */
void ds_who_resume(struct net *net);

#endif /* _DUALSTACK_WHO_H */
