// SPDX-License-Identifier: MIT
// One row for each flow and hour. Comes behind agent_flows, which counts; before
// the report.
#include "missed.h"

#define HOUR_US (INT64_C(3600) * G_USEC_PER_SEC)

const char missed_schema[] =
    "CREATE TABLE missed(flow TEXT, hour INTEGER, starts INTEGER NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY(flow, hour)) WITHOUT ROWID;"
    "CREATE INDEX missed_hour ON missed(hour);";

// On the way to the store: it outlives what it was taken from.
struct batch {
    struct missed *missed;
    GHashTable *counts; // flow -> struct count
};

struct count {
    int64_t at_us;
    int64_t starts;
};

struct missed {
    struct writer *writer;
    GHashTable *counts; // noted since the last flush
    bool writing;
    bool closed; // freed once the writer has answered
};

static GHashTable *new_counts(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

struct missed *missed_new(struct writer *writer)
{
    struct missed *missed = g_new0(struct missed, 1);
    missed->writer = writer;
    missed->counts = new_counts();
    return missed;
}

void missed_free(struct missed *missed)
{
    if (!missed)
        return;
    missed->closed = true;
    if (missed->writing)
        return;
    g_hash_table_unref(missed->counts);
    g_free(missed);
}

void missed_note(struct missed *missed, const char *flow, struct clock_wall at, int starts)
{
    struct count *count = g_hash_table_lookup(missed->counts, flow);
    if (!count) {
        count = g_new0(struct count, 1);
        g_hash_table_insert(missed->counts, g_strdup(flow), count);
    }
    count->at_us = at.us;
    count->starts += starts;
}

static bool write_batch(struct db *db, void *context, GError **error)
{
    const struct batch *batch = context;
    GHashTableIter iterator;
    gpointer flow, value;
    g_hash_table_iter_init(&iterator, batch->counts);
    while (g_hash_table_iter_next(&iterator, &flow, &value)) {
        const struct count *count = value;
        if (!db_run(db, error,
                    "INSERT INTO missed(flow, hour, starts, at) VALUES(?1, ?2, ?3, ?4)"
                    " ON CONFLICT(flow, hour) DO UPDATE SET starts = starts + ?3, at = ?4",
                    "siii", (const char *)flow, count->at_us / HOUR_US, count->starts,
                    count->at_us))
            return false;
    }
    return true;
}

static void on_written(const GError *error, void *context)
{
    struct batch *batch = context;
    struct missed *missed = batch->missed;
    GHashTableIter iterator;
    gpointer flow, value;
    missed->writing = false;
    g_hash_table_iter_init(&iterator, batch->counts);
    while (error && g_hash_table_iter_next(&iterator, &flow, &value)) {
        const struct count *count = value;
        missed_note(missed, flow, (struct clock_wall){count->at_us}, (int)count->starts);
    }
    g_hash_table_unref(batch->counts);
    g_free(batch);
    if (missed->closed)
        missed_free(missed);
}

void missed_flush(struct missed *missed)
{
    if (missed->writing || g_hash_table_size(missed->counts) == 0)
        return;
    struct batch *batch = g_new(struct batch, 1);
    *batch = (struct batch){missed, missed->counts};
    missed->counts = new_counts();
    missed->writing = true;
    const struct writer_job job = {
        .work = write_batch, .done = on_written, .context = batch, .patient = true};
    writer_submit(missed->writer, &job);
}

cJSON *missed_history(struct db *db, const char *flow, int limit, GError **error)
{
    g_autoptr(cJSON) history = cJSON_CreateArray();
    g_autoptr(db_rows_t) rows = db_query(
        db, error, "SELECT at, starts FROM missed WHERE flow = ? ORDER BY hour DESC LIMIT ?", "si",
        flow, (int64_t)limit);
    while (db_rows_next(rows, error)) {
        cJSON *hour = cJSON_CreateObject();
        json_add_time(hour, "at", (struct clock_wall){db_rows_integer(rows, 0)});
        json_add_integer(hour, "starts", db_rows_integer(rows, 1));
        cJSON_AddItemToArray(history, hour);
    }
    return db_rows_failed(rows) ? NULL : g_steal_pointer(&history);
}
