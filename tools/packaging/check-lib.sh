# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used by those that source this
#
# What tools/packaging/check and check-vm share: sourced, never run.

out=/srv/check.out
failed=0

# try NAME COMMAND...: and say whether it succeeds
try() {
	local name=$1 start=$SECONDS status

	shift
	# In a condition -e would mean nothing.
	(set -e; "$@") >$out 2>&1
	status=$?
	if [ $status = 0 ]; then
		echo "  ok      $name ($((SECONDS - start)) s)"
	else
		echo "  FAILED  $name"
		tail -n 60 $out | sed 's/^/          /'
		failed=1
	fi
}

# files: all that there is, but for what others write at any time: apt, dpkg, rpm and systemd,
# depmod's tables, dkms' own key, the kernels that come meanwhile.
files() {
	find / -xdev \( -path /proc -o -path /dev -o -path /sys -o -path /tmp -o -path /srv \
		-o -path /run -o -path /var/cache -o -path /var/log -o -path /boot \
		-o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/rpm \
		-o -path /var/lib/systemd -o -path /var/lib/dbus -o -path /var/tmp -o -path /root \) -prune -o \
		! -type d -printf '%p %y %#m %U:%G\n' | sort |
		grep -vE '/modules\.[a-z.]+ |/var/lib/dkms/mok\.|/usr/src/linux-|/linux-(kbuild|headers|image)-|^/usr/lib/modules/[^/]*(rt|cloud)|^/(vmlinuz|initrd)|/var/lib/initramfs-tools/'
}

remember() {
	files >/srv/files
}

nothing_left() {
	files | diff /srv/files - || return
	if find / -xdev \( -path /proc -o -path /tmp -o -path /srv -o -path /var/lib/apt \) \
		-prune -o -iname '*dualstack*' -print -o -name '*dsctl*' -print | grep .; then
		echo "is left"
		return 1
	fi
}

# installed VERSION KERNEL [DESCRIPTION]: dkms has installed the module, and modprobe
# finds this one.
installed() {
	dkms status | grep -F "dualstack/$1, $2, x86_64: installed"
	[ "$(modinfo -k "$2" -F version dualstack)" = "$1" ]
	[ -z "${3:-}" ] || [ "$(modinfo -k "$2" -F description dualstack)" = "$3" ]
	modinfo -k "$2" -F filename dualstack | grep updates/dkms/
}
