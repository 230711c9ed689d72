#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tracepoints, read back through tracefs, perf, trace-cmd and bpftrace:
# each tool shows the events of a known traffic, with all their fields, and as
# many as the counters say.

. "$(dirname "$0")/lib/lib.sh"

TRACEFS=/sys/kernel/tracing
# Some of the events of dualstack_reject, as each tool takes it
FILTER='reason == "connect" && peer_port == 9 && protocol == 6'
BPFTRACE_FILTER='args->reason == "connect" && args->peer_port == 9 && args->protocol == 6'
FILTERED=' reason=connect family=[^ ]* protocol=IPPROTO_TCP local=[^ ]* peer=[^ ]*:9 '

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
	echo 0 >$TRACEFS/events/dualstack/dualstack_reject/filter
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

# The same where the kernel chooses events for the tool
filter_tracefs()
{
	local reject=$TRACEFS/events/dualstack/dualstack_reject

	echo >$TRACEFS/trace
	echo "$FILTER" >$reject/filter
	echo 1 >$reject/enable
	traffic "$1" env
	echo 0 >$reject/enable
	echo 0 >$reject/filter
	normalize "$1" <$TRACEFS/trace
}

filter_perf()
{
	traffic "$1" perf record -q -a -e dualstack:dualstack_reject --filter "$FILTER" \
		-o "$tmp/perf.data" --
	perf script -i "$tmp/perf.data" 2>>"$tmp/$1.log" | normalize "$1"
}

filter_trace_cmd()
{
	traffic "$1" trace-cmd record -q -e dualstack_reject -f "$FILTER" \
		-o "$tmp/trace.dat"
	trace-cmd report -i "$tmp/trace.dat" 2>>"$tmp/$1.log" | normalize "$1"
}

# bpftrace_prints NAME WHAT [FILTER]: a line for each event of a tracepoint. An address
# has no brackets, and one of IPv4 its prefix.
bpftrace_prints()
{
	cat <<-EOF
		tracepoint:dualstack:dualstack_$1 ${3:+/$3/} {
			printf("dualstack_$1: $2=%s family=%d protocol=%d ",
			       args->$2, args->family, args->protocol);
			printf("local=%s:%d peer=%s:%d ",
			       ntop(args->local_v6), args->local_port,
			       ntop(args->peer_v6), args->peer_port);
			printf("flowlabel=0x%05x cookie=%lu netns=%u\n",
			       args->flowlabel, args->cookie, args->netns);
		}
	EOF
}

# It has numbers where the others have names.
bpftrace_want()
{
	sed -e 's/AF_INET6/10/; s/AF_INET/2/' \
		-e 's/IPPROTO_TCP/6/; s/IPPROTO_UDP/17/' \
		-e 's/=0\.0\.0\.0:/=:::/g; s/=\([0-9]*\.[0-9.]*\):/=::ffff:\1:/g' \
		-e 's/=\[\([^]]*\)\]/=\1/g' "$tmp/$1.want" | sort >"$tmp/$1.numbers"
	mv "$tmp/$1.numbers" "$tmp/$1.want"
}

run_bpftrace()
{
	traffic bpftrace bpftrace -e "$(bpftrace_prints mapped site
		bpftrace_prints v4 site
		bpftrace_prints reject reason)" -o "$tmp/bpftrace.out" -c
	normalize bpftrace <"$tmp/bpftrace.out"
	bpftrace_want bpftrace
}

filter_bpftrace()
{
	traffic "$1" bpftrace -e "$(bpftrace_prints reject reason "$BPFTRACE_FILTER")" \
		-o "$tmp/$1.out" -c
	normalize "$1" <"$tmp/$1.out"
}

# chosen TOOL: what the filter says, and nothing else
chosen()
{
	local name=$1-filter

	"filter_${1//-/_}" "$name"
	grep -e "$FILTERED" "$tmp/$name.want" >"$tmp/$name.chosen"
	mv "$tmp/$name.chosen" "$tmp/$name.want"
	[ "$1" != bpftrace ] || bpftrace_want "$name"
	same_events "$name"
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

# A tool that was not installed, or has no bpf(2) to work with, cannot be tested.
test_tool()
{
	local tool=$1 i lacks=

	if [ "$tool" != tracefs ] && ! command -v "$tool" >/dev/null; then
		lacks="not installed"
	elif [ "$tool" = bpftrace ] && ! grep -qw bpf_prog_new_fd /proc/kallsyms; then
		lacks="the kernel lacks CONFIG_BPF_SYSCALL"
	fi
	if [ -n "$lacks" ]; then
		for i in 1 2 3; do
			ktap_test_skip "$tool ($i): $lacks"
		done
		return
	fi
	"run_${tool//-/_}"
	check "$tool: events and their fields" same_events "$tool"
	check "$tool: as many as were counted" as_counted "$tool"
	check "$tool: a filter" chosen "$tool"
}

# Nothing is traced, yet everything is counted
quiet()
{
	echo >$TRACEFS/trace
	./trace_events >"$tmp/quiet.said" || return
	! grep dualstack_ $TRACEFS/trace
}

ktap_print_header
ktap_set_plan 13
check "no events while nobody listens" quiet
for tool in tracefs perf trace-cmd bpftrace; do
	test_tool $tool
done
ktap_finished
