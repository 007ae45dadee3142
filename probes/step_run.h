// SPDX-License-Identifier: MIT
// Performs one step of a run: only_if, its debt, the call, repetitions (until,
// retry), the verdict. Internal to flow_run.
#ifndef PROBES_STEP_RUN_H
#define PROBES_STEP_RUN_H

#include "step_shared.h"

struct step_run_outcome {
    struct step_result *result;   // handed over
    struct step_result *login;    // the login that failed before it, or NULL; handed over
    bool held_back;               // by that login
    struct clock_wall held_until; // not sent: the system is left alone; us 0 otherwise
    bool cut_off;                 // the engine stops
};

// Starts the step; `done` may be called before this returns.
void step_run_start(struct step_run_shared *shared, const struct step *step,
                    void (*done)(struct step_run_outcome *outcome, void *context), void *context);

#endif
