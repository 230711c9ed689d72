// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocations that fail: each that the module makes, or others make for it, in
 * loading, in each request, and in the calls of an application. The call fails
 * with ENOMEM, or it goes without; counters stay exact.
 *
 *   fail_nth [-t SECONDS] [-s SEED]
 *
 * The kernel fails the Nth allocation of a task that asks for it, see
 * Documentation/fault-injection. Of a call with many, those that are tried are
 * spread over SECONDS, from a beginning that depends on the seed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"

#include "lib/family.h"
#include "lib/net_link.h"
#include "lib/net_util.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug"
/* More than any call makes */
#define NEVER		1000000
/* A datagram for which there is no memory on its way does not come. */
#define PATIENCE_MS	10000

/* Where x86_64 has its modules; of other addresses there are none but ours. */
#define MODULES		"0xffffffffa0000000"
#define MODULES_END	"0xffffffffff000000"

#define C(name)		DUALSTACK_A_COUNTER_##name

static struct fam ds;
static const char *module;
static int home = -1;	/* the namespace to begin with */

static int __attribute__((format(printf, 3, 4)))
set_fault(const char *attr, const char *file, const char *format, ...)
{
	char path[128], text[64];
	va_list ap;

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", attr, file);
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return net_write_file(path, text);
}

/* A function's first address, and that of what follows it. */
static int address_of(const char *name, unsigned long *start,
		      unsigned long *end)
{
	unsigned long addr;
	char line[512], sym[256];
	FILE *f;

	*start = 0;
	*end = ~0UL;
	f = fopen("/proc/kallsyms", "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx %*c %255s", &addr, sym) == 2 &&
		    !strcmp(sym, name))
			*start = addr;
	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		addr = strtoul(line, NULL, 16);
		if (addr > *start && addr < *end)
			*end = addr;
	}
	fclose(f);
	return *start ? 0 : -ENOENT;
}

/*
 * Only what the module's functions do, or others that they call. vmalloc() tells of
 * its failures in the kernel's log, as what nobody expects: leave it out.
 */
static int set_faults(void)
{
	static const char *const attrs[] = { "failslab", "fail_page_alloc" };
	unsigned long start, end;
	size_t i;
	int err;

	mount("none", DEBUGFS, "debugfs", 0, NULL);
	err = address_of("__vmalloc_node_range_noprof", &start, &end);
	if (err)
		err = address_of("__vmalloc_node_range", &start, &end);
	for (i = 0; i < ARRAY_SIZE(attrs) && !err; i++) {
		err = set_fault(attrs[i], "verbose", "0") ?:
		      set_fault(attrs[i], "ignore-gfp-wait", "N") ?:
		      set_fault(attrs[i], "stacktrace-depth", "32") ?:
		      set_fault(attrs[i], "require-start", MODULES) ?:
		      set_fault(attrs[i], "require-end", MODULES_END) ?:
		      set_fault(attrs[i], "reject-start", "%#lx", start) ?:
		      set_fault(attrs[i], "reject-end", "%#lx", end);
	}
	return err;
}

static int fail_fd = -1;

static void fail_nth(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(fail_fd, text, len, 0) != len)
		ksft_exit_fail_msg("fail-nth: %s\n", strerror(errno));
}

/* How many were left until the one that was to fail: 0 if it did. */
static int fail_left(void)
{
	char text[16] = "";

	if (pread(fail_fd, text, sizeof(text) - 1, 0) < 0)
		ksft_exit_fail_msg("fail-nth: %s\n", strerror(errno));
	return atoi(text);
}

/* The module. */

static int load(void)
{
	int fd = open(module, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	close(fd);
	return err;
}

static int unload(void)
{
	if (!syscall(SYS_delete_module, "dualstack", O_NONBLOCK))
		return 0;
	return errno == ENOENT ? 0 : -errno;
}

/* Requests. */

static int fd_tcp, fd_udp;

static int get_socket(void)
{
	struct fam_socket s;

	return fam_socket_get(&ds, net_cookie(fd_udp), &s);
}

static int dump_sockets(void)
{
	return fam_socket_count(&ds) > 0 ? 0 : -ENODATA;
}

static int get_stats(void)
{
	struct fam_stats stats;

	return fam_stats_get(&ds, 0, &stats);
}

static int get_port(void)
{
	struct fam_port port;

	return fam_port_get(&ds, IPPROTO_UDP, 0, &port);
}

static int ignore_port(const struct fam_port *p, void *arg)
{
	(void)p;
	(void)arg;
	return 0;
}

static int dump_ports(void)
{
	return fam_port_dump(&ds, ignore_port, NULL);
}

static int get_hook(void)
{
	struct fam_hook hook;

	return fam_hook_get(&ds, "kfree_skb", &hook);
}

static int ignore_hook(const struct fam_hook *h, void *arg)
{
	(void)h;
	(void)arg;
	return 0;
}

static int dump_hooks(void)
{
	return fam_hook_dump(&ds, ignore_hook, NULL);
}

static int get_config(void)
{
	struct fam_config config;

	return fam_config_get(&ds, &config);
}

static int set_config(void)
{
	return fam_config_set(&ds, DUALSTACK_A_CONFIG_EVENT_RATE, 10);
}

static int listen_events(void)
{
	static struct fam_listener l;
	int err = fam_listen(&l);

	if (!err)
		fam_listen_end(&l);
	return err;
}

static int tracking_off(void)
{
	return fam_config_set(&ds, DUALSTACK_A_CONFIG_TRACKING, 0);
}

static int tracking_on(void)
{
	return fam_config_set(&ds, DUALSTACK_A_CONFIG_TRACKING, 1);
}

static int set_v6only(void)
{
	int n = fam_v6only_set_idle(&ds, fd_tcp, true);

	return n < 0 ? n : 0;
}

static int clear_v6only(void)
{
	int n = fam_v6only_set_idle(&ds, fd_tcp, false);

	return n < 0 ? n : 0;
}

static int reset_one(void)
{
	return fam_reset(&ds, net_cookie(fd_udp));
}

static int explain(void)
{
	struct fam_explained ex;
	union net_addr to;

	net_addr_set(&to, "127.0.0.1", net_port(fd_tcp));
	return fam_explain(&ds, IPPROTO_TCP, &to, NULL, 0, &ex);
}

static int new_namespace(void)
{
	int err = unshare(CLONE_NEWNET) ? -errno : 0;

	if (!err && setns(home, CLONE_NEWNET))
		err = -errno;
	return err;
}

/* Calls of an application, the first of a socket, which wants a record for it. */

static struct fam_counters seen;

static int recv_at(in_port_t port)
{
	int fd = net_server(SOCK_DGRAM, "::", port, NET_DUAL);
	int err;
	char c;

	if (fd < 0)
		return fd;
	err = net_send_to("127.0.0.1", net_port(fd), "x", 1) ?:
	      net_wait_in(fd, PATIENCE_MS);
	if (!err && recv(fd, &c, 1, 0) != 1)
		err = -errno;
	if (!err)
		seen.v[C(MAPPED_RECV)]++;
	close(fd);
	return err;
}

static int recv_first(void)
{
	return recv_at(0);
}

/* The first of a port, too, which are as far apart as takes a node of the xarray each. */
#define PORT_STEP	64

static in_port_t first_port = 7000 - PORT_STEP;
static __u64 received_at_0;

static int received_at(in_port_t port, __u64 *n)
{
	struct fam_port p;
	int err = fam_port_get(&ds, IPPROTO_UDP, port, &p);

	*n = err ? 0 : p.counters.v[C(MAPPED_RECV)];
	return err == -ENOENT ? 0 : err;
}

static int next_port(void)
{
	first_port += PORT_STEP;
	return received_at(0, &received_at_0);
}

static int recv_first_at_port(void)
{
	return recv_at(first_port);
}

/* If it is not of its port it is of port 0. */
static int received_once(void)
{
	__u64 at_0, at_port;
	int err;

	err = received_at(0, &at_0) ?: received_at(first_port, &at_port);
	if (!err && at_port + at_0 - received_at_0 != 1)
		err = -ENODATA;
	return err;
}

static int call_mapped(bool v6only, int which)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = v6only;
	union net_addr to;
	int err = 0, ret;

	net_addr_set(&to, "::ffff:127.0.0.1", which == 2 ? 0 :
		     net_port(fd_udp));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	ret = which == 0 ? connect(fd, &to.sa, sizeof(to.in6)) :
	      which == 1 ? sendto(fd, "x", 1, 0, &to.sa, sizeof(to.in6)) :
			   bind(fd, &to.sa, sizeof(to.in6));
	if (ret < 0)
		err = -errno;
	close(fd);
	return err;
}

static int connect_first(void)
{
	int err = call_mapped(false, 0);

	seen.v[C(MAPPED_CONNECT)] += !err;
	return err;
}

static int send_first(void)
{
	int err = call_mapped(false, 1);

	seen.v[C(MAPPED_SEND)] += !err;
	return err;
}

static int bind_refused(void)
{
	int err = call_mapped(true, 2);

	seen.v[C(REJECT_BIND)] += err == -EINVAL;
	return err == -EINVAL ? 0 : err;
}

static int connect_refused(void)
{
	int err = call_mapped(true, 0);

	seen.v[C(REJECT_CONNECT)] += err == -ENETUNREACH;
	return err == -ENETUNREACH ? 0 : err;
}

/**
 * struct call - what is tried
 * @name: what it is
 * @run: does it: 0 or a negative errno
 * @before: makes it possible, NULL if nothing has to be done
 * @after: undoes it, whether or not it succeeded, or NULL
 * @event: it is an event, which counts whatever fails
 * @allocates: it is known to allocate
 * @share: of the time, in percent, where each try takes some; 0 for all tries
 */
static const struct call {
	const char *name;
	int (*run)(void);
	int (*before)(void);
	int (*after)(void);
	bool event;
	bool allocates;
	int share;
} calls[] = {
	{ "loading", load, NULL, unload, false, true, 50 },
	{ "tracking on", tracking_on, tracking_off, NULL, false, true, 30 },
	{ "tracking off", tracking_off, NULL, tracking_on, false, false, 5 },
	{ "a new namespace", new_namespace, NULL, NULL, false, false, 5 },
	{ "socket-get", get_socket, NULL, NULL, false, true, 0 },
	{ "a dump of sockets", dump_sockets, NULL, NULL, false, false, 0 },
	{ "stats-get", get_stats, NULL, NULL, false, true, 0 },
	{ "port-get", get_port, NULL, NULL, false, true, 0 },
	{ "a dump of ports", dump_ports, NULL, NULL, false, false, 0 },
	{ "hook-get", get_hook, NULL, NULL, false, true, 0 },
	{ "a dump of hooks", dump_hooks, NULL, NULL, false, false, 0 },
	{ "config-get", get_config, NULL, NULL, false, true, 0 },
	{ "config-set", set_config, NULL, NULL, false, false, 0 },
	{ "listening to events", listen_events, NULL, NULL, false, true, 5 },
	{ "setting v6only", set_v6only, clear_v6only, NULL, false, true, 5 },
	{ "clearing v6only", clear_v6only, set_v6only, NULL, false, true, 5 },
	{ "reset", reset_one, NULL, NULL, false, false, 0 },
	{ "explain", explain, NULL, NULL, false, true, 0 },
	{ "recvmsg()", recv_first, NULL, NULL, true, true, 0 },
	{ "recvmsg() at a port", recv_first_at_port, next_port, received_once, true,
	  true, 0 },
	{ "connect()", connect_first, NULL, NULL, true, true, 0 },
	{ "sendmsg()", send_first, NULL, NULL, true, true, 0 },
	{ "bind() refused", bind_refused, NULL, NULL, true, true, 0 },
	{ "connect() refused", connect_refused, NULL, NULL, true, true, 0 },
};

static int fatal;

/* A socket whose inode cannot be had is one too many open files, to the kernel. */
static bool is_shortage(int err)
{
	return err == -ENOMEM || err == -ENOBUFS || err == -ENFILE;
}

/* Try it with the Nth allocation failing; returns how many there were, or N. */
static int try_nth(const struct call *c, int n, int *failed)
{
	int err, left;

	err = c->before ? c->before() : 0;
	if (err) {
		ksft_print_msg("%s: before: %s\n", c->name, strerror(-err));
		fatal = 1;
		return 0;
	}
	fail_nth(n);
	err = c->run();
	left = fail_left();
	fail_nth(0);
	*failed += !!err;
	if (left ? err : err && (c->event || !is_shortage(err))) {
		ksft_print_msg("%s: allocation %d %s: %s\n", c->name, n,
			       left ? "did not fail" : "failed",
			       strerror(-err));
		fatal = 1;
	}
	/* What an application is told is no matter here. */
	if (c->after && c->after()) {
		ksft_print_msg("%s: cannot be undone\n", c->name);
		fatal = 1;
	}
	return left ? n - left : n;
}

static __u64 untracked(void)
{
	struct fam_stats stats;

	return ds.sk && !fam_stats_get(&ds, 0, &stats) ? stats.untracked : 0;
}

static void try_all(const struct call *c, int seconds, unsigned int seed)
{
	__u64 before = untracked(), start, each;
	int total, failed = 0, tried = 0, n, step = 1;

	fatal = 0;
	start = net_now_ms();
	total = try_nth(c, NEVER, &failed);
	each = net_now_ms() - start + 1;
	if (c->share && total * each > seconds * 10ULL * c->share)
		step = total * each / (seconds * 10ULL * c->share) + 1;
	for (n = 1 + (step > 1 ? seed % step : 0); n <= total && !fatal;
	     n += step, tried++)
		try_nth(c, n, &failed);
	if (c->allocates && !total) {
		ksft_print_msg("%s: allocates nothing\n", c->name);
		fatal = 1;
	}
	/* Where a record was to be had, and was not, it is for the sums only: one
	 * of the allocations at least, others may be for the kernel's own checks.
	 */
	n = untracked() - before;
	if (c->event && (n < 1 || n > tried)) {
		ksft_print_msg("%s: %d untracked\n", c->name, n);
		fatal = 1;
	}
	ksft_test_result(!fatal, "%s: %d of %d allocations failed, %d times the call did\n",
			 c->name, tried, total, failed);
}

static bool counts_agree(void)
{
	struct fam_stats stats;
	bool ok = true;
	size_t i;

	if (fam_stats_get(&ds, 0, &stats))
		return false;
	for (i = 0; i < fam_counter_table_len; i++) {
		const struct fam_counter_info *c = &fam_counter_table[i];

		if (stats.counters.v[c->attr] == seen.v[c->attr] ||
		    fam_is_of_client(c->attr))
			continue;
		ksft_print_msg("%s: %llu instead of %llu\n", c->name,
			       (unsigned long long)stats.counters.v[c->attr],
			       (unsigned long long)seen.v[c->attr]);
		ok = false;
	}
	return ok;
}

/* The module is there by now. */
static int open_all(void)
{
	int err;
	char c;

	err = net_ns_new() ?: fam_open(&ds);
	if (err)
		return err;
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	fd_tcp = net_server(SOCK_STREAM, "::", 0, NET_DUAL);
	fd_udp = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	err = net_send_to("127.0.0.1", net_port(fd_udp), "x", 1) ?:
	      net_wait_in(fd_udp, PATIENCE_MS);
	if (!err && recv(fd_udp, &c, 1, 0) == 1)
		seen.v[C(MAPPED_RECV)]++;
	return err;
}

int main(int argc, char **argv)
{
	unsigned int seed = net_real_ns();
	int seconds = 60, opt, err;
	size_t i;

	while ((opt = getopt(argc, argv, "s:t:")) != -1) {
		switch (opt) {
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		default:
			fprintf(stderr, "Usage: %s [-t SECONDS] [-s SEED]\n",
				argv[0]);
			return 2;
		}
	}

	ksft_print_header();
	fail_fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (fail_fd < 0) {
		ksft_set_plan(1);
		ksft_test_result_skip("the kernel lacks CONFIG_FAULT_INJECTION\n");
		ksft_finished();
	}
	module = getenv("DUALSTACK_KO");
	if (geteuid() || !module)
		ksft_exit_skip("needs root, and the module's file in DUALSTACK_KO\n");
	err = set_faults();
	if (err)
		ksft_exit_fail_msg("fault injection cannot be set: %s\n",
				   strerror(-err));

	ksft_set_plan(ARRAY_SIZE(calls) + 1);
	ksft_print_msg("%d seconds, seed %u\n", seconds, seed);
	err = unload();
	if (err)
		ksft_exit_fail_msg("cannot unload: %s\n", strerror(-err));
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		try_all(&calls[i], seconds, seed);
		if (i)
			continue;
		/* From here on it stays. */
		err = load() ?: open_all();
		if (err)
			ksft_exit_fail_msg("cannot begin: %s\n",
					   strerror(-err));
	}
	ksft_test_result(counts_agree(), "all counted, whatever failed\n");
	fam_close(&ds);
	ksft_finished();
}
