/* SPDX-License-Identifier: GPL-2.0 */
/* The tracepoints: every event, as it happens, on whatever socket. */

#undef TRACE_SYSTEM
#define TRACE_SYSTEM dualstack

#if !defined(_DUALSTACK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _DUALSTACK_TRACE_H

#include <linux/in6.h>
#include <linux/tracepoint.h>
#include <uapi/linux/dualstack.h>

#include "event_list.h"
#include "flow.h"
#include "sock.h"
#include "stats.h"

struct sock;

#ifndef _DUALSTACK_TRACE_ONCE
#define _DUALSTACK_TRACE_ONCE

#define DS_SOCKADDR_LEN	sizeof(struct sockaddr_in6)

/**
 * ds_trace_local() - the local end of a flow, as %pISpc prints it
 * @dst:	room of DS_SOCKADDR_LEN
 * @flow:	the flow
 *
 * Context: any.
 */
void ds_trace_local(void *dst, const struct ds_flow *flow);

/**
 * ds_trace_peer() - the remote end of a flow, as %pISpc prints it
 * @dst:	room of DS_SOCKADDR_LEN
 * @flow:	the flow
 *
 * Context: any.
 */
void ds_trace_peer(void *dst, const struct ds_flow *flow);

/**
 * ds_trace_holder() - who is in the way of a rule, as %pISpc prints it
 * @dst:	room of DS_SOCKADDR_LEN
 * @flow:	the flow, with the holder as its peer
 *
 * Context: any.
 */
void ds_trace_holder(void *dst, const struct ds_flow *flow);

#endif /* _DUALSTACK_TRACE_ONCE */

/* The constants that perf and trace-cmd are told, to show and filter by their
 * names.
 */
TRACE_DEFINE_ENUM(IPPROTO_TCP);
TRACE_DEFINE_ENUM(IPPROTO_UDP);
DS_TRACE_ENUMS

#define ds_show_family(family)						\
	__print_symbolic(family, { AF_INET, "AF_INET" },		\
				 { AF_INET6, "AF_INET6" })

#define ds_show_protocol(protocol)					\
	__print_symbolic(protocol, { IPPROTO_TCP, "IPPROTO_TCP" },	\
				   { IPPROTO_UDP, "IPPROTO_UDP" })

/* The sites of dualstack_mapped, and the reasons of dualstack_reject, by the
 * counter of the event.
 */
#define ds_show_site(site)						\
	__print_symbolic(site, { 0, "" } DS_TRACE_SITES)

/* Both tracepoints print the same, but for the name of the first field: site or
 * reason.
 */
#define DS_EVENT_FORMAT							\
	"=%s family=%s protocol=%s local=%pISpc peer=%pISpc flowlabel=0x%05x cookie=%llu netns=%u"

#define ds_printk(name)							\
	TP_printk(name DS_EVENT_FORMAT, ds_show_site(__entry->site),	\
		  ds_show_family(__entry->family),			\
		  ds_show_protocol(__entry->protocol),			\
		  __entry->local, __entry->peer, __entry->flowlabel,	\
		  __entry->cookie, __entry->netns)

DECLARE_EVENT_CLASS(dualstack_event,
		    TP_PROTO(struct sock *sk, enum ds_event event,
			     const struct ds_flow *flow),
		    TP_ARGS(sk, event, flow),

		    TP_STRUCT__entry(__field(__u64, cookie)
				     __field(__u32, netns)
				     __field(__u32, flowlabel)
				     __field(__u16, family)
				     __field(__u8, protocol)
				     __field(__u8, site)
				     __array(__u8, local, DS_SOCKADDR_LEN)
				     __array(__u8, peer, DS_SOCKADDR_LEN)),

		    TP_fast_assign(__entry->cookie = ds_sk_cookie(sk);
				   __entry->netns = flow->net->ns.inum;
				   __entry->flowlabel = ntohl(flow->flowlabel);
				   __entry->family = flow->family;
				   __entry->protocol = ds_ipproto(flow->proto);
				   __entry->site = ds_counter_attr(event, ds_family(sk->sk_family),
								   flow->proto);
				   ds_trace_local(__entry->local, flow);
				   ds_trace_peer(__entry->peer, flow);),

		    ds_printk("site")
);

/* IPv4 went through an AF_INET6 socket; or, at site wire, an IPv6 packet came
 * with a mapped source.
 */
DEFINE_EVENT(dualstack_event, dualstack_mapped,
	     TP_PROTO(struct sock *sk, enum ds_event event,
		      const struct ds_flow *flow),
	     TP_ARGS(sk, event, flow)
);

/* IPv4 went through an AF_INET socket. */
DEFINE_EVENT(dualstack_event, dualstack_v4,
	     TP_PROTO(struct sock *sk, enum ds_event event,
		      const struct ds_flow *flow),
	     TP_ARGS(sk, event, flow)
);

/* A packet, or a call of an application, was turned away because its address
 * is of the other family.
 */
DEFINE_EVENT_PRINT(dualstack_event, dualstack_reject,
		   TP_PROTO(struct sock *sk, enum ds_event event,
			    const struct ds_flow *flow),
		   TP_ARGS(sk, event, flow),

		   ds_printk("reason")
);

/* A rule decided about IPV6_V6ONLY of a socket that is being bound, or was passed over
 * for it. Then holder is the IPv4 socket in the way, [::]:0 where it had gone.
 */
TRACE_EVENT(dualstack_rule,
	    TP_PROTO(struct sock *sk, bool v6only, bool passed_over,
		     const struct ds_flow *flow),
	    TP_ARGS(sk, v6only, passed_over, flow),

	    TP_STRUCT__entry(__field(__u64, cookie)
			     __field(__u32, netns)
			     __field(__u8, protocol)
			     __field(__u8, v6only)
			     __field(__u8, passed_over)
			     __array(__u8, local, DS_SOCKADDR_LEN)
			     __array(__u8, holder, DS_SOCKADDR_LEN)),

	    TP_fast_assign(__entry->cookie = ds_sk_cookie(sk);
			   __entry->netns = flow->net->ns.inum;
			   __entry->protocol = ds_ipproto(flow->proto);
			   __entry->v6only = v6only;
			   __entry->passed_over = passed_over;
			   ds_trace_local(__entry->local, flow);
			   ds_trace_holder(__entry->holder, flow);),

	    TP_printk("v6only=%u passed_over=%u protocol=%s local=%pISpc holder=%pISpc cookie=%llu netns=%u",
		      __entry->v6only, __entry->passed_over,
		      ds_show_protocol(__entry->protocol), __entry->local,
		      __entry->holder, __entry->cookie, __entry->netns)
);

#endif /* _DUALSTACK_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
