/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the dualstack family says, in structures that a test can compare.
 */
#ifndef FAMILY_H
#define FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include <linux/dualstack.h>

#include "net_util.h"

struct nl_msg;
struct nl_sock;
struct nlattr;
struct nlmsghdr;

/* Counters are indexed by their attribute, so that no test needs a list. */
#define FAM_COUNTERS	(DUALSTACK_A_COUNTER_MAX + 1)

/**
 * struct fam_counter_info - what a test knows of a counter
 * @attr: its netlink attribute, and its index in struct fam_counters
 * @name: its name in JSON and in messages
 */
struct fam_counter_info {
	int attr;
	const char *name;
};

extern const struct fam_counter_info fam_counter_table[];
extern const size_t fam_counter_table_len;

/**
 * fam_is_summed() - Whether TCP has a counter in the sums alone, not in records.
 * @attr: the counter, by attribute.
 *
 * Return: true for what connects without a mapped address.
 */
bool fam_is_summed(int attr);

/**
 * fam_counter_has() - Whether there is such a counter for some sockets.
 * @c: the counter. Its name says of which: one with v4 in it is of AF_INET, all
 *     others of AF_INET6. It ends with the event: an accept is of TCP, a datagram
 *     that is received or sent of UDP, all others of both.
 * @family: AF_INET or AF_INET6 for a record, or 0 for the sums of both.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP, or 0 for both together.
 *
 * Return: true or false.
 */
bool fam_counter_has(const struct fam_counter_info *c, int family,
		     int protocol);

/**
 * struct fam_counters - one value per counter
 * @v: values, by attribute
 * @present: bit per attribute that the kernel sent
 */
struct fam_counters {
	__u64 v[FAM_COUNTERS];
	__u64 present;
};

/**
 * struct fam_peer - the remote end of an event
 * @addr: address and port; sa_family is AF_UNSPEC when there was no event
 * @age: milliseconds since the event
 */
struct fam_peer {
	union net_addr addr;
	__u64 age;
};

/**
 * struct fam_socket - the record of a socket
 * @cookie: the socket's cookie
 * @family: AF_INET or AF_INET6
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @counters: what it saw
 * @explicit_port: its port was asked for by number, 1 or 0; -1 if that is not said
 * @last_mapped: last IPv4 peer
 * @last_rejected: last peer that was turned away
 */
struct fam_socket {
	__u64 cookie;
	int family;
	int protocol;
	struct fam_counters counters;
	int explicit_port;
	struct fam_peer last_mapped;
	struct fam_peer last_rejected;
};

/**
 * struct fam_stats - the sums of a namespace
 * @counters: sums over all sockets, closed ones included
 * @untracked: events whose socket has no record
 * @tracked: sockets that have a record now
 * @evicted: records that gave way to that of another socket
 */
struct fam_stats {
	struct fam_counters counters;
	__u64 untracked;
	__u64 tracked;
	__u64 evicted;
};

/**
 * struct fam_port - the sums of a port
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @port: the port, 0 for all that have no sums of their own
 * @counters: sums over all sockets that have or had it
 */
struct fam_port {
	int protocol;
	in_port_t port;
	struct fam_counters counters;
};

/**
 * struct fam_hook - one way into the kernel
 * @name: function or tracepoint
 * @kind: enum dualstack_hook_kind
 * @attached: whether it is in the kernel
 * @hits: what it did in this namespace
 * @purpose: one line of prose
 */
struct fam_hook {
	char name[64];
	unsigned int kind;
	bool attached;
	__u64 hits;
	char purpose[256];
};

/**
 * struct fam_explained - who would get a packet
 * @local: the packet is for this host
 * @ifindex: device that it comes in by, 0 where there is none
 * @verdict: enum dualstack_verdict
 * @cookie: the socket that takes or refuses it, or 0
 * @reuseport: that socket is one of a group
 */
struct fam_explained {
	bool local;
	unsigned int ifindex;
	unsigned int verdict;
	__u64 cookie;
	bool reuseport;
};

/**
 * struct fam - a connection to the family
 * @sk: netlink socket, of the namespace that it was opened in
 * @family: id of the family
 * @extack: the kernel's words on the last request, empty when it said none
 * @intr: the last dump was marked as inconsistent (NLM_F_DUMP_INTR)
 */
struct fam {
	struct nl_sock *sk;
	int family;
	char extack[256];
	bool intr;
};

/**
 * struct fam_config - the settings
 * @tracking: whether the hooks are in the kernel
 * @max_sockets: how many records the namespace can have
 * @event_rate: how many events it sends a second
 * @bindv6only: IPV6_V6ONLY of its sockets to come
 * @peers: whether the ledger of peers is kept
 * @max_peers: how many entries it has in each direction at most
 * @numbered: each event has a number
 * @event_seq: that of its latest event
 * @since: when it began to miss none, nanoseconds since the epoch; 0 while
 *	tracking is off
 */
struct fam_config {
	bool tracking;
	__u32 max_sockets;
	__u32 event_rate;
	bool bindv6only;
	bool peers;
	__u32 max_peers;
	bool numbered;
	__u64 event_seq;
	__u64 since;
};

/**
 * struct fam_event - one message of the multicast group
 * @seq: number of the event
 * @time: nanoseconds since the epoch
 * @type: enum dualstack_event_type, or -1 where events were lost
 * @family: AF_INET or AF_INET6
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @cookie: the socket's cookie
 * @local: this end
 * @peer: the other end
 * @flowlabel: of an IPv6 packet
 * @v6only: of a rule that was applied or passed over
 *
 * What became of a rule has the holder for its peer, if any.
 */
struct fam_event {
	__u64 seq;
	__u64 time;
	int type;
	int family;
	int protocol;
	__u64 cookie;
	union net_addr local;
	union net_addr peer;
	__u32 flowlabel;
	int v6only;
};

/**
 * struct fam_listener - a member of the multicast group
 * @ds: its own connection
 * @seq: number of the latest event when it joined
 * @buf: what was received last
 * @msg: the next message in @buf
 * @len: how many bytes are left there
 */
struct fam_listener {
	struct fam ds;
	__u64 seq;
	char buf[65536];
	struct nlmsghdr *msg;
	int len;
};

typedef int (*fam_attr_cb)(struct nlattr *attrs, size_t len, void *arg);
typedef int (*fam_socket_cb)(const struct fam_socket *s, void *arg);
typedef int (*fam_port_cb)(const struct fam_port *p, void *arg);
typedef int (*fam_hook_cb)(const struct fam_hook *h, void *arg);

/**
 * fam_open() - connect to the family in the caller's namespace
 * @ds: filled in
 *
 * Return: 0, -ENOENT when no module offers the family, or another error.
 */
int fam_open(struct fam *ds);
void fam_close(struct fam *ds);

/**
 * fam_msg() - begin a request
 * @ds: connection
 * @cmd: DUALSTACK_CMD_*
 * @flags: NLM_F_DUMP or 0
 *
 * Return: a message that fam_talk() consumes, or NULL.
 */
struct nl_msg *fam_msg(struct fam *ds, int cmd, int flags);

/**
 * fam_reset_msg() - The request of fam_reset(), to be sent otherwise.
 * @ds: the family.
 * @cookie: as in fam_reset().
 *
 * Return: the message, or NULL.
 */
struct nl_msg *fam_reset_msg(struct fam *ds, __u64 cookie);

/**
 * struct fam_batch - requests for one send()
 * @buf: the requests
 * @len: how many bytes there are
 */
struct fam_batch {
	char buf[64000];
	size_t len;
};

/**
 * fam_batch_put() - put a request behind those that are there
 * @batch: these
 * @msg: the request, freed here; may be NULL
 * @flags: NLM_F_ACK or 0
 *
 * Return: false if there is none, or no room.
 */
bool fam_batch_put(struct fam_batch *batch, struct nl_msg *msg, int flags);

/**
 * fam_talk() - send a request, hand each reply to a callback
 * @ds: connection
 * @msg: request, freed here
 * @cb: called with the attributes of each reply, may be NULL
 * @arg: for @cb
 *
 * Return: 0, the kernel's error as -errno (see @ds->extack), or what @cb
 * returned if that was not 0.
 */
int fam_talk(struct fam *ds, struct nl_msg *msg, fam_attr_cb cb, void *arg);

int fam_socket_get(struct fam *ds, __u64 cookie, struct fam_socket *s);
int fam_socket_dump(struct fam *ds, fam_socket_cb cb, void *arg);
/* Sums of one protocol, or of all with 0. */
int fam_stats_get(struct fam *ds, int protocol, struct fam_stats *stats);
/* Whether the sums of all have so many of a counter, or more. */
bool fam_counted(struct fam *ds, int counter, __u64 n);
/* Port 0 stands for all that have no sums of their own. */
int fam_port_get(struct fam *ds, int protocol, in_port_t port,
		 struct fam_port *p);
int fam_port_dump(struct fam *ds, fam_port_cb cb, void *arg);
int fam_hook_get(struct fam *ds, const char *name, struct fam_hook *h);
int fam_hook_dump(struct fam *ds, fam_hook_cb cb, void *arg);

/* Number of records that a dump shows but for those of clients, or -errno. */
int fam_socket_count(struct fam *ds);

/* Settings in force, and those that a namespace starts with. */
int fam_config_get(struct fam *ds, struct fam_config *c);
int fam_config_defaults(struct fam *ds, struct fam_config *c);

/* Add a setting, DUALSTACK_A_CONFIG_*, to a request. */
int fam_put_setting(struct nl_msg *msg, int attr, __u32 value);
/* Change one setting. */
int fam_config_set(struct fam *ds, int attr, __u32 value);

/* Set one socket's counters to 0, or those of the namespace with 0. */
int fam_reset(struct fam *ds, __u64 cookie);

/*
 * Ask for events to be numbered and sent: 1 with the number of the latest one, 0
 * where it is not that far yet, or -errno.
 */
int fam_events_start(struct fam *ds, __u64 *seq);

/* Join the multicast group alone, by a connection that gets nothing else. */
int fam_join(struct fam_listener *l);
/* The same, and have events sent; 0 or -errno. */
int fam_listen(struct fam_listener *l);
void fam_listen_end(struct fam_listener *l);

/**
 * fam_listen_next() - wait for the next message
 * @l: the listener
 * @timeout_ms: how long to wait
 * @ev: filled in
 *
 * Return: 0, -ETIMEDOUT, -ENOBUFS where the socket's buffer was too small, or
 * another error.
 */
int fam_listen_next(struct fam_listener *l, int timeout_ms, struct fam_event *ev);

/**
 * fam_v6only_set() - set IPV6_V6ONLY of a live socket
 * @ds: connection
 * @fd: the socket
 * @v6only: what it is to be
 * @dry_run: ask only
 *
 * Return: how many sockets changed, or would, or -errno.
 */
int fam_v6only_set(struct fam *ds, int fd, bool v6only, bool dry_run);
/* The same by what the kernel is told of the socket. */
int fam_v6only_set_by(struct fam *ds, __u64 cookie, int protocol,
		      in_port_t port, bool v6only, bool dry_run);
/* The request alone. */
struct nl_msg *fam_v6only_msg(struct fam *ds, __u64 cookie, int protocol,
			      in_port_t port, bool v6only, bool dry_run);
/*
 * Set it, however long others are busy: on a machine with too much to do, one
 * that has the socket locked may be long in coming back to it.
 */
int fam_v6only_set_idle(struct fam *ds, int fd, bool v6only);

/**
 * fam_explain() - ask who would get a packet
 * @ds: connection
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @to: destination
 * @from: source, or NULL
 * @ifindex: device that it comes in by, or 0
 * @out: the answer
 *
 * Return: 0 or -errno.
 */
int fam_explain(struct fam *ds, int protocol, const union net_addr *to,
		const union net_addr *from, unsigned int ifindex,
		struct fam_explained *out);

/**
 * fam_accept_counter() - What a listener counts that accepts a connection.
 * fam_recv_counter() - What a UDP socket counts that receives a datagram.
 * fam_connect_counter() - What a socket counts that connects.
 * fam_send_counter() - What a UDP socket counts that sends a datagram.
 * @addr: whom from or where to, as the socket's family has it.
 *
 * Return: the counter, by attribute; 0, which no counter has, for what is sent to an
 * IPv6 address.
 */
int fam_accept_counter(const union net_addr *addr);
int fam_recv_counter(const union net_addr *addr);
int fam_connect_counter(const union net_addr *addr);
int fam_send_counter(const union net_addr *addr);

/**
 * fam_is_of_client() - Whether all clients of a test have such a counter.
 * @attr: the counter, by attribute.
 *
 * Return: true for what an AF_INET socket sends and connects to, and what an AF_INET6
 * one connects to over IPv6.
 */
bool fam_is_of_client(int attr);

/* Whether a socket has such counters, and no others. */
bool fam_is_client(const struct fam_counters *c);

void fam_counters_add(struct fam_counters *sum, const struct fam_counters *c);
bool fam_counters_zero(const struct fam_counters *c);

#endif /* FAMILY_H */
