/* SPDX-License-Identifier: GPL-2.0 */
/* Which of the sockets that have a port an entry of the ledger is about. */
#ifndef DSCTL_HOLDERS_H
#define DSCTL_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nl/peers.h"
#include "socks/findings.h"
#include "socks/view.h"
#include "util/map.h"

/**
 * struct holders - Who has which port now.
 * @socks: the sockets of a view.
 * @first: by protocol and port, the first one that has it.
 * @next: the next one of the same protocol and port, or MAP_NONE.
 * @chosen: those that holders_choose() found.
 */
struct holders {
	const struct sock *socks;
	struct map first;
	uint32_t *next;
	uint32_t *chosen;
};

/**
 * holders_make() - Find who has which port.
 * @holders: zeroed; to be freed in any case.
 * @view: the sockets.
 * @findings: about them.
 *
 * Return: 0, or -1 after a message.
 */
int holders_make(struct holders *holders, const struct view *view,
		 const struct findings *findings);

/**
 * holders_choose() - Find the sockets that an entry is about.
 * @holders: the sockets.
 * @entry: of direction in or refused.
 *
 * The ledger has the port, not the address that the peer came to, and a socket may have
 * taken the place of another one. So it is those that have counted such peers and, if
 * there are none, the one that would take them, or turn them away, now.
 *
 * Return: how many there are in @holders->chosen, 0 if nobody has the port any more.
 */
size_t holders_choose(struct holders *holders, const struct peer_entry *entry);

/**
 * holders_take() - Whether peers of a family are not refused any more.
 * @holders: the sockets.
 * @sk: one that may have refused them.
 * @v4: the family is IPv4, else IPv6.
 *
 * Return: true if its port has a socket that takes them, at whichever address they come to.
 */
bool holders_take(const struct holders *holders, const struct sock *sk, bool v4);

/**
 * holders_free() - Free what holders_make() made.
 * @holders: the sockets.
 */
void holders_free(struct holders *holders);

#endif /* DSCTL_HOLDERS_H */
