// SPDX-License-Identifier: MIT
// What settles a debt: which 404 means that the record is gone, and which texts
// of a request a lookup's candidates are compared with.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../base/json.h"
#include "../../base/transfer.h"
#include "../../probes/flow_undo.h"

static struct transfer_response *answer(int status, const char *type, const char *body)
{
    struct transfer_response *response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = status;
    g_bytes_unref(response->body);
    response->body = g_bytes_new(body, strlen(body));
    if (type)
        transfer_headers_add(response->headers, "Content-Type", type);
    return response;
}

static void test_record_is_gone(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *type, *body;
        bool gone;
    } cases[] = {
        {404, "application/json", "{\"error\":{\"message\":\"The record does not exist\"}}", true},
        {404, NULL, "", true},
        {410, "text/html", "<html>", true},
        {404, "application/json", "{\"message\":\"Customer Accompany Ltd was not found\"}", true},
        {404, "application/json", "{\"message\":\"The company Acme does not exist\"}", false},
        {404, "application/json", "{\"message\":\"No route matches /orders\"}", false},
        {404, "application/json", "{\"message\":\"No HTTP resource was found\"}", false},
        {404, "text/html; charset=utf-8", "<html>Not found</html>", false},
        {400, "application/json", "{\"message\":\"gone\"}", false},
        {200, "application/json", "{}", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(transfer_response_t) response =
            answer(cases[i].status, cases[i].type, cases[i].body);
        assert_int_equal(flow_undo_record_is_gone(response), cases[i].gone);
    }
    g_autoptr(transfer_response_t) cut = answer(404, NULL, "");
    cut->outcome = TRANSFER_TIMEOUT;
    assert_false(flow_undo_record_is_gone(cut));
}

static char *sent_texts(const char *type, const char *body)
{
    g_autoptr(transfer_request_t) request = transfer_request_new("POST", "http://h/");
    if (body)
        request->body = g_bytes_new(body, strlen(body));
    if (type)
        transfer_headers_add(request->headers, "Content-Type", type);
    g_autoptr(cJSON) texts = flow_undo_sent_texts(request, "RUN1");
    return json_print(texts, false);
}

static void test_sent_texts(void **state)
{
    (void)state;
    static const struct {
        const char *type, *body, *texts;
    } cases[] = {
        {"application/json", "{\"a\":\"x RUN1\",\"b\":[{\"c\":\"RUN1\"},\"other\"],\"n\":1}",
         "[\"x RUN1\",\"RUN1\"]"},
        {"application/x-www-form-urlencoded", "name=x+RUN1&other=y", "[\"x RUN1\"]"},
        {"text/xml", "<E xmlns='urn:e'><Name id='RUN1'>x RUN1</Name><No>1</No></E>",
         "[\"RUN1\",\"x RUN1\"]"},
        {"text/plain", "order RUN1", "[\"order RUN1\"]"},
        {"text/plain", "order", "[]"},
        {NULL, NULL, "[]"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *texts = sent_texts(cases[i].type, cases[i].body);
        assert_string_equal(texts, cases[i].texts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_is_gone),
        cmocka_unit_test(test_sent_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
