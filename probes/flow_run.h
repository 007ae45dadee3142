// SPDX-License-Identifier: MIT
// Performs one flow as a small state machine on the event loop: logins, steps,
// repetitions, captures, expectations, then the undos that are owed.
#ifndef PROBES_FLOW_RUN_H
#define PROBES_FLOW_RUN_H

#include "flow_engine.h"
#include "run_result.h"

// The result is handed over: run_result_free frees it. `redact` knows the
// secrets of the configuration and of this run; it is valid during the call.
typedef void (*flow_run_done)(struct run_result *result, const struct redact *redact,
                              void *context);

// When a run was due, which attempt it is (0, or 1… for a confirming run), and
// the latest moment for its steps where that is before the flow's own timeout.
struct flow_start {
    struct clock_wall due;
    int attempt;
    int64_t deadline_ms; // 0 for the flow's timeout alone
};

// Starts a run of `flow`.
void flow_run_start(struct flow_engine *engine, const struct config_flow *flow,
                    const struct flow_start *start, flow_run_done done, void *context);

// The id of a run: a hash of flow, due time and attempt, 12 characters. The
// caller frees it.
char *flow_run_id(const char *flow, struct clock_wall due, int attempt);

#endif
