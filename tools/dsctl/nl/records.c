// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>

#include "nl/dsnl.h"
#include "nl/records.h"
#include "out/err.h"
#include "util/array.h"

static struct record *record_add(struct record_list *list)
{
	struct record *v;

	if (array_grow((void **)&list->v, list->n, &list->size, sizeof(*v)))
		return NULL;
	v = &list->v[list->n++];
	memset(v, 0, sizeof(*v));
	return v;
}

void peer_parse(struct last_peer *last, struct nlattr *nest)
{
	struct nlattr *tb[DUALSTACK_A_PEER_MAX + 1], *addr;

	if (!nest || nla_parse_nested(tb, DUALSTACK_A_PEER_MAX, nest, NULL) < 0)
		return;
	addr = tb[DUALSTACK_A_PEER_ADDR];
	if (!addr)
		return;

	switch (nla_len(addr)) {
	case sizeof(struct in_addr):
		last->peer.family = AF_INET;
		break;
	case sizeof(struct in6_addr):
		last->peer.family = AF_INET6;
		break;
	default:
		return;
	}
	nla_memcpy(&last->peer.addr, addr, sizeof(last->peer.addr));
	if (tb[DUALSTACK_A_PEER_PORT])
		last->peer.port = ntohs(nla_get_u16(tb[DUALSTACK_A_PEER_PORT]));
	last->age = nla_get_u64(tb[DUALSTACK_A_PEER_AGE]);
}

static void records_start(void *arg)
{
	struct record_list *list = arg;

	list->n = 0;
}

static int records_each(const struct nlmsghdr *hdr, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_SOCKET_MAX + 1];
	struct record *rec;
	int error;

	error = genlmsg_parse((struct nlmsghdr *)hdr, 0, tb,
			      DUALSTACK_A_SOCKET_MAX, NULL);
	if (error < 0 || !tb[DUALSTACK_A_SOCKET_FAMILY] ||
	    !tb[DUALSTACK_A_SOCKET_PROTOCOL])
		return -EBADMSG;
	rec = record_add(arg);
	if (!rec)
		return -ENOMEM;

	rec->cookie = nla_get_u64(tb[DUALSTACK_A_SOCKET_COOKIE]);
	rec->family = nla_get_u8(tb[DUALSTACK_A_SOCKET_FAMILY]);
	rec->protocol = nla_get_u8(tb[DUALSTACK_A_SOCKET_PROTOCOL]);
	rec->explicit_port = -1;
	if (tb[DUALSTACK_A_SOCKET_EXPLICIT_PORT])
		rec->explicit_port =
			!!nla_get_u8(tb[DUALSTACK_A_SOCKET_EXPLICIT_PORT]);
	counters_parse(rec->counters, tb[DUALSTACK_A_SOCKET_COUNTERS]);
	peer_parse(&rec->mapped, tb[DUALSTACK_A_SOCKET_LAST_MAPPED_PEER]);
	peer_parse(&rec->rejected, tb[DUALSTACK_A_SOCKET_LAST_REJECTED_PEER]);
	return 0;
}

static int index_records(struct record_list *list)
{
	size_t i;

	if (map_init(&list->by_cookie, list->n))
		return err_no_memory();
	for (i = 0; i < list->n; i++)
		map_set(&list->by_cookie, list->v[i].cookie, i);
	return 0;
}

int records_dump(struct dsnl *nl, struct record_list *list)
{
	struct nl_msg *msg;
	int error;

	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_SOCKET_GET, NLM_F_DUMP);
	if (!msg)
		return err_no_memory();
	error = dsnl_request(nl, msg, records_start, records_each, list);
	if (error) {
		dsnl_err(nl, "cannot get the records of sockets", error);
		return -1;
	}
	return index_records(list);
}

int records_get(struct dsnl *nl, struct record_list *list,
		const struct sock_list *socks)
{
	struct nl_msg *msg;
	int error;
	size_t i;

	for (i = 0; i < socks->n; i++) {
		msg = dsnl_genl_msg(nl, DUALSTACK_CMD_SOCKET_GET, 0);
		if (!msg || nla_put_u64(msg, DUALSTACK_A_SOCKET_COOKIE,
					socks->v[i].cookie)) {
			nlmsg_free(msg);
			return err_no_memory();
		}
		error = dsnl_request(nl, msg, NULL, records_each, list);
		if (error && error != -ENOENT) {
			dsnl_err(nl, "cannot get the record of a socket",
				 error);
			return -1;
		}
	}
	return index_records(list);
}

struct record *records_find(const struct record_list *list, uint64_t cookie)
{
	uint32_t i;

	/* An empty list may have no index yet. */
	if (!list->n)
		return NULL;
	i = map_get(&list->by_cookie, cookie);
	return i == MAP_NONE ? NULL : &list->v[i];
}

void records_free(struct record_list *list)
{
	map_free(&list->by_cookie);
	free(list->v);
	memset(list, 0, sizeof(*list));
}
