#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dsctl explain says where a rule of netfilter may take the packet before any socket,
# and only there.

. "$(dirname "$0")/lib/lib.sh"

require "$DSCTL" jq python3 unshare setpriv modprobe
require_family
own_netns "$@"

NOBODY=65534
SENTENCE='; a netfilter rule before it may take the packet'

tmp=$(mktemp -d)
cleanup()
{
	rm -rf "$tmp"
}
trap cleanup EXIT

# explains true|false|null ADDRESS [COMMAND...]: what JSON and the sentence say, of the
# dsctl that the command runs
explains()
{
	local want=$1 addr=$2 said=0

	shift 2
	"$@" "$DSCTL" -j explain tcp "$addr" 80 >"$tmp/json" &&
		"$@" "$DSCTL" explain tcp "$addr" 80 >"$tmp/out" 2>"$tmp/err" ||
		return 1
	cat "$tmp/json" "$tmp/out" "$tmp/err"
	[ "$want" != true ] || said=1
	[ ! -s "$tmp/err" ] && jq -e ".netfilter == $want" "$tmp/json" &&
		[ "$(grep -cF "$SENTENCE" "$tmp/out")" = $said ] &&
		[ "$(jq -r .reason "$tmp/json" | grep -cF "$SENTENCE")" = $said ]
}

# In a namespace of its own each
# with FAMILY HOOK: a chain there, and what explain says of IPv4 and of IPv6
with()
{
	local family=$1 hook=$2

	shift 2
	export -f explains with_chain
	export SENTENCE tmp DSCTL
	unshare --net bash -c 'with_chain "$@"' - "$family" "$hook" "$@"
}

with_chain()
{
	ip link set lo up && /usr/bin/python3 ./peer/nft_peer.py "$1" "$2" &&
		explains "$3" 127.0.0.1 && explains "$4" ::1
}

unprivileged()
{
	/usr/bin/python3 ./peer/nft_peer.py inet input &&
		explains null ::1 setpriv --reuid $NOBODY --regid $NOBODY \
			--clear-groups && explains true ::1
}

ktap_print_header
ktap_set_plan 6

check "no rules" explains false 127.0.0.1
if modprobe -q nf_tables; then
	check "IPv4 prerouting" with ip prerouting true false
	check "IPv6 input" with ip6 input false true
	check "both families" with inet prerouting true true
	check "on the way out" with inet output false false
	check "an ordinary user" unprivileged
else
	for i in 1 2 3 4 5; do
		ktap_test_skip "rules ($i): the kernel lacks CONFIG_NF_TABLES"
	done
fi

ktap_finished
