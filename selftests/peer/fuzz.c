// SPDX-License-Identifier: GPL-2.0-only
/*
 * Send requests to the netlink family: such as it describes, nearly such, and
 * others; by root, by nobody, and by root of a user namespace of its own.
 *
 *   fuzz [-k] [-n MESSAGES] [-t SECONDS] [-s SEED]
 *
 * Each sender sends MESSAGES, or for SECONDS. With -k tracking stays on, so that
 * others can count meanwhile. The module may come and go.
 *
 * It fails where a valid request was never answered, or answered to whom it should
 * not be. That the kernel survives is for its log to tell.
 */
#include <errno.h>
#include <grp.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/socket.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"

#include "../lib/family.h"
#include "../lib/fuzz_spec.h"
#include "../lib/net_link.h"
#include "../lib/net_util.h"

#define NOBODY		65534
#define BATCH		64	/* messages in one send() at most */
#define MAX_LEN		4096	/* of one message, about */
#define TARGETS		6
/* However slow the machine is, so many that each request was made. */
#define MIN_MESSAGES	4000
#define LATE_MS		300000

/* In nlmsg_seq: the message was left as the spec wants it, and its operation. */
#define SEQ_VALID	0xd5a10000

enum who { ROOT, USER, CHILD_ROOT, N_WHO };

static const char *const names[] = { "root", "nobody", "root of a child" };

static bool keep_tracking;

/**
 * struct sender - one who sends
 * @who: with which rights
 * @ds: its connection
 * @state: of its random numbers
 * @sent: messages
 * @errors: how many were refused
 * @done: how often a valid request was done, by operation
 * @denied: how often one was refused for want of rights
 * @cmd: the operation of the message that is made
 * @right: it is to be granted
 * @buf: a batch
 * @len: its length
 */
struct sender {
	enum who who;
	struct fam ds;
	__u64 state;
	unsigned long sent;
	unsigned long errors;
	unsigned long done[ARRAY_SIZE(fuzz_ops)];
	unsigned long denied[ARRAY_SIZE(fuzz_ops)];
	__u8 cmd;
	bool right;
	bool late;
	char buf[BATCH * MAX_LEN];
	size_t len;
};

/* Sockets in the sender's namespace, for requests about them. */
static struct target {
	int fd;
	int type;
	__u64 cookie;
	in_port_t port;
} targets[TARGETS];

static __u32 rnd(struct sender *s, __u32 n)
{
	s->state ^= s->state >> 12;
	s->state ^= s->state << 25;
	s->state ^= s->state >> 27;
	return (s->state * 2685821657736338717ULL >> 33) % n;
}

static void open_targets(void)
{
	static const struct {
		int type;
		const char *addr;
		unsigned int flags;
	} kinds[TARGETS] = {
		{ SOCK_STREAM, "::", NET_DUAL },
		{ SOCK_DGRAM, "::", NET_DUAL },
		{ SOCK_STREAM, "::", NET_V6ONLY },
		{ SOCK_DGRAM, "::", NET_V6ONLY | NET_REUSEPORT },
		{ SOCK_DGRAM, "::1", 0 },
		{ SOCK_DGRAM, "127.0.0.1", 0 },
	};
	int i;

	for (i = 0; i < TARGETS; i++) {
		targets[i].type = kinds[i].type;
		targets[i].fd = net_server(kinds[i].type, kinds[i].addr, 0,
					   kinds[i].flags);
		targets[i].cookie = net_cookie(targets[i].fd);
		targets[i].port = net_port(targets[i].fd);
	}
}

/* An event for one of them, so that there are records and refusals to speak of. */
static void make_event(struct sender *s)
{
	struct target *t = &targets[rnd(s, TARGETS)];
	int client;
	char c;

	if (t->type != SOCK_DGRAM)
		return;
	/* Not net_send_to(): nobody may not have a raw socket. */
	client = net_client(SOCK_DGRAM, rnd(s, 2) ? "127.0.0.1" : "::1", t->port,
			    NULL);
	if (client >= 0) {
		send(client, "x", 1, 0);
		close(client);
	}
	while (recv(t->fd, &c, 1, MSG_DONTWAIT) >= 0)
		;
}

/* Messages. */

static void put(struct sender *s, const void *data, size_t len)
{
	memcpy(s->buf + s->len, data, len);
	s->len += len;
}

static void put_random(struct sender *s, size_t len)
{
	while (len--)
		s->buf[s->len++] = rnd(s, 256);
}

static void pad(struct sender *s)
{
	while (s->len % NLA_ALIGNTO)
		s->buf[s->len++] = 0;
}

static void put_attr(struct sender *s, int type, const void *data, size_t len)
{
	struct nlattr nla = { .nla_type = type, .nla_len = NLA_HDRLEN + len };

	put(s, &nla, sizeof(nla));
	if (data)
		put(s, data, len);
	else
		put_random(s, len);
	pad(s);
}

/* A value that makes sense, or is at the edge of that. */
static __u64 number(struct sender *s, const char *name)
{
	static const __u64 edges[] = {
		0, 1, 2, 0x7f, 0xff, 0xffff, 0x7fffffff, 0xffffffff, 1ULL << 63,
		~0ULL,
	};
	const struct target *t = &targets[s->right ? 0 : rnd(s, TARGETS)];

	if (!s->right && !rnd(s, 4))
		return edges[rnd(s, ARRAY_SIZE(edges))];
	if (!strcmp(name, "cookie"))
		return t->cookie;
	if (!strcmp(name, "protocol"))
		return s->right || rnd(s, 2) ? IPPROTO_TCP : IPPROTO_UDP;
	/* What is of no port is always told. */
	if (s->right && s->cmd == DUALSTACK_CMD_PORT_GET)
		return 0;
	if (strstr(name, "port"))
		return htons(t->port);
	if (!strcmp(name, "max-sockets") || !strcmp(name, "event-rate"))
		return rnd(s, s->right ? 1000 : 2000000);
	if (!strcmp(name, "ifindex"))
		return s->right ? 1 : rnd(s, 3);
	return rnd(s, 2);
}

static void put_addr(struct sender *s, int id)
{
	static const char *const addrs[] = {
		"127.0.0.1", "::1", "192.0.2.1", "2001:db8::1", "0.0.0.0",
		"::", "::ffff:127.0.0.1", "255.255.255.255", "224.0.0.1",
		"ff02::1", "fe80::1", "192.0.2.99",
	};
	union net_addr addr;

	net_addr_set(&addr, addrs[s->right ? 0 : rnd(s, ARRAY_SIZE(addrs))], 0);
	if (!s->right && !rnd(s, 4))
		put_attr(s, id, NULL, rnd(s, 2) ? 4 : 16);
	else if (addr.sa.sa_family == AF_INET)
		put_attr(s, id, &addr.in.sin_addr, 4);
	else
		put_attr(s, id, &addr.in6.sin6_addr, 16);
}

/* As the spec has it. */
static void put_valid(struct sender *s, const struct fuzz_attr *attr)
{
	static const size_t lens[] = {
		[FUZZ_U8] = 1, [FUZZ_U16] = 2, [FUZZ_U32] = 4, [FUZZ_U64] = 8,
	};
	static const char *const hooks[] = {
		"kfree_skb", "skb_consume_udp", "tcp_child_process",
		"udpv6_sendmsg", "inet6_bind", "",
		"an_extraordinarily_long_name_for_a_function_of_the_kernel_62ch",
	};
	__u64 value;

	switch (attr->type) {
	case FUZZ_FLAG:
		put_attr(s, attr->id, NULL, 0);
		break;
	case FUZZ_STRING:
		value = s->right ? 0 : rnd(s, ARRAY_SIZE(hooks));
		put_attr(s, attr->id, hooks[value], strlen(hooks[value]) + 1);
		break;
	case FUZZ_BINARY:
		put_addr(s, attr->id);
		break;
	case FUZZ_PAD:
	case FUZZ_NEST:
		put_attr(s, attr->id, NULL, 4 * rnd(s, 8));
		break;
	default:
		value = number(s, attr->name);
		/* It takes a second or so to switch. */
		if (!strcmp(attr->name, "tracking"))
			value = keep_tracking || rnd(s, 64);
		put_attr(s, attr->id, &value, lens[attr->type]);
	}
}

/* A nest whose inside is of no policy, some levels deep. */
static void put_nest(struct sender *s, int depth)
{
	size_t at = s->len, n = rnd(s, 4);
	struct nlattr *nla;

	put_attr(s, rnd(s, 16) | (rnd(s, 2) ? NLA_F_NESTED : 0), NULL, 0);
	while (n--) {
		if (depth && rnd(s, 2))
			put_nest(s, depth - 1);
		else
			put_attr(s, rnd(s, 32), NULL, rnd(s, 20));
	}
	nla = (struct nlattr *)(s->buf + at);
	nla->nla_len = s->len - at;
}

/* Not as the spec has it. */
static void put_broken(struct sender *s, const struct fuzz_op *op)
{
	const struct fuzz_attr *attr = &op->attrs[rnd(s, op->n_attrs)];
	struct nlattr *nla = (struct nlattr *)(s->buf + s->len);

	switch (rnd(s, 8)) {
	case 0:		/* of the wrong length */
		put_attr(s, attr->id, NULL, rnd(s, 40));
		break;
	case 1:		/* unknown */
		put_attr(s, rnd(s, 4) ? op->n_attrs + 1 + rnd(s, 16) :
					rnd(s, 65536), NULL, rnd(s, 40));
		break;
	case 2:		/* with what it does not want in its type */
		put_valid(s, attr);
		nla->nla_type |= rnd(s, 2) ? NLA_F_NESTED : NLA_F_NET_BYTEORDER;
		break;
	case 3:		/* of a length that its message does not have */
		put_valid(s, attr);
		nla->nla_len = rnd(s, 2) ? rnd(s, NLA_HDRLEN) : rnd(s, 65536);
		break;
	case 4:
		put_nest(s, 4);
		break;
	case 5:		/* too little for an attribute */
		put_random(s, 1 + rnd(s, 3));
		break;
	case 6:		/* large */
		put_attr(s, attr->id, NULL, rnd(s, MAX_LEN / 2));
		break;
	default:	/* of answers, and twice */
		put_valid(s, attr);
		put_valid(s, attr);
	}
	/* Whatever became of it: no request that takes the hooks away. */
	if (keep_tracking && op->cmd == DUALSTACK_CMD_CONFIG_SET)
		nla->nla_type |= 0x1000;
}

static bool may(const struct sender *s, size_t op)
{
	return s->who != USER || !fuzz_ops[op].admin;
}

/* An operation that was neither done, nor refused for want of rights; -1 for none. */
static int missing(const struct sender *s)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fuzz_ops); i++)
		if (!(may(s, i) ? s->done[i] : s->denied[i]))
			return i;
	return -1;
}

/* One message; all but what lies in its first bytes is up to chance. */
static void put_message(struct sender *s)
{
	/* Once time is up, what is still missing is more than a matter of luck. */
	int wanted = s->late && rnd(s, 2) ? missing(s) : -1;
	int i = wanted >= 0 ? wanted : (int)rnd(s, ARRAY_SIZE(fuzz_ops));
	const struct fuzz_op *op = &fuzz_ops[i];
	bool valid = wanted >= 0 || rnd(s, 2);
	size_t at = s->len, k;
	struct genlmsghdr genl = {
		.cmd = op->cmd,
		.version = DUALSTACK_GENL_VERSION,
	};
	struct nlmsghdr nlh = {
		.nlmsg_type = s->ds.family,
		.nlmsg_flags = NLM_F_REQUEST,
		.nlmsg_seq = SEQ_VALID | i,
	}, *head;

	s->cmd = op->cmd;
	s->right = wanted >= 0 || (valid && !rnd(s, 4));
	if (op->dump && !s->right && !rnd(s, 4))
		nlh.nlmsg_flags |= NLM_F_DUMP;
	if (s->right || rnd(s, 8))
		nlh.nlmsg_flags |= NLM_F_ACK;
	if (!valid) {
		nlh.nlmsg_seq = 0;
		if (!rnd(s, 4))
			nlh.nlmsg_flags |= rnd(s, 65536);
		if (!rnd(s, 8))
			genl.cmd = rnd(s, 256);
		if (!rnd(s, 8))
			genl.version = rnd(s, 256);
		if (!rnd(s, 8))
			genl.reserved = rnd(s, 65536);
		/* A message of another operation in this one's clothes. */
		if (keep_tracking && genl.cmd == DUALSTACK_CMD_CONFIG_SET)
			genl.cmd = op->cmd;
	}
	put(s, &nlh, sizeof(nlh));
	put(s, &genl, sizeof(genl));

	for (k = 0; k < op->n_attrs; k++) {
		bool root_only = s->who != ROOT &&
				 !strcmp(op->attrs[k].name, "tracking");

		if (!op->attrs[k].request || (s->right && root_only) ||
		    (!s->right && !rnd(s, 4)) ||
		    (nlh.nlmsg_flags & NLM_F_DUMP && rnd(s, 8)))
			continue;
		put_valid(s, &op->attrs[k]);
	}
	if (!valid)
		for (k = rnd(s, 4); k; k--)
			put_broken(s, op);

	head = (struct nlmsghdr *)(s->buf + at);
	head->nlmsg_len = s->len - at;
	if (!valid && !keep_tracking && !rnd(s, 8))
		head->nlmsg_len = rnd(s, 2) ? rnd(s, head->nlmsg_len) :
					      rnd(s, 2 * head->nlmsg_len);
	if (!valid && !rnd(s, 16) && op->cmd != DUALSTACK_CMD_CONFIG_SET)
		s->buf[at + sizeof(nlh) + sizeof(genl) - 1 +
		       rnd(s, s->len - at - sizeof(nlh) - sizeof(genl) + 1)] ^=
			1 << rnd(s, 8);
	pad(s);
}

/* Answers. */

/* Who may set no rule has none to ask for by its port: a dump of none is an answer. */
static void note(struct sender *s, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = (const void *)(nlh + 1);
	bool is_done = nlh->nlmsg_type == NLMSG_DONE;
	__u32 seq, op;

	if (!is_done && nlh->nlmsg_type != NLMSG_ERROR)
		return;
	seq = is_done ? nlh->nlmsg_seq : err->msg.nlmsg_seq;
	op = seq & 0xffff;
	s->errors += !!err->error;
	if ((seq & 0xffff0000) != SEQ_VALID || op >= ARRAY_SIZE(fuzz_ops))
		return;
	s->done[op] += !err->error;
	s->denied[op] += err->error == -EPERM;
}

/* Take what there is; false where the family has gone. */
static bool drain(struct sender *s)
{
	static char buf[32768];
	struct nlmsghdr *nlh;
	bool there = true;
	int len;

	while ((len = recv(nl_socket_get_fd(s->ds.sk), buf, sizeof(buf),
			   MSG_DONTWAIT)) > 0 || (len < 0 && errno == ENOBUFS)) {
		for (nlh = (void *)buf; len > 0 && NLMSG_OK(nlh, (__u32)len);
		     nlh = NLMSG_NEXT(nlh, len)) {
			note(s, nlh);
			if (nlh->nlmsg_type == NLMSG_ERROR &&
			    ((struct nlmsgerr *)(nlh + 1))->error == -ENOENT &&
			    ((struct nlmsgerr *)(nlh + 1))->msg.nlmsg_type ==
			    s->ds.family)
				there = rnd(s, 64);
		}
	}
	return there;
}

static bool connect_family(struct sender *s, __u64 end)
{
	while (fam_open(&s->ds)) {
		if (net_now_ms() > end)
			return false;
		net_nap();
	}
	return true;
}

/* Some hear of events, which is what events-start is for. */
static void join(struct sender *s)
{
	int group;

	group = genl_ctrl_resolve_grp(s->ds.sk, DUALSTACK_GENL_NAME,
				      DUALSTACK_MCGRP_EVENTS);
	if (group >= 0)
		nl_socket_add_membership(s->ds.sk, group);
}

static void send_all(struct sender *s, unsigned long messages, __u64 end)
{
	int i, n;

	/* Longer where the machine is so busy that some were not yet done. */
	while (s->sent < messages &&
	       (s->sent < MIN_MESSAGES || net_now_ms() < end ||
		(missing(s) >= 0 && net_now_ms() < end + LATE_MS))) {
		if (!connect_family(s, net_now_ms() + NET_TIMEOUT_MS))
			return;
		s->late = net_now_ms() >= end;
		if (!rnd(s, 4))
			join(s);
		/* A few batches for each connection, which may end in a dump. */
		for (i = 1 + rnd(s, 40); i; i--) {
			s->len = 0;
			for (n = 1 + rnd(s, rnd(s, 8) ? 4 : BATCH); n; n--) {
				put_message(s);
				s->sent++;
			}
			send(nl_socket_get_fd(s->ds.sk), s->buf, s->len,
			     MSG_DONTWAIT);
			if (rnd(s, 4) && !drain(s))
				break;
		}
		make_event(s);
		fam_close(&s->ds);
	}
}

/* In a namespace of the kind; with the rights of the kind. */
static int become(enum who who)
{
	if (net_ns_new())
		return -errno;
	open_targets();
	if (who == ROOT)
		return 0;
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		return -errno;
	if (who == USER)
		return 0;
	if (unshare(CLONE_NEWUSER) || net_ns_new())
		return -errno;
	open_targets();
	return 0;
}

static int judge(const struct sender *s)
{
	size_t i;
	int bad = 0;

	printf("# %s: %lu messages, %lu refused;", names[s->who], s->sent,
	       s->errors);
	for (i = 0; i < ARRAY_SIZE(fuzz_ops); i++)
		printf(" %s %lu", fuzz_ops[i].name, s->done[i]);
	printf("\n");
	for (i = 0; i < ARRAY_SIZE(fuzz_ops); i++) {
		if (may(s, i) == !!s->done[i] && (may(s, i) || s->denied[i]))
			continue;
		printf("# %s: %s was %s\n", names[s->who], fuzz_ops[i].name,
		       may(s, i) ? "never done" :
		       s->done[i] ? "done" : "never refused");
		bad = 1;
	}
	return bad;
}

int main(int argc, char **argv)
{
	static struct sender s;
	unsigned long messages = ~0UL;
	__u64 seed = net_real_ns(), end = ~0ULL >> 1;
	pid_t pid[N_WHO];
	int opt, who, err, status, bad = 0;

	while ((opt = getopt(argc, argv, "kn:s:t:")) != -1) {
		switch (opt) {
		case 'k':
			keep_tracking = true;
			break;
		case 'n':
			messages = strtoul(optarg, NULL, 0);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			end = net_now_ms() + strtoul(optarg, NULL, 0) * 1000;
			break;
		default:
			fprintf(stderr, "Usage: %s [-k] [-n MESSAGES] [-t SECONDS] [-s SEED]\n",
				argv[0]);
			return 2;
		}
	}
	printf("# seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	for (who = 0; who < N_WHO; who++) {
		pid[who] = net_fork();
		if (pid[who])
			continue;
		err = become(who);
		if (err) {
			printf("# %s: %s\n", names[who], strerror(-err));
			return 1;
		}
		s.who = who;
		s.state = (seed + who) * 0x9e3779b97f4a7c15ULL | 1;
		send_all(&s, messages, end);
		return judge(&s);
	}
	for (who = 0; who < N_WHO; who++)
		if (waitpid(pid[who], &status, 0) != pid[who] || status)
			bad = 1;
	return bad;
}
