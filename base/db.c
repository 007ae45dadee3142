// SPDX-License-Identifier: MIT
// SQLite behind a small door. Every result is read here, so that a full disk, a
// read-only file and a damaged one have names of ours above; statements are
// kept by their SQL text. Used by monitor/store and its companions, by alerts/outbox,
// and by nobody who does not own a connection of his own.
#include "db.h"

#include "tally.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    BUSY_TIMEOUT_MS = 10000,
    WAL_TRIES = 100, // the switch to WAL does not always ask the busy handler
    WAL_PAUSE_US = 20000,
    STATEMENTS_KEPT = 256,
    ROOM_BYTES = 1024 * 1024,
    RECENT = 64, // statements found by the address of their SQL
};

struct db {
    sqlite3 *handle;
    char *path;
    GHashTable *statements; // SQL -> struct statement
    struct statement *recent[RECENT];
    int depth; // open transaction and savepoints
    bool read_only;
    enum db_error lost; // why SQLite itself ended the transaction
    struct {
        struct tally *tally; // NULL: they are not counted
        const char *sql;
        int64_t changes, number; // when the open transaction began; its own
    } commits;
};

struct statement {
    sqlite3_stmt *handle;
    char *sql;
    bool in_use;
};

struct db_rows {
    struct db *db;
    struct statement *statement;
    bool kept; // in db->statements, so only reset at the end
    bool done, failed;
};

G_DEFINE_QUARK(erpwatch - db - error, db_error)

bool db_is_file_error(const GError *error)
{
    return error->domain == DB_ERROR && error->code != DB_ERROR_FAILED;
}

static enum db_error error_of_errno(int number, enum db_error otherwise)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT:
        return DB_ERROR_FULL;
    case EROFS:
    case EPERM: // made immutable
        return DB_ERROR_READONLY;
    default:
        return otherwise;
    }
}

// SQLite does not keep the number of a write that failed: it is the last one then.
static int errno_of_io(struct db *db)
{
    int last = errno, kept = sqlite3_system_errno(db->handle);
    return kept != 0 ? kept : last;
}

static enum db_error error_kind(struct db *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return DB_ERROR_BUSY;
    case SQLITE_FULL:
        return DB_ERROR_FULL;
    case SQLITE_READONLY:
        return DB_ERROR_READONLY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return DB_ERROR_CORRUPT;
    case SQLITE_CANTOPEN:
        return error_of_errno(sqlite3_system_errno(db->handle), DB_ERROR_CANNOT_OPEN);
    case SQLITE_IOERR:
        return error_of_errno(errno_of_io(db), DB_ERROR_IO);
    default:
        return DB_ERROR_FAILED;
    }
}

static const char *kind_sentence(enum db_error kind)
{
    switch (kind) {
    case DB_ERROR_BUSY:
        return "is in use by another process";
    case DB_ERROR_FULL:
        return "cannot be written: the disk is full";
    case DB_ERROR_READONLY:
        return "cannot be written: it is read-only";
    case DB_ERROR_CORRUPT:
        return "is damaged";
    case DB_ERROR_CANNOT_OPEN:
        return "cannot be opened";
    case DB_ERROR_IO:
        return "cannot be read or written";
    case DB_ERROR_FAILED:
    default:
        return "refused a statement";
    }
}

static char *suspect_path(const char *path)
{
    return g_strconcat(path, ".suspect", NULL);
}

bool db_is_suspect(const char *path)
{
    g_autofree char *mark = suspect_path(path);
    return g_file_test(mark, G_FILE_TEST_EXISTS);
}

void db_clear_suspect(const char *path)
{
    g_autofree char *mark = suspect_path(path);
    unlink(mark);
}

void db_suspect(const char *path)
{
    g_autofree char *mark = suspect_path(path);
    int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
}

static bool has_room(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct statvfs about;
    return statvfs(folder, &about) == 0 && (uint64_t)about.f_bavail * about.f_frsize > ROOM_BYTES;
}

// Not every damage shows when a file is opened: who opens it next is to look for this one.
// A damaged page number is beyond what a file may have, and is told as a full disk.
static void note_damage(const struct db *db, enum db_error kind)
{
    if (kind != DB_ERROR_CORRUPT && (kind != DB_ERROR_FULL || !has_room(db->path))) {
        return;
    }
    if (strcmp(db->path, ":memory:") != 0) {
        db_suspect(db->path);
    }
}

// Sets `error` to what SQLite says of the last call; returns false.
static bool fail(struct db *db, int code, GError **error)
{
    enum db_error kind = error_kind(db, code);
    note_damage(db, kind);
    if (db->depth > 0 && sqlite3_get_autocommit(db->handle) != 0) {
        db->lost = kind;
    }
    g_set_error(error, DB_ERROR, (gint)kind, "%s %s (%s)", db->path, kind_sentence(kind),
                sqlite3_errmsg(db->handle));
    return false;
}

// SQLite ends a transaction by itself on a full disk; what follows must not
// run outside of one.
static bool transaction_stands(struct db *db, GError **error)
{
    if (db->depth == 0 || sqlite3_get_autocommit(db->handle) == 0) {
        return true;
    }
    g_set_error(error, DB_ERROR, (gint)db->lost, "%s %s (the transaction was rolled back)",
                db->path, kind_sentence(db->lost));
    return false;
}

static void statement_free(gpointer data)
{
    struct statement *statement = data;
    sqlite3_finalize(statement->handle);
    g_free(statement->sql);
    g_free(statement);
}

// Most SQL is a constant, so its address finds its statement faster than a hash of
// its text; the text is compared all the same.
static struct statement **recent_place(struct db *db, const char *sql)
{
    uintptr_t address = (uintptr_t)sql;
    return &db->recent[(address >> 4 ^ address >> 10) % RECENT];
}

static struct statement *find_statement(struct db *db, const char *sql)
{
    struct statement **place = recent_place(db, sql);
    if (*place != NULL && strcmp((*place)->sql, sql) == 0) {
        return *place;
    }
    struct statement *found = g_hash_table_lookup(db->statements, sql);
    if (found != NULL) {
        *place = found;
    }
    return found;
}

// A statement for `sql` that nobody uses now. `kept` tells whether it stays.
static struct statement *statement_take(struct db *db, const char *sql, bool *kept, GError **error)
{
    struct statement *found = find_statement(db, sql);
    if (found != NULL && !found->in_use) {
        found->in_use = true;
        *kept = true;
        return found;
    }
    sqlite3_stmt *handle = NULL;
    int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL);
    if (code != SQLITE_OK) {
        fail(db, code, error);
        return NULL;
    }
    struct statement *statement = g_new0(struct statement, 1);
    statement->handle = handle;
    statement->sql = g_strdup(sql);
    statement->in_use = true;
    *kept = found == NULL && g_hash_table_size(db->statements) < STATEMENTS_KEPT;
    if (*kept) {
        g_hash_table_insert(db->statements, statement->sql, statement);
    }
    return statement;
}

static void statement_release(struct statement *statement, bool kept)
{
    if (!kept) {
        statement_free(statement);
        return;
    }
    // The result repeats the last step's, which has been read.
    (void)sqlite3_reset(statement->handle);
    (void)sqlite3_clear_bindings(statement->handle);
    statement->in_use = false;
}

static int bind_blob(sqlite3_stmt *handle, int index, GBytes *bytes)
{
    gsize size = 0;
    if (bytes == NULL) {
        return sqlite3_bind_null(handle, index);
    }
    const void *data = g_bytes_get_data(bytes, &size);
    return size == 0 ? sqlite3_bind_zeroblob(handle, index, 0)
                     : sqlite3_bind_blob64(handle, index, data, size, SQLITE_TRANSIENT);
}

static int bind_all(sqlite3_stmt *handle, const char *types, va_list *values)
{
    int code = SQLITE_OK;
    for (int i = 1; code == SQLITE_OK && types[i - 1] != '\0'; i++) {
        switch (types[i - 1]) {
        case 's':
            code =
                sqlite3_bind_text(handle, i, va_arg(*values, const char *), -1, SQLITE_TRANSIENT);
            break;
        case 'i':
            code = sqlite3_bind_int64(handle, i, va_arg(*values, int64_t));
            break;
        case 'd':
            code = sqlite3_bind_double(handle, i, va_arg(*values, double));
            break;
        case 'b':
            code = bind_blob(handle, i, va_arg(*values, GBytes *));
            break;
        default:
            g_assert_not_reached();
        }
    }
    return code;
}

static struct db_rows *query(struct db *db, GError **error, const char *sql, const char *types,
                             va_list *values)
{
    bool kept = false;
    if (!transaction_stands(db, error)) {
        return NULL;
    }
    struct statement *statement = statement_take(db, sql, &kept, error);
    if (statement == NULL) {
        return NULL;
    }
    g_assert(sqlite3_bind_parameter_count(statement->handle) == (int)strlen(types));
    int code = bind_all(statement->handle, types, values);
    if (code != SQLITE_OK) {
        fail(db, code, error);
        statement_release(statement, kept);
        return NULL;
    }
    struct db_rows *rows = g_new0(struct db_rows, 1);
    rows->db = db;
    rows->statement = statement;
    rows->kept = kept;
    return rows;
}

struct db_rows *db_query(struct db *db, GError **error, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    struct db_rows *rows = query(db, error, sql, types, &values);
    va_end(values);
    return rows;
}

bool db_run(struct db *db, GError **error, const char *sql, const char *types, ...)
{
    va_list values;
    va_start(values, types);
    struct db_rows *rows = query(db, error, sql, types, &values);
    va_end(values);
    while (db_rows_next(rows, error)) {
    }
    bool good = !db_rows_failed(rows);
    db_rows_end(rows);
    return good;
}

bool db_rows_next(struct db_rows *rows, GError **error)
{
    if (rows == NULL || rows->done) {
        return false;
    }
    int code = sqlite3_step(rows->statement->handle);
    if (code == SQLITE_ROW) {
        return true;
    }
    rows->done = true;
    if (code != SQLITE_DONE) {
        rows->failed = true;
        fail(rows->db, code, error);
    }
    // Ends the read now: one that stays open keeps the log from being emptied.
    (void)sqlite3_reset(rows->statement->handle);
    return false;
}

bool db_rows_failed(const struct db_rows *rows)
{
    return rows == NULL || rows->failed;
}

const char *db_rows_text(const struct db_rows *rows, int column)
{
    return (const char *)sqlite3_column_text(rows->statement->handle, column);
}

int64_t db_rows_integer(const struct db_rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement->handle, column);
}

double db_rows_double(const struct db_rows *rows, int column)
{
    return sqlite3_column_double(rows->statement->handle, column);
}

GBytes *db_rows_blob(const struct db_rows *rows, int column)
{
    sqlite3_stmt *handle = rows->statement->handle;
    if (sqlite3_column_type(handle, column) == SQLITE_NULL) {
        return NULL;
    }
    const void *data = sqlite3_column_blob(handle, column);
    return g_bytes_new(data, (gsize)sqlite3_column_bytes(handle, column));
}

void db_rows_end(struct db_rows *rows)
{
    if (rows == NULL) {
        return;
    }
    statement_release(rows->statement, rows->kept);
    g_free(rows);
}

bool db_script(struct db *db, const char *sql, GError **error)
{
    if (!transaction_stands(db, error)) {
        return false;
    }
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || fail(db, code, error);
}

bool db_begin(struct db *db, GError **error)
{
    g_autofree char *sql = NULL;
    if (db->depth > 0) {
        sql = g_strdup_printf("SAVEPOINT part%d", db->depth);
    } else {
        sql = g_strdup(db->read_only ? "BEGIN" : "BEGIN IMMEDIATE");
    }
    if (!db_run(db, error, sql, "")) {
        return false;
    }
    if (db->depth++ == 0) {
        db->commits.changes = db_total_changes(db);
    }
    return true;
}

void db_count_commits(struct db *db, struct tally *tally, const char *sql)
{
    db->commits.tally = tally;
    db->commits.sql = sql;
}

// The number of the transaction that is about to be committed, as its last change.
static bool number_commit(struct db *db, GError **error)
{
    db->commits.number = 0;
    bool counts = db->commits.tally != NULL && db_total_changes(db) != db->commits.changes;
    return !counts ||
           db_take_integer(db_query(db, error, db->commits.sql, ""), 0, &db->commits.number, error);
}

static bool commit_all(struct db *db, GError **error)
{
    if (!number_commit(db, error) || !db_run(db, error, "COMMIT", "")) {
        return false;
    }
    if (db->commits.number != 0) {
        tally_raise(db->commits.tally, db->commits.number);
    }
    return true;
}

static bool commit_part(struct db *db, GError **error)
{
    g_autofree char *sql = g_strdup_printf("RELEASE part%d", db->depth - 1);
    return db_run(db, error, sql, "");
}

bool db_commit(struct db *db, GError **error)
{
    if (db->depth == 0) {
        g_set_error(error, DB_ERROR, DB_ERROR_FAILED, "%s has no open transaction", db->path);
        return false;
    }
    if (!(db->depth > 1 ? commit_part(db, error) : commit_all(db, error))) {
        db_rollback(db);
        return false;
    }
    db->depth--;
    return true;
}

void db_rollback(struct db *db)
{
    if (db->depth == 0) {
        return;
    }
    db->depth--;
    if (sqlite3_get_autocommit(db->handle) != 0) {
        return; // SQLite has done it already
    }
    g_autofree char *sql =
        db->depth > 0 ? g_strdup_printf("ROLLBACK TO part%d; RELEASE part%d", db->depth, db->depth)
                      : g_strdup("ROLLBACK");
    // Where even this fails, the next statement says why.
    (void)sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

int64_t db_changes(const struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t db_total_changes(const struct db *db)
{
    return sqlite3_total_changes64(db->handle);
}

int64_t db_last_rowid(const struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

// SQLite would create the file with the umask's mode. Only a file that did not
// exist is opened here: closing another would drop the locks that SQLite holds on it.
static void create_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        close(fd);
    }
}

static bool use_wal(struct db *db, GError **error)
{
    for (int i = 1;; i++) {
        g_autoptr(GError) problem = NULL;
        if (db_script(db, "PRAGMA journal_mode=WAL", &problem)) {
            return true;
        }
        if (i == WAL_TRIES || !g_error_matches(problem, DB_ERROR, DB_ERROR_BUSY)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        g_usleep(WAL_PAUSE_US);
    }
}

static bool set_up(struct db *db, enum db_flags flags, GError **error)
{
    static const char pragmas[] =
        "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"
        "PRAGMA journal_size_limit=16777216";
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    db->read_only = (flags & DB_READ_ONLY) != 0;
    if (db->read_only) {
        return true;
    }
    if (sqlite3_db_readonly(db->handle, "main") == 1) {
        g_set_error(error, DB_ERROR, DB_ERROR_READONLY, "%s cannot be written: it is read-only",
                    db->path);
        return false;
    }
    if ((flags & DB_IN_PLACE) != 0) {
        return db_script(db, "PRAGMA journal_mode=PERSIST; PRAGMA synchronous=OFF", error);
    }
    return use_wal(db, error) && db_script(db, pragmas, error);
}

struct db *db_open(const char *path, enum db_flags flags, GError **error)
{
    int mode = (flags & DB_READ_ONLY) != 0 ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if ((flags & DB_CREATE) != 0) {
        create_private(path);
        mode |= SQLITE_OPEN_CREATE;
    }
    g_autoptr(db_t) db = g_new0(struct db, 1);
    db->path = g_strdup(path);
    db->statements = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, statement_free);
    db->lost = DB_ERROR_FAILED;
    int code = sqlite3_open_v2(path, &db->handle,
                               mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code != SQLITE_OK) {
        fail(db, code, error);
        return NULL;
    }
    return set_up(db, flags, error) ? g_steal_pointer(&db) : NULL;
}

void db_close(struct db *db)
{
    if (db == NULL) {
        return;
    }
    g_hash_table_destroy(db->statements);
    sqlite3_close_v2(db->handle);
    g_free(db->path);
    g_free(db);
}
