// SPDX-License-Identifier: MIT
// How often a flow may run on a day: the days, pure, and the purse as flows see it.
#ifndef PROBES_FLOW_BUDGET_H
#define PROBES_FLOW_BUDGET_H

#include "../base/clock.h"

#include <stdbool.h>

struct config_flow;

// The calendar day of `time` in a zone (an IANA name), as the number yyyymmdd; when it began
// there, and when the next one begins: after 23 or 25 hours where the clocks change.
int64_t flow_budget_day(struct clock_wall time, const char *zone_name);
struct clock_wall flow_budget_day_start(struct clock_wall time, const char *zone_name);
struct clock_wall flow_budget_next_day(struct clock_wall time, const char *zone_name);

enum flow_budget_answer {
    FLOW_BUDGET_GRANTED, // and counted
    FLOW_BUDGET_SPENT,
    FLOW_BUDGET_UNREADABLE, // it could not be counted: nothing may be sent
};

// The purse, over all processes of a store. `take` counts one run of the flow on that day,
// unless it has had its `runs_per_day`, and calls back on the loop.
typedef void (*flow_budget_done)(enum flow_budget_answer answer, void *context);
struct flow_purse {
    void (*take)(void *self, const struct config_flow *flow, int64_t day, flow_budget_done done,
                 void *context);
    void *self;
};

#endif
