// SPDX-License-Identifier: MIT
// What the steps of one run share. Internal to flow_run.
#ifndef PROBES_STEP_SHARED_H
#define PROBES_STEP_SHARED_H

#include "run_systems.h"

// What the steps of one run share; valid until the run is over.
struct step_run_shared {
    struct flow_engine *engine;
    const struct config_flow *flow;
    const char *run; // id
    struct run_systems *systems;
    struct values *values;                                  // theirs
    struct clock_mono deadline;                             // of all steps
    int64_t limit_ms;                                       // the same, as a span, for the message
    void (*on_debt)(struct flow_debt *debt, void *context); // takes each debt as it is made
    void *context;
};

#endif
