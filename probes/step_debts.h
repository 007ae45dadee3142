// SPDX-License-Identifier: MIT
// What one step owes: each request of it is owed before its first byte goes out, and
// settled with what the answer gave before anything else happens. An undo that looks for
// another system's record is owed on its own. Internal to step_run.
#ifndef PROBES_STEP_DEBTS_H
#define PROBES_STEP_DEBTS_H

#include "step_shared.h"

struct transfer_request;

struct step_debts {
    struct step_run_shared *shared; // borrowed
    const struct step *step;        // likewise
    GPtrArray *present;             // of struct flow_debt: of the request in flight; the run's
    int requests;                   // that owed: each has its own debts
    guint next;                     // of `present`: on its way to the ledger
    void (*done)(bool durable, void *context);
    void *context;
};

// For a step of a run; step_debts_clear frees what it holds, not the debts.
void step_debts_init(struct step_debts *debts, struct step_run_shared *shared,
                     const struct step *step);
void step_debts_clear(struct step_debts *debts);

// Owes what `request` may create; those of a former one, which was refused for its session,
// are void. `done` is called at once or later: `durable` where it may be sent.
void step_debts_owe(struct step_debts *debts, const struct transfer_request *request,
                    void (*done)(bool durable, void *context), void *context);

// Keeps what is known now, or that nothing was made; then calls `done`.
void step_debts_settle(struct step_debts *debts, bool nothing_made,
                       void (*done)(bool durable, void *context), void *context);

#endif
