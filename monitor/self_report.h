// SPDX-License-Identifier: MIT
// What ails the monitor itself, told to mail.fallback within the caller's
// transaction, if there is one; the same again within a day is not repeated.
#ifndef MONITOR_SELF_REPORT_H
#define MONITOR_SELF_REPORT_H

#include "../base/db.h"
#include "../config/config.h"
#include "store.h"

// Flows that cannot run because something that they need is not set.
bool self_report_needs(struct db *db, const struct config *config, struct clock_wall now,
                       GError **error);

// Where the store was found damaged or cut short when it was opened: says so in the log too, and
// what became of it. The store still has its connection.
void self_report_repair(struct store *store, const struct config *config);

#endif
