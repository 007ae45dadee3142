// SPDX-License-Identifier: MIT
// Performs one sweep on the event loop: searches, asks which runs still owe what they
// made, deletes what is ours, old enough and nobody's. It keeps nothing: one that is
// killed is done again from the start.
#ifndef PROBES_SWEEP_RUN_H
#define PROBES_SWEEP_RUN_H

#include "flow_engine.h"
#include "sweep.h"

// The ledger as a sweep sees it: `owing_runs` gives the ids (of char *, borrowed during the
// call) of the runs whose records are left to their own undos, on the loop; NULL: that
// cannot be told, and nothing is deleted.
typedef void (*sweep_owing_done)(const GPtrArray *runs, void *context);
struct sweep_ledger {
    void (*owing_runs)(void *self, sweep_owing_done done, void *context);
    void *self;
};

// The result is handed over: sweep_result_free frees it.
typedef void (*sweep_run_done)(struct sweep_result *result, void *context);

// Starts a run of `sweep`, which outlives it. `ledger` (copied) may have no function: there
// is no store. A `dry_run` only reads.
void sweep_run_start(struct flow_engine *engine, const struct config_sweep *sweep,
                     const struct sweep_ledger *ledger, bool dry_run, sweep_run_done done,
                     void *context);

#endif
