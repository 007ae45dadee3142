// SPDX-License-Identifier: MIT
// A debt: an undo that is owed, as the ledger keeps it (failure-semantics
// section 1), and the ledger as flows see it.
#ifndef PROBES_FLOW_DEBT_H
#define PROBES_FLOW_DEBT_H

#include "../base/clock.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

// One debt: an undo that a request has made owed (failure-semantics 1).
struct flow_debt {
    char *id; // hash of run, step and attempt
    char *run, *flow, *system, *step;
    int attempt;
    struct clock_wall sent_at;
    int64_t timeout_ms; // of the step: "absent" waits for twice that
    char *undo;         // undo_parse reads it
    char *origin, *url; // of the system, frozen
    char *digest;       // of the system's url and with
    cJSON *values;      // what is known, secrets left out
    char *state;        // owed, paid, void, uncertain, orphaned, given_up
    char *problem;      // or NULL
};

// Frees it and what it owns; NULL is allowed.
void flow_debt_free(struct flow_debt *debt);

// The durable ledger as a flow sees it. `owe` and `update` commit before they
// call back, on the loop; false: it could not be committed.
typedef void (*flow_ledger_done)(bool durable, void *context);
struct flow_ledger {
    void (*owe)(void *self, const struct flow_debt *debt, flow_ledger_done done, void *context);
    void (*update)(void *self, const struct flow_debt *debt, flow_ledger_done done, void *context);
    void *self;
};

#endif
