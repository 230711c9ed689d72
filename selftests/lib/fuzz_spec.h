/* SPDX-License-Identifier: GPL-2.0-only */
/* Do not edit directly, tools/selftest-spec writes it from:
 *	Documentation/netlink/specs/dualstack.yaml
 */
#ifndef FUZZ_SPEC_H
#define FUZZ_SPEC_H

#include <linux/dualstack.h>

#include "fuzz.h"

static const struct fuzz_attr socket_get_attrs[] = {
	{ DUALSTACK_A_SOCKET_PAD,
	  "pad", FUZZ_PAD, false },
	{ DUALSTACK_A_SOCKET_COOKIE,
	  "cookie", FUZZ_U64, true },
	{ DUALSTACK_A_SOCKET_FAMILY,
	  "family", FUZZ_U8, false },
	{ DUALSTACK_A_SOCKET_PROTOCOL,
	  "protocol", FUZZ_U8, false },
	{ DUALSTACK_A_SOCKET_COUNTERS,
	  "counters", FUZZ_NEST, false },
	{ DUALSTACK_A_SOCKET_LAST_MAPPED_PEER,
	  "last-mapped-peer", FUZZ_NEST, false },
	{ DUALSTACK_A_SOCKET_LAST_REJECTED_PEER,
	  "last-rejected-peer", FUZZ_NEST, false },
	{ DUALSTACK_A_SOCKET_EXPLICIT_PORT,
	  "explicit-port", FUZZ_U8, false },
};

static const struct fuzz_attr stats_get_attrs[] = {
	{ DUALSTACK_A_STATS_PAD,
	  "pad", FUZZ_PAD, false },
	{ DUALSTACK_A_STATS_PROTOCOL,
	  "protocol", FUZZ_U8, true },
	{ DUALSTACK_A_STATS_COUNTERS,
	  "counters", FUZZ_NEST, false },
	{ DUALSTACK_A_STATS_UNTRACKED,
	  "untracked", FUZZ_U64, false },
	{ DUALSTACK_A_STATS_TRACKED,
	  "tracked", FUZZ_U64, false },
	{ DUALSTACK_A_STATS_EVICTED,
	  "evicted", FUZZ_U64, false },
};

static const struct fuzz_attr hook_get_attrs[] = {
	{ DUALSTACK_A_HOOK_PAD,
	  "pad", FUZZ_PAD, false },
	{ DUALSTACK_A_HOOK_NAME,
	  "name", FUZZ_STRING, true },
	{ DUALSTACK_A_HOOK_KIND,
	  "kind", FUZZ_U32, false },
	{ DUALSTACK_A_HOOK_ATTACHED,
	  "attached", FUZZ_U8, false },
	{ DUALSTACK_A_HOOK_HITS,
	  "hits", FUZZ_U64, false },
	{ DUALSTACK_A_HOOK_PURPOSE,
	  "purpose", FUZZ_STRING, false },
};

static const struct fuzz_attr config_get_attrs[] = {
	{ DUALSTACK_A_CONFIG_PAD,
	  "pad", FUZZ_PAD, false },
	{ DUALSTACK_A_CONFIG_TRACKING,
	  "tracking", FUZZ_U8, false },
	{ DUALSTACK_A_CONFIG_MAX_SOCKETS,
	  "max-sockets", FUZZ_U32, false },
	{ DUALSTACK_A_CONFIG_EVENT_RATE,
	  "event-rate", FUZZ_U32, false },
	{ DUALSTACK_A_CONFIG_BINDV6ONLY,
	  "bindv6only", FUZZ_U8, false },
	{ DUALSTACK_A_CONFIG_DEFAULTS,
	  "defaults", FUZZ_FLAG, true },
	{ DUALSTACK_A_CONFIG_EVENT_SEQ,
	  "event-seq", FUZZ_U64, false },
	{ DUALSTACK_A_CONFIG_SINCE,
	  "since", FUZZ_U64, false },
};

static const struct fuzz_attr config_set_attrs[] = {
	{ DUALSTACK_A_CONFIG_PAD,
	  "pad", FUZZ_PAD, false },
	{ DUALSTACK_A_CONFIG_TRACKING,
	  "tracking", FUZZ_U8, true },
	{ DUALSTACK_A_CONFIG_MAX_SOCKETS,
	  "max-sockets", FUZZ_U32, true },
	{ DUALSTACK_A_CONFIG_EVENT_RATE,
	  "event-rate", FUZZ_U32, true },
	{ DUALSTACK_A_CONFIG_BINDV6ONLY,
	  "bindv6only", FUZZ_U8, true },
	{ DUALSTACK_A_CONFIG_DEFAULTS,
	  "defaults", FUZZ_FLAG, false },
	{ DUALSTACK_A_CONFIG_EVENT_SEQ,
	  "event-seq", FUZZ_U64, false },
	{ DUALSTACK_A_CONFIG_SINCE,
	  "since", FUZZ_U64, false },
};

static const struct fuzz_attr v6only_set_attrs[] = {
	{ DUALSTACK_A_V6ONLY_PAD,
	  "pad", FUZZ_PAD, false },
	{ DUALSTACK_A_V6ONLY_COOKIE,
	  "cookie", FUZZ_U64, true },
	{ DUALSTACK_A_V6ONLY_PROTOCOL,
	  "protocol", FUZZ_U8, true },
	{ DUALSTACK_A_V6ONLY_PORT,
	  "port", FUZZ_U16, true },
	{ DUALSTACK_A_V6ONLY_V6ONLY,
	  "v6only", FUZZ_U8, true },
	{ DUALSTACK_A_V6ONLY_DRY_RUN,
	  "dry-run", FUZZ_FLAG, true },
	{ DUALSTACK_A_V6ONLY_CHANGED,
	  "changed", FUZZ_U32, false },
};

static const struct fuzz_attr reset_attrs[] = {
	{ DUALSTACK_A_SOCKET_PAD,
	  "pad", FUZZ_PAD, false },
	{ DUALSTACK_A_SOCKET_COOKIE,
	  "cookie", FUZZ_U64, true },
	{ DUALSTACK_A_SOCKET_FAMILY,
	  "family", FUZZ_U8, false },
	{ DUALSTACK_A_SOCKET_PROTOCOL,
	  "protocol", FUZZ_U8, false },
	{ DUALSTACK_A_SOCKET_COUNTERS,
	  "counters", FUZZ_NEST, false },
	{ DUALSTACK_A_SOCKET_LAST_MAPPED_PEER,
	  "last-mapped-peer", FUZZ_NEST, false },
	{ DUALSTACK_A_SOCKET_LAST_REJECTED_PEER,
	  "last-rejected-peer", FUZZ_NEST, false },
	{ DUALSTACK_A_SOCKET_EXPLICIT_PORT,
	  "explicit-port", FUZZ_U8, false },
};

static const struct fuzz_attr explain_attrs[] = {
	{ DUALSTACK_A_EXPLAIN_PAD,
	  "pad", FUZZ_PAD, false },
	{ DUALSTACK_A_EXPLAIN_PROTOCOL,
	  "protocol", FUZZ_U8, true },
	{ DUALSTACK_A_EXPLAIN_ADDR,
	  "addr", FUZZ_BINARY, true },
	{ DUALSTACK_A_EXPLAIN_PORT,
	  "port", FUZZ_U16, true },
	{ DUALSTACK_A_EXPLAIN_FROM_ADDR,
	  "from-addr", FUZZ_BINARY, true },
	{ DUALSTACK_A_EXPLAIN_FROM_PORT,
	  "from-port", FUZZ_U16, true },
	{ DUALSTACK_A_EXPLAIN_IFINDEX,
	  "ifindex", FUZZ_U32, true },
	{ DUALSTACK_A_EXPLAIN_LOCAL,
	  "local", FUZZ_U8, false },
	{ DUALSTACK_A_EXPLAIN_VERDICT,
	  "verdict", FUZZ_U32, false },
	{ DUALSTACK_A_EXPLAIN_COOKIE,
	  "cookie", FUZZ_U64, false },
	{ DUALSTACK_A_EXPLAIN_REUSEPORT,
	  "reuseport", FUZZ_U8, false },
};

static const struct fuzz_attr events_start_attrs[] = {
	{ DUALSTACK_A_CONFIG_PAD,
	  "pad", FUZZ_PAD, false },
	{ DUALSTACK_A_CONFIG_TRACKING,
	  "tracking", FUZZ_U8, false },
	{ DUALSTACK_A_CONFIG_MAX_SOCKETS,
	  "max-sockets", FUZZ_U32, false },
	{ DUALSTACK_A_CONFIG_EVENT_RATE,
	  "event-rate", FUZZ_U32, false },
	{ DUALSTACK_A_CONFIG_BINDV6ONLY,
	  "bindv6only", FUZZ_U8, false },
	{ DUALSTACK_A_CONFIG_DEFAULTS,
	  "defaults", FUZZ_FLAG, false },
	{ DUALSTACK_A_CONFIG_EVENT_SEQ,
	  "event-seq", FUZZ_U64, false },
	{ DUALSTACK_A_CONFIG_SINCE,
	  "since", FUZZ_U64, false },
};

static const struct fuzz_op fuzz_ops[] = {
	{ DUALSTACK_CMD_SOCKET_GET, "socket-get",
	  true, false,
	  socket_get_attrs, ARRAY_SIZE(socket_get_attrs) },
	{ DUALSTACK_CMD_STATS_GET, "stats-get",
	  false, false,
	  stats_get_attrs, ARRAY_SIZE(stats_get_attrs) },
	{ DUALSTACK_CMD_HOOK_GET, "hook-get",
	  true, false,
	  hook_get_attrs, ARRAY_SIZE(hook_get_attrs) },
	{ DUALSTACK_CMD_CONFIG_GET, "config-get",
	  false, false,
	  config_get_attrs, ARRAY_SIZE(config_get_attrs) },
	{ DUALSTACK_CMD_CONFIG_SET, "config-set",
	  false, true,
	  config_set_attrs, ARRAY_SIZE(config_set_attrs) },
	{ DUALSTACK_CMD_V6ONLY_SET, "v6only-set",
	  false, true,
	  v6only_set_attrs, ARRAY_SIZE(v6only_set_attrs) },
	{ DUALSTACK_CMD_RESET, "reset",
	  false, true,
	  reset_attrs, ARRAY_SIZE(reset_attrs) },
	{ DUALSTACK_CMD_EXPLAIN, "explain",
	  false, false,
	  explain_attrs, ARRAY_SIZE(explain_attrs) },
	{ DUALSTACK_CMD_EVENTS_START, "events-start",
	  false, true,
	  events_start_attrs, ARRAY_SIZE(events_start_attrs) },
};

#endif /* FUZZ_SPEC_H */
