// SPDX-License-Identifier: MIT
// The rows of systems that are left alone, and the way there and back: what the gate decides
// is written by the writer, what other processes decided is read by the loop.
#include "left_alone.h"

#include "../base/log.h"

struct left_alone {
    struct writer *writer;
    struct flow_gate *gate;
    unsigned on_the_way; // what is being written is newer than what can be read
    bool failed;         // the last could not be: what can be read is out of date
};

enum column { SYSTEM, LEVEL, SINCE, UNTIL, FLOW, ALLOWED, WHY, DIGEST };

static void free_state(void *state)
{
    backoff_free(state);
}

static struct backoff *state_of(const struct db_rows *row)
{
    struct backoff *state = backoff_new();
    state->level = (int)db_rows_integer(row, LEVEL);
    state->since.us = db_rows_integer(row, SINCE);
    state->until.us = db_rows_integer(row, UNTIL);
    state->flow = g_strdup(db_rows_text(row, FLOW));
    state->allowed = (int)db_rows_integer(row, ALLOWED);
    state->why = g_strdup(db_rows_text(row, WHY));
    state->digest = g_strdup(db_rows_text(row, DIGEST));
    return state;
}

GHashTable *left_alone_load(struct db *db, GError **error)
{
    g_autoptr(GHashTable) states =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_state);
    g_autoptr(db_rows_t) rows = db_query(
        db, error, "SELECT system, level, since, until, flow, allowed, why, digest FROM left_alone",
        "");
    while (db_rows_next(rows, error)) {
        g_hash_table_replace(states, g_strdup(db_rows_text(rows, SYSTEM)), state_of(rows));
    }
    return db_rows_failed(rows) ? NULL : g_steal_pointer(&states);
}

bool left_alone_save(struct db *db, const char *system, const struct backoff *state, GError **error)
{
    if (state == NULL) {
        return db_run(db, error, "DELETE FROM left_alone WHERE system = ?", "s", system);
    }
    return db_run(db, error,
                  "INSERT OR REPLACE INTO left_alone(system, level, since, until, flow, allowed,"
                  " why, digest) VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                  "siiisiss", system, (int64_t)state->level, state->since.us, state->until.us,
                  state->flow, (int64_t)state->allowed, state->why, state->digest);
}

struct saving {
    struct left_alone *keeper;
    char *system;
    struct backoff *state;
};

static bool do_save(struct db *db, void *context, GError **error)
{
    const struct saving *saving = context;
    return left_alone_save(db, saving->system, saving->state, error);
}

static void on_saved(const GError *error, void *context)
{
    struct saving *saving = context;
    saving->keeper->on_the_way--;
    saving->keeper->failed = error != NULL;
    if (error != NULL) {
        log_debug("that %s is left alone could not be kept: %s", saving->system, error->message);
    }
    g_free(saving->system);
    backoff_free(saving->state);
    g_free(saving);
}

static void save(void *self, const char *system, const struct backoff *state)
{
    struct left_alone *keeper = self;
    struct saving *saving = g_new(struct saving, 1);
    *saving = (struct saving){keeper, g_strdup(system), state ? backoff_copy(state) : NULL};
    const struct writer_job job = {.work = do_save, .done = on_saved, .context = saving};
    keeper->on_the_way++;
    writer_submit(keeper->writer, &job);
}

struct left_alone *left_alone_new(struct writer *writer, struct flow_gate *gate)
{
    struct left_alone *keeper = g_new0(struct left_alone, 1);
    keeper->writer = writer;
    keeper->gate = gate;
    const struct flow_gate_keeper door = {.save = save, .self = keeper};
    flow_gate_keep(gate, &door);
    return keeper;
}

void left_alone_learn(struct left_alone *keeper, struct db *db)
{
    if (keeper->on_the_way > 0 || keeper->failed) {
        return;
    }
    g_autoptr(GHashTable) states = left_alone_load(db, NULL); // the agent tells why it cannot be
    if (states != NULL) {
        flow_gate_learn(keeper->gate, states);
    }
}

void left_alone_free(struct left_alone *keeper)
{
    g_free(keeper);
}
