#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The filter of dsctl's lists and of its monitor: the sockets that it chooses are those
# that ss(8) chooses by the same words, or that the process here knows to have.

. "$(dirname "$0")/lib/lib.sh"

LIMIT=60	# seconds, for what takes a moment
NOBODY=65534

require "$DSCTL" jq python3 ip ss setpriv
require_family
own_netns "$@"

tmp=$(mktemp -d)
cleanup()
{
	[ -z "$holder" ] || kill "$holder" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

ip link add dummy0 type dummy
ip address add 192.0.2.1/24 dev lo
ip address add 2001:db8::1/64 dev lo nodad
ip link set lo up

# Sockets of all kinds, each with a peer or without; on request, datagrams.
cat >"$tmp/holder.py" <<'END'
import os, socket, sys
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
held = []

def sock(kind, addr, port=0, dev=None, v6only=0):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    s = socket.socket(family, kind)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if dev:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev)
    s.bind((addr, port))
    held.append(s)
    return s

def connected(server, addr):
    client = sock(TCP, addr)
    client.connect((addr, server.getsockname()[1]))
    held.append(server.accept()[0])
    return client

dual = sock(TCP, "::", 80)
dual.listen()
v4 = sock(TCP, "192.0.2.1", 8600)
v4.listen()
sock(UDP, "::", 53)
sock(UDP, "0.0.0.0", 5353)
sock(TCP, "::", 0, b"dummy0").listen()
sock(UDP, "2001:db8::1").connect(("2001:db8::1", 9))
sock(UDP, "192.0.2.1").connect(("192.0.2.1", 9))
sock(UDP, "192.0.2.1", 8601).connect(("192.0.2.1", 9))
sock(UDP, "::ffff:192.0.2.1").connect(("::ffff:192.0.2.1", 9))
connected(dual, "192.0.2.1")
connected(dual, "2001:db8::1")
connected(dual, "::ffff:127.0.0.1")
# Half closed, which lasts; none is in TIME-WAIT, as that comes to an end.
client = connected(v4, "192.0.2.1")
held[-1].shutdown(socket.SHUT_WR)
client.recv(1)
for port in (9053, 9054):
    sock(UDP, "::", port, v6only=1)
with open("/proc/self/comm", "wb") as comm:
    comm.write(b"the holder")
os.setuid(int(sys.argv[1]))
sock(UDP, "127.0.0.1", 5300)
# Its other end waits to be accepted: no process has that.
waiting = socket.socket(socket.AF_INET, TCP)
waiting.connect(("192.0.2.1", 8600))
print(flush=True)
for line in sys.stdin:
    source, to, port = line.split()
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    client = socket.socket(family, UDP)
    client.bind((source, 0))
    client.sendto(b"x", (to, int(port)))
    print(client.getsockname()[1], flush=True)
END

mkfifo "$tmp/commands" "$tmp/answers"
exec 8<>"$tmp/commands" 9<>"$tmp/answers"
setpriv --pdeathsig KILL python3 "$tmp/holder.py" $NOBODY <"$tmp/commands" \
	>"$tmp/answers" 8>&- 9>&- &
holder=$!
read -r -u 9 -t $LIMIT || skip_all "no sockets to be had"

# dsctl_has WORD...: the cookies of the sockets that dsctl lists
dsctl_has()
{
	"$DSCTL" -a -j show sockets "$@" | jq -r '.[].cookie' | sort
}

# ss_has OPTION... [EXPRESSION]: the cookies of those that ss lists
ss_has()
{
	local cookie

	ss --no-header --tcp --udp --all --extended --numeric "$@" |
		sed -n 's/.* sk:\([0-9a-f]*\).*/\1/p' |
		while read -r cookie; do
			echo $((0x$cookie))
		done | sort
}

# alike MINIMUM WORD... -- OPTION...: so many or more, and the same ones
alike()
{
	local minimum=$1 words=()

	shift
	while [ "$1" != -- ]; do
		words+=("$1")
		shift
	done
	shift
	dsctl_has "${words[@]}" >"$tmp/dsctl" && ss_has "$@" >"$tmp/ss" || return 1
	[ "$(wc -l <"$tmp/ss")" -ge "$minimum" ] && diff "$tmp/ss" "$tmp/dsctl" && return
	"$DSCTL" -j show sockets "${words[@]}"
	return 1
}

# names NUMBER WORD...: so many sockets, as the holder made them
names()
{
	local number=$1 list

	shift
	list=$("$DSCTL" -j show sockets "$@") || return 1
	[ "$(jq length <<<"$list")" = "$number" ] || { echo "$list"; return 1; }
}

# rejects MESSAGE WORD...: a clear error, and the status of a wrong command line
rejects()
{
	local message=$1 rc=0

	shift
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" || rc=$?
	cat "$tmp/err"
	[ "$rc" = 1 ] && [ ! -s "$tmp/out" ] && grep -qF -- "$message" "$tmp/err"
}

ports_are_right()
{
	alike 4 port 80 -- "sport = :80" &&
		alike 4 port http -- "sport = :80" &&
		alike 2 port 8600 -- "sport = :8600" &&
		alike 1 proto udp port domain -- "sport = :53"
}

# Whoever asks for a port that bind() did not get sees what has it; of a server not its
# connections.
port_shows_holders()
{
	# What has counts is listed in any case.
	"$DSCTL" reset proto udp port 8601 && names 1 port 8601 &&
		names 0 port 8601 mode dual && names 1 port 8600 || return 1
	# Bound and no more, which not every kernel lists
	exec {said}< <(exec setpriv --pdeathsig KILL python3 -c '
import socket, time
sock = socket.socket()
sock.bind(("192.0.2.1", 8602))
print(flush=True)
time.sleep(1e6)')
	bound=$!
	trap 'kill $bound' EXIT
	read -r -u "$said" -t $LIMIT && names "$(dsctl_has port 8602 | wc -l)" port 8602
}

states_are_alike()
{
	local state

	for state in established close-wait fin-wait-2 listening unconnected closed \
		     connected synchronized; do
		alike 1 state $state -- state $state || { echo "state $state"; return 1; }
	done
	# As the column has it
	alike 1 state ESTAB -- state established &&
		alike 1 state LISTEN -- state listening &&
		alike 1 state UNCONN -- state unconnected &&
		alike 1 state FIN-WAIT-2 -- state fin-wait-2 &&
		names 0 state time-wait
}

# To ss a mapped address is none of IPv4: what is counted here, it would not list.
prefixes_are_right()
{
	alike 2 src 2001:db8::/32 -- "src [2001:db8::/32]" &&
		alike 2 dst 2001:db8::1 -- "dst [2001:db8::1]" &&
		alike 1 src :: -- -6 "src [::]" &&
		alike 1 src 0.0.0.0 -- -4 "src 0.0.0.0" &&
		names 3 src 127.0.0.0/8 &&
		names 2 dst 127.0.0.0/8 &&
		names 3 dst ::ffff:0:0/96 proto tcp state established &&
		names 1 src '[::ffff:192.0.2.1]' proto udp &&
		names 0 src 192.0.2.0/32
}

owners_are_right()
{
	alike 1 dev dummy0 -- "dev = dummy0" &&
		names 2 uid $NOBODY && names 2 uid nobody &&
		names $(($(dsctl_has process "$holder" | wc -l) - 2)) uid root &&
		names 1 uid $NOBODY port 5300 &&
		names 0 process nobody-is-called-so &&
		[ "$(dsctl_has process "the holder" | wc -l)" = \
		  "$(dsctl_has process "$holder" | wc -l)" ] &&
		[ "$(dsctl_has process "$holder" | wc -l)" -ge 16 ] &&
		names 0 process $$
}

# That is for the kernel to say.
lacks_device()
{
	local rc=0

	"$DSCTL" "$@" dev nothing 2>"$tmp/err" || rc=$?
	cat "$tmp/err"
	[ "$rc" = 2 ] && grep -qF 'dev "nothing": no such device' "$tmp/err"
}

errors_are_clear()
{
	rejects 'src "192.0.2": not ADDRESS or ADDRESS/LENGTH' show sockets src 192.0.2 &&
		rejects 'src "192.0.2.1:80": not ADDRESS' show sockets src 192.0.2.1:80 &&
		rejects 'prefix length "33": not a number from 0 to 32' \
			show sockets dst 192.0.2.0/33 &&
		rejects 'prefix length "": not a number' show sockets dst ::/ &&
		rejects 'state "open" is unknown' show sockets state open &&
		rejects 'state "fin" is ambiguous: fin-wait-1, fin-wait-2' \
			show sockets state fin &&
		rejects 'uid "nobody-is-called-so": no such user' \
			show sockets uid nobody-is-called-so &&
		rejects 'uid "4294967295": not a number' show sockets uid 4294967295 &&
		rejects 'process: option -P' -P show sockets process 1 &&
		rejects 'process: option -P' -P monitor process 1 &&
		rejects 'uid "nobody-is-called-so": no such user' \
			monitor uid nobody-is-called-so &&
		rejects 'uid: given twice' monitor uid 0 uid 0 &&
		rejects 'process: given twice' monitor process 1 process 2 &&
		rejects 'dev: a value is missing' monitor dev &&
		rejects 'argument "state" is unknown' monitor state open &&
		rejects 'dst: a value is missing' show sockets dst &&
		rejects 'port "no-service"' show sockets port no-service &&
		rejects 'given already' monitor reject mapped &&
		rejects 'cookie: given twice' monitor cookie 1 cookie 2 &&
		lacks_device show sockets && lacks_device monitor
}

# send SOURCE DESTINATION PORT: a datagram; says its source port
send()
{
	local port

	echo "$@" >&8
	read -r -u 9 -t $LIMIT port && echo "$port"
}

# seen WORD...: what a monitor with these words shows of datagrams that are refused,
# and at last of one that every one of them shows
seen()
{
	"$DSCTL" -j monitor "$@" >"$tmp/events" 2>"$tmp/err" &
	monitor=$!
	wait_for $LIMIT probe_is_shown || { cat "$tmp/err"; return 1; }
	send 127.0.0.1 127.0.0.1 9053 >/dev/null
	send 192.0.2.1 192.0.2.1 9053 >/dev/null
	send 192.0.2.1 192.0.2.1 9054 >/dev/null
	last=$(send 192.0.2.1 192.0.2.1 9053)
	wait_for $LIMIT last_is_shown || { cat "$tmp/err"; return 1; }
	kill $monitor
	wait $monitor
	jq -r "select(.peer_port != null and .event != null) |
	       \"\\(.event) \\(.local_addr):\\(.local_port) \\(.peer_addr)\"" \
		"$tmp/events" | uniq
}

probe_is_shown()
{
	send 192.0.2.1 192.0.2.1 9053 >/dev/null
	grep -q reject_v6only "$tmp/events"
}

last_is_shown()
{
	grep -q "\"peer_port\": *$last\b" "$tmp/events"
}

# Run by check, in a shell of its own: whatever becomes of the monitor ends with it.
monitor_filters()
{
	local prefix

	trap 'kill $monitor 2>/dev/null' EXIT
	for prefix in 192.0.2.0/24 ::ffff:192.0.2.0/120; do
		seen port 9053 src $prefix proto udp >"$tmp/seen" || return 1
		cat "$tmp/seen"
		[ "$(cat "$tmp/seen")" = "reject_v6only 192.0.2.1:9053 192.0.2.1" ] ||
			return 1
	done
}

ktap_print_header
ktap_set_plan 8
mark_log
check "ports and services" ports_are_right
check "a port that is taken" port_shows_holders
check "states as ss knows them" states_are_alike
check "addresses and prefixes" prefixes_are_right
check "devices, owners and processes" owners_are_right
check "errors" errors_are_clear
check "monitor" monitor_filters
check "no complaint in the kernel log" log_is_clean
ktap_finished
