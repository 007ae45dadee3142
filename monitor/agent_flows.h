// SPDX-License-Identifier: MIT
// The flows of the agent: which is due when, what runs, under which generation of
// the configuration it began.
#ifndef MONITOR_AGENT_FLOWS_H
#define MONITOR_AGENT_FLOWS_H

#include "debts.h"
#include "missed.h"
#include "runtime.h"
#include "starts.h"

struct agent_flows;

// What the flows need of the agent; borrowed.
struct agent_flows_context {
    struct runtime *runtime;
    struct debts *debts;
    struct missed *missed;
    void (*look_at_clock)(void *context); // before what is due by it is started
    void (*told)(void *context);          // a stored run has made notices
    void (*idle)(void *context);          // after agent_flows_stop: nothing runs any more
    void *context;
};

// Flows of no configuration yet.
struct agent_flows *agent_flows_new(const struct agent_flows_context *context);

// From now on these are the flows (the configuration is taken, and freed once its
// last run has ended). What runs goes on under the one that it began with.
void agent_flows_set_config(struct agent_flows *flows, struct config *config);

// The present configuration; borrowed until the next agent_flows_set_config.
const struct config *agent_flows_config(const struct agent_flows *flows);

// The present configuration, kept alive until it is released: for jobs in the
// writer's thread.
struct agent_generation;
struct agent_generation *agent_flows_hold(struct agent_flows *flows);
const struct config *agent_flows_held_config(const struct agent_generation *generation);
void agent_flows_release(struct agent_flows *flows, struct agent_generation *generation);

// The last run of `flow` began at `last`, as the store remembers it, which lies ahead: the clock
// was set back by about `set_back_us` meanwhile.
void agent_flows_remember(struct agent_flows *flows, const char *flow, struct clock_wall last,
                          int64_t set_back_us);

// A confirming run of `flow` is due at `due`, as the store remembers it.
void agent_flows_confirm(struct agent_flows *flows, const char *flow, struct clock_wall due,
                         int attempt);

// The clock was set or the machine slept: each overdue flow runs once, spread over the smaller of
// its interval and a minute; the rest counts as missed.
void agent_flows_recompute(struct agent_flows *flows, const struct starts_jump *jump);

// No run is started any more.
void agent_flows_stop(struct agent_flows *flows);

// Runs in flight.
unsigned agent_flows_running(const struct agent_flows *flows);

// Frees all of it; nothing may run. NULL is allowed.
void agent_flows_free(struct agent_flows *flows);

#endif
