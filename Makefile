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

unit: $(UNIT_TESTS)
	@set -e; for t in $(UNIT_TESTS); do echo "== $$t"; $$t; done

clean:
	rm -rf $(BUILD)

.PHONY: all unit clean
-include $(OBJECTS:.o=.d) $(UNIT_TESTS:%=%.d)
