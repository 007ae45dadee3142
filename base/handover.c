// SPDX-License-Identifier: MIT
// A queue under a lock, and the handle that wakes the loop. Threads reach that handle
// only under the lock, because libuv forbids to send to one that is closing. Used by
// transfer_dns, transfer_thread and config_work.
#include "handover.h"

struct handover {
    GMutex lock;
    GQueue items;      // under the lock
    uv_async_t *async; // NULL once closed: under the lock
    handover_arrived arrived;
    GDestroyNotify free_item;
    void *context;
};

static void clear(void *data)
{
    struct handover *handover = data;
    g_mutex_clear(&handover->lock);
}

struct handover *handover_ref(struct handover *handover)
{
    return g_atomic_rc_box_acquire(handover);
}

void handover_unref(struct handover *handover)
{
    g_atomic_rc_box_release_full(handover, clear);
}

void handover_give(struct handover *handover, void *item)
{
    handover_ref(handover); // the item may hold the caller's
    g_mutex_lock(&handover->lock);
    bool open = handover->async != NULL;
    if (open) {
        g_queue_push_tail(&handover->items, item);
        uv_async_send(handover->async);
    }
    g_mutex_unlock(&handover->lock);
    if (!open)
        handover->free_item(item);
    handover_unref(handover);
}

static void *take_item(struct handover *handover)
{
    g_mutex_lock(&handover->lock);
    void *item = g_queue_pop_head(&handover->items);
    g_mutex_unlock(&handover->lock);
    return item;
}

static void on_async(uv_async_t *async)
{
    struct handover *handover = handover_ref(async->data); // `arrived` may close it
    void *item;
    while ((item = take_item(handover)) != NULL) {
        handover->arrived(item, handover->context);
        handover->free_item(item);
    }
    handover_unref(handover);
}

struct handover *handover_new(uv_loop_t *loop, handover_arrived arrived, GDestroyNotify free_item,
                              void *context)
{
    struct handover *handover = g_atomic_rc_box_new0(struct handover);
    g_mutex_init(&handover->lock);
    handover->arrived = arrived;
    handover->free_item = free_item;
    handover->context = context;
    handover->async = g_new0(uv_async_t, 1);
    handover->async->data = handover;
    // It fails only where the process has no descriptor left when it starts.
    if (uv_async_init(loop, handover->async, on_async) != 0)
        g_error("no thread can wake the loop");
    uv_unref((uv_handle_t *)handover->async);
    return handover;
}

static void on_closed(uv_handle_t *async)
{
    g_free(async);
}

void handover_close(struct handover *handover)
{
    g_mutex_lock(&handover->lock);
    uv_async_t *async = g_steal_pointer(&handover->async);
    g_mutex_unlock(&handover->lock);
    uv_close((uv_handle_t *)async, on_closed);
    g_queue_clear_full(&handover->items, handover->free_item); // no thread adds to it now
    handover_unref(handover);
}

static gint threads; // atomic: those that have not ended

struct start {
    GThreadFunc run;
    void *data;
};

static void *run_thread(void *data)
{
    struct start start = *(struct start *)data;
    g_free(data);
    start.run(start.data);
    g_atomic_int_add(&threads, -1);
    return NULL;
}

bool handover_start_thread(const char *name, GThreadFunc run, void *data)
{
    struct start *start = g_new(struct start, 1);
    *start = (struct start){run, data};
    g_atomic_int_inc(&threads);
    GThread *thread = g_thread_try_new(name, run_thread, start, NULL);
    if (thread) {
        g_thread_unref(thread);
        return true;
    }
    g_atomic_int_add(&threads, -1);
    g_free(start);
    return false;
}

unsigned handover_count_threads(void)
{
    return (unsigned)g_atomic_int_get(&threads);
}
