#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Hold what dsctl printed against the schema of each command.

  schema_check.py DIRECTORY COMMAND... <KEPT

DIRECTORY has the schemas: that of "show stats" is show-stats.json. What was printed
comes behind a line "# ARGUMENTS" that tells of what, as lib/schema.sh keeps it. Of each
COMMAND there has to be some that is not empty, lest nothing is held against anything.
"""

import json
import os
import sys

from jsonschema import Draft202012Validator, exceptions

# Newer versions of jsonschema have it in place of their own RefResolver.
try:
    from referencing import Registry, Resource
except ImportError:
    from jsonschema import RefResolver

SHARED = ("shared.json", "spec.json")	# what schemas refer to
SHOWN = 5	# complaints


def load(directory):
    schemas = {}
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), encoding="utf-8") as f:
            schemas[name] = json.load(f)
        Draft202012Validator.check_schema(schemas[name])
    return schemas


def validator(schemas, name):
    if "RefResolver" in globals():
        return Draft202012Validator(schemas[name], resolver=RefResolver(
            name, schemas[name], store=schemas))
    return Draft202012Validator(schemas[name], registry=Registry().with_resources(
        (name, Resource.from_contents(schema)) for name, schema in schemas.items()))


def values(text):
    """The JSON values of a text, which may be one on each line or indented."""
    decoder = json.JSONDecoder()
    at = 0
    while text[at:at + 1]:
        if text[at].isspace():
            at += 1
            continue
        value, at = decoder.raw_decode(text, at)
        yield value


def command_of(arguments, commands):
    """The command whose words are among the arguments, in a row."""
    padded = " %s " % arguments
    found = [c for c in commands if " %s " % c in padded]
    if len(found) != 1:
        sys.exit("%s: of the commands with a schema it is none, or several" % arguments)
    return found[0]


def main():
    schemas = load(sys.argv[1])
    names = {name[:-len(".json")].replace("-", " "): name for name in schemas
             if name not in SHARED}
    validators = {}
    tried = dict.fromkeys(sys.argv[2:], 0)
    bad = 0
    for part in ("\n" + sys.stdin.read()).split("\n# ")[1:]:
        arguments, _, text = part.partition("\n")
        command = command_of(arguments, names)
        if command not in validators:
            validators[command] = validator(schemas, names[command])
        for value in values(text):
            error = exceptions.best_match(validators[command].iter_errors(value))
            tried[command] = tried.get(command, 0) + bool(value)
            if error:
                bad += 1
            if error and bad <= SHOWN:
                print("%s: %s: %s" % (arguments, error.json_path, error.message))
    for command, number in tried.items():
        print("%s: %d values" % (command, number))
    if bad or not all(tried.values()):
        sys.exit("%d do not fit" % bad)


if __name__ == "__main__":
    main()
