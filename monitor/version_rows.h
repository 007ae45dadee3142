// SPDX-License-Identifier: MIT
// The versions of systems in the store: which one was seen since when, and when it became
// another one. Called inside the caller's transaction.
#ifndef MONITOR_VERSION_ROWS_H
#define MONITOR_VERSION_ROWS_H

#include "../base/db.h"
#include "../base/json.h"
#include "../config/config.h"
#include "../probes/version_run.h"

// Statements that create the tables: a step of the store's schema.
extern const char version_rows_schema[];

// How asking a system went last.
struct version_asked {
    struct clock_wall at;   // us 0: never
    struct clock_wall seen; // when it was told last; us 0: never
    int tries;              // that failed in a row on the day of `at`
};

// Keeps an answer. `*was` (the caller frees it) receives the former version where this is
// another one, else NULL: the change is an event then.
bool version_rows_store(struct db *db, const struct config *config,
                        const struct version_answer *answer, struct clock_wall now, char **was,
                        GError **error);

// When each system was asked last: id -> struct version_asked *, owned by the caller.
GHashTable *version_rows_asked(struct db *db, GError **error);

// The system's version as status shows it: {"system", "version", "since", "seen",
// "unknown_since", "problem"}, null where it is not known; `db` may be NULL.
cJSON *version_rows_status(struct db *db, const struct config_system *system, GError **error);

// The changes at a system, newest first, appended to `changes`, at most `limit`, not older than
// `after`: {"system", "at", "from", "to"}.
bool version_rows_changes(struct db *db, const char *system, struct clock_wall after, int limit,
                          cJSON *changes, GError **error);

#endif
