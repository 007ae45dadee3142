// SPDX-License-Identifier: MIT
// Bringing a store up to date: steps, the copy, newer and foreign files.
#include "../../monitor/schema.h"

#include <glib/gstdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/stat.h>

static const char *const steps[] = {
    "CREATE TABLE a(n); INSERT INTO a VALUES(1);", "ALTER TABLE a ADD COLUMN m DEFAULT 7;",
    "CREATE TABLE b(n); INSERT INTO nowhere VALUES(1);", // fails in its middle
};

struct place {
    char *folder, *path, *copy;
};

static int set_up(void **state)
{
    struct place *place = g_new0(struct place, 1);
    place->folder = g_dir_make_tmp("erpwatch-schema-XXXXXX", NULL);
    place->path = g_build_filename(place->folder, "s.db", NULL);
    place->copy = g_strconcat(place->path, ".v1", NULL);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    g_autoptr(GDir) folder = g_dir_open(place->folder, 0, NULL);
    const char *name = NULL;
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(place->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(place->folder);
    g_free(place->folder);
    g_free(place->path);
    g_free(place->copy);
    g_free(place);
    return 0;
}

static int64_t one(struct db *db, const char *sql)
{
    g_autoptr(db_rows_t) rows = db_query(db, NULL, sql, "");
    return rows != NULL && db_rows_next(rows, NULL) ? db_rows_integer(rows, 0) : -1;
}

static void test_forward_with_a_copy(void **state)
{
    struct place *place = *state;
    g_autoptr(db_t) db = db_open(place->path, DB_CREATE, NULL);
    assert_true(schema_migrate_with(db, place->path, steps, 1, NULL));
    assert_false(g_file_test(place->copy, G_FILE_TEST_EXISTS));
    assert_true(db_script(db, "UPDATE a SET n = 5", NULL));
    assert_true(schema_migrate_with(db, place->path, steps, 2, NULL));
    assert_int_equal(one(db, "PRAGMA user_version"), 2);
    assert_int_equal(one(db, "SELECT n + m FROM a"), 12);
    // The copy is the store as it was.
    struct stat about;
    assert_int_equal(stat(place->copy, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    g_autoptr(db_t) old = db_open(place->copy, DB_READ_ONLY, NULL);
    assert_int_equal(one(old, "PRAGMA user_version"), 1);
    assert_int_equal(one(old, "SELECT n FROM a"), 5);
    // Once more changes nothing.
    assert_true(schema_migrate_with(db, place->path, steps, 2, NULL));
}

static void test_failing_step_changes_nothing(void **state)
{
    struct place *place = *state;
    g_autoptr(db_t) db = db_open(place->path, DB_CREATE, NULL);
    g_autoptr(GError) error = NULL;
    assert_true(schema_migrate_with(db, place->path, steps, 1, NULL));
    assert_false(schema_migrate_with(db, place->path, steps, 3, &error));
    assert_non_null(error);
    assert_int_equal(one(db, "PRAGMA user_version"), 1);
    assert_int_equal(one(db, "SELECT count(*) FROM b"), -1);
    assert_int_equal(one(db, "SELECT count(m) FROM a"), -1);
}

static void test_newer_is_refused(void **state)
{
    struct place *place = *state;
    g_autoptr(db_t) db = db_open(place->path, DB_CREATE, NULL);
    g_autoptr(GError) error = NULL;
    assert_true(schema_migrate_with(db, place->path, steps, 2, NULL));
    assert_false(schema_migrate_with(db, place->path, steps, 1, &error));
    assert_true(g_error_matches(error, SCHEMA_ERROR, SCHEMA_ERROR_NEWER));
    assert_non_null(strstr(error->message, "was written by a newer erpwatch (its version is 2"));
    assert_non_null(strstr(error->message, place->path));
}

static void test_foreign_is_refused(void **state)
{
    struct place *place = *state;
    g_autoptr(db_t) db = db_open(place->path, DB_CREATE, NULL);
    g_autoptr(GError) error = NULL;
    assert_true(db_script(db, "CREATE TABLE bookmarks(url)", NULL));
    assert_false(schema_migrate(db, place->path, &error));
    assert_true(g_error_matches(error, SCHEMA_ERROR, SCHEMA_ERROR_FOREIGN));
}

static void test_the_real_steps(void **state)
{
    struct place *place = *state;
    g_autoptr(db_t) db = db_open(place->path, DB_CREATE, NULL);
    g_autoptr(GError) error = NULL;
    assert_false(schema_check(db, place->path, NULL));
    assert_true(schema_migrate(db, place->path, &error));
    assert_true(schema_check(db, place->path, &error));
    assert_null(error);
    assert_int_equal(one(db, "SELECT count(*) FROM debt"), 0);
    assert_int_equal(one(db, "SELECT count(*) FROM outbox_notice"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_forward_with_a_copy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failing_step_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_newer_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_foreign_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_real_steps, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
