# SPDX-License-Identifier: GPL-2.0
#
# kbuild reads Kbuild; this file is for people. "make help" lists its targets.

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build

# The flavour of kernel that demo and check boot.
KERNEL ?= 6.1

# dkms wants the version written down; it goes everywhere from there.
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
export DUALSTACK_VERSION := $(VERSION)

# Whoever builds it elsewhere gets the same module, but for gcov, which wants its files here.
kcflags = $(KCFLAGS) -fdebug-prefix-map=$(CURDIR)=dualstack -fmacro-prefix-map=$(CURDIR)=dualstack

# make shares its jobs where a recipe has $(MAKE) or a plus.
kbuild = $(MAKE) -C $(KDIR) M=$(CURDIR) KCFLAGS='$(strip $(kcflags))'

all: modules tools

modules: check-kernel
	+$(kbuild) modules

tools:
	$(MAKE) -C tools/dsctl VERSION=$(VERSION)

check-kernel:
	@tools/check-kernel $(KDIR) $(KVER)

# Nothing of the kernel's is needed to clean up.
clean: clean-modules
	$(MAKE) -C tools/dsctl clean

clean-modules:
	@find kmod \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '.*.cmd' -o -name '*.o.d' -o -name modules.order \) -delete
	@rm -f Module.symvers modules.order .modules.order.cmd .Module.symvers.cmd

distclean: clean
	rm -rf build

# Recipes run in other directories, too.
ifneq ($(filter-out /%,$(DESTDIR)),)
  $(error DESTDIR=$(DESTDIR) has to be an absolute path)
endif

# What the kernel in KDIR calls itself, and its key for modules, if that is there: a
# distribution keeps its own to itself.
release = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
sig_key = $(shell sed -n 's/^CONFIG_MODULE_SIG_KEY="\(.*\)"/\1/p' \
	$(KDIR)/include/config/auto.conf)
has_key = $(filter pkcs11:%,$(sig_key))$(wildcard $(filter /%,$(sig_key)) \
	$(if $(sig_key),$(KDIR)/$(sig_key)))

INSTALL_MOD_DIR ?= updates

# kbuild's own depmod, which wants a System.map, is left out.
install: all
	+$(kbuild) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=$(INSTALL_MOD_DIR) \
		$(if $(has_key),,CONFIG_MODULE_SIG_ALL=) \
		quiet_cmd_depmod= cmd_depmod=true modules_install
	$(if $(has_key),,@echo '  UNSIGNED dualstack.ko: $(KDIR)' \
		'has no key to sign it with, see LOADING in dsctl(8)')
	$(if $(DESTDIR),,depmod $(release))
	$(MAKE) -C tools/dsctl VERSION=$(VERSION) install

# For all kernels
uninstall:
	@for ko in $(DESTDIR)/lib/modules/*/$(INSTALL_MOD_DIR)/kmod/dualstack.ko*; do \
		[ -e "$$ko" ] || continue; \
		dir=$${ko%/$(INSTALL_MOD_DIR)/*}; \
		rm "$$ko" || exit; \
		(cd "$$dir" && rmdir -p --ignore-fail-on-non-empty $(INSTALL_MOD_DIR)/kmod); \
		echo "  REMOVED $$ko"; \
		[ -n "$(DESTDIR)" ] || depmod "$${dir##*/}" || exit; \
	done
	$(MAKE) -C tools/dsctl uninstall

# Where DESTDIR is set the sources are put there, and no more.
dkms-install:
	@tools/packaging/dkms sources $(VERSION) $(DESTDIR)
	$(if $(DESTDIR),,@tools/packaging/dkms install $(VERSION) $(KVER))

dkms-uninstall:
	@tools/packaging/dkms uninstall

# The tarball, and packages of it, in build/
packages := $(CURDIR)/build/packages

dist:
	@tools/packaging/dist $(VERSION) $(packages)
	@echo '$(packages)/dualstack-$(VERSION).tar.gz'

deb rpm: dist
	@tools/packaging/$@ $(VERSION) $(packages)

demo check style generate bench coverage check-monitoring:
	@tools/vm/$@ $(KERNEL)

check-install:
	@tools/vm/check-install $(SUITES)

# For how long, in seconds; how many loads.
SECONDS ?= 3600
LOADS ?= 1000

fuzz:
	@tools/vm/endure $(KERNEL) fuzz $(SECONDS)

soak:
	@tools/vm/endure $(KERNEL) soak $(LOADS)

# A kernel tree, and where patches for it go instead
LINUX ?= $(error LINUX= has to say where a kernel tree is)
PATCHES ?= build/patches

in-tree:
	@tools/in-tree $(LINUX)

in-tree-patches:
	@tools/in-tree $(LINUX) $(PATCHES)

check-in-tree:
	@tools/vm/in-tree

clean-cache:
	@tools/vm/clean-cache

help:
	@echo 'On this machine, for its own kernel:'
	@echo '  make                 kmod/dualstack.ko and tools/dsctl/dsctl'
	@echo '  make modules, tools  only the one or the other'
	@echo '  make install         install both, with manual page, completions and unit'
	@echo '  make uninstall       remove what that has installed, for whatever kernel'
	@echo '  make dkms-install    have dkms build the module for each kernel to come'
	@echo '  make dkms-uninstall  take it back'
	@echo '  make dist            a tarball of the sources, in build/packages'
	@echo '  make deb, make rpm   packages of it, for Debian or for RPM'
	@echo '  make clean           remove what was built'
	@echo '  KVER=VERSION         build for an installed kernel other than the running one'
	@echo '  KDIR=DIR             build with the kernel headers or build tree in DIR'
	@echo '  DESTDIR=DIR PREFIX=  install below DIR; dsctl there in PREFIX, /usr/local if not set'
	@echo
	@echo 'For a kernel tree in LINUX=DIR, as a part of it:'
	@echo '  make in-tree         put module, spec, selftests and documentation there'
	@echo '  make in-tree-patches have that as patches in build/patches (PATCHES=)'
	@echo
	@echo 'In a virtual machine, which needs nothing but Debian and room for 2 GB for each kernel:'
	@echo '  make demo            show what dsctl says about real servers and clients'
	@echo '  make check           run the style checks and all tests'
	@echo '  make style           the style checks alone'
	@echo '  make check-install   for Debian 12 and 13 (SUITES=): all of the above that installs,'
	@echo '                       packages, kernels and upgrades in a chroot; then the packages'
	@echo '                       on a machine that boots by systemd (PARTS="chroot vm")'
	@echo '  make check-monitoring  what Prometheus makes of what dsctl exports'
	@echo '  make bench           what it costs, and what others cost, in instructions'
	@echo '  make coverage        which lines and branches the tests run, by file'
	@echo '  make fuzz            broken requests, and all that it counts at once, for an hour'
	@echo '                       (SECONDS=)'
	@echo '  make soak            load and unload it under traffic, 1000 times (LOADS=)'
	@echo '  make check-in-tree   try the patches, and build it in the sources of Linux 6.12'
	@echo '  make generate        write anew what follows from the netlink spec'
	@echo '  KERNEL=FLAVOUR       the kernel: 6.1 (the default), 6.12, newest, cloud, arm64; rt,'
	@echo '                       rt-6.12 or rt-newest, with PREEMPT_RT; debug or rt-debug,'
	@echo '                       which catch bugs; check also takes all'
	@echo '  JOBS=N               how many guests run at a time: one for each processor'
	@echo '  ACCEL=kvm            use KVM, where it works'
	@echo '  make distclean       clean, and remove the trees under build/'
	@echo '  make clean-cache     remove the guests and sources in ~/.cache/dualstack'

.PHONY: all modules tools check-kernel clean clean-modules distclean
.PHONY: install uninstall dkms-install dkms-uninstall dist deb rpm
.PHONY: check-install check-monitoring demo check style generate bench
.PHONY: coverage fuzz soak in-tree in-tree-patches check-in-tree clean-cache help
