// SPDX-License-Identifier: MIT
// The writer thread. The loop's side hands its jobs over once a turn, as to wake the
// thread for each, and to sync the disk for the first of many, costs more than the jobs;
// it gets answers through one uv_async. The thread's side takes all that waits, runs each
// job in a savepoint, and commits once. Where that commit fails, each job is tried alone, so that
// one that is too big for the disk does not take the small ones with it. Knows nothing of what is
// written: the jobs come from store, ledger and watch.
#include "writer.h"

#include "../base/clock.h"
#include "../base/log.h"

static const char FULL_SENTENCE[] = "the store cannot be written: the disk is full";

enum {
    GROUP_AT_MOST = 1024,
    BUSY_TRIES = 3,             // of 10 s each
    PATIENCE_MS = 100,          // how long patient jobs wait for company
    RESTORE_PAUSE_US = 1000000, // between two tries to get the reserve back
};

struct task {
    struct writer_job job;
    GError *error;
    bool committed;
};

struct writer {
    uv_loop_t *loop;
    uv_thread_t thread;
    uv_async_t answer;
    uv_prepare_t turn;
    uv_mutex_t mutex;
    uv_cond_t wake;
    // guarded by the mutex
    GPtrArray *waiting, *answered; // of struct task
    guint urgent;                  // of those waiting: not patient
    GError *news;                  // of the last group; NULL: it went well
    bool stopping, news_unread;
    uint64_t groups, jobs;
    // of the thread alone
    struct db *db;
    struct writer_reserve reserve;
    bool reserve_gone;
    int64_t restore_tried_us;
    int64_t changes; // of the connection, at the last answer
    // of the loop's thread alone
    GPtrArray *submitted; // of struct task: in this turn
    unsigned room;
    uint64_t unanswered;
    GError *problem;
    void (*on_room)(void *context);
    void *room_context;
    void (*closed)(void *context);
    void *closed_context;
};

static void task_free(gpointer data)
{
    struct task *task = data;
    g_clear_error(&task->error);
    g_free(task);
}

// One job within the open transaction. Its failure is kept in the task.
static bool run_work(struct writer *writer, struct task *task)
{
    g_clear_error(&task->error);
    task->committed = task->job.work(writer->db, task->job.context, &task->error);
    if (!task->committed && task->error == NULL) {
        g_set_error(&task->error, DB_ERROR, DB_ERROR_FAILED, "the store refused an entry");
    }
    return task->committed;
}

// The same in a savepoint, so that its failure undoes nothing else.
static void run_in_savepoint(struct writer *writer, struct task *task)
{
    g_clear_error(&task->error);
    task->committed = false;
    if (!db_begin(writer->db, &task->error)) {
        return;
    }
    if (!run_work(writer, task)) {
        db_rollback(writer->db);
    } else if (!db_commit(writer->db, &task->error)) {
        task->committed = false;
    }
}

static bool is_our_failure(const GError *error)
{
    return error != NULL && db_is_file_error(error);
}

static bool give_up_group(struct writer *writer, const struct task *task, GError **error)
{
    g_propagate_error(error, g_error_copy(task->error));
    db_rollback(writer->db);
    return false;
}

// All tasks in one transaction, each in its savepoint. False where that failed as a
// whole, or where the file failed under a single one: then nothing is committed.
static bool run_group(struct writer *writer, GPtrArray *tasks, GError **error)
{
    if (!db_begin(writer->db, error)) {
        return false;
    }
    for (guint i = 0; i < tasks->len; i++) {
        struct task *task = tasks->pdata[i];
        run_in_savepoint(writer, task);
        if (is_our_failure(task->error)) {
            return give_up_group(writer, task, error);
        }
    }
    return db_commit(writer->db, error);
}

// The same without savepoints, which cost as much as a small job: nearly always none
// fails. False where one did, or the transaction: then nothing is committed.
static bool run_group_fast(struct writer *writer, GPtrArray *tasks, GError **error)
{
    if (!db_begin(writer->db, error)) {
        return false;
    }
    for (guint i = 0; i < tasks->len; i++) {
        if (!run_work(writer, tasks->pdata[i])) {
            return give_up_group(writer, tasks->pdata[i], error);
        }
    }
    return db_commit(writer->db, error);
}

static bool release_reserve(struct writer *writer)
{
    if (writer->reserve.release == NULL || writer->reserve_gone) {
        return false;
    }
    writer->reserve_gone = true;
    writer->restore_tried_us = clock_mono_now().us;
    return writer->reserve.release(writer->reserve.self);
}

// True where there is a reserve, or none is kept at all.
static bool has_reserve(struct writer *writer)
{
    int64_t now_us = clock_mono_now().us;
    if (!writer->reserve_gone) {
        return true;
    }
    if (now_us - writer->restore_tried_us < RESTORE_PAUSE_US) {
        return false;
    }
    writer->restore_tried_us = now_us;
    writer->reserve_gone = !writer->reserve.restore(writer->reserve.self);
    return !writer->reserve_gone;
}

static void refuse_for_space(struct task *task)
{
    g_clear_error(&task->error);
    task->committed = false;
    g_set_error_literal(&task->error, DB_ERROR, DB_ERROR_FULL, FULL_SENTENCE);
}

// One task, alone. What it failed with is kept in the task.
static void run_alone(struct writer *writer, struct task *task)
{
    GError *error = NULL;
    if (writer->reserve_gone && !task->job.frees) {
        refuse_for_space(task);
        return;
    }
    if (!db_begin(writer->db, &error)) {
        g_clear_error(&task->error);
        task->committed = false;
        task->error = error;
        return;
    }
    if (!run_work(writer, task)) {
        db_rollback(writer->db);
    } else if (!db_commit(writer->db, &task->error)) {
        task->committed = false;
    }
}

static void run_each(struct writer *writer, GPtrArray *tasks)
{
    for (guint i = 0; i < tasks->len; i++) {
        struct task *task = tasks->pdata[i];
        run_alone(writer, task);
        bool full = g_error_matches(task->error, DB_ERROR, DB_ERROR_FULL);
        if (full && release_reserve(writer) && task->job.frees) {
            run_alone(writer, task);
        }
    }
}

static void fail_all(GPtrArray *tasks, const GError *error)
{
    for (guint i = 0; i < tasks->len; i++) {
        struct task *task = tasks->pdata[i];
        g_clear_error(&task->error);
        task->error = g_error_copy(error);
        task->committed = false;
    }
}

// What ails the store after each task was tried, or NULL.
static GError *worst_of(struct writer *writer, GPtrArray *tasks)
{
    GError *error = NULL;
    for (guint i = 0; i < tasks->len && error == NULL; i++) {
        struct task *task = tasks->pdata[i];
        error = is_our_failure(task->error) ? g_error_copy(task->error) : NULL;
    }
    if (error == NULL && writer->reserve_gone) {
        error = g_error_new_literal(DB_ERROR, DB_ERROR_FULL, FULL_SENTENCE);
    }
    return error;
}

// Runs a group whatever it takes; the result is what ails the store, or NULL.
static GError *run_tasks(struct writer *writer, GPtrArray *tasks)
{
    GError *error = NULL;
    for (int i = 0; i < BUSY_TRIES && has_reserve(writer); i++) {
        g_clear_error(&error);
        if (run_group_fast(writer, tasks, &error)) {
            return NULL;
        }
        if (!is_our_failure(error)) {
            g_clear_error(&error);
            if (run_group(writer, tasks, &error)) {
                return NULL;
            }
        }
        if (!g_error_matches(error, DB_ERROR, DB_ERROR_BUSY)) {
            break;
        }
    }
    bool in_parts = error == NULL || g_error_matches(error, DB_ERROR, DB_ERROR_FULL) ||
                    g_error_matches(error, DB_ERROR, DB_ERROR_FAILED);
    if (!in_parts) {
        fail_all(tasks, error);
        return error;
    }
    g_clear_error(&error);
    run_each(writer, tasks);
    return worst_of(writer, tasks);
}

// Moves what waits, at most a group, out of the queue. With the mutex held.
static GPtrArray *take_group(struct writer *writer)
{
    GPtrArray *group = g_ptr_array_new();
    guint count = MIN(writer->waiting->len, (guint)GROUP_AT_MOST);
    for (guint i = 0; i < count; i++) {
        const struct task *task = writer->waiting->pdata[i];
        writer->urgent -= !task->job.patient;
        g_ptr_array_add(group, writer->waiting->pdata[i]);
    }
    g_ptr_array_remove_range(writer->waiting, 0, count);
    return group;
}

// With the mutex held. A group that only read does not prove that the file can be written.
static void answer_group(struct writer *writer, GPtrArray *group, GError *error)
{
    int64_t changes = db_total_changes(writer->db);
    writer->groups++;
    writer->jobs += group->len;
    if (error != NULL || changes != writer->changes) {
        g_clear_error(&writer->news);
        writer->news = error;
        writer->news_unread = true;
    }
    writer->changes = changes;
    g_ptr_array_extend_and_steal(writer->answered, group);
}

static bool is_pressed(const struct writer *writer)
{
    return writer->urgent > 0 || writer->stopping || writer->waiting->len >= GROUP_AT_MOST;
}

// With the mutex held. Patient jobs alone wait a while: each commit costs a sync of the disk.
static void wait_for_work(struct writer *writer)
{
    while (writer->waiting->len == 0 && !writer->stopping) {
        uv_cond_wait(&writer->wake, &writer->mutex);
    }
    if (!is_pressed(writer)) {
        uv_cond_timedwait(&writer->wake, &writer->mutex, PATIENCE_MS * UINT64_C(1000000));
    }
}

static void run_thread(void *context)
{
    struct writer *writer = context;
    uv_mutex_lock(&writer->mutex);
    for (;;) {
        wait_for_work(writer);
        if (writer->waiting->len == 0) {
            break;
        }
        GPtrArray *group = take_group(writer);
        uv_mutex_unlock(&writer->mutex);
        GError *error = run_tasks(writer, group);
        uv_mutex_lock(&writer->mutex);
        answer_group(writer, group, error);
        uv_async_send(&writer->answer);
    }
    uv_mutex_unlock(&writer->mutex);
}

// Says once what ails the store, and once that it is over.
static void take_news(struct writer *writer, GError *news)
{
    bool was_well = writer->problem == NULL;
    // What is damaged stays so, even where some page of it can be written.
    if (g_error_matches(writer->problem, DB_ERROR, DB_ERROR_CORRUPT)) {
        g_clear_error(&news);
        return;
    }
    g_clear_error(&writer->problem);
    writer->problem = news;
    if (was_well && news != NULL) {
        log_error("%s", news->message);
    } else if (!was_well && news == NULL) {
        log_info("the store can be written again");
    }
}

static void give_answers(struct writer *writer)
{
    uv_mutex_lock(&writer->mutex);
    g_autoptr(GPtrArray) answered = writer->answered;
    writer->answered = g_ptr_array_new_with_free_func(task_free);
    GError *news = g_steal_pointer(&writer->news);
    bool unread = writer->news_unread;
    writer->news_unread = false;
    uv_mutex_unlock(&writer->mutex);
    if (unread) {
        take_news(writer, news);
    }
    for (guint i = 0; i < answered->len; i++) {
        struct task *task = answered->pdata[i];
        writer->unanswered--;
        if (task->job.done != NULL) {
            task->job.done(task->committed ? NULL : task->error, task->job.context);
        }
    }
}

static void tell_room(struct writer *writer)
{
    void (*callback)(void *) = writer->on_room;
    if (callback != NULL && writer_has_room(writer)) {
        writer->on_room = NULL;
        callback(writer->room_context);
    }
}

static void on_answer(uv_async_t *handle)
{
    struct writer *writer = handle->data;
    give_answers(writer);
    tell_room(writer);
}

// What was submitted in this turn of the loop.
static void hand_over(struct writer *writer)
{
    if (writer->submitted->len == 0) {
        return;
    }
    uv_mutex_lock(&writer->mutex);
    bool first = writer->waiting->len == 0;
    for (guint i = 0; i < writer->submitted->len; i++) {
        const struct task *task = writer->submitted->pdata[i];
        writer->urgent += !task->job.patient;
        g_ptr_array_add(writer->waiting, writer->submitted->pdata[i]);
    }
    // patient ones among others wake nobody: the thread wakes by itself
    if (first || is_pressed(writer)) {
        uv_cond_signal(&writer->wake);
    }
    uv_mutex_unlock(&writer->mutex);
    g_ptr_array_set_size(writer->submitted, 0);
}

static void on_turn(uv_prepare_t *handle)
{
    hand_over(handle->data);
}

static void free_writer(struct writer *writer)
{
    uv_cond_destroy(&writer->wake);
    uv_mutex_destroy(&writer->mutex);
    g_ptr_array_unref(writer->submitted);
    g_ptr_array_unref(writer->waiting);
    g_ptr_array_unref(writer->answered);
    g_clear_error(&writer->news);
    g_clear_error(&writer->problem);
    db_close(writer->db);
    g_free(writer);
}

static void on_closed(uv_handle_t *handle)
{
    struct writer *writer = handle->data;
    void (*closed)(void *) = writer->closed;
    void *context = writer->closed_context;
    free_writer(writer);
    if (closed != NULL) {
        closed(context);
    }
}

static void on_turn_closed(uv_handle_t *handle)
{
    struct writer *writer = handle->data;
    uv_close((uv_handle_t *)&writer->answer, on_closed);
}

static void close_handles(struct writer *writer)
{
    uv_close((uv_handle_t *)&writer->turn, on_turn_closed);
}

struct writer *writer_new(uv_loop_t *loop, struct db *db, unsigned room,
                          const struct writer_reserve *reserve, GError **error)
{
    struct writer *writer = g_new0(struct writer, 1);
    writer->loop = loop;
    writer->db = db;
    writer->room = room;
    writer->submitted = g_ptr_array_new();
    writer->waiting = g_ptr_array_new();
    writer->answered = g_ptr_array_new_with_free_func(task_free);
    if (reserve != NULL) {
        writer->reserve = *reserve;
        writer->reserve_gone = reserve->gone;
    }
    bool ready = uv_mutex_init(&writer->mutex) == 0 && uv_cond_init(&writer->wake) == 0 &&
                 uv_async_init(loop, &writer->answer, on_answer) == 0 &&
                 uv_prepare_init(loop, &writer->turn) == 0 &&
                 uv_prepare_start(&writer->turn, on_turn) == 0;
    g_assert(ready);
    writer->answer.data = writer->turn.data = writer;
    int code = uv_thread_create(&writer->thread, run_thread, writer);
    if (code != 0) {
        g_set_error(error, DB_ERROR, DB_ERROR_FAILED, "the writer's thread cannot be started: %s",
                    uv_strerror(code));
        close_handles(writer);
        return NULL;
    }
    return writer;
}

void writer_submit(struct writer *writer, const struct writer_job *job)
{
    struct task *task = g_new0(struct task, 1);
    task->job = *job;
    writer->unanswered++;
    g_ptr_array_add(writer->submitted, task);
}

bool writer_has_room(struct writer *writer)
{
    return writer->unanswered < writer->room;
}

void writer_on_room(struct writer *writer, void (*callback)(void *context), void *context)
{
    writer->on_room = callback;
    writer->room_context = context;
}

const GError *writer_problem(const struct writer *writer)
{
    return writer->problem;
}

uint64_t writer_groups(const struct writer *writer)
{
    return writer->groups;
}

uint64_t writer_jobs(const struct writer *writer)
{
    return writer->jobs;
}

// What the last answers have led to: the thread is gone, so it is done here.
static void finish_late_jobs(struct writer *writer)
{
    for (hand_over(writer); writer->waiting->len > 0; hand_over(writer)) {
        GPtrArray *group = take_group(writer);
        answer_group(writer, group, run_tasks(writer, group));
        give_answers(writer);
    }
}

void writer_close(struct writer *writer, void (*closed)(void *context), void *context)
{
    writer->closed = closed;
    writer->closed_context = context;
    hand_over(writer);
    uv_mutex_lock(&writer->mutex);
    writer->stopping = true;
    uv_cond_signal(&writer->wake);
    uv_mutex_unlock(&writer->mutex);
    uv_thread_join(&writer->thread);
    give_answers(writer);
    finish_late_jobs(writer);
    close_handles(writer);
}
