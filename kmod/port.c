// SPDX-License-Identifier: GPL-2.0
/* The sockets that are bound to a port: TCP has them in its table of bind buckets,
 * UDP in its table of sockets by port.
 */

#include <linux/udp.h>
#include <net/inet_hashtables.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/udp.h>

#include "port.h"

static struct inet_bind_hashbucket *ds_port_bhash(const struct ds_port *port)
{
	struct inet_hashinfo *hinfo = port->net->ipv4.tcp_death_row.hashinfo;

	return &hinfo->bhash[inet_bhashfn(port->net, port->num,
					  hinfo->bhash_size)];
}

static struct udp_hslot *ds_port_hslot(const struct ds_port *port)
{
	return udp_hashslot(ds_udp_table(port->net), port->net, port->num);
}

/* The bucket of the unspecified address, which both families share. */
static struct inet_listen_hashbucket *ds_port_ilb(const struct ds_port *port)
{
	return inet_lhash2_bucket(port->net->ipv4.tcp_death_row.hashinfo,
				  ipv6_portaddr_hash(port->net, &in6addr_any,
						     port->num));
}

spinlock_t *ds_port_lock(const struct ds_port *port)
{
	if (port->proto == DS_UDP)
		return &ds_port_hslot(port)->lock;
	return &ds_port_bhash(port)->lock;
}

spinlock_t *ds_port_listen_lock(const struct ds_port *port)
{
	return &ds_port_ilb(port)->lock;
}

static struct sock *ds_port_find_tcp(const struct ds_port *port, bool v4,
				     unsigned int max, ds_port_match match,
				     void *arg)
{
	struct inet_bind_bucket *tb;
	struct sock *sk;

	/* Each VRF has a bucket of its own for the port. */
	inet_bind_bucket_for_each(tb, &ds_port_bhash(port)->chain) {
		if (tb->port != port->num || !net_eq(ib_net(tb), port->net))
			continue;
		sk = ds_bind_bucket_find(tb, v4, &max, match, arg);
		if (sk)
			return sk;
	}
	return NULL;
}

static struct sock *ds_port_find_udp(const struct ds_port *port,
				     ds_port_match match, void *arg)
{
	struct sock *sk;

	sk_for_each(sk, &ds_port_hslot(port)->head)
		if (udp_sk(sk)->udp_port_hash == port->num &&
		    net_eq(sock_net(sk), port->net) && match(sk, arg))
			return sk;
	return NULL;
}

struct sock *ds_port_find4(const struct ds_port *port, ds_port_match match,
			   void *arg)
{
	if (port->proto == DS_UDP)
		return ds_port_find_udp(port, match, arg);
	return ds_port_find_tcp(port, true, UINT_MAX, match, arg);
}

struct sock *ds_port_find_wild(const struct ds_port *port, ds_port_match match,
			       void *arg)
{
	struct hlist_nulls_node *node;
	struct sock *sk;

	if (port->proto == DS_UDP)
		return ds_port_find_udp(port, match, arg);

	sk_nulls_for_each(sk, node, &ds_port_ilb(port)->nulls_head)
		if (inet_sk(sk)->inet_num == port->num &&
		    net_eq(sock_net(sk), port->net) && match(sk, arg))
			return sk;
	return NULL;
}

/* The lock is held for as long as bind() holds it, for each socket that it binds.
 */
static struct sock *ds_port_get_udp(const struct ds_port *port,
				    ds_port_match match, void *arg)
{
	spinlock_t *lock = ds_port_lock(port);
	struct sock *sk;

	spin_lock_bh(lock);
	sk = ds_port_find_udp(port, match, arg);
	if (sk)
		sock_hold(sk);
	spin_unlock_bh(lock);
	return sk;
}

struct sock *ds_port_get_wild(const struct ds_port *port, ds_port_match match,
			      void *arg)
{
	spinlock_t *lock = ds_port_listen_lock(port);
	struct sock *sk;

	if (port->proto == DS_UDP)
		return ds_port_get_udp(port, match, arg);

	spin_lock(lock);
	sk = ds_port_find_wild(port, match, arg);
	if (sk)
		sock_hold(sk);
	spin_unlock(lock);
	return sk;
}

struct sock *ds_port_get_tcp(const struct ds_port *port, unsigned int max,
			     ds_port_match match, void *arg)
{
	spinlock_t *lock = ds_port_lock(port);
	struct sock *sk;

	spin_lock_bh(lock);
	sk = ds_port_find_tcp(port, false, max, match, arg);
	if (sk)
		sock_hold(sk);
	spin_unlock_bh(lock);
	return sk;
}
