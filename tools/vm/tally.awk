# SPDX-License-Identifier: GPL-2.0
#
# Count what kselftest's runner printed: the tests of each program that speaks
# TAP itself, the program where it does not. Fail on a failure, a skip, a test
# that was planned and did not report, which counts as failed, and a log without
# tests. A skip is allowed that says "the kernel lacks CONFIG_X", where the file
# named in the variable config, the kernel's configuration, says so as well.

function problem(text)
{
	print "check: " text
	bad++
}

BEGIN {
	while ((getline option <config) > 0) {
		sub(/=.*/, "", option)
		has[option]
		options++
	}
	close(config)
}

function lacks_option(text)
{
	if (!match(text, /the kernel lacks CONFIG_[A-Z0-9_]+/)) {
		return 0
	}
	text = substr(text, RSTART, RLENGTH)
	sub(/.* /, "", text)
	return options && !(text in has)
}

# A program's own results, which the runner indents with "# ".
/^# 1\.\.[0-9]+/ {
	planned = substr($2, 4) + 0
	next
}

/^# (ok|not ok) / {
	reported++
	if ($2 == "not") {
		failed++
		inner_failed++
	} else if ($0 ~ /# *SKIP/) {
		skipped++
		if (!lacks_option($0)) {
			problem("skipped: " substr($0, 3))
		}
	} else {
		passed++
	}
	next
}

/^1\.\.[0-9]+/ {
	programs = substr($1, 4) + 0
	next
}

/^(ok|not ok) [0-9]+ selftests: / {
	programs_reported++
	name = $0
	sub(/^(not )?ok [0-9]+ selftests: /, "", name)
	if (planned && reported != planned) {
		problem(name ": planned " planned " tests, reported " reported + 0)
		if (reported < planned) {
			failed += planned - reported
			inner_failed++
		}
	}
	if ($1 == "not") {
		if (!inner_failed) {
			failed++
		}
		problem("failed: " name)
	} else if (inner_failed) {
		problem("failed, though its program succeeded: " name)
	} else if ($0 ~ /# *SKIP/) {
		if (!reported) {
			skipped++
		}
		problem("skipped: " name)
	} else if (!reported) {
		passed++
	}
	planned = reported = inner_failed = 0
}

END {
	if (!programs) {
		problem("no tests were run")
	} else if (programs != programs_reported) {
		problem(programs " test programs planned, " \
			programs_reported + 0 " reported")
		failed += programs - programs_reported
	}
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit bad > 0 || failed > 0
}
