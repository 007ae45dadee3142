// SPDX-License-Identifier: MIT
// cron: reading, the day rule, and both turns of the clock in three zones.
#include "../../base/cron.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

// The starts after `after` in `zone`, one after the other, as UTC without
// milliseconds, joined by blanks.
static char *starts(const char *text, const char *zone_name, const char *after, int count)
{
    g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(zone_name);
    assert_non_null(zone);
    g_autoptr(GError) error = NULL;
    g_autoptr(cron_t) cron = cron_parse(text, &error);
    assert_null(error);
    struct clock_wall at = clock_wall_parse(after);
    assert_true(at.us > 0);
    GString *all = g_string_new(NULL);
    for (int i = 0; i < count; i++) {
        at = cron_next(cron, at, zone);
        g_autofree char *formatted = at.us < 0 ? g_strdup("never") : clock_wall_format(at);
        if (at.us >= 0)
            formatted[strlen("2026-03-29T01:00")] = '\0';
        g_string_append_printf(all, "%s%s", i ? " " : "", formatted);
        if (at.us < 0)
            break;
    }
    return g_string_free(all, false);
}

struct vector {
    const char *text, *zone, *after, *expected; // UTC
};

static void check(const struct vector *vectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_auto(GStrv) words = g_strsplit(vectors[i].expected, " ", -1);
        g_autofree char *got =
            starts(vectors[i].text, vectors[i].zone, vectors[i].after, (int)g_strv_length(words));
        if (strcmp(got, vectors[i].expected) != 0)
            fail_msg("%s in %s after %s:\n  was    %s\n  not    %s", vectors[i].text,
                     vectors[i].zone, vectors[i].after, got, vectors[i].expected);
    }
}

static void test_plain(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"* * * * *", "UTC", "2026-11-21T10:00:00Z", "2026-11-21T10:01 2026-11-21T10:02"},
        {"* * * * *", "UTC", "2026-11-21T10:00:59.999Z", "2026-11-21T10:01"},
        {"*/15 * * * *", "UTC", "2026-11-21T10:46:00Z", "2026-11-21T11:00 2026-11-21T11:15"},
        {"5-59/20 10 * * *", "UTC", "2026-11-21T10:25:00Z", "2026-11-21T10:45 2026-11-22T10:05"},
        {"0 7-19/6 * * 1-5", "UTC", "2026-11-20T19:00:00Z", "2026-11-23T07:00 2026-11-23T13:00"},
        {"0,30 8 * * *", "UTC", "2026-11-21T08:00:00Z", "2026-11-21T08:30 2026-11-22T08:00"},
        {"0 0 1 JAN *", "UTC", "2026-01-01T00:00:00Z", "2027-01-01T00:00"},
        {"0 0 * * Sun", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00 2026-11-29T00:00"},
        {"0 0 * * 7", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00 2026-11-29T00:00"},
        {"0 0 * * 5-7", "UTC", "2026-11-21T00:00:00Z", "2026-11-22T00:00 2026-11-27T00:00"},
        {"0 0 29 2 *", "UTC", "2026-11-21T00:00:00Z", "2028-02-29T00:00 2032-02-29T00:00"},
        {"0 0 31 * *", "UTC", "2026-04-01T00:00:00Z", "2026-05-31T00:00 2026-07-31T00:00"},
        {"30 9 * * *", "Asia/Kolkata", "2026-11-21T00:00:00Z", "2026-11-21T04:00"},
    };
    check(vectors, G_N_ELEMENTS(vectors));
}

static void test_day_rule(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        // both restricted: either; 2026-11-01 is a Sunday
        {"0 0 1,15 * 5", "UTC", "2026-11-01T00:00:00Z",
         "2026-11-06T00:00 2026-11-13T00:00 2026-11-15T00:00 2026-11-20T00:00"},
        // one begins with a star: both
        {"0 0 */2 * 5", "UTC", "2026-11-01T00:00:00Z", "2026-11-13T00:00 2026-11-27T00:00"},
        {"0 0 13 * */5", "UTC", "2026-11-01T00:00:00Z", "2026-11-13T00:00 2026-12-13T00:00"},
        {"0 0 * * 5", "UTC", "2026-11-01T00:00:00Z", "2026-11-06T00:00"},
        {"0 0 13 * *", "UTC", "2026-11-01T00:00:00Z", "2026-11-13T00:00 2026-12-13T00:00"},
        // either, though the day alone never comes
        {"0 0 30 2 1", "UTC", "2026-01-30T00:00:00Z", "2026-02-02T00:00 2026-02-09T00:00"},
    };
    check(vectors, G_N_ELEMENTS(vectors));
}

static void test_brussels(void **state)
{
    (void)state;
    // 2026-03-29 02:00 CET becomes 03:00 CEST; 2026-10-25 03:00 CEST becomes 02:00 CET.
    static const struct vector vectors[] = {
        // a fixed hour in the gap runs once, at its end
        {"30 2 * * *", "Europe/Brussels", "2026-03-28T02:00:00Z",
         "2026-03-29T01:00 2026-03-30T00:30"},
        {"0,20,40 2 * * *", "Europe/Brussels", "2026-03-29T00:00:00Z",
         "2026-03-29T01:00 2026-03-30T00:00"},
        {"15 2,3 * * *", "Europe/Brussels", "2026-03-29T00:30:00Z",
         "2026-03-29T01:00 2026-03-29T01:15 2026-03-30T00:15"},
        {"0 2,3 * * *", "Europe/Brussels", "2026-03-29T00:30:00Z",
         "2026-03-29T01:00 2026-03-30T00:00"},
        // star hours follow elapsed minutes
        {"*/30 * * * *", "Europe/Brussels", "2026-03-29T00:15:00Z",
         "2026-03-29T00:30 2026-03-29T01:00 2026-03-29T01:30"},
        {"30 */2 * * *", "Europe/Brussels", "2026-03-28T23:45:00Z",
         "2026-03-29T02:30 2026-03-29T04:30"},
        // a fixed hour in the repeated hour: the first time only
        {"30 2 * * *", "Europe/Brussels", "2026-10-24T12:00:00Z",
         "2026-10-25T00:30 2026-10-26T01:30"},
        {"*/20 2 * * *", "Europe/Brussels", "2026-10-25T00:20:00Z",
         "2026-10-25T00:40 2026-10-26T01:00"},
        {"0 3 * * *", "Europe/Brussels", "2026-10-25T00:59:00Z", "2026-10-25T02:00"},
        // asked in the second pass: what was is over
        {"30 2 * * *", "Europe/Brussels", "2026-10-25T01:10:00Z", "2026-10-26T01:30"},
        {"*/30 * * * *", "Europe/Brussels", "2026-10-25T00:15:00Z",
         "2026-10-25T00:30 2026-10-25T01:00 2026-10-25T01:30 2026-10-25T02:00"},
    };
    check(vectors, G_N_ELEMENTS(vectors));
}

static void test_new_york(void **state)
{
    (void)state;
    // 2026-03-08 02:00 EST becomes 03:00 EDT; 2026-11-01 02:00 EDT becomes 01:00 EST.
    static const struct vector vectors[] = {
        {"30 2 * * *", "America/New_York", "2026-03-08T05:00:00Z",
         "2026-03-08T07:00 2026-03-09T06:30"},
        {"*/20 * * * *", "America/New_York", "2026-03-08T06:45:00Z",
         "2026-03-08T07:00 2026-03-08T07:20"},
        {"30 1 * * *", "America/New_York", "2026-11-01T04:00:00Z",
         "2026-11-01T05:30 2026-11-02T06:30"},
        {"30 * * * *", "America/New_York", "2026-11-01T05:00:00Z",
         "2026-11-01T05:30 2026-11-01T06:30 2026-11-01T07:30"},
        {"0 2 * * *", "America/New_York", "2026-11-01T05:45:00Z", "2026-11-01T07:00"},
        {"0 0 8 3 *", "America/New_York", "2026-03-01T00:00:00Z", "2026-03-08T05:00"},
    };
    check(vectors, G_N_ELEMENTS(vectors));
}

static void test_lord_howe(void **state)
{
    (void)state;
    // Half an hour: 2026-10-04 02:00 +10:30 becomes 02:30 +11; 2026-04-05 02:00 +11
    // becomes 01:30 +10:30.
    static const struct vector vectors[] = {
        {"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z",
         "2026-10-03T15:30 2026-10-04T15:15"},
        {"45 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z",
         "2026-10-03T15:45 2026-10-04T15:45"},
        {"0,30 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z",
         "2026-10-03T15:30 2026-10-04T15:00"},
        {"*/10 * * * *", "Australia/Lord_Howe", "2026-10-03T15:15:00Z",
         "2026-10-03T15:20 2026-10-03T15:30 2026-10-03T15:40"},
        {"45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00:00Z",
         "2026-04-04T14:45 2026-04-05T15:15"},
        {"45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00:00Z",
         "2026-04-04T14:45 2026-04-04T15:15 2026-04-04T16:15"},
    };
    check(vectors, G_N_ELEMENTS(vectors));
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"", "is no cron expression"},
        {"* * * *", "is no cron expression"},
        {"* * * * * *", "is no cron expression"},
        {"@daily", "is no cron expression"},
        {"60 * * * *", "minute: 60 is not between 0 and 59"},
        {"* 24 * * *", "hour: 24 is not between 0 and 23"},
        {"* * 0 * *", "day of month: 0 is not between 1 and 31"},
        {"* * * 13 *", "month: 13 is not between 1 and 12"},
        {"* * * * 8", "day of week: 8 is not between 0 and 7"},
        {"5/10 * * * *", "a step needs a star or a range in front"},
        {"*/0 * * * *", "a step is a number from 1 to 59"},
        {"*/x * * * *", "a step is a number from 1 to 59"},
        {"*/99999999999999999999 * * * *", "a step is a number from 1 to 59"},
        {"30-10 * * * *",
         "minute: the range begins after its end: write it as two, 30-59 and 0-10"},
        {"* * * * fri-mon", "the range begins after its end"},
        {"1, * * * *", "minute: \"\" is neither"},
        {",1 * * * *", "is neither a number"},
        {"jan * * * *", "minute: \"jan\" is neither a number nor a star"},
        {"* * * foo *", "is neither a number, a name of three letters nor a star"},
        {"1- * * * *", "is neither a number"},
        {"-1 * * * *", "is neither a number"},
        {"1x * * * *", "cannot be read from \"x\" on"},
        {"*-5 * * * *", "cannot be read from \"-5\" on"},
        {"99999999999 * * * *", "is not between 0 and 59"},
        {"0 0 30 2 *", "never happens"},
        {"0 0 31 4,6,9,11 *", "never happens"},
        {"0 0 30 2 */2", "never happens"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(cron_parse(bad[i].text, &error));
        assert_non_null(error);
        if (!strstr(error->message, bad[i].message))
            fail_msg("%s: %s", bad[i].text, error->message);
        assert_false(cron_is_valid(bad[i].text, NULL));
    }
    assert_true(cron_is_valid("0 0 29 2 *", NULL));
    assert_true(cron_is_valid(" 0\t0  1 1 * ", NULL));
    cron_free(NULL);
}

// What comes next is always later, on a whole minute, and does not depend on from
// which moment before it is asked.
static void test_monotone(void **state)
{
    (void)state;
    static const char *const texts[] = {"17 2 * * *", "*/7 * * * *", "30 1,2,3 * * 0",
                                        "0 */6 1 * 1"};
    static const char *const zones[] = {"Europe/Brussels", "America/New_York",
                                        "Australia/Lord_Howe", "UTC"};
    for (size_t t = 0; t < G_N_ELEMENTS(texts); t++)
        for (size_t z = 0; z < G_N_ELEMENTS(zones); z++) {
            g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(zones[z]);
            g_autoptr(cron_t) cron = cron_parse(texts[t], NULL);
            int64_t minute = INT64_C(60) * G_USEC_PER_SEC;
            struct clock_wall at = clock_wall_parse("2026-03-01T00:00:00Z");
            for (int i = 0; i < 400; i++) {
                struct clock_wall next = cron_next(cron, at, zone);
                assert_true(next.us > at.us);
                assert_int_equal(next.us % minute, 0);
                struct clock_wall middle = {at.us + (next.us - at.us) / 2};
                assert_int_equal(cron_next(cron, middle, zone).us, next.us);
                struct clock_wall just_before = {next.us - 1};
                assert_int_equal(cron_next(cron, just_before, zone).us, next.us);
                at = next;
            }
        }
}

static void test_starts_per_day(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int starts;
    } cases[] = {
        {"* * * * *", 1440}, {"*/5 * * * *", 288},   {"*/5 7-19 * * 1-5", 156},
        {"0 3 * * *", 1},    {"0,30 0,12 1 1 *", 4}, {"17-19/2 23 29 2 0", 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(cron_t) cron = cron_parse(cases[i].text, NULL);
        assert_int_equal(cron_starts_per_day(cron), cases[i].starts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),     cmocka_unit_test(test_day_rule),
        cmocka_unit_test(test_brussels),  cmocka_unit_test(test_new_york),
        cmocka_unit_test(test_lord_howe), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_monotone),  cmocka_unit_test(test_starts_per_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
