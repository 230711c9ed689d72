# SPDX-License-Identifier: GPL-2.0
#
# Completion for dsctl(8) in fish. dsctl itself says which words may come next:
# `dsctl help --words` prints them, and kinds of values in capitals, with what they do
# behind a tab, as fish has it.

function __dsctl_words
    set -l words (commandline -opc)
    set -l current (commandline -ct)

    for line in ($words[1] help --words $words[2..-1] 2>/dev/null)
        switch $line
            case NETNS
                command ls /run/netns 2>/dev/null
            case NAME
                command ls /sys/class/net
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
