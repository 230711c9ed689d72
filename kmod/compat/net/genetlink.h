/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_NET_GENETLINK_H
#define _DUALSTACK_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>

/* Since 6.7, and stable kernels of 2024; before, the flag of operations. */
#ifndef GENL_MCAST_CAP_NET_ADMIN
#define GENL_MCAST_CAP_NET_ADMIN	GENL_UNS_ADMIN_PERM
#endif

/* The attributes of a dump request. */
static inline struct nlattr **ds_dump_attrs(struct netlink_callback *cb)
{
#ifdef DS_GENL_INFO_DUMP
	return genl_info_dump(cb)->attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

#endif /* _DUALSTACK_COMPAT_NET_GENETLINK_H */
