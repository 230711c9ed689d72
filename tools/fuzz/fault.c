// SPDX-License-Identifier: GPL-2.0
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <poll.h>
#include <sanitizer/asan_interface.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"
#include "mutate.h"

/* The next below: the sanitizer's, or libc's where it was built without. */
void *__interceptor_malloc(size_t size) __attribute__((weak));
void *__interceptor_calloc(size_t n, size_t size) __attribute__((weak));
void *__interceptor_realloc(void *p, size_t size) __attribute__((weak));
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

#pragma weak __asan_poison_memory_region
#pragma weak __asan_unpoison_memory_region
#pragma weak __sanitizer_print_stack_trace

static struct fault *armed;

void fault_arm(struct fault *fault)
{
	void *frame;

	/* The first time it loads a library, and leaves something behind. */
	if (fault && fault->places)
		backtrace(&frame, 1);
	armed = fault;
}

/* A number for who calls, and by whom he was called, and so on (FNV-1a). */
static uint64_t stack_of(void)
{
	void *frames[24];
	uint64_t hash = 0xcbf29ce484222325ULL;
	int i, n;

	n = backtrace(frames, sizeof(frames) / sizeof(*frames));
	for (i = 0; i < n; i++)
		hash = (hash ^ (uintptr_t)frames[i]) * 0x100000001b3ULL;
	return hash;
}

static void note(struct fault_places *places, bool call, unsigned long number)
{
	uint64_t stack = stack_of();
	size_t i;

	for (i = 0; i < places->n; i++)
		if (places->v[i].stack == stack)
			return;
	if (i < FAULT_PLACES)
		places->v[places->n++] =
			(struct fault_place){ stack, call, number };
}

/* Nothing fails of what is done to look. */
static void look(struct fault *fault, bool call, bool fails)
{
	armed = NULL;
	if (fault->places)
		note(fault->places, call, call ? fault->calls : fault->allocs);
	if (fails && fault->trace && __sanitizer_print_stack_trace)
		__sanitizer_print_stack_trace();
	armed = fault;
}

static bool alloc_fails(void)
{
	struct fault *fault = armed;
	bool fails;

	if (!fault)
		return false;
	fault->allocs++;
	fails = fault->alloc && (fault->allocs == fault->alloc ||
				 (fault->allocs > fault->alloc &&
				  fault->alloc_rest));
	look(fault, false, fails);
	if (fails)
		errno = ENOMEM;
	return fails;
}

bool fault_call_fails(void)
{
	struct fault *fault = armed;
	bool fails;

	if (!fault)
		return false;
	fails = ++fault->calls == fault->call;
	look(fault, true, fails);
	if (fails)
		errno = fault->error;
	return fails;
}

void *malloc(size_t size)
{
	if (alloc_fails())
		return NULL;
	return __interceptor_malloc ? __interceptor_malloc(size)
				    : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	if (alloc_fails())
		return NULL;
	return __interceptor_calloc ? __interceptor_calloc(n, size)
				    : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	if (alloc_fails())
		return NULL;
	return __interceptor_realloc ? __interceptor_realloc(p, size)
				     : __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, bytes);
}

/* The sanitizer's own does not ask malloc(). */
char *strdup(const char *str)
{
	size_t size = strlen(str) + 1;
	char *copy = malloc(size);

	return copy ? memcpy(copy, str, size) : NULL;
}

/* glibc's name service does not bear a failed allocation (2.36): it aborts. */
struct servent *getservbyname(const char *name, const char *proto)
{
	static struct servent entry;
	static char buf[4096];
	struct fault *fault = armed;
	struct servent *found;

	armed = NULL;
	if (getservbyname_r(name, proto, &entry, buf, sizeof(buf), &found))
		found = NULL;
	armed = fault;
	return found;
}

int getaddrinfo(const char *name, const char *service,
		const struct addrinfo *hints, struct addrinfo **found)
{
	int (*next)(const char *name, const char *service,
		    const struct addrinfo *hints, struct addrinfo **found);
	struct fault *fault = armed;
	int error;

	armed = NULL;
	next = dlsym(RTLD_NEXT, "getaddrinfo");
	error = next(name, service, hints, found);
	armed = fault;
	return error;
}

/*
 * The kernel answers a request before send() returns, and a dump goes on as it is
 * read. Where there is nothing to read, what the program waits for was taken
 * away from it: an error instead of eternity.
 */
static bool is_dry(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct timespec now = { };

	return syscall(SYS_ppoll, &pfd, 1, &now, NULL, 0) != 1;
}

static ssize_t fail_read(void)
{
	static const int errors[] = { ENOBUFS, ENOMEM, ECONNRESET, EBADF };

	errno = errors[rnd_below(&armed->rnd, sizeof(errors) / sizeof(*errors))];
	armed->changed++;
	return -1;
}

/* Change what was read, and guard what was not: it is no answer's. */
static ssize_t change(void *buf, ssize_t len, size_t size,
		      struct sockaddr_nl *from)
{
	if (len <= 0 || !armed || !armed->answers)
		return len;
	if (rnd_once_in(&armed->rnd, armed->answers)) {
		len = mutate(&armed->rnd, buf, len, size);
		if (from && rnd_once_in(&armed->rnd, 32))
			from->nl_pid = rnd_limit(&armed->rnd);
		armed->changed++;
	}
	if (__asan_poison_memory_region)
		__asan_poison_memory_region((char *)buf + len, size - len);
	return len;
}

/* Before a read that may be one of many into the same memory. */
static void unguard(void *buf, size_t size)
{
	if (__asan_unpoison_memory_region)
		__asan_unpoison_memory_region(buf, size);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	bool peek = flags & MSG_PEEK || !msg->msg_iovlen;
	struct iovec *iov = msg->msg_iov;
	ssize_t len;

	if (fault_call_fails())
		return -1;
	if (armed && armed->answers && !(flags & MSG_DONTWAIT) && is_dry(fd))
		return fail_read();
	if (!peek)
		unguard(iov->iov_base, iov->iov_len);
	len = syscall(SYS_recvmsg, fd, msg, flags);
	if (peek || msg->msg_flags & MSG_TRUNC)
		return len;
	return change(iov->iov_base, len, iov->iov_len, msg->msg_name);
}

ssize_t recvfrom(int fd, void *buf, size_t size, int flags,
		 struct sockaddr *from, socklen_t *fromlen)
{
	ssize_t len;

	if (fault_call_fails())
		return -1;
	if (armed && armed->answers && rnd_once_in(&armed->rnd, 16))
		return fail_read();
	unguard(buf, size);
	len = syscall(SYS_recvfrom, fd, buf, size, flags, from, fromlen);
	return change(buf, len, size, (struct sockaddr_nl *)from);
}

/* Nanoseconds that were waited for so far, without waiting */
static uint64_t waited;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int error = syscall(SYS_clock_gettime, clock, ts);

	if (error || clock != CLOCK_MONOTONIC)
		return error;
	ts->tv_sec += (waited + ts->tv_nsec) / 1000000000;
	ts->tv_nsec = (waited + ts->tv_nsec) % 1000000000;
	return 0;
}

/*
 * What waits for ever would do so here: it is told to end after a while. What waits for
 * some time has had it.
 */
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct timespec ts = {
		.tv_sec = timeout / 1000,
		.tv_nsec = timeout % 1000 * 1000000L,
	};
	struct fault *fault = armed;
	int ready;

	if (!fault)
		return syscall(SYS_ppoll, fds, n, timeout < 0 ? NULL : &ts,
			       NULL, 0);
	if (fault_call_fails())
		return -1;
	do {
		/* Where gcov writes at the end, it is not what is tested. */
		armed = NULL;
		if (!fault->polls--)
			raise(SIGTERM);
		fault->traffic();
		armed = fault;
		ts = (struct timespec) { };
		ready = syscall(SYS_ppoll, fds, n, &ts, NULL, 0);
	} while (!ready && timeout < 0);
	if (!ready)
		waited += timeout * 1000000ULL;
	return ready;
}
