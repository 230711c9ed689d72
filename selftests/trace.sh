#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tracepoints, read back through tracefs, perf, trace-cmd and bpftrace:
# each tool shows the events of a known traffic, with all their fields, and as
# many as the counters say.

. "$(dirname "$0")/lib/lib.sh"

TRACEFS=/sys/kernel/tracing

require unshare
require_family
[ -e $TRACEFS/events ] || mount -t tracefs none $TRACEFS ||
	skip_all "no tracefs"
[ -e $TRACEFS/events/dualstack ] ||
	skip_all "no tracepoints: the kernel has no CONFIG_EVENT_TRACING"

tmp=$(mktemp -d)
cleanup()
{
	echo 0 >$TRACEFS/events/dualstack/enable
	rm -rf "$tmp"
}
trap cleanup EXIT

# traffic TOOL COMMAND...: run the traffic under a tool
traffic()
{
	local tool=$1

	shift
	"$@" ./trace_events >"$tmp/$tool.said" 2>"$tmp/$tool.log"
	grep '^dualstack_' "$tmp/$tool.said" | sort >"$tmp/$tool.want"
}

# The event and its fields, of whatever else stands on the line. Others may
# have been traced: only the namespace of the traffic is looked at. AF_INET clients
# of all kinds have events, too: the traffic tells of some, by their cookie.
normalize()
{
	local tool=$1 ns

	ns=$(sed -n 's/.* netns=//p' "$tmp/$tool.said" | head -n 1)
	sed -n 's/.*\<\(dualstack_\(mapped\|v4\|reject\)\): */\1: /p' |
		grep " netns=${ns:-none}\$" | sort >"$tmp/$tool.all"
	awk 'match($0, / cookie=[0-9]+ /) {
			cookie = substr($0, RSTART, RLENGTH)
			if (NR == FNR)
				told[cookie]
			else if (!/^dualstack_v4/ || cookie in told)
				print
		}' "$tmp/$tool.said" "$tmp/$tool.all" >"$tmp/$tool.got"
}

run_tracefs()
{
	echo >$TRACEFS/trace
	echo 1 >$TRACEFS/events/dualstack/enable
	traffic tracefs env
	echo 0 >$TRACEFS/events/dualstack/enable
	normalize tracefs <$TRACEFS/trace
}

run_perf()
{
	traffic perf perf record -q -a -e 'dualstack:*' -o "$tmp/perf.data" --
	perf script -i "$tmp/perf.data" 2>>"$tmp/perf.log" | normalize perf
}

run_trace_cmd()
{
	traffic trace-cmd trace-cmd record -q -e dualstack -o "$tmp/trace.dat"
	trace-cmd report -i "$tmp/trace.dat" 2>>"$tmp/trace-cmd.log" |
		normalize trace-cmd
}

# It has numbers where the others have names, and no format of addresses.
run_bpftrace()
{
	local name prog=

	for name in mapped v4 reject; do
		prog+="tracepoint:dualstack:dualstack_$name {
			printf(\"dualstack_$name: family=%d protocol=%d \",
			       args->family, args->protocol);
			printf(\"flowlabel=0x%05x cookie=%lu netns=%u\n\",
			       args->flowlabel, args->cookie, args->netns);
		} "
	done
	traffic bpftrace bpftrace -e "$prog" -o "$tmp/bpftrace.out" -c
	normalize bpftrace <"$tmp/bpftrace.out"
	sed -e 's/ \(site\|reason\|local\|peer\)=[^ ]*//g' \
		-e 's/AF_INET6/10/; s/AF_INET/2/' \
		-e 's/IPPROTO_TCP/6/; s/IPPROTO_UDP/17/' \
		"$tmp/bpftrace.want" | sort >"$tmp/bpftrace.numbers"
	mv "$tmp/bpftrace.numbers" "$tmp/bpftrace.want"
}

same_events()
{
	[ -s "$tmp/$1.want" ] || { cat "$tmp/$1.log"; return 1; }
	diff -u "$tmp/$1.want" "$tmp/$1.got" && return
	cat "$tmp/$1.log"
	return 1
}

# counted COUNTER...: what they add up to after the traffic under the tool
counted()
{
	local tool=$1

	shift
	printf 'counter %s\n' "$@" |
		awk 'NR == FNR { wanted[$2]; next }
		     $1 == "counter" && $2 in wanted { n += $3 }
		     END { print n + 0 }' - "$tmp/$tool.said"
}

# The counter of each site and reason, and how many such events there were
as_counted()
{
	local tool=$1 key counter seen

	while read -r key counter; do
		seen=$(grep -c "^dualstack_${key/_/ } " "$tmp/$tool.all")
		[ "$seen" = "$(counted "$tool" "$counter")" ] && continue
		echo "$key: $seen events, $counter says" \
			"$(counted "$tool" "$counter")"
		return 1
	done <<-EOF
		mapped:_site=accept mapped_accept
		mapped:_site=recv mapped_recv
		mapped:_site=connect mapped_connect
		mapped:_site=send mapped_send
		mapped:_site=wire wire_mapped
		v4:_site=accept v4_accept
		v4:_site=recv v4_recv
		v4:_site=connect v4_connect
		v4:_site=send v4_send
		reject:_reason=v6only reject_v6only
		reject:_reason=addr reject_addr
		reject:_reason=v4only reject_v4only
		reject:_reason=connect reject_connect
		reject:_reason=send reject_send
		reject:_reason=bind reject_bind
	EOF
}

# bpftrace tells the events apart, and that suffices for their sums.
as_counted_in_sum()
{
	[ "$(grep -c dualstack_mapped "$tmp/$1.all")" = "$(counted "$1" \
		mapped_accept mapped_recv mapped_connect mapped_send \
		wire_mapped)" ] &&
	[ "$(grep -c dualstack_v4 "$tmp/$1.all")" = "$(counted "$1" \
		v4_accept v4_recv v4_connect v4_send)" ] &&
	[ "$(grep -c dualstack_reject "$tmp/$1.all")" = "$(counted "$1" \
		reject_v6only reject_addr reject_v4only reject_connect \
		reject_send reject_bind)" ]
}

# A tool that was not installed, or has no bpf(2) to work with, cannot be tested.
test_tool()
{
	local tool=$1 as_counted=$2 lacks=

	if [ "$tool" != tracefs ] && ! command -v "$tool" >/dev/null; then
		lacks="not installed"
	elif [ "$tool" = bpftrace ] && ! grep -qw bpf_prog_new_fd /proc/kallsyms; then
		lacks="the kernel lacks CONFIG_BPF_SYSCALL"
	fi
	if [ -n "$lacks" ]; then
		ktap_test_skip "$tool: $lacks"
		ktap_test_skip "$tool: $lacks"
		return
	fi
	"run_${tool//-/_}"
	check "$tool: events and their fields" same_events "$tool"
	check "$tool: as many as were counted" "$as_counted" "$tool"
}

# Nothing is traced, yet everything is counted
quiet()
{
	echo >$TRACEFS/trace
	./trace_events >"$tmp/quiet.said" || return
	! grep dualstack_ $TRACEFS/trace
}

ktap_print_header
ktap_set_plan 9
check "no events while nobody listens" quiet
test_tool tracefs as_counted
test_tool perf as_counted
test_tool trace-cmd as_counted
test_tool bpftrace as_counted_in_sum
ktap_finished
