# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # rc is of lib.sh, the others are the script's own
#
# For scripts that compare what dsctl says with what a peer, in Python, saw:
#   tmp    a directory, with dsctl-nobody, which runs dsctl without rights
#   LIMIT  seconds, for what takes a moment
# The peer reads commands from descriptor 8, and answers each by a line to 9.

# ask COMMAND...: of the peer; prints its answer
ask()
{
	local line

	echo "$*" >&8
	read -r -t "$LIMIT" line <&9 && echo "$line"
}

# says REGEX ARGUMENT...: exit code 0, that on stdout, silence on stderr
says()
{
	local regex=$1

	shift
	run "$@"
	[ "$rc" = 0 ] && [ ! -s "$tmp/err" ] && grep -Eq -e "$regex" "$tmp/out"
}

# fails CODE REGEX ARGUMENT...: exit code, silence on stdout, that on stderr
fails()
{
	local code=$1 regex=$2

	shift 2
	run "$@"
	echo "exit code $rc"
	[ "$rc" = "$code" ] && [ ! -s "$tmp/out" ] &&
		grep -Eq -e "$regex" "$tmp/err"
}

# as_nobody COMMAND ARGUMENT...: one of the above, as a user without rights
as_nobody()
{
	# shellcheck disable=SC2034 # run has it
	local DSCTL=$tmp/dsctl-nobody

	"$@"
}
