// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "nl/stats.h"
#include "out/err.h"

static int stats_each(const struct nlmsghdr *hdr, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_STATS_MAX + 1];
	struct stats *stats = arg;

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb, DUALSTACK_A_STATS_MAX,
			  NULL) < 0)
		return -EBADMSG;
	counters_parse(stats->counters, tb[DUALSTACK_A_STATS_COUNTERS]);
	stats->untracked = nla_get_u64(tb[DUALSTACK_A_STATS_UNTRACKED]);
	stats->tracked = nla_get_u64(tb[DUALSTACK_A_STATS_TRACKED]);
	stats->evicted = nla_get_u64(tb[DUALSTACK_A_STATS_EVICTED]);
	return 0;
}

int stats_get(struct dsnl *nl, uint8_t proto, struct stats *stats)
{
	struct nl_msg *msg;
	int error;

	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_STATS_GET, 0);
	if (!msg || (proto && nla_put_u8(msg, DUALSTACK_A_STATS_PROTOCOL,
					 proto))) {
		nlmsg_free(msg);
		return err_no_memory();
	}
	error = dsnl_request(nl, msg, NULL, stats_each, stats);
	if (!error)
		return 0;
	dsnl_err(nl, "cannot get the sums", error);
	return -1;
}
