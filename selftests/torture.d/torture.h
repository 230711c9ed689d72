/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of torture share: a slot is a port where one process opens
 * sockets, serves and closes them, while others talk to it and change them.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include <netinet/in.h>
#include <stdbool.h>

#include "../lib/family.h"

#define SLOTS		6
#define CLIENTS		4
#define GROUP		4

/* Each slot and each client has its own ports, none of them one that the kernel
 * chooses. A client is known by its.
 */
#define SLOT_PORTS	500
#define SLOT_PORT	2000
#define CLIENT_PORTS	1000
#define CLIENT_PORT	20000
#define WIRE		CLIENTS		/* whose source is mapped on the wire */

/* Far beyond what anything takes, on any machine: then it will not come. */
#define PATIENCE_MS	120000

#define C(name)		DUALSTACK_A_COUNTER_##name

enum part {
	PART_COOKIES,
	PART_FASTOPEN,
	PART_GRO,
	PART_LIMIT,
	PART_MONITORS,
	PART_NAMESPACES,
	PART_PEERS,
	PART_RACE,
	PART_RESETS,
	PART_TOGGLES,
	PART_MANNERS,
	PARTS
};

/* Which of them this run has. */
extern bool wanted[PARTS];

/* What a client of one family meets. */
enum outcome { SERVED, REFUSED, EITHER, NOT_ASKED };

enum kind { DUAL, V6ONLY, ADDR6, V4, MAPPED, BOTH, RACER, KINDS };

/**
 * struct slot - sockets at a port that come and go
 * @gate: OPEN, and how many hold it open
 * @kind: how they are bound
 * @type: SOCK_STREAM or SOCK_DGRAM
 * @port: where they are
 * @toggled: their IPV6_V6ONLY may be set meanwhile
 * @burst: they take datagrams of several segments
 * @fastopen: they take data in a SYN
 * @n: how many there are
 * @cookie: theirs
 * @resets: how often one of them was reset
 * @seen: what owner and clients saw of them
 */
struct slot {
	int gate;
	enum kind kind;
	int type;
	in_port_t port;
	bool toggled;
	bool burst;
	bool fastopen;
	int n;
	__u64 cookie[GROUP];
	int resets;
	struct fam_counters seen;
};

#define OPEN	0x40000000

/* What the processes share, in memory that all of them have. */
struct shared {
	struct slot slots[SLOTS + 1];	/* the last is the racer's */
	struct fam_counters tcp, udp;
	int stop;			/* clients and all that hold slots */
	int close;			/* owners */
	int limits;			/* odd while there are too few records */
	int failures;
	int mismatches, falls, namespaces, wilds;
	int conversations, toggles, dumps, resets, events, lost;
	struct {			/* of the part without manners */
		struct fam_counters tcp, udp;
		int stop, close;
	} wild;
};

extern struct shared *shared;

/* An eventfd of each client, by which it is told how often it was served. */
extern int served[CLIENTS + 1];

/* Random numbers of this process: never 0. */
extern __u64 rnd_state;

static inline __u32 rnd(__u32 n)
{
	rnd_state ^= rnd_state >> 12;
	rnd_state ^= rnd_state << 25;
	rnd_state ^= rnd_state >> 27;
	return (rnd_state * 2685821657736338717ULL >> 33) % n;
}

static inline int load(int *p)
{
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static inline void add(int *p, int n)
{
	__atomic_add_fetch(p, n, __ATOMIC_SEQ_CST);
}

static inline void see_n(struct fam_counters *c, int counter, int n)
{
	__atomic_add_fetch(&c->v[counter], n, __ATOMIC_SEQ_CST);
}

static inline void see(struct fam_counters *c, int counter)
{
	see_n(c, counter, 1);
}

static inline struct fam_counters *sums(int type)
{
	return type == SOCK_STREAM ? &shared->tcp : &shared->udp;
}

/* Something happened that cannot: say it, and let all come to an end. */
void __attribute__((format(printf, 1, 2))) fail(const char *format, ...);

/* The family, in this namespace; what goes wrong is said. */
bool open_family(struct fam *ds);
void nap_us(unsigned int us);

/**
 * hold() - keep a slot from being closed
 * @i: which
 *
 * Return: the slot, to be let go of, or NULL where it is not open.
 */
struct slot *hold(int i);
void let_go(struct slot *s);

/* What IPv4 and IPv6 clients of a slot meet. */
enum outcome outcome4(const struct slot *s);
enum outcome outcome6(const struct slot *s);

/* The counter of a refusal by this slot. */
int refusal(const struct slot *s, bool v4);

/*
 * What a process does from start to end. Those that own sockets end when
 * shared->close is set, all others at shared->stop.
 */
void torture_owner(int slot);
void torture_client(int me);
void torture_wire(int unused);
void torture_caller(int unused);
void torture_racer(int unused);
void torture_toggler(int unused);
void torture_resetter(int unused);
void torture_reader(int unused);
void torture_monitor(int unused);
void torture_settings(int unused);
void torture_namespaces(int unused);
void torture_wild(int me);

#endif /* TORTURE_H */
