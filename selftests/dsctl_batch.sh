#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dsctl's options that change how a command runs: -b, -N and -c.

. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/schema.sh"

require "$DSCTL" jq python3 ip script setpriv unshare
require_family
own_netns "$@"

NOBODY=65534

tmp=$(mktemp -d)
netns=batch-test-$$
pids=()
cleanup()
{
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	ip netns del $netns 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# batch CODE [OPTION...]: run $tmp/batch
batch()
{
	local want=$1 rc

	shift
	"$DSCTL" "$@" -b "$tmp/batch" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	cat "$tmp/out" "$tmp/err"
	echo "exit code $rc"
	[ "$rc" = "$want" ]
}

# The same commands, each started by itself
one_by_one()
{
	"$DSCTL" -j show sockets port "$port"
	"$DSCTL" -j show stats proto tcp
	"$DSCTL" -j show hooks
}

# Times pass between two runs.
timeless()
{
	sed -E 's/"last_[a-z]*_age_ms":[0-9]+//g' "$1"
}

same_as_one_by_one()
{
	one_by_one >"$tmp/single"
	[ "$(wc -l <"$tmp/single")" = 3 ] &&
		diff <(timeless "$tmp/single") <(timeless "$tmp/out")
}

runs_all()
{
	cat >"$tmp/batch" <<-EOF
		# comment
		show sockets port $port	# another

		  show stats proto tcp
		show hooks
	EOF
	batch 0 -j && same_as_one_by_one && [ ! -s "$tmp/err" ]
}

quotes_and_continues()
{
	cat >"$tmp/batch" <<-EOF
		"show" 'sockets' \\
			po"rt" $port
		show stats\\
		 proto \\
		tcp
		sh""ow hooks
	EOF
	batch 0 -j && same_as_one_by_one
}

reads_stdin()
{
	printf 'show sockets port %s\nshow stats proto tcp\nshow hooks' "$port" |
		"$DSCTL" -j -b - >"$tmp/out" && same_as_one_by_one
}

# An answer comes before the next question is asked.
answers_at_once()
{
	local line rc

	coproc "$DSCTL" -j -b -
	echo "show hooks" >&"${COPROC[1]}"
	read -r -t 60 line <&"${COPROC[0]}"
	rc=$?
	eval "exec ${COPROC[1]}>&-"
	wait
	[ $rc = 0 ] && jq -e 'length > 0' <<<"$line"
}

stops_at_the_first()
{
	printf 'show hooks\n# \nshow \\\n bogus\nshow hooks\n' >"$tmp/batch"
	batch 1 -j && [ "$(wc -l <"$tmp/out")" = 1 ] &&
		grep -q bogus "$tmp/err" &&
		grep -qF "$tmp/batch:3:" "$tmp/err"
}

goes_on_with_force()
{
	printf 'show x\nshow hooks\nshow "stats\nshow stats\n' >"$tmp/batch"
	batch 1 -j -force && [ "$(wc -l <"$tmp/out")" = 2 ] &&
		grep -qF "$tmp/batch:1:" "$tmp/err" &&
		grep -qF "$tmp/batch:3:" "$tmp/err" &&
		! grep -qF "$tmp/batch:2:" "$tmp/err"
}

# A finding of an audit is no failure, but is not forgotten either.
goes_on_after_findings()
{
	printf 'audit\nshow hooks\n' >"$tmp/batch"
	batch 3 -j && [ "$(wc -l <"$tmp/out")" = 2 ] && [ ! -s "$tmp/err" ]
}

too_many_words()
{
	printf 'show%s\n' "$(printf ' port 1%.0s' {1..50})" >"$tmp/batch"
	batch 1
}

in_another_namespace()
{
	echo "show stats" >"$tmp/batch"
	batch 0 -j -n $netns &&
		diff "$tmp/out" <("$DSCTL" -j -n $netns show stats)
}

# refused ARGUMENT...: with words on stderr only
refused()
{
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	[ $? = 1 ] && [ ! -s "$tmp/out" ] && [ -s "$tmp/err" ]
}

# Each namespace in turn, as -n has it, in one array
sockets_of_all()
{
	"$DSCTL" -N -j show sockets >"$tmp/all" || return 1
	keep "$tmp/all" -N show sockets
	[ "$(jq -s length "$tmp/all")" = 1 ] || return 1
	"$DSCTL" -j show sockets >"$tmp/own"
	"$DSCTL" -n $netns -j show sockets >"$tmp/other"
	jq -e --arg netns $netns --slurpfile own "$tmp/own" \
		--slurpfile other "$tmp/other" \
		'def timeless: map(del(.last_mapped_age_ms,
				       .last_rejected_age_ms));
		 def of($ns): map(select(.netns == $ns)) | timeless;
		 ($own[0] | length) > 0 and ($other[0] | length) > 0 and
		 of(null) == ($own[0] | timeless) and
		 of($netns) == ($other[0] | timeless) and
		 .[0].netns == null' "$tmp/all"
}

# Once each, whatever the number of its processes
each_namespace_once()
{
	local inodes

	inodes=$({
		stat -L -c %i /proc/[0-9]*/ns/net
		stat -c %i /run/netns/*
	} 2>/dev/null | sort -u | wc -l)
	"$DSCTL" -N -j show stats >"$tmp/all" &&
	keep "$tmp/all" -N show stats &&
	jq -e --arg netns $netns --argjson inodes "$inodes" '
		length == $inodes and (map(.netns) | unique | length) == $inodes
		and any(.[]; .netns == $netns) and
		all(.[]; has("mapped_accept") and has("tracked"))' "$tmp/all"
}

# A container by a process, where no name is to be had
by_process()
{
	"$DSCTL" -N -j show sockets >"$tmp/all" &&
	jq -e --arg pid "$nameless" --argjson port "$nameless_port" \
		'map(select(.local_port == $port)) | length == 1 and
		 .[0].netns == $pid' "$tmp/all"
}

headings()
{
	"$DSCTL" -N show stats >"$tmp/out" &&
		[ "$(head -n 1 "$tmp/out")" = "netns: (own)" ] &&
		grep -qx "netns: $netns" "$tmp/out" &&
		[ "$(grep -c '^netns: ' "$tmp/out")" = \
		  "$(grep -c '^mapped_accept ' "$tmp/out")" ]
}

# An object for each hook of each namespace
pretty()
{
	"$DSCTL" -N -j -p show hooks >"$tmp/all"
	keep "$tmp/all" -N -p show hooks
	jq -s -e --arg netns $netns '
		length == 1 and (.[0] | length > 0 and
			all(.[]; has("netns") and has("hits")) and
			(map(select(.netns == null)) | length) ==
			(map(select(.netns == $netns)) | length))' "$tmp/all"
}

# What is one object elsewhere is one of an array.
configs()
{
	"$DSCTL" -N -j -s show config >"$tmp/all" &&
	keep "$tmp/all" -N -s show config &&
	jq -e --arg netns $netns 'any(.[]; .netns == $netns and .defaults)' "$tmp/all"
}

# What would change in each namespace, all in one array
changes_all()
{
	"$DSCTL" -N -j set v6only on all dry-run >"$tmp/all" || return 1
	keep "$tmp/all" -N set v6only on all dry-run
	jq -s -e --arg netns $netns 'length == 1 and (.[0] |
		all(.[]; .dry_run and has("result")) and
		any(.[]; .netns == null and .result == "changed") and
		any(.[]; .netns == $netns and .result == "changed"))' "$tmp/all"
}

resets_all()
{
	"$DSCTL" -N reset && "$DSCTL" -N -j show stats >"$tmp/all" &&
	jq -e 'length > 2 and all(.[]; .mapped_accept == 0 and
				       .reject_v6only == 0)' "$tmp/all"
}

# Who may enter no other namespace sees the own one, and no complaint.
unprivileged()
{
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups \
		"$DSCTL" -N -j show stats >"$tmp/all" 2>"$tmp/err" &&
	jq -e 'map(.netns) == [null]' "$tmp/all" && [ ! -s "$tmp/err" ]
}

# With -s he is told of those that have a name, and of processes.
unprivileged_is_told()
{
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups \
		"$DSCTL" -N -s -j show stats 2>&1 >/dev/null | tee "$tmp/err"
	grep -q "\"$netns\": Operation not permitted" "$tmp/err" &&
		grep -Eq 'passed over [0-9]+ processes' "$tmp/err"
}

# ageless: without how long ago, which goes on from one table to the next
ageless()
{
	sed -E 's/ +/ /g; s/ [0-9]+(s|min|h) / /'
}

# The colours are red for what is refused, and change nothing else.
colours()
{
	"$DSCTL" show sockets mode v6only >"$tmp/plain" &&
	"$DSCTL" "$@" show sockets mode v6only >"$tmp/coloured" &&
	grep -q $'\e\[31m1 v6only' "$tmp/coloured" &&
	diff <(ageless <"$tmp/plain") <(plain "$tmp/coloured" | ageless)
}

# on_terminal ARGUMENT...: what dsctl writes to a terminal
on_terminal()
{
	script -qec "$DSCTL $*" /dev/null </dev/null >"$tmp/out"
	grep -q v6only "$tmp/out"
}

is_coloured()
{
	grep -q $'\e' "$tmp/out"
}

auto_on_terminal()
{
	on_terminal -c=auto show sockets && is_coloured
}

no_color()
{
	NO_COLOR=1 on_terminal -c=auto show sockets && ! is_coloured
}

no_color_but_always()
{
	NO_COLOR=1 "$DSCTL" -c show sockets >"$tmp/out" && is_coloured
}

no_color_unless_asked()
{
	on_terminal show sockets && ! is_coloured
}

auto_elsewhere()
{
	"$DSCTL" -c=auto show sockets >"$tmp/out" && ! is_coloured
}

last_one_counts()
{
	"$DSCTL" -c -c=never show sockets >"$tmp/out" && ! is_coloured
}

json_has_no_colour()
{
	"$DSCTL" -c -j show sockets >"$tmp/out" && ! is_coloured &&
		jq . "$tmp/out"
}

# A server with a client of either kind, until the end; prints its port. An audit finds
# one that IPv4 alone can reach.
server='
import socket, sys
v4 = socket.create_server(("", 0))
server = socket.create_server(("::", 0), family=socket.AF_INET6)
port = server.getsockname()[1]
for addr in "::1", "127.0.0.1":
    try:
        socket.create_connection((addr, port)).close()
    except ConnectionRefusedError:
        pass
dual = socket.create_server(("::", 0), family=socket.AF_INET6,
                            dualstack_ipv6=True)
socket.create_connection(("127.0.0.1", dual.getsockname()[1])).close()
print(port, flush=True)
sys.stdin.read()'

# serve FILE COMMAND...
serve()
{
	local file=$1

	shift
	"$@" /usr/bin/python3 -c "$server" <&9 >"$file" &
	pids+=($!)
	wait_for 60 test -s "$file"
}

ktap_print_header
tool_plan 39 1

mkfifo "$tmp/stdin"
exec 9<>"$tmp/stdin"
ip netns add $netns
ip -n $netns link set lo up
serve "$tmp/port" env
port=$(cat "$tmp/port")
serve "$tmp/other.port" ip netns exec $netns
serve "$tmp/nameless.port" unshare --net -- sh -c 'ip link set lo up; exec "$@"' -
nameless=${pids[-1]}
nameless_port=$(cat "$tmp/nameless.port")

check "batch" runs_all
check "batch with quotes and continued lines" quotes_and_continues
check "batch from stdin" reads_stdin
check "batch answers at once" answers_at_once
check "batch stops at the first failure" stops_at_the_first
check "batch goes on with -force" goes_on_with_force
check "batch goes on after findings" goes_on_after_findings
check "batch refuses a long line" too_many_words
check "batch in another namespace" in_another_namespace
for args in "-b /nonexistent" "-b $tmp" "-b - show stats" "-N -b -" "-b"; do
	# shellcheck disable=SC2086
	check "dsctl ${args/$tmp/DIRECTORY}: usage" refused $args
done

check "sockets of every namespace" sockets_of_all
check "each namespace once" each_namespace_once
check "a namespace without a name" by_process
check "headings" headings
check "unprivileged user" unprivileged
check "unprivileged user is told" unprivileged_is_told
check "every namespace, pretty" pretty
check "every namespace's settings" configs
for args in "-N -n $netns show stats" "-N show sockets port x" \
	    "-N set tracking on" "-N monitor" "-N explain tcp ::1 80"; do
	# shellcheck disable=SC2086
	check "dsctl ${args/$netns/NETNS}: usage" refused $args
done

check "a change in every namespace" changes_all
check "colour" colours -c
check "colour, always" colours -color=always
check "colour on a terminal" auto_on_terminal
check "colour elsewhere" auto_elsewhere
check "NO_COLOR" no_color
check "NO_COLOR and always" no_color_but_always
check "no colour unless asked for" no_color_unless_asked
check "the last -c counts" last_one_counts
check "no colour in JSON" json_has_no_colour
check "dsctl -c=sometimes: usage" refused -c=sometimes show stats

check "reset in every namespace" resets_all
check_schemas "show sockets" "show stats" "show hooks" "show config" "set v6only"

ktap_finished
