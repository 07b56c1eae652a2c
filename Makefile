# Nurture: `make help` lists the targets. Read from top to bottom: settings, rooms, programs, tests, housekeeping.

VERSION := 0.1.0
FLAVOUR ?= release
B ?= build
OUT := $(B)/obj/$(FLAVOUR)
# release programs lie at build/nurtured and build/nurture, those of other flavours beside their objects
BIN := $(if $(filter release,$(FLAVOUR)),$(B),$(OUT))
PYTHON := /usr/bin/python3

# ---- packages (Debian 12): what builds it, what the demonstration needs besides, what the tests need besides ----
PACKAGES_BUILD := gcc make pkg-config libc6-dev libglib2.0-dev libjson-glib-dev libgmime-3.0-dev libconfig-dev libsqlite3-dev \
	libcurl4-gnutls-dev libetpan-dev libgnutls28-dev libmd4c-dev libmd4c-html0-dev libxml2-dev libical-dev libidn2-dev \
	libsystemd-dev libseccomp-dev libsasl2-modules ca-certificates tzdata
PACKAGES_DEMO := python3 python3-aiosmtpd dovecot-imapd dovecot-lmtpd openssl
PACKAGES_TEST := $(PACKAGES_DEMO) libcmocka-dev postfix python3-pytest python3-cryptography sqlite3

# ---- compilers and flags ----
CC ?= gcc
PKGS := glib-2.0 gobject-2.0 gio-2.0 gio-unix-2.0 json-glib-1.0 gmime-3.0 libconfig sqlite3 libcurl gnutls md4c md4c-html \
	libxml-2.0 libical libidn2 libsystemd libseccomp
# expanded when first used, so that `make deps` works where pkg-config and the libraries are not yet there
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)))$(PKG_LIBS)
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wundef \
	-Wnull-dereference -Wimplicit-fallthrough
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE
FLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 $(HARDEN)
FLAGS_asan := -O1 -g -Werror -DNURTURE_CRASH_POINTS -DNURTURE_SANITIZED -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -fPIE
FLAGS_tsan := -O1 -g -Werror -DNURTURE_CRASH_POINTS -DNURTURE_SANITIZED -fsanitize=thread -fPIE
FLAGS_crash := -O2 -g -Werror -DNURTURE_CRASH_POINTS $(HARDEN)
FLAGS_cov := -O0 -g -DNURTURE_CRASH_POINTS --coverage -fPIE
LINK_release := -pie -Wl,-z,relro,-z,now
LINK_asan := -pie -fsanitize=address,undefined
LINK_tsan := -pie -fsanitize=thread
LINK_crash := -pie
LINK_cov := -pie --coverage
CFLAGS_ALL = -std=gnu11 $(WARN) $(FLAGS_$(FLAVOUR)) -D_GNU_SOURCE -DNURTURE_VERSION='"$(VERSION)"' -Iinclude -Idaemon $(PKG_CFLAGS) -MMD -MP $(CFLAGS)
# libetpan by its plain name: its pkg-config file carries flags that break position-independent executables
LIBS = $(PKG_LIBS) -letpan -pthread -lm

# ---- rooms, from the top down: a room may call those behind it, as tests/layers.py checks ----
ROOMS := cli engine smtp imap store plan mail config base
room_src = $(sort $(wildcard daemon/$(1)/*.c))
room_lib = $(OUT)/lib$(1).a
below_base := base
below_config := config base
below_mail := mail config base
below_plan := plan config base
below_store := store config base
below_smtp := smtp mail config base
below_imap := imap mail config base
below_engine := engine smtp imap store plan mail config base
below_cli := cli $(below_engine)
libs_of = $(foreach r,$(below_$(1)),$(call room_lib,$(r)))

.DEFAULT_GOAL := all
.PHONY: all help deps deps-demo deps-test demo check unit e2e crash asan tsan lint cov install clean format layers
.DELETE_ON_ERROR:

all: $(BIN)/nurtured $(BIN)/nurture ## build both programs

define room_rules
$(OUT)/lib$(1).a: $(patsubst daemon/%.c,$(OUT)/daemon/%.o,$(call room_src,$(1)))
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

$(OUT)/daemon/%.o: daemon/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c $< -o $@

$(BIN)/nurtured: $(OUT)/daemon/nurtured.o $(call libs_of,engine)
	$(CC) $(LINK_$(FLAVOUR)) $(LDFLAGS) $^ $(LIBS) -o $@
$(BIN)/nurture: $(OUT)/daemon/nurture.o $(call libs_of,cli)
	$(CC) $(LINK_$(FLAVOUR)) $(LDFLAGS) $^ $(LIBS) -o $@

# ---- tests: a program a module, linked with its room and those below only ----
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_BIN := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(UNIT_SRC))
room_of = $(word 1,$(subst /, ,$(patsubst $(OUT)/unit/%,%,$(1))))

$(OUT)/tests/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -c $< -o $@
.SECONDEXPANSION:
$(OUT)/unit/%: $(OUT)/tests/unit/%.o $$(foreach r,$$(below_$$(call room_of,$$@)),$$(call room_lib,$$(r)))
	@mkdir -p $(@D)
	$(CC) $(LINK_$(FLAVOUR)) $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) -lcmocka -o $@

# `make unit-mail FLAVOUR=asan` builds and runs the tests of one room
define unit_rules
.PHONY: unit-$(1)
unit-$(1): $(filter $(OUT)/unit/$(1)/%,$(UNIT_BIN))
	@set -e; for t in $$^; do echo "== $$$$t"; $$$$t; done
endef
$(foreach r,$(ROOMS),$(eval $(call unit_rules,$(r))))
