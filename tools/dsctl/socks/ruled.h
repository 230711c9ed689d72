/* SPDX-License-Identifier: GPL-2.0 */
/* Which sockets a rule decides about, and whether it had its way. */
#ifndef DSCTL_RULED_H
#define DSCTL_RULED_H

#include <stdbool.h>

#include "ctx.h"
#include "nl/diag.h"
#include "nl/rules.h"

/* By enum sock_rule, NULL for none. */
extern const char *const sock_rule_names[];

/**
 * sock_is_switchable() - Whether IPV6_V6ONLY decides if a socket takes IPv4.
 * @sk: the socket.
 *
 * Return: true for wildcard AF_INET6 sockets that listen, or of UDP are not connected.
 */
bool sock_is_switchable(const struct sock *sk);

/**
 * ruled_join() - Tell sockets what the rules say of them.
 * @list: the sockets, with their records.
 * @rules: the rules.
 */
void ruled_join(struct sock_list *list, const struct rule_list *rules);

/**
 * ruled_warn_idle() - Warn where rules do nothing, as tracking is off.
 * @ctx: of which the netlink socket to the module is open.
 * @idle: set to whether they do nothing.
 *
 * The command says so once, of however many namespaces or addresses.
 *
 * Return: 0, or -1 after a message.
 */
int ruled_warn_idle(struct ctx *ctx, bool *idle);

/**
 * ruled_obeys() - Whether a socket is as its rule says.
 * @sk: the socket.
 *
 * Return: false where it is not, or has no rule.
 */
bool ruled_obeys(const struct sock *sk);

#endif /* DSCTL_RULED_H */
