// SPDX-License-Identifier: MIT
// A change in the life of an incident that somebody may have to be told. Made
// by monitor/incident, read by route: it stands here because alerts/ may not
// include monitor/.
#ifndef ALERTS_TRANSITION_H
#define ALERTS_TRANSITION_H

#include "../base/clock.h"

#include <glib.h>
#include <stdbool.h>

enum transition_kind {
    TRANSITION_OPENED,
    TRANSITION_CHANGED, // another code, or more flows
    TRANSITION_ACKNOWLEDGED,
    TRANSITION_RECOVERED,
    TRANSITION_WITHDRAWN, // its flows are no longer in the configuration
};

// A flow that belongs to the incident.
struct transition_flow {
    char *flow;                     // id
    bool failing;                   // still
    struct clock_wall first_failed; // start of its first failing run
    struct clock_wall last_failed;
    struct clock_wall last_good; // us 0 where none is known
    int runs_failed;
};

struct transition {
    enum transition_kind kind;
    char *incident; // id
    int number;     // of this kind in the incident, from 1
    struct clock_wall at;
    char *system; // id
    char *run;    // the run that decided it; its result goes into the mail
    struct clock_wall opened;
    bool first_seen;  // this failure text was never seen before on the system
    char *by, *note;  // of an acknowledgement, or NULL
    GPtrArray *flows; // of struct transition_flow: the deciding one first
    GPtrArray *told;  // of char *: contact ids that got the opening; empty for OPENED
};

// The word in ids, the store and headers: "opened", …
const char *transition_kind_word(enum transition_kind kind);

// The kind with this word, or -1.
int transition_kind_of(const char *word);

// The first of its kind in an incident, with empty lists. The caller frees it.
struct transition *transition_new(enum transition_kind kind, const char *incident);

// Frees it and its lists; NULL is allowed.
void transition_free(struct transition *transition);

typedef struct transition transition_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(transition_t, transition_free)

#endif
