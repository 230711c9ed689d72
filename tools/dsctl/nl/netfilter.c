// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <netinet/in.h>		/* before those of the kernel, which give way then */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "nl/dsnl.h"
#include "nl/netfilter.h"
#include "util/file.h"

#define CONNTRACK_COUNT	"/proc/sys/net/netfilter/nf_conntrack_count"
#define NF_TABLES	"/sys/module/nf_tables"

/**
 * struct look - What is looked for.
 * @family: that of the packet, as netfilter has it.
 * @found: there is one.
 */
struct look {
	uint8_t family;
	bool found;
};

/* Whether connections are tracked, as they are where rules ask for it. */
static int look_at_conntrack(void)
{
	char buf[16];

	return file_start(CONNTRACK_COUNT, buf, sizeof(buf)) > 0 &&
	       strtoul(buf, NULL, 10);
}

/* Tables of iptables, but for those that nft has. */
static int look_at_iptables(int family)
{
	ssize_t len;
	char buf[2];

	len = file_start(family == AF_INET6 ? "/proc/net/ip6_tables_names" :
					      "/proc/net/ip_tables_names",
			 buf, sizeof(buf));
	return len < 0 ? -1 : len > 0;
}

/* A chain that packets on their way in meet, before they reach a socket. */
static bool is_met(const struct look *look, uint8_t family, uint32_t hook)
{
	if (family == NFPROTO_NETDEV)
		return hook == NF_NETDEV_INGRESS;
	if (family != look->family && family != NFPROTO_INET)
		return false;
	return hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_IN;
}

static int chain_each(const struct nlmsghdr *hdr, void *arg)
{
	struct nlattr *tb[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];
	const struct nfgenmsg *nfmsg = nlmsg_data(hdr);
	struct look *look = arg;

	if (nlmsg_parse((struct nlmsghdr *)hdr, sizeof(*nfmsg), tb,
			NFTA_CHAIN_MAX, NULL) < 0)
		return -EBADMSG;
	/* A chain without a hook is one that others jump to. */
	if (!tb[NFTA_CHAIN_HOOK])
		return 0;
	if (nla_parse_nested(hook, NFTA_HOOK_MAX, tb[NFTA_CHAIN_HOOK], NULL) < 0 ||
	    !hook[NFTA_HOOK_HOOKNUM])
		return -EBADMSG;
	if (is_met(look, nfmsg->nfgen_family,
		   ntohl(nla_get_u32(hook[NFTA_HOOK_HOOKNUM]))))
		look->found = true;
	return 0;
}

/* A request to what is not loaded would have the kernel load it. */
static int look_at_nftables(int family)
{
	struct look look = {
		.family = family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
	};
	const struct nfgenmsg nfmsg = {
		.nfgen_family = NFPROTO_UNSPEC,
		.version = NFNETLINK_V0,
	};
	struct nl_msg *msg;
	struct dsnl nl;
	int error = -ENOMEM;

	if (access(NF_TABLES, F_OK))
		return 0;
	if (dsnl_open_netfilter(&nl))
		return -1;
	msg = nlmsg_alloc_simple(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN,
				 NLM_F_DUMP);
	if (msg && !nlmsg_append(msg, (void *)&nfmsg, sizeof(nfmsg), 0))
		error = dsnl_request(&nl, msg, NULL, chain_each, &look);
	else
		nlmsg_free(msg);
	dsnl_close(&nl);
	return error ? -1 : look.found;
}

int netfilter_look(int family)
{
	int tables, nft;

	if (look_at_conntrack())
		return 1;
	tables = look_at_iptables(family);
	nft = tables > 0 ? 0 : look_at_nftables(family);
	if (tables > 0 || nft > 0)
		return 1;
	return tables < 0 || nft < 0 ? -1 : 0;
}
