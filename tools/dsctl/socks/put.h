/* SPDX-License-Identifier: GPL-2.0 */
/* How a socket is put, in JSON and in text, the same by all commands. */
#ifndef DSCTL_PUT_H
#define DSCTL_PUT_H

#include <net/if.h>

#include "nl/diag.h"
#include "nl/records.h"
#include "out/emit.h"
#include "out/json.h"
#include "out/text.h"
#include "socks/procs.h"

/**
 * struct dev_name - The name of the device that was asked for last.
 * @ifindex: which; 0 if there is none yet.
 * @name: its name.
 *
 * Many sockets, few devices: so the kernel is asked once in a row. It holds for one
 * namespace and one list, since others may have the number later; it starts zeroed.
 */
struct dev_name {
	uint32_t ifindex;
	char name[IF_NAMESIZE];
};

/**
 * dev_name() - The name of a socket's device.
 * @dev: the one asked for last.
 * @sk: the socket.
 *
 * Return: the name, until the next call; NULL if it is bound to none.
 */
const char *dev_name(struct dev_name *dev, const struct sock *sk);

/**
 * emit_addr() - The address of an endpoint, null if there is none.
 * @emit: where to.
 * @key: its name.
 * @ep: the endpoint.
 */
void emit_addr(struct emit *emit, const char *key, const struct endpoint *ep);

/**
 * emit_port() - The port of an endpoint, null if there is none.
 * @emit: where to.
 * @key: its name.
 * @ep: the endpoint.
 */
void emit_port(struct emit *emit, const char *key, const struct endpoint *ep);

/**
 * emit_processes() - The users of a socket as an array.
 * @emit: where to.
 * @key: its name.
 * @procs: users of the socket, and of others.
 * @sk: the socket.
 */
void emit_processes(struct emit *emit, const char *key, const struct procs *procs,
		    const struct sock *sk);

/**
 * json_rule() - What a rule says of IPV6_V6ONLY.
 * @rule: enum sock_rule.
 *
 * Return: "on" or "off", null where there is none; NULL if there is no memory.
 */
json_t *json_rule(unsigned int rule);

/**
 * emit_counters() - The counters of a socket, each by its name.
 * @emit: what they become members of.
 * @values: NUM_COUNTERS values, in the order of counters[].
 * @protocol: of the socket, which says which of them it has: null for the others.
 */
void emit_counters(struct emit *emit, const uint64_t *values, int protocol);

/**
 * emit_socket() - All about a socket.
 * @emit: what it becomes members of.
 * @out: how to print.
 * @procs: users of the socket.
 * @sk: the socket, with its record.
 * @dev: the device asked for last.
 */
void emit_socket(struct emit *emit, const struct out *out,
		 const struct procs *procs, const struct sock *sk,
		 struct dev_name *dev);

/**
 * json_socket() - The same as an object, to be part of another value.
 * @out: how to print.
 * @procs: users of the socket.
 * @sk: the socket, with its record.
 * @dev: the device asked for last.
 *
 * Return: the object, or NULL if there is no memory.
 */
json_t *json_socket(const struct out *out, const struct procs *procs,
		    const struct sock *sk, struct dev_name *dev);

/**
 * json_counters() - Counters, whoever has them.
 * @values: NUM_COUNTERS values, in the order of counters[].
 *
 * Return: an object with a number for each, by its name; what there was no memory for is
 *	   remembered as json_set() does.
 */
json_t *json_counters(const uint64_t *values);

/**
 * json_processes() - The users of a socket as an array.
 * @procs: users of the socket, and of others.
 * @sk: the socket.
 *
 * Return: the array, or NULL if there is no memory.
 */
json_t *json_processes(const struct procs *procs, const struct sock *sk);

/**
 * text_processes() - The users of a socket, each process once.
 * @text: gets "systemd(1) nginx(812,813)" appended.
 * @procs: users of the socket, and of others.
 * @sk: the socket.
 */
void text_processes(struct text *text, const struct procs *procs,
		    const struct sock *sk);

/**
 * text_endpoint() - An endpoint.
 * @text: gets "192.0.2.1:1234" appended, nothing if there is none.
 * @ep: the endpoint.
 * @dev: interface to name, or NULL.
 */
void text_endpoint(struct text *text, const struct endpoint *ep,
		   const char *dev);

/**
 * text_age() - How long ago something was, in whole units, the largest that fits.
 * @text: gets "5s" appended.
 * @age: in milliseconds.
 */
void text_age(struct text *text, uint64_t age);

/**
 * text_last() - A peer, and how long ago it was there.
 * @text: gets "192.0.2.1:1234 5s" appended, nothing if there was no peer.
 * @last: the peer.
 */
void text_last(struct text *text, const struct last_peer *last);

#endif /* DSCTL_PUT_H */
