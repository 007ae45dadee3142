// SPDX-License-Identifier: MIT
// What all runs of a process share: the loop, the transfers, the limits, the
// secrets, the ledger. Made by the commands that run flows.
#ifndef PROBES_FLOW_ENGINE_H
#define PROBES_FLOW_ENGINE_H

#include "../base/redact.h"
#include "../base/transfer.h"
#include "../config/config.h"
#include "flow_budget.h"
#include "flow_debt.h"
#include "flow_gate.h"
#include "slots.h"
#include "token_store.h"
#include "undo_kept.h"
#include "values.h"

struct flow_engine {
    uv_loop_t *loop;
    struct transfer *transfer;
    const struct config *config;      // of new runs
    const struct flow_ledger *ledger; // NULL: debts live in memory only
    const struct token_store *tokens; // NULL: tokens live in memory only
    struct redact *redact;            // all secrets: those of sessions too
    struct redact *fixed;             // the secrets of `config` and of those before it
    struct slots *slots;
    const struct flow_purse *purse; // of flows with a budget; NULL: they cannot run
    struct flow_gate *gate;         // systems that are left alone
    GHashTable *sessions;           // of auth_session's rows; NULL while there is none
    GHashTable *calls;              // set of struct call_run in flight
    struct undo_kept *undos;        // that debts were paid by
    GHashTable *waits;              // uv_timer_t -> struct flow_wait, while nothing is in flight
    unsigned active;                // runs and single debts
    bool stopping;                  // no new step is started
    bool cut;                       // the grace is over: nothing is sent any more
};

// `config` is borrowed until the engine is freed or given another one; a NULL
// ledger keeps debts in memory only (check --no-store).
struct flow_engine *flow_engine_new(uv_loop_t *loop, const struct config *config,
                                    const struct flow_ledger *ledger);

// From now on, runs start under `config`; those in flight finish under theirs:
// the caller keeps the former one until they have ended.
void flow_engine_set_config(struct flow_engine *engine, const struct config *config);

// From now on only the secrets of the configurations are known: whoever knows others adds them.
void flow_engine_reset_redact(struct flow_engine *engine);

// A space of names with what `system` gives (its `with`); the caller frees it.
// A value that cannot be made is left out: what needs it says so.
struct values *flow_engine_values(struct flow_engine *engine, const struct secret_store *secrets,
                                  const struct config_system *system);

// One more, one less run or single debt in flight.
void flow_engine_enter(struct flow_engine *engine);
void flow_engine_leave(struct flow_engine *engine);

// Starts `timer`, and calls `over` after the wait, or soon where the engine is stopped
// before that. `over` calls flow_engine_end_wait first.
void flow_engine_wait(struct flow_engine *engine, uv_timer_t *timer, uv_timer_cb over,
                      int64_t wait_us);
void flow_engine_end_wait(struct flow_engine *engine, uv_timer_t *timer);

// No new step from now on; who waits is woken.
void flow_engine_stop(struct flow_engine *engine);

// Frees the engine, which must be idle; NULL is allowed.
void flow_engine_free(struct flow_engine *engine);

#endif
