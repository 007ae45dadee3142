#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds each fuzz target with clang's libFuzzer and runs it for FUZZ_SECONDS
# (30), two at a time: run.sh [NAME...], such as fuzz_mail. A find fails; what led to it is kept
# as build-fuzz/NAME-…, and belongs into tests/fuzz/seed/NAME with the mend, beside the seeds.
set -eu
seconds=${FUZZ_SECONDS:-30}
names=${*:-$(cd tests/fuzz && ls fuzz_*.c | sed 's/\.c$//')}
for name in $names; do
    [ -e "tests/fuzz/$name.c" ] && continue
    echo "no fuzz target is named $name: $(cd tests/fuzz && ls fuzz_*.c | sed 's/\.c$//' | paste -sd ' ')" >&2
    exit 1
done
make --no-print-directory -j"$(nproc)" build-fuzz/liberpwatch.a BUILD=build-fuzz CC=clang OPT=-O1 \
    SANITIZE="-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined" >/dev/null
packages="libcurl libuv libcjson gmime-3.0 glib-2.0 libfyaml sqlite3 libpcre2-8 openssl libesmtp-1.0 libxml-2.0"
for name in $names; do
    # shellcheck disable=SC2046
    clang -std=c17 -D_GNU_SOURCE -DERPWATCH_VERSION='"0"' -g -O1 -fsanitize=address,undefined,fuzzer \
        -fno-sanitize-recover=undefined $(pkg-config --cflags $packages) "tests/fuzz/$name.c" build-fuzz/liberpwatch.a \
        -o "build-fuzz/$name" $(pkg-config --libs $packages) -lm -pthread
done
fuzz_one() {
    name=$1
    mkdir -p "build-fuzz/corpus/$name" "tests/fuzz/seed/$name"
    if "build-fuzz/$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2500 -print_final_stats=1 \
        -artifact_prefix="build-fuzz/$name-" "build-fuzz/corpus/$name" "tests/fuzz/seed/$name" \
        >"build-fuzz/$name.log" 2>&1; then
        echo "ok     $name $(sed -n 's/stat::number_of_executed_units: */executions /p' "build-fuzz/$name.log")"
    else
        echo "FAILED $name"
        sed '/^#[0-9]*\t/d' "build-fuzz/$name.log" | tail -60
        return 1
    fi
}
failed=0
pids=
for name in $names; do
    fuzz_one "$name" &
    pids="$pids $!"
    [ "$(echo "$pids" | wc -w)" -lt 2 ] && continue
    for pid in $pids; do wait "$pid" || failed=1; done
    pids=
done
for pid in $pids; do wait "$pid" || failed=1; done
exit $failed
