// SPDX-License-Identifier: MIT
// stable_text: the same failure is the same failure tomorrow, and different ones stay
// different.
#include "../../probes/stable_text.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *today, *tomorrow;
} same[] = {
    {"Failed. CorrelationId: 8a3c1e52-93d1-4b0c-9d0f-2f6a1c7b8e90.",
     "Failed. CorrelationId: 0d9b7a11-1f2e-4c3d-8e5f-6a7b8c9d0e1f."},
    {"Row {8A3C1E52-93D1-4B0C-9D0F-2F6A1C7B8E90}", "Row {0D9B7A11-1F2E-4C3D-8E5F-6A7B8C9D0E1F}"},
    {"erpwatch ERPW-HXX2T2CB0JSG exists", "erpwatch ERPW-D5PYG0X93DDC exists"},
    {"at 2026-11-22T02:06:21.440Z", "at 2026-11-23T12:16:01.7+01:00"},
    {"on 2026-11-22", "on 2026-12-01"},
    {"since 22.11.2026 10:00:12", "since 1.12.2026 09:10:00"},
    {"since 11/22/2026 1:00:12 AM", "since 12/1/2026 9:10:00 PM"},
    {"until 10:11:12", "until 23:59:01"},
    {"/Date(1763776800000+0000)/", "/Date(1763776900000+0000)/"},
    {"no such token 9f86d081884c7d65", "no such token 60303ae22b998861"},
    {"transaction 763776800000123", "transaction 863776800000123"},
    {"fault at 0x7ffe4a12bc00", "fault at 0x7ffe4a12bd80"},
    {"Sales Order 'SO-1004711' is locked", "Sales Order 'SO-1004712' is locked"},
    {"Order [4711] is locked", "Order [4712] is locked"},
    {"Order (4711) is locked", "Order (4712) is locked"},
    {"The item \"1896-S\" is blocked", "The item \"1900-S\" is blocked"},
    {"Auftrag „A-12“ ist gesperrt", "Auftrag „A-13“ ist gesperrt"},
    {"key eyJhbGciOiJIUzI1NiJ9abcdefABCDEF0123456789xyz",
     "key eyJhbGciOiJIUzI1NiJ9abcdefABCDEF9876543210qqq"},
};

static const struct {
    const char *one, *other;
} different[] = {
    {"-2028", "-2035"},
    {"Error 372", "Error 376"},
    {"Application_DialogException", "Application_FieldValidationException"},
    {"/IWBEP/CM_MGW_RT/022", "/IWBEP/CM_MGW_RT/020"},
    {"AADSTS7000215", "AADSTS7000222"},
    {"The item 'BIKE' is blocked", "The item 'LAMP' is blocked"},
    {"0x80004005", "0x80040E4D"},
    {"0xC0000005", "0xC000006D"},
    {"Field 'quantity' is missing", "Field 'customer' is missing"},
    {"The number series is used up", "The posting period is closed"},
    {"SSS_SUITESCRIPT_2_1_VALIDATION_FAILED_100", "SSS_SUITESCRIPT_2_1_VALIDATION_FAILED_200"},
    {"decadedefaced feedbackfaced", "defacedfacade"},
    {"microsoft.dynamics.nav.types.exceptions.navncldialogexception",
     "microsoft.dynamics.nav.types.exceptions.navtestfieldexception"},
};

static void test_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autofree char *today = stable_text(same[i].today);
        g_autofree char *tomorrow = stable_text(same[i].tomorrow);

        assert_string_equal(today, tomorrow);
        assert_string_not_equal(today, same[i].today);
    }
}

static void test_different(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(different); i++) {
        g_autofree char *one = stable_text(different[i].one);
        g_autofree char *other = stable_text(different[i].other);

        assert_string_not_equal(one, other);
    }
    assert_null(stable_text(NULL));
}

// What has been taken out is not taken out again.
static void test_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autofree char *once = stable_text(same[i].today);
        g_autofree char *twice = stable_text(once);

        assert_string_equal(once, twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_different),
        cmocka_unit_test(test_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
