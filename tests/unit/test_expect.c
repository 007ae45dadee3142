// SPDX-License-Identifier: MIT
// probes/expect and probes/operators: the rules of comparison, and the sentence
// of what does not hold.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#undef expect_value // a macro of cmocka, a function of ours

#include "support_expect.h"

#include "../../probes/expect.h"

static const struct clock_wall now = {INT64_C(1795253400000000)};

// Judges one expectation; NULL: it holds, else its sentence ("!" before a fault).
static char *judge(struct transfer_response *response, struct values *values, const char *selector,
                   const char *checks)
{
    g_autoptr(GPtrArray) expectations = g_ptr_array_new_with_free_func(support_free_expectation);
    support_expect(expectations, selector, checks);
    struct subject subject;
    subject_init_response(&subject, response);
    subject.elapsed_ms = 1500;
    g_autofree char *failed = NULL;
    enum expect_outcome outcome = expect_judge(expectations, &subject, values, now, &failed);
    subject_clear(&subject);
    assert_int_equal(outcome == EXPECT_HOLDS, failed == NULL);
    return outcome == EXPECT_OUR_FAULT ? g_strconcat("!", failed, NULL) : g_steal_pointer(&failed);
}

static const char document[] =
    "{\"status\":\"Open\",\"blank\":\" \",\"empty\":\"\",\"null\":null,\"yes\":true,\"no\":false,"
    "\"n\":12,\"price\":12.10,\"big\":9007199254740993,\"zero\":0,\"text\":\"12\","
    "\"padded\":\"000123\",\"decimal\":\"12.10\",\"spaced\":\" 12\",\"word\":\"true\","
    "\"list\":[1,2,3],\"words\":[\"a\",\"b\"],\"none\":[],\"object\":{\"a\":1},\"nothing\":{},"
    "\"whole\":12.0,\"part\":0.5,\"exp\":1e2,\"multi\":\"a\\nb\",\"uni\":\"caf\u00e9\"}";

static struct transfer_response *response_new(void)
{
    struct transfer_response *response = support_response(201, document, -1);
    transfer_headers_add(response->headers, "X-Count", "7");
    transfer_headers_add(response->headers, "Content-Type", "application/json");
    return response;
}

// Time left is told as people count it.
static void test_certificate(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) response = support_response(200, "", 0);
    g_autoptr(GPtrArray) expectations = g_ptr_array_new_with_free_func(support_free_expectation);
    support_expect(expectations, "certificate", "{\"above\": 2592000000}");
    struct values *values = values_new(NULL, "UTC");
    struct subject subject;
    g_autofree char *none = NULL;
    subject_init_response(&subject, response);
    assert_int_equal(expect_judge(expectations, &subject, values, (struct clock_wall){0}, &none),
                     EXPECT_FAILS);
    assert_string_equal(none, "certificate above 2592000000: selected nothing");
    response->certified = true;
    response->certificate_left_ms = INT64_C(2591999000);
    g_autofree char *short_time = NULL;
    expect_judge(expectations, &subject, values, (struct clock_wall){0}, &short_time);
    assert_string_equal(short_time, "certificate above 2592000000: was 29d23h");
    response->certificate_left_ms = INT64_C(2592000001);
    g_autofree char *long_time = NULL;
    assert_int_equal(
        expect_judge(expectations, &subject, values, (struct clock_wall){0}, &long_time),
        EXPECT_HOLDS);
    subject_clear(&subject);
    values_free(values);
}

static void test_holds(void **state)
{
    (void)state;
    static const struct {
        const char *selector, *checks;
        bool holds;
    } cases[] = {
        {"status", "201", true},
        {"status", "\"2xx\"", true},
        {"status", "\"20x\"", true},
        {"status", "\"4xx\"", false},
        {"status", "{\"one_of\":[200,201]}", true},
        {"status", "{\"one_of\":[400,\"2xx\"]}", true},
        {"status", "{\"one_of\":[400,404]}", false},
        {"status", "{\"not\":404}", true},
        {"status", "{\"not\":\"2XX\"}", false},
        {"status", "{\"at_least\":200,\"below\":300}", true},
        {"time", "{\"below\":1501}", true},
        {"time", "{\"below\":1500}", false},
        {"size", "{\"above\":10}", true},
        {"header X-Count", "7", true},
        {"header X-Count", "\"7\"", true},
        {"header X-Count", "7.0", true},
        {"header X-Count", "{\"above\":6}", true},
        {"header Content-Type", "{\"contains\":\"json\"}", true},
        {"header Missing", "\"x\"", false},
        {"header Missing", "{\"exists\":false}", true},
        // equals: texts, numbers by value, decimals in texts
        {"json $.status", "\"Open\"", true},
        {"json $.status", "\"open\"", false},
        {"json $.status", "{\"equals\":\"Open\"}", true},
        {"json $.n", "12", true},
        {"json $.n", "12.0", true},
        {"json $.n", "\"12\"", false},
        {"json $.text", "12", true},
        {"json $.text", "\"12\"", true},
        {"json $.text", "12.00", true},
        {"json $.text", "\"12.0\"", false},
        {"json $.spaced", "12", false},
        {"json $.padded", "123", true},
        {"json $.padded", "\"123\"", false},
        {"json $.padded", "\"000123\"", true},
        {"json $.price", "12.1", true},
        {"json $.decimal", "12.1", true},
        {"json $.exp", "100", true},
        {"json $.big", "9007199254740993", true},
        {"json $.big", "9007199254740992", false},
        {"json $.yes", "true", true},
        {"json $.yes", "\"true\"", false},
        {"json $.word", "true", false},
        {"json $.null", "null", true},
        {"json $.empty", "null", false},
        {"json $.list", "[1,2.0,3]", true},
        {"json $.list", "[1,2]", false},
        {"json $.missing", "null", false},
        // not
        {"json $.status", "{\"not\":\"Draft\"}", true},
        {"json $.status", "{\"not\":\"Open\"}", false},
        {"json $.status", "{\"not\":{\"matches\":\"^D\"}}", true},
        {"json $.status", "{\"not\":{\"contains\":\"pe\"}}", false},
        {"json $.missing", "{\"not\":\"x\"}", false}, // one at least has to exist
        {"json $.missing", "{\"not\":{\"exists\":true}}", true},
        {"json $.list[*]", "{\"not\":2}", false},
        {"json $.list[*]", "{\"not\":{\"count\":3}}", false},
        {"json $.list[*]", "{\"not\":{\"any\":7}}", true},
        // contains, matches
        {"json $.status", "{\"contains\":\"pe\"}", true},
        {"json $.status", "{\"contains\":\"\"}", true},
        {"json $.list", "{\"contains\":2}", true},
        {"json $.list", "{\"contains\":4}", false},
        {"json $.words", "{\"contains\":\"b\"}", true},
        {"json $.price", "{\"contains\":\"2.10\"}", true},
        {"json $.object", "{\"contains\":\"a\"}", true},
        {"json $.status", "{\"matches\":\"^O\"}", true},
        {"json $.status", "{\"matches\":\"^p\"}", false},
        {"json $.price", "{\"matches\":\"^12\\\\.10$\"}", true},
        {"body", "{\"matches\":\"\\\"status\\\"\"}", true},
        // order
        {"json $.price", "{\"above\":12,\"at_most\":12.10}", true},
        {"json $.price", "{\"above\":12.1}", false},
        {"json $.decimal", "{\"at_least\":\"12.1\"}", true},
        {"json $.big", "{\"above\":9007199254740992}", true},
        {"json $.status", "{\"above\":1}", false},
        {"json $.null", "{\"below\":1}", false},
        // one_of, any, several results
        {"json $.status", "{\"one_of\":[\"Draft\",\"Open\"]}", true},
        {"json $.blank", "{\"one_of\":[\" \",\"_x0020_\"]}", true},
        {"json $.text", "{\"one_of\":[11,12]}", true},
        {"json $.list[*]", "{\"above\":0}", true},
        {"json $.list[*]", "{\"above\":1}", false},
        {"json $.list[*]", "{\"any\":{\"above\":2}}", true},
        {"json $.list[*]", "{\"any\":{\"above\":1,\"below\":2}}", false},
        {"json $.list[*]", "{\"any\":2}", true},
        {"json $.none[*]", "{\"any\":2}", false},
        {"json $.none[*]", "{\"above\":0}", false},
        // count, length
        {"json $.list[*]", "{\"count\":3}", true},
        {"json $.list[*]", "{\"count\":{\"above\":2,\"below\":4}}", true},
        {"json $.none[*]", "{\"count\":0}", true},
        {"json $.missing", "{\"count\":{\"at_most\":0}}", true},
        {"json $.list", "{\"count\":3}", false},
        {"json $.list", "{\"length\":3}", true},
        {"json $.uni", "{\"length\":4}", true},
        {"json $.object", "{\"length\":1}", true},
        {"json $.status", "{\"length\":{\"one_of\":[3,4]}}", true},
        {"json $.none", "{\"length\":0}", true},
        {"json $.n", "{\"length\":2}", false},
        {"json $.missing", "{\"length\":0}", false},
        // exists, empty, type
        {"json $.null", "{\"exists\":true}", true},
        {"json $.missing", "{\"exists\":true}", false},
        {"json $.missing", "{\"exists\":false}", true},
        {"json $.none[*]", "{\"exists\":false}", true},
        {"json $.empty", "{\"empty\":true}", true},
        {"json $.null", "{\"empty\":true}", true},
        {"json $.none", "{\"empty\":true}", true},
        {"json $.nothing", "{\"empty\":true}", true},
        {"json $.blank", "{\"empty\":true}", false},
        {"json $.zero", "{\"empty\":true}", false},
        {"json $.no", "{\"empty\":false}", true},
        {"json $.status", "{\"empty\":false}", true},
        {"json $.missing", "{\"empty\":true}", false},
        {"json $.status", "{\"type\":\"string\"}", true},
        {"json $.n", "{\"type\":\"integer\"}", true},
        {"json $.n", "{\"type\":\"number\"}", true},
        {"json $.whole", "{\"type\":\"integer\"}", true},
        {"json $.part", "{\"type\":\"integer\"}", false},
        {"json $.text", "{\"type\":\"integer\"}", false},
        {"json $.no", "{\"type\":\"boolean\"}", true},
        {"json $.null", "{\"type\":\"null\"}", true},
        {"json $.null", "{\"type\":[\"string\",\"null\"]}", true},
        {"json $.list", "{\"type\":\"array\"}", true},
        {"json $.object", "{\"type\":\"object\"}", true},
        {"json $.object", "{\"type\":\"array\"}", false},
    };
    g_autoptr(transfer_response_t) response = response_new();
    struct values *values = values_new(NULL, "UTC");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *failed = judge(response, values, cases[i].selector, cases[i].checks);
        if ((failed == NULL) != cases[i].holds)
            fail_msg("%s %s: %s", cases[i].selector, cases[i].checks, failed ? failed : "holds");
    }
    values_free(values);
}

static void test_sentences(void **state)
{
    (void)state;
    static const struct {
        const char *selector, *checks, *sentence;
    } cases[] = {
        {"json $.status", "\"Draft\"", "$.status equals Draft: was Open"},
        {"status", "\"4xx\"", "status equals 4xx: was 201"},
        {"status", "{\"one_of\":[400,404]}", "status one_of [400,404]: was 201"},
        {"time", "{\"below\":1000}", "time below 1000: was 1500 ms"},
        {"header X-Count", "{\"above\":8}", "header X-Count above 8: was \"7\""},
        {"json $.missing", "\"x\"", "$.missing equals x: selected nothing"},
        {"json $.n", "\"12\"", "$.n equals \"12\": was 12"},
        {"json $.yes", "\"true\"", "$.yes equals \"true\": was true"},
        {"json $.word", "true", "$.word equals true: was \"true\""},
        {"json $.empty", "\"x\"", "$.empty equals x: was \"\""},
        {"json $.null", "\"x\"", "$.null equals x: was null"},
        {"json $.price", "12.2", "$.price equals 12.2: was 12.10"},
        {"json $.list", "[1]", "$.list equals [1]: was [1,2,3]"},
        {"json $.multi", "\"x\"", "$.multi equals x: was a\\nb"},
        {"json $.list[*]", "{\"below\":3}", "$.list[*] below 3: was 3 (number 3 of 3)"},
        {"json $.list[*]", "{\"count\":{\"above\":3,\"not\":9}}",
         "$.list[*] count above 3, not 9: selected 3"},
        {"json $.none[*]", "{\"count\":1}", "$.none[*] count 1: selected 0"},
        {"json $.words[*]", "{\"any\":\"c\"}", "$.words[*] any c: was a, b"},
        {"json $.status", "{\"exists\":false}", "$.status exists false: was Open"},
        {"json $.status", "{\"matches\":\"^D\"}", "$.status matches ^D: was Open"},
        {"json $.status", "{\"length\":5}", "$.status length 5: was 4"},
        {"json $.n", "{\"length\":5}", "$.n length 5: was 12"},
        {"json $.status", "{\"not\":{\"one_of\":[\"Open\"]}}",
         "$.status not one_of [\"Open\"]: was Open"},
        {"json $.status", "\"{{word}}\"", "$.status equals abc: was Open"},
        {"json $.n", "{\"above\":\"{{twenty}}\"}", "$.n above 20: was 12"},
        {"json $.status", "{\"matches\":\"^{{word}}$\"}", "$.status matches ^abc$: was Open"},
        {"json $.list", "{\"length\":{\"above\":\"{{twenty}}\"}}",
         "$.list length above \"20\": was 3"},
        {"json $.status", "{\"not\":{\"matches\":\"{{word}}|Op{{key}}en|Open\"}}",
         "$.status not matches {{word}}|Op{{key}}en|Open: was Open"},
        {"json $.status", "\"{{key}}\"", "$.status equals {{key}}: was Open"},
        {"json $.status", "\"{{none}}\"", NULL},
        {"json $.status", "{\"above\":\"{{word}}\"}",
         "!$.status cannot be judged: only numbers are above or below each other, not abc"},
        {"json $.status", "{\"matches\":\"({{word}}\"}", NULL},
    };
    g_autoptr(transfer_response_t) response = response_new();
    struct values *values = values_new(NULL, "UTC");
    values_set_text(values, "word", "abc", false);
    values_set_text(values, "key", "s3cr3t", true);
    values_set(values, "twenty", value_new(json_new_number("20"), false));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *failed = judge(response, values, cases[i].selector, cases[i].checks);
        assert_non_null(failed);
        if (cases[i].sentence)
            assert_string_equal(failed, cases[i].sentence);
        else
            assert_true(g_str_has_prefix(failed, "!$.status cannot be judged: "));
    }
    values_free(values);
}

// A long, hostile value is cut and stays one line of valid text.
static void test_long_values(void **state)
{
    (void)state;
    g_autoptr(GString) body = g_string_new("{\"m\":\"\\r\\nBcc: x\\u001b[31m");
    for (int i = 0; i < 5000; i++)
        g_string_append(body, "\u00e9");
    g_string_append(body, "\"}");
    g_autoptr(transfer_response_t) response = support_response(200, body->str, -1);
    struct values *values = values_new(NULL, "UTC");
    g_autofree char *failed = judge(response, values, "json $.m", "\"x\"");
    assert_true(g_utf8_validate(failed, -1, NULL));
    assert_true(g_utf8_strlen(failed, -1) < 160);
    assert_true(g_str_has_prefix(failed, "$.m equals x: was \\r\\nBcc: x?[31m\u00e9"));
    assert_true(g_str_has_suffix(failed, "\u00e9…"));
    g_autoptr(transfer_response_t) many = support_response(200, "[]", -1);
    g_autoptr(GString) list = g_string_new("[0");
    for (int i = 1; i < 5000; i++)
        g_string_append_printf(list, ",%d", i);
    g_string_append(list, "]");
    g_bytes_unref(many->body);
    many->body = g_bytes_new(list->str, list->len);
    g_autofree char *any = judge(many, values, "json $[*]", "{\"any\":-1}");
    assert_true(g_utf8_strlen(any, -1) < 160);
    values_free(values);
}

static void test_not_json(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) response = support_response(200, "<html>", -1);
    struct values *values = values_new(NULL, "UTC");
    g_autofree char *failed = judge(response, values, "json $.a", "1");
    assert_string_equal(failed, "$.a equals 1: it is not JSON");
    g_autofree char *none = judge(response, values, "json $.a", "{\"exists\":false}");
    assert_null(none);
    values_free(values);
}

// Values in operands keep their type; in patterns they stand for themselves.
static void test_holes(void **state)
{
    (void)state;
    static const struct {
        const char *selector, *checks;
        bool holds;
    } cases[] = {
        {"json $.status", "\"{{open}}\"", true},
        {"json $.status", "\"Op{{rest}}\"", true},
        {"json $.n", "\"{{twelve}}\"", true},
        {"json $.n", "\"{{twelve_text}}\"", false},
        {"json $.text", "\"{{twelve}}\"", true},
        {"json $.text", "\"{{twelve_text}}\"", true},
        {"json $.status", "{\"one_of\":[\"Draft\",\"{{open}}\"]}", true},
        {"json $.status", "{\"matches\":\"^{{open}}$\"}", true},
        {"json $.status", "{\"matches\":\"^{{dots}}$\"}", false},
        {"json $.price", "{\"above\":\"{{twelve}}\"}", true},
        {"json $.list", "{\"length\":{\"below\":\"{{twelve}}\"}}", true},
    };
    g_autoptr(transfer_response_t) response = response_new();
    struct values *values = values_new(NULL, "UTC");
    values_set_text(values, "open", "Open", false);
    values_set_text(values, "rest", "en", false);
    values_set_text(values, "dots", "....", false);
    values_set_text(values, "twelve_text", "12", false);
    values_set(values, "twelve", value_new(json_new_number("12"), false));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *failed = judge(response, values, cases[i].selector, cases[i].checks);
        if ((failed == NULL) != cases[i].holds)
            fail_msg("%s %s: %s", cases[i].selector, cases[i].checks, failed ? failed : "holds");
    }
    values_free(values);
}

// Captured values are judged with `from`; the first that fails is told.
static void test_from_and_order(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) response = response_new();
    struct values *values = values_new(NULL, "UTC");
    values_set(values, "cart", value_new(support_parse("{\"total\":12.10}"), false));
    g_autoptr(GPtrArray) expectations = g_ptr_array_new_with_free_func(support_free_expectation);
    assert_false(expect_names_status(expectations));
    support_expect(expectations, "json $.total", "12.1")->from = g_strdup("cart");
    assert_false(expect_names_status(expectations));
    support_expect(expectations, "status", "201");
    assert_true(expect_names_status(expectations));
    struct subject subject;
    subject_init_response(&subject, response);
    char *failed = NULL;
    assert_int_equal(expect_judge(expectations, &subject, values, now, &failed), EXPECT_HOLDS);
    assert_null(failed);
    support_expect(expectations, "json $.total", "13")->from = g_strdup("cart");
    support_expect(expectations, "status", "500");
    assert_int_equal(expect_judge(expectations, &subject, values, now, &failed), EXPECT_FAILS);
    assert_string_equal(failed, "$.total from cart equals 13: was 12.10");
    g_free(failed);
    g_ptr_array_set_size(expectations, 0);
    support_expect(expectations, "body", "\"x\"")->from = g_strdup("none");
    assert_int_equal(expect_judge(expectations, &subject, values, now, &failed), EXPECT_FAILS);
    g_free(failed);
    subject_clear(&subject);
    values_free(values);
}

// `only_if`: without the value, or with another one, nothing is judged.
static void test_only_if(void **state)
{
    (void)state;
    g_autoptr(transfer_response_t) response = response_new();
    struct values *values = values_new(NULL, "UTC");
    g_autoptr(GPtrArray) expectations = g_ptr_array_new_with_free_func(support_free_expectation);
    struct expectation *expectation =
        support_expect(expectations, "json $.status", "\"{{wanted}}\"");
    g_autoptr(cJSON) condition = support_parse("{\"empty\":false}");
    static const struct {
        const char *wanted;
        enum expect_outcome outcome;
    } cases[] = {
        {NULL, EXPECT_HOLDS}, {"", EXPECT_HOLDS}, {"Open", EXPECT_HOLDS}, {"Draft", EXPECT_FAILS}};
    expectation->only_if_name = g_strdup("wanted");
    expectation->only_if = support_checks(condition);
    struct subject subject;
    subject_init_response(&subject, response);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *failed = NULL;
        if (cases[i].wanted)
            values_set_text(values, "wanted", cases[i].wanted, false);
        assert_int_equal(expect_judge(expectations, &subject, values, now, &failed),
                         cases[i].outcome);
    }
    subject_clear(&subject);
    values_free(values);
}

static void test_value(void **state)
{
    (void)state;
    static const struct {
        const char *checks, *value; // NULL: the name has no value
        bool holds;
    } cases[] = {
        {"{\"exists\":true}", "\"x\"", true},
        {"{\"exists\":true}", NULL, false},
        {"{\"exists\":false}", NULL, true},
        {"\"x\"", "\"x\"", true},
        {"\"x\"", "\"y\"", false},
        {"{\"above\":3}", "4", true},
        {"{\"above\":3}", NULL, false},
        {"\"{{none}}\"", "\"x\"", false},
        {"{\"type\":\"null\"}", "null", true},
    };
    struct values *values = values_new(NULL, "UTC");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(cJSON) json = support_parse(cases[i].checks);
        g_autoptr(GPtrArray) checks = support_checks(json);
        g_autoptr(value_t) value =
            cases[i].value ? value_new(support_parse(cases[i].value), false) : NULL;
        assert_int_equal(expect_value(checks, value, values, now), cases[i].holds);
    }
    values_free(values);
}

// A pattern that cannot be decided is our fault, not the target's.
static void test_undecided(void **state)
{
    (void)state;
    g_autofree char *body = g_strnfill(60, 'a');
    body[59] = '!';
    g_autoptr(transfer_response_t) response = support_response(200, body, -1);
    struct values *values = values_new(NULL, "UTC");
    g_autofree char *failed = judge(response, values, "body", "{\"matches\":\"^(a+)+$\"}");
    assert_true(g_str_has_prefix(failed, "!body cannot be judged: "));
    g_autofree char *negated =
        judge(response, values, "body", "{\"not\":{\"matches\":\"^(a+)+$\"}}");
    assert_true(g_str_has_prefix(negated, "!body cannot be judged: "));
    values_free(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds),       cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_long_values), cmocka_unit_test(test_not_json),
        cmocka_unit_test(test_holes),       cmocka_unit_test(test_from_and_order),
        cmocka_unit_test(test_only_if),     cmocka_unit_test(test_value),
        cmocka_unit_test(test_certificate), cmocka_unit_test(test_undecided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
