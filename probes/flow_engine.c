// SPDX-License-Identifier: MIT
// What all runs of a process share: made by the commands that run flows, used by
// flow_run, call_run, auth_session and flow_undo.
#include "flow_engine.h"

#include "auth_session.h"
#include "call_run.h"

struct flow_engine *flow_engine_new(uv_loop_t *loop, const struct config *config,
                                    const struct flow_ledger *ledger)
{
    struct flow_engine *engine = g_new0(struct flow_engine, 1);
    engine->loop = loop;
    engine->transfer = transfer_new(loop);
    engine->ledger = ledger;
    engine->slots = slots_new((unsigned)config->agent.parallel);
    engine->sessions = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL,
                                             (GDestroyNotify)auth_session_free);
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

static const struct config_session *session_of(const struct config_system *system)
{
    for (guint i = 0; i < system->auth->len; i++) {
        const struct config_auth *auth = system->auth->pdata[i];
        if (auth->kind == CONFIG_AUTH_SESSION)
            return auth->session;
    }
    return NULL;
}

struct auth_session *flow_engine_session(struct flow_engine *engine,
                                         const struct config_system *system)
{
    struct auth_session *session = g_hash_table_lookup(engine->sessions, system);
    const struct config_session *config = session ? NULL : session_of(system);
    if (config) {
        session = auth_session_new(engine, system, config);
        g_hash_table_insert(engine->sessions, (gpointer)(uintptr_t)system, session);
    }
    return session;
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

static void close_handle(uv_handle_t *handle)
{
    g_free(handle);
}

static void end_grace(struct flow_engine *engine)
{
    if (engine->grace)
        uv_close((uv_handle_t *)engine->grace, close_handle);
    engine->grace = NULL;
}

static void on_grace_over(uv_timer_t *timer)
{
    struct flow_engine *engine = timer->data;
    engine->cut = true;
    g_autofree gpointer *calls = g_hash_table_get_keys_as_array(engine->calls, NULL);
    for (gpointer *call = calls; *call; call++)
        if (g_hash_table_contains(engine->calls, *call))
            call_run_cancel(*call, false);
}

void flow_engine_stop(struct flow_engine *engine, int64_t grace_ms)
{
    engine->stopping = true;
    if (engine->grace)
        return;
    engine->grace = g_new0(uv_timer_t, 1);
    uv_timer_init(engine->loop, engine->grace);
    engine->grace->data = engine;
    uv_timer_start(engine->grace, on_grace_over, clock_timer_ms(grace_ms * 1000), 0);
    uv_unref((uv_handle_t *)engine->grace);
}

struct logout_round {
    struct flow_engine *engine;
    unsigned left;
    void (*done)(void *context);
    void *context;
};

static void on_logged_out(void *context)
{
    struct logout_round *round = context;
    if (--round->left > 0)
        return;
    round->done(round->context);
    g_free(round);
}

void flow_engine_logout(struct flow_engine *engine, void (*done)(void *), void *context)
{
    struct logout_round *round = g_new(struct logout_round, 1);
    *round = (struct logout_round){engine, 1, done, context};
    g_autoptr(GList) sessions = g_hash_table_get_values(engine->sessions);
    for (GList *link = sessions; link; link = link->next) {
        round->left++;
        auth_session_logout(link->data, on_logged_out, round);
    }
    on_logged_out(round);
}

void flow_engine_free(struct flow_engine *engine)
{
    if (!engine)
        return;
    end_grace(engine);
    g_hash_table_unref(engine->sessions);
    g_hash_table_unref(engine->calls);
    slots_free(engine->slots);
    transfer_free(engine->transfer);
    redact_free(engine->redact);
    g_free(engine);
}
