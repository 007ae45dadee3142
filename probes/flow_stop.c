// SPDX-License-Identifier: MIT
// Stopping: what is in flight gets a grace, then it is cut off. Started by the
// commands at SIGTERM and SIGINT.
#include "flow_stop.h"

#include "call_run.h"

struct flow_stop {
    struct flow_engine *engine;
    uv_timer_t timer;
};

static void on_grace_over(uv_timer_t *timer)
{
    struct flow_stop *stop = timer->data;
    struct flow_engine *engine = stop->engine;
    engine->cut = true;
    g_autofree gpointer *calls = g_hash_table_get_keys_as_array(engine->calls, NULL);
    for (gpointer *call = calls; *call; call++)
        if (g_hash_table_contains(engine->calls, *call))
            call_run_cancel(*call, false);
}

struct flow_stop *flow_stop_begin(struct flow_engine *engine, int64_t grace_ms)
{
    struct flow_stop *stop = g_new0(struct flow_stop, 1);
    stop->engine = engine;
    flow_engine_stop(engine);
    uv_timer_init(engine->loop, &stop->timer);
    stop->timer.data = stop;
    uv_timer_start(&stop->timer, on_grace_over, (uint64_t)grace_ms, 0);
    uv_unref((uv_handle_t *)&stop->timer);
    return stop;
}

static void on_closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

void flow_stop_free(struct flow_stop *stop)
{
    if (stop)
        uv_close((uv_handle_t *)&stop->timer, on_closed);
}
