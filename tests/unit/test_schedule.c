// SPDX-License-Identifier: MIT
// schedule: intervals spread by name and tied to the epoch, cron in a zone.
#include "../../base/ids.h"
#include "../../monitor/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SECOND_US = 1000000 };

static char id_orders[] = "order-submission", id_other[] = "acme/order-submission";

static struct config_flow every(char *id, int64_t every_ms)
{
    return (struct config_flow){.id = id, .number = ids_number(id), .every_ms = every_ms};
}

static void test_interval_is_tied_to_the_epoch(void **state)
{
    (void)state;
    struct config_flow flow = every(id_orders, 300000);
    int64_t every_us = INT64_C(300) * SECOND_US;
    struct clock_wall after = clock_wall_parse("2026-11-21T09:30:00Z");
    struct clock_wall first = schedule_next(&flow, after, "Europe/Brussels");
    assert_true(first.us > after.us && first.us - after.us <= every_us);
    struct clock_wall second = schedule_next(&flow, first, "Europe/Brussels");
    assert_int_equal(second.us - first.us, every_us);
    // from any moment in between it is the same start
    for (int64_t step = 1; step < 300; step += 37) {
        struct clock_wall at = {first.us + step * SECOND_US};
        assert_int_equal(schedule_next(&flow, at, "UTC").us, second.us);
    }
    struct clock_wall just_before = {first.us - 1};
    assert_int_equal(schedule_next(&flow, just_before, "UTC").us, first.us);
    // the offset is the same in another year
    struct clock_wall later = schedule_next(&flow, clock_wall_parse("2031-01-01T00:00:00Z"), "UTC");
    assert_int_equal(later.us % every_us, first.us % every_us);
}

static void test_offset_is_a_fixed_hash_of_the_name(void **state)
{
    (void)state;
    // printf 'order-submission\\0' | sha256sum: the first eight bytes, modulo an hour
    struct config_flow flow = every(id_orders, 3600000);
    struct clock_wall first = schedule_next(&flow, (struct clock_wall){0}, "UTC");
    assert_int_equal(first.us, INT64_C(938672802));
    struct config_flow other = every(id_other, 3600000);
    assert_int_not_equal(schedule_next(&other, (struct clock_wall){0}, "UTC").us, first.us);
}

static void test_names_spread(void **state)
{
    (void)state;
    int tenth[10] = {0};
    for (int i = 0; i < 1000; i++) {
        g_autofree char *id = g_strdup_printf("flow-%d", i);
        struct config_flow flow = every(id, 60000);
        int64_t us = schedule_next(&flow, (struct clock_wall){0}, "UTC").us;
        assert_true(us > 0 && us <= INT64_C(60) * SECOND_US);
        tenth[(us - 1) / (6 * SECOND_US)]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(tenth[i], 60, 140);
}

static void test_before_the_epoch(void **state)
{
    (void)state;
    struct config_flow flow = every(id_orders, 60000);
    struct clock_wall after = {-INT64_C(90) * SECOND_US};
    struct clock_wall next = schedule_next(&flow, after, "UTC");
    assert_true(next.us > after.us && next.us - after.us <= INT64_C(60) * SECOND_US);
}

static void test_cron(void **state)
{
    (void)state;
    char text[] = "30 8 * * 1-5";
    struct config_flow flow = {.id = id_orders, .cron = text};
    struct clock_wall after = clock_wall_parse("2026-11-20T12:00:00Z"); // a Friday
    struct clock_wall brussels = schedule_next(&flow, after, "Europe/Brussels");
    assert_int_equal(brussels.us, clock_wall_parse("2026-11-23T07:30:00Z").us);
    struct clock_wall utc = schedule_next(&flow, after, "UTC");
    assert_int_equal(utc.us, clock_wall_parse("2026-11-23T08:30:00Z").us);
    // a zone that nobody knows is not a reason to run never
    assert_int_equal(schedule_next(&flow, after, "Mars/Olympus").us, utc.us);
}

static void test_neither(void **state)
{
    (void)state;
    struct config_flow flow = {.id = id_orders};
    assert_int_equal(schedule_next(&flow, (struct clock_wall){0}, "UTC").us, -1);
    assert_int_equal(
        schedule_count(&flow, (struct clock_wall){0}, (struct clock_wall){INT64_MAX}, "UTC", 9), 0);
}

static void test_count(void **state)
{
    (void)state;
    struct config_flow flow = every(id_orders, 60000);
    struct clock_wall from = clock_wall_parse("2026-11-21T09:00:00Z");
    struct clock_wall until = clock_wall_parse("2026-11-21T10:00:00Z");
    assert_int_equal(schedule_count(&flow, from, until, "UTC", 1000), 60);
    assert_int_equal(schedule_count(&flow, from, until, "UTC", 7), 60);
    static char minutes[] = "* * * * *";
    struct config_flow by_cron = {.id = id_orders, .cron = minutes};
    assert_int_equal(schedule_count(&by_cron, from, until, "UTC", 1000), 60);
    assert_int_equal(schedule_count(&by_cron, from, until, "UTC", 7), 7);
    assert_int_equal(schedule_count(&flow, until, from, "UTC", 7), 0);
    struct clock_wall first = schedule_next(&flow, from, "UTC");
    assert_int_equal(schedule_count(&flow, from, first, "UTC", 7), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interval_is_tied_to_the_epoch),
        cmocka_unit_test(test_offset_is_a_fixed_hash_of_the_name),
        cmocka_unit_test(test_names_spread),
        cmocka_unit_test(test_before_the_epoch),
        cmocka_unit_test(test_cron),
        cmocka_unit_test(test_neither),
        cmocka_unit_test(test_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
