// SPDX-License-Identifier: MIT
// monitor/watch_summary: when two failures are the same, and when one was never seen.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../monitor/watch_summary.h"

#include <string.h>

static char *text_of(const char *cause, const char *code, const char *message)
{
    g_autoptr(cJSON) result = cJSON_CreateObject();
    cJSON *step = cJSON_CreateObject(), *verdict = cJSON_AddObjectToObject(step, "verdict");
    json_add_text(step, "state", "failed");
    json_add_text(verdict, "class", "error_code");
    json_add_text(verdict, "cause", cause);
    json_add_text(verdict, "code", code);
    json_add_text(verdict, "message", message);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(result, "steps"), step);
    return watch_summary_text(result);
}

static void test_same_failure(void **state)
{
    (void)state;
    static const struct {
        const char *code, *one, *other;
        bool same;
    } cases[] = {
        {"A", "No stock", "No stock", true},
        {"A", "No stock", "No credit", false},
        {"A", "Order 1001 is locked", "Order 27 is locked", true},
        {"A", "Failed. CorrelationId: 6bb0e53c-0d1c-4b5e-9d1e-aa10b2c3d4e5",
         "Failed. CorrelationId: f1e2d3c4-aaaa-4bbb-8ccc-0123456789ab", true},
        {"A", "Lock held since 2026-03-01T10:11:12Z", "Lock held since 2026-12-31T23:59:59Z", true},
        {"A", "Document 'SO-1A' is closed", "Document 'SO-2B' is closed", true},
        {NULL, NULL, NULL, true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *one = text_of("conflict", cases[i].code, cases[i].one);
        g_autofree char *other = text_of("conflict", cases[i].code, cases[i].other);
        if (cases[i].same != g_str_equal(one, other))
            fail_msg("%s / %s", cases[i].one, cases[i].other);
    }
}

// The numbers of codes are what they say.
static void test_codes_differ(void **state)
{
    (void)state;
    g_autofree char *one = text_of("conflict", "1205", "failed");
    g_autofree char *other = text_of("conflict", "4060", "failed");
    g_autofree char *cause = text_of("auth", "1205", "failed");
    assert_string_not_equal(one, other);
    assert_string_not_equal(one, cause);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_failure),
        cmocka_unit_test(test_codes_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
