#compdef dsctl
# SPDX-License-Identifier: GPL-2.0
#
# Completion for dsctl(8) in zsh. dsctl itself says which words may come next:
# `dsctl help --words` prints them, and kinds of values in capitals, with what they do
# behind a tab.

local line word meaning
local -a choices flags names netns
local -i i

# Of the namespace that is asked for
for ((i = 2; i + 1 < CURRENT; i++)); do
	[[ $words[i] != -n(|etns) ]] || netns=(-n "${(Q)words[i+1]}")
done

# What there is, by a column of a list of dsctl's: COLUMN ARGUMENT... Not to ask for the
# module is not to have it loaded.
_dsctl_list() {
	[[ ! -e /sys/module/dualstack ]] ||
		"${(Q)words[1]}" $netns -H -o "$@" 2>/dev/null
}

for line in "${(@f)$("${(Q)words[1]}" help --words "${(@Q)words[2,CURRENT-1]}" 2>/dev/null)}"; do
	word=${line%%$'\t'*}
	meaning=${line#"$word"}
	case $word in
	('')	;;
	(PORT)	names=(${(f)"$(_dsctl_list local -P show sockets | sed 's/.*://' |
			grep -x '[0-9]*' | sort -nu)"})
		compadd -a names ;;
	(COOKIE) names=(${(f)"$(_dsctl_list cookie -P show sockets)"}); compadd -a names ;;
	(PROCESS) names=(${(f)"$({
			_dsctl_list process show sockets | sed 's/([0-9,]*) \?/\n/g'
			[[ " $words " != *" pe"* ]] || _dsctl_list process show peers
		} | grep -vx -e '-\?' | sort -u)"})
		compadd -a names ;;
	(NETNS)	names=(/run/netns/*(N:t)); compadd -a names ;;
	(NAME)	_net_interfaces ;;
	(ADDRESS) _hosts ;;
	(USER)	_users ;;
	(FILE)	_files ;;
	([A-Z]*) ;;
	(-*)	flags+=("$word${meaning/#$'\t'/:}") ;;
	(*)	choices+=("$word${meaning/#$'\t'/:}") ;;
	esac
done

(( ! $#choices )) || _describe -t words 'word' choices
[[ $PREFIX != -* ]] || _describe -o -t options 'option' flags
