// SPDX-License-Identifier: MIT
// The SQL of runs. A good run of a flow that is well costs two rows and no text:
// at thousands a second, what is written for it is most of all work here. Its
// deleting is in store_prune.
#include "store_runs.h"

#include <string.h>

// How often what a good run answered is kept anew.
static const int64_t GOOD_KEPT_US = INT64_C(6) * 3600 * G_USEC_PER_SEC;

// One statement makes or updates the flow's row and gives its number.
static const char flow_sql[] =
    "INSERT INTO flow(id, system, state, started, ended, duration_us, last_good, run, summary)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN ?7 THEN ?4 ELSE 0 END, ?8, ?9)"
    " ON CONFLICT(id) DO UPDATE SET system = ?2, state = ?3, started = ?4, ended = ?5,"
    " duration_us = ?6, last_good = CASE WHEN ?7 THEN ?4 ELSE last_good END, run = ?8,"
    " summary = ?9 RETURNING no, coalesce(good_at, 0)";

// The same for a run that does not count: the flow's last state stays.
static const char uncounted_sql[] = "INSERT INTO flow(id, system, last_good) VALUES(?1, ?2, 0)"
                                    " ON CONFLICT(id) DO UPDATE SET system = ?2"
                                    " RETURNING no, coalesce(good_at, 0)";

static bool take_integer(struct db_rows *rows, int64_t *value, GError **error)
{
    g_autoptr(db_rows_t) owned = rows;
    GError *problem = NULL;
    if (owned == NULL) {
        return false;
    }
    *value = db_rows_next(owned, &problem) ? db_rows_integer(owned, 0) : 0;
    // Reads to the end: an INSERT … RETURNING ends there.
    while (problem == NULL && db_rows_next(owned, &problem)) {
    }
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    return true;
}

static bool is_good(const struct store_run *run)
{
    return strcmp(run->state, "ok") == 0 || strcmp(run->state, "slow") == 0;
}

static struct db_rows *note_flow(struct db *db, const struct store_run *run, GError **error)
{
    if (!run->counted) {
        return db_query(db, error, uncounted_sql, "ss", run->flow, run->system);
    }
    return db_query(db, error, flow_sql, "sssiiiiss", run->flow, run->system, run->state,
                    run->started.us, run->ended.us, run->duration_us, (int64_t)is_good(run),
                    run->run, run->summary);
}

// The number of the flow's row, and when a good answer of it was last kept.
static bool take_flow(struct db_rows *rows, int64_t *flow, int64_t *kept_us, GError **error)
{
    g_autoptr(db_rows_t) owned = rows;
    GError *problem = NULL;
    if (owned == NULL) {
        return false;
    }
    if (db_rows_next(owned, &problem)) {
        *flow = db_rows_integer(owned, 0);
        *kept_us = db_rows_integer(owned, 1);
    }
    // Reads to the end: an INSERT … RETURNING ends there.
    while (problem == NULL && db_rows_next(owned, &problem)) {
    }
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    return true;
}

bool store_runs_add(struct db *db, const struct store_run *run, bool remarkable, bool *wants_good,
                    GError **error)
{
    int64_t flow = 0, kept_us = 0;
    if (!take_flow(note_flow(db, run, error), &flow, &kept_us, error)) {
        return false;
    }
    if (wants_good != NULL) {
        *wants_good = ABS(run->ended.us - kept_us) > GOOD_KEPT_US;
    }
    if (!remarkable) {
        return db_run(db, error, "INSERT INTO good_run(flow, started, duration_us) VALUES(?, ?, ?)",
                      "iii", flow, run->started.us, run->duration_us);
    }
    return db_run(db, error,
                  "INSERT INTO run(id, flow, started, duration_us, state, counted, fingerprint,"
                  " summary, result, evidence) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  "siiisissss", run->run, flow, run->started.us, run->duration_us, run->state,
                  (int64_t)run->counted, run->fingerprint, run->summary, run->result,
                  run->evidence);
}

bool store_runs_has(struct db *db, const char *run, GError **error)
{
    int64_t found = 0;
    return take_integer(db_query(db, error, "SELECT 1 FROM run WHERE id = ?", "s", run), &found,
                        error) &&
           found == 1;
}

GHashTable *store_runs_begun_after(struct db *db, struct clock_wall time, GError **error)
{
    g_autoptr(GHashTable) begun = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GError) problem = NULL;
    g_autoptr(db_rows_t) rows =
        db_query(db, error, "SELECT id, started FROM flow WHERE started > ?", "i", time.us);
    if (rows == NULL) {
        return NULL;
    }
    while (db_rows_next(rows, &problem)) {
        int64_t *started = g_new(int64_t, 1);
        *started = db_rows_integer(rows, 1);
        g_hash_table_insert(begun, g_strdup(db_rows_text(rows, 0)), started);
    }
    if (problem == NULL) {
        return g_steal_pointer(&begun);
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return NULL;
}

// The text of one row and column, copied; NULL where there is none.
static char *take_text(struct db_rows *rows, GError **error)
{
    g_autoptr(db_rows_t) owned = rows;
    return owned != NULL && db_rows_next(owned, error) ? g_strdup(db_rows_text(owned, 0)) : NULL;
}

char *store_runs_result(struct db *db, const char *run, GError **error)
{
    return take_text(
        db_query(db, error, "SELECT coalesce(evidence, result) FROM run WHERE id = ?", "s", run),
        error);
}

struct clock_wall store_runs_last_good(struct db *db, const char *flow, GError **error)
{
    struct clock_wall time = {0};
    (void)take_integer(db_query(db, error, "SELECT last_good FROM flow WHERE id = ?", "s", flow),
                       &time.us, error);
    return time;
}

bool store_runs_keep_good(struct db *db, const char *flow, const char *result, struct clock_wall at,
                          GError **error)
{
    return db_run(db, error, "INSERT OR REPLACE INTO last_good(flow, result) VALUES(?, ?)", "ss",
                  flow, result) &&
           db_run(db, error, "UPDATE flow SET good_at = ? WHERE id = ?", "is", at.us, flow);
}

char *store_runs_good(struct db *db, const char *flow, GError **error)
{
    return take_text(db_query(db, error, "SELECT result FROM last_good WHERE flow = ?", "s", flow),
                     error);
}

bool store_runs_see_text(struct db *db, const char *system, const char *text, struct clock_wall at,
                         bool *is_new, GError **error)
{
    if (!db_run(db, error, "INSERT OR IGNORE INTO seen(system, text, at) VALUES(?, ?, ?)", "ssi",
                system, text, at.us)) {
        return false;
    }
    *is_new = db_changes(db) == 1;
    return true;
}

bool store_runs_rename(struct db *db, const char *from, const char *to, GError **error)
{
    // Where runs under the new name are there already, the old ones stay apart.
    return db_run(db, error, "UPDATE OR IGNORE flow SET id = ? WHERE id = ?", "ss", to, from) &&
           db_run(db, error, "UPDATE OR IGNORE missed SET flow = ? WHERE flow = ?", "ss", to,
                  from) &&
           db_run(db, error, "UPDATE OR IGNORE spent SET flow = ? WHERE flow = ?", "ss", to, from);
}

char *store_runs_get(struct db *db, const char *key, GError **error)
{
    return take_text(db_query(db, error, "SELECT value FROM meta WHERE key = ?", "s", key), error);
}

bool store_runs_set(struct db *db, const char *key, const char *value, GError **error)
{
    return db_run(db, error, "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)", "ss", key,
                  value);
}

bool store_runs_beat(struct db *db, struct clock_wall now, GError **error)
{
    return db_run(db, error, "INSERT OR REPLACE INTO meta(key, value) VALUES('heartbeat', ?)", "i",
                  now.us);
}

struct clock_wall store_runs_heartbeat(struct db *db, GError **error)
{
    struct clock_wall time = {0};
    (void)take_integer(
        db_query(db, error, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'heartbeat'", ""),
        &time.us, error);
    return time;
}
