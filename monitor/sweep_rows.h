// SPDX-License-Identifier: MIT
// Sweeps in the store: how each went, which records could not be deleted, who was told.
// Called inside the caller's transaction.
#ifndef MONITOR_SWEEP_ROWS_H
#define MONITOR_SWEEP_ROWS_H

#include "../base/db.h"
#include "../base/json.h"
#include "../config/config.h"

// Statements that create the tables: a step of the store's schema.
extern const char sweep_rows_schema[];

// Stores a run of `sweep` (`result`: sweep_result_to_json), notes at uncertain debts what
// was found of their runs, and queues a mail for what somebody must know: records that
// three rounds or a day did not delete, once each; more records than may be deleted, at
// once; a search that fails for a day. `*notices` is set where one was queued.
bool sweep_rows_store(struct db *db, const struct config *config, const struct config_sweep *sweep,
                      const cJSON *result, struct clock_wall now, bool *notices, GError **error);

// When each sweep began last: id -> int64_t * (microseconds), owned by the caller.
GHashTable *sweep_rows_last(struct db *db, GError **error);

// The systems with a debt that became uncertain or was given up, and when the last one
// did: id -> int64_t * (microseconds), owned by the caller.
GHashTable *sweep_rows_lost(struct db *db, GError **error);

// The sweep as status shows it: {"sweep", "system", "state", "started", "last_good",
// "found", "due", "deleted", "failed", "left", "problem", "summary", "off"}; without a
// store (`db` NULL), or before its first run, `state` is "unknown". NULL and `error` where
// it cannot be read.
cJSON *sweep_rows_status(struct db *db, const struct config_sweep *sweep, GError **error);

// Its runs, newest first, at most `limit`: {"sweep", "runs": [{"started", "duration_ms",
// "state", "summary"}]}.
cJSON *sweep_rows_history(struct db *db, const char *sweep, int limit, GError **error);

#endif
