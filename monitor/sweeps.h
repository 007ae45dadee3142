// SPDX-License-Identifier: MIT
// The sweeps of the agent: each on its own schedule; once more after debts of dead
// processes were found or a debt became uncertain; and when what was too young has become
// old enough. One at a time for each system.
#ifndef MONITOR_SWEEPS_H
#define MONITOR_SWEEPS_H

#include "agent_flows.h"

struct sweeps;

// What the sweeps need of the agent; borrowed.
struct sweeps_context {
    struct runtime *runtime;
    struct debts *debts;
    struct agent_flows *flows;   // whose configuration they run under
    void (*told)(void *context); // a stored run has queued a mail
    void (*idle)(void *context); // after sweeps_stop: nothing runs any more
    void *context;
};

// No sweeps yet: sweeps_configure takes those of the present configuration.
struct sweeps *sweeps_new(const struct sweeps_context *context);

// The configuration is another one from now on; what runs goes on under its own. `last`
// (sweep_rows_last, or NULL) is when each one began last, for the agent's start.
void sweeps_configure(struct sweeps *sweeps, GHashTable *last);

// Starts what is due. To be called each second.
void sweeps_tick(struct sweeps *sweeps);

// Debts became uncertain (`lost`: sweep_rows_lost): sweeps of these systems that have not
// run since then are due at once.
void sweeps_note_lost(struct sweeps *sweeps, GHashTable *lost);

// No sweep is started any more; those that run end at their next call.
void sweeps_stop(struct sweeps *sweeps);

// Sweeps in flight.
unsigned sweeps_running(const struct sweeps *sweeps);

// Frees all of it; nothing may run. NULL is allowed.
void sweeps_free(struct sweeps *sweeps);

#endif
