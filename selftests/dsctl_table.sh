#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dsctl's tables: laid out alike whatever is in them, and however many lines. They
# are printed some thousand lines at a time.

. "$(dirname "$0")/lib/lib.sh"

SOCKETS=5000
FIRST_PORT=20001
PART=4096				# lines, of dsctl(8)
ODD=$'a\xc3\xa9 \e[31m\\x41\n'		# at most 15 bytes
SHOWN='a\xc3\xa9 \x1b[31m\x5cx41\x0a('

require "$DSCTL" python3 ip setpriv
require_family
own_netns "$@"

tmp=$(mktemp -d)
pids=()
cleanup()
{
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

cat >"$tmp/holder.py" <<'END'
import os, resource, socket, sys, time
name, first, number = os.fsencode(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
addr = sys.argv[4] if len(sys.argv) > 4 else "::"
with open("/proc/self/comm", "wb") as comm:
    comm.write(name)
resource.setrlimit(resource.RLIMIT_NOFILE, (number + 64, number + 64))
held = []
for port in range(first, first + number):
    held.append(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    held[-1].bind((addr, port))
if addr == "::":
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.sendto(b"x", ("127.0.0.1", first))
    client.close()
    held[0].recv(1)
print(flush=True)
time.sleep(1e6)
END

# hold NAME FIRST NUMBER [ADDRESS]: a process called NAME with sockets on these
# ports. Where they are bound to all addresses, the first gets a datagram over IPv4.
hold()
{
	local holder

	exec {holder}< <(exec setpriv --pdeathsig KILL \
		python3 "$tmp/holder.py" "$@")
	pids+=($!)
	read -r -u "$holder" || return
	exec {holder}<&-
}

# drop: the process that was started last ends
drop()
{
	kill "${pids[-1]}"
	wait "${pids[-1]}" 2>/dev/null
	unset 'pids[-1]'
}

coloured_alike()
{
	"$DSCTL" "$@" >"$tmp/plain" && "$DSCTL" -c=always "$@" >"$tmp/coloured" &&
	diff "$tmp/plain" <(plain "$tmp/coloured")
}

# column HEADING: where it begins in $tmp/table
column()
{
	awk -v heading="$1" 'NR == 1 { print index($0, heading) }' "$tmp/table"
}

# aligned: each socket of $tmp/table has its line below one line of headings, and
# the last cell of each stands below its heading.
aligned()
{
	local n

	n=$(column Process)
	[ "$n" -gt 0 ] &&
	[ "$(head -n 1 "$tmp/table" | cut -c 1-6)" = "Proto " ] &&
	[ "$(grep -c '^Proto ' "$tmp/table")" = 1 ] &&
	[ "$(grep -c '^udp  *UNCONN  dual  *\[::\]:[0-9]* ' "$tmp/table")" = "$1" ] &&
	! awk -v n="$n" 'substr($0, n - 2, 3) !~ /^  [^ ]$/' "$tmp/table" | grep .
}

all_lines()
{
	"$DSCTL" show sockets >"$tmp/table" && aligned $SOCKETS
}

all_lines_coloured()
{
	"$DSCTL" -c=always show sockets >"$tmp/coloured" &&
	plain "$tmp/coloured" >"$tmp/table" && aligned $SOCKETS &&
	grep -q $'\e\[32mdual\e\[0m' "$tmp/coloured"
}

# Times pass between two tables.
timeless()
{
	cut -c -$(($(column "Last peer") - 1)) "$tmp/table"
}

# odd_name PORT: the name of the process with that port changes its cell only.
odd_name()
{
	local port=$1 bad=0

	hold holder "$port" 1 && "$DSCTL" show sockets >"$tmp/table" &&
		aligned $((SOCKETS + 1)) || return
	timeless >"$tmp/want"
	drop
	hold "$ODD" "$port" 1 && "$DSCTL" show sockets >"$tmp/table" &&
		aligned $((SOCKETS + 1)) || return
	timeless | diff "$tmp/want" - || bad=1
	grep "\[::\]:$port " "$tmp/table" | grep -F "  $SHOWN" || bad=1
	! LC_ALL=C grep -n '[^ -~]' "$tmp/table" || bad=1
	drop
	return $bad
}

# What was printed cannot be moved: a column that becomes wider is so from the next
# part on, in all lines.
wider_at_last()
{
	local bad=0

	"$DSCTL" show sockets >"$tmp/table" || return
	timeless | head -n $((PART + 1)) >"$tmp/want"
	hold wide 30001 1 ::1 && "$DSCTL" show sockets >"$tmp/table" || return
	timeless | head -n $((PART + 1)) | diff "$tmp/want" - || bad=1
	grep "\[::1\]:30001 " "$tmp/table" || bad=1
	! awk -v n="$(column Process)" -v part=$PART \
		'NR > part + 1 && substr($0, n - 1, 3) !~ /^  [^ ]$/' \
		"$tmp/table" | grep . || bad=1
	drop
	return $bad
}

# Times pass between two tables, and columns may be narrower without a heading.
loosely()
{
	sed -E 's/\b[0-9]+(s|min)\b/AGE/g; s/ +/ /g; s/^ | $//g'
}

# headless ARGUMENT...: -H leaves out the line of headings, and nothing else
headless()
{
	"$DSCTL" "$@" | loosely >"$tmp/table"
	"$DSCTL" -H "$@" | loosely >"$tmp/headless"
	cat "$tmp/headless"
	[ -s "$tmp/headless" ] && diff <(sed 1d "$tmp/table") "$tmp/headless"
}

headless_each()
{
	headless show sockets && headless -s show sockets && headless show stats &&
	headless show hooks && headless -s show config && headless audit &&
	headless set v6only on all dry-run || return 1
	# One for each namespace, below its name
	"$DSCTL" -H -N show stats >"$tmp/headless" &&
	grep -q '^netns: ' "$tmp/headless" && ! grep '^Name  *Value' "$tmp/headless"
}

# Nor is there room for headings: words have the width of the longest one.
headless_is_narrow()
{
	"$DSCTL" -H show sockets port $FIRST_PORT | tee "$tmp/table"
	grep -Eq "^udp  UNCONN  dual  \[::\]:$FIRST_PORT  1  0  -  127.0.0.1:" "$tmp/table"
}

headless_json()
{
	diff <("$DSCTL" -j show stats) <("$DSCTL" -no-header -j show stats)
}

ktap_print_header
ktap_set_plan 9

hold few $FIRST_PORT 3
check "-H: each table" headless_each
check "-H: no wider than it need be" headless_is_narrow
check "-H: JSON" headless_json
drop
hold many $FIRST_PORT $SOCKETS
check "a line for each of $SOCKETS sockets" all_lines
check "the same in colour" all_lines_coloured
check "colours change no layout: hooks" coloured_alike show hooks
check "an odd name in the first lines" odd_name 10001
check "an odd name in the last lines" odd_name 30001
check "a longer address in the last lines" wider_at_last

ktap_finished
