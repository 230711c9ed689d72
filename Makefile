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

# make shares its jobs where a recipe has $(MAKE) or a plus.
kbuild = $(MAKE) -C $(KDIR) M=$(CURDIR)

all: modules tools

modules: check-kernel
	+$(kbuild) modules

tools:
	$(MAKE) -C tools/dsctl VERSION=$(VERSION)

check-kernel:
	@tools/check-kernel $(KDIR) $(KVER)

# Nothing of the kernel's is needed to clean up.
clean:
	@find kmod \( -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' \
		-o -name '.*.cmd' -o -name '*.o.d' -o -name modules.order \) -delete
	@rm -f Module.symvers modules.order .modules.order.cmd .Module.symvers.cmd
	$(MAKE) -C tools/dsctl clean

distclean: clean
	rm -rf build

install: all
	+$(kbuild) modules_install
	$(MAKE) -C tools/dsctl VERSION=$(VERSION) install

dkms := dualstack/$(VERSION)
dkms_src := $(DESTDIR)/usr/src/dualstack-$(VERSION)

dkms-install:
	install -d $(dkms_src)/tools
	cp -a COPYING Kbuild Makefile dkms.conf kmod $(dkms_src)
	cp -a tools/check-kernel $(dkms_src)/tools
	dkms install $(dkms)

dkms-uninstall:
	dkms remove $(dkms) --all
	rm -rf $(dkms_src)

demo check style generate bench coverage check-monitoring:
	@tools/vm/$@ $(KERNEL)

# For how long, in seconds; how many loads.
SECONDS ?= 3600
LOADS ?= 1000

fuzz:
	@tools/vm/endure $(KERNEL) fuzz $(SECONDS)

soak:
	@tools/vm/endure $(KERNEL) soak $(LOADS)

clean-cache:
	@tools/vm/clean-cache

help:
	@echo 'On this machine, for its own kernel:'
	@echo '  make                 kmod/dualstack.ko and tools/dsctl/dsctl'
	@echo '  make modules, tools  only the one or the other'
	@echo '  make install         install both, with manual page, completions and unit'
	@echo '  make dkms-install    have dkms build the module for each kernel to come'
	@echo '  make clean           remove what was built'
	@echo '  KVER=VERSION         build for an installed kernel other than the running one'
	@echo '  KDIR=DIR             build with the kernel headers or build tree in DIR'
	@echo
	@echo 'In a virtual machine, which needs nothing but Debian and room for 2 GB for each kernel:'
	@echo '  make demo            show what dsctl says about real servers and clients'
	@echo '  make check           run the style checks and all tests'
	@echo '  make style           the style checks alone'
	@echo '  make check-monitoring  what Prometheus makes of what dsctl exports'
	@echo '  make bench           what it costs, and what others cost, in instructions'
	@echo '  make coverage        which lines and branches the tests run, by file'
	@echo '  make fuzz            broken requests, and all that it counts at once, for an hour'
	@echo '                       (SECONDS=)'
	@echo '  make soak            load and unload it under traffic, 1000 times (LOADS=)'
	@echo '  make generate        write anew what follows from the netlink spec'
	@echo '  KERNEL=FLAVOUR       the kernel: 6.1 (the default), 6.12, newest, arm64, or debug,'
	@echo '                       which catches bugs; check also takes all'
	@echo '  JOBS=N               how many guests run at a time: one for each processor'
	@echo '  ACCEL=kvm            use KVM, where it works'
	@echo '  make distclean       clean, and remove the trees under build/'
	@echo '  make clean-cache     remove the guests and sources in ~/.cache/dualstack'

.PHONY: all modules tools check-kernel clean distclean install dkms-install
.PHONY: dkms-uninstall demo check style generate bench coverage fuzz soak
.PHONY: clean-cache help check-monitoring
