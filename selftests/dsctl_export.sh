#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What dsctl export says of ports, sockets and peers, and what it makes of the file
# that it is given.

. "$(dirname "$0")/lib/lib.sh"

NOBODY=65534
WRITERS=4	# at a time
ROUNDS=5
EXPORTS=${KSFT_MACHINE_SLOW:+10}
EXPORTS=${EXPORTS:-50}

require "$DSCTL" jq python3 mknod mkfifo setpriv insmod rmmod
require_family
own_netns "$@"

DSCTL=$(realpath "$(command -v "$DSCTL")")
tmp=$(mktemp -d)
cleanup()
{
	rm -rf "$tmp"
	grep -q '^dualstack ' /proc/modules || load_module
}
trap cleanup EXIT

# fails REGEX ARGUMENT...: exit code 2, nothing on stdout, that on stderr
fails()
{
	local regex=$1 rc

	shift
	"$DSCTL" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	cat "$tmp/out" "$tmp/err"
	echo "exit code $rc"
	[ $rc = 2 ] && [ ! -s "$tmp/out" ] && grep -Eq -e "$regex" "$tmp/err"
}

# whole FILE: all of an export
whole()
{
	python3 ./peer/prom_check.py <"$1" >"$tmp/samples" &&
		jq -e 'any(.[]; .name == "dualstack_tracked_sockets")' \
			"$tmp/samples" >/dev/null
}

# holds DIRECTORY NAME...: these and no other
holds()
{
	local dir=$1

	shift
	diff <(ls -A "$dir") <([ $# = 0 ] || printf '%s\n' "$@" | sort)
}

# fresh: sets dir, an empty directory
fresh()
{
	dir=$(mktemp -d -p "$tmp")
	chmod go+rx "$tmp" "$dir"
}

to_device()
{
	fresh
	mknod "$dir/null" c 1 3 && "$DSCTL" export "$dir/null" &&
		[ -c "$dir/null" ] && holds "$dir" null
}

to_full_device()
{
	fresh
	mknod "$dir/full" c 1 7 && fails 'full.*No space left' export "$dir/full" &&
		[ -c "$dir/full" ] && holds "$dir" full
}

to_fifo()
{
	local reader

	fresh
	mkfifo "$dir/fifo" || return 1
	timeout 60 cat "$dir/fifo" >"$tmp/read" &
	reader=$!
	"$DSCTL" export "$dir/fifo" && wait $reader && [ -p "$dir/fifo" ] &&
		whole "$tmp/read" && holds "$dir" fifo
}

# What a shell makes of >(...) is a FIFO as well.
to_substitution()
{
	"$DSCTL" export >(cat >"$tmp/read") && wait $! && whole "$tmp/read"
}

to_socket_or_directory()
{
	fresh
	python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$dir/socket" &&
		mkdir "$dir/directory" &&
		fails 'socket' export "$dir/socket" &&
		fails 'directory' export "$dir/directory" &&
		[ -S "$dir/socket" ] && holds "$dir" socket directory
}

to_stdout()
{
	fresh
	(cd "$dir" && "$DSCTL" export -) >"$tmp/read" && whole "$tmp/read" &&
		holds "$dir"
}

# A file that others write to as well
to_dev_stdout()
{
	fresh
	{
		echo "# first" && "$DSCTL" export /dev/stdout && echo "# last"
	} >"$dir/file" && whole <(sed '1d;$d' "$dir/file") &&
		[ "$(sed -n '1p;$p' "$dir/file" | xargs)" = "# first # last" ] &&
		holds "$dir" file
}

attributes()
{
	stat -c '%a %u:%g' "$1"
}

# As any program makes a file: for all to read, unless the umask is against it
new_file()
{
	fresh
	(umask 022 && "$DSCTL" export "$dir/a.prom") &&
		(umask 027 && "$DSCTL" export "$dir/b.prom") &&
		(umask 0 && cd "$dir" && "$DSCTL" export c.prom) &&
		whole "$dir/a.prom" && holds "$dir" a.prom b.prom c.prom || return 1
	attributes "$dir/a.prom"
	attributes "$dir/b.prom"
	[ "$(attributes "$dir/a.prom")" = "644 0:0" ] &&
		[ "$(attributes "$dir/b.prom")" = "640 0:0" ] &&
		[ "$(attributes "$dir/c.prom")" = "666 0:0" ]
}

# Whoever could read it can read it still.
old_file()
{
	fresh
	echo old >"$dir/ds.prom" && chmod 664 "$dir/ds.prom" &&
		chown $NOBODY:$NOBODY "$dir/ds.prom" &&
		(umask 077 && "$DSCTL" export "$dir/ds.prom") &&
		whole "$dir/ds.prom" && holds "$dir" ds.prom || return 1
	attributes "$dir/ds.prom"
	[ "$(attributes "$dir/ds.prom")" = "664 $NOBODY:$NOBODY" ]
}

# Who cannot give files away has the new one himself.
old_file_of_another()
{
	fresh
	echo old >"$dir/ds.prom" && chmod 644 "$dir/ds.prom" &&
		chown $NOBODY "$dir" && as_nobody export "$dir/ds.prom" &&
		whole "$dir/ds.prom" && holds "$dir" ds.prom &&
		[ "$(attributes "$dir/ds.prom")" = "644 $NOBODY:$NOBODY" ]
}

as_nobody()
{
	setpriv --reuid $NOBODY --regid $NOBODY --clear-groups "$DSCTL" "$@"
}

no_directory_rights()
{
	local DSCTL=$tmp/as-nobody

	fresh
	echo old >"$dir/ds.prom" && chmod 666 "$dir/ds.prom" &&
		fails 'temporary file beside ".*/ds.prom": Permission denied' \
			export "$dir/ds.prom" &&
		[ "$(cat "$dir/ds.prom")" = old ] && holds "$dir" ds.prom &&
		fails '"/nonexistent/ds.prom": No such file' \
			export /nonexistent/ds.prom
}

# It stays, and what it points to is new, be it there or not.
symlink()
{
	local link

	fresh
	mkdir "$dir/here" "$dir/there" && echo old >"$dir/there/ds.prom" &&
		ln -s ../there/ds.prom "$dir/here/relative" &&
		ln -s "$dir/there/new.prom" "$dir/here/absolute" &&
		ln -s relative "$dir/here/twice" || return 1
	for link in relative absolute twice; do
		"$DSCTL" export "$dir/here/$link" && [ -L "$dir/here/$link" ] &&
			whole "$dir/here/$link" || return 1
		echo old >"$dir/there/ds.prom"
	done
	holds "$dir/here" relative absolute twice &&
		holds "$dir/there" ds.prom new.prom
}

# A link of another user in a directory such as /tmp, which the kernel refuses
symlink_of_another()
{
	local bad=0 sysctl=/proc/sys/fs/protected_symlinks was

	fresh
	was=$(cat $sysctl)
	echo 1 >$sysctl
	mkdir -m 1777 "$dir/tmp" && echo old >"$dir/mine" &&
		ln -s ../mine "$dir/tmp/ds.prom" &&
		chown -h $NOBODY "$dir/tmp/ds.prom" || bad=1
	fails 'Permission denied' export "$dir/tmp/ds.prom" || bad=1
	[ "$(cat "$dir/mine")" = old ] && holds "$dir/tmp" ds.prom || bad=1
	echo "$was" >$sysctl
	return $bad
}

# What has a name like that of a temporary file is somebody's.
foreign_files()
{
	fresh
	echo mine >"$dir/ds.prom.tmp" && "$DSCTL" export "$dir/ds.prom" &&
		[ "$(cat "$dir/ds.prom.tmp")" = mine ] &&
		holds "$dir" ds.prom ds.prom.tmp
}

# write_at_once: all succeed
write_at_once()
{
	local i bad=0 writers=()

	for ((i = 0; i < WRITERS; i++)); do
		"$DSCTL" export "$dir/ds.prom" &
		writers+=($!)
	done
	for i in "${writers[@]}"; do
		wait "$i" || bad=1
	done
	return $bad
}

several_writers()
{
	local i

	fresh
	for ((i = 0; i < ROUNDS; i++)); do
		write_at_once && whole "$dir/ds.prom" || return 1
	done
	holds "$dir" ds.prom
}

too_large()
{
	fresh
	echo old >"$dir/ds.prom"
	(ulimit -f 1 && fails 'File too large' export "$dir/ds.prom") &&
		[ "$(cat "$dir/ds.prom")" = old ] && holds "$dir" ds.prom
}

# As soon as there is a temporary file: the signal's, and what has become of it
killed()
{
	fresh
	echo old >"$dir/ds.prom"
	python3 - "$DSCTL" "$dir" "$1" <<-'END' && holds "$dir" ds.prom &&
		import ctypes, os, signal, sys
		TRACEME, SYSCALL, DETACH = 0, 24, 17
		libc = ctypes.CDLL(None, use_errno=True)
		libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long,
		                        ctypes.c_void_p, ctypes.c_void_p]
		dsctl, dir, sig = sys.argv[1], sys.argv[2], int(sys.argv[3])

		child = os.fork()
		if not child:
		    libc.ptrace(TRACEME, 0, None, None)
		    os.execvp(dsctl, [dsctl, "export", dir + "/ds.prom"])
		status = os.waitpid(child, 0)[1]
		while os.WIFSTOPPED(status):
		    found = set(os.listdir(dir)) - {"ds.prom"}
		    if found:
		        break
		    libc.ptrace(SYSCALL, child, None, None)
		    status = os.waitpid(child, 0)[1]
		else:
		    sys.exit("no temporary file was seen")
		print("temporary file:", *found)
		if any(name.endswith(".prom") for name in found):
		    sys.exit("a collector would read it")
		os.kill(child, sig)
		libc.ptrace(DETACH, child, None, None)
		status = os.waitpid(child, 0)[1]
		print("status", status)
		sys.exit(not os.WIFSIGNALED(status) or os.WTERMSIG(status) != sig)
	END
		{ [ "$(cat "$dir/ds.prom")" = old ] || whole "$dir/ds.prom"; }
}

timestamp()
{
	jq '.[] | select(.name == "dualstack_export_timestamp_seconds").value' \
		"$tmp/samples"
}

tells_time()
{
	local from written

	fresh
	from=$(date +%s)
	"$DSCTL" -N export "$dir/ds.prom" && whole "$dir/ds.prom" &&
		written=$(timestamp) &&
		[ "$written" -ge "$from" ] && [ "$written" -le "$(date +%s)" ]
}

# sample NAME: all of its samples of the last export that was looked at
sample()
{
	jq -c --arg name "dualstack_$1" 'map(select(.name == $name) | del(.name))' \
		"$tmp/samples"
}

# The version of the module that counts, and since when it does
tells_version_and_since()
{
	local reset version rc

	fresh
	version=$(cat /sys/module/dualstack/version)
	reset=$(date +%s)
	"$DSCTL" reset && "$DSCTL" export "$dir/ds.prom" &&
		whole "$dir/ds.prom" || return 1
	sample info
	sample since_seconds
	[ "$(sample info)" = "[{\"labels\":{\"version\":\"$version\"},\"value\":1}]" ] &&
		[ "$(sample since_seconds | jq '.[].value')" -ge "$reset" ] &&
		[ "$(sample since_seconds | jq '.[].value')" -le "$(date +%s)" ] ||
		return 1
	"$DSCTL" set tracking off
	"$DSCTL" export "$dir/ds.prom" && whole "$dir/ds.prom" &&
		[ "$(sample since_seconds)" = "[]" ] &&
		[ "$(sample tracking)" = '[{"labels":{},"value":0}]' ]
	rc=$?
	"$DSCTL" set tracking on && return $rc
}

# compared CASE: in a namespace that has had no traffic
compared()
{
	# shellcheck disable=SC2016 # the inner shell expands these
	unshare --net -- sh -c 'ip link set lo up && exec "$0" "$@"' \
		"$PWD/peer/export_peer.py" "$1" "$DSCTL"
}

# Without the right there is all the rest, and a word about it.
no_peers_for_nobody()
{
	as_nobody export - >"$tmp/read" 2>"$tmp/err" && whole "$tmp/read" &&
		[ ! -s "$tmp/err" ] && [ "$(sample peers)$(sample ledger_entries)" = "[][]" ] &&
		grep -qx '# dualstack_peers needs CAP_NET_ADMIN.*' "$tmp/read" &&
		"$DSCTL" export - >"$tmp/read" && ! grep -q CAP_ "$tmp/read"
}

# Others replace it all the time, who run when nobody else does: one of them may have to
# wait just when the old file has no link any more and the new one not yet the name.
replaced_meanwhile()
{
	local i others rc=0

	fresh
	setpriv --pdeathsig KILL python3 -c '
import os, sys
parent = os.getpid()
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
for i in range(4):
    if not os.fork():
        while os.getppid() == parent:
            open(f"{sys.argv[1]}.{i}", "w").close()
            os.rename(f"{sys.argv[1]}.{i}", sys.argv[1])
        os._exit(0)
os.wait()
' "$dir/ds.prom" >/dev/null 2>&1 &
	others=$!
	wait_for 60 test -e "$dir/ds.prom" || rc=1
	for ((i = 0; i < EXPORTS && !rc; i++)); do
		"$DSCTL" export "$dir/ds.prom" || rc=1
	done
	kill $others
	wait $others
	"$DSCTL" export "$dir/ds.prom" && whole "$dir/ds.prom" || rc=1
	return $rc
}

# The file stays, and what an alert asks for is true after a while.
module_gone()
{
	local rc=0

	fresh
	"$DSCTL" export "$dir/ds.prom" && cp "$dir/ds.prom" "$tmp/before" || return 1
	unload_module
	fails 'not loaded: modprobe dualstack, or' export "$dir/ds.prom" &&
		cmp "$dir/ds.prom" "$tmp/before" && whole "$dir/ds.prom" &&
		holds "$dir" ds.prom || rc=1
	sleep 2
	[ $(($(date +%s) - $(timestamp))) -gt 1 ] || rc=1
	load_module && "$DSCTL" export "$dir/ds.prom" && whole "$dir/ds.prom" &&
		[ $(($(date +%s) - $(timestamp))) -lt 60 ] || rc=1
	return $rc
}

# shellcheck disable=SC2016 # the shell that runs it expands it
printf '#!/bin/sh\nexec setpriv --reuid %s --regid %s --clear-groups "%s" "$@"\n' \
	$NOBODY $NOBODY "$DSCTL" >"$tmp/as-nobody"
chmod +x "$tmp/as-nobody"

ktap_print_header
ktap_set_plan 28

check "export to a device" to_device
check "export to a device that is full" to_full_device
check "export to a FIFO" to_fifo
check "export to another command" to_substitution
check "export to a socket, a directory" to_socket_or_directory
check "export -" to_stdout
check "export /dev/stdout" to_dev_stdout
check "a new file" new_file
check "mode and owner of an old file" old_file
check "an old file of another" old_file_of_another
check "a directory without rights" no_directory_rights
check "a symbolic link" symlink
check "a symbolic link of another" symlink_of_another
check "a file called FILE.tmp" foreign_files
check "$WRITERS at a time" several_writers
check "replaced meanwhile" replaced_meanwhile
check "a file that becomes too large" too_large
for args in INT TERM HUP; do
	check "SIG$args" killed "$(kill -l $args)"
done
check "when it was written" tells_time
check "version and since" tells_version_and_since
check "a worker ends" compared workers
check "ports of clients" compared clients
check "sockets come and go" compared churn
check "peers" compared peers
check "peers without the right" no_peers_for_nobody
check "the module is gone" module_gone

ktap_finished
