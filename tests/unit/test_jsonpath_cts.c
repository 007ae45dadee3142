// SPDX-License-Identifier: MIT
// base/jsonpath against the JSONPath compliance test suite (cts.json of
// jsonpath-standard/jsonpath-compliance-test-suite), which is not part of the
// project: it is looked for beside the repository, or where
// ERPWATCH_JSONPATH_CTS says, and skipped where it is not found.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../base/json.h"
#include "../../base/jsonpath.h"

#include <stdio.h>
#include <string.h>

// Where the suite is looked for, from the repository's folder and from a build's.
static const char *const places[] = {"../shared/jsonpath/cts.json",
                                     "../../shared/jsonpath/cts.json"};

// The suite, or NULL.
static cJSON *load(void)
{
    const char *given = g_getenv("ERPWATCH_JSONPATH_CTS");
    g_autofree char *text = NULL;
    size_t length = 0;
    if (given)
        g_file_get_contents(given, &text, &length, NULL);
    for (size_t i = 0; !given && !text && i < G_N_ELEMENTS(places); i++)
        g_file_get_contents(places[i], &text, &length, NULL);
    if (!text)
        return NULL;
    g_autoptr(GError) error = NULL;
    cJSON *suite = json_parse(text, length, &error);
    if (!suite)
        fail_msg("the suite: %s", error->message);
    return suite;
}

static bool same_nodes(const GPtrArray *nodes, const cJSON *expected)
{
    unsigned i = 0;
    for (const cJSON *value = expected->child; value; value = value->next, i++)
        if (i >= nodes->len || !json_equal(g_ptr_array_index(nodes, i), value))
            return false;
    return i == nodes->len;
}

// True where the nodes are `result`, or one of `results`.
static bool as_expected(const GPtrArray *nodes, const cJSON *test)
{
    const cJSON *result = json_member(test, "result");
    if (result)
        return same_nodes(nodes, result);
    const cJSON *results = json_member(test, "results");
    for (const cJSON *one = results ? results->child : NULL; one; one = one->next)
        if (same_nodes(nodes, one))
            return true;
    return false;
}

static bool passes(const cJSON *test)
{
    // U+0000 ends a C string; our reader shows it as U+FFFD, which the suite
    // uses nowhere else.
    g_auto(GStrv) parts = g_strsplit(json_text(test, "selector"), "\uFFFD", 2);
    g_autoptr(GError) error = NULL;
    g_autoptr(jsonpath_t) path = jsonpath_compile(parts[0], &error);
    bool refused = cJSON_IsTrue(json_member(test, "invalid_selector"));
    if (!path || refused)
        return !path && refused && error;
    g_autoptr(GPtrArray) nodes = jsonpath_select(path, json_member(test, "document"));
    return as_expected(nodes, test);
}

static void test_suite(void **state)
{
    (void)state;
    g_autoptr(cJSON) suite = load();
    if (!suite) {
        print_message("skipped: the JSONPath compliance test suite (cts.json) is not here\n");
        skip();
    }
    unsigned count = 0, failed = 0;
    for (const cJSON *test = json_member(suite, "tests")->child; test; test = test->next) {
        count++;
        if (passes(test))
            continue;
        failed++;
        print_error("fails: %s: %s\n", json_text(test, "name"), json_text(test, "selector"));
    }
    print_message("%u of %u cases pass\n", count - failed, count);
    assert_true(count > 0);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_suite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
