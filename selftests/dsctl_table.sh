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
WIDE=$'\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac'	# two columns each
SHOWN='a\xc3\xa9 \x1b[31m\x5cx41\x0a('

require "$DSCTL" jq python3 ip setpriv
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

# As it looks on a terminal of that width
cat >"$tmp/terminal.py" <<'END'
import fcntl, os, pty, struct, subprocess, sys, termios

master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, int(sys.argv[1]), 0, 0))
dsctl = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=slave)
os.close(slave)
shown = b""
while True:
    try:
        read = os.read(master, 65536)
    except OSError:
        break
    if not read:
        break
    shown += read
sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
sys.exit(dsctl.wait())
END

# How many columns the widest line takes, and that each character is whole
cat >"$tmp/widest.py" <<'END'
import sys, unicodedata

print(max(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
          for line in sys.stdin.buffer.read().decode("utf-8").splitlines()))
END

widest()
{
	python3 "$tmp/widest.py" <"$1"
}

# on_terminal WIDTH ARGUMENT...: into $tmp/shown and $tmp/err, and to a file into
# $tmp/table
on_terminal()
{
	local width=$1

	shift
	"$DSCTL" "$@" >"$tmp/table" &&
	python3 "$tmp/terminal.py" "$width" "$DSCTL" "$@" >"$tmp/shown" 2>"$tmp/err"
}

is_whole()
{
	diff <(loosely <"$tmp/table") <(loosely <"$tmp/shown") && [ ! -s "$tmp/err" ]
}

# is_cut WIDTH MARK: at the last column alone, between characters and escapes
is_cut()
{
	local process=$(($(column Process) - 1))

	cat "$tmp/shown" "$tmp/err"
	[ "$(widest "$tmp/shown")" -le "$1" ] &&
	diff <(cut -b -$process "$tmp/table" | loosely) \
		<(cut -b -$process "$tmp/shown" | loosely) &&
	tail -n 1 "$tmp/shown" |
		LC_ALL=C.UTF-8 grep -Eq "  (\\\\x[0-9a-f]{2}|[^\\])+$2\$" &&
	[ "$(cat "$tmp/err")" = "dsctl: columns were cut to fit the terminal: a pipe or a file gets them whole" ]
}

# Of any name, in any locale, as much as fits. No socket has a peer, whose age might
# need another column meanwhile.
cut_by_the_column()
{
	local name full width i

	for name in "$WIDE" "$ODD"; do
		hold "$name" $FIRST_PORT 1 ::1 || return
		for i in C:~ C.UTF-8:$'\xe2\x80\xa6'; do
			export LC_ALL=${i%:*}
			"$DSCTL" show sockets >"$tmp/table" || return
			full=$(widest "$tmp/table")
			on_terminal "$full" show sockets && is_whole || return
			for width in $((full - 1)) $((full - 2)); do
				on_terminal $width show sockets &&
				is_cut $width "${i#*:}" || return
			done
		done
		drop
	done
}

# No column says anything when so little is left of it.
too_narrow()
{
	on_terminal 40 show sockets && is_whole &&
	on_terminal 0 show sockets && is_whole
}

columns_of_environment()
{
	local full

	"$DSCTL" show sockets >"$tmp/table" && full=$(widest "$tmp/table") || return
	COLUMNS=$((full - 1)) on_terminal 1000 show sockets &&
	is_cut $((full - 1)) '[^ ]' &&
	COLUMNS=1000 on_terminal $((full - 1)) show sockets && is_whole &&
	COLUMNS=none on_terminal $((full - 1)) show sockets && is_cut $((full - 1)) '[^ ]'
}

# What is explained is cut, what is counted is not.
explanations()
{
	local full

	"$DSCTL" show stats >"$tmp/table" && full=$(widest "$tmp/table") || return
	on_terminal $((full - 9)) show stats
	cat "$tmp/shown"
	[ "$(widest "$tmp/shown")" -le $((full - 9)) ] &&
	diff <(awk '{ print $1, $2 }' "$tmp/table") <(awk '{ print $1, $2 }' "$tmp/shown")
}

json_on_terminal()
{
	on_terminal 20 -j show stats && is_whole
}

many_on_terminal()
{
	local full

	"$DSCTL" show sockets >"$tmp/table" && full=$(widest "$tmp/table") || return
	on_terminal $((full - 1)) show sockets && [ "$(wc -l <"$tmp/shown")" = $((SOCKETS + 1)) ] &&
	[ "$(widest "$tmp/shown")" -lt "$full" ]
}

# has_lines LINE... -- ARGUMENT...: that is what dsctl prints, but for the width
has_lines()
{
	local lines=()

	while [ "$1" != -- ]; do
		lines+=("$1")
		shift
	done
	shift
	"$DSCTL" "$@" | loosely | diff <(printf '%s\n' "${lines[@]}") -
}

# Columns that are hidden otherwise, too, and in the order that was asked for
chosen()
{
	local port=$FIRST_PORT cookie inode

	read -r cookie inode < <("$DSCTL" -j show sockets port $port |
		jq -r '.[] | "\(.cookie) \(.inode)"')
	has_lines "Cookie Local Peer Mode Inode" "$cookie [::]:$port - dual $inode" -- \
		-o cookie,LOCAL,Peer,mode,inode show sockets port $port &&
	has_lines "Process IPv6 IPv4" "few(${pids[0]}) 0 1" -- \
		--output process,ipv6,ipv4 show sockets port $port &&
	has_lines "$cookie" -- -H -ocookie show sockets port $port &&
	has_lines "Local" "[::]:$port" -- -o local show sockets port $port process few &&
	has_lines "Wire-mapped Last rejected Outbound" "0 - -" -- \
		-o wire-mapped,last-rejected,outbound show sockets port $port &&
	has_lines "Result Local" "would change [::]:$port" -- \
		-o result,local set v6only on proto udp port $port dry-run &&
	"$DSCTL" -o default,setting show config | grep -qx 'off *bindv6only'
}

# listed ARGUMENT...: the columns that there are, as an error says
listed()
{
	"$DSCTL" -o no-such-column "$@" 2>&1 >"$tmp/out" |
		sed 's/.*column "no-such-column" is unknown: //; s/, /\n/g'
}

# Each that is listed is there, under its heading, and no table has others.
each_column()
{
	local command column words

	for command in "show sockets" "show stats" "show hooks" "show config" "audit" \
		       "set v6only on all dry-run"; do
		read -ra words <<<"$command"
		listed "${words[@]}" >"$tmp/listed"
		[ "$(wc -l <"$tmp/listed")" -ge 3 ] || return 1
		while IFS= read -r column <&3; do
			[ "$("$DSCTL" -o "$column" "${words[@]}" | head -n 1)" = "$column" ] ||
				return 1
		done 3<"$tmp/listed"
		diff <("$DSCTL" -s "${words[@]}" | head -n 1 | sed -E 's/  +/\n/g' | sort) \
			<(sort "$tmp/listed") | grep '^<' && return 1
	done
	true
}

# Each column as it is beside the others
same_column()
{
	"$DSCTL" show stats | awk '{ print $2, $1 }' |
		diff - <("$DSCTL" -o value,name show stats | awk '{ print $1, $2 }') &&
	coloured_alike -o attached,hook show hooks
}

# rejects MESSAGE ARGUMENT...: exit code 1, that on stderr, and no more
rejects()
{
	local message=$1 rc

	shift
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	cat "$tmp/out" "$tmp/err"
	[ $rc = 1 ] && [ ! -s "$tmp/out" ] && [ "$(cat "$tmp/err")" = "dsctl: $message" ]
}

bad_columns()
{
	local stats="Name, Value, Meaning"

	rejects "column \"nil\" is unknown: $stats" -o nil show stats &&
	rejects "column \"name \" is unknown: $stats" -o "value,name " show stats &&
	rejects "column \"\" is unknown: $stats" -o "" show stats &&
	rejects "column \"\" is unknown: $stats" -o name, show stats &&
	rejects "column \"NAME\" is given twice: $stats" -o name,value,NAME show stats &&
	rejects "-o chooses columns of tables: it does not go with -j" -j -o name show stats &&
	rejects "monitor prints no table: it does not go with -o" -o name monitor &&
	rejects 'column "Process": option -P leaves the processes out' \
		-P -o process show sockets &&
	rejects 'column "name" is unknown: Proto, Local, Cookie, Process, Result' \
		-o name set v6only on all &&
	[ "$("$DSCTL" -H -o mode show sockets port $FIRST_PORT)" = dual ]
}

ktap_print_header
ktap_set_plan 19

hold few $FIRST_PORT 3
check "-H: each table" headless_each
check "-H: no wider than it need be" headless_is_narrow
check "-H: JSON" headless_json
check "-o: what is asked for" chosen
check "-o: each column" each_column
check "-o: as without it" same_column
check "-o: bad columns" bad_columns
check "a terminal: too narrow" too_narrow
check "a terminal: explanations" explanations
check "a terminal: JSON" json_on_terminal
drop
check "a terminal: cut by the column" cut_by_the_column
hold fifteen-letters $FIRST_PORT 1 ::1
check "a terminal: COLUMNS" columns_of_environment
drop
hold fifteen-letters $FIRST_PORT $SOCKETS
check "a terminal: $SOCKETS sockets" many_on_terminal
check "a line for each of $SOCKETS sockets" all_lines
check "the same in colour" all_lines_coloured
check "colours change no layout: hooks" coloured_alike show hooks
check "an odd name in the first lines" odd_name 10001
check "an odd name in the last lines" odd_name 30001
check "a longer address in the last lines" wider_at_last

ktap_finished
