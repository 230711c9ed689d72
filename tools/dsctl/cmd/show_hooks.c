// SPDX-License-Identifier: GPL-2.0
/* dsctl show hooks */
#include <errno.h>
#include <linux/dualstack.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#include "cmd/list.h"
#include "nl/dsnl.h"
#include "out/json.h"
#include "out/table.h"

static const char *kind_name(uint32_t kind)
{
	switch (kind) {
	case DUALSTACK_HOOK_KIND_FTRACE:
		return "ftrace";
	case DUALSTACK_HOOK_KIND_DIRECT:
		return "direct";
	case DUALSTACK_HOOK_KIND_TRACEPOINT:
		return "tracepoint";
	default:
		return "unknown";
	}
}

static void hooks_start(void *arg)
{
	json_array_clear(arg);
}

static int hooks_each(const struct nlmsghdr *hdr, void *arg)
{
	static struct nla_policy policy[DUALSTACK_A_HOOK_MAX + 1] = {
		[DUALSTACK_A_HOOK_NAME] = { .type = NLA_STRING },
		[DUALSTACK_A_HOOK_KIND] = { .type = NLA_U32 },
		[DUALSTACK_A_HOOK_ATTACHED] = { .type = NLA_U8 },
		[DUALSTACK_A_HOOK_HITS] = { .type = NLA_U64 },
		[DUALSTACK_A_HOOK_PURPOSE] = { .type = NLA_STRING },
	};
	struct nlattr *tb[DUALSTACK_A_HOOK_MAX + 1];
	json_t *hook;
	size_t i;

	if (genlmsg_parse((struct nlmsghdr *)hdr, 0, tb, DUALSTACK_A_HOOK_MAX,
			  policy) < 0)
		return -EBADMSG;
	for (i = DUALSTACK_A_HOOK_NAME; i <= DUALSTACK_A_HOOK_PURPOSE; i++)
		if (!tb[i])
			return -EBADMSG;

	hook = json_pack("{s:o, s:s, s:b, s:I, s:o}",
			 "name",
			 json_text(nla_get_string(tb[DUALSTACK_A_HOOK_NAME])),
			 "kind",
			 kind_name(nla_get_u32(tb[DUALSTACK_A_HOOK_KIND])),
			 "attached",
			 nla_get_u8(tb[DUALSTACK_A_HOOK_ATTACHED]),
			 "hits",
			 (json_int_t)nla_get_u64(tb[DUALSTACK_A_HOOK_HITS]),
			 "purpose",
			 json_text(nla_get_string(tb[DUALSTACK_A_HOOK_PURPOSE])));
	return json_array_append_new(arg, hook) ? -ENOMEM : 0;
}

static bool all_attached(const json_t *hooks)
{
	json_t *hook;
	size_t i;

	json_array_foreach(hooks, i, hook)
		if (!json_is_true(json_object_get(hook, "attached")))
			return false;
	return true;
}

static void columns(struct table *table)
{
	table_column(table, "Hook", ALIGN_LEFT);
	table_column(table, "Kind", ALIGN_LEFT);
	table_column(table, "Attached", ALIGN_LEFT);
	table_column(table, "Hits", ALIGN_RIGHT);
	table_column(table, "Purpose", ALIGN_TEXT);
}

/* Columns that say the same of each hook are left out: the purpose needs the width. */
static int print_table(struct ctx *ctx, const json_t *hooks)
{
	const char *name, *kind, *purpose;
	struct table table;
	json_int_t hits;
	int attached;
	json_t *hook;
	size_t i;

	table_init(&table, &ctx->out);
	columns(&table);
	if (!ctx->opts.stats) {
		table_hide(&table, "Kind");
		if (all_attached(hooks))
			table_hide(&table, "Attached");
	}

	json_array_foreach(hooks, i, hook) {
		/* All members are there, so this fails for want of memory only. */
		if (json_unpack(hook, "{s:s, s:s, s:b, s:I, s:s}",
				"name", &name, "kind", &kind,
				"attached", &attached, "hits", &hits,
				"purpose", &purpose)) {
			table.failed = true;
			break;
		}
		table_line(&table);
		table_text(&table, name);
		table_text(&table, kind);
		table_text(&table, attached ? "yes" : "no");
		table_color(&table, attached ? COLOR_GOOD : COLOR_BAD);
		table_number(&table, hits);
		table_text(&table, purpose);
	}
	return table_out(&table);
}

static int run(struct ctx *ctx, void *job)
{
	struct dsnl *nl = &ctx->dualstack;
	int error, ret = EXIT_KERNEL;
	struct nl_msg *msg;
	json_t *hooks;

	(void)job;
	msg = dsnl_genl_msg(nl, DUALSTACK_CMD_HOOK_GET, NLM_F_DUMP);
	if (!msg) {
		err_no_memory();
		return EXIT_KERNEL;
	}

	hooks = json_array();
	error = dsnl_request(nl, msg, hooks_start, hooks_each, hooks);
	if (error)
		dsnl_err(nl, "cannot get the hooks", error);
	else
		ret = ctx->out.json ? json_out(&ctx->out, json_incref(hooks))
				    : print_table(ctx, hooks);
	json_decref(hooks);
	return ret;
}

const struct cmd cmd_show_hooks = {
	.name = "hooks",
	.help = "The hooks in the kernel, and how often each one fired",
	.needs = NEED_DUALSTACK,
	.every_netns = true,
	.columns = columns,
	.run = run,
};
