#!/usr/bin/zsh -f
# SPDX-License-Identifier: GPL-2.0-only
#
# What zsh's own completion offers behind each line of a file:
#
#   complete.zsh DIRECTORY FILE
#
# DIRECTORY has _dsctl, and what is kept there for the next time. For each that it offers a
# line is printed: the number of the line, from 1, a tab, and the word.

# Completion is there in a shell that reads a terminal only: this one is started anew in one.
if [[ -z $OFFERED ]]; then
	zmodload zsh/zpty
	export OFFERED=$(mktemp)
	zpty shell ZDOTDIR=/nonexistent zsh -d -i -o NO_GLOBAL_RCS
	zpty -w shell "source ${(q)0:a} ${(q)argv[1]:a} ${(q)argv[2]:a}"
	while zpty -r shell; do :; done >/dev/null
	cat $OFFERED
	rm $OFFERED
	exit
fi

fpath=($1 $fpath)
asked=$2
autoload -Uz compinit
# Who does what among a thousand functions is found out once.
compinit -C -u -d $1/dump

# Functions that look only, with -A, -D and -O, offer nothing.
compadd() {
	local -a offered prefix

	if [[ ${argv[1,(i)(-|--)]} == *-[a-zA-Z]#[AOD]\ * ]]; then
		builtin compadd "$@"
		return
	fi
	# What comes before it on the line is apart, as the directory of a file.
	zparseopts -E p:=prefix
	builtin compadd -O offered "$@"
	offered=("${(Q)prefix[2]}"${(Q)^offered})
	(( ! $#offered )) || print -rl -- $number$'\t'${^offered} >>$OFFERED
	builtin compadd "$@"
}

offer() {
	_main_complete
	compstate[insert]=
	compstate[list]=
}
zle -C offer complete-word offer

offer_each() {
	typeset -i number
	local line

	while IFS= read -r line; do
		number+=1
		BUFFER=$line
		CURSOR=$#BUFFER
		zle offer
	done <$asked
	exit
}
zle -N zle-line-init offer_each
