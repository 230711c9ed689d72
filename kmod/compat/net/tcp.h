/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_NET_TCP_H
#define _DUALSTACK_COMPAT_NET_TCP_H

#include_next <net/tcp.h>

#ifdef DS_TCP_CHILD_PROCESS_REASON
#define DS_TCP_CHILD_PROCESS_PROTO					\
	enum skb_drop_reason (*)(struct sock *, struct sock *,		\
				 struct sk_buff *)
#else
#define DS_TCP_CHILD_PROCESS_PROTO					\
	int (*)(struct sock *, struct sock *, struct sk_buff *)
#endif

#endif /* _DUALSTACK_COMPAT_NET_TCP_H */
