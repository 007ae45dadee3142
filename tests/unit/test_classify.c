// SPDX-License-Identifier: MIT
// classify: every class, phase and cause, in the order of design.md section 4.
#include "../../probes/classify.h"
#include "../../probes/lexicon.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct transfer_response *answer(int status, const char *type, const char *body)
{
    struct transfer_response *response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = status;
    if (type)
        transfer_headers_add(response->headers, "Content-Type", type);
    if (response->body)
        g_bytes_unref(response->body);
    response->body = g_bytes_new(body, strlen(body));
    return response;
}

static struct verdict *judge(int status, const char *type, const char *body)
{
    g_autoptr(transfer_response_t) response = answer(status, type, body);
    struct classify_input input = {.response = response};
    return classify(&input, lexicon_common());
}

static void assert_verdict(const struct verdict *verdict, enum verdict_class class,
                           enum verdict_cause cause)
{
    if (verdict->class != class || verdict->cause != cause)
        fail_msg("was %s, %s: %s", verdict_class_word(verdict->class),
                 verdict_cause_word(verdict->cause), verdict->message);
    if (class != VERDICT_CLASS_OK && !verdict->ours) {
        assert_non_null(verdict->explanation);
        assert_non_null(verdict->act);
    }
}

static struct verdict *judge_transport(enum transfer_outcome outcome, enum transfer_phase phase,
                                       const char *problem)
{
    g_autoptr(transfer_response_t) response = answer(0, NULL, "");
    response->outcome = outcome;
    response->phase = phase;
    response->problem = g_strdup(problem);
    struct classify_input input = {.response = response, .timeout_ms = 1500};
    return classify(&input, lexicon_common());
}

static void test_timeouts(void **state)
{
    (void)state;
    static const struct {
        enum transfer_phase phase;
        enum verdict_phase expected;
        const char *message;
    } cases[] = {
        {TRANSFER_PHASE_DNS, VERDICT_PHASE_DNS, "the host name was not found within 1500 ms"},
        {TRANSFER_PHASE_CONNECT, VERDICT_PHASE_CONNECT, "no connection within 1500 ms"},
        {TRANSFER_PHASE_TLS, VERDICT_PHASE_TLS, "no secure connection within 1500 ms"},
        {TRANSFER_PHASE_FIRST_BYTE, VERDICT_PHASE_FIRST_BYTE, "no answer within 1500 ms"},
        {TRANSFER_PHASE_TRANSFER, VERDICT_PHASE_TRANSFER, "the answer did not end within 1500 ms"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(verdict_t) verdict = judge_transport(TRANSFER_TIMEOUT, cases[i].phase, NULL);
        assert_verdict(verdict, VERDICT_CLASS_TIMEOUT, VERDICT_CAUSE_NETWORK);
        assert_int_equal(verdict->phase, cases[i].expected);
        assert_string_equal(verdict->message, cases[i].message);
        assert_string_equal(verdict->act, "hosting");
    }
    g_autoptr(verdict_t) own = judge_transport(TRANSFER_TIMEOUT, TRANSFER_PHASE_TLS, "as told");
    assert_string_equal(own->message, "as told");
}

static void test_unreachable(void **state)
{
    (void)state;
    static const enum transfer_phase phases[] = {TRANSFER_PHASE_DNS, TRANSFER_PHASE_CONNECT,
                                                 TRANSFER_PHASE_TLS, TRANSFER_PHASE_FIRST_BYTE};
    static const enum verdict_phase expected[] = {VERDICT_PHASE_DNS, VERDICT_PHASE_CONNECT,
                                                  VERDICT_PHASE_TLS, VERDICT_PHASE_FIRST_BYTE};
    for (size_t i = 0; i < G_N_ELEMENTS(phases); i++) {
        g_autoptr(verdict_t) verdict =
            judge_transport(TRANSFER_UNREACHABLE, phases[i], "refused by 127.0.0.1:9");
        assert_verdict(verdict, VERDICT_CLASS_UNREACHABLE, VERDICT_CAUSE_NETWORK);
        assert_int_equal(verdict->phase, expected[i]);
        assert_string_equal(verdict->message, "refused by 127.0.0.1:9");
        assert_false(verdict->ours);
    }
}

static void test_our_own_fault(void **state)
{
    (void)state;
    g_autoptr(verdict_t) fault =
        judge_transport(TRANSFER_OUR_FAULT, TRANSFER_PHASE_NONE, "out of descriptors");
    assert_true(fault->ours);
    assert_int_not_equal(fault->class, VERDICT_CLASS_OK);
    assert_string_equal(fault->message, "out of descriptors");
    g_autoptr(verdict_t) cancelled = judge_transport(TRANSFER_CANCELLED, TRANSFER_PHASE_NONE, NULL);
    assert_true(cancelled->ours);
}

static void test_cut_bodies(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) response = answer(200, "application/json", "{\"a\":[1,");
    struct classify_input input = {.response = response};
    response->outcome = TRANSFER_GARBLED;
    response->problem = g_strdup("the body ended 7 bytes early");
    g_autoptr(verdict_t) garbled = classify(&input, lexicon_common());
    assert_verdict(garbled, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_SERVER_FAULT);
    assert_string_equal(garbled->message, "the body ended 7 bytes early");

    response->outcome = TRANSFER_TOO_LARGE;
    g_autoptr(verdict_t) large = classify(&input, lexicon_common());
    assert_verdict(large, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_CONTRACT);
    input.expectations_given = true; // …and they hold on what was read
    g_autoptr(verdict_t) fine = classify(&input, lexicon_common());
    assert_verdict(fine, VERDICT_CLASS_OK, VERDICT_CAUSE_NONE);
    response->status = 503;
    input.expectations_given = false;
    g_autoptr(verdict_t) failed = classify(&input, lexicon_common());
    assert_verdict(failed, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_UNAVAILABLE);
}

static void test_successes(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *type, *body;
    } cases[] = {
        {200, "application/json", "{\"errors\":[],\"ErrorCode\":0,\"value\":[]}"},
        {201, "application/json", "{\"id\":1,\"status\":\"Draft\"}"},
        {204, NULL, ""},
        {200, NULL, ""},
        {202, "application/json", "{\"bulk\":\"1\",\"errors\":false}"},
        {200, "text/plain", "no error"},
        {200, "text/html", "<html><title>Shop</title><p>Welcome</p></html>"},
        {200, "text/xml", "<r><errors/></r>"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(verdict_t) verdict = judge(cases[i].status, cases[i].type, cases[i].body);
        assert_verdict(verdict, VERDICT_CLASS_OK, VERDICT_CAUSE_NONE);
        assert_null(verdict->message);
        assert_null(verdict->code);
        assert_null(verdict->explanation);
    }
}

static void test_error_inside_a_200(void **state)
{
    (void)state;
    g_autoptr(verdict_t) rpc =
        judge(200, "application/json",
              "{\"error\":{\"code\":200,\"message\":\"Odoo Server Error\",\"data\":{\"name\":"
              "\"x.AccessError\",\"message\":\"You may not read orders\"}}}");
    assert_verdict(rpc, VERDICT_CLASS_ERROR_CODE, VERDICT_CAUSE_PERMISSION);
    assert_string_equal(rpc->code, "x.AccessError");
    g_autoptr(verdict_t) graphql =
        judge(200, "application/json", "{\"errors\":[{\"message\":\"Item 7 not found\"}]}");
    assert_verdict(graphql, VERDICT_CLASS_ERROR_CODE, VERDICT_CAUSE_NOT_FOUND);
    g_autoptr(verdict_t) status =
        judge(200, "text/xml",
              "<cXML><Response><Status code=\"400\" text=\"error\"/></Response>"
              "</cXML>");
    assert_verdict(status, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_UNKNOWN);
}

static void test_cryptic(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *type, *body;
        enum verdict_cause cause;
    } cases[] = {
        {500, "application/json",
         "{\"error\":{\"code\":\"\",\"message\":\"An error has occurred.\"}}",
         VERDICT_CAUSE_SERVER_FAULT},
        {500, "application/json",
         "{\"message\":\"Object reference not set to an instance of an object.\"}",
         VERDICT_CAUSE_SERVER_FAULT},
        {400, "application/json", "{\"message\":\"Something went wrong\"}", VERDICT_CAUSE_UNKNOWN},
        {502, "text/html", "<html><title>502 Bad Gateway</title></html>",
         VERDICT_CAUSE_UNAVAILABLE},
        {404, "text/html", "<html><title>Not Found</title></html>", VERDICT_CAUSE_NOT_FOUND},
        {401, NULL, "", VERDICT_CAUSE_AUTH},
        {429, NULL, "", VERDICT_CAUSE_RATE_LIMIT},
        {500, "application/json", "{\"error\":", VERDICT_CAUSE_SERVER_FAULT},
        {401, "application/json", "{\"message\":\"Unauthorized\"}", VERDICT_CAUSE_AUTH},
        {500, "text/plain", "failure", VERDICT_CAUSE_SERVER_FAULT},
        {200, "application/json", "{\"a\":", VERDICT_CAUSE_CONTRACT},
        {200, "text/html", "<html><form><input type=password></form></html>", VERDICT_CAUSE_AUTH},
        {502, "application/json", "{\"message\":\"Internal server error\"}",
         VERDICT_CAUSE_UNAVAILABLE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(verdict_t) verdict = judge(cases[i].status, cases[i].type, cases[i].body);
        assert_verdict(verdict, VERDICT_CLASS_CRYPTIC, cases[i].cause);
    }
}

// A text that is the code once more says as much as the code.
static void test_text_that_repeats_the_code(void **state)
{
    (void)state;
    g_autoptr(verdict_t) coded =
        judge(400, "application/json", "{\"code\":\"INVALID_DATA\",\"message\":\"invalid data\"}");
    assert_verdict(coded, VERDICT_CLASS_ERROR_CODE, VERDICT_CAUSE_VALIDATION);
    g_autoptr(verdict_t) other =
        judge(400, "application/json", "{\"code\":\"X7\",\"message\":\"invalid data\"}");
    assert_verdict(other, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_UNKNOWN);
}

// The page by which a protection service refuses often has a good status.
static void test_page_of_a_protection_service(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) page =
        answer(200, "text/html",
               "<html><title>Request Rejected</title><body>The requested URL was rejected. "
               "Your support ID is: 77</body></html>");
    struct classify_input input = {.response = page, .data_due = true};
    g_autoptr(verdict_t) verdict = classify(&input, lexicon_common());
    assert_verdict(verdict, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_PERMISSION);
    assert_string_equal(verdict->act, "hosting");
}

static void test_data_due(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) page =
        answer(200, "text/html", "<html><title>Shop</title></html>");
    struct classify_input input = {.response = page, .data_due = true};
    g_autoptr(verdict_t) verdict = classify(&input, lexicon_common());
    assert_verdict(verdict, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_CONTRACT);
    assert_string_equal(verdict->message, "Shop");
    input.expectations_given = true; // they hold: the flow wants the page
    g_autoptr(verdict_t) wanted = classify(&input, lexicon_common());
    assert_verdict(wanted, VERDICT_CLASS_OK, VERDICT_CAUSE_NONE);

    g_autoptr(transfer_response_t) empty = answer(200, "application/json", "");
    struct classify_input nothing = {.response = empty, .data_due = true};
    g_autoptr(verdict_t) silent = classify(&nothing, lexicon_common());
    assert_verdict(silent, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_CONTRACT);

    g_autoptr(transfer_response_t) words = answer(200, "text/plain", "Session expired");
    struct classify_input lone = {.response = words, .data_due = true};
    g_autoptr(verdict_t) said = classify(&lone, lexicon_common());
    assert_verdict(said, VERDICT_CLASS_ERROR_CODE, VERDICT_CAUSE_AUTH);
    lone.data_due = false;
    g_autoptr(verdict_t) text = classify(&lone, lexicon_common());
    assert_verdict(text, VERDICT_CLASS_OK, VERDICT_CAUSE_NONE);
}

// Where a page is what the step expects, another page is not what was expected, and a
// login still is one.
static void test_page_due(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum verdict_class class;
        enum verdict_cause cause;
    } cases[] = {
        {"<html><title>Shop</title><p>Come back later</p></html>", VERDICT_CLASS_UNEXPECTED,
         VERDICT_CAUSE_CONTRACT},
        {"<html><form><input name=\"u\"><input type=\"password\"></form></html>",
         VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_AUTH},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(transfer_response_t) page = answer(200, "text/html", cases[i].body);
        struct classify_input input = {.response = page,
                                       .expectations_given = true,
                                       .page_due = true,
                                       .failed_expectation = "body contains menu: was other"};
        g_autoptr(verdict_t) verdict = classify(&input, lexicon_common());
        assert_verdict(verdict, cases[i].class, cases[i].cause);
        assert_string_equal(verdict->failed_expectation, "body contains menu: was other");
    }
}

static void test_failed_expectations(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) response =
        answer(201, "application/json", "{\"status\":\"Open\"}");
    struct classify_input input = {.response = response,
                                   .expectations_given = true,
                                   .failed_expectation = "$.status equals Draft: was Open"};
    g_autoptr(verdict_t) broken = classify(&input, lexicon_common());
    assert_verdict(broken, VERDICT_CLASS_UNEXPECTED, VERDICT_CAUSE_CONTRACT);
    assert_string_equal(broken->failed_expectation, "$.status equals Draft: was Open");
    assert_null(broken->message);

    // the same on a page, or on an error: they say more
    g_autoptr(transfer_response_t) page = answer(200, NULL, "<html><title>Hello</title></html>");
    input.response = page;
    g_autoptr(verdict_t) html = classify(&input, lexicon_common());
    assert_verdict(html, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_CONTRACT);
    g_autoptr(transfer_response_t) error =
        answer(400, NULL, "{\"error\":{\"code\":\"X\",\"message\":\"Item 7 not found\"}}");
    input.response = error;
    g_autoptr(verdict_t) coded = classify(&input, lexicon_common());
    assert_verdict(coded, VERDICT_CLASS_ERROR_CODE, VERDICT_CAUSE_NOT_FOUND);
    assert_null(coded->failed_expectation); // the answer itself says what failed
}

static void test_expected_statuses(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) refused =
        answer(401, NULL, "{\"error\":\"invalid_grant\",\"error_description\":\"wrong password\"}");
    struct classify_input input = {
        .response = refused, .expectations_given = true, .status_expected = true};
    g_autoptr(verdict_t) wanted = classify(&input, lexicon_common());
    assert_verdict(wanted, VERDICT_CLASS_OK, VERDICT_CAUSE_NONE);

    // expectations that hold decide over the status of a well-formed answer…
    g_autoptr(transfer_response_t) gone = answer(404, NULL, "{\"present\":false}");
    struct classify_input holds = {.response = gone, .expectations_given = true};
    g_autoptr(verdict_t) fine = classify(&holds, lexicon_common());
    assert_verdict(fine, VERDICT_CLASS_OK, VERDICT_CAUSE_NONE);
    // …but not of a server's error page
    g_autoptr(transfer_response_t) page = answer(503, NULL, "<html><title>Sorry</title></html>");
    holds.response = page;
    g_autoptr(verdict_t) down = classify(&holds, lexicon_common());
    assert_verdict(down, VERDICT_CLASS_CRYPTIC, VERDICT_CAUSE_UNAVAILABLE);

    // without expectations a 2xx is due
    g_autoptr(verdict_t) moved = judge(302, "text/html", "<html><title>Moved</title></html>");
    assert_verdict(moved, VERDICT_CLASS_UNEXPECTED, VERDICT_CAUSE_CONTRACT);
    assert_string_equal(moved->failed_expectation, "status is 2xx: was 302");
}

static void test_causes_by_status(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum verdict_cause cause;
    } cases[] = {
        {400, VERDICT_CAUSE_VALIDATION},   {401, VERDICT_CAUSE_AUTH},
        {402, VERDICT_CAUSE_LICENSE},      {403, VERDICT_CAUSE_PERMISSION},
        {404, VERDICT_CAUSE_NOT_FOUND},    {405, VERDICT_CAUSE_CONTRACT},
        {409, VERDICT_CAUSE_CONFLICT},     {412, VERDICT_CAUSE_CONFLICT},
        {415, VERDICT_CAUSE_CONTRACT},     {422, VERDICT_CAUSE_VALIDATION},
        {423, VERDICT_CAUSE_LOCKED},       {429, VERDICT_CAUSE_RATE_LIMIT},
        {500, VERDICT_CAUSE_SERVER_FAULT}, {501, VERDICT_CAUSE_CONTRACT},
        {503, VERDICT_CAUSE_UNAVAILABLE},  {599, VERDICT_CAUSE_SERVER_FAULT},
        {526, VERDICT_CAUSE_NETWORK},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(verdict_t) verdict = judge(
            cases[i].status, NULL, "{\"error\":{\"code\":\"Q7\",\"message\":\"Qux quux 7\"}}");
        assert_verdict(verdict, VERDICT_CLASS_ERROR_CODE, cases[i].cause);
        assert_string_equal(verdict->code, "Q7");
    }
}

static void test_correlation(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) response = answer(
        400, NULL,
        "{\"error\":{\"code\":\"X\",\"message\":\"No such item.  CorrelationId:  "
        "11111111-2222-3333-4444-555555555555.\",\"innererror\":{\"transactionid\":\"T1\"}}}");
    transfer_headers_add(response->headers, "Request-Id", "r-1");
    transfer_headers_add(response->headers, "X-Powered-By", "y");
    struct classify_input input = {.response = response};
    g_autoptr(verdict_t) verdict = classify(&input, lexicon_common());
    g_autofree char *ids = json_print(verdict->correlation, false);
    assert_string_equal(ids, "{\"request-id\":\"r-1\",\"transactionid\":\"T1\",\"CorrelationId\":"
                             "\"11111111-2222-3333-4444-555555555555\"}");
    // an id in a header is worth keeping of a success too
    response->status = 200;
    g_bytes_unref(response->body);
    response->body = g_bytes_new_static("{\"requestId\":\"b\"}", 17);
    g_autoptr(verdict_t) fine = classify(&input, lexicon_common());
    g_autofree char *few = json_print(fine->correlation, false);
    assert_string_equal(few, "{\"request-id\":\"r-1\"}");
}

static void test_document_of_the_caller(void **state)
{
    (void)state;
    const char *body = "{\"error\":{\"code\":\"X\",\"message\":\"Item 7 not found\"}}";
    g_autoptr(transfer_response_t) response = answer(404, NULL, body);
    g_autoptr(cJSON) document = json_parse(body, strlen(body), NULL);
    struct classify_input input = {.response = response, .document = document};
    g_autoptr(verdict_t) verdict = classify(&input, lexicon_common());
    assert_verdict(verdict, VERDICT_CLASS_ERROR_CODE, VERDICT_CAUSE_NOT_FOUND);
    assert_string_equal(verdict->message, "Item 7 not found");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_our_own_fault),
        cmocka_unit_test(test_cut_bodies),
        cmocka_unit_test(test_successes),
        cmocka_unit_test(test_error_inside_a_200),
        cmocka_unit_test(test_cryptic),
        cmocka_unit_test(test_text_that_repeats_the_code),
        cmocka_unit_test(test_page_of_a_protection_service),
        cmocka_unit_test(test_data_due),
        cmocka_unit_test(test_page_due),
        cmocka_unit_test(test_failed_expectations),
        cmocka_unit_test(test_expected_statuses),
        cmocka_unit_test(test_causes_by_status),
        cmocka_unit_test(test_correlation),
        cmocka_unit_test(test_document_of_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
