// SPDX-License-Identifier: MIT
// The standby's life: begun at the first result that the store refuses, delivering
// by a child for each notice, given back when the store can be written again. All
// of it on the loop's thread, but for the giving back, which the writer does with
// the memory to itself.
#include "standby.h"

#include "../alerts/words.h"
#include "../base/lock.h"
#include "../base/log.h"
#include "standby_child.h"
#include "standby_file.h"
#include "store.h"
#include "store_trouble.h"

enum { TRIM_EVERY = 1000 };

struct standby {
    uv_loop_t *loop;
    char *path, *config_path;
    struct db *memory;           // NULL while the store does it all
    struct standby_file *file;   // NULL: there is none
    char *without_file;          // why; NULL: not tried
    bool file_is_held;           // by another process, for now
    bool file_lacks;             // what the memory has, which was told
    bool memory_alone;           // as it was when the memory was begun: told once, in one form
    bool inherited;              // from a former process, which has told the fallback
    struct outbox_item *item;    // on its way, or NULL
    struct standby_child *child; // that sends it
    struct syncing *syncing;     // beside that
    enum db_error cause;         // why the store cannot be written
    unsigned results;            // taken since the memory was begun
    bool trimmed;                // some runs were dropped
    bool giving_back;
    struct { // of standby_deliver
        const struct config *config;
        void (*done)(void *context); // NULL: not asked for
        void *context;
    } delivery;
};

// The file on its way to the disk, by a thread that may wait for it.
struct syncing {
    uv_work_t work;
    struct standby *standby; // NULL where it was freed meanwhile
    struct standby_file_sync files;
};

struct standby *standby_new(uv_loop_t *loop, const char *path, const char *config_path)
{
    struct standby *standby = g_new0(struct standby, 1);
    standby->loop = loop;
    standby->path = g_strdup(path);
    standby->config_path = g_strdup(config_path);
    return standby;
}

bool standby_is_used(const struct standby *standby)
{
    return standby->memory != NULL || standby->giving_back;
}

bool standby_is_sending(const struct standby *standby)
{
    return standby->item != NULL;
}

// Keeps in the file what is new, and what became of the notice with this sequence (0: none).
static void keep(struct standby *standby, int64_t notice)
{
    g_autoptr(GError) error = NULL;
    bool lacked = standby->file_lacks;
    if (standby->file == NULL || standby->memory == NULL) {
        return;
    }
    standby->file_lacks = !standby_file_keep(standby->file, standby->memory, notice, &error);
    if (standby->file_lacks && !lacked) {
        log_warning("what is kept in memory from now on is lost if this process ends: %s",
                    error->message);
    }
}

// Taken over from a former process, it is as if it had been taken here.
static bool load(struct standby *standby, const struct config *config, GError **error)
{
    g_autoptr(db_t) memory = store_open_memory(error);
    g_autoptr(db_t) left = NULL;
    if (memory == NULL) {
        return false;
    }
    standby_begin(memory, standby->path);
    if (!standby_file_left(standby->file, memory, &left, error)) {
        return false;
    }
    if (left == NULL) {
        return true;
    }
    log_info("what was kept in %s while the store could not be written is taken over",
             standby_file_path(standby->file));
    if (!standby_merge(left, memory, config, error)) {
        return false;
    }
    standby_file_follow(standby->file, memory);
    standby->memory = g_steal_pointer(&memory);
    standby->cause = DB_ERROR_FULL;
    standby->inherited = true;
    return true;
}

static void warn_of_no_file(const struct standby *standby)
{
    log_warning("nothing is kept on disk while the store cannot be written: %s",
                standby->without_file);
}

// Another process that has it gives it back when it ends: of no weight unless it is needed before.
static void note_no_file(struct standby *standby, const GError *error)
{
    standby->file_is_held = g_error_matches(error, LOCK_ERROR, LOCK_ERROR_HELD);
    g_free(standby->without_file);
    standby->without_file = g_strdup(error->message);
    if (!standby->file_is_held) {
        warn_of_no_file(standby);
    }
}

void standby_use_file(struct standby *standby, const struct config *config)
{
    g_autoptr(GError) error = NULL;
    bool failed = standby->without_file != NULL && !standby->file_is_held;
    if (standby->file != NULL || standby->memory != NULL || failed) {
        return;
    }
    standby->file = standby_file_open(standby->path, &error);
    if (standby->file == NULL || !load(standby, config, &error)) {
        note_no_file(standby, error);
        g_clear_pointer(&standby->file, standby_file_free);
    }
}

// What another process keeps in the file is known here, too, so that it is not mailed twice: it
// sends what waits, and gives all of it to the store.
static void learn(const struct standby *standby, const struct config *config)
{
    g_autoptr(db_t) kept = standby_file_peek(standby->path, standby->memory);
    if (kept == NULL || !db_begin(standby->memory, NULL)) {
        return;
    }
    if (standby_merge(kept, standby->memory, config, NULL) &&
        db_script(standby->memory,
                  "DELETE FROM event; DELETE FROM outbox_recipient; DELETE FROM outbox_notice",
                  NULL)) {
        (void)db_commit(standby->memory, NULL);
    } else {
        db_rollback(standby->memory);
    }
}

static bool open_memory(struct standby *standby, const struct config *config, GError **error)
{
    if (standby->memory != NULL) {
        return true;
    }
    standby->memory = store_open_memory(error);
    if (standby->memory == NULL) {
        return false;
    }
    standby_begin(standby->memory, standby->path);
    if (standby->file != NULL) {
        standby_file_follow(standby->file, standby->memory);
        keep(standby, 0);
    } else if (standby->without_file != NULL) {
        warn_of_no_file(standby);
    }
    standby->memory_alone = standby->file == NULL || standby->file_lacks;
    if (standby->file_is_held) {
        learn(standby, config);
    }
    log_warning(
        "the store cannot be written (%s: %s): runs and incidents are kept in memory, mails "
        "are sent from there; flows that create records run only where their undos can "
        "still be noted. %s",
        standby->path, store_trouble_what(standby->cause), store_trouble_mend(standby->cause));
    return true;
}

void standby_take_over(struct standby *standby, const struct config *config, enum db_error cause)
{
    g_autoptr(GError) error = NULL;
    if (standby->memory != NULL || standby->giving_back) {
        return;
    }
    standby->cause = cause;
    if (!open_memory(standby, config, &error)) {
        log_error("%s", error->message);
    }
}

static char *where_it_is_kept(const struct standby *standby, const struct words *words)
{
    if (!standby->memory_alone) {
        return words_fill(words,
                          "They are kept in {path}.standby too, as far as there is room in it: "
                          "whoever starts next takes them over from there.",
                          "path", standby->path, NULL);
    }
    return words_fill(words,
                      "They are nowhere else: {path}.standby cannot be written, so that they are "
                      "lost if erpwatch ends before.",
                      "path", standby->path, NULL);
}

// The fallback hears of it once a day at most: what the memory tells it, the store learns too.
static bool tell_fallback(struct standby *standby, const struct config *config,
                          struct clock_wall now, GError **error)
{
    if (standby->inherited) {
        return true;
    }
    const struct words *words = watch_monitor_words(config);
    g_autofree char *kept = where_it_is_kept(standby, words);
    g_autofree char *text = words_fill(
        words,
        "The store {path} cannot be used: {what}. {mend}\n\nUntil then, runs and incidents are "
        "kept in memory, and mails are sent from there. {kept} Flows that create records run only "
        "where their undos can still be noted.\n",
        "path", standby->path, "what", words_get(words, store_trouble_what(standby->cause)), "mend",
        words_get(words, store_trouble_mend(standby->cause)), "kept", kept, NULL);
    return watch_tell_monitor(standby->memory, config,
                              words_get(words, "erpwatch cannot write its store"), text, now,
                              error);
}

// Memory is not for ever: the oldest runs go.
static void trim_now_and_then(struct standby *standby)
{
    if (++standby->results % TRIM_EVERY != 0 || !standby_trim(standby->memory)) {
        return;
    }
    if (!standby->trimmed) {
        log_warning("the store cannot be written for so long that the oldest runs are dropped "
                    "from memory");
    }
    standby->trimmed = true;
}

bool standby_result(struct standby *standby, const struct config *config,
                    const struct watch_event *event, struct watch_answer *answer, GError **error)
{
    if (!open_memory(standby, config, error) || !db_begin(standby->memory, error)) {
        return false;
    }
    if (!tell_fallback(standby, config, event->ended, error) ||
        !watch_result(standby->memory, config, event, answer, error)) {
        db_rollback(standby->memory);
        return false;
    }
    trim_now_and_then(standby);
    if (!db_commit(standby->memory, error)) {
        return false;
    }
    keep(standby, 0);
    return true;
}

static void deliver_next(struct standby *standby);

static void on_sent(const cJSON *report, void *context)
{
    struct standby *standby = context;
    struct outbox_item *item = g_steal_pointer(&standby->item);
    g_autoptr(GError) error = NULL;
    standby->child = NULL;
    if (standby->memory != NULL &&
        !standby_settle(standby->memory, item, report, clock_wall_now(), &error)) {
        log_error("%s", error->message);
    }
    keep(standby, item->sequence);
    outbox_item_free(item);
    if (standby->delivery.done != NULL) {
        deliver_next(standby);
    }
}

static void sync_file(uv_work_t *work)
{
    const struct syncing *syncing = work->data;
    standby_file_sync(&syncing->files);
}

static void on_synced(uv_work_t *work, int status)
{
    struct syncing *syncing = work->data;
    struct standby *standby = syncing->standby;
    (void)status;
    g_free(syncing);
    if (standby != NULL) {
        standby->syncing = NULL;
    }
}

// What is told is known after a power cut, too. The mail does not wait for a disk that may be the
// trouble.
static void sync_meanwhile(struct standby *standby)
{
    if (standby->file == NULL || standby->file_lacks || standby->syncing != NULL) {
        return;
    }
    struct syncing *syncing = g_new(struct syncing, 1);
    *syncing = (struct syncing){.standby = standby, .files = standby_file_to_sync(standby->file)};
    syncing->work.data = standby->syncing = syncing;
    (void)uv_queue_work(standby->loop, &syncing->work, sync_file, on_synced);
}

static void start(struct standby *standby, struct outbox_item *item)
{
    standby->item = item;
    sync_meanwhile(standby);
    standby->child = standby_child_start(standby->loop, standby->config_path, standby_facts(item),
                                         on_sent, standby);
    if (standby->child == NULL) {
        on_sent(NULL, standby);
    }
}

static void note_time(struct standby *standby, const struct config *config)
{
    g_autoptr(GError) error = NULL;
    bool notices = false;
    if (!watch_tick(standby->memory, config, clock_wall_now(), &notices, &error)) {
        log_error("%s", error->message);
    }
    keep(standby, 0);
}

void standby_serve(struct standby *standby, const struct config *config)
{
    if (standby->memory == NULL || standby->item != NULL) {
        return;
    }
    note_time(standby, config);
    struct outbox_item *item = standby_take_notice(standby->memory, config, clock_wall_now());
    if (item != NULL) {
        start(standby, item);
    }
}

static void deliver_next(struct standby *standby)
{
    standby_serve(standby, standby->delivery.config);
    if (standby->item == NULL && standby->delivery.done != NULL) {
        void (*done)(void *) = standby->delivery.done;
        standby->delivery.done = NULL;
        done(standby->delivery.context);
    }
}

void standby_deliver(struct standby *standby, const struct config *config,
                     void (*done)(void *context), void *context)
{
    standby->delivery.config = config;
    standby->delivery.done = done;
    standby->delivery.context = context;
    deliver_next(standby);
}

struct giving {
    struct standby *standby;
    struct db *memory;
    const struct config *config;
    void (*done)(void *context);
    void *context;
};

static bool give(struct db *db, void *context, GError **error)
{
    const struct giving *giving = context;
    const struct standby_file *file = giving->standby->file;
    return standby_merge(giving->memory, db, giving->config, error) &&
           (file == NULL || standby_file_give(file, db, error));
}

static void empty_file(struct standby *standby)
{
    g_autoptr(GError) error = NULL;
    if (standby->file != NULL && !standby_file_empty(standby->file, &error)) {
        log_warning("%s", error->message);
    }
}

static void on_given(const GError *error, void *context)
{
    struct giving *giving = context;
    struct standby *standby = giving->standby;
    standby->giving_back = false;
    if (error == NULL) {
        log_info("the store can be written: what was kept in memory is in it now");
        db_close(giving->memory);
        standby->results = 0;
        standby->trimmed = standby->file_lacks = standby->inherited = false;
        empty_file(standby);
    } else if (standby->memory == NULL) {
        standby->memory = giving->memory;
    } else {
        // A second one was begun in between: what the first one told has been mailed.
        log_error("what was kept in memory could not be stored: %s", error->message);
        db_close(giving->memory);
    }
    giving->done(giving->context);
    g_free(giving);
}

bool standby_give_back(struct standby *standby, struct writer *writer, const struct config *config,
                       void (*done)(void *context), void *context)
{
    if (standby->memory == NULL || standby->giving_back || standby->cause == DB_ERROR_CORRUPT) {
        return false;
    }
    struct giving *giving = g_new(struct giving, 1);
    *giving = (struct giving){standby, g_steal_pointer(&standby->memory), config, done, context};
    standby->giving_back = true;
    struct writer_job job = {.work = give, .done = on_given, .context = giving};
    writer_submit(writer, &job);
    return true;
}

struct submission {
    struct standby *standby;
    struct writer *writer;
    const struct config *config;
    struct watch_event *event;
    struct watch_answer answer;
    watch_done done;
    void *context;
};

static bool watch_it(struct db *db, void *context, GError **error)
{
    struct submission *submission = context;
    return watch_result(db, submission->config, submission->event, &submission->answer, error);
}

static bool wait_for_turn(struct db *db, void *context, GError **error)
{
    (void)db;
    (void)context;
    (void)error;
    return true;
}

static void answer(struct submission *submission, const GError *error)
{
    submission->done(&submission->answer, error, submission->context);
    watch_event_free(submission->event);
    g_free(submission);
}

static void take(struct submission *submission)
{
    g_autoptr(GError) problem = NULL;
    (void)standby_result(submission->standby, submission->config, submission->event,
                         &submission->answer, &problem);
    answer(submission, problem);
}

static void on_watched(const GError *error, void *context)
{
    struct submission *submission = context;
    if (error != NULL && db_is_file_error(error)) {
        submission->standby->cause = (enum db_error)error->code;
        take(submission);
    } else {
        answer(submission, error);
    }
}

static void submit(struct submission *submission);

// Its turn has come, whether or not the store can be written.
static void on_turn(const GError *error, void *context)
{
    struct submission *submission = context;
    (void)error;
    if (submission->standby->memory != NULL) {
        take(submission);
    } else {
        submit(submission);
    }
}

// What the memory holds comes before what follows: results go there until it is given
// back, even where the file could take one of them in between.
static void submit(struct submission *submission)
{
    const struct standby *standby = submission->standby;
    bool waits = standby->memory != NULL || standby->giving_back;
    struct writer_job job = {.work = waits ? wait_for_turn : watch_it,
                             .done = waits ? on_turn : on_watched,
                             .context = submission,
                             .patient = watch_event_is_patient(submission->event)};
    writer_submit(submission->writer, &job);
}

void standby_submit(struct standby *standby, struct writer *writer, const struct config *config,
                    struct watch_event *event, watch_done done, void *context)
{
    struct submission *submission = g_new0(struct submission, 1);
    *submission = (struct submission){.standby = standby,
                                      .writer = writer,
                                      .config = config,
                                      .event = event,
                                      .done = done,
                                      .context = context};
    submit(submission);
}

static void say_what_becomes_of_it(const struct standby *standby)
{
    if (standby->file == NULL) {
        log_warning("what was kept in memory while the store could not be written is lost");
        return;
    }
    log_warning("what was taken while the store could not be written is in %s for the next start%s",
                standby_file_path(standby->file),
                standby->file_lacks ? ", but for the last of it, which is lost"
                                    : ", but for the times of good runs");
}

void standby_free(struct standby *standby)
{
    if (standby == NULL) {
        return;
    }
    if (standby->syncing != NULL) {
        standby->syncing->standby = NULL;
    }
    if (standby->child != NULL) {
        standby_child_let_go(standby->child);
    }
    if (standby->memory != NULL) {
        say_what_becomes_of_it(standby);
    }
    standby_file_free(standby->file);
    outbox_item_free(standby->item);
    db_close(standby->memory);
    g_free(standby->without_file);
    g_free(standby->path);
    g_free(standby->config_path);
    g_free(standby);
}
