// SPDX-License-Identifier: MIT
// From a transition to notices in the outbox, within the transaction of its event:
// mutes hold them, company shares them, and each decision is kept with the
// incident. Who gets them is route's, what becomes of them deliver's.
#include "watch_apply.h"

#include "../alerts/outbox.h"
#include "../alerts/route.h"
#include "store_runs.h"
#include "version_rows.h"

#include <string.h>

// A system whose version became another one so long before an incident may fail for that.
#define VERSION_NEWS_US (INT64_C(7) * 86400 * G_USEC_PER_SEC)

bool watch_decide(struct watch_context *context, const char *incident, GError **error,
                  const char *kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    return db_run(context->db, error,
                  "INSERT INTO decision(incident, event, at, kind, text) VALUES(?, ?, ?, ?, ?)",
                  "siiss", incident, context->seq, context->at.us, kind, text);
}

// True where a mute covers the flow, or its system, at the event's time.
static bool is_muted(struct watch_context *context, const char *flow, const char *system,
                     bool *muted, GError **error)
{
    return db_take_any(
        db_query(context->db, error,
                 "SELECT 1 FROM mute WHERE ended = 0 AND since <= ?1 AND until > ?1"
                 " AND ((kind = 'flow' AND target = ?2) OR (kind = 'system' AND target = ?3))",
                 "iss", context->at.us, flow, system),
        muted, error);
}

// An incident is muted where all of its flows are that still fail; at its end, all.
static bool is_incident_muted(struct watch_context *context, const struct incident *incident,
                              bool *muted, GError **error)
{
    bool ended = incident->closed.us != 0;
    *muted = true;
    for (guint i = 0; i < incident->flows->len && *muted; i++) {
        const struct transition_flow *member = incident->flows->pdata[i];
        if ((ended || member->failing) &&
            !is_muted(context, member->flow, incident->system, muted, error)) {
            return false;
        }
    }
    return true;
}

static bool is_told(const struct incident *incident, const char *contact)
{
    for (guint i = 0; i < incident->told->len; i++) {
        if (strcmp(incident->told->pdata[i], contact) == 0) {
            return true;
        }
    }
    return false;
}

static void add_last_good(struct watch_context *context, cJSON *result)
{
    const char *flow = json_text(result, "flow");
    g_autofree char *text = flow != NULL ? store_runs_good(context->runs, flow, NULL) : NULL;
    cJSON *good = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
    if (good != NULL) {
        cJSON_AddItemToObject(result, "last_good", good);
    }
}

// The run's document with its evidence; NULL where it is not kept (any more).
static cJSON *load_result(struct watch_context *context, const char *run, GError **error)
{
    g_autofree char *text = run != NULL ? store_runs_result(context->runs, run, error) : NULL;
    cJSON *result = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
    if (result != NULL) {
        add_last_good(context, result);
    }
    return result;
}

// The last change of the system's version, where it is news to the incident.
static bool add_version(struct watch_context *context, const struct transition *transition,
                        cJSON *result, GError **error)
{
    struct clock_wall after = {transition->opened.us - VERSION_NEWS_US};
    g_autoptr(cJSON) changes = cJSON_CreateArray();
    if (!version_rows_changes(context->db, transition->system, after, 1, changes, error)) {
        return false;
    }
    cJSON *change = cJSON_DetachItemFromArray(changes, 0);
    if (change != NULL) {
        cJSON_AddItemToObject(result, "version_change", change);
    }
    return true;
}

static GPtrArray *notices_of(struct watch_context *context, const struct transition *transition,
                             GError **error)
{
    GError *problem = NULL;
    g_autoptr(cJSON) result = load_result(context, transition->run, &problem);
    if (result != NULL && problem == NULL) {
        (void)add_version(context, transition, result, &problem);
    }
    if (problem != NULL) {
        g_propagate_error(error, problem);
        return NULL;
    }
    return route(transition, context->config, result);
}

static bool queue(struct watch_context *context, const struct notice *notice, int64_t due_us,
                  GString *names, GError **error)
{
    struct clock_wall due = {MAX(due_us, context->at.us)};
    context->notices = true;
    g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", notice->contact);
    return outbox_add(context->db, notice, context->at, due, error);
}

static bool keep_told(struct watch_context *context, const struct incident *incident,
                      const struct transition *transition, const char *names, GError **error)
{
    const char *word = transition_kind_word(transition->kind);
    if (names[0] == '\0') {
        return watch_decide(context, incident->id, error, "nobody",
                            "nobody is there to be told that it %s%s",
                            transition->kind == TRANSITION_CHANGED ? "has " : "was ", word);
    }
    return watch_decide(context, incident->id, error, "told", "%s: told %s", word, names);
}

// The opening, to those who have not got it; from then on they hear the rest.
static bool tell_opening(struct watch_context *context, struct incident *incident,
                         const struct transition *transition, int64_t due_us, GError **error)
{
    g_autoptr(GPtrArray) notices = notices_of(context, transition, error);
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; notices != NULL && i < notices->len; i++) {
        const struct notice *notice = notices->pdata[i];
        if (is_told(incident, notice->contact)) {
            continue;
        }
        if (!queue(context, notice, due_us, names, error)) {
            return false;
        }
        g_ptr_array_add(incident->told, g_strdup(notice->contact));
    }
    return notices != NULL && keep_told(context, incident, transition, names->str, error);
}

static bool tell_later(struct watch_context *context, struct incident *incident,
                       const struct transition *transition, GError **error)
{
    g_autoptr(GPtrArray) notices = notices_of(context, transition, error);
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; notices != NULL && i < notices->len; i++) {
        if (!queue(context, notices->pdata[i], context->at.us, names, error)) {
            return false;
        }
    }
    return notices != NULL && keep_told(context, incident, transition, names->str, error);
}

// The opening as it would be written now: all flows, the first one first.
static struct transition *opening_of(const struct incident *incident, struct clock_wall at)
{
    struct transition *opening = incident_transition(incident, TRANSITION_OPENED, NULL, at);
    g_free(opening->run);
    opening->run = g_strdup(incident->run);
    return opening;
}

// True where some contact of the flow's, of a failure at that system, is not yet told.
static bool has_new_contacts(struct watch_context *context, const struct incident *incident,
                             const char *flow)
{
    const struct config_flow *known = config_find_flow(context->config, flow);
    if (known == NULL) {
        return false;
    }
    g_autoptr(GPtrArray) contacts = route_contacts(known, incident->system, context->config);
    for (guint i = 0; i < contacts->len; i++) {
        if (!is_told(incident, contacts->pdata[i])) {
            return true;
        }
    }
    return false;
}

// A flow has joined after the opening went out, or another system fails now: those who got that
// hear of a change, further contacts of the flow at that system get the opening now.
static bool tell_change(struct watch_context *context, struct incident *incident,
                        const struct transition *transition, GError **error)
{
    const struct transition_flow *leader = transition->flows->pdata[0];
    if (!tell_later(context, incident, transition, error)) {
        return false;
    }
    if (!has_new_contacts(context, incident, leader->flow)) {
        return true;
    }
    g_autoptr(transition_t) opening =
        incident_transition(incident, TRANSITION_OPENED, leader->flow, context->at);
    return tell_opening(context, incident, opening, context->at.us, error);
}

// True where the opening to this contact was on its way when the event came.
static bool is_begun(const struct watch_context *context, const char *contact)
{
    const cJSON *begun = NULL;
    cJSON_ArrayForEach(begun, context->begun)
    {
        if (g_strcmp0(begun->valuestring, contact) == 0) {
            return true;
        }
    }
    return false;
}

// Writes the opening anew while it waits. `*begun` where it does not wait any more.
static bool rewrite_opening(struct watch_context *context, struct incident *incident, bool *begun,
                            GError **error)
{
    g_autoptr(transition_t) opening = opening_of(incident, incident->opened);
    g_autoptr(GPtrArray) notices = notices_of(context, opening, error);
    g_autoptr(GString) names = g_string_new(NULL);
    for (guint i = 0; notices != NULL && i < notices->len; i++) {
        const struct notice *notice = notices->pdata[i];
        if (is_begun(context, notice->contact)) {
            *begun = true;
        } else if (is_told(incident, notice->contact)) {
            if (!outbox_update(context->db, notice, error)) {
                return false;
            }
        } else if (queue(context, notice, incident->group_until.us, names, error)) {
            g_ptr_array_add(incident->told, g_strdup(notice->contact));
        } else {
            return false;
        }
    }
    return notices != NULL;
}

static bool tell_in_company(struct watch_context *context, struct incident *incident,
                            const struct transition *transition, const char *joined, GError **error)
{
    bool begun = false;
    if (!rewrite_opening(context, incident, &begun, error)) {
        return false;
    }
    if (begun) {
        return tell_later(context, incident, transition, error);
    }
    return watch_decide(context, incident->id, error, "grouped",
                        "%s joins while the opening waits for company: one mail", joined);
}

static bool tell_now(struct watch_context *context, struct incident *incident,
                     const struct transition *transition, GError **error)
{
    if (transition->kind == TRANSITION_OPENED) {
        return tell_opening(context, incident, transition, incident->group_until.us, error);
    }
    return transition->kind == TRANSITION_CHANGED
               ? tell_change(context, incident, transition, error)
               : tell_later(context, incident, transition, error);
}

static bool open_late(struct watch_context *context, struct incident *incident, GError **error)
{
    g_autoptr(transition_t) opening = opening_of(incident, context->at);
    return tell_opening(context, incident, opening, incident->group_until.us, error);
}

bool watch_tell(struct watch_context *context, struct incident *incident,
                const struct transition *transition, const char *joined, int64_t group_ms,
                GError **error)
{
    bool muted = false;
    const char *word = transition_kind_word(transition->kind);
    if (!is_incident_muted(context, incident, &muted, error)) {
        return false;
    }
    switch (incident_decide_fate(incident, transition->kind, muted, joined != NULL, context->at,
                                 group_ms)) {
    case INCIDENT_FATE_TELL:
        return tell_now(context, incident, transition, error);
    case INCIDENT_FATE_OPEN:
        return open_late(context, incident, error);
    case INCIDENT_FATE_JOIN:
        return tell_in_company(context, incident, transition, joined, error);
    case INCIDENT_FATE_HOLD:
        return watch_decide(context, incident->id, error, "muted",
                            "%s: held, because what fails is muted", word);
    case INCIDENT_FATE_DROP:
    default:
        return watch_decide(context, incident->id, error, "dropped",
                            "%s: nobody was told of the opening, so nobody is told of this", word);
    }
}

bool watch_tell_held(struct watch_context *context, struct incident *incident, GError **error)
{
    bool muted = false;
    if (!is_incident_muted(context, incident, &muted, error)) {
        return false;
    }
    if (muted) {
        return true;
    }
    g_autoptr(transition_t) transition = incident_unmute(incident, context->at);
    if (transition == NULL) {
        return watch_decide(context, incident->id, error, "unmuted",
                            "the mute has ended, and nothing is left to tell");
    }
    if (!watch_decide(context, incident->id, error, "unmuted", "the mute has ended")) {
        return false;
    }
    return tell_now(context, incident, transition, error);
}
