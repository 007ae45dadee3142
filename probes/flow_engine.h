// SPDX-License-Identifier: MIT
// What all runs of a process share. Internal to the family flow_run, call_run,
// auth_session, flow_undo; others use flow_run.h.
#ifndef PROBES_FLOW_ENGINE_H
#define PROBES_FLOW_ENGINE_H

#include "flow_run.h"
#include "slots.h"

struct auth_session;
struct call_run;

struct flow_engine {
    uv_loop_t *loop;
    struct transfer *transfer;
    const struct config *config;      // of new runs
    const struct flow_ledger *ledger; // NULL: debts live in memory only
    struct redact *redact;            // the secrets of `config`
    struct slots *slots;
    GHashTable *sessions; // struct config_system * -> struct auth_session
    GHashTable *calls;    // set of struct call_run in flight
    unsigned active;      // runs and single debts
    bool stopping;        // no new step is started
    bool cut;             // the grace is over: nothing is sent any more
    uv_timer_t *grace;    // running while stopping, else NULL
};

// The session of a system, made when first asked for; borrowed.
struct auth_session *flow_engine_session(struct flow_engine *engine,
                                         const struct config_system *system);

// A space of names with what `system` gives (its `with`); the caller frees it.
// A value that cannot be made is left out: what needs it says so.
struct values *flow_engine_values(struct flow_engine *engine, const struct secret_store *secrets,
                                  const struct config_system *system);

// One more, one less run or single debt in flight.
void flow_engine_enter(struct flow_engine *engine);
void flow_engine_leave(struct flow_engine *engine);

#endif
