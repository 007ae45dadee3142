// SPDX-License-Identifier: MIT
// The SQL of incidents. What others select by is in columns; what only the state
// machine needs is one JSON document, in `state`.
#include "incident_rows.h"

#include "../base/json.h"

#include <string.h>

#define SELECT_FLOW                                                                                \
    "SELECT flow, system, state, count, incident, fingerprint, same, first_failed, last_failed,"   \
    " last_good, runs_failed, confirm_due, first_seq FROM flow_state "

// A damaged store may hold NULL where none was ever written.
static const char *text_of(const struct db_rows *rows, int column)
{
    const char *text = db_rows_text(rows, column);
    return text != NULL ? text : "";
}

static struct incident_flow *flow_of_row(const struct db_rows *rows)
{
    struct incident_flow *flow = incident_flow_new(text_of(rows, 0), db_rows_text(rows, 1));
    flow->kind = (enum incident_kind)MAX(incident_kind_of(db_rows_text(rows, 2)), 0);
    flow->count = (int)db_rows_integer(rows, 3);
    flow->incident = g_strdup(db_rows_text(rows, 4));
    flow->fingerprint = g_strdup(db_rows_text(rows, 5));
    flow->same = (int)db_rows_integer(rows, 6);
    flow->first_failed.us = db_rows_integer(rows, 7);
    flow->last_failed.us = db_rows_integer(rows, 8);
    flow->last_good.us = db_rows_integer(rows, 9);
    flow->runs_failed = (int)db_rows_integer(rows, 10);
    flow->confirm_due.us = db_rows_integer(rows, 11);
    flow->first_seq = db_rows_integer(rows, 12);
    return flow;
}

struct incident_flow *incident_rows_load_flow(struct db *db, const char *flow, const char *system,
                                              GError **error)
{
    g_autoptr(db_rows_t) rows = db_query(db, error, SELECT_FLOW "WHERE flow = ?", "s", flow);
    if (db_rows_next(rows, error)) {
        return flow_of_row(rows);
    }
    return db_rows_failed(rows) ? NULL : incident_flow_new(flow, system);
}

static void free_flow(gpointer data)
{
    incident_flow_free(data);
}

GPtrArray *incident_rows_all_flows(struct db *db, GError **error)
{
    g_autoptr(GPtrArray) flows = g_ptr_array_new_with_free_func(free_flow);
    g_autoptr(db_rows_t) rows = db_query(db, error, SELECT_FLOW "ORDER BY flow", "");
    while (db_rows_next(rows, error)) {
        g_ptr_array_add(flows, flow_of_row(rows));
    }
    return db_rows_failed(rows) ? NULL : g_steal_pointer(&flows);
}

bool incident_rows_forget_flow(struct db *db, const char *flow, GError **error)
{
    return db_run(db, error, "DELETE FROM flow_state WHERE flow = ?", "s", flow);
}

bool incident_rows_store_flow(struct db *db, const struct incident_flow *flow, GError **error)
{
    if (flow->kind == INCIDENT_OK) {
        return incident_rows_forget_flow(db, flow->flow, error);
    }
    return db_run(db, error,
                  "INSERT OR REPLACE INTO flow_state VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  "sssissiiiiiii", flow->flow, flow->system, incident_kind_word(flow->kind),
                  (int64_t)flow->count, flow->incident, flow->fingerprint, (int64_t)flow->same,
                  flow->first_failed.us, flow->last_failed.us, flow->last_good.us,
                  (int64_t)flow->runs_failed, flow->confirm_due.us, flow->first_seq);
}

static cJSON *texts_to_json(const GPtrArray *texts)
{
    cJSON *array = cJSON_CreateArray();
    for (guint i = 0; i < texts->len; i++) {
        cJSON_AddItemToArray(array, cJSON_CreateString(texts->pdata[i]));
    }
    return array;
}

static void texts_of_json(const cJSON *array, GPtrArray *texts)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, array)
    {
        if (cJSON_IsString(item)) {
            g_ptr_array_add(texts, g_strdup(item->valuestring));
        }
    }
}

// The numbers and holds of each kind of notice, under the kinds' words.
static void notices_to_json(cJSON *json, const struct incident *incident)
{
    cJSON *numbers = cJSON_AddObjectToObject(json, "numbers");
    cJSON *held = cJSON_AddArrayToObject(json, "held");
    for (int i = 0; i < INCIDENT_KINDS_OF_NOTICE; i++) {
        const char *word = transition_kind_word((enum transition_kind)i);
        if (incident->numbers[i] > 0) {
            json_add_integer(numbers, word, incident->numbers[i]);
        }
        if (incident->held[i]) {
            cJSON_AddItemToArray(held, cJSON_CreateString(word));
        }
    }
}

static void notices_of_json(const cJSON *json, struct incident *incident)
{
    const cJSON *item = NULL;
    for (int i = 0; i < INCIDENT_KINDS_OF_NOTICE; i++) {
        const char *word = transition_kind_word((enum transition_kind)i);
        incident->numbers[i] = (int)json_integer(json_member(json, "numbers"), word, 0);
    }
    cJSON_ArrayForEach(item, json_member(json, "held"))
    {
        int kind = cJSON_IsString(item) ? transition_kind_of(item->valuestring) : -1;
        if (kind >= 0) {
            incident->held[kind] = true;
        }
    }
}

static char *state_of(const struct incident *incident)
{
    g_autoptr(cJSON) json = cJSON_CreateObject();
    json_add_text(json, "last_run", incident->last_run);
    cJSON_AddBoolToObject(json, "withdrawn", incident->withdrawn);
    cJSON_AddBoolToObject(json, "first_seen", incident->first_seen);
    cJSON_AddBoolToObject(json, "opening_told", incident->opening_told);
    json_add_integer(json, "group_until", incident->group_until.us);
    json_add_integer(json, "acknowledged", incident->acknowledged.us);
    json_add_text(json, "by", incident->by);
    json_add_text(json, "note", incident->note);
    cJSON_AddItemToObject(json, "fingerprints", texts_to_json(incident->fingerprints));
    cJSON_AddItemToObject(json, "told", texts_to_json(incident->told));
    notices_to_json(json, incident);
    return json_print(json, false);
}

static void read_state(struct incident *incident, const char *text)
{
    g_autoptr(cJSON) json = json_parse(text, strlen(text), NULL);
    incident->last_run = g_strdup(json_text(json, "last_run"));
    incident->withdrawn = cJSON_IsTrue(json_member(json, "withdrawn"));
    incident->first_seen = cJSON_IsTrue(json_member(json, "first_seen"));
    incident->opening_told = cJSON_IsTrue(json_member(json, "opening_told"));
    incident->group_until.us = json_integer(json, "group_until", 0);
    incident->acknowledged.us = json_integer(json, "acknowledged", 0);
    incident->by = g_strdup(json_text(json, "by"));
    incident->note = g_strdup(json_text(json, "note"));
    texts_of_json(json_member(json, "fingerprints"), incident->fingerprints);
    texts_of_json(json_member(json, "told"), incident->told);
    notices_of_json(json, incident);
}

static bool is_held(const struct incident *incident)
{
    for (int i = 0; i < INCIDENT_KINDS_OF_NOTICE; i++) {
        if (incident->held[i]) {
            return true;
        }
    }
    return false;
}

bool incident_rows_store(struct db *db, const struct incident *incident, GError **error)
{
    g_autofree char *state = state_of(incident);
    if (!db_run(db, error, "INSERT OR REPLACE INTO incident VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                "ssssiiiiis", incident->id, incident->system, incident->fingerprint, incident->run,
                incident->opened.us, incident->closed.us, incident->first_seq, incident->open_seq,
                (int64_t)is_held(incident), state) ||
        !db_run(db, error, "DELETE FROM incident_flow WHERE incident = ?", "s", incident->id)) {
        return false;
    }
    for (guint i = 0; i < incident->flows->len; i++) {
        const struct transition_flow *member = incident->flows->pdata[i];
        if (!db_run(db, error, "INSERT INTO incident_flow VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
                    "sisiiiii", incident->id, (int64_t)i, member->flow, (int64_t)member->failing,
                    member->first_failed.us, member->last_failed.us, member->last_good.us,
                    (int64_t)member->runs_failed)) {
            return false;
        }
    }
    return true;
}

static bool load_members(struct db *db, struct incident *incident, GError **error)
{
    g_autoptr(db_rows_t) rows =
        db_query(db, error,
                 "SELECT flow, failing, first_failed, last_failed, last_good, runs_failed"
                 " FROM incident_flow WHERE incident = ? ORDER BY place",
                 "s", incident->id);
    while (db_rows_next(rows, error)) {
        struct transition_flow *member = incident_member_new(text_of(rows, 0));
        member->failing = db_rows_integer(rows, 1) != 0;
        member->first_failed.us = db_rows_integer(rows, 2);
        member->last_failed.us = db_rows_integer(rows, 3);
        member->last_good.us = db_rows_integer(rows, 4);
        member->runs_failed = (int)db_rows_integer(rows, 5);
        g_ptr_array_add(incident->flows, member);
    }
    return !db_rows_failed(rows);
}

struct incident *incident_rows_load(struct db *db, const char *id, GError **error)
{
    g_autoptr(db_rows_t) rows =
        db_query(db, error,
                 "SELECT system, fingerprint, run, opened, closed, first_seq, open_seq, state"
                 " FROM incident WHERE id = ?",
                 "s", id);
    if (!db_rows_next(rows, error)) {
        return NULL;
    }
    g_autoptr(incident_t) incident = incident_new(id, text_of(rows, 0));
    incident->fingerprint = g_strdup(text_of(rows, 1));
    incident->run = g_strdup(text_of(rows, 2));
    incident->opened.us = db_rows_integer(rows, 3);
    incident->closed.us = db_rows_integer(rows, 4);
    incident->first_seq = db_rows_integer(rows, 5);
    incident->open_seq = db_rows_integer(rows, 6);
    read_state(incident, text_of(rows, 7));
    return load_members(db, incident, error) ? g_steal_pointer(&incident) : NULL;
}

char *incident_rows_find_open(struct db *db, const char *system, const char *fingerprint,
                              GError **error)
{
    return db_take_text(
        db_query(db, error,
                 "SELECT id FROM incident WHERE closed = 0 AND system = ? AND fingerprint = ?"
                 " ORDER BY open_seq LIMIT 1",
                 "ss", system, fingerprint),
        error);
}

GPtrArray *incident_rows_held(struct db *db, GError **error)
{
    return db_take_texts(
        db_query(db, error, "SELECT id FROM incident WHERE held = 1 ORDER BY open_seq", ""), error);
}
