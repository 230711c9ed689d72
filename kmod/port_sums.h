/* SPDX-License-Identifier: GPL-2.0 */
/* What was counted at each port of a namespace, by sockets that are closed, too. */

#ifndef _DUALSTACK_PORT_SUMS_H
#define _DUALSTACK_PORT_SUMS_H

#include <linux/types.h>
#include <linux/xarray.h>

#include "event_list.h"

struct ds_port_view;
struct ds_totals;

/* Ports with sums of their own, in a namespace: 1 MiB, and at worst three where they are
 * far apart. All others are counted as one.
 */
#define DS_MAX_PORTS		4096

/**
 * struct ds_port_sums - the sums of a port, but for records that are busy
 * @count:	events by family
 * @view:	where a walk adds up what it is; NULL where none does
 * @users:	records that have the port
 * @round:	that of &struct ds_ports, unless @count is from before a reset
 * @num:	the port, host byte order; never 0
 * @proto:	enum ds_proto
 *
 * Stays, once it is there, until a reset finds it without users and counts, or another
 * port takes its place: then its counts are of no port.
 */
struct ds_port_sums {
	u64 count[DS_N_FAMILIES][DS_N_EVENTS];
	struct ds_port_view *view;
	u32 users;
	u32 round;
	u16 num;
	u8 proto;
};

/**
 * struct ds_ports - the sums by port of a namespace
 * @sums:	&struct ds_port_sums by protocol and port
 * @count:	all of them together
 * @hand:	where to look on for one that gives way
 * @n:		how many there are; read without the lock, too
 * @round:	goes up with each reset
 *
 * All is under &struct ds_records.lock. What &struct ds_totals has and @count has not
 * is of no port: so what counts without a record has nothing to do with this.
 */
struct ds_ports {
	struct xarray sums;
	u64 count[DS_N_PROTOS][DS_N_FAMILIES][DS_N_EVENTS];
	unsigned long hand;
	u32 n;
	u32 round;
};

/**
 * struct ds_port_view - the sums of a port at one moment
 * @count:	events by family, on live and on closed sockets
 * @num:	the port, host byte order; 0 for all that have no sums of their own
 * @proto:	enum ds_proto
 */
struct ds_port_view {
	u64 count[DS_N_FAMILIES][DS_N_EVENTS];
	u16 num;
	u8 proto;
};

/**
 * struct ds_port_views - the sums of some ports at one moment
 * @next:	where to begin: ds_port_index() of a port. Then, where to go on
 * @round:	of &struct ds_ports: differs after a reset
 * @n:		how many there are
 * @max:	how many there may be
 * @told:	how many of them a dump has told of
 * @others:	those of them that stand for no single port; NULL where there is none
 * @view:	the sums
 */
struct ds_port_views {
	unsigned long next;
	u32 round;
	u32 n;
	u32 max;
	u32 told;
	struct ds_port_view *others[DS_N_PROTOS];
	struct ds_port_view view[];
};

#define DS_PORT_BITS		16
#define DS_PORT_MASK		(BIT(DS_PORT_BITS) - 1)
#define DS_PORT_END		((unsigned long)DS_N_PROTOS << DS_PORT_BITS)

/**
 * ds_port_index() - where a port stands among all others
 * @proto:	its protocol
 * @num:	the port, host byte order
 *
 * Return: a number below DS_PORT_END.
 */
static inline unsigned long ds_port_index(enum ds_proto proto, u16 num)
{
	return (unsigned long)proto << DS_PORT_BITS | num;
}

/* Begin without any port. */
void ds_ports_init(struct ds_ports *ports);

/**
 * ds_ports_end() - forget all ports of a namespace that is going
 * @ports:	those of a namespace that has no records any more
 *
 * Context: process.
 */
void ds_ports_end(struct ds_ports *ports);

/**
 * ds_ports_join() - a record comes that has a port
 * @ports:	those of its namespace
 * @proto:	its protocol
 * @num:	its port, host byte order
 * @make:	whether the port gets sums if it has none: where there are as many as there
 *		may be, one of some that no record has, that with the least counts, gives
 *		way
 *
 * Memory is charged to the active memory cgroup.
 *
 * Context: under &struct ds_records.lock.
 *
 * Return: false where the port has no sums: none were wanted, or there is no room or no
 * memory for them.
 */
bool ds_ports_join(struct ds_ports *ports, enum ds_proto proto, u16 num, bool make);

/**
 * ds_ports_leave() - a record goes that has come by ds_ports_join()
 * @ports:	those of its namespace
 * @proto:	its protocol
 * @num:	its port, host byte order
 *
 * Context: under &struct ds_records.lock.
 */
void ds_ports_leave(struct ds_ports *ports, enum ds_proto proto, u16 num);

/**
 * ds_ports_find() - the sums of a port
 * @ports:	those of its namespace
 * @proto:	its protocol
 * @num:	the port, host byte order
 *
 * Context: under &struct ds_records.lock.
 *
 * Return: the sums, or NULL where there are none, as of port 0.
 */
struct ds_port_sums *ds_ports_find(struct ds_ports *ports, enum ds_proto proto,
				   u16 num);

/**
 * ds_ports_add() - add to the sums of a port
 * @ports:	those of its namespace
 * @port:	its sums
 * @family:	of the socket
 * @event:	what happened
 * @n:		how often; negative to take back what was added
 *
 * Context: under &struct ds_records.lock.
 */
void ds_ports_add(struct ds_ports *ports, struct ds_port_sums *port,
		  enum ds_family family, enum ds_event event, s64 n);

/**
 * ds_ports_open() - begin to look at some ports
 * @ports:	those of a namespace
 * @totals:	the sums of the namespace
 * @views:	filled in with what records that are not busy have counted
 *
 * Context: under &struct ds_records.lock.
 */
void ds_ports_open(struct ds_ports *ports, const struct ds_totals *totals,
		   struct ds_port_views *views);

/**
 * ds_ports_view() - where the counts of a record are looked at
 * @ports:	those of its namespace
 * @views:	from ds_ports_open()
 * @proto:	protocol of the record
 * @num:	its port, or 0
 *
 * Context: under &struct ds_records.lock.
 *
 * Return: the sums that it is part of, NULL where its port is not looked at.
 */
struct ds_port_view *ds_ports_view(struct ds_ports *ports,
				   struct ds_port_views *views,
				   enum ds_proto proto, u16 num);

/**
 * ds_ports_close() - look no more
 * @ports:	those of the namespace
 * @views:	from ds_ports_open()
 *
 * Context: under &struct ds_records.lock.
 */
void ds_ports_close(struct ds_ports *ports, struct ds_port_views *views);

/**
 * ds_ports_reset() - set the sums of all ports to 0
 * @ports:	those of a namespace
 *
 * Context: under &struct ds_records.lock.
 */
void ds_ports_reset(struct ds_ports *ports);

/**
 * ds_ports_trim() - forget ports that no record has, and that have counted nothing
 * @ports:	those of a namespace, after ds_ports_reset()
 * @from:	where to begin, 0 the first time; where to go on
 *
 * Looks at some of them, as the lock is not to be held for long.
 *
 * Context: under &struct ds_records.lock, while nobody looks.
 *
 * Return: true where there may be more.
 */
bool ds_ports_trim(struct ds_ports *ports, unsigned long *from);

#endif /* _DUALSTACK_PORT_SUMS_H */
