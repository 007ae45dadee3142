// SPDX-License-Identifier: MIT
// Performs one flow as a small state machine on the event loop: logins, steps,
// repetitions, captures, expectations, then the undos that are owed.
#ifndef PROBES_FLOW_RUN_H
#define PROBES_FLOW_RUN_H

#include "../config/config.h"
#include "run_result.h"
#include "values.h"

// One debt: an undo that a request has made owed (failure-semantics 1).
struct flow_debt {
    char *id; // hash of run, step and attempt
    char *run, *flow, *system, *step;
    int attempt;
    struct clock_wall sent_at;
    int64_t timeout_ms; // of the step: "absent" waits for twice that
    char *undo;         // undo_parse reads it
    char *origin, *url; // of the system, frozen
    char *digest;       // of the system's url and with
    cJSON *values;      // what is known, secrets left out
    char *state;        // owed, paid, void, uncertain, orphaned, given_up
    char *problem;      // or NULL
};

void flow_debt_free(struct flow_debt *debt);

// The durable ledger as a flow sees it. `owe` and `update` commit before they
// call back, on the loop; false: it could not be committed.
typedef void (*flow_ledger_done)(bool durable, void *context);
struct flow_ledger {
    void (*owe)(void *self, const struct flow_debt *debt, flow_ledger_done done, void *context);
    void (*update)(void *self, const struct flow_debt *debt, flow_ledger_done done, void *context);
    void *self;
};

// What all runs of a process share: the loop, the engine, limits, sessions.
struct flow_engine;

// `config` is borrowed until the engine is freed or given another one; NULL
// ledger keeps debts in memory only (check --no-store).
struct flow_engine *flow_engine_new(uv_loop_t *loop, const struct config *config,
                                    const struct flow_ledger *ledger);

// From now on, runs start under `config`; those in flight finish under theirs,
// so the caller keeps the former one until flow_engine_idle_since says so.
void flow_engine_set_config(struct flow_engine *engine, const struct config *config);

// Runs in flight.
unsigned flow_engine_active(const struct flow_engine *engine);

// No new step is started any more; calls in flight and undos have `grace_ms`.
// Then runs end as cut off, and what is not undone stays owed.
void flow_engine_stop(struct flow_engine *engine, int64_t grace_ms);

// Ends all sessions with their logout calls, then calls `done`.
void flow_engine_logout(struct flow_engine *engine, void (*done)(void *), void *context);

// Frees the engine, which must be idle; NULL is allowed.
void flow_engine_free(struct flow_engine *engine);

// The result is handed over: run_result_free frees it. `redact` knows the
// secrets of the configuration and of this run; it is valid during the call.
typedef void (*flow_run_done)(struct run_result *result, const struct redact *redact,
                              void *context);

// When a run was due, which attempt it is (0, or 1… for a confirming run), and
// the latest moment for its steps where that is before the flow's own timeout.
struct flow_start {
    struct clock_wall due;
    int attempt;
    int64_t deadline_ms; // 0 for the flow's timeout alone
};

// Starts a run of `flow`.
void flow_run_start(struct flow_engine *engine, const struct config_flow *flow,
                    const struct flow_start *start, flow_run_done done, void *context);

// Pays one debt (found in the ledger at start, or due again); `done` gets it
// back with its new state, already committed. `debt` is borrowed until then.
typedef void (*flow_debt_done)(struct flow_debt *debt, void *context);
void flow_debt_pay(struct flow_engine *engine, struct flow_debt *debt, flow_debt_done done,
                   void *context);

// The id of a run: a hash of flow, due time and attempt, 12 characters. The
// caller frees it.
char *flow_run_id(const char *flow, struct clock_wall due, int attempt);

#endif
