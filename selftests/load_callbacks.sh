#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where a function cannot call the module directly, ftrace calls it: because the
# architecture has no direct calls, because parameter direct_calls says so, or
# because a BPF program has the function's one already. Each hook counts the same
# then.

. "$(dirname "$0")/lib/lib.sh"

TRACEFS=/sys/kernel/tracing
TAKEN=skb_consume_udp
# All hooks, and what is special about each.
PROGRAMS="hooks tcp_accept udp_recv outbound wire_mapped mptcp"

require insmod rmmod jq
require_family

[ -e $TRACEFS/enabled_functions ] || mount -t tracefs none $TRACEFS ||
	skip_all "no tracefs"

tmp=$(mktemp -d)
cleanup()
{
	[ -z "$bpf" ] || kill "$bpf" 2>/dev/null
	rm -rf "$tmp"
	unload_module
	load_module
}
trap cleanup EXIT

# Names of the hooks that are direct calls, or with "ftrace" callbacks
hooks_of_kind()
{
	"$DSCTL" -j show hooks | tee "$tmp/hooks" |
		jq -r --arg kind "$1" '.[] | select(.kind == $kind) | .name'
}

all_callbacks()
{
	[ -z "$(hooks_of_kind direct)" ] &&
		jq -e 'map(select(.kind == "ftrace")) | length > 5 and
		       all(.[]; .attached)' "$tmp/hooks"
}

bpf_has_it()
{
	kill -0 "$bpf" || return
	grep -q "^$TAKEN .*direct" $TRACEFS/enabled_functions
}

bpf_is_gone()
{
	! kill -0 "$bpf"
}

# The others are what they were.
one_callback()
{
	hooks_of_kind direct >"$tmp/now"
	hooks_of_kind ftrace | grep -qx "$TAKEN" &&
		diff <(grep -vx "$TAKEN" "$tmp/direct") "$tmp/now"
}

taken()
{
	if ! wait_for 300 bpf_has_it; then
		cat "$tmp/bpf"
		return 1
	fi
	load_module && one_callback
}

# The BPF program goes before the module does.
untaken()
{
	kill "$bpf" && wait_for 60 bpf_is_gone || return
	grep "Attaching" "$tmp/bpf" && ./traffic -n 5 && unload_module &&
		! grep "^$TAKEN " $TRACEFS/enabled_functions
}

ktap_print_header
# shellcheck disable=SC2086 # words
set -- $PROGRAMS
ktap_set_plan $((1 + $# + 3 + 2))
mark_log

hooks_of_kind direct >"$tmp/direct"
unload_module
load_module direct_calls=0
check "with direct_calls=0 all hooks are callbacks" all_callbacks
for program; do
	check "callbacks: $program" "./$program"
done

if grep -qw bpf_prog_new_fd /proc/kallsyms; then
	unload_module
	bpftrace -e "kfunc:$TAKEN { @n = count(); }" >"$tmp/bpf" 2>&1 &
	bpf=$!
	check "a BPF program has the direct call of $TAKEN" taken
	check "callback beside a BPF program" ./hooks
	check "the BPF program goes first" untaken
else
	for what in taken beside "goes first"; do
		ktap_test_skip "$what: the kernel lacks CONFIG_BPF_SYSCALL"
	done
fi

unload_module 2>/dev/null
load_module
hooks_of_kind direct >"$tmp/now"
check "direct calls again, where they were" diff "$tmp/direct" "$tmp/now"
check "no complaint in the kernel log" log_is_clean

ktap_finished
