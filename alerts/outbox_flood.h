// SPDX-License-Identifier: MIT
// The flood limit: above `mail.limit` notices an hour to one contact, further
// ones are held and go into one summary. Openings and recoveries of P1 are never
// held. The SQL of it; called inside the caller's transaction.
#ifndef ALERTS_OUTBOX_FLOOD_H
#define ALERTS_OUTBOX_FLOOD_H

#include "outbox.h"

// True where the item, which outbox_take gave, may go now; where not, it has been held.
bool outbox_flood_admit(struct db *db, const struct outbox_item *item, int limit,
                        struct clock_wall now, GError **error);

// outbox_take, with the limit applied: what is above it is held, and what is held for long
// enough goes into a summary. NULL where nothing may go now, or with `error`.
struct outbox_item *outbox_flood_take(struct db *db, const struct config *config,
                                      struct clock_wall now, GError **error);

// Queues a summary for each contact with held notices that had none in the last hour; the
// notices it lists end as summarised. Returns how many summaries were queued, -1 on failure.
int outbox_flood_summarise(struct db *db, const struct config *config, struct clock_wall now,
                           GError **error);

#endif
