#compdef dsctl
# SPDX-License-Identifier: GPL-2.0
#
# Completion for dsctl(8) in zsh. dsctl itself says which words may come next:
# `dsctl help --words` prints them, and kinds of values in capitals, with what they do
# behind a tab.

local line word meaning
local -a choices flags names

for line in "${(@f)$("${(Q)words[1]}" help --words "${(@Q)words[2,CURRENT-1]}" 2>/dev/null)}"; do
	word=${line%%$'\t'*}
	meaning=${line#"$word"}
	case $word in
	('')	;;
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
