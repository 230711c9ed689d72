// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, and at the end the counters equal what the processes here
 * saw by their own system calls.
 *
 *   torture [-t SECONDS] [-s SEED] [-x PART]... [-w PART]...
 *
 * A slot is a port whose owner opens sockets there, serves for a moment, closes
 * them and begins anew: listeners, UDP sockets, SO_REUSEPORT groups, dual or not.
 * Clients talk to it over either family, others set IPV6_V6ONLY, reset, dump and
 * listen to events meanwhile. Whoever uses a slot holds it, so that the owner
 * closes it only when each client has seen how its conversation ended: served,
 * which the owner tells it by an eventfd, or refused, which the kernel does. Which
 * of two it is may be a race, but never that it was one of them, and so the sums
 * are exact.
 *
 * Without such manners (part "manners") there is an interval for what cannot be
 * known: a connection in the queue of a listener that is closed was counted, and
 * nobody saw it.
 *
 * -x leaves a part out, -w takes it in: see parts[]. All are in but for the race
 * of connect() and sendmsg() with IPV6_V6ONLY: a call that is taken for refused and
 * then goes through takes that back, so that a sum falls now and then.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"

#include "lib/family.h"
#include "lib/ledger.h"
#include "lib/net_link.h"
#include "lib/net_util.h"
#include "torture.d/torture.h"

#define SECONDS		60
#define MAX_WORKERS	32

static const char *const parts[] = {
	[PART_COOKIES] = "cookies",	/* SYN cookies, by turns */
	[PART_FASTOPEN] = "fastopen",
	[PART_GRO] = "gro",		/* several datagrams in one recvmsg() */
	[PART_LIMIT] = "limit",		/* too few records, for a while */
	[PART_MONITORS] = "monitors",
	[PART_PEERS] = "peers",
	[PART_NAMESPACES] = "namespaces",
	[PART_RACE] = "race",		/* calls on a socket that is being set */
	[PART_RESETS] = "resets",
	[PART_TOGGLES] = "toggles",
	[PART_MANNERS] = "manners",
};

static __u64 seed;

static struct worker {
	const char *name;
	pid_t pid;
	bool owns;	/* goes after those that hold slots */
} workers[MAX_WORKERS];

static int n_workers;

static void start(const char *name, void (*role)(int), int arg, bool owns)
{
	struct worker *w = &workers[n_workers++];

	w->name = name;
	w->owns = owns;
	fflush(stdout);
	w->pid = net_fork();
	if (w->pid)
		return;
	rnd_state = (seed + n_workers) * 0x9e3779b97f4a7c15ULL | 1;
	role(arg);
	fflush(stdout);
	_exit(0);
}

static void start_all(void)
{
	int i;

	for (i = 0; i < SLOTS; i++)
		start("serving", torture_owner, i, true);
	if (wanted[PART_RACE])
		start("racing", torture_racer, 0, true);
	for (i = 0; i < CLIENTS; i++)
		start("a client", torture_client, i, false);
	start("raw packets", torture_wire, 0, false);
	start("calling", torture_caller, 0, false);
	start("reading", torture_reader, 0, false);
	start("configuring", torture_settings, 0, false);
	if (wanted[PART_TOGGLES])
		start("setting v6only", torture_toggler, 0, false);
	if (wanted[PART_RESETS])
		start("resetting", torture_resetter, 0, false);
	if (wanted[PART_MONITORS])
		start("listening", torture_monitor, 0, false);
	if (wanted[PART_NAMESPACES])
		start("making namespaces", torture_namespaces, 0, false);
	if (wanted[PART_MANNERS])
		start("ill-mannered", torture_wild, 0, false);
}

/* Wait for those of one kind; they end when they are told. */
static void join(bool owns)
{
	int i, status;

	for (i = 0; i < n_workers; i++) {
		if (workers[i].owns != owns)
			continue;
		if (waitpid(workers[i].pid, &status, 0) != workers[i].pid ||
		    status)
			fail("%s: status %#x", workers[i].name, status);
	}
}

static bool agrees(struct fam *ds, struct fam_stats *tcp,
		   struct fam_stats *udp)
{
	size_t i;

	if (fam_stats_get(ds, IPPROTO_TCP, tcp) ||
	    fam_stats_get(ds, IPPROTO_UDP, udp))
		return false;
	/* 0 is no counter's. */
	for (i = 1; i < FAM_COUNTERS; i++)
		if (tcp->counters.v[i] != shared->tcp.v[i] ||
		    udp->counters.v[i] != shared->udp.v[i])
			return false;
	return !tcp->tracked && !udp->tracked;
}

/* A SYN that was sent again, on a machine that stood still for a second, may have
 * been refused twice while its client saw it once.
 */
static bool close_enough(const struct fam_counter_info *c, __u64 want, __u64 got)
{
	__s64 again = net_tcpext("TCPSynRetrans");

	if (got == want)
		return true;
	return got > want && again > 0 && got - want <= (__u64)again &&
	       (c->attr == C(REJECT_V6ONLY) || c->attr == C(REJECT_ADDR) ||
		c->attr == C(REJECT_V4ONLY));
}

static void compare(struct fam *ds)
{
	struct fam_stats tcp, udp;
	size_t i;

	net_wait_for(agrees(ds, &tcp, &udp), NET_TIMEOUT_MS);
	for (i = 0; i < fam_counter_table_len; i++) {
		const struct fam_counter_info *c = &fam_counter_table[i];
		__u64 t = tcp.counters.v[c->attr], u = udp.counters.v[c->attr];
		bool ok = true;

		if (t + u == 0) {
			ksft_print_msg("%s: none\n", c->name);
			ok = false;
		}
		if (!close_enough(c, shared->tcp.v[c->attr], t) ||
		    u != shared->udp.v[c->attr]) {
			ksft_print_msg("seen: tcp %llu, udp %llu; counted: tcp %llu, udp %llu\n",
				       (unsigned long long)shared->tcp.v[c->attr],
				       (unsigned long long)shared->udp.v[c->attr],
				       (unsigned long long)t,
				       (unsigned long long)u);
			ok = false;
		}
		ksft_test_result(ok, "%s: %llu, as seen\n", c->name,
				 (unsigned long long)(t + u));
	}
	ksft_test_result(!tcp.tracked && !udp.tracked,
			 "no record outlives its socket\n");
	if (!wanted[PART_LIMIT] && tcp.untracked + udp.untracked)
		fail("%llu untracked",
		     (unsigned long long)(tcp.untracked + udp.untracked));
}

/* What the entries of a direction add up to, or -1. */
static __s64 ledger_of(struct fam *ds, int direction, int protocol)
{
	const struct ledger_query query = {
		.direction = direction, .protocol = protocol,
	};
	struct ledger_sum sum;

	return ledger_sum(ds, &query, &sum) ? -1 : (__s64)sum.count;
}

/* However often entries gave way, the ledger has what the counters have. */
static void compare_ledger(struct fam *ds)
{
	struct fam_stats tcp, udp;
	__s64 in, refused_tcp, refused_udp, out, want_in, want_tcp, want_udp;

	if (fam_stats_get(ds, IPPROTO_TCP, &tcp) ||
	    fam_stats_get(ds, IPPROTO_UDP, &udp))
		fail("stats-get: %s", ds->extack);
	in = ledger_of(ds, DUALSTACK_PEER_DIRECTION_IN, IPPROTO_TCP);
	refused_tcp = ledger_of(ds, DUALSTACK_PEER_DIRECTION_REFUSED, IPPROTO_TCP);
	refused_udp = ledger_of(ds, DUALSTACK_PEER_DIRECTION_REFUSED, IPPROTO_UDP);
	out = ledger_of(ds, DUALSTACK_PEER_DIRECTION_OUT, IPPROTO_TCP);
	want_in = tcp.counters.v[C(MAPPED_ACCEPT)] + tcp.counters.v[C(V4_ACCEPT)];
	want_tcp = tcp.counters.v[C(REJECT_V6ONLY)] +
		   tcp.counters.v[C(REJECT_ADDR)] +
		   tcp.counters.v[C(REJECT_V4ONLY)];
	want_udp = udp.counters.v[C(REJECT_V6ONLY)] +
		   udp.counters.v[C(REJECT_ADDR)] +
		   udp.counters.v[C(REJECT_V4ONLY)];
	ksft_print_msg("ledger: in %lld of %lld, refused %lld of %lld and %lld of %lld, out %lld\n",
		       (long long)in, (long long)want_in, (long long)refused_tcp,
		       (long long)want_tcp, (long long)refused_udp,
		       (long long)want_udp, (long long)out);
	ksft_test_result(in == want_in && refused_tcp == want_tcp &&
			 refused_udp == want_udp && out > 0,
			 "the ledger adds up to the counters\n");
}

static int set_port_range(void)
{
	return net_write_file("/proc/sys/net/ipv4/ip_local_port_range",
			      "50000 60999");
}

static bool want(const char *name, bool on)
{
	int i;

	for (i = 0; i < PARTS; i++) {
		if (strcmp(name, parts[i]))
			continue;
		wanted[i] = on;
		return true;
	}
	return false;
}

static int usage(const char *self)
{
	int i;

	fprintf(stderr, "Usage: %s [-t SECONDS] [-s SEED] [-x PART]... [-w PART]...\nParts:",
		self);
	for (i = 0; i < PARTS; i++)
		fprintf(stderr, " %s", parts[i]);
	fprintf(stderr, "\n");
	return 2;
}

int main(int argc, char **argv)
{
	int i, opt, err, seconds = SECONDS;
	struct fam ds;

	seed = net_real_ns();
	memset(wanted, true, sizeof(wanted));
	wanted[PART_RACE] = false;
	while ((opt = getopt(argc, argv, "s:t:w:x:")) != -1) {
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		case 'w':
		case 'x':
			if (want(optarg, opt == 'w'))
				break;
			return usage(argv[0]);
		default:
			return usage(argv[0]);
		}
	}

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("needs root, for network namespaces\n");
	if (net_ns_new() || net_sysctl("ipv4/icmp_ratemask", 0) ||
	    net_sysctl("ipv4/icmp_ratelimit", 0) ||
	    net_sysctl("ipv6/icmp/ratelimit", 0) ||
	    net_sysctl("ipv4/tcp_fastopen", 0x207) || set_port_range())
		ksft_exit_fail_msg("cannot make a namespace\n");
	err = fam_open(&ds);
	if (err == -ENOENT)
		ksft_exit_skip("the family is not there: load the module dualstack\n");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (err || shared == MAP_FAILED)
		ksft_exit_fail_msg("cannot begin: %s\n", strerror(errno));
	for (i = 0; i <= CLIENTS; i++)
		served[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	ksft_set_plan(fam_counter_table_len + 7);
	ksft_print_msg("%d seconds, seed %llu\n", seconds,
		       (unsigned long long)seed);
	start_all();
	for (i = 0; i < seconds && !load(&shared->stop); i++)
		sleep(1);
	add(&shared->stop, 1);
	join(false);
	add(&shared->close, 1);
	join(true);

	ksft_print_msg("%d conversations, %d lost; IPV6_V6ONLY set %d times\n",
		       shared->conversations, shared->lost, shared->toggles);
	ksft_print_msg("%d dumps, %d resets, %d events, %d namespaces\n",
		       shared->dumps, shared->resets, shared->events,
		       shared->namespaces);
	compare(&ds);
	compare_ledger(&ds);
	ksft_test_result(!shared->failures, "nobody met what cannot be\n");
	ksft_test_result(!shared->mismatches,
			 "each socket's record is what was seen of it\n");
	ksft_test_result(!shared->falls, "no sum ever fell\n");
	ksft_test_result(shared->namespaces || !wanted[PART_NAMESPACES],
			 "each namespace counted its own\n");
	ksft_test_result(shared->wilds || !wanted[PART_MANNERS],
			 "without manners, between what is known\n");
	fam_close(&ds);
	ksft_finished();
}
