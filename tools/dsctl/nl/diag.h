/* SPDX-License-Identifier: GPL-2.0 */
/* The sockets of a namespace, from sock_diag. */
#ifndef DSCTL_DIAG_H
#define DSCTL_DIAG_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nl/dsnl.h"

/* A state as a bit of a set of states. */
#define DIAG_STATE(state) (1U << (state))
#define DIAG_ALL_STATES 0xffffffffU

/* Half-open connections, too, as TCP_SYN_RECV: of the kernel's net/tcp_states.h. */
#define TCP_NEW_SYN_RECV 12
/* Bound, and no more: so they are asked for, as of Linux 6.8, and come as TCP_CLOSE. */
#define TCP_BOUND_INACTIVE 13

/* TIME-WAIT and half-open connections are no whole sockets: no process has them. */
#define DIAG_MINI_STATES	(DIAG_STATE(TCP_TIME_WAIT) | \
				 DIAG_STATE(TCP_SYN_RECV) | \
				 DIAG_STATE(TCP_NEW_SYN_RECV))

/**
 * enum sock_mode - How a socket stands to the two protocols.
 * @MODE_DUAL: AF_INET6, wildcard, IPv4 reaches it as mapped addresses.
 * @MODE_V6ONLY: AF_INET6, wildcard, IPV6_V6ONLY turns IPv4 away.
 * @MODE_V6: bound or connected to an IPv6 address.
 * @MODE_MAPPED: AF_INET6, bound or connected to an IPv4-mapped address.
 * @MODE_V4: AF_INET.
 * @NUM_MODES: how many there are, and the mode of a socket of which too little
 *	       is known.
 */
enum sock_mode {
	MODE_DUAL,
	MODE_V6ONLY,
	MODE_V6,
	MODE_MAPPED,
	MODE_V4,
	NUM_MODES,
};

extern const char *const mode_names[NUM_MODES];

/**
 * enum sock_rule - What a rule says of IPV6_V6ONLY of a socket.
 * @SOCK_RULE_NONE: there is none that decides about it.
 * @SOCK_RULE_OFF: it is to be off.
 * @SOCK_RULE_ON: it is to be on.
 */
enum sock_rule {
	SOCK_RULE_NONE,
	SOCK_RULE_OFF,
	SOCK_RULE_ON,
};

struct record;

/**
 * struct endpoint - One end of a socket, or a peer.
 * @family: AF_INET or AF_INET6, AF_UNSPEC if there is none.
 * @port: in host byte order.
 * @addr: the address, by its family.
 */
struct endpoint {
	uint8_t family;
	uint16_t port;
	union {
		struct in_addr v4;
		struct in6_addr v6;
	} addr;
};

/* Room for any endpoint as text, with an interface. */
#define ENDPOINT_STRLEN (INET6_ADDRSTRLEN + 16 + sizeof("[]%:65535"))

/**
 * struct sock - A socket.
 * @cookie: its name between the kernel's interfaces.
 * @added: events since the report before, once top has added them up.
 * @local: where it is bound.
 * @peer: where it is connected to, AF_UNSPEC if it is not.
 * @ifindex: device it is bound to, or 0.
 * @uid: owner.
 * @inode: inode number, or 0 once no process has it.
 * @family: AF_INET or AF_INET6.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @state: TCP_LISTEN and so on, also for UDP.
 * @mode: enum sock_mode.
 * @v6only: IPV6_V6ONLY is 1 or 0; -1 where the kernel does not tell, which is
 *	    on connected sockets.
 * @shadowed: IPv4 clients of this dual socket reach an AF_INET one instead.
 * @unlisted: sock_diag does not list it: its record is all that is known.
 * @mptcp: it listens inside an AF_INET6 one of MPTCP; false where listeners were not
 *	   asked for by themselves, or the kernel does not tell the caller.
 * @rule: enum sock_rule, once ruled_join() has been called.
 * @rec: its record, never NULL once view_get() has joined them.
 * @procs: first and last of its users in struct procs.
 */
struct sock {
	uint64_t cookie;
	uint64_t added;
	struct endpoint local;
	struct endpoint peer;
	uint32_t ifindex;
	uint32_t uid;
	uint32_t inode;
	uint8_t family;
	uint8_t protocol;
	uint8_t state;
	uint8_t mode;
	int8_t v6only;
	bool shadowed;
	bool unlisted;
	bool mptcp;
	uint8_t rule;
	const struct record *rec;
	struct {
		uint32_t first;
		uint32_t last;
	} procs;
};

/**
 * struct sock_list - An array of sockets.
 * @v: the sockets.
 * @n: how many.
 * @size: for how many there is room.
 */
struct sock_list {
	struct sock *v;
	size_t n;
	size_t size;
};

/**
 * struct diag_request - Which sockets to list.
 * @family: AF_INET or AF_INET6.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @states: DIAG_STATE() of those wanted.
 * @port: local port, 0 for any.
 */
struct diag_request {
	uint8_t family;
	uint8_t protocol;
	uint32_t states;
	uint16_t port;
};

/**
 * diag_dump() - Add the sockets that a request asks for to a list.
 * @nl: a socket of NETLINK_SOCK_DIAG.
 * @req: the request.
 * @list: the list.
 *
 * Return: 0, or -1 after a message.
 */
int diag_dump(struct dsnl *nl, const struct diag_request *req,
	      struct sock_list *list);

/**
 * sock_list_add() - Add a zeroed socket to a list.
 * @list: the list.
 *
 * Return: the socket, or NULL if there is no memory.
 */
struct sock *sock_list_add(struct sock_list *list);

/**
 * sock_list_keep() - Drop all sockets but one.
 * @list: the sockets.
 * @cookie: of the one, which may not be there.
 */
void sock_list_keep(struct sock_list *list, uint64_t cookie);

/**
 * sock_list_shadow() - Mark the dual sockets whose port an AF_INET one has too.
 * @list: the sockets, AF_INET listeners and unconnected UDP sockets included.
 *
 * Return: 0, or -1 after a message.
 */
int sock_list_shadow(struct sock_list *list);

/**
 * sock_list_free() - Free the sockets of a list.
 * @list: the list.
 */
void sock_list_free(struct sock_list *list);

/**
 * sock_has_owner() - Whether a socket has an owner.
 * @sk: the socket.
 *
 * Return: false for one that no process has any more, or yet: the kernel says root of
 *	   these.
 */
bool sock_has_owner(const struct sock *sk);

/**
 * proto_name() - The name of a protocol.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 *
 * Return: "tcp" or "udp".
 */
const char *proto_name(int protocol);

/**
 * state_name() - The name of a socket's state, as ss has it.
 * @sk: the socket.
 *
 * Return: "LISTEN", "UNCONN", "ESTAB" ...
 */
const char *state_name(const struct sock *sk);

/**
 * endpoint_parse() - Read an address.
 * @ep: its family and address are set, if it is one.
 * @addr: the address, IPv4 or IPv6, numeric.
 *
 * Return: false if it is none.
 */
bool endpoint_parse(struct endpoint *ep, const char *addr);

/**
 * endpoint_is_wildcard() - Whether an address is that of every interface.
 * @ep: the endpoint, AF_INET or AF_INET6.
 *
 * Return: true for 0.0.0.0 and ::.
 */
bool endpoint_is_wildcard(const struct endpoint *ep);

/**
 * endpoint_compare() - Put addresses in order, those of one prefix side by side.
 * @a: with the one, or with none.
 * @b: with the other.
 *
 * Return: less than 0, 0 or more, as strcmp(). Ports do not count.
 */
int endpoint_compare(const struct endpoint *a, const struct endpoint *b);

/**
 * endpoint_addr() - Print an address.
 * @ep: the endpoint.
 * @buf: result, INET6_ADDRSTRLEN bytes.
 *
 * Return: @buf.
 */
const char *endpoint_addr(const struct endpoint *ep, char *buf);

/**
 * endpoint_str() - Print an address and a port, the address of IPv6 in [].
 * @ep: the endpoint.
 * @dev: interface to name, or NULL.
 * @buf: result, ENDPOINT_STRLEN bytes.
 *
 * Return: @buf.
 */
const char *endpoint_str(const struct endpoint *ep, const char *dev, char *buf);

#endif /* DSCTL_DIAG_H */
