// SPDX-License-Identifier: GPL-2.0-only
/*
 * bind() to an IPv4-mapped address with IPV6_V6ONLY: reject_bind, against the result
 * that the call had.
 */
#include <linux/capability.h>
#include <sys/syscall.h>

#include "lib/outbound.h"

FIXTURE(bind)
{
	struct outbound o;
};

FIXTURE_VARIANT(bind)
{
	int type;
};

FIXTURE_VARIANT_ADD(bind, tcp) { .type = SOCK_STREAM, };
FIXTURE_VARIANT_ADD(bind, udp) { .type = SOCK_DGRAM, };

FIXTURE_SETUP(bind)
{
	if (outbound_setup(_metadata, &self->o, AF_INET6, variant->type))
		outbound_v6only(_metadata, &self->o);
}

FIXTURE_TEARDOWN(bind)
{
	outbound_teardown(&self->o);
}

TEST_F_TIMEOUT(bind, mapped, TEST_TIMEOUT)
{
	static const char *const addrs[] = {
		"::ffff:127.0.0.1", "::ffff:" NET_ADDR4, "::ffff:0.0.0.0",
		"::ffff:" OUTBOUND_UNROUTED,
	};
	struct outbound *o = &self->o;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		EXPECT_EQ(-EINVAL, net_bind(o->fd, addrs[i], 0));
		OUTBOUND_SAW(o, REJECT_BIND);
	}
	outbound_expect(_metadata, o);
	/* There is no peer yet. */
	outbound_expect_last(_metadata, o, NULL, NULL, 0);

	/* It can still be bound; then EINVAL means that it is. */
	ASSERT_EQ(0, net_bind(o->fd, "::", 0));
	EXPECT_EQ(-EINVAL, net_bind(o->fd, "::ffff:127.0.0.1", 0));
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(bind, connected, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	int server;

	server = net_server(variant->type, "::1", 0, 0);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_connect(o->fd, "::1", net_port(server)));
	OUTBOUND_SAW(o, NATIVE_CONNECT);
	ASSERT_EQ(1, send(o->fd, "x", 1, 0));
	EXPECT_EQ(-EINVAL, net_bind(o->fd, "::ffff:127.0.0.1", 0));
	outbound_serve_native(_metadata, o, variant->type, server);
	close(server);
}

TEST_F_TIMEOUT(bind, native, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-EADDRNOTAVAIL, net_bind(o->fd, "2001:db8::2", 0));
	EXPECT_EQ(0, net_bind(o->fd, NET_ADDR6, 0));
	outbound_expect(_metadata, o);
}

/* Without V6ONLY it is an address like any other. */
TEST_F_TIMEOUT(bind, dual, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-EINVAL, net_bind(o->fd, "::ffff:127.0.0.1", 0));
	OUTBOUND_SAW(o, REJECT_BIND);
	ASSERT_EQ(0, net_setsockopt(o->fd, IPPROTO_IPV6, IPV6_V6ONLY, 0));
	EXPECT_EQ(-EADDRNOTAVAIL, net_bind(o->fd, "::ffff:" OUTBOUND_UNROUTED, 0));
	EXPECT_EQ(0, net_bind(o->fd, "::ffff:127.0.0.1", 0));
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(bind, bindv6only, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	ASSERT_EQ(0, net_sysctl("ipv6/bindv6only", 1));
	close(o->fd);
	o->fd = socket(AF_INET6, variant->type | SOCK_CLOEXEC, 0);
	ASSERT_LE(0, o->fd);
	EXPECT_EQ(-EINVAL, net_bind(o->fd, "::ffff:127.0.0.1", 0));
	OUTBOUND_SAW(o, REJECT_BIND);
	outbound_expect(_metadata, o);
}

TEST_F_TIMEOUT(bind, invalid, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;
	union net_addr addr;

	net_addr_set(&addr, "::ffff:127.0.0.1", 0);
	EXPECT_EQ(-1, bind(o->fd, &addr.sa, OUTBOUND_SHORT_LEN));
	EXPECT_EQ(EINVAL, errno);
	addr.sa.sa_family = AF_INET;
	EXPECT_EQ(-1, bind(o->fd, &addr.sa, sizeof(addr.in6)));
	EXPECT_EQ(EAFNOSUPPORT, errno);
	outbound_expect(_metadata, o);
}

static int drop_bind_service(void)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &hdr, data))
		return -errno;
	data[0].effective &= ~(1U << CAP_NET_BIND_SERVICE);
	return syscall(SYS_capset, &hdr, data) ? -errno : 0;
}

/* The first error is the one that the application sees. */
TEST_F_TIMEOUT(bind, privileged_port, TEST_TIMEOUT)
{
	struct outbound *o = &self->o;

	EXPECT_EQ(-EINVAL, net_bind(o->fd, "::ffff:127.0.0.1", 80));
	OUTBOUND_SAW(o, REJECT_BIND);
	outbound_expect(_metadata, o);

	ASSERT_EQ(0, drop_bind_service());
	EXPECT_EQ(-EACCES, net_bind(o->fd, "::ffff:127.0.0.1", 80));
	outbound_expect(_metadata, o);

	EXPECT_EQ(-EINVAL, net_bind(o->fd, "::ffff:127.0.0.1", 8080));
	OUTBOUND_SAW(o, REJECT_BIND);
	ASSERT_EQ(0, net_sysctl("ipv4/ip_unprivileged_port_start", 80));
	EXPECT_EQ(-EINVAL, net_bind(o->fd, "::ffff:127.0.0.1", 80));
	OUTBOUND_SAW(o, REJECT_BIND);
	outbound_expect(_metadata, o);
}

TEST_HARNESS_MAIN
