// SPDX-License-Identifier: MIT
// SQLite behind a small door: the only user of sqlite3.h. Every result is read;
// statements are prepared once and kept by their SQL text.
#ifndef BASE_DB_H
#define BASE_DB_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct db;
struct db_rows;
struct tally;

#define DB_ERROR db_error_quark()
GQuark db_error_quark(void);
enum db_error {
    DB_ERROR_FAILED,
    DB_ERROR_BUSY,
    DB_ERROR_FULL,
    DB_ERROR_READONLY,
    DB_ERROR_CORRUPT,
    DB_ERROR_CANNOT_OPEN,
    DB_ERROR_IO
};

// True where the file fails, not what was to be written.
bool db_is_file_error(const GError *error);

enum db_flags { DB_READ_WRITE = 0, DB_READ_ONLY = 1, DB_CREATE = 2, DB_IN_PLACE = 4 };

// Opens a database file (mode 0600 where created) in WAL mode with
// synchronous=FULL, busy timeout 10 s. One connection belongs to one thread. DB_IN_PLACE: with a
// journal that stays as it is, and without syncs, so that changes take no room on the disk.
struct db *db_open(const char *path, enum db_flags flags, GError **error);

// A database that was found damaged has PATH.suspect beside it, made by whoever found it so,
// until it was looked through.
bool db_is_suspect(const char *path);
void db_suspect(const char *path);
void db_clear_suspect(const char *path);

// Runs one statement; a letter of `types` for each parameter: s text (NULL is
// NULL), i int64_t, d double, b GBytes * (NULL is NULL).
bool db_run(struct db *db, GError **error, const char *sql, const char *types, ...);

// Runs several statements without parameters (schema steps, pragmas).
bool db_script(struct db *db, const char *sql, GError **error);

// Starts a query, parameters as above. NULL and `error` where it fails. End it
// with db_rows_end before the same SQL is used again.
struct db_rows *db_query(struct db *db, GError **error, const char *sql, const char *types, ...);

// The next row; false at the end, and where it fails: then `error` is set and db_rows_failed
// says so. A query that failed (NULL) has no rows. Column values are borrowed until the next
// call.
bool db_rows_next(struct db_rows *rows, GError **error);
bool db_rows_failed(const struct db_rows *rows);
const char *db_rows_text(const struct db_rows *rows, int column);
int64_t db_rows_integer(const struct db_rows *rows, int column);
double db_rows_double(const struct db_rows *rows, int column);
GBytes *db_rows_blob(const struct db_rows *rows, int column); // the caller unrefs it; NULL for NULL
void db_rows_end(struct db_rows *rows);

// Whole answers; each takes the query (NULL passes on its error) and ends it.
// The first row's first column, `otherwise` where there is no row or it is NULL.
bool db_take_integer(struct db_rows *rows, int64_t otherwise, int64_t *value, GError **error);

// Whether there is a row at all; `any` stays as it is where that cannot be told.
bool db_take_any(struct db_rows *rows, bool *any, GError **error);

// The first row's first column, which the caller frees; NULL where there is no row or it is
// NULL, and with `error` set where it fails.
char *db_take_text(struct db_rows *rows, GError **error);

// The first column of all rows, of char *; NULL and `error` where it fails.
GPtrArray *db_take_texts(struct db_rows *rows, GError **error);

// BEGIN IMMEDIATE, COMMIT, ROLLBACK; within an open transaction they are a
// SAVEPOINT and its end. A commit that fails has rolled back. Where SQLite itself
// ends the transaction (full disk), every statement fails until all are closed.
bool db_begin(struct db *db, GError **error);
bool db_commit(struct db *db, GError **error);
void db_rollback(struct db *db);

// Counts the transactions that change something, from now on: `sql` is run before each commit
// and says the new number; once it is committed, `tally` (borrowed) is raised to it.
void db_count_commits(struct db *db, struct tally *tally, const char *sql);

// Rows that the last statement changed, and the rowid that it inserted.
int64_t db_changes(const struct db *db);
int64_t db_last_rowid(const struct db *db);

// Rows that were changed since the connection was opened, rolled back or not.
int64_t db_total_changes(const struct db *db);

// Closes the connection; NULL is allowed.
void db_close(struct db *db);

typedef struct db db_t;
typedef struct db_rows db_rows_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(db_t, db_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(db_rows_t, db_rows_end)

#endif
