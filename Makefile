# SPDX-License-Identifier: MIT
# erpwatch: `make help` lists what can be made.
VERSION := 0.1.0
PREFIX ?= /usr/local
BUILD ?= build
CC ?= gcc
DEBUG ?= -g
OPT ?= -O2
WERROR ?=
WARN := -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
  -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla
LIBS := libcurl libuv libcjson gmime-3.0 glib-2.0 libfyaml sqlite3 libpcre2-8 openssl libesmtp-1.0
PKG_CFLAGS := $(shell pkg-config --cflags $(LIBS) 2>/dev/null | sed 's/-I/-isystem /g')
PKG_LIBS := $(shell pkg-config --libs $(LIBS) 2>/dev/null)
CFLAGS_ALL = -std=c17 -D_GNU_SOURCE -DERPWATCH_VERSION='"$(VERSION)"' -DERPWATCH_PREFIX='"$(PREFIX)"' \
  $(WARN) $(WERROR) $(OPT) $(DEBUG) $(SANITIZE) $(PKG_CFLAGS) -I$(BUILD)/gen -pthread $(CFLAGS)
LDFLAGS_ALL = $(SANITIZE) -pthread $(LDFLAGS)

FOLDERS := base config probes alerts monitor
SOURCES := $(filter-out monitor/main.c,$(foreach d,$(FOLDERS),$(wildcard $(d)/*.c)))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))

all: $(BUILD)/erpwatch

# The translations of the mails: gettext's catalogues, put into the program.
LANGUAGES := nl
CATALOGUES := $(LANGUAGES:%=$(BUILD)/locale/%/LC_MESSAGES/erpwatch.mo)

$(BUILD)/locale/%/LC_MESSAGES/erpwatch.mo: alerts/po/%.po
	@mkdir -p $(@D)
	msgfmt --check --endianness=little -o $@ $<

$(BUILD)/gen/alerts/catalogues.inc: $(CATALOGUES)
	@mkdir -p $(@D)
	@{ for l in $(LANGUAGES); do \
	  echo "static const unsigned char catalogue_$$l[] = {"; \
	  od -An -v -tu1 $(BUILD)/locale/$$l/LC_MESSAGES/erpwatch.mo | sed 's/\([0-9]\)\( \|$$\)/\1,/g'; \
	  echo '};'; done; \
	  echo "#define CATALOGUES $(LANGUAGES:%=CATALOGUE(%))"; } >$@

$(BUILD)/alerts/words.o: $(BUILD)/gen/alerts/catalogues.inc

# Brings the catalogues up to date with the texts in the source.
po:
	xgettext --from-code=UTF-8 --language=C -kwords_get:2 -kwords_fill:2 -kwords_count:2,3 \
	  -kWORDS_MARK -kword:2 --no-location --no-wrap --sort-output --omit-header -o alerts/po/erpwatch.pot alerts/*.c
	for l in $(LANGUAGES); do \
	  msgmerge -q --update --backup=none --no-fuzzy-matching --no-wrap alerts/po/$$l.po alerts/po/erpwatch.pot; done

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(BUILD)/liberpwatch.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $(OBJECTS)

$(BUILD)/erpwatch: $(BUILD)/monitor/main.o $(BUILD)/liberpwatch.a
	$(CC) $(LDFLAGS_ALL) $^ -o $@ $(PKG_LIBS)

$(BUILD)/tests/unit/%: tests/unit/%.c $(BUILD)/liberpwatch.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) $< -o $@ $(BUILD)/liberpwatch.a -lcmocka $(PKG_LIBS)

# Programs that end-to-end checks run.
$(BUILD)/tests/e2e/%: tests/e2e/%.c $(BUILD)/liberpwatch.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP $(LDFLAGS_ALL) $< -o $@ $(BUILD)/liberpwatch.a $(PKG_LIBS)

unit: $(UNIT_TESTS)
	@set -e; for t in $(UNIT_TESTS); do echo "== $$t"; $$t; done

clean:
	rm -rf $(BUILD)

.PHONY: all unit clean po
-include $(OBJECTS:.o=.d) $(BUILD)/monitor/main.d $(UNIT_TESTS:%=%.d)
