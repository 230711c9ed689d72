# SPDX-License-Identifier: GPL-2.0
#
# Completion for dsctl(8) in fish. dsctl itself says which words may come next:
# `dsctl help --words` prints them, and kinds of values in capitals, with what they do
# behind a tab, as fish has it.

# What there is, by a column of a list of dsctl's: COLUMN ARGUMENT... Not to ask for the
# module is not to have it loaded.
function __dsctl_list
    set -l words (commandline -opc)
    set -l netns

    for i in (seq 2 (math (count $words) - 1))
        string match -qr '^-n(etns)?$' -- $words[$i]; and set netns -n $words[(math $i + 1)]
    end
    test -e /sys/module/dualstack
    and $words[1] $netns -H -o $argv 2>/dev/null
end

function __dsctl_words
    set -l words (commandline -opc)
    set -l current (commandline -ct)

    for line in ($words[1] help --words $words[2..-1] 2>/dev/null)
        switch $line
            case PORT
                __dsctl_list local -P show sockets | string replace -r '.*:' '' |
                    string match -r '^[0-9]+$'
            case COOKIE
                __dsctl_list cookie -P show sockets
            case PROCESS
                __dsctl_list process show sockets | sed 's/([0-9,]*) \?/\n/g' |
                    string match -rv '^-?$'
                string match -q '* pe*' "$words"
                and __dsctl_list process show peers | string match -v -- -
            case NETNS
                command ls /run/netns 2>/dev/null
            case NAME
                command ls /sys/class/net 2>/dev/null
            case ADDRESS
                __fish_print_hostnames
            case USER
                __fish_complete_users
            case FILE
                __fish_complete_path $current
            case '-*'
                string match -q -- '-*' $current; and echo $line
            case '*'
                string match -qr '^[A-Z]' -- $line; or echo $line
        end
    end
end

complete -c dsctl -f -a '(__dsctl_words)'
