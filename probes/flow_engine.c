// SPDX-License-Identifier: MIT
// What all runs of a process share: made by the commands that run flows, used
// by flow_run, call_run, auth_session and flow_pay.
#include "flow_engine.h"

struct flow_engine *flow_engine_new(uv_loop_t *loop, const struct config *config,
                                    const struct flow_ledger *ledger)
{
    struct flow_engine *engine = g_new0(struct flow_engine, 1);
    engine->loop = loop;
    engine->transfer = transfer_new(loop);
    engine->ledger = ledger;
    engine->slots = slots_new((unsigned)config->agent.parallel);
    engine->gate = flow_gate_new();
    engine->undos = undo_kept_new();
    engine->calls = g_hash_table_new(g_direct_hash, g_direct_equal);
    engine->waits = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    flow_engine_set_config(engine, config);
    return engine;
}

void flow_engine_set_config(struct flow_engine *engine, const struct config *config)
{
    engine->config = config;
    slots_set_limit(engine->slots, (unsigned)config->agent.parallel);
    // runs in flight may still show what the former configuration kept secret
    struct redact *redact = engine->redact ? redact_copy(engine->redact) : redact_new();
    redact_free(engine->redact);
    engine->redact = redact;
    secret_store_redact(config->secrets, engine->redact);
    if (!engine->fixed)
        engine->fixed = redact_new();
    secret_store_redact(config->secrets, engine->fixed);
}

void flow_engine_reset_redact(struct flow_engine *engine)
{
    redact_free(engine->redact);
    engine->redact = redact_copy(engine->fixed);
}

void flow_engine_enter(struct flow_engine *engine)
{
    engine->active++;
}

void flow_engine_leave(struct flow_engine *engine)
{
    engine->active--;
}

struct flow_wait {
    uv_timer_cb over;
};

void flow_engine_wait(struct flow_engine *engine, uv_timer_t *timer, uv_timer_cb over,
                      int64_t wait_us)
{
    struct flow_wait *wait = g_new(struct flow_wait, 1);
    wait->over = over;
    g_hash_table_replace(engine->waits, timer, wait);
    clock_timer_start(timer, over, engine->stopping ? 0 : wait_us);
}

void flow_engine_end_wait(struct flow_engine *engine, uv_timer_t *timer)
{
    g_hash_table_remove(engine->waits, timer);
}

void flow_engine_stop(struct flow_engine *engine)
{
    GHashTableIter iterator;
    gpointer timer, wait;
    engine->stopping = true;
    g_hash_table_iter_init(&iterator, engine->waits);
    while (g_hash_table_iter_next(&iterator, &timer, &wait))
        clock_timer_start(timer, ((struct flow_wait *)wait)->over, 0);
}

struct values *flow_engine_values(struct flow_engine *engine, const struct secret_store *secrets,
                                  const struct config_system *system)
{
    struct values *values = values_new(secrets, engine->config->agent.timezone);
    struct template_context context = values_context(values, clock_wall_now());
    for (guint i = 0; i < system->vars->len; i++) {
        const struct config_value *var = system->vars->pdata[i];
        struct value *value = template_evaluate(var->value, &context, NULL);
        if (!value)
            continue;
        value->secret |= var->secret;
        values_set(values, var->name, value);
    }
    return values;
}

void flow_engine_free(struct flow_engine *engine)
{
    if (!engine)
        return;
    g_clear_pointer(&engine->sessions, g_hash_table_unref);
    g_hash_table_unref(engine->calls);
    g_hash_table_unref(engine->waits);
    slots_free(engine->slots);
    flow_gate_free(engine->gate);
    undo_kept_free(engine->undos);
    transfer_free(engine->transfer);
    redact_free(engine->redact);
    redact_free(engine->fixed);
    g_free(engine);
}
