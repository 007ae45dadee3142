// SPDX-License-Identifier: MIT
// One run of a sweep with its lock, the ledger that it asks, and the store that keeps what
// came of it. Used by the agent and by `erpwatch sweep`.
#ifndef MONITOR_SWEEP_JOB_H
#define MONITOR_SWEEP_JOB_H

#include "../probes/sweep.h"
#include "runtime.h"

// What came of it: `result` is borrowed, `json` is it without secrets; `notices` where a mail was
// queued.
typedef void (*sweep_job_done)(const struct sweep_result *result, const cJSON *json, bool notices,
                               void *context);

// Starts it; `config` and `sweep` outlive it. False where a sweep of this system runs, here
// or in another process: try again later. A dry run is not stored, nor is one that was cut
// off by a stop.
bool sweep_job_start(struct runtime *runtime, const struct config *config,
                     const struct config_sweep *sweep, bool dry_run, sweep_job_done done,
                     void *context);

#endif
