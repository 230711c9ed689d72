#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Requests as the netlink spec describes them, nearly so and not at all, by those
# who may and those who may not: first while others count, whose counts are to be
# exact, then while tracking, namespaces and the module come and go.
#
#   fuzz.sh [-t SECONDS] [-s SEED]

. "$(dirname "$0")/lib/lib.sh"

# A minute with what is around it.
seconds=${KSFT_MACHINE_SLOW:+60}
seconds=${seconds:-40}
seed=$((RANDOM << 15 | RANDOM))
while getopts s:t: option; do
	case $option in
	s) seed=$OPTARG ;;
	t) seconds=$OPTARG ;;
	*) exit 2 ;;
	esac
done

require insmod rmmod unshare ip
require_family
own_netns "$@"

tmp=$(mktemp -d)
touch "$tmp/reloads" "$tmp/namespaces"
cleanup()
{
	touch "$tmp/stop"
	wait
	rm -rf "$tmp"
	grep -q '^dualstack ' /proc/modules || load_module
}
trap cleanup EXIT

# while_fuzzing COMMAND...: again and again, until the fuzzer has ended
while_fuzzing()
{
	while [ ! -e "$tmp/stop" ]; do
		"$@" || return
	done
}

# In a namespace that is new each time, with the module there or not
new_namespace()
{
	unshare --net sh -c 'ip link set lo up && ./traffic -n 1' \
		>/dev/null 2>&1
	echo >>"$tmp/namespaces"
}

# Somebody may read a dump at this moment, and then it stays. It is there for as long as
# it takes to come and go: otherwise it would hardly be asked anything on a slow machine.
reload()
{
	local begin=$SECONDS left

	wait_for 60 unload_module 2>/dev/null && load_module &&
		echo >>"$tmp/reloads" || return
	for ((left = SECONDS - begin + 1; left > 0; left--)); do
		[ ! -e "$tmp/stop" ] || return
		sleep 1
	done
}

# How often something was done
times()
{
	wc -l <"$tmp/$1"
}

steady()
{
	local status

	while_fuzzing ./traffic -n 3 >"$tmp/traffic" 2>&1 &
	./fuzz -k -t $((seconds / 2)) -s "$seed" >"$tmp/fuzz" 2>&1
	status=$?
	touch "$tmp/stop"
	if ! wait $!; then
		cat "$tmp/traffic"
		status=1
	fi
	rm "$tmp/stop"
	cat "$tmp/fuzz"
	return $status
}

chaos()
{
	local status

	while_fuzzing new_namespace &
	while_fuzzing new_namespace &
	while_fuzzing reload &
	./fuzz -t $((seconds / 2)) -s "$seed" >"$tmp/fuzz" 2>&1
	status=$?
	touch "$tmp/stop"
	wait
	cat "$tmp/fuzz"
	return $status
}

# It counts, whatever it was told; reading and listening are possible.
counts()
{
	grep -q '^dualstack ' /proc/modules || load_module || return
	"$DSCTL" set tracking on && ./traffic -n 5
}

ktap_print_header
ktap_set_plan 6
mark_log
ktap_print_msg "$seconds seconds, seed $seed"

check "requests are answered or refused, and others count exactly" steady
sed 's/^# /# # /' "$tmp/fuzz"
check "the same while all comes and goes" chaos
sed 's/^# /# # /' "$tmp/fuzz"
ktap_print_msg "$(times reloads) loads, $(times namespaces) namespaces"
check "the module came and went" test "$(times reloads)" -gt 0
check "namespaces came and went" test "$(times namespaces)" -gt 0
check "the module counts after all that" counts
check "no complaint in the kernel log" log_is_clean

ktap_finished
