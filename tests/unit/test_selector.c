// SPDX-License-Identifier: MIT
// probes/selector: what each selector selects from a response and from a value.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_expect.h"

#include "../../probes/selector.h"

static struct transfer_response *response_new(const char *body)
{
    struct transfer_response *response = support_response(201, body, -1);
    transfer_headers_add(response->headers, "Content-Type", "application/json");
    transfer_headers_add(response->headers, "Location", "/orders/7");
    transfer_headers_add(response->headers, "Link", "<a>");
    transfer_headers_add(response->headers, "link", "<b>");
    transfer_headers_add(response->headers, "Set-Cookie", "sid=gone; Max-Age=0");
    transfer_headers_add(response->headers, "Set-Cookie", "sid = a=b ; Path=/; Secure");
    transfer_headers_add(response->headers, "set-cookie", "sid2=x");
    transfer_headers_add(response->headers, "Set-Cookie", "empty=");
    return response;
}

// All that the selector selects, as one JSON text; the error's message with "!".
static char *select_text(const char *text, struct subject *subject,
                         const struct template_context *context)
{
    struct selector *selector = support_selector(text);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) found = selector_select(selector, subject, context, &error);
    selector_free(selector);
    if (!found)
        return g_strconcat("!", error->message, NULL);
    GString *all = g_string_new(NULL);
    for (unsigned i = 0; i < found->len; i++) {
        g_autofree char *one = json_print(g_ptr_array_index(found, i), false);
        g_string_append_printf(all, "%s%s", i ? " " : "", one);
    }
    return g_string_free(all, FALSE);
}

struct selection {
    const char *selector, *selected;
};

static void check(struct subject *subject, const struct template_context *context,
                  const struct selection *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *selected = select_text(cases[i].selector, subject, context);
        assert_string_equal(selected, cases[i].selected);
    }
}

static void test_response(void **state)
{
    (void)state;
    static const struct selection cases[] = {
        {"status", "201"},
        {"time", "1234"},
        {"size", "47"},
        {"header Location", "\"/orders/7\""},
        {"header location", "\"/orders/7\""},
        {"header Link", "\"<a>\" \"<b>\""},
        {"header Loc", ""},
        {"certificate", ""},
        {"cookie sid", "\"a=b\""}, // the last one counts
        {"cookie sid2", "\"x\""},
        {"cookie SID", ""},
        {"cookie si", ""},
        {"cookie empty", "\"\""},
        {"json $.id", "9007199254740993"},
        {"json $.price", "12.10"},
        {"json $.list[*]", "\"a\" \"b\""},
        {"json $.none", ""},
        {"regex \"id\":(\\d+)", "\"9007199254740993\""},
        {"regex \\d+\\.\\d+", "\"12.10\""},
        {"regex \"([ab])\"", "\"a\" \"b\""},
        {"regex nothing", ""},
        {"body", "\"{\\\"id\\\":9007199254740993,\\\"price\\\":12.10,"
                 "\\\"list\\\":[\\\"a\\\",\\\"b\\\"]}\""},
    };
    g_autoptr(transfer_response_t) response =
        response_new("{\"id\":9007199254740993,\"price\":12.10,\"list\":[\"a\",\"b\"]}");
    struct subject subject;
    subject_init_response(&subject, response);
    subject.elapsed_ms = 1234.9;
    struct selection sized[G_N_ELEMENTS(cases)];
    memcpy(sized, cases, sizeof cases);
    g_autofree char *size = g_strdup_printf("%zu", g_bytes_get_size(response->body));
    sized[2].selected = size;
    check(&subject, NULL, sized, G_N_ELEMENTS(sized));
    subject_clear(&subject);
}

// What is not JSON has no document; what is empty has a body still.
static void test_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        gssize length;
        const char *type, *document, *text;
    } cases[] = {
        {"", 0, NULL, "", "\"\""},
        {"<html>", -1, NULL, "", "\"<html>\""},
        {"{\"a\":1} x", -1, NULL, "", "\"{\\\"a\\\":1} x\""},
        {" [1] ", -1, NULL, "[1]", "\" [1] \""},
        {"\xEF\xBB\xBF[1]", -1, NULL, "[1]", NULL},
        {"[\"caf\xE9\"]", -1, "application/json", "", NULL},
        {"[\"caf\xE9\"]", -1, "application/json; charset=ISO-8859-1", "[\"caf\u00e9\"]", NULL},
        {"[1]\0", 4, NULL, "", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(transfer_response_t) response =
            support_response(200, cases[i].body, cases[i].length);
        if (cases[i].type)
            transfer_headers_add(response->headers, "Content-Type", cases[i].type);
        struct subject subject;
        subject_init_response(&subject, response);
        g_autofree char *document = select_text("json $", &subject, NULL);
        assert_string_equal(document, cases[i].document);
        g_autofree char *text = select_text("body", &subject, NULL);
        if (cases[i].text)
            assert_string_equal(text, cases[i].text);
        subject_clear(&subject);
    }
}

static void test_no_answer(void **state)
{
    (void)state;
    static const struct selection cases[] = {{"status", ""}, {"header X", ""}, {"cookie x", ""},
                                             {"json $", ""}, {"size", "0"},    {"body", "\"\""}};
    g_autoptr(transfer_response_t) response = support_response(0, "", 0);
    struct subject subject;
    subject_init_response(&subject, response);
    check(&subject, NULL, cases, G_N_ELEMENTS(cases));
    subject_clear(&subject);
}

// A captured value: an object as it is, a text also as the JSON that it holds.
static void test_values(void **state)
{
    (void)state;
    static const struct selection on_object[] = {{"json $.a", "1.50"},
                                                 {"body", "\"{\\\"a\\\":1.50}\""},
                                                 {"status", ""},
                                                 {"header X", ""},
                                                 {"cookie x", ""},
                                                 {"time", ""},
                                                 {"regex [0-9.]+", "\"1.50\""},
                                                 {"size", "10"}};
    static const struct selection on_text[] = {
        {"json $.a", "1"}, {"body", "\"{\\\"a\\\":1}\""}, {"regex \"(.)\"", "\"a\""}};
    static const struct selection on_word[] = {
        {"json $", ""}, {"body", "\"caf\u00e9\""}, {"size", "5"}};
    g_autoptr(value_t) object = value_new(support_parse("{\"a\":1.50}"), false);
    g_autoptr(value_t) text = value_new_text("{\"a\":1}", false);
    g_autoptr(value_t) word = value_new_text("caf\u00e9", false);
    struct subject subject;
    subject_init_value(&subject, object);
    check(&subject, NULL, on_object, G_N_ELEMENTS(on_object));
    subject_clear(&subject);
    subject_init_value(&subject, text);
    check(&subject, NULL, on_text, G_N_ELEMENTS(on_text));
    subject_clear(&subject);
    subject_init_value(&subject, word);
    check(&subject, NULL, on_word, G_N_ELEMENTS(on_word));
    subject_clear(&subject);
    subject_init_value(&subject, NULL);
    assert_null(subject_document(&subject));
    subject_clear(&subject);
}

// Values in holes stand for themselves: they cannot become a part of the query.
static void test_holes(void **state)
{
    (void)state;
    static const struct selection cases[] = {
        {"json $[?@.id=='{{plain}}'].n", "1"},
        {"json $[?@.id=='{{hostile}}'].n", "2"},
        {"json $[?@.id==\"{{hostile}}\"].n", "2"},
        {"json $[{{number}}].n", "1"},
        {"json $[?@.id=='{{number}}'].n", ""},
        {"regex \"id\":\"({{plain}})\"", "\"a\""},
        {"regex {{dots}}", ""},
        {"header {{name}}", "\"/orders/7\""},
        {"cookie s{{plain}}", ""},
    };
    g_autoptr(transfer_response_t) response =
        response_new("[{\"id\":\"a\",\"n\":1},{\"id\":\"x' || '1'=='1\",\"n\":2}]");
    struct values *values = values_new(NULL, "UTC");
    values_set_text(values, "plain", "a", false);
    values_set_text(values, "hostile", "x' || '1'=='1", false);
    values_set_text(values, "dots", ".*", false);
    values_set_text(values, "name", "Location", false);
    values_set(values, "number", value_new(json_new_number("0"), false));
    const struct template_context context = values_context(values, (struct clock_wall){0});
    struct subject subject;
    subject_init_response(&subject, response);
    check(&subject, &context, cases, G_N_ELEMENTS(cases));
    static const char *const faults[] = {"json $.{{none}}", "json $.{{dots}}", "header {{none}}",
                                         "regex ({{none}}", "regex ({{plain}}"};
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autofree char *selected = select_text(faults[i], &subject, &context);
        assert_int_equal(selected[0], '!');
    }
    subject_clear(&subject);
    values_free(values);
}

// Within quotes or without, a value in an XPath stays a value.
static void test_xpath_holes(void **state)
{
    (void)state;
    static const struct selection cases[] = {
        {"xml //i[@id='{{plain}}']", "\"1\""},
        {"xml //i[@id={{plain}}]", "\"1\""},
        {"xml //i[@id='{{hostile}}']", "\"2\""},
        {"xml //i[@id={{hostile}}]", "\"2\""},
        {"xml //i[@id=\"{{hostile}}\"]", "\"2\""},
        {"xml //i[@id='x\"{{quote}}']", "\"3\""},
        {"xml //i[{{number}}]", "\"2\""},
        {"xml //i[@id='{{plain | upper}}']", "\"4\""},
        {"xml //i[@id='{{plain | time: '%Y'}}']", "!"},
        {"xml //i[@id='{{none}}']", "!"},
        {"xml concat({{quote}}, '{{hostile}}')", "\"'x' or '1'='1\""},
        {"html //i[@id='{{plain}}']", "\"1\""},
    };
    g_autoptr(transfer_response_t) response =
        support_response(200,
                         "<r><i id='a'>1</i><i id=\"x' or '1'='1\">2</i>"
                         "<i id='x&quot;&apos;'>3</i><i id='A'>4</i></r>",
                         -1);
    struct values *values = values_new(NULL, "UTC");
    values_set_text(values, "plain", "a", false);
    values_set_text(values, "hostile", "x' or '1'='1", false);
    values_set_text(values, "quote", "'", false);
    values_set(values, "number", value_new(json_new_number("2"), false));
    const struct template_context context = values_context(values, (struct clock_wall){0});
    struct subject subject;
    subject_init_response(&subject, response);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *selected = select_text(cases[i].selector, &subject, &context);
        if (strcmp(cases[i].selected, "!") == 0)
            selected[1] = '\0';
        assert_string_equal(selected, cases[i].selected);
    }
    subject_clear(&subject);
    values_free(values);
}

// XML and pages: read once, whatever charset; other bodies select nothing, and say why.
static void test_markup(void **state)
{
    (void)state;
    static const struct {
        const char *type, *body;
        gssize length;
        const char *selector, *selected, *problem;
    } cases[] = {
        {NULL, "<a><b>1</b></a>", -1, "xml //b", "\"1\"", NULL},
        {NULL, "<a><b>1</b></a>", -1, "xml count(//b)", "1", NULL},
        {NULL, "<a>caf\xE9</a>", -1, "xml /a", "\"café\"", NULL},
        {"text/xml; charset=iso-8859-1", "<a>caf\xE9</a>", -1, "xml /a", "\"café\"", NULL},
        {NULL, "<?xml version='1.0' encoding='windows-1252'?><a>\x80</a>", -1, "xml /a", "\"€\"",
         NULL},
        {NULL, "\xFF\xFE<\0a\0>\0\xE9\0<\0/\0a\0>\0", 18, "xml /a", "\"é\"", NULL},
        {"text/html; charset=iso-8859-1", "<p>caf\xE9", -1, "html //p", "\"café\"", NULL},
        {NULL, "{\"a\":1}", -1, "xml count(//b)", "",
         "not XML: line 1: Start tag expected, '<' not found"},
        {NULL, "", -1, "xml //b", "", "not XML: it is empty"},
        {NULL, "", -1, "html //b", "", "not HTML: it is empty"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(transfer_response_t) response =
            support_response(200, cases[i].body, cases[i].length);
        if (cases[i].type)
            transfer_headers_add(response->headers, "Content-Type", cases[i].type);
        struct subject subject;
        subject_init_response(&subject, response);
        g_autofree char *selected = select_text(cases[i].selector, &subject, NULL);
        assert_string_equal(selected, cases[i].selected);
        enum selector_kind kind = cases[i].selector[0] == 'x' ? SELECTOR_XML : SELECTOR_HTML;
        const char *problem = subject_markup_problem(&subject, kind);
        assert_string_equal(problem ? problem : "", cases[i].problem ? cases[i].problem : "");
        assert_int_equal(subject_is_readable(&subject, kind), problem == NULL);
        subject_clear(&subject);
    }
    g_autoptr(value_t) value = value_new_text("<a><b>1</b></a>", false);
    struct subject subject;
    subject_init_value(&subject, value);
    g_autofree char *selected = select_text("xml //b", &subject, NULL);
    assert_string_equal(selected, "\"1\"");
    subject_clear(&subject);
}

// A hostile body: endless matches end, undecided ones are an error.
static void test_hostile(void **state)
{
    (void)state;
    g_autofree char *body = g_strnfill(100000, 'a');
    g_autoptr(transfer_response_t) response = support_response(200, body, -1);
    struct subject subject;
    subject_init_response(&subject, response);
    struct selector *selector = support_selector("regex a");
    g_autoptr(GPtrArray) found = selector_select(selector, &subject, NULL, NULL);
    assert_int_equal(found->len, 1000);
    selector_free(selector);
    selector = support_selector("regex x*");
    g_autoptr(GPtrArray) empty = selector_select(selector, &subject, NULL, NULL);
    assert_int_equal(empty->len, 1000);
    selector_free(selector);
    subject_clear(&subject);
    body[99999] = '!';
    g_autoptr(value_t) value = value_new_text(body + 99950, false);
    subject_init_value(&subject, value);
    g_autofree char *undecided = select_text("regex ^(a+)+$", &subject, NULL);
    assert_non_null(strstr(undecided, "undecided"));
    subject_clear(&subject);
}

static void test_describe(void **state)
{
    (void)state;
    static const struct selection cases[] = {{"status", "status"},
                                             {"json $.status", "$.status"},
                                             {"header Location", "header Location"},
                                             {"cookie sid", "cookie sid"},
                                             {"regex a b", "regex a b"},
                                             {"xml //a", "//a"},
                                             {"html //a", "//a"},
                                             {"body", "body"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct selector *selector = support_selector(cases[i].selector);
        g_autofree char *words = selector_describe(selector);
        assert_string_equal(words, cases[i].selected);
        selector_free(selector);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_response),  cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_no_answer), cmocka_unit_test(test_values),
        cmocka_unit_test(test_holes),     cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_describe),  cmocka_unit_test(test_xpath_holes),
        cmocka_unit_test(test_markup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
