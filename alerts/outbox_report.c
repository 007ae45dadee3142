// SPDX-License-Identifier: MIT
// What others ask of the outbox: counts, problems for `status`, the notices of
// an incident, and what may be forgotten. Reads, but for outbox_prune.
#include "outbox.h"

bool outbox_nobody_told(struct db *db, const char *incident, GError **error)
{
    g_autoptr(db_rows_t) rows =
        db_query(db, error,
                 "SELECT count(*), sum(r.state = 'given_up') FROM outbox_notice n"
                 " JOIN outbox_recipient r USING (sequence)"
                 " WHERE n.incident = ? AND n.kind = 'opened'",
                 "s", incident);
    if (!db_rows_next(rows, error))
        return false;
    return db_rows_integer(rows, 0) > 0 && db_rows_integer(rows, 0) == db_rows_integer(rows, 1);
}

bool outbox_count(struct db *db, struct outbox_counts *counts, GError **error)
{
    g_autoptr(db_rows_t) rows =
        db_query(db, error, "SELECT state, count(*) FROM outbox_recipient GROUP BY state", "");
    *counts = (struct outbox_counts){0};
    while (db_rows_next(rows, error)) {
        const char *state = db_rows_text(rows, 0);
        int *counter = g_str_equal(state, "accepted")     ? &counts->accepted
                       : g_str_equal(state, "given_up")   ? &counts->given_up
                       : g_str_equal(state, "summarised") ? &counts->summarised
                                                          : &counts->waiting;
        *counter += (int)db_rows_integer(rows, 1);
    }
    return !db_rows_failed(rows);
}

#define RECIPIENT_COLUMNS                                                                          \
    "SELECT n.notice, n.incident, n.kind, n.contact, n.priority, r.address, r.state, r.attempts,"  \
    " r.stage, r.code, r.reply, r.last_us, r.due_us, n.summary"                                    \
    " FROM outbox_notice n JOIN outbox_recipient r USING (sequence) "

static void add_reply(cJSON *object, const struct db_rows *rows)
{
    const char *stage = db_rows_text(rows, 8);
    int64_t code = db_rows_integer(rows, 9);
    g_autofree char *reply =
        stage == NULL ? NULL
        : code == 0   ? g_strdup_printf("%s: %s", stage, db_rows_text(rows, 10))
                      : g_strdup_printf("%s: %d %s", stage, (int)code, db_rows_text(rows, 10));
    json_add_text(object, "reply", reply);
}

static cJSON *recipient_to_json(const struct db_rows *rows)
{
    cJSON *object = cJSON_CreateObject();
    json_add_text(object, "notice", db_rows_text(rows, 0));
    json_add_text(object, "incident", db_rows_text(rows, 1));
    json_add_text(object, "kind", db_rows_text(rows, 2));
    json_add_text(object, "contact", db_rows_text(rows, 3));
    json_add_integer(object, "priority", db_rows_integer(rows, 4));
    json_add_text(object, "recipient", db_rows_text(rows, 5));
    json_add_text(object, "state", db_rows_text(rows, 6));
    json_add_integer(object, "attempts", db_rows_integer(rows, 7));
    add_reply(object, rows);
    json_add_time(object, "last", (struct clock_wall){db_rows_integer(rows, 11)});
    bool open = !g_str_equal(db_rows_text(rows, 6), "accepted") &&
                !g_str_equal(db_rows_text(rows, 6), "given_up");
    json_add_time(object, "due", (struct clock_wall){open ? db_rows_integer(rows, 12) : 0});
    json_add_text(object, "summary", db_rows_text(rows, 13));
    return object;
}

static cJSON *recipients_to_json(struct db_rows *query, GError **error)
{
    g_autoptr(db_rows_t) rows = query;
    g_autoptr(cJSON) array = cJSON_CreateArray();
    while (db_rows_next(rows, error))
        cJSON_AddItemToArray(array, recipient_to_json(rows));
    return db_rows_failed(rows) ? NULL : g_steal_pointer(&array);
}

cJSON *outbox_problems(struct db *db, GError **error)
{
    return recipients_to_json(db_query(db, error,
                                       RECIPIENT_COLUMNS
                                       "WHERE r.state = 'given_up' OR (r.state IN ('waiting',"
                                       " 'sending') AND r.stage IS NOT NULL)"
                                       " ORDER BY n.sequence, r.position",
                                       ""),
                              error);
}

cJSON *outbox_of_incident(struct db *db, const char *incident, GError **error)
{
    return recipients_to_json(db_query(db, error,
                                       RECIPIENT_COLUMNS
                                       "WHERE n.incident = ? ORDER BY n.sequence, r.position",
                                       "s", incident),
                              error);
}

GPtrArray *outbox_untold_incidents(struct db *db, GError **error)
{
    return db_take_texts(
        db_query(db, error,
                 "SELECT n.incident FROM outbox_notice n JOIN outbox_recipient r USING (sequence)"
                 " WHERE n.kind = 'opened' GROUP BY n.incident"
                 " HAVING sum(r.state <> 'given_up') = 0 ORDER BY min(n.sequence)",
                 ""),
        error);
}

bool outbox_prune(struct db *db, struct clock_wall evidence, struct clock_wall all, int limit,
                  GError **error)
{
    return db_run(db, error,
                  "UPDATE outbox_notice SET facts = '{}', mail = NULL, mail_lighter = NULL"
                  " WHERE sequence IN (SELECT sequence FROM outbox_notice WHERE ended_us < ?"
                  " AND facts <> '{}' LIMIT ?)",
                  "ii", evidence.us, (int64_t)limit) &&
           db_run(db, error,
                  "DELETE FROM outbox_recipient WHERE sequence IN (SELECT sequence"
                  " FROM outbox_notice WHERE ended_us < ? ORDER BY sequence LIMIT ?)",
                  "ii", all.us, (int64_t)limit) &&
           db_run(db, error,
                  "DELETE FROM outbox_notice WHERE sequence IN (SELECT sequence"
                  " FROM outbox_notice WHERE ended_us < ? ORDER BY sequence LIMIT ?)",
                  "ii", all.us, (int64_t)limit);
}
