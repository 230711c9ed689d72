// SPDX-License-Identifier: GPL-2.0
/*
 * dsctl with arguments at random, and in a world where nothing can be relied on:
 * answers that no kernel gives, memory that is not there, output that goes
 * nowhere.
 *
 *   fuzz_dsctl [ SECONDS [ SEED [ CASE ] ] ]
 *   fuzz_dsctl each [ SECONDS ]
 *
 * What dsctl may do then is to say what is wrong, and to end with one of its exit
 * codes. It may not read what it should not (the sanitizers tell), crash, leak,
 * go on for ever, or claim to have done what it has not. The seed is printed; with
 * it and the number of a case, that case is run again, and what came before
 * that it depends on.
 *
 * With "each", nothing is at random: some commands of every kind, and of each what
 * can fail does, one after the other: allocations, and calls of the kernel. Of those
 * that come from one place in the same way, the first.
 *
 * Runs as root, in namespaces of its own, with the module loaded.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <sanitizer/lsan_interface.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"
#include "grammar.h"
#include "lib/net_link.h"
#include "lib/net_util.h"

#define SECONDS		60
#define BLOCK		64	/* cases that share sockets and settings */
#define PATIENCE	300	/* seconds for one run */
#define NOBODY		65534
#define MAX_SOCKS	16
#define MAX_COMMANDS	8	/* of a batch */

/* Exit codes that dsctl has not. */
#define EXIT_LEAK	98
#define EXIT_SANITIZER	99

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
#pragma weak __lsan_do_recoverable_leak_check

const char *__asan_default_options(void)
{
	return "exitcode=99:allocator_may_return_null=1:leak_check_at_exit=0";
}

const char *__ubsan_default_options(void)
{
	return "exitcode=99:print_stacktrace=1";
}

/* Where the output goes. */
enum out {
	OUT_FILE,
	OUT_CLOSED,
	OUT_FULL,	/* /dev/full */
	OUT_PIPE,	/* nobody reads it */
	OUT_LIMIT,	/* a file that may not grow */
};

/**
 * struct plan - One case.
 * @line: the command line.
 * @batch: what -b - reads, or NULL.
 * @out: what stdout is.
 * @limit: bytes of OUT_LIMIT.
 * @no_stdin: stdin is closed, @no_stderr: so is stderr.
 * @nobody: by a user without rights.
 * @leaks: look for leaks after it.
 * @locale: LC_ALL.
 * @answers: as in struct fault.
 */
struct plan {
	struct line line;
	char *batch;
	enum out out;
	unsigned int limit;
	bool no_stdin;
	bool no_stderr;
	bool nobody;
	bool leaks;
	const char *locale;
	unsigned int answers;
};

/**
 * struct result - What became of it.
 * @status: exit code; or
 * @signal: what killed it; or
 * @stuck: it came to no end.
 * @out: what it printed, with an end.
 * @len: bytes of that.
 * @err: what it complained.
 * @allocs: how many allocations there were.
 */
struct result {
	int status;
	int signal;
	bool stuck;
	char *out;
	size_t len;
	char *err;
	unsigned long allocs;
};

static struct fault *fault;	/* shared with the runs, as these are: */
static struct fault_places *places;
static int in_fd, out_fd, err_fd;
static int socks[MAX_SOCKS];
static size_t num_socks;
static uint64_t seed;

static unsigned long num_runs, num_answers, num_allocs, num_calls, num_outs;

/* Sockets of every kind, with something to tell of each. */
static const struct {
	int type;
	const char *addr;
	in_port_t port;
	unsigned int flags;
} servers[] = {
	{ SOCK_STREAM, "::", 1001, NET_DUAL },
	{ SOCK_STREAM, "::", 1002, NET_V6ONLY },
	{ SOCK_DGRAM, "::", 1003, NET_DUAL },
	{ SOCK_DGRAM, "::", 1004, NET_V6ONLY },
	{ SOCK_STREAM, "127.0.0.1", 1005, 0 },
	{ SOCK_STREAM, "::1", 1006, NET_DUAL },
	{ SOCK_DGRAM, "::ffff:127.0.0.1", 1007, NET_DUAL },
	{ SOCK_DGRAM, "::", 1008, NET_DUAL | NET_REUSEPORT },
	{ SOCK_DGRAM, "::", 1008, NET_DUAL | NET_REUSEPORT },
	{ SOCK_DGRAM, "0.0.0.0", 1003, 0 },
};

static int keep(int fd)
{
	if (fd < 0)
		errx(1, "a socket: %s", strerror(-fd));
	if (num_socks == MAX_SOCKS)
		errx(1, "too many sockets");
	socks[num_socks++] = fd;
	return fd;
}

static void serve(size_t i, const char *addr)
{
	char c;

	if (servers[i].type == SOCK_STREAM) {
		keep(net_client(SOCK_STREAM, addr, servers[i].port, NULL));
		keep(net_accept(socks[i], NULL));
	} else if (!net_send_to(addr, servers[i].port, "x", 1)) {
		recv(socks[i], &c, 1, MSG_DONTWAIT);
	}
}

/* Events for whoever listens. */
static void traffic(void)
{
	char c;

	net_send_to("127.0.0.1", 1003, "x", 1);
	recv(socks[2], &c, 1, MSG_DONTWAIT);
	net_refused(SOCK_STREAM, "127.0.0.1", 1002, NULL);
	net_send_to("::1", 1003, "x", 1);
	recv(socks[2], &c, 1, MSG_DONTWAIT);
}

static void open_sockets(void)
{
	size_t i;
	int fd;

	while (num_socks)
		net_close_reset(socks[--num_socks]);
	for (i = 0; i < ARRAY_SIZE(servers); i++) {
		fd = net_server(servers[i].type, servers[i].addr,
				servers[i].port, servers[i].flags);
		if (fd == -EADDRINUSE && i == ARRAY_SIZE(servers) - 1)
			break;	/* the one that hides another cannot be had */
		keep(fd);
	}
	serve(0, "127.0.0.1");
	serve(0, "::1");
	traffic();
}

static int redirect(int from, int to, bool closed)
{
	return closed ? close(to) : dup2(from, to);
}

static int open_out(const struct plan *plan)
{
	struct rlimit limit = { plan->limit, plan->limit };
	int fds[2];

	switch (plan->out) {
	case OUT_FULL:
		return open("/dev/full", O_WRONLY);
	case OUT_PIPE:
		if (pipe(fds))
			err(1, "pipe");
		close(fds[0]);
		signal(SIGPIPE, SIG_IGN);
		return fds[1];
	case OUT_LIMIT:
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		return out_fd;
	default:
		return out_fd;
	}
}

static void drop_rights(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		err(1, "nobody");
}

/* "@2" is the cookie of the third socket, which differs from run to run. */
static char *resolve(char *word)
{
	char *text;

	if (word[0] != '@' || !isdigit(word[1]) || word[2] ||
	    (size_t)(word[1] - '0') >= num_socks)
		return word;
	if (asprintf(&text, "%llu", (unsigned long long)
		     net_cookie(socks[word[1] - '0'])) < 0)
		errx(1, "out of memory");
	return text;
}

static void run_child(const struct plan *plan, sigset_t *mask)
{
	static char *argv[MAX_ARGS + 4];
	int i, argc = 0, status;

	argv[argc++] = "dsctl";
	for (i = 0; i < plan->line.argc; i++)
		argv[argc++] = resolve(plan->line.argv[i]);

	if (plan->locale)
		setenv("LC_ALL", plan->locale, 1);
	else
		unsetenv("LC_ALL");
	lseek(in_fd, 0, SEEK_SET);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (plan->nobody)
		drop_rights();
	redirect(err_fd, STDERR_FILENO, plan->no_stderr);
	redirect(in_fd, STDIN_FILENO, plan->no_stdin);
	redirect(open_out(plan), STDOUT_FILENO, plan->out == OUT_CLOSED);

	fault_arm(fault);
	status = dsctl_main(argc, argv);
	fault_arm(NULL);
	if (plan->leaks && __lsan_do_recoverable_leak_check &&
	    __lsan_do_recoverable_leak_check())
		status = EXIT_LEAK;
	exit(status);
}

static char *contents(int fd, size_t *len)
{
	struct stat st;
	ssize_t n;
	char *buf;

	fstat(fd, &st);
	buf = malloc(st.st_size + 1);
	n = pread(fd, buf, st.st_size, 0);
	buf[n < 0 ? 0 : n] = '\0';
	if (len)
		*len = n < 0 ? 0 : n;
	return buf;
}

static void wait_child(pid_t pid, struct result *result)
{
	struct timespec patience = { .tv_sec = PATIENCE };
	sigset_t chld;
	int status;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	if (sigtimedwait(&chld, NULL, &patience) < 0) {
		result->stuck = true;
		kill(pid, SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	result->status = WEXITSTATUS(status);
}

/* Run the case, with what is to fail, if anything. */
static void run_failing(const struct plan *plan, uint64_t rnd,
			const struct fault *failing, struct result *result)
{
	sigset_t chld, mask;
	pid_t pid;

	memset(result, 0, sizeof(*result));
	*fault = *failing;
	fault->rnd.state = rnd;
	fault->answers = plan->answers;
	fault->traffic = traffic;
	fault->polls = rnd % 8;

	if (ftruncate(in_fd, 0) || ftruncate(out_fd, 0) || ftruncate(err_fd, 0))
		err(1, "ftruncate");
	lseek(out_fd, 0, SEEK_SET);
	lseek(err_fd, 0, SEEK_SET);
	if (plan->batch &&
	    pwrite(in_fd, plan->batch, strlen(plan->batch), 0) < 0)
		err(1, "pwrite");

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &mask);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid)
		run_child(plan, &mask);
	wait_child(pid, result);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	result->out = contents(out_fd, &result->len);
	result->err = contents(err_fd, NULL);
	result->allocs = fault->allocs;
	num_runs++;
	num_answers += fault->changed;
}

static void run(const struct plan *plan, uint64_t rnd, struct result *result)
{
	static const struct fault nothing;

	run_failing(plan, rnd, &nothing, result);
}

static void forget(struct result *result)
{
	free(result->out);
	free(result->err);
}

/* Text with its strange bytes spelled out, and not all of it. */
static void print_text(const char *text)
{
	size_t i;

	for (i = 0; i < 20000 && text[i]; i++) {
		if (text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'))
			putchar(text[i]);
		else
			printf("\\x%02x", (unsigned char)text[i]);
	}
}

static void print_word(const char *word)
{
	size_t len = strlen(word);

	if (len > 200) {
		printf(" '%.20s'*%zu", word, len);
		return;
	}
	printf(" '");
	print_text(word);
	putchar('\'');
}

static void tell(const struct plan *plan, unsigned long number,
		 const struct fault *failing, const struct result *result,
		 const char *what)
{
	static const char *const outs[] = {
		[OUT_CLOSED] = ", stdout closed",
		[OUT_FULL] = ", stdout /dev/full",
		[OUT_PIPE] = ", stdout a pipe without a reader",
		[OUT_LIMIT] = ", stdout limited",
	};
	int i;

	printf("FAILED: seed %llu case %lu: %s\n  dsctl",
	       (unsigned long long)seed, number, what);
	for (i = 0; i < plan->line.argc; i++)
		print_word(plan->line.argv[i]);
	printf("\n  exit code %d, signal %d%s%s%s%s%s", result->status,
	       result->signal, plan->answers ? ", answers changed" : "",
	       plan->nobody ? ", as nobody" : "",
	       plan->no_stdin ? ", stdin closed" : "",
	       plan->no_stderr ? ", stderr closed" : "",
	       plan->out ? outs[plan->out] : "");
	if (failing && failing->alloc)
		printf(", allocation %lu of %lu failed", failing->alloc,
		       result->allocs);
	if (failing && failing->call)
		printf(", call %lu failed: %s", failing->call,
		       strerror(failing->error));
	if (plan->batch) {
		printf("\n--- stdin\n");
		print_text(plan->batch);
	}
	printf("\n--- stdout\n");
	print_text(result->out);
	printf("--- stderr\n");
	print_text(result->err);
	printf("---\n");
	fflush(stdout);
}

/* Whether a word of the command begins so. */
static bool mentions(const struct plan *plan, const char *begin)
{
	return grammar_has(&plan->line, begin) ||
	       (plan->batch && strstr(plan->batch, begin));
}

/* One value or several, one on a line. */
static bool is_json(const char *text, size_t len)
{
	const char *end = text + len;
	json_error_t error;
	json_t *value;

	while (text < end) {
		value = json_loadb(text, end - text, JSON_DISABLE_EOF_CHECK |
				   JSON_DECODE_ANY, &error);
		if (!value)
			return false;
		json_decref(value);
		text += error.position;
		text += strspn(text, "\n");
	}
	return true;
}

/* Nothing that a terminal would take for a command; text is UTF-8 at most. */
static bool is_clean(const char *text, size_t len, bool tabs)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' && text[i] != '\n' &&
		    !(tabs && text[i] == '\t'))
			return false;
	return !strchr(text, 0x7f);
}

/* The same but for digits, which may have gone on. */
static bool same_text(const char *a, const char *b)
{
	for (;;) {
		while (isdigit(*a) || *a == ' ')
			a++;
		while (isdigit(*b) || *b == ' ')
			b++;
		if (*a != *b)
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

static bool is_device(const char *name)
{
	struct stat st;

	return !stat(name, &st) && S_ISCHR(st.st_mode);
}

/* What is wrong with any run; NULL: nothing. */
static const char *judge(const struct plan *plan, const struct result *result)
{
	if (result->stuck)
		return "it came to no end";
	if (result->signal)
		return "it was killed by a signal";
	if (result->status == EXIT_SANITIZER)
		return "a sanitizer stopped it";
	if (result->status == EXIT_LEAK)
		return "memory was lost";
	if (result->status > 3)
		return "this is no exit code of dsctl's";
	if (result->status == 3 && !mentions(plan, "a"))
		return "only audit has this exit code";
	if (result->status && result->status != 3 && !*result->err &&
	    !result->len && !plan->no_stderr && plan->out != OUT_PIPE)
		return "it failed without a word";
	if (!result->status && grammar_has(&plan->line, "-j") &&
	    (*result->out == '[' || *result->out == '{') &&
	    plan->out == OUT_FILE && !is_json(result->out, result->len))
		return "it printed broken JSON";
	if (!mentions(plan, "-c") && !mentions(plan, "--c") &&
	    !is_clean(result->out, result->len, mentions(plan, "--words")))
		return "it printed a control character";
	if (!is_device("null") || !is_device("full"))
		return "a device was replaced";
	return NULL;
}

/* Rates and times are not the same again: of interval, and of top, or what is left of it. */
static bool is_timed(const struct plan *plan)
{
	int i;

	for (i = 0; i < plan->line.argc; i++)
		if (!strcmp(plan->line.argv[i], "t"))
			return true;
	return mentions(plan, "i") || mentions(plan, "to");
}

static bool comparable(const struct plan *plan)
{
	return !mentions(plan, "m") && !mentions(plan, "se") &&
	       !mentions(plan, "r") && !is_timed(plan) && !plan->answers;
}

/* Who has nowhere to print to may not say that all is well. */
static const char *judge_out(const struct plan *plan, uint64_t rnd,
			     const struct result *lost)
{
	struct plan again = *plan;
	const char *what = NULL;
	struct result result;
	size_t fits = 0;

	if (lost->status || !comparable(plan))
		return NULL;
	if (plan->out == OUT_LIMIT)
		fits = plan->limit + 100;
	again.out = OUT_FILE;
	run(&again, rnd, &result);
	if (!result.status && result.len > fits)
		what = "its output was lost, and it did not say so";
	forget(&result);
	return what;
}

static int run_alloc(const struct plan *plan, unsigned long number,
		     struct rnd *rnd, uint64_t state, const struct result *good)
{
	struct fault failing = { };
	const char *what;
	struct result result;
	size_t most = good->allocs;

	/* Most of them are alike: what comes first is worth as much. */
	if (rnd_once_in(rnd, 2))
		most = most > 40 ? 40 : most;
	failing.alloc = 1 + rnd_below(rnd, most);
	failing.alloc_rest = rnd_once_in(rnd, 4);
	run_failing(plan, state, &failing, &result);
	num_allocs += fault_alloc_failed(fault);
	what = judge(plan, &result);
	if (!what && !result.status && !good->status && comparable(plan) &&
	    plan->out == OUT_FILE && !same_text(good->out, result.out))
		what = "memory was missing, the output is another, and it did not say so";
	if (what) {
		forget(&result);
		failing.trace = true;
		run_failing(plan, state, &failing, &result);
		tell(plan, number, &failing, &result, what);
	}
	forget(&result);
	return !!what;
}

/* A line of a batch: words that need quotes have them, as far as that goes. */
static void write_line(FILE *f, const struct line *line, bool quote)
{
	const char *word;
	int i;

	for (i = 0; i < line->argc; i++) {
		word = line->argv[i];
		if (quote && strpbrk(word, " \t\n#'\""))
			fprintf(f, strchr(word, '\'') ? "\"%s\" " : "'%s' ",
				word);
		else
			fprintf(f, "%s ", word);
	}
	fputs("\n", f);
}

static void make_batch(struct rnd *rnd, struct plan *plan)
{
	size_t size, n = 1 + rnd_below(rnd, MAX_COMMANDS);
	FILE *f = open_memstream(&plan->batch, &size);
	struct line line;
	int i;

	while (n--) {
		grammar_line(rnd, &line, false);
		write_line(f, &line, !rnd_once_in(rnd, 4));
		grammar_free(&line);
	}
	if (rnd_once_in(rnd, 8))
		fputs("show stats \\", f);
	fclose(f);

	/* In place of the command: the options remain. */
	grammar_line(rnd, &plan->line, true);
	for (i = 0; i < plan->line.argc && *plan->line.argv[i] == '-'; i++)
		;
	while (plan->line.argc > i)
		free(plan->line.argv[--plan->line.argc]);
	plan->line.argv[plan->line.argc++] = strdup("-b");
	plan->line.argv[plan->line.argc++] = strdup("-");
	if (rnd_once_in(rnd, 2))
		plan->line.argv[plan->line.argc++] = strdup("-force");
	plan->line.argv[plan->line.argc] = NULL;
}

static void make_plan(struct rnd *rnd, struct plan *plan)
{
	static const char *const locales[] = { NULL, "C", "C.UTF-8" };

	memset(plan, 0, sizeof(*plan));
	if (rnd_once_in(rnd, 8))
		make_batch(rnd, plan);
	else
		grammar_line(rnd, &plan->line, true);
	if (rnd_once_in(rnd, 6)) {
		plan->out = 1 + rnd_below(rnd, OUT_LIMIT);
		plan->limit = rnd_below(rnd, 2000);
	}
	plan->no_stdin = rnd_once_in(rnd, 32);
	plan->no_stderr = rnd_once_in(rnd, 32);
	plan->nobody = rnd_once_in(rnd, 8);
	plan->leaks = rnd_once_in(rnd, 8) && !plan->nobody;
	plan->locale = locales[rnd_below(rnd, ARRAY_SIZE(locales))];
	if (rnd_once_in(rnd, 2))
		plan->answers = 1 + rnd_below(rnd, 5);
}

static int run_case(unsigned long number, bool verbose)
{
	struct rnd rnd = { .state = seed ^ number << 20 };
	struct result result;
	const char *what;
	struct plan plan;
	uint64_t state;
	int bad = 0, n;

	rnd_next(&rnd);
	make_plan(&rnd, &plan);
	state = rnd_next(&rnd);
	run(&plan, state, &result);
	what = judge(&plan, &result);
	if (!what && plan.out) {
		what = judge_out(&plan, state, &result);
		num_outs++;
	}
	if (what || verbose)
		tell(&plan, number, NULL, &result,
		     what ? what : "nothing is wrong with it");
	bad = !!what;
	if (!what && result.allocs && rnd_once_in(&rnd, 2)) {
		plan.leaks = false;
		for (n = 0; n < 3; n++)
			bad += run_alloc(&plan, number, &rnd, state, &result);
	}
	forget(&result);
	grammar_free(&plan.line);
	free(plan.batch);
	return bad;
}

/* dsctl WORD..., in peace; returns what it printed. */
static char *ask(const char *const *words)
{
	struct plan plan = { };
	struct result result;

	for (; *words; words++)
		plan.line.argv[plan.line.argc++] = (char *)*words;
	run(&plan, 0, &result);
	if (result.status)
		errx(1, "dsctl %s: %s", plan.line.argv[0], result.err);
	free(result.err);
	return result.out;
}

static void set(const char *name, const char *value)
{
	const char *const words[] = { "set", name, value, NULL };

	free(ask(words));
}

/* Each line is "set v6only on PORTS keep". */
static void unset_rules(void)
{
	static const char *const show[] = { "show", "rules", "save", NULL };
	char *text = ask(show), *line, *lines, *word, *save;
	const char *words[8];
	size_t n;

	for (line = strtok_r(text, "\n", &lines); line;
	     line = strtok_r(NULL, "\n", &lines)) {
		n = 0;
		words[n++] = "unset";
		strtok_r(line, " ", &save);
		for (word = strtok_r(NULL, " ", &save); word && n < ARRAY_SIZE(words) - 1;
		     word = strtok_r(NULL, " ", &save))
			if (strcmp(word, "on") && strcmp(word, "off") &&
			    strcmp(word, "keep"))
				words[n++] = word;
		words[n] = NULL;
		free(ask(words));
	}
	free(text);
}

/* What the cases of a block begin with, whatever those before it have done. */
static void begin_block(void)
{
	set("tracking", "on");
	set("max-sockets", "100000");
	set("event-rate", "100000");
	set("bindv6only", "off");
	set("peers", "on");
	set("max-peers", "100");
	unset_rules();
	open_sockets();
}

static void set_values(void)
{
	static const struct {
		const char *kind;
		const char *words[20];
	} kinds[] = {
		{ "PORT", {
			"1001", "1002", "1003", "1004", "1005", "1006", "1007",
			"1008", "1", "65535", "0", "65536", "ftp" } },
		{ "NUMBER", {
			"0", "1", "2", "1000", "4294967295", "4294967296",
			"18446744073709551615", "18446744073709551616" } },
		{ "COOKIE", {
			"@0", "@1", "@2", "@3", "@6", "@7", "0", "1",
			"18446744073709551615", "18446744073709551616" } },
		{ "SECONDS", {
			"0.1", "1", "2.5", "86400", "0", "0.09", ".", "1.2.3" } },
		{ "ADDRESS", {
			"127.0.0.1", "::1", NET_ADDR4, NET_ADDR6, "::", "0.0.0.0",
			"::ffff:127.0.0.1", "::ffff:" NET_ADDR4, "224.0.0.1",
			"ff02::1", "fe80::1%lo", "fe80::1", "255.255.255.255",
			"::1%lo", "1.2.3", "127.1", "::ffff:0.0.0.0", "2001:db8::2",
		} },
		{ "LENGTH", { "0", "1", "24", "32", "33", "128", "129" } },
		{ "NAME", {
			"lo", "lo:1", "if1", "averyverylongname", "eth0" } },
		{ "FILE", {
			"out.prom", "out.prom", "null", "full", "dir", "dir/x",
			"none/x", "-", "." } },
		{ "NETNS", {
			"other", "1", "0", "99999999", "/proc/self/ns/net",
			"/proc/self/ns/mnt", "null", "..", "\x1b[31m\xff\n\"",
		} },
		{ "COLUMNS", {
			"name,value", "local,mode,last-peer", "process", "cookie",
			"setting,default", "hook,kind", "result", "", ",", "-",
			"cookie,cookie", "advice,seen,x", "\xff,\x1b[31m" } },
	};
	const char *const *word;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		for (word = kinds[i].words; *word; word++)
			grammar_value(kinds[i].kind, *word);
}

static void name_netns(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL))
		err(1, "%s", path);
	close(fd);
}

static void mount_tmpfs(const char *path)
{
	if (mount("tmpfs", path, "tmpfs", 0, "mode=777"))
		err(1, "tmpfs on %s", path);
}

/* Namespaces, so that no case is anybody else's business. */
static void isolate(void)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWNS | CLONE_NEWPID))
		err(1, "unshare");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid) {
		if (waitpid(pid, &status, 0) != pid)
			err(1, "waitpid");
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		err(1, "/proc");
	mkdir("/run/netns", 0755);
	mount_tmpfs("/run/netns");
	status = net_ns_new();
	if (status)
		errx(1, "a namespace: %s", strerror(-status));
	name_netns("other");
	name_netns("\x1b[31m\xff\n\"");
	status = net_ns_new();
	if (status)
		errx(1, "a namespace: %s", strerror(-status));
	mount_tmpfs("/mnt");
	if (chdir("/mnt") || mkdir("dir", 0777) ||
	    mknod("null", S_IFCHR | 0666, makedev(1, 3)) ||
	    mknod("full", S_IFCHR | 0666, makedev(1, 7)))
		err(1, "/mnt");
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Some of every kind: whatever they print, change or write. */
static const char *const commands[] = {
	"show sockets",
	"-s -a show sockets",
	"-H -o local,process,wire-mapped show sockets",
	"-j show sockets",
	"-j -p -N show sockets",
	"show sockets port 1001 proto tcp",
	"show stats",
	"-N -s show stats",
	"-j show stats proto udp",
	"show hooks",
	"-j -N show hooks",
	"show config",
	"-j show config",
	"-n other set event-rate 10",
	"set event-rate 100000",
	"-N set v6only on all dry-run",
	"-j set v6only on port 1001 dry-run",
	"set v6only off port 1005",
	"set v6only on cookie @0 dry-run",
	"set v6only on proto tcp port 1001 keep",
	"-j set v6only off all keep dry-run",
	"show rules",
	"-j -N show rules",
	"show rules save",
	"unset v6only proto tcp port 1001",
	"reset port 1001",
	"-N reset",
	"show peers",
	"-s show peers in port 1001",
	"-j -r -p -N show peers",
	"-j show peers by prefix 24",
	"show peers refused by process",
	"set max-peers 0",
	"reset peers",
	"audit",
	"-a -s audit",
	"-j -N audit",
	"explain tcp 127.0.0.1 1001 from 127.0.0.1",
	"-j explain udp ::1 1003 dev lo",
	"explain tcp localhost:1002",
	"monitor",
	"-j monitor reject",
	"show sockets port 1003 interval 0.1 count 3",
	"-j -p show peers by port interval 1 count 3",
	"-N show stats interval 86400 count 2",
	"-j top count 3",
	"-j -p top peers in interval 2",
	"top",
	"export out.prom",
	"-N -s export new.prom",
	"export dir/x",
	"export full",
	"export -",
	"-b - -force",
	"-b none/x",
	"-n 1 show stats",
	"help",
};

static void split_command(const char *command, struct line *line)
{
	char *copy = strdup(command), *word, *save;

	line->argc = 0;
	for (word = strtok_r(copy, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		line->argv[line->argc++] = strdup(word);
	free(copy);
}

/* Have it fail at a place, or not at all. Returns whether that was done well. */
static bool run_place(const struct plan *plan, const struct fault *failing)
{
	struct result result;
	const char *what;

	/* A monitor waits until there are events: that many times at most. */
	run_failing(plan, 7, failing, &result);
	num_allocs += fault_alloc_failed(fault);
	num_calls += failing->call && fault->calls >= failing->call;
	what = judge(plan, &result);
	if (what)
		tell(plan, 0, failing, &result, what);
	forget(&result);
	return !what;
}

/* Who cannot have memory, has no rights, or was too slow to be told all. */
static int fail_place(const struct plan *plan, const struct fault_place *place)
{
	static const int errors[] = { ENOMEM, EACCES, ENOBUFS };
	struct fault failing = { };
	int bad = 0;
	size_t i;

	if (!place->call) {
		failing.alloc = place->number;
		return !run_place(plan, &failing);
	}
	failing.call = place->number;
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		failing.error = errors[i];
		bad += !run_place(plan, &failing);
	}
	return bad;
}

static int fail_each(const char *command, double end)
{
	struct fault learn = { .places = places };
	struct fault_places found;
	struct plan plan = { };
	int bad = 0;
	size_t i;

	split_command(command, &plan.line);
	if (mentions(&plan, "-b"))
		plan.batch = strdup("show hooks # 1\n\nshow 'stats'\nset \\\nx\n");
	places->n = 0;
	bad += !run_place(&plan, &learn);
	found = *places;
	for (i = 0; i < found.n && now() < end && bad < 10; i++)
		bad += fail_place(&plan, &found.v[i]);
	if (i < found.n)
		printf("fuzz_dsctl: %s: %zu of %zu places\n", command, i,
		       found.n);
	grammar_free(&plan.line);
	free(plan.batch);
	return bad;
}

static int each(double end)
{
	int bad = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands) && now() < end && bad < 10; i++) {
		begin_block();
		bad += fail_each(commands[i], end);
	}
	printf("fuzz_dsctl: %zu of %zu commands, ", i, ARRAY_SIZE(commands));
	return bad;
}

static int new_memfd(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0)
		err(1, "memfd_create");
	return fcntl(fd, F_DUPFD_CLOEXEC, 10);
}

/* What is shared with the runs. */
static void *new_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

/* Cases at random: all until the end, or that one and what comes before it. */
static int at_random(double end, unsigned long only)
{
	unsigned long number, last = -1UL;
	int bad = 0;

	number = 0;
	if (only != last) {
		last = only;
		number = last / BLOCK * BLOCK;
	}
	for (; number <= last && (only != -1UL || now() < end) && bad < 10;
	     number++) {
		if (!(number % BLOCK))
			begin_block();
		bad += run_case(number, number == last);
	}
	printf("fuzz_dsctl: %lu cases, ", number);
	return bad;
}

int main(int argc, char **argv)
{
	bool all = argc > 1 && !strcmp(argv[1], "each");
	unsigned long only = -1UL;
	double seconds = SECONDS;
	int bad;

	argv += all;
	argc -= all;
	if (argc > 1)
		seconds = atof(argv[1]);
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	if (argc > 3)
		only = strtoul(argv[3], NULL, 0);
	if (!all)
		printf("fuzz_dsctl: seed %llu\n", (unsigned long long)seed);
	fflush(stdout);

	fault = new_shared(sizeof(*fault));
	places = new_shared(sizeof(*places));
	isolate();
	in_fd = new_memfd("stdin");
	out_fd = new_memfd("stdout");
	err_fd = new_memfd("stderr");
	prctl(PR_SET_NAME, "fuzz\xff\x1b[1m\n\"");
	set_values();
	if (!grammar_load(ask))
		errx(1, "the help of dsctl shows no commands");

	bad = all ? each(now() + seconds) : at_random(now() + seconds, only);
	set("tracking", "on");
	if (bad >= 10)
		printf("ten failures are enough, ");
	printf("%lu runs, %lu answers changed, ", num_runs, num_answers);
	printf("%lu allocations failed, %lu calls did, %lu outputs lost: %d failures\n",
	       num_allocs, num_calls, num_outs, bad);
	return !!bad;
}
