/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DUALSTACK_COMPAT_TRACE_EVENTS_SKB_H
#define _DUALSTACK_COMPAT_TRACE_EVENTS_SKB_H

#include_next <trace/events/skb.h>

/* The parameters of a probe on kfree_skb. */
#if defined(DS_KFREE_SKB_CONST_RX_SK)
#define DS_KFREE_SKB_PROTO						\
	void *data, struct sk_buff *skb, void *location,		\
	enum skb_drop_reason reason, const struct sock *rx_sk
#elif defined(DS_KFREE_SKB_RX_SK)
#define DS_KFREE_SKB_PROTO						\
	void *data, struct sk_buff *skb, void *location,		\
	enum skb_drop_reason reason, struct sock *rx_sk
#else
#define DS_KFREE_SKB_PROTO						\
	void *data, struct sk_buff *skb, void *location,		\
	enum skb_drop_reason reason
#endif

#endif /* _DUALSTACK_COMPAT_TRACE_EVENTS_SKB_H */
