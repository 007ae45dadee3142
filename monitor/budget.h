// SPDX-License-Identifier: MIT
// How often flows with a budget ran on a day, over all processes of the store: the SQL of it,
// and the purse through which flows reach it, over the writer.
#ifndef MONITOR_BUDGET_H
#define MONITOR_BUDGET_H

#include "../probes/flow_budget.h"
#include "writer.h"

// Counts a run of the flow on that day (yyyymmdd), within the caller's transaction; not where
// `runs_per_day` have been counted already: `*granted` is false then.
bool budget_take(struct db *db, const char *flow, int64_t day, int runs_per_day, bool *granted,
                 GError **error);

// How many were counted on that day.
bool budget_count(struct db *db, const char *flow, int64_t day, int64_t *runs, GError **error);

// The purse over `writer`, which has to outlive it; the engine borrows the door.
struct budget;
struct budget *budget_new(struct writer *writer);
const struct flow_purse *budget_door(const struct budget *budget);
void budget_free(struct budget *budget);

#endif
