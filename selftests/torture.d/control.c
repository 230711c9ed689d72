// SPDX-License-Identifier: GPL-2.0-only
/*
 * Those who look and change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <netlink/genl/genl.h>

#include "kselftest.h"

#include "../lib/family.h"
#include "../lib/ledger.h"
#include "../lib/net_util.h"
#include "torture.h"

void torture_toggler(int unused)
{
	struct fam ds;
	struct slot *s;
	int ret;

	(void)unused;
	if (!open_family(&ds))
		return;
	while (!load(&shared->stop)) {
		s = hold(rnd(SLOTS + 1));
		if (s && s->toggled) {
			ret = fam_v6only_set_by(&ds, s->cookie[rnd(s->n)],
						s->type == SOCK_STREAM ?
						IPPROTO_TCP : IPPROTO_UDP,
						s->port, rnd(2), !rnd(8));
			if (ret > 0)
				add(&shared->toggles, 1);
			/* Somebody else is at it, or the racer is connected. */
			else if (ret && ret != -EBUSY && ret != -EISCONN &&
				 ret != -EADDRINUSE && ret != -EINVAL)
				fail("v6only-set: %s: %s", strerror(-ret),
				     ds.extack);
		}
		if (s)
			let_go(s);
		nap_us(rnd(3000));
	}
	fam_close(&ds);
}

void torture_resetter(int unused)
{
	struct fam ds;
	struct slot *s;
	int ret;

	(void)unused;
	if (!open_family(&ds))
		return;
	while (!load(&shared->stop)) {
		nap_us(rnd(100000));
		s = hold(rnd(SLOTS));
		if (!s)
			continue;
		add(&s->resets, 1);
		ret = fam_reset(&ds, s->cookie[rnd(s->n)]);
		if (!ret)
			add(&shared->resets, 1);
		else if (ret != -ENOENT)
			fail("reset: %s", strerror(-ret));
		let_go(s);
	}
	fam_close(&ds);
}

static int ignore_socket(const struct fam_socket *s, void *arg)
{
	(void)s;
	(void)arg;
	return 0;
}

static int ignore_port(const struct fam_port *p, void *arg)
{
	(void)p;
	(void)arg;
	return 0;
}

static int ignore_hook(const struct fam_hook *h, void *arg)
{
	(void)h;
	(void)arg;
	return 0;
}

/* Ask for a dump, and read no more than its beginning. */
static void abandon(void)
{
	static const int dumps[] = {
		DUALSTACK_CMD_SOCKET_GET, DUALSTACK_CMD_HOOK_GET,
		DUALSTACK_CMD_PORT_GET, DUALSTACK_CMD_PEER_GET,
	};
	struct nl_msg *msg;
	struct fam ds;

	if (fam_open(&ds))
		return;
	msg = fam_msg(&ds, dumps[rnd(ARRAY_SIZE(dumps))], NLM_F_DUMP);
	if (msg) {
		nl_send_auto(ds.sk, msg);
		nlmsg_free(msg);
	}
	fam_close(&ds);
}

static int ignore_entry(const struct ledger_entry *e, void *arg)
{
	(void)e;
	(void)arg;
	return 0;
}

static void look(struct fam *ds)
{
	struct ledger_query query = { .direction = rnd(LEDGER_DIRECTIONS) };
	struct fam_explained ex;
	struct ledger_sum sum;
	struct fam_config config;
	union net_addr to;
	int err = 0;

	switch (rnd(8)) {
	case 0:
		err = fam_socket_dump(ds, ignore_socket, NULL);
		break;
	case 1:
		err = fam_hook_dump(ds, ignore_hook, NULL);
		break;
	case 2:
		abandon();
		break;
	case 3:
		err = fam_config_get(ds, &config);
		break;
	case 4:
		err = ledger_dump(ds, &query, ignore_entry, NULL);
		break;
	case 5:
		err = ledger_get(ds, &query, &sum);
		break;
	case 6:
		err = fam_port_dump(ds, ignore_port, NULL);
		break;
	default:
		net_addr_set(&to, rnd(2) ? "::1" : "127.0.0.1",
			     SLOT_PORT + rnd(SLOTS * SLOT_PORTS));
		err = fam_explain(ds, rnd(2) ? IPPROTO_TCP : IPPROTO_UDP, &to,
				  NULL, 0, &ex);
	}
	if (err)
		fail("request: %s: %s", strerror(-err), ds->extack);
}

/* The sums of a protocol never fall. */
static void watch(struct fam *ds, int protocol, struct fam_counters *before)
{
	struct fam_stats now;
	size_t i;

	if (fam_stats_get(ds, protocol, &now))
		return fail("stats-get: %s", ds->extack);
	for (i = 0; i < FAM_COUNTERS; i++) {
		if (now.counters.v[i] >= before->v[i])
			continue;
		add(&shared->falls, 1);
		printf("# counter %zu fell from %llu to %llu\n", i,
		       (unsigned long long)before->v[i],
		       (unsigned long long)now.counters.v[i]);
	}
	*before = now.counters;
}

void torture_reader(int unused)
{
	struct fam_counters tcp = { }, udp = { };
	struct fam ds;

	(void)unused;
	if (!open_family(&ds))
		return;
	while (!load(&shared->stop)) {
		watch(&ds, IPPROTO_TCP, &tcp);
		watch(&ds, IPPROTO_UDP, &udp);
		look(&ds);
		add(&shared->dumps, 1);
		nap_us(rnd(5000));
	}
	fam_close(&ds);
}

void torture_monitor(int unused)
{
	static struct fam_listener l;
	struct fam_event ev;
	int i, err;
	__u64 seq;

	(void)unused;
	while (!load(&shared->stop)) {
		err = fam_listen(&l);
		if (err)
			return fail("listening to events: %s", strerror(-err));
		seq = l.seq;
		for (i = rnd(200); i; i--) {
			err = fam_listen_next(&l, 20, &ev);
			/* What came before all are numbered: of whoever listened
			 * last, and the message that found out who listens now.
			 */
			if (err || (seq == l.seq && ev.seq <= seq))
				continue;
			add(&shared->events, 1);
			/* What tells of losses up to a number comes with it. */
			if (ev.type < 0 ? ev.seq < seq : ev.seq <= seq)
				fail("event %llu after %llu",
				     (unsigned long long)ev.seq,
				     (unsigned long long)seq);
			seq = ev.seq;
		}
		fam_listen_end(&l);
		nap_us(rnd(20000));
	}
}

/* Settings that change how the kernel or the module go about it. */
void torture_settings(int unused)
{
	struct fam ds;
	int i, err = 0;

	(void)unused;
	if (!open_family(&ds))
		return;
	for (i = 0; !load(&shared->stop); i++) {
		nap_us(rnd(300000));
		if (wanted[PART_COOKIES])
			net_sysctl("ipv4/tcp_syncookies", 1 + rnd(2));
		err = fam_config_set(&ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				     1 + rnd(1000));
		/* They are on: this is no change. */
		if (!err)
			err = fam_config_set(&ds, DUALSTACK_A_CONFIG_TRACKING,
					     1);
		if (!err && wanted[PART_LIMIT] && !(i % 8)) {
			add(&shared->limits, 1);
			err = fam_config_set(&ds,
					     DUALSTACK_A_CONFIG_MAX_SOCKETS,
					     rnd(4));
			nap_us(rnd(300000));
			if (!err)
				err = fam_config_set(&ds,
						     DUALSTACK_A_CONFIG_MAX_SOCKETS,
						     131072);
			add(&shared->limits, 1);
		}
		/* Who is there gives way to who comes, or there is room again. */
		if (!err && wanted[PART_PEERS])
			err = fam_config_set(&ds, DUALSTACK_A_CONFIG_MAX_PEERS,
					     rnd(3) ? rnd(20) : 16384);
		if (err)
			fail("config-set: %s: %s", strerror(-err), ds.extack);
	}
	fam_close(&ds);
}
