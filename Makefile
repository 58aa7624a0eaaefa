# SPDX-License-Identifier: Apache-2.0
#
# ocid: `make demo` shows it, `make check` tests it, `make install` installs it.
# CFLAGS and LDFLAGS are the user's; what the project itself needs is in FLAGS and LINK.

BUILD      ?= build
# GNU's names for these four are taken, too
PREFIX     ?= $(or $(prefix),/usr/local)
BINDIR     ?= $(or $(bindir),$(PREFIX)/bin)
LIBEXECDIR ?= $(or $(libexecdir),$(PREFIX)/libexec)/ocid
MANDIR     ?= $(or $(mandir),$(PREFIX)/share/man)
UNITDIR    ?= $(PREFIX)/lib/systemd/system
DATADIR    ?= $(PREFIX)/share/ocid
DOCDIR     ?= $(PREFIX)/share/doc/ocid
EXAMPLEDIR ?= $(DOCDIR)/examples
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
CFLAGS     ?= -O2 -g
PKG_CONFIG ?= pkg-config
NM         ?= nm
V          ?= 0

# ---- what is built ---------------------------------------------------------------------------

TOOLS   := skopeo-c oci-gen ctr-store ctr-net ocid-shim ocid-dispatch
# executables that a tool starts for itself
WORKERS := ctr-store-unpack ocid-shim-monitor ocid-pause ocid-dispatch-stream ocid-dispatch-tls
# of these, those that stay as long as a container or a pod
RESIDENT := ocid-shim-monitor ocid-pause
PROGRAMS := $(TOOLS) $(WORKERS)

# The archive of a library, where the compiler has one.
archive = $(filter /%,$(shell $(CC) -print-file-name=$(1).a 2>/dev/null))
INFLATE := $(if $(shell $(PKG_CONFIG) --exists libisal 2>/dev/null && echo y),libisal,zlib)

# The libraries of each program: the architecture in a few lines (DESIGN 7).
PKGS_lib               := jansson libcrypto
# libyaml, libzstd, GPGME, libsodium, libbz2 and liblzma are loaded when they are needed
# (lib/library.h)
PKGS_skopeo-c          := jansson libcrypto $(INFLATE)
PKGS_oci-gen           := jansson
PKGS_ctr-store         := jansson
PKGS_ctr-store-unpack  := libzstd jansson $(INFLATE)
PKGS_ctr-net           := libmnl jansson
PKGS_ocid-shim         := jansson
PKGS_ocid-dispatch     := libnghttp2 libprotobuf-c jansson
PKGS_ocid-dispatch-stream := zlib jansson
LIBS_ocid-dispatch     := -lm
LIBS_ocid-dispatch-stream := -lwslay
PKGS_ocid-dispatch-tls := libssl libcrypto jansson

# SHA-2 is all that the others need of libcrypto: to load the whole of it takes a third of their
# start, so these objects come from its archive where there is one.
SHA2 := $(if $(call archive,libcrypto),-l:libcrypto.a,-lcrypto)

# libcurl comes from its archive, too, where there is one (Debian's, Ubuntu's), without the libraries
# for what is not spoken: as a shared one it brings thirty along, half of the time of an inspect. What
# it needs of them is defined instead (skopeo-c/curl_linked.c). One that was built with a library that
# is not known here, and any with `make LIBCURL=`, is loaded when it is needed (skopeo-c/curl_loaded.c).
CURL_STATIC  := $(filter -l%,$(shell $(PKG_CONFIG) --static --libs libcurl 2>/dev/null))
CURL_WITH    := -lssl -lcrypto -lnghttp2 -lz -ldl
CURL_WITHOUT := -lbrotlidec -lgssapi_krb5 -lidn2 -llber -lldap -lnghttp3 -lpsl -lrtmp -lssh2 -lzstd
CURL_ABSENT  := Brotli|gss_|idn2_|ber_|ldap_|nghttp3_|psl_|RTMP_|libssh2_|ZSTD_
# what only those ask for
CURL_BENEATH := -latomic -lbrotlicommon -lcom_err -lgmp -lgnutls -lgpg-error -lhogweed -lk5crypto -lkrb5 \
	-lkrb5support -lnettle -lp11-kit -ltasn1 -lunistring
CURL_UNKNOWN := $(filter-out -lcurl $(CURL_WITH) $(CURL_WITHOUT) $(CURL_BENEATH),$(CURL_STATIC))
LIBCURL      := $(if $(CURL_UNKNOWN),,$(if $(CURL_STATIC),$(realpath $(call archive,libcurl))))
CURL_LIBS    := $(if $(LIBCURL),$(LIBCURL) $(filter $(CURL_WITH),$(CURL_STATIC)))
LIBS_skopeo-c := $(CURL_LIBS)

# Of libarchive the tar reader and two filters are what layers need: as a shared one it brings libxml2
# and ICU along, two thirds of what a worker takes to start, into the process that reads hostile bytes.
LIBS_ctr-store-unpack := $(if $(call archive,libarchive),-l:libarchive.a -llzma -lbz2 -lz,-larchive)

# Two that run some times for each call of the dispatcher, and load nothing later, are whole in their
# files where all is there as archives: the dynamic loader is a third of their time. `make STATIC=` for
# what looks into programs by way of it.
STATIC ?= $(if $(SANITIZE),,$(if $(and $(call archive,libc),$(call archive,libjansson),$(call archive,libcrypto)),y))
WHOLE := $(if $(STATIC),ctr-store ocid-shim)

SRCS_ctr-store-unpack  := $(wildcard ctr-store/worker/*.c)
SRCS_ocid-shim-monitor := $(wildcard ocid-shim/monitor/*.c)
SRCS_ocid-pause        := $(wildcard ocid-dispatch/pause/*.c)
SRCS_ocid-dispatch-stream := $(wildcard ocid-dispatch/stream/*.c) ocid-dispatch/stream_control.c
SRCS_ocid-dispatch-tls := $(wildcard ocid-dispatch/tls/*.c) ocid-dispatch/stream/confine.c
$(foreach t,$(TOOLS),$(eval SRCS_$(t) := $(wildcard $(t)/*.c)))
SRCS_skopeo-c := $(filter-out skopeo-c/curl_$(if $(LIBCURL),loaded,linked).c,$(SRCS_skopeo-c))

# ---- flags -----------------------------------------------------------------------------------

WERROR := -Werror
WARN := -Wall -Wextra $(WERROR) -Wshadow -Wvla -Wundef -Wformat=2 -Wwrite-strings -Wpointer-arith \
	-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wimplicit-fallthrough \
	-Wconversion -Wsign-conversion -Wnull-dereference
HARDEN := -fstack-protector-strong -fPIE
LINK := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread
MACROS := $(shell $(CC) $(CFLAGS) $(CPPFLAGS) -dM -E -x c /dev/null 2>/dev/null)
ifdef SANITIZE
HARDEN += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK += -fsanitize=address,undefined
else
# unless the compiler or the user has chosen by now
HARDEN += $(if $(findstring _FORTIFY_SOURCE,$(MACROS)),,-D_FORTIFY_SOURCE=2)
endif
# files are larger than the words of some machines
LANGUAGE := -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
FLAGS = $(LANGUAGE) -I. -I$(BUILD)/gen $(WARN) $(HARDEN) -MMD -MP

machine = $(firstword $(subst -, ,$(shell $(1) -dumpmachine 2>/dev/null)))
pkg_cflags = $(if $(1),$(shell $(PKG_CONFIG) --cflags $(1)))
pkg_libs   = $(if $(1),$(shell $(PKG_CONFIG) --libs $(1)))

ifeq ($(V),0)
quiet = @printf '  %-6s %s\n' $(1) $(patsubst $(BUILD)/%,%,$@);
endif

.DELETE_ON_ERROR:
.PHONY: all completions install uninstall clean deps test-deps demo check check-tests check-vm power-cuts check-package asan lint bench instructions dynamic stress fuzz crash soak deb dist

all: $(PROGRAMS:%=$(BUILD)/%) completions

# ---- objects ---------------------------------------------------------------------------------

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
LIB_OBJS := $(call objects,$(wildcard lib/*.c))

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(FLAGS) $(CFLAGS) $(CPPFLAGS) -c -o $@ $<

# The one object that knows where we are installed is made anew where that is somewhere else by now.
$(BUILD)/obj/lib/spawn.o: FLAGS += -DLIBEXECDIR='"$(LIBEXECDIR)"'
$(BUILD)/obj/lib/spawn.o: $(BUILD)/libexecdir
ifneq ($(shell cat $(BUILD)/libexecdir 2>/dev/null),$(LIBEXECDIR))
.PHONY: $(BUILD)/libexecdir
endif
$(BUILD)/libexecdir:
	@mkdir -p $(@D)
	@echo '$(LIBEXECDIR)' >$@

$(BUILD)/libocid.a: $(LIB_OBJS)
	@rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $^

# cri.proto becomes C once, before any object of the dispatcher.
CRI_GEN := $(BUILD)/gen/ocid-dispatch/cri.pb-c
ifneq ($(wildcard ocid-dispatch/cri.proto),)
CRI_OBJS := $(BUILD)/obj/gen/cri.pb-c.o
$(call objects,$(SRCS_ocid-dispatch)): | $(CRI_GEN).h
endif

$(CRI_GEN).c $(CRI_GEN).h &: ocid-dispatch/cri.proto
	@mkdir -p $(@D)
	$(call quiet,PROTO)protoc-c --c_out=$(BUILD)/gen $<

# generated code keeps none of our warnings; it has fields named linux, a macro of gnu17
$(BUILD)/obj/gen/cri.pb-c.o: $(CRI_GEN).c
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) -std=c17 -I$(BUILD)/gen $(HARDEN) $(CFLAGS) -c -o $@ $<

# what libcurl.a would call of the libraries that it is linked without
CURL_GEN := $(BUILD)/gen/skopeo-c/curl_absent.h
$(BUILD)/obj/skopeo-c/curl_linked.o: | $(CURL_GEN)
$(CURL_GEN): $(LIBCURL) Makefile
	@mkdir -p $(@D)
	$(call quiet,NM)$(NM) -u --quiet $< | sed -nE 's/^ +U (($(CURL_ABSENT)).*)/ABSENT(\1)/p' | sort -u >$@

# ---- programs --------------------------------------------------------------------------------

define program
$(BUILD)/$(1): $(call objects,$(SRCS_$(1))) $(if $(filter ocid-dispatch,$(1)),$(CRI_OBJS)) $(BUILD)/libocid.a
	@mkdir -p $$(@D)
	$$(call quiet,LINK)$$(CC) $$(HARDEN) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ \
		$$(if $$(filter $(1),$$(WHOLE)),$$(LINK:-pie=-static-pie),$$(LINK)) $$(LIBS_$(1)) \
		$$(call pkg_libs,$$(PKGS_$(1))) $$(if $$(filter libcrypto,$$(PKGS_$(1))),,$$(SHA2))
endef
$(foreach p,$(filter-out $(RESIDENT),$(PROGRAMS)),$(eval $(call program,$(p))))

# These stay in memory once for every container or pod: static, without our library or any other.
RESIDENT_CC ?= $(if $(SANITIZE),$(CC),$(if $(filter $(call machine,$(CC)),$(call machine,musl-gcc)),musl-gcc,$(CC)))
RESIDENT_FLAGS = $(LANGUAGE) -I. $(filter-out -Wnull-dereference,$(WARN))
ifdef SANITIZE
RESIDENT_FLAGS += $(HARDEN) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS)
else
# no sanitizer can be static
RESIDENT_FLAGS += -fstack-protector-strong -static $(filter-out -fsanitize%,$(CFLAGS) $(CPPFLAGS) $(LDFLAGS))
endif
define resident
$(BUILD)/$(1): $(SRCS_$(1)) $(wildcard $(dir $(firstword $(SRCS_$(1))))*.h)
	@mkdir -p $$(@D)
	$$(call quiet,LINK)$$(RESIDENT_CC) $$(RESIDENT_FLAGS) \
		-Wl,-z,relro,-z,now -Wl,-z,noseparate-code -o $$@ $(SRCS_$(1))
endef
$(foreach p,$(RESIDENT),$(eval $(call resident,$(p))))

# ---- completions -----------------------------------------------------------------------------

# The tools say them. Those for another machine cannot here: NATIVE is a directory of tools that can.
NATIVE ?= $(if $(filter $(call machine,cc),$(call machine,$(CC))),$(BUILD))
BASH_COMPLETIONS := $(if $(NATIVE),$(TOOLS:%=$(BUILD)/completions/bash/%))
ZSH_COMPLETIONS  := $(if $(NATIVE),$(TOOLS:%=$(BUILD)/completions/zsh/_%))
completions: $(BASH_COMPLETIONS) $(ZSH_COMPLETIONS)

$(BASH_COMPLETIONS): $(BUILD)/completions/bash/%: $(NATIVE)/%
	@mkdir -p $(@D)
	$(call quiet,GEN)$< --completion bash >$@

$(ZSH_COMPLETIONS): $(BUILD)/completions/zsh/_%: $(NATIVE)/%
	@mkdir -p $(@D)
	$(call quiet,GEN)$< --completion zsh >$@

# ---- tests -----------------------------------------------------------------------------------

UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*.c))
FUZZ := $(filter-out replay,$(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c)))
REPLAY := $(FUZZ:%=$(BUILD)/replay/%)

# Objects and libraries of a tool that its unit test or fuzz target NAME needs beside lib/:
# TEST_OBJS_NAME, TEST_PKGS_NAME.
-include tests/objects.mk

$(UNIT): $(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libocid.a
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) $(HARDEN) $(CFLAGS) $(LDFLAGS) -o $@ $< \
		$(TEST_OBJS_$*:%=$(BUILD)/obj/%) $(BUILD)/libocid.a $(LINK) \
		$(TEST_LIBS_$*) $(call pkg_libs,$(PKGS_lib) $(TEST_PKGS_$*))

# every extra object must exist before the unit test that names it is linked
$(foreach u,$(UNIT:$(BUILD)/unit/%=%),$(eval $(BUILD)/unit/$(u): $(TEST_OBJS_$(u):%=$(BUILD)/obj/%)))

# a fuzz target that is only run on its seeds
$(REPLAY): $(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/libocid.a
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) $(HARDEN) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) \
		$(BUILD)/libocid.a $(LINK) $(TEST_LIBS_$*) $(call pkg_libs,$(PKGS_lib) $(TEST_PKGS_$*))
$(foreach f,$(FUZZ),$(eval $(BUILD)/replay/$(f): $(TEST_OBJS_$(f):%=$(BUILD)/obj/%)))

# T chooses files: make check T=tests/ctr-store/mount.bats
T ?= $(sort $(wildcard tests/*.bats tests/*/*.bats))

check: test-deps
	@$(MAKE) --no-print-directory -j$$(nproc) check-tests

# the tests' own calls of make are not part of this one
check-tests: all $(UNIT) $(REPLAY)
	@env -u MAKEFLAGS -u MAKELEVEL OCID_BIN=$(abspath $(BUILD)) tests/run $(UNIT) $(REPLAY) -- $(T)

# On pure cgroup v2 with systemd and Debian's kernel, in a virtual machine: make check-vm T=…
check-vm: all
	@BUILD=$(BUILD) tests/vm/run $(T)

# In that machine: power cuts on a disk that loses what is not flushed, CUTS of them each
CUTS ?= 20
power-cuts: all
	@BUILD=$(BUILD) tests/vm/power-cuts store $(CUTS)
	@BUILD=$(BUILD) tests/vm/power-cuts pods $(CUTS)

# In that machine, on a system that is new: the Debian package, its demo and its service, and a reboot
check-package: all
	@BUILD=$(BUILD) tests/vm/package

asan: test-deps
	@$(MAKE) --no-print-directory -j$$(nproc) BUILD=build/asan SANITIZE=1 check-tests

# Every verb killed, interrupted and failed at each of its system calls, 9,300 times: the better part of an hour
crash: test-deps all
	@OCID_BIN=$(abspath $(BUILD)) tests/crash

# Pods come and go through the dispatcher's socket for SOAK_SECONDS; nothing may be left
SOAK_SECONDS ?= 300
soak: test-deps all
	@OCID_BIN=$(abspath $(BUILD)) tests/soak $(SOAK_SECONDS)

bench: all dynamic
	@OCID_BIN=$(abspath $(BUILD)) OCID_DYNAMIC_BIN=$(abspath $(BUILD))/dynamic tests/bench/run | tee $(BUILD)/bench.jsonl
	@tests/bench/chart $(BUILD)/bench.jsonl $(BUILD)/bench.svg

# What is too short to be timed, in instructions, beside what it was: tests/bench/instructions.json
instructions: dynamic
	@OCID_BIN=$(abspath $(BUILD))/dynamic tests/bench/instructions

# as valgrind needs them
dynamic:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/dynamic STATIC= all

# Hundreds of processes on one store, for a minute (STRESS_SECONDS, STRESS_PROCESSES).
stress: all
	@OCID_BIN=$(abspath $(BUILD)) tests/stress

# libFuzzer, each target for FUZZ_SECONDS; finds and corpus go to build/fuzz, seeds are in the tree
FUZZ_SECONDS ?= 60
fuzz: test-deps
	@$(MAKE) --no-print-directory BUILD=build/fuzz CC=clang fuzz-targets
	@BUILD=build/fuzz SECONDS_EACH=$(FUZZ_SECONDS) tests/fuzz/run $(FUZZ)

.PHONY: fuzz-targets
fuzz-targets: $(FUZZ:%=$(BUILD)/fuzz/%)

FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
ifneq ($(filter fuzz-targets,$(MAKECMDGOALS)),)
HARDEN += $(FUZZ_FLAGS)
endif
$(FUZZ:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/libocid.a
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) -fsanitize=fuzzer,address,undefined $(CFLAGS) -o $@ $< \
		$(TEST_OBJS_$*:%=$(BUILD)/obj/%) $(BUILD)/libocid.a -Wl,--as-needed -pthread \
		$(TEST_LIBS_$*) $(call pkg_libs,$(PKGS_lib) $(TEST_PKGS_$*))
$(foreach f,$(FUZZ),$(eval $(BUILD)/fuzz/$(f): $(TEST_OBJS_$(f):%=$(BUILD)/obj/%)))

# ---- the rest --------------------------------------------------------------------------------

# Debian's packages for building, and those that demo and tests need beside
deps:
	@tests/deps
test-deps:
	@tests/deps test

demo: test-deps
	@$(MAKE) --no-print-directory all
	@OCID_BIN=$(abspath $(BUILD)) IMAGE='$(IMAGE)' tests/demo

C_FILES := $(wildcard lib/*.[ch] $(TOOLS:%=%/*.[ch]) $(TOOLS:%=%/*/*.[ch]) tests/unit/*.[ch] tests/fuzz/*.[ch])
lint: test-deps $(CRI_GEN).h $(CURL_GEN)
	@BUILD=$(BUILD) tests/lint $(C_FILES)

# man/NAME.SECTION to where they are installed
man_pages = $(foreach m,$(wildcard man/*.[1-8]),$(MANDIR)/man$(subst .,,$(suffix $(m)))/$(notdir $(m)))

EXAMPLES := $(addprefix ocid-dispatch/examples/,crictl.yaml kubelet.yaml ocid.json)

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(BASHDIR) $(DESTDIR)$(ZSHDIR)
	install $(TOOLS:%=$(BUILD)/%) $(DESTDIR)$(BINDIR)
	install $(WORKERS:%=$(BUILD)/%) $(DESTDIR)$(LIBEXECDIR)
	for m in $(man_pages); do install -D -m 644 man/$${m##*/} $(DESTDIR)$$m || exit 1; done
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(EXAMPLEDIR) $(DESTDIR)$(DATADIR)
	sed 's|@BINDIR@|$(BINDIR)|' ocid-dispatch/examples/ocid-dispatch.service | \
		install -m 644 /dev/stdin $(DESTDIR)$(UNITDIR)/ocid-dispatch.service
	install -m 644 man/document.schema.json $(DESTDIR)$(DATADIR)
	install -m 644 $(EXAMPLES) $(DESTDIR)$(EXAMPLEDIR)
	$(if $(BASH_COMPLETIONS),install -m 644 $(BASH_COMPLETIONS) $(DESTDIR)$(BASHDIR))
	$(if $(ZSH_COMPLETIONS),install -m 644 $(ZSH_COMPLETIONS) $(DESTDIR)$(ZSHDIR))

uninstall:
	rm -f $(TOOLS:%=$(DESTDIR)$(BINDIR)/%) $(WORKERS:%=$(DESTDIR)$(LIBEXECDIR)/%)
	rm -f $(TOOLS:%=$(DESTDIR)$(BASHDIR)/%) $(TOOLS:%=$(DESTDIR)$(ZSHDIR)/_%)
	rm -f $(man_pages:%=$(DESTDIR)%)
	rm -f $(DESTDIR)$(UNITDIR)/ocid-dispatch.service $(DESTDIR)$(DATADIR)/document.schema.json \
		$(patsubst %,$(DESTDIR)$(EXAMPLEDIR)/%,$(notdir $(EXAMPLES)))
	rmdir $(addprefix $(DESTDIR),$(LIBEXECDIR) $(DATADIR) $(EXAMPLEDIR) $(DOCDIR)) 2>/dev/null || true

deb: deps
	@tests/deb $(BUILD)

VERSION = $(shell sed -n 's/^\#define OCID_VERSION "\(.*\)"/\1/p' lib/version.h)
dist:
	@mkdir -p $(BUILD)
	git archive --prefix=ocid-$(VERSION)/ HEAD | gzip -9n >$(BUILD)/ocid-$(VERSION).tar.gz

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
