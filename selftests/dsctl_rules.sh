#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rules about IPV6_V6ONLY as dsctl sets and shows them, against what servers that bind
# their sockets meanwhile, and clients, in Python, saw of it.

. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/ask.sh"
. "$(dirname "$0")/lib/schema.sh"

NOBODY=65534
LIMIT=180	# seconds, for what takes a moment; the peer gives up before

require "$DSCTL" jq python3 ip unshare setpriv
require_family
own_netns "$@"

tmp=$(mktemp -d)
cleanup()
{
	[ -z "$peer_pid" ] || kill "$peer_pid" 2>/dev/null
	[ -z "$monitor_pid" ] || kill "$monitor_pid" 2>/dev/null
	rm -rf "$tmp"
	# What is set for all namespaces
	"$DSCTL" set tracking on
}
trap cleanup EXIT

# answers WANT COMMAND...: of the peer
answers()
{
	local want=$1 got

	shift
	got=$(ask "$@")
	echo "$*: $got"
	[ "$got" = "$want" ]
}

# tells REGEX ARGUMENT...: exit code 0, silence on stdout, that on stderr
tells()
{
	local regex=$1

	shift
	run "$@"
	[ "$rc" = 0 ] && [ ! -s "$tmp/out" ] && grep -Eq -e "$regex" "$tmp/err"
}

# json CONDITION ARGUMENT...: of the answer, to which nothing is to be added
json()
{
	local condition=$1

	shift
	"$DSCTL" -j "$@" >"$tmp/json" 2>"$tmp/err"
	keep "$tmp/json" "$@"
	cat "$tmp/json" "$tmp/err"
	[ ! -s "$tmp/err" ] && jq -e "$condition" "$tmp/json" >/dev/null
}

# rule PROTO PORT CONDITION: of that rule, of which null is one as well
rule()
{
	json "map(select(.proto == \"$1\" and .port == $2)) | .[0] | $3" show rules
}

# sock NAME CONDITION: of a socket of the peer
sock()
{
	json "map(select(.cookie == $(ask cookie "$1"))) | .[0] | $2" show sockets
}

# cell PROTO PORT REGEX: of the line of a socket, the mode
cell()
{
	says "^$1 +[A-Z]+ +$3 +\[::\]:$2 " show sockets proto "$1" port "$2"
}

# removes ARGUMENT...: rules that there are; "all" or the words of a port
removes()
{
	does unset v6only "$@" && fails 2 'No rule' unset v6only "$@"
}

### One rule

none()
{
	json '. == []' show rules && does show rules save
}

# Which is kept though nobody has the port
without_socket()
{
	does set v6only on proto tcp port 8001 keep &&
	json '. == [{netns: null, proto: "tcp", port: 8001, v6only: true,
		     applied: 0, passed_over: 0, holder: null}]' show rules &&
	says '^tcp +8001 +on +0 +0 +-' show rules &&
	does set v6only on port 8001 proto tcp keep &&
	removes proto tcp port 8001 && none
}

replaced()
{
	does set v6only on proto udp port 8002 keep &&
	tells '^dsctl: udp port 8002: the rule was on$' \
		set v6only off proto udp port 8002 keep &&
	rule udp 8002 '.v6only == false' &&
	does set v6only off proto udp port 8002 keep &&
	removes proto udp port 8002
}

by_name()
{
	does set v6only on proto tcp port http keep && rule tcp 80 .v6only &&
	removes proto tcp port 80
}

# obeyed PROTO PORT: by sockets to come, whatever they set
obeyed()
{
	local proto=$1 port=$2

	does set v6only on proto "$proto" port "$port" keep &&
	answers 1 bind a "$proto" dual "$port" &&
	answers refused client a 127.0.0.1 && answers served client a ::1 &&
	rule "$proto" "$port" '.applied == 1 and .passed_over == 0' &&
	sock a '.mode == "v6only" and .v6only and .rule == "on"' &&
	cell "$proto" "$port" 'v6only\*' &&
	says '^' show sockets mode v6only proto "$proto" port "$port" &&
	grep -q ":$port " "$tmp/out" && answers closed close a || return 1

	tells 'the rule was on$' set v6only off proto "$proto" port "$port" keep &&
	answers 0 bind a "$proto" v6only "$port" &&
	answers served client a 127.0.0.1 && answers served client a ::1 &&
	rule "$proto" "$port" '.applied == 1 and .v6only == false' &&
	sock a '.mode == "dual" and .rule == "off"' &&
	cell "$proto" "$port" 'dual\*' && answers closed close a || return 1

	removes proto "$proto" port "$port" &&
	answers 1 bind a "$proto" v6only "$port" && sock a '.rule == null' &&
	cell "$proto" "$port" 'v6only' && answers closed close a
}

# Those that are bound by now change as without it.
live()
{
	answers 0 bind a "$1" dual "$2" &&
	does set v6only on proto "$1" port "$2" keep &&
	answers 1 v6only a && answers refused client a 127.0.0.1 &&
	rule "$1" "$2" '.v6only and .applied == 0' &&
	cell "$1" "$2" 'v6only\*' &&
	# The rule goes, the socket stays as it is.
	removes proto "$1" port "$2" && answers 1 v6only a &&
	cell "$1" "$2" 'v6only' && answers closed close a
}

not_concerned()
{
	does set v6only on proto tcp port 8005 keep &&
	answers 1 bind a tcp ::1 8005 && sock a '.rule == null' &&
	answers closed close a &&
	answers 0 bind a tcp dual 8006 && sock a '.rule == null' &&
	answers closed close a && answers 0 bind a udp dual 8005 &&
	sock a '.rule == null' && answers closed close a &&
	removes proto tcp port 8005
}

dry_run()
{
	answers 0 bind a tcp dual 8007 &&
	says '^tcp +\[::\]:8007 .* would change' \
		set v6only on proto tcp port 8007 keep dry-run &&
	says '^tcp +\[::\]:8007 .* would change' \
		set v6only on proto tcp port 8007 --dry-run keep &&
	json 'length == 1 and (.[0] | .keep and .dry_run and .result == "changed")' \
		set v6only on proto tcp port 8007 keep dry-run &&
	json '.[0] | .keep == false' \
		set v6only on proto tcp port 8007 dry-run &&
	json '. == []' set v6only on proto tcp port 8008 dry-run keep &&
	none && answers 0 v6only a &&
	json '.[0] | .keep and .result == "changed"' \
		set v6only on proto tcp port 8007 keep &&
	answers 1 v6only a && answers closed close a &&
	removes proto tcp port 8007
}

### Where a socket of IPv4 has the port

# It has the port, and a rule about it comes.
refused()
{
	answers 1 bind a "$1" v6only "$2" && answers - bind b "$1" v4 "$2" &&
	fails 2 "^dsctl: $1 \[::\]:$2: " set v6only off proto "$1" port "$2" keep &&
	grep -q "^dsctl: $1 port $2: the rule is kept$" "$tmp/err" &&
	rule "$1" "$2" '.v6only == false' && answers 1 v6only a &&
	sock a '.v6only and .rule == "off"' && cell "$1" "$2" 'v6only' &&
	answers closed close a && answers closed close b &&
	removes proto "$1" port "$2"
}

# It has the port when another one binds.
passed_over()
{
	local cookie

	does set v6only off proto "$1" port "$2" keep &&
	answers - bind b "$1" v4 "$2" && answers 1 bind a "$1" v6only "$2" &&
	cookie=$(ask cookie b) &&
	rule "$1" "$2" ".applied == 0 and .passed_over == 1 and
			.holder == {addr: \"0.0.0.0\", cookie: $cookie}" &&
	says "^$1 +$2 +off +0 +1 +0.0.0.0 [^ ]+\($peer_pid\)$" show rules &&
	says "^$1 +$2 +off +0 +1 +0.0.0.0 cookie $cookie$" -P show rules &&
	cell "$1" "$2" 'v6only' && answers closed close b &&
	says "^$1 +$2 +off +0 +1 +0.0.0.0 cookie $cookie$" show rules &&
	answers closed close a && removes proto "$1" port "$2"
}

# It comes later, and has IPv4.
given_back()
{
	does set v6only off proto "$1" port "$2" keep &&
	answers 0 bind a "$1" v6only "$2" && answers - bind b "$1" v4 "$2" &&
	answers 1 v6only a && rule "$1" "$2" '.applied == 1 and .passed_over == 1' &&
	answers served client b 127.0.0.1 && answers served client a ::1 &&
	cell "$1" "$2" 'v6only' && answers closed close a &&
	answers closed close b && removes proto "$1" port "$2"
}

### All ports

all_ports()
{
	does set v6only on all keep &&
	json '. == [{netns: null, proto: null, port: null, v6only: true,
		     applied: 0, passed_over: 0, holder: null}]' show rules &&
	says '^\* +all +on +0 +0 ' show rules &&
	answers 1 bind a tcp dual 8017 && sock a '.rule == "on"' &&
	cell tcp 8017 'v6only\*' && json '.[0].applied == 1' show rules &&
	# A rule of a port goes before.
	does set v6only off proto tcp port 8018 keep &&
	answers 0 bind b tcp v6only 8018 && sock b '.rule == "off"' &&
	json 'map(.port) == [null, 8018]' show rules &&
	removes all && answers 1 v6only a && sock a '.rule == null' &&
	rule tcp 8018 '.v6only == false' && answers closed close a &&
	answers 0 bind a tcp dual 8017 && answers closed close a &&
	answers closed close b && removes proto tcp port 8018 && none
}

# Sockets in use whose port has a rule are left to that.
all_but_own()
{
	does set v6only off proto tcp port 8019 keep &&
	answers 0 bind a tcp dual 8019 && answers 0 bind b tcp dual 8020 &&
	answers 0 bind c udp dual 8019 &&
	json 'map([.proto, .local_port]) | contains([["tcp", 8020], ["udp", 8019]]) and
	      (contains([["tcp", 8019]]) | not)' set v6only on all keep dry-run &&
	json 'map(select(.local_port == 8019 or .local_port == 8020)) |
	      map([.proto, .local_port, .result]) ==
	      [["udp", 8019, "changed"], ["tcp", 8020, "changed"]]' \
		set v6only on all keep &&
	answers 0 v6only a && answers 1 v6only b && answers 1 v6only c &&
	removes all &&
	# Without a rule of all it is whatever there is.
	json 'map(.local_port) | contains([8019])' set v6only on all &&
	answers 1 v6only a && removes proto tcp port 8019 && none &&
	answers closed close a && answers closed close b && answers closed close c
}

# Whose option is that of the application's socket
mptcp()
{
	does set v6only on proto tcp port 8026 keep &&
	answers - bind a mptcp dual 8026 && does reset &&
	json 'map(select(.local_port == 8026)) | length == 1 and
	      (.[0] | .mode == "dual" and .rule == null)' show sockets &&
	cell tcp 8026 'dual' &&
	finding 8026 unused-ipv4 '.rule == null and (.advice | contains("set v6only") | not)' &&
	answers closed close a && removes proto tcp port 8026
}

### Commands that set them anew

saved()
{
	does set v6only on proto udp port 8021 keep &&
	does set v6only off proto tcp port 8022 keep &&
	does set v6only on proto tcp port 8021 keep &&
	does set v6only off all keep || return 1
	"$DSCTL" -j show rules >"$tmp/before"
	says . show rules save && cp "$tmp/out" "$tmp/saved" &&
	diff "$tmp/saved" - <<-END || return 1
		set v6only on proto tcp port 8021 keep
		set v6only off proto tcp port 8022 keep
		set v6only on proto udp port 8021 keep
		set v6only off all keep
	END
	removes all && removes proto tcp port 8021 &&
	removes proto tcp port 8022 && removes proto udp port 8021 && none &&
	does -b "$tmp/saved" &&
	"$DSCTL" -j show rules | diff "$tmp/before" - || return 1
	sed 's/^set v6only o[nf]*/unset v6only/; s/ keep$//' "$tmp/saved" >"$tmp/unset"
	does -b "$tmp/unset" && none
}

# The line that fails is named, and the others are run where that is asked for.
batch_fails()
{
	cat >"$tmp/bad" <<-END
		# comment
		set v6only on proto tcp port 8023 keep
		unset v6only proto tcp port 8024
		set v6only on proto tcp port 8025 keep
	END
	fails 2 'bad:3: the command failed' -force -b "$tmp/bad" &&
	json 'map(.port) == [8023, 8025]' show rules &&
	removes proto tcp port 8023 && removes proto tcp port 8025
}

### What others say of it

explained()
{
	does set v6only on proto tcp port 8031 keep &&
	answers 1 bind a tcp dual 8031 &&
	says '^IPv4 SYN .*: refused because of IPV6_V6ONLY on .*, as a rule says' \
		explain tcp 127.0.0.1 8031 &&
	json '.rule == "on" and .verdict == "v6only" and .socket.rule == "on"' \
		explain tcp 127.0.0.1 8031 &&
	json '.rule == null and .verdict == "native"' explain tcp ::1 8031 &&
	does set v6only off cookie "$(ask cookie a)" &&
	says 'served as mapped by .*, though a rule says on' \
		explain tcp 127.0.0.1 8031 &&
	answers closed close a && removes proto tcp port 8031
}

# finding PORT NAME CONDITION: of the service that has a socket of the port
finding()
{
	"$DSCTL" -j audit >"$tmp/json"
	keep "$tmp/json" audit
	cat "$tmp/json"
	jq -e "map(select(.sockets | any(.[]; .local_port == $1))) | .[0].findings |
	       map(select(.finding == \"$2\")) | .[0] | $3" "$tmp/json" >/dev/null
}

audited()
{
	does reset && does set v6only on proto tcp port 8032 keep &&
	does set v6only off proto tcp port 8033 keep &&
	answers 1 bind a tcp dual 8032 && answers 0 bind b tcp v6only 8033 &&
	answers refused client a 127.0.0.1 &&
	finding 8032 refuses-ipv4 '.rule == "on" and
		(.advice | contains("dsctl set v6only off proto tcp port 8032 keep"))' &&
	finding 8033 unused-ipv4 '.rule == "off" and
		(.advice | contains("dsctl set v6only on proto tcp port 8033 keep"))' &&
	removes proto tcp port 8032 &&
	finding 8032 refuses-ipv4 '.rule == null' &&
	removes proto tcp port 8033 && answers closed close a &&
	answers closed close b && does reset
}

# It prints nothing of its own: bind until it shows up.
shows_probe()
{
	answers 1 bind probe tcp dual 8040 && answers closed close probe &&
		grep -q ':8040\b' "$tmp/events"
}

# monitor ARGUMENT...: start one, until the subtest is over
monitor()
{
	"$DSCTL" "$@" >"$tmp/events" 2>"$tmp/monitor.err" </dev/null &
	monitor_pid=$!
	trap '[ -z "$monitor_pid" ] || kill "$monitor_pid"' EXIT
}

# monitor_rules ARGUMENT...: the same, and wait until it listens
monitor_rules()
{
	monitor "$@"
	does set v6only on proto tcp port 8040 keep &&
		wait_for $LIMIT shows_probe
}

# A socket that is as a rule says, and one for whose sake it is passed over
with_events()
{
	does set v6only off proto tcp port "$1" keep &&
	answers 0 bind a tcp v6only "$1" && cookie=$(ask cookie a) &&
	answers - bind b tcp v4 "$1" && answers closed close a &&
	answers closed close b && removes proto tcp port "$1"
}

# All of them are in it.
told()
{
	wait_for $LIMIT grep -q rule_passed_over "$tmp/events" &&
		removes proto tcp port 8040
}

ends()
{
	kill -INT "$monitor_pid"
	wait "$monitor_pid"
	rc=$?
	monitor_pid=
	cat "$tmp/monitor.err" "$tmp/events"
	[ "$rc" = 0 ] && [ ! -s "$tmp/monitor.err" ]
}

monitor_json()
{
	local cookie

	monitor_rules -j monitor && with_events 8041 && told && ends || return 1
	keep "$tmp/events" monitor
	jq -es "map(select(.local_port == 8041 and (.event | test(\"^rule_\")))) |
		map({event, proto, cookie, local_addr, peer_addr, v6only, holder}) ==
		[{event: \"rule_applied\", proto: \"tcp\", cookie: $cookie,
		  local_addr: \"::\", peer_addr: null, v6only: false, holder: null},
		 {event: \"rule_passed_over\", proto: \"tcp\", cookie: $cookie,
		  local_addr: \"::\", peer_addr: null, v6only: false,
		  holder: {addr: \"0.0.0.0\", port: 8041}}]" "$tmp/events"
}

# Nothing but these events
monitor_text()
{
	local cookie

	monitor_rules monitor rule && answers 0 bind c tcp dual 8043 &&
	answers served client c 127.0.0.1 && answers closed close c &&
	with_events 8042 && told && ends || return 1
	grep -Eq "^\[[^]]*\] rule_applied tcp \[::\]:8042 v6only off cookie $cookie process " \
		"$tmp/events" &&
	grep -Eq "^\[[^]]*\] rule_passed_over tcp \[::\]:8042 for 0.0.0.0:8042 v6only off cookie $cookie process " \
		"$tmp/events" &&
	! grep -v ' rule_' "$tmp/events"
}

# shows_client NAME PORT WANT: of one more than before
shows_client()
{
	answers "$3" client "$1" 127.0.0.1 &&
		[ "$(grep -c ":$2 from" "$tmp/events")" -gt "$before" ]
}

# without_rules KIND MODE V6ONLY PORT WANT: it has the clients of such a socket, and what
# comes between these is of no such kind
without_rules()
{
	local before=0 cookie

	monitor monitor "$1"
	answers "$3" bind c tcp "$2" "$4" || return 1
	wait_for $LIMIT shows_client c "$4" "$5" && with_events 8044 || return 1
	before=$(grep -c ":$4 from" "$tmp/events")
	wait_for $LIMIT shows_client c "$4" "$5" && ends || return 1
	answers closed close c && ! grep rule_ "$tmp/events"
}

monitor_others()
{
	without_rules mapped dual 0 8045 served &&
	without_rules reject v6only 1 8046 refused &&
	without_rules v4 v4 - 8047 served
}

### Where they do nothing

# warns WARNING REGEX ARGUMENT...: exit code 0, the one on stderr, once, the other on stdout
warns()
{
	local warning=$1 regex=$2

	shift 2
	run "$@"
	[ "$rc" = 0 ] && [ "$(grep -Ec "$warning" "$tmp/err")" = 1 ] &&
		grep -Eq -e "$regex" "$tmp/out"
}

# Nor are sockets said to be as they say: that of port 8051, either way.
ruled_idle()
{
	warns "$idle" '^tcp +LISTEN +(dual|v6only) +\[::\]:8051 ' \
		show sockets proto tcp port 8051 &&
	warns "$idle" '"rule": ?null' -j show sockets proto tcp port 8051 &&
	warns "$idle" '8051' explain tcp 127.0.0.1 8051 &&
	! grep -q 'a rule' "$tmp/out" &&
	warns "$idle" '"rule": ?null' -j explain tcp 127.0.0.1 8051 &&
	! grep -Eq '"rule": ?"' "$tmp/out"
}

untracked()
{
	local idle='^dsctl: warning: tracking is off: rules do not act$'

	does set tracking off && tells "$idle" set v6only on proto tcp port 8051 keep &&
	warns "$idle" '^tcp +8051 +on ' show rules &&
	answers 0 bind a tcp dual 8051 && ruled_idle &&
	does set v6only on proto tcp port 8051 && ruled_idle &&
	answers closed close a &&
	# Once, of however many namespaces
	warns "$idle" '^tcp +8051 +on ' -N show rules &&
	does set tracking on && says '^tcp +8051 +on ' show rules &&
	answers 1 bind a tcp dual 8051 && answers closed close a &&
	removes proto tcp port 8051
}

# Each has its own.
other_netns()
{
	local here=$DSCTL
	local DSCTL=$tmp/dsctl-fresh

	"$here" set v6only on proto tcp port 8052 keep || return 1
	none && does set v6only on proto tcp port 8053 keep &&
		fails 2 'No rule' unset v6only proto tcp port 8052 || return 1
	DSCTL=$here
	removes proto tcp port 8052 && none
}

every_netns()
{
	does set v6only on proto tcp port 8054 keep &&
	"$DSCTL" -N -j show rules >"$tmp/json" 2>"$tmp/err" || return 1
	keep "$tmp/json" -N show rules
	cat "$tmp/json" "$tmp/err"
	jq -e 'map(select(.netns == null)) | length == 1 and .[0].port == 8054' \
		"$tmp/json" && removes proto tcp port 8054
}

unprivileged()
{
	does set v6only off proto tcp port 8055 keep &&
	as_nobody fails 2 'CAP_NET_ADMIN in the network namespace' \
		set v6only on proto tcp port 8055 keep &&
	as_nobody fails 2 'CAP_NET_ADMIN in the network namespace' \
		set v6only on all keep &&
	as_nobody fails 2 'CAP_NET_ADMIN in the network namespace' \
		unset v6only proto tcp port 8055 &&
	as_nobody says '^set v6only off proto tcp port 8055 keep$' show rules save &&
	rule tcp 8055 '.v6only == false' && removes proto tcp port 8055
}

for args in "nobody|setpriv --reuid $NOBODY --regid $NOBODY --clear-groups" \
	    "fresh|unshare --net"; do
	printf '#!/bin/sh\nexec %s "%s" "$@"\n' "${args#*|}" "$DSCTL" \
		>"$tmp/dsctl-${args%%|*}"
done
chmod -R go+rx "$tmp"
chmod +x "$tmp"/dsctl-*

# What is open for reading and writing neither blocks nor ends.
mkfifo "$tmp/commands" "$tmp/answers"
exec 8<>"$tmp/commands" 9<>"$tmp/answers"
/usr/bin/python3 ./peer/rules_peer.py <"$tmp/commands" >"$tmp/answers" 8>&- 9>&- &
peer_pid=$!

ktap_print_header
tool_plan 63 1

for args in "set v6only help" "unset help" "unset v6only help" \
	    "show rules help"; do
	# shellcheck disable=SC2086
	check "dsctl $args" says '^Usage: dsctl ' $args
done

# The arguments, and what the message names
while IFS='|' read -r args regex; do
	# shellcheck disable=SC2086
	check "dsctl $args: usage" fails 1 "$regex" $args
done <<'END'
set v6only on keep|missing: proto and port, or all
set v6only on cookie 1 keep|rule is for a port: proto and port, or all
set v6only on port 80 keep|a rule needs its proto as well, tcp or udp
set v6only on proto tcp keep|a rule needs its port
set v6only on proto tcp port 0 keep|"0": not a number from 1 to 65535
set v6only on proto tcp port 80-90 keep|"80-90"
set v6only on proto tcp port 80 port 81 keep|given twice
set v6only on proto sctp port 80 keep|sctp
set v6only on all tcp keep|"tcp"
set v6only on all kee|"kee"
set v6only on al keep|"al": all has to be written in full
set v6only on proto tcp port 80 kee|"kee"
set v6only on proto tcp port 80 cookie 3 keep|rule is for a port: proto and port, or all
set v6only on keep all|"keep"
set v6only on all keep keep|keep: given twice
set v6only keep|"keep"
unset|Usage
unset v6only|missing: proto and port, or all
unset v6only cookie 1|rule is for a port
unset v6only port 80|proto as well, tcp or udp
unset v6only all 80|"80"
unset v6only a|"a": all has to be written in full
unset v6only bogus|"bogus"
show rules bogus|"bogus"
show rules save now|"now"
-j show rules save|-j
-N show rules save|-N
-o port show rules save|-o
monitor rule reject|"reject"
END

check "no rules" none
check "a rule without a socket" without_socket
check "a rule replaced" replaced
check "a port by its name" by_name
for args in "tcp 8003" "udp 8003"; do
	# shellcheck disable=SC2086
	{
		check "obeyed: $args" obeyed $args
		check "sockets in use: $args" live ${args/3/4}
		check "IPv4 before the rule: $args" refused ${args/03/11}
		check "IPv4 before the socket: $args" passed_over ${args/03/12}
		check "IPv4 after it: $args" given_back ${args/03/13}
	}
done
check "others are not concerned" not_concerned
check "dry run" dry_run
check "all ports" all_ports
check "all ports, but for those with a rule" all_but_own
if [ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ]; then
	check "MPTCP" mptcp
else
	ktap_test_skip "the kernel lacks CONFIG_MPTCP"
fi
check "saved and set anew" saved
check "a line that fails" batch_fails
check "explain" explained
check "audit" audited
check "monitor: JSON" monitor_json
check "monitor: text" monitor_text
check "monitor: other kinds" monitor_others
check "tracking off" untracked
check "another namespace" other_netns
check "every namespace" every_netns
check "unprivileged user" unprivileged
check_schemas "show rules" monitor audit

ktap_finished
