#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Type the commands of a guide, and compare what they print with what the guide says.

    guide.py GUIDE.rst [NEW]

A literal block that begins with a prompt is a piece of a session: "# " is root's, "$ "
that of a user without rights, "client$ " root's in the network namespace client. Each
is one shell from the first command to the last. What follows a command is its
output, or "..." for lines that are left out.

What differs from one time to another is compared by its kind: ages, times, process
IDs, ports that the kernel chose, and how many blanks are between columns.

With NEW the guide is written there, with the outputs of this time where they differ.
"""

import difflib
import os
import re
import select
import subprocess
import sys
import time

LIMIT = 120  # seconds for a command
SETTLE = 30  # seconds until what a client has left has ended, too
INDENT = "    "
SHELLS = {
    "# ": ["bash"],
    "$ ": ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "bash"],
    "client$ ": ["ip", "netns", "exec", "client", "bash"],
}
PROMPT = re.compile(INDENT + r"(# |\$ |client\$ )(.*)")
KINDS = [
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:?\d\d)?", "TIME"),
    # Each version of curl words it anew.
    (r"^curl: \(7\) .*", "curl: (7)"),
    (r"(?<![\d.:\]])\b\d+(s|min|h|d)\b", "AGE"),
    (r"(?<=\w)\(\d+(,\+?\d+)*\)", "(PID)"),
    (r"\(pid \d+(, \d+)*\)", "(pid PID)"),
    (r"\bcookie \d+", "cookie COOKIE"),
    (r"(?<=[\d\]\w]):(3[2-9]|4\d|5\d|60)\d{3}\b", ":PORT"),
    (r"^netns: \d+$", "netns: PID"),
    (r'^\["\d+",', '["PID",'),
    (r" +", " "),
    # A table of set v6only
    (r"^(tcp|udp) (\S+) \d+ (?=\w+\(PID\))", r"\1 \2 COOKIE "),
]


# What only looks may look again.
LOOKS = re.compile(r"dsctl (-\S+ |\$?\w+ )*?(audit|show|explain)\b[^>;]*")


class Shell:
    """One that is typed to, and whose output is read until it is done."""

    def __init__(self, argv):
        self.child = subprocess.Popen(argv, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT)
        self.status = "0"

    def run(self, command):
        """What the command prints, without newlines at its end."""
        mark = b"--- end %d ---" % time.monotonic_ns()
        # The exit status is that of the command before.
        self.child.stdin.write(b"(exit %s)\n{ %s\n} </dev/null\necho \"%s$?\"\n" %
                               (self.status.encode(), command.encode(), mark))
        self.child.stdin.flush()
        out = b""
        end = time.monotonic() + LIMIT
        while not re.search(re.escape(mark) + rb"\d+\n", out):
            ready = select.select([self.child.stdout], [], [],
                                  max(0, end - time.monotonic()))[0]
            data = os.read(self.child.stdout.fileno(), 65536) if ready else b""
            if not data:
                sys.exit("no end of: %s\n%s" % (command, out.decode(errors="replace")))
            out += data
        out, status = out.decode().rsplit(mark.decode(), 1)
        self.status = status.strip()
        return [line.rstrip() for line in out.rstrip("\n").split("\n")] if out else []


class Guide:
    """Its lines, and the commands in them: where, prompt, text, output."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            self.lines = file.read().split("\n")
        self.commands = []
        inside = literal = False
        for number, line in enumerate(self.lines):
            indented = line.startswith(INDENT)
            if line and not indented:
                literal, inside = line.endswith("::"), False
            match = PROMPT.fullmatch(line) if literal else None
            if match:
                self.commands.append([number, *match.groups(), []])
                inside = True
            elif inside and indented:
                self.commands[-1][3].append(line[len(INDENT):])
            elif inside:
                self.commands[-1][3].append("")
            elif line:
                literal = literal and line.endswith("::")

    def write(self, path, outputs):
        lines, last = [], 0
        for (number, _, _, old), new in zip(self.commands, outputs):
            lines += self.lines[last:number + 1]
            lines += [(INDENT + line).rstrip() for line in new]
            last = number + 1 + len(old)
            if old and not old[-1] and (not new or new[-1]):
                lines.append("")
        lines += self.lines[last:]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))


def kinds(line):
    for regex, kind in KINDS:
        line = re.sub(regex, kind, line)
    return line.rstrip()


def strip(lines):
    while lines and not lines[-1]:
        lines = lines[:-1]
    return lines


def same(want, got):
    """Whether lines are as wanted, where "..." is for any number of them."""
    if not want:
        return not got
    if want[0] == "...":
        return any(same(want[1:], got[n:]) for n in range(len(got) + 1))
    return bool(got) and want[0] == got[0] and same(want[1:], got[1:])


def main():
    guide = Guide(sys.argv[1])
    if not guide.commands:
        sys.exit("no commands in " + sys.argv[1])
    shells, outputs, bad = {}, [], 0
    for number, prompt, command, want in guide.commands:
        if prompt not in shells:
            shells[prompt] = Shell(SHELLS[prompt])
        outputs.append(want)
        want = [kinds(line) for line in strip(want)]
        end = time.monotonic() + SETTLE
        while True:
            plain = strip(shells[prompt].run(command))
            got = [kinds(line) for line in plain]
            if (same(want, got) or not LOOKS.fullmatch(command) or
                    time.monotonic() > end):
                break
            time.sleep(0.5)
        if not same(want, got):
            bad += 1
            outputs[-1] = plain
            print("line %d: %s%s" % (number + 1, prompt, command))
            print("\n".join(list(difflib.unified_diff(
                want, got, "guide", "seen", lineterm=""))[2:]))
    if len(sys.argv) > 2:
        guide.write(sys.argv[2], outputs)
    print("%d commands, %d differ" % (len(guide.commands), bad))
    sys.exit(bool(bad))


main()
