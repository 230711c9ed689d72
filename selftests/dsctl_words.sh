#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The words of dsctl's command line, as `dsctl help --words` lists them: dsctl
# understands each of them where it is listed, the help has no others, and each
# shell completes it; and bash what there is of ports, cookies and so on.

. "$(dirname "$0")/lib/lib.sh"

require "$DSCTL" setpriv timeout python3 ip
require_family
own_netns "$@"

NOBODY=65534
DSCTL=$(realpath "$(command -v "$DSCTL")")
COMPLETION=$(dirname "$DSCTL")/completion
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
	out=$("$DSCTL" help --words "$@" | cut -f 1)
	for word in $out; do
		place="$command:$word"
		case $word in
		-*) continue ;;
		[A-Z]*)
			place="$command:${*: -1}:$word"
			word=${VALUES[$word]:-no-value-of-$word}
			;;
		esac
		[ -z "${seen[$place]}" ] || continue
		seen["$place"]=1
		echo "$* $word" | sed 's/^ //'
		[ "$word" = help ] || walk "$@" "$word"
	done
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

# Whoever has no rights changes nothing, and waits for nothing. What goes on is to end.
understands()
{
	[[ " $* " != *" interval 1 "* || " $* " == *" count "* ]] || set -- "$@" count 1
	timeout 60 setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups -- \
		"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	[ $? -lt 124 ] || return 1
	! grep -E "$MISUNDERSTOOD" "$tmp/err"
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

# What each shell makes of these words with the cursor behind the last one
bash_completes()
{
	COMP_LINE="dsctl $*"
	COMP_POINT=${#COMP_LINE}
	# As bash breaks them
	read -ra COMP_WORDS < <(sed -E 's/ ([^ ]*)$/ \1/; s/([=:]+)/ \1 /g' <<<"$COMP_LINE")
	[ -n "${*: -1}" ] || COMP_WORDS+=("")
	COMP_WORDS[0]=$DSCTL
	COMP_LINE=$DSCTL${COMP_LINE#dsctl}
	COMP_POINT=${#COMP_LINE}
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_dsctl
	printf '%s\n' "${COMPREPLY[@]}"
}

# Its own functions print what they would offer.
zsh_completes()
{
	# shellcheck disable=SC2016 # zsh expands it
	zsh -f -c '
		_describe() { print -rl -- "${(@P)argv[-1]}" }
		compadd() { print -rl -- "${(@P)argv[-1]}" }
		_files() { print -rl -- "$PREFIX"*(N) }
		_net_interfaces() { print -rl -- /sys/class/net/*(:t) }
		_hosts() { }
		_users() { cut -d : -f 1 /etc/passwd }
		file=$1
		shift
		words=("$@")
		CURRENT=$#
		PREFIX=$argv[-1]
		. "$file"' zsh "$COMPLETION/dsctl.zsh" "$DSCTL" "$@" | sed 's/:[A-Z].*//'
}

fish_completes()
{
	PATH=$(dirname "$DSCTL"):$PATH \
		fish -N -c "source $COMPLETION/dsctl.fish; complete -C 'dsctl $*'" |
		cut -f 1
}

# completed SHELL WORD...: the last word is one of those that half of it stands for;
# of addresses and numbers there is nothing to offer
completed()
{
	local shell=$1 word=${*: -1}

	shift
	case $word in
	::1 | 9 | 1) return ;;
	esac
	"${shell}_completes" "${@:1:$# - 1}" "$(half "$@")" >"$tmp/offered"
	grep -qxF -e "$word" -e "${word#*=}" "$tmp/offered" || {
		cat "$tmp/offered"
		return 1
	}
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

# offers WORD ARGUMENT...: bash offers it in place of the last argument, and says nothing
offers()
{
	local word=$1

	shift
	bash_completes "$@" >"$tmp/offered" 2>"$tmp/err"
	cat "$tmp/offered" "$tmp/err"
	[ ! -s "$tmp/err" ] && grep -qxF -e "$word" "$tmp/offered"
}

# Of the namespace that is asked for, and no other
live_values()
{
	local cookie rc=0

	ip netns add $netns && serve 7402 "other srv" ip netns exec $netns || return 1
	offers 7402 -n $netns show sockets port "" &&
		offers "$cookie" -n $netns reset cookie "" &&
		offers "other\\ srv" -netns $netns monitor process o &&
		offers $netns -n ds-w && ! offers 7402 show sockets port "" || rc=1
	kill "$server"
	[ $rc = 0 ] && serve 7401 "my srv" || return 1
	for words in "show sockets port" "explain tcp ::1" "top proto tcp port" \
		     "set v6only on proto tcp port"; do
		# shellcheck disable=SC2086 # words
		offers 7401 $words 7 || rc=1
	done
	offers "$cookie" set v6only on cookie "${cookie:0:1}" &&
		offers "my\\ srv" top process "" || rc=1
	kill "$server"
	return $rc
}

# Names of files with all that a shell has to quote
files()
{
	touch "a b" "c'd" && mkdir -p dir && touch dir/in &&
		offers "a b" -b a && offers "c'd" export c && offers dir -batch d &&
		offers dir/in export dir/
}

# Where it is not there, it is not asked for, and nothing is said.
no_module()
{
	unload_module || return 1
	bash_completes show sockets port "" >"$tmp/offered" 2>"$tmp/err"
	bash_completes reset cookie "" >>"$tmp/offered" 2>>"$tmp/err"
	bash_completes top process "" >>"$tmp/offered" 2>>"$tmp/err"
	! grep -q '^dualstack ' /proc/modules && load_module || return 1
	! grep . "$tmp/offered" "$tmp/err"
}

ktap_print_header
# Most machines have bash alone: what is not there is not of the plan.
shells=
for shell in bash zsh fish; do
	! command -v "$shell" >/dev/null || shells+=" $shell"
done

ktap_set_plan $((7 + $(wc -w <<<"$shells")))

walk >"$tmp/words"
"$DSCTL" help --words | cut -f 1 | grep '^-' >"$tmp/options"
cat "$tmp/words" "$tmp/options" >"$tmp/all"
grep -v '^-\(Version\|help\)$' "$tmp/options" >"$tmp/harmless"

check "words are understood" by_each "$tmp/words" understands
check "options are understood" by_each "$tmp/harmless" understands_option
check "the help has no others" has_no_others
check "abbreviated words" follows_abbreviations
for shell in $shells; do
	if [ ! -e "$COMPLETION/dsctl.$shell" ]; then
		ktap_test_skip "$shell completes each word: no $COMPLETION/dsctl.$shell"
	else
		# shellcheck source=/dev/null
		[ "$shell" != bash ] || . "$COMPLETION/dsctl.bash"
		check "$shell completes each word" by_each "$tmp/all" completed "$shell"
	fi
done
check "bash completes what there is" live_values
check "bash completes names of files" files
check "bash completes without the module" no_module

ktap_finished
