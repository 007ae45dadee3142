// SPDX-License-Identifier: MIT
// Times of records as systems write them; each doubt is decided for the later time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../base/json.h"
#include "../../probes/moment.h"

// The time that a JSON text says, as RFC 3339; "none" where it says none. The caller frees it.
static char *read_as(const char *json, const char *zone, const char *own)
{
    g_autoptr(cJSON) value = json_parse(json, strlen(json), NULL);
    struct clock_wall at;

    assert_non_null(value);
    return moment_read(value, zone, own, &at) ? clock_wall_format(at) : g_strdup("none");
}

static void test_forms(void **state)
{
    static const struct {
        const char *json, *time;
    } cases[] = {
        {"\"2026-11-21T10:30:00Z\"", "2026-11-21T10:30:00.000Z"},
        {"\"2026-11-21T10:30:00.1234567Z\"", "2026-11-21T10:30:00.123Z"},
        {"\"2026-11-21T10:30:00+01:00\"", "2026-11-21T09:30:00.000Z"},
        {"\"2026-11-21T10:30:00-0530\"", "2026-11-21T16:00:00.000Z"},
        {"\"2026-11-21T10:30:00+02\"", "2026-11-21T08:30:00.000Z"},
        {"\"2026-11-21 10:30:00 UTC\"", "2026-11-21T10:30:00.000Z"},
        {"\" 2026-11-21t10:30:00,5z \"", "2026-11-21T10:30:00.500Z"},
        {"\"2026-11-21T10:30Z\"", "2026-11-21T10:30:59.000Z"},
        {"\"20261121T103000Z\"", "2026-11-21T10:30:00.000Z"},
        {"\"20261121103000\"", "2026-11-21T10:30:00.000Z"},
        {"\"2026-11-21\"", "2026-11-22T00:00:00.000Z"},
        {"\"20261121\"", "2026-11-22T00:00:00.000Z"},
        {"1795257000", "2026-11-21T10:30:00.000Z"},
        {"1795257000.25", "2026-11-21T10:30:00.250Z"},
        {"1795257000123", "2026-11-21T10:30:00.123Z"},
        {"1795257000123456", "2026-11-21T10:30:00.123Z"},
        {"\"1795257000\"", "2026-11-21T10:30:00.000Z"},
        {"\"1795257000123\"", "2026-11-21T10:30:00.123Z"},
        {"\"/Date(1795257000123)/\"", "2026-11-21T10:30:00.123Z"},
        {"\"/Date(1795257000123+0100)/\"", "2026-11-21T10:30:00.123Z"},
        {"{\"__class__\":\"datetime\",\"year\":2026,\"month\":11,\"day\":21,\"hour\":10,"
         "\"minute\":30,\"second\":0}",
         "2026-11-21T10:30:00.000Z"},
        {"{\"__class__\":\"date\",\"year\":2026,\"month\":11,\"day\":21}",
         "2026-11-22T00:00:00.000Z"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *time = read_as(cases[i].json, NULL, "UTC");

        if (strcmp(time, cases[i].time) != 0)
            print_error("%s\n", cases[i].json);
        assert_string_equal(time, cases[i].time);
    }
}

// What would look very old, and is no time of a record.
static void test_none(void **state)
{
    static const char *const cases[] = {
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "\"yesterday\"",
        "0",
        "-5",
        "20261121",
        "\"0001-01-01T00:00:00Z\"",
        "\"1753-01-01\"",
        "\"1900-01-01T00:00:00\"",
        "\"/Date(-62135596800000)/\"",
        "\"/Date(x)/\"",
        "\"2026-13-01T00:00:00Z\"",
        "\"2026-02-30\"",
        "\"2026-11-21T25:00:00Z\"",
        "\"2026-11-21T10\"",
        "\"2026-11-21T10:30:00 local\"",
        "\"2026-11-21T10:30:00+\"",
        "\"2026-11-21T10:30:00Z more\"",
        "\"2026-1121\"",
        "\"21-11-2026\"",
        "\"21/11/2026 10:30\"",
        "\"202611211\"",
        "\"123456789\"",
        "1e30",
        "{\"year\":2026,\"month\":0,\"day\":1}",
        "{\"year\":1,\"month\":1,\"day\":1}",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *time = read_as(cases[i], NULL, "UTC");

        if (strcmp(time, "none") != 0)
            print_error("%s\n", cases[i]);
        assert_string_equal(time, "none");
    }
}

static void test_zones(void **state)
{
    static const struct {
        const char *json, *zone, *own, *time;
    } cases[] = {
        // without a zone: the later of the two readings
        {"\"2026-11-21T10:30:00\"", NULL, "Europe/Brussels", "2026-11-21T10:30:00.000Z"},
        {"\"2026-11-21T10:30:00\"", NULL, "America/New_York", "2026-11-21T15:30:00.000Z"},
        {"\"2026-11-21T10:30:00\"", "Europe/Brussels", "UTC", "2026-11-21T09:30:00.000Z"},
        {"\"2026-11-21\"", "Europe/Brussels", "UTC", "2026-11-21T23:00:00.000Z"},
        // a zone that is written counts
        {"\"2026-11-21T10:30:00Z\"", "Europe/Brussels", "UTC", "2026-11-21T10:30:00.000Z"},
        {"1795257000", "Europe/Brussels", "America/New_York", "2026-11-21T10:30:00.000Z"},
        // 2:30 comes twice when the clock is set back: the second one
        {"\"2026-10-25T02:30:00\"", "Europe/Brussels", "UTC", "2026-10-25T01:30:00.000Z"},
        {"\"2026-10-25T01:30:00\"", "Europe/Brussels", "UTC", "2026-10-24T23:30:00.000Z"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *time = read_as(cases[i].json, cases[i].zone, cases[i].own);

        assert_string_equal(time, cases[i].time);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_zones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
