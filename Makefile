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
	libcurl4-gnutls-dev libetpan-dev libgnutls28-dev libmd4c-dev libxml2-dev libical-dev libidn2-dev \
	libsystemd-dev libseccomp-dev libsasl2-modules ca-certificates tzdata shared-mime-info
PACKAGES_DEMO := python3 python3-aiosmtpd python3-cryptography dovecot-imapd dovecot-lmtpd
PACKAGES_TEST := $(PACKAGES_DEMO) libcmocka-dev postfix python3-pytest python3-pytest-xdist openssl dnsmasq-base
PACKAGES_BENCH := python3 sqlite3 postfix dovecot-imapd dovecot-lmtpd isync
PACKAGES_LINT := clang clang-tidy clang-format cppcheck libclang-rt-14-dev

# ---- compilers and flags ----
CC ?= gcc
PKGS := glib-2.0 gobject-2.0 gio-2.0 gio-unix-2.0 json-glib-1.0 gmime-3.0 libconfig sqlite3 libcurl gnutls md4c \
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
LIBS = $(PKG_LIBS) -letpan -lresolv -pthread -lm
# a line a file, as "CC daemon/…"; make V=1 shows the commands, make -s nothing
QUIET := $(if $(V),,@)
say = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,echo "  $(1)" &&)

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
.PHONY: all help deps deps-demo deps-test deps-bench deps-lint demo check unit property model e2e story crash fuzz replay replay-now bench asan tsan corpora lint cov install clean format layers
.DELETE_ON_ERROR:

all: $(BIN)/nurtured $(BIN)/nurture ## build both programs

define room_rules
$(OUT)/lib$(1).a: $(patsubst daemon/%.c,$(OUT)/daemon/%.o,$(call room_src,$(1)))
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

$(OUT)/daemon/%.o: daemon/%.c
	@mkdir -p $(@D)
	$(QUIET)$(call say,CC    $<) $(CC) $(CFLAGS_ALL) -c $< -o $@

$(BIN)/nurtured: $(OUT)/daemon/nurtured.o $(call libs_of,engine)
	$(QUIET)$(call say,LINK  $@) $(CC) $(LINK_$(FLAVOUR)) $(LDFLAGS) $^ $(LIBS) -o $@
$(BIN)/nurture: $(OUT)/daemon/nurture.o $(call libs_of,cli)
	$(QUIET)$(call say,LINK  $@) $(CC) $(LINK_$(FLAVOUR)) $(LDFLAGS) $^ $(LIBS) -o $@

# ---- tests: a program a module, linked with its room and those below only ----
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_BIN := $(patsubst tests/unit/%.c,$(OUT)/unit/%,$(UNIT_SRC))
room_of = $(word 1,$(subst /, ,$(patsubst $(OUT)/unit/%,%,$(1))))

$(OUT)/tests/unit/%.o: tests/unit/%.c
	@mkdir -p $(@D)
	$(QUIET)$(call say,CC    $<) $(CC) $(CFLAGS_ALL) -c $< -o $@
.SECONDEXPANSION:
$(OUT)/unit/%: $(OUT)/tests/unit/%.o $$(foreach r,$$(below_$$(call room_of,$$@)),$$(call room_lib,$$(r)))
	@mkdir -p $(@D)
	$(QUIET)$(call say,LINK  $@) $(CC) $(LINK_$(FLAVOUR)) $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) -lcmocka -o $@

# `make unit-mail FLAVOUR=asan` builds and runs the tests of one room
define unit_rules
.PHONY: unit-$(1)
unit-$(1): $(filter $(OUT)/unit/$(1)/%,$(UNIT_BIN))
	@set -e; for t in $$^; do echo "== $$$$t"; $$$$t; done
endef
$(foreach r,$(ROOMS),$(eval $(call unit_rules,$(r))))

# the programs that the end-to-end tests run: with sanitizers, crash points, and warnings as errors
TEST_BIN := $(abspath $(B)/obj/asan)
PYTEST := $(PYTHON) -B -m pytest -q -rs -p no:cacheprovider
# a file of tests at a time on each of two cores: each worker has servers of its own
PYTEST_JOBS ?= 2
PYTEST_PARALLEL := $(PYTEST) -n $(PYTEST_JOBS) --dist loadfile

check: deps-test ## run every test; the last line counts them
	@tests/check.sh $(MAKE)
unit: ## the unit tests of all rooms, under ASan and UBSan
	@$(MAKE) FLAVOUR=asan $(foreach r,$(ROOMS),unit-$(r))
asan: ## both programs with sanitizers, at build/obj/asan/
	@$(MAKE) FLAVOUR=asan all
property: ## calendar, window and conditions against an independent oracle
	@$(PYTEST) tests/property
model: all ## random histories and rules against a reference scheduler (NURTURE_MODEL_ROUNDS=10 for more, NURTURE_MODEL_SEED=N for one again)
	@NURTURE_BIN=$(abspath $(B)) $(PYTEST_PARALLEL) --dist load tests/model
e2e: asan all ## real Dovecot and Postfix on loopback
	@NURTURE_BIN=$(TEST_BIN) $(PYTEST_PARALLEL) tests/e2e tests/story
story: all ## a year and a half of a small business with 300 customers, played: ten minutes (NURTURE_STORY_SEED=N for other people)
	@NURTURE_BIN=$(abspath $(B)) NURTURE_STORY_CUSTOMERS=300 NURTURE_STORY_DAYS=548 NURTURE_STORY_DAY_S=1 $(PYTEST) tests/story
crash: ## LIVES (1000) of the daemon, each ended by SIGKILL, beside a mail server that fails in every phase
	@$(MAKE) FLAVOUR=crash all
	@NURTURE_BIN=$(abspath $(B)/obj/crash) $(PYTHON) -B tests/crash/crash.py $(or $(LIVES),1000)
BENCH_CONTACTS ?= 1000000
$(OUT)/tests/bench/%.o: tests/bench/%.c
	@mkdir -p $(@D)
	$(QUIET)$(call say,CC    $<) $(CC) $(CFLAGS_ALL) -c $< -o $@
$(OUT)/bench/engine: $(OUT)/tests/bench/engine.o $(call libs_of,engine)
	@mkdir -p $(@D)
	$(QUIET)$(call say,LINK  $@) $(CC) $(LINK_$(FLAVOUR)) $(LDFLAGS) $^ $(LIBS) -o $@
$(OUT)/bench/parse: $(OUT)/tests/bench/parse.o $(call libs_of,mail)
	@mkdir -p $(@D)
	$(QUIET)$(call say,LINK  $@) $(CC) $(LINK_$(FLAVOUR)) $(LDFLAGS) $^ $(LIBS) -o $@
$(OUT)/bench/smtp_threads: $(OUT)/tests/bench/smtp_threads.o
	@mkdir -p $(@D)
	$(QUIET)$(call say,LINK  $@) $(CC) $(LINK_$(FLAVOUR)) $(LDFLAGS) $^ $(LIBS) -o $@
bench: deps-bench all $(OUT)/bench/engine $(OUT)/bench/smtp_threads $(OUT)/bench/parse ## speed with BENCH_CONTACTS (1000000) contacts, and delivery (BENCH_ONLY=contacts, delivery, mailbox, parse)
	@$(PYTHON) -B tests/bench/bench.py $(BIN) $(OUT)/bench $(BENCH_CONTACTS)
tsan: ## the unit tests of the room with threads, under ThreadSanitizer
	@G_SLICE=always-malloc $(MAKE) FLAVOUR=tsan unit-smtp
layers: ## calls run one way only
	@$(PYTHON) tests/layers.py
FUZZ_SECONDS ?= 600
# a fuzzer a file of tests/fuzz, linked with what lies below imap/
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -D_GNU_SOURCE -Iinclude -Idaemon -Itests
$(B)/fuzz/obj/%.o: daemon/%.c
	@mkdir -p $(@D)
	$(QUIET)$(call say,FUZZ  $<) clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(PKG_CFLAGS) -MMD -MP -c $< -o $@
$(B)/fuzz/below.a: $(foreach r,$(below_imap),$(patsubst daemon/%.c,$(B)/fuzz/obj/%.o,$(call room_src,$(r))))
	@rm -f $@ && ar rcs $@ $^
$(B)/fuzz/%: tests/fuzz/%.c $(B)/fuzz/below.a
	$(QUIET)$(call say,LINK  $@) clang $(FUZZ_FLAGS) -fsanitize=fuzzer $(PKG_CFLAGS) $^ $(LIBS) -o $@
fuzz: deps-lint $(addprefix $(B)/fuzz/,$(FUZZERS)) ## each fuzzer for FUZZ_SECONDS (default 600) on the inputs of tests/data/fuzz and what it found before
	@set -e; for f in $(FUZZERS); do mkdir -p $(B)/fuzz/$$f.corpus; echo "== $$f"; \
		$(B)/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2000 $(B)/fuzz/$$f.corpus tests/data/fuzz/$$f; done

# the same inputs as a test: each fuzzer once over those in tests/data/fuzz
$(OUT)/replay/%: tests/fuzz/%.c tests/fuzz/replay.c $(call libs_of,imap)
	@mkdir -p $(@D)
	$(QUIET)$(call say,LINK  $@) $(CC) $(CFLAGS_ALL) -Itests $(LINK_$(FLAVOUR)) $(filter %.c,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LIBS) -o $@
replay-now: $(addprefix $(OUT)/replay/,$(FUZZERS))
	@set -e; for f in $(FUZZERS); do $(OUT)/replay/$$f tests/data/fuzz/$$f; done
replay: ## what the fuzzers have kept, under ASan and UBSan
	@$(MAKE) FLAVOUR=asan replay-now

corpora: all ## how `nurture read` understands the practice corpora, as a table
	@$(PYTHON) tests/corpora.py

lint: deps-lint ## clang's warnings, clang-tidy, cppcheck
	@tests/lint.sh $(filter-out -Wnull-dereference -M%,$(CFLAGS_ALL))
format: ## clang-format over all C files
	clang-format -i $$(git ls-files '*.c' '*.h')
cov: ## lines covered by the unit tests, a line a file
	@$(MAKE) FLAVOUR=cov $(foreach r,$(ROOMS),unit-$(r))
	@cd $(B)/obj/cov && gcov -n $$(find daemon -name '*.gcda') 2>/dev/null | grep -A1 "^File 'daemon" | grep -v '^--'

# ---- packages, demonstration, installation ----
deps: ; @tests/deps.sh $(PACKAGES_BUILD) ## install what the build needs (apt-get, with sudo where not root)
deps-demo: ; @tests/deps.sh $(PACKAGES_BUILD) $(PACKAGES_DEMO)
deps-test: ; @tests/deps.sh $(PACKAGES_BUILD) $(PACKAGES_TEST)
deps-bench: ; @tests/deps.sh $(PACKAGES_BUILD) $(PACKAGES_BENCH)
deps-lint: ; @tests/deps.sh $(PACKAGES_BUILD) $(PACKAGES_LINT)

demo: deps-demo ## two minutes of the main job on loopback: mail out, replies in, histories
	@$(MAKE) -j$$(nproc) all
	@$(PYTHON) -B tests/demo/demo.py

PREFIX ?= /usr/local
install: all ## programs, manual pages, unit, sample configuration and templates (PREFIX, DESTDIR)
	install -D -m 755 $(B)/nurtured $(DESTDIR)$(PREFIX)/sbin/nurtured
	install -D -m 755 $(B)/nurture $(DESTDIR)$(PREFIX)/bin/nurture
	for page in man/*.[158]; do install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$$(basename $$page); done
	install -d $(DESTDIR)/etc/nurtured/templates
	for file in conf/*.conf; do test -e $(DESTDIR)/etc/nurtured/$$(basename $$file) || install -m 644 $$file $(DESTDIR)/etc/nurtured/; done
	for file in templates/*.md; do test -e $(DESTDIR)/etc/nurtured/$$file || install -m 644 $$file $(DESTDIR)/etc/nurtured/templates/; done
	sed 's,@PREFIX@,$(PREFIX),g' systemd/nurtured.service > $(B)/nurtured.service
	install -D -m 644 $(B)/nurtured.service $(DESTDIR)/lib/systemd/system/nurtured.service

clean: ## remove everything that was built
	rm -rf $(B)
help: ## list the targets
	@sed -n 's/^\([a-z][a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
