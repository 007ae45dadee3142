// SPDX-License-Identifier: MIT
// Opens and closes what check and the agent run flows with.
#include "runtime.h"

#include "../probes/auth_session.h"
#include "self_report.h"

// Jobs that may wait for the writer before new runs are held back.
#define WRITER_ROOM 4096

bool runtime_open(struct runtime *runtime, uv_loop_t *loop, const struct config *config,
                  const char *path, GError **error)
{
    g_autoptr(GHashTable) left_alone = NULL;
    *runtime = (struct runtime){.loop = loop};
    if (path) {
        runtime->store = store_open(path, error);
        if (!runtime->store)
            return false;
        self_report_repair(runtime->store, config);
        left_alone = left_alone_load(store_db(runtime->store), error);
        if (!left_alone) {
            g_clear_pointer(&runtime->store, store_free);
            return false;
        }
        const struct writer_reserve reserve = store_reserve(runtime->store);
        runtime->writer =
            writer_new(loop, store_take_db(runtime->store), WRITER_ROOM, &reserve, error);
        if (!runtime->writer) {
            g_clear_pointer(&runtime->store, store_free);
            return false;
        }
        runtime->ledger = ledger_new(runtime->writer, store_owner(runtime->store));
    }
    runtime->engine =
        flow_engine_new(loop, config, runtime->ledger ? ledger_door(runtime->ledger) : NULL);
    if (runtime->store) {
        runtime->tokens = token_keep_new(loop, runtime->writer, runtime->store);
        runtime->engine->tokens = token_keep_door(runtime->tokens);
    }
    if (left_alone) {
        runtime->budget = budget_new(runtime->writer);
        runtime->engine->purse = budget_door(runtime->budget);
        runtime->left_alone = left_alone_new(runtime->writer, runtime->engine->gate);
        flow_gate_learn(runtime->engine->gate, left_alone);
    }
    return true;
}

struct closing {
    struct runtime *runtime;
    void (*closed)(void *context);
    void *context;
};

static void on_closed(void *context)
{
    struct closing *closing = context;
    closing->closed(closing->context);
    g_free(closing);
}

static void on_logged_out(void *context)
{
    struct closing *closing = context;
    struct runtime *runtime = closing->runtime;
    g_clear_pointer(&runtime->engine, flow_engine_free);
    if (runtime->writer)
        writer_close(g_steal_pointer(&runtime->writer), on_closed, closing);
    else
        on_closed(closing);
}

void runtime_close(struct runtime *runtime, void (*closed)(void *context), void *context)
{
    struct closing *closing = g_new(struct closing, 1);
    *closing = (struct closing){runtime, closed, context};
    auth_session_logout_all(runtime->engine, on_logged_out, closing);
}

void runtime_clear(struct runtime *runtime)
{
    standby_free(runtime->standby);
    budget_free(runtime->budget);
    left_alone_free(runtime->left_alone);
    token_keep_free(runtime->tokens);
    ledger_free(runtime->ledger);
    store_free(runtime->store);
    *runtime = (struct runtime){0};
}
