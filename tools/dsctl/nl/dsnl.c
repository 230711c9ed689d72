// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink transport on libnl-3.
 *
 * Sockets, messages and attributes are libnl's. The receive loop is not:
 * nl_recvmsgs() copies every message of a dump into an allocation of its own,
 * which 100,000 sockets make felt, and drops the extended acknowledgment of a
 * dump that fails half way (it comes with NLMSG_DONE).
 */
#include <errno.h>
#include <linux/dualstack.h>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nl/dsnl.h"
#include "out/err.h"

#define BUF_SIZE	32768	/* the most that the kernel puts into one read */
#define DUMP_TRIES	8
#define MAX_ERRNO	4095

/* glibc has it from the kernel's headers, musl has headers of its own. */
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE	71
#endif

/* One request and its answer. */
struct exchange {
	struct dsnl *nl;
	dsnl_each_t each;
	void *arg;
	unsigned int seq;
	bool answered;
	bool done;
	bool interrupted;	/* the list changed under the dump */
};

static int open_protocol(struct dsnl *nl, int protocol)
{
	int fd, on = 1, error;

	memset(nl, 0, sizeof(*nl));
	nl->right = "CAP_NET_ADMIN in the network namespace";
	nl->sk = nl_socket_alloc();
	if (!nl->sk)
		return err_no_memory();
	error = nl_connect(nl->sk, protocol);
	if (error < 0) {
		err("cannot open a netlink socket: %s", nl_geterror(error));
		dsnl_close(nl);
		return -1;
	}
	nl_socket_set_msg_buf_size(nl->sk, BUF_SIZE);

	/* Without these a kernel answers as well, but does not say why it refuses. */
	fd = nl_socket_get_fd(nl->sk);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	return 0;
}

void dsnl_close(struct dsnl *nl)
{
	nl_socket_free(nl->sk);
	nl->sk = NULL;
}

int dsnl_open_sock_diag(struct dsnl *nl)
{
	return open_protocol(nl, NETLINK_SOCK_DIAG);
}

int dsnl_open_netfilter(struct dsnl *nl)
{
	return open_protocol(nl, NETLINK_NETFILTER);
}

int dsnl_open_dualstack(struct dsnl *nl)
{
	if (open_protocol(nl, NETLINK_GENERIC))
		return -1;

	nl->family = genl_ctrl_resolve(nl->sk, DUALSTACK_GENL_NAME);
	if (nl->family >= 0)
		return 0;

	if (nl->family == -NLE_OBJ_NOTFOUND)
		err("the dualstack module is not loaded: %s",
		    "modprobe dualstack, or systemctl enable --now dualstack");
	else
		err("cannot find the dualstack module: %s",
		    nl_geterror(nl->family));
	dsnl_close(nl);
	return -1;
}

uint64_t dsnl_netns(const struct dsnl *nl)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (getsockopt(nl_socket_get_fd(nl->sk), SOL_SOCKET, SO_NETNS_COOKIE,
		       &cookie, &len))
		return 0;
	return cookie;
}

struct nl_msg *dsnl_genl_msg(struct dsnl *nl, int cmd, int flags)
{
	struct nl_msg *msg = nlmsg_alloc();

	/* Forget what was said about the request before. */
	nl->extack[0] = '\0';
	if (msg && genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
			       flags, cmd, DUALSTACK_GENL_VERSION))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/* Keep the text among the attributes that start at an offset of the message. */
static void save_extack(struct dsnl *nl, const struct nlmsghdr *hdr,
			size_t offset)
{
	struct nlattr *text;

	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS) || offset >= hdr->nlmsg_len)
		return;
	text = nla_find((struct nlattr *)((char *)hdr + offset),
			hdr->nlmsg_len - offset, NLMSGERR_ATTR_MSG);
	if (text)
		nla_strlcpy(nl->extack, text, sizeof(nl->extack));
}

/*
 * Anything else is not a status of the kernel's, and negating INT_MIN would
 * overflow.
 */
static int valid_error(int error)
{
	return error > 0 || error < -MAX_ERRNO ? -EPROTO : error;
}

/* The end of a dump: its status as an int, then attributes. */
static int parse_done(struct dsnl *nl, const struct nlmsghdr *hdr)
{
	int error = 0;

	if (nlmsg_datalen(hdr) >= (int)sizeof(error))
		memcpy(&error, nlmsg_data(hdr), sizeof(error));
	save_extack(nl, hdr, NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(error)));
	return valid_error(error);
}

/* An acknowledgment: the request comes back in it unless it is capped. */
static int parse_ack(struct dsnl *nl, const struct nlmsghdr *hdr)
{
	const struct nlmsgerr *ack = nlmsg_data(hdr);
	size_t offset = NLMSG_HDRLEN + sizeof(*ack);

	if (nlmsg_datalen(hdr) < (int)sizeof(*ack))
		return -EBADMSG;
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED))
		offset += NLMSG_ALIGN((size_t)ack->msg.nlmsg_len) - NLMSG_HDRLEN;
	save_extack(nl, hdr, offset);
	return valid_error(ack->error);
}

/* One read holds several messages. */
static int parse(struct exchange *x, struct nlmsghdr *hdr, int len)
{
	int error = 0;

	for (; !error && !x->done && nlmsg_ok(hdr, len);
	     hdr = nlmsg_next(hdr, &len)) {
		if (hdr->nlmsg_seq != x->seq)
			continue;
		if (hdr->nlmsg_flags & NLM_F_DUMP_INTR)
			x->interrupted = true;

		switch (hdr->nlmsg_type) {
		case NLMSG_DONE:
			error = parse_done(x->nl, hdr);
			x->done = true;
			break;
		case NLMSG_ERROR:
			error = parse_ack(x->nl, hdr);
			x->done = true;
			break;
		case NLMSG_NOOP:
			break;
		default:
			x->answered = true;
			if (x->each)
				error = x->each(hdr, x->arg);
		}
	}
	return error;
}

static int exchange(struct exchange *x, struct nl_msg *msg)
{
	struct sockaddr_nl from;
	unsigned char *buf;
	int len, error;

	/* A message that is sent again needs a number of its own. */
	nlmsg_hdr(msg)->nlmsg_seq = NL_AUTO_SEQ;
	x->nl->extack[0] = '\0';
	x->interrupted = false;
	x->done = false;

	errno = 0;
	if (nl_send_auto(x->nl->sk, msg) < 0)
		return errno ? -errno : -EIO;
	x->seq = nlmsg_hdr(msg)->nlmsg_seq;

	do {
		buf = NULL;
		errno = 0;
		len = nl_recv(x->nl->sk, &from, &buf, NULL);
		if (len < 0)
			error = errno ? -errno : -EIO;
		else if (from.nl_pid)
			error = 0;	/* not from the kernel */
		else
			error = parse(x, (struct nlmsghdr *)buf, len);
		free(buf);
	} while (!error && !x->done);

	return error;
}

/*
 * Print what the kernel said about a request that succeeded; once only, as many
 * sockets or namespaces get the same answer.
 */
static void tell_warning(const struct dsnl *nl)
{
	static char told[sizeof(nl->extack)];

	if (!*nl->extack || nl->no_warnings || !strcmp(nl->extack, told))
		return;
	snprintf(told, sizeof(told), "%s", nl->extack);
	err("warning: %s", nl->extack);
}

int dsnl_request(struct dsnl *nl, struct nl_msg *msg, dsnl_start_t start,
		 dsnl_each_t each, void *arg)
{
	struct exchange x = { .nl = nl, .each = each, .arg = arg };
	int i, error = 0;

	for (i = 0; i < DUMP_TRIES; i++) {
		if (start)
			start(arg);
		error = exchange(&x, msg);
		if (error || !x.interrupted)
			break;
	}
	/* Only the answer to a dump may be empty. */
	if (!error && each && !x.answered &&
	    !(nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP))
		error = -ENODATA;
	nlmsg_free(msg);

	if (!error && x.interrupted)
		err("the list kept changing while it was read: it may be inconsistent");
	if (!error)
		tell_warning(nl);
	return error;
}

const char *dsnl_strerror(const struct dsnl *nl, int error, char *buf,
			  size_t size)
{
	if (*nl->extack)
		snprintf(buf, size, "%s: %s", nl->extack, strerror(-error));
	else if (error == -EPERM)	/* generic netlink's own check */
		snprintf(buf, size, "this needs %s", nl->right);
	else if (error == -ENOENT && nl->family)	/* likewise: it has gone */
		snprintf(buf, size, "the dualstack module is not loaded");
	else
		snprintf(buf, size, "%s", strerror(-error));
	return buf;
}

void dsnl_err(const struct dsnl *nl, const char *what, int error)
{
	char buf[sizeof(nl->extack) + 128];

	err("%s: %s", what, dsnl_strerror(nl, error, buf, sizeof(buf)));
}
