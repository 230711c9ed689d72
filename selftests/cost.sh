#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the module adds to what the kernel does for an event, in instructions,
# and how much it may: see OVERHEAD in dsctl(8). It takes a processor for which
# each instruction is a nanosecond, as QEMU emulates with -icount shift=0.

. "$(dirname "$0")/lib/lib.sh"

# How much what of the kernel's own may take, client and server together; on later kernels
# a tenth more. Single packets over IPv4 come from a raw socket, for an AF_INET client counts
# what it sends, too: it is in what a connection over IPv4 takes.
BUDGETS='
udp4         44  a datagram over IPv4
udp4-peers  170  a datagram over IPv4, from another known peer each time
udp6         40  a datagram over IPv6
udp-v4      100  a datagram between AF_INET sockets
mapped-send 150  a datagram to a mapped address
tcp4        300  a connection over IPv4
tcp6        150  a connection over IPv6
syn-refused 500  an IPv4 SYN refused because of IPV6_V6ONLY
syn-closed  112  an IPv4 SYN to a closed port
udp-refused 460  an IPv4 datagram refused because of IPV6_V6ONLY
udp-closed   88  an IPv4 datagram to a closed port
drop         20  a datagram sent, and dropped for another reason
close        40  a socket without a record, closed
'

# How much more of that may be while somebody listens to events in another namespace.
FOREIGN='
udp4         10  a datagram over IPv4
udp-v4       20  a datagram between AF_INET sockets
tcp4         50  a connection over IPv4
udp-refused  50  an IPv4 datagram refused because of IPV6_V6ONLY
'

# What may take three times as much as without the module, and 2,000 instructions:
# a packet that a crowd has nothing for, or one of it.
CROWDS='
syn-group  an IPv4 SYN refused by a group of 2,000, at 118 addresses
syn-crowd  an IPv4 SYN refused at 2,000 other listeners and 118 addresses
udp-crowd  an IPv6 datagram to 5,000 connected sockets on 5,000 addresses
'

# By how much the least of many runs may be off: the same call takes 4 or 5 instructions
# more or fewer from one load of the module to the next, with the module and without.
NOISE=8

require insmod rmmod unshare nsenter ip awk
require_family
own_netns "$@"
ip address add fd00::1/128 dev lo nodad

tmp=$(mktemp -d)
listener=
cleanup()
{
	[ -z "$listener" ] || kill "$listener"
	rm -rf "$tmp"
	grep -q '^dualstack ' /proc/modules || load_module
}
trap cleanup EXIT

# measure ROW...: several times, each on a line of its own. Sockets lie elsewhere each
# time, which may be worth some instructions in tables that are hashed by address.
measure()
{
	# What loading and unloading set off is over by then.
	sleep 4
	for _ in {1..4}; do
		./load "$@"
	done
}

# The same of those of the budgets, and the crowds once: they take long to gather, and may
# differ by more.
measure_with_crowds()
{
	# shellcheck disable=SC2086 # a list of rows
	measure $rows && ./load $crowds
}

is_heard()
{
	nsenter --target "$listener" --net bash -c 'echo >/dev/udp/127.0.0.1/9'
	grep -q v4_send "$tmp/events"
}

# Another namespace listens until quiet.
listen()
{
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --net sh -c 'ip link set lo up && exec "$0" monitor' "$DSCTL" \
		>"$tmp/events" 2>"$tmp/monitor" </dev/null &
	listener=$!
	wait_for 60 is_heard 2>/dev/null && return
	cat "$tmp/monitor"
	return 1
}

# It has listened all the time.
quiet()
{
	kill "$listener" || return
	wait "$listener"
	listener=
}

# What was loaded and unloaded leaves the allocator in a state that may take some
# hundred instructions more of each connection until the next time: of several, the
# least is without.
measure_all()
{
	for _ in 1 2 3; do
		unload_module || return
		measure_with_crowds >>"$tmp/off"
		load_module || return
		measure_with_crowds >>"$tmp/on"
		listen || return
		# shellcheck disable=SC2086 # a list of rows
		measure $foreign >>"$tmp/foreign"
		quiet || return
	done
}

# rows_of BUDGETS
rows_of()
{
	awk 'NF { print $1 }' <<<"$1" | xargs
}

# least FILE ROW
least()
{
	awk -v row="$2" '$1 == row && (min == "" || $2 < min) { min = $2 }
			 END { print min }' "$1"
}

# allowed BUDGET
allowed()
{
	case $(uname -r) in
	6.1.*) echo "$1" ;;
	*) echo $(($1 + ($1 + 9) / 10)) ;;
	esac
}

# within OFF ON BUDGET
within()
{
	awk -v off="$1" -v on="$2" -v budget="$3" -v noise="$NOISE" \
		'BEGIN { exit !(off > 0 && on > 0 && on - off <= budget + noise) }'
}

# bounded OFF ON
bounded()
{
	awk -v off="$1" -v on="$2" \
		'BEGIN { exit !(off > 0 && on > 0 && on <= 3 * off + 2000) }'
}

# check_each BUDGETS OFF ON MEANWHILE: how much more each row may take in file ON than in
# file OFF
check_each()
{
	local row budget what off on

	while read -r row budget what; do
		[ -n "$row" ] || continue
		off=$(least "$2" "$row")
		on=$(least "$3" "$row")
		ktap_print_msg "$row: $off, and $on $4"
		budget=$(allowed "$budget")
		check "$what, $4: at most $budget (+$NOISE) instructions more" \
			within "$off" "$on" "$budget"
	done <<<"$1"
}

ktap_print_header
rows=$(rows_of "$BUDGETS")
foreign=$(rows_of "$FOREIGN")
crowds=$(rows_of "$CROWDS")
ktap_set_plan "$(wc -w <<<"$rows $foreign $crowds")"

# The kernel settles for the first runs: they are for that.
measure_with_crowds >"$tmp/settle"
measure_all || ktap_exit_fail_msg "cannot unload, load or listen"

check_each "$BUDGETS" "$tmp/off" "$tmp/on" "with the module"
check_each "$FOREIGN" "$tmp/on" "$tmp/foreign" "while another namespace listens"

while read -r row what; do
	[ -n "$row" ] || continue
	off=$(least "$tmp/off" "$row")
	on=$(least "$tmp/on" "$row")
	ktap_print_msg "$row: $off, and $on with the module"
	check "$what: at most 3 times the kernel's own, and 2000" \
		bounded "$off" "$on"
done <<<"$CROWDS"

ktap_finished
