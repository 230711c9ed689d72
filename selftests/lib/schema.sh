# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # tmp is the script's own
#
# For scripts whose JSON is to be as Documentation/schema says: nothing that it does not
# know, and all that it promises. Python takes its time to start, so what dsctl printed is
# kept, and looked at once at the end.
#
#   DUALSTACK_SCHEMA  the directory of the schemas, where this one is not in our own
#                     sources

SCHEMA=${DUALSTACK_SCHEMA:-../Documentation/schema}

# keep FILE ARGUMENT...: what dsctl has printed with these
keep()
{
	local file=$1

	shift
	# Whatever the file of a batch has
	[ "$1" != -b ] || return 0
	{ echo "# $*" && cat "$file"; } >>"$tmp/kept"
}

# as_schemas_say COMMAND...: all that was kept, and there was some of each of these
as_schemas_say()
{
	python3 ./peer/schema_check.py "$SCHEMA" "$@" <"$tmp/kept"
}

# check_schemas COMMAND...: one subtest of the tool alone
check_schemas()
{
	local what="JSON as the schemas say"

	[ -z "$KSFT_MACHINE_SLOW" ] || return 0
	if [ ! -d "$SCHEMA" ]; then
		ktap_test_skip "$what: $SCHEMA not found"
	elif ! python3 -c 'from importlib.util import find_spec
assert find_spec("jsonschema")' 2>/dev/null; then
		ktap_test_skip "$what: python3 has no module jsonschema"
	else
		check "$what" as_schemas_say "$@"
	fi
}
