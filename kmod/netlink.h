/* SPDX-License-Identifier: GPL-2.0 */
/* The generic-netlink family. */

#ifndef _DUALSTACK_NETLINK_H
#define _DUALSTACK_NETLINK_H

#include <linux/init.h>
#include <linux/types.h>

struct genl_info;
struct net;
struct netlink_callback;
struct netlink_ext_ack;
struct nlattr;
struct sk_buff;

/**
 * ds_netlink_init() - register the family
 *
 * Context: process. Everything it reports on must be ready.
 *
 * Return: 0 or a negative errno.
 */
int __init ds_netlink_init(void);

/* Unregister it; no request is being answered when this returns. */
void ds_netlink_exit(void);

/**
 * ds_put_header() - begin a message of the family
 * @skb:	the buffer
 * @portid:	port of the receiver, 0 for the multicast group
 * @seq:	sequence number of the request
 * @flags:	NLM_F_*
 * @cmd:	DUALSTACK_CMD_*
 *
 * Return: what genlmsg_end() and genlmsg_cancel() want, or NULL for want of
 * room.
 */
void *ds_put_header(struct sk_buff *skb, u32 portid, u32 seq, int flags,
		    u8 cmd);

/**
 * ds_dump_header() - begin a message of a dump
 * @skb:	the buffer
 * @cb:		the dump
 * @cmd:	DUALSTACK_CMD_*
 *
 * Return: as ds_put_header().
 */
void *ds_dump_header(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);

/**
 * ds_dump_end() - end a message of a dump
 * @skb:	the buffer
 * @hdr:	what ds_dump_header() returned
 * @err:	not 0 where the message has to go, for want of room
 *
 * Return: @err.
 */
int ds_dump_end(struct sk_buff *skb, void *hdr, int err);

/**
 * ds_reply_new() - begin the answer to a request
 * @info:	the request
 *
 * Context: process, may sleep.
 *
 * Return: a message with its header, or NULL for want of memory.
 */
struct sk_buff *ds_reply_new(struct genl_info *info);

/**
 * ds_reply() - send the answer to a request
 * @msg:	the answer, from ds_reply_new(); it is taken
 * @info:	the request
 * @err:	a negative errno is what the request ends with, without the answer
 *
 * Context: process, may sleep.
 *
 * Return: what the request ends with.
 */
int ds_reply(struct sk_buff *msg, struct genl_info *info, int err);

/**
 * ds_parse_proto() - read the protocol that a request names
 * @attr:	the attribute
 * @extack:	says why not
 *
 * Return: an enum ds_proto, or -EINVAL.
 */
int ds_parse_proto(const struct nlattr *attr, struct netlink_ext_ack *extack);

/**
 * ds_check_last() - refuse a request that others follow
 * @skb:	the request as it came
 * @info:	the same
 *
 * All requests of a send() are answered before generic netlink lets go of its lock,
 * for which everybody else on the machine may wait: this is for those that take a
 * while.
 *
 * Return: 0, or -EBUSY where it is not the last one of its send().
 */
int ds_check_last(const struct sk_buff *skb, struct genl_info *info);

/**
 * ds_put_u64() - add an aligned number, in any of the attribute sets
 * @skb:	the message
 * @attr:	the attribute
 * @value:	its value
 *
 * Return: 0 or -EMSGSIZE.
 */
int ds_put_u64(struct sk_buff *skb, int attr, u64 value);

/**
 * ds_has_listeners() - may somebody listen to events?
 * @net:	the namespace
 *
 * Context: any.
 *
 * Return: false where nobody does. The kernel keeps account of the listeners
 * of all namespaces together, so true may be wrong.
 */
bool ds_has_listeners(struct net *net);

/**
 * ds_multicast() - send a message to the listeners of events
 * @net:	the namespace
 * @skb:	the message, or several; it is taken
 *
 * Context: process, may sleep.
 *
 * Return: 0, or a negative errno: -ESRCH where nobody listens, and where the buffers
 * of all who do are full.
 */
int ds_multicast(struct net *net, struct sk_buff *skb);

#endif /* _DUALSTACK_NETLINK_H */
