#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of speed: one run, one machine. BENCH=name picks one part.
set -eu
build=${1:-build}
make --no-print-directory "$build/tests/bench/bare_curl" "$build/tests/bench/transfer_calls" \
    "$build/tests/bench/json_server" "$build/tests/bench/lexicon_patterns" BUILD="$build" >/dev/null
echo "erpwatch $("$build/erpwatch" --version | cut -d' ' -f2), $(nproc) cores, $(uname -sr), $(date -u +%F)"
sed -n 's/^model name[^:]*: /cpu: /p' /proc/cpuinfo | head -1
case "${BENCH:-all}" in all | calls) /usr/bin/python3 tests/bench/calls.py "$build" ;; esac
/usr/bin/python3 tests/bench/program.py "$build" "${BENCH:-all}"
