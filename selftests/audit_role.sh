#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What dsctl audit says of programs whose part in IPv4 has to be told from what
# they do: who is a client, who a server, what is from before a change, and whose
# it is.

. "$(dirname "$0")/lib/lib.sh"

require "$DSCTL" jq python3 ip unshare setpriv
require_family
own_netns "$@"

LIMIT=60	# seconds, for what takes a moment
ELSEWHERE=192.0.2.1	# of role_peer.py
NOBODY=65534

tmp=$(mktemp -d)
pids=()
cleanup()
{
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# start NAME SHAPE [WORD...]: a program of role_peer.py that lasts until the end
declare -A to from said
start()
{
	local name=$1 fd

	mkfifo "$tmp/$name.in" "$tmp/$name.out"
	exec {fd}<>"$tmp/$name.in"
	to[$name]=$fd
	exec {fd}<>"$tmp/$name.out"
	from[$name]=$fd
	/usr/bin/python3 ./peer/role_peer.py "$@" <"$tmp/$name.in" \
		>"$tmp/$name.out" &
	pids+=($!)
	read -r -t $LIMIT line <&"${from[$name]}" && said[$name]=$line
}

# of NAME KEY: what it said at first
of()
{
	jq -r ".$2" <<<"${said[$1]}"
}

# does NAME ANSWER COMMAND [WORD...]: the program is asked, and answers
does()
{
	local name=$1 want=$2 line

	shift 2
	echo "$*" >&"${to[$name]}"
	read -r -t $LIMIT line <&"${from[$name]}"
	echo "$name: $*: $line"
	[ "$line" = "$want" ]
}

# found SERVICE VERDICT JQ-CONDITION: on the findings of the one service of that name
found()
{
	"$DSCTL" -j audit | tee "$tmp/out" | jq -e --arg service "$1" \
		--arg verdict "$2" "map(select(.service == \$service)) |
		length == 1 and .[0].verdict == \$verdict and (.[0].findings |
			map({(.finding): .}) | add | $3)" >/dev/null || {
		jq --arg service "$1" 'map(select(.service == $service) |
			del(.sockets))' "$tmp/out"
		return 1
	}
}

# in_table REGEX
in_table()
{
	"$DSCTL" audit >"$tmp/out"
	grep -E "$1" "$tmp/out" || { cat "$tmp/out"; return 1; }
}

# IPV6_V6ONLY goes off, and on again: what was counted is told for what it is.

refusals_are_past()
{
	local i

	for i in 1 2 3; do
		does changed refused refuse $ELSEWHERE || return 1
	done
	found changed refuses-ipv4 '.["refuses-ipv4"].count == 3' &&
		"$DSCTL" set v6only off proto tcp port "$port" &&
		found changed unused-ipv4 '(has("refuses-ipv4") | not) and
			(.["past-ipv4"] | .count == 3 and .blocks == false and
			 (.detail | startswith(
				"3 of IPv4 refused before v6only was off, last")) and
			 (.advice | contains("dsctl reset")))' &&
		in_table "past-ipv4 .* 3 of IPv4 refused before v6only was off,"
}

clients_are_past()
{
	does changed served serve $ELSEWHERE &&
		does changed served serve $ELSEWHERE &&
		found changed serves-ipv4 '.["serves-ipv4"].count == 2 and
			.["past-ipv4"].count == 3' &&
		"$DSCTL" set v6only on proto tcp port "$port" &&
		found changed refuses-ipv4 '.["refuses-ipv4"].count == 3 and
			(has("serves-ipv4") | not) and (.["past-ipv4"] |
			.count == 2 and .blocks == false and (.detail |
			startswith("2 of IPv4 before v6only was on, last")))'
}

# A client that is connected still is a client.
connected_is_no_past()
{
	local rc=0

	"$DSCTL" set v6only off proto tcp port "$port" &&
		exec 5<>"/dev/tcp/$ELSEWHERE/$port" &&
		does changed accepted accept &&
		"$DSCTL" set v6only on proto tcp port "$port" || return 1
	found changed serves-ipv4 '(.["serves-ipv4"] | .blocks and .count == 0 and
		.connections == 1 and .detail == "1 connected") and
		.["past-ipv4"].count == 3' || rc=1
	exec 5>&-
	does changed dropped drop || rc=1
	return $rc
}

past_is_forgotten()
{
	"$DSCTL" reset proto tcp port "$port" &&
		found changed ready 'keys == ["ready"]'
}

# Whose it is, where the process is not to be seen

by_owner_and_port()
{
	jq -e --arg name "uid 0, tcp $port" 'all(.[]; .processes == []) and
		any(.[]; .service == $name) and
		all(.[]; .service != "kernel")' "$tmp/out"
}

in_pid_namespace()
{
	unshare --pid --fork --mount-proc "$DSCTL" -j audit >"$tmp/out"
	cat "$tmp/out"
	by_owner_and_port
}

unprivileged()
{
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups \
		"$DSCTL" -j audit >"$tmp/out"
	cat "$tmp/out"
	by_owner_and_port
}

kernel_sockets()
{
	ip link add vxlan0 type vxlan id 1 dstport 4789 local ::1 &&
		ip link set vxlan0 up || return 1
	found "kernel, udp 4789" ready true &&
		unshare --pid --fork --mount-proc "$DSCTL" -j audit |
			jq -e 'any(.[]; .service == "uid 0, udp 4789")'
	rc=$?
	ip link del vxlan0
	return $rc
}

ktap_print_header
ktap_set_plan 8

ip addr add $ELSEWHERE/32 dev lo

start changed server
port=$(of changed port)
check "a server" test "$port" -gt 0
check "refusals before v6only was off" refusals_are_past
check "clients before v6only was on" clients_are_past
check "a client that stays connected" connected_is_no_past
check "a reset forgets" past_is_forgotten

check "root in a PID namespace" in_pid_namespace
check "an ordinary user" unprivileged
check "sockets of the kernel's own" kernel_sockets

ktap_finished
