#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Load and unload the module under traffic. Each load counts what sockets see
# from then on, those that are older than the load included; each unload
# leaves nothing in the kernel. Somebody listens to events all the time, another
# reads, a third binds sockets that rules decide about, and namespaces come and go.
#
#   load_unload.sh [-n LOADS]

. "$(dirname "$0")/lib/lib.sh"

ROUNDS=${KSFT_MACHINE_SLOW:+2}
ROUNDS=${ROUNDS:-10}
AT_ONCE=${KSFT_MACHINE_SLOW:+1}
AT_ONCE=${AT_ONCE:-5}
while getopts n: option; do
	case $option in
	n) ROUNDS=$OPTARG ;;
	*) exit 2 ;;
	esac
done
TRACEFS=/sys/kernel/tracing

require insmod rmmod unshare nsenter ip
require_family
own_netns "$@"

[ -e $TRACEFS/enabled_functions ] || mount -t tracefs none $TRACEFS ||
	skip_all "no tracefs"

tmp=$(mktemp -d)
touch "$tmp/readings" "$tmp/namespace"
cleanup()
{
	[ -z "$traffic" ] || kill "$traffic" "$listener" "$binder" 2>/dev/null
	touch "$tmp/stop"
	wait
	rm -rf "$tmp"
	grep -q '^dualstack ' /proc/modules || load_module
}
trap cleanup EXIT

loaded()
{
	grep -q '^dualstack ' /proc/modules
}

# Hooked functions, and the trampolines that lead to the module.
ftrace_users()
{
	sort $TRACEFS/enabled_functions
}

# A reader may have the module in use for a moment.
unload()
{
	wait_for 300 unload_module 2>/dev/null
}

# until_stopped COMMAND...: again and again, whether or not the module is there
until_stopped()
{
	while [ ! -e "$tmp/stop" ]; do
		"$@" >/dev/null 2>&1 && echo >>"$tmp/$1"
		sleep 0.1
	done
}

reader()
{
	local what

	for what in sockets hooks stats; do
		"$DSCTL" show $what && echo >>"$tmp/readings"
	done
}

# It sees something, whether or not it is counted.
namespace()
{
	unshare --net sh -c 'ip link set lo up && ./traffic -n 1; true'
}

# done_by NAME: how often
done_by()
{
	wc -l <"$tmp/$1"
}

# done_more NAME THAN
done_more()
{
	[ "$(done_by "$1")" -gt "$2" ]
}

ktap_print_header
ktap_set_plan 11
mark_log

unload_module
ftrace_users >"$tmp/before"
grep -h '^dualstack' $TRACEFS/available_events >"$tmp/events"
check "the family goes with the module" test ! -e /sys/module/dualstack

./traffic >"$tmp/traffic" 2>&1 &
traffic=$!
./traffic -l >"$tmp/listener" 2>&1 &
listener=$!
./traffic -b >"$tmp/binder" 2>&1 &
binder=$!
until_stopped reader &
until_stopped namespace &

load="insmod '$DUALSTACK_KO'"
[ -n "$DUALSTACK_KO" ] || load="modprobe dualstack"

# The sockets of this traffic are open before the module comes.
cycles()
{
	local i readings

	for ((i = 1; i <= ROUNDS; i++)); do
		readings=$(done_by readings)
		if ! ./traffic -n 5 -c "$load"; then
			echo "load $i: counts differ"
			return 1
		fi
		if ! wait_for 300 done_more readings "$readings"; then
			echo "load $i: nobody can read"
			return 1
		fi
		# All hooks are in use at this moment, by the other traffic.
		if ! unload || loaded; then
			echo "load $i: cannot unload"
			return 1
		fi
		# For who waits an hour; check keeps what is said elsewhere.
		((i % 50)) || echo "# $i loads in $SECONDS s" >&3
	done
}
exec 3>&1
check "$ROUNDS loads under traffic, each counts exactly" cycles

# A load that is undone at once, with traffic on the way through the hooks
at_once()
{
	local i

	for ((i = 1; i <= AT_ONCE; i++)); do
		load_module || return 1
		unload || return 1
	done
}
check "$AT_ONCE loads undone at once" at_once

check "traffic went on all the time" kill -0 "$traffic"
kill "$traffic"
wait "$traffic" 2>/dev/null
sed 's/^/# /' "$tmp/traffic"
traffic=
kill "$listener"
wait "$listener"
heard=$?
check "events came between unloads" test "$heard" = 0
sed 's/^/# /' "$tmp/listener"
kill "$binder"
wait "$binder"
bound=$?
check "every bind() went well, by rules and without" test "$bound" = 0
sed 's/^/# /' "$tmp/binder"
touch "$tmp/stop"
wait
check "namespaces came and went" done_more namespace 0
ktap_print_msg "$(done_by readings) readings, $(done_by namespace) namespaces"

ftrace_users >"$tmp/after"
check "no function is left hooked" diff "$tmp/before" "$tmp/after"

load_module
check "the module counts after all that" ./traffic -n 5

# The module finds its targets in the first namespace. MPTCP may be switched off
# there, and not in others.
mptcp_enabled()
{
	nsenter --net=/proc/1/ns/net sysctl -q net.mptcp.enabled="$1"
}

without_mptcp()
{
	local ret

	unload || return
	mptcp_enabled 0 || return
	load_module && ./hooks
	ret=$?
	mptcp_enabled 1
	return $ret
}
if [ -e /proc/sys/net/mptcp/enabled ]; then
	check "a load where MPTCP is switched off" without_mptcp
else
	ktap_test_skip "the kernel lacks CONFIG_MPTCP"
fi
check "no complaint in the kernel log" log_is_clean

ktap_finished
