// SPDX-License-Identifier: MIT
// Is it us? Asks the `agent.online` addresses whether our own network works, so
// that it does not open an incident for a system (failure-semantics 21).
#ifndef MONITOR_ONLINE_H
#define MONITOR_ONLINE_H

#include "../config/config.h"
#include "../probes/run_result.h"

struct transfer;
struct online;

// Asks by `transfer`, which must outlive the questions.
struct online *online_new(struct transfer *transfer);
void online_free(struct online *online);

// True where the failure of this run could be our own network's: no answer, or none in time,
// whether the connection is new or one that was kept from better times.
bool online_is_in_doubt(const struct run_result *result);

// Asks the addresses side by side; `done` gets true where one answers or where none is
// configured, at once or later. One question and its answer, for a moment, are for all who ask:
// a system that is down has many flows. `config` must stay until then.
void online_ask(struct online *online, const struct config *config,
                void (*done)(bool online, void *context), void *context);

// Turns a failed run into an unknown one: our own network is down.
void online_excuse(struct run_result *result);

#endif
