#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The ledger of peers as dsctl shows it, against what servers and clients of known
# addresses, in Python, saw.

. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/schema.sh"

NOBODY=65534
LIMIT=180	# seconds, for what takes a moment
AWAY=ds-away-$$
# As in peer/ledger_peer.py
DUAL=80
V4=8002
FAR=9001

require "$DSCTL" jq python3 ip unshare setpriv
require_family
own_netns "$@"

tmp=$(mktemp -d)
made=		# what was made elsewhere
cleanup()
{
	[ -z "$peer_pid" ] || kill "$peer_pid" 2>/dev/null
	ip netns del "$AWAY" 2>/dev/null
	# shellcheck disable=SC2086 # several
	rm -rf "$tmp" $made
	"$DSCTL" set tracking on
}
trap cleanup EXIT

ip netns add "$AWAY"
ip link add ds0 type veth peer name ds0 netns "$AWAY" || skip_all "no veth"
ip address add 192.0.2.1/24 dev ds0
ip address add 2001:db8::1/64 dev ds0 nodad
for address in 192.0.2.2/24 192.0.2.3/24 192.0.2.4/24 198.51.100.7/24 \
	       198.51.100.8/24; do
	ip -n "$AWAY" address add $address dev ds0
done
for address in 2001:db8::2/64 2001:db8:1::2/64; do
	ip -n "$AWAY" address add $address dev ds0 nodad
done
ip link set ds0 up
ip -n "$AWAY" link set lo up
ip -n "$AWAY" link set ds0 up
# What is local to a whole network has all of its addresses.
ip -n "$AWAY" route add local 198.18.0.0/15 dev lo
for prefix in 198.51.100.0/24 198.18.0.0/15 2001:db8:1::/64; do
	ip route add $prefix dev ds0
done
# Whoever is refused is to be told.
for args in ipv4/icmp_ratemask ipv6/icmp/ratelimit; do
	echo 0 >/proc/sys/net/$args || skip_all "the limits of ICMP cannot be set"
done

# ask COMMAND...: of the peer; prints its answer
ask()
{
	local line

	echo "$*" >&8
	read -r -t $LIMIT line <&9 && echo "$line"
}

# fails CODE TEXT ARGUMENT...: exit code, silence on stdout, that on stderr
fails()
{
	local code=$1 text=$2

	shift 2
	run "$@"
	echo "exit code $rc"
	[ "$rc" = "$code" ] && [ ! -s "$tmp/out" ] && grep -qF -- "$text" "$tmp/err"
}

# json CONDITION ARGUMENT...: of the answer, to which nothing is to be added
json()
{
	local condition=$1

	shift
	"$DSCTL" -j "$@" 2>"$tmp/err" >"$tmp/json"
	keep "$tmp/json" "$@"
	cat "$tmp/json" "$tmp/err"
	[ ! -s "$tmp/err" ] && jq -e "$condition" "$tmp/json" >/dev/null
}

# What the applications saw, to $tmp/seen
get_seen()
{
	ask ledger >"$tmp/seen" && jq -e . "$tmp/seen" >/dev/null
}

# same CHOICE ARGUMENT...: of what they saw, the entries that fit are listed, and no
# others
same()
{
	local choice=$1

	shift
	jq -c "map(select($choice)) | sort | .[]" "$tmp/seen" >"$tmp/expected"
	"$DSCTL" -j show peers "$@" >"$tmp/json" || return 1
	keep "$tmp/json" show peers "$@"
	jq -c 'map(del(.netns, .service, .first_age_ms, .last_age_ms)) | sort | .[]' \
		"$tmp/json" >"$tmp/shown"
	echo "$*:"
	diff "$tmp/expected" "$tmp/shown"
}

# some CHOICE ARGUMENT...: and there are such
some()
{
	same "$@" && [ -s "$tmp/expected" ]
}

everything()
{
	some true && [ "$(wc -l <"$tmp/shown")" -ge 30 ]
}

# The sums of the counters agree, too, but for an answer that was received here, and one
# that was sent: there was no one else.
sums()
{
	json '[.mapped_accept + .v4_accept + .mapped_recv + .v4_recv - 1,
	       .mapped_connect + .v4_connect + .mapped_send + .v4_send - 1,
	       .reject_v6only + .reject_addr + .reject_v4only,
	       .reject_connect + .reject_send] ==
	      (input | [map(select(.direction == "in").count),
			map(select(.direction == "out").count),
			map(select(.direction == "refused").count),
			map(select(.direction == "refused-out").count)] | map(add))' \
		-b "$tmp/sums"
}

directions()
{
	local direction

	for direction in in out refused refused-out; do
		some ".direction == \"$direction\"" $direction || return 1
	done
}

# Its own port of a server, the other one of a client
ports()
{
	some ".local_port == $DUAL" port $DUAL &&
		some ".local_port == $DUAL and .proto == \"tcp\"" \
			proto tcp port http &&
		some ".local_port == $DUAL and .direction == \"in\"" in port $DUAL &&
		some ".local_port == $V4 and .direction == \"refused\"" \
			port $V4 refused &&
		some ".peer_port == $FAR" port $FAR &&
		some ".peer_port == $FAR and .direction == \"out\"" out port $FAR &&
		same false port 9 && same false in port $FAR
}

protocols()
{
	some '.proto == "tcp"' proto tcp && some '.proto == "udp"' proto udp &&
		some ".proto == \"udp\" and .local_port == $DUAL" proto udp port $DUAL
}

prefixes()
{
	some '.peer_addr == "192.0.2.2"' peer 192.0.2.2 &&
		some '.peer_addr | startswith("192.0.2.")' peer 192.0.2.0/24 &&
		some '.peer_addr | startswith("192.0.2.")' peer ::ffff:192.0.2.0/120 &&
		some '.peer_addr == "192.0.2.2" or .peer_addr == "192.0.2.3"' \
			peer 192.0.2.2/31 &&
		some '.peer_addr | startswith("2001:db8:")' peer 2001:db8::/32 &&
		some '.peer_addr == "2001:db8::2"' peer 2001:db8::/64 &&
		some '.peer_addr | contains(".")' peer 0.0.0.0/0 &&
		some '.peer_addr | contains(":")' peer ::/0 refused &&
		same false peer 203.0.113.0/24
}

# -4 and -6 are of peers
families()
{
	DSCTL=$tmp/dsctl-4 some '.peer_addr | contains(".")' &&
		DSCTL=$tmp/dsctl-6 some '.peer_addr | contains(":")'
}

# Names that are as long as one can be may have been cut off.
processes()
{
	some '.comm == "fetcher"' process fetcher &&
		some '.comm == "fetcher" and .direction == "out" and .proto == "udp"' \
			out process fetcher proto udp &&
		some '.comm == "größe-日本"' process größe-日本 &&
		some '.comm == "\u001b[7m\\xff\\x41"' process $'\e[7m\xff\\x41' &&
		some '.comm == "fifteen bytes l"' process 'fifteen bytes long' &&
		some '.comm == "forbidden"' process forbidden &&
		same false process fetch && same false in process fetcher
}

# group CHOICE KEY ARGUMENT...: sums of what the applications saw, by a key in terms of
# jq, which is what each has of an entry
group()
{
	local choice=$1 key=$2

	shift 2
	jq -c "map(select($choice)) | group_by(.direction, $key) |
	       map({ direction: .[0].direction } +
		   { proto: null, local_port: null, peer_addr: null,
		     peer_port: null, comm: null, uid: null } + (.[0] | $key) +
		   { count: map(.count) | add,
		     peers: map(.peer_addr) | unique | length }) | sort | .[]" \
		"$tmp/seen" >"$tmp/expected"
	"$DSCTL" -j show peers "$@" >"$tmp/json" || return 1
	keep "$tmp/json" show peers "$@"
	jq -c 'map(del(.netns, .service, .first_age_ms, .last_age_ms)) | sort | .[]' \
		"$tmp/json" >"$tmp/shown"
	echo "$*:"
	[ -s "$tmp/expected" ] && diff <(jq -c -S . "$tmp/expected") \
				       <(jq -c -S . "$tmp/shown")
}

groups()
{
	group true '{ peer_addr }' by peer &&
		group true '{ proto, local_port, peer_port }' by port &&
		group true '{ comm, uid }' by process &&
		group '.direction == "in"' '{ peer_addr }' in by peer &&
		group '.proto == "tcp"' '{ comm, uid }' by process proto tcp &&
		group '.direction == "out"' '{ comm, uid }' out by process
}

networks()
{
	local net='(.peer_addr | split(".")[:3] | join("."))'

	group '.peer_addr | contains(".")' "{ peer_addr: ($net + \".0/24\") }" \
			by prefix 24 peer 0.0.0.0/0 &&
		group true '{ peer_addr: (if .peer_addr | contains(".")
				then .peer_addr + "/32" else .peer_addr + "/128" end) }' \
			by prefix 128 &&
		group '.peer_addr | contains(":")' '{ peer_addr: "2001:db8::/33" }' \
			refused peer ::/0 by prefix 33 &&
		group '.peer_addr | contains(".")' '{ peer_addr: "0.0.0.0/0" }' \
			by prefix 0 peer 0.0.0.0/0
}

# The extreme ages of a group are those of its members: older than what was asked for
# before, and not than what was asked for afterwards.
ages_of_groups()
{
	local words="show peers in port $DUAL proto tcp"

	printf '%s\n' "$words" "$words by port" "$words" >"$tmp/batch"
	"$DSCTL" -j -b "$tmp/batch" | tee "$tmp/json"
	jq -es 'map({ first: map(.first_age_ms) | max, last: map(.last_age_ms) | min,
		      length: length }) |
		.[0].length == 3 and .[1].length == 1 and
		.[0].first <= .[1].first and .[1].first <= .[2].first and
		.[0].last <= .[1].last and .[1].last <= .[2].last' "$tmp/json"
}

# The highest counts first; what has the same stays where it is.
sorted()
{
	json 'map(.count) == (map(.count) | sort | reverse)' show peers &&
		jq 'map(del(.first_age_ms, .last_age_ms))' "$tmp/json" >"$tmp/first" ||
		return 1
	"$DSCTL" -j show peers | jq 'map(del(.first_age_ms, .last_age_ms))' \
		>"$tmp/second"
	diff "$tmp/first" "$tmp/second" &&
		json 'map(.count) == (map(.count) | sort | reverse)' \
			show peers by prefix 24
}

# table ARGUMENT...: each line says what JSON says
table()
{
	"$DSCTL" -j show peers "$@" | jq -r '.[] |
		[.direction, .proto, .local_port // .peer_port, .peer_addr // "*",
		 .comm, .uid, .count] | map(. // "-") | join("|")' >"$tmp/expected"
	LC_ALL=C.UTF-8 "$DSCTL" -H -o direction,proto,port,peer,process,uid,count \
		show peers "$@" | sed 's/  */ /g' >"$tmp/table"
	sed 's/  */ /g; s/|/ /g; s/ *$//' "$tmp/expected" |
		# As a terminal has them
		sed 's/\x1b/\\x1b/; s/\\xff\\x41/\\xff\\x5cx41/' >"$tmp/lines"
	[ -s "$tmp/lines" ] && diff "$tmp/lines" <(sed 's/^ *//; s/ *$//' "$tmp/table")
}

tables()
{
	table && table in && table out process fetcher && table by peer || return 1
	"$DSCTL" show peers | head -n 1 | tee "$tmp/out"
	grep -Eqx 'Direction +Proto +Port +Peer +Process +UID +Count +First +Last' \
		"$tmp/out" &&
		"$DSCTL" show peers by port | head -n 1 |
		grep -Eqx 'Direction +Proto +Port +Peers +Count +First +Last' &&
		"$DSCTL" show peers by process | head -n 1 |
		grep -Eqx 'Direction +Process +UID +Peers +Count +First +Last' &&
		"$DSCTL" -s show peers by prefix 8 | head -n 1 |
		grep -Eqx 'Direction +Peer +Peers +Count +First +Last' &&
		"$DSCTL" -H -o first,last show peers >"$tmp/out" && [ -s "$tmp/out" ] &&
		! grep -Evx ' *[0-9]+(s|min|h|d) +[0-9]+(s|min|h|d)' "$tmp/out"
}

keys()
{
	json 'all(.[]; keys_unsorted == ["netns", "direction", "proto", "local_port",
		"peer_addr", "peer_port", "comm", "uid", "count", "first_age_ms",
		"last_age_ms", "service"]) and all(.[]; .netns == null)' show peers &&
		json 'all(.[]; keys_unsorted == ["netns", "direction", "proto",
			"local_port", "peer_addr", "peer_port", "comm", "uid", "count",
			"first_age_ms", "last_age_ms", "service", "peers"])' \
			show peers by port
}

# The process that has the port now
services()
{
	json "all(.[]; .service == (if .local_port then \"the server\" else null end))" \
			show peers &&
		json 'all(.[]; .service == null)' -P show peers &&
		json 'any(.[]; .service != null) and
		      all(.[]; .service == (if .local_port then "the server"
					    else null end))' show peers by port &&
		"$DSCTL" -s show peers in >"$tmp/out" && cat "$tmp/out" &&
		grep -q ' Last  Service$' "$tmp/out" &&
		grep -q ' the server$' "$tmp/out" &&
		! "$DSCTL" show peers | grep -q 'Service$' &&
		fails 1 'column "Service": option -P' -P -o service show peers &&
		ask close $V4 &&
		json "all(.[]; .service == (if .local_port == $V4 or .local_port == null
					    then null else \"the server\" end))" \
			show peers && ask open $V4
}

# Names where there are some, addresses elsewhere
resolved()
{
	local DSCTL=$tmp/dsctl-hosts

	"$DSCTL" -H -r -o peer,count show peers in >"$tmp/out"
	"$DSCTL" -H -o peer,count show peers in >"$tmp/numeric"
	sed 's/\b192\.0\.2\.2\b/client.example/; s/  */ /g' "$tmp/numeric" \
		>"$tmp/expected"
	cat "$tmp/out"
	grep -q client.example "$tmp/expected" &&
		diff "$tmp/expected" <(sed 's/  */ /g' "$tmp/out") &&
		json 'all(.[]; .peer_name == (if .peer_addr == "192.0.2.2"
			then "client.example" elif .peer_addr == "2001:db8::2"
			then "client6.example" else null end)) and
		      any(.[]; .peer_name == "client6.example")' -r show peers &&
		"$DSCTL" -r show peers by prefix 24 | grep -q ' 192.0.2.0/24 '
}

# named ADDRESS NAME: a report of $reports comes with that address, by that name; all of
# them have client.example by its name
named()
{
	local line name

	while read -r -t $LIMIT line <&"$reports"; do
		jq -e 'any(.[]; .peer_name == "client.example")' <<<"$line" || return 1
		name=$(jq -r "map(select(.peer_addr == \"$1\").peer_name) | unique | .[]" <<<"$line")
		[ -z "$name" ] || break
	done
	echo "$1 is $name"
	[ "$name" = "$2" ]
}

# Who was asked for is not asked for again, unlike who comes later.
names_are_kept()
{
	local reports asking rc=0

	exec {reports}< <(exec "$tmp/dsctl-hosts" -r -j show peers in interval 0.1)
	asking=$!
	named 192.0.2.2 client.example || rc=1
	echo "192.0.2.2 moved.example" >"$tmp/hosts"
	echo "198.18.0.1 late.example" >>"$tmp/hosts"
	ask crowd $DUAL 1 && named 198.18.0.1 late.example || rc=1
	kill "$asking"
	exec {reports}<&-
	return $rc
}

# A client there, of which its own ledger knows as well
other_namespaces()
{
	json 'length > 0 and all(.[]; .netns == "'"$AWAY"'")' -n "$AWAY" show peers &&
		json "map(select(.direction == \"in\" and .peer_addr == \"192.0.2.1\" and
				 .local_port == $FAR and .proto == \"tcp\").count) | add == \
		      $(jq 'map(select(.direction == "out" and .proto == "tcp").count) |
			    add' "$tmp/seen")" -n "$AWAY" show peers &&
		json 'map(.netns) | unique | contains([null, "'"$AWAY"'"])' \
			-N show peers &&
		"$DSCTL" -N show peers | grep -qx "netns: $AWAY"
}

batch()
{
	printf '%s\n' "show peers in port $DUAL" "show peers by process # sums" \
		>"$tmp/batch"
	"$DSCTL" -j -b - <"$tmp/batch" | tee "$tmp/json"
	jq -es "length == 2 and all(.[]; length > 0) and
		all(.[0][]; .local_port == $DUAL) and
		all(.[1][]; .local_port == null)" "$tmp/json" || return 1
	printf 'show peers by weekday\n' >"$tmp/batch"
	fails 1 "$tmp/batch:1: the command failed" -b "$tmp/batch"
}

# Some entries and the rest make what was counted.
rest()
{
	does reset peers && ask forget && does set max-peers 4 &&
		ask crowd $DUAL 20 || return 1
	json 'map(.count) | add == 20' show peers in port $DUAL &&
		json 'map(select(.peer_addr)) | length == 4' show peers in &&
		json "map(select(.peer_addr == null)) | length == 1 and
		      .[0].local_port == $DUAL and .[0].peer_port == null and
		      .[0].proto == \"udp\" and .[0].count == 16" show peers in &&
		json 'length == 1 and .[0].count == 20 and .[0].peers == 4' \
			show peers in by port &&
		json 'map(select(.peer_addr == null)) | length == 1 and
		      .[0].peers == 0 and .[0].count == 16' show peers in by prefix 15 &&
		json 'length == 4' show peers in peer 198.18.0.0/15 &&
		json 'length == 4' -4 show peers in &&
		"$DSCTL" show peers | tee "$tmp/out" &&
		grep -Eq "^in +udp +$DUAL +\* +- +- +16 " "$tmp/out"
}

no_entries()
{
	does reset peers && does set max-peers 0 && ask crowd $DUAL 3 &&
		ask traffic || return 1
	json 'length > 0 and all(.[]; .peer_addr == null and .peer_port == null and
				 .comm == null and .uid == null)' show peers &&
		json 'map(.count) | add == 3 + 11' show peers in port $DUAL proto udp &&
		json 'length == 0' show peers process fetcher &&
		json 'length == 0' show peers port $FAR &&
		json "map(select(.direction == \"out\")) | length == 2" show peers &&
		"$DSCTL" show peers out by process | grep -Eq '^out +- +- +0 '
}

reset_limit()
{
	does set max-peers "$("$DSCTL" -j -s show config | jq .defaults.max_peers)"
}

# The ledger goes, what the sockets and the namespace have counted stays.
reset_peers()
{
	does reset peers && ask forget && ask crowd $DUAL 2 && get_seen &&
		some true || return 1
	"$DSCTL" -j show stats | jq .mapped_recv >"$tmp/before"
	does reset peers && json 'length == 0' show peers &&
		"$DSCTL" -j show stats | jq .mapped_recv | diff "$tmp/before" - &&
		[ "$(cat "$tmp/before")" -ge 2 ] || return 1
	ask forget && ask crowd $DUAL 3 && get_seen && some true || return 1
	# One socket is not the ledger, all there is includes it.
	does reset proto udp port $DUAL && some true &&
		does reset && json 'length == 0' show peers
}

# What it says where there is nobody
nobody()
{
	does reset peers && does show peers && does set peers off || return 1
	"$DSCTL" -j show config | jq -e '.peers == false' &&
		ask crowd $DUAL 2 || return 1
	run show peers
	[ "$rc" = 0 ] && [ ! -s "$tmp/out" ] &&
		grep -q 'warning: the ledger is off.*dsctl set peers on' "$tmp/err" &&
		does set peers on || return 1
	does show peers && ask forget && ask crowd $DUAL 2 && get_seen && some true
}

sends_nothing()
{
	does reset peers && ask sockets && json 'length == 0' show peers
}

# Ages are of when it was, measured around it: by another clock, which may be ahead of
# jiffies for as long as the machine stands still.
ages()
{
	local t0 t1 t2 t3

	does reset peers || return 1
	t0=$(uptime_ms)
	ask crowd $DUAL 1
	t1=$(uptime_ms)
	wait_for $LIMIT later_than $((t1 + 2000))
	t2=$(uptime_ms)
	"$DSCTL" -j show peers >"$tmp/json"
	t3=$(uptime_ms)
	cat "$tmp/json"
	echo "$t0 $t1 $t2 $t3"
	jq -e ".[0] | .first_age_ms == .last_age_ms and
	       .first_age_ms >= $((t2 - t1)) - 1000 and
	       .first_age_ms <= $((t3 - t0)) + 1000" "$tmp/json"
}

uptime_ms()
{
	local seconds

	read -r seconds _ </proc/uptime
	echo "${seconds/./}0"
}

later_than()
{
	[ "$(uptime_ms)" -gt "$1" ]
}

# It is a history: who may look at sockets may not look at this.
rights()
{
	local right='this needs CAP_NET_ADMIN in the network namespace' words

	for words in "show peers" "set peers off" "set max-peers 1" "reset peers"; do
		# shellcheck disable=SC2086 # words
		DSCTL=$tmp/dsctl-nobody fails 2 "$right" $words &&
			DSCTL=$tmp/dsctl-child fails 2 "$right" $words || return 1
	done
	some true
}

# Root of a user namespace has one in a network of its own.
own_rights()
{
	local DSCTL=$tmp/dsctl-own

	does show peers && does reset peers && does set max-peers 1 &&
		does set peers off
}

limits()
{
	fails 2 max-peers set max-peers 1048577 && does set max-peers 1048576 &&
		DSCTL=$tmp/dsctl-own fails 2 max-peers set max-peers 1048576 &&
		reset_limit
}

# The arguments, and what the message names
usage()
{
	while IFS='|' read -r args text; do
		# shellcheck disable=SC2086
		fails 1 "$text" $args || return 1
	done
}

for args in "nobody|setpriv --reuid $NOBODY --regid $NOBODY --clear-groups" \
	    "child|unshare --user --map-root-user" \
	    "own|unshare --user --map-root-user --net"; do
	printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${args#*|}" "$DSCTL" \
		>"$tmp/dsctl-${args%%|*}"
done
for args in 4 6; do
	printf '#!/bin/sh\nexec "%s" -%s "$@"\n' "$DSCTL" $args >"$tmp/dsctl-$args"
done
# Nobody else is to be asked for names.
printf '%s\n' "192.0.2.2 client.example" "2001:db8::2 client6.example" >"$tmp/hosts"
echo "hosts: files" >"$tmp/nsswitch.conf"
for args in hosts nsswitch.conf; do
	[ -e /etc/$args ] && continue
	touch /etc/$args
	made+=" /etc/$args"
done
cat >"$tmp/dsctl-hosts" <<END
#!/bin/sh
exec unshare --mount sh -c 'mount --bind "$tmp/hosts" /etc/hosts &&
	mount --bind "$tmp/nsswitch.conf" /etc/nsswitch.conf &&
	exec "\$0" "\$@"' "$DSCTL" "\$@"
END
printf '%s\n' "show stats" "show peers" >"$tmp/sums"
chmod -R go+rx "$tmp"
chmod +x "$tmp"/dsctl-*

# What is open for reading and writing neither blocks nor ends.
mkfifo "$tmp/commands" "$tmp/answers"
exec 8<>"$tmp/commands" 9<>"$tmp/answers"
"$DSCTL" reset
/usr/bin/python3 ./peer/ledger_peer.py "$AWAY" <"$tmp/commands" >"$tmp/answers" \
	8>&- 9>&- &
peer_pid=$!

ktap_print_header
tool_plan 31 1
read -r -t $LIMIT _ <&9 || ktap_exit_fail_msg "no servers to be had"
mark_log
ask traffic >/dev/null || ktap_exit_fail_msg "clients and servers do not come to an end"
get_seen

check "each count is what was seen" everything
check "what came in is what the counters say" sums
check "directions" directions
check "port" ports
check "proto" protocols
check "peer" prefixes
check "-4 and -6" families
check "process" processes
check "by peer, port and process" groups
check "by prefix" networks
check "ages of groups" ages_of_groups
check "the highest counts first" sorted
check "table" tables
check "JSON" keys
check "-r" resolved
check "-n and -N" other_namespaces
check "-b" batch
check "rights" rights
check "rights in a network of one's own" own_rights
check "service" services
check "-r asks once" names_are_kept
check "the rest" rest
check "max-peers 0" no_entries
check "the limit is as before" reset_limit
check "reset peers" reset_peers
check "nobody is there" nobody
check "connect() that sends nothing" sends_nothing
check "ages" ages
check "set max-peers: limits" limits
check "usage" usage <<'END'
show peers by weekday|by "weekday" is unknown, expected one of: peer, prefix, port, process
show peers by|by: a value is missing
show peers by prefix|by prefix: a length is missing
show peers by prefix 129|prefix length "129": not a number from 0 to 128
show peers by prefix x|prefix length "x"
show peers by peer by port|by: given twice
show peers in out|argument "out": in is given already
show peers inward|argument "inward" is unknown, expected one of: in, out, refused
show peers ref|argument "ref" is ambiguous: refused, refused-out
show peers peer 192.0.2.0/33|prefix length "33": not a number from 0 to 32
show peers peer 192.0.2.1/24|peer "192.0.2.1/24": has bits behind the length, expected 192.0.2.0/24
show peers peer 2001:db8::1/32|expected 2001:db8::/32
show peers peer host|peer "host": not ADDRESS or ADDRESS/LENGTH
show peers peer|peer: a value is missing
show peers peer ::1 peer ::1|peer: given twice
show peers port no-service|port "no-service": no such service
show peers port 0|port "0"
show peers port 65536|port "65536"
show peers proto sctp|proto "sctp": not tcp or udp
show peers process|process: a value is missing
set peers|peers: a value is missing
set peers maybe|peers "maybe"
set max-peers|max-peers: a value is missing
set max-peers -1|max-peers "-1"
set max-peers 1 2|"2"
set max-peers 4294967296|max-peers "4294967296"
reset peers all|peers takes no argument: "all"
END
check "no complaint in the kernel log" log_is_clean
check_schemas "show peers"
ktap_finished
