// SPDX-License-Identifier: MIT
// Mailing from memory: a child `deliver --stdin` is given one notice, and its report is read. Comes
// after the standby has chosen the notice, and before it takes down what became of it.
#include "standby_child.h"

#include "../base/log.h"
#include "deliver_process.h"

#include <signal.h>
#include <string.h>

enum { REPORT_BYTES = 1024 * 1024, CHILD_DEADLINE_MS = 5 * 60 * 1000 };

struct standby_child {
    uv_process_t process;
    uv_pipe_t in, out;
    uv_timer_t deadline;
    uv_write_t write;
    char *facts;
    GString *report;
    standby_child_done done;
    void *context;
    bool exited, ended; // ended: its output
    bool alone;         // nobody waits for it any more
    int open_handles;
    char buffer[4096];
};

static void release(struct standby_child *child)
{
    if (--child->open_handles == 0) {
        g_free(child->facts);
        g_string_free(child->report, TRUE);
        g_free(child);
    }
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void close_handle(struct standby_child *child, uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        child->open_handles++;
        uv_close(handle, on_closed);
    }
}

static void close_all(struct standby_child *child)
{
    close_handle(child, (uv_handle_t *)&child->process);
    close_handle(child, (uv_handle_t *)&child->in);
    close_handle(child, (uv_handle_t *)&child->out);
    close_handle(child, (uv_handle_t *)&child->deadline);
    release(child);
}

// The report is the line of JSON that the child writes last.
static cJSON *read_report(const struct standby_child *child)
{
    const char *line = strstr(child->report->str, "{\"notice\"");
    return line != NULL ? json_parse(line, strlen(line), NULL) : NULL;
}

// Both the exit and the end of the output have to come.
static void finish_when_done(struct standby_child *child)
{
    if (!child->exited || !child->ended) {
        return;
    }
    g_autoptr(cJSON) report = read_report(child);
    standby_child_done done = child->done;
    void *context = child->context;
    close_all(child);
    done(report, context);
}

static void on_exit_of_child(uv_process_t *process, int64_t status, int number)
{
    struct standby_child *child = process->data;
    (void)status;
    (void)number;
    child->exited = true;
    finish_when_done(child);
}

static void on_deadline(uv_timer_t *timer)
{
    struct standby_child *child = timer->data;
    uv_process_kill(&child->process, SIGKILL);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct standby_child *child = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(child->buffer, sizeof child->buffer);
}

static void on_output(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct standby_child *child = stream->data;
    if (length > 0 && child->report->len < REPORT_BYTES) {
        g_string_append_len(child->report, buffer->base, length);
    }
    if (length < 0) {
        child->ended = true;
        finish_when_done(child);
    }
}

static void on_written(uv_write_t *write, int status)
{
    struct standby_child *child = write->data;
    (void)status; // a child that does not read tells so by its report
    if (!uv_is_closing((uv_handle_t *)&child->in)) {
        close_handle(child, (uv_handle_t *)&child->in);
    }
    if (child->alone) {
        release(child);
    }
}

static int start_process(uv_loop_t *loop, struct standby_child *child, const char *config_path)
{
    const uv_stdio_container_t in = {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
                                     .data.stream = (uv_stream_t *)&child->in};
    const uv_stdio_container_t out = {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
                                      .data.stream = (uv_stream_t *)&child->out};
    return deliver_process_start(loop, &child->process, config_path, "--stdin", in, out,
                                 on_exit_of_child);
}

static struct standby_child *new_child(uv_loop_t *loop, char *facts)
{
    struct standby_child *child = g_new0(struct standby_child, 1);
    child->open_handles = 1; // stands for itself, until it is done
    child->facts = facts;
    child->report = g_string_new(NULL);
    uv_pipe_init(loop, &child->in, 0);
    uv_pipe_init(loop, &child->out, 0);
    uv_timer_init(loop, &child->deadline);
    child->process.data = child->in.data = child->out.data = child;
    child->deadline.data = child->write.data = child;
    return child;
}

struct standby_child *standby_child_start(uv_loop_t *loop, const char *config_path, char *facts,
                                          standby_child_done done, void *context)
{
    struct standby_child *child = new_child(loop, facts);
    int failed = start_process(loop, child, config_path);
    if (failed != 0) {
        log_error("deliver cannot be started: %s", uv_strerror(failed));
        close_all(child);
        return NULL;
    }
    child->done = done;
    child->context = context;
    uv_buf_t bytes = uv_buf_init(child->facts, (unsigned)strlen(child->facts));
    uv_write(&child->write, (uv_stream_t *)&child->in, &bytes, 1, on_written);
    uv_read_start((uv_stream_t *)&child->out, give_buffer, on_output);
    uv_timer_start(&child->deadline, on_deadline, CHILD_DEADLINE_MS, 0);
    return child;
}

void standby_child_let_go(struct standby_child *child)
{
    if (uv_stream_get_write_queue_size((uv_stream_t *)&child->in) == 0) {
        close_all(child);
        return;
    }
    child->alone = true;
    close_handle(child, (uv_handle_t *)&child->process);
    close_handle(child, (uv_handle_t *)&child->out);
    close_handle(child, (uv_handle_t *)&child->deadline);
}
