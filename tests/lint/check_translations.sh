#!/bin/sh
# SPDX-License-Identifier: MIT
# Every text of the mails is in the template, and translated in each catalogue.
set -eu
cd "$(dirname "$0")/../.."
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
xgettext --from-code=UTF-8 --language=C -kwords_get:2 -kwords_fill:2 -kwords_count:2,3 \
    -kWORDS_MARK -kword:2 -kEXPLANATION:2 --no-location --no-wrap --sort-output --omit-header \
    -o "$fresh" alerts/*.c monitor/self_report.c monitor/standby.c \
    monitor/store_repair.c monitor/store_trouble.c monitor/sweep_tell.c monitor/watch_debts.c probes/lexicon.def
if ! cmp -s "$fresh" alerts/po/erpwatch.pot; then
    echo "alerts/po/erpwatch.pot is not up to date: run make po, then translate" >&2
    exit 1
fi
for catalogue in alerts/po/*.po; do
    msgfmt --check -o /dev/null "$catalogue"
    msgcmp "$catalogue" "$fresh"
done
