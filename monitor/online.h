// SPDX-License-Identifier: MIT
// Is it us? Asks the `agent.online` addresses whether our own network works, so
// that it does not open an incident for a system (failure-semantics 21).
#ifndef MONITOR_ONLINE_H
#define MONITOR_ONLINE_H

#include "../config/config.h"
#include "../probes/run_result.h"

struct transfer;

// True where the failure of this run could be our own network's, or our clock's:
// no answer from its host at all.
bool online_is_in_doubt(const struct run_result *result);

// Asks the addresses side by side; `done` gets true where one answers or where
// none is configured. `config` must stay until then.
void online_ask(struct transfer *transfer, const struct config *config,
                void (*done)(bool online, void *context), void *context);

// Turns a failed run into an unknown one: our own network is down.
void online_excuse(struct run_result *result);

#endif
