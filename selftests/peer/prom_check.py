#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Read the text format of Prometheus strictly, and print its samples as JSON.

Each metric has HELP and TYPE lines, before its samples, once; its samples stand
together; no two have the same labels; a counter's name ends in _total, and its
value is a natural number; the text ends in a newline. Other lines that begin with a
hash are for people.
"""

import json
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? ([0-9]+)" %
                    (NAME, LABEL, LABEL))
HEAD = re.compile(r"# (HELP|TYPE) (%s) (.+)" % NAME)
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def fail(number, line, why):
    sys.exit("line %d: %s: %s" % (number, why, line))


def unescape(value):
    return re.sub(r'\\[\\"n]', lambda m: ESCAPES[m.group()], value)


def main():
    text = sys.stdin.buffer.read().decode("utf-8")
    if not text.endswith("\n"):
        sys.exit("no newline at the end")
    seen, heads, samples, current = set(), {}, [], None
    for number, line in enumerate(text[:-1].split("\n"), 1):
        head = HEAD.fullmatch(line)
        if head:
            what, name, value = head.groups()
            if (what, name) in heads:
                fail(number, line, "given twice")
            if what == "TYPE":
                if value not in ("counter", "gauge"):
                    fail(number, line, "unknown type")
                if (value == "counter") != name.endswith("_total"):
                    fail(number, line, "name and type differ")
                current = name
            heads[what, name] = value
            continue
        if re.match("# (?!HELP|TYPE)", line):
            continue
        match = SAMPLE.fullmatch(line)
        if not match:
            fail(number, line, "neither a head nor a sample")
        name = match.group(1)
        if name != current or ("HELP", name) not in heads:
            fail(number, line, "not below its head")
        labels = [(m.group(1), unescape(m.group(2)))
                  for m in re.finditer(LABEL, match.group(2) or "")]
        if len(dict(labels)) != len(labels):
            fail(number, line, "a label twice")
        key = (name, *sorted(labels))
        if key in seen:
            fail(number, line, "a sample twice")
        seen.add(key)
        samples.append({"name": name, "labels": dict(labels),
                        "value": int(match.group(match.lastindex))})
    json.dump(samples, sys.stdout)


main()
