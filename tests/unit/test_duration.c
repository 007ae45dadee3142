// SPDX-License-Identifier: MIT
// Durations and sizes: what is read, what is refused, and what is written.
#include "../../base/duration.h"

#include <glib.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static void test_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
        const char *written;
    } cases[] = {
        {"500ms", 500, "500ms"},
        {"20s", 20000, "20s"},
        {"5m", 300000, "5m"},
        {"4h", 14400000, "4h"},
        {"30d", 2592000000, "30d"},
        {"1h30m", 5400000, "1h30m"},
        {"90s", 90000, "1m30s"},
        {"1s500ms", 1500, "1s500ms"},
        {"0s", 0, "0s"},
        {"1d2h3m4s5ms", 93784005, "1d2h3m4s5ms"},
        {"007s", 7000, "7s"},
        {"36500d", INT64_C(36500) * 86400000, "36500d"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t ms = -1;
        assert_true(duration_parse(cases[i].text, &ms));
        assert_int_equal(ms, cases[i].ms);
        g_autofree char *written = duration_format(ms);
        assert_string_equal(written, cases[i].written);
    }
    g_autofree char *negative = duration_format(-1500);
    assert_string_equal(negative, "-1s500ms");
}

static void test_durations_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        NULL,
        "",
        "5",
        "s",
        "5 s",
        " 5s",
        "5s ",
        "-5s",
        "+5s",
        "1.5h",
        "5S",
        "5sec",
        "5m5m",
        "30m1h",
        "5mss",
        "1h30",
        "36501d",
        "36500d1ms",
        "99999999999999999999s",
        "1e3s",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        int64_t ms = 77;
        assert_false(duration_parse(cases[i], &ms));
        assert_int_equal(ms, 77);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    int64_t bytes;
    assert_true(size_parse("512B", &bytes));
    assert_int_equal(bytes, 512);
    assert_true(size_parse("64KiB", &bytes));
    assert_int_equal(bytes, 65536);
    assert_true(size_parse("4MiB", &bytes));
    assert_int_equal(bytes, 4194304);
    assert_true(size_parse("2GiB", &bytes));
    assert_true(bytes == INT64_C(2147483648));
    static const char *const refused[] = {
        NULL,    "",         "5",   "B",      "4MB",           "4mib",
        "4 MiB", "4MiB2KiB", "-1B", "1.5MiB", "9999999999GiB", "99999999999999999999B",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++)
        assert_false(size_parse(refused[i], &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_durations_refused),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
