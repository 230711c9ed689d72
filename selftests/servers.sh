#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Servers as distributions ship them: vsftpd and Python's with one dual socket,
# sshd with a pair, nginx with its V6ONLY default, lighttpd with a socket that it
# inherited the systemd way. dsctl tells each one's mode, its process and what
# its clients saw.

. "$(dirname "$0")/lib/lib.sh"

require "$DSCTL" jq ip unshare
require_family
PATH=$PATH:/usr/sbin:/sbin
own_netns "$@"

IPV4_CLIENTS=5
IPV6_CLIENTS=3

tmp=$(mktemp -d)
pids=()
cleanup()
{
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null
	wait
	rm -rf "$tmp"
}
trap cleanup EXIT

# client ADDRESS PORT EXPECTED [REQUEST]: connect, perhaps ask, and see whether
# the server's first line begins as it should
client()
{
	# shellcheck disable=SC2016 # the inner shell expands these
	timeout 20 bash -c '
		exec 3<>"/dev/tcp/$1/$2" || exit 1
		[ -z "$4" ] || printf "%s\r\n\r\n" "$4" >&3
		IFS= read -r line <&3
		case $line in "$3"*) exit 0 ;; *) exit 1 ;; esac
	' - "$@" 2>/dev/null
}

listening()
{
	ss -Htln "sport = $1" 2>/dev/null | grep -q .
}

# clients PORT EXPECTED [REQUEST]: sets served4, served6 and refused4
clients()
{
	local port=$1 i

	shift
	served4=0 served6=0 refused4=0
	for ((i = 0; i < IPV4_CLIENTS; i++)); do
		if client 127.0.0.1 "$port" "$@"; then
			served4=$((served4 + 1))
		else
			refused4=$((refused4 + 1))
		fi
	done
	for ((i = 0; i < IPV6_CLIENTS; i++)); do
		client ::1 "$port" "$@" && served6=$((served6 + 1))
	done
	ktap_print_msg "port $port: served $served4 IPv4 and $served6 IPv6," \
		       "refused $refused4 IPv4 clients"
}

# shows PORT NAME JQ-CONDITION [OPTION]: of the one listener of that port, AF_INET6
# or as the option says
shows()
{
	"$DSCTL" -j "${4:--6}" show sockets proto tcp port "$1" | tee "$tmp/shown" |
		jq -e --arg name "$2" "map(select(.state == \"LISTEN\")) |
			length == 1 and (.[0] |
			any(.processes[]; .comm == \$name) and ($3))" ||
		{ cat "$tmp/shown"; return 1; }
}

# All clients fared as they should: wanted is "served4 served6 refused4"
fared()
{
	echo "$served4 $served6 $refused4"
	[ "$served4 $served6 $refused4" = "$1" ]
}

vsftpd_dual()
{
	local port=2121

	mkdir -p /run/vsftpd/empty
	cat >"$tmp/vsftpd.conf" <<-EOF
		listen=NO
		listen_ipv6=YES
		listen_port=$port
		background=NO
		anonymous_enable=YES
		anon_root=$tmp
		secure_chroot_dir=/run/vsftpd/empty
		seccomp_sandbox=NO
	EOF
	vsftpd "$tmp/vsftpd.conf" >"$tmp/vsftpd.log" 2>&1 &
	pids+=($!)
	check "vsftpd listens" wait_for 60 listening $port
	clients $port "220"
	check "vsftpd serves both families" fared \
		"$IPV4_CLIENTS $IPV6_CLIENTS 0"
	check "dsctl: vsftpd is dual" shows $port vsftpd "
		.mode == \"dual\" and .shadowed == false and
		.mapped_accept == $served4 and .native_accept == $served6 and
		.reject_v6only == 0"
}

sshd_pair()
{
	local port=2222

	mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$tmp/ssh_host_key"
	cat >"$tmp/sshd_config" <<-EOF
		Port $port
		AddressFamily any
		HostKey $tmp/ssh_host_key
		PidFile none
	EOF
	"$(command -v sshd)" -D -e -f "$tmp/sshd_config" >"$tmp/sshd.log" 2>&1 &
	pids+=($!)
	check "sshd listens" wait_for 60 listening $port
	clients $port "SSH-2.0"
	check "sshd serves both families" fared "$IPV4_CLIENTS $IPV6_CLIENTS 0"
	check "dsctl: sshd has a pair, and refuses nobody" shows $port sshd "
		.mode == \"v6only\" and .mapped_accept == 0 and
		.native_accept == $served6 and .reject_v6only == 0"
	check "dsctl: IPv4 comes by its other socket" shows $port sshd "
		.mode == \"v4\" and .v4_accept == $served4 and
		(.last_mapped_peer | startswith(\"127.0.0.1:\"))" -4
}

nginx_v6only()
{
	local port=8080

	cat >"$tmp/nginx.conf" <<-EOF
		daemon off;
		pid $tmp/nginx.pid;
		error_log stderr;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path $tmp/body;
			proxy_temp_path $tmp/proxy;
			fastcgi_temp_path $tmp/fastcgi;
			uwsgi_temp_path $tmp/uwsgi;
			scgi_temp_path $tmp/scgi;
			server {
				listen [::]:$port;
				return 200 "ok\n";
			}
		}
	EOF
	nginx -c "$tmp/nginx.conf" >"$tmp/nginx.log" 2>&1 &
	pids+=($!)
	check "nginx listens" wait_for 60 listening $port
	clients $port "HTTP/1.1 200" "GET / HTTP/1.0"
	check "nginx serves IPv6 alone" fared "0 $IPV6_CLIENTS $IPV4_CLIENTS"
	check "dsctl: nginx is v6only, and refuses IPv4" shows $port nginx "
		.mode == \"v6only\" and .mapped_accept == 0 and
		.native_accept == $served6 and .reject_v6only == $refused4 and
		(.last_rejected_peer | startswith(\"127.0.0.1:\"))"
}

python_dual()
{
	local port=8000

	(cd "$tmp" && exec python3 -m http.server --bind :: $port) \
		>"$tmp/python.log" 2>&1 &
	pids+=($!)
	check "Python's server listens" wait_for 60 listening $port
	clients $port "HTTP/1.0 200" "GET / HTTP/1.0"
	check "Python's server serves both families" fared \
		"$IPV4_CLIENTS $IPV6_CLIENTS 0"
	check "dsctl: Python's server is dual" shows $port python3 "
		.mode == \"dual\" and .shadowed == false and
		.mapped_accept == $served4 and .native_accept == $served6 and
		.reject_v6only == 0 and
		(.last_mapped_peer | startswith(\"127.0.0.1:\"))"
}

# The socket is made by one program, which runs the other at the first client.
inherited_dual()
{
	local port=8081

	echo "ok" >"$tmp/index.html"
	cat >"$tmp/lighttpd.conf" <<-EOF
		server.document-root = "$tmp"
		server.port = $port
		server.systemd-socket-activation = "enable"
		index-file.names = ( "index.html" )
	EOF
	systemd-socket-activate -l "[::]:$port" -- \
		"$(command -v lighttpd)" -D -f "$tmp/lighttpd.conf" \
		>"$tmp/lighttpd.log" 2>&1 &
	pids+=($!)
	check "an inherited socket listens" wait_for 60 listening $port
	clients $port "HTTP/1.0 200" "GET / HTTP/1.0"
	check "lighttpd serves both families from it" fared \
		"$IPV4_CLIENTS $IPV6_CLIENTS 0"
	check "dsctl: the socket is dual, and lighttpd's now" shows $port \
		lighttpd ".mode == \"dual\" and .shadowed == false and
		.mapped_accept == $served4 and .native_accept == $served6 and
		.reject_v6only == 0"
}

# server COMMAND FUNCTION: three subtests, four of sshd, skipped where it is not
# installed
server()
{
	local i

	if command -v "$1" >/dev/null; then
		$2
		return
	fi
	[ "$1" != sshd ] || ktap_test_skip "$2: $1 is not installed"
	for i in 1 2 3; do
		ktap_test_skip "$2 ($i): $1 is not installed"
	done
}

ktap_print_header
ktap_set_plan 16

server vsftpd vsftpd_dual
server sshd sshd_pair
server nginx nginx_v6only
server python3 python_dual
server systemd-socket-activate inherited_dual

ktap_finished
