// SPDX-License-Identifier: MIT
// What is read of a store whose pages were altered by hand.
#include "../../monitor/store_salvage.h"
#include "../../monitor/store.h"

#include <glib/gstdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/resource.h>

enum { PAGE_BYTES = 4096, LONG_BYTES = 9000, CPU_SECONDS = 10 };

static int set_up(void **state)
{
    char *folder = g_dir_make_tmp("erpwatch-salvage-XXXXXX", NULL);
    *state = g_build_filename(folder, "old.db", NULL);
    g_free(folder);
    return 0;
}

static int tear_down(void **state)
{
    g_autofree char *folder = g_path_get_dirname(*state);
    g_unlink(*state);
    g_rmdir(folder);
    g_free(*state);
    return 0;
}

static const char *name_of(int number)
{
    static const char *const names[] = {"", "A", "B", "C", "D", "E"};
    return names[number];
}

// A file whose ledger is one page of five debts, the third with a page of its own for what it
// does not hold. Returns the number of the ledger's page.
static int64_t write_old(const char *path)
{
    g_autoptr(db_t) memory = store_open_memory(NULL);
    g_autofree char *undo = g_strnfill(LONG_BYTES, 'u');
    int64_t root = 0;
    for (int i = 1; i <= 5; i++) {
        assert_true(db_run(memory, NULL,
                           "INSERT INTO debt(seq, id, run, flow, system, step, attempt, owner,"
                           " sent_at, timeout_ms, undo, state, tries, told, changed) VALUES(?, ?,"
                           " 'r', 'f', 's', 't', 1, 'o', 1, 1, ?, 'owed', 0, 0, 0)",
                           "iss", (int64_t)i, name_of(i), i == 3 ? undo : "{}"));
    }
    assert_true(db_run(memory, NULL, "VACUUM INTO ?", "s", path));
    g_autoptr(db_t) old = db_open(path, DB_READ_ONLY, NULL);
    assert_true(db_take_integer(
        db_query(old, NULL, "SELECT rootpage FROM sqlite_master WHERE name = 'debt'", ""), 0, &root,
        NULL));
    return root;
}

// Where the cell with this index is on a page: the array of their places follows the page's header
// of eight bytes.
static size_t cell_at(const uint8_t *page, size_t index)
{
    const uint8_t *place = page + 8 + 2 * index;
    return (size_t)place[0] << 8 | place[1];
}

// Cells were put down one before the other, from the page's end: what the third has not on its own
// page is named by the four bytes before the second. The fifth's key becomes that of the third.
static void alter(const char *path, int64_t root)
{
    g_autofree char *bytes = NULL;
    gsize length = 0;
    assert_true(g_file_get_contents(path, &bytes, &length, NULL));
    uint8_t *page = (uint8_t *)bytes + (root - 1) * PAGE_BYTES;
    assert_int_equal(page[0], 13); // a leaf of a table
    assert_int_equal(page[4], 5);
    memset(page + cell_at(page, 1) - 4, 0x7f, 4);
    uint8_t *last = page + cell_at(page, 4);
    uint8_t *key = last + (last[0] & 0x80 ? 2 : 1); // after the cell's length
    assert_int_equal(*key, 5);
    *key = 3;
    assert_true(g_file_set_contents(path, bytes, (gssize)length, NULL));
}

// The key of an entry that cannot be copied comes twice: each time that it fails, SQLite looks for
// its place again, and finds the first.
static void test_a_key_that_comes_again(void **state)
{
    const struct rlimit limit = {CPU_SECONDS, CPU_SECONDS}; // not without end
    assert_int_equal(setrlimit(RLIMIT_CPU, &limit), 0);
    alter(*state, write_old(*state));
    g_autoptr(db_t) db = store_open_memory(NULL);
    assert_true(db_script(db, "PRAGMA writable_schema=ON", NULL));
    assert_true(db_run(db, NULL, "ATTACH DATABASE ? AS old", "s", (const char *)*state));
    assert_false(db_run(db, NULL, "SELECT max(length(undo)) FROM old.debt", ""));
    assert_int_equal(store_salvage_copy(db), STORE_SALVAGE_LEDGER);
    g_autofree char *saved =
        db_take_text(db_query(db, NULL, "SELECT group_concat(id, '') FROM debt", ""), NULL);
    assert_string_equal(saved, "ABD");
}

// Who gets a notice that has lost its recipients is read in it: where that is damaged too, the
// others are helped all the same.
static void test_recipients_of_a_damaged_notice(void **state)
{
    g_autoptr(db_t) db = store_open_memory(NULL);
    g_autoptr(GError) error = NULL;
    (void)state;
    assert_true(db_script(
        db,
        "INSERT INTO outbox_notice(sequence, notice, incident, contact, kind, number, priority,"
        " queued_us, facts) VALUES(1, 'N', 'I', 'c', 'opened', 1, 1, 1, '{\"contact\":'),"
        " (2, 'O', 'I', 'c', 'opened', 2, 1, 1, '{\"contact\":{\"email\":[\"a@b.example\"]}}')",
        NULL));
    assert_true(store_salvage_tie(db, &error));
    assert_null(error);
    g_autofree char *told = db_take_text(
        db_query(db, NULL, "SELECT group_concat(sequence || address) FROM outbox_recipient", ""),
        NULL);
    assert_string_equal(told, "2a@b.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_key_that_comes_again, set_up, tear_down),
        cmocka_unit_test(test_recipients_of_a_damaged_notice),
    };
    return cmocka_run_group_tests_name("store_salvage", tests, NULL, NULL);
}
