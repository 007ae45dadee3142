// SPDX-License-Identifier: MIT
// The SQL of runs. A good run of a flow that is well costs two rows and no text:
// at thousands a second, what is written for it is most of all work here. Its
// deleting is in store_prune.
#include "store_runs.h"

#include <string.h>

// How often what a good run answered is kept anew.
static const int64_t GOOD_KEPT_US = INT64_C(6) * 3600 * G_USEC_PER_SEC;

static const char find_sql[] = "SELECT no, coalesce(good_at, 0) FROM flow WHERE id = ?";

static const char insert_sql[] =
    "INSERT INTO flow(id, system, state, started, ended, duration_us, last_good, run, summary)"
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, CASE WHEN ?7 THEN ?4 ELSE 0 END, ?8, ?9)";
static const char update_sql[] =
    "UPDATE flow SET system = ?2, state = ?3, started = ?4, ended = ?5, duration_us = ?6,"
    " last_good = CASE WHEN ?7 THEN ?4 ELSE last_good END, run = ?8, summary = ?9 WHERE no = ?1";

// The same for a run that does not count: the flow's last state stays.
static const char insert_uncounted_sql[] =
    "INSERT INTO flow(id, system, last_good) VALUES(?, ?, 0)";
static const char update_uncounted_sql[] = "UPDATE flow SET system = ?2 WHERE no = ?1";

static bool is_good(const struct store_run *run)
{
    return strcmp(run->state, "ok") == 0 || strcmp(run->state, "slow") == 0;
}

static bool insert_flow(struct db *db, const struct store_run *run, GError **error)
{
    if (!run->counted) {
        return db_run(db, error, insert_uncounted_sql, "ss", run->flow, run->system);
    }
    return db_run(db, error, insert_sql, "sssiiiiss", run->flow, run->system, run->state,
                  run->started.us, run->ended.us, run->duration_us, (int64_t)is_good(run), run->run,
                  run->summary);
}

static bool update_flow(struct db *db, int64_t flow, const struct store_run *run, GError **error)
{
    if (!run->counted) {
        return db_run(db, error, update_uncounted_sql, "is", flow, run->system);
    }
    return db_run(db, error, update_sql, "issiiiiss", flow, run->system, run->state,
                  run->started.us, run->ended.us, run->duration_us, (int64_t)is_good(run), run->run,
                  run->summary);
}

// The number of the flow's row, 0 where there is none, and when a good answer of it was last kept.
static bool find_flow(struct db *db, const char *id, int64_t *flow, int64_t *kept_us,
                      GError **error)
{
    g_autoptr(db_rows_t) rows = db_query(db, error, find_sql, "s", id);
    bool found = db_rows_next(rows, error);
    *flow = found ? db_rows_integer(rows, 0) : 0;
    *kept_us = found ? db_rows_integer(rows, 1) : 0;
    return !db_rows_failed(rows);
}

// Notes what the flow's last run came to. In two steps: one INSERT that updates on a conflict and
// returns the number takes more than twice as long, and this is done for each run.
static bool note_flow(struct db *db, const struct store_run *run, int64_t *flow, int64_t *kept_us,
                      GError **error)
{
    if (!find_flow(db, run->flow, flow, kept_us, error)) {
        return false;
    }
    if (*flow != 0) {
        return update_flow(db, *flow, run, error);
    }
    bool inserted = insert_flow(db, run, error);
    *flow = db_last_rowid(db);
    return inserted;
}

bool store_runs_add(struct db *db, const struct store_run *run, bool remarkable, bool *wants_good,
                    GError **error)
{
    int64_t flow = 0, kept_us = 0;
    if (!note_flow(db, run, &flow, &kept_us, error)) {
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
    bool found = false;
    return db_take_any(db_query(db, error, "SELECT 1 FROM run WHERE id = ?", "s", run), &found,
                       error) &&
           found;
}

GHashTable *store_runs_begun_after(struct db *db, struct clock_wall time, GError **error)
{
    g_autoptr(GHashTable) begun = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(db_rows_t) rows =
        db_query(db, error, "SELECT id, started FROM flow WHERE started > ?", "i", time.us);
    while (db_rows_next(rows, error)) {
        int64_t *started = g_new(int64_t, 1);
        *started = db_rows_integer(rows, 1);
        g_hash_table_insert(begun, g_strdup(db_rows_text(rows, 0)), started);
    }
    return db_rows_failed(rows) ? NULL : g_steal_pointer(&begun);
}

char *store_runs_result(struct db *db, const char *run, GError **error)
{
    return db_take_text(
        db_query(db, error, "SELECT coalesce(evidence, result) FROM run WHERE id = ?", "s", run),
        error);
}

struct clock_wall store_runs_last_good(struct db *db, const char *flow, GError **error)
{
    struct clock_wall time = {0};
    (void)db_take_integer(db_query(db, error, "SELECT last_good FROM flow WHERE id = ?", "s", flow),
                          0, &time.us, error);
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
    return db_take_text(
        db_query(db, error, "SELECT result FROM last_good WHERE flow = ?", "s", flow), error);
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
    return db_take_text(db_query(db, error, "SELECT value FROM meta WHERE key = ?", "s", key),
                        error);
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
    (void)db_take_integer(
        db_query(db, error, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'heartbeat'", ""),
        0, &time.us, error);
    return time;
}
