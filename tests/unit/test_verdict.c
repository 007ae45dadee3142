// SPDX-License-Identifier: MIT
// verdict: words, JSON there and back, memory.
#include "../../probes/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void test_words_there_and_back(void **state)
{
    (void)state;
    for (int i = VERDICT_OK; i <= VERDICT_UNKNOWN; i++)
        assert_int_equal(verdict_state_of(verdict_state_word((enum verdict_state)i)), i);
    for (int i = VERDICT_CLASS_OK; i <= VERDICT_CLASS_MISMATCH; i++)
        assert_int_equal(verdict_class_of(verdict_class_word((enum verdict_class)i)), i);
    for (int i = VERDICT_PHASE_DNS; i <= VERDICT_PHASE_POLL; i++)
        assert_int_equal(verdict_phase_of(verdict_phase_word((enum verdict_phase)i)), i);
    for (int i = VERDICT_CAUSE_AUTH; i <= VERDICT_CAUSE_UNKNOWN; i++)
        assert_int_equal(verdict_cause_of(verdict_cause_word((enum verdict_cause)i)), i);
    assert_string_equal(verdict_class_word(VERDICT_CLASS_ERROR_CODE), "error_code");
    assert_string_equal(verdict_phase_word(VERDICT_PHASE_FIRST_BYTE), "first_byte");
    assert_string_equal(verdict_cause_word(VERDICT_CAUSE_RATE_LIMIT), "rate_limit");
    assert_string_equal(verdict_state_word(VERDICT_SLOW), "slow");
}

static void test_no_words(void **state)
{
    (void)state;
    assert_null(verdict_phase_word(VERDICT_PHASE_NONE));
    assert_null(verdict_cause_word(VERDICT_CAUSE_NONE));
    assert_null(verdict_cause_word((enum verdict_cause)99));
    assert_null(verdict_class_word((enum verdict_class) - 1));
    assert_int_equal(verdict_class_of("OK"), -1);
    assert_int_equal(verdict_cause_of(""), -1);
    assert_int_equal(verdict_phase_of(NULL), -1);
    assert_int_equal(verdict_state_of("good"), -1);
}

static struct verdict *full(void)
{
    struct verdict *verdict = verdict_new();
    verdict->class = VERDICT_CLASS_TIMEOUT;
    verdict->phase = VERDICT_PHASE_TLS;
    verdict->cause = VERDICT_CAUSE_NETWORK;
    verdict->code = g_strdup("A/1");
    verdict->message = g_strdup("m \"1\"\n");
    verdict->explanation = g_strdup("e");
    verdict->act = g_strdup("hosting");
    verdict->failed_expectation = g_strdup("$.a equals 1: was 2");
    json_add_text(verdict->correlation, "request-id", "r-1");
    return verdict;
}

static void assert_same(const struct verdict *left, const struct verdict *right)
{
    g_autoptr(cJSON) l = verdict_to_json(left);
    g_autoptr(cJSON) r = verdict_to_json(right);
    assert_true(json_equal(l, r));
    assert_int_equal(left->ours, right->ours);
}

static void test_json_there_and_back(void **state)
{
    (void)state;
    g_autoptr(verdict_t) verdict = full();
    g_autoptr(cJSON) json = verdict_to_json(verdict);
    g_autofree char *text = json_print(json, false);
    assert_string_equal(
        text, "{\"class\":\"timeout\",\"phase\":\"tls\",\"cause\":\"network\",\"code\":\"A/1\","
              "\"message\":\"m \\\"1\\\"\\n\",\"explanation\":\"e\",\"act\":\"hosting\","
              "\"failed_expectation\":\"$.a equals 1: was 2\","
              "\"correlation\":{\"request-id\":\"r-1\"}}");
    g_autoptr(verdict_t) back = verdict_from_json(json);
    assert_same(verdict, back);
}

static void test_json_of_a_success(void **state)
{
    (void)state;
    g_autoptr(verdict_t) verdict = verdict_new();
    g_autoptr(cJSON) json = verdict_to_json(verdict);
    g_autofree char *text = json_print(json, false);
    assert_string_equal(text, "{\"class\":\"ok\",\"phase\":null,\"cause\":null,\"code\":null,"
                              "\"message\":null,\"explanation\":null,\"act\":null,"
                              "\"failed_expectation\":null,\"correlation\":{}}");
    g_autoptr(verdict_t) back = verdict_from_json(json);
    assert_same(verdict, back);
}

static void test_ours_is_kept(void **state)
{
    (void)state;
    g_autoptr(verdict_t) verdict = full();
    verdict->ours = true;
    g_autoptr(cJSON) json = verdict_to_json(verdict);
    g_autoptr(verdict_t) back = verdict_from_json(json);
    assert_true(back->ours);
}

static void test_json_that_is_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"[]",
                                      "{}",
                                      "{\"class\":1}",
                                      "{\"class\":\"bad\"}",
                                      "{\"class\":\"ok\",\"cause\":\"bad\"}",
                                      "{\"class\":\"ok\",\"phase\":\"bad\"}"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(cJSON) json = json_parse(bad[i], strlen(bad[i]), NULL);
        assert_non_null(json);
        assert_null(verdict_from_json(json));
    }
    assert_null(verdict_from_json(NULL));
    const char *text = "{\"class\":\"ok\",\"correlation\":[1]}";
    g_autoptr(cJSON) json = json_parse(text, strlen(text), NULL);
    g_autoptr(verdict_t) verdict = verdict_from_json(json);
    assert_true(cJSON_IsObject(verdict->correlation));
}

static void test_copy_is_deep(void **state)
{
    (void)state;
    g_autoptr(verdict_t) verdict = full();
    g_autoptr(verdict_t) copy = verdict_copy(verdict);
    assert_same(verdict, copy);
    copy->code[0] = 'B';
    json_add_text(copy->correlation, "other", "x");
    assert_string_equal(verdict->code, "A/1");
    assert_null(json_member(verdict->correlation, "other"));
    verdict_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_there_and_back), cmocka_unit_test(test_no_words),
        cmocka_unit_test(test_json_there_and_back),  cmocka_unit_test(test_json_of_a_success),
        cmocka_unit_test(test_ours_is_kept),         cmocka_unit_test(test_json_that_is_none),
        cmocka_unit_test(test_copy_is_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
