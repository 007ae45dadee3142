// SPDX-License-Identifier: MIT
// One event of the table, applied: loads the rows that it concerns, lets the state
// machine decide, stores them, has the transitions told. All that it needs is in
// the event and in rows that came from events, so that a replay ends the same.
#include "watch_apply.h"

#include "store_runs.h"

#include <string.h>

enum { MARK_LENGTH = 16 };

static void free_case(struct incident_case *state)
{
    incident_flow_free(state->flow);
    incident_free(state->incident);
    incident_free(state->candidate);
}

static void free_transition(gpointer data)
{
    transition_free(data);
}

static struct clock_wall time_of(const cJSON *data, const char *key)
{
    return (struct clock_wall){json_integer(data, key, 0)};
}

// A failure that does not say of what is out of a damaged store: it counts nowhere.
static enum incident_outcome outcome_of(const cJSON *data)
{
    const char *word = json_text(data, "outcome");
    if (g_strcmp0(word, "good") == 0) {
        return INCIDENT_GOOD;
    }
    bool failed = g_strcmp0(word, "failed") == 0 && json_text(data, "flow") != NULL &&
                  json_text(data, "run") != NULL && json_text(data, "fingerprint") != NULL;
    return failed ? INCIDENT_FAILED : INCIDENT_UNKNOWN;
}

static struct incident_event result_of(const struct watch_context *context, const cJSON *data)
{
    return (struct incident_event){
        .kind = INCIDENT_RESULT,
        .seq = context->seq,
        .at = context->at,
        .run = json_text(data, "run"),
        .fingerprint = json_text(data, "fingerprint"),
        .system = json_text(data, "system"),
        .outcome = outcome_of(data),
        .started = time_of(data, "started"),
        .last_good = time_of(data, "last_good"),
        .confirm_runs = (int)json_integer(data, "confirm", 1),
        .recover = (int)json_integer(data, "recover", 1),
        .confirm_after_ms = json_integer(data, "after_ms", 0),
        .held_until = time_of(data, "held_until"),
        .first_seen = cJSON_IsTrue(json_member(data, "new")),
    };
}

static bool load_incident(struct watch_context *context, const char *id, struct incident **incident,
                          GError **error)
{
    GError *problem = NULL;
    *incident = incident_rows_load(context->db, id, &problem);
    if (*incident != NULL) {
        return true;
    }
    if (problem == NULL) {
        problem = g_error_new(DB_ERROR, DB_ERROR_FAILED, "the store has no incident %s", id);
    }
    g_propagate_error(error, problem);
    return false;
}

// Rows out of a damaged store may not agree: a flow whose incident is gone begins anew, one
// that its incident does not know is its member again.
static void reconcile(struct incident_case *state)
{
    struct incident_flow *flow = state->flow;
    bool is_member = flow->kind == INCIDENT_FAILING || flow->kind == INCIDENT_RECOVERING;
    if (is_member != (state->incident != NULL)) {
        g_clear_pointer(&state->incident, incident_free);
        state->flow = incident_flow_new(flow->flow, flow->system);
        incident_flow_free(flow);
    } else if (is_member && incident_find_member(state->incident, flow->flow) == NULL) {
        g_ptr_array_add(state->incident->flows, incident_member_new(flow->flow));
    }
}

// The flow's incident, or the one that it may join.
static bool load_case(struct watch_context *context, const struct incident_event *event,
                      const cJSON *data, struct incident_case *state, GError **error)
{
    GError *problem = NULL;
    const char *system = json_text(data, "system");
    state->flow = incident_rows_load_flow(context->db, json_text(data, "flow"), system, error);
    if (state->flow == NULL) {
        return false;
    }
    if (state->flow->incident != NULL) {
        state->incident = incident_rows_load(context->db, state->flow->incident, &problem);
    }
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    reconcile(state);
    if (state->incident != NULL) {
        return true;
    }
    if (event->kind != INCIDENT_RESULT || event->outcome != INCIDENT_FAILED) {
        return true;
    }
    g_autofree char *id =
        incident_rows_find_open(context->db, system, event->fingerprint, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    return id == NULL || load_incident(context, id, &state->candidate, error);
}

// What the state machine did, in words.
static bool explain(struct watch_context *context, const struct incident_case *state,
                    const struct transition *transition, GError **error)
{
    const char *id = state->incident->id;
    const struct transition_flow *leader = transition->flows->pdata[0];
    switch (transition->kind) {
    case TRANSITION_OPENED:
        return watch_decide(context, id, error, "opened", "%s failed %d runs in a row (run %s)",
                            leader->flow, leader->runs_failed, transition->run);
    case TRANSITION_CHANGED:
        return state->joined
                   ? watch_decide(context, id, error, "joined",
                                  "%s fails for the same cause (run %s)", leader->flow,
                                  transition->run)
                   : watch_decide(context, id, error, "changed", "%s fails otherwise now (run %s)",
                                  leader->flow, transition->run);
    case TRANSITION_ACKNOWLEDGED:
        return watch_decide(context, id, error, "acknowledged", "acknowledged by %s%s%s",
                            transition->by != NULL ? transition->by : "somebody",
                            transition->note != NULL ? ": " : "",
                            transition->note != NULL ? transition->note : "");
    case TRANSITION_RECOVERED:
        return watch_decide(context, id, error, "recovered", "all flows work again (run %s)",
                            transition->run);
    case TRANSITION_WITHDRAWN:
    default:
        return watch_decide(context, id, error, "withdrawn",
                            "%s is not in the configuration any more", leader->flow);
    }
}

// A member that left without ending the incident leaves a word.
static bool explain_leaving(struct watch_context *context, const struct incident_case *state,
                            bool was_member, const GPtrArray *transitions, GError **error)
{
    if (!was_member || transitions->len > 0 || state->flow->incident != NULL) {
        return true;
    }
    return watch_decide(context, state->incident->id, error, "left",
                        "%s works again, others do not yet", state->flow->flow);
}

static bool tell_all(struct watch_context *context, struct incident_case *state,
                     const GPtrArray *transitions, int64_t group_ms, GError **error)
{
    for (guint i = 0; i < transitions->len; i++) {
        const struct transition *transition = transitions->pdata[i];
        const char *joined = state->joined ? state->flow->flow : NULL;
        if (!explain(context, state, transition, error) ||
            !watch_tell(context, state->incident, transition, joined, group_ms, error)) {
            return false;
        }
    }
    return true;
}

static bool apply_to_flow(struct watch_context *context, const struct incident_event *event,
                          const cJSON *data, struct incident_case *state, GError **error)
{
    g_autoptr(GPtrArray) transitions = g_ptr_array_new_with_free_func(free_transition);
    if (!load_case(context, event, data, state, error)) {
        return false;
    }
    bool was_member = state->flow->incident != NULL;
    incident_apply(state, event, transitions);
    return explain_leaving(context, state, was_member, transitions, error) &&
           tell_all(context, state, transitions, json_integer(data, "group_ms", 0), error) &&
           incident_rows_store_flow(context->db, state->flow, error) &&
           (state->incident == NULL || incident_rows_store(context->db, state->incident, error));
}

static bool apply_result(struct watch_context *context, const cJSON *data, GError **error)
{
    struct incident_event event = result_of(context, data);
    struct incident_case state = {0};
    context->begun = json_member(data, "begun");
    bool done = apply_to_flow(context, &event, data, &state, error);
    free_case(&state);
    return done;
}

static bool apply_acknowledge(struct watch_context *context, const cJSON *data, GError **error)
{
    g_autoptr(incident_t) incident = NULL;
    g_autoptr(GPtrArray) transitions = g_ptr_array_new_with_free_func(free_transition);
    if (!load_incident(context, json_text(data, "incident"), &incident, error)) {
        return false;
    }
    struct incident_event event = {.kind = INCIDENT_ACKNOWLEDGE,
                                   .seq = context->seq,
                                   .at = context->at,
                                   .by = json_text(data, "by"),
                                   .note = json_text(data, "note")};
    struct incident_case state = {.incident = incident};
    incident_apply(&state, &event, transitions);
    return tell_all(context, &state, transitions, 0, error) &&
           incident_rows_store(context->db, incident, error);
}

static bool apply_mute(struct watch_context *context, const cJSON *data, GError **error)
{
    return db_run(context->db, error,
                  "INSERT INTO mute(seq, kind, target, since, until, why, ended)"
                  " VALUES(?, ?, ?, ?, ?, ?, 0)",
                  "issiis", context->seq, json_text(data, "kind"), json_text(data, "target"),
                  context->at.us, json_integer(data, "until", 0), json_text(data, "why"));
}

static bool withdraw(struct watch_context *context, const char *flow, GError **error)
{
    struct incident_event event = {
        .kind = INCIDENT_WITHDRAW, .seq = context->seq, .at = context->at};
    g_autoptr(cJSON) data = cJSON_CreateObject();
    json_add_text(data, "flow", flow);
    struct incident_case state = {0};
    bool done = apply_to_flow(context, &event, data, &state, error);
    free_case(&state);
    return done;
}

static bool rename_member(struct watch_context *context, const char *id, const char *from,
                          const char *to, GError **error)
{
    g_autoptr(incident_t) incident = NULL;
    if (!load_incident(context, id, &incident, error)) {
        return false;
    }
    incident_rename_member(incident, from, to);
    return incident_rows_store(context->db, incident, error) &&
           watch_decide(context, id, error, "renamed", "%s is now called %s", from, to);
}

static bool rename_flow(struct watch_context *context, const char *from, const char *to,
                        GError **error)
{
    g_autoptr(incident_flow_t) flow = incident_rows_load_flow(context->db, from, NULL, error);
    if (flow == NULL || !incident_rows_forget_flow(context->db, from, error)) {
        return false;
    }
    g_free(flow->flow);
    flow->flow = g_strdup(to);
    return incident_rows_store_flow(context->db, flow, error) &&
           (flow->incident == NULL || rename_member(context, flow->incident, from, to, error)) &&
           store_runs_rename(context->db, from, to, error);
}

static bool apply_configuration(struct watch_context *context, const cJSON *data, GError **error)
{
    const cJSON *item = NULL;
    cJSON_ArrayForEach(item, json_member(data, "renamed"))
    {
        if (!rename_flow(context, json_text(item, "from"), json_text(item, "to"), error)) {
            return false;
        }
    }
    cJSON_ArrayForEach(item, json_member(data, "withdrawn"))
    {
        if (!withdraw(context, item->valuestring, error)) {
            return false;
        }
    }
    return true;
}

// Mutes that are over by now; then what they held.
static bool apply_tick(struct watch_context *context, const cJSON *data, GError **error)
{
    (void)data;
    if (!db_run(context->db, error, "UPDATE mute SET ended = until WHERE ended = 0 AND until <= ?",
                "i", context->at.us)) {
        return false;
    }
    g_autoptr(GPtrArray) held = incident_rows_held(context->db, error);
    for (guint i = 0; held != NULL && i < held->len; i++) {
        g_autoptr(incident_t) incident = NULL;
        if (!load_incident(context, held->pdata[i], &incident, error) ||
            !watch_tell_held(context, incident, error) ||
            !incident_rows_store(context->db, incident, error)) {
            return false;
        }
    }
    return held != NULL;
}

// A system's version became another one: known to the mails of incidents that open soon after.
static bool apply_version(struct watch_context *context, const cJSON *data, GError **error)
{
    return db_run(context->db, error,
                  "INSERT INTO version_change(seq, system, at, former, value)"
                  " VALUES(?, ?, ?, ?, ?)",
                  "isiss", context->seq, json_text(data, "system"), context->at.us,
                  json_text(data, "from"), json_text(data, "to"));
}

static const struct {
    const char *kind;
    bool (*apply)(struct watch_context *context, const cJSON *data, GError **error);
} kinds[] = {
    {"result", apply_result}, {"acknowledge", apply_acknowledge},
    {"mute", apply_mute},     {"configuration", apply_configuration},
    {"tick", apply_tick},     {"version", apply_version},
};

bool watch_apply(struct watch_context *context, const char *kind, const cJSON *data, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kind, kinds[i].kind) == 0) {
            return kinds[i].apply(context, data, error);
        }
    }
    g_set_error(error, DB_ERROR, DB_ERROR_FAILED, "the store has an event of an unknown kind, %s",
                kind);
    return false;
}

char *watch_config_mark(const struct config *config)
{
    return g_strndup(config->digest, MARK_LENGTH);
}

// Processes may have read the file at different times: each event names what it was applied with.
static void note_config(const struct watch_context *context, cJSON *data)
{
    g_autofree char *digest = watch_config_mark(context->config);
    cJSON_DeleteItemFromObjectCaseSensitive(data, "config");
    json_add_text(data, "config", digest);
}

bool watch_append(struct watch_context *context, const char *kind, cJSON *data, GError **error)
{
    note_config(context, data);
    g_autofree char *text = json_print(data, false);
    if (!db_run(context->db, error, "INSERT INTO event(at, kind, data) VALUES(?, ?, ?)", "iss",
                context->at.us, kind, text)) {
        return false;
    }
    context->seq = db_last_rowid(context->db);
    return watch_apply(context, kind, data, error);
}
