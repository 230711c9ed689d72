// SPDX-License-Identifier: GPL-2.0
/* The last peers in a record: an IPv4 one that was served, and one that was refused. */

#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <net/ipv6.h>

#include "last_peer.h"
#include "sock.h"

/* The two low bits of reject_seq; the rest of it counts changes, so that a
 * reader sees that there was one.
 */
#define DS_REJECT_BUSY	BIT(0)	/* somebody writes */
#define DS_REJECT_PEER	BIT(1)	/* there is a peer */
#define DS_REJECT_STEP	BIT(2)

void ds_sock_set_rejected(struct ds_sock *rec, const struct in6_addr *addr,
			  __be16 port)
{
	int seq;

	preempt_disable();	/* readers wait while somebody writes */
	seq = atomic_read(&rec->reject_seq);
	/* A trylock: the one who writes at this moment is as much the last. */
	if (!(seq & DS_REJECT_BUSY) &&
	    atomic_cmpxchg_acquire(&rec->reject_seq, seq,
				   seq | DS_REJECT_BUSY) == seq) {
		/* It is busy before the peer changes. */
		smp_wmb();
		rec->reject_addr = *addr;
		rec->reject_port = port;
		WRITE_ONCE(rec->reject_when, jiffies);
		atomic_set_release(&rec->reject_seq,
				   (seq + DS_REJECT_STEP) | DS_REJECT_PEER);
	}
	preempt_enable();
}

/* Nobody writes after this, and there is nothing to read. */
void ds_sock_end_rejected(struct ds_sock *rec)
{
	int seq;

	do {
		seq = atomic_read(&rec->reject_seq) & ~DS_REJECT_BUSY;
	} while (atomic_cmpxchg(&rec->reject_seq, seq, DS_REJECT_BUSY) != seq);
	smp_wmb();	/* pairs with ds_sock_get_rejected() */
}

void ds_sock_forget(struct ds_sock *rec)
{
	int seq = atomic_read(&rec->reject_seq);

	WRITE_ONCE(rec->mapped_peer, 0);
	/* A writer of this moment has a newer peer: leave it alone. */
	if (!(seq & DS_REJECT_BUSY))
		atomic_cmpxchg(&rec->reject_seq, seq,
			       (seq + DS_REJECT_STEP) & ~DS_REJECT_PEER);
}

bool ds_sock_get_rejected(const struct ds_sock *rec, struct ds_peer *peer)
{
	int seq;

	for (;;) {
		seq = atomic_read_acquire(&rec->reject_seq);
		if (!(seq & DS_REJECT_PEER))
			return false;
		if (!(seq & DS_REJECT_BUSY)) {
			peer->addr = rec->reject_addr;
			peer->port = rec->reject_port;
			peer->when = READ_ONCE(rec->reject_when);
			smp_rmb();	/* copied before reject_seq is read */
			if (atomic_read(&rec->reject_seq) == seq)
				return true;
		}
		cpu_relax();
	}
}

bool ds_sock_get_mapped(const struct ds_sock *rec, struct ds_peer *peer)
{
	/* The time is at least that of this peer: it is stored first. */
	u64 mapped = smp_load_acquire(&rec->mapped_peer);

	peer->when = READ_ONCE(rec->mapped_when);
	peer->port = ds_peer_word_port(mapped);
	ipv6_addr_set_v4mapped(ds_peer_word_addr(mapped), &peer->addr);
	return mapped;
}

void ds_set_back(unsigned long *when, unsigned long until, unsigned long by)
{
	unsigned long old = READ_ONCE(*when);

	/* Unless there is a newer event by now. */
	if (!time_after(old, until))
		cmpxchg(when, old, old - by);
}

void ds_sock_set_back(struct ds_sock *rec, unsigned long until,
		      unsigned long by)
{
	ds_set_back(&rec->mapped_when, until, by);
	ds_set_back(&rec->reject_when, until, by);
}
