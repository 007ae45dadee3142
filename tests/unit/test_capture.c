// SPDX-License-Identifier: MIT
// probes/capture and probes/decode: what is kept, and what fails the step.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_expect.h"

#include "../../probes/capture.h"
#include "../../probes/decode.h"

static const char document[] =
    "{\"id\":\"000123\",\"n\":12.10,\"big\":9007199254740993,\"empty\":\"\",\"null\":null,"
    "\"list\":[\"a\",\"b\"],\"none\":[],\"object\":{\"a\":[1]},\"yes\":false,"
    "\"b64\":\"eyJhIjoiYj4_In0\",\"b64s\":\"aGV s\\nbG8=\",\"bad64\":\"a*b\",\"zero\":\"AAA=\","
    "\"url\":\"a%20b%C3%A9+c\",\"badurl\":\"%zz\","
    "\"html\":\"&lt;a href=&quot;x&quot;&gt; &amp;amp; &#39;&#xe9;&#0;&nope;&\","
    "\"link\":\"../orders/7?x=1\",\"form\":\"<input name='t' value='T1'>\","
    "\"inner\":\"{\\\"k\\\":[1,2]}\"}";

// Takes one capture of `name` and returns what is kept as JSON, or the failure.
static char *take(struct capture *capture, struct values *values)
{
    g_autoptr(GPtrArray) captures = g_ptr_array_new_with_free_func(support_free_capture);
    g_ptr_array_add(captures, capture);
    g_autoptr(transfer_response_t) response = support_response(200, document, -1);
    transfer_headers_add(response->headers, "Location", "/orders/7");
    struct subject subject;
    subject_init_response(&subject, response);
    g_autofree char *failed = NULL;
    bool taken = capture_take(captures, &subject, values, "https://erp.example:8443/api/v1/x?y",
                              (struct clock_wall){0}, &failed);
    subject_clear(&subject);
    assert_int_equal(taken, failed == NULL);
    if (!taken)
        return g_steal_pointer(&failed);
    return json_print(values_find(values, capture->name)->json, false);
}

static struct capture *capture_of(const char *selector)
{
    struct capture *capture = capture_new("order");
    capture->selector = selector ? support_selector(selector) : NULL;
    return capture;
}

static void test_select(void **state)
{
    (void)state;
    static const struct {
        const char *selector;
        const char *then;
        enum capture_decode decode;
        bool all, as_url;
        const char *kept;
    } cases[] = {
        {"json $.id", NULL, CAPTURE_PLAIN, false, false, "\"000123\""},
        {"json $.n", NULL, CAPTURE_PLAIN, false, false, "12.10"},
        {"json $.big", NULL, CAPTURE_PLAIN, false, false, "9007199254740993"},
        {"json $.yes", NULL, CAPTURE_PLAIN, false, false, "false"},
        {"json $.none", NULL, CAPTURE_PLAIN, false, false, "[]"},
        {"json $.object", NULL, CAPTURE_PLAIN, false, false, "{\"a\":[1]}"},
        {"status", NULL, CAPTURE_PLAIN, false, false, "200"},
        {"header Location", NULL, CAPTURE_PLAIN, false, false, "\"/orders/7\""},
        {"regex value='(\\w+)'", NULL, CAPTURE_PLAIN, false, false, "\"T1\""},
        {"json $.missing", NULL, CAPTURE_PLAIN, false, false,
         "capture order: $.missing selected nothing"},
        {"json $.list[*]", NULL, CAPTURE_PLAIN, false, false,
         "capture order: $.list[*] selected 2 values, not one"},
        {"json $.empty", NULL, CAPTURE_PLAIN, false, false, "capture order: $.empty is empty"},
        {"json $.null", NULL, CAPTURE_PLAIN, false, false, "capture order: $.null is null"},
        {"json $.list[*]", NULL, CAPTURE_PLAIN, true, false, "[\"a\",\"b\"]"},
        {"json $.missing", NULL, CAPTURE_PLAIN, true, false, "[]"},
        {"json $.id", NULL, CAPTURE_PLAIN, true, false, "[\"000123\"]"},
        {"json $.b64", NULL, CAPTURE_BASE64, false, false, "\"{\\\"a\\\":\\\"b>?\\\"}\""},
        {"json $.b64", "json $.a", CAPTURE_BASE64, false, false, "\"b>?\""},
        {"json $.b64", "json $.z", CAPTURE_BASE64, false, false,
         "capture order: $.b64 selected nothing"},
        {"json $.b64s", NULL, CAPTURE_BASE64, false, false, "\"hello\""},
        {"json $.bad64", NULL, CAPTURE_BASE64, false, false,
         "capture order: it is not base64 of a text"},
        {"json $.zero", NULL, CAPTURE_BASE64, false, false,
         "capture order: it is not base64 of a text"},
        {"json $.url", NULL, CAPTURE_URL, false, false, "\"a b\u00e9+c\""},
        {"json $.badurl", NULL, CAPTURE_URL, false, false,
         "capture order: it is not URL-encoded of a text"},
        {"json $.html", NULL, CAPTURE_HTML, false, false,
         "\"<a href=\\\"x\\\"> &amp; '\u00e9&#0;&nope;&\""},
        {"json $.form", "regex value='(\\w+)'", CAPTURE_PLAIN, false, false, "\"T1\""},
        {"json $.inner", "json $.k[*]", CAPTURE_PLAIN, true, false, "[1,2]"},
        {"json $.inner", "json $.k[1]", CAPTURE_PLAIN, false, false, "2"},
        {"header Location", NULL, CAPTURE_PLAIN, false, true,
         "\"https://erp.example:8443/orders/7\""},
        {"json $.link", NULL, CAPTURE_PLAIN, false, true,
         "\"https://erp.example:8443/api/orders/7?x=1\""},
        {"json $.link", NULL, CAPTURE_PLAIN, true, true,
         "[\"https://erp.example:8443/api/orders/7?x=1\"]"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct values *values = values_new(NULL, "UTC");
        struct capture *capture = capture_of(cases[i].selector);
        capture->decode = cases[i].decode;
        capture->then = cases[i].then ? support_selector(cases[i].then) : NULL;
        capture->all = cases[i].all;
        capture->as_url = cases[i].as_url;
        g_autofree char *kept = take(capture, values);
        assert_string_equal(kept, cases[i].kept);
        values_free(values);
    }
}

static void test_default(void **state)
{
    (void)state;
    static const struct {
        const char *selector, *fallback, *kept;
    } cases[] = {
        {"json $.missing", "0", "0"},
        {"json $.missing", "\"\"", "\"\""},
        {"json $.empty", "\"x\"", "\"x\""},
        {"json $.null", "12.10", "12.10"},
        {"json $.list[*]", "\"several\"", "\"several\""},
        {"json $.id", "0", "\"000123\""},
        {"json $.missing", "\"{{other}}\"", "7"},
        {"json $.missing", "\"{{none}}\"", "capture order: "},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct values *values = values_new(NULL, "UTC");
        values_set(values, "other", value_new(json_new_number("7"), false));
        struct capture *capture = capture_of(cases[i].selector);
        g_autoptr(cJSON) fallback = support_parse(cases[i].fallback);
        capture->fallback = template_new_json(fallback, false, NULL);
        g_autofree char *kept = take(capture, values);
        if (g_str_has_suffix(cases[i].kept, ": "))
            assert_true(g_str_has_prefix(kept, cases[i].kept));
        else
            assert_string_equal(kept, cases[i].kept);
        values_free(values);
    }
}

// `from` takes from a captured value, and a secret stays one.
static void test_from(void **state)
{
    (void)state;
    struct values *values = values_new(NULL, "UTC");
    values_set(values, "cart", value_new(support_parse("{\"id\":\"x\",\"b\":\"aGk=\"}"), true));
    struct capture *capture = capture_of("json $.id");
    capture->from = g_strdup("cart");
    g_autofree char *kept = take(capture, values);
    assert_string_equal(kept, "\"x\"");
    assert_true(values_find(values, "order")->secret);
    capture = capture_of(NULL);
    capture->from = g_strdup("cart");
    capture->then = support_selector("json $.b");
    g_autofree char *then = take(capture, values);
    assert_string_equal(then, "\"aGk=\"");
    capture = capture_of(NULL);
    capture->from = g_strdup("none");
    g_autofree char *none = take(capture, values);
    assert_string_equal(none, "capture order: none has no value");
    capture = capture_of("json $.id");
    capture->secret = true;
    g_autofree char *secret = take(capture, values);
    assert_string_equal(secret, "\"000123\"");
    assert_true(values_find(values, "order")->secret);
    capture = capture_of("json $.id");
    g_autofree char *open = take(capture, values);
    assert_string_equal(open, "\"000123\"");
    assert_false(values_find(values, "order")->secret);
    values_free(values);
}

// Those that can be taken are, where others fail; the first failure is told.
static void test_independent(void **state)
{
    (void)state;
    static const char *const names[] = {"first", "second", "third", "fourth"};
    static const char *const selectors[] = {"json $.id", "json $.missing", "json $.n",
                                            "json $.empty"};
    g_autoptr(GPtrArray) captures = g_ptr_array_new_with_free_func(support_free_capture);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        struct capture *capture = capture_new(names[i]);
        capture->selector = support_selector(selectors[i]);
        g_ptr_array_add(captures, capture);
    }
    g_autoptr(transfer_response_t) response = support_response(500, document, -1);
    struct values *values = values_new(NULL, "UTC");
    struct subject subject;
    subject_init_response(&subject, response);
    g_autofree char *failed = NULL;
    assert_false(capture_take(captures, &subject, values, NULL, (struct clock_wall){0}, &failed));
    assert_string_equal(failed, "capture second: $.missing selected nothing");
    assert_non_null(values_find(values, "first"));
    assert_null(values_find(values, "second"));
    assert_non_null(values_find(values, "third"));
    assert_null(values_find(values, "fourth"));
    subject_clear(&subject);
    values_free(values);
}

static void test_decode(void **state)
{
    (void)state;
    static const struct {
        enum capture_decode decode;
        const char *text, *decoded; // NULL: refused
    } cases[] = {
        {CAPTURE_PLAIN, "a%20", "a%20"},
        {CAPTURE_BASE64, "", ""},
        {CAPTURE_BASE64, "YQ==", "a"},
        {CAPTURE_BASE64, "YQ", "a"},
        {CAPTURE_BASE64, "YWI", "ab"},
        {CAPTURE_BASE64, "YWJj", "abc"},
        {CAPTURE_BASE64, "Y", NULL},
        {CAPTURE_BASE64, "QgBC", NULL},                    // a NUL
        {CAPTURE_BASE64, "QvZsdA==", "B\u00f6lt"},         // Latin-1
        {CAPTURE_BASE64, "77u/QsO2bHQ=", "B\u00f6lt"},     // a byte order mark
        {CAPTURE_BASE64, "//5CAPYAbAB0AA==", "B\u00f6lt"}, // UTF-16
        {CAPTURE_BASE64, "YQ==YQ", NULL},
        {CAPTURE_BASE64, "Y$==", NULL},
        {CAPTURE_BASE64, "Pz8_", "???"},
        {CAPTURE_BASE64, "Pj4-", ">>>"},
        {CAPTURE_URL, "%41%e2%82%ac", "A€"},
        {CAPTURE_URL, "%4", NULL},
        {CAPTURE_URL, "%00", NULL},
        {CAPTURE_URL, "100%", NULL},
        {CAPTURE_HTML, "&euro;&nbsp;&#x1F600;", "€\u00a0\U0001F600"},
        {CAPTURE_HTML, "&#xD800;&#1114112;&#-1;&#;&;&&", "&#xD800;&#1114112;&#-1;&#;&;&&"},
        {CAPTURE_HTML, "a & b &lt", "a & b &lt"},
        {CAPTURE_HTML, "&#99999999999999999999;", "&#99999999999999999999;"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *decoded = decode_text(cases[i].text, cases[i].decode);
        assert_int_equal(decoded != NULL, cases[i].decoded != NULL);
        if (decoded)
            assert_string_equal(decoded, cases[i].decoded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select), cmocka_unit_test(test_default),
        cmocka_unit_test(test_from),   cmocka_unit_test(test_independent),
        cmocka_unit_test(test_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
