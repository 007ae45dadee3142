// SPDX-License-Identifier: MIT
// A damaged store: noticing it, setting it aside, carrying over what can be read.
#ifndef MONITOR_STORE_REPAIR_H
#define MONITOR_STORE_REPAIR_H

#include "../base/clock.h"
#include "../base/db.h"

// False and DB_ERROR_CORRUPT where a table that must not be lost cannot be read
// through. Runs are not looked at: they are many.
bool store_repair_check(struct db *db, GError **error);

// Moves the file and its log to another name, which is returned; NULL where that
// fails. The caller frees it.
char *store_repair_set_aside(const char *path, struct clock_wall now, GError **error);

// Copies ledger, outbox and incidents from the file that was set aside into the
// new, empty store. Returns the sentence that says how much; the caller frees it.
char *store_repair_carry_over(struct db *db, const char *path, const char *aside);

#endif
