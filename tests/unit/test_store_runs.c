// SPDX-License-Identifier: MIT
// Runs in a store in memory: what is kept of good and of other runs, and what is
// deleted when.
#include "../../monitor/store.h"
#include "../../monitor/store_runs.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define HOUR (INT64_C(3600) * G_USEC_PER_SEC)
#define START (INT64_C(1790000000) * G_USEC_PER_SEC / HOUR * HOUR)

static int set_up(void **state)
{
    *state = store_open_memory(NULL);
    return *state == NULL;
}

static int tear_down(void **state)
{
    db_close(*state);
    return 0;
}

static int64_t one(struct db *db, const char *sql)
{
    g_autoptr(db_rows_t) rows = db_query(db, NULL, sql, "");
    assert_non_null(rows);
    assert_true(db_rows_next(rows, NULL));
    return db_rows_integer(rows, 0);
}

static struct store_run run_of(const char *id, const char *state, int64_t started_us)
{
    return (struct store_run){.run = id,
                              .flow = "orders",
                              .system = "erp",
                              .state = state,
                              .started = {started_us},
                              .ended = {started_us + 50000},
                              .duration_us = 50000,
                              .counted = true};
}

static void test_last_state(void **state)
{
    struct db *db = *state;
    struct store_run good = run_of("1", "ok", START);
    struct store_run bad = run_of("2", "failed", START + HOUR);
    bad.evidence = "{\"with\":1}";
    bad.result = "{}";
    assert_true(store_runs_add(db, &good, false, NULL, NULL));
    assert_true(store_runs_add(db, &bad, true, NULL, NULL));
    assert_true(store_runs_last_good(db, "orders", NULL).us == START);
    assert_true(store_runs_last_good(db, "nothing", NULL).us == 0);
    assert_int_equal(one(db, "SELECT count(*) FROM flow WHERE state = 'failed' AND run = '2'"), 1);
    assert_int_equal(one(db, "SELECT count(*) FROM good_run"), 1);
    assert_false(store_runs_has(db, "1", NULL));
    assert_true(store_runs_has(db, "2", NULL));
    g_autofree char *result = store_runs_result(db, "2", NULL);
    assert_string_equal(result, "{\"with\":1}");
    g_autoptr(GError) error = NULL;
    assert_null(store_runs_result(db, "3", &error));
    assert_null(error);
    // The same run twice is refused by its id.
    assert_false(store_runs_add(db, &bad, true, NULL, NULL));
}

static void test_uncounted_run(void **state)
{
    struct db *db = *state;
    struct store_run good = run_of("1", "ok", START);
    struct store_run bad = run_of("2", "failed", START + HOUR);
    bad.counted = false;
    assert_true(store_runs_add(db, &good, false, NULL, NULL));
    assert_true(store_runs_add(db, &bad, true, NULL, NULL));
    assert_int_equal(one(db, "SELECT count(*) FROM flow WHERE state = 'ok'"), 1);
    assert_int_equal(one(db, "SELECT count(*) FROM run WHERE counted = 0"), 1);
}

static void test_texts_and_meta(void **state)
{
    struct db *db = *state;
    bool is_new = false;
    struct clock_wall now = {START};
    assert_true(store_runs_see_text(db, "erp", "boom", now, &is_new, NULL));
    assert_true(is_new);
    assert_true(store_runs_see_text(db, "erp", "boom", now, &is_new, NULL));
    assert_false(is_new);
    assert_true(store_runs_see_text(db, "shop", "boom", now, &is_new, NULL));
    assert_true(is_new);
    assert_true(store_runs_heartbeat(db, NULL).us == 0);
    assert_true(store_runs_beat(db, now, NULL));
    assert_true(store_runs_heartbeat(db, NULL).us == START);
    g_autofree char *none = store_runs_get(db, "digest", NULL);
    assert_null(none);
    assert_true(store_runs_set(db, "digest", "x", NULL));
    assert_true(store_runs_set(db, "digest", "y", NULL));
    g_autofree char *digest = store_runs_get(db, "digest", NULL);
    assert_string_equal(digest, "y");
}

static int prune_all(struct db *db, const struct store_keep *keep, int64_t now_us)
{
    uint32_t left = STORE_PRUNE_ALL;
    int bites = 0;
    while (left) {
        assert_true(store_runs_prune(db, keep, (struct clock_wall){now_us}, left, &left, NULL));
        bites++;
    }
    return bites;
}

static void test_good_runs_become_counts(void **state)
{
    struct db *db = *state;
    struct store_keep keep = {.runs_ms = INT64_C(90) * 86400000, .evidence_ms = 1};
    for (int i = 0; i < 1300; i++) {
        struct store_run run = run_of("-", "ok", START + i * 4 * HOUR / 1300);
        run.duration_us = i % 2 == 0 ? 50000 : 2000000;
        assert_true(store_runs_add(db, &run, false, NULL, NULL));
    }
    // A day after the second hour ended: two hours are counted, two are still single.
    int bites = prune_all(db, &keep, START + 26 * HOUR);
    assert_true(bites > 1);
    assert_int_equal(one(db, "SELECT count(*) FROM good_run"), 650);
    assert_int_equal(one(db, "SELECT count(*) FROM hourly"), 2);
    assert_int_equal(one(db, "SELECT sum(runs) FROM hourly"), 650);
    assert_int_equal(one(db, "SELECT sum(below_100ms) FROM hourly"), 325);
    assert_int_equal(one(db, "SELECT sum(below_3s) FROM hourly"), 325);
    assert_int_equal(one(db, "SELECT sum(total_us) / 325 FROM hourly"), 2050000);
    assert_int_equal(one(db, "SELECT max(longest_us) FROM hourly"), 2000000);
    prune_all(db, &keep, START + 29 * HOUR);
    assert_int_equal(one(db, "SELECT count(*) FROM good_run"), 0);
    assert_int_equal(one(db, "SELECT sum(runs) FROM hourly"), 1300);
    prune_all(db, &keep, START + INT64_C(500) * 24 * HOUR);
    assert_int_equal(one(db, "SELECT count(*) FROM hourly"), 0);
}

static void test_runs_and_evidence(void **state)
{
    struct db *db = *state;
    struct store_keep keep = {.runs_ms = 10 * 3600000, .evidence_ms = 5 * 3600000};
    for (int i = 0; i < 12; i++) {
        g_autofree char *id = g_strdup_printf("%d", i);
        struct store_run run = run_of(id, "failed", START + i * HOUR);
        run.result = "{}";
        run.evidence = "{\"body\":1}";
        assert_true(store_runs_add(db, &run, true, NULL, NULL));
    }
    prune_all(db, &keep, START + 11 * HOUR);
    assert_int_equal(one(db, "SELECT min(id + 0) FROM run"), 1);
    assert_int_equal(one(db, "SELECT min(id + 0) FROM run WHERE evidence IS NOT NULL"), 6);
    g_autofree char *result = store_runs_result(db, "3", NULL);
    assert_string_equal(result, "{}");
}

// A bite looks at the oldest rows only; those of a clock that was far ahead are not among them.
static void test_runs_from_the_future(void **state)
{
    struct db *db = *state;
    struct store_keep keep = {.runs_ms = 10 * 3600000, .evidence_ms = 5 * 3600000};
    for (int i = 0; i < 1200; i++) {
        g_autofree char *id = g_strdup_printf("%d", i);
        int64_t started = i < 600 ? START + 9000 * HOUR : START;
        struct store_run run = run_of(id, "failed", started);
        run.evidence = "{}";
        assert_true(store_runs_add(db, &run, true, NULL, NULL));
    }
    prune_all(db, &keep, START + 6 * HOUR);
    assert_int_equal(one(db, "SELECT count(*) FROM run WHERE evidence IS NOT NULL"), 600);
    assert_int_equal(prune_all(db, &keep, START + 11 * HOUR), 2);
    assert_int_equal(one(db, "SELECT count(*) FROM run"), 600);
}

// What another bite is due for is looked for alone; what is kept for a year not each minute.
static void test_bites(void **state)
{
    struct db *db = *state;
    struct store_keep keep = {.runs_ms = 3600000, .evidence_ms = 3600000};
    struct clock_wall now = {START + 10 * HOUR};
    uint32_t left = 0;
    static const char old[] = "INSERT INTO mute VALUES(1, 'flow', 'f', 1, 1, 'w', 1);"
                              "INSERT INTO token(key, access_until, obtained, asking, changed)"
                              " VALUES('k', 1, 1, 0, 1);";
    for (int i = 0; i < 700; i++) {
        g_autofree char *id = g_strdup_printf("%d", i);
        struct store_run run = run_of(id, "failed", START);
        assert_true(store_runs_add(db, &run, true, NULL, NULL));
    }
    assert_true(store_runs_prune(db, &keep, now, STORE_PRUNE_OFTEN, &left, NULL));
    assert_int_equal(one(db, "SELECT count(*) FROM run"), 200);
    assert_int_not_equal(left, 0);
    assert_true(db_script(db, old, NULL));
    assert_true(store_runs_prune(db, &keep, now, left, &left, NULL));
    assert_int_equal(one(db, "SELECT count(*) FROM run"), 0);
    assert_int_equal(left, 0);
    assert_int_equal(one(db, "SELECT count(*) FROM mute"), 1);
    assert_true(store_runs_prune(db, &keep, now, STORE_PRUNE_OFTEN, &left, NULL));
    assert_int_equal(one(db, "SELECT count(*) FROM mute"), 0);
    assert_int_equal(one(db, "SELECT count(*) FROM token"), 1);
    assert_true(store_runs_prune(db, &keep, now, STORE_PRUNE_ALL, &left, NULL));
    assert_int_equal(one(db, "SELECT count(*) FROM token"), 0);
}

// Of many flows, the hourly counts of another part are looked at each hour.
static void test_hourly_counts_in_parts(void **state)
{
    struct db *db = *state;
    struct store_keep keep = {.runs_ms = 3600000, .evidence_ms = 3600000};
    int64_t now_us = START + INT64_C(500) * 24 * HOUR;
    g_autofree char *sql = g_strdup_printf(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5100)"
        " INSERT INTO flow(no, id, system) SELECT i, 'f' || i, 'erp' FROM n;"
        "INSERT INTO hourly SELECT no, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0 FROM flow;"
        "INSERT INTO hourly SELECT no, %" G_GINT64_FORMAT
        ", 1, 1, 1, 1, 0, 0, 0, 0, 0, 0 FROM flow;",
        now_us / HOUR);
    assert_true(db_script(db, sql, NULL));
    prune_all(db, &keep, now_us);
    int64_t half = one(db, "SELECT count(*) FROM hourly");
    assert_in_range(half, 5101, 10199);
    prune_all(db, &keep, now_us + HOUR);
    assert_int_equal(one(db, "SELECT count(*) FROM hourly"), 5100);
    assert_int_equal(one(db, "SELECT count(*) FROM hourly WHERE hour = 1"), 0);
}

// Events stay from the first one that an incident, a flow's state or a mute came from.
static void test_events(void **state)
{
    struct db *db = *state;
    struct store_keep keep = {.runs_ms = 3600000, .evidence_ms = 1};
    assert_true(db_script(
        db,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)"
        " INSERT INTO event(at, kind, data) SELECT 1, 'result', '{}' FROM n;"
        "INSERT INTO incident VALUES('A', 'erp', 'f', 'r', 1, 2, 3, 4, 0, '{}'),"
        " ('B', 'erp', 'f', 'r', 1, 0, 11, 12, 0, '{}');"
        "INSERT INTO incident_flow VALUES('A', 0, 'f', 0, 1, 1, 1, 1),"
        " ('B', 0, 'f', 1, 1, 1, 1, 1);"
        "INSERT INTO decision(incident, event, at, kind, text) VALUES('A', 4, 1, 'k', 't'),"
        " ('B', 12, 1, 'k', 't');",
        NULL));
    prune_all(db, &keep, START);
    assert_int_equal(one(db, "SELECT count(*) FROM incident"), 1);
    assert_int_equal(one(db, "SELECT count(*) FROM incident_flow"), 1);
    assert_int_equal(one(db, "SELECT count(*) FROM decision"), 1);
    assert_int_equal(one(db, "SELECT min(seq) FROM event"), 11);
}

// The change of a version, of which mails tell, and the event that it came from go together.
static void test_versions(void **state)
{
    struct db *db = *state;
    struct store_keep keep = {.runs_ms = 3600000, .evidence_ms = 1};
    g_autofree char *sql = g_strdup_printf(
        "INSERT INTO event(at, kind, data) VALUES(%1$" G_GINT64_FORMAT ", 'version', '{}'),"
        " (%1$" G_GINT64_FORMAT ", 'tick', '{}');"
        "INSERT INTO version_change VALUES(1, 'erp', %1$" G_GINT64_FORMAT ", '1', '2');",
        (gint64)START);
    assert_true(db_script(db, sql, NULL));
    prune_all(db, &keep, START + INT64_C(399) * 24 * HOUR);
    assert_int_equal(one(db, "SELECT count(*) FROM event"), 1);
    assert_int_equal(one(db, "SELECT count(*) FROM event WHERE kind = 'version'"), 1);
    assert_int_equal(one(db, "SELECT count(*) FROM version_change"), 1);
    prune_all(db, &keep, START + INT64_C(401) * 24 * HOUR);
    assert_int_equal(one(db, "SELECT count(*) FROM event"), 0);
    assert_int_equal(one(db, "SELECT count(*) FROM version_change"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_last_state, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_uncounted_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_texts_and_meta, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_good_runs_become_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_runs_and_evidence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_runs_from_the_future, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bites, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hourly_counts_in_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_versions, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("store_runs", tests, NULL, NULL);
}
