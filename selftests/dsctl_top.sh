#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What dsctl reports again and again, by interval and by top: that increments add up to
# what was sent, and that a terminal is as it was before.

. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/schema.sh"
. "$(dirname "$0")/lib/ask.sh"

require "$DSCTL" jq python3 ip
require_family
own_netns "$@"

DSCTL=$(command -v "$DSCTL")
export DSCTL
peer=$(dirname "$0")/peer/top_peer.py
netns=ds-top-$$
tmp=$(mktemp -d)
export KEPT=$tmp/kept
cleanup()
{
	ip netns del $netns 2>/dev/null
	rm -rf "$tmp"
	grep -q '^dualstack ' /proc/modules || load_module
}
trap cleanup EXIT
ip netns add $netns && ip -n $netns link set lo up

# adds_up SCENARIO: as the peer has it
adds_up()
{
	python3 "$peer" "$@"
}

ends_after_count()
{
	local objects

	for objects in "show sockets" "show stats" "show peers" "top" "top peers"; do
		# shellcheck disable=SC2086 # words
		run -j $objects interval 0.1 count 3
		[ "$rc" = 0 ] && [ ! -s "$tmp/err" ] && [ "$(wc -l <"$tmp/out")" = 3 ] &&
			jq -es 'length == 3' "$tmp/out" || return 1
		# shellcheck disable=SC2086
		run -j -p $objects count 2 interval 0.1
		[ "$rc" = 0 ] && [ ! -s "$tmp/err" ] && [ "$(wc -l <"$tmp/out")" -ge 2 ] &&
			jq -es 'length == 2' "$tmp/out" || return 1
	done
}

# As every word is told what is wrong with it
bad_words()
{
	local objects word

	for objects in "show sockets" "show stats" "show peers" "-j top" "-j top peers"; do
		for word in x "" . 1.2.3 -1 +1 1e1 0 0.05 86401; do
			# shellcheck disable=SC2086 # words
			fails 1 "interval \"${word//[.+]/.}\": not a number of seconds from 0.1 to 86400" \
				$objects interval "$word" || return 1
		done
		# shellcheck disable=SC2086
		fails 1 'interval: a value is missing' $objects interval &&
			fails 1 'interval: given twice' $objects interval 1 interval 2 &&
			fails 1 'count "0": not a number from 1' \
				$objects interval 1 count 0 &&
			fails 1 'argument "bogus" is unknown, .* interval, count' \
				$objects bogus || return 1
	done
	fails 1 'count: it takes an interval, too' show stats count 2 &&
		fails 1 'top sockets does not go with -N' -N top &&
		fails 1 'column "bogus" is unknown: Rate, Proto' -o bogus top &&
		fails 1 'column "rate" is unknown: Proto' -o rate show sockets
}

in_a_batch()
{
	echo "show stats interval x" >"$tmp/batch"
	fails 1 "$tmp/batch:1: the command failed" -b "$tmp/batch" &&
		grep -q 'interval "x"' "$tmp/err" || return 1
	printf 'show stats interval 0.1 count 2\nshow stats\n' >"$tmp/batch"
	run -j -b "$tmp/batch"
	[ "$rc" = 0 ] && [ "$(jq -s length "$tmp/out")" = 3 ]
}

# Of a pipe, of a terminal that can but print, and of a batch
no_screen()
{
	fails 1 'top needs a terminal: elsewhere use -j' top &&
		echo top >"$tmp/batch" &&
		fails 1 'top does not go with -b' -b "$tmp/batch" || return 1
	TERM=dumb python3 -c 'import os, pty, sys
status = os.waitstatus_to_exitcode(pty.spawn([sys.argv[1], "top"]))
sys.exit(status != 1)' "$DSCTL" </dev/null >"$tmp/out" && grep -q 'top needs a terminal' "$tmp/out" &&
		! grep -q $'\e' "$tmp/out"
}

# Where the reader has gone, it does not go on: it sees that, or SIGPIPE ends it.
reader_gone()
{
	local status

	"$DSCTL" -j show stats interval 0.1 2>"$tmp/err" | head -n 1 >"$tmp/out"
	status=${PIPESTATUS[0]}
	[ "$status" = 2 ] || [ "$status" = 141 ] || return 1
	[ ! -s "$tmp/err" ] && [ -s "$tmp/out" ]
}

without_module()
{
	adds_up unloaded &&
		fails 2 'the dualstack module is not loaded' show stats interval 1 &&
		fails 2 'the dualstack module is not loaded' -j top &&
		load_module
}

ktap_print_header
tool_plan 22 1

check "show sockets" adds_up sockets
check "show sockets port" adds_up sockets_of_port
check "show stats" adds_up stats
check "show peers" adds_up peers
check "a counter that is reset" adds_up reset
check "every namespace" adds_up every_netns $netns
check "text" adds_up text
check "top sockets" adds_up top_sockets
check "top peers" adds_up top_peers
check "count" ends_after_count
check "wrong words" bad_words
check "a batch" in_a_batch
check "no reader any more" reader_gone
check "a signal in the middle of JSON" adds_up whole
check "no terminal" no_screen
check "the screen, and q" adds_up screen
check "the end by keys and signals" adds_up by_keys
check "the end by count" adds_up by_count
check "another size" adds_up resize
check "Ctrl-Z" adds_up stop
check "in the background" adds_up background
check "the module goes" without_module
check_schemas "show sockets" "show stats" "show peers" "top sockets" "top peers"

ktap_finished
