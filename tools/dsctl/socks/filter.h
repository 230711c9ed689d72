/* SPDX-License-Identifier: GPL-2.0 */
/* The words with a value that follow a command: FILTER, and how often to do it. */
#ifndef DSCTL_FILTER_H
#define DSCTL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nl/diag.h"
#include "socks/prefix.h"

/* The words of a filter, as bits. */
enum {
	FILTER_PORT = 1,
	FILTER_PROTO = 2,
	FILTER_MODE = 4,
	FILTER_COOKIE = 8,
	FILTER_STATE = 16,
	FILTER_SRC = 32,
	FILTER_DST = 64,
	FILTER_DEV = 128,
	FILTER_UID = 256,
	FILTER_PROCESS = 512,
	FILTER_PEER = 1024,
	FILTER_INTERVAL = 2048,
	FILTER_COUNT = 4096,
};

#define FILTER_WORDS 13	/* how many there are */

/* Those that say how often, which repeat_set() takes. */
#define FILTER_REPEAT (FILTER_INTERVAL | FILTER_COUNT)

/* What follows the words, as a grammar has it. */
#define FILTER_PROTO_ARGS "proto { tcp | udp }"
#define FILTER_ENDS_ARGS \
	"[ port PORT ] [ " FILTER_PROTO_ARGS " ] [ src PREFIX ] [ dst PREFIX ]"

/* What a socket is chosen by that is neither in its records nor in its events. */
#define FILTER_HOLDER_ARGS "[ dev NAME ] [ uid USER ] [ process PROCESS ]"

/* REPEAT, of a command that can go on, and of one that does. */
#define FILTER_REPEAT_RULE "REPEAT := [ interval SECONDS [ count NUMBER ] ]"
#define FILTER_TOP_RULE "REPEAT := [ interval SECONDS ] [ count NUMBER ]"

/**
 * struct filter - What was asked for.
 * @given: the FILTER_... words that were there.
 * @port: local port, else 0.
 * @family: AF_INET or AF_INET6, else 0.
 * @proto: IPPROTO_TCP or IPPROTO_UDP, else 0.
 * @mode: enum sock_mode.
 * @all: connections too; as -a says.
 * @no_processes: do not look for the processes that have the sockets.
 * @no_peers: the last peers are not shown: no warning if they may not be seen.
 * @rules: what rules say of the sockets is shown.
 * @cookie: cookie of a socket, else 0; of view_get() where a port is given, too.
 * @states: DIAG_STATE() of those wanted, if FILTER_STATE is given.
 * @src: addresses of this host's end, if FILTER_SRC is given.
 * @dst: addresses of the other one, if FILTER_DST is given.
 * @dev: name of the device that a socket is bound to, or NULL.
 * @uid: owner, if FILTER_UID is given.
 * @process: name or PID of a process that has the socket, or NULL.
 * @peer: addresses of peers, if FILTER_PEER is given.
 * @interval_ms: milliseconds from one report to the next, else 0.
 * @count: how many reports, 0 if there is no end.
 */
struct filter {
	unsigned int given;
	uint16_t port;
	uint8_t family;
	uint8_t proto;
	uint8_t mode;
	bool all;
	bool no_processes;
	bool no_peers;
	bool rules;
	uint64_t cookie;
	uint32_t states;
	struct prefix src;
	struct prefix dst;
	const char *dev;
	uint32_t uid;
	const char *process;
	struct prefix peer;
	uint64_t interval_ms;
	uint64_t count;
};

/**
 * filter_words() - The words of a filter.
 * @allowed: the FILTER_... words that the command understands.
 * @names: filled in; room for FILTER_WORDS.
 *
 * Return: how many.
 */
size_t filter_words(unsigned int allowed, const char **names);

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

/**
 * filter_no_processes() - Take what option -P says into a filter.
 * @filter: the filter.
 * @no_processes: the option was given: the processes are not looked for.
 *
 * Return: 0, or -1 after a message: the filter asks for one.
 */
int filter_no_processes(struct filter *filter, bool no_processes);

/**
 * filter_dev() - Find the device of a filter in the network namespace.
 * @filter: the filter.
 * @every_netns: of all network namespaces, not each has the device.
 * @ifindex: its number, or one that none has; 0 if the filter has no device.
 *
 * Return: 0, or -1 after a message.
 */
int filter_dev(const struct filter *filter, bool every_netns, uint32_t *ifindex);

/**
 * filter_ends() - Whether two ends are as the filter wants them.
 * @filter: of which proto, port, src and dst count.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @local: this host's end.
 * @peer: the other one.
 *
 * Return: true if so.
 */
bool filter_ends(const struct filter *filter, uint8_t protocol,
		 const struct endpoint *local, const struct endpoint *peer);

#endif /* DSCTL_FILTER_H */
