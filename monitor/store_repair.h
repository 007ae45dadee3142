// SPDX-License-Identifier: MIT
// A damaged store: setting it aside, carrying over what can be read.
#ifndef MONITOR_STORE_REPAIR_H
#define MONITOR_STORE_REPAIR_H

#include "../base/clock.h"
#include "../base/db.h"

// Puts a new store in the place of the damaged one, which is kept under another name with
// its log: with what can be read of ledger, outbox and incidents, and with the sentence that says
// how much that is. Nobody else may use either. False where the disk refuses it: then the
// damaged one is still there.
bool store_repair_replace(const char *path, struct clock_wall now, GError **error);

// Ends a replacement that was killed in its middle; to be called before the store is opened,
// by one process at a time.
bool store_repair_finish(const char *path, struct clock_wall now, GError **error);

// Notes that so many commits are gone, within the caller's transaction; a store that was just
// replaced has said more.
bool store_repair_note_lost(struct db *db, const char *path, int64_t commits, GError **error);

// The sentence of a replacement or a loss that nobody was told of yet, or NULL; the caller
// frees it. `subject` in English, for a mail.
char *store_repair_text(struct db *db, const char **subject);

// That sentence was told.
bool store_repair_was_told(struct db *db, GError **error);

#endif
