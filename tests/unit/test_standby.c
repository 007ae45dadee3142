// SPDX-License-Identifier: MIT
// While the store cannot be written: incidents begin where the store left them, their
// notices come out of memory, and all of it comes into the store afterwards, once.
#include "../../monitor/standby.h"
#include "../../monitor/standby_file.h"
#include "../../monitor/store.h"
#include "../../monitor/store_runs.h"
#include "watch_config.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define START (INT64_C(1790000000) * SECOND)

struct world {
    char *folder, *path;
    struct store *store;
    struct db *db;
    struct config *config;
    uv_loop_t loop;
    struct standby *standby;
    int64_t now_us;
    int runs;
};

static int set_up(void **state)
{
    struct world *world = g_new0(struct world, 1);
    world->folder = g_dir_make_tmp("erpwatch-standby-XXXXXX", NULL);
    world->path = g_build_filename(world->folder, "s.db", NULL);
    world->store = store_open(world->path, NULL);
    world->db = store_db(world->store);
    world->config = make_config();
    world->now_us = START;
    uv_loop_init(&world->loop);
    world->standby = standby_new(&world->loop, world->path, "none.yaml");
    *state = world;
    return 0;
}

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

static int tear_down(void **state)
{
    struct world *world = *state;
    standby_free(world->standby);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    store_free(world->store);
    free_config(world->config);
    remove_tree(world->folder);
    g_free(world->folder);
    g_free(world->path);
    g_free(world);
    return 0;
}

static struct watch_event *make_event(struct world *world, char letter)
{
    struct watch_event *event = g_new0(struct watch_event, 1);
    bool good = letter == 'G';
    event->run = g_strdup_printf("run%d", ++world->runs);
    event->flow = g_strdup("orders");
    event->system = g_strdup("erp");
    event->state = good ? VERDICT_OK : VERDICT_FAILED;
    event->started.us = world->now_us;
    event->ended.us = world->now_us + SECOND;
    event->duration_us = SECOND;
    event->fingerprint = good ? NULL : g_strndup(&letter, 1);
    static const char failed[] = "{\"flow\":\"orders\",\"steps\":[]}";
    event->json = good ? NULL : json_parse(failed, strlen(failed), NULL);
    event->counts = event->groups = true;
    world->now_us += 60 * SECOND;
    return event;
}

static void into_store(struct world *world, const char *letters)
{
    struct watch_answer answer;
    for (; *letters != '\0'; letters++) {
        g_autoptr(watch_event_t) event = make_event(world, *letters);
        assert_true(db_begin(world->db, NULL));
        assert_true(watch_result(world->db, world->config, event, &answer, NULL));
        assert_true(db_commit(world->db, NULL));
    }
}

static struct watch_answer into_standby(struct world *world, const char *letters)
{
    struct watch_answer answer = {0};
    for (; *letters != '\0'; letters++) {
        g_autoptr(watch_event_t) event = make_event(world, *letters);
        g_autoptr(GError) error = NULL;
        if (!standby_result(world->standby, world->config, event, &answer, &error)) {
            fail_msg("%s", error->message);
        }
    }
    return answer;
}

static char *dump(struct db *db, const char *sql)
{
    g_autoptr(db_rows_t) rows = db_query(db, NULL, sql, "");
    assert_non_null(rows);
    return db_rows_next(rows, NULL) ? g_strdup(db_rows_text(rows, 0)) : NULL;
}

static void assert_dump(struct db *db, const char *sql, const char *expected)
{
    g_autofree char *got = dump(db, sql);
    if (g_strcmp0(got, expected) != 0) {
        fail_msg("%s gives \"%s\", not \"%s\"", sql, got, expected);
    }
}

static void test_begins_where_the_store_is(void **state)
{
    struct world *world = *state;
    assert_false(standby_is_used(world->standby));
    into_store(world, "a");
    struct watch_answer answer = into_standby(world, "a");
    assert_true(standby_is_used(world->standby));
    assert_int_equal(answer.state, INCIDENT_FAILING);
    assert_true(answer.notices);
    // The store itself has not changed.
    assert_dump(world->db, "SELECT count(*) FROM incident", "0");
}

static const char outbox_sql[] =
    "SELECT group_concat(kind || ' ' || r.state, ', ') FROM outbox_notice JOIN outbox_recipient r"
    " USING (sequence)";

static void test_notices_out_of_memory(void **state)
{
    struct world *world = *state;
    g_autoptr(db_t) memory = store_open_memory(NULL);
    struct watch_answer answer;
    for (int i = 0; i < 2; i++) {
        g_autoptr(watch_event_t) event = make_event(world, 'a');
        event->groups = false;
        assert_true(watch_result(memory, world->config, event, &answer, NULL));
    }
    struct clock_wall now = {world->now_us};
    g_autoptr(outbox_item_t) item = standby_take_notice(memory, world->config, now);
    assert_non_null(item);
    g_autofree char *facts = standby_facts(item);
    assert_non_null(strstr(facts, "\"recipients\":[\"partner@example.org\"]"));
    assert_null(standby_take_notice(memory, world->config, now)); // one at a time
    // No report: it is tried again.
    assert_true(standby_settle(memory, item, NULL, now, NULL));
    assert_dump(memory, outbox_sql, "opened waiting");
    now.us += 120 * SECOND;
    g_autoptr(outbox_item_t) again = standby_take_notice(memory, world->config, now);
    assert_non_null(again);
    const char *text = "{\"notice\":\"x\",\"recipients\":[{\"recipient\":\"partner@example.org\","
                       "\"state\":\"accepted\",\"code\":250,\"reply\":\"ok\"}]}";
    g_autoptr(cJSON) report = json_parse(text, strlen(text), NULL);
    assert_true(standby_settle(memory, again, report, now, NULL));
    assert_dump(memory, outbox_sql, "opened accepted");
}

// The memory of a standby, as the merge gets it.
static struct db *remember(struct world *world, const char *letters)
{
    struct watch_answer answer;
    struct db *memory = store_open_memory(NULL);
    for (; *letters != '\0'; letters++) {
        g_autoptr(watch_event_t) event = make_event(world, *letters);
        assert_true(watch_result(memory, world->config, event, &answer, NULL));
    }
    return memory;
}

static void test_merge(void **state)
{
    struct world *world = *state;
    g_autoptr(db_t) memory = remember(world, "GaaaG");
    assert_true(db_script(memory, "UPDATE outbox_recipient SET state = 'accepted'", NULL));
    g_autoptr(GError) error = NULL;
    assert_true(db_begin(world->db, NULL));
    if (!standby_merge(memory, world->db, world->config, &error)) {
        fail_msg("%s", error->message);
    }
    assert_true(db_commit(world->db, NULL));
    // What was mailed from memory is not mailed again.
    assert_dump(world->db, outbox_sql, "opened accepted, recovered accepted");
    assert_dump(world->db, "SELECT count(*) FROM run", "4");
    assert_dump(world->db, "SELECT count(*) FROM good_run", "1");
    assert_dump(world->db, "SELECT count(*) FROM flow_state", "0");
    g_autofree char *here = dump(world->db, "SELECT group_concat(id || closed) FROM incident");
    g_autofree char *there = dump(memory, "SELECT group_concat(id || closed) FROM incident");
    assert_string_equal(here, there);
    // Once more changes nothing but the table of events.
    assert_true(standby_merge(memory, world->db, world->config, NULL));
    assert_dump(world->db, outbox_sql, "opened accepted, recovered accepted");
    assert_dump(world->db, "SELECT count(*) FROM run", "4");
}

// An opening that waits for company in the store goes out of memory, and not twice.
static void test_takes_over_what_waits(void **state)
{
    struct world *world = *state;
    into_store(world, "aa");
    assert_dump(world->db, outbox_sql, "opened waiting");
    g_autoptr(db_t) memory = store_open_memory(NULL);
    standby_begin(memory, world->path);
    assert_dump(memory, outbox_sql, "opened waiting");
    assert_dump(memory, "SELECT count(*) FROM run JOIN incident ON run.id = incident.run", "1");
    struct watch_answer answer;
    g_autoptr(watch_event_t) good = make_event(world, 'G');
    assert_true(watch_result(memory, world->config, good, &answer, NULL));
    assert_int_equal(answer.state, INCIDENT_OK);
    assert_dump(memory, outbox_sql, "opened waiting, recovered waiting");
    assert_true(
        db_script(memory, "UPDATE outbox_recipient SET state = 'accepted', last_us = 7", NULL));
    assert_true(standby_merge(memory, world->db, world->config, NULL));
    assert_dump(world->db, outbox_sql, "opened accepted, recovered accepted");
    assert_dump(world->db,
                "SELECT count(*) FROM outbox_notice WHERE kind = 'opened'"
                " AND ended_us IS NULL",
                "0");
    assert_dump(world->db, "SELECT count(*) FROM incident WHERE closed = 0", "0");
}

static void test_memory_is_bounded(void **state)
{
    struct world *world = *state;
    g_autoptr(db_t) memory = remember(world, "aa");
    assert_false(standby_trim(memory));
    assert_true(db_script(memory,
                          "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n"
                          " WHERE i < 6000) INSERT INTO run SELECT i, 'r' || i, 1, i, 1, 'failed',"
                          " 1, NULL, NULL, '{}', '{}' FROM n",
                          NULL));
    assert_true(standby_trim(memory));
    assert_dump(memory, "SELECT count(*) FROM run WHERE seq >= 10", "5000");
    assert_dump(memory, "SELECT count(*) FROM run WHERE seq >= 10 AND evidence IS NOT NULL", "100");
    // The run that an open incident is about stays.
    assert_dump(memory, "SELECT count(*) FROM run JOIN incident ON run.id = incident.run", "1");
    assert_false(standby_trim(memory));
}

struct outcome {
    int answers, given_back;
    enum incident_kind state;
    bool failed;
};

static void on_answer(const struct watch_answer *answer, const GError *error, void *context)
{
    struct outcome *outcome = context;
    outcome->answers++;
    outcome->failed |= error != NULL;
    outcome->state = answer->state;
}

static void on_given_back(void *context)
{
    struct outcome *outcome = context;
    outcome->given_back++;
}

static void submit(struct world *world, struct writer *writer, struct outcome *outcome)
{
    int before = outcome->answers;
    standby_submit(world->standby, writer, world->config, make_event(world, 'a'), on_answer,
                   outcome);
    while (outcome->answers == before) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
}

static void test_store_that_fails_and_comes_back(void **state)
{
    struct world *world = *state;
    struct outcome outcome = {0};
    into_store(world, "a");
    struct writer *broken =
        writer_new(&world->loop, db_open(world->path, DB_READ_ONLY, NULL), 10, NULL, NULL);
    submit(world, broken, &outcome);
    assert_false(outcome.failed);
    assert_int_equal(outcome.state, INCIDENT_FAILING);
    assert_true(standby_is_used(world->standby));
    assert_true(standby_give_back(world->standby, broken, world->config, on_given_back, &outcome));
    while (outcome.given_back == 0) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_true(standby_is_used(world->standby)); // the store has not taken it
    writer_close(broken, NULL, NULL);
    struct writer *sound = writer_new(&world->loop, store_take_db(world->store), 10, NULL, NULL);
    assert_true(standby_give_back(world->standby, sound, world->config, on_given_back, &outcome));
    while (outcome.given_back == 1) {
        uv_run(&world->loop, UV_RUN_ONCE);
    }
    assert_false(standby_is_used(world->standby));
    writer_close(sound, NULL, NULL);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    g_autoptr(db_t) reader = store_open_reader(world->path, NULL);
    assert_dump(reader, "SELECT count(*) FROM incident WHERE closed = 0", "1");
    assert_dump(reader, outbox_sql, "monitor waiting, opened waiting");
    assert_dump(reader, "SELECT count(*) FROM meta WHERE key LIKE 'told-%'", "1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

// A memory as another process would begin it, with what the file holds; NULL: nothing.
static struct db *take_over(struct world *world, struct standby_file *file)
{
    g_autoptr(db_t) memory = store_open_memory(NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(db_t) left = NULL;
    standby_begin(memory, world->path);
    if (!standby_file_left(file, memory, &left, &error) ||
        (left != NULL && !standby_merge(left, memory, world->config, &error))) {
        fail_msg("%s", error->message);
    }
    return left != NULL ? g_steal_pointer(&memory) : NULL;
}

static void give(struct world *world, const struct standby_file *file, struct db *memory)
{
    assert_true(db_begin(world->db, NULL));
    assert_true(standby_merge(memory, world->db, world->config, NULL));
    assert_true(standby_file_give(file, world->db, NULL));
    assert_true(db_commit(world->db, NULL));
}

// The process ends between each two results; what it knew goes on.
static void test_outlives_its_process(void **state)
{
    struct world *world = *state;
    struct watch_answer answer = {0};
    for (const char *letter = "aaaG"; *letter != '\0'; letter++) {
        standby_use_file(world->standby, world->config);
        assert_true(standby_is_used(world->standby) == (letter[0] != 'a' || letter[2] != 'a'));
        char one[] = {*letter, '\0'};
        answer = into_standby(world, one);
        standby_free(world->standby);
        world->standby = standby_new(&world->loop, world->path, "none.yaml");
    }
    assert_int_equal(answer.state, INCIDENT_OK);
    g_autoptr(GError) error = NULL;
    struct standby_file *file = standby_file_open(world->path, &error);
    assert_null(error);
    assert_null(standby_file_open(world->path, NULL)); // one process at a time
    g_autoptr(db_t) memory = take_over(world, file);
    assert_dump(memory, outbox_sql, "monitor waiting, opened waiting, recovered waiting");
    give(world, file, memory);
    standby_file_free(file);
    // It was killed before it could empty the file.
    file = standby_file_open(world->path, NULL);
    assert_null(take_over(world, file));
    standby_file_free(file);
    assert_dump(world->db, "SELECT count(*) FROM event WHERE kind = 'result'", "4");
    assert_dump(world->db, "SELECT count(*) FROM incident WHERE closed > 0", "1");
    assert_dump(world->db, "SELECT count(*) FROM run WHERE evidence IS NOT NULL", "2");
}

// What was sent is kept as sent, whatever the numbers of the notices are by then.
static void test_file_knows_what_was_sent(void **state)
{
    struct world *world = *state;
    struct standby_file *file = standby_file_open(world->path, NULL);
    g_autoptr(db_t) memory = take_over(world, file);
    assert_null(memory);
    memory = remember(world, "");
    standby_file_follow(file, memory);
    struct watch_answer answer;
    for (int i = 0; i < 2; i++) {
        g_autoptr(watch_event_t) event = make_event(world, 'a');
        assert_true(watch_result(memory, world->config, event, &answer, NULL));
        assert_true(standby_file_keep(file, memory, 0, NULL));
    }
    assert_true(db_script(memory, "UPDATE outbox_recipient SET state = 'accepted'", NULL));
    assert_true(standby_file_keep(file, memory, 1, NULL));
    g_autoptr(db_t) later = take_over(world, file);
    assert_dump(later, outbox_sql, "opened accepted");
    assert_true(standby_file_empty(file, NULL));
    assert_null(take_over(world, file));
    standby_file_free(file);
}

// A second process that cannot write the store either knows what the first has told.
static void test_two_at_once(void **state)
{
    struct world *world = *state;
    standby_use_file(world->standby, world->config);
    assert_true(into_standby(world, "aa").notices);
    struct standby *first = world->standby;
    world->standby = standby_new(&world->loop, world->path, "none.yaml");
    standby_use_file(world->standby, world->config); // which the first has
    struct watch_answer answer = into_standby(world, "aa");
    assert_int_equal(answer.state, INCIDENT_FAILING);
    assert_false(answer.notices);
    assert_true(into_standby(world, "G").notices); // who was told of the one hears of the other
    standby_free(first);
}

static int synced; // files

// In place of the C library's.
int fdatasync(int fd)
{
    (void)fd;
    synced++;
    return 0;
}

static void on_delivered(void *context)
{
    *(bool *)context = true;
}

// What is told goes to the disk meanwhile: it is known after a power cut, too.
static void test_synced_when_it_is_told(void **state)
{
    struct world *world = *state;
    bool delivered = false;
    world->now_us = g_get_real_time() - 3600 * SECOND; // it is due
    standby_use_file(world->standby, world->config);
    (void)into_standby(world, "aa");
    synced = 0;
    standby_deliver(world->standby, world->config, on_delivered, &delivered);
    assert_true(standby_is_sending(world->standby));
    assert_false(delivered);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    assert_true(delivered);
    assert_true(synced >= 2); // the file and its journal
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "deliver") == 0) {
        return 0; // the program itself is what is started to deliver
    }
    signal(SIGPIPE, SIG_IGN); // as the program does: nothing reads the notice
    const struct CMUnitTest tests[] = {
        TEST(test_begins_where_the_store_is),
        TEST(test_notices_out_of_memory),
        TEST(test_merge),
        TEST(test_takes_over_what_waits),
        TEST(test_memory_is_bounded),
        TEST(test_store_that_fails_and_comes_back),
        TEST(test_outlives_its_process),
        TEST(test_file_knows_what_was_sent),
        TEST(test_two_at_once),
        TEST(test_synced_when_it_is_told),
    };
    return cmocka_run_group_tests_name("standby", tests, NULL, NULL);
}
