// SPDX-License-Identifier: MIT
// Starts `erpwatch deliver` and ends it where it takes too long. Used by the
// agent, and by check --notify.
#include "mail_child.h"

#include "../base/db.h"
#include "../base/log.h"
#include "deliver_process.h"

#include <glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

// A delivery has its own deadlines for each session; this one ends a child that
// no longer keeps them.
enum { CHILD_DEADLINE_MS = 15 * 60 * 1000 };

// Where the configuration is wrong, say, the next child would fail as the last one did.
enum { REST_MS = 60 * 1000 };

static const char STORE[] = "--store=";

struct mail_child {
    uv_loop_t *loop;
    char *config_path, *store_option;
    uint64_t rest_until; // in the loop's time
    void (*ended)(void *context);
    void *context;
    struct child_process *process; // at work, or NULL
    bool again;                    // something came due meanwhile
};

struct child_process {
    uv_process_t process;
    uv_timer_t deadline;
    struct mail_child *owner;
    int open_handles;
};

struct mail_child *mail_child_new(uv_loop_t *loop, const char *config_path, const char *store,
                                  void (*ended)(void *context), void *context)
{
    struct mail_child *child = g_new0(struct mail_child, 1);
    child->loop = loop;
    child->config_path = g_strdup(config_path);
    child->store_option = g_strconcat(STORE, store, NULL);
    child->ended = ended;
    child->context = context;
    return child;
}

bool mail_child_met_damage(const struct mail_child *child)
{
    return uv_now(child->loop) < child->rest_until &&
           db_is_suspect(child->store_option + strlen(STORE));
}

bool mail_child_is_busy(const struct mail_child *child)
{
    return child->process != NULL;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct child_process *process = handle->data;
    if (--process->open_handles == 0)
        g_free(process);
}

static void close_handles(struct child_process *process)
{
    uv_close((uv_handle_t *)&process->process, on_handle_closed);
    uv_close((uv_handle_t *)&process->deadline, on_handle_closed);
}

static void on_exit_of_child(uv_process_t *handle, int64_t status, int signal_number)
{
    struct child_process *process = handle->data;
    struct mail_child *child = process->owner;
    if (signal_number)
        log_warning("deliver was ended by signal %d; what it had not delivered is tried again",
                    signal_number);
    else if (status > 2) {
        log_warning("deliver could not do its work (exit code %d): again in %d s, or once the "
                    "configuration is read again",
                    (int)status, REST_MS / 1000);
        child->rest_until = uv_now(child->loop) + REST_MS;
    }
    close_handles(process);
    child->process = NULL;
    if (child->again)
        mail_child_start(child);
    child->ended(child->context);
}

static void on_deadline(uv_timer_t *timer)
{
    struct child_process *process = timer->data;
    log_warning("deliver has taken too long and is ended");
    uv_process_kill(&process->process, SIGKILL);
}

void mail_child_start(struct mail_child *child)
{
    child->again = child->process != NULL;
    if (child->process || uv_now(child->loop) < child->rest_until)
        return;
    struct child_process *process = g_new0(struct child_process, 1);
    process->owner = child;
    process->process.data = process->deadline.data = process;
    process->open_handles = 2;
    uv_timer_init(child->loop, &process->deadline);
    const uv_stdio_container_t none = {.flags = UV_IGNORE};
    int failed = deliver_process_start(child->loop, &process->process, child->config_path,
                                       child->store_option, none, none, on_exit_of_child);
    if (failed) {
        log_error("deliver cannot be started: %s", uv_strerror(failed));
        close_handles(process);
        return;
    }
    child->process = process;
    uv_timer_start(&process->deadline, on_deadline, CHILD_DEADLINE_MS, 0);
}

void mail_child_wake(struct mail_child *child)
{
    child->rest_until = 0;
}

void mail_child_free(struct mail_child *child)
{
    if (!child)
        return;
    if (child->process)
        close_handles(child->process); // it goes on, and keeps its own deadlines
    g_free(child->config_path);
    g_free(child->store_option);
    g_free(child);
}
