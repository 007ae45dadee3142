// SPDX-License-Identifier: MIT
// When flows fail, and what of it somebody is told (failure-semantics 15 to 20).
// Pure: the same states and events give the same states and transitions; time is
// the event's. Comes after run_result, before route; watch loads and stores.
#ifndef MONITOR_INCIDENT_H
#define MONITOR_INCIDENT_H

#include "../alerts/transition.h"

#include <stdint.h>

enum incident_kind {
    INCIDENT_OK,
    INCIDENT_SUSPECT,
    INCIDENT_FAILING,
    INCIDENT_RECOVERING,
};

// Where one flow stands. A flow that is ok needs no more than its name.
struct incident_flow {
    char *flow, *system; // ids; the system is the one that failed last
    enum incident_kind kind;
    int count;         // n of suspect(n) and recovering(n)
    char *incident;    // the one it belongs to, or NULL
    char *fingerprint; // of its last failing run
    int same;          // failing runs in a row with that
    struct clock_wall first_failed, last_failed, last_good;
    int runs_failed;
    struct clock_wall confirm_due; // of the next confirming run; us 0 for none
    int64_t first_seq;             // the event that made it suspect
};

enum { INCIDENT_KINDS_OF_NOTICE = TRANSITION_WITHDRAWN + 1 };

struct incident {
    char *id, *system;                // the system that fails at present
    char *fingerprint;                // the current one
    char *run;                        // the run that opened it
    char *last_run;                   // the last one that told us something
    struct clock_wall opened, closed; // closed: us 0 while it lasts
    bool withdrawn;                   // how it ended
    bool first_seen;
    int64_t first_seq, open_seq;
    GPtrArray *flows;                      // of struct transition_flow, as they joined
    GPtrArray *fingerprints;               // of char *: told already
    GPtrArray *told;                       // of char *: contacts that got the opening
    int numbers[INCIDENT_KINDS_OF_NOTICE]; // of transitions of each kind
    struct clock_wall acknowledged;        // us 0 where it is not
    char *by, *note;
    bool opening_told;                   // the opening went out, or waits for company
    bool held[INCIDENT_KINDS_OF_NOTICE]; // by a mute
    struct clock_wall group_until;       // until then the opening waits for company
};

enum incident_event_kind { INCIDENT_RESULT, INCIDENT_ACKNOWLEDGE, INCIDENT_WITHDRAW };
enum incident_outcome { INCIDENT_GOOD, INCIDENT_FAILED, INCIDENT_UNKNOWN };

// What happened. Borrowed texts.
struct incident_event {
    enum incident_event_kind kind;
    int64_t seq;
    struct clock_wall at;
    // of a result
    const char *run, *fingerprint;
    const char *system; // that failed
    enum incident_outcome outcome;
    struct clock_wall started, last_good;
    int confirm_runs, recover;
    int64_t confirm_after_ms;
    struct clock_wall held_until; // the system is left alone until then; us 0 otherwise
    bool first_seen;
    // of an acknowledgement
    const char *by, *note;
};

// What an event is about. Of a result: the flow, its incident (or NULL), and the oldest
// open incident of its system with the event's fingerprint as its current one (or NULL).
// Of an acknowledgement: the incident alone. Of a withdrawal: the flow and its incident.
struct incident_case {
    struct incident_flow *flow;
    struct incident *incident;  // also the one that was opened or joined
    struct incident *candidate; // moved to `incident` where the flow joins it
    bool opened, joined;
};

// Applies an event: changes the case's states in place and appends what happened to
// `transitions` (of struct transition; the caller frees them).
void incident_apply(struct incident_case *state, const struct incident_event *event,
                    GPtrArray *transitions);

// What becomes of a transition's notices.
enum incident_fate {
    INCIDENT_FATE_TELL,
    INCIDENT_FATE_OPEN, // the opening goes out now: a mute held it until a flow joined
    INCIDENT_FATE_JOIN, // the opening still waits for company, and is written anew
    INCIDENT_FATE_HOLD, // until the mute ends
    INCIDENT_FATE_DROP, // nobody was told of the opening
};

// Decides that, and keeps in the incident what is held. `muted`: all its flows that
// matter are; `joined`: the transition is a flow's joining.
enum incident_fate incident_decide_fate(struct incident *incident, enum transition_kind kind,
                                        bool muted, bool joined, struct clock_wall now,
                                        int64_t group_ms);

// After a mute: what is told now, or NULL. The caller frees it.
struct transition *incident_unmute(struct incident *incident, struct clock_wall now);

// The incident as a transition of that kind, with its present number; `first` (may be
// NULL) names the flow that stands first. The caller frees it.
struct transition *incident_transition(const struct incident *incident, enum transition_kind kind,
                                       const char *first, struct clock_wall at);

// The words of the states: ok, suspect, failing, recovering; -1 for another word.
const char *incident_kind_word(enum incident_kind kind);
int incident_kind_of(const char *word);

// Constructors and frees; NULL is allowed in frees.
struct incident_flow *incident_flow_new(const char *flow, const char *system);
void incident_flow_free(struct incident_flow *flow);
struct incident *incident_new(const char *id, const char *system);
void incident_free(struct incident *incident);
struct transition_flow *incident_member_new(const char *flow);
struct transition_flow *incident_find_member(const struct incident *incident, const char *flow);

// Gives a member another name, in place of one that had it and is a member still.
void incident_rename_member(struct incident *incident, const char *from, const char *to);

typedef struct incident_flow incident_flow_t;
typedef struct incident incident_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(incident_flow_t, incident_flow_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(incident_t, incident_free)

#endif
