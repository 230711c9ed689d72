// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings: what they do, which values they take, and who may set them.
 */
#include <grp.h>
#include <netlink/msg.h>
#include <sched.h>
#include <sys/wait.h>

#include "lib/test.h"

#define NOBODY	65534

FIXTURE(control)
{
	struct fam ds;
};

FIXTURE_SETUP(control)
{
	if (!test_setup(_metadata, &self->ds))
		return;
	ASSERT_EQ(0, net_sysctl("ipv4/icmp_ratemask", 0));
}

FIXTURE_TEARDOWN(control)
{
	fam_close(&self->ds);
}

static void expect_config(struct __test_metadata *_metadata, struct fam *ds,
			  const struct fam_config *want)
{
	struct fam_config got;

	ASSERT_EQ(0, fam_config_get(ds, &got));
	EXPECT_EQ(want->tracking, got.tracking);
	EXPECT_EQ(want->max_sockets, got.max_sockets);
	EXPECT_EQ(want->event_rate, got.event_rate);
	EXPECT_EQ(want->bindv6only, got.bindv6only);
}

/* What a fresh namespace has is what is said to be the defaults. */
TEST_F_TIMEOUT(control, defaults, TEST_TIMEOUT)
{
	struct fam_config defaults, mine;

	ASSERT_EQ(0, fam_config_defaults(&self->ds, &defaults));
	EXPECT_TRUE(defaults.tracking);
	EXPECT_EQ(131072, defaults.max_sockets);
	EXPECT_EQ(1000, defaults.event_rate);
	EXPECT_FALSE(defaults.bindv6only);
	ASSERT_EQ(0, fam_config_get(&self->ds, &mine));
	EXPECT_FALSE(mine.numbered);
	expect_config(_metadata, &self->ds, &defaults);
}

/* Each is read back as it was set, in its own namespace and in no other. */
TEST_F_TIMEOUT(control, separate, TEST_TIMEOUT)
{
	struct fam_config defaults, want;
	struct fam other;

	ASSERT_EQ(0, fam_config_defaults(&self->ds, &defaults));
	want = defaults;

	want.max_sockets = 7;
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    7));
	expect_config(_metadata, &self->ds, &want);
	want.event_rate = 8;
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    8));
	expect_config(_metadata, &self->ds, &want);
	want.bindv6only = true;
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_BINDV6ONLY,
				    1));
	expect_config(_metadata, &self->ds, &want);

	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&other));
	expect_config(_metadata, &other, &defaults);
	expect_config(_metadata, &self->ds, &want);
	fam_close(&other);
}

static int v6only(void)
{
	socklen_t len = sizeof(int);
	int fd, value = -1;

	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &len);
	close(fd);
	return value;
}

TEST_F_TIMEOUT(control, bindv6only, TEST_TIMEOUT)
{
	struct fam_config config;
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, fam_config_set(&self->ds,
					    DUALSTACK_A_CONFIG_BINDV6ONLY,
					    i % 2));
		EXPECT_EQ(i % 2, v6only());
	}
	/* It is the sysctl: that one shows here as well. */
	ASSERT_EQ(0, net_sysctl("ipv6/bindv6only", 0));
	ASSERT_EQ(0, fam_config_get(&self->ds, &config));
	EXPECT_FALSE(config.bindv6only);
}

/* Further sockets count in the sums, and as untracked. */
TEST_F_TIMEOUT(control, max_sockets, TEST_TIMEOUT)
{
	struct fam_counters seen[4] = { }, sums = { };
	struct fam_stats stats;
	int fd[4], i;

	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    2));
	for (i = 0; i < 4; i++) {
		fd[i] = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
		ASSERT_LE(0, fd[i]);
		test_serve(_metadata, SOCK_DGRAM, fd[i], "127.0.0.1", &seen[i]);
		fam_counters_add(&sums, &seen[i]);
	}
	test_expect_socket(_metadata, &self->ds, fd[0], &seen[0]);
	test_expect_socket(_metadata, &self->ds, fd[1], &seen[1]);
	test_expect_none(_metadata, &self->ds, fd[2]);
	test_expect_none(_metadata, &self->ds, fd[3]);
	ASSERT_EQ(0, fam_stats_get(&self->ds, 0, &stats));
	test_expect_counters(_metadata, "sums", &sums, &stats.counters, 0, 0);
	EXPECT_EQ(2, stats.tracked);
	EXPECT_EQ(2, stats.untracked);

	/* A limit below what there are takes none away. */
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    1));
	test_serve(_metadata, SOCK_DGRAM, fd[1], "127.0.0.1", &seen[1]);
	test_expect_socket(_metadata, &self->ds, fd[1], &seen[1]);
	EXPECT_EQ(2, fam_socket_count(&self->ds));

	/* From here on there is room, and the socket starts at its next event. */
	ASSERT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    3));
	memset(&seen[2], 0, sizeof(seen[2]));
	test_serve(_metadata, SOCK_DGRAM, fd[2], "127.0.0.1", &seen[2]);
	test_expect_socket(_metadata, &self->ds, fd[2], &seen[2]);
	for (i = 0; i < 4; i++)
		close(fd[i]);
}

/* Absurd values are refused in words, and then nothing at all changes. */
TEST_F_TIMEOUT(control, refused_values, TEST_TIMEOUT)
{
	static const struct {
		int attr;
		__u32 value;
	} bad[] = {
		{ DUALSTACK_A_CONFIG_TRACKING, 2 },
		{ DUALSTACK_A_CONFIG_MAX_SOCKETS, 1048577 },
		{ DUALSTACK_A_CONFIG_MAX_SOCKETS, ~0U },
		{ DUALSTACK_A_CONFIG_EVENT_RATE, 1000001 },
		{ DUALSTACK_A_CONFIG_BINDV6ONLY, 2 },
	};
	struct fam_config before;
	struct nl_msg *msg;
	size_t i;
	int err;

	ASSERT_EQ(0, fam_config_get(&self->ds, &before));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		msg = fam_msg(&self->ds, DUALSTACK_CMD_CONFIG_SET, 0);
		ASSERT_NE(NULL, msg);
		/* Good ones beside it, before and after. */
		if (bad[i].attr != DUALSTACK_A_CONFIG_MAX_SOCKETS)
			fam_put_setting(msg, DUALSTACK_A_CONFIG_MAX_SOCKETS, 5);
		fam_put_setting(msg, bad[i].attr, bad[i].value);
		if (bad[i].attr != DUALSTACK_A_CONFIG_BINDV6ONLY)
			fam_put_setting(msg, DUALSTACK_A_CONFIG_BINDV6ONLY, 1);
		err = fam_talk(&self->ds, msg, NULL, NULL);
		EXPECT_TRUE(err == -EINVAL || err == -ERANGE)
			TH_LOG("attribute %d: %d", bad[i].attr, err);
		EXPECT_STRNE("", self->ds.extack);
		TH_LOG("%s", self->ds.extack);
		expect_config(_metadata, &self->ds, &before);
	}
	/* The largest there are. */
	EXPECT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
				    1048576));
	EXPECT_EQ(0, fam_config_set(&self->ds, DUALSTACK_A_CONFIG_EVENT_RATE,
				    1000000));
}

/* Without a setting there is nothing to do. */
TEST_F_TIMEOUT(control, nothing, TEST_TIMEOUT)
{
	struct fam_config before;

	ASSERT_EQ(0, fam_config_get(&self->ds, &before));
	EXPECT_EQ(0, fam_talk(&self->ds,
			      fam_msg(&self->ds, DUALSTACK_CMD_CONFIG_SET, 0),
			      NULL, NULL));
	expect_config(_metadata, &self->ds, &before);
}

static void become_nobody(struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, setgroups(0, NULL));
	ASSERT_EQ(0, setresgid(NOBODY, NOBODY, NOBODY));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
}

/* All that changes anything is refused; what was before stays. */
static void expect_eperm(struct __test_metadata *_metadata, struct fam *ds)
{
	static const int attrs[] = {
		DUALSTACK_A_CONFIG_TRACKING, DUALSTACK_A_CONFIG_MAX_SOCKETS,
		DUALSTACK_A_CONFIG_EVENT_RATE, DUALSTACK_A_CONFIG_BINDV6ONLY,
	};
	struct fam_config before;
	size_t i;

	ASSERT_EQ(0, fam_config_get(ds, &before));
	for (i = 0; i < ARRAY_SIZE(attrs); i++)
		EXPECT_EQ(-EPERM, fam_config_set(ds, attrs[i], 0))
			TH_LOG("attribute %d", attrs[i]);
	EXPECT_EQ(-EPERM, fam_reset(ds, 0));
	EXPECT_EQ(-EPERM, fam_reset(ds, 1));
	expect_config(_metadata, ds, &before);
}

/* Anybody may read settings, and nobody but root may change them. */
TEST_F_TIMEOUT(control, unprivileged, TEST_TIMEOUT)
{
	struct fam ds;

	become_nobody(_metadata);
	ASSERT_EQ(0, fam_open(&ds));
	expect_eperm(_metadata, &ds);
	fam_close(&ds);
}

/* Capabilities in a user namespace count for the namespaces that it owns. */
TEST_F_TIMEOUT(control, user_namespace, TEST_TIMEOUT)
{
	struct fam_counters seen = { }, none = { };
	struct fam_config config;
	struct nl_msg *msg;
	struct fam ds;
	int fd;

	become_nobody(_metadata);
	if (unshare(CLONE_NEWUSER)) {
		TH_LOG("no user namespaces for users: %s", strerror(errno));
		return;
	}
	/* Root there, but the network is still that of the parent. */
	ASSERT_EQ(0, fam_open(&ds));
	expect_eperm(_metadata, &ds);
	fam_close(&ds);

	ASSERT_EQ(0, net_ns_new());
	ASSERT_EQ(0, fam_open(&ds));
	EXPECT_EQ(0, fam_config_set(&ds, DUALSTACK_A_CONFIG_MAX_SOCKETS, 3));
	EXPECT_EQ(0, fam_config_set(&ds, DUALSTACK_A_CONFIG_EVENT_RATE, 4));
	EXPECT_EQ(0, fam_config_set(&ds, DUALSTACK_A_CONFIG_BINDV6ONLY, 1));
	EXPECT_EQ(1, v6only());

	/* No more than a namespace starts with. */
	EXPECT_EQ(-EPERM, fam_config_set(&ds, DUALSTACK_A_CONFIG_MAX_SOCKETS,
					 131073));
	EXPECT_EQ(-EPERM, fam_config_set(&ds, DUALSTACK_A_CONFIG_EVENT_RATE,
					 1001));

	/* Tracking is for all, and takes the rest of the request with it. */
	msg = fam_msg(&ds, DUALSTACK_CMD_CONFIG_SET, 0);
	ASSERT_NE(NULL, msg);
	fam_put_setting(msg, DUALSTACK_A_CONFIG_MAX_SOCKETS, 9);
	fam_put_setting(msg, DUALSTACK_A_CONFIG_TRACKING, 0);
	EXPECT_EQ(-EPERM, fam_talk(&ds, msg, NULL, NULL));
	EXPECT_STRNE("", ds.extack);
	/* Even where it would change nothing. */
	EXPECT_EQ(-EPERM, fam_config_set(&ds, DUALSTACK_A_CONFIG_TRACKING, 1));
	ASSERT_EQ(0, fam_config_get(&ds, &config));
	EXPECT_TRUE(config.tracking);
	EXPECT_EQ(3, config.max_sockets);
	EXPECT_EQ(4, config.event_rate);
	EXPECT_TRUE(config.bindv6only);

	fd = net_server(SOCK_DGRAM, "::", 0, NET_DUAL);
	ASSERT_LE(0, fd);
	test_serve(_metadata, SOCK_DGRAM, fd, "127.0.0.1", &seen);
	test_expect_socket(_metadata, &ds, fd, &seen);
	EXPECT_EQ(0, fam_reset(&ds, net_cookie(fd)));
	test_expect_sums(_metadata, &ds, &seen);
	EXPECT_EQ(0, fam_reset(&ds, 0));
	test_expect_sums(_metadata, &ds, &none);
	close(fd);
	fam_close(&ds);
}

TEST_HARNESS_MAIN
