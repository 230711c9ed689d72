/* SPDX-License-Identifier: GPL-2.0 */
/* The module's records of sockets. */
#ifndef DSCTL_RECORDS_H
#define DSCTL_RECORDS_H

#include <netlink/attr.h>
#include <stdbool.h>
#include <stdint.h>

#include "nl/counters.h"
#include "nl/diag.h"
#include "util/map.h"

/**
 * struct last_peer - The last peer of some kind.
 * @peer: where it was, AF_UNSPEC if there was none.
 * @age: milliseconds since.
 */
struct last_peer {
	struct endpoint peer;
	uint64_t age;
};

/**
 * struct record - What the module knows about a socket.
 * @cookie: of the socket.
 * @family: AF_INET or AF_INET6, as it was at the first event.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @explicit_port: the port was asked for by its number, 1 or 0; -1 where that is not
 *		    known.
 * @found: sock_diag has listed the socket.
 * @counters: values, in the order of counters[].
 * @mapped: the last IPv4 peer; to an AF_INET6 socket a mapped address.
 * @rejected: the last peer turned away.
 */
struct record {
	uint64_t cookie;
	uint8_t family;
	uint8_t protocol;
	int8_t explicit_port;
	bool found;
	uint64_t counters[NUM_COUNTERS];
	struct last_peer mapped;
	struct last_peer rejected;
};

/**
 * struct record_list - All records of a namespace.
 * @v: the records.
 * @n: how many.
 * @size: for how many there is room.
 * @by_cookie: indices.
 */
struct record_list {
	struct record *v;
	size_t n;
	size_t size;
	struct map by_cookie;
};

/**
 * peer_parse() - Read the nest of a peer.
 * @last: filled in, unchanged if there is no address.
 * @nest: the attribute, may be NULL.
 */
void peer_parse(struct last_peer *last, struct nlattr *nest);

/**
 * records_dump() - Get the records of the namespace.
 * @nl: from dsnl_open_dualstack().
 * @list: filled in.
 *
 * Return: 0, or -1 after a message.
 */
int records_dump(struct dsnl *nl, struct record_list *list);

/**
 * records_get() - Get the records of some sockets.
 * @nl: from dsnl_open_dualstack().
 * @list: filled in.
 * @socks: the sockets, some of which may have none.
 *
 * Return: 0, or -1 after a message.
 */
int records_get(struct dsnl *nl, struct record_list *list,
		const struct sock_list *socks);

/**
 * records_find() - The record of a socket.
 * @list: the records.
 * @cookie: of the socket.
 *
 * Return: the record, or NULL.
 */
struct record *records_find(const struct record_list *list, uint64_t cookie);

/**
 * records_free() - Free what a list of records holds.
 * @list: the list; zeroed memory is fine.
 */
void records_free(struct record_list *list);

#endif /* DSCTL_RECORDS_H */
