#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the Debian packages named in the given files, where any is missing;
# by sudo where not root. Starts no service.
set -eu
missing=
for package in $(cat "$@"); do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0
as_root=
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "please install as root: apt-get install$missing" >&2
        exit 1
    }
    as_root="sudo env"
fi
echo "installing (a minute or two):$missing"
log=$(mktemp)
# RUNLEVEL=1: packages must not start their services here
run() { $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 "$@" >"$log" 2>&1 </dev/null; }
run apt-get update -q || true
# shellcheck disable=SC2086
if ! run apt-get install -y -q --no-install-recommends $missing; then
    tail -20 "$log" >&2
    exit 1
fi
rm -f "$log"
