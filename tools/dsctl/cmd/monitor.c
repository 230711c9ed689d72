// SPDX-License-Identifier: GPL-2.0
/*
 * dsctl monitor
 *
 * Every event of a namespace has a number, one up from the last. What does not
 * come was lost: because of the rate that is set, or because this program was
 * too slow, or its terminal.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/dualstack.h>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>
#include <poll.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cmd/list.h"
#include "nl/config.h"
#include "nl/counters.h"
#include "nl/dsnl.h"
#include "nl/event.h"
#include "out/emit.h"
#include "out/json.h"
#include "out/stop.h"
#include "out/stream.h"
#include "out/text.h"
#include "out/time.h"
#include "socks/filter.h"
#include "socks/owners.h"
#include "socks/put.h"
#include "util/args.h"
#include "util/array.h"
#include "util/clock.h"

/* Events arrive in bursts while a terminal scrolls. */
#define RCVBUF		(8 << 20)
#define READ_SIZE	65536

/*
 * Whoever reads a pipe wants each line when it is there: it is written before this waits
 * for more, or looks for who has a socket. Lines that came together are written together,
 * as many as a pipe takes at once: neither a signal nor another writer comes in between,
 * unless a line is longer than there is room for.
 */
#define WRITE_SIZE	65536
#define WRITE_AT	(PIPE_BUF - 1024)	/* leaves room for a line */

/* How long the kernel may take to start, and how often to ask whether it did. */
#define START_MS	30000
#define START_STEP_MS	10

/* Events that wait for a look at who has the socket: half a second of 30,000 each. */
#define MAX_WAITING	16384

/* How long to wait for more before it is told that events were passed over. */
#define TELL_MS		1000

/* How long after a loss to wait for an event that tells of it, milliseconds. */
#define SETTLE_MS	2000

/* What an event does not tell, but a look at its socket. */
#define HOLDERS	(FILTER_DEV | FILTER_UID | FILTER_PROCESS)
#define FILTERS	(FILTER_PORT | FILTER_PROTO | FILTER_SRC | FILTER_DST | \
		 FILTER_COOKIE | HOLDERS)

enum kind {
	KIND_MAPPED,
	KIND_V4,
	KIND_REJECT,
	KIND_RULE,
	KIND_ALL,
};

/**
 * struct wanted - Which events are shown.
 * @kind: enum kind.
 * @filter: of which sockets, and with which peers.
 */
struct wanted {
	enum kind kind;
	struct filter filter;
};

/**
 * enum fits - Whether an event is of a socket that the filter wants.
 * @FITS_NOT: it is not.
 * @FITS: it is.
 * @FITS_PERHAPS: the socket is gone, or who has it is not known.
 */
enum fits {
	FITS_NOT,
	FITS,
	FITS_PERHAPS,
};

/**
 * struct passed - Events of which it is not known whether they are wanted.
 * @number: how many there were since this was told.
 * @time: when the last of them was, nanoseconds since the epoch.
 * @due: from when on it is to be told, as owners_now() has it.
 */
struct passed {
	uint64_t number;
	uint64_t time;
	uint64_t due;
};

/**
 * struct monitor - A listener.
 * @ctx: with a socket for events and one for requests.
 * @ctrl: ID of the family that tells which families come and go.
 * @wanted: which events are shown.
 * @ifindex: device of the filter, 0 if it has none.
 * @owners: who has the sockets, unless that is not wanted.
 * @passed: what could not be chosen by who has the socket.
 * @waiting: events that are to be printed, a ring; NULL if they are not to wait.
 * @first: the first of these.
 * @num_waiting: how many.
 * @procs: processes as text.
 * @emit: an event as JSON.
 * @seq: number of the latest event known.
 * @overrun: the socket was full: there may be more recent ones.
 * @gone: the module was unloaded.
 */
struct monitor {
	struct ctx *ctx;
	int ctrl;
	const struct wanted *wanted;
	uint32_t ifindex;
	struct owners owners;
	struct passed passed;
	struct event *waiting;
	size_t first;
	size_t num_waiting;
	struct text procs;
	struct emit emit;
	uint64_t seq;
	bool overrun;
	bool gone;
};

static int join(struct monitor *mon, const char *family, const char *name)
{
	int group;

	group = genl_ctrl_resolve_grp(mon->ctx->dualstack.sk, family, name);
	if (group >= 0)
		group = nl_socket_add_membership(mon->ctx->events.sk, group);
	if (group >= 0)
		return 0;
	if (group == -NLE_PERM) {
		dsnl_err(&mon->ctx->dualstack, "cannot listen to events", -EPERM);
		return -1;
	}
	err("cannot listen to the events of %s: %s", family,
	    nl_geterror(group));
	return -1;
}

static void big_rcvbuf(int fd)
{
	int size = RCVBUF;

	/* Without the right to force it, as much as net.core.rmem_max allows. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

/*
 * Ask until each event has a number. The first answers come while the module gets
 * ready to send.
 */
static int await_numbers(struct monitor *mon, struct config *config)
{
	static const struct timespec step = {
		.tv_nsec = START_STEP_MS * 1000000L,
	};
	struct dsnl *nl = &mon->ctx->dualstack;
	int error, ms;

	for (ms = 0; ms < START_MS; ms += START_STEP_MS) {
		error = events_start(nl);
		/* A module of version 0.1 starts when it is asked for settings. */
		if (!error || error == -EOPNOTSUPP)
			error = config_get(nl, false, config);
		if (error) {
			dsnl_err(nl, "cannot start the events", error);
			return -1;
		}
		if (config->numbered)
			return 0;
		nanosleep(&step, NULL);
	}
	err("cannot start the events: the kernel has not done it in %d s",
	    START_MS / 1000);
	return -1;
}

/* The group is joined before the number is asked for: no event is between them. */
static int begin(struct monitor *mon)
{
	struct config config = { };

	mon->ctrl = genl_ctrl_resolve(mon->ctx->dualstack.sk, "nlctrl");
	big_rcvbuf(nl_socket_get_fd(mon->ctx->events.sk));
	nl_socket_set_nonblocking(mon->ctx->events.sk);
	if (join(mon, "nlctrl", "notify") ||
	    join(mon, DUALSTACK_GENL_NAME, DUALSTACK_MCGRP_EVENTS) ||
	    await_numbers(mon, &config))
		return -1;

	mon->seq = config.event_seq;
	if (!config.tracking)
		err("tracking is off, so there is nothing to see: dsctl set tracking on");
	else if (!config.event_rate)
		err("event-rate is 0, so every event is lost: dsctl set event-rate NUMBER");
	return 0;
}

/* By the name: those of AF_INET sockets begin alike. */
static enum kind kind_of(const struct event *event)
{
	const struct counter *counter = counter_of_event(event->type);

	if (event_is_of_rule(event))
		return KIND_RULE;
	if (counter && counter->kind == COUNTER_REFUSED)
		return KIND_REJECT;
	return counter && !strncmp(counter->key, "v4_", 3) ? KIND_V4 :
							     KIND_MAPPED;
}

static void emit_owners(struct emit *emit, const struct monitor *mon,
			const struct event *event)
{
	const struct sock *sk;

	if (mon->wanted->filter.no_processes || mon->owners.failed) {
		emit_null(emit, "processes");
		return;
	}
	sk = owners_find(&mon->owners, event->cookie);
	if (sk) {
		emit_processes(emit, "processes", &mon->owners.procs, sk);
		return;
	}
	emit_open(emit, "processes", '[');
	emit_end(emit, ']');
}

static void emit_holder(struct emit *emit, const struct event *event)
{
	if (!event->holder.family) {
		emit_null(emit, "holder");
		return;
	}
	emit_open(emit, "holder", '{');
	emit_addr(emit, "addr", &event->holder);
	emit_port(emit, "port", &event->holder);
	emit_end(emit, '}');
}

static void print_json(struct monitor *mon, const struct event *event)
{
	struct emit *emit = &mon->emit;
	char buf[TIME_STRLEN];

	emit_begin(emit, &mon->ctx->out);
	emit_text(emit, "timestamp",
		  time_str(event->time, TIME_USEC | TIME_ZONE, buf));
	emit_text(emit, "event", event_name(event));
	emit_text(emit, "family", event->family == AF_INET6 ? "inet6" : "inet");
	emit_text(emit, "proto", proto_name(event->protocol));
	emit_addr(emit, "local_addr", &event->local);
	emit_port(emit, "local_port", &event->local);
	emit_addr(emit, "peer_addr", &event->peer);
	emit_port(emit, "peer_port", &event->peer);
	if (event->family == AF_INET6)
		emit_number(emit, "flowlabel", event->flowlabel);
	else
		emit_null(emit, "flowlabel");
	emit_bool(emit, "v6only", event->v6only);
	emit_holder(emit, event);
	emit_number(emit, "cookie", event->cookie);
	emit_owners(emit, mon, event);
	emit_end(emit, '}');
	emit_line(emit);
}

static void print_owners(struct monitor *mon, const struct event *event)
{
	const struct sock *sk = owners_find(&mon->owners, event->cookie);

	text_clear(&mon->procs);
	if (sk)
		text_processes(&mon->procs, &mon->owners.procs, sk);
	fputs(" process ", stdout);
	out_text(mon->procs.len ? mon->procs.buf : "-");
	if (mon->procs.failed)
		out_no_memory();
}

static void print_text(struct monitor *mon, const struct event *event)
{
	const struct counter *counter = counter_of_event(event->type);
	char buf[ENDPOINT_STRLEN];

	time_str(event->time, TIME_USEC, buf);
	printf("[%s] %s %s", buf, event_name(event),
	       proto_name(event->protocol));
	if (event->local.family)
		printf(" %s", endpoint_str(&event->local, NULL, buf));
	if (event->peer.family)
		printf(" %s %s",
		       counter && counter->origin == ORIGIN_HOST ? "to" :
								   "from",
		       endpoint_str(&event->peer, NULL, buf));
	if (event->holder.family)
		printf(" for %s", endpoint_str(&event->holder, NULL, buf));
	if (event->v6only >= 0)
		printf(" v6only %s", event->v6only ? "on" : "off");
	if (event->flowlabel)
		printf(" flowlabel 0x%05x", event->flowlabel);
	printf(" cookie %llu", (unsigned long long)event->cookie);
	if (!mon->wanted->filter.no_processes)
		print_owners(mon, event);
	putchar('\n');
}

/* A line that says of how many events there is none: "lost 3 events", and of which. */
static void print_number(struct monitor *mon, uint64_t when, uint64_t number,
			 const char *key, const char *what, const char *which)
{
	char buf[TIME_STRLEN];

	if (mon->ctx->out.json) {
		time_str(when, TIME_USEC | TIME_ZONE, buf);
		json_out(&mon->ctx->out,
			 json_pack("{s:s, s:I}", "timestamp", buf, key,
				   (json_int_t)number));
		return;
	}
	time_str(when, TIME_USEC, buf);
	printf("[%s] %s %llu event%s%s\n", buf, what,
	       (unsigned long long)number, number == 1 ? "" : "s", which);
}

static void tell_passed(struct monitor *mon)
{
	if (mon->passed.number)
		print_number(mon, mon->passed.time, mon->passed.number,
			     "passed_over", "passed over",
			     " whose socket or owner was not found");
	mon->passed.number = 0;
}

static void pass(struct monitor *mon, const struct event *event)
{
	if (!mon->passed.number++)
		mon->passed.due = owners_now() + TELL_MS * NSEC_PER_MSEC;
	mon->passed.time = event->time;
}

/* A socket without an owner had one, before it was closed, or will have one. */
static enum fits fits_holder(const struct monitor *mon, uint64_t cookie)
{
	const struct filter *filter = &mon->wanted->filter;
	enum fits fits = FITS;
	const struct sock *sk;

	if (!(filter->given & HOLDERS))
		return FITS;
	sk = owners_find(&mon->owners, cookie);
	if (!sk)
		return FITS_PERHAPS;
	if (mon->ifindex && mon->ifindex != sk->ifindex)
		return FITS_NOT;
	if (filter->given & FILTER_UID) {
		if (!sock_has_owner(sk))
			fits = FITS_PERHAPS;
		else if (sk->uid != filter->uid)
			return FITS_NOT;
	}
	if (filter->process) {
		if (sk->procs.first == PROC_NONE)
			fits = FITS_PERHAPS;
		else if (!procs_has(&mon->owners.procs, sk, filter->process))
			return FITS_NOT;
	}
	return fits;
}

static void print_event(struct monitor *mon, const struct event *event)
{
	enum fits fits = FITS;

	static_assert(TIME_STRLEN <= ENDPOINT_STRLEN, "a time fits as well");

	if (event->type != EVENT_LOST)
		fits = fits_holder(mon, event->cookie);
	if (fits == FITS_PERHAPS)
		pass(mon, event);
	if (fits != FITS)
		return;

	/* That a write failed is found by out_failed(). */
	tell_passed(mon);
	if (event->type == EVENT_LOST)
		print_number(mon, event->time, event->lost, "lost", "lost", "");
	else if (mon->ctx->out.json)
		print_json(mon, event);
	else
		print_text(mon, event);
	if (__fpending(stdout) > WRITE_AT)
		out_flush();
}

static void print_first(struct monitor *mon)
{
	print_event(mon, &mon->waiting[mon->first]);
	mon->first = (mon->first + 1) % MAX_WAITING;
	mon->num_waiting--;
}

/*
 * Print the events of which it is known who has the socket, or that nobody does, in
 * their order. Return: after how many milliseconds the next one has waited for long
 * enough, -1 if none waits.
 */
static int print_known(struct monitor *mon, uint64_t now)
{
	int ms;

	while (mon->num_waiting && !out_failed()) {
		const struct event *event = &mon->waiting[mon->first];

		ms = event->type == EVENT_LOST ? 0 :
		     owners_wait(&mon->owners, now, event->cookie, event->time);
		if (ms)
			return ms;
		print_first(mon);
	}
	return -1;
}

/*
 * Print what has waited for long enough. Return: after how many milliseconds to do so
 * again, -1 if nothing waits.
 */
static int print_waiting(struct monitor *mon)
{
	uint64_t now;
	int ms, tell;

	if (!mon->num_waiting && !mon->passed.number)
		return -1;
	now = owners_now();
	ms = print_known(mon, now);
	if (!mon->passed.number)
		return ms;
	if (now >= mon->passed.due) {
		tell_passed(mon);
		return ms;
	}
	tell = (mon->passed.due - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	return ms < 0 || tell < ms ? tell : ms;
}

/* They wait no longer. */
static void print_rest(struct monitor *mon)
{
	while (mon->num_waiting && !out_failed())
		print_first(mon);
	if (!out_failed())
		tell_passed(mon);
}

/* Without a look at the sockets none can be chosen. */
static bool is_blind(const struct monitor *mon)
{
	return mon->owners.failed && mon->wanted->filter.given & HOLDERS;
}

static void put_event(struct monitor *mon, const struct event *event)
{
	if (!mon->waiting) {
		print_event(mon, event);
		return;
	}
	if (mon->num_waiting == MAX_WAITING)
		print_first(mon);
	mon->waiting[(mon->first + mon->num_waiting++) % MAX_WAITING] = *event;
}

static bool is_wanted(const struct monitor *mon, const struct event *event)
{
	const struct filter *filter = &mon->wanted->filter;

	if (mon->wanted->kind != KIND_ALL && mon->wanted->kind != kind_of(event))
		return false;
	if (filter->cookie && filter->cookie != event->cookie)
		return false;
	return filter_ends(filter, event->protocol, &event->local, &event->peer);
}

static void tell_lost(struct monitor *mon, uint64_t lost, uint64_t when)
{
	struct event event = {
		.type = EVENT_LOST,
		.lost = lost,
		.time = when,
	};

	put_event(mon, &event);
}

static void take_event(struct monitor *mon, const struct nlmsghdr *hdr)
{
	struct event event;
	uint64_t lost;

	if (event_parse(hdr, &event)) {
		err("an event that makes no sense was passed over");
		return;
	}
	/* It is from before the start, or was told to be lost already. */
	if (event.seq <= mon->seq)
		return;

	lost = event.seq - mon->seq;
	mon->seq = event.seq;
	if (event.type != EVENT_LOST)
		lost--;
	if (lost)
		tell_lost(mon, lost, event.time);
	if (event.type != EVENT_LOST && is_wanted(mon, &event))
		put_event(mon, &event);
}

static bool is_farewell(const struct nlmsghdr *hdr)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1];
	const struct genlmsghdr *genl = nlmsg_data(hdr);

	if (!nlmsg_valid_hdr(hdr, sizeof(*genl)) ||
	    genl->cmd != CTRL_CMD_DELFAMILY)
		return false;
	return genlmsg_parse((struct nlmsghdr *)hdr, 0, tb, CTRL_ATTR_MAX,
			     NULL) >= 0 &&
	       tb[CTRL_ATTR_FAMILY_NAME] &&
	       !nla_strcmp(tb[CTRL_ATTR_FAMILY_NAME], DUALSTACK_GENL_NAME);
}

static void take(struct monitor *mon, const struct nlmsghdr *hdr)
{
	const struct genlmsghdr *genl = nlmsg_data(hdr);

	if (hdr->nlmsg_type == mon->ctrl)
		mon->gone |= is_farewell(hdr);
	else if (hdr->nlmsg_type == mon->ctx->events.family &&
		 nlmsg_valid_hdr(hdr, sizeof(*genl)) &&
		 genl->cmd == DUALSTACK_CMD_EVENT)
		take_event(mon, hdr);
}

/* Take all that has arrived. */
static int drain(struct monitor *mon)
{
	static union {
		struct nlmsghdr hdr;
		char buf[READ_SIZE];
	} read;
	struct nlmsghdr *hdr;
	struct sockaddr_nl from;
	socklen_t fromlen;
	int len;

	while (!mon->gone && !out_failed()) {
		fromlen = sizeof(from);
		len = recvfrom(nl_socket_get_fd(mon->ctx->events.sk), &read,
			       sizeof(read), MSG_DONTWAIT,
			       (struct sockaddr *)&from, &fromlen);
		if (len < 0) {
			if (errno == EAGAIN)
				return 0;
			if (errno != ENOBUFS) {
				err("cannot receive events: %s",
				    strerror(errno));
				return -1;
			}
			mon->overrun = true;
			continue;
		}
		if (from.nl_pid)
			continue;	/* not from the kernel */
		for (hdr = &read.hdr; nlmsg_ok(hdr, len);
		     hdr = nlmsg_next(hdr, &len))
			take(mon, hdr);
		print_waiting(mon);
		out_flush();
	}
	return 0;
}

/*
 * It has been quiet since the socket was full. Nothing may come for long: ask
 * what the latest event was, and whether the module is there still.
 */
static int settle(struct monitor *mon)
{
	struct config config = { };
	int error;

	mon->overrun = false;
	error = config_get(&mon->ctx->dualstack, false, &config);
	if (error == -ENOENT) {
		mon->gone = true;
		return 0;
	}
	if (error) {
		dsnl_err(&mon->ctx->dualstack, "cannot get the settings", error);
		return -1;
	}
	/* The kernel cannot say while it starts or ends in another namespace. */
	if (!config.numbered)
		mon->overrun = true;
	if (config.event_seq <= mon->seq)
		return 0;
	tell_lost(mon, config.event_seq - mon->seq, clock_ns(CLOCK_REALTIME));
	mon->seq = config.event_seq;
	return 0;
}

static int loop(struct monitor *mon)
{
	struct pollfd fds[] = {
		{ .fd = nl_socket_get_fd(mon->ctx->events.sk), .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	bool settling;
	int ret, wait;

	while (!mon->gone) {
		wait = print_waiting(mon);
		if (!out_flush() || is_blind(mon))
			return -1;	/* the end, or a message, says why */
		settling = wait < 0 && mon->overrun;
		ret = poll(fds, ARRAY_SIZE(fds), settling ? SETTLE_MS : wait);
		if (ret < 0) {
			err("cannot wait for events: %s", strerror(errno));
			return -1;
		}
		if (fds[1].revents) {
			out_hung_up();
			return -1;
		}
		if (ret ? drain(mon) : settling && settle(mon))
			return -1;
	}
	print_rest(mon);
	if (!out_flush())
		return -1;
	err("the dualstack module was unloaded");
	return -1;
}

static int run(struct ctx *ctx, void *job)
{
	static char buf[WRITE_SIZE];
	struct monitor mon = { .ctx = ctx, .wanted = job };
	const struct filter *filter = &mon.wanted->filter;
	int ret;

	if (filter_dev(filter, false, &mon.ifindex))
		return EXIT_KERNEL;
	mon.owners.nl = &ctx->sock_diag;
	mon.owners.no_processes = filter->no_processes;
	if (!filter->no_processes || filter->given & HOLDERS) {
		mon.waiting = calloc(MAX_WAITING, sizeof(*mon.waiting));
		if (!mon.waiting) {
			err_no_memory();
			return EXIT_KERNEL;
		}
	}

	setvbuf(stdout, buf, _IOFBF, sizeof(buf));
	stop_on_signal(NULL);
	ret = begin(&mon) || loop(&mon) ? EXIT_KERNEL : EXIT_OK;
	print_rest(&mon);
	owners_free(&mon.owners);
	free(mon.procs.buf);
	free(mon.emit.text.buf);
	free(mon.waiting);
	return ret;
}

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	const char *names[KIND_ALL + FILTER_WORDS] = {
		[KIND_MAPPED] = "mapped",
		[KIND_V4] = "v4",
		[KIND_REJECT] = "reject",
		[KIND_RULE] = "rule",
	};
	size_t num_names = KIND_ALL + filter_words(FILTERS, names + KIND_ALL);
	struct wanted *wanted = job;
	int found, i, n = 0;

	wanted->kind = KIND_ALL;
	for (i = 0; i < argc; i++) {
		found = word_match("argument", argv[i], names, num_names);
		if (found < 0)
			return -1;
		if (found >= KIND_ALL) {
			argv[n++] = argv[i++];
			if (i < argc)
				argv[n++] = argv[i];
			continue;
		}
		if (wanted->kind != KIND_ALL) {
			err("argument \"%s\": mapped, v4, reject or rule is given already",
			    argv[i]);
			return -1;
		}
		wanted->kind = found;
	}
	if (filter_parse(&wanted->filter, FILTERS, n, argv) ||
	    filter_no_processes(&wanted->filter, ctx->opts.no_processes))
		return -1;
	/* An event has the addresses of its packet. */
	prefix_unmap(&wanted->filter.src);
	prefix_unmap(&wanted->filter.dst);
	return 0;
}

const struct cmd cmd_monitor = {
	.name = "monitor",
	.args = "[ mapped | v4 | reject | rule ] [ FILTER ]",
	.rules =
		"FILTER := " FILTER_ENDS_ARGS "\n"
		"          [ cookie COOKIE ] " FILTER_HOLDER_ARGS,
	.help = "What happens, a line for each event as it comes",
	.details =
		"port and src are of this host's end, dst of the peer; dev, uid and process are\n"
		"of the socket. rule is what becomes of rules, see show rules. With -j a JSON\n"
		"object for each; with -P without the processes that have the socket. How many\n"
		"events were lost is told, because of event-rate or because the reader is slow,\n"
		"of any socket; and how many were passed over, as it was not to be found whether\n"
		"dev, uid or process fit.\n"
		"SIGINT ends it. To listen takes CAP_NET_ADMIN in the network namespace.",
	.needs = NEED_STDOUT | NEED_DUALSTACK | NEED_EVENTS | NEED_SOCK_DIAG,
	.right = RIGHT_NETNS,
	.job_size = sizeof(struct wanted),
	.parse = parse,
	.run = run,
};
