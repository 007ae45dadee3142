// SPDX-License-Identifier: MIT
// base/decimal: numbers compared from their digits.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../base/decimal.h"

#include <glib.h>

static void test_valid(void **state)
{
    (void)state;
    static const char *const yes[] = {"0",
                                      "-0",
                                      "1",
                                      "000123",
                                      "12.10",
                                      "-1.5",
                                      "1e5",
                                      "1E-05",
                                      "1.5e+3",
                                      "00.00",
                                      "1e99999999999999999999"};
    static const char *const no[] = {"",    "-",    "+1",    ".5",  "1.",  "1e",
                                     "1e+", "1.e5", " 1",    "1 ",  "1,5", "1.2.3",
                                     "--1", "0x1",  "1e5.5", "NaN", "e5",  "١"};
    for (size_t i = 0; i < G_N_ELEMENTS(yes); i++)
        assert_true(decimal_is_valid(yes[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(no); i++)
        assert_false(decimal_is_valid(no[i]));
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void test_compare(void **state)
{
    (void)state;
    static const struct {
        const char *left, *right;
        int order;
    } cases[] = {
        {"1", "1", 0},
        {"12.10", "12.1", 0},
        {"1e2", "100", 0},
        {"100", "1E+2", 0},
        {"1.00e2", "100.000", 0},
        {"0.001e3", "1", 0},
        {"000123", "123", 0},
        {"0123.4500", "123.45", 0},
        {"0", "-0", 0},
        {"-0.00", "0e5", 0},
        {"0e99", "0", 0},
        {"1", "2", -1},
        {"2", "10", -1},
        {"-1", "1", -1},
        {"-2", "-1", -1},
        {"-10", "-2", -1},
        {"0", "1e-400", -1},
        {"-1e-400", "0", -1},
        {"1e-400", "2e-400", -1},
        {"1e400", "1e401", -1},
        {"9.99", "10", -1},
        {"0.1", "0.10000000000000000000000000001", -1},
        {"9007199254740992", "9007199254740993", -1},
        {"9007199254740993", "9007199254740993.0", 0},
        {"123456789012345678901234567890.01", "123456789012345678901234567890.02", -1},
        {"1.5", "1.49999", 1},
        {"0.05", "0.5", -1},
        {"0.005", "0.0049", 1},
        {"19.99", "20", -1},
        {"1e99999999999999999999", "1", 1},
        {"1e-99999999999999999999", "1", -1},
        {"-1e99999999999999999999", "1e-5", -1},
        {"1.2345e3", "1234.5", 0},
        {"12345e-1", "1234.5", 0},
        {"0.00012e4", "1.2", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_int_equal(sign(decimal_compare(cases[i].left, cases[i].right)), cases[i].order);
        assert_int_equal(sign(decimal_compare(cases[i].right, cases[i].left)), -cases[i].order);
    }
}

// k / 100, written in one of three ways.
static void write_hundredths(char text[32], int k, int way)
{
    const char *minus = k < 0 ? "-" : "";
    int whole = ABS(k) / 100, rest = ABS(k) % 100;
    if (way == 0)
        g_snprintf(text, 32, "%s%d.%02d", minus, whole, rest);
    else if (way == 1)
        g_snprintf(text, 32, "%s0%d.%02d0", minus, whole, rest);
    else
        g_snprintf(text, 32, "%s%d%02de-2", minus, whole, rest);
}

// Every pair of a grid, against integers.
static void test_grid(void **state)
{
    (void)state;
    for (int a = -130; a <= 130; a += 13)
        for (int b = -130; b <= 130; b += 5)
            for (int ways = 0; ways < 9; ways++) {
                char left[32], right[32];
                write_hundredths(left, a, ways % 3);
                write_hundredths(right, b, ways / 3);
                assert_int_equal(sign(decimal_compare(left, right)), (a > b) - (a < b));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
