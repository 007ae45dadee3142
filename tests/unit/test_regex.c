// SPDX-License-Identifier: MIT
// base/regex: matching, groups, limits.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../base/regex.h"

#include <string.h>

static struct regex *compile(const char *pattern, enum regex_flags flags)
{
    g_autoptr(GError) error = NULL;
    struct regex *regex = regex_compile(pattern, flags, &error);
    if (!regex)
        fail_msg("%s: %s", pattern, error->message);
    return regex;
}

static void test_match(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        enum regex_flags flags;
        const char *subject;
        const char *first, *group; // NULL: no match; no such group
    } cases[] = {
        {"b+", REGEX_PLAIN, "abbbc", "bbb", NULL},
        {"^C", REGEX_PLAIN, "C001", "C", NULL},
        {"^C", REGEX_PLAIN, "xC", NULL, NULL},
        {"id=(\\d+)", REGEX_PLAIN, "x id=42;", "id=42", "42"},
        {"(a)|b", REGEX_PLAIN, "b", "b", NULL},
        {"error", REGEX_CASELESS, "An ERROR", "ERROR", NULL},
        {"é", REGEX_CASELESS, "CAFÉ", "É", NULL},
        {"a.c", REGEX_WHOLE, "abc", "abc", NULL},
        {"a.c", REGEX_WHOLE, "abcd", NULL, NULL},
        {"a|abcd", REGEX_WHOLE, "abcd", "abcd", NULL},
        {"^.$", REGEX_PLAIN, "€", "€", NULL},
        {"ERROR gr\u00fc", REGEX_PLAIN, "caf\xE9 ERROR gr\u00fcn", "ERROR gr\u00fc", NULL},
        {"", REGEX_PLAIN, "", "", NULL},
        {"a\\Kb", REGEX_PLAIN, "ab", "b", NULL},
        {"verrouill\\S* par", REGEX_CASELESS, "est verrouillée par", "verrouillée par", NULL},
        {"\\D+", REGEX_PLAIN, "12é€3", "é€", NULL},
        {"\\w+", REGEX_PLAIN, "  gestört.", "gestört", NULL},
        {"\\bétat\\b", REGEX_PLAIN, "son état ouvert", "état", NULL},
        {"\\bher\\b", REGEX_PLAIN, "höher", NULL, NULL},
        {"\\S+ ERROR", REGEX_PLAIN, "caf\xE9 é ERROR", "é ERROR", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(regex_compiled_t) regex = compile(cases[i].pattern, cases[i].flags);
        g_autoptr(GPtrArray) groups = NULL;
        g_autoptr(GError) error = NULL;
        const char *subject = cases[i].subject;
        bool found = regex_match(regex, subject, strlen(subject), 0, &groups, &error);
        assert_null(error);
        assert_int_equal(found, cases[i].first != NULL);
        assert_int_equal(regex_match(regex, subject, strlen(subject), 0, NULL, NULL), found);
        assert_int_equal(groups != NULL, found);
        if (!found)
            continue;
        assert_string_equal(g_ptr_array_index(groups, 0), cases[i].first);
        const char *group = groups->len > 1 ? g_ptr_array_index(groups, 1) : NULL;
        assert_int_equal(group != NULL, cases[i].group != NULL);
        if (group)
            assert_string_equal(group, cases[i].group);
    }
}

static void test_offset(void **state)
{
    (void)state;
    g_autoptr(regex_compiled_t) regex = compile("a", REGEX_PLAIN);
    assert_true(regex_match(regex, "ab", 2, 0, NULL, NULL));
    assert_false(regex_match(regex, "ab", 2, 1, NULL, NULL));
    assert_false(regex_match(regex, "ab", 2, 2, NULL, NULL));
    g_autoptr(GPtrArray) groups = NULL;
    assert_false(regex_match(regex, "ab", 2, 3, &groups, NULL));
    assert_null(groups);
    assert_false(regex_match(regex, "ba", 1, 0, NULL, NULL)); // not behind the length
}

static void test_wrong_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *part;
    } cases[] = {
        {"a(b", "character 4: missing closing parenthesis"},
        {"*a", "character 1"},
        {"[z-a]", "range"},
        {"\\C", "\\C"},
        {"(?<n>a)(?<n>b)", "same name"},
        {"\xFF", "UTF-8"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(regex_compile(cases[i].pattern, REGEX_PLAIN, &error));
        if (!error || !strstr(error->message, cases[i].part))
            fail_msg("%s: %s", cases[i].pattern, error ? error->message : "no error");
        assert_true(g_error_matches(error, REGEX_ERROR, REGEX_ERROR_SYNTAX));
    }
    g_autofree char *deep = g_strnfill(100000, '(');
    assert_null(regex_compile(deep, REGEX_PLAIN, NULL));
    g_autofree char *deep_small = g_strnfill(1000, '(');
    assert_null(regex_compile(deep_small, REGEX_PLAIN, NULL));
}

// What backtracks without end is undecided, not "no match"; with the interpreter too.
static void test_limits(void **state)
{
    (void)state;
    static const char *const patterns[] = {"^(a+)+$", "^(a|aa)+$", "(*NO_JIT)^(a+)+$",
                                           "(*NO_JIT)^(a|aa)+$"};
    g_autofree char *subject = g_strnfill(41, 'a');
    subject[40] = '!';
    for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
        g_autoptr(regex_compiled_t) regex = compile(patterns[i], REGEX_PLAIN);
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) groups = NULL;
        assert_false(regex_match(regex, subject, 41, 0, &groups, &error));
        assert_true(g_error_matches(error, REGEX_ERROR, REGEX_ERROR_LIMIT));
        assert_null(groups);
    }
}

// An ordinary pattern on a large body does not run out of the JIT's stack.
static void test_large_subject(void **state)
{
    (void)state;
    g_autofree char *body = g_malloc(60000);
    for (size_t i = 0; i < 60000; i++)
        body[i] = "abc"[i % 3];
    g_autoptr(regex_compiled_t) regex = compile("^(?:(?:a|b)|[^x])+$", REGEX_PLAIN);
    g_autoptr(GError) error = NULL;
    assert_true(regex_match(regex, body, 60000, 0, NULL, &error));
    assert_null(error);
}

static gpointer match_in_thread(gpointer data)
{
    for (int i = 0; i < 200; i++)
        if (!regex_match(data, "xx order 77", 11, 0, NULL, NULL))
            return NULL;
    return data;
}

static void test_threads(void **state)
{
    (void)state;
    g_autoptr(regex_compiled_t) regex = compile("order \\d+", REGEX_PLAIN);
    GThread *threads[3];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("match", match_in_thread, regex);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        assert_ptr_equal(g_thread_join(threads[i]), regex);
    regex_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match),          cmocka_unit_test(test_offset),
        cmocka_unit_test(test_wrong_patterns), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_large_subject),  cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
