#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The words of dsctl's command line, as `dsctl help --words` lists them: dsctl
# understands each of them where it is listed, the help has no others, and each
# shell completes it, as bash does, and what there is of ports, cookies and so on.

. "$(dirname "$0")/lib/lib.sh"

require "$DSCTL" setpriv timeout python3 ip
require_family
own_netns "$@"

NOBODY=65534
DSCTL=$(realpath "$(command -v "$DSCTL")")
COMPLETION=$(dirname "$DSCTL")/completion
PEERS=$(realpath peer)
# What dsctl says of a word that it does not understand.
MISUNDERSTOOD='unknown|ambiguous|takes no argument|too many|not tcp|not dual|not a number|given twice|needs no|usage'

tmp=$(mktemp -d)
netns=ds-words-$$
cleanup()
{
	ip netns del $netns 2>/dev/null
	rm -rf "$tmp"
	grep -q '^dualstack ' /proc/modules || load_module
}
trap cleanup EXIT
chmod 755 "$tmp"

# One value of each kind
declare -A VALUES=([ADDRESS]=::1 [PORT]=9 [NAME]=lo [PREFIX]=::1 [USER]=root [PROCESS]=1 [NUMBER]=1 [FILE]=file [NETNS]=$$ [LENGTH]=1 [SECONDS]=1 [COOKIE]=1)
cd "$tmp" && touch file

# walk WORD...: write down each word that can follow these, with these before it, and
# go on behind it: each word of a command once, whatever others came before it, each
# value once behind each word
declare -A seen
walk()
{
	local out word place command=${1-}

	case $command in
	show | set | unset) command+=" ${2-}" ;;
	top) [[ ${2-} != @(sockets|peers) ]] || command+=" $2" ;;
	esac
	out=$("$DSCTL" help --words "$@")
	while IFS=$'\t' read -r word _; do
		place="$command:$word"
		case $word in
		-* | "") continue ;;
		[A-Z]*)
			place="$command:${*: -1}:$word"
			word=${VALUES[$word]:-no-value-of-$word}
			;;
		esac
		[ -z "${seen[$place]}" ] || continue
		seen["$place"]=1
		echo ${1+"$*"} "$word"
		[ "$word" = help ] || walk "$@" "$word"
	done <<<"$out"
}

# by_each LIST COMMAND...: the command holds for each line of the list, which is not
# empty
by_each()
{
	local list=$1 line bad=0

	shift
	[ -s "$list" ] || return 1
	while IFS= read -r line <&3; do
		# shellcheck disable=SC2086 # words
		"$@" $line || { echo "not so: $line" && bad=1; }
	done 3<"$list"
	return "$bad"
}

# Each as a command of a batch, with one behind them that is not understood: so all have
# been read. Whoever has no rights changes nothing, and waits for nothing. What goes on is
# to end.
understands_all()
{
	[ -s "$tmp/words" ] || return 1
	sed '/ interval 1\>/ { / count\>/! s/$/ count 1/ }' "$tmp/words" >"$tmp/commands"
	echo bogus >>"$tmp/commands"
	timeout 600 setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups -- \
		"$DSCTL" -force -batch "$tmp/commands" >"$tmp/out" 2>"$tmp/err" </dev/null
	[ $? -lt 124 ] || return 1
	grep -nE -A 1 "$MISUNDERSTOOD" "$tmp/err" >"$tmp/misunderstood"
	cat "$tmp/misunderstood"
	[ "$(wc -l <"$tmp/misunderstood")" = 2 ] &&
		tail -n 1 "$tmp/misunderstood" | grep -q "commands:$(wc -l <"$tmp/commands"):"
}

# An option, with a value where it has one, before a command
understands_option()
{
	local kind

	kind=$("$DSCTL" help --words "$1")
	case $kind in
	NETNS) "$DSCTL" "$1" $$ show stats ;;
	FILE) "$DSCTL" "$1" /dev/null ;;
	COLUMNS) "$DSCTL" "$1" value show stats ;;
	*) "$DSCTL" "$1" show stats ;;
	esac >"$tmp/out"
}

# Words of the grammar that the help prints, of a command and of its rules
help_words()
{
	"$DSCTL" "$@" help |
		awk 'sub(/^Usage: dsctl \[ OPTIONS \] /, "") { print }
		     !/^ / { rule = sub(/^[A-Z]+ *:= [[{]/, "") }
		     rule { print }' |
		grep -oE '[a-z][a-z0-9-]*' | sort -u
}

has_no_others()
{
	local command

	while IFS= read -r command <&4; do
		# shellcheck disable=SC2086 # words
		help_words $command >"$tmp/help"
		grep "^$command" "$tmp/words" | tr ' ' '\n' | sort -u >"$tmp/listed"
		comm -23 "$tmp/help" "$tmp/listed" >"$tmp/others"
		if [ ! -s "$tmp/help" ] || [ -s "$tmp/others" ]; then
			echo "$command:"
			cat "$tmp/others"
			return 1
		fi
	done 4< <(sed -n 's/ help$//p' "$tmp/words")
}

# Abbreviated words lead to the same place, and wrong ones to none.
follows_abbreviations()
{
	[ "$("$DSCTL" help --words sh so mo)" = \
	  "$("$DSCTL" help --words show sockets mode)" ] &&
		[ -z "$("$DSCTL" help --words bogus)" ] &&
		[ -z "$("$DSCTL" help --words show sockets bogus)" ] &&
		[ -z "$("$DSCTL" help --words show sockets port 9 port)" ] &&
		! "$DSCTL" help --words show peers in | grep -q SECONDS &&
		[ "$("$DSCTL" help --words show peers in | head -n 1)" = port ] &&
		[ "$("$DSCTL" help --words to proto)" = \
		  "$("$DSCTL" help --words top sockets proto)" ] &&
		[ "$("$DSCTL" help --words -j -n x show)" = \
		  "$("$DSCTL" show help --words)" ]
}

# The first half of the last word, at least a character
half()
{
	local word=${*: -1}

	printf '%s\n' "${word:0:(${#word} + 1) / 2}"
}

# What bash makes of these words with the cursor behind the last one, in COMPREPLY
bash_completes()
{
	COMP_LINE="dsctl $*"
	COMP_POINT=${#COMP_LINE}
	COMP_WORDS=(dsctl "$@")
	# As bash breaks them
	[[ $COMP_LINE != *[=:]* ]] ||
		read -ra COMP_WORDS < <(sed -E 's/([=:]+)/ \1 /g' <<<"$COMP_LINE")
	[ -n "${*: -1}" ] || [ -z "${COMP_WORDS[-1]}" ] || COMP_WORDS+=("")
	COMP_WORDS[0]=$DSCTL
	COMP_LINE=$DSCTL${COMP_LINE#dsctl}
	COMP_POINT=${#COMP_LINE}
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_dsctl
}

# Each shell prints what it offers behind each line of "$tmp/asked": the number of the
# line, a tab and the word.

bash_offers()
{
	local line words word n=0

	while IFS= read -r line <&3; do
		read -ra words <<<"$line"
		[[ $line != *" " ]] || words+=("")
		n=$((n + 1))
		# What is before a = is not for it to offer.
		if [[ $line == *=* ]]; then line="${words[-1]%%=*}="; else line=; fi
		bash_completes "${words[@]:1}"
		for word in "${COMPREPLY[@]}"; do
			[ -z "$word" ] || printf '%s\t%s\n' "$n" "$line${word//\\/}"
		done
	done 3<"$tmp/asked"
}

zsh_offers()
{
	PATH=$(dirname "$DSCTL"):$PATH timeout 600 "$PEERS/complete.zsh" "$tmp/zsh" "$tmp/asked"
}

fish_offers()
{
	# shellcheck disable=SC2016 # fish expands it
	PATH=$(dirname "$DSCTL"):$PATH timeout 600 fish -N -c 'source $argv[1]
		while read -l line
			set n (math $n + 1)
			complete -C $line | string replace -r "\t.*" "" | string replace -r "^" "$n\t"
		end <$argv[2]' "$COMPLETION/dsctl.fish" "$tmp/asked"
}

# completes_each SHELL: half of a word stands for the word, and for those that bash offers
# besides
completes_each()
{
	"$1_offers" | sort -u >"$tmp/offered-$1"
	awk 'NR == FNR { offered[$0]; next }
	     !(FNR "\t" $NF in offered) { print "not offered: " $0 }' \
		"$tmp/offered-$1" "$tmp/all" >"$tmp/missing"
	diff "$tmp/offered-bash" "$tmp/offered-$1" >>"$tmp/missing"
	! head -n 30 "$tmp/missing" | grep .
}

# one_in_three: what those have that come after bash, for it takes its time and all of them
# ask the same dsctl
one_in_three()
{
	local file

	for file in all asked; do
		sed -n '1~3p' "$tmp/$file" >"$tmp/third" && mv "$tmp/third" "$tmp/$file"
	done
	awk -F '\t' -v OFS='\t' '$1 % 3 == 1 { $1 = ($1 + 2) / 3; print }' \
		"$tmp/offered-bash" | sort -u >"$tmp/third"
	mv "$tmp/third" "$tmp/offered-bash"
}

# serve PORT NAME [PREFIX...]: a process of that name listens there; sets server, and
# cookie
serve()
{
	local said

	exec {said}< <(exec "${@:3}" python3 -c 'import signal, socket, sys
open("/proc/self/comm", "w").write(sys.argv[2])
sock = socket.socket(socket.AF_INET6)
sock.bind(("::", int(sys.argv[1])))
sock.listen()
print(int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, 57, 8), sys.byteorder),
      flush=True)
signal.pause()' "$1" "$2")
	server=$!
	read -r -t 60 cookie <&"$said" || { kill "$server"; return 1; }
	exec {said}<&-
}

# offers SHELL: behind each line that is read, up to a |, it offers the word behind that, or
# does not where that begins with a !; and it says nothing
offers()
{
	local lines word n=0 rc=0

	mapfile -t lines
	printf 'dsctl %s\n' "${lines[@]%%|*}" >"$tmp/asked"
	"$1_offers" >"$tmp/offered" 2>"$tmp/err"
	for word in "${lines[@]#*|}"; do
		n=$((n + 1))
		if [[ $word == !* ]]; then
			! grep -xF -e "$n"$'\t'"${word#!}" "$tmp/offered" || rc=1
		else
			grep -qxF -e "$n"$'\t'"$word" "$tmp/offered" || rc=1
		fi
	done
	cat "$tmp/asked" "$tmp/offered"
	! grep . "$tmp/err" && return $rc
}

# live_values SHELL: of the namespace that is asked for, and no other
live_values()
{
	local cookie rc=0

	ip netns add $netns && serve 7402 "other srv" ip netns exec $netns || return 1
	offers "$1" <<-END || rc=1
		-n $netns show sockets port |7402
		-n $netns reset cookie |$cookie
		-netns $netns monitor process o|other srv
		-n ds-w|$netns
		show sockets port |!7402
	END
	kill "$server"
	ip netns del $netns
	[ $rc = 0 ] && serve 7401 "my srv" || return 1
	offers "$1" <<-END || rc=1
		show sockets port 7|7401
		explain tcp ::1 7|7401
		top proto tcp port 7|7401
		set v6only on proto tcp port 7|7401
		set v6only on cookie ${cookie:0:1}|$cookie
		top process |my srv
	END
	kill "$server"
	return $rc
}

# files SHELL: with what a shell has to quote
files()
{
	touch "a b" "c'd" && mkdir -p dir && touch dir/in && offers "$1" <<-END
		-b a|a b
		export c|c'd
		export dir/|dir/in
	END
}

# no_module: where it is not there, it is not asked for, and nothing is said.
no_module()
{
	local shell rc=0

	unload_module || return 1
	for shell in $shells; do
		printf 'dsctl %s \n' "show sockets port" "reset cookie" "top process" >"$tmp/asked"
		"${shell}_offers" >"$tmp/offered" 2>"$tmp/err"
		! grep . "$tmp/offered" "$tmp/err" || rc=1
	done
	! grep -q '^dualstack ' /proc/modules && load_module && return $rc
}

ktap_print_header
# Most machines have bash alone: what is not there is not of the plan.
shells=
for shell in bash zsh fish; do
	[ ! -e "$COMPLETION/dsctl.$shell" ] || ! command -v "$shell" >/dev/null || shells+=" $shell"
done

ktap_set_plan $((5 + 3 * $(wc -w <<<"$shells")))

walk >"$tmp/words"
"$DSCTL" help --words | cut -f 1 | grep '^-' >"$tmp/options"
# Of addresses and numbers there is nothing that is always there to be offered.
grep -v ' \(::1\|9\|1\)$' "$tmp/words" | cat - "$tmp/options" >"$tmp/all"
grep -v '^-\(Version\|help\)$' "$tmp/options" >"$tmp/harmless"
while read -ra words; do
	echo "dsctl ${words[*]:0:${#words[@]} - 1} $(half "${words[@]}")"
done <"$tmp/all" | tr -s ' ' >"$tmp/asked"
mkdir "$tmp/zsh"
ln -s "$COMPLETION/dsctl.zsh" "$tmp/zsh/_dsctl"
# shellcheck source=/dev/null
[ -z "$shells" ] || . "$COMPLETION/dsctl.bash"

check "words are understood" understands_all
check "options are understood" by_each "$tmp/harmless" understands_option
check "the help has no others" has_no_others
check "abbreviated words" follows_abbreviations
for shell in $shells; do
	case $shell in
	bash)
		check "bash completes each word" completes_each bash
		one_in_three
		;;
	*)
		check "$shell completes words as bash does" completes_each "$shell"
		;;
	esac
done
for shell in $shells; do
	check "$shell completes what there is" live_values "$shell"
	check "$shell completes names of files" files "$shell"
done
if [ -n "$shells" ]; then
	check "nothing is completed without the module" no_module
else
	ktap_test_skip "completion: $COMPLETION not found"
fi

ktap_finished
