// SPDX-License-Identifier: MIT
// The store as files: modes, owners, run locks, the reserve, a damaged store.
#include "../../monitor/store.h"
#include "../../monitor/store_repair.h"
#include "../../base/ids.h"
#include "../../base/lock.h"

#include <fcntl.h>
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

static void remove_tree(const char *path)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        remove_tree(inner);
    }
    g_remove(path);
}

static int set_up(void **state)
{
    struct place *place = g_new0(struct place, 1);
    place->folder = g_dir_make_tmp("erpwatch-store-XXXXXX", NULL);
    place->path = g_build_filename(place->folder, "deep", "s.db", NULL);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    remove_tree(place->folder);
    g_free(place->folder);
    g_free(place->path);
    g_free(place);
    return 0;
}

static struct store *open_store(void **state)
{
    struct place *place = *state;
    g_autoptr(GError) error = NULL;
    struct store *store = store_open(place->path, &error);
    assert_null(error);
    assert_non_null(store);
    return store;
}

static int mode_of(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (int)(about.st_mode & 0777) : -1;
}

static void test_modes(void **state)
{
    struct place *place = *state;
    g_autofree char *reserve = g_strconcat(place->path, ".reserve", NULL);
    g_autofree char *locks = g_strconcat(place->path, ".locks", NULL);
    store_free(open_store(state));
    assert_int_equal(mode_of(place->path), 0600);
    assert_int_equal(mode_of(reserve), 0600);
    assert_int_equal(mode_of(locks), 0700);
    assert_int_equal(g_chmod(place->path, 0644), 0);
    store_free(open_store(state));
    assert_int_equal(mode_of(place->path), 0600);
}

static void test_owners(void **state)
{
    struct store *one = open_store(state);
    g_autoptr(store_t) two = open_store(state);
    assert_string_not_equal(store_owner(one), store_owner(two));
    g_autoptr(GPtrArray) none = store_dead_owners(two);
    assert_int_equal(none->len, 0);
    g_autofree char *owner = g_strdup(store_owner(one));
    assert_true(db_run(store_db(one), NULL,
                       "INSERT INTO debt(id, run, flow, system, step, attempt, owner, sent_at,"
                       " timeout_ms, undo, state, tries, told, changed)"
                       " VALUES('A', 'r', 'f', 's', 't', 1, ?, 1, 1, '{}', 'owed', 0, 0, 0)",
                       "s", owner));
    store_free(one);
    store_free(open_store(state)); // one that owes nothing leaves nothing
    g_autoptr(GPtrArray) dead = store_dead_owners(two);
    assert_int_equal(dead->len, 1);
    assert_string_equal(dead->pdata[0], owner);
    store_forget_owner(two, owner);
    store_forget_owner(two, store_owner(two)); // a live one stays
    g_autoptr(GPtrArray) gone = store_dead_owners(two);
    assert_int_equal(gone->len, 0);
    store_free(g_steal_pointer(&two));
}

static void test_one_agent(void **state)
{
    g_autoptr(store_t) one = open_store(state);
    g_autoptr(store_t) two = open_store(state);
    g_autoptr(GError) error = NULL;
    assert_true(store_lock_agent(one, &error));
    assert_false(store_lock_agent(two, &error));
    assert_true(g_error_matches(error, LOCK_ERROR, LOCK_ERROR_HELD));
    assert_non_null(strstr(error->message, "another agent runs on the store"));
}

static void test_a_flow_runs_once(void **state)
{
    g_autoptr(store_t) one = open_store(state);
    g_autoptr(store_t) two = open_store(state);
    assert_true(store_lock_flow(one, ids_number("orders"), NULL));
    assert_false(store_lock_flow(one, ids_number("orders"), NULL));
    assert_false(store_lock_flow(two, ids_number("orders"), NULL));
    assert_true(store_lock_flow(two, ids_number("customers"), NULL));
    store_unlock_flow(two, ids_number("orders"), NULL); // not its own: nothing happens
    assert_false(store_lock_flow(two, ids_number("orders"), NULL));
    store_unlock_flow(one, ids_number("orders"), NULL);
    assert_true(store_lock_flow(two, ids_number("orders"), NULL));
}

// A run may go on under a name that another configuration has changed.
static void test_a_renamed_flow_runs_once(void **state)
{
    g_autoptr(store_t) one = open_store(state);
    g_autoptr(store_t) two = open_store(state);
    assert_true(store_lock_flow(one, ids_number("orders"), NULL));
    assert_false(store_lock_flow(two, ids_number("sales-orders"), "orders"));
    assert_false(store_lock_flow(one, ids_number("sales-orders"), "orders"));
    assert_true(store_lock_flow(two, ids_number("sales-orders"),
                                NULL)); // nothing is left of the failed try
    store_unlock_flow(two, ids_number("sales-orders"), NULL);
    store_unlock_flow(one, ids_number("orders"), NULL);
    assert_true(store_lock_flow(two, ids_number("sales-orders"), "orders"));
    assert_false(store_lock_flow(one, ids_number("orders"), NULL));
    store_unlock_flow(two, ids_number("sales-orders"), "orders");
    assert_true(store_lock_flow(one, ids_number("orders"), NULL));
}

static void test_reserve(void **state)
{
    struct place *place = *state;
    g_autofree char *path = g_strconcat(place->path, ".reserve", NULL);
    g_autoptr(store_t) store = open_store(state);
    struct writer_reserve reserve = store_reserve(store);
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_true(about.st_blocks * 512 >= 1024 * 1024);
    assert_true(reserve.release(reserve.self));
    assert_false(reserve.release(reserve.self));
    assert_true(reserve.restore(reserve.self));
    assert_int_equal(stat(path, &about), 0);
}

// Three debts, of which one is paid, and a notice that waits.
static void fill(struct db *db)
{
    assert_true(db_script(
        db,
        "INSERT INTO debt(id, run, flow, system, step, attempt, owner, sent_at, timeout_ms, undo,"
        " state, tries, told, changed) VALUES('A', 'r', 'f', 's', 't', 1, 'o', 1, 1, '{}', 'owed',"
        " 0, 0, 0), ('B', 'r', 'f', 's', 't', 1, 'o', 1, 1, '{}', 'owed', 0, 0, 0),"
        " ('C', 'r', 'f', 's', 't', 1, 'o', 1, 1, '{}', 'paid', 0, 0, 0);"
        "INSERT INTO outbox_notice(sequence, notice, incident, contact, kind, number, priority,"
        " queued_us, facts) VALUES(7, 'N', 'I', 'c', 'opened', 1, 1, 1, '{}');"
        "INSERT INTO outbox_recipient(sequence, position, address, state, due_us, interval_us)"
        " VALUES(7, 0, 'a@b.example', 'waiting', 1, 1);"
        "INSERT INTO incident VALUES('I', 's', 'p', 'r', 1, 0, 5, 6, 0, '{}');"
        "INSERT INTO incident_flow VALUES('I', 0, 'f', 1, 1, 1, 1, 1);"
        "INSERT INTO flow_state VALUES('f', 's', 'failing', 0, 'I', 'p', 1, 1, 1, 1, 1, 0, 5);",
        NULL));
}

static void empty_log(struct db *db)
{
    assert_true(db_run(db, NULL, "PRAGMA wal_checkpoint(TRUNCATE)", ""));
}

// Overwrites the page that is the root of a table or index.
static void damage(struct place *place, struct db *db, const char *name)
{
    g_autoptr(db_rows_t) rows = db_query(
        db, NULL, "SELECT (rootpage - 1) * 4096 FROM sqlite_master WHERE name = ?", "s", name);
    assert_true(db_rows_next(rows, NULL));
    off_t at = (off_t)db_rows_integer(rows, 0);
    g_autofree char *rubbish = g_strnfill(4096, 'x');
    int fd = open(place->path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, rubbish, 4096, at), 4096);
    close(fd);
}

static int count_aside(struct place *place)
{
    g_autofree char *parent = g_path_get_dirname(place->path);
    g_autoptr(GDir) folder = g_dir_open(parent, 0, NULL);
    const char *name = NULL;
    int found = 0;
    while ((name = g_dir_read_name(folder)) != NULL) {
        found += g_str_has_prefix(name, "s.db.damaged-") && !g_str_has_suffix(name, "-wal") &&
                 !g_str_has_suffix(name, "-shm");
    }
    return found;
}

static void test_damaged_table(void **state)
{
    struct place *place = *state;
    struct store *store = open_store(state);
    fill(store_db(store));
    empty_log(store_db(store));
    damage(place, store_db(store), "incident");
    store_free(store);

    g_autoptr(store_t) repaired = open_store(state);
    const char *subject = NULL;
    g_autofree char *text = store_repair_text(store_db(repaired), &subject);
    assert_string_equal(subject, "the store was damaged and has been replaced");
    assert_non_null(text);
    assert_non_null(strstr(text, "2 owed undos, 1 notices"));
    assert_null(strstr(text, "the ledger"));
    assert_non_null(strstr(text, "Not all could be read of the incidents"));
    assert_int_equal(count_aside(place), 1);
    g_autoptr(db_rows_t) rows =
        db_query(store_db(repaired), NULL, "SELECT group_concat(id, '') FROM debt", "");
    assert_true(db_rows_next(rows, NULL));
    assert_string_equal(db_rows_text(rows, 0), "ABC");
}

static int64_t one(struct store *store, const char *sql)
{
    g_autoptr(db_rows_t) rows = db_query(store_db(store), NULL, sql, "");
    return rows != NULL && db_rows_next(rows, NULL) ? db_rows_integer(rows, 0) : -1;
}

// What one table has lost is taken from another, or begins anew.
static void test_tables_agree_again(void **state)
{
    static const struct {
        const char *damaged;
        int64_t incidents, failing, members;
    } cases[] = {{"flow_state", 1, 1, 1}, {"incident_flow", 1, 1, 1}, {"incident", 0, 0, 0}};
    struct place *place = *state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct store *store = open_store(state);
        assert_true(db_script(store_db(store),
                              "DELETE FROM debt; DELETE FROM outbox_notice; DELETE FROM incident;"
                              "DELETE FROM outbox_recipient; DELETE FROM incident_flow;"
                              "DELETE FROM flow_state",
                              NULL));
        fill(store_db(store));
        empty_log(store_db(store));
        damage(place, store_db(store), cases[i].damaged);
        store_free(store);
        g_autoptr(store_t) repaired = open_store(state);
        assert_int_equal(one(repaired, "SELECT count(*) FROM incident WHERE closed = 0"),
                         cases[i].incidents);
        assert_int_equal(one(repaired, "SELECT count(*) FROM flow_state WHERE incident = 'I' AND"
                                       " state = 'failing'"),
                         cases[i].failing);
        assert_int_equal(one(repaired, "SELECT count(*) FROM incident_flow"), cases[i].members);
        assert_true(db_run(store_db(repaired), NULL,
                           "INSERT INTO event(at, kind, data) VALUES(1, 'x', '')", ""));
        if (cases[i].incidents > 0) {
            assert_true(one(repaired, "SELECT max(seq) FROM event") >= 7);
        }
    }
}

// Killed when the new one was whole, and the old one set aside but not its log.
static void test_a_replacement_is_ended(void **state)
{
    struct place *place = *state;
    g_autofree char *repaired = g_strconcat(place->path, ".repaired", NULL);
    g_autofree char *wal = g_strconcat(place->path, "-wal", NULL);
    struct store *store = open_store(state);
    fill(store_db(store));
    store_free(store);
    assert_int_equal(g_rename(place->path, repaired), 0);
    assert_true(g_file_set_contents(wal, "of the old one", -1, NULL));
    g_autoptr(store_t) ended = open_store(state);
    assert_int_equal(one(ended, "SELECT count(*) FROM debt"), 3);
    assert_false(g_file_test(repaired, G_FILE_TEST_EXISTS));
}

static void test_no_database_at_all(void **state)
{
    struct place *place = *state;
    store_free(open_store(state));
    assert_true(
        g_file_set_contents(place->path, "not a database at all, but long enough", -1, NULL));
    g_autoptr(store_t) repaired = open_store(state);
    const char *subject = NULL;
    g_autofree char *text = store_repair_text(store_db(repaired), &subject);
    assert_string_equal(subject, "the store was damaged and has been replaced");
    assert_non_null(strstr(text, "0 owed undos"));
    assert_non_null(strstr(text, "Not all could be read of the ledger"));
    assert_int_equal(count_aside(place), 1);
}

static int count_files(const char *path, const char *beginning)
{
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    const char *name = NULL;
    int found = 0;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        found += g_str_has_prefix(name, beginning);
    }
    return found;
}

static void test_repair_leaves_nothing_behind(void **state)
{
    struct place *place = *state;
    g_autofree char *parent = g_path_get_dirname(place->path);
    store_free(open_store(state));
    assert_true(
        g_file_set_contents(place->path, "not a database at all, but long enough", -1, NULL));
    store_free(open_store(state));
    assert_int_equal(count_aside(place), 1);
    assert_int_equal(count_files(parent, "s.db.part"), 0);
}

static void assert_refused(const char *path, const char *words)
{
    g_autoptr(GError) error = NULL, read_error = NULL;
    assert_null(store_open(path, &error));
    assert_non_null(strstr(error->message, words));
    assert_null(store_open_reader(path, &read_error));
    assert_string_equal(read_error->message, error->message);
}

static void test_no_file(void **state)
{
    struct place *place = *state;
    g_autofree char *beside = g_strconcat(place->folder, ".locks", NULL);
    assert_refused(place->folder, "is a folder: name a file in it as agent.store");
    assert_refused("/dev/null", "is no file that keeps anything");
    assert_false(g_file_test(beside, G_FILE_TEST_EXISTS));
}

// Who cannot open a store has no lock to leave there.
static void test_a_refused_store_keeps_no_owner(void **state)
{
    struct place *place = *state;
    g_autofree char *locks = g_strconcat(place->path, ".locks", NULL);
    struct store *store = open_store(state);
    assert_true(db_script(store_db(store), "PRAGMA user_version = 9999", NULL));
    store_free(store);
    assert_null(store_open(place->path, NULL));
    assert_int_equal(count_files(locks, "owner-"), 0);
}

static void commit(struct store *store, int times)
{
    while (times-- > 0) {
        assert_true(db_begin(store_db(store), NULL));
        assert_true(db_run(store_db(store), NULL,
                           "INSERT INTO event(at, kind, data) VALUES(1, 'x', '')", ""));
        assert_true(db_commit(store_db(store), NULL));
    }
}

static char *take_lost(struct store *store)
{
    const char *subject = NULL;
    char *text = store_repair_text(store_db(store), &subject);
    if (text != NULL) {
        assert_string_equal(subject, "the store has lost its last entries");
    }
    assert_true(store_repair_was_told(store_db(store), NULL));
    return text;
}

static void assert_lost(void **state, const char *expected)
{
    g_autoptr(store_t) store = open_store(state);
    g_autofree char *text = take_lost(store);
    assert_true((text != NULL) == (expected != NULL));
    if (text != NULL) {
        assert_non_null(strstr(text, expected));
    }
    commit(store, 1);
}

// A copy that is older than what was committed; told once, and then it is the store.
static void test_commits_are_missed(void **state)
{
    struct place *place = *state;
    g_autofree char *older = NULL;
    gsize size = 0;
    struct store *store = open_store(state);
    commit(store, 3);
    empty_log(store_db(store));
    assert_true(g_file_get_contents(place->path, &older, &size, NULL));
    commit(store, 4);
    assert_true(db_begin(store_db(store), NULL)); // changes nothing: it does not count
    assert_true(db_commit(store_db(store), NULL));
    store_free(store);
    assert_lost(state, NULL);
    assert_true(g_file_set_contents(place->path, older, (gssize)size, NULL));
    assert_lost(state, "The last 5 commits");
    assert_lost(state, NULL);
    // another store in its place
    g_unlink(place->path);
    assert_lost(state, NULL);
    assert_lost(state, NULL);
}

static void test_damaged_while_in_use(void **state)
{
    struct place *place = *state;
    g_autoptr(store_t) one = open_store(state);
    empty_log(store_db(one));
    damage(place, store_db(one), "debt");
    g_autoptr(GError) error = NULL;
    g_autoptr(store_t) two = store_open(place->path, &error);
    assert_null(two);
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_CORRUPT));
    assert_non_null(strstr(error->message, "another erpwatch uses it"));
    assert_int_equal(count_aside(place), 0);
    assert_true(db_is_suspect(place->path));
}

static void test_readers(void **state)
{
    struct place *place = *state;
    g_autoptr(GError) error = NULL;
    assert_null(store_open_reader(place->path, &error));
    assert_true(g_error_matches(error, DB_ERROR, DB_ERROR_CANNOT_OPEN));
    store_free(open_store(state));
    g_autoptr(db_t) reader = store_open_reader(place->path, NULL);
    assert_non_null(reader);
    g_autoptr(db_t) memory = store_open_memory(NULL);
    assert_non_null(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_modes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_owners, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_agent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_flow_runs_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_renamed_flow_runs_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reserve, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_table, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tables_agree_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_replacement_is_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_database_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_repair_leaves_nothing_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refused_store_keeps_no_owner, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_commits_are_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_while_in_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_readers, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
