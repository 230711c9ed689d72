// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/ipv6_route.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net_link.h"
#include "net_util.h"

int net_ns_new(void)
{
	if (unshare(CLONE_NEWNET))
		return -errno;
	return net_link_up("lo") ?: net_link_addr("lo", NET_ADDR4, 24) ?:
	       net_link_addr("lo", NET_ADDR6, 128);
}

int net_ns_open(void)
{
	/* Of this thread, which may have left that of its process. */
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static struct nl_msg *request(int type, int flags, void *hdr, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, hdr, len, NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int ack_error(struct sockaddr_nl *who, struct nlmsgerr *e, void *arg)
{
	(void)who;
	*(int *)arg = e->error;
	return NL_STOP;
}

/* Send a request, which is freed, and return what the kernel says to it. */
static int talk(struct nl_msg *msg)
{
	struct nl_sock *sk = nl_socket_alloc();
	int err = -ENOMEM;

	if (msg && sk) {
		err = nl_connect(sk, NETLINK_ROUTE);
		nl_socket_modify_err_cb(sk, NL_CB_CUSTOM, ack_error, &err);
		if (!err && nl_send_auto(sk, msg) < 0)
			err = -EIO;
		if (!err)
			nl_wait_for_ack(sk);
	}
	nl_socket_free(sk);
	nlmsg_free(msg);
	return err;
}

static struct nl_msg *new_link(const char *name)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg;

	msg = request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi,
		      sizeof(ifi));
	if (msg)
		nla_put_string(msg, IFLA_IFNAME, name);
	return msg;
}

int net_link_veth(const char *name, const char *peer, int peer_ns)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nlattr *info, *data, *end;
	struct nl_msg *msg;

	msg = new_link(name);
	if (!msg)
		return -ENOMEM;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "veth");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	end = nla_nest_start(msg, VETH_INFO_PEER);
	nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO);
	nla_put_string(msg, IFLA_IFNAME, peer);
	nla_put_u32(msg, IFLA_NET_NS_FD, peer_ns);
	nla_nest_end(msg, end);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return talk(msg);
}

int net_link_dummy(const char *name)
{
	struct nlattr *info;
	struct nl_msg *msg;

	msg = new_link(name);
	if (!msg)
		return -ENOMEM;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "dummy");
	nla_nest_end(msg, info);
	return talk(msg) ?: net_link_up(name);
}

int net_link_vrf(const char *name, unsigned int table)
{
	struct nlattr *info, *data;
	struct nl_msg *msg;
	int err;

	msg = new_link(name);
	if (!msg)
		return -ENOMEM;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "vrf");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u32(msg, IFLA_VRF_TABLE, table);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	err = talk(msg);
	return err ? err : net_link_up(name);
}

int net_link_vxlan6(const char *name, unsigned int id, const char *local,
		    in_port_t port)
{
	struct nlattr *info, *data;
	union net_addr addr;
	struct nl_msg *msg;
	int err;

	if (net_addr_set(&addr, local, port))
		return -EINVAL;
	msg = new_link(name);
	if (!msg)
		return -ENOMEM;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "vxlan");
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	nla_put_u32(msg, IFLA_VXLAN_ID, id);
	nla_put(msg, IFLA_VXLAN_LOCAL6, sizeof(addr.in6.sin6_addr),
		&addr.in6.sin6_addr);
	nla_put_u16(msg, IFLA_VXLAN_PORT, addr.in6.sin6_port);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	err = talk(msg);
	return err ? err : net_link_up(name);
}

int net_link_del(const char *name)
{
	struct ifinfomsg ifi = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = if_nametoindex(name),
	};

	return talk(request(RTM_DELLINK, 0, &ifi, sizeof(ifi)));
}

/* Set flags of a device to those in @flags, and an attribute unless it is 0. */
static int set_link(const char *name, unsigned int flags, unsigned int change,
		    int attr, unsigned int value)
{
	struct ifinfomsg ifi = {
		.ifi_family = AF_UNSPEC,
		.ifi_index = if_nametoindex(name),
		.ifi_flags = flags,
		.ifi_change = change,
	};
	struct nl_msg *msg;

	msg = request(RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	if (msg && attr)
		nla_put_u32(msg, attr, value);
	return talk(msg);
}

int net_link_enslave(const char *name, const char *master)
{
	return set_link(name, 0, 0, IFLA_MASTER, if_nametoindex(master));
}

static int local_rule(int type, int flags, int family, unsigned int priority)
{
	struct fib_rule_hdr rule = {
		.family = family,
		.table = RT_TABLE_LOCAL,
		.action = FR_ACT_TO_TBL,
	};
	struct nl_msg *msg = request(type, flags, &rule, sizeof(rule));

	if (msg)
		nla_put_u32(msg, FRA_PRIORITY, priority);
	return talk(msg);
}

int net_link_vrf_first(void)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int i, err = 0;

	for (i = 0; i < 2 && !err; i++) {
		err = local_rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL,
				 families[i], 32765);
		if (!err)
			err = local_rule(RTM_DELRULE, 0, families[i], 0);
	}
	return err;
}

int net_link_up(const char *name)
{
	return set_link(name, IFF_UP, IFF_UP, 0, 0);
}

int net_link_down(const char *name)
{
	return set_link(name, 0, IFF_UP, 0, 0);
}

int net_link_mtu(const char *name, unsigned int mtu)
{
	return set_link(name, 0, 0, IFLA_MTU, mtu);
}

int net_ioctl(unsigned long request, struct ifreq *ifr)
{
	int fd, err = 0;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, request, ifr))
		err = -errno;
	close(fd);
	return err;
}

/* An IPv6 address is added at once, its route a little later. */
static bool routed(const char *name, const struct in6_addr *addr,
		   unsigned int flag)
{
	char line[256], dest[33], dev[IFNAMSIZ], want[33];
	unsigned int len, flags;
	bool found = false;
	FILE *f;
	int i;

	for (i = 0; i < 16; i++)
		sprintf(want + 2 * i, "%02x", addr->s6_addr[i]);
	f = fopen("/proc/thread-self/net/ipv6_route", "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		found = sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %x %15s",
			       dest, &len, &flags, dev) == 4 &&
			len == 128 && flags & flag &&
			!strcmp(dest, want) && !strcmp(dev, name);
	}
	if (f)
		fclose(f);
	return found;
}

int net_link_addr(const char *name, const char *text, int prefixlen)
{
	struct ifaddrmsg ifa = {
		.ifa_prefixlen = prefixlen,
		.ifa_flags = IFA_F_NODAD,
		.ifa_index = if_nametoindex(name),
	};
	union net_addr addr;
	struct nl_msg *msg;
	const void *bytes;
	int len, err;

	if (net_addr_set(&addr, text, 0))
		return -EINVAL;
	ifa.ifa_family = addr.sa.sa_family;
	if (addr.sa.sa_family == AF_INET) {
		bytes = &addr.in.sin_addr;
		len = sizeof(addr.in.sin_addr);
	} else {
		bytes = &addr.in6.sin6_addr;
		len = sizeof(addr.in6.sin6_addr);
	}

	msg = request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &ifa,
		      sizeof(ifa));
	if (msg) {
		nla_put(msg, IFA_LOCAL, len, bytes);
		nla_put(msg, IFA_ADDRESS, len, bytes);
	}
	err = talk(msg);
	if (err || addr.sa.sa_family == AF_INET)
		return err;
	return net_wait_for(routed(name, &addr.in6.sin6_addr, RTF_LOCAL),
			    NET_TIMEOUT_MS) ? 0 : -ETIMEDOUT;
}

int net_link_wait_anycast(const char *name, const char *text)
{
	struct in6_addr addr;

	if (inet_pton(AF_INET6, text, &addr) != 1)
		return -EINVAL;
	return net_wait_for(routed(name, &addr, RTF_ANYCAST), NET_TIMEOUT_MS) ?
	       0 : -ETIMEDOUT;
}

static int addresses(const char *name, const char *const addrs[2])
{
	return net_link_up(name) ?: net_link_addr(name, addrs[0], 24) ?:
	       net_link_addr(name, addrs[1], 64);
}

int net_link_neighbour(const char *const here[2], const char *const there[2])
{
	int home, away = -1, err;

	home = net_ns_open();
	if (home < 0)
		return home;
	err = unshare(CLONE_NEWNET) ? -errno : 0;
	if (!err) {
		away = net_ns_open();
		err = away < 0 ? away : 0;
	}
	if (setns(home, CLONE_NEWNET) && !err)
		err = -errno;
	if (!err)
		err = net_link_veth("veth0", "veth1", away);
	if (!err)
		err = addresses("veth0", here);
	if (!err && setns(away, CLONE_NEWNET))
		err = -errno;
	if (!err)
		err = addresses("veth1", there);
	if (setns(home, CLONE_NEWNET) && !err)
		err = -errno;
	close(home);
	if (!err)
		return away;
	if (away >= 0)
		close(away);
	return err;
}
