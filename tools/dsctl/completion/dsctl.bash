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
		[[ $word != "$cur"* ]] || COMPREPLY+=("$(printf %q "${word#"$kept"}")")
	done
}

_dsctl() {
	local typed=${COMP_LINE:0:COMP_POINT} line word words=() names cur kept

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

	COMPREPLY=()
	while IFS= read -r line; do
		word=${line%%$'\t'*}
		names=()
		case $word in
		NETNS) mapfile -t names < <(ls /run/netns 2>/dev/null) ;;
		NAME) mapfile -t names < <(ls /sys/class/net) ;;
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
