# SPDX-License-Identifier: GPL-2.0
#
# Count what kselftest's runner printed, once or several times: the tests of each
# program that speaks TAP itself, the program where it does not. Fail on a
# failure, a skip, a test that was planned and did not report, which counts as
# failed, and a log without tests. What a test said before it failed is said
# again. A skip is allowed that says "the kernel lacks X", where the kernel's
# configuration, the file named in the variable config, is without CONFIG_X, or
# a line of the log says the same of a protocol. Where a guest was ended because the
# time is over, see CHECK_UNTIL, its other programs are not run.

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

# A log has come to its end. Where the guest was ended before its time, the programs that
# it had not come to are not known, if there is no plan.
function close_log()
{
	if (over) {
		cut++
		not_run += programs - programs_reported
	} else if (programs != programs_reported) {
		problem(programs " test programs planned, " \
			programs_reported + 0 " reported")
		failed += programs - programs_reported
	}
	all_reported += programs_reported
	programs = programs_reported = over = 0
}

# The next program begins.
function forget()
{
	planned = reported = inner_failed = 0
	early = said = ""
}

function lacks(text)
{
	if (!sub(/.*the kernel lacks /, "", text)) {
		return 0
	}
	sub(/ .*/, "", text)
	return text in absent || text ~ /^CONFIG_/ && options && !(text in has)
}

/^the time is over: / {
	over = 1
	next
}

/^the kernel lacks / {
	absent[$4]
	next
}

# A program's own results, which the runner indents with "# ".
/^# 1\.\.[0-9]+/ {
	planned = substr($2, 4) + 0
	next
}

# Where a guest came to an end in the middle of a program, the next log begins.
FNR == 1 {
	close_log()
	forget()
}

# What the harness says of each test is no news.
/^# # / && !/^# # ( RUN  |  *OK )/ {
	said = said $0 "\n"
}

/^# (ok|not ok) / {
	# Said before the first of them, it may be about any.
	if (!reported++) {
		early = said
		said = ""
	}
	if ($2 == "not") {
		failed++
		inner_failed++
		printf "%s%s%s\n", early, said, $0
		early = ""
	} else if ($0 ~ /# *SKIP/) {
		skipped++
		if (!lacks($0)) {
			problem("skipped: " substr($0, 3))
		}
	} else {
		passed++
	}
	said = ""
	next
}

/^1\.\.[0-9]+/ {
	programs += substr($1, 4)
	next
}

/^(ok|not ok) [0-9]+ selftests: / {
	programs_reported++
	name = $0
	sub(/^(not )?ok [0-9]+ selftests: /, "", name)
	if (planned && reported != planned) {
		printf "%s%s", early, said
		problem(name ": planned " planned " tests, reported " reported + 0)
		if (reported < planned) {
			failed += planned - reported
			inner_failed++
		}
	}
	if ($1 == "not") {
		if (!inner_failed) {
			failed++
			printf "%s", said
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
	forget()
}

END {
	close_log()
	if (!all_reported) {
		problem("no tests were run")
	}
	if (cut) {
		printf "check: the time is over: %d test programs or more are not run\n", not_run
	}
	printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
	exit bad > 0 || failed > 0
}
