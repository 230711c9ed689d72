/* SPDX-License-Identifier: GPL-2.0 */
/* The events that the module sends to its listeners. */
#ifndef DSCTL_EVENT_H
#define DSCTL_EVENT_H

#include <netlink/msg.h>
#include <stdbool.h>
#include <stdint.h>

#include "nl/diag.h"
#include "nl/dsnl.h"

/* The type of an event that says no more than that others were lost. */
#define EVENT_LOST UINT32_MAX

/**
 * struct event - Something that happened to a socket.
 * @seq: number in its namespace.
 * @time: nanoseconds since the epoch.
 * @type: enum dualstack_event_type, or EVENT_LOST.
 * @lost: how many were lost, for EVENT_LOST; nothing below is set then.
 * @flowlabel: of an IPv6 packet, or 0.
 * @cookie: of the socket.
 * @family: what the packet was, AF_INET or AF_INET6.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @local: this host's end.
 * @peer: the other one, AF_UNSPEC if there is none.
 * @v6only: what IPV6_V6ONLY is to be by a rule, 1 or 0; -1 if it is about none.
 * @holder: for whose sake a rule was passed over, AF_UNSPEC if that is not known.
 */
struct event {
	uint64_t seq;
	uint64_t time;
	uint32_t type;
	uint64_t lost;
	uint32_t flowlabel;
	uint64_t cookie;
	uint8_t family;
	uint8_t protocol;
	struct endpoint local;
	struct endpoint peer;
	int8_t v6only;
	struct endpoint holder;
};

/**
 * event_is_of_rule() - Whether an event is about what became of a rule.
 * @event: the event.
 *
 * Return: false if something of IPv4 was served or refused.
 */
bool event_is_of_rule(const struct event *event);

/**
 * event_name() - The name of an event.
 * @event: the event, not EVENT_LOST.
 *
 * Return: that of its counter, if it has one; "unknown" for a type that was not known yet
 *	   when this was written.
 */
const char *event_name(const struct event *event);

/**
 * events_start() - Have events numbered and sent.
 * @nl: from dsnl_open_dualstack().
 *
 * It takes a moment, after this has returned: config_get() tells. To send it once
 * more is how to learn of a failure.
 *
 * Return: 0 or a negative errno; dsnl_err() explains it.
 */
int events_start(struct dsnl *nl);

/**
 * event_parse() - Read a message of the module's.
 * @hdr: the message.
 * @event: filled in; the type EVENT_LOST if it has none.
 *
 * Return: 0 or a negative errno.
 */
int event_parse(const struct nlmsghdr *hdr, struct event *event);

#endif /* DSCTL_EVENT_H */
