# SPDX-License-Identifier: MIT
# erpwatch: `make help` lists what can be made.
VERSION := 0.1.0
PREFIX ?= /usr/local
BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
DEBUG ?= -g
OPT ?= -O2
JOBS ?= $(shell nproc)
WERROR ?=
WARN := -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla
LIBS := libcurl libuv libcjson gmime-3.0 glib-2.0 libfyaml sqlite3 libpcre2-8 openssl libesmtp-1.0 libxml-2.0 krb5-gssapi
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS) 2>/dev/null | sed 's/-I/-isystem /g')
PKG_LIBS := $(shell pkg-config --libs $(LIBS) 2>/dev/null)
# The allocator of the program, which it never names: runs free out of turn what many took.
# Sanitizers bring their own.
ALLOCATOR := $(if $(SANITIZE),,-Wl,--push-state,--no-as-needed -ljemalloc -Wl,--pop-state)
CFLAGS_ALL = -std=c17 -D_GNU_SOURCE -DERPWATCH_VERSION='"$(VERSION)"' -DERPWATCH_PREFIX='"$(PREFIX)"' \
  $(WARN) $(WERROR) $(OPT) $(DEBUG) $(SANITIZE) $(PKG_CFLAGS) -I$(BUILD)/gen -pthread $(CFLAGS)
LDFLAGS_ALL = $(SANITIZE) -pthread $(LDFLAGS)

# One line a file; V=1 shows the commands.
SAY = @$(if $(V),:,printf '  %-5s %s\n')
Q = $(if $(V),,@)

FOLDERS := base config probes alerts monitor
SOURCES := $(filter-out monitor/main.c,$(foreach d,$(FOLDERS),$(wildcard $(d)/*.c)))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
UNIT_TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))

# The program with a clock that the tests make, in place of base/clock.c.
WITH_TEST_CLOCK := $(BUILD)/tests/clock/erpwatch

# Preloaded in tests of faults.
PRELOADED := $(patsubst tests/%.c,$(BUILD)/tests/%.so,$(wildcard tests/preload/*.c))

# Programs that the end-to-end tests and benches use; they are not installed.
HELPERS := $(WITH_TEST_CLOCK) $(PRELOADED) \
  $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/e2e/*.c tests/bench/*.c tests/fault/*.c))

all: $(BUILD)/erpwatch ## build the program (default)

# The translations of the mails: gettext's catalogues, put into the program.
LANGUAGES := nl fr de
CATALOGUES := $(LANGUAGES:%=$(BUILD)/locale/%/LC_MESSAGES/erpwatch.mo)

$(BUILD)/locale/%/LC_MESSAGES/erpwatch.mo: alerts/po/%.po
	@mkdir -p $(@D)
	$(SAY) MSG $<
	$(Q)msgfmt --check --endianness=little -o $@ $<

$(BUILD)/gen/alerts/catalogues.inc: $(CATALOGUES) Makefile
	@mkdir -p $(@D)
	@{ for l in $(LANGUAGES); do \
	  echo "static const unsigned char catalogue_$$l[] = {"; \
	  od -An -v -tu1 $(BUILD)/locale/$$l/LC_MESSAGES/erpwatch.mo | sed 's/\([0-9]\)\( \|$$\)/\1,/g'; \
	  echo '};'; done; \
	  echo "#define CATALOGUES $(foreach l,$(LANGUAGES),CATALOGUE($l))"; } >$@

$(BUILD)/alerts/words.o: $(BUILD)/gen/alerts/catalogues.inc

# The configuration that `erpwatch init` writes, put into the program.
$(BUILD)/gen/config/starter.inc: config/examples/starter.yaml
	@mkdir -p $(@D)
	@{ echo "static const unsigned char starter[] = {"; \
	  od -An -v -tu1 $< | sed 's/\([0-9]\)\( \|$$\)/\1,/g'; echo '};'; } >$@

$(BUILD)/monitor/cmd_init.o: $(BUILD)/gen/config/starter.inc

# The packs, put into the program: text and name of each.
PACKS := $(sort $(wildcard config/packs/*.yaml))
$(BUILD)/gen/config/packs.inc: $(PACKS) Makefile
	@mkdir -p $(@D)
	@{ n=0; for p in $(PACKS); do echo "static const unsigned char pack_$$n[] = {"; \
	    od -An -v -tu1 $$p | sed 's/\([0-9]\)\( \|$$\)/\1,/g'; echo '};'; n=$$((n + 1)); done; \
	  echo 'static const struct { const char *name; const unsigned char *text; size_t length; }'; \
	  echo 'built_in_packs[] = {'; n=0; for p in $(PACKS); do \
	    echo "{\"$$(basename $$p .yaml)\", pack_$$n, sizeof pack_$$n},"; n=$$((n + 1)); done; \
	  echo '};'; } >$@

$(BUILD)/config/pack_source.o: $(BUILD)/gen/config/packs.inc

# Brings the catalogues up to date with the texts in the source.
po: ## bring the translations up to date with the texts
	xgettext --from-code=UTF-8 --language=C -kwords_get:2 -kwords_fill:2 -kwords_count:2,3 \
	  -kWORDS_MARK -kword:2 -kEXPLANATION:2 --no-location --no-wrap --sort-output --omit-header \
	  -o alerts/po/erpwatch.pot alerts/*.c monitor/self_report.c monitor/standby.c \
	  monitor/store_repair.c monitor/store_trouble.c monitor/sweep_tell.c monitor/watch_debts.c probes/lexicon.def
	for l in $(LANGUAGES); do \
	  msgmerge -q --update --backup=none --no-fuzzy-matching --no-wrap alerts/po/$$l.po alerts/po/erpwatch.pot; done

ifeq ($(strip $(PKG_LIBS)),)
$(OBJECTS) $(BUILD)/monitor/main.o: without-packages
endif
without-packages:
	@echo "libraries are missing: make deps installs the Debian packages that building needs" >&2
	@exit 1

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(BUILD)/liberpwatch.a: $(OBJECTS)
	$(SAY) AR $@
	@rm -f $@
	$(Q)ar rcs $@ $(OBJECTS)

$(BUILD)/erpwatch: $(BUILD)/monitor/main.o $(BUILD)/liberpwatch.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) $^ -o $@ $(ALLOCATOR) $(PKG_LIBS) -lm

$(BUILD)/tests/%: tests/%.c $(BUILD)/liberpwatch.a
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) $< -o $@ $(BUILD)/liberpwatch.a -lcmocka $(PKG_LIBS) -lm

$(WITH_TEST_CLOCK): $(BUILD)/monitor/main.o $(BUILD)/tests/clock/clock.o $(BUILD)/liberpwatch.a
	$(SAY) LINK $@
	$(Q)$(CC) $(LDFLAGS_ALL) $^ -o $@ $(ALLOCATOR) $(PKG_LIBS) -lm

$(BUILD)/tests/%.so: tests/%.c
	@mkdir -p $(@D)
	$(SAY) CC $<
	$(Q)$(CC) -std=c17 -D_GNU_SOURCE $(WARN) $(WERROR) $(OPT) $(PKG_CFLAGS) -shared -fPIC $< -o $@

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

deps: ## install the Debian packages that building needs
	@tools/install-packages.sh packages.txt

test-deps: ## install those that the tests need as well
	@tools/install-packages.sh packages.txt tests/packages.txt

# pkg-config has to see what deps has just installed: a make of its own
test: test-deps ## install what the tests need, build, pass all tests (T=name picks some)
	@$(MAKE) --no-print-directory -j$(JOBS) build-tests
	@tests/run.py $(BUILD) $(T)

build-tests: all $(UNIT_TESTS) $(HELPERS)

asan: test-deps ## the same tests under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory -j$(JOBS) build-tests BUILD=build-asan OPT=-O1 \
	  SANITIZE="-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined"
	@tests/run.py build-asan $(T)

THREADED := test_writer test_transfer test_handover test_config_work test_agent test_kerberos test_markup \
  test_reach test_tokens test_store_trouble test_fault_processes test_fault_network test_sweeps

# tsan_glib tells the sanitizer of the locks of GLib, which is built without it.
tsan: test-deps ## the tests of what runs in threads under the thread sanitizer (T=name: others)
	@$(MAKE) --no-print-directory -j$(JOBS) build-tests BUILD=build-tsan OPT=-O1 \
	  SANITIZE="-fsanitize=thread -fno-omit-frame-pointer"
	@LD_PRELOAD=$(abspath build-tsan/tests/preload/tsan_glib.so) \
	  tests/run.py build-tsan $(or $(T),$(THREADED))

clang: test-deps ## build all with clang, warnings are errors
	@$(MAKE) --no-print-directory -j$(JOBS) build-tests BUILD=build-clang CC=clang WERROR=-Werror

lint: test-deps ## structure, clang-tidy, cppcheck, documents
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@for check in tests/lint/structure.py tests/lint/documents.py; do \
	  /usr/bin/python3 $$check || exit 1; done
	@tests/lint/check_translations.sh
	@tests/lint/analyse.sh

figures: test-deps ## figures of the code; fails at the limits (RELEASE=1: of a release)
	@/usr/bin/python3 tests/lint/figures.py

fuzz: test-deps ## each fuzz target for FUZZ_SECONDS (30); T=fuzz_mail: one
	@tests/fuzz/run.sh $(T)

fault: test-deps ## faults at length: kills (KILLS=1000) and all else in tests/fault (PART=name: one)
	@$(MAKE) --no-print-directory -j$(JOBS) all $(HELPERS)
	@ERPWATCH_BUILD=$(abspath $(BUILD)) tests/fault/run.py $(PART)

bench: test-deps ## speed beside its budgets and its peers (BENCH=name: one part)
	@tools/install-packages.sh tests/bench/packages.txt
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/bench/run.sh $(BUILD)

demo: deps ## the main job in a minute: a flow fails, the mails, the recovery
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tools/demo/run.py $(BUILD)/erpwatch

# Below DESTDIR, in the places that FHS and systemd expect under PREFIX.
BIN = $(DESTDIR)$(PREFIX)/bin
MAN = $(DESTDIR)$(PREFIX)/share/man
DOC = $(DESTDIR)$(PREFIX)/share/doc/erpwatch
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system
SYSUSERS = $(DESTDIR)$(PREFIX)/lib/sysusers.d
COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
EXAMPLES := $(shell cd config/examples && find . -name '*.yaml')

install: all ## install program, manuals, examples, systemd unit (PREFIX, DESTDIR)
	install -D -m 755 $(BUILD)/erpwatch $(BIN)/erpwatch
	install -D -m 644 docs/erpwatch.1 $(MAN)/man1/erpwatch.1
	install -D -m 644 docs/erpwatch.yaml.5 $(MAN)/man5/erpwatch.yaml.5
	install -d $(DOC)/docs
	install -m 644 LICENSE CHANGELOG.md CONTRIBUTING.md $(DOC)
	install -m 644 docs/reference.md docs/mail.png $(DOC)/docs
	sed 's,config/examples,examples,g' README.md >$(DOC)/README.md
	for e in $(EXAMPLES); do install -D -m 644 config/examples/$$e $(DOC)/examples/$$e || exit 1; done
	install -d $(UNITS)
	sed 's,@PREFIX@,$(PREFIX),g' data/erpwatch.service.in >$(UNITS)/erpwatch.service
	chmod 644 $(DOC)/README.md $(UNITS)/erpwatch.service
	install -D -m 644 data/erpwatch.sysusers $(SYSUSERS)/erpwatch.conf
	install -D -m 644 data/erpwatch.bash $(COMPLETIONS)/erpwatch

uninstall: ## remove what install put there; configuration and store stay
	rm -f $(BIN)/erpwatch $(MAN)/man1/erpwatch.1 $(MAN)/man5/erpwatch.yaml.5 \
	  $(UNITS)/erpwatch.service $(SYSUSERS)/erpwatch.conf $(COMPLETIONS)/erpwatch
	rm -rf $(DOC)

# The pages that the program writes from its table of keys.
docs: all ## write docs/reference.md, erpwatch.yaml(5) and the table of systems anew
	$(BUILD)/erpwatch schema --format markdown >docs/reference.md
	/usr/bin/python3 tools/manual.py >docs/erpwatch.yaml.5
	/usr/bin/python3 tools/systems.py

clean: ## remove what was built
	rm -rf build build-asan build-tsan build-clang build-fuzz

.PHONY: all without-packages help deps test-deps test build-tests asan tsan clang lint figures fuzz fault bench demo install uninstall docs clean
-include $(OBJECTS:.o=.d) $(BUILD)/monitor/main.d $(BUILD)/tests/clock/clock.d $(UNIT_TESTS:%=%.d)
