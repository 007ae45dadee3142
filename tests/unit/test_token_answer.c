// SPDX-License-Identifier: MIT
// What token servers answer, and what is made of it.
#include "../../probes/token_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct transfer_response *answer_of(int status, const char *body)
{
    struct transfer_response *response = transfer_response_new();

    response->outcome = TRANSFER_ANSWERED;
    response->status = status;
    g_bytes_unref(response->body);
    response->body = g_bytes_new(body, strlen(body));
    return response;
}

static void assert_read(const char *body, const char *access, const char *refresh,
                        int64_t expires_in_s)
{
    g_autoptr(transfer_response_t) response = answer_of(200, body);
    struct token_answer answer;

    token_answer_read(response, &answer);
    if (access != NULL)
        assert_string_equal(answer.access, access);
    assert_int_equal(access == NULL, answer.access == NULL);
    assert_int_equal(access == NULL, answer.problem != NULL);
    assert_int_equal(g_strcmp0(answer.refresh, refresh), 0);
    assert_int_equal(answer.expires_in_s, expires_in_s);
    token_answer_clear(&answer);
}

static void test_tokens(void **state)
{
    (void)state;
    assert_read("{\"access_token\":\"a.b-c\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
                "a.b-c", NULL, 3600);
    assert_read("{\"access_token\":\"a\",\"token_type\":\"bearer\",\"expires_in\":\"3599\","
                "\"refresh_token\":\"r\"}",
                "a", "r", 3599);
    assert_read("{\"access_token\":\"a\",\"expires_in\":3599.5}", "a", NULL, 3599);
    assert_read("{\"access_token\":\"a\"}", "a", NULL, 0);
    assert_read("{\"access_token\":\"a\",\"refresh_token\":\"\"}", "a", NULL, 0);
}

static void test_ends_that_say_nothing(void **state)
{
    static const char *const values[] = {"0",     "-5",      "null", "\"soon\"",
                                         "1e300", "\"nan\"", "true", "99999999999"};

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *body =
            g_strdup_printf("{\"access_token\":\"a\",\"expires_in\":%s}", values[i]);

        assert_read(body, "a", NULL, 0);
    }
}

static void test_answers_without_a_token(void **state)
{
    (void)state;
    assert_read("", NULL, NULL, 0);
    assert_read("<html>", NULL, NULL, 0);
    assert_read("[]", NULL, NULL, 0);
    assert_read("\"a\"", NULL, NULL, 0);
    assert_read("{\"access_token\":5}", NULL, NULL, 0);
    assert_read("{\"access_token\":\"\"}", NULL, NULL, 0);
    assert_read("{\"access_token\":\"a b\"}", NULL, NULL, 0);
    assert_read("{\"access_token\":\"a\\r\\nX: y\"}", NULL, NULL, 0);
    assert_read("{\"access_token\":\"\xc3\xa9\"}", NULL, NULL, 0);
    assert_read("{\"access_token\":\"a\",\"token_type\":\"mac\",\"refresh_token\":\"r\"}", NULL,
                "r", 0);
}

static bool refuses_refresh(int status, const char *body)
{
    g_autoptr(transfer_response_t) response = answer_of(status, body);

    return token_answer_refuses_refresh(response);
}

static void test_refusals(void **state)
{
    g_autoptr(transfer_response_t) early =
        answer_of(400, "{\"error\":\"invalid_request\",\"error_description\":\"Rate limit "
                       "exceeded: access_token not expired\"}");
    g_autoptr(transfer_response_t) busy = answer_of(503, "{\"error\":\"invalid_grant\"}");

    (void)state;
    assert_true(refuses_refresh(400, "{\"error\":\"invalid_grant\"}"));
    assert_true(refuses_refresh(401, "{\"error\":\"unauthorized_client\",\"error_description\":"
                                     "\"Old refresh token used.\"}"));
    assert_true(refuses_refresh(200, "{\"error\":\"invalid_grant\"}"));
    assert_false(refuses_refresh(401, "{\"error\":\"invalid_client\",\"error_description\":"
                                      "\"no refresh_token for it\"}"));
    assert_false(refuses_refresh(400, "{\"error\":\"invalid_scope\"}"));
    assert_false(refuses_refresh(500, "<html>refresh token</html>"));
    assert_true(token_answer_is_too_early(early));
    assert_false(token_answer_is_too_early(busy));
    assert_true(token_answer_is_refusal(early));
    assert_false(token_answer_is_refusal(busy));
}

static void test_margins(void **state)
{
    const int64_t second_us = G_USEC_PER_SEC;

    (void)state;
    assert_int_equal(token_answer_margin_us(600 * second_us), 25 * second_us);
    assert_int_equal(token_answer_margin_us(3600 * second_us), 120 * second_us);
    assert_int_equal(token_answer_margin_us(86400 * second_us), 120 * second_us);
    assert_int_equal(token_answer_margin_us(0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),   cmocka_unit_test(test_ends_that_say_nothing),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_answers_without_a_token),
        cmocka_unit_test(test_margins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
