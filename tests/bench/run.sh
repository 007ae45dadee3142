#!/bin/sh
# SPDX-License-Identifier: MIT
# The table of speed: one run, one machine. BENCH=name picks one part.
set -eu
build=${1:-build}
helpers="bare_curl transfer_calls json_server lexicon_patterns"
# shellcheck disable=SC2086
make --no-print-directory $(printf "$build/tests/bench/%s " $helpers) BUILD="$build" >/dev/null
exec /usr/bin/python3 -B tests/bench/program.py "$build" "${BENCH:-all}"
