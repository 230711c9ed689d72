// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <linux/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "net_util.h"

int net_become_nobody(void)
{
	const gid_t nobody = 65534;

	if (setgroups(0, NULL) || setresgid(nobody, nobody, nobody) ||
	    setresuid(nobody, nobody, nobody))
		return -errno;
	return 0;
}

pid_t net_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

int net_write_file(const char *path, const char *text)
{
	ssize_t len = strlen(text);
	int fd, err = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != len)
		err = -errno;
	close(fd);
	return err;
}

int net_sysctl(const char *path, int value)
{
	char file[128], text[16];

	snprintf(file, sizeof(file), "/proc/sys/net/%s", path);
	snprintf(text, sizeof(text), "%d", value);
	return net_write_file(file, text);
}

__s64 net_netstat(const char *section, const char *field)
{
	size_t len = strlen(section);
	char names[8192], values[8192], *n, *v, *np, *vp;
	__s64 ret = -ENOENT;
	FILE *f;

	/* Not /proc/net: that is the namespace of the thread group's leader. */
	f = fopen("/proc/thread-self/net/netstat", "re");
	if (!f)
		return -errno;
	while (ret < 0 && fgets(names, sizeof(names), f) &&
	       fgets(values, sizeof(values), f)) {
		if (strncmp(names, section, len) || names[len] != ':')
			continue;
		n = strtok_r(names, "\n ", &np);
		v = strtok_r(values, "\n ", &vp);
		while (n && v && strcmp(n, field)) {
			n = strtok_r(NULL, "\n ", &np);
			v = strtok_r(NULL, "\n ", &vp);
		}
		if (n && v)
			ret = strtoll(v, NULL, 10);
	}
	fclose(f);
	return ret;
}

int net_addr_set(union net_addr *addr, const char *text, in_port_t port)
{
	const char *scope = strchr(text, '%');
	char host[INET6_ADDRSTRLEN];

	memset(addr, 0, sizeof(*addr));
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(text, "%"), text);
	if (!scope && inet_pton(AF_INET, host, &addr->in.sin_addr) == 1) {
		addr->in.sin_family = AF_INET;
		addr->in.sin_port = htons(port);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &addr->in6.sin6_addr) == 1) {
		addr->in6.sin6_family = AF_INET6;
		addr->in6.sin6_port = htons(port);
		if (scope)
			addr->in6.sin6_scope_id = if_nametoindex(scope + 1);
		return scope && !addr->in6.sin6_scope_id ? -ENODEV : 0;
	}
	return -EINVAL;
}

socklen_t net_addr_len(const union net_addr *addr)
{
	return addr->sa.sa_family == AF_INET ? sizeof(addr->in) :
					       sizeof(addr->in6);
}

bool net_addr_eq(const union net_addr *a, const union net_addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return a->in6.sin6_port == b->in6.sin6_port &&
	       IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
}

bool net_addr_mapped(const union net_addr *addr)
{
	return addr->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr);
}

union net_addr net_local(int fd)
{
	union net_addr addr = { };
	socklen_t len = sizeof(addr);

	getsockname(fd, &addr.sa, &len);
	return addr;
}

union net_addr net_peer(int fd)
{
	union net_addr addr = { };
	socklen_t len = sizeof(addr);

	getpeername(fd, &addr.sa, &len);
	return addr;
}

in_port_t net_port(int fd)
{
	union net_addr addr = net_local(fd);

	/* The port lies at the same place in both forms of an address. */
	return ntohs(addr.in.sin_port);
}

__u64 net_cookie(int fd)
{
	__u64 cookie = 0;
	socklen_t len = sizeof(cookie);

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len);
	return cookie;
}

int net_protocol(int fd)
{
	socklen_t len = sizeof(int);
	int protocol = 0;

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	return protocol;
}

int net_v6only(int fd)
{
	socklen_t len = sizeof(int);
	int value = -1;

	getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len);
	return value;
}

int net_setsockopt(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

static int fail(int fd)
{
	int err = -errno;

	close(fd);
	return err;
}

int net_server(int type, const char *text, in_port_t port, unsigned int flags)
{
	union net_addr addr;
	int fd;

	if (net_addr_set(&addr, text, port))
		return -EINVAL;
	fd = socket(addr.sa.sa_family, type | SOCK_CLOEXEC,
		    flags & NET_MPTCP ? IPPROTO_MPTCP : 0);
	if (fd < 0)
		return -errno;

	if ((flags & NET_V6ONLY &&
	     net_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) ||
	    (flags & NET_DUAL &&
	     net_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0)) ||
	    (flags & NET_REUSEPORT &&
	     net_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1)) ||
	    (flags & NET_REUSEADDR &&
	     net_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1)) ||
	    (flags & NET_ON_LO &&
	     setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2)) ||
	    bind(fd, &addr.sa, net_addr_len(&addr)))
		return fail(fd);
	if (type == SOCK_STREAM &&
	    ((flags & NET_FASTOPEN &&
	      net_setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, 64)) ||
	     listen(fd, 128)))
		return fail(fd);
	return fd;
}

/*
 * A socket bound to a local address, before it talks to that address.
 *
 * Where no IPv4 socket holds the port, the kernel may choose just that one for
 * an IPv4 client, which would then talk to itself.
 */
static int client_bound(int type, int protocol, const char *text,
			in_port_t port, union net_addr *to)
{
	int fd, itself = -1;
	union net_addr from;

	if (net_addr_set(&from, text, 0) || net_addr_set(to, text, port))
		return -EINVAL;
	for (;;) {
		fd = socket(from.sa.sa_family, type | SOCK_CLOEXEC, protocol);
		if (fd < 0)
			fd = -errno;
		else if (bind(fd, &from.sa, net_addr_len(&from)))
			fd = fail(fd);
		if (fd < 0 || net_port(fd) != port)
			break;
		/* Held until another port is found. */
		itself = fd;
	}
	if (itself >= 0)
		close(itself);
	return fd;
}

static int client_connected(int type, int protocol, const char *text,
			    in_port_t port, union net_addr *self)
{
	union net_addr to;
	int fd;

	fd = client_bound(type, protocol, text, port, &to);
	if (fd < 0)
		return fd;
	if (self)
		*self = net_local(fd);
	return connect(fd, &to.sa, net_addr_len(&to)) ? fail(fd) : fd;
}

int net_client(int type, const char *text, in_port_t port,
	       union net_addr *self)
{
	return client_connected(type, 0, text, port, self);
}

int net_client_mptcp(const char *text, in_port_t port)
{
	return client_connected(SOCK_STREAM, IPPROTO_MPTCP, text, port, NULL);
}

int net_client_fastopen(const char *text, in_port_t port, const void *data,
			size_t len)
{
	union net_addr to;
	int fd;

	fd = client_bound(SOCK_STREAM, 0, text, port, &to);
	if (fd < 0)
		return fd;
	if (sendto(fd, data, len, MSG_FASTOPEN, &to.sa, net_addr_len(&to)) < 0)
		return fail(fd);
	return fd;
}

int net_bind(int fd, const char *text, in_port_t port)
{
	union net_addr addr;

	if (net_addr_set(&addr, text, port))
		return -EINVAL;
	return bind(fd, &addr.sa, net_addr_len(&addr)) ? -errno : 0;
}

int net_connect(int fd, const char *text, in_port_t port)
{
	union net_addr addr;

	if (net_addr_set(&addr, text, port))
		return -EINVAL;
	return connect(fd, &addr.sa, net_addr_len(&addr)) ? -errno : 0;
}

int net_sendto(int fd, const char *text, in_port_t port, int flags)
{
	union net_addr addr;

	if (net_addr_set(&addr, text, port))
		return -EINVAL;
	return sendto(fd, "x", 1, flags, &addr.sa, net_addr_len(&addr)) < 0 ?
	       -errno : 0;
}

int net_refused_on(int fd, int type, const union net_addr *to)
{
	int err = connect(fd, &to->sa, net_addr_len(to)) ? -errno : 0;
	char c = 0;

	if (!err && type == SOCK_DGRAM) {
		if (send(fd, &c, 1, 0) < 0)
			err = -errno;
		else
			err = net_wait_in(fd, NET_TIMEOUT_MS);
		if (!err && recv(fd, &c, 1, MSG_DONTWAIT) < 0)
			err = -errno;
	}
	close(fd);
	return err == -ECONNREFUSED ? 1 : err;
}

int net_refused(int type, const char *text, in_port_t port,
		union net_addr *self)
{
	union net_addr to;
	int fd;

	fd = client_bound(type, 0, text, port, &to);
	if (fd < 0)
		return fd;
	if (self)
		*self = net_local(fd);
	return net_refused_on(fd, type, &to);
}

int net_wait_in(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n = poll(&pfd, 1, timeout_ms);

	if (n < 0)
		return -errno;
	return n ? 0 : -ETIMEDOUT;
}

int net_accept(int fd, union net_addr *peer)
{
	union net_addr addr = { };
	socklen_t len = sizeof(addr);
	int err, conn;

	err = net_wait_in(fd, NET_TIMEOUT_MS);
	if (err)
		return err;
	conn = accept4(fd, &addr.sa, &len, SOCK_CLOEXEC);
	if (conn < 0)
		return -errno;
	if (peer)
		*peer = addr;
	return conn;
}

int net_raw_udp(const char *text)
{
	union net_addr from;
	int fd;

	if (net_addr_set(&from, text, 0))
		return -EINVAL;
	fd = socket(from.sa.sa_family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0)
		return -errno;
	/* IPv4 does without a checksum. */
	if ((from.sa.sa_family == AF_INET6 &&
	     net_setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM,
			    offsetof(struct udphdr, check))) ||
	    bind(fd, &from.sa, net_addr_len(&from)))
		return fail(fd);
	return fd;
}

int net_raw_udp_send(int fd, in_port_t port, const void *data, size_t len)
{
	static unsigned int n;
	struct udphdr uh = {
		.source = htons(20000 + n++ % 10000),
		.dest = htons(port),
		.len = htons(sizeof(uh) + len),
	};
	struct iovec iov[] = {
		{ .iov_base = &uh, .iov_len = sizeof(uh) },
		{ .iov_base = (void *)data, .iov_len = len },
	};
	union net_addr to = net_local(fd);
	struct msghdr msg = {
		.msg_name = &to,
		.msg_namelen = net_addr_len(&to),
		.msg_iov = iov,
		.msg_iovlen = 2,
	};

	/* The protocol, which a raw socket has for a port. */
	to.in.sin_port = 0;
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 0;
}

int net_send_to(const char *text, in_port_t port, const void *data, size_t len)
{
	int err, fd = net_raw_udp(text);

	if (fd < 0)
		return fd;
	err = net_raw_udp_send(fd, port, data, len);
	close(fd);
	return err;
}

void net_close_reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

__u64 net_clock_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

__u64 net_now_ms(void)
{
	return net_clock_ms(CLOCK_MONOTONIC);
}

__u64 net_real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

void net_nap(void)
{
	struct timespec ts = { .tv_nsec = 10 * 1000 * 1000 };

	nanosleep(&ts, NULL);
}
