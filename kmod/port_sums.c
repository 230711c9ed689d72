// SPDX-License-Identifier: GPL-2.0
/* What was counted at each port of a namespace, by sockets that are closed, too. A port
 * gets its sums with the first record of a server that asked for it by its number, and
 * that record has a place for its counts from then on: no memory is wanted when it ends.
 */

#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "port_sums.h"
#include "stats.h"

/* How many ports are looked at before others get a chance at the lock. */
#define DS_PORT_STEP	64

void ds_ports_init(struct ds_ports *ports)
{
	xa_init_flags(&ports->sums, XA_FLAGS_ACCOUNT);
}

void ds_ports_end(struct ds_ports *ports)
{
	struct ds_port_sums *port;
	unsigned long index;

	xa_for_each(&ports->sums, index, port)
		kfree(port);
	xa_destroy(&ports->sums);
}

/* What is from before a reset is set to 0 by whoever looks first. */
struct ds_port_sums *ds_ports_find(struct ds_ports *ports, enum ds_proto proto,
				   u16 num)
{
	struct ds_port_sums *port;

	if (!num)
		return NULL;
	port = xa_load(&ports->sums, ds_port_index(proto, num));
	if (port && port->round != ports->round) {
		memset(port->count, 0, sizeof(port->count));
		port->round = ports->round;
	}
	return port;
}

static void ds_ports_drop(struct ds_ports *ports, struct ds_port_sums *port)
{
	xa_erase(&ports->sums, ds_port_index(port->proto, port->num));
	kfree(port);
	WRITE_ONCE(ports->n, ports->n - 1);
}

static u64 ds_ports_counted(const struct ds_ports *ports,
			    const struct ds_port_sums *port)
{
	u64 sum = 0;
	int i, j;

	if (port->round == ports->round)
		for (i = 0; i < DS_N_FAMILIES; i++)
			for (j = 0; j < DS_N_EVENTS; j++)
				sum += port->count[i][j];
	return sum;
}

/* A port gives way: what it has counted is of no port from now on. Whoever looks at the
 * ports has seen its counts where they were.
 */
static void ds_ports_disown(struct ds_ports *ports, struct ds_port_sums *port)
{
	int i, j;

	if (port->round == ports->round)
		for (i = 0; i < DS_N_FAMILIES; i++)
			for (j = 0; j < DS_N_EVENTS; j++)
				ports->count[port->proto][i][j] -=
					port->count[i][j];
	ds_ports_drop(ports, port);
}

/* Looks at some ports only, at others the next time. Returns whether there is room. */
static bool ds_ports_make_room(struct ds_ports *ports)
{
	struct ds_port_sums *port, *least = NULL;
	unsigned int left = DS_PORT_STEP;
	u64 n, min = 0;

	if (ports->n < DS_MAX_PORTS)
		return true;
	while (left--) {
		ports->hand++;
		port = xa_find(&ports->sums, &ports->hand, ULONG_MAX, XA_PRESENT);
		if (!port) {
			/* Before the first one: there is no port 0. */
			ports->hand = 0;
			continue;
		}
		if (port->users)
			continue;
		n = ds_ports_counted(ports, port);
		if (least && n >= min)
			continue;
		least = port;
		min = n;
	}
	if (!least)
		return false;
	ds_ports_disown(ports, least);
	return true;
}

static struct ds_port_sums *ds_ports_make(struct ds_ports *ports,
					  enum ds_proto proto, u16 num)
{
	const gfp_t gfp = GFP_ATOMIC | __GFP_NOWARN;
	struct ds_port_sums *port;

	if (!ds_ports_make_room(ports))
		return NULL;
	port = kzalloc(sizeof(*port), gfp | __GFP_ACCOUNT);
	if (!port)
		return NULL;
	port->num = num;
	port->proto = proto;
	port->round = ports->round;
	if (xa_err(xa_store(&ports->sums, ds_port_index(proto, num), port,
			    gfp))) {
		kfree(port);
		return NULL;
	}
	WRITE_ONCE(ports->n, ports->n + 1);
	return port;
}

bool ds_ports_join(struct ds_ports *ports, enum ds_proto proto, u16 num, bool make)
{
	struct ds_port_sums *port = ds_ports_find(ports, proto, num);

	if (!port && make)
		port = ds_ports_make(ports, proto, num);
	if (!port)
		return false;
	port->users++;
	return true;
}

void ds_ports_leave(struct ds_ports *ports, enum ds_proto proto, u16 num)
{
	ds_ports_find(ports, proto, num)->users--;
}

void ds_ports_add(struct ds_ports *ports, struct ds_port_sums *port,
		  enum ds_family family, enum ds_event event, s64 n)
{
	port->count[family][event] += n;
	ports->count[port->proto][family][event] += n;
}

static void ds_ports_open_others(const struct ds_ports *ports,
				 const struct ds_totals *totals,
				 struct ds_port_views *views,
				 enum ds_proto proto)
{
	struct ds_port_view *view = &views->view[views->n++];
	unsigned int i, j;

	view->num = 0;
	view->proto = proto;
	for (i = 0; i < DS_N_FAMILIES; i++)
		for (j = 0; j < DS_N_EVENTS; j++)
			view->count[i][j] =
				atomic64_read(&totals->count[i][proto][j]) -
				ports->count[proto][i][j];
	views->others[proto] = view;
}

static void ds_ports_open_one(struct ds_port_sums *port,
			      struct ds_port_views *views)
{
	struct ds_port_view *view = &views->view[views->n++];

	view->num = port->num;
	view->proto = port->proto;
	memcpy(view->count, port->count, sizeof(view->count));
	port->view = view;
}

void ds_ports_open(struct ds_ports *ports, const struct ds_totals *totals,
		   struct ds_port_views *views)
{
	unsigned long index = views->next;
	struct ds_port_sums *port;
	enum ds_proto proto;

	views->n = 0;
	views->told = 0;
	views->round = ports->round;
	memset(views->others, 0, sizeof(views->others));
	for (; index < DS_PORT_END && views->n < views->max; index++) {
		proto = index >> DS_PORT_BITS;
		if (!(index & DS_PORT_MASK)) {
			ds_ports_open_others(ports, totals, views, proto);
			continue;
		}
		/* The index stays where there is none up to the last one. */
		if (!xa_find(&ports->sums, &index, index | DS_PORT_MASK,
			     XA_PRESENT)) {
			index |= DS_PORT_MASK;
			continue;
		}
		port = ds_ports_find(ports, proto, index & DS_PORT_MASK);
		ds_ports_open_one(port, views);
	}
	views->next = index;
}

struct ds_port_view *ds_ports_view(struct ds_ports *ports,
				   struct ds_port_views *views,
				   enum ds_proto proto, u16 num)
{
	struct ds_port_sums *port = ds_ports_find(ports, proto, num);

	return port ? port->view : views->others[proto];
}

void ds_ports_close(struct ds_ports *ports, struct ds_port_views *views)
{
	const struct ds_port_view *view = views->view;
	struct ds_port_sums *port;

	for (; view < views->view + views->n; view++) {
		port = ds_ports_find(ports, view->proto, view->num);
		if (port)
			port->view = NULL;
	}
}

void ds_ports_reset(struct ds_ports *ports)
{
	ports->round++;
	memset(ports->count, 0, sizeof(ports->count));
}

/* One that was there since a reset may have counted, and closed its sockets. */
static bool ds_ports_is_empty(const struct ds_ports *ports,
			      const struct ds_port_sums *port)
{
	return !port->users &&
	       (port->round != ports->round ||
		!memchr_inv(port->count, 0, sizeof(port->count)));
}

bool ds_ports_trim(struct ds_ports *ports, unsigned long *from)
{
	unsigned int left = DS_PORT_STEP;
	struct ds_port_sums *port;

	while (left--) {
		port = xa_find(&ports->sums, from, ULONG_MAX, XA_PRESENT);
		if (!port)
			return false;
		if (ds_ports_is_empty(ports, port))
			ds_ports_drop(ports, port);
		++*from;
	}
	return true;
}
