// SPDX-License-Identifier: MIT
// The memory and the words of incidents and flow states. What they do is in
// incident.c.
#include "incident.h"

#include <string.h>

static const char *const kind_words[] = {
    [INCIDENT_OK] = "ok",
    [INCIDENT_SUSPECT] = "suspect",
    [INCIDENT_FAILING] = "failing",
    [INCIDENT_RECOVERING] = "recovering",
};

const char *incident_kind_word(enum incident_kind kind)
{
    return kind_words[kind];
}

int incident_kind_of(const char *word)
{
    for (size_t i = 0; word != NULL && i < G_N_ELEMENTS(kind_words); i++) {
        if (strcmp(word, kind_words[i]) == 0) {
            return (int)i;
        }
    }
    return -1;
}

struct incident_flow *incident_flow_new(const char *flow, const char *system)
{
    struct incident_flow *state = g_new0(struct incident_flow, 1);
    state->flow = g_strdup(flow);
    state->system = g_strdup(system);
    return state;
}

void incident_flow_free(struct incident_flow *flow)
{
    if (flow == NULL) {
        return;
    }
    g_free(flow->flow);
    g_free(flow->system);
    g_free(flow->incident);
    g_free(flow->fingerprint);
    g_free(flow);
}

struct transition_flow *incident_member_new(const char *flow)
{
    struct transition_flow *member = g_new0(struct transition_flow, 1);
    member->flow = g_strdup(flow);
    return member;
}

static void free_member(gpointer data)
{
    struct transition_flow *member = data;
    g_free(member->flow);
    g_free(member);
}

struct transition_flow *incident_find_member(const struct incident *incident, const char *flow)
{
    for (guint i = 0; i < incident->flows->len; i++) {
        struct transition_flow *member = incident->flows->pdata[i];
        if (strcmp(member->flow, flow) == 0) {
            return member;
        }
    }
    return NULL;
}

void incident_rename_member(struct incident *incident, const char *from, const char *to)
{
    struct transition_flow *member = incident_find_member(incident, from);
    struct transition_flow *former = incident_find_member(incident, to);
    if (member == NULL) {
        return;
    }
    if (former != NULL) {
        g_ptr_array_remove(incident->flows, former);
    }
    g_free(member->flow);
    member->flow = g_strdup(to);
}

struct incident *incident_new(const char *id, const char *system)
{
    struct incident *incident = g_new0(struct incident, 1);
    incident->id = g_strdup(id);
    incident->system = g_strdup(system);
    incident->flows = g_ptr_array_new_with_free_func(free_member);
    incident->fingerprints = g_ptr_array_new_with_free_func(g_free);
    incident->told = g_ptr_array_new_with_free_func(g_free);
    return incident;
}

void incident_free(struct incident *incident)
{
    if (incident == NULL) {
        return;
    }
    g_free(incident->id);
    g_free(incident->system);
    g_free(incident->fingerprint);
    g_free(incident->run);
    g_free(incident->last_run);
    g_free(incident->by);
    g_free(incident->note);
    g_ptr_array_unref(incident->flows);
    g_ptr_array_unref(incident->fingerprints);
    g_ptr_array_unref(incident->told);
    g_free(incident);
}
