// SPDX-License-Identifier: MIT
// What the agent does every few seconds, done once by `check --notify`: renamed and
// removed flows, mutes that ended, debts that somebody must be told of.
#ifndef MONITOR_CHECK_WATCH_H
#define MONITOR_CHECK_WATCH_H

#include "runtime.h"

// Notes the configuration, before the runs; an agent that is alive does that itself. `done`
// is called on the loop, also where it failed (which is logged; where the store cannot be written,
// the standby takes over).
void check_watch_configure(struct runtime *runtime, const struct config *config,
                           void (*done)(void *context), void *context);

// Lets follow what time alone brings about, after the runs.
void check_watch_tick(struct runtime *runtime, const struct config *config,
                      void (*done)(void *context), void *context);

#endif
