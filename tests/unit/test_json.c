// SPDX-License-Identifier: MIT
// base/json: what is JSON and what is not, digits kept, printing, comparing.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../base/json.h"
#include "../../base/value.h"

#include <math.h>
#include <string.h>

// A tree of its own, which has to be as the one in an arena is.
static cJSON *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(arena_t) arena = arena_new(512);
    cJSON *tree = json_parse(text, strlen(text), &error);
    if (!tree)
        fail_msg("%s: %s", text, error->message);
    assert_null(error);
    g_autofree char *printed = json_print(tree, false);
    g_autofree char *other = json_print(json_parse_into(arena, text, strlen(text), NULL), false);
    assert_string_equal(other, printed);
    return tree;
}

// What is read is printed again like this; NULL: unchanged.
static void test_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"null", NULL},
        {"true", NULL},
        {" false\t\r\n", "false"},
        {"\xEF\xBB\xBF{}", "{}"},
        {"[]", NULL},
        {"[ ]", "[]"},
        {"{ \"a\" : [ 1 , 2 ] }", "{\"a\":[1,2]}"},
        {"0", NULL},
        {"-0", NULL},
        {"12.10", NULL},
        {"9007199254740993", NULL},
        {"-123456789012345678901234567890.010", NULL},
        {"1e400", NULL},
        {"1E+2", NULL},
        {"0.000000000000000000000000000000000000000000000000000000000000000000000000000001", NULL},
        {"1111111111111111111111111111111111111111111111111111111111111111111111111111", NULL},
        {"\"\"", NULL},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {"\"\\u00e9\\u20AC\\ud83d\\ude00\"", "\"é€😀\""},
        {"\"é€😀\"", NULL},
        {"\"\\u001f\"", NULL},
        {"\"\x7f\"", NULL},
        {"\"a\\u0000b\"", "\"a\uFFFDb\""},
        {"{\"a\\u0000\":1}", "{\"a\uFFFD\":1}"},
        {"\"\\ud800\"", "\"\uFFFD\""},
        {"\"\\ud800x\"", "\"\uFFFDx\""},
        {"\"\\ud800\\ud800\\udc00\"", "\"\uFFFD\U00010000\""},
        {"\"\\udc00\"", "\"\uFFFD\""},
        {"{\"a\":1,\"a\":2,\"A\":3}", NULL},
        {"[[[[[[]]]],{\"\":{}}]]", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(cJSON) tree = parse(cases[i].text);
        g_autofree char *printed = json_print(tree, false);
        assert_string_equal(printed, cases[i].printed ? cases[i].printed : cases[i].text);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum json_error code;
        const char *part; // of the message
    } cases[] = {
        {"", JSON_ERROR_SYNTAX, "line 1, column 1: it ends"},
        {"   ", JSON_ERROR_SYNTAX, "it ends"},
        {"\xEF\xBB\xBF", JSON_ERROR_SYNTAX, "it ends"},
        {"{} x", JSON_ERROR_SYNTAX, "column 4: there is text behind"},
        {"{}{}", JSON_ERROR_SYNTAX, "there is text behind"},
        {"nul", JSON_ERROR_SYNTAX, "a value"},
        {"nullx", JSON_ERROR_SYNTAX, "behind"},
        {"True", JSON_ERROR_SYNTAX, "a value"},
        {"NaN", JSON_ERROR_SYNTAX, "a value"},
        {"Infinity", JSON_ERROR_SYNTAX, "a value"},
        {"-Infinity", JSON_ERROR_SYNTAX, "a digit"},
        {"01", JSON_ERROR_SYNTAX, "begin with 0"},
        {"-01", JSON_ERROR_SYNTAX, "begin with 0"},
        {"1.", JSON_ERROR_SYNTAX, "a digit"},
        {".5", JSON_ERROR_SYNTAX, "a value"},
        {"1e", JSON_ERROR_SYNTAX, "a digit"},
        {"1e+", JSON_ERROR_SYNTAX, "a digit"},
        {"-", JSON_ERROR_SYNTAX, "a digit"},
        {"+1", JSON_ERROR_SYNTAX, "a value"},
        {"--1", JSON_ERROR_SYNTAX, "a digit"},
        {"0x10", JSON_ERROR_SYNTAX, "behind"},
        {"1_000", JSON_ERROR_SYNTAX, "behind"},
        {"[1,]", JSON_ERROR_SYNTAX, "a value"},
        {"[,1]", JSON_ERROR_SYNTAX, "a value"},
        {"[1 2]", JSON_ERROR_SYNTAX, "comma or ]"},
        {"[1}", JSON_ERROR_SYNTAX, "comma or ]"},
        {"[", JSON_ERROR_SYNTAX, "it ends"},
        {"[1", JSON_ERROR_SYNTAX, "comma or ]"},
        {"{\"a\":1,}", JSON_ERROR_SYNTAX, "a key"},
        {"{\"a\" 1}", JSON_ERROR_SYNTAX, "a colon"},
        {"{\"a\":}", JSON_ERROR_SYNTAX, "a value"},
        {"{\"a\":1 \"b\":2}", JSON_ERROR_SYNTAX, "comma or }"},
        {"{a:1}", JSON_ERROR_SYNTAX, "a key"},
        {"{'a':1}", JSON_ERROR_SYNTAX, "a key"},
        {"{\"a", JSON_ERROR_SYNTAX, "a quote is missing"},
        {"'x'", JSON_ERROR_SYNTAX, "a value"},
        {"\"x", JSON_ERROR_SYNTAX, "a quote is missing"},
        {"\"x\\", JSON_ERROR_SYNTAX, "no such escape"},
        {"\"x\\\"", JSON_ERROR_SYNTAX, "a quote is missing"},
        {"\"\\x41\"", JSON_ERROR_SYNTAX, "no such escape"},
        {"\"\\u12\"", JSON_ERROR_SYNTAX, "four hexadecimal"},
        {"\"\\uZZZZ\"", JSON_ERROR_SYNTAX, "four hexadecimal"},
        {"\"\\u", JSON_ERROR_SYNTAX, "four hexadecimal"},
        {"\"a\nb\"", JSON_ERROR_SYNTAX, "control character"},
        {"\"a\tb\"", JSON_ERROR_SYNTAX, "control character"},
        {"\"a\x01\"", JSON_ERROR_SYNTAX, "control character"},
        {"\x01{}", JSON_ERROR_SYNTAX, "a value"},
        {"{}\f", JSON_ERROR_SYNTAX, "behind"},
        {"/* c */ 1", JSON_ERROR_SYNTAX, "a value"},
        {"1 // c", JSON_ERROR_SYNTAX, "behind"},
        {"[1,\n  2,\n  x]", JSON_ERROR_SYNTAX, "line 3, column 3"},
        {"\"caf\xE9\"", JSON_ERROR_ENCODING, "line 1, column 5: a byte is not UTF-8"},
        {"\"\xC0\x80\"", JSON_ERROR_ENCODING, "UTF-8"},
        {"\"\xED\xA0\x80\"", JSON_ERROR_ENCODING, "UTF-8"},
        {"\"\xF5\x80\x80\x80\"", JSON_ERROR_ENCODING, "UTF-8"},
        {"\xFF\xFE{", JSON_ERROR_ENCODING, "UTF-8"},
        {"<html>", JSON_ERROR_SYNTAX, "a value"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(arena_t) arena = arena_new(512);
        assert_null(json_parse_into(arena, cases[i].text, strlen(cases[i].text), NULL));
        assert_null(json_parse(cases[i].text, strlen(cases[i].text), &error));
        assert_non_null(error);
        if (!g_error_matches(error, JSON_ERROR, (int)cases[i].code) ||
            !strstr(error->message, cases[i].part))
            fail_msg("%s: %s", cases[i].text, error->message);
    }
}

// A text is not looked at behind its length, and a NUL in it is an error.
static void test_length(void **state)
{
    (void)state;
    static const char *const whole[] = {"[1,2]", "\"\\ud83d\\ude00\"", "{\"a\":-12.5e+3}",
                                        "truefalse"};
    for (size_t i = 0; i < G_N_ELEMENTS(whole); i++)
        for (size_t length = 0; length < strlen(whole[i]); length++) {
            // An exact heap copy, so that a sanitizer sees a read behind the end.
            g_autofree char *part = g_memdup2(whole[i], length ? length : 1);
            g_autoptr(cJSON) tree = json_parse(part, length, NULL);
            assert_true(!tree || (i == 3 && length == 4));
        }
    assert_null(json_parse("[1]\0", 4, NULL));
    assert_null(json_parse("\"a\0b\"", 5, NULL));
    assert_null(json_parse("\"\xC3\xA9\0b\"", 6, NULL));
}

// Texts are read eight bytes at a time: what is special is seen wherever it stands, behind
// bytes that differ from it by one bit alike.
static void test_special_places(void **state)
{
    (void)state;
    static const char *const plains[] = {"!", "#", "[", "]", " ", "\x7f", "\xC2\xA2"};
    for (size_t k = 0; k < G_N_ELEMENTS(plains); k++) {
        for (size_t place = 0; place < 20; place++) {
            g_autoptr(GString) before = g_string_new(NULL);
            for (size_t i = 0; i < place; i++)
                g_string_append(before, plains[k]);
            g_autofree char *text = g_strdup_printf("\"%s\\n%s\"", before->str, before->str);
            g_autofree char *meant = g_strdup_printf("%s\n%s", before->str, before->str);
            g_autofree char *raw = g_strdup_printf("\"%s\x1f%s\"", before->str, before->str);
            g_autoptr(cJSON) tree = parse(text);
            assert_string_equal(tree->valuestring, meant);
            assert_null(json_parse(raw, strlen(raw), NULL));
        }
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (size_t depth = 999; depth <= 1001; depth++) {
        g_autofree char *text = g_malloc(2 * depth);
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        g_autoptr(GError) error = NULL;
        g_autoptr(cJSON) tree = json_parse(text, 2 * depth, &error);
        assert_int_equal(tree != NULL, depth <= 1000);
        assert_int_equal(g_error_matches(error, JSON_ERROR, JSON_ERROR_DEPTH), depth > 1000);
    }
    g_autofree char *bomb = g_strnfill(3000000, '[');
    assert_null(json_parse(bomb, 3000000, NULL));
    g_autoptr(GString) objects = g_string_new(NULL);
    for (int i = 0; i < 100000; i++)
        g_string_append(objects, "{\"a\":");
    assert_null(json_parse(objects->str, objects->len, NULL));
}

static void test_doubles(void **state)
{
    (void)state;
    static const char *const literals[] = {"0",
                                           "-0",
                                           "1",
                                           "-17",
                                           "0.1",
                                           "12.10",
                                           "123456789012345",
                                           "0.000000000000001",
                                           "1.7976931348623157e308",
                                           "1e400",
                                           "-1e400",
                                           "1e-400",
                                           "999999999999.99",
                                           "9007199254740993",
                                           "0.3",
                                           "-2.5",
                                           "3000000000"};
    for (size_t i = 0; i < G_N_ELEMENTS(literals); i++) {
        g_autoptr(cJSON) number = parse(literals[i]);
        double expected = g_ascii_strtod(literals[i], NULL);
        assert_memory_equal(&number->valuedouble, &expected, sizeof expected);
    }
    g_autoptr(cJSON) large = parse("3000000000");
    assert_int_equal(large->valueint, INT_MAX);
}

static void test_members(void **state)
{
    (void)state;
    g_autoptr(cJSON) tree = parse("{\"a\":\"x\",\"a\":\"y\",\"A\":\"z\",\"id\":9007199254740993,"
                                  "\"f\":1.5,\"e\":1e3,\"w\":12.0,\"h\":1e300,\"n\":null}");
    assert_string_equal(json_text(tree, "a"), "x");
    assert_string_equal(json_text(tree, "A"), "z");
    assert_null(json_text(tree, "id"));
    assert_null(json_text(tree, "missing"));
    assert_null(json_member(NULL, "a"));
    assert_null(json_member(json_member(tree, "a"), "a"));
    assert_true(json_integer(tree, "id", -1) == INT64_C(9007199254740993));
    assert_int_equal(json_integer(tree, "f", -1), -1);
    assert_int_equal(json_integer(tree, "e", -1), 1000);
    assert_int_equal(json_integer(tree, "w", -1), 12);
    assert_int_equal(json_integer(tree, "h", -1), -1);
    assert_int_equal(json_integer(tree, "n", -1), -1);
    assert_int_equal(json_integer(tree, "a", -1), -1);
}

static void test_building(void **state)
{
    (void)state;
    g_autoptr(cJSON) object = cJSON_CreateObject();
    json_add_text(object, "text", "a\"b\n\x1f");
    json_add_text(object, "none", NULL);
    json_add_integer(object, "big", INT64_MAX);
    json_add_integer(object, "small", INT64_MIN);
    cJSON_AddNumberToObject(object, "double", 0.5);
    cJSON_AddNumberToObject(object, "int", -3);
    cJSON_AddNumberToObject(object, "nan", NAN);
    cJSON_AddItemToObject(object, "kept", json_new_number("12.10"));
    cJSON_AddItemToObject(object, "bytes", cJSON_CreateString("caf\xE9"));
    cJSON_AddItemToObject(object, "raw", cJSON_CreateRaw("[1]"));
    cJSON_AddItemToObject(object, "flag", cJSON_CreateTrue());
    g_autofree char *printed = json_print(object, false);
    assert_string_equal(printed, "{\"text\":\"a\\\"b\\n\\u001f\",\"none\":null,"
                                 "\"big\":9223372036854775807,\"small\":-9223372036854775808,"
                                 "\"double\":0.5,\"int\":-3,\"nan\":null,\"kept\":12.10,"
                                 "\"bytes\":\"caf\uFFFD\",\"raw\":[1],\"flag\":true}");
    g_autofree char *nothing = json_print(NULL, false);
    assert_string_equal(nothing, "null");
    g_autoptr(cJSON) copy = cJSON_Duplicate(object, true);
    g_autofree char *again = json_print(copy, false);
    assert_string_equal(again, printed);
}

static void test_indented(void **state)
{
    (void)state;
    g_autoptr(cJSON) tree = parse("{\"a\":[1,{\"b\":[]}],\"c\":{}}");
    g_autofree char *printed = json_print(tree, true);
    assert_string_equal(printed, "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n"
                                 "  \"c\": {}\n}");
}

static void test_is_number(void **state)
{
    (void)state;
    static const char *const yes[] = {"0", "-0", "1", "10", "-1.5", "1e5", "1E-05", "0.10"};
    static const char *const no[] = {"",   "-",  "01", "-01", "000123", "0x1F", "1.",
                                     ".5", "+1", "1e", "1 ",  " 1",     "1a"};
    for (size_t i = 0; i < G_N_ELEMENTS(yes); i++)
        assert_true(json_is_number(yes[i]));
    for (size_t i = 0; i < G_N_ELEMENTS(no); i++)
        assert_false(json_is_number(no[i]));
}

static void test_equal(void **state)
{
    (void)state;
    static const struct {
        const char *left, *right;
        bool equal;
    } cases[] = {
        {"1", "1.0", true},
        {"1e2", "100", true},
        {"9007199254740993", "9007199254740992", false},
        {"0", "-0.0", true},
        {"1", "\"1\"", false},
        {"null", "false", false},
        {"null", "null", true},
        {"true", "true", true},
        {"true", "false", false},
        {"\"a\"", "\"a\"", true},
        {"\"a\"", "\"A\"", false},
        {"[1,2]", "[1,2]", true},
        {"[1,2]", "[2,1]", false},
        {"[1,2]", "[1]", false},
        {"[1]", "[1,2]", false},
        {"[]", "{}", false},
        {"{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1.0}", true},
        {"{\"a\":1,\"b\":2}", "{\"a\":1}", false},
        {"{\"a\":1}", "{\"b\":1}", false},
        {"{\"a\":[{\"b\":null}]}", "{\"a\":[{\"b\":null}]}", true},
        {"{\"a\":[{\"b\":null}]}", "{\"a\":[{\"b\":0}]}", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(cJSON) left = parse(cases[i].left);
        g_autoptr(cJSON) right = parse(cases[i].right);
        assert_int_equal(json_equal(left, right), cases[i].equal);
        assert_int_equal(json_equal(right, left), cases[i].equal);
        assert_true(json_equal(left, left));
    }
}

// A large object is compared in time that grows with its size, in any order.
static void test_equal_large(void **state)
{
    (void)state;
    g_autoptr(cJSON) up = cJSON_CreateObject();
    g_autoptr(cJSON) down = cJSON_CreateObject();
    for (int i = 0; i < 20000; i++) {
        g_autofree char *key_up = g_strdup_printf("k%d", i);
        g_autofree char *key_down = g_strdup_printf("k%d", 19999 - i);
        cJSON_AddNumberToObject(up, key_up, i);
        cJSON_AddNumberToObject(down, key_down, 19999 - i);
    }
    assert_true(json_equal(up, down));
    cJSON_ReplaceItemInObjectCaseSensitive(down, "k7", cJSON_CreateString("7"));
    assert_false(json_equal(up, down));
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
        bool empty;
    } cases[] = {
        {"\"000123\"", "000123", false},
        {"\"\"", "", true},
        {"\" \"", " ", false},
        {"12.10", "12.10", false},
        {"true", "true", false},
        {"null", "null", true},
        {"[1, \"a\"]", "[1,\"a\"]", false},
        {"{}", "{}", false},
        {"0", "0", false},
        {"9007199254740993", "9007199254740993", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(value_t) value = value_new(parse(cases[i].json), true);
        g_autofree char *text = value_to_text(value);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(value_is_empty(value), cases[i].empty);
        assert_true(value->secret);
    }
    g_autoptr(value_t) text = value_new_text("x", false);
    assert_false(text->secret);
    assert_true(value_is_empty(NULL));
    g_autofree char *nothing = value_to_text(NULL);
    assert_string_equal(nothing, "");
    value_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_length),         cmocka_unit_test(test_depth),
        cmocka_unit_test(test_doubles),        cmocka_unit_test(test_members),
        cmocka_unit_test(test_building),       cmocka_unit_test(test_indented),
        cmocka_unit_test(test_is_number),      cmocka_unit_test(test_equal),
        cmocka_unit_test(test_equal_large),    cmocka_unit_test(test_values),
        cmocka_unit_test(test_special_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
