#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What dsctl audit says of programs whose part in IPv4 has to be told from what
# they do: who is a client, who a server, what is from before a change, and whose
# it is.

. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/schema.sh"

require "$DSCTL" jq python3 ip ss unshare setpriv setsid socat
require_family
PATH=$PATH:/usr/sbin:/sbin
own_netns "$@"

DNS_PORT=5300
LIMIT=60	# seconds, for what takes a moment
ELSEWHERE=192.0.2.1	# of role_peer.py
NOBODY=65534

tmp=$(mktemp -d)
pids=()
groups=()
netns=audit-role-$$
cleanup()
{
	local pid

	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	for pid in "${groups[@]}"; do
		kill -- -"$pid" 2>/dev/null
	done
	ip netns del "$netns" 2>/dev/null
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

# answers NAME ANSWER COMMAND [WORD...]: the program is asked, and answers
answers()
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
	"$DSCTL" -j audit >"$tmp/out"
	keep "$tmp/out" audit
	jq -e --arg service "$1" --arg verdict "$2" "map(select(.service == \$service)) |
		length == 1 and .[0].verdict == \$verdict and (.[0].findings |
			map({(.finding): .}) | add | $3)" "$tmp/out" >/dev/null || {
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
	for _ in 1 2 3; do
		answers changed refused refuse $ELSEWHERE || return 1
	done
	found changed refuses-ipv4 '.["refuses-ipv4"].count == 3' &&
		"$DSCTL" set v6only off proto tcp port "$port" &&
		found changed unused-ipv4 '(has("refuses-ipv4") | not) and
			(.["past-ipv4"] | .count == 3 and .blocks == false and
			 (.detail | startswith("3 of IPv4 refused before v6only was off:" +
				" '$ELSEWHERE' 3, last")) and
			 (.advice | contains("dsctl reset")))' &&
		in_table "past-ipv4 .* 3 of IPv4 refused before v6only was off:"
}

clients_are_past()
{
	answers changed served serve $ELSEWHERE &&
		answers changed served serve $ELSEWHERE &&
		found changed serves-ipv4 '.["serves-ipv4"].count == 2 and
			.["past-ipv4"].count == 3' &&
		"$DSCTL" set v6only on proto tcp port "$port" &&
		found changed refuses-ipv4 '.["refuses-ipv4"].count == 3 and
			(has("serves-ipv4") | not) and (.["past-ipv4"] |
			.count == 2 and .blocks == false and (.detail |
			startswith("2 of IPv4 before v6only was on: '$ELSEWHERE' 2, last")))'
}

# A client that is connected still is a client.
connected_is_no_past()
{
	local rc=0

	"$DSCTL" set v6only off proto tcp port "$port" &&
		exec 5<>"/dev/tcp/$ELSEWHERE/$port" &&
		answers changed accepted accept &&
		"$DSCTL" set v6only on proto tcp port "$port" || return 1
	found changed serves-ipv4 '(.["serves-ipv4"] | .blocks and .count == 0 and
		.connections == 1 and .detail == "1 connected") and
		.["past-ipv4"].count == 3' || rc=1
	exec 5>&-
	answers changed dropped drop || rc=1
	return $rc
}

# Counters of one socket do not take the history of its port with them.
past_is_forgotten()
{
	"$DSCTL" reset proto tcp port "$port" &&
		found changed refuses-ipv4 '.["refuses-ipv4"].count == 3' &&
		"$DSCTL" reset &&
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

# Client or server, by what it does

only_uses()
{
	found "$1" uses-ipv4 "keys == [\"uses-ipv4\"] and
		.[\"uses-ipv4\"].count == $2 and
		(.[\"uses-ipv4\"].detail | test(\"^$2 to IPv4(: |, last )$ELSEWHERE:\"))" &&
		jq -e --arg name "$1" 'any(.[]; .service == $name and
			(.processes | length == 1))' "$tmp/out"
}

# As rsyslogd, which sends and that is all
logger()
{
	answers logger sent send 3 && only_uses logger 3 &&
		answers echo answered answer 3
}

# As a client of QUIC, at [::]:0: what it receives are answers
quic_client()
{
	answers quic sent send 4 && answers echo answered answer 4 &&
		answers quic received receive 4 && only_uses quic 4
}

# As dnsmasq, which asks by a port that it has chosen by chance, and closes it with
# the answer
resolver()
{
	answers resolver sent send 2 && only_uses resolver 2 &&
		answers echo answered answer 2
}

# Those that these stand for. An IPv6 client has dnsmasq ask the sink.

# real COMMAND [WORD...]: a daemon that lasts until the end
real()
{
	"$@" </dev/null >"$tmp/$1.log" 2>&1 &
	pids+=($!)
}

dnsmasq_asks()
{
	wait_for $LIMIT listening_udp $DNS_PORT || { cat "$tmp/dnsmasq.log"; return 1; }
	printf '%b' '\x2a\x2a\x01\0\0\x01\0\0\0\0\0\0' \
		'\x07example\x04test\0\0\x01\0\x01' >&5 &&
		answers sink taken take 1 && only_uses dnsmasq 1
}

no_longer_asks()
{
	"$DSCTL" -j -a show sockets process dnsmasq |
		jq -e 'length > 0 and all(.[]; .mode != "v4")'
}

# The socket that asked is closed then; that it asked is known.
dnsmasq_is_answered()
{
	answers sink resolved resolve &&
		[ "$(timeout $LIMIT head -c 2 <&5)" = '**' ] &&
		wait_for $LIMIT no_longer_asks && only_uses dnsmasq 1
}

# What is written to its socket, which is not /dev/log here, goes to the sink.
rsyslogd_sends()
{
	local i

	wait_for $LIMIT test -S "$tmp/log" || { cat "$tmp/rsyslogd.log"; return 1; }
	for i in 1 2 3; do
		echo "<13>test: $i" | socat -u - "UNIX-SENDTO:$tmp/log" || return 1
	done
	answers sink taken take 3 && only_uses rsyslogd 3
}

real_dnsmasq()
{
	real dnsmasq --keep-in-foreground --conf-file=/dev/null --log-facility=- \
		--pid-file= --user=root --group=root --no-hosts --no-resolv \
		--server="$ELSEWHERE#$(of sink port)" --port=$DNS_PORT \
		--listen-address=::1 --bind-interfaces
	exec 5<>"/dev/udp/::1/$DNS_PORT"
	check "dnsmasq asks" dnsmasq_asks
	check "dnsmasq is answered" dnsmasq_is_answered
	exec 5>&-
}

real_rsyslogd()
{
	cat >"$tmp/rsyslog.conf" <<-EOF
		global(workDirectory="$tmp")
		module(load="imuxsock" SysSock.Use="off")
		input(type="imuxsock" Socket="$tmp/log" ruleset="away")
		ruleset(name="away") {
			action(type="omfwd" target="$ELSEWHERE" protocol="udp"
			       port="$(of sink port)")
		}
	EOF
	real rsyslogd -n -i "$tmp/rsyslogd.pid" -f "$tmp/rsyslog.conf"
	check "rsyslogd sends" rsyslogd_sends
}

# All that the former have sent it
server_of_all()
{
	found echo serves-ipv4 'keys == ["serves-ipv4"] and
		.["serves-ipv4"].count == 9'
}

in_json()
{
	"$DSCTL" -j -a show sockets >"$tmp/out" && jq -e '
		def of($name): map(select(any(.processes[]; .comm == $name)) |
			.explicit_port);
		of("echo") == [true] and of("logger") == [false] and
		of("quic") == [false] and of("resolver") == [true] and
		of("sorter") == [false, false]' "$tmp/out"
}

# A server that connects a socket to each client, for a child
socat_forks()
{
	local line rc=0

	wait_for $LIMIT listening_udp 7000 || return 1
	exec 5<>"/dev/udp/$ELSEWHERE/7000" && echo hello >&5 &&
		line=$(timeout $LIMIT head -c 6 <&5) &&
		[ "$line" = hello ] || rc=1
	# Its parent opens another one for the next client.
	wait_for $LIMIT listening_udp 7000 || rc=1
	[ $rc = 0 ] && found socat serves-ipv4 'keys == ["serves-ipv4"] and
		(.["serves-ipv4"] | .connections == 1 and .count == 1 and
		 (.peers | map([.peer, .count]) == [["'$ELSEWHERE'", 1]]))' || rc=1
	exec 5>&-
	return $rc
}

listening_udp()
{
	ss -Huln "sport = $1" | grep -q .
}

# What blocks nothing

health_check()
{
	answers health served serve 127.0.0.1 &&
		answers health served serve 127.0.0.1 &&
		found health local-ipv4 'keys == ["local-ipv4"] and
			(.["local-ipv4"] | .count == 2 and .blocks == false)'
}

connects_only()
{
	! "$DSCTL" -j audit | jq -e 'any(.[]; .service == "sorter")'
}

# Of glibc, which connects to sort addresses
getaddrinfo_sorts()
{
	local of='[.mapped_connect, .v4_connect] | add' before

	ip addr add 2001:db8::1/128 dev lo nodad
	printf '%s two.test\n' $ELSEWHERE 2001:db8::1 >"$tmp/hosts"
	"$DSCTL" reset
	before=$("$DSCTL" -j show stats | jq "$of")
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount sh -c 'mount --bind "$1" /etc/hosts &&
		getent ahosts two.test' - "$tmp/hosts" || return 1
	[ "$("$DSCTL" -j show stats | jq "$of")" -gt "$before" ] &&
		! "$DSCTL" -j audit |
			jq -e 'any(.[]; .service == "closed or reset")'
}

# Two processes that share a port: that of AF_INET gets the clients.
shared_port()
{
	answers group4 served serve $ELSEWHERE &&
		answers group4 served serve $ELSEWHERE &&
		found group4 serves-ipv4 'keys == ["serves-ipv4"] and
			.["serves-ipv4"].count == 2' &&
		found group6 shadowed 'keys == ["shadowed"]'
}

# Where IPv6 is off nothing can move to it: that is said, and on is warned about.

# ipv6_off DEVICE 0|1
ipv6_off()
{
	echo "$2" >"/proc/sys/net/ipv6/conf/$1/disable_ipv6"
}

# said_off COUNT [OPTION...]: how often an audit says so
said_off()
{
	local want=$1

	shift
	"$DSCTL" "$@" audit >"$tmp/out"
	cat "$tmp/out"
	[ "$(grep -c '^IPv6 is off here (disable_ipv6)' "$tmp/out")" = "$want" ]
}

# warns COUNT ARGUMENT...: how often dsctl, which does what it is told, warns
warns()
{
	local want=$1

	shift
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" || return 1
	cat "$tmp/out" "$tmp/err"
	[ "$(grep -c 'warning: IPv6 is off here' "$tmp/err")" = "$want" ] &&
		[ "$(wc -l <"$tmp/err")" = "$want" ]
}

advice_without_ipv6()
{
	answers health served serve $ELSEWHERE && said_off 0 &&
		in_table 'health.* Move these clients to IPv6\.$' || return 1
	ipv6_off all 1
	said_off 1 && found health serves-ipv4 '.["serves-ipv4"].advice |
			startswith("Turn IPv6 on")' &&
		! grep -q 'Move these clients' "$tmp/out"
}

# As of each device: one that has it is enough.
each_device_is_asked()
{
	ip link add dev0 type dummy && ip link add dev1 type dummy || return 1
	ipv6_off dev0 1 && ipv6_off dev1 0 && said_off 0 &&
		ipv6_off dev1 1 && said_off 1
	rc=$?
	ip link del dev0
	ip link del dev1
	return $rc
}

v6only_is_warned_about()
{
	local port

	port=$(of health port)
	warns 1 set v6only on proto tcp port "$port" dry-run &&
		warns 1 set v6only on proto tcp port "$port" &&
		answers health refused refuse $ELSEWHERE &&
		warns 0 set v6only on proto tcp port "$port" &&
		warns 0 set v6only off proto tcp port "$port" &&
		ipv6_off all 0 &&
		warns 0 set v6only on proto tcp port "$port" &&
		warns 0 set v6only off proto tcp port "$port"
}

# Of the namespace that is looked at: here it is on.
other_namespace()
{
	ip netns add "$netns" || return 1
	ip netns exec "$netns" sh -c \
		'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6' &&
		said_off 0 && said_off 1 -n "$netns" && said_off 1 -N
	rc=$?
	ip netns del "$netns"
	return $rc
}

# What the ledger knows of, long after

# once NAME ADDRESS PORT [USER]: a program that connects and ends
once()
{
	setpriv --reuid "${4-0}" --clear-groups /usr/bin/python3 -c '
import socket, sys
with open("/proc/self/comm", "w") as comm:
    comm.write(sys.argv[1])
socket.create_connection(sys.argv[2:4]).close()' "$@"
}

# went NAME COUNT DESTINATION [USER]: in the words of audit
went()
{
	found "$1" uses-ipv4 "keys == [\"uses-ipv4\"] and (.[\"uses-ipv4\"] |
		.count == $2 and .blocks and .last_age_ms >= 0 and
		(.peers | map([.peer, .count]) == [[\"$3\", $2]]))" &&
		jq -e --arg name "$1" --argjson uid "${4-0}" 'any(.[];
			.service == $name and .uid == $uid and
			.processes == [] and .sockets == [])' "$tmp/out"
}

closed_client()
{
	local to

	to=$(of group4 port)
	once cron-job "::ffff:$ELSEWHERE" "$to" && once cron-job $ELSEWHERE "$to" &&
		once other $ELSEWHERE "$to" $NOBODY &&
		went cron-job 2 "$ELSEWHERE:$to" &&
		went other 1 "$ELSEWHERE:$to" $NOBODY &&
		in_table "^cron-job, uid 0 +uses-ipv4 .* 2 to IPv4: $ELSEWHERE:$to 2, last" &&
		in_table "^other, uid $NOBODY +uses-ipv4 "
}

# What stays on this host is of no program that would miss it.
closed_local_client()
{
	once checker 127.0.0.1 "$(of group4 port)" &&
		! "$DSCTL" -j audit | jq -e 'any(.[]; .service == "checker")'
}

# A process of the name that is there still is of its service.
own_connection()
{
	local port

	port=$(of group4 port)
	answers health connected connect $ELSEWHERE "$port" &&
		found health uses-ipv4 '.["uses-ipv4"] | .count == 1 and
			(.peers | map(.peer) == ["'$ELSEWHERE:"$port"'"])'
}

# One that is of another user is another program.
other_user()
{
	once group6 $ELSEWHERE "$(of group4 port)" $NOBODY &&
		"$DSCTL" -j audit | jq -e 'map(select(.service == "group6")) |
			map([.uid, .verdict]) | sort ==
				[[null, "shadowed"], ['$NOBODY', "uses-ipv4"]]'
}

# What closed servers received before the ledger is not lost with it.

# datagrams JQ-CONDITION: on the findings about what is closed
datagrams()
{
	"$DSCTL" -j audit | jq -e 'map(select(.service == "closed or reset")) |
		length == 1 and (.[0].findings |
		map({(.finding): .}) | add | '"$1)"
}

old_datagrams()
{
	"$DSCTL" reset
	start late echo
	start sender asker logger "$(of late port)"
	answers sender sent send 3 && answers late taken take 3 || return 1
	stop sender
	stop late
	datagrams '.["serves-ipv4"].count == 3 and (has("unnamed-ipv4") | not)' &&
		"$DSCTL" reset peers &&
		datagrams '(has("serves-ipv4") | not) and (.["unnamed-ipv4"] |
			.count == 3 and (.detail | endswith(" 3 received")))'
}

# A server that ends, and comes back

# stop NAME: its number is another process's by and by
stop()
{
	local pid i

	pid=$(of "$1" pid)
	kill "$pid"
	wait "$pid" 2>/dev/null
	for i in "${!pids[@]}"; do
		[ "${pids[i]}" != "$pid" ] || unset "pids[i]"
	done
}

# history SERVICE FINDING COUNT: of clients from ELSEWHERE
history()
{
	found "$1" "$2" ".[\"$2\"].count == $3 and
		(.[\"$2\"].peers | map([.peer, .count]) == [[\"$ELSEWHERE\", $3]])"
}

before_restart()
{
	for _ in 1 2 3; do
		answers restarted.1 served serve $ELSEWHERE || return 1
	done
	history restarted serves-ipv4 3
}

while_down()
{
	history "closed or reset" serves-ipv4 3 &&
		in_table "^closed or reset .* 3 from IPv4 at tcp $at: $ELSEWHERE 3, last"
}

after_restart()
{
	history restarted serves-ipv4 3 &&
		answers restarted.2 served serve $ELSEWHERE &&
		history restarted serves-ipv4 4
}

# As one that takes IPv6 alone: it served, and will not.
after_change()
{
	history restarted past-ipv4 4
}

# Workers that one program has started anew, or more than once, are one service.

# accepted NAME: how many its socket had
accepted()
{
	local line

	echo accepted >&"${to[$1]}"
	read -r -t $LIMIT line <&"${from[$1]}" && echo "$line"
}

workers()
{
	local end=$((SECONDS + LIMIT)) all=0

	for _ in {1..8}; do
		answers worker.1 connected connect $ELSEWHERE || return 1
	done
	until [ $all = 8 ]; do
		[ $SECONDS -lt $end ] || return 1
		all=$((all + $(accepted worker.1) + $(accepted worker.2)))
	done
	history worker serves-ipv4 8
}

worker_is_left()
{
	history worker serves-ipv4 8
}

# Of many clients the first three, and all with -s
many_peers()
{
	local i n

	for i in 1 2 3 4 5; do
		ip addr add 198.51.100.$i/32 dev lo
		for ((n = 0; n < i; n++)); do
			answers many served serve $ELSEWHERE 198.51.100.$i || return 1
		done
	done
	for _ in 1 2 3 4 5; do
		answers many served serve ::1 || return 1
	done
	found many serves-ipv4 '.["serves-ipv4"] | .count == 15 and
		.share_ipv6 == 0.25 and (.peers | map([.peer, .count]) ==
			([5, 4, 3, 2, 1] | map(["198.51.100.\(.)", .])))' &&
		in_table "^many.* 15 from IPv4: 198.51.100.5 5, 198.51.100.4 4, 198.51.100.3 3, \+2, last " &&
		"$DSCTL" -s audit >"$tmp/out"
	for i in 1 2 3 4 5; do
		grep -Eq "^ +198.51.100.$i $i, last [0-9]" "$tmp/out" || {
			cat "$tmp/out"
			return 1
		}
	done
}

# Health checks and clients, whichever came last
mixed_clients()
{
	answers mixed served serve 127.0.0.1 &&
		found mixed local-ipv4 '.["local-ipv4"].count == 1' &&
		answers mixed served serve $ELSEWHERE &&
		answers mixed served serve 127.0.0.1 &&
		found mixed serves-ipv4 'keys == ["serves-ipv4"] and
			(.["serves-ipv4"] | .count == 1 and
			 (.last_peer | test("^'$ELSEWHERE'")))' || return 1
	# Of those from before the ledger the last one was of this host, others were not.
	"$DSCTL" reset peers && answers mixed served serve 127.0.0.1 &&
		found mixed serves-ipv4 'keys == ["serves-ipv4"] and
			.["serves-ipv4"].count == 3'
}

# Clients of servers that are closed
closed_clients()
{
	"$DSCTL" -j audit | jq '[.[] | select(.service == "closed or reset").findings[] |
		select(.finding == "serves-ipv4").count] | add // 0'
}

# Where there is no room for peers, that is said.
no_room()
{
	local rc=0 closed

	"$DSCTL" set max-peers 0 && closed=$(closed_clients) &&
		[ "$closed" -gt 0 ] && answers crowded served serve $ELSEWHERE &&
		answers crowded served serve $ELSEWHERE &&
		found crowded serves-ipv4 '.["serves-ipv4"].count == 2' &&
		answers crowded served serve 127.0.0.1 &&
		found crowded serves-ipv4 'keys == ["serves-ipv4"] and
			.["serves-ipv4"].count == 3' &&
		answers inner served serve 127.0.0.1 &&
		found inner local-ipv4 'keys == ["local-ipv4"] and
			.["local-ipv4"].count == 1' &&
		[ "$(closed_clients)" = "$closed" ] &&
		once short-lived $ELSEWHERE "$(of crowded port)" &&
		"$DSCTL" -j audit | jq -e 'any(.[] |
			select(.service == "closed or reset").findings[];
			.finding == "unnamed-ipv4" and .count > 0)' &&
		in_table '^Of [0-9]+ events the peers are not in it any more' || rc=1
	"$DSCTL" set max-peers 16384
	return $rc
}

# Without the ledger: what counters tell, and that there is none.
without_ledger()
{
	local rc=0

	answers plain served serve $ELSEWHERE && "$DSCTL" set peers off || return 1
	answers plain served serve $ELSEWHERE && found plain serves-ipv4 '
			.["serves-ipv4"] | .count == 2 and .peers == null and
			.last_peer != null' 2>"$tmp/err" &&
		grep -q 'warning: the ledger of peers is off' "$tmp/err" &&
		in_table '^The ledger of peers is off' || rc=1
	"$DSCTL" set peers on
	# What is from before is told as well as it is known.
	[ $rc = 0 ] && answers plain served serve $ELSEWHERE &&
		found plain serves-ipv4 '.["serves-ipv4"] | .count == 3 and
			(.peers | map(.count) == [1])'
}

ktap_print_header
tool_plan 40 1

ip addr add $ELSEWHERE/32 dev lo

start changed server 1
port=$(of changed port)
check "a server" test "$port" -gt 0
check "refusals before v6only was off" refusals_are_past
check "clients before v6only was on" clients_are_past
check "a client that stays connected" connected_is_no_past
check "a reset forgets" past_is_forgotten

check "root in a PID namespace" in_pid_namespace
check "an ordinary user" unprivileged
check "sockets of the kernel's own" kernel_sockets

start echo echo
for i in logger quic resolver; do
	start $i asker $i "$(of echo port)"
done
check "a program that only sends" logger
check "a client that does not connect" quic_client
check "a client that chose its port" resolver
check "their server" server_of_all
start sink echo
if command -v dnsmasq >/dev/null; then
	real_dnsmasq
else
	ktap_test_skip "dnsmasq asks: it is not installed"
	ktap_test_skip "dnsmasq is answered: it is not installed"
fi
if command -v rsyslogd >/dev/null; then
	real_rsyslogd
else
	ktap_test_skip "rsyslogd sends: it is not installed"
fi
start sorter sorter
check "ports that were asked for" in_json
setsid socat UDP6-LISTEN:7000,fork,ipv6only=0 PIPE &
groups+=($!)
check "a server that connects" socat_forks

start health server 0
check "loopback clients" health_check
check "sockets that are connected only" connects_only
check "addresses that are sorted" getaddrinfo_sorts
start group4 group AF_INET 0
start group6 group AF_INET6 "$(of group4 port)"
check "a port that is shared" shared_port
check "a program that is gone" closed_client
check "a program that stayed on this host" closed_local_client
check "a service that connects" own_connection
check "a program of another user" other_user
check "datagrams from before the ledger" old_datagrams

"$DSCTL" reset
start restarted.1 server 0
at=$(of restarted.1 port)
check "a server with a history" before_restart
stop restarted.1
check "a server that ended" while_down
start restarted.2 server 0 "$at"
check "a server that was restarted" after_restart
stop restarted.2
start restarted.3 server 1 "$at"
check "a server that was changed" after_change

start worker.1 group AF_INET6 0
start worker.2 group AF_INET6 "$(of worker.1 port)"
check "workers" workers
stop worker.1
check "a worker that is left" worker_is_left

for i in many mixed crowded plain; do
	start $i server 0
done
start inner group AF_INET 0 127.0.0.1
check "many clients" many_peers
check "clients of both kinds" mixed_clients
check "no room for peers" no_room
check "no ledger" without_ledger

check "advice without IPv6" advice_without_ipv6
check "IPv6 is asked for by device" each_device_is_asked
check "v6only without IPv6" v6only_is_warned_about
check "IPv6 of another namespace" other_namespace
check_schemas audit

ktap_finished
