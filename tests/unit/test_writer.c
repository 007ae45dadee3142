// SPDX-License-Identifier: MIT
// The writer thread against a real file: groups, jobs that fail alone, a full
// disk with and without the reserve, and the end.
#include "../../monitor/writer.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 8 };

struct bench {
    char *folder, *path;
    uv_loop_t loop;
    struct writer *writer;
    int answered, refused, last_code;
    GString *order;
    bool room_told, closed;
    int released, restored;
    bool space;                 // what the reserve's restore answers
    int64_t pages_with_reserve; // max_page_count once the reserve is gone
    struct db *db;              // the writer's
};

struct entry {
    struct bench *bench;
    int64_t number;
    int64_t bytes;
    bool fails;
    bool again; // submit one more from the answer
    int runs;
};

static bool add_row(struct db *db, void *context, GError **error)
{
    struct entry *entry = context;
    entry->runs++;
    if (!db_run(db, error, "INSERT INTO t(n, b) VALUES(?, zeroblob(?))", "ii", entry->number,
                entry->bytes)) {
        return false;
    }
    if (entry->fails) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "no");
        return false;
    }
    return true;
}

static void submit(struct bench *bench, struct entry *entry, bool frees);

static void on_done(const GError *error, void *context)
{
    struct entry *entry = context;
    struct bench *bench = entry->bench;
    bench->answered++;
    bench->refused += error != NULL;
    bench->last_code = error != NULL ? error->code : -1;
    g_string_append_printf(bench->order, "%d%s ", (int)entry->number, error != NULL ? "!" : "");
    if (entry->again) {
        entry->again = false;
        entry->number++;
        submit(bench, entry, false);
    }
}

static void submit(struct bench *bench, struct entry *entry, bool frees)
{
    entry->bench = bench;
    struct writer_job job = {.work = add_row, .done = on_done, .context = entry, .frees = frees};
    writer_submit(bench->writer, &job);
}

static bool release(void *self)
{
    struct bench *bench = self;
    bench->released++;
    g_autofree char *sql =
        g_strdup_printf("PRAGMA max_page_count=%d", (int)bench->pages_with_reserve);
    return db_run(bench->db, NULL, sql, "");
}

static bool restore(void *self)
{
    struct bench *bench = self;
    bench->restored++;
    if (bench->space) {
        assert_true(db_run(bench->db, NULL, "PRAGMA max_page_count=100000", ""));
    }
    return bench->space;
}

static int set_up(void **state)
{
    struct bench *bench = g_new0(struct bench, 1);
    bench->folder = g_dir_make_tmp("erpwatch-writer-XXXXXX", NULL);
    bench->path = g_build_filename(bench->folder, "a.db", NULL);
    bench->order = g_string_new(NULL);
    uv_loop_init(&bench->loop);
    bench->db = db_open(bench->path, DB_CREATE, NULL);
    db_script(bench->db, "CREATE TABLE t(n INTEGER, b BLOB)", NULL);
    struct writer_reserve reserve = {.release = release, .restore = restore, .self = bench};
    bench->writer = writer_new(&bench->loop, bench->db, ROOM, &reserve, NULL);
    *state = bench;
    return bench->writer == NULL;
}

static void on_closed(void *context)
{
    struct bench *bench = context;
    bench->closed = true;
}

static void finish(struct bench *bench)
{
    writer_close(bench->writer, on_closed, bench);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_true(bench->closed);
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    g_unlink(bench->path);
    g_rmdir(bench->folder);
    g_free(bench->folder);
    g_free(bench->path);
    g_string_free(bench->order, TRUE);
    g_free(bench);
    return 0;
}

static void wait_for(struct bench *bench, int answers)
{
    while (bench->answered < answers) {
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
}

static int64_t count_rows(struct bench *bench)
{
    g_autoptr(db_t) db = db_open(bench->path, DB_READ_ONLY, NULL);
    g_autoptr(db_rows_t) rows = db_query(db, NULL, "SELECT count(*) FROM t", "");
    assert_true(db_rows_next(rows, NULL));
    return db_rows_integer(rows, 0);
}

// Keeps the writer busy in a job until the test lets it go on.
struct gate {
    uv_sem_t entered, leave;
};

static bool wait_at_gate(struct db *db, void *context, GError **error)
{
    struct gate *gate = context;
    (void)db;
    (void)error;
    uv_sem_post(&gate->entered);
    uv_sem_wait(&gate->leave);
    return true;
}

static void on_room(void *context)
{
    struct bench *bench = context;
    bench->room_told = true;
}

static void test_groups_and_room(void **state)
{
    struct bench *bench = *state;
    struct gate gate;
    struct entry entries[20] = {0};
    uv_sem_init(&gate.entered, 0);
    uv_sem_init(&gate.leave, 0);
    struct writer_job job = {.work = wait_at_gate, .context = &gate};
    writer_submit(bench->writer, &job);
    uv_run(&bench->loop, UV_RUN_NOWAIT);
    uv_sem_wait(&gate.entered);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(writer_has_room(bench->writer), i + 1 < ROOM);
        entries[i].number = i;
        submit(bench, &entries[i], false);
    }
    writer_on_room(bench->writer, on_room, bench);
    uv_sem_post(&gate.leave);
    wait_for(bench, 20);
    assert_true(bench->room_told);
    // All that waited while the first one ran were one group.
    assert_int_equal(writer_groups(bench->writer), 2);
    assert_int_equal(writer_jobs(bench->writer), 21);
    assert_string_equal(bench->order->str, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 ");
    assert_int_equal(count_rows(bench), 20);
    uv_sem_destroy(&gate.entered);
    uv_sem_destroy(&gate.leave);
    finish(bench);
}

// One sync of the disk for all that a turn of the loop makes, not a first one for the first.
static void test_turn_is_a_group(void **state)
{
    struct bench *bench = *state;
    struct entry entries[50] = {0};
    for (int i = 0; i < 50; i++) {
        entries[i].number = i;
        submit(bench, &entries[i], false);
        g_usleep(100); // the thread would have time to begin
    }
    wait_for(bench, 50);
    assert_int_equal(writer_groups(bench->writer), 1);
    assert_int_equal(writer_jobs(bench->writer), 50);
    finish(bench);
}

// Patient jobs wait for company, not for ever; an urgent one takes them along.
static void test_patient_jobs(void **state)
{
    struct bench *bench = *state;
    struct entry entries[4] = {0};
    for (int i = 0; i < 3; i++) {
        entries[i] = (struct entry){.bench = bench, .number = i};
        struct writer_job job = {
            .work = add_row, .done = on_done, .context = &entries[i], .patient = true};
        writer_submit(bench->writer, &job);
    }
    wait_for(bench, 3);
    assert_int_equal(count_rows(bench), 3);
    struct writer_job job = {
        .work = add_row, .done = on_done, .context = &entries[0], .patient = true};
    writer_submit(bench->writer, &job);
    entries[3].number = 3;
    submit(bench, &entries[3], false);
    wait_for(bench, 5);
    assert_string_equal(bench->order->str, "0 1 2 0 3 ");
    finish(bench);
}

static void test_failing_job_fails_alone(void **state)
{
    struct bench *bench = *state;
    struct entry entries[3] = {{.number = 1}, {.number = 2, .fails = true}, {.number = 3}};
    for (int i = 0; i < 3; i++) {
        submit(bench, &entries[i], false);
    }
    wait_for(bench, 3);
    assert_string_equal(bench->order->str, "1 2! 3 ");
    assert_null(writer_problem(bench->writer));
    assert_int_equal(count_rows(bench), 2);
    finish(bench);
}

static void test_answers_that_submit_at_the_end(void **state)
{
    struct bench *bench = *state;
    struct entry entry = {.number = 1, .again = true};
    submit(bench, &entry, false);
    finish(bench);
    assert_string_equal(bench->order->str, "1 2 ");
    assert_int_equal(count_rows(bench), 2);
}

static void test_full_disk(void **state)
{
    struct bench *bench = *state;
    struct entry big = {.number = 1, .bytes = 400000};
    struct entry small = {.number = 2};
    struct entry paid = {.number = 3, .bytes = 20000};
    struct entry later = {.number = 4};
    bench->pages_with_reserve = 60;
    assert_true(db_run(bench->db, NULL, "PRAGMA max_page_count=3", ""));
    submit(bench, &big, false);
    submit(bench, &small, false);
    submit(bench, &paid, true);
    wait_for(bench, 3);
    // The reserve went, and what it gave is for the job that frees alone.
    assert_string_equal(bench->order->str, "1! 2! 3 ");
    assert_int_equal(bench->released, 1);
    assert_int_equal(bench->last_code, -1);
    assert_true(g_error_matches(writer_problem(bench->writer), DB_ERROR, DB_ERROR_FULL));
    submit(bench, &later, false);
    wait_for(bench, 4);
    assert_int_equal(bench->last_code, DB_ERROR_FULL);
    assert_int_equal(later.runs, 0);
    // Space comes back: the reserve is made again, at most once a second.
    bench->space = true;
    struct entry tries = {.number = 5};
    for (int i = 5; bench->last_code != -1; i++) {
        g_usleep(50000);
        submit(bench, &tries, false);
        wait_for(bench, i);
    }
    assert_true(bench->restored >= 1);
    assert_null(writer_problem(bench->writer));
    finish(bench);
}

static void test_small_jobs_beside_a_big_one(void **state)
{
    struct bench *bench = *state;
    struct entry small = {.number = 1};
    struct entry big = {.number = 2, .bytes = 400000};
    bench->pages_with_reserve = 20;
    assert_true(db_run(bench->db, NULL, "PRAGMA max_page_count=20", ""));
    submit(bench, &small, false);
    submit(bench, &big, false);
    wait_for(bench, 2);
    assert_string_equal(bench->order->str, "1 2! ");
    assert_int_equal(count_rows(bench), 1);
    finish(bench);
}

// The writer over another connection than the bench's own.
static void use(struct bench *bench, struct db *db)
{
    writer_close(bench->writer, NULL, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    bench->writer = writer_new(&bench->loop, db, ROOM, NULL, NULL);
}

static void test_read_only(void **state)
{
    struct bench *bench = *state;
    struct entry entries[2] = {{.number = 1}, {.number = 2}};
    use(bench, db_open(bench->path, DB_READ_ONLY, NULL));
    submit(bench, &entries[0], false);
    submit(bench, &entries[1], true);
    wait_for(bench, 2);
    assert_string_equal(bench->order->str, "1! 2! ");
    assert_int_equal(bench->last_code, DB_ERROR_READONLY);
    assert_true(g_error_matches(writer_problem(bench->writer), DB_ERROR, DB_ERROR_READONLY));
    finish(bench);
}

static bool only_read(struct db *db, void *context, GError **error)
{
    (void)context;
    return db_run(db, error, "SELECT count(*) FROM t", "");
}

static void test_reading_proves_nothing(void **state)
{
    struct bench *bench = *state;
    struct entry entries[2] = {{.number = 1}, {.number = 2, .bench = bench}};
    use(bench, db_open(bench->path, DB_READ_ONLY, NULL));
    submit(bench, &entries[0], false);
    wait_for(bench, 1);
    struct writer_job job = {.work = only_read, .done = on_done, .context = &entries[1]};
    writer_submit(bench->writer, &job);
    wait_for(bench, 2);
    assert_string_equal(bench->order->str, "1! 2 ");
    assert_true(g_error_matches(writer_problem(bench->writer), DB_ERROR, DB_ERROR_READONLY));
    finish(bench);
}

static void test_corrupt(void **state)
{
    struct bench *bench = *state;
    struct entry entry = {.number = 1};
    g_autofree char *rubbish = g_strnfill(4096, 'x');
    writer_close(bench->writer, NULL, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    int fd = open(bench->path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, rubbish, 4096, 4096), 4096); // the table's page
    close(fd);
    bench->writer =
        writer_new(&bench->loop, db_open(bench->path, DB_READ_WRITE, NULL), ROOM, NULL, NULL);
    submit(bench, &entry, false);
    wait_for(bench, 1);
    assert_int_equal(bench->last_code, DB_ERROR_CORRUPT);
    assert_true(g_error_matches(writer_problem(bench->writer), DB_ERROR, DB_ERROR_CORRUPT));
    finish(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_groups_and_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_turn_is_a_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_patient_jobs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failing_job_fails_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answers_that_submit_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reading_proves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_corrupt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_small_jobs_beside_a_big_one, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
