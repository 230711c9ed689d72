#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where a function cannot call the module directly, ftrace calls it: because the
# architecture has no direct calls, because parameter direct_calls says so, or
# because a BPF program has the function's one already. Each hook counts the same
# then. A kernel with CONFIG_PREEMPT_RT takes direct calls: there the module is not
# loaded, and the log says why.

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

has_bpf()
{
	grep -qw bpf_prog_new_fd /proc/kallsyms
}

bpf_has_it()
{
	kill -0 "$bpf" || return
	grep -q "^$TAKEN .*direct" $TRACEFS/enabled_functions
}

# bpftrace passes over a signal that comes before it waits for events.
bpf_is_gone()
{
	! kill "$bpf"
}

# The others are what they were.
one_callback()
{
	hooks_of_kind direct >"$tmp/now"
	hooks_of_kind ftrace | grep -qx "$TAKEN" &&
		diff <(grep -vx "$TAKEN" "$tmp/direct") "$tmp/now"
}

# take: have a BPF program take the direct call of $TAKEN.
take()
{
	bpftrace -e "kfunc:$TAKEN { @n = count(); }" >"$tmp/bpf" 2>&1 &
	bpf=$!
	wait_for 300 bpf_has_it && return
	cat "$tmp/bpf"
	return 1
}

taken()
{
	bpf_has_it && load_module && one_callback
}

# The BPF program goes before the module does.
untaken()
{
	wait_for 60 bpf_is_gone || return
	grep "Attaching" "$tmp/bpf" && ./traffic -n 5 && unload_module &&
		! grep "^$TAKEN " $TRACEFS/enabled_functions
}

# not_loaded MESSAGE [PARAMETER]: insmod fails, and the kernel's log has the message.
not_loaded()
{
	local message=$1

	shift
	unload_module 2>/dev/null
	mark_log
	! load_module "$@" && since_mark | grep -F "dualstack: $message"
}

# Only once the BPF program has gone.
loaded_again()
{
	wait_for 60 bpf_is_gone && load_module && ./traffic -n 5
}

all_direct()
{
	[ -z "$(hooks_of_kind ftrace)" ]
}

# rt_checks: with CONFIG_PREEMPT_RT
rt_checks()
{
	ktap_set_plan 5
	check "all hooks are direct calls" all_direct
	check "with direct_calls=0 it is not loaded" \
		not_loaded "parameter direct_calls=no: this kernel has CONFIG_PREEMPT_RT" \
		direct_calls=0
	if has_bpf; then
		take
		check "beside a BPF program that has a direct call it is not loaded" \
			not_loaded "cannot hook $TAKEN: -EBUSY"
		check "it is loaded when that has gone" loaded_again
	else
		for what in "beside a BPF program" "when that has gone"; do
			ktap_test_skip "$what: the kernel lacks CONFIG_BPF_SYSCALL"
		done
	fi
	check "no complaint in the kernel log" log_is_clean
	ktap_finished
}

ktap_print_header
mark_log
! uname -v | grep -q PREEMPT_RT || rt_checks
# shellcheck disable=SC2086 # words
set -- $PROGRAMS
ktap_set_plan $((1 + $# + 3 + 2))

hooks_of_kind direct >"$tmp/direct"
unload_module
load_module direct_calls=0
check "with direct_calls=0 all hooks are callbacks" all_callbacks
for program; do
	check "callbacks: $program" "./$program"
done

if has_bpf; then
	unload_module
	take
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
