// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>

#include "nl/peers.h"
#include "out/err.h"
#include "util/array.h"

const char *const peer_direction_names[NUM_PEER_DIRECTIONS] = {
	[DUALSTACK_PEER_DIRECTION_IN] = "in",
	[DUALSTACK_PEER_DIRECTION_OUT] = "out",
	[DUALSTACK_PEER_DIRECTION_REFUSED] = "refused",
	[DUALSTACK_PEER_DIRECTION_REFUSED_OUT] = "refused-out",
};

static struct nla_policy policy[DUALSTACK_A_PEER_ENTRY_MAX + 1] = {
	[DUALSTACK_A_PEER_ENTRY_DIRECTION] = { .type = NLA_U32 },
	[DUALSTACK_A_PEER_ENTRY_PROTOCOL] = { .type = NLA_U8 },
	[DUALSTACK_A_PEER_ENTRY_LOCAL_PORT] = { .type = NLA_U16 },
	[DUALSTACK_A_PEER_ENTRY_PORT] = { .type = NLA_U16 },
	[DUALSTACK_A_PEER_ENTRY_UID] = { .type = NLA_U32 },
	[DUALSTACK_A_PEER_ENTRY_COMM] = { .type = NLA_STRING },
	[DUALSTACK_A_PEER_ENTRY_COUNT] = { .type = NLA_U64 },
	[DUALSTACK_A_PEER_ENTRY_FIRST_AGE] = { .type = NLA_U64 },
	[DUALSTACK_A_PEER_ENTRY_LAST_AGE] = { .type = NLA_U64 },
	[DUALSTACK_A_PEER_ENTRY_ENTRIES] = { .type = NLA_U32 },
};

bool peer_is_outbound(uint8_t direction)
{
	return direction == DUALSTACK_PEER_DIRECTION_OUT ||
	       direction == DUALSTACK_PEER_DIRECTION_REFUSED_OUT;
}

bool peer_has_task(const struct peer_entry *entry)
{
	return entry->peer.family && peer_is_outbound(entry->direction);
}

static struct nl_msg *new_request(struct dsnl *nl,
				  const struct peer_request *req, int flags)
{
	struct nl_msg *msg;

	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_PEER_GET, flags);
	if (!msg)
		return NULL;
	if ((req->direction == PEER_ANY_DIRECTION ||
	     !nla_put_u32(msg, DUALSTACK_A_PEER_ENTRY_DIRECTION,
			  req->direction)) &&
	    (!req->protocol ||
	     !nla_put_u8(msg, DUALSTACK_A_PEER_ENTRY_PROTOCOL,
			 req->protocol)) &&
	    (!req->local_port ||
	     !nla_put_u16(msg, DUALSTACK_A_PEER_ENTRY_LOCAL_PORT,
			  htons(req->local_port))))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

/**
 * struct walk - What peers_walk() is asked to do.
 * @start: before the first entry, or NULL.
 * @each: with each of them.
 * @arg: for both.
 */
struct walk {
	dsnl_start_t start;
	peer_each_t each;
	void *arg;
};

static void walk_start(void *arg)
{
	const struct walk *walk = arg;

	if (walk->start)
		walk->start(walk->arg);
}

/* Return: false if the address has the length of none. */
static bool parse_peer(struct endpoint *peer, struct nlattr **tb)
{
	struct nlattr *addr = tb[DUALSTACK_A_PEER_ENTRY_ADDR];

	if (!addr)
		return true;
	if (nla_len(addr) == sizeof(peer->addr.v4))
		peer->family = AF_INET;
	else if (nla_len(addr) == sizeof(peer->addr.v6))
		peer->family = AF_INET6;
	else
		return false;
	nla_memcpy(&peer->addr, addr, sizeof(peer->addr));
	if (tb[DUALSTACK_A_PEER_ENTRY_PORT])
		peer->port = ntohs(nla_get_u16(tb[DUALSTACK_A_PEER_ENTRY_PORT]));
	return true;
}

static int walk_each(const struct nlmsghdr *hdr, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_PEER_ENTRY_MAX + 1];
	struct peer_entry entry = { };
	const struct walk *walk = arg;
	uint32_t direction;

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb,
			  DUALSTACK_A_PEER_ENTRY_MAX, policy) < 0 ||
	    !tb[DUALSTACK_A_PEER_ENTRY_DIRECTION] ||
	    !tb[DUALSTACK_A_PEER_ENTRY_PROTOCOL] ||
	    !tb[DUALSTACK_A_PEER_ENTRY_COUNT] ||
	    !parse_peer(&entry.peer, tb))
		return -EBADMSG;
	direction = nla_get_u32(tb[DUALSTACK_A_PEER_ENTRY_DIRECTION]);
	if (direction >= NUM_PEER_DIRECTIONS)
		return 0;	/* not known yet when this was written */

	entry.direction = direction;
	entry.protocol = nla_get_u8(tb[DUALSTACK_A_PEER_ENTRY_PROTOCOL]);
	if (tb[DUALSTACK_A_PEER_ENTRY_LOCAL_PORT])
		entry.local_port =
			ntohs(nla_get_u16(tb[DUALSTACK_A_PEER_ENTRY_LOCAL_PORT]));
	if (tb[DUALSTACK_A_PEER_ENTRY_UID])
		entry.uid = nla_get_u32(tb[DUALSTACK_A_PEER_ENTRY_UID]);
	if (tb[DUALSTACK_A_PEER_ENTRY_COMM])
		nla_strlcpy(entry.comm, tb[DUALSTACK_A_PEER_ENTRY_COMM],
			    sizeof(entry.comm));
	entry.count = nla_get_u64(tb[DUALSTACK_A_PEER_ENTRY_COUNT]);
	entry.first_age = nla_get_u64(tb[DUALSTACK_A_PEER_ENTRY_FIRST_AGE]);
	entry.last_age = nla_get_u64(tb[DUALSTACK_A_PEER_ENTRY_LAST_AGE]);
	return walk->each(&entry, walk->arg);
}

int peers_walk(struct dsnl *nl, const struct peer_request *req,
	       dsnl_start_t start, peer_each_t each, void *arg)
{
	struct walk walk = { start, each, arg };
	struct nl_msg *msg = new_request(nl, req, NLM_F_DUMP);

	if (!msg)
		return -ENOMEM;
	return dsnl_request(nl, msg, walk_start, walk_each, &walk);
}

static void list_start(void *arg)
{
	struct peer_list *list = arg;

	list->n = 0;
}

static int list_each(const struct peer_entry *entry, void *arg)
{
	return peer_list_add(arg, entry);
}

int peers_get(struct dsnl *nl, const struct peer_request *req,
	      struct peer_list *list)
{
	return peers_walk(nl, req, list_start, list_each, list);
}

int peers_dump(struct dsnl *nl, const struct peer_request *req,
	       struct peer_list *list)
{
	int error = peers_get(nl, req, list);

	if (!error)
		return 0;
	dsnl_err(nl, "cannot get the ledger of peers", error);
	return -1;
}

static int sums_each(const struct nlmsghdr *hdr, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_PEER_ENTRY_MAX + 1];
	struct peer_sums *sums = arg;

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb,
			  DUALSTACK_A_PEER_ENTRY_MAX, policy) < 0 ||
	    !tb[DUALSTACK_A_PEER_ENTRY_ENTRIES] ||
	    !tb[DUALSTACK_A_PEER_ENTRY_COUNT])
		return -EBADMSG;
	sums->entries = nla_get_u32(tb[DUALSTACK_A_PEER_ENTRY_ENTRIES]);
	sums->count = nla_get_u64(tb[DUALSTACK_A_PEER_ENTRY_COUNT]);
	return 0;
}

int peers_sum(struct dsnl *nl, const struct peer_request *req,
	      struct peer_sums *sums)
{
	struct nl_msg *msg = new_request(nl, req, 0);

	if (!msg)
		return -ENOMEM;
	return dsnl_request(nl, msg, NULL, sums_each, sums);
}

int peer_list_add(struct peer_list *list, const struct peer_entry *entry)
{
	if (array_grow((void **)&list->v, list->n, &list->size,
		       sizeof(*list->v)))
		return -ENOMEM;
	list->v[list->n++] = *entry;
	return 0;
}

void peer_list_free(struct peer_list *list)
{
	free(list->v);
	memset(list, 0, sizeof(*list));
}
