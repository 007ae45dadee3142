// SPDX-License-Identifier: MIT
// Incidents as JSON documents, for `incidents`, `incident ID` and `status`. Comes
// after watch, which wrote all of it.
#include "report.h"

#include "../alerts/outbox.h"
#include "incident_rows.h"
#include "store_runs.h"

#include <string.h>

static const char *state_word(const struct incident *incident)
{
    if (incident->closed.us != 0) {
        return incident->withdrawn ? "withdrawn" : "recovered";
    }
    return incident->acknowledged.us != 0 ? "acknowledged" : "open";
}

static struct clock_wall first_failure(const struct incident *incident)
{
    struct clock_wall first = incident->opened;
    for (guint i = 0; i < incident->flows->len; i++) {
        const struct transition_flow *member = incident->flows->pdata[i];
        if (member->first_failed.us > 0 && member->first_failed.us < first.us) {
            first = member->first_failed;
        }
    }
    return first;
}

static void add_texts(cJSON *object, const char *key, const GPtrArray *texts)
{
    cJSON *array = cJSON_AddArrayToObject(object, key);
    for (guint i = 0; i < texts->len; i++) {
        cJSON_AddItemToArray(array, cJSON_CreateString(texts->pdata[i]));
    }
}

static void add_flows(cJSON *object, const struct incident *incident)
{
    cJSON *flows = cJSON_AddArrayToObject(object, "flows");
    for (guint i = 0; i < incident->flows->len; i++) {
        const struct transition_flow *member = incident->flows->pdata[i];
        cJSON_AddItemToArray(flows, cJSON_CreateString(member->flow));
    }
}

// The line of the run that opened it.
static void add_summary(struct db *db, cJSON *object, const struct incident *incident)
{
    g_autofree char *summary = db_take_text(
        db_query(db, NULL, "SELECT summary FROM run WHERE id = ?", "s", incident->run), NULL);
    json_add_text(object, "summary", summary);
}

static bool has_held(const struct incident *incident)
{
    for (int i = 0; i < INCIDENT_KINDS_OF_NOTICE; i++) {
        if (incident->held[i]) {
            return true;
        }
    }
    return false;
}

static cJSON *incident_to_json(struct db *db, const struct incident *incident,
                               struct clock_wall now)
{
    cJSON *object = cJSON_CreateObject();
    struct clock_wall end = incident->closed.us != 0 ? incident->closed : now;
    json_add_text(object, "incident", incident->id);
    json_add_text(object, "system", incident->system);
    json_add_text(object, "state", state_word(incident));
    json_add_time(object, "opened", incident->opened);
    json_add_time(object, "closed", incident->closed);
    json_add_integer(object, "duration_ms",
                     MAX(end.us - first_failure(incident).us, INT64_C(0)) / 1000);
    add_flows(object, incident);
    add_summary(db, object, incident);
    json_add_time(object, "acknowledged", incident->acknowledged);
    json_add_text(object, "by", incident->by);
    json_add_text(object, "note", incident->note);
    add_texts(object, "told", incident->told);
    cJSON_AddBoolToObject(object, "held", has_held(incident));
    return object;
}

static GPtrArray *list_ids(struct db *db, bool open_only, int limit, GError **error)
{
    return db_take_texts(db_query(db, error,
                                  "SELECT id FROM incident WHERE closed = 0 OR NOT ?1"
                                  " ORDER BY opened DESC, open_seq DESC LIMIT ?2",
                                  "ii", (int64_t)open_only, (int64_t)limit),
                         error);
}

cJSON *report_incidents(struct db *db, bool open_only, int limit, struct clock_wall now,
                        GError **error)
{
    g_autoptr(cJSON) array = cJSON_CreateArray();
    g_autoptr(GPtrArray) ids = list_ids(db, open_only, limit, error);
    for (guint i = 0; ids != NULL && i < ids->len; i++) {
        g_autoptr(incident_t) incident = incident_rows_load(db, ids->pdata[i], error);
        if (incident == NULL) {
            return NULL;
        }
        cJSON_AddItemToArray(array, incident_to_json(db, incident, now));
    }
    return ids != NULL ? g_steal_pointer(&array) : NULL;
}

static void add_members(cJSON *object, const struct incident *incident)
{
    cJSON *members = cJSON_AddArrayToObject(object, "members");
    for (guint i = 0; i < incident->flows->len; i++) {
        const struct transition_flow *member = incident->flows->pdata[i];
        cJSON *item = cJSON_CreateObject();
        json_add_text(item, "flow", member->flow);
        cJSON_AddBoolToObject(item, "failing", member->failing);
        json_add_time(item, "first_failed", member->first_failed);
        json_add_time(item, "last_failed", member->last_failed);
        json_add_time(item, "last_good", member->last_good);
        json_add_integer(item, "runs_failed", member->runs_failed);
        cJSON_AddItemToArray(members, item);
    }
}

static bool add_decisions(struct db *db, cJSON *object, const char *id, GError **error)
{
    cJSON *decisions = cJSON_AddArrayToObject(object, "decisions");
    g_autoptr(db_rows_t) rows = db_query(
        db, error, "SELECT at, kind, text FROM decision WHERE incident = ? ORDER BY seq", "s", id);
    while (db_rows_next(rows, error)) {
        cJSON *item = cJSON_CreateObject();
        json_add_time(item, "at", (struct clock_wall){db_rows_integer(rows, 0)});
        json_add_text(item, "kind", db_rows_text(rows, 1));
        json_add_text(item, "text", db_rows_text(rows, 2));
        cJSON_AddItemToArray(decisions, item);
    }
    return !db_rows_failed(rows);
}

static void add_evidence(struct db *db, cJSON *object, const char *key, const char *run)
{
    g_autofree char *text = run != NULL ? store_runs_result(db, run, NULL) : NULL;
    cJSON *evidence = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
    cJSON_AddItemToObject(object, key, evidence != NULL ? evidence : cJSON_CreateNull());
}

cJSON *report_incident(struct db *db, const char *id, struct clock_wall now, GError **error)
{
    g_autoptr(incident_t) incident = incident_rows_load(db, id, error);
    if (incident == NULL) {
        return NULL;
    }
    g_autoptr(cJSON) object = incident_to_json(db, incident, now);
    add_members(object, incident);
    cJSON *notices = outbox_of_incident(db, id, error);
    if (notices == NULL || !add_decisions(db, object, id, error)) {
        cJSON_Delete(notices);
        return NULL;
    }
    cJSON_AddItemToObject(object, "notices", notices);
    bool same = g_strcmp0(incident->run, incident->last_run) == 0;
    add_evidence(db, object, "evidence", incident->run);
    add_evidence(db, object, "last_evidence", same ? NULL : incident->last_run);
    return g_steal_pointer(&object);
}
