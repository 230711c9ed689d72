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

# The values that a word is followed by; fails if it is no such word.
__dsctl_values() {
	case $1 in
	proto)
		echo "tcp udp"
		;;
	mode)
		echo "dual v6only v6 mapped v4"
		;;
	dev)
		ls /sys/class/net
		;;
	port | cookie | from)
		;;
	*)
		return 1
		;;
	esac
}

# The words of a SOCKET after those given: a cookie, or a protocol and a port.
__dsctl_socket() {
	case " $1 " in
	*" cookie "*) ;;
	*" proto "* | *" port "*) __dsctl_words "proto port" "$1" ;;
	*) echo "cookie proto port" ;;
	esac
}

# The words that may follow those of a whole command.
__dsctl_choices() {
	local rest=${*:3}

	if __dsctl_values "${*: -1}"; then
		return
	fi
	case $* in
	*help)
		;;
	"")
		echo "show explain monitor set reset audit export help"
		;;
	show)
		echo "sockets stats hooks config help"
		;;
	"show sockets"*)
		__dsctl_words "port proto mode" "$rest"
		[[ $rest ]] || echo help
		;;
	"show stats")
		echo "proto help"
		;;
	"show hooks" | "show config" | audit)
		echo "help"
		;;
	explain)
		echo "tcp udp help"
		;;
	"explain tcp" | "explain udp")
		compgen -A hostname
		;;
	"explain "*" "*" "*)
		__dsctl_words "from dev" "$rest"
		;;
	monitor)
		echo "mapped reject help"
		;;
	set)
		echo "tracking v6only bindv6only max-sockets event-rate help"
		;;
	"set tracking" | "set v6only" | "set bindv6only")
		echo "on off help"
		;;
	"set v6only on" | "set v6only off")
		echo "cookie proto port all"
		;;
	"set v6only "*dry-run)
		;;
	"set v6only "*)
		case " $rest " in
		*" all "* | *" cookie "*) ;;
		*) __dsctl_socket "$rest" ;;
		esac
		[[ $rest == *" proto "[tu]* && $rest != *port* ]] || echo dry-run
		;;
	reset)
		echo "cookie proto port help"
		;;
	"reset "*)
		__dsctl_socket "$*"
		;;
	esac
}

# Complete a word to one of these. compgen -W would do what is in them, and devices
# and namespaces can have any name.
__dsctl_reply() {
	local cur=$1 word words

	COMPREPLY=()
	read -d "" -ra words <<<"$2"
	for word in "${words[@]}"; do
		[[ $word != "$cur"* ]] || COMPREPLY+=("$(printf %q "$word")")
	done
}

__dsctl_files() {
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_dsctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options="-json -pretty -statistics -all -no-processes -color -netns"
	local i word args=()

	options+=" -every-netns -batch -force -Version -help"
	COMPREPLY=()

	# What precedes the cursor, without options and their values.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-n | -netns | --netns | -b | -batch | --batch)
			((++i))
			;;
		-*)
			;;
		=)
			# The shell makes three words of -color=WHEN.
			((++i))
			;;
		*)
			args+=("$word")
			;;
		esac
	done

	case $prev in
	-n | -netns | --netns)
		__dsctl_reply "$cur" "$(ls /run/netns 2>/dev/null)"
		return
		;;
	-b | -batch | --batch)
		__dsctl_files "$cur"
		return
		;;
	=)
		cur=${cur#=}
		__dsctl_reply "$cur" "always auto never"
		return
		;;
	-c | -color | --color)
		if [[ $cur == "=" ]]; then
			COMPREPLY=(always auto never)
			return
		fi
		;;
	esac

	if [[ ${#args[@]} -eq 0 && $cur == -* ]]; then
		__dsctl_reply "$cur" "$options"
	elif [[ ${args[*]} == export ]]; then
		__dsctl_files "$cur"
	else
		__dsctl_reply "$cur" "$(__dsctl_choices "${args[@]}")"
	fi
}

complete -F _dsctl dsctl
