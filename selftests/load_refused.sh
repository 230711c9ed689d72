#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where a hook cannot be had, the module is refused: the kernel log names the
# hook, and nothing is left behind. The module is changed for that, in a copy,
# to ask for other functions than the kernel has.

. "$(dirname "$0")/lib/lib.sh"

TRACEFS=/sys/kernel/tracing
TARGET=skb_consume_udp
MISSING=skb_consume_udq		# no function

require comm insmod rmmod nm objcopy perl
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

# with_target NAME: the module, changed to hook NAME instead. It links to its target
# where the kernel exports that, and has its name in any case: char name[40] in struct
# ds_hook, after a pointer that is yet to be set. The other place with the name is among
# the versions of symbols, after one.
with_target()
{
	local ko=$tmp/$1.ko

	objcopy --redefine-sym $TARGET="$1" "$module" "$tmp/linked.ko" || return
	perl -0777 -pe '
		BEGIN { ($from, $to) = splice(@ARGV, 0, 2); }
		length($to) < 40 or exit 1;
		s/(?<=\0{8})\Q$from\E\0{8,}/pack("a" . length($&), $to)/e or exit 1;
	' $TARGET "$1" "$tmp/linked.ko" >"$ko" || return
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

# refused KO WHY: it does not load, and the kernel's log says why
refused()
{
	local ko=$1 why=$2

	mark_log
	if insmod "$ko" 2>"$tmp/insmod"; then
		echo "$ko was loaded"
		return 1
	fi
	cat "$tmp/insmod"
	since_mark | grep "dualstack: $why" || return
	log_is_clean || return
	traces >"$tmp/after"
	diff "$tmp/before" "$tmp/after"
}

refused_missing()
{
	local ko

	! grep -qw $MISSING /proc/kallsyms || return
	ko=$(with_target $MISSING) && refused "$ko" "cannot trace $MISSING:"
}

# A function that the module imports anyway, as the kernel has a version of it
notrace_import()
{
	nm -u "$module" | awk '{ print $2 }' | sort >"$tmp/imports"
	awk '{ print $1 }' $TRACEFS/available_filter_functions | sort -u |
		comm -23 "$tmp/imports" - >"$tmp/notrace"
	awk 'NR == FNR { is[$1]; next } $2 == "T" && $3 in is { print $3; exit }' \
		"$tmp/notrace" /proc/kallsyms
}

refused_notrace()
{
	local ko function

	function=$(notrace_import)
	[ -n "$function" ] || return
	ko=$(with_target "$function") && refused "$ko" "cannot trace $function:"
}

# All hooks are found, and none can be put in place. The newest kernels refuse
# that themselves: ftrace stays enabled.
refused_disabled()
{
	if ! sysctl -q kernel.ftrace_enabled=0 2>"$tmp/sysctl"; then
		cat "$tmp/sysctl"
		grep -q 'Operation not supported' "$tmp/sysctl" &&
			[ "$(sysctl -n kernel.ftrace_enabled)" = 1 ]
		return
	fi
	refused "$module" 'cannot hook [a-z0-9_]*:'
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
