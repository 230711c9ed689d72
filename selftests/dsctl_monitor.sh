#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The processes that dsctl's monitor names: those that have the socket, as ss and
# show sockets have them, while sockets and processes come and go; and what it shows of
# the sockets of one process, user or device.

. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/schema.sh"

LIMIT=200	# seconds, for what takes a moment: where a look takes 5 s, the next is 50 s later
PORT=7001	# of the first socket
CHURN=${KSFT_MACHINE_SLOW:+100}
NOBODY=65534
CHURN=${CHURN:-1000}	# sockets that come and go

require "$DSCTL" jq python3 ip setpriv ss
require_family
own_netns "$@"

tmp=$(mktemp -d)
chmod 755 "$tmp"
netns=dsctl-monitor-$$
pids=()
cleanup()
{
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	ip netns del $netns 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# A process NAME with a UDP socket that refuses IPv4 on PORT, and one HEIR that has it
# too, if there is a third word. It is bound to the device DEV, if the environment has
# one. It ends when it is killed, or told so.
cat >"$tmp/holder.py" <<'END'
import os, signal, socket, sys

def call_me(name):
    with open("/proc/self/comm", "wb") as comm:
        comm.write(os.fsencode(name))

name, port, heir = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
if "DEV" in os.environ:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, os.environb[b"DEV"])
sock.bind(("::", port))
ready, tell = os.pipe()
if heir and not os.fork():
    call_me(heir[0])
    print(os.getpid(), flush=True)
    os.write(tell, b"x")
    signal.pause()
if heir:
    os.read(ready, 1)
call_me(name)
print(os.getpid(), flush=True)
signal.pause()
END

# One socket after the other, each of which refuses a datagram; every second one is
# closed at once.
cat >"$tmp/churn.py" <<'END'
import socket, struct, sys

kept = []
# A raw socket, to which sending is no event
client = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
for port in range(int(sys.argv[1]), int(sys.argv[1]) + int(sys.argv[2])):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind(("::", port))
    client.sendto(struct.pack("!4H", 9, port, 9, 0) + b"x", ("127.0.0.1", 0))
    if port % 2:
        kept.append(sock)
    else:
        sock.close()
END

# hold PREFIX... -- NAME PORT [HEIR]: start them; sets holder, and heir
hold()
{
	local said prefix=()

	while [ "$1" != -- ]; do
		prefix+=("$1")
		shift
	done
	shift
	exec {said}< <(exec "${prefix[@]}" python3 "$tmp/holder.py" "$@")
	pids+=($!)
	heir=
	if [ $# = 3 ]; then
		read -r -t $LIMIT heir <&"$said" || return
		pids+=("$heir")
	fi
	read -r -t $LIMIT holder <&"$said" || return
	exec {said}<&-
}

# refuse PORT [PREFIX...]: a datagram over IPv4
refuse()
{
	local port=$1

	shift
	"$@" bash -c "echo x >/dev/udp/127.0.0.1/$port"
}

# monitor ARGUMENT...: in place of the one before
monitor()
{
	if [ -n "$monitor_pid" ]; then
		kill "$monitor_pid"
		wait "$monitor_pid"
	fi
	"$DSCTL" "$@" >"$tmp/events" 2>"$tmp/err" </dev/null &
	monitor_pid=$!
	pids+=($!)
}

# subtest COMMAND: in a shell of its own, with which all ends that it started
subtest()
{
	pids=()
	trap 'kill "${pids[@]}" 2>/dev/null' EXIT
	"$@"
}

# shows REGEX PORT [PREFIX...]: of a datagram that is refused on that port
shows()
{
	local regex=$1

	shift
	refuse "$@"
	grep -Eq -e "$regex" "$tmp/events"
}

# until_shows REGEX PORT [PREFIX...]
until_shows()
{
	wait_for $LIMIT shows "$@"
	rc=$?
	[ $rc = 0 ] || tail -n 5 "$tmp/err" "$tmp/events"
	return $rc
}

text_names()
{
	monitor monitor reject
	until_shows " cookie [0-9]+ process parent\($holder\) heir\($heir\)$" $PORT
}

# By comm, pid and descriptor
json_names()
{
	monitor -j monitor reject
	until_shows '"comm":"heir"' $PORT || return 1
	jq -c 'select(.event) | .processes' "$tmp/events" | sort -u | tee "$tmp/got"
	"$DSCTL" -j show sockets port $PORT | jq -c '.[].processes' |
		diff - "$tmp/got" || return 1
	jq -r '.[] | "\"\(.comm)\",pid=\(.pid),fd=\(.fd)"' "$tmp/got" | sort >"$tmp/words"
	ss -Hulnp "sport = :$PORT" | grep -o '"[^)]*' | sort | diff - "$tmp/words"
}

without_processes()
{
	monitor -P monitor reject
	until_shows " cookie [0-9]+$" $PORT || return 1
	! grep process "$tmp/events" || return 1
	monitor -j -no-processes monitor reject
	until_shows '"processes":null' $PORT &&
		jq -es 'map(select(.event) | .processes == null) | all' "$tmp/events"
}

# A socket that is made while the monitor runs, by a process as new as that
new_socket()
{
	monitor monitor reject
	until_shows " process parent\(" $PORT &&
	hold -- newcomer $((PORT + 1)) &&
	until_shows " process newcomer\($holder\)$" $((PORT + 1))
}

# unseen: datagrams on PORT + 2 and the next one, to sockets that are gone by the time
# that the monitor can look
unseen()
{
	kill -STOP "$monitor_pid"
	python3 "$tmp/churn.py" $((PORT + 2)) 2 || return 1
	kill -CONT "$monitor_pid"
}

is_told()
{
	grep -q ":$((PORT + 2)) from" "$tmp/events"
}

gone_socket()
{
	monitor monitor reject
	until_shows " process parent\(" $PORT && unseen || return 1
	wait_for $LIMIT is_told
	tail -n 2 "$tmp/events"
	grep -Eq ":$((PORT + 2)) from .* cookie [0-9]+ process -$" "$tmp/events" ||
		return 1

	monitor -j monitor reject
	until_shows '"comm":"heir"' $PORT && unseen || return 1
	wait_for $LIMIT grep -q "\"local_port\":$((PORT + 2))," "$tmp/events"
	jq -es "map(select(.local_port == $((PORT + 2))) | .processes == []) |
		length > 0 and all" "$tmp/events"
}

# What was found grows old: the heir has the socket alone.
inherited()
{
	hold -- testator $((PORT + 3)) legatee || return 1
	monitor monitor reject
	until_shows " process testator\($holder\) legatee\($heir\)$" $((PORT + 3)) ||
		return 1
	kill "$holder"
	until_shows " process legatee\($heir\)$" $((PORT + 3))
}

# The same port, in another namespace
other_netns()
{
	ip netns add $netns && ip -n $netns link set lo up &&
	hold ip netns exec $netns -- elsewhere $PORT || return 1
	monitor -n $netns monitor reject
	until_shows " process elsewhere\($holder\)$" $PORT ip netns exec $netns || return 1
	! grep -v ' process elsewhere' "$tmp/events"
}

# chosen PORT: a datagram that is refused there adds a line
chosen()
{
	refuse "$1"
	[ "$(grep -c ":$1 from" "$tmp/events")" -gt "$before" ]
}

# chooses PORT OTHER WORD...: of events on both ports those of the first alone are shown
# with this filter. The last one comes behind all the others.
chooses()
{
	local before=0 port=$1 other=$2

	shift 2
	monitor "${options[@]}" monitor reject "$@"
	wait_for $LIMIT chosen "$port" || { tail "$tmp/err" "$tmp/events"; return 1; }
	for _ in 1 2 3; do
		refuse "$other"
	done
	before=$(grep -c ":$port from" "$tmp/events")
	wait_for $LIMIT chosen "$port" || { tail "$tmp/err" "$tmp/events"; return 1; }
	! grep ":$other from" "$tmp/events" || { echo "not by $*"; return 1; }
}

by_process()
{
	local other=$((PORT + 4)) options=()

	hold -- other $other &&
	chooses $PORT $other process parent &&
	chooses $PORT $other process heir &&
	chooses $other $PORT process "$holder" &&
	chooses $other $PORT process other uid root proto udp port $other
}

by_owner()
{
	local other=$((PORT + 5)) options=()

	hold setpriv --reuid=$NOBODY --clear-groups -- unprivileged $other &&
	chooses $PORT $other uid 0 &&
	chooses $other $PORT uid $NOBODY || return 1
	grep -E " process unprivileged\($holder\)$" "$tmp/events" || return 1
	options=(-P)
	chooses $other $PORT uid $NOBODY || return 1
	! grep process "$tmp/events"
}

by_device()
{
	local other=$((PORT + 6)) options=()

	hold env DEV=lo -- bound $other &&
	chooses $other $PORT dev lo
}

passed_over()
{
	[ "$(jq -s 'map(.passed_over // 0) | add' "$tmp/events")" -ge 2 ]
}

# Whose they were is not known, so they are not shown; but that they were is.
chosen_of_gone_socket()
{
	local probe=$((PORT + 7)) word

	hold env DEV=lo -- bound $probe || return 1
	for word in "process bound" "uid 0" "dev lo"; do
		# shellcheck disable=SC2086 # a word and its value
		monitor -j monitor reject $word
		until_shows '"comm":"bound"' $probe && unseen || return 1
		wait_for $LIMIT passed_over || { tail "$tmp/err" "$tmp/events"; return 1; }
		! grep "\"local_port\":$((PORT + 2))," "$tmp/events" || return 1
		grep '"passed_over":.*}' "$tmp/events" >"$tmp/unseen"
		keep "$tmp/unseen" monitor
	done

	monitor monitor reject process bound
	until_shows " process bound\($holder\)$" $probe && unseen &&
	wait_for $LIMIT grep -E 'passed over [0-9]+ events? whose socket' "$tmp/events"
}

# told PORT: events, and those that are told to be lost
told()
{
	jq -s "map(.lost // (select(.local_port >= $1 and .local_port < $1 + $CHURN) |
			     1)) | add // 0" "$tmp/events"
}

all_told()
{
	[ "$(told "$1")" -ge "$CHURN" ]
}

# Whatever has to be looked for, each event is told, in its order, or counted as lost.
churn()
{
	local port=$((PORT + 1000))

	monitor -j monitor reject
	until_shows '"comm":"heir"' $PORT || return 1
	python3 "$tmp/churn.py" "$port" "$CHURN" &&
	wait_for $LIMIT all_told $port
	echo "sent $CHURN, told $(told $port)"
	[ "$(told $port)" = "$CHURN" ] || return 1
	jq "select(.local_port >= $port) | .local_port" "$tmp/events" >"$tmp/ports"
	sort -nu "$tmp/ports" | diff - "$tmp/ports"
}

ktap_print_header
tool_plan 12 1

hold -- parent $PORT heir
check "text" subtest text_names
check "JSON, as show sockets and ss have it" subtest json_names
check "-P" subtest without_processes
check "a new socket" subtest new_socket
check "a socket that is gone" subtest gone_socket
check "a socket that is inherited" subtest inherited
check "another namespace" subtest other_netns
check "of a process" subtest by_process
check "of a user" subtest by_owner
check "of a device" subtest by_device
check "of sockets that are gone" subtest chosen_of_gone_socket
check "$CHURN sockets that come and go" subtest churn
check_schemas monitor

ktap_finished
