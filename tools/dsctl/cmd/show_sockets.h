/* SPDX-License-Identifier: GPL-2.0 */
/* How `show sockets` puts a socket, for other commands to put it the same way. */
#ifndef DSCTL_SHOW_SOCKETS_H
#define DSCTL_SHOW_SOCKETS_H

#include "nl/diag.h"
#include "nl/records.h"
#include "out/output.h"
#include "out/text.h"
#include "socks/procs.h"

/**
 * json_socket() - Fill an object, or fill it anew: keys and order stay.
 * @obj: the object.
 * @procs: users of the socket.
 * @sk: the socket, with its record.
 *
 * Return: 0, or -1 if there is no memory.
 */
int json_socket(json_t *obj, const struct procs *procs, const struct sock *sk);

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
 * text_last() - A peer, and how long ago it was there.
 * @text: gets "192.0.2.1:1234 5s" appended, nothing if there was no peer.
 * @last: the peer.
 */
void text_last(struct text *text, const struct last_peer *last);

/**
 * dev_forget() - Forget the name of a device: others may have it now.
 */
void dev_forget(void);

#endif /* DSCTL_SHOW_SOCKETS_H */
