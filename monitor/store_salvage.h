// SPDX-License-Identifier: MIT
// What can be read of a damaged store, table by table and entry by entry.
#ifndef MONITOR_STORE_SALVAGE_H
#define MONITOR_STORE_SALVAGE_H

#include "../base/db.h"

// What entries belong to; a set of them is what could not be read.
enum store_salvage_part {
    STORE_SALVAGE_LEDGER = 1,
    STORE_SALVAGE_OUTBOX = 2,
    STORE_SALVAGE_INCIDENTS = 4,
    STORE_SALVAGE_REST = 8, // mutes, tokens, what sweeps and versions know
};

// False and DB_ERROR_CORRUPT where a table that must not be lost cannot be read
// through. Runs are looked at only where `all` is: they are many.
bool store_salvage_check(struct db *db, bool all, GError **error);

// Copies into `main` what can be read of the attached database `old`; returns the set of
// parts of which something could not be.
unsigned store_salvage_copy(struct db *db);

// Makes incidents, their flows and the outbox agree again where some of their entries are
// missing: what one table has lost is taken from another, and what cannot be
// completed is let go, so that it begins anew.
bool store_salvage_tie(struct db *db, GError **error);

#endif
