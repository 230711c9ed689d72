#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guides: their commands, one after the other, on a host with the services that they
# tell of, print what they say.
#
#   DUALSTACK_GUIDES  directory of the guides, if they are not installed
#   GUIDES_NEW        directory to write them to, with the outputs of this time

. "$(dirname "$0")/lib/lib.sh"

GUIDES=${DUALSTACK_GUIDES:-/usr/local/share/doc/dualstack/guides}
PATH=$PATH:/usr/sbin:/sbin

require "$DSCTL" unshare nsenter setpriv pgrep ip ss curl nc socat jq python3 nginx sshd vsftpd
require_family
[ -d "$GUIDES" ] || skip_all "$GUIDES not found"

# listening PORT [NETNS]
listening()
{
	${2:+ip netns exec "$2"} ss -Hltn "sport = $1" | grep -q .
}

# A client across a link, with addresses for documentation
client()
{
	ip netns add client
	ip link add eth0 type veth peer name eth0 netns client
	ip link set lo up
	ip link set eth0 up
	ip addr add 192.0.2.1/24 dev eth0
	ip addr add 2001:db8::1/64 dev eth0 nodad
	ip -n client link set lo up
	ip -n client link set eth0 up
	ip -n client addr add 192.0.2.2/24 dev eth0
	ip -n client addr add 2001:db8::2/64 dev eth0 nodad
}

# page [ARGUMENT...]: Python's server, in the background; the last one is the port
page()
{
	python3 -m http.server --directory /run/www "$@" >/run/www.log 2>&1 &
}

# nginx_listens LISTEN [COMMAND...]: which runs it
nginx_listens()
{
	local listen=$1

	shift
	cat >/run/nginx.conf <<-EOT
		worker_processes 1;
		pid /run/nginx.pid;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path /run/body;
			proxy_temp_path /run/proxy;
			fastcgi_temp_path /run/fastcgi;
			uwsgi_temp_path /run/uwsgi;
			scgi_temp_path /run/scgi;
			server { listen $listen; return 200 "hello\n"; }
		}
	EOT
	"$@" nginx -e stderr -c /run/nginx.conf -g 'daemon off;' >/run/nginx.log 2>&1 &
}

take_ipv4_off_a_host()
{
	client
	ssh-keygen -q -t ed25519 -N '' -f /run/key
	"$(command -v sshd)" -D -f /dev/null -h /run/key -o PidFile=none \
		-o ListenAddress=0.0.0.0 -o ListenAddress=:: >/run/sshd.log 2>&1 &
	cat >/run/vsftpd.conf <<-'EOT'
		listen=NO
		listen_ipv6=YES
		anonymous_enable=YES
		anon_root=/run/www
		secure_chroot_dir=/run/empty
		seccomp_sandbox=NO
	EOT
	vsftpd /run/vsftpd.conf >/run/vsftpd.log 2>&1 &
	nginx_listens '[::]:80 ipv6only=off'
	ip netns exec client python3 -m http.server --directory /run/www \
		--bind :: 8080 >/run/client.log 2>&1 &
	wait_for 60 listening 21 && wait_for 60 listening 22 &&
		wait_for 60 listening 80 && wait_for 60 listening 8080 client
}

who_turned_my_client_away()
{
	client
	nginx_listens '[::]:80'
	page --bind 2001:db8::1 8001
	page --bind 0.0.0.0 8002
	wait_for 60 listening 80 && wait_for 60 listening 8001 &&
		wait_for 60 listening 8002
}

# One has a name, and a link to the host; the other has neither.
containers()
{
	ip link set lo up
	ip netns add blue
	ip link add veth0 type veth peer name eth0 netns blue
	ip addr add 192.0.2.1/24 dev veth0
	ip link set veth0 up
	ip -n blue addr add 192.0.2.2/24 dev eth0
	ip -n blue link set eth0 up
	ip -n blue link set lo up
	ip netns exec blue socat TCP6-LISTEN:7,ipv6only=0,fork,reuseaddr \
		SYSTEM:"echo hello" 2>/run/socat.log &
	nginx_listens '[::]:80' unshare --net
	wait_for 60 listening 7 blue && wait_for 60 nginx_elsewhere
}

nginx_elsewhere()
{
	local pid

	pid=$(pgrep -o nginx) && nsenter -t "$pid" --net ss -Hltn "sport = 80" | grep -q .
}

# What is the guide's alone: its network, /run and dsctl
run_guide()
{
	local name=$1 dsctl function=${1//-/_}

	# shellcheck disable=SC2046 # numbers
	trap 'kill $(jobs -p); wait' EXIT

	dsctl=$(realpath "$(command -v "$DSCTL")")
	mount -t tmpfs none /run
	mkdir -p /run/bin /run/www /run/empty /run/sshd
	install -m 755 "$dsctl" /run/bin/dsctl
	export PATH=/run/bin:$PATH
	unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
	echo hello >/run/www/README
	if ! "$function"; then
		echo "$name: a server does not listen"
		cat /run/*.log
		return 1
	fi
	python3 ./peer/guide.py "$GUIDES/$name.rst" ${GUIDES_NEW:+"$GUIDES_NEW/$name.rst"}
}

if [ "$1" = run ]; then
	run_guide "$2"
	exit
fi

# alone GUIDE OPTION...: with namespaces of its own
alone()
{
	unshare --net --mount "${@:2}" -- "$0" run "$1" </dev/null
}

ktap_print_header
ktap_set_plan 3
check "take IPv4 off a host" alone take-ipv4-off-a-host
check "who turned my client away?" alone who-turned-my-client-away
# It looks into all namespaces that there are, which are to be its own.
check "containers" alone containers --pid --fork --kill-child --mount-proc
ktap_finished
