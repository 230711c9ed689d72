# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion for dsctl(8) in bash. dsctl itself says which words may come next:
# `dsctl help --words` prints them, and kinds of values in capitals.

# Add what the word at the cursor is the beginning of: __dsctl_add CURRENT KEPT WORD...,
# without what the shell keeps of it. Names can have anything in them.
__dsctl_add() {
	local cur=$1 kept=$2 word

	for word in "${@:3}"; do
		[[ $word == "$cur"* ]] || continue
		printf -v word %q "${word#"$kept"}"
		COMPREPLY+=("$word")
	done
}

# What there is, by a column of a list of dsctl's: __dsctl_list COLUMN ARGUMENT... Not to
# ask for the module is not to have it loaded.
__dsctl_list() {
	[[ ! -e /sys/module/dualstack ]] ||
		"${words[0]}" "${netns[@]}" -H -o "$@" 2>/dev/null
}

_dsctl() {
	local typed=${COMP_LINE:0:COMP_POINT} line word words=() names cur kept netns i

	# The shell breaks words at = and :, as in -c=auto and [::1]:80, and keeps what is
	# before the break.
	for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
		if [[ $typed == [[:blank:]]* || ${#words[@]} == 0 ]]; then
			words+=("")
			typed=${typed#"${typed%%[![:blank:]]*}"}
		fi
		[[ $typed == "$word"* ]] || word=$typed
		words[-1]+=$word
		typed=${typed#"$word"}
	done
	cur=${words[-1]}
	unset "words[-1]"
	[[ $word != [=:]* ]] || word=""
	kept=${cur%"$word"}

	# Of the namespace that is asked for
	netns=()
	for ((i = 1; i + 1 < ${#words[@]}; i++)); do
		[[ ${words[i]} != -n?(etns) ]] || netns=(-n "${words[i + 1]}")
	done

	COMPREPLY=()
	while IFS= read -r line; do
		word=${line%%$'\t'*}
		names=()
		case $word in
		PORT) mapfile -t names < <(__dsctl_list local -P show sockets | sed 's/.*://' |
			grep -x '[0-9]*' | sort -nu) ;;
		COOKIE) mapfile -t names < <(__dsctl_list cookie -P show sockets) ;;
		PROCESS) mapfile -t names < <({
			__dsctl_list process show sockets | sed 's/([0-9,]*) \?/\n/g'
			[[ " ${words[*]} " != *" pe"* ]] || __dsctl_list process show peers
		} | grep -vx -e '-\?' | sort -u) ;;
		NETNS) mapfile -t names < <(ls /run/netns 2>/dev/null) ;;
		NAME) mapfile -t names < <(ls /sys/class/net 2>/dev/null) ;;
		ADDRESS) mapfile -t names < <(compgen -A hostname) ;;
		USER) mapfile -t names < <(compgen -A user) ;;
		FILE)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			;;
		[A-Z]*) ;;
		-*) [[ $cur != -* ]] || names=("$word") ;;
		*) names=("$word") ;;
		esac
		__dsctl_add "$cur" "$kept" "${names[@]}"
	done < <("${words[0]}" help --words "${words[@]:1}" 2>/dev/null)
}

complete -F _dsctl dsctl
