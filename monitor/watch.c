// SPDX-License-Identifier: MIT
// A run's end: stored, made an event where it may matter to incidents, applied, all
// in the caller's transaction. A good run of a flow that is well costs two rows and
// no event: it changes nothing, whoever replays it. Comes after flow_run, before
// deliver.
#include "watch.h"

#include "../alerts/evidence.h"
#include "../alerts/outbox.h"
#include "store_runs.h"
#include "watch_apply.h"
#include "watch_summary.h"

#include <string.h>

enum { DEFAULT_CONFIRM = 2, EVIDENCE_EVERY = 12 };

struct watch_event *watch_event_new(const struct run_result *result, const struct redact *redact,
                                    bool with_json)
{
    struct watch_event *event = g_new0(struct watch_event, 1);
    event->run = g_strdup(result->run);
    event->flow = g_strdup(result->flow);
    event->system = g_strdup(result->system);
    event->failed_system = g_strdup(result->failed_system);
    event->state = result->state;
    event->started = result->started;
    event->ended = result->ended;
    event->held_until = result->held_until;
    event->duration_us = (int64_t)(result->duration_ms * 1000);
    event->fingerprint = g_strdup(result->fingerprint);
    event->counts = true;
    event->groups = true;
    if (with_json || result->state != VERDICT_OK) {
        event->json = run_result_to_json(result, redact, true);
    }
    return event;
}

void watch_event_free(struct watch_event *event)
{
    if (event == NULL) {
        return;
    }
    g_free(event->run);
    g_free(event->flow);
    g_free(event->system);
    g_free(event->failed_system);
    g_free(event->fingerprint);
    cJSON_Delete(event->json);
    g_free(event);
}

static bool is_good(const struct watch_event *event)
{
    return event->state == VERDICT_OK || event->state == VERDICT_SLOW;
}

// What failed may be another system than the flow's own.
static const char *system_of(const struct watch_event *event)
{
    return event->failed_system != NULL ? event->failed_system : event->system;
}

static const char *outcome_word(const struct watch_event *event)
{
    if (is_good(event)) {
        return "good";
    }
    return event->state == VERDICT_FAILED ? "failed" : "unknown";
}

// Whether the opening of the incident that the flow may join is on its way depends on when
// others deliver: what was found here is kept, so that a replay need not ask.
static bool add_begun(struct db *db, const struct incident_flow *flow,
                      const struct watch_event *event, cJSON *data, GError **error)
{
    GError *problem = NULL;
    if (event->state != VERDICT_FAILED || flow->incident != NULL) {
        return true;
    }
    g_autofree char *open =
        incident_rows_find_open(db, system_of(event), event->fingerprint, &problem);
    g_autoptr(GPtrArray) begun = open != NULL ? outbox_begun(db, open, &problem) : NULL;
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    if (begun != NULL && begun->len > 0) {
        cJSON *contacts = cJSON_AddArrayToObject(data, "begun");
        for (guint i = 0; i < begun->len; i++) {
            cJSON_AddItemToArray(contacts, cJSON_CreateString(begun->pdata[i]));
        }
    }
    return true;
}

// The event's data: all that the state machine will ever need of this run.
static cJSON *event_data(const struct watch_event *event, const struct config *config,
                         struct clock_wall last_good, bool is_new)
{
    const struct config_flow *flow = config_find_flow(config, event->flow);
    cJSON *data = cJSON_CreateObject();
    json_add_text(data, "flow", event->flow);
    json_add_text(data, "system", system_of(event));
    json_add_text(data, "run", event->run);
    json_add_text(data, "outcome", outcome_word(event));
    json_add_integer(data, "started", event->started.us);
    if (event->state == VERDICT_FAILED) {
        json_add_text(data, "fingerprint", event->fingerprint ? event->fingerprint : "");
        json_add_integer(data, "last_good", last_good.us);
        cJSON_AddBoolToObject(data, "new", is_new);
    }
    json_add_integer(data, "confirm", flow != NULL ? flow->confirm_runs : DEFAULT_CONFIRM);
    json_add_integer(data, "after_ms", flow != NULL ? flow->confirm_after_ms : 0);
    if (event->held_until.us)
        json_add_integer(data, "held_until", event->held_until.us);
    json_add_integer(data, "recover", flow != NULL ? flow->recover : 1);
    json_add_integer(data, "group_ms", flow != NULL && event->groups ? flow->group_ms : 0);
    return data;
}

// How much of a run is kept.
enum keeping { KEEP_TIME, KEEP_RESULT, KEEP_ALL };

// A failure that goes on as it did tells nothing new: its exchanges are kept now and
// then. None of the others can be the run that a mail is about.
static enum keeping keeping_of(const struct incident_flow *flow, const struct watch_event *event,
                               const struct config *config)
{
    const struct config_flow *known = config_find_flow(config, event->flow);
    bool goes_on = flow->kind == INCIDENT_FAILING && event->state == VERDICT_FAILED &&
                   g_strcmp0(flow->fingerprint, event->fingerprint) == 0 && known != NULL &&
                   flow->same >= known->confirm_runs;
    return goes_on && flow->runs_failed % EVIDENCE_EVERY != 0 ? KEEP_RESULT : KEEP_ALL;
}

static bool keep_run(struct db *db, const struct watch_event *event, enum keeping keeping,
                     struct watch_answer *answer, GError **error)
{
    const cJSON *json = event->json;
    bool remarkable = keeping != KEEP_TIME;
    g_autofree char *summary = json != NULL ? watch_summary_line(json) : NULL;
    bool whole = remarkable && json != NULL;
    g_autofree char *result = whole ? watch_summary_strip(json) : NULL;
    g_autofree char *evidence = whole && keeping == KEEP_ALL ? json_print(json, false) : NULL;
    struct store_run run = {
        .run = event->run,
        .flow = event->flow,
        .system = event->system,
        .state = verdict_state_word(event->state),
        .started = event->started,
        .ended = event->ended,
        .duration_us = event->duration_us,
        .counted = event->counts,
        .fingerprint = event->fingerprint,
        .summary = event->state == VERDICT_OK ? NULL : summary,
        .result = result,
        .evidence = evidence,
    };
    return store_runs_add(db, &run, remarkable, &answer->wants_json, error);
}

// Of a good answer only the shape is kept, to compare a failing one with.
static bool keep_good(struct db *db, const struct watch_event *event, GError **error)
{
    if (event->json == NULL || event->state != VERDICT_OK) {
        return true;
    }
    g_autoptr(cJSON) shape = evidence_reduce(event->json, CONFIG_EVIDENCE_SHAPE);
    g_autofree char *text = shape != NULL ? json_print(shape, false) : NULL;
    return text == NULL || store_runs_keep_good(db, event->flow, text, event->ended, error);
}

static bool see_text(struct db *db, const struct watch_event *event, bool *is_new, GError **error)
{
    *is_new = false;
    if (event->json == NULL || event->state != VERDICT_FAILED) {
        return true;
    }
    g_autofree char *text = watch_summary_text(event->json);
    return store_runs_see_text(db, system_of(event), text, event->ended, is_new, error);
}

static bool append_result(struct db *db, const struct config *config,
                          const struct watch_event *event, const struct incident_flow *flow,
                          struct watch_answer *answer, GError **error)
{
    enum keeping keeping = keeping_of(flow, event, config);
    bool is_new = false;
    GError *problem = NULL;
    struct clock_wall last_good = store_runs_last_good(db, event->flow, &problem);
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    if (!see_text(db, event, &is_new, error) || !keep_run(db, event, keeping, answer, error)) {
        return false;
    }
    g_autoptr(cJSON) data = event_data(event, config, last_good, is_new);
    struct watch_context context = {.db = db, .runs = db, .config = config, .at = event->ended};
    if (!add_begun(db, flow, event, data, error) ||
        !watch_append(&context, "result", data, error)) {
        return false;
    }
    answer->notices = context.notices;
    return true;
}

static bool fill_answer(struct db *db, const struct watch_event *event, struct watch_answer *answer,
                        GError **error)
{
    g_autoptr(incident_flow_t) flow =
        incident_rows_load_flow(db, event->flow, event->system, error);
    if (flow == NULL) {
        return false;
    }
    answer->state = flow->kind;
    answer->count = flow->count;
    answer->confirm_due = flow->confirm_due;
    answer->attempt = flow->kind == INCIDENT_SUSPECT ? flow->count : 0;
    answer->wants_json |= flow->kind != INCIDENT_OK;
    return true;
}

// Stores a run that no incident can hear of.
static bool keep_quietly(struct db *db, const struct watch_event *event,
                         struct watch_answer *answer, GError **error)
{
    bool remarkable = event->state != VERDICT_OK || !event->counts;
    if (!keep_run(db, event, remarkable ? KEEP_ALL : KEEP_TIME, answer, error)) {
        return false;
    }
    answer->wants_json &= event->json == NULL || event->state != VERDICT_OK;
    return keep_good(db, event, error);
}

bool watch_result(struct db *db, const struct config *config, const struct watch_event *event,
                  struct watch_answer *answer, GError **error)
{
    GError *problem = NULL;
    *answer = (struct watch_answer){0};
    g_autoptr(incident_flow_t) flow =
        incident_rows_load_flow(db, event->flow, event->system, error);
    if (flow == NULL) {
        return false;
    }
    bool matters = event->counts && (event->state == VERDICT_FAILED || flow->kind != INCIDENT_OK);
    // A run that was stored before a kill and is reported again counts once.
    if ((matters || event->state != VERDICT_OK) && store_runs_has(db, event->run, &problem)) {
        return fill_answer(db, event, answer, error);
    }
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return false;
    }
    if (matters) {
        return append_result(db, config, event, flow, answer, error) &&
               fill_answer(db, event, answer, error);
    }
    return keep_quietly(db, event, answer, error) &&
           (flow->kind == INCIDENT_OK || fill_answer(db, event, answer, error));
}

bool watch_event_is_patient(const struct watch_event *event)
{
    return event->json == NULL || (event->was_well && event->state == VERDICT_OK);
}

struct submission {
    const struct config *config;
    struct watch_event *event;
    struct watch_answer answer;
    watch_done done;
    void *context;
};

static bool work(struct db *db, void *context, GError **error)
{
    struct submission *submission = context;
    return watch_result(db, submission->config, submission->event, &submission->answer, error);
}

static void on_done(const GError *error, void *context)
{
    struct submission *submission = context;
    if (submission->done != NULL) {
        submission->done(&submission->answer, error, submission->context);
    }
    watch_event_free(submission->event);
    g_free(submission);
}

void watch_submit(struct writer *writer, const struct config *config, struct watch_event *event,
                  watch_done done, void *context)
{
    struct submission *submission = g_new0(struct submission, 1);
    submission->config = config;
    submission->event = event;
    submission->done = done;
    submission->context = context;
    struct writer_job job = {.work = work,
                             .done = on_done,
                             .context = submission,
                             .patient = watch_event_is_patient(event)};
    writer_submit(writer, &job);
}
