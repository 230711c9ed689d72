/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sockets and addresses for the dualstack tests.
 *
 * Functions that return an int return -errno when they fail.
 */
#ifndef NET_UTIL_H
#define NET_UTIL_H

#include <linux/types.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP	262
#endif

/* How long to wait for something that must come, in milliseconds: a virtual machine
 * may stand still for long.
 */
#define NET_TIMEOUT_MS	60000

union net_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

enum {
	NET_V6ONLY	= 1 << 0,
	NET_DUAL	= 1 << 1,	/* V6ONLY off, whatever the sysctl says */
	NET_REUSEPORT	= 1 << 2,
	NET_FASTOPEN	= 1 << 3,
	NET_MPTCP	= 1 << 4,	/* of MPTCP, and SOCK_STREAM */
	NET_REUSEADDR	= 1 << 5,
	NET_ON_LO	= 1 << 6,	/* SO_BINDTODEVICE */
};

/**
 * net_become_nobody() - become a user without rights, for good
 *
 * Return: 0 or -errno.
 */
int net_become_nobody(void);

/* fork(), for a child that does not outlive its parent. */
pid_t net_fork(void);

/* Write to a file that is there; 0 or -errno. */
int net_write_file(const char *path, const char *text);

/* Write a number to a file below /proc/sys/net. */
int net_sysctl(const char *path, int value);

/* A field of a section, as "TcpExt", in /proc/net/netstat of this namespace. */
__s64 net_netstat(const char *section, const char *field);

static inline __s64 net_tcpext(const char *field)
{
	return net_netstat("TcpExt", field);
}

/* Address from text, with a scope as in fe80::1%lo, and port; 0 or -errno. */
int net_addr_set(union net_addr *addr, const char *text, in_port_t port);
socklen_t net_addr_len(const union net_addr *addr);
bool net_addr_eq(const union net_addr *a, const union net_addr *b);
bool net_addr_mapped(const union net_addr *addr);

/* Both ends of a socket as an application sees them. */
union net_addr net_local(int fd);
union net_addr net_peer(int fd);
in_port_t net_port(int fd);

__u64 net_cookie(int fd);
/* IPPROTO_TCP or IPPROTO_UDP. */
int net_protocol(int fd);

static inline int net_protocol_of(int type)
{
	return type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
}

/* IPV6_V6ONLY, as the application sees it. */
int net_v6only(int fd);

/* An option that is an int; 0 or -errno. */
int net_setsockopt(int fd, int level, int name, int value);

/**
 * net_server() - a bound socket, listening if it is SOCK_STREAM
 * @type: SOCK_STREAM or SOCK_DGRAM
 * @addr: local address, whose form selects the address family
 * @port: local port, 0 for any
 * @flags: NET_*
 *
 * Return: the socket, or -errno.
 */
int net_server(int type, const char *addr, in_port_t port, unsigned int flags);

/**
 * net_client() - a bound socket, connected
 * @type: SOCK_STREAM or SOCK_DGRAM
 * @addr: address to connect to and, as all is local, to come from
 * @port: port to connect to
 * @self: getsockname() before connect(), which a refusal would wipe; or NULL
 *
 * Return: the socket, or -errno of connect().
 */
int net_client(int type, const char *addr, in_port_t port,
	       union net_addr *self);

/* The same by MPTCP, and SOCK_STREAM. */
int net_client_mptcp(const char *addr, in_port_t port);

/* The same by TCP Fast Open, with @len bytes of data in the first send. */
int net_client_fastopen(const char *addr, in_port_t port, const void *data,
			size_t len);

/**
 * net_refused() - be turned away
 * @type: SOCK_STREAM or SOCK_DGRAM (one datagram is sent)
 * @addr: address to connect to and to come from
 * @port: port to connect to
 * @self: see net_client()
 *
 * Return: 1 if the application saw ECONNREFUSED, 0 if it was served, -ETIMEDOUT
 * if its datagram was neither refused nor answered, or another error.
 */
int net_refused(int type, const char *addr, in_port_t port,
		union net_addr *self);

/* The same for a socket that is not connected yet, which is closed. */
int net_refused_on(int fd, int type, const union net_addr *to);

/* The calls of these names, with an address from text; 0 or -errno. */
int net_bind(int fd, const char *addr, in_port_t port);
int net_connect(int fd, const char *addr, in_port_t port);
/* One byte, MSG_* in @flags. */
int net_sendto(int fd, const char *addr, in_port_t port, int flags);

/* accept() that gives up after NET_TIMEOUT_MS with -ETIMEDOUT. */
int net_accept(int fd, union net_addr *peer);

/* Wait for POLLIN; 0 or -ETIMEDOUT. */
int net_wait_in(int fd, int timeout_ms);

/**
 * net_raw_udp() - a socket that sends what UDP would, and is none of UDP
 * @addr: local address to send from and to
 *
 * What it sends is an event of the one who gets it, and of nobody else.
 *
 * Return: the socket, or -errno.
 */
int net_raw_udp(const char *addr);

/* One datagram, from any port; 0 or -errno. */
int net_raw_udp_send(int fd, in_port_t port, const void *data, size_t len);

/* The same by a throw-away one. */
int net_send_to(const char *addr, in_port_t port, const void *data, size_t len);

/* Close so that no TIME_WAIT socket stays behind. */
void net_close_reset(int fd);

__u64 net_clock_ms(clockid_t clock);
/* The same of CLOCK_MONOTONIC. */
__u64 net_now_ms(void);
/* Nanoseconds since the epoch. */
__u64 net_real_ns(void);
void net_nap(void);

/* Poll for @cond until it holds or @ms have passed; tells whether it holds. */
#define net_wait_for(cond, ms) ({					\
	__u64 __end = net_now_ms() + (ms);				\
	bool __ok;							\
									\
	while (!(__ok = (cond)) && net_now_ms() < __end)		\
		net_nap();						\
	__ok;								\
})

#endif /* NET_UTIL_H */
