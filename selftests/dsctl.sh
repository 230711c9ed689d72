#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dsctl against what a server and its clients, in Python, saw.

. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/schema.sh"

require "$DSCTL" jq python3 ip unshare setpriv insmod rmmod
require_family
own_netns "$@"

NOBODY=65534
KEYS='["netns","proto","state","mode","local_addr","local_port","peer_addr",
"peer_port","dev","explicit_port","v6only","cookie","uid","inode","shadowed","processes",
"last_mapped_peer","last_rejected_peer","mapped_accept","native_accept",
"mapped_recv","native_recv","mapped_connect","mapped_send","reject_v6only",
"reject_addr","reject_v4only","reject_connect","reject_send","reject_bind",
"wire_mapped"]'

tmp=$(mktemp -d)
netns=dsctl-test-$$
cleanup()
{
	[ -z "$peer_pid" ] || kill "$peer_pid" 2>/dev/null
	ip netns del $netns 2>/dev/null
	rm -rf "$tmp"
	grep -q '^dualstack ' /proc/modules || load_module
}
trap cleanup EXIT

# fails_with CODE ARGUMENT...: exit code, silence on stdout, words on stderr
fails_with()
{
	local want=$1 rc

	shift
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	cat "$tmp/out" "$tmp/err"
	echo "exit code $rc"
	[ "$rc" = "$want" ] && [ ! -s "$tmp/out" ] && [ -s "$tmp/err" ]
}

# prints ARGUMENT...: exit code 0, words on stdout, silence on stderr
prints()
{
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || return 1
	cat "$tmp/err"
	[ -s "$tmp/out" ] && [ ! -s "$tmp/err" ]
}

# same_json FILE FILE: equal, whatever the order of keys
same_json()
{
	jq -S . "$1" >"$tmp/sorted" && jq -S . "$2" | diff "$tmp/sorted" -
}

# Of each socket that dsctl shows, what the application knows of it.
project()
{
	jq --slurpfile want "$tmp/want" \
		'($want[0].sockets[0] | keys) as $keys |
		 map(with_entries(select(.key | IN($keys[])))) |
		 sort_by(.cookie)' "$1"
}

# agrees ARGUMENT...: `dsctl ARGUMENT... show sockets` is what the peer said
agrees()
{
	"$DSCTL" -j "$@" show sockets >"$tmp/got" || return 1
	keep "$tmp/got" "$@" show sockets
	project "$tmp/got" >"$tmp/got.known"
	jq '.sockets | sort_by(.cookie)' "$tmp/want" >"$tmp/want.known"
	same_json "$tmp/want.known" "$tmp/got.known"
}

# filter_selects JQ-CONDITION FILTER...: what jq selects from the whole list
filter_selects()
{
	local condition=$1

	shift
	"$DSCTL" -j show sockets | jq "map(select($condition))" |
		jq 'map(del(.last_mapped_age_ms, .last_rejected_age_ms))' \
		>"$tmp/selected"
	"$DSCTL" -j show sockets "$@" |
		jq 'map(del(.last_mapped_age_ms, .last_rejected_age_ms))' \
		>"$tmp/filtered" || return 1
	[ "$(jq length "$tmp/selected")" -gt 0 ] || return 1
	same_json "$tmp/selected" "$tmp/filtered"
}

# With -a, sockets that have no counts as well
all_agree()
{
	jq '.sockets + .hidden | sort_by(.cookie)' "$tmp/want" >"$tmp/want.known"
	"$DSCTL" -j -a show sockets >"$tmp/got" || return 1
	keep "$tmp/got" -a show sockets
	project "$tmp/got" |
		jq --slurpfile want "$tmp/want.known" \
			'($want[0] | map(.cookie)) as $cookies |
			 map(select(.cookie | IN($cookies[])))' \
			>"$tmp/got.known"
	same_json "$tmp/want.known" "$tmp/got.known"
}

keys_are_a_contract()
{
	"$DSCTL" -j show sockets |
		jq -e --argjson keys "$KEYS" \
			'length > 0 and all(.[]; . as $s |
			 all($keys[]; . as $k | $s | has($k)))'
}

shows_processes()
{
	"$DSCTL" -j show sockets |
		jq -e --argjson pid "$peer_pid" \
			'length > 0 and all(.[] | select(.inode); .processes |
			 any(.[]; .pid == $pid and (.comm | startswith("python"))
				  and (.fd | type) == "number"))'
}

# Without processes everything else is as with them; only ages go on.
omits_processes()
{
	local ages='del(.[].last_mapped_age_ms, .[].last_rejected_age_ms)'

	"$DSCTL" -j show sockets | jq "$ages | .[].processes = null" >"$tmp/want.P"
	"$DSCTL" -j -P show sockets >"$tmp/all.P"
	keep "$tmp/all.P" -P show sockets
	jq "$ages" "$tmp/all.P" >"$tmp/got.P"
	diff "$tmp/want.P" "$tmp/got.P" && jq -e 'length > 0' "$tmp/got.P" &&
		has_column Process show sockets &&
		! has_column Process -no-processes show sockets
}

# The sums, and no more than that
stats_agree()
{
	jq .sums "$tmp/want" >"$tmp/want.sums"
	"$DSCTL" -j show stats >"$tmp/got.sums" || return 1
	keep "$tmp/got.sums" show stats
	same_json "$tmp/want.sums" "$tmp/got.sums"
}

hooks_are_shown()
{
	"$DSCTL" -j show hooks | tee "$tmp/hooks"
	keep "$tmp/hooks" show hooks
	jq -e 'length >= 9 and all(.[];
		(keys | sort) == ["attached","hits","kind","name","purpose"] and
		.attached == true and (.hits | type) == "number" and
		(.kind | IN("ftrace", "direct", "tracepoint")))' "$tmp/hooks" &&
	jq -e --slurpfile want "$tmp/want" '$want[0].sums as $s |
		(map({(.name): .hits}) | add) as $h |
		$h.tcp_child_process == $s.mapped_accept + $s.v4_accept +
					$s.native_accept and
		$h.skb_consume_udp == $s.mapped_recv + $s.v4_recv +
				      $s.native_recv and
		$h.tcp_v4_connect + $h.__ip4_datagram_connect == $s.v4_connect and
		$h.tcp_v6_connect + $h.__ip6_datagram_connect ==
			$s.mapped_connect + $s.native_connect +
			$s.reject_connect and
		$h.kfree_skb == $s.reject_v6only + $s.reject_addr +
				$s.reject_v4only' "$tmp/hooks"
}

# -p changes the layout, not the content; without it JSON is one line
pretty()
{
	"$DSCTL" -j show stats >"$tmp/plain" &&
	"$DSCTL" -j -p show stats >"$tmp/pretty" &&
	keep "$tmp/pretty" show stats &&
	[ "$(wc -l <"$tmp/plain")" = 1 ] &&
	[ "$(wc -l <"$tmp/pretty")" -gt 1 ] &&
	same_json "$tmp/plain" "$tmp/pretty"
}

# The table has a line for each socket, and no escapes as this is no terminal.
table()
{
	local port

	"$DSCTL" show sockets >"$tmp/table" || return 1
	cat "$tmp/table"
	! grep -q $'\e' "$tmp/table" || return 1
	for port in $(jq '.sockets[].local_port | values' "$tmp/want"); do
		grep -q ":$port\b" "$tmp/table" || return 1
	done
	# What has no port has no line.
	[ "$(wc -l <"$tmp/table")" = \
	  "$(jq '.sockets | map(select(.local_port)) | length + 1' \
	     "$tmp/want")" ]
}

table_of_all()
{
	local port

	"$DSCTL" -a show sockets >"$tmp/table" || return 1
	cat "$tmp/table"
	for port in $(jq '.sockets + .hidden | .[].local_port | values' \
		      "$tmp/want"); do
		grep -q ":$port\b" "$tmp/table" || return 1
	done
	# The socket that sock_diag does not list
	grep -Eq '^tcp +UNCONN +- +- ' "$tmp/table"
}

# has_column NAME ARGUMENT...
has_column()
{
	local name=$1

	shift
	"$DSCTL" "$@" >"$tmp/table" && head -n 1 "$tmp/table" |
		grep -Eq " $name( |\$)"
}

# A column that is there when there is something to see, and with -s
spoof_appears()
{
	local quiet spoofed

	quiet=$(jq '.sockets[0].local_port' "$tmp/want")
	spoofed=$(jq .spoofed "$tmp/want")
	has_column Wire-mapped -s show sockets port "$quiet" &&
	has_column Wire-mapped show sockets port "$spoofed" &&
	! has_column Wire-mapped show sockets port "$quiet"
}

# tells_reason REASON: beside each socket that refused somebody for it
tells_reason()
{
	local count port key=reject_$1

	jq -r ".sockets[] | select(.$key > 0) | \"\(.local_port) \(.$key)\"" \
		"$tmp/want" >"$tmp/refused"
	[ -s "$tmp/refused" ] || return 1
	while read -r port count; do
		"$DSCTL" show sockets port "$port" | tee "$tmp/table"
		grep -Eq ":$port +.* $count $1 " "$tmp/table" || return 1
	done <"$tmp/refused"
}

# The connection, and the socket that was kept from one
tells_outbound()
{
	! has_column Outbound -a show sockets &&
	has_column Outbound -a -s show sockets &&
	grep -Eq '^tcp +ESTAB +mapped .* 1 connect ' "$tmp/table" &&
	grep -Eq '^tcp +UNCONN +- .* 1 connect ' "$tmp/table" || return 1
	# What a socket does not count is none, and not 0.
	"$DSCTL" -a -o proto,outbound-ipv6 show sockets | tee "$tmp/table"
	grep -Eq '^tcp +-$' "$tmp/table" && grep -Eq '^udp +[0-9]+$' "$tmp/table" &&
		! grep -E '^tcp +[0-9]|^udp +-' "$tmp/table"
}

# fits COLUMNS ARGUMENT...: lines that a person can read
fits()
{
	local columns=$1

	shift
	"$DSCTL" "$@" | tee "$tmp/table"
	[ -s "$tmp/table" ] && ! grep -qE ".{$((columns + 1))}" "$tmp/table"
}

servers_fit()
{
	local mode

	for mode in dual v6only v4; do
		fits 110 show sockets mode $mode || return 1
	done
}

# as_nobody ARGUMENT...: dsctl of a user without rights
as_nobody()
{
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups "$DSCTL" "$@"
}

# As a user who sees no process but his own, nor who anybody's peers are: all else
# is the same, and what is missing is said once
unprivileged()
{
	as_nobody -j show sockets >"$tmp/got" 2>"$tmp/err" || return 1
	keep "$tmp/got" show sockets
	cat "$tmp/err"
	project "$tmp/got" >"$tmp/got.known"
	jq '.sockets | map(.last_mapped_peer = null |
			   .last_rejected_peer = null) | sort_by(.cookie)' \
		"$tmp/want" >"$tmp/want.known"
	same_json "$tmp/want.known" "$tmp/got.known" &&
	jq -e 'all(.[]; .processes == [] and .last_mapped_age_ms == null and
			.last_rejected_age_ms == null)' "$tmp/got" &&
	[ "$(wc -l <"$tmp/err")" = 1 ] &&
	grep -q 'peers.*CAP_NET_ADMIN in the network namespace' "$tmp/err"
}

# The same where the kernel is asked for single sockets, and where it is asked
# again and again
unprivileged_is_told_once()
{
	local port

	port=$(jq 'first(.sockets[] | select(.mapped_recv > 0)).local_port' \
		"$tmp/want")
	as_nobody show sockets port "$port" >"$tmp/out" 2>"$tmp/err" || return 1
	cat "$tmp/out" "$tmp/err"
	[ "$(wc -l <"$tmp/err")" = 1 ] && grep -q ":$port " "$tmp/out" ||
		return 1
	printf 'show sockets\nshow sockets\naudit\n' >"$tmp/commands"
	as_nobody -force -b - <"$tmp/commands" 2>"$tmp/err"
	cat "$tmp/err"
	[ "$(grep -c CAP_NET_ADMIN "$tmp/err")" = 1 ]
}

# What has no peers to show misses none.
unprivileged_misses_nothing()
{
	as_nobody export >"$tmp/out" 2>"$tmp/err" && [ -s "$tmp/out" ] &&
	as_nobody show stats >>"$tmp/out" 2>>"$tmp/err" &&
	as_nobody explain tcp ::1 9 >>"$tmp/out" 2>>"$tmp/err"
	cat "$tmp/err"
	[ ! -s "$tmp/err" ]
}

# cannot_write ERROR ARGUMENT...: exit code 2, and why; what stdout is is the caller's
cannot_write()
{
	local error=$1 rc

	shift
	timeout 60 "$DSCTL" "$@" 2>"$tmp/err" </dev/null
	rc=$?
	{ echo "$*: exit code $rc" && cat "$tmp/err"; } >&2
	[ "$rc" = 2 ] && grep -q "$error" "$tmp/err" &&
		[ "$(wc -l <"$tmp/err")" = 1 ]
}

# each_command COMMAND...: with the arguments of each that prints something
each_command()
{
	local args

	echo "show stats" >"$tmp/batch"
	for args in "show sockets" "-j show sockets" "show stats" "-j show stats" \
		    "show hooks" "show config" "-j -s show config" \
		    "explain tcp 127.0.0.1 80" "-j explain udp ::1 53" audit \
		    "-j audit" export "export -" "set v6only on all dry-run" \
		    "-N show stats" "-N -j show sockets" "-b $tmp/batch" help \
		    "show help" -V; do
		# shellcheck disable=SC2086 # words
		"$@" $args || return 1
	done
}

closed_stdout()
{
	each_command cannot_write 'write error: Bad file descriptor' >&- &&
		cannot_write 'write error: Bad file descriptor' monitor >&-
}

full_disk()
{
	each_command cannot_write 'write error: No space left' >/dev/full
}

# quietly_fails ARGUMENT...: where the reader of a pipe has gone, nobody wants to know
quietly_fails()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	setpriv --pdeathsig KILL bash -c 'trap "" PIPE
		{ sleep 0.2; "$@" 2>"$0"; echo $? >"$0.rc"; } | :
		[ "$(cat "$0.rc")" = 2 ] && [ ! -s "$0" ]' \
		"$tmp/pipe.err" timeout 60 "$DSCTL" "$@" || {
		echo "$*: exit code $(cat "$tmp/pipe.err.rc")"
		return 1
	}
}

closed_pipe()
{
	each_command quietly_fails && quietly_fails monitor
}

# What is closed is no place for messages, and its number nobody else's.
all_closed()
{
	"$DSCTL" export "$tmp/closed.prom" <&- >&- 2>&- &&
		python3 ./peer/prom_check.py <"$tmp/closed.prom" >/dev/null &&
		! "$DSCTL" show sockets port x <&- >&- 2>&- &&
		! "$DSCTL" -b - <&-
}

abbreviated()
{
	"$DSCTL" -j show stats >"$tmp/full" &&
	"$DSCTL" -j sh st >"$tmp/short" && same_json "$tmp/full" "$tmp/short"
}

# One line that says what to load
without_module()
{
	fails_with 2 "$@" && [ "$(wc -l <"$tmp/err")" = 1 ] &&
		grep -q 'dualstack' "$tmp/err" && grep -q 'load' "$tmp/err"
}

ktap_print_header
tool_plan 52 4

for args in "help" "show help" "show sockets help" "show stats help" \
	    "show hooks help" "-V"; do
	# shellcheck disable=SC2086
	check "dsctl $args" prints $args
done
for args in "bogus" "show bogus" "show s" "-z show stats" \
	    "show sockets port" "show sockets port 70000" \
	    "show sockets port x" "show sockets proto icmp" \
	    "show sockets mode none" "show sockets bogus 1" \
	    "show sockets port 1 port 2"; do
	# shellcheck disable=SC2086
	check "dsctl $args: usage" fails_with 1 $args
done

# The peer keeps its sockets open until it is killed: nobody writes here.
mkfifo "$tmp/stdin"
exec 9<>"$tmp/stdin"
/usr/bin/python3 ./peer/dsctl_peer.py <&9 >"$tmp/want" &
peer_pid=$!
check "server and clients" wait_for 60 test -s "$tmp/want"

check "show sockets agrees with the application" agrees
check "show sockets of all agrees with the application" all_agree
check "show sockets has all keys" keys_are_a_contract
check "show sockets names the process" shows_processes
check "show sockets without processes" omits_processes
check "show stats agrees with the application" stats_agree
check "show hooks agrees with the application" hooks_are_shown
check "pretty JSON" pretty
check "table" table
check "table of all" table_of_all
check "table of servers fits" servers_fit
check "table of hooks fits" fits 100 show hooks
check "table of sums fits" fits 100 show stats
check "wire_mapped is not overlooked" spoof_appears
for args in v6only addr v4only; do
	check "reason $args" tells_reason $args
done
check "outbound counters" tells_outbound
check "abbreviated commands" abbreviated
check "unprivileged user" unprivileged
check "unprivileged user: told once" unprivileged_is_told_once
check "unprivileged user: nothing else missing" unprivileged_misses_nothing
check_tool "stdout is closed" closed_stdout
check_tool "full disk" full_disk
check_tool "closed pipe" closed_pipe
check "all is closed" all_closed

port=$(jq '.sockets[0].local_port' "$tmp/want")
check "filter by port" filter_selects ".local_port == $port" port "$port"
check "filter by proto" filter_selects '.proto == "udp"' proto udp
check "filter by mode" filter_selects '.mode == "v6only"' mode v6only
check "filter by mode v4" filter_selects '.mode == "v4"' mode v4
check "filter by proto and mode" filter_selects \
	'.proto == "tcp" and .mode == "dual"' proto tcp mode dual

# Another namespace: by its name from outside, and nothing of it inside
ip netns add $netns
check "other namespace is empty" test \
	"$("$DSCTL" -n $netns -j show sockets)" = "[]"
check "unknown namespace" fails_with 2 -n no-such-netns show sockets
check "namespace by process" agrees -n "$peer_pid"

unload_module
for args in "show sockets" "-j show stats" "show hooks"; do
	# shellcheck disable=SC2086
	check "dsctl $args without the module" without_module $args
done
load_module
check_schemas "show sockets" "show stats" "show hooks"

ktap_finished
