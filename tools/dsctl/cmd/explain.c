// SPDX-License-Identifier: GPL-2.0
/* dsctl explain */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <linux/dualstack.h>
#include <net/if.h>
#include <netdb.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/list.h"
#include "nl/diag.h"
#include "nl/dsnl.h"
#include "nl/netfilter.h"
#include "out/json.h"
#include "out/text.h"
#include "socks/put.h"
#include "socks/ruled.h"
#include "socks/view.h"
#include "util/args.h"
#include "util/array.h"

/**
 * struct packet - The packet that was asked about.
 * @protocol: IPPROTO_TCP or IPPROTO_UDP.
 * @to: destination.
 * @from: source, AF_UNSPEC if it was not given; its port may be 0.
 * @dev: the device that it comes in by, or NULL.
 * @found: the addresses that the destination's name has, or NULL: then @to is whole.
 */
struct packet {
	uint8_t protocol;
	struct endpoint to;
	struct endpoint from;
	const char *dev;
	struct addrinfo *found;
};

/**
 * struct answer - What the kernel says of it.
 * @verdict: enum dualstack_verdict.
 * @local: it is for this host.
 * @reuseport: the socket is one of a group.
 * @ifindex: the device that it comes in by, or 0.
 * @cookie: the socket, or 0.
 * @netfilter: as netfilter_look() says.
 */
struct answer {
	uint32_t verdict;
	bool local;
	bool reuseport;
	uint32_t ifindex;
	uint64_t cookie;
	int netfilter;
};

static const char *const verdict_names[] = {
	[DUALSTACK_VERDICT_NONE] = "none",
	[DUALSTACK_VERDICT_NATIVE] = "native",
	[DUALSTACK_VERDICT_MAPPED] = "mapped",
	[DUALSTACK_VERDICT_V6ONLY] = "v6only",
	[DUALSTACK_VERDICT_ADDR] = "addr",
	[DUALSTACK_VERDICT_V4ONLY] = "v4only",
};

/**
 * struct parts - What a word that is an address is made of.
 * @addr: the address, or a name.
 * @dev: the device behind a "%", or NULL.
 * @port: the port, or NULL.
 */
struct parts {
	char *addr;
	char *dev;
	char *port;
};

/*
 * Cut ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT, the device behind the address, into its
 * parts: as we print them, so that they can be copied.
 */
static int cut(char *word, struct parts *parts)
{
	char *rest = word;

	memset(parts, 0, sizeof(*parts));
	parts->addr = word;
	parts->port = strchr(word, ':');
	/* With two or more colons it is an IPv6 address without a port. */
	if (parts->port && strchr(parts->port + 1, ':'))
		parts->port = NULL;
	if (*word == '[') {
		rest = strchr(word, ']');
		if (!rest || !strchr("%:", rest[1])) {
			err("address \"%s\": not [ADDRESS] or [ADDRESS]:PORT",
			    word);
			return -1;
		}
		parts->addr++;
		*rest++ = '\0';
		parts->port = strchr(rest, ':');
	}
	if (parts->port)
		*parts->port++ = '\0';
	parts->dev = strchr(*rest ? rest : parts->addr, '%');
	if (parts->dev)
		*parts->dev++ = '\0';
	return 0;
}

/* getaddrinfo() takes half an address, such as 192.0, for a whole one. */
static bool may_be_name(const char *addr)
{
	return !strchr(addr, ':') && strspn(addr, "0123456789.") < strlen(addr);
}

static int set_dev(struct packet *packet, const char *dev)
{
	if (packet->dev && strcmp(packet->dev, dev)) {
		err("dev \"%s\": another device than \"%s\"", dev, packet->dev);
		return -1;
	}
	packet->dev = dev;
	return 0;
}

static int parse_port(const struct packet *packet, struct endpoint *ep,
		      const char *word)
{
	return arg_port(word, proto_name(packet->protocol), &ep->port);
}

/* from ADDRESS [ PORT ]: returns how many arguments it took, or -1. */
static int parse_from(struct packet *packet, int argc, char **argv)
{
	struct parts parts;
	int used = 2;

	if (packet->from.family) {
		err("from: given twice");
		return -1;
	}
	if (argc < 2) {
		err("from: an address is missing");
		return -1;
	}
	if (cut(argv[1], &parts))
		return -1;
	if (!endpoint_parse(&packet->from, parts.addr)) {
		err("from \"%s\": not numeric IPv4 or IPv6", parts.addr);
		return -1;
	}
	if (parts.dev && set_dev(packet, parts.dev))
		return -1;
	if (!parts.port && argc > 2 && strcmp(argv[2], "dev"))
		parts.port = argv[used++];
	if (parts.port && parse_port(packet, &packet->from, parts.port))
		return -1;
	return used;
}

/* dev NAME */
static int parse_dev(struct packet *packet, int argc, char **argv)
{
	if (argc < 2) {
		err("dev: a name is missing");
		return -1;
	}
	return set_dev(packet, argv[1]) ? -1 : 2;
}

/* Both families are asked for, whatever this host has. */
static int look_up(struct packet *packet, const char *name)
{
	static const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	int error;

	error = getaddrinfo(name, NULL, &hints, &packet->found);
	if (!error)
		return 0;
	err("address \"%s\": neither numeric nor a name that is known: %s", name,
	    gai_strerror(error));
	return -1;
}

/* { tcp | udp } */
static int parse_protocol(struct packet *packet, const char *word)
{
	static const char *const protos[] = { "tcp", "udp" };
	int i;

	if (strpbrk(word, ".:[") || isdigit((unsigned char)*word)) {
		err("explain: tcp or udp is missing before \"%s\"", word);
		return -1;
	}
	i = word_match("protocol", word, protos, ARRAY_SIZE(protos));
	packet->protocol = i ? IPPROTO_UDP : IPPROTO_TCP;
	return i < 0 ? -1 : 0;
}

/* { ADDRESS PORT | ADDRESS:PORT }: returns how many arguments it took, or -1. */
static int parse_to(struct packet *packet, int argc, char **argv)
{
	struct parts parts;
	int used = 1;

	if (cut(argv[0], &parts))
		return -1;
	if (!*parts.addr ||
	    strspn(parts.addr, "0123456789") == strlen(parts.addr)) {
		err("explain: an address is missing before \"%s\"",
		    parts.port ? parts.port : argv[0]);
		return -1;
	}
	if (!parts.port) {
		if (argc < 2 || !strcmp(argv[1], "from") ||
		    !strcmp(argv[1], "dev")) {
			err("explain: a port is missing behind \"%s\"%s",
			    parts.addr, strchr(parts.addr, ':') ?
			    ": ADDRESS PORT, or [ADDRESS]:PORT" : "");
			return -1;
		}
		parts.port = argv[used++];
	}
	if (parts.dev && set_dev(packet, parts.dev))
		return -1;
	if (parse_port(packet, &packet->to, parts.port))
		return -1;
	if (endpoint_parse(&packet->to, parts.addr))
		return used;
	if (!may_be_name(parts.addr)) {
		err("address \"%s\": not numeric IPv4 or IPv6, and no name",
		    parts.addr);
		return -1;
	}
	return look_up(packet, parts.addr) ? -1 : used;
}

static int parse(struct ctx *ctx, void *job, int argc, char **argv)
{
	static const char *const words[] = { "from", "dev" };
	struct packet *packet = job;
	int i, used;

	(void)ctx;
	if (argc < 1) {
		err("explain: tcp or udp is missing");
		return -1;
	}
	if (parse_protocol(packet, argv[0]))
		return -1;
	if (argc < 2) {
		err("explain: an address is missing");
		return -1;
	}
	used = parse_to(packet, argc - 1, argv + 1);
	for (i = 1; used >= 0 && i + used < argc;) {
		int word;

		i += used;
		word = word_match("argument", argv[i], words, ARRAY_SIZE(words));
		if (word < 0)
			return -1;
		used = word ? parse_dev(packet, argc - i, argv + i)
			    : parse_from(packet, argc - i, argv + i);
	}
	return used < 0 ? -1 : 0;
}

static int answer_each(const struct nlmsghdr *hdr, void *arg)
{
	static struct nla_policy policy[DUALSTACK_A_EXPLAIN_MAX + 1] = {
		[DUALSTACK_A_EXPLAIN_LOCAL] = { .type = NLA_U8 },
		[DUALSTACK_A_EXPLAIN_IFINDEX] = { .type = NLA_U32 },
		[DUALSTACK_A_EXPLAIN_VERDICT] = { .type = NLA_U32 },
		[DUALSTACK_A_EXPLAIN_COOKIE] = { .type = NLA_U64 },
		[DUALSTACK_A_EXPLAIN_REUSEPORT] = { .type = NLA_U8 },
	};
	struct nlattr *tb[DUALSTACK_A_EXPLAIN_MAX + 1];
	struct answer *answer = arg;

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb,
			  DUALSTACK_A_EXPLAIN_MAX, policy) < 0 ||
	    !tb[DUALSTACK_A_EXPLAIN_LOCAL] || !tb[DUALSTACK_A_EXPLAIN_VERDICT])
		return -EBADMSG;

	answer->local = nla_get_u8(tb[DUALSTACK_A_EXPLAIN_LOCAL]);
	answer->verdict = nla_get_u32(tb[DUALSTACK_A_EXPLAIN_VERDICT]);
	if (tb[DUALSTACK_A_EXPLAIN_IFINDEX])
		answer->ifindex = nla_get_u32(tb[DUALSTACK_A_EXPLAIN_IFINDEX]);
	if (tb[DUALSTACK_A_EXPLAIN_REUSEPORT])
		answer->reuseport =
			nla_get_u8(tb[DUALSTACK_A_EXPLAIN_REUSEPORT]);
	answer->cookie = nla_get_u64(tb[DUALSTACK_A_EXPLAIN_COOKIE]);
	/* A newer module may have verdicts that are not known here. */
	if (answer->verdict >= ARRAY_SIZE(verdict_names))
		return -EPROTO;
	return 0;
}

static int put_addr(struct nl_msg *msg, int attr, const struct endpoint *ep)
{
	return nla_put(msg, attr, ep->family == AF_INET6 ? 16 : 4, &ep->addr);
}

static int put_from(struct nl_msg *msg, const struct endpoint *from)
{
	if (!from->family)
		return 0;
	if (put_addr(msg, DUALSTACK_A_EXPLAIN_FROM_ADDR, from))
		return -ENOMEM;
	return from->port ? nla_put_u16(msg, DUALSTACK_A_EXPLAIN_FROM_PORT,
					htons(from->port)) : 0;
}

static int ask(struct dsnl *nl, const struct packet *packet,
	       struct answer *answer)
{
	char what[64], buf[ENDPOINT_STRLEN];
	uint32_t ifindex = 0;
	struct nl_msg *msg;
	int error = -ENOMEM;

	if (packet->dev) {
		ifindex = if_nametoindex(packet->dev);
		if (!ifindex) {
			err("no device \"%s\"", packet->dev);
			return -1;
		}
	}
	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_EXPLAIN, 0);
	if (msg &&
	    !nla_put_u8(msg, DUALSTACK_A_EXPLAIN_PROTOCOL, packet->protocol) &&
	    !put_addr(msg, DUALSTACK_A_EXPLAIN_ADDR, &packet->to) &&
	    !nla_put_u16(msg, DUALSTACK_A_EXPLAIN_PORT,
			 htons(packet->to.port)) &&
	    !put_from(msg, &packet->from) &&
	    (!ifindex ||
	     !nla_put_u32(msg, DUALSTACK_A_EXPLAIN_IFINDEX, ifindex)))
		error = dsnl_request(nl, msg, NULL, answer_each, answer);
	else
		nlmsg_free(msg);
	if (!error)
		return 0;
	snprintf(what, sizeof(what), "cannot explain %s",
		 endpoint_addr(&packet->to, buf));
	dsnl_err(nl, what, error);
	return -1;
}

/*
 * The socket as show sockets would have it. NULL where it has been closed since, or
 * where it is one of the kernel's own, which sock_diag does not list.
 */
static int find_socket(struct ctx *ctx, struct view *view,
		       const struct packet *packet, uint64_t cookie,
		       const struct sock **found)
{
	struct filter filter = {
		.given = FILTER_PORT | FILTER_PROTO,
		.port = packet->to.port,
		.proto = packet->protocol,
		.all = true,
		.no_peers = !ctx->out.json,
		.rules = true,
		.cookie = cookie,
	};

	*found = NULL;
	if (!cookie)
		return 0;
	/* A SYN is a listener's, however many connections have the port. */
	if (packet->protocol == IPPROTO_TCP) {
		filter.given |= FILTER_STATE;
		filter.states = DIAG_STATE(TCP_LISTEN);
	}
	if (view_get(ctx, view, &filter))
		return -1;
	if (view->socks.n)
		*found = &view->socks.v[0];
	return 0;
}

/* "IPv4 SYN to 192.0.2.1 port 80 from 192.0.2.2" */
static void put_packet(struct text *text, const struct packet *packet)
{
	char buf[ENDPOINT_STRLEN];

	text_printf(text, "%s %s to %s port %u",
		    packet->to.family == AF_INET6 ? "IPv6" : "IPv4",
		    packet->protocol == IPPROTO_TCP ? "SYN" : "datagram",
		    endpoint_addr(&packet->to, buf), packet->to.port);
	if (packet->from.family)
		text_printf(text, " from %s", endpoint_addr(&packet->from, buf));
	if (packet->from.port)
		text_printf(text, " port %u", packet->from.port);
	if (packet->dev)
		text_printf(text, " by %.15s", packet->dev);
}

/* "nginx (pid 12, 13), ", or nothing where the process is not to be seen. */
static void put_processes(struct text *text, const struct view *view,
			  const struct sock *sk)
{
	const struct proc_task *task, *prev = NULL;
	const struct procs *procs = &view->procs;
	uint32_t i;

	for (i = sk->procs.first; i != PROC_NONE; i = procs->fds[i].next) {
		task = &procs->tasks[procs->fds[i].task];
		if (task == prev)
			continue;
		if (prev && !strcmp(task->comm, prev->comm))
			text_printf(text, ", %d", task->pid);
		else
			text_printf(text, "%s%s (pid %d", prev ? ") and " : "",
				    task->comm, task->pid);
		prev = task;
	}
	if (prev)
		text_puts(text, "), ");
}

/* "nginx (pid 12), socket [::]:80 (cookie 7)" */
static void put_socket(struct text *text, const struct view *view,
		       const struct sock *sk, uint64_t cookie)
{
	char buf[ENDPOINT_STRLEN];
	struct dev_name dev = { };

	if (sk) {
		put_processes(text, view, sk);
		text_printf(text, "socket %s",
			    endpoint_str(&sk->local, dev_name(&dev, sk), buf));
		text_printf(text, " (cookie %llu)", (unsigned long long)cookie);
	} else {
		text_printf(text, "the socket with the cookie %llu",
			    (unsigned long long)cookie);
	}
}

/* What the sentence says before and after the socket. */
static const struct {
	const char *before;
	const char *behind;
} phrases[] = {
	[DUALSTACK_VERDICT_NATIVE] = { "served as native by ", "" },
	[DUALSTACK_VERDICT_MAPPED] = { "served as mapped by ", "" },
	[DUALSTACK_VERDICT_V6ONLY] = {
		"refused because of IPV6_V6ONLY on ", ""
	},
	[DUALSTACK_VERDICT_ADDR] = {
		"refused: ", ", has the port but is bound to an IPv6 address"
	},
	[DUALSTACK_VERDICT_V4ONLY] = {
		"refused: ", ", has the port but is of the family AF_INET"
	},
};

/* What a rule says where IPV6_V6ONLY is what the verdict depends on. */
static enum sock_rule rule_of(const struct answer *answer, const struct sock *sk)
{
	if (!sk || (answer->verdict != DUALSTACK_VERDICT_V6ONLY &&
		    answer->verdict != DUALSTACK_VERDICT_MAPPED))
		return SOCK_RULE_NONE;
	return sk->rule;
}

static void put_rule(struct text *text, const struct answer *answer,
		     const struct sock *sk)
{
	enum sock_rule rule = rule_of(answer, sk);

	if (rule == SOCK_RULE_NONE)
		return;
	if (ruled_obeys(sk))
		text_puts(text, ", as a rule says");
	else
		text_printf(text, ", though a rule says %s",
			    sock_rule_names[rule]);
}

static void put_verdict(struct text *text, const struct packet *packet,
			const struct answer *answer, const struct view *view,
			const struct sock *sk)
{
	if (!answer->local) {
		text_printf(text, "not for this host, which does not have the address%s",
			    packet->dev ? " there" : "");
		return;
	}
	if (answer->verdict == DUALSTACK_VERDICT_NONE) {
		text_puts(text, "refused: no socket takes it");
		if (answer->cookie) {
			text_puts(text, "; ");
			put_socket(text, view, sk, answer->cookie);
			text_puts(text, ", has the port at another address");
		}
		return;
	}
	text_puts(text, phrases[answer->verdict].before);
	put_socket(text, view, sk, answer->cookie);
	if (answer->reuseport)
		text_puts(text, " or another of its SO_REUSEPORT group");
	text_puts(text, phrases[answer->verdict].behind);
	put_rule(text, answer, sk);
}

/* A rule can drop the packet, or send it elsewhere, as those of docker do. */
static void put_netfilter(struct text *text, const struct answer *answer)
{
	if (answer->netfilter > 0)
		text_puts(text, "; a netfilter rule before it may take the packet");
}

static json_t *json_dev(uint32_t ifindex)
{
	char dev[IF_NAMESIZE];

	if (!ifindex || !if_indextoname(ifindex, dev))
		return json_null();
	return json_text(dev);
}

static json_t *json_sock(const struct out *out, const struct view *view,
			 const struct sock *sk)
{
	struct dev_name dev = { };

	return sk ? json_socket(out, &view->procs, sk, &dev) : json_null();
}

static int print_json(struct out *out, const struct packet *packet,
		      const struct answer *answer, const struct view *view,
		      const struct sock *sk, const char *reason)
{
	char buf[ENDPOINT_STRLEN];

	return json_out(out,
			json_pack("{s:s, s:s, s:i, s:s, s:o, s:o, s:b, s:o, s:b, s:o, s:o, s:o}",
				  "proto", proto_name(packet->protocol),
				  "addr", endpoint_addr(&packet->to, buf),
				  "port", packet->to.port,
				  "verdict", verdict_names[answer->verdict],
				  "reason", json_text(reason),
				  "rule", json_rule(rule_of(answer, sk)),
				  "local", answer->local,
				  "dev", json_dev(answer->ifindex),
				  "reuseport", answer->reuseport,
				  "netfilter", answer->netfilter < 0 ?
				  json_null() : json_boolean(answer->netfilter),
				  "cookie", answer->cookie ?
				  json_integer(answer->cookie) : json_null(),
				  "socket", json_sock(out, view, sk)));
}

static int print(struct out *out, const struct packet *packet,
		 const struct answer *answer, const struct view *view,
		 const struct sock *sk)
{
	struct text text = { };
	int ret = EXIT_OK;

	put_packet(&text, packet);
	text_puts(&text, ": ");
	put_verdict(&text, packet, answer, view, sk);
	put_netfilter(&text, answer);
	if (text.failed) {
		err_no_memory();
		ret = EXIT_KERNEL;
	} else if (out->json) {
		ret = print_json(out, packet, answer, view, sk, text.buf);
	} else {
		out_text(text.buf);
		putchar('\n');
	}
	free(text.buf);
	return ret;
}

static int explain_one(struct ctx *ctx, const struct packet *packet)
{
	struct answer answer = { };
	struct view view = { };
	const struct sock *sk;
	int ret = EXIT_KERNEL;

	answer.netfilter = netfilter_look(packet->to.family);
	if (!ask(&ctx->dualstack, packet, &answer) &&
	    !find_socket(ctx, &view, packet, answer.cookie, &sk))
		ret = print(&ctx->out, packet, &answer, &view, sk);
	view_free(&view);
	return ret;
}

static void set_found(struct endpoint *ep, const struct addrinfo *found)
{
	const void *addr = found->ai_addr;

	memset(&ep->addr, 0, sizeof(ep->addr));
	ep->family = found->ai_family;
	if (ep->family == AF_INET6)
		ep->addr.v6 = ((const struct sockaddr_in6 *)addr)->sin6_addr;
	else
		ep->addr.v4 = ((const struct sockaddr_in *)addr)->sin_addr;
}

/* /etc/hosts can have a name twice. */
static bool is_repeated(const struct packet *packet, const struct addrinfo *found)
{
	const struct addrinfo *other;
	struct endpoint ep;

	for (other = packet->found; other != found; other = other->ai_next) {
		set_found(&ep, other);
		if (ep.family == packet->to.family &&
		    !memcmp(&ep.addr, &packet->to.addr, sizeof(ep.addr)))
			return true;
	}
	return false;
}

/* Each address of a name; where a source was given, each one of its family. */
static int explain_found(struct ctx *ctx, struct packet *packet)
{
	const struct addrinfo *found;
	int ret = EXIT_OK;
	size_t n = 0;

	for (found = packet->found; found; found = found->ai_next) {
		set_found(&packet->to, found);
		if (packet->from.family &&
		    packet->from.family != packet->to.family)
			continue;
		if (is_repeated(packet, found))
			continue;
		ret = exit_worse(ret, explain_one(ctx, packet));
		n++;
	}
	if (n)
		return ret;
	err("the name has no address of the family that from has");
	return EXIT_USAGE;
}

static int run(struct ctx *ctx, void *job)
{
	struct packet *packet = job;

	return packet->found ? explain_found(ctx, packet)
			     : explain_one(ctx, packet);
}

static int end(struct ctx *ctx, void *job, int status)
{
	struct packet *packet = job;

	(void)ctx;
	if (packet->found)
		freeaddrinfo(packet->found);
	return status;
}

const struct cmd cmd_explain = {
	.name = "explain",
	.args = "{ tcp | udp } ADDRESS PORT [ from ADDRESS [ PORT ] ] [ dev NAME ]",
	.help = "Who would get a packet, and as what",
	.details =
		"ADDRESS is numeric or the name of a host, of which each address is asked for;\n"
		"PORT is a number or the name of a service. ADDRESS:PORT and [ADDRESS]:PORT do\n"
		"as well. Without from it is a client beyond the device that has the ADDRESS.\n"
		"Nothing is sent, but to look up a name, and nothing is counted. Only sockets\n"
		"are looked at: not rp_filter, BPF or IPsec, and of netfilter only whether there\n"
		"are rules before them.",
	.needs = NEED_DUALSTACK | NEED_SOCK_DIAG,
	.job_size = sizeof(struct packet),
	.parse = parse,
	.run = run,
	.end = end,
};
