#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rules that dualstack.service sets when systemd starts, and services that restart under
# them: in a systemd of its own, with its own processes, network and /etc.
#
#   DUALSTACK_UNIT  the unit, if it is not installed

. "$(dirname "$0")/lib/lib.sh"

RESTARTS=10
LIMIT=300	# seconds, for what takes some on a slow machine
UNIT=${DUALSTACK_UNIT:-/lib/systemd/system/dualstack.service}

require "$DSCTL" unshare nsenter curl nginx sshd
require_family
[ -x /lib/systemd/systemd ] || skip_all "systemd not found"
[ -e "$UNIT" ] || skip_all "$UNIT not found"
if [ -z "$DS_OWN_MOUNTS" ]; then
	# shellcheck disable=SC2016 # the inner shell expands these
	DS_OWN_MOUNTS=1 exec unshare --net --mount -- \
		sh -c 'ip link set lo up && exec "$0"' "$0"
fi

tmp=$(mktemp -d)
mount -t tmpfs none "$tmp"
cleanup()
{
	[ -z "$systemd" ] || kill -KILL "$systemd" 2>/dev/null
	umount -l "$tmp"
	rmdir "$tmp"
}
trap cleanup EXIT

# writable DIRECTORY: what is written there is gone with this script
writable()
{
	local upper=$tmp/over$1

	mkdir -p "$upper/upper" "$upper/work"
	mount -t overlay overlay -o "lowerdir=$1,upperdir=$upper/upper,workdir=$upper/work" "$1"
}

nginx_listens()
{
	cat >/etc/nginx/nginx.conf <<-EOT
		worker_processes 1;
		pid /run/nginx.pid;
		events { }
		http {
			access_log off;
			server { $*  location / { return 200 "served\n"; } }
		}
	EOT
}

# socket_unit NAME PORT ONLY: says hello to whoever connects
socket_unit()
{
	cat >"/etc/systemd/system/$1.socket" <<-EOT
		[Socket]
		ListenStream=[::]:$2
		BindIPv6Only=$3
		Accept=yes
	EOT
	cat >"/etc/systemd/system/$1@.service" <<-EOT
		[Service]
		ExecStart=/bin/echo served
		StandardOutput=socket
	EOT
}

prepare()
{
	local modules name

	modules=/lib/modules/$(uname -r)
	writable /etc
	mount -t tmpfs none /usr/local/sbin
	ln -s "$(realpath "$DSCTL")" /usr/local/sbin/dsctl
	mount -t tmpfs none /var/log
	mkdir -p /var/log/nginx
	if [ -n "$DUALSTACK_KO" ]; then
		writable "$modules"
		mkdir -p "$modules/extra"
		cp "$DUALSTACK_KO" "$modules/extra/"
		depmod
	fi
	mkdir -p /etc/systemd/system/sysinit.target.wants
	cp "$UNIT" /etc/systemd/system/dualstack.service
	ln -sf /etc/systemd/system/dualstack.service \
		/etc/systemd/system/sysinit.target.wants/
	[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -A
	for name in nginx ssh; do
		mkdir -p /etc/systemd/system/$name.service.d
		printf '[Unit]\nStartLimitIntervalSec=0\n' \
			>/etc/systemd/system/$name.service.d/often.conf
	done
	socket_unit only 7001 ipv6-only
	socket_unit both 7002 both
	nginx_listens "listen [::]:80;"
	cat >/etc/dualstack.conf <<-EOT
		set v6only off proto tcp port 80 keep
		set v6only off proto tcp port 7001 keep
		set v6only on proto tcp port 7002 keep
	EOT
}

in_systemd()
{
	nsenter -t "$systemd" --mount --pid --net --uts --ipc --cgroup -- "$@"
}

is_up()
{
	[ "$(in_systemd systemctl is-active "$1" 2>&1)" = active ]
}

starts()
{
	unshare --fork --pid --mount --uts --ipc --cgroup --mount-proc \
		env container=selftest /lib/systemd/systemd --system \
		--unit=nginx.service >"$tmp/console" 2>&1 </dev/null &
	parent=$!
	wait_for "$LIMIT" pgrep -P "$parent" >"$tmp/pid" || return 1
	systemd=$(sed -n '$p' "$tmp/pid")
	wait_for "$LIMIT" is_up nginx || {
		cat "$tmp/console"
		in_systemd systemctl --no-pager status nginx dualstack
		return 1
	}
}

# fetch ADDRESS: whether nginx answers there
fetch()
{
	local host=$1

	[[ $host = *:* ]] && host=[$host]
	[ "$(curl -s -m "$LIMIT" "http://$host/")" = served ]
}

# refused ADDRESS PORT: curl's 7 is for a connection that could not be made
refused()
{
	curl -s -m "$LIMIT" "http://$1:$2/"
	[ $? = 7 ]
}

unit_is_done()
{
	is_up dualstack && "$DSCTL" show rules save | sort >"$tmp/rules" &&
		sort /etc/dualstack.conf | diff "$tmp/rules" -
}

# restarts IPV4: nginx, as often as is said; IPv6 is always served
restarts()
{
	local i

	for ((i = 0; i < RESTARTS; i++)); do
		in_systemd systemctl restart nginx || return 1
		if ! "$1" 127.0.0.1 80 || ! fetch ::1; then
			echo "restart $i"
			return 1
		fi
	done
}

both()
{
	[ "$1" = 127.0.0.1 ] && fetch 127.0.0.1
}

off_is_kept()
{
	restarts both && "$DSCTL" show sockets port 80 | grep -q 'dual\*'
}

on_is_kept()
{
	"$DSCTL" set v6only on proto tcp port 80 keep &&
		restarts refused &&
		"$DSCTL" show sockets port 80 | grep -q 'v6only\*'
}

# whatever_the_rule UNIT PORT COMMAND: which is given an address of each family
whatever_the_rule()
{
	local rule

	for rule in on off; do
		"$DSCTL" set v6only $rule proto tcp port "$2" keep
		if ! in_systemd systemctl restart "$1" || ! "$3" 127.0.0.1 ||
		   ! "$3" ::1; then
			echo "rule $rule"
			in_systemd systemctl --no-pager status "$1"
			return 1
		fi
	done
}

# pair LISTEN...: one socket for each family starts
pair()
{
	nginx_listens "$@"
	whatever_the_rule nginx 80 fetch
}

# greets ADDRESS PORT PATTERN: whoever answers there, by its first line
greets()
{
	local line

	exec 9<>"/dev/tcp/$1/$2" && read -r -t "$LIMIT" line <&9
	exec 9>&-
	# shellcheck disable=SC2053 # it is a pattern
	[[ $line = $3 ]]
}

banner()
{
	greets "$1" 22 'SSH-*'
}

socket_units()
{
	in_systemd systemctl start only.socket both.socket &&
		greets 127.0.0.1 7001 served && greets ::1 7001 served &&
		refused 127.0.0.1 7002 && greets ::1 7002 served
}

ktap_print_header
ktap_set_plan 8
prepare
check "systemd starts nginx" starts
# The function above runs in a subshell.
systemd=$(sed -n '$p' "$tmp/pid")
check "dualstack.service has set the rules of the file" unit_is_done
check "a rule of off, and $RESTARTS restarts of nginx" off_is_kept
check "a rule of on, and $RESTARTS restarts of nginx" on_is_kept
check "nginx at 0.0.0.0 and at ::" pair "listen 80; listen [::]:80;"
check "nginx at :: and at 0.0.0.0" pair "listen [::]:80; listen 80;"
check "sshd at both" whatever_the_rule ssh 22 banner
check "socket units, whatever BindIPv6Only= is" socket_units
ktap_finished
