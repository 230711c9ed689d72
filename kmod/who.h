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
struct msghdr;
struct net;
struct sk_buff;

/* A UDP socket is a server's if its port was asked for by number and it was not
 * connected before something came in. What a server receives counts for its clients;
 * what a client sends, for its servers; the answers for nobody. Which it is stands in
 * &struct ds_sock.entry from the first datagram or connect() on.
 */

/**
 * ds_who_received() - a socket was handed over IPv4
 * @rec:	its record
 * @saddr:	from whom
 * @now:	in jiffies
 *
 * Context: under RCU.
 *
 * Return: true; false where it is not the same peer again: then ds_who_received_slow()
 * has to do it.
 */
static __always_inline bool ds_who_received(const struct ds_sock *rec,
					    __be32 saddr, unsigned long now)
{
	unsigned long tagged = READ_ONCE(rec->entry);
	struct ds_entry *entry = (struct ds_entry *)tagged;

	if (tagged & DS_ENTRY_TAGS)
		return true;
	if (unlikely(ds_key_addr(&entry->key) != saddr))
		return false;
	ds_entry_add(entry, 1, now);
	return true;
}

/**
 * ds_who_received_slow() - a socket was handed over IPv4, perhaps by another peer
 * @sk:		a listener, or a UDP socket
 * @rec:	its record
 * @saddr:	from whom
 *
 * Context: under RCU.
 */
void ds_who_received_slow(struct sock *sk, struct ds_sock *rec, __be32 saddr);

/**
 * ds_who_accepted() - ds_who_received_slow() for ds_account_accept()
 * @listener:	the listening socket
 * @child:	not used: the arguments of who calls this last are not to move
 * @skb:	the segment
 * @rec:	the record of the listener
 *
 * Context: with preemption disabled, which is enabled as it returns.
 */
ds_direct
void ds_who_accepted(struct sock *listener, const struct sock *child,
		     const struct sk_buff *skb, struct ds_sock *rec);

/**
 * ds_who_read() - ds_who_received_slow() for ds_account_recv()
 * @sk:		the UDP socket
 * @skb:	the datagram
 * @len:	not used, likewise
 * @rec:	the record of the socket
 *
 * Context: with preemption disabled, which is enabled as it returns.
 */
ds_direct
void ds_who_read(struct sock *sk, const struct sk_buff *skb, int len,
		 struct ds_sock *rec);

/**
 * ds_who_received_untracked() - a socket that has no record was handed over IPv4
 * @sk:		a listener, or a UDP socket
 * @saddr:	from whom
 *
 * Context: under RCU.
 */
void ds_who_received_untracked(struct sock *sk, __be32 saddr);

/* The name may change meanwhile, by prctl() of the task itself or by others: what is
 * read is then of both.
 */
static __always_inline
void ds_key_out(struct ds_entry_key *key, const struct ds_ledger *ledger,
		enum ds_proto proto, u8 direction, __be32 daddr, __be16 dport)
{
	key->ledger = ledger;
	key->head = ds_entry_head(daddr, dport, proto, direction);
	key->uid = __kuid_val(current_uid());
	memcpy(key->comm, current->comm, sizeof(key->comm));
}

/* Count for this task. Returns the entry, if there is one. */
static __always_inline
struct ds_entry *ds_who_goes_out(struct ds_ledger *ledger, struct sock *sk,
				 enum ds_proto proto, u8 direction,
				 __be32 daddr, __be16 dport, unsigned int n)
{
	struct ds_entry_key key __uninitialized;

	ds_key_out(&key, ledger, proto, direction, daddr, dport);
	return ds_ledger_note(ledger, &key, sk, n);
}

/* Whether an entry is that of this task, which sends to a peer by UDP. Of what a word can
 * hold, memcmp() is a comparison.
 */
static __always_inline bool ds_entry_is_out(const struct ds_entry *entry, u64 to)
{
	const struct ds_entry_key *key = &entry->key;

	return key->head == ds_entry_head_of(to, DS_UDP,
					     DUALSTACK_PEER_DIRECTION_OUT) &&
	       key->uid == __kuid_val(current_uid()) &&
	       !memcmp(key->comm, current->comm, sizeof(key->comm) / 2) &&
	       !memcmp(key->comm + sizeof(key->comm) / 2,
		       current->comm + sizeof(key->comm) / 2,
		       sizeof(key->comm) / 2);
}

/**
 * ds_who_sends() - sendmsg() of UDP goes ahead over IPv4
 * @rec:	the record of the socket
 * @to:		where to, see ds_peer_word()
 * @now:	in jiffies
 *
 * Context: process, under RCU.
 *
 * Return: true; false where it is not the same peer again, of the same program: then
 * ds_who_sent() has to do it.
 */
static __always_inline bool ds_who_sends(const struct ds_sock *rec, u64 to,
					 unsigned long now)
{
	unsigned long tagged = READ_ONCE(rec->entry);
	struct ds_entry *entry = (struct ds_entry *)(tagged - DS_ENTRY_CLIENT);

	/* What a server sends are answers. */
	if (unlikely((unsigned long)entry & DS_ENTRY_TAGS))
		return tagged != (unsigned long)&ds_entry_undecided;
	if (unlikely(!ds_entry_is_out(entry, to)))
		return false;
	ds_entry_add(entry, 1, now);
	return true;
}

/**
 * ds_who_sent() - what ds_who_sends() has not done, for ds_account_sent()
 * @sk:		the UDP socket
 * @msg:	the message
 * @len:	not used, likewise
 * @rec:	the record of the socket
 *
 * Context: process, with preemption disabled, which is enabled as it returns.
 */
ds_direct
void ds_who_sent(struct sock *sk, struct msghdr *msg, size_t len,
		 struct ds_sock *rec);

/**
 * ds_who_calls() - connect() or sendmsg() goes ahead over IPv4, or is refused
 * @ledger:	the ledger of its namespace, for which check_net() is true
 * @sk:		the socket
 * @proto:	its protocol
 * @direction:	an enum dualstack_peer_direction
 * @daddr:	where to
 * @dport:	and to which port
 *
 * Context: process, under RCU.
 */
static __always_inline void ds_who_calls(struct ds_ledger *ledger,
					 struct sock *sk, enum ds_proto proto,
					 u8 direction, __be32 daddr, __be16 dport)
{
	if (likely(READ_ONCE(ledger->on) && daddr && dport))
		ds_who_goes_out(ledger, sk, proto, direction, daddr, dport, 1);
}

/**
 * ds_who_refused() - a packet was refused
 * @sk:		the socket that refuses it
 * @flow:	between whom
 *
 * Context: under RCU. check_net() is true for the namespace.
 */
void ds_who_refused(struct sock *sk, const struct ds_flow *flow);

/**
 * ds_who_note() - any other event that counts for a peer
 * @sk:		the socket
 * @rec:	its record, or NULL
 * @event:	what happened
 * @flow:	between whom
 * @n:		how often
 *
 * Context: under RCU; process where it is something that @sk
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
