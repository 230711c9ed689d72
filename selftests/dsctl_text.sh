#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What dsctl says, for people to read, of sockets that are less usual: that several
# processes have, that share a port with many, or that others hide.

. "$(dirname "$0")/lib/lib.sh"

LIMIT=60	# seconds, for what takes a moment
MANY=100	# sockets; so many records are not asked for one by one

require "$DSCTL" jq python3 ip unshare
require_family
own_netns "$@"

tmp=$(mktemp -d)
cleanup()
{
	[ -z "$holder" ] || kill "$holder" 2>/dev/null
	rm -rf "$tmp"
	"$DSCTL" set tracking on
}
trap cleanup EXIT

# Sockets as above, and what the script has to know of them
cat >"$tmp/holder.py" <<'END'
import os, signal, socket, struct, sys

MANY = int(sys.argv[1])
SO_COOKIE = 57
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
held = []

def call_me(name):
    with open("/proc/self/comm", "wb") as comm:
        comm.write(name)

def cookie(sock):
    raw = sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8)
    return struct.unpack("=Q", raw)[0]

def hold(kind, addr, port=0, reuse=False, dev=None):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    sock = socket.socket(family, kind)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    if reuse:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if dev:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, dev)
    sock.bind((addr, port))
    if kind == TCP:
        sock.listen()
    held.append(sock)
    return sock

def tell(name, sock):
    print(f"{name}={sock.getsockname()[1]}")
    print(f"{name}_cookie={cookie(sock)}")

def child(name):
    """A process that has the same sockets for as long."""
    pid = os.fork()
    if not pid:
        call_me(name)
        os.close(end[1])
        os.write(ready[1], b"x")
        os.read(end[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    return pid

call_me(b"words")
ready, end = os.pipe(), os.pipe()

shared = hold(TCP, "::")
tell("shared", shared)
again = os.dup(shared.fileno())
print(f"parent={os.getpid()}")
print("children=" + ",".join(str(child(b"words")) for _ in range(3)))
print(f"other={child(b'other')}")

device = hold(UDP, "::", dev=b"lo")
tell("device", device)
hidden = hold(TCP, "::", reuse=True)
tell("hidden", hidden)
hold(TCP, "0.0.0.0", hidden.getsockname()[1], reuse=True)
elsewhere = hold(TCP, "192.0.2.1")
tell("elsewhere", elsewhere)

first = hold(UDP, "::", reuse=True)
tell("many", first)
for _ in range(MANY - 1):
    hold(UDP, "::", first.getsockname()[1], reuse=True)
fixed = hold(UDP, "::1", reuse=True)
tell("fixed", fixed)
for _ in range(MANY - 1):
    hold(UDP, "::1", fixed.getsockname()[1], reuse=True)

# One that has asked an IPv4 server, and has an answer.
server = hold(UDP, "192.0.2.1")
asked = hold(UDP, "::")
asked.connect(("::ffff:192.0.2.1", server.getsockname()[1]))
asked.send(b"x")
server.sendto(b"y", server.recvfrom(1)[1][:2])
asked.recv(1)
tell("asked", asked)
print(flush=True)
signal.pause()
END

ip address add 192.0.2.1/32 dev lo
exec {said}< <(exec python3 "$tmp/holder.py" $MANY)
holder=$!
declare -A of
while read -r line <&"$said" && [ -n "$line" ]; do
	of[${line%%=*}]=${line#*=}
done

# prints REGEX ARGUMENT...: exit code 0, a line like that, silence on stderr
prints()
{
	local regex=$1 rc

	shift
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	cat "$tmp/out" "$tmp/err"
	[ $rc = 0 ] && [ ! -s "$tmp/err" ] && grep -Eq -e "$regex" "$tmp/out"
}

# fails CODE TEXT ARGUMENT...: exit code, silence on stdout, that on stderr
fails()
{
	local code=$1 text=$2 rc

	shift 2
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	cat "$tmp/out" "$tmp/err"
	echo "exit code $rc"
	[ $rc = "$code" ] && [ ! -s "$tmp/out" ] &&
		[ "$(head -c ${#text} "$tmp/err")" = "$text" ]
}

# Each process once, though it has the socket twice; those of one name together
processes()
{
	prints "^tcp +LISTEN +dual .* words\($holder,${of[children]}\) other\(${of[other]}\)$" \
		show sockets port "${of[shared]}"
}

explained_processes()
{
	prints "served as mapped by words \(pid $holder, ${of[children]//,/, }\) and other \(pid ${of[other]}\), socket \[::\]:${of[shared]} \(cookie ${of[shared_cookie]}\)$" \
		explain tcp 127.0.0.1 "${of[shared]}"
}

# Three are named, for the rest there is a number.
audited_processes()
{
	"$DSCTL" audit | tee "$tmp/out"
	grep -Eq "^words\($holder,[0-9]+,[0-9]+,\+[12]\) " "$tmp/out"
}

# All at one port, in one answer of the kernel, are the same as each of its own.
many()
{
	"$DSCTL" -j show sockets >"$tmp/all" &&
		"$DSCTL" -j show sockets port "${of[many]}" >"$tmp/port" &&
		jq -e --argjson port "${of[many]}" --slurpfile all "$tmp/all" \
			"length == $MANY and
			 . == (\$all[0] | map(select(.local_port == \$port)))" \
			"$tmp/port"
}

# As many as fit into a line or two
not_switchable()
{
	fails 2 "dsctl: udp port ${of[fixed]}: no wildcard AF_INET6 socket that listens or is unconnected has it, only [::1]:${of[fixed]} (v6, UNCONN), " \
		set v6only off proto udp port "${of[fixed]}" &&
		grep -q ', \.\.\.$' "$tmp/err"
}

# What a connected socket receives are answers: it uses IPv4, and serves none.
asks_ipv4()
{
	"$DSCTL" -j audit | jq -e --argjson cookie "${of[asked_cookie]}" '
		[.[].findings[] | select(.cookies | index($cookie)) | .finding] |
		index("uses-ipv4") != null and index("serves-ipv4") == null'
}

# Where the kernel has CONFIG_PREEMPT_RT, no hook is a tracepoint.
drop_kind=tracepoint
! uname -v | grep -q PREEMPT_RT || drop_kind=direct

hooks_off()
{
	"$DSCTL" set tracking off || return 1
	prints '^Name +Kind +Hits +Attached +Purpose$|^.* (ftrace|direct) .* no ' \
		-s show hooks && prints ' no  ' show hooks &&
		! grep -Eq ' yes ' "$tmp/out" || return 1
	"$DSCTL" set tracking on && prints "^kfree_skb +$drop_kind " -s show hooks
}

long_name()
{
	fails 2 'dsctl: cannot open network namespace "aaa' \
		-n "$(printf 'a%.0s' {1..5000})" show stats &&
		grep -q 'File name too long$' "$tmp/err"
}

# Where its own namespace has a name it goes by that.
own_name()
{
	local rc

	ip netns attach "text-$$" $$ || return 1
	"$DSCTL" -N -j show stats | jq -e --arg name "text-$$" '.[0].netns == $name'
	rc=$?
	ip netns del "text-$$"
	return $rc
}

# name_in_labels BYTES TEXT: a process with this name has that for a label
name_in_labels()
{
	rm -f "$tmp/ready"
	python3 - "$1" <<-'END' >"$tmp/ready" &
		import os, socket, sys, time
		with open("/proc/self/comm", "wb") as comm:
		    comm.write(os.fsencode(sys.argv[1]))
		sock = socket.create_server(("::", 0), family=socket.AF_INET6)
		print("ready", flush=True)
		time.sleep(1e6)
	END
	local pid=$! rc

	wait_for $LIMIT test -s "$tmp/ready"
	"$DSCTL" export - | grep -F "comm=\"$2\""
	rc=$?
	kill $pid
	wait $pid 2>/dev/null
	return $rc
}

# A character of four bytes is one; half of one of UTF-16's is none, nor is what is
# longer than it need be, or beyond the last one.
names_in_labels()
{
	name_in_labels $'\xf0\x9f\x90\x9f' $'\xf0\x9f\x90\x9f' &&
		name_in_labels $'\xed\xa0\x80' '\\xed\\xa0\\x80' &&
		name_in_labels $'\xc0\xafx' '\\xc0\\xafx' &&
		name_in_labels $'\xf4\x90\x80\x80' '\\xf4\\x90\\x80\\x80'
}

no_rate()
{
	local pid rc

	"$DSCTL" set event-rate 0 || return 1
	"$DSCTL" monitor >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	wait_for $LIMIT grep -q '^dsctl: event-rate is 0, so every event is lost: dsctl set event-rate NUMBER$' \
		"$tmp/err"
	rc=$?
	if [ $rc = 0 ]; then
		python3 -c "
import socket, struct
# A raw socket, to which sending is no event
socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP).sendto(
    struct.pack('!4H', 9, ${of[fixed]}, 9, 0) + b'x', ('127.0.0.1', 0))"
		wait_for $LIMIT grep -q '\] lost 1 event$' "$tmp/out"
		rc=$?
	fi
	kill $pid
	wait $pid
	"$DSCTL" set event-rate "$("$DSCTL" -j -s show config |
		jq .defaults.event_rate)"
	cat "$tmp/err" "$tmp/out"
	return $rc
}

# Who is too slow for the kernel to keep all for him is told how many he missed. Root
# of a namespace gets the buffer that anybody gets.
cat >"$tmp/slow.py" <<'END'
import json, signal, socket, struct, subprocess, sys, time

STEP = 500
server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
server.bind(("::", 0))
server.settimeout(60)
# A raw socket, to which sending is no event
client = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
DATAGRAM = struct.pack("!4H", 9, server.getsockname()[1], 9, 0) + b"x"
sent = 0

def datagram():
    global sent
    client.sendto(DATAGRAM, ("127.0.0.1", 0))
    server.recv(1)
    sent += 1

def told():
    """Events, and those that are told to be lost."""
    with open(sys.argv[2], encoding="ascii") as lines:
        events = [json.loads(line) for line in lines if line.endswith("}\n")]
    lost = sum(event.get("lost", 0) for event in events)
    return sum("event" in event for event in events), lost

def wait_until(condition):
    end = time.monotonic() + 120
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"sent {sent}, told {told()}")
        time.sleep(0.1)

def shows_up():
    datagram()
    return any(told())

def drops():
    """How many messages the kernel had no room for."""
    with open("/proc/net/netlink", encoding="ascii") as lines:
        return sum(int(line.split()[8]) for line in list(lines)[1:])

def fill():
    for _ in range(STEP):
        datagram()
    return drops()

with open(sys.argv[2], "wb") as out:
    monitor = subprocess.Popen([sys.argv[1], "-j", "monitor"], stdout=out)
wait_until(shows_up)
# What came before it listened is none of its business.
before = sent
monitor.send_signal(signal.SIGSTOP)
wait_until(fill)
monitor.send_signal(signal.SIGCONT)
wait_until(lambda: sum(told()) >= sent - before)
events, lost = told()
print(f"sent {sent}, {before} before, events {events}, lost {lost}")
monitor.send_signal(signal.SIGINT)
sys.exit(monitor.wait() or not lost or events + lost > sent)
END

slow_reader()
{
	# shellcheck disable=SC2016 # the inner shell expands these
	unshare --user --map-root-user --net -- sh -c \
		'ip link set lo up && exec python3 "$@"' - \
		"$tmp/slow.py" "$(command -v "$DSCTL")" "$tmp/slow"
}

ktap_print_header
ktap_set_plan 22

check "show sockets: processes" processes
check "show sockets: bound to a device" prints "\[::\]%lo:${of[device]} " \
	show sockets port "${of[device]}"
check "show sockets: bound to a device, JSON" prints '"dev":"lo"' \
	-j show sockets port "${of[device]}"
check "show sockets: shadowed" prints '^tcp +LISTEN +dual \(shadowed\) ' \
	show sockets port "${of[hidden]}"
check "show sockets: $MANY at a port" many
check "explain: processes" explained_processes
check "explain: bound to a device" prints \
	"socket \[::\]%lo:${of[device]} \(cookie ${of[device_cookie]}\)$" \
	explain udp ::1 "${of[device]}"
check "explain: has the port elsewhere" prints \
	"refused: no socket takes it; words .*socket 192.0.2.1:${of[elsewhere]} \(cookie ${of[elsewhere_cookie]}\), has the port at another address$" \
	explain tcp 127.0.0.1 "${of[elsewhere]}"
check "explain: not there" prints \
	'not for this host, which does not have the address there$' \
	explain tcp 192.0.2.77 80 dev lo
check "explain: from, twice" fails 1 'dsctl: from: given twice' \
	explain tcp ::1 80 from ::1 dev lo from ::1
check "explain: from, half a word" fails 1 \
	'dsctl: address "[::1": not [ADDRESS] or [ADDRESS]:PORT' \
	explain tcp ::1 80 from '[::1'
check "explain: from, another device" fails 1 \
	'dsctl: dev "lo": another device than "eth9"' \
	explain tcp ::1%eth9 80 from ::1%lo
check "explain: to, another device" fails 1 \
	'dsctl: dev "lo": another device than "eth9"' \
	explain tcp ::1%eth9 80 dev lo
check "set v6only: none that can be" not_switchable
check "audit: processes" audited_processes
check "audit: who asks over IPv4" asks_ipv4
check "show hooks: tracking off" hooks_off
check "a name that is too long" long_name
check "the own namespace has a name" own_name
check "names in labels" names_in_labels
check "monitor: event-rate 0" no_rate
check "monitor: a slow reader" slow_reader

ktap_finished
