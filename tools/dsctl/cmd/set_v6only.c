// SPDX-License-Identifier: GPL-2.0
/* dsctl set v6only */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/list.h"
#include "nl/dsnl.h"
#include "nl/rules.h"
#include "out/json.h"
#include "out/table.h"
#include "out/text.h"
#include "socks/procs.h"
#include "socks/put.h"
#include "socks/rulearg.h"
#include "socks/ruled.h"
#include "socks/sockarg.h"
#include "socks/view.h"
#include "util/args.h"
#include "util/array.h"
#include "util/ipv6.h"

/* A socket that a process is busy with is tried again, for a second. */
#define TRIES	200
#define NAP_NS	(5 * 1000 * 1000)

/**
 * struct job - What was asked for.
 * @v6only: what IPV6_V6ONLY is to be.
 * @dry_run: only check.
 * @keep: set a rule for sockets to come, too.
 * @all: change every socket that can be changed.
 * @filter: which sockets to change, if not all.
 * @rule: with @keep, the rule.
 */
struct job {
	bool v6only;
	bool dry_run;
	bool keep;
	bool all;
	struct filter filter;
	struct rule rule;
};

enum outcome {
	CHANGED,
	UNCHANGED,
	REFUSED,
};

/**
 * struct result - What became of a socket.
 * @outcome: enum outcome.
 * @reason: why it was refused.
 */
struct result {
	enum outcome outcome;
	char reason[384];
};

static const char *const outcome_names[] = {
	[CHANGED] = "changed",
	[UNCHANGED] = "unchanged",
	[REFUSED] = "refused",
};

/* What is to be changed is what the rule is for. */
static int parse_kept(struct job *job, int argc, char **argv)
{
	job->rule.v6only = job->v6only;
	if (rulearg_parse(&job->rule, argc, argv))
		return -1;
	job->all = !job->rule.port;
	job->filter.proto = job->rule.protocol;
	job->filter.port = job->rule.port;
	return 0;
}

/* The words at the end. Return: how many others there are, -1 after a message. */
static int parse_end(struct job *job, int argc, char **argv)
{
	for (; argc; argc--) {
		const char *word = argv[argc - 1];
		bool *what;

		if (!strcmp(word, "keep"))
			what = &job->keep;
		else if (!strcmp(word, "dry-run") || !strcmp(word, "--dry-run"))
			what = &job->dry_run;
		else
			break;
		if (*what) {
			err("%s: given twice", word);
			return -1;
		}
		*what = true;
	}
	return argc;
}

/* Of the words behind all, the last one is none of those at the end. */
static int parse_all(struct job *job, int argc, char **argv)
{
	static const char *const ends[] = { "dry-run", "keep" };

	if (argc > 1) {
		err_names("argument", argv[argc - 1],
			  "unknown, expected one of", ends, ARRAY_SIZE(ends));
		return -1;
	}
	job->all = true;
	return 0;
}

static int parse(struct ctx *ctx, void *arg, int argc, char **argv)
{
	struct job *job = arg;
	int on;

	(void)ctx;
	if (!argc) {
		err("v6only: a value is missing, on or off");
		return -1;
	}
	on = arg_on_off("v6only", argv[0]);
	if (on < 0)
		return -1;
	job->v6only = on;
	argv++;
	argc = parse_end(job, argc - 1, argv);
	if (argc < 0)
		return -1;
	if (job->keep)
		return parse_kept(job, argc, argv);
	if (argc && !strcmp(argv[0], "all"))
		return parse_all(job, argc, argv);
	return sockarg_parse(&job->filter, argc, argv);
}

static void keep_switchable(struct sock_list *list)
{
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		if (sock_is_switchable(&list->v[i]))
			list->v[n++] = list->v[i];
	list->n = n;
}

static int find_all(struct dsnl *nl, struct sock_list *list)
{
	static const struct diag_request reqs[] = {
		{ AF_INET6, IPPROTO_TCP, DIAG_STATE(TCP_LISTEN), 0 },
		{ AF_INET6, IPPROTO_UDP, DIAG_STATE(TCP_CLOSE), 0 },
	};
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < ARRAY_SIZE(reqs); i++)
		ret = diag_dump(nl, &reqs[i], list);
	keep_switchable(list);
	return ret;
}

/* What has the port, but cannot be changed. */
static void err_not_switchable(const struct filter *filter,
			       const struct sock_list *list)
{
	char buf[ENDPOINT_STRLEN], str[SOCKARG_STRLEN];
	struct text text = { };
	size_t i;

	for (i = 0; i < list->n && text.len < 256; i++) {
		const struct sock *sk = &list->v[i];

		text_printf(&text, "%s%s (%s, %s)", i ? ", " : "",
			    endpoint_str(&sk->local, NULL, buf),
			    mode_names[sk->mode], state_name(sk));
	}
	if (i < list->n)
		text_puts(&text, ", ...");
	err("%s: no wildcard AF_INET6 socket that listens or is unconnected has it, only %s",
	    sockarg_str(filter, str), text.buf ? text.buf : "others");
	free(text.buf);
}

static bool has_switchable(const struct sock_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (sock_is_switchable(&list->v[i]))
			return true;
	return false;
}

static int find_port(struct dsnl *nl, const struct filter *filter,
		     struct sock_list *list)
{
	if (sockarg_find(nl, filter, list))
		return -1;
	if (!has_switchable(list)) {
		sock_list_sort(list);
		err_not_switchable(filter, list);
		return -1;
	}
	keep_switchable(list);
	return 0;
}

/* A rule is for sockets to come: there need not be one now. */
static int find_kept(struct dsnl *nl, const struct filter *filter,
		     struct sock_list *list)
{
	if (sockarg_list(nl, filter, list))
		return -1;
	keep_switchable(list);
	return 0;
}

static int find(struct dsnl *nl, const struct job *job, struct sock_list *list)
{
	int ret;

	if (job->all)
		ret = find_all(nl, list);
	else if (job->keep)
		ret = find_kept(nl, &job->filter, list);
	else if (job->filter.given & FILTER_COOKIE)
		/* The kernel says why if the socket cannot be changed. */
		ret = sockarg_find(nl, &job->filter, list);
	else
		ret = find_port(nl, &job->filter, list);
	sock_list_sort(list);
	return ret;
}

static int changed_each(const struct nlmsghdr *hdr, void *arg)
{
	struct nlattr *tb[DUALSTACK_A_V6ONLY_MAX + 1];
	uint32_t *changed = arg;

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb, DUALSTACK_A_V6ONLY_MAX,
			  NULL) < 0 || !tb[DUALSTACK_A_V6ONLY_CHANGED])
		return -EBADMSG;
	*changed = nla_get_u32(tb[DUALSTACK_A_V6ONLY_CHANGED]);
	return 0;
}

static int request(struct dsnl *nl, const struct job *job,
		   const struct sock *sk, uint32_t *changed)
{
	struct nl_msg *msg;

	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_V6ONLY_SET, 0);
	if (!msg)
		return -ENOMEM;
	if (nla_put_u64(msg, DUALSTACK_A_V6ONLY_COOKIE, sk->cookie) ||
	    nla_put_u8(msg, DUALSTACK_A_V6ONLY_PROTOCOL, sk->protocol) ||
	    nla_put_u16(msg, DUALSTACK_A_V6ONLY_PORT, htons(sk->local.port)) ||
	    nla_put_u8(msg, DUALSTACK_A_V6ONLY_V6ONLY, job->v6only) ||
	    (job->dry_run && nla_put_flag(msg, DUALSTACK_A_V6ONLY_DRY_RUN))) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return dsnl_request(nl, msg, NULL, changed_each, changed);
}

/*
 * The kernel does not wait while a process is busy with the socket, nor while another
 * request is served: it refuses. If that comes when some sockets of a group have been
 * changed already, the next request changes the others.
 */
static int request_patiently(struct dsnl *nl, const struct job *job,
			     const struct sock *sk, uint32_t *changed)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	int error, i;

	for (i = 0; i < TRIES; i++) {
		error = request(nl, job, sk, changed);
		if (error != -EBUSY)
			return error;
		nanosleep(&nap, NULL);
	}
	return request(nl, job, sk, changed);
}

/*
 * A SO_REUSEPORT group changes with the first of its sockets, and the kernel has
 * nothing left to do for the others: they have changed if they were listed with
 * another value.
 *
 * Return: false where there is nothing to tell: the socket has been closed, and its
 *	   successor gets what the rule says.
 */
static bool change(struct dsnl *nl, const struct job *job,
		   const struct sock *sk, struct result *result)
{
	uint32_t changed = 0;
	int error;

	error = request_patiently(nl, job, sk, &changed);
	if (error == -ENOENT && job->keep)
		return false;
	if (error) {
		result->outcome = REFUSED;
		dsnl_strerror(nl, error, result->reason,
			      sizeof(result->reason));
	} else if (changed || sk->v6only != job->v6only) {
		result->outcome = CHANGED;
	} else {
		result->outcome = UNCHANGED;
	}
	return true;
}

/* The sockets of which there is nothing to tell are dropped from the list. */
static void change_each(struct dsnl *nl, const struct job *job,
			struct sock_list *list, struct result *results)
{
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		if (change(nl, job, &list->v[i], &results[n]))
			list->v[n++] = list->v[i];
	list->n = n;
}

static json_t *json_result(const struct out *out, const struct job *job,
			   const struct procs *procs, const struct sock *sk,
			   const struct result *result)
{
	char buf[ENDPOINT_STRLEN];

	return json_pack("{s:o, s:s, s:s, s:i, s:I, s:o, s:b, s:b, s:s, s:o}",
			 "netns", json_netns(out),
			 "proto", proto_name(sk->protocol),
			 "local_addr", endpoint_addr(&sk->local, buf),
			 "local_port", sk->local.port,
			 "cookie", (json_int_t)sk->cookie,
			 "processes", json_processes(procs, sk),
			 "dry_run", job->dry_run,
			 "keep", job->keep,
			 "result", outcome_names[result->outcome],
			 "reason", result->outcome == REFUSED ?
				   json_text(result->reason) : json_null());
}

static int print_json(struct out *out, const struct job *job,
		      const struct sock_list *list, const struct procs *procs,
		      const struct result *results)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->n; i++)
		json_add(array, json_result(out, job, procs, &list->v[i],
					    &results[i]));
	return json_out(out, array);
}

static void cell_result(struct table *table, struct text *text,
			const struct job *job, const struct result *result)
{
	static const char *const would[] = {
		[CHANGED] = "would change",
		[UNCHANGED] = "unchanged",
		[REFUSED] = "would be refused",
	};
	const char *const *names = job->dry_run ? would : outcome_names;

	text_clear(text);
	text_puts(text, names[result->outcome]);
	if (result->outcome == REFUSED) {
		text_puts(text, ": ");
		text_puts(text, result->reason);
	}
	table_put(table, text);
}

static void columns(struct table *table)
{
	table_column(table, "Proto", ALIGN_LEFT);
	table_column(table, "Local", ALIGN_LEFT);
	table_column(table, "Cookie", ALIGN_RIGHT);
	table_column(table, "Process", ALIGN_TEXT);
	table_column(table, "Result", ALIGN_TEXT);
}

static int print_table(struct out *out, const struct job *job,
		       const struct sock_list *list, const struct procs *procs,
		       const struct result *results)
{
	char buf[ENDPOINT_STRLEN];
	struct text text = { };
	struct table table;
	size_t i;

	table_init(&table, out);
	columns(&table);
	for (i = 0; i < list->n; i++) {
		const struct sock *sk = &list->v[i];

		table_line(&table);
		table_text(&table, proto_name(sk->protocol));
		table_text(&table, endpoint_str(&sk->local, NULL, buf));
		table_number(&table, sk->cookie);
		text_clear(&text);
		text_processes(&text, procs, sk);
		table_put(&table, &text);
		cell_result(&table, &text, job, &results[i]);
	}
	free(text.buf);
	return table_out(&table);
}

/* One socket that was changed needs no message. */
static void print_errors(const struct sock_list *list,
			 const struct result *results)
{
	char buf[ENDPOINT_STRLEN];
	size_t i;

	for (i = 0; i < list->n; i++)
		if (results[i].outcome == REFUSED)
			err("%s %s: %s", proto_name(list->v[i].protocol),
			    endpoint_str(&list->v[i].local, NULL, buf),
			    results[i].reason);
}

static int print(struct out *out, const struct job *job,
		 const struct sock_list *list, const struct procs *procs,
		 const struct result *results)
{
	size_t i, refused = 0;
	int ret = EXIT_OK;

	if (out->json)
		ret = print_json(out, job, list, procs, results);
	else if (job->all || job->dry_run)
		ret = print_table(out, job, list, procs, results);
	else
		print_errors(list, results);

	for (i = 0; i < list->n; i++)
		refused += results[i].outcome == REFUSED;
	if (!refused)
		return ret;
	if (job->all)
		err("refused: %zu of %zu sockets", refused, list->n);
	return EXIT_KERNEL;
}

/* Who cannot reach a socket over IPv6 either does not reach it at all. */
static void warn_unreachable(const struct job *job, const struct sock_list *list,
			     const struct result *results)
{
	const char *off = ipv6_off();
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		n += results[i].outcome == CHANGED;
	if (!n || !job->v6only || !off)
		return;
	err("warning: IPv6 is off here (%s): nobody beyond this host %s what is v6only",
	    off, job->dry_run ? "would reach" : "reaches");
}

static int change_all(struct ctx *ctx, const struct job *job,
		      struct sock_list *list, const struct procs *procs)
{
	struct result *results;
	int ret;

	results = calloc(list->n + 1, sizeof(*results));
	if (!results) {
		err_no_memory();
		return EXIT_KERNEL;
	}
	change_each(&ctx->dualstack, job, list, results);
	ret = print(&ctx->out, job, list, procs, results);
	warn_unreachable(job, list, results);
	free(results);
	return ret;
}

/* Set the rule, and tell of one that it takes the place of. */
static int keep_rule(struct dsnl *nl, const struct rule *rule)
{
	char what[64], buf[RULEARG_STRLEN];
	int error, was;

	error = rule_set(nl, rule, &was);
	if (error) {
		snprintf(what, sizeof(what), "cannot keep a rule for %s",
			 rulearg_str(rule, buf));
		dsnl_err(nl, what, error);
		return -1;
	}
	if (was != RULE_NEW && was != rule->v6only)
		err("%s: the rule was %s", rulearg_str(rule, buf),
		    was ? "on" : "off");
	return 0;
}

/* The rule of all ports is for those that have none of their own. */
static int drop_own_rules(struct dsnl *nl, struct sock_list *list)
{
	struct rule_list rules = { };
	size_t i, n = 0;
	int ret;

	ret = rules_dump(nl, &rules);
	for (i = 0; !ret && i < list->n; i++) {
		const struct sock *sk = &list->v[i];
		const struct rule *rule;

		rule = rules_find(&rules, sk->protocol, sk->local.port);
		if (!rule || !rule->port)
			list->v[n++] = list->v[i];
	}
	list->n = n;
	rules_free(&rules);
	return ret;
}

static int find_now(struct ctx *ctx, const struct job *job,
		    struct sock_list *list)
{
	if (find(&ctx->sock_diag, job, list))
		return -1;
	if (!job->keep || !job->all)
		return 0;
	return drop_own_rules(&ctx->dualstack, list);
}

static int change_now(struct ctx *ctx, const struct job *job)
{
	struct sock_list list = { };
	struct procs procs = { };
	int ret = EXIT_KERNEL;

	if (!find_now(ctx, job, &list) && !procs_find(&procs, &list))
		ret = change_all(ctx, job, &list, &procs);
	procs_free(&procs);
	sock_list_free(&list);
	return ret;
}

/*
 * First the rule: between, nobody binds a socket that neither of the two is for. But one of
 * TCP that is bound by then, and listens only after the list was made, stays as it is.
 */
static int run(struct ctx *ctx, void *arg)
{
	const struct job *job = arg;
	char buf[RULEARG_STRLEN];
	bool idle;
	int ret;

	if (!job->keep)
		return change_now(ctx, job);
	if (ruled_warn_idle(ctx, &idle) ||
	    (!job->dry_run && keep_rule(&ctx->dualstack, &job->rule)))
		return EXIT_KERNEL;
	ret = change_now(ctx, job);
	if (ret && !job->dry_run)
		err("%s: the rule is kept", rulearg_str(&job->rule, buf));
	return ret;
}

const struct cmd cmd_set_v6only = {
	.name = "v6only",
	.args = ARG_ON_OFF " { cookie COOKIE [ dry-run ] | PORTS [ dry-run ] [ keep ] }",
	.rules = RULEARG_RULES,
	.help = "Change IPV6_V6ONLY of sockets in use, or to come",
	.details =
		"Wildcard AF_INET6 sockets only: TCP listeners, UDP sockets not connected.\n"
		"A SO_REUSEPORT group changes as one. With all, and with dry-run, which\n"
		"changes nothing, a table says what became of each socket, or would.\n"
		"keep sets a rule as well: sockets that bind to the port later are given the\n"
		"option then, until unset v6only. There need not be a socket now. With all it\n"
		"leaves out ports that have a rule of their own.\n"
		"Where IPv6 is off, on warns that nobody reaches the socket then.",
	.needs = NEED_DUALSTACK | NEED_SOCK_DIAG,
	.right = RIGHT_NETNS,
	.every_netns = true,
	.columns = columns,
	.job_size = sizeof(struct job),
	.parse = parse,
	.run = run,
};
