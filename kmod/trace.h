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

/* Of a struct sockaddr_in6; of an address in it; and of the longest site or reason. They
 * are numbers, as user space is told them as they are written here.
 */
#define DS_SOCKADDR_LEN	28
#define DS_ADDR_LEN	16
#define DS_SITE_LEN	8

/**
 * ds_trace_site() - where an event happened, or why it did not
 * @event:	the event
 * @family:	of the socket
 * @proto:	transport protocol
 *
 * Context: any.
 *
 * Return: a text of DS_SITE_LEN, padded with zeros.
 */
const char *ds_trace_site(enum ds_event event, enum ds_family family,
			  enum ds_proto proto);

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

/* The constants that perf and trace-cmd are told, to show them by their names. */
TRACE_DEFINE_ENUM(IPPROTO_TCP);
TRACE_DEFINE_ENUM(IPPROTO_UDP);

#define ds_show_family(family)						\
	__print_symbolic(family, { AF_INET, "AF_INET" },		\
				 { AF_INET6, "AF_INET6" })

#define ds_show_protocol(protocol)					\
	__print_symbolic(protocol, { IPPROTO_TCP, "IPPROTO_TCP" },	\
				   { IPPROTO_UDP, "IPPROTO_UDP" })

/* The tracepoints of events have the same fields, but for the name of the one that
 * tells what happened: site or reason. A filter compares words and numbers, but not
 * addresses as they are printed; so ports are there as numbers, too, and addresses as
 * bytes that a program can take. Those that are read as structures come where these can
 * be.
 */
#define ds_event_entry(what)						\
	TP_STRUCT__entry(__field(__u64, cookie)				\
			 __field(__u32, netns)				\
			 __field(__u32, flowlabel)			\
			 __array(__u8, local_v6, DS_ADDR_LEN)		\
			 __array(__u8, peer_v6, DS_ADDR_LEN)		\
			 __array(__u8, local, DS_SOCKADDR_LEN)		\
			 __array(__u8, peer, DS_SOCKADDR_LEN)		\
			 __array(char, what, DS_SITE_LEN)		\
			 __field(__u16, family)				\
			 __field(__u16, local_port)			\
			 __field(__u16, peer_port)			\
			 __field(__u8, protocol))

#define ds_event_assign(site)						\
	TP_fast_assign(__entry->cookie = ds_sk_cookie(sk);		\
		       __entry->netns = flow->net->ns.inum;		\
		       __entry->flowlabel = ntohl(flow->flowlabel);	\
		       __entry->family = flow->family;			\
		       __entry->local_port = ntohs(flow->local_port);	\
		       __entry->peer_port = ntohs(flow->peer_port);	\
		       __entry->protocol = ds_ipproto(flow->proto);	\
		       memcpy(site, ds_trace_site(event, ds_family(sk->sk_family), \
						  flow->proto), DS_SITE_LEN);	\
		       ds_trace_local(__entry->local, flow);		\
		       ds_trace_peer(__entry->peer, flow);		\
		       memcpy(__entry->local_v6, &flow->local, DS_ADDR_LEN);	\
		       memcpy(__entry->peer_v6, &flow->peer, DS_ADDR_LEN);)

#define DS_EVENT_FORMAT							\
	"=%s family=%s protocol=%s local=%pISpc peer=%pISpc flowlabel=0x%05x cookie=%llu netns=%u"

#define ds_event_printk(name, site)					\
	TP_printk(name DS_EVENT_FORMAT, site,				\
		  ds_show_family(__entry->family),			\
		  ds_show_protocol(__entry->protocol),			\
		  __entry->local, __entry->peer, __entry->flowlabel,	\
		  __entry->cookie, __entry->netns)

DECLARE_EVENT_CLASS(dualstack_event,
		    TP_PROTO(struct sock *sk, enum ds_event event,
			     const struct ds_flow *flow),
		    TP_ARGS(sk, event, flow),
		    ds_event_entry(site),
		    ds_event_assign(__entry->site),
		    ds_event_printk("site", __entry->site)
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
TRACE_EVENT(dualstack_reject,
	    TP_PROTO(struct sock *sk, enum ds_event event,
		     const struct ds_flow *flow),
	    TP_ARGS(sk, event, flow),
	    ds_event_entry(reason),
	    ds_event_assign(__entry->reason),
	    ds_event_printk("reason", __entry->reason)
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
			     __array(__u8, local, DS_SOCKADDR_LEN)
			     __array(__u8, holder, DS_SOCKADDR_LEN)
			     __field(__u8, protocol)
			     __field(__u8, v6only)
			     __field(__u8, passed_over)),

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
