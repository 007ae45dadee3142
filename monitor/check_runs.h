// SPDX-License-Identifier: MIT
// Runs the flows of one `check` side by side: run locks, confirming runs where
// incidents follow, the result of each kept for the report.
#ifndef MONITOR_CHECK_RUNS_H
#define MONITOR_CHECK_RUNS_H

#include "check_report.h"
#include "debts.h"
#include "runtime.h"

struct check_runs;

// What a check is to do. Borrowed until the end.
struct check_plan {
    struct runtime *runtime;
    const struct debts *debts; // of dead processes, which hold writing flows back; or NULL
    const struct config *config;
    const GPtrArray *flows; // of struct config_flow
    int64_t deadline_ms;    // of all steps of all flows; 0 for none
    bool notify;            // incidents and notices follow
    struct check_report *report;
    void (*progress)(guint done, guint all, const char *flow, void *context); // or NULL
    void (*ended)(void *context); // all runs are over and stored
    void *context;
};

// Starts all flows; free it once `ended` was called.
struct check_runs *check_runs_start(const struct check_plan *plan);

// Adds the last run of each flow to the report, in the plan's order. After `ended`.
void check_runs_report(const struct check_runs *runs);

// Frees it; NULL is allowed.
void check_runs_free(struct check_runs *runs);

#endif
