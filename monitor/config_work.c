// SPDX-License-Identifier: MIT
// Two jobs, each in a thread of its own that gives way to the loop's: where both share a core,
// flows would else start late for as long as it takes. Comes between the agent, at SIGHUP, and
// config_load, which knows nothing of threads but shares its patterns and templates under a lock
// (config/intern).
#include "config_work.h"

#include "../base/handover.h"
#include "command.h"

// Beside a loop that never rests it has a tenth of the core.
enum { GIVES_WAY_BY = 10 };

// Of the thread, then of the loop.
struct reading {
    struct handover *to_loop;
    char *path;
    struct config *config;
};

struct config_work {
    struct handover *readings; // of the one reading
    config_work_done done;
    void *context;
};

static void free_reading(void *data)
{
    struct reading *reading = data;
    handover_unref(reading->to_loop);
    config_free(reading->config);
    g_free(reading->path);
    g_free(reading);
}

// 0 is this thread. A system that does not allow it has reasons of its own.
static void give_way(void)
{
    int priority;
    if (uv_os_getpriority(0, &priority) == 0)
        (void)uv_os_setpriority(0, MIN(priority + GIVES_WAY_BY, UV_PRIORITY_LOW));
}

static void read_config(struct reading *reading)
{
    reading->config = command_load_config(reading->path, CONFIG_MISSING_IS_NEED);
    handover_give(reading->to_loop, reading);
}

static void *run_reading(void *reading)
{
    give_way();
    read_config(reading);
    return NULL;
}

static void *run_freeing(void *config)
{
    give_way();
    config_free(config);
    return NULL;
}

static void on_read(void *item, void *context)
{
    struct reading *reading = item;
    struct config_work *work = context;
    config_work_done done = work->done;
    void *waiting = work->context;
    config_work_drop(work);
    done(g_steal_pointer(&reading->config), waiting);
}

struct config_work *config_work_read(uv_loop_t *loop, const char *path, config_work_done done,
                                     void *context)
{
    struct config_work *work = g_new(struct config_work, 1);
    struct reading *reading = g_new0(struct reading, 1);
    *work = (struct config_work){.done = done, .context = context};
    work->readings = handover_new(loop, on_read, free_reading, work);
    reading->to_loop = handover_ref(work->readings);
    reading->path = g_strdup(path);
    if (!handover_start_thread("config", run_reading, reading))
        read_config(reading);
    return work;
}

void config_work_drop(struct config_work *work)
{
    handover_close(work->readings);
    g_free(work);
}

void config_work_free(struct config *config)
{
    if (!handover_start_thread("config", run_freeing, config))
        config_free(config);
}
