/* SPDX-License-Identifier: GPL-2.0 */
/* What part a socket has in IPv4: whose it is, a server's or a client's. */
#ifndef DSCTL_ROLE_H
#define DSCTL_ROLE_H

#include <stdbool.h>
#include <stdint.h>

#include "nl/diag.h"
#include "nl/records.h"

/**
 * role_count() - A counter of a socket.
 * @sk: the socket, with its record.
 * @index: COUNTER_INDEX() of the counter.
 *
 * Return: its value.
 */
uint64_t role_count(const struct sock *sk, size_t index);

/**
 * role_is_server() - Whether clients can come to a socket.
 * @sk: the socket, with its record.
 *
 * Return: true if so.
 */
bool role_is_server(const struct sock *sk);

/**
 * role_is_v4() - Whether a socket deals with IPv4 peers alone.
 * @sk: the socket, of AF_INET or of AF_INET6.
 *
 * Return: true if so.
 */
bool role_is_v4(const struct sock *sk);

/**
 * role_is_v6only() - Whether IPV6_V6ONLY is set on a socket.
 * @sk: the socket.
 *
 * What there was of IPv4 at such a socket is from before; and what was refused, where
 * role_takes_mapped().
 *
 * Return: true if it is.
 */
bool role_is_v6only(const struct sock *sk);

/**
 * role_takes_mapped() - Whether IPv4 can reach a socket of AF_INET6.
 * @sk: the socket.
 *
 * Return: true if so.
 */
bool role_takes_mapped(const struct sock *sk);

/**
 * role_v4_addr() - The IPv4 address of an endpoint.
 * @ep: an endpoint of AF_INET, or of AF_INET6 with a mapped address.
 *
 * Return: the address, in host byte order.
 */
uint32_t role_v4_addr(const struct endpoint *ep);

/**
 * role_is_loopback() - Whether an endpoint is nowhere but on this host.
 * @ep: the endpoint.
 * @v4: it is of IPv4, mapped or not.
 *
 * Return: true if its address is of 127.0.0.0/8, or ::1.
 */
bool role_is_loopback(const struct endpoint *ep, bool v4);

/**
 * role_served() - What there was of IPv4 clients at a socket.
 * @sk: the socket, with its record.
 *
 * What a client receives are answers.
 *
 * Return: connections and datagrams.
 */
uint64_t role_served(const struct sock *sk);

/**
 * role_used() - What a program itself did over IPv4 by a socket.
 * @sk: the socket, with its record.
 *
 * What a server sends are answers: they tell nothing new. And connect() of UDP sends
 * nothing: so getaddrinfo() sorts addresses.
 *
 * Return: connections and datagrams.
 */
uint64_t role_used(const struct sock *sk);

/**
 * role_received() - What a socket received over IPv4, from clients or not.
 * @sk: the socket, with its record.
 *
 * Return: datagrams.
 */
uint64_t role_received(const struct sock *sk);

/**
 * role_is_unused() - Whether a connection of UDP was nothing but connect().
 * @sk: the socket, with its record.
 *
 * Return: true if so.
 */
bool role_is_unused(const struct sock *sk);

#endif /* DSCTL_ROLE_H */
