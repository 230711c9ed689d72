#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where a hook cannot be had, the module is refused: the kernel log names the
# hook, and nothing is left behind. The module is changed for that, in a copy,
# to ask for other functions than the kernel has.

. "$(dirname "$0")/lib.sh"

TRACEFS=/sys/kernel/tracing
TARGET=skb_consume_udp
# No function, and one that must not be traced, for tracing uses it.
MISSING=skb_consume_udq
NOTRACE=ktime_get_mono_fast_ns

require insmod rmmod perl
require_family
own_netns "$@"

[ -e $TRACEFS/enabled_functions ] || mount -t tracefs none $TRACEFS ||
	skip_all "no tracefs"
module=${DUALSTACK_KO:-$(modinfo -n dualstack)}
[ "$module" != "${module%.ko}" ] || skip_all "$module: compressed"

tmp=$(mktemp -d)
cleanup()
{
	sysctl -q kernel.ftrace_enabled=1
	rm -rf "$tmp"
	grep -q '^dualstack ' /proc/modules || load_module
}
trap cleanup EXIT

# with_target NAME: the module, changed to hook NAME. The table of hooks has
# room for longer names, which tells it from other places with the name.
with_target()
{
	local ko=$tmp/$1.ko

	perl -0777 -pe '
		BEGIN { ($from, $to) = splice(@ARGV, 0, 2); }
		$pad = length($to) - length($from);
		s/\Q$from\E(\0{8,})/$to . substr($1, $pad)/e or exit 1;
	' $TARGET "$1" "$module" >"$ko" || return
	echo "$ko"
}

# What a load leaves: functions hooked, the module and its family
traces()
{
	sort $TRACEFS/enabled_functions
	grep '^dualstack ' /proc/modules
	grep -w dualstack $TRACEFS/available_events
	ls -d /sys/module/dualstack 2>/dev/null
}

# refused KO HOOK: it does not load, for the sake of that hook
refused()
{
	local ko=$1 hook=$2

	mark_log
	if insmod "$ko" 2>"$tmp/insmod"; then
		echo "$ko was loaded"
		return 1
	fi
	cat "$tmp/insmod"
	since_mark | grep "dualstack: cannot .* $hook:" || return
	log_is_clean || return
	traces >"$tmp/after"
	diff "$tmp/before" "$tmp/after"
}

refused_missing()
{
	local ko

	! grep -qw $MISSING /proc/kallsyms || return
	ko=$(with_target $MISSING) && refused "$ko" $MISSING
}

refused_notrace()
{
	local ko

	grep -qw $NOTRACE /proc/kallsyms || return
	! grep -qw $NOTRACE $TRACEFS/available_filter_functions || return
	ko=$(with_target $NOTRACE) && refused "$ko" $NOTRACE
}

# All hooks are found, and none can be put in place.
refused_disabled()
{
	sysctl -q kernel.ftrace_enabled=0 || return
	refused "$module" '[a-z0-9_]*'
}

ktap_print_header
ktap_set_plan 4

unload_module
traces >"$tmp/before"
check "a hook whose target is missing" refused_missing
check "a hook whose target cannot be traced" refused_notrace
check "hooks while kernel.ftrace_enabled is 0" refused_disabled
sysctl -q kernel.ftrace_enabled=1
load_module
check "the module loads after all that" ./traffic -n 5

ktap_finished
