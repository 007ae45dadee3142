// SPDX-License-Identifier: MIT
// The SQL of sweeps. Comes after a sweep has run; what is worth a mail is sweep_tell's
// business.
#include "sweep_rows.h"

#include "../base/clock.h"
#include "../base/ids.h"
#include "ledger.h"
#include "sweep_tell.h"

#include <string.h>

enum { KEY_LENGTH = 16 };

// `failing` is since when there is a problem with the sweep as a whole, 0 for none; `told`
// whether somebody knows of it. A row of sweep_record is a record that could not be deleted.
const char sweep_rows_schema[] =
    "CREATE TABLE sweep(id TEXT PRIMARY KEY, system TEXT NOT NULL, started INTEGER NOT NULL,"
    " last_good INTEGER NOT NULL, failing INTEGER NOT NULL, told INTEGER NOT NULL,"
    " result TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE sweep_run(seq INTEGER PRIMARY KEY, sweep TEXT NOT NULL, started INTEGER NOT NULL,"
    " duration_us INTEGER NOT NULL, state TEXT NOT NULL, summary TEXT NOT NULL);"
    "CREATE INDEX sweep_run_sweep ON sweep_run(sweep, started);"
    "CREATE TABLE sweep_record(sweep TEXT, id TEXT, first INTEGER NOT NULL, seen INTEGER NOT NULL,"
    " rounds INTEGER NOT NULL, told INTEGER NOT NULL, record TEXT NOT NULL,"
    " PRIMARY KEY(sweep, id)) WITHOUT ROWID;"
    "CREATE INDEX debt_lost ON debt(system, changed) WHERE state IN ('uncertain', 'given_up');";

static struct clock_wall time_of(const cJSON *object, const char *key)
{
    const char *text = json_text(object, key);
    return text != NULL ? clock_wall_parse(text) : (struct clock_wall){0};
}

static bool has_state(const cJSON *object, const char *state)
{
    return g_strcmp0(json_text(object, "state"), state) == 0;
}

static bool store_run(struct db *db, const cJSON *result, struct clock_wall now, GError **error)
{
    const char *sweep = json_text(result, "sweep");
    int64_t started = time_of(result, "started").us;
    int64_t duration_us = json_integer(result, "duration_ms", 0) * 1000;
    int64_t good = has_state(result, "ok") ? now.us : 0;
    int64_t failing = json_text(result, "problem") != NULL ? now.us : 0;
    g_autofree char *text = json_print(result, false);
    return db_run(db, error,
                  "INSERT INTO sweep_run(sweep, started, duration_us, state, summary)"
                  " VALUES(?, ?, ?, ?, ?)",
                  "siiss", sweep, started, duration_us, json_text(result, "state"),
                  json_text(result, "summary")) &&
           db_run(db, error,
                  "INSERT INTO sweep(id, system, started, last_good, failing, told, result)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, 0, ?6) ON CONFLICT(id) DO UPDATE SET system = ?2,"
                  " started = ?3, last_good = max(last_good, ?4), result = ?6,"
                  " told = CASE WHEN ?5 = 0 THEN 0 ELSE told END,"
                  " failing = CASE WHEN ?5 = 0 OR failing = 0 THEN ?5 ELSE failing END",
                  "ssiiis", sweep, json_text(result, "system"), started, good, failing, text);
}

// One record that is still there, and should not be.
static bool store_record(struct db *db, const char *sweep, const cJSON *record,
                         struct clock_wall now, GError **error)
{
    g_autofree char *known = json_print(json_member(record, "known"), false);
    g_autofree char *id = ids_hash(KEY_LENGTH, json_text(record, "name"), known, NULL);
    g_autofree char *text = json_print(record, false);
    return db_run(db, error,
                  "INSERT INTO sweep_record(sweep, id, first, seen, rounds, told, record)"
                  " VALUES(?1, ?2, ?3, ?3, 1, 0, ?4) ON CONFLICT(sweep, id) DO UPDATE SET"
                  " seen = ?3, rounds = rounds + 1, record = ?4",
                  "ssis", sweep, id, now.us, text);
}

// What is gone since, or was deleted by somebody else, is forgotten; a search that failed
// says nothing of it.
static bool store_records(struct db *db, const cJSON *result, struct clock_wall now, GError **error)
{
    const char *sweep = json_text(result, "sweep");
    const cJSON *record = NULL;
    if (json_text(result, "problem") != NULL) {
        return true;
    }
    cJSON_ArrayForEach(record, json_member(result, "records"))
    {
        bool stays = has_state(record, "failed") || has_state(record, "undated");
        if (stays && !store_record(db, sweep, record, now, error)) {
            return false;
        }
    }
    return db_run(db, error, "DELETE FROM sweep_record WHERE sweep = ? AND seen < ?", "si", sweep,
                  now.us);
}

static bool note_debts(struct db *db, const cJSON *result, struct clock_wall now, GError **error)
{
    const cJSON *record = NULL;
    cJSON_ArrayForEach(record, json_member(result, "records"))
    {
        const char *run = json_text(record, "run");
        if (run != NULL && has_state(record, "deleted") &&
            !ledger_note_swept(db, run, json_text(result, "system"), json_text(result, "sweep"),
                               now, error)) {
            return false;
        }
    }
    return true;
}

bool sweep_rows_store(struct db *db, const struct config *config, const struct config_sweep *sweep,
                      const cJSON *result, struct clock_wall now, bool *notices, GError **error)
{
    return store_run(db, result, now, error) && store_records(db, result, now, error) &&
           note_debts(db, result, now, error) &&
           sweep_tell(db, config, sweep, result, now, notices, error);
}

// A table of names to times.
static GHashTable *take_times(struct db_rows *rows, GError **error)
{
    g_autoptr(db_rows_t) owned = rows;
    g_autoptr(GHashTable) times = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    while (db_rows_next(owned, error)) {
        int64_t *us = g_new(int64_t, 1);
        *us = db_rows_integer(owned, 1);
        g_hash_table_insert(times, g_strdup(db_rows_text(owned, 0)), us);
    }
    return db_rows_failed(owned) ? NULL : g_steal_pointer(&times);
}

GHashTable *sweep_rows_last(struct db *db, GError **error)
{
    return take_times(db_query(db, error, "SELECT id, started FROM sweep", ""), error);
}

GHashTable *sweep_rows_lost(struct db *db, GError **error)
{
    return take_times(db_query(db, error,
                               "SELECT system, max(changed) FROM debt"
                               " WHERE state IN ('uncertain', 'given_up') GROUP BY system",
                               ""),
                      error);
}

static void add_times(cJSON *status, const struct db_rows *row)
{
    int64_t good_us = row != NULL ? db_rows_integer(row, 1) : 0;
    json_add_time(status, "last_good", (struct clock_wall){good_us});
}

cJSON *sweep_rows_status(struct db *db, const struct config_sweep *sweep, GError **error)
{
    static const char *const counts[] = {"found", "due", "deleted", "failed", "left"};
    g_autoptr(db_rows_t) rows = NULL;
    if (db != NULL) {
        rows =
            db_query(db, error, "SELECT result, last_good FROM sweep WHERE id = ?", "s", sweep->id);
    }
    bool ran = db_rows_next(rows, error);
    if (db != NULL && db_rows_failed(rows)) {
        return NULL;
    }
    const char *text = ran ? db_rows_text(rows, 0) : NULL;
    g_autoptr(cJSON) result = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
    const char *state = result != NULL ? json_text(result, "state") : "unknown";
    cJSON *status = cJSON_CreateObject();
    json_add_text(status, "sweep", sweep->id);
    json_add_text(status, "system", sweep->system->id);
    json_add_text(status, "state", sweep->off != NULL ? "off" : state);
    json_add_text(status, "started", json_text(result, "started"));
    add_times(status, ran ? rows : NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        json_add_integer(status, counts[i], json_integer(result, counts[i], 0));
    }
    json_add_text(status, "problem", json_text(result, "problem"));
    json_add_text(status, "summary", json_text(result, "summary"));
    json_add_text(status, "off", sweep->off);
    return status;
}

static void add_run(cJSON *runs, const struct db_rows *row)
{
    cJSON *run = cJSON_CreateObject();
    json_add_time(run, "started", (struct clock_wall){db_rows_integer(row, 0)});
    json_add_integer(run, "duration_ms", db_rows_integer(row, 1) / 1000);
    json_add_text(run, "state", db_rows_text(row, 2));
    json_add_text(run, "summary", db_rows_text(row, 3));
    cJSON_AddItemToArray(runs, run);
}

cJSON *sweep_rows_history(struct db *db, const char *sweep, int limit, GError **error)
{
    g_autoptr(cJSON) history = cJSON_CreateObject();
    json_add_text(history, "sweep", sweep);
    cJSON *runs = cJSON_AddArrayToObject(history, "runs");
    g_autoptr(db_rows_t) rows =
        db_query(db, error,
                 "SELECT started, duration_us, state, summary FROM sweep_run WHERE sweep = ?"
                 " ORDER BY started DESC LIMIT ?",
                 "si", sweep, (int64_t)limit);
    while (db_rows_next(rows, error)) {
        add_run(runs, rows);
    }
    return db_rows_failed(rows) ? NULL : g_steal_pointer(&history);
}
