/* SPDX-License-Identifier: GPL-2.0-only */
/* Do not edit directly, tools/selftest-spec writes it from:
 *	Documentation/netlink/specs/dualstack.yaml
 */
#ifndef COUNTER_SPEC_H
#define COUNTER_SPEC_H

#include <linux/dualstack.h>

#include "family.h"

const struct fam_counter_info fam_counter_table[] = {
	{ DUALSTACK_A_COUNTER_MAPPED_ACCEPT, "mapped_accept" },
	{ DUALSTACK_A_COUNTER_NATIVE_ACCEPT, "native_accept" },
	{ DUALSTACK_A_COUNTER_MAPPED_RECV, "mapped_recv" },
	{ DUALSTACK_A_COUNTER_NATIVE_RECV, "native_recv" },
	{ DUALSTACK_A_COUNTER_MAPPED_CONNECT, "mapped_connect" },
	{ DUALSTACK_A_COUNTER_MAPPED_SEND, "mapped_send" },
	{ DUALSTACK_A_COUNTER_REJECT_V6ONLY, "reject_v6only" },
	{ DUALSTACK_A_COUNTER_REJECT_ADDR, "reject_addr" },
	{ DUALSTACK_A_COUNTER_REJECT_V4ONLY, "reject_v4only" },
	{ DUALSTACK_A_COUNTER_REJECT_CONNECT, "reject_connect" },
	{ DUALSTACK_A_COUNTER_REJECT_SEND, "reject_send" },
	{ DUALSTACK_A_COUNTER_REJECT_BIND, "reject_bind" },
	{ DUALSTACK_A_COUNTER_WIRE_MAPPED, "wire_mapped" },
};

#endif /* COUNTER_SPEC_H */
