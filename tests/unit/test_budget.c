// SPDX-License-Identifier: MIT
// Days of a zone, with those on which the clocks change, and what is counted on them.
#include "../../monitor/budget.h"
#include "../../monitor/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib/gstdio.h>

static int64_t day_of(const char *time, const char *zone)
{
    return flow_budget_day(clock_wall_parse(time), zone);
}

static void test_days(void **state)
{
    (void)state;
    static const struct {
        const char *time, *zone;
        int64_t day;
        const char *next;
    } cases[] = {
        {"2026-11-21T22:59:59.999Z", "Europe/Brussels", 20261121, "2026-11-21T23:00:00.000Z"},
        {"2026-11-21T23:00:00.000Z", "Europe/Brussels", 20261122, "2026-11-22T23:00:00.000Z"},
        {"2026-12-31T23:30:00.000Z", "UTC", 20261231, "2027-01-01T00:00:00.000Z"},
        {"2026-12-31T23:30:00.000Z", "America/New_York", 20261231, "2027-01-01T05:00:00.000Z"},
        {"2028-02-28T12:00:00.000Z", "UTC", 20280228, "2028-02-29T00:00:00.000Z"},
        // the clocks go forward: 23 hours
        {"2026-03-28T23:00:00.000Z", "Europe/Brussels", 20260329, "2026-03-29T22:00:00.000Z"},
        {"2026-03-29T21:59:59.000Z", "Europe/Brussels", 20260329, "2026-03-29T22:00:00.000Z"},
        // and back: 25 hours, of which one comes twice
        {"2026-10-24T22:00:00.000Z", "Europe/Brussels", 20261025, "2026-10-25T23:00:00.000Z"},
        {"2026-10-25T00:30:00.000Z", "Europe/Brussels", 20261025, "2026-10-25T23:00:00.000Z"},
        {"2026-10-25T01:30:00.000Z", "Europe/Brussels", 20261025, "2026-10-25T23:00:00.000Z"},
        {"2026-10-25T22:59:59.000Z", "Europe/Brussels", 20261025, "2026-10-25T23:00:00.000Z"},
        // a day that begins at one o'clock
        {"2026-09-05T12:00:00.000Z", "America/Santiago", 20260905, "2026-09-06T04:00:00.000Z"},
        {"2026-11-21T12:00:00.000Z", "No/Where", 20261121, "2026-11-22T00:00:00.000Z"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct clock_wall time = clock_wall_parse(cases[i].time);
        assert_int_equal(day_of(cases[i].time, cases[i].zone), cases[i].day);
        g_autofree char *next = clock_wall_format(flow_budget_next_day(time, cases[i].zone));
        assert_string_equal(next, cases[i].next);
        // where the day before ends
        struct clock_wall start = flow_budget_day_start(time, cases[i].zone);
        struct clock_wall before = {start.us - 1};
        assert_true(start.us <= time.us);
        assert_int_equal(flow_budget_day(start, cases[i].zone), cases[i].day);
        assert_int_equal(flow_budget_next_day(before, cases[i].zone).us, start.us);
    }
}

// Takes until it is refused; returns how often it was granted.
static int drain(struct db *db, const char *flow, int64_t day, int runs_per_day)
{
    int granted_times = 0;
    bool granted = true;
    while (granted) {
        assert_true(budget_take(db, flow, day, runs_per_day, &granted, NULL));
        granted_times += granted;
        assert_true(granted_times <= 1000);
    }
    return granted_times;
}

static void test_counting(void **state)
{
    (void)state;
    g_autoptr(db_t) db = store_open_memory(NULL);
    int64_t runs = -1;
    assert_true(budget_count(db, "orders", 20261121, &runs, NULL));
    assert_int_equal(runs, 0);
    assert_int_equal(drain(db, "orders", 20261121, 3), 3);
    assert_int_equal(drain(db, "orders", 20261121, 3), 0);
    assert_int_equal(drain(db, "stock", 20261121, 1), 1);
    assert_true(budget_count(db, "orders", 20261121, &runs, NULL));
    assert_int_equal(runs, 3);
    assert_int_equal(drain(db, "orders", 20261121, 5), 2); // it was raised
    assert_int_equal(drain(db, "orders", 20261121, 1), 0); // and cut
    assert_int_equal(drain(db, "orders", 20261122, 3), 3); // another day
    assert_true(budget_count(db, "orders", 20261121, &runs, NULL));
    assert_int_equal(runs, 0); // the former one is forgotten
}

struct spender {
    const char *path;
    int granted;
};

static void *spend(void *data)
{
    struct spender *spender = data;
    g_autoptr(db_t) db = db_open(spender->path, DB_READ_WRITE, NULL);
    bool granted = true;
    while (granted) {
        assert_true(db_begin(db, NULL));
        assert_true(budget_take(db, "orders", 20261121, 40, &granted, NULL));
        assert_true(db_commit(db, NULL));
        spender->granted += granted;
    }
    return NULL;
}

static void test_two_at_once_never_overspend(void **state)
{
    (void)state;
    g_autofree char *folder = g_dir_make_tmp("erpwatch-budget-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "erpwatch.db", NULL);
    g_autofree char *remove = g_strdup_printf("rm -r '%s'", folder);
    struct store *store = store_open(path, NULL);
    struct spender spenders[2] = {{path, 0}, {path, 0}};
    GThread *threads[2];
    assert_non_null(store);
    for (int i = 0; i < 2; i++)
        threads[i] = g_thread_new("spender", spend, &spenders[i]);
    for (int i = 0; i < 2; i++)
        g_thread_join(threads[i]);
    assert_int_equal(spenders[0].granted + spenders[1].granted, 40);
    store_free(store);
    assert_int_equal(system(remove), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_counting),
        cmocka_unit_test(test_two_at_once_never_overspend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
