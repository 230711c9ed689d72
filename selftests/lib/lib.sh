# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the test scripts, which are started in this directory:
#   KSFT          directory that holds kselftest/ktap_helpers.sh
#   DSCTL         the dsctl to test
#   DUALSTACK_KO  the module, if modprobe does not know it

KSFT=${KSFT:-..}
DSCTL=${DSCTL:-dsctl}

# shellcheck source=/dev/null
. "$KSFT/kselftest/ktap_helpers.sh"

skip_all()
{
	ktap_print_header
	ktap_skip_all "$*"
	exit "$KSFT_SKIP"
}

# jq of Debian 12 takes 30 ms to start, and most of a second in an emulated guest, several
# hundred times. gojq understands the same language, but its objects have no order of keys:
# it sorts them.
if command -v gojq >/dev/null && command -v jq >/dev/null; then
	jq()
	{
		local arg args=()

		for arg; do
			if [[ $arg == *keys_unsorted* ]]; then
				command jq "$@"
				return
			fi
			[ "$arg" = -S ] || args+=("$arg")
		done
		gojq "${args[@]}"
	}
fi

# require COMMAND...
require()
{
	local cmd

	[ "$(id -u)" = 0 ] || skip_all "needs root"
	for cmd; do
		command -v "$cmd" >/dev/null || skip_all "$cmd not found"
	done
}

require_family()
{
	grep -q '^dualstack ' /proc/modules ||
		skip_all 'generic netlink family "dualstack" not found:' \
			 'load the module dualstack'
}

# own_netns "$@": start the script anew in a namespace that has but lo
own_netns()
{
	[ -z "$DS_OWN_NETNS" ] || return 0
	# shellcheck disable=SC2016 # the inner shell expands these
	DS_OWN_NETNS=1 exec unshare --net -- \
		sh -c 'ip link set lo up && exec "$0" "$@"' "$0" "$@"
}

# load_module [PARAMETER=VALUE...]
# shellcheck disable=SC2120 # most load it as it is
load_module()
{
	if [ -n "$DUALSTACK_KO" ]; then
		insmod "$DUALSTACK_KO" "$@"
	else
		modprobe dualstack "$@"
	fi
}

unload_module()
{
	rmmod dualstack
}

# check DESCRIPTION COMMAND...: a subtest that passes when the command does;
# what it printed is shown otherwise
check()
{
	local what=$1 out

	shift
	if out=$("$@" 2>&1); then
		ktap_test_pass "$what"
	else
		printf '%s\n' "$out" | sed 's/^/# /'
		ktap_test_fail "$what"
	fi
}

# What the kernel has no part in is left out where it checks itself, and takes its time
# with each: the other kernels have it.

# tool_plan N TOOL: so many subtests, and so many of check_tool
tool_plan()
{
	local tool=$2

	[ -z "$KSFT_MACHINE_SLOW" ] || tool=0
	ktap_set_plan "$(($1 + tool))"
}

# check_tool DESCRIPTION COMMAND...: check, of the tool alone
check_tool()
{
	[ -n "$KSFT_MACHINE_SLOW" ] || check "$@"
}

# run ARGUMENT...: dsctl with these; sets rc, and its output goes to files in $tmp
run()
{
	# shellcheck disable=SC2154 # the script's own
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	cat "$tmp/out" "$tmp/err"
}

# does ARGUMENT...: exit code 0, and nothing to say
does()
{
	run "$@"
	[ "$rc" = 0 ] && [ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ]
}

# wait_for SECONDS COMMAND...
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# plain FILE: without what colours it
plain()
{
	sed 's/\x1b\[[0-9;]*m//g' "$1"
}

# Lines of the kernel log since mark_log that tell of a bug.
mark_log()
{
	DS_LOG_MARK="dualstack selftest $0 $$ $RANDOM"
	echo "$DS_LOG_MARK" >/dev/kmsg
}

since_mark()
{
	dmesg | sed "1,/$(printf '%s' "$DS_LOG_MARK" | sed 's|[/.]|\\&|g')/d"
}

log_is_clean()
{
	! since_mark |
		grep -E 'WARNING|BUG|Oops|Call Trace|KASAN|refcount_t|kmemleak'
}
