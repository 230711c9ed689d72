/* SPDX-License-Identifier: GPL-2.0 */
/* What is to be shown of the ledger of peers: chosen, grouped and sorted. */
#ifndef DSCTL_LEDGER_H
#define DSCTL_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nl/dsnl.h"
#include "nl/peers.h"
#include "socks/filter.h"

struct rates;

/**
 * enum ledger_group - What entries are added up by, apart from their direction.
 * @GROUP_NONE: they are not.
 * @GROUP_PEER: address of the peer.
 * @GROUP_PREFIX: the first bits of that.
 * @GROUP_PORT: protocol and port, as ledger_port() has it.
 * @GROUP_PROCESS: user and name of the task. Directions without are one group each.
 */
enum ledger_group {
	GROUP_NONE,
	GROUP_PEER,
	GROUP_PREFIX,
	GROUP_PORT,
	GROUP_PROCESS,
};

/**
 * struct ledger_request - What was asked for.
 * @filter: of which port, proto, family, process and peer count.
 * @direction: enum dualstack_peer_direction, or PEER_ANY_DIRECTION.
 * @group: enum ledger_group.
 * @prefix_len: of GROUP_PREFIX, how many bits. Addresses that have fewer are whole.
 */
struct ledger_request {
	struct filter filter;
	uint8_t direction;
	enum ledger_group group;
	uint8_t prefix_len;
};

/**
 * struct ledger_line - An entry, or the sum of a group.
 * @entry: the entry. What a group has added up, and what there is not, is 0.
 * @since: how much of its count is new since the report before, where that is asked for.
 * @num_peers: how many addresses are in it, those in rests not counted.
 * @has_task: @entry has a user and the name of a task.
 */
struct ledger_line {
	struct peer_entry entry;
	uint64_t since;
	uint32_t num_peers;
	bool has_task;
};

/**
 * struct ledger - The lines to be shown.
 * @v: the lines, those of the highest counts first.
 * @n: how many.
 * @size: for how many there is room.
 */
struct ledger {
	struct ledger_line *v;
	size_t n;
	size_t size;
};

/**
 * ledger_get() - Ask the module, and make the lines.
 * @nl: from dsnl_open_dualstack().
 * @req: what was asked for.
 * @rates: what was counted until the report before, or NULL.
 * @ledger: zeroed; to be freed in any case.
 *
 * Return: 0, or -1 after a message.
 */
int ledger_get(struct dsnl *nl, const struct ledger_request *req,
	       struct rates *rates, struct ledger *ledger);

/**
 * ledger_sort() - Put the lines into the order of @since, the highest first.
 * @ledger: the lines. Of equal ones the order is that of ledger_get().
 */
void ledger_sort(struct ledger *ledger);

/**
 * ledger_port() - The port that an entry is about, the server's.
 * @entry: the entry.
 *
 * Return: that of this host, or of the peer in directions out and refused-out; 0 where
 *	   there is none.
 */
uint16_t ledger_port(const struct peer_entry *entry);

/**
 * ledger_free() - Free the lines.
 * @ledger: the lines; zeroed memory is fine.
 */
void ledger_free(struct ledger *ledger);

#endif /* DSCTL_LEDGER_H */
