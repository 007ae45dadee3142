// SPDX-License-Identifier: MIT
// What a command that runs flows holds: loop, store, writer, ledger, engine.
// Opened and closed in one place, the second the mirror of the first.
#ifndef MONITOR_RUNTIME_H
#define MONITOR_RUNTIME_H

#include "../probes/flow_engine.h"
#include "budget.h"
#include "ledger.h"
#include "left_alone.h"
#include "standby.h"
#include "store.h"
#include "token_keep.h"
#include "writer.h"

struct runtime {
    uv_loop_t *loop;
    struct store *store;           // NULL without a store
    struct writer *writer;         // likewise
    struct ledger *ledger;         // likewise
    struct budget *budget;         // likewise
    struct token_keep *tokens;     // likewise
    struct left_alone *left_alone; // likewise
    struct flow_engine *engine;
    struct standby *standby; // of the agent and check --notify, which make it
};

// Opens all of it; without a store where `path` is NULL. False and `error` where
// the store cannot be used.
bool runtime_open(struct runtime *runtime, uv_loop_t *loop, const struct config *config,
                  const char *path, GError **error);

// Ends the sessions, finishes what is to be written, then calls `closed` on the
// loop; nothing may run any more. runtime_clear frees the rest once the loop has
// ended.
void runtime_close(struct runtime *runtime, void (*closed)(void *context), void *context);
void runtime_clear(struct runtime *runtime);

#endif
