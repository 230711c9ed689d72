// SPDX-License-Identifier: GPL-2.0
#include <assert.h>
#include <ctype.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <string.h>

#include "nl/diag.h"
#include "out/err.h"
#include "socks/filter.h"
#include "util/args.h"
#include "util/array.h"

/* A device that there is nowhere: the kernel's numbers end at INT_MAX. */
#define NO_DEV UINT32_MAX

/* Seconds: whoever wants to know it sooner wants monitor, or later, a timer. */
#define MIN_INTERVAL	0.1
#define MAX_INTERVAL	86400

static int parse_port(struct filter *filter, const char *value)
{
	return arg_port(value, filter->proto ? proto_name(filter->proto) : NULL,
			&filter->port);
}

static int parse_proto(struct filter *filter, const char *value)
{
	if (!strcmp(value, "tcp")) {
		filter->proto = IPPROTO_TCP;
	} else if (!strcmp(value, "udp")) {
		filter->proto = IPPROTO_UDP;
	} else {
		err("proto \"%s\": not tcp or udp", value);
		return -1;
	}
	return 0;
}

static int parse_mode(struct filter *filter, const char *value)
{
	for (filter->mode = 0; filter->mode < NUM_MODES; filter->mode++)
		if (!strcmp(value, mode_names[filter->mode]))
			return 0;
	err("mode \"%s\": not dual, v6only, v6, mapped or v4", value);
	return -1;
}

static int parse_cookie(struct filter *filter, const char *value)
{
	return arg_number("cookie", value, 1, UINT64_MAX, &filter->cookie);
}

#define CLOSED (DIAG_STATE(TCP_CLOSE) | DIAG_STATE(TCP_BOUND_INACTIVE))
#define CONNECTED (~(DIAG_STATE(TCP_LISTEN) | CLOSED))

/* By the names that ss(8) has for them; as it prints them they are beginnings of
 * these.
 */
static const struct {
	const char *name;
	uint32_t states;
} states[] = {
	{ "established", DIAG_STATE(TCP_ESTABLISHED) },
	{ "syn-sent", DIAG_STATE(TCP_SYN_SENT) },
	{ "syn-recv", DIAG_STATE(TCP_SYN_RECV) | DIAG_STATE(TCP_NEW_SYN_RECV) },
	{ "fin-wait-1", DIAG_STATE(TCP_FIN_WAIT1) },
	{ "fin-wait-2", DIAG_STATE(TCP_FIN_WAIT2) },
	{ "time-wait", DIAG_STATE(TCP_TIME_WAIT) },
	{ "unconnected", CLOSED },
	{ "closed", CLOSED },
	{ "close-wait", DIAG_STATE(TCP_CLOSE_WAIT) },
	{ "last-ack", DIAG_STATE(TCP_LAST_ACK) },
	{ "listening", DIAG_STATE(TCP_LISTEN) },
	{ "closing", DIAG_STATE(TCP_CLOSING) },
	{ "connected", CONNECTED },
	{ "synchronized", CONNECTED & ~DIAG_STATE(TCP_SYN_SENT) },
};

static int parse_state(struct filter *filter, const char *value)
{
	const char *names[ARRAY_SIZE(states)];
	char word[16] = "";
	size_t i;
	int found;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		names[i] = states[i].name;
	/* What is longer is not found in any case, and named as it is. */
	for (i = 0; i < sizeof(word) - 1 && value[i]; i++)
		word[i] = tolower((unsigned char)value[i]);
	found = word_match("state", value[i] ? value : word, names,
			   ARRAY_SIZE(names));
	if (found < 0)
		return -1;
	filter->states = states[found].states;
	return 0;
}

static int parse_src(struct filter *filter, const char *value)
{
	return prefix_parse("src", value, &filter->src);
}

static int parse_dst(struct filter *filter, const char *value)
{
	return prefix_parse("dst", value, &filter->dst);
}

static int parse_dev(struct filter *filter, const char *value)
{
	filter->dev = value;
	return 0;
}

static int parse_uid(struct filter *filter, const char *value)
{
	const struct passwd *user = getpwnam(value);
	uint64_t uid;

	if (user) {
		filter->uid = user->pw_uid;
		return 0;
	}
	if (!isdigit((unsigned char)*value)) {
		err("uid \"%s\": no such user", value);
		return -1;
	}
	if (arg_number("uid", value, 0, UINT32_MAX - 1, &uid))
		return -1;
	filter->uid = uid;
	return 0;
}

static int parse_process(struct filter *filter, const char *value)
{
	filter->process = value;
	return 0;
}

static int parse_peer(struct filter *filter, const char *value)
{
	return prefix_parse("peer", value, &filter->peer) ||
	       prefix_check("peer", value, &filter->peer) ? -1 : 0;
}

static int parse_interval(struct filter *filter, const char *value)
{
	return arg_seconds("interval", value, MIN_INTERVAL, MAX_INTERVAL,
			   &filter->interval_ms);
}

static int parse_count(struct filter *filter, const char *value)
{
	return arg_number("count", value, 1, UINT32_MAX, &filter->count);
}

/* In the order of the bits of FILTER_... */
static const struct {
	const char *name;
	int (*parse)(struct filter *filter, const char *value);
} words[] = {
	{ "port", parse_port },
	{ "proto", parse_proto },
	{ "mode", parse_mode },
	{ "cookie", parse_cookie },
	{ "state", parse_state },
	{ "src", parse_src },
	{ "dst", parse_dst },
	{ "dev", parse_dev },
	{ "uid", parse_uid },
	{ "process", parse_process },
	{ "peer", parse_peer },
	{ "interval", parse_interval },
	{ "count", parse_count },
};

static_assert(ARRAY_SIZE(words) == FILTER_WORDS, "FILTER_WORDS counts them");

size_t filter_words(unsigned int allowed, const char **names)
{
	size_t i, n = 0;

	for (i = 0; i < FILTER_WORDS; i++)
		if (allowed & 1U << i)
			names[n++] = words[i].name;
	return n;
}

int filter_parse(struct filter *filter, unsigned int allowed, int argc,
		 char **argv)
{
	const char *names[FILTER_WORDS];
	size_t i, n = filter_words(allowed, names);
	int found;

	memset(filter, 0, sizeof(*filter));
	for (; argc > 0; argc -= 2, argv += 2) {
		found = word_match("argument", argv[0], names, n);
		if (found < 0)
			return -1;
		for (i = 0; words[i].name != names[found];)
			i++;
		if (argc < 2) {
			err("%s: a value is missing", words[i].name);
			return -1;
		}
		if (filter->given & 1U << i) {
			err("%s: given twice", words[i].name);
			return -1;
		}
		filter->given |= 1U << i;
		if (words[i].parse(filter, argv[1]))
			return -1;
	}
	return 0;
}

int filter_no_processes(struct filter *filter, bool no_processes)
{
	filter->no_processes = no_processes;
	if (!no_processes || !filter->process)
		return 0;
	err("process: option -P leaves the processes out");
	return -1;
}

int filter_dev(const struct filter *filter, bool every_netns, uint32_t *ifindex)
{
	*ifindex = filter->dev ? if_nametoindex(filter->dev) : 0;
	if (*ifindex || !filter->dev)
		return 0;
	if (!every_netns) {
		err("dev \"%s\": no such device", filter->dev);
		return -1;
	}
	*ifindex = NO_DEV;
	return 0;
}

bool filter_ends(const struct filter *filter, uint8_t protocol,
		 const struct endpoint *local, const struct endpoint *peer)
{
	if (filter->proto && filter->proto != protocol)
		return false;
	if (filter->port && filter->port != local->port)
		return false;
	if (filter->given & FILTER_SRC && !prefix_has(&filter->src, local))
		return false;
	return !(filter->given & FILTER_DST) || prefix_has(&filter->dst, peer);
}
