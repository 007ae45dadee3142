// SPDX-License-Identifier: MIT
// The durable queue of notices not yet accepted by the mail server: the SQL of
// its tables. Called inside the caller's transaction.
#ifndef ALERTS_OUTBOX_H
#define ALERTS_OUTBOX_H

#include "../base/db.h"
#include "notice.h"

// Statements that create the outbox tables: a step of the store's schema.
extern const char outbox_schema[];

// Queues a notice, once: the same id again changes nothing. `due` is when it may first go
// out (later than now while it waits for company).
bool outbox_add(struct db *db, const struct notice *notice, struct clock_wall now,
                struct clock_wall due, GError **error);

// When something is next due, or us -1 where nothing waits.
struct clock_wall outbox_next_due(struct db *db, GError **error);

#endif
