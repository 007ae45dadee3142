// SPDX-License-Identifier: MIT
// The state machine of flows and incidents: ok, suspect(n), failing, recovering(n),
// ok. Pure. A flow that becomes failing joins an open incident with the same
// fingerprint or opens one; what of that goes out is decided here too, as far as
// it depends on the incident and its mutes. Who gets it is route's.
#include "incident.h"

#include "../base/ids.h"

#include <string.h>

enum { ID_LENGTH = 10 };

static bool contains(const GPtrArray *texts, const char *text)
{
    for (guint i = 0; i < texts->len; i++) {
        if (strcmp(texts->pdata[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static void set_text(char **place, const char *text)
{
    char *copy = g_strdup(text);
    g_free(*place);
    *place = copy;
}

static bool is_failing(const struct incident *incident)
{
    for (guint i = 0; i < incident->flows->len; i++) {
        const struct transition_flow *member = incident->flows->pdata[i];
        if (member->failing) {
            return true;
        }
    }
    return false;
}

static void add_copy(GPtrArray *flows, const struct transition_flow *member)
{
    struct transition_flow *copy = incident_member_new(member->flow);
    char *name = copy->flow;
    *copy = *member;
    copy->flow = name;
    g_ptr_array_add(flows, copy);
}

static void add_members(struct transition *transition, const struct incident *incident,
                        const char *first)
{
    const struct transition_flow *leader =
        first != NULL ? incident_find_member(incident, first) : NULL;
    if (leader != NULL) {
        add_copy(transition->flows, leader);
    }
    for (guint i = 0; i < incident->flows->len; i++) {
        const struct transition_flow *member = incident->flows->pdata[i];
        if (member != leader) {
            add_copy(transition->flows, member);
        }
    }
}

struct transition *incident_transition(const struct incident *incident, enum transition_kind kind,
                                       const char *first, struct clock_wall at)
{
    struct transition *transition = transition_new(kind, incident->id);
    transition->number = MAX(incident->numbers[kind], 1);
    transition->at = at;
    set_text(&transition->system, incident->system);
    set_text(&transition->run, incident->last_run);
    transition->opened = incident->opened;
    transition->first_seen = incident->first_seen;
    if (kind == TRANSITION_ACKNOWLEDGED) {
        set_text(&transition->by, incident->by);
        set_text(&transition->note, incident->note);
    }
    add_members(transition, incident, first);
    for (guint i = 0; kind != TRANSITION_OPENED && i < incident->told->len; i++) {
        g_ptr_array_add(transition->told, g_strdup(incident->told->pdata[i]));
    }
    return transition;
}

static void emit(struct incident *incident, enum transition_kind kind, const char *first,
                 struct clock_wall at, GPtrArray *transitions)
{
    incident->numbers[kind]++;
    g_ptr_array_add(transitions, incident_transition(incident, kind, first, at));
}

// A flow that is ok again remembers nothing.
static void reset_flow(struct incident_flow *flow)
{
    flow->kind = INCIDENT_OK;
    flow->count = 0;
    flow->same = 0;
    flow->runs_failed = 0;
    flow->first_seq = 0;
    flow->first_failed = flow->last_failed = flow->confirm_due = (struct clock_wall){0};
    g_clear_pointer(&flow->incident, g_free);
    g_clear_pointer(&flow->fingerprint, g_free);
}

static void note_failure(struct incident_flow *flow, const struct incident_event *event)
{
    if (flow->kind == INCIDENT_OK) {
        flow->first_failed = event->started;
        flow->first_seq = event->seq;
        flow->last_good = event->last_good;
    }
    bool same = g_strcmp0(flow->fingerprint, event->fingerprint) == 0;
    flow->same = same ? flow->same + 1 : 1;
    flow->last_failed = event->started;
    flow->runs_failed++;
    flow->confirm_due = (struct clock_wall){0};
    set_text(&flow->fingerprint, event->fingerprint);
    if (event->system != NULL)
        set_text(&flow->system, event->system);
}

// What the incident says of the flow is what the flow says of itself.
static void update_member(struct incident *incident, const struct incident_flow *flow)
{
    struct transition_flow *member = incident_find_member(incident, flow->flow);
    if (member == NULL) {
        member = incident_member_new(flow->flow);
        g_ptr_array_add(incident->flows, member);
    }
    member->failing = true;
    member->first_failed = flow->first_failed;
    member->last_failed = flow->last_failed;
    member->last_good = flow->last_good;
    member->runs_failed = flow->runs_failed;
}

static void open_incident(struct incident_case *state, const struct incident_event *event)
{
    g_autofree char *id = ids_hash(ID_LENGTH, event->fingerprint, event->run, NULL);
    struct incident *incident = incident_new(id, state->flow->system);
    set_text(&incident->fingerprint, event->fingerprint);
    set_text(&incident->run, event->run);
    incident->opened = event->at;
    incident->open_seq = event->seq;
    incident->first_seq = state->flow->first_seq;
    incident->first_seen = event->first_seen;
    g_ptr_array_add(incident->fingerprints, g_strdup(event->fingerprint));
    state->incident = incident;
    state->opened = true;
}

static void join_incident(struct incident_case *state)
{
    state->incident = g_steal_pointer(&state->candidate);
    state->incident->first_seq = MIN(state->incident->first_seq, state->flow->first_seq);
    state->joined = true;
}

static void become_failing(struct incident_case *state, const struct incident_event *event,
                           GPtrArray *transitions)
{
    struct incident_flow *flow = state->flow;
    flow->kind = INCIDENT_FAILING;
    flow->count = 0;
    if (state->candidate != NULL) {
        join_incident(state);
    } else {
        open_incident(state, event);
    }
    set_text(&flow->incident, state->incident->id);
    set_text(&state->incident->last_run, event->run);
    update_member(state->incident, flow);
    emit(state->incident, state->joined ? TRANSITION_CHANGED : TRANSITION_OPENED, flow->flow,
         event->at, transitions);
}

// Another failure than before is told once it has lasted, and once only.
static void notice_change(struct incident_case *state, const struct incident_event *event,
                          GPtrArray *transitions)
{
    struct incident *incident = state->incident;
    if (state->flow->same < event->confirm_runs ||
        strcmp(incident->fingerprint, event->fingerprint) == 0) {
        return;
    }
    set_text(&incident->fingerprint, event->fingerprint);
    set_text(&incident->system, state->flow->system);
    if (contains(incident->fingerprints, event->fingerprint)) {
        return;
    }
    g_ptr_array_add(incident->fingerprints, g_strdup(event->fingerprint));
    set_text(&incident->last_run, event->run);
    incident->first_seen = event->first_seen;
    emit(incident, TRANSITION_CHANGED, state->flow->flow, event->at, transitions);
}

static void set_confirm_due(struct incident_flow *flow, const struct incident_event *event)
{
    flow->confirm_due.us = event->at.us + event->confirm_after_ms * 1000;
    // before that it would tell nothing
    flow->confirm_due.us = MAX(flow->confirm_due.us, event->held_until.us);
}

static void apply_failed(struct incident_case *state, const struct incident_event *event,
                         GPtrArray *transitions)
{
    struct incident_flow *flow = state->flow;
    note_failure(flow, event);
    if (flow->kind == INCIDENT_FAILING || flow->kind == INCIDENT_RECOVERING) {
        flow->kind = INCIDENT_FAILING;
        flow->count = 0;
        update_member(state->incident, flow);
        notice_change(state, event, transitions);
        return;
    }
    flow->kind = INCIDENT_SUSPECT;
    flow->count++;
    if (flow->count >= event->confirm_runs) {
        become_failing(state, event, transitions);
    } else {
        set_confirm_due(flow, event);
    }
}

// The flow leaves the incident, which ends with its last failing one.
static void leave_incident(struct incident_case *state, const struct incident_event *event,
                           enum transition_kind kind, GPtrArray *transitions)
{
    struct incident *incident = state->incident;
    incident_find_member(incident, state->flow->flow)->failing = false;
    bool ends = !is_failing(incident);
    if (ends) {
        incident->closed = event->at;
        incident->withdrawn = kind == TRANSITION_WITHDRAWN;
    }
    if (ends || kind == TRANSITION_WITHDRAWN) {
        emit(incident, kind, state->flow->flow, event->at, transitions);
    }
    reset_flow(state->flow);
}

static void apply_good(struct incident_case *state, const struct incident_event *event,
                       GPtrArray *transitions)
{
    struct incident_flow *flow = state->flow;
    if (flow->kind == INCIDENT_OK || flow->kind == INCIDENT_SUSPECT) {
        reset_flow(flow);
        return;
    }
    flow->count = flow->kind == INCIDENT_RECOVERING ? flow->count + 1 : 1;
    flow->kind = INCIDENT_RECOVERING;
    if (flow->count < event->recover) {
        return;
    }
    incident_find_member(state->incident, flow->flow)->last_good = event->started;
    set_text(&state->incident->last_run, event->run);
    leave_incident(state, event, TRANSITION_RECOVERED, transitions);
}

static void apply_result(struct incident_case *state, const struct incident_event *event,
                         GPtrArray *transitions)
{
    switch (event->outcome) {
    case INCIDENT_GOOD:
        apply_good(state, event, transitions);
        break;
    case INCIDENT_FAILED:
        apply_failed(state, event, transitions);
        break;
    case INCIDENT_UNKNOWN:
        // It does not count, so what it should have confirmed is still to be confirmed.
        if (state->flow->kind == INCIDENT_SUSPECT) {
            set_confirm_due(state->flow, event);
        }
        break;
    }
}

static void acknowledge(struct incident *incident, const struct incident_event *event,
                        GPtrArray *transitions)
{
    incident->acknowledged = event->at;
    set_text(&incident->by, event->by);
    set_text(&incident->note, event->note);
    emit(incident, TRANSITION_ACKNOWLEDGED, NULL, event->at, transitions);
}

void incident_apply(struct incident_case *state, const struct incident_event *event,
                    GPtrArray *transitions)
{
    switch (event->kind) {
    case INCIDENT_RESULT:
        apply_result(state, event, transitions);
        break;
    case INCIDENT_ACKNOWLEDGE:
        acknowledge(state->incident, event, transitions);
        break;
    case INCIDENT_WITHDRAW:
        if (state->incident != NULL) {
            leave_incident(state, event, TRANSITION_WITHDRAWN, transitions);
        } else {
            reset_flow(state->flow);
        }
        break;
    }
}

static enum incident_fate open_fate(struct incident *incident, enum incident_fate fate,
                                    struct clock_wall now, int64_t group_ms)
{
    incident->opening_told = true;
    incident->held[TRANSITION_OPENED] = false;
    incident->group_until.us = now.us + group_ms * 1000;
    return fate;
}

static enum incident_fate hold(struct incident *incident, enum transition_kind kind)
{
    incident->held[kind] = true;
    return INCIDENT_FATE_HOLD;
}

// The fate where nobody was told of the opening yet.
static enum incident_fate untold_fate(struct incident *incident, enum transition_kind kind,
                                      bool muted, struct clock_wall now, int64_t group_ms)
{
    switch (kind) {
    case TRANSITION_OPENED:
        return muted ? hold(incident, kind)
                     : open_fate(incident, INCIDENT_FATE_TELL, now, group_ms);
    case TRANSITION_CHANGED:
        return muted ? INCIDENT_FATE_HOLD : open_fate(incident, INCIDENT_FATE_OPEN, now, group_ms);
    case TRANSITION_ACKNOWLEDGED:
    case TRANSITION_RECOVERED:
    case TRANSITION_WITHDRAWN:
    default:
        incident->held[TRANSITION_OPENED] &= incident->closed.us == 0;
        return INCIDENT_FATE_DROP;
    }
}

enum incident_fate incident_decide_fate(struct incident *incident, enum transition_kind kind,
                                        bool muted, bool joined, struct clock_wall now,
                                        int64_t group_ms)
{
    if (!incident->opening_told) {
        return untold_fate(incident, kind, muted, now, group_ms);
    }
    if (muted && kind != TRANSITION_ACKNOWLEDGED) {
        return hold(incident, kind);
    }
    if (joined && now.us < incident->group_until.us) {
        return INCIDENT_FATE_JOIN;
    }
    return INCIDENT_FATE_TELL;
}

// What was held and is still worth telling: the end of an incident outweighs its changes.
static bool take_held(struct incident *incident, enum transition_kind *kind)
{
    bool open = incident->closed.us == 0;
    enum transition_kind ending =
        open || incident->withdrawn ? TRANSITION_WITHDRAWN : TRANSITION_RECOVERED;
    bool found = incident->held[ending] || (open && incident->held[TRANSITION_CHANGED]);
    *kind = incident->held[ending] ? ending : TRANSITION_CHANGED;
    incident->held[TRANSITION_RECOVERED] = false;
    incident->held[TRANSITION_WITHDRAWN] = false;
    incident->held[TRANSITION_CHANGED] = false;
    return found;
}

struct transition *incident_unmute(struct incident *incident, struct clock_wall now)
{
    enum transition_kind kind = TRANSITION_OPENED;
    bool open = incident->closed.us == 0;
    if (incident->held[TRANSITION_OPENED] && !incident->opening_told && open) {
        (void)open_fate(incident, INCIDENT_FATE_TELL, now, 0);
        incident->held[TRANSITION_CHANGED] = false;
        return incident_transition(incident, TRANSITION_OPENED, NULL, now);
    }
    incident->held[TRANSITION_OPENED] = false;
    if (!incident->opening_told || !take_held(incident, &kind)) {
        return NULL;
    }
    return incident_transition(incident, kind, NULL, open ? now : incident->closed);
}
