// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <limits.h>
#include <linux/genetlink.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>

#include "mutate.h"

/* What is changed. */
struct answer {
	struct rnd *rnd;
	unsigned char *buf;
	size_t len;
	size_t size;
};

/* The length that a message claims, or what there is of it. */
static size_t msg_size(const struct answer *a, size_t at)
{
	const struct nlmsghdr *hdr = (void *)(a->buf + at);
	size_t size = NLMSG_ALIGN(hdr->nlmsg_len);

	if (size < NLMSG_HDRLEN || size > a->len - at)
		size = a->len - at;
	return size;
}

/* Where a message begins, any of them; the end where there is no whole one. */
static size_t any_msg(struct answer *a)
{
	size_t at, n = 0, found = a->len;

	for (at = 0; at + NLMSG_HDRLEN <= a->len; at += msg_size(a, at))
		if (rnd_once_in(a->rnd, ++n))
			found = at;
	return found;
}

/* Where its attributes begin. */
static size_t attrs_of(const struct answer *a, size_t at)
{
	const struct nlmsghdr *hdr = (void *)(a->buf + at);

	switch (hdr->nlmsg_type) {
	case NLMSG_ERROR:
		return NLMSG_HDRLEN + sizeof(struct nlmsgerr);
	case NLMSG_DONE:
		return NLMSG_HDRLEN + sizeof(int);
	case SOCK_DIAG_BY_FAMILY:
		return NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct inet_diag_msg));
	default:
		return NLMSG_HDRLEN + GENL_HDRLEN;
	}
}

/* Any attribute, nested ones included; NULL if there is none. */
static struct nlattr *any_attr(struct answer *a, size_t *room)
{
	size_t at = any_msg(a), pos, end, n = 0, size;
	struct nlattr *found = NULL, *attr;

	if (at == a->len)
		return NULL;
	end = at + msg_size(a, at);
	for (pos = at + attrs_of(a, at); pos + NLA_HDRLEN <= end; pos += size) {
		attr = (void *)(a->buf + pos);
		size = NLA_ALIGN(attr->nla_len);
		if (attr->nla_len < NLA_HDRLEN || size > end - pos)
			break;
		if (rnd_once_in(a->rnd, ++n)) {
			found = attr;
			*room = end - pos;
		}
		if (attr->nla_type & NLA_F_NESTED)
			size = NLA_HDRLEN;
	}
	return found;
}

static int any_error(struct answer *a)
{
	static const int errors[] = {
		INT_MIN, INT_MIN + 1, INT_MAX, 1, -1, 0, -4095, -4096,
		-ENOMEM, -EPERM, -ENOENT, -EOPNOTSUPP, -EBUSY, -EINTR, -EAGAIN,
	};

	return errors[rnd_below(a->rnd, sizeof(errors) / sizeof(*errors))];
}

static void flip_bit(struct answer *a)
{
	a->buf[rnd_below(a->rnd, a->len)] ^= 1 << rnd_below(a->rnd, 8);
}

static void set_byte(struct answer *a)
{
	a->buf[rnd_below(a->rnd, a->len)] = rnd_limit(a->rnd);
}

static void truncate_all(struct answer *a)
{
	a->len = 1 + rnd_below(a->rnd, a->len);
}

static void change_header(struct answer *a)
{
	size_t at = any_msg(a);
	struct nlmsghdr *hdr = (void *)(a->buf + at);

	if (at == a->len)
		return;
	switch (rnd_below(a->rnd, 5)) {
	case 0:
		hdr->nlmsg_len = rnd_limit(a->rnd);
		break;
	case 1:
		hdr->nlmsg_len += (int)rnd_below(a->rnd, 17) - 8;
		break;
	case 2:
		hdr->nlmsg_type = rnd_below(a->rnd, NLMSG_MIN_TYPE + 2);
		break;
	case 3:
		hdr->nlmsg_flags ^= 1 << rnd_below(a->rnd, 11);
		break;
	default:
		hdr->nlmsg_seq = rnd_limit(a->rnd);
	}
}

/* Say that the request failed, or ended, with all that may come behind. */
static void make_status(struct answer *a)
{
	size_t at = any_msg(a);
	struct nlmsghdr *hdr = (void *)(a->buf + at);
	int error = any_error(a);

	if (at + NLMSG_HDRLEN + sizeof(error) > a->len)
		return;
	hdr->nlmsg_type = rnd_once_in(a->rnd, 2) ? NLMSG_ERROR : NLMSG_DONE;
	if (rnd_once_in(a->rnd, 2))
		hdr->nlmsg_flags |= NLM_F_ACK_TLVS;
	if (rnd_once_in(a->rnd, 2))
		hdr->nlmsg_flags |= NLM_F_CAPPED;
	memcpy(hdr + 1, &error, sizeof(error));
}

static void drop_msg(struct answer *a)
{
	size_t at = any_msg(a), size;

	if (at == a->len)
		return;
	size = msg_size(a, at);
	if (size == a->len)
		return;
	memmove(a->buf + at, a->buf + at + size, a->len - at - size);
	a->len -= size;
}

static void repeat_msg(struct answer *a)
{
	size_t at = any_msg(a), size;

	if (at == a->len)
		return;
	size = msg_size(a, at);
	if (size > a->size - a->len)
		return;
	memmove(a->buf + at + size, a->buf + at, a->len - at);
	a->len += size;
}

/* The first message comes last. */
static void rotate_msgs(struct answer *a)
{
	unsigned char first[1024];
	size_t size;

	if (a->len < NLMSG_HDRLEN)
		return;
	size = msg_size(a, 0);
	if (size > sizeof(first))
		return;
	memcpy(first, a->buf, size);
	memmove(a->buf, a->buf + size, a->len - size);
	memcpy(a->buf + a->len - size, first, size);
}

static void change_attr(struct answer *a)
{
	struct nlattr *attr;
	size_t room, len;

	attr = any_attr(a, &room);
	if (!attr)
		return;
	len = attr->nla_len - NLA_HDRLEN;
	switch (rnd_below(a->rnd, 6)) {
	case 0:
		attr->nla_len = rnd_limit(a->rnd);
		break;
	case 1:
		attr->nla_len = rnd_below(a->rnd, room + 8);
		break;
	case 2:
		attr->nla_type = rnd_below(a->rnd, 40);
		break;
	case 3:
		/* Text without an end, counters at their limit */
		memset(attr + 1, 0xff, len);
		break;
	case 4:
		memset(attr + 1, 0, len);
		break;
	default:
		while (len--)
			((unsigned char *)(attr + 1))[len] = rnd_next(a->rnd);
	}
}

size_t mutate(struct rnd *rnd, void *buf, size_t len, size_t size)
{
	static void (*const ways[])(struct answer *a) = {
		flip_bit, set_byte, truncate_all, change_header, change_header,
		make_status, drop_msg, repeat_msg, rotate_msgs, change_attr,
		change_attr, change_attr,
	};
	struct answer a = { rnd, buf, len, size };
	size_t i, n = 1 + rnd_below(rnd, 3);

	for (i = 0; i < n; i++)
		ways[rnd_below(rnd, sizeof(ways) / sizeof(*ways))](&a);
	return a.len;
}
