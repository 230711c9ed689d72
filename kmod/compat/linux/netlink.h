/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_LINUX_NETLINK_H
#define _DUALSTACK_COMPAT_LINUX_NETLINK_H

#include_next <linux/netlink.h>

/* Set the message of an extended ack from a format. skb is the request; plain is
 * the message if there is no room for another.
 */
#ifdef DS_EXTACK_FMT
#define ds_extack_fmt(skb, extack, plain, fmt, args...)			\
do {									\
	(void)(skb);							\
	(void)(plain);							\
	NL_SET_ERR_MSG_FMT(extack, fmt, ##args);			\
} while (0)
#else
#include <linux/kernel.h>
#include <linux/skbuff.h>

#define DS_EXTACK_LEN	80	/* NETLINK_MAX_FMTMSG_LEN of later kernels */

/* Room for a message. The ack only points to it, and is sent after the handler has
 * returned. The buffer of the request lives as long, and has room behind the
 * request that nobody reads.
 */
static inline char *ds_extack_room(const struct sk_buff *skb)
{
	return skb_tailroom(skb) < DS_EXTACK_LEN ? NULL : skb_tail_pointer(skb);
}

#define ds_extack_fmt(skb, extack, plain, fmt, args...)			\
do {									\
	struct netlink_ext_ack *__ack = (extack);			\
	char *__room = ds_extack_room(skb);				\
									\
	if (__room)							\
		scnprintf(__room, DS_EXTACK_LEN, fmt, ##args);		\
	if (__ack)							\
		__ack->_msg = __room ?: (plain);			\
} while (0)
#endif

#endif /* _DUALSTACK_COMPAT_LINUX_NETLINK_H */
