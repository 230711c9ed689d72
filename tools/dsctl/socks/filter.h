/* SPDX-License-Identifier: GPL-2.0 */
/* FILTER of the command line. */
#ifndef DSCTL_FILTER_H
#define DSCTL_FILTER_H

#include <stdbool.h>
#include <stdint.h>

/* The words of a filter, as bits. */
enum {
	FILTER_PORT = 1,
	FILTER_PROTO = 2,
	FILTER_MODE = 4,
	FILTER_COOKIE = 8,
};

#define FILTER_PROTO_ARGS "proto { tcp | udp }"

/**
 * struct filter - What was asked for.
 * @given: the FILTER_... words that were there.
 * @port: local port, else 0.
 * @proto: IPPROTO_TCP or IPPROTO_UDP, else 0.
 * @mode: enum sock_mode.
 * @all: AF_INET sockets and connections too; as -a says.
 * @no_processes: do not look for the processes that have the sockets.
 * @no_peers: the last peers are not shown: no warning if they may not be seen.
 * @cookie: cookie of a socket, else 0.
 */
struct filter {
	unsigned int given;
	uint16_t port;
	uint8_t proto;
	uint8_t mode;
	bool all;
	bool no_processes;
	bool no_peers;
	uint64_t cookie;
};

/**
 * filter_parse() - Read the arguments of a command.
 * @filter: filled in.
 * @allowed: the FILTER_... words that the command understands.
 * @argc: number of arguments.
 * @argv: the arguments.
 *
 * Return: 0, or -1 after a message.
 */
int filter_parse(struct filter *filter, unsigned int allowed, int argc,
		 char **argv);

#endif /* DSCTL_FILTER_H */
