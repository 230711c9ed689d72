# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # used by those that source this
#
# What the scripts in this directory share: sourced, never run.
#
# A guest root is a directory with a Debian system in it, one per flavour of
# kernel, made once and kept in the cache. What is tested gets built in a
# chroot of it and runs in QEMU on top of it, so that both see the kernel,
# compiler and libraries of one distribution, and the machine itself gets a
# handful of packages only and never a daemon.
set -euo pipefail

TOP=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
VM=$TOP/tools/vm
CACHE=${DUALSTACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/dualstack}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
START=${START:-$(date +%s)}
export START

# Where the checkout, the build tree and the kernel's sources are in a guest
# root. The checkout is seen by the chroot only.
GUEST_SOURCE=/srv/source
GUEST_DIR=/srv/dualstack
GUEST_LINUX=/srv/linux

# What a guest's kernel is told. The thresholds are for one whose processors get a
# share of a busy machine's: what holds one up there is no fault of the kernel.
GUEST_KERNEL_OPTIONS="watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120"

# The root that kernels are built in, one that every run has, and the root that builds for
# another architecture: a module's build needs programs of its kernel's version.
BUILDER=6.1
CROSS_BUILDER=6.12

# One line per flavour: its root, the suite of that, and the suite that the
# kernel is taken from. Versions are the archive's business: of two lines for
# one flavour, that with the newer kernel holds. A flavour in the root of another has a
# kernel that was built for it, from the sources in that suite. Those for benchmarks have
# what is measured besides, that for monitoring what reads and keeps what dsctl exports.
flavours() {
	cat <<-'EOT'
		6.1     6.1     bookworm  bookworm
		6.12    6.12    bookworm  bookworm-backports
		newest  newest  trixie    trixie-backports
		newest  newest  sid       sid
		debug   6.1     bookworm  bookworm-backports
		cloud   cloud   bookworm  bookworm
		rt      rt      bookworm  bookworm
		rt-6.12    rt-6.12    trixie  trixie
		rt-newest  rt-newest  sid     sid
		rt-debug   6.1     bookworm  bookworm-backports
		arm64   arm64   bookworm  bookworm-backports
		bench-6.1   bench-6.1   bookworm  bookworm
		bench-6.12  bench-6.12  bookworm  bookworm-backports
		monitoring-6.1  monitoring-6.1  bookworm  bookworm
	EOT
}

# The packages of a guest, by what needs them.
guest_packages() {
	case $FLAVOUR in
	cloud) echo linux-image-cloud-amd64 linux-headers-cloud-amd64 ;;
	rt | rt-6.12 | rt-newest) echo linux-image-rt-amd64 linux-headers-rt-amd64 ;;
	*) echo linux-image-amd64 linux-headers-amd64 ;;
	esac
	cat <<-'EOT'
		gcc make libc6-dev pkg-config
		libnl-3-dev libnl-genl-3-dev libjansson-dev
		perl python3 rsync
		busybox-static mount kmod udev procps file iproute2
		jq gojq curl socat netcat-openbsd iputils-ping
		nginx-light openssh-server openssh-client vsftpd
		lighttpd systemd
		rsyslog dnsmasq-base
		linux-perf trace-cmd bpftrace
	EOT
	case $FLAVOUR in
	# Their completion is compared with bash's where it was written.
	6.1 | 6.12 | debug | rt-debug) echo zsh fish ;;
	bench-*) echo libbpf-dev bpfcc-tools gnuplot-nox ;;
	monitoring-*) echo prometheus prometheus-node-exporter ;;
	esac
}

# What the style checks need besides
style_packages() {
	cat <<-'EOT'
		clang musl-tools sparse cppcheck shellcheck codespell groff-base valgrind
		python3-yaml python3-jsonschema
	EOT
}

# What a root needs besides, to build for other flavours: kernels that no suite has, and
# all that runs on another architecture.
builder_packages() {
	case ${ROOT##*/root-} in
	"$BUILDER") echo flex bison bc libelf-dev libssl-dev cpio xz-utils ;;
	"$CROSS_BUILDER") echo gcc-aarch64-linux-gnu ;;
	esac
}

# root_packages: those of this flavour's root. One of another architecture is
# unpacked and no more, for nothing in it can run here: what any system has must
# be said, and of the style checks' packages what the tests use too.
root_packages() {
	if [ "$ROOT" != "$BUILD_ROOT" ]; then
		guest_packages | sed 's/\<linux-\(image\|headers\)-amd64/linux-\1-arm64/g'
		echo "?essential login python3-yaml python3-jsonschema"
		return
	fi
	guest_packages
	style_packages
	builder_packages
}

# qemu_package: that which has QEMU for the guest's architecture.
qemu_package() {
	case ${GUEST_ARCH:-x86_64} in
	aarch64) echo qemu-system-arm ;;
	*) echo qemu-system-x86 ;;
	esac
}

# The packages of this machine, and what each is for. Of an old QEMU it is the libraries.
host_packages() {
	echo "$(qemu_package)   runs the guest"
	cat <<-'EOT'
		mmdebstrap        makes the guest's root directory
		python3           runs virtme-run, which starts QEMU
		kmod              finds the modules that the guest needs to boot
		file              reads the version out of a kernel image
		xz-utils          unpacks the kernel's sources
	EOT
}

step() {
	printf '[%4d s] %s\n' $(($(date +%s) - START)) "$*"
}

# A guest keeps one processor busy, and there are slots for JOBS of them, or for as
# many as there are processors: bytes in a pipe, which those share that one script
# starts.

# slots_make: unless the caller has made them
slots_make() {
	local fifo i

	[ -z "${SLOTS:-}" ] || return 0
	fifo=$(mktemp -u)
	mkfifo "$fifo"
	exec 7<>"$fifo"
	rm -f "$fifo"
	for ((i = 0; i < ${JOBS:-$(nproc)}; i++)); do
		printf x >&7
	done
	export SLOTS=7
}

# slot_take: wait for a slot
slot_take() {
	local byte

	read -r -N 1 -u "$SLOTS" byte
}

slot_give() {
	printf x >&"$SLOTS"
}

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -- "$@"
	fi
}

# shellcheck disable=SC2046 # names without spaces
# flavour NAME: set the variables of a flavour, or say which there are.
flavour() {
	local name root suite kernel_suite

	while read -r name root suite kernel_suite; do
		if [ "$name" = "$1" ]; then
			FLAVOUR=$name
			SUITE=$suite
			KERNEL_SUITE=$kernel_suite
			ROOT=$CACHE/root-$root
			KERNEL_DIR=$ROOT
			BUILD_ROOT=$ROOT
			GUEST_ARCH=x86_64
			CHECK_SECONDS=3600
			if [ "$name" = arm64 ]; then
				GUEST_ARCH=aarch64
				BUILD_ROOT=$CACHE/root-$CROSS_BUILDER
				CHECK_SECONDS=5400
			fi
			if [ "$name" != "$root" ]; then
				KERNEL_DIR=$CACHE/kernel-$name
				CHECK_SECONDS=5400
			fi
			BUILD=$TOP/build/$name
			LOGS=$BUILD/log
			mkdir -p "$CACHE" "$LOGS"
			return
		fi
	done < <(flavours)
	die "KERNEL=$1: unknown; there are:" $(flavours | awk '{ print $1 }')
}

# use_root: keep the guest root and its kernel from being replaced while this
# shell lives.
use_root() {
	exec 7>"$ROOT.lock"
	flock --shared 7
	exec 5>"$KERNEL_DIR.lock"
	flock --shared 5
	exec 9>"$BUILD_ROOT.lock"
	flock --shared 9
}

# archive_uri [LABEL]: where this machine gets its Debian packages from.
archive_uri() {
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' \
		'Origin: Debian' "Label: ${1:-Debian}" | sed -n 1p
}

# sources SUITE [SUITE...]: a sources.list for these, with what the archive
# publishes in updates and security suites where this machine has those too.
sources() {
	local main security suite signed="[signed-by=$KEYRING]"

	main=$(archive_uri)
	[ -n "$main" ] ||
		die "apt knows no Debian archive: run apt-get update, or see sources.list(5)"
	security=$(archive_uri Debian-Security)
	for suite; do
		echo "deb $signed $main $suite main"
		case $suite in
		*-backports | sid)
			;;
		*)
			echo "deb $signed $main $suite-updates main"
			if [ -n "$security" ]; then
				echo "deb $signed $security $suite-security main"
			fi
			;;
		esac
	done
}

# apt_for DIR SUITE...: a configuration of apt's with these suites in DIR, for
# APT_CONFIG=DIR/apt.conf; the machine's stays as it is.
apt_for() {
	local apt=$1

	shift
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	sources "$@" >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-EOT
		Dir::Etc::sourcelist "$apt/sources.list";
		Dir::Etc::sourceparts "-";
		Dir::State::lists "$apt/lists";
		Dir::State::status "/dev/null";
		Dir::Cache "$apt/cache";
		APT::Sandbox::User "$(id -un)";
		Acquire::Languages "none";
	EOT
	APT_CONFIG=$apt/apt.conf apt-get -qq update
}

# fetch SUITE PACKAGE...: download packages into the current directory.
fetch() {
	apt_for "$PWD/apt" "$1"
	shift
	APT_CONFIG=$PWD/apt/apt.conf apt-get -qq download "$@"
	rm -rf apt
}

# stamped DIR TEXT: is DIR complete, and made from TEXT?
stamped() {
	[ -f "$1/.stamp" ] && [ "$(cat "$1/.stamp")" = "$(digest "$2")" ]
}

# cached_root ROOT RECIPE WHAT LOG COMMAND...: unless the cache has ROOT as RECIPE has it,
# have COMMAND make it in the directory that it is given. Whoever uses a root holds its
# lock shared, and it is replaced when they are done; this shell has it from then on.
cached_root() {
	local root=$1 recipe=$2 what=$3 log=$4

	shift 4
	stamped "$root" "$recipe" && return
	exec 8>"$root.lock"
	if ! flock --nonblock 8; then
		step "waiting for another run that uses or makes the same root"
		flock 8
	fi
	stamped "$root" "$recipe" && return
	step "making the root for $what, a minute or three"
	as_root rm -rf "$root.new"
	"$@" "$root.new" >"$log" 2>&1 8>&- || {
		tail -n 30 "$log" >&2
		die "could not make the root; log: $log"
	}
	digest "$recipe" | as_root tee "$root.new/.stamp" >/dev/null
	as_root rm -rf "$root"
	as_root mv "$root.new" "$root"
}

digest() {
	printf '%s\n' "$1" | sha256sum | cut -d ' ' -f 1
}

# prepare FLAVOUR: all that has to be there before a guest can boot. Runs that
# share a build tree take turns.
prepare() {
	flavour "$1"
	exec 6>"$BUILD/lock"
	if ! flock --nonblock 6; then
		step "waiting for another run in $BUILD"
		flock 6
	fi
	"$VM/deps" "$FLAVOUR"
	"$VM/tools" "$FLAVOUR"
	[ "$ROOT" = "$BUILD_ROOT" ] || "$VM/root" "$CROSS_BUILDER"
	"$VM/root" "$FLAVOUR"
	"$VM/kernel" "$FLAVOUR"
	"$VM/build" "$FLAVOUR"
}

# can_suspend: of the kernels here, those of Debian on amd64 can suspend themselves
# for a test.
can_suspend() {
	[ "$GUEST_ARCH" = x86_64 ] &&
		grep -qs '^CONFIG_PM_SLEEP_DEBUG=y' "$KERNEL_DIR"/boot/config-*
}

# unasked KERNEL-LOG: the log without the command line, and without the "Call
# Trace:" of a task that has its allocations fail: kmem_cache_create() and others
# tell of that by dump_stack(). Whatever is wrong says more than that.
unasked() {
	awk '/[Cc]ommand line: / { next }
	     /Call Trace:/ && expected { expected = 0; next }
	     { if (/ Comm: /) expected = / Comm: fail_nth /; print }' "$1"
}

# ran NAME STATUS LOG KERNEL-LOG: judge a guest's end and its kernel's log.
ran() {
	local name=$1 status=$2 log=$3 klog=$4 bad=0

	case $status in
	0) ;;
	124 | 137) echo "$name: the guest ran out of time" ;;
	255) echo "$name: the guest came to a sudden end" ;;
	*) echo "$name: failed in the guest, status $status" ;;
	esac
	[ "$status" = 0 ] || bad=1
	if ! grep -q 'Linux version' "$klog"; then
		echo "$name: the kernel's log is empty"
		bad=1
	fi
	if unasked "$klog" |
		grep -E -f <(grep -v '^#' "$VM/splats"); then
		echo "$name: the kernel complained, see $klog"
		bad=1
	fi
	echo "logs: $log"
	echo "      $klog"
	return $bad
}

# tally LOG...: count the tests in what guests printed; it fails if one did.
tally() {
	awk -v config="$(echo "$KERNEL_DIR"/boot/config-*)" -f "$VM/tally.awk" "$@"
}
