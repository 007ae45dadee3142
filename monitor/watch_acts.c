// SPDX-License-Identifier: MIT
// What comes to watch from elsewhere than runs: the operator's acts, a configuration
// that came into force, the passing of time, a replay. Each appends an event and
// applies it, but for the replay, which applies events that are there.
#include "watch.h"

#include "../config/config_problem.h"
#include "store_runs.h"
#include "watch_apply.h"
#include "watch_debts.h"

#include <string.h>

// Sets the error: which one was probably meant, of the ids cut to what was written of one.
static void fail_unknown(struct db *db, const char *start, GError **error)
{
    g_autoptr(GPtrArray) known = db_take_texts(
        db_query(db, NULL,
                 "SELECT DISTINCT substr(id, 1, ?) FROM incident ORDER BY opened DESC LIMIT 1000",
                 "i", (int64_t)strlen(start)),
        NULL);
    const char *guess = known != NULL ? config_problem_guess(start, known) : NULL;
    if (guess != NULL) {
        g_set_error(error, DB_ERROR, DB_ERROR_FAILED,
                    "there is no incident %s: did you mean %s? (erpwatch incidents lists them)",
                    start, guess);
    } else {
        g_set_error(error, DB_ERROR, DB_ERROR_FAILED,
                    "there is no incident %s (erpwatch incidents lists them)", start);
    }
}

char *watch_find_incident(struct db *db, const char *id, GError **error)
{
    g_autofree char *prefix = g_ascii_strup(id, -1);
    g_autoptr(GPtrArray) ids = db_take_texts(
        db_query(db, error, "SELECT id FROM incident WHERE substr(id, 1, ?1) = ?2 LIMIT 2", "is",
                 (int64_t)strlen(prefix), prefix),
        error);
    if (ids == NULL) {
        return NULL;
    }
    if (ids->len == 1) {
        return g_strdup(ids->pdata[0]);
    }
    if (ids->len == 0) {
        fail_unknown(db, prefix, error);
    } else {
        g_set_error(
            error, DB_ERROR, DB_ERROR_FAILED,
            "%s is the beginning of more than one incident's id: write more of it (erpwatch "
            "incidents lists them)",
            id);
    }
    return NULL;
}

bool watch_acknowledge(struct db *db, const struct config *config, const char *id, const char *by,
                       const char *note, struct clock_wall now, GError **error)
{
    struct watch_context context = {.db = db, .runs = db, .config = config, .at = now};
    g_autofree char *whole = watch_find_incident(db, id, error);
    g_autoptr(incident_t) incident = whole != NULL ? incident_rows_load(db, whole, error) : NULL;
    if (incident == NULL) {
        return false;
    }
    if (incident->closed.us != 0) {
        g_set_error(error, DB_ERROR, DB_ERROR_FAILED,
                    "the incident %s has ended already: there is nothing left to acknowledge",
                    whole);
        return false;
    }
    g_autoptr(cJSON) data = cJSON_CreateObject();
    json_add_text(data, "incident", whole);
    json_add_text(data, "by", by);
    json_add_text(data, "note", note);
    return watch_append(&context, "acknowledge", data, error);
}

bool watch_mute(struct db *db, const struct config *config, const char *target,
                struct clock_wall until, const char *why, struct clock_wall now, GError **error)
{
    struct watch_context context = {.db = db, .runs = db, .config = config, .at = now};
    bool is_system = g_hash_table_contains(config->systems, target);
    if (!is_system && config_find_flow(config, target) == NULL) {
        g_set_error(error, DB_ERROR, DB_ERROR_FAILED,
                    "there is no system and no flow called %s in the configuration", target);
        return false;
    }
    g_autoptr(cJSON) data = cJSON_CreateObject();
    json_add_text(data, "kind", is_system ? "system" : "flow");
    json_add_text(data, "target", target);
    json_add_integer(data, "until", until.us);
    json_add_text(data, "why", why);
    return watch_append(&context, "mute", data, error);
}

// True where the configuration runs a flow of this name.
static bool is_there(const struct config *config, const char *flow)
{
    const struct config_flow *known = config_find_flow(config, flow);
    return known != NULL && known->off == NULL;
}

static bool has_row(struct db *db, const char *sql, const char *flow, GError **error)
{
    g_autoptr(db_rows_t) rows = db_query(db, error, sql, "s", flow);
    return db_rows_next(rows, error);
}

// True where the store knows a state or runs under the former name, and none of them under the
// present one.
static bool is_renamed(struct db *db, const struct config *config, const struct config_flow *flow)
{
    static const char state[] = "SELECT 1 FROM flow_state WHERE flow = ?";
    static const char runs[] = "SELECT 1 FROM flow WHERE id = ?";
    if (flow->was == NULL || config_find_flow(config, flow->was) != NULL ||
        has_row(db, state, flow->id, NULL)) {
        return false;
    }
    return has_row(db, state, flow->was, NULL) ||
           (has_row(db, runs, flow->was, NULL) && !has_row(db, runs, flow->id, NULL));
}

static GHashTable *add_renamed(struct db *db, const struct config *config, cJSON *renamed)
{
    GHashTable *former = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < config->flows->len; i++) {
        const struct config_flow *flow = config->flows->pdata[i];
        if (!is_renamed(db, config, flow) || g_hash_table_contains(former, flow->was)) {
            continue;
        }
        cJSON *item = cJSON_CreateObject();
        json_add_text(item, "from", flow->was);
        json_add_text(item, "to", flow->id);
        cJSON_AddItemToArray(renamed, item);
        g_hash_table_add(former, flow->was);
    }
    return former;
}

static bool add_withdrawn(struct db *db, const struct config *config, cJSON *renamed,
                          cJSON *withdrawn, GError **error)
{
    g_autoptr(GPtrArray) flows = incident_rows_all_flows(db, error);
    g_autoptr(GHashTable) former = add_renamed(db, config, renamed);
    for (guint i = 0; flows != NULL && i < flows->len; i++) {
        const struct incident_flow *flow = flows->pdata[i];
        if (!is_there(config, flow->flow) && !g_hash_table_contains(former, flow->flow)) {
            cJSON_AddItemToArray(withdrawn, cJSON_CreateString(flow->flow));
        }
    }
    return flows != NULL;
}

bool watch_configure(struct db *db, const struct config *config, struct clock_wall now,
                     GError **error)
{
    struct watch_context context = {.db = db, .runs = db, .config = config, .at = now};
    g_autoptr(cJSON) data = cJSON_CreateObject();
    json_add_text(data, "digest", config->digest);
    cJSON *renamed = cJSON_AddArrayToObject(data, "renamed");
    cJSON *withdrawn = cJSON_AddArrayToObject(data, "withdrawn");
    if (!add_withdrawn(db, config, renamed, withdrawn, error)) {
        return false;
    }
    g_autofree char *former = store_runs_get(db, "configuration", NULL);
    bool same = g_strcmp0(former, config->digest) == 0;
    if (same && cJSON_GetArraySize(renamed) == 0 && cJSON_GetArraySize(withdrawn) == 0) {
        return true;
    }
    return store_runs_set(db, "configuration", config->digest, error) &&
           watch_append(&context, "configuration", data, error);
}

// True where a mute is over and was not ended yet.
static bool mute_is_over(struct db *db, struct clock_wall now, bool *over, GError **error)
{
    return db_take_any(db_query(db, error,
                                "SELECT 1 FROM mute WHERE ended = 0 AND until <= ? LIMIT 1", "i",
                                now.us),
                       over, error);
}

bool watch_tick(struct db *db, const struct config *config, struct clock_wall now, bool *notices,
                GError **error)
{
    struct watch_context context = {.db = db, .runs = db, .config = config, .at = now};
    bool over = false;
    *notices = false;
    if (!mute_is_over(db, now, &over, error)) {
        return false;
    }
    if (over) {
        g_autoptr(cJSON) data = cJSON_CreateObject();
        if (!watch_append(&context, "tick", data, error)) {
            return false;
        }
        *notices = context.notices;
    }
    return watch_debts_tell(db, config, now, notices, error);
}

static void free_pending(gpointer data)
{
    struct watch_pending *pending = data;
    g_free(pending->flow);
    g_free(pending);
}

GPtrArray *watch_pending(struct db *db, GError **error)
{
    g_autoptr(GPtrArray) flows = incident_rows_all_flows(db, error);
    GPtrArray *waiting = flows != NULL ? g_ptr_array_new_with_free_func(free_pending) : NULL;
    for (guint i = 0; flows != NULL && i < flows->len; i++) {
        const struct incident_flow *flow = flows->pdata[i];
        if (flow->confirm_due.us == 0) {
            continue;
        }
        struct watch_pending *pending = g_new0(struct watch_pending, 1);
        pending->flow = g_strdup(flow->flow);
        pending->due = flow->confirm_due;
        pending->attempt = flow->count;
        g_ptr_array_add(waiting, pending);
    }
    return waiting;
}

struct replay {
    struct watch_context context;
    watch_find_config find;
    void *user;
};

static bool replay_config(struct replay *replay, const cJSON *data, GError **error)
{
    const char *mark = json_text(data, "config");
    replay->context.config = replay->find(mark, replay->user);
    if (replay->context.config == NULL) {
        g_set_error(error, DB_ERROR, DB_ERROR_FAILED,
                    "the configuration %s, which event %" G_GINT64_FORMAT
                    " was applied with, is not at hand",
                    mark != NULL ? mark : "of then", replay->context.seq);
    }
    return replay->context.config != NULL;
}

// One event of the source, under its own number.
static bool replay_one(struct replay *replay, const struct db_rows *rows, GError **error)
{
    struct watch_context *context = &replay->context;
    const char *kind = db_rows_text(rows, 2);
    const char *text = db_rows_text(rows, 3);
    g_autoptr(cJSON) data = json_parse(text, strlen(text), error);
    context->seq = db_rows_integer(rows, 0);
    context->at.us = db_rows_integer(rows, 1);
    return data != NULL && replay_config(replay, data, error) &&
           db_run(context->db, error, "INSERT INTO event(seq, at, kind, data) VALUES(?, ?, ?, ?)",
                  "iiss", context->seq, context->at.us, kind, text) &&
           watch_apply(context, kind, data, error);
}

bool watch_replay(struct db *source, struct db *target, watch_find_config find, void *context,
                  GError **error)
{
    struct replay replay = {{.db = target, .runs = source}, find, context};
    bool good = true;
    g_autoptr(db_rows_t) rows =
        db_query(source, error, "SELECT seq, at, kind, data FROM event ORDER BY seq", "");
    if (rows == NULL || !db_begin(target, error)) {
        return false;
    }
    while (good && db_rows_next(rows, error)) {
        good = replay_one(&replay, rows, error);
    }
    if (!good || db_rows_failed(rows)) {
        db_rollback(target);
        return false;
    }
    return db_commit(target, error);
}
