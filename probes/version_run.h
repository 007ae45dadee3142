// SPDX-License-Identifier: MIT
// Asks a system for its version: one call, with its authentication and within its limits.
// What it says is kept by monitor/version_rows.
#ifndef PROBES_VERSION_RUN_H
#define PROBES_VERSION_RUN_H

#include "flow_engine.h"

// What came of it.
struct version_answer {
    const char *system;  // id
    const char *version; // without secrets; NULL where it cannot be told
    const char *problem; // why not, likewise; NULL with a version
    bool not_asked;      // the system is left alone, or the engine stops: nothing was sent
};

// The answer and its texts are good during the call.
typedef void (*version_done)(const struct version_answer *answer, void *context);

// Asks the version of `system`, which has such a call and outlives it with its configuration.
void version_run_start(struct flow_engine *engine, const struct config_system *system,
                       version_done done, void *context);

#endif
