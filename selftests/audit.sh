#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dsctl audit and dsctl export against what services and their clients, in
# Python, saw.

. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/schema.sh"

require "$DSCTL" jq python3 ip unshare setpriv setsid insmod rmmod
require_family
own_netns "$@"

NOBODY=65534
ELSEWHERE=192.0.2.1	# of audit_peer.py
NAME=$'a"b\\c\nd'

tmp=$(mktemp -d)
netns=audit-test-$$
pids=()
cleanup()
{
	local pid

	for pid in "${pids[@]}"; do
		kill -- -"$pid" 2>/dev/null
	done
	ip netns del $netns 2>/dev/null
	rm -rf "$tmp"
	grep -q '^dualstack ' /proc/modules || load_module
}
trap cleanup EXIT

# peer FILE COMMAND...: what it starts lasts until the end, as nobody writes to
# its stdin; what it says goes to the file
peer()
{
	local file=$1

	shift
	setsid "$@" <&9 >"$file" &
	pids+=($!)
	wait_for 120 test -s "$file"
}

# status CODE ARGUMENT...
status()
{
	local want=$1 rc

	shift
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	cat "$tmp/out" "$tmp/err"
	echo "exit code $rc"
	[ "$rc" = "$want" ]
}

# Of each service what its application knows of it
audit_agrees()
{
	local want=$1

	shift
	"$DSCTL" -j "$@" audit >"$tmp/json"
	keep "$tmp/json" "$@" audit
	jq 'map({service, verdict,
		pids: [.processes[].pid],
		findings: (.findings |
			map({(.finding): [.count, .connections]}) | add),
		cookies: [.sockets[].cookie] | sort}) |
		map(if .service == "client" then del(.cookies) else . end) |
		sort_by(.service)' "$tmp/json" >"$tmp/got" || return 1
	jq 'map(.pids = ([.pid] - [null]) | del(.pid)) |
		map(if .cookies then .cookies |= sort else . end) |
		sort_by(.service)' "$want" >"$tmp/expected"
	jq -S . "$tmp/expected" >"$tmp/sorted" && jq -S . "$tmp/got" | diff "$tmp/sorted" -
}

# The first finding is the verdict, and the worst verdict comes first.
findings_are_ordered()
{
	"$DSCTL" -j audit | jq -e '
		["ipv4-only", "serves-ipv4", "uses-ipv4", "spoofed",
		 "refuses-ipv6", "refuses-ipv4", "shadowed", "unnamed-ipv4",
		 "local-ipv4", "unused-ipv4", "past-ipv4", "ready"] as $order |
		def ranks: map(. as $v | $order | index($v));
		def sorted: . == sort;
		(map(.verdict) | ranks | sorted) and
		all(.[]; .verdict == .findings[0].finding and
			 (.findings | map(.finding) | ranks | sorted))'
}

# The socket objects are those of `show sockets`, but for the time passed.
sockets_are_the_same()
{
	"$DSCTL" -j -a show sockets | jq 'map(del(.last_mapped_age_ms,
		.last_rejected_age_ms) | {("\(.cookie)"): .}) | add' \
		>"$tmp/shown"
	"$DSCTL" -j audit | jq -e --slurpfile shown "$tmp/shown" '
		[.[].sockets[]] | length > 0 and
		all(.[]; del(.last_mapped_age_ms, .last_rejected_age_ms) ==
			 $shown[0]["\(.cookie)"])'
}

# What no socket accounts for, of connect() that of TCP. The ledger tells of all of it.
closed_has_counters()
{
	"$DSCTL" -j show stats >"$tmp/stats" &&
		"$DSCTL" -j show stats proto tcp >"$tmp/tcp" &&
		"$DSCTL" -j -a show sockets >"$tmp/shown" &&
		"$DSCTL" -j audit | jq -e --slurpfile stats "$tmp/stats" \
			--slurpfile tcp "$tmp/tcp" --slurpfile shown "$tmp/shown" '
		def open($key): $shown[0] | map(select(.proto == "tcp" or
			($key | endswith("_connect") | not))[$key] // 0) |
			add // 0;
		map(select(has("counters"))) | length == 1 and
		.[0].service == "closed or reset" and (.[0] | .counters as $c |
			([$c.v4_connect, $c.v4_send] | min > 0) and
			all(.findings[]; .finding != "unnamed-ipv4") and
			($c | keys) == ($stats[0] | del(.untracked, .tracked,
				.evicted) | keys) and
			all($c | to_entries[]; .key as $key |
				.value == ((if $key | IN("mapped_connect",
					"v4_connect", "native_connect")
					then $tcp else $stats end)[0][$key] -
					open($key))))'
}

# The peers of each finding are those of the ledger, and add up to its count.
peers_add_up()
{
	"$DSCTL" -j show peers >"$tmp/ledger" && "$DSCTL" -j audit | jq -e '
		def counted: .findings[] | select(.finding | IN("serves-ipv4",
			"uses-ipv4", "refuses-ipv4", "refuses-ipv6"));
		([.[] | counted] | length > 8 and
			all(.[]; (.peers | length > 0) and
				.count == (.peers | map(.count) | add) and
				(.peers | . == sort_by(-.count)) and
				all(.peers[]; .last_age_ms >= 0))) and
		([.[] | counted | select(.finding == "serves-ipv4") |
			.peers[]] | all(.peer == "'$ELSEWHERE'"))' &&
	"$DSCTL" -j audit | jq -e --slurpfile ledger "$tmp/ledger" '
		def sums: group_by(.peer) | map({peer: .[0].peer,
			count: (map(.count) | add)});
		([.[].findings[] | select(.finding == "uses-ipv4") | .peers[] |
			{peer, count}] | sums) ==
		($ledger[0] | map(select(.direction == "out" and
			(.peer_addr | startswith("127.") | not)) |
			{peer: "\(.peer_addr):\(.peer_port)", count}) | sums)'
}

# Who has no process any more is named, with whose it was.
program_is_named()
{
	"$DSCTL" -j audit | jq -e '
		map(select(.service == "visitor")) | length == 1 and
		(.[0] | .uid == 0 and .processes == [] and .sockets == [])' &&
		status 3 audit && grep -Eq '^visitor, uid 0 +uses-ipv4 ' "$tmp/out"
}

# A line for each finding, with the verdict where the service is named
table_agrees()
{
	status 3 audit || return 1
	[ ! -s "$tmp/err" ] || return 1
	jq -r '.[] | "\(.service) \(.verdict) \(.pid // "")"' "$tmp/want" \
		>"$tmp/services"
	while read -r service verdict pid; do
		if [ "$service" = closed ]; then
			grep -Eq "^closed or reset +serves-ipv4 " "$tmp/out"
		elif [ "$service" = visitor ]; then
			grep -Eq "^visitor, uid 0 +uses-ipv4 " "$tmp/out"
		else
			grep -Eq "^$service\($pid\) +$verdict " "$tmp/out"
		fi || {
			echo "no line for $service"
			return 1
		}
	done <"$tmp/services"
	[ "$(grep -cE '^.+(\.|[a-z])$' "$tmp/out")" -gt \
	  "$(jq '[.[].findings | length] | add' "$tmp/want")" ]
}

summary_agrees()
{
	local all blocking

	all=$(jq length "$tmp/want")
	blocking=$(jq 'map(select(.verdict |
		IN("ipv4-only", "serves-ipv4", "uses-ipv4"))) | length' \
		"$tmp/want")
	status 3 audit &&
		grep -qx "$blocking of $all services would miss IPv4." \
			"$tmp/out" &&
		grep -Eqx 'Watched since [-0-9]+T[0-9:]+[-+][0-9]{2}:[0-9]{2}\.' \
			"$tmp/out" &&
		grep -qx 'Looked at: .* TCP and UDP, and the ledger of peers.' \
			"$tmp/out" &&
		grep -q '^Not looked at: .* other network namespaces' "$tmp/out"
}

# As a user who sees no process: the same sockets, by owner, without the ledger
unprivileged()
{
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups \
		"$DSCTL" -j audit >"$tmp/out" 2>"$tmp/err"
	[ $? = 3 ] || return 1
	keep "$tmp/out" audit
	jq -e 'all(.[]; .processes == []) and all(.[].findings[]; .peers == null) and
		all(.[]; .service == "closed or reset" or
			 (.service | test("^uid 0, (tcp|udp) (to )?[0-9]+$")))' \
		"$tmp/out" &&
		grep -q 'ledger of peers .* CAP_NET_ADMIN' "$tmp/err" &&
		! setpriv --reuid $NOBODY --regid $NOBODY --clear-groups \
			"$DSCTL" audit >"$tmp/out" &&
		grep -q '^The ledger of peers .* CAP_NET_ADMIN' "$tmp/out" &&
		grep -q '^Not seen: processes' "$tmp/out"
}

exported()
{
	"$DSCTL" "$@" >"$tmp/prom" && python3 ./peer/prom_check.py <"$tmp/prom" \
		>"$tmp/samples" && [ "$(jq length "$tmp/samples")" -gt 0 ]
}

# sums_are_exported NETNS STATS
sums_are_exported()
{
	jq -e --arg netns "$1" --slurpfile stats "$2" 'map(select(
		.labels == {netns: $netns})) as $s | $stats[0] | del(.netns) |
		all(to_entries[];
			(if .key == "tracked" then "dualstack_tracked_sockets"
			 else "dualstack_\(.key)_total" end) as $name |
			[.value] == ($s | map(select(.name == $name).value)))' \
		"$tmp/samples"
}

export_has_sums()
{
	"$DSCTL" -j show stats >"$tmp/stats" && exported export &&
		sums_are_exported "" "$tmp/stats"
}

# Each counter of a listed socket that is not 0, by its cookie
export_has_sockets()
{
	"$DSCTL" -j show sockets >"$tmp/shown" && exported -s export &&
	jq -e --slurpfile stats "$tmp/stats" --slurpfile shown "$tmp/shown" '
		map(select(.labels.cookie)) as $samples | $shown[0] |
		length > 0 and any(.[]; .mapped_accept > 0) and
		all(.[]; . as $sock |
			($samples | map(select(.labels.cookie ==
					       "\($sock.cookie)"))) as $s |
			all($s[]; .labels.proto == $sock.proto and
				.labels.mode == ($sock.mode // "") and
				.labels.comm == ($sock.processes[0].comm // ""))
			and ($s | map({(.name): .value}) | add) ==
			    ({dualstack_sockets: 1} +
			     ($stats[0] | with_entries(
				(.key | "dualstack_socket_\(.)_total") as $name |
				{key: $name, value: $sock[.key]} |
				select((.value // 0) > 0)))))' "$tmp/samples"
}

# export_adds_up CONDITION [OPTION]: ports have what the namespace has, of the counters
# with such names, which the sockets of a family have, and no 0. Without cookies sockets
# share samples.
export_adds_up()
{
	local condition=$1

	shift
	"$DSCTL" "$@" -j show sockets >"$tmp/shown" && exported "$@" export &&
	jq -e --slurpfile stats "$tmp/stats" --slurpfile shown "$tmp/shown" '. as $samples |
		def total($n): $samples | map(select(.name == $n).value) | add;
		def counts: map(select(.name | startswith("dualstack_socket_")));
		all(.[]; .labels | has("cookie") | not) and
		all(counts[]; .value > 0) and
		total("dualstack_sockets") == ($shown[0] | length) and
		(counts | group_by(.name) |
		 map({(.[0].name): (map(.value) | add)}) | add) ==
		($stats[0] | del(.untracked, .tracked, .evicted, .netns) |
		 with_entries(select(.value > 0 and (.key | '"$condition"')) |
			      .key |= "dualstack_socket_\(.)_total"))' \
		"$tmp/samples"
}

# The sums are not of one family.
export_of_family()
{
	"$DSCTL" -j show stats >"$tmp/stats" &&
		export_adds_up 'test("v4")' -4 && sums_are_exported "" "$tmp/stats" &&
		jq -e 'length > 0' "$tmp/shown" &&
		export_adds_up 'test("v4") | not' -6 &&
		sums_are_exported "" "$tmp/stats" &&
		jq -e 'length > 0' "$tmp/shown"
}

# family_is_refused OPTION
family_is_refused()
{
	status 1 "$1" -j audit && [ ! -s "$tmp/out" ] &&
		grep -qx "dsctl: audit .* does not go with $1" "$tmp/err"
}

# A name with everything in it that has to be escaped
export_escapes()
{
	exported export && jq -e --arg comm "$NAME\\xff" --arg port "$(cat "$tmp/port")" \
		'map(select(.labels.local_port == $port)) | length > 0 and
		 all(.[]; .labels.comm == $comm)' "$tmp/samples"
}

export_to_file()
{
	local timeless='map(select(.name != "dualstack_export_timestamp_seconds"))'

	exported export && cp "$tmp/samples" "$tmp/stdout.samples" &&
	mkdir "$tmp/textfile" && echo old >"$tmp/textfile/ds.prom" &&
	"$DSCTL" export "$tmp/textfile/ds.prom" >"$tmp/out" &&
	[ ! -s "$tmp/out" ] && [ "$(ls "$tmp/textfile")" = ds.prom ] &&
	python3 ./peer/prom_check.py <"$tmp/textfile/ds.prom" >"$tmp/samples" &&
	diff <(jq "$timeless" "$tmp/samples") <(jq "$timeless" "$tmp/stdout.samples")
}

# What cannot be written leaves the old file, and no other.
export_fails()
{
	mkdir "$tmp/full" && mount -t tmpfs -o size=4k none "$tmp/full" &&
		echo old >"$tmp/full/ds.prom" || return 1
	status 2 export "$tmp/full/ds.prom" && [ -s "$tmp/err" ] &&
		[ "$(cat "$tmp/full"/*)" = old ]
	rc=$?
	umount "$tmp/full"
	return $rc
}

every_netns()
{
	status 3 -N -j audit || return 1
	keep "$tmp/out" -N audit
	[ "$(jq -s length "$tmp/out")" = 1 ] || return 1
	jq -e --slurpfile want "$tmp/want" --slurpfile ready "$tmp/ready" \
		--arg netns $netns '
		def names($ns): map(select(.netns == $ns).service) | sort;
		names(null) == ($want[0] | map(.service) | sort) and
		names($netns) == ($ready[0] | map(.service) | sort)' "$tmp/out"
}

every_netns_exported()
{
	"$DSCTL" -n $netns -j show stats >"$tmp/stats" && exported -N export &&
		sums_are_exported $netns "$tmp/stats" &&
		"$DSCTL" -j show stats >"$tmp/stats" &&
		sums_are_exported "" "$tmp/stats"
}

# What is off, and for how long it was on, a report cannot tell by its counts.
tracking_off_is_said()
{
	local rc=0

	"$DSCTL" set tracking off || return 1
	status 3 audit && grep -q 'tracking is off' "$tmp/err" &&
		status 3 -j audit && grep -q 'tracking is off' "$tmp/err" &&
		exported export && tracking_is_exported 0 || rc=1
	"$DSCTL" set tracking on || return 1
	[ $rc = 0 ] && status 3 audit && [ ! -s "$tmp/err" ] &&
		exported export && tracking_is_exported 1
}

tracking_is_exported()
{
	jq -e --argjson value "$1" 'map(select(.name == "dualstack_tracking")) |
		map(.value) == [$value]' "$tmp/samples"
}

# Nothing was seen since, but what is there now
reset_forgets()
{
	"$DSCTL" reset && status 3 -j audit &&
		jq -e 'all(.[].findings[]; .count == 0) and
			(map(.service) | index("closed or reset")) == null and
			(map({(.service): .verdict}) | add |
			 .dual == "unused-ipv4" and .v4only == "ipv4-only" and
			 .client == "uses-ipv4" and .v6only == "ready")' \
			"$tmp/out"
}

without_module()
{
	status 2 "$@" && [ ! -s "$tmp/out" ] &&
		[ "$(wc -l <"$tmp/err")" = 1 ] && grep -q load "$tmp/err"
}

ktap_print_header
tool_plan 32 1

ip addr add $ELSEWHERE/32 dev lo
check "nothing to audit" status 0 audit

mkfifo "$tmp/stdin"
exec 9<>"$tmp/stdin"
peer "$tmp/want" /usr/bin/python3 ./peer/audit_peer.py
check "services" test -s "$tmp/want"
check "audit agrees with the applications" audit_agrees "$tmp/want"
check "findings are ordered" findings_are_ordered
check "sockets as in show sockets" sockets_are_the_same
check "counters of what is closed" closed_has_counters
check "peers add up" peers_add_up
check "a program that is gone" program_is_named
check "table agrees" table_agrees
check "summary agrees" summary_agrees
check "exit status of JSON" status 3 -j audit
check "unprivileged user" unprivileged
check "no argument" status 1 audit all
for family in -4 -6; do
	check "no audit with $family" family_is_refused $family
done

ip netns add $netns
ip -n $netns link set lo up
ip -n $netns addr add 192.0.2.1/32 dev lo	# of audit_peer.py, too
peer "$tmp/ready" ip netns exec $netns /usr/bin/python3 ./peer/audit_peer.py ready
check "harmless services" test -s "$tmp/ready"
check "audit of another namespace agrees" audit_agrees "$tmp/ready" -n $netns
check "nothing misses IPv4 there" status 0 -n $netns audit
check "audit of every namespace" every_netns

check "export has the sums" export_has_sums
check "export has the sockets" export_has_sockets
check "export adds up" export_adds_up true
check "export of one family" export_of_family
check "export of every namespace" every_netns_exported
peer "$tmp/port" /usr/bin/python3 -c '
import socket, sys
with open("/proc/self/comm", "wb") as comm:
    comm.write(sys.argv[1].encode() + b"\xff")
sock = socket.create_server(("::", 0), family=socket.AF_INET6)
print(sock.getsockname()[1], flush=True)
sys.stdin.read()' "$NAME"
check "export escapes" export_escapes
check "export to a file" export_to_file
check "export to a full disk" export_fails
check "no JSON" status 1 -j export

check "tracking off is said" tracking_off_is_said
check "a reset forgets" reset_forgets

unload_module
check "audit without the module" without_module audit
check "export without the module" without_module export
load_module
check_schemas audit

ktap_finished
