// SPDX-License-Identifier: MIT
// The plain value that says how an incident changed: its words and its memory.
// Made by monitor/incident, read by route and notice.
#include "transition.h"

#include <string.h>

static const char *const kind_words[] = {
    [TRANSITION_OPENED] = "opened",
    [TRANSITION_CHANGED] = "changed",
    [TRANSITION_ACKNOWLEDGED] = "acknowledged",
    [TRANSITION_RECOVERED] = "recovered",
    [TRANSITION_WITHDRAWN] = "withdrawn",
};

const char *transition_kind_word(enum transition_kind kind)
{
    return (size_t)kind < G_N_ELEMENTS(kind_words) ? kind_words[kind] : NULL;
}

int transition_kind_of(const char *word)
{
    for (size_t i = 0; word != NULL && i < G_N_ELEMENTS(kind_words); i++) {
        if (strcmp(word, kind_words[i]) == 0)
            return (int)i;
    }
    return -1;
}

static void flow_free(void *data)
{
    struct transition_flow *flow = data;

    g_free(flow->flow);
    g_free(flow);
}

struct transition *transition_new(enum transition_kind kind, const char *incident)
{
    struct transition *transition = g_new0(struct transition, 1);

    transition->kind = kind;
    transition->incident = g_strdup(incident);
    transition->number = 1;
    transition->flows = g_ptr_array_new_with_free_func(flow_free);
    transition->told = g_ptr_array_new_with_free_func(g_free);
    return transition;
}

void transition_free(struct transition *transition)
{
    if (transition == NULL)
        return;
    g_free(transition->incident);
    g_free(transition->system);
    g_free(transition->run);
    g_free(transition->by);
    g_free(transition->note);
    g_ptr_array_unref(transition->flows);
    g_ptr_array_unref(transition->told);
    g_free(transition);
}
