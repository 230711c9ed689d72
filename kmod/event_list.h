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

/* One bit for each, and the same as the rows below name them. */
#define DS_ALL_PROTOS	(BIT(DS_N_PROTOS) - 1)
#define DS_PROTOS_TCP	BIT(DS_TCP)
#define DS_PROTOS_UDP	BIT(DS_UDP)
#define DS_PROTOS_BOTH	DS_ALL_PROTOS

/**
 * enum ds_family - the families of sockets that are accounted
 * @DS_INET6:		AF_INET6
 * @DS_INET:		AF_INET
 * @DS_N_FAMILIES:	how many there are
 */
enum ds_family {
	DS_INET6,
	DS_INET,
	DS_N_FAMILIES,
};

/* X(event, tracepoint, peer): what can happen to a socket.
 *
 * event:	its name, as enum ds_event has it behind DS_. Rows are in the order of
 *		the counts in a record: what a datagram adds to is in its first cache
 *		line, see sock.c
 * tracepoint:	the one that tells of it: SERVED, which is dualstack_mapped on AF_INET6
 *		sockets and dualstack_v4 on AF_INET ones, or REJECT; or NONE
 * peer:	which of the last peers of the socket it is from, V4 or REJECTED; or
 *		NONE
 */
#define DS_EVENTS(X)							\
	/* IPv4 was served: a handshake completed (TCP), a datagram was	\
	 * handed to recvmsg() (UDP)					\
	 */								\
	X(IN_V4,		SERVED,	V4)				\
	/* the same with IPv6 */					\
	X(IN_V6,		NONE,	NONE)				\
	/* sendmsg() to an IPv4 address went ahead */			\
	X(SEND_V4,		SERVED,	V4)				\
	/* connect() to an IPv4 address went ahead */			\
	X(CONNECT_V4,		SERVED,	V4)				\
	/* connect() to an IPv6 address did */				\
	X(CONNECT_V6,		NONE,	NONE)				\
	/* an IPv6 packet had a mapped source: it is not from whom it says */ \
	X(WIRE_MAPPED,		SERVED,	NONE)				\
	/* found no socket: IPv4, as this one has IPV6_V6ONLY; IPv6, as	\
	 * this one is AF_INET						\
	 */								\
	X(REJECT_FAMILY,	REJECT,	REJECTED)			\
	/* IPv4 found no socket; this one is bound to an IPv6 address */ \
	X(REJECT_ADDR,		REJECT,	REJECTED)			\
	/* connect() to a mapped address failed because of IPV6_V6ONLY */ \
	X(REJECT_CONNECT,	REJECT,	REJECTED)			\
	/* sendmsg() to a mapped address failed because of it */	\
	X(REJECT_SEND,		REJECT,	REJECTED)			\
	/* bind() to a mapped address did; there is no peer */		\
	X(REJECT_BIND,		REJECT,	NONE)

/* X(counter, event, family, protocols, recorded, site): the counters of the netlink
 * interface.
 *
 * counter:	its attribute behind DUALSTACK_A_COUNTER_; the type of its event in
 *		enum dualstack_event_type has the same name
 * event:	what it counts, a row above
 * family:	of the sockets on which it does
 * protocols:	of these sockets, one or more of DS_TCP and DS_UDP, as bits. An event
 *		has one counter in each family and protocol at most
 * recorded:	those of them whose records have it. The others are in the sums only
 * site:	what the tracepoint says: where it happened, or the reason
 */
#define DS_COUNTERS_TOLD(X)						\
	X(MAPPED_ACCEPT,  IN_V4,	  INET6, TCP,  TCP,  "accept")	\
	X(MAPPED_RECV,	  IN_V4,	  INET6, UDP,  UDP,  "recv")	\
	X(MAPPED_CONNECT, CONNECT_V4,	  INET6, BOTH, BOTH, "connect")	\
	X(MAPPED_SEND,	  SEND_V4,	  INET6, UDP,  UDP,  "send")	\
	X(WIRE_MAPPED,	  WIRE_MAPPED,	  INET6, BOTH, BOTH, "wire")	\
	X(V4_ACCEPT,	  IN_V4,	  INET,	 TCP,  TCP,  "accept")	\
	X(V4_RECV,	  IN_V4,	  INET,	 UDP,  UDP,  "recv")	\
	X(V4_CONNECT,	  CONNECT_V4,	  INET,	 BOTH, UDP,  "connect")	\
	X(V4_SEND,	  SEND_V4,	  INET,	 UDP,  UDP,  "send")	\
	X(REJECT_V6ONLY,  REJECT_FAMILY,  INET6, BOTH, BOTH, "v6only")	\
	X(REJECT_ADDR,	  REJECT_ADDR,	  INET6, BOTH, BOTH, "addr")	\
	X(REJECT_V4ONLY,  REJECT_FAMILY,  INET,	 BOTH, BOTH, "v4only")	\
	X(REJECT_CONNECT, REJECT_CONNECT, INET6, BOTH, BOTH, "connect")	\
	X(REJECT_SEND,	  REJECT_SEND,	  INET6, UDP,  UDP,  "send")	\
	X(REJECT_BIND,	  REJECT_BIND,	  INET6, BOTH, BOTH, "bind")

/* Those of events without a tracepoint. */
#define DS_COUNTERS_QUIET(X)						\
	X(NATIVE_ACCEPT,  IN_V6,	  INET6, TCP,  TCP,  "")	\
	X(NATIVE_RECV,	  IN_V6,	  INET6, UDP,  UDP,  "")	\
	X(NATIVE_CONNECT, CONNECT_V6,	  INET6, BOTH, UDP,  "")

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
	DS_KIND_SERVED,
	DS_KIND_REJECT,
	DS_KIND_V4,
	DS_KIND_REJECTED,
};

#define DS_BIT_IF(is, event)		| (is ? BIT(DS_##event) : 0)
#define DS_SERVED_BIT(event, tracepoint, peer)				\
	DS_BIT_IF(DS_KIND_##tracepoint == DS_KIND_SERVED, event)
#define DS_REJECT_BIT(event, tracepoint, peer)				\
	DS_BIT_IF(DS_KIND_##tracepoint == DS_KIND_REJECT, event)
#define DS_PEER_V4_BIT(event, tracepoint, peer)				\
	DS_BIT_IF(DS_KIND_##peer == DS_KIND_V4, event)
#define DS_PEER_REJECTED_BIT(event, tracepoint, peer)			\
	DS_BIT_IF(DS_KIND_##peer == DS_KIND_REJECTED, event)

#define DS_EVENTS_SERVED		(0 DS_EVENTS(DS_SERVED_BIT))
#define DS_EVENTS_REJECT		(0 DS_EVENTS(DS_REJECT_BIT))
#define DS_EVENTS_PEER_V4		(0 DS_EVENTS(DS_PEER_V4_BIT))
#define DS_EVENTS_PEER_REJECTED		(0 DS_EVENTS(DS_PEER_REJECTED_BIT))

#define DS_COUNTED_BIT(counter, event, ...)	| BIT(DS_##event)

static_assert((0 DS_COUNTERS_TOLD(DS_COUNTED_BIT)) ==
	      (DS_EVENTS_SERVED | DS_EVENTS_REJECT),
	      "an event with a tracepoint has no counter, or is in the wrong list");
static_assert((0 DS_COUNTERS(DS_COUNTED_BIT)) == BIT(DS_N_EVENTS) - 1,
	      "an event has no counter");

#define DS_ONE_MORE(...)	+ 1

enum {
	DS_N_COUNTERS = 0 DS_COUNTERS(DS_ONE_MORE),
};

static_assert((int)DS_N_COUNTERS ==
	      DUALSTACK_A_COUNTER_MAX - DUALSTACK_A_COUNTER_PAD,
	      "a counter of the spec has no row");

/* Rows of an array of struct ds_counter, in the order of the attributes. */
#define DS_COUNTER_ROW(counter, event, family, protocols, recorded, site) \
	[DUALSTACK_A_COUNTER_##counter - DUALSTACK_A_COUNTER_PAD - 1] =	\
		{ DUALSTACK_A_COUNTER_##counter, DS_##event, DS_##family,	\
		  DS_PROTOS_##protocols, DS_PROTOS_##recorded },
#define DS_COUNTER_ROWS		DS_COUNTERS(DS_COUNTER_ROW)

/* Rows of an array from counters to enum dualstack_event_type. */
#define DS_EVENT_TYPE_ROW(counter, ...)					\
	[DUALSTACK_A_COUNTER_##counter] = DUALSTACK_EVENT_TYPE_##counter,
#define DS_EVENT_TYPE_ROWS	DS_COUNTERS_TOLD(DS_EVENT_TYPE_ROW)

/* Rows of an array from counters to what tracepoints say of their events. */
#define DS_TRACE_SITE(counter, event, family, protocols, recorded, site)	\
	[DUALSTACK_A_COUNTER_##counter] = site,
#define DS_TRACE_SITES		DS_COUNTERS_TOLD(DS_TRACE_SITE)

/* Each has to fit, as it is printed as a string. */
#define DS_TRACE_SITE_FITS(counter, event, family, protocols, recorded, site) \
	static_assert(sizeof(site) <= DS_SITE_LEN);

#endif /* _DUALSTACK_EVENT_LIST_H */
