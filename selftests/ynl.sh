#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The netlink spec alone, as the kernel's own client reads it, is enough to ask and to
# listen, and what comes is for people to read.
#
#   DUALSTACK_YNL       tools/net/ynl of another kernel tree than that of KSFT
#   DUALSTACK_SPEC      the spec, where it is not in the kernel tree of KSFT
#   DUALSTACK_EXAMPLES  programs that are an example, where this directory is not in our
#                       own sources

. "$(dirname "$0")/lib/lib.sh"

YNL=${DUALSTACK_YNL:-$KSFT/../../net/ynl}
SPEC=${DUALSTACK_SPEC:-$KSFT/../../../Documentation/netlink/specs/dualstack.yaml}
EXAMPLES=${DUALSTACK_EXAMPLES:-../Documentation/examples}

require python3 unshare
require_family
[ -d "$YNL/lib" ] || [ -d "$YNL/pyynl" ] || skip_all "$YNL not found"
python3 -c 'import yaml' 2>/dev/null || skip_all "python3 has no module yaml"
own_netns "$@"

asked()
{
	python3 ./peer/ynl_check.py "$YNL" "$SPEC" "$@"
}

ktap_print_header
ktap_set_plan 6
check "events, by the group of the spec" asked events
check "a record, and a dump of all" asked records
check "explain" asked explain
check "hooks, and of which kind" asked hooks
check "cli.py: each operation, dump and subscription" asked cli
if [ -e "$EXAMPLES" ]; then
	check "the example that watches refusals" \
		asked example "$EXAMPLES/watch_refusals.py"
else
	ktap_test_skip "the example that watches refusals: $EXAMPLES not found"
fi
ktap_finished
