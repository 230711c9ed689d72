#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The commands of dsctl that control the module: what they say and do, against
# what servers and clients, in Python, saw of it.

. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/ask.sh"
. "$(dirname "$0")/lib/schema.sh"

require "$DSCTL" jq python3 ip unshare setpriv insmod rmmod
require_family
own_netns "$@"

NOBODY=65534
LIMIT=60	# seconds, for what takes a moment
INITIAL="initial user namespace"

tmp=$(mktemp -d)
cleanup()
{
	[ -z "$peer_pid" ] || kill "$peer_pid" 2>/dev/null
	rm -rf "$tmp"
	grep -q '^dualstack ' /proc/modules || load_module
	# What is set for all namespaces
	"$DSCTL" set tracking on
}
trap cleanup EXIT

# of NAME KEY: what the peer said of a socket at first
declare -A peer
of()
{
	echo "${peer[$1.$2]}"
}

# peer_says FILE: remember it
peer_says()
{
	local key value

	while read -r key value; do
		peer[$key]=$value
	done < <(jq -r 'to_entries[] | .key as $name | .value | to_entries[] |
			"\($name).\(.key) \(.value)"' "$1")
}

# json JQ-CONDITION ARGUMENT...
json()
{
	local condition=$1

	shift
	"$DSCTL" -j "$@" 2>"$tmp/err" | tee "$tmp/json"
	keep "$tmp/json" "$@"
	cat "$tmp/err"
	jq -e "$condition" "$tmp/json" >/dev/null
}

# clients NAME ADDRESS COUNT: sets served and refused as the clients saw it
clients()
{
	read -r served refused < <(ask clients "$@")
	echo "$*: served $served refused $refused"
}

# fare NAME ADDRESS SERVED REFUSED: so many clients, and that is what they see
fare()
{
	clients "$1" "$2" $(($3 + $4)) && [ "$served $refused" = "$3 $4" ]
}

# counter NAME KEY: of a socket
counter()
{
	"$DSCTL" -j -a show sockets proto "$(of "$1" proto)" \
		port "$(of "$1" port)" |
		jq "map(select(.cookie == $(of "$1" cookie))) | .[0].$2"
}

sum()
{
	"$DSCTL" -j show stats | jq ".$1"
}

config()
{
	"$DSCTL" -j show config | jq ".$1"
}

# v6only_is NAME VALUE: as the application sees it
v6only_is()
{
	[ "$(ask v6only "$1")" = "$2" ]
}

### Settings

config_agrees()
{
	local sysctl

	sysctl=$(cat /proc/sys/net/ipv6/bindv6only)
	json "keys == [\"bindv6only\", \"event_rate\", \"max_peers\",
		       \"max_sockets\", \"peers\", \"since\", \"tracking\"] and
	      .tracking == true and .bindv6only == ($sysctl == 1) and
	      .max_sockets > 0 and .peers == true and .max_peers > 0" show config &&
	json '.defaults | keys == ["bindv6only", "event_rate", "max_peers",
				   "max_sockets", "peers", "tracking"]' \
		-s show config &&
	says '^tracking +on +the hooks are in the kernel' show config &&
	says '^tracking +on +on +the hooks' -s show config &&
	says '^bindv6only +off +off ' -s show config &&
	says '^peers +on +on +the ledger' -s show config &&
	says '^max-peers +([0-9]+) +\1 +peers' -s show config
}

# since_is FROM TO: in seconds since the epoch
since_is()
{
	local since

	since=$(date -d "$("$DSCTL" -j show config | jq -r .since)" +%s) &&
		echo "since $since of $1 to $2" &&
		[ "$since" -ge "$1" ] && [ "$since" -le "$2" ]
}

# From when on nothing was missed
since()
{
	local from to

	from=$(date +%s)
	does reset && to=$(date +%s) || return 1
	since_is "$from" "$to" &&
		says "^since +$(date -d "@$from" +%Y-%m-%d)T" show config &&
		does set tracking off && json '.since == null' show config &&
		says '^since +- +nothing is counted now' show config || return 1
	from=$(date +%s)
	does set tracking on && since_is "$from" "$(date +%s)"
}

# What sockets to come are like
bindv6only()
{
	local on off

	does set bindv6only on && on=$(ask default) &&
	says '^bindv6only +on ' show config &&
	[ "$(cat /proc/sys/net/ipv6/bindv6only)" = 1 ] &&
	does set bindv6only off && off=$(ask default) &&
	[ "$on $off" = "1 0" ]
}

# Those that have a record keep it; the next one gets none.
max_sockets()
{
	local before after

	fare tcp_dual 127.0.0.1 1 0 || return 1
	before=$(sum untracked)
	does set max-sockets "$(sum tracked)" || return 1
	ask open late tcp dual || return 1
	fare late 127.0.0.1 3 0 && fare tcp_dual 127.0.0.1 2 0 || return 1
	after=$(sum untracked)
	ask close late
	does set max-sockets "$("$DSCTL" -j -s show config |
		jq .defaults.max_sockets)"
	echo "untracked $before $after"
	[ $((after - before)) = 3 ]
}

hooks_are()
{
	json "length > 0 and all(.[]; .attached == $1)" show hooks
}

# What happens while it is off is not counted; what was counted stays.
tracking()
{
	local before after

	fare udp_dual 127.0.0.1 3 0 || return 1
	before=$(counter udp_dual mapped_recv)
	does set tracking off && hooks_are false &&
	says '^tracking +off +no hook is in the kernel' show config || return 1
	fare udp_dual 127.0.0.1 5 0 || return 1
	[ "$(counter udp_dual mapped_recv)" = "$before" ] || return 1
	does set tracking on && hooks_are true || return 1
	fare udp_dual 127.0.0.1 2 0 || return 1
	after=$(counter udp_dual mapped_recv)
	echo "mapped_recv $before $after"
	[ $((after - before)) = 2 ]
}

### Reset

reset_socket()
{
	local before

	fare tcp_dual 127.0.0.1 2 0 || return 1
	fare udp_dual 127.0.0.1 2 0 || return 1
	before=$(sum mapped_accept)
	does reset proto tcp port "$(of tcp_dual port)" || return 1
	[ "$(counter tcp_dual mapped_accept)" = 0 ] &&
	[ "$(counter tcp_dual last_mapped_peer)" = null ] &&
	[ "$(counter udp_dual mapped_recv)" != 0 ] &&
	[ "$(sum mapped_accept)" = "$before" ] || return 1
	fare tcp_dual 127.0.0.1 4 0 || return 1
	[ "$(counter tcp_dual mapped_accept)" = 4 ] &&
	does reset cookie "$(of tcp_dual cookie)" &&
	[ "$(counter tcp_dual mapped_accept)" = 0 ] &&
	[ "$(sum mapped_accept)" = $((before + 4)) ]
}

reset_all()
{
	fare udp_dual 127.0.0.1 1 0 && does reset &&
	[ "$(counter udp_dual mapped_recv)" = 0 ] &&
	json 'del(.tracked) | all(.[]; . == 0)' show stats &&
	fare udp_dual 127.0.0.1 2 0 && [ "$(sum mapped_recv)" = 2 ]
}

### IPV6_V6ONLY

# v6only_obeyed PROTO REJECT-COUNTER: by the next client
v6only_obeyed()
{
	local name=$1_dual port before

	port=$(of "$name" port)
	before=$(counter "$name" reject_v6only)
	does set v6only on proto "$1" port "$port" &&
	v6only_is "$name" 1 &&
	fare "$name" 127.0.0.1 0 3 && fare "$name" ::1 2 0 &&
	[ "$(counter "$name" reject_v6only)" = $((before + 3)) ] &&
	does set v6only off cookie "$(of "$name" cookie)" &&
	v6only_is "$name" 0 &&
	fare "$name" 127.0.0.1 3 0 && fare "$name" ::1 2 0
}

v6only_dry_run()
{
	local name=tcp_dual args

	args="proto tcp port $(of $name port)"
	# shellcheck disable=SC2086
	{
		says "^tcp +.*:$(of $name port) .* would change" \
			set v6only on $args --dry-run &&
		says "^tcp +.*:$(of $name port) .* unchanged" \
			set v6only off $args dry-run &&
		json 'length == 1 and (.[0] | .result == "changed" and
		      .dry_run and .reason == null)' \
			set v6only on $args --dry-run
	} && v6only_is $name 0 && fare $name 127.0.0.1 1 0
}

# A group is one: both are as the application wants them.
v6only_group()
{
	local name=$1_group port

	port=$(of "${name}0" port)
	json "length == 2 and all(.[]; .result == \"changed\" and
	      .local_port == $port)" set v6only on proto "$1" port "$port" &&
	v6only_is "${name}0" 1 && v6only_is "${name}1" 1 &&
	fare "${name}0" 127.0.0.1 0 2 &&
	does set v6only off cookie "$(of "${name}1" cookie)" &&
	v6only_is "${name}0" 0 && v6only_is "${name}1" 0 &&
	fare "${name}0" 127.0.0.1 2 0
}

v6only_unchanged()
{
	json 'length == 1 and .[0].result == "unchanged"' \
		set v6only off cookie "$(of tcp_dual cookie)" &&
	json '.[0] | .proto == "tcp" and .local_addr == "::" and
	      (.processes | any(.[]; .comm | startswith("python")))' \
		set v6only off cookie "$(of tcp_dual cookie)"
}

# The IPv4 socket of the pair has the port.
v6only_clash()
{
	local port

	port=$(of "$1_pair6" port)
	fails 2 "^dsctl: $1 \[::\]:$port: .+" \
		set v6only off proto "$1" port "$port" &&
	v6only_is "$1_pair6" 1 && fare "$1_pair4" 127.0.0.1 1 0
}

# every_server JQ-CONDITION: of what `set v6only ... all` says of each wildcard
# AF_INET6 socket, with . the socket and $peer all that the peer has
every_server()
{
	jq -e --slurpfile peer "$tmp/peer" '
		$peer[0] as $peer |
		($peer | map_values(.cookie)) as $cookies |
		($cookies | with_entries(select(.key |
			test("_v6$|_v4$|_pair4$") | not)) | [.[]]) as $want |
		(map(.cookie) | unique) == ($want | unique) and
		length == ($want | length) and all(.[]; '"$1"')' "$tmp/out"
}

# shellcheck disable=SC2016 # variables of jq
v6only_all_dry_run()
{
	run -j set v6only off all --dry-run
	keep "$tmp/out" set v6only off all --dry-run
	[ "$rc" = 2 ] && every_server '.dry_run and .result == (
		if IN(.cookie; $cookies.tcp_pair6, $cookies.udp_pair6) then
			"refused"
		elif IN(.cookie; $cookies.tcp_v6only, $cookies.udp_v6only,
			$cookies.probe) then
			"changed"
		else
			"unchanged"
		end)' &&
	v6only_is tcp_v6only 1 && v6only_is udp_v6only 1
}

# shellcheck disable=SC2016 # variables of jq
v6only_all()
{
	local name

	run -j set v6only on all
	keep "$tmp/out" set v6only on all
	[ "$rc" = 0 ] && every_server '(.dry_run | not) and .result == (
		if IN(.cookie; $cookies.tcp_dual, $cookies.udp_dual,
		      $cookies.tcp_group0, $cookies.tcp_group1,
		      $cookies.udp_group0, $cookies.udp_group1) then
			"changed"
		else
			"unchanged"
		end)' || return 1
	for name in tcp_dual udp_dual tcp_group0 tcp_group1 udp_group1; do
		v6only_is $name 1 || return 1
	done
	fare tcp_dual 127.0.0.1 0 1 && fare udp_dual 127.0.0.1 0 1 || return 1

	# All go but the two that cannot; a table says so.
	run set v6only off all
	[ "$rc" = 2 ] && grep -q 'refused: 2 of' "$tmp/err" &&
	[ "$(grep -c ' refused: ' "$tmp/out")" = 2 ] &&
	grep -Eq "^tcp .*:$(of tcp_pair6 port) .* refused: .+" "$tmp/out" &&
	grep -Eq "^tcp .*:$(of tcp_dual port) .* changed" "$tmp/out" || return 1
	for name in tcp_dual udp_dual tcp_group1 tcp_v6only udp_v6only; do
		v6only_is $name 0 || return 1
	done
	fare tcp_v6only 127.0.0.1 1 0 && v6only_is tcp_pair6 1 || return 1

	# As it was
	for name in tcp_v6only udp_v6only probe; do
		does set v6only on cookie "$(of $name cookie)" || return 1
	done
	fare udp_v6only 127.0.0.1 0 1
}

# A process asleep with a socket locked, for as long as a neighbour does not answer
# that is asked every quarter of an hour: sets port.
busy_begin()
{
	ip link add busy0 type veth peer name busy1 &&
	ip link set busy1 up && ip link set busy0 up &&
	ip address add 2001:db8:1::1/64 dev busy0 nodad &&
	echo 900000 >/proc/sys/net/ipv6/neigh/busy0/retrans_time_ms &&
	port=$(ask open busy udp dual) &&
	[ "$(ask busy busy 2001:db8:1::2)" = busy ] &&
	wait_for $LIMIT fails 2 'A process keeps the socket busy' \
		set v6only off proto udp port "$port"
}

busy_end()
{
	ip link del busy0
}

v6only_busy()
{
	local port

	busy_begin && fails 2 "^dsctl: udp \[::\]:$port: A process keeps the socket busy" \
		set v6only on proto udp port "$port" &&
	busy_end && wait_for $LIMIT does set v6only on proto udp port "$port" &&
	v6only_is busy 1 && [ "$(ask close busy)" = closed ]
}

# Who is done within the patience of dsctl is waited for. On a machine that has
# too much to do it may end before: not each time.
v6only_patience()
{
	local port i value

	for ((i = 0; i < 10; i++)); do
		busy_begin || return 1
		{
			sleep 0.3
			busy_end
		} &
		run set v6only on proto udp port "$port"
		wait $!
		value=$(ask v6only busy)
		[ "$(ask close busy)" = closed ] || return 1
		[ "$rc $value" != "0 1" ] || return 0
	done
	return 1
}

# Two at a time, each of which finds the other one at it
v6only_at_once()
{
	local i value tcp udp

	for ((i = 0; i < 20; i++)); do
		value=$([ $((i % 2)) = 0 ] && echo on || echo off)
		"$DSCTL" set v6only "$value" cookie "$(of tcp_dual cookie)" &
		tcp=$!
		"$DSCTL" set v6only "$value" cookie "$(of udp_dual cookie)" &
		udp=$!
		wait "$tcp" && wait "$udp" &&
		v6only_is tcp_dual $((1 - i % 2)) &&
		v6only_is udp_dual $((1 - i % 2)) || return 1
	done
}

### Explain

# explains VERDICT NAME SENTENCE PROTO ADDRESS...: NAME is the socket, or "-";
# in SENTENCE, PORT stands for its port
explains()
{
	local verdict=$1 name=$2 sentence=$3 cookie=null

	shift 3
	[ "$name" = - ] || cookie=$(of "$name" cookie)
	json ".verdict == \"$verdict\" and .cookie == $cookie and
	      .local and (.reason | length > 0) and
	      (.socket | if . then .cookie == $cookie and
			 (.processes | any(.[]; .pid == $peer_pid)) and
			 has(\"reject_v6only\")
		      else $cookie == null end)" explain "$@" &&
	says "$sentence" explain "$@"
}

# explained PROTO: each verdict is what clients see
explained()
{
	local p=$1 kind who name

	kind=$([ "$p" = tcp ] && echo SYN || echo datagram)
	who="python3? \(pid $peer_pid\), socket"

	name=${p}_dual
	explains mapped "$name" \
		"^IPv4 $kind to 127.0.0.1 port $(of "$name" port): served as mapped by $who \[::\]:$(of "$name" port) \(cookie $(of "$name" cookie)\)$" \
		"$p" 127.0.0.1 "$(of "$name" port)" &&
	fare "$name" 127.0.0.1 1 0 || return 1

	explains native "$name" \
		"^IPv6 $kind to ::1 port .*: served as native by $who \[::\]" \
		"$p" ::1 "$(of "$name" port)" &&
	fare "$name" ::1 1 0 || return 1

	name=${p}_v6only
	explains v6only "$name" "refused because of IPV6_V6ONLY on $who \[::\]" \
		"$p" 127.0.0.1 "$(of "$name" port)" from 127.0.0.2 &&
	fare "$name" 127.0.0.1 0 1 || return 1

	name=${p}_v6
	explains addr "$name" "refused: $who \[::1\].* bound to an IPv6 addr" \
		"$p" 127.0.0.1 "$(of "$name" port)" dev lo &&
	fare "$name" 127.0.0.1 0 1 || return 1

	name=${p}_v4
	explains v4only "$name" "refused: $who 0.0.0.0:.* family AF_INET$" \
		"$p" ::1 "$(of "$name" port)" from ::1 4711 dev lo &&
	fare "$name" ::1 0 1 || return 1
	explains native "$name" "served as native by $who 0.0.0.0:" \
		"$p" 127.0.0.1 "$(of "$name" port)" &&
	fare "$name" 127.0.0.1 1 0 || return 1

	name=${p}_pair4
	explains native "$name" "served as native by $who 0.0.0.0:" \
		"$p" 127.0.0.1 "$(of "$name" port)" || return 1

	json ".reuseport and .verdict == \"mapped\" and
	      IN(.cookie; $(of "${p}_group0" cookie), $(of "${p}_group1" cookie))" \
		explain "$p" 127.0.0.1 "$(of "${p}_group0" port)" &&
	says 'or another of its SO_REUSEPORT group$' \
		explain "$p" 127.0.0.1 "$(of "${p}_group0" port)" || return 1

	explains none - "no socket takes it" "$p" 127.0.0.1 1 &&
	explains none - "no socket takes it" "$p" ::1 1
}

not_local()
{
	json '.verdict == "none" and .local == false and .socket == null' \
		explain tcp 192.0.2.1 80 &&
	says '^IPv4 SYN to 192.0.2.1 port 80: not for this host' \
		explain tcp 192.0.2.1 80 &&
	says '^IPv6 datagram to 2001:db8::1 port 53: not for this host' \
		explain udp 2001:db8::1 domain
}

# same_answer ARGUMENT...: that of $tmp/asked
same_answer()
{
	"$DSCTL" -j explain "$@" | jq -c '[.proto, .addr, .port, .verdict, .cookie]' |
		tee "$tmp/answer"
	cmp "$tmp/answer" "$tmp/asked"
}

# The ways in which an address and a port can be written
spellings()
{
	local port word

	port=$(of tcp_dual port)
	echo "[\"tcp\",\"127.0.0.1\",$port,\"mapped\",$(of tcp_dual cookie)]" \
		>"$tmp/asked"
	for word in 127.0.0.1 127.0.0.1%lo "[127.0.0.1]" "[127.0.0.1]%lo"; do
		same_answer tcp "$word:$port" && same_answer tcp "$word" "$port" &&
			same_answer tcp "$word:$port" from 127.0.0.2:4711 dev lo ||
			return 1
	done
	echo "[\"tcp\",\"::1\",$port,\"native\",$(of tcp_dual cookie)]" >"$tmp/asked"
	for word in "[::1]" "[::1]%lo" "[::1%lo]"; do
		same_answer tcp "$word:$port" && same_answer tcp "$word" "$port" &&
			same_answer tcp "$word:$port" from "[::1]:4711" dev lo ||
			return 1
	done
	same_answer tcp ::1 "$port" && same_answer tcp ::1%lo "$port"
}

# What a table shows can be asked for as it is.
copied()
{
	local word

	word=$("$DSCTL" show sockets proto udp port "$(of udp_v6 port)" |
		awk 'NR == 2 { print $4 }')
	says '^IPv6 .*: served as native by ' explain udp "$word" &&
		grep -F " socket $word " "$tmp/out"
}

# Each address of a name once, or those of the family of the source
names()
{
	local DSCTL=$tmp/dsctl-hosts port

	port=$(of tcp_dual port)
	cat >"$tmp/hosts" <<-EOF
		127.0.0.1	both.test
		::1		both.test
		127.0.0.1	both.test four.test
	EOF
	run explain tcp both.test "$port" && [ "$rc" = 0 ] &&
		[ "$(wc -l <"$tmp/out")" = 2 ] &&
		grep -Eq '^IPv4 .* 127.0.0.1 .*: served as mapped by ' "$tmp/out" &&
		grep -Eq '^IPv6 .* ::1 .*: served as native by ' "$tmp/out" || return 1
	run -j explain tcp "both.test:$port"
	keep "$tmp/out" explain tcp "both.test:$port"
	jq -se 'map(.addr) | sort == ["127.0.0.1", "::1"]' "$tmp/out" || return 1
	run explain tcp both.test "$port" from ::1
	[ "$rc" = 0 ] && [ "$(wc -l <"$tmp/out")" = 1 ] &&
		grep -q '^IPv6 ' "$tmp/out" &&
		says '^IPv4 .* 127.0.0.1 ' explain udp four.test:domain &&
		fails 1 'no address of the family' \
			explain tcp four.test 80 from ::1
}

# Without an address there is no table of local ones.
fresh_namespace()
{
	local addr

	for addr in 127.0.0.1 192.0.2.1 10.255.255.255 ::1 2001:db8::1; do
		fresh says ': not for this host' explain tcp $addr 80 &&
			fresh says ': not for this host' explain udp $addr 80 ||
			return 1
	done
	fresh fails 2 'broadcast' explain udp 255.255.255.255 80 &&
		fresh fails 2 'device is down' explain udp 192.0.2.1 80 dev lo
}

# fresh COMMAND ARGUMENT...: in a namespace that has but lo, which is down
fresh()
{
	local DSCTL=$tmp/dsctl-fresh

	"$@"
}

subnet_broadcast()
{
	local bad=0

	ip addr add 198.51.100.1/24 brd + dev lo || return 1
	fails 2 'broadcast' explain udp 198.51.100.255 80 &&
		says ': not for this host' explain udp 198.51.101.255 80 || bad=1
	ip addr del 198.51.100.1/24 dev lo
	return $bad
}

# Asking leaves no trace.
explain_counts_nothing()
{
	local before after

	before=$("$DSCTL" -j show stats)
	says . explain tcp 127.0.0.1 "$(of tcp_v6only port)"
	after=$("$DSCTL" -j show stats)
	[ "$before" = "$after" ]
}

### Monitor

# start_monitor ARGUMENT...: until the subtest is over; what it prints goes to
# files
start_monitor()
{
	rm -f "$tmp/events" "$tmp/monitor.err"
	"$DSCTL" "$@" >"$tmp/events" 2>"$tmp/monitor.err" </dev/null &
	monitor_pid=$!
	trap '[ -z "$monitor_pid" ] || kill "$monitor_pid"' EXIT
}

# monitor ARGUMENT...: start one and wait until it listens
monitor()
{
	start_monitor "$@"
	# It prints nothing of its own: send something until it shows up.
	wait_for $LIMIT monitor_shows_probe
}

monitor_shows_probe()
{
	fare probe 127.0.0.1 0 1 >/dev/null &&
		grep -Eq "[[:punct:]]$(of probe port)\b" "$tmp/events"
}

# ends SIGNAL: sets rc
ends()
{
	kill "-$1" "$monitor_pid"
	wait "$monitor_pid"
	rc=$?
	monitor_pid=
	cat "$tmp/monitor.err"
}

# The events but those of the probe and of clients, without what differs between runs
events_of()
{
	jq -c "select(.lost or .local_port != $(of probe port)) |
	       select(.event | IN(\"v4_connect\", \"v4_send\") | not) | $1" \
		"$tmp/events"
}

num_events()
{
	[ "$(events_of .event | wc -l)" -ge "$1" ]
}

monitor_json()
{
	local connected

	monitor -j monitor || return 1
	fare tcp_dual 127.0.0.1 2 0 && fare udp_dual 127.0.0.1 3 0 &&
	fare tcp_v6only 127.0.0.1 0 2 && fare udp_v6only 127.0.0.1 0 1 &&
	fare tcp_v6 127.0.0.1 0 1 && fare tcp_v4 ::1 0 2 || return 1
	connected=$(ask connect tcp_v4) || return 1
	# IPv6 that is served makes no event.
	fare tcp_dual ::1 1 0 && fare tcp_v4 127.0.0.1 1 0 || return 1
	wait_for $LIMIT num_events 14
	ends INT
	keep "$tmp/events" monitor
	[ "$rc" = 0 ] && [ ! -s "$tmp/monitor.err" ] || return 1

	# Each event by its socket: so many, of that kind
	events_of '[.event, .proto, .cookie]' | sort | uniq -c |
		awk '{ print $2, $1 }' | sort >"$tmp/got"
	sort >"$tmp/want" <<-EOF
		["mapped_accept","tcp",$(of tcp_dual cookie)] 2
		["mapped_connect","tcp",$connected] 1
		["mapped_recv","udp",$(of udp_dual cookie)] 3
		["reject_addr","tcp",$(of tcp_v6 cookie)] 1
		["reject_v4only","tcp",$(of tcp_v4 cookie)] 2
		["reject_v6only","tcp",$(of tcp_v6only cookie)] 2
		["reject_v6only","udp",$(of udp_v6only cookie)] 1
		["v4_accept","tcp",$(of tcp_v4 cookie)] 2
	EOF
	diff "$tmp/want" "$tmp/got" || return 1
	cat "$tmp/events"
	jq -es 'all(.[]; (keys_unsorted | .[0:2]) == ["timestamp", "event"] and
		(.timestamp | test("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d" +
				   "\\.\\d{6}[+-]\\d\\d:\\d\\d$"))) and
		(map(select(.event == "mapped_connect")) | .[0] |
		 .family == "inet" and .peer_addr == "127.0.0.1" and
		 .peer_port == '"$(of tcp_v4 port)"') and
		(map(select(.event == "reject_v4only")) | .[0] |
		 .family == "inet6" and .local_addr == "::1" and
		 .local_port == '"$(of tcp_v4 port)"' and .peer_addr == "::1" and
		 (.flowlabel | type) == "number") and
		(map(select(.event == "mapped_accept")) | .[0] |
		 .family == "inet" and .local_addr == "127.0.0.1" and
		 .flowlabel == null)' "$tmp/events"
}

monitor_text()
{
	local time='\[[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}\]'

	monitor monitor || return 1
	fare tcp_dual 127.0.0.1 1 0 && fare tcp_v4 ::1 0 1 &&
	ask connect tcp_v4 || return 1
	wait_for $LIMIT grep -q mapped_connect "$tmp/events"
	ends TERM
	cat "$tmp/events"
	[ "$rc" = 0 ] &&
	grep -Eq "^$time mapped_accept tcp 127.0.0.1:$(of tcp_dual port) from 127.0.0.1:[0-9]+ cookie $(of tcp_dual cookie) process [^ ]*\($peer_pid\)$" \
		"$tmp/events" &&
	grep -Eq "^$time reject_v4only tcp \[::1\]:$(of tcp_v4 port) from \[::1\]:[0-9]+ .*cookie $(of tcp_v4 cookie) process [^ ]*\($peer_pid\)$" \
		"$tmp/events" &&
	grep -Eq "^$time mapped_connect tcp .* to 127.0.0.1:$(of tcp_v4 port) cookie" \
		"$tmp/events"
}

# two_of EVENT: all that the monitor has told of, at its end
two_of()
{
	wait_for $LIMIT num_events 2
	ends INT
	[ "$rc" = 0 ] &&
		[ "$(events_of .event | sort | uniq -c | xargs)" = "2 $1" ]
}

monitor_filter()
{
	monitor -j monitor reject || return 1
	fare tcp_dual 127.0.0.1 3 0 && fare tcp_v6only 127.0.0.1 0 2 || return 1
	two_of reject_v6only
}

# Its client has events, too.
monitor_v4()
{
	monitor -j monitor v4 || return 1
	fare tcp_dual 127.0.0.1 3 0 && fare tcp_v4 127.0.0.1 2 0 || return 1
	two_of v4_accept
}

accounted()
{
	received=$(events_of 'select(.event)' | wc -l)
	lost=$(jq -s 'map(.lost // 0) | add' "$tmp/events")
	[ $((received + lost)) -ge "$1" ]
}

# Every event is received or told to be lost, also where it is not asked for.
# flood COUNT [WHAT]
flood()
{
	local arrived count=$1

	monitor -j monitor || return 1
	arrived=$(ask flood udp_dual "$count")
	wait_for $LIMIT accounted "$arrived"
	ends INT
	echo "arrived $arrived received $received lost $lost"
	[ "$rc" = 0 ] && [ "$arrived" = "$count" ] &&
		[ $((received + lost)) = "$arrived" ]
}

monitor_rate()
{
	does set event-rate 100 && flood 3000
	rc=$?
	grep '"lost"' "$tmp/events" >"$tmp/lost"
	keep "$tmp/lost" monitor
	does set event-rate "$("$DSCTL" -j -s show config |
		jq .defaults.event_rate)"
	[ $rc = 0 ] && [ "$lost" -gt 0 ] && [ "$received" -ge 100 ]
}

monitor_flood()
{
	does set event-rate 1000000 && flood 5000
	rc=$?
	does set event-rate "$("$DSCTL" -j -s show config |
		jq .defaults.event_rate)"
	[ $rc = 0 ]
}

# A reader that has seen enough ends it, without a word.
monitor_pipe()
{
	local i

	{ "$DSCTL" monitor 2>"$tmp/err"; echo $? >"$tmp/rc"; } |
		head -n 1 >"$tmp/out" &
	for ((i = 0; i < LIMIT * 5; i++)); do
		[ ! -s "$tmp/rc" ] || break
		fare probe 127.0.0.1 0 1 || return 1
		sleep 0.2
	done
	cat "$tmp/err" "$tmp/rc"
	[ -s "$tmp/rc" ] && [ -s "$tmp/out" ] && [ ! -s "$tmp/err" ]
}

monitor_untracked()
{
	does set tracking off || return 1
	start_monitor monitor
	wait_for $LIMIT test -s "$tmp/monitor.err"
	ends INT
	does set tracking on || return 1
	[ "$rc" = 0 ] && [ "$(grep -c 'tracking is off' "$tmp/monitor.err")" = 1 ]
}

monitor_unload()
{
	monitor monitor || return 1
	unload_module
	wait "$monitor_pid"
	rc=$?
	monitor_pid=
	load_module
	cat "$tmp/monitor.err"
	echo "exit code $rc"
	[ $rc = 2 ] && grep -q unloaded "$tmp/monitor.err"
}

### Rights

# May read everything of its namespace, and change nothing
unprivileged()
{
	local cookie

	cookie=$(of tcp_dual cookie)
	as_nobody says tracking show config &&
	as_nobody says 'served as mapped by socket' explain tcp 127.0.0.1 \
		"$(of tcp_dual port)" &&
	as_nobody fails 2 "CAP_NET_ADMIN in the $INITIAL" set tracking off &&
	as_nobody fails 2 'CAP_NET_ADMIN in the network' set bindv6only on &&
	as_nobody fails 2 'CAP_NET_ADMIN' set max-sockets 1 &&
	as_nobody fails 2 'CAP_NET_ADMIN' set event-rate 1 &&
	as_nobody fails 2 'CAP_NET_ADMIN' reset &&
	as_nobody fails 2 'CAP_NET_ADMIN' reset cookie "$cookie" &&
	as_nobody fails 2 'CAP_NET_ADMIN' set v6only on cookie "$cookie" &&
	hooks_are true && v6only_is tcp_dual 0
}

# Without rights there is nothing to listen to.
unprivileged_monitor()
{
	as_nobody fails 2 'events.*CAP_NET_ADMIN in the network namespace' \
		monitor
}

# Root of a user namespace: may change its own network, and no more
child_root()
{
	local DSCTL=$tmp/dsctl-child

	does set bindv6only on && does set max-sockets 10 &&
	does set event-rate 5 && does reset &&
	fails 2 "CAP_NET_ADMIN in the $INITIAL" set tracking off &&
	hooks_are true
}

for args in nobody child fresh; do
	case $args in
	nobody) command="setpriv --reuid $NOBODY --regid $NOBODY --clear-groups" ;;
	child) command="unshare --user --map-root-user --net" ;;
	fresh) command="unshare --net" ;;
	esac
	printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$command" "$DSCTL" \
		>"$tmp/dsctl-$args"
done
# What is mounted upon has to be there.
[ -e /etc/hosts ] || touch /etc/hosts
# shellcheck disable=SC2016 # the inner shell expands it
printf '#!/bin/sh\nexec unshare --mount sh -c %s "%s" "%s" "$@"\n' \
	"'mount --bind \"\$1\" /etc/hosts && shift && exec \"\$0\" \"\$@\"'" \
	"$DSCTL" "$tmp/hosts" >"$tmp/dsctl-hosts"
chmod -R go+rx "$tmp"
chmod +x "$tmp"/dsctl-*

# What is open for reading and writing neither blocks nor ends.
mkfifo "$tmp/commands" "$tmp/answers"
exec 8<>"$tmp/commands" 9<>"$tmp/answers"
/usr/bin/python3 ./peer/control_peer.py <"$tmp/commands" >"$tmp/answers" 8>&- 9>&- &
peer_pid=$!
read -r -t $LIMIT line <&9
echo "$line" >"$tmp/peer"
peer_says "$tmp/peer"

ktap_print_header
tool_plan 115 4

for args in "help" "set help" "set tracking help" "set v6only help" \
	    "set bindv6only help" "set max-sockets help" "set event-rate help" \
	    "reset help" "show config help" "monitor help" "explain help"; do
	# shellcheck disable=SC2086
	check "dsctl $args" says '^Usage: dsctl ' $args
done

# The arguments, and what the message names
while IFS='|' read -r args regex; do
	# shellcheck disable=SC2086
	check "dsctl $args: usage" fails 1 "$regex" $args
done <<'EOF'
set|Usage
set bogus|bogus
set tracking|tracking: a value
set tracking 1|tracking "1"
set tracking on off|"off"
set v6only|on or off
set v6only maybe all|"maybe"
set v6only on|socket is missing
set v6only on cookie|cookie: a value
set v6only on cookie x|cookie "x"
set v6only on cookie 1 port 2|cookie
set v6only on proto tcp|port
set v6only on proto sctp port 1|sctp
set v6only on port 80|proto
set v6only on all now|"now"
set bindv6only yes|"yes"
set max-sockets|max-sockets: a value
set max-sockets -1|"-1"
set max-sockets 4294967296|4294967296
set event-rate x|"x"
reset cookie|cookie
reset all|"all"
show config x|"x"
monitor bogus|"bogus"
monitor mapped reject|"reject"
explain|tcp or udp
explain tcp|address
explain tcp ::1|port
explain icmp ::1 80|icmp
explain 127.0.0.1 80|tcp or udp is missing before "127.0.0.1"
explain [::1]:80|tcp or udp is missing before
explain tcp 80|address is missing before "80"
explain tcp :80|address is missing before "80"
explain tcp 127.0.0.1|port is missing behind "127.0.0.1"$
explain tcp ::1:80|port is missing behind "::1:80": .*\[ADDRESS\]:PORT
explain tcp ::1 from ::1|port is missing behind "::1"
explain tcp 127.0.0 80|"127.0.0": not numeric
explain tcp 127.0.0:80|"127.0.0": not numeric
explain tcp [::1 80|"\[::1"
explain tcp [::1]x:80|"\[::1\]x:80"
explain tcp 127.0.0.1:x|port "x"
explain tcp 127.0.0.1:|port ""
explain tcp 127.0.0.1:80 81|"81"
explain tcp no-such-host.invalid 80|"no-such-host.invalid": neither
explain tcp ::1 80 from localhost|from "localhost"
explain tcp 127.0.0.1%lo 80 dev eth9|eth9
explain tcp ::1 0|"0"
explain tcp ::1 no-such-service|no-such-service
explain tcp ::1 80 from|from
explain tcp ::1 80 from x|"x"
explain tcp ::1 80 dev|dev
explain tcp fe80::1%lo 80 dev eth9|eth9
explain tcp ::1 80 via ::2|"via"
EOF

check "show config" config_agrees
check "since" since
check "set bindv6only" bindv6only
check "set max-sockets" max_sockets
check "set max-sockets: absurd" fails 2 'max-sockets' set max-sockets 4294967295
check "set event-rate: absurd" fails 2 'event-rate' set event-rate 4294967295
check "set tracking" tracking
check "reset a socket" reset_socket
check "reset the namespace" reset_all
check "reset: no such cookie" fails 2 'cookie' reset cookie 999999999
check "reset: no such port" fails 2 'tcp port 1\b' reset proto tcp port 1

for args in tcp udp; do
	check "set v6only: $args" v6only_obeyed $args
	check "set v6only: $args group" v6only_group $args
	check "set v6only: $args clash" v6only_clash $args
	check "set v6only: $args socket of one address" fails 2 \
		"\[::1\]:$(of ${args}_v6 port)" \
		set v6only off proto $args port "$(of ${args}_v6 port)"
	check "set v6only: AF_INET $args socket" fails 2 "0.0.0.0" \
		set v6only on cookie "$(of ${args}_v4 cookie)"
	check "explain: $args" explained $args
done
check "set v6only: dry run" v6only_dry_run
check "set v6only: unchanged" v6only_unchanged
check "set v6only: no such cookie" fails 2 999999999 \
	set v6only on cookie 999999999
check "set v6only: no such port" fails 2 'tcp port 1\b' \
	set v6only on proto tcp port 1
check "set v6only: busy" v6only_busy
check "set v6only: busy for a moment" v6only_patience
check "set v6only: two at a time" v6only_at_once
check "set v6only off all: dry run" v6only_all_dry_run
check "set v6only all" v6only_all

check "explain: not local" not_local
check_tool "explain: spellings" spellings
check_tool "explain: copied" copied
check_tool "explain: names" names
check "explain: fresh namespace" fresh_namespace
check "explain: broadcast" subnet_broadcast
check "explain: no such device" fails 2 eth9 explain tcp ::1 80 dev eth9
check "explain: mapped address" fails 2 'mapped' \
	explain tcp ::ffff:127.0.0.1 80
check "explain: two families" fails 2 . explain tcp ::1 80 from 127.0.0.1
check "explain counts nothing" explain_counts_nothing

check "monitor: JSON" monitor_json
check "monitor: text" monitor_text
check "monitor: filter" monitor_filter
check "monitor: AF_INET sockets" monitor_v4
check "monitor: rate" monitor_rate
check "monitor: flood" monitor_flood
check "monitor: closed pipe" monitor_pipe
check "monitor: tracking off" monitor_untracked

check "unprivileged user" unprivileged
check "unprivileged monitor" unprivileged_monitor
check "root of a child user namespace" child_root

check "monitor: unloaded module" monitor_unload
check_schemas "show config" "set v6only" explain monitor

ktap_finished
