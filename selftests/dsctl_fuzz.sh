#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dsctl at random: arguments, answers of the kernel, failing allocations, output
# that goes nowhere. FUZZ_DSCTL is the program that has dsctl in it, and the
# sanitizers: tools/fuzz/fuzz_dsctl.
#
#   dsctl_fuzz.sh [-t SECONDS] [-s SEED] [-e]
#
# With -e also commands of every kind, and of each whatever can fail: for as long.

. "$(dirname "$0")/lib/lib.sh"

seconds=45
# Always the same, unless it is to go on for long.
seed=1
each=
while getopts es:t: option; do
	case $option in
	e) each=1 ;;
	s) seed=$OPTARG ;;
	t) seconds=$OPTARG ;;
	*) exit 2 ;;
	esac
done

[ -n "$FUZZ_DSCTL" ] || skip_all "FUZZ_DSCTL does not say where fuzz_dsctl is"
require "$FUZZ_DSCTL"
require_family

# Cut short, it may leave that off.
trap '"$DSCTL" set tracking on' EXIT

ktap_print_header
ktap_set_plan $((2 + each))
mark_log

# What it says is shown in any case: the seed, and how far it came. The runner's
# stdbuf has a library of its own loaded, where the sanitizer's must be the first.
unset LD_PRELOAD
"$FUZZ_DSCTL" "$seconds" "$seed" 2>&1 | sed 's/^/# /'
check "dsctl bears it" test "${PIPESTATUS[0]}" = 0
if [ -n "$each" ]; then
	"$FUZZ_DSCTL" each "$seconds" 2>&1 | sed 's/^/# /'
	check "whatever fails" test "${PIPESTATUS[0]}" = 0
fi
check "no complaint in the kernel log" log_is_clean

ktap_finished
