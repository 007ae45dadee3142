// SPDX-License-Identifier: MIT
// Replays the event table of a store into memory, and compares what came of it row by row: for
// the unit tests, the fuzz target, and the program that the tests of faults use.
#ifndef TESTS_UNIT_SUPPORT_REPLAY_H
#define TESTS_UNIT_SUPPORT_REPLAY_H

#include "../../monitor/store.h"
#include "../../monitor/watch.h"

#include <string.h>

#define REPLAY_KINDS "kind IN ('opened', 'changed', 'acknowledged', 'recovered', 'withdrawn')"

// What follows from events alone. What the last good answer looked like is the store's, and not
// kept for later; nor is what became of a notice.
static const struct {
    const char *sql;
    int columns;
} replayed[] = {
    {"SELECT * FROM event ORDER BY seq", 4},
    {"SELECT * FROM flow_state ORDER BY flow", 13},
    {"SELECT * FROM incident ORDER BY id", 10},
    {"SELECT * FROM incident_flow ORDER BY incident, place", 8},
    {"SELECT * FROM decision ORDER BY seq", 6},
    {"SELECT * FROM mute ORDER BY seq", 7},
    {"SELECT * FROM version_change ORDER BY seq", 5},
    {"SELECT notice, incident, contact, kind, number, priority, exempt, queued_us,"
     " json_remove(facts, '$.result.last_good') FROM outbox_notice WHERE " REPLAY_KINDS
     " ORDER BY sequence",
     9},
    {"SELECT notice, position, address FROM outbox_recipient JOIN outbox_notice USING (sequence)"
     " WHERE " REPLAY_KINDS " ORDER BY sequence, position",
     3},
};

// An incident of whose opening nobody was told though nothing was muted; to be 0 where all flows
// have contacts. A replay cannot see that: it leaves out the same.
#define REPLAY_OPENED "SELECT 1 FROM outbox_notice WHERE incident = i.id AND kind = 'opened'"
#define REPLAY_UNTOLD                                                                              \
    "SELECT count(*) FROM incident i WHERE NOT EXISTS (" REPLAY_OPENED ") AND NOT EXISTS"          \
    " (SELECT 1 FROM decision WHERE incident = i.id AND kind = 'muted')"

// The next row as a text, or NULL at the end. The caller frees it.
static char *replay_row(struct db_rows *rows, int columns, GError **error)
{
    if (!db_rows_next(rows, error)) {
        return NULL;
    }
    GString *text = g_string_new(NULL);
    for (int i = 0; i < columns; i++) {
        const char *value = db_rows_text(rows, i);
        g_string_append_printf(text, "%s|", value != NULL ? value : "NULL");
    }
    return g_string_free(text, FALSE);
}

// Compares one query's rows; where they differ, says so in `difference`.
static int replay_compare(struct db *source, struct db *target, size_t query, GString *difference)
{
    const char *sql = replayed[query].sql;
    g_autoptr(db_rows_t) before = db_query(source, NULL, sql, "");
    g_autoptr(db_rows_t) after = db_query(target, NULL, sql, "");
    g_assert(before != NULL && after != NULL);
    for (int row = 0;; row++) {
        g_autofree char *one = replay_row(before, replayed[query].columns, NULL);
        g_autofree char *other = replay_row(after, replayed[query].columns, NULL);
        if (g_strcmp0(one, other) != 0) {
            g_string_append_printf(difference, "%s\nrow %d of the store:\n%s\nof its replay:\n%s\n",
                                   sql, row + 1, one != NULL ? one : "none",
                                   other != NULL ? other : "none");
            return row;
        }
        if (one == NULL) {
            return row;
        }
    }
}

// Replays `source` and compares. NULL: the same; else what differs, or the failure. `rows` gets
// how many rows each query has (may be NULL). The caller frees it.
static inline char *replay_differs(struct db *source, watch_find_config find, void *context,
                                   int *rows)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(db_t) target = store_open_memory(&error);
    g_autoptr(GString) difference = g_string_new(NULL);
    if (target == NULL || !watch_replay(source, target, find, context, &error)) {
        return g_strdup_printf("the replay failed: %s\n", error->message);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(replayed); i++) {
        int count = replay_compare(source, target, i, difference);
        if (rows != NULL) {
            rows[i] = count;
        }
    }
    return difference->len > 0 ? g_strdup(difference->str) : NULL;
}

#endif
