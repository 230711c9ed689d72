#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Names that processes and namespaces chose, in all that dsctl prints: shown where
# the terminal has them, and never a command to it.

. "$(dirname "$0")/lib/lib.sh"

NAME=größe-日本		# 14 of the 15 bytes that a process may have
ESCAPED='gr\xc3\xb6\xc3\x9fe-\xe6\x97\xa5\xe6\x9c\xac'
# A colour, CSI in one character, an end of line, writing from right to left, what
# is no UTF-8 and what looks like an escape
EVIL=$'\e[7m\xc2\x9b\n\xe2\x80\xae\xff\\x41'
EVIL_ESCAPED='\x1b[7m\xc2\x9b\x0a\xe2\x80\xae\xff\x5cx41'
# The same as an application of JSON has it
EVIL_JSON=$'\e[7m\xc2\x9b\n\xe2\x80\xae\\xff\\x41'
# and as a label of Prometheus is
EVIL_LABEL=$'\\x1b[7m\\xc2\\x9b\n\xe2\x80\xae\\xff\\x41'
UTF8=C.UTF-8

require "$DSCTL" jq python3 ip setpriv
require_family
own_netns "$@"
[ "$(LC_ALL=$UTF8 locale charmap)" = UTF-8 ] || skip_all "no locale $UTF8"
unset LANG LC_CTYPE LC_ALL

tmp=$(mktemp -d)
pids=()
cleanup()
{
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	ip netns del "$NAME" 2>/dev/null
	ip netns del "$EVIL" 2>/dev/null
	[ -z "$RUN" ] || ip netns del "$RUN" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

# A process of a name with a dual server, one that refuses a client over IPv4, and
# one that the client before reached: an audit finds something.
server='
import os, socket, sys
with open("/proc/self/comm", "wb") as comm:
    comm.write(os.fsencode(sys.argv[1]))
held = []
for dual in True, False:
    server = socket.create_server(("::", 0), family=socket.AF_INET6,
                                  dualstack_ipv6=dual)
    held.append(server)
    try:
        socket.create_connection(("127.0.0.1", server.getsockname()[1])).close()
    except ConnectionRefusedError:
        pass
print(*(sock.getsockname()[1] for sock in held), flush=True)
sys.stdin.read()'

# serve NAME [COMMAND...]: sets dual and v6only, the ports
serve()
{
	local name=$1 file

	shift
	file=$(mktemp -p "$tmp")
	"$@" /usr/bin/python3 -c "$server" "$name" <&9 >"$file" &
	pids+=($!)
	wait_for 60 test -s "$file" && read -r dual v6only <"$file"
}

# all_print LOCALE FILE: of each command that prints names of processes
all_print()
{
	local args

	for args in "show sockets port $dual" "explain tcp 127.0.0.1 $dual" \
		    "explain tcp 127.0.0.1 $v6only" audit \
		    "set v6only on all dry-run"; do
		# shellcheck disable=SC2086 # words
		LC_ALL=$1 "$DSCTL" $args
	done >"$2"
}

# shown_as LOCALE NAME: in each of these
shown_as()
{
	all_print "$1" "$tmp/out"
	cat "$tmp/out"
	[ "$(grep -cF -- "$2(" "$tmp/out")" -ge 4 ] &&
		[ "$(grep -cF -- "by $2 (pid" "$tmp/out")" = 1 ] &&
		[ "$(grep -cF -- "on $2 (pid" "$tmp/out")" = 1 ]
}

# headed_as LOCALE NAME NETNS: the heading of -N
headed_as()
{
	LC_ALL=$1 "$DSCTL" -N show stats >"$tmp/out"
	grep '^netns: ' "$tmp/out"
	grep -qxF "netns: $2" "$tmp/out"
}

# Each line of a table is as wide as it looks, whatever the bytes: what is below a
# heading begins where it does.
aligned()
{
	LC_ALL=$UTF8 "$DSCTL" audit | sed '/^$/,$d' >"$tmp/table"
	cat "$tmp/table"
	grep -qF "$NAME(" "$tmp/table" && python3 - "$tmp/table" <<-'END'
		import sys, unicodedata
		def cells(line):
		    for char in line.rstrip("\n"):
		        yield char
		        if unicodedata.east_asian_width(char) in "WF":
		            yield ""
		with open(sys.argv[1], encoding="utf-8") as table:
		    lines = [list(cells(line)) for line in table]
		begin = "".join(lines[0]).index("Verdict")
		for line in lines[1:]:
		    if line[begin - 2:begin] != [" ", " "] or line[begin] == " ":
		        sys.exit("not aligned: " + "".join(line))
	END
}

# in_json NAME: in JSON, whatever the locale
in_json()
{
	local locale name=$1

	for locale in C $UTF8; do
		LC_ALL=$locale "$DSCTL" -j show sockets port "$dual" | tee "$tmp/json"
		jq -e --arg name "$name" \
			'.[0].processes[0].comm == $name' "$tmp/json" || return 1
		LC_ALL=$locale "$DSCTL" -j explain tcp 127.0.0.1 "$dual" >"$tmp/json"
		jq -e --arg name "$name" '.reason | contains($name)' "$tmp/json" ||
			return 1
		LC_ALL=$locale "$DSCTL" -j audit >"$tmp/json"
		jq -e --arg name "$name" 'any(.[]; .service == $name)' "$tmp/json" ||
			return 1
		! LC_ALL=C grep -q '[^ -~]' "$tmp/json" || return 1
	done
}

# in_labels NAME PORT [OPTION...]: of Prometheus, whatever the locale
in_labels()
{
	local locale name=$1 port=$2

	shift 2
	for locale in C $UTF8; do
		LC_ALL=$locale "$DSCTL" "$@" export >"$tmp/prom" &&
		python3 ./peer/prom_check.py <"$tmp/prom" >"$tmp/samples" &&
		jq -e --arg name "$name" --arg port "$port" \
			'map(select(.labels.local_port == $port)) | length > 0 and
			 all(.[]; .labels.comm == $name)' "$tmp/samples" || return 1
	done
}

# netns_in_label NAME
netns_in_label()
{
	"$DSCTL" -N export >"$tmp/prom" &&
		python3 ./peer/prom_check.py <"$tmp/prom" >"$tmp/samples" &&
		jq -e --arg name "$1" 'any(.[]; .labels.netns == $name)' "$tmp/samples"
}

# harmless FILE: nothing in it is a command to a terminal
harmless()
{
	python3 - "$1" <<-'END'
		import sys, unicodedata
		with open(sys.argv[1], encoding="utf-8", newline="\n") as f:
		    bad = {c for c in f.read() if c != "\n" and
		           unicodedata.category(c) in ("Cc", "Cf")}
		sys.exit(repr(bad) if bad else 0)
	END
}

nothing_gets_through()
{
	local locale

	for locale in C $UTF8; do
		all_print "$locale" "$tmp/out"
		LC_ALL=$locale "$DSCTL" -N show stats >>"$tmp/out"
		harmless "$tmp/out" || return 1
	done
	"$DSCTL" -N export >"$tmp/prom" && ! LC_ALL=C grep -q $'\e' "$tmp/prom"
}

# complains ARGUMENT...: with the name, escaped
complains()
{
	! "$DSCTL" "$@" 2>"$tmp/err" && cat "$tmp/err" &&
		harmless "$tmp/err" && grep -qF "$EVIL_ESCAPED" "$tmp/err"
}

# Messages have names, too.
messages()
{
	local -x LC_ALL

	for LC_ALL in C $UTF8; do
		complains "$EVIL" && complains -b "$EVIL" &&
			complains -n "$EVIL/" show stats || return 1
	done
	! "$DSCTL" "$NAME" 2>"$tmp/err" && grep -qF "\"$NAME\"" "$tmp/err"
}

# completes WORD...: sets COMPREPLY as for these words behind dsctl
completes()
{
	COMP_WORDS=("$DSCTL" "$@")
	COMP_CWORD=$#
	COMP_LINE="${COMP_WORDS[*]}"
	COMP_POINT=${#COMP_LINE}
	_dsctl
	echo "$*: ${COMPREPLY[*]}"
}

# What names look like is not done.
completion()
{
	# shellcheck disable=SC1090 # it is where dsctl is
	. "$COMPLETION" && cd "$tmp" || return 1
	completes -n '$' && [ "${COMPREPLY[*]}" = '\$\(id\>x\)' ] &&
		completes -n gr && [ "${#COMPREPLY[@]}" = 1 ] &&
		completes show so && [ "${COMPREPLY[*]}" = sockets ] &&
		[ ! -e x ]
}

ktap_print_header
ktap_set_plan 17

mkfifo "$tmp/stdin"
exec 9<>"$tmp/stdin"
ip netns add "$NAME"
ip netns add "$EVIL"

serve "$NAME"
check "a name where the locale has it" shown_as $UTF8 "$NAME"
check "a name where it has not" shown_as C "$ESCAPED"
check "a name without a locale" shown_as "" "$ESCAPED"
check "a name in a table" aligned
check "a name in JSON" in_json "$NAME"
check "a name in labels" in_labels "$NAME" "$dual"
check "a namespace where the locale has it" headed_as $UTF8 "$NAME"
check "a namespace where it has not" headed_as C "$ESCAPED"
check "a namespace in labels" netns_in_label "$NAME"

serve "$EVIL"
check "a hostile name" shown_as $UTF8 "$EVIL_ESCAPED"
check "a hostile name in JSON" in_json "$EVIL_JSON"
check "a hostile name in labels" in_labels "$EVIL_LABEL" "$dual"
check "a hostile namespace" headed_as $UTF8 "$EVIL_ESCAPED"
check "a hostile namespace in labels" netns_in_label "$EVIL_LABEL"
check "nothing of it gets through" nothing_gets_through
check "messages" messages

# shellcheck disable=SC2016 # that is the name
RUN='$(id>x)'
COMPLETION=$(dirname "$(command -v "$DSCTL")")/completion/dsctl.bash
if [ -e "$COMPLETION" ]; then
	ip netns add "$RUN"
	check "completion" completion
else
	ktap_test_skip "completion: no $COMPLETION"
fi

ktap_finished
