// SPDX-License-Identifier: MIT
// The standby's file: a database of the store's form that holds only what the store lacks. All
// its pages are there before they are needed, and its journal too, so that nothing
// grows. It is synced as a mail goes out, so that what was told is known after a power cut,
// too. Comes beside standby, which works in memory.
#include "standby_file.h"

#include "../base/ids.h"
#include "../base/lock.h"
#include "../base/log.h"
#include "schema.h"
#include "store_runs.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, ROOM_BYTES = 2 * 1024 * 1024, JOURNAL_BYTES = 512 * 1024 };

static const char KEY[] = "standby"; // in meta: the mark of what is held, and of what was given

struct standby_file {
    char *path;
    struct lock *lock;
    char *mark;
    int fd, journal_fd;         // to sync by; closed last, as that drops what SQLite has locked
    int64_t event, run, notice; // kept up to here, by the memory's own numbers
};

static bool make_room(struct db *db, GError **error)
{
    g_autofree char *sql = g_strdup_printf("DROP TABLE IF EXISTS room; CREATE TABLE room(bytes); "
                                           "INSERT INTO room VALUES(zeroblob(%d)); DROP TABLE room",
                                           ROOM_BYTES);
    int64_t pages = 0;
    return db_take_integer(db_query(db, error, "PRAGMA page_count", ""), 0, &pages, error) &&
           (pages * PAGE_BYTES > ROOM_BYTES || db_script(db, sql, error));
}

static char *path_beside(const char *store_path)
{
    return g_strconcat(store_path, ".standby", NULL);
}

static char *journal_path(const struct standby_file *file)
{
    return g_strconcat(file->path, "-journal", NULL);
}

// The journal is never removed, and as large as it may become.
static bool make_journal(const struct standby_file *file, GError **error)
{
    g_autofree char *path = journal_path(file);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool made = fd >= 0 && posix_fallocate(fd, 0, JOURNAL_BYTES) == 0;
    if (fd >= 0)
        close(fd);
    if (!made)
        g_set_error(error, DB_ERROR, DB_ERROR_FULL, "there is no room for %s", path);
    return made;
}

static struct db *open_file(const struct standby_file *file, GError **error)
{
    g_autoptr(db_t) db = db_open(file->path, DB_CREATE | DB_IN_PLACE, error);
    return db && schema_migrate(db, file->path, error) ? g_steal_pointer(&db) : NULL;
}

// The room that a disk does not have is not taken from the store either.
static void leave_no_trace(const struct standby_file *file)
{
    g_autofree char *journal = journal_path(file);
    (void)unlink(file->path);
    (void)unlink(journal);
}

static bool prepare(struct standby_file *file, GError **error)
{
    GError *problem = NULL;
    g_autoptr(db_t) db = open_file(file, error);
    if (!db)
        return false;
    g_free(file->mark);
    file->mark = store_runs_get(db, KEY, &problem);
    if (problem) {
        g_propagate_error(error, problem);
        return false;
    }
    if (make_room(db, error) && make_journal(file, error))
        return true;
    if (!file->mark)
        leave_no_trace(file);
    return false;
}

// A file that cannot be read is of no use to anybody but a person.
static bool prepare_anew(struct standby_file *file, GError **error)
{
    GError *problem = NULL;
    if (prepare(file, &problem))
        return true;
    g_autofree char *aside = g_strconcat(file->path, ".damaged", NULL);
    bool damaged = g_error_matches(problem, DB_ERROR, DB_ERROR_CORRUPT);
    if (!damaged || rename(file->path, aside) != 0) {
        g_propagate_error(error, problem);
        return false;
    }
    log_warning("%s: what was kept there is lost; it is now %s", problem->message, aside);
    g_error_free(problem);
    db_clear_suspect(file->path);
    return prepare(file, error);
}

static void open_to_sync(struct standby_file *file)
{
    g_autofree char *journal = journal_path(file);
    file->fd = open(file->path, O_RDWR | O_CLOEXEC);
    file->journal_fd = open(journal, O_RDWR | O_CLOEXEC);
}

struct standby_file *standby_file_open(const char *store_path, GError **error)
{
    struct standby_file *file = g_new0(struct standby_file, 1);
    file->fd = file->journal_fd = -1;
    g_autofree char *lock = g_strconcat(store_path, ".locks/standby", NULL);
    file->path = path_beside(store_path);
    file->lock = lock_take(lock, error);
    if (file->lock && prepare_anew(file, error)) {
        open_to_sync(file);
        return file;
    }
    standby_file_free(file);
    return NULL;
}

const char *standby_file_path(const struct standby_file *file)
{
    return file->path;
}

struct standby_file_sync standby_file_to_sync(const struct standby_file *file)
{
    return (struct standby_file_sync){{file->fd, file->journal_fd}};
}

void standby_file_sync(const struct standby_file_sync *sync)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sync->fds); i++)
        if (sync->fds[i] >= 0)
            (void)fdatasync(sync->fds[i]); // a disk that refuses it keeps no mail from going out
}

struct db *standby_file_peek(const char *store_path, struct db *memory)
{
    g_autofree char *path = path_beside(store_path);
    g_autofree char *given = store_runs_get(memory, KEY, NULL);
    g_autoptr(db_t) db = db_open(path, DB_READ_ONLY, NULL);
    g_autofree char *mark = NULL;
    if (db && schema_check(db, path, NULL))
        mark = store_runs_get(db, KEY, NULL);
    return mark && g_strcmp0(mark, given) != 0 ? g_steal_pointer(&db) : NULL;
}

bool standby_file_left(struct standby_file *file, struct db *memory, struct db **left,
                       GError **error)
{
    g_autofree char *given = store_runs_get(memory, KEY, NULL);
    *left = NULL;
    if (!file->mark)
        return true;
    if (g_strcmp0(file->mark, given) == 0)
        return standby_file_empty(file, error);
    *left = open_file(file, error);
    return *left != NULL;
}

static int64_t last(struct db *memory, const char *sql)
{
    int64_t number = 0;
    (void)db_take_integer(db_query(memory, NULL, sql, ""), 0, &number, NULL);
    return number;
}

static const char last_event[] = "SELECT max(seq) FROM main.event",
                  last_run[] = "SELECT max(seq) FROM main.run",
                  last_notice[] = "SELECT max(sequence) FROM main.outbox_notice";

void standby_file_follow(struct standby_file *file, struct db *memory)
{
    file->event = last(memory, last_event);
    file->run = last(memory, last_run);
    file->notice = last(memory, last_notice);
}

/* What is new, from `main` to `kept`: by names, as numbers differ. */

#define THESE "(n.sequence > ?1 OR n.sequence = ?2)"

static const char event_sql[] =
    "INSERT INTO kept.event(at, kind, data) SELECT at, kind, data FROM main.event WHERE seq > ?1"
    " ORDER BY seq";
static const char flow_sql[] =
    "INSERT INTO kept.flow(id, system) SELECT f.id, f.system FROM main.flow f WHERE f.no IN"
    " (SELECT flow FROM main.run WHERE seq > ?1) AND f.id NOT IN (SELECT id FROM kept.flow)";
static const char run_sql[] =
    "INSERT OR IGNORE INTO kept.run(id, flow, started, duration_us, state, counted, fingerprint,"
    " summary, result, evidence) SELECT r.id, k.no, r.started, r.duration_us, r.state, r.counted,"
    " r.fingerprint, r.summary, r.result, CASE WHEN ?2 THEN r.evidence END FROM main.run r"
    " JOIN main.flow f ON f.no = r.flow JOIN kept.flow k ON k.id = f.id WHERE r.seq > ?1"
    " ORDER BY r.seq";
static const char told_sql[] = "INSERT OR REPLACE INTO kept.meta SELECT key, value FROM main.meta"
                               " WHERE key LIKE 'told-%'";
static const char *const notice_sql[] = {
    "DELETE FROM kept.outbox_recipient WHERE sequence IN (SELECT k.sequence FROM"
    " kept.outbox_notice k JOIN main.outbox_notice n ON n.notice = k.notice WHERE " THESE ")",
    "DELETE FROM kept.outbox_notice WHERE notice IN (SELECT n.notice FROM main.outbox_notice n"
    " WHERE " THESE ")",
    "INSERT INTO kept.outbox_notice(notice, incident, contact, kind, number, priority, queued_us,"
    " first_us, ended_us, exempt, facts) SELECT notice, incident, contact, kind, number, priority,"
    " queued_us, first_us, ended_us, exempt, facts FROM main.outbox_notice n WHERE " THESE
    " ORDER BY n.sequence",
    "INSERT INTO kept.outbox_recipient(sequence, position, address, state, attempts, due_us,"
    " interval_us, last_us, stage, code, reply) SELECT k.sequence, r.position, r.address, r.state,"
    " r.attempts, r.due_us, r.interval_us, r.last_us, r.stage, r.code, r.reply"
    " FROM main.outbox_recipient r JOIN main.outbox_notice n ON n.sequence = r.sequence"
    " JOIN kept.outbox_notice k ON k.notice = n.notice WHERE " THESE};

static bool keep_notices(const struct standby_file *file, struct db *memory, int64_t notice,
                         GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(notice_sql); i++)
        if (!db_run(memory, error, notice_sql[i], "ii", file->notice, notice))
            return false;
    return true;
}

static bool keep_rows(const struct standby_file *file, struct db *memory, int64_t notice,
                      bool evidence, GError **error)
{
    return db_run(memory, error, "INSERT OR REPLACE INTO kept.meta VALUES(?, ?)", "ss", KEY,
                  file->mark) &&
           db_run(memory, error, event_sql, "i", file->event) &&
           db_run(memory, error, flow_sql, "i", file->run) &&
           db_run(memory, error, run_sql, "ii", file->run, (int64_t)evidence) &&
           db_run(memory, error, told_sql, "") && keep_notices(file, memory, notice, error);
}

static bool keep_once(const struct standby_file *file, struct db *memory, int64_t notice,
                      bool evidence, GError **error)
{
    if (!db_begin(memory, error))
        return false;
    if (!keep_rows(file, memory, notice, evidence, error)) {
        db_rollback(memory);
        return false;
    }
    return db_commit(memory, error);
}

static bool keep_attached(const struct standby_file *file, struct db *memory, int64_t notice,
                          GError **error)
{
    g_autoptr(GError) problem = NULL;
    return db_script(memory, "PRAGMA kept.journal_mode=PERSIST; PRAGMA kept.synchronous=OFF",
                     error) &&
           (keep_once(file, memory, notice, true, &problem) ||
            keep_once(file, memory, notice, false, error)); // the exchanges are the most of it
}

// Only for a moment: a file that fails is not to touch the memory's own transactions.
bool standby_file_keep(struct standby_file *file, struct db *memory, int64_t notice, GError **error)
{
    if (notice == 0 && file->mark && last(memory, last_event) == file->event &&
        last(memory, last_run) == file->run && last(memory, last_notice) == file->notice)
        return true;
    if (!db_run(memory, error, "ATTACH DATABASE ? AS kept", "s", file->path))
        return false;
    if (!file->mark)
        file->mark = ids_uuid();
    bool kept = keep_attached(file, memory, notice, error);
    (void)db_run(memory, NULL, "DETACH DATABASE kept", "");
    if (kept)
        standby_file_follow(file, memory);
    return kept;
}

bool standby_file_give(const struct standby_file *file, struct db *store, GError **error)
{
    return file->mark == NULL || store_runs_set(store, KEY, file->mark, error);
}

bool standby_file_empty(struct standby_file *file, GError **error)
{
    g_autoptr(db_t) db = open_file(file, error);
    g_clear_pointer(&file->mark, g_free);
    return db && db_script(db,
                           "PRAGMA secure_delete=ON; BEGIN; DELETE FROM event; DELETE FROM run;"
                           "DELETE FROM flow; DELETE FROM outbox_recipient;"
                           "DELETE FROM outbox_notice; DELETE FROM meta; COMMIT",
                           error);
}

void standby_file_free(struct standby_file *file)
{
    if (!file)
        return;
    if (file->fd >= 0)
        close(file->fd);
    if (file->journal_fd >= 0)
        close(file->journal_fd);
    lock_free(file->lock);
    g_free(file->path);
    g_free(file->mark);
    g_free(file);
}
