#!/bin/sh
# SPDX-License-Identifier: MIT
# clang-tidy and cppcheck over the program's code; any finding fails. What is not
# looked for, and why, stands in .clang-tidy and tests/lint/cppcheck.supp.
set -eu
flags="-std=c17 -D_GNU_SOURCE -DERPWATCH_VERSION=__FILE__ -DERPWATCH_PREFIX=__FILE__ -Ibuild/gen"
packages="libcurl libuv libcjson gmime-3.0 glib-2.0 libfyaml sqlite3 libpcre2-8 openssl libesmtp-1.0 libxml-2.0 krb5-gssapi"
sources=$(ls base/*.c config/*.c probes/*.c alerts/*.c monitor/*.c)
# shellcheck disable=SC2046,SC2086
echo "$sources" | xargs -P "$(nproc)" -n 1 sh -c '
    clang-tidy --quiet --warnings-as-errors="*" "$@" -- '"$flags $(pkg-config --cflags $packages | sed 's/-I/-isystem /g')"' 2>/dev/null' lint
cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability --inline-suppr \
    --suppressions-list=tests/lint/cppcheck.supp --library=gtk -D__GNUC__ -j "$(nproc)" $sources
echo "clang-tidy and cppcheck: clean"
