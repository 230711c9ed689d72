/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_LINUX_NETLINK_H
#define _DUALSTACK_COMPAT_LINUX_NETLINK_H

#include_next <linux/netlink.h>

/* Set a message in an extended ack from a format; plain is what it says where
 * there is no room for that. skb is the request.
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

/* The ack points to its text, and is sent after the handler has returned: what
 * lives just as long is the request, which nobody reads beyond its end.
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
