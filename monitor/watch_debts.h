// SPDX-License-Identifier: MIT
// Mails that no incident is behind: undos that cannot be paid, and what ails the
// monitor itself.
#ifndef MONITOR_WATCH_DEBTS_H
#define MONITOR_WATCH_DEBTS_H

#include "../base/clock.h"
#include "../base/db.h"
#include "../config/config.h"

// Queues a mail for each debt that somebody must be told of and was not yet; `*notices` is
// set where one was. Within the caller's transaction.
bool watch_debts_tell(struct db *db, const struct config *config, struct clock_wall now,
                      bool *notices, GError **error);

#endif
