/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_LINUX_SKBUFF_H
#define _DUALSTACK_COMPAT_LINUX_SKBUFF_H

#include_next <linux/skbuff.h>

/* What drops a packet and tells why: its name, and its parameters. */
#if defined(DS_SK_SKB_REASON_DROP_CONST)
#define DS_DROP_FUNCTION	sk_skb_reason_drop
#define DS_DROP_PROTO							\
	const struct sock *sk, struct sk_buff *skb,			\
	enum skb_drop_reason reason
#define DS_DROP_TYPES							\
	const struct sock *, struct sk_buff *, enum skb_drop_reason
#elif defined(DS_SK_SKB_REASON_DROP)
#define DS_DROP_FUNCTION	sk_skb_reason_drop
#define DS_DROP_PROTO							\
	struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason
#define DS_DROP_TYPES							\
	struct sock *, struct sk_buff *, enum skb_drop_reason
#else
#define DS_DROP_FUNCTION	kfree_skb_reason
#define DS_DROP_PROTO							\
	struct sk_buff *skb, enum skb_drop_reason reason
#define DS_DROP_TYPES							\
	struct sk_buff *, enum skb_drop_reason
#endif

#endif /* _DUALSTACK_COMPAT_LINUX_SKBUFF_H */
