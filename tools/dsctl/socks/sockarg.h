/* SPDX-License-Identifier: GPL-2.0 */
/* SOCKET of the command line: which one, or which ones, a command is for. */
#ifndef DSCTL_SOCKARG_H
#define DSCTL_SOCKARG_H

#include "nl/diag.h"
#include "socks/filter.h"

#define SOCKARG_RULES \
	"SOCKET := { cookie COOKIE | " FILTER_PROTO_ARGS " port PORT }"

/* The words of these. */
#define SOCKARG_FILTERS (FILTER_COOKIE | FILTER_PROTO | FILTER_PORT)

/* Room for sockarg_str(). */
#define SOCKARG_STRLEN sizeof("cookie 18446744073709551615")

/**
 * sockarg_parse() - Read the arguments.
 * @filter: filled in: a cookie, or a protocol and a port.
 * @argc: number of arguments.
 * @argv: the arguments.
 *
 * Return: 0, or -1 after a message.
 */
int sockarg_parse(struct filter *filter, int argc, char **argv);

/**
 * sockarg_list() - List what the arguments say, of whatever family and state.
 * @nl: from dsnl_open_sock_diag().
 * @filter: from sockarg_parse().
 * @list: the sockets found are added; there may be none.
 *
 * Return: 0, or -1 after a message.
 */
int sockarg_list(struct dsnl *nl, const struct filter *filter,
		 struct sock_list *list);

/**
 * sockarg_find() - The same where there has to be one.
 * @nl: from dsnl_open_sock_diag().
 * @filter: from sockarg_parse().
 * @list: the sockets found are added.
 *
 * Return: 0, or -1 after a message; one is that there is none.
 */
int sockarg_find(struct dsnl *nl, const struct filter *filter,
		 struct sock_list *list);

/**
 * sockarg_str() - The arguments, for a message.
 * @filter: from sockarg_parse().
 * @buf: result, SOCKARG_STRLEN bytes.
 *
 * Return: @buf.
 */
const char *sockarg_str(const struct filter *filter, char *buf);

#endif /* DSCTL_SOCKARG_H */
