// SPDX-License-Identifier: MIT
// base/db against real files: values there and back, nested transactions, and
// each kind of failure by its name.
#include "../../base/db.h"

#include <glib/gstdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char *folder, *path;
};

static int set_up(void **state)
{
    struct place *place = g_new0(struct place, 1);
    place->folder = g_dir_make_tmp("erpwatch-db-XXXXXX", NULL);
    place->path = g_build_filename(place->folder, "a.db", NULL);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *path = g_strconcat(place->path, ends[i], NULL);
        g_unlink(path);
    }
    g_rmdir(place->folder);
    g_free(place->folder);
    g_free(place->path);
    g_free(place);
    return 0;
}

static struct db *open_new(void **state)
{
    struct place *place = *state;
    g_autoptr(GError) error = NULL;
    struct db *db = db_open(place->path, DB_CREATE, &error);
    assert_null(error);
    assert_non_null(db);
    assert_true(db_script(db, "CREATE TABLE t(a TEXT, b INTEGER, c REAL, d BLOB)", NULL));
    return db;
}

static int64_t one_integer(struct db *db, const char *sql)
{
    g_autoptr(db_rows_t) rows = db_query(db, NULL, sql, "");
    assert_non_null(rows);
    assert_true(db_rows_next(rows, NULL));
    return db_rows_integer(rows, 0);
}

static void test_values(void **state)
{
    g_autoptr(db_t) db = open_new(state);
    g_autoptr(GBytes) bytes = g_bytes_new_static("\0x\0", 3);
    g_autoptr(GBytes) empty = g_bytes_new_static("", 0);
    const char *insert = "INSERT INTO t VALUES(?,?,?,?)";
    assert_true(
        db_run(db, NULL, insert, "sidb", "caf\xc3\xa9", INT64_C(9007199254740993), 1.5, bytes));
    assert_int_equal(db_last_rowid(db), 1);
    assert_int_equal(db_changes(db), 1);
    assert_true(db_run(db, NULL, insert, "sidb", NULL, INT64_MIN, 0.0, NULL));
    assert_true(db_run(db, NULL, insert, "sidb", "", INT64_C(0), 0.0, empty));

    g_autoptr(GError) error = NULL;
    g_autoptr(db_rows_t) rows = db_query(db, &error, "SELECT * FROM t ORDER BY rowid", "");
    assert_true(db_rows_next(rows, &error));
    assert_string_equal(db_rows_text(rows, 0), "caf\xc3\xa9");
    assert_true(db_rows_integer(rows, 1) == INT64_C(9007199254740993));
    assert_true(db_rows_double(rows, 2) == 1.5);
    g_autoptr(GBytes) back = db_rows_blob(rows, 3);
    assert_true(g_bytes_equal(back, bytes));
    assert_true(db_rows_next(rows, &error));
    assert_null(db_rows_text(rows, 0));
    assert_null(db_rows_blob(rows, 3));
    assert_true(db_rows_integer(rows, 1) == INT64_MIN);
    assert_true(db_rows_next(rows, &error));
    g_autoptr(GBytes) none = db_rows_blob(rows, 3);
    assert_int_equal(g_bytes_get_size(none), 0);
    assert_false(db_rows_next(rows, &error));
    assert_false(db_rows_next(rows, &error));
    assert_null(error);
}

static void test_same_sql_twice_at_once(void **state)
{
    g_autoptr(db_t) db = open_new(state);
    assert_true(db_script(db, "INSERT INTO t(b) VALUES(1),(2)", NULL));
    const char *sql = "SELECT b FROM t ORDER BY rowid";
    g_autoptr(db_rows_t) first = db_query(db, NULL, sql, "");
    assert_true(db_rows_next(first, NULL));
    g_autoptr(db_rows_t) second = db_query(db, NULL, sql, "");
    assert_true(db_rows_next(second, NULL));
    assert_int_equal(db_rows_integer(second, 0), 1);
    assert_true(db_rows_next(first, NULL));
    assert_int_equal(db_rows_integer(first, 0), 2);
}

static void test_nested_transactions(void **state)
{
    g_autoptr(db_t) db = open_new(state);
    assert_true(db_begin(db, NULL));
    assert_true(db_run(db, NULL, "INSERT INTO t(b) VALUES(1)", ""));
    assert_true(db_begin(db, NULL));
    assert_true(db_run(db, NULL, "INSERT INTO t(b) VALUES(2)", ""));
    db_rollback(db);
    assert_true(db_begin(db, NULL));
    assert_true(db_run(db, NULL, "INSERT INTO t(b) VALUES(4)", ""));
    assert_true(db_commit(db, NULL));
    assert_true(db_commit(db, NULL));
    assert_int_equal(one_integer(db, "SELECT sum(b) FROM t"), 5);
    assert_false(db_commit(db, NULL));
    db_rollback(db); // nothing open: nothing happens
    assert_true(db_begin(db, NULL));
    assert_true(db_run(db, NULL, "DELETE FROM t", ""));
    db_rollback(db);
    assert_int_equal(one_integer(db, "SELECT sum(b) FROM t"), 5);
}

static void test_mode_and_journal(void **state)
{
    struct place *place = *state;
    g_autoptr(db_t) db = open_new(state);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *path = g_strconcat(place->path, ends[i], NULL);
        struct stat about;
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
    }
    assert_int_equal(one_integer(db, "PRAGMA synchronous"), 2);
}

// What `sql` fails with.
static int kind_of(struct db *db, const char *sql)
{
    g_autoptr(GError) error = NULL;
    assert_false(db_run(db, &error, sql, ""));
    assert_non_null(error);
    assert_true(error->domain == DB_ERROR);
    return error->code;
}

static void test_wrong_statements(void **state)
{
    g_autoptr(db_t) db = open_new(state);
    assert_int_equal(kind_of(db, "SELECT * FROM nothing"), DB_ERROR_FAILED);
    assert_true(db_script(db, "CREATE UNIQUE INDEX u ON t(b)", NULL));
    assert_true(db_begin(db, NULL));
    assert_true(db_run(db, NULL, "INSERT INTO t(b) VALUES(1)", ""));
    assert_int_equal(kind_of(db, "INSERT INTO t(b) VALUES(1)"), DB_ERROR_FAILED);
    // A constraint ends the statement, not the transaction.
    assert_true(db_commit(db, NULL));
    assert_int_equal(one_integer(db, "SELECT count(*) FROM t"), 1);
}

static void test_full(void **state)
{
    g_autoptr(db_t) db = open_new(state);
    assert_true(db_run(db, NULL, "PRAGMA max_page_count=12", ""));
    assert_true(db_begin(db, NULL));
    assert_true(db_begin(db, NULL));
    assert_int_equal(kind_of(db, "INSERT INTO t(d) VALUES(zeroblob(200000))"), DB_ERROR_FULL);
    // Whether or not the whole transaction is gone, nothing slips past it.
    db_rollback(db);
    db_rollback(db);
    assert_int_equal(one_integer(db, "SELECT count(*) FROM t"), 0);
    assert_true(db_run(db, NULL, "PRAGMA max_page_count=1000", ""));
    assert_true(db_run(db, NULL, "INSERT INTO t(d) VALUES(zeroblob(200000))", ""));
}

static void test_read_only(void **state)
{
    struct place *place = *state;
    db_close(open_new(state));
    g_autoptr(db_t) db = db_open(place->path, DB_READ_ONLY, NULL);
    assert_non_null(db);
    assert_true(db_begin(db, NULL));
    assert_int_equal(one_integer(db, "SELECT count(*) FROM t"), 0);
    assert_int_equal(kind_of(db, "INSERT INTO t(b) VALUES(1)"), DB_ERROR_READONLY);
    assert_true(db_commit(db, NULL));
}

static void test_corrupt(void **state)
{
    struct place *place = *state;
    db_close(open_new(state));
    assert_true(
        g_file_set_contents(place->path, "this is no database, whatever its name", -1, NULL));
    g_autoptr(GError) error = NULL;
    assert_null(db_open(place->path, DB_READ_WRITE, &error));
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_CORRUPT));
    assert_non_null(strstr(error->message, "is damaged"));
}

static void test_cannot_open(void **state)
{
    struct place *place = *state;
    g_autoptr(GError) error = NULL;
    assert_null(db_open(place->path, DB_READ_WRITE, &error));
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_CANNOT_OPEN));
    g_clear_error(&error);
    assert_null(db_open("/nonexistent/folder/a.db", DB_CREATE, &error));
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_CANNOT_OPEN));
}

static void test_two_connections(void **state)
{
    struct place *place = *state;
    g_autoptr(db_t) one = open_new(state);
    g_autoptr(db_t) two = db_open(place->path, DB_READ_WRITE, NULL);
    int64_t before = one_integer(one, "PRAGMA data_version");
    assert_true(db_run(two, NULL, "INSERT INTO t(b) VALUES(7)", ""));
    assert_int_equal(one_integer(one, "SELECT b FROM t"), 7);
    assert_true(one_integer(one, "PRAGMA data_version") != before);
}

// Whole answers: a value, none, a failure that is passed on.
// The second row fails: what was read before it is no answer.
static void test_rows_that_fail(void **state)
{
    struct db *db = open_new(state);
    static const char sql[] = "SELECT json_extract(a, '$') FROM t ORDER BY rowid";
    g_autoptr(GError) error = NULL;
    assert_true(db_script(db, "INSERT INTO t(a, b) VALUES('[1]', 1), ('none', 2)", NULL));
    g_autoptr(db_rows_t) rows = db_query(db, &error, sql, "");
    assert_true(db_rows_next(rows, &error));
    assert_false(db_rows_failed(rows));
    assert_false(db_rows_next(rows, &error));
    assert_true(db_rows_failed(rows));
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_FAILED));
    assert_false(db_rows_next(rows, NULL));
    assert_true(db_rows_failed(rows));
    g_clear_pointer(&rows, db_rows_end);
    g_clear_error(&error);
    assert_null(db_take_texts(db_query(db, &error, sql, ""), &error));
    assert_non_null(error);
    db_close(db);
}

static void test_rows_of_a_failed_query(void **state)
{
    struct db *db = open_new(state);
    g_autoptr(GError) error = NULL;
    bool any = true;
    assert_false(db_rows_next(NULL, &error));
    assert_true(db_rows_failed(NULL));
    assert_null(error); // db_query has set it
    assert_null(db_take_text(db_query(db, &error, "SELECT x FROM nothing", ""), &error));
    assert_non_null(error);
    g_clear_error(&error);
    assert_false(db_take_any(db_query(db, &error, "SELECT x FROM nothing", ""), &any, &error));
    assert_true(any); // as it was
    db_close(db);
}

static void test_takes(void **state)
{
    const struct place *place = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(db_t) db = db_open(place->path, DB_CREATE, &error);
    assert_non_null(db);
    assert_true(db_script(db,
                          "CREATE TABLE t(n INTEGER, s TEXT);"
                          "INSERT INTO t VALUES(7, 'a'), (NULL, 'b')",
                          &error));
    int64_t value = 0;
    bool any = false;
    assert_true(db_take_integer(db_query(db, &error, "SELECT n FROM t WHERE n = 7", ""), -1, &value,
                                &error));
    assert_int_equal(value, 7);
    assert_true(db_take_integer(db_query(db, &error, "SELECT n FROM t WHERE s = 'b'", ""), -1,
                                &value, &error));
    assert_int_equal(value, -1);
    assert_true(db_take_any(db_query(db, &error, "SELECT 1 FROM t WHERE n > 7", ""), &any, &error));
    assert_false(any);
    g_autoptr(GPtrArray) texts =
        db_take_texts(db_query(db, &error, "SELECT s FROM t ORDER BY s", ""), &error);
    g_autofree char *text = db_take_text(db_query(db, &error, "SELECT s FROM t", ""), &error);
    assert_string_equal(text, "a");
    assert_null(db_take_text(db_query(db, &error, "SELECT s FROM t WHERE n > 7", ""), &error));
    assert_int_equal(texts->len, 2);
    assert_string_equal(texts->pdata[1], "b");
    assert_false(db_take_any(db_query(db, &error, "SELECT no_such FROM t", ""), &any, &error));
    assert_non_null(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_that_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rows_of_a_failed_query, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_takes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_values, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_sql_twice_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nested_transactions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mode_and_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_statements, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_corrupt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cannot_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_connections, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("db", tests, NULL, NULL);
}
