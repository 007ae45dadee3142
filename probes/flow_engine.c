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
    engine->calls = g_hash_table_new(g_direct_hash, g_direct_equal);
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
}

unsigned flow_engine_active(const struct flow_engine *engine)
{
    return engine->active;
}

void flow_engine_enter(struct flow_engine *engine)
{
    engine->active++;
}

void flow_engine_leave(struct flow_engine *engine)
{
    engine->active--;
}

struct values *flow_engine_values(struct flow_engine *engine, const struct secret_store *secrets,
                                  const struct config_system *system)
{
    struct values *values = values_new(secrets, engine->config->agent.timezone);
    struct template_context context = values_context(values, clock_wall_now());
    GHashTableIter iterator;
    gpointer name, template;
    g_hash_table_iter_init(&iterator, system->vars);
    while (g_hash_table_iter_next(&iterator, &name, &template)) {
        struct value *value = template_evaluate(template, &context, NULL);
        if (value)
            values_set(values, name, value);
    }
    return values;
}

void flow_engine_free(struct flow_engine *engine)
{
    if (!engine)
        return;
    g_clear_pointer(&engine->sessions, g_hash_table_unref);
    g_hash_table_unref(engine->calls);
    slots_free(engine->slots);
    transfer_free(engine->transfer);
    redact_free(engine->redact);
    g_free(engine);
}
