#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The words of dsctl's command line, as `dsctl help --words` lists them: dsctl
# understands each of them where it is listed, the help has no others, and each
# shell completes it.

. "$(dirname "$0")/lib/lib.sh"

require "$DSCTL" setpriv timeout
require_family
own_netns "$@"

NOBODY=65534
DSCTL=$(realpath "$(command -v "$DSCTL")")
COMPLETION=$(dirname "$DSCTL")/completion
# What dsctl says of a word that it does not understand.
MISUNDERSTOOD='unknown|ambiguous|takes no argument|too many|not tcp|not dual|not a number|given twice|needs no|usage'

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"

# One value of each kind
declare -A VALUES=([ADDRESS]=::1 [PORT]=9 [NAME]=lo [PREFIX]=::1 [USER]=root [PROCESS]=1 [NUMBER]=1 [FILE]=file [NETNS]=$$ [LENGTH]=1)
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

# Whoever has no rights changes nothing, and waits for nothing.
understands()
{
	timeout 60 setpriv --reuid=$NOBODY --regid=$NOBODY --clear-groups -- \
		"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
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

ktap_print_header
# Most machines have bash alone: what is not there is not of the plan.
shells=
for shell in bash zsh fish; do
	! command -v "$shell" >/dev/null || shells+=" $shell"
done

ktap_set_plan $((4 + $(wc -w <<<"$shells")))

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

ktap_finished
