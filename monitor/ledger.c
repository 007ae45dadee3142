// SPDX-License-Identifier: MIT
// The ledger's SQL. A debt is known by its id and the moment of sending: a run that
// is repeated after a kill has the same ids, and must not take over the row of what
// the first one sent. Comes after the flows, before their undos.
#include "ledger.h"

#include "../base/json.h"
#include "../probes/flow_undo.h"

#include <string.h>

static const int64_t second_us = G_USEC_PER_SEC;
static const int64_t minute_us = INT64_C(60) * G_USEC_PER_SEC;
static const int64_t day_us = INT64_C(86400) * G_USEC_PER_SEC;

// Minutes from the attempt with this number to the next; then hourly.
static const int retry_minutes[] = {1, 2, 5, 10, 30, 60};

static const char columns[] =
    "SELECT id, run, flow, system, step, attempt, sent_at, timeout_ms, undo, origin, url, digest,"
    " known, state, problem, tries FROM debt ";

enum column {
    COLUMN_ID,
    COLUMN_RUN,
    COLUMN_FLOW,
    COLUMN_SYSTEM,
    COLUMN_STEP,
    COLUMN_ATTEMPT,
    COLUMN_SENT_AT,
    COLUMN_TIMEOUT,
    COLUMN_UNDO,
    COLUMN_ORIGIN,
    COLUMN_URL,
    COLUMN_DIGEST,
    COLUMN_KNOWN,
    COLUMN_STATE,
    COLUMN_PROBLEM,
};

static char *values_text(const struct flow_debt *debt)
{
    return debt->values != NULL ? json_print(debt->values, false) : NULL;
}

static bool is_owed(const struct flow_debt *debt)
{
    return strcmp(debt->state, "owed") == 0;
}

bool ledger_owe(struct db *db, const struct flow_debt *debt, const char *owner,
                struct clock_wall now, GError **error)
{
    g_autofree char *known = values_text(debt);
    return db_run(db, error,
                  "INSERT INTO debt(id, run, flow, system, step, attempt, owner, sent_at,"
                  " timeout_ms, undo, origin, url, digest, known, state, tries, told, changed)"
                  " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'owed', 0, 0, ?)",
                  "sssssisiisssssi", debt->id, debt->run, debt->flow, debt->system, debt->step,
                  (int64_t)debt->attempt, owner, debt->sent_at.us, debt->timeout_ms, debt->undo,
                  debt->origin, debt->url, debt->digest, known, now.us);
}

static bool refuse_unknown(const struct flow_debt *debt, GError **error)
{
    g_set_error(error, DB_ERROR, DB_ERROR_FAILED, "the ledger has no debt %s", debt->id);
    return false;
}

// How often this debt was tried before.
static bool read_tries(struct db *db, const struct flow_debt *debt, int64_t *tries, GError **error)
{
    g_autoptr(db_rows_t) rows =
        db_query(db, error, "SELECT tries FROM debt WHERE id = ? AND sent_at = ?", "si", debt->id,
                 debt->sent_at.us);
    if (db_rows_next(rows, error)) {
        *tries = db_rows_integer(rows, 0);
        return true;
    }
    return !db_rows_failed(rows) && refuse_unknown(debt, error);
}

// What another system is to make within a time is looked for until then, and once after.
static int64_t next_try_us(const struct flow_debt *debt, int64_t tries, struct clock_wall now)
{
    int64_t last = G_N_ELEMENTS(retry_minutes) - 1;
    int64_t waits_us = json_integer(debt->values, FLOW_UNDO_WAITS, 0);
    if (waits_us > now.us) {
        return MIN(now.us + retry_minutes[MIN(tries, last)] * minute_us, waits_us + second_us);
    }
    if (now.us - debt->sent_at.us > day_us) {
        return now.us + day_us;
    }
    return now.us + retry_minutes[MIN(tries, last)] * minute_us;
}

static bool put_off(struct db *db, const struct flow_debt *debt, const char *known,
                    struct clock_wall now, GError **error)
{
    int64_t tries = 0;
    return read_tries(db, debt, &tries, error) &&
           db_run(db, error,
                  "UPDATE debt SET known = ?, problem = ?, tries = tries + 1, due = ?,"
                  " changed = ? WHERE id = ? AND sent_at = ?",
                  "ssiisi", known, debt->problem, next_try_us(debt, tries, now), now.us, debt->id,
                  debt->sent_at.us);
}

bool ledger_update(struct db *db, const struct flow_debt *debt, struct clock_wall now,
                   GError **error)
{
    g_autofree char *known = values_text(debt);
    if (is_owed(debt) && debt->problem != NULL) {
        return put_off(db, debt, known, now, error);
    }
    if (!db_run(db, error,
                "UPDATE debt SET state = ?, known = ?, problem = ?, changed = ?"
                " WHERE id = ? AND sent_at = ?",
                "sssisi", debt->state, known, debt->problem, now.us, debt->id, debt->sent_at.us)) {
        return false;
    }
    return db_changes(db) > 0 || refuse_unknown(debt, error);
}

bool ledger_claim(struct db *db, const GPtrArray *dead, const char *owner, struct clock_wall now,
                  int64_t *count, GError **error)
{
    *count = 0;
    for (guint i = 0; i < dead->len; i++) {
        if (!db_run(db, error,
                    "UPDATE debt SET owner = ?1, due = ?2 WHERE owner = ?3 AND state = 'owed'",
                    "sis", owner, now.us, (const char *)dead->pdata[i])) {
            return false;
        }
        *count += db_changes(db);
    }
    return true;
}

static struct flow_debt *debt_of_row(const struct db_rows *rows)
{
    struct flow_debt *debt = g_new0(struct flow_debt, 1);
    const char *known = db_rows_text(rows, COLUMN_KNOWN);
    debt->values = known != NULL ? json_parse(known, strlen(known), NULL) : NULL;
    debt->id = g_strdup(db_rows_text(rows, COLUMN_ID));
    debt->run = g_strdup(db_rows_text(rows, COLUMN_RUN));
    debt->flow = g_strdup(db_rows_text(rows, COLUMN_FLOW));
    debt->system = g_strdup(db_rows_text(rows, COLUMN_SYSTEM));
    debt->step = g_strdup(db_rows_text(rows, COLUMN_STEP));
    debt->attempt = (int)db_rows_integer(rows, COLUMN_ATTEMPT);
    debt->sent_at.us = db_rows_integer(rows, COLUMN_SENT_AT);
    debt->timeout_ms = db_rows_integer(rows, COLUMN_TIMEOUT);
    debt->undo = g_strdup(db_rows_text(rows, COLUMN_UNDO));
    debt->origin = g_strdup(db_rows_text(rows, COLUMN_ORIGIN));
    debt->url = g_strdup(db_rows_text(rows, COLUMN_URL));
    debt->digest = g_strdup(db_rows_text(rows, COLUMN_DIGEST));
    debt->state = g_strdup(db_rows_text(rows, COLUMN_STATE));
    debt->problem = g_strdup(db_rows_text(rows, COLUMN_PROBLEM));
    if (debt->values == NULL) {
        debt->values = cJSON_CreateObject();
    }
    return debt;
}

static void free_debt(gpointer data)
{
    flow_debt_free(data);
}

static GPtrArray *take_debts(struct db_rows *rows, GError **error)
{
    g_autoptr(db_rows_t) owned = rows;
    g_autoptr(GPtrArray) debts = g_ptr_array_new_with_free_func(free_debt);
    while (db_rows_next(owned, error)) {
        g_ptr_array_add(debts, debt_of_row(owned));
    }
    return db_rows_failed(owned) ? NULL : g_steal_pointer(&debts);
}

GPtrArray *ledger_due(struct db *db, const char *owner, struct clock_wall now, int limit,
                      GError **error)
{
    // A run's debts are in one piece: its own first debt orders it among the runs.
    g_autofree char *sql =
        g_strconcat(columns,
                    "LEFT JOIN (SELECT run AS its, min(seq) AS first FROM debt"
                    " WHERE owner = ?1 AND state = 'owed' GROUP BY run) ON its = run"
                    " WHERE owner = ?1 AND state = 'owed' AND due IS NOT NULL"
                    " AND (due <= ?2 OR changed > ?2) ORDER BY first, seq DESC LIMIT ?3",
                    NULL);
    return take_debts(db_query(db, error, sql, "sii", owner, now.us, (int64_t)limit), error);
}

struct clock_wall ledger_next_due(struct db *db, const char *owner, struct clock_wall now,
                                  GError **error)
{
    struct clock_wall due = {-1};
    (void)db_take_integer(
        db_query(db, error,
                 "SELECT min(CASE WHEN changed > ?2 THEN ?2 ELSE due END) FROM debt"
                 " WHERE owner = ?1 AND state = 'owed' AND due IS NOT NULL",
                 "si", owner, now.us),
        -1, &due.us, error);
    return due;
}

bool ledger_holds_back(struct db *db, const char *system, GError **error)
{
    int64_t found = 0;
    return db_take_integer(db_query(db, error,
                                    "SELECT count(*) FROM debt WHERE state = 'owed'"
                                    " AND system = ? AND due IS NOT NULL AND tries = 0",
                                    "s", system),
                           0, &found, error) &&
           found > 0;
}

GPtrArray *ledger_untold(struct db *db, struct clock_wall now, int limit, GError **error)
{
    // Each half by an index of few rows: nearly all debts are paid ones.
    g_autofree char *sql = g_strconcat(
        columns,
        "WHERE seq IN (SELECT seq FROM debt WHERE told = 0"
        " AND state IN ('uncertain', 'orphaned', 'given_up') UNION ALL"
        " SELECT seq FROM debt WHERE state = 'owed' AND told = 0 AND due IS NOT NULL"
        " AND sent_at < ?1 AND coalesce(CASE WHEN json_valid(known) THEN" // or damaged
        " json_extract(known, '$.\"" FLOW_UNDO_WAITS "\"') END, 0) < ?1) ORDER BY seq LIMIT ?2",
        NULL);
    return take_debts(db_query(db, error, sql, "ii", now.us - day_us, (int64_t)limit), error);
}

bool ledger_mark_told(struct db *db, const struct flow_debt *debt, GError **error)
{
    return db_run(db, error, "UPDATE debt SET told = 1 WHERE id = ? AND sent_at = ?", "si",
                  debt->id, debt->sent_at.us);
}

GPtrArray *ledger_owing_runs(struct db *db, const GPtrArray *dead, struct clock_wall now,
                             GError **error)
{
    g_autoptr(GPtrArray) runs = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(db_rows_t) rows =
        db_query(db, error,
                 "SELECT DISTINCT run, owner FROM debt WHERE state = 'owed' AND (due IS NULL OR"
                 " (sent_at > ? AND run NOT IN (SELECT run FROM debt"
                 " WHERE state IN ('uncertain', 'given_up'))))",
                 "i", now.us - day_us);
    while (db_rows_next(rows, error)) {
        const char *owner = db_rows_text(rows, 1);
        bool alive = true;
        for (guint i = 0; i < dead->len && alive; i++) {
            alive = strcmp(dead->pdata[i], owner) != 0;
        }
        if (alive) {
            g_ptr_array_add(runs, g_strdup(db_rows_text(rows, 0)));
        }
    }
    return db_rows_failed(rows) ? NULL : g_steal_pointer(&runs);
}

bool ledger_note_swept(struct db *db, const char *run, const char *system, const char *sweep,
                       struct clock_wall now, GError **error)
{
    g_autofree char *at = clock_wall_format(now);
    g_autofree char *note =
        g_strdup_printf("the sweep %s deleted a record of this run at %s", sweep, at);
    return db_run(db, error,
                  "UPDATE debt SET problem = coalesce(problem || '; ', '') || ?1"
                  " WHERE run = ?2 AND system = ?3 AND state = 'uncertain'"
                  " AND state IN ('uncertain', 'given_up')", // as its index says
                  "sss", note, run, system);
}

int64_t ledger_count_owed(struct db *db, GError **error)
{
    int64_t count = 0;
    (void)db_take_integer(db_query(db, error, "SELECT count(*) FROM debt WHERE state = 'owed'", ""),
                          0, &count, error);
    return count;
}

struct flow_debt *ledger_copy_debt(const struct flow_debt *debt)
{
    struct flow_debt *copy = g_new0(struct flow_debt, 1);
    *copy = *debt;
    copy->id = g_strdup(debt->id);
    copy->run = g_strdup(debt->run);
    copy->flow = g_strdup(debt->flow);
    copy->system = g_strdup(debt->system);
    copy->step = g_strdup(debt->step);
    copy->undo = g_strdup(debt->undo);
    copy->origin = g_strdup(debt->origin);
    copy->url = g_strdup(debt->url);
    copy->digest = g_strdup(debt->digest);
    copy->state = g_strdup(debt->state);
    copy->problem = g_strdup(debt->problem);
    copy->values = debt->values != NULL ? cJSON_Duplicate(debt->values, true) : NULL;
    return copy;
}
