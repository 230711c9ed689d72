/* SPDX-License-Identifier: GPL-2.0 */
/* The last peers in a record: an IPv4 one that was served, and one that was refused. */

#ifndef _DUALSTACK_LAST_PEER_H
#define _DUALSTACK_LAST_PEER_H

#include <linux/compiler.h>
#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/types.h>

#include "sock.h"

/**
 * struct ds_peer - the remote end of an event
 * @addr:	address; an IPv4 address is mapped
 * @port:	port, network byte order
 * @when:	jiffies
 */
struct ds_peer {
	struct in6_addr addr;
	__be16 port;
	unsigned long when;
};

/**
 * ds_sock_forget() - forget the last peers
 * @rec:	the record
 *
 * Context: under &struct ds_records.lock.
 */
void ds_sock_forget(struct ds_sock *rec);

/**
 * ds_sock_set_rejected() - remember a refused peer
 * @rec:	the record
 * @addr:	address of the peer; an IPv4 address is mapped
 * @port:	its port, network byte order
 *
 * Context: process or softirq, under RCU; on any number of CPUs: of two at one
 * moment one is the last.
 */
void ds_sock_set_rejected(struct ds_sock *rec, const struct in6_addr *addr,
			  __be16 port);

/**
 * ds_sock_get_rejected() - the last refused peer
 * @rec:	the record
 * @peer:	filled in
 *
 * Context: under RCU.
 *
 * Return: true, or false where none was refused.
 */
bool ds_sock_get_rejected(const struct ds_sock *rec, struct ds_peer *peer);

/**
 * ds_sock_get_mapped() - the last IPv4 peer served or sent to
 * @rec:	the record
 * @peer:	filled in
 *
 * Context: under RCU.
 *
 * Return: true, or false where there was none.
 */
bool ds_sock_get_mapped(const struct ds_sock *rec, struct ds_peer *peer);

/**
 * ds_sock_set_mapped() - remember an IPv4 peer served or sent to
 * @rec:	the record
 * @peer:	its address and port, see ds_peer_word()
 * @now:	in jiffies
 *
 * Context: any, on any number of CPUs.
 */
static __always_inline void ds_sock_set_mapped(struct ds_sock *rec, u64 peer,
					       unsigned long now)
{
	WRITE_ONCE(rec->mapped_when, now);
	/* pairs with ds_sock_get_mapped() */
	smp_store_release(&rec->mapped_peer, peer);
}

/**
 * ds_sock_end_rejected() - let nobody write or read the refused peer any more
 * @rec:	the record, which is about to end
 *
 * Context: under &struct ds_records.lock.
 */
void ds_sock_end_rejected(struct ds_sock *rec);

/**
 * ds_set_back() - make a time older
 * @when:	the time, in jiffies
 * @until:	nothing is done if it is after this one
 * @by:		by how much, in jiffies
 *
 * Context: any; others may write a newer time meanwhile.
 */
void ds_set_back(unsigned long *when, unsigned long until, unsigned long by);

/**
 * ds_sock_set_back() - make the last peers older
 * @rec:	the record
 * @until:	those of this time, in jiffies, and of before
 * @by:		by how much, in jiffies
 *
 * Context: under RCU.
 */
void ds_sock_set_back(struct ds_sock *rec, unsigned long until,
		      unsigned long by);

#endif /* _DUALSTACK_LAST_PEER_H */
