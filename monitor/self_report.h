// SPDX-License-Identifier: MIT
// What ails the monitor itself, told to mail.fallback within the caller's
// transaction; the same again within a day is not repeated.
#ifndef MONITOR_SELF_REPORT_H
#define MONITOR_SELF_REPORT_H

#include "../base/db.h"
#include "../config/config.h"

// Flows that cannot run because something that they need is not set.
bool self_report_needs(struct db *db, const struct config *config, struct clock_wall now,
                       GError **error);

// A damaged store was replaced, as `text` says; NULL: it was not.
bool self_report_repair(struct db *db, const struct config *config, const char *text,
                        struct clock_wall now, GError **error);

#endif
