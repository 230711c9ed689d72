/* SPDX-License-Identifier: GPL-2.0 */
/* Netlink transport: requests, dumps, and the kernel's own error texts. */
#ifndef DSCTL_DSNL_H
#define DSCTL_DSNL_H

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct dsnl - A netlink socket.
 * @sk: libnl's socket.
 * @family: ID of the generic-netlink family, if there is one.
 * @extack: what the kernel said about the last request, or an empty string.
 * @right: the right that is missing if the kernel refuses without saying why.
 * @no_warnings: do not print what it said about a request that succeeded.
 */
struct dsnl {
	struct nl_sock *sk;
	int family;
	char extack[256];
	const char *right;
	bool no_warnings;
};

/**
 * typedef dsnl_each_t - What to do with one message of an answer.
 * @hdr: the message.
 * @arg: from the caller.
 *
 * Return: 0, or a negative errno that dsnl_request() returns at the end.
 */
typedef int (*dsnl_each_t)(const struct nlmsghdr *hdr, void *arg);

/**
 * typedef dsnl_start_t - Get ready for an answer, or forget half of one.
 * @arg: from the caller.
 */
typedef void (*dsnl_start_t)(void *arg);

/**
 * dsnl_open_sock_diag() - Open a socket to sock_diag.
 * @nl: filled in.
 *
 * Return: 0, or -1 after a message.
 */
int dsnl_open_sock_diag(struct dsnl *nl);

/**
 * dsnl_open_netfilter() - Open a socket to netfilter.
 * @nl: filled in.
 *
 * Return: 0, or -1 after a message.
 */
int dsnl_open_netfilter(struct dsnl *nl);

/**
 * dsnl_open_dualstack() - Open a socket to the dualstack module.
 * @nl: filled in.
 *
 * Return: 0, or -1 after a message.
 */
int dsnl_open_dualstack(struct dsnl *nl);

/**
 * dsnl_close() - Close a netlink socket.
 * @nl: the socket; zeroed memory is fine.
 */
void dsnl_close(struct dsnl *nl);

/**
 * dsnl_netns() - Which network namespace a socket is of.
 * @nl: the socket.
 *
 * Return: the cookie of the namespace, which no other gets later; 0 if the kernel does
 *	   not tell.
 */
uint64_t dsnl_netns(const struct dsnl *nl);

/**
 * dsnl_genl_msg() - Make a request of the generic-netlink family.
 * @nl: the socket.
 * @cmd: command of the family.
 * @flags: NLM_F_DUMP or 0.
 *
 * Return: the message, or NULL if there is no memory.
 */
struct nl_msg *dsnl_genl_msg(struct dsnl *nl, int cmd, int flags);

/**
 * dsnl_request() - Send a request and take the answer.
 * @nl: the socket.
 * @msg: the request, freed here.
 * @start: called before the answer, again if a dump has to be repeated because
 *	   the kernel's list changed meanwhile; or NULL.
 * @each: called for each message of the answer; NULL if there is none but the
 *	  acknowledgment.
 * @arg: for both.
 *
 * Return: 0 or a negative errno; @nl->extack may hold more.
 */
int dsnl_request(struct dsnl *nl, struct nl_msg *msg, dsnl_start_t start,
		 dsnl_each_t each, void *arg);

/**
 * dsnl_strerror() - Say why a request failed.
 * @nl: the socket.
 * @error: what dsnl_request() returned.
 * @buf: result.
 * @size: size of @buf.
 *
 * Return: @buf.
 */
const char *dsnl_strerror(const struct dsnl *nl, int error, char *buf,
			  size_t size);

/**
 * dsnl_err() - Print why a request failed.
 * @nl: the socket.
 * @what: what was asked.
 * @error: what dsnl_request() returned.
 */
void dsnl_err(const struct dsnl *nl, const char *what, int error);

#endif /* DSCTL_DSNL_H */
