// SPDX-License-Identifier: MIT
// What became of a call of the configuration: between call_run, which makes it, and call_judge.
#ifndef PROBES_CALL_OUTCOME_H
#define PROBES_CALL_OUTCOME_H

#include "run_result.h"

// What became of a call. Handed to `done`, which may take what it owns.
struct call_outcome {
    GPtrArray *exchanges;         // of struct exchange, in order; empty where nothing was sent
    char *problem;                // why it was not sent, or NULL
    bool unsendable;              // a value is the problem; else it is the monitor's own fault
    struct step_result *login;    // the login that failed, or NULL
    double elapsed_ms;            // in flight, waiting for a slot left out
    struct clock_wall held_until; // `problem`: its system is left alone; us 0 otherwise
    bool deadline_passed;         // before it could be sent
    bool cut_off;                 // the engine stops
    struct verdict *verdict;      // of a long answer, its captures taken; else NULL
};

// The last exchange that has an answer or a failure, or NULL; borrowed.
struct exchange *call_outcome_last(const struct call_outcome *outcome);

// Frees what it owns.
void call_outcome_clear(struct call_outcome *outcome);

#endif
