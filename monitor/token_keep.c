// SPDX-License-Identifier: MIT
// The table of tokens, and the door to it: reading and writing are jobs of the writer; a lock
// that another process holds is asked for again and again, as the loop waits for nobody.
#include "token_keep.h"

#include "../base/lock.h"

// How often a lock that another process holds is tried.
enum { TRY_AGAIN_MS = 100 };

struct token_keep {
    uv_loop_t *loop;
    struct writer *writer;
    const struct store *store;
    GHashTable *held;    // char *key -> struct lock
    GPtrArray *openings; // of struct opening: those that wait for a lock
    struct token_store door;
};

struct opening {
    struct token_keep *keep;
    char *key;
    uv_timer_t timer;
    struct clock_mono until;
    bool locked;
    struct token_record *record;
    token_store_opened done;
    void *context;
};

struct saving {
    char *key;
    struct token_record *record;
    struct clock_wall now;
    token_store_saved done;
    void *context;
};

/* The table. */

// The record of a token; empty where there is none.
static struct token_record *read_row(struct db *db, const char *key, GError **error)
{
    g_autoptr(token_record_t) record = token_record_copy(NULL);
    g_autoptr(db_rows_t) rows = db_query(db, error,
                                         "SELECT refresh, former, access, purpose, access_until,"
                                         " obtained, asking FROM token WHERE key = ?",
                                         "s", key);
    if (db_rows_next(rows, error)) {
        record->refresh = g_strdup(db_rows_text(rows, 0));
        record->former = g_strdup(db_rows_text(rows, 1));
        record->access = g_strdup(db_rows_text(rows, 2));
        record->purpose = g_strdup(db_rows_text(rows, 3));
        record->access_until.us = db_rows_integer(rows, 4);
        record->obtained.us = db_rows_integer(rows, 5);
        record->asking.us = db_rows_integer(rows, 6);
    }
    return db_rows_failed(rows) ? NULL : g_steal_pointer(&record);
}

static bool write_row(struct db *db, const char *key, const struct token_record *record,
                      struct clock_wall now, GError **error)
{
    return db_run(db, error,
                  "INSERT OR REPLACE INTO token(key, refresh, former, access, purpose,"
                  " access_until, obtained, asking, changed) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                  "sssssiiii", key, record->refresh, record->former, record->access,
                  record->purpose, record->access_until.us, record->obtained.us, record->asking.us,
                  now.us);
}

/* Opening: the lock, then the record. */

static void on_timer_closed(uv_handle_t *handle)
{
    struct opening *opening = handle->data;
    token_record_free(opening->record);
    g_free(opening->key);
    g_free(opening);
}

static void finish(struct opening *opening, const char *problem)
{
    const struct token_record *record = problem != NULL ? NULL : opening->record;
    g_ptr_array_remove_fast(opening->keep->openings, opening);
    if (problem != NULL && opening->locked) {
        g_hash_table_remove(opening->keep->held, opening->key);
    }
    opening->done(record, problem, opening->context);
    uv_close((uv_handle_t *)&opening->timer, on_timer_closed);
}

static bool read_record(struct db *db, void *context, GError **error)
{
    struct opening *opening = context;
    g_clear_pointer(&opening->record, token_record_free);
    opening->record = read_row(db, opening->key, error);
    return opening->record != NULL;
}

static void on_read(const GError *error, void *context)
{
    finish(context, error != NULL ? error->message : NULL);
}

static void wait_or_give_up(struct opening *opening)
{
    if (clock_transport_now().us < opening->until.us) {
        return; // the timer comes again
    }
    finish(opening, "another erpwatch on this store is renewing the same token and does not end");
}

static void on_timer(uv_timer_t *timer)
{
    struct opening *opening = timer->data;
    struct token_keep *keep = opening->keep;
    g_autoptr(GError) error = NULL;
    struct lock *lock = store_lock_token(keep->store, opening->key, &error);
    if (g_error_matches(error, LOCK_ERROR, LOCK_ERROR_HELD)) {
        wait_or_give_up(opening);
        return;
    }
    if (lock == NULL) {
        finish(opening, error->message);
        return;
    }
    uv_timer_stop(timer);
    opening->locked = true;
    g_hash_table_replace(keep->held, g_strdup(opening->key), lock);
    const struct writer_job job = {.work = read_record, .done = on_read, .context = opening};
    writer_submit(keep->writer, &job);
}

static void open_token(void *self, const char *key, int64_t patience_ms, token_store_opened done,
                       void *context)
{
    struct token_keep *keep = self;
    struct opening *opening = g_new0(struct opening, 1);
    opening->keep = keep;
    opening->key = g_strdup(key);
    opening->until.us = clock_transport_now().us + patience_ms * 1000;
    opening->done = done;
    opening->context = context;
    opening->timer.data = opening;
    g_ptr_array_add(keep->openings, opening);
    uv_timer_init(keep->loop, &opening->timer);
    uv_timer_start(&opening->timer, on_timer, 0, TRY_AGAIN_MS);
}

static void abandon(void *self, void *context)
{
    struct token_keep *keep = self;
    for (guint i = 0; i < keep->openings->len; i++) {
        struct opening *opening = keep->openings->pdata[i];
        if (opening->context == context) {
            opening->until.us = 0; // heard of at the timer's next turn
        }
    }
}

/* Saving and giving back. */

static bool write_record(struct db *db, void *context, GError **error)
{
    const struct saving *saving = context;
    return write_row(db, saving->key, saving->record, saving->now, error);
}

static void on_written(const GError *error, void *context)
{
    struct saving *saving = context;
    token_store_saved done = saving->done;
    void *user = saving->context;
    token_record_free(saving->record);
    g_free(saving->key);
    g_free(saving);
    done(error != NULL ? error->message : NULL, user);
}

static void save(void *self, const char *key, const struct token_record *record,
                 token_store_saved done, void *context)
{
    const struct token_keep *keep = self;
    struct saving *saving = g_new0(struct saving, 1);
    saving->key = g_strdup(key);
    saving->record = token_record_copy(record);
    saving->now = clock_wall_now();
    saving->done = done;
    saving->context = context;
    // What came may use the reserve; that something is to come may not, so that there is room.
    const struct writer_job job = {.work = write_record,
                                   .done = on_written,
                                   .context = saving,
                                   .frees = record->asking.us == 0};
    writer_submit(keep->writer, &job);
}

static void close_token(void *self, const char *key)
{
    struct token_keep *keep = self;
    g_hash_table_remove(keep->held, key);
}

static void free_lock(void *lock)
{
    lock_free_and_remove(lock);
}

struct token_keep *token_keep_new(uv_loop_t *loop, struct writer *writer, const struct store *store)
{
    struct token_keep *keep = g_new0(struct token_keep, 1);
    keep->loop = loop;
    keep->writer = writer;
    keep->store = store;
    keep->held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_lock);
    keep->openings = g_ptr_array_new();
    keep->door = (struct token_store){open_token, abandon, save, close_token, keep};
    return keep;
}

const struct token_store *token_keep_door(const struct token_keep *keep)
{
    return &keep->door;
}

void token_keep_free(struct token_keep *keep)
{
    if (keep == NULL) {
        return;
    }
    g_hash_table_unref(keep->held);
    g_ptr_array_unref(keep->openings);
    g_free(keep);
}
