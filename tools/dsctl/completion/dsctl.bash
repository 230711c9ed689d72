# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion for dsctl(8).

# The words that may follow those given, which are spelled out in full.
__dsctl_words() {
	local words=$1 given=$2 word out=()

	for word in $words; do
		[[ " $given " == *" $word "* ]] || out+=("$word")
	done
	echo "${out[*]}"
}

_dsctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options="-json -pretty -statistics -all -netns -Version -help"
	local i word choices="" args=()

	COMPREPLY=()

	# What precedes the cursor, without options and their values.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-n | -netns | --netns)
			((++i))
			;;
		-*)
			;;
		*)
			args+=("$word")
			;;
		esac
	done

	case $prev in
	-n | -netns | --netns)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(ls /run/netns 2>/dev/null)" -- "$cur")
		return
		;;
	esac

	if [[ ${#args[@]} -eq 0 && $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		return
	fi

	case ${args[*]} in
	*help)
		;;
	"")
		choices="show help"
		;;
	show)
		choices="sockets stats hooks help"
		;;
	"show sockets"* | "show stats"*)
		case $prev in
		port)
			;;
		proto)
			choices="tcp udp"
			;;
		mode)
			choices="dual v6only v6 mapped v4"
			;;
		sockets)
			choices="port proto mode help"
			;;
		stats)
			choices="proto help"
			;;
		*)
			[[ ${args[1]} == sockets ]] &&
				choices=$(__dsctl_words "port proto mode" \
					"${args[*]:2}")
			;;
		esac
		;;
	"show hooks")
		choices="help"
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
}

complete -F _dsctl dsctl
