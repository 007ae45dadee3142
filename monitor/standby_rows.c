// SPDX-License-Identifier: MIT
// The SQL of the standby: notices out of memory and back, and all of it into the
// store. Events are applied there anew, under new numbers; the notices that they
// lead to have the same ids, and so are not sent again.
#include "standby.h"

#include "../alerts/outbox_flood.h"
#include "store_runs.h"
#include "watch_apply.h"

#include <string.h>

#define WAITS "(SELECT sequence FROM old.outbox_recipient WHERE state IN ('waiting', 'held'))"

// What decisions are made of, and the notices that wait. What is being sent now is left to
// the one who sends it. The events' numbers go on, so that a new incident is younger.
static const char *const begin_sql[] = {
    "INSERT INTO main.flow SELECT * FROM old.flow",
    "INSERT INTO main.flow_state SELECT * FROM old.flow_state",
    "INSERT INTO main.incident SELECT * FROM old.incident WHERE closed = 0 OR held = 1",
    "INSERT INTO main.incident_flow SELECT * FROM old.incident_flow"
    " WHERE incident IN (SELECT id FROM main.incident)",
    "INSERT INTO main.mute SELECT * FROM old.mute WHERE ended = 0",
    "INSERT INTO main.version_change SELECT * FROM old.version_change",
    "INSERT INTO main.seen SELECT * FROM old.seen",
    "INSERT INTO main.last_good SELECT * FROM old.last_good",
    "INSERT INTO main.run SELECT * FROM old.run WHERE id IN (SELECT run FROM main.incident)",
    "INSERT INTO main.meta SELECT * FROM old.meta WHERE key LIKE 'told-%'"
    " OR key = 'standby'",
    "INSERT INTO main.sqlite_sequence(name, seq)"
    " SELECT name, seq FROM old.sqlite_sequence WHERE name = 'event'",
    "INSERT INTO main.outbox_notice SELECT * FROM old.outbox_notice WHERE sequence IN " WAITS,
    "INSERT INTO main.outbox_recipient SELECT * FROM old.outbox_recipient"
    " WHERE state IN ('waiting', 'held')",
};

void standby_begin(struct db *memory, const char *path)
{
    if (!db_run(memory, NULL, "ATTACH DATABASE ? AS old", "s", path)) {
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(begin_sql); i++) {
        (void)db_run(memory, NULL, begin_sql[i], "");
    }
    (void)db_run(memory, NULL, "DETACH DATABASE old", "");
}

// How much is kept: good runs, others, and of those with their exchanges, events.
static const char *const trim_sql[] = {
    "DELETE FROM good_run WHERE seq <= (SELECT max(seq) FROM good_run) - 20000",
    "UPDATE run SET evidence = NULL WHERE seq <= (SELECT max(seq) FROM run) - 100"
    " AND evidence IS NOT NULL AND id NOT IN (SELECT run FROM incident WHERE closed = 0)",
    "DELETE FROM run WHERE seq <= (SELECT max(seq) FROM run) - 5000"
    " AND id NOT IN (SELECT run FROM incident WHERE closed = 0)",
    "DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - 50000",
};

bool standby_trim(struct db *memory)
{
    bool some = false;
    for (size_t i = 0; i < G_N_ELEMENTS(trim_sql); i++) {
        some |= db_run(memory, NULL, trim_sql[i], "") && db_changes(memory) > 0;
    }
    return some;
}

struct outbox_item *standby_take_notice(struct db *memory, const struct config *config,
                                        struct clock_wall now)
{
    g_autoptr(outbox_item_t) item = outbox_flood_take(memory, config, now, NULL);
    if (item == NULL || !outbox_mark_sending(memory, item, now, NULL)) {
        return NULL;
    }
    return g_steal_pointer(&item);
}

char *standby_facts(const struct outbox_item *item)
{
    g_autoptr(cJSON) facts = cJSON_Duplicate(item->facts, true);
    cJSON *recipients = cJSON_AddArrayToObject(facts, "recipients");
    for (guint i = 0; i < item->recipients->len; i++) {
        cJSON_AddItemToArray(recipients, cJSON_CreateString(item->recipients->pdata[i]));
    }
    return json_print(facts, false);
}

static const cJSON *find_recipient(const cJSON *report, const char *address)
{
    const cJSON *recipient = NULL;
    cJSON_ArrayForEach(recipient, json_member(report, "recipients"))
    {
        if (g_strcmp0(json_text(recipient, "recipient"), address) == 0) {
            return recipient;
        }
    }
    return NULL;
}

static enum delivery_fate fate_of(const cJSON *recipient)
{
    const char *state = json_text(recipient, "state");
    if (g_strcmp0(state, "accepted") == 0) {
        return DELIVERY_ACCEPTED;
    }
    return g_strcmp0(state, "given_up") == 0 ? DELIVERY_GIVEN_UP : DELIVERY_AGAIN;
}

bool standby_settle(struct db *memory, const struct outbox_item *item, const cJSON *report,
                    struct clock_wall now, GError **error)
{
    for (guint i = 0; i < item->recipients->len; i++) {
        const char *address = item->recipients->pdata[i];
        const cJSON *recipient = find_recipient(report, address);
        const char *text = json_text(recipient, "reply");
        struct delivery_reply reply = {0};
        delivery_reply_set(&reply, DELIVERY_STAGE_NONE, (int)json_integer(recipient, "code", 0),
                           text != NULL ? text : "the delivery gave no report");
        enum delivery_fate fate = fate_of(recipient);
        reply.accepted = fate == DELIVERY_ACCEPTED;
        if (!outbox_record(memory, item, address, &reply, fate, now, error)) {
            return false;
        }
    }
    return true;
}

static const char runs_sql[] =
    "SELECT r.id, f.id, f.system, r.state, r.started, r.duration_us, r.counted, r.fingerprint,"
    " r.summary, r.result, r.evidence FROM run r JOIN flow f ON r.flow = f.no"
    " UNION ALL SELECT NULL, f.id, f.system, 'ok', g.started, g.duration_us, 1, NULL, NULL, NULL,"
    " NULL FROM good_run g JOIN flow f ON g.flow = f.no ORDER BY 5";

static bool merge_run(const struct db_rows *rows, struct db *store, GError **error)
{
    struct store_run run = {.run = db_rows_text(rows, 0),
                            .flow = db_rows_text(rows, 1),
                            .system = db_rows_text(rows, 2),
                            .state = db_rows_text(rows, 3),
                            .started = {db_rows_integer(rows, 4)},
                            .duration_us = db_rows_integer(rows, 5),
                            .counted = db_rows_integer(rows, 6) != 0,
                            .fingerprint = db_rows_text(rows, 7),
                            .summary = db_rows_text(rows, 8),
                            .result = db_rows_text(rows, 9),
                            .evidence = db_rows_text(rows, 10)};
    GError *problem = NULL;
    run.ended.us = run.started.us + run.duration_us;
    bool there = run.run != NULL && store_runs_has(store, run.run, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    return there || store_runs_add(store, &run, run.run != NULL, NULL, error);
}

static bool merge_runs(struct db *memory, struct db *store, GError **error)
{
    g_autoptr(db_rows_t) rows = db_query(memory, error, runs_sql, "");
    bool good = true;
    while (good && db_rows_next(rows, error)) {
        good = merge_run(rows, store, error);
    }
    return good && !db_rows_failed(rows);
}

// What the fallback was told of the monitor, so that it is not told again today.
static bool merge_told(struct db *memory, struct db *store, GError **error)
{
    g_autoptr(db_rows_t) rows =
        db_query(memory, error, "SELECT key, value FROM meta WHERE key LIKE 'told-%'", "");
    bool good = true;
    while (good && db_rows_next(rows, error)) {
        good = store_runs_set(store, db_rows_text(rows, 0), db_rows_text(rows, 1), error);
    }
    return good && !db_rows_failed(rows);
}

static bool merge_event(struct watch_context *context, const struct db_rows *rows, GError **error)
{
    const char *text = db_rows_text(rows, 2);
    g_autoptr(cJSON) data = json_parse(text, strlen(text), error);
    context->at.us = db_rows_integer(rows, 0);
    return data != NULL && watch_append(context, db_rows_text(rows, 1), data, error);
}

bool standby_merge(struct db *memory, struct db *store, const struct config *config, GError **error)
{
    struct watch_context context = {.db = store, .runs = store, .config = config};
    if (!merge_runs(memory, store, error) || !merge_told(memory, store, error) ||
        !outbox_copy(memory, store, error)) {
        return false;
    }
    g_autoptr(db_rows_t) rows =
        db_query(memory, error, "SELECT at, kind, data FROM event ORDER BY seq", "");
    bool good = true;
    while (good && db_rows_next(rows, error)) {
        good = merge_event(&context, rows, error);
    }
    return good && !db_rows_failed(rows);
}
