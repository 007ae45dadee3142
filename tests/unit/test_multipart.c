// SPDX-License-Identifier: MIT
// Batches: read as multipart or JSON, told by their first failing part, and seen by
// selectors in one shape.
#include "../../probes/classify.h"
#include "../../probes/flow_undo.h"
#include "../../probes/lexicon.h"
#include "../../probes/multipart.h"
#include "../../probes/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define TYPE "multipart/mixed; boundary=batch_1"
#define HTTP "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
#define CREATED                                                                                    \
    HTTP "Content-ID: 1\r\n\r\nHTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"         \
         "DataServiceVersion: 2.0\r\n\r\n{\"d\":{\"SalesOrder\":\"17\"}}\r\n"
#define REFUSED                                                                                    \
    HTTP "\r\nHTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-ID: 2\r\n"     \
         "request-id: 8f3c1a2e-7\r\n\r\n{\"error\":{\"code\":\"V1/302\",\"message\":{\"lang\":"    \
         "\"en\",\"value\":\"Sold-to party 17 is missing\"}}}\r\n"
#define MISSING                                                                                    \
    HTTP "\r\nHTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\r\n{\"error\":{"        \
         "\"code\":\"NF\",\"message\":\"Order 9 was not found\"}}\r\n"
#define CHANGESET(parts)                                                                           \
    "Content-Type: multipart/mixed; boundary=\"change set_1\"\r\nContent-Length: 900\r\n\r\n"      \
    "--change set_1\r\n" parts "--change set_1--\r\n"

static char *to_lf(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\r\n", -1);
    return g_strjoinv("\n", lines);
}

static cJSON *batch_of(const char *type, const char *body)
{
    g_autoptr(GPtrArray) parts = multipart_read(body, strlen(body), type);
    return parts ? multipart_to_batch(parts) : NULL;
}

static void check_batch(const char *type, const char *body, const char *expected)
{
    g_autoptr(cJSON) batch = batch_of(type, body);
    g_autofree char *text = batch ? json_print(batch, false) : g_strdup("none");
    assert_string_equal(text, expected);
    // Line ends are no matter.
    g_autofree char *lf = to_lf(body);
    g_autoptr(cJSON) again = batch_of(type, lf);
    g_autofree char *same = again ? json_print(again, false) : g_strdup("none");
    assert_string_equal(same, expected);
}

#define SEEN_CREATED                                                                               \
    "{\"id\":\"1\",\"status\":201,\"headers\":{\"content-transfer-encoding\":\"binary\","          \
    "\"content-id\":\"1\",\"content-type\":\"application/json\",\"dataserviceversion\":\"2.0\"},"  \
    "\"body\":{\"d\":{\"SalesOrder\":\"17\"}}}"
#define SEEN_EMPTY                                                                                 \
    "{\"id\":null,\"status\":204,\"headers\":{\"content-type\":\"application/http\"},\"body\":"    \
    "null}"

static void test_shapes(void **state)
{
    (void)state;
    static const char all[] = "{\"responses\":[" SEEN_CREATED "," SEEN_EMPTY "]}";
    static const char empty[] = "Content-Type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\n"
                                "\r\n";
    g_autofree char *plain =
        g_strconcat("--batch_1\r\n" CREATED "--batch_1\r\n", empty, "--batch_1--\r\n", NULL);
    check_batch(TYPE, plain, all);
    check_batch("Multipart/Mixed;charset=utf-8; Boundary = \"batch_1\"", plain, all);
    check_batch(NULL, plain, all);                              // by its looks
    check_batch("multipart/mixed; boundary=other", plain, all); // named wrongly
    g_autofree char *preamble = g_strconcat(
        "This is a batch.\r\n\r\n--batch_1\r\n" CREATED "--batch_1 \t\r\n", empty, NULL);
    check_batch(TYPE, preamble, all); // and without its end
    g_autofree char *nested = g_strconcat("--batch_1\r\n" CHANGESET(CREATED) "\r\n--batch_1\r\n",
                                          empty, "--batch_1--\r\nepilogue", NULL);
    check_batch(TYPE, nested, all);
    // Blank lines that were lost on the way.
    check_batch(NULL,
                "--b\r\nContent-Type:application/http\r\nHTTP/1.1 400 Bad\r\na:1\r\n{\"e\":1}\r\n"
                "--b\r\nContent-Type:application/http\r\nHTTP/1.1 200 OK\r\na:1\r\n<Item>",
                "{\"responses\":[{\"id\":null,\"status\":400,\"headers\":{\"content-type\":"
                "\"application/http\",\"a\":\"1\"},\"body\":{\"e\":1}},{\"id\":null,\"status\":200,"
                "\"headers\":{\"content-type\":\"application/http\",\"a\":\"1\"},\"body\":\"<Item>"
                "\"}]}");
    g_autofree char *blank = g_strconcat("\r\n", plain, NULL);
    check_batch(NULL, blank, all);
}

static void test_no_batches(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",          "--",      "--batch_1--\r\n", "---\r\na: 1\r\n---\r\n",
        "{\"a\":1}", "-- note", "--batch_1x",      "--\r\n\r\nHTTP/1.1 200 OK\r\n"};
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++)
        check_batch(TYPE, bodies[i], "none");
    assert_false(multipart_is("--- a list", 10, NULL));
    assert_false(multipart_is("", 0, TYPE));
    // A boundary within a line, or that only begins like it, is none.
    check_batch(TYPE,
                "--batch_1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
                "\"x --batch_1 y\"\r\n--batch_1--",
                "{\"responses\":[{\"id\":null,\"status\":200,\"headers\":{\"content-type\":"
                "\"application/http\"},\"body\":\"x --batch_1 y\"}]}");
    g_autoptr(cJSON) longer =
        batch_of(TYPE, "--batch_1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n"
                       "\r\na\r\n--batch_10\r\nb\r\n--batch_1--");
    const cJSON *first = cJSON_GetArrayItem(json_member(longer, "responses"), 0);
    assert_string_equal(json_text(first, "body"), "a\r\n--batch_10\r\nb");
}

static void test_bounds(void **state)
{
    (void)state;
    g_autoptr(GString) many = g_string_new(NULL);
    for (int i = 0; i < 1500; i++)
        g_string_append(many, "--b\nContent-Type: application/http\n\nHTTP/1.1 200 OK\n\n1\n");
    g_autoptr(GPtrArray) parts =
        multipart_read(many->str, many->len, "multipart/mixed; boundary=b");
    assert_int_equal(parts->len, 1000);
    g_autoptr(GString) deep = g_string_new(NULL);
    for (int i = 0; i < 50; i++)
        g_string_append_printf(deep, "--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i,
                               i + 1);
    assert_null(multipart_read(deep->str, deep->len, "multipart/mixed; boundary=b0"));
    g_autoptr(GString) heads =
        g_string_new("--b\nContent-Type: application/http\n\nHTTP/1.1 200 OK\n");
    for (int i = 0; i < 500; i++)
        g_string_append_printf(heads, "h%d: v\n", i);
    g_autoptr(GPtrArray) wide =
        multipart_read(heads->str, heads->len, "multipart/mixed; boundary=b");
    const struct multipart_part *part = g_ptr_array_index(wide, 0);
    assert_true(part->headers->len <= 101);
}

// ---- verdicts ----

static struct transfer_response *answer(int status, const char *type, const char *body)
{
    struct transfer_response *response = transfer_response_new();
    response->outcome = TRANSFER_ANSWERED;
    response->status = status;
    if (type)
        transfer_headers_add(response->headers, "Content-Type", type);
    g_bytes_unref(response->body);
    response->body = g_bytes_new(body, strlen(body));
    return response;
}

// As a flow does, with the document that selectors see, and as `explain` does.
static struct verdict *judge(int status, const char *type, const char *body, bool document)
{
    g_autoptr(transfer_response_t) response = answer(status, type, body);
    struct subject subject;
    subject_init_response(&subject, response);
    struct classify_input input = {.response = response,
                                   .document = document ? subject_document(&subject) : NULL,
                                   .expectations_given = document};
    struct verdict *verdict = classify(&input, lexicon_common());
    subject_clear(&subject);
    return verdict;
}

struct batch_case {
    int status;
    const char *type, *body;
    enum verdict_cause cause;
    const char *code, *message, *part, *part_status, *id;
    bool partial;
};

static void check_verdict(const struct verdict *verdict, const struct batch_case *wanted)
{
    if (verdict->class != VERDICT_CLASS_ERROR_CODE || verdict->cause != wanted->cause)
        fail_msg("%s\nis %s, %s: %s", wanted->body, verdict_class_word(verdict->class),
                 verdict_cause_word(verdict->cause), verdict->message);
    assert_int_equal(g_strcmp0(verdict->code, wanted->code), 0);
    assert_string_equal(verdict->message, wanted->message);
    assert_int_equal(verdict->partial, wanted->partial);
    const cJSON *ids = verdict->correlation;
    assert_string_equal(json_text(ids, "part"), wanted->part);
    assert_string_equal(json_text(ids, "part-status"), wanted->part_status);
    if (wanted->id)
        assert_string_equal(json_text(ids, "content-id"), wanted->id);
    else
        assert_null(json_member(ids, "content-id"));
}

static void test_failing_parts(void **state)
{
    (void)state;
    static const struct batch_case cases[] = {
        {202, TYPE, "--batch_1\r\n" CREATED "--batch_1\r\n" REFUSED "--batch_1--\r\n",
         VERDICT_CAUSE_VALIDATION, "V1/302", "Sold-to party 17 is missing", "2 of 2", "400", "2",
         true},
        {200, TYPE, "--batch_1\r\n" REFUSED "--batch_1\r\n" MISSING "--batch_1--\r\n",
         VERDICT_CAUSE_VALIDATION, "V1/302", "Sold-to party 17 is missing", "1 of 2", "400", "2",
         false},
        {202, TYPE, "--batch_1\r\n" CHANGESET(MISSING), VERDICT_CAUSE_NOT_FOUND, "NF",
         "Order 9 was not found", "1 of 1", "404", NULL, false},
        {200, "application/json",
         "{\"responses\":[{\"id\":\"a\",\"status\":201,\"body\":{\"id\":7}},{\"id\":\"b\","
         "\"status\":424,\"body\":{\"error\":{\"code\":\"Dep\",\"message\":\"Depends on c\"}}},"
         "{\"id\":\"c\",\"status\":429,\"headers\":{\"request-id\":\"8f3c1a2e-7\"},\"body\":{"
         "\"error\":{\"code\":\"E429\",\"message\":\"Bitte langsamer\"}}}]}",
         VERDICT_CAUSE_RATE_LIMIT, "E429", "Bitte langsamer", "3 of 3", "429", "c", true},
        {200, "application/json",
         "{\"responses\":[{\"id\":\"1\",\"status\":200,\"body\":{\"error\":{\"code\":\"E7\","
         "\"message\":\"Item 7 was not found\"}}}]}",
         VERDICT_CAUSE_NOT_FOUND, "E7", "Item 7 was not found", "1 of 1", "200", "1", false},
        {200, "application/json",
         "{\"responses\":[{\"id\":5,\"status\":403,\"headers\":{\"Content-Type\":\"text/plain\"},"
         "\"body\":\"CSRF token validation failed\"}]}",
         VERDICT_CAUSE_AUTH, NULL, "CSRF token validation failed", "1 of 1", "403", "5", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (int document = 0; document < 2; document++) {
            g_autoptr(verdict_t) verdict =
                judge(cases[i].status, cases[i].type, cases[i].body, document);
            check_verdict(verdict, &cases[i]);
        }
    g_autoptr(verdict_t) ids = judge(202, TYPE, cases[0].body, true);
    assert_string_equal(json_text(ids->correlation, "request-id"), "8f3c1a2e-7");
    g_autoptr(verdict_t) two = judge(202, TYPE, cases[1].body, true);
    assert_string_equal(json_text(two->correlation, "parts-failed"), "2");
}

static void test_good_batches(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "--batch_1\r\n" CREATED "--batch_1\r\n" CREATED "--batch_1--\r\n",
        ("{\"responses\":[{\"id\":\"1\",\"status\":200,\"body\":{\"errors\":[],\"text\":\"error\"}"
         "}]}"),
        "{\"responses\":[]}",
        "{\"responses\":[{\"status\":\"error\"}]}", // of something else
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++)
        for (int document = 0; document < 2; document++) {
            g_autoptr(verdict_t) verdict = judge(200, i ? NULL : TYPE, bodies[i], document);
            assert_int_equal(verdict->class, VERDICT_CLASS_OK);
            assert_false(verdict->partial);
        }
}

// SOAP with attachments: the first part is the answer.
static void test_attachments(void **state)
{
    (void)state;
    g_autoptr(verdict_t) verdict =
        judge(200, "multipart/related; type=\"application/xop+xml\"; boundary=uuid:1",
              "--uuid:1\r\nContent-Type: application/xop+xml\r\nContent-ID: <root>\r\n\r\n"
              "<s:Envelope><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>Order 7 "
              "not found</faultstring></s:Fault></s:Body></s:Envelope>\r\n--uuid:1\r\n"
              "Content-Type: image/png\r\n\r\n\x89PNG\r\n--uuid:1--",
              false);
    assert_int_equal(verdict->class, VERDICT_CLASS_ERROR_CODE);
    assert_int_equal(verdict->cause, VERDICT_CAUSE_NOT_FOUND);
    assert_string_equal(verdict->message, "Order 7 not found");
}

// ---- selectors, and the ledger ----

static void test_document(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) response =
        answer(202, TYPE, "--batch_1\r\n" CHANGESET(CREATED) "--batch_1--\r\n");
    struct subject subject;
    subject_init_response(&subject, response);
    const cJSON *responses = json_member(subject_document(&subject), "responses");
    const cJSON *body = json_member(cJSON_GetArrayItem(responses, 0), "body");
    assert_string_equal(json_text(json_member(body, "d"), "SalesOrder"), "17");
    subject_clear(&subject);
}

static void test_sent_texts(void **state)
{
    (void)state;
    g_autoptr(transfer_request_t) request = transfer_request_new("POST", "http://h/$batch");
    static const char body[] =
        "--batch_1\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: "
        "application/http\r\n\r\nPOST Orders HTTP/1.1\r\nContent-Type: application/json\r\n\r\n"
        "{\"Ref\":\"ERPW-abc\",\"Other\":\"x\"}\r\n--c--\r\n--batch_1--\r\n";
    transfer_headers_add(request->headers, "Content-Type", TYPE);
    request->body = g_bytes_new_static(body, sizeof body - 1);
    g_autoptr(cJSON) texts = flow_undo_sent_texts(request, "abc");
    g_autofree char *text = json_print(texts, false);
    assert_string_equal(text, "[\"ERPW-abc\"]");
}

static void test_gone(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool gone;
    } cases[] = {
        {"--batch_1\r\n" MISSING "--batch_1--\r\n", true},
        {"--batch_1\r\n" CREATED "--batch_1\r\n" MISSING "--batch_1--\r\n", true},
        {"--batch_1\r\n" REFUSED "--batch_1\r\n" MISSING "--batch_1--\r\n", false},
        {"--batch_1\r\n" CREATED "--batch_1--\r\n", false},
        {"--batch_1\r\n" HTTP "\r\nHTTP/1.1 404 Not Found\r\n\r\nThe company does not exist\r\n"
         "--batch_1--\r\n",
         false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(transfer_response_t) response = answer(202, TYPE, cases[i].body);
        assert_int_equal(flow_undo_record_is_gone(response), cases[i].gone);
    }
    g_autoptr(transfer_response_t) plain = answer(200, "application/json", "{}");
    assert_false(flow_undo_record_is_gone(plain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),       cmocka_unit_test(test_no_batches),
        cmocka_unit_test(test_bounds),       cmocka_unit_test(test_failing_parts),
        cmocka_unit_test(test_good_batches), cmocka_unit_test(test_attachments),
        cmocka_unit_test(test_document),     cmocka_unit_test(test_sent_texts),
        cmocka_unit_test(test_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
