// SPDX-License-Identifier: MIT
// Wall time as text and back, and the clocks themselves.
#include "../../base/clock.h"

#include <glib.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <uv.h>
#include <cmocka.h>

static void test_format(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {INT64_C(1795253400120000), "2026-11-21T09:30:00.120Z"},
        {INT64_C(1795253400120999), "2026-11-21T09:30:00.120Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {INT64_C(951782400000000), "2000-02-29T00:00:00.000Z"},
        {INT64_C(253402300799999999), "9999-12-31T23:59:59.999Z"},
        {INT64_C(253402300800000000), "-"},
        {INT64_MAX, "-"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = clock_wall_format((struct clock_wall){cases[i].us});
        assert_string_equal(text, cases[i].text);
    }
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"2026-11-21T09:30:00.120Z", INT64_C(1795253400120000)},
        {"2026-11-21T09:30:00Z", INT64_C(1795253400000000)},
        {"2026-11-21t09:30:00z", INT64_C(1795253400000000)},
        {"2026-11-21 10:30:00+01:00", INT64_C(1795253400000000)},
        {"2026-11-21T04:00:00-05:30", INT64_C(1795253400000000)},
        {"2026-11-21T09:30:00.1234567891Z", INT64_C(1795253400123456)},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000000)},
        {"1970-01-01T00:00:00Z", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(clock_wall_parse(cases[i].text).us, cases[i].us);
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const cases[] = {
        NULL,
        "",
        "2026",
        "2026-11-21",
        "2026-11-21T09:30:00",
        "2026-11-21T09:30Z",
        "2026-11-21T09:30:00.Z",
        "2026-11-21T09:30:00Z ",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T09:30:00+1:00",
        "2026-11-21T09:30:00+24:00",
        "20261121T093000Z",
        "yesterday",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(clock_wall_parse(cases[i]).us, -1);
}

static void on_over(uv_timer_t *timer)
{
    *(struct clock_mono *)timer->data = clock_mono_now();
}

static void test_a_timer_is_never_early(void **state)
{
    (void)state;
    static const int64_t spans_us[] = {-5000, 0, 1, 1000, 1001, 20000};
    uv_loop_t loop;
    uv_timer_t timer;
    struct clock_mono over;
    uv_loop_init(&loop);
    uv_timer_init(&loop, &timer);
    timer.data = &over;
    for (size_t i = 0; i < G_N_ELEMENTS(spans_us); i++) {
        over.us = 0;
        uv_update_time(&loop);
        struct clock_mono start = clock_mono_now();
        clock_timer_start(&timer, on_over, spans_us[i]);
        uv_run(&loop, UV_RUN_DEFAULT); // until it was called, and is not started again
        assert_true(over.us >= start.us + spans_us[i] - 1000); // the loop's time is whole ms
    }
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_clocks_run(void **state)
{
    (void)state;
    struct clock_mono before = clock_mono_now();
    assert_true(before.us > 0);
    assert_true(clock_mono_now().us >= before.us);
    assert_true(clock_transport_now().us >= before.us);
    struct clock_reading all = clock_read();
    assert_true(all.mono.us >= before.us);
    assert_true(all.boot_us >= all.mono.us);
    assert_true(all.wall.us <= clock_wall_now().us);
    // After the day on which this was written.
    assert_true(clock_wall_now().us > INT64_C(1700000000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses), cmocka_unit_test(test_a_timer_is_never_early),
        cmocka_unit_test(test_clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
