// SPDX-License-Identifier: MIT
// Is it us? Asks the `agent.online` addresses whether our own network works, so
// that it does not open an incident for a system (failure-semantics 21).
#ifndef MONITOR_ONLINE_H
#define MONITOR_ONLINE_H

#include "../config/config.h"
#include "../probes/run_result.h"

struct online;
struct runtime;

// Asks by the runtime's engine, also while its calls wait: a network that is back when they end
// was gone all the same. To be freed once the engine is; its timer is closed by the next turn of
// the loop.
struct online *online_new(const struct runtime *runtime);
void online_free(struct online *online);

// From now on the addresses of `config` are asked: before any call is sent, and kept meanwhile.
void online_set_config(struct online *online, const struct config *config);

// True where the failure of this run could be our own network's: no answer, or none in time,
// whether the connection is new or one that was kept from better times.
bool online_is_in_doubt(const struct run_result *result);

// When the call of such a run began that had no answer.
struct clock_wall online_in_doubt_since(const struct run_result *result);

// True where a call that waits since `started`, at most for its timeout, has reached another
// quarter of that between `before` and `now`: the moments at which it is asked for its sake.
bool online_is_due(struct clock_wall started, int64_t timeout_ms, struct clock_wall before,
                   struct clock_wall now);

// True where nobody answered at `gone` (us 0 for never) and a call waited then that has waited for
// `waited_us` now. A wall clock that was set since is of no weight.
bool online_was_gone(struct clock_mono gone, struct clock_mono now, int64_t waited_us);

// Asks the addresses side by side; `done` gets true where one answers, or none is configured, and
// nobody has found that none answers since `since`; at once or later. One question and its answer,
// for a moment, are for all who ask: a system that is down has many flows.
void online_ask(struct online *online, struct clock_wall since,
                void (*done)(bool online, void *context), void *context);

// Turns a failed run into an unknown one: our own network is down, or was.
void online_excuse(struct run_result *result);

#endif
