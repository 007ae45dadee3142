// SPDX-License-Identifier: MIT
// Two jobs for libuv's threads. Comes between the agent, at SIGHUP, and config_load, which knows
// nothing of threads but shares its patterns and templates under a lock (config/intern).
#include "config_work.h"

#include "command.h"

#include <malloc.h>

struct config_work {
    uv_work_t work;
    const char *path;
    struct config *config;
    config_work_done done;
    void *context;
};

static void read_config(uv_work_t *request)
{
    struct config_work *work = request->data;
    work->config = command_load_config(work->path, CONFIG_MISSING_IS_NEED);
}

static void on_read(uv_work_t *request, int status)
{
    struct config_work *work = request->data;
    (void)status; // it is never cancelled
    work->done(work->config, work->context);
    g_free(work);
}

void config_work_read(uv_loop_t *loop, const char *path, config_work_done done, void *context)
{
    struct config_work *work = g_new0(struct config_work, 1);
    work->work.data = work;
    work->path = path;
    work->done = done;
    work->context = context;
    uv_queue_work(loop, &work->work, read_config, on_read);
}

// What it took is of no use to anything else.
static void free_config(uv_work_t *request)
{
    struct config_work *work = request->data;
    config_free(work->config);
    malloc_trim(0);
}

static void on_freed(uv_work_t *request, int status)
{
    (void)status;
    g_free(request->data);
}

void config_work_free(uv_loop_t *loop, struct config *config)
{
    struct config_work *work = g_new0(struct config_work, 1);
    work->work.data = work;
    work->config = config;
    uv_queue_work(loop, &work->work, free_config, on_freed);
}
