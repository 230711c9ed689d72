// SPDX-License-Identifier: GPL-2.0
/*
 * The sockets of a namespace, from sock_diag.
 *
 * libnl-idiag 3.7 knows neither the cookie, by which sockets are joined with
 * the module's records, nor IPV6_V6ONLY: so the messages of linux/inet_diag.h
 * are put together and read here, on libnl-3's core.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netlink/attr.h>
#include <stdlib.h>
#include <string.h>

#include "nl/diag.h"
#include "out/err.h"
#include "util/array.h"
#include "util/ipv6.h"
#include "util/map.h"
#include "util/number.h"

const char *const mode_names[] = {
	[MODE_DUAL] = "dual",
	[MODE_V6ONLY] = "v6only",
	[MODE_V6] = "v6",
	[MODE_MAPPED] = "mapped",
	[MODE_V4] = "v4",
};

/* The sockets of an answer are added to those that the list holds already. */
struct answer {
	const struct diag_request *req;
	struct sock_list *list;
	size_t start;
};

const char *proto_name(int protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : "udp";
}

const char *state_name(const struct sock *sk)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "ESTAB",
		[TCP_SYN_SENT] = "SYN-SENT",
		[TCP_SYN_RECV] = "SYN-RECV",
		[TCP_FIN_WAIT1] = "FIN-WAIT-1",
		[TCP_FIN_WAIT2] = "FIN-WAIT-2",
		[TCP_TIME_WAIT] = "TIME-WAIT",
		[TCP_CLOSE] = "UNCONN",
		[TCP_CLOSE_WAIT] = "CLOSE-WAIT",
		[TCP_LAST_ACK] = "LAST-ACK",
		[TCP_LISTEN] = "LISTEN",
		[TCP_CLOSING] = "CLOSING",
	};

	if (sk->state < ARRAY_SIZE(names) && names[sk->state])
		return names[sk->state];
	return "UNKNOWN";
}

bool endpoint_parse(struct endpoint *ep, const char *addr)
{
	if (inet_pton(AF_INET6, addr, &ep->addr) == 1)
		ep->family = AF_INET6;
	else if (inet_pton(AF_INET, addr, &ep->addr) == 1)
		ep->family = AF_INET;
	return ep->family;
}

int endpoint_compare(const struct endpoint *a, const struct endpoint *b)
{
	if (a->family != b->family)
		return a->family - b->family;
	if (a->family == AF_INET6)
		return memcmp(&a->addr.v6, &b->addr.v6, sizeof(a->addr.v6));
	return memcmp(&a->addr.v4, &b->addr.v4, sizeof(a->addr.v4));
}

const char *endpoint_addr(const struct endpoint *ep, char *buf)
{
	if (!inet_ntop(ep->family, &ep->addr, buf, INET6_ADDRSTRLEN))
		*buf = '\0';
	return buf;
}

const char *endpoint_str(const struct endpoint *ep, const char *dev, char *buf)
{
	char port[NUMBER_STRLEN];
	char *p = buf;

	if (ep->family == AF_INET6)
		*p++ = '[';
	p += strlen(endpoint_addr(ep, p));
	if (ep->family == AF_INET6)
		*p++ = ']';
	if (dev)
		p += sprintf(p, "%%%.15s", dev);
	*p++ = ':';
	stpcpy(p, number_str(ep->port, port));
	return buf;
}

bool endpoint_is_wildcard(const struct endpoint *ep)
{
	if (ep->family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&ep->addr.v6);
	return ep->addr.v4.s_addr == htonl(INADDR_ANY);
}

static enum sock_mode mode_of(const struct sock *sk)
{
	const struct endpoint *ep = &sk->local;

	if (sk->family == AF_INET)
		return MODE_V4;
	if (endpoint_is_wildcard(ep)) {
		if (!sk->peer.family)
			return sk->v6only > 0 ? MODE_V6ONLY : MODE_DUAL;
		ep = &sk->peer;
	}
	return IN6_IS_ADDR_V4MAPPED(&ep->addr.v6) ? MODE_MAPPED : MODE_V6;
}

static void set_endpoint(struct endpoint *ep, int family, const __be32 *addr,
			 __be16 port)
{
	ep->family = family;
	ep->port = ntohs(port);
	memcpy(&ep->addr, addr, family == AF_INET6 ? sizeof(ep->addr.v6)
						   : sizeof(ep->addr.v4));
}

struct sock *sock_list_add(struct sock_list *list)
{
	struct sock *v;

	if (array_grow((void **)&list->v, list->n, &list->size, sizeof(*v)))
		return NULL;
	v = &list->v[list->n++];
	memset(v, 0, sizeof(*v));
	return v;
}

/*
 * An MPTCP socket is not listed among those of TCP, but the one inside that listens for
 * it is. The kernel names the protocol above TCP where INET_DIAG_INFO is asked for,
 * before Linux 6.15 only to whoever has CAP_NET_ADMIN.
 */
static bool is_mptcp(const struct nlmsghdr *hdr)
{
	struct nlattr *ulp, *name;

	ulp = nlmsg_find_attr((struct nlmsghdr *)hdr,
			      sizeof(struct inet_diag_msg), INET_DIAG_ULP_INFO);
	if (!ulp)
		return false;
	name = nla_find(nla_data(ulp), nla_len(ulp), INET_ULP_INFO_NAME);
	return name && !nla_strcmp(name, "mptcp");
}

/* It takes the lock of each socket: so only of those of which rules speak. */
static bool wants_ulp(const struct diag_request *req)
{
	return req->family == AF_INET6 && req->protocol == IPPROTO_TCP &&
	       req->states == DIAG_STATE(TCP_LISTEN);
}

static void diag_start(void *arg)
{
	struct answer *answer = arg;

	answer->list->n = answer->start;
}

static int diag_each(const struct nlmsghdr *hdr, void *arg)
{
	const struct inet_diag_msg *msg = nlmsg_data(hdr);
	const struct answer *answer = arg;
	struct nlattr *v6only;
	struct sock *sk;

	if (hdr->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	if (!nlmsg_valid_hdr(hdr, sizeof(*msg)))
		return -EBADMSG;

	sk = sock_list_add(answer->list);
	if (!sk)
		return -ENOMEM;

	sk->family = msg->idiag_family;
	sk->protocol = answer->req->protocol;
	sk->state = msg->idiag_state;
	sk->cookie = msg->id.idiag_cookie[0] |
		     (uint64_t)msg->id.idiag_cookie[1] << 32;
	sk->ifindex = msg->id.idiag_if;
	sk->uid = msg->idiag_uid;
	sk->inode = msg->idiag_inode;

	set_endpoint(&sk->local, sk->family, msg->id.idiag_src,
		     msg->id.idiag_sport);
	if (msg->id.idiag_dport)
		set_endpoint(&sk->peer, sk->family, msg->id.idiag_dst,
			     msg->id.idiag_dport);

	v6only = nlmsg_find_attr((struct nlmsghdr *)hdr, sizeof(*msg),
				 INET_DIAG_SKV6ONLY);
	sk->v6only = v6only ? !!nla_get_u8(v6only) : -1;
	sk->mode = mode_of(sk);
	sk->mptcp = is_mptcp(hdr);
	return 0;
}

void sock_list_keep(struct sock_list *list, uint64_t cookie)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (list->v[i].cookie == cookie) {
			list->v[0] = list->v[i];
			list->n = 1;
			return;
		}
	}
	list->n = 0;
}

int diag_dump(struct dsnl *nl, const struct diag_request *req,
	      struct sock_list *list)
{
	struct answer answer = { req, list, list->n };
	struct inet_diag_req_v2 body = {
		.sdiag_family = req->family,
		.sdiag_protocol = req->protocol,
		.idiag_ext = wants_ulp(req) ? 1 << (INET_DIAG_INFO - 1) : 0,
		.idiag_states = req->states,
		.id.idiag_sport = htons(req->port),
		.id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
	};
	const char *proto = proto_name(req->protocol);
	char what[64];
	struct nl_msg *msg;
	int error;

	msg = nlmsg_alloc_simple(SOCK_DIAG_BY_FAMILY,
				 NLM_F_REQUEST | NLM_F_DUMP);
	if (!msg || nlmsg_append(msg, &body, sizeof(body), NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return err_no_memory();
	}

	error = dsnl_request(nl, msg, diag_start, diag_each, &answer);
	if (!error)
		return 0;
	/*
	 * Where there is no IPv6 nobody has such a socket, and sock_diag does not know the
	 * family before it was asked for the other one.
	 */
	if (error == -ENOENT && req->family == AF_INET6 && !ipv6_exists())
		return 0;
	/* The kernel loads these modules by itself where it has them. */
	if (error == -ENOENT) {
		err("the kernel cannot list %s sockets: it has no inet_diag or no %s_diag",
		    proto, proto);
	} else {
		snprintf(what, sizeof(what), "cannot list %s sockets", proto);
		dsnl_err(nl, what, error);
	}
	return -1;
}

static uint64_t holder_key(const struct sock *sk, uint32_t ifindex)
{
	return (uint64_t)sk->protocol << 48 |
	       (uint64_t)sk->local.port << 32 | ifindex;
}

/*
 * With SO_REUSEPORT, or for UDP SO_REUSEADDR, an AF_INET socket can share the port
 * of a dual one, and the kernel's lookup then prefers it. An AF_INET socket bound
 * to a device takes only what comes by that; one bound to an address, only the
 * clients of that address: neither hides a socket that takes more.
 */
static bool is_shadowed(const struct sock *sk, const struct map *holders)
{
	if (sk->mode != MODE_DUAL)
		return false;
	return map_get(holders, holder_key(sk, sk->ifindex)) != MAP_NONE ||
	       map_get(holders, holder_key(sk, 0)) != MAP_NONE;
}

/*
 * An AF_INET socket that takes every IPv4 client of its port that comes by its
 * device.
 */
static bool is_holder(const struct sock *sk)
{
	return sk->family == AF_INET && endpoint_is_wildcard(&sk->local) &&
	       sk->state == (sk->protocol == IPPROTO_TCP ? TCP_LISTEN
							 : TCP_CLOSE);
}

int sock_list_shadow(struct sock_list *list)
{
	struct map holders;
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		n += is_holder(&list->v[i]);
	if (map_init(&holders, n))
		return err_no_memory();
	for (i = 0; i < list->n; i++)
		if (is_holder(&list->v[i]))
			map_set(&holders, holder_key(&list->v[i],
						     list->v[i].ifindex), 0);
	for (i = 0; i < list->n; i++)
		list->v[i].shadowed = is_shadowed(&list->v[i], &holders);
	map_free(&holders);
	return 0;
}

bool sock_has_owner(const struct sock *sk)
{
	return sk->inode;
}

void sock_list_free(struct sock_list *list)
{
	free(list->v);
	memset(list, 0, sizeof(*list));
}
