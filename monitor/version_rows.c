// SPDX-License-Identifier: MIT
// The SQL of versions. What is known of a system today is no event; that its version became
// another one is, so that mails and a replay tell the same.
#include "version_rows.h"

#include "../alerts/safe_text.h"
#include "../base/clock.h"
#include "../probes/flow_budget.h"
#include "watch_apply.h"

#include <string.h>

// Characters kept; with an ellipsis one more.
enum { VERSION_CHARS = 199, PROBLEM_CHARS = 300 };

// `failing`: since when it cannot be told, 0 for not at all. version_change comes from events
// alone.
const char version_rows_schema[] =
    "CREATE TABLE version(system TEXT PRIMARY KEY, value TEXT, since INTEGER NOT NULL,"
    " seen INTEGER NOT NULL, asked INTEGER NOT NULL, tries INTEGER NOT NULL,"
    " failing INTEGER NOT NULL, problem TEXT) WITHOUT ROWID;"
    "CREATE TABLE version_change(seq INTEGER PRIMARY KEY, system TEXT NOT NULL,"
    " at INTEGER NOT NULL, former TEXT NOT NULL, value TEXT NOT NULL);"
    "CREATE INDEX version_change_system ON version_change(system, at);";

static bool store_failure(struct db *db, const struct config *config,
                          const struct version_answer *answer, struct clock_wall now,
                          GError **error)
{
    g_autofree char *problem = safe_text_line(answer->problem, PROBLEM_CHARS);
    struct clock_wall asked = {0};
    int64_t tries = 0;
    if (!db_take_integer(
            db_query(db, error, "SELECT asked FROM version WHERE system = ?", "s", answer->system),
            0, &asked.us, error) ||
        !db_take_integer(
            db_query(db, error, "SELECT tries FROM version WHERE system = ?", "s", answer->system),
            0, &tries, error)) {
        return false;
    }
    const char *zone = config->agent.timezone;
    bool same_day = flow_budget_day(asked, zone) == flow_budget_day(now, zone);
    return db_run(db, error,
                  "INSERT INTO version VALUES(?1, NULL, 0, 0, ?2, ?3, ?2, ?4) ON CONFLICT(system)"
                  " DO UPDATE SET asked = ?2, tries = ?3, problem = ?4,"
                  " failing = iif(failing = 0, ?2, failing)",
                  "siis", answer->system, now.us, same_day ? tries + 1 : 1, problem);
}

static bool append_change(struct db *db, const struct config *config, const char *system,
                          const char *from, const char *to, struct clock_wall now, GError **error)
{
    struct watch_context context = {.db = db, .runs = db, .config = config, .at = now};
    g_autoptr(cJSON) data = cJSON_CreateObject();
    json_add_text(data, "system", system);
    json_add_text(data, "from", from);
    json_add_text(data, "to", to);
    return watch_append(&context, "version", data, error);
}

bool version_rows_store(struct db *db, const struct config *config,
                        const struct version_answer *answer, struct clock_wall now, char **was,
                        GError **error)
{
    g_clear_pointer(was, g_free);
    if (answer->version == NULL) {
        return store_failure(db, config, answer, now, error);
    }
    g_autofree char *value = safe_text_line(answer->version, VERSION_CHARS);
    g_autoptr(GPtrArray) former = db_take_texts(
        db_query(db, error, "SELECT value FROM version WHERE system = ? AND value IS NOT NULL", "s",
                 answer->system),
        error);
    if (former == NULL) {
        return false;
    }
    bool other = former->len > 0 && strcmp(former->pdata[0], value) != 0;
    if (!db_run(db, error,
                "INSERT INTO version VALUES(?1, ?2, ?3, ?3, ?3, 0, 0, NULL) ON CONFLICT(system)"
                " DO UPDATE SET since = iif(value IS ?2, since, ?3), value = ?2, seen = ?3,"
                " asked = ?3, tries = 0, failing = 0, problem = NULL",
                "ssi", answer->system, value, now.us)) {
        return false;
    }
    if (!other) {
        return true;
    }
    *was = g_strdup(former->pdata[0]);
    return append_change(db, config, answer->system, *was, value, now, error);
}

GHashTable *version_rows_asked(struct db *db, GError **error)
{
    g_autoptr(GHashTable) asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(db_rows_t) rows =
        db_query(db, error, "SELECT system, asked, seen, tries FROM version", "");
    while (db_rows_next(rows, error)) {
        struct version_asked *row = g_new(struct version_asked, 1);
        *row = (struct version_asked){
            {db_rows_integer(rows, 1)}, {db_rows_integer(rows, 2)}, (int)db_rows_integer(rows, 3)};
        g_hash_table_insert(asked, g_strdup(db_rows_text(rows, 0)), row);
    }
    return db_rows_failed(rows) ? NULL : g_steal_pointer(&asked);
}

cJSON *version_rows_status(struct db *db, const struct config_system *system, GError **error)
{
    g_autoptr(db_rows_t) rows = NULL;
    if (db != NULL) {
        rows = db_query(db, error,
                        "SELECT value, since, seen, failing, problem FROM version WHERE system = ?",
                        "s", system->id);
    }
    bool asked = db_rows_next(rows, error);
    if (db != NULL && db_rows_failed(rows)) {
        return NULL;
    }
    cJSON *status = cJSON_CreateObject();
    json_add_text(status, "system", system->id);
    json_add_text(status, "version", asked ? db_rows_text(rows, 0) : NULL);
    json_add_time(status, "since", (struct clock_wall){asked ? db_rows_integer(rows, 1) : 0});
    json_add_time(status, "seen", (struct clock_wall){asked ? db_rows_integer(rows, 2) : 0});
    json_add_time(status, "unknown_since",
                  (struct clock_wall){asked ? db_rows_integer(rows, 3) : 0});
    json_add_text(status, "problem", asked ? db_rows_text(rows, 4) : NULL);
    return status;
}

bool version_rows_changes(struct db *db, const char *system, struct clock_wall after, int limit,
                          cJSON *changes, GError **error)
{
    g_autoptr(db_rows_t) rows = db_query(db, error,
                                         "SELECT at, former, value FROM version_change"
                                         " WHERE system = ? AND at >= ? ORDER BY at DESC LIMIT ?",
                                         "sii", system, after.us, (int64_t)limit);
    while (db_rows_next(rows, error)) {
        cJSON *change = cJSON_CreateObject();
        json_add_text(change, "system", system);
        json_add_time(change, "at", (struct clock_wall){db_rows_integer(rows, 0)});
        json_add_text(change, "from", db_rows_text(rows, 1));
        json_add_text(change, "to", db_rows_text(rows, 2));
        cJSON_AddItemToArray(changes, change);
    }
    return !db_rows_failed(rows);
}
