/* SPDX-License-Identifier: GPL-2.0 */
/* The list of what is counted, and what is made from it: the counts of a record,
 * the counters of the netlink interface, what the tracepoints print, the types of
 * events in netlink. A row of the list is a macro call.
 */

#ifndef _DUALSTACK_EVENT_LIST_H
#define _DUALSTACK_EVENT_LIST_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <uapi/linux/dualstack.h>

/**
 * enum ds_proto - the transport protocols that are accounted
 * @DS_TCP:		TCP
 * @DS_UDP:		UDP
 * @DS_N_PROTOS:	how many there are
 */
enum ds_proto {
	DS_TCP,
	DS_UDP,
	DS_N_PROTOS,
};

/* One bit for each. */
#define DS_ALL_PROTOS	(BIT(DS_N_PROTOS) - 1)

/* X(event, tracepoint, peer): what can happen to a socket.
 *
 * event:	its name, as enum ds_event has it behind DS_. Rows are in the order of
 *		the counts in a record: what a datagram adds to is in its first cache
 *		line, see sock.c
 * tracepoint:	the one that tells of it, MAPPED or REJECT; or NONE
 * peer:	which of the last peers of the socket it is from, MAPPED or REJECTED;
 *		or NONE
 */
#define DS_EVENTS(X)							\
	/* IPv4 was served: a handshake completed (TCP), a datagram was	\
	 * handed to recvmsg() (UDP)					\
	 */								\
	X(IN_MAPPED,		MAPPED,	MAPPED)				\
	/* the same with IPv6 */					\
	X(IN_NATIVE,		NONE,	NONE)				\
	/* sendmsg() to a mapped address went ahead */			\
	X(SEND,			MAPPED,	MAPPED)				\
	/* connect() to a mapped address went ahead */			\
	X(CONNECT,		MAPPED,	MAPPED)				\
	/* an IPv6 packet had a mapped source: it is not from whom it says */ \
	X(WIRE_MAPPED,		MAPPED,	NONE)				\
	/* IPv4 found no socket; this one refused because of IPV6_V6ONLY */ \
	X(REJECT_V6ONLY,	REJECT,	REJECTED)			\
	/* IPv4 found no socket; this one is bound to an IPv6 address */ \
	X(REJECT_ADDR,		REJECT,	REJECTED)			\
	/* IPv6 found no socket; this one is AF_INET */			\
	X(REJECT_V4ONLY,	REJECT,	REJECTED)			\
	/* connect() to a mapped address failed because of IPV6_V6ONLY */ \
	X(REJECT_CONNECT,	REJECT,	REJECTED)			\
	/* sendmsg() to a mapped address failed because of it */	\
	X(REJECT_SEND,		REJECT,	REJECTED)			\
	/* bind() to a mapped address did; there is no peer */		\
	X(REJECT_BIND,		REJECT,	NONE)

/* X(counter, event, protocols, site): the counters of the netlink interface.
 *
 * counter:	its attribute behind DUALSTACK_A_COUNTER_; the type of its event in
 *		enum dualstack_event_type has the same name
 * event:	what it counts, a row above
 * protocols:	of the sockets on which it does, one or more of DS_TCP and DS_UDP, as
 *		bits. An event has one counter in each protocol at most
 * site:	what the tracepoint says: where it happened, or the reason
 */
#define DS_COUNTERS_TOLD(X)						\
	X(MAPPED_ACCEPT,  IN_MAPPED,	  BIT(DS_TCP),	 "accept")	\
	X(MAPPED_RECV,	  IN_MAPPED,	  BIT(DS_UDP),	 "recv")	\
	X(MAPPED_CONNECT, CONNECT,	  DS_ALL_PROTOS, "connect")	\
	X(MAPPED_SEND,	  SEND,		  BIT(DS_UDP),	 "send")	\
	X(WIRE_MAPPED,	  WIRE_MAPPED,	  DS_ALL_PROTOS, "wire")	\
	X(REJECT_V6ONLY,  REJECT_V6ONLY,  DS_ALL_PROTOS, "v6only")	\
	X(REJECT_ADDR,	  REJECT_ADDR,	  DS_ALL_PROTOS, "addr")	\
	X(REJECT_V4ONLY,  REJECT_V4ONLY,  DS_ALL_PROTOS, "v4only")	\
	X(REJECT_CONNECT, REJECT_CONNECT, DS_ALL_PROTOS, "connect")	\
	X(REJECT_SEND,	  REJECT_SEND,	  BIT(DS_UDP),	 "send")	\
	X(REJECT_BIND,	  REJECT_BIND,	  DS_ALL_PROTOS, "bind")

/* Those of events without a tracepoint. */
#define DS_COUNTERS_QUIET(X)						\
	X(NATIVE_ACCEPT,  IN_NATIVE,	  BIT(DS_TCP),	 "")		\
	X(NATIVE_RECV,	  IN_NATIVE,	  BIT(DS_UDP),	 "")

#define DS_COUNTERS(X)							\
	DS_COUNTERS_TOLD(X)						\
	DS_COUNTERS_QUIET(X)

/* From here on it is all made from the rows. */

/* What can happen to a socket. With the protocol of the socket an event makes a
 * counter.
 */
#define DS_EVENT_ENUM(event, tracepoint, peer)		DS_##event,

enum ds_event {
	DS_EVENTS(DS_EVENT_ENUM)
	DS_N_EVENTS,
};

/* The events of a kind, one bit for each: by tracepoint, by last peer. */
enum {
	DS_KIND_NONE,
	DS_KIND_MAPPED,
	DS_KIND_REJECT,
	DS_KIND_REJECTED,
};

#define DS_BIT_IF(is, event)		| (is ? BIT(DS_##event) : 0)
#define DS_MAPPED_BIT(event, tracepoint, peer)				\
	DS_BIT_IF(DS_KIND_##tracepoint == DS_KIND_MAPPED, event)
#define DS_REJECT_BIT(event, tracepoint, peer)				\
	DS_BIT_IF(DS_KIND_##tracepoint == DS_KIND_REJECT, event)
#define DS_PEER_MAPPED_BIT(event, tracepoint, peer)			\
	DS_BIT_IF(DS_KIND_##peer == DS_KIND_MAPPED, event)
#define DS_PEER_REJECTED_BIT(event, tracepoint, peer)			\
	DS_BIT_IF(DS_KIND_##peer == DS_KIND_REJECTED, event)

#define DS_EVENTS_MAPPED		(0 DS_EVENTS(DS_MAPPED_BIT))
#define DS_EVENTS_REJECT		(0 DS_EVENTS(DS_REJECT_BIT))
#define DS_EVENTS_PEER_MAPPED		(0 DS_EVENTS(DS_PEER_MAPPED_BIT))
#define DS_EVENTS_PEER_REJECTED		(0 DS_EVENTS(DS_PEER_REJECTED_BIT))

#define DS_COUNTED_BIT(counter, event, protocols, site)	| BIT(DS_##event)

static_assert((0 DS_COUNTERS_TOLD(DS_COUNTED_BIT)) ==
	      (DS_EVENTS_MAPPED | DS_EVENTS_REJECT),
	      "an event with a tracepoint has no counter, or is in the wrong list");
static_assert((0 DS_COUNTERS(DS_COUNTED_BIT)) == BIT(DS_N_EVENTS) - 1,
	      "an event has no counter");

#define DS_ONE_MORE(counter, event, protocols, site)	+ 1

enum {
	DS_N_COUNTERS = 0 DS_COUNTERS(DS_ONE_MORE),
};

static_assert((int)DS_N_COUNTERS ==
	      DUALSTACK_A_COUNTER_MAX - DUALSTACK_A_COUNTER_PAD,
	      "a counter of the spec has no row");

/* Rows of an array of struct ds_counter, in the order of the attributes. */
#define DS_COUNTER_ROW(counter, event, protocols, site)			\
	[DUALSTACK_A_COUNTER_##counter - DUALSTACK_A_COUNTER_PAD - 1] =	\
		{ DUALSTACK_A_COUNTER_##counter, DS_##event, protocols },
#define DS_COUNTER_ROWS		DS_COUNTERS(DS_COUNTER_ROW)

/* Rows of an array from counters to enum dualstack_event_type. */
#define DS_EVENT_TYPE_ROW(counter, event, protocols, site)		\
	[DUALSTACK_A_COUNTER_##counter] = DUALSTACK_EVENT_TYPE_##counter,
#define DS_EVENT_TYPE_ROWS	DS_COUNTERS_TOLD(DS_EVENT_TYPE_ROW)

/* For tracepoints: constants that tell user space of the counters, and pairs of
 * counter and site, each after a comma.
 */
#define DS_TRACE_ENUM(counter, event, protocols, site)			\
	TRACE_DEFINE_ENUM(DUALSTACK_A_COUNTER_##counter);
#define DS_TRACE_ENUMS		DS_COUNTERS_TOLD(DS_TRACE_ENUM)
#define DS_TRACE_SITE(counter, event, protocols, site)			\
	, { DUALSTACK_A_COUNTER_##counter, site }
#define DS_TRACE_SITES		DS_COUNTERS_TOLD(DS_TRACE_SITE)

#endif /* _DUALSTACK_EVENT_LIST_H */
