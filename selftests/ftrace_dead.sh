#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ftrace disables itself after a bug, and then takes nothing out of the kernel's
# text any more. The module goes on to count, and cannot be removed: it must not be,
# as it is called for ever.
#
# Nothing revives ftrace. So this is not run by default, and is the last thing that
# a kernel is to be used for.

. "$(dirname "$0")/lib/lib.sh"

KILLER=$PWD/test_modules/ds_ftrace_kill.ko

set -o pipefail
require insmod rmmod unshare ip jq
require_family
[ -e "$KILLER" ] || skip_all "$KILLER is missing: make -C test_modules"
own_netns "$@"

kill_ftrace()
{
	local addr

	addr=$(awk '$3 == "ftrace_kill" { print $1 }' /proc/kallsyms)
	insmod "$KILLER" ftrace_kill="0x${addr:?not in kallsyms}"
}

# refused STATUS TEXT COMMAND...: it fails so, for this reason
refused()
{
	local want=$1 text=$2 out status=0

	shift 2
	out=$("$@" 2>&1) || status=$?
	echo "$out"
	[ "$status" = "$want" ] && [[ $out = *"$text"* ]]
}

all_attached()
{
	"$DSCTL" -j show hooks | jq -e 'length > 5 and all(.[]; .attached)' &&
		"$DSCTL" -j show config | jq -e '.. | .tracking? == true'
}

# said TEXT: once
said()
{
	[ "$(since_mark | grep -c "dualstack: ftrace .*$1")" = 1 ]
}

in_use()
{
	refused 1 "in use" rmmod dualstack && [ -e /sys/module/dualstack ]
}

# rmmod by force, with nothing of the runner's open: what it holds, it holds for ever.
force_rmmod()
{
	local fd

	for fd in "/proc/$BASHPID/fd/"*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || eval "exec $fd>&-"
	done
	exec rmmod -f dualstack </dev/null >/dev/null 2>&1
}

# Then its exit is run though it is in use, where the kernel allows that.
remove_by_force()
{
	force_rmmod &
	rmmod=$!
	wait_for 60 was_heard && said "sleeps until a reboot"
}

# Either its exit is run, or it is told that the module is in use.
was_heard()
{
	said "sleeps until a reboot" || ! kill -0 $rmmod 2>/dev/null
}

# "I (idle)" is no part of the load.
sleeps()
{
	grep -q '^State:[[:space:]]*I' "/proc/$rmmod/status" &&
		[ -e /sys/module/dualstack ]
}

# Nobody is left to ask for what is counted, by a function that is called still.
traffic_goes_on()
{
	./traffic >/dev/null 2>&1 &
	sleep 2
	kill $!
}

ktap_print_header
ktap_set_plan 12
mark_log

check "the module counts" ./traffic -n 5
check "ftrace disables itself" kill_ftrace
check "the module counts on" ./traffic -n 5
# It looks every ten seconds or so.
check "it finds out by itself" wait_for 60 said "cannot be removed"
check "it cannot be removed" in_use
check "tracking cannot be switched off" \
	refused 2 "ftrace has disabled itself" "$DSCTL" set tracking off
check "all hooks are in place" all_attached
check "it still counts" ./traffic -n 5


if remove_by_force; then
	ktap_test_pass "by force its exit is run, which does not end"
	check "rmmod sleeps" wait_for 60 sleeps
	check "traffic goes on" traffic_goes_on
else
	for what in "exit is run" sleeps "traffic goes on"; do
		ktap_test_skip "$what: the kernel lacks CONFIG_MODULE_FORCE_UNLOAD"
	done
fi
check "no complaint in the kernel log" log_is_clean

ktap_finished
