// SPDX-License-Identifier: MIT
// Two jobs, each in a thread of its own that gives way to the loop's: where both share a core,
// flows would else start late for as long as it takes. Comes between the agent, at SIGHUP, and
// config_load, which knows nothing of threads but shares its patterns and templates under a lock
// (config/intern).
#include "config_work.h"

#include "command.h"

// Beside a loop that never rests it has a tenth of the core.
enum { GIVES_WAY_BY = 10 };

struct config_work {
    uv_async_t over;
    uv_thread_t thread;
    bool has_thread;
    void (*work)(struct config_work *work);
    const char *path;
    struct config *config;
    config_work_done done; // NULL: nobody waits for it
    void *context;
};

// 0 is this thread. A system that does not allow it has reasons of its own.
static void give_way(void)
{
    int priority;
    if (uv_os_getpriority(0, &priority) == 0)
        (void)uv_os_setpriority(0, MIN(priority + GIVES_WAY_BY, UV_PRIORITY_LOW));
}

static void run_thread(void *context)
{
    struct config_work *work = context;
    give_way();
    work->work(work);
    uv_async_send(&work->over);
}

static void on_closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

static void on_over(uv_async_t *handle)
{
    struct config_work *work = handle->data;
    if (work->has_thread)
        uv_thread_join(&work->thread);
    if (work->done)
        work->done(work->config, work->context);
    uv_close((uv_handle_t *)handle, on_closed);
}

static void start(uv_loop_t *loop, const struct config_work *what)
{
    struct config_work *work = g_memdup2(what, sizeof *what);
    work->over.data = work;
    uv_async_init(loop, &work->over, on_over);
    work->has_thread = uv_thread_create(&work->thread, run_thread, work) == 0;
    if (work->has_thread)
        return;
    work->work(work);
    uv_async_send(&work->over);
}

static void read_config(struct config_work *work)
{
    work->config = command_load_config(work->path, CONFIG_MISSING_IS_NEED);
}

void config_work_read(uv_loop_t *loop, const char *path, config_work_done done, void *context)
{
    const struct config_work work = {
        .work = read_config, .path = path, .done = done, .context = context};
    start(loop, &work);
}

static void free_config(struct config_work *work)
{
    config_free(work->config);
}

void config_work_free(uv_loop_t *loop, struct config *config)
{
    const struct config_work work = {.work = free_config, .config = config};
    start(loop, &work);
}
